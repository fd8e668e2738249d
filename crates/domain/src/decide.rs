//! What an occurrence makes of a sale.
//!
//! Three steps, each a function of values: *merge* puts what was said into the
//! row it is about, by a join, so that order and repetition do not matter;
//! *settle* derives everything that follows from the rows (the order's state,
//! licenses, surplus money, mails, postings); *record* writes the difference
//! as [`Changes`]. Nothing here trusts a report: amount, currency, account,
//! mode and reference are compared with what was stored before money moved.

use money::Money;
use serde_json::{Value, json};

use crate::claim::open_claims;
use crate::issue::issue;
use crate::signed_key::sign_keys;
use crate::{
    Account, Actor, Changes, CheckoutState, Decline, Delivery, Dispute, DisputeId, DisputeReport, DisputeState, Event,
    EventId, EventKind, Fact, GatewayAccountId, Job, JobId, JobKind, License, LicenseState, MailKind, OrderState,
    Payment, PaymentId, PaymentLocator, PaymentReport, PaymentState, PaymentStatus, Posting, Refund, RefundId,
    RefundReason, RefundReport, RefundState, RefundStatus, Refusal, Rng, Sale, Timestamp,
};

/// Something that happened to a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occurrence {
    /// A gateway said something, by webhook, by answer or by list.
    Reported {
        /// Whose account it came through.
        account: GatewayAccountId,
        /// What it said.
        fact: Fact,
    },
    /// The gateway opened a page for a payment.
    PageOpened {
        /// The payment.
        payment: PaymentId,
        /// The gateway's id of the page.
        page_reference: String,
        /// Where the buyer pays.
        url: String,
        /// The gateway's id of the money, when there is one already.
        reference: Option<String>,
    },
    /// The call that opens a payment ended without an answer.
    CallUnanswered {
        /// The payment.
        payment: PaymentId,
    },
    /// The gateway will not open this payment.
    CallRefused {
        /// The payment.
        payment: PaymentId,
        /// Why.
        decline: Decline,
    },
    /// The gateway was asked and the outcome is still open: ask again later.
    StillOpen {
        /// The payment.
        payment: PaymentId,
    },
    /// Somebody wants money to go back.
    RefundRequested {
        /// Its id, where whoever asks has named it: to ask again under that name is to ask for the same refund.
        refund: Option<RefundId>,
        /// How much; `None`: all that is left.
        amount: Option<Money>,
        /// Why.
        reason: RefundReason,
        /// Whether the licenses end with it; `None`: when everything has gone back.
        revoke: Option<bool>,
    },
    /// The gateway will not make this refund.
    RefundRefused {
        /// The refund.
        refund: RefundId,
        /// Why, in the gateway's words.
        message: String,
    },
}

impl Occurrence {
    /// What happened, in a word for logs and counts.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reported { fact, .. } => fact.as_str(),
            Self::PageOpened { .. } => "page_opened",
            Self::CallUnanswered { .. } => "call_unanswered",
            Self::CallRefused { .. } => "call_refused",
            Self::StillOpen { .. } => "still_open",
            Self::RefundRequested { .. } => "refund_requested",
            Self::RefundRefused { .. } => "refund_refused",
        }
    }

    /// The payment of the sale that it is about, as far as its names tell.
    #[must_use]
    pub fn payment<'a>(&self, sale: &'a Sale) -> Option<&'a Payment> {
        match self {
            Self::Reported { fact, .. } => {
                let locator = fact.locator();
                sale.payments
                    .iter()
                    .find(|payment| locator.payment.map_or_else(|| is_named(payment, locator), |id| payment.id == id))
            }
            Self::PageOpened { payment, .. }
            | Self::CallUnanswered { payment }
            | Self::CallRefused { payment, .. }
            | Self::StillOpen { payment } => sale.payment(*payment),
            Self::RefundRequested { .. } => sale.captured(),
            Self::RefundRefused { refund, .. } => {
                sale.refunds.iter().find(|known| known.id == *refund).and_then(|known| sale.payment(known.payment))
            }
        }
    }
}

/// What an occurrence changes.
///
/// # Errors
/// A [`Refusal`] when it contradicts what is stored; nothing changes then.
pub fn decide(
    sale: &Sale,
    occurrence: &Occurrence,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    let mut after = sale.clone();
    let mut desk = Desk { before: sale, changes: Changes::default(), actor, now, rng };
    match occurrence {
        Occurrence::Reported { account, fact } => match fact {
            Fact::Payment(report) => merge_payment(&mut after, *account, report)?,
            Fact::Refund(report) => merge_refund(&mut after, *account, report, &mut desk)?,
            Fact::Dispute(report) => merge_dispute(&mut after, *account, report, &mut desk)?,
        },
        Occurrence::PageOpened { payment, page_reference, url, reference } => {
            let names = PaymentLocator {
                page_reference: Some(page_reference.clone()),
                reference: reference.clone(),
                ..PaymentLocator::default()
            };
            let payment = learn_names(&mut after, *payment, &names)?;
            payment.page_url = Some(url.clone());
            advance(payment, PaymentState::Sent);
        }
        Occurrence::CallUnanswered { payment } => advance(find_payment(&mut after, *payment)?, PaymentState::Unknown),
        Occurrence::CallRefused { payment, decline } => {
            let payment = find_payment(&mut after, *payment)?;
            match payment.state {
                PaymentState::Created | PaymentState::Unknown => {
                    payment.decline = Some(decline.clone());
                    payment.state = PaymentState::Failed;
                }
                // The page is open since an earlier answer; what was refused is only the repeated call.
                PaymentState::Sent
                | PaymentState::RequiresAction
                | PaymentState::Processing
                | PaymentState::Canceled
                | PaymentState::Failed
                | PaymentState::Succeeded => {}
            }
        }
        Occurrence::StillOpen { payment } => {
            let payment = find_payment(&mut after, *payment)?;
            // Two nodes that asked at the same moment have asked once.
            if payment.state.is_open() && payment.check_at.is_none_or(|at| at <= now) {
                payment.checks = payment.checks.saturating_add(1);
                payment.check_at = Some(Payment::next_check(payment.checks, now));
            }
        }
        Occurrence::RefundRequested { refund, amount, reason, revoke } => {
            let asked_before = refund.is_some_and(|id| after.refunds.iter().any(|known| known.id == id));
            if !asked_before {
                request_refund(&mut after, *refund, *amount, *reason, *revoke, &mut desk)?;
            }
        }
        Occurrence::RefundRefused { refund, message } => {
            let refund = after.refunds.iter_mut().find(|known| known.id == *refund).ok_or(Refusal::PaymentUnknown)?;
            if refund.state == RefundState::Created {
                refund.state = RefundState::Failed;
                refund.failure = Some(message.clone());
            }
        }
    }
    settle(&mut after, &mut desk)?;
    Ok(record(after, desk))
}

/// The place where one decision is put together.
struct Desk<'a> {
    before: &'a Sale,
    changes: Changes,
    actor: Actor,
    now: Timestamp,
    rng: &'a mut Rng,
}

impl Desk<'_> {
    fn event(&mut self, kind: EventKind, data: Value) {
        let order = &self.before.order;
        self.changes.events.push(Event {
            id: EventId::mint(self.now, self.rng),
            shop: order.shop,
            kind,
            actor: self.actor,
            order: Some(order.id),
            license: None,
            customer: order.customer,
            data,
            at: self.now,
        });
    }

    fn job(&mut self, kind: JobKind) {
        self.changes.jobs.push(Job {
            id: JobId::mint(self.now, self.rng),
            shop: self.before.order.shop,
            kind,
            run_at: self.now,
            attempts: 0,
            last_error: None,
            created_at: self.now,
        });
    }

    fn mail(&mut self, mail: MailKind) {
        let order = &self.before.order;
        let Some(to) = &order.email else { return };
        let (mut delivery, job) = Delivery::queued(order.shop, mail, to, &order.locale, self.now, self.rng);
        delivery.order = Some(order.id);
        delivery.customer = order.customer;
        self.changes.jobs.push(job);
        self.changes.deliveries.push(delivery);
    }

    fn post(&mut self, cause: String, debit: Account, credit: Account, amount: Money) {
        let order = &self.before.order;
        // Some gateways open a case over nothing; then nothing moves.
        if !amount.is_zero() {
            self.changes.postings.push(Posting {
                shop: order.shop,
                cause,
                order: order.id,
                debit,
                credit,
                amount,
                at: self.now,
            });
        }
    }
}

fn find_payment(sale: &mut Sale, id: PaymentId) -> Result<&mut Payment, Refusal> {
    sale.payments.iter_mut().find(|payment| payment.id == id).ok_or(Refusal::PaymentUnknown)
}

/// The payment that a report is about, once everything in the report agrees with what is stored.
fn locate<'a>(
    sale: &'a mut Sale,
    account: GatewayAccountId,
    locator: &PaymentLocator,
    mode: crate::Mode,
) -> Result<&'a mut Payment, Refusal> {
    if locator.shop.is_some_and(|shop| shop != sale.order.shop) {
        return Err(Refusal::PaymentUnknown);
    }
    if locator.order.is_some_and(|order| order != sale.order.id) {
        return Err(Refusal::PaymentUnknown);
    }
    let payment = sale
        .payments
        .iter()
        .find(|payment| locator.payment.map_or_else(|| is_named(payment, locator), |id| payment.id == id))
        .ok_or(Refusal::PaymentUnknown)?;
    if payment.gateway_account != account {
        return Err(Refusal::AccountMismatch);
    }
    if payment.mode != mode {
        return Err(Refusal::ModeMismatch { expected: payment.mode, reported: mode });
    }
    let id = payment.id;
    learn_names(sale, id, locator)
}

fn is_named(payment: &Payment, locator: &PaymentLocator) -> bool {
    let same = |known: &Option<String>, told: &Option<String>| told.is_some() && known == told;
    same(&payment.reference, &locator.reference) || same(&payment.page_reference, &locator.page_reference)
}

/// Learns what the gateway calls the payment. One collection must not pay
/// twice: a name that another payment of the sale has is refused.
fn learn_names<'a>(sale: &'a mut Sale, id: PaymentId, locator: &PaymentLocator) -> Result<&'a mut Payment, Refusal> {
    let account = sale.payment(id).map(|payment| payment.gateway_account);
    let mut others =
        sale.payments.iter().filter(|payment| payment.id != id && Some(payment.gateway_account) == account);
    if let Some(other) = others.find(|payment| is_named(payment, locator)) {
        return Err(Refusal::ReferenceMismatch { expected: other.id.to_string(), reported: id.to_string() });
    }
    let payment = find_payment(sale, id)?;
    adopt(&mut payment.page_reference, locator.page_reference.as_ref())?;
    adopt(&mut payment.reference, locator.reference.as_ref())?;
    Ok(payment)
}

/// Learns a reference, or insists on the one that is known.
fn adopt(known: &mut Option<String>, told: Option<&String>) -> Result<(), Refusal> {
    match (&known, told) {
        (Some(expected), Some(reported)) if expected != reported => {
            Err(Refusal::ReferenceMismatch { expected: expected.clone(), reported: reported.clone() })
        }
        (None, Some(reported)) => {
            *known = Some(reported.clone());
            Ok(())
        }
        (Some(_), Some(_)) | (_, None) => Ok(()),
    }
}

/// Insists that a reported amount is in the payment's currency.
fn same_currency(expected: Money, reported: Money) -> Result<(), Refusal> {
    if expected.currency() == reported.currency() {
        Ok(())
    } else {
        Err(Refusal::CurrencyMismatch { expected, reported })
    }
}

/// Moves a payment forward, never back: see [`PaymentState::rank`].
fn advance(payment: &mut Payment, to: PaymentState) {
    if to.rank() > payment.state.rank() {
        payment.state = to;
    }
}

fn merge_payment(sale: &mut Sale, account: GatewayAccountId, report: &PaymentReport) -> Result<(), Refusal> {
    let payment = locate(sale, account, &report.locator, report.mode)?;
    let was = payment.state;
    match &report.status {
        PaymentStatus::Open { declined } => {
            if payment.state == PaymentState::RequiresAction && declined.is_some() {
                payment.state = PaymentState::Sent;
            }
            match payment.state {
                PaymentState::Created
                | PaymentState::Unknown
                | PaymentState::Sent
                | PaymentState::RequiresAction
                | PaymentState::Processing
                | PaymentState::Canceled => payment.decline = declined.clone().or(payment.decline.take()),
                PaymentState::Failed | PaymentState::Succeeded => {}
            }
            advance(payment, PaymentState::Sent);
        }
        PaymentStatus::RequiresAction => advance(payment, PaymentState::RequiresAction),
        PaymentStatus::Processing => advance(payment, PaymentState::Processing),
        PaymentStatus::Succeeded { captured } => {
            same_currency(payment.amount, *captured)?;
            if payment.amount != *captured {
                return Err(Refusal::AmountMismatch { expected: payment.amount, reported: *captured });
            }
            // What was declined did not pay; what did is named by this report, or by one to come.
            if payment.decline.take().is_some() {
                payment.method = None;
            }
            advance(payment, PaymentState::Succeeded);
        }
        PaymentStatus::Failed(decline) => {
            if payment.state != PaymentState::Succeeded {
                payment.decline = Some(decline.clone());
            }
            advance(payment, PaymentState::Failed);
        }
        PaymentStatus::Canceled => advance(payment, PaymentState::Canceled),
    }
    // A report that comes late must not put the card that was declined in the place of the one that paid.
    let is_late = report.status.state().rank() < was.rank() && payment.state == was;
    if report.method.is_some() && !is_late {
        payment.method.clone_from(&report.method);
    }
    Ok(())
}

fn merge_refund(
    sale: &mut Sale,
    account: GatewayAccountId,
    report: &RefundReport,
    desk: &mut Desk<'_>,
) -> Result<(), Refusal> {
    let payment = locate(sale, account, &report.locator, report.mode)?.clone();
    same_currency(payment.amount, report.amount)?;
    if !report.amount.is_positive() {
        return Err(Refusal::RefundNotPositive);
    }
    let state = match report.status {
        RefundStatus::Pending => RefundState::Pending,
        RefundStatus::Succeeded => RefundState::Succeeded,
        RefundStatus::Failed => RefundState::Failed,
        RefundStatus::Canceled => RefundState::Canceled,
    };
    let refund = match find_refund(sale, &payment, report).cloned() {
        Some(known) if known.amount != report.amount => {
            return Err(Refusal::AmountMismatch { expected: known.amount, reported: report.amount });
        }
        Some(mut known) => {
            // A refund that only we gave up, without the gateway's word, yields to that word.
            if known.reference.is_none() || state.rank() > known.state.rank() {
                known.state = state;
            }
            adopt(&mut known.reference, Some(&report.reference))?;
            if known.state.counts() {
                known.failure = None;
            }
            known
        }
        None => Refund {
            id: RefundId::mint(desk.now, desk.rng),
            shop: sale.order.shop,
            version: 0,
            payment: payment.id,
            order: sale.order.id,
            amount: report.amount,
            reason: RefundReason::MadeAtGateway,
            revoke: None,
            state,
            reference: Some(report.reference.clone()),
            requested_by: Actor::Gateway,
            failure: None,
            created_at: desk.now,
        },
    };
    if sale.refunds.contains(&refund) {
        return Ok(());
    }
    sale.refunds.retain_mut(|known| known.id != refund.id);
    // What was only asked for here must not keep out what did happen there.
    let left = payment.amount.checked_sub(sale.refunded(&payment)?)?;
    if refund.state.counts() && refund.amount.compare(left)?.is_gt() {
        return Err(Refusal::RefundExceedsPayment { requested: refund.amount, refundable: left });
    }
    ask_when_overtaken(&payment, refund.state.counts(), desk);
    sale.refunds.push(refund);
    Ok(())
}

fn find_refund<'a>(sale: &'a Sale, payment: &Payment, report: &RefundReport) -> Option<&'a Refund> {
    let of_payment = || sale.refunds.iter().filter(|refund| refund.payment == payment.id);
    of_payment()
        .find(|refund| refund.reference.as_ref() == Some(&report.reference))
        .or_else(|| of_payment().find(|refund| refund.reference.is_none() && report.refund == Some(refund.id)))
}

fn merge_dispute(
    sale: &mut Sale,
    account: GatewayAccountId,
    report: &DisputeReport,
    desk: &mut Desk<'_>,
) -> Result<(), Refusal> {
    let payment = locate(sale, account, &report.locator, report.mode)?.clone();
    same_currency(payment.amount, report.amount)?;
    if report.amount.is_negative() {
        return Err(Refusal::AmountMismatch { expected: payment.amount, reported: report.amount });
    }
    match sale
        .disputes
        .iter_mut()
        .find(|dispute| dispute.payment == payment.id && dispute.reference == report.reference)
    {
        Some(dispute) => {
            let was = dispute.clone();
            if dispute.is_behind(report) {
                // A question may become a chargeback over another amount; once money moved, the amount stands.
                if dispute.state.is_question() {
                    dispute.amount = report.amount;
                } else if dispute.amount != report.amount {
                    return Err(Refusal::AmountMismatch { expected: dispute.amount, reported: report.amount });
                }
                if report.as_of.is_some() || dispute.state != report.state {
                    dispute.told_at = dispute.told_at.max(Dispute::moment(report, desk.now));
                }
                dispute.state = report.state;
            }
            dispute.evidence_due_at = dispute.evidence_due_at.max(report.evidence_due_at);
            if *dispute == was {
                return Ok(());
            }
        }
        None => sale.disputes.push(Dispute {
            id: DisputeId::mint(desk.now, desk.rng),
            shop: sale.order.shop,
            version: 0,
            payment: payment.id,
            order: sale.order.id,
            reference: report.reference.clone(),
            amount: report.amount,
            reason: report.reason.clone(),
            state: report.state,
            told_at: Dispute::moment(report, desk.now),
            evidence_due_at: report.evidence_due_at,
            created_at: desk.now,
        }),
    }
    ask_when_overtaken(&payment, true, desk);
    Ok(())
}

/// Money can only go back, or be disputed, after it came. A refund or a
/// dispute that overtakes its payment on the wire proves a capture, but not
/// its amount: the gateway is asked for the payment itself. Only news asks, so
/// that the answer, which repeats the refund, does not ask again.
fn ask_when_overtaken(payment: &Payment, moved: bool, desk: &mut Desk<'_>) {
    if moved && payment.state != PaymentState::Succeeded {
        desk.job(JobKind::AskPayment { payment: payment.id });
    }
}

fn request_refund(
    sale: &mut Sale,
    id: Option<RefundId>,
    amount: Option<Money>,
    reason: RefundReason,
    revoke: Option<bool>,
    desk: &mut Desk<'_>,
) -> Result<(), Refusal> {
    let (payment, revoke) = match reason {
        // The way to try again when a surplus could not be sent back. The licenses were paid by another payment.
        RefundReason::SurpriseCapture => {
            (sale.surplus().map(|(payment, _)| payment).ok_or(Refusal::NoSurplus)?, Some(false))
        }
        RefundReason::RequestedByCustomer
        | RefundReason::Duplicate
        | RefundReason::Fraudulent
        | RefundReason::MadeAtGateway => (sale.captured().ok_or(Refusal::OrderNotPaid)?, revoke),
    };
    let payment = payment.clone();
    let refundable = sale.refundable(&payment)?;
    let amount = amount.unwrap_or(refundable);
    same_currency(payment.amount, amount)?;
    if amount.compare(refundable)?.is_gt() || refundable.is_zero() {
        return Err(Refusal::RefundExceedsPayment { requested: amount, refundable });
    }
    if !amount.is_positive() {
        return Err(Refusal::RefundNotPositive);
    }
    let id = id.unwrap_or_else(|| RefundId::mint(desk.now, desk.rng));
    let wanted = Wanted { id, amount, reason, revoke, requested_by: desk.actor };
    add_refund(sale, &payment, wanted, desk);
    Ok(())
}

/// A refund that is to be written down.
#[derive(Clone, Copy)]
struct Wanted {
    id: RefundId,
    amount: Money,
    reason: RefundReason,
    revoke: Option<bool>,
    requested_by: Actor,
}

fn add_refund(sale: &mut Sale, payment: &Payment, wanted: Wanted, desk: &mut Desk<'_>) {
    let Wanted { id, amount, reason, revoke, requested_by } = wanted;
    let refund = Refund {
        id,
        shop: sale.order.shop,
        version: 0,
        payment: payment.id,
        order: sale.order.id,
        amount,
        reason,
        revoke,
        state: RefundState::Created,
        reference: None,
        requested_by,
        failure: None,
        created_at: desk.now,
    };
    desk.job(JobKind::SendRefund { refund: refund.id });
    sale.refunds.push(refund);
}

fn settle(sale: &mut Sale, desk: &mut Desk<'_>) -> Result<(), Refusal> {
    sale.turnover()?;
    return_surplus(sale, desk)?;
    if let Some(payment) = sale.captured().cloned() {
        sale.order.refunded = sale.refunded(&payment)?;
        sale.checkout.state = CheckoutState::Completed;
        if sale.order.paid_at.is_none() {
            sale.order.paid_at = Some(desk.now);
            desk.changes.issued = issue(&sale.order, desk.now, desk.rng);
        }
    }
    if let Some(state) = sale.order_state()? {
        sale.order.state = state;
    }
    for payment in &mut sale.payments {
        if payment.page_reference.is_some() || !payment.state.is_open() {
            payment.opening = None;
        }
        payment.check_at = match (payment.state.is_open(), payment.check_at) {
            (true, None) => Some(Payment::next_check(payment.checks, desk.now)),
            (true, known) => known,
            (false, _) => None,
        };
    }
    settle_licenses(sale, desk)
}

/// Moves the licenses when what the money says of them has changed. What a
/// person decided stands until a person undoes it: a suspension is kept
/// through refund and dispute, and a license that somebody gave back after a
/// refund is not taken away again because the same refund moved on.
fn settle_licenses(sale: &mut Sale, desk: &mut Desk<'_>) -> Result<(), Refusal> {
    let Some(state) = sale.license_state()? else { return Ok(()) };
    for (license, _) in &mut desk.changes.issued {
        license.state = state;
    }
    if desk.before.license_state()? != Some(state) {
        for license in sale.licenses.iter_mut().filter(|license| !license.state.is_by_person()) {
            license.state = state;
        }
    }
    Ok(())
}

/// Gives back what was captured although the order had been paid otherwise.
fn return_surplus(sale: &mut Sale, desk: &mut Desk<'_>) -> Result<(), Refusal> {
    let Some(kept) = desk.before.captured().or_else(|| sale.captured()).map(|payment| payment.id) else {
        return Ok(());
    };
    let surplus: Vec<Payment> = sale
        .payments
        .iter()
        .filter(|payment| {
            payment.state == PaymentState::Succeeded && payment.id != kept && !sale.is_surprise(payment.id)
        })
        .cloned()
        .collect();
    for payment in surplus {
        let left = sale.unreturned(&payment)?;
        if left.is_positive() {
            let wanted = Wanted {
                id: RefundId::mint(desk.now, desk.rng),
                amount: left,
                reason: RefundReason::SurpriseCapture,
                revoke: Some(false),
                requested_by: Actor::System,
            };
            add_refund(sale, &payment, wanted, desk);
            continue;
        }
        // Somebody at the gateway was faster. The reason is what tells that this payment is not the kept one.
        for refund in sale.refunds.iter_mut().filter(|refund| refund.payment == payment.id && refund.state.reserves()) {
            refund.reason = RefundReason::SurpriseCapture;
        }
    }
    Ok(())
}

/// Writes down the difference between the sale as it was read and as it is now.
fn record(after: Sale, mut desk: Desk<'_>) -> Changes {
    let before = desk.before;
    for payment in &after.payments {
        let was = before.payment(payment.id).map_or(PaymentState::Created, |known| known.state);
        let declined = before.payment(payment.id).is_some_and(|known| known.decline != payment.decline);
        if declined && payment.decline.is_some() && payment.state != PaymentState::Failed {
            desk.event(EventKind::PaymentDeclined, payment_data(payment));
        }
        if payment.state != was {
            record_payment(payment, was, &after, &mut desk);
        }
    }
    for refund in &after.refunds {
        let was = before.refunds.iter().find(|known| known.id == refund.id).map(|known| known.state);
        if was != Some(refund.state) {
            record_refund(refund, was, &after, &mut desk);
        }
    }
    for dispute in &after.disputes {
        let was = before.disputes.iter().find(|known| known.id == dispute.id).map(|known| known.state);
        if was != Some(dispute.state) {
            record_dispute(dispute, was.is_some_and(DisputeState::takes_money), &after, &mut desk);
        }
    }
    record_order(&after, &mut desk);
    record_licenses(&after, &mut desk);
    record_claims(&after, &mut desk);
    write_mails(&after, &mut desk);

    let mut changes = desk.changes;
    changes.checkouts = changed(Some(after.checkout), |row| *row == before.checkout);
    changes.payments = changed(after.payments, |row| before.payments.contains(row));
    changes.refunds = changed(after.refunds, |row| before.refunds.contains(row));
    changes.disputes = changed(after.disputes, |row| before.disputes.contains(row));
    changes.licenses = changed(after.licenses, |row| before.licenses.contains(row));
    // The order's version is the lock of the whole sale: any change moves it.
    if changes != Changes::default() || after.order != before.order {
        changes.orders = vec![after.order];
    } else {
        changes.checks = vec![before.check()];
    }
    changes
}

fn changed<Row>(rows: impl IntoIterator<Item = Row>, same: impl Fn(&Row) -> bool) -> Vec<Row> {
    rows.into_iter().filter(|row| !same(row)).collect()
}

fn payment_data(payment: &Payment) -> Value {
    json!({
        "payment": payment.id,
        "amount": payment.amount,
        "method": payment.method,
        "decline_code": payment.decline.as_ref().map(|decline| &decline.code),
        "decline_class": payment.decline.as_ref().map(|decline| decline.class.code()),
    })
}

fn record_payment(payment: &Payment, was: PaymentState, after: &Sale, desk: &mut Desk<'_>) {
    if payment.state == PaymentState::Sent && was == PaymentState::RequiresAction {
        // Back on a page that has been open all along; the decline tells why.
        return;
    }
    desk.event(
        match payment.state {
            PaymentState::Created | PaymentState::Sent => EventKind::PaymentSent,
            PaymentState::RequiresAction => EventKind::PaymentRequiresAction,
            PaymentState::Processing => EventKind::PaymentProcessing,
            PaymentState::Unknown => EventKind::PaymentUnknown,
            PaymentState::Canceled => EventKind::PaymentCanceled,
            PaymentState::Failed => EventKind::PaymentFailed,
            PaymentState::Succeeded if after.is_surprise(payment.id) || !was.is_open() => {
                EventKind::PaymentSurpriseCapture
            }
            PaymentState::Succeeded => EventKind::PaymentSucceeded,
        },
        payment_data(payment),
    );
    if payment.state == PaymentState::Succeeded {
        desk.post(
            format!("capture:{}", payment.id),
            Account::Gateway(payment.gateway_account),
            Account::Sales,
            payment.amount,
        );
    }
    // Who is declined on the page sees it there; who left with a debit under way learns it by mail.
    if payment.state == PaymentState::Failed && was == PaymentState::Processing && after.captured().is_none() {
        desk.mail(MailKind::PaymentFailed { order: after.order.id });
    }
}

fn record_refund(refund: &Refund, was: Option<RefundState>, after: &Sale, desk: &mut Desk<'_>) {
    let data = json!({
        "refund": refund.id,
        "payment": refund.payment,
        "amount": refund.amount,
        "reason": refund.reason.as_str(),
        "failure": refund.failure,
    });
    desk.event(
        match refund.state {
            RefundState::Created => EventKind::RefundRequested,
            RefundState::Pending => EventKind::RefundPending,
            RefundState::Succeeded => EventKind::RefundSucceeded,
            RefundState::Canceled | RefundState::Failed => EventKind::RefundFailed,
        },
        data,
    );
    let Some(account) = after.payment(refund.payment).map(|payment| Account::Gateway(payment.gateway_account)) else {
        return;
    };
    match (was.is_some_and(RefundState::counts), refund.state.counts()) {
        (false, true) => desk.post(format!("refund:{}", refund.id), Account::Sales, account, refund.amount),
        (true, false) => desk.post(format!("refund_reversed:{}", refund.id), account, Account::Sales, refund.amount),
        (true, true) | (false, false) => {}
    }
}

fn record_dispute(dispute: &Dispute, was_taken: bool, after: &Sale, desk: &mut Desk<'_>) {
    desk.event(
        EventKind::DisputeChanged,
        json!({
            "dispute": dispute.id,
            "payment": dispute.payment,
            "amount": dispute.amount,
            "reason": dispute.reason,
            "state": dispute.state.as_str(),
            "evidence_due_at": dispute.evidence_due_at,
        }),
    );
    let Some(account) = after.payment(dispute.payment).map(|payment| Account::Gateway(payment.gateway_account)) else {
        return;
    };
    // A case can be won, taken up again, lost and won on appeal: each time is a cause of its own.
    match (was_taken, dispute.state.takes_money()) {
        (false, true) => desk.post(
            format!("dispute:{}:{}:{}", dispute.id, dispute.state.as_str(), dispute.version),
            Account::Disputes,
            account,
            dispute.amount,
        ),
        (true, false) => desk.post(
            format!("dispute_reversed:{}:{}:{}", dispute.id, dispute.state.as_str(), dispute.version),
            account,
            Account::Disputes,
            dispute.amount,
        ),
        (true, true) | (false, false) => {}
    }
}

fn record_order(after: &Sale, desk: &mut Desk<'_>) {
    let (was, is) = (&desk.before.order, &after.order);
    let newly_paid = was.paid_at.is_none() && is.paid_at.is_some();
    if newly_paid {
        desk.event(EventKind::OrderPaid, json!({ "number": is.number.as_str(), "total": is.total }));
    }
    if was.refunded != is.refunded {
        desk.event(EventKind::OrderRefundChanged, json!({ "refunded": is.refunded, "total": is.total }));
    }
    match (was.state, is.state) {
        (OrderState::Lost, OrderState::Lost) | (OrderState::Disputed, OrderState::Disputed) => {}
        (_, OrderState::Lost) => desk.event(EventKind::OrderLost, json!({})),
        (_, OrderState::Disputed) => desk.event(EventKind::OrderDisputed, json!({})),
        (OrderState::Disputed | OrderState::Lost, _) => desk.event(EventKind::OrderDisputeWon, json!({})),
        (
            OrderState::Pending
            | OrderState::Paid
            | OrderState::PartiallyRefunded
            | OrderState::Refunded
            | OrderState::Expired,
            _,
        ) => {}
    }
}

/// The keys go out in the decision in which they first work, or in which they work again when no mail has carried them,
/// and a buyer hears of money that goes back once the payment it comes from is known.
fn write_mails(after: &Sale, desk: &mut Desk<'_>) {
    let issued_working = desk.changes.issued.iter().any(|(license, _)| license.state == LicenseState::Active);
    let works_again = after.licenses.iter().any(|license| {
        let known = desk.before.licenses.iter().find(|known| known.id == license.id);
        license.state == LicenseState::Active && known.is_some_and(|known| known.state != LicenseState::Active)
    });
    if (issued_working || works_again) && !desk.before.keys_mailed {
        desk.mail(MailKind::OrderPaid { order: after.order.id });
    }
    if after.order.refunded.minor() > desk.before.order.refunded.minor() {
        desk.mail(MailKind::OrderRefunded { order: after.order.id });
    }
}

fn record_licenses(after: &Sale, desk: &mut Desk<'_>) {
    let mut told = Vec::new();
    for (license, _) in &desk.changes.issued {
        told.push((EventKind::LicenseIssued, license.id, license.key_tail.clone()));
    }
    let mut moved = Vec::new();
    for license in &after.licenses {
        let was = desk.before.licenses.iter().find(|known| known.id == license.id).map(|known| known.state);
        if was != Some(license.state) {
            moved.push((license.state, license.id, license.key_tail.clone()));
        }
    }
    let issued_off = desk.changes.issued.iter().filter(|(license, _)| license.state != LicenseState::Active);
    moved.extend(issued_off.map(|(license, _)| (license.state, license.id, license.key_tail.clone())));
    told.extend(moved.into_iter().map(|(state, id, tail)| {
        let kind = match state {
            LicenseState::Active => EventKind::LicenseReinstated,
            LicenseState::SuspendedByDispute | LicenseState::SuspendedByPerson => EventKind::LicenseSuspended,
            LicenseState::RevokedByRefund | LicenseState::RevokedByDispute | LicenseState::RevokedByPerson => {
                EventKind::LicenseRevoked
            }
        };
        (kind, id, tail)
    }));
    for (kind, license, tail) in told {
        desk.event(kind, json!({ "license": license, "key_tail": tail }));
        if let Some(event) = desk.changes.events.last_mut() {
            event.license = Some(license);
        }
    }
}

fn record_claims(after: &Sale, desk: &mut Desk<'_>) {
    let issued: Vec<License> = desk.changes.issued.iter().map(|(license, _)| license.clone()).collect();
    open_claims(&after.order, &issued, desk.actor, desk.now, desk.rng, &mut desk.changes);
    sign_keys(&after.order, desk.now, &mut desk.changes);
}

#[cfg(test)]
mod tests;
