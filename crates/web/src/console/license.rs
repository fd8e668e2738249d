//! Licenses: the list, and one license with its devices.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{ActivationId, LicenseId, LicenseState};
use store::LicenseFilter;

use super::order::{LicenseRow, SeatRow};
use super::{Chrome, Filter, Moment, Staff, done, event_moment, filters, list_page, page, query};
use crate::Web;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "console/licenses.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    filters: Vec<Filter>,
    licenses: Vec<LicenseRow>,
    next: Option<String>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "licenses");
    let chosen = query(&staff.visit.path, "state").and_then(|word| LicenseState::parse(&word));
    let filter = LicenseFilter { state: chosen, ..LicenseFilter::default() };
    let asked = list_page(&staff.visit.path, |text| LicenseId::parse(text).ok());
    let listing = web.app.store.licenses(staff.shop(), &filter, asked).await.map_err(app::Error::from)?;
    let now = web.app.clock.now();
    let next = listing.data.last().filter(|_| listing.has_more).map(|last| match chosen {
        Some(state) => format!("/console/licenses?state={}&after={}", state.as_str(), last.id),
        None => format!("/console/licenses?after={}", last.id),
    });
    let words: Vec<&str> = LicenseState::ALL.iter().map(|state| state.as_str()).collect();
    let filters = filters(&chrome, "/console/licenses", &words, chosen.map(LicenseState::as_str));
    let licenses = listing.data.iter().map(|license| LicenseRow::new(&chrome, license, now)).collect();
    Ok(page(StatusCode::OK, &List { chrome, filters, licenses, next }))
}

#[derive(Template)]
#[template(path = "console/license.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    license: LicenseRow,
    order: String,
    number: String,
    features: String,
    expires: Option<String>,
    seats: Vec<SeatRow>,
    timeline: Vec<Moment>,
}

fn parse(license: &str) -> Result<LicenseId, Problem> {
    LicenseId::parse(license).map_err(|_| Problem::not_found("license"))
}

pub(crate) async fn show(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "licenses");
    let store = &web.app.store;
    let id = parse(&license)?;
    let license = store
        .license(staff.shop(), id)
        .await
        .map_err(app::Error::from)?
        .ok_or_else(|| Problem::not_found("license"))?;
    let seats = store.activations(staff.shop(), id).await.map_err(app::Error::from)?;
    let events = store.order_events(staff.shop(), license.order).await.map_err(app::Error::from)?;
    let order = store.order(staff.shop(), license.order).await.map_err(app::Error::from)?;
    let about = |event: &&domain::Event| event.license == Some(id);
    let view = Show {
        license: LicenseRow::new(&chrome, &license, web.app.clock.now()),
        order: license.order.to_string(),
        number: order.map_or_else(|| license.order.to_string(), |order| order.number.to_string()),
        features: license.policy.features.join(", "),
        expires: license.expires_at.map(|at| chrome.date(&at)),
        seats: seats.iter().map(|seat| SeatRow::new(&chrome, seat)).collect(),
        timeline: events.iter().filter(about).map(|event| event_moment(&chrome, event)).collect(),
        chrome,
    };
    Ok(page(StatusCode::OK, &view))
}

pub(crate) async fn release(
    State(web): State<Web>,
    staff: Staff,
    Path((license, activation)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let license = parse(&license)?;
    let seat = ActivationId::parse(&activation).map_err(|_| Problem::not_found("activation"))?;
    let back = format!("/console/licenses/{license}");
    match web.app.release_seat(staff.shop(), license, seat, staff.actor()).await {
        Ok(()) => Ok(done(&back, "released")),
        Err(app::Error::Refused(domain::Refusal::NotActivated)) => Ok(done(&back, "was-free")),
        Err(error) => Err(error.into()),
    }
}
