//! What gateways call. 2xx says: stored, durably. Everything else says: come again.

use app::{NoticeOutcome, ReceiveError};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::GatewayAccountId;
use gateways::Headers;
use serde::Serialize;

use super::{Id, Raw, answer};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
struct Taken {
    /// What became of each event of the message.
    events: Vec<&'static str>,
}

pub(crate) async fn receive(
    State(web): State<Web>,
    Id(account): Id<GatewayAccountId>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    let pairs =
        headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    match web.app.receive(account, &Headers::new(pairs), &body).await {
        Ok(outcomes) => {
            Ok(answer(StatusCode::OK, &Taken { events: outcomes.into_iter().map(NoticeOutcome::as_str).collect() }))
        }
        Err(ReceiveError::AccountUnknown) => Err(Problem::not_found("gateway account")),
        Err(ReceiveError::NotAuthentic(error)) => {
            Err(Problem::new(StatusCode::UNAUTHORIZED, error.code(), format!("Not authentic: {error}.")))
        }
        Err(ReceiveError::NotStored(internal)) => Err(Problem::unavailable(internal)),
    }
}
