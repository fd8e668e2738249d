//! From the tier to the key.

use app::CheckoutInput;
use axum::http::StatusCode;
use domain::{
    Actor, Changes, CheckoutId, Country, Duration, Fulfilment, Locale, NewCode, Plan, PlanId, Pool, PoolCode, PoolId,
    WhenOut,
};

use crate::support::{GOOD_CARD, POOR_CARD, Page, World};

async fn plan(world: &World, slug: &str) -> PlanId {
    world.app.store.plan_by_slug(world.shop.id, slug).await.unwrap().unwrap().id
}

/// A checkout as a seller's program opens it.
async fn opened_by_program(world: &World, success_url: Option<&str>) -> CheckoutId {
    let input = CheckoutInput {
        plan: plan(world, "lumen-pro").await,
        id: None,
        quantity: 1,
        currency: None,
        coupon: None,
        email: None,
        country: Country::DE,
        locale: Locale::english(),
        success_url: success_url.map(str::to_owned),
        cancel_url: Some("https://seller.example/basket".to_owned()),
        metadata: std::collections::BTreeMap::new(),
        answers: std::collections::BTreeMap::new(),
    };
    world.app.open_checkout(&world.shop, input, Actor::Api).await.unwrap().checkout.id
}

fn visible_fields(page: &Page) -> usize {
    let main = page.between("<main", "</main>");
    let inputs = main.matches("<input ").count() - main.matches("type=\"hidden\"").count();
    inputs + main.matches("<select ").count()
}

#[tokio::test]
async fn a_buyer_pays_and_finds_the_key_on_the_page_and_in_the_mail() {
    let world = World::new().await;
    let mut browser = world.browser();
    let shop = browser.get("/?country=DE").await.is(StatusCode::OK);
    assert!(shop.has("from €49.00"), "{}", shop.text);
    let product = browser.get("/p/lumen?country=DE").await.is(StatusCode::OK);
    assert!(product.has("€99.00") && product.has("/buy/lumen-pro?country=DE") && product.has("From 5 on: €89.10 each"));

    let till = browser.get("/buy/lumen-pro?country=DE&email=ada@example.com").await.is(StatusCode::OK);
    assert!(till.text.find("id=\"total\"").unwrap() < till.text.find("id=\"email\"").unwrap());
    assert_eq!(visible_fields(&till), 4);
    assert!(
        till.has(">Pay €99.00</button>")
            && till.has("By pressing “Pay €99.00” you place a binding order with Lumen Software GmbH")
    );
    assert!(till.has("value=\"ada@example.com\"") && till.has("Money back within 30 days."));

    let pressed = browser.press(&till, "lumen-pro", &[]).await.is(StatusCode::SEE_OTHER);
    assert!(pressed.location().starts_with(&world.gateway), "{}", pressed.location());
    let paid = world.pay(&pressed.location(), GOOD_CARD).await.is(StatusCode::SEE_OTHER);
    let order_path = browser.get(&world.own(&paid.location())).await.is(StatusCode::SEE_OTHER).location();
    let order = browser.get(&order_path).await.is(StatusCode::OK);
    let keys = world.keys(&order_path).await;
    assert_eq!(keys.len(), 1);
    assert!(order.has(&keys[0]), "{}", order.text);
    assert!(
        order.has("Thank you for your order")
            && order.has("Visa •••• 4242")
            && order.has("€99.00")
            && order.has("ada@example.com")
    );
    assert!(
        order.has("How to start with Lumen")
            && order.has("0 of 5 devices activated")
            && order.has("Money back within 30 days.")
    );
    assert!(order.has("you asked for immediate supply"));
    assert_eq!(order.header("cache-control"), "no-store");

    world.settle().await;
    let mails = world.mailbox.newest(10).await.unwrap();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].text.contains(&keys[0]) && mails[0].html.contains(&keys[0]));
}

#[tokio::test]
async fn after_a_decline_the_order_waits_for_another_card() {
    let world = World::new().await;
    let mut browser = world.browser();
    let gateway_page = browser.press_pay("lumen-personal", &[]).await.location();
    world.pay(&gateway_page, POOR_CARD).await;
    world.settle().await;
    let newest = world.orders().await.remove(0);
    let order_path = format!("/orders/{}", newest.id);
    let order = browser.get(&order_path).await.is(StatusCode::OK);
    assert!(order.has("not enough funds. Nothing was charged."), "{}", order.text);
    assert!(world.keys(&order_path).await.is_empty());

    // The link back from the gateway shows the same, and nothing personal.
    let till = format!("/checkout/{}", newest.checkout);
    let mut stranger = world.browser();
    let continued = stranger.get(&till).await.is(StatusCode::OK);
    assert!(continued.has("not enough funds") && continued.has("Continue payment: €49.00") && !continued.has("ada@"));
    let again = stranger.post(&till, &[]).await.is(StatusCode::SEE_OTHER);
    assert_eq!(again.location(), gateway_page);

    world.pay(&gateway_page, GOOD_CARD).await.is(StatusCode::SEE_OTHER);
    let order = browser.get(&format!("{order_path}/return")).await.location();
    let order = browser.get(&order).await;
    assert!(order.has(&world.keys(&order_path).await[0]));
    assert!(order.has("Visa •••• 4242") && !order.has("9995"), "the card that was declined is not the one that paid");
}

#[tokio::test]
async fn pressing_pay_twice_is_one_order() {
    let world = World::new().await;
    let mut browser = world.browser();
    let till = browser.get("/buy/lumen-pro?country=DE").await;
    let (mut one, mut other) = (browser.clone(), browser.clone());
    let (first, second) = tokio::join!(one.press(&till, "lumen-pro", &[]), other.press(&till, "lumen-pro", &[]));
    assert_eq!(first.location(), second.location());
    assert!(first.location().starts_with(&world.gateway));
    assert_eq!(world.orders().await.len(), 1);
    // And once more, with the button of a page that was kept.
    assert_eq!(browser.press(&till, "lumen-pro", &[]).await.location(), first.location());
    assert_eq!(world.orders().await.len(), 1);
}

/// A browser that presses twice hangs up on the first press, and waits for the answer to the second.
#[tokio::test]
async fn a_press_that_hung_up_is_ended_and_the_next_one_finds_the_gateways_page() {
    let world = World::new().await;
    let mut browser = world.browser_that_may_hang_up();
    let till = browser.get("/buy/lumen-pro?country=DE").await;
    let gateway = world.hold_gateway().await;
    let mut first = browser.clone();
    let call = tokio::select! {
        call = gateway.accept() => call.unwrap().0,
        page = first.press(&till, "lumen-pro", &[]) => panic!("nobody asked the gateway: {}", page.text),
    };
    world.let_through(call).await;
    let page = browser.press(&till, "lumen-pro", &[]).await.is(StatusCode::SEE_OTHER).location();
    assert!(page.starts_with(&world.gateway), "{page}");
    assert_eq!(world.orders().await.len(), 1);
}

#[tokio::test]
async fn a_buyer_who_went_back_and_mended_the_address_gets_an_order_of_their_own() {
    let world = World::new().await;
    let mut browser = world.browser();
    let till = browser.get("/buy/lumen-pro?country=DE").await;
    let first = browser.press(&till, "lumen-pro", &[]).await.location();
    let second = browser.press(&till, "lumen-pro", &[("email", "eve@example.com")]).await.location();
    assert_ne!(first, second);
    assert_eq!(world.orders().await.len(), 2);
}

#[tokio::test]
async fn a_total_that_changed_is_shown_before_it_is_ordered() {
    let world = World::new().await;
    let mut browser = world.browser();
    let till = browser.get("/buy/lumen-personal?country=DE").await;
    for (field, value, total) in
        [("quantity", "5", "Pay €220.50"), ("quantity", "۲", "Pay €98.00"), ("country", "GB", "Pay £43.00")]
    {
        let again = browser.press(&till, "lumen-personal", &[(field, value)]).await.is(StatusCode::OK);
        assert!(
            again.has("The total has changed.") && again.has(total) && again.has("value=\"ada@example.com\""),
            "{}",
            again.text
        );
    }
    assert_eq!(world.orders().await.len(), 0);
    let updated = browser
        .press(&till, "lumen-personal", &[("quantity", "5"), ("press", "update"), ("email", "")])
        .await
        .is(StatusCode::OK);
    assert!(updated.has("Pay €220.50") && !updated.has("error-summary"));
    let ordered = browser.press(&updated, "lumen-personal", &[("quantity", "5")]).await.is(StatusCode::SEE_OTHER);
    assert!(ordered.location().starts_with(&world.gateway));
}

#[tokio::test]
async fn a_form_that_cannot_be_taken_says_why_and_keeps_what_was_typed() {
    let world = World::new().await;
    let mut browser = world.browser();
    let till = browser.get("/buy/lumen-pro?country=DE").await;
    #[rustfmt::skip]
    let table = [
        ("email",    "",                 "Enter your email address."),
        ("email",    "ada",              "has no @"),
        ("email",    "ada@b@c.example",  "more than one @"),
        ("email",    "@example.com",     "nothing before the @"),
        ("email",    "ada@example",      "is no domain"),
        ("email",    "a da@example.com", "has a space"),
        ("quantity", "x",                "as a whole number"),
        ("quantity", "0",                "at least 1"),
        ("quantity", "101",              "at most 100"),
        ("quantity", "99999999999999",   "at most 100"),
        ("country",  "XX",               "Choose your country."),
        ("consent",  "",                 "Tick the box"),
    ];
    for (field, value, message) in table {
        let page = browser.press(&till, "lumen-pro", &[(field, value)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has(message), "{field}={value}: {}", page.text);
        assert!(
            page.has(&format!("<a href=\"#{field}\">")) && page.has(&format!("id=\"{field}-error\"")),
            "{field}={value}"
        );
        assert!(page.title().starts_with("Error: "), "{}", page.title());
        assert!(page.text.find("error-summary").unwrap() < page.text.find("<h1>").unwrap());
        if field != "email" {
            assert!(page.has("value=\"ada@example.com\""));
        }
    }
    assert_eq!(world.orders().await.len(), 0);
}

#[tokio::test]
async fn only_buyers_in_the_european_union_are_asked_for_consent() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (country, is_asked) in [("DE", true), ("FR", true), ("US", false), ("GB", false), ("CH", false)] {
        let till = browser.get(&format!("/buy/lumen-pro?country={country}")).await;
        assert_eq!(till.has("name=\"consent\""), is_asked, "{country}");
        assert!(!till.has("checked"), "{country}");
    }
    let till = browser.get("/buy/lumen-pro?country=US").await;
    let pressed = browser.press(&till, "lumen-pro", &[("country", "US"), ("consent", "")]).await;
    assert!(pressed.location().starts_with(&world.gateway));
}

#[tokio::test]
async fn an_expired_checkout_goes_on_with_the_same_contents() {
    let world = World::new().await;
    let mut browser = world.browser();
    let id = opened_by_program(&world, None).await;
    let path = format!("/checkout/{id}");
    world.app.clock.advance(Duration::hours(24));
    let expired = browser.get(&path).await.is(StatusCode::OK);
    assert!(expired.has("This checkout has expired") && expired.has("Nothing was charged."));
    world.settle().await;
    let again = browser.post(&path, &[]).await.is(StatusCode::SEE_OTHER).location();
    assert_ne!(again, path);
    let till = browser.get(&again).await.is(StatusCode::OK);
    assert!(till.has("Lumen Pro") && till.has("Pay €99.00") && till.has("https://seller.example/basket"));
    assert_eq!(visible_fields(&till), 3);
}

#[tokio::test]
async fn after_a_debit_that_failed_whoever_has_the_link_may_pay_but_not_look() {
    let world = World::new().await;
    let mut browser = world.browser();
    let gateway_page = browser.press_pay("lumen-pro", &[]).await.location();
    let back = world.debit(&gateway_page, "DE62370400440532013001").await.is(StatusCode::SEE_OTHER).location();
    browser.get(&world.own(&back)).await;
    world.settle().await;
    let order = world.orders().await.remove(0);
    let page = browser.get(&format!("/orders/{}", order.id)).await.is(StatusCode::OK);
    assert!(page.has("Your payment did not go through") && page.has("Nothing was charged."), "{}", page.text);

    let mut stranger = world.browser();
    let again = stranger.post(&format!("/checkout/{}", order.checkout), &[]).await.is(StatusCode::SEE_OTHER);
    assert!(again.location().starts_with(&world.gateway) && again.header("set-cookie").is_empty());
    // The buyer's own button leads to the same attempt.
    assert_eq!(browser.post(&format!("/orders/{}/retry", order.id), &[]).await.location(), again.location());
    let back = world.pay(&again.location(), GOOD_CARD).await.is(StatusCode::SEE_OTHER).location();
    world.settle().await;
    stranger.get(&world.own(&back)).await.is(StatusCode::SEE_OTHER);
    stranger.get(&format!("/orders/{}", order.id)).await.is(StatusCode::FORBIDDEN);
    let page = browser.get(&format!("/orders/{}", order.id)).await.is(StatusCode::OK);
    assert!(page.has("Visa •••• 4242") && page.has("Thank you for your order"), "{}", page.text);
}

#[tokio::test]
async fn a_checkout_that_a_program_opened_ends_at_the_sellers_page() {
    let world = World::new().await;
    let mut browser = world.browser();
    let id = opened_by_program(&world, Some("https://seller.example/thanks?from=shop#top")).await;
    let path = format!("/checkout/{id}");
    let refused =
        browser.post(&path, &[("email", "ada"), ("country", "DE")]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.has("has no @") && refused.has("Tick the box"));
    let form = [("email", "ada@example.com"), ("country", "DE"), ("consent", "yes")];
    let gateway_page = browser.post(&path, &form).await.is(StatusCode::SEE_OTHER).location();
    let paid = world.pay(&gateway_page, GOOD_CARD).await;
    let back = browser.get(&world.own(&paid.location())).await.is(StatusCode::SEE_OTHER).location();
    assert!(back.starts_with("https://seller.example/thanks?from=shop&order=ord_") && back.ends_with("#top"), "{back}");
    let order = browser.get(&path).await.is(StatusCode::SEE_OTHER).location();
    assert!(browser.get(&order).await.is(StatusCode::OK).has("https://seller.example/thanks?from=shop&#38;order=ord_"));
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_is_asked_and_the_page_says_so() {
    let world = World::new().await;
    world.cut_gateway().await;
    let mut browser = world.browser();
    let order = browser.press_pay("lumen-pro", &[]).await.is(StatusCode::SEE_OTHER).location();
    assert!(order.starts_with("/orders/"), "{order}");
    let page = browser.get(&order).await.is(StatusCode::OK);
    assert!(page.has("We are asking the payment provider") && page.has("do not pay a second time"), "{}", page.text);
    assert!(page.has("http-equiv=\"refresh\"") && page.has(&format!("action=\"{order}/check\"")));
}

#[tokio::test]
async fn a_debit_is_an_honest_wait_and_then_a_key() {
    let world = World::new().await;
    let mut browser = world.browser();
    let gateway_page = browser.press_pay("lumen-pro", &[]).await.location();
    // Succeeds three minutes later.
    let back = world.debit(&gateway_page, "DE08370400440532013003").await.is(StatusCode::SEE_OTHER).location();
    let order = browser.get(&world.own(&back)).await.location();
    let page = browser.get(&order).await;
    assert!(page.has("Your payment is under way") && page.has("up to 14 business days"), "{}", page.text);
    assert!(world.keys(&order).await.is_empty());
    world.control("clock", "{\"advance_seconds\":400}").await;
    world.settle().await;
    assert!(browser.get(&order).await.has(&world.keys(&order).await[0]));
}

#[tokio::test]
async fn what_the_seller_asks_is_answered_at_the_till_and_stands_on_the_order() {
    let world = World::new().await;
    world.asks("lumen-hosted").await;
    let mut browser = world.browser();
    let till = browser.get("/buy/lumen-hosted?country=DE").await.is(StatusCode::OK);
    assert_eq!(visible_fields(&till), 6);
    assert!(till.text.find("id=\"email\"").unwrap() < till.text.find("id=\"answer-host\"").unwrap());
    assert!(
        till.has("<label for=\"answer-host\">Host name</label>") && till.has("aria-describedby=\"answer-host-hint\"")
    );
    assert!(till.has("<label for=\"answer-region\">Region (optional)</label>") && till.has("Please choose"));

    let long = "h".repeat(201);
    #[rustfmt::skip]
    let refused = [
        ("",                    "eu-west",             "“Host name” is missing.",                    "answer-host"),
        (long.as_str(),         "eu-west",             "“Host name” takes at most 200 characters.",  "answer-host"),
        ("4242 4242 4242 4242", "eu-west",             "“Host name” looks like a card number.",      "answer-host"),
        ("ada.example",         "the moon",            "For “Region”, choose one of the answers",    "answer-region"),
    ];
    for (host, region, told, field) in refused {
        let answers = [("answer-host", host), ("answer-region", region), ("email", "ada@example.com")];
        let again = browser.press(&till, "lumen-hosted", &answers).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.has(&format!("id=\"{field}-error\">{told}")), "{told}: {}", again.text);
        assert!(again.has(&format!("<a href=\"#{field}\">{told}")), "the summary leads to the field");
        let tied = again.between(&format!("id=\"{field}\" name"), ">");
        assert!(tied.contains("aria-invalid") && tied.contains(&format!("{field}-error\"")), "{tied}");
        assert!(
            again.has("value=\"ada@example.com\"") && again.has(&format!("value=\"{host}\"")),
            "what was typed stays"
        );
        assert_eq!(again.has("<option value=\"eu-west\" selected>"), region == "eu-west");
    }
    assert!(world.orders().await.is_empty());

    let mut german = world.browser();
    german.languages = "de";
    let till_in_german = german.get("/buy/lumen-hosted?country=DE").await.is(StatusCode::OK);
    let again = german.press(&till_in_german, "lumen-hosted", &[]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.has("„Name des Hosts“ fehlt.") && again.has("Region (freiwillig)"), "{}", again.text);

    let answers = [("answer-host", " ada.example "), ("answer-region", "us-east")];
    let pressed = browser.press(&till, "lumen-hosted", &answers).await.is(StatusCode::SEE_OTHER).location();
    // The same again is the same order; another answer is another one.
    assert_eq!(browser.press(&till, "lumen-hosted", &answers).await.location(), pressed);
    let mended = browser.press(&till, "lumen-hosted", &[("answer-host", "eve.example")]).await.location();
    assert_ne!(mended, pressed);
    let orders = world.orders().await;
    assert_eq!(orders.len(), 2);
    let kept: Vec<_> = orders.iter().map(|order| order.answers().into_values().collect::<Vec<_>>()).collect();
    assert!(kept.contains(&vec!["ada.example".to_owned(), "us-east".to_owned()]), "{kept:?}");
    assert!(kept.contains(&vec!["eve.example".to_owned()]), "{kept:?}");

    let paid = world.pay(&pressed, GOOD_CARD).await.is(StatusCode::SEE_OTHER);
    let order = browser.get(&world.own(&paid.location())).await.location();
    let page = browser.get(&order).await.is(StatusCode::OK);
    assert!(page.has("Host name: <bdi>ada.example</bdi>") && page.has("Region: <bdi>us-east</bdi>"), "{}", page.text);
}

#[tokio::test]
async fn two_presses_at_once_with_different_answers_are_two_orders_and_neither_is_lost() {
    let world = World::new().await;
    world.asks("lumen-hosted").await;
    let mut browser = world.browser();
    let till = browser.get("/buy/lumen-hosted?country=DE").await.is(StatusCode::OK);
    let (mut one, mut other) = (browser.clone(), browser.clone());
    let (ada, eve) = ([("answer-host", "ada.example")], [("answer-host", "eve.example")]);
    let (first, second) =
        tokio::join!(one.press(&till, "lumen-hosted", &ada), other.press(&till, "lumen-hosted", &eve));
    assert_ne!(first.is(StatusCode::SEE_OTHER).location(), second.is(StatusCode::SEE_OTHER).location());
    let mut hosts: Vec<_> = world.orders().await.iter().flat_map(|order| order.answers().into_values()).collect();
    hosts.sort_unstable();
    assert_eq!(hosts, ["ada.example", "eve.example"]);
}

#[tokio::test]
async fn what_is_asked_and_changes_meanwhile_is_told_as_that() {
    let world = World::new().await;
    world.asks("lumen-hosted").await;
    let mut browser = world.browser();
    let till = browser.get("/buy/lumen-hosted?country=DE").await.is(StatusCode::OK);
    // The visit was opened when the region had to be said, and could only be one that is gone.
    let plan = world.app.store.plan_by_slug(world.shop.id, "lumen-hosted").await.unwrap().unwrap();
    let mut before = plan.clone();
    before.questions[1].is_required = true;
    before.questions[1].choices = vec!["asia".to_owned(), "africa".to_owned()];
    world.app.write(&Changes { plans: vec![before.clone()], ..Changes::default() }).await.unwrap();
    let input = CheckoutInput {
        plan: plan.id,
        id: Some(CheckoutId::parse(&till.hidden("visit")).unwrap()),
        quantity: 1,
        currency: None,
        coupon: None,
        email: None,
        country: Country::DE,
        locale: Locale::english(),
        success_url: None,
        cancel_url: None,
        metadata: std::collections::BTreeMap::new(),
        answers: std::collections::BTreeMap::new(),
    };
    world.app.open_checkout(&world.shop, input, Actor::Buyer).await.unwrap();
    let after = Plan { version: before.version + 1, ..plan };
    world.app.write(&Changes { plans: vec![after], ..Changes::default() }).await.unwrap();
    let answers = [("answer-host", "ada.example"), ("answer-region", "us-east")];
    let again = browser.press(&till, "lumen-hosted", &answers).await.is(StatusCode::OK);
    assert!(again.has("What we ask has changed.") && !again.has("The total has changed."), "{}", again.text);
    browser.press(&again, "lumen-hosted", &answers).await.is(StatusCode::SEE_OTHER);
}

/// What the buyer said is on a page for whoever is signed in as that buyer, and for nobody else who has the link.
#[tokio::test]
async fn an_expired_visit_carries_on_what_was_said_for_its_buyer_alone() {
    let world = World::new().await;
    world.asks("lumen-hosted").await;
    let mut browser = world.browser();
    let answers = [("answer-host", "grace.example"), ("answer-region", "us-east")];
    let gateway_page = browser.press_pay("lumen-hosted", &answers).await.is(StatusCode::SEE_OTHER).location();
    world.pay(&gateway_page, POOR_CARD).await;
    world.settle().await;
    let visit = format!("/checkout/{}", world.orders().await[0].checkout);
    world.app.clock.advance(Duration::hours(24));
    world.control("clock", r#"{"advance_seconds":90000}"#).await;
    world.settle().await;
    world.app.clock.advance(Duration::hours(24));
    world.settle().await;
    let order = format!("/orders/{}", world.orders().await[0].id);
    for is_buyer in [false, true] {
        let mut visitor = if is_buyer { world.signed_in("ada@example.com").await } else { world.browser() };
        let expired = visitor.get(&visit).await.is(StatusCode::OK);
        assert!(expired.has("This checkout has expired"), "{}", expired.text);
        let again = visitor.post(&visit, &[]).await.is(StatusCode::SEE_OTHER).location();
        let till = visitor.get(&again).await.is(StatusCode::OK);
        for said in ["ada@example.com", "grace.example", "us-east</bdi>"] {
            assert_eq!(till.has(said), is_buyer, "{said} for the buyer of {order}: {is_buyer}: {}", till.text);
        }
    }
}

/// The debit failed, and the last code went to somebody else: the buyer reads why, and whoever else has the link no more.
#[tokio::test]
async fn another_attempt_that_finds_no_stock_shows_nothing_personal_to_strangers() {
    let world = World::new().await;
    world.asks("lumen-code").await;
    let now = world.app.clock.now();
    let pool = Pool {
        id: PoolId::mint(now, &mut world.app.entropy.rng()),
        shop: world.shop.id,
        version: 0,
        slug: "codes".to_owned(),
        name: "Codes".to_owned(),
        when_out: WhenOut::Stop,
        low_at: 0,
        alerted_at: None,
        held_at: None,
        created_at: now,
    };
    let code = NewCode { shop: world.shop.id, pool: pool.id, code: PoolCode::parse("THE-ONLY-ONE").unwrap(), at: now };
    let plan = world.app.store.plan_by_slug(world.shop.id, "lumen-code").await.unwrap().unwrap();
    let plan = Plan { fulfilment: Fulfilment::Pool { pool: pool.id }, ..plan };
    let changes = Changes { pools: vec![pool], codes: vec![code], plans: vec![plan], ..Changes::default() };
    world.app.write(&changes).await.unwrap();
    let mut browser = world.browser();
    let answers = [("answer-host", "grace.example")];
    let gateway_page = browser.press_pay("lumen-code", &answers).await.is(StatusCode::SEE_OTHER).location();
    world.debit(&gateway_page, "DE62370400440532013001").await.is(StatusCode::SEE_OTHER);
    world.settle().await;
    let visit = format!("/checkout/{}", world.orders().await[0].checkout);
    // The code was kept for half an hour.
    world.app.clock.advance(Duration::hours(1));
    let other = [("answer-host", "eve.example"), ("email", "eve@example.com")];
    let gateway_page = world.browser().press_pay("lumen-code", &other).await.is(StatusCode::SEE_OTHER).location();
    world.pay(&gateway_page, GOOD_CARD).await.is(StatusCode::SEE_OTHER);
    world.settle().await;
    for is_buyer in [false, true] {
        let mut visitor = if is_buyer { world.signed_in("ada@example.com").await } else { world.browser() };
        let page = visitor.post(&visit, &[]).await.is(StatusCode::OK);
        assert!(page.has("This is out of stock at the moment"), "{}", page.text);
        for said in ["ada@example.com", "grace.example"] {
            assert_eq!(page.has(said), is_buyer, "{said}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn a_checkout_of_a_program_asks_what_the_program_did_not_say() {
    let world = World::new().await;
    world.asks("lumen-hosted").await;
    let input = |answers: &[(&str, &str)]| CheckoutInput {
        plan: PlanId::parse("plan_00000000000000000000000000").unwrap(),
        id: None,
        quantity: 1,
        currency: None,
        coupon: None,
        email: None,
        country: Country::DE,
        locale: Locale::english(),
        success_url: None,
        cancel_url: None,
        metadata: std::collections::BTreeMap::new(),
        answers: answers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    };
    let plan = plan(&world, "lumen-hosted").await;
    let input = CheckoutInput { plan, ..input(&[("region", "eu-west")]) };
    let opened = world.app.open_checkout(&world.shop, input, Actor::Api).await.unwrap();
    let path = format!("/checkout/{}", opened.checkout.id);
    let mut browser = world.browser();
    let till = browser.get(&path).await.is(StatusCode::OK);
    assert!(till.has("id=\"answer-host\"") && !till.has("id=\"answer-region\""), "{}", till.text);
    assert!(till.has("Region: <bdi>eu-west</bdi>"), "what is known is shown");

    let form = [("email", "ada@example.com"), ("country", "DE"), ("consent", "yes"), ("press", "pay")];
    let again = browser.post(&path, &form).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.has("“Host name” is missing.") && again.has("value=\"ada@example.com\""));
    let answered: Vec<_> =
        form.into_iter().chain([("answer-host", "ada.example"), ("answer-region", "us-east")]).collect();
    let pressed = browser.post(&path, &answered).await.is(StatusCode::SEE_OTHER).location();
    assert!(pressed.starts_with(&world.gateway), "{pressed}");
    let order = world.orders().await.remove(0);
    let answers: Vec<_> = order.answers().into_iter().collect();
    let expected =
        [("host", "ada.example"), ("region", "eu-west")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(answers, expected, "the buyer does not change what the program said");
    // Whoever has the link sees what is bought, and nothing of who buys.
    let stranger = world.browser().get(&path).await;
    assert!(!stranger.has("ada.example") && !stranger.has("eu-west"), "{}", stranger.text);
}
