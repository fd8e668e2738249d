//! Machines: a device takes a seat, lives, is described, and goes.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{
    Activation, ActivationRequest, Actor, Fingerprint, ForeignSystem, LicenseId, Refusal, TextError, plain_text,
};
use serde_json::{Value, json};

use super::call::{Bearer, Call};
use super::document::{Holder, KEPT_ATTRIBUTES, answer, note, page};
use super::fault::Fault;
use super::license::seats;
use crate::Web;

/// How many notes are kept on a device, Keygen's attributes among them.
const MOST_NOTES: usize = 26;

/// How many components are kept of a device.
const MOST_COMPONENTS: usize = 20;

pub(crate) async fn activate(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.may_change()?;
    let fingerprint = match call.body.pointer("/data/attributes/fingerprint") {
        Some(Value::String(text)) => fingerprint(text)?,
        None | Some(Value::Null) => return Err(Fault::bad("is missing").at("/data/attributes/fingerprint")),
        Some(_) => return Err(Fault::bad("type mismatch (expected string)").at("/data/attributes/fingerprint")),
    };
    let pointer = "/data/relationships/license/data/id";
    let named = call.body.pointer(pointer).and_then(Value::as_str);
    let named = named.ok_or_else(|| Fault::bad("is missing").at("/data/relationships/license"))?;
    if LicenseId::from_uuid(named).is_none() {
        return Err(Fault::bad("type mismatch (received string expected UUID string)").at(pointer));
    }
    let holder = match (call.bearer()?, call.license(&web, named).await) {
        // Another's license is not told apart from none.
        (Bearer::License(_), Err(fault)) if fault.status == StatusCode::NOT_FOUND => return Err(Fault::denied()),
        (Bearer::License(_) | Bearer::Program(_), found) => found?,
    };
    let taken = seats(&web, &holder).await?;
    if taken.iter().any(|seat| seat.fingerprint == fingerprint) {
        return Err(fingerprint_taken());
    }
    let request = ActivationRequest {
        name: name(&call)?,
        metadata: notes(&call)?.unwrap_or_default(),
        version_released_at: None,
        components: components_sent(&call)?,
        fingerprint,
    };
    let told = web.app.activate_license(call.shop.id, &holder.key, &request).await?;
    let is_moved = taken.iter().any(|seat| seat.id == told.activation.id);
    if !told.is_new && !is_moved {
        // Somebody else was faster, with the same fingerprint.
        return Err(fingerprint_taken());
    }
    call.alongside.took(call.shop.id, &holder.key, &told);
    let mut holder = holder.with(told.license, told.at);
    if let Some(id) = call.alongside.id() {
        let (license, seat) = (holder.license.id, told.activation.id);
        web.app.keep_seat_id(call.shop.id, ForeignSystem::Keygen, id, license, seat).await?;
        holder.name_machine(seat, id);
    }
    let place = holder.path(&format!("machines/{}", holder.machine_id(&told.activation)));
    let place = format!("{}/compat/keygen{place}", web.app.settings.public_url);
    let mut response = answer(StatusCode::CREATED, &json!({ "data": holder.machine(&told.activation) }));
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

fn fingerprint_taken() -> Fault {
    Fault::unprocessable("has already been taken", "FINGERPRINT_TAKEN").at("/data/attributes/fingerprint")
}

fn fingerprint(text: &str) -> Result<Fingerprint, Fault> {
    let (detail, code) = match Fingerprint::parse(text) {
        Ok(fingerprint) => return Ok(fingerprint),
        Err(TextError::Empty) => ("cannot be blank".to_owned(), "FINGERPRINT_BLANK"),
        Err(TextError::TooLong(most)) => {
            (format!("is too long (maximum is {most} characters)"), "FINGERPRINT_TOO_LONG")
        }
        Err(error) => (error.to_string(), "FINGERPRINT_INVALID"),
    };
    Err(Fault::unprocessable(detail, code).at("/data/attributes/fingerprint"))
}

fn name(call: &Call) -> Result<Option<String>, Fault> {
    let pointer = "/data/attributes/name";
    match call.body.pointer(pointer) {
        None | Some(Value::Null) => Ok(None),
        // What cannot be shown on a page is not kept, and keeps nobody out.
        Some(Value::String(text)) => Ok(plain_text(text, 100).ok()),
        Some(_) => Err(Fault::bad("type mismatch (expected string)").at(pointer)),
    }
}

/// What is noted on a device: Keygen's attributes that we have none for, and the app's own; `None`: nothing is sent.
fn notes(call: &Call) -> Result<Option<BTreeMap<String, String>>, Fault> {
    let Some(Value::Object(attributes)) = call.body.pointer("/data/attributes") else { return Ok(None) };
    let own = match attributes.get("metadata") {
        None | Some(Value::Null) => None,
        Some(Value::Object(own)) => Some(own),
        Some(_) => return Err(Fault::bad("type mismatch (expected hash)").at("/data/attributes/metadata")),
    };
    let kept = KEPT_ATTRIBUTES.iter().filter_map(|name| Some(((*name).to_owned(), attributes.get(*name)?)));
    let own = own.into_iter().flatten().map(|(name, value)| (name.clone(), value));
    let mut notes = BTreeMap::new();
    for (name, value) in own.chain(kept) {
        let Some(text) = note(value) else { continue };
        let refuse = |error: &TextError| {
            let detail = format!("of '{name}' {error}");
            Fault::unprocessable(detail, "METADATA_INVALID").at("/data/attributes/metadata")
        };
        let name = plain_text(&name, 40).map_err(|error| refuse(&error))?;
        let text = plain_text(&text, 200).map_err(|error| refuse(&error))?;
        notes.insert(name, text);
    }
    if notes.len() > MOST_NOTES {
        let detail = format!("has too many keys (maximum is {MOST_NOTES})");
        return Err(Fault::unprocessable(detail, "METADATA_INVALID").at("/data/attributes/metadata"));
    }
    Ok((!notes.is_empty()).then_some(notes))
}

/// Components by their names. One that comes twice is told apart by its place.
fn components_sent(call: &Call) -> Result<BTreeMap<String, String>, Fault> {
    let pointer = "/data/relationships/components/data";
    let sent = match call.body.pointer(pointer) {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Array(sent)) => sent,
        Some(_) => return Err(Fault::bad("type mismatch (expected array)").at(pointer)),
    };
    if sent.len() > MOST_COMPONENTS {
        return Err(Fault::bad(format!("has too many items (maximum is {MOST_COMPONENTS})")).at(pointer));
    }
    let mut components: BTreeMap<String, String> = BTreeMap::new();
    for (place, component) in sent.iter().enumerate() {
        let at = |field: &str| format!("{pointer}/{place}/attributes/{field}");
        let read = |field: &str, most: usize| {
            let text = component.pointer(&format!("/attributes/{field}")).and_then(Value::as_str);
            let text = text.ok_or_else(|| Fault::bad("is missing").at(at(field)))?;
            plain_text(text, most).map_err(|error| Fault::bad(error.to_string()).at(at(field)))
        };
        let (name, fingerprint) = (read("name", 36)?, read("fingerprint", 255)?);
        if components.values().any(|known| *known == fingerprint) {
            let fault = Fault::unprocessable("has already been taken", "COMPONENTS_FINGERPRINT_TAKEN");
            return Err(fault.at(at("fingerprint")));
        }
        let name = if components.contains_key(&name) { format!("{name} {}", place + 1) } else { name };
        components.insert(name, fingerprint);
    }
    Ok(components)
}

pub(crate) async fn show(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let (holder, seat) = call.machine(&web, &call.id).await?;
    Ok(told(&holder, &seat))
}

fn told(holder: &Holder, seat: &Activation) -> Response {
    answer(StatusCode::OK, &json!({ "data": holder.machine(seat) }))
}

/// The machines of the license that asks; a program of the seller names a license.
pub(crate) async fn list(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let holder = match (call.bearer()?, call.query.get("license").or_else(|| call.query.get("key"))) {
        (Bearer::License(own), None) => Holder::read(&web, &call, own.clone()).await?,
        (Bearer::License(_) | Bearer::Program(_), Some(name)) => call.license(&web, name).await?,
        (Bearer::Program(_), None) => return Err(Fault::bad("is missing").of_parameter("license")),
    };
    let seats = seats(&web, &holder).await?;
    let wanted = call.query.get("fingerprint");
    let seats = seats.iter().filter(|seat| wanted.is_none_or(|wanted| seat.fingerprint.as_str() == wanted));
    page(&call, seats.map(|seat| holder.machine(seat)).collect())
}

/// The name and the notes; the device is heard of by that as well.
pub(crate) async fn update(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.may_change()?;
    let (holder, seat) = call.machine(&web, &call.id).await?;
    let metadata = notes(&call)?.map_or_else(BTreeMap::new, |sent| {
        let mut notes = seat.metadata.clone();
        notes.extend(sent);
        notes
    });
    let request = ActivationRequest {
        fingerprint: seat.fingerprint.clone(),
        name: name(&call)?,
        metadata,
        version_released_at: None,
        components: BTreeMap::new(),
    };
    let now = web.app.activate_license(call.shop.id, &holder.key, &request).await?;
    Ok(told(&holder.with(now.license, now.at), &now.activation))
}

pub(crate) async fn deactivate(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.may_change()?;
    let (holder, seat) = call.machine(&web, &call.id).await?;
    let actor = match call.bearer()? {
        Bearer::License(_) => Actor::App,
        Bearer::Program(_) => Actor::Api,
    };
    match web.app.deactivate_license(call.shop.id, &holder.key, &seat.fingerprint, actor).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(gone(&call, error)),
    }
}

/// A machine that was there a moment ago.
fn gone(call: &Call, error: app::Error) -> Fault {
    match error {
        app::Error::Refused(Refusal::NotActivated) => Fault::not_found("machine", &call.id),
        app::Error::Refused(_)
        | app::Error::NotFound { .. }
        | app::Error::Unavailable(_)
        | app::Error::Conflict { .. }
        | app::Error::Configuration(_) => error.into(),
    }
}

pub(crate) async fn ping(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.may_change()?;
    let (holder, seat) = call.machine(&web, &call.id).await?;
    let beat = web.app.heartbeat_license(call.shop.id, &holder.key, &seat.fingerprint).await;
    let beat = beat.map_err(|error| gone(&call, error))?;
    Ok(told(&holder.with(beat.license, beat.at), &beat.activation))
}

/// A lease begins anew, as there the clock of a heartbeat does.
pub(crate) async fn reset(state: State<Web>, call: Call) -> Result<Response, Fault> {
    call.may_manage()?;
    ping(state, call).await
}

pub(crate) async fn components(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let (holder, seat) = call.machine(&web, &call.id).await?;
    page(&call, holder.components(&seat))
}

/// Processes of a machine: there are none.
pub(crate) async fn none_of_machine(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    call.machine(&web, &call.id).await?;
    page(&call, Vec::new())
}
