//! The truth of the simulated gateway: who paid what, and what came back of it.
//!
//! Pure and deterministic. Every operation takes the world, the moment and its
//! input; ids and faults come from the world's own seeded chance. No socket, no
//! clock, no file: a simulator runs it in-process and from a seed.

pub mod account;
pub mod balance;
pub mod card;
pub mod chance;
pub mod charge;
pub mod customer;
pub mod delivery;
pub mod dispute;
pub mod error;
pub mod event;
pub mod expand;
pub mod fault;
pub mod idempotency;
pub mod input;
pub mod intent;
pub mod list;
pub mod method;
pub mod moment;
pub mod refund;
pub mod session;
pub mod setup;
pub mod table;
pub mod timer;
pub mod truth;
pub mod verdict;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::account::Account;
use self::balance::BalanceTransaction;
use self::chance::Chance;
use self::charge::Charge;
use self::customer::Customer;
use self::delivery::{Delivery, Endpoint};
use self::dispute::{Dispute, FraudWarning};
use self::error::ApiError;
use self::event::Event;
use self::fault::Faults;
use self::idempotency::Answered;
use self::intent::Intent;
use self::method::{Mandate, Method};
use self::moment::Moment;
use self::refund::Refund;
use self::session::Session;
use self::setup::SetupIntent;
use self::table::{Change, Table};
use self::timer::Timer;

/// The version of the wire that events and answers are written in.
pub const API_VERSION: &str = "2026-10-28.endive";

/// Who asks, when, and through which request. What the gateway does by itself has no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The sandbox's time.
    pub now: Moment,
    /// The id of the account.
    pub account: String,
    /// The id of the API request.
    pub request: Option<String>,
    /// The idempotency key of the API request.
    pub idempotency_key: Option<String>,
}

impl Context {
    /// What the gateway, or the buyer on its page, does without an API request.
    #[must_use]
    pub fn internal(now: Moment, account: &str) -> Self {
        Self { now, account: account.to_owned(), request: None, idempotency_key: None }
    }
}

/// What every object of the API has.
pub trait Object {
    /// Its name in errors: "No such …".
    const NOUN: &'static str;
    /// Its id.
    fn id(&self) -> &str;
    /// The account that owns it.
    fn account(&self) -> &str;
    /// When it came to be.
    fn created(&self) -> Moment;
    /// Its JSON on the wire, with references as ids.
    fn render(&self, world: &World) -> Value;
}

/// The parts of the world that are not rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Where ids and secrets come from.
    pub chance: Chance,
    /// How far the sandbox's clock is ahead of the real one, in milliseconds.
    pub clock_offset: i64,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Where the decisions about faults come from.
    pub fault_chance: Chance,
}

/// Everything the simulated gateway knows.
#[derive(Debug)]
pub struct World {
    /// Where the hosted pages are reached, without a slash at the end.
    pub base_url: String,
    /// The seller's name on the hosted pages of accounts that have none of their own.
    pub seller_name: String,
    settings: Settings,
    settings_touched: bool,
    pub(crate) accounts: Table<Account>,
    pub(crate) customers: Table<Customer>,
    pub(crate) methods: Table<Method>,
    pub(crate) mandates: Table<Mandate>,
    pub(crate) intents: Table<Intent>,
    pub(crate) setup_intents: Table<SetupIntent>,
    pub(crate) sessions: Table<Session>,
    pub(crate) charges: Table<Charge>,
    pub(crate) refunds: Table<Refund>,
    pub(crate) disputes: Table<Dispute>,
    pub(crate) warnings: Table<FraudWarning>,
    pub(crate) balance: Table<BalanceTransaction>,
    pub(crate) events: Table<Event>,
    pub(crate) endpoints: Table<Endpoint>,
    pub(crate) deliveries: Table<Delivery>,
    pub(crate) timers: Table<Timer>,
    pub(crate) answered: Table<Answered>,
    /// Waiting deliveries by due time. Follows from `deliveries`.
    pub(crate) queue: BTreeSet<(Moment, String)>,
}

/// Says once which tables there are; the journal, the reading back and the reset follow.
macro_rules! tables {
    ($visit:ident) => {
        $visit! {
            accounts, customers, methods, mandates, intents, setup_intents, sessions, charges, refunds,
            disputes, warnings, balance, events, endpoints, deliveries, timers, answered
        }
    };
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64, base_url: &str) -> Self {
        let settings = Settings {
            chance: Chance::new(seed),
            clock_offset: 0,
            faults: Faults::default(),
            fault_chance: Chance::new(0),
        };
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            seller_name: "Sandbox seller".to_owned(),
            settings,
            settings_touched: true,
            accounts: Table::default(),
            customers: Table::default(),
            methods: Table::default(),
            mandates: Table::default(),
            intents: Table::default(),
            setup_intents: Table::default(),
            sessions: Table::default(),
            charges: Table::default(),
            refunds: Table::default(),
            disputes: Table::default(),
            warnings: Table::default(),
            balance: Table::default(),
            events: Table::default(),
            endpoints: Table::default(),
            deliveries: Table::default(),
            timers: Table::default(),
            answered: Table::default(),
            queue: BTreeSet::new(),
        }
    }

    /// The parts that are not rows.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The parts that are not rows, to be changed.
    pub const fn settings_mut(&mut self) -> &mut Settings {
        self.settings_touched = true;
        &mut self.settings
    }

    /// The sandbox's time when the real clock shows this.
    #[must_use]
    pub const fn now(&self, real: Moment) -> Moment {
        real.plus_milliseconds(self.settings.clock_offset)
    }

    /// Moves the sandbox's clock; it never goes back.
    ///
    /// # Errors
    /// When `now` is earlier than the sandbox's time.
    pub fn set_clock(&mut self, real: Moment, now: Moment) -> Result<(), ApiError> {
        if now < self.now(real) {
            return Err(ApiError::invalid("The sandbox's clock only moves forward."));
        }
        self.settings_mut().clock_offset = now.milliseconds().saturating_sub(real.milliseconds());
        Ok(())
    }

    /// A new id: the prefix and so many letters.
    pub fn mint(&mut self, prefix: &str, letters: usize) -> String {
        format!("{prefix}_{}", self.settings_mut().chance.letters(letters))
    }

    /// What changed since the last call, for the journal.
    ///
    /// # Errors
    /// When a row cannot be written as JSON.
    pub fn take_changes(&mut self) -> Result<Vec<Change>, serde_json::Error> {
        let mut changes = Vec::new();
        if std::mem::take(&mut self.settings_touched) {
            changes.push(self.settings_change()?);
        }
        macro_rules! take {
            ($($table:ident),*) => { $( self.$table.take_changes(stringify!($table), &mut changes)?; )* };
        }
        tables!(take);
        Ok(changes)
    }

    /// Everything, as changes that make this world out of an empty one.
    ///
    /// # Errors
    /// When a row cannot be written as JSON.
    pub fn all_changes(&self) -> Result<Vec<Change>, serde_json::Error> {
        let mut changes = vec![self.settings_change()?];
        macro_rules! all {
            ($($table:ident),*) => { $( self.$table.all(stringify!($table), &mut changes)?; )* };
        }
        tables!(all);
        Ok(changes)
    }

    /// Repeats a change from the journal. Call `index` after the last one.
    ///
    /// # Errors
    /// When the change is of no known table, or its row is of another shape.
    pub fn repeat(&mut self, change: Change) -> Result<(), serde_json::Error> {
        if change.table == "settings" {
            self.settings = serde_json::from_value(change.row.unwrap_or_default())?;
            self.settings_touched = false;
            return Ok(());
        }
        macro_rules! repeat {
            ($($table:ident),*) => {
                match change.table.as_str() {
                    $( stringify!($table) => self.$table.repeat(change), )*
                    unknown => Err(serde::de::Error::custom(format!("no table is called {unknown}"))),
                }
            };
        }
        tables!(repeat)
    }

    /// Rebuilds what follows from the rows.
    pub fn index(&mut self) {
        self.queue = self
            .deliveries
            .oldest_first()
            .filter_map(|(_, id, delivery)| delivery.due().map(|due| (due, id.to_owned())))
            .collect();
    }

    /// Forgets everything but accounts with the endpoints that were configured at
    /// the start, the clock and the seed.
    pub fn reset(&mut self) {
        let endpoints: Vec<Endpoint> =
            self.endpoints.oldest_first().filter(|(_, _, row)| row.configured).map(|(_, _, row)| row.clone()).collect();
        macro_rules! clear {
            ($($table:ident),*) => { $(
                if stringify!($table) != "accounts" {
                    let ids: Vec<String> = self.$table.oldest_first().map(|(_, id, _)| id.to_owned()).collect();
                    for id in ids { self.$table.remove(&id); }
                }
            )* };
        }
        tables!(clear);
        for endpoint in endpoints {
            self.endpoints.insert(&endpoint.id.clone(), endpoint);
        }
        self.queue.clear();
        let settings = self.settings_mut();
        settings.faults = Faults::default();
        settings.fault_chance = Chance::new(0);
    }

    fn settings_change(&self) -> Result<Change, serde_json::Error> {
        let row = Some(serde_json::to_value(&self.settings)?);
        Ok(Change { table: "settings".to_owned(), id: String::new(), position: 0, row })
    }
}

/// The object of this id, if this account owns it.
///
/// # Errors
/// `resource_missing` otherwise.
pub fn owned<'table, T: Object>(table: &'table Table<T>, account: &str, id: &str) -> Result<&'table T, ApiError> {
    table.get(id).filter(|row| row.account() == account).ok_or_else(|| ApiError::missing(T::NOUN, id))
}

/// The object of this id, to be changed, if this account owns it.
///
/// # Errors
/// `resource_missing` otherwise.
pub fn owned_mut<'table, T: Object>(
    table: &'table mut Table<T>,
    account: &str,
    id: &str,
) -> Result<&'table mut T, ApiError> {
    owned(table, account, id)?;
    table.get_mut(id).ok_or_else(|| ApiError::missing(T::NOUN, id))
}
