#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use money::Currency;

use super::*;
use crate::fixture::{Catalog, START, World, buyer, catalog, decline, opened, request, rng};
use crate::{Duration, Mode, Occurrence, PaymentState};

/// The table's rows, cut at `|` and trimmed. Lines of dashes and the head are left out.
fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.trim().lines().skip(1).filter(|line| !line.trim().is_empty());
    lines.map(|line| line.split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_catalog_names_the_price() {
    let table = "
        quantity | currency | country | plan       | outcome                          | why
        1        | EUR      | DE      | as it is   | 49.00 EUR, 49.00 EUR each        | the first tier
        9        | EUR      | DE      | as it is   | 441.00 EUR, 49.00 EUR each       | the last of the first tier
        10       | EUR      | DE      | as it is   | 390.00 EUR, 39.00 EUR each       | the first of the second, for all units
        20       | EUR      | DE      | as it is   | 780.00 EUR, 39.00 EUR each       | the most that may be bought
        1        | -        | US      | as it is   | 52.00 USD, 52.00 USD each        | the country's currency
        1        | -        | JP      | as it is   | 49.00 EUR, 49.00 EUR each        | no price in yen: the shop's currency
        1        | USD      | DE      | as it is   | 52.00 USD, 52.00 USD each        | as asked
        1        | JPY      | JP      | as it is   | refused no_price_in_currency     | nothing is converted
        0        | EUR      | DE      | as it is   | refused quantity_out_of_range    | nothing is not a purchase
        21       | EUR      | DE      | as it is   | refused quantity_out_of_range    | one too many
        1        | EUR      | DE      | withdrawn  | refused plan_not_on_sale         | the plan is off
        1        | EUR      | DE      | product off| refused plan_not_on_sale         | the product is off
        1        | EUR      | DE      | free       | refused no_price_in_currency     | no gateway collects nothing
        1        | EUR      | DE      | negative   | refused no_price_in_currency     | a slip in the catalog pays nobody
        2        | EUR      | DE      | immense    | refused amount_out_of_range      | too much for 64 bits
        1        | EUR      | DE      | from two   | refused no_price_in_currency     | a list that begins at two has no price for one
        1        | EUR      | DE      | coupon     | refused coupon_unknown           | there are none
    ";
    for row in rows(table) {
        let [quantity, currency, country, plan, outcome, why] = row[..] else { panic!("{row:?}") };
        let mut catalog = catalog();
        let mut request = request(quantity.parse().unwrap());
        request.currency = Currency::parse(currency).ok();
        request.country = Country::parse(country).unwrap();
        let tiers = &mut catalog.plan.prices[0].tiers;
        match plan {
            "as it is" => {}
            "withdrawn" => catalog.plan.is_active = false,
            "product off" => catalog.product.is_active = false,
            "free" => tiers[0].unit_minor = 0,
            "negative" => tiers[0].unit_minor = -4_900,
            "immense" => tiers[0].unit_minor = i64::MAX,
            "from two" => tiers[0].from_quantity = 2,
            "coupon" => request.coupon = Some("SPRING".to_owned()),
            other => panic!("{other}"),
        }
        let found = open_checkout(&catalog.offer(), &request, Actor::Buyer, START, &mut rng(9)).map_or_else(
            |refusal| format!("refused {}", refusal.code()),
            |changes| {
                let order = &changes.orders[0];
                assert_eq!(order.lines[0].amount, order.total, "the total is the sum of the lines");
                assert_eq!(order.state, OrderState::Pending);
                assert_eq!(changes.checkouts[0].order, order.id);
                format!("{}, {} each", order.total, order.lines[0].unit_amount)
            },
        );
        assert_eq!(found, outcome, "{why}");
    }
}

#[test]
fn pressing_pay_needs_an_open_checkout_and_consent() {
    let table = "
        checkout  | after    | country | supply | account  | outcome                    | why
        open      | 0 h      | DE      | yes    | its own  | payment                    | the way it should be
        submitted | 0 h      | DE      | yes    | its own  | payment                    | back from a page that was left
        abandoned | 0 h      | DE      | yes    | its own  | payment                    | back by a recovery link
        open      | 22 h     | DE      | yes    | its own  | payment                    | an hour before the end
        open      | 23 h     | DE      | yes    | its own  | refused checkout_expired   | the end itself is too late
        completed | 0 h      | DE      | yes    | its own  | refused checkout_completed | nobody pays twice
        expired   | 0 h      | DE      | yes    | its own  | refused checkout_expired   | over is over
        open      | 0 h      | DE      | no     | its own  | refused consent_missing    | a consumer in the Union
        open      | 0 h      | FR      | no     | its own  | refused consent_missing    | a consumer in the Union
        open      | 0 h      | CH      | no     | its own  | payment                    | next to the Union
        open      | 0 h      | GB      | no     | its own  | payment                    | no longer in it
        open      | 0 h      | US      | no     | its own  | payment                    | far from it
        open      | 0 h      | DE      | yes    | live     | refused mode_mismatch      | no real money for a sandbox
    ";
    for row in rows(table) {
        let [state, after, country, supply, account, outcome, why] = row[..] else { panic!("{row:?}") };
        let catalog = catalog();
        let mut sale = opened(&catalog, 1);
        sale.checkout.state = CheckoutState::parse(state).unwrap();
        let hours = after.trim_end_matches(" h").parse().unwrap();
        let buyer =
            BuyerDetails { country: Country::parse(country).unwrap(), immediate_supply: supply == "yes", ..buyer() };
        let mut at = catalog.account.clone();
        if account == "live" {
            at.mode = Mode::Live;
        }
        let now = START.after(Duration::hours(hours));
        let found = submit_checkout(&sale, &catalog.shop, None, &buyer, &at, now, &mut rng(9)).map_or_else(
            |refusal| format!("refused {}", refusal.code()),
            |(changes, payment)| {
                assert_eq!(changes.payments[0].id, payment);
                assert_eq!(changes.payments[0].amount, sale.order.total);
                assert_eq!(changes.jobs[0].kind, JobKind::OpenPayment { payment });
                assert_eq!(changes.orders[0].consent.immediate_supply_at.is_some(), supply == "yes");
                "payment".to_owned()
            },
        );
        assert_eq!(found, outcome, "{why}");
    }
}

#[test]
fn a_second_press_gives_the_payment_that_is_open() {
    let mut world = World::submitted();
    let catalog = world.catalog.clone();
    let first = world.sale.payments[0].id;
    let later = START.after(Duration::minutes(3));
    let press = |world: &mut World, account: &GatewayAccount| {
        let (changes, payment) =
            submit_checkout(&world.sale, &catalog.shop, None, &buyer(), account, later, &mut world.rng).unwrap();
        world.write(&changes);
        payment
    };
    assert_eq!(press(&mut world, &catalog.account), first);
    assert_eq!(world.sale.payments.len(), 1);
    assert_eq!(world.sale.order.consent.immediate_supply_at, Some(START), "the first consent is the evidence");
    assert_ne!(press(&mut world, &catalog.other_account), first, "another gateway is another attempt");
}

#[test]
fn a_press_from_outside_the_union_does_not_undo_a_consent() {
    let mut world = World::submitted();
    let abroad = BuyerDetails { country: Country::US, immediate_supply: false, ..buyer() };
    let Catalog { shop, account, .. } = world.catalog.clone();
    let (changes, _) = submit_checkout(&world.sale, &shop, None, &abroad, &account, START, &mut world.rng).unwrap();
    world.write(&changes);
    assert_eq!(world.sale.order.consent.immediate_supply_at, Some(START));
}

#[test]
fn a_known_customer_stays_the_same_customer() {
    let catalog = catalog();
    let sale = opened(&catalog, 1);
    let submit = |customer: Option<&Customer>, buyer: &BuyerDetails| {
        let (changes, _) =
            submit_checkout(&sale, &catalog.shop, customer, buyer, &catalog.account, START, &mut rng(9)).unwrap();
        changes.customers[0].clone()
    };
    let named = BuyerDetails { name: Some("Mina".to_owned()), ..buyer() };
    let known = Customer { version: 3, ..submit(None, &named) };
    let again = submit(Some(&known), &buyer());
    assert_eq!((again.id, again.version, again.name.as_deref()), (known.id, 3, Some("Mina")));
}

#[test]
fn another_attempt_follows_one_that_ended_without_money() {
    let table = "
        before                | outcome                    | why
        never submitted       | refused consent_missing    | nobody has said who buys
        created               | the same                   | it is still under way
        unknown               | the same                   | asked before it is tried again
        sent                  | the same                   | its page is open
        processing            | the same                   | a debit must not be made twice
        failed                | another                    | that one will not pay
        canceled              | another                    | that one cannot pay any more
        succeeded             | refused checkout_completed | nobody pays twice
        expired               | refused checkout_expired   | over is over
        out of time           | refused checkout_expired   | as good as over
        failed, live account  | refused mode_mismatch      | no real money for a sandbox
    ";
    for row in rows(table) {
        let [before, outcome, why] = row[..] else { panic!("{row:?}") };
        let mut world = World::submitted();
        let mut account = world.catalog.other_account.clone();
        let first = world.sale.payments[0].id;
        match before {
            "never submitted" => world.sale = opened(&world.catalog, 1),
            "expired" => world.sale.order.state = OrderState::Expired,
            "out of time" => world.now = START.after(Duration::hours(23)),
            "succeeded" => {
                let reporter = crate::fixture::Reporter::of(&world.sale, 0);
                let captured = world.sale.order.total;
                world.meet(&reporter.payment(crate::PaymentStatus::Succeeded { captured })).unwrap();
            }
            other => {
                let state = other.split(',').next().unwrap_or_default();
                world.sale.payments[0].state = PaymentState::parse(state).unwrap();
                if !world.sale.payments[0].state.is_open() {
                    world.sale.payments[0].check_at = None;
                }
                if other.ends_with("live account") {
                    account.mode = Mode::Live;
                }
            }
        }
        let found = match world.retry(&account) {
            Err(refusal) => format!("refused {}", refusal.code()),
            Ok(payment) if payment == first => "the same".to_owned(),
            Ok(_) => "another".to_owned(),
        };
        assert_eq!(found, outcome, "{before}: {why}");
    }
}

#[test]
fn a_checkout_ends_when_its_time_is_up_and_nothing_can_still_pay_it() {
    let table = "
        checkout  | payment         | after | outcome   | why
        open      | -               | 22 h  | nothing   | there is time left
        open      | -               | 23 h  | expired   | nobody came
        abandoned | -               | 23 h  | expired   | nobody came back
        submitted | created         | 23 h  | postponed | the gateway may have the page open
        submitted | unknown         | 23 h  | postponed | the gateway may have the page open
        submitted | sent            | 23 h  | postponed | until the gateway says that its page is closed
        submitted | requires_action | 23 h  | postponed | the buyer may just be proving who they are
        submitted | processing      | 23 h  | postponed | a debit takes days
        submitted | canceled        | 23 h  | expired   | nothing can pay it
        submitted | failed          | 23 h  | expired   | nothing can pay it
        completed | succeeded       | 99 h  | nothing   | it was paid
        expired   | -               | 99 h  | nothing   | it is over already
    ";
    for row in rows(table) {
        let [checkout, payment, after, outcome, why] = row[..] else { panic!("{row:?}") };
        let mut world = World::submitted();
        world.sale.checkout.state = CheckoutState::parse(checkout).unwrap();
        match PaymentState::parse(payment) {
            Some(state) => world.sale.payments[0].state = state,
            None => world.sale.payments.clear(),
        }
        let now = START.after(Duration::hours(after.trim_end_matches(" h").parse().unwrap()));
        let changes = expire_checkout(&world.sale, now, &mut rng(9));
        let found = match changes.checkouts.first() {
            None => {
                assert!(changes.is_empty());
                assert_eq!(changes.checks, vec![world.sale.check()], "nothing to do still checks what it read");
                "nothing"
            }
            Some(checkout) if checkout.state == CheckoutState::Expired => {
                assert_eq!(changes.orders[0].state, OrderState::Expired);
                assert_eq!(changes.events[0].kind, EventKind::CheckoutExpired);
                "expired"
            }
            Some(checkout) => {
                assert_eq!(checkout.expires_at, now.after(Duration::days(1)));
                assert!(!changes.orders.is_empty(), "the order's version guards the sale");
                "postponed"
            }
        };
        assert_eq!(found, outcome, "{checkout} with {payment}: {why}");
    }
}

#[test]
fn a_payment_that_the_gateway_refuses_to_open_can_be_tried_elsewhere() {
    let mut world = World::submitted();
    let payment = world.sale.payments[0].id;
    world.meet(&Occurrence::CallRefused { payment, decline: decline("account_closed") }).unwrap();
    let other = world.catalog.other_account.clone();
    assert_ne!(world.retry(&other).unwrap(), payment);
    assert_eq!(world.count("payment_failed"), 0, "the buyer stands before the page that says so");
}

#[test]
fn a_bundle_is_a_line_for_each_part_and_the_parts_cost_what_it_costs() {
    use crate::{Bundle, PlanId, Product, ProductId};
    // What the parts cost alone in euro; none: it has no price there. Then what each part of the bundle costs.
    #[rustfmt::skip]
    let table: [(&[Option<i64>], &[i64]); 5] = [
        (&[Some(4_900), Some(4_900)],              &[2_450, 2_450]),
        (&[Some(7_500), Some(2_500)],              &[3_675, 1_225]),
        (&[Some(100), Some(100), Some(100)],       &[1_634, 1_633, 1_633]),
        (&[Some(9_999), None],                     &[2_450, 2_450]),
        (&[Some(1_000_000), Some(1)],              &[4_900, 0]),
    ];
    for (alone, shares) in table {
        let mut catalog = catalog();
        let mut rng = rng(4);
        let parts: Vec<(Product, Plan)> = alone
            .iter()
            .map(|price| {
                let product = Product { id: ProductId::mint(START, &mut rng), ..catalog.product.clone() };
                let mut part = Plan { id: PlanId::mint(START, &mut rng), product: product.id, ..catalog.plan.clone() };
                // Sold in this company alone.
                part.is_active = false;
                match price {
                    Some(minor) => part.prices[0].tiers[0].unit_minor = *minor,
                    None => part.prices.clear(),
                }
                (product, part)
            })
            .collect();
        catalog.plan.bundle = parts.iter().map(|(_, part)| part.id).collect();
        let open = |parts: &[(Product, Plan)]| {
            let offer = Offer { parts, ..catalog.offer() };
            open_checkout(&offer, &request(3), Actor::Buyer, START, &mut crate::fixture::rng(9))
        };
        let changes = open(&parts).unwrap();
        let order = &changes.orders[0];
        let costs: Vec<i64> = order.lines.iter().map(|line| line.unit_amount.minor()).collect();
        assert_eq!(costs, shares, "{alone:?}");
        assert_eq!(order.total.minor(), 3 * 4_900, "three of it");
        assert_eq!(order.units(), 3 * u64::try_from(parts.len()).unwrap(), "a license for each part of each");
        assert_eq!(order.choice(), Some((catalog.plan.id, 3)));
        let name = format!("{} {}", catalog.product.name, catalog.plan.name);
        let bundle = Some(Bundle { plan: catalog.plan.id, name });
        assert!(order.lines.iter().all(|line| line.bundle == bundle));
        assert!(order.lines.iter().map(|line| line.plan).eq(catalog.plan.bundle.iter().copied()));
        assert_eq!(open(&parts[1..]), Err(Refusal::PlanNotOnSale), "never without one of them");
    }
}

#[test]
fn what_is_asked_is_answered_by_the_line_that_asks_it_before_anything_is_paid() {
    use std::collections::BTreeMap;

    use crate::{Answer, AnswerFault, OrderLine, PlanId, Product, Question, Wording};
    let question = |name: &str, is_required: bool| Question {
        name: name.to_owned(),
        label: Wording(BTreeMap::from([
            ("en".to_owned(), format!("Your {name}")),
            ("de".to_owned(), "Ihrs".to_owned()),
        ])),
        is_required,
        choices: Vec::new(),
        help: None,
    };
    let mut catalog = catalog();
    let mut rng = rng(4);
    let asking = |questions: Vec<Question>, rng: &mut Rng| {
        (catalog.product.clone(), Plan { id: PlanId::mint(START, rng), questions, ..catalog.plan.clone() })
    };
    let parts: Vec<(Product, Plan)> = vec![
        asking(vec![question("user", false), question("host", true)], &mut rng),
        asking(vec![question("user", true)], &mut rng),
    ];
    catalog.plan.bundle = parts.iter().map(|(_, part)| part.id).collect();
    catalog.plan.questions = vec![question("team", false)];
    let offer = Offer { parts: &parts, ..catalog.offer() };
    let names = |questions: &[Question]| questions.iter().map(|question| question.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&offer.questions()), ["team", "user", "host"], "each name once");

    let said = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let open = |answers: &[(&str, &str)]| {
        let request = crate::CheckoutRequest { answers: said(answers), ..request(1) };
        open_checkout(&offer, &request, Actor::Api, START, &mut crate::fixture::rng(9))
    };
    let refused = |name: &str, fault| Err(Refusal::AnswerInvalid { name: name.to_owned(), fault });
    assert_eq!(open(&[("colour", "red")]), refused("colour", AnswerFault::NotAsked));
    assert_eq!(open(&[("host", "4242424242424242")]), refused("host", AnswerFault::CardNumber));

    // What the seller's program knows is not asked again.
    let mut changes = open(&[("host", "a.example")]).unwrap();
    let mut sale = opened(&crate::fixture::catalog(), 1);
    sale.order = changes.orders.pop().unwrap();
    assert_eq!(names(&sale.order.questions()), ["team", "user"]);
    let press = |sale: &Sale, answers: &[(&str, &str)]| {
        let buyer = BuyerDetails { answers: said(answers), ..buyer() };
        submit_checkout(sale, &catalog.shop, None, &buyer, &catalog.account, START, &mut crate::fixture::rng(10))
    };
    let missing = Err(Refusal::AnswerMissing { name: "user".to_owned() });
    assert_eq!(press(&sale, &[("team", "red")]).map(|_| ()), missing, "one of the parts requires it");
    let (changes, _) = press(&sale, &[("user", "mina"), ("host", "b.example")]).unwrap();
    let order = &changes.orders[0];
    let answers = |line: &OrderLine| {
        line.answers.iter().map(|Answer { name, label, value }| format!("{name}/{label}/{value}")).collect::<Vec<_>>()
    };
    assert_eq!(answers(&order.lines[0]), ["host/Your host/a.example", "user/Your user/mina"], "what was known stays");
    assert_eq!(answers(&order.lines[1]), ["user/Your user/mina"]);
    assert!(order.questions().is_empty(), "what need not be answered is not asked again");

    // Pressed again, at once or later: what was said stands, and who says something else is told.
    let mut submitted = sale.clone();
    submitted.order = order.clone();
    submitted.checkout.state = CheckoutState::Submitted;
    type Typed = &'static [(&'static str, &'static str)];
    #[rustfmt::skip]
    let table: [(Typed, bool, &str); 6] = [
        (&[("user", "mina"), ("host", "a.example")], true,  "the same"),
        (&[("user", " mina ")],                      true,  "the same, and what was known is not asked"),
        (&[],                                        true,  "a button that carries no answers"),
        (&[("user", "mina"), ("team", "")],          true,  "nothing was said to it before either"),
        (&[("user", "ada")],                         false, "another account"),
        (&[("user", "mina"), ("team", "red")],       false, "more than was said before"),
    ];
    for (answers, is_taken, why) in table {
        let pressed = press(&submitted, answers).map(|(changes, _)| changes.orders[0].answers());
        let expected = if is_taken { Ok(order.answers()) } else { Err(Refusal::SubmittedOtherwise) };
        assert_eq!(pressed, expected, "{why}");
    }
}
