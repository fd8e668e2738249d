//! Somebody who buys: quickly or slowly, with one press or two, with a card that works or one that does not.
//!
//! A buyer knows nothing of our rows. They press, wait, come back, try another
//! card, and give up when the shop does not answer for too long.

use std::collections::BTreeMap;
use std::rc::Rc;

use app::{CheckoutInput, Submitted};
use domain::{Actor, BuyerDetails, CheckoutId, Country, Email, Locale, OrderId, OrderState, PaymentState, Rng, Sale};

use crate::chance;
use crate::device;
use crate::gateway::Pressed;
use crate::seller;
use crate::sim::{DAY, Down, HOUR, MINUTE, SECOND, Seen, Sim};
use crate::stock;
use crate::universe::hold;

/// How often a buyer tries before they give up.
const PATIENCE: u32 = 14;

/// Means to pay, as the form of the hosted page takes them.
const CARD: &str = "4242424242424242";
const CARD_DECLINED: &str = "4000000000009995";
const CARD_BLOCKED: &str = "4100000000000019";
const CARD_CHALLENGED: &str = "4000002760003184";
const CARD_CHALLENGED_WITHOUT_FUNDS: &str = "4000008260003178";
const CARD_DISPUTED: &str = "4000000000000259";
const CARD_INQUIRED: &str = "4000000000001976";
const CARD_WARNED: &str = "4000000000005423";
const CARD_WHOSE_REFUND_FAILS: &str = "4000000000005126";
const CARD_WHOSE_REFUND_PENDS: &str = "4000000000007726";
const DEBIT: &str = "AT611904300234573201";
const DEBIT_LATER: &str = "AT321904300235473204";
const DEBIT_FAILS: &str = "AT861904300235473202";
const DEBIT_FAILS_LATER: &str = "AT051904300235473205";
const DEBIT_DISPUTED: &str = "AT591904300235473203";

/// One means for each time that it is drawn.
const MEANS: &[&str] = &[
    CARD,
    CARD,
    CARD,
    CARD_DECLINED,
    CARD_DECLINED,
    CARD_BLOCKED,
    CARD_CHALLENGED,
    CARD_CHALLENGED,
    CARD_CHALLENGED,
    CARD_CHALLENGED_WITHOUT_FUNDS,
    CARD_DISPUTED,
    CARD_INQUIRED,
    CARD_WARNED,
    CARD_WHOSE_REFUND_FAILS,
    CARD_WHOSE_REFUND_FAILS,
    CARD_WHOSE_REFUND_PENDS,
    CARD_WHOSE_REFUND_PENDS,
    DEBIT,
    DEBIT_LATER,
    DEBIT_LATER,
    DEBIT_FAILS,
    DEBIT_FAILS_LATER,
    DEBIT_FAILS_LATER,
    DEBIT_DISPUTED,
];

/// One who buys, from the first look to the last.
pub(crate) async fn run(sim: Rc<Sim>, number: usize) {
    let universe = &sim.universe;
    let window = hold(&universe.mix).window;
    universe.sleep(universe.between(0, window * SECOND)).await;
    let Some(order) = open(&sim).await else { return };
    // Some only look.
    if universe.one_in(12) {
        return;
    }
    if universe.one_in(6) {
        universe.sleep(universe.between(MINUTE, 24 * HOUR)).await;
    }
    let Some(mut submitted) = submit(&sim, &order, number).await else { return };
    let is_coded = order.order.lines.iter().any(|line| line.fulfilment.is_claimed());
    let order = submitted.order;
    let place = {
        let mut seen = sim.seen.borrow_mut();
        seen.push(Seen { order, paid_on_page: false });
        seen.len() - 1
    };
    for _ in 0..3 {
        let Some(page) = page(&sim, submitted.payment.page_url.as_deref(), order).await else { return };
        match pay(&sim, order, &page).await {
            Pressed::Complete => {
                sim.seen.borrow_mut()[place].paid_on_page = true;
                if is_coded && universe.one_in(3) {
                    sim.spawn_wanting(stock::arrive(Rc::clone(&sim)));
                }
                if hold(&universe.mix).is_hasty && universe.one_in(2) {
                    sim.spawn_wanting(seller::hurry(Rc::clone(&sim)));
                }
            }
            Pressed::Challenged | Pressed::Declined | Pressed::Closed => {}
        }
        let Some(sale) = come_back(&sim, order).await else { return };
        if sale.order.state.was_paid() {
            use_keys(&sim, &sale);
            return;
        }
        let is_over = sale.payments.iter().all(|payment| !payment.state.is_open());
        if sale.order.state != OrderState::Pending || !is_over || universe.one_in(4) {
            return;
        }
        let shop = sim.shop.clone();
        let again = sim.call("try another payment", move |app| async move { app.retry_payment(&shop, order).await });
        match again.await {
            Ok(Ok(again)) => submitted = again,
            Ok(Err(_)) | Err(Down) => return,
        }
    }
}

async fn open(sim: &Rc<Sim>) -> Option<Sale> {
    let universe = &sim.universe;
    let countries = [Country::DE, Country::DE, Country::DE, country("US"), country("JP"), country("CH")];
    let id = CheckoutId::mint(universe.timestamp(), &mut Rng::from_seed(chance::bytes(universe.below(u64::MAX), 2)));
    let input = CheckoutInput {
        plan: universe.pick(&sim.plans),
        id: Some(id),
        quantity: universe.pick(&[1, 1, 1, 2, 3]),
        currency: None,
        coupon: None,
        email: None,
        country: universe.pick(&countries),
        locale: Locale::english(),
        success_url: None,
        cancel_url: None,
        metadata: BTreeMap::new(),
        answers: BTreeMap::new(),
    };
    for _ in 0..PATIENCE {
        let press = || {
            let (input, shop) = (input.clone(), sim.shop.clone());
            sim.call("open a checkout", move |app| async move { app.open_checkout(&shop, input, Actor::Buyer).await })
        };
        if universe.one_in(5) {
            twice(sim, input.clone());
        }
        match press().await {
            Ok(Ok(sale)) => return Some(sale),
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => wait(sim).await,
            // The plan is not for sale in this moment.
            Ok(Err(_)) => return None,
        }
    }
    None
}

/// The second press of a double click; nobody waits for it.
fn twice(sim: &Rc<Sim>, input: CheckoutInput) {
    let again = Rc::clone(sim);
    sim.spawn(None, async move {
        let shop = again.shop.clone();
        let pressed = again.call("open a checkout once more", move |app| async move {
            app.open_checkout(&shop, input, Actor::Buyer).await
        });
        let _ = pressed.await;
    });
}

async fn submit(sim: &Rc<Sim>, sale: &Sale, number: usize) -> Option<Submitted> {
    let universe = &sim.universe;
    // Some buy for the second time.
    let number = if number > 0 && universe.one_in(5) { number - 1 } else { number };
    let buyer = BuyerDetails {
        email: Email::parse(&format!("buyer{number}@shop.test")).ok()?,
        name: None,
        country: sale.order.country,
        locale: sale.order.locale.clone(),
        immediate_supply: true,
        accepts_later: true,
        answers: BTreeMap::new(),
    };
    let checkout = sale.checkout.id;
    let press = |sim: &Rc<Sim>| {
        let (buyer, shop, sim) = (buyer.clone(), sim.shop.clone(), Rc::clone(sim));
        async move {
            sim.call("submit a checkout", move |app| async move { app.submit_checkout(&shop, checkout, &buyer).await })
                .await
        }
    };
    for _ in 0..PATIENCE {
        if universe.one_in(4) {
            let second = press(sim);
            sim.spawn(None, async move {
                let _ = second.await;
            });
        }
        match press(sim).await {
            Ok(Ok(submitted)) => return Some(submitted),
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => wait(sim).await,
            // Expired meanwhile.
            Ok(Err(_)) => return None,
        }
    }
    None
}

/// The gateway's page of an order, from the answer, or by looking again until it is there.
async fn page(sim: &Rc<Sim>, known: Option<&str>, order: OrderId) -> Option<String> {
    let tail = |url: &str| url.rsplit('/').next().map(str::to_owned);
    if let Some(url) = known {
        return tail(url);
    }
    for _ in 0..PATIENCE {
        wait(sim).await;
        let Some(sale) = look(sim, order).await else { continue };
        let open = sale.payments.iter().rev().find(|payment| payment.state.is_open());
        if let Some(url) = open.and_then(|payment| payment.page_url.as_deref()) {
            return tail(url);
        }
        open?;
    }
    None
}

async fn pay(sim: &Rc<Sim>, order: OrderId, page: &str) -> Pressed {
    let universe = &sim.universe;
    let mut pressed = Pressed::Closed;
    for attempt in 0..4 {
        match universe.below(12) {
            // Away for so long that the page may be closed.
            0 => universe.sleep(universe.between(HOUR, 26 * HOUR)).await,
            // A look at the order on another device, while the page is open here.
            1 | 2 => {
                look(sim, order).await;
                returned(sim, order).await;
            }
            3 => return pressed,
            _ => universe.sleep(universe.between(SECOND, 5 * MINUTE)).await,
        }
        let means = if attempt == 3 { CARD } else { universe.pick(MEANS) };
        pressed = sim.gateway.press(page, &form(means));
        if pressed == Pressed::Challenged {
            if universe.one_in(4) {
                returned(sim, order).await;
            }
            // The prompt lies on a telephone that is somewhere else.
            match universe.below(4) {
                0 => universe.sleep(universe.between(MINUTE, 2 * HOUR)).await,
                _ => universe.sleep(universe.between(SECOND, MINUTE)).await,
            }
            let outcome = universe.pick(&["outcome=complete", "outcome=complete", "outcome=fail", ""]);
            if outcome.is_empty() {
                return pressed;
            }
            pressed = sim.gateway.press(&format!("{page}/challenge"), outcome);
        }
        match pressed {
            Pressed::Complete | Pressed::Closed => return pressed,
            Pressed::Challenged | Pressed::Declined => {}
        }
        // Pays twice at once: the second press finds a page that is done.
        if universe.one_in(10) {
            sim.gateway.press(page, &form(CARD));
        }
    }
    pressed
}

fn form(means: &str) -> String {
    if means.starts_with(|letter: char| letter.is_ascii_digit()) {
        format!("email=buyer@shop.test&method=card&card_number={means}&exp=12/40&cvc=123")
    } else {
        format!("email=buyer@shop.test&method=sepa_debit&name=Ada+Buyer&iban={means}")
    }
}

/// The buyer looks at their order until it is settled one way or the other, or they have enough. Gives what they saw
/// last.
async fn come_back(sim: &Rc<Sim>, order: OrderId) -> Option<Sale> {
    let universe = &sim.universe;
    if universe.one_in(5) {
        // Closes the browser: nobody ever comes back from the gateway.
        universe.sleep(universe.between(MINUTE, DAY)).await;
        return look(sim, order).await;
    }
    let mut last = None;
    for _ in 0..universe.between(1, 6) {
        let sale = if universe.one_in(2) { returned(sim, order).await } else { look(sim, order).await };
        let settled = sale.as_ref().is_some_and(|sale| {
            sale.order.state.was_paid() || sale.payments.iter().all(|row| row.state == PaymentState::Failed)
        });
        last = sale.or(last);
        if settled {
            break;
        }
        match universe.below(4) {
            0 => universe.sleep(universe.between(MINUTE, 3 * HOUR)).await,
            _ => universe.sleep(universe.between(SECOND, 4 * MINUTE)).await,
        }
    }
    last
}

async fn look(sim: &Rc<Sim>, order: OrderId) -> Option<Sale> {
    let shop = sim.shop.id;
    let seen = sim.call("show an order", move |app| async move { app.sale(shop, order).await });
    seen.await.ok()?.ok()
}

async fn returned(sim: &Rc<Sim>, order: OrderId) -> Option<Sale> {
    let shop = sim.shop.id;
    let seen = sim.call("take a buyer back", move |app| async move { app.return_from_gateway(shop, order).await });
    seen.await.ok()?.ok()
}

/// Devices begin to use what was bought.
fn use_keys(sim: &Rc<Sim>, sale: &Sale) {
    let universe = &sim.universe;
    if universe.one_in(3) {
        return;
    }
    let sale = Rc::new(sale.clone());
    for number in 0..universe.between(1, 4) {
        sim.spawn_wanting(device::run(Rc::clone(sim), Rc::clone(&sale), number));
    }
}

async fn wait(sim: &Rc<Sim>) {
    let universe = &sim.universe;
    let span = match universe.below(5) {
        0 => universe.between(MINUTE, 30 * MINUTE),
        _ => universe.between(SECOND, 20 * SECOND),
    };
    universe.sleep(span).await;
}

fn country(code: &str) -> Country {
    Country::parse(code).unwrap_or(Country::DE)
}
