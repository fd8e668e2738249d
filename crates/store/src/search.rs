//! One search box: what a person has in hand, an id, a number, an address, a
//! key or its end, a device, a gateway's name, finds the rows it is about.
//!
//! What was typed is recognised by its form, so that only indexes are asked;
//! nothing here looks through a table.

use domain::{
    Activation, ActivationId, Attempt, Customer, CustomerId, Dispute, DisputeId, Fingerprint, ForeignKey, License,
    LicenseId, Order, OrderId, OrderNumber, Payment, PaymentId, Refund, RefundId, ShopId, contains_card_number,
    search_key,
};
use latchkey_license::{KeyCode, signed_key_code};

use crate::page::all;
use crate::{
    ReadError, Row, RowError, Statement, Store, TypedKey, Vault, activation, attempt, customer, dispute, license,
    order, payment, refund,
};

/// How many rows of one kind are shown.
const MOST: u32 = 20;

/// Fewer characters find everybody.
const SHORTEST_ADDRESS: usize = 3;
const SHORTEST_NAME: usize = 3;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchHit {
    /// An order.
    Order(Box<Order>),
    /// A customer.
    Customer(Customer),
    /// A license.
    License(Box<License>),
    /// A device on a seat.
    Activation(Activation),
    /// The last question of an app whose key opened nothing.
    Stranger(Attempt),
    /// The last question of a device.
    AskedBy(Attempt),
    /// A payment.
    Payment(Box<Payment>),
    /// A refund.
    Refund(Refund),
    /// A dispute.
    Dispute(Dispute),
}

type ReadHit = fn(&mut Row) -> Result<SearchHit, RowError>;

const ORDER: ReadHit = |row| order::row(row).map(Box::new).map(SearchHit::Order);
const CUSTOMER: ReadHit = |row| customer::row(row).map(SearchHit::Customer);
const LICENSE: ReadHit = |row| license::row(row).map(Box::new).map(SearchHit::License);
const ACTIVATION: ReadHit = |row| activation::row(row).map(SearchHit::Activation);
const STRANGER: ReadHit = |row| attempt::row(row).map(SearchHit::Stranger);
const ASKED_BY: ReadHit = |row| attempt::row(row).map(SearchHit::AskedBy);
const PAYMENT: ReadHit = |row| payment::row(row).map(Box::new).map(SearchHit::Payment);
const REFUND: ReadHit = |row| refund::row(row).map(SearchHit::Refund);
const DISPUTE: ReadHit = |row| dispute::row(row).map(SearchHit::Dispute);

/// Everything that the text could be, most telling first.
fn readings(shop: ShopId, typed: &str, vault: &Vault) -> Vec<(Statement, ReadHit)> {
    let typed = typed.trim();
    let key = search_key(typed);
    let mut readings: Vec<(Statement, ReadHit)> = Vec::new();
    let ids = [
        OrderId::parse(&key).ok().map(|id| (order::by_id(shop, id), ORDER)),
        CustomerId::parse(&key).ok().map(|id| (customer::by_id(shop, id), CUSTOMER)),
        LicenseId::parse(&key).ok().map(|id| (license::by_id(shop, id), LICENSE)),
        ActivationId::parse(&key).ok().map(|id| (activation::by_id(shop, id), ACTIVATION)),
        PaymentId::parse(&key).ok().map(|id| (payment::by_id(shop, id), PAYMENT)),
        RefundId::parse(&key).ok().map(|id| (refund::by_id(shop, id), REFUND)),
        DisputeId::parse(&key).ok().map(|id| (dispute::by_id(shop, id), DISPUTE)),
    ];
    readings.extend(ids.into_iter().flatten());
    if let Some(number) = OrderNumber::parse(&key) {
        readings.push((order::by_number(shop, &number), ORDER));
    }
    // Whether a signed key is genuine does not matter here: its short key is what is looked for.
    if let Some(code) = KeyCode::parse(typed).ok().or_else(|| signed_key_code(typed)) {
        readings.push((license::by_key(shop, &code, vault), LICENSE));
        readings.push((license::by_retired_key(shop, &code, vault), LICENSE));
    }
    if let Ok(foreign) = ForeignKey::parse(typed) {
        readings.push((license::by_foreign_key(shop, &foreign, vault), LICENSE));
    }
    if let Some(tail) = key_tail(&key) {
        readings.push((license::with_tail(shop, &tail, MOST), LICENSE));
        readings.push((attempt::last_with_tail(shop, &tail), STRANGER));
    }
    let typed_key = TypedKey::read(typed, vault);
    if let Some(hash) = typed_key.hash.filter(|_| typed_key.tail.is_some()) {
        readings.push((attempt::last_with_key(shop, &hash), STRANGER));
    }
    if key.chars().count() >= SHORTEST_ADDRESS && !key.contains(char::is_whitespace) {
        readings.push((customer::by_email_start(shop, &key, MOST), CUSTOMER));
    }
    if Fingerprint::parse(typed).is_ok() {
        readings.push((activation::with_fingerprint(shop, typed, MOST), ACTIVATION));
        readings.push((attempt::last_of_device(shop, typed), ASKED_BY));
        readings.extend(payment::with_reference(shop, typed).map(|statement| (statement, PAYMENT)));
        readings.push((refund::with_reference(shop, typed), REFUND));
        readings.push((dispute::with_reference(shop, typed), DISPUTE));
    }
    if typed.chars().count() >= SHORTEST_NAME && !typed.chars().any(char::is_control) {
        readings.push((activation::with_name(shop, typed, MOST), ACTIVATION));
    }
    readings
}

/// The last group of a key, as a person reads it out: alone, or as the end of some groups of four. Of the groups
/// before it nothing is kept that could be searched.
fn key_tail(key: &str) -> Option<String> {
    let groups = key.split(|between: char| between.is_whitespace() || matches!(between, '-' | '…' | '.'));
    let groups: Vec<&str> = groups.filter(|group| !group.is_empty()).collect();
    let are_groups =
        groups.iter().all(|group| group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    groups.last().filter(|_| are_groups).map(|group| attempt::symbols(group))
}

impl Store {
    /// What the text is about: ids, order numbers, addresses or their beginnings, keys (replaced and foreign ones as
    /// well) or their ends, devices by fingerprint or by the beginning of their name, and the gateways' names for payments, refunds and disputes.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn search(&self, shop: ShopId, typed: &str) -> Result<Vec<SearchHit>, ReadError> {
        // A card number is never looked for: it could only be found where it must not be.
        if contains_card_number(typed) {
            return Ok(Vec::new());
        }
        let (statements, readers): (Vec<Statement>, Vec<ReadHit>) =
            readings(shop, typed, &self.vault).into_iter().unzip();
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<&'static str> = statements.iter().map(|statement| statement.what).collect();
        let mut hits = Vec::new();
        for ((rows, read), what) in self.engine.query(statements).await?.into_iter().zip(readers).zip(names) {
            for hit in all(what, rows, read)? {
                if !hits.contains(&hit) {
                    hits.push(hit);
                }
            }
        }
        Ok(hits)
    }
}
