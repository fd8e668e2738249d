//! Notices: what gateways sent, what became of it, and the button that applies a parked one again.

use app::NoticeOutcome;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Notice, NoticeId, mask_card_numbers};
use serde_json::Value;
use store::NoticeFilter;

use super::{Chrome, Filter, Staff, done, filters, list_page, page, query, state_text};
use crate::Web;
use crate::problem::Problem;

/// The words that the list can be filtered by.
pub(crate) const STATES: [&str; 4] = ["parked", "received", "applied", "ignored"];

/// Fields of a gateway's message that open something, or name a card or a person beyond what support needs.
const HIDDEN: [&str; 6] = ["client_secret", "fingerprint", "receipt_url", "url", "network_transaction_id", "signature"];

struct NoticeRow {
    id: String,
    kind: String,
    event: String,
    state: &'static str,
    state_text: String,
    reason: String,
    at: String,
}

impl NoticeRow {
    fn new(chrome: &Chrome<'_>, notice: &Notice) -> Self {
        Self {
            id: notice.id.to_string(),
            kind: notice.kind.clone(),
            event: notice.event_id.clone(),
            state: notice.state.as_str(),
            state_text: state_text(chrome, notice.state.as_str()),
            reason: notice.state.reason().0.unwrap_or_default().to_owned(),
            at: chrome.date(&notice.received_at),
        }
    }
}

#[derive(Template)]
#[template(path = "console/notices.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    filters: Vec<Filter>,
    notices: Vec<NoticeRow>,
    next: Option<String>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "notices");
    let chosen = query(&staff.visit.path, "state").and_then(|word| STATES.into_iter().find(|known| *known == word));
    let filter = NoticeFilter { state: chosen.map(str::to_owned), ..NoticeFilter::default() };
    let asked = list_page(&staff.visit.path, |text| NoticeId::parse(text).ok());
    let listing = web.app.store.notices(staff.shop(), &filter, asked).await.map_err(app::Error::from)?;
    let next = listing.data.last().filter(|_| listing.has_more).map(|last| match chosen {
        Some(state) => format!("/console/notices?state={state}&after={}", last.id),
        None => format!("/console/notices?after={}", last.id),
    });
    let filters = filters(&chrome, "/console/notices", &STATES, chosen);
    let notices = listing.data.iter().map(|notice| NoticeRow::new(&chrome, notice)).collect();
    Ok(page(StatusCode::OK, &List { chrome, filters, notices, next }))
}

#[derive(Template)]
#[template(path = "console/notice.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    notice: NoticeRow,
    detail: Option<String>,
    way_out: Option<String>,
    order: Option<String>,
    body: String,
    can_apply: bool,
}

fn parse(notice: &str) -> Result<NoticeId, Problem> {
    NoticeId::parse(notice).map_err(|_| Problem::not_found("notice"))
}

pub(crate) async fn show(
    State(web): State<Web>,
    staff: Staff,
    Path(notice): Path<String>,
) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "notices");
    let notice = web.app.store.notice(staff.shop(), parse(&notice)?).await.map_err(app::Error::from)?;
    let notice = notice.ok_or_else(|| Problem::not_found("notice"))?;
    let (reason, detail) = notice.state.reason();
    let is_parked = notice.state.as_str() == "parked";
    let way_out =
        reason.filter(|_| is_parked).map(|reason| chrome.t(&format!("console-parked-{}", reason.replace('_', "-"))));
    let view = Show {
        detail: detail.map(str::to_owned),
        way_out,
        order: notice.order.map(|order| order.to_string()),
        body: readable(&notice.body),
        can_apply: is_parked || notice.state.as_str() == "received",
        notice: NoticeRow::new(&chrome, &notice),
        chrome,
    };
    Ok(page(StatusCode::OK, &view))
}

/// The message as a person reads it, without what opens something.
fn readable(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            hide(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_default()
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    mask_card_numbers(&text)
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if HIDDEN.contains(&name.as_str()) && !inner.is_null() {
                    *inner = Value::from("[hidden]");
                } else {
                    hide(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(crate) async fn apply(
    State(web): State<Web>,
    staff: Staff,
    Path(notice): Path<String>,
) -> Result<Response, Problem> {
    let notice = parse(&notice)?;
    let word = match web.app.replay_notice(staff.shop(), notice, staff.actor()).await? {
        NoticeOutcome::Applied => "applied",
        NoticeOutcome::Duplicate => "duplicate",
        NoticeOutcome::Ignored => "ignored",
        NoticeOutcome::Parked => "parked-again",
        NoticeOutcome::Stored => "stored",
    };
    Ok(done(&format!("/console/notices/{notice}"), word))
}
