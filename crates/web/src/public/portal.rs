//! The portal: three ways in, then orders, licenses and devices.
//!
//! A code by mail opens everything that was bought with the address. A key
//! with its order number opens that order and hides what is personal. The
//! receipt link opens its order's page without coming here.

use app::{Held, KeySlip};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use domain::{
    Activation, ActivationId, Actor, Attempt, Email, FileGiver, License, LicenseId, LoginLinkId, Order, OrderId,
    OrderNumber, Session, SessionHolder,
};
use latchkey_license::{KeyCode, KeyCodeError};
use store::{LicenseFilter, OpenedClaim, OrderFilter, Page};

use crate::api::license::not_genuine;
use crate::problem::Problem;
use crate::public::access::{self, PORTAL_COOKIE};
use crate::public::download;
use crate::public::fields::{Fields, address};
use crate::public::frame::{Frame, page};
use crate::public::license::{self, LicenseView};
use crate::public::order;
use crate::public::till::FieldError;
use crate::visit::Visit;
use crate::{Web, cookie};

/// How many orders a page shows.
const ORDERS_A_PAGE: u32 = 20;

/// Licenses that are read with a page of orders; an order whose licenses are not among them shows them on its own page.
const MOST_LICENSES: u32 = 100;

/// As long as the session behind it.
const CODE_COOKIE_SECONDS: i64 = 30 * 24 * 3_600;
const KEY_COOKIE_SECONDS: i64 = 24 * 3_600;

#[derive(Template)]
#[template(path = "public/portal_enter.html")]
struct EnterPage<'a> {
    frame: &'a Frame,
    /// The link that a code was mailed for, in the second step.
    link: Option<String>,
    email: &'a str,
    key: &'a str,
    number: &'a str,
    errors: Vec<FieldError>,
    done: Option<String>,
}

impl EnterPage<'_> {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.text.as_str())
    }
}

struct OrderCard {
    path: String,
    number: String,
    state: String,
    date: String,
    names: Vec<String>,
    total: String,
    was_paid: bool,
    resend: String,
    licenses: Vec<LicenseView>,
}

#[derive(Template)]
#[template(path = "public/portal.html")]
struct PortalPage<'a> {
    frame: &'a Frame,
    signed_in_as: String,
    done: Option<String>,
    orders: Vec<OrderCard>,
    /// What others handed on.
    received: Vec<LicenseView>,
    older: Option<String>,
    is_first_page: bool,
}

pub(crate) async fn show(
    State(web): State<Web>,
    visit: Visit,
    Query(fields): Query<Fields>,
) -> Result<Response, Problem> {
    match access::session(&web, &visit).await? {
        Some(session) => home(&web, &visit, &session, &fields).await,
        None => {
            let link = LoginLinkId::parse(fields.get("link")).ok();
            let typed = Fields::of("done", fields.get("done"));
            enter_page(&web, &visit, link, &typed, Vec::new())
        }
    }
}

/// The ways in, for whoever came by another than by mail and wants what only a mail proves.
pub(crate) fn enter_by_mail(web: &Web, visit: &Visit) -> Result<Response, Problem> {
    enter_page(web, visit, None, &Fields::of("done", "by_mail"), Vec::new())
}

/// Mails the keys that belong to an address. The answer is the same for one that never bought.
pub(crate) async fn send_keys(
    State(web): State<Web>,
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    match Email::parse(fields.get("email")) {
        Ok(email) => {
            web.app.send_keys(&visit.shop, &email, &visit.locale).await?;
            Ok(Redirect::to("/portal?done=keys_sent").into_response())
        }
        Err(error) => {
            let id = format!("error-email-{}", error.code());
            enter_page(&web, &visit, None, &fields, vec![("email", id)])
        }
    }
}

/// Mails a code. The answer is the same for an address that never bought.
pub(crate) async fn send_code(
    State(web): State<Web>,
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    match Email::parse(fields.get("email")) {
        Ok(email) => {
            let sent = web.app.send_portal_code(&visit.shop, &email, &visit.locale).await?;
            Ok(Redirect::to(&format!("/portal?link={}", sent.link)).into_response())
        }
        Err(error) => {
            let id = format!("error-email-{}", error.code());
            enter_page(&web, &visit, None, &fields, vec![("email", id)])
        }
    }
}

pub(crate) async fn enter(
    State(web): State<Web>,
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let Ok(link) = LoginLinkId::parse(fields.get("link")) else { return Ok(Redirect::to("/portal").into_response()) };
    let again = |id: &str| enter_page(&web, &visit, Some(link), &fields, vec![("code", id.to_owned())]);
    if fields.get("code").trim().is_empty() {
        return again("error-code-empty");
    }
    match web.app.enter_with_code(visit.shop.id, link, fields.get("code")).await {
        Ok(token) => Ok(signed_in(&web, &token, CODE_COOKIE_SECONDS)),
        Err(app::Error::NotFound { .. }) => again("error-code-wrong"),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn enter_with_key(
    State(web): State<Web>,
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let key = web.app.read_key(visit.shop.id, fields.get("key")).await?.map_err(key_error);
    let number = match fields.get("number").trim() {
        "" => Err("error-number-empty"),
        typed => OrderNumber::parse(typed).ok_or("error-number-malformed"),
    };
    let (key, number) = match (key, number) {
        (Ok(key), Ok(number)) => (key, number),
        (key, number) => {
            let errors = [("key", key.err()), ("number", number.err())];
            let errors = errors.into_iter().filter_map(|(field, id)| Some((field, id?.to_owned())));
            return enter_page(&web, &visit, None, &fields, errors.collect());
        }
    };
    match web.app.enter_with_key(visit.shop.id, &key, &number).await {
        Ok((token, _)) => Ok(signed_in(&web, &token, KEY_COOKIE_SECONDS)),
        Err(app::Error::NotFound { .. }) => {
            enter_page(&web, &visit, None, &fields, vec![("key", "error-key-mismatch".to_owned())])
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn leave(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    if let Some(token) = cookie::get(&visit.headers, PORTAL_COOKIE) {
        web.app.end_session(token).await?;
    }
    Ok(signed_in(&web, "", 0))
}

pub(crate) async fn resend(State(web): State<Web>, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let Some(session) = access::session(&web, &visit).await? else {
        return Ok(Redirect::to("/portal").into_response());
    };
    let id = OrderId::parse(&id).map_err(|_| Problem::not_found("order"))?;
    let order = web.app.store.order(visit.shop.id, id).await.map_err(app::Error::from)?;
    let order = order.filter(|order| owns_order(&session, order)).ok_or_else(|| Problem::not_found("order"))?;
    let done = order::send_again(&web, &order).await?;
    Ok(Redirect::to(&address("/portal", &[("done", done)])).into_response())
}

pub(crate) async fn release(
    State(web): State<Web>,
    visit: Visit,
    Path((license, seat)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let Some(session) = access::session(&web, &visit).await? else {
        return Ok(Redirect::to("/portal").into_response());
    };
    let (Ok(license), Ok(seat)) = (LicenseId::parse(&license), ActivationId::parse(&seat)) else {
        return Err(Problem::not_found("device"));
    };
    let license = web.app.store.license(visit.shop.id, license).await.map_err(app::Error::from)?;
    let license = license.ok_or_else(|| Problem::not_found("device"))?;
    if !owns_license(&web, &session, &license).await? {
        return Err(Problem::not_found("device"));
    }
    let done = order::free_seat(&web, &visit, license.id, seat).await?;
    let from = match fields.get("to") {
        "license" => format!("/portal/licenses/{}", license.id),
        _ => "/portal".to_owned(),
    };
    Ok(Redirect::to(&address(&from, &[("done", done)])).into_response())
}

/// The license as a file that works on any device, where its seats are not counted.
pub(crate) async fn license_file(
    State(web): State<Web>,
    visit: Visit,
    Path(license): Path<String>,
) -> Result<Response, Problem> {
    file(&web, &visit, &license, None).await
}

/// The license as a file for the device on a seat.
pub(crate) async fn device_file(
    State(web): State<Web>,
    visit: Visit,
    Path((license, seat)): Path<(String, String)>,
) -> Result<Response, Problem> {
    file(&web, &visit, &license, Some(&seat)).await
}

async fn file(web: &Web, visit: &Visit, license: &str, seat: Option<&str>) -> Result<Response, Problem> {
    let Some(session) = access::session(web, visit).await? else {
        return Ok(Redirect::to("/portal").into_response());
    };
    let seat = seat.map(ActivationId::parse).transpose().map_err(|_| Problem::not_found("device"))?;
    let license = LicenseId::parse(license).map_err(|_| Problem::not_found("license"))?;
    let license = web.app.store.license(visit.shop.id, license).await.map_err(app::Error::from)?;
    let license = license.ok_or_else(|| Problem::not_found("license"))?;
    if !owns_license(web, &session, &license).await? {
        return Err(Problem::not_found("license"));
    }
    let (shop, giver) = (visit.shop.id, FileGiver::Holder);
    let file = web.app.give_license_file(shop, license.id, seat, None, giver, Actor::Buyer).await?;
    Ok(download::license_file(&file))
}

fn owns_order(session: &Session, order: &Order) -> bool {
    match session.holder {
        SessionHolder::Customer { customer } => order.customer == Some(customer),
        SessionHolder::Order { order: own } => order.id == own,
        SessionHolder::User { .. } => false,
    }
}

async fn owns_license(web: &Web, session: &Session, license: &License) -> Result<bool, Problem> {
    Ok(match session.holder {
        SessionHolder::Customer { customer } => license.customer == Some(customer),
        SessionHolder::Order { order } if license.order == order => {
            // What was handed on is not the order's any more.
            let order = web.app.store.order(license.shop, order).await.map_err(app::Error::from)?;
            order.is_some_and(|order| order.customer == license.customer)
        }
        SessionHolder::Order { .. } | SessionHolder::User { .. } => false,
    })
}

fn key_error(slip: KeySlip) -> &'static str {
    match slip {
        KeySlip::Mistyped(KeyCodeError::Empty) => "error-key-empty",
        KeySlip::Mistyped(KeyCodeError::WrongLength { .. }) => "error-key-length",
        KeySlip::Mistyped(KeyCodeError::BadSymbol { .. }) => "error-key-symbol",
        KeySlip::Mistyped(KeyCodeError::WrongCheckSymbols) => "error-key-typo",
        KeySlip::NotGenuine(error) => not_genuine(error),
        KeySlip::OfNobody => "error-key-mismatch",
    }
}

/// Sets the cookie of the session, or takes it away, and shows the portal.
fn signed_in(web: &Web, token: &str, seconds: i64) -> Response {
    let cookie =
        cookie::set(PORTAL_COOKIE, token, "/", seconds, Visit::is_secure(web)).map(|value| (header::SET_COOKIE, value));
    (AppendHeaders(cookie), Redirect::to("/portal")).into_response()
}

fn enter_page(
    web: &Web,
    visit: &Visit,
    link: Option<LoginLinkId>,
    typed: &Fields,
    errors: Vec<(&'static str, String)>,
) -> Result<Response, Problem> {
    let link = link.map(|link| link.to_string());
    let frame = Frame::new(web, visit, String::new()).private();
    let return_to = address("/portal", &[("link", link.as_deref().unwrap_or_default())]);
    let frame = Frame { title: frame.say("page-portal-title"), ..frame }.returning_to(return_to);
    let length = i64::try_from(KeyCode::LENGTH).unwrap_or_default();
    let errors: Vec<FieldError> = errors
        .into_iter()
        .map(|(field, id)| FieldError {
            field: field.into(),
            text: frame.words.fill(&id, &[("length", length.into())]),
        })
        .collect();
    let (status, frame) =
        if errors.is_empty() { (StatusCode::OK, frame) } else { (StatusCode::UNPROCESSABLE_ENTITY, frame.erroneous()) };
    let template = EnterPage {
        link,
        email: typed.get("email"),
        key: typed.get("key"),
        number: typed.get("number"),
        done: match typed.get("done") {
            "keys_sent" => Some(frame.say("page-portal-keys-sent")),
            "by_mail" => Some(frame.say("page-portal-by-mail-needed")),
            _ => None,
        },
        errors,
        frame: &frame,
    };
    page(status, &frame, &template)
}

async fn home(web: &Web, visit: &Visit, session: &Session, fields: &Fields) -> Result<Response, Problem> {
    let after = OrderId::parse(fields.get("after")).ok();
    let belongings = match session.holder {
        SessionHolder::Customer { customer } => Belongings::of_customer(web, visit, customer, after).await?,
        SessionHolder::Order { order } => Belongings::of_order(web, visit, order).await?,
        SessionHolder::User { .. } => return enter_page(web, visit, None, &Fields::default(), Vec::new()),
    };
    let frame = Frame::new(web, visit, String::new()).private();
    let frame = Frame { title: frame.say("page-portal-title"), ..frame }.returning_to("/portal");
    let now = web.app.clock.now();
    let is_by_mail = matches!(session.holder, SessionHolder::Customer { .. });
    let mut received = Vec::new();
    for license in &belongings.received {
        let view = license::view(&frame.words, license, None, None, &belongings.seats, "/portal", now);
        let name = web.app.name_of(license).await?.join(" ");
        received.push(LicenseView { name, manage: Some(format!("/portal/licenses/{}", license.id)), ..view });
    }
    let orders = belongings
        .orders
        .iter()
        .map(|order| OrderCard {
            path: format!("/orders/{}", order.id),
            number: order.number.to_string(),
            state: order::state(&frame.words, order.state),
            date: frame.words.day(order.paid_at.unwrap_or(order.created_at)),
            names: order.lines.iter().map(domain::OrderLine::name).collect(),
            total: frame.words.amount(order.total),
            was_paid: order.state.was_paid(),
            resend: format!("/portal/orders/{}/resend", order.id),
            licenses: belongings
                .licenses
                .iter()
                .filter(|license| license.order == order.id)
                .map(|license| {
                    let line = order.line(license.line);
                    if license.customer != order.customer {
                        return license::handed_on(&frame.words, license, line);
                    }
                    // A key is shown on its own page; what is no key, here as well.
                    let held = belongings.held.iter().find(|(id, _)| *id == license.id).map(|(_, held)| held);
                    let held = held.filter(|held| held.is_awaited() || (is_by_mail && held.said().is_some()));
                    let view = license::view(&frame.words, license, line, held, &belongings.seats, "/portal", now);
                    let manage = is_by_mail.then(|| format!("/portal/licenses/{}", license.id));
                    LicenseView { manage, ..view }.refused(&frame.words, license, &belongings.refusals, now)
                })
                .collect(),
        })
        .collect();
    let older = belongings.orders.last().filter(|_| belongings.has_more);
    let template = PortalPage {
        signed_in_as: frame.words.fill("page-portal-signed-in", &[("email", (&belongings.address).into())]),
        done: order::done(&frame.words, fields.get("done")),
        older: older.map(|order| address("/portal", &[("after", &order.id.to_string())])),
        is_first_page: after.is_none(),
        orders,
        received,
        frame: &frame,
    };
    page(StatusCode::OK, &frame, &template)
}

/// What a session sees.
struct Belongings {
    address: String,
    orders: Vec<Order>,
    has_more: bool,
    licenses: Vec<License>,
    /// Licenses of orders of others.
    received: Vec<License>,
    seats: Vec<Activation>,
    refusals: Vec<Attempt>,
    /// What of it is made elsewhere.
    held: Vec<(LicenseId, Held)>,
}

fn held(claims: Vec<OpenedClaim>) -> Vec<(LicenseId, Held)> {
    claims.into_iter().map(|opened| (opened.claim.license, opened.into())).collect()
}

impl Belongings {
    async fn of_customer(
        web: &Web,
        visit: &Visit,
        id: domain::CustomerId,
        after: Option<OrderId>,
    ) -> Result<Self, Problem> {
        let (store, shop) = (&web.app.store, visit.shop.id);
        let read = async || {
            let orders = Page { starting_after: after, ending_before: None, limit: ORDERS_A_PAGE };
            let licenses = Page { starting_after: None, ending_before: None, limit: MOST_LICENSES };
            let filter = OrderFilter { customer: Some(id), ..OrderFilter::default() };
            let license_filter = LicenseFilter { customer: Some(id), ..LicenseFilter::default() };
            let customer = store.customer(shop, id).await?;
            let orders = store.orders(shop, &filter, orders).await?;
            let licenses = store.licenses(shop, &license_filter, licenses).await?;
            let received = match after {
                None => store.licenses_received(shop, id).await?,
                Some(_) => Vec::new(),
            };
            let seats = store.activations_of_customer(shop, id).await?;
            Ok::<_, store::ReadError>(Self {
                address: customer.map(|customer| customer.email.to_string()).unwrap_or_default(),
                orders: orders.data,
                has_more: orders.has_more,
                licenses: licenses.data,
                received,
                seats,
                refusals: store.last_refusals_of_customer(shop, id).await?,
                held: held(store.claims_of_customer(shop, id, MOST_LICENSES).await?),
            })
        };
        Ok(read().await.map_err(app::Error::from)?)
    }

    async fn of_order(web: &Web, visit: &Visit, id: OrderId) -> Result<Self, Problem> {
        let sale = web.app.sale(visit.shop.id, id).await?;
        let (store, shop) = (&web.app.store, visit.shop.id);
        let seats = store.activations_of_order(shop, id).await.map_err(app::Error::from)?;
        let refusals = store.last_refusals_of_order(shop, id).await.map_err(app::Error::from)?;
        let claims = match sale.order.claimed_units() {
            0 => Vec::new(),
            _ => store.claims(shop, id).await.map_err(app::Error::from)?,
        };
        Ok(Self {
            held: held(claims),
            address: sale.order.email.as_ref().map(Email::masked).unwrap_or_default(),
            orders: vec![sale.order],
            has_more: false,
            licenses: sale.licenses,
            received: Vec::new(),
            seats,
            refusals,
        })
    }
}
