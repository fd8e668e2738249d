//! Files that sellers bring along: what other systems exported, tables, and lists of codes for a stock.
//!
//! A license or a code that is lost here is lost in silence, so each line is taken, or told with its place; what is taken
//! is written down and read again as the same; and nothing is taken twice.

use std::collections::BTreeSet;

use app::{CodeError, CodeLine, ImportLine, read_codes, read_export};
use domain::{ForeignSystem, ImportRecord, LicenseState, PoolCode, SeatsThere};
use serde_json::{Value, json};

use super::target;
use crate::Target;

const JSON: &[&str] = &[
    "\"data\":[",
    "\"licenses\":[",
    "\"sales\":[",
    "\"items\":[",
    "\"type\":\"licenses\"",
    "\"type\":\"license-keys\"",
    "\"attributes\":{",
    "\"relationships\":{",
    "\"license_key\":",
    "\"key\":",
    "\"created_at\":\"2024-01-24T14:15:07Z\"",
    "\"created\":\"2024-01-24\"",
    "\"email\":\"a@example.com\"",
    "\"user_email\":",
    "\"activations\":",
    "\"sites\":",
    "\"status\":\"granted\"",
    "\"expires_at\":",
    "\"expiry\":\"0000-00-00 00:00:00\"",
    "\"group\":{\"data\":{\"id\":\"G\"}}",
    "null",
    "[]",
    "{}",
    "-1",
    "18446744073709551616",
];

const TABLE: &[&str] = &[
    "license_key",
    "key",
    "email",
    "created_at",
    "activations",
    "seats",
    "status",
    "expires_at",
    "unlimited",
    "lifetime",
    "2024-01-24",
    "a@example.com",
    ",",
    ";",
    "\t",
    "\"",
    "\"\"",
    "\n",
    "\r\n",
    "\r",
    "\u{feff}",
    "|",
    "\u{200b}",
];

/// The system, in the first byte, and the file.
pub(super) fn exports() -> Target {
    let seeds = [
        (
            ForeignSystem::LemonSqueezy,
            r#"{"data":[{"type":"license-keys","id":"1","attributes":{"user_email":"a@example.com","key":"k-1","activation_limit":2,"instances_count":1,"created_at":"2024-01-24T14:15:07.000000Z"}}]}{"data":[{"type":"license-key-instances","id":"9","attributes":{"license_key_id":1,"identifier":"i","name":"Mac"}}]}"#,
        ),
        (
            ForeignSystem::Gumroad,
            r#"{"success":true,"sales":[{"id":"a==","email":"b@example.com","license_key":"K-1","license_uses":3,"created_at":"2023-01-09T21:55:31Z"},{"id":"b==","email":"b@example.com","license_key":"K-2","refunded":true,"created_at":"2023-01-09T21:55:31Z"}]}"#,
        ),
        (
            ForeignSystem::Edd,
            r#"{"id":7,"license_key":"cc22","status":"active","item_id":8,"email":"a@example.com","created_at":"2024-01-24 14:15:07","expires":"lifetime","license_limit":2,"sites":["old.example.com/"]}"#,
        ),
        (
            ForeignSystem::Polar,
            r#"{"id":"1","customer":{"email":"a@example.com"},"key":"L-1","status":"granted","limit_activations":2,"usage":1,"created_at":"2024-01-24T14:15:07Z","activations":[{"id":"5","label":"Mac","meta":{"os":"14"},"created_at":"2024-02-01T00:00:00Z"}]}"#,
        ),
        (
            ForeignSystem::Dodo,
            r#"{"items":[{"id":"lic_1","customer_id":"cus_1","product_id":"p","key":"D-1","status":"active","activations_limit":2,"instances_count":0,"created_at":"2024-01-24T14:15:07Z"}]}{"items":[{"customer_id":"cus_1","email":"a@example.com"}]}"#,
        ),
        (
            ForeignSystem::Keygen,
            r#"{"data":[{"type":"licenses","id":"L","attributes":{"key":"K","maxMachines":2,"created":"2024-01-24T14:15:07Z","metadata":{"email":"a@example.com"}},"relationships":{"machines":{"meta":{"count":1}},"group":{"data":{"id":"G"}}}}]}{"data":[{"type":"machines","id":"m","attributes":{"fingerprint":"f","created":"2024-01-24T14:15:07Z"},"relationships":{"license":{"data":{"id":"L"}}}}]}{"data":[{"type":"groups","id":"g","attributes":{"name":"Studio","maxMachines":5,"created":"2024-01-24T14:15:07Z"}}]}"#,
        ),
        (
            ForeignSystem::Csv,
            r#"{"licenses":[{"license_key":"A","email":"a@example.com","created_at":"2024-01-24","activations":["x","y"],"seats":"unlimited"},{"key":"B","email":"b@example.com","created":1700000000}]}"#,
        ),
        (
            ForeignSystem::Edd,
            "license_key;email;date_created;license_limit;activated_urls;activation_count\ncc;a@example.com;2024-01-24;0;a.example - b.example;2\n",
        ),
    ];
    let place = |system: ForeignSystem| ForeignSystem::ALL.iter().position(|known| *known == system).unwrap();
    let first = |system| u8::try_from(place(system)).unwrap();
    let seeds = seeds.map(|(system, file)| [&[first(system)], file.as_bytes()].concat()).to_vec();
    let read = |input: &[u8]| {
        let which = usize::from(input.first().copied().unwrap_or_default());
        let system = ForeignSystem::ALL[which % ForeignSystem::ALL.len()];
        let file = input.get(1..).unwrap_or_default();
        let told = read_export(system, file);
        assert_eq!(told, read_export(system, file), "the same file is read in two ways");
        match told {
            Ok(lines) => {
                if let Some(licenses) = licenses_in(system, file) {
                    assert_eq!(lines.len(), licenses, "a license is neither taken nor told");
                }
                format!("{} {}", system.as_str(), is_consistent(&lines))
            }
            Err(error) => format!("{} {}", system.as_str(), in_short(&error)),
        }
    };
    target("exports", JSON, seeds, read)
}

/// A table with a row for each license.
pub(super) fn tables() -> Target {
    let seeds = [
        "License Key,E-Mail,Created at,Activations\nA,a@example.com,2024-01-24,x|y\nB,b@example.com,2024-01-25,\n",
        "\u{feff}\"license_key\";\"email\";\"created_at\"\r\n\"A;1\";\"a@example.com\";\"2024-01-24\"\r\n\r\n\"B\"\"2\";b@example.com;2024-01-24\r\n",
        "key\temail\tdate\tseats\tstatus\nA\ta@example.com\t2024-01-24\tunlimited\trevoked\nA\ta@example.com\t2024-01-24\t1\t",
        "key,email,date\rA,a@example.com,2024-01-24\rB,b@example.com,2024-01-24",
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let read = |input: &[u8]| match read_export(ForeignSystem::Csv, input) {
        Ok(lines) => {
            let text = std::str::from_utf8(input).expect("what is read is text");
            let is_table = !matches!(text.trim_ascii_start().bytes().next(), Some(b'{' | b'['));
            if is_table && !text.contains('"') {
                let is_filled =
                    |row: &str| row.chars().any(|letter| !letter.is_whitespace() && !",;\t".contains(letter));
                let below = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
                let rows = below.split('\n').skip(1).collect::<Vec<_>>();
                // What stands between cells may be a part of one, so that a row of nothing else is one or is none.
                assert!(
                    rows.iter().filter(|row| is_filled(row)).count() <= lines.len(),
                    "a row is neither taken nor told: {text:?}"
                );
                assert!(lines.len() <= rows.len(), "a row is taken twice: {text:?}");
            }
            is_consistent(&lines)
        }
        Err(error) => in_short(&error),
    };
    target("tables", TABLE, seeds, read)
}

/// A list of codes for a stock.
pub(super) fn codes() -> Target {
    let seeds = [
        "A-1\nB-2\n",
        "\u{feff}code\r\nA-1\r\n\r\nB-2\r\n",
        "\"A,1\",x\n\"B\"\"2\"\nC-3;sold by X\nD-4\ty",
        "key\n4242 4242 4242 4242\n,empty\nA-1\nA-1",
        "A-1\rB-2\r\"C\"3",
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let words = &["code", "license key", "\"", "\"\"", ",", ";", "\t", "\n", "\r\n", "\r", "\u{feff}", "\u{200b}", " "];
    let read = |input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        let read = read_codes(&text);
        let numbers: Vec<usize> = read.iter().map(|line| line.line).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "a line is told twice: {numbers:?}");
        let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
        let told: BTreeSet<usize> = numbers.into_iter().collect();
        for (line, number) in lines.split('\n').zip(1..) {
            let is_empty = line.split([',', ';', '\t']).all(|cell| matches!(cell.trim(), "" | "\"\""));
            let is_known = told.contains(&number);
            assert!(
                is_known != is_empty || (number == 1 && !is_known),
                "line {number} is neither taken nor told: {line:?}"
            );
            // Where nothing cuts a line, all of it is the code.
            if is_known && !line.contains([',', ';', '\t', '"']) {
                let code = &read.iter().find(|read| read.line == number).expect("it is told").code;
                assert_eq!(
                    *code,
                    PoolCode::parse(line.trim()).map_err(CodeError::Text),
                    "a part of line {number} is lost: {line:?}"
                );
            }
        }
        let taken: Vec<&PoolCode> = read.iter().filter_map(|line| line.code.as_ref().ok()).collect();
        let quoted = taken.iter().map(|code| format!("\"{}\"\r\n", code.as_str().replace('"', "\"\"")));
        let written: String = std::iter::once("code\r\n".to_owned()).chain(quoted).collect();
        let again = read_codes(&written);
        let expected = taken.iter().zip(2..).map(|(code, line)| CodeLine { line, code: Ok((*code).clone()) });
        assert_eq!(again, expected.collect::<Vec<_>>(), "codes are not read as they are written: {written:?}");
        format!("{} taken, {} told", taken.len().min(9), (read.len() - taken.len()).min(9))
    };
    target("codes", words, seeds, read)
}

/// What came of a file, in a word. What is taken is written down and read again, and nothing is taken twice.
fn is_consistent(lines: &[ImportLine]) -> String {
    let mut keys = BTreeSet::new();
    let taken: Vec<&ImportRecord> = lines.iter().filter_map(|line| line.record.as_ref().ok()).collect();
    for record in &taken {
        assert!(keys.insert(record.key.as_str()), "a key is taken twice");
    }
    let plain: Vec<ImportRecord> = taken.into_iter().filter_map(plain).collect();
    let reread = |file: String| -> Vec<ImportRecord> {
        let lines = read_export(ForeignSystem::Csv, file.as_bytes()).expect("what we write can be read");
        lines.into_iter().map(|line| line.record.expect("what was taken is taken again")).collect()
    };
    let documents: Vec<Value> = plain.iter().map(document).collect();
    assert_eq!(reread(json!({ "licenses": documents }).to_string()), plain, "a license is not read as it is written");
    // In a table devices stand in one cell, and what stands between them is in no name of one.
    let bounded = |record: &&ImportRecord| {
        record.seated.iter().all(|seat| !seat.fingerprint.as_str().contains(['|', ';', '\n', ' ']))
    };
    let in_table: Vec<ImportRecord> = plain.iter().filter(bounded).cloned().collect();
    if !in_table.is_empty() {
        let mut table = format!("{}\r\n", COLUMNS.join(","));
        for record in in_table.iter().map(document) {
            let cells = COLUMNS.map(|name| match &record[name] {
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|"),
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => other.to_string(),
            });
            table.push_str(&cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).join(","));
            table.push_str("\r\n\r\n");
        }
        assert_eq!(reread(table), in_table, "a license is not read as it is written in a table");
    }
    let reason = lines.iter().find_map(|line| line.record.as_ref().err()).map(|reason| in_short(reason));
    format!("{} of {} {}", keys.len().min(9), lines.len().min(9), reason.unwrap_or_default())
}

const COLUMNS: [&str; 9] =
    ["license_key", "email", "name", "status", "seats", "created_at", "expires_at", "uses", "activations"];

/// What a table can say of a license; `None` where it has no buyer, which a table must name.
fn plain(record: &ImportRecord) -> Option<ImportRecord> {
    record.email.as_ref()?;
    let mut plain = record.clone();
    (plain.system, plain.id, plain.group, plain.country, plain.usage_limit) =
        (ForeignSystem::Csv, None, None, None, None);
    plain.features.clear();
    plain.notes.clear();
    plain.state = match record.state {
        LicenseState::Active => LicenseState::Active,
        LicenseState::SuspendedByDispute | LicenseState::SuspendedByPerson => LicenseState::SuspendedByPerson,
        LicenseState::RevokedByRefund | LicenseState::RevokedByDispute | LicenseState::RevokedByPerson => {
            LicenseState::RevokedByPerson
        }
    };
    for seat in &mut plain.seated {
        (seat.id, seat.name, seat.created_at) = (None, None, record.created_at);
        seat.metadata.clear();
        seat.components.clear();
    }
    Some(plain)
}

fn document(record: &ImportRecord) -> Value {
    let devices: Vec<&str> = record.seated.iter().map(|seat| seat.fingerprint.as_str()).collect();
    json!({
        "license_key": record.key.as_str(),
        "email": record.email.as_ref().map(ToString::to_string),
        "name": record.name,
        "status": match record.state {
            LicenseState::Active => "active",
            LicenseState::SuspendedByDispute | LicenseState::SuspendedByPerson => "suspended",
            LicenseState::RevokedByRefund | LicenseState::RevokedByDispute | LicenseState::RevokedByPerson => "revoked",
        },
        "seats": match record.seats {
            SeatsThere::AsPlan => Value::Null,
            SeatsThere::Unlimited => "unlimited".into(),
            SeatsThere::AtMost(seats) => seats.into(),
        },
        "created_at": record.created_at.to_string(),
        "expires_at": record.expires_at.map(|at| at.to_string()),
        "uses": record.uses,
        "activations": devices,
    })
}

/// How many licenses a file of documents holds; `None` for a table, and for what says by its type what it is.
fn licenses_in(system: ForeignSystem, file: &[u8]) -> Option<usize> {
    let list = match system {
        ForeignSystem::Gumroad => "sales",
        ForeignSystem::Polar => "items",
        ForeignSystem::Edd | ForeignSystem::Csv => "licenses",
        ForeignSystem::LemonSqueezy | ForeignSystem::Dodo | ForeignSystem::Keygen => return None,
    };
    let documents: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(file).into_iter().collect();
    let documents = documents.ok().filter(|_| matches!(file.trim_ascii_start().first(), Some(b'{' | b'[')))?;
    Some(
        documents
            .iter()
            .map(|document| match (&document[list], document) {
                (Value::Array(several), _) => several.len(),
                (Value::Null, Value::Array(several)) if system != ForeignSystem::Gumroad => several.len(),
                (_, _) => 1,
            })
            .sum(),
    )
}

/// Without figures and names, so that each way to be wrong is one behaviour.
fn in_short(told: &str) -> String {
    told.chars().filter(|letter| letter.is_alphabetic()).take(40).collect()
}
