//! The form at the till: what is bought, the total, who buys. `buy` opens it for a tier, `checkout` for a visit that
//! was opened before.
//!
//! The total stands before every personal field. Amounts come from the
//! catalog or the order; what the form says about them is only compared.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use app::mail::markdown;
use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use domain::{
    Answer, AnswerError, AnswerFault, Country, Email, Order, Payment, PaymentState, Question, Supply, WhenOut,
    read_answers,
};
use money::Money;

use crate::problem::Problem;
use crate::public::access;
use crate::public::country::{self, CountryOption};
use crate::public::fields::Fields;
use crate::public::frame::{Frame, page};
use crate::public::pricing::COUNTRY_COOKIE;
use crate::public::words::Words;
use crate::visit::Visit;
use crate::{Web, cookie};

/// How often, and how far apart, a payment is looked at whose page is being opened.
const OPENING_LOOKS: u32 = 25;
const OPENING_PAUSE: Duration = Duration::from_millis(120);

const A_YEAR_IN_SECONDS: i64 = 365 * 24 * 3_600;

/// What a field of the form holds that cannot be taken.
pub(crate) struct FieldError {
    pub(crate) field: Cow<'static, str>,
    pub(crate) text: String,
}

/// Another tier of the same product.
pub(crate) struct TierLink {
    pub(crate) name: String,
    pub(crate) price: String,
    pub(crate) href: String,
    pub(crate) is_chosen: bool,
}

/// The quantity, where it can still be changed.
pub(crate) struct QuantityField {
    pub(crate) value: String,
    pub(crate) hints: Vec<String>,
}

/// What is bought.
pub(crate) struct Line {
    pub(crate) name: String,
    /// `2 × €49.00`, where it is more than one.
    pub(crate) detail: Option<String>,
    pub(crate) amount: String,
    /// What its buyer answered.
    pub(crate) answers: Vec<Answer>,
}

/// A question of the seller's, as the form asks it.
struct QuestionField {
    /// Of the field, and its name.
    id: String,
    label: String,
    help: Option<String>,
    is_required: bool,
    /// Each with whether it is chosen; empty: a line of text.
    choices: Vec<(String, bool)>,
    /// As typed.
    value: String,
}

/// Whether what is bought can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InStock {
    /// At once.
    Now,
    /// Later, and the buyer is told so.
    Later,
    /// Not until there is more.
    Out,
}

impl InStock {
    /// What a buyer of so many finds; what is made here is always there.
    pub(crate) fn of(supply: Option<&Supply>, units: u32) -> Self {
        match supply {
            None => Self::Now,
            Some(supply) if supply.covers(units) => Self::Now,
            Some(supply) => match supply.when_out {
                WhenOut::BackOrder => Self::Later,
                WhenOut::Stop => Self::Out,
            },
        }
    }
}

/// What the buyer said, kept for showing it again.
#[derive(Clone, Default)]
pub(crate) struct Buyer {
    pub(crate) email: String,
    pub(crate) has_consent: bool,
    /// By the name of the question.
    pub(crate) answers: BTreeMap<String, String>,
}

impl Buyer {
    pub(crate) fn read(fields: &Fields, questions: &[Question]) -> Self {
        let answer = |question: &Question| (question.name.clone(), fields.get(&field_of(&question.name)).to_owned());
        Self {
            email: fields.get("email").to_owned(),
            has_consent: fields.get("consent") == "yes",
            answers: questions.iter().map(answer).collect(),
        }
    }
}

pub(crate) struct Till {
    /// Where the form goes.
    pub(crate) action: String,
    /// The id of the visit: pressing twice is one order.
    pub(crate) visit: String,
    /// The currency that the address asked for.
    pub(crate) currency: &'static str,
    pub(crate) highlights: Vec<String>,
    pub(crate) tiers: Vec<TierLink>,
    pub(crate) quantity: Option<QuantityField>,
    pub(crate) lines: Vec<Line>,
    pub(crate) total: Money,
    pub(crate) country: Country,
    pub(crate) buyer: Buyer,
    /// What the seller asks besides.
    pub(crate) questions: Vec<Question>,
    /// Whether the seller's program, or an earlier press, named the address.
    pub(crate) is_email_fixed: bool,
    pub(crate) errors: Vec<FieldError>,
    /// Whether a license key is among what is bought.
    pub(crate) has_keys: bool,
    /// Whether what is bought is in stock.
    pub(crate) stock: InStock,
    /// Something to know before pressing again.
    pub(crate) notice: Option<String>,
    /// The seller's page to turn back to.
    pub(crate) cancel_url: Option<String>,
}

#[derive(Template)]
#[template(path = "public/till.html")]
struct TillPage<'a> {
    frame: &'a Frame,
    till: &'a Till,
    total: String,
    /// The total as the form sends it back, to notice a change.
    shown: String,
    countries: Vec<CountryOption>,
    questions: Vec<QuestionField>,
    needs_consent: bool,
    button: String,
    mandate: String,
    terms_link: String,
    /// Safe HTML.
    refund_policy: String,
}

impl TillPage<'_> {
    fn is_later(&self) -> bool {
        self.till.stock == InStock::Later
    }

    fn is_out(&self) -> bool {
        self.till.stock == InStock::Out
    }

    /// The attributes that tie a field to its hint and its error.
    fn described_by(&self, question: &QuestionField) -> String {
        let id = &question.id;
        let is_wrong = self.error(id).is_some();
        let hint = question.help.as_ref().map(|_| format!("{id}-hint"));
        let error = is_wrong.then(|| format!("{id}-error"));
        let parts: Vec<String> = hint.into_iter().chain(error).collect();
        let described =
            if parts.is_empty() { String::new() } else { format!(" aria-describedby=\"{}\"", parts.join(" ")) };
        let invalid = if is_wrong { " aria-invalid=\"true\"" } else { "" };
        format!("{described}{invalid}")
    }

    fn error(&self, field: &str) -> Option<&str> {
        self.till.errors.iter().find(|error| error.field == field).map(|error| error.text.as_str())
    }
}

impl Till {
    pub(crate) fn page(&self, status: StatusCode, frame: Frame) -> Result<Response, Problem> {
        let frame = if self.errors.is_empty() { frame } else { frame.erroneous() };
        let words = &frame.words;
        let total = words.amount(self.total);
        let button = words.fill("till-pay", &[("total", (&total).into())]);
        let template = TillPage {
            mandate: words.fill(
                "till-mandate",
                &[("button", (&button).into()), ("seller", (&frame.shop.seller.legal_name).into())],
            ),
            terms_link: words.fill("till-terms", &[("version", (&frame.shop.terms_version).into())]),
            shown: shown(self.total),
            countries: country::options(words, self.country),
            questions: self.questions.iter().map(|question| self.question_field(words, question)).collect(),
            needs_consent: self.country.is_in_european_union(),
            refund_policy: markdown::to_html(&frame.shop.refund_policy),
            total,
            button,
            frame: &frame,
            till: self,
        };
        page(status, &frame, &template)
    }

    fn question_field(&self, words: &Words, question: &Question) -> QuestionField {
        let language = words.locale().language();
        let label = question.label.in_language(language);
        let value = self.buyer.answers.get(&question.name).cloned().unwrap_or_default();
        let choice = |choice: &String| (choice.clone(), *choice == value);
        QuestionField {
            id: field_of(&question.name),
            label: match question.is_required {
                true => label.to_owned(),
                false => words.fill("till-optional", &[("label", label.into())]),
            },
            help: question.help.as_ref().map(|help| help.in_language(language).to_owned()),
            is_required: question.is_required,
            choices: question.choices.iter().map(choice).collect(),
            value,
        }
    }
}

/// The field of a question.
fn field_of(name: &str) -> String {
    format!("answer-{name}")
}

/// An amount as the form carries it.
pub(crate) fn shown(total: Money) -> String {
    format!("{} {}", total.minor(), total.currency().code())
}

/// The lines of an order that is written down, with what its buyer answered.
pub(crate) fn lines_with_answers(frame: &Frame, order: &Order) -> Vec<Line> {
    let lines = lines(frame, order).into_iter().zip(&order.lines);
    lines.map(|(line, ordered)| Line { answers: ordered.answers.clone(), ..line }).collect()
}

/// The lines of an order that is written down, and nothing personal.
pub(crate) fn lines(frame: &Frame, order: &Order) -> Vec<Line> {
    order
        .lines
        .iter()
        .map(|line| Line {
            name: line.name(),
            detail: detail(frame, line.quantity, line.unit_amount),
            amount: frame.words.amount(line.amount),
            answers: Vec::new(),
        })
        .collect()
}

pub(crate) fn detail(frame: &Frame, quantity: u32, unit: Money) -> Option<String> {
    let each = frame.words.amount(unit);
    (quantity > 1).then(|| frame.words.fill("till-units", &[("quantity", quantity.into()), ("price", (&each).into())]))
}

/// The address that was typed, or what is wrong with it.
pub(crate) fn email(frame: &Frame, typed: &str) -> Result<Email, FieldError> {
    Email::parse(typed).map_err(|error| FieldError {
        field: "email".into(),
        text: frame.say(&format!("error-email-{}", error.code())),
    })
}

/// What was answered, as it is kept, or what is wrong with each answer.
pub(crate) fn answers(
    frame: &Frame,
    questions: &[Question],
    said: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Vec<FieldError>> {
    let language = frame.words.locale().language();
    let (answers, errors) = read_answers(questions, said, language);
    if errors.is_empty() {
        return Ok(answers.into_iter().map(|answer| (answer.name, answer.value)).collect());
    }
    let told = |error: AnswerError| {
        let question = questions.iter().find(|question| question.name == error.name);
        let label = question.map_or(error.name.as_str(), |question| question.label.in_language(language));
        let id = match error.fault {
            AnswerFault::Missing => "error-answer-missing",
            AnswerFault::TooLong => "error-answer-too_long",
            AnswerFault::NotAChoice | AnswerFault::NotAsked => "error-answer-not_a_choice",
            AnswerFault::CardNumber => "error-answer-card_number",
        };
        let longest = i64::try_from(Question::LONGEST_ANSWER).unwrap_or(i64::MAX);
        let text = frame.words.fill(id, &[("label", label.into()), ("max", longest.into())]);
        FieldError { field: field_of(&error.name).into(), text }
    };
    Err(errors.into_iter().map(told).collect())
}

/// The country that was chosen, or what is wrong with it.
pub(crate) fn country(frame: &Frame, fields: &Fields) -> Result<Country, FieldError> {
    Country::parse(fields.get("country"))
        .ok_or_else(|| FieldError { field: "country".into(), text: frame.say("error-country") })
}

/// Consent to immediate supply, where the law asks for it.
pub(crate) fn consent(frame: &Frame, country: Country, has_consent: bool) -> Result<(), FieldError> {
    if country.is_in_european_union() && !has_consent {
        return Err(FieldError { field: "consent".into(), text: frame.say("error-consent") });
    }
    Ok(())
}

/// A box that was ticked for another country is no consent.
pub(crate) fn consent_counts(country: Country, is_ticked: bool) -> bool {
    country.is_in_european_union() && is_ticked
}

/// On to the gateway's page with the browser of a buyer, which may open the order from now on.
pub(crate) async fn go(web: &Web, country: Country, payment: Payment) -> Response {
    let cookies: Vec<(HeaderName, HeaderValue)> = access::receipt_cookie(web, payment.order)
        .into_iter()
        .chain(cookie::set(COUNTRY_COOKIE, country.code(), "/", A_YEAR_IN_SECONDS, Visit::is_secure(web)))
        .map(|value| (header::SET_COOKIE, value))
        .collect();
    (AppendHeaders(cookies), go_as_stranger(web, payment).await).into_response()
}

/// On to the gateway's page, or to the order where there is none to go to.
pub(crate) async fn go_as_stranger(web: &Web, payment: Payment) -> Response {
    let payment = opened(web, payment).await;
    match &payment.page_url {
        Some(url) if takes_buyer(&payment) => Redirect::to(url).into_response(),
        Some(_) | None => Redirect::to(&format!("/orders/{}", payment.order)).into_response(),
    }
}

/// A payment whose page another press, or the outbox, is opening right now: waits for that answer a little.
async fn opened(web: &Web, payment: Payment) -> Payment {
    let mut payment = payment;
    for _ in 0..OPENING_LOOKS {
        if payment.state != PaymentState::Created {
            break;
        }
        tokio::time::sleep(OPENING_PAUSE).await;
        match web.app.store.payment(payment.shop, payment.id).await {
            Ok(Some(now)) => payment = now,
            Ok(None) | Err(_) => break,
        }
    }
    payment
}

/// Whether the buyer can do something on the gateway's page.
pub(crate) fn takes_buyer(payment: &Payment) -> bool {
    match payment.state {
        PaymentState::Sent | PaymentState::RequiresAction => payment.page_url.is_some(),
        PaymentState::Created
        | PaymentState::Processing
        | PaymentState::Unknown
        | PaymentState::Canceled
        | PaymentState::Failed
        | PaymentState::Succeeded => false,
    }
}
