//! What a program sends: a body within bounds, JSON that fits, an id in the address.
//!
//! Whatever cannot be read is told as a problem that names its place, and
//! never by the words of a library alone.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use domain::{
    BatchId, CheckoutId, CustomerId, EventId, GatewayAccountId, GroupId, LicenseId, OrderId, PaymentId, PlanId,
    ProductId, RefundId, mask_card_numbers,
};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use crate::Web;
use crate::problem::Problem;

/// A body as it came, of any kind.
pub(crate) struct Raw(pub(crate) Bytes);

/// A body that says it is JSON, or says nothing.
pub(crate) struct Json(pub(crate) Bytes);

impl FromRequest<Web> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        if request.headers().contains_key(header::CONTENT_ENCODING) {
            // A signature is over the bytes that were sent, and a small body can unpack to a large one.
            let detail = "Send the body as it is, without a content encoding.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_encoding_refused", detail));
        }
        let body = Bytes::from_request(request, web).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body is larger than this address takes.",
            ),
            _ => Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", "The body did not arrive whole."),
        })?;
        Ok(Self(body))
    }
}

impl FromRequest<Web> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "Send JSON, with `Content-Type: application/json`.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type_refused", detail));
        }
        Raw::from_request(request, web).await.map(|Raw(body)| Self(body))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

impl Json {
    /// Reads the body, borrowing the texts in it where they stand there as they are.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        // Only a body that does not fit pays for finding out where.
        serde_json::from_slice(&self.0).map(|Object(sent)| sent).map_err(|_| misfit::<Object<T>>(&self.0))
    }
}

fn misfit<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Problem {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(error) => error,
        Ok(_) => {
            return Problem::new(
                StatusCode::BAD_REQUEST,
                "json_malformed",
                "The body goes on after its JSON has ended.",
            );
        }
    };
    let place = mask_card_numbers(&error.path().to_string());
    let told = mask_card_numbers(&error.inner().to_string());
    match error.inner().classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(StatusCode::BAD_REQUEST, "json_malformed", format!("The body is not JSON: {told}."))
        }
        Category::Data => {
            let named = told.split('`').nth(1).unwrap_or_default();
            let (code, field) = if told.starts_with("missing field") {
                ("parameter_missing", Some(named))
            } else if told.starts_with("unknown field") {
                ("parameter_unknown", Some(named))
            } else {
                ("parameter_invalid", None)
            };
            let param = param(&place, field);
            let detail = match param.as_str() {
                "" => format!("The body does not fit: {told}."),
                _ => format!("`{param}` does not fit: {told}."),
            };
            Problem { param: Some(param).filter(|param| !param.is_empty()), ..Problem::invalid("", code, detail) }
        }
    }
}

/// A JSON object. A struct alone would also be read from an array of its fields in order, which nobody describes.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Object)
    }
}

/// The place of a field, as `customer.email`. Where a field is unknown, the place may end in it already.
fn param(place: &str, field: Option<&str>) -> String {
    let place = if place == "." { "" } else { place };
    match field {
        None => place.to_owned(),
        Some(field) if place.is_empty() => field.to_owned(),
        Some(field) if place == field || place.ends_with(&format!(".{field}")) => place.to_owned(),
        Some(field) => format!("{}.{field}", place.trim_end_matches(".?")),
    }
}

/// The id that an address ends in, or stands before its end. What is no id names nothing.
pub(crate) struct Id<T>(pub(crate) T);

/// What an id names, as a person calls it.
pub(crate) trait Noun: FromStr {
    const NOUN: &'static str;
}

macro_rules! nouns {
    ($($id:ident $noun:literal),* $(,)?) => { $(impl Noun for $id { const NOUN: &'static str = $noun; })* };
}

nouns! {
    BatchId "batch", CheckoutId "checkout", CustomerId "customer", EventId "event", GatewayAccountId "gateway account", GroupId "group",
    LicenseId "license",
    OrderId "order", PaymentId "payment", PlanId "plan", ProductId "product", RefundId "refund",
}

impl<T: Noun> FromRequestParts<Web> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, web).await.map_err(|_| Problem::not_found(T::NOUN))?;
        text.parse().map(Self).map_err(|_| Problem::not_found(T::NOUN))
    }
}
