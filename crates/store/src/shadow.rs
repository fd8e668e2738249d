//! Where our answers to apps of another system differ from the old one's. Counted up in batches, cleared by the seller.

use domain::{DifferenceKind, ForeignSystem, ShadowCount, ShadowDifference, ShadowOutcome, ShopId};

use crate::column::Columns;
use crate::statement::{any, read, texts, values, write};
use crate::{CommitError, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "shadow";

macro_rules! columns {
    () => {
        "shop_id, system, call, pointer, kind, ours, theirs, times, first_at, last_at"
    };
}

const DIFFERENCES: &str = concat!(
    "select ",
    columns!(),
    " from shadow_differences where shop_id = $1 order by times desc, system, call, pointer, kind limit $2"
);
const COUNTS: &str = "select shop_id, system, outcome, times, first_at, last_at from shadow_counts \
    where shop_id = $1 order by system, outcome";
/// What is there already is counted on; what was said last stands.
const KEEP: &str = concat!(
    "insert into shadow_differences (",
    columns!(),
    ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (shop_id, system, call, pointer, kind) \
     do update set times = shadow_differences.times + excluded.times, ours = excluded.ours, theirs = excluded.theirs, \
     first_at = case when excluded.first_at < shadow_differences.first_at then excluded.first_at \
     else shadow_differences.first_at end, \
     last_at = case when excluded.last_at > shadow_differences.last_at then excluded.last_at \
     else shadow_differences.last_at end"
);
const COUNT: &str = "insert into shadow_counts (shop_id, system, outcome, times, first_at, last_at) \
    values ($1, $2, $3, $4, $5, $6) on conflict (shop_id, system, outcome) \
    do update set times = shadow_counts.times + excluded.times, \
    first_at = case when excluded.first_at < shadow_counts.first_at then excluded.first_at \
    else shadow_counts.first_at end, \
    last_at = case when excluded.last_at > shadow_counts.last_at then excluded.last_at \
    else shadow_counts.last_at end";
const CLEAR_DIFFERENCES: &str = "delete from shadow_differences where shop_id = $1 and system = $2";
const CLEAR_COUNTS: &str = "delete from shadow_counts where shop_id = $1 and system = $2";

texts![DIFFERENCES, COUNTS, KEEP, COUNT, CLEAR_DIFFERENCES, CLEAR_COUNTS];

fn difference(row: &mut Row) -> Result<ShadowDifference, RowError> {
    let mut columns = Columns::of(row);
    Ok(ShadowDifference {
        shop: columns.id()?,
        system: columns.word("a system", ForeignSystem::parse)?,
        call: columns.text()?,
        pointer: columns.text()?,
        kind: columns.word("a kind of difference", DifferenceKind::parse)?,
        ours: columns.optional_text()?,
        theirs: columns.optional_text()?,
        times: columns.quantity()?,
        first_at: columns.time()?,
        last_at: columns.time()?,
    })
}

fn count(row: &mut Row) -> Result<ShadowCount, RowError> {
    let mut columns = Columns::of(row);
    Ok(ShadowCount {
        shop: columns.id()?,
        system: columns.word("a system", ForeignSystem::parse)?,
        outcome: columns.word("an outcome", ShadowOutcome::parse)?,
        times: columns.quantity()?,
        first_at: columns.time()?,
        last_at: columns.time()?,
    })
}

fn times(times: u64) -> i64 {
    i64::try_from(times).unwrap_or(i64::MAX)
}

pub(crate) fn keep(difference: &ShadowDifference) -> Statement {
    let values = values![
        difference.shop,
        difference.system.as_str(),
        difference.call.as_str(),
        difference.pointer.as_str(),
        difference.kind.as_str(),
        difference.ours.as_deref(),
        difference.theirs.as_deref(),
        times(difference.times),
        difference.first_at,
        difference.last_at,
    ];
    write(WHAT, KEEP, values)
}

pub(crate) fn count_on(count: &ShadowCount) -> Statement {
    let outcome = count.outcome.as_str();
    let values = values![count.shop, count.system.as_str(), outcome, times(count.times), count.first_at, count.last_at];
    write(WHAT, COUNT, values)
}

impl Store {
    /// Where our answers differ from an old system's, the most frequent first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn shadow_differences(&self, shop: ShopId, most: u32) -> Result<Vec<ShadowDifference>, ReadError> {
        self.every(read(WHAT, DIFFERENCES, values![shop, most]), difference).await
    }

    /// How many answers were compared, by system and outcome.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn shadow_counts(&self, shop: ShopId) -> Result<Vec<ShadowCount>, ReadError> {
        self.every(read(WHAT, COUNTS, values![shop]), count).await
    }

    /// Forgets what was compared with a system, to begin anew.
    ///
    /// # Errors
    /// When nothing was written, or nobody knows.
    pub async fn clear_shadow(&self, shop: ShopId, system: ForeignSystem) -> Result<(), CommitError> {
        let delete = |sql| any(write(WHAT, sql, values![shop, system.as_str()]));
        self.engine.commit(vec![delete(CLEAR_DIFFERENCES), delete(CLEAR_COUNTS)]).await
    }
}
