//! `doctor`: what is wrong, and the way out.

use std::process::ExitCode;

use app::Severity;
use serde::Serialize;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

#[derive(Serialize)]
struct Line {
    check: String,
    severity: &'static str,
    found: String,
    way_out: String,
}

/// Looks at everything; exit 1 when something is broken.
pub(crate) async fn run(settings: &Settings, output: &Output) -> anyhow::Result<ExitCode> {
    if settings.database.is_none() && !wiring::has_data(&settings.data) {
        anyhow::bail!(
            "there is no data in {}: start the server once, or name the folder with --data",
            settings.data.display()
        );
    }
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let findings = wired.app.examine().await?;
    let broken = findings.iter().any(|finding| finding.severity == Severity::Broken);
    let lines: Vec<Line> = findings
        .into_iter()
        .map(|finding| Line {
            check: finding.check,
            severity: match finding.severity {
                Severity::Good => "good",
                Severity::Warning => "warning",
                Severity::Broken => "broken",
            },
            found: finding.found,
            way_out: finding.way_out,
        })
        .collect();
    let text = lines
        .iter()
        .map(|line| match line.way_out.as_str() {
            "" => format!("{:<8} {}: {}", line.severity, line.check, line.found),
            way_out => format!("{:<8} {}: {}\n         → {way_out}", line.severity, line.check, line.found),
        })
        .collect::<Vec<_>>()
        .join("\n");
    output.result(&serde_json::json!({ "healthy": !broken, "findings": lines }), &text)?;
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
