//! One box that finds whatever support has in hand.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use store::SearchHit;

use super::{Chrome, Staff, page, query};
use crate::Web;
use crate::problem::Problem;
use crate::public::fields::address;

/// Nothing that can be found is longer.
const LONGEST: usize = 4_000;

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

pub(crate) async fn show(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "search");
    let asked: String = query(&staff.visit.path, "q").unwrap_or_default().chars().take(LONGEST).collect();
    let found = match asked.trim() {
        "" => Vec::new(),
        text => web.app.store.search(staff.shop(), text).await.map_err(app::Error::from)?,
    };
    let hits: Vec<Hit> = found.iter().map(|hit| show_hit(&chrome, hit)).collect();
    if let [only] = hits.as_slice() {
        return Ok(Redirect::to(&only.url).into_response());
    }
    // A typed key must not stand on a page that may be looked at over a shoulder; what is short or an address may.
    Ok(page(StatusCode::OK, &Results { chrome, asked, hits }))
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
