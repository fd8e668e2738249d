//! A shop on a real server: SQLite or PostgreSQL, catalog from a file, the simulated gateway connected.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use store::testing::{Directory, ask_on, postgres_database};

use super::gateway::{Gateway, SECRET_KEY, list};
use super::http::{Http, Reply, Sent};
use super::process::{self, Finished, Process};

/// What the rows are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// One product; `license` has five seats.
pub const SHOP_FILE: &str = include_str!("shop.toml");

/// A shop that serves.
pub struct Shop {
    pub server: Process,
    pub gateway: Arc<Gateway>,
    pub folder: Directory,
    pub url: String,
    pub account: String,
    pub hook_secret: String,
    pub api_key: String,
    pub http: Http,
    /// The address of the rows, when they are PostgreSQL's.
    pub database: Option<String>,
    /// The gateway's name of the address that it sends webhooks to.
    endpoint: String,
    /// What servers are started with, beside where the rows are.
    more: Vec<String>,
}

/// One of several servers on the same rows.
pub struct Node {
    pub process: Process,
    pub url: String,
}

impl Shop {
    /// A shop from nothing: start, catalog, gateway, key, and the server that goes on.
    pub async fn open(engine: Engine) -> Self {
        Self::open_with(engine, SHOP_FILE, SECRET_KEY).await
    }

    pub async fn open_with(engine: Engine, shop_file: &str, secret_key: &str) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(postgres_database().await),
        };
        Self::open_on(database, shop_file, secret_key).await
    }

    /// The same in this database.
    pub async fn open_on(database: Option<String>, shop_file: &str, secret_key: &str) -> Self {
        let gateway = Arc::new(Gateway::start());
        let reached_at = gateway.url.clone();
        Self::found(gateway, &reached_at, database, shop_file, secret_key).await
    }

    /// A shop whose plan `license` sells from the pool `codes`.
    pub async fn open_selling_codes(engine: Engine) -> Self {
        let pool = "[[pool]]\nslug = \"codes\"\nname = \"Codes\"\nlow_at = 1\n\n[[product]]";
        let from_pool = "name = \"License\"\nfulfilment = \"pool\"\npool = \"codes\"";
        let file = SHOP_FILE.replacen("[[product]]", pool, 1).replacen("name = \"License\"", from_pool, 1);
        Self::open_with(engine, &file, SECRET_KEY).await
    }

    /// A shop on this database that reaches its gateway at this address.
    pub async fn found(
        gateway: Arc<Gateway>,
        reached_at: &str,
        database: Option<String>,
        shop_file: &str,
        secret_key: &str,
    ) -> Self {
        let folder = Directory::new();
        let (mut server, url) = serve(&folder, database.as_deref(), "127.0.0.1:0", &[]).expect("the server starts");
        assert_eq!(server.terminate(), Some(0), "{}", server.told());
        std::fs::write(folder.path().join("shop.toml"), shop_file).expect("the shop file");
        // The gateway names the secret when it learns an address, and the shop has one when it knows the secret.
        let endpoint = gateway
            .call("/v1/webhook_endpoints", &[("url", "http://127.0.0.1:9/later"), ("enabled_events[]", "*")])
            .await;
        let hook_secret = text(&endpoint["secret"]);
        let run = |arguments: &[&str], input: &str| {
            let arguments = with_storage(arguments, &folder, database.as_deref());
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            process::run(folder.path(), &arguments, input).result()
        };
        run(&["apply", "shop.toml"], "");
        let credentials =
            json!({ "secret_key": secret_key, "webhook_secret": hook_secret, "base_url": reached_at }).to_string();
        let account = text(&run(&["gateways", "connect", "stripe"], &credentials)["gateway_account"]);
        let api_key = text(&run(&["api-key", "storm"], "")["api_key"]);
        let path = format!("/v1/webhook_endpoints/{}", text(&endpoint["id"]));
        gateway.call(&path, &[("url", &format!("{url}/hooks/{account}"))]).await;
        let (server, url) = serve(&folder, database.as_deref(), url.trim_start_matches("http://"), &[])
            .expect("the server starts again");
        let endpoint = text(&endpoint["id"]);
        let (http, more) = (Http::new(), Vec::new());
        Self { server, gateway, folder, url, account, hook_secret, api_key, http, database, endpoint, more }
    }

    /// Buyers and the gateway come to this address from now on: something else stands in front.
    pub async fn reached_at(&mut self, url: &str) {
        self.url = url.to_owned();
        let path = format!("/v1/webhook_endpoints/{}", self.endpoint);
        self.gateway.call(&path, &[("url", &self.hook_url())]).await;
    }

    /// Another server on the same rows, at a port of its own or at the one that is named, with these flags.
    pub fn node(&self, listen: &str, more: &[&str]) -> Node {
        let (process, url) =
            serve(&self.folder, self.database.as_deref(), listen, more).unwrap_or_else(|told| panic!("a node: {told}"));
        Node { process, url }
    }

    /// Starts servers with these flags from now on.
    pub fn start_with(&mut self, more: &[&str]) {
        self.more = more.iter().map(|flag| (*flag).to_owned()).collect();
    }

    /// A shop whose server reads these lines as its `latchkey.toml`.
    pub async fn open_within(engine: Engine, settings: &str) -> Self {
        let mut shop = Self::open(engine).await;
        std::fs::write(shop.folder.path().join("latchkey.toml"), settings).expect("the settings");
        assert_eq!(shop.server.terminate(), Some(0), "{}", shop.server.told());
        shop.start().expect("the server starts with its settings");
        shop
    }

    pub fn hook_url(&self) -> String {
        format!("{}/hooks/{}", self.url, self.account)
    }

    /// Starts the server again where it was, with what it left.
    ///
    /// # Errors
    /// With what it said when it would not.
    pub fn start(&mut self) -> Result<(), String> {
        let more: Vec<&str> = self.more.iter().map(String::as_str).collect();
        let listen = self.url.trim_start_matches("http://");
        let (server, _) = serve(&self.folder, self.database.as_deref(), listen, &more)?;
        self.server = server;
        Ok(())
    }

    /// From now on the shop is kept in this database; without one, in its data folder.
    pub fn keep_in(&mut self, database: Option<String>) {
        self.database = database;
    }

    /// The database, where it is not a file in the data folder.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// A command line with what says where the shop's rows are.
    pub fn arguments(&self, arguments: &[&str]) -> Vec<String> {
        with_storage(arguments, &self.folder, self.database.as_deref())
    }

    /// Runs another command on the shop's rows.
    pub fn run(&self, arguments: &[&str], input: &str) -> Finished {
        let arguments = with_storage(arguments, &self.folder, self.database.as_deref());
        process::run(self.folder.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>(), input)
    }

    /// Doctor's word: its exit code and what it found.
    pub fn doctor(&self) -> (Option<i32>, Value) {
        let finished = self.run(&["doctor"], "");
        (finished.code, finished.only_object())
    }

    /// What a program or a browser needs to reach the shop; it stays true while the server is killed.
    pub fn door(&self) -> Door {
        Door { http: self.http.clone(), url: self.url.clone(), api_key: self.api_key.clone() }
    }

    /// A browser that is signed in to the console: its cookie.
    pub async fn console(&self) -> String {
        let link = text(&self.run(&["console-link"], "").result()["console"]);
        let query = link.split_once('?').expect("a link with a token").1;
        let fields: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let entered =
            self.http.post_form(&format!("{}/console/enter", self.url), &[], &fields).await.expect("the console");
        assert_eq!(entered.status, 303, "{}", entered.body);
        entered.cookies()
    }
}

/// The way in for programs and buyers.
#[derive(Clone)]
pub struct Door {
    pub http: Http,
    pub url: String,
    pub api_key: String,
}

/// A checkout that was opened, with the page of the till.
#[derive(Debug, Clone)]
pub struct Opened {
    pub order: String,
    pub till: String,
}

/// A payment page that the till led to.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// Where to pay, or the order's page when the gateway did not answer.
    pub page: String,
    pub cookies: String,
}

impl Door {
    fn bearer(&self) -> String {
        format!("Bearer {}", self.api_key)
    }

    pub async fn api_get(&self, path: &str) -> Sent {
        self.http.get(&format!("{}{path}", self.url), &[("authorization", &self.bearer())]).await
    }

    pub async fn api_post(&self, path: &str, idempotency_key: &str, body: &Value) -> Sent {
        let headers = [("authorization", self.bearer()), ("idempotency-key", idempotency_key.to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.http.post_json(&format!("{}{path}", self.url), &headers, body).await
    }

    /// Opens a checkout as a program does. The key makes it safe to send again.
    pub async fn open_checkout(&self, key: &str, plan: &str, quantity: u64, email: &str) -> Result<Opened, String> {
        let body = json!({ "plan": plan, "quantity": quantity, "currency": "EUR", "customer": { "email": email, "country": "DE" } });
        let reply = self.api_post("/v1/checkouts", key, &body).await?;
        if reply.status != 201 {
            return Err(format!("POST /v1/checkouts: {} {}", reply.status, reply.body));
        }
        let checkout = reply.json();
        Ok(Opened { order: text(&checkout["order"]), till: text(&checkout["url"]) })
    }

    /// Presses pay on the till, as a browser does.
    pub async fn submit(&self, opened: &Opened, email: &str) -> Result<Submitted, String> {
        let page = self.http.get(&opened.till, &[]).await?;
        self.press(&page, email).await
    }

    /// Presses pay on a page of the till that was looked at.
    pub async fn press(&self, page: &Reply, email: &str) -> Result<Submitted, String> {
        if let Some(to) = page.location() {
            return Ok(Submitted { page: self.absolute(to), cookies: page.cookies() });
        }
        let form = page
            .form_to(&["/checkout/", "/buy/"])
            .ok_or_else(|| format!("no form on the till: {} {}", page.status, page.body))?;
        let fields = form.filled(&[("email", email), ("country", "DE"), ("consent", "yes"), ("press", "pay")]);
        let reply = self.http.post_form(&self.absolute(&form.action), &[], &fields).await?;
        match reply.location() {
            Some(to) => Ok(Submitted { page: self.absolute(to), cookies: reply.cookies() }),
            None => Err(format!("the till answers {}: {}", reply.status, reply.body)),
        }
    }

    /// Buys so many with a good card and comes back; the order.
    pub async fn buy(&self, gateway: &Gateway, plan: &str, quantity: u64) -> Value {
        let (opened, _) = self.pay(gateway, plan, quantity).await;
        let back = format!("{}/orders/{}/return", self.url, opened.order);
        let returned = self.http.get(&back, &[]).await.expect("the return");
        assert!(matches!(returned.status, 200 | 303), "{} {}", returned.status, returned.body);
        self.order(&opened.order).await.expect("the order")
    }

    /// Pays with a good card and never comes back.
    pub async fn pay(&self, gateway: &Gateway, plan: &str, quantity: u64) -> (Opened, Submitted) {
        let email = "ada@example.org";
        let opened = self.open_checkout(&unique(), plan, quantity, email).await.expect("a checkout");
        let submitted = self.submit(&opened, email).await.expect("a payment page");
        let paid = gateway.pay_by_card(&submitted.page, super::gateway::GOOD_CARD).await.expect("the gateway");
        assert!(super::gateway::is_paid(&paid), "{} {}", paid.status, paid.body);
        (opened, submitted)
    }

    pub async fn order(&self, id: &str) -> Result<Value, String> {
        let reply = self.api_get(&format!("/v1/orders/{id}")).await?;
        if reply.status != 200 {
            return Err(format!("GET /v1/orders/{id}: {} {}", reply.status, reply.body));
        }
        Ok(reply.json())
    }

    /// Every order of the shop, page by page.
    pub async fn orders(&self) -> Result<Vec<Value>, String> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let after = all.last().map(|last| format!("&starting_after={}", text(&last["id"]))).unwrap_or_default();
            let reply = self.api_get(&format!("/v1/orders?limit=100{after}")).await?;
            if reply.status != 200 {
                return Err(format!("GET /v1/orders: {} {}", reply.status, reply.body));
            }
            let page = reply.json();
            all.extend(list(&page["data"]).iter().cloned());
            if page["has_more"] != true {
                return Ok(all);
            }
        }
    }

    fn absolute(&self, address: &str) -> String {
        if address.starts_with("http") { address.to_owned() } else { format!("{}{address}", self.url) }
    }
}

/// The text of a JSON value that must be one.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

/// A key that no other request has.
pub fn unique() -> String {
    static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    format!("test-{}-{}", std::process::id(), NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

fn with_storage(arguments: &[&str], folder: &Directory, database: Option<&str>) -> Vec<String> {
    let data = folder.path().join("data");
    let mut all: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    all.extend(["--json".to_owned(), "--data".to_owned(), data.to_str().expect("a path in UTF-8").to_owned()]);
    all.extend(database.into_iter().flat_map(|url| ["--database".to_owned(), url.to_owned()]));
    all
}

/// A port that was free a moment ago can be somebody's way out now, so a start that finds it taken is tried again.
fn serve(folder: &Directory, database: Option<&str>, listen: &str, more: &[&str]) -> Result<(Process, String), String> {
    let arguments: Vec<&str> = ["serve", "--listen", listen].iter().chain(more).copied().collect();
    let arguments = with_storage(&arguments, folder, database);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut tries = 0;
    loop {
        match Process::try_start(folder.path(), &arguments) {
            // What it calls itself may be the address of whoever stands in front.
            Ok((process, said)) => return Ok((process, format!("http://{}", text(&said["listen"])))),
            Err(told) if tries < 100 && told.contains("cannot listen") => {
                tries += 1;
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            Err(told) => return Err(told),
        }
    }
}

/// Which of these orders are not in this database of PostgreSQL, or not paid, or have not their one license.
pub async fn not_sold(database: &str, orders: &BTreeSet<String>) -> Vec<String> {
    let sold = ask_on(
        database,
        "select coalesce(string_agg(orders.id, ','), '') from orders where state = 'paid' and \
         (select count(*) from licenses where licenses.order_id = orders.id) = 1",
    )
    .await;
    let sold: BTreeSet<&str> = sold.split(',').collect();
    orders.iter().filter(|order| !sold.contains(order.as_str())).cloned().collect()
}
