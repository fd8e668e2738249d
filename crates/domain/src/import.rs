//! Licenses that another system sold, taken over with the keys that their buyers hold.
//!
//! The money was collected elsewhere and is in no book of ours: the order of
//! an imported license asks nothing, so it is paid without a payment. From
//! then on it is a license like any other.

use std::collections::BTreeMap;
use std::fmt;

use latchkey_license::{KeyCode, MAX_SIGNED_KEY_BYTES, is_signed_key};
use money::Money;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Activation, ActivationId, ActivationState, Actor, Changes, Checkout, CheckoutId, CheckoutState, Consent, Country,
    Customer, CustomerId, Email, Event, EventId, EventKind, Fingerprint, Fulfilment, Group, License, LicenseId,
    LicenseState, Locale, Metering, Order, OrderId, OrderLine, OrderNumber, OrderState, OwnActs, Plan, PlanId, Product,
    Rng, Shop, ShopId, TextError, Timestamp, create_group, plain_text,
};

/// A system whose keys are taken over and, but for tables, whose API is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignSystem {
    /// Lemon Squeezy.
    LemonSqueezy,
    /// Gumroad.
    Gumroad,
    /// Easy Digital Downloads with its extension Software Licensing.
    Edd,
    /// Polar.
    Polar,
    /// Dodo Payments.
    Dodo,
    /// Keygen.
    Keygen,
    /// Whatever can be written as a table; nothing asks in its words.
    Csv,
}

impl ForeignSystem {
    /// Every system.
    pub const ALL: [Self; 7] =
        [Self::LemonSqueezy, Self::Gumroad, Self::Edd, Self::Polar, Self::Dodo, Self::Keygen, Self::Csv];

    /// The word in rows, addresses and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LemonSqueezy => "lemon_squeezy",
            Self::Gumroad => "gumroad",
            Self::Edd => "edd",
            Self::Polar => "polar",
            Self::Dodo => "dodo",
            Self::Keygen => "keygen",
            Self::Csv => "csv",
        }
    }

    /// Whether apps of it are answered in its words.
    #[must_use]
    pub fn is_answered(self) -> bool {
        match self {
            Self::LemonSqueezy | Self::Gumroad | Self::Edd | Self::Polar | Self::Dodo | Self::Keygen => true,
            Self::Csv => false,
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.as_str() == text)
    }
}

/// A key as another system wrote it: as long as a signed one may be, for some are. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignKey(Box<str>);

impl ForeignKey {
    /// Reads a key as it stands in an export, or as an app sends it. One that is signed is long, and mail programs break
    /// it into lines.
    ///
    /// # Errors
    /// When it is empty, too long, or looks like a card number.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let in_one = is_signed_key(text).then(|| text.split_whitespace().collect::<String>());
        let text = in_one.as_deref().unwrap_or(text);
        plain_text(text, MAX_SIGNED_KEY_BYTES).map(|text| Self(text.into_boxed_str()))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ForeignKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ForeignKey")
    }
}

/// A foreign key with the license that it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedKey {
    /// The shop.
    pub shop: ShopId,
    /// The license that it opens.
    pub license: LicenseId,
    /// Who issued it.
    pub system: ForeignSystem,
    /// The key, which the store seals.
    pub key: ForeignKey,
    /// When it was taken over.
    pub at: Timestamp,
}

/// The id that another system gave a license, or a device of it, and that its apps go on asking by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignId {
    /// The shop.
    pub shop: ShopId,
    /// Who gave it.
    pub system: ForeignSystem,
    /// The id, as that system writes it.
    pub id: String,
    /// The license that it names, or whose device it names.
    pub license: LicenseId,
    /// The device that it names; `None`: it names the license.
    pub activation: Option<ActivationId>,
}

/// What the apps of another system call a plan: ids and names by that system's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignPlan {
    /// The shop.
    pub shop: ShopId,
    /// Whose words they are.
    pub system: ForeignSystem,
    /// The plan.
    pub plan: PlanId,
    /// The words.
    pub names: BTreeMap<String, String>,
}

/// A device that holds a seat at the other system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedSeat {
    /// What the app on the device goes on telling us: its fingerprint, or the id of the activation there.
    pub fingerprint: Fingerprint,
    /// The id of the device there, where that is something else.
    pub id: Option<String>,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What the app keeps with it there.
    pub metadata: BTreeMap<String, String>,
    /// What it is made of.
    pub components: BTreeMap<String, String>,
    /// Since when it holds the seat.
    pub created_at: Timestamp,
}

/// How many seats a license has at the other system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatsThere {
    /// That system does not say: as the plan does here.
    AsPlan,
    /// As many as are asked for.
    Unlimited,
    /// So many.
    AtMost(u32),
}

impl SeatsThere {
    /// So many; `None`: as many as are asked for.
    #[must_use]
    pub fn up_to(most: Option<u64>) -> Self {
        most.map_or(Self::Unlimited, |most| Self::AtMost(u32::try_from(most).unwrap_or(u32::MAX)))
    }
}

/// A group that a license is in at the other system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedGroup {
    /// Its id there.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many licenses may be in it; `None`: any number.
    pub max_licenses: Option<u32>,
    /// How many seats its licenses may hold together; `None`: as many as each of them allows.
    pub max_seats: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One license as the other system has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    /// Whose it is.
    pub system: ForeignSystem,
    /// The key.
    pub key: ForeignKey,
    /// The id of the license there, where its apps ask by it.
    pub id: Option<String>,
    /// Who bought it; `None`: that system does not know.
    pub email: Option<Email>,
    /// The buyer's name.
    pub name: Option<String>,
    /// Where the buyer is at home; `None`: not said.
    pub country: Option<Country>,
    /// What money and people made of it there.
    pub state: LicenseState,
    /// How many seats it has.
    pub seats: SeatsThere,
    /// What is switched on, beside what the plan has.
    pub features: Vec<String>,
    /// When it was sold.
    pub created_at: Timestamp,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// How often it was used.
    pub uses: u64,
    /// How often it may be used; `None`: as the plan does here.
    pub usage_limit: Option<u64>,
    /// Who holds seats.
    pub seated: Vec<ImportedSeat>,
    /// What it is in.
    pub group: Option<ImportedGroup>,
    /// The other system's ids and flags, which its apps are told again.
    pub notes: BTreeMap<String, String>,
}

/// Where a record goes, and what is there already.
#[derive(Debug, Clone, Copy)]
pub struct ImportPlace<'a> {
    /// The shop.
    pub shop: &'a Shop,
    /// The product of the plan.
    pub product: &'a Product,
    /// The plan that the license is of.
    pub plan: &'a Plan,
    /// The buyer, who is known and keeps the row.
    pub known: Option<&'a Customer>,
    /// What the license is in: as it is here, or never written.
    pub group: Option<&'a Group>,
}

/// The license of a record, with its order, its buyer, its seats and its group.
///
/// A license that holds more seats than it has, because they were made fewer after they were taken, gets as many as
/// it holds, and comes into its group also where that holds more than it may: nobody who works today is shut out by the
/// move.
#[must_use]
pub fn import_license(place: ImportPlace<'_>, record: &ImportRecord, now: Timestamp, rng: &mut Rng) -> Changes {
    let ImportPlace { shop, product, plan, known, group } = place;
    let mut changes = group.map(|group| coming_in(group, now, rng)).unwrap_or_default();
    let taken = u32::try_from(record.seated.len()).unwrap_or(u32::MAX);
    let mut policy = plan.policy.clone();
    let seats = match record.seats {
        SeatsThere::AsPlan => policy.seats,
        SeatsThere::Unlimited => None,
        SeatsThere::AtMost(seats) => Some(seats),
    };
    policy.seats = seats.map(|seats| seats.max(taken));
    if let Some(limit) = record.usage_limit {
        policy.usage = Some(Metering { limit: Some(limit), reset_days: None });
    }
    for feature in &record.features {
        if !policy.has_feature(feature) {
            policy.features.push(feature.clone());
        }
    }
    let new = record.email.as_ref().map(|_| CustomerId::mint(now, rng));
    let customer = known.map(|customer| customer.id).or(new);
    let country = record.country.unwrap_or(shop.default_country);
    let locale = known.map_or_else(|| shop.default_locale.clone(), |customer: &Customer| customer.locale.clone());
    if let (None, Some(id), Some(email)) = (known, customer, &record.email) {
        changes.customers.push(Customer {
            id,
            shop: shop.id,
            version: 0,
            email: email.clone(),
            name: record.name.clone(),
            country,
            locale: locale.clone(),
            created_at: now,
        });
    }
    let plan = &Plan { policy: policy.clone(), ..plan.clone() };
    let order = order_of(shop, product, plan, record, OrderBuyer { customer, country, locale }, now, rng);
    changes.checkouts.push(Checkout {
        id: order.checkout,
        shop: shop.id,
        version: 0,
        order: order.id,
        state: CheckoutState::Completed,
        success_url: None,
        cancel_url: None,
        expires_at: now,
        created_at: now,
    });

    let key = KeyCode::from_random_bytes(rng.bytes());
    let license = License {
        id: LicenseId::mint(now, rng),
        shop: shop.id,
        version: 0,
        order: order.id,
        line: 0,
        unit: 0,
        product: product.id,
        plan: plan.id,
        customer,
        key_tail: key.tail(),
        state: record.state,
        seats_used: taken,
        started_at: Some(record.created_at),
        expires_at: record.expires_at,
        updates_until: policy.updates_end_at(record.created_at),
        policy,
        uses: record.uses,
        uses_since: (record.uses > 0).then_some(record.created_at),
        own_acts: OwnActs::default(),
        batch: None,
        group: group.map(|group| group.id),
        created_at: now,
    };
    let mut tell = |kind: EventKind, data: serde_json::Value| {
        changes.events.push(Event {
            id: EventId::mint(now, rng),
            shop: shop.id,
            kind,
            actor: Actor::System,
            order: Some(order.id),
            license: Some(license.id),
            customer,
            data,
            at: now,
        });
    };
    let system = record.system.as_str();
    // What the exactly-once report gives as the cause.
    tell(
        EventKind::OrderPaid,
        json!({ "number": order.number.as_str(), "total": order.total, "imported_from": system }),
    );
    tell(EventKind::LicenseIssued, json!({ "key_tail": license.key_tail, "imported_from": system }));
    match record.state {
        LicenseState::Active => {}
        LicenseState::SuspendedByDispute | LicenseState::SuspendedByPerson => {
            tell(EventKind::LicenseSuspended, json!({ "imported_from": system }));
        }
        LicenseState::RevokedByRefund | LicenseState::RevokedByDispute | LicenseState::RevokedByPerson => {
            tell(EventKind::LicenseRevoked, json!({ "imported_from": system }));
        }
    }
    changes.activations = record
        .seated
        .iter()
        .map(|seat| Activation {
            id: ActivationId::mint(now, rng),
            shop: shop.id,
            version: 0,
            license: license.id,
            fingerprint: seat.fingerprint.clone(),
            name: seat.name.clone(),
            label: None,
            metadata: seat.metadata.clone(),
            components: seat.components.clone(),
            state: ActivationState::Active,
            created_at: seat.created_at,
            last_seen_at: now,
        })
        .collect();
    let name = |id: &Option<String>, activation: Option<ActivationId>| {
        let id = id.clone()?;
        Some(ForeignId { shop: shop.id, system: record.system, id, license: license.id, activation })
    };
    let seats = record.seated.iter().zip(&changes.activations);
    changes.foreign_ids = name(&record.id, None)
        .into_iter()
        .chain(seats.filter_map(|(there, seat)| name(&there.id, Some(seat.id))))
        .collect();
    let adopted =
        AdoptedKey { shop: shop.id, license: license.id, system: record.system, key: record.key.clone(), at: now };
    changes.foreign_keys.push(adopted);
    changes.orders.push(order);
    changes.issued.push((license, key));
    changes
}

/// A license comes into the group: the group is written, so that whoever counts at the same moment counts again.
fn coming_in(group: &Group, now: Timestamp, rng: &mut Rng) -> Changes {
    match group.version {
        0 => create_group(group.clone(), Actor::System, now, rng),
        _ => Changes { groups: vec![group.clone()], ..Changes::default() },
    }
}

struct OrderBuyer {
    customer: Option<CustomerId>,
    country: Country,
    locale: Locale,
}

/// An order that asks nothing: what was paid was paid elsewhere.
fn order_of(
    shop: &Shop,
    product: &Product,
    plan: &Plan,
    record: &ImportRecord,
    buyer: OrderBuyer,
    now: Timestamp,
    rng: &mut Rng,
) -> Order {
    let nothing = Money::zero(shop.default_currency);
    let mut metadata = record.notes.clone();
    metadata.insert("imported_from".to_owned(), record.system.as_str().to_owned());
    Order {
        id: OrderId::mint(now, rng),
        shop: shop.id,
        version: 0,
        number: OrderNumber::mint(rng),
        checkout: CheckoutId::mint(now, rng),
        customer: buyer.customer,
        email: record.email.clone(),
        country: buyer.country,
        locale: buyer.locale,
        lines: vec![OrderLine {
            product: product.id,
            plan: plan.id,
            product_name: product.name.clone(),
            plan_name: plan.name.clone(),
            quantity: 1,
            unit_amount: nothing,
            amount: nothing,
            policy: plan.policy.clone(),
            // The key of the other system is what the buyer holds.
            fulfilment: Fulfilment::GeneratedKey,
            bundle: None,
            questions: Vec::new(),
            answers: Vec::new(),
        }],
        total: nothing,
        refunded: nothing,
        state: OrderState::Paid,
        seller: shop.seller.clone(),
        consent: Consent::default(),
        metadata,
        created_at: record.created_at,
        paid_at: Some(record.created_at),
        unanswered_since: None,
    }
}
