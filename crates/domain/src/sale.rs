//! An order with everything that hangs on it: what a decision about money reads.

use money::{Money, MoneyError};

use crate::{Check, Checkout, Dispute, License, Order, Payment, PaymentId, Refund};

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
            .filter(|payment| payment.state == crate::PaymentState::Succeeded)
            .find(|payment| !self.is_surprise(payment.id))
    }

    /// Whether the money of this payment goes back because the order was paid otherwise.
    #[must_use]
    pub fn is_surprise(&self, payment: PaymentId) -> bool {
        self.refunds
            .iter()
            .any(|refund| refund.payment == payment && refund.reason == crate::RefundReason::SurpriseCapture)
    }

    /// What has gone back, or is on its way, of this payment.
    ///
    /// # Errors
    /// When the sum does not fit.
    pub fn refunded(&self, payment: &Payment) -> Result<Money, MoneyError> {
        self.sum_of_refunds(payment, |refund| refund.state.counts())
    }

    /// What can still be given back of this payment.
    ///
    /// # Errors
    /// When the sum does not fit.
    pub fn refundable(&self, payment: &Payment) -> Result<Money, MoneyError> {
        payment.amount.checked_sub(self.sum_of_refunds(payment, |refund| refund.state.reserves())?)
    }

    fn sum_of_refunds(&self, payment: &Payment, counted: impl Fn(&Refund) -> bool) -> Result<Money, MoneyError> {
        self.refunds
            .iter()
            .filter(|refund| refund.payment == payment.id && counted(refund))
            .try_fold(Money::zero(payment.amount.currency()), |sum, refund| sum.checked_add(refund.amount))
    }
}
