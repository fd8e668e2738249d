//! What support does to one license, by the seller's program: off, on, back, elsewhere, and undone.

use domain::{Actor, Changes, Duration, Fulfilment, Pool, PoolCode, PoolId, Scope, WhenOut};
use serde_json::{Value, json};

use crate::caller::{Caller, lose_answers, order_of, orders};
use crate::support::World;

/// A license that somebody bought: its id and its key.
async fn bought(world: &World) -> (String, String) {
    let (_, order) = world.bought("lumen-pro", "1").await;
    let order = order.rsplit('/').next().unwrap().to_owned();
    let order = Caller::manager(world).await.get(&format!("/v1/orders/{order}")).await.is(200).json();
    let license = &order["licenses"][0];
    (license["id"].as_str().unwrap().to_owned(), license["key"].as_str().unwrap().to_owned())
}

/// Lets time go on, so that what is done now is the newest: of one moment ids say nothing about the order.
fn later(world: &World) {
    world.app.clock.advance(Duration::seconds(1));
}

/// The last event about this license.
async fn last_event(manager: &Caller, license: &str) -> Value {
    let events = manager.get("/v1/events?limit=100").await.is(200).json();
    events["data"].as_array().unwrap().iter().find(|event| event["license"] == license).unwrap().clone()
}

#[tokio::test]
async fn a_license_is_switched_off_and_on_taken_back_and_each_act_is_undone() {
    let world = World::new().await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let (license, key) = bought(&world).await;
    let seat = json!({ "key": key, "fingerprint": "desk" });
    app.post("/v1/licenses/activate", &seat).await.is(201);
    let because = json!({ "reason": "invoice 17" });
    let path = format!("/v1/licenses/{license}");
    #[rustfmt::skip]
    let table = [
        // The act, what it answers: a state or a refusal; and what the app hears then.
        ("reinstate", Err("license_state_unfit"), "valid"),
        ("suspend",   Ok("suspended"),            "suspended"),
        ("suspend",   Err("license_state_unfit"), "suspended"),
        ("undo",      Ok("active"),               "valid"),
        ("undo",      Ok("suspended"),            "suspended"),
        ("reinstate", Ok("active"),               "valid"),
        ("revoke",    Ok("revoked"),              "revoked"),
        ("suspend",   Err("license_state_unfit"), "revoked"),
        ("revoke",    Err("license_state_unfit"), "revoked"),
        ("undo",      Ok("active"),               "valid"),
        ("revoke",    Ok("revoked"),              "revoked"),
        ("reinstate", Ok("active"),               "valid"),
    ];
    for (act, expected, verdict) in table {
        later(&world);
        let address = match act {
            "undo" => {
                let event = last_event(&manager, &license).await;
                format!("{path}/events/{}/undo", event["id"].as_str().unwrap())
            }
            act => format!("{path}/{act}"),
        };
        match expected {
            Ok(state) => {
                let told = manager.post(&address, &because).await.is(200).json();
                assert_eq!(told["state"], state, "{act}");
                assert_eq!(told, manager.get(&path).await.is(200).json(), "{act}: as it is read");
                assert_eq!((&told["key"], told["activations"].as_array().unwrap().len()), (&json!(key), 1), "{act}");
                let event = last_event(&manager, &license).await;
                assert_eq!((&event["actor"], &event["data"]["reason"]), (&json!("api"), &json!("invoice 17")), "{act}");
            }
            Err(code) => {
                let before = last_event(&manager, &license).await;
                manager.post(&address, &because).await.refused(409, code);
                assert_eq!(last_event(&manager, &license).await, before, "{act}: nothing was written");
            }
        }
        let heard = app.post("/v1/licenses/validate", &seat).await.is(200).json();
        assert_eq!(heard["code"], verdict, "{act}");
    }
    assert_eq!(store::report::broken_laws(&world.app.store).await, Ok(vec![]));
}

#[tokio::test]
async fn a_license_moves_to_a_customer_who_is_named_by_address_or_by_id() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let (license, key) = bought(&world).await;
    let path = format!("/v1/licenses/{license}");
    let owner = manager.get(&path).await.is(200).json()["customer"].clone();
    let batch = json!({ "plan": "lumen-pro", "emails": ["bob@shop.test"], "reason": "press" });
    manager.post("/v1/licenses/batches", &batch).await.is(201);
    let customers = manager.get("/v1/customers").await.is(200).json();
    let bob = customers["data"].as_array().unwrap().iter().find(|known| known["email"] == "bob@shop.test").unwrap();

    let to = format!("{path}/move");
    let moved = |who: Value| {
        let mut body = json!({ "reason": "Ada left the company" });
        body.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        body
    };
    #[rustfmt::skip]
    let refused = [
        (json!({}),                                                      422, "parameter_invalid", "email"),
        (json!({ "email": "bob@shop.test", "customer": bob["id"] }),     422, "parameter_invalid", "email"),
        (json!({ "email": "bob" }),                                      422, "email_invalid",     "email"),
        (json!({ "email": "nobody@shop.test" }),                         422, "customer_unknown",  "email"),
        (json!({ "customer": "cus_00000000000000000000000000" }),        422, "customer_unknown",  "customer"),
        (json!({ "customer": "bob" }),                                   422, "parameter_invalid", "customer"),
        (json!({ "customer": owner }),                                   409, "transfer_to_owner", "customer"),
    ];
    for (who, status, code, param) in refused {
        let told = manager.post(&to, &moved(who.clone())).await.refused(status, code).json();
        assert_eq!(told["param"], param, "{who}");
    }
    later(&world);
    let told = manager.post(&to, &moved(json!({ "email": "Bob@Shop.test" }))).await.is(200).json();
    assert_eq!((&told["customer"], &told["key"]), (&bob["id"], &json!(key)), "the same key");
    let event = last_event(&manager, &license).await;
    assert_eq!(event["type"], "license.transferred");
    let undo = format!("{path}/events/{}/undo", event["id"].as_str().unwrap());
    let told = manager.post(&undo, &json!({ "reason": "a mistake" })).await.is(200).json();
    assert_eq!(told["customer"], owner);
    let told = manager.post(&to, &moved(json!({ "customer": bob["id"] }))).await.is(200).json();
    assert_eq!(told["customer"], bob["id"]);
}

#[tokio::test]
async fn an_act_is_done_once_under_its_key_by_a_key_that_may_and_on_a_license_of_its_shop() {
    let world = World::new().await;
    let other = World::new().await;
    let manager = Caller::manager(&world).await;
    let stranger = Caller::manager(&other).await;
    let (license, _) = bought(&world).await;
    let because = json!({ "reason": "overdue" });
    let path = format!("/v1/licenses/{license}");
    later(&world);
    manager.post(&format!("{path}/policy"), &json!({ "reason": "more", "seats": 9 })).await.is(200);
    let event = last_event(&manager, &license).await["id"].as_str().unwrap().to_owned();
    let undo = format!("{path}/events/{event}/undo");
    let acts = ["suspend", "reinstate", "revoke", "move"].map(|act| format!("{path}/{act}"));
    let body = |address: &str| match address.ends_with("/move") {
        true => json!({ "reason": "overdue", "email": "bob@shop.test" }),
        false => because.clone(),
    };
    for address in acts.iter().chain([&undo]) {
        let ask = body(address);
        Caller::stranger(&world.app).post(address, &ask).await.refused(401, "api_key_invalid");
        for scope in [Scope::Read, Scope::Checkout] {
            Caller::with(&world, scope).await.post(address, &ask).await.refused(403, "scope_missing");
        }
        if !address.ends_with("/move") {
            stranger.post(address, &ask).await.refused(404, "not_found");
        }
        manager.post(address, &json!({})).await.refused(422, "parameter_missing");
        manager.post(address, &json!({ "reason": "", "email": "bob@shop.test" })).await.is(422);
        manager.post(address, &json!({ "reason": "x", "mail": true })).await.refused(422, "parameter_unknown");
    }
    // The other shop knows this address, and the license is not theirs all the same.
    let batch = json!({ "plan": "lumen-pro", "emails": ["bob@shop.test"], "reason": "press" });
    stranger.post("/v1/licenses/batches", &batch).await.is(201);
    stranger.post(&acts[3], &body(&acts[3])).await.refused(404, "not_found");
    assert_eq!(last_event(&manager, &license).await["id"], json!(event), "nothing was done");

    let first = manager.post_once(&acts[0], "overdue-17", &because).await.is(200);
    let again = manager.post_once(&acts[0], "overdue-17", &because).await.is(200);
    assert_eq!((first.json(), again.header("idempotent-replayed")), (again.json(), "true"));
    manager.post_once(&acts[0], "overdue-17", &json!({ "reason": "x" })).await.refused(422, "idempotency_key_reused");
    manager.post(&acts[0], &because).await.refused(409, "license_state_unfit");
}

#[tokio::test]
async fn an_act_whose_answer_was_lost_is_asked_for_again_and_done_once() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let (license, _) = bought(&world).await;
    let batch = json!({ "plan": "lumen-pro", "emails": ["bob@shop.test"], "reason": "press" });
    manager.post("/v1/licenses/batches", &batch).await.is(201);
    let path = format!("/v1/licenses/{license}");
    let because = json!({ "reason": "invoice 17" });
    let to_bob = json!({ "reason": "invoice 17", "email": "bob@shop.test" });
    let acts = ["suspend", "reinstate", "undo", "revoke", "undo", "move", "undo", "reinstate"];
    for (number, act) in acts.into_iter().enumerate() {
        later(&world);
        let address = match act {
            "undo" => {
                let event = last_event(&manager, &license).await;
                format!("{path}/events/{}/undo", event["id"].as_str().unwrap())
            }
            act => format!("{path}/{act}"),
        };
        let (name, body) = (format!("act-{number}"), if act == "move" { &to_bob } else { &because });
        let first = manager.post_once(&address, &name, body).await.is(200).json();
        let told = last_event(&manager, &license).await;
        lose_answers(&world).await;
        later(&world);
        let again = manager.post_once(&address, &name, body).await.is(200);
        assert_eq!(again.header("idempotent-replayed"), "", "{act}: nobody knows what was answered");
        assert_eq!(again.json(), first, "{act}");
        assert_eq!(last_event(&manager, &license).await, told, "{act} is done once");
    }

    // What others did meanwhile stands.
    later(&world);
    manager.post_once(&format!("{path}/suspend"), "late", &because).await.is(200);
    lose_answers(&world).await;
    later(&world);
    manager.post(&format!("{path}/reinstate"), &because).await.is(200);
    let again = manager.post_once(&format!("{path}/suspend"), "late", &because).await.is(200).json();
    assert_eq!(again["state"], "active");
    assert_eq!(store::report::broken_laws(&world.app.store).await, Ok(vec![]));
}

#[tokio::test]
async fn an_undoing_is_refused_when_something_was_changed_since_or_nothing_can_be_undone() {
    let world = World::new().await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let (license, key) = bought(&world).await;
    let (second, _) = bought(&world).await;
    let path = format!("/v1/licenses/{license}");
    let undo =
        |license: &str, event: &Value| format!("/v1/licenses/{license}/events/{}/undo", event["id"].as_str().unwrap());
    let because = json!({ "reason": "oops" });
    let issued = last_event(&manager, &license).await;
    manager.post(&undo(&license, &issued), &because).await.refused(409, "not_undoable");

    let policy = format!("{path}/policy");
    later(&world);
    manager.post(&policy, &json!({ "reason": "more", "seats": 9 })).await.is(200);
    let nine = last_event(&manager, &license).await;
    manager.post(&undo(&second, &nine), &because).await.refused(409, "not_undoable");
    later(&world);
    manager.post(&policy, &json!({ "reason": "and more", "seats": 10 })).await.is(200);
    let ten = last_event(&manager, &license).await;
    manager.post(&undo(&license, &nine), &because).await.refused(409, "changed_since");
    let told = manager.post(&undo(&license, &ten), &because).await.is(200).json();
    assert_eq!(told["seats"], 9);
    for number in 1..=9 {
        let seat = json!({ "key": key, "fingerprint": format!("device-{number}") });
        app.post("/v1/licenses/activate", &seat).await.is(201);
    }
    manager.post(&undo(&license, &nine), &because).await.refused(409, "seats_below_used");

    // The money went back while the license was off: to undo that would let it work again.
    later(&world);
    manager.post(&format!("{path}/suspend"), &because).await.is(200);
    let suspended = last_event(&manager, &license).await;
    let order = manager.get(&path).await.is(200).json()["order"].as_str().unwrap().to_owned();
    manager.post(&format!("/v1/orders/{order}/refunds"), &json!({ "revoke": true })).await.is(201);
    manager.post(&undo(&license, &suspended), &because).await.refused(409, "changed_since");
    let reinstated = manager.post(&format!("{path}/reinstate"), &because).await.is(200).json();
    assert_eq!(reinstated["state"], "revoked", "it follows its order again");
    for event in ["evt_00000000000000000000000000", "nothing"] {
        manager.post(&format!("{path}/events/{event}/undo"), &because).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn whoever_has_the_license_is_mailed_its_new_key_unless_it_is_said_that_they_are_not() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let (license, _) = bought(&world).await;
    // A mail shows the key of the moment when it leaves: the one about the order is not to be taken for another.
    world.settle().await;
    let path = format!("/v1/licenses/{license}/key");
    for (said, is_mailed) in [(json!(null), true), (json!(true), true), (json!(false), false)] {
        let mut ask = json!({ "reason": "posted in a forum" });
        if !said.is_null() {
            ask["mail"] = said.clone();
        }
        let told = manager.post(&path, &ask).await.is(200).json();
        world.settle().await;
        let new = told["key"].as_str().unwrap();
        let mails = world.mailbox.newest(20).await.unwrap();
        let mails = mails.iter().filter(|mail| mail.text.contains(new)).count();
        assert_eq!(mails, usize::from(is_mailed), "{said}");
    }
}

#[tokio::test]
async fn a_checkout_is_not_opened_for_what_is_sold_out() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let pool = sells_codes(&world).await;
    let refused = manager.post("/v1/checkouts", &order_of("lumen-pro")).await.refused(409, "out_of_stock").json();
    assert_eq!((&refused["param"], orders(&world).await), (&json!("plan"), 0), "nothing was opened");
    world.app.stock_codes(&pool, &[PoolCode::parse("CODE-ONE").unwrap()], Actor::System, false).await.unwrap();
    let opened = manager.post("/v1/checkouts", &order_of("lumen-pro")).await.is(201).json();
    let mut two = order_of("lumen-pro");
    two["quantity"] = json!(2);
    manager.post("/v1/checkouts", &two).await.refused(409, "out_of_stock");
    two["quantity"] = json!(10_000);
    manager.post("/v1/checkouts", &two).await.refused(422, "quantity_out_of_range");
    assert_eq!((opened["state"].as_str(), orders(&world).await), (Some("open"), 1));

    // What comes later is sold, and the page says so.
    let pool = Pool { when_out: WhenOut::BackOrder, ..world.app.pool(world.shop.id, "codes").await.unwrap() };
    world.app.write(&Changes { pools: vec![pool], ..Changes::default() }).await.unwrap();
    two["quantity"] = json!(2);
    manager.post("/v1/checkouts", &two).await.is(201);
}

#[tokio::test]
async fn a_checkout_that_is_open_is_found_though_there_is_nothing_left_in_stock() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let pool = sells_codes(&world).await;
    let last = [PoolCode::parse("CODE-ONE").unwrap()];
    world.app.stock_codes(&pool, &last, Actor::System, false).await.unwrap();
    let opened = manager.post_once("/v1/checkouts", "cart-1", &order_of("lumen-pro")).await.is(201).json();
    lose_answers(&world).await;
    world.app.withdraw_codes(&pool, &last, Actor::System).await.unwrap();
    manager.post("/v1/checkouts", &order_of("lumen-pro")).await.refused(409, "out_of_stock");
    let again = manager.post_once("/v1/checkouts", "cart-1", &order_of("lumen-pro")).await.is(201).json();
    assert_eq!((again, orders(&world).await), (opened, 1));
}

/// A shop whose plan hands out codes of a stock, which is empty.
async fn sells_codes(world: &World) -> Pool {
    let now = world.app.clock.now();
    let plan = world.app.store.plan_by_slug(world.shop.id, "lumen-pro").await.unwrap().unwrap();
    let pool = Pool {
        id: PoolId::mint(now, &mut world.app.entropy.rng()),
        shop: world.shop.id,
        version: 0,
        slug: "codes".to_owned(),
        name: "House codes".to_owned(),
        when_out: WhenOut::Stop,
        low_at: 0,
        alerted_at: None,
        held_at: None,
        created_at: now,
    };
    let plan = domain::Plan { fulfilment: Fulfilment::Pool { pool: pool.id }, ..plan };
    let changes = Changes { pools: vec![pool.clone()], plans: vec![plan], ..Changes::default() };
    world.app.write(&changes).await.unwrap();
    world.app.pool(world.shop.id, "codes").await.unwrap()
}
