//! Who may see an order: whoever holds its receipt, or is signed in to the
//! portal as its buyer or with one of its keys.

use axum::http::HeaderValue;
use domain::{Order, OrderId, Session, SessionHolder};

use crate::problem::Problem;
use crate::visit::Visit;
use crate::{Web, cookie};

/// The cookie that opens one order; its path is that order's.
pub(crate) const RECEIPT_COOKIE: &str = "receipt";

/// The cookie of a browser that is signed in to the portal.
pub(crate) const PORTAL_COOKIE: &str = "portal";

const RECEIPT_LIFETIME_IN_SECONDS: i64 = 90 * 24 * 3_600;

/// How much of an order somebody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Bought it, as far as we can know: sees everything.
    Buyer,
    /// Knows one key and the number: the address and the other keys stay hidden, so that a leaked key opens little.
    Holder,
}

/// What the browser may see of the order; `None`: nothing.
pub(crate) async fn of(web: &Web, visit: &Visit, order: &Order) -> Result<Option<Access>, Problem> {
    if has_receipt(web, visit, order.id) {
        return Ok(Some(Access::Buyer));
    }
    let Some(session) = session(web, visit).await? else { return Ok(None) };
    Ok(match session.holder {
        SessionHolder::Customer { customer } => (order.customer == Some(customer)).then_some(Access::Buyer),
        SessionHolder::Order { order: own } => (order.id == own).then_some(Access::Holder),
        SessionHolder::User { .. } => None,
    })
}

pub(crate) fn has_receipt(web: &Web, visit: &Visit, order: OrderId) -> bool {
    cookie::get(&visit.headers, RECEIPT_COOKIE).is_some_and(|token| web.app.opens_order(order, token))
}

/// The session of the portal, if there is one.
pub(crate) async fn session(web: &Web, visit: &Visit) -> Result<Option<Session>, Problem> {
    match cookie::get(&visit.headers, PORTAL_COOKIE).filter(|token| !token.is_empty()) {
        Some(token) => Ok(web.app.session(visit.shop.id, token).await?),
        None => Ok(None),
    }
}

/// Lets a browser open the order from now on.
pub(crate) fn receipt_cookie(web: &Web, order: OrderId) -> Option<HeaderValue> {
    let path = format!("/orders/{order}");
    cookie::set(
        RECEIPT_COOKIE,
        &web.app.receipt_token(order),
        &path,
        RECEIPT_LIFETIME_IN_SECONDS,
        Visit::is_secure(web),
    )
}
