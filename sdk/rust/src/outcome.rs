//! What a call came to: a state to branch on, a code to be precise, a sentence for the person in front of it.

use latchkey_license::Claims;

/// What the program may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It works, and the shop said so lately.
    Valid,
    /// It works because the certificate still counts, though the shop should have confirmed it and did not yet.
    Grace,
    /// The shop said no, or nothing was ever activated here.
    Refused,
    /// Nobody can tell, and no certificate carries the program. Never a "no".
    Undetermined,
    /// The seat is free again, and nothing is kept.
    Released,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Grace => "grace",
            Self::Refused => "refused",
            Self::Undetermined => "undetermined",
            Self::Released => "released",
        }
    }
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What the program may do.
    pub state: State,
    /// The reason, as a stable word: one of [`CODES`](crate::CODES), or a newer one of the shop.
    pub code: String,
    /// The reason as a sentence for a person: the shop's own where it spoke, ours otherwise.
    pub message: String,
    /// Where the buyer frees seats, finds keys and renews.
    pub portal_url: String,
    /// What was bought, where a certificate says so.
    pub license: Option<License>,
    /// Until when the certificate carries the program without the shop, in seconds since 1970.
    pub carries_until: Option<i64>,
    /// When the shop should be asked again, in seconds since 1970: halfway.
    pub refresh_at: Option<i64>,
    /// A request that a person carries to the shop, as one line of text. One for a seat holds the license key.
    pub request: Option<String>,
    /// The page that takes the request, with the request behind the `#`: what a QR code shows.
    pub request_url: Option<String>,
}

impl Outcome {
    /// Whether the program may run: [`State::Valid`] or [`State::Grace`].
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        match self.state {
            State::Valid | State::Grace => true,
            State::Refused | State::Undetermined | State::Released => false,
        }
    }
}

/// What was bought, as the certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    /// Its id.
    pub id: String,
    /// The product's id.
    pub product: String,
    /// The plan's id.
    pub plan: String,
    /// The features that are switched on.
    pub features: Vec<String>,
    /// When the license itself ends, in seconds since 1970.
    pub expires_at: Option<i64>,
}

impl From<&Claims> for License {
    fn from(claims: &Claims) -> Self {
        Self {
            id: claims.sub.clone(),
            product: claims.aud.clone(),
            plan: claims.license.plan.clone(),
            features: claims.license.features.clone(),
            expires_at: claims.license.expires_at,
        }
    }
}
