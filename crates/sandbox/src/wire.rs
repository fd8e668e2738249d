//! The Stripe-shaped API: from a request to a reply, as a function.
//!
//! Parses the nested form encoding, opens the account of the key, replays what
//! an idempotency key has already done, finds the operation, expands. No socket:
//! `server` and a simulator call the same function.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_json::Value;

use crate::model::error::{ApiError, ErrorKind};
use crate::model::fault::{self, CallFault};
use crate::model::input::{Input, Param};
use crate::model::moment::Moment;
use crate::model::{
    API_VERSION, Context, World, account, balance, charge, customer, delivery, dispute, event, expand, idempotency,
    intent, method, refund, session, setup, timer,
};

/// The longest form that is read: far more than any call needs.
pub const LONGEST_BODY: usize = 256 * 1024;
const DEEPEST_NAME: usize = 12;
const MOST_PARAMETERS: usize = 2_000;

/// A request, as the wire carried it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What follows the question mark.
    pub query: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The form.
    pub body: Vec<u8>,
}

/// A reply, as the wire carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON, or the page.
    pub body: String,
    /// Whether a fault swallows it: the caller closes the connection without a word.
    pub lost: bool,
}

impl Request {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl Reply {
    /// A JSON reply.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned()), ("cache-control", "no-store".to_owned())];
        Self { status, headers, body: format!("{body:#}"), lost: false }
    }

    /// The value of a header of this reply.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// What tells apart two requests that may not run at once: the secret and the
/// idempotency key. `None` when the request has no key, or needs none.
#[must_use]
pub fn in_flight_key(request: &Request) -> Option<(String, String)> {
    if request.method != "POST" {
        return None;
    }
    Some((secret_key(request)?, request.header("idempotency-key")?.to_owned()))
}

/// The reply to a call whose idempotency key is in use.
#[must_use]
pub fn refuse_in_flight(world: &mut World, request: &Request, key: &str) -> Reply {
    let id = world.mint("req", 14);
    finish(Reply::json(409, &idempotency::in_flight(key).body()), request, &id)
}

/// Carries a call out.
pub fn answer(world: &mut World, now: Moment, request: &Request) -> Reply {
    timer::tick(world, now);
    let request_id = world.mint("req", 14);
    match carry_out(world, now, request, &request_id) {
        Ok(reply) => reply,
        Err(refused) => finish(Reply::json(refused.status, &refused.body()), request, &request_id),
    }
}

/// The account that a request may see, when it brings a key.
///
/// # Errors
/// When the key is not a test key.
pub fn account_of(world: &mut World, now: Moment, request: &Request) -> Result<Option<String>, ApiError> {
    match secret_key(request) {
        None => Ok(None),
        Some(secret) => account::open(world, now, &secret).map(Some),
    }
}

/// The parameters of a form: `a[b][0]=c` as nested names.
///
/// # Errors
/// When a name is malformed, used for text and for more, or there is too much of it.
pub fn parse_form(pairs: &[(String, String)]) -> Result<BTreeMap<String, Param>, ApiError> {
    if pairs.len() > MOST_PARAMETERS {
        return Err(ApiError::invalid(format!("There are at most {MOST_PARAMETERS} parameters.")));
    }
    let mut fields = BTreeMap::new();
    for (name, value) in pairs {
        let steps = split_name(name).ok_or_else(|| ApiError::invalid("Malformed parameter name").param(name))?;
        place(&mut fields, &steps, value).ok_or_else(|| ApiError::invalid("Invalid parameter").param(name))?;
    }
    Ok(fields)
}

fn carry_out(world: &mut World, now: Moment, request: &Request, request_id: &str) -> Result<Reply, ApiError> {
    let secret = secret_key(request).unwrap_or_default();
    let account = account::open(world, now, &secret)?;
    if request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"))
        && !request.body.is_empty()
    {
        return Err(ApiError::invalid("Parameters are form-encoded (application/x-www-form-urlencoded), not JSON."));
    }
    let pairs = pairs(request);
    let key = request.header("idempotency-key").filter(|_| request.method == "POST").map(str::to_owned);
    let fingerprint = idempotency::fingerprint(&request.method, &request.path, &pairs);
    if let Some(key) = &key
        && let Some(kept) = idempotency::find(world, now, &account, key, &fingerprint)?
    {
        let mut reply = finish(Reply::json(kept.status, &kept.body), request, request_id);
        reply.headers.push(("idempotent-replayed", "true".to_owned()));
        reply.headers.push(("original-request", kept.request));
        return Ok(reply);
    }
    let at =
        Context { now, account: account.clone(), request: Some(request_id.to_owned()), idempotency_key: key.clone() };
    let (status, body) = match operate(world, &at, request, &pairs) {
        Ok(body) => (200, body),
        Err(refused) => (refused.status, refused.body()),
    };
    let fate = if request.method == "POST" { fault::fate_of_call(world) } else { CallFault::None };
    let error_is_kept = world.settings().faults.replay_errors;
    let failure = ApiError::new(500, ErrorKind::Api, "An unknown error occurred").body();
    if let Some(key) = &key {
        let kept = match fate {
            CallFault::ErrorAfterDoing if error_is_kept => (500, failure.clone()),
            CallFault::None | CallFault::ErrorAfterDoing | CallFault::NoAnswer => (status, body.clone()),
        };
        idempotency::keep(world, now, &account, key, fingerprint, (kept.0, kept.1, request_id.to_owned()));
    }
    let mut reply = match fate {
        CallFault::None => Reply::json(status, &body),
        CallFault::ErrorAfterDoing => Reply::json(500, &failure),
        CallFault::NoAnswer => Reply { lost: true, ..Reply::json(status, &body) },
    };
    if let Some(key) = key {
        reply.headers.push(("idempotency-key", key));
    }
    Ok(finish(reply, request, request_id))
}

fn operate(world: &mut World, at: &Context, request: &Request, pairs: &[(String, String)]) -> Result<Value, ApiError> {
    let mut input = Input::new(parse_form(pairs)?);
    let expansions = input.texts("expand")?.unwrap_or_default();
    let mut shown = route(world, at, request, input)?;
    expand::expand(world, at, &mut shown, &expansions)?;
    Ok(shown)
}

/// Every route on one screen.
fn route(world: &mut World, at: &Context, request: &Request, input: Input) -> Result<Value, ApiError> {
    let path = request.path.trim_start_matches("/v1/").trim_end_matches('/');
    let steps: Vec<&str> = path.split('/').collect();
    let bare = |input: Input| input.finish();
    match (request.method.as_str(), steps.as_slice()) {
        ("GET", ["account"]) => bare(input).and_then(|()| account::retrieve(world, at)),

        ("POST", ["checkout", "sessions"]) => session::create(world, at, input),
        ("GET", ["checkout", "sessions"]) => session::list(world, at, input),
        ("GET", ["checkout", "sessions", id]) => bare(input).and_then(|()| session::retrieve(world, at, id)),
        ("POST", ["checkout", "sessions", id]) => session::update(world, at, id, input),
        ("POST", ["checkout", "sessions", id, "expire"]) => bare(input).and_then(|()| session::expire(world, at, id)),
        ("GET", ["checkout", "sessions", id, "line_items"]) => session::line_items(world, at, id, input),

        ("POST", ["payment_intents"]) => intent::create(world, at, input),
        ("GET", ["payment_intents"]) => intent::list(world, at, input),
        ("GET", ["payment_intents", id]) => without_secret(input).and_then(|()| intent::retrieve(world, at, id)),
        ("POST", ["payment_intents", id]) => intent::update(world, at, id, input),
        ("POST", ["payment_intents", id, "confirm"]) => intent::confirm(world, at, id, input),
        ("POST", ["payment_intents", id, "cancel"]) => intent::cancel(world, at, id, input),

        ("POST", ["setup_intents"]) => setup::create(world, at, input),
        ("GET", ["setup_intents"]) => setup::list(world, at, input),
        ("GET", ["setup_intents", id]) => without_secret(input).and_then(|()| setup::retrieve(world, at, id)),
        ("POST", ["setup_intents", id]) => setup::update(world, at, id, input),
        ("POST", ["setup_intents", id, "confirm"]) => setup::confirm(world, at, id, input),
        ("POST", ["setup_intents", id, "cancel"]) => setup::cancel(world, at, id, input),

        ("POST", ["customers"]) => customer::create(world, at, input),
        ("GET", ["customers"]) => customer::list(world, at, input),
        ("GET", ["customers", id]) => bare(input).and_then(|()| customer::retrieve(world, at, id)),
        ("POST", ["customers", id]) => customer::update(world, at, id, input),
        ("DELETE", ["customers", id]) => bare(input).and_then(|()| customer::delete(world, at, id)),
        ("GET", ["customers", id, "payment_methods"]) => {
            customer::living(world, at, id)?;
            method::list(world, at, Some(id), input)
        }

        ("POST", ["payment_methods"]) => method::create(world, at, input),
        ("GET", ["payment_methods"]) => method::list(world, at, None, input),
        ("GET", ["payment_methods", id]) => bare(input).and_then(|()| method::retrieve(world, at, id)),
        ("POST", ["payment_methods", id]) => method::update(world, at, id, input),
        ("POST", ["payment_methods", id, "attach"]) => method::attach(world, at, id, input),
        ("POST", ["payment_methods", id, "detach"]) => bare(input).and_then(|()| method::detach(world, at, id)),
        ("GET", ["mandates", id]) => bare(input).and_then(|()| method::retrieve_mandate(world, at, id)),

        ("GET", ["charges"]) => charge::list(world, at, input),
        ("GET", ["charges", id]) => bare(input).and_then(|()| charge::retrieve(world, at, id)),
        ("POST", ["charges", id]) => charge::update(world, at, id, input),

        ("POST", ["refunds"]) => refund::create(world, at, input),
        ("GET", ["refunds"]) => refund::list(world, at, input),
        ("GET", ["refunds", id]) => bare(input).and_then(|()| refund::retrieve(world, at, id)),
        ("POST", ["refunds", id]) => refund::update(world, at, id, input),

        ("GET", ["disputes"]) => dispute::list(world, at, input),
        ("GET", ["disputes", id]) => bare(input).and_then(|()| dispute::retrieve(world, at, id)),
        ("POST", ["disputes", id]) => dispute::update(world, at, id, input),
        ("POST", ["disputes", id, "close"]) => bare(input).and_then(|()| dispute::accept(world, at, id)),
        ("GET", ["radar", "early_fraud_warnings"]) => dispute::list_warnings(world, at, input),
        ("GET", ["radar", "early_fraud_warnings", id]) => {
            bare(input).and_then(|()| dispute::retrieve_warning(world, at, id))
        }

        ("GET", ["events"]) => event::list(world, at, input),
        ("GET", ["events", id]) => bare(input).and_then(|()| event::retrieve(world, at, id)),

        ("POST", ["webhook_endpoints"]) => delivery::create(world, at, input),
        ("GET", ["webhook_endpoints"]) => delivery::list(world, at, input),
        ("GET", ["webhook_endpoints", id]) => bare(input).and_then(|()| delivery::retrieve(world, at, id)),
        ("POST", ["webhook_endpoints", id]) => delivery::update(world, at, id, input),
        ("DELETE", ["webhook_endpoints", id]) => bare(input).and_then(|()| delivery::delete(world, at, id)),

        ("GET", ["balance"]) => bare(input).map(|()| balance::total(world, at)),
        ("GET", ["balance_transactions"]) => balance::list(world, at, input),
        ("GET", ["balance_transactions", id]) => bare(input).and_then(|()| balance::retrieve(world, at, id)),

        (method, _) => {
            let message = format!(
                "Unrecognized request URL ({method}: {}). The simulated gateway has no such route.",
                request.path
            );
            Err(ApiError::new(404, ErrorKind::InvalidRequest, message))
        }
    }
}

fn without_secret(mut input: Input) -> Result<(), ApiError> {
    input.text("client_secret")?;
    input.finish()
}

fn finish(mut reply: Reply, request: &Request, request_id: &str) -> Reply {
    let version = request.header("stripe-version").unwrap_or(API_VERSION).to_owned();
    reply.headers.push(("request-id", request_id.to_owned()));
    reply.headers.push(("stripe-version", version));
    reply
}

fn secret_key(request: &Request) -> Option<String> {
    let (scheme, rest) = request.header("authorization")?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(BASE64.decode(rest.as_bytes()).ok()?).ok()?;
        return decoded.split(':').next().map(str::to_owned);
    }
    None
}

fn pairs(request: &Request) -> Vec<(String, String)> {
    let query = form_urlencoded::parse(request.query.as_bytes());
    let body = form_urlencoded::parse(&request.body);
    query.chain(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// `a[b][]` as `a`, `b`, and an empty step.
fn split_name(name: &str) -> Option<Vec<&str>> {
    let (head, mut rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    if head.is_empty() {
        return None;
    }
    let mut steps = vec![head];
    while !rest.is_empty() {
        let (step, after) = rest.strip_prefix('[')?.split_once(']')?;
        steps.push(step);
        rest = after;
    }
    (steps.len() <= DEEPEST_NAME).then_some(steps)
}

fn place(fields: &mut BTreeMap<String, Param>, steps: &[&str], value: &str) -> Option<()> {
    let (step, rest) = steps.split_first()?;
    let name = if step.is_empty() { fields.len().to_string() } else { (*step).to_owned() };
    if rest.is_empty() {
        let before = fields.insert(name, Param::Text(value.to_owned()));
        return before.is_none().then_some(());
    }
    match fields.entry(name).or_insert_with(|| Param::Nested(BTreeMap::new())) {
        Param::Nested(inner) => place(inner, rest, value),
        Param::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Param {
        Param::Text(text.to_owned())
    }

    fn nested<const N: usize>(fields: [(&str, Param); N]) -> Param {
        Param::Nested(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    #[test]
    fn a_form_nests_by_brackets() {
        let rows = [
            ("a=1", Ok(nested([("a", text("1"))]))),
            ("a[b]=1&a[c]=2", Ok(nested([("a", nested([("b", text("1")), ("c", text("2"))]))]))),
            ("a[0][b]=1", Ok(nested([("a", nested([("0", nested([("b", text("1"))]))]))]))),
            ("a[]=1&a[]=2", Ok(nested([("a", nested([("0", text("1")), ("1", text("2"))]))]))),
            ("a%5Bb%5D=x%20y", Ok(nested([("a", nested([("b", text("x y"))]))]))),
            ("a=1&a=2", Err("a")),
            ("a=1&a[b]=2", Err("a[b]")),
            ("a[b=1", Err("a[b")),
            ("[a]=1", Err("[a]")),
            ("a[b]c=1", Err("a[b]c")),
        ];
        for (form, expected) in rows {
            let pairs: Vec<(String, String)> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            let parsed = parse_form(&pairs).map(Param::Nested);
            match (parsed, expected) {
                (Ok(parsed), Ok(expected)) => assert_eq!(parsed, expected, "{form}"),
                (Err(refused), Err(param)) => assert_eq!(refused.fields["param"], param, "{form}"),
                (parsed, expected) => assert_eq!(format!("{parsed:?}"), format!("{expected:?}"), "{form}"),
            }
        }
    }
}
