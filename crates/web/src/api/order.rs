//! Orders, to read: with their payments, refunds and licenses.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{
    CheckoutId, Country, CustomerId, Locale, Order, OrderId, OrderLine, OrderState, PlanId, ProductId, Timestamp,
};
use money::Money;
use serde::Serialize;
use store::OrderFilter;

use super::{Id, Manager, Query, answer, license, list as listing, payment, refund};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
struct LineView {
    product: ProductId,
    plan: PlanId,
    description: String,
    bundle: Option<PlanId>,
    quantity: u32,
    unit_amount: Money,
    amount: Money,
    /// By the name of the question.
    answers: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct OrderView {
    id: OrderId,
    number: String,
    state: &'static str,
    checkout: CheckoutId,
    customer: Option<CustomerId>,
    email: Option<String>,
    country: Country,
    locale: Locale,
    lines: Vec<LineView>,
    total: Money,
    refunded: Money,
    metadata: BTreeMap<String, String>,
    created_at: Timestamp,
    paid_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct WholeOrder {
    #[serde(flatten)]
    order: OrderView,
    url: String,
    payments: Vec<payment::PaymentView>,
    refunds: Vec<refund::RefundView>,
    licenses: Vec<license::LicenseView>,
}

fn line(line: &OrderLine) -> LineView {
    LineView {
        product: line.product,
        plan: line.plan,
        description: line.name(),
        bundle: line.bundle.as_ref().map(|bundle| bundle.plan),
        quantity: line.quantity,
        unit_amount: line.unit_amount,
        amount: line.amount,
        answers: line.answers.iter().map(|answer| (answer.name.clone(), answer.value.clone())).collect(),
    }
}

fn view(order: &Order) -> OrderView {
    OrderView {
        id: order.id,
        number: order.number.to_string(),
        state: order.state.as_str(),
        checkout: order.checkout,
        customer: order.customer,
        email: order.email.as_ref().map(ToString::to_string),
        country: order.country,
        locale: order.locale.clone(),
        lines: order.lines.iter().map(line).collect(),
        total: order.total,
        refunded: order.refunded,
        metadata: order.metadata.clone(),
        created_at: order.created_at,
        paid_at: order.paid_at,
    }
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Id(id): Id<OrderId>) -> Result<Response, Problem> {
    manager.may_read()?;
    let sale = web.app.sale(manager.shop.id, id).await?;
    let now = web.app.clock.now();
    // Keys are for those who may act; to read is not enough.
    let licenses = match manager.may_manage() {
        Ok(()) => {
            let keys = web.app.licenses_with_keys(&sale).await?;
            keys.into_iter().map(|(row, held)| license::view(&row, Some(&held), now)).collect()
        }
        Err(_) => sale.licenses.iter().map(|row| license::view(row, None, now)).collect(),
    };
    let whole = WholeOrder {
        order: view(&sale.order),
        url: format!("{}/orders/{id}", web.app.settings.public_url),
        payments: sale.payments.iter().map(payment::view).collect(),
        refunds: sale.refunds.iter().map(refund::view).collect(),
        licenses,
    };
    Ok(answer(StatusCode::OK, &whole))
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let asked = query.page()?;
    let filter = OrderFilter {
        state: query.take("state", "a state of an order", OrderState::parse)?,
        customer: query.take("customer", "the id of a customer", |text| CustomerId::parse(text).ok())?,
    };
    query.done()?;
    let orders = web.app.store.orders(manager.shop.id, &filter, asked).await.map_err(app::Error::from)?;
    Ok(listing(orders, view))
}
