//! What paid units are owed whose content is made elsewhere, and the content once it is handed out.
//!
//! Content is sealed under its own hash, not under the unit it went to, so that one statement can hand out many.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use domain::{
    Claim, ClaimKind, ClaimState, CustomerId, Dormancy, Draw, DrawnUnit, Fulfilment, FulfilmentParts, HandOver,
    LicenseId, Locale, OrderId, OrderLine, OrderNumber, PoolCode, PoolId, ShopId, Timestamp, WaitingClaim,
};

use crate::column::Columns;
use crate::foreign_key::text_hash;
use crate::page::{Lists, cut};
use crate::statement::{any, json, read, texts, values, write};
use crate::{CommitError, Listing, Page, Purpose, ReadError, Row, RowError, Statement, Store, Vault};

const WHAT: &str = "claim";

macro_rules! columns {
    () => {
        "claims.shop_id, claims.order_id, claims.line, claims.unit, claims.license_id, claims.fulfilment, \
         claims.pool_id, claims.endpoint_id, claims.due_at, claims.state, claims.is_dormant, claims.created_at, \
         claims.fulfilled_at"
    };
}

/// What waits and whose license works: what was given back, or is in dispute, gets nothing now. The indexes of what waits
/// hold these alone.
macro_rules! owed_now {
    () => {
        "claims.state = 'waiting' and claims.is_dormant = 0"
    };
}

/// How many wait by an index of what waits, no further than [`Owed::COUNTED`].
macro_rules! count_owed {
    ($which:literal) => {
        concat!(
            "(select count(*) from (select 1 from claims where claims.shop_id = $1 and ",
            owed_now!(),
            " and ",
            $which,
            " limit 1000) as counted)"
        )
    };
}

/// Whom to write to once a claim is fulfilled.
macro_rules! buyer {
    () => {
        ", orders.customer_id, orders.email, orders.locale from claims \
         join orders on orders.shop_id = claims.shop_id and orders.id = claims.order_id"
    };
}

/// What one unit of an order gets from the code that was taken for it.
macro_rules! hand_out {
    ($which:literal) => {
        concat!(
            "update claims set state = 'fulfilled', fulfilled_at = $3, content_hash = codes.code_hash, \
             content_sealed = codes.code_sealed from pool_codes as codes \
             where claims.shop_id = $1 and claims.order_id = $2 and claims.state <> 'fulfilled' \
             and codes.shop_id = claims.shop_id and codes.order_id = claims.order_id \
             and codes.line = claims.line and codes.unit = claims.unit",
            $which
        )
    };
}

/// Lists of claims, by the ids of their licenses.
macro_rules! claim_lists {
    ($which:literal) => {
        Lists {
            older: concat!(
                "select ",
                columns!(),
                " from claims",
                $which,
                " and claims.license_id < $2 order by claims.license_id desc limit $3"
            ),
            newer: concat!(
                "select ",
                columns!(),
                " from claims",
                $which,
                " and claims.license_id > $2 order by claims.license_id limit $3"
            ),
        }
    };
}

const OF_ORDER: &str = concat!(
    "select ",
    columns!(),
    ", claims.content_hash, claims.content_sealed from claims \
     where claims.shop_id = $1 and claims.order_id = $2 order by claims.line, claims.unit"
);
const OF_LICENSE: &str = concat!(
    "select ",
    columns!(),
    ", claims.content_hash, claims.content_sealed from claims where claims.shop_id = $1 and claims.license_id = $2"
);
const OF_CUSTOMER: &str = concat!(
    "select ",
    columns!(),
    ", claims.content_hash, claims.content_sealed from claims where claims.shop_id = $1 and claims.license_id in \
     (select id from licenses where shop_id = $1 and customer_id = $2 order by id desc limit $3)"
);
const WAITING: &str = concat!(
    "select ",
    columns!(),
    buyer!(),
    " where claims.shop_id = $1 and claims.pool_id = $2 and ",
    owed_now!(),
    " order by claims.created_at, claims.order_id, claims.line, claims.unit limit $3"
);
/// What is shown of a claim where people look after it.
macro_rules! owed {
    ($which:literal, $since:literal) => {
        concat!(
            "select ",
            columns!(),
            ", orders.customer_id, orders.email, orders.locale, orders.number, orders.lines, (select max(jobs.last_error) \
             from jobs where jobs.shop_id = claims.shop_id and jobs.subject = claims.license_id \
             and jobs.kind = 'ask_endpoint') from claims \
             join orders on orders.shop_id = claims.shop_id and orders.id = claims.order_id \
             where claims.shop_id = $1 and ",
            owed_now!(),
            " and ",
            $which,
            " and (",
            $since,
            ", claims.license_id) > ($2, $3) order by ",
            $since,
            ", claims.license_id limit $4"
        )
    };
}

const OWED_BY_PEOPLE: &str = owed!("claims.due_at is not null", "claims.due_at");
const OWED_BY_PROGRAMS: &str = owed!("claims.endpoint_id is not null", "claims.created_at");
const OWED_BY_STOCKS: &str = owed!("claims.pool_id is not null", "claims.created_at");
/// Asked with every page of the console.
const COUNT_OWED: &str = concat!(
    "select ",
    count_owed!("claims.due_at <= $2"),
    ", ",
    count_owed!("claims.due_at > $2"),
    ", ",
    count_owed!("claims.endpoint_id is not null and claims.created_at <= $2"),
    ", ",
    count_owed!("claims.pool_id is not null and claims.created_at <= $2")
);
const LIST_WAITING: Lists =
    claim_lists!(" where claims.shop_id = $1 and claims.state = 'waiting' and claims.is_dormant = 0");
const LIST_FULFILLED: Lists = claim_lists!(" where claims.shop_id = $1 and claims.state = 'fulfilled'");
const LIST: Lists = claim_lists!(" where claims.shop_id = $1");
const WITH_BUYER: &str =
    concat!("select ", columns!(), buyer!(), " where claims.shop_id = $1 and claims.license_id = $2");
/// Those that nobody is about to ask for again: their licenses did not work when it was last tried, and do now.
const UNASKED: &str = concat!(
    "select claims.shop_id, claims.license_id from claims where ",
    owed_now!(),
    " and claims.endpoint_id is not null and not exists (select 1 from jobs where jobs.shop_id = claims.shop_id \
     and jobs.subject = claims.license_id and jobs.kind = 'ask_endpoint') order by claims.created_at limit $1"
);
const INSERT: &str = "insert into claims (shop_id, order_id, line, unit, license_id, fulfilment, pool_id, endpoint_id, \
    due_at, state, is_dormant, created_at, fulfilled_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const WAKE: &str = "update claims set is_dormant = $3 where shop_id = $1 and license_id = $2";
const HAND_OVER: &str = "update claims set state = 'fulfilled', fulfilled_at = $5, content_hash = $6, \
    content_sealed = $7 where shop_id = $1 and order_id = $2 and line = $3 and unit = $4 and state = 'waiting'";
const HAND_OUT: &str = hand_out!("");
/// Not for one whose license ended to work since it was read.
const HAND_OUT_ONE: &str = hand_out!(" and claims.line = $4 and claims.unit = $5 and claims.is_dormant = 0");
/// What became of a unit in this commit goes into the journal.
const TELL: &str = "insert into events (shop_id, id, kind, actor, order_id, license_id, customer_id, data, at, place) \
    select claims.shop_id, $5, case when claims.state = 'fulfilled' then 'claim.fulfilled' else 'claim.waiting' end, \
    $6, claims.order_id, claims.license_id, $7, $8, $9, $10 from claims \
    where claims.shop_id = $1 and claims.order_id = $2 and claims.line = $3 and claims.unit = $4";

texts![
    OF_ORDER,
    OF_LICENSE,
    OF_CUSTOMER,
    WAITING,
    WITH_BUYER,
    OWED_BY_PEOPLE,
    OWED_BY_PROGRAMS,
    OWED_BY_STOCKS,
    COUNT_OWED,
    LIST_WAITING.older,
    LIST_WAITING.newer,
    LIST_FULFILLED.older,
    LIST_FULFILLED.newer,
    LIST.older,
    LIST.newer,
    UNASKED,
    INSERT,
    WAKE,
    HAND_OUT,
    HAND_OUT_ONE,
    HAND_OVER,
    TELL
];

/// A claim with its content, where that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedClaim {
    /// The claim.
    pub claim: Claim,
    /// What the buyer holds.
    pub content: Option<PoolCode>,
}

/// A claim that waits and whose license works, as it is shown to who looks after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedClaim {
    /// The claim.
    pub claim: Claim,
    /// Whose it is.
    pub customer: Option<CustomerId>,
    /// Their address.
    pub email: Option<domain::Email>,
    /// In which language they read.
    pub locale: Locale,
    /// The number of the order.
    pub number: OrderNumber,
    /// What was bought.
    pub line: Option<OrderLine>,
    /// What went wrong when the seller's program was asked last.
    pub last_error: Option<String>,
}

/// How many paid units wait in a shop and may have something now; each number counts no further than
/// [`Owed::COUNTED`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owed {
    /// For a person.
    pub manual: u64,
    /// For the seller's program.
    pub webhook: u64,
    /// For a code.
    pub pool: u64,
    /// Of those for a person, how many should be done by now.
    pub overdue: u64,
}

impl Owed {
    /// How far is counted: a queue so long needs no number, and every page of the console asks.
    pub const COUNTED: u64 = 1_000;

    /// How many of a kind.
    #[must_use]
    pub fn of(&self, kind: ClaimKind) -> u64 {
        match kind {
            ClaimKind::Manual => self.manual,
            ClaimKind::Webhook => self.webhook,
            ClaimKind::Pool => self.pool,
        }
    }

    /// These and those.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            manual: self.manual + more.manual,
            webhook: self.webhook + more.webhook,
            pool: self.pool + more.pool,
            overdue: self.overdue + more.overdue,
        }
    }

    /// How many in all.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.manual + self.webhook + self.pool
    }
}

fn columns(columns: &mut Columns<'_>) -> Result<Claim, RowError> {
    let (shop, order) = (columns.id()?, columns.id()?);
    let (line, unit, license) = (columns.count()?, columns.count()?, columns.id()?);
    let word = columns.text()?;
    let (pool, endpoint, due_at) = (columns.optional_id()?, columns.optional_id()?, columns.optional_time()?);
    let (state, is_dormant) = (columns.word("a state of a claim", ClaimState::parse)?, columns.flag()?);
    let created_at = columns.time()?;
    let within_hours = due_at.and_then(|due_at| u32::try_from(due_at.since(created_at).as_seconds() / 3_600).ok());
    let parts = FulfilmentParts { pool, endpoint, within_hours };
    Ok(Claim {
        shop,
        order,
        line,
        unit,
        license,
        fulfilment: columns.known("a kind of fulfilment", Fulfilment::from_parts(&word, parts))?,
        state,
        is_dormant,
        created_at,
        fulfilled_at: columns.optional_time()?,
    })
}

fn with_buyer(row: &mut Row) -> Result<WaitingClaim, RowError> {
    let mut found = Columns::of(row);
    Ok(WaitingClaim {
        claim: columns(&mut found)?,
        customer: found.optional_id()?,
        email: found.optional_email()?,
        locale: found.word("a language tag", Locale::parse)?,
    })
}

fn owed(row: &mut Row) -> Result<OwedClaim, RowError> {
    let mut found = Columns::of(row);
    let claim = columns(&mut found)?;
    let (customer, email) = (found.optional_id()?, found.optional_email()?);
    let locale = found.word("a language tag", Locale::parse)?;
    let number = found.word("an order number", OrderNumber::parse)?;
    let lines: Vec<OrderLine> = found.json("the lines of an order")?;
    let line = usize::try_from(claim.line).ok().and_then(|place| lines.into_iter().nth(place));
    Ok(OwedClaim { claim, customer, email, locale, number, line, last_error: found.optional_text()? })
}

struct SealedContent {
    claim: Claim,
    sealed: Option<(Vec<u8>, Vec<u8>)>,
}

fn row(row: &mut Row) -> Result<SealedContent, RowError> {
    let mut found = Columns::of(row);
    let claim = columns(&mut found)?;
    let sealed = match claim.state {
        ClaimState::Waiting => None,
        ClaimState::Fulfilled => Some((found.bytes()?, found.bytes()?)),
    };
    Ok(SealedContent { claim, sealed })
}

impl SealedContent {
    fn open(self, vault: &Vault) -> Result<OpenedClaim, ReadError> {
        let corrupt = |why: Cow<'_, str>| ReadError::Corrupt(format!("the content of {}: {why}", self.claim.license));
        let Some((hash, sealed)) = &self.sealed else { return Ok(OpenedClaim { claim: self.claim, content: None }) };
        let opened = vault
            .open(Purpose::LicenseKey, &content_row(hash), sealed)
            .map_err(|error| corrupt(error.to_string().into()))?;
        let content = str::from_utf8(&opened).ok().and_then(|text| PoolCode::parse(text).ok());
        let content = content.ok_or_else(|| corrupt("not a code".into()))?;
        Ok(OpenedClaim { claim: self.claim, content: Some(content) })
    }
}

/// What content is sealed into: its own hash, which moves with it.
pub(crate) fn content_row(hash: &[u8]) -> String {
    format!("content/{}", HEXLOWER.encode(hash))
}

pub(crate) fn statement(claim: &Claim) -> Statement {
    write(
        WHAT,
        INSERT,
        values![
            claim.shop,
            claim.order,
            claim.line,
            claim.unit,
            claim.license,
            claim.fulfilment.as_str(),
            claim.fulfilment.parts().pool,
            claim.fulfilment.parts().endpoint,
            claim.fulfilment.due_at(claim.created_at),
            claim.state.as_str(),
            claim.is_dormant,
            claim.created_at,
            claim.fulfilled_at,
        ],
    )
}

/// Notes at the claim of a license, where it has one, whether it works.
pub(crate) fn wake(dormancy: &Dormancy) -> Statement {
    any(write(WHAT, WAKE, values![dormancy.shop, dormancy.license, dormancy.is_dormant]))
}

pub(crate) fn hand_out(shop: ShopId, order: OrderId, at: Timestamp) -> Statement {
    write(WHAT, HAND_OUT, values![shop, order, at])
}

pub(crate) fn hand_out_one(shop: ShopId, order: OrderId, line: u32, unit: u32, at: Timestamp) -> Statement {
    write(WHAT, HAND_OUT_ONE, values![shop, order, at, line, unit])
}

/// Content from a person or a program. What opens the license is found by its own hash, and so goes to one unit; what a
/// person says is hashed with the unit, since it may be said to many.
pub(crate) fn hand_over(handed: &HandOver, vault: &Vault) -> Result<Statement, CommitError> {
    let HandOver { shop, order, line, unit, content, opens, at } = handed;
    let hash = match opens {
        true => text_hash(vault, content.as_str()),
        false => text_hash(vault, &format!("{order}/{line}/{unit}/{}", content.as_str())),
    };
    let sealed = vault.seal(Purpose::LicenseKey, &content_row(&hash), content.as_str().as_bytes())?;
    Ok(write(WHAT, HAND_OVER, values![*shop, *order, *line, *unit, *at, hash, sealed]))
}

/// Lines of the journal, from this place on among those of the commit.
pub(crate) fn tell(draw: &Draw, from: i64) -> Result<Vec<Statement>, CommitError> {
    let told = draw.units.iter().zip(from..).map(|(DrawnUnit { line, unit, event }, place)| {
        Ok(write(
            "event",
            TELL,
            values![
                draw.shop,
                draw.order,
                *line,
                *unit,
                event.id,
                event.actor.to_text(),
                event.customer,
                json(&event.data)?,
                event.at,
                place,
            ],
        ))
    });
    told.collect()
}

impl Store {
    /// What the units of an order are owed, by line and unit, opened to be shown.
    ///
    /// # Errors
    /// When the database does not answer, or content was sealed with another master key.
    pub async fn claims(&self, shop: ShopId, order: OrderId) -> Result<Vec<OpenedClaim>, ReadError> {
        let sealed = self.every(read(WHAT, OF_ORDER, values![shop, order]), row).await?;
        sealed.into_iter().map(|content| content.open(&self.vault)).collect()
    }

    /// What the unit of a license is owed, opened to be shown; `None`: its key was made here.
    ///
    /// # Errors
    /// As [`Store::claims`].
    pub async fn claim_of_license(&self, shop: ShopId, license: LicenseId) -> Result<Option<OpenedClaim>, ReadError> {
        let sealed = self.one(read(WHAT, OF_LICENSE, values![shop, license]), row).await?;
        sealed.map(|content| content.open(&self.vault)).transpose()
    }

    /// What a customer is owed of the newest licenses, in no order, opened to be shown.
    ///
    /// # Errors
    /// As [`Store::claims`].
    pub async fn claims_of_customer(
        &self,
        shop: ShopId,
        customer: CustomerId,
        licenses: u32,
    ) -> Result<Vec<OpenedClaim>, ReadError> {
        let sealed = self.every(read(WHAT, OF_CUSTOMER, values![shop, customer, licenses]), row).await?;
        sealed.into_iter().map(|content| content.open(&self.vault)).collect()
    }

    /// Who waits for a code of this stock and may have one, the longest waiting first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn waiting_claims(&self, shop: ShopId, pool: PoolId, limit: u32) -> Result<Vec<WaitingClaim>, ReadError> {
        self.every(read(WHAT, WAITING, values![shop, pool, limit]), with_buyer).await
    }

    /// What waits in a shop and whose license works: what people have promised, by when it is due; then what waits for
    /// the seller's program, then for codes, the longest waiting first. From the claim of the license `after` on.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn claims_to_do(
        &self,
        shop: ShopId,
        kind: Option<ClaimKind>,
        after: Option<LicenseId>,
        limit: u32,
    ) -> Result<Listing<OwedClaim>, ReadError> {
        let after = match after {
            Some(license) => self.claim_with_buyer(shop, license).await?.map(|waiting| waiting.claim),
            None => None,
        };
        let reached = after.as_ref().and_then(|claim| ClaimKind::of(claim.fulfilment));
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut data: Vec<OwedClaim> = Vec::new();
        for each in ClaimKind::ALL {
            if kind.is_some_and(|kind| kind != each) || reached.is_some_and(|reached| each < reached) {
                continue;
            }
            let text = match each {
                ClaimKind::Manual => OWED_BY_PEOPLE,
                ClaimKind::Webhook => OWED_BY_PROGRAMS,
                ClaimKind::Pool => OWED_BY_STOCKS,
            };
            let from = after.as_ref().filter(|_| reached == Some(each));
            let since = from.map_or(i64::MIN, |claim| claim.due_at().unwrap_or(claim.created_at).as_microseconds());
            let license = from.map(|claim| claim.license.to_string()).unwrap_or_default();
            // One more than is shown tells whether there are more.
            let missing = (shown + 1).saturating_sub(data.len());
            let missing = i64::try_from(missing).unwrap_or(i64::MAX);
            data.extend(self.every(read(WHAT, text, values![shop, since, license, missing]), owed).await?);
            if data.len() > shown {
                break;
            }
        }
        Ok(cut(data, limit))
    }

    /// How many units wait in a shop, of those whose licenses work.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn owed(&self, shop: ShopId, now: Timestamp) -> Result<Owed, ReadError> {
        let counted = self.every(read(WHAT, COUNT_OWED, values![shop, now]), |row| {
            let mut columns = Columns::of(row);
            let (overdue, in_time) = (columns.quantity()?, columns.quantity()?);
            let manual = (overdue + in_time).min(Owed::COUNTED);
            Ok(Owed { manual, webhook: columns.quantity()?, pool: columns.quantity()?, overdue })
        });
        Ok(counted.await?.pop().unwrap_or_default())
    }

    /// The claims of a shop, by the ids of their licenses, newest first. Those that wait are those that are owed now:
    /// their licenses work.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn claims_page(
        &self,
        shop: ShopId,
        state: Option<ClaimState>,
        page: Page<LicenseId>,
    ) -> Result<Listing<Claim>, ReadError> {
        let lists = match state {
            Some(ClaimState::Waiting) => &LIST_WAITING,
            Some(ClaimState::Fulfilled) => &LIST_FULFILLED,
            None => &LIST,
        };
        self.page(WHAT, lists, shop, &page, values![], |row| columns(&mut Columns::of(row))).await
    }

    /// What the unit of a license is owed, fulfilled or not, with whom to write to.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn claim_with_buyer(&self, shop: ShopId, license: LicenseId) -> Result<Option<WaitingClaim>, ReadError> {
        self.one(read(WHAT, WITH_BUYER, values![shop, license]), with_buyer).await
    }

    /// Units of every shop that wait for a seller's program, whose licenses work and whom nobody is about to ask for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unasked_claims(&self, limit: u32) -> Result<Vec<(ShopId, LicenseId)>, ReadError> {
        self.every(read(WHAT, UNASKED, values![limit]), |row| {
            let mut found = Columns::of(row);
            Ok((found.id()?, found.id()?))
        })
        .await
    }
}
