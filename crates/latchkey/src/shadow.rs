//! `shadow`: where our answers to apps of another system differ from the old one's.

use std::process::ExitCode;

use app::App;
use clap::{Args, Subcommand};
use domain::{ForeignSystem, ShadowCount, ShadowDifference, ShadowOutcome, Shop};
use serde_json::{Value, json};

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// How many differences are read.
const MOST: u32 = 10_000;

/// What to do with what was compared.
#[derive(Subcommand)]
pub(crate) enum ShadowCommand {
    /// Every difference, the most frequent first, and how many answers were compared; exit 1 when there are any.
    List(ListArguments),
    /// Forgets what was compared, to begin anew.
    Clear(ShadowArguments),
}

#[derive(Args)]
pub(crate) struct ShadowArguments {
    /// Of this system alone, as lemon_squeezy.
    #[arg(long, value_parser = system)]
    system: Option<ForeignSystem>,
    /// The host name of the shop, where there are several.
    #[arg(long)]
    shop: Option<String>,
}

#[derive(Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    shadow: ShadowArguments,
    /// A place that your app does not look at, as /meta/customer_name; can be said more than once.
    #[arg(long, value_name = "POINTER")]
    except: Vec<String>,
}

fn system(text: &str) -> Result<ForeignSystem, String> {
    let answered = ForeignSystem::ALL.into_iter().filter(|system| system.is_answered());
    let known = answered.clone().map(ForeignSystem::as_str).collect::<Vec<_>>().join(", ");
    answered.into_iter().find(|system| system.as_str() == text).ok_or_else(|| format!("must be one of {known}"))
}

/// Does it; exit 1 when there are differences.
pub(crate) async fn run(settings: &Settings, output: &Output, command: ShadowCommand) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let app = &wired.app;
    match command {
        ShadowCommand::List(arguments) => list(app, output, &arguments).await,
        ShadowCommand::Clear(arguments) => {
            let shop = wiring::shop(app, arguments.shop.as_deref()).await?;
            let systems: Vec<ForeignSystem> =
                arguments.system.map_or_else(|| ForeignSystem::ALL.to_vec(), |system| vec![system]);
            for system in &systems {
                app.store.clear_shadow(shop.id, *system).await?;
            }
            output.result(&json!({ "cleared": true }), "Forgotten. What is compared from now on is listed anew.")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(app: &App, output: &Output, arguments: &ListArguments) -> anyhow::Result<ExitCode> {
    let shop = wiring::shop(app, arguments.shadow.shop.as_deref()).await?;
    let is_asked = |system: ForeignSystem| arguments.shadow.system.is_none_or(|asked| asked == system);
    let mut differences = app.store.shadow_differences(shop.id, MOST).await?;
    differences.retain(|one| is_asked(one.system) && !arguments.except.contains(&one.pointer));
    let counts = app.store.shadow_counts(shop.id).await?;
    let systems: Vec<ForeignSystem> = ForeignSystem::ALL
        .into_iter()
        .filter(|system| is_asked(*system))
        .filter(|system| shop.compat.shadow.contains_key(system) || counts.iter().any(|count| count.system == *system))
        .collect();
    let mut lines: Vec<String> = systems.iter().map(|system| summary(&shop, &counts, *system)).collect();
    if systems.is_empty() {
        lines.push("Nothing is compared: name an old system under [shop.compat.shadow] in the shop file.".to_owned());
    }
    lines.extend(table(&differences));
    let compared: Vec<Value> = systems.iter().map(|system| compared(&shop, &counts, *system)).collect();
    let rows: Vec<Value> = differences.iter().map(row).collect();
    output.result(&json!({ "systems": compared, "differences": rows }), &lines.join("\n"))?;
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How many answers of a system ended so.
fn times(counts: &[ShadowCount], system: ForeignSystem, outcome: ShadowOutcome) -> u64 {
    counts.iter().filter(|count| (count.system, count.outcome) == (system, outcome)).map(|count| count.times).sum()
}

fn compared(shop: &Shop, counts: &[ShadowCount], system: ForeignSystem) -> Value {
    let times = |outcome| times(counts, system, outcome);
    json!({
        "system": system.as_str(),
        "asked": shop.compat.shadow.contains_key(&system),
        "equal": times(ShadowOutcome::Equal),
        "different": times(ShadowOutcome::Different),
        "unanswered": times(ShadowOutcome::Unanswered),
        "since": counts.iter().filter(|count| count.system == system).map(|count| count.first_at).min(),
    })
}

fn summary(shop: &Shop, counts: &[ShadowCount], system: ForeignSystem) -> String {
    let times = |outcome| times(counts, system, outcome);
    let (equal, different) = (times(ShadowOutcome::Equal), times(ShadowOutcome::Different));
    let since = counts.iter().filter(|count| count.system == system).map(|count| count.first_at).min();
    let since = since.map_or_else(|| "nothing was asked yet".to_owned(), |at| format!("since {at}"));
    let rests = if shop.compat.shadow.contains_key(&system) { "" } else { "; it is not asked any more" };
    format!(
        "{}: {} compared, {equal} equal, {different} different, {} unanswered, {since}{rests}",
        system.as_str(),
        equal + different,
        times(ShadowOutcome::Unanswered),
    )
}

fn row(one: &ShadowDifference) -> Value {
    json!({
        "system": one.system.as_str(), "call": one.call, "pointer": one.pointer, "kind": one.kind.as_str(),
        "ours": one.ours, "theirs": one.theirs, "times": one.times, "first_at": one.first_at, "last_at": one.last_at,
    })
}

/// The differences as a table for people, each column as wide as its longest cell.
fn table(differences: &[ShadowDifference]) -> Vec<String> {
    if differences.is_empty() {
        return Vec::new();
    }
    let head = ["times", "system", "call", "place", "difference", "ours", "theirs", "last"].map(str::to_owned);
    let told = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let cells = |one: &ShadowDifference| {
        let place = if one.pointer.is_empty() { "(all of it)" } else { &one.pointer };
        let last = one.last_at.to_string();
        [
            one.times.to_string(),
            one.system.as_str().to_owned(),
            one.call.clone(),
            place.to_owned(),
            one.kind.as_str().to_owned(),
            told(&one.ours),
            told(&one.theirs),
            last.split('.').next().unwrap_or_default().trim_end_matches('Z').to_owned() + "Z",
        ]
    };
    let rows: Vec<[String; 8]> = std::iter::once(head).chain(differences.iter().map(cells)).collect();
    let mut widths = [0; 8];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 8]| {
        let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use domain::{DifferenceKind, Rng, ShopId, Timestamp};

    use super::*;

    #[test]
    fn differences_stand_in_columns() {
        let at = Timestamp::from_microseconds(1_611_497_707_120_000);
        let one = ShadowDifference {
            shop: ShopId::mint(at, &mut Rng::from_seed([1; 32])),
            system: ForeignSystem::Polar,
            call: "POST /v1".to_owned(),
            pointer: "/limit".to_owned(),
            kind: DifferenceKind::OtherValue,
            ours: Some("5".to_owned()),
            theirs: None,
            times: 1_200,
            first_at: at,
            last_at: at,
        };
        assert_eq!(
            table(&[one.clone(), ShadowDifference { pointer: String::new(), times: 1, ..one }]).join("\n"),
            "times  system  call      place        difference   ours  theirs  last\n\
             1200   polar   POST /v1  /limit       other_value  5     -       2021-01-24T14:15:07Z\n\
             1      polar   POST /v1  (all of it)  other_value  5     -       2021-01-24T14:15:07Z"
        );
        assert_eq!(table(&[]), [""; 0]);
    }
}
