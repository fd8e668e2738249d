//! Health that tells the truth about writing, not about the port.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer;
use crate::Web;

/// The process answers.
pub(crate) async fn live() -> Response {
    answer(StatusCode::OK, &json!({ "status": "live" }))
}

/// The server can do its work, and means to go on: a row was just written, durably.
pub(crate) async fn ready(State(web): State<Web>) -> Response {
    match web.app.ready().await {
        Ok(()) => answer(StatusCode::OK, &json!({ "status": "ready", "storage": web.app.store.engine().name() })),
        Err(_) if web.app.is_draining() => answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "draining" })),
        Err(_) => {
            answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "not_ready", "storage": "cannot be written" }))
        }
    }
}
