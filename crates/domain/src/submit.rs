//! Opening a checkout and pressing pay.
//!
//! Every amount here comes from the catalog; a client names a plan, a
//! quantity and a currency, and nothing else about money.

use std::collections::BTreeMap;

use money::{Currency, Money};
use serde_json::json;

use crate::text::clean;
use crate::{
    Actor, Bundle, Changes, Checkout, CheckoutId, CheckoutState, Consent, Country, Customer, CustomerId, Duration,
    Email, Event, EventId, EventKind, GatewayAccount, Job, JobId, JobKind, Locale, Order, OrderId, OrderLine,
    OrderNumber, OrderState, Payment, PaymentId, PaymentState, Plan, Product, Question, Refusal, Rng, Sale, Shop,
    Timestamp, each_once, read_answers, read_known_answers,
};

/// How long a checkout can be paid.
const CHECKOUT_LIFETIME: Duration = Duration::hours(23);

/// What a buyer, or the seller's program, wants to buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutRequest {
    /// The id of the visit. A page mints it before the first press, so that a second press is the same visit.
    pub id: CheckoutId,
    /// How many.
    pub quantity: u32,
    /// In which currency; `None`: as the buyer's country suggests.
    pub currency: Option<Currency>,
    /// A coupon code.
    pub coupon: Option<String>,
    /// Where the keys go, when known already.
    pub email: Option<Email>,
    /// The buyer's country.
    pub country: Country,
    /// The buyer's language.
    pub locale: Locale,
    /// Where to send the buyer after paying.
    pub success_url: Option<String>,
    /// Where to send a buyer who turns back.
    pub cancel_url: Option<String>,
    /// The seller's own notes.
    pub metadata: BTreeMap<String, String>,
    /// What is known already of what the plan asks, by the name of the question; the buyer is asked the rest.
    pub answers: BTreeMap<String, String>,
}

/// What the buyer says when pressing pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuyerDetails {
    /// Where the keys go.
    pub email: Email,
    /// As on the invoice.
    pub name: Option<String>,
    /// The buyer's country.
    pub country: Country,
    /// The buyer's language.
    pub locale: Locale,
    /// Whether immediate supply was asked for and the loss of withdrawal accepted.
    pub immediate_supply: bool,
    /// Whether the buyer was told that the code comes later, because the stock is empty.
    pub accepts_later: bool,
    /// What was said to the questions that were still open, by their names.
    pub answers: BTreeMap<String, String>,
}

/// A plan as it stands in the catalog.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The shop.
    pub shop: &'a Shop,
    /// The product of the plan.
    pub product: &'a Product,
    /// The plan.
    pub plan: &'a Plan,
    /// What it sells together, in the order of [`Plan::bundle`].
    pub parts: &'a [(Product, Plan)],
}

impl Offer<'_> {
    /// What buyers are asked: for the plan itself, and for its parts.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        each_once(self.plan.questions.iter().chain(self.parts.iter().flat_map(|(_, part)| &part.questions)))
    }

    /// Whether a license key is among what is sold: a bundle sells its parts, and nothing itself.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        match self.parts {
            [] => self.plan.fulfilment.is_key(),
            parts => parts.iter().any(|(_, part)| part.fulfilment.is_key()),
        }
    }
}

/// Opens a checkout with the order it prepares.
///
/// # Errors
/// When the plan cannot be bought like that.
pub fn open_checkout(
    offer: &Offer<'_>,
    request: &CheckoutRequest,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    let Offer { shop, product, plan, parts } = *offer;
    // A part may be sold in this company alone, and so need not be on sale itself.
    let is_whole = parts.iter().map(|(_, part)| part.id).eq(plan.bundle.iter().copied());
    if !plan.is_active || !product.is_active || !is_whole {
        return Err(Refusal::PlanNotOnSale);
    }
    if !(1..=plan.max_quantity).contains(&request.quantity) {
        return Err(Refusal::QuantityOutOfRange { max: plan.max_quantity });
    }
    if request.coupon.is_some() {
        return Err(Refusal::CouponUnknown);
    }
    let price = match request.currency {
        Some(currency) => plan.price_in(currency),
        None => plan.price_for(request.country, shop.default_currency),
    }
    .ok_or(Refusal::NoPriceInCurrency)?;
    // No gateway collects nothing, so a price of zero is a price that is missing.
    let unit_amount =
        price.unit_amount(request.quantity).filter(|unit| unit.is_positive()).ok_or(Refusal::NoPriceInCurrency)?;
    let amount = unit_amount.checked_multiply(i64::from(request.quantity))?;
    let answers = read_known_answers(&offer.questions(), &request.answers, request.locale.language())?;
    let mut lines = lines(offer, request.quantity, unit_amount)?;
    lines.iter_mut().for_each(|line| line.take_answers(&answers));
    let order = Order {
        id: OrderId::mint(now, rng),
        shop: shop.id,
        version: 0,
        number: OrderNumber::mint(rng),
        checkout: request.id,
        customer: None,
        email: request.email.clone(),
        country: request.country,
        locale: request.locale.clone(),
        lines,
        total: amount,
        refunded: money::Money::zero(amount.currency()),
        state: OrderState::Pending,
        seller: shop.seller.clone(),
        consent: Consent { terms_version: shop.terms_version.clone(), immediate_supply_at: None },
        metadata: request.metadata.clone(),
        created_at: now,
        paid_at: None,
        unanswered_since: None,
    };
    let checkout = Checkout {
        id: request.id,
        shop: shop.id,
        version: 0,
        order: order.id,
        state: CheckoutState::Open,
        success_url: request.success_url.clone(),
        cancel_url: request.cancel_url.clone(),
        expires_at: now.after(CHECKOUT_LIFETIME),
        created_at: now,
    };
    let event = event(&order, EventKind::CheckoutOpened, actor, now, rng, json!({ "total": order.total }));
    Ok(Changes { orders: vec![order], checkouts: vec![checkout], events: vec![event], ..Changes::default() })
}

/// The lines of an order of so many: one for the plan, or one for each of its parts. Parts share the price by what they
/// cost alone; where one has no price in the currency, all get the same. What the whole asks goes to each of them: whoever
/// fulfils one may need it.
fn lines(offer: &Offer<'_>, quantity: u32, unit_amount: Money) -> Result<Vec<OrderLine>, Refusal> {
    let whole = offer.plan;
    let line = |product: &Product, plan: &Plan, unit_amount: Money, bundle: Option<Bundle>| {
        let of_part = bundle.iter().flat_map(|_| &plan.questions);
        Ok(OrderLine {
            product: product.id,
            plan: plan.id,
            product_name: product.name.clone(),
            plan_name: plan.name.clone(),
            quantity,
            unit_amount,
            amount: unit_amount.checked_multiply(i64::from(quantity))?,
            policy: plan.policy.clone(),
            fulfilment: plan.fulfilment,
            questions: each_once(whole.questions.iter().chain(of_part)),
            answers: Vec::new(),
            bundle,
        })
    };
    let Offer { product, plan, parts, .. } = *offer;
    if parts.is_empty() {
        return Ok(vec![line(product, plan, unit_amount, None)?]);
    }
    let alone = |part: &Plan| {
        let price = part.price_in(unit_amount.currency())?.unit_amount(1)?;
        u64::try_from(price.minor()).ok().filter(|minor| *minor > 0)
    };
    let ratios: Option<Vec<u64>> = parts.iter().map(|(_, part)| alone(part)).collect();
    let shares = unit_amount.allocate(&ratios.unwrap_or_else(|| vec![1; parts.len()]))?;
    let bundle = Bundle { plan: plan.id, name: format!("{} {}", product.name, plan.name) };
    let shared = parts.iter().zip(shares);
    shared.map(|((product, plan), share)| line(product, plan, share, Some(bundle.clone()))).collect()
}

/// Presses pay: notes who buys, and writes down the payment that is to be
/// opened. Pressing again while a payment is open gives that payment.
///
/// # Errors
/// When the checkout can no longer be paid, consent is missing, what is asked was not answered, or pay was pressed before
/// with other answers: neither of two is to be lost.
pub fn submit_checkout(
    sale: &Sale,
    shop: &Shop,
    customer: Option<&Customer>,
    buyer: &BuyerDetails,
    account: &GatewayAccount,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<(Changes, PaymentId), Refusal> {
    match sale.checkout.state {
        CheckoutState::Completed => return Err(Refusal::CheckoutCompleted),
        CheckoutState::Expired => return Err(Refusal::CheckoutExpired),
        CheckoutState::Open | CheckoutState::Submitted | CheckoutState::Abandoned => {}
    }
    if sale.checkout.expires_at <= now {
        return Err(Refusal::CheckoutExpired);
    }
    if account.mode != shop.mode {
        return Err(Refusal::ModeMismatch { expected: shop.mode, reported: account.mode });
    }
    if buyer.country.is_in_european_union() && !buyer.immediate_supply {
        return Err(Refusal::ConsentMissing);
    }
    if sale.checkout.state == CheckoutState::Submitted && !says_the_same(&sale.order, &buyer.answers) {
        return Err(Refusal::SubmittedOtherwise);
    }
    let (answers, errors) = read_answers(&sale.order.questions(), &buyer.answers, buyer.locale.language());
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let customer = Customer {
        id: customer.map_or_else(|| CustomerId::mint(now, rng), |known| known.id),
        shop: shop.id,
        version: customer.map_or(0, |known| known.version),
        email: buyer.email.clone(),
        name: buyer.name.clone().or_else(|| customer.and_then(|known| known.name.clone())),
        country: buyer.country,
        locale: buyer.locale.clone(),
        created_at: customer.map_or(now, |known| known.created_at),
    };
    let mut order = sale.order.clone();
    order.customer = Some(customer.id);
    order.email = Some(buyer.email.clone());
    order.country = buyer.country;
    order.locale = buyer.locale.clone();
    for line in &mut order.lines {
        line.take_answers(&answers);
        // What need not be answered, and was not, is not asked again.
        line.questions.clear();
    }
    if buyer.immediate_supply {
        // The first time is the evidence; a second press neither renews nor, with the first page still open, undoes it.
        order.consent.immediate_supply_at = order.consent.immediate_supply_at.or(Some(now));
    }
    let mut checkout = sale.checkout.clone();
    checkout.state = CheckoutState::Submitted;

    let mut changes = Changes { customers: vec![customer], ..Changes::default() };
    if checkout != sale.checkout {
        changes.checkouts = vec![checkout];
    }
    let open = sale.payments.iter().find(|payment| payment.state.is_open() && payment.gateway_account == account.id);
    let payment = match open {
        Some(payment) => payment.id,
        None => add_payment(&order, account, &mut changes, now, rng),
    };
    changes.orders = vec![order];
    Ok((changes, payment))
}

/// Whether these answers are those that the order has, as far as they go.
fn says_the_same(order: &Order, said: &BTreeMap<String, String>) -> bool {
    let known = order.answers();
    said.iter().all(|(name, said)| clean(said) == known.get(name).map(String::as_str).unwrap_or_default())
}

/// Writes down another attempt for an order whose last one ended without money.
///
/// # Errors
/// When the order can no longer be paid, or nobody has pressed pay yet.
pub fn retry_payment(
    sale: &Sale,
    account: &GatewayAccount,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<(Changes, PaymentId), Refusal> {
    if sale.order.state.was_paid() {
        return Err(Refusal::CheckoutCompleted);
    }
    if sale.order.state == OrderState::Expired || sale.checkout.expires_at <= now {
        return Err(Refusal::CheckoutExpired);
    }
    // Who buys, and what they agreed to, is written down when pay is pressed; without that nothing may be charged.
    if sale.payments.is_empty() {
        return Err(Refusal::ConsentMissing);
    }
    if let Some(known) = sale.payments.iter().find(|payment| payment.mode != account.mode) {
        return Err(Refusal::ModeMismatch { expected: known.mode, reported: account.mode });
    }
    let mut changes = Changes::default();
    let open = sale.payments.iter().find(|payment| payment.state.is_open());
    let payment = match open {
        Some(payment) => payment.id,
        None => {
            changes.orders = vec![sale.order.clone()];
            add_payment(&sale.order, account, &mut changes, now, rng)
        }
    };
    Ok((changes, payment))
}

fn add_payment(
    order: &Order,
    account: &GatewayAccount,
    changes: &mut Changes,
    now: Timestamp,
    rng: &mut Rng,
) -> PaymentId {
    let payment = Payment {
        id: PaymentId::mint(now, rng),
        shop: order.shop,
        version: 0,
        order: order.id,
        gateway_account: account.id,
        amount: order.total,
        mode: account.mode,
        state: PaymentState::Created,
        page_reference: None,
        page_url: None,
        reference: None,
        method: None,
        decline: None,
        check_at: Some(Payment::next_check(0, now)),
        checks: 0,
        created_at: now,
        opening: None,
    };
    changes.events.push(event(
        order,
        EventKind::CheckoutSubmitted,
        Actor::Buyer,
        now,
        rng,
        json!({ "payment": payment.id, "total": payment.amount }),
    ));
    changes.jobs.push(Job {
        id: JobId::mint(now, rng),
        shop: order.shop,
        kind: JobKind::OpenPayment { payment: payment.id },
        run_at: now,
        attempts: 0,
        last_error: None,
        created_at: now,
    });
    let id = payment.id;
    changes.payments.push(payment);
    id
}

/// Ends a checkout that nobody paid in time. One whose payment is still open
/// is looked at again a day later: a debit under way can still pay it.
#[must_use]
pub fn expire_checkout(sale: &Sale, now: Timestamp, rng: &mut Rng) -> Changes {
    let over = match sale.checkout.state {
        CheckoutState::Completed | CheckoutState::Expired => true,
        CheckoutState::Open | CheckoutState::Submitted | CheckoutState::Abandoned => sale.checkout.expires_at > now,
    };
    if over {
        return Changes { checks: vec![sale.check()], ..Changes::default() };
    }
    let mut checkout = sale.checkout.clone();
    let mut order = sale.order.clone();
    if sale.payments.iter().any(|payment| payment.state.is_open()) {
        checkout.expires_at = now.after(Duration::days(1));
        return Changes { checkouts: vec![checkout], orders: vec![order], ..Changes::default() };
    }
    checkout.state = CheckoutState::Expired;
    order.state = OrderState::Expired;
    let event = event(&order, EventKind::CheckoutExpired, Actor::System, now, rng, json!({}));
    Changes { checkouts: vec![checkout], orders: vec![order], events: vec![event], ..Changes::default() }
}

fn event(
    order: &Order,
    kind: EventKind,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
    data: serde_json::Value,
) -> Event {
    Event {
        id: EventId::mint(now, rng),
        shop: order.shop,
        kind,
        actor,
        order: Some(order.id),
        license: None,
        customer: order.customer,
        data,
        at: now,
    }
}

#[cfg(test)]
mod tests;
