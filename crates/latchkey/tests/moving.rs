//! Disaster and removal, with the real binary: a shop that is restored from a
//! backup knows again what was sold since and mails nobody twice; a shop that
//! moves to another database sells on there, and nowhere else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use common::gateway::{GOOD_CARD, is_paid, list};
use common::process;
use common::shop::{Engine, Shop, text, unique};
use common::{figure, until};
use serde_json::{Value, json};
use store::testing::postgres_database;

macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Engine::Sqlite).await; })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Engine::Postgres).await; })*
        }
    };
}

on_both_engines![
    a_restored_shop_knows_what_was_sold_since_and_mails_nobody_twice,
    a_shop_moves_to_the_other_engine_and_back_and_sells_on,
    a_move_that_is_killed_goes_on_and_no_server_starts_meanwhile,
];

fn path_of(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The mails that left, by the name of their file.
fn mails(data: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(data.join("mailbox")) else { return BTreeSet::new() };
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    names.filter(|name| name.ends_with(".eml")).collect()
}

fn assert_healthy(shop: &Shop) {
    let (code, found) = shop.doctor();
    assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "{found:#}");
}

fn finding(found: &Value, check: &str) -> Value {
    list(&found["findings"]).iter().find(|finding| finding["check"] == check).cloned().unwrap_or(Value::Null)
}

async fn a_restored_shop_knows_what_was_sold_since_and_mails_nobody_twice(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let (door, data) = (shop.door(), shop.folder.path().join("data"));
    let bought = door.buy(&shop.gateway, "license", 1).await;
    let opened = door.open_checkout(&unique(), "license", 2, "ada@example.org").await.expect("a checkout");
    let submitted = door.submit(&opened, "ada@example.org").await.expect("a payment page");
    until("the first mail has left", Duration::from_secs(20), || async {
        if mails(&data).len() == 1 { Ok(()) } else { Err(format!("{:?}", mails(&data))) }
    })
    .await;

    // Beside the running server.
    let folder = shop.folder.path().join("backup");
    let backup = shop.run(&["backup", path_of(&folder)], "");
    let manifest = backup.result();
    assert_eq!(manifest["holds_master_key"], false);
    let key = fs::read_to_string(data.join("master.key")).expect("the key");
    for entry in fs::read_dir(&folder).expect("the backup") {
        let bytes = fs::read(entry.expect("a file").path()).expect("its bytes");
        let holds = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds(key.trim()) && !holds(&shop.hook_secret) && !holds(common::gateway::SECRET_KEY));
    }
    let again = shop.run(&["backup", path_of(&folder)], "");
    assert_eq!(again.code, Some(1), "a backup is never written over: {}", again.stderr);

    // The world goes on: what was open is paid, what was paid goes back, and somebody new buys.
    let paid = shop.gateway.pay_by_card(&submitted.page, GOOD_CARD).await.expect("the gateway");
    assert!(is_paid(&paid), "{}", paid.body);
    let new = door.buy(&shop.gateway, "license", 1).await;
    let refund = door
        .api_post(&format!("/v1/orders/{}/refunds", text(&bought["id"])), &unique(), &json!({}))
        .await
        .expect("an answer");
    assert_eq!(refund.status, 201, "{}", refund.body);
    shop.gateway.flush().await;
    until("everybody has their mails", Duration::from_secs(30), || async {
        let order = door.order(&opened.order).await?;
        if order["state"] == "paid" && mails(&data).len() == 4 { Ok(()) } else { Err(format!("{:?}", mails(&data))) }
    })
    .await;

    // And all of it is gone.
    shop.server.kill();
    fs::remove_dir_all(&data).expect("the disaster");
    let database = if engine == Engine::Postgres { Some(postgres_database().await) } else { None };
    shop.keep_in(database);
    let restored = shop.run(&["restore", path_of(&folder)], "").result();
    assert_eq!((&restored["restored"], &restored["needs_master_key"]), (&json!(true), &json!(true)));
    let twice = shop.run(&["restore", path_of(&folder)], "");
    assert!(twice.code == Some(1) && twice.stderr.contains("holds rows already"), "{}", twice.stderr);
    let keyless = shop.start().expect_err("no server starts without the key that belongs to it");
    assert!(keyless.contains("master key of this database is missing"), "{keyless}");
    assert!(!data.join("master.key").exists(), "and none is made in its place");
    fs::write(data.join("master.key"), &key).expect("the key");
    fs::set_permissions(data.join("master.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("its mode");

    // Before it answers anybody it has asked.
    shop.start().expect("the server starts");
    let door = shop.door();
    let order = door.order(&opened.order).await.expect("the order that was open");
    assert_eq!((order["state"].as_str(), list(&order["licenses"]).len()), (Some("paid"), 2), "{order:#}");
    let order = door.order(&text(&bought["id"])).await.expect("the order that was paid");
    assert_eq!(order["state"], "refunded", "{order:#}");
    assert_eq!(list(&order["licenses"])[0]["state"], "revoked", "{order:#}");
    // It began after the backup, so its rows went down with the shop: the gateway carried our note of it.
    let order = door.order(&text(&new["id"])).await.expect("the order that nobody here had ever seen");
    assert_eq!((order["state"].as_str(), &order["number"]), (Some("paid"), &new["number"]), "{order:#}");
    assert_eq!((list(&order["licenses"]).len(), &order["total"]), (1, &new["total"]), "{order:#}");
    let (code, found) = shop.doctor();
    assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "{found:#}");
    assert_eq!(finding(&found, "restore")["severity"], "good", "{found:#}");
    assert_eq!(finding(&found, "held_mail")["severity"], "warning", "{found:#}");

    // A sale from now on has its mail at once, and nothing else has left.
    door.buy(&shop.gateway, "license", 1).await;
    until("the new sale's mail", Duration::from_secs(20), || async {
        if mails(&data).is_empty() { Err("no mail".to_owned()) } else { Ok(()) }
    })
    .await;
    assert_eq!(mails(&data).len(), 1, "{:?}", mails(&data));

    // Those that are held leave when a person says so, each once.
    let held = shop.run(&["mails", "list"], "").result();
    let held = list(&held["held"]).clone();
    assert!(held.len() == 3 && held.iter().all(|mail| text(&mail["reason"]).contains("backup")), "{held:?}");
    let about: BTreeSet<String> = held.iter().map(|mail| text(&mail["order"])).collect();
    let expected = BTreeSet::from([opened.order.clone(), text(&bought["id"]), text(&new["id"])]);
    assert_eq!(about, expected);
    let sent = shop.run(&["mails", "send", "--all"], "").result();
    assert_eq!(list(&sent["released"]).len(), held.len());
    until("they leave", Duration::from_secs(20), || async {
        if mails(&data).len() == 1 + held.len() { Ok(()) } else { Err(format!("{:?}", mails(&data))) }
    })
    .await;
    assert!(list(&shop.run(&["mails", "list"], "").result()["held"]).is_empty());
    assert_healthy(&shop);
    let told = format!(
        "on {engine:?} three sales moved on after the backup, one of them unknown to it: all three as the gateway has \
         them, and none of {} mails twice",
        held.len() + 1
    );
    figure(&format!("restore.{engine:?}").to_lowercase(), &told);
}

async fn a_shop_moves_to_the_other_engine_and_back_and_sells_on(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let first = shop.door().buy(&shop.gateway, "license", 2).await;
    let key = text(&list(&first["licenses"])[0]["key"]);
    let data = shop.folder.path().join("data");
    let away = shop.folder.path().join("away");
    let to = match engine {
        Engine::Sqlite => postgres_database().await,
        Engine::Postgres => path_of(&away).to_owned(),
    };
    let serving = shop.run(&["move", "--to", &to], "");
    assert!(serving.code == Some(1) && serving.stderr.contains("in use"), "{}", serving.stderr);
    assert_eq!(shop.server.terminate(), Some(0));
    let moved = shop.run(&["move", "--to", &to], "");
    let result = moved.result();
    assert_eq!(result["moved"], true, "{result:#}");
    let progress: Vec<Value> = moved
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["table"].is_string())
        .collect();
    assert!(progress.iter().any(|line| line["table"] == "licenses" && line["rows"] == 2), "{}", moved.stderr);
    let old = shop.start().expect_err("the old place is left");
    assert!(old.contains("have moved to"), "{old}");
    let again = shop.run(&["move", "--to", &to], "");
    assert!(again.code == Some(1) && again.stderr.contains("already"), "{}", again.stderr);

    let origin = shop.database().map(str::to_owned);
    let home = match engine {
        Engine::Sqlite => {
            shop.keep_in(Some(to));
            // Whoever goes back names a place that is empty.
            fs::rename(data.join("latchkey.sqlite"), data.join("latchkey.sqlite.old")).expect("the old file");
            path_of(&data).to_owned()
        }
        Engine::Postgres => {
            // The key goes along; here the same folder is used.
            fs::rename(away.join("latchkey.sqlite"), data.join("latchkey.sqlite")).expect("the new file");
            shop.keep_in(None);
            postgres_database().await
        }
    };
    shop.start().expect("the server starts in its new place");
    let second = shop.door().buy(&shop.gateway, "license", 1).await;
    assert_eq!(second["state"], "paid");
    let validate = format!("{}/v1/licenses/validate", shop.url);
    let valid = shop.http.post_json(&validate, &[], &json!({ "key": key })).await.expect("an answer").json();
    assert_eq!(valid["valid"], true, "a key that was sold before the move: {valid}");
    assert_healthy(&shop);

    assert_eq!(shop.server.terminate(), Some(0));
    let back = shop.run(&["move", "--to", &home], "").result();
    assert_eq!(back["moved"], true);
    shop.keep_in(origin.map(|_| home));
    shop.start().expect("the server starts at home again");
    assert_eq!(shop.door().orders().await.expect("the orders").len(), 2);
    assert_healthy(&shop);
}

async fn a_move_that_is_killed_goes_on_and_no_server_starts_meanwhile(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    for _ in 0..3 {
        shop.door().buy(&shop.gateway, "license", 1).await;
    }
    assert_eq!(shop.server.terminate(), Some(0));
    let away = shop.folder.path().join("away");
    let to = match engine {
        Engine::Sqlite => postgres_database().await,
        Engine::Postgres => path_of(&away).to_owned(),
    };
    // Killed at another table each time, until one gets through.
    let mut kills = 0;
    for table in ["products", "orders", "licenses", "events", "jobs"] {
        let arguments = shop.arguments(&["move", "--to", &to]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if !process::kill_when_told(shop.folder.path(), &arguments, &format!("\"table\":\"{table}\"")) {
            break;
        }
        kills += 1;
        let refused = shop.start().expect_err("rows are on their way");
        assert!(refused.contains("are being moved to"), "{refused}");
    }
    assert!(kills > 0);
    let result = shop.run(&["move", "--to", &to], "");
    assert!(result.code == Some(0) || result.stderr.contains("already"), "{}", result.stderr);
    match engine {
        Engine::Sqlite => shop.keep_in(Some(to)),
        Engine::Postgres => {
            let data = shop.folder.path().join("data");
            fs::rename(away.join("latchkey.sqlite"), data.join("latchkey.sqlite")).expect("the new file");
            shop.keep_in(None);
        }
    }
    shop.start().expect("the server starts in its new place");
    let orders = shop.door().orders().await.expect("the orders");
    assert_eq!(orders.len(), 3);
    assert!(orders.iter().all(|order| order["state"] == "paid"));
    assert_healthy(&shop);
    let told = format!("from {engine:?} to the other engine, cut off {kills} times: counts and digests are the same");
    figure(&format!("move.{engine:?}").to_lowercase(), &told);
}
