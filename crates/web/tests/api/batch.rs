//! Licenses that nobody pays for, and tables for other programs.

use domain::Scope;
use serde_json::json;

use crate::caller::{Caller, orders};
use crate::support::World;

fn rows(csv: &str) -> Vec<Vec<&str>> {
    assert!(csv.ends_with("\r\n"), "{csv}");
    csv.lines().map(|line| line.split(',').collect()).collect()
}

#[tokio::test]
async fn a_batch_is_issued_once_and_its_keys_work() {
    let world = World::new().await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let wanted = json!({ "plan": "lumen-pro", "licenses": 203, "reason": "Spring giveaway" });
    let first = manager.post_once("/v1/licenses/batches", "spring", &wanted).await.is(201).json();
    let again = manager.post_once("/v1/licenses/batches", "spring", &wanted).await.is(201).json();
    assert_eq!(first, again, "asked twice it is issued once");
    assert_eq!((&first["licenses"], &first["issued"]), (&json!(203), &json!(203)));
    assert_eq!(orders(&world).await, 3, "a hundred in an order");
    let path = format!("/v1/licenses/batches/{}", first["id"].as_str().unwrap());
    assert_eq!(manager.get(&path).await.is(200).json(), first);

    let keys = manager.get(&format!("{path}/keys")).await.is(200);
    assert!(keys.header("content-type").starts_with("text/csv") && keys.header("cache-control") == "no-store");
    let keys = rows(&keys.text);
    assert_eq!((keys.len(), keys[0][0], keys[1][1]), (204, "key", ""));
    for row in [&keys[1], &keys[203]] {
        let ask = json!({ "key": row[0], "fingerprint": "desk" });
        let taken = app.post("/v1/licenses/activate", &ask).await.is(201).json();
        assert_eq!(taken["license"]["id"], row[2]);
    }
    let reader = Caller::with(&world, Scope::Read).await;
    reader.get(&format!("{path}/keys")).await.refused(403, "scope_missing");
    assert_eq!(reader.get(&path).await.is(200).json(), first);
    assert_eq!(store::report::broken_laws(&world.app.store).await, Ok(vec![]));
    let journal = whole_journal(&manager).await;
    assert!(journal.contains("Spring giveaway") && !journal.contains(keys[1][0]), "the journal says why, and no key");
}

/// Every page of the journal. What was written within one millisecond stands in it in any order.
async fn whole_journal(manager: &Caller) -> String {
    let mut pages = String::new();
    let mut path = "/v1/events?limit=100".to_owned();
    loop {
        let page = manager.get(&path).await.is(200);
        pages.push_str(&page.text);
        let page = page.json();
        if page["has_more"] == false {
            return pages;
        }
        let last = page["data"].as_array().unwrap().last().unwrap();
        path = format!("/v1/events?limit=100&starting_after={}", last["id"].as_str().unwrap());
    }
}

#[tokio::test]
async fn a_batch_that_was_cut_off_goes_on() {
    let world = World::new().await;
    let target = world.app.import_target(&world.shop, "lumen-pro").await.unwrap();
    let id = domain::BatchId::mint(world.app.clock.now(), &mut world.app.entropy.rng());
    let emails = |count: u32| (0..count).map(|number| format!("pupil-{number}@school.example").parse_email()).collect();
    let input = |licenses, emails| app::BatchInput {
        id,
        created_at: id.minted_at(),
        licenses,
        emails,
        is_mailed: true,
        reason: "A class".to_owned(),
        actor: domain::Actor::System,
    };
    // Some of it, by hand, as a process that dies leaves it; then the same call to the end, twice at once.
    let whole = input(0, emails(120));
    let mut told = Vec::new();
    let cut = world.app.issue_batch(&target, &whole, |done| {
        told.push(done);
    });
    let (one, other) = tokio::join!(cut, world.app.issue_batch(&target, &whole, |_| {}));
    assert_eq!((one.unwrap().issued, other.unwrap().issued), (120, 120));
    assert_eq!(told.last(), Some(&120));
    assert_eq!(world.app.issue_batch(&target, &whole, |_| {}).await.unwrap().issued, 120);
    let other = world.app.issue_batch(&target, &input(0, emails(3)), |_| {}).await;
    assert!(matches!(other, Err(app::Error::Refused(domain::Refusal::BatchDiffers))), "{other:?}");
    world.settle().await;
    let mails = world.mailbox.newest(500).await.unwrap();
    let received = mails.iter().filter(|mail| mail.subject.to_string().starts_with("Your license at")).count();
    assert_eq!(received, 120, "each is mailed once");
    assert_eq!(store::report::broken_laws(&world.app.store).await, Ok(vec![]));
}

trait ParseEmail {
    fn parse_email(&self) -> domain::Email;
}

impl ParseEmail for String {
    fn parse_email(&self) -> domain::Email {
        domain::Email::parse(self).unwrap()
    }
}

#[tokio::test]
async fn a_batch_that_cannot_be_issued_says_why() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let path = "/v1/licenses/batches";
    for (wanted, code) in [
        (json!({ "plan": "lumen-pro", "licenses": 1 }), "parameter_missing"),
        (json!({ "plan": "lumen-pro", "reason": "x" }), "parameter_invalid"),
        (json!({ "plan": "lumen-pro", "licenses": 0, "reason": "x" }), "parameter_invalid"),
        (json!({ "plan": "lumen-pro", "licenses": 1001, "reason": "x" }), "parameter_invalid"),
        (json!({ "plan": "lumen-pro", "licenses": 1, "emails": ["a@b.example"], "reason": "x" }), "parameter_invalid"),
        (json!({ "plan": "lumen-pro", "emails": ["ab.example"], "reason": "x" }), "email_invalid"),
        (json!({ "plan": "lumen-max", "licenses": 1, "reason": "x" }), "plan_unknown"),
    ] {
        manager.post(path, &wanted).await.refused(422, code);
    }
    let reader = Caller::with(&world, Scope::Read).await;
    let wanted = json!({ "plan": "lumen-pro", "licenses": 1, "reason": "x" });
    reader.post(path, &wanted).await.refused(403, "scope_missing");
    manager.get("/v1/licenses/batches/batch_1").await.refused(404, "not_found");
    assert_eq!(orders(&world).await, 0);
    // An address that stands twice, in any spelling, gets one.
    let wanted = json!({ "plan": "lumen-pro", "emails": ["Ada@example.com", "ada@example.com"], "reason": "x" });
    assert_eq!(manager.post(path, &wanted).await.is(201).json()["issued"], 1);
}

#[tokio::test]
async fn licenses_and_devices_are_tables_without_keys_and_without_formulas() {
    let world = World::new().await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let (_, order) = world.bought("lumen-pro", "1").await;
    let key = world.keys(&order).await.remove(0);
    let name = "=HYPERLINK(1)";
    let ask = json!({ "key": key, "fingerprint": "-2+3", "name": name });
    app.post("/v1/licenses/activate", &ask).await.is(201);
    let wanted = json!({ "plan": "lumen-pro", "licenses": 700, "reason": "many" });
    manager.post("/v1/licenses/batches", &wanted).await.is(201);
    let table = manager.get("/v1/exports/licenses").await.is(200);
    assert!(!table.text.contains(&key), "no key is told");
    let licenses = rows(&table.text);
    assert_eq!((licenses.len(), licenses[0].len()), (702, 16), "more than are read at a time, and a line of titles");
    let bought = licenses.iter().find(|row| row[2] == "ada@example.com").unwrap();
    assert_eq!((bought[6], bought[8]), ("active", "1"));
    let devices = manager.get("/v1/exports/activations").await.is(200);
    let devices = rows(&devices.text);
    assert_eq!((devices.len(), devices[1][2], devices[1][3]), (2, "'-2+3", "'=HYPERLINK(1)"));
    let checkout = Caller::with(&world, Scope::Checkout).await;
    for noun in ["licenses", "activations"] {
        checkout.get(&format!("/v1/exports/{noun}")).await.refused(403, "scope_missing");
        app.get(&format!("/v1/exports/{noun}")).await.refused(401, "api_key_invalid");
    }
}
