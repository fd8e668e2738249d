//! Setup intents: a payment method saved for later, without a payment.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::event::emit;
use super::input::{Input, Metadata, merge_metadata};
use super::intent::{name_method, read_challenge_request, read_mandate_acceptance, read_method_types};
use super::list::{self, Page};
use super::method::{self, MethodKind};
use super::moment::Moment;
use super::verdict::{Decline, Verdict, judge_saving};
use super::{Context, Object, World, customer, owned, owned_mut, session};

/// A payment method being saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupIntent {
    id: String,
    account: String,
    created: Moment,
    /// For whom.
    pub customer: Option<String>,
    /// What is saved.
    pub method: Option<String>,
    /// Where it stands.
    pub status: SetupStatus,
    usage: String,
    metadata: Metadata,
    description: Option<String>,
    method_types: Vec<String>,
    client_secret: String,
    /// Why the last attempt failed, and with which method.
    pub last_error: Option<(Decline, String)>,
    mandate: Option<String>,
    /// Where the buyer goes after a challenge.
    pub return_url: Option<String>,
    /// The hosted session that it belongs to.
    pub session: Option<String>,
}

/// Where saving stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupStatus {
    /// It has no method, or the last one failed.
    RequiresPaymentMethod,
    /// It has a method that was not tried.
    RequiresConfirmation,
    /// The buyer is at a challenge.
    RequiresAction,
    /// The method is saved.
    Succeeded,
    /// Nobody will finish it.
    Canceled,
}

impl SetupStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
    const fn is_open(self) -> bool {
        match self {
            Self::RequiresPaymentMethod | Self::RequiresConfirmation | Self::RequiresAction => true,
            Self::Succeeded | Self::Canceled => false,
        }
    }
}

/// What a new setup is for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// For whom.
    pub customer: Option<String>,
    /// What the merchant attached.
    pub metadata: Metadata,
    /// For the dashboard.
    pub description: Option<String>,
    /// Which kinds of method may be saved.
    pub method_types: Vec<String>,
    /// `on_session` or `off_session`.
    pub usage: Option<String>,
    /// The hosted session.
    pub session: Option<String>,
}

impl Object for SetupIntent {
    const NOUN: &'static str = "setupintent";
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
        let page = self.session.as_deref().unwrap_or(&self.id);
        let next_action = (self.status == SetupStatus::RequiresAction).then(|| {
            json!({ "type": "redirect_to_url", "redirect_to_url": {
                "url": format!("{}/pay/{page}/challenge", world.base_url), "return_url": self.return_url } })
        });
        let last_error = self.last_error.as_ref().map(|(decline, failed)| {
            let mut shown = Value::Object(refusal(world, *decline, failed).fields);
            shown["type"] = json!("card_error");
            shown
        });
        json!({
            "id": self.id, "object": "setup_intent", "application": null, "automatic_payment_methods": null,
            "cancellation_reason": null, "client_secret": self.client_secret, "created": self.created.seconds(),
            "customer": self.customer, "description": self.description, "flow_directions": null,
            "last_setup_error": last_error, "latest_attempt": null, "livemode": false, "mandate": self.mandate,
            "metadata": self.metadata, "next_action": next_action, "on_behalf_of": null,
            "payment_method": self.method, "payment_method_options": {}, "payment_method_types": self.method_types,
            "single_use_mandate": null, "status": self.status.name(), "usage": self.usage,
        })
    }
}

impl SetupIntent {
    /// What a browser that belongs to this setup shows.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }
}

/// `POST /v1/setup_intents`
///
/// # Errors
/// When a parameter is wrong, or it was confirmed at once and declined.
pub fn create(world: &mut World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let customer = input.text("customer")?;
    if let Some(customer) = &customer {
        customer::living(world, at, customer)?;
    }
    let wish = Wish {
        customer,
        metadata: input.metadata("metadata")?.unwrap_or_default(),
        description: input.text("description")?,
        method_types: read_method_types(&mut input)?
            .unwrap_or_else(|| vec!["card".to_owned(), "sepa_debit".to_owned()]),
        usage: input.choice("usage", &["off_session", "on_session"])?,
        session: None,
    };
    let confirm = input.boolean("confirm")?.unwrap_or(false);
    let (named, return_url) = (input.text("payment_method")?, input.text("return_url")?);
    if let Some(mut automatic) = input.object("automatic_payment_methods")? {
        automatic.boolean("enabled")?;
        automatic.choice("allow_redirects", &["always", "never"])?;
        automatic.finish()?;
    }
    read_mandate_acceptance(&mut input)?;
    read_challenge_request(&mut input)?;
    let described = input.object("payment_method_data")?;
    input.finish()?;
    let method = name_method(world, at, named, described)?;
    let id = open(world, at, wish);
    if let Some(setup) = world.setup_intents.get_mut(&id) {
        setup.return_url = return_url;
        if method.is_some() {
            setup.status = SetupStatus::RequiresConfirmation;
            setup.method.clone_from(&method);
        }
    }
    tell(world, at, &id, "setup_intent.created");
    match (confirm, method) {
        (true, Some(method)) => attempt(world, at, &id, &method, false)?,
        (true, None) => return Err(without_method()),
        (false, _) => {}
    }
    retrieve(world, at, &id)
}

/// `GET /v1/setup_intents/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.setup_intents, &at.account, id)?.render(world))
}

/// `POST /v1/setup_intents/{id}`
///
/// # Errors
/// When there is none or a parameter is wrong.
pub fn update(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let metadata = input.metadata("metadata")?;
    let description = input.text("description")?;
    input.finish()?;
    let setup = owned_mut(&mut world.setup_intents, &at.account, id)?;
    setup.description = description.or_else(|| setup.description.take());
    merge_metadata(&mut setup.metadata, metadata);
    retrieve(world, at, id)
}

/// `POST /v1/setup_intents/{id}/confirm`
///
/// # Errors
/// When its state does not allow it, or the issuer declines.
pub fn confirm(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let (named, return_url) = (input.text("payment_method")?, input.text("return_url")?);
    read_mandate_acceptance(&mut input)?;
    let described = input.object("payment_method_data")?;
    input.finish()?;
    let setup = owned(&world.setup_intents, &at.account, id)?.clone();
    if !setup.status.is_open() {
        return Err(unexpected(world, &setup, "confirm"));
    }
    let method = name_method(world, at, named, described)?.or_else(|| setup.method.clone());
    let method = method.ok_or_else(without_method)?;
    let held = owned_mut(&mut world.setup_intents, &at.account, id)?;
    held.return_url = return_url.or_else(|| held.return_url.take());
    attempt(world, at, id, &method, false)?;
    retrieve(world, at, id)
}

/// `POST /v1/setup_intents/{id}/cancel`
///
/// # Errors
/// When its state does not allow it.
pub fn cancel(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    input.choice("cancellation_reason", &["abandoned", "duplicate", "requested_by_customer"])?;
    input.finish()?;
    let setup = owned(&world.setup_intents, &at.account, id)?.clone();
    if !setup.status.is_open() {
        return Err(unexpected(world, &setup, "cancel"));
    }
    void(world, at, id);
    retrieve(world, at, id)
}

/// `GET /v1/setup_intents`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let (customer, method) = (input.text("customer")?, input.text("payment_method")?);
    input.finish()?;
    list::list(world, &world.setup_intents, &at.account, "/v1/setup_intents", &page, |setup| {
        (customer.is_none() || setup.customer == customer) && (method.is_none() || setup.method == method)
    })
}

/// Opens a setup. Tells nobody: the caller says when it is whole.
pub fn open(world: &mut World, at: &Context, wish: Wish) -> String {
    let id = world.mint("seti", 24);
    let client_secret = world.mint(&format!("{id}_secret"), 25);
    let setup = SetupIntent {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        customer: wish.customer,
        method: None,
        status: SetupStatus::RequiresPaymentMethod,
        usage: wish.usage.unwrap_or_else(|| "off_session".to_owned()),
        metadata: wish.metadata,
        description: wish.description,
        method_types: wish.method_types,
        client_secret,
        last_error: None,
        mandate: None,
        return_url: None,
        session: wish.session,
    };
    world.setup_intents.insert(&id, setup);
    id
}

/// Says that something happened to a setup.
pub fn tell(world: &mut World, at: &Context, id: &str, kind: &str) {
    if let Some(setup) = world.setup_intents.get(id) {
        let shown = setup.render(world);
        emit(world, at, kind, shown);
    }
}

/// Tries to save a method.
///
/// # Errors
/// The card error of a decline; another error when the method may not be used.
pub fn attempt(world: &mut World, at: &Context, id: &str, method: &str, authenticated: bool) -> Result<(), ApiError> {
    let setup = owned(&world.setup_intents, &at.account, id)?.clone();
    let found = owned(&world.methods, &at.account, method)?.clone();
    if !setup.method_types.iter().any(|allowed| allowed == found.kind.name()) {
        let message =
            format!("The PaymentMethod provided ({}) is not allowed for this SetupIntent.", found.kind.name());
        return Err(ApiError::invalid(message).param("payment_method"));
    }
    if found.customer.is_some() && found.customer != setup.customer {
        return Err(
            ApiError::invalid("The provided PaymentMethod is attached to another customer.").param("payment_method")
        );
    }
    let verdict = match &found.kind {
        MethodKind::Card(card) => judge_saving(card.behavior, authenticated),
        MethodKind::SepaDebit(_) => Verdict::Approved,
    };
    match verdict {
        Verdict::Approved => {
            let mandate = method::give_mandate(world, at, method, true);
            if let Some(held) = world.methods.get_mut(method) {
                held.set_up |= setup.usage == "off_session";
            }
            if let Some(customer) = &setup.customer {
                method::attach_quietly(world, at, method, customer);
            }
            if let Some(held) = world.setup_intents.get_mut(id) {
                held.status = SetupStatus::Succeeded;
                held.method = Some(method.to_owned());
                held.mandate = mandate;
                held.last_error = None;
            }
            tell(world, at, id, "setup_intent.succeeded");
            if let Some(session) = &setup.session {
                session::saved(world, at, session);
            }
            Ok(())
        }
        Verdict::Challenge => {
            if let Some(held) = world.setup_intents.get_mut(id) {
                held.status = SetupStatus::RequiresAction;
                held.method = Some(method.to_owned());
                held.last_error = None;
            }
            tell(world, at, id, "setup_intent.requires_action");
            Ok(())
        }
        Verdict::Declined(decline) => Err(refuse(world, at, id, method, decline)),
    }
}

/// The buyer comes back from the challenge.
///
/// # Errors
/// The card error, when they failed it; another error when there is no challenge.
pub fn answer_challenge(world: &mut World, at: &Context, id: &str, passed: bool) -> Result<(), ApiError> {
    let setup = owned(&world.setup_intents, &at.account, id)?.clone();
    let (SetupStatus::RequiresAction, Some(method)) = (setup.status, setup.method.clone()) else {
        return Err(unexpected(world, &setup, "authenticate"));
    };
    if passed {
        return attempt(world, at, id, &method, true);
    }
    Err(refuse(world, at, id, &method, Decline::AuthenticationFailed))
}

/// Ends a setup that nobody will finish. Does nothing to one that has ended.
pub fn void(world: &mut World, at: &Context, id: &str) {
    if let Some(setup) = world.setup_intents.get_mut(id).filter(|setup| setup.status.is_open()) {
        setup.status = SetupStatus::Canceled;
        tell(world, at, id, "setup_intent.canceled");
    }
}

fn refuse(world: &mut World, at: &Context, id: &str, method: &str, decline: Decline) -> ApiError {
    if let Some(held) = world.setup_intents.get_mut(id) {
        held.status = SetupStatus::RequiresPaymentMethod;
        held.method = None;
        held.last_error = Some((decline, method.to_owned()));
    }
    tell(world, at, id, "setup_intent.setup_failed");
    let error = refusal(world, decline, method);
    match world.setup_intents.get(id) {
        Some(setup) => error.with("setup_intent", setup.render(world)),
        None => error,
    }
}

fn refusal(world: &World, decline: Decline, failed: &str) -> ApiError {
    let mut error = method::declined(decline);
    if decline == Decline::AuthenticationFailed {
        error = error.code("setup_intent_authentication_failure");
    }
    match world.methods.get(failed) {
        Some(method) => error.with("payment_method", method.render(world)),
        None => error,
    }
}

fn without_method() -> ApiError {
    let message = "You cannot confirm this SetupIntent because it's missing a payment method.";
    ApiError::invalid(message).code("setup_intent_unexpected_state")
}

fn unexpected(world: &World, setup: &SetupIntent, verb: &str) -> ApiError {
    let message = format!("You cannot {verb} this SetupIntent because it has a status of {}.", setup.status.name());
    ApiError::invalid(message).code("setup_intent_unexpected_state").with("setup_intent", setup.render(world))
}
