//! What an app asked about a license, what it was told, and which rule decided.
//!
//! Kept for whoever has to find out why a program does not start: the words
//! that explain each verdict are messages, found by the words here.

use crate::{
    Activation, ActivationState, AttemptId, Fingerprint, License, LicenseId, LicenseState, Refusal, ShopId, Standing,
    Timestamp, VerdictCode,
};

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptKind {
    /// Does it work?
    Validate,
    /// May I have a seat?
    Activate,
    /// Here is my seat back.
    Deactivate,
    /// I am alive.
    Heartbeat,
    /// So much was used.
    Usage,
}

impl AttemptKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Validate, Self::Activate, Self::Deactivate, Self::Heartbeat, Self::Usage];

    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
            Self::Heartbeat => "heartbeat",
            Self::Usage => "usage",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How a question about a license ended: the verdict of a validation, or why something else was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptVerdict {
    /// Yes.
    Valid,
    /// There is no such key.
    Unknown,
    /// The key means to be signed by the shop, and is not.
    KeyNotGenuine,
    /// The key was replaced by another.
    KeyRetired,
    /// The key is for another product.
    WrongProduct,
    /// Taken back.
    Revoked,
    /// Switched off for now.
    Suspended,
    /// Its time is over.
    Expired,
    /// The version came out after the updates that were bought.
    UpdateNotCovered,
    /// The device holds no seat.
    NotActivated,
    /// The device has not reported in time.
    CheckInOverdue,
    /// Every seat is taken.
    SeatLimitReached,
    /// Every seat of the group is taken.
    GroupFull,
    /// The plan lacks a feature that was asked for.
    MissingFeature,
    /// Less is left to use than was asked for.
    UsageExhausted,
    /// The plan counts no use.
    UsageNotCounted,
}

impl AttemptVerdict {
    /// Every verdict.
    pub const ALL: [Self; 16] = [
        Self::Valid,
        Self::Unknown,
        Self::KeyNotGenuine,
        Self::KeyRetired,
        Self::WrongProduct,
        Self::Revoked,
        Self::Suspended,
        Self::Expired,
        Self::UpdateNotCovered,
        Self::NotActivated,
        Self::CheckInOverdue,
        Self::SeatLimitReached,
        Self::GroupFull,
        Self::MissingFeature,
        Self::UsageExhausted,
        Self::UsageNotCounted,
    ];

    /// The word in rows and on the wire, and within the ids of the messages that explain it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Unknown => "unknown",
            Self::KeyNotGenuine => "key_not_genuine",
            Self::KeyRetired => "key_retired",
            Self::WrongProduct => "wrong_product",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::UpdateNotCovered => "update_not_covered",
            Self::NotActivated => "not_activated",
            Self::CheckInOverdue => "check_in_overdue",
            Self::SeatLimitReached => "seat_limit_reached",
            Self::GroupFull => "license_group_full",
            Self::MissingFeature => "missing_feature",
            Self::UsageExhausted => "usage_exhausted",
            Self::UsageNotCounted => "usage_not_counted",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }

    /// Why an app was refused; `None`: for something that no app can ask for.
    #[must_use]
    pub fn of(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::LicenseNotUsable(Standing::Suspended) => Some(Self::Suspended),
            Refusal::LicenseNotUsable(Standing::Expired) => Some(Self::Expired),
            Refusal::LicenseNotUsable(Standing::Revoked) => Some(Self::Revoked),
            Refusal::WrongProduct => Some(Self::WrongProduct),
            Refusal::UpdateNotCovered => Some(Self::UpdateNotCovered),
            Refusal::SeatLimitReached { .. } => Some(Self::SeatLimitReached),
            Refusal::GroupFull { .. } => Some(Self::GroupFull),
            Refusal::NotActivated => Some(Self::NotActivated),
            Refusal::KeyRetired { .. } => Some(Self::KeyRetired),
            Refusal::UsageNotCounted => Some(Self::UsageNotCounted),
            Refusal::UsageExhausted { .. } => Some(Self::UsageExhausted),
            Refusal::LicenseNotUsable(Standing::Active)
            | Refusal::SeatsBelowUsed { .. }
            | Refusal::GroupLicensesReached { .. }
            | Refusal::GroupBelowUsed { .. }
            | Refusal::GroupNotEmpty
            | Refusal::ReleaseQuotaReached { .. }
            | Refusal::RotationQuotaReached { .. }
            | Refusal::TransferQuotaReached { .. }
            | Refusal::TransferToOwner
            | Refusal::TransferOver
            | Refusal::LicenseStateUnfit { .. }
            | Refusal::NotUndoable
            | Refusal::BatchDiffers
            | Refusal::DeviceMissing
            | Refusal::FileTimeOutOfRange { .. }
            | Refusal::RequestNotGenuine
            | Refusal::ChangedSince
            | Refusal::DownloadLinkInvalid
            | Refusal::DownloadLinkEnded
            | Refusal::ReleaseWithdrawn
            | Refusal::ReleaseNotOut
            | Refusal::AmountMismatch { .. }
            | Refusal::CurrencyMismatch { .. }
            | Refusal::ModeMismatch { .. }
            | Refusal::AccountMismatch
            | Refusal::ReferenceMismatch { .. }
            | Refusal::PaymentUnknown
            | Refusal::RefundExceedsPayment { .. }
            | Refusal::RefundNotPositive
            | Refusal::OrderNotPaid
            | Refusal::EmailTaken
            | Refusal::NoSurplus
            | Refusal::PlanNotOnSale
            | Refusal::OutOfStock
            | Refusal::OnBackOrder
            | Refusal::CodeMadeElsewhere
            | Refusal::PlanIsBundle
            | Refusal::CodeFromStock
            | Refusal::NothingOwed
            | Refusal::MessagesUnanswered
            | Refusal::MessageUnreadable
            | Refusal::SubmittedOtherwise
            | Refusal::FulfilledOtherwise
            | Refusal::ContentTaken
            | Refusal::NoPriceInCurrency
            | Refusal::QuantityOutOfRange { .. }
            | Refusal::CouponUnknown
            | Refusal::ConsentMissing
            | Refusal::AnswerMissing { .. }
            | Refusal::AnswerInvalid { .. }
            | Refusal::CheckoutExpired
            | Refusal::CheckoutCompleted
            | Refusal::Money(_) => None,
        }
    }
}

impl From<VerdictCode> for AttemptVerdict {
    fn from(code: VerdictCode) -> Self {
        match code {
            VerdictCode::Valid => Self::Valid,
            VerdictCode::Unknown => Self::Unknown,
            VerdictCode::KeyNotGenuine => Self::KeyNotGenuine,
            VerdictCode::KeyRetired => Self::KeyRetired,
            VerdictCode::Expired => Self::Expired,
            VerdictCode::Suspended => Self::Suspended,
            VerdictCode::Revoked => Self::Revoked,
            VerdictCode::UpdateNotCovered => Self::UpdateNotCovered,
            VerdictCode::NotActivated => Self::NotActivated,
            VerdictCode::CheckInOverdue => Self::CheckInOverdue,
            VerdictCode::WrongProduct => Self::WrongProduct,
            VerdictCode::MissingFeature => Self::MissingFeature,
            VerdictCode::UsageExhausted => Self::UsageExhausted,
        }
    }
}

/// The rule that decided: finer than the verdict, since several rules end in the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Nothing was in the way.
    AllHold,
    /// The text is no key: its length, its symbols, or its check symbols.
    KeyForm,
    /// The signature of a key that is signed.
    KeySignature,
    /// A key that nobody has.
    KeyKnown,
    /// A key that was replaced.
    KeyReplaced,
    /// The product of the license.
    Product,
    /// The license's state: the money went back.
    RevokedByRefund,
    /// The license's state: the bank took the money.
    RevokedByDispute,
    /// The license's state: a person took it back.
    RevokedByPerson,
    /// The license's state: a dispute is open.
    SuspendedByDispute,
    /// The license's state: a person switched it off.
    SuspendedByPerson,
    /// `at_expiry = end`: past its end it is as if taken back.
    AtExpiryEnd,
    /// `expires_at` and the days of grace.
    ExpiresAt,
    /// `at_expiry = keep`: past its end nothing new comes in, no device and no version.
    AtExpiryKeep,
    /// `updates_until`.
    UpdatesUntil,
    /// The device holds no seat, and nothing more is known.
    Seat,
    /// The seat of the device was given back.
    SeatReleased,
    /// `lease_seconds`: the lease of the device's seat is over.
    Lease,
    /// `check_in_days`.
    CheckIn,
    /// `seats`, with what the overage allows.
    Seats,
    /// `max_seats` of the group.
    GroupSeats,
    /// `features`.
    Features,
    /// `usage_limit`.
    UsageLimit,
    /// `metered`: nothing is counted.
    Metered,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 24] = [
        Self::AllHold,
        Self::KeyForm,
        Self::KeySignature,
        Self::KeyKnown,
        Self::KeyReplaced,
        Self::Product,
        Self::RevokedByRefund,
        Self::RevokedByDispute,
        Self::RevokedByPerson,
        Self::SuspendedByDispute,
        Self::SuspendedByPerson,
        Self::AtExpiryEnd,
        Self::ExpiresAt,
        Self::AtExpiryKeep,
        Self::UpdatesUntil,
        Self::Seat,
        Self::SeatReleased,
        Self::Lease,
        Self::CheckIn,
        Self::Seats,
        Self::GroupSeats,
        Self::Features,
        Self::UsageLimit,
        Self::Metered,
    ];

    /// The word in rows and on the wire, and the end of the message id.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllHold => "all_hold",
            Self::KeyForm => "key_form",
            Self::KeySignature => "key_signature",
            Self::KeyKnown => "key_known",
            Self::KeyReplaced => "key_replaced",
            Self::Product => "product",
            Self::RevokedByRefund => "revoked_by_refund",
            Self::RevokedByDispute => "revoked_by_dispute",
            Self::RevokedByPerson => "revoked_by_person",
            Self::SuspendedByDispute => "suspended_by_dispute",
            Self::SuspendedByPerson => "suspended_by_person",
            Self::AtExpiryEnd => "at_expiry_end",
            Self::ExpiresAt => "expires_at",
            Self::AtExpiryKeep => "at_expiry_keep",
            Self::UpdatesUntil => "updates_until",
            Self::Seat => "seat",
            Self::SeatReleased => "seat_released",
            Self::Lease => "lease_seconds",
            Self::CheckIn => "check_in_days",
            Self::Seats => "seats",
            Self::GroupSeats => "group_max_seats",
            Self::Features => "features",
            Self::UsageLimit => "usage_limit",
            Self::Metered => "metered",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }
}

impl License {
    /// Which rule gave this verdict. `seat` is the one of the device that asked, taken or released.
    #[must_use]
    pub fn deciding_rule(&self, verdict: AttemptVerdict, seat: Option<&Activation>, now: Timestamp) -> Rule {
        match verdict {
            AttemptVerdict::Valid => Rule::AllHold,
            AttemptVerdict::Unknown => Rule::KeyKnown,
            AttemptVerdict::KeyNotGenuine => Rule::KeySignature,
            AttemptVerdict::KeyRetired => Rule::KeyReplaced,
            AttemptVerdict::WrongProduct => Rule::Product,
            AttemptVerdict::Revoked | AttemptVerdict::Suspended => match self.state {
                LicenseState::RevokedByRefund => Rule::RevokedByRefund,
                LicenseState::RevokedByDispute => Rule::RevokedByDispute,
                LicenseState::RevokedByPerson => Rule::RevokedByPerson,
                LicenseState::SuspendedByDispute => Rule::SuspendedByDispute,
                LicenseState::SuspendedByPerson => Rule::SuspendedByPerson,
                LicenseState::Active => Rule::AtExpiryEnd,
            },
            AttemptVerdict::Expired if self.is_closed(now) => Rule::AtExpiryKeep,
            AttemptVerdict::Expired => Rule::ExpiresAt,
            AttemptVerdict::UpdateNotCovered => {
                let closed_at = self.ends_at().filter(|_| self.is_closed(now));
                match (self.updates_until, closed_at) {
                    (Some(until), Some(closed_at)) if closed_at < until => Rule::AtExpiryKeep,
                    (None, Some(_)) => Rule::AtExpiryKeep,
                    (Some(_) | None, Some(_) | None) => Rule::UpdatesUntil,
                }
            }
            AttemptVerdict::NotActivated => match seat.map(|seat| seat.state) {
                None => Rule::Seat,
                Some(ActivationState::Released) => Rule::SeatReleased,
                Some(ActivationState::Active) => Rule::Lease,
            },
            AttemptVerdict::CheckInOverdue => Rule::CheckIn,
            AttemptVerdict::SeatLimitReached => Rule::Seats,
            AttemptVerdict::GroupFull => Rule::GroupSeats,
            AttemptVerdict::MissingFeature => Rule::Features,
            AttemptVerdict::UsageExhausted => Rule::UsageLimit,
            AttemptVerdict::UsageNotCounted => Rule::Metered,
        }
    }

    /// Whether an app that was refused for this would still be: what was mended since need not be told to the buyer.
    /// What depends on more than the license is taken to stand.
    #[must_use]
    pub fn still_refuses(&self, verdict: AttemptVerdict, now: Timestamp) -> bool {
        match verdict {
            AttemptVerdict::Valid => false,
            AttemptVerdict::Revoked => self.standing(now) == Standing::Revoked,
            AttemptVerdict::Suspended => self.standing(now) == Standing::Suspended,
            AttemptVerdict::Expired => self.standing(now) == Standing::Expired || self.is_closed(now),
            AttemptVerdict::SeatLimitReached => {
                self.policy.seat_cap().is_some_and(|cap| self.seats_used >= cap)
                    && self.standing(now) == Standing::Active
            }
            AttemptVerdict::GroupFull => self.group.is_some() && self.standing(now) == Standing::Active,
            AttemptVerdict::UsageExhausted => self.is_exhausted(now),
            AttemptVerdict::UsageNotCounted => self.policy.usage.is_none(),
            AttemptVerdict::Unknown
            | AttemptVerdict::KeyNotGenuine
            | AttemptVerdict::KeyRetired
            | AttemptVerdict::WrongProduct
            | AttemptVerdict::UpdateNotCovered
            | AttemptVerdict::NotActivated
            | AttemptVerdict::CheckInOverdue
            | AttemptVerdict::MissingFeature => true,
        }
    }
}

/// One question of an app with its answer, or several that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its id. Attempts that are counted together have one that follows from what they have in common, so that what
    /// was written before, or by another node, is counted on.
    pub id: AttemptId,
    /// The shop.
    pub shop: ShopId,
    /// The license; `None`: the key opened none.
    pub license: Option<LicenseId>,
    /// What was asked.
    pub kind: AttemptKind,
    /// What was told.
    pub verdict: AttemptVerdict,
    /// Which rule decided.
    pub rule: Rule,
    /// Where no license was found: the last four symbols of what was typed, if it is long enough for a key.
    pub key_tail: Option<String>,
    /// Where no license was found: the keyed hash of what was typed, to find it again by.
    pub key_hash: Option<Vec<u8>>,
    /// The device.
    pub fingerprint: Option<Fingerprint>,
    /// The product that the app takes a license of: an id, or `-` for a name that no product has.
    pub product: Option<String>,
    /// What else the rule looked at: the feature, the day of the version, the amount, the slip in a mistyped key.
    pub asked: Option<String>,
    /// The program, as it names itself.
    pub app: Option<String>,
    /// How many these are.
    pub count: u32,
    /// When the first of them was.
    pub first_at: Timestamp,
    /// When the last of them was.
    pub last_at: Timestamp,
}

#[cfg(test)]
mod tests;
