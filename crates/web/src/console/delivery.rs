//! Mails: the list of what was sent, what waits, and what no mail server would take.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{DeliveryId, DeliveryState};
use store::DeliveryFilter;

use super::order::DeliveryRow;
use super::{Chrome, Filter, Staff, done, filters, list_page, page, query};
use crate::Web;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "console/deliveries.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    filters: Vec<Filter>,
    deliveries: Vec<DeliveryRow>,
    next: Option<String>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "mails");
    let chosen = query(&staff.visit.path, "state").and_then(|word| DeliveryState::parse(&word));
    let filter = DeliveryFilter { state: chosen, ..DeliveryFilter::default() };
    let asked = list_page(&staff.visit.path, |text| DeliveryId::parse(text).ok());
    let listing = web.app.store.deliveries(staff.shop(), &filter, asked).await.map_err(app::Error::from)?;
    let next = listing.data.last().filter(|_| listing.has_more).map(|last| match chosen {
        Some(state) => format!("/console/mails?state={}&after={}", state.as_str(), last.id),
        None => format!("/console/mails?after={}", last.id),
    });
    let words: Vec<&str> = DeliveryState::ALL.iter().map(|state| state.as_str()).collect();
    let filters = filters(&chrome, "/console/mails", &words, chosen.map(DeliveryState::as_str));
    let held = web.app.held_mails(staff.shop()).await?;
    let deliveries =
        listing.data.iter().map(|delivery| DeliveryRow::linked(&chrome, delivery).held(delivery, &held)).collect();
    Ok(page(StatusCode::OK, &List { chrome, filters, deliveries, next }))
}

/// Sends a mail that is held since a restore.
pub(crate) async fn send(
    State(web): State<Web>,
    staff: Staff,
    Path(delivery): Path<String>,
) -> Result<Response, Problem> {
    let delivery = DeliveryId::parse(&delivery).map_err(|_| Problem::not_found("mail"))?;
    web.app.send_held_mail(staff.shop(), delivery).await?;
    Ok(done("/console/mails", "let-go"))
}
