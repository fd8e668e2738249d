//! The right that was bought, and whether it works.

use serde::{Deserialize, Serialize};

use crate::{
    Activation, ActivationState, CustomerId, Duration, Fingerprint, LicenseId, OrderId, PlanId, ProductId, ShopId,
    Timestamp, Version,
};

/// What a license allows; written on the plan, frozen into the license.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How many devices at once; `None`: any number, and none needs to be activated.
    pub seats: Option<u32>,
    /// How many days it works after it was issued; `None`: for ever.
    pub valid_days: Option<u32>,
    /// What is switched on.
    pub features: Vec<String>,
    /// How many seconds a certificate carries an app through without us.
    pub certificate_seconds: u32,
}

/// What a person, or the money, made of a license. Expiry is not a state: it
/// follows from the moment one looks; see [`License::standing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LicenseState {
    /// It works until it expires.
    Active,
    /// A dispute is open; it works again when the dispute is won.
    SuspendedByDispute,
    /// A named person switched it off for now.
    SuspendedByPerson,
    /// The money went back.
    RevokedByRefund,
    /// The bank took the money.
    RevokedByDispute,
    /// A named person took it back.
    RevokedByPerson,
}

impl LicenseState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Active,
        Self::SuspendedByDispute,
        Self::SuspendedByPerson,
        Self::RevokedByRefund,
        Self::RevokedByDispute,
        Self::RevokedByPerson,
    ];

    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::SuspendedByDispute => "suspended_by_dispute",
            Self::SuspendedByPerson => "suspended_by_person",
            Self::RevokedByRefund => "revoked_by_refund",
            Self::RevokedByDispute => "revoked_by_dispute",
            Self::RevokedByPerson => "revoked_by_person",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether a person decided it, so that money alone does not undo it.
    #[must_use]
    pub fn is_by_person(self) -> bool {
        match self {
            Self::SuspendedByPerson | Self::RevokedByPerson => true,
            Self::Active | Self::SuspendedByDispute | Self::RevokedByRefund | Self::RevokedByDispute => false,
        }
    }
}

/// Whether a license works at a moment: the word on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It works.
    Active,
    /// Switched off for now.
    Suspended,
    /// Its time is over.
    Expired,
    /// Taken back.
    Revoked,
}

impl Standing {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// The right that was bought. The key is not in it: the store seals keys, and
/// opens one only to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    /// Its id.
    pub id: LicenseId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The order that paid for it.
    pub order: OrderId,
    /// Which line of the order, from 0.
    pub line: u32,
    /// Which unit of the line, from 0. Order, line and unit are unique together.
    pub unit: u32,
    /// The product.
    pub product: ProductId,
    /// The plan.
    pub plan: PlanId,
    /// Whose it is.
    pub customer: Option<CustomerId>,
    /// The last four symbols of the key, to tell keys apart by.
    pub key_tail: String,
    /// What it allows, frozen.
    pub policy: Policy,
    /// What money and people made of it.
    pub state: LicenseState,
    /// How many seats are taken. Kept in this row so that its version guards them.
    pub seats_used: u32,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it came to be.
    pub created_at: Timestamp,
}

impl License {
    /// Whether it works at this moment. What was taken back is not merely expired.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        match self.state {
            LicenseState::RevokedByRefund | LicenseState::RevokedByDispute | LicenseState::RevokedByPerson => {
                Standing::Revoked
            }
            LicenseState::SuspendedByDispute | LicenseState::SuspendedByPerson => Standing::Suspended,
            LicenseState::Active if self.expires_at.is_some_and(|end| end <= now) => Standing::Expired,
            LicenseState::Active => Standing::Active,
        }
    }

    /// Until when a certificate given now may speak for it.
    #[must_use]
    pub fn certificate_expires_at(&self, now: Timestamp) -> Timestamp {
        let lease_end = now.after(Duration::seconds(i64::from(self.policy.certificate_seconds)));
        self.expires_at.map_or(lease_end, |end| end.min(lease_end))
    }

    /// Answers an app that asks whether the license works for it. `activation`
    /// is the seat of the fingerprint in the request, taken or released.
    /// The first rule that does not hold gives the verdict.
    #[must_use]
    pub fn validate(&self, activation: Option<&Activation>, request: &ValidationRequest, now: Timestamp) -> Verdict {
        let lacking = request.features.iter().find(|wanted| !self.policy.features.contains(wanted));
        let seated = activation.is_some_and(|activation| activation.state == ActivationState::Active);
        let needs_seat = self.policy.seats.is_some() && request.fingerprint.is_some();
        let code = match self.standing(now) {
            _ if request.product.as_ref().is_some_and(|names| !names.contains(&self.product)) => {
                VerdictCode::WrongProduct
            }
            Standing::Revoked => VerdictCode::Revoked,
            Standing::Suspended => VerdictCode::Suspended,
            Standing::Expired => VerdictCode::Expired,
            Standing::Active if needs_seat && !seated => VerdictCode::NotActivated,
            Standing::Active if lacking.is_some() => VerdictCode::MissingFeature,
            Standing::Active => VerdictCode::Valid,
        };
        Verdict { code, missing_feature: lacking.filter(|_| code == VerdictCode::MissingFeature).cloned() }
    }
}

/// What an app asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidationRequest {
    /// The device that asks; without one no seat is looked for.
    pub fingerprint: Option<Fingerprint>,
    /// The products that the app takes a license of; `None`: any.
    pub product: Option<Vec<ProductId>>,
    /// The features that must be switched on.
    pub features: Vec<String>,
}

/// The answer to an app, as a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerdictCode {
    /// It works.
    Valid,
    /// There is no such key.
    Unknown,
    /// Its time is over.
    Expired,
    /// Switched off for now.
    Suspended,
    /// Taken back.
    Revoked,
    /// The device has no seat yet.
    NotActivated,
    /// The key is for another product.
    WrongProduct,
    /// The plan lacks a feature that was asked for.
    MissingFeature,
}

impl VerdictCode {
    /// The word on the wire, and the end of the message id.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::NotActivated => "not_activated",
            Self::WrongProduct => "wrong_product",
            Self::MissingFeature => "missing_feature",
        }
    }
}

/// The answer to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The rule that decided.
    pub code: VerdictCode,
    /// The first feature that is not switched on.
    pub missing_feature: Option<String>,
}

impl Verdict {
    /// The answer for a key that nobody has.
    #[must_use]
    pub fn unknown() -> Self {
        Self { code: VerdictCode::Unknown, missing_feature: None }
    }

    /// Whether the app may run.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.code == VerdictCode::Valid
    }
}
