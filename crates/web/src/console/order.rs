//! Orders: the list, and one order with everything that happened to it.

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{
    Activation, Answer, Delivery, License, Notice, Order, OrderId, OrderLine, OrderState, Payment, PaymentId, Refund,
    Sale,
};
use serde::Deserialize;
use store::{DeliveryFilter, NoticeFilter, OrderFilter, Page};

use super::claim::Proof;
use super::message::{MessageForm, Thread};
use super::refund::{RefundForm, Surplus};
use super::{Chrome, Filter, Moment, Staff, done, event_moment, filters, list_page, page, query, state_text, who};
use crate::Web;
use crate::problem::Problem;

/// One order in a list.
pub(crate) struct OrderRow {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) state: &'static str,
    pub(crate) state_text: String,
    pub(crate) total: String,
    pub(crate) email: String,
    pub(crate) what: String,
    pub(crate) at: String,
    /// Since when its buyer waits for an answer.
    pub(crate) waits: Option<String>,
}

impl OrderRow {
    pub(crate) fn new(chrome: &Chrome<'_>, order: &Order) -> Self {
        Self {
            id: order.id.to_string(),
            number: order.number.to_string(),
            state: order.state.as_str(),
            state_text: state_text(chrome, order.state.as_str()),
            total: chrome.money(&order.total),
            email: order.email.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string),
            what: what(order),
            at: chrome.date(&order.created_at),
            waits: order.unanswered_since.map(|at| chrome.with("console-messages-waits", "date", &chrome.date(&at))),
        }
    }
}

/// The labels of what a line asks and nobody answered.
pub(super) fn unanswered(chrome: &Chrome<'_>, line: &OrderLine) -> Vec<String> {
    let language = chrome.locale().language();
    line.questions.iter().map(|question| question.label.in_language(language).to_owned()).collect()
}

fn what(order: &Order) -> String {
    order
        .lines
        .iter()
        .map(|line| match line.quantity {
            1 => format!("{} {}", line.product_name, line.plan_name),
            many => format!("{many} × {} {}", line.product_name, line.plan_name),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// The list of orders whose buyers wait for an answer.
const UNANSWERED: &str = "/console/orders?waiting=answer";

#[derive(Template)]
#[template(path = "console/orders.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    filters: Vec<Filter>,
    orders: Vec<OrderRow>,
    /// What is said where there are none.
    empty: String,
    next: Option<String>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "orders");
    let chosen = query(&staff.visit.path, "state").and_then(|word| OrderState::parse(&word));
    let is_unanswered = query(&staff.visit.path, "waiting").is_some_and(|word| word == "answer");
    let filter = OrderFilter { state: chosen, ..OrderFilter::default() };
    let asked = list_page(&staff.visit.path, |text| OrderId::parse(text).ok());
    let listing = match is_unanswered {
        true => web.app.store.unanswered_orders(staff.shop(), asked.starting_after, asked.limit).await,
        false => web.app.store.orders(staff.shop(), &filter, asked).await,
    };
    let listing = listing.map_err(app::Error::from)?;
    let next = listing.data.last().filter(|_| listing.has_more).map(|last| match chosen {
        _ if is_unanswered => format!("{UNANSWERED}&after={}", last.id),
        Some(state) => format!("/console/orders?state={}&after={}", state.as_str(), last.id),
        None => format!("/console/orders?after={}", last.id),
    });
    let words: Vec<&str> = OrderState::ALL.iter().map(|state| state.as_str()).collect();
    let mut filters = filters(&chrome, "/console/orders", &words, chosen.map(OrderState::as_str));
    if is_unanswered {
        filters.iter_mut().for_each(|filter| filter.current = "false");
    }
    filters.push(Filter {
        label: chrome.t("console-filter-unanswered"),
        url: UNANSWERED.to_owned(),
        current: if is_unanswered { "true" } else { "false" },
    });
    let orders = listing.data.iter().map(|order| OrderRow::new(&chrome, order)).collect();
    let empty = if is_unanswered { "console-orders-unanswered-empty" } else { "console-orders-empty" };
    let empty = chrome.t(empty);
    Ok(page(StatusCode::OK, &List { chrome, filters, orders, empty, next }))
}

#[derive(Template)]
#[template(path = "console/order.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    order: OrderRow,
    refunded: Option<String>,
    customer: Option<String>,
    country: String,
    lines: Vec<LineRow>,
    payments: Vec<PaymentRow>,
    refunds: Vec<RefundRow>,
    licenses: Vec<LicenseRow>,
    deliveries: Vec<DeliveryRow>,
    timeline: Vec<Moment>,
    proofs: Vec<Proof>,
    thread: Thread,
    message_error: Option<String>,
    refund: Option<RefundForm>,
    surplus: Option<Surplus>,
    /// What opens the buyer's own page.
    buyer_page: String,
    was_paid: bool,
    has_open_payment: bool,
}

impl Show<'_> {
    fn is_refused(&self) -> bool {
        self.message_error.is_some() || self.refund.as_ref().is_some_and(|form| form.error.is_some())
    }
}

struct LineRow {
    what: String,
    quantity: u32,
    unit: String,
    amount: String,
    answers: Vec<Answer>,
    /// What is asked, and was not answered: nobody was there to ask when the sale was made again after a restore.
    unanswered: Vec<String>,
}

struct PaymentRow {
    id: String,
    state: &'static str,
    state_text: String,
    amount: String,
    method: String,
    reference: String,
    decline: Option<String>,
}

struct RefundRow {
    id: String,
    state: &'static str,
    state_text: String,
    amount: String,
    reason: String,
    failure: Option<String>,
}

/// One license in a list.
pub(crate) struct LicenseRow {
    pub(crate) id: String,
    pub(crate) tail: String,
    pub(crate) state: &'static str,
    pub(crate) state_text: String,
    pub(crate) seats: String,
    pub(crate) at: String,
}

impl LicenseRow {
    pub(crate) fn new(chrome: &Chrome<'_>, license: &License, now: domain::Timestamp) -> Self {
        let standing = license.standing(now).as_str();
        let seats = match license.policy.seats {
            Some(seats) => format!("{} / {seats}", license.seats_used),
            None => format!("{} / ∞", license.seats_used),
        };
        Self {
            id: license.id.to_string(),
            tail: license.key_tail.clone(),
            state: standing,
            state_text: state_text(chrome, standing),
            seats,
            at: chrome.date(&license.created_at),
        }
    }
}

/// One mail in a list.
pub(crate) struct DeliveryRow {
    pub(crate) what: String,
    /// The order it is about, where the list is not that order's own.
    pub(crate) url: Option<String>,
    pub(crate) to: String,
    pub(crate) state: &'static str,
    pub(crate) state_text: String,
    pub(crate) error: Option<String>,
    pub(crate) at: String,
    /// Where the button goes that sends it, while it waits for a person.
    pub(crate) send: Option<String>,
}

impl DeliveryRow {
    pub(crate) fn new(chrome: &Chrome<'_>, delivery: &Delivery) -> Self {
        Self {
            what: mail_text(chrome, delivery),
            url: None,
            to: delivery.to.to_string(),
            state: delivery.state.as_str(),
            state_text: state_text(chrome, delivery.state.as_str()),
            error: delivery.last_error.clone(),
            at: chrome.date(&delivery.created_at),
            send: None,
        }
    }

    /// As it is, with a button where it is one of those that are held.
    pub(crate) fn held(self, delivery: &Delivery, held: &[Delivery]) -> Self {
        let is_held = held.iter().any(|waiting| waiting.id == delivery.id);
        Self { send: is_held.then(|| format!("/console/mails/{}/send", delivery.id)), ..self }
    }

    pub(crate) fn linked(chrome: &Chrome<'_>, delivery: &Delivery) -> Self {
        let url = delivery.order.map(|order| format!("/console/orders/{order}"));
        Self { url, ..Self::new(chrome, delivery) }
    }
}

fn mail_text(chrome: &Chrome<'_>, delivery: &Delivery) -> String {
    chrome.t(&format!("console-mail-{}", delivery.mail.as_str().replace('_', "-")))
}

pub(crate) fn parse(order: &str) -> Result<OrderId, Problem> {
    OrderId::parse(order).map_err(|_| Problem::not_found("order"))
}

pub(crate) async fn show(State(web): State<Web>, staff: Staff, Path(order): Path<String>) -> Result<Response, Problem> {
    let sale = web.app.sale(staff.shop(), parse(&order)?).await?;
    draw(&web, &staff, &sale, StatusCode::OK, Typed::Nothing).await
}

/// What was typed on the page of an order and cannot be taken.
pub(crate) enum Typed {
    Nothing,
    Refund(RefundForm),
    Message(MessageForm),
}

/// The page of an order, with what was typed into one of its forms where that cannot be taken.
pub(crate) async fn draw(
    web: &Web,
    staff: &Staff,
    sale: &Sale,
    status: StatusCode,
    typed: Typed,
) -> Result<Response, Problem> {
    let chrome = staff.chrome(web, "orders");
    let store = &web.app.store;
    let order = &sale.order;
    let everything = |limit| Page { starting_after: None, ending_before: None, limit };
    let deliveries = DeliveryFilter { order: Some(order.id), ..DeliveryFilter::default() };
    let deliveries = store.deliveries(staff.shop(), &deliveries, everything(100)).await.map_err(app::Error::from)?.data;
    let notices = NoticeFilter { order: Some(order.id), ..NoticeFilter::default() };
    let notices =
        store.notices(staff.shop(), &notices, Page { starting_after: None, ending_before: None, limit: 100 }).await;
    let notices = notices.map_err(app::Error::from)?.data;
    let events = store.order_events(staff.shop(), order.id).await.map_err(app::Error::from)?;
    let now = web.app.clock.now();

    let held = web.app.held_mails(staff.shop()).await?;
    let people = store.users(staff.shop()).await.map_err(app::Error::from)?;
    // Notices first: what happens at the moment one arrives happens because of it.
    let mut timeline: Vec<Moment> = notices.iter().rev().map(|notice| notice_moment(&chrome, notice)).collect();
    timeline.extend(
        events.iter().map(|event| Moment { who: who(&chrome, event.actor, &people), ..event_moment(&chrome, event) }),
    );
    timeline.sort_by_key(|moment| moment.at);

    let refundable = match sale.captured() {
        Some(payment) => sale.refundable(payment).ok().filter(|left| left.is_positive()),
        None => None,
    };
    let claims = match order.claimed_units() {
        0 => Vec::new(),
        _ => store.claims(staff.shop(), order.id).await.map_err(app::Error::from)?,
    };
    let proofs = claims.iter().map(|opened| Proof::of(&chrome, opened, &events, &people, now)).collect();
    let (refund, message) = match typed {
        Typed::Nothing => (None, None),
        Typed::Refund(form) => (Some(form), None),
        Typed::Message(form) => (None, Some(form)),
    };
    let message_error = message.as_ref().map(|form| form.error.clone());
    let thread = Thread::read(web, &chrome, order, &people, message, None).await?;
    let refund = refund.or_else(|| refundable.map(|left| RefundForm::blank(&chrome, left)));
    let view = Show {
        order: OrderRow::new(&chrome, order),
        refunded: (!order.refunded.is_zero()).then(|| chrome.money(&order.refunded)),
        customer: order.customer.map(|id| id.to_string()),
        country: chrome.t(&format!("country-{}", order.country)),
        lines: order
            .lines
            .iter()
            .map(|line| LineRow {
                what: line.name(),
                quantity: line.quantity,
                unit: chrome.money(&line.unit_amount),
                amount: chrome.money(&line.amount),
                answers: line.answers.clone(),
                unanswered: unanswered(&chrome, line),
            })
            .collect(),
        payments: sale.payments.iter().map(|payment| payment_row(&chrome, payment)).collect(),
        refunds: sale.refunds.iter().map(|refund| refund_row(&chrome, refund)).collect(),
        licenses: sale.licenses.iter().map(|license| LicenseRow::new(&chrome, license, now)).collect(),
        deliveries: deliveries
            .iter()
            .map(|delivery| DeliveryRow::new(&chrome, delivery).held(delivery, &held))
            .collect(),
        timeline,
        proofs,
        thread,
        message_error,
        refund,
        surplus: Surplus::of(&chrome, sale),
        buyer_page: web.app.receipt_url(order.id),
        was_paid: order.state.was_paid(),
        has_open_payment: sale.payments.iter().any(|payment| payment.state.is_open()),
        chrome,
    };
    Ok(page(status, &view))
}

fn notice_moment(chrome: &Chrome<'_>, notice: &Notice) -> Moment {
    Moment {
        at: notice.received_at,
        what: chrome.with("console-notice-came", "kind", &notice.kind),
        who: chrome.t("console-actor-gateway"),
        detail: state_text(chrome, notice.state.as_str()),
        url: Some(format!("/console/notices/{}", notice.id)),
        undo: None,
    }
}

fn payment_row(chrome: &Chrome<'_>, payment: &Payment) -> PaymentRow {
    let method = payment.method.as_ref().map_or_else(String::new, |method| {
        let name = method.brand.as_deref().unwrap_or(&method.kind);
        method.last4.as_deref().map_or_else(|| name.to_owned(), |last4| format!("{name} ···· {last4}"))
    });
    PaymentRow {
        id: payment.id.to_string(),
        state: payment.state.as_str(),
        state_text: state_text(chrome, payment.state.as_str()),
        amount: chrome.money(&payment.amount),
        method,
        reference: payment.reference.clone().or_else(|| payment.page_reference.clone()).unwrap_or_default(),
        decline: payment.decline.as_ref().map(|decline| format!("{} ({})", decline.code, decline.class.code())),
    }
}

fn refund_row(chrome: &Chrome<'_>, refund: &Refund) -> RefundRow {
    RefundRow {
        id: refund.id.to_string(),
        state: refund.state.as_str(),
        state_text: state_text(chrome, refund.state.as_str()),
        amount: chrome.money(&refund.amount),
        reason: chrome.reason(refund.reason.as_str()),
        failure: refund.failure.clone(),
    }
}

pub(crate) async fn resend(
    State(web): State<Web>,
    staff: Staff,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let order = parse(&order)?;
    web.app.resend_order_mail(staff.shop(), order, staff.actor()).await?;
    Ok(done(&format!("/console/orders/{order}"), "resent"))
}

#[derive(Deserialize)]
pub(crate) struct CheckInput {
    #[serde(default)]
    payment: String,
}

/// The support button: asks the gateway and puts its answer into the rows.
pub(crate) async fn check(
    State(web): State<Web>,
    staff: Staff,
    Path(order): Path<String>,
    Form(form): Form<CheckInput>,
) -> Result<Response, Problem> {
    let order = parse(&order)?;
    let payment = PaymentId::parse(&form.payment).map_err(|_| Problem::not_found("payment"))?;
    let word = match web.app.ask_payment(staff.shop(), payment, staff.actor()).await {
        Ok(payment) if payment.state.is_open() => "still-open",
        Ok(_) => "checked",
        Err(app::Error::Refused(_)) => "contradiction",
        Err(app::Error::Unavailable(_) | app::Error::Conflict { .. }) => "gateway-silent",
        Err(error) => return Err(error.into()),
    };
    Ok(done(&format!("/console/orders/{order}"), word))
}

/// One device in a list.
pub(crate) struct SeatRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) fingerprint: String,
    pub(crate) is_taken: bool,
    pub(crate) state_text: String,
    pub(crate) seen: String,
}

impl SeatRow {
    pub(crate) fn new(chrome: &Chrome<'_>, license: &License, seat: &Activation, now: domain::Timestamp) -> Self {
        let is_taken = license.is_seated(seat, now);
        let state = match seat.state {
            domain::ActivationState::Active if !is_taken => "lapsed",
            state @ (domain::ActivationState::Active | domain::ActivationState::Released) => state.as_str(),
        };
        Self {
            id: seat.id.to_string(),
            name: seat.shown_name().unwrap_or("–").to_owned(),
            fingerprint: seat.fingerprint.as_str().to_owned(),
            is_taken,
            state_text: state_text(chrome, state),
            seen: chrome.date(&seat.last_seen_at),
        }
    }
}
