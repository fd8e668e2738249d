//! What is tried, and what must hold of everything that is taken in.

mod imported;
mod server;

use std::collections::BTreeSet;
use std::path::Path;

use domain::{
    Country, CustomerId, Email, EventId, Fact, LicenseId, Locale, NoticeId, OrderId, PaymentId, PaymentStatus,
    RefundId, ShopId, Timestamp,
};
use gateways::{Call, Gateway, Headers, HttpResponse, Translation, adapter};
use latchkey_license::{
    KeyCode, KeySet, OfflineRequest, RevocationList, read_file, read_request, read_signed_key, signed_key_code, verify,
};
use money::{Currency, Money};
use sandbox::model::delivery::sign;
use sandbox::model::moment::Moment;
use serde_json::Value;

use crate::Target;

/// Every target.
#[must_use]
pub fn all() -> Vec<Target> {
    vec![
        signature(),
        event(),
        answer(),
        credentials(),
        license_key(),
        certificate(),
        signed_key(),
        key_set(),
        carried(),
        money(),
        words(),
        email(),
        bounce(),
        trace(),
        imported::exports(),
        imported::tables(),
        imported::codes(),
        server::requests(),
    ]
}

fn target(
    name: &'static str,
    words: &'static [&'static str],
    seeds: Vec<Vec<u8>>,
    read: impl FnMut(&[u8]) -> String + 'static,
) -> Target {
    Target { name, words, seeds, share: 1_000, read: Box::new(read) }
}

/// The first word of what the `Debug` of an error says: its variant.
fn variant(value: &impl std::fmt::Debug) -> String {
    let told = format!("{value:?}");
    told.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn gateway() -> &'static dyn Gateway {
    adapter("stripe").expect("the adapter")
}

/// A file in the folder of the crates.
fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("the folder").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().filter(|file| file.is_file()).map(|file| std::fs::read(file).unwrap()).collect()
}

const SECRET: &str = "whsec_fuzz";
const NOW: i64 = 1_800_000_000;

/// The header and, after an empty line, the body. What is taken must carry the signature that another hand makes of
/// exactly these bytes, within five minutes.
fn signature() -> Target {
    let credentials = serde_json::json!({ "secret_key": "sk_test_fuzz", "webhook_secret": SECRET }).to_string();
    let bodies = [r#"{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}"#, "{}", ""];
    let seeds = bodies.iter().flat_map(|body| {
        [0, -300, 301].map(|drift| {
            let header = sign(&[SECRET], Moment::from_seconds(NOW + drift), body);
            format!("{header}\n\n{body}").into_bytes()
        })
    });
    let words =
        ["t=", "v1=", "v0=", ",", "1800000000", "1799999700", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c"];
    let read = move |input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        let (header, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let headers = Headers::new([("stripe-signature".to_owned(), header.to_owned())]);
        match gateway().verify(&credentials, &headers, body.as_bytes(), Timestamp::from_seconds(NOW)) {
            Ok(items) => {
                let time = header.split(',').find_map(|part| part.trim().strip_prefix('t')?.trim().strip_prefix('='));
                let time: i64 = time.and_then(|time| time.trim().parse().ok()).expect("a time that was signed");
                let genuine = sign(&[SECRET], Moment::from_seconds(time), body);
                let tag = genuine.split_once("v1=").expect("a signature").1;
                assert!(header.contains(tag), "taken without a signature: {header}");
                assert!((NOW - time).abs() <= 300, "taken at the wrong time: {header}");
                format!("{} events", items.len())
            }
            Err(error) => variant(&error),
        }
    };
    target("signature", Box::leak(Box::new(words)), seeds.collect(), read)
}

const STRIPE: &[&str] = &[
    "\"id\":\"evt_1\"",
    "\"type\":",
    "\"livemode\":true",
    "\"amount_total\":",
    "\"amount_received\":",
    "\"currency\":\"isk\"",
    "\"currency\":\"eur\"",
    "\"payment_status\":\"paid\"",
    "\"status\":\"succeeded\"",
    "\"metadata\":",
    "latchkey_order",
    "latchkey_payment",
    "latchkey_shop",
    "latchkey_refund",
    "\"payment_intent\":",
    "\"charge\":",
    "\"last_payment_error\":",
    "checkout.session.completed",
    "payment_intent.succeeded",
    "refund.updated",
    "charge.dispute.created",
    "null",
];

/// An event of a gateway. What it says must be an amount that can be, and the same when it is read again.
fn event() -> Target {
    let read = |input: &[u8]| {
        let kind =
            serde_json::from_slice::<Value>(input).ok().and_then(|event| Some(event["type"].as_str()?.to_owned()));
        let kind = kind.unwrap_or_else(|| "payment_intent.succeeded".to_owned());
        match gateway().translate(&kind, input) {
            Ok(said) => {
                assert_eq!(gateway().translate(&kind, input), Ok(said.clone()));
                match said {
                    Translation::Fact(fact) => {
                        if let Fact::Payment(report) = fact.as_ref()
                            && let PaymentStatus::Succeeded { captured } = &report.status
                        {
                            assert!(!captured.is_negative(), "{captured} was captured");
                        }
                        format!("{kind}: {}", fact.as_str())
                    }
                    Translation::Ask(_) => format!("{kind}: ask"),
                    Translation::Ignore(why) => why.to_owned(),
                }
            }
            Err(error) => {
                // Without figures and names, so that each way to be wrong is one behaviour.
                let told: String = error.to_string().chars().filter(|letter| letter.is_alphabetic()).take(40).collect();
                format!("{kind}: {told}")
            }
        }
    };
    let kinds: BTreeSet<Vec<u8>> = files("gateways/src/stripe/fixtures/events").into_iter().collect();
    target("event", STRIPE, kinds.into_iter().collect(), read)
}

/// An answer of a gateway to one of our calls: which, and its status, in the first two bytes.
fn answer() -> Target {
    let calls: Vec<Call> = gateways::contract::calls(7);
    let count = u8::try_from(calls.len()).unwrap();
    let seeds = files("gateways/src/stripe/fixtures/answers")
        .into_iter()
        .flat_map(|body| (0..count).map(move |call| [&[call, 0][..], &body].concat()).collect::<Vec<_>>());
    let seeds = seeds.collect();
    let read = move |input: &[u8]| {
        let (which, status) = (input.first().copied().unwrap_or_default(), input.get(1).copied().unwrap_or_default());
        let call = &calls[usize::from(which % count)];
        let status = [200, 400, 401, 402, 403, 404, 409, 429, 500, 503][usize::from(status % 10)];
        let body = input.get(2..).unwrap_or_default().to_vec();
        let response = HttpResponse { status, headers: Headers::default(), body };
        let read = gateway().read(call, &response);
        assert_eq!(read, gateway().read(call, &response));
        match read {
            Ok(answer) => format!("{which} {status} {}", variant(&answer)),
            Err(error) => format!("{which} {status} {}", variant(&error)),
        }
    };
    target("answer", STRIPE, seeds, read)
}

fn credentials() -> Target {
    let seeds = [
        r#"{"secret_key":"sk_test_1","webhook_secret":"whsec_1"}"#,
        r#"{"secret_key":"sk_live_1","webhook_secret":["whsec_1","whsec_2"],"base_url":"http://127.0.0.1:9"}"#,
        r#"{"secret_key":"rk_test_1","webhook_secret":"whsec_1","base_url":"https://api.stripe.com/"}"#,
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let words = &["secret_key", "webhook_secret", "base_url", "sk_test_", "sk_live_", "whsec_", "http://", "https://"];
    let read = |input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        match gateway().check_credentials(&text) {
            Ok(()) => {
                // What is stored must be of use: a request can be built.
                let built = gateway().request(&text, &Call::CheckAccount).expect("credentials that were checked");
                assert!(built.url.starts_with("http"), "{}", built.url);
                "taken".to_owned()
            }
            Err(error) => format!("{} {}", error.field, error.problem.chars().take(30).collect::<String>()),
        }
    };
    target("credentials", words, seeds, read)
}

/// What the client libraries are tested with.
fn vectors() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/vectors.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn texts(vectors: &Value, list: &str, field: &str) -> Vec<String> {
    let rows = vectors[list].as_array().unwrap();
    rows.iter().filter_map(|row| Some(row[field].as_str()?.to_owned())).collect()
}

fn bytes(texts: Vec<String>) -> Vec<Vec<u8>> {
    texts.into_iter().map(String::into_bytes).collect()
}

fn license_key() -> Target {
    let words = &["-", "O", "I", "l", "U", "0000", "ZZZZ", "\u{ff10}", "\u{660}", "\u{2013}", " "];
    let read = |input: &[u8]| match KeyCode::parse(&String::from_utf8_lossy(input)) {
        Ok(key) => {
            let written = key.to_string();
            let again = KeyCode::parse(&written).map(|key| key.to_string());
            assert_eq!(again.as_deref(), Ok(written.as_str()), "a key is not read as it is written");
            // A slip of the finger is no other key: each place, the next letter of the alphabet.
            for (place, letter) in written.char_indices().filter(|(_, letter)| *letter != '-') {
                let other = if letter == 'Z' { '0' } else { 'Z' };
                let mut slip = written.clone();
                slip.replace_range(place..=place, other.encode_utf8(&mut [0; 4]));
                assert!(KeyCode::parse(&slip).is_err(), "{slip} passes for {written}");
            }
            "key".to_owned()
        }
        Err(error) => variant(&error),
    };
    target("license_key", words, bytes(texts(&vectors(), "keys", "text")), read)
}

/// Nobody without our key makes a certificate.
fn certificate() -> Target {
    let vectors = vectors();
    let keys = KeySet::parse(&vectors["jwks"].to_string()).unwrap();
    let seeds = texts(&vectors, "certificates", "certificate");
    let known: BTreeSet<String> = seeds.iter().map(|seed| seed.trim().to_owned()).collect();
    let words = &["eyJ", ".", "=", "eyJhbGciOiJub25lIn0", "eyJhbGciOiJFZERTQSJ9", "-", "_", "A"];
    let read = move |input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        let _ = latchkey_license::key_id(&text);
        let verified = verify(&text, &keys, NOW, 300);
        match verified {
            Ok(_) => {
                assert!(known.contains(text.trim()), "a certificate that nobody signed is taken: {text}");
                "taken".to_owned()
            }
            Err(error) => format!("{error:?}").chars().take(60).collect(),
        }
    };
    target("certificate", words, bytes(seeds), read)
}

/// Nor a key that is signed, however it is written.
fn signed_key() -> Target {
    let vectors = vectors();
    let keys = KeySet::parse(&vectors["jwks"].to_string()).unwrap();
    // Dashes of print and marks that nobody sees do no harm, and what is signed is ASCII.
    let whole = |text: &str| -> String {
        text.chars().filter(|char| char.is_ascii() && !char.is_ascii_whitespace() && *char != '\u{b}').collect()
    };
    // The longest of them is only long.
    let seeds: Vec<String> =
        texts(&vectors, "signed_keys", "text").into_iter().filter(|text| text.len() < 4_000).collect();
    let known: BTreeSet<String> = seeds.iter().map(|seed| whole(seed)).collect();
    let words = &["key/", ".", "=", "==", "eyJ", "-", "_", "A", "\n", " "];
    let read = move |input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        let code = signed_key_code(&text);
        match read_signed_key(&text, &keys) {
            Ok(says) => {
                assert!(known.contains(&whole(&text)), "a key that nobody signed is taken: {text}");
                assert_eq!(code, Some(says.key), "the short key is not the one in it: {text}");
                "taken".to_owned()
            }
            Err(error) => variant(&error),
        }
    };
    target("signed_key", words, bytes(seeds), read)
}

/// What people carry to and from devices without a network: license files, requests, revocation lists.
fn carried() -> Target {
    let vectors = vectors();
    let keys = KeySet::parse(&vectors["jwks"].to_string()).unwrap();
    let lists = texts(&vectors, "revocations", "text");
    let signed: BTreeSet<String> = lists.iter().map(|list| list.trim().to_owned()).collect();
    // The longest of them is only long.
    let files = texts(&vectors, "files", "text").into_iter().filter(|file| file.len() < 4_000);
    let seeds = files.chain(texts(&vectors, "requests", "text")).chain(lists).collect();
    let words = &["-----BEGIN LATCHKEY LICENSE-----", "-----END LATCHKEY LICENSE-----", "#", ".", "\n", "eyJ", "="];
    let read = move |input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        if let Ok(certificate) = read_file(&text) {
            assert_eq!(read_file(&certificate).as_ref(), Ok(&certificate), "a certificate is a file by itself");
        }
        if RevocationList::verify(&text, &keys).is_ok() {
            assert!(signed.contains(text.trim()), "a list that nobody signed is taken: {text}");
            return "list".to_owned();
        }
        match read_request(&text) {
            Ok(read) => match &read.request {
                OfflineRequest::Activate { key, .. } => {
                    assert!(read.is_of_key(key), "a request that was damaged is taken: {text}");
                    "seat".to_owned()
                }
                OfflineRequest::Release { .. } => "release".to_owned(),
            },
            Err(error) => variant(&error),
        }
    };
    target("carried", words, bytes(seeds), read)
}

fn key_set() -> Target {
    let words = &["\"kty\":\"OKP\"", "\"crv\":\"Ed25519\"", "\"x\":", "\"kid\":", "\"alg\":\"EdDSA\"", "\"keys\":["];
    let read = |input: &[u8]| match KeySet::parse(&String::from_utf8_lossy(input)) {
        Ok(keys) => {
            let again = KeySet::parse(&keys.to_jwks()).expect("what we write we can read");
            assert_eq!(again.kids().collect::<Vec<_>>(), keys.kids().collect::<Vec<_>>());
            format!("{} keys", keys.kids().count().min(5))
        }
        Err(error) => variant(&error),
    };
    target("key_set", words, bytes(texts(&vectors(), "key_sets", "jwks")), read)
}

/// A currency, an amount and a locale, each on a line.
fn money() -> Target {
    let seeds = ["EUR\n49.00\nde-DE", "JPY\n1500\nja", "KWD\n1.234\nar-KW", "IRR\n-1\nfa-IR", "USD\n1,234.50\nen-US"];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let words =
        &["EUR", "JPY", "KWD", "XXX", "92233720368547758.07", "-92233720368547758.08", ".", ",", "\u{664}", "fa-IR"];
    let read = |input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        let mut lines = text.splitn(3, '\n');
        let (code, amount, locale) =
            (lines.next().unwrap_or_default(), lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let currency = match Currency::parse(code) {
            Ok(currency) => currency,
            Err(error) => return variant(&error),
        };
        match Money::parse_major(amount, currency) {
            Ok(money) => {
                let again = Money::parse_major(&money.to_major_string(), currency);
                assert_eq!(again, Ok(money), "{} is not read as it is written", money.to_major_string());
                assert!(!money.display(locale).is_empty());
                if let Ok(parts) = money.split(3) {
                    assert_eq!(Money::sum(currency, parts), Ok(money), "a part is lost");
                }
                format!("{} digits", currency.exponent())
            }
            Err(error) => variant(&error),
        }
    };
    target("money", words, seeds, read)
}

/// Locales, countries, times and ids: each text is read as all of them.
fn words() -> Target {
    let seeds = [
        "de-DE",
        "fa_IR",
        "zh-Hant-TW",
        "DE",
        "2026-01-31T23:59:60Z",
        "2026-01-31T00:00:00.000001Z",
        "ord_01hf7yat00e9jb3m7q2v8xk4wn",
        "pay_01hf7yat01c5tr9d2n6h0zg8sq",
        "re_01hf7yat03v2ah8s5c0q7dn1tz",
        "shop_01hf7yat027pmw4k1f3y9ej6bx",
        "lic_01m85zgtares9t6zwxdxctb26d",
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let prefixes = &[
        "ord_",
        "pay_",
        "re_",
        "lic_",
        "cus_",
        "evt_",
        "ntc_",
        "shop_",
        "-",
        "_",
        "T",
        "Z",
        "+00:00",
        "7zzzzzzzzzzzzzzzzzzzzzzzzz",
        "8",
    ];
    let read = |input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        let mut read_as = Vec::new();
        macro_rules! is_read_as_written {
            ($($name:literal $parsed:expr, $again:expr;)*) => {$(
                if let Some(value) = $parsed {
                    let written = value.to_string();
                    assert_eq!($again(&written), Some(value), "{written} is not read as it is written");
                    read_as.push($name);
                }
            )*};
        }
        is_read_as_written! {
            "locale" Locale::parse(&text), Locale::parse;
            "country" Country::parse(&text), Country::parse;
            "time" Timestamp::parse(&text), Timestamp::parse;
            "order" OrderId::parse(&text).ok(), |text: &str| OrderId::parse(text).ok();
            "payment" PaymentId::parse(&text).ok(), |text: &str| PaymentId::parse(text).ok();
            "refund" RefundId::parse(&text).ok(), |text: &str| RefundId::parse(text).ok();
            "license" LicenseId::parse(&text).ok(), |text: &str| LicenseId::parse(text).ok();
            "customer" CustomerId::parse(&text).ok(), |text: &str| CustomerId::parse(text).ok();
            "event" EventId::parse(&text).ok(), |text: &str| EventId::parse(text).ok();
            "notice" NoticeId::parse(&text).ok(), |text: &str| NoticeId::parse(text).ok();
            "shop" ShopId::parse(&text).ok(), |text: &str| ShopId::parse(text).ok();
        }
        read_as.join(" ")
    };
    target("words", prefixes, seeds, read)
}

/// No address makes a second line in the head of a mail, or a second receiver.
fn email() -> Target {
    let seeds = ["ada@example.org", "A.B+c@EXAMPLE.co.uk", "ада@пример.рф", "o'hara@xn--bcher-kva.example", "a@b"];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let words = &["@", "\"", "<", ">", ",", ";", ":", "\r\nBcc: x@y.example", "\u{ff20}", "\u{2028}", ".", "xn--", " "];
    let read = |input: &[u8]| match Email::parse(&String::from_utf8_lossy(input)) {
        Ok(email) => {
            let written = email.to_string();
            assert!(!written.chars().any(|letter| letter.is_control() || letter.is_whitespace()), "{written:?}");
            assert!(!written.contains([',', ';', '<', '>', '"']), "{written:?}");
            assert_eq!(written.matches('@').count(), 1, "{written:?}");
            assert!(written.len() <= 254, "{} bytes", written.len());
            assert_eq!(Email::parse(&written), Ok(email), "{written} is not read as it is written");
            "address".to_owned()
        }
        Err(error) => variant(&error),
    };
    target("email", words, seeds, read)
}

fn bounce() -> Target {
    let report = |status: &str, returned: &str| {
        format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\nIt failed.\n--b\n\
             Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n\
             Final-Recipient: rfc822; ada@example.org\n{status}\n\n--b\n\
             Content-Type: message/rfc822\n\nMessage-ID: <{returned}@shop.example>\nSubject: Your key\n\nHello\n--b--\n"
        )
    };
    let delivery = "dlv_01hf7yat00e9jb3m7q2v8xk4wn";
    let seeds = [
        report("Action: failed\nStatus: 5.1.1 (no such box)", delivery),
        report("Action: delayed\nStatus: 4.4.1", delivery),
        report("Action: failed\nStatus: 5.1.1", "somebody-elses"),
        format!(
            "Content-Type: multipart/mixed; boundary=o\n\n--o\n{}\n--o--\n",
            report("Action: failed\nStatus: 5.2.2", delivery)
        ),
        "Subject: away\nIn-Reply-To: <dlv_1@shop.example>\n\nI am away.".to_owned(),
    ];
    let seeds = seeds.map(String::into_bytes).to_vec();
    let words = &[
        "boundary=",
        "Status: 5.",
        "Action: failed",
        "rfc822;",
        "\r\n\r\n",
        "--b",
        "message/delivery-status",
        "=\r\n",
    ];
    let read = |input: &[u8]| match app::mailer::parse_bounce(input) {
        Some(bounce) => {
            assert!(bounce.status.starts_with(['4', '5']), "{}", bounce.status);
            assert!(!bounce.permanent || bounce.status.starts_with('5'), "{}", bounce.status);
            format!("{} {}", bounce.status.len(), bounce.permanent)
        }
        None => "none".to_owned(),
    };
    target("bounce", words, seeds, read)
}

fn trace() -> Target {
    let seeds = vec![b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_vec()];
    let words = &["00-", "ff-", "-01", "00000000000000000000000000000000", "0000000000000000"];
    let read = |input: &[u8]| {
        let parsed = app::trace::SpanContext::parse(&String::from_utf8_lossy(input));
        parsed.is_some().to_string()
    };
    target("trace", words, seeds, read)
}
