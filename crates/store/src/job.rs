//! What is still to be done, and who is at it.
//!
//! A worker claims jobs for the length of a lease and settles each in a commit
//! that stands only while the claim is still the last one. A worker that dies
//! leaves its jobs to whoever looks after the lease.

use domain::{Changes, HELD_UNTIL, Job, JobKind, ShopId, Timestamp};

use crate::column::Columns;
use crate::page::Backlog;
use crate::statement::{Text, read, texts, values, write};
use crate::{CommitError, ReadError, Row, RowError, Statement, Store, change};

const WHAT: &str = "job";

macro_rules! columns {
    () => {
        "shop_id, id, kind, subject, run_at, attempts, last_error, created_at"
    };
}

/// The jobs of both queues whose time is so; each queue has an index of its own.
macro_rules! of_both {
    ($columns:literal, $is_so:literal) => {
        concat!(
            "select ",
            $columns,
            " from (select created_at from jobs where kind = 'send_mail' and ",
            $is_so,
            " union all select created_at from jobs where kind <> 'send_mail' and ",
            $is_so,
            ") as due"
        )
    };
}

const OVERDUE: &str = of_both!("count(*)", "run_at < $1");
const WAITING: &str = of_both!("count(*), min(created_at)", "run_at <= $1");
const UNSETTLED: &str = "select count(*) from jobs";
const INSERT: &str = concat!("insert into jobs (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8)");
macro_rules! claim {
    ($queue:literal) => {
        Text {
            sqlite: concat!(
                "update jobs set run_at = $2, is_taken = 1, attempts = attempts + 1 where (shop_id, id) in \
                 (select shop_id, id from jobs where ",
                $queue,
                " and run_at <= $1 order by run_at limit $3) returning ",
                columns!()
            ),
            postgres: concat!(
                "with due as materialized (select shop_id, id from jobs where ",
                $queue,
                " and run_at <= $1 order by run_at limit $3 for update skip locked) \
                 update jobs set run_at = $2, is_taken = 1, attempts = attempts + 1 \
                 where (shop_id, id) in (select shop_id, id from due) returning ",
                columns!()
            ),
        }
    };
}
const CLAIM_MAILS: Text = claim!("kind = 'send_mail'");
const CLAIM_CALLS: Text = claim!("kind <> 'send_mail'");
const CLAIM_ONE: Text = Text {
    sqlite: concat!(
        "update jobs set run_at = $2, is_taken = 1, attempts = attempts + 1 where (shop_id, id) in \
         (select shop_id, id from jobs where shop_id = $3 and subject = $4 and kind = $5 and run_at <= $1 \
         order by id limit 1) returning ",
        columns!()
    ),
    postgres: concat!(
        "with due as materialized (select shop_id, id from jobs where shop_id = $3 and subject = $4 and kind = $5 \
         and run_at <= $1 order by id limit 1 for update skip locked) \
         update jobs set run_at = $2, is_taken = 1, attempts = attempts + 1 \
         where (shop_id, id) in (select shop_id, id from due) returning ",
        columns!()
    ),
};
/// Whatever its time is, unless somebody is at it. How often it was tried counts those who wait, and stays.
const TAKE: Text = Text {
    sqlite: concat!(
        "update jobs set run_at = $2, is_taken = 1 where (shop_id, id) in \
         (select shop_id, id from jobs where shop_id = $3 and subject = $4 and kind = $5 \
         and (is_taken = 0 or run_at <= $1) order by id limit 1) returning ",
        columns!()
    ),
    postgres: concat!(
        "with wanted as materialized (select shop_id, id from jobs where shop_id = $3 and subject = $4 and kind = $5 \
         and (is_taken = 0 or run_at <= $1) order by id limit 1 for update skip locked) \
         update jobs set run_at = $2, is_taken = 1 \
         where (shop_id, id) in (select shop_id, id from wanted) returning ",
        columns!()
    ),
};
const FINISH: &str = "delete from jobs where shop_id = $1 and id = $2 and attempts = $3 and run_at = $4";
const HELD: &str = of_both!("count(*)", "run_at >= $1");
const RELEASE: &str = "update jobs set run_at = $1, last_error = null where shop_id = $2 and subject = $3 \
    and kind = $4 and run_at >= $5";
const LAST_ERROR: &str = "select last_error from jobs where shop_id = $1 and subject = $2 and kind = $3 \
    order by id desc limit 1";
const RETRY: &str = "update jobs set run_at = $5, is_taken = 0, last_error = $6 \
    where shop_id = $1 and id = $2 and attempts = $3 and run_at = $4";

texts![OVERDUE, WAITING, UNSETTLED, HELD, RELEASE, LAST_ERROR, INSERT, FINISH, RETRY; CLAIM_MAILS, CLAIM_CALLS, CLAIM_ONE, TAKE];

/// Who is waited for while a job runs. Nobody stands in line behind those who wait for somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// The mail server.
    Mails,
    /// Gateways, and the programs of sellers.
    Calls,
}

impl Queue {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Mails, Self::Calls];

    /// Where a job of this kind waits.
    #[must_use]
    pub fn of(kind: JobKind) -> Self {
        match kind {
            JobKind::SendMail { .. } => Self::Mails,
            JobKind::OpenPayment { .. }
            | JobKind::AskPayment { .. }
            | JobKind::SendRefund { .. }
            | JobKind::AskEndpoint { .. } => Self::Calls,
        }
    }
}

/// A job that nobody else takes up until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    /// The job. Its `run_at` is the end of the lease; its `attempts` are those before this one.
    pub job: Job,
    /// Counts the claims. With the end of the lease it tells this one from a later one, which takes the job away from
    /// it.
    claim: i64,
}

fn row(row: &mut Row) -> Result<ClaimedJob, RowError> {
    let mut columns = Columns::of(row);
    let (shop, id) = (columns.id()?, columns.id()?);
    let word = columns.text()?;
    let kind = columns.word("what a job is about", |subject| JobKind::from_parts(&word, subject))?;
    let run_at = columns.time()?;
    let attempts = columns.count()?;
    let job = Job {
        id,
        shop,
        kind,
        run_at,
        attempts: attempts.saturating_sub(1),
        last_error: columns.optional_text()?,
        created_at: columns.time()?,
    };
    Ok(ClaimedJob { job, claim: i64::from(attempts) })
}

pub(crate) fn statement(job: &Job) -> Statement {
    write(
        WHAT,
        INSERT,
        values![
            job.shop,
            job.id,
            job.kind.as_str(),
            job.kind.subject(),
            job.run_at,
            job.attempts,
            job.last_error.as_deref(),
            job.created_at,
        ],
    )
}

fn finish(job: &ClaimedJob) -> Statement {
    write(WHAT, FINISH, values![job.job.shop, job.job.id, job.claim, job.job.run_at])
}

impl Store {
    /// Takes up jobs of a queue that are due, the longest waiting first, of every shop. Until `lease_until` nobody else
    /// gets them; after that they are anybody's again.
    ///
    /// # Errors
    /// When nothing was claimed, or nobody knows: then the leases end by themselves.
    pub async fn claim_jobs(
        &self,
        queue: Queue,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedJob>, CommitError> {
        let text = match queue {
            Queue::Mails => CLAIM_MAILS,
            Queue::Calls => CLAIM_CALLS,
        };
        let claim = write(WHAT, text.on(self.engine.name()), values![now, lease_until, limit]);
        let mut jobs = self.claimed(claim, row).await?;
        jobs.sort_by_key(|claimed| claimed.job.id);
        Ok(jobs)
    }

    /// Takes up the oldest job of this kind and subject that is due, to run it at once. `None`: there is none, or
    /// somebody is at it.
    ///
    /// # Errors
    /// As [`Store::claim_jobs`].
    pub async fn claim_job(
        &self,
        shop: ShopId,
        kind: JobKind,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<ClaimedJob>, CommitError> {
        self.one_job(CLAIM_ONE, shop, kind, now, lease_until).await
    }

    /// Takes up a job of this kind and subject at once, whatever its time is, because a person asks for it. It is no try
    /// that makes the next wait longer. `None`: there is none, or somebody is at it.
    ///
    /// # Errors
    /// As [`Store::claim_jobs`].
    pub async fn take_job(
        &self,
        shop: ShopId,
        kind: JobKind,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<ClaimedJob>, CommitError> {
        self.one_job(TAKE, shop, kind, now, lease_until).await
    }

    async fn one_job(
        &self,
        text: Text,
        shop: ShopId,
        kind: JobKind,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<ClaimedJob>, CommitError> {
        let values = values![now, lease_until, shop, kind.subject(), kind.as_str()];
        let claim = write(WHAT, text.on(self.engine.name()), values);
        Ok(self.claimed(claim, row).await?.into_iter().next())
    }

    /// Ends a job that is done, or no longer wanted.
    ///
    /// # Errors
    /// A conflict about `job` when the lease ended and somebody else has it.
    pub async fn finish_job(&self, job: &ClaimedJob) -> Result<(), CommitError> {
        self.engine.commit(vec![finish(job)]).await
    }

    /// Gives a job back, to be tried again at `run_at`, with what went wrong.
    ///
    /// # Errors
    /// As [`Store::finish_job`].
    pub async fn retry_job(&self, job: &ClaimedJob, run_at: Timestamp, error: &str) -> Result<(), CommitError> {
        let retry = write(WHAT, RETRY, values![job.job.shop, job.job.id, job.claim, job.job.run_at, run_at, error]);
        self.engine.commit(vec![retry]).await
    }

    /// Commits changes together with the end of the job that made them: a job is done exactly once.
    ///
    /// # Errors
    /// A conflict about `job` when the lease ended and somebody else has it; otherwise as [`Store::commit`].
    pub async fn commit_job(&self, changes: &Changes, job: Option<&ClaimedJob>) -> Result<(), CommitError> {
        let Some(job) = job else { return self.commit(changes).await };
        let mut statements = vec![finish(job)];
        statements.extend(change::statements(changes, &self.vault, self.engine.name())?);
        self.engine.commit(statements).await
    }

    /// How many jobs are due and nobody is at, of every shop, and since when the oldest of them is there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting_jobs(&self, now: Timestamp) -> Result<Backlog, ReadError> {
        self.backlog(read(WHAT, WAITING, values![now])).await
    }

    /// How many jobs there are, due, under way or for later.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn jobs(&self) -> Result<u64, ReadError> {
        self.counted(read(WHAT, UNSETTLED, values![])).await
    }

    /// How many jobs wait for a person, of every shop.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn held_jobs(&self) -> Result<u64, ReadError> {
        self.counted(read(WHAT, HELD, values![HELD_UNTIL])).await
    }

    /// Lets go of a job that waits for a person: it is due now.
    ///
    /// # Errors
    /// A conflict about `job` when there is none that waits.
    pub async fn release_job(&self, shop: ShopId, kind: JobKind, now: Timestamp) -> Result<(), CommitError> {
        let values = values![now, shop, kind.subject(), kind.as_str(), HELD_UNTIL];
        self.engine.commit(vec![write(WHAT, RELEASE, values)]).await
    }

    /// What went wrong the last time with the job of this kind and subject. `None`: there is no such job, or it was
    /// never tried.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_error_of_job(&self, shop: ShopId, kind: JobKind) -> Result<Option<String>, ReadError> {
        let values = values![shop, kind.subject(), kind.as_str()];
        let found = self.every(read(WHAT, LAST_ERROR, values), |row| Columns::of(row).optional_text()).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// How many jobs should have been taken up before this moment, over all shops.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn jobs_overdue(&self, before: Timestamp) -> Result<u64, ReadError> {
        self.counted(read(WHAT, OVERDUE, values![before])).await
    }
}
