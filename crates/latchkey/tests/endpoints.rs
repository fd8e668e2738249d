//! A seller's own program with the real binary: what it answers reaches the buyer once, though the server went
//! down while it asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::fs;
use std::time::Duration;

use common::gateway::list;
use common::recorder::{Manner, Recorder};
use common::shop::{Engine, SHOP_FILE, Shop, text};
use common::until;

/// The shop file with a plan that the program at this address fulfils, and one that sells it together with a license.
fn shop_file(url: &str) -> String {
    let endpoint = format!("[[endpoint]]\nslug = \"mine\"\nurl = \"{url}/fulfil\"\n\n[[product]]");
    let more = "\n[[product]]\nslug = \"hosting\"\nname = \"Hosting\"\n\n[[product.plan]]\nslug = \"set\"\nname = \"Set\"\n\
        prices = { EUR = \"99.00\" }\nbundle = [\"license\", \"year\"]\n\n[[product.plan]]\nslug = \"year\"\nname = \"Year\"\n\
        prices = { EUR = \"49.00\" }\nfulfilment = \"webhook\"\nendpoint = \"mine\"\nactive = false\n";
    SHOP_FILE.replacen("[[product]]", &endpoint, 1) + more
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_a_bundle_is_asked_for_under_one_id_though_the_server_went_down() {
    let silent = Recorder::start(Manner::Silent).await;
    let mut shop = Shop::open_with(Engine::Sqlite, &shop_file(&silent.url), common::gateway::SECRET_KEY).await;
    let (opened, _) = shop.door().pay(&shop.gateway, "set", 1).await;
    let asked = until("the program is asked", Duration::from_secs(60), || async {
        silent.requests().first().cloned().ok_or_else(|| "not yet".to_owned())
    })
    .await;
    // It gives back what it was at, so that nobody waits for the end of a lease.
    assert_eq!(shop.server.terminate(), Some(0));

    let program = Recorder::start(Manner::Fulfilling).await;
    fs::write(shop.folder.path().join("again.toml"), shop_file(&program.url)).unwrap();
    shop.run(&["apply", "again.toml"], "").result();
    let secret = shop.run(&["endpoints", "secret", "mine"], "").result();
    assert!(text(&secret["secret"]).starts_with("whsec_"));
    let tried = shop.run(&["endpoints", "test", "mine"], "").result();
    assert_eq!(tried["good"], true, "{tried}");
    let tests = program.requests().len();
    shop.start().expect("the server starts again");
    let door = shop.door();
    let order = until("the buyer has all of it", Duration::from_secs(180), || async {
        let order = door.order(&opened.order).await?;
        let is_whole = list(&order["licenses"]).iter().all(|license| license["key"].is_string());
        if is_whole { Ok(order) } else { Err(format!("{order:#}")) }
    })
    .await;
    let licenses = list(&order["licenses"]);
    assert_eq!(licenses.len(), 2);
    let id = asked.header("webhook-id").unwrap().to_owned();
    let waited = licenses.iter().find(|license| license["id"] == id.as_str()).expect("the message names its license");
    assert_eq!(waited["key"], format!("made for {id}"));
    let again: Vec<_> = program.requests().into_iter().skip(tests).collect();
    assert!(!again.is_empty() && again.iter().all(|request| request.header("webhook-id") == Some(id.as_str())));
    let costs: Vec<&str> =
        list(&order["lines"]).iter().map(|line| line["bundle"].as_str().unwrap_or_default()).collect();
    assert!(costs.iter().all(|bundle| bundle.starts_with("plan_")), "{order:#}");
    let rotated = shop.run(&["endpoints", "rotate", "mine"], "").result();
    assert_ne!(rotated["secret"], secret["secret"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_go_together_is_told_by_name() {
    let polite = Recorder::start(Manner::Polite).await;
    let good = shop_file(&polite.url);
    let shop = Shop::open_with(Engine::Sqlite, &good, common::gateway::SECRET_KEY).await;
    #[rustfmt::skip]
    let table = [
        ("endpoint = \"mine\"",              "endpoint = \"other\"",                        "plan year: there is no endpoint other; the file and the shop have: mine"),
        ("endpoint = \"mine\"\n",            "",                                            "plan year: endpoint is missing, the slug of a [[endpoint]]"),
        ("fulfilment = \"webhook\"\n",       "",                                            "plan year: endpoint needs fulfilment = \"webhook\""),
        ("fulfilment = \"webhook\"\nendpoint = \"mine\"", "fulfilment = \"manual\"",       "plan year: fulfilment = \"manual\" needs within_hours"),
        ("\"license\", \"year\"",            "\"license\", \"decade\"",                    "plan set: bundle names the plan decade, which there is not"),
        ("\"license\", \"year\"",            "\"license\", \"set\"",                       "plan set: bundle names set, which is a bundle itself"),
        ("/fulfil",                         " /fulfil",                                    "endpoint mine: url must be an address as"),
    ];
    for (from, to, told) in table {
        assert!(good.contains(from), "{from}");
        fs::write(shop.folder.path().join("bad.toml"), good.replacen(from, to, 1)).unwrap();
        let applied = shop.run(&["apply", "bad.toml"], "");
        assert!(applied.code == Some(1) && applied.stderr.contains(told), "{to}: {}", applied.stderr);
    }
    fs::write(shop.folder.path().join("good.toml"), &good).unwrap();
    let applied = shop.run(&["apply", "good.toml"], "").result();
    assert_eq!(list(&applied["changed"]).len(), 0, "what stands in the file is there: {applied}");
}
