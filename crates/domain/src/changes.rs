//! Everything that one decision changes. The store applies all of it or none.

use latchkey_license::KeyCode;

use crate::{
    Activation, AdoptedKey, ApiKey, Attempt, Batch, Checkout, Claim, Customer, Delivery, Dispute, Draw, Endpoint,
    Event, Fill, ForeignId, ForeignPlan, GatewayAccount, Group, HandOver, Job, KeyToSign, License, LicenseId,
    LoginLink, Message, NewCode, Notice, Order, OrderId, Payment, Plan, Pool, Posting, Product, Refund, Reissue,
    Release, ReleaseFile, Reservation, Session, ShadowCount, ShadowDifference, Shop, ShopId, Timestamp, Transfer,
    UseChange, User, Version,
};

/// A row that the decision relied on without changing it: the commit fails
/// when it has moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// An order.
    Order {
        /// The shop.
        shop: ShopId,
        /// The order.
        id: OrderId,
        /// The version that was read.
        version: Version,
    },
    /// A license.
    License {
        /// The shop.
        shop: ShopId,
        /// The license.
        id: LicenseId,
        /// The version that was read.
        version: Version,
    },
}

/// Seats of a license whose leases are over: all of them are given back at once, and the commit fails when they are
/// not exactly so many, because one was renewed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lapse {
    /// The shop.
    pub shop: ShopId,
    /// The license.
    pub license: LicenseId,
    /// Seats that were last heard of then, or earlier.
    pub last_seen_by: Timestamp,
    /// How many they are.
    pub seats: u32,
}

/// Everything that one decision changes. A row whose version is 0 is new; any
/// other carries the version it was read at, and the store writes the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows that must not have moved.
    pub checks: Vec<Check>,
    /// Tenants.
    pub shops: Vec<Shop>,
    /// What is sold.
    pub products: Vec<Product>,
    /// Tiers.
    pub plans: Vec<Plan>,
    /// Versions of what is sold.
    pub releases: Vec<Release>,
    /// Files of versions; only ever new.
    pub release_files: Vec<ReleaseFile>,
    /// Stocks of codes.
    pub pools: Vec<Pool>,
    /// Programs of the seller's.
    pub endpoints: Vec<Endpoint>,
    /// Codes that come into stock, which the store seals; only ever new.
    pub codes: Vec<NewCode>,
    /// Accounts at gateways.
    pub gateway_accounts: Vec<GatewayAccount>,
    /// People in the console.
    pub users: Vec<User>,
    /// Links that sign in.
    pub login_links: Vec<LoginLink>,
    /// Signed-in browsers; only ever new.
    pub sessions: Vec<Session>,
    /// API keys; new, or withdrawn.
    pub api_keys: Vec<ApiKey>,
    /// Buyers.
    pub customers: Vec<Customer>,
    /// Visits to the till.
    pub checkouts: Vec<Checkout>,
    /// Orders.
    pub orders: Vec<Order>,
    /// Attempts to collect.
    pub payments: Vec<Payment>,
    /// Money given back.
    pub refunds: Vec<Refund>,
    /// Chargebacks.
    pub disputes: Vec<Dispute>,
    /// New licenses with their keys, which the store seals.
    pub issued: Vec<(License, KeyCode)>,
    /// What paid units are owed; only ever new here.
    pub claims: Vec<Claim>,
    /// Codes that are kept for who is paying.
    pub reservations: Vec<Reservation>,
    /// Codes for new claims, as far as there are any.
    pub draws: Vec<Draw>,
    /// Codes for claims that have waited.
    pub fills: Vec<Fill>,
    /// Content for claims that have waited, from a person or a program.
    pub hand_overs: Vec<HandOver>,
    /// Keys of other systems that open licenses; only ever new.
    pub foreign_keys: Vec<AdoptedKey>,
    /// Ids that other systems gave to licenses and devices; only ever new.
    pub foreign_ids: Vec<ForeignId>,
    /// What other systems call plans; the last word holds.
    pub foreign_plans: Vec<ForeignPlan>,
    /// Licenses that get a new key.
    pub reissued: Vec<Reissue>,
    /// Keys whose text is signed on the way to the store, which seals it.
    pub signed_keys: Vec<KeyToSign>,
    /// Licenses that are issued together without a payment; only ever new.
    pub batches: Vec<Batch>,
    /// Groups of licenses. Written before the licenses in them, so that whoever comes second fails there.
    pub groups: Vec<Group>,
    /// Groups that end, and that no license is in.
    pub ended_groups: Vec<Group>,
    /// Offers of licenses.
    pub transfers: Vec<Transfer>,
    /// Licenses that changed.
    pub licenses: Vec<License>,
    /// Differences to what is counted of licenses.
    pub uses: Vec<UseChange>,
    /// Seats whose leases are over; given back before any is taken.
    pub lapses: Vec<Lapse>,
    /// Seats.
    pub activations: Vec<Activation>,
    /// Seats that go on under another fingerprint or name, or with other components.
    pub devices: Vec<Activation>,
    /// What apps asked and were told; those that are there already are counted on.
    pub attempts: Vec<Attempt>,
    /// Where our answers differ from an old system's; those that are there already are counted on.
    pub shadow_differences: Vec<ShadowDifference>,
    /// How many answers were compared; counted on as well.
    pub shadow_counts: Vec<ShadowCount>,
    /// What buyers and shops wrote to each other; only ever new.
    pub messages: Vec<Message>,
    /// Mails.
    pub deliveries: Vec<Delivery>,
    /// Messages from gateways, new or settled.
    pub notices: Vec<Notice>,
    /// The journal; only ever new.
    pub events: Vec<Event>,
    /// Movements of money; only ever new.
    pub postings: Vec<Posting>,
    /// Things to do; only ever new here. Settling one belongs to the outbox.
    pub jobs: Vec<Job>,
}

impl Changes {
    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self { checks: self.checks.clone(), ..Self::default() }
    }
}
