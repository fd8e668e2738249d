//! Messages from gateways, stored as they came, and who is at work on them.

use domain::{GatewayAccountId, Notice, NoticeId, NoticeState, OrderId, ShopId, Timestamp};

use crate::column::Columns;
use crate::page::{Backlog, Lists, lists};
use crate::statement::{Text, any, read, texts, values, write};
use crate::{CommitError, Listing, Page, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "notice";

macro_rules! columns {
    () => {
        "shop_id, id, version, gateway_account_id, event_id, kind, body, state, reason, detail, order_id, received_at, \
         settled_at"
    };
}

macro_rules! select {
    () => {
        concat!("select ", columns!(), " from notices where shop_id = $1")
    };
}

const BY_ID: &str = concat!(select!(), " and id = $2");
const STATE_BY_EVENT: &str =
    "select state, reason, detail from notices where shop_id = $1 and gateway_account_id = $2 and event_id = $3";
const LIST: Lists = lists!(select!());
/// The state here is `applied`, which the index of states leaves out.
const LIST_APPLIED: Lists = lists!(select!(), " and state = $4");
const LIST_IN_STATE: Lists = lists!(select!(), " and state = $4 and state <> 'applied'");
const LIST_OF_ORDER: Lists = lists!(select!(), " and order_id = $4 and (state = $5 or $5 is null)");
const COUNT_PARKED: &str =
    "select count(*) from notices where shop_id = $1 and state = 'parked' and state <> 'applied'";
const WAITING: &str = "select count(*), min(received_at) from notices where state = 'received' and claim_at >= 0";
const RELEASE: &str = "update notices set claim_at = $4 where shop_id = $1 and id = $2 and claim_at = $3 \
    and state = 'received'";
const INSERT: &str = concat!(
    "insert into notices (",
    columns!(),
    ", claim_at) values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $11) \
     on conflict (shop_id, gateway_account_id, event_id) do nothing"
);
const UPDATE: &str = "update notices set version = version + 1, state = $4, reason = $5, detail = $6, order_id = $7, \
    settled_at = $8 where shop_id = $1 and id = $2 and version = $3";
const CLAIM: Text = Text {
    sqlite: concat!(
        "update notices set claim_at = $2 where (shop_id, id) in \
         (select shop_id, id from notices where claim_at <= $1 and state = 'received' order by claim_at limit $3) \
         returning ",
        columns!()
    ),
    postgres: concat!(
        "with due as materialized (select shop_id, id from notices where claim_at <= $1 and state = 'received' \
         order by claim_at limit $3 for update skip locked) \
         update notices set claim_at = $2 where (shop_id, id) in (select shop_id, id from due) returning ",
        columns!()
    ),
};

texts![
    BY_ID, STATE_BY_EVENT, LIST.older, LIST.newer, LIST_APPLIED.older, LIST_APPLIED.newer, LIST_IN_STATE.older,
    LIST_IN_STATE.newer, LIST_OF_ORDER.older, LIST_OF_ORDER.newer, COUNT_PARKED, WAITING, RELEASE, INSERT, UPDATE; CLAIM
];

/// Which notices a list shows; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoticeFilter {
    /// In the state of this name: `received`, `applied`, `ignored` or `parked`.
    pub state: Option<String>,
    /// About this order.
    pub order: Option<OrderId>,
}

/// A stored notice that nobody else applies until the lease ends. Settling it
/// is an ordinary commit: its version tells who came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedNotice {
    /// The notice.
    pub notice: Notice,
}

fn row(row: &mut Row) -> Result<Notice, RowError> {
    let mut columns = Columns::of(row);
    Ok(Notice {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        gateway_account: columns.id()?,
        event_id: columns.text()?,
        kind: columns.text()?,
        body: columns.bytes()?,
        state: state(&mut columns)?,
        order: columns.optional_id()?,
        received_at: columns.time()?,
        settled_at: columns.optional_time()?,
    })
}

fn state(columns: &mut Columns<'_>) -> Result<NoticeState, RowError> {
    let word = columns.text()?;
    let (reason, detail) = (columns.optional_text()?, columns.optional_text()?);
    columns.known("a state of a notice", NoticeState::from_parts(&word, reason, detail))
}

pub(crate) fn state_row(row: &mut Row) -> Result<NoticeState, RowError> {
    state(&mut Columns::of(row))
}

/// Asks whether this event came before, and what became of it.
pub(crate) fn state_by_event(shop: ShopId, account: GatewayAccountId, event_id: &str) -> Statement {
    read(WHAT, STATE_BY_EVENT, values![shop, account, event_id])
}

/// A new notice is a conflict when its event came before: each counts once.
pub(crate) fn statement(notice: &Notice) -> Statement {
    let (reason, detail) = notice.state.reason();
    match notice.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                notice.shop,
                notice.id,
                notice.gateway_account,
                notice.event_id.as_str(),
                notice.kind.as_str(),
                notice.body.as_slice(),
                notice.state.as_str(),
                reason,
                detail,
                notice.order,
                notice.received_at,
                notice.settled_at,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                notice.shop,
                notice.id,
                version,
                notice.state.as_str(),
                reason,
                detail,
                notice.order,
                notice.settled_at,
            ],
        ),
    }
}

impl Store {
    /// The notice with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn notice(&self, shop: ShopId, notice: NoticeId) -> Result<Option<Notice>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, notice]), row).await
    }

    /// The shop's notices, newest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn notices(
        &self,
        shop: ShopId,
        filter: &NoticeFilter,
        page: Page<NoticeId>,
    ) -> Result<Listing<Notice>, ReadError> {
        let state = filter.state.as_deref();
        let (lists, conditions) = match (filter.order, state) {
            (Some(order), _) => (&LIST_OF_ORDER, values![order, state]),
            (None, Some("applied")) => (&LIST_APPLIED, values![state]),
            (None, Some(_)) => (&LIST_IN_STATE, values![state]),
            (None, None) => (&LIST, values![]),
        };
        self.page(WHAT, lists, shop, &page, conditions, row).await
    }

    /// How many notices of the shop wait for a person.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn parked_notices(&self, shop: ShopId) -> Result<u64, ReadError> {
        self.counted(read(WHAT, COUNT_PARKED, values![shop])).await
    }

    /// How many stored notices wait to be applied, of every shop, and when the oldest of them came.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting_notices(&self) -> Result<Backlog, ReadError> {
        self.backlog(read(WHAT, WAITING, values![])).await
    }

    /// Gives notices back that were claimed until `lease_until` and not touched: anybody may take them at once.
    ///
    /// # Errors
    /// When nothing was given back, or nobody knows: then the leases end by themselves.
    pub async fn release_notices(
        &self,
        claimed: &[ClaimedNotice],
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let release = |claim: &ClaimedNotice| {
            any(write(WHAT, RELEASE, values![claim.notice.shop, claim.notice.id, lease_until, now]))
        };
        self.engine.commit(claimed.iter().map(release).collect()).await
    }

    /// Takes up stored notices that nobody is at, the longest waiting first, of every shop. Until `lease_until`
    /// nobody else gets them; after that they are anybody's again.
    ///
    /// # Errors
    /// When nothing was claimed, or nobody knows: then the leases end by themselves.
    pub async fn claim_notices(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedNotice>, CommitError> {
        let claim = write(WHAT, CLAIM.on(self.engine.name()), values![now, lease_until, limit]);
        let mut notices = self.claimed(claim, row).await?;
        notices.sort_by_key(|notice| notice.id);
        Ok(notices.into_iter().map(|notice| ClaimedNotice { notice }).collect())
    }
}
