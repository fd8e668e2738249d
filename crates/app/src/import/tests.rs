#![allow(clippy::unwrap_used)]
//! Exports in, records out.

use super::*;

/// What the file gives, one line a record: its place, state, seats, taken seats and uses, or why it is left out.
fn check(system: ForeignSystem, file: &str, expected: &[&str]) {
    let lines = read_export(system, file.as_bytes()).unwrap();
    let told: Vec<String> = lines
        .iter()
        .map(|line| match &line.record {
            Ok(record) => format!(
                "{} {} {} seats {:?} taken {} uses {}",
                line.place,
                record.email.as_str(),
                record.state.as_str(),
                record.seats,
                record.seated.len(),
                record.uses
            ),
            Err(reason) => format!("{} {reason}", line.place),
        })
        .collect();
    assert_eq!(told, expected, "{file}");
}

#[test]
fn lemon_squeezy_exports_are_read_with_the_devices_that_hold_seats() {
    let key = |id: u32, more: &str| {
        format!(
            r#"{{"type":"license-keys","id":"{id}","attributes":{{"user_email":"a@example.com","key":"key-{id}","created_at":"2024-01-24T14:15:07.000000Z"{more}}}}}"#
        )
    };
    let instance = r#"{"data":{"type":"license-key-instances","id":"9","attributes":{"license_key_id":1,"identifier":"f90ec370","name":"Test"}}}"#;
    let seated = key(1, r#","activation_limit":2,"instances_count":1"#);
    #[rustfmt::skip]
    let table: &[(String, &[&str])] = &[
        (format!(r#"{{"data":[{seated}]}}{instance}"#),
            &["license-keys/1 a@example.com active seats AtMost(2) taken 1 uses 0"]),
        (seated.clone(),
            &["license-keys/1 It has 1 instances, and the file holds 0 of them: export license-key-instances as well."]),
        (key(2, r#","disabled":1"#),
            &["license-keys/2 a@example.com suspended_by_person seats Unlimited taken 0 uses 0"]),
        (format!("{}{}", key(3, ""), key(4, "").replace("key-4", "key-3")),
            &["license-keys/3 a@example.com active seats Unlimited taken 0 uses 0",
              "license-keys/4 The same key stands at license-keys/3."]),
        (key(5, "").replace("key-5", ""), &["license-keys/5 There is no `key`."]),
        (key(6, r#","expires_at":"soon""#), &["license-keys/6 `expires_at` is not a time: soon."]),
    ];
    for (file, expected) in table {
        check(ForeignSystem::LemonSqueezy, file, expected);
    }
}

#[test]
fn gumroad_exports_are_read_with_uses_and_refunds() {
    let sale = |id: &str, more: &str| {
        format!(
            r#"{{"id":"{id}","email":"b@example.com","license_key":"KEY-{id}","created_at":"2023-01-09T21:55:31Z"{more}}}"#
        )
    };
    let page = format!(
        r#"{{"success":true,"sales":[{},{}]}}{{"success":true,"sales":[{},{}]}}"#,
        sale("a==", r#","license_uses":7"#),
        sale("b==", r#","refunded":true"#),
        sale("c==", r#","license_disabled":true"#),
        r#"{"id":"d==","created_at":"2023-01-09T21:55:31Z"}"#
    );
    check(
        ForeignSystem::Gumroad,
        &page,
        &[
            "sales/a== b@example.com active seats AsPlan taken 0 uses 7",
            "sales/b== b@example.com revoked_by_person seats AsPlan taken 0 uses 0",
            "sales/c== b@example.com suspended_by_person seats AsPlan taken 0 uses 0",
            "sales/d== There is no `license_key`.",
        ],
    );
}

#[test]
fn a_file_that_is_not_json_names_the_place() {
    let read = read_export(ForeignSystem::Gumroad, b"{}\n{\"sales\": [}");
    assert_eq!(read, Err("the file is not JSON: line 2, column 12".to_owned()));
}
