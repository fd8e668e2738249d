//! Refunds: made, listed, read.

use app::RefundInput;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, OrderId, PaymentId, Refund, RefundId, RefundReason, Refusal, ShopId, Timestamp};
use money::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::{Id, Json, Manager, Names, Object, Once, Query, answer, cut, list as listing};
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
    Money(Object<Money>),
}

impl Amount {
    fn in_currency(self, currency: Currency) -> Money {
        match self {
            Self::Minor(minor) => Money::new(minor, currency),
            Self::Money(Object(amount)) => amount,
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
        Some(Some(
            reason @ (RefundReason::RequestedByCustomer
            | RefundReason::Duplicate
            | RefundReason::Fraudulent
            | RefundReason::SurpriseCapture),
        )) => Ok(reason),
        Some(Some(RefundReason::MadeAtGateway) | None) => Err(Problem::invalid(
            "reason",
            "parameter_invalid",
            "`reason` must be requested_by_customer, duplicate, fraudulent or surprise_capture.",
        )),
    }
}

pub(crate) async fn create(
    State(web): State<Web>,
    manager: Manager,
    Id(order): Id<OrderId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: Input =
        if sent.0.is_empty() { Input { amount: None, reason: None, revoke: None } } else { sent.read()? };
    let reason = reason(input.reason.as_deref())?;
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = |names: Names| refund(task, shop, order, input, reason, names);
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

async fn refund(
    web: Web,
    shop: ShopId,
    order: OrderId,
    input: Input,
    reason: RefundReason,
    mut names: Names,
) -> Result<Response, Problem> {
    let currency = web.app.sale(shop, order).await?.order.total.currency();
    let id = names.mint(RefundId::mint);
    let amount = input.amount.map(|amount| amount.in_currency(currency));
    let wanted = RefundInput { id: Some(id), amount, reason, revoke: input.revoke };
    let sale = web.app.refund_order(shop, order, wanted, Actor::Api).await.map_err(named)?;
    let made = sale.refunds.iter().find(|refund| refund.id == id).ok_or_else(|| Problem::not_found("refund"))?;
    Ok(answer(StatusCode::CREATED, &view(made)))
}

/// The field that a refusal is about.
fn named(error: app::Error) -> Problem {
    let is_about_amount = matches!(
        error,
        app::Error::Refused(
            Refusal::RefundExceedsPayment { .. } | Refusal::RefundNotPositive | Refusal::CurrencyMismatch { .. }
        )
    );
    let problem = Problem::from(error);
    if is_about_amount { Problem { param: Some("amount".to_owned()), ..problem } } else { problem }
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    Id(order): Id<OrderId>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let page = query.page()?;
    query.done()?;
    let refunds = web.app.sale(manager.shop.id, order).await?.refunds;
    Ok(listing(cut(refunds, &page, |refund| refund.id), view))
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Id(id): Id<RefundId>) -> Result<Response, Problem> {
    manager.may_read()?;
    let refund = web.app.store.refund(manager.shop.id, id).await.map_err(app::Error::from)?;
    Ok(answer(StatusCode::OK, &view(&refund.ok_or_else(|| Problem::not_found("refund"))?)))
}
