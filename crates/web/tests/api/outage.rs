//! What is said while the database does not answer: never "no".

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use app::{App, Catalog, Clock, Entropy, Mailbox, NewShop, ReqwestHttp, Settings};
use axum::http::Method;
use domain::{Email, Mode, Scope, Seller, Timestamp};
use latchkey_license::{KeyCode, SignedKey, assemble_signed_key, signed_key_input};
use serde_json::{Value, json};
use store::testing::{Directory, sqlite_store};
use store::{
    Answer, CommitError, Engine, Migration, MigrationError, NoticeFilter, Page, ReadError, Rows, Statement, Store,
};

use crate::caller::{Caller, key_of_nobody, order_of};
use crate::hook::{SECRET, event, signature};

/// A database whose line can be cut.
struct Line {
    engine: Arc<dyn Engine>,
    is_cut: AtomicBool,
    /// Whether it breaks when a license gets a new key, once that is written.
    breaks_at_new_key: AtomicBool,
    /// What was read, by the name of its noun.
    read: Mutex<Vec<&'static str>>,
}

impl Line {
    fn new(engine: Arc<dyn Engine>) -> Self {
        let [is_cut, breaks_at_new_key] = [false; 2].map(AtomicBool::new);
        Self { engine, is_cut, breaks_at_new_key, read: Mutex::default() }
    }

    fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::SeqCst)
    }
}

impl Engine for Line {
    fn query(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        if self.is_cut() {
            return Box::pin(async { Err(ReadError::Unavailable("cut".to_owned())) });
        }
        self.read.lock().unwrap().extend(statements.iter().map(|statement| statement.what));
        self.engine.query(statements)
    }

    fn commit(&self, statements: Vec<Statement>) -> Answer<'_, Result<(), CommitError>> {
        if self.is_cut() {
            return Box::pin(async { Err(CommitError::Unavailable("cut".to_owned())) });
        }
        let breaks = statements.iter().any(|statement| statement.what == "signed key")
            && self.breaks_at_new_key.swap(false, Ordering::SeqCst);
        if breaks {
            return Box::pin(async move {
                let written = self.engine.commit(statements).await;
                self.is_cut.store(true, Ordering::SeqCst);
                written
            });
        }
        self.engine.commit(statements)
    }

    fn commit_returning(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, CommitError>> {
        if self.is_cut() {
            return Box::pin(async { Err(CommitError::Unavailable("cut".to_owned())) });
        }
        self.engine.commit_returning(statements)
    }

    fn migrate(&self, migrations: &'static [Migration]) -> Answer<'_, Result<Vec<i64>, MigrationError>> {
        self.engine.migrate(migrations)
    }

    fn name(&self) -> &'static str {
        self.engine.name()
    }
}

async fn shop_on_a_line() -> (Arc<App>, Arc<Line>, String, Directory) {
    let (store, directory) = sqlite_store().await;
    let line = Arc::new(Line::new(Arc::clone(store.engine())));
    let store = Store::new(Arc::clone(&line) as Arc<dyn Engine>, Arc::clone(store.vault()));
    let address = Email::parse("shop@lumen.example").unwrap();
    let app = App::start(
        store,
        Arc::new(ReqwestHttp::new().unwrap()),
        Arc::new(Mailbox::open(directory.path()).unwrap()),
        Clock::simulated(Timestamp::from_seconds(1_795_000_000)),
        Entropy::System,
        Catalog::new(None).unwrap(),
        Settings { public_url: "http://shop.test".to_owned(), mail_from: address },
    )
    .await
    .unwrap();
    let seller = Seller {
        legal_name: "Lumen".to_owned(),
        address: Vec::new(),
        email: "hello@lumen.example".to_owned(),
        tax_id: None,
    };
    let shop = NewShop {
        name: "Lumen".to_owned(),
        mode: Mode::Sandbox,
        seller,
        terms: String::new(),
        refund_policy: String::new(),
    };
    let shop = app.create_shop(shop).await.unwrap();
    app.create_sample_catalog(&shop).await.unwrap();
    let key = app.create_api_key(&shop, "test", Scope::Manage).await.unwrap().key;
    (app, line, key, directory)
}

#[tokio::test]
async fn a_mistyped_key_is_told_without_reading_a_row_and_a_whole_one_is_never_told_no() {
    let (app, line, _, _directory) = shop_on_a_line().await;
    let caller = Caller::stranger(&app);
    let key = key_of_nobody();
    let mistyped = {
        let mut symbols: Vec<char> = key.chars().collect();
        symbols[0] = if symbols[0] == '2' { '3' } else { '2' };
        symbols.into_iter().collect::<String>()
    };
    assert_eq!(caller.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json()["code"], "unknown");

    // The same key as a text that the shop has signed, and with another ending.
    let signed = signed_text(&app, &key);
    let ending = if signed.ends_with("AA==") { "AQ==" } else { "AA==" };
    let forged = format!("{}{ending}", &signed[..signed.len() - 4]);

    line.is_cut.store(true, Ordering::SeqCst);
    for call in ["validate", "activate", "deactivate", "heartbeat"] {
        let mut ask = json!({ "key": key, "fingerprint": "desk" });
        let path = format!("/v1/licenses/{call}");
        let unknown = caller.post(&path, &ask).await.refused(503, "unavailable");
        assert!(unknown.header("retry-after").parse::<u32>().is_ok() && unknown.json()["retryable"] == true);
        assert!(!unknown.text.contains("cut"), "what is wrong inside is not told outside");
        ask["key"] = json!(mistyped);
        let told = caller.post(&path, &ask).await;
        let told = if call == "validate" { told.is(200) } else { told.refused(404, "license_unknown") };
        assert!(told.json()["detail"].as_str().unwrap().contains("mistyped"), "{}", told.text);
        ask["key"] = json!(signed);
        caller.post(&path, &ask).await.refused(503, "unavailable");
        ask["key"] = json!(forged);
        let told = caller.post(&path, &ask).await;
        let told = if call == "validate" { told.is(200) } else { told.refused(403, "license_key_not_genuine") };
        assert!(told.json()["detail"].as_str().unwrap().contains("was changed"), "{}", told.text);
    }
}

fn signed_text(app: &App, key: &str) -> String {
    let now = app.clock.now();
    let says = SignedKey {
        key: KeyCode::parse(key).unwrap(),
        license: "lic_1".to_owned(),
        product: "prod_1".to_owned(),
        plan: "plan_1".to_owned(),
        issued_at: now.as_seconds(),
        expires_at: None,
        features: Vec::new(),
        feature_values: serde_json::Map::new(),
        seats: None,
        updates_until: None,
        trial: false,
    };
    let input = signed_key_input(app.signer().kid(now), &says);
    assemble_signed_key(&input, app.signer().sign_bytes(input.as_bytes(), now))
}

/// A license that was given away: its id and its key.
async fn given(caller: &Caller) -> (String, String) {
    let wanted = json!({ "plan": "lumen-pro", "licenses": 1, "reason": "A gift" });
    let batch = caller.post("/v1/licenses/batches", &wanted).await.is(201).json();
    let keys = caller.get(&format!("/v1/licenses/batches/{}/keys", batch["id"].as_str().unwrap())).await.is(200);
    let row: Vec<&str> = keys.text.lines().nth(1).unwrap().split(',').collect();
    (row[2].to_owned(), row[0].to_owned())
}

/// Asked once more it would be another one, and who has the first would have a key that is retired.
#[tokio::test]
async fn a_new_key_is_told_once_it_is_written_though_nothing_can_be_read_any_more() {
    let (app, line, key, _directory) = shop_on_a_line().await;
    let manager = Caller::stranger(&app).showing(&key);
    let (license, first) = given(&manager).await;
    let is_valid = async |key: &Value| {
        manager.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json()["code"] == "valid"
    };

    line.breaks_at_new_key.store(true, Ordering::SeqCst);
    let path = format!("/v1/licenses/{license}/key");
    let second = manager.post(&path, &json!({ "reason": "leaked" })).await.is(200).json()["key"].clone();
    assert!(line.is_cut.swap(false, Ordering::SeqCst));
    assert!(is_valid(&second).await && !is_valid(&json!(first)).await);

    line.breaks_at_new_key.store(true, Ordering::SeqCst);
    let form = format!("product_permalink=lumen&access_token={key}&license_key={}", second.as_str().unwrap());
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let rotated = manager.send(Method::PUT, "/compat/gumroad/v2/licenses/rotate", &headers, form.into_bytes()).await;
    let third = rotated.is(200).json()["purchase"]["license_key"].clone();
    assert!(line.is_cut.swap(false, Ordering::SeqCst));
    assert!(is_valid(&third).await && !is_valid(&second).await);
}

#[tokio::test]
async fn apps_of_another_system_ask_for_no_signed_key_where_none_is_sold() {
    let (app, line, key, _directory) = shop_on_a_line().await;
    let manager = Caller::stranger(&app).showing(&key);
    let (_, license_key) = given(&manager).await;
    line.read.lock().unwrap().clear();
    let asked = json!({ "meta": { "key": license_key } });
    let told = Caller::stranger(&app).post("/compat/keygen/v1/licenses/actions/validate-key", &asked).await.is(200);
    assert_eq!(told.json()["data"]["attributes"]["key"], json!(license_key));
    let read = line.read.lock().unwrap().clone();
    assert!(read.contains(&"order") && !read.contains(&"signed key"), "{read:?}");
}

#[tokio::test]
async fn a_webhook_that_cannot_be_stored_is_never_answered_with_200() {
    let (app, line, _, _directory) = shop_on_a_line().await;
    let shop = app.shops().await.remove(0);
    let credentials = json!({ "secret_key": "sk_test_1", "webhook_secret": SECRET, "base_url": "http://127.0.0.1:9" });
    let account = app.connect_gateway(&shop, "stripe", credentials.to_string()).await.unwrap();
    let caller = Caller::stranger(&app);
    let body = event("evt_1");
    let signed = signature(SECRET, app.clock.now().as_seconds(), &body);
    let headers = [("content-type", "application/json"), ("stripe-signature", signed.as_str())];
    let path = format!("/hooks/{}", account.id);
    let send = || caller.send(Method::POST, &path, &headers, body.clone());
    let stored = async || {
        let page = Page { starting_after: None, ending_before: None, limit: 100 };
        app.store.notices(shop.id, &NoticeFilter::default(), page).await.unwrap().data.len()
    };

    line.is_cut.store(true, Ordering::SeqCst);
    send().await.refused(503, "unavailable");
    line.is_cut.store(false, Ordering::SeqCst);
    assert_eq!(stored().await, 0);
    let taken = send().await.is(200).json();
    assert_eq!((&taken["events"], stored().await), (&json!(["ignored"]), 1), "the gateway comes again");
}

/// Asks until it says so: an answer is believed for a second, however many ask.
async fn says(caller: &Caller, status: u16) {
    let began = std::time::Instant::now();
    while caller.get("/readyz").await.status != status {
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "/readyz does not say {status}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn health_and_calls_tell_that_nothing_can_be_written() {
    let (app, line, key, _directory) = shop_on_a_line().await;
    let caller = Caller::stranger(&app).showing(&key);
    assert_eq!(caller.get("/readyz").await.is(200).json(), json!({ "status": "ready", "storage": "sqlite" }));
    line.is_cut.store(true, Ordering::SeqCst);
    caller.get("/livez").await.is(200);
    says(&caller, 503).await;
    caller.get("/v1/orders").await.refused(503, "unavailable");
    caller.post("/v1/checkouts", &order_of("lumen-pro")).await.refused(503, "unavailable");
    line.is_cut.store(false, Ordering::SeqCst);
    says(&caller, 200).await;
    caller.post("/v1/checkouts", &order_of("lumen-pro")).await.is(201);
}
