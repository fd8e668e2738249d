//! Checkout sessions: what the merchant sells, and the hosted page on which a
//! buyer pays it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::event::emit;
use super::input::{Input, Metadata, merge_metadata};
use super::intent::{self, Attempt, IntentStatus, Order};
use super::list::{self, Page};
use super::method::{self, Billing, CardEntry};
use super::moment::Moment;
use super::setup::{self, SetupStatus, Wish};
use super::timer::{self, Action};
use super::{Context, Object, World, customer, owned, owned_mut};

const SHORTEST_SECONDS: i64 = 30 * 60;
const LONGEST_SECONDS: i64 = 24 * 60 * 60;
/// How far a client's clock may be off.
const SKEW_SECONDS: i64 = 60;
const PLACEHOLDER: &str = "{CHECKOUT_SESSION_ID}";

/// One visit to the hosted page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `cs_test_…`
    pub id: String,
    account: String,
    created: Moment,
    /// What it is for.
    pub mode: Mode,
    /// Whether a buyer can still act.
    pub status: SessionStatus,
    /// Whether the money is there.
    pub payment_status: PaymentStatus,
    /// What is sold.
    pub lines: Vec<Line>,
    /// Lower case; absent when nothing is sold.
    pub currency: Option<String>,
    /// In minor units.
    pub amount_total: i64,
    /// The customer, given or made.
    pub customer: Option<String>,
    /// What the merchant knows of the buyer's address.
    pub customer_email: Option<String>,
    makes_customer: bool,
    /// The merchant's own reference.
    pub client_reference_id: Option<String>,
    /// What the merchant attached.
    pub metadata: Metadata,
    terms: IntentTerms,
    /// The payment, once one was tried.
    pub intent: Option<String>,
    /// The saving, once one was tried.
    pub setup_intent: Option<String>,
    /// Which kinds of method the page offers.
    pub method_types: Vec<String>,
    success_url: String,
    /// Where a buyer goes who does not want to.
    pub cancel_url: Option<String>,
    /// When it ends by itself.
    pub expires_at: Moment,
    /// The language that the merchant asked for.
    pub locale: Option<String>,
    submit_type: Option<String>,
    /// Who filled the page in.
    pub details: Option<Details>,
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A payment.
    Payment,
    /// A method to be saved.
    Setup,
}

/// Whether a buyer can still act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Yes.
    Open,
    /// They have.
    Complete,
    /// They have not, and cannot any more.
    Expired,
}

/// Whether the money is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// It is.
    Paid,
    /// It is not, or not yet.
    Unpaid,
    /// There is none to come.
    NoPaymentRequired,
}

/// One thing that is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    id: String,
    /// What it is called.
    pub name: String,
    /// More about it.
    pub description: Option<String>,
    /// How many.
    pub quantity: i64,
    /// The price of one, in minor units.
    pub unit_amount: i64,
}

/// Who filled the page in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Their address.
    pub email: String,
    /// Their name, where the method needs it.
    pub name: Option<String>,
}

/// What the payment of a session carries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct IntentTerms {
    metadata: Metadata,
    description: Option<String>,
    receipt_email: Option<String>,
    setup_future_usage: Option<String>,
    challenge_requested: bool,
}

/// How a buyer pays.
#[derive(Debug, Clone, Copy)]
pub enum Means<'text> {
    /// With a card.
    Card(CardEntry<'text>),
    /// From a bank account.
    Iban(&'text str),
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Setup => "setup",
        }
    }
}

impl SessionStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

impl PaymentStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Unpaid => "unpaid",
            Self::NoPaymentRequired => "no_payment_required",
        }
    }
}

impl Line {
    /// The price of all of it, in minor units.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.unit_amount.saturating_mul(self.quantity)
    }

    fn render(&self, currency: &str) -> Value {
        json!({
            "id": self.id, "object": "item", "amount_discount": 0, "amount_subtotal": self.total(), "amount_tax": 0,
            "amount_total": self.total(), "currency": currency, "description": self.name, "quantity": self.quantity,
            "price": { "object": "price", "currency": currency, "unit_amount": self.unit_amount,
                       "unit_amount_decimal": self.unit_amount.to_string(), "type": "one_time", "recurring": null },
        })
    }
}

impl Session {
    /// Where the buyer goes afterwards, with the session's id put in.
    #[must_use]
    pub fn success_url(&self) -> String {
        self.success_url.replace(PLACEHOLDER, &self.id)
    }

    /// Whether the method is kept for later payments.
    #[must_use]
    pub const fn keeps_method(&self) -> bool {
        self.terms.setup_future_usage.is_some()
    }
}

impl Object for Session {
    const NOUN: &'static str = "checkout.session";
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
        let details = self.details.as_ref().map(|details| {
            json!({ "address": null, "business_name": null, "email": details.email, "individual_name": null,
                    "name": details.name, "phone": null, "tax_exempt": "none", "tax_ids": [] })
        });
        let url = (self.status == SessionStatus::Open).then(|| format!("{}/pay/{}", world.base_url, self.id));
        let sold = self.currency.as_ref().map(|_| self.amount_total);
        json!({
            "id": self.id, "object": "checkout.session", "adaptive_pricing": { "enabled": false },
            "after_expiration": null, "allow_promotion_codes": null, "amount_subtotal": sold, "amount_total": sold,
            "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
            "billing_address_collection": null, "cancel_url": self.cancel_url,
            "client_reference_id": self.client_reference_id, "client_secret": null, "consent": null,
            "consent_collection": null, "created": self.created.seconds(), "currency": self.currency,
            "currency_conversion": null, "custom_fields": [], "custom_text": {}, "customer": self.customer,
            "customer_creation": if self.makes_customer { "always" } else { "if_required" },
            "customer_details": details, "customer_email": self.customer_email, "discounts": [],
            "expires_at": self.expires_at.seconds(), "invoice": null, "livemode": false, "locale": self.locale,
            "metadata": self.metadata, "mode": self.mode.name(), "payment_intent": self.intent, "payment_link": null,
            "payment_method_collection": "if_required", "payment_method_options": {},
            "payment_method_types": self.method_types, "payment_status": self.payment_status.name(),
            "phone_number_collection": { "enabled": false }, "recovered_from": null,
            "setup_intent": self.setup_intent, "shipping_address_collection": null, "shipping_cost": null,
            "shipping_options": [], "status": self.status.name(), "submit_type": self.submit_type,
            "subscription": null, "success_url": self.success_url,
            "total_details": sold.map(|_| json!({ "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 })),
            "ui_mode": "hosted_page", "url": url,
        })
    }
}

/// `POST /v1/checkout/sessions`
///
/// # Errors
/// When a parameter is wrong or not simulated.
pub fn create(world: &mut World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let mode = match input.required_text("mode")?.as_str() {
        "payment" => Mode::Payment,
        "setup" => Mode::Setup,
        other => {
            let message = format!(
                "The simulated gateway knows mode=payment and mode=setup, not {other}. Bill memberships with off-session \
                 payment intents."
            );
            return Err(input.wrong("mode", &message));
        }
    };
    let given_currency = intent::read_currency(&mut input, "currency")?;
    let (lines, priced_in) = read_lines(world, &mut input)?;
    let currency = priced_in.or(given_currency);
    let amount_total = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.total()));
    match (mode, &currency) {
        (Mode::Payment, _) if lines.is_empty() => return Err(input.required("line_items")),
        (Mode::Payment, Some(currency)) => intent::check_amount(amount_total, currency, "line_items")?,
        (Mode::Setup, _) if !lines.is_empty() => {
            return Err(input.wrong("line_items", "You can not pass `line_items` in `setup` mode."));
        }
        (Mode::Payment, None) | (Mode::Setup, _) => {}
    }
    let customer = input.text("customer")?;
    if let Some(customer) = &customer {
        customer::living(world, at, customer)?;
    }
    let customer_email = input.text("customer_email")?;
    if customer.is_some() && customer_email.is_some() {
        let message = "You may only specify one of these parameters: customer, customer_email.";
        return Err(input.wrong("customer_email", message));
    }
    if customer_email.as_deref().is_some_and(|email| !is_email(email)) {
        return Err(input.wrong("customer_email", "Invalid email address").code("email_invalid"));
    }
    let makes_customer = input.choice("customer_creation", &["always", "if_required"])?.as_deref() == Some("always");
    let challenge = intent::read_challenge_request(&mut input)?;
    let terms = read_intent_terms(&mut input, mode, challenge)?;
    let method_types = intent::read_method_types(&mut input)?
        .unwrap_or_else(|| intent::default_method_types(currency.as_deref().unwrap_or("eur")));
    if method_types.iter().all(|kind| kind == "sepa_debit")
        && currency.as_deref().is_some_and(|currency| currency != "eur")
    {
        let message = "Payments with sepa_debit support the following currencies: eur.";
        return Err(input.wrong("payment_method_types", message));
    }
    let success_url = input.required_text("success_url")?;
    check_url(&success_url, "success_url")?;
    let cancel_url = input.text("cancel_url")?;
    cancel_url.as_deref().map_or(Ok(()), |url| check_url(url, "cancel_url"))?;
    let expires_at = read_expiry(world, at, &mut input)?;
    let client_reference_id = input.text("client_reference_id")?;
    if client_reference_id.as_deref().is_some_and(|reference| reference.chars().count() > 200) {
        return Err(input.wrong("client_reference_id", "client_reference_id has at most 200 characters."));
    }
    let metadata = input.metadata("metadata")?.unwrap_or_default();
    let locale = input.text("locale")?;
    let submit_type = input.choice("submit_type", &["auto", "book", "donate", "pay", "subscribe"])?;
    input.choice("ui_mode", &["hosted", "hosted_page"])?;
    input.choice("billing_address_collection", &["auto", "required"])?;
    input.finish()?;
    let id = world.mint("cs_test", 58);
    let session = Session {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        mode,
        status: SessionStatus::Open,
        payment_status: match mode {
            Mode::Payment => PaymentStatus::Unpaid,
            Mode::Setup => PaymentStatus::NoPaymentRequired,
        },
        lines,
        currency,
        amount_total,
        customer,
        customer_email,
        makes_customer,
        client_reference_id,
        metadata,
        terms,
        intent: None,
        setup_intent: None,
        method_types,
        success_url,
        cancel_url,
        expires_at,
        locale,
        submit_type,
        details: None,
    };
    world.sessions.insert(&id, session);
    timer::set(world, &at.account, expires_at, Action::ExpireSession { session: id.clone() });
    retrieve(world, at, &id)
}

/// `GET /v1/checkout/sessions/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.sessions, &at.account, id)?.render(world))
}

/// `POST /v1/checkout/sessions/{id}`
///
/// # Errors
/// When there is none or a parameter is wrong.
pub fn update(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let metadata = input.metadata("metadata")?;
    input.finish()?;
    merge_metadata(&mut owned_mut(&mut world.sessions, &at.account, id)?.metadata, metadata);
    retrieve(world, at, id)
}

/// `POST /v1/checkout/sessions/{id}/expire`
///
/// # Errors
/// When it is not open.
pub fn expire(world: &mut World, at: &Context, id: &str) -> Result<Value, ApiError> {
    let session = owned(&world.sessions, &at.account, id)?;
    if session.status != SessionStatus::Open {
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {}.",
            session.status.name()
        );
        return Err(ApiError::invalid(message));
    }
    end(world, at, id);
    retrieve(world, at, id)
}

/// `GET /v1/checkout/sessions`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let intent = input.text("payment_intent")?;
    let customer = input.text("customer")?;
    let status = input.choice("status", &["complete", "expired", "open"])?;
    let email = match input.object("customer_details")? {
        None => None,
        Some(mut details) => {
            let email = details.text("email")?;
            details.finish()?;
            email
        }
    };
    input.finish()?;
    list::list(world, &world.sessions, &at.account, "/v1/checkout/sessions", &page, |session| {
        (intent.is_none() || session.intent == intent)
            && (customer.is_none() || session.customer == customer)
            && status.as_deref().is_none_or(|status| status == session.status.name())
            && (email.is_none() || session.details.as_ref().map(|details| &details.email) == email.as_ref())
    })
}

/// `GET /v1/checkout/sessions/{id}/line_items`
///
/// # Errors
/// When there is none or a parameter is wrong.
pub fn line_items(world: &World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    Page::read(&mut input)?;
    input.finish()?;
    Ok(render_lines(owned(&world.sessions, &at.account, id)?))
}

/// The lines of a session, as a list.
#[must_use]
pub fn render_lines(session: &Session) -> Value {
    let currency = session.currency.as_deref().unwrap_or_default();
    let data = session.lines.iter().map(|line| line.render(currency)).collect();
    list::of(data, false, &format!("/v1/checkout/sessions/{}/line_items", session.id))
}

/// Whether a buyer can still act.
#[must_use]
pub fn is_open(world: &World, id: &str) -> bool {
    world.sessions.get(id).is_some_and(|session| session.status == SessionStatus::Open)
}

/// Whether the buyer is at a challenge.
#[must_use]
pub fn is_challenged(world: &World, session: &Session) -> bool {
    let intent = session.intent.as_ref().and_then(|id| world.intents.get(id));
    let setup = session.setup_intent.as_ref().and_then(|id| world.setup_intents.get(id));
    intent.is_some_and(|intent| intent.status == IntentStatus::RequiresAction)
        || setup.is_some_and(|setup| setup.status == SetupStatus::RequiresAction)
}

/// The buyer pays, or saves their method, on the hosted page.
///
/// # Errors
/// A card error leaves the session open for another try. Another error means that
/// the form was wrong.
pub fn pay(world: &mut World, at: &Context, id: &str, buyer: Details, means: Means<'_>) -> Result<(), ApiError> {
    let session = owned(&world.sessions, &at.account, id)?.clone();
    if session.status != SessionStatus::Open || is_challenged(world, &session) {
        return Ok(());
    }
    let kind = match means {
        Means::Card(_) => "card",
        Means::Iban(_) => "sepa_debit",
    };
    if !session.method_types.iter().any(|allowed| allowed == kind) {
        return Err(ApiError::invalid("This payment method is not offered here.").param("method"));
    }
    let billing = Billing { email: Some(buyer.email.clone()), name: buyer.name.clone(), ..Billing::default() };
    let method = match means {
        Means::Card(entry) => method::from_card(world, at, entry, billing)?,
        Means::Iban(iban) => method::from_iban(world, at, iban, billing)?,
    };
    let saves = session.mode == Mode::Setup || session.terms.setup_future_usage.is_some();
    let customer = match &session.customer {
        Some(customer) => Some(customer.clone()),
        None if saves || session.makes_customer => {
            Some(customer::make(world, at, Some(buyer.email.clone()), buyer.name.clone()))
        }
        None => None,
    };
    if let Some(held) = world.sessions.get_mut(id) {
        held.customer.clone_from(&customer);
        held.details = Some(buyer);
    }
    match session.mode {
        Mode::Payment => {
            let intent = session.intent.clone().unwrap_or_else(|| open_intent(world, at, &session, customer));
            intent::attempt(world, at, &intent, &method, Attempt::default())
        }
        Mode::Setup => {
            let setup = session.setup_intent.clone().unwrap_or_else(|| open_setup(world, at, &session, customer));
            setup::attempt(world, at, &setup, &method, false)
        }
    }
}

/// The buyer comes back from the challenge.
///
/// # Errors
/// The card error, when they failed it or the issuer declines after all.
pub fn answer_challenge(world: &mut World, at: &Context, id: &str, passed: bool) -> Result<(), ApiError> {
    let session = owned(&world.sessions, &at.account, id)?.clone();
    if session.status != SessionStatus::Open || !is_challenged(world, &session) {
        return Ok(());
    }
    match (&session.intent, &session.setup_intent) {
        (Some(intent), _) => intent::answer_challenge(world, at, intent, passed),
        (None, Some(setup)) => setup::answer_challenge(world, at, setup, passed),
        (None, None) => Ok(()),
    }
}

/// The payment of a session was taken.
pub fn paid(world: &mut World, at: &Context, id: &str) {
    let Some(session) = world.sessions.get_mut(id) else { return };
    session.payment_status = PaymentStatus::Paid;
    match session.status {
        SessionStatus::Open => complete(world, at, id),
        SessionStatus::Complete => tell(world, at, id, "checkout.session.async_payment_succeeded"),
        SessionStatus::Expired => {}
    }
}

/// The payment of a session is on its way.
pub fn awaits_debit(world: &mut World, at: &Context, id: &str) {
    if is_open(world, id) {
        complete(world, at, id);
    }
}

/// The method of a session was saved.
pub fn saved(world: &mut World, at: &Context, id: &str) {
    if is_open(world, id) {
        complete(world, at, id);
    }
}

/// The payment of a session came to nothing after the buyer had left.
pub fn failed_late(world: &mut World, at: &Context, id: &str) {
    tell(world, at, id, "checkout.session.async_payment_failed");
}

/// The time of a session is over.
pub fn time_out(world: &mut World, at: &Context, id: &str) {
    if is_open(world, id) {
        end(world, at, id);
    }
}

/// Whether a text can be a mail address: something, an @, and a name with a dot
/// or a host of this machine.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let plain =
        |part: &str| !part.is_empty() && !part.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    plain(local) && plain(host) && !host.starts_with('.') && !host.ends_with('.') && text.chars().count() <= 254
}

fn complete(world: &mut World, at: &Context, id: &str) {
    if let Some(session) = world.sessions.get_mut(id) {
        session.status = SessionStatus::Complete;
    }
    tell(world, at, id, "checkout.session.completed");
}

fn end(world: &mut World, at: &Context, id: &str) {
    let Some(session) = world.sessions.get_mut(id) else { return };
    session.status = SessionStatus::Expired;
    let (intent, setup) = (session.intent.clone(), session.setup_intent.clone());
    if let Some(intent) = intent {
        intent::void(world, at, &intent, Some("automatic".to_owned()));
    }
    if let Some(setup) = setup {
        setup::void(world, at, &setup);
    }
    tell(world, at, id, "checkout.session.expired");
}

fn tell(world: &mut World, at: &Context, id: &str, kind: &str) {
    if let Some(session) = world.sessions.get(id) {
        let shown = session.render(world);
        emit(world, at, kind, shown);
    }
}

fn open_intent(world: &mut World, at: &Context, session: &Session, customer: Option<String>) -> String {
    let order = Order {
        amount: session.amount_total,
        currency: session.currency.clone().unwrap_or_default(),
        customer,
        metadata: session.terms.metadata.clone(),
        description: session.terms.description.clone(),
        receipt_email: session.terms.receipt_email.clone(),
        setup_future_usage: session.terms.setup_future_usage.clone(),
        method_types: session.method_types.clone(),
        session: Some(session.id.clone()),
        challenge_requested: session.terms.challenge_requested,
    };
    let id = intent::open(world, at, order);
    if let Some(held) = world.sessions.get_mut(&session.id) {
        held.intent = Some(id.clone());
    }
    intent::tell(world, at, &id, "payment_intent.created");
    id
}

fn open_setup(world: &mut World, at: &Context, session: &Session, customer: Option<String>) -> String {
    let wish = Wish {
        customer,
        metadata: session.terms.metadata.clone(),
        description: session.terms.description.clone(),
        method_types: session.method_types.clone(),
        usage: None,
        session: Some(session.id.clone()),
    };
    let id = setup::open(world, at, wish);
    if let Some(held) = world.sessions.get_mut(&session.id) {
        held.setup_intent = Some(id.clone());
    }
    setup::tell(world, at, &id, "setup_intent.created");
    id
}

fn read_lines(world: &mut World, input: &mut Input) -> Result<(Vec<Line>, Option<String>), ApiError> {
    let mut lines = Vec::new();
    let mut currency: Option<String> = None;
    for mut item in input.objects("line_items")? {
        if item.text("price")?.is_some() {
            return Err(item.wrong("price", "The simulated gateway keeps no price list: give price_data."));
        }
        let quantity = item.integer("quantity")?.ok_or_else(|| item.required("quantity"))?;
        if !(1..=999_999).contains(&quantity) {
            return Err(item.wrong("quantity", "Invalid positive integer").code("parameter_invalid_integer"));
        }
        let mut price = item.object("price_data")?.ok_or_else(|| item.required("price_data"))?;
        let of_this = intent::read_currency(&mut price, "currency")?.ok_or_else(|| price.required("currency"))?;
        if currency.as_ref().is_some_and(|known| *known != of_this) {
            return Err(price.wrong("currency", "All line items have the same currency."));
        }
        let unit_amount = price.required_integer("unit_amount")?;
        if unit_amount < 0 {
            return Err(price.wrong("unit_amount", "Invalid non-negative integer").code("parameter_invalid_integer"));
        }
        if price.object("recurring")?.is_some() {
            return Err(price.wrong("recurring", "You can not pass `recurring` in `payment` mode."));
        }
        price.choice("tax_behavior", &["exclusive", "inclusive", "unspecified"])?;
        let mut product = price.object("product_data")?.ok_or_else(|| price.required("product_data"))?;
        let (name, description) = (product.required_text("name")?, product.text("description")?);
        product.texts("images")?;
        product.metadata("metadata")?;
        product.text("tax_code")?;
        product.finish()?;
        price.finish()?;
        item.finish()?;
        let id = world.mint("li", 24);
        lines.push(Line { id, name, description, quantity, unit_amount });
        currency = Some(of_this);
    }
    if lines.len() > 100 {
        return Err(input.wrong("line_items", "There are at most 100 line items."));
    }
    Ok((lines, currency))
}

fn read_intent_terms(input: &mut Input, mode: Mode, challenge_requested: bool) -> Result<IntentTerms, ApiError> {
    let mut terms = IntentTerms { challenge_requested, ..IntentTerms::default() };
    let (name, other) = match mode {
        Mode::Payment => ("payment_intent_data", "setup_intent_data"),
        Mode::Setup => ("setup_intent_data", "payment_intent_data"),
    };
    if input.object(other)?.is_some() {
        return Err(input.wrong(other, &format!("You can not pass `{other}` in `{}` mode.", mode.name())));
    }
    let Some(mut data) = input.object(name)? else { return Ok(terms) };
    terms.metadata = data.metadata("metadata")?.unwrap_or_default();
    terms.description = data.text("description")?;
    if mode == Mode::Payment {
        terms.receipt_email = data.text("receipt_email")?;
        terms.setup_future_usage = data.choice("setup_future_usage", &["off_session", "on_session"])?;
        data.choice("capture_method", &["automatic", "automatic_async"])?;
        data.text("statement_descriptor")?;
        data.text("statement_descriptor_suffix")?;
    }
    data.finish()?;
    Ok(terms)
}

fn read_expiry(world: &World, at: &Context, input: &mut Input) -> Result<Moment, ApiError> {
    let Some(wanted) = input.integer("expires_at")? else {
        return Ok(at.now.plus_seconds(LONGEST_SECONDS));
    };
    // A client whose clock was not moved along with the sandbox's counts from its own.
    let offset = world.settings().clock_offset.div_euclid(1_000);
    for shift in [0, offset] {
        let expires_at = Moment::from_seconds(wanted).plus_seconds(shift);
        let span = expires_at.seconds().saturating_sub(at.now.seconds());
        if (SHORTEST_SECONDS - SKEW_SECONDS..=LONGEST_SECONDS + SKEW_SECONDS).contains(&span) {
            return Ok(expires_at);
        }
    }
    let message =
        "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session creation.";
    Err(input.wrong("expires_at", message))
}

fn check_url(url: &str, param: &str) -> Result<(), ApiError> {
    let parsed: Result<axum::http::Uri, _> = url.replace(PLACEHOLDER, "id").parse();
    let callable = parsed.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if callable { Ok(()) } else { Err(ApiError::invalid("Not a valid URL").code("url_invalid").param(param)) }
}
