//! Polar's license calls for apps (<https://polar.sh/docs/api-reference/customer-portal/license-keys>).
//!
//! An activation there is one here whose fingerprint is its id. What an app keeps
//! with it, `meta` and `conditions`, stands in its notes as JSON.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Activation, Actor, EventId, Fingerprint, ForeignSystem, License, Refusal, Standing, Timestamp};
use serde_json::{Map, Value, json};

use super::{Closed, Denied, Found, Sent, Told, closed, denied, empty, reply, time_in_seconds};
use crate::Web;
use crate::problem::Problem;

const NOT_FOUND: &str = "Not found";
const NOT_ACTIVE: &str = "License key is no longer active.";
const NOT_ACTIVABLE: &str = "License key is no longer active. This license key can not be activated.";
const EXPIRED: &str = "License key has expired.";
const WITHOUT_ACTIVATIONS: &str =
    "This license key does not support activations. Use the /validate endpoint instead to check license validity.";
const LIMIT_REACHED: &str = "License key activation limit already reached";

/// No more of what an app keeps with an activation is taken, in bytes of JSON.
const LARGEST_NOTE: usize = 4 << 10;

pub(crate) async fn validate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let asked = match Asked::read(&sent, &["activation_id"], &[]) {
        Ok(asked) => asked,
        Err(errors) => return Ok(unprocessable(&errors)),
    };
    let amount = match sent.body.get("increment_usage") {
        None | Some(Value::Null) => 0,
        Some(value) => match value.as_u64() {
            Some(amount) => amount,
            None => return Ok(sent.malformed("increment_usage", "greater_than_equal", POSITIVE)),
        },
    };
    let activation = sent.get("activation_id");
    let Some((found, mut told)) = asked.find(&web, &sent, activation).await? else { return Ok(absent(NOT_FOUND)) };
    match closed(&found.license, found.at) {
        None => {}
        Some(Closed::Off) => return Ok(absent(NOT_ACTIVE)),
        Some(Closed::Expired) => return Ok(absent(EXPIRED)),
    }
    if activation.is_some() {
        let Some(seat) = &found.seat else { return Ok(absent(NOT_FOUND)) };
        let kept = noted(seat, "conditions");
        if !kept.is_empty() && sent.object("conditions") != kept {
            return Ok(absent("License key does not match required conditions"));
        }
    }
    let other = |field: &str, ours: String| sent.get(field).is_some_and(|theirs| theirs != ours);
    if other("benefit_id", told.benefit()) {
        return Ok(absent("License key does not match given benefit."));
    }
    if other("customer_id", told.customer_uuid()) {
        return Ok(absent("License key does not match given user."));
    }
    if amount > 0 {
        let name = EventId::mint(found.at, &mut web.app.entropy.rng());
        told.license = if told.license.policy.usage.is_some() {
            match web.app.use_license(sent.shop.id, &found.key, None, amount, name).await {
                Ok((license, _)) => license,
                Err(app::Error::Refused(Refusal::UsageExhausted { left, .. })) => {
                    let detail = format!("License key only has {left} more usages.");
                    return Ok(refuse(StatusCode::BAD_REQUEST, "BadRequest", &detail));
                }
                Err(error) => return Err(error.into()),
            }
        } else {
            let amount = i64::try_from(amount).unwrap_or(i64::MAX);
            web.app.count_verification(&told.license, amount, Actor::App, name).await?
        };
    }
    let mut body = asked.license_key(&told, asked.edition.tells_sale());
    body["activation"] = found.seat.as_ref().map_or(Value::Null, |seat| activation_of(&told, seat));
    Ok(reply(StatusCode::OK, &body))
}

pub(crate) async fn activate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let asked = match Asked::read(&sent, &[], &["label"]) {
        Ok(asked) => asked,
        Err(errors) => return Ok(unprocessable(&errors)),
    };
    let mut metadata = BTreeMap::new();
    for field in ["conditions", "meta"] {
        let kept = sent.object(field);
        if !kept.is_empty() {
            metadata.insert(field.to_owned(), Value::Object(kept).to_string());
        }
    }
    if metadata.values().map(String::len).sum::<usize>() > LARGEST_NOTE {
        return Ok(sent.malformed("meta", "too_long", "Value has too many items"));
    }
    let Some((found, told)) = asked.find(&web, &sent, None).await? else { return Ok(absent(NOT_FOUND)) };
    if closed(&found.license, found.at).is_none() && !told.takes_activations() {
        return Ok(not_permitted(WITHOUT_ACTIVATIONS));
    }
    match sent.take_seat(&web, &found.key, None, sent.get("label"), metadata).await {
        Ok(answer) => {
            let told = Told::read(&web, ForeignSystem::Polar, answer.license, answer.at).await?;
            let mut body = activation_of(&told, &answer.activation);
            body["license_key"] = asked.license_key(&told, asked.edition.tells_sale());
            Ok(reply(StatusCode::OK, &body))
        }
        Err(error) => Ok(match denied(error)? {
            Denied::NoKey | Denied::NoSeat => absent(NOT_FOUND),
            Denied::Full => not_permitted(LIMIT_REACHED),
            Denied::Closed(Closed::Off) => not_permitted(NOT_ACTIVABLE),
            Denied::Closed(Closed::Expired) => not_permitted(EXPIRED),
        }),
    }
}

pub(crate) async fn deactivate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let asked = match Asked::read(&sent, &[], &["activation_id"]) {
        Ok(asked) => asked,
        Err(errors) => return Ok(unprocessable(&errors)),
    };
    let Some((found, _)) = asked.find(&web, &sent, None).await? else { return Ok(absent(NOT_FOUND)) };
    let Some(Ok(activation)) = sent.get("activation_id").map(Fingerprint::parse) else { return Ok(absent(NOT_FOUND)) };
    match web.app.deactivate_license(sent.shop.id, &found.key, &activation, Actor::App).await {
        Ok(_) => Ok(empty(StatusCode::NO_CONTENT)),
        Err(error) => {
            denied(error)?;
            Ok(absent(NOT_FOUND))
        }
    }
}

const POSITIVE: &str = "Input should be greater than or equal to 0";
const UUID: &str = "Input should be a valid UUID";

/// Which of its answers an app was built for: it says so in `Polar-Version`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edition {
    April2026,
    October2026,
    January2027,
}

impl Edition {
    fn tells_sale(self) -> bool {
        self >= Self::January2027
    }
}

/// What every call says.
struct Asked {
    key: String,
    organization: String,
    edition: Edition,
}

impl Asked {
    /// Reads what every call must say, and what this one must or may say besides; in their order, told at once.
    fn read(sent: &Sent, may: &[&str], must: &[&str]) -> Result<Self, Vec<Value>> {
        let mut errors = Vec::new();
        for field in ["key", "organization_id"].iter().chain(must) {
            if !sent.fields.contains_key(*field) {
                errors.push(json!({
                    "type": "missing", "loc": ["body", field], "msg": "Field required", "input": sent.body,
                }));
            }
        }
        for field in ["organization_id"].iter().chain(may).chain(must).filter(|field| field.ends_with("_id")) {
            if let Some(text) = sent.get(field).filter(|text| !is_uuid(text)) {
                errors.push(json!({ "type": "uuid_parsing", "loc": ["body", field], "msg": UUID, "input": text }));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let edition = match sent.header("polar-version") {
            version if version >= "2027-01" => Edition::January2027,
            version if version >= "2026-10" => Edition::October2026,
            _ => Edition::April2026,
        };
        let field = |name: &str| sent.get(name).unwrap_or_default().to_owned();
        Ok(Self { key: field("key"), organization: field("organization_id"), edition })
    }

    /// The license, where it is of the organization that the app names.
    async fn find(&self, web: &Web, sent: &Sent, seat: Option<&str>) -> Result<Option<(Found, Told)>, Problem> {
        let Some(found) = sent.find(web, &self.key, seat).await? else { return Ok(None) };
        let told = Told::read(web, ForeignSystem::Polar, found.license.clone(), found.at).await?;
        let is_theirs = told.named("organization_id").is_none_or(|known| known == self.organization);
        Ok(is_theirs.then_some((found, told)))
    }

    fn license_key(&self, told: &Told, tells_sale: bool) -> Value {
        let license = &told.license;
        let customer = told.customer_uuid();
        let tail: String = self.key.chars().skip(self.key.chars().count().saturating_sub(6)).collect();
        let (created, email) = (time_in_seconds(told.order.created_at), told.email());
        let mut body = json!({
            "id": told.uuid("license_key_id", &license.id.to_string()),
            "created_at": created,
            "modified_at": null,
            "organization_id": self.organization,
            "user_id": customer,
            "customer_id": customer,
            "user": { "id": customer, "email": email, "public_name": told.customer_name().or(email) },
            "customer": {
                "id": customer,
                "created_at": created,
                "modified_at": null,
                "metadata": {},
                "external_id": told.named("external_id"),
                "email": email,
                "email_verified": false,
                "type": "individual",
                "name": told.customer_name(),
                "billing_name": null,
                "billing_address": null,
                "tax_id": null,
                "locale": told.order.locale.as_str(),
                "organization_id": self.organization,
                "default_payment_method_id": null,
                "deleted_at": null,
                "first_user_event_at": null,
                "avatar_url": null,
            },
            "benefit_id": told.benefit(),
            "key": self.key,
            "display_key": format!("****-{tail}"),
            "status": status(license, told.at),
            "limit_activations": license.policy.seats,
            "usage": license.used(told.at),
            "limit_usage": license.policy.usage.as_ref().and_then(|usage| usage.limit),
            "validations": told.named("validations").and_then(|text| text.parse::<u64>().ok()).unwrap_or_default(),
            "last_validated_at": time_in_seconds(told.at),
            "expires_at": license.expires_at.map(time_in_seconds),
        });
        if self.edition >= Edition::October2026 {
            body["member_id"] = Value::Null;
            body["member"] = Value::Null;
        }
        if tells_sale {
            for field in ["subscription_id", "subscription", "order_id", "order"] {
                body[field] = Value::Null;
            }
        }
        body
    }
}

impl Told {
    fn benefit(&self) -> String {
        self.uuid("benefit_id", &self.license.plan.to_string())
    }

    fn customer_uuid(&self) -> String {
        self.uuid("customer_id", &self.customer_id())
    }

    /// Keys that were sold there without activations have none here either; any number of them is only known here.
    fn takes_activations(&self) -> bool {
        !self.is_imported() || self.named("activations") != Some("none")
    }
}

impl Sent {
    /// A field that is an object; an empty one when it is not there.
    fn object(&self, field: &str) -> Map<String, Value> {
        self.body.get(field).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    fn malformed(&self, field: &str, kind: &str, message: &str) -> Response {
        let input = self.body.get(field);
        unprocessable(&[json!({ "type": kind, "loc": ["body", field], "msg": message, "input": input })])
    }
}

fn status(license: &License, now: Timestamp) -> &'static str {
    match license.standing(now) {
        Standing::Active | Standing::Expired => "granted",
        Standing::Suspended => "disabled",
        Standing::Revoked => "revoked",
    }
}

fn activation_of(told: &Told, seat: &Activation) -> Value {
    json!({
        "id": seat.fingerprint.as_str(),
        "license_key_id": told.uuid("license_key_id", &told.license.id.to_string()),
        "label": seat.name.as_deref().unwrap_or_default(),
        "meta": noted(seat, "meta"),
        "created_at": time_in_seconds(seat.created_at),
        "modified_at": null,
    })
}

/// What the app keeps with its activation.
fn noted(seat: &Activation, word: &str) -> Map<String, Value> {
    seat.metadata.get(word).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let is_hex = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_hex && (lengths == [8, 4, 4, 4, 12] || lengths == [32])
}

fn absent(detail: &str) -> Response {
    refuse(StatusCode::NOT_FOUND, "ResourceNotFound", detail)
}

fn not_permitted(detail: &str) -> Response {
    refuse(StatusCode::FORBIDDEN, "NotPermitted", detail)
}

fn unprocessable(errors: &[Value]) -> Response {
    reply(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": "RequestValidationError", "detail": errors }))
}

fn refuse(status: StatusCode, error: &str, detail: &str) -> Response {
    reply(status, &json!({ "error": error, "detail": detail }))
}
