//! Health that tells the truth about writing, not about the port.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer;
use crate::Web;

/// The setting that is written to find out whether writing works.
const PROBE: &str = "health_probe";

/// The process answers.
pub(crate) async fn live() -> Response {
    answer(StatusCode::OK, &json!({ "status": "live" }))
}

/// The server can do its work: a row was just written, durably.
pub(crate) async fn ready(State(web): State<Web>) -> Response {
    let now = web.app.clock.now().to_string();
    match web.app.store.set_setting(PROBE, &now).await {
        Ok(()) => answer(StatusCode::OK, &json!({ "status": "ready", "storage": web.app.store.engine().name() })),
        Err(error) => {
            tracing::error!(%error, "not ready: nothing can be written");
            answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "not_ready", "storage": "cannot be written" }))
        }
    }
}
