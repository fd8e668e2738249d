//! What a license allows: written on the plan, frozen into the license when it is issued.
//!
//! Every part but the first four fields has a resting value that is left out
//! when a policy is written down, so that an ordinary policy stays as small as
//! it was, and one that was frozen years ago reads as what it meant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ByHand, Duration, Metering, Quota, Timestamp};

/// What a license allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How many devices at once; `None`: any number, and none needs to be activated.
    pub seats: Option<u32>,
    /// How many days it works, counted from its start; `None`: for ever.
    pub valid_days: Option<u32>,
    /// What is switched on.
    pub features: Vec<String>,
    /// What is set to a value: how many pages, which edition.
    #[serde(default, skip_serializing_if = "is_resting")]
    pub feature_values: BTreeMap<String, FeatureValue>,
    /// How many seconds a certificate carries an app through without us.
    pub certificate_seconds: u32,
    /// When its time begins, and what becomes of it at the end.
    #[serde(default, skip_serializing_if = "is_resting")]
    pub term: Term,
    /// Who sits on a seat, for how long, and whether there may be more of them.
    #[serde(default, skip_serializing_if = "is_resting")]
    pub seating: Seating,
    /// What is said of counted use; `None`: nothing is counted.
    #[serde(default, skip_serializing_if = "is_resting")]
    pub usage: Option<Metering>,
    /// What is carried to devices without a network.
    #[serde(default, skip_serializing_if = "is_resting")]
    pub offline: Offline,
    /// On a license: what was changed by hand.
    #[serde(default, skip_serializing_if = "is_resting")]
    pub by_hand: ByHand,
}

fn is_resting<Part: Default + PartialEq>(part: &Part) -> bool {
    *part == Part::default()
}

/// The time of a license.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Term {
    /// What starts its clock.
    #[serde(skip_serializing_if = "is_resting")]
    pub starts: Starts,
    /// How many days of new versions are covered, counted from the start; `None`: every version.
    #[serde(skip_serializing_if = "is_resting")]
    pub update_days: Option<u32>,
    /// How many days it works on after its end, as if it had not ended.
    #[serde(skip_serializing_if = "is_resting")]
    pub grace_days: u32,
    /// What becomes of it after its end and grace.
    #[serde(skip_serializing_if = "is_resting")]
    pub at_expiry: AtExpiry,
    /// Whether it is for trying out.
    #[serde(skip_serializing_if = "is_resting")]
    pub is_trial: bool,
    /// Within how many days a device on a seat must report, by a heartbeat or by activating again; `None`: never.
    #[serde(skip_serializing_if = "is_resting")]
    pub check_in_days: Option<u32>,
}

/// The seats of a license.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seating {
    /// What a fingerprint names.
    #[serde(skip_serializing_if = "is_resting")]
    pub holder: SeatHolder,
    /// How many seconds a seat is held without a heartbeat; `None`: until it is given back.
    #[serde(skip_serializing_if = "is_resting")]
    pub lease_seconds: Option<u32>,
    /// Whether there may be more devices than seats.
    #[serde(skip_serializing_if = "is_resting")]
    pub overage: Overage,
    /// What buying several units makes.
    #[serde(skip_serializing_if = "is_resting")]
    pub units: Units,
    /// On a license with the seats of several units: of how many; else 0.
    #[serde(skip_serializing_if = "is_resting")]
    pub times: u32,
    /// How many components make a device the same device under another fingerprint; `None`: none do.
    #[serde(skip_serializing_if = "is_resting")]
    pub matching: Option<Matching>,
    /// How often the owner may free a seat without the app that holds it; `None`: any number of times.
    #[serde(skip_serializing_if = "is_resting")]
    pub releases: Option<Quota>,
}

/// How long what is carried to devices without a network counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Offline {
    /// How many days a license file may count at most; `None`: as long as a certificate does.
    #[serde(skip_serializing_if = "is_resting")]
    pub file_days: Option<u32>,
    /// On a license: until when something counts that was signed under an earlier policy, which let it count for
    /// longer; `None`: nothing does.
    #[serde(skip_serializing_if = "is_resting")]
    pub carried_until: Option<Timestamp>,
}

/// The value of a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FeatureValue {
    /// On or off.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

impl FeatureValue {
    /// Whether an app that only asks for the feature has it: off, 0 and an empty text are none.
    #[must_use]
    pub fn is_on(&self) -> bool {
        match self {
            Self::Flag(flag) => *flag,
            Self::Number(number) => *number != 0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// As it stands in what is signed.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Flag(flag) => (*flag).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

/// How many of the components that a seat was taken with must be the same, so that it is the same device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// One.
    Any,
    /// Two.
    Two,
    /// Half of them, rounded up.
    Most,
    /// Every one.
    All,
}

impl Matching {
    /// Every rule.
    pub const ALL: [Self; 4] = [Self::Any, Self::Two, Self::Most, Self::All];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Two => "two",
            Self::Most => "most",
            Self::All => "all",
        }
    }

    /// Whether a device with these components is the one that was known by those. How many are the same, if it is.
    #[must_use]
    pub fn same(self, known: &BTreeMap<String, String>, shown: &BTreeMap<String, String>) -> Option<usize> {
        let equal = known.iter().filter(|(name, value)| shown.get(*name) == Some(value)).count();
        let needed = match self {
            Self::Any => 1,
            Self::Two => 2,
            Self::Most => known.len().div_ceil(2),
            Self::All => known.len(),
        };
        (equal > 0 && equal >= needed).then_some(equal)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in rows, on the wire and in the shop file.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// What starts the clock of a license.
    Starts {
        /// Being issued.
        #[default]
        Issue = "issue",
        /// The first device that takes a seat.
        FirstActivation = "first_activation",
        /// The first "yes" to an app, or the first seat, whichever comes first.
        FirstValidation = "first_validation",
    }
}

words! {
    /// What becomes of a license after its end and its days of grace.
    AtExpiry {
        /// It works no more until it is renewed.
        #[default]
        Restrict = "restrict",
        /// It works on for the devices that hold a seat and the versions that were out by then; nothing new comes in.
        Keep = "keep",
        /// It works on for everything; being expired is only told.
        Allow = "allow",
        /// It is over as if it had been taken back: the key is no longer shown.
        End = "end",
    }
}

words! {
    /// What a fingerprint names.
    SeatHolder {
        /// A device.
        #[default]
        Device = "device",
        /// A person, on any number of devices.
        User = "user",
    }
}

words! {
    /// How many more may sit down than there are seats.
    Overage {
        /// None.
        #[default]
        Deny = "deny",
        /// Up to a quarter more, rounded down.
        Quarter = "1.25x",
        /// Up to half as many again, rounded down.
        Half = "1.5x",
        /// Up to twice as many.
        Double = "2x",
        /// Any number.
        Always = "always",
    }
}

words! {
    /// What buying several units makes.
    Units {
        /// A license for each.
        #[default]
        Licenses = "licenses",
        /// One license with the seats of all.
        Seats = "seats",
    }
}

impl Overage {
    /// How many may sit on so many seats; `None`: any number.
    #[must_use]
    pub fn cap(self, seats: u32) -> Option<u32> {
        match self {
            Self::Deny => Some(seats),
            Self::Quarter => Some(seats.saturating_add(seats / 4)),
            Self::Half => Some(seats.saturating_add(seats / 2)),
            Self::Double => Some(seats.saturating_mul(2)),
            Self::Always => None,
        }
    }
}

impl Policy {
    /// Whether a feature is switched on, or set to a value that is not nothing.
    #[must_use]
    pub fn has_feature(&self, name: &str) -> bool {
        self.features.iter().any(|feature| feature == name)
            || self.feature_values.get(name).is_some_and(FeatureValue::is_on)
    }

    /// How many may hold a seat at once, overage counted in; `None`: any number.
    #[must_use]
    pub fn seat_cap(&self) -> Option<u32> {
        self.seats.and_then(|seats| self.seating.overage.cap(seats))
    }

    /// How long a seat is held without a heartbeat; `None`: until it is given back.
    #[must_use]
    pub fn lease(&self) -> Option<Duration> {
        self.seating.lease_seconds.map(|seconds| Duration::seconds(i64::from(seconds)))
    }

    /// How long a license file may count at most.
    #[must_use]
    pub fn longest_file(&self) -> Duration {
        let certificate = Duration::seconds(i64::from(self.certificate_seconds));
        self.offline.file_days.map_or(certificate, |days| Duration::days(i64::from(days)))
    }

    /// The longest that anything counts that is signed under this policy.
    #[must_use]
    pub fn longest_certificate(&self) -> Duration {
        self.longest_file().max(Duration::seconds(i64::from(self.certificate_seconds)))
    }

    /// How many licenses so many units make.
    #[must_use]
    pub fn licenses_of(&self, quantity: u32) -> u32 {
        match self.seating.units {
            Units::Licenses => quantity,
            Units::Seats => quantity.min(1),
        }
    }

    /// What one of the licenses of so many units allows.
    #[must_use]
    pub fn for_quantity(&self, quantity: u32) -> Self {
        match self.seating.units {
            Units::Licenses => self.clone(),
            Units::Seats => Self {
                seats: self.seats.map(|seats| seats.saturating_mul(quantity)),
                seating: Seating { times: quantity, ..self.seating.clone() },
                ..self.clone()
            },
        }
    }

    /// When a license that starts at this moment ends; `None`: never.
    #[must_use]
    pub fn ends_at(&self, start: Timestamp) -> Option<Timestamp> {
        self.valid_days.map(|days| start.after(Duration::days(i64::from(days))))
    }

    /// Until when the versions come out that a license covers which starts at this moment; `None`: for ever.
    #[must_use]
    pub fn updates_end_at(&self, start: Timestamp) -> Option<Timestamp> {
        self.term.update_days.map(|days| start.after(Duration::days(i64::from(days))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn an_ordinary_policy_is_written_as_it_always_was_and_old_ones_read() {
        let ordinary = Policy {
            seats: Some(2),
            valid_days: None,
            features: vec!["raw".to_owned()],
            certificate_seconds: 60,
            ..Policy::default()
        };
        let text = r#"{"seats":2,"valid_days":null,"features":["raw"],"certificate_seconds":60}"#;
        assert_eq!(serde_json::to_string(&ordinary).unwrap(), text);
        assert_eq!(serde_json::from_str::<Policy>(text).unwrap(), ordinary);
    }

    #[test]
    fn what_is_out_of_the_ordinary_reads_back() {
        for (starts, at_expiry) in
            Starts::ALL.iter().flat_map(|starts| AtExpiry::ALL.iter().map(move |end| (*starts, *end)))
        {
            for (overage, units) in
                Overage::ALL.iter().flat_map(|over| Units::ALL.iter().map(move |units| (*over, *units)))
            {
                for holder in SeatHolder::ALL {
                    let term = Term {
                        starts,
                        at_expiry,
                        update_days: Some(365),
                        grace_days: 3,
                        is_trial: true,
                        check_in_days: Some(30),
                    };
                    let matching = Some(Matching::Most);
                    let releases = Some(Quota { count: 2, days: 30 });
                    let seating = Seating {
                        holder: *holder,
                        lease_seconds: Some(600),
                        overage,
                        units,
                        times: 3,
                        matching,
                        releases,
                    };
                    let usage = Some(Metering { limit: Some(100), reset_days: Some(30) });
                    let offline = Offline { file_days: Some(90), carried_until: Some(Timestamp::from_seconds(7)) };
                    let policy = Policy { term, seating, usage, offline, ..Policy::default() };
                    let text = serde_json::to_string(&policy).unwrap();
                    assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy, "{text}");
                }
            }
        }
    }

    #[test]
    fn several_units_make_licenses_or_seats() {
        let policy =
            |units| Policy { seats: Some(3), seating: Seating { units, ..Seating::default() }, ..Policy::default() };
        let each = policy(Units::Licenses);
        assert_eq!((each.licenses_of(4), each.for_quantity(4).seats), (4, Some(3)));
        let one = policy(Units::Seats);
        assert_eq!((one.licenses_of(4), one.for_quantity(4).seats), (1, Some(12)));
        assert_eq!(one.licenses_of(0), 0);
    }

    #[test]
    fn a_device_is_the_same_when_enough_of_it_is() {
        let table = "
            known           | shown               | any | two | most | all | why
            a=1 b=2 c=3     | a=1 b=2 c=3         | 3   | 3   | 3    | 3   | nothing changed
            a=1 b=2 c=3     | a=1 b=2 c=9         | 2   | 2   | 2    | -   | another disk
            a=1 b=2 c=3     | a=1 b=8 c=9         | 1   | -   | -    | -   | one of three
            a=1 b=2         | a=1 b=9             | 1   | -   | 1    | -   | half is most
            a=1             | a=1 b=2             | 1   | -   | 1    | 1   | what is new counts for nothing
            a=1 b=2         | b=1 a=2             | -   | -   | -    | -   | a value has its place
            a=1 b=2         | -                   | -   | -   | -    | -   | nothing shown
            -               | a=1                 | -   | -   | -    | -   | nothing known
        ";
        let read = |text: &str| -> BTreeMap<String, String> {
            let pairs = text.split(' ').filter_map(|part| part.split_once('='));
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        for row in table.trim().lines().skip(1).filter(|line| !line.trim().is_empty()) {
            let row: Vec<&str> = row.split('|').map(str::trim).collect();
            let found = Matching::ALL
                .map(|rule| rule.same(&read(row[0]), &read(row[1])).map_or("-".to_owned(), |equal| equal.to_string()));
            assert_eq!(found, row[2..6], "{}", row[6]);
        }
    }

    #[test]
    fn a_value_that_is_something_is_a_feature() {
        let policy: Policy = serde_json::from_str(
            r#"{"seats":null,"valid_days":null,"features":["edit"],"certificate_seconds":0,
                "feature_values":{"pages":500,"none":0,"edition":"gold","empty":"","beta":true,"off":false}}"#,
        )
        .unwrap();
        let on =
            ["edit", "pages", "none", "edition", "empty", "beta", "off", "other"].map(|name| policy.has_feature(name));
        assert_eq!(on, [true, true, false, true, false, true, false, false]);
    }
}
