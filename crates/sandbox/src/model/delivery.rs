//! Webhook endpoints, and the queue of what is to be sent to them.
//!
//! The model decides what is sent when, signs it and keeps what came of it; the
//! caller only carries it. At least once, until 2xx, for three days, as Stripe does.

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::fault;
use super::input::{Input, Metadata, merge_metadata};
use super::list::{self, Page};
use super::moment::Moment;
use super::{API_VERSION, Context, Object, World, owned, owned_mut};

/// The wait after the first failed attempt; each further wait is three times as long.
const FIRST_WAIT_SECONDS: i64 = 5;
/// The longest wait between two attempts.
const LONGEST_WAIT_SECONDS: i64 = 12 * 60 * 60;
/// After so long nobody tries again.
const GIVE_UP_SECONDS: i64 = 3 * 24 * 60 * 60;

/// Where an account wants its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `we_…`
    pub id: String,
    account: String,
    created: Moment,
    url: String,
    enabled_events: Vec<String>,
    description: Option<String>,
    metadata: Metadata,
    enabled: bool,
    /// What its deliveries are signed with, the newest first.
    secrets: Vec<Secret>,
    /// Whether it was configured at the start rather than made over the API.
    pub configured: bool,
}

/// A secret, and until when it signs; without an end while it is current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Secret {
    text: String,
    until: Option<Moment>,
}

/// What is known of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    id: String,
    account: String,
    created: Moment,
    event: String,
    endpoint: String,
    /// What became of it.
    pub state: DeliveryState,
    /// Whether a fault made it a second copy.
    pub duplicate: bool,
    attempts: Vec<Attempt>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum DeliveryState {
    /// To be sent, again or for the first time.
    Waiting {
        /// Not before.
        due: Moment,
    },
    /// Acknowledged with 2xx.
    Delivered {
        /// When.
        at: Moment,
    },
    /// Refused or unanswered for three days, or its endpoint is gone.
    GaveUp {
        /// When.
        at: Moment,
    },
    /// Lost on purpose.
    Dropped,
}

/// One attempt and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Attempt {
    at: Moment,
    wrong_signature: bool,
    status: Option<u16>,
    error: Option<String>,
}

/// What is to be carried to an endpoint now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The delivery, to be named in `settle`.
    pub delivery: String,
    /// Where to POST.
    pub url: String,
    /// The value of `Stripe-Signature`.
    pub signature: String,
    /// The JSON that was signed.
    pub body: String,
}

/// How carrying it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// The endpoint answered with this status.
    Answered(u16),
    /// It did not.
    Failed(String),
}

/// Which deliveries a caller takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ripe {
    /// What is due.
    Due,
    /// What is due, and what only a fault holds back from its first attempt.
    DueOrHeldBack,
}

impl Delivery {
    /// When it is to be sent, if it is.
    #[must_use]
    pub const fn due(&self) -> Option<Moment> {
        match self.state {
            DeliveryState::Waiting { due } => Some(due),
            DeliveryState::Delivered { .. } | DeliveryState::GaveUp { .. } | DeliveryState::Dropped => None,
        }
    }
}

impl Object for Endpoint {
    const NOUN: &'static str = "webhook endpoint";
    fn id(&self) -> &str {
        &self.id
    }
    fn account(&self) -> &str {
        &self.account
    }
    fn created(&self) -> Moment {
        self.created
    }
    fn render(&self, _world: &World) -> Value {
        json!({
            "id": self.id, "object": "webhook_endpoint", "api_version": API_VERSION, "application": null,
            "created": self.created.seconds(), "description": self.description,
            "enabled_events": self.enabled_events, "livemode": false, "metadata": self.metadata,
            "status": if self.enabled { "enabled" } else { "disabled" }, "url": self.url,
        })
    }
}

/// `Stripe-Signature` over a body, one `v1` for each secret. The whole text of
/// the secret is the key.
#[must_use]
pub fn sign(secrets: &[&str], signed_at: Moment, body: &str) -> String {
    let timestamp = signed_at.seconds();
    let mut header = format!("t={timestamp}");
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{timestamp}.{body}").as_bytes());
        header.push_str(",v1=");
        header.push_str(&HEXLOWER.encode(tag.as_ref()));
    }
    header
}

/// Puts an event in the queue of every endpoint of the account that wants it.
pub fn schedule(world: &mut World, at: &Context, event: &str, kind: &str) -> Vec<String> {
    let listening: Vec<String> = world
        .endpoints
        .oldest_first()
        .filter(|(_, _, row)| row.account == at.account && row.enabled)
        .filter(|(_, _, row)| row.enabled_events.iter().any(|wanted| wanted == "*" || wanted == kind))
        .map(|(_, id, _)| id.to_owned())
        .collect();
    let mut deliveries = Vec::new();
    for endpoint in listening {
        let fate = fault::fate_of_delivery(world);
        let due = at.now.plus_milliseconds(i64::from(fate.late_by));
        let state = if fate.dropped { DeliveryState::Dropped } else { DeliveryState::Waiting { due } };
        deliveries.push(queue(world, at, event, &endpoint, state, false));
        if fate.duplicated && !fate.dropped {
            deliveries.push(queue(world, at, event, &endpoint, state, true));
        }
    }
    deliveries
}

/// When the next delivery is due.
#[must_use]
pub fn next_due(world: &World) -> Option<Moment> {
    world.queue.first().map(|(due, _)| *due)
}

/// Takes up to `limit` deliveries out of the queue and signs them. `signed_at`
/// is the real time: receivers compare it with their own clock, which does not
/// move with the sandbox's. Every one has to be settled.
pub fn claim(world: &mut World, now: Moment, signed_at: Moment, ripe: Ripe, limit: usize) -> Vec<Outgoing> {
    let mut claimed = Vec::new();
    let mut after: Option<(Moment, String)> = None;
    while claimed.len() < limit {
        let next = match &after {
            None => world.queue.first().cloned(),
            Some(passed) => world
                .queue
                .range((std::ops::Bound::Excluded(passed.clone()), std::ops::Bound::Unbounded))
                .next()
                .cloned(),
        };
        let Some((due, id)) = next else { break };
        let untried = world.deliveries.get(&id).is_some_and(|delivery| delivery.attempts.is_empty());
        if due > now && !(ripe == Ripe::DueOrHeldBack && untried) {
            if ripe == Ripe::Due {
                break;
            }
            after = Some((due, id));
            continue;
        }
        world.queue.remove(&(due, id.clone()));
        if let Some(outgoing) = prepare(world, now, signed_at, &id) {
            claimed.push(outgoing);
        }
    }
    claimed
}

/// Writes down how carrying a claimed delivery went; true when that was the end of it.
pub fn settle(world: &mut World, now: Moment, id: &str, carried: &Carried) -> bool {
    let delivered = matches!(carried, Carried::Answered(status) if (200..300).contains(status));
    let Some(delivery) = world.deliveries.get_mut(id) else { return true };
    if let Some(attempt) = delivery.attempts.last_mut() {
        match carried {
            Carried::Answered(status) => attempt.status = Some(*status),
            Carried::Failed(error) => attempt.error = Some(error.clone()),
        }
    }
    if delivered {
        delivery.state = DeliveryState::Delivered { at: now };
        return true;
    }
    let due = now.plus_seconds(wait_after(delivery.attempts.len()));
    if due > delivery.created.plus_seconds(GIVE_UP_SECONDS) {
        delivery.state = DeliveryState::GaveUp { at: now };
        return true;
    }
    delivery.state = DeliveryState::Waiting { due };
    world.queue.insert((due, id.to_owned()));
    false
}

/// Every delivery with its attempts, newest last.
#[must_use]
pub fn show(world: &World) -> Value {
    let deliveries: Vec<Value> = world
        .deliveries
        .oldest_first()
        .map(|(_, _, delivery)| {
            let event = world.events.get(&delivery.event);
            let endpoint = world.endpoints.get(&delivery.endpoint);
            let attempts: Vec<Value> = delivery
                .attempts
                .iter()
                .map(|attempt| {
                    json!({ "at": attempt.at.seconds(), "status": attempt.status, "error": attempt.error,
                            "wrong_signature": attempt.wrong_signature })
                })
                .collect();
            let (state, due) = match delivery.state {
                DeliveryState::Waiting { due } => ("waiting", Some(due.seconds())),
                DeliveryState::Delivered { .. } => ("delivered", None),
                DeliveryState::GaveUp { .. } => ("gave_up", None),
                DeliveryState::Dropped => ("dropped", None),
            };
            json!({
                "id": delivery.id, "account": delivery.account, "event": delivery.event,
                "type": event.map(|event| event.kind.clone()), "endpoint": delivery.endpoint,
                "url": endpoint.map(|endpoint| endpoint.url.clone()), "created": delivery.created.seconds(),
                "state": state, "due": due, "duplicate": delivery.duplicate, "attempts": attempts,
            })
        })
        .collect();
    json!({ "deliveries": deliveries })
}

/// How many deliveries wait, were acknowledged, were given up and were dropped.
#[must_use]
pub fn count(world: &World) -> Value {
    let (mut waiting, mut delivered, mut gave_up, mut dropped) = (0_u64, 0_u64, 0_u64, 0_u64);
    for (_, _, delivery) in world.deliveries.oldest_first() {
        match delivery.state {
            DeliveryState::Waiting { .. } => waiting += 1,
            DeliveryState::Delivered { .. } => delivered += 1,
            DeliveryState::GaveUp { .. } => gave_up += 1,
            DeliveryState::Dropped => dropped += 1,
        }
    }
    json!({ "waiting": waiting, "delivered": delivered, "gave_up": gave_up, "dropped": dropped })
}

/// Adds an endpoint that the operator configured, or gives the one of that URL
/// these secrets; each signs.
///
/// # Errors
/// When the URL cannot be called or there is no secret.
pub fn configure(world: &mut World, at: &Context, url: &str, secrets: &[String]) -> Result<String, ApiError> {
    check_url(url)?;
    if secrets.is_empty() || secrets.iter().any(String::is_empty) {
        return Err(ApiError::invalid("A webhook endpoint needs a secret to sign with.").param("secrets"));
    }
    let secrets = secrets.iter().map(|secret| current(secret)).collect();
    let all = world.endpoints.oldest_first().map(|(_, _, row)| row);
    let known =
        all.filter(|row| row.configured && row.account == at.account && row.url == url).map(|row| row.id.clone());
    if let Some(id) = known.max() {
        if let Some(endpoint) = world.endpoints.get_mut(&id) {
            endpoint.secrets = secrets;
        }
        return Ok(id);
    }
    let id = world.mint("we", 24);
    let endpoint = Endpoint {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        url: url.to_owned(),
        enabled_events: vec!["*".to_owned()],
        description: None,
        metadata: Metadata::new(),
        enabled: true,
        secrets,
        configured: true,
    };
    world.endpoints.insert(&id, endpoint);
    Ok(id)
}

/// Takes away the endpoints that an earlier configuration had and this one has not.
pub fn forget_configured(world: &mut World, kept: &[String]) {
    let all = world.endpoints.oldest_first().map(|(_, _, row)| row);
    let gone: Vec<String> =
        all.filter(|row| row.configured && !kept.contains(&row.id)).map(|row| row.id.clone()).collect();
    for id in gone {
        world.endpoints.remove(&id);
    }
}

/// `POST /v1/webhook_endpoints`; the answer is the only one that shows the secret.
///
/// # Errors
/// When a parameter is wrong.
pub fn create(world: &mut World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let url = input.required_text("url")?;
    check_url(&url)?;
    let enabled_events = input.texts("enabled_events")?.unwrap_or_default();
    if enabled_events.is_empty() {
        return Err(input.required("enabled_events"));
    }
    let description = input.text("description")?;
    let metadata = input.metadata("metadata")?.unwrap_or_default();
    input.text("api_version")?;
    input.finish()?;
    let id = world.mint("we", 24);
    let secret = world.mint("whsec", 32);
    let endpoint = Endpoint {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        url,
        enabled_events,
        description,
        metadata,
        enabled: true,
        secrets: vec![current(&secret)],
        configured: false,
    };
    let mut shown = endpoint.render(world);
    shown["secret"] = json!(secret);
    world.endpoints.insert(&id, endpoint);
    Ok(shown)
}

/// `GET /v1/webhook_endpoints/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.endpoints, &at.account, id)?.render(world))
}

/// `POST /v1/webhook_endpoints/{id}`
///
/// # Errors
/// When there is none or a parameter is wrong.
pub fn update(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let url = input.text("url")?;
    let events = input.texts("enabled_events")?;
    let description = input.text("description")?;
    let disabled = input.boolean("disabled")?;
    let metadata = input.metadata("metadata")?;
    input.finish()?;
    url.as_deref().map_or(Ok(()), check_url)?;
    let endpoint = owned_mut(&mut world.endpoints, &at.account, id)?;
    endpoint.url = url.unwrap_or_else(|| endpoint.url.clone());
    endpoint.enabled_events = events.unwrap_or_else(|| endpoint.enabled_events.clone());
    endpoint.description = description.or_else(|| endpoint.description.clone());
    endpoint.enabled = disabled.map_or(endpoint.enabled, |disabled| !disabled);
    merge_metadata(&mut endpoint.metadata, metadata);
    retrieve(world, at, id)
}

/// `DELETE /v1/webhook_endpoints/{id}`
///
/// # Errors
/// When there is none.
pub fn delete(world: &mut World, at: &Context, id: &str) -> Result<Value, ApiError> {
    owned(&world.endpoints, &at.account, id)?;
    world.endpoints.remove(id);
    Ok(json!({ "id": id, "object": "webhook_endpoint", "deleted": true }))
}

/// `GET /v1/webhook_endpoints`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    input.finish()?;
    list::list(world, &world.endpoints, &at.account, "/v1/webhook_endpoints", &page, |_| true)
}

/// Gives an endpoint a new secret; the old one signs too for so many seconds.
///
/// # Errors
/// When there is no such endpoint.
pub fn roll(world: &mut World, now: Moment, id: &str, overlap_seconds: i64) -> Result<Value, ApiError> {
    let secret = world.mint("whsec", 32);
    let endpoint = world.endpoints.get_mut(id).ok_or_else(|| ApiError::missing(Endpoint::NOUN, id))?;
    let end = now.plus_seconds(overlap_seconds);
    for old in &mut endpoint.secrets {
        old.until = Some(old.until.map_or(end, |until| until.min(end)));
    }
    endpoint.secrets.retain(|old| old.until.is_none_or(|until| now < until));
    endpoint.secrets.insert(0, current(&secret));
    Ok(json!({ "id": id, "secret": secret, "previous_expires_at": end.seconds() }))
}

fn current(secret: &str) -> Secret {
    Secret { text: secret.to_owned(), until: None }
}

fn queue(
    world: &mut World,
    at: &Context,
    event: &str,
    endpoint: &str,
    state: DeliveryState,
    duplicate: bool,
) -> String {
    // Numbered, so that deliveries due at the same moment leave in the order of their events.
    let id = format!("dl_{:012}", world.deliveries.next_position());
    let delivery = Delivery {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        event: event.to_owned(),
        endpoint: endpoint.to_owned(),
        state,
        duplicate,
        attempts: Vec::new(),
    };
    if let Some(due) = delivery.due() {
        world.queue.insert((due, id.clone()));
    }
    world.deliveries.insert(&id, delivery);
    id
}

fn prepare(world: &mut World, now: Moment, signed_at: Moment, id: &str) -> Option<Outgoing> {
    let delivery = world.deliveries.get(id)?;
    let endpoint = world.endpoints.get(&delivery.endpoint).filter(|endpoint| endpoint.enabled).cloned();
    let event = world.events.get(&delivery.event).map(|event| event.render(world));
    let (Some(endpoint), Some(event)) = (endpoint, event) else {
        world.deliveries.get_mut(id)?.state = DeliveryState::GaveUp { at: now };
        return None;
    };
    let body = format!("{event:#}");
    let wrong_signature = fault::fate_of_signature(world);
    let live = endpoint.secrets.iter().filter(|secret| secret.until.is_none_or(|until| now < until));
    let mut secrets: Vec<String> = live.map(|secret| secret.text.clone()).collect();
    if wrong_signature {
        for secret in &mut secrets {
            secret.push_str("-of-a-stranger");
        }
    }
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let signature = sign(&secrets, signed_at, &body);
    let delivery = world.deliveries.get_mut(id)?;
    delivery.attempts.push(Attempt { at: now, wrong_signature, status: None, error: None });
    Some(Outgoing { delivery: id.to_owned(), url: endpoint.url, signature, body })
}

fn wait_after(attempts: usize) -> i64 {
    let exponent = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let wait = 3_i64.checked_pow(exponent).and_then(|factor| FIRST_WAIT_SECONDS.checked_mul(factor));
    wait.unwrap_or(LONGEST_WAIT_SECONDS).min(LONGEST_WAIT_SECONDS)
}

fn check_url(url: &str) -> Result<(), ApiError> {
    let parsed: Result<axum::http::Uri, _> = url.parse();
    let callable = parsed.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if callable { Ok(()) } else { Err(ApiError::invalid("Not a valid URL").code("url_invalid").param("url")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_that_stripe_makes() {
        let body = r#"{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}"#;
        let expected = "t=1700000000,v1=67da5088c63e080c71bd2bb0cb5c03d85a8fc6a21ce3aaf484df809654745b92";
        assert_eq!(sign(&["whsec_test_secret"], Moment::from_seconds(1_700_000_000), body), expected);
    }

    #[test]
    fn waits_grow_threefold_up_to_half_a_day() {
        let rows = [(1, 5), (2, 15), (3, 45), (9, 32_805), (10, 43_200), (400, 43_200)];
        for (attempts, seconds) in rows {
            assert_eq!(wait_after(attempts), seconds, "after {attempts}");
        }
    }
}
