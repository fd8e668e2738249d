//! The first rows: a shop, its gateway account, an API key, a sample catalog.

use std::collections::BTreeMap;

use domain::{
    Actor, ApiKey, ApiKeyId, Changes, Compat, Country, FileName, Fulfilment, GatewayAccount, GatewayAccountId, Locale,
    Mode, NewCode, Plan, PlanId, Policy, Pool, PoolCode, PoolId, Price, PriceTier, Product, ProductId, Scope, Seller,
    Shop, ShopId, WhenOut,
};
use gateways::{Gateway, adapter};
use money::Currency;
use store::Purpose;

use crate::doctor::Severity;
use crate::signer::url_text;
use crate::{App, Error, ReleaseInput};

/// What a new shop begins with.
#[derive(Debug, Clone)]
pub struct NewShop {
    /// The name over the door.
    pub name: String,
    /// Real or simulated money.
    pub mode: Mode,
    /// Who sells.
    pub seller: Seller,
    /// The terms of sale in Markdown.
    pub terms: String,
    /// What a buyer may expect of refunds, in Markdown.
    pub refund_policy: String,
}

/// A key for the management API, shown once.
#[derive(Clone)]
pub struct NewApiKey {
    /// Its row.
    pub id: ApiKeyId,
    /// The key itself. It is stored nowhere.
    pub key: String,
}

/// The ids of the sample catalog.
#[derive(Debug, Clone)]
pub struct SampleShop {
    /// The product.
    pub product: ProductId,
    /// Its tiers, from cheap to dear.
    pub plans: Vec<PlanId>,
}

/// A test key in a shop that sells for money would fail at the first real card, and the other way round.
fn check(gateway: &dyn Gateway, mode: Mode, credentials: &str) -> Result<(), Error> {
    gateway.check_credentials(credentials).map_err(|error| Error::Configuration(error.to_string()))?;
    match gateway.mode(credentials) {
        Some(other) if other != mode => Err(Error::Configuration(format!(
            "the shop's mode is {}, and these credentials are of mode {}: take those of the shop's mode",
            mode.as_str(),
            other.as_str()
        ))),
        Some(_) | None => Ok(()),
    }
}

impl App {
    /// Opens a shop.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn create_shop(&self, new: NewShop) -> Result<Shop, Error> {
        let now = self.clock.now();
        let shop = Shop {
            id: ShopId::mint(now, &mut self.entropy.rng()),
            version: 0,
            name: new.name,
            mode: new.mode,
            host: None,
            seller: new.seller,
            default_locale: Locale::english(),
            default_currency: Currency::EUR,
            default_country: Country::DE,
            terms: new.terms,
            terms_version: "1".to_owned(),
            refund_policy: new.refund_policy,
            compat: Compat::default(),
            created_at: now,
        };
        self.write(&Changes { shops: vec![shop.clone()], ..Changes::default() }).await?;
        self.refresh_shops().await?;
        Ok(shop)
    }

    /// Connects a gateway account. `credentials` is the JSON text that its adapter reads.
    ///
    /// # Errors
    /// When there is no such adapter, or the credentials are incomplete.
    pub async fn connect_gateway(
        &self,
        shop: &Shop,
        adapter_name: &str,
        credentials: String,
    ) -> Result<GatewayAccount, Error> {
        let account = self.new_account(shop, adapter_name, credentials)?;
        self.write(&Changes { gateway_accounts: vec![account.clone()], ..Changes::default() }).await?;
        self.refresh_shops().await?;
        Ok(account)
    }

    /// An account that is not kept yet, with credentials that can be read and are of the shop's mode.
    fn new_account(&self, shop: &Shop, adapter_name: &str, credentials: String) -> Result<GatewayAccount, Error> {
        let gateway = adapter(adapter_name).ok_or(Error::NotFound { what: "gateway adapter" })?;
        check(gateway, shop.mode, &credentials)?;
        let now = self.clock.now();
        Ok(GatewayAccount {
            id: GatewayAccountId::mint(now, &mut self.entropy.rng()),
            shop: shop.id,
            version: 0,
            adapter: adapter_name.to_owned(),
            mode: shop.mode,
            credentials,
            is_active: true,
            events_read_to: now,
            created_at: now,
        })
    }

    /// Asks a gateway whether it takes these credentials, before anything of them is kept.
    ///
    /// # Errors
    /// When there is no such adapter, the credentials are incomplete or of the other mode, or the gateway cannot be
    /// reached or does not take them.
    pub async fn try_credentials(&self, shop: &Shop, adapter_name: &str, credentials: &str) -> Result<(), Error> {
        let account = self.new_account(shop, adapter_name, credentials.to_owned())?;
        let finding = self.examine_account(&account).await;
        match finding.severity {
            Severity::Good | Severity::Warning => Ok(()),
            Severity::Broken => Err(Error::Configuration(format!("{}: {}", finding.found, finding.way_out))),
        }
    }

    /// Gives an account new credentials, as when a webhook secret rotates.
    ///
    /// # Errors
    /// When the credentials are incomplete or of the other mode, or the account was changed meanwhile.
    pub async fn set_credentials(&self, account: &GatewayAccount, credentials: String) -> Result<(), Error> {
        let gateway = adapter(&account.adapter).ok_or(Error::NotFound { what: "gateway adapter" })?;
        check(gateway, account.mode, &credentials)?;
        self.change_account(GatewayAccount { credentials, ..account.clone() }).await
    }

    /// Sends new payments to an account, or no more. What was begun there is seen to its end in either case.
    ///
    /// # Errors
    /// When the account was changed meanwhile, or the store does not answer.
    pub async fn use_gateway(&self, account: &GatewayAccount, is_active: bool) -> Result<(), Error> {
        self.change_account(GatewayAccount { is_active, ..account.clone() }).await
    }

    async fn change_account(&self, account: GatewayAccount) -> Result<(), Error> {
        self.write(&Changes { gateway_accounts: vec![account], ..Changes::default() }).await?;
        self.refresh_shops().await
    }

    /// Every API key of a shop, withdrawn or not, oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn api_keys(&self, shop: &Shop) -> Result<Vec<ApiKey>, Error> {
        Ok(self.store.api_keys(shop.id).await?)
    }

    /// Withdraws an API key: from now on it opens nothing. Withdrawing twice is no error.
    ///
    /// # Errors
    /// When the shop has no such key, or the store does not answer.
    pub async fn revoke_api_key(&self, shop: &Shop, id: ApiKeyId) -> Result<ApiKey, Error> {
        let keys = self.api_keys(shop).await?;
        let key = keys.into_iter().find(|key| key.id == id).ok_or(Error::NotFound { what: "api_key" })?;
        if key.revoked_at.is_some() {
            return Ok(key);
        }
        let key = ApiKey { revoked_at: Some(self.clock.now()), ..key };
        self.write(&Changes { api_keys: vec![key.clone()], ..Changes::default() }).await?;
        Ok(key)
    }

    /// Makes a key for the management API.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn create_api_key(&self, shop: &Shop, name: &str, scope: Scope) -> Result<NewApiKey, Error> {
        let now = self.clock.now();
        let mut rng = self.entropy.rng();
        let prefix = match shop.mode {
            Mode::Live => "lk_live",
            Mode::Sandbox => "lk_test",
        };
        let key = format!("{prefix}_{}", url_text(&rng.bytes::<32>()));
        let row = ApiKey {
            id: ApiKeyId::mint(now, &mut rng),
            shop: shop.id,
            token_hash: self.store.vault().hash(Purpose::ApiKey, key.as_bytes()).to_vec(),
            name: name.to_owned(),
            mode: shop.mode,
            scope,
            created_at: now,
            revoked_at: None,
        };
        let id = row.id;
        self.write(&Changes { api_keys: vec![row], ..Changes::default() }).await?;
        Ok(NewApiKey { id, key })
    }

    /// The row of an API key, while it works.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn api_key(&self, key: &str) -> Result<Option<ApiKey>, Error> {
        let hash = self.store.vault().hash(Purpose::ApiKey, key.as_bytes());
        Ok(self.store.api_key(&hash).await?.filter(|row| row.revoked_at.is_none()))
    }

    /// A product with three tiers to look around with: what `demo` sells.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn create_sample_catalog(&self, shop: &Shop) -> Result<SampleShop, Error> {
        let now = self.clock.now();
        let mut rng = self.entropy.rng();
        let product = Product {
            id: ProductId::mint(now, &mut rng),
            shop: shop.id,
            version: 0,
            slug: "lumen".to_owned(),
            name: "Lumen".to_owned(),
            tagline: "Photo editing that keeps the light".to_owned(),
            description: include_str!("../samples/lumen.md").to_owned(),
            setup_guides: BTreeMap::from([
                ("en".to_owned(), include_str!("../samples/lumen-setup.en.md").to_owned()),
                ("de".to_owned(), include_str!("../samples/lumen-setup.de.md").to_owned()),
            ]),
            is_active: true,
            created_at: now,
        };
        let tiers = [
            Tier {
                slug: "lumen-personal",
                name: "Personal",
                seats: 2,
                eur: 4_900,
                highlights: &["All editing tools", "2 devices", "Free updates for version 3"],
                features: &["edit"],
            },
            Tier {
                slug: "lumen-pro",
                name: "Pro",
                seats: 5,
                eur: 9_900,
                highlights: &["Everything in Personal", "5 devices", "Batch processing", "Colour management"],
                features: &["edit", "batch", "color"],
            },
            Tier {
                slug: "lumen-studio",
                name: "Studio",
                seats: 25,
                eur: 39_900,
                highlights: &["Everything in Pro", "25 devices", "Network rendering", "Priority support"],
                features: &["edit", "batch", "color", "render"],
            },
        ];
        let plans: Vec<Plan> = tiers
            .iter()
            .zip(0u32..)
            .map(|(tier, position)| Plan {
                id: PlanId::mint(now, &mut rng),
                shop: shop.id,
                version: 0,
                product: product.id,
                slug: tier.slug.to_owned(),
                name: tier.name.to_owned(),
                highlights: tier.highlights.iter().map(|line| (*line).to_owned()).collect(),
                prices: tier.prices(),
                policy: Policy {
                    seats: Some(tier.seats),
                    valid_days: None,
                    features: tier.features.iter().map(|feature| (*feature).to_owned()).collect(),
                    certificate_seconds: 14 * 24 * 3_600,
                    ..Policy::default()
                },
                fulfilment: Fulfilment::GeneratedKey,
                bundle: Vec::new(),
                questions: Vec::new(),
                max_quantity: 100,
                position,
                is_active: true,
                created_at: now,
            })
            .collect();
        let sample = SampleShop { product: product.id, plans: plans.iter().map(|plan| plan.id).collect() };
        self.write(&Changes { products: vec![product], plans, ..Changes::default() }).await?;
        Ok(sample)
    }
}

impl App {
    /// A version of the sample product with a small file, so that there is something to download: what `demo` offers
    /// beside its keys.
    ///
    /// # Errors
    /// When there is no folder for files, or the store does not answer.
    pub async fn create_sample_release(&self, shop: &Shop, product: ProductId) -> Result<(), Error> {
        let product = self.store.product(shop.id, product).await?.ok_or(Error::NotFound { what: "product" })?;
        let files = self.files()?;
        let received = files
            .receive(sample_content().as_bytes(), self.entropy.rng().next_u128())
            .map_err(|error| Error::Unavailable(format!("{}: {error}", files.folder().display())))?;
        let name = FileName::parse("lumen-3.2.0.txt").map_err(|error| Error::Configuration(error.to_string()))?;
        let input = ReleaseInput {
            number: "3.2.0".to_owned(),
            notes: Some("Opens twice as fast, and keeps the light in **shadows** as well.".to_owned()),
            published_at: None,
            platform: None,
        };
        self.publish(&product, &input, &[(name, received)], Actor::System).await.map(drop)
    }

    /// A product that is sold out of a stock of codes, with a few of them: what `demo` sells beside its own keys.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn create_sample_pool(&self, shop: &Shop) -> Result<PoolId, Error> {
        let now = self.clock.now();
        let mut rng = self.entropy.rng();
        let pool = Pool {
            id: PoolId::mint(now, &mut rng),
            shop: shop.id,
            version: 0,
            slug: "film-pack".to_owned(),
            name: "Film pack codes".to_owned(),
            when_out: WhenOut::BackOrder,
            low_at: 2,
            alerted_at: None,
            held_at: None,
            created_at: now,
        };
        let product = Product {
            id: ProductId::mint(now, &mut rng),
            shop: shop.id,
            version: 0,
            slug: "film-pack".to_owned(),
            name: "Lumen Film Pack".to_owned(),
            tagline: "Forty film looks, by code".to_owned(),
            description: "A code for the film looks of a partner. Enter it in Lumen under *Looks*.".to_owned(),
            setup_guides: BTreeMap::new(),
            is_active: true,
            created_at: now,
        };
        let price = Price { currency: Currency::EUR, tiers: vec![PriceTier { from_quantity: 1, unit_minor: 1_900 }] };
        let plan = Plan {
            id: PlanId::mint(now, &mut rng),
            shop: shop.id,
            version: 0,
            product: product.id,
            slug: "film-pack".to_owned(),
            name: "Code".to_owned(),
            highlights: vec!["Forty film looks".to_owned(), "One code a unit".to_owned()],
            prices: vec![price],
            policy: Policy::default(),
            fulfilment: Fulfilment::Pool { pool: pool.id },
            bundle: Vec::new(),
            questions: Vec::new(),
            max_quantity: 10,
            position: 0,
            is_active: true,
            created_at: now,
        };
        let code = |place: u32| NewCode { shop: shop.id, pool: pool.id, code: PoolCode::sample(place), at: now };
        let id = pool.id;
        let codes = (1..=5).map(code).collect();
        let changes =
            Changes { pools: vec![pool], codes, products: vec![product], plans: vec![plan], ..Changes::default() };
        self.write(&changes).await?;
        Ok(id)
    }
}

/// What stands for the program that is sold: a few kilobytes, the same everywhere.
fn sample_content() -> String {
    let told = "This file stands for Lumen, the program that the sample shop sells. Its lines are counted, so that you see\n\
                that a download which was cut off goes on where it ended.\n\n";
    let lines = (1..=160).map(|line| format!("{line:>4}  The light that falls on a photograph is kept.\n"));
    std::iter::once(told.to_owned()).chain(lines).collect()
}

struct Tier {
    slug: &'static str,
    name: &'static str,
    seats: u32,
    eur: i64,
    highlights: &'static [&'static str],
    features: &'static [&'static str],
}

impl Tier {
    /// Prices as a seller sets them, by hand, and a tenth less from five units on.
    fn prices(&self) -> Vec<Price> {
        let in_currency = |currency: Currency, unit_minor: i64| Price {
            currency,
            tiers: vec![
                PriceTier { from_quantity: 1, unit_minor },
                PriceTier { from_quantity: 5, unit_minor: unit_minor / 10 * 9 },
            ],
        };
        vec![
            in_currency(Currency::EUR, self.eur),
            in_currency(Currency::USD, self.eur + 600),
            in_currency(Currency::GBP, self.eur - 600),
            in_currency(Currency::CHF, self.eur),
            in_currency(Currency::JPY, self.eur * 160 / 100),
            in_currency(Currency::KRW, self.eur * 1_500 / 100),
        ]
    }
}
