//! The exactly-once report, made by the real binary and checked by somebody who
//! has the file and the published keys: by `report verify`, and by the script
//! in the documentation, which holds nothing of ours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::gateway::list;
use common::process;
use common::shop::{Engine, Shop, text, unique};
use serde_json::{Value, json};
use store::testing::Directory;

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

on_both_engines![a_report_is_believed_as_it_was_signed_and_not_otherwise];

fn path_of(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The lines of this kind.
fn lines(report: &str, kind: &str) -> Vec<Value> {
    report
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|line: &Value| line["kind"] == kind)
        .collect()
}

/// The script that the documentation shows.
fn script() -> &'static str {
    let page = include_str!("../../../docs/exactly-once.md");
    page.split_once("```python\n").and_then(|(_, rest)| rest.split_once("```")).expect("a script").0
}

async fn a_report_is_believed_as_it_was_signed_and_not_otherwise(engine: Engine) {
    let shop = Shop::open(engine).await;
    let door = shop.door();
    let kept = door.buy(&shop.gateway, "license", 2).await;
    let returned = door.buy(&shop.gateway, "license", 1).await;
    let refund = format!("/v1/orders/{}/refunds", text(&returned["id"]));
    door.api_post(&refund, &unique(), &json!({})).await.expect("a refund");
    shop.gateway.flush().await;

    // Somebody else's machine: the file, the keys, nothing more.
    let outside = Directory::new();
    let (first, second) = (outside.path().join("first.jsonl"), outside.path().join("second.jsonl"));
    let keys = outside.path().join("jwks.json");
    let published = shop.http.get(&format!("{}/.well-known/jwks.json", shop.url), &[]).await.expect("the keys");
    fs::write(&keys, &published.body).expect("the keys");
    // Without a word it would end a quarter of an hour ago, before there was a shop.
    let too_soon = shop.run(&["report", "exactly-once", "--out", path_of(&first)], "");
    assert_eq!(too_soon.code, Some(1), "{}", too_soon.stdout);
    assert!(too_soon.stderr.contains("a quarter of an hour ago") && !first.exists(), "{}", too_soon.stderr);
    let report = |file: &Path| {
        let now = app::Clock::System.now().to_string();
        shop.run(&["report", "exactly-once", "--until", &now, "--out", path_of(file)], "").result()
    };
    let made = report(&first);
    assert_eq!(made["sales"], 2);
    door.buy(&shop.gateway, "license", 1).await;
    let made = report(&second);
    assert_eq!(made["sales"], 1, "it goes on where the first ended");

    let verify = |file: &Path, more: &[&str]| {
        let mut arguments = vec!["--json", "report", "verify", path_of(file), "--keys", path_of(&keys)];
        arguments.extend(more);
        process::run(outside.path(), &arguments, "")
    };
    let verified = verify(&first, &[]).result();
    assert_eq!(verified["exactly_once"], true, "{verified:#}");
    assert_eq!((&verified["report"]["sales"], &verified["report"]["licenses"]), (&json!(2), &json!(3)));
    let chained = verify(&second, &["--previous", path_of(&first)]).result();
    assert_eq!(chained["exactly_once"], true, "{chained:#}");
    let unchained = verify(&first, &["--previous", path_of(&second)]);
    assert_eq!(unchained.code, Some(1), "{}", unchained.stdout);

    // It says who did what, and nothing about anybody.
    let report = fs::read_to_string(&first).expect("the report");
    let sales = lines(&report, "sale");
    assert_eq!(sales[0]["order"], kept["id"]);
    assert_eq!(sales[1]["state"], "refunded");
    assert!(list(&sales[0]["causes"]).iter().all(|cause| cause["what"].is_string() && cause["by"].is_string()));
    let balances: i64 = lines(&report, "balance").iter().map(|line| line["minor"].as_i64().expect("an amount")).sum();
    assert_eq!((balances, lines(&report, "balance").len()), (0, 2));
    for order in [&kept, &returned] {
        for secret in [&order["customer"]["email"], &order["licenses"][0]["key"], &order["number"]] {
            assert!(!secret.is_string() || !report.contains(&text(secret)), "{secret}");
        }
    }
    assert!(!report.contains('@'), "no address");

    // With nothing of ours.
    let check = outside.path().join("check.py");
    fs::write(&check, script()).expect("the script");
    let has_python =
        Command::new("python3").args(["-c", "import cryptography"]).output().is_ok_and(|it| it.status.success());
    let foreign = |file: &Path| {
        Command::new("python3")
            .args([path_of(&check), path_of(file), path_of(&keys)])
            .output()
            .expect("python")
            .status
            .success()
    };
    assert!(!has_python || foreign(&first), "the script of the documentation");

    // Whatever is changed is seen, by either.
    let license = text(&sales[0]["licenses"][0]["license"]);
    let without = report
        .lines()
        .filter(|line| !line.contains(&text(&kept["id"])))
        .fold(String::new(), |all, line| all + line + "\n");
    let other_signature = report.replace(
        &text(&lines(&report, "signature")[0]["jws"]),
        &text(&lines(&fs::read_to_string(&second).expect("the second"), "signature")[0]["jws"]),
    );
    for (what, forged) in [
        ("an amount", report.replace("9800", "9900")),
        ("a license", report.replace(&license, &license.replace("lic_0", "lic_1"))),
        ("a sale left out", without),
        ("a line more", format!("{}\n{report}", report.lines().next().expect("a line"))),
        ("the signature of another report", other_signature),
        ("no signature", report.lines().take(3).fold(String::new(), |all, line| all + line + "\n")),
        ("cut short", report[..report.len() - 10].to_owned()),
    ] {
        assert_ne!(forged, report, "{what}");
        let file = outside.path().join("forged.jsonl");
        fs::write(&file, forged).expect("a forgery");
        assert_eq!(verify(&file, &[]).code, Some(1), "{what}");
        assert!(!has_python || !foreign(&file), "{what}");
    }
    let strangers = Shop::open(Engine::Sqlite).await;
    let published = strangers.http.get(&format!("{}/.well-known/jwks.json", strangers.url), &[]).await.expect("keys");
    fs::write(&keys, &published.body).expect("other keys");
    let refused = verify(&first, &[]);
    assert!(refused.code == Some(1) && refused.stderr.contains("not among the keys"), "{}", refused.stderr);
}
