//! HTTP in and out: hooks, checkout, portal, console, API.
//!
//! A handler parses at the door, asks [`app::App`], and shows the answer. It
//! owns no rule and no SQL, and never finishes money work by itself. Pages are
//! complete without JavaScript and load nothing from anybody else.

mod admission;
mod api;
mod asset;
mod bodies;
mod compat;
mod console;
mod cookie;
mod export;
mod guard;
mod limits;
mod places;
mod problem;
mod public;
mod range;
mod rate;
mod router;
mod server;
mod site;
mod visit;

pub use limits::{Budget, Budgets, Class, Limits, Network};
pub use router::{site, site_within, watch_router};
pub use server::{Answers, serve, serve_counted};
pub use site::Site;

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
