//! One device or user that occupies a seat of a license.

use std::collections::BTreeMap;
use std::fmt;

use crate::{ActivationId, Duration, LicenseId, ShopId, TextError, Timestamp, Version, plain_text};

/// What an app knows its device by: opaque, 1 to 255 visible characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(Box<str>);

impl Fingerprint {
    /// Reads a fingerprint as sent.
    ///
    /// # Errors
    /// When it is empty, too long, or looks like a card number.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        plain_text(text, 255).map(|text| Self(text.into_boxed_str()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether the seat is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivationState {
    /// The seat is taken.
    Active,
    /// The seat was freed; kept for the history.
    Released,
}

impl ActivationState {
    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Released => "released",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "active" => Some(Self::Active),
            "released" => Some(Self::Released),
            _ => None,
        }
    }
}

/// One device on one seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// Its id.
    pub id: ActivationId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The license whose seat it takes.
    pub license: LicenseId,
    /// The device.
    pub fingerprint: Fingerprint,
    /// What the app calls the device.
    pub name: Option<String>,
    /// What its owner calls it in the portal, whatever the app says.
    pub label: Option<String>,
    /// The app's own notes on it.
    pub metadata: BTreeMap<String, String>,
    /// What the device is made of, by the app's own names: hashes of a disk, a board, a processor.
    pub components: BTreeMap<String, String>,
    /// Whether the seat is taken.
    pub state: ActivationState,
    /// When it first took the seat.
    pub created_at: Timestamp,
    /// When the app was last heard of.
    pub last_seen_at: Timestamp,
}

impl Activation {
    /// The name for people: the owner's, else the app's.
    #[must_use]
    pub fn shown_name(&self) -> Option<&str> {
        self.label.as_deref().or(self.name.as_deref())
    }

    /// When its lease ends, if it is not renewed before; `None`: never.
    #[must_use]
    pub fn lease_ends_at(&self, lease: Option<Duration>) -> Option<Timestamp> {
        lease.map(|lease| self.last_seen_at.after(lease))
    }

    /// Whether the seat is held at this moment: taken, and its lease not over.
    #[must_use]
    pub fn is_held(&self, lease: Option<Duration>, now: Timestamp) -> bool {
        match self.state {
            ActivationState::Active => self.lease_ends_at(lease).is_none_or(|end| now < end),
            ActivationState::Released => false,
        }
    }
}
