//! Gumroad's license API (<https://gumroad.com/api#licenses>).
//!
//! A refunded purchase is answered with `success` and its flags there, and apps
//! decide by the flags; only a key that the seller disabled is refused.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{EventId, ForeignSystem, LicenseState, OrderState, Standing, Timestamp, ValidationRequest};
use serde_json::{Value, json};

use super::{Sent, Told, reply};
use crate::Web;
use crate::problem::Problem;

const UNKNOWN: &str = "That license does not exist for the provided product.";
const DISABLED: &str = "This license key has been disabled.";
const ENDED: &str = "Access to the purchase associated with this license has expired.";

pub(crate) async fn verify(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let Some(text) = sent.get("license_key") else { return Ok(refuse(UNKNOWN)) };
    let product = ["product_id", "product_permalink", "id", "link_id"].into_iter().find_map(|field| sent.get(field));
    let Some(product) = product else { return Ok(refuse(UNKNOWN)) };
    let Some(key) = sent.key(&web, text).await? else { return Ok(refuse(UNKNOWN)) };
    let answer = web.app.validate_license(sent.shop.id, &key, &ValidationRequest::default()).await?;
    let Some(license) = answer.license().cloned() else { return Ok(refuse(UNKNOWN)) };
    let mut told = Told::read(&web, ForeignSystem::Gumroad, license, answer.at).await?;
    let slug = web.app.store.product(sent.shop.id, told.license.product).await.map_err(app::Error::from)?;
    let slug = slug.map(|product| product.slug).unwrap_or_default();
    if !is_product(&told, &slug, product) {
        return Ok(refuse(UNKNOWN));
    }
    if let Some(reason) = closed(&told) {
        return Ok(refuse(reason));
    }
    if sent.get("increment_uses_count") != Some("false") {
        let name = EventId::mint(answer.at, &mut web.app.entropy.rng());
        told.license = web.app.count_verification(&told.license, name).await?;
    }
    Ok(reply(StatusCode::OK, &body(&told, &slug, text)))
}

/// Whether the app's name for its product is that of the license: theirs, our id, or the name in addresses.
fn is_product(told: &Told, slug: &str, asked: &str) -> bool {
    let theirs = ["product_id", "permalink", "product_permalink"].into_iter().filter_map(|word| told.named(word));
    let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    theirs.map(|name| (name.to_owned(), last(name))).any(|(whole, last)| whole == asked || last == asked)
        || asked == told.license.product.to_string()
        || asked == slug
}

/// Why a key is refused, in their words. What was refunded or charged back is not refused, but told so.
fn closed(told: &Told) -> Option<&'static str> {
    match told.license.state {
        LicenseState::SuspendedByPerson => Some(DISABLED),
        // The money of an imported sale went back there, and a note says so.
        LicenseState::RevokedByPerson => {
            (!told.is_noted("refunded") && !told.is_noted("chargebacked")).then_some(DISABLED)
        }
        LicenseState::SuspendedByDispute | LicenseState::RevokedByRefund | LicenseState::RevokedByDispute => None,
        LicenseState::Active => (told.license.standing(told.at) != Standing::Active).then_some(ENDED),
    }
}

fn body(told: &Told, slug: &str, key: &str) -> Value {
    let (license, order) = (&told.license, &told.order);
    let product = told.named("product_id").map_or_else(|| license.product.to_string(), str::to_owned);
    let permalink = told.named("permalink").unwrap_or(slug);
    let is_refunded = told.is_noted("refunded") || matches_refund(order.state, license.state);
    let is_charged_back = told.is_noted("chargebacked") || license.state == LicenseState::RevokedByDispute;
    let is_disputed = told.is_noted("disputed") || is_charged_back || license.state == LicenseState::SuspendedByDispute;
    let sale = told.named("sale_id").map_or_else(|| order.id.to_string(), str::to_owned);
    let mut purchase = json!({
        "seller_id": told.named("seller_id").map_or_else(|| license.shop.to_string(), str::to_owned),
        "product_id": product,
        "product_name": told.named("product_name").unwrap_or(&told.product_name),
        "permalink": permalink,
        "product_permalink": told.named("product_permalink").unwrap_or(slug),
        "short_product_id": permalink,
        "email": order.email.as_ref().map(domain::Email::as_str),
        "price": told.named("price").and_then(|text| text.parse().ok()).unwrap_or_else(|| order.total.minor()),
        "gumroad_fee": told.named("gumroad_fee").and_then(|text| text.parse::<i64>().ok()).unwrap_or_default(),
        "currency": told.named("currency").map_or_else(|| order.total.currency().code().to_lowercase(), str::to_owned),
        "quantity": told.named("quantity").and_then(|text| text.parse().ok())
            .or_else(|| order.lines.get(usize::try_from(license.line).ok()?).map(|line| line.quantity)).unwrap_or(1),
        "discover_fee_charged": false,
        "can_contact": true,
        "referrer": "direct",
        "card": { "visual": null, "type": null, "bin": null, "expiry_month": null, "expiry_year": null },
        "order_number": told.number("order_number", &order.id.to_string()),
        "sale_id": sale,
        "sale_timestamp": time(order.created_at),
        "license_key": key,
        "is_gift_receiver_purchase": false,
        "refunded": is_refunded,
        "disputed": is_disputed,
        "dispute_won": told.is_noted("dispute_won"),
        "id": sale,
        "created_at": time(order.created_at),
        "variants": told.named("variants").unwrap_or_default(),
        "custom_fields": [],
    });
    if let Some(subscription) = told.named("subscription_id") {
        purchase["subscription_id"] = subscription.into();
        purchase["recurrence"] = told.named("recurrence").into();
        purchase["subscription_ended_at"] = license.expires_at.map(time).into();
        purchase["subscription_cancelled_at"] = Value::Null;
        purchase["subscription_failed_at"] = Value::Null;
    } else {
        purchase["chargebacked"] = is_charged_back.into();
    }
    json!({ "success": true, "uses": license.uses, "purchase": purchase })
}

fn matches_refund(order: OrderState, license: LicenseState) -> bool {
    order == OrderState::Refunded || license == LicenseState::RevokedByRefund
}

/// Whole seconds and `Z`, as they write it.
fn time(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

fn refuse(message: &str) -> Response {
    reply(StatusCode::NOT_FOUND, &json!({ "success": false, "message": message }))
}
