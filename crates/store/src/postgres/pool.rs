//! A few connections, each used by one at a time. A connection in doubt is thrown away, never handed on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Config;
use tokio_postgres::config::TargetSessionAttrs;

use super::PostgresOptions;
use super::connection::{Connection, Presence};
use super::tls::{self, Tls};
use crate::OpenError;
use crate::engine::Access;

pub(super) struct Pool {
    config: Config,
    tls: Option<Tls>,
    permits: Arc<Semaphore>,
    /// Connections beside those, for what keys find: commits and lists that take all of the others leave these.
    at_hand: Arc<Semaphore>,
    connections: usize,
    patience: Duration,
    presence: Presence,
    idle: Mutex<Vec<Arc<Connection>>>,
}

impl Pool {
    pub(super) fn new(config: Config, options: &PostgresOptions) -> Result<Self, OpenError> {
        let (config, tls) = dialled(config, options)?;
        let connections = options.connections.max(1);
        Ok(Self {
            config,
            tls,
            permits: Arc::new(Semaphore::new(connections - connections / 4)),
            at_hand: Arc::new(Semaphore::new(connections / 4)),
            connections,
            patience: options.patience,
            presence: match options.access {
                Access::Shared => Presence::Told,
                // The connection beside the pool tells it.
                Access::Alone => Presence::Untold,
            },
            idle: Mutex::new(Vec::new()),
        })
    }

    /// A connection of one's own, an idle one or a new one.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, OpenError> {
        self.lease_from(Arc::clone(&self.permits)).await
    }

    /// A connection for a short question: one of all, or one that is kept for these.
    pub(super) async fn lease_at_hand(self: &Arc<Self>) -> Result<Lease, OpenError> {
        let keeps_none = self.connections < 4;
        let permits = if keeps_none || self.permits.available_permits() > 0 { &self.permits } else { &self.at_hand };
        self.lease_from(Arc::clone(permits)).await
    }

    async fn lease_from(self: &Arc<Self>, permits: Arc<Semaphore>) -> Result<Lease, OpenError> {
        let permit = tokio::time::timeout(self.patience, permits.acquire_owned())
            .await
            .map_err(|_| OpenError::Unavailable(format!("all {} connections are busy", self.connections)))?
            .map_err(|error| OpenError::Unavailable(error.to_string()))?;
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => Arc::new(Connection::open(&self.config, self.tls.as_ref(), self.presence).await?),
        };
        Ok(Lease { connection, is_settled: false, pool: Arc::clone(self), _permit: permit })
    }

    /// The one used last: its caches are warm, and the others may be let go by the server.
    fn take_idle(&self) -> Option<Arc<Connection>> {
        let mut idle = self.idle();
        std::iter::from_fn(|| idle.pop()).find(|connection| !connection.is_closed())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a server is reached: the address with what every connection of ours asks for, and TLS where there is a network.
pub(super) fn dialled(mut config: Config, options: &PostgresOptions) -> Result<(Config, Option<Tls>), OpenError> {
    let tls = tls::line(&mut config, options.authority.as_deref())?;
    // Seats and limits are never read from a replica.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    config.application_name("latchkey");
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(options.patience);
    }
    // A server that vanished without a word is noticed within a minute.
    config.keepalives_idle(Duration::from_secs(15));
    config.keepalives_interval(Duration::from_secs(5));
    config.keepalives_retries(3);
    config.tcp_user_timeout(Duration::from_secs(30));
    Ok((config, tls))
}

/// A connection for as long as one conversation takes.
pub(super) struct Lease {
    connection: Arc<Connection>,
    is_settled: bool,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn is_closed(&self) -> bool {
        self.connection.is_closed()
    }

    /// The server ended this connection, and perhaps every other: the next is to be a new one.
    pub(super) fn distrust_others(&self) {
        self.pool.idle().clear();
    }

    /// Everything that was sent was answered and no transaction is open: the connection may be used again.
    pub(super) fn settle(mut self) {
        self.is_settled = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The conversation may have been left in the middle, by an error or by a caller that went away.
        if self.is_settled && !self.connection.is_closed() {
            self.pool.idle().push(Arc::clone(&self.connection));
        }
    }
}
