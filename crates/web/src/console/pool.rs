//! Key pools: what is in stock, who waits, and the form that brings codes in.

use app::{CODES_AT_ONCE, Stocked, read_codes};
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Pool, PoolCode, PoolId, Stock, WaitingClaim, WhenOut};
use serde::Deserialize;

use super::{Chrome, Staff, done, page};
use crate::Web;
use crate::problem::Problem;

/// How many of those who wait are shown, the longest waiting first.
const WAITING: u32 = 50;

/// How many lines that were left out are named.
const NAMED: usize = 20;

struct PoolRow {
    id: String,
    slug: String,
    name: String,
    free: u64,
    reserved: u64,
    taken: u64,
    withdrawn: u64,
    waiting: u64,
    is_low: bool,
    held: Option<String>,
    when_out: String,
    low_at: u32,
}

impl PoolRow {
    fn new(chrome: &Chrome<'_>, pool: &Pool, stock: &Stock) -> Self {
        Self {
            id: pool.id.to_string(),
            slug: pool.slug.clone(),
            name: pool.name.clone(),
            free: stock.free,
            reserved: stock.reserved,
            taken: stock.taken,
            withdrawn: stock.withdrawn,
            waiting: stock.waiting,
            is_low: stock.free <= u64::from(pool.low_at),
            held: pool.held_at.map(|at| chrome.date(&at)),
            when_out: chrome.t(match pool.when_out {
                WhenOut::BackOrder => "console-pool-out-back-order",
                WhenOut::Stop => "console-pool-out-stop",
            }),
            low_at: pool.low_at,
        }
    }
}

#[derive(Template)]
#[template(path = "console/pools.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    pools: Vec<PoolRow>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "pools");
    let mut pools = Vec::new();
    for pool in web.app.store.pools(staff.shop()).await.map_err(app::Error::from)? {
        let stock = web.app.stock(&pool).await?;
        pools.push(PoolRow::new(&chrome, &pool, &stock));
    }
    Ok(page(StatusCode::OK, &List { chrome, pools }))
}

struct WaitingRow {
    order: String,
    since: String,
    email: String,
}

/// What became of a list that was sent in.
struct Outcome {
    summary: String,
    left_out: Vec<String>,
    more: Option<String>,
    is_refused: bool,
}

#[derive(Template)]
#[template(path = "console/pool.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    pool: PoolRow,
    waiting: Vec<WaitingRow>,
    outcome: Option<Outcome>,
    /// What was typed, where nothing of it could be taken.
    typed: String,
}

async fn find(web: &Web, staff: &Staff, pool: &str) -> Result<Pool, Problem> {
    let id = PoolId::parse(pool).map_err(|_| Problem::not_found("pool"))?;
    let found = web.app.store.pool(staff.shop(), id).await.map_err(app::Error::from)?;
    found.ok_or_else(|| Problem::not_found("pool"))
}

async fn show_page(
    web: &Web,
    staff: &Staff,
    pool: &Pool,
    outcome: Option<Outcome>,
    typed: String,
) -> Result<Response, Problem> {
    let chrome = staff.chrome(web, "pools");
    let stock = web.app.stock(pool).await?;
    let waiting = web.app.store.waiting_claims(staff.shop(), pool.id, WAITING).await.map_err(app::Error::from)?;
    let row = |waiting: &WaitingClaim| WaitingRow {
        order: waiting.claim.order.to_string(),
        since: chrome.date(&waiting.claim.created_at),
        email: waiting.email.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let waiting = waiting.iter().map(row).collect();
    let status = match &outcome {
        Some(Outcome { is_refused: true, .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(_) | None => StatusCode::OK,
    };
    let pool = PoolRow::new(&chrome, pool, &stock);
    Ok(page(status, &Show { chrome, pool, waiting, outcome, typed }))
}

pub(crate) async fn show(State(web): State<Web>, staff: Staff, Path(pool): Path<String>) -> Result<Response, Problem> {
    let pool = find(&web, &staff, &pool).await?;
    show_page(&web, &staff, &pool, None, String::new()).await
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    codes: String,
}

/// Brings a pasted list into stock, and shows line by line what was left out.
pub(crate) async fn add_codes(
    State(web): State<Web>,
    staff: Staff,
    Path(pool): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let pool = find(&web, &staff, &pool).await?;
    let chrome = staff.chrome(&web, "pools");
    let mut left_out: Vec<(usize, String)> = Vec::new();
    let mut codes: Vec<(usize, PoolCode)> = Vec::new();
    let mut seen = std::collections::HashMap::new();
    for line in read_codes(&typed.codes) {
        match line.code {
            Err(_) => left_out.push((line.line, chrome.t("console-pool-line-unreadable"))),
            Ok(code) => match seen.get(&code) {
                Some(first) => {
                    left_out.push((line.line, chrome.count("console-pool-line-repeated", *first)));
                }
                None => {
                    seen.insert(code.clone(), u64::try_from(line.line).unwrap_or(u64::MAX));
                    codes.push((line.line, code));
                }
            },
        }
    }
    if codes.is_empty() {
        let outcome = outcome(&chrome, "console-pool-none", 0, 0, left_out, true);
        return show_page(&web, &staff, &pool, Some(outcome), typed.codes).await;
    }
    let (mut new, mut known) = (0, 0);
    for batch in codes.chunks(CODES_AT_ONCE) {
        let texts: Vec<PoolCode> = batch.iter().map(|(_, code)| code.clone()).collect();
        let outcomes = web.app.stock_codes(&pool, &texts, staff.actor(), false).await?;
        for ((line, _), stocked) in batch.iter().zip(outcomes) {
            match stocked {
                Stocked::New => new += 1,
                Stocked::InStock => known += 1,
                Stocked::InOtherPool(_) => left_out.push((*line, chrome.t("console-pool-line-elsewhere"))),
                Stocked::Gone => left_out.push((*line, chrome.t("console-pool-line-gone"))),
            }
        }
    }
    // Who waits is served at once; what goes wrong there is done by the worker.
    if let Err(error) = web.app.step_pools().await {
        tracing::warn!(%error, "who waits for codes is served by the worker");
    }
    let outcome = outcome(&chrome, "console-pool-added", new, known, left_out, false);
    show_page(&web, &staff, &pool, Some(outcome), String::new()).await
}

fn outcome(
    chrome: &Chrome<'_>,
    summary: &str,
    new: u64,
    known: u64,
    mut left_out: Vec<(usize, String)>,
    is_refused: bool,
) -> Outcome {
    left_out.sort_unstable();
    let more = left_out.len().saturating_sub(NAMED);
    let line = |(line, why): &(usize, String)| {
        let number = u64::try_from(*line).unwrap_or(u64::MAX);
        format!("{}: {why}", chrome.count("console-pool-line", number))
    };
    Outcome {
        summary: chrome.counts(summary, &[("new", new), ("known", known)]),
        left_out: left_out.iter().take(NAMED).map(line).collect(),
        more: (more > 0).then(|| chrome.count("console-pool-lines-more", u64::try_from(more).unwrap_or(u64::MAX))),
        is_refused,
    }
}

/// Lets a stock go that is held since a restore.
pub(crate) async fn release(
    State(web): State<Web>,
    staff: Staff,
    Path(pool): Path<String>,
) -> Result<Response, Problem> {
    let pool = find(&web, &staff, &pool).await?;
    web.app.release_pool(staff.shop(), pool.id, staff.actor()).await?;
    Ok(done(&format!("/console/pools/{}", pool.id), "pool-released"))
}
