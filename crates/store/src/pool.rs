//! Stocks of codes made elsewhere.
//!
//! A code is found by its keyed hash and stored sealed. Codes are taken by set-based statements that skip what somebody
//! else is taking at the same moment, so that sales side by side neither wait for each other nor get one code twice.

use domain::{
    Draw, Fill, NewCode, Order, Pool, PoolCode, PoolId, Reservation, ShopId, Stock, Supply, Timestamp, WhenOut,
};

use crate::column::Columns;
use crate::foreign_key::text_hash;
use crate::page::all;
use crate::statement::{Text, any, read, texts, values, write};
use crate::{CommitError, Purpose, ReadError, Row, RowError, Statement, Store, Vault, claim};

const WHAT: &str = "pool";

/// What collides when a code is in the shop already, or fewer are free than were seen.
const CODE: &str = "pool code";

/// More stocks than any shop has.
const MOST: u32 = 1_000;

/// How many buyers who pay at once are counted past, at most, to see whether codes are free.
const COUNTED: u32 = 1_000;

macro_rules! columns {
    () => {
        "shop_id, id, version, slug, name, when_out, low_at, alerted_at, held_at, created_at"
    };
}

/// The units of `$2` that have no code yet, one place each.
macro_rules! wanted {
    ($besides:literal) => {
        concat!(
            "with wanted as (select claims.line as line, claims.unit as unit, \
             row_number() over (order by claims.line, claims.unit) as place from claims \
             where claims.shop_id = $1 and claims.order_id = $2 and claims.pool_id = $3 and claims.state <> 'fulfilled' \
             and not exists (select 1 from pool_codes as mine where mine.shop_id = claims.shop_id \
             and mine.order_id = claims.order_id and mine.line = claims.line and mine.unit = claims.unit)",
            $besides,
            "), "
        )
    };
}

/// As many codes as are wanted, each for one unit.
macro_rules! take {
    ($condition:literal, $lock:literal) => {
        concat!(
            "locked as materialized (select code_hash, reserved_until, added_at from pool_codes \
             where shop_id = $1 and ",
            $condition,
            " and exists (select 1 from pools where pools.shop_id = $1 and pools.id = $3 and pools.held_at is null) \
             order by reserved_until, added_at, code_hash limit (select count(*) from wanted)",
            $lock,
            "), free as (select code_hash, row_number() over (order by reserved_until, added_at, code_hash) as place \
             from locked) \
             update pool_codes set state = 'taken', order_id = $2, line = wanted.line, unit = wanted.unit, \
             taken_at = $4, reserved_by = null, reserved_until = 0 \
             from wanted join free on free.place = wanted.place \
             where pool_codes.shop_id = $1 and pool_codes.code_hash = free.code_hash"
        )
    };
}

macro_rules! take_kept {
    ($lock:literal) => {
        concat!(wanted!(""), take!("reserved_by = $2 and pool_id = $3 and state = 'free'", $lock))
    };
}

/// Nothing while somebody else waits, who has waited for longer.
macro_rules! take_free {
    ($lock:literal) => {
        concat!(
            wanted!(
                " and not exists (select 1 from claims as earlier where earlier.shop_id = $1 \
                 and earlier.pool_id = $3 and earlier.state = 'waiting' and earlier.is_dormant = 0 \
                 and earlier.order_id <> $2)"
            ),
            take!("pool_id = $3 and state = 'free' and reserved_until <= $4", $lock)
        )
    };
}

/// One free code for one unit that has waited.
macro_rules! take_one {
    ($lock:literal) => {
        concat!(
            "update pool_codes set state = 'taken', order_id = $2, line = $3, unit = $4, taken_at = $6, \
             reserved_by = null, reserved_until = 0 where shop_id = $1 and code_hash = (\
             select code_hash from pool_codes where shop_id = $1 and pool_id = $5 and state = 'free' \
             and reserved_until <= $6 \
             and exists (select 1 from pools where pools.shop_id = $1 and pools.id = $5 and pools.held_at is null) \
             order by reserved_until, added_at, code_hash limit 1",
            $lock,
            ")"
        )
    };
}

macro_rules! reserve {
    ($lock:literal) => {
        concat!(
            "with locked as materialized (select code_hash from pool_codes where shop_id = $1 and pool_id = $2 \
             and state = 'free' and reserved_until <= $4 and (reserved_by is null or reserved_by <> $3) \
             order by reserved_until, added_at, code_hash limit $6",
            $lock,
            ") update pool_codes set reserved_by = $3, reserved_until = $5 where shop_id = $1 \
             and code_hash in (select code_hash from locked)"
        )
    };
}

const OF_SHOP: &str = concat!("select ", columns!(), " from pools where shop_id = $1 order by slug limit $2");
const BY_ID: &str = concat!("select ", columns!(), " from pools where shop_id = $1 and id = $2");
const BY_SLUG: &str = concat!("select ", columns!(), " from pools where shop_id = $1 and slug = $2");
const INSERT: &str = concat!("insert into pools (", columns!(), ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9)");
const UPDATE: &str = "update pools set version = version + 1, slug = $4, name = $5, when_out = $6, low_at = $7, \
    alerted_at = $8, held_at = $9 where shop_id = $1 and id = $2 and version = $3";
const STOCK: &str = "select \
    (select count(*) from pool_codes where shop_id = $1 and pool_id = $2 and state = 'free'), \
    (select count(*) from pool_codes where shop_id = $1 and pool_id = $2 and state = 'free' and reserved_until > $3), \
    (select count(*) from pool_codes where shop_id = $1 and pool_id = $2 and state = 'taken'), \
    (select count(*) from pool_codes where shop_id = $1 and pool_id = $2 and state = 'withdrawn'), \
    (select count(*) from claims where shop_id = $1 and pool_id = $2 and state = 'waiting' and is_dormant = 0)";
const SUPPLY: &str = "select pools.when_out, pools.held_at, \
    (select count(*) from pool_codes where shop_id = $1 and reserved_by = $3 and pool_id = $2 and state = 'free'), \
    (select count(*) from (select 1 from pool_codes where shop_id = $1 and pool_id = $2 and state = 'free' \
    and reserved_until <= $4 and (reserved_by is null or reserved_by <> $3) limit $5) as counted) \
    from pools where pools.shop_id = $1 and pools.id = $2";
/// Stocks that need somebody: who waits for codes that are there, or what is low and nobody was told, or the other way.
/// No more codes are counted than [`domain::Pool::MOST_LOW_AT`] and one.
const IN_NEED: &str = concat!(
    "select shop_id, id, version, slug, name, when_out, low_at, alerted_at, held_at, created_at, free, waiting from (\
     select ",
    columns!(),
    ", (select count(*) from (select 1 from pool_codes where pool_codes.shop_id = pools.shop_id \
     and pool_codes.pool_id = pools.id and pool_codes.state = 'free' limit 1001) as counted) as free, \
     case when held_at is null and exists (select 1 from claims where claims.shop_id = pools.shop_id \
     and claims.pool_id = pools.id and claims.state = 'waiting' and claims.is_dormant = 0) \
     and exists (select 1 from pool_codes where pool_codes.shop_id = pools.shop_id \
     and pool_codes.pool_id = pools.id and pool_codes.state = 'free' and pool_codes.reserved_until <= $1) \
     then 1 else 0 end as waiting from pools) as stocks \
     where waiting = 1 or (free <= low_at) <> (alerted_at is not null)"
);
const ADD: &str = "insert into pool_codes (shop_id, code_hash, code_sealed, pool_id, state, reserved_until, added_at) \
    values ($1, $2, $3, $4, 'free', 0, $5)";
const KNOWN: &str = "select pool_id, state from pool_codes where shop_id = $1 and code_hash = $2";
const HANDED_OUT: &str = "select 1 from claims where shop_id = $1 and content_hash = $2";
const WITHDRAW: &str = "update pool_codes set state = 'withdrawn', reserved_by = null, reserved_until = 0 \
    where shop_id = $1 and code_hash = $2 and pool_id = $3 and state = 'free'";
const KEEP: &str = "update pool_codes set reserved_until = $3 where shop_id = $1 and reserved_by = $2 \
    and state = 'free' and pool_id = $4";
const RESERVE: Text = Text { sqlite: reserve!(""), postgres: reserve!(" for update skip locked") };
const TAKE_KEPT: Text = Text { sqlite: take_kept!(""), postgres: take_kept!(" for update skip locked") };
const TAKE_FREE: Text = Text { sqlite: take_free!(""), postgres: take_free!(" for update skip locked") };
const TAKE_ONE: Text = Text { sqlite: take_one!(""), postgres: take_one!(" for update skip locked") };

texts![
    OF_SHOP, BY_ID, BY_SLUG, INSERT, UPDATE, STOCK, SUPPLY, IN_NEED, ADD, KNOWN, HANDED_OUT, WITHDRAW, KEEP;
    RESERVE, TAKE_KEPT, TAKE_FREE, TAKE_ONE
];

/// A stock that somebody must look after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolInNeed {
    /// The stock.
    pub pool: Pool,
    /// Codes that were never handed out, counted no further than one above the highest threshold there is.
    pub free: u64,
    /// Whether somebody waits, and codes are there.
    pub is_waited_for: bool,
}

/// Where a code is that is in the shop already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCode {
    /// The stock; `None`: it was handed out and never stood in one.
    pub pool: Option<PoolId>,
    /// Whether it can still be handed out.
    pub is_free: bool,
}

fn columns(columns: &mut Columns<'_>) -> Result<Pool, RowError> {
    Ok(Pool {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        slug: columns.text()?,
        name: columns.text()?,
        when_out: columns.word("what to do when a stock is empty", WhenOut::parse)?,
        low_at: columns.count()?,
        alerted_at: columns.optional_time()?,
        held_at: columns.optional_time()?,
        created_at: columns.time()?,
    })
}

fn row(row: &mut Row) -> Result<Pool, RowError> {
    columns(&mut Columns::of(row))
}

pub(crate) fn statement(pool: &Pool) -> Statement {
    let (name, when_out) = (pool.name.as_str(), pool.when_out.as_str());
    let (alerted_at, held_at) = (pool.alerted_at, pool.held_at);
    match pool.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                pool.shop,
                pool.id,
                pool.slug.as_str(),
                name,
                when_out,
                pool.low_at,
                alerted_at,
                held_at,
                pool.created_at
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![pool.shop, pool.id, version, pool.slug.as_str(), name, when_out, pool.low_at, alerted_at, held_at],
        ),
    }
}

/// A code that comes into stock. One that is in the shop already is a conflict.
pub(crate) fn add(new: &NewCode, vault: &Vault) -> Result<Statement, CommitError> {
    let hash = text_hash(vault, new.code.as_str());
    let sealed = vault.seal(Purpose::LicenseKey, &claim::content_row(&hash), new.code.as_str().as_bytes())?;
    Ok(write(CODE, ADD, values![new.shop, hash, sealed, new.pool, new.at]))
}

/// Keeps codes for who is paying: those that are kept for longer, and more.
pub(crate) fn reserve(kept: &Reservation, engine: &str) -> Vec<Statement> {
    let Reservation { shop, pool, order, more, at, until } = *kept;
    let mut statements = vec![any(write(CODE, KEEP, values![shop, order, until, pool]))];
    if more > 0 {
        let reserve = write(CODE, RESERVE.on(engine), values![shop, pool, order, at, until, more]);
        statements.push(Statement { expect: crate::Expect::Rows(u64::from(more)), ..reserve });
    }
    statements
}

/// Codes for the new claims of an order, as far as there are any.
pub(crate) fn draw(draw: &Draw, engine: &str) -> [Statement; 3] {
    let Draw { shop, order, pool, at, .. } = *draw;
    let take = |text: Text| any(write(CODE, text.on(engine), values![shop, order, pool, at]));
    [take(TAKE_KEPT), take(TAKE_FREE), any(claim::hand_out(shop, order, at))]
}

/// A code for a claim that has waited, or a conflict.
pub(crate) fn fill(fill: &Fill, engine: &str) -> [Statement; 2] {
    let Fill { shop, order, line, unit, pool, at } = *fill;
    [
        write(CODE, TAKE_ONE.on(engine), values![shop, order, line, unit, pool, at]),
        claim::hand_out_one(shop, order, line, unit, at),
    ]
}

impl Store {
    /// The shop's stocks, by name; a thousand at most.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn pools(&self, shop: ShopId) -> Result<Vec<Pool>, ReadError> {
        self.every(read(WHAT, OF_SHOP, values![shop, MOST]), row).await
    }

    /// The stock with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn pool(&self, shop: ShopId, pool: PoolId) -> Result<Option<Pool>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, pool]), row).await
    }

    /// The stock with this name in files.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn pool_by_slug(&self, shop: ShopId, slug: &str) -> Result<Option<Pool>, ReadError> {
        self.one(read(WHAT, BY_SLUG, values![shop, slug]), row).await
    }

    /// How many codes there are in a stock, and who waits. Counts every code, and belongs on no page of a buyer.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stock(&self, shop: ShopId, pool: PoolId, now: Timestamp) -> Result<Stock, ReadError> {
        let counted = self.every(read(WHAT, STOCK, values![shop, pool, now]), |row| {
            let mut columns = Columns::of(row);
            Ok(Stock {
                free: columns.quantity()?,
                reserved: columns.quantity()?,
                taken: columns.quantity()?,
                withdrawn: columns.quantity()?,
                waiting: columns.quantity()?,
            })
        });
        Ok(counted.await?.pop().unwrap_or_default())
    }

    /// What a buyer of so many units finds in a stock. `order`: whose codes may be kept already; `None` where nobody has
    /// pressed pay. Nothing of a stock that is held can be had.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn supply(
        &self,
        shop: ShopId,
        pool: PoolId,
        order: Option<&Order>,
        units: u32,
        now: Timestamp,
    ) -> Result<Option<Supply>, ReadError> {
        let order = order.map_or_else(String::new, |order| order.id.to_string());
        let values = values![shop, pool, order, now, units.min(COUNTED)];
        self.one(read(WHAT, SUPPLY, values), |row| {
            let mut columns = Columns::of(row);
            let when_out = columns.word("what to do when a stock is empty", WhenOut::parse)?;
            let is_held = columns.optional_time()?.is_some();
            let (kept, free) = (columns.count()?, columns.count()?);
            let of = |count: u32| if is_held { 0 } else { count };
            Ok(Supply { pool, when_out, kept: of(kept), free: of(free) })
        })
        .await
    }

    /// Stocks of every shop that somebody must look after now.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn pools_in_need(&self, now: Timestamp) -> Result<Vec<PoolInNeed>, ReadError> {
        self.every(read(WHAT, IN_NEED, values![now]), |row| {
            let mut found = Columns::of(row);
            let (pool, free) = (columns(&mut found)?, found.quantity()?);
            Ok(PoolInNeed { pool, free, is_waited_for: found.integer()? == 1 })
        })
        .await
    }

    /// Which of these codes are in the shop already, in their order.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn known_codes(&self, shop: ShopId, codes: &[PoolCode]) -> Result<Vec<Option<KnownCode>>, ReadError> {
        let asked = codes.iter().flat_map(|code| {
            let hash = text_hash(&self.vault, code.as_str());
            [read(CODE, KNOWN, values![shop, hash.clone()]), read(CODE, HANDED_OUT, values![shop, hash])]
        });
        let mut answers = self.engine.query(asked.collect()).await?.into_iter();
        let mut known = Vec::with_capacity(codes.len());
        while let (Some(stocked), Some(handed_out)) = (answers.next(), answers.next()) {
            let stocked = all(CODE, stocked, |row| {
                let mut columns = Columns::of(row);
                Ok(KnownCode { pool: Some(columns.id()?), is_free: columns.text()? == "free" })
            })?;
            let lone = (!handed_out.is_empty()).then_some(KnownCode { pool: None, is_free: false });
            known.push(stocked.into_iter().next().or(lone));
        }
        Ok(known)
    }

    /// Takes codes out of a stock that were handed out elsewhere, together with what the journal is told. Gives how
    /// many were free; the others stay as they are.
    ///
    /// # Errors
    /// When the commit does not stand.
    pub async fn withdraw_codes(
        &self,
        shop: ShopId,
        pool: PoolId,
        codes: &[PoolCode],
        changes: &domain::Changes,
    ) -> Result<usize, CommitError> {
        let mut statements: Vec<Statement> = codes
            .iter()
            .map(|code| any(write(CODE, WITHDRAW, values![shop, text_hash(&self.vault, code.as_str()), pool])))
            .collect();
        let before =
            self.known_codes(shop, codes).await.map_err(|error| CommitError::Unavailable(error.to_string()))?;
        statements.extend(crate::change::statements(changes, &self.vault, self.engine.name())?);
        self.engine.commit(statements).await?;
        let was_free =
            |known: &&Option<KnownCode>| known.as_ref().is_some_and(|known| known.is_free && known.pool == Some(pool));
        Ok(before.iter().filter(was_free).count())
    }
}
