//! Shops and their gateway accounts, kept in memory.
//!
//! Every page and every webhook needs them and they change a few times a
//! year, so each node reads them again when its copy is older than a few
//! seconds, and at once when it is asked for one that it does not know.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::{Duration, ForeignSystem, GatewayAccount, GatewayAccountId, Shop, ShopId, Timestamp};
use store::Store;

use crate::{App, Error};

/// For how long a copy is believed. A rotated webhook secret works on every node after this long.
const BELIEVED_FOR: Duration = Duration::seconds(5);

#[derive(Default)]
struct Snapshot {
    shops: Vec<Arc<Shop>>,
    accounts: HashMap<GatewayAccountId, Arc<GatewayAccount>>,
    /// Host names that shops have taken over, each with the system that it was: every request asks.
    systems: HashMap<String, ForeignSystem>,
    read_at: Option<Timestamp>,
}

impl Snapshot {
    fn for_host(&self, host: &str) -> Option<&Arc<Shop>> {
        let named = self.shops.iter().find(|shop| shop.host.as_deref() == Some(host));
        let taken_over = || self.shops.iter().find(|shop| shop.compat.hosts.contains_key(host));
        named.or_else(taken_over).or_else(|| self.shops.iter().find(|shop| shop.host.is_none()))
    }
}

pub(crate) struct Shops(RwLock<Arc<Snapshot>>);

impl Shops {
    pub(crate) async fn load(store: &Store, now: Timestamp) -> Result<Self, Error> {
        Ok(Self(RwLock::new(Arc::new(read(store, now).await?))))
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, snapshot: Snapshot) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }
}

async fn read(store: &Store, now: Timestamp) -> Result<Snapshot, Error> {
    let shops: Vec<Arc<Shop>> = store.shops().await?.into_iter().map(Arc::new).collect();
    let mut accounts = HashMap::new();
    for shop in &shops {
        for account in store.gateway_accounts(shop.id).await? {
            accounts.insert(account.id, Arc::new(account));
        }
    }
    let systems = shops.iter().rev().flat_map(|shop| shop.compat.hosts.clone()).collect();
    Ok(Snapshot { shops, accounts, systems, read_at: Some(now) })
}

impl App {
    /// Forgets the copy of shops and accounts, so that a change is seen at once on this node.
    ///
    /// # Errors
    /// When the store does not answer; the old copy stays.
    pub async fn refresh_shops(&self) -> Result<(), Error> {
        self.shops.replace(read(&self.store, self.clock.now()).await?);
        Ok(())
    }

    async fn shops_snapshot(&self) -> Arc<Snapshot> {
        let snapshot = self.shops.snapshot();
        let now = self.clock.now();
        let stale = snapshot.read_at.is_none_or(|at| now.since(at) > BELIEVED_FOR || now < at);
        if stale && self.refresh_shops().await.is_ok() {
            return self.shops.snapshot();
        }
        snapshot
    }

    /// The shop that answers to this host name; without one of its own, the
    /// first shop that answers to any.
    pub async fn shop_for_host(&self, host: &str) -> Option<Arc<Shop>> {
        self.shops_snapshot().await.for_host(host).cloned()
    }

    /// The shop that answers to this host name as far as is known here, without asking anybody.
    #[must_use]
    pub fn shop_at_hand(&self, host: &str) -> Option<ShopId> {
        self.shops.snapshot().for_host(host).map(|shop| shop.id)
    }

    /// The system whose apps ask under this host name, as far as is known here, without asking anybody; `None`: it is
    /// a name like any other.
    #[must_use]
    pub fn system_at_hand(&self, host: &str) -> Option<ForeignSystem> {
        self.shops.snapshot().systems.get(host).copied()
    }

    /// The shop of this gateway account as far as is known here, without asking anybody.
    #[must_use]
    pub fn shop_of_account(&self, account: GatewayAccountId) -> Option<ShopId> {
        self.shops.snapshot().accounts.get(&account).map(|account| account.shop)
    }

    /// The shop with this id.
    pub async fn shop(&self, id: ShopId) -> Option<Arc<Shop>> {
        let find = |snapshot: &Snapshot| snapshot.shops.iter().find(|shop| shop.id == id).cloned();
        match find(&*self.shops_snapshot().await) {
            Some(shop) => Some(shop),
            None => {
                self.refresh_shops().await.ok()?;
                find(&self.shops.snapshot())
            }
        }
    }

    /// Every shop.
    pub async fn shops(&self) -> Vec<Arc<Shop>> {
        self.shops_snapshot().await.shops.clone()
    }

    /// The gateway account with this id, credentials open.
    ///
    /// # Errors
    /// When it is not in memory and the store does not answer: whether there is one is then not known.
    pub async fn gateway_account(&self, id: GatewayAccountId) -> Result<Option<Arc<GatewayAccount>>, Error> {
        if let Some(account) = self.shops_snapshot().await.accounts.get(&id) {
            return Ok(Some(Arc::clone(account)));
        }
        self.refresh_shops().await?;
        Ok(self.shops.snapshot().accounts.get(&id).cloned())
    }

    /// Every gateway account of every shop.
    pub async fn gateway_accounts(&self) -> Vec<Arc<GatewayAccount>> {
        self.shops_snapshot().await;
        self.accounts_at_hand()
    }

    /// Every gateway account of every shop as far as is known here, without asking anybody.
    pub(crate) fn accounts_at_hand(&self) -> Vec<Arc<GatewayAccount>> {
        let mut accounts: Vec<_> = self.shops.snapshot().accounts.values().cloned().collect();
        accounts.sort_by_key(|account| account.id);
        accounts
    }

    /// The account that new payments of the shop go to.
    pub(crate) async fn account_for_payment(&self, shop: &Shop) -> Result<Arc<GatewayAccount>, Error> {
        self.gateway_accounts()
            .await
            .into_iter()
            .find(|account| account.shop == shop.id && account.is_active && account.mode == shop.mode)
            .ok_or_else(|| Error::Configuration("no gateway account is connected to this shop".to_owned()))
    }
}
