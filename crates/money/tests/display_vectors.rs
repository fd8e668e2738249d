//! Compares display with ICU over a matrix of locales, currencies and amounts. The vectors come from
//! cldr/vectors.mjs, which asks ICU and shares no code with the generator of the table.
#![allow(clippy::unwrap_used, clippy::panic)]

use money::{Currency, Money, cldr_version, display_number};

#[test]
fn every_amount_is_written_as_icu_writes_it() {
    let mut lines = include_str!("display_vectors.tsv").lines();
    let head = lines.next().unwrap();
    let edition = head.strip_prefix("# CLDR ").and_then(|rest| rest.split(',').next()).unwrap();
    assert!(cldr_version().starts_with(edition), "vectors are of CLDR {edition}, the table of {}", cldr_version());

    let mut differences = Vec::new();
    let mut compared = 0_usize;
    for line in lines {
        let [locale, currency, minor, expected]: [&str; 4] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let minor: i64 = minor.parse().unwrap();
        let shown = if currency.is_empty() {
            display_number(minor, locale)
        } else {
            Money::new(minor, Currency::parse(currency).unwrap()).display(locale)
        };
        compared += 1;
        if shown != expected {
            differences.push(format!("{locale} {minor} {currency}: {shown:?}, ICU: {expected:?}"));
        }
    }
    assert!(differences.is_empty(), "{} of {compared} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(compared > 10_000, "only {compared} vectors");
}
