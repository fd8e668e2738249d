//! Asks after every step whether anything is wrong, and at the end whether everything is right.
//!
//! Its own picture is made of what the gateway's books say and what buyers
//! saw. From our rows it takes nothing for granted.

use std::collections::BTreeMap;

use domain::{
    AtExpiry, Delivery, DeliveryState, License, LicenseState, MailKind, NoticeState, Order, OrderId, PaymentState,
    Sale, Timestamp,
};
use serde_json::Value;
use store::{DeliveryFilter, NoticeFilter, OrderFilter, Page};

use crate::goods::{self, Goods};
use crate::seller::first_page;
use crate::sim::Sim;
use crate::support;
use crate::universe::{at_once, hold};
use crate::{groups, hands, signed};

/// All laws over all rows are asked about once in so many times that some row's are.
const ALL_ROWS_EVERY: u64 = 64;

/// Why a notice may be parked in a world where nothing but the network and the order of things goes wrong.
const REASONS_TO_PARK: &[&str] = &["refund_exceeds_payment"];

/// The auditor of one run.
pub(crate) struct Auditor {
    asked: u64,
    goods: Goods,
}

impl Auditor {
    pub(crate) fn new() -> Self {
        Self { asked: 0, goods: Goods::default() }
    }

    /// The laws of every row that the step wrote to.
    pub(crate) fn after_step(&mut self, sim: &Sim) {
        let touched = std::mem::take(&mut *hold(&sim.universe.touched));
        if touched.orders.is_empty() && touched.licenses.is_empty() && touched.groups.is_empty() {
            return;
        }
        self.asked += 1;
        sim.universe.count(|counts| counts.audits += 1);
        for order in touched.orders {
            if let Some(sale) = order_is_lawful(sim, order) {
                self.goods.order_was_written(sim, &sale);
            }
        }
        for license in touched.licenses {
            self.goods.license_was_written(sim, license);
        }
        groups::after_step(sim, &self.goods.take_news(), &touched.groups);
        if self.asked.is_multiple_of(ALL_ROWS_EVERY) {
            all_rows_are_lawful(sim);
        }
    }

    /// Whether nothing is left to do, here and at the gateway, and the gateway's list of events was read after the
    /// faults stopped.
    pub(crate) fn is_at_rest(&self, sim: &Sim, calm_since: i64) -> bool {
        sim.is_content() && sim.gateway.is_idle() && unrest(sim).is_empty() && was_read_since(sim, calm_since)
    }

    /// Tells what is still to be done although there was time enough.
    pub(crate) fn tell_unrest(&self, sim: &Sim) {
        sim.universe.fail(format!("there is no end of it: {}", unrest(sim).join(", ")));
    }

    /// Compares every row with the gateway's books, what buyers saw, and what lies in their mailboxes.
    pub(crate) fn at_rest(&self, sim: &Sim) {
        all_rows_are_lawful(sim);
        let orders = every_order(sim);
        let mut sales = BTreeMap::new();
        for order in orders {
            if let Some(sale) = order_is_lawful(sim, order.id) {
                sales.insert(order.id.to_string(), sale);
            }
        }
        let truth = sim.gateway.truth();
        let payments = truth["payments"].as_array().cloned().unwrap_or_default();
        let mut captured: BTreeMap<String, i64> = BTreeMap::new();
        for payment in &payments {
            let Some(order) = payment["metadata"]["latchkey_order"].as_str() else { continue };
            match sales.get(order) {
                None => sim.universe.fail(format!("the gateway knows of {order}, and we do not")),
                Some(sale) => payment_agrees(sim, sale, payment),
            }
            *captured.entry(order.to_owned()).or_default() += number(payment, "captured");
        }
        for (id, sale) in &sales {
            let is_paid = captured.get(id).copied().unwrap_or(0) > 0;
            if is_paid != sale.order.state.was_paid() {
                sim.universe.fail(format!("{id} is {}, and the gateway says otherwise", sale.order.state.as_str()));
            }
            if is_paid {
                sim.universe.count(|counts| counts.paid += 1);
                goods_were_delivered(sim, sale, &payments);
                goods::waiting_have_a_reason(sim, sale);
                hands::states_have_a_reason(sim, sale);
            }
        }
        for seen in &*sim.seen.borrow() {
            let Some(sale) = sales.get(&seen.order.to_string()) else {
                sim.universe.fail(format!("a buyer was told of {}, and it is not there", seen.order));
                continue;
            };
            // A debit that completed its page can still be returned.
            let debit_failed = sale.payments.iter().any(|payment| payment.state == PaymentState::Failed);
            if seen.paid_on_page && !sale.order.state.was_paid() && !debit_failed {
                sim.universe.fail(format!("a buyer saw {} paid, and it is {}", seen.order, sale.order.state.as_str()));
            }
        }
        parked_for_a_reason(sim);
        support::old_keys_open_nothing(sim);
        signed::texts_open_what_they_say(sim);
        groups::are_counted_right(sim);
        hands::receivers_were_told(sim);
    }
}

fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or(0)
}

fn order_is_lawful(sim: &Sim, order: OrderId) -> Option<Sale> {
    let (Ok(sale), Ok(postings)) =
        (at_once(sim.rows.sale(sim.shop.id, order)), at_once(sim.rows.postings(sim.shop.id, order)))
    else {
        sim.universe.fail(format!("{order} was written and cannot be read"));
        return None;
    };
    // A commit may name an order that it did not make.
    let sale = sale?;
    for broken in domain::invariant::broken(&sale, &postings) {
        sim.universe.fail(format!("{order} breaks {}: {}", broken.law, broken.found));
    }
    for payment in sale.payments.iter().filter(|payment| payment.state == PaymentState::Succeeded) {
        let Some(reference) = &payment.reference else { continue };
        let received = sim.gateway.received(reference);
        if received != Some(payment.amount.minor()) {
            sim.universe.fail(format!("{} took {}, and the gateway received {received:?}", payment.id, payment.amount));
        }
    }
    Some(sale)
}

fn all_rows_are_lawful(sim: &Sim) {
    match at_once(store::report::broken_laws(&sim.rows)) {
        Ok(found) => {
            for finding in found {
                sim.universe.fail(format!("{} breaks {}: {}", finding.subject, finding.law, finding.detail));
            }
        }
        Err(error) => sim.universe.fail(format!("the laws cannot be asked about: {error}")),
    }
}

/// What is left to do here.
fn unrest(sim: &Sim) -> Vec<String> {
    let never = Timestamp::from_microseconds(i64::MAX / 2);
    let mut left = Vec::new();
    match at_once(sim.rows.jobs_overdue(never)) {
        Ok(0) => {}
        jobs => left.push(format!("jobs {jobs:?}")),
    }
    match at_once(sim.rows.payments_due(never, 100)) {
        Ok(open) if open.is_empty() => {}
        Ok(open) => left.push(format!("open payments {open:?}")),
        Err(error) => left.push(error.to_string()),
    }
    match at_once(sim.rows.expired_checkouts(never, 100)) {
        Ok(open) if open.is_empty() => {}
        Ok(open) => left.push(format!("open checkouts {open:?}")),
        Err(error) => left.push(error.to_string()),
    }
    let waiting = NoticeFilter { state: Some("received".to_owned()), order: None };
    match at_once(sim.rows.notices(sim.shop.id, &waiting, first_page())) {
        Ok(found) if found.data.is_empty() => {}
        Ok(found) => left.push(format!("{} notices", found.data.len())),
        Err(error) => left.push(error.to_string()),
    }
    match signed::have_not_heard(sim) {
        nodes if nodes.is_empty() => {}
        nodes => left.push(format!("nodes {nodes:?} that do not know the signing keys")),
    }
    match signed::to_be_signed_again(sim) {
        0 => {}
        texts => left.push(format!("{texts} texts of revoked signing keys")),
    }
    match (goods::who_may_have_one(sim), goods::free_codes(sim)) {
        (0, _) | (_, 0) => {}
        (waiting, free) => left.push(format!("{waiting} units that wait for codes, of which {free} are free")),
    }
    left
}

fn was_read_since(sim: &Sim, moment: i64) -> bool {
    match at_once(sim.rows.gateway_account(sim.account)) {
        Ok(account) => account.is_some_and(|account| account.events_read_to.as_microseconds() > moment),
        Err(error) => {
            sim.universe.fail(format!("the gateway account cannot be read: {error}"));
            false
        }
    }
}

fn every_order(sim: &Sim) -> Vec<Order> {
    let mut orders: Vec<Order> = Vec::new();
    loop {
        let page = Page { starting_after: orders.last().map(|order| order.id), ..first_page() };
        match at_once(sim.rows.orders(sim.shop.id, &OrderFilter::default(), page)) {
            Ok(found) => {
                orders.extend(found.data);
                if !found.has_more {
                    return orders;
                }
            }
            Err(error) => {
                sim.universe.fail(format!("the orders cannot be read: {error}"));
                return orders;
            }
        }
    }
}

/// One payment of the gateway's books against ours.
fn payment_agrees(sim: &Sim, sale: &Sale, truth: &Value) {
    let intent = truth["intent"].as_str().unwrap_or_default();
    let named = truth["metadata"]["latchkey_payment"].as_str().unwrap_or_default();
    let Some(payment) = sale.payments.iter().find(|payment| payment.id.to_string() == named) else {
        sim.universe.fail(format!("the gateway names {named}, which {} does not have", sale.order.id));
        return;
    };
    let captured = number(truth, "captured");
    let ours = if payment.state == PaymentState::Succeeded { payment.amount.minor() } else { 0 };
    let refunded: i64 = sale
        .refunds
        .iter()
        .filter(|refund| refund.payment == payment.id && refund.state.counts())
        .map(|refund| refund.amount.minor())
        .sum();
    let disputed: i64 = sale
        .disputes
        .iter()
        .filter(|dispute| dispute.payment == payment.id && dispute.state.takes_money())
        .map(|dispute| dispute.amount.minor())
        .sum();
    for (what, theirs, ours) in [
        ("captured", captured, ours),
        ("refunded", number(truth, "refunded") + number(truth, "refund_pending"), refunded),
        ("disputed", number(truth, "disputed"), disputed),
    ] {
        if theirs != ours {
            sim.universe.fail(format!("{}: {what} {theirs} at the gateway ({intent}), {ours} here", payment.id));
        }
    }
    let mut asked: Vec<String> = sim.gateway.refunds(intent).into_iter().flatten().collect();
    asked.sort();
    let count = asked.len();
    asked.dedup();
    if asked.len() != count {
        sim.universe.fail(format!("{}: one refund of ours was made twice at the gateway", payment.id));
    }
}

/// The licenses of a paid order work as its money says, and its keys lie in the buyer's mailbox.
fn goods_were_delivered(sim: &Sim, sale: &Sale, payments: &[Value]) {
    let order = sale.order.id;
    if u64::try_from(sale.licenses.len()) != Ok(sale.order.units()) {
        sim.universe.fail(format!("{order} has {} licenses for {} units", sale.licenses.len(), sale.order.units()));
    }
    let of_order = || payments.iter().filter(|row| row["metadata"]["latchkey_order"] == order.to_string());
    let went_back: i64 = of_order()
        .map(|row| number(row, "refunded") + number(row, "refund_pending") + number(row, "refund_failed"))
        .sum();
    let is_plain = went_back == 0 && of_order().all(|row| row["dispute"].is_null());
    let must_work = |license: &&License| sim.hands.borrow().is_left_to_money(license.id);
    if is_plain && sale.licenses.iter().filter(must_work).any(|license| license.state != LicenseState::Active) {
        sim.universe.fail(format!("{order} is paid and nothing went back, and a license of it does not work"));
    }
    let filter = DeliveryFilter { order: Some(order), ..DeliveryFilter::default() };
    let Ok(mails) = at_once(sim.rows.deliveries(sim.shop.id, &filter, first_page())) else {
        sim.universe.fail(format!("the mails of {order} cannot be read"));
        return;
    };
    for mail in &mails.data {
        mail_was_settled(sim, mail);
    }
    if is_plain && !mails.data.iter().any(|mail| matches!(mail.mail, MailKind::OrderPaid { .. })) {
        sim.universe.fail(format!("{order} is paid, and no mail tells its keys"));
    }
    if is_plain {
        for license in &sale.licenses {
            buyer_was_told(sim, license, &mails.data);
        }
    }
}

/// Some mail that arrived tells the buyer what they hold of a license, unless a mail that would have told it was refused.
fn buyer_was_told(sim: &Sim, license: &License, mails: &[Delivery]) {
    let tells = |mail: &MailKind| {
        let of_order = matches!(mail, MailKind::OrderPaid { .. } | MailKind::OrderFulfilled { .. });
        let of_key = [MailKind::KeyReplaced { license: license.id }, MailKind::KeySignedAgain { license: license.id }];
        of_order || of_key.contains(mail)
    };
    // What was over for good before its mail left is told to nobody.
    let may_be_over = license.policy.term.at_expiry == AtExpiry::End && license.policy.valid_days.is_some();
    let may_be_over = may_be_over || sim.hands.borrow().may_be_untold(license.id);
    let mails: Vec<&Delivery> = mails.iter().filter(|mail| tells(&mail.mail)).collect();
    if may_be_over || mails.iter().any(|mail| mail.state != DeliveryState::Sent) {
        return;
    }
    let Some(held) = support::what_the_buyer_should_hold(sim, license) else { return };
    let is_told = |mail: &&Delivery| sim.office.text_of(mail.id).is_some_and(|text| text.contains(&held));
    if !mails.iter().any(is_told) {
        sim.universe.fail(format!("no mail tells the buyer what they hold of {}", license.id));
    }
}

fn mail_was_settled(sim: &Sim, mail: &Delivery) {
    let arrived = sim.office.text_of(mail.id).is_some();
    match mail.state {
        DeliveryState::Sent if !arrived => sim.universe.fail(format!("{} counts as sent and never left", mail.id)),
        DeliveryState::Queued => sim.universe.fail(format!("{} still waits, and nothing is left to do", mail.id)),
        DeliveryState::Refused if mail.last_error.is_none() => {
            sim.universe.fail(format!("{} was given up without a reason", mail.id));
        }
        DeliveryState::Sent | DeliveryState::Refused | DeliveryState::Bounced => {}
    }
}

fn parked_for_a_reason(sim: &Sim) {
    let filter = NoticeFilter { state: Some("parked".to_owned()), order: None };
    match at_once(sim.rows.notices(sim.shop.id, &filter, first_page())) {
        Ok(parked) => {
            for notice in parked.data {
                if let NoticeState::Parked { reason, detail } = &notice.state
                    && !REASONS_TO_PARK.contains(&reason.as_str())
                {
                    sim.universe.fail(format!("{} {} is parked: {reason}: {detail}", notice.event_id, notice.kind));
                }
            }
        }
        Err(error) => sim.universe.fail(format!("parked notices cannot be read: {error}")),
    }
}
