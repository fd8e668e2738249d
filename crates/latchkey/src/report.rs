//! `report`: what was paid and what was issued for it, signed; and the check of such a report, which needs no database.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use app::{Span, verify_report};
use clap::Subcommand;
use domain::Timestamp;
use latchkey_license::KeySet;
use serde_json::json;

use crate::config::Settings;
use crate::output::Output;
use crate::{gateway, wiring};

/// Reports.
#[derive(Subcommand)]
pub(crate) enum ReportCommand {
    /// Writes every sale that was paid in a time, with its licenses and what caused them, signed.
    ExactlyOnce {
        /// From when, as 2026-11-01T00:00:00Z; from the end of the last report, when nothing is said.
        #[arg(long, value_name = "TIME", value_parser = time)]
        since: Option<Timestamp>,
        /// Until when; until now, when nothing is said.
        #[arg(long, value_name = "TIME", value_parser = time)]
        until: Option<Timestamp>,
        /// The file to write; it must not be there yet. On stdout when nothing is said.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Checks a report: its signature, and one license for every unit that was paid. Needs no database.
    Verify {
        /// The report.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The shop's public keys, as it publishes them under /.well-known/jwks.json.
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
        /// The report before this one, which it must name.
        #[arg(long, value_name = "FILE")]
        previous: Option<PathBuf>,
    },
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "a time in RFC 3339, as 2026-11-01T00:00:00Z".to_owned())
}

pub(crate) async fn run(settings: &Settings, output: &Output, command: ReportCommand) -> anyhow::Result<ExitCode> {
    match command {
        ReportCommand::ExactlyOnce { since, until, out } => make(settings, output, since, until, out.as_deref()).await,
        ReportCommand::Verify { file, keys, previous } => verify(output, &file, &keys, previous.as_deref()),
    }
}

async fn make(
    settings: &Settings,
    output: &Output,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    out: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let shop = gateway::only_shop(&wired).await?;
    let next = wired.app.next_report(&shop).await?;
    let since = since.unwrap_or(next.since);
    let span = Span { since, until: until.unwrap_or(next.until) };
    if span.until <= span.since {
        bail!(
            "nothing to report between {since} and {}: without --until a report ends a quarter of an hour ago, when all \
             that was paid is written",
            span.until
        );
    }
    let Some(path) = out else {
        let mut stdout = std::io::stdout();
        wired.app.exactly_once_report(&shop, span, &mut |line| stdout.write_all(line.as_bytes())).await?;
        stdout.flush()?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = std::io::BufWriter::new(file.with_context(|| format!("{} cannot be made", path.display()))?);
    let made = wired.app.exactly_once_report(&shop, span, &mut |line| file.write_all(line.as_bytes())).await?;
    file.into_inner()?.sync_all()?;
    let keys = format!("{}/.well-known/jwks.json", wired.app.settings.public_url);
    let lines = format!(
        "{} sales from {} until {} in {}.\nNext: whoever doubts it takes {keys} and runs\n  latchkey report verify {} --keys jwks.json",
        made.sales,
        span.since,
        span.until,
        path.display(),
        path.display()
    );
    let data = json!({
        "file": path, "sales": made.sales, "since": span.since.to_string(), "until": span.until.to_string(),
        "sha256": made.sha256, "keys": keys,
    });
    output.result(&data, &lines)?;
    Ok(ExitCode::SUCCESS)
}

fn verify(output: &Output, file: &Path, keys: &Path, previous: Option<&Path>) -> anyhow::Result<ExitCode> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()));
    let keys_text = read(keys)?;
    let keys = KeySet::parse(&keys_text).map_err(|error| anyhow::anyhow!("{}: {}", keys.display(), error.code()))?;
    let mut verified = verify_report(&read(file)?, &keys)?;
    if let Some(previous) = previous {
        let before = verify_report(&read(previous)?, &keys).with_context(|| previous.display().to_string())?;
        if verified.previous.as_ref() != Some(&before.sha256) {
            verified.faults.push(format!("it does not follow {}", previous.display()));
        }
        if verified.since != before.until {
            verified.faults.push(format!("between {} and {} nothing is told", before.until, verified.since));
        }
    }
    let is_well = verified.faults.is_empty();
    let lines = if is_well {
        format!(
            "Genuine, by {}, from {} until {}: {} sales, {} licenses, one for every unit that was paid.",
            verified.issuer, verified.since, verified.until, verified.sales, verified.licenses
        )
    } else {
        format!("Genuine, and not as it should be:\n  {}", verified.faults.join("\n  "))
    };
    output.result(&json!({ "exactly_once": is_well, "report": verified }), &lines)?;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
