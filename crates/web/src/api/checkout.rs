//! Checkouts, opened by the seller's program.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::CheckoutInput;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{
    Actor, Changes, CheckoutId, Country, Customer, CustomerId, Email, Locale, OrderId, PaymentId, Plan, PlanId, Sale,
    Shop, ShopId, Timestamp, plain_text,
};
use money::{Currency, Money};
use serde::{Deserialize, Serialize};
use store::ListedCheckout;

use super::{Id, Json, Manager, Names, Object, Once, Query, answer, list as listing, payment};
use crate::Web;
use crate::problem::Problem;

/// Of each metadata entry, as at Stripe: 50 entries, names of 40 and values of 500 characters.
const METADATA: (usize, usize, usize) = (50, 40, 500);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    plan: String,
    quantity: Option<serde_json::Number>,
    currency: Option<String>,
    coupon: Option<String>,
    customer: Object<CustomerInput>,
    success_url: Option<String>,
    cancel_url: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    answers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerInput {
    email: String,
    country: String,
    name: Option<String>,
    locale: Option<String>,
}

#[derive(Serialize)]
struct CheckoutView {
    id: CheckoutId,
    state: &'static str,
    url: String,
    total: Money,
    order: OrderId,
    order_number: String,
    plan: Option<PlanId>,
    quantity: u32,
    payments: Vec<payment::PaymentView>,
    payment: Option<PaymentId>,
    success_url: Option<String>,
    cancel_url: Option<String>,
    metadata: BTreeMap<String, String>,
    expires_at: Timestamp,
    created_at: Timestamp,
}

fn page_of(web: &Web, checkout: CheckoutId) -> String {
    format!("{}/checkout/{checkout}", web.app.settings.public_url)
}

fn view(web: &Web, sale: &Sale) -> CheckoutView {
    let choice = sale.order.choice();
    CheckoutView {
        id: sale.checkout.id,
        state: sale.checkout.state.as_str(),
        url: page_of(web, sale.checkout.id),
        total: sale.order.total,
        order: sale.order.id,
        order_number: sale.order.number.to_string(),
        plan: choice.map(|(plan, _)| plan),
        quantity: choice.map_or(0, |(_, quantity)| quantity),
        payment: sale.payments.last().map(|payment| payment.id),
        payments: sale.payments.iter().map(payment::view).collect(),
        success_url: sale.checkout.success_url.clone(),
        cancel_url: sale.checkout.cancel_url.clone(),
        metadata: sale.order.metadata.clone(),
        expires_at: sale.checkout.expires_at,
        created_at: sale.checkout.created_at,
    }
}

pub(crate) async fn create(
    State(web): State<Web>,
    manager: Manager,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_check_out()?;
    let input: Input = sent.read()?;
    let plan = input.plan.clone();
    let name = input.customer.0.name.as_deref().map(name).transpose()?;
    let wanted = wanted(&manager.shop, input)?;
    let (task, shop) = (web.clone(), Arc::clone(&manager.shop));
    let work = |names: Names| open(task, shop, plan, wanted, name, names);
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

async fn open(
    web: Web,
    shop: Arc<Shop>,
    plan_name: String,
    wanted: impl FnOnce(PlanId) -> CheckoutInput,
    name: Option<String>,
    mut names: Names,
) -> Result<Response, Problem> {
    let plan = plan(&web, shop.id, &plan_name).await?;
    let wanted = CheckoutInput { id: Some(names.mint(CheckoutId::mint)), ..wanted(plan.id) };
    let buyer = wanted.email.clone().zip(name).map(|(email, name)| Customer {
        id: names.mint(CustomerId::mint),
        shop: shop.id,
        version: 0,
        email,
        name: Some(name),
        country: wanted.country,
        locale: wanted.locale.clone(),
        created_at: web.app.clock.now(),
    });
    let sale = web.app.open_checkout_in_stock(&shop, wanted, Actor::Api).await.map_err(named)?;
    if let Some(buyer) = buyer {
        introduce(&web, buyer).await?;
    }
    Ok(answer(StatusCode::CREATED, &view(&web, &sale)))
}

/// Keeps the name of a buyer of whom none is known, for the invoice.
async fn introduce(web: &Web, buyer: Customer) -> Result<(), Problem> {
    let known = web.app.store.customer_by_email(buyer.shop, &buyer.email).await.map_err(app::Error::from)?;
    let buyer = match known {
        Some(known) if known.name.is_some() => return Ok(()),
        Some(known) => Customer { name: buyer.name, ..known },
        None => buyer,
    };
    Ok(web.app.write(&Changes { customers: vec![buyer], ..Changes::default() }).await?)
}

fn name(text: &str) -> Result<String, Problem> {
    plain_text(text, 200)
        .map_err(|error| Problem::invalid("customer.name", "name_invalid", format!("`customer.name` {error}.")))
}

/// The field that a refusal is about.
fn named(error: app::Error) -> Problem {
    let param = match &error {
        app::Error::Refused(domain::Refusal::QuantityOutOfRange { .. } | domain::Refusal::Money(_)) => {
            Some("quantity".to_owned())
        }
        app::Error::Refused(domain::Refusal::CouponUnknown) => Some("coupon".to_owned()),
        app::Error::Refused(domain::Refusal::NoPriceInCurrency) => Some("currency".to_owned()),
        app::Error::Refused(domain::Refusal::PlanNotOnSale | domain::Refusal::OutOfStock) => Some("plan".to_owned()),
        app::Error::Refused(domain::Refusal::AnswerMissing { name } | domain::Refusal::AnswerInvalid { name, .. }) => {
            Some(format!("answers.{}", name.chars().take(40).collect::<String>()))
        }
        app::Error::Refused(_)
        | app::Error::NotFound { .. }
        | app::Error::Unavailable(_)
        | app::Error::Conflict { .. }
        | app::Error::Configuration(_) => None,
    };
    Problem { param, ..Problem::from(error) }
}

/// The plan, by id or by slug.
async fn plan(web: &Web, shop: ShopId, name: &str) -> Result<Plan, Problem> {
    let store = &web.app.store;
    let found = match PlanId::parse(name) {
        Ok(id) => store.plan(shop, id).await,
        Err(_) => store.plan_by_slug(shop, name).await,
    };
    found.map_err(app::Error::from)?.ok_or_else(|| Problem::invalid("plan", "plan_unknown", "There is no such plan."))
}

/// Everything that is wanted, but for the plan.
fn wanted(shop: &Shop, input: Input) -> Result<impl FnOnce(PlanId) -> CheckoutInput + Send + use<>, Problem> {
    let quantity = match input.quantity {
        None => 1,
        Some(number) => {
            number.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0).ok_or_else(
                || {
                    Problem::invalid(
                        "quantity",
                        "quantity_out_of_range",
                        "`quantity` must be a whole number, at least 1 and at most what the plan allows.",
                    )
                },
            )?
        }
    };
    let currency = input
        .currency
        .map(|code| {
            Currency::parse(&code)
                .map_err(|_| Problem::invalid("currency", "currency_unknown", "`currency` must be an ISO 4217 code."))
        })
        .transpose()?;
    let Object(customer) = input.customer;
    let email = Email::parse(&customer.email)
        .map_err(|error| Problem::invalid("customer.email", "email_invalid", format!("`customer.email` {error}.")))?;
    let country = Country::parse(&customer.country).ok_or_else(|| {
        Problem::invalid(
            "customer.country",
            "country_unknown",
            "`customer.country` must be an ISO 3166-1 alpha-2 code.",
        )
    })?;
    let locale = match customer.locale {
        None => shop.default_locale.clone(),
        Some(tag) => Locale::parse(&tag).ok_or_else(|| {
            Problem::invalid(
                "customer.locale",
                "locale_invalid",
                "`customer.locale` must be a BCP 47 language tag, as `de` or `pt-BR`.",
            )
        })?,
    };
    let success_url = address("success_url", input.success_url)?;
    let cancel_url = address("cancel_url", input.cancel_url)?;
    let metadata = metadata(input.metadata.unwrap_or_default())?;
    let answers = input.answers.unwrap_or_default();
    Ok(move |plan| CheckoutInput {
        plan,
        id: None,
        quantity,
        currency,
        coupon: input.coupon,
        email: Some(email),
        country,
        locale,
        success_url,
        cancel_url,
        metadata,
        answers,
    })
}

/// An absolute http(s) address of the seller's.
fn address(param: &str, url: Option<String>) -> Result<Option<String>, Problem> {
    let Some(url) = url else { return Ok(None) };
    let parsed: Option<axum::http::Uri> = url.parse().ok();
    let fits = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    let plain = url.len() <= 2_000
        && url.is_ascii()
        && !url.contains(|sign: char| sign.is_ascii_control() || matches!(sign, '\\' | '@' | ' '));
    if fits && plain {
        Ok(Some(url))
    } else {
        Err(Problem::invalid(param, "url_invalid", format!("`{param}` must be an absolute http or https address.")))
    }
}

fn metadata(entries: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Problem> {
    let (most, longest_name, longest_value) = METADATA;
    if entries.len() > most {
        return Err(Problem::invalid(
            "metadata",
            "metadata_too_large",
            format!("`metadata` takes at most {most} entries."),
        ));
    }
    for (name, value) in &entries {
        let param = format!("metadata.{}", name.chars().take(longest_name).collect::<String>());
        if name.is_empty() || name.chars().count() > longest_name || value.chars().count() > longest_value {
            let detail =
                format!("A name in `metadata` takes 1 to {longest_name} characters, a value at most {longest_value}.");
            return Err(Problem::invalid(&param, "metadata_too_large", detail));
        }
        if name.contains('\0') || value.contains('\0') {
            return Err(Problem::invalid(&param, "parameter_invalid", "NUL characters cannot be kept."));
        }
        if domain::contains_card_number(name) || domain::contains_card_number(value) {
            return Err(Problem::invalid(
                &param,
                "card_number_refused",
                "This looks like a card number; it is not kept.",
            ));
        }
    }
    Ok(entries)
}

pub(crate) async fn show(
    State(web): State<Web>,
    manager: Manager,
    Id(id): Id<CheckoutId>,
) -> Result<Response, Problem> {
    let sale = web.app.sale_of_checkout(manager.shop.id, id).await?;
    Ok(answer(StatusCode::OK, &view(&web, &sale)))
}

/// A checkout as a list shows it.
#[derive(Serialize)]
struct ListedCheckoutView {
    id: CheckoutId,
    state: &'static str,
    url: String,
    total: Money,
    order: OrderId,
    success_url: Option<String>,
    cancel_url: Option<String>,
    expires_at: Timestamp,
    created_at: Timestamp,
}

fn listed(web: &Web, listed: &ListedCheckout) -> ListedCheckoutView {
    let checkout = &listed.checkout;
    ListedCheckoutView {
        id: checkout.id,
        state: checkout.state.as_str(),
        url: page_of(web, checkout.id),
        total: listed.total,
        order: checkout.order,
        success_url: checkout.success_url.clone(),
        cancel_url: checkout.cancel_url.clone(),
        expires_at: checkout.expires_at,
        created_at: checkout.created_at,
    }
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
    let rows = web.app.store.checkouts(manager.shop.id, asked).await.map_err(app::Error::from)?;
    Ok(listing(rows, |checkout| listed(&web, checkout)))
}
