//! A call as it comes in: who asks, for what, with which body.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, OriginalUri, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{Method, header};
use data_encoding::BASE64;
use domain::{Activation, ActivationId, ApiKey, ForeignSystem, LicenseId, LicenseState, Scope, Shop, Standing};
use latchkey_license::KeyCode;
use serde_json::Value;
use store::SeatView;

use super::document::Holder;
use super::fault::Fault;
use super::signature::account_in;
use crate::Web;
use crate::compat::shadow::Alongside;
use crate::visit::shop_of;

/// Who asks.
pub(super) enum Bearer {
    /// An app, with the key of its license.
    License(Held),
    /// A program of the seller, with an API key.
    Program(ApiKey),
}

/// A license with the key that opens it.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) key: KeyCode,
    pub(super) view: Arc<SeatView>,
}

/// A call.
pub(crate) struct Call {
    pub(super) shop: Arc<Shop>,
    /// The account in the address.
    pub(super) account: Option<String>,
    /// What the address names.
    pub(super) id: String,
    pub(super) query: BTreeMap<String, String>,
    /// The body; `Null` when there is none.
    pub(super) body: Value,
    /// The path without what comes before Keygen's own.
    pub(super) path: String,
    /// Whether it speaks a version of the API before 1.2.
    pub(super) is_before_1_2: bool,
    pub(super) alongside: Alongside,
    bearer: Option<Bearer>,
}

impl FromRequest<Web> for Call {
    type Rejection = Fault;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let shop = shop_of(&web.app, &parts).await?;
        let id = named(&mut parts).await;
        let original = parts.extensions.get::<OriginalUri>().map_or_else(|| parts.uri.clone(), |uri| uri.0.clone());
        let query = super::super::form(original.query().unwrap_or_default().as_bytes());
        let bearer = bearer(web, &shop, &parts, &query).await?;
        let version = parts.headers.get("keygen-version").map(|version| version.as_bytes());
        let is_before_1_2 = matches!(version, Some(b"1.0" | b"1.1"));
        let reads_body = parts.method != Method::GET;
        let alongside = Alongside::of(&parts);
        let body = Bytes::from_request(Request::from_parts(parts, body), web)
            .await
            .map_err(|_| Fault::bad("The request body is too large"))?;
        let body = match &body[..] {
            [] => Value::Null,
            _ if !reads_body => Value::Null,
            text => serde_json::from_slice(text)
                .map_err(|_| Fault::bad("The request could not be completed because it contains invalid JSON"))?,
        };
        let path = original.path().trim_start_matches("/compat/keygen").to_owned();
        let account = account_in(original.path());
        Ok(Self { shop, account, id, query, body, path, is_before_1_2, alongside, bearer })
    }
}

/// The `id` of an address, decoded; nothing where the address has none.
async fn named(parts: &mut Parts) -> String {
    let Ok(params) = RawPathParams::from_request_parts(parts, &()).await else { return String::new() };
    params.iter().find(|(name, _)| *name == "id").map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// Reads who asks; nothing when the call does not say.
async fn bearer(
    web: &Web,
    shop: &Shop,
    parts: &Parts,
    query: &BTreeMap<String, String>,
) -> Result<Option<Bearer>, Fault> {
    let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, value) = match shown.map(|shown| shown.trim().split_once(' ').unwrap_or((shown, ""))) {
        Some((scheme, value)) => (scheme.to_ascii_lowercase(), value.trim().to_owned()),
        None => {
            let value = query.get("token").or_else(|| query.get("auth"));
            ("query".to_owned(), value.cloned().unwrap_or_default())
        }
    };
    match scheme.as_str() {
        "license" => license_bearer(web, shop, &value).await,
        "bearer" | "token" => token_bearer(web, shop, &value).await,
        "basic" => {
            let pair = BASE64.decode(value.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            named_bearer(web, shop, &pair.ok_or_else(|| Fault::unauthorized("TOKEN_INVALID"))?).await
        }
        "query" => named_bearer(web, shop, &value).await,
        _ => Ok(None),
    }
}

/// `license:<key>`, `token:<token>`, or a token before the colon.
async fn named_bearer(web: &Web, shop: &Shop, pair: &str) -> Result<Option<Bearer>, Fault> {
    match pair.split_once(':') {
        Some(("license", key)) => license_bearer(web, shop, key).await,
        Some(("token", token)) => token_bearer(web, shop, token).await,
        Some((token, _)) => token_bearer(web, shop, token).await,
        None => token_bearer(web, shop, pair).await,
    }
}

async fn license_bearer(web: &Web, shop: &Shop, text: &str) -> Result<Option<Bearer>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let held = held(web, shop, text).await?.ok_or_else(|| Fault::unauthorized("LICENSE_INVALID"))?;
    let (license, now) = (&held.view.license, web.app.clock.now());
    match license.standing(now) {
        // As there: a license that is over may still be asked about, unless its end took everything.
        Standing::Active | Standing::Expired => Ok(Some(Bearer::License(held))),
        standing @ (Standing::Suspended | Standing::Revoked) => {
            // What ended by itself was not taken back.
            let standing = if license.state == LicenseState::Active { Standing::Expired } else { standing };
            Err(Fault::closed(standing).unwrap_or_else(Fault::denied))
        }
    }
}

async fn token_bearer(web: &Web, shop: &Shop, token: &str) -> Result<Option<Bearer>, Fault> {
    if token.is_empty() {
        return Ok(None);
    }
    if LicenseId::from_uuid(token).is_some() {
        let detail = "Token format is invalid (make sure that you're providing a token value, not a token's UUID \
            identifier)";
        return Err(Fault::unauthorized("TOKEN_FORMAT_INVALID").saying(detail));
    }
    let key =
        if token.starts_with("lk_") { web.app.api_key(token).await?.filter(|key| key.shop == shop.id) } else { None };
    key.map(|key| Some(Bearer::Program(key))).ok_or_else(|| Fault::unauthorized("TOKEN_INVALID"))
}

/// The license of a key as an app writes it.
pub(super) async fn held(web: &Web, shop: &Shop, text: &str) -> Result<Option<Held>, Fault> {
    let Some(key) = web.app.key_behind(shop.id, text).await? else { return Ok(None) };
    held_by(web, shop, key).await
}

async fn held_by(web: &Web, shop: &Shop, key: KeyCode) -> Result<Option<Held>, Fault> {
    let view = web.app.store.remembered_seat(shop.id, &key, None, web.app.clock.now()).await?;
    Ok(view.map(|view| Held { key, view }))
}

impl Call {
    pub(super) fn bearer(&self) -> Result<&Bearer, Fault> {
        self.bearer.as_ref().ok_or_else(|| Fault::unauthorized("TOKEN_MISSING"))
    }

    /// Insists that whoever asks may change what is there.
    pub(super) fn may_change(&self) -> Result<(), Fault> {
        match self.bearer()? {
            Bearer::License(_) => Ok(()),
            Bearer::Program(key) => match key.scope {
                Scope::Manage => Ok(()),
                Scope::Read | Scope::Checkout => Err(Fault::denied()),
            },
        }
    }

    /// Insists that a program of the seller asks, and may change what is there.
    pub(super) fn may_manage(&self) -> Result<(), Fault> {
        match self.bearer()? {
            Bearer::License(_) => Err(Fault::denied()),
            Bearer::Program(_) => self.may_change(),
        }
    }

    /// The license that is named by an id or a key. An app finds its own alone.
    pub(super) async fn license(&self, web: &Web, name: &str) -> Result<Holder, Fault> {
        let unknown = || Fault::not_found("license", name);
        let held = match self.bearer()? {
            Bearer::License(own) => {
                let id = own.view.license.id;
                if LicenseId::from_uuid(name) == Some(id) || self.id_of(web, name).await? == Some((id, None)) {
                    Some(own.clone())
                } else {
                    held(web, &self.shop, name).await?.filter(|found| found.view.license.id == id)
                }
            }
            Bearer::Program(key) => {
                match key.scope {
                    Scope::Manage | Scope::Read => {}
                    Scope::Checkout => return Err(Fault::denied()),
                }
                match self.license_id(web, name).await? {
                    Some(id) => self.held_of(web, id).await?,
                    None => held(web, &self.shop, name).await?,
                }
            }
        };
        Holder::read(web, self, held.ok_or_else(unknown)?).await
    }

    /// The machine that is named by an id or a fingerprint, with its license. An app finds those of its license alone.
    pub(super) async fn machine(&self, web: &Web, name: &str) -> Result<(Holder, Activation), Fault> {
        let (store, shop, now) = (&web.app.store, self.shop.id, web.app.clock.now());
        let unknown = || Fault::not_found("machine", name);
        let named = match self.id_of(web, name).await? {
            Some((_, seat)) => seat,
            None => ActivationId::from_uuid(name),
        };
        let (held, seat) = match self.bearer()? {
            Bearer::License(own) => {
                let seats = store.activations(shop, own.view.license.id).await?;
                let license = &own.view.license;
                let mut taken = seats.into_iter().filter(|seat| license.is_seated(seat, now)).collect::<Vec<_>>();
                let place = taken
                    .iter()
                    .position(|seat| Some(seat.id) == named)
                    .or_else(|| taken.iter().position(|seat| seat.fingerprint.as_str() == name));
                (own.clone(), taken.swap_remove(place.ok_or_else(unknown)?))
            }
            Bearer::Program(key) => {
                match key.scope {
                    Scope::Manage | Scope::Read => {}
                    Scope::Checkout => return Err(Fault::denied()),
                }
                let by_id = match named {
                    Some(id) => store.activation(shop, id).await?,
                    None => None,
                };
                let seat = match by_id {
                    Some(seat) => seat,
                    None => store.taken_seat_of(shop, name).await?.ok_or_else(unknown)?,
                };
                let held = self.held_of(web, seat.license).await?.ok_or_else(unknown)?;
                if !held.view.license.is_seated(&seat, now) {
                    return Err(unknown());
                }
                (held, seat)
            }
        };
        Ok((Holder::read(web, self, held).await?, seat))
    }

    /// What an id of Keygen's names.
    async fn id_of(&self, web: &Web, name: &str) -> Result<Option<(LicenseId, Option<ActivationId>)>, Fault> {
        if LicenseId::from_uuid(name).is_none() {
            return Ok(None);
        }
        let name = name.to_ascii_lowercase();
        Ok(web.app.store.behind_foreign_id(self.shop.id, ForeignSystem::Keygen, &name).await?)
    }

    async fn license_id(&self, web: &Web, name: &str) -> Result<Option<LicenseId>, Fault> {
        match self.id_of(web, name).await? {
            Some((license, None)) => Ok(Some(license)),
            Some((_, Some(_))) => Ok(None),
            None => {
                // A key may look like an id.
                let Some(id) = LicenseId::from_uuid(name) else { return Ok(None) };
                Ok(web.app.store.license(self.shop.id, id).await?.map(|license| license.id))
            }
        }
    }

    async fn held_of(&self, web: &Web, license: LicenseId) -> Result<Option<Held>, Fault> {
        match web.app.store.license_key(self.shop.id, license).await? {
            Some(key) => held_by(web, &self.shop, key).await,
            None => Ok(None),
        }
    }
}
