//! Keys whose text is signed, and the journeys of a program whose user pastes one.

use data_encoding::BASE64URL;
use ed25519_dalek::Signer as _;
use latchkey_client::license::{
    KeyCode, SignedKey, assemble_signed_key, signed_key_code, signed_key_input, verify_signed_key,
};
use serde_json::{Map, Value, json};

use super::{
    DAY, KEY, NOW, PRODUCT, Step, claims, fresh, journey, keys, malleated, problem, public, seat, signer, step, verdict,
};

fn says() -> SignedKey {
    SignedKey {
        key: KeyCode::parse(KEY).unwrap(),
        license: claims().sub,
        product: PRODUCT.to_owned(),
        plan: claims().license.plan,
        issued_at: NOW,
        expires_at: Some(NOW + 365 * DAY),
        features: claims().license.features,
        feature_values: Map::from_iter([
            ("edition".to_owned(), "gold".into()),
            ("pages".to_owned(), 500.into()),
            ("sync".to_owned(), false.into()),
        ]),
        seats: Some(3),
        updates_until: Some(NOW + 30 * DAY),
        trial: true,
    }
}

fn sign(seed: u8, input: &str) -> String {
    assemble_signed_key(input, signer(seed).sign(input.as_bytes()).to_bytes())
}

fn signed(seed: u8, says: &SignedKey) -> String {
    sign(seed, &signed_key_input(&public(&signer(seed)).kid(), says))
}

#[rustfmt::skip]
pub fn signed_keys() -> Vec<Value> {
    let (kid, good) = (public(&signer(1)).kid(), signed(1, &says()));
    let (input, signature) = good.split_once('.').unwrap();
    let dataset = input.strip_prefix("key/").unwrap();
    let bytes: [u8; 64] = BASE64URL.decode(signature.as_bytes()).unwrap().try_into().unwrap();
    let content = String::from_utf8(BASE64URL.decode(dataset.as_bytes()).unwrap()).unwrap();
    let encode = |text: &str| BASE64URL.encode(text.as_bytes());
    let changed = |from: &str, to: &str| {
        assert!(content.contains(from), "{from}");
        content.replace(from, to)
    };
    let saying = |content: &str| sign(1, &format!("key/{}", encode(content)));
    let unsigned = |content: &str| format!("key/{}.{signature}", encode(content));
    let bare = SignedKey { expires_at: None, features: Vec::new(), feature_values: Map::new(), seats: None, updates_until: None, trial: false, ..says() };
    let endless = signed(1, &bare);
    let end = NOW + 365 * DAY;
    let (one, other) = good.split_at(90);
    let rows: Vec<(&str, String, i64, &str, Option<&str>)> = vec![
        ("valid", good.clone(), NOW, PRODUCT, None),
        ("valid, signed by the second key", signed(2, &says()), NOW, PRODUCT, None),
        ("valid, with nothing that can be left out", endless.clone(), NOW, PRODUCT, None),
        ("valid for ever", endless, NOW + 36_500 * DAY, PRODUCT, None),
        ("valid before it was issued, by a clock that is wrong", good.clone(), NOW - DAY, PRODUCT, None),
        ("valid until its last second", good.clone(), end - 1, PRODUCT, None),
        ("valid, pasted from a mail", format!("\u{feff} {one}\r\n\t{other}\n"), NOW, PRODUCT, None),
        ("valid, after a space that does not break", format!("\u{a0}{good}"), NOW, PRODUCT, None),
        ("valid, pasted from a page with marks that nobody sees", format!("\u{202a}{one}\u{ad}\u{2010}\u{b}{other}\u{200b}\u{2060}\u{85}\u{202c}"), NOW, PRODUCT, None),
        ("valid, saying what nobody knows", saying(&content.replacen('{', r#"{"more":[1],"#, 1)), NOW, PRODUCT, None),
        ("valid, without features", saying(&format!(r#"{{"key":"{KEY}","kid":"{kid}","license":"lic_1","product":"{PRODUCT}","plan":"plan_1","issued_at":{NOW}}}"#)), NOW, PRODUCT, None),
        ("expired", good.clone(), end, PRODUCT, Some("expired")),
        ("expired, and for another product", good.clone(), end, "prod_02", Some("expired")),
        ("another product", good.clone(), NOW, "prod_02", Some("wrong_product")),
        ("dataset changed", unsigned(&changed(r#""seats":3"#, r#""seats":9"#)), NOW, PRODUCT, Some("bad_signature")),
        ("dataset written another way", unsigned(&content.replacen(',', ", ", 1)), NOW, PRODUCT, Some("bad_signature")),
        ("signature changed", { let mut other = bytes; other[40] ^= 1; assemble_signed_key(input, other) }, NOW, PRODUCT, Some("bad_signature")),
        ("signature written another way", assemble_signed_key(input, malleated(bytes).try_into().unwrap()), NOW, PRODUCT, Some("bad_signature")),
        ("signature of zeros", assemble_signed_key(input, [0; 64]), NOW, PRODUCT, Some("bad_signature")),
        ("signed by a stranger", assemble_signed_key(input, signer(9).sign(input.as_bytes()).to_bytes()), NOW, PRODUCT, Some("bad_signature")),
        ("signed without its prefix", assemble_signed_key(input, signer(1).sign(dataset.as_bytes()).to_bytes()), NOW, PRODUCT, Some("bad_signature")),
        ("a key that is not in the set", signed(3, &says()), NOW, PRODUCT, Some("unknown_key")),
        ("no key named", saying(&changed(&format!(r#""kid":"{kid}","#), "")), NOW, PRODUCT, Some("missing_key_id")),
        ("a key of another system", sign(1, &format!("key/{}", encode("a@b.test"))), NOW, PRODUCT, Some("missing_key_id")),
        ("a dataset that is a list", saying("[]"), NOW, PRODUCT, Some("missing_key_id")),
        ("the wrong prefix", good.replacen("key/", "license/", 1), NOW, PRODUCT, Some("not_a_signed_key")),
        ("the wrong prefix, signed", sign(1, &format!("lic/{dataset}")), NOW, PRODUCT, Some("not_a_signed_key")),
        ("the prefix in capitals", good.replacen("key/", "KEY/", 1), NOW, PRODUCT, Some("not_a_signed_key")),
        ("a short key", KEY.to_owned(), NOW, PRODUCT, Some("not_a_signed_key")),
        ("nothing", String::new(), NOW, PRODUCT, Some("not_a_signed_key")),
        ("cut off before the dot", input.to_owned(), NOW, PRODUCT, Some("not_a_signed_key")),
        ("cut off after the dot", good[..good.len() - 10].to_owned(), NOW, PRODUCT, Some("bad_encoding")),
        ("without its padding", good.trim_end_matches('=').to_owned(), NOW, PRODUCT, Some("bad_encoding")),
        ("padding in the middle", format!("{input}.{}{}", BASE64URL.encode(&bytes[..1]), BASE64URL.encode(&bytes[1..])), NOW, PRODUCT, Some("bad_encoding")),
        ("more padding", format!("{good}=="), NOW, PRODUCT, Some("bad_encoding")),
        ("plain base64", format!("{input}.{}", data_encoding::BASE64.encode(&[0xff; 64])), NOW, PRODUCT, Some("bad_encoding")),
        ("a dataset that is not base64", format!("key/{dataset}é.{signature}"), NOW, PRODUCT, Some("bad_encoding")),
        ("a signature that is too short", format!("{input}.{}", BASE64URL.encode(&bytes[..63])), NOW, PRODUCT, Some("bad_encoding")),
        ("three parts", format!("{good}.{signature}"), NOW, PRODUCT, Some("bad_encoding")),
        ("a separator that is no space", format!("\u{1f}{good}"), NOW, PRODUCT, Some("not_a_signed_key")),
        ("says nothing", saying(&format!(r#"{{"kid":"{kid}"}}"#)), NOW, PRODUCT, Some("bad_claims")),
        ("a short key that is none", saying(&changed(KEY, &KEY.replacen("000G", "00G0", 1))), NOW, PRODUCT, Some("bad_claims")),
        ("a short key in small letters", saying(&changed(KEY, &KEY.to_lowercase())), NOW, PRODUCT, Some("bad_claims")),
        ("seats below none", saying(&changed(r#""seats":3"#, r#""seats":-3"#)), NOW, PRODUCT, Some("bad_claims")),
        ("an end that is text", saying(&changed(&format!(r#""expires_at":{end}"#), r#""expires_at":"never""#)), NOW, PRODUCT, Some("bad_claims")),
        ("features that are nothing", saying(&content.replacen(r#""features":["#, r#""features":null,"more":["#, 1)), NOW, PRODUCT, Some("bad_claims")),
        ("too long", format!("{good}{}", "A".repeat(8 * 1024)), NOW, PRODUCT, Some("too_long")),
    ];
    let row = |(name, text, now, product, error): (&str, String, i64, &str, Option<&str>)| {
        let read = verify_signed_key(&text, &keys(), now).and_then(|says| {
            says.require_product(product)?;
            Ok(says)
        });
        assert_eq!(read.as_ref().err().map(|error| error.code()), error, "{name}");
        json!({
            "name": name, "text": text, "now": now, "product": product, "error": error,
            "says": read.ok().map(|says| said(&says)),
            "code": signed_key_code(&text).map(|key| key.to_string()),
        })
    };
    rows.into_iter().map(row).collect()
}

fn said(says: &SignedKey) -> Value {
    json!({
        "key": says.key.to_string(), "license": says.license, "product": says.product, "plan": says.plan,
        "issued_at": says.issued_at, "expires_at": says.expires_at, "features": says.features,
        "feature_values": says.feature_values, "seats": says.seats, "updates_until": says.updates_until,
        "trial": says.trial,
    })
}

#[rustfmt::skip]
pub fn journeys() -> Vec<Value> {
    let pasted = |step: Step, text: &str| Step { key: Some(String::from(text).leak()), ..step };
    let good = signed(1, &says());
    let cut = &good[..good.len() / 3];
    vec![
        journey("a signed key asks the shop by the short key in it", true, vec![
            pasted(step("activate", NOW, &[verdict("valid", None), seat(201, "active", Some(fresh(NOW, 14)))], "valid", "valid"), &good),
            step("validate", NOW + DAY, &[verdict("valid", Some(fresh(NOW + DAY, 14)))], "valid", "valid"),
            pasted(step("request_activation", NOW + DAY, &[], "valid", "valid"), &format!(" {good}\n")),
        ]),
        journey("a signed key that was cut off is the shop's to tell", true, vec![
            pasted(step("activate", NOW, &[verdict("key_not_genuine", None)], "refused", "key_not_genuine"), cut),
            pasted(step("activate", NOW, &[verdict("valid", None), problem(403, "license_key_not_genuine", "A part of the key is missing.")], "refused", "key_not_genuine"), cut),
        ]),
    ]
}
