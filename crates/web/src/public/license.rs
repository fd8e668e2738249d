//! A license as its owner sees it: key, state, devices.

use domain::{Activation, License, LicenseState, OrderLine, Standing, Timestamp};
use latchkey_license::KeyCode;

use crate::public::words::Words;

/// What `license.html` shows.
pub(crate) struct LicenseView {
    /// Product and tier, as they were bought.
    pub(crate) name: String,
    /// For the ids of elements: the license's own id.
    pub(crate) id: String,
    /// The whole key, where it may be seen and works or may work again.
    pub(crate) key: Option<String>,
    /// The end of the key, where it may not.
    pub(crate) key_tail: String,
    pub(crate) is_usable: bool,
    pub(crate) standing: String,
    pub(crate) seats: String,
    pub(crate) devices: Vec<DeviceView>,
}

/// A device on a seat.
pub(crate) struct DeviceView {
    pub(crate) name: String,
    pub(crate) last_seen: String,
    /// Where the form goes that frees the seat.
    pub(crate) release: String,
    pub(crate) release_label: String,
}

/// `release_root` is the address below which this license's devices are released.
pub(crate) fn view(
    words: &Words,
    license: &License,
    line: Option<&OrderLine>,
    key: Option<&KeyCode>,
    seats: &[Activation],
    release_root: &str,
    now: Timestamp,
) -> LicenseView {
    let is_usable = license.standing(now) == Standing::Active;
    LicenseView {
        name: line.map(|line| format!("{} {}", line.product_name, line.plan_name)).unwrap_or_default(),
        id: license.id.to_string(),
        key: key.map(ToString::to_string),
        key_tail: license.key_tail.clone(),
        is_usable,
        standing: standing(words, license, now),
        seats: match license.policy.seats {
            Some(seats) => {
                words.fill("page-license-seats", &[("used", license.seats_used.into()), ("seats", seats.into())])
            }
            None => words.say("page-license-seats-any"),
        },
        devices: seats
            .iter()
            .filter(|seat| seat.license == license.id)
            .map(|seat| device(words, seat, &format!("{release_root}/licenses/{}/activations", license.id)))
            .collect(),
    }
}

fn device(words: &Words, seat: &Activation, root: &str) -> DeviceView {
    let name = match &seat.name {
        Some(name) => name.clone(),
        None => {
            let letters: Vec<char> = seat.fingerprint.as_str().chars().collect();
            let tail: String = letters[letters.len().saturating_sub(6)..].iter().collect();
            words.fill("page-license-device-unnamed", &[("tail", (&tail).into())])
        }
    };
    let seen = words.date(seat.last_seen_at);
    DeviceView {
        last_seen: words.fill("page-license-device-seen", &[("date", (&seen).into())]),
        release: format!("{root}/{}/release", seat.id),
        release_label: words.fill("page-license-device-release", &[("device", (&name).into())]),
        name,
    }
}

/// Whether it works, why not, and until when.
fn standing(words: &Words, license: &License, now: Timestamp) -> String {
    let id = match (license.state, license.standing(now)) {
        (LicenseState::Active, Standing::Expired) => "page-license-expired",
        (LicenseState::Active, Standing::Active | Standing::Suspended | Standing::Revoked) => {
            match license.expires_at {
                Some(_) => "page-license-valid-until",
                None => "page-license-valid",
            }
        }
        (LicenseState::SuspendedByDispute, _) => "page-license-suspended-dispute",
        (LicenseState::SuspendedByPerson, _) => "page-license-suspended-person",
        (LicenseState::RevokedByRefund, _) => "page-license-revoked-refund",
        (LicenseState::RevokedByDispute, _) => "page-license-revoked-dispute",
        (LicenseState::RevokedByPerson, _) => "page-license-revoked-person",
    };
    let until = license.expires_at.map(|end| words.day(end)).unwrap_or_default();
    words.fill(id, &[("date", (&until).into())])
}
