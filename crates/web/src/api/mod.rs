//! The API: for the seller's programs, the buyers' apps, and the gateways.
//!
//! What comes in is parsed into small structs that refuse unknown fields; what
//! goes out are structs of this folder, filled by plain functions from rows.

pub(crate) mod access_token;
pub(crate) mod adjust;
pub(crate) mod attempt;
pub(crate) mod batch;
mod body;
pub(crate) mod by_hand;
pub(crate) mod checkout;
pub(crate) mod claim;
pub(crate) mod cross_origin;
pub(crate) mod customer;
pub(crate) mod error_code;
pub(crate) mod event;
pub(crate) mod group;
pub(crate) mod health;
pub(crate) mod hook;
mod idempotency;
pub(crate) mod key_set;
pub(crate) mod license;
pub(crate) mod license_file;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod plan;
pub(crate) mod pool;
pub(crate) mod product;
pub(crate) mod refund;
pub(crate) mod reissue;
pub(crate) mod release;
pub(crate) mod revocation;
pub(crate) mod usage;

pub(crate) use body::{Id, Json, Object, Raw};
pub(crate) use idempotency::{Caller, Names, Once};

use std::cmp::Reverse;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{ApiKey, Scope, Shop};
use serde::Serialize;
use store::{Listing, Page};

use crate::Web;
use crate::admission::Shown;
use crate::compat::shadow::Theirs;
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
        if let Some(shown) = parts.extensions.get::<Shown>() {
            shown.is_known();
        }
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
        Problem::new(
            StatusCode::FORBIDDEN,
            "scope_missing",
            format!("This API key ({}) may not do this; it needs the scope `{needed}`.", self.key.name),
        )
    }
}

/// Answers in problems where the framework would refuse in plain text: a body
/// that is too large, a method or an address that is not there.
pub(crate) fn as_problem(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    let is_theirs = response.extensions().get::<Theirs>().is_some();
    if !response.status().is_client_error() || kind.starts_with(b"application/") || is_theirs {
        return response;
    }
    let problem = match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than is taken here.")
        }
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This address does not take this method.",
        ),
        status => Problem::new(status, "request_malformed", "The request cannot be read."),
    };
    let (mut told, body) = problem.into_response().into_parts();
    let (refused, _) = response.into_parts();
    for (name, value) in refused.headers {
        if let Some(name) = name.filter(|name| *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH) {
            told.headers.insert(name, value);
        }
    }
    Response::from_parts(told, Body::new(body))
}

/// The query of a list. Every parameter must be known to somebody who takes it.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn read(query: Option<&str>) -> Result<Self, Problem> {
        serde_urlencoded::from_str(query.unwrap_or_default())
            .map(Self)
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "query_malformed", "The query cannot be read."))
    }

    /// Takes one parameter as `read` understands it; `expected` ends the sentence that says what it must be.
    pub(crate) fn take<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(place) = self.0.iter().position(|(known, _)| known == name) else { return Ok(None) };
        let (_, value) = self.0.swap_remove(place);
        if self.0.iter().any(|(known, _)| known == name) {
            return Err(Problem::invalid(name, "parameter_invalid", format!("`{name}` is given twice.")));
        }
        let refuse = || Problem::invalid(name, "parameter_invalid", format!("`{name}` must be {expected}."));
        read(&value).map(Some).ok_or_else(refuse)
    }

    /// Takes which page is wanted.
    pub(crate) fn page<T: FromStr>(&mut self) -> Result<Page<T>, Problem> {
        let limit = |text: &str| text.parse().ok().filter(|limit| (1..=100).contains(limit));
        let id = |text: &str| text.parse().ok();
        let page = Page {
            limit: self.take("limit", "a whole number from 1 to 100", limit)?.unwrap_or(10),
            starting_after: self.take("starting_after", "an id of this list", id)?,
            ending_before: self.take("ending_before", "an id of this list", id)?,
        };
        if page.starting_after.is_some() && page.ending_before.is_some() {
            let detail = "Give `starting_after` or `ending_before`, not both.";
            return Err(Problem::invalid("ending_before", "parameter_invalid", detail));
        }
        Ok(page)
    }

    /// Insists that nothing is left.
    pub(crate) fn done(self) -> Result<(), Problem> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => {
                Err(Problem::invalid(&name, "parameter_unknown", format!("There is no parameter `{name}` here.")))
            }
        }
    }
}

/// The page of a list that is short enough to be read whole, newest first as every list.
pub(crate) fn cut<Row, T: Ord + Copy>(mut rows: Vec<Row>, page: &Page<T>, id: impl Fn(&Row) -> T) -> Listing<Row> {
    rows.sort_by_key(|row| Reverse(id(row)));
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let wanted = |row: &Row| {
        page.starting_after.is_none_or(|after| id(row) < after)
            && page.ending_before.is_none_or(|before| id(row) > before)
    };
    let mut data: Vec<Row> = rows.into_iter().filter(wanted).collect();
    let has_more = data.len() > limit;
    if page.ending_before.is_some() {
        // The rows next to the one that was named are the last of those before it.
        data.drain(..data.len().saturating_sub(limit));
    }
    data.truncate(limit);
    Listing { data, has_more }
}

#[derive(Serialize)]
struct List<T> {
    data: Vec<T>,
    has_more: bool,
}

/// A page of a list, as it goes out.
pub(crate) fn list<Row, View: Serialize>(listing: Listing<Row>, view: impl Fn(&Row) -> View) -> Response {
    let Listing { data, has_more } = listing;
    answer(StatusCode::OK, &List { data: data.iter().map(view).collect(), has_more })
}

/// An answer in JSON, written once.
pub(crate) fn answer(status: StatusCode, view: &impl Serialize) -> Response {
    // Room for most answers, those with a certificate among them, so that the buffer need not grow.
    let mut json = Vec::with_capacity(2 << 10);
    match serde_json::to_writer(&mut json, view) {
        Ok(()) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => Problem::unavailable(error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// What the last of these says of a query: the page, or the code of the refusal and its parameter.
    type Cut = (u32, Option<u32>, Option<u32>);

    fn read(query: &str) -> Result<Cut, (&'static str, String)> {
        let read = || {
            let mut query = Query::read(Some(query))?;
            let page = query.page::<u32>()?;
            query.done()?;
            Ok((page.limit, page.starting_after, page.ending_before))
        };
        read().map_err(|refused: Problem| (refused.code, refused.param.unwrap_or_default()))
    }

    #[test]
    fn a_query_is_understood_whole_or_refused_with_the_parameter_that_is_wrong() {
        let refused = |code, param: &str| Err((code, param.to_owned()));
        #[rustfmt::skip]
        let table = [
            ("",                                  Ok((10, None, None))),
            ("limit=1",                           Ok((1, None, None))),
            ("limit=100&starting_after=7",        Ok((100, Some(7), None))),
            ("ending_before=7",                   Ok((10, None, Some(7)))),
            ("limit=0",                           refused("parameter_invalid", "limit")),
            ("limit=101",                         refused("parameter_invalid", "limit")),
            ("limit=ten",                         refused("parameter_invalid", "limit")),
            ("limit=1&limit=1",                   refused("parameter_invalid", "limit")),
            ("starting_after=x",                  refused("parameter_invalid", "starting_after")),
            ("starting_after=1&ending_before=2",  refused("parameter_invalid", "ending_before")),
            ("limit=1&page=2",                    refused("parameter_unknown", "page")),
        ];
        for (query, expected) in table {
            assert_eq!(read(query), expected, "{query}");
        }
    }

    #[test]
    fn a_refusal_of_the_framework_becomes_a_problem_and_keeps_its_other_headers() {
        let refusal = |status: StatusCode, kind: &'static str| {
            let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_LENGTH, "7"), (header::ALLOW, "GET, HEAD")];
            (status, headers, "refused").into_response()
        };
        let told = |response: &Response, name: header::HeaderName| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        for status in [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::METHOD_NOT_ALLOWED, StatusCode::BAD_REQUEST] {
            let problem = as_problem(refusal(status, "text/plain; charset=utf-8"));
            assert_eq!(problem.status(), status);
            assert_eq!(told(&problem, header::CONTENT_TYPE).as_deref(), Some("application/problem+json"), "{status}");
            assert_eq!(told(&problem, header::CONTENT_LENGTH), None, "{status}: the length of another body");
            assert_eq!(told(&problem, header::ALLOW).as_deref(), Some("GET, HEAD"), "{status}");
        }
        for (status, kind) in [(StatusCode::OK, "text/plain"), (StatusCode::NOT_FOUND, "application/problem+json")] {
            let as_it_was = as_problem(refusal(status, kind));
            assert_eq!(told(&as_it_was, header::CONTENT_TYPE).as_deref(), Some(kind), "{status}");
            assert_eq!(told(&as_it_was, header::CONTENT_LENGTH).as_deref(), Some("7"), "{status}");
        }
    }

    #[test]
    fn a_short_list_is_cut_as_a_long_one_is_read() {
        type Case = (u32, Option<u32>, Option<u32>, &'static [u32], bool);
        #[rustfmt::skip]
        let table: [Case; 9] = [
            // limit after    before    rows           more
            (10, None, None, &[5, 4, 3, 2, 1], false),
            (5, None, None, &[5, 4, 3, 2, 1], false),
            (4, None, None, &[5, 4, 3, 2], true),
            (2, Some(4), None, &[3, 2], true),
            (3, Some(4), None, &[3, 2, 1], false),
            (2, Some(1), None, &[], false),
            (2, None, Some(2), &[4, 3], true),
            (3, None, Some(2), &[5, 4, 3], false),
            (2, None, Some(5), &[], false),
        ];
        for (limit, starting_after, ending_before, rows, has_more) in table {
            let page = Page { starting_after, ending_before, limit };
            let listing = cut(vec![3, 1, 5, 2, 4], &page, |row| *row);
            assert_eq!((listing.data.as_slice(), listing.has_more), (rows, has_more), "{page:?}");
        }
    }
}
