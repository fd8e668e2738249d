//! A license as its owner sees it: key, state, devices.

use app::messages::Arg;
use app::{Held, LONGEST_TYPED_KEY};
use domain::{
    Activation, Age, AtExpiry, Attempt, Duration, Fulfilment, License, LicenseState, OrderLine, Quota, SeatHolder,
    Standing, Starts, Timestamp,
};

use crate::public::words::Words;

/// What `license.html` shows.
pub(crate) struct LicenseView {
    /// Product and tier, as they were bought.
    pub(crate) name: String,
    /// For the ids of elements: the license's own id.
    pub(crate) id: String,
    /// The whole key, where it may be seen and works or may work again.
    pub(crate) key: Option<String>,
    /// Whether there is nothing to be seen yet: the code comes later.
    pub(crate) is_on_its_way: bool,
    /// What a person of the shop said of it, where it may be seen.
    pub(crate) said: Option<String>,
    /// Until when a person has promised it.
    pub(crate) promised: Option<String>,
    /// Whether a person does it: there is no key, and there are no devices.
    pub(crate) is_by_hand: bool,
    /// Whether files are what was bought: the key then only says which license it is.
    pub(crate) is_download: bool,
    /// Whether a license key is what was bought.
    pub(crate) is_key: bool,
    /// Whether its content is made elsewhere, and so is neither replaced nor handed on by its owner.
    pub(crate) is_made_elsewhere: bool,
    /// The end of the key, where it may not.
    pub(crate) key_tail: String,
    pub(crate) is_usable: bool,
    pub(crate) standing: String,
    /// What else its time is about, a line each.
    pub(crate) terms: Vec<String>,
    pub(crate) seats: String,
    pub(crate) devices: Vec<DeviceView>,
    /// How many devices the owner may still free, where that is bounded.
    pub(crate) releases: Option<String>,
    /// Whether one may be freed now.
    pub(crate) can_release: bool,
    /// Where its owner does more with it.
    pub(crate) manage: Option<String>,
    /// Where the form goes that gives the license as a file for any device, where there may be one.
    pub(crate) file: Option<String>,
    /// Why a program was refused last, where that still stands.
    pub(crate) refused: Option<RefusedView>,
}

/// The last refusal: when, why, and how to mend it.
pub(crate) struct RefusedView {
    pub(crate) when: String,
    pub(crate) cause: String,
    pub(crate) fix: String,
}

/// How long a buyer is told that a program was refused.
const REFUSAL_TOLD_FOR: Duration = Duration::days(7);

impl LicenseView {
    /// Whether a key is what was bought, and devices are what it is for.
    pub(crate) fn has_devices(&self) -> bool {
        !self.is_by_hand && !self.is_download
    }

    /// Whether the key is one that nobody types.
    pub(crate) fn is_long(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.len() > LONGEST_TYPED_KEY)
    }

    /// What its owner finds where more is done with it: no more than is there.
    pub(crate) fn manage_text(&self) -> &'static str {
        if self.is_by_hand || self.is_on_its_way || (self.is_made_elsewhere && !self.is_key) {
            "page-license-manage-by-hand"
        } else if self.is_download {
            "page-license-manage-download"
        } else if self.is_made_elsewhere {
            "page-license-manage-code"
        } else {
            "page-license-manage"
        }
    }

    /// Whether there is something that is not shown here.
    pub(crate) fn is_hidden(&self) -> bool {
        self.key.is_none() && self.said.is_none() && self.promised.is_none() && !self.is_on_its_way
    }

    /// The license with the last of these refusals that is its own.
    pub(crate) fn refused(self, words: &Words, license: &License, refusals: &[Attempt], now: Timestamp) -> Self {
        let is_told = |refusal: &&Attempt| {
            refusal.license == Some(license.id)
                && now.since(refusal.last_at) < REFUSAL_TOLD_FOR
                && license.still_refuses(refusal.verdict, now)
        };
        let refused = refusals.iter().filter(is_told).max_by_key(|refusal| refusal.last_at).map(|refusal| {
            let diagnosis = words.diagnosis(refusal.verdict.as_str());
            let date = words.date(refusal.last_at);
            RefusedView {
                when: words.fill("page-license-refused", &[("date", (&date).into())]),
                cause: diagnosis.cause,
                fix: diagnosis.buyer,
            }
        });
        Self { refused, ..self }
    }
}

/// A device on a seat.
pub(crate) struct DeviceView {
    /// For the ids of elements: the seat's own id.
    pub(crate) id: String,
    /// The name that the owner gave it; empty where none was given.
    pub(crate) label: String,
    /// Where the form goes that gives it another.
    pub(crate) rename: String,
    pub(crate) name: String,
    pub(crate) last_seen: String,
    /// Where the form goes that frees the seat.
    pub(crate) release: String,
    pub(crate) release_label: String,
    /// Where the form goes that gives the license as a file for this device.
    pub(crate) file: String,
    pub(crate) file_label: String,
}

/// `release_root` is the address below which this license's devices are released, and its files given.
pub(crate) fn view(
    words: &Words,
    license: &License,
    line: Option<&OrderLine>,
    content: Option<&Held>,
    seats: &[Activation],
    release_root: &str,
    now: Timestamp,
) -> LicenseView {
    let is_usable = license.standing(now) == Standing::Active;
    let held: Vec<&Activation> =
        seats.iter().filter(|seat| seat.license == license.id && license.is_seated(seat, now)).collect();
    let used = match license.policy.lease() {
        // Leases that are over are not given back before somebody needs the seat.
        Some(_) => u32::try_from(held.len()).unwrap_or(u32::MAX),
        None => license.seats_used,
    };
    let of_seats = match license.policy.seating.holder {
        SeatHolder::Device => "page-license-seats",
        SeatHolder::User => "page-license-seats-users",
    };
    let quota = license.policy.seating.releases;
    let is_by_hand = match content {
        Some(Held::Said(_) | Held::Promised(_)) => true,
        Some(Held::Key(_) | Held::Signed(_) | Held::Code(_) | Held::OnItsWay) | None => {
            line.is_some_and(|line| matches!(line.fulfilment, Fulfilment::Manual { .. }))
        }
    };
    let is_download = line.is_some_and(|line| line.fulfilment == Fulfilment::Download);
    let is_for_devices = !is_by_hand && !is_download;
    let next_at = quota.and_then(|quota| quota.next_at(&license.own_acts.releases, now));
    LicenseView {
        releases: quota.map(|quota| releases(words, license, quota, now)),
        can_release: next_at.is_none(),
        manage: None,
        name: line.map(|line| format!("{} {}", line.product_name, line.plan_name)).unwrap_or_default(),
        id: license.id.to_string(),
        key: content.and_then(Held::key),
        said: content.and_then(Held::said),
        promised: content.and_then(Held::promised_by).map(|at| {
            let date = words.date(at);
            let id = if at <= now { "page-license-by-hand-late" } else { "page-license-by-hand" };
            words.fill(id, &[("date", (&date).into())])
        }),
        is_by_hand,
        is_key: line.map_or(!is_by_hand, |line| line.fulfilment.is_key()),
        is_made_elsewhere: line.is_some_and(|line| line.fulfilment.is_claimed()),
        is_on_its_way: content == Some(&Held::OnItsWay),
        is_download,
        // What was made elsewhere does not end as the key behind it does.
        key_tail: if line.is_some_and(|line| line.fulfilment.is_claimed()) {
            String::new()
        } else {
            license.key_tail.clone()
        },
        is_usable,
        standing: standing(words, license, now),
        terms: terms(words, license, now),
        seats: match license.policy.seats {
            _ if !is_for_devices => String::new(),
            Some(seats) => words.fill(of_seats, &[("used", used.into()), ("seats", seats.into())]),
            None => words.say("page-license-seats-any"),
        },
        file: (is_usable && is_for_devices && license.policy.seats.is_none())
            .then(|| format!("{release_root}/licenses/{}/file", license.id)),
        devices: held
            .into_iter()
            .filter(|_| is_for_devices)
            .map(|seat| device(words, seat, &format!("{release_root}/licenses/{}/activations", license.id)))
            .collect(),
        refused: None,
    }
}

/// A license of this order that belongs to somebody else by now: nothing of it is shown but that.
pub(crate) fn handed_on(words: &Words, license: &License, line: Option<&OrderLine>) -> LicenseView {
    LicenseView {
        name: line.map(|line| format!("{} {}", line.product_name, line.plan_name)).unwrap_or_default(),
        id: license.id.to_string(),
        key: None,
        said: None,
        promised: None,
        is_by_hand: false,
        is_on_its_way: false,
        is_download: false,
        is_key: line.is_none_or(|line| line.fulfilment.is_key()),
        is_made_elsewhere: false,
        key_tail: "••••".to_owned(),
        is_usable: false,
        standing: words.say("page-license-handed-on"),
        terms: Vec::new(),
        seats: String::new(),
        devices: Vec::new(),
        releases: None,
        can_release: false,
        manage: None,
        file: None,
        refused: None,
    }
}

/// How many devices the owner may still free, or when the next.
fn releases(words: &Words, license: &License, quota: Quota, now: Timestamp) -> String {
    let done = &license.own_acts.releases;
    let counts = [("count", quota.left(done, now).into()), ("of", quota.count.into()), ("days", quota.days.into())];
    match quota.next_at(done, now) {
        None => words.fill("page-license-releases", &counts),
        Some(next_at) => {
            let date = words.date(next_at);
            words.fill("page-license-releases-none", &[("date", (&date).into())])
        }
    }
}

fn device(words: &Words, seat: &Activation, root: &str) -> DeviceView {
    let name = match seat.shown_name() {
        Some(name) => name.to_owned(),
        None => {
            let letters: Vec<char> = seat.fingerprint.as_str().chars().collect();
            let tail: String = letters[letters.len().saturating_sub(6)..].iter().collect();
            words.fill("page-license-device-unnamed", &[("tail", (&tail).into())])
        }
    };
    let seen = words.date(seat.last_seen_at);
    DeviceView {
        id: seat.id.to_string(),
        label: seat.label.clone().unwrap_or_default(),
        rename: format!("{root}/{}/rename", seat.id),
        last_seen: words.fill("page-license-device-seen", &[("date", (&seen).into())]),
        file: format!("{root}/{}/file", seat.id),
        file_label: words.fill("page-license-device-file", &[("device", (&name).into())]),
        release: format!("{root}/{}/release", seat.id),
        release_label: words.fill("page-license-device-release", &[("device", (&name).into())]),
        name,
    }
}

/// Whether it works, why not, and until when.
fn standing(words: &Words, license: &License, now: Timestamp) -> String {
    let id = match (license.state, license.age(now), license.policy.term.at_expiry) {
        (LicenseState::Active, Age::Running, _) => match (license.expires_at, license.started_at) {
            (Some(_), _) => "page-license-valid-until",
            (None, Some(_)) => "page-license-valid",
            (None, None) => match license.policy.term.starts {
                Starts::Issue => "page-license-valid",
                Starts::FirstActivation => "page-license-waits-activation",
                Starts::FirstValidation => "page-license-waits-use",
            },
        },
        (LicenseState::Active, Age::InGrace, _) => "page-license-in-grace",
        (LicenseState::Active, Age::Over, AtExpiry::Restrict | AtExpiry::End) => "page-license-expired",
        (LicenseState::Active, Age::Over, AtExpiry::Keep) => "page-license-kept",
        (LicenseState::Active, Age::Over, AtExpiry::Allow) => "page-license-allowed",
        (LicenseState::SuspendedByDispute, ..) => "page-license-suspended-dispute",
        (LicenseState::SuspendedByPerson, ..) => "page-license-suspended-person",
        (LicenseState::RevokedByRefund, ..) => "page-license-revoked-refund",
        (LicenseState::RevokedByDispute, ..) => "page-license-revoked-dispute",
        (LicenseState::RevokedByPerson, ..) => "page-license-revoked-person",
    };
    let day = |moment: Option<Timestamp>| moment.map(|moment| words.day(moment)).unwrap_or_default();
    let (end, last) = (day(license.expires_at), day(license.ends_at()));
    words.fill(id, &[("date", (&end).into()), ("until", (&last).into())])
}

/// What a buyer wants to know besides: that it is a trial, which versions it covers, how much is used.
fn terms(words: &Words, license: &License, now: Timestamp) -> Vec<String> {
    let trial = license.policy.term.is_trial.then(|| words.say("page-license-trial"));
    let updates = license.updates_until.map(|end| {
        let day = words.day(end);
        words.fill("page-license-updates", &[("date", (&day).into())])
    });
    let limit = license.policy.usage.as_ref().and_then(|usage| usage.limit);
    let usage = limit.map(|limit| {
        let number = |count: u64| Arg::Number(i64::try_from(count).unwrap_or(i64::MAX));
        words.fill("page-license-usage", &[("used", number(license.used(now))), ("limit", number(limit))])
    });
    trial.into_iter().chain(updates).chain(usage).collect()
}
