//! The laws of a sale as code: what must hold after every commit.
//!
//! The same laws stand in `store`'s reports as SQL over all rows at once;
//! `doctor` and the tests run both.

use money::{Money, MoneyError};

use crate::{Account, PaymentId, PaymentState, Posting, Sale};

/// A law that does not hold, in words for the person who must look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The law, by its name.
    pub law: &'static str,
    /// What was found.
    pub found: String,
}

/// Every law that does not hold for the sale and its postings.
#[must_use]
pub fn broken(sale: &Sale, postings: &[Posting]) -> Vec<Broken> {
    let mut found = Vec::new();
    let mut law = |name: &'static str, holds: bool, detail: String| {
        if !holds {
            found.push(Broken { law: name, found: detail });
        }
    };
    let captured: Vec<_> = sale.payments.iter().filter(|payment| payment.state == PaymentState::Succeeded).collect();
    let kept = captured.iter().filter(|payment| !sale.is_surprise(payment.id)).count();
    law("at_most_one_capture", kept <= 1, format!("{kept} captured payments are kept"));
    law(
        "paid_means_captured",
        // What costs nothing is paid without a payment.
        sale.order.state.was_paid() == (kept == 1) || (kept == 0 && sale.order.total.is_zero()),
        format!("the order is {} and {kept} payments are captured", sale.order.state.as_str()),
    );
    let units = if sale.order.state.was_paid() { sale.order.units() } else { 0 };
    law(
        "paid_means_issued",
        u64::try_from(sale.licenses.len()) == Ok(units),
        format!("{} licenses for {units} paid units", sale.licenses.len()),
    );
    let currency = sale.order.total.currency();
    let lines = Money::sum(currency, sale.order.lines.iter().map(|line| line.amount));
    law(
        "total_is_the_sum",
        lines == Ok(sale.order.total),
        format!("the order asks {}, its lines add up to {lines:?}", sale.order.total),
    );
    for payment in &sale.payments {
        law(
            "asked_is_the_total",
            payment.amount == sale.order.total,
            format!("{} asks {} for an order of {}", payment.id, payment.amount, sale.order.total),
        );
    }
    let mut places: Vec<_> = sale.licenses.iter().map(|license| (license.line, license.unit)).collect();
    places.sort_unstable();
    places.dedup();
    law("one_license_a_unit", places.len() == sale.licenses.len(), "two licenses for one unit".to_owned());
    for payment in &captured {
        law(
            "captured_what_was_asked",
            payment.amount == sale.order.total,
            format!("{} asks {} for an order of {}", payment.id, payment.amount, sale.order.total),
        );
        let within =
            sale.refunded(payment).and_then(|sum| sum.compare(payment.amount)).is_ok_and(std::cmp::Ordering::is_le);
        law("refunds_within_payment", within, format!("more than {} went back of {}", payment.amount, payment.id));
    }
    let derived = sale.order_state();
    law(
        "order_follows_money",
        derived.as_ref().is_ok_and(|derived| derived.is_none_or(|derived| derived == sale.order.state)),
        format!("the order is {} and the money says {derived:?}", sale.order.state.as_str()),
    );
    let returned =
        sale.captured().map_or(Ok(Money::zero(sale.order.total.currency())), |payment| sale.refunded(payment));
    law(
        "refunded_is_the_sum",
        returned == Ok(sale.order.refunded),
        format!("the order says {}, its refunds say {returned:?}", sale.order.refunded),
    );
    for payment in &sale.payments {
        law(
            "open_means_asked",
            payment.state.is_open() == payment.check_at.is_some(),
            format!("{} is {} and is asked about at {:?}", payment.id, payment.state.as_str(), payment.check_at),
        );
    }
    law(
        "a_payment_has_a_buyer",
        sale.payments.is_empty() || (sale.order.customer.is_some() && sale.order.email.is_some()),
        "a payment was made for nobody".to_owned(),
    );
    for account in sale
        .payments
        .iter()
        .map(|payment| Account::Gateway(payment.gateway_account))
        .chain([Account::Sales, Account::Disputes])
    {
        let (by_books, by_rows) = (balance(postings, account, sale), owed(sale, account));
        law(
            "books_match",
            by_books.is_ok() && by_books == by_rows,
            format!("{} stands at {by_books:?}, its rows add up to {by_rows:?}", account.to_text()),
        );
    }
    found
}

/// What stands on an account by the books: debits less credits.
fn balance(postings: &[Posting], account: Account, sale: &Sale) -> Result<Money, MoneyError> {
    postings.iter().try_fold(Money::zero(sale.order.total.currency()), |sum, posting| {
        match (posting.debit == account, posting.credit == account) {
            (true, false) => sum.checked_add(posting.amount),
            (false, true) => sum.checked_sub(posting.amount),
            (true, true) | (false, false) => Ok(sum),
        }
    })
}

/// What should stand there: captures come to the gateway from sales, refunds
/// go back to sales, and what the bank took goes to disputes.
fn owed(sale: &Sale, account: Account) -> Result<Money, MoneyError> {
    let here = |payment: PaymentId| {
        sale.payment(payment).is_some_and(|payment| match account {
            Account::Gateway(id) => payment.gateway_account == id,
            Account::Sales | Account::Disputes => true,
        })
    };
    let captures = sale.payments.iter().filter(|payment| payment.state == PaymentState::Succeeded && here(payment.id));
    let refunds = sale.refunds.iter().filter(|refund| refund.state.counts() && here(refund.payment));
    let disputes = sale.disputes.iter().filter(|dispute| dispute.state.takes_money() && here(dispute.payment));
    let currency = sale.order.total.currency();
    let captured = Money::sum(currency, captures.map(|payment| payment.amount))?;
    let refunded = Money::sum(currency, refunds.map(|refund| refund.amount))?;
    let disputed = Money::sum(currency, disputes.map(|dispute| dispute.amount))?;
    match account {
        Account::Gateway(_) => captured.checked_sub(refunded)?.checked_sub(disputed),
        Account::Sales => refunded.checked_sub(captured),
        Account::Disputes => Ok(disputed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::fixture::{Reporter, World, euro};
    use crate::{CustomerId, DisputeState, OrderState, PaymentStatus, RefundStatus, Timestamp};

    fn paid() -> World {
        let mut world = World::submitted();
        let reporter = Reporter::of(&world.sale, 0);
        let captured = world.sale.order.total;
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world.meet(&reporter.refund(None, "a", 2_000, RefundStatus::Succeeded)).unwrap();
        world.meet(&reporter.dispute("case", 1_000, DisputeState::Won)).unwrap();
        world
    }

    #[test]
    fn every_law_is_told_by_name_when_it_is_broken() {
        type Damage = fn(&mut World);
        #[rustfmt::skip]
        let table: &[(&str, Damage)] = &[
            ("at_most_one_capture", |world| {
                let second = world.sale.payments[0].clone();
                let id = crate::PaymentId::mint(world.now, &mut world.rng);
                world.sale.payments.push(crate::Payment { id, ..second });
            }),
            ("paid_means_captured", |world| world.sale.order.state = OrderState::Pending),
            ("paid_means_issued", |world| { world.sale.licenses.pop(); }),
            ("total_is_the_sum", |world| world.sale.order.lines[0].amount = euro(1)),
            ("asked_is_the_total", |world| world.sale.payments[0].amount = euro(1)),
            ("one_license_a_unit", |world| world.sale.licenses[1].unit = 0),
            ("captured_what_was_asked", |world| world.sale.payments[0].amount = euro(9_900)),
            ("refunds_within_payment", |world| world.sale.refunds[0].amount = euro(9_801)),
            ("order_follows_money", |world| world.sale.order.state = OrderState::Paid),
            ("refunded_is_the_sum", |world| world.sale.order.refunded = euro(1_999)),
            ("open_means_asked", |world| world.sale.payments[0].check_at = Some(Timestamp::from_seconds(0))),
            ("a_payment_has_a_buyer", |world| world.sale.order.customer = None::<CustomerId>),
            ("books_match", |world| { world.postings.pop(); }),
            ("books_match", |world| world.sale.disputes[0].state = DisputeState::Lost),
        ];
        for (law, damage) in table {
            let mut world = paid();
            assert_eq!(broken(&world.sale, &world.postings), vec![]);
            damage(&mut world);
            let found: Vec<&str> = broken(&world.sale, &world.postings).iter().map(|broken| broken.law).collect();
            assert!(found.contains(law), "{law} is broken, and only {found:?} are told");
        }
    }
}
