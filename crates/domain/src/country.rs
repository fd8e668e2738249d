//! ISO 3166-1 alpha-2 country codes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A country: one of the assigned ISO 3166-1 alpha-2 codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

const CODES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM \
FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO \
JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT \
MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA \
SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US \
UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Members of the European Union, where a consumer of digital content must
/// agree to immediate supply (Directive 2011/83/EU art. 16(m)).
const EUROPEAN_UNION: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

impl Country {
    /// Germany.
    pub const DE: Self = Self("DE");
    /// The United States.
    pub const US: Self = Self("US");

    /// Reads a two-letter code in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let wanted = text.trim().to_ascii_uppercase();
        Self::all().find(|country| country.0 == wanted)
    }

    /// Every assigned code, in alphabetical order.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES.split_ascii_whitespace().map(Self)
    }

    /// The two letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0
    }

    /// Whether it belongs to the European Union.
    #[must_use]
    pub fn is_in_european_union(self) -> bool {
        EUROPEAN_UNION.split_ascii_whitespace().any(|code| code == self.0)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an ISO 3166-1 alpha-2 country code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_one_of_the_assigned_codes() {
        #[rustfmt::skip]
        let table = [
            ("DE", Some("DE")), ("de", Some("DE")), (" Ir ", Some("IR")), ("GB", Some("GB")),
            ("UK", None), ("EU", None), ("XX", None), ("DEU", None), ("D", None), ("", None), ("ДЕ", None),
        ];
        for (text, code) in table {
            assert_eq!(Country::parse(text).map(Country::code), code, "{text}");
        }
        assert_eq!(Country::all().count(), 249, "ISO 3166-1 assigns 249 codes");
        assert!(Country::all().is_sorted(), "in alphabetical order");
    }

    #[test]
    fn the_european_union_has_twenty_seven_members() {
        assert_eq!(Country::all().filter(|country| country.is_in_european_union()).count(), 27);
        for (code, member) in [("DE", true), ("IE", true), ("GR", true), ("GB", false), ("CH", false), ("NO", false)] {
            assert_eq!(Country::parse(code).map(Country::is_in_european_union), Some(member), "{code}");
        }
    }
}
