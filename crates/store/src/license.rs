//! The rights that were bought, and their keys.
//!
//! A key is found by a keyed hash and stored sealed. What validates a license
//! reads one row by that hash and opens nothing.

use std::borrow::Cow;
use std::sync::Arc;

use domain::{
    Activation, ActivationState, CustomerId, Email, Fingerprint, ForeignKey, GroupId, License, LicenseId, LicenseState,
    OrderId, OrderNumber, PlanId, Reissue, RetiredKey, ShopId, Timestamp, UseChange, Version,
};
use latchkey_license::KeyCode;
use zeroize::Zeroizing;

use crate::column::Columns;
use crate::memory::Asked;
use crate::page::{Lists, lists};
use crate::statement::{json, optional_json, read, texts, values, write};
use crate::{
    CommitError, Listing, Page, Purpose, ReadError, Row, RowError, Statement, Store, Value, Vault, foreign_key,
    signed_key,
};

const WHAT: &str = "license";

/// How many rows of a file are read at a time.
pub(crate) const EXPORTED_AT_ONCE: u32 = 500;

/// More than anybody is handed on.
const MOST_RECEIVED: u32 = 100;

/// How much of the keyed hash is kept: 128 bits are beyond guessing, and half the index.
pub(crate) const HASH_BYTES: usize = 16;

macro_rules! columns {
    () => {
        "shop_id, id, version, order_id, line, unit, product_id, plan_id, customer_id, key_tail, policy, state, \
         seats_used, started_at, expires_at, updates_until, uses, uses_since, own_acts, batch_id, group_id, created_at"
    };
}

/// How many taken seats of the license have leases that are over at that moment. Where there are no leases nothing is
/// counted.
macro_rules! lapsed {
    ($at:literal) => {
        concat!(
            "case when lease_seconds is null then 0 else (select count(*) from activations as leases \
             where leases.shop_id = licenses.shop_id and leases.license_id = licenses.id and leases.state = 'active' \
             and leases.last_seen_at <= ",
            $at,
            " - licenses.lease_seconds * 1000000) end"
        )
    };
}
pub(crate) use lapsed;

macro_rules! select {
    () => {
        concat!("select ", columns!(), " from licenses where shop_id = $1")
    };
}

const BY_ID: &str = concat!(select!(), " and id = $2");
const BY_KEY: &str = concat!("select ", columns!(), " from licenses where key_hash = $1 and shop_id = $2");
/// By a key that was replaced, ours or another system's.
const BY_RETIRED_KEY: &str =
    concat!(select!(), " and id in (select license_id from retired_keys where key_hash = $2 and shop_id = $1)");
const BY_FOREIGN_KEY: &str = concat!(
    select!(),
    " and id in (select license_id from foreign_keys where shop_id = $1 and key_hash = $2 \
     union all select license_id from claims where shop_id = $1 and content_hash = $2)"
);
const OF_KEY: &str = concat!(
    "select ",
    columns!(),
    ", ",
    lapsed!("$3"),
    " as lapsed from licenses where key_hash = $1 and shop_id = $2"
);
const LAPSED: &str = concat!("select ", lapsed!("$3"), " as lapsed from licenses where shop_id = $1 and id = $2");
/// So many of a group that have seats whose leases are over, and count in it.
const LAPSED_IN_GROUP: &str = concat!(
    "select ",
    columns!(),
    ", lapsed from (select ",
    columns!(),
    ", ",
    lapsed!("$3"),
    " as lapsed from licenses where shop_id = $1 and group_id = $2 and lease_seconds is not null \
     and state in ('active', 'suspended_by_dispute', 'suspended_by_person')) as leased where lapsed > 0 order by id limit $4"
);
const SEAT: &str = concat!(
    "select ",
    columns!(),
    ", ",
    lapsed!("$3"),
    " as lapsed, seat_id, seat_version, seat_name, seat_label, seat_metadata, seat_components, seat_created_at, seat_last_seen_at from licenses left join (\
     select shop_id as seat_shop_id, license_id as seat_license_id, id as seat_id, version as seat_version, \
     name as seat_name, label as seat_label, metadata as seat_metadata, components as seat_components, created_at as seat_created_at, last_seen_at as seat_last_seen_at \
     from activations where fingerprint = $4 and state = 'active') as seats \
     on seat_shop_id = shop_id and seat_license_id = id where key_hash = $1 and shop_id = $2"
);
const OF_ORDER: &str = concat!(select!(), " and order_id = $2 order by line, unit");
const KEY: &str = "select id, key_sealed from licenses where shop_id = $1 and id = $2";
const KEYS_OF_ORDER: &str =
    "select id, key_sealed from licenses where shop_id = $1 and order_id = $2 order by line, unit";
const KEYS_OF_CUSTOMER: &str =
    "select id, key_sealed from licenses where shop_id = $1 and customer_id = $2 order by id desc limit $3";
/// Of orders of others.
const RECEIVED: &str = concat!(
    select!(),
    " and customer_id = $2 and not exists (select 1 from orders where orders.shop_id = licenses.shop_id \
     and orders.id = licenses.order_id and orders.customer_id = $2) order by id desc limit $3"
);
/// Reads a shop from its first row on, part by part, while a file is sent.
const EXPORT: &str = concat!(
    "select ",
    columns!(),
    ", (select number from orders where orders.shop_id = licenses.shop_id and orders.id = licenses.order_id) as number, \
     (select email from customers where customers.shop_id = licenses.shop_id and customers.id = licenses.customer_id) as email, \
     (select name from license_groups where license_groups.shop_id = licenses.shop_id \
     and license_groups.id = licenses.group_id) as group_name \
     from licenses where shop_id = $1 and id > $2 order by id limit $3"
);
const LIST: Lists = lists!(select!());
/// The state here is `active`, which the index of states leaves out.
const LIST_ACTIVE: Lists = lists!(select!(), " and state = $4");
const LIST_IN_STATE: Lists = lists!(select!(), " and state = $4 and state <> 'active'");
/// A condition that may be left out compares first: PostgreSQL takes the type of a value from where it first stands.
const LIST_OF_CUSTOMER: Lists =
    lists!(select!(), " and customer_id = $4 and (state = $5 or $5 is null) and (key_tail = $6 or $6 is null)");
/// An order has few licenses: by way of their ids, the index of orders is what is read, and not the whole shop.
const LIST_OF_ORDER: Lists = lists!(
    select!(),
    " and id in (select id from licenses where shop_id = $1 and order_id = $4) \
     and (customer_id = $5 or $5 is null) and (state = $6 or $6 is null) and (key_tail = $7 or $7 is null)"
);
const LIST_OF_GROUP: Lists = lists!(
    select!(),
    " and group_id = $4 and (order_id = $5 or $5 is null) and (customer_id = $6 or $6 is null) \
     and (state = $7 or $7 is null) and (key_tail = $8 or $8 is null)"
);
/// By way of the primary key: this is read once in a while, for all licenses of a plan, and costs a sale no index.
const LIST_OF_PLAN: Lists = lists!(select!(), " and plan_id = $4");
const LIST_WITH_TAIL: Lists = lists!(select!(), " and key_tail = $4 and (state = $5 or $5 is null)");
const INSERT: &str = concat!(
    "insert into licenses (",
    columns!(),
    ", seats, lease_seconds, key_hash, key_sealed) \
     values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)"
);
const UPDATE: &str = "update licenses set version = version + 1, customer_id = $4, policy = $5, seats = $6, state = $7, \
    seats_used = $8, started_at = $9, expires_at = $10, updates_until = $11, lease_seconds = $12, \
    own_acts = $13, group_id = $14 where shop_id = $1 and id = $2 and version = $3";
/// What was counted in an earlier period is nothing in this one; a later period is never left.
const USE: &str = "update licenses set uses = $4 + case when uses_since = $3 then uses else 0 end, uses_since = $3 \
    where shop_id = $1 and id = $2 and (uses_since is null or uses_since <= $3) \
    and $4 + case when uses_since = $3 then uses else 0 end between 0 and $5";
const RETIRE: &str = "insert into retired_keys (shop_id, license_id, key_hash, key_tail, retired_at) \
    select shop_id, id, key_hash, key_tail, $4 from licenses where shop_id = $1 and id = $2 and version = $3";
const REISSUE: &str = "update licenses set version = version + 1, key_hash = $4, key_sealed = $5, key_tail = $6, \
    seats_used = $7, customer_id = $8, own_acts = $9 where shop_id = $1 and id = $2 and version = $3";
const RETIRED: &str = "select retired_keys.license_id, licenses.key_tail, retired_keys.retired_at from retired_keys \
    join licenses on licenses.shop_id = retired_keys.shop_id and licenses.id = retired_keys.license_id \
    where retired_keys.key_hash = $1 and retired_keys.shop_id = $2";
const CHECK: &str = "update licenses set version = version where shop_id = $1 and id = $2 and version = $3";

texts![
    BY_ID,
    BY_KEY,
    BY_RETIRED_KEY,
    BY_FOREIGN_KEY,
    OF_KEY,
    LAPSED,
    LAPSED_IN_GROUP,
    SEAT,
    OF_ORDER,
    KEY,
    KEYS_OF_ORDER,
    KEYS_OF_CUSTOMER,
    RECEIVED,
    EXPORT,
    LIST.older,
    LIST.newer,
    LIST_ACTIVE.older,
    LIST_ACTIVE.newer,
    LIST_IN_STATE.older,
    LIST_IN_STATE.newer,
    LIST_OF_CUSTOMER.older,
    LIST_OF_CUSTOMER.newer,
    LIST_OF_ORDER.older,
    LIST_OF_ORDER.newer,
    LIST_OF_GROUP.older,
    LIST_OF_GROUP.newer,
    LIST_OF_PLAN.older,
    LIST_OF_PLAN.newer,
    LIST_WITH_TAIL.older,
    LIST_WITH_TAIL.newer,
    INSERT,
    UPDATE,
    USE,
    RETIRE,
    REISSUE,
    RETIRED,
    CHECK
];

/// Which licenses a list shows; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LicenseFilter {
    /// Of this order.
    pub order: Option<OrderId>,
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In this group.
    pub group: Option<GroupId>,
    /// In this state.
    pub state: Option<LicenseState>,
    /// Whose key ends in these four symbols.
    pub key_tail: Option<String>,
}

/// What a device that asks about a key is told from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatView {
    /// The license of the key.
    pub license: License,
    /// The seat that the device holds; `None` when it holds none, or has given it back.
    pub activation: Option<Activation>,
    /// How many taken seats of the license have leases that are over.
    pub lapsed: u32,
}

fn columns(columns: &mut Columns<'_>) -> Result<License, RowError> {
    Ok(License {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        order: columns.id()?,
        line: columns.count()?,
        unit: columns.count()?,
        product: columns.id()?,
        plan: columns.id()?,
        customer: columns.optional_id()?,
        key_tail: columns.text()?,
        policy: columns.json("a policy")?,
        state: columns.word("a state of a license", LicenseState::parse)?,
        seats_used: columns.count()?,
        started_at: columns.optional_time()?,
        expires_at: columns.optional_time()?,
        updates_until: columns.optional_time()?,
        uses: columns.quantity()?,
        uses_since: columns.optional_time()?,
        own_acts: columns.optional_json("acts of the owner")?.unwrap_or_default(),
        batch: columns.optional_id()?,
        group: columns.optional_id()?,
        created_at: columns.time()?,
    })
}

pub(crate) fn row(row: &mut Row) -> Result<License, RowError> {
    columns(&mut Columns::of(row))
}

fn key_view(row: &mut Row) -> Result<SeatView, RowError> {
    let mut found = Columns::of(row);
    Ok(SeatView { license: columns(&mut found)?, lapsed: found.count()?, activation: None })
}

fn seat_row(row: &mut Row, fingerprint: &Fingerprint) -> Result<SeatView, RowError> {
    let mut found = Columns::of(row);
    let (license, lapsed) = (columns(&mut found)?, found.count()?);
    let Some(id) = found.optional_id()? else { return Ok(SeatView { license, activation: None, lapsed }) };
    let activation = Activation {
        id,
        shop: license.shop,
        license: license.id,
        fingerprint: fingerprint.clone(),
        state: ActivationState::Active,
        version: found.integer()?,
        name: found.optional_text()?,
        label: found.optional_text()?,
        metadata: found.json("metadata")?,
        components: found.optional_json("components")?.unwrap_or_default(),
        created_at: found.time()?,
        last_seen_at: found.time()?,
    };
    Ok(SeatView { license, activation: Some(activation), lapsed })
}

/// A license with what is said of it in a table for other programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedLicense {
    /// The license.
    pub license: License,
    /// The number of its order.
    pub number: Option<OrderNumber>,
    /// The address of whoever it belongs to.
    pub email: Option<Email>,
    /// The name of the group that it is in.
    pub group_name: Option<String>,
}

/// A key that is still sealed into the row of its license.
pub(crate) struct SealedKey {
    pub(crate) license: LicenseId,
    sealed: Vec<u8>,
}

fn key_row(row: &mut Row) -> Result<SealedKey, RowError> {
    sealed_key(&mut Columns::of(row))
}

/// The key in the next two columns.
pub(crate) fn sealed_key(columns: &mut Columns<'_>) -> Result<SealedKey, RowError> {
    Ok(SealedKey { license: columns.id()?, sealed: columns.bytes()? })
}

impl SealedKey {
    /// The key, opened to be handed out, with the license that it is of.
    pub(crate) fn opened(&self, vault: &Vault) -> Result<(LicenseId, KeyCode), ReadError> {
        Ok((self.license, self.open(vault)?))
    }

    fn open(&self, vault: &Vault) -> Result<KeyCode, ReadError> {
        let corrupt = |why: Cow<'_, str>| ReadError::Corrupt(format!("the key of {}: {why}", self.license));
        let opened: Zeroizing<Vec<u8>> = vault
            .open(Purpose::LicenseKey, &self.license.to_string(), &self.sealed)
            .map_err(|error| corrupt(error.to_string().into()))?;
        str::from_utf8(&opened)
            .ok()
            .and_then(|text| KeyCode::parse(text).ok())
            .ok_or_else(|| corrupt("not a license key".into()))
    }
}

fn key_hash(vault: &Vault, key: &KeyCode) -> [u8; HASH_BYTES] {
    let canonical = Zeroizing::new(key.to_string());
    let hash = vault.hash(Purpose::LicenseKey, canonical.as_bytes());
    std::array::from_fn(|place| hash[place])
}

pub(crate) fn by_id(shop: ShopId, license: LicenseId) -> Statement {
    read(WHAT, BY_ID, values![shop, license])
}

pub(crate) fn by_key(shop: ShopId, key: &KeyCode, vault: &Vault) -> Statement {
    read(WHAT, BY_KEY, values![&key_hash(vault, key)[..], shop])
}

/// Asks for the license that this key opened before it was replaced.
pub(crate) fn by_retired_key(shop: ShopId, key: &KeyCode, vault: &Vault) -> Statement {
    read(WHAT, BY_RETIRED_KEY, values![shop, &key_hash(vault, key)[..]])
}

/// Asks for the license that this key of another system opens, or this code out of a stock.
pub(crate) fn by_foreign_key(shop: ShopId, key: &ForeignKey, vault: &Vault) -> Statement {
    read(WHAT, BY_FOREIGN_KEY, values![shop, foreign_key::key_hash(vault, key)])
}

pub(crate) fn of_order(shop: ShopId, order: OrderId) -> Statement {
    read(WHAT, OF_ORDER, values![shop, order])
}

/// Asks for some licenses whose key ends in these symbols, the newest first.
pub(crate) fn with_tail(shop: ShopId, key_tail: &str, limit: u32) -> Statement {
    read(WHAT, LIST_WITH_TAIL.older, values![shop, crate::page::AFTER_EVERY_ID, limit, key_tail, None::<&str>])
}

/// A license that is new, with the key that it seals.
pub(crate) fn issue(license: &License, key: &KeyCode, vault: &Vault) -> Result<Statement, CommitError> {
    let canonical = Zeroizing::new(key.to_string());
    let sealed = vault.seal(Purpose::LicenseKey, &license.id.to_string(), canonical.as_bytes())?;
    Ok(write(
        WHAT,
        INSERT,
        values![
            license.shop,
            license.id,
            license.order,
            license.line,
            license.unit,
            license.product,
            license.plan,
            license.customer,
            license.key_tail.as_str(),
            json(&license.policy)?,
            license.state.as_str(),
            license.seats_used,
            license.started_at,
            license.expires_at,
            license.updates_until,
            i64::try_from(license.uses).unwrap_or(i64::MAX),
            license.uses_since,
            own_acts(license)?,
            license.batch,
            license.group,
            license.created_at,
            license.policy.seat_cap(),
            license.policy.seating.lease_seconds,
            &key_hash(vault, key)[..],
            sealed,
        ],
    ))
}

/// A license that was read and gets a new key; its old one is retired.
pub(crate) fn reissue(new: &Reissue, vault: &Vault) -> Result<[Statement; 4], CommitError> {
    let Reissue { license, key, at } = new;
    let canonical = Zeroizing::new(key.to_string());
    let sealed = vault.seal(Purpose::LicenseKey, &license.id.to_string(), canonical.as_bytes())?;
    Ok([
        write(WHAT, RETIRE, values![license.shop, license.id, license.version, *at]),
        write(
            WHAT,
            REISSUE,
            values![
                license.shop,
                license.id,
                license.version,
                &key_hash(vault, key)[..],
                sealed,
                license.key_tail.as_str(),
                license.seats_used,
                license.customer,
                own_acts(license)?,
            ],
        ),
        foreign_key::retire(license.shop, license.id, *at),
        signed_key::remove(license.shop, license.id),
    ])
}

/// Nothing is written where the owner did nothing: most rows stay as short as they were.
fn own_acts(license: &License) -> Result<Value, CommitError> {
    optional_json(Some(&license.own_acts).filter(|acts| !acts.is_empty()))
}

fn retired_row(row: &mut Row) -> Result<RetiredKey, RowError> {
    let mut columns = Columns::of(row);
    Ok(RetiredKey { license: columns.id()?, new_tail: columns.text()?, retired_at: columns.time()? })
}

/// A license that was read and changed.
pub(crate) fn update(license: &License) -> Result<Statement, CommitError> {
    Ok(write(
        WHAT,
        UPDATE,
        values![
            license.shop,
            license.id,
            license.version,
            license.customer,
            json(&license.policy)?,
            license.policy.seat_cap(),
            license.state.as_str(),
            license.seats_used,
            license.started_at,
            license.expires_at,
            license.updates_until,
            license.policy.seating.lease_seconds,
            own_acts(license)?,
            license.group,
        ],
    ))
}

/// A difference to what is counted, where the count stands and within its cap.
pub(crate) fn count_use(change: &UseChange) -> Statement {
    let cap = change.cap.and_then(|cap| i64::try_from(cap).ok()).unwrap_or(i64::MAX);
    write(WHAT, USE, values![change.shop, change.license, change.period, change.difference, cap])
}

/// Fails the commit when the license has moved on.
pub(crate) fn check(shop: ShopId, license: LicenseId, version: Version) -> Statement {
    write(WHAT, CHECK, values![shop, license, version])
}

impl Store {
    /// The license with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn license(&self, shop: ShopId, license: LicenseId) -> Result<Option<License>, ReadError> {
        self.one(by_id(shop, license), row).await
    }

    /// The license of a key, the seat of the device, and how many leases are over at `now`: one statement, and
    /// nothing is opened. A key that nobody has may have the form of ours and be one that was made elsewhere, which takes
    /// more.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read: that is never "no such key".
    pub async fn seat(
        &self,
        shop: ShopId,
        key: &KeyCode,
        device: Option<&Fingerprint>,
        now: Timestamp,
    ) -> Result<Option<SeatView>, ReadError> {
        self.seat_of(shop, key, &key_hash(&self.vault, key), device, now).await
    }

    /// As [`Self::seat`], from memory where that is known to be what is stored. For answers, and not to decide a
    /// change from: what another process on the same file changes is seen within a fifth of a second.
    ///
    /// # Errors
    /// As [`Self::seat`].
    pub async fn remembered_seat(
        &self,
        shop: ShopId,
        key: &KeyCode,
        device: Option<&Fingerprint>,
        now: Timestamp,
    ) -> Result<Option<Arc<SeatView>>, ReadError> {
        let key_hash = key_hash(&self.vault, key);
        let Some(touched) = self.engine.touched() else {
            self.memory.count_read();
            return Ok(self.seat_of(shop, key, &key_hash, device, now).await?.map(Arc::new));
        };
        let asked = Asked { shop, key_hash, device: device.cloned() };
        let read_at = match self.memory.get(&asked, touched) {
            Ok(view) => return Ok(Some(view)),
            Err(read_at) => read_at,
        };
        let view = self.seat_of(shop, key, &asked.key_hash, device, now).await?.map(Arc::new);
        if let Some(view) = &view {
            self.memory.keep(asked, view, read_at);
        }
        Ok(view)
    }

    /// As [`Self::seat`], for whoever has the hash of the key already.
    async fn seat_of(
        &self,
        shop: ShopId,
        key: &KeyCode,
        key_hash: &[u8],
        device: Option<&Fingerprint>,
        now: Timestamp,
    ) -> Result<Option<SeatView>, ReadError> {
        match self.read_seat(shop, key_hash, device, now).await? {
            Some(view) => Ok(Some(view)),
            None => Box::pin(self.seat_made_elsewhere(shop, key, device, now)).await,
        }
    }

    async fn read_seat(
        &self,
        shop: ShopId,
        key_hash: &[u8],
        device: Option<&Fingerprint>,
        now: Timestamp,
    ) -> Result<Option<SeatView>, ReadError> {
        let Some(fingerprint) = device else {
            return self.one(read(WHAT, OF_KEY, values![key_hash, shop, now]), key_view).await;
        };
        let values = values![key_hash, shop, now, fingerprint.as_str()];
        self.one(read(WHAT, SEAT, values), |row| seat_row(row, fingerprint)).await
    }

    async fn seat_made_elsewhere(
        &self,
        shop: ShopId,
        key: &KeyCode,
        device: Option<&Fingerprint>,
        now: Timestamp,
    ) -> Result<Option<SeatView>, ReadError> {
        let Ok(foreign) = ForeignKey::parse(&key.to_string()) else { return Ok(None) };
        match self.key_behind(shop, &foreign).await? {
            Some(own) => self.read_seat(shop, &key_hash(&self.vault, &own), device, now).await,
            None => Ok(None),
        }
    }

    /// What became of a key that is no license's any more; `None` when it never was one's.
    ///
    /// # Errors
    /// When the database does not answer: that is never "no such key".
    pub async fn retired_key(&self, shop: ShopId, key: &KeyCode) -> Result<Option<RetiredKey>, ReadError> {
        self.one(read(WHAT, RETIRED, values![&key_hash(&self.vault, key)[..], shop]), retired_row).await
    }

    /// How many taken seats of a license have leases that are over at `now`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lapsed_seats(&self, shop: ShopId, license: LicenseId, now: Timestamp) -> Result<u32, ReadError> {
        Ok(self.one(read(WHAT, LAPSED, values![shop, license, now]), |row| row.count(0)).await?.unwrap_or_default())
    }

    /// At most `limit` licenses of a group that count and have seats whose leases are over at `now`, each with how many.
    pub(crate) async fn lapsed_in_group(
        &self,
        shop: ShopId,
        group: GroupId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(License, u32)>, ReadError> {
        let row = |row: &mut Row| key_view(row).map(|view| (view.license, view.lapsed));
        self.every(read(WHAT, LAPSED_IN_GROUP, values![shop, group, now, limit]), row).await
    }

    /// The shop's licenses, newest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn licenses(
        &self,
        shop: ShopId,
        filter: &LicenseFilter,
        page: Page<LicenseId>,
    ) -> Result<Listing<License>, ReadError> {
        let state = filter.state.map(LicenseState::as_str);
        let tail = filter.key_tail.as_deref();
        if let Some(group) = filter.group {
            let conditions = values![group, filter.order, filter.customer, state, tail];
            return self.page(WHAT, &LIST_OF_GROUP, shop, &page, conditions, row).await;
        }
        let (lists, conditions) = match (filter.order, filter.customer, tail, filter.state) {
            (Some(order), customer, _, _) => (&LIST_OF_ORDER, values![order, customer, state, tail]),
            (None, Some(customer), _, _) => (&LIST_OF_CUSTOMER, values![customer, state, tail]),
            (None, None, Some(_), _) => (&LIST_WITH_TAIL, values![tail, state]),
            (None, None, None, Some(LicenseState::Active)) => (&LIST_ACTIVE, values![state]),
            (None, None, None, Some(_)) => (&LIST_IN_STATE, values![state]),
            (None, None, None, None) => (&LIST, values![]),
        };
        self.page(WHAT, lists, shop, &page, conditions, row).await
    }

    /// The licenses of a plan, newest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn licenses_of_plan(
        &self,
        shop: ShopId,
        plan: PlanId,
        page: Page<LicenseId>,
    ) -> Result<Listing<License>, ReadError> {
        self.page(WHAT, &LIST_OF_PLAN, shop, &page, values![plan], row).await
    }

    /// The key of a license, opened to be shown.
    ///
    /// # Errors
    /// When the database does not answer, or the key was sealed with another master key.
    pub async fn license_key(&self, shop: ShopId, license: LicenseId) -> Result<Option<KeyCode>, ReadError> {
        let sealed = self.one(read(WHAT, KEY, values![shop, license]), key_row).await?;
        sealed.map(|key| key.open(&self.vault)).transpose()
    }

    /// The keys of an order, by line and unit, opened to be shown.
    ///
    /// # Errors
    /// When the database does not answer, or a key was sealed with another master key.
    pub async fn license_keys(&self, shop: ShopId, order: OrderId) -> Result<Vec<(LicenseId, KeyCode)>, ReadError> {
        let sealed = self.every(read(WHAT, KEYS_OF_ORDER, values![shop, order]), key_row).await?;
        sealed.into_iter().map(|key| Ok((key.license, key.open(&self.vault)?))).collect()
    }

    /// The next licenses of a shop behind one, oldest first: some hundreds at a time, and none when those were all.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn exported_licenses(
        &self,
        shop: ShopId,
        after: Option<LicenseId>,
    ) -> Result<Vec<ExportedLicense>, ReadError> {
        let after = after.map(|license| license.to_string()).unwrap_or_default();
        let row = |row: &mut Row| {
            let mut found = Columns::of(row);
            let license = columns(&mut found)?;
            let number = found.optional_word("an order number", OrderNumber::parse)?;
            let email = found.optional_email()?;
            Ok(ExportedLicense { license, number, email, group_name: found.optional_text()? })
        };
        self.every(read(WHAT, EXPORT, values![shop, after, EXPORTED_AT_ONCE]), row).await
    }

    /// The licenses of a customer that others paid for, newest first; a hundred at most.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn licenses_received(&self, shop: ShopId, customer: CustomerId) -> Result<Vec<License>, ReadError> {
        self.every(read(WHAT, RECEIVED, values![shop, customer, MOST_RECEIVED]), row).await
    }

    /// The keys of a customer's newest licenses, opened to be shown.
    ///
    /// # Errors
    /// When the database does not answer, or a key was sealed with another master key.
    pub async fn license_keys_of_customer(
        &self,
        shop: ShopId,
        customer: CustomerId,
        limit: u32,
    ) -> Result<Vec<(LicenseId, KeyCode)>, ReadError> {
        let sealed = self.every(read(WHAT, KEYS_OF_CUSTOMER, values![shop, customer, limit]), key_row).await?;
        sealed.into_iter().map(|key| Ok((key.license, key.open(&self.vault)?))).collect()
    }
}
