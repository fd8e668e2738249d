//! Why a decision was not taken. Nothing is written; a person is told.

use money::{Money, MoneyError};

use crate::{AnswerError, AnswerFault, LicenseState, Mode, Standing, Timestamp};

/// A rule that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The gateway captured another amount than we asked for.
    #[error("expected {expected}, the gateway reports {reported}")]
    AmountMismatch {
        /// What the payment is for.
        expected: Money,
        /// What was reported.
        reported: Money,
    },
    /// The report is in another currency than the payment.
    #[error("expected {expected}, the gateway reports {reported}")]
    CurrencyMismatch {
        /// What the payment is for.
        expected: Money,
        /// What was reported.
        reported: Money,
    },
    /// Simulated money for a live shop, or the other way round.
    #[error("the payment is {expected:?}, the report is {reported:?}")]
    ModeMismatch {
        /// Of the payment.
        expected: Mode,
        /// Of the report.
        reported: Mode,
    },
    /// The report came for another gateway account than the payment was sent to.
    #[error("the payment belongs to another gateway account")]
    AccountMismatch,
    /// The report names our payment but another object at the gateway than we stored.
    #[error("the report is about {reported}, the payment is {expected} at the gateway")]
    ReferenceMismatch {
        /// What we stored.
        expected: String,
        /// What was reported.
        reported: String,
    },
    /// The report names an order or a payment of ours that does not exist.
    #[error("there is no such payment")]
    PaymentUnknown,
    /// More went back, or should go back, than is left.
    #[error("{requested} is more than the {refundable} that can be refunded")]
    RefundExceedsPayment {
        /// What was asked for.
        requested: Money,
        /// What is left.
        refundable: Money,
    },
    /// A refund of nothing.
    #[error("a refund must be above zero")]
    RefundNotPositive,
    /// A refund of an order that nobody paid.
    #[error("the order has not been paid")]
    OrderNotPaid,
    /// Another customer of the shop has this address.
    #[error("another customer has this address")]
    EmailTaken,
    /// No money came that was too much, or all of it is back or on its way.
    #[error("there is no surplus to give back")]
    NoSurplus,
    /// The plan, or its product, is not on sale.
    #[error("the plan is not on sale")]
    PlanNotOnSale,
    /// The stock is empty, and nothing is sold until there is more.
    #[error("it is out of stock")]
    OutOfStock,
    /// The stock is empty, and the buyer does not know yet that the code comes later.
    #[error("the stock is empty: the code would come later")]
    OnBackOrder,
    /// What the buyer holds was made elsewhere, and no other can be made here.
    #[error("the code was made elsewhere and cannot be made anew")]
    CodeMadeElsewhere,
    /// Licenses are issued of what is in a bundle, and not of the bundle.
    #[error("the plan is a bundle")]
    PlanIsBundle,
    /// What the unit is owed comes out of a stock, and nobody chooses which code.
    #[error("its code comes out of a stock")]
    CodeFromStock,
    /// Nothing is owed beside the key that was made here.
    #[error("its key was made here, and nothing else is owed")]
    NothingOwed,
    /// The buyer has written much, and nobody has answered yet.
    #[error("many messages about this order are not answered yet; please wait for an answer")]
    MessagesUnanswered,
    /// The buyer has no page where a message is read, or no address to be told of it.
    #[error("the buyer of this order can read no message: it is not paid, or there is no address")]
    MessageUnreadable,
    /// The buyer has something else already.
    #[error("it was fulfilled with something else")]
    FulfilledOtherwise,
    /// Another unit has this content, or a stock holds it.
    #[error("this content is handed out already, or stands in a stock")]
    ContentTaken,
    /// The plan has no price in the currency.
    #[error("there is no price in this currency")]
    NoPriceInCurrency,
    /// Fewer than one or more than the plan allows.
    #[error("the quantity must be from 1 to {max}")]
    QuantityOutOfRange {
        /// The most that may be bought at once.
        max: u32,
    },
    /// No coupon has this code.
    #[error("there is no such coupon")]
    CouponUnknown,
    /// A consumer in the European Union must ask for immediate supply.
    #[error("immediate supply was not agreed to")]
    ConsentMissing,
    /// Pay was pressed before for this checkout, with other answers.
    #[error("the order was placed before with other answers")]
    SubmittedOtherwise,
    /// What must be answered before paying was not.
    #[error("there is no answer to {name}")]
    AnswerMissing {
        /// The name of the question.
        name: String,
    },
    /// An answer that is not taken.
    #[error("what was answered to {name} {fault}")]
    AnswerInvalid {
        /// The name of the question.
        name: String,
        /// What is wrong with it.
        fault: AnswerFault,
    },
    /// The checkout can no longer be paid.
    #[error("the checkout has expired")]
    CheckoutExpired,
    /// The checkout was paid already.
    #[error("the checkout has been completed")]
    CheckoutCompleted,
    /// The license does not work.
    #[error("the license is {}", .0.as_str())]
    LicenseNotUsable(Standing),
    /// The version came out after the updates that were bought.
    #[error("this version is not covered")]
    UpdateNotCovered,
    /// All seats are taken.
    #[error("all {seats} seats are taken")]
    SeatLimitReached {
        /// How many there are.
        seats: u32,
    },
    /// The licenses of a group hold as many seats together as they may.
    #[error("all {seats} seats of the group are taken")]
    GroupFull {
        /// How many there are.
        seats: u32,
    },
    /// A group takes no more licenses.
    #[error("the group takes {licenses} licenses")]
    GroupLicensesReached {
        /// How many it takes.
        licenses: u32,
    },
    /// A group holds more than it would be allowed.
    #[error("the group holds {licenses} licenses and {seats} seats")]
    GroupBelowUsed {
        /// How many licenses it holds.
        licenses: u32,
        /// How many seats those hold.
        seats: u32,
    },
    /// A license is in the group.
    #[error("there are licenses in the group; take them out first")]
    GroupNotEmpty,
    /// The device holds no seat.
    #[error("this device is not activated")]
    NotActivated,
    /// The license is for another product.
    #[error("the license is for another product")]
    WrongProduct,
    /// A license with counted seats is given in no file that works on any device.
    #[error("the license is given for one device at a time")]
    DeviceMissing,
    /// A license file cannot count for so long.
    #[error("a license file counts from {shortest} to {longest} seconds")]
    FileTimeOutOfRange {
        /// The shortest, in seconds.
        shortest: i64,
        /// The longest that the policy allows, in seconds.
        longest: i64,
    },
    /// Nobody who has the key made the request.
    #[error("the request was not made with the key of this license")]
    RequestNotGenuine,
    /// The key was replaced.
    #[error("the key was replaced by one that ends in {new_tail}")]
    KeyRetired {
        /// The last four symbols of the key that works now.
        new_tail: String,
    },
    /// More devices hold a seat than there would be seats.
    #[error("{used} seats are taken")]
    SeatsBelowUsed {
        /// How many hold one.
        used: u32,
    },
    /// The owner freed as many devices as the plan allows.
    #[error("the next device can be freed at {next_at}")]
    ReleaseQuotaReached {
        /// When the next one can be freed.
        next_at: Timestamp,
    },
    /// The owner took as many new keys as are given.
    #[error("the next new key can be had at {next_at}")]
    RotationQuotaReached {
        /// When the next one can be had.
        next_at: Timestamp,
    },
    /// The license was offered as often as is allowed.
    #[error("the license can be offered again at {next_at}")]
    TransferQuotaReached {
        /// When it can be offered again.
        next_at: Timestamp,
    },
    /// The batch was begun with another plan, or another number of licenses.
    #[error("this batch was begun for other licenses")]
    BatchDiffers,
    /// The license belongs to that customer already.
    #[error("the license belongs to this address already")]
    TransferToOwner,
    /// The offer was taken, withdrawn, or its time is over.
    #[error("the offer is not open any more")]
    TransferOver,
    /// What is to be done does not go with the state of the license.
    #[error("this cannot be done to a license that is {}", .state.as_str())]
    LicenseStateUnfit {
        /// Its state.
        state: LicenseState,
    },
    /// Nothing that was done by hand, or nothing that can be taken back.
    #[error("this cannot be undone")]
    NotUndoable,
    /// What is to be undone is not as that act left it.
    #[error("this was changed again since")]
    ChangedSince,
    /// The license has no count of use.
    #[error("the use of this license is not counted")]
    UsageNotCounted,
    /// Less is left than is to be used.
    #[error("{left} of {limit} are left to use")]
    UsageExhausted {
        /// How much there is in a period.
        limit: u64,
        /// How much of it is left.
        left: u64,
    },
    /// The link of a file was changed, or the license it is of has another owner or key by now.
    #[error("this link opens no file")]
    DownloadLinkInvalid,
    /// The time of the link is over.
    #[error("this link has ended")]
    DownloadLinkEnded,
    /// The seller took the version back.
    #[error("this version was withdrawn")]
    ReleaseWithdrawn,
    /// The seller has moved the day of the version, and it is still to come.
    #[error("this version is not out yet")]
    ReleaseNotOut,
    /// Amounts that do not fit.
    #[error("{0}")]
    Money(#[from] MoneyError),
}

impl From<AnswerError> for Refusal {
    fn from(AnswerError { name, fault }: AnswerError) -> Self {
        match fault {
            AnswerFault::Missing => Self::AnswerMissing { name },
            AnswerFault::TooLong | AnswerFault::NotAChoice | AnswerFault::CardNumber | AnswerFault::NotAsked => {
                Self::AnswerInvalid { name, fault }
            }
        }
    }
}

impl Refusal {
    /// The stable code for programs, and the end of the message id for people.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AmountMismatch { .. } => "amount_mismatch",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
            Self::ModeMismatch { .. } => "mode_mismatch",
            Self::AccountMismatch => "account_mismatch",
            Self::ReferenceMismatch { .. } => "reference_mismatch",
            Self::PaymentUnknown => "payment_unknown",
            Self::RefundExceedsPayment { .. } => "refund_exceeds_payment",
            Self::RefundNotPositive => "refund_not_positive",
            Self::OrderNotPaid => "order_not_paid",
            Self::EmailTaken => "email_taken",
            Self::NoSurplus => "no_surplus",
            Self::PlanNotOnSale => "plan_not_on_sale",
            Self::OutOfStock => "out_of_stock",
            Self::OnBackOrder => "on_back_order",
            Self::CodeMadeElsewhere => "code_made_elsewhere",
            Self::PlanIsBundle => "plan_is_bundle",
            Self::CodeFromStock => "code_from_stock",
            Self::NothingOwed => "nothing_owed",
            Self::MessagesUnanswered => "messages_unanswered",
            Self::MessageUnreadable => "message_unreadable",
            Self::SubmittedOtherwise => "submitted_otherwise",
            Self::FulfilledOtherwise => "fulfilled_otherwise",
            Self::ContentTaken => "content_taken",
            Self::NoPriceInCurrency => "no_price_in_currency",
            Self::QuantityOutOfRange { .. } => "quantity_out_of_range",
            Self::CouponUnknown => "coupon_unknown",
            Self::ConsentMissing => "consent_missing",
            Self::AnswerMissing { .. } => "answer_missing",
            Self::AnswerInvalid { .. } => "answer_invalid",
            Self::CheckoutExpired => "checkout_expired",
            Self::CheckoutCompleted => "checkout_completed",
            Self::LicenseNotUsable(Standing::Active) => "license_not_usable",
            Self::LicenseNotUsable(Standing::Suspended) => "license_suspended",
            Self::LicenseNotUsable(Standing::Expired) => "license_expired",
            Self::LicenseNotUsable(Standing::Revoked) => "license_revoked",
            Self::UpdateNotCovered => "license_update_not_covered",
            Self::SeatLimitReached { .. } => "seat_limit_reached",
            Self::GroupFull { .. } => "license_group_full",
            Self::GroupLicensesReached { .. } => "group_licenses_reached",
            Self::GroupBelowUsed { .. } => "group_below_used",
            Self::GroupNotEmpty => "group_not_empty",
            Self::NotActivated => "not_activated",
            Self::WrongProduct => "license_wrong_product",
            Self::DeviceMissing => "fingerprint_required",
            Self::FileTimeOutOfRange { .. } => "ttl_out_of_range",
            Self::RequestNotGenuine => "request_not_genuine",
            Self::KeyRetired { .. } => "license_key_retired",
            Self::SeatsBelowUsed { .. } => "seats_below_used",
            Self::ReleaseQuotaReached { .. } => "release_quota_reached",
            Self::RotationQuotaReached { .. } => "rotation_quota_reached",
            Self::TransferQuotaReached { .. } => "transfer_quota_reached",
            Self::BatchDiffers => "batch_differs",
            Self::TransferToOwner => "transfer_to_owner",
            Self::TransferOver => "transfer_over",
            Self::LicenseStateUnfit { .. } => "license_state_unfit",
            Self::NotUndoable => "not_undoable",
            Self::ChangedSince => "changed_since",
            Self::UsageNotCounted => "usage_not_counted",
            Self::UsageExhausted { .. } => "usage_exhausted",
            Self::DownloadLinkInvalid => "download_link_invalid",
            Self::DownloadLinkEnded => "download_link_ended",
            Self::ReleaseWithdrawn => "release_withdrawn",
            Self::ReleaseNotOut => "release_not_out",
            Self::Money(_) => "amount_out_of_range",
        }
    }
}
