//! Which tests took longest, from the report that nextest leaves.

use crate::run::root;

/// Prints the slowest tests of the last run.
pub(crate) fn print() {
    let Ok(report) = std::fs::read_to_string(root().join("target/nextest/default/junit.xml")) else { return };
    let mut tests: Vec<(u64, String)> = report
        .split("<testcase ")
        .skip(1)
        .filter_map(|test| {
            let name = attribute(test, "name")?;
            let suite = attribute(test, "classname").unwrap_or_default();
            let (seconds, fraction) =
                attribute(test, "time")?.split_once('.').map(|(whole, rest)| (whole.to_owned(), rest.to_owned()))?;
            let milliseconds: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
            Some((seconds.parse::<u64>().ok()? * 1_000 + milliseconds, format!("{suite} {name}")))
        })
        .collect();
    tests.sort_unstable_by(|one, other| other.cmp(one));
    println!("\nThe slowest of {} tests:", tests.len());
    for (milliseconds, name) in tests.iter().take(15) {
        println!("{milliseconds:>8} ms  {name}");
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    let end = tag[start..].find('"')? + start;
    Some(tag[start..end].to_owned())
}
