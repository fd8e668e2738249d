//! The simulated gateway: what a payment company does, without the money.
//!
//! `model` holds the truth and is pure: every operation takes the world and the
//! moment. `wire` and `page` put a Stripe-shaped API and a hosted payment page
//! in front of it, as functions from request to reply. `server` adds the only
//! impure parts: sockets, the clock, the journal on disk, webhook delivery.
//! Never moves money, never keeps a card number.

#![recursion_limit = "512"]

pub mod control;
mod journal;
pub mod model;
pub mod page;
pub mod server;
pub mod wire;

pub use model::World;
pub use server::{Config, Endpoint, Handle, Sandbox, serve};
