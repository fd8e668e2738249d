//! Payment intents: a payment from its first attempt to its end.
//!
//! Attempts made over the API, on the hosted page and by a bank days later all
//! come through here, and each tells the session that it belongs to.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::card::{CardBehavior, DebitBehavior};
use super::charge::{self, ChargeStatus, Terms};
use super::dispute::DisputeKind;
use super::error::ApiError;
use super::event::emit;
use super::input::{Input, Metadata, merge_metadata};
use super::list::{self, Page};
use super::method::{self, Method, MethodKind};
use super::moment::Moment;
use super::timer::{self, Action};
use super::verdict::{Decline, Presence, Verdict, judge};
use super::{Context, Object, World, customer, owned, owned_mut, session};

/// How long a debit that does not settle at once takes, as documented for the test accounts.
const LATE_DEBIT_SECONDS: i64 = 180;

/// The least that is worth a payment, per currency, in minor units.
const LEAST_AMOUNTS: &[(&str, i64)] = &[("eur", 50), ("usd", 50), ("chf", 50), ("gbp", 30), ("jpy", 50), ("cad", 50)];

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// `pi_…`
    pub id: String,
    account: String,
    /// When.
    pub created: Moment,
    /// In minor units.
    pub amount: i64,
    /// Lower case, as on the wire.
    pub currency: String,
    /// Where it stands.
    pub status: IntentStatus,
    /// The customer, if there is one.
    pub customer: Option<String>,
    /// The method of the current attempt.
    pub method: Option<String>,
    /// What the merchant attached.
    pub metadata: Metadata,
    description: Option<String>,
    receipt_email: Option<String>,
    setup_future_usage: Option<String>,
    method_types: Vec<String>,
    /// What a browser that belongs to this payment shows.
    pub client_secret: String,
    /// The last attempt that reached a bank.
    pub latest_charge: Option<String>,
    /// Why the last attempt failed, and with which method.
    pub last_error: Option<(Decline, String)>,
    /// Where the buyer goes after a challenge.
    pub return_url: Option<String>,
    /// The hosted session that it belongs to.
    pub session: Option<String>,
    cancellation: Option<(Moment, Option<String>)>,
    challenge_requested: bool,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentStatus {
    /// It has no method, or the last one failed.
    RequiresPaymentMethod,
    /// It has a method that was not tried.
    RequiresConfirmation,
    /// The buyer is at a challenge.
    RequiresAction,
    /// A debit is on its way.
    Processing,
    /// The money was taken.
    Succeeded,
    /// Nobody will pay it.
    Canceled,
}

impl IntentStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// What a new payment is.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// In minor units.
    pub amount: i64,
    /// Lower case.
    pub currency: String,
    /// The customer.
    pub customer: Option<String>,
    /// What the merchant attached.
    pub metadata: Metadata,
    /// For the statement.
    pub description: Option<String>,
    /// Where the receipt goes.
    pub receipt_email: Option<String>,
    /// `on_session` or `off_session`, when the method shall be kept.
    pub setup_future_usage: Option<String>,
    /// Which kinds of method may pay it.
    pub method_types: Vec<String>,
    /// The hosted session.
    pub session: Option<String>,
    /// Whether the merchant wants a challenge.
    pub challenge_requested: bool,
}

/// How one attempt is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Attempt {
    /// The buyer is away.
    pub off_session: bool,
    /// Whether a challenge counts as a refusal.
    pub error_on_requires_action: bool,
    /// The buyer has just passed the challenge.
    pub authenticated: bool,
}

impl Object for Intent {
    const NOUN: &'static str = "payment_intent";
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
        let next_action = match self.status {
            IntentStatus::RequiresAction => json!({ "type": "redirect_to_url", "redirect_to_url": {
                "url": self.challenge_url(world), "return_url": self.return_url,
            }}),
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::Processing
            | IntentStatus::Succeeded
            | IntentStatus::Canceled => Value::Null,
        };
        json!({
            "id": self.id, "object": "payment_intent", "amount": self.amount, "amount_capturable": 0,
            "amount_details": { "tip": {} }, "amount_received": self.received(), "application": null,
            "application_fee_amount": null, "automatic_payment_methods": null,
            "canceled_at": self.cancellation.as_ref().map(|(at, _)| at.seconds()),
            "cancellation_reason": self.cancellation.as_ref().and_then(|(_, reason)| reason.clone()),
            "capture_method": "automatic_async", "client_secret": self.client_secret,
            "confirmation_method": "automatic", "created": self.created.seconds(), "currency": self.currency,
            "customer": self.customer, "description": self.description, "last_payment_error": self.render_error(world),
            "latest_charge": self.latest_charge, "livemode": false, "metadata": self.metadata,
            "next_action": next_action, "on_behalf_of": null, "payment_method": self.method,
            "payment_method_configuration_details": null, "payment_method_options": {},
            "payment_method_types": self.method_types, "processing": null, "receipt_email": self.receipt_email,
            "review": null, "setup_future_usage": self.setup_future_usage, "shipping": null, "source": null,
            "statement_descriptor": null, "statement_descriptor_suffix": null, "status": self.status.name(),
            "transfer_data": null, "transfer_group": null,
        })
    }
}

impl Intent {
    /// What was taken, in minor units.
    #[must_use]
    pub const fn received(&self) -> i64 {
        match self.status {
            IntentStatus::Succeeded => self.amount,
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::Processing
            | IntentStatus::Canceled => 0,
        }
    }

    fn challenge_url(&self, world: &World) -> String {
        let page = self.session.as_deref().unwrap_or(&self.id);
        format!("{}/pay/{page}/challenge", world.base_url)
    }

    fn render_error(&self, world: &World) -> Value {
        let Some((decline, failed)) = &self.last_error else { return Value::Null };
        let error = refusal(world, *decline, self.latest_charge.as_deref(), failed);
        let mut shown = Value::Object(error.fields);
        shown["type"] = json!("card_error");
        shown
    }
}

/// `POST /v1/payment_intents`
///
/// # Errors
/// When a parameter is wrong, or the payment was confirmed at once and declined;
/// then it exists all the same.
pub fn create(world: &mut World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let amount = input.required_integer("amount")?;
    let currency = read_currency(&mut input, "currency")?.ok_or_else(|| input.required("currency"))?;
    check_amount(amount, &currency, "amount")?;
    let customer = input.text("customer")?;
    if let Some(customer) = &customer {
        customer::living(world, at, customer)?;
    }
    let method_types = read_method_types(&mut input)?;
    let automatic = read_automatic_methods(&mut input)?;
    let order = Order {
        amount,
        customer,
        metadata: input.metadata("metadata")?.unwrap_or_default(),
        description: input.text("description")?,
        receipt_email: input.text("receipt_email")?,
        setup_future_usage: input.choice("setup_future_usage", &["off_session", "on_session"])?,
        method_types: match method_types {
            Some(given) => given,
            None if automatic || currency == "eur" => default_method_types(&currency),
            None => vec!["card".to_owned()],
        },
        session: None,
        challenge_requested: read_challenge_request(&mut input)?,
        currency,
    };
    input.choice("capture_method", &["automatic", "automatic_async"])?;
    input.choice("confirmation_method", &["automatic"])?;
    input.text("statement_descriptor")?;
    input.text("statement_descriptor_suffix")?;
    let confirm = input.boolean("confirm")?.unwrap_or(false);
    let confirmation = read_confirmation(&mut input)?;
    if !confirm && confirmation.attempt.off_session {
        return Err(input.wrong("off_session", "off_session can only be used when confirm=true."));
    }
    let data = input.object("payment_method_data")?;
    input.finish()?;
    let method = name_method(world, at, confirmation.method, data)?;
    if let Some(method) = &method {
        check_method(world, at, &order.method_types, &order.currency, order.customer.as_deref(), method)?;
    }
    if confirm && method.is_none() {
        let message = "You cannot confirm this PaymentIntent because it's missing a payment method.";
        return Err(ApiError::invalid(message).code("payment_intent_unexpected_state"));
    }
    let id = open(world, at, order);
    if let Some(intent) = world.intents.get_mut(&id) {
        intent.return_url = confirmation.return_url;
        if method.is_some() {
            intent.status = IntentStatus::RequiresConfirmation;
            intent.method.clone_from(&method);
        }
    }
    tell(world, at, &id, "payment_intent.created");
    if let (true, Some(method)) = (confirm, method) {
        attempt(world, at, &id, &method, confirmation.attempt)?;
    }
    retrieve(world, at, &id)
}

/// `GET /v1/payment_intents/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.intents, &at.account, id)?.render(world))
}

/// `POST /v1/payment_intents/{id}`
///
/// # Errors
/// When there is none or a parameter is wrong.
pub fn update(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let metadata = input.metadata("metadata")?;
    let description = input.text("description")?;
    let receipt_email = input.text("receipt_email")?;
    input.finish()?;
    let intent = owned_mut(&mut world.intents, &at.account, id)?;
    intent.description = description.or_else(|| intent.description.take());
    intent.receipt_email = receipt_email.or_else(|| intent.receipt_email.take());
    merge_metadata(&mut intent.metadata, metadata);
    retrieve(world, at, id)
}

/// `POST /v1/payment_intents/{id}/confirm`
///
/// # Errors
/// When its state does not allow it, or the attempt was declined.
pub fn confirm(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let confirmation = read_confirmation(&mut input)?;
    let future = input.choice("setup_future_usage", &["off_session", "on_session"])?;
    let receipt_email = input.text("receipt_email")?;
    let challenge = read_challenge_request(&mut input)?;
    let data = input.object("payment_method_data")?;
    input.finish()?;
    let intent = owned(&world.intents, &at.account, id)?.clone();
    match intent.status {
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => {}
        IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled => {
            return Err(unexpected(world, &intent, "confirm"));
        }
    }
    if intent.session.is_some() {
        let message = "You cannot confirm PaymentIntents created by Checkout. The buyer does, on the hosted page.";
        return Err(ApiError::invalid(message).code("payment_intent_unexpected_state"));
    }
    let method = name_method(world, at, confirmation.method, data)?.or_else(|| intent.method.clone());
    let Some(method) = method else {
        let message = "You cannot confirm this PaymentIntent because it's missing a payment method.";
        return Err(ApiError::invalid(message).code("payment_intent_unexpected_state"));
    };
    check_method(world, at, &intent.method_types, &intent.currency, intent.customer.as_deref(), &method)?;
    let held = owned_mut(&mut world.intents, &at.account, id)?;
    held.return_url = confirmation.return_url.or_else(|| held.return_url.take());
    held.setup_future_usage = future.or_else(|| held.setup_future_usage.take());
    held.receipt_email = receipt_email.or_else(|| held.receipt_email.take());
    held.challenge_requested |= challenge;
    attempt(world, at, id, &method, confirmation.attempt)?;
    retrieve(world, at, id)
}

/// `POST /v1/payment_intents/{id}/cancel`
///
/// # Errors
/// When its state does not allow it.
pub fn cancel(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let reasons = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"];
    let reason = input.choice("cancellation_reason", &reasons)?;
    input.finish()?;
    let intent = owned(&world.intents, &at.account, id)?.clone();
    match intent.status {
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => {}
        IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled => {
            return Err(unexpected(world, &intent, "cancel"));
        }
    }
    if intent.session.as_deref().is_some_and(|session| session::is_open(world, session)) {
        let message = "You cannot cancel PaymentIntents created by Checkout. You may be able to expire the Checkout \
                       Session instead.";
        return Err(ApiError::invalid(message).code("payment_intent_unexpected_state"));
    }
    void(world, at, id, reason);
    retrieve(world, at, id)
}

/// `GET /v1/payment_intents`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let customer = input.text("customer")?;
    input.finish()?;
    list::list(world, &world.intents, &at.account, "/v1/payment_intents", &page, |intent| {
        customer.is_none() || intent.customer == customer
    })
}

/// Opens a payment. Tells nobody: the caller says when it is whole.
pub fn open(world: &mut World, at: &Context, order: Order) -> String {
    let id = world.mint("pi", 24);
    let secret = world.mint(&format!("{id}_secret"), 25);
    let intent = Intent {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        amount: order.amount,
        currency: order.currency,
        status: IntentStatus::RequiresPaymentMethod,
        customer: order.customer,
        method: None,
        metadata: order.metadata,
        description: order.description,
        receipt_email: order.receipt_email,
        setup_future_usage: order.setup_future_usage,
        method_types: order.method_types,
        client_secret: secret,
        latest_charge: None,
        last_error: None,
        return_url: None,
        session: order.session,
        cancellation: None,
        challenge_requested: order.challenge_requested,
    };
    world.intents.insert(&id, intent);
    id
}

/// Says that something happened to a payment.
pub fn tell(world: &mut World, at: &Context, id: &str, kind: &str) {
    if let Some(intent) = world.intents.get(id) {
        let shown = intent.render(world);
        emit(world, at, kind, shown);
    }
}

/// Tries to take the money.
///
/// # Errors
/// The card error of a decline. The failed attempt is part of the world then.
pub fn attempt(world: &mut World, at: &Context, id: &str, method: &str, attempt: Attempt) -> Result<(), ApiError> {
    let intent = owned(&world.intents, &at.account, id)?.clone();
    let method = owned(&world.methods, &at.account, method)?.clone();
    let presence = Presence {
        off_session: attempt.off_session,
        authenticated: attempt.authenticated,
        set_up: method.set_up,
        challenge_requested: intent.challenge_requested,
    };
    let verdict = match &method.kind {
        MethodKind::SepaDebit(debit) => {
            begin_debit(world, at, &intent, &method.id, debit.behavior);
            return Ok(());
        }
        MethodKind::Card(card) => judge(card.behavior, presence),
    };
    match verdict {
        Verdict::Approved => {
            approve(world, at, &intent, &method, attempt);
            Ok(())
        }
        Verdict::Challenge if attempt.error_on_requires_action => {
            Err(refuse(world, at, &intent, &method, Decline::AuthenticationRequired, Reached::Gateway))
        }
        Verdict::Challenge => {
            if let Some(held) = world.intents.get_mut(id) {
                held.status = IntentStatus::RequiresAction;
                held.method = Some(method.id.clone());
                held.last_error = None;
            }
            tell(world, at, id, "payment_intent.requires_action");
            Ok(())
        }
        Verdict::Declined(decline) => Err(refuse(world, at, &intent, &method, decline, Reached::Issuer)),
    }
}

/// The buyer comes back from the challenge.
///
/// # Errors
/// The card error, when they failed it or the issuer declines after all; another
/// error when there is no challenge.
pub fn answer_challenge(world: &mut World, at: &Context, id: &str, passed: bool) -> Result<(), ApiError> {
    let intent = owned(&world.intents, &at.account, id)?.clone();
    let (IntentStatus::RequiresAction, Some(method)) = (intent.status, intent.method.clone()) else {
        return Err(unexpected(world, &intent, "authenticate"));
    };
    if passed {
        return attempt(world, at, id, &method, Attempt { authenticated: true, ..Attempt::default() });
    }
    let method = owned(&world.methods, &at.account, &method)?.clone();
    Err(refuse(world, at, &intent, &method, Decline::AuthenticationFailed, Reached::Gateway))
}

/// Ends a payment that nobody will pay. Does nothing to one that has ended.
pub fn void(world: &mut World, at: &Context, id: &str, reason: Option<String>) {
    let Some(intent) = world.intents.get_mut(id) else { return };
    match intent.status {
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => {
            intent.status = IntentStatus::Canceled;
            intent.cancellation = Some((at.now, reason));
            tell(world, at, id, "payment_intent.canceled");
        }
        IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled => {}
    }
}

/// The bank pays a debit.
pub fn settle_debit(world: &mut World, at: &Context, id: &str) {
    let Some(intent) = world.intents.get_mut(id).filter(|intent| intent.status == IntentStatus::Processing) else {
        return;
    };
    intent.status = IntentStatus::Succeeded;
    let (charge, session) = (intent.latest_charge.clone(), intent.session.clone());
    if let Some(charge) = &charge {
        charge::end_pending(world, at, charge, ChargeStatus::Succeeded);
    }
    tell(world, at, id, "payment_intent.succeeded");
    if let Some(session) = session {
        session::paid(world, at, &session);
    }
    let disputed = charge.as_ref().and_then(|charge| world.charges.get(charge)).is_some_and(|charge| {
        matches!(&charge.method.kind, MethodKind::SepaDebit(debit) if debit.behavior == DebitBehavior::Disputed)
    });
    if let (true, Some(charge)) = (disputed, charge) {
        timer::set(world, &at.account, at.now, Action::OpenDispute { charge, kind: DisputeKind::DebitReversal });
    }
}

/// The bank returns a debit.
pub fn return_debit(world: &mut World, at: &Context, id: &str) {
    let Some(intent) = world.intents.get_mut(id).filter(|intent| intent.status == IntentStatus::Processing) else {
        return;
    };
    intent.status = IntentStatus::RequiresPaymentMethod;
    intent.last_error = intent.method.take().map(|method| (Decline::DebitReturned, method));
    let (charge, session) = (intent.latest_charge.clone(), intent.session.clone());
    if let Some(charge) = charge {
        charge::end_pending(world, at, &charge, ChargeStatus::Failed(Decline::DebitReturned));
    }
    tell(world, at, id, "payment_intent.payment_failed");
    if let Some(session) = session {
        session::failed_late(world, at, &session);
    }
}

/// A currency, in lower case.
///
/// # Errors
/// When it is none.
pub fn read_currency(input: &mut Input, name: &str) -> Result<Option<String>, ApiError> {
    let Some(text) = input.text(name)? else { return Ok(None) };
    match money::Currency::parse(&text.to_ascii_uppercase()) {
        Ok(currency) => Ok(Some(currency.code().to_ascii_lowercase())),
        Err(_) => Err(input.wrong(name, &format!("Invalid currency: {text}"))),
    }
}

/// Refuses an amount that the real gateway would refuse.
///
/// # Errors
/// When it is too small, too large, or not a whole step of its currency.
pub fn check_amount(amount: i64, currency: &str, param: &str) -> Result<(), ApiError> {
    let least = LEAST_AMOUNTS.iter().find(|(known, _)| *known == currency).map_or(1, |(_, least)| *least);
    if amount < least {
        let message = format!("Amount must be at least {least} in the smallest unit of {currency}.");
        return Err(ApiError::invalid(message).code("amount_too_small").param(param));
    }
    if amount > 99_999_999 {
        let message = "Amount must be no more than 99,999,999 in the smallest unit of the currency.";
        return Err(ApiError::invalid(message).code("amount_too_large").param(param));
    }
    let step = match currency {
        "isk" | "ugx" => 100,
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => 10,
        _ => 1,
    };
    if amount % step != 0 {
        let message = format!("Amounts in {currency} are multiples of {step}.");
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param(param));
    }
    Ok(())
}

/// The kinds of method that a caller allows; `None` when it leaves the choice to the gateway.
///
/// # Errors
/// When one is not simulated.
pub fn read_method_types(input: &mut Input) -> Result<Option<Vec<String>>, ApiError> {
    let Some(types) = input.texts("payment_method_types")? else { return Ok(None) };
    for (index, kind) in types.iter().enumerate() {
        if !matches!(kind.as_str(), "card" | "sepa_debit") {
            let message =
                format!("The simulated gateway knows the payment method types card and sepa_debit, not {kind}.");
            return Err(ApiError::invalid(message).param(&format!("payment_method_types[{index}]")));
        }
    }
    Ok((!types.is_empty()).then_some(types))
}

/// What the gateway allows by itself.
#[must_use]
pub fn default_method_types(currency: &str) -> Vec<String> {
    let mut types = vec!["card".to_owned()];
    if currency == "eur" {
        types.push("sepa_debit".to_owned());
    }
    types
}

/// Whether the merchant asks for a challenge.
///
/// # Errors
/// When the option has another shape.
pub fn read_challenge_request(input: &mut Input) -> Result<bool, ApiError> {
    let Some(mut options) = input.object("payment_method_options")? else { return Ok(false) };
    let mut requested = false;
    if let Some(mut card) = options.object("card")? {
        let wish = card.choice("request_three_d_secure", &["any", "automatic", "challenge"])?;
        requested = matches!(wish.as_deref(), Some("any" | "challenge"));
        card.finish()?;
    }
    options.finish()?;
    Ok(requested)
}

/// Whether an attempt got as far as the issuer, which leaves a charge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    Gateway,
    Issuer,
}

struct Confirmation {
    method: Option<String>,
    return_url: Option<String>,
    attempt: Attempt,
}

fn read_confirmation(input: &mut Input) -> Result<Confirmation, ApiError> {
    let method = input.text("payment_method")?;
    let return_url = input.text("return_url")?;
    // `off_session` may also be the older one_off or recurring.
    let off_session = matches!(input.text("off_session")?.as_deref(), Some("true" | "one_off" | "recurring"));
    let error_on_requires_action = input.boolean("error_on_requires_action")?.unwrap_or(false);
    input.text("mandate")?;
    read_mandate_acceptance(input)?;
    input.boolean("use_stripe_sdk")?;
    let attempt = Attempt { off_session, error_on_requires_action, authenticated: false };
    Ok(Confirmation { method, return_url, attempt })
}

/// Reads that the debtor accepted the mandate; the sandbox believes it.
///
/// # Errors
/// When it has another shape.
pub fn read_mandate_acceptance(input: &mut Input) -> Result<(), ApiError> {
    let Some(mut data) = input.object("mandate_data")? else { return Ok(()) };
    if let Some(mut acceptance) = data.object("customer_acceptance")? {
        acceptance.choice("type", &["online", "offline"])?;
        acceptance.integer("accepted_at")?;
        if let Some(mut online) = acceptance.object("online")? {
            online.text("ip_address")?;
            online.text("user_agent")?;
            online.finish()?;
        }
        acceptance.object("offline")?.map_or(Ok(()), Input::finish)?;
        acceptance.finish()?;
    }
    data.finish()
}

fn read_automatic_methods(input: &mut Input) -> Result<bool, ApiError> {
    let Some(mut automatic) = input.object("automatic_payment_methods")? else { return Ok(false) };
    let enabled = automatic.boolean("enabled")?.unwrap_or(false);
    automatic.choice("allow_redirects", &["always", "never"])?;
    automatic.finish()?;
    Ok(enabled)
}

/// The method that a call names or describes.
///
/// # Errors
/// When it does both, or there is no such method.
pub fn name_method(
    world: &mut World,
    at: &Context,
    named: Option<String>,
    described: Option<Input>,
) -> Result<Option<String>, ApiError> {
    match (named, described) {
        (None, None) => Ok(None),
        (Some(named), None) => method::resolve(world, at, &named).map(Some),
        (None, Some(mut described)) => {
            let id = method::read(world, at, &mut described)?;
            described.finish()?;
            Ok(Some(id))
        }
        (Some(_), Some(_)) => {
            Err(ApiError::invalid("Give payment_method or payment_method_data, not both.").param("payment_method_data"))
        }
    }
}

fn check_method(
    world: &World,
    at: &Context,
    allowed: &[String],
    currency: &str,
    customer: Option<&str>,
    id: &str,
) -> Result<(), ApiError> {
    let method = owned(&world.methods, &at.account, id)?;
    let kind = method.kind.name();
    if !allowed.iter().any(|allowed| allowed == kind) {
        let message = format!(
            "The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Allowed types: {}.",
            allowed.join(", ")
        );
        return Err(ApiError::invalid(message).param("payment_method"));
    }
    if kind == "sepa_debit" && currency != "eur" {
        let message =
            "The currency provided is invalid. Payments with sepa_debit support the following currencies: eur.";
        return Err(ApiError::invalid(message).param("currency"));
    }
    if method.customer.is_some() && method.customer.as_deref() != customer {
        let message =
            "The provided PaymentMethod is attached to another customer. Give that customer with the payment.";
        return Err(ApiError::invalid(message).param("payment_method"));
    }
    Ok(())
}

fn approve(world: &mut World, at: &Context, intent: &Intent, method: &Method, attempt: Attempt) {
    let keeps = intent.setup_future_usage.is_some();
    let charge = charge::make(world, at, method, ChargeStatus::Succeeded, terms(intent, attempt.authenticated));
    if let Some(held) = world.intents.get_mut(&intent.id) {
        held.status = IntentStatus::Succeeded;
        held.method = Some(method.id.clone());
        held.latest_charge = Some(charge.clone());
        held.last_error = None;
    }
    if keeps && !attempt.off_session {
        if let Some(held) = world.methods.get_mut(&method.id) {
            held.set_up |= intent.setup_future_usage.as_deref() == Some("off_session");
        }
        if let Some(customer) = &intent.customer {
            method::attach_quietly(world, at, &method.id, customer);
        }
    }
    tell(world, at, &intent.id, "payment_intent.succeeded");
    if let Some(session) = &intent.session {
        session::paid(world, at, session);
    }
    if let MethodKind::Card(card) = &method.kind {
        let later = match card.behavior {
            CardBehavior::Disputed(reason) => {
                Some(Action::OpenDispute { charge, kind: DisputeKind::Chargeback(reason) })
            }
            CardBehavior::Inquired => Some(Action::OpenDispute { charge, kind: DisputeKind::Inquiry }),
            CardBehavior::FraudWarned => Some(Action::WarnOfFraud { charge }),
            CardBehavior::Succeeds
            | CardBehavior::Declines(_)
            | CardBehavior::DeclinesOnceSaved
            | CardBehavior::ChallengesUntilSetUp
            | CardBehavior::ChallengesAlways
            | CardBehavior::ChallengesThenNoFunds
            | CardBehavior::RefundFails
            | CardBehavior::RefundPends
            | CardBehavior::Blocked => None,
        };
        if let Some(action) = later {
            timer::set(world, &at.account, at.now, action);
        }
    }
}

fn begin_debit(world: &mut World, at: &Context, intent: &Intent, method: &str, behavior: DebitBehavior) {
    let multi_use = intent.setup_future_usage.as_deref() == Some("off_session");
    method::give_mandate(world, at, method, multi_use);
    // Read again: the charge shows the mandate.
    let Some(method) = world.methods.get(method).cloned() else { return };
    let charge = charge::make(world, at, &method, ChargeStatus::Pending, terms(intent, false));
    if let Some(held) = world.intents.get_mut(&intent.id) {
        held.status = IntentStatus::Processing;
        held.method = Some(method.id.clone());
        held.latest_charge = Some(charge);
        held.last_error = None;
    }
    if let (true, Some(customer)) = (intent.setup_future_usage.is_some(), &intent.customer) {
        method::attach_quietly(world, at, &method.id, customer);
    }
    tell(world, at, &intent.id, "payment_intent.processing");
    if let Some(session) = &intent.session {
        session::awaits_debit(world, at, session);
    }
    let of_this = intent.id.clone();
    let late = at.now.plus_seconds(LATE_DEBIT_SECONDS);
    let (due, action) = match behavior {
        DebitBehavior::Succeeds | DebitBehavior::Disputed => (at.now, Action::SettleDebit { intent: of_this }),
        DebitBehavior::SucceedsLater => (late, Action::SettleDebit { intent: of_this }),
        DebitBehavior::Fails => (at.now, Action::ReturnDebit { intent: of_this }),
        DebitBehavior::FailsLater => (late, Action::ReturnDebit { intent: of_this }),
    };
    timer::set(world, &at.account, due, action);
}

fn refuse(
    world: &mut World,
    at: &Context,
    intent: &Intent,
    method: &Method,
    decline: Decline,
    reached: Reached,
) -> ApiError {
    let charge = (reached == Reached::Issuer)
        .then(|| charge::make(world, at, method, ChargeStatus::Failed(decline), terms(intent, false)));
    if let Some(held) = world.intents.get_mut(&intent.id) {
        held.status = IntentStatus::RequiresPaymentMethod;
        held.method = None;
        held.latest_charge = charge.clone().or_else(|| held.latest_charge.take());
        held.last_error = Some((decline, method.id.clone()));
    }
    tell(world, at, &intent.id, "payment_intent.payment_failed");
    let error = refusal(world, decline, charge.as_deref(), &method.id);
    match world.intents.get(&intent.id) {
        Some(intent) => error.with("payment_intent", intent.render(world)),
        None => error,
    }
}

fn refusal(world: &World, decline: Decline, charge: Option<&str>, failed: &str) -> ApiError {
    let mut error = method::declined(decline);
    if let Some(charge) = charge {
        error = error.with("charge", json!(charge));
    }
    match world.methods.get(failed) {
        Some(method) => error.with("payment_method", method.render(world)),
        None => error,
    }
}

fn terms(intent: &Intent, authenticated: bool) -> Terms {
    Terms {
        intent: intent.id.clone(),
        amount: intent.amount,
        currency: intent.currency.clone(),
        customer: intent.customer.clone(),
        description: intent.description.clone(),
        receipt_email: intent.receipt_email.clone(),
        metadata: intent.metadata.clone(),
        authenticated,
    }
}

fn unexpected(world: &World, intent: &Intent, verb: &str) -> ApiError {
    let status = intent.status.name();
    let message = format!("You cannot {verb} this PaymentIntent because it has a status of {status}.");
    ApiError::invalid(message).code("payment_intent_unexpected_state").with("payment_intent", intent.render(world))
}
