//! Licenses that nobody pays for, issued together; their keys, and every license and device, as CSV.

use app::{BatchInput, BatchProgress};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, BatchId, Email, PlanId, Timestamp};
use serde::{Deserialize, Serialize};

use super::license::text;
use super::{Id, Json, Manager, Names, Once, answer};
use crate::Web;
use crate::export;
use crate::problem::Problem;

/// How many one call issues.
const MOST: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    plan: String,
    licenses: Option<u32>,
    emails: Option<Vec<String>>,
    mail: Option<bool>,
    reason: String,
}

#[derive(Serialize)]
struct BatchView {
    id: BatchId,
    plan: PlanId,
    reason: String,
    licenses: u32,
    issued: u64,
    keys_url: String,
    created_at: Timestamp,
}

fn view(web: &Web, progress: BatchProgress) -> BatchView {
    let BatchProgress { batch, issued } = progress;
    BatchView {
        keys_url: format!("{}/v1/licenses/batches/{}/keys", web.app.settings.public_url, batch.id),
        id: batch.id,
        plan: batch.plan,
        reason: batch.reason,
        licenses: batch.licenses,
        issued,
        created_at: batch.created_at,
    }
}

/// Issues them. Repeated with its idempotency key it goes on where it was cut off.
pub(crate) async fn create(
    State(web): State<Web>,
    manager: Manager,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: Input = sent.read()?;
    let reason = text("reason", &input.reason, 500)?;
    let emails = input.emails.unwrap_or_default();
    let read = |email: &String| {
        Email::parse(email).map_err(|_| {
            Problem::invalid("emails", "email_invalid", format!("`{email}` in `emails` is no email address."))
        })
    };
    let emails: Vec<Email> = emails.iter().map(read).collect::<Result<_, _>>()?;
    let wanted = match (input.licenses, emails.len()) {
        (Some(licenses), 0) => Some(licenses),
        (None, count) => u32::try_from(count).ok(),
        (Some(_), _) => None,
    };
    if !wanted.is_some_and(|wanted| (1..=MOST).contains(&wanted)) {
        let detail = format!("Send either `licenses` or `emails`: from 1 to {MOST} of them in one call.");
        return Err(Problem::invalid("licenses", "parameter_invalid", detail));
    }
    let target = match web.app.import_target(&manager.shop, &input.plan).await {
        Ok(target) => target,
        Err(app::Error::NotFound { .. }) => {
            return Err(Problem::invalid("plan", "plan_unknown", "There is no such plan."));
        }
        Err(error) => return Err(error.into()),
    };
    let (licenses, is_mailed) = (input.licenses.unwrap_or_default(), input.mail.unwrap_or(false));
    let task = web.clone();
    let work = async move |mut names: Names| {
        let (id, created_at) = names.mint(|at, rng| (BatchId::mint(at, rng), at));
        let input = BatchInput { id, created_at, licenses, emails, is_mailed, reason, actor: Actor::Api };
        let progress = task.app.issue_batch(&target, &input, |_| {}).await?;
        Ok(answer(StatusCode::CREATED, &view(&task, progress)))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Id(id): Id<BatchId>) -> Result<Response, Problem> {
    manager.may_read()?;
    let progress = web.app.batch_progress(&manager.shop, id).await?;
    Ok(answer(StatusCode::OK, &view(&web, progress.ok_or_else(|| Problem::not_found("batch"))?)))
}

/// The keys, for whoever may change everything.
pub(crate) async fn keys(State(web): State<Web>, manager: Manager, Id(id): Id<BatchId>) -> Result<Response, Problem> {
    manager.may_manage()?;
    let progress = web.app.batch_progress(&manager.shop, id).await?;
    let batch = progress.ok_or_else(|| Problem::not_found("batch"))?.batch;
    Ok(export::batch_keys(&web, manager.shop.id, batch.id))
}

pub(crate) async fn licenses(State(web): State<Web>, manager: Manager) -> Result<Response, Problem> {
    manager.may_read()?;
    Ok(export::licenses(&web, manager.shop.id))
}

pub(crate) async fn activations(State(web): State<Web>, manager: Manager) -> Result<Response, Problem> {
    manager.may_read()?;
    Ok(export::activations(&web, manager.shop.id))
}
