//! The numbers, for Prometheus. They stand on a listener of their own, which the world does not reach.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::Web;

pub(crate) async fn show(State(web): State<Web>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, web.app.exposition().await).into_response()
}
