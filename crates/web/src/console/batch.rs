//! Licenses that nobody pays for: the form, what was issued, and the keys as a file.

use app::{BatchInput, BatchProgress};
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{BatchId, Email, plain_text};
use serde::Deserialize;

use super::{Chrome, Staff, done, list_page, page};
use crate::Web;
use crate::export;
use crate::problem::Problem;

/// How many one form issues; the command line and the API take more.
const MOST: u32 = 1_000;

#[derive(Deserialize, Default)]
pub(crate) struct Typed {
    /// Made when the form is shown, so that pressing twice issues once.
    #[serde(default)]
    batch: String,
    #[serde(default)]
    plan: String,
    #[serde(default)]
    licenses: String,
    #[serde(default)]
    emails: String,
    #[serde(default)]
    mail: String,
    #[serde(default)]
    reason: String,
}

struct PlanChoice {
    slug: String,
    name: String,
    is_chosen: bool,
}

struct Row {
    id: String,
    plan: String,
    reason: String,
    licenses: String,
    at: String,
}

#[derive(Template)]
#[template(path = "console/batches.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    typed: Typed,
    plans: Vec<PlanChoice>,
    problem: Option<String>,
    batches: Vec<Row>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "console/batch.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    batch: Row,
    issued: String,
    is_whole: bool,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let batch = BatchId::mint(web.app.clock.now(), &mut web.app.entropy.rng()).to_string();
    list_of(&web, &staff, Typed { batch, mail: "yes".to_owned(), ..Typed::default() }, None).await
}

/// Issues them, and shows the batch. What was begun under the form's name goes on.
pub(crate) async fn issue(State(web): State<Web>, staff: Staff, Form(typed): Form<Typed>) -> Result<Response, Problem> {
    let Ok(id) = BatchId::parse(&typed.batch) else { return Ok(Redirect::to("/console/batches").into_response()) };
    let addresses = typed.emails.split([',', ';', '\n', '\r', '\t', ' ']).filter(|text| !text.trim().is_empty());
    let emails: Result<Vec<Email>, String> =
        addresses.map(|text| Email::parse(text).map_err(|_| text.to_owned())).collect();
    let licenses = match typed.licenses.trim() {
        "" => Some(0),
        text => text.parse::<u32>().ok(),
    };
    let chrome = staff.chrome(&web, "licenses");
    let problem = |id: &str| Some(chrome.t(id));
    let (problem, emails, reason) = match (emails, plain_text(&typed.reason, 500)) {
        (Err(wrong), _) => (Some(chrome.with("console-batch-email", "email", &wrong)), Vec::new(), String::new()),
        (_, Err(_)) => (problem("console-told-reason-missing"), Vec::new(), String::new()),
        (Ok(emails), Ok(reason)) => {
            let wanted = if emails.is_empty() { licenses } else { u32::try_from(emails.len()).ok() };
            let fits = wanted.is_some_and(|wanted| (1..=MOST).contains(&wanted));
            ((!fits).then(|| chrome.count("console-batch-count", u64::from(MOST))), emails, reason)
        }
    };
    if problem.is_some() {
        return list_of(&web, &staff, typed, problem).await;
    }
    let shop = web.app.shop(staff.shop()).await.ok_or_else(|| Problem::not_found("shop"))?;
    let target = web.app.import_target(&shop, &typed.plan).await?;
    let input = BatchInput {
        id,
        created_at: id.minted_at(),
        licenses: licenses.unwrap_or_default(),
        emails,
        is_mailed: typed.mail == "yes",
        reason,
        actor: staff.actor(),
    };
    match web.app.issue_batch(&target, &input, |_| {}).await {
        Ok(_) => Ok(done(&format!("/console/batches/{id}"), "batch-issued")),
        Err(app::Error::Refused(domain::Refusal::BatchDiffers)) => {
            Ok(done(&format!("/console/batches/{id}"), "batch-differs"))
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn show(State(web): State<Web>, staff: Staff, Path(batch): Path<String>) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "licenses");
    let BatchProgress { batch, issued } = found(&web, &staff, &batch).await?;
    let plan = web.app.store.plan(staff.shop(), batch.plan).await.map_err(app::Error::from)?;
    let view = Show {
        is_whole: issued >= u64::from(batch.licenses),
        issued: chrome.counts("console-batch-issued", &[("issued", issued), ("of", u64::from(batch.licenses))]),
        batch: row(&chrome, &batch, plan.map(|plan| plan.name)),
        chrome,
    };
    Ok(page(StatusCode::OK, &view))
}

/// The keys as a file.
pub(crate) async fn keys(State(web): State<Web>, staff: Staff, Path(batch): Path<String>) -> Result<Response, Problem> {
    let found = found(&web, &staff, &batch).await?;
    Ok(export::batch_keys(&web, staff.shop(), found.batch.id))
}

/// Every license as a file.
pub(crate) async fn licenses(State(web): State<Web>, staff: Staff) -> Response {
    export::licenses(&web, staff.shop())
}

/// Every device as a file.
pub(crate) async fn activations(State(web): State<Web>, staff: Staff) -> Response {
    export::activations(&web, staff.shop())
}

async fn found(web: &Web, staff: &Staff, batch: &str) -> Result<BatchProgress, Problem> {
    let missing = || Problem::not_found("batch");
    let id = BatchId::parse(batch).map_err(|_| missing())?;
    let shop = web.app.shop(staff.shop()).await.ok_or_else(|| Problem::not_found("shop"))?;
    web.app.batch_progress(&shop, id).await?.ok_or_else(missing)
}

fn row(chrome: &Chrome<'_>, batch: &domain::Batch, plan: Option<String>) -> Row {
    Row {
        id: batch.id.to_string(),
        plan: plan.unwrap_or_else(|| batch.plan.to_string()),
        reason: batch.reason.clone(),
        licenses: batch.licenses.to_string(),
        at: chrome.date(&batch.created_at),
    }
}

async fn list_of(web: &Web, staff: &Staff, typed: Typed, problem: Option<String>) -> Result<Response, Problem> {
    let chrome = staff.chrome(web, "licenses");
    let asked = list_page(&staff.visit.path, |text| BatchId::parse(text).ok());
    let listing = web.app.store.batches(staff.shop(), asked).await.map_err(app::Error::from)?;
    let plans = web.app.store.plans_of_shop(staff.shop()).await.map_err(app::Error::from)?;
    let name = |id| plans.iter().find(|plan| plan.id == id).map(|plan| plan.name.clone());
    let view = List {
        batches: listing.data.iter().map(|batch| row(&chrome, batch, name(batch.plan))).collect(),
        next: listing
            .data
            .last()
            .filter(|_| listing.has_more)
            .map(|last| format!("/console/batches?after={}", last.id)),
        plans: plans
            .iter()
            .filter(|plan| plan.bundle.is_empty())
            .map(|plan| PlanChoice {
                slug: plan.slug.clone(),
                name: plan.name.clone(),
                is_chosen: plan.slug == typed.plan,
            })
            .collect(),
        typed,
        problem,
        chrome,
    };
    let status = if view.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page(status, &view))
}
