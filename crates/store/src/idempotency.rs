//! Calls that may be repeated, and what was answered to them.
//!
//! A call claims its key before it works and writes its answer down after. A
//! claim is held for a while only: when the node that holds it dies, the next
//! call with the key takes it over, with the moment of the first claim, from
//! which it derives the same ids.
//!
//! An answer may hold a license key, and is kept sealed as keys are.

use data_encoding::{BASE64, HEXLOWER};
use domain::{ShopId, Timestamp};

use crate::column::Columns;
use crate::statement::{any, read, texts, values, write};
use crate::{CommitError, Purpose, ReadError, Row, RowError, Store, Vault};

const WHAT: &str = "idempotency_key";

/// Every claim clears away a few that are too old, so that no table of keys grows for ever and no worker sweeps it.
const CLEARED: u32 = 8;

const CLEAR: &str = "delete from idempotency_keys where shop_id = $1 and id in \
    (select id from idempotency_keys where shop_id = $1 and created_at <= $2 order by created_at limit $3)";
const FORGET: &str = "delete from idempotency_keys where shop_id = $1 and id = $2 and created_at <= $3";
const CLAIM: &str = "insert into idempotency_keys (shop_id, id, request_digest, holder, held_until, created_at) \
    values ($1, $2, $3, $4, $5, $6) on conflict (shop_id, id) do update set holder = excluded.holder, \
    held_until = excluded.held_until where idempotency_keys.status is null and idempotency_keys.held_until <= $6 \
    and idempotency_keys.request_digest = excluded.request_digest returning created_at";
const BY_ID: &str = "select request_digest, status, body from idempotency_keys where shop_id = $1 and id = $2";
const ANSWER: &str = "update idempotency_keys set status = $4, body = $5 \
    where shop_id = $1 and id = $2 and holder = $3 and status is null";
const RELEASE: &str = "update idempotency_keys set held_until = created_at \
    where shop_id = $1 and id = $2 and holder = $3 and status is null";

texts![CLEAR, FORGET, CLAIM, BY_ID, ANSWER, RELEASE];

/// One attempt at a call that may be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The shop.
    pub shop: ShopId,
    /// A digest of who called what under which key.
    pub id: Vec<u8>,
    /// A digest of what was sent.
    pub request_digest: Vec<u8>,
    /// Names this attempt and no other.
    pub holder: Vec<u8>,
}

/// What a claim met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// Nobody else works on it now.
    Ours {
        /// When the key was first claimed.
        began_at: Timestamp,
    },
    /// Somebody works on it.
    InFlight,
    /// The key stands for another request.
    OtherRequest,
    /// It was answered.
    Answered {
        /// The HTTP status of the answer.
        status: u16,
        /// Its body, JSON.
        body: String,
    },
}

struct Kept {
    request_digest: Vec<u8>,
    /// The status, and the body as it stands in the row.
    answer: Option<(u16, String)>,
}

/// An answer as it stands in the row of its call.
fn sealed(vault: &Vault, claim: &Claim, body: &str) -> Result<String, CommitError> {
    Ok(BASE64.encode(&vault.seal(Purpose::Answer, &HEXLOWER.encode(&claim.id), body.as_bytes())?))
}

/// What was answered.
fn opened(vault: &Vault, claim: &Claim, kept: &str) -> Result<String, ReadError> {
    let corrupt = || ReadError::Corrupt("the answer of a call that may be repeated".to_owned());
    let sealed = BASE64.decode(kept.as_bytes()).map_err(|_| corrupt())?;
    let body = vault.open(Purpose::Answer, &HEXLOWER.encode(&claim.id), &sealed).map_err(|_| corrupt())?;
    str::from_utf8(&body).map(str::to_owned).map_err(|_| corrupt())
}

fn row(row: &mut Row) -> Result<Kept, RowError> {
    let mut columns = Columns::of(row);
    let request_digest = columns.bytes()?;
    let status = columns.optional_integer()?;
    let body = columns.optional_text()?;
    let status = status.map(|status| columns.known("an HTTP status", u16::try_from(status).ok())).transpose()?;
    Ok(Kept { request_digest, answer: status.zip(body) })
}

impl Store {
    /// Claims a key until `held_until`. Keys that were first claimed at `forget_before` or earlier are forgotten.
    ///
    /// # Errors
    /// When the database does not answer; nothing is claimed then, or the claim ends by itself.
    pub async fn claim(
        &self,
        claim: &Claim,
        now: Timestamp,
        held_until: Timestamp,
        forget_before: Timestamp,
    ) -> Result<Claimed, CommitError> {
        let statements = vec![
            any(write(WHAT, CLEAR, values![claim.shop, forget_before, CLEARED])),
            any(write(WHAT, FORGET, values![claim.shop, claim.id.as_slice(), forget_before])),
            write(
                WHAT,
                CLAIM,
                values![
                    claim.shop,
                    claim.id.as_slice(),
                    claim.request_digest.as_slice(),
                    claim.holder.as_slice(),
                    held_until,
                    now
                ],
            ),
        ];
        let unreadable = |error: ReadError| CommitError::Unavailable(error.to_string());
        match self.engine.commit_returning(statements).await {
            Ok(mut answers) => {
                let rows = answers.pop().unwrap_or_default();
                let began_at = crate::page::all(WHAT, rows, |row| row.timestamp(0)).map_err(unreadable)?.pop();
                Ok(Claimed::Ours { began_at: began_at.unwrap_or(now) })
            }
            Err(CommitError::Conflict { .. }) => {
                let kept = self.one(read(WHAT, BY_ID, values![claim.shop, claim.id.as_slice()]), row).await;
                Ok(match kept.map_err(unreadable)? {
                    Some(kept) if kept.request_digest != claim.request_digest => Claimed::OtherRequest,
                    Some(Kept { answer: Some((status, body)), .. }) => {
                        Claimed::Answered { status, body: opened(&self.vault, claim, &body).map_err(unreadable)? }
                    }
                    // One that is gone by now was forgotten this moment.
                    Some(Kept { answer: None, .. }) | None => Claimed::InFlight,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Writes down what was answered, as long as the claim was not taken over.
    ///
    /// # Errors
    /// `Conflict` when somebody has taken the claim over; else when the database does not answer.
    pub async fn answer_claim(&self, claim: &Claim, status: u16, body: &str) -> Result<(), CommitError> {
        let body = sealed(&self.vault, claim, body)?;
        let values = values![claim.shop, claim.id.as_slice(), claim.holder.as_slice(), u32::from(status), body];
        self.engine.commit(vec![write(WHAT, ANSWER, values)]).await
    }

    /// Gives a claim back without an answer, so that the next call with the key does the work. What the work was
    /// derived from stays: it may have been done, though nobody could tell.
    ///
    /// # Errors
    /// When the database does not answer; the claim ends by itself then.
    pub async fn release_claim(&self, claim: &Claim) -> Result<(), CommitError> {
        let values = values![claim.shop, claim.id.as_slice(), claim.holder.as_slice()];
        self.engine.commit(vec![any(write(WHAT, RELEASE, values))]).await
    }
}
