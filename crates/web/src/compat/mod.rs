//! The license APIs of other systems, for apps that were shipped against them: same paths, same bodies, same words.
//!
//! Each lives under `/compat/<system>`, because their paths are also ours. What
//! they ask is answered by the same functions as our own API; only words are
//! translated here. Errors are told as the other system tells them, in English,
//! for programs that compare them.

pub(crate) mod gumroad;
pub(crate) mod lemon_squeezy;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{Customer, ForeignSystem, License, Order, Shop, Timestamp};
use latchkey_license::KeyCode;
use serde_json::Value;

use crate::Web;
use crate::problem::Problem;
use crate::visit::shop_of;

/// What an app sent to which shop: a form, JSON of any media type, or the query, as these systems take them all.
pub(crate) struct Sent {
    shop: Arc<Shop>,
    fields: BTreeMap<String, String>,
}

impl FromRequest<Web> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let shop = shop_of(&web.app, &parts).await?;
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let body = Bytes::from_request(Request::from_parts(parts, body), web)
            .await
            .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large."))?;
        let mut fields = form(query.as_bytes());
        fields.extend(if is_form { form(&body) } else { object(&body) });
        Ok(Self { shop, fields })
    }
}

fn form(text: &[u8]) -> BTreeMap<String, String> {
    serde_urlencoded::from_bytes::<Vec<(String, String)>>(text).unwrap_or_default().into_iter().collect()
}

/// The fields of a JSON object; a body that is none has none, and is told so by what is missing.
fn object(text: &[u8]) -> BTreeMap<String, String> {
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(text) else { return form(text) };
    let plain = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    fields.into_iter().filter_map(|(name, value)| Some((name, plain(value)?))).collect()
}

impl Sent {
    /// A field that says something.
    fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// The key behind what the app calls its key; `None` when nobody has it.
    async fn key(&self, web: &Web, text: &str) -> Result<Option<KeyCode>, Problem> {
        let key = web.app.key_behind(self.shop.id, text).await?;
        if key.is_none() {
            web.app.note_unknown_key(self.shop.id, text);
        }
        Ok(key)
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
        let line = order.lines.get(usize::try_from(license.line).unwrap_or_default());
        let (product_name, plan_name) =
            line.map(|line| (line.product_name.clone(), line.plan_name.clone())).unwrap_or_default();
        Ok(Self { license, order, customer, names, product_name, plan_name, at })
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
}

/// A number for an id that is none: positive, within what every language counts exactly, the same for ever
/// (FNV-1a, folded to 31 bits).
fn stable_number(id: &str) -> u64 {
    let hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 31)) & 0x7fff_ffff
}

/// A new UUID of version 4 (RFC 9562 §5.4), as these systems give their activations.
fn uuid(chance: [u8; 16]) -> String {
    let mut bytes = chance;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
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
    fn numbers_of_ids_stay_what_they_are() {
        assert_eq!(stable_number(""), 331_815_660);
        assert_ne!(stable_number("prod_a"), stable_number("prod_b"));
    }

    #[test]
    fn a_body_is_read_as_form_and_as_json() {
        for text in [&b"{\"license_key\":\"a b\",\"n\":1,\"x\":null}"[..], b"license_key=a+b&n=1"] {
            let read = object(text);
            assert_eq!(read.get("license_key").map(String::as_str), Some("a b"));
            assert_eq!(read.get("n").map(String::as_str), Some("1"));
        }
    }
}
