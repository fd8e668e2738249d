//! Licenses: the list, and one license with its devices.

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{
    ActivationId, AttemptId, Duration, Event, FeatureValue, FileGiver, License, LicenseId, LicenseState, Refusal, User,
    is_undoable, plain_text,
};
use serde::Deserialize;
use store::{AttemptFilter, LicenseFilter, Page};

use super::attempt::AttemptRow;
use super::claim::Proof;
use super::group::{GroupChoice, choices};
use super::order::{LicenseRow, SeatRow};
use super::{Chrome, Filter, Moment, Staff, done, event_moment, filters, list_page, page, query, who};
use crate::Web;
use crate::problem::Problem;
use crate::public::download;

#[derive(Template)]
#[template(path = "console/licenses.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    filters: Vec<Filter>,
    licenses: Vec<LicenseRow>,
    next: Option<String>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "licenses");
    let chosen = query(&staff.visit.path, "state").and_then(|word| LicenseState::parse(&word));
    let filter = LicenseFilter { state: chosen, ..LicenseFilter::default() };
    let asked = list_page(&staff.visit.path, |text| LicenseId::parse(text).ok());
    let listing = web.app.store.licenses(staff.shop(), &filter, asked).await.map_err(app::Error::from)?;
    let now = web.app.clock.now();
    let next = listing.data.last().filter(|_| listing.has_more).map(|last| match chosen {
        Some(state) => format!("/console/licenses?state={}&after={}", state.as_str(), last.id),
        None => format!("/console/licenses?after={}", last.id),
    });
    let words: Vec<&str> = LicenseState::ALL.iter().map(|state| state.as_str()).collect();
    let filters = filters(&chrome, "/console/licenses", &words, chosen.map(LicenseState::as_str));
    let licenses = listing.data.iter().map(|license| LicenseRow::new(&chrome, license, now)).collect();
    Ok(page(StatusCode::OK, &List { chrome, filters, licenses, next }))
}

/// How many attempts the page of a license shows at once.
const ATTEMPTS: u32 = 20;

#[derive(Template)]
#[template(path = "console/license.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    license: LicenseRow,
    order: String,
    number: String,
    plan: String,
    plan_name: String,
    is_metered: bool,
    features: String,
    /// In days, for the message.
    longest_file: [(&'static str, u64); 1],
    expires: Option<String>,
    /// Where the code comes from that the buyer holds, where it was made elsewhere.
    code: Option<CodeRow>,
    /// What was handed over, when and by whom, where its content is made elsewhere.
    proof: Option<Proof>,
    terms: Vec<Term>,
    seats: Vec<SeatRow>,
    /// Whose it is: id and address.
    customer: Option<(String, String)>,
    /// What it belongs to: id and name.
    group: Option<(String, String)>,
    groups: Vec<GroupChoice>,
    can_suspend: bool,
    can_reinstate: bool,
    can_revoke: bool,
    attempts: Vec<AttemptRow>,
    /// The key is the page's own.
    shows_key: bool,
    older_attempts: Option<String>,
    timeline: Vec<Moment>,
}

/// Where a code comes from.
struct CodeRow {
    pool: String,
    text: String,
}

async fn code(web: &Web, chrome: &Chrome<'_>, license: &License) -> Result<Option<CodeRow>, Problem> {
    let store = &web.app.store;
    let claim = store.claim_of_license(license.shop, license.id).await.map_err(app::Error::from)?;
    let Some(claim) = claim.map(|opened| opened.claim) else { return Ok(None) };
    let Some(id) = claim.fulfilment.pool() else { return Ok(None) };
    let pool = store.pool(license.shop, id).await.map_err(app::Error::from)?;
    let name = pool.map_or_else(|| id.to_string(), |pool| pool.name);
    let text = match claim.fulfilled_at {
        Some(at) => format!("{} {}", chrome.with("console-license-code-from", "pool", &name), chrome.date(&at)),
        None => chrome.with("console-license-code-waiting", "pool", &name),
    };
    Ok(Some(CodeRow { pool: id.to_string(), text }))
}

/// What is switched on, and what is set to a value.
fn features(license: &License) -> String {
    let values = license.policy.feature_values.iter().map(|(name, value)| match value {
        FeatureValue::Flag(flag) => format!("{name} = {flag}"),
        FeatureValue::Number(number) => format!("{name} = {number}"),
        FeatureValue::Text(text) => format!("{name} = {text}"),
    });
    license.policy.features.iter().cloned().chain(values).collect::<Vec<_>>().join(", ")
}

/// One thing that the license allows out of the ordinary.
struct Term {
    label: String,
    value: String,
}

/// The names of what can be told, in the order in which it is.
pub(super) const TERMS: [&str; 12] = [
    "starts",
    "started",
    "updates",
    "grace",
    "at-expiry",
    "trial",
    "check-in",
    "seats-for",
    "lease",
    "overage",
    "usage",
    "usage-resets",
];

/// What the license allows out of the ordinary, and what its time has become.
fn terms(chrome: &Chrome<'_>, license: &License, now: domain::Timestamp) -> Vec<Term> {
    let (term, seating) = (&license.policy.term, &license.policy.seating);
    let ordinary = domain::Policy::default();
    let days = |count: u32| chrome.count("console-policy-days", u64::from(count));
    let word = |name: &str, word: &str, is_ordinary: bool| {
        (!is_ordinary).then(|| chrome.t(&format!("console-policy-{name}-{}", word.replace(['_', '.'], "-"))))
    };
    let values = [
        word("starts", term.starts.as_str(), term.starts == ordinary.term.starts),
        license.started_at.map(|at| chrome.date(&at)),
        license.updates_until.map(|at| chrome.date(&at)),
        (term.grace_days > 0).then(|| days(term.grace_days)),
        word("at-expiry", term.at_expiry.as_str(), term.at_expiry == ordinary.term.at_expiry),
        term.is_trial.then(|| chrome.t("console-policy-trial-yes")),
        term.check_in_days.map(days),
        word("seats-for", seating.holder.as_str(), seating.holder == ordinary.seating.holder),
        seating.lease_seconds.map(|seconds| chrome.count("console-policy-seconds", u64::from(seconds))),
        word("overage", seating.overage.as_str(), seating.overage == ordinary.seating.overage),
        license.policy.usage.as_ref().map(|usage| match usage.limit {
            Some(limit) => chrome.counts("console-policy-usage-of", &[("used", license.used(now)), ("limit", limit)]),
            None => chrome.counts("console-policy-usage-counted", &[("used", license.used(now))]),
        }),
        license.usage_resets_at(now).map(|at| chrome.date(&at)),
    ];
    let said = TERMS.iter().zip(values).filter_map(|(name, value)| Some((name, value?)));
    said.map(|(name, value)| Term { label: chrome.t(&format!("console-policy-{name}")), value }).collect()
}

/// A line of the timeline: who of the shop it was, and how it is undone where it can be.
fn moment(chrome: &Chrome<'_>, event: &Event, license: LicenseId, people: &[User]) -> Moment {
    let moment = event_moment(chrome, event);
    Moment {
        who: who(chrome, event.actor, people),
        undo: is_undoable(event).then(|| format!("/console/licenses/{license}/events/{}/undo", event.id)),
        ..moment
    }
}

fn parse(license: &str) -> Result<LicenseId, Problem> {
    LicenseId::parse(license).map_err(|_| Problem::not_found("license"))
}

pub(crate) async fn show(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "licenses");
    let store = &web.app.store;
    let id = parse(&license)?;
    let license = store
        .license(staff.shop(), id)
        .await
        .map_err(app::Error::from)?
        .ok_or_else(|| Problem::not_found("license"))?;
    let seats = store.activations(staff.shop(), id).await.map_err(app::Error::from)?;
    let of_license = AttemptFilter::License(id);
    let asked = Page { limit: ATTEMPTS, ..list_page(&staff.visit.path, |text| AttemptId::parse(text).ok()) };
    let attempts = store.attempts(staff.shop(), &of_license, asked).await.map_err(app::Error::from)?;
    let older = attempts.data.last().filter(|_| attempts.has_more);
    let events = store.order_events(staff.shop(), license.order).await.map_err(app::Error::from)?;
    let order = store.order(staff.shop(), license.order).await.map_err(app::Error::from)?;
    let plan = store.plan(staff.shop(), license.plan).await.map_err(app::Error::from)?;
    let people = store.users(staff.shop()).await.map_err(app::Error::from)?;
    let owner = match license.customer {
        Some(customer) => store.customer(staff.shop(), customer).await.map_err(app::Error::from)?,
        None => None,
    };
    let (group, groups) = choices(&web, &staff, license.group).await?;
    let about = |event: &&domain::Event| event.license == Some(id);
    let now = web.app.clock.now();
    let view = Show {
        license: LicenseRow::new(&chrome, &license, now),
        order: license.order.to_string(),
        number: order.map_or_else(|| license.order.to_string(), |order| order.number.to_string()),
        plan: license.plan.to_string(),
        plan_name: plan.map_or_else(|| license.plan.to_string(), |plan| plan.name),
        is_metered: license.policy.usage.is_some(),
        features: features(&license),
        longest_file: [(
            "days",
            u64::try_from(license.policy.longest_file().as_seconds() / 86_400).unwrap_or_default(),
        )],
        expires: license.expires_at.map(|at| chrome.date(&at)),
        code: code(&web, &chrome, &license).await?,
        proof: store
            .claim_of_license(staff.shop(), id)
            .await
            .map_err(app::Error::from)?
            .map(|opened| Proof::of(&chrome, &opened, &events, &people, now)),
        terms: terms(&chrome, &license, now),
        seats: seats.iter().map(|seat| SeatRow::new(&chrome, &license, seat, now)).collect(),
        customer: owner.map(|owner| (owner.id.to_string(), owner.email.to_string())),
        group,
        groups,
        can_suspend: matches!(license.state, LicenseState::Active | LicenseState::SuspendedByDispute),
        can_reinstate: !matches!(license.state, LicenseState::Active | LicenseState::SuspendedByDispute),
        can_revoke: license.state != LicenseState::RevokedByPerson,
        timeline: events.iter().filter(about).map(|event| moment(&chrome, event, id, &people)).collect(),
        attempts: attempts.data.iter().map(|attempt| AttemptRow::new(&chrome, attempt, &seats)).collect(),
        shows_key: false,
        older_attempts: older.map(|last| format!("/console/licenses/{id}?after={}#attempts", last.id)),
        chrome,
    };
    Ok(page(StatusCode::OK, &view))
}

#[derive(Deserialize)]
pub(crate) struct Release {
    #[serde(default)]
    reason: String,
}

pub(crate) async fn release(
    State(web): State<Web>,
    staff: Staff,
    Path((license, activation)): Path<(String, String)>,
    Form(typed): Form<Release>,
) -> Result<Response, Problem> {
    let license = parse(&license)?;
    let seat = ActivationId::parse(&activation).map_err(|_| Problem::not_found("activation"))?;
    let back = format!("/console/licenses/{license}");
    let Ok(reason) = plain_text(&typed.reason, 500) else { return Ok(done(&back, "reason-missing")) };
    match web.app.release_seat(staff.shop(), license, seat, &reason, staff.actor()).await {
        Ok(()) => Ok(done(&back, "released")),
        Err(app::Error::Refused(domain::Refusal::NotActivated)) => Ok(done(&back, "was-free")),
        Err(error) => Err(error.into()),
    }
}

/// For how many days a file shall count; left empty, as long as the license allows.
#[derive(Deserialize)]
pub(crate) struct FileForm {
    #[serde(default)]
    days: String,
}

/// The license as a file that works on any device.
pub(crate) async fn file(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
    Form(typed): Form<FileForm>,
) -> Result<Response, Problem> {
    give(&web, &staff, parse(&license)?, None, &typed.days).await
}

/// The license as a file for the device on a seat.
pub(crate) async fn device_file(
    State(web): State<Web>,
    staff: Staff,
    Path((license, activation)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let seat = ActivationId::parse(&activation).map_err(|_| Problem::not_found("activation"))?;
    give(&web, &staff, parse(&license)?, Some(seat), "").await
}

async fn give(
    web: &Web,
    staff: &Staff,
    license: LicenseId,
    seat: Option<ActivationId>,
    days: &str,
) -> Result<Response, Problem> {
    let back = format!("/console/licenses/{license}");
    let wanted = match days.trim() {
        "" => None,
        days => match days.parse::<u32>() {
            Ok(days) => Some(Duration::days(i64::from(days))),
            Err(_) => return Ok(done(&back, "file-time")),
        },
    };
    match web.app.give_license_file(staff.shop(), license, seat, wanted, FileGiver::Seller, staff.actor()).await {
        Ok(file) => Ok(download::license_file(&file)),
        Err(app::Error::Refused(Refusal::FileTimeOutOfRange { .. })) => Ok(done(&back, "file-time")),
        Err(app::Error::Refused(Refusal::LicenseNotUsable(_))) => Ok(done(&back, "file-unusable")),
        Err(app::Error::Refused(Refusal::NotActivated)) => Ok(done(&back, "file-seat")),
        Err(error) => Err(error.into()),
    }
}
