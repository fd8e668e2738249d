//! Whatever the order in which a gateway's notices come, how often they come
//! and which of them never do: the sale ends where the gateway's books say.

use domain::{Actor, Duration, OrderId};
use futures::StreamExt as _;
use gateways::{Translation, adapter};
use serde_json::json;

use crate::house::{
    Bought, CARD, CARD_WHOSE_REFUND_FAILS, CARD_WITHOUT_FUNDS, DEBIT_THAT_ARRIVES_LATER, DEBIT_THAT_FAILS_LATER, House,
    On, Webhook,
};

/// The longest run of notices whose every order is tried.
const LONGEST: usize = 5;

/// How many sales are worked on side by side.
const SIDE_BY_SIDE: usize = 16;

/// What happens at the gateway, none of it through us.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The buyer sends the form of the page.
    Pay(&'static str),
    /// So many seconds go by.
    Wait(i64),
    /// The seller gives money back on the dashboard; `None`: all of it.
    Refund(Option<i64>),
    /// The bank takes the money back.
    Dispute,
    /// The bank decides.
    Decide(&'static str),
    /// The seller closes the page.
    ClosePage,
}

struct Story {
    name: &'static str,
    steps: &'static [Step],
    /// As [`House::standing`] tells it.
    end: &'static str,
}

use Step::{ClosePage, Decide, Dispute, Pay, Refund, Wait};

#[rustfmt::skip]
const STORIES: &[Story] = &[
    Story { name: "a card pays", steps: &[Pay(CARD)],
        end: "paid 0 | succeeded | - | - | active active" },
    Story { name: "a card is declined and another pays", steps: &[Pay(CARD_WITHOUT_FUNDS), Wait(2), Pay(CARD)],
        end: "paid 0 | succeeded | - | - | active active" },
    Story { name: "a debit arrives days later", steps: &[Pay(DEBIT_THAT_ARRIVES_LATER), Wait(181)],
        end: "paid 0 | succeeded | - | - | active active" },
    Story { name: "a debit fails days later", steps: &[Pay(DEBIT_THAT_FAILS_LATER), Wait(181)],
        end: "pending 0 | failed | - | - | -" },
    Story { name: "the page closes unpaid", steps: &[ClosePage],
        end: "pending 0 | canceled | - | - | -" },
    Story { name: "all of it goes back", steps: &[Pay(CARD), Wait(2), Refund(None)],
        end: "refunded 9800 | succeeded | 9800 made_at_gateway succeeded | - | revoked_by_refund revoked_by_refund" },
    Story { name: "some of it goes back", steps: &[Pay(CARD), Wait(2), Refund(Some(1_000))],
        end: "partially_refunded 1000 | succeeded | 1000 made_at_gateway succeeded | - | active active" },
    Story { name: "it goes back in two parts", steps: &[Pay(CARD), Wait(2), Refund(Some(1_000)), Wait(2), Refund(Some(8_800))],
        end: "refunded 9800 | succeeded | 1000 made_at_gateway succeeded 8800 made_at_gateway succeeded | - | revoked_by_refund revoked_by_refund" },
    Story { name: "a refund fails later", steps: &[Pay(CARD_WHOSE_REFUND_FAILS), Wait(2), Refund(None), Wait(3_600)],
        end: "paid 0 | succeeded | 9800 made_at_gateway failed | - | active active" },
    Story { name: "a dispute is open", steps: &[Pay(CARD), Wait(2), Dispute],
        end: "disputed 0 | succeeded | - | 9800 opened | suspended_by_dispute suspended_by_dispute" },
    Story { name: "a dispute is won", steps: &[Pay(CARD), Wait(2), Dispute, Wait(2), Decide("won")],
        end: "paid 0 | succeeded | - | 9800 won | active active" },
    Story { name: "a dispute is lost", steps: &[Pay(CARD), Wait(2), Dispute, Wait(2), Decide("lost")],
        end: "lost 0 | succeeded | - | 9800 lost | revoked_by_dispute revoked_by_dispute" },
    Story { name: "a dispute is lost and won on appeal",
        steps: &[Pay(CARD), Wait(2), Dispute, Wait(2), Decide("lost"), Wait(2), Decide("won")],
        end: "paid 0 | succeeded | - | 9800 won | active active" },
];

/// What becomes known of what never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Everything came.
    Nothing,
    /// The gateway is asked about the payment, as the sweep and the support button do.
    Ask,
    /// The event list is read.
    List,
}

/// Which notices come, in which order, by their place in the story.
#[derive(Debug, Clone)]
struct Run {
    places: Vec<usize>,
    then: Then,
}

/// Every way to pick `length` of `count` things, in every order.
fn arrangements(count: usize, length: usize) -> Vec<Vec<usize>> {
    let mut runs = vec![Vec::new()];
    for _ in 0..length {
        let longer = |run: &Vec<usize>| {
            let left = (0..count).filter(|place| !run.contains(place));
            left.map(|place| [&run[..], &[place]].concat()).collect::<Vec<_>>()
        };
        runs = runs.iter().flat_map(longer).collect();
    }
    runs
}

/// Every order of the story's notices, or of each five of them when there are
/// more; each order with duplicates; and each with one missing.
fn runs(count: usize) -> Vec<Run> {
    let heal = |number: usize| if number.is_multiple_of(2) { Then::Ask } else { Then::List };
    let missing = |length: usize| {
        arrangements(count, length)
            .into_iter()
            .enumerate()
            .map(move |(number, places)| Run { places, then: heal(number) })
    };
    if count > LONGEST {
        return missing(LONGEST).collect();
    }
    let whole = arrangements(count, count);
    let once = whole.iter().map(|places| Run { places: places.clone(), then: Then::Nothing });
    let again = whole.iter().map(|places| {
        let backwards = places.iter().rev().copied();
        Run { places: places.iter().copied().chain(backwards).collect(), then: Then::Nothing }
    });
    once.chain(again).chain(missing(count.saturating_sub(1))).collect()
}

/// `most` of them, evenly, the first among them.
fn sampled(runs: Vec<Run>, most: usize) -> Vec<Run> {
    let every = runs.len().div_ceil(most).max(1);
    runs.into_iter().step_by(every).collect()
}

fn matters(webhook: &Webhook) -> bool {
    match adapter("stripe").unwrap().translate(&webhook.kind, webhook.body.as_bytes()).unwrap() {
        Translation::Fact(_) | Translation::Ask(_) => true,
        Translation::Ignore(_) => false,
    }
}

/// Lives the story so often, and gives the notices of each sale, oldest first.
async fn live(house: &House, story: &Story, times: usize) -> Vec<(Bought, Vec<Webhook>)> {
    let sales: Vec<Bought> =
        futures::stream::iter(0..times).map(|_| house.buy(2)).buffered(SIDE_BY_SIDE).collect().await;
    let intents = |house: &House| -> std::collections::HashMap<String, String> {
        let truth = house.gateway.truth();
        let pair =
            |row: &serde_json::Value| Some((row["session"].as_str()?.to_owned(), row["intent"].as_str()?.to_owned()));
        truth["payments"].as_array().unwrap().iter().filter_map(pair).collect()
    };
    let mut cases: Vec<String> = Vec::new();
    for step in story.steps {
        if let Wait(seconds) = step {
            house.advance(Duration::seconds(*seconds));
            house.gateway.truth();
            continue;
        }
        let intents = intents(house);
        for (place, bought) in sales.iter().enumerate() {
            let intent = || intents[&bought.session].as_str();
            match step {
                Pay(form) => {
                    house.gateway.pay(&bought.session, form);
                }
                Refund(amount) => {
                    let amount = amount.map_or_else(String::new, |minor| format!("&amount={minor}"));
                    house.gateway.dashboard("/v1/refunds", &format!("payment_intent={}{amount}", intent()));
                }
                Dispute => {
                    let opened =
                        house.gateway.control("POST", "/_control/disputes", &json!({ "payment_intent": intent() }));
                    cases.push(opened["id"].as_str().unwrap().to_owned());
                }
                Decide(outcome) => {
                    let path = format!("/_control/disputes/{}", cases[place]);
                    house.gateway.control("POST", &path, &json!({ "outcome": outcome }));
                }
                ClosePage => {
                    house.gateway.dashboard(&format!("/v1/checkout/sessions/{}/expire", bought.session), "");
                }
                Wait(_) => {}
            }
        }
    }
    let intents = intents(house);
    let mut by_name: std::collections::HashMap<String, Vec<Webhook>> = std::collections::HashMap::new();
    for webhook in house.gateway.webhooks().into_iter().filter(matters) {
        let event: serde_json::Value = serde_json::from_str(&webhook.body).unwrap();
        let object = &event["data"]["object"];
        let name = object["payment_intent"].as_str().or(object["id"].as_str()).unwrap();
        by_name.entry(name.to_owned()).or_default().push(webhook);
    }
    sales
        .into_iter()
        .map(|bought| {
            let of_intent = intents.get(&bought.session).and_then(|intent| by_name.remove(intent));
            let of_page = by_name.remove(&bought.session);
            (bought, of_intent.or(of_page).expect("the gateway tells what happened"))
        })
        .collect()
}

async fn every_order(on: On, most: usize) {
    let mut told = 0;
    for story in STORIES {
        let house = House::open(on).await;
        let (_, first) = live(&house, story, 1).await.remove(0);
        let kinds: Vec<String> = first.iter().map(|webhook| webhook.kind.clone()).collect();
        let runs = sampled(runs(kinds.len()), most);
        told += runs.len();
        let sales = live(&house, story, runs.len()).await;
        let orders: Vec<OrderId> = sales.iter().map(|(bought, _)| bought.order).collect();

        futures::stream::iter(sales.iter().zip(&runs))
            .for_each_concurrent(SIDE_BY_SIDE, |((_, webhooks), run)| {
                let (house, kinds) = (&house, &kinds);
                async move {
                    let told: Vec<&String> = webhooks.iter().map(|webhook| &webhook.kind).collect();
                    assert_eq!(told, kinds.iter().collect::<Vec<_>>(), "{}", story.name);
                    for place in &run.places {
                        house.receive(&webhooks[*place]).await;
                    }
                }
            })
            .await;
        house.work().await;
        futures::stream::iter(sales.iter().zip(&runs).filter(|(_, run)| run.then == Then::Ask))
            .for_each_concurrent(SIDE_BY_SIDE, |((bought, _), _)| {
                let house = &house;
                async move {
                    house.app.ask_payment(house.shop.id, bought.payment, Actor::System).await.unwrap();
                }
            })
            .await;
        compare(&house, story, &sales, &runs, &kinds, |run| run.then != Then::List).await;

        house.advance(Duration::minutes(5));
        house.app.step_events().await.unwrap();
        house.work().await;
        compare(&house, story, &sales, &runs, &kinds, |_| true).await;
        house.assert_lawful(&orders).await;
        assert_eq!(house.notices("parked").await.len(), 0, "{}: nothing is left for a person", story.name);
        println!("{on:?}: {}: {} runs of {kinds:?}", story.name, runs.len());
    }
    println!("{on:?}: {told} runs");
}

async fn compare(
    house: &House,
    story: &Story,
    sales: &[(Bought, Vec<Webhook>)],
    runs: &[Run],
    kinds: &[String],
    wanted: impl Fn(&Run) -> bool,
) {
    for ((bought, _), run) in sales.iter().zip(runs).filter(|(_, run)| wanted(run)) {
        let came: Vec<&str> = run.places.iter().map(|place| kinds[*place].as_str()).collect();
        assert_eq!(house.standing(bought.order).await, story.end, "{}: {came:?}, then {:?}", story.name, run.then);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_of_up_to_five_notices_with_duplicates_and_losses_ends_the_same_on_sqlite() {
    every_order(On::Sqlite, 400).await;
}

/// One in so many of the runs, for each is a dozen commits over a socket; the decisions are the same on both engines.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_of_up_to_five_notices_with_duplicates_and_losses_ends_the_same_on_postgres() {
    every_order(On::Postgres, 60).await;
}
