//! HTTP in and out: hooks, checkout, portal, console, API.
//!
//! A handler parses at the door, asks [`app::App`], and shows the answer. It
//! owns no rule and no SQL, and never finishes money work by itself. Pages are
//! complete without JavaScript and load nothing from anybody else.

mod api;
mod asset;
mod console;
mod cookie;
mod guard;
mod problem;
mod public;
mod router;
mod server;
mod visit;

pub use router::router;
pub use server::{Limits, serve};

use std::sync::Arc;

use app::{App, Mailbox};

/// What every handler can reach.
#[derive(Clone)]
pub struct Web {
    /// The app behind the pages.
    pub app: Arc<App>,
    /// The mailbox page's mails; only where mails are kept instead of sent.
    pub mailbox: Option<Arc<Mailbox>>,
}
