//! What a paid unit waits for, from the seller's program.

use app::Held;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, LicenseId, PoolCode};
use serde::Deserialize;

use super::license::view;
use super::{Id, Json, Manager, Names, Once, answer};
use crate::Web;
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    content: String,
}

/// Hands over what the buyer waits for, and shows the license with it.
pub(crate) async fn fulfil(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: Input = sent.read()?;
    let content = PoolCode::parse(&input.content)
        .map_err(|error| Problem::invalid("content", "code_invalid", format!("`content` {error}.")))?;
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |_: Names| {
        task.app.hand_over(shop, license, &content, Actor::Api).await?;
        let row = task.app.store.license(shop, license).await.map_err(app::Error::from)?;
        let row = row.ok_or_else(|| Problem::not_found("license"))?;
        Ok(answer(StatusCode::OK, &view(&row, Some(&Held::Code(content)), task.app.clock.now())))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}
