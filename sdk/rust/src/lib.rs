//! Licenses in a program that is sold with Latchkey: activate, validate, heartbeat, deactivate, and go on while
//! the shop cannot be reached.
//!
//! ```no_run
//! use latchkey_client::{Client, FileStorage, Http, Settings};
//!
//! # fn main() -> std::io::Result<()> {
//! # let (key, device) = ("", "");
//! let settings = Settings::new("https://shop.example", "prod_01h…", device);
//! let mut license = Client::open(settings, Http::new(), FileStorage::new("license.json"))?;
//! let outcome = license.refresh()?;
//! if !outcome.is_usable() {
//!     let outcome = license.activate(key, None)?;
//!     println!("{} {}", outcome.message, outcome.portal_url);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! One state machine, the same in every language: `docs/clients.md` has it in words and `sdk/vectors.json` in
//! examples. [`look`], [`settle`], [`install`] and the like are that machine and touch nothing; [`Client`] asks and keeps.

mod answer;
mod client;
mod file;
#[cfg(feature = "http")]
mod http;
mod kept;
mod lease;
mod message;
mod offline;
mod outcome;

pub use answer::{Call, Reply, Request};
pub use client::{Client, Storage, Transport};
pub use file::FileStorage;
#[cfg(feature = "http")]
pub use http::Http;
pub use kept::{Kept, Pending};
pub use latchkey_license as license;
pub use lease::{Settings, look, request, settle, wants_keys};
pub use message::{CODES, Language, message};
pub use offline::{check_revocations, install, request_activation, request_release};
pub use outcome::{License, Outcome, State};

/// How far a clock may be off when a certificate's times are compared, in seconds.
pub const LEEWAY_SECONDS: u32 = 300;

/// How far a clock may go back without being doubted, in seconds: a machine that changes between two systems may
/// be wrong by its time zone.
pub const ROLLBACK_SECONDS: i64 = 86_400;

/// How far time moves before the highest time is written again, in seconds.
pub const NOTICE_SECONDS: i64 = 60;
