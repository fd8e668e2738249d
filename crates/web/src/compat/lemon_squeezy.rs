//! Lemon Squeezy's License API (<https://docs.lemonsqueezy.com/help/licensing/license-api>).
//!
//! An instance there is an activation here whose fingerprint is the instance's
//! id: an app that activates again takes another seat, as it does there.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Activation, Actor, Fingerprint, ForeignSystem, License, Mode, Standing, Timestamp};
use serde_json::{Value, json};

use super::{Closed, Denied, Sent, Told, closed, denied, reply, time};
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
    let Some(key) = web.app.key_behind(sent.shop.id, text).await? else { return Ok(not_found(call, UNKNOWN_KEY)) };
    match sent.take_seat(&web, &key, None, Some(name), BTreeMap::new()).await {
        Ok(answer) => {
            let told = read(&web, answer.license, answer.at).await?;
            let instance = Some(instance(&answer.activation));
            Ok(reply(StatusCode::OK, &body(call, None, &told, text, sent.shop.mode, Some(instance))))
        }
        Err(error) => refused(&web, &sent, call, text, denied(error)?).await,
    }
}

pub(crate) async fn validate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let call = Call::Validate;
    let Some(text) = sent.get("license_key") else { return Ok(missing(&[("license_key", true)])) };
    let asked = sent.get("instance_id");
    let Some(found) = sent.find(&web, text, asked).await? else { return Ok(not_found(call, UNKNOWN_KEY)) };
    let told = read(&web, found.license, found.at).await?;
    if let Some(reason) = why_closed(&told.license, told.at) {
        return Ok(reply(StatusCode::BAD_REQUEST, &body(call, Some(reason), &told, text, sent.shop.mode, None)));
    }
    if asked.is_some() && found.seat.is_none() {
        return Ok(not_found(call, UNKNOWN_INSTANCE));
    }
    let instance = found.seat.as_ref().map(instance);
    Ok(reply(StatusCode::OK, &body(call, None, &told, text, sent.shop.mode, Some(instance))))
}

pub(crate) async fn deactivate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let call = Call::Deactivate;
    let (text, id) = match (sent.get("license_key"), sent.get("instance_id")) {
        (Some(key), Some(id)) => (key, id),
        (key, id) => return Ok(missing(&[("license_key", key.is_none()), ("instance_id", id.is_none())])),
    };
    let Some(found) = sent.find(&web, text, None).await? else { return Ok(not_found(call, UNKNOWN_KEY)) };
    // There a disabled key gives no seat back either.
    if closed(&found.license, found.at) == Some(Closed::Off) {
        let told = read(&web, found.license, found.at).await?;
        return Ok(reply(StatusCode::BAD_REQUEST, &body(call, Some(DISABLED), &told, text, sent.shop.mode, None)));
    }
    let Ok(fingerprint) = Fingerprint::parse(id) else { return Ok(not_found(call, UNKNOWN_INSTANCE)) };
    match web.app.deactivate_license(sent.shop.id, &found.key, &fingerprint, Actor::App).await {
        Ok(answer) => {
            let told = read(&web, answer.license, answer.at).await?;
            Ok(reply(StatusCode::OK, &body(call, None, &told, text, sent.shop.mode, None)))
        }
        Err(error) => refused(&web, &sent, call, text, denied(error)?).await,
    }
}

async fn read(web: &Web, license: License, at: Timestamp) -> Result<Told, Problem> {
    Told::read(web, ForeignSystem::LemonSqueezy, license, at).await
}

/// Why nothing is done with a license, in their words; `None`: it works.
fn why_closed(license: &License, now: Timestamp) -> Option<&'static str> {
    closed(license, now).map(words)
}

const fn words(closed: Closed) -> &'static str {
    match closed {
        Closed::Off => DISABLED,
        Closed::Expired => EXPIRED,
    }
}

async fn refused(web: &Web, sent: &Sent, call: Call, text: &str, denied: Denied) -> Result<Response, Problem> {
    let reason = match denied {
        Denied::NoKey => return Ok(not_found(call, UNKNOWN_KEY)),
        Denied::NoSeat => return Ok(not_found(call, UNKNOWN_INSTANCE)),
        Denied::Full => LIMIT_REACHED,
        Denied::Closed(closed) => words(closed),
    };
    let Some(found) = sent.find(web, text, None).await? else { return Ok(not_found(call, UNKNOWN_KEY)) };
    let told = read(web, found.license, found.at).await?;
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
            "customer_id": told.number("customer_id", &told.customer_id()),
            "customer_name": told.customer_name(),
            "customer_email": told.email(),
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
