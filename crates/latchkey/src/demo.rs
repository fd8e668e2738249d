//! `demo`: a complete shop to try, with a simulated gateway beside it.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use app::{App, NewShop};
use domain::{GatewayAccount, Mode, Scope, Seller, Shop};
use sandbox::Sandbox;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

const SECRET_KEY: &str = "sk_test_latchkey_demo";

/// What the first start made and a second start must find: the API key is
/// stored only as a hash, so the demo keeps it beside its data.
#[derive(Serialize, Deserialize)]
struct Kept {
    api_key: String,
    hook_secret: String,
    sandbox: std::net::SocketAddr,
}

#[derive(Serialize)]
struct Printed {
    storefront: String,
    console: String,
    mailbox: String,
    sandbox: String,
    api_key: String,
    shop: String,
    gateway_account: String,
    hook_url: String,
    hook_secret: String,
}

/// Runs shop and gateway until told to stop.
pub(crate) async fn run(settings: &Settings, output: &Output) -> anyhow::Result<ExitCode> {
    let listener = wiring::listen(settings.listen)?;
    let address = listener.local_addr()?;
    let mut wired = wiring::wire(settings, address, true).await?;
    if let Some(address) = settings.metrics_listen {
        wired.metrics = Some(wiring::listen(address)?);
    }
    let app = &wired.app;
    let kept_path = settings.data.join("demo.json");
    let kept: Option<Kept> = match std::fs::read(&kept_path) {
        Ok(text) => {
            Some(serde_json::from_slice(&text).with_context(|| format!("{} cannot be read", kept_path.display()))?)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let gateway_listener = match &kept {
        // The pages that buyers left open must be found again where they were.
        Some(kept) => match TcpListener::bind(kept.sandbox).await {
            Ok(listener) => listener,
            Err(_) => wiring::listen(std::net::SocketAddr::new(settings.listen.ip(), 0))?,
        },
        None => wiring::listen(std::net::SocketAddr::new(settings.listen.ip(), 0))?,
    };
    let sandbox_address = gateway_listener.local_addr()?;
    let sandbox_url = format!("http://{sandbox_address}");
    let (shop, account, kept) = match kept {
        Some(kept) => find(app, kept).await?,
        None => make(app, &sandbox_url).await?,
    };
    let hook_url = format!("{}/hooks/{}", app.settings.public_url, account.id);
    let config = sandbox::Config {
        data_dir: Some(settings.data.join("sandbox")),
        base_url: Some(sandbox_url.clone()),
        seller_name: Some(shop.name.clone()),
        endpoints: vec![sandbox::Endpoint {
            secret_key: SECRET_KEY.to_owned(),
            url: hook_url.clone(),
            secrets: vec![kept.hook_secret.clone()],
        }],
        ..sandbox::Config::default()
    };
    std::fs::create_dir_all(settings.data.join("sandbox"))?;
    // Before anything is changed: beside another demo on this folder it fails, and that one's gateway stays where it is.
    let gateway = Sandbox::start(gateway_listener, config)?;
    if kept.sandbox != sandbox_address {
        app.set_credentials(&account, credentials(&kept.hook_secret, &sandbox_url)).await?;
    }
    let kept = Kept { sandbox: sandbox_address, ..kept };
    write_private(&kept_path, &serde_json::to_vec_pretty(&kept)?)?;
    let public_url = app.settings.public_url.clone();
    let printed = Printed {
        storefront: format!("{public_url}/"),
        console: app.console_entry(&shop).await?.url,
        mailbox: format!("{public_url}/mailbox"),
        sandbox: sandbox_url,
        api_key: kept.api_key,
        shop: shop.id.to_string(),
        gateway_account: account.id.to_string(),
        hook_url,
        hook_secret: kept.hook_secret,
    };
    let lines = format!(
        "A shop to try. No real money moves.\n\n  Storefront   {}\n  Mailbox      {}\n  Console      {}\n  Gateway      {} (simulated)\n  API key      {}\n  Webhook URL  {}\n\nBuy something: card 4242 4242 4242 4242, any later date, any security code.\nThe console link works once, for 30 minutes; Ctrl-C stops; data stays in {}.",
        printed.storefront,
        printed.mailbox,
        printed.console,
        printed.sandbox,
        printed.api_key,
        printed.hook_url,
        settings.data.display(),
    );
    // Whoever reads what is printed may tell the process to stop at once.
    let shutdown = wiring::shutdown_signal()?;
    output.result(&printed, &lines)?;

    wiring::run(settings, wired, listener, shutdown).await?;
    gateway.stop().await?;
    Ok(ExitCode::SUCCESS)
}

async fn make(app: &Arc<App>, sandbox_url: &str) -> anyhow::Result<(Shop, GatewayAccount, Kept)> {
    let shop = app
        .create_shop(NewShop {
            name: "Lumen".to_owned(),
            mode: Mode::Sandbox,
            seller: Seller {
                legal_name: "Lumen Software GmbH (sample)".to_owned(),
                address: vec!["Beispielweg 1".to_owned(), "10115 Berlin".to_owned(), "Germany".to_owned()],
                email: "hello@lumen.example".to_owned(),
                tax_id: Some("DE123456789".to_owned()),
            },
            terms: include_str!("../samples/terms.md").to_owned(),
            refund_policy: include_str!("../samples/refund-policy.md").to_owned(),
        })
        .await?;
    let sample = app.create_sample_catalog(&shop).await?;
    app.create_sample_release(&shop, sample.product).await?;
    app.create_sample_pool(&shop).await?;
    let mut rng = app.entropy.rng();
    let hook_secret = format!("whsec_{:032x}", rng.next_u128());
    let account = app.connect_gateway(&shop, "stripe", credentials(&hook_secret, sandbox_url)).await?;
    let api_key = app.create_api_key(&shop, "demo", Scope::Manage).await?.key;
    let sandbox = sandbox_url.trim_start_matches("http://").parse()?;
    Ok((shop, account, Kept { api_key, hook_secret, sandbox }))
}

async fn find(app: &Arc<App>, kept: Kept) -> anyhow::Result<(Shop, GatewayAccount, Kept)> {
    let shop = app.shops().await.into_iter().next().context("the demo's shop is gone from its data folder")?;
    let account = app
        .gateway_accounts()
        .await
        .into_iter()
        .find(|account| account.shop == shop.id)
        .context("the demo's gateway account is gone from its data folder")?;
    Ok((shop.as_ref().clone(), account.as_ref().clone(), kept))
}

fn credentials(hook_secret: &str, base_url: &str) -> String {
    json!({ "secret_key": SECRET_KEY, "webhook_secret": hook_secret, "base_url": base_url }).to_string()
}

fn write_private(path: &std::path::Path, text: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}
