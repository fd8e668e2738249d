//! The state machine where there is no network: requests and license files that a person carries, and the revocation
//! list. Reads no clock and sends nothing. The same rules, by the same names, stand in every client library.

use data_encoding::BASE64URL_NOPAD;
use latchkey_license::{
    CertificateError, Claims, OfflineRequest, RevocationList, key_id, read_file, revocations_key_id, verify,
};

use crate::kept::{Kept, Pending};
use crate::lease::{Settings, lease_code, look_only, refresh_at, typed};
use crate::outcome::{Outcome, State};
use crate::{LEEWAY_SECONDS, ROLLBACK_SECONDS};

/// Asks for a seat: the outcome has the request. The same key and name come to the same request.
#[must_use]
pub fn request_activation(
    settings: &Settings,
    kept: Kept,
    key: &str,
    device_name: Option<&str>,
    nonce: [u8; 16],
    now: i64,
) -> (Kept, Outcome) {
    let key = match typed(settings, key) {
        Ok(key) => key,
        Err(slip) => return (kept, *slip),
    };
    let name = device_name.map(str::to_owned);
    let pending = match kept.request.clone().filter(|pending| pending.key == key && pending.name == name) {
        Some(pending) => pending,
        None => {
            let nonce = BASE64URL_NOPAD.encode(&nonce);
            let request = OfflineRequest::Activate {
                key: key.clone(),
                product: settings.product.clone(),
                fingerprint: settings.fingerprint.clone(),
                name: name.clone(),
                nonce: nonce.clone(),
                at: now,
            };
            Pending { text: request.to_text(&key), key, name, nonce }
        }
    };
    let stood = look_only(settings, &kept, now);
    let outcome =
        if stood.is_usable() { stood } else { settings.outcome(State::Undetermined, "file_awaited", None, None) };
    let outcome = with_request(settings, outcome, &pending.text);
    (Kept { request: Some(pending), ..kept.seen(now) }, outcome)
}

/// Gives the seat back: nothing is left here, and the outcome has the request that frees the seat at the shop. Where
/// no seat was taken there is no request.
#[must_use]
pub fn request_release(settings: &Settings, kept: Kept, nonce: [u8; 16], now: i64) -> (Kept, Outcome) {
    let released = settings.outcome(State::Released, "released", None, None);
    if kept.key.is_none() && kept.certificate.is_none() {
        return match &kept.release_request {
            Some(text) => {
                let outcome = with_request(settings, released, text);
                (kept, outcome)
            }
            None => {
                let outcome = look_only(settings, &kept, now);
                (kept.seen(now), outcome)
            }
        };
    }
    let text = kept.activation.clone().zip(kept.key.as_deref()).map(|(activation, key)| {
        OfflineRequest::Release { activation, nonce: BASE64URL_NOPAD.encode(&nonce), at: now }.to_text(key)
    });
    let outcome = match &text {
        Some(text) => with_request(settings, released, text),
        None => released,
    };
    (Kept { release_request: text, ..kept.seen(now).released() }, outcome)
}

fn with_request(settings: &Settings, outcome: Outcome, text: &str) -> Outcome {
    let request_url = format!("{}/activate#{text}", settings.shop_url);
    Outcome { request: Some(text.to_owned()), request_url: Some(request_url), ..outcome }
}

/// Whether the shop's public keys have to be fetched before a license file can be installed.
pub(crate) fn wants_keys(settings: &Settings, kept: &Kept, file: &str) -> bool {
    settings.keys.is_none()
        && read_file(file)
            .ok()
            .and_then(|certificate| key_id(&certificate).ok())
            .is_some_and(|kid| settings.trusted(kept).find(&kid).is_none())
}

/// Takes a license file.
#[must_use]
pub fn install(settings: &Settings, kept: Kept, file: &str, now: i64) -> (Kept, Outcome) {
    if kept.certificate.is_some() && kept.certificate == read_file(file).ok() {
        // What is here already changes nothing, whatever it answered then.
        let outcome = look_only(settings, &kept, now);
        return (kept.seen(now), outcome);
    }
    match installable(settings, &kept, file, now) {
        Ok((certificate, claims)) => installed(settings, kept, now, certificate, &claims),
        Err(code) => {
            let outcome = stands(settings, &kept, now, code);
            (kept.seen(now), outcome)
        }
    }
}

/// The certificate of a file that may be believed here and now, or the code of why not.
fn installable(settings: &Settings, kept: &Kept, file: &str, now: i64) -> Result<(String, Claims), &'static str> {
    let certificate = read_file(file).map_err(|_| "file_unreadable")?;
    let claims =
        verify(&certificate, settings.trusted(kept), now, LEEWAY_SECONDS).map_err(|error| match lease_code(error) {
            _ if error == CertificateError::UnknownKey => "unknown_key",
            "lease_damaged" => "certificate_refused",
            code => code,
        })?;
    claims.require_product(&settings.product).map_err(lease_code)?;
    claims.require_device(&settings.fingerprint).map_err(lease_code)?;
    let is_answer = is_answer(kept, &claims);
    if claims.nonce.is_some() && !is_answer {
        return Err("file_not_awaited");
    }
    // A file that answers no request of this moment may have been kept for long: it undoes nothing.
    let is_older = kept.refused_at.is_some_and(|at| claims.iat <= at)
        || (claims.activation.is_some() && claims.activation == kept.released);
    if (is_older && !is_answer) || claims.iat.saturating_add(i64::from(LEEWAY_SECONDS)) < kept.issued_at {
        return Err("file_outdated");
    }
    if claims.iat > now.saturating_add(ROLLBACK_SECONDS) {
        return Err("clock_wrong");
    }
    if !is_answer && now.saturating_add(ROLLBACK_SECONDS) < kept.highest_time {
        return Err("clock_rolled_back");
    }
    if claims.license.state != "active" {
        return Err("certificate_refused");
    }
    Ok((certificate, claims))
}

/// Whether a file answers the request that was made here, so that it was signed after that.
fn is_answer(kept: &Kept, claims: &Claims) -> bool {
    kept.request.as_ref().is_some_and(|pending| Some(&pending.nonce) == claims.nonce.as_ref())
}

fn installed(settings: &Settings, kept: Kept, now: i64, certificate: String, claims: &Claims) -> (Kept, Outcome) {
    let seen = claims.iat.max(now);
    let (key, highest_time) = match kept.request.filter(|_| claims.nonce.is_some()) {
        Some(pending) => (Some(pending.key), seen),
        // Only a license that the key is known to be of keeps it.
        None => (kept.key.filter(|_| kept.license.as_ref() == Some(&claims.sub)), kept.highest_time.max(seen)),
    };
    let kept = Kept {
        key,
        certificate: Some(certificate),
        refused: None,
        keys: kept.keys,
        issued_at: claims.iat.max(kept.issued_at),
        highest_time,
        license: Some(claims.sub.clone()),
        released: kept.released.filter(|released| Some(released) != claims.activation.as_ref()),
        activation: claims.activation.clone(),
        refused_at: None,
        request: None,
        release_request: None,
    };
    let (state, code) = if now < refresh_at(claims) { (State::Valid, "valid") } else { (State::Grace, "refresh_due") };
    (kept, settings.outcome(state, code, None, Some(claims)))
}

/// Takes a revocation list: what it names is refused, as if the shop had said so.
#[must_use]
pub fn check_revocations(settings: &Settings, kept: Kept, list: &str, now: i64) -> (Kept, Outcome) {
    let trusted = settings.trusted(&kept);
    let list = match RevocationList::verify(list, trusted) {
        Ok(list) => list,
        Err(error) => {
            let is_unknown = error == CertificateError::UnknownKey && revocations_key_id(list).is_ok();
            let code = if is_unknown { "unknown_key" } else { "revocations_refused" };
            let outcome = stands(settings, &kept, now, code);
            return (kept.seen(now), outcome);
        }
    };
    let certificate = kept.certificate.as_deref().unwrap_or_default();
    let claims = verify(certificate, trusted, now, LEEWAY_SECONDS).ok();
    match claims.and_then(|claims| list.names(&claims).cloned()) {
        Some(entry) => {
            let outcome = settings.outcome(State::Refused, &entry.code, None, None);
            let kept = kept.seen(now);
            (Kept { certificate: None, refused: Some(entry.code), refused_at: Some(entry.at), ..kept }, outcome)
        }
        None => {
            let outcome = look_only(settings, &kept, now);
            (kept.seen(now), outcome)
        }
    }
}

/// What was brought changes nothing: what works is called grace and carries the reason.
fn stands(settings: &Settings, kept: &Kept, now: i64, code: &str) -> Outcome {
    let stood = look_only(settings, kept, now);
    let message = crate::message(code, settings.language).to_owned();
    if stood.is_usable() {
        Outcome { state: State::Grace, code: code.to_owned(), message, ..stood }
    } else {
        settings.outcome(State::Undetermined, code, Some(message), None)
    }
}
