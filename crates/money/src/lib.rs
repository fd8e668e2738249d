//! Money: amounts in minor units of a currency, the arithmetic that is allowed on them, and how people of a
//! place write them.
//!
//! Relies on two tables of its own: the currencies with their minor units, and CLDR's patterns for display.
//! Never rounds without being told how, never uses floating point, and never reads a clock, a random source,
//! a file or the environment: the same input gives the same answer on every machine and in every year.

mod amount;
mod currency;
mod display;
mod error;
mod rounding;
mod toman;

pub use amount::Money;
pub use currency::{Currency, CurrencyCode};
pub use display::{cldr_version, display_number};
pub use error::MoneyError;
pub use rounding::{Rounding, UnknownRounding};
pub use toman::Toman;
