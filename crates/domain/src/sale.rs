//! An order with everything that hangs on it: what a decision about money reads.

use money::{Money, MoneyError};

use crate::{
    Check, Checkout, Dispute, License, LicenseState, Order, OrderState, Payment, PaymentId, PaymentState, Refund,
    RefundReason,
};

/// An order and all its parts, read in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// The order.
    pub order: Order,
    /// The visit that made it.
    pub checkout: Checkout,
    /// Every attempt to collect, oldest first.
    pub payments: Vec<Payment>,
    /// Every refund, oldest first.
    pub refunds: Vec<Refund>,
    /// Every dispute, oldest first.
    pub disputes: Vec<Dispute>,
    /// Every license, by line and unit.
    pub licenses: Vec<License>,
    /// Whether a mail that carries the keys has left, or waits to leave.
    pub keys_mailed: bool,
}

impl Sale {
    /// The version check for a decision that changes nothing.
    #[must_use]
    pub fn check(&self) -> Check {
        Check::Order { shop: self.order.shop, id: self.order.id, version: self.order.version }
    }

    /// The payment with this id.
    #[must_use]
    pub fn payment(&self, id: PaymentId) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.id == id)
    }

    /// The payment that collected the money of the order, where one has: the
    /// first captured one, for a later capture is a surprise and goes back.
    #[must_use]
    pub fn captured(&self) -> Option<&Payment> {
        self.payments
            .iter()
            .filter(|payment| payment.state == PaymentState::Succeeded)
            .find(|payment| !self.is_surprise(payment.id))
    }

    /// Whether the money of this payment goes back because the order was paid otherwise.
    #[must_use]
    pub fn is_surprise(&self, payment: PaymentId) -> bool {
        self.refunds.iter().any(|refund| refund.payment == payment && refund.reason == RefundReason::SurpriseCapture)
    }

    /// Money that came although the order had been paid otherwise, and that no refund is giving back: the payment, and
    /// what is left of it. It goes back at once by itself, so this is what could not.
    #[must_use]
    pub fn surplus(&self) -> Option<(&Payment, Money)> {
        let captured = |payment: &&Payment| payment.state == PaymentState::Succeeded && self.is_surprise(payment.id);
        self.payments
            .iter()
            .filter(captured)
            .filter_map(|payment| Some((payment, self.refundable(payment).ok()?)))
            .find(|(_, left)| left.is_positive())
    }

    /// What has gone back, or is on its way, of this payment.
    ///
    /// # Errors
    /// When the sum does not fit.
    pub fn refunded(&self, payment: &Payment) -> Result<Money, MoneyError> {
        self.sum_of_refunds(payment, |refund| refund.state.counts())
    }

    /// What can still be given back of this payment: not what is going back
    /// already, and not what the bank has taken, for it would be lost twice.
    ///
    /// # Errors
    /// When the sum does not fit.
    pub fn refundable(&self, payment: &Payment) -> Result<Money, MoneyError> {
        let taken = self.disputes.iter().filter(|dispute| dispute.payment == payment.id && dispute.state.takes_money());
        let left = taken.map(|dispute| dispute.amount).try_fold(self.unreturned(payment)?, Money::checked_sub)?;
        Ok(if left.is_negative() { Money::zero(left.currency()) } else { left })
    }

    /// What no refund of this payment covers, made or asked for; never below zero.
    pub(crate) fn unreturned(&self, payment: &Payment) -> Result<Money, MoneyError> {
        let left = payment.amount.checked_sub(self.sum_of_refunds(payment, |refund| refund.state.reserves())?)?;
        Ok(if left.is_negative() { Money::zero(left.currency()) } else { left })
    }

    /// Where the money puts the order; `None` while nothing was captured, for
    /// then time decides between pending and expired.
    ///
    /// # Errors
    /// When the sum of the refunds does not fit.
    pub fn order_state(&self) -> Result<Option<OrderState>, MoneyError> {
        let Some(payment) = self.captured() else { return Ok(None) };
        let mut disputes = self.disputes.iter().filter(|dispute| dispute.payment == payment.id);
        let refunded = self.refunded(payment)?;
        Ok(Some(if disputes.clone().any(|dispute| dispute.state.is_lost()) {
            OrderState::Lost
        } else if disputes.any(|dispute| dispute.state.holds_money()) {
            OrderState::Disputed
        } else if refunded.is_zero() {
            OrderState::Paid
        } else if refunded.compare(payment.amount)?.is_lt() {
            OrderState::PartiallyRefunded
        } else {
            OrderState::Refunded
        }))
    }

    /// What the money makes of the licenses, and so what is left when a person
    /// lifts a suspension; `None` while nothing was captured.
    ///
    /// # Errors
    /// When the sum of the refunds does not fit.
    pub fn license_state(&self) -> Result<Option<LicenseState>, MoneyError> {
        let (Some(payment), Some(order)) = (self.captured(), self.order_state()?) else { return Ok(None) };
        let mut refunds = self.refunds.iter().filter(|refund| refund.payment == payment.id && refund.state.counts());
        let all_back = !self.refunded(payment)?.compare(payment.amount)?.is_lt();
        let revoked = refunds.clone().any(|refund| refund.revoke == Some(true))
            || (all_back && !refunds.any(|refund| refund.revoke == Some(false)));
        let by_refund = if revoked { LicenseState::RevokedByRefund } else { LicenseState::Active };
        Ok(Some(match order {
            OrderState::Lost => LicenseState::RevokedByDispute,
            OrderState::Disputed if !revoked => LicenseState::SuspendedByDispute,
            OrderState::Pending
            | OrderState::Paid
            | OrderState::PartiallyRefunded
            | OrderState::Refunded
            | OrderState::Disputed
            | OrderState::Expired => by_refund,
        }))
    }

    /// All payments, refunds and disputes together, whatever became of them. When
    /// this fits, every sum over a part of them fits as well.
    pub(crate) fn turnover(&self) -> Result<Money, MoneyError> {
        let payments = self.payments.iter().map(|payment| payment.amount);
        let refunds = self.refunds.iter().map(|refund| refund.amount);
        let disputes = self.disputes.iter().map(|dispute| dispute.amount);
        Money::sum(self.order.total.currency(), payments.chain(refunds).chain(disputes))
    }

    fn sum_of_refunds(&self, payment: &Payment, counted: impl Fn(&Refund) -> bool) -> Result<Money, MoneyError> {
        self.refunds
            .iter()
            .filter(|refund| refund.payment == payment.id && counted(refund))
            .try_fold(Money::zero(payment.amount.currency()), |sum, refund| sum.checked_add(refund.amount))
    }
}
