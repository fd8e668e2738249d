//! Stocks of codes: what there is, and codes that come in.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, Pool, PoolCode, PoolId, Stock, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Json, Manager, Names, Once, Query, answer, cut, list as listing};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
struct PoolView {
    id: PoolId,
    slug: String,
    name: String,
    when_out: &'static str,
    low_at: u32,
    free: u64,
    reserved: u64,
    taken: u64,
    withdrawn: u64,
    waiting: u64,
    held_at: Option<Timestamp>,
    created_at: Timestamp,
}

fn view(pool: &Pool, stock: &Stock) -> PoolView {
    PoolView {
        id: pool.id,
        slug: pool.slug.clone(),
        name: pool.name.clone(),
        when_out: pool.when_out.as_str(),
        low_at: pool.low_at,
        free: stock.free,
        reserved: stock.reserved,
        taken: stock.taken,
        withdrawn: stock.withdrawn,
        waiting: stock.waiting,
        held_at: pool.held_at,
        created_at: pool.created_at,
    }
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let asked = query.page()?;
    query.done()?;
    let pools = cut(web.app.store.pools(manager.shop.id).await.map_err(app::Error::from)?, &asked, |pool| pool.id);
    let mut data = Vec::with_capacity(pools.data.len());
    // A page of stocks at most, each counted by an index.
    for pool in pools.data {
        let stock = web.app.stock(&pool).await?;
        data.push((pool, stock));
    }
    Ok(listing(store::Listing { data, has_more: pools.has_more }, |(pool, stock)| view(pool, stock)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    codes: Vec<String>,
}

/// A code that was left out: its place in what was sent, from 0, and why. The code itself is not said again.
#[derive(Serialize)]
struct LeftOut {
    place: usize,
    reason: &'static str,
}

#[derive(Serialize)]
struct Answer {
    pool: PoolId,
    new: usize,
    known: usize,
    left_out: Vec<LeftOut>,
}

/// Brings codes into stock. A code that is in the shop already is left where it is.
pub(crate) async fn add_codes(
    State(web): State<Web>,
    manager: Manager,
    Path(name): Path<String>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: Input = sent.read()?;
    if input.codes.is_empty() || input.codes.len() > app::CODES_AT_ONCE {
        let detail = format!("`codes` takes 1 to {} codes in a call.", app::CODES_AT_ONCE);
        return Err(Problem::invalid("codes", "parameter_invalid", detail));
    }
    let mut codes: Vec<PoolCode> = Vec::with_capacity(input.codes.len());
    for (place, text) in input.codes.iter().enumerate() {
        let param = format!("codes.{place}");
        let code = PoolCode::parse(text)
            .map_err(|error| Problem::invalid(&param, "code_invalid", format!("`{param}` {error}.")))?;
        codes.push(code);
    }
    let pool = web.app.pool(manager.shop.id, &name).await?;
    let task = web.clone();
    let work = async move |_: Names| bring_in(&task, &pool, &codes).await;
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

async fn bring_in(web: &Web, pool: &Pool, codes: &[PoolCode]) -> Result<Response, Problem> {
    let mut told = Answer { pool: pool.id, new: 0, known: 0, left_out: Vec::new() };
    let mut distinct: Vec<(usize, PoolCode)> = Vec::with_capacity(codes.len());
    let mut seen = std::collections::HashSet::new();
    for (place, code) in codes.iter().enumerate() {
        if seen.insert(code.as_str()) {
            distinct.push((place, code.clone()));
        } else {
            told.left_out.push(LeftOut { place, reason: "repeated" });
        }
    }
    let texts: Vec<PoolCode> = distinct.iter().map(|(_, code)| code.clone()).collect();
    let outcomes = web.app.stock_codes(pool, &texts, Actor::Api, false).await?;
    for ((place, _), outcome) in distinct.into_iter().zip(outcomes) {
        match outcome {
            app::Stocked::New => told.new += 1,
            app::Stocked::InStock => told.known += 1,
            app::Stocked::InOtherPool(_) => told.left_out.push(LeftOut { place, reason: "in_other_pool" }),
            app::Stocked::Gone => told.left_out.push(LeftOut { place, reason: "gone" }),
        }
    }
    told.left_out.sort_by_key(|left_out| left_out.place);
    // Who waits is served at once; what goes wrong there is done by the worker.
    if let Err(error) = web.app.step_pools().await {
        tracing::warn!(%error, "who waits for codes is served by the worker");
    }
    Ok(answer(StatusCode::OK, &told))
}
