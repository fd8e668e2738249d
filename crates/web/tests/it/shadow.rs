//! Shadow mode: two systems with the same licenses, an app that asks one of them, and what is listed of the other.
//!
//! The old system is a second shop on a socket, or a server that answers what the test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use domain::{Compat, ForeignSystem, ShadowOutcome};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tower::ServiceExt as _;
use web::Limits;

use crate::compat::{Asked, DODO, EDD, LEMON_SQUEEZY, POLAR};
use crate::keygen::{self, KEY, LICENSE};
use crate::support::World;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Longer than any answer on this machine takes, and never waited for.
const PATIENT: Duration = Duration::from_secs(30);

/// The shop that takes over, with the old system beside it.
struct Beside {
    world: World,
    site: web::Site,
}

/// An answer as its bytes came.
struct Told {
    status: u16,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

impl Beside {
    async fn new(world: World, system: ForeignSystem, base: String, patience: Duration) -> Self {
        let limits = Limits { shadow_deadline: patience, ..Limits::default() };
        let site = web::site_within(web::Web { app: Arc::clone(&world.app), mailbox: None }, &limits, None);
        let beside = Self { world, site };
        let hosts = [("licensing.example".to_owned(), system)].into();
        beside.answers(Compat { hosts, shadow: [(system, base)].into(), ..Compat::default() }).await;
        beside
    }

    /// The old system is a shop of ours with that export, this one a shop with this.
    async fn of_exports(system: ForeignSystem, here: &str, there: &str) -> (Self, Asked) {
        let there = Asked::new(system, there).await;
        let base = format!("{}/compat/{}", there.world.app.settings.public_url, system.as_str());
        let here = Asked::new(system, here).await;
        (Self::new(here.world, system, base, PATIENT).await, there)
    }

    async fn answers(&self, compat: Compat) {
        let app = &self.world.app;
        let shop = app.shop(self.world.shop.id).await.unwrap();
        let shop = domain::Shop { compat, ..shop.as_ref().clone() };
        app.write(&domain::Changes { shops: vec![shop], ..Default::default() }).await.unwrap();
        app.refresh_shops().await.unwrap();
    }

    fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(Body::from(body.to_owned())).unwrap()
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let response = self.site.clone().oneshot(Self::request(method, path, headers, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        Told { status: parts.status.as_u16(), headers: parts.headers, bytes: to_bytes(body, usize::MAX).await.unwrap() }
    }

    async fn post(&self, path: &str, kind: &str, body: &str) -> (u16, Value) {
        let headers = [("host", "shop.example"), ("content-type", kind), ("polar-version", "2027-01")];
        let told = self.send("POST", path, &headers, body).await;
        // What goes on behind an answer is over, so that the next one has nothing of it.
        self.world.app.holds_nothing().await;
        (told.status, told.json())
    }

    /// Every difference as a line, and how many answers were equal, different and unanswered.
    async fn listed(&self) -> (Vec<String>, [u64; 3]) {
        let app = &self.world.app;
        app.holds_nothing().await;
        app.write_shadows().await.unwrap();
        let found = app.store.shadow_differences(self.world.shop.id, 1_000).await.unwrap();
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
        let mut lines: Vec<String> = found
            .iter()
            .map(|one| {
                let kind = one.kind.as_str();
                format!("{} {} {kind} {} {}", one.call, one.pointer, side(&one.ours), side(&one.theirs))
            })
            .collect();
        lines.sort_unstable();
        let counts = app.store.shadow_counts(self.world.shop.id).await.unwrap();
        let times = |outcome| counts.iter().filter(|count| count.outcome == outcome).map(|count| count.times).sum();
        (lines, ShadowOutcome::ALL.map(times))
    }
}

/// What the old system was asked.
#[derive(Clone)]
struct Heard {
    method: String,
    target: String,
    headers: HeaderMap,
    body: String,
}

/// An old system that answers the same to everything. Gives its address, what it hears, and what keeps it alive.
async fn old(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> (String, Arc<Mutex<Vec<Heard>>>) {
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let told = Arc::clone(&heard);
    let answer = move |request: Request| async move {
        let (parts, asked) = request.into_parts();
        let asked = to_bytes(asked, usize::MAX).await.unwrap();
        told.lock().unwrap().push(Heard {
            method: parts.method.to_string(),
            target: parts.uri.to_string(),
            headers: parts.headers,
            body: String::from_utf8(asked.to_vec()).unwrap(),
        });
        let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
        response.headers_mut().remove(header::CONTENT_TYPE);
        for (name, value) in headers {
            response.headers_mut().append(*name, value.parse().unwrap());
        }
        response
    };
    (serve(Router::new().fallback(answer)).await, heard)
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (_stop, stopped) = watch::channel(false);
        web::serve(listener, router, Limits::default(), stopped).await
    });
    base
}

const POLAR_PATH: &str = "/compat/polar/v1/customer-portal/license-keys";

fn polar(more: &Value) -> String {
    let mut body = json!({
        "key": "LUMEN-1C285B2D-6CE6-4BC7-B8BE-ADB6A7E304DA",
        "organization_id": "22222222-2222-4222-8222-222222222222",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

#[tokio::test]
async fn an_app_takes_a_seat_asks_and_gives_it_back_and_both_systems_go_on_in_step() {
    let (beside, there) = Beside::of_exports(ForeignSystem::Polar, POLAR, POLAR).await;
    let ask = async |call: &str, more: Value| beside.post(&format!("{POLAR_PATH}/{call}"), JSON, &polar(&more)).await;
    let old = json!({ "activation_id": "55555555-5555-4555-8555-555555555555" });
    assert_eq!(ask("validate", old).await.0, 200);
    let (status, taken) = ask("activate", json!({ "label": "New Mac", "meta": { "os": "15" } })).await;
    assert_eq!(status, 200, "{taken}");
    let new = json!({ "activation_id": taken["id"] });
    assert_eq!(ask("validate", new.clone()).await.0, 200);
    assert_eq!(ask("activate", json!({ "label": "Third" })).await.0, 403, "two is all there is, on either side");
    assert_eq!(ask("validate", json!({ "activation_id": "no-uuid" })).await.0, 422);
    assert_eq!(beside.listed().await, (vec![], [5, 0, 0]));

    // Their id is known here: what the app asks from now on, it may ask us alone.
    let shadow = beside.world.app.shop(beside.world.shop.id).await.unwrap().compat.clone();
    beside.answers(Compat::default()).await;
    assert_eq!(ask("validate", new.clone()).await.1["activation"]["label"], "New Mac");
    beside.answers(shadow).await;
    assert_eq!(ask("deactivate", new.clone()).await.0, 204);
    assert_eq!(ask("validate", new.clone()).await.0, 404);
    assert_eq!(beside.listed().await, (vec![], [7, 0, 0]));
    let direct = there.post(&format!("{POLAR_PATH}/validate"), JSON, &polar(&new)).await;
    assert_eq!(direct.0, 404, "the old system gave the seat back as well");
    let metrics = beside.world.app.exposition().await;
    let counted = "latchkey_shadow_answers_total{system=\"polar\",outcome=\"equal\"} 7";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn a_limit_a_state_and_a_missing_license_are_listed_without_keys_and_names() {
    let here = LEMON_SQUEEZY
        .replace("\"activation_limit\":2", "\"activation_limit\":5")
        .replace(
            "80e15db5-c796-436b-850c-8f9c98a48abe\",\"activation_limit\":1,\"instances_count\":0,\"disabled\":1",
            "80e15db5-c796-436b-850c-8f9c98a48abe\",\"activation_limit\":1,\"instances_count\":0,\"disabled\":0",
        )
        .replace("expired-key", "another-key");
    let (beside, _there) = Beside::of_exports(ForeignSystem::LemonSqueezy, &here, LEMON_SQUEEZY).await;
    let path = "/compat/lemon_squeezy/v1/licenses/validate";
    let (status, told) = beside.post(path, FORM, "license_key=38b1460a-5104-4067-a91d-77b872934d51").await;
    assert_eq!((status, &told["license_key"]["activation_limit"]), (200, &json!(2)), "the app hears the old system");
    let call = "POST /v1/licenses/validate";
    let (lines, counts) = beside.listed().await;
    let lines: Vec<String> = lines.into_iter().map(|line| line.replace(call, "")).collect();
    // A variant was never named in the export, so each has a number of its own.
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], " /license_key/activation_limit other_value 5 2");
    assert!(lines[1].starts_with(" /meta/variant_id other_value "), "{lines:?}");
    assert_eq!(counts, [0, 1, 0]);

    let (status, _) = beside.post(path, FORM, "license_key=80e15db5-c796-436b-850c-8f9c98a48abe").await;
    assert_eq!(status, 400, "disabled there");
    let (lines, _) = beside.listed().await;
    for line in ["status other_value 200 400", "/license_key/status other_value \"inactive\" \"disabled\""] {
        assert!(lines.contains(&format!("{call} {line}")), "{line}: {lines:?}");
    }

    beside.world.app.store.clear_shadow(beside.world.shop.id, ForeignSystem::LemonSqueezy).await.unwrap();
    let (status, _) = beside.post(path, FORM, "license_key=expired-key").await;
    assert_eq!(status, 400, "expired there");
    assert_eq!(
        beside.listed().await,
        (
            vec![
                // Sentences are compared, and not told.
                format!("{call} /error other_value - -"),
                format!("{call} status other_value 404 400"),
            ],
            [0, 1, 0]
        )
    );
}

#[tokio::test]
async fn a_seat_that_the_old_system_refuses_is_not_kept_here() {
    let there = DODO.replace("\"activations_limit\":2", "\"activations_limit\":1");
    let (beside, _there) = Beside::of_exports(ForeignSystem::Dodo, DODO, &there).await;
    let path = "/compat/dodo/licenses/activate";
    let body = r#"{"license_key":"DODO-1","name":"New Mac"}"#;
    for _ in 0..3 {
        assert_eq!(beside.post(path, JSON, body).await.0, 422);
    }
    let (lines, counts) = beside.listed().await;
    assert_eq!(lines, ["POST /licenses/activate status other_value 201 422"], "ours has room each time");
    assert_eq!(counts, [0, 3, 0]);
    beside.answers(Compat::default()).await;
    assert_eq!(beside.post(path, JSON, body).await.0, 201, "the second seat is free");
    assert_eq!(beside.post(path, JSON, body).await.0, 422);
}

#[tokio::test]
async fn a_site_of_edd_goes_on_in_step_by_its_address() {
    let (beside, _there) = Beside::of_exports(ForeignSystem::Edd, EDD, EDD).await;
    let key = "license=cc22c1ec86304b36883440e2e84cddff&item_id=8&url=https%3A%2F%2Fnew.example.com";
    for (action, word) in
        [("check_license", "site_inactive"), ("activate_license", "valid"), ("deactivate_license", "deactivated")]
    {
        let path = format!("/compat/edd/?edd_action={action}&{key}");
        let told = beside.send("GET", &path, &[("host", "shop.example")], "").await;
        beside.world.app.holds_nothing().await;
        assert_eq!((told.status, &told.json()["license"]), (200, &json!(word)), "{action}");
    }
    assert_eq!(beside.listed().await, (vec![], [3, 0, 0]));
}

#[tokio::test]
async fn the_bytes_and_signatures_of_keygen_go_through_as_they_are() {
    let signed = &[
        ("content-type", "application/vnd.api+json; charset=utf-8"),
        (
            "keygen-signature",
            "keyid=\"a\", algorithm=\"ed25519\", signature=\"c2ln\", headers=\"(request-target) host date digest\"",
        ),
        ("digest", "sha-256=abc"),
        ("keygen-digest", "sha-256=abc"),
        ("date", "Sun, 24 Jan 2021 14:15:07 GMT"),
        ("keygen-date", "Sun, 24 Jan 2021 14:15:07 GMT"),
        ("keygen-version", "1.9"),
        ("set-cookie", "console=stolen"),
    ];
    let bytes = "{ \"errors\" :[ ]}\n";
    let (base, heard) = old(404, signed, bytes).await;
    let asked = keygen::Asked::new().await;
    let beside = Beside::new(asked.world, ForeignSystem::Keygen, base, PATIENT).await;
    let shown = format!("License {KEY}");
    let target = "/v1/accounts/demo/licenses/actions/validate-key?a=b%20c";
    let headers = [
        ("host", "licensing.example"),
        ("content-type", "application/vnd.api+json"),
        ("accept", "application/vnd.api+json"),
        ("authorization", shown.as_str()),
        ("user-agent", "Lumen/4.2"),
        ("keygen-version", "1.9"),
        ("cookie", "console=mine"),
    ];
    let told = beside.send("POST", target, &headers, "{\"meta\":1}").await;
    assert_eq!((told.status, &*told.bytes), (404, bytes.as_bytes()));
    for (name, value) in signed.iter().filter(|(name, _)| *name != "set-cookie") {
        assert_eq!(told.headers[*name], *value);
    }
    assert!(told.headers.get("set-cookie").is_none(), "a cookie of theirs would be one of ours");
    assert_eq!(told.headers["access-control-allow-origin"], "*");
    beside.world.app.holds_nothing().await;
    let asked = heard.lock().unwrap().remove(0);
    assert_eq!((asked.method.as_str(), asked.target.as_str(), asked.body.as_str()), ("POST", target, "{\"meta\":1}"));
    for (name, value) in headers.iter().filter(|(name, _)| !["host", "cookie"].contains(name)) {
        assert_eq!(asked.headers[*name], *value);
    }
    assert_eq!(asked.headers["x-forwarded-host"], "licensing.example", "the name that is signed");
    assert!(asked.headers.get("cookie").is_none());

    // Under our own name as well, where no other name is signed.
    let headers = [("host", "shop.example"), ("authorization", &*shown)];
    assert_eq!(beside.send("GET", "/compat/keygen/v1/me?a=b", &headers, "").await.status, 404);
    beside.world.app.holds_nothing().await;
    let asked = heard.lock().unwrap().remove(0);
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("GET", "/v1/me?a=b"));
    assert!(asked.headers.get("x-forwarded-host").is_none());

    // What comes back to where it was sent from is answered there.
    let headers = [("host", "licensing.example"), ("via", "1.1 latchkey-shadow"), ("authorization", &*shown)];
    let told = beside.send("GET", "/v1/me", &headers, "").await;
    assert_eq!((told.status, told.json()["data"]["id"].as_str()), (200, Some(LICENSE)));
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_machine_of_keygen_is_found_here_under_the_id_that_keygen_gave_it() {
    const MACHINE: &str = "20000000-0000-4000-8000-00000000abcd";
    let (base, _heard) = old(
        201,
        &[("content-type", "application/vnd.api+json")],
        r#"{"data":{"id":"20000000-0000-4000-8000-00000000abcd"}}"#,
    )
    .await;
    let asked = keygen::Asked::new().await;
    let beside = Beside::new(asked.world, ForeignSystem::Keygen, base, PATIENT).await;
    let shown = format!("License {KEY}");
    let headers = [("host", "licensing.example"), ("authorization", &*shown)];
    let body = keygen::machine(LICENSE, "CC:DD").to_string();
    assert_eq!(beside.send("POST", "/v1/machines", &headers, &body).await.status, 201);
    let (lines, _) = beside.listed().await;
    assert!(!lines.iter().any(|line| line.contains("/data/id ")), "ours has the same id: {lines:?}");
    assert!(lines.contains(&"POST /v1/machines /data/attributes only_here - -".to_owned()), "{lines:?}");
    beside
        .answers(Compat {
            hosts: [("licensing.example".to_owned(), ForeignSystem::Keygen)].into(),
            ..Compat::default()
        })
        .await;
    let path = format!("/v1/machines/{MACHINE}");
    let told = beside.send("GET", &path, &headers, "").await;
    assert_eq!((told.status, told.json().pointer("/data/attributes/fingerprint")), (200, Some(&json!("CC:DD"))));
    assert_eq!(beside.send("DELETE", &path, &headers, "").await.status, 204);
}

#[tokio::test]
async fn where_the_old_system_gives_no_answer_ours_goes_out() {
    // A port that was just free, and where nobody listens; one that takes the call and never answers; one that is ill.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (ill, heard) = old(503, &[], "come again").await;
    let short = Duration::from_millis(50);
    for (base, patience) in [
        (format!("http://{closed}"), PATIENT),
        (format!("http://{}", silent.local_addr().unwrap()), short),
        (ill, PATIENT),
    ] {
        let here = Asked::new(ForeignSystem::Dodo, DODO).await;
        let beside = Beside::new(here.world, ForeignSystem::Dodo, base, patience).await;
        let body = r#"{"license_key":"DODO-1","license_key_instance_id":"lki_1"}"#;
        let told = beside.post("/compat/dodo/licenses/validate", JSON, body).await;
        assert_eq!(told, (200, json!({ "valid": true })));
        assert_eq!(beside.listed().await, (vec![], [0, 0, 1]));
    }
    assert_eq!(heard.lock().unwrap().len(), 1, "it was asked");
}

#[tokio::test]
async fn an_app_that_hangs_up_leaves_both_systems_in_step() {
    let (arrived, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at_the_door, opened) = (Arc::clone(&arrived), Arc::clone(&go));
    let base = serve(Router::new().fallback(move || async move {
        at_the_door.notify_one();
        opened.notified().await;
        (StatusCode::CREATED, r#"{"id":"lki_there"}"#)
    }))
    .await;
    let here = Asked::new(ForeignSystem::Dodo, DODO).await;
    let beside = Beside::new(here.world, ForeignSystem::Dodo, base, PATIENT).await;
    let body = r#"{"license_key":"DODO-1","name":"New Mac"}"#;
    let request = Beside::request(
        "POST",
        "/compat/dodo/licenses/activate",
        &[("host", "shop.example"), ("content-type", JSON)],
        body,
    );
    let asking = beside.site.clone().oneshot(request);
    tokio::select! {
        _ = asking => panic!("the old system has not answered"),
        () = arrived.notified() => {}
    }
    // The request is gone with the branch that was not taken.
    go.notify_one();
    beside.world.app.holds_nothing().await;
    beside.answers(Compat::default()).await;
    let body = r#"{"license_key":"DODO-1","license_key_instance_id":"lki_there"}"#;
    let told = beside.post("/compat/dodo/licenses/validate", JSON, body).await;
    assert_eq!(told, (200, json!({ "valid": true })));
}

#[tokio::test]
async fn the_console_shows_what_differs_and_leads_there_while_an_old_system_is_asked() {
    let here = DODO.replace("\"DODO-1\"", "\"SOLD-HERE\"");
    let (beside, _there) = Beside::of_exports(ForeignSystem::Dodo, &here, DODO).await;
    let mut staff = beside.world.staff().await;
    let page = staff.get("/console/shadow").await.is(StatusCode::OK);
    assert!(page.has("No app has asked yet.") && page.has("No differences."), "{}", page.text);
    let body = r#"{"license_key":"DODO-1"}"#;
    assert_eq!(beside.post("/compat/dodo/licenses/validate", JSON, body).await, (200, json!({ "valid": true })));
    assert_eq!(beside.listed().await.0, ["POST /licenses/validate /valid other_value false true"]);
    let page = staff.get("/console/shadow").await;
    for text in ["1 answers compared: 0 equal, 1 different.", "POST /licenses/validate", "/valid", "Another value"] {
        assert!(page.has(text), "{text}: {}", page.text);
    }
    assert!(!page.has("DODO-1"));
    let link = "href=\"/console/shadow\"";
    assert!(staff.get("/console").await.has(link));
    beside.answers(Compat::default()).await;
    assert!(!staff.get("/console").await.has(link), "nothing leads to what is not there");
}
