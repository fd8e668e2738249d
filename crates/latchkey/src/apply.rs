//! `apply`: shop, products and plans from a file.
//!
//! The file says what should be; what is there already is brought up to date
//! by its slug. Orders keep the prices they were made with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use app::App;
use clap::Args;
use domain::{
    AtExpiry, ByHand, Changes, Compat, Country, Endpoint, EndpointId, FeatureValue, ForeignSystem, Fulfilment, Locale,
    MOST_SAID_BY_A_KEY, Matching, Metering, Mode, Offline, Overage, Plan, PlanId, Policy, Pool, PoolId, Price,
    PriceTier, Product, ProductId, Question, Quota, SeatHolder, Seating, Seller, Shop, Starts, Term, Units, WhenOut,
    Wording, each_once, plain_text,
};
use money::{Currency, Money};
use serde::Deserialize;
use serde_json::json;
use store::{OrderFilter, Page};

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// What to write.
#[derive(Args)]
pub(crate) struct ApplyArguments {
    /// The file, in TOML; docs/shop-file.md describes it.
    file: PathBuf,
    /// Say what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    shop: Option<ShopFile>,
    #[serde(default)]
    pool: Vec<PoolFile>,
    #[serde(default)]
    endpoint: Vec<EndpointFile>,
    #[serde(default)]
    product: Vec<ProductFile>,
}

/// A stock of codes; the codes themselves are never in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PoolFile {
    slug: String,
    name: String,
    when_out: Option<String>,
    low_at: Option<u32>,
}

/// A program of the seller's that is asked for what buyers are owed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointFile {
    slug: String,
    url: String,
}

/// Where what the buyer gets comes from.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FulfilmentWord {
    #[default]
    GeneratedKey,
    Pool,
    Manual,
    Webhook,
    Download,
    SignedKey,
}

impl FulfilmentWord {
    fn as_str(self) -> &'static str {
        match self {
            Self::GeneratedKey => "generated_key",
            Self::Pool => "pool",
            Self::Manual => "manual",
            Self::Webhook => "webhook",
            Self::Download => "download",
            Self::SignedKey => "signed_key",
        }
    }
}

/// What plans can name, by slug: of the shop, and of the file before it.
#[derive(Default)]
struct Sources {
    pools: BTreeMap<String, Pool>,
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShopFile {
    name: Option<String>,
    mode: Option<String>,
    host: Option<String>,
    seller: Option<Seller>,
    locale: Option<Locale>,
    currency: Option<Currency>,
    country: Option<Country>,
    terms: Option<String>,
    terms_version: Option<String>,
    refund_policy: Option<String>,
    compat: Option<Compat>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductFile {
    slug: String,
    name: String,
    #[serde(default)]
    tagline: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    setup_guides: BTreeMap<String, String>,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    plan: Vec<PlanFile>,
}

/// A price as people write it, never as a number: a floating point one has lost its cents before anybody looks.
struct PriceText(String);

impl<'de> Deserialize<'de> for PriceText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let kind = value.type_str();
        if let toml::Value::String(text) = value {
            return Ok(Self(text));
        }
        Err(serde::de::Error::custom(format!("a price is a text, as \"99.00\", and not {kind}")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    slug: String,
    name: String,
    #[serde(default)]
    highlights: Vec<String>,
    /// Currency to price of one unit as people write it: `EUR = "49.00"`.
    prices: BTreeMap<String, PriceText>,
    /// Quantity to price of one unit from there on, per currency.
    #[serde(default)]
    quantity_prices: BTreeMap<String, BTreeMap<String, PriceText>>,
    seats: Option<u32>,
    valid_days: Option<u32>,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    starts: Starts,
    update_days: Option<u32>,
    #[serde(default)]
    grace_days: u32,
    #[serde(default)]
    at_expiry: AtExpiry,
    #[serde(default)]
    trial: bool,
    check_in_days: Option<u32>,
    file_days: Option<u32>,
    #[serde(default)]
    seats_for: SeatHolder,
    lease_seconds: Option<u32>,
    #[serde(default)]
    overage: Overage,
    #[serde(default)]
    quantity_makes: Units,
    match_components: Option<Matching>,
    releases: Option<u32>,
    release_days: Option<u32>,
    #[serde(default)]
    feature_values: BTreeMap<String, FeatureValue>,
    #[serde(default)]
    metered: bool,
    usage_limit: Option<u64>,
    usage_reset_days: Option<u32>,
    #[serde(default)]
    fulfilment: FulfilmentWord,
    /// Slugs of the plans that are sold together as this one.
    #[serde(default)]
    bundle: Vec<String>,
    /// What buyers are asked at the till.
    #[serde(default)]
    question: Vec<QuestionFile>,
    pool: Option<String>,
    endpoint: Option<String>,
    /// Within how many hours of paying a person of the shop is done.
    within_hours: Option<u32>,
    #[serde(default = "fortnight")]
    offline_days: u32,
    #[serde(default = "hundred")]
    max_quantity: u32,
    #[serde(default = "yes")]
    active: bool,
}

/// What buyers are asked at the till.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionFile {
    name: String,
    label: WordingFile,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    choices: Vec<String>,
    help: Option<WordingFile>,
}

/// A text, or one per language.
#[derive(Deserialize)]
#[serde(untagged)]
enum WordingFile {
    Text(String),
    Texts(BTreeMap<String, String>),
}

const fn yes() -> bool {
    true
}
const fn fortnight() -> u32 {
    14
}
const fn hundred() -> u32 {
    100
}

/// With how few codes left the seller is told, where the file does not say.
const TELL_LOW_AT: u32 = 10;

/// The most characters of a label or a sentence of help.
const LONGEST_WORDING: usize = 300;

/// A lease that is shorter would be lost to the first hiccup of a network, and heartbeats would be all there is.
const SHORTEST_LEASE: u32 = 60;

/// Brings the stored catalog to what the file says.
pub(crate) async fn run(settings: &Settings, output: &Output, arguments: &ApplyArguments) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&arguments.file)
        .with_context(|| format!("{} cannot be read", arguments.file.display()))?;
    let file: File =
        toml::from_str(&text).with_context(|| format!("{} does not say what it should", arguments.file.display()))?;
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let app = &wired.app;
    let shops = app.shops().await;
    let wanted_host = file.shop.as_ref().and_then(|shop| shop.host.clone());
    let shop = shops
        .iter()
        .find(|shop| shop.host == wanted_host)
        .or_else(|| shops.first())
        .context("there is no shop yet: start the server once")?;
    let shop = shop.as_ref().clone();

    let mut changes = Changes::default();
    let mut told = Vec::new();
    if let Some(wanted) = file.shop {
        let next = merge_shop(&shop, wanted)?;
        if next.mode != shop.mode && is_in_use(app, &shop).await? {
            bail!(
                "shop.mode is {} for good: accounts, API keys and orders were made for it; open another shop",
                shop.mode.as_str()
            );
        }
        if next != shop {
            told.push(format!("shop {}", next.name));
            changes.shops.push(next);
        }
    }
    let mut sources = Sources::default();
    for pool in app.store.pools(shop.id).await? {
        sources.pools.insert(pool.slug.clone(), pool);
    }
    for endpoint in app.store.endpoints(shop.id).await? {
        sources.endpoints.insert(endpoint.slug.clone(), endpoint);
    }
    for wanted in file.pool {
        let pool = merge_pool(app, &shop, sources.pools.get(&wanted.slug), wanted)?;
        if sources.pools.get(&pool.slug) != Some(&pool) {
            told.push(format!("pool {}", pool.slug));
            changes.pools.push(pool.clone());
        }
        sources.pools.insert(pool.slug.clone(), pool);
    }
    for wanted in file.endpoint {
        let endpoint = merge_endpoint(app, &shop, sources.endpoints.get(&wanted.slug), wanted)?;
        if sources.endpoints.get(&endpoint.slug) != Some(&endpoint) {
            told.push(format!("endpoint {}", endpoint.slug));
            changes.endpoints.push(endpoint.clone());
        }
        sources.endpoints.insert(endpoint.slug.clone(), endpoint);
    }
    let mut bundles = Vec::new();
    for wanted in &file.product {
        let bundled = wanted.plan.iter().filter(|plan| !plan.bundle.is_empty());
        bundles.extend(bundled.map(|plan| (plan.slug.clone(), plan.bundle.clone())));
    }
    let language = changes.shops.first().unwrap_or(&shop).default_locale.language().to_owned();
    for wanted in file.product {
        merge_product(app, &shop, &language, wanted, &sources, &mut changes, &mut told).await?;
    }
    for (slug, parts) in bundles {
        merge_bundle(app, &shop, &slug, &parts, &mut changes, &mut told).await?;
    }
    check_other_bundles(app, &shop, &changes).await?;
    let lines = match (told.is_empty(), arguments.dry_run) {
        (true, _) => "Nothing to change.".to_owned(),
        (false, true) => format!("Would change: {}", told.join(", ")),
        (false, false) => {
            format!("Changed: {}\nNext: open {}/ and look at it.", told.join(", "), app.settings.public_url)
        }
    };
    if !arguments.dry_run && !told.is_empty() {
        app.write(&changes).await?;
        app.refresh_shops().await?;
    }
    let mut lines = vec![lines];
    let elsewhere = changes.shops.first().and_then(|shop| app.examine_host(shop)).filter(|_| !arguments.dry_run);
    lines.extend(elsewhere.map(|finding| format!("Mind: {}: {}", finding.found, finding.way_out)));
    let mut bare = app.plans_without_files(shop.id).await?;
    bare.retain(|bare| bare.plan.is_active && bare.product.is_active);
    lines.extend(bare.iter().map(|bare| {
        let (plan, product) = (&bare.plan.slug, &bare.product.slug);
        format!("Mind: {plan} sells files, and {product} has none yet: latchkey releases add {product} VERSION FILE")
    }));
    let without_files: Vec<&str> = bare.iter().map(|bare| bare.plan.slug.as_str()).collect();
    let report = json!({ "changed": told, "dry_run": arguments.dry_run, "without_files": without_files });
    output.result(&report, &lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn merge_shop(shop: &Shop, wanted: ShopFile) -> anyhow::Result<Shop> {
    for (host, system) in wanted.compat.iter().flat_map(|compat| &compat.hosts) {
        if !system.is_answered() {
            bail!("shop.compat.hosts: {host} cannot be {}: no app asks in its words", system.as_str());
        }
        if host.is_empty() || host.contains(['/', ':']) || host.to_lowercase() != *host {
            bail!("shop.compat.hosts: {host} must be a host name in small letters, as licenses.example.com");
        }
    }
    for (system, base) in wanted.compat.iter().flat_map(|compat| &compat.shadow) {
        check_shadow(*system, base, wanted.compat.as_ref().into_iter().flat_map(|compat| compat.hosts.keys()))?;
    }
    let mode = match wanted.mode.as_deref() {
        None => shop.mode,
        Some(text) => Mode::parse(text).with_context(|| format!("shop.mode must be live or sandbox, not {text}"))?,
    };
    Ok(Shop {
        name: wanted.name.unwrap_or_else(|| shop.name.clone()),
        mode,
        host: wanted.host.or_else(|| shop.host.clone()),
        seller: wanted.seller.unwrap_or_else(|| shop.seller.clone()),
        default_locale: wanted.locale.unwrap_or_else(|| shop.default_locale.clone()),
        default_currency: wanted.currency.unwrap_or(shop.default_currency),
        default_country: wanted.country.unwrap_or(shop.default_country),
        terms: wanted.terms.unwrap_or_else(|| shop.terms.clone()),
        terms_version: wanted.terms_version.unwrap_or_else(|| shop.terms_version.clone()),
        refund_policy: wanted.refund_policy.unwrap_or_else(|| shop.refund_policy.clone()),
        compat: wanted.compat.unwrap_or_else(|| shop.compat.clone()),
        ..shop.clone()
    })
}

/// Whether an old system can be asked there.
fn check_shadow<'a>(
    system: ForeignSystem,
    base: &str,
    mut hosts: impl Iterator<Item = &'a String>,
) -> anyhow::Result<()> {
    let name = system.as_str();
    if !system.is_answered() {
        bail!("shop.compat.shadow: {name} cannot be asked: no app asks in its words");
    }
    let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty()
        || base.ends_with('/')
        || base.contains(|letter: char| letter.is_whitespace() || "@?#".contains(letter))
    {
        bail!(
            "shop.compat.shadow: {name} must be an address as https://api.example.com, without a slash at its end, a \
             query, or a user"
        );
    }
    // Keys go there.
    if !base.starts_with("https://") && !is_on_this_machine(base) {
        bail!("shop.compat.shadow: {name}: what goes over a network goes over https");
    }
    let host = host.split(['/', ':']).next().unwrap_or_default();
    if hosts.any(|own| own == host) {
        bail!(
            "shop.compat.shadow: {name}: {host} is asked here; name the address at which the old system still answers"
        );
    }
    Ok(())
}

/// Whether anything exists that is bound to real or to simulated money.
async fn is_in_use(app: &App, shop: &Shop) -> anyhow::Result<bool> {
    let page = Page { starting_after: None, ending_before: None, limit: 1 };
    Ok(!app.store.gateway_accounts(shop.id).await?.is_empty()
        || !app.store.api_keys(shop.id).await?.is_empty()
        || !app.store.orders(shop.id, &OrderFilter::default(), page).await?.data.is_empty())
}

async fn merge_product(
    app: &App,
    shop: &Shop,
    language: &str,
    wanted: ProductFile,
    sources: &Sources,
    changes: &mut Changes,
    told: &mut Vec<String>,
) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut rng = app.entropy.rng();
    let known = app.store.product_by_slug(shop.id, &wanted.slug).await?;
    let product = Product {
        id: known.as_ref().map_or_else(|| ProductId::mint(now, &mut rng), |known| known.id),
        shop: shop.id,
        version: known.as_ref().map_or(0, |known| known.version),
        slug: checked_slug(&wanted.slug)?,
        name: wanted.name,
        tagline: wanted.tagline,
        description: wanted.description,
        setup_guides: wanted.setup_guides,
        is_active: wanted.active,
        created_at: known.as_ref().map_or(now, |known| known.created_at),
    };
    for (wanted, position) in wanted.plan.into_iter().zip(0u32..) {
        let known = app.store.plan_by_slug(shop.id, &wanted.slug).await?;
        let plan = Plan {
            id: known.as_ref().map_or_else(|| PlanId::mint(now, &mut rng), |known| known.id),
            shop: shop.id,
            version: known.as_ref().map_or(0, |known| known.version),
            product: product.id,
            slug: checked_slug(&wanted.slug)?,
            prices: prices(&wanted)?,
            policy: policy(&wanted)?,
            fulfilment: fulfilment(&wanted, sources)?,
            bundle: match wanted.bundle.is_empty() {
                true => Vec::new(),
                // What its parts are is known when every plan of the file is.
                false => known.as_ref().map(|known| known.bundle.clone()).unwrap_or_default(),
            },
            questions: questions(&wanted, language)?,
            name: wanted.name,
            highlights: wanted.highlights,
            max_quantity: wanted.max_quantity,
            position,
            is_active: wanted.active,
            created_at: known.as_ref().map_or(now, |known| known.created_at),
        };
        if known.as_ref() != Some(&plan) {
            told.push(format!("plan {}", plan.slug));
            changes.plans.push(plan);
        }
    }
    if known.as_ref() != Some(&product) {
        told.push(format!("product {}", product.slug));
        changes.products.push(product);
    }
    Ok(())
}

/// Names the parts of a bundle, which are plans of the shop or of the file, wherever they stand in it.
async fn merge_bundle(
    app: &App,
    shop: &Shop,
    slug: &str,
    parts: &[String],
    changes: &mut Changes,
    told: &mut Vec<String>,
) -> anyhow::Result<()> {
    if parts.len() > Plan::MOST_PARTS {
        bail!("plan {slug}: a bundle has {} parts at most", Plan::MOST_PARTS);
    }
    let find = async |name: &str, changes: &Changes| -> anyhow::Result<Option<Plan>> {
        match changes.plans.iter().find(|plan| plan.slug == name) {
            Some(plan) => Ok(Some(plan.clone())),
            None => Ok(app.store.plan_by_slug(shop.id, name).await?),
        }
    };
    let mut bundle = Vec::with_capacity(parts.len());
    let mut asked: Vec<Plan> = Vec::new();
    for name in parts {
        let part = find(name, changes).await?;
        let part = part.with_context(|| format!("plan {slug}: bundle names the plan {name}, which there is not"))?;
        if part.slug == slug || !part.bundle.is_empty() {
            bail!("plan {slug}: bundle names {name}, which is a bundle itself; name the plans that are in it");
        }
        bundle.push(part.id);
        asked.push(part);
    }
    let plan = find(slug, changes).await?.with_context(|| format!("plan {slug} is missing"))?;
    if plan.fulfilment != Fulfilment::GeneratedKey {
        bail!("plan {slug}: its parts are fulfilled, each in its way, and so it has no fulfilment of its own");
    }
    check_questions(slug, &asked_by(&plan, &asked))?;
    if plan.bundle == bundle {
        return Ok(());
    }
    match changes.plans.iter_mut().find(|known| known.id == plan.id) {
        Some(known) => known.bundle = bundle,
        None => {
            told.push(format!("plan {slug}"));
            changes.plans.push(Plan { bundle, ..plan });
        }
    }
    Ok(())
}

/// What a bundle and its parts ask.
fn asked_by(bundle: &Plan, parts: &[Plan]) -> Vec<Question> {
    bundle.questions.iter().chain(parts.iter().flat_map(|part| &part.questions)).cloned().collect()
}

/// What a bundle asks with its parts: each name once, so with the same choices everywhere, and no more than buyers bear.
fn check_questions(slug: &str, questions: &[Question]) -> anyhow::Result<()> {
    for question in questions {
        let other = questions.iter().find(|other| other.name == question.name);
        if other.is_some_and(|other| other.choices != question.choices) {
            bail!(
                "plan {slug}: {} is asked with other choices in another plan of it, and is asked once; make them the same, or \
                 name one otherwise",
                question.name
            );
        }
    }
    let asked = each_once(questions).len();
    if asked > Question::MOST_OF_BUNDLE {
        bail!(
            "plan {slug}: it asks {asked} things with the plans that are in it, and a bundle asks {} at most, for each \
             costs buyers; give questions for the same thing the same name, or leave some out",
            Question::MOST_OF_BUNDLE
        );
    }
    Ok(())
}

/// Bundles of the shop that are not in the file, where a plan that is in them changes.
async fn check_other_bundles(app: &App, shop: &Shop, changes: &Changes) -> anyhow::Result<()> {
    let changed = |id| changes.plans.iter().find(|plan| plan.id == id);
    for stored in app.store.plans_of_shop(shop.id).await? {
        let bundle = changed(stored.id).unwrap_or(&stored);
        if bundle.bundle.iter().all(|part| changed(*part).is_none()) {
            continue;
        }
        let mut parts = Vec::with_capacity(bundle.bundle.len());
        for part in &bundle.bundle {
            parts.extend(match changed(*part) {
                Some(plan) => Some(plan.clone()),
                None => app.store.plan(shop.id, *part).await?,
            });
        }
        if let Some(part) = parts.iter().find(|part| !part.bundle.is_empty()) {
            bail!("plan {}: it is in the bundle {}, and so can be none itself", part.slug, bundle.slug);
        }
        check_questions(&bundle.slug, &asked_by(bundle, &parts))?;
    }
    Ok(())
}

fn merge_pool(app: &App, shop: &Shop, known: Option<&Pool>, wanted: PoolFile) -> anyhow::Result<Pool> {
    let now = app.clock.now();
    let slug = checked_slug(&wanted.slug)?;
    let when_out = match wanted.when_out.as_deref() {
        None => known.map_or(WhenOut::BackOrder, |known| known.when_out),
        Some(text) => WhenOut::parse(text)
            .with_context(|| format!("pool {slug}: when_out must be back_order or stop, not {text}"))?,
    };
    let low_at = wanted.low_at.or(known.map(|known| known.low_at)).unwrap_or(TELL_LOW_AT);
    if low_at > Pool::MOST_LOW_AT {
        bail!("pool {slug}: low_at must be {} or less", Pool::MOST_LOW_AT);
    }
    Ok(Pool {
        id: known.map_or_else(|| PoolId::mint(now, &mut app.entropy.rng()), |known| known.id),
        shop: shop.id,
        version: known.map_or(0, |known| known.version),
        slug,
        name: wanted.name,
        when_out,
        low_at,
        alerted_at: known.and_then(|known| known.alerted_at),
        held_at: known.and_then(|known| known.held_at),
        created_at: known.map_or(now, |known| known.created_at),
    })
}

fn merge_endpoint(app: &App, shop: &Shop, known: Option<&Endpoint>, wanted: EndpointFile) -> anyhow::Result<Endpoint> {
    let now = app.clock.now();
    let slug = checked_slug(&wanted.slug)?;
    let is_web = wanted.url.starts_with("https://") || wanted.url.starts_with("http://");
    if !is_web || wanted.url.contains(char::is_whitespace) || wanted.url.contains('@') {
        bail!("endpoint {slug}: url must be an address as https://seller.example/fulfil, without a user or password");
    }
    if shop.mode == Mode::Live && !wanted.url.starts_with("https://") && !is_on_this_machine(&wanted.url) {
        bail!("endpoint {slug}: what a live shop sends over a network goes over https");
    }
    Ok(Endpoint {
        id: known.map_or_else(|| EndpointId::mint(now, &mut app.entropy.rng()), |known| known.id),
        shop: shop.id,
        version: known.map_or(0, |known| known.version),
        slug,
        url: wanted.url,
        secrets: known.map_or(1, |known| known.secrets),
        created_at: known.map_or(now, |known| known.created_at),
    })
}

fn is_on_this_machine(url: &str) -> bool {
    let host = url.trim_start_matches("http://").split(['/', '?', '#']).next().unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|own| host.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
}

/// Where what the buyer gets comes from.
fn fulfilment(plan: &PlanFile, sources: &Sources) -> anyhow::Result<Fulfilment> {
    let slug = &plan.slug;
    let word = plan.fulfilment;
    for (name, is_there, belongs) in [
        ("pool", plan.pool.is_some(), FulfilmentWord::Pool),
        ("endpoint", plan.endpoint.is_some(), FulfilmentWord::Webhook),
        ("within_hours", plan.within_hours.is_some(), FulfilmentWord::Manual),
    ] {
        if is_there && word != belongs {
            bail!("plan {slug}: {name} needs fulfilment = \"{}\"", belongs.as_str());
        }
    }
    let is_made_here = match word {
        FulfilmentWord::GeneratedKey | FulfilmentWord::Download | FulfilmentWord::SignedKey => true,
        FulfilmentWord::Pool | FulfilmentWord::Manual | FulfilmentWord::Webhook => false,
    };
    if !is_made_here && plan.quantity_makes == Units::Seats {
        bail!("plan {slug}: each unit is fulfilled on its own, so quantity_makes must be \"licenses\"");
    }
    match word {
        FulfilmentWord::GeneratedKey => Ok(Fulfilment::GeneratedKey),
        FulfilmentWord::Download if plan.starts != Starts::Issue => bail!(
            "plan {slug}: fulfilment = \"download\" needs starts = \"issue\": no program asks about the license, and its \
             time would never begin"
        ),
        FulfilmentWord::Download => Ok(Fulfilment::Download),
        FulfilmentWord::SignedKey => {
            let said = json!([plan.features, plan.feature_values]).to_string();
            if said.len() > MOST_SAID_BY_A_KEY {
                bail!(
                    "plan {slug}: a signed key says which features there are, and there is room for {MOST_SAID_BY_A_KEY} \
                     bytes of them"
                );
            }
            Ok(Fulfilment::SignedKey)
        }
        FulfilmentWord::Pool => {
            let pool = named(slug, "pool", plan.pool.as_ref(), &sources.pools)?;
            Ok(Fulfilment::Pool { pool: pool.id })
        }
        FulfilmentWord::Webhook => {
            let endpoint = named(slug, "endpoint", plan.endpoint.as_ref(), &sources.endpoints)?;
            Ok(Fulfilment::Webhook { endpoint: endpoint.id })
        }
        FulfilmentWord::Manual => match plan.within_hours {
            Some(within_hours) if (1..=Fulfilment::MOST_HOURS).contains(&within_hours) => {
                Ok(Fulfilment::Manual { within_hours })
            }
            Some(_) | None => bail!(
                "plan {slug}: fulfilment = \"manual\" needs within_hours, from 1 to {}: what the buyer is promised",
                Fulfilment::MOST_HOURS
            ),
        },
    }
}

/// What buyers are asked, where they can be. A text without a language is in the shop's.
fn questions(plan: &PlanFile, language: &str) -> anyhow::Result<Vec<Question>> {
    let slug = &plan.slug;
    if plan.question.len() > Question::MOST {
        bail!("plan {slug}: a plan asks {} questions at most, for each costs buyers", Question::MOST);
    }
    let mut questions: Vec<Question> = Vec::with_capacity(plan.question.len());
    for wanted in &plan.question {
        let name = &wanted.name;
        if !Question::is_name(name) {
            bail!(
                "plan {slug}: a question's name has small letters, digits and _ alone, {} at most, unlike {name}",
                Question::LONGEST_NAME
            );
        }
        if questions.iter().any(|known| known.name == *name) {
            bail!("plan {slug}: two questions are called {name}");
        }
        let is_choice =
            |choice: &String| plain_text(choice, Question::LONGEST_ANSWER).is_ok_and(|kept| kept == *choice);
        let are_different = wanted.choices.iter().collect::<BTreeSet<_>>().len() == wanted.choices.len();
        if wanted.choices.len() == 1 || wanted.choices.len() > Question::MOST_CHOICES || !are_different {
            bail!(
                "plan {slug}: {name} needs 2 to {} different choices, or none for a line of text",
                Question::MOST_CHOICES
            );
        }
        if let Some(choice) = wanted.choices.iter().find(|choice| !is_choice(choice)) {
            bail!("plan {slug}: {choice} cannot be a choice of {name}: one line of plain text, without double spaces");
        }
        let read = |what: &str, texts: &WordingFile| {
            wording(texts, language).with_context(|| format!("plan {slug}: {what} of the question {name}"))
        };
        questions.push(Question {
            name: name.clone(),
            label: read("label", &wanted.label)?,
            is_required: wanted.required,
            choices: wanted.choices.clone(),
            help: wanted.help.as_ref().map(|help| read("help", help)).transpose()?,
        });
    }
    Ok(questions)
}

fn wording(texts: &WordingFile, language: &str) -> anyhow::Result<Wording> {
    let texts = match texts {
        WordingFile::Text(text) => BTreeMap::from([(language.to_owned(), text.clone())]),
        WordingFile::Texts(texts) => texts.clone(),
    };
    if texts.is_empty() {
        bail!("there is no text");
    }
    for (tag, text) in &texts {
        if Locale::parse(tag).is_none_or(|locale| locale.as_str() != tag || locale.region().is_some()) {
            bail!("{tag} is no language; write one as de or en");
        }
        if let Err(error) = plain_text(text, LONGEST_WORDING) {
            bail!("the text in {tag} {error}");
        }
    }
    Ok(Wording(texts))
}

/// What a plan names, of what the file and the shop have.
fn named<'a, Source>(
    plan: &str,
    what: &str,
    name: Option<&String>,
    known: &'a BTreeMap<String, Source>,
) -> anyhow::Result<&'a Source> {
    let name = name.with_context(|| format!("plan {plan}: {what} is missing, the slug of a [[{what}]]"))?;
    known.get(name).with_context(|| {
        let known: Vec<&str> = known.keys().map(String::as_str).collect();
        format!("plan {plan}: there is no {what} {name}; the file and the shop have: {}", known.join(", "))
    })
}

/// What the plan grants, where its parts go together.
fn policy(plan: &PlanFile) -> anyhow::Result<Policy> {
    let slug = &plan.slug;
    if plan.valid_days.is_none() {
        if plan.trial {
            bail!("plan {slug}: a trial needs valid_days");
        }
        if plan.grace_days > 0 || plan.at_expiry != AtExpiry::Restrict {
            bail!("plan {slug}: grace_days and at_expiry need valid_days");
        }
    }
    if plan.seats.is_none() {
        let needs_seats = plan.starts == Starts::FirstActivation
            || plan.check_in_days.is_some()
            || plan.lease_seconds.is_some()
            || plan.overage != Overage::Deny
            || plan.quantity_makes == Units::Seats
            || plan.match_components.is_some()
            || plan.releases.is_some();
        if needs_seats {
            bail!(
                "plan {slug}: starts = \"first_activation\", check_in_days, lease_seconds, overage, \
                 match_components, releases and quantity_makes = \"seats\" need seats"
            );
        }
    }
    if plan.lease_seconds.is_some_and(|seconds| seconds < SHORTEST_LEASE) {
        bail!("plan {slug}: lease_seconds must be {SHORTEST_LEASE} or more");
    }
    if plan.check_in_days == Some(0) {
        bail!("plan {slug}: check_in_days must be 1 or more");
    }
    if plan.file_days == Some(0) {
        bail!("plan {slug}: file_days must be 1 or more");
    }
    let is_metered = plan.metered || plan.usage_limit.is_some();
    if plan.usage_reset_days.is_some_and(|days| days == 0 || !is_metered) {
        bail!("plan {slug}: usage_reset_days must be 1 or more, and needs usage_limit or metered = true");
    }
    let releases = match (plan.releases, plan.release_days) {
        (None, None) => None,
        (Some(count), Some(days)) if days > 0 => Some(Quota { count, days }),
        (Some(_) | None, _) => {
            bail!("plan {slug}: releases and release_days go together, and release_days must be 1 or more")
        }
    };
    Ok(Policy {
        seats: plan.seats,
        valid_days: plan.valid_days,
        features: plan.features.clone(),
        feature_values: plan.feature_values.clone(),
        certificate_seconds: plan.offline_days.saturating_mul(24 * 3_600),
        term: Term {
            starts: plan.starts,
            update_days: plan.update_days,
            grace_days: plan.grace_days,
            at_expiry: plan.at_expiry,
            is_trial: plan.trial,
            check_in_days: plan.check_in_days,
        },
        seating: Seating {
            holder: plan.seats_for,
            lease_seconds: plan.lease_seconds,
            overage: plan.overage,
            units: plan.quantity_makes,
            times: 0,
            matching: plan.match_components,
            releases,
        },
        usage: is_metered.then_some(Metering { limit: plan.usage_limit, reset_days: plan.usage_reset_days }),
        offline: Offline { file_days: plan.file_days, carried_until: None },
        by_hand: ByHand::default(),
    })
}

fn checked_slug(slug: &str) -> anyhow::Result<String> {
    let fits = !slug.is_empty()
        && slug.len() <= 64
        && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !fits {
        bail!("the slug {slug} must be 1 to 64 small letters, digits and dashes");
    }
    Ok(slug.to_owned())
}

fn prices(plan: &PlanFile) -> anyhow::Result<Vec<Price>> {
    let unit = |text: &str, currency: Currency| -> anyhow::Result<i64> {
        let amount = Money::parse_major(text, currency)
            .with_context(|| format!("plan {}: {text} is not an amount in {currency}", plan.slug))?;
        if amount.is_negative() {
            bail!("plan {}: a price cannot be below zero", plan.slug);
        }
        if amount.is_zero() {
            bail!(
                "plan {}: at a price of zero nothing would be paid, and so nothing would be sold; ask for a small amount",
                plan.slug
            );
        }
        Ok(amount.minor())
    };
    plan.prices
        .iter()
        .map(|(code, PriceText(text))| {
            let currency =
                Currency::parse(code).with_context(|| format!("plan {}: {code} is not a currency", plan.slug))?;
            let mut tiers = vec![PriceTier { from_quantity: 1, unit_minor: unit(text, currency)? }];
            for (quantity, PriceText(text)) in plan.quantity_prices.get(code).into_iter().flatten() {
                let from_quantity =
                    quantity.parse().with_context(|| format!("plan {}: {quantity} is not a quantity", plan.slug))?;
                tiers.push(PriceTier { from_quantity, unit_minor: unit(text, currency)? });
            }
            tiers.sort_by_key(|tier| tier.from_quantity);
            Ok(Price { currency, tiers })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stderr, clippy::panic)]
    use super::*;

    const SHOP_FILE: &str = include_str!("../tests/common/shop.toml");

    /// Whatever stands in a shop file, it is refused in words or gives prices that can be.
    fn read(input: &[u8]) -> String {
        let file: File = match toml::from_str(&String::from_utf8_lossy(input)) {
            Ok(file) => file,
            Err(error) => return error.message().chars().filter(|letter| letter.is_alphabetic()).take(24).collect(),
        };
        let mut outcome = String::from("file");
        for plan in file.product.iter().flat_map(|product| &product.plan) {
            match (checked_slug(&plan.slug), prices(plan)) {
                (Ok(_), Ok(prices)) => {
                    for price in prices {
                        assert!(price.tiers.iter().all(|tier| tier.unit_minor >= 0), "a price below zero");
                        assert!(price.tiers.is_sorted_by_key(|tier| tier.from_quantity), "tiers out of order");
                        assert!(price.tiers.iter().any(|tier| tier.from_quantity == 1), "no price for one");
                    }
                    outcome.push_str(" priced");
                }
                (Err(_), _) | (_, Err(_)) => outcome.push_str(" refused"),
            }
            outcome.truncate(64);
        }
        outcome
    }

    #[test]
    fn a_price_that_cannot_be_sold_at_is_refused_with_the_way_out() {
        for (price, told) in [
            ("99.00", "a price is a text, as \"99.00\", and not float"),
            ("99", "a price is a text, as \"99.00\", and not integer"),
            ("\"0.00\"", "at a price of zero nothing would be paid"),
            ("\"-1.00\"", "below zero"),
            ("\"1.234,50\"", "is not an amount in EUR"),
        ] {
            let plan = format!("slug = \"pro\"\nname = \"Pro\"\nprices = {{ EUR = {price} }}");
            let error = match toml::from_str::<PlanFile>(&plan) {
                Ok(plan) => format!("{:#}", prices(&plan).unwrap_err()),
                Err(error) => error.to_string(),
            };
            assert!(error.contains(told), "{price}: {error}");
        }
    }

    #[test]
    fn a_signed_key_says_no_more_than_is_read_of_one() {
        let plan = |features: usize| {
            let features = vec!["\"feature-of-20-letters\""; features].join(", ");
            let plan = format!(
                "slug = \"pro\"\nname = \"Pro\"\nprices = {{ EUR = \"9.00\" }}\nfulfilment = \"signed_key\"\nfeatures = [{features}]"
            );
            let sources = Sources { pools: BTreeMap::new(), endpoints: BTreeMap::new() };
            fulfilment(&toml::from_str(&plan).unwrap(), &sources).map_err(|error| error.to_string())
        };
        assert_eq!(plan(200), Ok(Fulfilment::SignedKey));
        assert!(plan(250).is_err_and(|told| told.contains("plan pro") && told.contains("5000 bytes")));
    }

    #[test]
    fn an_old_system_is_named_by_an_address_that_keys_may_go_to() {
        let hosts = ["licenses.example.com".to_owned()];
        for (system, base, told) in [
            ("lemon_squeezy", "https://api.lemonsqueezy.com", None),
            ("edd", "https://old.example.com/shop", None),
            ("keygen", "http://127.0.0.1:3000", None),
            ("keygen", "http://localhost:3000", None),
            ("keygen", "http://10.0.0.5:3000", Some("over https")),
            ("keygen", "http://127.0.0.1.example.com", Some("over https")),
            ("keygen", "https://licenses.example.com", Some("is asked here")),
            ("keygen", "https://keygen.example.com/", Some("without a slash")),
            ("keygen", "https://user:word@keygen.example.com", Some("without a slash")),
            ("keygen", "keygen.example.com", Some("must be an address")),
            ("keygen", "https://", Some("must be an address")),
            ("csv", "https://old.example.com", Some("no app asks")),
        ] {
            let checked = check_shadow(ForeignSystem::parse(system).unwrap(), base, hosts.iter());
            let error = checked.map_err(|error| error.to_string()).err();
            match told {
                None => assert_eq!(error, None, "{base}"),
                Some(told) => assert!(error.as_ref().is_some_and(|error| error.contains(told)), "{base}: {error:?}"),
            }
        }
    }

    #[test]
    fn a_question_that_cannot_be_asked_is_refused_with_the_way_out() {
        let three = "[[question]]\nname = \"a\"\nlabel = \"A\"\n[[question]]\nname = \"b\"\nlabel = \"B\"\n[[question]]\nname = \"c\"\nlabel = \"C\"\n";
        #[rustfmt::skip]
        let table = [
            ("name = \"user\"\nlabel = \"User\"",                                Ok(r#"[{"name":"user","label":{"de":"User"},"required":false}]"#)),
            ("name = \"user_1\"\nlabel = { en = \"User\", de = \"Konto\" }\nrequired = true\nchoices = [\"a\", \"b\"]\nhelp = \"As ada.\"",
                Ok(r#"[{"name":"user_1","label":{"de":"Konto","en":"User"},"required":true,"choices":["a","b"],"help":{"de":"As ada."}}]"#)),
            ("name = \"User\"\nlabel = \"User\"",                                Err("small letters")),
            ("name = \"\"\nlabel = \"User\"",                                    Err("small letters")),
            ("name = \"user\"\nlabel = \" \"",                                   Err("the text in de is empty")),
            ("name = \"user\"\nlabel = {}",                                      Err("there is no text")),
            ("name = \"user\"\nlabel = { english = \"User\" }",                  Err("english is no language")),
            ("name = \"user\"\nlabel = { \"de-AT\" = \"User\" }",                Err("de-AT is no language")),
            ("name = \"user\"\nlabel = \"User\"\nchoices = [\"a\"]",             Err("2 to 100 different choices")),
            ("name = \"user\"\nlabel = \"User\"\nchoices = [\"a\", \"a\"]",      Err("2 to 100 different choices")),
            ("name = \"user\"\nlabel = \"User\"\nchoices = [\"a\", \"b  c\"]",   Err("b  c cannot be a choice")),
            ("name = \"user\"\nlabel = \"User\"\n[[question]]\nname = \"user\"\nlabel = \"User\"", Err("two questions are called user")),
            (&format!("name = \"user\"\nlabel = \"User\"\n{three}"),            Err("3 questions at most")),
        ];
        for (text, expected) in table {
            let plan = format!("slug = \"pro\"\nname = \"Pro\"\nprices = {{ EUR = \"9.00\" }}\n[[question]]\n{text}");
            let read = questions(&toml::from_str(&plan).unwrap(), "de");
            match (read, expected) {
                (Ok(read), Ok(expected)) => assert_eq!(serde_json::to_string(&read).unwrap(), expected, "{text}"),
                (Err(error), Err(told)) => assert!(format!("{error:#}").contains(told), "{text}: {error:#}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }

    #[test]
    fn a_bundle_asks_each_name_once_and_no_more_than_buyers_bear() {
        let question = |name: &str, choices: &[&str]| Question {
            name: name.to_owned(),
            label: Wording::default(),
            is_required: false,
            choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
            help: None,
        };
        let check = |names: &str| {
            let asked: Vec<Question> = names.split(' ').map(|name| question(name, &[])).collect();
            check_questions("set", &asked).map_err(|error| error.to_string())
        };
        assert_eq!(check("a b a c d e b"), Ok(()));
        let six = check("a b c d e f");
        assert!(six.as_ref().is_err_and(|told| told.contains("asks 6 things")), "{six:?}");
        let other = check_questions("set", &[question("a", &[]), question("a", &["x", "y"])]);
        assert!(other.as_ref().is_err_and(|told| told.to_string().contains("other choices")), "{other:?}");
    }

    #[test]
    fn no_input_of_the_slice_breaks_the_shop_file() {
        let executions = std::env::var("LATCHKEY_FUZZ_EXECUTIONS").map_or(20_000, |text| text.parse().unwrap());
        let mut target = fuzz::Target {
            name: "shop_file",
            words: &[
                "[[product]]",
                "[[product.plan]]",
                "prices = { EUR = \"",
                "quantity_prices",
                "seats = ",
                "\"\"\"",
                "slug = ",
            ],
            seeds: vec![SHOP_FILE.as_bytes().to_vec()],
            share: 1_000,
            read: Box::new(read),
        };
        let report = fuzz::run(&mut target, 1, fuzz::Until::Executions(executions));
        assert_eq!(report.broken.map(|(input, said)| format!("{said}: {}", input.escape_ascii())), None);
        assert!(report.behaviours > 10, "{} behaviours", report.behaviours);
        eprintln!("FIGURE fuzz.shop_file: {} shop files", report.executions);
    }
}
