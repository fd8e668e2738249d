//! The only SQL: rows in, rows out, one commit.
//!
//! [`Store`] answers questions about nouns (`order.rs`, `license.rs`, …) and
//! commits [`domain::Changes`] whole or not at all. Two engines stand behind
//! it, SQLite and PostgreSQL, with one SQL text for both. It knows no rule of
//! the business, reads no clock, and hands out no transaction.

mod activation;
mod api_key;
mod attempt;
mod batch;
mod change;
mod checkout;
mod claim;
mod column;
mod commit;
pub mod copy;
mod customer;
mod delivery;
mod dispute;
mod endpoint;
mod engine;
mod event;
mod foreign_key;
mod gateway_account;
mod group;
mod idempotency;
mod job;
mod ledger;
mod license;
mod login;
mod measure;
mod memory;
mod message;
mod migration;
pub mod moving;
mod notice;
mod order;
mod page;
mod payment;
pub mod place;
mod plan;
mod pool;
pub mod postgres;
#[cfg(test)]
mod prepared;
mod product;
mod refund;
mod release;
pub mod report;
pub mod restore;
mod revocation;
mod row;
mod sale;
mod search;
mod settings;
mod shadow;
mod shop;
mod signed_key;
pub mod sqlite;
mod statement;
mod table;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod transfer;
mod user;
mod vault;

pub use attempt::{AttemptFilter, TypedKey};
pub use batch::BatchKey;
pub use checkout::ListedCheckout;
pub use claim::{OpenedClaim, Owed, OwedClaim};
pub use delivery::DeliveryFilter;
pub use engine::{Access, Answer, CommitError, Engine, Expect, OpenError, ReadError, Rows, Statement, Value};
pub use idempotency::{Claim, Claimed};
pub use job::{ClaimedJob, Queue};
pub use license::{ExportedLicense, LicenseFilter, SeatView};
pub use memory::Touched;
pub use migration::{MIGRATIONS, Migration, MigrationError, migrate};
pub use notice::{ClaimedNotice, NoticeFilter};
pub use order::OrderFilter;
pub use page::Backlog;
pub use pool::{KnownCode, PoolInNeed};
pub use release::Shelf;
pub use restore::Restored;
pub use revocation::ListedRevocation;
pub use row::{Row, RowError};
pub use search::SearchHit;
pub use settings::{MasterKeyError, SigningKey, SigningKeyState, has_master_key};
pub use table::TableSum;
pub use vault::{Purpose, Vault, VaultError};

use std::sync::Arc;

use metrics::Exposition;

/// Where the rows are. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    vault: Arc<Vault>,
    memory: Arc<memory::Memory>,
}

/// One page of a list, by the id of the row before or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<Id> {
    /// Rows after this one, in the order of the list (newest first).
    pub starting_after: Option<Id>,
    /// Rows before this one.
    pub ending_before: Option<Id>,
    /// At most so many, 1 to 100.
    pub limit: u32,
}

/// What a page holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<Noun> {
    /// The rows, newest first.
    pub data: Vec<Noun>,
    /// Whether there are more in the direction that was asked for.
    pub has_more: bool,
}

impl Store {
    /// The store over an engine that is already migrated.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, vault: Arc<Vault>) -> Self {
        Self { engine, vault, memory: Arc::default() }
    }

    /// The engine, for what stands beside the rows: backups, health, measurements.
    #[must_use]
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Writes down what the store and its engine have counted of their own work.
    pub fn write_metrics(&self, exposition: &mut Exposition) {
        self.engine.write_metrics(exposition);
        self.memory.write(exposition);
    }

    /// What seals and hashes secrets.
    #[must_use]
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }
}
