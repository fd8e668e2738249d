//! `import`: licenses of another system, with the keys, buyers and devices that they have there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use app::{ImportLine, Imported, foreign_names, read_export};
use clap::Args;
use domain::{ForeignSystem, ImportRecord, ImportedGroup};
use serde_json::json;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// After how many records it is told how far it has come.
const TELL_EVERY: usize = 1_000;

/// What the systems call the product that a license is of.
const PRODUCT_NOTES: &[&str] = &["product_id", "item_id", "item_name", "benefit_id"];

/// How many products are named to whoever named one that no record is of.
const PRODUCTS_NAMED: usize = 10;

/// What to take over, and where to.
#[derive(Args)]
pub(crate) struct ImportArguments {
    /// Where the licenses come from: `lemon_squeezy`, `gumroad`, `edd`, `polar`, `dodo`, `keygen`, or `csv` for any
    /// table.
    #[arg(value_parser = system)]
    system: ForeignSystem,
    /// The export: JSON as the other system's API gives it, every page in one file, or a table. docs/migrations says
    /// how to get it.
    file: PathBuf,
    /// The plan that the licenses become licenses of, by its name in addresses or its id.
    #[arg(long)]
    plan: String,
    /// Take only the records of this product of the other system: its id there, or its name in a table.
    #[arg(long)]
    product: Option<String>,
    /// The host name of the shop, where there are several.
    #[arg(long)]
    shop: Option<String>,
    /// Say what would be taken over, and take over nothing.
    #[arg(long)]
    dry_run: bool,
}

fn system(text: &str) -> Result<ForeignSystem, String> {
    ForeignSystem::parse(&text.replace('-', "_")).ok_or_else(|| {
        let known: Vec<_> = ForeignSystem::ALL.iter().map(|system| system.as_str()).collect();
        format!("one of {}", known.join(", "))
    })
}

/// By what the records of this file name their products.
fn products_in(lines: &[ImportLine]) -> BTreeSet<String> {
    let records = lines.iter().filter_map(|line| line.record.as_ref().ok());
    records.flat_map(|record| PRODUCT_NOTES.iter().filter_map(|word| record.notes.get(*word).cloned())).collect()
}

/// That `--product` was of none of the records, and what would be.
fn of_others(product: &str, products: &BTreeSet<String>) -> String {
    let named: Vec<&str> = products.iter().take(PRODUCTS_NAMED).map(String::as_str).collect();
    let more = if products.len() > PRODUCTS_NAMED { ", …" } else { "" };
    format!("No record is of {product}. --product takes what the file says: {}{more}", named.join(", "))
}

/// Takes the licenses over; exit 1 when some were left out.
pub(crate) async fn run(settings: &Settings, output: &Output, arguments: &ImportArguments) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(&arguments.file).with_context(|| arguments.file.display().to_string())?;
    let mut lines = read_export(arguments.system, &bytes)
        .map_err(|error| anyhow::anyhow!("{}: {error}", arguments.file.display()))?;
    let (mut passed_over, mut products_named) = (None, None);
    if let Some(product) = &arguments.product {
        let products = products_in(&lines);
        let is_of = |record: &ImportRecord| PRODUCT_NOTES.iter().any(|word| record.notes.get(*word) == Some(product));
        lines.retain(|line| line.record.as_ref().map_or(true, is_of));
        let has_none = !lines.iter().any(|line| line.record.is_ok());
        passed_over = (has_none && !products.is_empty()).then(|| of_others(product, &products));
        products_named = passed_over.is_some().then_some(products);
    }
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let app = &wired.app;
    let shop = wiring::shop(app, arguments.shop.as_deref()).await?;
    let target = app.import_target(&shop, &arguments.plan).await.with_context(|| format!("plan {}", arguments.plan))?;
    let began = Instant::now();
    let (mut new, mut known, mut refused) = (0usize, 0usize, Vec::new());
    let mut groups: BTreeMap<String, (ImportedGroup, usize)> = BTreeMap::new();
    app.import(&target, &lines, arguments.dry_run, |line, outcome| {
        match outcome {
            Imported::New => {
                new += 1;
                if let Some(group) = line.record.as_ref().ok().and_then(|record| record.group.as_ref()) {
                    groups.entry(group.id.clone()).or_insert_with(|| (group.clone(), 0)).1 += 1;
                }
            }
            Imported::Known => known += 1,
            Imported::Refused(reason) => refused.push(json!({ "place": line.place, "reason": reason })),
        }
        let done = new + known + refused.len();
        if done.is_multiple_of(TELL_EVERY) {
            let milliseconds = began.elapsed().as_millis().max(1);
            let (done_so_far, to_do) = (done as u128, (lines.len() - done) as u128);
            let rate = done_so_far * 1_000 / milliseconds;
            let left = to_do * milliseconds / done_so_far.max(1) / 1_000;
            output.progress(
                &json!({ "done": done, "of": lines.len(), "per_second": rate, "seconds_left": left }),
                &format!("{done} of {}, {rate} a second, {left} s left", lines.len()),
            );
        }
    })
    .await?;
    let names = foreign_names(arguments.system, &lines);
    if !arguments.dry_run && !names.is_empty() {
        app.name_plan(&target, arguments.system, names).await?;
    }
    let verb = if arguments.dry_run { "Would take over" } else { "Took over" };
    let mut text = vec![format!("{verb} {new} licenses of {}; {known} were here already.", lines.len())];
    if !groups.is_empty() {
        let licenses: usize = groups.values().map(|(_, licenses)| licenses).sum();
        text.push(format!("{licenses} of them in {} groups:", groups.len()));
        text.extend(groups.values().map(|(group, licenses)| format!("  {}: {licenses}", group.name)));
    }
    if !refused.is_empty() {
        text.push(if refused.len() == 1 {
            "1 was left out:".to_owned()
        } else {
            format!("{} were left out:", refused.len())
        });
        text.extend(
            refused.iter().filter_map(|line| {
                Some(format!("  {}: {}", line.get("place")?.as_str()?, line.get("reason")?.as_str()?))
            }),
        );
    }
    let is_of_others = passed_over.is_some();
    text.extend(passed_over);
    if !arguments.dry_run && !is_of_others {
        let (url, system) = (&app.settings.public_url, arguments.system.as_str());
        text.push(if arguments.system.is_answered() {
            format!("Next: apps of {system} find them at {url}/compat/{system}; see docs/migrations/{system}.md.")
        } else {
            format!("Next: build your app with the keys that it knows; see {url}/openapi.json and docs/api.md.")
        });
    }
    let groups: Vec<_> = groups
        .into_values()
        .map(|(group, licenses)| {
            json!({
                "place": group.id, "name": group.name, "licenses": licenses,
                "max_licenses": group.max_licenses, "max_seats": group.max_seats,
            })
        })
        .collect();
    let report = json!({
        "system": arguments.system.as_str(), "dry_run": arguments.dry_run, "records": lines.len(),
        "imported": new, "known": known, "groups": groups, "refused": refused, "products": products_named,
    });
    output.result(&report, &text.join("\n"))?;
    Ok(if refused.is_empty() && !is_of_others { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn whoever_names_a_product_that_no_record_is_of_is_told_those_of_the_file() {
        let key = |id: u32, product: &str| {
            format!(
                r#"{{"license_key":"KEY-{id}","email":"ada@example.org","created_at":"2025-01-31","product_id":"{product}"}}"#
            )
        };
        let named = |ids: &[&str]| {
            let text: Vec<String> = ids.iter().zip(1..).map(|(product, id)| key(id, product)).collect();
            let products = products_in(&read_export(ForeignSystem::Csv, text.join("\n").as_bytes()).unwrap());
            of_others("99", &products)
        };
        for (ids, told) in [
            (&["15", "7", "15"] as &[&str], "No record is of 99. --product takes what the file says: 15, 7"),
            (
                &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"],
                "No record is of 99. --product takes what the file says: a, b, c, d, e, f, g, h, i, j, …",
            ),
        ] {
            assert_eq!(named(ids), told);
        }
    }
}
