//! The control calls: faults, the clock, the truth, disputes. For tests and
//! simulations; JSON in and out, as functions.

use serde_json::{Map, Value, json};

use crate::model::dispute::{DisputeKind, Outcome};
use crate::model::error::{ApiError, ErrorKind};
use crate::model::moment::Moment;
use crate::model::{Context, World, account, delivery, dispute, fault, owned, timer, truth};
use crate::wire::{Reply, Request, account_of};

/// The longest step of the clock: ten years.
const LONGEST_STEP_SECONDS: i64 = 10 * 366 * 86_400;
/// How long a rolled secret signs beside the new one, unless said otherwise.
const OVERLAP_SECONDS: i64 = 24 * 60 * 60;

/// Carries a control call out. `real` is what the real clock shows.
/// `/_control/flush` is not here: it needs the network.
pub fn answer(world: &mut World, real: Moment, request: &Request) -> Reply {
    let now = world.now(real);
    timer::tick(world, now);
    match route(world, real, request) {
        Ok(body) => Reply::json(200, &body),
        Err(refused) => Reply::json(refused.status, &refused.body()),
    }
}

fn route(world: &mut World, real: Moment, request: &Request) -> Result<Value, ApiError> {
    let path = request.path.trim_start_matches("/_control/").trim_end_matches('/');
    let steps: Vec<&str> = path.split('/').collect();
    let now = world.now(real);
    match (request.method.as_str(), steps.as_slice()) {
        ("GET", ["faults"]) => Ok(fault::show(world)),
        ("POST", ["faults"]) => fault::configure(world, &Value::Object(body(request)?)),
        ("GET", ["clock"]) => Ok(clock(world, real)),
        ("POST", ["clock"]) => move_clock(world, real, body(request)?),
        ("GET", ["truth"]) => {
            let account = account_of(world, now, request)?;
            Ok(truth::show(world, account.as_deref()))
        }
        ("GET", ["deliveries"]) => Ok(delivery::show(world)),
        ("POST", ["disputes"]) => open_dispute(world, now, body(request)?),
        ("POST", ["disputes", id]) => decide_dispute(world, now, id, body(request)?),
        ("POST", ["webhook_endpoints", id, "roll"]) => {
            let mut given = body(request)?;
            let overlap = integer(&mut given, "overlap_seconds")?.unwrap_or(OVERLAP_SECONDS).max(0);
            nothing_left(&given)?;
            delivery::roll(world, now, id, overlap)
        }
        ("POST", ["account"]) => {
            let mut given = body(request)?;
            let (key, name) = (required(&mut given, "secret_key")?, required(&mut given, "name")?);
            nothing_left(&given)?;
            account::rename(world, now, &key, &name)?;
            Ok(json!({ "name": name }))
        }
        ("POST", ["reset"]) => {
            world.reset();
            Ok(json!({ "reset": true }))
        }
        (method, _) => {
            let message = format!("There is no control call {method} {}.", request.path);
            Err(ApiError::new(404, ErrorKind::InvalidRequest, message))
        }
    }
}

fn clock(world: &World, real: Moment) -> Value {
    json!({ "now": world.now(real).seconds(), "offset_seconds": world.settings().clock_offset.div_euclid(1_000) })
}

fn move_clock(world: &mut World, real: Moment, mut given: Map<String, Value>) -> Result<Value, ApiError> {
    let advance = integer(&mut given, "advance_seconds")?;
    let set = integer(&mut given, "set")?;
    nothing_left(&given)?;
    let now = world.now(real);
    let target = match (advance, set) {
        (Some(seconds), None) => now.plus_seconds(seconds),
        (None, Some(seconds)) => Moment::from_seconds(seconds),
        (None, None) | (Some(_), Some(_)) => {
            return Err(ApiError::invalid("Give advance_seconds, or set as seconds since 1970, and not both."));
        }
    };
    if target > now.plus_seconds(LONGEST_STEP_SECONDS) {
        return Err(ApiError::invalid("The clock moves at most ten years at once."));
    }
    world.set_clock(real, target)?;
    let fired = timer::tick(world, target);
    let mut shown = clock(world, real);
    shown["fired"] = json!(fired);
    Ok(shown)
}

fn open_dispute(world: &mut World, now: Moment, mut given: Map<String, Value>) -> Result<Value, ApiError> {
    let id = required(&mut given, "payment_intent")?;
    let kind = text(&mut given, "kind")?.unwrap_or_else(|| "fraudulent".to_owned());
    nothing_left(&given)?;
    let kinds = "fraudulent, product_not_received, general, inquiry, debit_reversal, early_fraud_warning";
    let intent = world.intents.get(&id).ok_or_else(|| ApiError::missing("payment_intent", &id))?;
    let at = Context::internal(now, crate::model::Object::account(intent));
    let charge = intent.latest_charge.clone().filter(|_| intent.received() > 0);
    let charge = charge.ok_or_else(|| ApiError::invalid("This payment took no money: there is nothing to dispute."))?;
    if kind == "early_fraud_warning" {
        dispute::warn(world, &at, &charge);
        return Ok(json!({ "charge": charge, "warned": true }));
    }
    let Some(kind) = DisputeKind::named(&kind) else {
        return Err(ApiError::invalid(format!("The kinds are: {kinds}.")).param("kind"));
    };
    let before = dispute::latest(world, &charge).map(|dispute| dispute.id.clone());
    dispute::open(world, &at, &charge, kind);
    match dispute::latest(world, &charge).map(|dispute| dispute.id.clone()) {
        Some(id) if Some(&id) != before.as_ref() => dispute::retrieve(world, &at, &id),
        Some(_) | None => Err(ApiError::invalid("This payment is under dispute already.")),
    }
}

fn decide_dispute(world: &mut World, now: Moment, id: &str, mut given: Map<String, Value>) -> Result<Value, ApiError> {
    let outcome = match required(&mut given, "outcome")?.as_str() {
        "won" => Outcome::Won,
        "lost" => Outcome::Lost,
        "escalated" => Outcome::Escalated,
        _ => return Err(ApiError::invalid("The outcome is won, lost or escalated.").param("outcome")),
    };
    nothing_left(&given)?;
    let found = world.disputes.get(id).ok_or_else(|| ApiError::missing("dispute", id))?;
    let at = Context::internal(now, crate::model::Object::account(found));
    owned(&world.disputes, &at.account, id)?;
    dispute::decide(world, &at, id, outcome)
}

fn body(request: &Request) -> Result<Map<String, Value>, ApiError> {
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(ApiError::invalid("The body is a JSON object.")),
        Err(error) => Err(ApiError::invalid(format!("The body is not JSON: {error}"))),
    }
}

fn text(given: &mut Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    match given.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::invalid(format!("{name} is a text.")).param(name)),
    }
}

fn required(given: &mut Map<String, Value>, name: &str) -> Result<String, ApiError> {
    let missing =
        || ApiError::invalid(format!("Missing required param: {name}.")).code("parameter_missing").param(name);
    text(given, name)?.filter(|text| !text.is_empty()).ok_or_else(missing)
}

fn integer(given: &mut Map<String, Value>, name: &str) -> Result<Option<i64>, ApiError> {
    match given.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(ApiError::invalid(format!("{name} is a whole number.")).param(name)),
        },
    }
}

fn nothing_left(given: &Map<String, Value>) -> Result<(), ApiError> {
    match given.keys().next() {
        None => Ok(()),
        Some(name) => {
            Err(ApiError::invalid(format!("Received unknown parameter: {name}")).code("parameter_unknown").param(name))
        }
    }
}
