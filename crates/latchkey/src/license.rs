//! `licenses`: issues licenses that nobody pays for, as many as are wanted, and goes on where it was cut off.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use app::{BatchInput, BatchProgress};
use clap::{Args, Subcommand};
use domain::{Actor, BatchId, Email, plain_text};
use serde_json::json;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// More in one batch is more than one file of keys is good for.
const MOST: u32 = 100_000;

/// What is done with licenses.
#[derive(Subcommand)]
pub(crate) enum LicenseCommand {
    /// Issues licenses without a payment: giveaways, schools, resellers.
    Issue(IssueArguments),
}

/// What to issue, and to whom.
#[derive(Args)]
pub(crate) struct IssueArguments {
    /// The plan that they are of, by its name in addresses or its id.
    #[arg(long)]
    plan: String,
    /// How many; their keys are handed out by you.
    #[arg(long, required_unless_present = "email_list", conflicts_with = "email_list")]
    count: Option<u32>,
    /// A file with an address in the first column of each line: one license each.
    #[arg(long)]
    email_list: Option<PathBuf>,
    /// Mail each of them the key.
    #[arg(long, requires = "email_list")]
    mail: bool,
    /// Why nobody pays, for the journal.
    #[arg(long)]
    reason: String,
    /// Go on with this batch, which was cut off.
    #[arg(long, value_parser = batch)]
    batch: Option<BatchId>,
    /// The host name of the shop, where there are several.
    #[arg(long)]
    shop: Option<String>,
}

fn batch(text: &str) -> Result<BatchId, String> {
    BatchId::parse(text).map_err(|error| error.to_string())
}

pub(crate) async fn run(settings: &Settings, output: &Output, command: LicenseCommand) -> anyhow::Result<ExitCode> {
    let LicenseCommand::Issue(arguments) = command;
    issue(settings, output, &arguments).await
}

async fn issue(settings: &Settings, output: &Output, arguments: &IssueArguments) -> anyhow::Result<ExitCode> {
    let reason = plain_text(&arguments.reason, 500).context("--reason must be one line of at most 500 characters")?;
    let emails = match &arguments.email_list {
        Some(file) => addresses(file)?,
        None => Vec::new(),
    };
    let licenses = arguments.count.unwrap_or_default();
    let wanted = if emails.is_empty() { licenses } else { u32::try_from(emails.len()).unwrap_or(u32::MAX) };
    if !(1..=MOST).contains(&wanted) {
        bail!("from 1 to {MOST} licenses are issued at a time, and these would be {wanted}");
    }
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let app = &wired.app;
    let shop = wiring::shop(app, arguments.shop.as_deref()).await?;
    let target = app.import_target(&shop, &arguments.plan).await.with_context(|| format!("plan {}", arguments.plan))?;
    let now = app.clock.now();
    let id = arguments.batch.unwrap_or_else(|| BatchId::mint(now, &mut app.entropy.rng()));
    output.talk(&format!("Batch {id}. If it is cut off, the same command with --batch {id} goes on."));
    let input = BatchInput {
        id,
        created_at: id.minted_at(),
        licenses,
        emails,
        is_mailed: arguments.mail,
        reason,
        actor: Actor::System,
    };
    let began = Instant::now();
    let progress = app
        .issue_batch(&target, &input, |done| {
            let milliseconds = began.elapsed().as_millis().max(1);
            let rate = u128::from(done) * 1_000 / milliseconds;
            let left = u128::from(wanted.saturating_sub(done)) * milliseconds / u128::from(done.max(1)) / 1_000;
            output.progress(
                &json!({ "done": done, "of": wanted, "per_second": rate, "seconds_left": left }),
                &format!("{done} of {wanted}, {rate} a second, {left} s left"),
            );
        })
        .await?;
    report(output, app, &progress)
}

fn report(output: &Output, app: &app::App, progress: &BatchProgress) -> anyhow::Result<ExitCode> {
    let BatchProgress { batch, issued } = progress;
    let url = format!("{}/console/batches/{}", app.settings.public_url, batch.id);
    let lines = [
        format!("Issued {issued} of {} licenses.", batch.licenses),
        format!("Next: their keys as a file are at {url}, or at /v1/licenses/batches/{}/keys.", batch.id),
    ];
    let data = json!({
        "batch": batch.id, "plan": batch.plan, "licenses": batch.licenses, "issued": issued, "console": url,
    });
    output.result(&data, &lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// The first column of each line. A title above them is left out; anything else must be an address.
fn addresses(file: &PathBuf) -> anyhow::Result<Vec<Email>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut emails = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let cell = line.split([',', ';', '\t']).next().unwrap_or_default().trim().trim_matches('"');
        let is_title = number == 1 && !cell.contains('@');
        if cell.is_empty() || is_title {
            continue;
        }
        let email = Email::parse(cell)
            .with_context(|| format!("{}, line {number}: {cell} is no email address", file.display()))?;
        emails.push(email);
    }
    Ok(emails)
}
