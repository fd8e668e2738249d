//! Refunds: made, listed, read.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, OrderId, PaymentId, Refund, RefundId, RefundReason, Timestamp};
use money::{Currency, Money};
use serde::{Deserialize, Serialize};
use store::Listing;

use super::{Manager, answer, list as listing, parse};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
pub(crate) struct RefundView {
    id: RefundId,
    state: &'static str,
    order: OrderId,
    payment: PaymentId,
    amount: Money,
    reason: &'static str,
    revoke: Option<bool>,
    gateway_reference: Option<String>,
    failure: Option<String>,
    created_at: Timestamp,
}

pub(crate) fn view(refund: &Refund) -> RefundView {
    RefundView {
        id: refund.id,
        state: refund.state.as_str(),
        order: refund.order,
        payment: refund.payment,
        amount: refund.amount,
        reason: refund.reason.as_str(),
        revoke: refund.revoke,
        gateway_reference: refund.reference.clone(),
        failure: refund.failure.clone(),
        created_at: refund.created_at,
    }
}

/// An amount in minor units of the order's currency, or with the currency said.
#[derive(Deserialize)]
#[serde(untagged)]
enum Amount {
    Minor(i64),
    Money(Money),
}

impl Amount {
    fn in_currency(self, currency: Currency) -> Money {
        match self {
            Self::Minor(minor) => Money::new(minor, currency),
            Self::Money(amount) => amount,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    amount: Option<Amount>,
    reason: Option<String>,
    revoke: Option<bool>,
}

fn reason(text: Option<&str>) -> Result<RefundReason, Problem> {
    match text.map(RefundReason::parse) {
        None => Ok(RefundReason::RequestedByCustomer),
        Some(Some(reason @ (RefundReason::RequestedByCustomer | RefundReason::Duplicate | RefundReason::Fraudulent))) => Ok(reason),
        Some(Some(RefundReason::SurpriseCapture | RefundReason::MadeAtGateway) | None) => {
            Err(Problem::invalid("reason", "parameter_invalid", "`reason` must be requested_by_customer, duplicate or fraudulent."))
        }
    }
}

pub(crate) async fn create(
    State(web): State<Web>,
    manager: Manager,
    Path(order): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let order = OrderId::parse(&order).map_err(|_| Problem::not_found("order"))?;
    let input: Input = if body.is_empty() { Input { amount: None, reason: None, revoke: None } } else { parse(&body)? };
    let reason = reason(input.reason.as_deref())?;
    let before = web.app.sale(manager.shop.id, order).await?;
    let amount = input.amount.map(|amount| amount.in_currency(before.order.total.currency()));
    let sale = web.app.refund_order(manager.shop.id, order, amount, reason, input.revoke, Actor::Api).await?;
    let known = |refund: &&Refund| !before.refunds.iter().any(|old| old.id == refund.id);
    let made = sale.refunds.iter().filter(known).find(|refund| refund.requested_by == Actor::Api);
    let made = made.or_else(|| sale.refunds.last()).ok_or_else(|| Problem::not_found("refund"))?;
    Ok(answer(StatusCode::CREATED, &view(made)))
}

pub(crate) async fn list(State(web): State<Web>, manager: Manager, Path(order): Path<String>) -> Result<Response, Problem> {
    manager.may_read()?;
    let order = OrderId::parse(&order).map_err(|_| Problem::not_found("order"))?;
    let sale = web.app.sale(manager.shop.id, order).await?;
    Ok(listing(Listing { data: sale.refunds, has_more: false }, view))
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Path(refund): Path<String>) -> Result<Response, Problem> {
    manager.may_read()?;
    let id = RefundId::parse(&refund).map_err(|_| Problem::not_found("refund"))?;
    let refund = web.app.store.refund(manager.shop.id, id).await.map_err(app::Error::from)?;
    Ok(answer(StatusCode::OK, &view(&refund.ok_or_else(|| Problem::not_found("refund"))?)))
}
