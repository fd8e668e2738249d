//! An order's own page: how it stands, keys, devices, receipt.
//!
//! It opens by the receipt (a cookie, set when pay was pressed or by the link
//! in the mail), or through the portal. Without either it shows nothing, not
//! even whether there is such an order.

use app::mail::markdown;
use app::{Held, Versions};
use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use domain::{
    Activation, ActivationId, Actor, Attempt, Author, Duration, FileGiver, Fulfilment, LicenseId, MailKind, Message,
    MessageBody, MethodSummary, Order, OrderId, OrderState, Payment, PaymentState, Product, RefundState, Refusal, Sale,
    TextError, Timestamp,
};
use store::{DeliveryFilter, Page};

use crate::Web;
use crate::problem::Problem;
use crate::public::access::{self, Access};
use crate::public::download;
use crate::public::fields::Fields;
use crate::public::frame::{Frame, page};
use crate::public::license::{self, LicenseView};
use crate::public::release::{self, Buy, DownloadsView};
use crate::public::till::{self, Line};
use crate::public::words::Words;
use crate::visit::Visit;

/// How long a bank may take over a SEPA debit: fourteen business days in the worst case (SEPA Core scheme).
const DEBIT_BUSINESS_DAYS: i64 = 14;

/// How long to wait before the same mail is sent once more.
const RESEND_PAUSE: Duration = Duration::minutes(1);

/// How often a browser without JavaScript looks again while an answer is due.
const REFRESH_SECONDS: u32 = 10;

/// How the order stands, for the buyer.
struct Stage {
    /// For styles, and for the script to notice a change.
    name: &'static str,
    tone: &'static str,
    title: String,
    texts: Vec<String>,
    action: Option<Action>,
    /// Whether the answer may come at any moment.
    is_waiting: bool,
}

/// What the buyer can do about it.
enum Action {
    /// Go on at the gateway.
    Continue { url: String },
    /// Ask the gateway now.
    Check,
    /// Begin another attempt.
    Retry,
    /// Begin again at the till.
    Restart { url: String },
}

struct Guide {
    product: String,
    /// Safe HTML.
    html: String,
}

struct Receipt {
    document: String,
    facts: Vec<(String, String)>,
    lines: Vec<Line>,
    total: String,
    refunds: Vec<(String, String)>,
    consent: Option<String>,
    terms: String,
}

/// What buyer and shop wrote to each other, and the form below it.
struct Messages {
    rows: Vec<MessageRow>,
    typed: String,
    error: Option<String>,
}

struct MessageRow {
    who: String,
    at: String,
    body: String,
    is_own: bool,
}

/// What was typed into the form for a message and cannot be taken, with the id of the reason.
struct Unsaid<'a> {
    text: &'a str,
    error: &'static str,
}

#[derive(Template)]
#[template(path = "public/order.html")]
struct OrderPage<'a> {
    frame: &'a Frame,
    path: String,
    stage: Stage,
    done: Option<String>,
    sent_to: Option<String>,
    keys_title: String,
    licenses: Vec<LicenseView>,
    downloads: Vec<DownloadsView>,
    /// Whether files are all that was bought, so that they stand where keys stand.
    downloads_first: bool,
    /// Why something is hidden, and how to see it.
    hidden: Option<String>,
    guides: Vec<Guide>,
    receipt: Receipt,
    /// What was written, where it may be read.
    messages: Option<Messages>,
    /// Where the mail went, or is on its way to, and what is in it.
    sent_lead: String,
    /// Safe HTML.
    refund_policy: String,
    was_paid: bool,
    seller_url: Option<String>,
}

#[derive(Template)]
#[template(path = "public/order_denied.html")]
struct DeniedPage<'a> {
    frame: &'a Frame,
}

/// What is read for the page besides the sale.
struct Belongings {
    held: Vec<(LicenseId, Held)>,
    seats: Vec<Activation>,
    refusals: Vec<Attempt>,
    products: Vec<Product>,
    messages: Vec<Message>,
}

pub(crate) async fn show(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response, Problem> {
    let Ok(order) = OrderId::parse(&id) else { return denied(&web, &visit) };
    if fields.has("receipt") && web.app.opens_order(order, fields.get("receipt")) {
        // From the address into a cookie, so that the link is not shared along with the page.
        let cookie = access::receipt_cookie(&web, order).map(|value| (header::SET_COOKIE, value));
        let headers = [(header::CACHE_CONTROL, "no-store")];
        return Ok((headers, AppendHeaders(cookie), Redirect::to(&format!("/orders/{order}"))).into_response());
    }
    let Some((sale, access)) = open(&web, &visit, &id).await? else { return denied(&web, &visit) };
    let visit = visit.speaking(&web, &sale.order.locale);
    let belongings = Belongings::read(&web, &sale, access).await?;
    order_page(&web, &visit, &sale, access, &belongings, &fields, None).await
}

/// Writes to the shop. Only the buyer does: whoever knows a key alone does not see what was written either.
pub(crate) async fn write(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let Some((sale, access)) = open(&web, &visit, &id).await? else { return denied(&web, &visit) };
    if access != Access::Buyer || !sale.order.takes_messages() {
        return denied(&web, &visit);
    }
    let text = fields.get("message");
    let error = match MessageBody::parse(text) {
        Ok(body) => match web.app.write_message(&visit.shop, sale.order.id, Author::Buyer, &body).await {
            Ok(_) => return Ok(back(sale.order.id, "written")),
            Err(app::Error::Refused(Refusal::MessagesUnanswered)) => "error-message-unanswered",
            Err(error) => return Err(error.into()),
        },
        Err(TextError::Empty) => "error-message-empty",
        Err(TextError::TooLong(_)) => "error-message-long",
        Err(TextError::CardNumber) => "error-message-card",
    };
    let visit = visit.speaking(&web, &sale.order.locale);
    let belongings = Belongings::read(&web, &sale, access).await?;
    let asked = Fields::default();
    order_page(&web, &visit, &sale, access, &belongings, &asked, Some(Unsaid { text, error })).await
}

/// Where the gateway sends the buyer back to. Asks how the payment stands, which repeats without harm.
pub(crate) async fn returned(State(web): State<Web>, visit: Visit, Path(id): Path<String>) -> Response {
    let order_page = || Redirect::to(&format!("/orders/{id}")).into_response();
    let Ok(order) = OrderId::parse(&id) else { return Redirect::to("/portal").into_response() };
    match web.app.return_from_gateway(visit.shop.id, order).await {
        Ok(sale) if sale.payments.iter().any(|payment| is_under_way(payment.state)) => match &sale.checkout.success_url
        {
            Some(url) => Redirect::to(&with_order(url, order)).into_response(),
            None => order_page(),
        },
        Ok(_) => order_page(),
        Err(error) => {
            tracing::warn!(%order, %error, "a buyer returned, and the payment could not be looked at");
            order_page()
        }
    }
}

/// Begins another attempt, or goes on with the one that is open.
pub(crate) async fn retry(State(web): State<Web>, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let Some((sale, _)) = open(&web, &visit, &id).await? else { return denied(&web, &visit) };
    match web.app.retry_payment(&visit.shop, sale.order.id).await {
        Ok(submitted) => Ok(till::go(&web, sale.order.country, submitted.payment).await),
        Err(app::Error::Refused(Refusal::ConsentMissing)) => {
            Ok(Redirect::to(&format!("/checkout/{}", sale.checkout.id)).into_response())
        }
        // Paid or expired meanwhile: the page says so.
        Err(app::Error::Refused(Refusal::CheckoutCompleted | Refusal::CheckoutExpired)) => Ok(back(sale.order.id, "")),
        Err(app::Error::Refused(Refusal::OutOfStock)) => Ok(back(sale.order.id, "out_of_stock")),
        Err(error) => Err(error.into()),
    }
}

/// Asks the gateway now.
pub(crate) async fn check(State(web): State<Web>, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let Some((sale, _)) = open(&web, &visit, &id).await? else { return denied(&web, &visit) };
    web.app.return_from_gateway(visit.shop.id, sale.order.id).await?;
    Ok(back(sale.order.id, "checked"))
}

/// Sends the mail with receipt and keys once more.
pub(crate) async fn resend(State(web): State<Web>, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let Some((sale, _)) = open(&web, &visit, &id).await? else { return denied(&web, &visit) };
    let done = send_again(&web, &sale.order).await?;
    Ok(back(sale.order.id, done))
}

/// Frees a seat of one of the order's licenses.
pub(crate) async fn release(
    State(web): State<Web>,
    visit: Visit,
    Path((id, license, seat)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let Some((sale, _)) = open(&web, &visit, &id).await? else { return denied(&web, &visit) };
    let own = sale.licenses.iter().filter(|known| known.customer == sale.order.customer);
    let license = own.into_iter().find(|known| LicenseId::parse(&license) == Ok(known.id));
    let (Some(license), Ok(seat)) = (license, ActivationId::parse(&seat)) else {
        return Err(Problem::not_found("device"));
    };
    let done = free_seat(&web, &visit, license.id, seat).await?;
    Ok(back(sale.order.id, done))
}

/// One of the order's licenses as a file that works on any device, where its seats are not counted.
pub(crate) async fn license_file(
    State(web): State<Web>,
    visit: Visit,
    Path((id, license)): Path<(String, String)>,
) -> Result<Response, Problem> {
    file(&web, &visit, &id, &license, None).await
}

/// One of the order's licenses as a file for the device on a seat.
pub(crate) async fn device_file(
    State(web): State<Web>,
    visit: Visit,
    Path((id, license, seat)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    file(&web, &visit, &id, &license, Some(&seat)).await
}

async fn file(web: &Web, visit: &Visit, id: &str, license: &str, seat: Option<&str>) -> Result<Response, Problem> {
    let Some((sale, _)) = open(web, visit, id).await? else { return denied(web, visit) };
    let seat = seat.map(ActivationId::parse).transpose().map_err(|_| Problem::not_found("device"))?;
    // What was handed on is not the order's any more.
    let mut own = sale.licenses.iter().filter(|known| known.customer == sale.order.customer);
    let license = own.find(|known| LicenseId::parse(license) == Ok(known.id));
    let license = license.ok_or_else(|| Problem::not_found("license"))?;
    let (shop, giver) = (visit.shop.id, FileGiver::Holder);
    let file = web.app.give_license_file(shop, license.id, seat, None, giver, Actor::Buyer).await?;
    Ok(download::license_file(&file))
}

/// Sends the mail, unless it was sent a moment ago; gives the code of what to tell.
pub(crate) async fn send_again(web: &Web, order: &Order) -> Result<&'static str, Problem> {
    let filter = DeliveryFilter { order: Some(order.id), ..DeliveryFilter::default() };
    let page = Page { starting_after: None, ending_before: None, limit: 10 };
    let recent = web.app.store.deliveries(order.shop, &filter, page).await.map_err(app::Error::from)?;
    let now = web.app.clock.now();
    let is_recent = recent.data.iter().any(|delivery| {
        matches!(delivery.mail, MailKind::OrderPaid { .. }) && now.since(delivery.created_at) < RESEND_PAUSE
    });
    if is_recent {
        return Ok("just_sent");
    }
    web.app.resend_order_mail(order.shop, order.id, Actor::Buyer).await?;
    Ok("resent")
}

/// Frees a seat, as often as its owner may; one that is free already stays free. Gives the code of what to tell.
pub(crate) async fn free_seat(
    web: &Web,
    visit: &Visit,
    license: LicenseId,
    seat: ActivationId,
) -> Result<&'static str, Problem> {
    match web.app.release_own_seat(visit.shop.id, license, seat).await {
        Ok(()) | Err(app::Error::Refused(Refusal::NotActivated)) => Ok("released"),
        Err(app::Error::Refused(Refusal::ReleaseQuotaReached { .. })) => Ok("release_quota"),
        Err(error) => Err(error.into()),
    }
}

/// What happened, by the code that a form's answer carries in its address.
pub(crate) fn done(words: &Words, code: &str) -> Option<String> {
    ["written", "checked", "resent", "just_sent", "released", "release_quota", "out_of_stock"]
        .contains(&code)
        .then(|| words.say(&format!("page-order-done-{code}")))
}

/// How an order stands, in a word.
pub(crate) fn state(words: &Words, state: OrderState) -> String {
    words.say(&format!("page-order-state-{}", state.as_str()))
}

fn back(order: OrderId, done: &str) -> Response {
    let address = crate::public::fields::address(&format!("/orders/{order}"), &[("done", done)]);
    Redirect::to(&address).into_response()
}

/// The sale and how much of it this browser may see; `None` also when there is no such order.
async fn open(web: &Web, visit: &Visit, id: &str) -> Result<Option<(Sale, Access)>, Problem> {
    let Ok(id) = OrderId::parse(id) else { return Ok(None) };
    let Some(sale) = web.app.store.sale(visit.shop.id, id).await.map_err(app::Error::from)? else { return Ok(None) };
    let access = access::of(web, visit, &sale.order).await?;
    Ok(access.map(|access| (sale, access)))
}

fn denied(web: &Web, visit: &Visit) -> Result<Response, Problem> {
    let frame = Frame::new(web, visit, String::new()).private();
    let frame = Frame { title: frame.say("page-order-denied-title"), ..frame }.returning_to("/portal");
    page(StatusCode::FORBIDDEN, &frame, &DeniedPage { frame: &frame })
}

impl Belongings {
    async fn read(web: &Web, sale: &Sale, access: Access) -> Result<Self, Problem> {
        let mut belongings = Self {
            held: Vec::new(),
            seats: Vec::new(),
            refusals: Vec::new(),
            products: Vec::new(),
            messages: Vec::new(),
        };
        if !sale.order.state.was_paid() {
            return Ok(belongings);
        }
        let (store, shop) = (&web.app.store, sale.order.shop);
        if sees_all(sale, access) {
            belongings.held = web.app.held(&sale.order).await?;
        }
        if access == Access::Buyer {
            belongings.messages = store.messages(shop, sale.order.id).await.map_err(app::Error::from)?;
        }
        belongings.seats = store.activations_of_order(shop, sale.order.id).await.map_err(app::Error::from)?;
        belongings.refusals = store.last_refusals_of_order(shop, sale.order.id).await.map_err(app::Error::from)?;
        for line in &sale.order.lines {
            if belongings.products.iter().all(|known| known.id != line.product) {
                belongings.products.extend(store.product(shop, line.product).await.map_err(app::Error::from)?);
            }
        }
        Ok(belongings)
    }
}

async fn order_page(
    web: &Web,
    visit: &Visit,
    sale: &Sale,
    access: Access,
    belongings: &Belongings,
    asked: &Fields,
    unsaid: Option<Unsaid<'_>>,
) -> Result<Response, Problem> {
    let order = &sale.order;
    let now = web.app.clock.now();
    let path = format!("/orders/{}", order.id);
    let frame = Frame::new(web, visit, String::new()).private().returning_to(&path);
    let title = frame.words.fill("page-order-title", &[("number", order.number.as_str().into())]);
    let frame = Frame { title, ..frame };
    let mut stage = stage(&frame.words, sale, now);
    if sale.order.state == OrderState::Paid {
        let awaited = awaited(&frame.words, &belongings.held, now);
        stage.texts = if awaited.is_empty() { stage.texts } else { awaited };
    }
    let frame = if unsaid.is_some() { frame.erroneous() } else { frame };
    let frame = if stage.is_waiting { frame.refreshing(REFRESH_SECONDS) } else { frame };
    let words = &frame.words;
    let licenses: Vec<LicenseView> = sale
        .licenses
        .iter()
        .map(|license| {
            let line = order.line(license.line);
            let held = belongings.held.iter().find(|(id, _)| *id == license.id).map(|(_, held)| held);
            if license.customer != order.customer {
                return license::handed_on(words, license, line);
            }
            let view = license::view(words, license, line, held, &belongings.seats, &path, now);
            let manage = (access == Access::Buyer).then(|| format!("/portal/licenses/{}", license.id));
            LicenseView { manage, ..view }.refused(words, license, &belongings.refusals, now)
        })
        .collect();
    let guides = belongings.products.iter().filter_map(|product| {
        let guide = product.setup_guide(words.locale().language())?;
        Some(Guide {
            product: words.fill("page-order-setup", &[("product", (&product.name).into())]),
            html: markdown::to_html(guide),
        })
    });
    let with_keys = licenses.iter().filter(|license| license.is_key).count();
    let status = if unsaid.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let messages = (access == Access::Buyer && order.takes_messages()).then(|| Messages {
        rows: belongings.messages.iter().map(|message| message_row(&frame, &visit.shop.name, message)).collect(),
        typed: unsaid.as_ref().map(|unsaid| unsaid.text.to_owned()).unwrap_or_default(),
        error: unsaid.as_ref().map(|unsaid| words.say(unsaid.error)),
    });
    let downloads = downloads(web, words, sale, access, release::wanted_versions(asked), &path).await?;
    let downloads_first = order.lines.iter().all(|line| line.fulfilment == Fulfilment::Download);
    let (keys_title, units) =
        if downloads_first { ("page-order-licenses", licenses.len()) } else { ("page-order-keys", with_keys) };
    let units = i64::try_from(units).unwrap_or(i64::MAX);
    let template = OrderPage {
        done: done(words, asked.get("done")),
        sent_to: order.email.as_ref().map(|email| match access {
            Access::Buyer => email.to_string(),
            Access::Holder => email.masked(),
        }),
        keys_title: words.fill(keys_title, &[("count", units.into())]),
        hidden: licenses.iter().any(LicenseView::is_hidden).then(|| words.say(&of_key(sale, "page-order-hidden"))),
        messages,
        sent_lead: words.say(if with_keys > 0 { "page-order-sent-to" } else { "page-order-receipt-sent-to" }),
        licenses,
        downloads,
        downloads_first,
        guides: guides.collect(),
        receipt: receipt(&frame, sale, access),
        refund_policy: markdown::to_html(&visit.shop.refund_policy),
        was_paid: order.state.was_paid(),
        seller_url: sale.checkout.success_url.as_deref().map(|url| with_order(url, order.id)),
        stage,
        path,
        frame: &frame,
    };
    page(status, &frame, &template)
}

fn message_row(frame: &Frame, shop: &str, message: &Message) -> MessageRow {
    let is_own = message.author == Author::Buyer;
    MessageRow {
        who: if is_own { frame.say("page-message-you") } else { shop.to_owned() },
        at: frame.words.date(message.at),
        body: message.body.as_str().to_owned(),
        is_own,
    }
}

/// What a paid order still waits for, a text for each way in which it comes: of what people have promised the nearest,
/// since the others stand beside what they are about.
fn awaited(words: &Words, held: &[(LicenseId, Held)], now: Timestamp) -> Vec<String> {
    let is_on_its_way = held.iter().any(|(_, held)| *held == Held::OnItsWay);
    let promised = held.iter().filter_map(|(_, held)| held.promised_by()).min();
    let on_its_way = if promised.is_some() { "page-order-on_its_way_too" } else { "page-order-on_its_way" };
    let on_its_way = is_on_its_way.then(|| words.say(on_its_way));
    let promised = promised.map(|at| {
        let id = if at <= now { "page-order-by_hand_late" } else { "page-order-by_hand" };
        let date = words.date(at);
        words.fill(id, &[("date", (&date).into())])
    });
    promised.into_iter().chain(on_its_way).collect()
}

/// Whether everything that belongs to an order may be shown: whoever came with its only key knows that already.
fn sees_all(sale: &Sale, access: Access) -> bool {
    access == Access::Buyer || sale.licenses.len() == 1
}

/// What may be downloaded with the licenses that are still the buyer's: a link opens what its license opens.
async fn downloads(
    web: &Web,
    words: &Words,
    sale: &Sale,
    access: Access,
    versions: Versions,
    path: &str,
) -> Result<Vec<DownloadsView>, Problem> {
    let order = &sale.order;
    if !order.state.was_paid() || !sees_all(sale, access) {
        return Ok(Vec::new());
    }
    let own = sale.licenses.iter().filter(|license| license.customer == order.customer);
    let bought = own.map(|license| {
        let line = order.line(license.line);
        Buy {
            license,
            product_name: line.map(|line| line.product_name.clone()).unwrap_or_default(),
            is_download: line.is_some_and(|line| line.fulfilment == Fulfilment::Download),
        }
    });
    release::downloads(web, words, &bought.collect::<Vec<_>>(), versions, path).await
}

/// The message for this order: some speak of its key, and have another text where there is none.
fn of_key(sale: &Sale, id: &str) -> String {
    if sale.order.has_keys() { id.to_owned() } else { format!("{id}-no-key") }
}

fn stage(words: &Words, sale: &Sale, now: Timestamp) -> Stage {
    let told = |name: &'static str, tone: &'static str, texts: Vec<String>, action: Option<Action>| Stage {
        name,
        tone,
        title: words.say(&format!("page-order-{name}-title")),
        texts,
        action,
        is_waiting: false,
    };
    let say = |id: &str| vec![words.say(id)];
    match sale.order.state {
        OrderState::Paid => told("paid", "good", say("page-order-paid"), None),
        OrderState::PartiallyRefunded => {
            let amount = words.amount(sale.order.refunded);
            told(
                "partially_refunded",
                "good",
                vec![words.fill("page-order-partially_refunded", &[("amount", (&amount).into())])],
                None,
            )
        }
        OrderState::Refunded => {
            let amount = words.amount(sale.order.refunded);
            told("refunded", "bad", vec![words.fill("page-order-refunded", &[("amount", (&amount).into())])], None)
        }
        OrderState::Disputed => told("disputed", "bad", say(&of_key(sale, "page-order-disputed")), None),
        OrderState::Lost => told("lost", "bad", say("page-order-lost"), None),
        OrderState::Expired => told("expired", "bad", say("page-order-expired"), restart(sale)),
        OrderState::Pending => unpaid_stage(words, sale, now, &told),
    }
}

fn unpaid_stage(
    words: &Words,
    sale: &Sale,
    now: Timestamp,
    told: &dyn Fn(&'static str, &'static str, Vec<String>, Option<Action>) -> Stage,
) -> Stage {
    let waiting = |stage: Stage| Stage { is_waiting: true, ..stage };
    let is_over = sale.checkout.expires_at <= now;
    let payment = sale.payments.iter().find(|payment| payment.state.is_open()).or_else(|| sale.payments.last());
    let Some(payment) = payment else {
        return if is_over {
            told("expired", "bad", vec![words.say("page-order-expired")], restart(sale))
        } else {
            let url = format!("/checkout/{}", sale.checkout.id);
            told("open", "wait", vec![words.say("page-order-open")], Some(Action::Restart { url }))
        };
    };
    let declined = |payment: &Payment| payment.decline.as_ref().map(|decline| words.decline(decline));
    let gateway = |payment: &Payment| payment.page_url.clone().map_or(Action::Retry, |url| Action::Continue { url });
    match payment.state {
        PaymentState::Processing => {
            let days = [("days", DEBIT_BUSINESS_DAYS.into())];
            let text = words.fill(&of_key(sale, "page-order-processing"), &days);
            waiting(told("processing", "wait", vec![text], Some(Action::Check)))
        }
        PaymentState::RequiresAction => waiting(told(
            "requires_action",
            "wait",
            vec![words.say("page-order-requires_action")],
            Some(gateway(payment)),
        )),
        PaymentState::Sent => match declined(payment) {
            Some(reason) => {
                told("declined", "bad", vec![reason, words.say("page-order-declined")], Some(gateway(payment)))
            }
            None => waiting(told("sent", "wait", vec![words.say("page-order-sent")], Some(gateway(payment)))),
        },
        // Captured, and the order is still unpaid: what was reported does not fit, and a person looks at it.
        PaymentState::Created | PaymentState::Unknown | PaymentState::Succeeded => {
            let text = words.say(&of_key(sale, "page-order-asking"));
            waiting(told("asking", "wait", vec![text], Some(Action::Check)))
        }
        PaymentState::Failed | PaymentState::Canceled if is_over => {
            told("expired", "bad", vec![words.say("page-order-expired")], restart(sale))
        }
        PaymentState::Failed | PaymentState::Canceled => {
            let reason = declined(payment).unwrap_or_else(|| words.say("page-order-canceled"));
            told("failed", "bad", vec![reason, words.say("page-order-failed")], Some(Action::Retry))
        }
    }
}

fn restart(sale: &Sale) -> Option<Action> {
    Some(Action::Restart { url: format!("/checkout/{}", sale.checkout.id) })
}

/// The gateway's answer is yes, or will come by itself.
fn is_under_way(state: PaymentState) -> bool {
    match state {
        PaymentState::Succeeded | PaymentState::Processing => true,
        PaymentState::Created
        | PaymentState::Sent
        | PaymentState::RequiresAction
        | PaymentState::Unknown
        | PaymentState::Canceled
        | PaymentState::Failed => false,
    }
}

fn receipt(frame: &Frame, sale: &Sale, access: Access) -> Receipt {
    let (words, order) = (&frame.words, &sale.order);
    let mut facts = vec![
        (words.say("page-order-number"), order.number.to_string()),
        (words.say("page-order-date"), words.date(order.paid_at.unwrap_or(order.created_at))),
    ];
    if let Some(method) = sale.captured().and_then(|payment| payment.method.as_ref()) {
        facts.push((words.say("page-order-method"), method_name(words, method)));
    }
    facts.push((
        words.say("page-order-seller"),
        std::iter::once(&order.seller.legal_name).chain(&order.seller.address).cloned().collect::<Vec<_>>().join(", "),
    ));
    facts.push((words.say("page-order-contact"), order.seller.email.clone()));
    if let Some(tax_id) = &order.seller.tax_id {
        facts.push((words.say("page-tax-id"), tax_id.clone()));
    }
    let refunds = sale.refunds.iter().filter(|refund| refund.state.counts()).map(|refund| {
        let id = if refund.state == RefundState::Succeeded { "page-order-refund" } else { "page-order-refund-pending" };
        let date = words.day(refund.created_at);
        (words.fill(id, &[("date", (&date).into())]), words.amount(refund.amount))
    });
    let consent = order.consent.immediate_supply_at.map(|at| {
        let date = words.date(at);
        words.fill("page-order-consent", &[("date", (&date).into())])
    });
    Receipt {
        document: words.say(if order.state.was_paid() { "page-order-receipt" } else { "page-order-summary" }),
        facts,
        lines: match access {
            Access::Buyer => till::lines_with_answers(frame, order),
            Access::Holder => till::lines(frame, order),
        },
        total: words.amount(order.total),
        refunds: refunds.collect(),
        consent,
        terms: words.fill("page-order-terms", &[("version", (&order.consent.terms_version).into())]),
    }
}

/// `Visa •••• 4242`: what may be shown of a payment method.
fn method_name(words: &Words, method: &MethodSummary) -> String {
    let kind = words.fill("mail-method", &[("kind", (&method.kind).into())]);
    let mut letters = method.brand.as_deref().unwrap_or_default().chars();
    let brand = letters.next().map_or(kind, |first| format!("{}{}", first.to_uppercase(), letters.as_str()));
    method.last4.as_ref().map_or(brand.clone(), |last4| format!("{brand} •••• {last4}"))
}

/// The seller's address with the order's id added to its query.
fn with_order(url: &str, order: OrderId) -> String {
    let (address, fragment) = url.split_once('#').map_or((url, ""), |(address, fragment)| (address, fragment));
    let joint = if address.contains('?') { '&' } else { '?' };
    let mark = if fragment.is_empty() { "" } else { "#" };
    format!("{address}{joint}order={order}{mark}{fragment}")
}
