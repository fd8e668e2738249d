//! `gateways`, `console-link`, `api-key`: what an owner sets up from the terminal.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use domain::{Scope, Shop};
use gateways::adapters;
use serde_json::json;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring::{self, Wired};

/// Accounts at payment gateways.
#[derive(Subcommand)]
pub(crate) enum GatewayCommand {
    /// Every adapter with what it can do, and the accounts that are connected.
    List,
    /// Connects an account. Its credentials are read as JSON from stdin, so that they stand in no history:
    /// {"secret_key":"sk_live_…","webhook_secret":"whsec_…"}
    Connect {
        /// The adapter, as `stripe`.
        adapter: String,
    },
    /// Whether every connected account works.
    Check,
}

/// A new API key.
#[derive(Args)]
pub(crate) struct ApiKeyArguments {
    /// What it is for.
    name: String,
    /// What it may do.
    #[arg(long, value_enum, default_value = "manage")]
    scope: ScopeArgument,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScopeArgument {
    Manage,
    Read,
    Checkout,
}

pub(crate) async fn run(settings: &Settings, output: &Output, command: GatewayCommand) -> anyhow::Result<ExitCode> {
    match command {
        GatewayCommand::List => list(settings, output).await,
        GatewayCommand::Connect { adapter } => connect(settings, output, &adapter).await,
        GatewayCommand::Check => check(settings, output).await,
    }
}

async fn list(settings: &Settings, output: &Output) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let mut lines = Vec::new();
    let mut data = Vec::new();
    for adapter in adapters() {
        let can = adapter.capabilities();
        lines.push(format!("{}: {}", adapter.name(), can.methods.join(", ")));
        data.push(json!({
            "adapter": adapter.name(),
            "methods": can.methods,
            "hosted_page": can.hosted_page,
            "saved_methods": can.saved_methods,
            "off_session": can.off_session,
            "partial_refund": can.partial_refund,
            "event_list": can.event_list,
            "disputes": can.disputes,
        }));
    }
    let accounts = wired.app.gateway_accounts().await;
    for account in &accounts {
        let hook = format!("{}/hooks/{}", wired.app.settings.public_url, account.id);
        lines.push(format!("  {} at {} ({}), webhooks to {hook}", account.id, account.adapter, account.mode.as_str()));
    }
    let accounts: Vec<_> = accounts
        .iter()
        .map(|account| json!({ "id": account.id, "adapter": account.adapter, "mode": account.mode.as_str(), "is_active": account.is_active }))
        .collect();
    output.result(&json!({ "adapters": data, "accounts": accounts }), &lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

async fn connect(settings: &Settings, output: &Output, adapter: &str) -> anyhow::Result<ExitCode> {
    let mut credentials = String::new();
    std::io::stdin().take(64 << 10).read_to_string(&mut credentials)?;
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let shop = only_shop(&wired).await?;
    let account = wired.app.connect_gateway(&shop, adapter, credentials).await?;
    let hook_url = format!("{}/hooks/{}", wired.app.settings.public_url, account.id);
    let lines = format!(
        "Connected {} as {}.\nNext: let the gateway send its webhooks to {hook_url}, then run `latchkey gateways check`.",
        account.adapter, account.id
    );
    output.result(&json!({ "gateway_account": account.id, "hook_url": hook_url }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

async fn check(settings: &Settings, output: &Output) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let findings: Vec<_> =
        wired.app.examine().await?.into_iter().filter(|finding| finding.check.starts_with("gateway")).collect();
    let broken = findings.iter().any(|finding| finding.severity == app::Severity::Broken);
    let lines: Vec<String> =
        findings.iter().map(|finding| format!("{}: {} {}", finding.check, finding.found, finding.way_out)).collect();
    let data: Vec<_> = findings
        .iter()
        .map(|finding| json!({ "check": finding.check, "found": finding.found, "way_out": finding.way_out }))
        .collect();
    output.result(&json!({ "working": !broken, "accounts": data }), &lines.join("\n"))?;
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prints a link that signs in to the console once.
pub(crate) async fn console_link(settings: &Settings, output: &Output) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let entry = wired.app.console_entry(&only_shop(&wired).await?).await?;
    output.result(&json!({ "console": entry.url }), &entry.url)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes a key for the management API.
pub(crate) async fn api_key(
    settings: &Settings,
    output: &Output,
    arguments: &ApiKeyArguments,
) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let scope = match arguments.scope {
        ScopeArgument::Manage => Scope::Manage,
        ScopeArgument::Read => Scope::Read,
        ScopeArgument::Checkout => Scope::Checkout,
    };
    let key = wired.app.create_api_key(&only_shop(&wired).await?, &arguments.name, scope).await?;
    output.talk("Keep it safe: it is not shown again.");
    output.result(&json!({ "id": key.id, "api_key": key.key }), &key.key)?;
    Ok(ExitCode::SUCCESS)
}

/// The shop that commands are about.
pub(crate) async fn only_shop(wired: &Wired) -> anyhow::Result<Shop> {
    let shops = wired.app.shops().await;
    match shops.as_slice() {
        [shop] => Ok(shop.as_ref().clone()),
        [] => bail!("there is no shop yet: start the server once"),
        several => several
            .iter()
            .find(|shop| shop.host.is_none())
            .map(|shop| shop.as_ref().clone())
            .context("several shops, and none without a host of its own"),
    }
}
