//! Gumroad's license API (<https://gumroad.com/api#licenses>).
//!
//! A refunded purchase is answered with `success` and its flags there, and apps
//! decide by the flags; only a key that the seller disabled is refused. The
//! calls of the seller take an API key of ours as their access token.

use app::{HandAct, ReissueInput, Reissued};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use domain::{
    Actor, EventId, ForeignSystem, License, LicenseId, LicenseState, OrderState, Refusal, Scope, ShopId, Standing,
    UsageRequest,
};
use latchkey_license::KeyCode;
use serde_json::{Value, json};

use super::{Sent, Told, empty, reply, time_in_seconds as time};
use crate::Web;
use crate::problem::Problem;

const UNKNOWN: &str = "That license does not exist for the provided product.";
const DISABLED: &str = "This license key has been disabled.";
const ENDED: &str = "Access to the purchase associated with this license has expired.";

pub(crate) async fn verify(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let Some((mut told, slug, text)) = find(&web, &sent).await? else { return Ok(refuse(UNKNOWN)) };
    if let Some(reason) = closed(&told) {
        return Ok(refuse(reason));
    }
    if sent.get("increment_uses_count") != Some("false") {
        let name = EventId::mint(told.at, &mut web.app.entropy.rng());
        told.license = web.app.count_verification(&told.license, 1, Actor::App, name).await?;
    }
    Ok(reply(StatusCode::OK, &body(&told, &slug, text)))
}

pub(crate) async fn enable(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    manage(&web, &sent, Change::Enable).await
}

pub(crate) async fn disable(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    manage(&web, &sent, Change::Disable).await
}

pub(crate) async fn decrement(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    manage(&web, &sent, Change::Decrement).await
}

pub(crate) async fn rotate(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    manage(&web, &sent, Change::Rotate).await
}

/// What the seller does to a license.
#[derive(Clone, Copy)]
enum Change {
    Enable,
    Disable,
    Decrement,
    Rotate,
}

async fn manage(web: &Web, sent: &Sent, change: Change) -> Result<Response, Problem> {
    let shown =
        sent.get("access_token").or_else(|| sent.header("authorization").strip_prefix("Bearer ").map(str::trim));
    let key = match shown {
        Some(token) => web.app.api_key(token).await?,
        None => None,
    };
    match key {
        Some(key) if key.shop != sent.shop.id => return Ok(refuse(UNKNOWN)),
        Some(key) if key.scope == Scope::Manage => {}
        Some(_) => return Ok(unauthorized(StatusCode::FORBIDDEN, "insufficient_scope")),
        None => return Ok(unauthorized(StatusCode::UNAUTHORIZED, "invalid_token")),
    }
    let Some((mut told, slug, text)) = find(web, sent).await? else { return Ok(refuse(UNKNOWN)) };
    let (shop, license) = (sent.shop.id, told.license.id);
    let name = EventId::mint(told.at, &mut web.app.entropy.rng());
    let mut text = text.to_owned();
    told.license = match change {
        Change::Enable => switched(web, shop, license, &HandAct::Reinstate, "licenses/enable", name).await?,
        Change::Disable => switched(web, shop, license, &HandAct::Suspend, "licenses/disable", name).await?,
        Change::Decrement if told.license.policy.usage.is_some() => {
            web.app.correct_usage(shop, license, UsageRequest::Subtract(1), Actor::Api, name).await?.0
        }
        Change::Decrement => web.app.count_verification(&told.license, -1, Actor::Api, name).await?,
        Change::Rotate => {
            let key = KeyCode::from_random_bytes(web.app.entropy.rng().bytes());
            let input =
                ReissueInput { key, frees_seats: false, reason: "licenses/rotate".to_owned(), tells_owner: false };
            let Reissued { license, held } = web.app.reissue_license(shop, license, &input, Actor::Api).await?;
            text = held.key().unwrap_or_default();
            license
        }
    };
    Ok(reply(StatusCode::OK, &body(&told, &slug, &text)))
}

/// The license as it is when the seller's act is done; one that is so already, or that nobody may switch, stays as it is.
async fn switched(
    web: &Web,
    shop: ShopId,
    license: LicenseId,
    act: &HandAct,
    reason: &str,
    name: EventId,
) -> Result<License, Problem> {
    match web.app.act_by_hand(shop, license, act, reason, Actor::Api, name).await {
        Ok(()) | Err(app::Error::Refused(Refusal::LicenseStateUnfit { .. })) => {}
        Err(error) => return Err(error.into()),
    }
    let license = web.app.store.license(shop, license).await.map_err(app::Error::from)?;
    license.ok_or_else(|| Problem::not_found("license"))
}

/// The license of the key, where it is of the product that the app names, with our name of the product.
async fn find<'a>(web: &Web, sent: &'a Sent) -> Result<Option<(Told, String, &'a str)>, Problem> {
    let Some(text) = sent.get("license_key") else { return Ok(None) };
    let product = ["product_id", "product_permalink", "id", "link_id"].into_iter().find_map(|field| sent.get(field));
    let Some(product) = product else { return Ok(None) };
    let Some(found) = sent.find(web, text, None).await? else { return Ok(None) };
    let told = Told::read(web, ForeignSystem::Gumroad, found.license, found.at).await?;
    let slug = web.app.store.product(sent.shop.id, told.license.product).await.map_err(app::Error::from)?;
    let slug = slug.map(|product| product.slug).unwrap_or_default();
    Ok(is_product(&told, &slug, product).then_some((told, slug, text)))
}

/// As the library answers that checks access tokens there: by status and header alone.
fn unauthorized(status: StatusCode, error: &'static str) -> Response {
    let mut response = empty(status);
    let told = match error {
        "insufficient_scope" => "Bearer realm=\"Doorkeeper\", error=\"insufficient_scope\"",
        _ => "Bearer realm=\"Doorkeeper\", error=\"invalid_token\"",
    };
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(told));
    response
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
        "email": told.email(),
        "price": told.named("price").and_then(|text| text.parse().ok()).unwrap_or_else(|| order.total.minor()),
        "gumroad_fee": told.named("gumroad_fee").and_then(|text| text.parse::<i64>().ok()).unwrap_or_default(),
        "currency": told.named("currency").map_or_else(|| order.total.currency().code().to_lowercase(), str::to_owned),
        "quantity": told.named("quantity").and_then(|text| text.parse().ok())
            .or_else(|| order.line(license.line).map(|line| line.quantity)).unwrap_or(1),
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

fn refuse(message: &str) -> Response {
    reply(StatusCode::NOT_FOUND, &json!({ "success": false, "message": message }))
}
