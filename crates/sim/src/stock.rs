//! The seller at the stock of codes, and what people have seen of it: which codes were brought in, taken out, and to
//! whom each went. None of it is read from our rows of the stock.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use app::Stocked;
use domain::{Actor, NewCode, OrderId, PoolCode};

use crate::assortment::code;
use crate::sim::{Down, HOUR, SECOND, Sim};
use crate::universe::at_once;

/// How often the seller asks again when nobody answers.
const PATIENCE: u32 = 40;

/// A unit of an order: which line, which unit.
pub(crate) type Unit = (OrderId, u32, u32);

/// What people have seen of the codes.
#[derive(Debug, Default)]
pub(crate) struct Stockbook {
    /// How many codes there were ever.
    numbered: i64,
    /// Those that the seller sent.
    sent: BTreeSet<String>,
    /// Those of them that the seller was told are in stock.
    stocked: BTreeSet<String>,
    /// Those that the seller asked to take out, whatever came of it.
    asked_out: BTreeSet<String>,
    /// Those that the seller was told are out of stock, and that nobody had by then.
    withdrawn: BTreeSet<String>,
    /// Whom each went to.
    pub(crate) went_to: BTreeMap<String, Unit>,
}

impl Stockbook {
    /// A stock that begins with these.
    pub(crate) fn of(codes: &[NewCode]) -> Self {
        let begun: BTreeSet<String> = codes.iter().map(|new| new.code.as_str().to_owned()).collect();
        let numbered = i64::try_from(codes.len()).unwrap_or(0);
        Self { numbered, sent: begun.clone(), stocked: begun, ..Self::default() }
    }

    /// What is wrong with a code going to a unit; `None`: nothing. From now on it is that unit's.
    pub(crate) fn hand_out(&mut self, code: &PoolCode, unit: Unit) -> Option<String> {
        let name = code.as_str().to_owned();
        if !self.sent.contains(&name) {
            return Some(format!("a code went to {unit:?} that nobody brought in"));
        }
        if self.withdrawn.contains(&name) {
            return Some(format!("{name} was taken out of stock, and went to {unit:?}"));
        }
        match self.went_to.insert(name.clone(), unit) {
            Some(first) if first != unit => Some(format!("{name} went to {first:?} and to {unit:?}")),
            Some(_) | None => None,
        }
    }

    /// Whether a code may have left the stock.
    fn may_be_gone(&self, code: &String) -> bool {
        self.went_to.contains_key(code) || self.asked_out.contains(code)
    }

    /// So many codes that were never seen before.
    fn mint(&mut self, count: i64) -> Vec<PoolCode> {
        let minted: Vec<PoolCode> = (1..=count).map(|more| code(self.numbered + more)).collect();
        self.numbered += count;
        self.sent.extend(minted.iter().map(|code| code.as_str().to_owned()));
        minted
    }
}

/// Does something at the stock.
pub(crate) async fn act(sim: &Rc<Sim>) {
    match sim.universe.below(6) {
        0 | 1 => {
            let count = sim.universe.between(1, 2);
            let fresh = sim.stockbook.borrow_mut().mint(count);
            bring_in(sim, fresh).await;
        }
        // The list of last week is sent once more.
        2 => bring_in(sim, known(sim, |book, code| book.stocked.contains(code), 3)).await,
        3 => withdraw(sim).await,
        _ => try_one(sim).await,
    }
}

/// A code comes in within seconds after somebody paid for one, while others may have waited for it.
pub(crate) async fn arrive(sim: Rc<Sim>) {
    sim.universe.sleep(sim.universe.between(0, 5) * SECOND).await;
    let fresh = sim.stockbook.borrow_mut().mint(1);
    bring_in(&sim, fresh).await;
}

/// Brings in what everybody who waits is owed, and a little more.
pub(crate) async fn suffice(sim: Rc<Sim>) {
    let waiting = at_once(sim.rows.stock(sim.shop.id, sim.pool, sim.universe.timestamp())).unwrap_or_default().waiting;
    let fresh = sim.stockbook.borrow_mut().mint(i64::try_from(waiting).unwrap_or(0) + 2);
    bring_in(&sim, fresh).await;
}

/// Some of the codes that were sent, of this kind.
fn known(sim: &Sim, wanted: impl Fn(&Stockbook, &String) -> bool, most: usize) -> Vec<PoolCode> {
    let book = sim.stockbook.borrow();
    let fitting: Vec<&String> = book.sent.iter().filter(|code| wanted(&book, code)).collect();
    let skip = usize::try_from(sim.universe.below(u64::try_from(fitting.len()).unwrap_or(0))).unwrap_or(0);
    fitting.into_iter().skip(skip).take(most).filter_map(|code| PoolCode::parse(code).ok()).collect()
}

/// Sends a list until somebody says what became of it.
async fn bring_in(sim: &Rc<Sim>, codes: Vec<PoolCode>) {
    let universe = &sim.universe;
    let names: Vec<String> = codes.iter().map(|code| code.as_str().to_owned()).collect();
    let state = stock_state(sim);
    let gone_before: BTreeSet<String> = {
        let book = sim.stockbook.borrow();
        names
            .iter()
            .filter(|name| book.went_to.contains_key(*name) || book.withdrawn.contains(*name))
            .cloned()
            .collect()
    };
    for _ in 0..PATIENCE {
        let (shop, pool, list) = (sim.shop.id, sim.pool, codes.clone());
        let asked = sim.call("take codes into stock", move |app| async move {
            let pool = app.pool(shop, &pool.to_string()).await?;
            app.stock_codes(&pool, &list, Actor::Api, false).await
        });
        match asked.await {
            Ok(Ok(outcomes)) => {
                universe.meet("codes_arrive", state);
                for (name, outcome) in names.iter().zip(&outcomes) {
                    let was_gone = gone_before.contains(name);
                    let fits = match outcome {
                        Stocked::Gone => sim.stockbook.borrow().may_be_gone(name),
                        Stocked::New | Stocked::InStock | Stocked::InOtherPool(_) => !was_gone,
                    };
                    if !fits {
                        universe.fail(format!("{name} was sent to the stock and is told as {outcome:?}"));
                    }
                    if was_gone {
                        universe.meet("codes_arrive", "stock:gone");
                    }
                }
                must_be_known(sim, &codes);
                sim.stockbook.borrow_mut().stocked.extend(names);
                return;
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(error)) => return universe.fail(format!("codes are not taken into stock: {error}")),
        }
    }
}

/// What was said to be in stock is in the rows.
fn must_be_known(sim: &Sim, codes: &[PoolCode]) {
    match at_once(sim.rows.known_codes(sim.shop.id, codes)) {
        Ok(known) => {
            for (code, known) in codes.iter().zip(known) {
                if known.is_none() {
                    sim.universe.fail(format!("{} was taken into stock and is not stored", code.as_str()));
                }
            }
        }
        Err(error) => sim.universe.fail(format!("the stock cannot be read: {error}")),
    }
}

/// Takes codes out, those of a buyer among them by mistake.
async fn withdraw(sim: &Rc<Sim>) {
    let universe = &sim.universe;
    let codes = known(sim, |book, code| book.stocked.contains(code) && !book.withdrawn.contains(code), 2);
    if codes.is_empty() {
        return;
    }
    sim.stockbook.borrow_mut().asked_out.extend(codes.iter().map(|code| code.as_str().to_owned()));
    for _ in 0..PATIENCE {
        let (shop, pool, list) = (sim.shop.id, sim.pool, codes.clone());
        let asked = sim.call("take codes out of stock", move |app| async move {
            let pool = app.pool(shop, &pool.to_string()).await?;
            app.withdraw_codes(&pool, &list, Actor::Api).await
        });
        match asked.await {
            Ok(Ok(_)) => {
                let mut book = sim.stockbook.borrow_mut();
                for code in &codes {
                    let name = code.as_str().to_owned();
                    let was_free = !book.went_to.contains_key(&name);
                    universe.meet("codes_withdrawn", if was_free { "code:free" } else { "code:handed_out" });
                    if was_free {
                        book.withdrawn.insert(name);
                    }
                }
                return;
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(error)) => return universe.fail(format!("codes are not taken out of stock: {error}")),
        }
    }
}

/// Somebody tries a code that nobody bought: it opens nothing.
async fn try_one(sim: &Rc<Sim>) {
    let Some(code) = known(sim, |book, code| !book.went_to.contains_key(code), 1).pop() else { return };
    let (shop, text) = (sim.shop.id, code.as_str().to_owned());
    let asked =
        sim.call("open something with a code in stock", move |app| async move { app.key_behind(shop, &text).await });
    let Ok(Ok(opened)) = asked.await else { return };
    sim.universe.meet("app_validates", "key:in_stock");
    if opened.is_some() && !sim.stockbook.borrow().went_to.contains_key(code.as_str()) {
        sim.universe.fail(format!("{} is in stock and opens a license", code.as_str()));
    }
}

/// How the stock stands, by the rows: only to know what met what.
pub(crate) fn stock_state(sim: &Sim) -> &'static str {
    let stock = at_once(sim.rows.stock(sim.shop.id, sim.pool, sim.universe.timestamp())).unwrap_or_default();
    match (stock.waiting, stock.free) {
        (0, 0) => "stock:empty",
        (0, _) => "stock:some",
        (_, _) => "stock:waited_for",
    }
}
