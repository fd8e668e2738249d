//! Giving money back: the form on the order's page, a page to confirm what was
//! typed, and what the gateway said. The page to confirm names the refund, so
//! that pressing its button twice gives back once.

use app::RefundInput;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Occurrence, RefundId, RefundReason, RefundState, Refusal, Sale, decide};
use money::{Currency, Money};
use serde::Deserialize;

use super::{Chrome, Staff, done, order, page};
use crate::Web;
use crate::problem::Problem;

/// What was typed into the form, and what was wrong with it.
pub(crate) struct RefundForm {
    pub(crate) amount: String,
    pub(crate) most: String,
    pub(crate) currency: &'static str,
    pub(crate) reason: String,
    pub(crate) revoke: String,
    pub(crate) error: Option<String>,
}

impl RefundForm {
    /// The form as it stands on a page: everything that is left, because the buyer asked.
    pub(crate) fn blank(chrome: &Chrome<'_>, left: Money) -> Self {
        Self {
            amount: left.to_major_string(),
            most: chrome.money(&left),
            currency: left.currency().code(),
            reason: RefundReason::RequestedByCustomer.as_str().to_owned(),
            revoke: String::new(),
            error: None,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    amount: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    revoke: String,
    /// The refund's id: only the page that asks to confirm sends one.
    #[serde(default)]
    refund: String,
}

#[derive(Template)]
#[template(path = "console/refund.html")]
struct Confirm<'a> {
    chrome: Chrome<'a>,
    typed: Typed,
    refund: String,
    order: String,
    number: String,
    email: String,
    amount: String,
    left: String,
    reason: String,
    licenses: String,
}

/// What can be given back of the order.
pub(crate) fn refundable(sale: &Sale) -> Money {
    let none = Money::zero(sale.order.total.currency());
    sale.captured().and_then(|payment| sale.refundable(payment).ok()).unwrap_or(none)
}

/// Money that came although the order had been paid otherwise, and that could not be sent back.
pub(crate) struct Surplus {
    /// As it is shown.
    pub(crate) amount: String,
    /// As it would be typed.
    pub(crate) typed: String,
    /// Why it did not go back, in the gateway's words.
    pub(crate) failure: String,
}

impl Surplus {
    pub(crate) fn of(chrome: &Chrome<'_>, sale: &Sale) -> Option<Self> {
        let (payment, left) = sale.surplus()?;
        let failures = sale.refunds.iter().rev().filter(|refund| refund.payment == payment.id);
        Some(Self {
            amount: chrome.money(&left),
            typed: left.to_major_string(),
            failure: failures.filter_map(|refund| refund.failure.clone()).next().unwrap_or_default(),
        })
    }
}

/// `19,99` is how most of Europe types `19.99`; what comes of it stands on the page that asks to confirm.
fn read_amount(typed: &str, currency: Currency) -> Result<Money, Refusal> {
    let typed = typed.trim();
    let amount = if typed.contains('.') { typed.to_owned() } else { typed.replacen(',', ".", 1) };
    Money::parse_major(&amount, currency).map_err(Refusal::from)
}

fn read(typed: &Typed, currency: Currency) -> Result<RefundInput, Refusal> {
    let amount = Some(read_amount(&typed.amount, currency)?);
    let revoke = match typed.revoke.as_str() {
        "revoke" => Some(true),
        "keep" => Some(false),
        _ => None,
    };
    let reason = match RefundReason::parse(&typed.reason) {
        Some(
            reason @ (RefundReason::RequestedByCustomer
            | RefundReason::Duplicate
            | RefundReason::Fraudulent
            | RefundReason::SurpriseCapture),
        ) => reason,
        Some(RefundReason::MadeAtGateway) | None => RefundReason::RequestedByCustomer,
    };
    Ok(RefundInput { id: RefundId::parse(&typed.refund).ok(), amount, reason, revoke })
}

pub(crate) async fn submit(
    State(web): State<Web>,
    staff: Staff,
    Path(order): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let order = order::parse(&order)?;
    let sale = web.app.sale(staff.shop(), order).await?;
    let input = match read(&typed, sale.order.total.currency()) {
        Ok(input) => input,
        Err(refusal) => return ask_again(&web, &staff, &sale, typed, &refusal).await,
    };
    let Some(id) = input.id else { return confirm(&web, &staff, &sale, typed, input).await };
    let word = match web.app.refund_order(staff.shop(), order, input, staff.actor()).await {
        Ok(sale) => match sale.refunds.iter().find(|refund| refund.id == id).map(|refund| refund.state) {
            Some(RefundState::Pending | RefundState::Succeeded) => "refunded",
            Some(RefundState::Created) | None => "refund-waits",
            Some(RefundState::Canceled | RefundState::Failed) => "refund-refused",
        },
        Err(app::Error::Refused(refusal)) => return ask_again(&web, &staff, &sale, typed, &refusal).await,
        Err(error) => return Err(error.into()),
    };
    Ok(done(&format!("/console/orders/{order}"), word))
}

/// Shows what would happen. Nothing is written yet.
async fn confirm(web: &Web, staff: &Staff, sale: &Sale, typed: Typed, input: RefundInput) -> Result<Response, Problem> {
    let now = web.app.clock.now();
    let mut rng = web.app.entropy.rng();
    let RefundInput { id: _, amount, reason, revoke } = input;
    let wanted = Occurrence::RefundRequested { refund: None, amount, reason, revoke };
    if let Err(refusal) = decide(sale, &wanted, staff.actor(), now, &mut rng) {
        return ask_again(web, staff, sale, typed, &refusal).await;
    }
    let chrome = staff.chrome(web, "orders");
    let left = match (reason, sale.surplus()) {
        (RefundReason::SurpriseCapture, Some((_, surplus))) => surplus,
        (
            RefundReason::SurpriseCapture
            | RefundReason::RequestedByCustomer
            | RefundReason::Duplicate
            | RefundReason::Fraudulent
            | RefundReason::MadeAtGateway,
            _,
        ) => refundable(sale),
    };
    let amount = amount.unwrap_or(left);
    let view = Confirm {
        refund: RefundId::mint(now, &mut rng).to_string(),
        order: sale.order.id.to_string(),
        number: sale.order.number.to_string(),
        email: sale.order.email.as_ref().map(ToString::to_string).unwrap_or_default(),
        amount: chrome.money(&amount),
        left: chrome.money(&left.checked_sub(amount).unwrap_or_else(|_| Money::zero(left.currency()))),
        licenses: chrome.t(match revoke {
            Some(true) => "console-refund-revoke",
            Some(false) => "console-refund-keep",
            None => "console-refund-default",
        }),
        reason: chrome.reason(reason.as_str()),
        typed,
        chrome,
    };
    Ok(page(StatusCode::OK, &view))
}

/// The order's page with what was typed and why it cannot be taken.
async fn ask_again(
    web: &Web,
    staff: &Staff,
    sale: &Sale,
    typed: Typed,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let chrome = staff.chrome(web, "orders");
    let left = refundable(sale);
    let id = format!("console-refusal-{}", refusal.code().replace('_', "-"));
    let cause = chrome.with(&id, "most", &chrome.money(&left));
    let Typed { amount, reason, revoke, refund: _ } = typed;
    let blank = RefundForm::blank(&chrome, left);
    let form = match RefundReason::parse(&reason) {
        // Its button is not this form, which must not be sent by mistake in its place.
        Some(RefundReason::SurpriseCapture) => RefundForm { error: Some(cause), ..blank },
        Some(
            RefundReason::RequestedByCustomer
            | RefundReason::Duplicate
            | RefundReason::Fraudulent
            | RefundReason::MadeAtGateway,
        )
        | None => RefundForm { amount, reason, revoke, error: Some(cause), ..blank },
    };
    order::draw(web, staff, sale, StatusCode::UNPROCESSABLE_ENTITY, order::Typed::Refund(form)).await
}
