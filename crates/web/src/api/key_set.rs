//! The public keys that verify certificates (RFC 7517).

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::Web;

pub(crate) async fn show(State(web): State<Web>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, web.app.signer().jwks()).into_response()
}
