//! Writes `sdk/vectors.json`, which every client library is tested with: `cargo run -p latchkey-client --example
//! vectors > sdk/vectors.json`. Everything comes from fixed seeds, so the file changes only with the rules.
//!
//! What must come out stands here by hand, as a word for each row; what else there is to compare (the whole
//! outcome, what is kept, what is sent) is noted by running the Rust library.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    clippy::needless_pass_by_value,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "a tool that stops at the first surprise; a test includes it as a module"
)]

#[path = "vectors/offline.rs"]
mod offline;
#[path = "vectors/signed.rs"]
mod signed;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use data_encoding::BASE64URL_NOPAD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use latchkey_client::license::{
    Claims, Header, KeyCode, KeySet, LicenseClaims, PublicKey, assemble, signing_input, verify,
};
use latchkey_client::{
    CODES, Client, Kept, LEEWAY_SECONDS, Language, NOTICE_SECONDS, Outcome, ROLLBACK_SECONDS, Reply, Request, Settings,
    Storage, Transport,
};
use serde_json::{Value, json};

pub const SHOP: &str = "https://shop.example";
pub const PRODUCT: &str = "prod_01m85zgtares9t6zwxdxctb26c";
pub const DEVICE: &str = "device-7";
const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

fn main() {
    println!("{:#}", document());
}

pub fn document() -> Value {
    json!({
        "about": "What every client library must agree on. Written by sdk/rust/examples/vectors.rs from fixed seeds.",
        "leeway_seconds": LEEWAY_SECONDS,
        "rollback_seconds": ROLLBACK_SECONDS,
        "notice_seconds": NOTICE_SECONDS,
        "settings": { "shop_url": SHOP, "product": PRODUCT, "fingerprint": DEVICE },
        "jwks": parsed(&keys().to_jwks()),
        "keys": key_codes(),
        "key_sets": key_sets(),
        "signatures": signatures(),
        "certificates": certificates(),
        "signed_keys": signed::signed_keys(),
        "files": offline::files(),
        "requests": offline::requests(),
        "revocations": offline::revocations(),
        "messages": CODES.iter().map(|(code, english, german)| json!({ "code": code, "en": english, "de": german })).collect::<Vec<_>>(),
        "journeys": journeys().into_iter().chain(offline::journeys()).chain(signed::journeys()).collect::<Vec<_>>(),
    })
}

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(signer: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(*signer.verifying_key().as_bytes()).unwrap()
}

/// Two keys, as while keys change.
fn keys() -> KeySet {
    KeySet::from_iter([public(&signer(1)), public(&signer(2))])
}

fn sign_with(signer: &SigningKey, input: &str) -> String {
    assemble(input, signer.sign(input.as_bytes()).to_bytes())
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn key_codes() -> Vec<Value> {
    const GOOD: &str = "000G-40R4-0M30-E209-185G-R38E-1WEC";
    #[rustfmt::skip]
    let rows: &[(&str, Option<&str>)] = &[
        (GOOD, None),
        ("000g40r40m30e209185gr38e1wec", None),
        ("  000G 40R4\t0M30\nE209 185G R38E 1WEC\r\n", None),
        ("OoOG-4OR4-oM3O-E2O9-i85G-R38E-lWEC", None),
        ("000G\u{2013}40R4\u{2014}0M30\u{2011}E209\u{2212}185G\u{ff0d}R38E\u{30fc}1WEC", None),
        ("\u{feff}\u{200e}000G-40R4-0M30-E209-\u{200b}185G-R38E-1WEC\u{202c}\u{2069}", None),
        ("０００Ｇ－４０Ｒ４－０ｍ３０－Ｅ２０９－１８５Ｇ－Ｒ３８Ｅ－１ＷＥＣ", None),
        ("٠٠٠G-٤٠R٤-٠M٣٠-E٢٠٩-١٨٥G-R٣٨E-١WEC", None),
        ("۰۰۰G-۴۰R۴-۰M۳۰-E۲۰۹-۱۸۵G-R۳۸E-۱WEC", None),
        ("ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZG6Y", None),
        ("0000-0000-0000-0000-0000-0000-1EXA", None),
        ("", Some("empty")),
        (" - \u{200b}\n", Some("empty")),
        ("000G-40R4-0M30-E209-185G-R38E-1WE", Some("wrong_length")),
        ("000G-40R4-0M30-E209-185G-R38E-1WEC0", Some("wrong_length")),
        ("000G-40R4-0M3U-E209-185G-R38E-1WEC", Some("bad_symbol")),
        ("buyer@example.com", Some("bad_symbol")),
        ("000G-40R4-0M30-E209-185G-R38E-1WE💶", Some("bad_symbol")),
        ("000G-40R4-0M30-E209-185G-R38E-1WEﬁ", Some("bad_symbol")),
        ("000G-40R4-0M30-E209-185G-R38E-1WED", Some("wrong_check_symbols")),
        ("00G0-40R4-0M30-E209-185G-R38E-1WEC", Some("wrong_check_symbols")),
        ("1000-0000-0000-0000-0000-0000-0000", Some("wrong_check_symbols")),
    ];
    let row = |&(text, error): &(&str, Option<&str>)| {
        let read = KeyCode::parse(text);
        assert_eq!(read.as_ref().err().map(|error| error.code()), error, "{text:?}");
        json!({ "text": text, "key": read.ok().map(|key| key.to_string()), "error": error })
    };
    rows.iter().map(row).collect()
}

fn key_sets() -> Vec<Value> {
    let x = BASE64.encode(public(&signer(1)).as_bytes());
    let kid = public(&signer(1)).kid();
    let key = format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#);
    let point = |first: u8, rest: u8, last: u8| BASE64.encode(&[[first].as_slice(), &[rest; 30], &[last]].concat());
    let of = |x: String| format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#);
    #[rustfmt::skip]
    let rows: Vec<(&str, String, Result<usize, &str>)> = vec![
        ("two keys", keys().to_jwks(), Ok(2)),
        ("no keys", r#"{"keys":[]}"#.to_owned(), Ok(0)),
        ("a key without a name", format!(r#"{{"keys":[{{{key}}}]}}"#), Ok(1)),
        ("the same key twice", format!(r#"{{"keys":[{{{key}}},{{{key}}}]}}"#), Ok(1)),
        ("a key and members that nobody knows", format!(r#"{{"keys":[{{{key},"kid":"{kid}","use":"sig","alg":"EdDSA","nbf":1,"x5c":[]}}],"more":1}}"#), Ok(1)),
        ("a key for encryption", format!(r#"{{"keys":[{{{key},"use":"enc"}}]}}"#), Ok(0)),
        ("a key for another algorithm", format!(r#"{{"keys":[{{{key},"alg":"HS256"}}]}}"#), Ok(0)),
        ("an RSA key", r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#.to_owned(), Ok(0)),
        ("a private key", format!(r#"{{"keys":[{{{key},"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}}]}}"#), Err("private_key")),
        ("a name that is not the thumbprint", format!(r#"{{"keys":[{{{key},"kid":"main"}}]}}"#), Err("wrong_key_id")),
        ("a key without its point", r#"{"keys":[{"kty":"OKP","crv":"Ed25519"}]}"#.to_owned(), Err("bad_key")),
        ("a key that is too short", of("AAAA".to_owned()), Err("bad_key")),
        ("a key with padding", of(format!("{x}=")), Err("bad_key")),
        ("a key that is no point of the curve", of(point(2, 0, 0)), Err("bad_key")),
        ("the weak key zero", of(point(0, 0, 0)), Err("weak_key")),
        ("the weak key one", of(point(1, 0, 0)), Err("weak_key")),
        ("the weak key minus one", of(point(0xec, 0xff, 0x7f)), Err("weak_key")),
        ("no JSON", "keys".to_owned(), Err("not_a_key_set")),
        ("a list", "[]".to_owned(), Err("not_a_key_set")),
        ("nothing in it", "{}".to_owned(), Err("not_a_key_set")),
        ("keys that are no list", r#"{"keys":{}}"#.to_owned(), Err("not_a_key_set")),
    ];
    let row = |(name, jwks, expected): (&str, String, Result<usize, &str>)| {
        let read = KeySet::parse(&jwks);
        let found = read.as_ref().map(|set| set.kids().count());
        assert_eq!(found.map_err(|error| error.code()), expected, "{name}");
        let kids = read.ok().map(|set| set.kids().map(str::to_owned).collect::<Vec<_>>());
        json!({ "name": name, "jwks": jwks, "kids": kids, "error": expected.err() })
    };
    rows.into_iter().map(row).collect()
}

/// Signatures alone, for those who verify them by their own hands. The first two are of RFC 8032, section 7.1.
fn signatures() -> Vec<Value> {
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    let message = b"latchkey".as_slice();
    let good = signer(1).sign(message).to_bytes();
    let key = public(&signer(1)).as_bytes().to_vec();
    let flipped = |at: usize| {
        let mut bytes = good;
        bytes[at] ^= 1;
        bytes.to_vec()
    };
    #[rustfmt::skip]
    let rows: Vec<(&str, Vec<u8>, &[u8], Vec<u8>, bool)> = vec![
        ("RFC 8032, test 1", hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), b"",
            hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"), true),
        ("RFC 8032, test 2", hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"), &[0x72],
            hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"), true),
        ("a good one", key.clone(), message, good.to_vec(), true),
        ("another message", key.clone(), b"Latchkey", good.to_vec(), false),
        ("another key", public(&signer(2)).as_bytes().to_vec(), message, good.to_vec(), false),
        ("the first half changed", key.clone(), message, flipped(0), false),
        ("the second half changed", key.clone(), message, flipped(32), false),
        ("the same number written another way", key.clone(), message, malleated(good), false),
        ("nothing but zeros", key.clone(), message, vec![0; 64], false),
        ("too short", key, message, good[..63].to_vec(), false),
    ];
    let row = |(name, key, message, signature, holds): (&str, Vec<u8>, &[u8], Vec<u8>, bool)| {
        let verifying = ed25519_dalek::VerifyingKey::from_bytes(&key.clone().try_into().unwrap()).unwrap();
        let found = ed25519_dalek::Signature::from_slice(&signature)
            .is_ok_and(|signature| verifying.verify_strict(message, &signature).is_ok());
        assert_eq!(found, holds, "{name}");
        json!({
            "name": name,
            "public_key": BASE64.encode(&key),
            "message": BASE64.encode(message),
            "signature": BASE64.encode(&signature),
            "holds": holds,
        })
    };
    rows.into_iter().map(row).collect()
}

/// The signature with the group's order added to its second half: it satisfies the equation, and is refused.
fn malleated(mut signature: [u8; 64]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        let [low, high] = sum.to_le_bytes();
        *byte = low;
        carry = u16::from(high);
    }
    signature.to_vec()
}

fn claims() -> Claims {
    Claims {
        iss: SHOP.to_owned(),
        sub: "lic_01m85zgtares9t6zwxdxctb26d".to_owned(),
        aud: PRODUCT.to_owned(),
        iat: NOW,
        nbf: None,
        exp: NOW + 14 * DAY,
        jti: None,
        license: LicenseClaims {
            state: "active".to_owned(),
            plan: "plan_01m85zgtares9t6zwxdxctb26e".to_owned(),
            expires_at: None,
            features: vec!["export".to_owned(), "کلید \"quoted\" 💶".to_owned()],
            updates_until: None,
            trial: false,
            feature_values: serde_json::Map::new(),
        },
        fingerprint: Some(DEVICE.to_owned()),
        activation: None,
        nonce: None,
    }
}

fn certificate(seed: u8, claims: &Claims) -> String {
    let signer = signer(seed);
    sign_with(&signer, &signing_input(&Header::new(public(&signer).kid()), claims))
}

#[rustfmt::skip]
fn certificates() -> Vec<Value> {
    let kid = public(&signer(1)).kid();
    let good = certificate(1, &claims());
    let [head, body, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let encode = |text: &str| BASE64.encode(text.as_bytes());
    let content = String::from_utf8(BASE64.decode(body.as_bytes()).unwrap()).unwrap();
    let header = |alg: &str, more: &str| format!(r#"{{"alg":"{alg}","typ":"license+jwt","kid":"{kid}"{more}}}"#);
    let forge = |header: &str, content: &str| sign_with(&signer(1), &format!("{}.{}", encode(header), encode(content)));
    let with = |header: &str| forge(header, &content);
    let saying = |content: String| forge(&header("EdDSA", ""), &content);
    let later = certificate(1, &Claims { nbf: Some(NOW + DAY), ..claims() });
    let stranger = signer(9).sign(format!("{head}.{body}").as_bytes()).to_bytes();
    let bytes: [u8; 64] = BASE64.decode(signature.as_bytes()).unwrap().try_into().unwrap();
    let end = claims().exp;
    let rows: Vec<(&str, String, i64, &str, &str, Option<&str>)> = vec![
        ("valid", good.clone(), NOW, PRODUCT, DEVICE, None),
        ("valid, signed by the second key", certificate(2, &claims()), NOW, PRODUCT, DEVICE, None),
        ("valid on any device", certificate(1, &Claims { fingerprint: None, ..claims() }), NOW, PRODUCT, "device-8", None),
        ("valid with every claim", certificate(1, &Claims { nbf: Some(NOW), jti: Some("cert_01".to_owned()), license: LicenseClaims { expires_at: Some(NOW + DAY), features: Vec::new(), ..claims().license }, ..claims() }), NOW, PRODUCT, DEVICE, None),
        ("valid for a seat, and an answer", certificate(1, &Claims { activation: Some(offline::SEAT.to_owned()), nonce: Some(offline::nonce(1)), ..claims() }), NOW, PRODUCT, DEVICE, None),
        ("valid without features and with claims that nobody knows", saying(format!(r#"{{"iss":"{SHOP}","sub":"lic_1","aud":"{PRODUCT}","iat":{NOW},"exp":{end},"license":{{"state":"active","plan":"plan_1","more":[1]}},"more":{{}}}}"#)), NOW, PRODUCT, DEVICE, None),
        ("valid with the type in capitals", with(&format!(r#"{{"alg":"EdDSA","typ":"LICENSE+JWT","kid":"{kid}"}}"#)), NOW, PRODUCT, DEVICE, None),
        ("valid until the last second of the leeway", good.clone(), end + 299, PRODUCT, DEVICE, None),
        ("expired", good.clone(), end + 300, PRODUCT, DEVICE, Some("expired")),
        ("expired long ago", good.clone(), end + 3_650 * DAY, PRODUCT, DEVICE, Some("expired")),
        ("not yet valid", later.clone(), NOW + DAY - 301, PRODUCT, DEVICE, Some("not_yet_valid")),
        ("valid from the first second of the leeway", later, NOW + DAY - 300, PRODUCT, DEVICE, None),
        ("another device", good.clone(), NOW, PRODUCT, "device-8", Some("wrong_device")),
        ("another product", good.clone(), NOW, "prod_02", DEVICE, Some("wrong_product")),
        ("a key that is not in the set", certificate(3, &claims()), NOW, PRODUCT, DEVICE, Some("unknown_key")),
        ("a key that is a path", with(r#"{"alg":"EdDSA","typ":"license+jwt","kid":"../key"}"#), NOW, PRODUCT, DEVICE, Some("unknown_key")),
        ("claims changed", format!("{head}.{}.{signature}", encode(&content.replace("plan_01", "plan_02"))), NOW, PRODUCT, DEVICE, Some("bad_signature")),
        ("header changed", format!("{}.{body}.{signature}", encode(&header("EdDSA", r#","more":1"#))), NOW, PRODUCT, DEVICE, Some("bad_signature")),
        ("signed by a stranger", assemble(format!("{head}.{body}"), stranger), NOW, PRODUCT, DEVICE, Some("bad_signature")),
        ("signature of zeros", assemble(format!("{head}.{body}"), [0; 64]), NOW, PRODUCT, DEVICE, Some("bad_signature")),
        ("signature written another way", assemble(format!("{head}.{body}"), malleated(bytes).try_into().unwrap()), NOW, PRODUCT, DEVICE, Some("bad_signature")),
        ("algorithm none", format!("{}.{body}.", encode(&header("none", ""))), NOW, PRODUCT, DEVICE, Some("wrong_algorithm")),
        ("algorithm none, signed", with(&header("none", "")), NOW, PRODUCT, DEVICE, Some("wrong_algorithm")),
        ("algorithm HS256", with(&header("HS256", "")), NOW, PRODUCT, DEVICE, Some("wrong_algorithm")),
        ("algorithm in small letters", with(&header("eddsa", "")), NOW, PRODUCT, DEVICE, Some("wrong_algorithm")),
        ("a token for another purpose", with(&format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{kid}"}}"#)), NOW, PRODUCT, DEVICE, Some("wrong_type")),
        ("a token without a type", with(&format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#)), NOW, PRODUCT, DEVICE, Some("wrong_type")),
        ("an extension", with(&header("EdDSA", r#","crit":["b64"],"b64":false"#)), NOW, PRODUCT, DEVICE, Some("unknown_extension")),
        ("no key named", with(r#"{"alg":"EdDSA","typ":"license+jwt"}"#), NOW, PRODUCT, DEVICE, Some("missing_key_id")),
        ("a header without an algorithm", with(&format!(r#"{{"typ":"license+jwt","kid":"{kid}"}}"#)), NOW, PRODUCT, DEVICE, Some("bad_header")),
        ("a header that is a list", format!("{}.{body}.{signature}", encode("[]")), NOW, PRODUCT, DEVICE, Some("bad_header")),
        ("a header that is no JSON", format!("{}.{body}.{signature}", encode("{")), NOW, PRODUCT, DEVICE, Some("bad_header")),
        ("nothing", String::new(), NOW, PRODUCT, DEVICE, Some("not_a_token")),
        ("two parts", format!("{head}.{body}"), NOW, PRODUCT, DEVICE, Some("not_a_token")),
        ("four parts", format!("{good}.{signature}"), NOW, PRODUCT, DEVICE, Some("not_a_token")),
        ("padding", format!("{head}.{body}.{signature}=="), NOW, PRODUCT, DEVICE, Some("bad_encoding")),
        ("plain base64", format!("{head}.{body}.{}+/", &signature[..84]), NOW, PRODUCT, DEVICE, Some("bad_encoding")),
        ("a space", format!("{head}.{body}. {signature}"), NOW, PRODUCT, DEVICE, Some("bad_encoding")),
        ("a signature that is too short", format!("{head}.{body}.AAAA"), NOW, PRODUCT, DEVICE, Some("bad_encoding")),
        ("bits left over", format!("{head}.{body}.{}", left_over(signature)), NOW, PRODUCT, DEVICE, Some("bad_encoding")),
        ("a nonce that is a number", saying(content.replacen('{', r#"{"nonce":7,"#, 1)), NOW, PRODUCT, DEVICE, Some("bad_claims")),
        ("no claims", saying("{}".to_owned()), NOW, PRODUCT, DEVICE, Some("bad_claims")),
        ("a time that is text", saying(content.replace(&format!(r#""exp":{end}"#), r#""exp":"never""#)), NOW, PRODUCT, DEVICE, Some("bad_claims")),
        ("a time with a fraction", saying(content.replace(&format!(r#""exp":{end}"#), &format!(r#""exp":{end}.5"#))), NOW, PRODUCT, DEVICE, Some("bad_claims")),
        ("features that are text", saying(format!(r#"{{"iss":"{SHOP}","sub":"lic_1","aud":"{PRODUCT}","iat":{NOW},"exp":{end},"license":{{"state":"active","plan":"plan_1","features":"all"}}}}"#)), NOW, PRODUCT, DEVICE, Some("bad_claims")),
        ("too long", format!("{head}.{body}.{signature}{}", "A".repeat(64 * 1024)), NOW, PRODUCT, DEVICE, Some("too_long")),
    ];
    let row = |(name, certificate, now, product, device, error): (&str, String, i64, &str, &str, Option<&str>)| {
        let read = verify(&certificate, &keys(), now, LEEWAY_SECONDS).and_then(|claims| {
            claims.require_product(product)?;
            claims.require_device(device)?;
            Ok(claims)
        });
        assert_eq!(read.as_ref().err().map(|error| error.code()), error, "{name}");
        json!({
            "name": name, "certificate": certificate, "now": now, "product": product, "fingerprint": device,
            "error": error, "claims": read.ok().map(|claims| claims_of(&claims)),
        })
    };
    rows.into_iter().map(row).collect()
}

/// The same bytes with another last letter, whose lowest bits belong to nothing.
fn left_over(signature: &str) -> String {
    let (start, last) = signature.split_at(signature.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    let changed = format!("{start}{next}");
    assert!(BASE64.decode(changed.as_bytes()).is_err());
    changed
}

fn claims_of(claims: &Claims) -> Value {
    json!({
        "iss": claims.iss, "sub": claims.sub, "aud": claims.aud, "iat": claims.iat, "nbf": claims.nbf, "exp": claims.exp,
        "jti": claims.jti, "fingerprint": claims.fingerprint, "activation": claims.activation, "nonce": claims.nonce,
        "license": {
            "state": claims.license.state, "plan": claims.license.plan, "expires_at": claims.license.expires_at,
            "features": claims.license.features,
        },
    })
}

/// A step of a journey: what the program does, when, what comes back, and what it must come to.
struct Step {
    call: &'static str,
    key: Option<&'static str>,
    /// What the program was given: a license file, a revocation list.
    text: Option<String>,
    /// What chance gives in this step: so many times the same byte.
    chance: u8,
    now: i64,
    replies: Vec<Reply>,
    state: &'static str,
    code: &'static str,
}

const KEY: &str = "000G-40R4-0M30-E209-185G-R38E-1WEC";
const OTHER_KEY: &str = "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZG6Y";

fn step(call: &'static str, now: i64, replies: &[Reply], state: &'static str, code: &'static str) -> Step {
    let key = ["activate", "request_activation"].contains(&call).then_some(KEY);
    Step { call, key, text: None, chance: 1, now, replies: replies.to_vec(), state, code }
}

fn json_reply(status: u16, body: Value) -> Reply {
    Reply::Answer { status, body: body.to_string() }
}

fn problem(status: u16, code: &str, detail: &str) -> Reply {
    json_reply(
        status,
        json!({ "type": format!("/docs/errors#{code}"), "status": status, "code": code, "detail": detail, "retryable": status >= 500 }),
    )
}

fn verdict(code: &str, certificate: Option<String>) -> Reply {
    json_reply(
        200,
        json!({ "valid": code == "valid", "code": code, "detail": format!("The shop says {code}."), "license": null, "activation": null, "certificate": certificate }),
    )
}

fn seat(status: u16, state: &str, certificate: Option<String>) -> Reply {
    json_reply(
        status,
        json!({ "activation": { "id": "act_1", "state": "active" }, "license": { "id": "lic_1", "state": state }, "certificate": certificate }),
    )
}

/// A certificate of this moment, for so many days.
fn fresh(now: i64, days: i64) -> String {
    certificate(1, &Claims { iat: now, exp: now + days * DAY, activation: Some(offline::SEAT.to_owned()), ..claims() })
}

#[rustfmt::skip]
fn journeys() -> Vec<Value> {
    use Reply::{Network, Timeout};
    let proceed = || verdict("valid", None);
    let jwks = || Reply::Answer { status: 200, body: keys().to_jwks() };
    let activate = || step("activate", NOW, &[proceed(), seat(201, "active", Some(fresh(NOW, 14)))], "valid", "valid");
    let page = |status| Reply::Answer { status, body: "<html>Welcome to the hotel</html>".to_owned() };
    let answer = |status, body: &str| Reply::Answer { status, body: body.to_owned() };
    let revoked = || step("validate", NOW + DAY, &[verdict("revoked", None)], "refused", "revoked");
    vec![
        journey("nothing was activated", true, vec![
            step("status", NOW, &[], "refused", "not_activated"),
            step("validate", NOW, &[], "refused", "not_activated"),
            step("heartbeat", NOW, &[], "refused", "not_activated"),
            step("refresh", NOW, &[], "refused", "not_activated"),
            step("deactivate", NOW, &[], "refused", "not_activated"),
        ]),
        journey("from activation to goodbye", true, vec![
            activate(),
            step("status", NOW + 30, &[], "valid", "valid"),
            step("status", NOW + 7 * DAY - 1, &[], "valid", "valid"),
            step("validate", NOW + DAY, &[verdict("valid", Some(fresh(NOW + DAY, 14)))], "valid", "valid"),
            step("heartbeat", NOW + 2 * DAY, &[seat(200, "active", Some(fresh(NOW + 2 * DAY, 14)))], "valid", "valid"),
            step("deactivate", NOW + 3 * DAY, &[json_reply(200, json!({ "activation": { "state": "released" }, "license": { "state": "active" }, "certificate": null }))], "released", "released"),
            step("status", NOW + 3 * DAY, &[], "refused", "not_activated"),
        ]),
        journey("the shop's keys are fetched once and again when they change", false, vec![
            step("activate", NOW, &[proceed(), seat(201, "active", Some(fresh(NOW, 14))), jwks()], "valid", "valid"),
            step("validate", NOW + 60, &[verdict("valid", Some(certificate(2, &Claims { iat: NOW + 60, ..claims() })))], "valid", "valid"),
            step("validate", NOW + 120, &[verdict("valid", Some(certificate(3, &Claims { iat: NOW + 120, ..claims() }))), Network], "grace", "unknown_key"),
            step("validate", NOW + 180, &[verdict("valid", Some(certificate(3, &Claims { iat: NOW + 180, ..claims() }))), Reply::Answer { status: 200, body: KeySet::from_iter([public(&signer(3))]).to_jwks() }], "valid", "valid"),
            step("status", NOW + 240, &[], "valid", "valid"),
        ]),
        journey("the shop's keys cannot be fetched", false, vec![
            step("activate", NOW, &[proceed(), seat(201, "active", Some(fresh(NOW, 14))), page(200)], "undetermined", "unknown_key"),
            step("status", NOW, &[], "refused", "not_activated"),
        ]),
        journey("keys that were built in are the only ones", true, vec![
            step("activate", NOW, &[proceed(), seat(201, "active", Some(certificate(3, &claims())))], "undetermined", "unknown_key"),
        ]),
        journey("a slip of the hand is told without asking", true, vec![
            Step { key: Some("000G-40R4-0M30-E209-185G-R38E-1WED"), ..step("activate", NOW, &[], "refused", "key_mistyped") },
            Step { key: Some("  "), ..step("activate", NOW, &[], "refused", "key_missing") },
            Step { key: Some(" BROUGHT-ALONG-FROM-ELSEWHERE "), ..step("activate", NOW, &[verdict("unknown", None)], "refused", "unknown") },
        ]),
        journey("the shop says no to a seat", true, vec![
            step("activate", NOW, &[verdict("wrong_product", None)], "refused", "wrong_product"),
            step("activate", NOW, &[verdict("revoked", None)], "refused", "revoked"),
            step("activate", NOW, &[proceed(), problem(409, "seat_limit_reached", "All 3 seats are taken.")], "refused", "seat_limit_reached"),
            step("activate", NOW, &[proceed(), problem(409, "license_group_full", "All 50 seats of the group are taken.")], "refused", "group_full"),
            step("activate", NOW, &[proceed(), problem(403, "license_suspended", "The license is suspended.")], "refused", "suspended"),
            step("activate", NOW, &[proceed(), problem(404, "license_unknown", "There is no such key.")], "refused", "unknown"),
            step("activate", NOW, &[proceed(), problem(403, "license_paused", "A rule of a newer shop.")], "refused", "paused"),
            step("status", NOW, &[], "refused", "not_activated"),
        ]),
        journey("a key is the same however it is typed", true, vec![
            Step { key: Some(" 000g 40r4 0m3o e209 185g r38e lwec"), ..activate() },
            Step { key: Some("000G40R40M30E209185GR38E1WEC"), ..step("activate", NOW + 60, &[verdict("revoked", None)], "refused", "revoked") },
            step("status", NOW + 60, &[], "refused", "revoked"),
        ]),
        journey("the shop takes a license back and gives it again", true, vec![
            activate(),
            revoked(),
            step("status", NOW + DAY, &[], "refused", "revoked"),
            step("validate", NOW + DAY, &[Network], "refused", "revoked"),
            step("refresh", NOW + 2 * DAY, &[verdict("valid", Some(fresh(NOW + 2 * DAY, 14)))], "valid", "valid"),
            step("status", NOW + 2 * DAY, &[], "valid", "valid"),
            step("heartbeat", NOW + 3 * DAY, &[seat(200, "suspended", None)], "refused", "suspended"),
            step("heartbeat", NOW + 3 * DAY, &[problem(409, "not_activated", "This device holds no seat.")], "refused", "not_activated"),
            step("status", NOW + 3 * DAY, &[], "refused", "not_activated"),
        ]),
        journey("nobody can tell is never no", true, vec![
            activate(),
            step("validate", NOW + DAY, &[Network], "grace", "network"),
            step("validate", NOW + DAY, &[Timeout], "grace", "timeout"),
            step("validate", NOW + DAY, &[problem(503, "unavailable", "Not right now.")], "grace", "unavailable"),
            step("validate", NOW + DAY, &[answer(500, "")], "grace", "unavailable"),
            step("validate", NOW + DAY, &[answer(502, r#"{"valid":false,"code":"revoked"}"#)], "grace", "unavailable"),
            step("validate", NOW + DAY, &[answer(429, "slow down")], "grace", "unavailable"),
            step("validate", NOW + DAY, &[answer(408, "")], "grace", "unavailable"),
            step("validate", NOW + DAY, &[page(200)], "grace", "answer_unreadable"),
            step("validate", NOW + DAY, &[page(302)], "grace", "answer_unreadable"),
            step("validate", NOW + DAY, &[page(403)], "grace", "answer_unreadable"),
            step("validate", NOW + DAY, &[page(404)], "grace", "answer_unreadable"),
            step("validate", NOW + DAY, &[answer(200, "")], "grace", "answer_unreadable"),
            step("validate", NOW + DAY, &[answer(200, "null")], "grace", "answer_unreadable"),
            step("validate", NOW + DAY, &[answer(200, r#"{"valid":"false","code":"revoked"}"#)], "grace", "answer_unreadable"),
            step("validate", NOW + DAY, &[answer(200, r#"{"valid":false}"#)], "grace", "answer_unreadable"),
            step("validate", NOW + DAY, &[problem(404, "not_found", "There is nothing at this address.")], "grace", "not_found"),
            step("validate", NOW + DAY, &[problem(422, "fingerprint_invalid", "`fingerprint` is too long.")], "grace", "fingerprint_invalid"),
            step("validate", NOW + DAY, &[verdict("valid", None)], "grace", "answer_unreadable"),
            step("heartbeat", NOW + DAY, &[Network], "grace", "network"),
            step("heartbeat", NOW + DAY, &[problem(503, "license_suspended", "Not right now.")], "grace", "unavailable"),
            step("heartbeat", NOW + DAY, &[problem(401, "license_suspended", "Who are you?")], "grace", "license_suspended"),
            step("heartbeat", NOW + DAY, &[seat(200, "active", None)], "grace", "answer_unreadable"),
            step("deactivate", NOW + DAY, &[Network], "undetermined", "network"),
            step("deactivate", NOW + DAY, &[page(200)], "undetermined", "answer_unreadable"),
            step("activate", NOW + DAY, &[Timeout], "grace", "timeout"),
            step("status", NOW + DAY, &[], "valid", "valid"),
        ]),
        journey("nobody can tell and nothing was activated", true, vec![
            step("activate", NOW, &[Network], "undetermined", "network"),
            step("activate", NOW, &[proceed(), Timeout], "undetermined", "timeout"),
            step("activate", NOW, &[proceed(), page(200)], "undetermined", "answer_unreadable"),
        ]),
        journey("how long the certificate carries", true, vec![
            activate(),
            step("status", NOW + 7 * DAY, &[], "grace", "refresh_due"),
            step("refresh", NOW + 7 * DAY, &[Network], "grace", "network"),
            step("status", NOW + 14 * DAY + 299, &[], "grace", "refresh_due"),
            step("status", NOW + 14 * DAY + 300, &[], "undetermined", "lease_ended"),
            step("validate", NOW + 14 * DAY + 300, &[Network], "undetermined", "lease_ended"),
            step("validate", NOW + 15 * DAY, &[verdict("valid", Some(fresh(NOW + 15 * DAY, 14)))], "valid", "valid"),
            step("refresh", NOW + 16 * DAY, &[], "valid", "valid"),
        ]),
        journey("the clock is rolled back", true, vec![
            activate(),
            step("status", NOW + 10 * DAY, &[], "grace", "refresh_due"),
            step("status", NOW + 9 * DAY, &[], "grace", "refresh_due"),
            step("status", NOW + 9 * DAY - 1, &[], "undetermined", "clock_rolled_back"),
            step("validate", NOW + DAY, &[Network], "undetermined", "clock_rolled_back"),
            step("validate", NOW + DAY, &[verdict("valid", Some(fresh(NOW - DAY, 14)))], "undetermined", "clock_rolled_back"),
            step("validate", NOW + DAY, &[verdict("valid", Some(fresh(NOW + DAY, 14)))], "valid", "valid"),
            step("status", NOW + 2 * DAY, &[], "valid", "valid"),
        ]),
        journey("the clock is wrong while the shop answers", true, vec![
            step("activate", NOW + 400 * DAY, &[proceed(), seat(201, "active", Some(fresh(NOW, 14)))], "undetermined", "clock_wrong"),
            step("activate", NOW - 2 * DAY, &[proceed(), seat(200, "active", Some(fresh(NOW, 14)))], "undetermined", "clock_wrong"),
            step("activate", NOW - DAY, &[proceed(), seat(200, "active", Some(fresh(NOW, 14)))], "valid", "valid"),
        ]),
        journey("proofs that do not hold change nothing", true, vec![
            activate(),
            step("validate", NOW + DAY, &[verdict("valid", Some("made up".to_owned()))], "grace", "certificate_refused"),
            step("validate", NOW + DAY, &[verdict("valid", Some(certificate(1, &Claims { iat: NOW + DAY, fingerprint: Some("device-8".to_owned()), ..claims() })))], "grace", "certificate_refused"),
            step("validate", NOW + DAY, &[verdict("valid", Some(format!("{}AA", fresh(NOW + DAY, 14).trim_end_matches(char::is_alphanumeric))))], "grace", "certificate_refused"),
            step("validate", NOW + DAY, &[verdict("valid", Some(fresh(NOW - 301, 14)))], "grace", "certificate_refused"),
            step("validate", NOW + DAY, &[verdict("valid", Some(fresh(NOW - 300, 14)))], "valid", "valid"),
        ]),
        journey("a proof of no", true, vec![
            activate(),
            step("heartbeat", NOW + DAY, &[seat(200, "active", Some(certificate(1, &Claims { iat: NOW + DAY, aud: "prod_02".to_owned(), ..claims() })))], "refused", "wrong_product"),
            step("validate", NOW + DAY, &[verdict("valid", Some(fresh(NOW + DAY, 14)))], "valid", "valid"),
            step("validate", NOW + DAY, &[verdict("valid", Some(certificate(1, &Claims { iat: NOW + DAY, license: LicenseClaims { state: "suspended".to_owned(), ..claims().license }, ..claims() })))], "refused", "suspended"),
        ]),
        journey("another key that is refused takes nothing away, one that works takes over", true, vec![
            activate(),
            Step { key: Some(OTHER_KEY), ..step("activate", NOW + 60, &[verdict("unknown", None)], "refused", "unknown") },
            Step { key: Some(OTHER_KEY), ..step("activate", NOW + 60, &[Network], "undetermined", "network") },
            step("status", NOW + 60, &[], "valid", "valid"),
            Step { key: Some(OTHER_KEY), ..step("activate", NOW + 120, &[proceed(), seat(201, "active", Some(fresh(NOW + 120, 1)))], "valid", "valid") },
        ]),
        journey("a goodbye that was said before", true, vec![
            activate(),
            step("deactivate", NOW + DAY, &[problem(409, "not_activated", "This device holds no seat.")], "released", "released"),
        ]),
    ]
}

fn journey(name: &str, pinned: bool, steps: Vec<Step>) -> Value {
    let script = Rc::new(RefCell::new(Script::default()));
    let settings = Settings { keys: pinned.then(keys), ..Settings::new(SHOP, PRODUCT, DEVICE) };
    let memory = Memory::default();
    let steps: Vec<Value> = steps
        .into_iter()
        .map(|step| {
            script.borrow_mut().replies = step.replies.into();
            let (now, chance) = (step.now, step.chance);
            let mut client = Client::open(settings.clone(), Scripted(script.clone()), memory.clone())
                .unwrap()
                .with_clock(move || now)
                .with_chance(move || [chance; 16]);
            let outcome = act(&mut client, step.call, step.key, step.text.as_deref());
            let kept = parsed(&client.kept().to_text());
            let mut script = script.borrow_mut();
            assert!(script.replies.is_empty(), "{name}: {} asked too little", step.call);
            let found = (outcome.state.as_str(), outcome.code.as_str());
            assert_eq!(found, (step.state, step.code), "{name}: {} at {now}", step.call);
            json!({
                "call": step.call, "key": step.key, "text": step.text, "chance": chance, "now": now,
                "exchanges": std::mem::take(&mut script.exchanges),
                "outcome": outcome_of(&outcome), "kept": kept,
            })
        })
        .collect();
    json!({ "name": name, "pinned": pinned, "steps": steps })
}

pub fn act<T: Transport, S: Storage>(
    client: &mut Client<T, S>,
    call: &str,
    key: Option<&str>,
    text: Option<&str>,
) -> Outcome {
    match call {
        "request_activation" => client.request_activation(key.unwrap(), Some("Device 7")),
        "request_release" => client.request_release(),
        "install" => client.install(text.unwrap()),
        "check_revocations" => client.check_revocations(text.unwrap()),
        "activate" => client.activate(key.unwrap(), None),
        "validate" => client.validate(),
        "heartbeat" => client.heartbeat(),
        "refresh" => client.refresh(),
        "deactivate" => client.deactivate(),
        "status" => client.status(),
        other => panic!("no call is named {other}"),
    }
    .unwrap()
}

pub fn outcome_of(outcome: &Outcome) -> Value {
    json!({
        "state": outcome.state.as_str(), "code": outcome.code, "message": outcome.message, "usable": outcome.is_usable(),
        "portal_url": outcome.portal_url,
        "license": outcome.license.as_ref().map(|license| json!({
            "id": license.id, "product": license.product, "plan": license.plan, "features": license.features,
            "expires_at": license.expires_at,
        })),
        "carries_until": outcome.carries_until, "refresh_at": outcome.refresh_at,
        "request": outcome.request, "request_url": outcome.request_url,
    })
}

/// Gives the replies in their order, and notes what was asked.
#[derive(Default)]
struct Script {
    replies: VecDeque<Reply>,
    exchanges: Vec<Value>,
}

struct Scripted(Rc<RefCell<Script>>);

impl Transport for Scripted {
    fn send(&mut self, request: &Request) -> Reply {
        let mut script = self.0.borrow_mut();
        let reply = script.replies.pop_front().unwrap_or_else(|| panic!("asked too much: {request:?}"));
        assert_eq!(request.language, Language::English.as_str());
        let noted = match &reply {
            Reply::Answer { status, body } => json!({ "status": status, "body": body }),
            Reply::Timeout => json!("timeout"),
            Reply::Network => json!("network"),
        };
        script.exchanges.push(json!({
            "url": request.url, "body": request.body.as_deref().map(parsed), "reply": noted,
        }));
        reply
    }
}

/// Keeps in memory.
#[derive(Clone, Default)]
pub struct Memory(Rc<RefCell<Option<String>>>);

impl Storage for Memory {
    fn read(&mut self) -> io::Result<Option<String>> {
        Ok(self.0.borrow().clone())
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        assert_eq!(Kept::from_text(text).to_text(), text);
        *self.0.borrow_mut() = Some(text.to_owned());
        Ok(())
    }
}
