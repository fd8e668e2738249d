//! One search box: what a person has in hand, an id, a number, an address, a
//! key or its end, a device, a gateway's name, finds the rows it is about.
//!
//! What was typed is recognised by its form, so that only indexes are asked;
//! nothing here looks through a table.

use domain::{
    Activation, ActivationId, Customer, CustomerId, Dispute, DisputeId, Fingerprint, License, LicenseId, Order,
    OrderId, OrderNumber, Payment, PaymentId, Refund, RefundId, ShopId, contains_card_number, search_key,
};
use latchkey_license::KeyCode;

use crate::page::all;
use crate::{
    ReadError, Row, RowError, Statement, Store, Vault, activation, customer, dispute, license, order, payment, refund,
};

/// How many rows of one kind are shown.
const MOST: u32 = 20;

/// Fewer characters find everybody.
const SHORTEST_ADDRESS: usize = 3;

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
    if let Ok(code) = KeyCode::parse(typed) {
        readings.push((license::by_key(shop, &code, vault), LICENSE));
    }
    if let Some(tail) = key_tail(&key) {
        readings.push((license::with_tail(shop, &tail, MOST), LICENSE));
    }
    if key.chars().count() >= SHORTEST_ADDRESS && !key.contains(char::is_whitespace) {
        readings.push((customer::by_email_start(shop, &key, MOST), CUSTOMER));
    }
    if Fingerprint::parse(typed).is_ok() {
        readings.push((activation::with_fingerprint(shop, typed, MOST), ACTIVATION));
        readings.extend(payment::with_reference(shop, typed).map(|statement| (statement, PAYMENT)));
        readings.push((refund::with_reference(shop, typed), REFUND));
        readings.push((dispute::with_reference(shop, typed), DISPUTE));
    }
    readings
}

/// The last group of a key, as a person reads it out.
fn key_tail(key: &str) -> Option<String> {
    let symbols: String = key
        .chars()
        .filter(|character| !matches!(character, '-' | '…' | '.'))
        .map(|character| match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    (symbols.len() == 4 && symbols.bytes().all(|symbol| symbol.is_ascii_alphanumeric())).then_some(symbols)
}

impl Store {
    /// What the text is about: ids, order numbers, addresses or their beginnings, keys or their last four symbols,
    /// devices, and the gateways' names for payments, refunds and disputes.
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
