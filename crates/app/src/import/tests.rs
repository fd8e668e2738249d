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
                record.email.as_ref().map_or("-", domain::Email::as_str),
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
        (key(6, r#","expires_at":"soon""#), &["license-keys/6 `expires_at` is not a time, as 2025-01-31: soon."]),
        (key(7, r#","expires_at":900719925474"#),
            &["license-keys/7 `expires_at` is not a time, as 2025-01-31: 900719925474."]),
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
fn keygen_exports_are_read_with_machines_owners_and_entitlements() {
    let license = |id: &str, attributes: &str, relationships: &str| {
        format!(
            r#"{{"type":"licenses","id":"{id}","attributes":{{"key":"key-{id}","created":"2024-01-24T14:15:07.000Z"{attributes}}},"relationships":{{"machines":{{"meta":{{"count":0}}}}{relationships}}}}}"#
        )
    };
    let owned = r#","owner":{"data":{"type":"users","id":"u"}}"#;
    let user = r#"{"data":[{"type":"users","id":"u","attributes":{"email":"c@example.com"}}]}"#;
    let machine = r#"{"data":[{"type":"machines","id":"m","attributes":{"fingerprint":"f","created":"2024-01-24T14:15:07.000Z"},"relationships":{"license":{"data":{"type":"licenses","id":"a"}}}}]}"#;
    let grouped = r#","group":{"data":{"type":"groups","id":"G"}}"#;
    let seated = license("a", r#","maxMachines":3,"uses":2"#, owned).replace(r#""count":0"#, r#""count":1"#);
    #[rustfmt::skip]
    let table: &[(String, &[&str])] = &[
        (format!(r#"{{"data":[{seated}]}}{user}{machine}"#),
            &["licenses/a c@example.com active seats AtMost(3) taken 1 uses 2"]),
        (seated.clone(),
            &["licenses/a It has 1 machines, and the file holds 0 of them: export machines as well."]),
        (license("b", r#","suspended":true,"metadata":{"email":"d@example.com"}"#, ""),
            &["licenses/b d@example.com suspended_by_person seats AtMost(1) taken 0 uses 0"]),
        (license("c", r#","status":"BANNED","floating":true"#, ""),
            &["licenses/c - revoked_by_person seats Unlimited taken 0 uses 0"]),
        (license("d", r#","metadata":{"email":"nobody"}"#, ""),
            &["licenses/d The buyer's address has no @."]),
        (license("e", "", "").replace("key-e", ""), &["licenses/e There is no `key`."]),
        (license("g", "", grouped), &["licenses/g It is in a group, and the file does not hold it: export groups as well."]),
    ];
    for (file, expected) in table {
        check(ForeignSystem::Keygen, file, expected);
    }
    let entitled = format!(
        r#"{{"data":[{}]}}{{"policy":"p","data":[{{"type":"entitlements","id":"1","attributes":{{"code":"ONE"}}}}]}}{{"license":"f","data":[{{"type":"entitlements","id":"2","attributes":{{"code":"TWO"}}}}]}}"#,
        license("f", r#","maxUses":5"#, r#","policy":{"data":{"type":"policies","id":"p"}}"#)
    );
    let lines = read_export(ForeignSystem::Keygen, entitled.as_bytes()).unwrap();
    let record = lines[0].record.as_ref().unwrap();
    assert_eq!((&record.features[..], record.usage_limit), (&["ONE".to_owned(), "TWO".to_owned()][..], Some(5)));

    let group = |attributes: &str| {
        let file = format!(
            r#"{{"data":[{}]}}{{"data":[{{"type":"groups","id":"g","attributes":{{{attributes}}}}}]}}"#,
            license("h", "", grouped)
        );
        let mut lines = read_export(ForeignSystem::Keygen, file.as_bytes()).unwrap();
        lines.remove(0).record.map(|record| {
            let group = record.group.unwrap();
            (group.id, group.name, group.max_licenses, group.max_seats)
        })
    };
    let created = r#","created":"2024-01-24T14:15:07.000Z""#;
    #[rustfmt::skip]
    let table = [
        (r#""name":"Studio North","maxUsers":5,"maxLicenses":10,"maxMachines":50"#, created, Ok(("Studio North", Some(10), Some(50)))),
        (r#""name":"Studio","maxLicenses":null,"maxMachines":0"#,                  created, Ok(("Studio", None, Some(0)))),
        (r#""maxMachines":5000000000"#,                                            created, Ok(("g", None, Some(u32::MAX)))),
        (r#""name":"Studio","maxMachines":-1"#,                                    created, Err("`maxMachines` is not a count: -1.")),
        (r#""name":"Studio""#,                                                     "",      Err("Its group has no `created`.")),
    ];
    for (attributes, created, expected) in table {
        let expected = expected.map(|(name, licenses, seats)| ("g".to_owned(), name.to_owned(), licenses, seats));
        assert_eq!(group(&format!("{attributes}{created}")), expected.map_err(str::to_owned), "{attributes}");
    }
}

#[test]
fn a_file_that_is_not_json_names_the_place() {
    let read = read_export(ForeignSystem::Gumroad, b"{}\n{\"sales\": [}");
    assert_eq!(read, Err("the file is not JSON: line 2, column 12".to_owned()));
}

#[test]
fn edd_exports_are_read_as_tables_and_as_json() {
    let table = "\
\"Email\",\"License Key\",\"License Status\",\"Product Name\",\"Purchase Date\",\"Expiration Date\",\"Activation Limit\",\"Activation Count\",\"Activated URLs\"
\"a@example.com\",\"key-1\",\"active\",\"Lumen\",\"2024-01-24 14:15:07\",\"2030-01-24 14:15:07\",\"2\",\"1\",\"https://www.one.example.com - two.local/\"
\"a@example.com\",\"key-2\",\"inactive\",\"Lumen\",\"2024-01-24 14:15:07\",\"1970-01-01 00:00:00\",\"Unlimited\",\"0\",\"\"
\"a@example.com\",\"key-3\",\"disabled\",\"Lumen\",\"2024-01-24\",\"2030-01-24 14:15:07\",\"0\",\"0\",\"\"
\"a@example.com\",\"key-4\",\"active\",\"Lumen\",\"2024-01-24\",\"2030-01-24\",\"3\",\"2\",\"one.example.com/\"
\"a@example.com\",\"key-5\",\"lost\",\"Lumen\",\"2024-01-24\",\"2030-01-24\",\"3\",\"0\",\"\"
\"a@example.com\",\"\",\"active\",\"Lumen\",\"2024-01-24\",\"2030-01-24\",\"3\",\"0\",\"\"
";
    check(
        ForeignSystem::Edd,
        table,
        &[
            "license 1 a@example.com active seats AtMost(2) taken 2 uses 0",
            "license 2 a@example.com active seats Unlimited taken 0 uses 0",
            "license 3 a@example.com suspended_by_person seats Unlimited taken 0 uses 0",
            "license 4 It counts 2 sites, and the file lists 1 of them.",
            "license 5 `status` is none of theirs: lost.",
            "license 6 There is no `license_key`.",
        ],
    );
    let lines = read_export(ForeignSystem::Edd, table.as_bytes()).unwrap();
    let record = |place: usize| lines[place].record.as_ref().unwrap();
    let sites: Vec<_> = record(0).seated.iter().map(|seat| seat.fingerprint.as_str()).collect();
    assert_eq!(sites, ["one.example.com/", "two.local/"]);
    assert_eq!(record(0).expires_at.map(|end| end.to_string()).as_deref(), Some("2030-01-24T14:15:07Z"));
    assert_eq!(record(1).expires_at, None, "a license for life");
    assert_eq!(record(0).notes["item_name"], "Lumen");
    check(
        ForeignSystem::Edd,
        r#"[{"id":7,"license_key":"k","email":"a@example.com","created_at":"2024-01-24 14:15:07","expires":"lifetime",
            "license_limit":1,"sites":["a.example.com/","b.example.com/"]}]"#,
        &["license 7 a@example.com active seats AtMost(1) taken 2 uses 0"],
    );
}

#[test]
fn polar_exports_are_read_with_activations_and_usage() {
    let key = |id: u32, more: &str| {
        format!(
            r#"{{"id":"{id}","customer":{{"email":"a@example.com"}},"key":"key-{id}","created_at":"2024-01-24T14:15:07Z"{more}}}"#
        )
    };
    let file = [
        key(1, r#","status":"granted","limit_activations":2,"usage":4,"activations":[{"id":"x","label":"Mac"}]"#),
        key(2, r#","status":"granted","limit_activations":2"#),
        key(3, r#","status":"revoked","limit_activations":null"#),
        key(4, r#","status":"disabled","limit_activations":1,"activations":[]"#),
        key(5, r#","status":"lost""#),
    ]
    .concat();
    check(
        ForeignSystem::Polar,
        &file,
        &[
            "license-keys/1 a@example.com active seats AtMost(2) taken 1 uses 4",
            "license-keys/2 It has no `activations`: save the answer about each key, and not their list.",
            "license-keys/3 a@example.com revoked_by_person seats Unlimited taken 0 uses 0",
            "license-keys/4 a@example.com suspended_by_person seats AtMost(1) taken 0 uses 0",
            "license-keys/5 `status` is none of theirs: lost.",
        ],
    );
}

#[test]
fn dodo_exports_are_read_with_instances_and_customers() {
    let key = |id: u32, more: &str| {
        format!(r#"{{"id":"lic_{id}","customer_id":"c","key":"key-{id}","created_at":"2024-01-24T14:15:07Z"{more}}}"#)
    };
    let customer = r#"{"items":[{"customer_id":"c","email":"a@example.com","name":"Ada"}]}"#;
    let file = format!(
        r#"{{"items":[{},{},{},{}]}}{{"items":[{{"id":"lki_1","license_key_id":"lic_1","name":"Mac"}}]}}{customer}"#,
        key(1, r#","status":"active","activations_limit":2,"instances_count":1"#),
        key(2, r#","status":"active","instances_count":1"#),
        key(3, r#","status":"expired""#),
        key(4, r#","status":"disabled""#).replace("\"c\"", "\"d\""),
    );
    check(
        ForeignSystem::Dodo,
        &file,
        &[
            "license_keys/lic_1 a@example.com active seats AtMost(2) taken 1 uses 0",
            "license_keys/lic_2 It has 1 instances, and the file holds 0 of them: export /license_key_instances as well.",
            "license_keys/lic_3 a@example.com revoked_by_person seats Unlimited taken 0 uses 0",
            "license_keys/lic_4 Its customer is not in the file: export /customers as well.",
        ],
    );
}

#[test]
fn any_table_is_read_by_the_names_of_its_columns() {
    check(
        ForeignSystem::Csv,
        "Key;E-mail;Created at;Expires;Seats;Devices;Status\n\
         k1;a@example.com;2024-01-24;2030-01-24T14:15:07+02:00;2;mac-1 | mac-2;\n\
         k2;a@example.com;2024-01-24;never;;;suspended\n\
         k3;a@example.com;2024-01-24;;unlimited;;Refunded\n\
         k4;a@example.com;soon;;;;\n\
         k5;nobody;2024-01-24;;;;\n\
         k6;a@example.com;2024-01-24;;some;;\n\
         k1;a@example.com;2024-01-24;;;;\n",
        &[
            "license 1 a@example.com active seats AtMost(2) taken 2 uses 0",
            "license 2 a@example.com suspended_by_person seats AsPlan taken 0 uses 0",
            "license 3 a@example.com revoked_by_person seats Unlimited taken 0 uses 0",
            "license 4 `created_at` is not a time, as 2025-01-31: soon.",
            "license 5 `e_mail` cannot be read: has no @.",
            "license 6 `seats` is not a count: some.",
            "license 7 The same key stands at license 1.",
        ],
    );
}
