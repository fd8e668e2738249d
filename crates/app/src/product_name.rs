//! Products by the names that apps have for them, kept in memory.
//!
//! An app that is installed a hundred thousand times names its product by the
//! same slug each time it asks about its license. Only names that are known
//! are kept, so strangers cannot fill the memory.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use domain::{Duration, ProductId, ShopId, Timestamp};

use crate::clock::has_passed;
use crate::{App, Error};

/// For how long a name is believed to belong to its product. Slugs hardly ever move.
const BELIEVED_FOR: Duration = Duration::seconds(60);

/// Which product has a slug, and when that was read.
type Slugs = BTreeMap<String, (ProductId, Timestamp)>;

#[derive(Default)]
pub(crate) struct ProductNames(RwLock<BTreeMap<ShopId, Slugs>>);

impl ProductNames {
    fn get(&self, shop: ShopId, slug: &str) -> Option<(ProductId, Timestamp)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&shop)?.get(slug).copied()
    }

    fn put(&self, shop: ShopId, slug: &str, found: Option<ProductId>, now: Timestamp) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let names = names.entry(shop).or_default();
        match found {
            Some(product) => names.insert(slug.to_owned(), (product, now)),
            None => names.remove(slug),
        };
    }
}

impl App {
    /// The product with this slug, as it was called within the last minute.
    ///
    /// # Errors
    /// When the store does not answer and the name is not in memory.
    pub async fn product_named(&self, shop: ShopId, slug: &str) -> Result<Option<ProductId>, Error> {
        let now = self.clock.now();
        let kept = self.product_names.get(shop, slug);
        if let Some((product, _)) = kept.filter(|(_, at)| !has_passed(BELIEVED_FOR, *at, now)) {
            return Ok(Some(product));
        }
        let found = self.store.product_by_slug(shop, slug).await?.map(|product| product.id);
        if found.is_some() || kept.is_some() {
            self.product_names.put(shop, slug, found, now);
        }
        Ok(found)
    }
}
