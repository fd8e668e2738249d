//! Key pools with the real binary: a long list comes in once however often it is cut off, a killed server hands no code
//! out twice, and a restored shop hands out none before a person says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use common::gateway::list;
use common::shop::{Door, Engine, Shop, text};
use common::{figure, process, until};
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
    a_long_list_comes_in_once_however_often_it_is_cut_off,
    a_restored_pool_hands_out_nothing_until_a_person_lets_it_go,
    a_server_that_is_killed_while_it_sells_hands_no_code_out_twice,
];

fn write_list(shop: &Shop, name: &str, text: &str) {
    fs::write(shop.folder.path().join(name), text).expect("the list");
}

fn counts(shop: &Shop) -> [u64; 3] {
    let pools = shop.run(&["pools", "list"], "").result();
    ["free", "taken", "waiting"].map(|name| pools["data"][0][name].as_u64().expect("a count"))
}

/// The codes that the buyer of an order holds.
async fn codes(door: &Door, order: &str) -> Vec<String> {
    let order = door.order(order).await.expect("the order");
    list(&order["licenses"]).iter().filter_map(|license| license["key"].as_str().map(str::to_owned)).collect()
}

async fn a_long_list_comes_in_once_however_often_it_is_cut_off(engine: Engine) {
    const CODES: usize = 100_000;
    let shop = Shop::open_selling_codes(engine).await;
    let mut lines = String::from("code,batch\n");
    for number in 0..CODES {
        writeln!(lines, "GAME-{number:06}-XYZ,{}", number / 1_000).unwrap();
    }
    // Lines 100002 to 100004: two that stand above, and one that is no code.
    lines.push_str("GAME-000000-XYZ,x\nGAME-099999-XYZ,x\n4242 4242 4242 4242,x\n");
    write_list(&shop, "codes.csv", &lines);

    let dry = shop.run(&["pools", "import", "codes.csv", "--pool", "codes", "--dry-run"], "");
    assert_eq!((dry.code, &dry.only_object()["new"]), (Some(1), &json!(CODES)));
    assert_eq!(counts(&shop), [0, 0, 0], "a dry run brings nothing in");

    let arguments = shop.arguments(&["pools", "import", "codes.csv", "--pool", "codes"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert!(process::kill_when_told(shop.folder.path(), &arguments, "\"done\":20000"), "it is cut off");
    let [free, ..] = counts(&shop);
    assert!((20_000..100_000).contains(&free), "{free}");

    let began = Instant::now();
    let whole = shop.run(&["pools", "import", "codes.csv", "--pool", "codes"], "");
    let seconds = began.elapsed().as_secs().max(1);
    let report = whole.only_object();
    assert_eq!(whole.code, Some(1), "{}", whole.stderr);
    let new = report["new"].as_u64().unwrap();
    assert_eq!((new + free, report["known"].as_u64().unwrap()), (100_000, free));
    let left_out: Vec<(u64, &str)> = list(&report["left_out"])
        .iter()
        .map(|line| (line["line"].as_u64().unwrap(), line["reason"].as_str().unwrap()))
        .collect();
    let expected = [
        (100_002, "the same code stands in line 2"),
        (100_003, "the same code stands in line 100001"),
        (100_004, "looks like a card number"),
    ];
    assert_eq!(left_out, expected);
    assert!(whole.stderr.contains("\"per_second\"") && whole.stderr.contains("\"seconds_left\""), "{}", whole.stderr);
    assert!(!whole.stderr.contains("GAME-"), "no code is said aloud");
    assert_eq!(counts(&shop), [100_000, 0, 0]);
    let again = shop.run(&["pools", "import", "codes.csv", "--pool", "codes"], "").only_object();
    assert_eq!((&again["new"], &again["known"]), (&json!(0), &json!(CODES)));
    figure("pools.import", &format!("{new} codes in {seconds} s on {engine:?}, with {free} known before"));
}

async fn a_restored_pool_hands_out_nothing_until_a_person_lets_it_go(engine: Engine) {
    let mut shop = Shop::open_selling_codes(engine).await;
    write_list(&shop, "codes.txt", "CODE-A\nCODE-B\nCODE-C\n");
    shop.run(&["pools", "import", "codes.txt", "--pool", "codes"], "").result();
    let folder = shop.folder.path().join("backup");
    shop.run(&["backup", folder.to_str().unwrap()], "").result();
    // After the backup one code leaves.
    let sold = shop.door().buy(&shop.gateway, "license", 1).await;
    let gone = codes(&shop.door(), &text(&sold["id"])).await.remove(0);

    let data = shop.folder.path().join("data");
    let key = fs::read_to_string(data.join("master.key")).expect("the key");
    shop.server.kill();
    fs::remove_dir_all(&data).expect("the disaster");
    shop.keep_in(if engine == Engine::Postgres { Some(postgres_database().await) } else { None });
    shop.run(&["restore", folder.to_str().unwrap()], "").result();
    fs::write(data.join("master.key"), &key).expect("the key");
    fs::set_permissions(data.join("master.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("its mode");
    shop.start().expect("the server starts");

    let door = shop.door();
    let later = door.buy(&shop.gateway, "license", 1).await;
    let order = text(&later["id"]);
    assert_eq!(codes(&door, &order).await, Vec::<String>::new());
    assert_eq!(later["licenses"][0]["on_its_way"], true, "{later:#}");
    let (_, found) = shop.doctor();
    let held = list(&found["findings"]).iter().find(|finding| finding["check"] == "pool:codes").cloned();
    assert!(held.is_some_and(|held| text(&held["found"]).contains("held since the restore")), "{found:#}");

    write_list(&shop, "gone.txt", &gone);
    let withdrawn = shop.run(&["pools", "withdraw", "gone.txt", "--pool", "codes"], "").result();
    assert_eq!(withdrawn["withdrawn"], 1);
    shop.run(&["pools", "release", "--pool", "codes"], "").result();
    let held = codes(&door, &order).await;
    assert!(held.len() == 1 && held[0] != gone, "{held:?}");
}

async fn a_server_that_is_killed_while_it_sells_hands_no_code_out_twice(engine: Engine) {
    const CODES: usize = 6;
    const BUYERS: usize = 9;
    let mut shop = Shop::open_selling_codes(engine).await;
    let stock: String = (0..CODES).map(|number| format!("CODE-{number}\n")).collect();
    write_list(&shop, "codes.txt", &stock);
    shop.run(&["pools", "import", "codes.txt", "--pool", "codes"], "").result();
    let mut orders = Vec::new();
    for number in 0..BUYERS {
        let (opened, _) = shop.door().pay(&shop.gateway, "license", 1).await;
        orders.push(opened.order);
        if number % 3 == 1 {
            // The webhook is under way, or has just come in.
            shop.server.kill();
            shop.start().expect("the server starts again");
        }
    }
    shop.gateway.flush().await;
    let door = shop.door();
    until("every order is paid", Duration::from_secs(60), || async {
        for order in &orders {
            let order = door.order(order).await?;
            if order["state"] != "paid" {
                // The buyer comes back, which asks the gateway.
                let back = format!("{}/orders/{}/return", door.url, text(&order["id"]));
                door.http.get(&back, &[]).await?;
                return Err(format!("{} is {}", order["id"], order["state"]));
            }
        }
        Ok(())
    })
    .await;
    let mut held = Vec::new();
    for order in &orders {
        held.extend(codes(&door, order).await);
    }
    let distinct: BTreeSet<&String> = held.iter().collect();
    assert_eq!((held.len(), distinct.len()), (CODES, CODES), "{held:?}");
    assert_eq!(counts(&shop), [0, 6, 3]);
    write_list(&shop, "more.txt", "MORE-1\nMORE-2\nMORE-3\n");
    shop.run(&["pools", "import", "more.txt", "--pool", "codes"], "").result();
    assert_eq!(counts(&shop), [0, 9, 0], "who waited is served");
    let (code, found): (Option<i32>, Value) = shop.doctor();
    assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "{found:#}");
}
