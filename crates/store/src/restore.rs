//! What must be different in rows that come from a backup: the world went on after it was taken.
//!
//! What was to be sent then may have been sent since; what was asked for may
//! have been given. So no mail leaves by itself, gateways are asked about
//! whatever was open, and nobody is signed in.

use domain::{Duration, HELD_UNTIL, Timestamp};
use serde::{Deserialize, Serialize};

use crate::copy::lift_fence;
use crate::statement::{any, json, read, texts, values, write};
use crate::{CommitError, Engine, ReadError, Store};

const WHAT: &str = "restore";

/// Under which setting it is kept that this database came from a backup.
const RESTORED: &str = "restored";

/// How far before the backup the event lists of gateways are read again: clocks differ, and lists come late.
const OVERLAP: Duration = Duration::hours(1);

/// What is told of a mail that is held.
pub const HELD_BY_RESTORE: &str =
    "held: the shop was restored from a backup, and this mail may have been sent since it was taken";

const COUNT_QUEUED: &str = "select count(*) from deliveries where state = 'queued' and state <> 'sent'";
const HOLD_DELIVERIES: &str = "update deliveries set version = version + 1, last_error = $1 \
    where state = 'queued' and state <> 'sent'";
const HOLD_JOBS: &str = "update jobs set run_at = $1, last_error = $2 where kind = 'send_mail'";
/// A call that was tried before is looked up before it is repeated: so is one that may have been made since.
const DOUBT_REFUNDS: &str = "update jobs set attempts = attempts + 1 where kind = 'send_refund'";
const ASK_NOW: &str = "update payments set check_at = $1 where check_at > $1";
const READ_AGAIN: &str =
    "update gateway_accounts set version = version + 1, events_read_to = $1 where events_read_to > $1";
const END_SESSIONS: &str = "delete from sessions where expires_at > $1";
const END_LINKS: &str = "update login_links set version = version + 1, used_at = $1 where used_at is null";
/// Codes that are free in the backup may have been handed out since.
const HOLD_POOLS: &str = "update pools set version = version + 1, held_at = $1";
const NOTE: &str =
    "insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";

texts![
    COUNT_QUEUED,
    HOLD_DELIVERIES,
    HOLD_JOBS,
    DOUBT_REFUNDS,
    ASK_NOW,
    READ_AGAIN,
    END_SESSIONS,
    END_LINKS,
    HOLD_POOLS,
    NOTE
];

/// That a database came from a backup, and whether its gateways have told since what happened after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was taken.
    #[serde(with = "microseconds")]
    pub taken_at: Timestamp,
    /// When it was restored.
    #[serde(with = "microseconds")]
    pub restored_at: Timestamp,
    /// Whether everything since the backup was asked for at every gateway.
    pub is_caught_up: bool,
}

mod microseconds {
    use domain::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.as_microseconds())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_microseconds)
    }
}

/// Makes rows that were copied from a backup ready to be used, and takes the fence down, in one commit: holds mails,
/// lets payments and event lists be asked about, ends sessions. Gives how many mails are held.
///
/// # Errors
/// When the database does not answer; the fence stays up then.
pub async fn settle_restored(
    engine: &dyn Engine,
    taken_at: Timestamp,
    now: Timestamp,
) -> Result<u64, crate::copy::CopyError> {
    let queued = engine.query(vec![read(WHAT, COUNT_QUEUED, values![])]).await?.pop().unwrap_or_default();
    let held = queued.first().map(|row| row.count(0)).transpose().map_err(ReadError::from)?.unwrap_or_default();
    let restored = Restored { taken_at, restored_at: now, is_caught_up: false };
    let statements = vec![
        write(WHAT, HOLD_DELIVERIES, values![HELD_BY_RESTORE]),
        write(WHAT, HOLD_JOBS, values![HELD_UNTIL, HELD_BY_RESTORE]),
        write(WHAT, DOUBT_REFUNDS, values![]),
        write(WHAT, ASK_NOW, values![now]),
        write(WHAT, READ_AGAIN, values![taken_at.before(OVERLAP)]),
        write(WHAT, END_SESSIONS, values![0_i64]),
        write(WHAT, END_LINKS, values![now]),
        write(WHAT, HOLD_POOLS, values![now]),
        write(WHAT, NOTE, vec![RESTORED.into(), json(&restored)?]),
        lift_fence(),
    ];
    engine.commit(statements.into_iter().map(any).collect()).await?;
    Ok(u64::from(held))
}

impl Store {
    /// Whether this database came from a backup; the last one, when there were several.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn restored(&self) -> Result<Option<Restored>, ReadError> {
        let kept = self.setting(RESTORED).await?;
        kept.map(|text| serde_json::from_str(&text).map_err(|error| ReadError::Corrupt(format!("{RESTORED}: {error}"))))
            .transpose()
    }

    /// Writes down that every gateway has told what happened since the backup.
    ///
    /// # Errors
    /// When the commit does not stand.
    pub async fn caught_up(&self, restored: Restored) -> Result<(), CommitError> {
        let restored = Restored { is_caught_up: true, ..restored };
        self.engine.commit(vec![write(WHAT, NOTE, vec![RESTORED.into(), json(&restored)?])]).await
    }
}
