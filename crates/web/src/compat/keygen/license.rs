//! Licenses: who am I, does it work, what may it do, how much was used.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Activation, Actor, EventId, Fingerprint, Refusal, UsageRequest, ValidationRequest};
use serde_json::{Value, json};

use super::call::{Bearer, Call, held};
use super::document::{Holder, answer, page, time};
use super::fault::Fault;
use super::judge::{Judgement, NOT_FOUND, Scope, judge};
use crate::Web;

/// Who asks: the license of the key, or, for an API key, the shop in the place of a product.
pub(crate) async fn me(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    match call.bearer()? {
        Bearer::License(own) => {
            let holder = Holder::read(&web, &call, own.clone()).await?;
            Ok(answer(StatusCode::OK, &json!({ "data": holder.resource(false) })))
        }
        Bearer::Program(key) => {
            let shop = &call.shop;
            let attributes = json!({
                "name": shop.name, "code": null, "distributionStrategy": "LICENSED", "url": null, "platforms": [],
                "metadata": {}, "created": time(key.created_at), "updated": time(key.created_at),
            });
            let data = json!({ "id": shop.id.uuid(), "type": "products", "attributes": attributes });
            Ok(answer(StatusCode::OK, &json!({ "data": data })))
        }
    }
}

pub(crate) async fn show(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let holder = call.license(&web, &call.id).await?;
    Ok(answer(StatusCode::OK, &json!({ "data": holder.resource(false) })))
}

pub(crate) async fn validate_key(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let key = match call.body.pointer("/meta/key") {
        None | Some(Value::Null) => return Err(Fault::bad("is missing").at("/meta/key")),
        Some(Value::String(key)) if key.trim().is_empty() => {
            return Err(Fault::bad("cannot be blank").at("/meta/key"));
        }
        Some(Value::String(key)) => key,
        Some(_) => return Err(Fault::bad("type mismatch (expected string)").at("/meta/key")),
    };
    let scope = Scope::read(&call)?;
    let echo = Echo::read(&call)?;
    let Some(found) = held(&web, &call.shop, key).await? else {
        web.app.note_unknown_key(call.shop.id, key);
        return Ok(answer(StatusCode::OK, &json!({ "data": null, "meta": echo.meta(&web, &NOT_FOUND) })));
    };
    let holder = Holder::read(&web, &call, found).await?;
    judged(&web, holder, scope.as_ref(), echo).await
}

pub(crate) async fn validate(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let scope = Scope::read(&call)?;
    let echo = Echo::read(&call)?;
    let holder = call.license(&web, &call.id).await?;
    judged(&web, holder, scope.as_ref(), echo).await
}

/// Without a scope, and so without a question about the device.
pub(crate) async fn quick(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let echo = Echo::read(&call)?;
    let holder = call.license(&web, &call.id).await?;
    judged(&web, holder, None, echo).await
}

/// What comes back as it was sent, so that an answer cannot stand for another question.
struct Echo {
    nonce: Option<i64>,
    scope: Option<Value>,
    /// Before version 1.2 of the API the code had another name.
    code: &'static str,
}

impl Echo {
    fn read(call: &Call) -> Result<Self, Fault> {
        let nonce = match call.body.pointer("/meta/nonce") {
            None | Some(Value::Null) => None,
            Some(sent) => {
                let number = sent.as_i64();
                Some(number.ok_or_else(|| Fault::bad("type mismatch (expected integer)").at("/meta/nonce"))?)
            }
        };
        let scope = call.body.pointer("/meta/scope").filter(|scope| scope.is_object()).cloned();
        let code = if call.is_before_1_2 { "constant" } else { "code" };
        Ok(Self { nonce, scope, code })
    }

    fn meta(self, web: &Web, judgement: &Judgement) -> Value {
        let mut meta = json!({
            "ts": time(web.app.clock.now()),
            "valid": judgement.is_valid,
            "detail": judgement.detail,
            self.code: judgement.code,
        });
        if let Some(nonce) = self.nonce {
            meta["nonce"] = nonce.into();
        }
        if let Some(scope) = self.scope {
            meta["scope"] = scope;
        }
        meta
    }
}

async fn judged(web: &Web, mut holder: Holder, scope: Option<&Scope>, echo: Echo) -> Result<Response, Fault> {
    let seats = match scope {
        Some(scope) if scope.asks_for_machines() => seats(web, &holder).await?,
        Some(_) | None => Vec::new(),
    };
    let judgement = judge(&holder, &seats, scope);
    if judgement.is_valid {
        // A first "yes" may begin the clock of the license; see `App::validate_license`.
        let device = scope.and_then(|scope| scope.fingerprint.as_deref());
        let fingerprint = device.and_then(|text| Fingerprint::parse(text).ok());
        let request = ValidationRequest { fingerprint, ..ValidationRequest::default() };
        let told = web.app.validate_license(holder.license.shop, &holder.key, &request).await?;
        if let Some(license) = told.license().cloned() {
            holder = holder.with(license, told.at);
        }
    }
    let document = json!({ "data": holder.resource(true), "meta": echo.meta(web, &judgement) });
    Ok(answer(StatusCode::OK, &document))
}

/// The seats of a license that are held, oldest first.
pub(super) async fn seats(web: &Web, holder: &Holder) -> Result<Vec<Activation>, Fault> {
    let license = &holder.license;
    let mut seats = web.app.store.activations(license.shop, license.id).await?;
    seats.retain(|seat| license.is_seated(seat, holder.at));
    seats.sort_by_key(|seat| (seat.created_at, seat.id));
    Ok(seats)
}

pub(crate) async fn machines(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let holder = call.license(&web, &call.id).await?;
    let seats = seats(&web, &holder).await?;
    page(&call, seats.iter().map(|seat| holder.machine(seat)).collect())
}

pub(crate) async fn entitlements(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let holder = call.license(&web, &call.id).await?;
    page(&call, holder.entitlements())
}

/// Users and tokens of a license: there are none.
pub(crate) async fn none_of_license(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.license(&web, &call.id).await?;
    page(&call, Vec::new())
}

/// A device reports by its heartbeat; a license need not.
pub(crate) async fn check_in(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.may_change()?;
    call.license(&web, &call.id).await?;
    let detail = "cannot be checked in because the policy does not require it";
    Err(Fault::unprocessable(detail, "LICENSE_CHECK_IN_NOT_REQUIRED"))
}

fn amount(call: &Call, name: &str) -> Result<u32, Fault> {
    let pointer = format!("/meta/{name}");
    let Some(sent) = call.body.pointer(&pointer).filter(|sent| !sent.is_null()) else { return Ok(1) };
    let number = sent.as_u64().ok_or_else(|| Fault::bad("type mismatch (expected integer)").at(&*pointer))?;
    u32::try_from(number)
        .ok()
        .filter(|amount| *amount > 0)
        .ok_or_else(|| Fault::bad("must be a number from 1 to 4294967295").at(pointer))
}

pub(crate) async fn increment(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.may_change()?;
    let amount = amount(&call, "increment")?;
    let holder = call.license(&web, &call.id).await?;
    let name = EventId::mint(holder.at, &mut web.app.entropy.rng());
    let (license, at) = if holder.license.policy.usage.is_some() {
        web.app.use_license(call.shop.id, &holder.key, None, u64::from(amount), name).await?
    } else {
        let actor = match call.bearer()? {
            Bearer::License(_) => Actor::App,
            Bearer::Program(_) => Actor::Api,
        };
        (web.app.count_verification(&holder.license, i64::from(amount), actor, name).await?, holder.at)
    };
    Ok(answer(StatusCode::OK, &json!({ "data": holder.with(license, at).resource(false) })))
}

pub(crate) async fn decrement(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.may_manage()?;
    let request = UsageRequest::Subtract(u64::from(amount(&call, "decrement")?));
    correct(&web, &call, request).await
}

pub(crate) async fn reset(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.may_manage()?;
    correct(&web, &call, UsageRequest::Reset).await
}

async fn correct(web: &Web, call: &Call, request: UsageRequest) -> Result<Response, Fault> {
    let holder = call.license(web, &call.id).await?;
    let name = EventId::mint(holder.at, &mut web.app.entropy.rng());
    let told = web.app.correct_usage(call.shop.id, holder.license.id, request, Actor::Api, name).await;
    let (license, at) = told.map_err(|error| match error {
        app::Error::Refused(Refusal::UsageNotCounted) => {
            Fault::unprocessable("must be counted by the plan to be corrected", "USES_INVALID")
                .at("/data/attributes/uses")
        }
        app::Error::Refused(_)
        | app::Error::NotFound { .. }
        | app::Error::Unavailable(_)
        | app::Error::Conflict { .. }
        | app::Error::Configuration(_) => error.into(),
    })?;
    Ok(answer(StatusCode::OK, &json!({ "data": holder.with(license, at).resource(false) })))
}
