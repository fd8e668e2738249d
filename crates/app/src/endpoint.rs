//! Asking the seller's program for what buyers are owed, as Standard Webhooks says: a signed message with an id that
//! stays the same however often it is sent.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use domain::{
    Actor, Changes, ClaimState, Duration, Endpoint, EndpointId, Fulfilment, LicenseId, LicenseState, PoolCode, ShopId,
    Timestamp, ask_endpoint, plain_text,
};
use gateways::{HttpRequest, HttpResponse, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use store::ClaimedJob;

use crate::http::HttpFailure;
use crate::outbox::Done;
use crate::{App, Error};

/// For how long a program that did not answer is left alone, so that it does not hold up what others wait for.
const RESTS: Duration = Duration::seconds(30);

/// How many units are taken up again at once.
const BATCH: u32 = 100;

/// How much of what a program says of its refusal is kept.
const LONGEST_MESSAGE: usize = 200;

/// Programs that did not answer, and when.
#[derive(Default)]
pub(crate) struct Resting(Mutex<BTreeMap<EndpointId, Timestamp>>);

impl Resting {
    fn rests(&self, endpoint: EndpointId, now: Timestamp) -> bool {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&endpoint).copied();
        failed.is_some_and(|failed| now.since(failed) < RESTS)
    }

    /// Whoever presses a button knows better than a failure a moment ago.
    pub(crate) fn wake(&self, endpoint: EndpointId) {
        self.note(endpoint, None);
    }

    fn note(&self, endpoint: EndpointId, failed_at: Option<Timestamp>) {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match failed_at {
            Some(at) => resting.insert(endpoint, at),
            None => resting.remove(&endpoint),
        };
    }
}

/// What a program may answer.
#[derive(Deserialize)]
struct Reply {
    content: Option<String>,
    message: Option<String>,
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
enum Answered {
    /// This is what the buyer gets.
    Content(PoolCode),
    /// It comes later, by the API or when it is asked again.
    Later,
    /// It is none, and why.
    Refused(String),
}

/// Reads an answer. A program that has nothing yet says 202, or 2xx without content.
fn read_answer(response: &HttpResponse) -> Answered {
    let reply = serde_json::from_slice::<Reply>(&response.body).ok();
    if !(200..300).contains(&response.status) {
        let said = reply.and_then(|reply| reply.message).and_then(|text| plain_text(&text, LONGEST_MESSAGE).ok());
        let said = said.map(|text| format!(": {text}")).unwrap_or_default();
        return Answered::Refused(format!("the endpoint answered {}{said}", response.status));
    }
    match reply.and_then(|reply| reply.content) {
        Some(content) => match PoolCode::parse(&content) {
            Ok(content) => Answered::Content(content),
            Err(error) => Answered::Refused(format!("the content that the endpoint answered {error}")),
        },
        None if response.body.is_empty() || response.status != 200 => Answered::Later,
        None => Answered::Refused("the endpoint answered 200 without a text \"content\"".to_owned()),
    }
}

/// The message with its signature (Standard Webhooks 1.0.0, symmetric: HMAC-SHA256 over id, time and body).
fn message(url: &str, secret: &str, id: &str, at: Timestamp, body: &str) -> HttpRequest {
    let seconds = at.as_seconds();
    let secret = secret.strip_prefix("whsec_").and_then(|text| BASE64.decode(text.as_bytes()).ok()).unwrap_or_default();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), format!("{id}.{seconds}.{body}").as_bytes());
    HttpRequest {
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", format!("v1,{}", BASE64.encode(tag.as_ref()))),
        ],
        body: body.into(),
    }
}

impl App {
    /// Asks the seller's program for the unit of a license.
    pub(crate) async fn ask_endpoint(&self, job: &ClaimedJob, license: LicenseId) -> Result<Done, Error> {
        let shop = job.job.shop;
        let waiting = self.store.claim_with_buyer(shop, license).await?.ok_or(Error::NotFound { what: "claim" })?;
        let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
        let Fulfilment::Webhook { endpoint } = waiting.claim.fulfilment else { return Ok(Done::Finish) };
        // One whose money went back is asked for when it works again.
        if waiting.claim.state == ClaimState::Fulfilled || row.state != LicenseState::Active {
            return Ok(Done::Finish);
        }
        let endpoint = self.store.endpoint(shop, endpoint).await?.ok_or(Error::NotFound { what: "endpoint" })?;
        let now = self.clock.now();
        if self.resting.rests(endpoint.id, now) {
            return Ok(Done::Later("the endpoint did not answer a moment ago".to_owned()));
        }
        let body = self.claim_message(shop, &waiting, now).await?;
        let answered = match self.send_message(&endpoint, &license.to_string(), &body).await {
            Ok(response) => read_answer(&response),
            Err(failure) => Answered::Refused(failure.to_string()),
        };
        match answered {
            Answered::Content(content) => {
                match self.hand_over_for(shop, license, &content, Actor::System, Some(job)).await {
                    Ok(()) => Ok(Done::Finished),
                    Err(Error::Refused(refusal)) => Ok(Done::Later(refusal.to_string())),
                    Err(error) => Err(error),
                }
            }
            Answered::Later => Ok(Done::Later("the endpoint has it not yet".to_owned())),
            Answered::Refused(reason) => Ok(Done::Later(reason)),
        }
    }

    async fn claim_message(
        &self,
        shop: ShopId,
        waiting: &domain::WaitingClaim,
        now: Timestamp,
    ) -> Result<Value, Error> {
        let claim = &waiting.claim;
        let sale = self.sale(shop, claim.order).await?;
        let order = &sale.order;
        let line = order.line(claim.line).ok_or(Error::NotFound { what: "order" })?;
        let plan = self.store.plan(shop, line.plan).await?;
        let answers: BTreeMap<&str, &str> =
            line.answers.iter().map(|answer| (answer.name.as_str(), answer.value.as_str())).collect();
        Ok(json!({
            "type": "claim.waiting",
            "timestamp": now,
            "data": {
                "license": claim.license,
                "order": order.id,
                "order_number": order.number.as_str(),
                "line": claim.line,
                "unit": claim.unit,
                "product": line.product,
                "plan": line.plan,
                "plan_slug": plan.map(|plan| plan.slug),
                "product_name": line.product_name,
                "plan_name": line.plan_name,
                "email": waiting.email.as_ref().map(domain::Email::as_str),
                "country": order.country.code(),
                "locale": waiting.locale.as_str(),
                "metadata": order.metadata,
                "answers": answers,
                "paid_at": claim.created_at,
            },
        }))
    }

    async fn send_message(&self, endpoint: &Endpoint, id: &str, body: &Value) -> Result<HttpResponse, HttpFailure> {
        let secret = self.store.endpoint_secret(endpoint);
        let now = self.clock.now();
        let sent = self.http.send(message(&endpoint.url, &secret, id, now, &body.to_string())).await;
        self.resting.note(endpoint.id, sent.is_err().then(|| self.clock.now()));
        sent
    }

    /// Sends a message that asks for nothing, to see whether the program answers and accepts the signature. Gives the
    /// status that it answered.
    ///
    /// # Errors
    /// When it did not answer.
    pub async fn try_endpoint(&self, endpoint: &Endpoint) -> Result<u16, HttpFailure> {
        let now = self.clock.now();
        let body = json!({ "type": "endpoint.test", "timestamp": now, "data": {} });
        let id = domain::EventId::mint(now, &mut self.entropy.rng()).to_string();
        self.send_message(endpoint, &id, &body).await.map(|response| response.status)
    }

    /// Takes up again what waits for a program of the seller's and is in no job: its license did not work when it was
    /// asked for, and does now. Returns how many.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step_endpoints(&self) -> Result<usize, Error> {
        let unasked = self.store.unasked_claims(BATCH).await?;
        if unasked.is_empty() {
            return Ok(0);
        }
        let now = self.clock.now();
        let jobs = unasked.iter().map(|(shop, license)| ask_endpoint(*shop, *license, now)).collect();
        // A conflict: somebody else took one of them up. What is left is there when this comes by again.
        let is_done = self.commits(&Changes { jobs, ..Changes::default() }, None).await?;
        Ok(if is_done { unasked.len() } else { 0 })
    }

    /// Gives a program a new secret; messages are signed with it from now on.
    ///
    /// # Errors
    /// When there is no such program, or the store does not answer.
    pub async fn rotate_endpoint_secret(&self, endpoint: &Endpoint) -> Result<Endpoint, Error> {
        let rotated = Endpoint { secrets: endpoint.secrets.saturating_add(1), ..endpoint.clone() };
        if !self.commits(&Changes { endpoints: vec![rotated.clone()], ..Changes::default() }, None).await? {
            return Err(Error::Conflict { what: "endpoint" });
        }
        Ok(rotated)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Content, nothing yet, or what is wrong.
    type Expected<'a> = Result<Option<&'a str>, &'a str>;

    #[test]
    fn an_answer_is_content_or_a_reason() {
        #[rustfmt::skip]
        let table: [(u16, &str, Expected<'_>); 10] = [
            (200, r#"{"content":"ABC-1"}"#,               Ok(Some("ABC-1"))),
            (201, r#"{"content":" ABC-1 ","more":1}"#,    Ok(Some("ABC-1"))),
            (202, "",                                     Ok(None)),
            (202, r#"{"message":"tomorrow"}"#,            Ok(None)),
            (204, "",                                     Ok(None)),
            (200, "",                                     Ok(None)),
            (200, "ok",                                   Err("the endpoint answered 200 without a text \"content\"")),
            (200, r#"{"content":""}"#,                    Err("the content that the endpoint answered is empty")),
            (422, r#"{"message":"no such product"}"#,     Err("the endpoint answered 422: no such product")),
            (302, "<html>",                               Err("the endpoint answered 302")),
        ];
        for (status, body, expected) in table {
            let answered =
                read_answer(&HttpResponse { status, headers: gateways::Headers::default(), body: body.into() });
            let found = match &answered {
                Answered::Content(content) => Ok(Some(content.as_str())),
                Answered::Later => Ok(None),
                Answered::Refused(reason) => Err(reason.as_str()),
            };
            assert_eq!(found, expected, "{status} {body}");
        }
    }

    #[test]
    fn a_message_is_signed_as_standard_webhooks_says() {
        // The example of the specification's own libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let at = Timestamp::from_seconds(1_614_265_330);
        let body = "{\"test\": 2432232314}";
        let sent = message("https://seller.example/", secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body);
        let headers: BTreeMap<_, _> = sent.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let expected = BTreeMap::from([
            ("content-type", "application/json"),
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ]);
        assert_eq!((headers, sent.body.as_slice()), (expected, body.as_bytes()));
    }
}
