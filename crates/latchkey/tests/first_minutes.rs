//! The first minutes of a stranger with the binary: a demo that prints its
//! keys and finds itself again, a shop from nothing to its first sale, a doctor
//! that names what is wrong, and mistakes that are told with the way out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::gateway::{GOOD_CARD, Gateway, SECRET_KEY, is_paid, list};
use common::http::Http;
use common::process::{self, Process};
use common::shop::{Door, Engine, SHOP_FILE, Shop, text, unique};
use common::until;
use rusqlite::Connection;
use serde_json::{Value, json};
use store::testing::Directory;

fn path_of(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_prints_every_key_and_a_second_start_finds_what_the_first_left() {
    let folder = Directory::new();
    let data = folder.path().join("demo");
    let arguments = ["demo", "--json", "--listen", "127.0.0.1:0", "--data", path_of(&data)];
    let http = Http::new();

    let (mut demo, first) = Process::start(folder.path(), &arguments);
    let keys: BTreeSet<&str> = first.as_object().expect("an object").keys().map(String::as_str).collect();
    let promised = [
        "api_key",
        "console",
        "gateway_account",
        "hook_secret",
        "hook_url",
        "mailbox",
        "sandbox",
        "shop",
        "storefront",
    ];
    assert_eq!(keys, BTreeSet::from(promised));
    let home = http.get(first["storefront"].as_str().unwrap(), &[]).await.expect("the storefront");
    assert_eq!((home.status, home.body.contains("Lumen")), (200, true), "{}", home.body);
    for page in ["mailbox", "console", "sandbox"] {
        let reply = http.get(first[page].as_str().unwrap(), &[]).await.expect("a page");
        assert_eq!(reply.status, 200, "{page}: {}", reply.body);
    }
    let door = door_of(&http, &first);
    let opened = door.open_checkout(&unique(), "lumen-pro", 1, "ada@example.org").await.expect("a checkout");
    let submitted = door.submit(&opened, "ada@example.org").await.expect("a payment page");
    let paid = http.post_form(&submitted.page, &[], &card()).await.expect("the gateway");
    assert!(is_paid(&paid), "{} {}", paid.status, paid.body);
    let receipt =
        submitted.cookies.split("; ").find(|cookie| cookie.starts_with("receipt=")).expect("a receipt").to_owned();
    // Only the webhook brings it in: the buyer does not come back.
    let key = until("the webhook brings the key", Duration::from_secs(20), || async {
        let order = door.order(&opened.order).await?;
        order["licenses"][0]["key"].as_str().map(str::to_owned).ok_or_else(|| order["state"].to_string())
    })
    .await;
    until("the mail is in the mailbox", Duration::from_secs(20), || async {
        let mails = http.get(first["mailbox"].as_str().unwrap(), &[]).await?;
        if mails.body.contains("ada@example.org") { Ok(()) } else { Err(mails.body) }
    })
    .await;
    assert_eq!(demo.terminate(), Some(0), "{}", demo.told());

    let (mut demo, second) = Process::start(folder.path(), &arguments);
    for kept in ["api_key", "shop", "gateway_account", "hook_secret", "sandbox"] {
        assert_eq!(first[kept], second[kept], "{kept}");
    }
    let door = door_of(&http, &second);
    let page =
        http.get(&format!("{}/orders/{}", door.url, opened.order), &[("cookie", &receipt)]).await.expect("the order");
    assert_eq!((page.status, page.body.contains(&key)), (200, true), "{}", page.body);
    let stranger = http.get(&format!("{}/orders/{}", door.url, opened.order), &[]).await.expect("the order");
    assert!(!stranger.body.contains(&key), "whoever knows the address sees the key");
    let again =
        door.open_checkout(&unique(), "lumen-pro", 1, "bo@example.org").await.expect("the same key opens a checkout");
    let submitted = door.submit(&again, "bo@example.org").await.expect("a payment page");
    assert!(submitted.page.starts_with(second["sandbox"].as_str().unwrap()), "{}", submitted.page);
    assert_eq!(demo.terminate(), Some(0), "{}", demo.told());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_demo_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let folder = Directory::new();
    let data = folder.path().join("demo");
    let arguments = ["demo", "--json", "--listen", "127.0.0.1:0", "--data", path_of(&data)];
    let (mut demo, first) = Process::start(folder.path(), &arguments);
    let second = process::run(folder.path(), &arguments, "");
    assert_eq!((second.code, second.stdout.as_str()), (Some(1), ""), "{}", second.stderr);
    assert!(second.stderr.contains("another process holds"), "{}", second.stderr);
    let http = Http::new();
    let door = door_of(&http, &first);
    let opened = door.open_checkout(&unique(), "lumen-pro", 1, "ada@example.org").await.expect("a checkout");
    let submitted = door.submit(&opened, "ada@example.org").await.expect("a payment page");
    assert!(submitted.page.starts_with(first["sandbox"].as_str().unwrap()), "{}", submitted.page);
    assert_eq!(demo.terminate(), Some(0), "{}", demo.told());
}

fn door_of(http: &Http, printed: &Value) -> Door {
    let url = text(&printed["storefront"]).trim_end_matches('/').to_owned();
    Door { http: http.clone(), url, api_key: text(&printed["api_key"]) }
}

fn card() -> [(&'static str, &'static str); 5] {
    [("email", "ada@example.org"), ("method", "card"), ("card_number", GOOD_CARD), ("exp", "12/34"), ("cvc", "123")]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_from_nothing_makes_its_first_sale_without_a_restart() {
    let began = Instant::now();
    let gateway = Gateway::start();
    let folder = Directory::new();
    let data = folder.path().join("data");
    let run = |arguments: &[&str], input: &str| {
        let all = [arguments, &["--json", "--data", path_of(&data)]].concat();
        process::run(folder.path(), &all, input).result()
    };
    let (mut server, said) =
        Process::start(folder.path(), &["serve", "--json", "--listen", "127.0.0.1:0", "--data", path_of(&data)]);
    let url = text(&said["url"]);
    fs::write(folder.path().join("shop.toml"), SHOP_FILE).unwrap();
    let told = run(&["apply", "shop.toml", "--dry-run"], "");
    assert_eq!((told["dry_run"].as_bool(), list(&told["changed"]).len()), (Some(true), 4), "{told}");
    assert_eq!(list(&run(&["apply", "shop.toml"], "")["changed"]).len(), 4);
    assert_eq!(run(&["apply", "shop.toml"], "")["changed"], json!([]), "what is so already is left alone");
    let endpoint =
        gateway.call("/v1/webhook_endpoints", &[("url", "http://127.0.0.1:9/later"), ("enabled_events[]", "*")]).await;
    let credentials =
        json!({ "secret_key": SECRET_KEY, "webhook_secret": endpoint["secret"], "base_url": gateway.url });
    let account = text(&run(&["gateways", "connect", "stripe"], &credentials.to_string())["gateway_account"]);
    let path = format!("/v1/webhook_endpoints/{}", text(&endpoint["id"]));
    gateway.call(&path, &[("url", &format!("{url}/hooks/{account}"))]).await;
    assert_eq!(run(&["gateways", "check"], "")["working"], true);
    let dead =
        json!({ "secret_key": SECRET_KEY, "webhook_secret": "whsec_1", "base_url": "http://127.0.0.1:9" }).to_string();
    for (what, arguments, input, told) in [
        ("a gateway that is not there", ["connect", "stripe"], &*dead, "nothing was kept"),
        ("an account that would lose its gateway", ["set", &account], &dead, "nothing was kept"),
        ("a gateway that nobody knows", ["connect", "strype"], "{}", "there is: stripe"),
    ] {
        let all = [&["gateways"], &arguments[..], &["--data", path_of(&data)]].concat();
        let refused = process::run(folder.path(), &all, input);
        assert_eq!(refused.code, Some(1), "{what}");
        assert!(refused.stderr.contains(told), "{what}: {}", refused.stderr);
    }
    assert_eq!(run(&["gateways", "check"], "")["working"], true);
    let listed = run(&["gateways", "list"], "");
    assert_eq!(list(&listed["accounts"]).len(), 1, "{listed}");
    assert_eq!(listed["accounts"][0]["id"], json!(account), "{listed}");
    let api_key = text(&run(&["api-key", "first"], "")["api_key"]);
    assert!(text(&run(&["console-link"], "")["console"]).contains("/console/enter"));

    let door = Door { http: Http::new(), url, api_key };
    let home = until("the storefront shows the product", Duration::from_secs(15), || async {
        let home = door.http.get(&format!("{}/", door.url), &[]).await?;
        if home.status == 200 && home.body.contains("Storm") {
            Ok(home)
        } else {
            Err(format!("{} {}", home.status, home.body))
        }
    })
    .await;
    assert!(home.body.contains("49"), "{}", home.body);
    let submitted = until("a buyer gets to the gateway", Duration::from_secs(15), || async {
        let page = door.http.get(&format!("{}/buy/license?country=DE", door.url), &[]).await?;
        let submitted = door.press(&page, "ada@example.org").await?;
        if submitted.page.starts_with(&gateway.url) { Ok(submitted) } else { Err(submitted.page) }
    })
    .await;
    let paid = gateway.pay_by_card(&submitted.page, GOOD_CARD).await.expect("the gateway");
    assert!(is_paid(&paid), "{} {}", paid.status, paid.body);
    let order = until("the first sale", Duration::from_secs(20), || async {
        let orders = door.orders().await?;
        let paid = orders.iter().find(|order| order["state"] == "paid").ok_or_else(|| format!("{orders:?}"))?;
        door.order(&text(&paid["id"])).await
    })
    .await;
    assert_eq!(list(&order["licenses"]).len(), 1, "{order:#}");
    eprintln!("from nothing to the first key: {:.1?}", began.elapsed());
    let doctor = run(&["doctor"], "");
    assert_eq!(doctor["healthy"], true, "{doctor:#}");

    // What was rolled is given anew to the same account, and what leaked is withdrawn.
    let try_to = |arguments: &[&str], input: &str| {
        process::run(folder.path(), &[arguments, &["--json", "--data", path_of(&data)]].concat(), input)
    };
    let live = json!({ "secret_key": "sk_live_x", "webhook_secret": "whsec_x" }).to_string();
    let mistaken = try_to(&["gateways", "set", &account], &live);
    assert!(mistaken.code == Some(1) && mistaken.stderr.contains("take those of the shop's mode"), "{mistaken:?}");
    let rolled = json!({ "secret_key": SECRET_KEY, "webhook_secret": [endpoint["secret"], "whsec_next"], "base_url": gateway.url });
    assert_eq!(run(&["gateways", "set", &account], &rolled.to_string())["gateway_account"], json!(account));
    for (word, is_active) in [("disable", false), ("enable", true)] {
        run(&["gateways", word, &account], "");
        assert_eq!(run(&["gateways", "list"], "")["accounts"][0]["is_active"], is_active);
    }
    let keys = run(&["api-keys", "list"], "");
    let id = text(&list(&keys["api_keys"])[0]["id"]);
    assert_eq!(door.api_get("/v1/orders").await.expect("an answer").status, 200);
    assert!(run(&["api-keys", "revoke", &id], "")["revoked_at"].is_string());
    assert_eq!(door.api_get("/v1/orders").await.expect("an answer").status, 401);
    assert_eq!(server.terminate(), Some(0), "{}", server.told());
}

/// What is done to the folder of a healthy shop.
enum Harm {
    /// A statement on its database.
    Sql(&'static str),
    /// A flag more for doctor.
    Flag(&'static str, &'static str),
    /// Something with its files.
    Files(fn(&Path)),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_is_content_with_a_healthy_shop_and_names_each_of_these_faults() {
    let mut shop = Shop::open(Engine::Sqlite).await;
    let door = shop.door();
    let order = door.buy(&shop.gateway, "license", 2).await;
    let key = text(&order["licenses"][0]["key"]);
    let body = json!({ "key": key, "fingerprint": "one-device" });
    let seat = shop.http.post_json(&format!("{}/v1/licenses/activate", shop.url), &[], &body).await.expect("an answer");
    assert_eq!(seat.status, 201, "{}", seat.body);
    let refund = door
        .api_post(&format!("/v1/orders/{}/refunds", text(&order["id"])), &unique(), &json!({ "amount": 1_000 }))
        .await
        .expect("an answer");
    assert_eq!(refund.status, 201, "{}", refund.body);
    let opened = door.open_checkout(&unique(), "license", 1, "bo@example.org").await.expect("a checkout");
    door.submit(&opened, "bo@example.org").await.expect("a payment that stays open");
    until("every mail is sent", Duration::from_secs(20), || async {
        match shop.doctor() {
            (Some(0), found) => {
                let warnings: Vec<&Value> =
                    list(&found["findings"]).iter().filter(|finding| finding["severity"] != "good").collect();
                if warnings.is_empty() { Ok(()) } else { Err(format!("{warnings:?}")) }
            }
            (code, found) => Err(format!("{code:?} {found}")),
        }
    })
    .await;
    assert_eq!(shop.server.terminate(), Some(0), "{}", shop.server.told());

    use Harm::{Files, Flag, Sql};
    #[rustfmt::skip]
    let rows: [(&str, Harm, i32, &str); 22] = [
        ("a license is gone", Sql("delete from licenses where unit = 1"), 1, "law:paid_means_issued"),
        ("an order forgets that it was paid", Sql("update orders set state = 'pending', refunded_minor = 0 where paid_at is not null"), 1, "law:paid_means_captured"),
        ("a payment is forgotten", Sql("delete from payments where state = 'succeeded'"), 1, "law:issued_means_captured"),
        ("a price is changed afterwards", Sql("update orders set total_minor = 1 where paid_at is not null"), 1, "law:captured_what_was_asked"),
        ("a refund is forgotten", Sql("delete from refunds"), 1, "law:refunded_is_the_sum"),
        ("a refund grows", Sql("update refunds set amount_minor = 100000"), 1, "law:refunds_within_payment"),
        ("a posting is gone", Sql("delete from postings where cause = (select min(cause) from postings)"), 1, "law:books_match"),
        ("a seat is not counted", Sql("update licenses set seats_used = 0"), 1, "law:a_seat_is_a_seat"),
        ("more seats than bought", Sql("update licenses set seats_used = 9 where seats_used = 1"), 1, "law:seats_within_license"),
        ("a checkout stays open", Sql("update checkouts set state = 'submitted' where state = 'completed'"), 1, "law:paid_means_completed"),
        ("nobody asks about an open payment", Sql("update payments set check_at = null where state = 'sent'"), 1, "law:open_means_asked"),
        ("an order without a buyer", Sql("update orders set email = null where paid_at is not null"), 1, "law:a_payment_has_a_buyer"),
        ("a mail that nobody sends", Sql("update deliveries set state = 'queued'"), 1, "law:queued_mail_has_a_job"),
        ("a refund that nobody sends", Sql("update refunds set state = 'created'"), 1, "law:requested_refund_has_a_job"),
        ("a parked notice", Sql("update notices set state = 'parked', reason = 'amount_mismatch', detail = 'x' where id = (select min(id) from notices)"), 0, "notices"),
        ("a refused mail", Sql("update deliveries set state = 'refused', last_error = '550 no such mailbox'"), 0, "mail"),
        ("a job that nobody does", Sql("insert into jobs (shop_id, id, kind, subject, run_at, attempts, created_at) select shop_id, 'job_00000000000000000000000000', 'ask_payment', id, 0, 0, 0 from payments limit 1"), 0, "jobs"),
        ("a server that buyers reach without https", Flag("--public-url", "http://shop.example.org"), 1, "public_url"),
        ("a host that buyers are not sent back to", Sql("update shops set host = 'shop.example'"), 1, "host"),
        ("another master key", Files(|data| fs::write(data.join("master.key"), "ab".repeat(32)).unwrap()), 1, "master"),
        ("a master key that others can read", Files(|data| fs::set_permissions(data.join("master.key"), fs::Permissions::from_mode(0o644)).unwrap()), 1, "chmod 600"),
        ("a database of noise", Files(|data| fs::write(data.join("latchkey.sqlite"), "noise ".repeat(1_000)).unwrap()), 1, "database"),
    ];
    for (what, harm, code, name) in rows {
        let copy = Directory::new();
        let data = copy.path().join("data");
        copy_folder(&shop.folder.path().join("data"), &data);
        let mut arguments = vec!["doctor", "--json", "--data", path_of(&data)];
        match harm {
            Sql(statement) => {
                let database = Connection::open(data.join("latchkey.sqlite")).unwrap();
                database.pragma_update(None, "foreign_keys", false).unwrap();
                assert!(database.execute(statement, []).unwrap() > 0, "{what}: nothing was changed");
            }
            Flag(flag, value) => arguments.extend([flag, value]),
            Files(harm) => harm(&data),
        }
        let finished = process::run(copy.path(), &arguments, "");
        assert_eq!(finished.code, Some(code), "{what}: {} {}", finished.stdout, finished.stderr);
        if finished.stdout.is_empty() {
            assert!(finished.stderr.contains(name), "{what}: {}", finished.stderr);
            continue;
        }
        let found = finished.only_object();
        assert_eq!(found["healthy"], json!(code == 0), "{what}: {found:#}");
        let named = list(&found["findings"]).iter().find(|finding| finding["check"] == name);
        let named = named.unwrap_or_else(|| panic!("{what} is not named {name}: {found:#}"));
        assert!(named["severity"] != "good" && !text(&named["way_out"]).is_empty(), "{what}: {named}");
    }
    let nowhere = process::run(shop.folder.path(), &["doctor", "--data", "nowhere"], "");
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.stderr.contains("there is no data in nowhere"), "{}", nowhere.stderr);

    // The gateway goes away, and doctor says which account it was.
    let url = shop.gateway.url.clone();
    let (account, folder) = (shop.account.clone(), shop.folder.path().to_owned());
    let data = folder.join("data");
    let Shop { gateway, folder: _kept, .. } = shop;
    drop(gateway);
    let finished = process::run(&folder, &["doctor", "--json", "--data", path_of(&data)], "");
    let found = finished.only_object();
    assert_eq!(finished.code, Some(1), "{url} is gone: {found:#}");
    let named = list(&found["findings"])
        .iter()
        .find(|finding| finding["check"] == format!("gateway:{account}"))
        .expect("the account");
    assert_eq!(named["severity"], "broken", "{named}");
}

fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().expect("cp");
    assert!(status.success());
}

#[test]
fn a_port_that_is_taken_is_told_and_nothing_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for command in ["serve", "demo", "sandbox"] {
        let folder = Directory::new();
        let finished = process::run(folder.path(), &[command, "--json", "--listen", &address, "--data", "data"], "");
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{command}: {}", finished.stderr);
        assert!(finished.stderr.contains(&format!("cannot listen on {address}")), "{command}: {}", finished.stderr);
        assert!(!folder.path().join("data").exists(), "{command} left a folder behind");
    }
}

#[test]
fn a_mistake_in_the_configuration_is_told_with_the_nearest_right_word() {
    #[rustfmt::skip]
    let rows = [
        ("publik_url = \"https://shop.example\"", "public_url"),
        ("databse = \"postgres://x\"", "database"),
        ("lisen = \"127.0.0.1:1\"", "listen"),
        ("SMTP_URL = \"smtp://x\"", "smtp_url"),
        ("listen = 8080", "listen must be a text"),
        ("listen = \"8080\"", "an address and a port"),
        ("public_url = \"shop.example\"", "https://"),
        ("listen = ", "is not TOML"),
    ];
    for (line, told) in rows {
        let folder = Directory::new();
        fs::write(folder.path().join("latchkey.toml"), line).unwrap();
        let finished = process::run(folder.path(), &["serve", "--json"], "");
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{line}: {}", finished.stderr);
        assert!(finished.stderr.contains(told), "{line}: {}", finished.stderr);
    }
    let folder = Directory::new();
    for (arguments, told) in [
        (&["serv"] as &[&str], "serve"),
        (&["serve", "--lisen", "127.0.0.1:1"], "--listen"),
        (&["serve", "--listen", "nowhere"], "nowhere"),
        (&["serve", "--config", "missing.toml"], "missing.toml"),
        (&["apply", "missing.toml", "--data", "data"], "missing.toml"),
    ] {
        let finished = process::run(folder.path(), arguments, "");
        assert!(matches!(finished.code, Some(1 | 2)), "{arguments:?}: {:?}", finished.code);
        assert!(finished.stderr.contains(told), "{arguments:?}: {}", finished.stderr);
    }
}

/// A shop file that is wrong changes nothing, and says where.
#[test]
fn a_shop_file_that_is_wrong_is_told_and_changes_nothing() {
    let folder = Directory::new();
    let (mut server, _) =
        Process::start(folder.path(), &["serve", "--json", "--listen", "127.0.0.1:0", "--data", "data"]);
    assert_eq!(server.terminate(), Some(0));
    for (line, told) in [
        ("[shop]\nnmae = \"x\"", "nmae"),
        ("[shop]\nmode = \"test\"", "live or sandbox"),
        ("[[product]]\nslug = \"Big Slug\"\nname = \"x\"", "slug"),
        (
            "[[product]]\nslug = \"x\"\nname = \"x\"\n[[product.plan]]\nslug = \"y\"\nname = \"y\"\nprices = { EUR = \"49.005\" }",
            "49.005",
        ),
        (
            "[[product]]\nslug = \"x\"\nname = \"x\"\n[[product.plan]]\nslug = \"y\"\nname = \"y\"\nprices = { EURO = \"49\" }",
            "EURO",
        ),
        (
            "[[product]]\nslug = \"x\"\nname = \"x\"\n[[product.plan]]\nslug = \"y\"\nname = \"y\"\nprices = { EUR = \"-1\" }",
            "below zero",
        ),
    ] {
        fs::write(folder.path().join("shop.toml"), line).unwrap();
        let finished = process::run(folder.path(), &["apply", "shop.toml", "--json", "--data", "data"], "");
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{line}: {}", finished.stderr);
        assert!(finished.stderr.contains(told), "{line}: {}", finished.stderr);
    }
    fs::write(folder.path().join("shop.toml"), SHOP_FILE).unwrap();
    let changed =
        process::run(folder.path(), &["apply", "shop.toml", "--json", "--data", "data", "--dry-run"], "").result();
    assert_eq!(list(&changed["changed"]).len(), 4, "{changed}");
}

/// On a terminal, for clap colours nothing that is piped.
#[test]
fn no_color_is_obeyed_and_a_pipe_is_never_coloured() {
    let folder = Directory::new();
    let on_a_terminal = |variables: &[(&str, &str)], arguments: &str| {
        let program = format!("{} {arguments}", env!("CARGO_BIN_EXE_latchkey"));
        let mut command = Command::new("script");
        command
            .args(["-qec", &program, "/dev/null"])
            .current_dir(folder.path())
            .env_remove("NO_COLOR")
            .env("TERM", "xterm");
        let output = command.envs(variables.iter().copied()).output().expect("script");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for arguments in ["--help", "serve --lisen x", "doctor --data nowhere"] {
        let plain = on_a_terminal(&[("NO_COLOR", "1")], arguments);
        assert!(!plain.contains('\u{1b}'), "{arguments}: {plain:?}");
        let piped = process::run(folder.path(), &arguments.split(' ').collect::<Vec<_>>(), "");
        assert!(!format!("{}{}", piped.stdout, piped.stderr).contains('\u{1b}'), "{arguments}");
    }
    assert!(on_a_terminal(&[], "--help").contains('\u{1b}'), "nothing was coloured that NO_COLOR could forbid");
}
