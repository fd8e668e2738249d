//! `pools`: stocks of codes made elsewhere.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use app::{App, CODES_AT_ONCE, CodeLine, Stocked, read_codes};
use clap::{Args, Subcommand};
use domain::{Actor, Pool, PoolCode};
use serde_json::{Value, json};

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// After how many codes it is told how far it has come.
const TELL_EVERY: usize = 5_000;

/// How many lines that were left out are named; the count is always told.
const NAMED: usize = 50;

/// What to do with stocks of codes.
#[derive(Subcommand)]
pub(crate) enum PoolCommand {
    /// Every stock: how many codes are left, and who waits.
    List(ShopArgument),
    /// Brings codes into stock: one a line, or the first column of a table. Who waits is served at once.
    Import(CodesArguments),
    /// Takes codes out of stock that were handed out elsewhere, or are no good.
    Withdraw(CodesArguments),
    /// Lets a stock go that is held since a restore: you say that what is free in it was handed out to nobody.
    Release(PoolArguments),
}

#[derive(Args)]
pub(crate) struct ShopArgument {
    /// The host name of the shop, where there are several.
    #[arg(long)]
    shop: Option<String>,
}

#[derive(Args)]
pub(crate) struct PoolArguments {
    /// The stock, by its slug or its id.
    #[arg(long)]
    pool: String,
    #[command(flatten)]
    shop: ShopArgument,
}

#[derive(Args)]
pub(crate) struct CodesArguments {
    /// The list of codes.
    file: PathBuf,
    #[command(flatten)]
    pool: PoolArguments,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Does it; exit 1 when lines were left out that are no codes.
pub(crate) async fn run(settings: &Settings, output: &Output, command: PoolCommand) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let app = &wired.app;
    match command {
        PoolCommand::List(argument) => list(app, output, &argument).await,
        PoolCommand::Import(arguments) => import(app, output, &arguments).await,
        PoolCommand::Withdraw(arguments) => withdraw(app, output, &arguments).await,
        PoolCommand::Release(arguments) => {
            let pool = find(app, &arguments).await?;
            app.release_pool(pool.shop, pool.id, Actor::System).await?;
            app.step_pools().await?;
            output
                .result(&json!({ "pool": pool.id, "slug": pool.slug }), &format!("{} hands out codes.", pool.name))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn find(app: &App, arguments: &PoolArguments) -> anyhow::Result<Pool> {
    let shop = wiring::shop(app, arguments.shop.shop.as_deref()).await?;
    let name = &arguments.pool;
    match app.pool(shop.id, name).await {
        Ok(pool) => Ok(pool),
        Err(app::Error::NotFound { .. }) => {
            let known: Vec<String> = app.store.pools(shop.id).await?.into_iter().map(|pool| pool.slug).collect();
            bail!("there is no pool {name}; the shop has: {}. A [[pool]] in the shop file makes one", known.join(", "))
        }
        Err(error) => Err(error.into()),
    }
}

async fn list(app: &App, output: &Output, argument: &ShopArgument) -> anyhow::Result<ExitCode> {
    let shop = wiring::shop(app, argument.shop.as_deref()).await?;
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for pool in app.store.pools(shop.id).await? {
        let stock = app.stock(&pool).await?;
        let held = if pool.held_at.is_some() { ", held since a restore" } else { "" };
        lines.push(format!(
            "{}: {} left ({} of them kept for who is paying), {} handed out, {} waiting{held}",
            pool.slug, stock.free, stock.reserved, stock.taken, stock.waiting
        ));
        rows.push(json!({
            "pool": pool.id, "slug": pool.slug, "name": pool.name, "when_out": pool.when_out.as_str(),
            "low_at": pool.low_at, "free": stock.free, "reserved": stock.reserved, "taken": stock.taken,
            "withdrawn": stock.withdrawn, "waiting": stock.waiting, "held_at": pool.held_at,
        }));
    }
    if lines.is_empty() {
        lines.push("There is no pool yet: a [[pool]] in the shop file makes one.".to_owned());
    }
    output.result(&json!({ "data": rows }), &lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// A list of codes, each once.
struct CodeList {
    codes: Vec<(usize, PoolCode)>,
    left_out: Vec<(usize, String)>,
}

impl CodeList {
    fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let mut list = Self { codes: Vec::new(), left_out: Vec::new() };
        let mut first = HashMap::new();
        for CodeLine { line, code } in read_codes(&text) {
            match code {
                Err(error) => list.left_out.push((line, format!("{error}"))),
                Ok(code) => match first.get(&code) {
                    Some(earlier) => list.left_out.push((line, format!("the same code stands in line {earlier}"))),
                    None => {
                        first.insert(code.clone(), line);
                        list.codes.push((line, code));
                    }
                },
            }
        }
        Ok(list)
    }
}

async fn import(app: &App, output: &Output, arguments: &CodesArguments) -> anyhow::Result<ExitCode> {
    let pool = find(app, &arguments.pool).await?;
    let CodeList { codes, mut left_out } = CodeList::read(&arguments.file)?;
    let malformed = left_out.len();
    let began = Instant::now();
    let (mut new, mut known, mut told) = (0usize, 0usize, 0usize);
    for (done, batch) in codes.chunks(CODES_AT_ONCE).enumerate().map(|(at, batch)| (at * CODES_AT_ONCE, batch)) {
        let texts: Vec<PoolCode> = batch.iter().map(|(_, code)| code.clone()).collect();
        let outcomes = app.stock_codes(&pool, &texts, Actor::System, arguments.dry_run).await?;
        for ((line, _), outcome) in batch.iter().zip(outcomes) {
            match outcome {
                Stocked::New => new += 1,
                Stocked::InStock => known += 1,
                Stocked::InOtherPool(_) => left_out.push((*line, "it is in another pool of the shop".to_owned())),
                Stocked::Gone => left_out.push((*line, "it was handed out or withdrawn before".to_owned())),
            }
        }
        let done = done + batch.len();
        if done - told >= TELL_EVERY {
            told = done;
            progress(output, done, codes.len(), began);
        }
    }
    if !arguments.dry_run {
        app.step_pools().await?;
    }
    left_out.sort_unstable();
    let verb = if arguments.dry_run { "Would bring" } else { "Brought" };
    let mut text = vec![format!("{verb} {new} codes into {}; {known} were there already.", pool.slug)];
    if !left_out.is_empty() {
        text.push(format!("{} lines were left out:", left_out.len()));
        text.extend(left_out.iter().take(NAMED).map(|(line, why)| format!("  line {line}: {why}")));
        if left_out.len() > NAMED {
            text.push(format!("  and {} more; --json names every one", left_out.len() - NAMED));
        }
    }
    let named: Vec<Value> = left_out.iter().map(|(line, why)| json!({ "line": line, "reason": why })).collect();
    let report = json!({
        "pool": pool.id, "slug": pool.slug, "dry_run": arguments.dry_run, "new": new, "known": known,
        "left_out": named,
    });
    output.result(&report, &text.join("\n"))?;
    Ok(if malformed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn progress(output: &Output, done: usize, of: usize, began: Instant) {
    let milliseconds = began.elapsed().as_millis().max(1);
    let (so_far, to_do) = (done as u128, (of - done) as u128);
    let rate = so_far * 1_000 / milliseconds;
    let left = to_do * milliseconds / so_far.max(1) / 1_000;
    output.progress(
        &json!({ "done": done, "of": of, "per_second": rate, "seconds_left": left }),
        &format!("{done} of {of}, {rate} a second, {left} s left"),
    );
}

async fn withdraw(app: &App, output: &Output, arguments: &CodesArguments) -> anyhow::Result<ExitCode> {
    let pool = find(app, &arguments.pool).await?;
    let CodeList { codes, left_out } = CodeList::read(&arguments.file)?;
    let codes: Vec<PoolCode> = codes.into_iter().map(|(_, code)| code).collect();
    let mut free = 0;
    for batch in codes.chunks(CODES_AT_ONCE) {
        free += match arguments.dry_run {
            true => {
                let known = app.store.known_codes(pool.shop, batch).await?;
                known.iter().flatten().filter(|known| known.is_free && known.pool == Some(pool.id)).count()
            }
            false => app.withdraw_codes(&pool, batch, Actor::System).await?,
        };
    }
    let verb = if arguments.dry_run { "Would take" } else { "Took" };
    let text = format!("{verb} {free} codes out of {}; {} were not free in it.", pool.slug, codes.len() - free);
    let report = json!({
        "pool": pool.id, "slug": pool.slug, "dry_run": arguments.dry_run, "withdrawn": free,
        "not_free": codes.len() - free, "left_out": left_out.len(),
    });
    output.result(&report, &text)?;
    Ok(ExitCode::SUCCESS)
}
