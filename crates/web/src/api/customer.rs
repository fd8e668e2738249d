//! Customers, to read.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Country, Customer, CustomerId, Locale, Timestamp};
use serde::Serialize;

use super::{Id, Manager, Query, answer, list as listing};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
struct CustomerView {
    id: CustomerId,
    email: String,
    name: Option<String>,
    country: Country,
    locale: Locale,
    created_at: Timestamp,
}

fn view(customer: &Customer) -> CustomerView {
    CustomerView {
        id: customer.id,
        email: customer.email.to_string(),
        name: customer.name.clone(),
        country: customer.country,
        locale: customer.locale.clone(),
        created_at: customer.created_at,
    }
}

pub(crate) async fn show(
    State(web): State<Web>,
    manager: Manager,
    Id(id): Id<CustomerId>,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let customer = web.app.store.customer(manager.shop.id, id).await.map_err(app::Error::from)?;
    Ok(answer(StatusCode::OK, &view(&customer.ok_or_else(|| Problem::not_found("customer"))?)))
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let asked = query.page()?;
    query.done()?;
    Ok(listing(web.app.store.customers(manager.shop.id, asked).await.map_err(app::Error::from)?, view))
}
