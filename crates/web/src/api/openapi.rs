//! The API described for programs, as OpenAPI 3.1.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// The description, written by hand; a test holds it against the router.
const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")], DOCUMENT).into_response()
}
