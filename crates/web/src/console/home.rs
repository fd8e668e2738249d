//! The first page: what somebody must do, then what happened last.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::DeliveryState;
use store::{OrderFilter, Owed, Page};

use super::order::OrderRow;
use super::{Chrome, Staff, page};
use crate::Web;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "console/home.html")]
struct Home<'a> {
    chrome: Chrome<'a>,
    refused: u64,
    /// Mails that wait for somebody to let them go.
    held: u64,
    owed: Owed,
    /// Buyers who wait for an answer.
    unanswered: u64,
    orders: Vec<OrderRow>,
    storefront: String,
}

impl Home<'_> {
    fn has_refused(&self) -> bool {
        self.refused > 0
    }

    fn has_held(&self) -> bool {
        self.held > 0
    }

    fn waiting(&self) -> u64 {
        self.owed.all()
    }

    fn is_asked(&self) -> bool {
        self.unanswered > 0
    }

    fn overdue(&self) -> u64 {
        self.owed.overdue
    }

    fn has_work(&self) -> bool {
        self.waiting() > 0 || self.unanswered > 0 || self.has_refused() || self.has_held() || self.chrome.has_parked()
    }
}

pub(crate) async fn show(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "home");
    let store = &web.app.store;
    let refused = store.count_deliveries(staff.shop(), DeliveryState::Refused).await.map_err(app::Error::from)?;
    let unanswered = store.unanswered(staff.shop(), web.app.clock.now()).await.map_err(app::Error::from)?.count;
    let held = u64::try_from(web.app.held_mails(staff.shop()).await?.len()).unwrap_or_default();
    let latest = Page { starting_after: None, ending_before: None, limit: 10 };
    let orders = store.orders(staff.shop(), &OrderFilter::default(), latest).await.map_err(app::Error::from)?;
    let orders = orders.data.iter().map(|order| OrderRow::new(&chrome, order)).collect();
    let storefront = web.app.settings.public_url.clone();
    Ok(page(StatusCode::OK, &Home { chrome, refused, held, owed: staff.owed, unanswered, orders, storefront }))
}
