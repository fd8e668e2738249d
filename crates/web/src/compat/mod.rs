//! The license APIs of other systems, for apps that were shipped against them: same paths, same bodies, same words.
//!
//! Each lives under `/compat/<system>`, because their paths are also ours, and at
//! the root of the host names that a shop has taken over from it (`host`). What
//! they ask is answered by the same functions as our own API; only words are
//! translated here. Errors are told as the other system tells them, in English,
//! for programs that compare them. While the old system still answers, `shadow`
//! asks it first and tells what we would have said otherwise.

pub(crate) mod dodo;
pub(crate) mod edd;
pub(crate) mod gumroad;
pub(crate) mod host;
pub(crate) mod keygen;
pub(crate) mod lemon_squeezy;
pub(crate) mod polar;
pub(crate) mod shadow;

use std::collections::BTreeMap;
use std::sync::Arc;

use app::ActivateAnswer;
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{
    Activation, ActivationRequest, Customer, Fingerprint, ForeignSystem, Fulfilment, License, Order, Refusal, Shop,
    Standing, Timestamp, ValidationRequest, plain_text,
};
use latchkey_license::KeyCode;
use serde_json::{Map, Value};

use self::shadow::Alongside;
use crate::Web;
use crate::problem::Problem;
use crate::visit::shop_of;

/// What an app sent to which shop: a form, JSON of any media type, or the query, as these systems take them all.
pub(crate) struct Sent {
    shop: Arc<Shop>,
    fields: BTreeMap<String, String>,
    /// The body, where it is a JSON object.
    body: Map<String, Value>,
    headers: HeaderMap,
    alongside: Alongside,
}

impl FromRequest<Web> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let shop = shop_of(&web.app, &parts).await?;
        let (headers, alongside) = (parts.headers.clone(), Alongside::of(&parts));
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let body = Bytes::from_request(Request::from_parts(parts, body), web)
            .await
            .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large."))?;
        let object = if is_form { None } else { object(&body) };
        let mut fields = form(query.as_bytes());
        fields.extend(object.as_ref().map_or_else(|| form(&body), plain));
        Ok(Self { shop, fields, body: object.unwrap_or_default(), headers, alongside })
    }
}

fn form(text: &[u8]) -> BTreeMap<String, String> {
    serde_urlencoded::from_bytes::<Vec<(String, String)>>(text).unwrap_or_default().into_iter().collect()
}

/// The JSON object that a body is. One that is none is read as a form, and is told so by what is missing.
fn object(text: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(text).ok()
}

/// The fields of an object that a form could have as well.
fn plain(object: &Map<String, Value>) -> BTreeMap<String, String> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    object.iter().filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect()
}

/// A license as it was found for an app.
struct Found {
    key: KeyCode,
    license: License,
    /// The seat under the id that the app showed, while it is held.
    seat: Option<Activation>,
    at: Timestamp,
}

impl Sent {
    /// A field that says something.
    fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The license behind what the app calls its key; `None` when nobody has it. `seat` is the id that the app was
    /// given for its device.
    async fn find(&self, web: &Web, text: &str, seat: Option<&str>) -> Result<Option<Found>, Problem> {
        let Some(key) = web.app.key_behind(self.shop.id, text).await? else {
            web.app.note_unknown_key(self.shop.id, text);
            return Ok(None);
        };
        let fingerprint = seat.and_then(|id| Fingerprint::parse(id).ok());
        let request = ValidationRequest { fingerprint, ..ValidationRequest::default() };
        let answer = web.app.validate_license(self.shop.id, &key, &request).await?;
        let Some(license) = answer.license().cloned() else { return Ok(None) };
        let seat = answer.activation().filter(|seat| license.is_seated(seat, answer.at)).cloned();
        Ok(Some(Found { key, license, seat, at: answer.at }))
    }

    /// Takes a seat under an id: that of the device, the one that an old system gave it, or a new one.
    async fn take_seat(
        &self,
        web: &Web,
        key: &KeyCode,
        id: Option<Fingerprint>,
        name: Option<&str>,
        metadata: BTreeMap<String, String>,
    ) -> Result<ActivateAnswer, app::Error> {
        let given = || self.alongside.id().and_then(|id| Fingerprint::parse(id).ok());
        let request = ActivationRequest {
            fingerprint: id.or_else(given).unwrap_or_else(|| new_instance(web)),
            // What cannot be shown on a page is not kept, and keeps nobody out.
            name: name.and_then(|name| plain_text(name, 100).ok()),
            metadata,
            version_released_at: None,
            components: BTreeMap::new(),
        };
        let answer = web.app.activate_license(self.shop.id, key, &request).await?;
        self.alongside.took(self.shop.id, key, &answer);
        Ok(answer)
    }
}

/// Why nothing is done with a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    /// Somebody, or the money, switched it off.
    Off,
    /// Its time is over.
    Expired,
}

fn closed(license: &License, now: Timestamp) -> Option<Closed> {
    closed_by(license.standing(now))
}

fn closed_by(standing: Standing) -> Option<Closed> {
    match standing {
        Standing::Active => None,
        Standing::Suspended | Standing::Revoked => Some(Closed::Off),
        Standing::Expired => Some(Closed::Expired),
    }
}

/// Why a seat was not given, or not freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denied {
    /// There is no such key, or not any more.
    NoKey,
    /// There is no such seat.
    NoSeat,
    /// No seat is free.
    Full,
    /// The license does not work.
    Closed(Closed),
}

/// What a refusal means to an app of another system.
///
/// # Errors
/// What is no refusal: nobody knows at the moment.
fn denied(error: app::Error) -> Result<Denied, Problem> {
    match error {
        app::Error::NotFound { .. } | app::Error::Refused(Refusal::KeyRetired { .. }) => Ok(Denied::NoKey),
        app::Error::Refused(Refusal::NotActivated) => Ok(Denied::NoSeat),
        app::Error::Refused(Refusal::SeatLimitReached { .. } | Refusal::GroupFull { .. }) => Ok(Denied::Full),
        app::Error::Refused(Refusal::LicenseNotUsable(standing)) => {
            Ok(Denied::Closed(closed_by(standing).unwrap_or(Closed::Off)))
        }
        app::Error::Refused(_) => Ok(Denied::Closed(Closed::Off)),
        error @ (app::Error::Unavailable(_) | app::Error::Conflict { .. } | app::Error::Configuration(_)) => {
            Err(error.into())
        }
    }
}

/// A license with what the other systems tell about it: the order, the buyer, and their own words for the plan.
pub(crate) struct Told {
    license: License,
    order: Order,
    customer: Option<Customer>,
    /// The notes of the import over what the plan is called.
    names: BTreeMap<String, String>,
    product_name: String,
    plan_name: String,
    at: Timestamp,
}

impl Told {
    async fn read(web: &Web, system: ForeignSystem, license: License, at: Timestamp) -> Result<Self, Problem> {
        let store = &web.app.store;
        let shop = license.shop;
        let order = store
            .order(shop, license.order)
            .await
            .map_err(app::Error::from)?
            .ok_or_else(|| Problem::not_found("order"))?;
        let customer = match license.customer {
            Some(id) => store.customer(shop, id).await.map_err(app::Error::from)?,
            None => None,
        };
        let mut names = store.foreign_names(shop, system, license.plan).await.map_err(app::Error::from)?;
        names.extend(order.metadata.clone());
        let line = order.line(license.line);
        let (product_name, plan_name) =
            line.map(|line| (line.product_name.clone(), line.plan_name.clone())).unwrap_or_default();
        Ok(Self { license, order, customer, names, product_name, plan_name, at })
    }

    fn is_sold_with_a_signed_key(&self) -> bool {
        self.order.line(self.license.line).is_some_and(|line| line.fulfilment == Fulfilment::SignedKey)
    }

    fn named(&self, word: &str) -> Option<&str> {
        self.names.get(word).map(String::as_str)
    }

    fn is_noted(&self, word: &str) -> bool {
        self.named(word) == Some("true")
    }

    /// A number under a name, or one that stays the same for what has no number here.
    fn number(&self, word: &str, of: &str) -> u64 {
        self.named(word).and_then(|text| text.parse().ok()).unwrap_or_else(|| stable_number(of))
    }

    /// An id under a name, or one that stays the same for what has none of theirs.
    fn id(&self, word: &str, of: &str) -> String {
        self.named(word).map_or_else(|| of.to_owned(), str::to_owned)
    }

    /// As [`Told::id`], where every id is a UUID.
    fn uuid(&self, word: &str, of: &str) -> String {
        self.named(word).map_or_else(|| stable_uuid(of), str::to_owned)
    }

    fn email(&self) -> Option<&str> {
        self.order.email.as_ref().map(domain::Email::as_str)
    }

    fn customer_name(&self) -> Option<&str> {
        self.customer.as_ref().and_then(|customer| customer.name.as_deref()).or_else(|| self.named("customer_name"))
    }

    fn customer_id(&self) -> String {
        self.license.customer.map(|id| id.to_string()).unwrap_or_default()
    }

    /// Whether it was taken over, and not sold here.
    fn is_imported(&self) -> bool {
        self.named("imported_from").is_some()
    }
}

/// A number for an id that is none: positive, within what every language counts exactly, the same for ever
/// (FNV-1a, folded to 31 bits).
fn stable_number(id: &str) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    (hash ^ (hash >> 31)) & 0x7fff_ffff
}

/// A UUID for what has none here, always the same for the same name (version 8, RFC 9562 §5.8: SHA-256).
fn stable_uuid(name: &str) -> String {
    let hash = digest(&SHA256, name.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    domain::uuid_text(u128::from_be_bytes(bytes))
}

/// A new UUID of version 4 (RFC 9562 §5.4), as these systems give their activations.
fn uuid(chance: [u8; 16]) -> String {
    let mut bytes = chance;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    domain::uuid_text(u128::from_be_bytes(bytes))
}

/// The id of a new activation. One whose digits look like a card number would not be kept, so another is drawn.
fn new_instance(web: &Web) -> Fingerprint {
    loop {
        if let Ok(fingerprint) = Fingerprint::parse(&uuid(web.app.entropy.rng().bytes())) {
            return fingerprint;
        }
    }
}

/// Six digits of a second and `Z`.
fn time(at: Timestamp) -> String {
    let text = at.to_string();
    let whole = text.trim_end_matches('Z');
    let (seconds, fraction) = whole.split_once('.').unwrap_or((whole, ""));
    format!("{seconds}.{fraction:0<6}Z")
}

/// Whole seconds and `Z`.
fn time_in_seconds(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// An answer that says all by its status.
fn empty(status: StatusCode) -> Response {
    let mut response = status.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_says_its_version() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn ids_of_ids_stay_what_they_are() {
        assert_eq!(stable_number(""), 331_815_660);
        assert_ne!(stable_number("prod_a"), stable_number("prod_b"));
        assert_eq!(stable_uuid("a"), "ca978112-ca1b-8dca-bac2-31b39a23dc4d");
        assert_ne!(stable_uuid("a"), stable_uuid("b"));
    }

    #[test]
    fn a_body_is_read_as_form_and_as_json() {
        for fields in [
            plain(&object(b"{\"license_key\":\"a b\",\"n\":1,\"x\":null}").unwrap_or_default()),
            form(b"license_key=a+b&n=1"),
        ] {
            assert_eq!(fields.get("license_key").map(String::as_str), Some("a b"));
            assert_eq!(fields.get("n").map(String::as_str), Some("1"));
        }
        assert_eq!(object(b"license_key=a+b"), None);
    }

    #[test]
    fn times_are_written_as_they_write_them() {
        let at = |microseconds| Timestamp::from_microseconds(microseconds);
        assert_eq!(time(at(1_611_497_707_000_000)), "2021-01-24T14:15:07.000000Z");
        assert_eq!(time(at(1_611_497_707_120_000)), "2021-01-24T14:15:07.120000Z");
        assert_eq!(time_in_seconds(at(1_611_497_707_120_000)), "2021-01-24T14:15:07Z");
    }
}
