//! A visit to the till that was opened before: by the seller's program, or by
//! a buyer who came back from the gateway without paying.
//!
//! What is bought stands fast here; to change it is to begin again. Once pay
//! was pressed nothing personal is shown but to the buyer: whoever else has the
//! link sees the total.

use std::collections::BTreeMap;

use app::{App, CheckoutInput, is_about_answers, is_about_stock};
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{Actor, BuyerDetails, CheckoutId, CheckoutState, Order, Payment, Refusal, Sale};

use crate::Web;
use crate::problem::Problem;
use crate::public::access::{self, Access};
use crate::public::fields::{Fields, address};
use crate::public::frame::{Frame, page};
use crate::public::till::{self, Buyer, FieldError, InStock, Line, Till};
use crate::visit::Visit;

/// Where a visit can go on from.
enum Step {
    /// Everything is still to be said.
    Open,
    /// The gateway's page is open.
    AtGateway { payment: Payment },
    /// The last attempt ended without money.
    Again { payment: Payment },
    /// Nothing to do here: the order's page tells how it stands.
    AtOrder,
    /// Its time is over.
    Over,
}

#[derive(Template)]
#[template(path = "public/checkout.html")]
struct CheckoutPage<'a> {
    frame: &'a Frame,
    text: String,
    /// Why the last attempt failed.
    decline: Option<String>,
    lines: Vec<Line>,
    total: String,
    button: String,
    action: String,
    /// Where to choose anew.
    change_href: Option<String>,
    cancel_url: Option<&'a str>,
}

pub(crate) async fn show(State(web): State<Web>, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let sale = find(&web, &visit, &id).await?;
    let visit = visit.speaking(&web, &sale.order.locale);
    match step(&web, &sale) {
        Step::AtOrder => Ok(to_order(&sale.order)),
        Step::Open => open_till(&web, &visit, &sale, Buyer::default(), Vec::new(), None).await,
        Step::AtGateway { payment } | Step::Again { payment } => {
            let decline = payment.decline.as_ref();
            let frame = frame(
                &web,
                &visit,
                if decline.is_some() { "checkout-declined-title" } else { "checkout-continue-title" },
            );
            let decline = decline.map(|decline| frame.words.decline(decline));
            let text = frame.say(if decline.is_some() { "checkout-declined" } else { "checkout-continue" });
            continue_page(&frame, &sale, text, decline, "checkout-continue-button")
        }
        Step::Over => {
            let frame = frame(&web, &visit, "checkout-expired-title");
            let text = frame.say("checkout-expired");
            continue_page(&frame, &sale, text, None, "checkout-expired-button")
        }
    }
}

pub(crate) async fn submit(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let sale = find(&web, &visit, &id).await?;
    let visit = visit.speaking(&web, &sale.order.locale);
    match step(&web, &sale) {
        Step::AtOrder => Ok(to_order(&sale.order)),
        Step::Over => {
            let again = open_again(&web, &visit, same_again(&sale, shows_buyer(&web, &visit, &sale).await?)?).await?;
            Ok(Redirect::to(&format!("/checkout/{}", again.checkout.id)).into_response())
        }
        Step::AtGateway { payment } => Ok(to_gateway(&payment)),
        Step::Again { .. } => {
            let submitted = match web.app.retry_payment(&visit.shop, sale.order.id).await {
                Ok(submitted) => submitted,
                Err(error) if is_about_stock(&error) && shows_buyer(&web, &visit, &sale).await? => {
                    return open_till(&web, &visit, &sale, Buyer::default(), Vec::new(), None).await;
                }
                Err(error) if is_about_stock(&error) => {
                    let frame = frame(&web, &visit, "checkout-continue-title");
                    return continue_page(&frame, &sale, frame.say("till-out"), None, "checkout-continue-button");
                }
                Err(error) => return Err(error.into()),
            };
            // Whoever has the link may pay; the order opens for the one who said where the keys go.
            Ok(till::go_as_stranger(&web, submitted.payment).await)
        }
        Step::Open => press(&web, &visit, &sale, &fields).await,
    }
}

async fn press(web: &Web, visit: &Visit, sale: &Sale, fields: &Fields) -> Result<Response, Problem> {
    let frame = frame(web, visit, "checkout-title");
    let questions = sale.order.questions();
    let typed = Buyer::read(fields, &questions);
    let country = till::country(&frame, fields);
    if fields.get("press") == "update" {
        let mut sale = sale.clone();
        sale.order.country = country.unwrap_or(sale.order.country);
        return open_till(web, visit, &sale, typed, Vec::new(), None).await;
    }
    let email = match &sale.order.email {
        Some(email) => Ok(email.clone()),
        None => till::email(&frame, &typed.email),
    };
    let answers = till::answers(&frame, &questions, &typed.answers);
    let consent = country.as_ref().map_or(Ok(()), |country| till::consent(&frame, *country, typed.has_consent));
    match (email, answers, country, consent) {
        (Ok(email), Ok(answers), Ok(country), Ok(())) => {
            let buyer = BuyerDetails {
                email,
                name: None,
                country,
                locale: visit.locale.clone(),
                immediate_supply: till::consent_counts(country, typed.has_consent),
                accepts_later: fields.get("later") == "yes",
                answers,
            };
            match web.app.submit_checkout(&visit.shop, sale.checkout.id, &buyer).await {
                Ok(submitted) => Ok(till::go(web, country, submitted.payment).await),
                // The page says what has changed: somebody else had the last one.
                Err(error) if is_about_stock(&error) => {
                    let notice = Some(frame.say("till-stock-changed"));
                    open_till(web, visit, sale, typed, Vec::new(), notice).await
                }
                // Another press was faster, and said something else: this one gets an order of its own.
                Err(app::Error::Refused(Refusal::SubmittedOtherwise)) => {
                    let again = open_again(web, visit, same_again(sale, true)?).await?;
                    let submitted = web.app.submit_checkout(&visit.shop, again.checkout.id, &buyer).await?;
                    Ok(till::go(web, country, submitted.payment).await)
                }
                Err(error) => Err(error.into()),
            }
        }
        (email, answers, country, consent) => {
            let mut sale = sale.clone();
            sale.order.country = *country.as_ref().unwrap_or(&sale.order.country);
            let errors = email.err().into_iter().chain(answers.err().into_iter().flatten());
            let errors = errors.chain(country.err()).chain(consent.err()).collect();
            open_till(web, visit, &sale, typed, errors, None).await
        }
    }
}

async fn find(web: &Web, visit: &Visit, id: &str) -> Result<Sale, Problem> {
    let id = CheckoutId::parse(id).map_err(|_| Problem::not_found("checkout"))?;
    Ok(web.app.sale_of_checkout(visit.shop.id, id).await?)
}

fn step(web: &Web, sale: &Sale) -> Step {
    if sale.order.state.was_paid() {
        return Step::AtOrder;
    }
    if let Some(payment) = sale.payments.iter().find(|payment| payment.state.is_open()) {
        return if till::takes_buyer(payment) { Step::AtGateway { payment: payment.clone() } } else { Step::AtOrder };
    }
    if !App::is_payable(sale) || sale.checkout.expires_at <= web.app.clock.now() {
        return match sale.checkout.state {
            CheckoutState::Completed => Step::AtOrder,
            CheckoutState::Open | CheckoutState::Submitted | CheckoutState::Abandoned | CheckoutState::Expired => {
                Step::Over
            }
        };
    }
    match sale.payments.last() {
        Some(payment) => Step::Again { payment: payment.clone() },
        None => Step::Open,
    }
}

fn frame(web: &Web, visit: &Visit, title: &str) -> Frame {
    let frame = Frame::new(web, visit, String::new()).private();
    Frame { title: frame.say(title), ..frame }
}

async fn open_till(
    web: &Web,
    visit: &Visit,
    sale: &Sale,
    typed: Buyer,
    errors: Vec<FieldError>,
    notice: Option<String>,
) -> Result<Response, Problem> {
    let frame = frame(web, visit, "checkout-title");
    let stock = match web.app.look_into_stock(sale).await {
        Ok(()) => InStock::Now,
        Err(app::Error::Refused(Refusal::OnBackOrder)) => InStock::Later,
        Err(app::Error::Refused(Refusal::OutOfStock)) => InStock::Out,
        Err(error) => return Err(error.into()),
    };
    let order = &sale.order;
    let till = Till {
        action: format!("/checkout/{}", sale.checkout.id),
        visit: sale.checkout.id.to_string(),
        currency: order.total.currency().code(),
        highlights: Vec::new(),
        tiers: Vec::new(),
        quantity: None,
        lines: till::lines_with_answers(&frame, order),
        total: order.total,
        country: order.country,
        is_email_fixed: order.email.is_some(),
        buyer: Buyer { email: order.email.as_ref().map_or(typed.email.clone(), ToString::to_string), ..typed },
        questions: order.questions(),
        errors,
        has_keys: order.has_keys(),
        stock,
        notice,
        cancel_url: sale.checkout.cancel_url.clone(),
    };
    let status = if till.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    till.page(status, frame)
}

fn continue_page(
    frame: &Frame,
    sale: &Sale,
    text: String,
    decline: Option<String>,
    button: &str,
) -> Result<Response, Problem> {
    let order = &sale.order;
    let total = frame.words.amount(order.total);
    let change_href = order.choice().map(|(plan, quantity)| {
        let parameters = [
            ("quantity", quantity.to_string()),
            ("country", order.country.to_string()),
            ("currency", order.total.currency().code().to_owned()),
        ];
        let parameters = parameters.each_ref().map(|(name, value)| (*name, value.as_str()));
        address(&format!("/buy/{plan}"), &parameters)
    });
    let template = CheckoutPage {
        text,
        decline,
        lines: till::lines(frame, order),
        button: frame.words.fill(button, &[("total", (&total).into())]),
        total,
        action: format!("/checkout/{}", sale.checkout.id),
        change_href,
        cancel_url: sale.checkout.cancel_url.as_deref(),
        frame,
    };
    page(StatusCode::OK, frame, &template)
}

/// Whether this browser may see address and answers: those of a visit that its opener has said, before anybody pressed
/// pay; afterwards its buyer's own.
async fn shows_buyer(web: &Web, visit: &Visit, sale: &Sale) -> Result<bool, Problem> {
    Ok(sale.payments.is_empty() || access::of(web, visit, &sale.order).await? == Some(Access::Buyer))
}

/// Opens a visit with the same contents; without the answers where something else is asked by now.
async fn open_again(web: &Web, visit: &Visit, input: CheckoutInput) -> Result<Sale, Problem> {
    let plain = CheckoutInput { answers: BTreeMap::new(), ..input.clone() };
    match web.app.open_checkout(&visit.shop, input, Actor::Buyer).await {
        Err(error) if is_about_answers(&error) => Ok(web.app.open_checkout(&visit.shop, plain, Actor::Buyer).await?),
        opened => Ok(opened?),
    }
}

/// The same contents, at what the catalog asks for them now. Whose they were only for the buyer: whoever else has the link
/// of the old visit must not read it on the page of the new one.
fn same_again(sale: &Sale, shows_buyer: bool) -> Result<CheckoutInput, Problem> {
    let (plan, quantity) = sale.order.choice().ok_or_else(|| Problem::not_found("plan"))?;
    Ok(CheckoutInput {
        plan,
        id: None,
        quantity,
        currency: Some(sale.order.total.currency()),
        coupon: None,
        email: sale.order.email.clone().filter(|_| shows_buyer),
        country: sale.order.country,
        locale: sale.order.locale.clone(),
        success_url: sale.checkout.success_url.clone(),
        cancel_url: sale.checkout.cancel_url.clone(),
        metadata: sale.order.metadata.clone(),
        answers: if shows_buyer { sale.order.answers() } else { BTreeMap::new() },
    })
}

fn to_order(order: &Order) -> Response {
    Redirect::to(&format!("/orders/{}", order.id)).into_response()
}

fn to_gateway(payment: &Payment) -> Response {
    let order = || format!("/orders/{}", payment.order);
    Redirect::to(&payment.page_url.clone().unwrap_or_else(order)).into_response()
}
