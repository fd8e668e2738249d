//! Access tokens: what a member's app shows to the services behind it. Short, signed with the keys of certificates, and
//! of another type, so that neither passes for the other (RFC 9068, RFC 8725 §3.11).
//!
//! A service that can wait a few minutes for bad news checks the signature with
//! the key set alone; one that cannot asks here (RFC 7662).

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use domain::{ActivationId, Duration, LicenseId, Policy, ShopId, ValidationRequest};
use latchkey_license::KeyCode;
use serde::{Deserialize, Serialize};
use store::SigningKeyState;

use crate::license::ValidateAnswer;
use crate::{App, Error};

/// The type in the header of a token (RFC 9068 §2.1).
const TYPE: &str = "at+jwt";

/// How long a token speaks for a license: as long as a service that never asks may be wrong.
const LIFETIME: Duration = Duration::minutes(10);

/// No token of ours is longer.
const LONGEST: usize = 8_192;

/// A token, with what the one who asked is told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// For how long it counts.
    pub lifetime: Duration,
    /// What it allows: the features of the license.
    pub scope: String,
}

/// What a token says (RFC 9068 §2.2). Times are seconds since 1970 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who says so: the public address.
    pub iss: String,
    /// The license that it speaks for.
    pub sub: LicenseId,
    /// The product that it is for.
    pub aud: String,
    /// What asked for it: the app of that product.
    pub client_id: String,
    /// When it was signed.
    pub iat: i64,
    /// When it stops counting.
    pub exp: i64,
    /// Its own name.
    pub jti: String,
    /// The features of the license, with spaces between them.
    pub scope: String,
    /// The end of the key that was shown: a key that is replaced takes its tokens with it.
    pub key_tail: String,
    /// The seat of the device that asked, where it named itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<ActivationId>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

impl App {
    /// A token for an app that knows a key, or the verdict that speaks against it.
    ///
    /// # Errors
    /// `Unavailable` when nobody can tell.
    pub async fn access_token(
        &self,
        shop: ShopId,
        key: &KeyCode,
        request: &ValidationRequest,
    ) -> Result<(ValidateAnswer, Option<AccessToken>), Error> {
        let answer = self.validate_license(shop, key, request).await?;
        let token = match answer.license() {
            Some(license) if answer.verdict.is_valid() => {
                let seat = request.fingerprint.as_ref().and_then(|_| answer.activation());
                let until = license.certificate_expires_at(seat, answer.at).min(answer.at.after(LIFETIME));
                let claims = AccessClaims {
                    iss: self.settings.public_url.clone(),
                    sub: license.id,
                    aud: license.product.to_string(),
                    client_id: license.product.to_string(),
                    iat: answer.at.as_seconds(),
                    exp: until.as_seconds(),
                    jti: HEXLOWER.encode(&self.entropy.rng().bytes::<16>()),
                    scope: scope(&license.policy),
                    key_tail: license.key_tail.clone(),
                    activation: seat.map(|seat| seat.id),
                };
                let token = self.signer().jws(TYPE, &serde_json::json!(claims), answer.at);
                Some(AccessToken { token, lifetime: until.since(answer.at), scope: claims.scope })
            }
            Some(_) | None => None,
        };
        Ok((answer, token))
    }

    /// What a token says, if we signed it, its time is not over, and its license works at this moment, on the seat that
    /// it was given to. One read of the license, and one of its seats where the token names one.
    ///
    /// # Errors
    /// `Unavailable` when nobody can tell.
    pub async fn introspect(&self, shop: ShopId, token: &str) -> Result<Option<AccessClaims>, Error> {
        let now = self.clock.now();
        let Some(claims) = self.read_access_token(token) else { return Ok(None) };
        if claims.iss != self.settings.public_url || claims.exp <= now.as_seconds() {
            return Ok(None);
        }
        let Some(license) = self.store.license(shop, claims.sub).await? else { return Ok(None) };
        let is_seated = match claims.activation {
            None => true,
            Some(id) => {
                let seats = self.store.activations(shop, license.id).await?;
                seats.iter().any(|seat| seat.id == id && license.is_seated(seat, now))
            }
        };
        let works = license.validate(None, &ValidationRequest::default(), now).is_valid();
        let is_same_key = license.key_tail == claims.key_tail;
        Ok(Some(claims).filter(|_| works && is_seated && is_same_key))
    }

    /// What stands in a token that one of our keys signed, whatever time it is.
    fn read_access_token(&self, token: &str) -> Option<AccessClaims> {
        let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= LONGEST)?;
        let (header, claims) = signed.split_once('.')?;
        let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
        let header: Header = serde_json::from_slice(&decoded(header)?).ok()?;
        if header.alg != "EdDSA" || header.typ != TYPE {
            return None;
        }
        let signer = self.signer();
        let key = signer.stored().iter().find(|key| key.kid == header.kid && key.state != SigningKeyState::Revoked)?;
        UnparsedPublicKey::new(&ED25519, &key.public).verify(signed.as_bytes(), &decoded(signature)?).ok()?;
        serde_json::from_slice(&decoded(claims)?).ok()
    }
}

/// The features as a scope (RFC 6749 §3.3). A feature with a sign that no scope takes is left out: who wants it asks for
/// the license itself.
fn scope(policy: &Policy) -> String {
    let by_value = policy.feature_values.iter().filter(|(_, value)| value.is_on()).map(|(name, _)| name);
    let is_token =
        |name: &&String| !name.is_empty() && name.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    let names: Vec<&str> = policy.features.iter().chain(by_value).filter(is_token).map(String::as_str).collect();
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_holds_what_scopes_can_hold() {
        let cases: &[(&str, bool)] = &[
            ("edit", true),
            ("api:read", true),
            ("two words", false),
            ("\"quoted\"", false),
            ("größe", false),
            ("", false),
        ];
        for (name, is_in) in cases {
            let policy = Policy { features: vec!["first".to_owned(), (*name).to_owned()], ..Policy::default() };
            let scope = scope(&policy);
            assert_eq!(scope, if *is_in { format!("first {name}") } else { "first".to_owned() }, "{name:?}");
        }
    }
}
