//! What is carried to and from devices without a network: files, requests, revocation lists, and the journeys of a
//! program that has nothing else.

use latchkey_client::Reply;
use latchkey_client::Reply::Network;
use latchkey_client::license::{
    Claims, Header, LicenseClaims, OfflineRequest, RevocationList, Revoked, assemble, read_file, read_request,
    write_file,
};
use serde_json::{Value, json};

use super::{
    BASE64, DAY, DEVICE, KEY, NOW, OTHER_KEY, PRODUCT, SHOP, Step, certificate, claims, fresh, journey, json_reply,
    keys, public, seat, sign_with, signer, step, verdict,
};

pub const SEAT: &str = "act_01m85zgtares9t6zwxdxctb26f";

/// The nonce of these bytes: so many times the same.
pub fn nonce(seed: u8) -> String {
    BASE64.encode(&[seed; 16])
}

#[rustfmt::skip]
pub fn files() -> Vec<Value> {
    let good = certificate(1, &claims());
    let file = write_file(&good, &[("Product", "Lumen"), ("Key-Id", &public(&signer(1)).kid())]);
    let begin = "-----BEGIN LATCHKEY LICENSE-----";
    let cut = file.split_once("-----END").unwrap().0;
    let rows: Vec<(&str, String, Option<&str>)> = vec![
        ("as it was written", file.clone(), None),
        ("without notes", write_file(&good, &[]), None),
        ("from Windows", file.replace('\n', "\r\n"), None),
        ("indented, in the middle of a mail", format!("\u{feff}Dear buyer,\n\n{}\nBest", file.replace('\n', "\n\t ")), None),
        ("on one line", format!("{begin}{good}-----END LATCHKEY LICENSE-----"), None),
        ("nothing but the certificate", good.clone(), None),
        ("nothing but the certificate, pasted", format!("\u{feff} \t{good}\r\n"), None),
        ("nothing", String::new(), Some("not_a_license_file")),
        ("cut off", cut.to_owned(), Some("not_a_license_file")),
        ("a mail without a file", "Dear buyer, v1.2.3 is out".to_owned(), Some("not_a_license_file")),
        ("two parts", write_file("a.b", &[]), Some("not_a_license_file")),
        ("a letter that is in no token", write_file("a.b.c+", &[]), Some("not_a_license_file")),
        ("a space that is none of ours", file.replace('\n', "\u{a0}\n"), Some("not_a_license_file")),
        ("too long", format!("{}{file}", "a".repeat(128 * 1024)), Some("too_long")),
    ];
    let row = |(name, text, error): (&str, String, Option<&str>)| {
        let read = read_file(&text);
        assert_eq!(read.as_ref().err().map(|error| error.code()), error, "{name}");
        json!({ "name": name, "text": text, "certificate": read.ok(), "error": error })
    };
    rows.into_iter().map(row).collect()
}

/// What a library must write for what a program asks. That the shop reads it is the shop's own test.
pub fn requests() -> Vec<Value> {
    let activate = |key: &str, fingerprint: &str, name: Option<&str>| OfflineRequest::Activate {
        key: key.to_owned(),
        product: PRODUCT.to_owned(),
        fingerprint: fingerprint.to_owned(),
        name: name.map(str::to_owned),
        nonce: nonce(1),
        at: NOW,
    };
    let release = OfflineRequest::Release { activation: SEAT.to_owned(), nonce: nonce(2), at: NOW };
    let long = "key ".repeat(30);
    let rows = [
        ("a seat", KEY, activate(KEY, DEVICE, None)),
        ("a seat for a device with a name", KEY, activate(KEY, DEVICE, Some("Ada’s \"laptop\" \\ کلید 💶\u{7f}\t"))),
        ("a seat with a key that is longer than a block", &long, activate(&long, "device/7", None)),
        ("a seat that is given back", KEY, release),
    ];
    let row = |(name, key, request): (&str, &str, OfflineRequest)| {
        let text = request.to_text(key);
        let read = read_request(&text).unwrap();
        assert!(read.request == request && read.is_of_key(key), "{name}");
        let asked = match request {
            OfflineRequest::Activate { key, product, fingerprint, name, nonce, at } => json!({
                "do": "activate", "key": key, "product": product, "fingerprint": fingerprint, "name": name,
                "nonce": nonce, "at": at,
            }),
            OfflineRequest::Release { activation, nonce, at } => {
                json!({ "do": "release", "activation": activation, "nonce": nonce, "at": at })
            }
        };
        json!({ "name": name, "key": key, "request": asked, "text": text })
    };
    rows.into_iter().map(row).collect()
}

fn revocation_list(seed: u8, revoked: &[(&str, &str, i64)]) -> String {
    let revoked = revoked.iter().map(|(id, code, at)| Revoked::from(((*id).to_owned(), (*code).to_owned(), *at)));
    let list = RevocationList { iss: SHOP.to_owned(), iat: NOW + DAY, revoked: revoked.collect() };
    let signer = signer(seed);
    sign_with(&signer, &list.signing_input(&Header::new(public(&signer).kid())))
}

#[rustfmt::skip]
pub fn revocations() -> Vec<Value> {
    let license = claims().sub;
    let seated = Claims { activation: Some(SEAT.to_owned()), ..claims() };
    let list = revocation_list(1, &[("lic_2", "revoked", NOW + DAY), (SEAT, "not_activated", NOW + 60), (&license, "suspended", NOW)]);
    let forge = |payload: &str| {
        let header = format!(r#"{{"alg":"EdDSA","typ":"license-revocations+jwt","kid":"{}"}}"#, public(&signer(1)).kid());
        sign_with(&signer(1), &format!("{}.{}", BASE64.encode(header.as_bytes()), BASE64.encode(payload.as_bytes())))
    };
    let (signed, _) = list.rsplit_once('.').unwrap();
    let rows: Vec<(&str, String, Claims, Result<Option<&str>, &str>)> = vec![
        ("nothing was taken back", revocation_list(1, &[]), seated.clone(), Ok(None)),
        ("the seat was given back", list.clone(), seated.clone(), Ok(Some("not_activated"))),
        ("the license is suspended", list.clone(), claims(), Ok(Some("suspended"))),
        ("the certificate is newer", list.clone(), Claims { iat: NOW + 1, ..claims() }, Ok(None)),
        ("another license", list.clone(), Claims { sub: "lic_3".to_owned(), ..claims() }, Ok(None)),
        ("by the second key, with a line at its end", format!("{}\r\n", revocation_list(2, &[(&license, "revoked", NOW)])), claims(), Ok(Some("revoked"))),
        ("with what nobody knows", forge(&format!(r#"{{"iss":"{SHOP}","iat":{NOW},"more":1,"revoked":[["{license}","paused",{NOW}]]}}"#)), claims(), Ok(Some("paused"))),
        ("by a key that is not in the set", revocation_list(3, &[]), claims(), Err("unknown_key")),
        ("a certificate", certificate(1, &claims()), claims(), Err("wrong_type")),
        ("signature of zeros", assemble(signed, [0; 64]), claims(), Err("bad_signature")),
        ("entries that are none", forge(&format!(r#"{{"iss":"{SHOP}","iat":{NOW},"revoked":["{license}"]}}"#)), claims(), Err("bad_claims")),
        ("entries that are too short", forge(&format!(r#"{{"iss":"{SHOP}","iat":{NOW},"revoked":[["{license}","revoked"]]}}"#)), claims(), Err("bad_claims")),
        ("without entries", forge(&format!(r#"{{"iss":"{SHOP}","iat":{NOW}}}"#)), claims(), Err("bad_claims")),
        ("nothing", String::new(), claims(), Err("not_a_token")),
    ];
    let row = |(name, text, claims, expected): (&str, String, Claims, Result<Option<&str>, &str>)| {
        let read = RevocationList::verify(&text, &keys());
        let found = read.as_ref().map(|list| list.names(&claims).map(|entry| entry.code.as_str()));
        assert_eq!(found.map_err(|error| error.code()), expected, "{name}");
        json!({
            "name": name, "text": text, "error": expected.err(), "code": expected.ok().flatten(),
            "claims": { "sub": claims.sub, "activation": claims.activation, "iat": claims.iat },
        })
    };
    rows.into_iter().map(row).collect()
}

/// A step that takes a text: a license file, a revocation list.
fn given(call: &'static str, text: String, now: i64, state: &'static str, code: &'static str) -> Step {
    Step { text: Some(text), ..step(call, now, &[], state, code) }
}

/// A license file that was signed then, for 30 days; with the nonce of these bytes, where it is an answer.
fn file(iat: i64, answers: Option<u8>) -> String {
    let seated = Claims { activation: Some(SEAT.to_owned()), nonce: answers.map(nonce), ..claims() };
    write_file(&certificate(1, &Claims { iat, exp: iat + 30 * DAY, ..seated }), &[])
}

#[rustfmt::skip]
pub fn journeys() -> Vec<Value> {
    let activate = || step("activate", NOW, &[verdict("valid", None), seat(201, "active", Some(fresh(NOW, 14)))], "valid", "valid");
    let jwks = || Reply::Answer { status: 200, body: keys().to_jwks() };
    let goodbye = json!({ "activation": { "state": "released" }, "license": { "state": "active" }, "certificate": null });
    vec![
        journey("a seat is asked for and taken without a network", true, vec![
            step("request_activation", NOW, &[], "undetermined", "file_awaited"),
            Step { chance: 9, ..step("request_activation", NOW + 60, &[], "undetermined", "file_awaited") },
            step("status", NOW + 60, &[], "refused", "not_activated"),
            given("install", "Dear buyer".to_owned(), NOW + 60, "undetermined", "file_unreadable"),
            given("install", file(NOW + 60, Some(2)), NOW + 60, "undetermined", "file_not_awaited"),
            given("install", file(NOW + 60, Some(1)), NOW + 120, "valid", "valid"),
            given("install", file(NOW + 60, Some(1)), NOW + 180, "valid", "valid"),
            given("install", file(NOW + 90, Some(1)), NOW + 180, "grace", "file_not_awaited"),
            step("status", NOW + 16 * DAY, &[], "grace", "refresh_due"),
            step("refresh", NOW + 16 * DAY, &[Network], "grace", "network"),
            Step { chance: 3, ..step("request_activation", NOW + 16 * DAY, &[], "grace", "refresh_due") },
            step("status", NOW + 31 * DAY, &[], "undetermined", "lease_ended"),
            given("install", file(NOW + 17 * DAY, Some(3)), NOW + 32 * DAY, "grace", "refresh_due"),
            step("validate", NOW + 32 * DAY, &[verdict("valid", Some(fresh(NOW + 32 * DAY, 14)))], "valid", "valid"),
        ]),
        journey("a request with a slip of the hand, and one with another key", true, vec![
            Step { key: Some("000G-40R4-0M30-E209-185G-R38E-1WED"), ..step("request_activation", NOW, &[], "refused", "key_mistyped") },
            Step { key: Some(" "), ..step("request_activation", NOW, &[], "refused", "key_missing") },
            step("request_activation", NOW, &[], "undetermined", "file_awaited"),
            Step { key: Some(OTHER_KEY), chance: 2, ..step("request_activation", NOW, &[], "undetermined", "file_awaited") },
            given("install", file(NOW, Some(1)), NOW, "undetermined", "file_not_awaited"),
            given("install", file(NOW, Some(2)), NOW, "valid", "valid"),
        ]),
        journey("a seat is given back without a network", true, vec![
            step("request_release", NOW, &[], "refused", "not_activated"),
            step("request_activation", NOW, &[], "undetermined", "file_awaited"),
            given("install", file(NOW, Some(1)), NOW, "valid", "valid"),
            Step { chance: 4, ..step("request_release", NOW + DAY, &[], "released", "released") },
            step("status", NOW + DAY, &[], "refused", "not_activated"),
            Step { chance: 5, ..step("request_release", NOW + 2 * DAY, &[], "released", "released") },
            given("install", file(NOW, Some(1)), NOW + 2 * DAY, "undetermined", "file_not_awaited"),
            given("install", file(NOW + 2 * DAY, None), NOW + 2 * DAY, "undetermined", "file_outdated"),
            Step { chance: 6, ..step("request_activation", NOW + 2 * DAY, &[], "undetermined", "file_awaited") },
            given("install", file(NOW + 2 * DAY, Some(6)), NOW + 2 * DAY, "valid", "valid"),
            step("deactivate", NOW + 3 * DAY, &[json_reply(200, goodbye)], "released", "released"),
            given("install", file(NOW + 2 * DAY, None), NOW + 3 * DAY, "undetermined", "file_outdated"),
        ]),
        journey("a license that takes no seat ends without a request", true, vec![
            given("install", certificate(1, &Claims { fingerprint: None, ..claims() }), NOW, "valid", "valid"),
            step("validate", NOW, &[], "valid", "valid"),
            step("heartbeat", NOW + 8 * DAY, &[], "grace", "refresh_due"),
            step("refresh", NOW + 8 * DAY, &[], "grace", "refresh_due"),
            step("request_release", NOW + 8 * DAY, &[], "released", "released"),
            step("request_release", NOW + 8 * DAY, &[], "refused", "not_activated"),
        ]),
        journey("a file keeps the key of its license and no other", true, vec![
            activate(),
            given("install", file(NOW + 60, None), NOW + 60, "valid", "valid"),
            step("validate", NOW + DAY, &[Network], "grace", "network"),
            given("install", certificate(1, &Claims { iat: NOW + DAY, sub: "lic_other".to_owned(), ..claims() }), NOW + DAY, "valid", "valid"),
            step("validate", NOW + DAY, &[], "valid", "valid"),
        ]),
        journey("files that do not hold change nothing", true, vec![
            activate(),
            given("install", certificate(3, &claims()), NOW, "grace", "unknown_key"),
            given("install", certificate(1, &Claims { aud: "prod_02".to_owned(), ..claims() }), NOW, "grace", "wrong_product"),
            given("install", certificate(1, &Claims { fingerprint: Some("device-8".to_owned()), ..claims() }), NOW, "grace", "wrong_device"),
            given("install", certificate(1, &Claims { exp: NOW - 300, ..claims() }), NOW, "grace", "lease_ended"),
            given("install", certificate(1, &Claims { license: LicenseClaims { state: "suspended".to_owned(), ..claims().license }, ..claims() }), NOW, "grace", "certificate_refused"),
            given("install", format!("{}AA", fresh(NOW + 1, 14).trim_end_matches(char::is_alphanumeric)), NOW, "grace", "certificate_refused"),
            given("install", file(NOW - 301, None), NOW, "grace", "file_outdated"),
            given("install", file(NOW - 300, None), NOW, "valid", "valid"),
        ]),
        journey("a file that was there before the shop said no does not undo it", true, vec![
            activate(),
            step("validate", NOW + DAY, &[verdict("revoked", None)], "refused", "revoked"),
            given("install", file(NOW + DAY, None), NOW + DAY, "undetermined", "file_outdated"),
            step("status", NOW + DAY, &[], "refused", "revoked"),
            given("install", file(NOW + DAY + 1, None), NOW + 2 * DAY, "valid", "valid"),
            step("validate", NOW + 2 * DAY, &[verdict("revoked", None)], "refused", "revoked"),
            step("request_activation", NOW + 3 * DAY, &[], "undetermined", "file_awaited"),
            given("install", file(NOW + 2 * DAY, Some(1)), NOW + 3 * DAY, "valid", "valid"),
        ]),
        journey("the clock is rolled back where there is no network", true, vec![
            step("request_activation", NOW, &[], "undetermined", "file_awaited"),
            given("install", file(NOW, Some(1)), NOW, "valid", "valid"),
            step("status", NOW + 20 * DAY, &[], "grace", "refresh_due"),
            step("status", NOW + 19 * DAY, &[], "grace", "refresh_due"),
            step("status", NOW + 19 * DAY - 1, &[], "undetermined", "clock_rolled_back"),
            given("install", file(NOW, Some(1)), NOW + DAY, "undetermined", "clock_rolled_back"),
            given("install", file(NOW + DAY, None), NOW + DAY, "undetermined", "clock_rolled_back"),
            step("refresh", NOW + DAY, &[Network], "undetermined", "clock_rolled_back"),
            step("status", NOW + 20 * DAY, &[], "grace", "refresh_due"),
            given("install", file(NOW + 2 * DAY, None), NOW + 20 * DAY, "grace", "refresh_due"),
            step("status", NOW + 10 * DAY, &[], "undetermined", "clock_rolled_back"),
            Step { chance: 2, ..step("request_activation", NOW + 3 * DAY, &[], "undetermined", "file_awaited") },
            given("install", file(NOW + 3 * DAY, Some(2)), NOW + 3 * DAY, "valid", "valid"),
            step("status", NOW + 4 * DAY, &[], "valid", "valid"),
        ]),
        journey("the clock is behind a file, or was once far ahead", true, vec![
            given("install", file(NOW, None), NOW - DAY - 1, "undetermined", "clock_wrong"),
            given("install", file(NOW, None), NOW - DAY, "valid", "valid"),
            step("status", NOW - DAY - 1, &[], "undetermined", "clock_rolled_back"),
            step("status", NOW + 400 * DAY, &[], "undetermined", "lease_ended"),
            step("status", NOW, &[], "undetermined", "clock_rolled_back"),
            given("install", file(NOW + 60, None), NOW + 60, "undetermined", "clock_rolled_back"),
            step("request_activation", NOW + 60, &[], "undetermined", "file_awaited"),
            given("install", file(NOW + 60, Some(1)), NOW + 60, "valid", "valid"),
        ]),
        journey("the shop's keys are fetched for a file where that is possible", false, vec![
            Step { replies: vec![Network], ..given("install", file(NOW, None), NOW, "undetermined", "unknown_key") },
            Step { replies: vec![jwks()], ..given("install", file(NOW, None), NOW, "valid", "valid") },
            given("install", file(NOW + 1, None), NOW + 1, "valid", "valid"),
        ]),
        journey("a revocation list is carried to the device", true, vec![
            given("check_revocations", revocation_list(1, &[]), NOW, "refused", "not_activated"),
            activate(),
            given("check_revocations", revocation_list(1, &[("lic_2", "revoked", NOW + DAY)]), NOW + DAY, "valid", "valid"),
            given("check_revocations", revocation_list(1, &[(&claims().sub, "revoked", NOW - 1)]), NOW + DAY, "valid", "valid"),
            given("check_revocations", revocation_list(3, &[]), NOW + DAY, "grace", "unknown_key"),
            given("check_revocations", "Dear buyer".to_owned(), NOW + DAY, "grace", "revocations_refused"),
            given("check_revocations", fresh(NOW, 14), NOW + DAY, "grace", "revocations_refused"),
            given("check_revocations", revocation_list(1, &[(&claims().sub, "revoked", NOW + DAY)]), NOW + DAY, "refused", "revoked"),
            step("status", NOW + DAY, &[], "refused", "revoked"),
            step("validate", NOW + DAY, &[Network], "refused", "revoked"),
            given("check_revocations", revocation_list(1, &[]), NOW + DAY, "refused", "revoked"),
            given("install", file(NOW + DAY, None), NOW + DAY, "undetermined", "file_outdated"),
            given("install", file(NOW + DAY + 1, None), NOW + DAY + 1, "valid", "valid"),
            given("check_revocations", revocation_list(1, &[(SEAT, "not_activated", NOW + 2 * DAY)]), NOW + 2 * DAY, "refused", "not_activated"),
            step("validate", NOW + 2 * DAY, &[verdict("valid", Some(fresh(NOW + 2 * DAY, 14)))], "valid", "valid"),
        ]),
    ]
}
