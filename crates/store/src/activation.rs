//! Devices on seats. The unique index on (license, fingerprint) of taken seats keeps one device on one seat.

use domain::{Activation, ActivationId, ActivationState, CustomerId, Fingerprint, Lapse, LicenseId, OrderId, ShopId};

use crate::column::Columns;
use crate::statement::{json, optional_json, read, texts, values, write};
use crate::{CommitError, Expect, ReadError, Row, RowError, Statement, Store, Value};

const WHAT: &str = "activation";

/// More than any page shows; released seats pile up for ever.
const MOST: u32 = 1_000;

macro_rules! columns {
    () => {
        "shop_id, id, version, license_id, fingerprint, name, label, metadata, components, state, created_at, last_seen_at"
    };
}

const BY_ID: &str = concat!("select ", columns!(), " from activations where shop_id = $1 and id = $2");
const OF_LICENSE: &str = concat!(
    "select ",
    columns!(),
    " from activations where shop_id = $1 and license_id = $2 order by id desc limit $3"
);
const TAKEN_OF_ORDER: &str = concat!(
    "select ",
    columns!(),
    " from activations where shop_id = $1 and state = 'active' \
     and license_id in (select id from licenses where shop_id = $1 and order_id = $2) \
     order by license_id, id limit $3"
);
const TAKEN_OF_CUSTOMER: &str = concat!(
    "select ",
    columns!(),
    " from activations where shop_id = $1 and state = 'active' \
     and license_id in (select id from licenses where shop_id = $1 and customer_id = $2) \
     order by license_id, id limit $3"
);
const WITH_FINGERPRINT: &str = concat!(
    "select ",
    columns!(),
    " from activations where shop_id = $1 and fingerprint = $2 order by id desc limit $3"
);
const WITH_NAME: &str = concat!(
    "select ",
    columns!(),
    " from activations where shop_id = $1 and search_name >= $2 and search_name < $3 order by search_name, id limit $4"
);
const EXPORT: &str =
    concat!("select ", columns!(), " from activations where shop_id = $1 and id > $2 order by id limit $3");
const INSERT: &str = concat!(
    "insert into activations (",
    columns!(),
    ", search_name) values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
);
/// Leaves the state alone, and with it the indexes: this is what a heartbeat writes.
const UPDATE: &str = "update activations set version = version + 1, name = $4, metadata = $5, last_seen_at = $6 \
    where shop_id = $1 and id = $2 and version = $3";
const RELEASE: &str = "update activations set version = version + 1, state = 'released', name = $4, metadata = $5, \
    last_seen_at = $6 where shop_id = $1 and id = $2 and version = $3";
const DEVICE: &str = "update activations set version = version + 1, name = $4, metadata = $5, last_seen_at = $6, \
    fingerprint = $7, components = $8, label = $10, search_name = $11 \
    where shop_id = $1 and id = $2 and version = $3 and license_id = $9";
const LAPSE: &str = "update activations set version = version + 1, state = 'released' \
    where shop_id = $1 and license_id = $2 and state = 'active' and last_seen_at <= $3";

texts![
    BY_ID,
    OF_LICENSE,
    TAKEN_OF_ORDER,
    TAKEN_OF_CUSTOMER,
    WITH_FINGERPRINT,
    WITH_NAME,
    EXPORT,
    INSERT,
    UPDATE,
    RELEASE,
    DEVICE,
    LAPSE
];

pub(crate) fn row(row: &mut Row) -> Result<Activation, RowError> {
    let mut columns = Columns::of(row);
    Ok(Activation {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        license: columns.id()?,
        fingerprint: columns.word("a fingerprint", |text| Fingerprint::parse(text).ok())?,
        name: columns.optional_text()?,
        label: columns.optional_text()?,
        metadata: columns.json("metadata")?,
        components: columns.optional_json("components")?.unwrap_or_default(),
        state: columns.word("a state of an activation", ActivationState::parse)?,
        created_at: columns.time()?,
        last_seen_at: columns.time()?,
    })
}

pub(crate) fn by_id(shop: ShopId, activation: ActivationId) -> Statement {
    read(WHAT, BY_ID, values![shop, activation])
}

/// Asks for some seats of this device, on any license, the newest first.
pub(crate) fn with_fingerprint(shop: ShopId, fingerprint: &str, limit: u32) -> Statement {
    read(WHAT, WITH_FINGERPRINT, values![shop, fingerprint, limit])
}

/// Asks for some seats of devices whose name begins like this, in any case.
pub(crate) fn with_name(shop: ShopId, start: &str, limit: u32) -> Statement {
    let start = start.to_lowercase();
    let end = format!("{start}{}", char::MAX);
    read(WHAT, WITH_NAME, values![shop, start, end, limit])
}

/// Gives back the seats whose leases are over. When they are not exactly so many, one was renewed meanwhile.
pub(crate) fn lapse(lapse: &Lapse) -> Statement {
    let values = values![lapse.shop, lapse.license, lapse.last_seen_by];
    Statement { expect: Expect::Rows(u64::from(lapse.seats)), ..write(WHAT, LAPSE, values) }
}

/// By what support finds a device: what it is called, in small letters.
fn search_name(activation: &Activation) -> Option<String> {
    activation.shown_name().map(str::to_lowercase)
}

fn components(activation: &Activation) -> Result<Value, CommitError> {
    optional_json(Some(&activation.components).filter(|components| !components.is_empty()))
}

pub(crate) fn statement(activation: &Activation) -> Result<Statement, CommitError> {
    let metadata = json(&activation.metadata)?;
    if activation.version == 0 {
        let values = values![
            activation.shop,
            activation.id,
            activation.license,
            activation.fingerprint.as_str(),
            activation.name.as_deref(),
            activation.label.as_deref(),
            metadata,
            components(activation)?,
            activation.state.as_str(),
            activation.created_at,
            activation.last_seen_at,
            search_name(activation),
        ];
        return Ok(write(WHAT, INSERT, values));
    }
    // A seat that was given back is never taken up again, so a row that is active now was active before.
    let sql = match activation.state {
        ActivationState::Active => UPDATE,
        ActivationState::Released => RELEASE,
    };
    let values = values![
        activation.shop,
        activation.id,
        activation.version,
        activation.name.as_deref(),
        metadata,
        activation.last_seen_at,
    ];
    Ok(write(WHAT, sql, values))
}

/// A seat that goes on under another fingerprint or name, or with other components. The license is named, so that what is
/// remembered of it for the new fingerprint, which had no seat, is not believed any more.
pub(crate) fn device(activation: &Activation) -> Result<Statement, CommitError> {
    let values = values![
        activation.shop,
        activation.id,
        activation.version,
        activation.name.as_deref(),
        json(&activation.metadata)?,
        activation.last_seen_at,
        activation.fingerprint.as_str(),
        components(activation)?,
        activation.license,
        activation.label.as_deref(),
        search_name(activation),
    ];
    Ok(write(WHAT, DEVICE, values))
}

impl Store {
    /// The next seats of a shop behind one, oldest first: some hundreds at a time, and none when those were all.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn exported_activations(
        &self,
        shop: ShopId,
        after: Option<ActivationId>,
    ) -> Result<Vec<Activation>, ReadError> {
        let after = after.map(|seat| seat.to_string()).unwrap_or_default();
        self.every(read(WHAT, EXPORT, values![shop, after, crate::license::EXPORTED_AT_ONCE]), row).await
    }

    /// The seats of a license, taken and given back, newest first; the last thousand of them.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn activations(&self, shop: ShopId, license: LicenseId) -> Result<Vec<Activation>, ReadError> {
        self.every(read(WHAT, OF_LICENSE, values![shop, license, MOST]), row).await
    }

    /// The taken seats of every license of an order, license by license, oldest first; a thousand at most.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn activations_of_order(&self, shop: ShopId, order: OrderId) -> Result<Vec<Activation>, ReadError> {
        self.every(read(WHAT, TAKEN_OF_ORDER, values![shop, order, MOST]), row).await
    }

    /// The taken seats of every license of a customer, license by license, oldest first; a thousand at most.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn activations_of_customer(
        &self,
        shop: ShopId,
        customer: CustomerId,
    ) -> Result<Vec<Activation>, ReadError> {
        self.every(read(WHAT, TAKEN_OF_CUSTOMER, values![shop, customer, MOST]), row).await
    }

    /// The seat that a device has held longest, of those that it has not given back, on any license.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn taken_seat_of(&self, shop: ShopId, fingerprint: &str) -> Result<Option<Activation>, ReadError> {
        let seats = self.every(with_fingerprint(shop, fingerprint, MOST), row).await?;
        Ok(seats.into_iter().rfind(|seat| seat.state == ActivationState::Active))
    }

    /// The seat with this id, taken or given back.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn activation(&self, shop: ShopId, activation: ActivationId) -> Result<Option<Activation>, ReadError> {
        self.one(by_id(shop, activation), row).await
    }
}
