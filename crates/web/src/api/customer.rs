//! Customers: read, and their addresses corrected.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, Country, Customer, CustomerId, Email, Locale, Refusal, Timestamp};
use serde::{Deserialize, Serialize};

use super::license::text;
use super::{Id, Json, Manager, Names, Once, Query, answer, list as listing};
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    email: String,
    reason: String,
    #[serde(default)]
    resend: bool,
}

/// Corrects the address, and sends receipts and keys there where that is wanted.
pub(crate) async fn correct(
    State(web): State<Web>,
    manager: Manager,
    Id(id): Id<CustomerId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: Input = sent.read()?;
    let email = Email::parse(&input.email)
        .map_err(|error| Problem::invalid("email", "email_invalid", format!("`email` {error}.")))?;
    let reason = text("reason", &input.reason, 500)?;
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |_: Names| {
        let customer = task.app.correct_email(shop, id, &email, &reason, Actor::Api).await.map_err(named)?;
        if input.resend {
            task.app.resend_to_customer(shop, id, Actor::Api).await?;
        }
        Ok(answer(StatusCode::OK, &view(&customer)))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

/// The field that a refusal is about.
fn named(error: app::Error) -> Problem {
    let is_taken = error == app::Error::Refused(Refusal::EmailTaken);
    let problem = Problem::from(error);
    if is_taken { Problem { param: Some("email".to_owned()), ..problem } } else { problem }
}
