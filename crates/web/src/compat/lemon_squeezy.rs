//! Lemon Squeezy's License API (<https://docs.lemonsqueezy.com/help/licensing/license-api>).
//!
//! An instance there is an activation here whose fingerprint is the instance's
//! id: an app that activates again takes another seat, as it does there.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{
    Activation, ActivationRequest, Actor, Fingerprint, ForeignSystem, License, Mode, Refusal, Standing, Timestamp,
    ValidationRequest, plain_text,
};
use serde_json::{Value, json};

use super::{Sent, Told, reply, uuid};
use crate::Web;
use crate::problem::Problem;

/// The word that an answer says its outcome under.
#[derive(Clone, Copy)]
enum Call {
    Activate,
    Validate,
    Deactivate,
}

impl Call {
    const fn flag(self) -> &'static str {
        match self {
            Self::Activate => "activated",
            Self::Validate => "valid",
            Self::Deactivate => "deactivated",
        }
    }
}

const UNKNOWN_KEY: &str = "license_key not found.";
const UNKNOWN_INSTANCE: &str = "license_key_instance not found.";
const DISABLED: &str = "This license key is disabled.";
const EXPIRED: &str = "This license key is expired.";
const LIMIT_REACHED: &str = "This license key has reached the activation limit.";

pub(crate) async fn activate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let call = Call::Activate;
    let (text, name) = match (sent.get("license_key"), sent.get("instance_name")) {
        (Some(key), Some(name)) => (key, name),
        (key, name) => return Ok(missing(&[("license_key", key.is_none()), ("instance_name", name.is_none())])),
    };
    let Some(key) = sent.key(&web, text).await? else { return Ok(not_found(call, UNKNOWN_KEY)) };
    let id = uuid(web.app.entropy.rng().bytes());
    let fingerprint = Fingerprint::parse(&id)
        .map_err(|error| Problem::invalid("instance_name", "fingerprint_invalid", format!("The instance {error}.")))?;
    let request = ActivationRequest {
        fingerprint,
        // What cannot be shown on a page is not kept, and keeps nobody out.
        name: plain_text(name, 100).ok(),
        metadata: BTreeMap::new(),
        version_released_at: None,
        components: BTreeMap::new(),
    };
    match web.app.activate_license(sent.shop.id, &key, &request).await {
        Ok(answer) => {
            let told = Told::read(&web, ForeignSystem::LemonSqueezy, answer.license, answer.at).await?;
            let instance = Some(instance(&answer.activation));
            Ok(reply(StatusCode::OK, &body(call, None, &told, text, sent.shop.mode, Some(instance))))
        }
        Err(error) => refused(&web, &sent, call, text, &key, error).await,
    }
}

pub(crate) async fn validate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let call = Call::Validate;
    let Some(text) = sent.get("license_key") else { return Ok(missing(&[("license_key", true)])) };
    let Some(key) = sent.key(&web, text).await? else { return Ok(not_found(call, UNKNOWN_KEY)) };
    let asked = sent.get("instance_id");
    let fingerprint = match asked.map(Fingerprint::parse) {
        None => None,
        Some(Ok(fingerprint)) => Some(fingerprint),
        Some(Err(_)) => return Ok(not_found(call, UNKNOWN_INSTANCE)),
    };
    let request = ValidationRequest { fingerprint, ..ValidationRequest::default() };
    let answer = web.app.validate_license(sent.shop.id, &key, &request).await?;
    let Some(license) = answer.license().cloned() else { return Ok(not_found(call, UNKNOWN_KEY)) };
    let told = Told::read(&web, ForeignSystem::LemonSqueezy, license, answer.at).await?;
    if let Some(reason) = closed(&told.license, told.at) {
        return Ok(reply(StatusCode::BAD_REQUEST, &body(call, Some(reason), &told, text, sent.shop.mode, None)));
    }
    let seat = answer.activation().filter(|seat| told.license.is_seated(seat, told.at));
    if asked.is_some() && seat.is_none() {
        return Ok(not_found(call, UNKNOWN_INSTANCE));
    }
    let instance = seat.map(instance);
    Ok(reply(StatusCode::OK, &body(call, None, &told, text, sent.shop.mode, Some(instance))))
}

pub(crate) async fn deactivate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let call = Call::Deactivate;
    let (text, id) = match (sent.get("license_key"), sent.get("instance_id")) {
        (Some(key), Some(id)) => (key, id),
        (key, id) => return Ok(missing(&[("license_key", key.is_none()), ("instance_id", id.is_none())])),
    };
    let Some(key) = sent.key(&web, text).await? else { return Ok(not_found(call, UNKNOWN_KEY)) };
    let Ok(fingerprint) = Fingerprint::parse(id) else { return Ok(not_found(call, UNKNOWN_INSTANCE)) };
    // There a disabled key gives no seat back either.
    let seen = web.app.validate_license(sent.shop.id, &key, &ValidationRequest::default()).await?;
    if let Some(license) = seen.license().cloned()
        && closed(&license, seen.at) == Some(DISABLED)
    {
        let told = Told::read(&web, ForeignSystem::LemonSqueezy, license, seen.at).await?;
        return Ok(reply(StatusCode::BAD_REQUEST, &body(call, Some(DISABLED), &told, text, sent.shop.mode, None)));
    }
    match web.app.deactivate_license(sent.shop.id, &key, &fingerprint, Actor::App).await {
        Ok(answer) => {
            let told = Told::read(&web, ForeignSystem::LemonSqueezy, answer.license, answer.at).await?;
            Ok(reply(StatusCode::OK, &body(call, None, &told, text, sent.shop.mode, None)))
        }
        Err(error) => refused(&web, &sent, call, text, &key, error).await,
    }
}

/// Why nothing is done with a license, in their words; `None`: it works.
fn closed(license: &License, now: Timestamp) -> Option<&'static str> {
    match license.standing(now) {
        Standing::Active => None,
        Standing::Suspended | Standing::Revoked => Some(DISABLED),
        Standing::Expired => Some(EXPIRED),
    }
}

async fn refused(
    web: &Web,
    sent: &Sent,
    call: Call,
    text: &str,
    key: &latchkey_license::KeyCode,
    error: app::Error,
) -> Result<Response, Problem> {
    let reason = match &error {
        app::Error::NotFound { .. } | app::Error::Refused(Refusal::KeyRetired { .. }) => {
            return Ok(not_found(call, UNKNOWN_KEY));
        }
        app::Error::Refused(Refusal::NotActivated) => return Ok(not_found(call, UNKNOWN_INSTANCE)),
        app::Error::Refused(Refusal::SeatLimitReached { .. }) => LIMIT_REACHED,
        app::Error::Refused(Refusal::LicenseNotUsable(Standing::Expired)) => EXPIRED,
        app::Error::Refused(_) => DISABLED,
        app::Error::Unavailable(_) | app::Error::Conflict { .. } | app::Error::Configuration(_) => {
            return Err(error.into());
        }
    };
    let seen = web.app.validate_license(sent.shop.id, key, &ValidationRequest::default()).await?;
    let Some(license) = seen.license().cloned() else { return Ok(not_found(call, UNKNOWN_KEY)) };
    let told = Told::read(web, ForeignSystem::LemonSqueezy, license, seen.at).await?;
    Ok(reply(StatusCode::BAD_REQUEST, &body(call, Some(reason), &told, text, sent.shop.mode, None)))
}

/// An answer about a license. `instance` is left out where their answer has no such field.
fn body(call: Call, error: Option<&str>, told: &Told, key: &str, mode: Mode, instance: Option<Option<Value>>) -> Value {
    let license = &told.license;
    let status = match license.standing(told.at) {
        Standing::Suspended | Standing::Revoked => "disabled",
        Standing::Expired => "expired",
        Standing::Active if license.seats_used > 0 => "active",
        Standing::Active => "inactive",
    };
    let customer = told.customer.as_ref();
    let email = told.order.email.as_ref().map(domain::Email::as_str);
    let name = customer.and_then(|customer| customer.name.as_deref()).or_else(|| told.named("customer_name"));
    let mut answer = json!({
        call.flag(): error.is_none(),
        "error": error,
        "license_key": {
            "id": told.number("license_key_id", &license.id.to_string()),
            "status": status,
            "key": key,
            "activation_limit": license.policy.seats,
            "activation_usage": license.seats_used,
            "created_at": time(told.order.created_at),
            "expires_at": license.expires_at.map(time),
            "test_mode": mode == Mode::Sandbox,
        },
        "meta": {
            "store_id": told.number("store_id", &license.shop.to_string()),
            "order_id": told.number("order_id", &license.order.to_string()),
            "order_item_id": told.number("order_item_id", &format!("{}/{}", license.order, license.line)),
            "product_id": told.number("product_id", &license.product.to_string()),
            "product_name": told.product_name,
            "variant_id": told.number("variant_id", &license.plan.to_string()),
            "variant_name": told.plan_name,
            "customer_id": told.number("customer_id", &license.customer.map(|id| id.to_string()).unwrap_or_default()),
            "customer_name": name,
            "customer_email": email,
        },
    });
    if let Some(instance) = instance {
        answer["instance"] = instance.unwrap_or(Value::Null);
    }
    answer
}

fn instance(seat: &Activation) -> Value {
    json!({ "id": seat.fingerprint.as_str(), "name": seat.shown_name(), "created_at": time(seat.created_at) })
}

/// Six digits of a second and `Z`, as they write it.
fn time(at: Timestamp) -> String {
    let text = at.to_string();
    let whole = text.trim_end_matches('Z');
    let (seconds, fraction) = whole.split_once('.').unwrap_or((whole, ""));
    format!("{seconds}.{fraction:0<6}Z")
}

fn not_found(call: Call, error: &str) -> Response {
    reply(StatusCode::NOT_FOUND, &json!({ call.flag(): false, "error": error }))
}

/// The fields that are missing, the first of them as the message.
fn missing(fields: &[(&str, bool)]) -> Response {
    let lacking = fields.iter().filter(|(_, is_missing)| *is_missing).map(|(field, _)| *field);
    let sentence = |field: &str| format!("The {} field is required.", field.replace('_', " "));
    let errors: serde_json::Map<String, Value> =
        lacking.clone().map(|field| (field.to_owned(), json!([sentence(field)]))).collect();
    let message = lacking.clone().next().map(sentence).unwrap_or_default();
    reply(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "message": message, "errors": errors }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_six_digits_of_a_second() {
        assert_eq!(time(Timestamp::from_microseconds(1_611_497_707_000_000)), "2021-01-24T14:15:07.000000Z");
        assert_eq!(time(Timestamp::from_microseconds(1_611_497_707_120_000)), "2021-01-24T14:15:07.120000Z");
    }
}
