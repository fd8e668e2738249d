//! One license for its owner, who is signed in by mail: key, devices and their names, a new key, handing it on.
//!
//! Whoever came with a key and an order number sees none of this: a leaked key must not be able to take the license
//! away from who bought it.

use app::Held;
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{
    Activation, ActivationId, Email, GroupUse, License, LicenseId, ROTATIONS, Refusal, SessionHolder, Standing,
    Transfer, plain_text,
};

use crate::Web;
use crate::problem::Problem;
use crate::public::access;
use crate::public::fields::Fields;
use crate::public::frame::{Frame, page};
use crate::public::license::{self, LicenseView};
use crate::public::portal;
use crate::public::release::{self, Buy, DownloadsView};
use crate::public::till::FieldError;
use crate::public::words::Words;
use crate::visit::Visit;

/// The longest name of a device, in characters.
const LONGEST_NAME: usize = 100;

#[derive(Template)]
#[template(path = "public/own_license.html")]
struct OwnLicensePage<'a> {
    frame: &'a Frame,
    path: String,
    license: LicenseView,
    downloads: Vec<DownloadsView>,
    done: Option<String>,
    can_change: bool,
    /// The group that it is in, and how many devices that holds.
    group: Option<String>,
    /// Whom it is offered to, until when.
    offer: Option<String>,
    /// The field, and what is wrong with it.
    errors: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "public/own_license_key.html")]
struct NewKeyPage<'a> {
    frame: &'a Frame,
    path: String,
    key_tail: String,
    /// Why there is none now, and when there is.
    refusal: Option<String>,
    has_devices: bool,
    left: String,
}

#[derive(Template)]
#[template(path = "public/own_license_transfer.html")]
struct TransferPage<'a> {
    frame: &'a Frame,
    path: String,
    email: &'a str,
    keeps: bool,
    errors: Vec<FieldError>,
}

/// A license with its owner's session: both are needed for every page here.
struct Own {
    license: License,
    path: String,
}

/// The license, if whoever asks owns it; else what to show instead.
async fn own(web: &Web, visit: &Visit, id: &str) -> Result<Result<Own, Response>, Problem> {
    let Some(session) = access::session(web, visit).await? else {
        return Ok(Err(Redirect::to("/portal").into_response()));
    };
    let SessionHolder::Customer { customer } = session.holder else {
        return portal::enter_by_mail(web, visit).map(Err);
    };
    let missing = || Problem::not_found("license");
    let id = LicenseId::parse(id).map_err(|_| missing())?;
    let license = web.app.store.license(visit.shop.id, id).await.map_err(app::Error::from)?;
    let license = license.filter(|license| license.customer == Some(customer)).ok_or_else(missing)?;
    Ok(Ok(Own { path: format!("/portal/licenses/{}", license.id), license }))
}

macro_rules! owned {
    ($web:expr, $visit:expr, $id:expr) => {
        match own($web, $visit, $id).await? {
            Ok(own) => own,
            Err(instead) => return Ok(instead),
        }
    };
}

pub(crate) async fn show(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response, Problem> {
    let own = owned!(&web, &visit, &id);
    license_page(&web, &visit, &own, &fields, Vec::new()).await
}

/// Gives a device the name that its owner knows it by; an empty one gives its own back.
pub(crate) async fn rename(
    State(web): State<Web>,
    visit: Visit,
    Path((id, seat)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let own = owned!(&web, &visit, &id);
    let seat = ActivationId::parse(&seat).map_err(|_| Problem::not_found("device"))?;
    let label = match fields.get("name").trim() {
        "" => None,
        typed => match plain_text(typed, LONGEST_NAME) {
            Ok(name) => Some(name),
            Err(_) => {
                let errors = vec![(format!("name-{seat}"), "error-device-name")];
                return license_page(&web, &visit, &own, &Fields::default(), errors).await;
            }
        },
    };
    match web.app.rename_own_device(visit.shop.id, own.license.id, seat, label.as_deref()).await {
        Ok(()) => Ok(back(&own.path, "renamed")),
        Err(app::Error::Refused(Refusal::NotActivated)) => Ok(back(&own.path, "released")),
        Err(error) => Err(error.into()),
    }
}

/// What a new key does, before anybody takes one.
pub(crate) async fn ask_for_key(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let own = owned!(&web, &visit, &id);
    key_page(&web, &visit, &own).await
}

/// Takes a new key.
pub(crate) async fn take_key(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let own = owned!(&web, &visit, &id);
    match web.app.rotate_own_key(visit.shop.id, own.license.id, fields.get("release") == "yes").await {
        Ok(()) => Ok(back(&own.path, "rotated")),
        Err(app::Error::Refused(
            Refusal::RotationQuotaReached { .. } | Refusal::LicenseNotUsable(_) | Refusal::CodeMadeElsewhere,
        )) => key_page(&web, &visit, &own).await,
        Err(error) => Err(error.into()),
    }
}

/// To whom the license is to go.
pub(crate) async fn ask_for_receiver(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let own = owned!(&web, &visit, &id);
    transfer_page(&web, &visit, &own, &Fields::default(), None)
}

/// Offers the license; it moves when the receiver takes it.
pub(crate) async fn offer(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let own = owned!(&web, &visit, &id);
    let words = Words::new(&web, &visit.locale);
    let refused = |text: String| transfer_page(&web, &visit, &own, &fields, Some(text));
    let to = match Email::parse(fields.get("email")) {
        Ok(to) => to,
        Err(error) => return refused(words.say(&format!("error-email-{}", error.code()))),
    };
    let frees_seats = fields.get("devices") != "keep";
    let input = app::TransferInput { to, frees_seats, locale: visit.locale.clone() };
    match web.app.offer_transfer(visit.shop.id, own.license.id, &input).await {
        Ok(()) => Ok(back(&own.path, "offered")),
        Err(app::Error::Refused(Refusal::TransferToOwner)) => refused(words.say("error-transfer-to-owner")),
        Err(app::Error::Refused(Refusal::TransferQuotaReached { next_at })) => {
            let day = words.date(next_at);
            refused(words.fill("error-transfer-quota", &[("date", (&day).into())]))
        }
        Err(app::Error::Refused(Refusal::LicenseNotUsable(_))) => refused(words.say("error-transfer-not-usable")),
        Err(app::Error::Refused(Refusal::CodeMadeElsewhere)) => refused(words.say("error-transfer-code")),
        Err(error) => Err(error.into()),
    }
}

/// Calls the offer off.
pub(crate) async fn withdraw(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let own = owned!(&web, &visit, &id);
    match web.app.withdraw_transfer(visit.shop.id, own.license.id).await {
        Ok(()) | Err(app::Error::Refused(Refusal::TransferOver)) => Ok(back(&own.path, "withdrawn")),
        Err(error) => Err(error.into()),
    }
}

fn back(path: &str, done: &str) -> Response {
    Redirect::to(&format!("{path}?done={done}")).into_response()
}

/// What happened, by the code that a form's answer carries in its address.
fn done(words: &Words, code: &str) -> Option<String> {
    ["renamed", "released", "release_quota", "rotated", "offered", "withdrawn"]
        .contains(&code)
        .then(|| words.say(&format!("page-own-done-{code}")))
}

/// Whether the owner may take a new key of the license, or hand it on: a code that was made elsewhere stays with whoever
/// knows it.
fn can_change(web: &Web, license: &License, held: Option<&Held>) -> bool {
    let is_made_here = matches!(held, None | Some(Held::Key(_) | Held::Signed(_)));
    match license.standing(web.app.clock.now()) {
        Standing::Active | Standing::Expired => is_made_here,
        Standing::Suspended | Standing::Revoked => false,
    }
}

async fn license_page(
    web: &Web,
    visit: &Visit,
    own: &Own,
    asked: &Fields,
    errors: Vec<(String, &str)>,
) -> Result<Response, Problem> {
    let (store, shop) = (&web.app.store, visit.shop.id);
    let held = web.app.held_of_license(&own.license).await?;
    let read = async || {
        let seats = store.activations(shop, own.license.id).await?;
        let transfers = store.transfers(shop, own.license.id).await?;
        let group = match own.license.group {
            Some(group) => store.group(shop, group, web.app.clock.now()).await?,
            None => None,
        };
        Ok::<_, store::ReadError>((seats, transfers, group))
    };
    let (seats, transfers, group) = read().await.map_err(app::Error::from)?;
    let [product_name, plan_name] = web.app.name_of(&own.license).await?;
    let order = store.order(shop, own.license.order).await.map_err(app::Error::from)?;
    let line = order.as_ref().and_then(|order| order.line(own.license.line));
    let name = format!("{product_name} {plan_name}");
    let now = web.app.clock.now();
    let frame = Frame { title: name.clone(), ..Frame::new(web, visit, String::new()).private() };
    let frame = frame.returning_to(&own.path);
    let words = &frame.words;
    let seats: Vec<Activation> = seats.into_iter().rev().collect();
    let view = license::view(words, &own.license, line, held.as_ref(), &seats, "/portal", now);
    let bought = Buy { license: &own.license, product_name, is_download: view.is_download };
    let versions = release::wanted_versions(asked);
    let downloads = release::downloads(web, words, &[bought], versions, &own.path).await?;
    let errors: Vec<(String, String)> = errors.into_iter().map(|(field, id)| (field, words.say(id))).collect();
    let (status, frame) = status(errors.is_empty(), frame);
    let template = OwnLicensePage {
        done: done(&frame.words, asked.get("done")),
        can_change: can_change(web, &own.license, held.as_ref()),
        group: group.filter(|_| view.has_devices()).map(|used| group_text(&frame.words, &used)),
        offer: transfers.iter().find(|transfer| transfer.is_open(now)).map(|open| offer_text(&frame.words, open)),
        license: LicenseView { name, ..view },
        downloads,
        path: own.path.clone(),
        errors,
        frame: &frame,
    };
    page(status, &frame, &template)
}

/// How the group is called is the seller's word, and not for whoever has a license of it.
fn group_text(words: &Words, used: &GroupUse) -> String {
    let held = ("used", used.seats().into());
    match used.group.max_seats {
        Some(most) => words.fill("page-own-group", &[held, ("seats", most.into())]),
        None => words.fill("page-own-group-any", &[held]),
    }
}

fn offer_text(words: &Words, transfer: &Transfer) -> String {
    let until = words.date(transfer.expires_at);
    let arguments = [("email", transfer.to.as_str().into()), ("date", (&until).into())];
    words.fill("page-own-offered", &arguments)
}

async fn key_page(web: &Web, visit: &Visit, own: &Own) -> Result<Response, Problem> {
    let held = web.app.held_of_license(&own.license).await?;
    let path = format!("{}/key", own.path);
    let frame = Frame::new(web, visit, String::new()).private().returning_to(&path);
    let frame = Frame { title: frame.say("page-own-key-title"), ..frame };
    let now = web.app.clock.now();
    let (words, done) = (&frame.words, &own.license.own_acts.rotations);
    let refusal = match ROTATIONS.next_at(done, now) {
        _ if matches!(held, Some(Held::Code(_) | Held::Said(_) | Held::OnItsWay | Held::Promised(_))) => {
            Some(words.say("error-key-code"))
        }
        _ if !can_change(web, &own.license, held.as_ref()) => Some(words.say("error-key-not-usable")),
        Some(next_at) => {
            let day = words.date(next_at);
            Some(words.fill("error-key-quota", &[("date", (&day).into())]))
        }
        None => None,
    };
    let counts = [("count", ROTATIONS.left(done, now).into()), ("days", ROTATIONS.days.into())];
    let template = NewKeyPage {
        key_tail: own.license.key_tail.clone(),
        has_devices: own.license.seats_used > 0,
        left: words.fill("page-own-key-left", &counts),
        path: own.path.clone(),
        refusal,
        frame: &frame,
    };
    let status = if template.refusal.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    page(status, &frame, &template)
}

fn transfer_page(
    web: &Web,
    visit: &Visit,
    own: &Own,
    typed: &Fields,
    error: Option<String>,
) -> Result<Response, Problem> {
    let frame = Frame::new(web, visit, String::new()).private().returning_to(format!("{}/transfer", own.path));
    let frame = Frame { title: frame.say("page-own-transfer-title"), ..frame };
    let errors: Vec<FieldError> = error.into_iter().map(|text| FieldError { field: "email".into(), text }).collect();
    let (status, frame) = status(errors.is_empty(), frame);
    let template = TransferPage {
        path: own.path.clone(),
        email: typed.get("email"),
        keeps: typed.get("devices") == "keep",
        errors,
        frame: &frame,
    };
    page(status, &frame, &template)
}

fn status(is_good: bool, frame: Frame) -> (StatusCode, Frame) {
    if is_good { (StatusCode::OK, frame) } else { (StatusCode::UNPROCESSABLE_ENTITY, frame.erroneous()) }
}
