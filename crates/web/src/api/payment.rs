//! Payments, to read.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{GatewayAccountId, MethodSummary, Mode, OrderId, Payment, PaymentId, Timestamp};
use money::Money;
use serde::Serialize;

use super::{Id, Manager, answer};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
pub(crate) struct PaymentView {
    id: PaymentId,
    state: &'static str,
    order: OrderId,
    amount: Money,
    livemode: bool,
    gateway_account: GatewayAccountId,
    gateway_reference: Option<String>,
    method: Option<MethodSummary>,
    decline_code: Option<String>,
    decline_class: Option<&'static str>,
    retryable: Option<bool>,
    url: Option<String>,
    created_at: Timestamp,
}

pub(crate) fn view(payment: &Payment) -> PaymentView {
    let decline = payment.decline.as_ref();
    PaymentView {
        id: payment.id,
        state: payment.state.as_str(),
        order: payment.order,
        amount: payment.amount,
        livemode: payment.mode == Mode::Live,
        gateway_account: payment.gateway_account,
        gateway_reference: payment.reference.clone().or_else(|| payment.page_reference.clone()),
        method: payment.method.clone(),
        decline_code: decline.map(|decline| decline.code.clone()),
        decline_class: decline.map(|decline| decline.class.code()),
        retryable: decline.map(|decline| decline.class.is_retryable()),
        url: payment.page_url.clone().filter(|_| payment.state.is_open()),
        created_at: payment.created_at,
    }
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Id(id): Id<PaymentId>) -> Result<Response, Problem> {
    manager.may_read()?;
    let payment = web.app.store.payment(manager.shop.id, id).await.map_err(app::Error::from)?;
    Ok(answer(StatusCode::OK, &view(&payment.ok_or_else(|| Problem::not_found("payment"))?)))
}
