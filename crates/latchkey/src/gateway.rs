//! `gateways`, `console-link`, `api-key`: what an owner sets up from the terminal.

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use domain::{ApiKey, ApiKeyId, GatewayAccount, Scope, Shop};
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
        /// Keep the account although the gateway was not asked whether it takes the credentials.
        #[arg(long)]
        unchecked: bool,
    },
    /// Gives an account new credentials, as when a key or a webhook secret was rolled. Read as JSON from stdin. A running
    /// server takes them up within a minute.
    Set {
        /// The account, as `gateways list` names it.
        account: String,
        /// Keep the credentials although the gateway was not asked whether it takes them.
        #[arg(long)]
        unchecked: bool,
    },
    /// Sends no new payments to an account. What was begun there is seen to its end.
    Disable {
        /// The account, as `gateways list` names it.
        account: String,
    },
    /// Sends new payments to an account again.
    Enable {
        /// The account, as `gateways list` names it.
        account: String,
    },
    /// Whether every connected account works.
    Check,
}

/// Keys for the management API.
#[derive(Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Every key, withdrawn or not, without what it opens with.
    List,
    /// Withdraws a key: from now on it opens nothing.
    Revoke {
        /// The key's id, as `api-keys list` names it.
        id: String,
    },
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
        GatewayCommand::Connect { adapter, unchecked } => connect(settings, output, &adapter, unchecked).await,
        GatewayCommand::Set { account, unchecked } => set(settings, output, &account, unchecked).await,
        GatewayCommand::Disable { account } => switch(settings, output, &account, false).await,
        GatewayCommand::Enable { account } => switch(settings, output, &account, true).await,
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
        let rests = if account.is_active { "" } else { ", disabled" };
        lines.push(format!(
            "  {} at {} ({}{rests}), webhooks to {hook}",
            account.id,
            account.adapter,
            account.mode.as_str()
        ));
    }
    let accounts: Vec<_> = accounts
        .iter()
        .map(|account| json!({ "id": account.id, "adapter": account.adapter, "mode": account.mode.as_str(), "is_active": account.is_active }))
        .collect();
    output.result(&json!({ "adapters": data, "accounts": accounts }), &lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

async fn connect(settings: &Settings, output: &Output, adapter: &str, unchecked: bool) -> anyhow::Result<ExitCode> {
    if !adapters().iter().any(|known| known.name() == adapter) {
        let known: Vec<&str> = adapters().iter().map(|known| known.name()).collect();
        bail!("there is no gateway adapter {adapter}; there is: {}", known.join(", "));
    }
    let credentials = from_stdin()?;
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let shop = only_shop(&wired).await?;
    if !unchecked {
        wired.app.try_credentials(&shop, adapter, &credentials).await.context(NOT_KEPT)?;
    }
    let account = wired.app.connect_gateway(&shop, adapter, credentials).await?;
    let hook_url = format!("{}/hooks/{}", wired.app.settings.public_url, account.id);
    let lines = format!(
        "Connected {} as {}.\nNext: let the gateway send its webhooks to {hook_url}, then run `latchkey gateways check`.",
        account.adapter, account.id
    );
    output.result(&json!({ "gateway_account": account.id, "hook_url": hook_url }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

/// What is said before the reason.
const NOT_KEPT: &str = "nothing was kept (--unchecked keeps it all the same)";

fn from_stdin() -> anyhow::Result<String> {
    let mut credentials = String::new();
    std::io::stdin().take(64 << 10).read_to_string(&mut credentials)?;
    Ok(credentials)
}

async fn account_named(wired: &Wired, id: &str) -> anyhow::Result<Arc<GatewayAccount>> {
    let accounts = wired.app.gateway_accounts().await;
    let found = accounts.into_iter().find(|account| account.id.to_string() == id);
    found.with_context(|| format!("there is no gateway account {id}: `latchkey gateways list` names them"))
}

async fn set(settings: &Settings, output: &Output, id: &str, unchecked: bool) -> anyhow::Result<ExitCode> {
    let credentials = from_stdin()?;
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let account = account_named(&wired, id).await?;
    if !unchecked {
        let shop = wired.app.shop(account.shop).await.context("the shop of the account is gone")?;
        wired.app.try_credentials(&shop, &account.adapter, &credentials).await.context(NOT_KEPT)?;
    }
    wired.app.set_credentials(&account, credentials).await?;
    let lines = format!("{} has its new credentials.\nNext: run `latchkey gateways check`.", account.id);
    output.result(&json!({ "gateway_account": account.id }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

async fn switch(settings: &Settings, output: &Output, id: &str, is_active: bool) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let account = account_named(&wired, id).await?;
    wired.app.use_gateway(&account, is_active).await?;
    let lines = if is_active {
        format!(
            "{} may get new payments. The oldest account of the shop's mode that is not disabled gets them.",
            account.id
        )
    } else {
        format!("{} gets no new payments. Leave its webhooks on until what was begun there has ended.", account.id)
    };
    output.result(&json!({ "gateway_account": account.id, "is_active": is_active }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

/// Lists API keys, or withdraws one.
pub(crate) async fn api_keys(settings: &Settings, output: &Output, command: ApiKeyCommand) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let shop = only_shop(&wired).await?;
    match command {
        ApiKeyCommand::List => {
            let keys = wired.app.api_keys(&shop).await?;
            let line = |key: &ApiKey| {
                let end = key.revoked_at.map_or_else(String::new, |at| format!(", revoked {at}"));
                format!("{} {} ({}, made {}{end})", key.id, key.name, key.scope.as_str(), key.created_at)
            };
            let lines: Vec<String> = keys.iter().map(line).collect();
            let told = |key: &ApiKey| json!({ "id": key.id, "name": key.name, "scope": key.scope.as_str(), "created_at": key.created_at, "revoked_at": key.revoked_at });
            let data: Vec<_> = keys.iter().map(told).collect();
            output.result(&json!({ "api_keys": data }), &lines.join("\n"))?;
        }
        ApiKeyCommand::Revoke { id } => {
            let id = ApiKeyId::parse(&id)
                .ok()
                .with_context(|| format!("{id} is not the id of a key: `latchkey api-keys list` names them"))?;
            let key = wired.app.revoke_api_key(&shop, id).await?;
            output.result(
                &json!({ "id": key.id, "revoked_at": key.revoked_at }),
                &format!("{} opens nothing any more.", key.id),
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn check(settings: &Settings, output: &Output) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let findings: Vec<_> =
        wired.app.examine().await?.into_iter().filter(|finding| finding.check.starts_with("gateway")).collect();
    let broken = findings.iter().any(|finding| finding.severity == app::Severity::Broken);
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| match finding.way_out.as_str() {
            "" => format!("{}: {}", finding.check, finding.found),
            way_out => format!("{}: {}\n  → {way_out}", finding.check, finding.found),
        })
        .collect();
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
