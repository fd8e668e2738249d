//! Events: what happened, as Stripe tells it. Each is also put in the queue of
//! every endpoint that listens.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::delivery::{self, DeliveryState};
use super::error::ApiError;
use super::input::Input;
use super::list::{self, Page};
use super::moment::Moment;
use super::{API_VERSION, Context, Object, World, owned};

/// How long events can be read: thirty days.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// `evt_…`
    pub id: String,
    account: String,
    /// When.
    pub created: Moment,
    /// What, such as `charge.refunded`.
    pub kind: String,
    object: Value,
    request: Option<String>,
    idempotency_key: Option<String>,
    /// The deliveries that carry it.
    pub deliveries: Vec<String>,
}

impl Object for Event {
    const NOUN: &'static str = "event";
    fn id(&self) -> &str {
        &self.id
    }
    fn account(&self) -> &str {
        &self.account
    }
    fn created(&self) -> Moment {
        self.created
    }
    fn render(&self, world: &World) -> Value {
        json!({
            "id": self.id, "object": "event", "api_version": API_VERSION, "created": self.created.seconds(),
            "data": { "object": self.object }, "livemode": false, "pending_webhooks": pending(world, self),
            "request": { "id": self.request, "idempotency_key": self.idempotency_key }, "type": self.kind,
        })
    }
}

/// Says that something happened to `object`, as it is now.
pub fn emit(world: &mut World, at: &Context, kind: &str, object: Value) {
    let id = world.mint("evt", 24);
    let deliveries = delivery::schedule(world, at, &id, kind);
    let event = Event {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        kind: kind.to_owned(),
        object,
        request: at.request.clone(),
        idempotency_key: at.idempotency_key.clone(),
        deliveries,
    };
    world.events.insert(&id, event);
}

/// `GET /v1/events/{id}`
///
/// # Errors
/// When there is none, or it is older than thirty days.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    let event = owned(&world.events, &at.account, id)?;
    if event.created < at.now.plus_seconds(-KEPT_SECONDS) {
        return Err(ApiError::missing(Event::NOUN, id));
    }
    Ok(event.render(world))
}

/// `GET /v1/events`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let kind = input.text("type")?;
    let kinds = input.texts("types")?;
    let delivered = input.boolean("delivery_success")?;
    input.finish()?;
    let oldest = at.now.plus_seconds(-KEPT_SECONDS);
    let names = |pattern: &str, kind: &str| match pattern.strip_suffix('*') {
        Some(stem) => kind.starts_with(stem),
        None => pattern == kind,
    };
    list::list(world, &world.events, &at.account, "/v1/events", &page, |event| {
        event.created >= oldest
            && kind.as_deref().is_none_or(|pattern| names(pattern, &event.kind))
            && kinds.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| names(pattern, &event.kind)))
            && delivered.is_none_or(|wanted| wanted == (pending(world, event) == 0))
    })
}

/// How many endpoints have not acknowledged the event. What the sandbox lost on
/// purpose stays pending, as it would where a delivery fails for days.
fn pending(world: &World, event: &Event) -> usize {
    let deliveries = event.deliveries.iter().filter_map(|id| world.deliveries.get(id));
    deliveries.filter(|row| !row.duplicate && !matches!(row.state, DeliveryState::Delivered { .. })).count()
}
