//! Every id in the system, in one list.
//!
//! An id is a prefix and a UUIDv7 (RFC 9562) in Crockford base32: sortable by
//! the millisecond it was minted, opaque, the same in logs, mails and URLs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Rng, Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

/// What each byte stands for as a digit, or [`NO_DIGIT`].
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value: u8 = 0;
    while (value as usize) < ALPHABET.len() {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};
const NO_DIGIT: u8 = u8::MAX;

/// A text that is not an id of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id that begins with \"{prefix}_\"")]
pub struct IdError {
    /// The prefix that the id should have had.
    pub prefix: &'static str,
}

fn encode(value: u128, out: &mut [u8]) {
    for (place, digit) in out.iter_mut().enumerate() {
        let shift = 5 * (DIGITS - 1 - place);
        let index = usize::try_from((value >> shift) & 31).unwrap_or_default();
        *digit = ALPHABET[index];
    }
}

fn decode(text: &str) -> Option<u128> {
    let digits = text.as_bytes();
    if digits.len() != DIGITS || digits[0] > b'7' {
        return None;
    }
    digits.iter().try_fold(0u128, |value, digit| {
        let digit = VALUES[usize::from(*digit)];
        (digit != NO_DIGIT).then(|| (value << 5) | u128::from(digit))
    })
}

/// A UUIDv7 from the millisecond of `now` and 74 bits of chance (RFC 9562 §5.7).
fn uuid_v7(now: Timestamp, rng: &mut Rng) -> u128 {
    let milliseconds = u128::try_from(now.as_microseconds() / 1_000).unwrap_or_default() & 0xffff_ffff_ffff;
    let chance = rng.next_u128();
    let rand_a = (chance >> 64) & 0x0fff;
    let rand_b = chance & 0x3fff_ffff_ffff_ffff;
    (milliseconds << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b
}

/// The text of a UUID (RFC 9562 §4), in small letters.
#[must_use]
pub fn uuid_text(value: u128) -> String {
    let hex = format!("{value:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Reads the text of a UUID, in small or capital letters.
fn uuid_value(text: &str) -> Option<u128> {
    let is_group = |group: &str, length: usize| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit());
    let groups: Vec<&str> = text.split('-').collect();
    let is_uuid =
        groups.len() == 5 && groups.iter().zip([8, 4, 4, 4, 12]).all(|(group, length)| is_group(group, length));
    if is_uuid { u128::from_str_radix(&groups.concat(), 16).ok() } else { None }
}

macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What every id of this kind begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, from the time and chance of the decision that needs it.
            #[must_use]
            pub fn mint(now: Timestamp, rng: &mut Rng) -> Self {
                Self(uuid_v7(now, rng))
            }

            /// When it was minted, to the millisecond.
            #[must_use]
            pub fn minted_at(self) -> Timestamp {
                let milliseconds = i64::try_from(self.0 >> 80).unwrap_or(i64::MAX);
                Timestamp::from_microseconds(milliseconds.saturating_mul(1_000))
            }

            /// The same id as a UUID (RFC 9562), for systems that write theirs so.
            #[must_use]
            pub fn uuid(self) -> String {
                uuid_text(self.0)
            }

            fn letters(self) -> [u8; concat!($prefix, "_").len() + DIGITS] {
                let mut letters = [0; concat!($prefix, "_").len() + DIGITS];
                let (prefix, digits) = letters.split_at_mut(concat!($prefix, "_").len());
                prefix.copy_from_slice(concat!($prefix, "_").as_bytes());
                encode(self.0, digits);
                letters
            }

            /// Reads the id from its UUID; `None` for what is none.
            #[must_use]
            pub fn from_uuid(text: &str) -> Option<Self> {
                uuid_value(text).map(Self)
            }

            /// Reads an id as it is written in URLs and rows.
            ///
            /// # Errors
            /// When the prefix is another, or the rest is not 26 digits of Crockford base32.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(IdError { prefix: $prefix })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(str::from_utf8(&self.letters()).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(str::from_utf8(&self.letters()).map_err(serde::ser::Error::custom)?)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

typed_id! {
    /// A tenant.
    ShopId = "shop";
    /// What is sold.
    ProductId = "prod";
    /// A tier of a product.
    PlanId = "plan";
    /// A stock of codes made elsewhere.
    PoolId = "pool";
    /// A program of the seller's that is asked over the network.
    EndpointId = "end";
    /// One version of a product, with its files.
    ReleaseId = "rel";
    /// One file of a release.
    ReleaseFileId = "file";
    /// A person or company that buys.
    CustomerId = "cus";
    /// One visit to the till.
    CheckoutId = "chk";
    /// What was bought.
    OrderId = "ord";
    /// One attempt to collect money.
    PaymentId = "pay";
    /// Money given back.
    RefundId = "re";
    /// A chargeback, or an early warning of one.
    DisputeId = "dp";
    /// The right that was bought.
    LicenseId = "lic";
    /// Licenses that belong together.
    GroupId = "grp";
    /// One device or user on a seat.
    ActivationId = "act";
    /// An offer of a license to an address.
    TransferId = "trf";
    /// Licenses that were issued together without a payment.
    BatchId = "batch";
    /// One question of an app about a license.
    AttemptId = "att";
    /// One message to one receiver.
    DeliveryId = "dlv";
    /// What buyer or shop wrote about an order.
    MessageId = "msg";
    /// One message from a gateway.
    NoticeId = "ntc";
    /// One line of the journal.
    EventId = "evt";
    /// Something to do at or after a time.
    JobId = "job";
    /// A shop's account at a gateway.
    GatewayAccountId = "gw";
    /// A person who works in the console.
    UserId = "usr";
    /// A signed-in browser, of a user or of a customer.
    SessionId = "ses";
    /// A link or code that signs in once.
    LoginLinkId = "lnk";
    /// A key for the management API.
    ApiKeyId = "key";
}

impl JobId {
    /// The one job that there is at a time for a license.
    #[must_use]
    pub fn of_license(license: LicenseId) -> Self {
        Self(license.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        let mut rng = Rng::from_seed([7; 32]);
        for millisecond in [0, 1, 1_700_000_000_000, 281_474_976_710_655_i64] {
            let id = OrderId::mint(Timestamp::from_microseconds(millisecond * 1_000), &mut rng);
            assert_eq!(OrderId::parse(&id.to_string()), Ok(id));
            assert_eq!(id.minted_at(), Timestamp::from_microseconds(millisecond * 1_000));
        }
    }

    #[test]
    fn ids_sort_by_the_time_they_were_minted() {
        let mut rng = Rng::from_seed([7; 32]);
        let ids: Vec<String> =
            (1..100).map(|n| OrderId::mint(Timestamp::from_microseconds(n * 1_000), &mut rng).to_string()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn an_id_is_a_uuid_of_version_seven() {
        let id = OrderId::mint(Timestamp::from_microseconds(1_000), &mut Rng::from_seed([1; 32]));
        assert_eq!((id.0 >> 76) & 0xf, 7);
        assert_eq!((id.0 >> 62) & 0b11, 0b10);
    }

    #[test]
    fn an_id_reads_back_from_its_uuid() {
        let id = OrderId::mint(Timestamp::from_microseconds(1_000), &mut Rng::from_seed([1; 32]));
        let uuid = id.uuid();
        assert_eq!((uuid.len(), &uuid[..15]), (36, "00000000-0001-7"));
        assert_eq!(OrderId::from_uuid(&uuid), Some(id));
        assert_eq!(OrderId::from_uuid(&uuid.to_uppercase()), Some(id));
        for bad in ["", "key", &uuid[1..], &uuid.replace('-', ""), &uuid.replace('7', "+"), &format!("{uuid}-0")] {
            assert_eq!(OrderId::from_uuid(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        let good = OrderId::mint(Timestamp::from_microseconds(1_000), &mut Rng::from_seed([1; 32])).to_string();
        for bad in [
            String::new(),
            "ord_".to_owned(),
            good.replace("ord_", "pay_"),
            good.to_uppercase(),
            format!("{good}0"),
            good.replace(&good[28..], "il"),
            format!("ord_8{}", &good[5..]),
        ] {
            assert_eq!(OrderId::parse(&bad), Err(IdError { prefix: "ord" }), "{bad}");
        }
    }
}
