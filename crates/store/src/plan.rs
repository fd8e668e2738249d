//! Tiers of products.

use domain::{Plan, PlanId, Product, ProductId, ShopId};

use crate::column::Columns;
use crate::page::all;
use crate::statement::{json, read, texts, values, write};
use crate::{CommitError, ReadError, Row, RowError, Statement, Store, product};

const WHAT: &str = "plan";

/// More than any storefront shows.
const MOST: u32 = 1_000;

macro_rules! columns {
    () => {
        "shop_id, id, version, product_id, slug, name, highlights, prices, policy, max_quantity, position, is_active, \
         created_at, fulfilment, bundle, questions"
    };
}

const OF_PRODUCT: &str =
    concat!("select ", columns!(), " from plans where shop_id = $1 and product_id = $2 order by position, id");
const OF_SHOP: &str =
    concat!("select ", columns!(), " from plans where shop_id = $1 order by product_id, position, id limit $2");
const BY_ID: &str = concat!("select ", columns!(), " from plans where shop_id = $1 and id = $2");
const BY_SLUG: &str = concat!("select ", columns!(), " from plans where shop_id = $1 and slug = $2");
const INSERT: &str = concat!(
    "insert into plans (",
    columns!(),
    ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
);
const UPDATE: &str = "update plans set version = version + 1, slug = $4, name = $5, highlights = $6, prices = $7, \
    policy = $8, max_quantity = $9, position = $10, is_active = $11, fulfilment = $12, bundle = $13, questions = $14 \
    where shop_id = $1 and id = $2 and version = $3";

texts![OF_PRODUCT, OF_SHOP, BY_ID, BY_SLUG, INSERT, UPDATE];

fn row(row: &mut Row) -> Result<Plan, RowError> {
    let mut columns = Columns::of(row);
    Ok(Plan {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        product: columns.id()?,
        slug: columns.text()?,
        name: columns.text()?,
        highlights: columns.json("highlights")?,
        prices: columns.json("prices")?,
        policy: columns.json("a policy")?,
        max_quantity: columns.count()?,
        position: columns.count()?,
        is_active: columns.flag()?,
        created_at: columns.time()?,
        fulfilment: columns.optional_json("a kind of fulfilment")?.unwrap_or_default(),
        bundle: columns.optional_json("the parts of a bundle")?.unwrap_or_default(),
        questions: columns.optional_json("the questions of a plan")?.unwrap_or_default(),
    })
}

pub(crate) fn statement(plan: &Plan) -> Result<Statement, CommitError> {
    let highlights = json(&plan.highlights)?;
    let prices = json(&plan.prices)?;
    let policy = json(&plan.policy)?;
    let fulfilment = json(&plan.fulfilment)?;
    let bundle = (!plan.bundle.is_empty()).then(|| json(&plan.bundle)).transpose()?;
    let questions = (!plan.questions.is_empty()).then(|| json(&plan.questions)).transpose()?;
    Ok(match plan.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                plan.shop,
                plan.id,
                plan.product,
                plan.slug.as_str(),
                plan.name.as_str(),
                highlights,
                prices,
                policy,
                plan.max_quantity,
                plan.position,
                plan.is_active,
                plan.created_at,
                fulfilment,
                bundle,
                questions,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                plan.shop,
                plan.id,
                version,
                plan.slug.as_str(),
                plan.name.as_str(),
                highlights,
                prices,
                policy,
                plan.max_quantity,
                plan.position,
                plan.is_active,
                fulfilment,
                bundle,
                questions,
            ],
        ),
    })
}

impl Store {
    /// Every tier of the product, on sale or not, in the order of the seller.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn plans(&self, shop: ShopId, product: ProductId) -> Result<Vec<Plan>, ReadError> {
        self.every(read(WHAT, OF_PRODUCT, values![shop, product]), row).await
    }

    /// Every tier of every product, on sale or not, product by product; a thousand at most.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn plans_of_shop(&self, shop: ShopId) -> Result<Vec<Plan>, ReadError> {
        self.every(read(WHAT, OF_SHOP, values![shop, MOST]), row).await
    }

    /// The plan with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn plan(&self, shop: ShopId, plan: PlanId) -> Result<Option<Plan>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, plan]), row).await
    }

    /// These plans with their products, in this order; those that are not there are left out.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn parts(&self, shop: ShopId, plans: &[PlanId]) -> Result<Vec<(Product, Plan)>, ReadError> {
        if plans.is_empty() {
            return Ok(Vec::new());
        }
        let asked = plans.iter().map(|plan| read(WHAT, BY_ID, values![shop, *plan]));
        let mut parts = Vec::with_capacity(plans.len());
        for rows in self.engine.query(asked.collect()).await? {
            parts.extend(all(WHAT, rows, row)?);
        }
        let asked = parts.iter().map(|part: &Plan| product::by_id(shop, part.product));
        let answers = self.engine.query(asked.collect()).await?;
        let mut whole = Vec::with_capacity(parts.len());
        for (part, rows) in parts.into_iter().zip(answers) {
            whole.extend(all("product", rows, product::row)?.into_iter().map(|product| (product, part.clone())));
        }
        Ok(whole)
    }

    /// The plan with this name in URLs.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn plan_by_slug(&self, shop: ShopId, slug: &str) -> Result<Option<Plan>, ReadError> {
        self.one(read(WHAT, BY_SLUG, values![shop, slug]), row).await
    }
}
