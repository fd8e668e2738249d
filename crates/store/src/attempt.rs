//! What apps asked and were told. Written in batches, counted up, swept away by age.

use domain::{
    Attempt, AttemptId, AttemptKind, AttemptVerdict, CustomerId, Fingerprint, LicenseId, OrderId, Rng, Rule, ShopId,
    Timestamp, contains_card_number,
};

use crate::column::Columns;
use crate::page::{AFTER_EVERY_ID, Lists, lists};
use crate::statement::{any, read, texts, values, write};
use crate::{CommitError, Listing, Page, Purpose, ReadError, Row, RowError, Statement, Store, Vault};

const WHAT: &str = "attempt";

/// More licenses than a page of the portal shows.
const MOST_LICENSES: u32 = 200;

/// No key of any system is shorter, and what is shorter would be told whole by its end.
const SHORTEST_KEY: usize = 16;

/// No key is longer; what is longer is looked at no further.
const LONGEST_KEY: usize = 128;

/// How many symbols of a key are told.
const TAIL: usize = 4;

macro_rules! columns {
    () => {
        "shop_id, id, license_id, kind, verdict, rule, key_tail, key_hash, fingerprint, product, asked, app, times, \
         first_at, last_at"
    };
}

/// Conditions are written so that an index ends in the id, by which all lists go on.
const OF_LICENSE: Lists = lists!("select ", columns!(), " from attempts where shop_id = $1 and license_id = $4");
const STRANGERS: Lists = lists!("select ", columns!(), " from attempts where shop_id = $1 and license_id is null");
const WITH_TAIL: Lists = lists!("select ", columns!(), " from attempts where shop_id = $1 and key_tail = $4");
const WITH_KEY: Lists = lists!("select ", columns!(), " from attempts where shop_id = $1 and key_hash = $4");
const WITH_DEVICE: Lists = lists!("select ", columns!(), " from attempts where shop_id = $1 and fingerprint = $4");
const LAST_OF_CUSTOMER: &str = concat!(
    "select ",
    columns!(),
    " from attempts where shop_id = $1 and id in (select max(refused.id) from attempts refused \
     where refused.shop_id = $1 and refused.verdict <> 'valid' and refused.license_id in \
     (select id from licenses where shop_id = $1 and customer_id = $2) group by refused.license_id) \
     order by id desc limit $3"
);
const LAST_OF_ORDER: &str = concat!(
    "select ",
    columns!(),
    " from attempts where shop_id = $1 and id in (select max(refused.id) from attempts refused \
     where refused.shop_id = $1 and refused.verdict <> 'valid' and refused.license_id in \
     (select id from licenses where shop_id = $1 and order_id = $2) group by refused.license_id) \
     order by id desc limit $3"
);
/// What is there already is counted on: attempts that are alike have one id, wherever they were counted.
const KEEP: &str = concat!(
    "insert into attempts (",
    columns!(),
    ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
     on conflict (shop_id, id) do update set times = attempts.times + excluded.times, \
     fingerprint = coalesce(excluded.fingerprint, attempts.fingerprint), app = coalesce(excluded.app, attempts.app), \
     first_at = case when excluded.first_at < attempts.first_at then excluded.first_at else attempts.first_at end, \
     last_at = case when excluded.last_at > attempts.last_at then excluded.last_at else attempts.last_at end"
);
const FORGET: &str = "delete from attempts where shop_id = $1 and id in \
    (select id from attempts where shop_id = $1 and id < $2 order by id limit $3) returning id";
const FORGET_ORDINARY: &str = "delete from attempts where shop_id = $1 and id in \
    (select id from attempts where shop_id = $1 and verdict = 'valid' and id < $2 order by id limit $3) returning id";

texts![
    OF_LICENSE.older,
    OF_LICENSE.newer,
    STRANGERS.older,
    STRANGERS.newer,
    WITH_TAIL.older,
    WITH_TAIL.newer,
    WITH_KEY.older,
    WITH_KEY.newer,
    WITH_DEVICE.older,
    WITH_DEVICE.newer,
    LAST_OF_CUSTOMER,
    LAST_OF_ORDER,
    KEEP,
    FORGET,
    FORGET_ORDINARY
];

pub(crate) fn row(row: &mut Row) -> Result<Attempt, RowError> {
    let mut columns = Columns::of(row);
    Ok(Attempt {
        shop: columns.id()?,
        id: columns.id()?,
        license: columns.optional_id()?,
        kind: columns.word("a kind of attempt", AttemptKind::parse)?,
        verdict: columns.word("a verdict", AttemptVerdict::parse)?,
        rule: columns.word("a rule", Rule::parse)?,
        key_tail: columns.optional_text()?,
        key_hash: columns.optional_bytes()?,
        fingerprint: columns.optional_word("a fingerprint", |text| Fingerprint::parse(text).ok())?,
        product: columns.optional_text()?,
        asked: columns.optional_text()?,
        app: columns.optional_text()?,
        count: columns.count()?,
        first_at: columns.time()?,
        last_at: columns.time()?,
    })
}

pub(crate) fn statement(attempt: &Attempt) -> Statement {
    let values = values![
        attempt.shop,
        attempt.id,
        attempt.license,
        attempt.kind.as_str(),
        attempt.verdict.as_str(),
        attempt.rule.as_str(),
        attempt.key_tail.as_deref(),
        attempt.key_hash.as_deref(),
        attempt.fingerprint.as_ref().map(Fingerprint::as_str),
        attempt.product.as_deref(),
        attempt.asked.as_deref(),
        attempt.app.as_deref(),
        attempt.count,
        attempt.first_at,
        attempt.last_at,
    ];
    write(WHAT, KEEP, values)
}

/// Attempts are found by these, and by the license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptFilter {
    /// Those of a license.
    License(LicenseId),
    /// Those whose key opened nothing.
    Strangers,
    /// Of those, the ones whose key ended so.
    Tail(String),
    /// Of those, the ones with this key, by its [`TypedKey::hash`].
    Key(Vec<u8>),
    /// Those of a device.
    Device(Fingerprint),
}

/// The last attempt with a key that opened nothing and ended so.
pub(crate) fn last_with_tail(shop: ShopId, tail: &str) -> Statement {
    read(WHAT, WITH_TAIL.older, values![shop, AFTER_EVERY_ID, 1_u32, tail])
}

/// The last attempt with this key, if it opened nothing.
pub(crate) fn last_with_key(shop: ShopId, hash: &[u8]) -> Statement {
    read(WHAT, WITH_KEY.older, values![shop, AFTER_EVERY_ID, 1_u32, hash])
}

/// The last attempt of this device.
pub(crate) fn last_of_device(shop: ShopId, fingerprint: &str) -> Statement {
    read(WHAT, WITH_DEVICE.older, values![shop, AFTER_EVERY_ID, 1_u32, fingerprint])
}

/// What is kept of a key that opened nothing: enough to find it again, too little to use it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypedKey {
    /// The last four symbols, if what was typed is long enough for a key.
    pub tail: Option<String>,
    /// The keyed hash of all of it; `None`: it is empty, or looks like a card number, of which nothing is kept.
    pub hash: Option<Vec<u8>>,
}

impl TypedKey {
    pub(crate) fn read(typed: &str, vault: &Vault) -> Self {
        if contains_card_number(typed) {
            return Self::default();
        }
        let symbols = symbols(typed);
        let tail = (symbols.len() >= SHORTEST_KEY).then(|| symbols[symbols.len() - TAIL..].to_owned());
        let hash = (!symbols.is_empty()).then(|| vault.hash(Purpose::LicenseKey, symbols.as_bytes()).to_vec());
        Self { tail, hash }
    }
}

/// The symbols of a text as a key has them: nothing in between, one case, no letter that is mistaken for a digit.
pub(crate) fn symbols(typed: &str) -> String {
    let mut symbols = String::new();
    for character in typed.chars().filter(char::is_ascii_alphanumeric).take(LONGEST_KEY) {
        let symbol = match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        symbols.push(symbol);
    }
    symbols
}

impl Store {
    /// What is kept of a key that opened nothing.
    #[must_use]
    pub fn typed_key(&self, typed: &str) -> TypedKey {
        TypedKey::read(typed, &self.vault)
    }

    /// Attempts, those that began last first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn attempts(
        &self,
        shop: ShopId,
        filter: &AttemptFilter,
        page: Page<AttemptId>,
    ) -> Result<Listing<Attempt>, ReadError> {
        let (lists, values) = match filter {
            AttemptFilter::License(license) => (&OF_LICENSE, values![*license]),
            AttemptFilter::Strangers => (&STRANGERS, values![]),
            AttemptFilter::Tail(tail) => (&WITH_TAIL, values![tail.as_str()]),
            AttemptFilter::Key(hash) => (&WITH_KEY, values![hash.as_slice()]),
            AttemptFilter::Device(fingerprint) => (&WITH_DEVICE, values![fingerprint.as_str()]),
        };
        self.page(WHAT, lists, shop, &page, values, row).await
    }

    /// The last refusal of each license of a customer that was refused lately.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn last_refusals_of_customer(
        &self,
        shop: ShopId,
        customer: CustomerId,
    ) -> Result<Vec<Attempt>, ReadError> {
        self.every(read(WHAT, LAST_OF_CUSTOMER, values![shop, customer, MOST_LICENSES]), row).await
    }

    /// The last refusal of each license of an order that was refused lately.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn last_refusals_of_order(&self, shop: ShopId, order: OrderId) -> Result<Vec<Attempt>, ReadError> {
        self.every(read(WHAT, LAST_OF_ORDER, values![shop, order, MOST_LICENSES]), row).await
    }

    /// Forgets some attempts of a shop that began before, and some of what was answered with "yes" that began before
    /// `ordinary_before`: `most` of each. Gives whether there are more.
    ///
    /// # Errors
    /// When nothing was written, or nobody knows.
    pub async fn forget_attempts(
        &self,
        shop: ShopId,
        before: Timestamp,
        ordinary_before: Timestamp,
        most: u32,
    ) -> Result<bool, CommitError> {
        // An id begins with the moment it was made at; what chance adds decides within a millisecond.
        let at = |moment: Timestamp| AttemptId::mint(moment, &mut Rng::from_seed([0; 32]));
        let delete = |sql, moment| any(write(WHAT, sql, values![shop, at(moment), most]));
        let gone = self
            .engine
            .commit_returning(vec![delete(FORGET, before), delete(FORGET_ORDINARY, ordinary_before)])
            .await?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(gone.iter().any(|rows| rows.len() >= most))
    }
}
