//! The laws of a sale as code: what must hold after every commit.
//!
//! The same laws stand in `store`'s reports as SQL over all rows at once;
//! `doctor` and the tests run both.

use money::Money;

use crate::{Account, Dispute, PaymentState, Posting, Sale};

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
        sale.order.state.was_paid() == (kept == 1),
        format!("the order is {} and {kept} payments are captured", sale.order.state.as_str()),
    );
    let units = if sale.order.state.was_paid() { sale.order.units() } else { 0 };
    law(
        "paid_means_issued",
        u64::try_from(sale.licenses.len()) == Ok(units),
        format!("{} licenses for {units} paid units", sale.licenses.len()),
    );
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
        let within = sale.refunded(payment).and_then(|sum| sum.compare(payment.amount)).is_ok_and(std::cmp::Ordering::is_le);
        law("refunds_within_payment", within, format!("more than {} went back of {}", payment.amount, payment.id));
    }
    law("books_match", books_match(sale, postings), "the postings do not add up to captures, refunds and disputes".to_owned());
    found
}

/// Whether what gateways hold by the books is what was captured, less what went back or is held.
fn books_match(sale: &Sale, postings: &[Posting]) -> bool {
    let zero = Money::zero(sale.order.total.currency());
    let is_gateway = |account: Account| match account {
        Account::Gateway(_) => true,
        Account::Sales | Account::Disputes => false,
    };
    let by_books = postings.iter().try_fold(zero, |sum, posting| match (is_gateway(posting.debit), is_gateway(posting.credit)) {
        (true, false) => sum.checked_add(posting.amount),
        (false, true) => sum.checked_sub(posting.amount),
        (true, true) | (false, false) => Ok(sum),
    });
    let taken = |dispute: &Dispute| dispute.state.holds_money() || dispute.state.is_lost();
    let captures = sale.payments.iter().filter(|payment| payment.state == PaymentState::Succeeded).map(|payment| payment.amount);
    let refunds = sale.refunds.iter().filter(|refund| refund.state.counts()).map(|refund| refund.amount);
    let disputes = sale.disputes.iter().filter(|dispute| taken(dispute)).map(|dispute| dispute.amount);
    let by_rows = captures
        .map(Ok)
        .chain(refunds.chain(disputes).map(|amount| zero.checked_sub(amount)))
        .try_fold(zero, |sum, amount| sum.checked_add(amount?));
    by_books.is_ok() && by_books == by_rows
}
