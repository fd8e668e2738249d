//! What goes wrong on purpose, with which probability, decided by a seed of its own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::World;
use super::chance::{Chance, MILLION};
use super::error::ApiError;

/// Probabilities in parts per million, and spans in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// A webhook is sent twice.
    pub duplicate: u32,
    /// A webhook is overtaken by later ones.
    pub reorder: u32,
    /// A webhook is never sent.
    pub drop: u32,
    /// A webhook is late by a span from `delay_milliseconds`.
    pub delay: u32,
    /// From and to, for `delay`.
    pub delay_milliseconds: (u32, u32),
    /// An attempt carries a signature that is not ours.
    pub wrong_signature: u32,
    /// A POST is carried out and answered with 500.
    pub error_after_doing: u32,
    /// Whether the 500 is what the idempotency key replays, as it is at the real
    /// gateway when the error came from within; otherwise the true answer is.
    pub replay_errors: bool,
    /// A POST is carried out and the connection closed without an answer.
    pub no_answer: u32,
    /// Every API answer is held back by a span from here to there.
    pub answer_delay_milliseconds: (u32, u32),
}

/// What becomes of one API call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFault {
    /// It is answered.
    None,
    /// It is carried out and answered with 500.
    ErrorAfterDoing,
    /// It is carried out and never answered.
    NoAnswer,
}

/// What becomes of one webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryFault {
    /// It is never sent.
    pub dropped: bool,
    /// It is sent twice.
    pub duplicated: bool,
    /// It is late by so many milliseconds.
    pub late_by: u32,
}

/// A reordered webhook waits so long that those after it go first.
const REORDER_MILLISECONDS: (u32, u32) = (200, 2_000);

/// The fate of a webhook that is about to be queued.
pub fn fate_of_delivery(world: &mut World) -> DeliveryFault {
    let settings = world.settings_mut();
    let (faults, chance) = (settings.faults.clone(), &mut settings.fault_chance);
    let dropped = chance.happens(faults.drop);
    let duplicated = chance.happens(faults.duplicate);
    let delayed = chance.happens(faults.delay);
    let delay = span(chance, faults.delay_milliseconds);
    let reordered = chance.happens(faults.reorder);
    let reorder = span(chance, REORDER_MILLISECONDS);
    let late_by = if delayed { delay } else { 0 } + if reordered { reorder } else { 0 };
    DeliveryFault { dropped, duplicated, late_by }
}

/// Whether the attempt about to be made carries a wrong signature.
pub fn fate_of_signature(world: &mut World) -> bool {
    let settings = world.settings_mut();
    let wrong = settings.faults.wrong_signature;
    settings.fault_chance.happens(wrong)
}

/// The fate of a POST.
pub fn fate_of_call(world: &mut World) -> CallFault {
    let settings = world.settings_mut();
    let (faults, chance) = (settings.faults.clone(), &mut settings.fault_chance);
    let error = chance.happens(faults.error_after_doing);
    let silence = chance.happens(faults.no_answer);
    match (error, silence) {
        (_, true) => CallFault::NoAnswer,
        (true, false) => CallFault::ErrorAfterDoing,
        (false, false) => CallFault::None,
    }
}

/// How long the answer to an API call is held back, in milliseconds.
pub fn answer_delay(world: &mut World) -> u32 {
    let range = world.settings().faults.answer_delay_milliseconds;
    if range == (0, 0) { 0 } else { span(&mut world.settings_mut().fault_chance, range) }
}

/// The faults and the seed, as JSON that `configure` takes.
#[must_use]
pub fn show(world: &World) -> Value {
    let faults = &world.settings().faults;
    json!({
        "seed": world.settings().fault_chance.seed(),
        "duplicate": { "ppm": faults.duplicate }, "reorder": { "ppm": faults.reorder }, "drop": { "ppm": faults.drop },
        "delay": { "ppm": faults.delay }, "delay_ms": faults.delay_milliseconds,
        "wrong_signature": { "ppm": faults.wrong_signature },
        "error_after_doing": { "ppm": faults.error_after_doing }, "replay_errors": faults.replay_errors,
        "no_answer": { "ppm": faults.no_answer }, "answer_delay_ms": faults.answer_delay_milliseconds,
    })
}

/// Replaces all faults by these; what is not named stops going wrong. A
/// probability is a whole number of percent, or `{"ppm": n}`.
///
/// # Errors
/// When a name is unknown or a value out of bounds; nothing changes then.
pub fn configure(world: &mut World, body: &Value) -> Result<Value, ApiError> {
    let Value::Object(given) = body else {
        return Err(ApiError::invalid("The faults are a JSON object."));
    };
    let mut given = given.clone();
    let seed = match given.remove("seed") {
        None => 0,
        Some(seed) => {
            seed.as_u64().ok_or_else(|| ApiError::invalid("The seed is a whole number from 0.").param("seed"))?
        }
    };
    let has_delay = given.contains_key("delay");
    let mut faults = Faults {
        duplicate: probability(&mut given, "duplicate")?,
        reorder: probability(&mut given, "reorder")?,
        drop: probability(&mut given, "drop")?,
        delay: probability(&mut given, "delay")?,
        delay_milliseconds: range(&mut given, "delay_ms")?,
        wrong_signature: probability(&mut given, "wrong_signature")?,
        error_after_doing: probability(&mut given, "error_after_doing")?,
        replay_errors: match given.remove("replay_errors") {
            None => false,
            Some(value) => value
                .as_bool()
                .ok_or_else(|| ApiError::invalid("replay_errors is true or false.").param("replay_errors"))?,
        },
        no_answer: probability(&mut given, "no_answer")?,
        answer_delay_milliseconds: range(&mut given, "answer_delay_ms")?,
    };
    if let Some(unknown) = given.keys().next() {
        return Err(ApiError::invalid(format!("Unknown fault: {unknown}")).code("parameter_unknown").param(unknown));
    }
    // A range alone means: every delivery.
    if faults.delay_milliseconds != (0, 0) && !has_delay {
        faults.delay = MILLION;
    }
    let settings = world.settings_mut();
    settings.faults = faults;
    settings.fault_chance = Chance::new(seed);
    Ok(show(world))
}

fn span(chance: &mut Chance, (from, to): (u32, u32)) -> u32 {
    let width = u64::from(to.saturating_sub(from)).saturating_add(1);
    from.saturating_add(u32::try_from(chance.below(width)).unwrap_or(0))
}

fn probability(given: &mut Map<String, Value>, name: &str) -> Result<u32, ApiError> {
    let Some(value) = given.remove(name) else { return Ok(0) };
    let parts = match &value {
        Value::Object(object) if object.len() == 1 => object.get("ppm").and_then(Value::as_u64),
        Value::Number(percent) => percent.as_u64().and_then(|percent| percent.checked_mul(10_000)),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    };
    parts.and_then(|parts| u32::try_from(parts).ok()).filter(|parts| *parts <= MILLION).ok_or_else(|| {
        ApiError::invalid(format!(r#"{name} is a percentage from 0 to 100, or {{"ppm": n}}."#)).param(name)
    })
}

fn range(given: &mut Map<String, Value>, name: &str) -> Result<(u32, u32), ApiError> {
    let Some(value) = given.remove(name) else { return Ok((0, 0)) };
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let read = match &value {
        Value::Number(_) => number(&value).map(|both| (both, both)),
        Value::Array(bounds) => match bounds.as_slice() {
            [from, to] => number(from).zip(number(to)),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => None,
    };
    read.filter(|(from, to)| from <= to && *to <= 3_600_000).ok_or_else(|| {
        ApiError::invalid(format!("{name} is a number of milliseconds or [from, to], up to an hour.")).param(name)
    })
}
