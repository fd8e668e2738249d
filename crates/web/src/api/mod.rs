//! The API: for the seller's programs, the buyers' apps, and the gateways.
//!
//! What comes in is parsed into small structs that refuse unknown fields; what
//! goes out are structs of this folder, filled by plain functions from rows.

pub(crate) mod checkout;
pub(crate) mod customer;
pub(crate) mod event;
pub(crate) mod health;
pub(crate) mod hook;
pub(crate) mod key_set;
pub(crate) mod license;
pub(crate) mod openapi;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod plan;
pub(crate) mod product;
pub(crate) mod refund;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{ApiKey, Scope, Shop};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Listing, Page};

use crate::Web;
use crate::problem::Problem;

/// A program that showed a working API key. The key decides the shop.
pub(crate) struct Manager {
    pub(crate) shop: Arc<Shop>,
    key: ApiKey,
}

impl FromRequestParts<Web> for Manager {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Response> {
        let refuse = |detail: &str| {
            let mut response = Problem::new(StatusCode::UNAUTHORIZED, "api_key_invalid", detail).into_response();
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
            response
        };
        let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some(token) = shown.strip_prefix("Bearer ").map(str::trim).filter(|token| token.starts_with("lk_")) else {
            return Err(refuse("Send an API key as `Authorization: Bearer lk_live_…` or `lk_test_…`."));
        };
        let key = web.app.api_key(token).await.map_err(|error| Problem::from(error).into_response())?;
        let Some(key) = key else { return Err(refuse("This API key does not work: it is mistyped or was withdrawn.")) };
        let shop = web.app.shop(key.shop).await.ok_or_else(|| Problem::not_found("shop").into_response())?;
        Ok(Self { shop, key })
    }
}

impl Manager {
    /// Insists that the key may read everything.
    pub(crate) fn may_read(&self) -> Result<(), Problem> {
        match self.key.scope {
            Scope::Manage | Scope::Read => Ok(()),
            Scope::Checkout => Err(self.beyond("read")),
        }
    }

    /// Insists that the key may change everything.
    pub(crate) fn may_manage(&self) -> Result<(), Problem> {
        match self.key.scope {
            Scope::Manage => Ok(()),
            Scope::Read | Scope::Checkout => Err(self.beyond("manage")),
        }
    }

    /// Insists that the key may open checkouts.
    pub(crate) fn may_check_out(&self) -> Result<(), Problem> {
        match self.key.scope {
            Scope::Manage | Scope::Checkout => Ok(()),
            Scope::Read => Err(self.beyond("checkout")),
        }
    }

    fn beyond(&self, needed: &str) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "scope_missing", format!("This API key ({}) may not do this; it needs the scope `{needed}`.", self.key.name))
    }
}

/// Reads a JSON body. Unknown fields, wrong kinds and numbers that do not fit are told with their place.
pub(crate) fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof | serde_json::error::Category::Io => {
            Problem::new(StatusCode::BAD_REQUEST, "json_malformed", format!("The body is not JSON: {error}."))
        }
        serde_json::error::Category::Data => {
            let told = error.to_string();
            let param = told.split('`').nth(1).filter(|_| told.contains("field")).map(str::to_owned);
            Problem { param, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "parameter_invalid", format!("The body does not fit: {}.", domain::mask_card_numbers(&told))) }
        }
    })
}

/// Reads which page of a list is wanted.
pub(crate) fn page<Id>(query: Option<&str>, read: impl Fn(&str) -> Option<Id>) -> Result<Page<Id>, Problem> {
    let mut page = Page { starting_after: None, ending_before: None, limit: 10 };
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.unwrap_or_default())
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "query_malformed", "The query cannot be read."))?;
    for (name, value) in pairs {
        let id = || read(&value).map(Some).ok_or_else(|| Problem::invalid(&name, "parameter_invalid", format!("`{name}` must be an id of this list.")));
        match name.as_str() {
            "limit" => {
                let limit: Option<u32> = value.parse().ok().filter(|limit| (1..=100).contains(limit));
                page.limit = limit.ok_or_else(|| Problem::invalid("limit", "parameter_invalid", "`limit` must be from 1 to 100."))?;
            }
            "starting_after" => page.starting_after = id()?,
            "ending_before" => page.ending_before = id()?,
            other => return Err(Problem::invalid(other, "parameter_unknown", format!("There is no parameter `{other}` here."))),
        }
    }
    Ok(page)
}

#[derive(Serialize)]
struct List<T> {
    data: Vec<T>,
    has_more: bool,
}

/// A page of a list, as it goes out.
pub(crate) fn list<Row, View: Serialize>(listing: Listing<Row>, view: impl Fn(&Row) -> View) -> Response {
    answer(StatusCode::OK, &List { data: listing.data.iter().map(view).collect(), has_more: listing.has_more })
}

/// An answer in JSON, written once.
pub(crate) fn answer(status: StatusCode, view: &impl Serialize) -> Response {
    match serde_json::to_vec(view) {
        Ok(json) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => Problem::unavailable(error.to_string()).into_response(),
    }
}
