//! Programs of the seller's that are asked over the network. Their secrets are derived and stand in no row.

use data_encoding::BASE64;
use domain::{Endpoint, EndpointId, ShopId};

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{Purpose, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "endpoint";

/// More than any shop has.
const MOST: u32 = 1_000;

macro_rules! columns {
    () => {
        "shop_id, id, version, slug, url, secrets, created_at"
    };
}

const OF_SHOP: &str = concat!("select ", columns!(), " from endpoints where shop_id = $1 order by slug limit $2");
const BY_ID: &str = concat!("select ", columns!(), " from endpoints where shop_id = $1 and id = $2");
const BY_SLUG: &str = concat!("select ", columns!(), " from endpoints where shop_id = $1 and slug = $2");
const INSERT: &str = concat!("insert into endpoints (", columns!(), ") values ($1, $2, 1, $3, $4, $5, $6)");
const UPDATE: &str = "update endpoints set version = version + 1, slug = $4, url = $5, secrets = $6 \
    where shop_id = $1 and id = $2 and version = $3";

texts![OF_SHOP, BY_ID, BY_SLUG, INSERT, UPDATE];

fn row(row: &mut Row) -> Result<Endpoint, RowError> {
    let mut columns = Columns::of(row);
    Ok(Endpoint {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        slug: columns.text()?,
        url: columns.text()?,
        secrets: columns.count()?,
        created_at: columns.time()?,
    })
}

pub(crate) fn statement(endpoint: &Endpoint) -> Statement {
    let Endpoint { id, shop, version, slug, url, secrets, created_at } = endpoint;
    let (slug, url) = (slug.as_str(), url.as_str());
    match version {
        0 => write(WHAT, INSERT, values![*shop, *id, slug, url, *secrets, *created_at]),
        version => write(WHAT, UPDATE, values![*shop, *id, *version, slug, url, *secrets]),
    }
}

impl Store {
    /// The shop's programs, by name; a thousand at most.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn endpoints(&self, shop: ShopId) -> Result<Vec<Endpoint>, ReadError> {
        self.every(read(WHAT, OF_SHOP, values![shop, MOST]), row).await
    }

    /// The program with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn endpoint(&self, shop: ShopId, endpoint: EndpointId) -> Result<Option<Endpoint>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, endpoint]), row).await
    }

    /// The program with this name in files.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn endpoint_by_slug(&self, shop: ShopId, slug: &str) -> Result<Option<Endpoint>, ReadError> {
        self.one(read(WHAT, BY_SLUG, values![shop, slug]), row).await
    }

    /// What signs the messages to a program, as Standard Webhooks writes a secret: `whsec_` and 32 bytes in Base64.
    #[must_use]
    pub fn endpoint_secret(&self, endpoint: &Endpoint) -> String {
        let subject = format!("{}/{}", endpoint.id, endpoint.secrets);
        format!("whsec_{}", BASE64.encode(&self.vault.hash(Purpose::EndpointSecret, subject.as_bytes())))
    }
}
