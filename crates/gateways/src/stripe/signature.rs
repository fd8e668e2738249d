//! Proves that Stripe sent a message: `Stripe-Signature: t=…,v1=…[,v1=…]`,
//! HMAC-SHA256 over `{t}.{raw body}` with the whole text of an endpoint's
//! secret (NOTES.md). Relies on the bytes as they came and on a time that is
//! handed in. Never parses the body.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use domain::Timestamp;

use crate::{Headers, VerifyError};

/// How far the signed time may be from ours, either way. The figure is that
/// of Stripe's libraries, which however look only for messages that are too old.
pub(super) const TOLERANCE_SECONDS: i64 = 300;

const HEADER: &str = "stripe-signature";
/// Room for a dozen signatures; Stripe sends one for each live secret.
const LONGEST_HEADER: usize = 1_024;

struct Signed<'a> {
    /// The signed time as it is written: what was signed are these characters.
    time: &'a str,
    seconds: i64,
    signatures: Vec<&'a str>,
}

/// Accepts a message when any live secret gives any of its signatures and it
/// was signed within [`TOLERANCE_SECONDS`] of `now`.
///
/// # Errors
/// [`VerifyError::OutsideTolerance`] only for a message that is signed
/// correctly; a forged one is a mismatch, whatever time it names.
pub(super) fn verify(secrets: &[String], headers: &Headers, body: &[u8], now: Timestamp) -> Result<(), VerifyError> {
    if secrets.is_empty() || secrets.iter().any(String::is_empty) {
        return Err(VerifyError::NoSecret);
    }
    let mut values = headers.all(HEADER);
    let header = values.next().ok_or(VerifyError::SignatureMissing)?;
    if values.next().is_some() {
        return Err(VerifyError::SignatureMalformed);
    }
    let signed = read_header(header)?;
    if !secrets.iter().any(|secret| signs(secret, &signed, body)) {
        return Err(VerifyError::SignatureMismatch);
    }
    if now.as_seconds().abs_diff(signed.seconds) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(VerifyError::OutsideTolerance { tolerance_seconds: TOLERANCE_SECONDS });
    }
    Ok(())
}

fn read_header(header: &str) -> Result<Signed<'_>, VerifyError> {
    if header.trim().is_empty() {
        return Err(VerifyError::SignatureMissing);
    }
    if header.len() > LONGEST_HEADER {
        return Err(VerifyError::SignatureMalformed);
    }
    let mut times = Vec::new();
    let mut signatures = Vec::new();
    for item in header.split(',') {
        let (name, value) = item.split_once('=').ok_or(VerifyError::SignatureMalformed)?;
        match name.trim() {
            "t" => times.push(value.trim()),
            "v1" => signatures.push(value.trim()),
            // Other schemes prove nothing here: `v0` is signed with a key that everybody knows.
            _ => {}
        }
    }
    let &[time] = times.as_slice() else { return Err(VerifyError::SignatureMalformed) };
    let is_number = (1..=12).contains(&time.len()) && time.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = time.parse().ok().filter(|_| is_number).ok_or(VerifyError::SignatureMalformed)?;
    if signatures.is_empty() {
        return Err(VerifyError::SignatureMalformed);
    }
    Ok(Signed { time, seconds, signatures })
}

fn signs(secret: &str, signed: &Signed<'_>, body: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(signed.time.as_bytes());
    context.update(b".");
    context.update(body);
    let tag = context.sign();
    signed.signatures.iter().any(|signature| {
        HEXLOWER.decode(signature.as_bytes()).is_ok_and(|given| verify_slices_are_equal(tag.as_ref(), &given).is_ok())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    // Made with Stripe's own Node and Python libraries, which agree.
    const SECRET: &str = "whsec_test_secret";
    const TIME: i64 = 1_700_000_000;
    const BODY: &str = r#"{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}"#;
    const SIGNATURE: &str = "67da5088c63e080c71bd2bb0cb5c03d85a8fc6a21ce3aaf484df809654745b92";

    fn good_header() -> String {
        format!("t={TIME},v1={SIGNATURE}")
    }

    fn check_at(secrets: &[&str], header: &str, body: &[u8], now: i64) -> Result<(), VerifyError> {
        let secrets: Vec<String> = secrets.iter().map(|&secret| secret.to_owned()).collect();
        let headers = Headers::new([("Stripe-Signature".to_owned(), header.to_owned())]);
        verify(&secrets, &headers, body, Timestamp::from_seconds(now))
    }

    fn check(header: &str) -> Result<(), VerifyError> {
        check_at(&[SECRET], header, BODY.as_bytes(), TIME)
    }

    fn sign(secret: &str, time: &str, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        HEXLOWER.encode(hmac::sign(&key, &[time.as_bytes(), b".", body].concat()).as_ref())
    }

    #[test]
    fn the_golden_vector_of_the_official_libraries_is_accepted() {
        assert_eq!(check(&good_header()), Ok(()));
    }

    #[test]
    fn the_header_is_read_as_the_official_libraries_read_it() {
        let other = "0".repeat(64);
        let shout = SIGNATURE.to_uppercase();
        let of_length = |length: usize| {
            let header = format!("t={TIME},v1={SIGNATURE},v0=");
            format!("{header}{}", "0".repeat(length - header.len()))
        };
        #[rustfmt::skip]
        let table = [
            (format!("v1={SIGNATURE},t={TIME}"), Ok(())),
            (format!("t={TIME},v0={other},v1={SIGNATURE}"), Ok(())),
            (format!("t={TIME},v1={other},v1={SIGNATURE}"), Ok(())),
            (format!("t={TIME},v1={SIGNATURE},v1={other}"), Ok(())),
            (format!("t={TIME},v1=,v1=zz,v1={SIGNATURE}"), Ok(())),
            (format!(" t = {TIME} , v1 = {SIGNATURE} "), Ok(())),
            (String::new(), Err(VerifyError::SignatureMissing)),
            ("  ".to_owned(), Err(VerifyError::SignatureMissing)),
            (SIGNATURE.to_owned(), Err(VerifyError::SignatureMalformed)),
            (format!("v1={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t={TIME}"), Err(VerifyError::SignatureMalformed)),
            (format!("t={TIME},v0={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t={TIME},t={TIME},v1={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t=,v1={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t=now,v1={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t=-{TIME},v1={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t=+{TIME},v1={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t={TIME}.0,v1={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t=99999999999999999999,v1={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t={TIME};v1={SIGNATURE}"), Err(VerifyError::SignatureMalformed)),
            (format!("t={TIME},v1={SIGNATURE},"), Err(VerifyError::SignatureMalformed)),
            (of_length(LONGEST_HEADER), Ok(())),
            (of_length(LONGEST_HEADER + 1), Err(VerifyError::SignatureMalformed)),
            (format!("t=0{TIME},v1={SIGNATURE}"), Err(VerifyError::SignatureMismatch)),
            (format!("t={TIME},v1={}", &SIGNATURE[..63]), Err(VerifyError::SignatureMismatch)),
            (format!("t={TIME},v1={}", &SIGNATURE[..62]), Err(VerifyError::SignatureMismatch)),
            (format!("t={TIME},v1={SIGNATURE}{SIGNATURE}"), Err(VerifyError::SignatureMismatch)),
            (format!("t={TIME},v1={shout}"), Err(VerifyError::SignatureMismatch)),
            (format!("t={TIME},v1={other}"), Err(VerifyError::SignatureMismatch)),
            (format!("t={TIME},v1="), Err(VerifyError::SignatureMismatch)),
            (format!("t={},v1={SIGNATURE}", TIME + 1), Err(VerifyError::SignatureMismatch)),
        ];
        for (header, expected) in table {
            assert_eq!(check(&header), expected, "{header}");
        }
    }

    #[test]
    fn a_header_that_stands_twice_or_not_at_all_is_refused() {
        let pair = || ("Stripe-Signature".to_owned(), good_header());
        let secrets = [SECRET.to_owned()];
        let now = Timestamp::from_seconds(TIME);
        let twice = Headers::new([pair(), pair()]);
        assert_eq!(verify(&secrets, &twice, BODY.as_bytes(), now), Err(VerifyError::SignatureMalformed));
        assert_eq!(verify(&secrets, &Headers::default(), BODY.as_bytes(), now), Err(VerifyError::SignatureMissing));
    }

    #[test]
    fn any_live_secret_is_enough_and_a_retired_one_is_not() {
        let header = good_header();
        let body = BODY.as_bytes();
        assert_eq!(check_at(&["whsec_new", SECRET], &header, body, TIME), Ok(()));
        assert_eq!(check_at(&["whsec_new"], &header, body, TIME), Err(VerifyError::SignatureMismatch));
        // The text is the key; what follows the prefix is not base64.
        assert_eq!(check_at(&["test_secret"], &header, body, TIME), Err(VerifyError::SignatureMismatch));
    }

    #[test]
    fn an_empty_secret_makes_nothing_authentic() {
        let forged = format!("t={TIME},v1={}", sign("", &TIME.to_string(), BODY.as_bytes()));
        for secrets in [&[][..], &[""][..], &["", SECRET][..]] {
            assert_eq!(check_at(secrets, &forged, BODY.as_bytes(), TIME), Err(VerifyError::NoSecret));
        }
    }

    #[test]
    fn a_message_is_taken_for_five_minutes_before_and_after_it_was_signed() {
        let outside = Err(VerifyError::OutsideTolerance { tolerance_seconds: 300 });
        for (drift, expected) in [
            (-100_000, outside),
            (-301, outside),
            (-300, Ok(())),
            (-299, Ok(())),
            (0, Ok(())),
            (299, Ok(())),
            (300, Ok(())),
            (301, outside),
            (100_000, outside),
        ] {
            assert_eq!(check_at(&[SECRET], &good_header(), BODY.as_bytes(), TIME + drift), expected, "{drift} s");
        }
        // A forged message learns nothing about the clock.
        let forged = format!("t=1,v1={SIGNATURE}");
        assert_eq!(check(&forged), Err(VerifyError::SignatureMismatch));
    }

    #[test]
    fn the_same_json_in_other_bytes_is_refused() {
        let utf16: Vec<u8> = BODY.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bodies: [Vec<u8>; 8] = [
            Vec::new(),
            format!("{BODY}\n").into_bytes(),
            format!("\u{feff}{BODY}").into_bytes(),
            BODY.replace(':', ": ").into_bytes(),
            br#"{"object":"event","id":"evt_1","type":"payment_intent.succeeded"}"#.to_vec(),
            BODY.replace("evt_1", "evt_\\u0031").into_bytes(),
            [BODY, BODY].concat().into_bytes(),
            utf16,
        ];
        for body in bodies {
            let verdict = check_at(&[SECRET], &good_header(), &body, TIME);
            assert_eq!(verdict, Err(VerifyError::SignatureMismatch), "{:?}", String::from_utf8_lossy(&body));
        }
    }

    #[test]
    fn every_mutant_of_a_good_message_is_refused() {
        let body: Vec<u8> = BODY.repeat(4).into_bytes();
        let header = format!("t={TIME},v1={}", sign(SECRET, &TIME.to_string(), &body)).into_bytes();
        assert_eq!(check_at(&[SECRET], &String::from_utf8(header.clone()).unwrap(), &body, TIME), Ok(()));
        let mut refused = 0;
        let mut expect_refusal = |header: &[u8], body: &[u8], what: &str| {
            // What is not text never reaches the adapter: a header's value is text.
            if let Ok(header) = std::str::from_utf8(header) {
                assert!(check_at(&[SECRET], header, body, TIME).is_err(), "accepted: {what} {header:?}");
            }
            refused += 1;
        };
        for place in 0..header.len() {
            for bit in 0..8 {
                let mut mutant = header.clone();
                mutant[place] ^= 1 << bit;
                expect_refusal(&mutant, &body, "flipped bit in the header");
            }
            let mut shorter = header.clone();
            shorter.remove(place);
            expect_refusal(&shorter, &body, "byte left out of the header");
            expect_refusal(&header[..place], &body, "header cut short");
        }
        for place in 0..body.len() {
            for bit in 0..8 {
                let mut mutant = body.clone();
                mutant[place] ^= 1 << bit;
                expect_refusal(&header, &mutant, "flipped bit in the body");
            }
            let mut shorter = body.clone();
            shorter.remove(place);
            expect_refusal(&header, &shorter, "byte left out of the body");
            let mut longer = body.clone();
            longer.insert(place, b' ');
            expect_refusal(&header, &longer, "space put into the body");
            expect_refusal(&header, &body[..place], "body cut short");
        }
        assert!(refused > 3_500, "only {refused} mutants");
    }
}
