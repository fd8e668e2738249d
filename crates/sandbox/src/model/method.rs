//! Payment methods: a test card or bank account, remembered by its last four
//! digits and by how it behaves. Never holds a number.

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::card::{self, CardBehavior, DebitBehavior, NumberRefusal, TestCard, TestIban};
use super::error::ApiError;
use super::event::emit;
use super::input::{Input, Metadata, merge_metadata};
use super::list::{self, Page};
use super::moment::Moment;
use super::verdict::{Decline, Verdict, judge_saving};
use super::{Context, Object, World, customer, owned, owned_mut};

/// A means to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// `pm_…`
    pub id: String,
    account: String,
    created: Moment,
    /// Whom it is attached to.
    pub customer: Option<String>,
    /// What it is.
    pub kind: MethodKind,
    /// Who pays the bill.
    pub billing: Billing,
    metadata: Metadata,
    /// Whether its owner authenticated it for payments while they are away.
    pub set_up: bool,
    /// The permission to debit, once given.
    pub mandate: Option<String>,
}

/// Who pays the bill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// Where mail goes.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The telephone.
    pub phone: Option<String>,
    /// The address.
    pub address: Option<Metadata>,
}

/// What a payment method is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    /// A test card.
    Card(Card),
    /// A test bank account.
    SepaDebit(Debit),
}

/// What is kept of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The network.
    pub brand: String,
    last_four: String,
    funding: String,
    country: String,
    exp_month: i64,
    exp_year: i64,
    fingerprint: String,
    /// What it does.
    pub behavior: CardBehavior,
}

/// What is kept of a bank account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debit {
    bank_code: String,
    country: String,
    last_four: String,
    fingerprint: String,
    /// What it does.
    pub behavior: DebitBehavior,
}

/// A permission to debit a bank account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    id: String,
    account: String,
    created: Moment,
    method: String,
    reference: String,
    multi_use: bool,
}

impl MethodKind {
    /// The type on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Card(_) => "card",
            Self::SepaDebit(_) => "sepa_debit",
        }
    }
}

impl Method {
    /// `payment_method_details` of a charge.
    #[must_use]
    pub fn details(&self) -> Value {
        match &self.kind {
            MethodKind::Card(card) => json!({ "type": "card", "card": {
                "brand": card.brand, "last4": card.last_four, "funding": card.funding, "country": card.country,
                "exp_month": card.exp_month, "exp_year": card.exp_year, "fingerprint": card.fingerprint,
                "network": card.brand, "wallet": null,
                "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
            }}),
            MethodKind::SepaDebit(debit) => json!({ "type": "sepa_debit", "sepa_debit": {
                "bank_code": debit.bank_code, "branch_code": null, "country": debit.country,
                "fingerprint": debit.fingerprint, "last4": debit.last_four, "mandate": self.mandate,
            }}),
        }
    }
}

impl Billing {
    /// The JSON on the wire.
    #[must_use]
    pub fn render(&self) -> Value {
        let part = |name: &str| self.address.as_ref().and_then(|address| address.get(name));
        json!({
            "address": { "city": part("city"), "country": part("country"), "line1": part("line1"),
                         "line2": part("line2"), "postal_code": part("postal_code"), "state": part("state") },
            "email": self.email, "name": self.name, "phone": self.phone, "tax_id": null,
        })
    }
}

impl Object for Method {
    const NOUN: &'static str = "PaymentMethod";
    fn id(&self) -> &str {
        &self.id
    }
    fn account(&self) -> &str {
        &self.account
    }
    fn created(&self) -> Moment {
        self.created
    }
    fn render(&self, _world: &World) -> Value {
        let mut shown = json!({
            "id": self.id, "object": "payment_method", "allow_redisplay": "unspecified",
            "billing_details": self.billing.render(), "created": self.created.seconds(), "customer": self.customer,
            "livemode": false, "metadata": self.metadata, "type": self.kind.name(),
        });
        shown[self.kind.name()] = match &self.kind {
            MethodKind::Card(card) => json!({
                "brand": card.brand, "display_brand": card.brand, "last4": card.last_four, "funding": card.funding,
                "country": card.country, "exp_month": card.exp_month, "exp_year": card.exp_year,
                "fingerprint": card.fingerprint, "generated_from": null,
                "networks": { "available": [card.brand], "preferred": null },
                "three_d_secure_usage": { "supported": true }, "wallet": null,
                "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
            }),
            MethodKind::SepaDebit(debit) => json!({
                "bank_code": debit.bank_code, "branch_code": null, "country": debit.country,
                "fingerprint": debit.fingerprint, "generated_from": { "charge": null, "setup_attempt": null },
                "last4": debit.last_four,
            }),
        };
        shown
    }
}

impl Object for Mandate {
    const NOUN: &'static str = "mandate";
    fn id(&self) -> &str {
        &self.id
    }
    fn account(&self) -> &str {
        &self.account
    }
    fn created(&self) -> Moment {
        self.created
    }
    fn render(&self, _world: &World) -> Value {
        json!({
            "id": self.id, "object": "mandate", "livemode": false, "payment_method": self.method, "status": "active",
            "customer_acceptance": { "accepted_at": self.created.seconds(), "type": "online",
                                     "online": { "ip_address": null, "user_agent": null } },
            "payment_method_details": { "type": "sepa_debit", "sepa_debit": { "reference": self.reference, "url": null } },
            "type": if self.multi_use { "multi_use" } else { "single_use" },
        })
    }
}

/// A card as a form gives it.
#[derive(Debug, Clone, Copy)]
pub struct CardEntry<'text> {
    /// The number, with or without spaces.
    pub number: &'text str,
    /// 1 to 12.
    pub exp_month: i64,
    /// Two or four digits.
    pub exp_year: i64,
    /// Three or four digits.
    pub cvc: &'text str,
}

/// A payment method for a card that a buyer typed.
///
/// # Errors
/// A card error that names the field.
pub fn from_card(world: &mut World, at: &Context, entry: CardEntry<'_>, billing: Billing) -> Result<String, ApiError> {
    let found = card::find_card(entry.number).map_err(|refusal| match refusal {
        NumberRefusal::Malformed => {
            ApiError::card("Your card number is incorrect.").code("incorrect_number").param("number")
        }
        NumberRefusal::NotForTests => declined(Decline::NotForTests).param("number"),
    })?;
    let year = if entry.exp_year < 100 { entry.exp_year.saturating_add(2_000) } else { entry.exp_year };
    if !(1..=12).contains(&entry.exp_month) {
        let message = "Your card's expiration month is invalid.";
        return Err(ApiError::card(message).code("invalid_expiry_month").param("exp_month"));
    }
    let (this_year, this_month) = year_and_month(at.now);
    if (year, entry.exp_month) < (this_year, this_month) || year > this_year.saturating_add(50) {
        let message = "Your card's expiration year is invalid.";
        return Err(ApiError::card(message).code("invalid_expiry_year").param("exp_year"));
    }
    let digits = if found.brand == "amex" { 3..=4 } else { 3..=3 };
    if !digits.contains(&entry.cvc.len()) || !entry.cvc.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ApiError::card("Your card's security code is invalid.").code("invalid_cvc").param("cvc"));
    }
    let kind = card_kind(found, entry.exp_month, year);
    Ok(insert(world, at, kind, billing, Metadata::new()))
}

/// A payment method for an IBAN that a buyer typed.
///
/// # Errors
/// When it is no test IBAN.
pub fn from_iban(world: &mut World, at: &Context, iban: &str, billing: Billing) -> Result<String, ApiError> {
    let found = find_iban(iban).map_err(|refused| refused.param("iban"))?;
    Ok(insert(world, at, debit_kind(found), billing, Metadata::new()))
}

/// `POST /v1/payment_methods`
///
/// # Errors
/// When a parameter is wrong or the number is not for tests.
pub fn create(world: &mut World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let id = read(world, at, &mut input)?;
    input.finish()?;
    retrieve(world, at, &id)
}

/// Reads `type`, `card` or `sepa_debit`, `billing_details` and `metadata`, and makes the method.
///
/// # Errors
/// When a parameter is wrong or the number is not for tests.
pub fn read(world: &mut World, at: &Context, input: &mut Input) -> Result<String, ApiError> {
    let kind = input.choice("type", &["card", "sepa_debit"])?.ok_or_else(|| input.required("type"))?;
    let billing = read_billing(input)?.unwrap_or_default();
    let metadata = input.metadata("metadata")?.unwrap_or_default();
    input.text("allow_redisplay")?;
    let mut inner = input.object(&kind)?.ok_or_else(|| input.required(&kind))?;
    let id = if kind == "sepa_debit" {
        let iban = inner.required_text("iban")?;
        let found = find_iban(&iban).map_err(|refused| refused.param("sepa_debit[iban]"))?;
        if billing.name.is_none() || billing.email.is_none() {
            return Err(ApiError::invalid(
                "billing_details[name] and billing_details[email] are required for sepa_debit.",
            )
            .code("parameter_missing")
            .param("billing_details[name]"));
        }
        insert(world, at, debit_kind(found), billing, metadata)
    } else if let Some(token) = inner.text("token")? {
        let found = card::find_token(&token).ok_or_else(|| {
            ApiError::invalid(format!("No such token: '{token}'")).code("resource_missing").param("card[token]")
        })?;
        insert(world, at, token_kind(found, at.now), billing, metadata)
    } else {
        let (number, month) = (inner.required_text("number")?, inner.required_integer("exp_month")?);
        let (year, cvc) = (inner.required_integer("exp_year")?, inner.text("cvc")?);
        let cvc = cvc.as_deref().unwrap_or("123");
        let entry = CardEntry { number: &number, exp_month: month, exp_year: year, cvc };
        let id = from_card(world, at, entry, billing)?;
        if let Some(method) = world.methods.get_mut(&id) {
            method.metadata = metadata;
        }
        id
    };
    inner.finish()?;
    Ok(id)
}

/// The method that a call names: its id, or a `pm_card_…` token, which makes one.
///
/// # Errors
/// When there is none.
pub fn resolve(world: &mut World, at: &Context, named: &str) -> Result<String, ApiError> {
    if let Some(found) = card::find_token(named) {
        return Ok(insert(world, at, token_kind(found, at.now), Billing::default(), Metadata::new()));
    }
    match owned(&world.methods, &at.account, named) {
        Ok(method) => Ok(method.id.clone()),
        Err(missing) => Err(missing.param("payment_method")),
    }
}

/// `GET /v1/payment_methods/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.methods, &at.account, id)?.render(world))
}

/// `POST /v1/payment_methods/{id}`
///
/// # Errors
/// When there is none or a parameter is wrong.
pub fn update(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let billing = read_billing(&mut input)?;
    let metadata = input.metadata("metadata")?;
    input.finish()?;
    let method = owned_mut(&mut world.methods, &at.account, id)?;
    method.billing = billing.unwrap_or_else(|| method.billing.clone());
    merge_metadata(&mut method.metadata, metadata);
    let shown = retrieve(world, at, id)?;
    emit(world, at, "payment_method.updated", shown.clone());
    Ok(shown)
}

/// `POST /v1/payment_methods/{id}/attach`
///
/// # Errors
/// When the card refuses to be saved, or belongs to somebody else.
pub fn attach(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let customer = input.required_text("customer")?;
    input.finish()?;
    customer::living(world, at, &customer)?;
    let id = attach_checked(world, at, id, &customer)?;
    retrieve(world, at, &id)
}

/// Attaches after asking the issuer, as saving a card does.
///
/// # Errors
/// When the card refuses to be saved, or belongs to somebody else.
pub fn attach_checked(world: &mut World, at: &Context, named: &str, customer: &str) -> Result<String, ApiError> {
    let id = resolve(world, at, named)?;
    let method = owned(&world.methods, &at.account, &id)?;
    match &method.customer {
        Some(owner) if owner == customer => return Ok(id),
        Some(_) => {
            return Err(ApiError::invalid("The payment method you provided has already been attached to a customer."));
        }
        None => {}
    }
    if let MethodKind::Card(card) = &method.kind
        && let Verdict::Declined(decline) = judge_saving(card.behavior, true)
    {
        return Err(declined(decline));
    }
    attach_quietly(world, at, &id, customer);
    Ok(id)
}

/// Attaches without asking the issuer, who has just said yes to a payment.
pub fn attach_quietly(world: &mut World, at: &Context, id: &str, customer: &str) {
    let Some(method) = world.methods.get_mut(id) else { return };
    if method.customer.is_some() {
        return;
    }
    method.customer = Some(customer.to_owned());
    if let Ok(shown) = retrieve(world, at, id) {
        emit(world, at, "payment_method.attached", shown);
    }
}

/// `POST /v1/payment_methods/{id}/detach`
///
/// # Errors
/// When there is none, or it is not attached.
pub fn detach(world: &mut World, at: &Context, id: &str) -> Result<Value, ApiError> {
    let method = owned_mut(&mut world.methods, &at.account, id)?;
    if method.customer.take().is_none() {
        let message = "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(ApiError::invalid(message));
    }
    let shown = retrieve(world, at, id)?;
    emit(world, at, "payment_method.detached", shown.clone());
    Ok(shown)
}

/// `GET /v1/payment_methods` and `GET /v1/customers/{id}/payment_methods`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, owner: Option<&str>, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let customer = match owner {
        Some(owner) => Some(owner.to_owned()),
        None => input.text("customer")?,
    };
    let kind = input.choice("type", &["card", "sepa_debit"])?;
    input.finish()?;
    list::list(world, &world.methods, &at.account, "/v1/payment_methods", &page, |method| {
        method.customer.is_some()
            && (customer.is_none() || method.customer == customer)
            && kind.as_deref().is_none_or(|kind| method.kind.name() == kind)
    })
}

/// The methods that a customer has.
#[must_use]
pub fn of_customer(world: &World, account: &str, customer: &str) -> Vec<String> {
    let all = world.methods.oldest_first().map(|(_, _, row)| row);
    all.filter(|row| row.account == account && row.customer.as_deref() == Some(customer))
        .map(|row| row.id.clone())
        .collect()
}

/// `GET /v1/mandates/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve_mandate(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.mandates, &at.account, id)?.render(world))
}

/// Gives a bank account its permission to be debited, once.
pub fn give_mandate(world: &mut World, at: &Context, id: &str, multi_use: bool) -> Option<String> {
    let method = world.methods.get(id)?;
    match &method.kind {
        MethodKind::Card(_) => return None,
        MethodKind::SepaDebit(_) => {}
    }
    if method.mandate.is_some() {
        return method.mandate.clone();
    }
    let mandate = world.mint("mandate", 24);
    let reference = world.settings_mut().chance.letters(16).to_ascii_uppercase();
    let row = Mandate {
        id: mandate.clone(),
        account: at.account.clone(),
        created: at.now,
        method: id.to_owned(),
        reference,
        multi_use,
    };
    world.mandates.insert(&mandate, row);
    world.methods.get_mut(id)?.mandate = Some(mandate.clone());
    Some(mandate)
}

/// The card error of a decline, without the payment that it ended.
#[must_use]
pub fn declined(decline: Decline) -> ApiError {
    let mut error = ApiError::card(decline.message()).code(decline.code());
    for (name, value) in [
        ("decline_code", decline.decline_code()),
        ("advice_code", decline.advice_code()),
        ("network_decline_code", decline.network_decline_code()),
    ] {
        if let Some(value) = value {
            error = error.with(name, json!(value));
        }
    }
    error
}

fn find_iban(iban: &str) -> Result<&'static TestIban, ApiError> {
    card::find_iban(iban).map_err(|refusal| match refusal {
        NumberRefusal::Malformed => {
            ApiError::invalid("The IBAN you provided is invalid.").code("invalid_bank_account_iban")
        }
        NumberRefusal::NotForTests => {
            let message = "Your request was in test mode, but used a non test IBAN. For a list of valid test IBANs, \
                           visit: https://docs.stripe.com/payments/sepa-debit#testing";
            ApiError::invalid(message).code("invalid_bank_account_iban")
        }
    })
}

fn read_billing(input: &mut Input) -> Result<Option<Billing>, ApiError> {
    let Some(mut parts) = input.object("billing_details")? else { return Ok(None) };
    let billing = Billing {
        email: parts.text("email")?,
        name: parts.text("name")?,
        phone: parts.text("phone")?,
        address: customer::read_address(&mut parts, "address")?,
    };
    parts.finish()?;
    Ok(Some(billing))
}

fn card_kind(card: &TestCard, exp_month: i64, exp_year: i64) -> MethodKind {
    MethodKind::Card(Card {
        brand: card.brand.to_owned(),
        last_four: card::last_four(card.number),
        funding: card.funding.to_owned(),
        country: card.country.to_owned(),
        exp_month,
        exp_year,
        fingerprint: fingerprint(card.token),
        behavior: card.behavior,
    })
}

fn token_kind(card: &TestCard, now: Moment) -> MethodKind {
    let (year, month) = year_and_month(now);
    card_kind(card, month, year.saturating_add(1))
}

fn debit_kind(known: &TestIban) -> MethodKind {
    let bank_code: String = known.iban.chars().skip(4).take(if known.iban.starts_with("DE") { 8 } else { 5 }).collect();
    MethodKind::SepaDebit(Debit {
        bank_code,
        country: known.iban.chars().take(2).collect(),
        last_four: card::last_four(known.iban),
        fingerprint: fingerprint(known.iban),
        behavior: known.behavior,
    })
}

fn fingerprint(name: &str) -> String {
    let hash = digest::digest(&digest::SHA256, name.as_bytes());
    HEXLOWER.encode(hash.as_ref()).chars().take(16).collect()
}

fn insert(world: &mut World, at: &Context, kind: MethodKind, billing: Billing, metadata: Metadata) -> String {
    let id = world.mint("pm", 24);
    let method = Method {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        customer: None,
        kind,
        billing,
        metadata,
        set_up: false,
        mandate: None,
    };
    world.methods.insert(&id, method);
    id
}

/// The year and the month in UTC, by the proleptic Gregorian calendar.
fn year_and_month(now: Moment) -> (i64, i64) {
    // Counted from 0000-03-01, so that the leap day is the last of its year.
    let days = now.seconds().div_euclid(86_400).saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_falls_into_its_month() {
        let rows = [
            (0, (1970, 1)),
            (951_782_400, (2000, 2)),
            (951_868_800, (2000, 3)),
            (1_735_689_599, (2024, 12)),
            (1_735_689_600, (2025, 1)),
            (4_107_542_400, (2100, 3)),
        ];
        for (seconds, expected) in rows {
            assert_eq!(year_and_month(Moment::from_seconds(seconds)), expected, "{seconds}");
        }
    }
}
