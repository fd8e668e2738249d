//! Customers: the list, and one customer with everything bought.

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Customer, CustomerId, Email, Refusal, plain_text};
use serde::Deserialize;
use store::{DeliveryFilter, LicenseFilter, OrderFilter, Page};

use super::order::{DeliveryRow, LicenseRow, OrderRow};
use super::{Chrome, Staff, done, list_page, page};
use crate::Web;
use crate::problem::Problem;

/// One customer in a list.
pub(crate) struct CustomerRow {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) country: String,
    pub(crate) at: String,
}

impl CustomerRow {
    pub(crate) fn new(chrome: &Chrome<'_>, customer: &Customer) -> Self {
        Self {
            id: customer.id.to_string(),
            email: customer.email.to_string(),
            name: customer.name.clone().unwrap_or_else(|| "–".to_owned()),
            country: chrome.t(&format!("country-{}", customer.country)),
            at: chrome.date(&customer.created_at),
        }
    }
}

#[derive(Template)]
#[template(path = "console/customers.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    customers: Vec<CustomerRow>,
    next: Option<String>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "customers");
    let asked = list_page(&staff.visit.path, |text| CustomerId::parse(text).ok());
    let listing = web.app.store.customers(staff.shop(), asked).await.map_err(app::Error::from)?;
    let next =
        listing.data.last().filter(|_| listing.has_more).map(|last| format!("/console/customers?after={}", last.id));
    let customers = listing.data.iter().map(|customer| CustomerRow::new(&chrome, customer)).collect();
    Ok(page(StatusCode::OK, &List { chrome, customers, next }))
}

#[derive(Template)]
#[template(path = "console/customer.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    customer: CustomerRow,
    orders: Vec<OrderRow>,
    licenses: Vec<LicenseRow>,
    deliveries: Vec<DeliveryRow>,
}

pub(crate) async fn show(
    State(web): State<Web>,
    staff: Staff,
    Path(customer): Path<String>,
) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "customers");
    let store = &web.app.store;
    let id = CustomerId::parse(&customer).map_err(|_| Problem::not_found("customer"))?;
    let customer = store
        .customer(staff.shop(), id)
        .await
        .map_err(app::Error::from)?
        .ok_or_else(|| Problem::not_found("customer"))?;
    let orders = OrderFilter { customer: Some(id), ..OrderFilter::default() };
    let orders =
        store.orders(staff.shop(), &orders, Page { starting_after: None, ending_before: None, limit: 100 }).await;
    let licenses = LicenseFilter { customer: Some(id), ..LicenseFilter::default() };
    let licenses =
        store.licenses(staff.shop(), &licenses, Page { starting_after: None, ending_before: None, limit: 100 }).await;
    let deliveries = DeliveryFilter { customer: Some(id), ..DeliveryFilter::default() };
    let deliveries = store
        .deliveries(staff.shop(), &deliveries, Page { starting_after: None, ending_before: None, limit: 50 })
        .await;
    let now = web.app.clock.now();
    let view = Show {
        customer: CustomerRow::new(&chrome, &customer),
        orders: orders.map_err(app::Error::from)?.data.iter().map(|order| OrderRow::new(&chrome, order)).collect(),
        licenses: licenses
            .map_err(app::Error::from)?
            .data
            .iter()
            .map(|license| LicenseRow::new(&chrome, license, now))
            .collect(),
        deliveries: deliveries
            .map_err(app::Error::from)?
            .data
            .iter()
            .map(|delivery| DeliveryRow::linked(&chrome, delivery))
            .collect(),
        chrome,
    };
    Ok(page(StatusCode::OK, &view))
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    email: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    resend: String,
}

/// Corrects the address, and sends receipts and keys there where that is wanted.
pub(crate) async fn correct(
    State(web): State<Web>,
    staff: Staff,
    Path(customer): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let id = CustomerId::parse(&customer).map_err(|_| Problem::not_found("customer"))?;
    let back = format!("/console/customers/{id}");
    let (Ok(email), Ok(reason)) = (Email::parse(&typed.email), plain_text(&typed.reason, 500)) else {
        return Ok(done(&back, "email-unread"));
    };
    match web.app.correct_email(staff.shop(), id, &email, &reason, staff.actor()).await {
        Ok(_) => {}
        Err(app::Error::Refused(Refusal::EmailTaken)) => return Ok(done(&back, "email-taken")),
        Err(error) => return Err(error.into()),
    }
    let sends = typed.resend == "yes" && web.app.resend_to_customer(staff.shop(), id, staff.actor()).await? > 0;
    Ok(done(&back, if sends { "email-resent" } else { "email-corrected" }))
}
