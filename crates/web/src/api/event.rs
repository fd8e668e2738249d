//! The journal, to read.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{CustomerId, Event, EventId, LicenseId, OrderId, Timestamp};
use serde::Serialize;

use super::{Id, Manager, Query, answer, list as listing};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
struct EventView {
    id: EventId,
    r#type: &'static str,
    actor: String,
    order: Option<OrderId>,
    license: Option<LicenseId>,
    customer: Option<CustomerId>,
    data: serde_json::Value,
    created_at: Timestamp,
}

fn view(event: &Event) -> EventView {
    EventView {
        id: event.id,
        r#type: event.kind.as_str(),
        actor: event.actor.to_text(),
        order: event.order,
        license: event.license,
        customer: event.customer,
        data: event.data.clone(),
        created_at: event.at,
    }
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Id(id): Id<EventId>) -> Result<Response, Problem> {
    manager.may_read()?;
    let event = web.app.store.event(manager.shop.id, id).await.map_err(app::Error::from)?;
    Ok(answer(StatusCode::OK, &view(&event.ok_or_else(|| Problem::not_found("event"))?)))
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let asked = query.page()?;
    let license = query.take("license", "the id of a license", |text| LicenseId::parse(text).ok())?;
    query.done()?;
    Ok(listing(web.app.store.events(manager.shop.id, license, asked).await.map_err(app::Error::from)?, view))
}
