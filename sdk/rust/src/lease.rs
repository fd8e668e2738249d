//! The state machine: from what is kept, a time, and perhaps an answer, to what is kept now and the outcome. Reads
//! no clock and sends nothing. The same rules, by the same names, stand in every client library.

use latchkey_license::{CertificateError, Claims, KeyCode, KeyCodeError, KeySet, key_id, signed_key_code, verify};
use serde_json::json;

use crate::answer::{Call, Meaning, Reply, Request, read, unclear};
use crate::kept::Kept;
use crate::message::{Language, message};
use crate::outcome::{License, Outcome, State};
use crate::{LEEWAY_SECONDS, ROLLBACK_SECONDS};

/// What the program knows about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The shop's address, without a slash at its end.
    pub shop_url: String,
    /// The product's id (`prod_…`), as certificates name it.
    pub product: String,
    /// What tells this device from another: any text of up to 255 characters that stays the same.
    pub fingerprint: String,
    /// The shop's public keys as of when the program was built; then no others count. `None`: they are fetched
    /// from the shop and kept.
    pub keys: Option<KeySet>,
    /// The language of messages.
    pub language: Language,
}

impl Settings {
    /// For this program on this device, with keys fetched from the shop and messages in English.
    #[must_use]
    pub fn new(shop_url: &str, product: &str, fingerprint: &str) -> Self {
        Self {
            shop_url: shop_url.trim_end_matches('/').to_owned(),
            product: product.to_owned(),
            fingerprint: fingerprint.to_owned(),
            keys: None,
            language: Language::English,
        }
    }

    pub(crate) fn trusted<'a>(&'a self, kept: &'a Kept) -> &'a KeySet {
        const NONE: &KeySet = &KeySet::new();
        self.keys.as_ref().or(kept.keys.as_ref()).unwrap_or(NONE)
    }

    pub(crate) fn outcome(&self, state: State, code: &str, said: Option<String>, claims: Option<&Claims>) -> Outcome {
        Outcome {
            state,
            code: code.to_owned(),
            message: said.unwrap_or_else(|| message(code, self.language).to_owned()),
            portal_url: format!("{}/portal", self.shop_url),
            license: claims.map(License::from),
            carries_until: claims.map(|claims| claims.exp),
            refresh_at: claims.map(refresh_at),
            request: None,
            request_url: None,
        }
    }
}

/// Halfway between signing and end.
pub(crate) fn refresh_at(claims: &Claims) -> i64 {
    claims.iat.saturating_add(claims.exp.saturating_sub(claims.iat).max(0) / 2)
}

/// The question as it is sent.
#[must_use]
pub fn request(call: Call, settings: &Settings, key: &str, device_name: Option<&str>) -> Request {
    let Settings { product, fingerprint, .. } = settings;
    let body = match call {
        Call::Inquire => json!({ "key": key, "product": product }),
        Call::Validate => json!({ "key": key, "fingerprint": fingerprint, "product": product }),
        Call::Activate => match device_name {
            Some(name) => json!({ "key": key, "fingerprint": fingerprint, "name": name }),
            None => json!({ "key": key, "fingerprint": fingerprint }),
        },
        Call::Heartbeat | Call::Deactivate => json!({ "key": key, "fingerprint": fingerprint }),
    };
    Request {
        url: format!("{}{}", settings.shop_url, call.path()),
        body: Some(body.to_string()),
        language: settings.language.as_str(),
    }
}

/// The key that a person typed, in its one proper form; or why it is none, told without asking anybody. Of a signed key
/// it is the short one in it, which the shop is asked by. A text that is no key of ours may be one that was brought along
/// from elsewhere, and is left as it is.
pub(crate) fn typed(settings: &Settings, text: &str) -> Result<String, Box<Outcome>> {
    let slip = |code| Err(Box::new(settings.outcome(State::Refused, code, None, None)));
    if let Some(key) = signed_key_code(text) {
        return Ok(key.to_string());
    }
    match KeyCode::parse(text) {
        Ok(key) => Ok(key.to_string()),
        Err(KeyCodeError::Empty) => slip("key_missing"),
        Err(KeyCodeError::WrongCheckSymbols) => slip("key_mistyped"),
        Err(KeyCodeError::WrongLength { .. } | KeyCodeError::BadSymbol { .. }) => Ok(text.trim().to_owned()),
    }
}

/// Whether the shop's public keys have to be fetched before this answer can be settled.
#[must_use]
pub fn wants_keys(call: Call, settings: &Settings, kept: &Kept, reply: &Reply) -> bool {
    match read(call, reply) {
        Meaning::Certificate(certificate) if settings.keys.is_none() => {
            key_id(&certificate).is_ok_and(|kid| settings.trusted(kept).kids().all(|known| known != kid))
        }
        Meaning::Certificate(_)
        | Meaning::Proceed
        | Meaning::Released
        | Meaning::No { .. }
        | Meaning::Unclear { .. } => false,
    }
}

/// How the license stands by what is kept, without asking.
#[must_use]
pub fn look(settings: &Settings, kept: Kept, now: i64) -> (Kept, Outcome) {
    let outcome = look_only(settings, &kept, now);
    (kept.seen(now), outcome)
}

pub(crate) fn look_only(settings: &Settings, kept: &Kept, now: i64) -> Outcome {
    let told = |state, code| settings.outcome(state, code, None, None);
    // What came as a file has no key.
    if kept.key.is_none() && kept.certificate.is_none() {
        return told(State::Refused, "not_activated");
    }
    if let Some(code) = &kept.refused {
        return told(State::Refused, code);
    }
    if now.saturating_add(ROLLBACK_SECONDS) < kept.highest_time {
        return told(State::Undetermined, "clock_rolled_back");
    }
    let certificate = kept.certificate.as_deref().unwrap_or_default();
    let claims = verify(certificate, settings.trusted(kept), now, LEEWAY_SECONDS).and_then(|claims| {
        claims.require_product(&settings.product)?;
        claims.require_device(&settings.fingerprint)?;
        Ok(claims)
    });
    match claims {
        Ok(claims) if now < refresh_at(&claims) => settings.outcome(State::Valid, "valid", None, Some(&claims)),
        Ok(claims) => settings.outcome(State::Grace, "refresh_due", None, Some(&claims)),
        Err(error) => told(State::Undetermined, lease_code(error)),
    }
}

pub(crate) fn lease_code(error: CertificateError) -> &'static str {
    match error {
        CertificateError::Expired { .. } => "lease_ended",
        CertificateError::NotYetValid { .. } => "clock_rolled_back",
        CertificateError::WrongProduct => "wrong_product",
        CertificateError::WrongDevice => "wrong_device",
        CertificateError::TooLong
        | CertificateError::NotAToken
        | CertificateError::BadEncoding(_)
        | CertificateError::BadHeader
        | CertificateError::WrongAlgorithm
        | CertificateError::WrongType
        | CertificateError::UnknownExtension
        | CertificateError::MissingKeyId
        | CertificateError::UnknownKey
        | CertificateError::BadSignature
        | CertificateError::BadClaims => "lease_damaged",
    }
}

/// What an answer changes. `None` as outcome after [`Call::Inquire`]: nothing speaks against activating.
#[must_use]
pub fn settle(
    call: Call,
    settings: &Settings,
    kept: Kept,
    key: &str,
    now: i64,
    reply: &Reply,
) -> (Kept, Option<Outcome>) {
    let mut meaning = read(call, reply);
    if let Meaning::Certificate(certificate) = meaning {
        match accept(settings, &kept, now, &certificate) {
            Ok(claims) => return settle_yes(settings, kept, key, now, certificate, &claims),
            Err(refusal) => meaning = refusal,
        }
    }
    match meaning {
        Meaning::Proceed | Meaning::Certificate(_) => (kept.seen(now), None),
        Meaning::Released => {
            (kept.seen(now).released(), Some(settings.outcome(State::Released, "released", None, None)))
        }
        Meaning::No { code, message } => {
            let outcome = settings.outcome(State::Refused, &code, message, None);
            let mut kept = kept.seen(now);
            // A "no" about another key than the one that works here takes nothing away.
            if kept.key.as_deref() == Some(key) {
                kept.certificate = None;
                kept.refused = Some(code);
                kept.refused_at = Some(now);
            }
            (kept, Some(outcome))
        }
        Meaning::Unclear { code, message } => {
            let outcome = settle_unclear(call, settings, &kept, key, now, &code, message);
            (kept.seen(now), Some(outcome))
        }
    }
}

/// Whether the shop's proof holds. It must, here and now: an answer can be made up, a signature cannot.
fn accept(settings: &Settings, kept: &Kept, now: i64, certificate: &str) -> Result<Claims, Meaning> {
    let claims =
        verify(certificate, settings.trusted(kept), now, LEEWAY_SECONDS).map_err(|error| match lease_code(error) {
            "lease_ended" | "clock_rolled_back" => unclear("clock_wrong"),
            _ if error == CertificateError::UnknownKey => unclear("unknown_key"),
            _ => unclear("certificate_refused"),
        })?;
    if claims.require_product(&settings.product).is_err() {
        return Err(Meaning::No { code: "wrong_product".to_owned(), message: None });
    }
    if claims.require_device(&settings.fingerprint).is_err()
        || claims.iat.saturating_add(i64::from(LEEWAY_SECONDS)) < kept.issued_at
    {
        return Err(unclear("certificate_refused"));
    }
    if claims.iat > now.saturating_add(ROLLBACK_SECONDS) {
        return Err(unclear("clock_wrong"));
    }
    if claims.license.state != "active" {
        return Err(Meaning::No { code: claims.license.state, message: None });
    }
    Ok(claims)
}

fn settle_yes(
    settings: &Settings,
    kept: Kept,
    key: &str,
    now: i64,
    certificate: String,
    claims: &Claims,
) -> (Kept, Option<Outcome>) {
    // A newer certificate is the shop's word about the time, and the only thing that lowers the highest time: a
    // device whose clock was once far ahead works again when the shop was asked.
    let highest_time = if claims.iat >= kept.issued_at { claims.iat.max(now) } else { kept.highest_time.max(now) };
    let kept = Kept {
        key: Some(key.to_owned()),
        certificate: Some(certificate),
        refused: None,
        keys: kept.keys,
        issued_at: claims.iat.max(kept.issued_at),
        highest_time,
        license: Some(claims.sub.clone()),
        // The shop gives the same seat again as long as nobody told it that it is free.
        released: kept.released.filter(|released| Some(released) != claims.activation.as_ref()),
        activation: claims.activation.clone(),
        refused_at: None,
        request: None,
        release_request: None,
    };
    (kept, Some(settings.outcome(State::Valid, "valid", None, Some(claims))))
}

/// When nobody can tell, the license stands as it stood; what works is called grace and carries the reason.
fn settle_unclear(
    call: Call,
    settings: &Settings,
    kept: &Kept,
    key: &str,
    now: i64,
    code: &str,
    message: Option<String>,
) -> Outcome {
    let concerns_lease = match call {
        Call::Validate | Call::Heartbeat => true,
        Call::Inquire | Call::Activate => kept.key.as_deref() == Some(key),
        Call::Deactivate => false,
    };
    if !concerns_lease {
        return settings.outcome(State::Undetermined, code, message, None);
    }
    let stood = look_only(settings, kept, now);
    match stood.state {
        State::Valid | State::Grace => {
            let message = message.unwrap_or_else(|| crate::message(code, settings.language).to_owned());
            Outcome { state: State::Grace, code: code.to_owned(), message, ..stood }
        }
        State::Refused | State::Undetermined | State::Released => stood,
    }
}
