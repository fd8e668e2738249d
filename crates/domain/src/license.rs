//! The right that was bought, and whether it works.

use std::collections::BTreeMap;

use crate::{
    Activation, AtExpiry, BatchId, CustomerId, Duration, Fingerprint, GroupId, LicenseId, OrderId, OwnActs, PlanId,
    Policy, ProductId, ShopId, Starts, Timestamp, Version,
};

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
    /// When its clock began; `None`: it waits for what its policy names.
    pub started_at: Option<Timestamp>,
    /// When it ends, before any grace.
    pub expires_at: Option<Timestamp>,
    /// Until when versions come out that it covers; `None`: every version.
    pub updates_until: Option<Timestamp>,
    /// How much of it was used in the period that began at `uses_since`; the store changes it by differences only.
    pub uses: u64,
    /// When the period began that `uses` counts; `None`: nothing was counted yet.
    pub uses_since: Option<Timestamp>,
    /// What its owner did with it by themselves, as far as that is bounded.
    pub own_acts: OwnActs,
    /// What it was issued with, where nobody paid for it.
    pub batch: Option<BatchId>,
    /// What it belongs to, and shares the limits of.
    pub group: Option<GroupId>,
    /// When it came to be.
    pub created_at: Timestamp,
}

/// Where a license is in its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Age {
    /// Its end is not here, or there is none.
    Running,
    /// Past its end, within its grace.
    InGrace,
    /// Past both.
    Over,
}

impl License {
    /// Where it is in its time.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Age {
        match (self.expires_at, self.ends_at()) {
            (_, Some(end)) if end <= now => Age::Over,
            (Some(end), _) if end <= now => Age::InGrace,
            (Some(_) | None, Some(_) | None) => Age::Running,
        }
    }

    /// When its time is really over, grace counted in; `None`: never, as far as is known now.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.expires_at.map(|end| end.after(Duration::days(i64::from(self.policy.term.grace_days))))
    }

    /// Whether it works at this moment. What was taken back is not merely expired.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        match self.state {
            LicenseState::RevokedByRefund | LicenseState::RevokedByDispute | LicenseState::RevokedByPerson => {
                Standing::Revoked
            }
            LicenseState::SuspendedByDispute | LicenseState::SuspendedByPerson => Standing::Suspended,
            LicenseState::Active => match (self.age(now), self.policy.term.at_expiry) {
                (Age::Running | Age::InGrace, _) | (Age::Over, AtExpiry::Keep | AtExpiry::Allow) => Standing::Active,
                (Age::Over, AtExpiry::Restrict) => Standing::Expired,
                (Age::Over, AtExpiry::End) => Standing::Revoked,
            },
        }
    }

    /// Whether nobody new may come in, though it works for those who are in.
    #[must_use]
    pub fn is_closed(&self, now: Timestamp) -> bool {
        self.age(now) == Age::Over && self.policy.term.at_expiry == AtExpiry::Keep
    }

    /// Whether a version of this day is covered. An app that tells none is asked for none.
    #[must_use]
    pub fn covers(&self, version_released_at: Option<Timestamp>, now: Timestamp) -> bool {
        version_released_at.zip(self.covered_until(now)).is_none_or(|(released, last)| released < last)
    }

    /// The versions that came out before this are covered; `None`: every version.
    #[must_use]
    pub fn covered_until(&self, now: Timestamp) -> Option<Timestamp> {
        let closed_at = self.ends_at().filter(|_| self.is_closed(now));
        self.updates_until.into_iter().chain(closed_at).min()
    }

    /// The license with its clock begun, where this kind of event begins it and nothing has before.
    #[must_use]
    pub fn started(&self, by: Starts, now: Timestamp) -> Option<Self> {
        let begins = match (self.policy.term.starts, by) {
            (Starts::Issue, _) | (_, Starts::Issue) | (Starts::FirstActivation, Starts::FirstValidation) => false,
            (Starts::FirstActivation | Starts::FirstValidation, Starts::FirstActivation)
            | (Starts::FirstValidation, Starts::FirstValidation) => true,
        };
        // What was given by hand while it waited is not taken back by its beginning.
        let updates_end_at = self.policy.updates_end_at(now).filter(|_| !self.policy.by_hand.updates_until);
        (begins && self.started_at.is_none()).then(|| Self {
            started_at: Some(now),
            expires_at: self.policy.ends_at(now),
            updates_until: updates_end_at.or(self.updates_until),
            ..self.clone()
        })
    }

    /// Whether a seat is held at this moment: taken, and its lease not over.
    #[must_use]
    pub fn is_seated(&self, activation: &Activation, now: Timestamp) -> bool {
        activation.is_held(self.policy.lease(), now)
    }

    /// Whether a device that shows these components, and whose fingerprint has no seat, may still be known by them.
    #[must_use]
    pub fn matches_components(&self, shown: &BTreeMap<String, String>) -> bool {
        self.policy.seating.matching.is_some() && !shown.is_empty()
    }

    /// The seat that is held by a device made of this: of several, the one that is most like it.
    #[must_use]
    pub fn seat_of_components<'a>(
        &self,
        seats: &'a [Activation],
        shown: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Option<&'a Activation> {
        let rule = self.policy.seating.matching?;
        let alike = seats.iter().filter(|seat| self.is_seated(seat, now));
        alike
            .filter_map(|seat| Some((rule.same(&seat.components, shown)?, seat)))
            .max_by_key(|(equal, seat)| (*equal, seat.last_seen_at, seat.id))
            .map(|(_, seat)| seat)
    }

    /// By when a device must have reported again; `None`: it need not.
    #[must_use]
    pub fn check_in_due_at(&self, activation: &Activation) -> Option<Timestamp> {
        let days = self.policy.term.check_in_days?;
        Some(activation.last_seen_at.after(Duration::days(i64::from(days))))
    }

    /// Until when a certificate given now to a device may speak for it: never beyond the license, the lease of the
    /// seat, or the day by which the device must report.
    #[must_use]
    pub fn certificate_expires_at(&self, activation: Option<&Activation>, now: Timestamp) -> Timestamp {
        self.signed_ends_at(activation, now.after(Duration::seconds(i64::from(self.policy.certificate_seconds))))
    }

    /// When something ends at the latest that is signed for a device and shall count until then: with the license, the
    /// lease of the seat, or the day by which the device must report.
    #[must_use]
    pub fn signed_ends_at(&self, activation: Option<&Activation>, then: Timestamp) -> Timestamp {
        let end = match self.policy.term.at_expiry {
            AtExpiry::Restrict | AtExpiry::End => self.ends_at(),
            AtExpiry::Keep | AtExpiry::Allow => None,
        };
        let lease = activation.and_then(|seat| seat.lease_ends_at(self.policy.lease()));
        let report = activation.and_then(|seat| self.check_in_due_at(seat));
        [end, lease, report].into_iter().flatten().fold(then, Timestamp::min)
    }

    /// Answers an app that asks whether the license works for it. `activation`
    /// is the seat of the fingerprint in the request, taken or released.
    /// The first rule that does not hold gives the verdict.
    #[must_use]
    pub fn validate(&self, activation: Option<&Activation>, request: &ValidationRequest, now: Timestamp) -> Verdict {
        let lacking = request.features.iter().find(|wanted| !self.policy.has_feature(wanted));
        let seated = activation.filter(|seat| self.is_seated(seat, now));
        let needs_seat = self.policy.seats.is_some() && request.fingerprint.is_some();
        let is_overdue = seated.and_then(|seat| self.check_in_due_at(seat)).is_some_and(|due| due <= now);
        let code = match self.standing(now) {
            _ if request.product.as_ref().is_some_and(|names| !names.contains(&self.product)) => {
                VerdictCode::WrongProduct
            }
            Standing::Revoked => VerdictCode::Revoked,
            Standing::Suspended => VerdictCode::Suspended,
            Standing::Expired => VerdictCode::Expired,
            Standing::Active if !self.covers(request.version_released_at, now) => VerdictCode::UpdateNotCovered,
            Standing::Active if needs_seat && seated.is_none() => VerdictCode::NotActivated,
            Standing::Active if needs_seat && is_overdue => VerdictCode::CheckInOverdue,
            Standing::Active if lacking.is_some() => VerdictCode::MissingFeature,
            Standing::Active if self.is_exhausted(now) => VerdictCode::UsageExhausted,
            Standing::Active => VerdictCode::Valid,
        };
        let missing_feature = lacking.filter(|_| code == VerdictCode::MissingFeature).cloned();
        let warnings = if code == VerdictCode::Valid { self.warnings(now) } else { Vec::new() };
        Verdict { code, missing_feature, warnings }
    }

    /// What a working license should be told of, the gravest first. `seats_used` must be of this moment.
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> Vec<Warning> {
        let age = match self.age(now) {
            Age::Running => None,
            Age::InGrace => Some(Warning::InGrace),
            Age::Over => Some(Warning::Expired),
        };
        let overage = self.policy.seats.filter(|seats| self.seats_used > *seats).map(|_| Warning::Overage);
        age.into_iter().chain(overage).collect()
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
    /// When the version that asks came out; `None`: it is not looked at.
    pub version_released_at: Option<Timestamp>,
    /// What the device is made of, so that it is known under another fingerprint.
    pub components: BTreeMap<String, String>,
}

/// What comes with a "yes" that will not stay one by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warning {
    /// Its end is past; it works for some days of grace.
    InGrace,
    /// Its end is past; it works on all the same.
    Expired,
    /// More devices hold a seat than there are seats.
    Overage,
}

impl Warning {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InGrace => "in_grace",
            Self::Expired => "expired",
            Self::Overage => "overage",
        }
    }
}

/// The answer to an app, as a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerdictCode {
    /// It works.
    Valid,
    /// There is no such key.
    Unknown,
    /// The key means to be signed by the shop, and is not.
    KeyNotGenuine,
    /// The key was replaced by another.
    KeyRetired,
    /// Its time is over.
    Expired,
    /// Switched off for now.
    Suspended,
    /// Taken back.
    Revoked,
    /// The version came out after the updates that were bought.
    UpdateNotCovered,
    /// The device has no seat yet.
    NotActivated,
    /// The device has not reported in time.
    CheckInOverdue,
    /// The key is for another product.
    WrongProduct,
    /// The plan lacks a feature that was asked for.
    MissingFeature,
    /// All that may be used in this period is used.
    UsageExhausted,
}

impl VerdictCode {
    /// The word on the wire, and the end of the message id.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Unknown => "unknown",
            Self::KeyNotGenuine => "key_not_genuine",
            Self::KeyRetired => "key_retired",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::UpdateNotCovered => "update_not_covered",
            Self::NotActivated => "not_activated",
            Self::CheckInOverdue => "check_in_overdue",
            Self::WrongProduct => "wrong_product",
            Self::MissingFeature => "missing_feature",
            Self::UsageExhausted => "usage_exhausted",
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
    /// What comes with a "yes".
    pub warnings: Vec<Warning>,
}

impl Verdict {
    /// The answer for a key that nobody has.
    #[must_use]
    pub fn unknown() -> Self {
        Self { code: VerdictCode::Unknown, missing_feature: None, warnings: Vec::new() }
    }

    /// The answer for a key that was replaced.
    #[must_use]
    pub fn key_retired() -> Self {
        Self { code: VerdictCode::KeyRetired, ..Self::unknown() }
    }

    /// Whether the app may run.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.code == VerdictCode::Valid
    }
}
