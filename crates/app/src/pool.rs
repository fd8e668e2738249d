//! Stocks of codes made elsewhere: how codes come in, how who waits is served, and when the seller is told.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Actor, Changes, Event, EventId, EventKind, NewCode, Order, Pool, PoolCode, PoolId, Refusal, Reservation, Sale,
    ShopId, SignedText, Stock, Supply, TextError, Timestamp, WhenOut, fulfil_claims, release_pool, reserve,
    watch_stock,
};
use latchkey_license::KeyCode;
use serde_json::json;
use store::{CommitError, OpenedClaim};

use crate::fulfil::TRIES;
use crate::{App, Error};

/// How many claims are fulfilled by one commit.
const BATCH: u32 = 100;

/// How many codes come into stock by one commit: each is looked up and written, and all share one flush of the disk.
pub const CODES_AT_ONCE: usize = 500;

/// What a buyer holds of a license. It cannot be printed for debugging, because it opens the license.
#[derive(Clone, PartialEq, Eq)]
pub enum Held {
    /// The key that was made here.
    Key(KeyCode),
    /// The key that was made here, in a text that says what was bought and is signed.
    Signed(SignedText),
    /// A code that was made elsewhere.
    Code(PoolCode),
    /// What a person of the shop said of work that is done. It opens nothing.
    Said(PoolCode),
    /// Nothing yet: it is on its way.
    OnItsWay,
    /// Nothing yet: a person has it done by then.
    Promised(Timestamp),
}

impl Held {
    /// The key or code as it is typed, or what was said instead; `None` while it is on its way.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.key().or_else(|| self.said())
    }

    /// What opens the license, as it is typed.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Key(key) => Some(key.to_string()),
            Self::Signed(signed) => Some(signed.text.to_string()),
            Self::Code(code) => Some(code.as_str().to_owned()),
            Self::Said(_) | Self::OnItsWay | Self::Promised(_) => None,
        }
    }

    /// What a person said.
    #[must_use]
    pub fn said(&self) -> Option<String> {
        match self {
            Self::Said(text) => Some(text.as_str().to_owned()),
            Self::Key(_) | Self::Signed(_) | Self::Code(_) | Self::OnItsWay | Self::Promised(_) => None,
        }
    }

    /// Whether the buyer still waits.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.text().is_none()
    }

    /// Until when a person has promised it.
    #[must_use]
    pub fn promised_by(&self) -> Option<Timestamp> {
        match self {
            Self::Promised(at) => Some(*at),
            Self::Key(_) | Self::Signed(_) | Self::Code(_) | Self::Said(_) | Self::OnItsWay => None,
        }
    }
}

/// What the buyer of a unit holds whose content is made elsewhere.
impl From<OpenedClaim> for Held {
    fn from(opened: OpenedClaim) -> Self {
        match (opened.content, opened.claim.due_at()) {
            (Some(text), Some(_)) => Self::Said(text),
            (Some(code), None) => Self::Code(code),
            (None, Some(due_at)) => Self::Promised(due_at),
            (None, None) => Self::OnItsWay,
        }
    }
}

/// One line of a list of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeLine {
    /// Its number in the list, from 1.
    pub line: usize,
    /// The code, or what is wrong with it.
    pub code: Result<PoolCode, CodeError>,
}

/// Why a line of a list is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The text itself cannot be one.
    #[error("{0}")]
    Text(#[from] TextError),
    /// It begins with a quotation mark, and is not quoted as a table's cell is.
    #[error(
        "begins with a quotation mark, and none closes it before the next column; write a mark that is a part of the code twice, and one around the code"
    )]
    Quotation,
}

/// What became of a code that was to come into stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stocked {
    /// It is in stock; on a dry run it would be.
    New,
    /// It is in this stock already.
    InStock,
    /// It is in another stock of the shop.
    InOtherPool(PoolId),
    /// It was handed out, or taken out of stock: it is never handed out again.
    Gone,
}

/// What stands between the columns of a table.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// Reads a list of codes, one a line; of a table, the first column. Empty lines and rows are left out, and a first line
/// that only names the column. Every other line is a code, or is told.
#[must_use]
pub fn read_codes(text: &str) -> Vec<CodeLine> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let names_a_column = |line: usize, code: &str| {
        line == 1
            && ["code", "codes", "key", "keys", "license key", "license_key"].contains(&code.to_lowercase().as_str())
    };
    let is_blank = |text: &str| text.split(SEPARATORS).all(|cell| matches!(cell.trim(), "" | "\"\""));
    // Some spreadsheets end lines with a carriage return alone.
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .zip(1..)
        .filter(|(text, _)| !is_blank(text))
        .map(|(text, line)| (first_column(text.trim()), line))
        .filter(|(code, line)| !code.as_ref().is_some_and(|code| names_a_column(*line, code)))
        .map(|(code, line)| CodeLine {
            line,
            code: code.ok_or(CodeError::Quotation).and_then(|code| Ok(PoolCode::parse(&code)?)),
        })
        .collect()
}

/// A quoted field may hold commas, and two quotes for one (RFC 4180). `None` where the quotes do not fit: half a code is
/// never sold.
fn first_column(line: &str) -> Option<String> {
    let Some(quoted) = line.strip_prefix('"') else {
        return line.split(SEPARATORS).next().map(|code| code.trim().to_owned());
    };
    let mut field = String::new();
    let mut letters = quoted.chars().peekable();
    loop {
        match letters.next()? {
            '"' if letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => break,
            other => field.push(other),
        }
    }
    let rest: String = letters.skip_while(|letter| *letter == ' ').collect();
    (rest.is_empty() || rest.starts_with(SEPARATORS)).then(|| field.trim().to_owned())
}

impl App {
    /// Serves who waits for codes that are there, the longest waiting first, and tells sellers whose stock gets low.
    /// Returns how many stocks were looked after.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step_pools(&self) -> Result<usize, Error> {
        let in_need = self.store.pools_in_need(self.clock.now()).await?;
        for need in &in_need {
            if need.is_waited_for {
                self.serve_waiting(need.pool.shop, need.pool.id).await?;
            }
            let Some(shop) = self.shop(need.pool.shop).await else { continue };
            let now = self.clock.now();
            if let Some(changes) = watch_stock(&shop, &need.pool, need.free, now, &mut self.entropy.rng()) {
                match self.commit(&changes, None).await {
                    // Another node was faster, and has told the seller.
                    Ok(()) | Err(CommitError::Conflict { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(in_need.len())
    }

    /// Hands out codes to who waits for them, as far as there are any.
    async fn serve_waiting(&self, shop: ShopId, pool: PoolId) -> Result<(), Error> {
        let mut conflicts = 0;
        while conflicts < TRIES {
            let now = self.clock.now();
            let mut waiting = self.store.waiting_claims(shop, pool, BATCH).await?;
            let wanted = u32::try_from(waiting.len()).unwrap_or(BATCH);
            let supply = self.store.supply(shop, pool, None, wanted, now).await?;
            let free = supply.map_or(0, |supply| supply.free);
            waiting.truncate(usize::try_from(free).unwrap_or_default());
            if waiting.is_empty() {
                return Ok(());
            }
            let mut changes = fulfil_claims(&waiting, now, &mut self.entropy.rng());
            self.recovery.hold_mails(&mut changes);
            match self.commit(&changes, None).await {
                Ok(()) => conflicts = 0,
                // A sale took a code, or another node served somebody: look again.
                Err(CommitError::Conflict { .. }) => conflicts += 1,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Brings codes into stock, [`CODES_AT_ONCE`] of them at most; tells what became of each, in their order. A code
    /// that is in the shop already is left where it is, so a run that was cut off is simply run again.
    ///
    /// # Errors
    /// When there is no such stock, or the store does not answer.
    pub async fn stock_codes(
        &self,
        pool: &Pool,
        codes: &[PoolCode],
        actor: Actor,
        dry_run: bool,
    ) -> Result<Vec<Stocked>, Error> {
        for _ in 0..TRIES {
            let known = self.store.known_codes(pool.shop, codes).await?;
            let mut named = BTreeSet::new();
            let outcomes: Vec<Stocked> = known
                .into_iter()
                .zip(codes)
                .map(|(known, code)| match known {
                    None if named.insert(code.as_str()) => Stocked::New,
                    None => Stocked::InStock,
                    Some(known) if !known.is_free => Stocked::Gone,
                    Some(known) => match known.pool {
                        Some(other) if other != pool.id => Stocked::InOtherPool(other),
                        Some(_) | None => Stocked::InStock,
                    },
                })
                .collect();
            let now = self.clock.now();
            let fresh: Vec<NewCode> = codes
                .iter()
                .zip(&outcomes)
                .filter(|(_, outcome)| **outcome == Stocked::New)
                .map(|(code, _)| NewCode { shop: pool.shop, pool: pool.id, code: code.clone(), at: now })
                .collect();
            if dry_run || fresh.is_empty() {
                return Ok(outcomes);
            }
            let event = self.pool_event(pool, EventKind::PoolStocked, actor, fresh.len(), now);
            let changes = Changes { codes: fresh, events: vec![event], ..Changes::default() };
            match self.commit(&changes, None).await {
                Ok(()) => return Ok(outcomes),
                // Somebody else brought one of them in at the same moment: look again.
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "pool" })
    }

    /// Takes codes out of stock that were handed out elsewhere, or are no good. Gives how many were free.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn withdraw_codes(&self, pool: &Pool, codes: &[PoolCode], actor: Actor) -> Result<usize, Error> {
        let event = self.pool_event(pool, EventKind::PoolWithdrawn, actor, codes.len(), self.clock.now());
        let changes = Changes { events: vec![event], ..Changes::default() };
        Ok(self.store.withdraw_codes(pool.shop, pool.id, codes, &changes).await?)
    }

    /// Lets a stock go that was held after a restore.
    ///
    /// # Errors
    /// When there is no such stock, or the store does not answer.
    pub async fn release_pool(&self, shop: ShopId, pool: PoolId, actor: Actor) -> Result<(), Error> {
        for _ in 0..TRIES {
            let row = self.store.pool(shop, pool).await?.ok_or(Error::NotFound { what: "pool" })?;
            if row.held_at.is_none() {
                return Ok(());
            }
            let changes = release_pool(&row, actor, self.clock.now(), &mut self.entropy.rng());
            if self.commits(&changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict { what: "pool" })
    }

    /// The stock with this name or id.
    ///
    /// # Errors
    /// When there is none, or the store does not answer.
    pub async fn pool(&self, shop: ShopId, name: &str) -> Result<Pool, Error> {
        let found = match PoolId::parse(name) {
            Ok(id) => self.store.pool(shop, id).await?,
            Err(_) => self.store.pool_by_slug(shop, name).await?,
        };
        found.ok_or(Error::NotFound { what: "pool" })
    }

    /// How many codes there are in a stock, and who waits.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn stock(&self, pool: &Pool) -> Result<Stock, Error> {
        Ok(self.store.stock(pool.shop, pool.id, self.clock.now()).await?)
    }

    /// What a buyer of so many units of a plan finds in its stock, or in the scarcest of its parts; `None`: it sells from
    /// none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn supply_of_plan(&self, plan: &domain::Plan, units: u32) -> Result<Option<Supply>, Error> {
        let parts = self.store.parts(plan.shop, &plan.bundle).await?;
        let mut wanted: BTreeMap<PoolId, u32> = BTreeMap::new();
        for pool in parts.iter().map(|(_, part)| part).chain([plan]).filter_map(|plan| plan.fulfilment.pool()) {
            *wanted.entry(pool).or_default() += 1;
        }
        let mut scarcest: Option<Supply> = None;
        for (pool, each) in wanted {
            let supply = self.store.supply(plan.shop, pool, None, units.saturating_mul(each), self.clock.now()).await?;
            // As many of the plan as there are codes for.
            let supply = supply.map(|found| Supply { kept: found.kept / each, free: found.free / each, ..found });
            scarcest = [scarcest, supply]
                .into_iter()
                .flatten()
                .min_by_key(|supply| (supply.covers(units), supply.when_out == WhenOut::BackOrder, supply.free));
        }
        Ok(scarcest)
    }

    /// What the buyer of an order that is not paid yet finds in its stocks: whether all of it can be had at once, or
    /// whether it is not sold at all.
    ///
    /// # Errors
    /// `Refused` with [`Refusal::OutOfStock`] or [`Refusal::OnBackOrder`]; or when the store does not answer.
    pub async fn look_into_stock(&self, sale: &Sale) -> Result<(), Error> {
        self.codes_for(&sale.order, false).await.map(|_| ())
    }

    /// The codes to keep for the buyer of an order who presses pay.
    pub(crate) async fn codes_for(&self, order: &Order, accepts_later: bool) -> Result<Vec<Reservation>, Error> {
        let mut kept = Vec::new();
        for (pool, units) in pools_of(order) {
            let now = self.clock.now();
            let supply = self.store.supply(order.shop, pool, Some(order), units, now).await?;
            let supply = supply.ok_or(Error::NotFound { what: "pool" })?;
            kept.extend(reserve(order.shop, order.id, &supply, units, accepts_later, now)?);
        }
        Ok(kept)
    }

    fn pool_event(&self, pool: &Pool, kind: EventKind, actor: Actor, codes: usize, now: Timestamp) -> Event {
        Event {
            id: EventId::mint(now, &mut self.entropy.rng()),
            shop: pool.shop,
            kind,
            actor,
            order: None,
            license: None,
            customer: None,
            data: json!({ "pool": pool.id, "codes": codes }),
            at: now,
        }
    }
}

/// How many codes an order wants from each stock.
fn pools_of(order: &Order) -> Vec<(PoolId, u32)> {
    let mut wanted: Vec<(PoolId, u32)> = Vec::new();
    for line in &order.lines {
        let Some(pool) = line.fulfilment.pool() else { continue };
        let units = u32::try_from(line.units()).unwrap_or(u32::MAX);
        match wanted.iter_mut().find(|(known, _)| *known == pool) {
            Some((_, sum)) => *sum = sum.saturating_add(units),
            None => wanted.push((pool, units)),
        }
    }
    wanted
}

/// Whether an order was refused for its stock alone.
#[must_use]
pub fn is_about_stock(error: &Error) -> bool {
    matches!(error, Error::Refused(Refusal::OutOfStock | Refusal::OnBackOrder))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A line's number with its code, where it is one.
    type Read<'a> = (usize, Option<&'a str>);

    #[test]
    fn a_list_of_codes_is_read_line_by_line() {
        #[rustfmt::skip]
        let table: [(&str, &[Read<'_>]); 15] = [
            ("A-1\nB-2\n",                        &[(1, Some("A-1")), (2, Some("B-2"))]),
            ("\u{feff}code\r\nA-1\r\n\r\nB-2\r\n", &[(2, Some("A-1")), (4, Some("B-2"))]),
            ("A-1,2026,sold by X\nB-2;x\nC-3\ty",  &[(1, Some("A-1")), (2, Some("B-2")), (3, Some("C-3"))]),
            ("\"A,1\",x\n\"B\"\"2\"",              &[(1, Some("A,1")), (2, Some("B\"2"))]),
            ("A-1\ncode",                          &[(1, Some("A-1")), (2, Some("code"))]),
            ("A-1\r\rB-2\rC-3",                     &[(1, Some("A-1")), (3, Some("B-2")), (4, Some("C-3"))]),
            ("A-1\n,,,\n\"\";\"\"\nB-2",            &[(1, Some("A-1")), (4, Some("B-2"))]),
            (",sold\n\"\",sold",                   &[(1, None), (2, None)]),
            ("\"A\"1\n\"B-2\n\"C\" ,x",            &[(1, None), (2, None), (3, Some("C"))]),
            ("\u{200b}",                           &[(1, None)]),
            ("\"\n\"\"\"\"",                        &[(1, None), (2, Some("\""))]),
            ("\"A,1\" sold\n\"A-1\n(two)\",2026",   &[(1, None), (2, None), (3, Some("(two)\""))]),
            ("\"A\"\tx",                           &[(1, Some("A"))]),
            ("4242 4242 4242 4242",                &[(1, None)]),
            ("",                                   &[]),
        ];
        for (text, expected) in table {
            let read = read_codes(text);
            let found: Vec<_> =
                read.iter().map(|line| (line.line, line.code.as_ref().ok().map(PoolCode::as_str))).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
