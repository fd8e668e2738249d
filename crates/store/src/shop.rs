//! Tenants.

use domain::{Country, Locale, Mode, Shop, ShopId};

use crate::column::Columns;
use crate::statement::{json, read, texts, values, write};
use crate::{CommitError, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "shop";

macro_rules! columns {
    () => {
        "id, version, name, mode, host, seller, default_locale, default_currency, default_country, terms, terms_version, \
         refund_policy, created_at, compat"
    };
}

const ALL: &str = concat!("select ", columns!(), " from shops order by id");
const BY_ID: &str = concat!("select ", columns!(), " from shops where id = $1");
const INSERT: &str =
    concat!("insert into shops (", columns!(), ") values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
const UPDATE: &str = "update shops set version = version + 1, name = $3, host = $4, seller = $5, default_locale = $6, \
    default_currency = $7, default_country = $8, terms = $9, terms_version = $10, refund_policy = $11, \
    mode = $12, compat = $13 where id = $1 and version = $2";

texts![ALL, BY_ID, INSERT, UPDATE];

fn row(row: &mut Row) -> Result<Shop, RowError> {
    let mut columns = Columns::of(row);
    Ok(Shop {
        id: columns.id()?,
        version: columns.integer()?,
        name: columns.text()?,
        mode: columns.word("a mode", Mode::parse)?,
        host: columns.optional_text()?,
        seller: columns.json("a seller")?,
        default_locale: columns.word("a language tag", Locale::parse)?,
        default_currency: columns.currency()?,
        default_country: columns.word("a country", Country::parse)?,
        terms: columns.text()?,
        terms_version: columns.text()?,
        refund_policy: columns.text()?,
        created_at: columns.time()?,
        compat: columns.optional_json("how other systems are answered")?.unwrap_or_default(),
    })
}

pub(crate) fn statement(shop: &Shop) -> Result<Statement, CommitError> {
    let (seller, compat) = (json(&shop.seller)?, json(&shop.compat)?);
    Ok(match shop.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                shop.id,
                shop.name.as_str(),
                shop.mode.as_str(),
                shop.host.as_deref(),
                seller,
                shop.default_locale.as_str(),
                shop.default_currency.code(),
                shop.default_country.code(),
                shop.terms.as_str(),
                shop.terms_version.as_str(),
                shop.refund_policy.as_str(),
                shop.created_at,
                compat,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                shop.id,
                version,
                shop.name.as_str(),
                shop.host.as_deref(),
                seller,
                shop.default_locale.as_str(),
                shop.default_currency.code(),
                shop.default_country.code(),
                shop.terms.as_str(),
                shop.terms_version.as_str(),
                shop.refund_policy.as_str(),
                shop.mode.as_str(),
                compat,
            ],
        ),
    })
}

impl Store {
    /// Every shop, oldest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn shops(&self) -> Result<Vec<Shop>, ReadError> {
        self.every(read(WHAT, ALL, values![]), row).await
    }

    /// The shop with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn shop(&self, shop: ShopId) -> Result<Option<Shop>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop]), row).await
    }
}
