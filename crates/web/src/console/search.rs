//! One box that finds whatever support has in hand.
//!
//! What is typed is sent as a form: addresses are kept in histories and in the logs of proxies, and it may be a key. Only a
//! list of what is no key of ours gets an address, so that it can be passed on.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use latchkey_license::{KeyCode, MAX_SIGNED_KEY_BYTES, is_signed_key};
use serde::Deserialize;
use store::SearchHit;

use super::{Chrome, Staff, page, query};
use crate::Web;
use crate::problem::Problem;
use crate::public::fields::address;

struct Hit {
    url: String,
    kind: String,
    text: String,
}

#[derive(Template)]
#[template(path = "console/search.html")]
struct Results<'a> {
    chrome: Chrome<'a>,
    asked: String,
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    q: String,
}

pub(crate) async fn submit(
    State(web): State<Web>,
    staff: Staff,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let results = find(&web, &staff, &typed.q).await?;
    let is_key = is_signed_key(&results.asked) || KeyCode::parse(&results.asked).is_ok();
    if is_key || results.hits.len() == 1 {
        return Ok(answer(&results));
    }
    Ok(Redirect::to(&address("/console/search", &[("q", &results.asked)])).into_response())
}

pub(crate) async fn show(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    Ok(answer(&find(&web, &staff, &query(&staff.visit.path, "q").unwrap_or_default()).await?))
}

async fn find<'a>(web: &'a Web, staff: &'a Staff, typed: &str) -> Result<Results<'a>, Problem> {
    let chrome = staff.chrome(web, "search");
    let asked: String = typed.chars().take(MAX_SIGNED_KEY_BYTES).collect();
    let found = match asked.trim() {
        "" => Vec::new(),
        text => web.app.store.search(staff.shop(), text).await.map_err(app::Error::from)?,
    };
    let hits = found.iter().map(|hit| show_hit(&chrome, hit)).collect();
    Ok(Results { chrome, asked, hits })
}

/// The page of the one thing that was found, or a list. A typed key must not stand on a page that may be looked at over a
/// shoulder; what is short or an address may.
fn answer(results: &Results<'_>) -> Response {
    match results.hits.as_slice() {
        [only] => Redirect::to(&only.url).into_response(),
        _ => page(StatusCode::OK, results),
    }
}

fn show_hit(chrome: &Chrome<'_>, hit: &SearchHit) -> Hit {
    match hit {
        SearchHit::Order(order) => Hit {
            url: format!("/console/orders/{}", order.id),
            kind: chrome.t("console-order"),
            text: format!("{} · {}", order.number, chrome.money(&order.total)),
        },
        SearchHit::Customer(customer) => Hit {
            url: format!("/console/customers/{}", customer.id),
            kind: chrome.t("console-customer"),
            text: customer.email.to_string(),
        },
        SearchHit::License(license) => Hit {
            url: format!("/console/licenses/{}", license.id),
            kind: chrome.t("console-license"),
            text: format!("…{}", license.key_tail),
        },
        SearchHit::Activation(seat) => Hit {
            url: format!("/console/licenses/{}", seat.license),
            kind: chrome.t("console-device"),
            text: seat.shown_name().unwrap_or(seat.fingerprint.as_str()).to_owned(),
        },
        SearchHit::Stranger(attempt) => Hit {
            url: attempt
                .key_tail
                .as_deref()
                .map_or_else(|| "/console/attempts".to_owned(), |tail| address("/console/attempts", &[("tail", tail)])),
            kind: chrome.t("console-strangers"),
            text: format!("…{} · {}", attempt.key_tail.as_deref().unwrap_or_default(), chrome.date(&attempt.last_at)),
        },
        SearchHit::AskedBy(attempt) => {
            let device = attempt.fingerprint.as_ref().map(domain::Fingerprint::as_str).unwrap_or_default();
            Hit {
                url: address("/console/attempts", &[("device", device)]),
                kind: chrome.t("console-attempts"),
                text: format!("{device} · {}", chrome.date(&attempt.last_at)),
            }
        }
        SearchHit::Payment(payment) => Hit {
            url: format!("/console/orders/{}", payment.order),
            kind: chrome.t("console-payment"),
            text: format!("{} · {}", payment.id, chrome.money(&payment.amount)),
        },
        SearchHit::Refund(refund) => Hit {
            url: format!("/console/orders/{}", refund.order),
            kind: chrome.t("console-refund"),
            text: format!("{} · {}", refund.id, chrome.money(&refund.amount)),
        },
        SearchHit::Dispute(dispute) => Hit {
            url: format!("/console/orders/{}", dispute.order),
            kind: chrome.t("console-dispute"),
            text: format!("{} · {}", dispute.id, chrome.money(&dispute.amount)),
        },
    }
}
