//! Rounding by name. Every function that could lose a part of a unit asks for one of these.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a fraction of a minor unit becomes a whole one. Named after the rule, as tax codes and gateways do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest unit, a half to the even neighbour: no drift over many amounts (banker's rounding).
    HalfEven,
    /// To the nearest unit, a half away from zero: what a person expects on an invoice.
    HalfUp,
    /// To the nearest unit, a half towards zero.
    HalfDown,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
    /// Towards negative infinity.
    Floor,
    /// Towards positive infinity.
    Ceiling,
}

/// The text names no way of rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("rounding is one of half_even, half_up, half_down, down, up, floor, ceiling")]
pub struct UnknownRounding;

impl Rounding {
    /// Every way of rounding, in the order of the documentation.
    pub const ALL: [Self; 7] =
        [Self::HalfEven, Self::HalfUp, Self::HalfDown, Self::Down, Self::Up, Self::Floor, Self::Ceiling];

    /// The name in configuration and on the wire, such as `half_even`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HalfEven => "half_even",
            Self::HalfUp => "half_up",
            Self::HalfDown => "half_down",
            Self::Down => "down",
            Self::Up => "up",
            Self::Floor => "floor",
            Self::Ceiling => "ceiling",
        }
    }

    /// `numerator / denominator` as a whole number, or `None` when the denominator is zero or the result does
    /// not fit.
    pub(crate) fn divide(self, numerator: i128, denominator: i128) -> Option<i128> {
        let quotient = numerator.checked_div(denominator)?;
        let remainder = numerator.checked_rem(denominator)?;
        if remainder == 0 {
            return Some(quotient);
        }
        let negative = (numerator < 0) != (denominator < 0);
        let half = (remainder.unsigned_abs()).cmp(&(denominator.unsigned_abs() - remainder.unsigned_abs()));
        let away_from_zero = match self {
            Self::HalfEven => half.is_gt() || (half.is_eq() && quotient % 2 != 0),
            Self::HalfUp => half.is_ge(),
            Self::HalfDown => half.is_gt(),
            Self::Down => false,
            Self::Up => true,
            Self::Floor => negative,
            Self::Ceiling => !negative,
        };
        let step = if negative { -1 } else { 1 };
        if away_from_zero { quotient.checked_add(step) } else { Some(quotient) }
    }
}

impl fmt::Display for Rounding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Rounding {
    type Err = UnknownRounding;

    fn from_str(name: &str) -> Result<Self, UnknownRounding> {
        Self::ALL.into_iter().find(|rounding| rounding.name() == name).ok_or(UnknownRounding)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_name_rounds_as_its_rule_says() {
        #[rustfmt::skip]
        let table = [
            //                       2.5 / 3.5 / 2.4 / 2.6 / -2.5 / -3.5 / -2.4 / -2.6
            (Rounding::HalfEven, [2, 4, 2, 3, -2, -4, -2, -3]),
            (Rounding::HalfUp,   [3, 4, 2, 3, -3, -4, -2, -3]),
            (Rounding::HalfDown, [2, 3, 2, 3, -2, -3, -2, -3]),
            (Rounding::Down,     [2, 3, 2, 2, -2, -3, -2, -2]),
            (Rounding::Up,       [3, 4, 3, 3, -3, -4, -3, -3]),
            (Rounding::Floor,    [2, 3, 2, 2, -3, -4, -3, -3]),
            (Rounding::Ceiling,  [3, 4, 3, 3, -2, -3, -2, -2]),
        ];
        for (rounding, expected) in table {
            let tenths = [25, 35, 24, 26, -25, -35, -24, -26];
            assert_eq!(tenths.map(|tenth| rounding.divide(tenth, 10).unwrap()), expected, "{rounding}");
            assert_eq!(tenths.map(|tenth| rounding.divide(-tenth, -10).unwrap()), expected, "{rounding}");
        }
    }

    #[test]
    fn a_whole_result_is_never_moved() {
        for rounding in Rounding::ALL {
            assert_eq!(rounding.divide(-30, 10), Some(-3));
            assert_eq!(rounding.divide(0, 7), Some(0));
        }
    }

    #[test]
    fn a_name_reads_back_as_itself_and_others_are_refused() {
        for rounding in Rounding::ALL {
            assert_eq!(rounding.name().parse(), Ok(rounding));
            assert_eq!(serde_json::to_string(&rounding).unwrap(), format!("\"{rounding}\""));
        }
        assert_eq!("HalfEven".parse::<Rounding>(), Err(UnknownRounding));
    }
}
