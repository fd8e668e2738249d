//! The license calls of Dodo Payments (<https://docs.dodopayments.com/api-reference/licenses>) and its error codes
//! (<https://docs.dodopayments.com/api-reference/error-codes>).
//!
//! An instance there is an activation here whose fingerprint is the instance's id.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, Fingerprint, ForeignSystem};
use serde_json::json;

use super::{Closed, Denied, Sent, Told, closed, denied, empty, reply, time};
use crate::Web;
use crate::problem::Problem;

pub(crate) async fn activate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let (Some(text), Some(name)) = (sent.get("license_key"), sent.get("name")) else { return Ok(malformed()) };
    let Some(key) = web.app.key_behind(sent.shop.id, text).await? else { return Ok(refuse(Denied::NoKey)) };
    let answer = match sent.take_seat(&web, &key, None, Some(name), BTreeMap::new()).await {
        Ok(answer) => answer,
        Err(error) => return Ok(refuse(denied(error)?)),
    };
    let told = Told::read(&web, ForeignSystem::Dodo, answer.license, answer.at).await?;
    let license = &told.license;
    let body = json!({
        "id": answer.activation.fingerprint.as_str(),
        "business_id": told.id("business_id", &license.shop.to_string()),
        "created_at": time(answer.activation.created_at),
        "customer": {
            "customer_id": told.id("customer_id", &told.customer_id()),
            "email": told.email().unwrap_or_default(),
            "name": told.customer_name().unwrap_or_default(),
            "metadata": {},
            "phone_number": null,
        },
        "license_key_id": told.id("license_key_id", &license.id.to_string()),
        "name": name,
        "product": {
            "product_id": told.id("product_id", &license.product.to_string()),
            "name": told.product_name,
        },
    });
    Ok(reply(StatusCode::CREATED, &body))
}

pub(crate) async fn validate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let Some(text) = sent.get("license_key") else { return Ok(malformed()) };
    let instance = sent.get("license_key_instance_id");
    let found = sent.find(&web, text, instance).await?;
    let is_valid = found.is_some_and(|found| {
        closed(&found.license, found.at).is_none() && (instance.is_none() || found.seat.is_some())
    });
    Ok(reply(StatusCode::OK, &json!({ "valid": is_valid })))
}

pub(crate) async fn deactivate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let (Some(text), Some(id)) = (sent.get("license_key"), sent.get("license_key_instance_id")) else {
        return Ok(malformed());
    };
    let Some(found) = sent.find(&web, text, None).await? else { return Ok(refuse(Denied::NoKey)) };
    if let Some(closed) = closed(&found.license, found.at) {
        return Ok(refuse(Denied::Closed(closed)));
    }
    let Ok(fingerprint) = Fingerprint::parse(id) else { return Ok(refuse(Denied::NoSeat)) };
    match web.app.deactivate_license(sent.shop.id, &found.key, &fingerprint, Actor::App).await {
        Ok(_) => Ok(empty(StatusCode::OK)),
        Err(error) => Ok(refuse(denied(error)?)),
    }
}

fn refuse(denied: Denied) -> Response {
    let (status, code, message) = match denied {
        Denied::NoKey => (StatusCode::NOT_FOUND, "LICENSE_KEY_NOT_FOUND", "License key not found"),
        Denied::NoSeat => (
            StatusCode::NOT_FOUND,
            "LICENSE_KEY_NOT_FOUND",
            "License key instance not found or does not belong to this license key",
        ),
        Denied::Full => {
            (StatusCode::UNPROCESSABLE_ENTITY, "LICENSE_KEY_LIMIT_REACHED", "License key activation limit reached")
        }
        Denied::Closed(Closed::Off | Closed::Expired) => {
            (StatusCode::FORBIDDEN, "INACTIVE_LICENSE_KEY", "License key is not active")
        }
    };
    reply(status, &json!({ "code": code, "message": message }))
}

fn malformed() -> Response {
    let message = "Your request body is invalid. Please check your request headers and object.";
    reply(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "code": "INVALID_REQUEST_BODY", "message": message }))
}
