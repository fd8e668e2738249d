//! Changing what licenses allow: the form on a license's page, and a plan's page that shows what taking on its policy
//! would do to each license before anybody does it.

use app::{Adoption, HandAct, ReissueInput};
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Adjustment, Email, EventId, LicenseId, PlanId, Refusal, Timestamp, plain_text};
use latchkey_license::KeyCode;
use serde::Deserialize;

use super::{Chrome, Staff, done, list_page, page, query};
use crate::Web;
use crate::problem::Problem;

/// What was typed; what is left empty stays as it is.
#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    seats: String,
    #[serde(default)]
    usage_limit: String,
    #[serde(default)]
    expires_on: String,
    #[serde(default)]
    reason: String,
}

impl Typed {
    /// `None` when a field cannot be read, or there is no reason.
    fn read(&self) -> Option<(Adjustment, String)> {
        let number = |text: &str| match text.trim() {
            "" => Some(None),
            text => text.parse::<u64>().ok().map(Some),
        };
        let expires_at = match self.expires_on.trim() {
            "" => None,
            // A day ends when the next one begins; what is typed is the last day that works.
            day => Some(Some(Timestamp::parse(&format!("{day}T23:59:59Z"))?)),
        };
        let seats = match number(&self.seats)? {
            Some(seats) => Some(Some(u32::try_from(seats).ok()?)),
            None => None,
        };
        let usage_limit = number(&self.usage_limit)?.map(Some);
        let reason = plain_text(&self.reason, 500).ok()?;
        Some((Adjustment { seats, usage_limit, expires_at, ..Adjustment::default() }, reason))
    }
}

pub(crate) async fn license(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let license = LicenseId::parse(&license).map_err(|_| Problem::not_found("license"))?;
    let back = format!("/console/licenses/{license}");
    let Some((wanted, reason)) = typed.read() else { return Ok(done(&back, "adjust-unread")) };
    let word = match web.app.adjust_license(staff.shop(), license, &wanted, &reason, staff.actor()).await {
        Ok(adjusted) if adjusted.differences.is_empty() => "adjust-same",
        Ok(_) => "adjusted",
        Err(app::Error::Refused(Refusal::SeatsBelowUsed { .. })) => "adjust-seats",
        Err(app::Error::Refused(Refusal::UsageNotCounted)) => "adjust-usage",
        Err(error) => return Err(error.into()),
    };
    Ok(done(&back, word))
}

#[derive(Deserialize)]
pub(crate) struct Act {
    #[serde(default)]
    act: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    reason: String,
}

/// Switches the license off or on, or takes it back.
pub(crate) async fn state(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
    Form(typed): Form<Act>,
) -> Result<Response, Problem> {
    let (act, word) = match typed.act.as_str() {
        "suspend" => (HandAct::Suspend, "suspended"),
        "reinstate" => (HandAct::Reinstate, "reinstated"),
        "revoke" => (HandAct::Revoke, "taken-back"),
        _ => return Err(Problem::not_found("act")),
    };
    by_hand(&web, &staff, &license, &act, &typed.reason, word).await
}

/// Gives the license to another customer.
pub(crate) async fn transfer(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
    Form(typed): Form<Act>,
) -> Result<Response, Problem> {
    match Email::parse(&typed.email) {
        Ok(email) => by_hand(&web, &staff, &license, &HandAct::Move(email), &typed.reason, "moved").await,
        Err(_) => Ok(done(&format!("/console/licenses/{}", license_id(&license)?), "email-unread")),
    }
}

/// Undoes what an event of the license tells of.
pub(crate) async fn undo(
    State(web): State<Web>,
    staff: Staff,
    Path((license, event)): Path<(String, String)>,
    Form(typed): Form<Act>,
) -> Result<Response, Problem> {
    let event = EventId::parse(&event).map_err(|_| Problem::not_found("event"))?;
    by_hand(&web, &staff, &license, &HandAct::Undo(event), &typed.reason, "undone").await
}

async fn by_hand(
    web: &Web,
    staff: &Staff,
    license: &str,
    act: &HandAct,
    reason: &str,
    word: &str,
) -> Result<Response, Problem> {
    let license = license_id(license)?;
    let back = format!("/console/licenses/{license}");
    let Ok(reason) = plain_text(reason, 500) else { return Ok(done(&back, "reason-missing")) };
    let name = EventId::mint(web.app.clock.now(), &mut web.app.entropy.rng());
    let word = match web.app.act_by_hand(staff.shop(), license, act, &reason, staff.actor(), name).await {
        Ok(()) => word,
        Err(app::Error::NotFound { what: "customer" }) => "move-unknown",
        Err(app::Error::Refused(Refusal::LicenseStateUnfit { .. } | Refusal::TransferToOwner)) => "unfit",
        Err(app::Error::Refused(Refusal::ChangedSince)) => "changed-since",
        Err(app::Error::Refused(Refusal::NotUndoable)) => "not-undoable",
        Err(app::Error::Refused(Refusal::SeatsBelowUsed { .. })) => "adjust-seats",
        Err(error) => return Err(error.into()),
    };
    Ok(done(&back, word))
}

fn license_id(text: &str) -> Result<LicenseId, Problem> {
    LicenseId::parse(text).map_err(|_| Problem::not_found("license"))
}

#[derive(Deserialize)]
pub(crate) struct Replace {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    release: String,
    #[serde(default)]
    mail: String,
}

#[derive(Template)]
#[template(path = "console/reissue.html")]
struct ConfirmReissue<'a> {
    chrome: Chrome<'a>,
    license: String,
    tail: String,
    owner: Option<String>,
}

/// What a new key does, before anybody presses the button.
pub(crate) async fn confirm_reissue(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "licenses");
    let store = &web.app.store;
    let row = store.license(staff.shop(), license_id(&license)?).await.map_err(app::Error::from)?;
    let row = row.ok_or_else(|| Problem::not_found("license"))?;
    let owner = match row.customer {
        Some(customer) => store.customer(staff.shop(), customer).await.map_err(app::Error::from)?,
        None => None,
    };
    let view = ConfirmReissue {
        license: row.id.to_string(),
        tail: row.key_tail,
        owner: owner.map(|owner| owner.email.to_string()),
        chrome,
    };
    Ok(page(StatusCode::OK, &view))
}

/// A new key for the license; the buyer is mailed it, and finds it in the portal and on the order's page.
pub(crate) async fn reissue(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
    Form(replace): Form<Replace>,
) -> Result<Response, Problem> {
    let license = LicenseId::parse(&license).map_err(|_| Problem::not_found("license"))?;
    let back = format!("/console/licenses/{license}");
    let Ok(reason) = plain_text(&replace.reason, 500) else { return Ok(done(&back, "adjust-unread")) };
    let key = KeyCode::from_random_bytes(web.app.entropy.rng().bytes());
    let input = ReissueInput { key, frees_seats: replace.release == "yes", tells_owner: replace.mail == "yes", reason };
    web.app.reissue_license(staff.shop(), license, &input, staff.actor()).await?;
    Ok(done(&back, "reissued"))
}

#[derive(Template)]
#[template(path = "console/plan.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    plan: String,
    name: String,
    rows: Vec<Row>,
    different: u64,
    after: String,
    next: Option<String>,
}

struct Row {
    license: String,
    tail: String,
    outcome: String,
    is_refused: bool,
}

impl Row {
    fn new(chrome: &Chrome<'_>, adoption: &Adoption) -> Self {
        let outcome = match &adoption.outcome {
            Ok(changes) if changes.is_empty() => chrome.t("console-adopt-same"),
            Ok(changes) => {
                let each =
                    changes.iter().map(|change| format!("{}: {} → {}", change.what, change.before, change.after));
                each.collect::<Vec<_>>().join("; ")
            }
            Err(_) => chrome.t("console-adopt-refused"),
        };
        Self {
            license: adoption.license.id.to_string(),
            tail: adoption.license.key_tail.clone(),
            outcome,
            is_refused: adoption.outcome.is_err(),
        }
    }
}

fn parse(plan: &str) -> Result<PlanId, Problem> {
    PlanId::parse(plan).map_err(|_| Problem::not_found("plan"))
}

pub(crate) async fn plan(State(web): State<Web>, staff: Staff, Path(plan): Path<String>) -> Result<Response, Problem> {
    let id = parse(&plan)?;
    let chrome = staff.chrome(&web, "licenses");
    let row = web.app.store.plan(staff.shop(), id).await.map_err(app::Error::from)?;
    let row = row.ok_or_else(|| Problem::not_found("plan"))?;
    let asked = list_page(&staff.visit.path, |text| LicenseId::parse(text).ok());
    let told = web.app.preview_adoption(staff.shop(), id, asked).await?;
    let is_different = |adoption: &&Adoption| adoption.outcome.as_ref().is_ok_and(|changes| !changes.is_empty());
    let view = Show {
        different: u64::try_from(told.licenses.iter().filter(is_different).count()).unwrap_or(u64::MAX),
        rows: told.licenses.iter().map(|adoption| Row::new(&chrome, adoption)).collect(),
        next: told.next.map(|next| format!("/console/plans/{id}?after={next}")),
        after: query(&staff.visit.path, "after").unwrap_or_default(),
        plan: id.to_string(),
        name: row.name,
        chrome,
    };
    Ok(page(StatusCode::OK, &view))
}

#[derive(Deserialize)]
pub(crate) struct Batch {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    after: String,
}

/// Takes the policy on for the licenses of one page, the same that were shown.
pub(crate) async fn adopt(
    State(web): State<Web>,
    staff: Staff,
    Path(plan): Path<String>,
    Form(batch): Form<Batch>,
) -> Result<Response, Problem> {
    let id = parse(&plan)?;
    let back = format!("/console/plans/{id}");
    let Ok(reason) = plain_text(&batch.reason, 500) else { return Ok(done(&back, "adjust-unread")) };
    let asked = list_page(&format!("?after={}", batch.after), |text| LicenseId::parse(text).ok());
    web.app.adopt_policy(staff.shop(), id, asked, &reason, staff.actor()).await?;
    Ok(done(&back, "adopted"))
}
