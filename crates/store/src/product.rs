//! What is sold.

use domain::{Product, ProductId, ShopId};

use crate::column::Columns;
use crate::statement::{json, read, texts, values, write};
use crate::{CommitError, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "product";

macro_rules! columns {
    () => {
        "shop_id, id, version, slug, name, tagline, description, setup_guides, is_active, created_at"
    };
}

const OF_SHOP: &str = concat!("select ", columns!(), " from products where shop_id = $1 order by id");
const BY_ID: &str = concat!("select ", columns!(), " from products where shop_id = $1 and id = $2");
const BY_SLUG: &str = concat!("select ", columns!(), " from products where shop_id = $1 and slug = $2");
/// What is fulfilled how is said by the plan; programs of the release before look for a word here.
const INSERT: &str = concat!(
    "insert into products (",
    columns!(),
    ", fulfilment) \
        values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, 'generated_key')"
);
const UPDATE: &str = "update products set version = version + 1, slug = $4, name = $5, tagline = $6, description = $7, \
    setup_guides = $8, is_active = $9 where shop_id = $1 and id = $2 and version = $3";

texts![OF_SHOP, BY_ID, BY_SLUG, INSERT, UPDATE];

pub(crate) fn row(row: &mut Row) -> Result<Product, RowError> {
    let mut columns = Columns::of(row);
    Ok(Product {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        slug: columns.text()?,
        name: columns.text()?,
        tagline: columns.text()?,
        description: columns.text()?,
        setup_guides: columns.json("setup guides by language")?,
        is_active: columns.flag()?,
        created_at: columns.time()?,
    })
}

pub(crate) fn statement(product: &Product) -> Result<Statement, CommitError> {
    let setup_guides = json(&product.setup_guides)?;
    Ok(match product.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                product.shop,
                product.id,
                product.slug.as_str(),
                product.name.as_str(),
                product.tagline.as_str(),
                product.description.as_str(),
                setup_guides,
                product.is_active,
                product.created_at,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                product.shop,
                product.id,
                version,
                product.slug.as_str(),
                product.name.as_str(),
                product.tagline.as_str(),
                product.description.as_str(),
                setup_guides,
                product.is_active,
            ],
        ),
    })
}

pub(crate) fn by_id(shop: ShopId, product: ProductId) -> Statement {
    read(WHAT, BY_ID, values![shop, product])
}

impl Store {
    /// Every product of the shop, on sale or not, oldest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn products(&self, shop: ShopId) -> Result<Vec<Product>, ReadError> {
        self.every(read(WHAT, OF_SHOP, values![shop]), row).await
    }

    /// The product with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn product(&self, shop: ShopId, product: ProductId) -> Result<Option<Product>, ReadError> {
        self.one(by_id(shop, product), row).await
    }

    /// The product with this name in URLs.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn product_by_slug(&self, shop: ShopId, slug: &str) -> Result<Option<Product>, ReadError> {
        self.one(read(WHAT, BY_SLUG, values![shop, slug]), row).await
    }
}
