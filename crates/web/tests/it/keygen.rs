//! Keygen's apps against our endpoints: what they send, what they are told, and that every answer is signed.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use domain::{Duration, ForeignSystem, Matching, Metering, Policy, Scope, Seating};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::World;

const BASE: &str = "/compat/keygen/v1/";
pub(crate) const KEY: &str = "C1B6DE-39A6E3-DE1529-8559A0-4AF593-V3";
pub(crate) const LICENSE: &str = "10000000-0000-4000-8000-000000000001";
const MACHINE: &str = "20000000-0000-4000-8000-000000000001";
const PRODUCT: &str = "30000000-0000-4000-8000-000000000001";
const ACCOUNT: &str = "40000000-0000-4000-8000-000000000001";

/// A license as Keygen's API lists it; `number` is the end of its id.
fn license(number: u32, key: &str, attributes: &Value, machines: u32) -> Value {
    let mut own = json!({
        "key": key, "name": null, "expiry": null, "status": "ACTIVE", "uses": 0, "suspended": false, "scheme": null,
        "strict": false, "floating": true, "maxMachines": 2, "metadata": {}, "created": "2024-01-24T14:15:07.000Z",
    });
    own.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    json!({
        "id": format!("10000000-0000-4000-8000-{number:012}"),
        "type": "licenses",
        "attributes": own,
        "relationships": {
            "account": { "data": { "type": "accounts", "id": ACCOUNT } },
            "product": { "data": { "type": "products", "id": PRODUCT } },
            "policy": { "data": { "type": "policies", "id": "policy-a" } },
            "owner": { "data": { "type": "users", "id": "user-a" } },
            "machines": { "meta": { "count": machines } },
        },
    })
}

fn export() -> String {
    let mut ownerless = license(
        5,
        "NODE-LOCKED",
        &json!({ "floating": false, "maxMachines": null, "strict": true, "created": "2023-01-24T14:15:07.000Z" }),
        0,
    );
    ownerless["relationships"]["owner"]["data"] = Value::Null;
    let licenses = json!({ "data": [
        license(1, KEY, &json!({ "name": "Gold", "uses": 3, "metadata": { "tier": "gold", "places": 3 } }), 1),
        license(2, "SUSPENDED", &json!({ "suspended": true, "status": "SUSPENDED" }), 0),
        license(3, "EXPIRED", &json!({ "expiry": "2025-01-24T14:15:07.000Z", "status": "EXPIRED" }), 0),
        license(4, "BANNED", &json!({ "status": "BANNED" }), 0),
        ownerless,
    ]});
    let machines = json!({ "data": [{
        "id": MACHINE, "type": "machines",
        "attributes": { "fingerprint": "AA:BB", "name": "Old Mac", "hostname": "ada", "cores": 8,
            "metadata": { "seen": "yes" }, "created": "2024-02-24T14:15:07.000Z" },
        "relationships": { "license": { "data": { "type": "licenses", "id": LICENSE } } },
    }]});
    let component = json!({ "data": [{
        "id": "component-a", "type": "components", "attributes": { "fingerprint": "disk-1", "name": "DISK" },
        "relationships": { "machine": { "data": { "type": "machines", "id": MACHINE } } },
    }]});
    let users = json!({ "data": [{
        "id": "user-a", "type": "users", "attributes": { "fullName": "Ada Byron", "email": "ada@example.com" },
    }]});
    let entitlements = json!({ "license": LICENSE, "data": [
        { "id": "entitlement-a", "type": "entitlements", "attributes": { "name": "Export", "code": "EXPORT" } },
    ]});
    [licenses, machines, component, users, entitlements].map(|document| document.to_string()).join("\n")
}

pub(crate) struct Asked {
    pub(crate) world: World,
    public: Vec<u8>,
}

/// An answer whose signature was good.
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) body: Value,
    bytes: Vec<u8>,
    headers: axum::http::HeaderMap,
}

impl Asked {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let keys: Value = serde_json::from_str(&world.app.signer().jwks()).unwrap();
        let public = BASE64URL_NOPAD.decode(keys["keys"][0]["x"].as_str().unwrap().as_bytes()).unwrap();
        let asked = Self { world, public };
        assert_eq!(asked.import().await, (5, 0));
        // A second run of the same file finds everything where it is.
        assert_eq!(asked.import().await, (0, 5));
        let findings = asked.world.app.examine().await.unwrap();
        let broken: Vec<_> = findings.iter().filter(|finding| finding.severity == app::Severity::Broken).collect();
        assert!(broken.is_empty(), "{broken:?}");
        asked
    }

    /// How many are new, and how many were known.
    async fn import(&self) -> (usize, usize) {
        let app = &self.world.app;
        let target = app.import_target(&self.world.shop, "lumen-personal").await.unwrap();
        let lines = app::read_export(ForeignSystem::Keygen, export().as_bytes()).unwrap();
        let (mut new, mut known) = (0, 0);
        let count = |line: &app::ImportLine, outcome: &app::Imported| match outcome {
            app::Imported::New => new += 1,
            app::Imported::Known => known += 1,
            app::Imported::Refused(reason) => panic!("{}: {reason}", line.place),
        };
        app.import(&target, &lines, false, count).await.unwrap();
        app.name_plan(&target, ForeignSystem::Keygen, app::foreign_names(ForeignSystem::Keygen, &lines)).await.unwrap();
        (new, known)
    }

    /// Asks, with headers, and verifies the signature of the answer as the clients do.
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Told {
        self.ask_at("shop.example:8443", method, &format!("{BASE}{path}"), headers, body).await
    }

    async fn ask_at(&self, host: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &Value) -> Told {
        let mut request = Request::builder().method(method).uri(target).header(header::HOST, host);
        request = request.header(header::CONTENT_TYPE, "application/vnd.api+json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let site = web::site(web::Web { app: Arc::clone(&self.world.app), mailbox: None });
        let response = site.oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let text = |name: &str| parts.headers[name].to_str().unwrap().to_owned();
        let sum = format!("sha-256={}", BASE64.encode(digest(&SHA256, &bytes).as_ref()));
        assert_eq!([text("digest"), text("keygen-digest")], [sum.clone(), sum.clone()], "{method} {target}");
        assert_eq!(text("date"), text("keygen-date"));
        let signed = format!(
            "(request-target): {} {target}\nhost: {host}\ndate: {}\ndigest: {sum}",
            method.to_lowercase(),
            text("date")
        );
        let header = text("keygen-signature");
        let signature = header.split("signature=\"").nth(1).unwrap().split('"').next().unwrap();
        let signature = BASE64.decode(signature.as_bytes()).unwrap();
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        key.verify(signed.as_bytes(), &signature).unwrap_or_else(|_| panic!("{method} {target}: {header}"));
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Told { status: parts.status.as_u16(), body, bytes, headers: parts.headers }
    }

    /// Asks with a license key in the header.
    pub(crate) async fn with_key(&self, key: &str, method: &str, path: &str, body: &Value) -> Told {
        self.ask(method, path, &[("authorization", &format!("License {key}"))], body).await
    }

    async fn api_key(&self, scope: Scope) -> String {
        self.world.app.create_api_key(&self.world.shop, "keygen", scope).await.unwrap().key
    }

    /// The key of a license of a new plan with this policy.
    async fn sold(&self, slug: &str, policy: Policy) -> String {
        self.world.sells(slug, policy).await;
        let (_, order) = self.world.bought(slug, "1").await;
        self.world.keys(&order).await.remove(0)
    }
}

impl Told {
    /// Holds the answer against what is expected in it.
    fn is(&self, status: u16, expected: &[(&str, Value)]) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        for (pointer, value) in expected {
            assert_eq!(self.body.pointer(pointer), Some(value), "{pointer} of {}", self.body);
        }
        self
    }

    fn fails(&self, status: u16, code: &str, place: &str) {
        self.is(status, &[("/errors/0/code", json!(code))]);
        let source = self.body.pointer("/errors/0/source").cloned().unwrap_or(Value::Null);
        let found = source.as_object().and_then(|source| source.values().next()).and_then(Value::as_str);
        assert_eq!(found.unwrap_or_default(), place, "{}", self.body);
    }
}

pub(crate) fn machine(license: &str, fingerprint: &str) -> Value {
    json!({ "data": {
        "type": "machines",
        "attributes": { "fingerprint": fingerprint, "name": "New Mac", "platform": "macos", "cores": 4,
            "metadata": { "build": 7, "channel": "beta" } },
        "relationships": {
            "license": { "data": { "type": "licenses", "id": license } },
            "components": { "data": [{ "type": "components", "attributes": { "name": "DISK", "fingerprint": "d" } }] },
        },
    }})
}

#[tokio::test]
async fn keygen_apps_are_told_whether_their_license_works() {
    let asked = Asked::new().await;
    let told = asked
        .ask(
            "POST",
            "licenses/actions/validate-key",
            &[],
            &json!({ "meta": { "key": KEY, "nonce": 42, "scope": { "product": PRODUCT, "fingerprint": "AA:BB" } } }),
        )
        .await;
    told.is(
        200,
        &[
            ("/meta/valid", json!(true)),
            ("/meta/code", json!("VALID")),
            ("/meta/detail", json!("is valid")),
            ("/meta/nonce", json!(42)),
            ("/meta/scope/fingerprint", json!("AA:BB")),
            ("/data/id", json!(LICENSE)),
            ("/data/type", json!("licenses")),
            ("/data/attributes/key", json!(KEY)),
            ("/data/attributes/name", json!("Gold")),
            ("/data/attributes/status", json!("ACTIVE")),
            ("/data/attributes/uses", json!(3)),
            ("/data/attributes/maxMachines", json!(2)),
            ("/data/attributes/maxCores", json!(null)),
            ("/data/attributes/floating", json!(true)),
            ("/data/attributes/created", json!("2024-01-24T14:15:07.000Z")),
            ("/data/attributes/metadata", json!({ "tier": "gold", "places": 3 })),
            ("/data/relationships/account/data/id", json!(ACCOUNT)),
            ("/data/relationships/product/data/id", json!(PRODUCT)),
            ("/data/relationships/policy/data/id", json!("policy-a")),
            ("/data/relationships/machines/meta/count", json!(1)),
            ("/data/links/self", json!(format!("/v1/accounts/{ACCOUNT}/licenses/{LICENSE}"))),
        ],
    );

    let table: &[(&str, Value, bool, &str)] = &[
        (KEY, json!({}), true, "VALID"),
        (KEY, json!({ "product": "other" }), false, "PRODUCT_SCOPE_MISMATCH"),
        (KEY, json!({ "policy": "other" }), false, "POLICY_SCOPE_MISMATCH"),
        (KEY, json!({ "user": "ada@example.com" }), true, "VALID"),
        (KEY, json!({ "user": "user-a" }), true, "VALID"),
        (KEY, json!({ "user": "eve@example.com" }), false, "USER_SCOPE_MISMATCH"),
        (KEY, json!({ "entitlements": ["EXPORT", "edit", "EXPORT"] }), true, "VALID"),
        (KEY, json!({ "entitlements": ["EXPORT", "OTHER"] }), false, "ENTITLEMENTS_MISSING"),
        (KEY, json!({ "entitlements": [] }), false, "ENTITLEMENTS_SCOPE_EMPTY"),
        (KEY, json!({ "machine": MACHINE }), true, "VALID"),
        (KEY, json!({ "machine": LICENSE }), false, "MACHINE_SCOPE_MISMATCH"),
        (KEY, json!({ "fingerprint": "CC" }), false, "FINGERPRINT_SCOPE_MISMATCH"),
        (KEY, json!({ "fingerprints": ["CC", "AA:BB"] }), true, "VALID"),
        (KEY, json!({ "fingerprints": [] }), false, "FINGERPRINT_SCOPE_EMPTY"),
        (KEY, json!({ "fingerprint": "AA:BB", "components": ["disk-1"] }), true, "VALID"),
        (KEY, json!({ "fingerprint": "AA:BB", "components": ["disk-2"] }), false, "COMPONENTS_SCOPE_MISMATCH"),
        (KEY, json!({ "fingerprint": "AA:BB", "components": [] }), false, "COMPONENTS_SCOPE_EMPTY"),
        (KEY, json!({ "components": ["disk-1"] }), false, "FINGERPRINT_SCOPE_REQUIRED"),
        (KEY, json!({ "environment": null }), true, "VALID"),
        (KEY, json!({ "environment": "isolated" }), false, "ENVIRONMENT_SCOPE_MISMATCH"),
        // The first rule that does not hold decides.
        (KEY, json!({ "fingerprint": "CC", "product": "other" }), false, "PRODUCT_SCOPE_MISMATCH"),
        ("nobody", json!({}), false, "NOT_FOUND"),
        ("SUSPENDED", json!({ "product": "other" }), false, "SUSPENDED"),
        ("BANNED", json!({}), false, "BANNED"),
        ("EXPIRED", json!({}), false, "EXPIRED"),
        ("EXPIRED", json!({ "fingerprint": "AA:BB" }), false, "NO_MACHINES"),
        ("NODE-LOCKED", json!({ "fingerprint": "AA:BB" }), false, "NO_MACHINE"),
        ("NODE-LOCKED", json!({}), false, "NO_MACHINE"),
    ];
    for (key, scope, is_valid, code) in table {
        let body = json!({ "meta": { "key": key, "scope": scope } });
        let told = asked.ask("POST", "licenses/actions/validate-key", &[], &body).await;
        told.is(200, &[("/meta/valid", json!(is_valid)), ("/meta/code", json!(code)), ("/meta/scope", scope.clone())]);
        assert_eq!(told.body["data"].is_null(), *key == "nobody");
    }

    for (meta, detail, pointer) in [
        (json!({}), "is missing", "/meta/key"),
        (json!({ "key": " " }), "cannot be blank", "/meta/key"),
        (json!({ "key": KEY, "nonce": "a" }), "type mismatch (expected integer)", "/meta/nonce"),
        (json!({ "key": KEY, "scope": { "product": 1 } }), "type mismatch (expected string)", "/meta/scope/product"),
        (
            json!({ "key": KEY, "scope": { "entitlements": [1] } }),
            "type mismatch (expected string)",
            "/meta/scope/entitlements/0",
        ),
    ] {
        let told = asked.ask("POST", "licenses/actions/validate-key", &[], &json!({ "meta": meta })).await;
        let expected = [("/errors/0/detail", json!(detail)), ("/errors/0/source/pointer", json!(pointer))];
        told.is(400, &expected);
    }

    // A key that was sold here after the move: the app finds the product that it was built for.
    let (_, order) = asked.world.bought("lumen-personal", "1").await;
    let sold = asked.world.keys(&order).await.remove(0);
    let body = json!({ "meta": { "key": sold, "scope": { "product": PRODUCT } } });
    let told = asked.ask("POST", "accounts/lumen/licenses/actions/validate-key", &[], &body).await;
    told.is(200, &[("/meta/code", json!("VALID")), ("/data/attributes/key", json!(sold))]);
    let id = told.body["data"]["id"].as_str().unwrap();
    let told = asked.with_key(&sold, "POST", &format!("licenses/{id}/actions/validate"), &Value::Null).await;
    told.is(200, &[("/meta/valid", json!(true)), ("/data/id", json!(id))]);
    assert!(told.body["meta"].get("scope").is_none());
    asked.with_key(&sold, "GET", "me", &Value::Null).await.is(200, &[("/data/id", json!(id))]);
}

#[tokio::test]
async fn keygen_callers_say_who_they_are_in_every_way_that_there_is() {
    let asked = Asked::new().await;
    let manager = asked.api_key(Scope::Manage).await;
    let reader = asked.api_key(Scope::Read).await;
    let basic = |pair: &str| format!("Basic {}", BASE64.encode(pair.as_bytes()));
    for authorization in [
        format!("License {KEY}"),
        format!("Bearer {manager}"),
        format!("Token {reader}"),
        basic(&format!("license:{KEY}")),
        basic(&format!("token:{manager}")),
        basic(&format!("{manager}:")),
    ] {
        let headers = [("authorization", authorization.as_str())];
        asked.ask("GET", &format!("licenses/{LICENSE}"), &headers, &Value::Null).await.is(200, &[]);
        asked
            .ask("GET", &format!("licenses/{KEY}"), &headers, &Value::Null)
            .await
            .is(200, &[("/data/id", json!(LICENSE))]);
    }
    for query in [format!("token={manager}"), format!("auth=license:{KEY}"), format!("auth=token:{manager}")] {
        asked.ask("GET", &format!("licenses/{LICENSE}?{query}"), &[], &Value::Null).await.is(200, &[]);
    }
    for (authorization, status, code) in [
        ("", 401, "TOKEN_MISSING"),
        ("License nobody", 401, "LICENSE_INVALID"),
        ("License SUSPENDED", 403, "LICENSE_SUSPENDED"),
        ("License BANNED", 403, "LICENSE_BANNED"),
        ("Bearer nobody", 401, "TOKEN_INVALID"),
        ("Bearer 10000000-0000-4000-8000-000000000001", 401, "TOKEN_FORMAT_INVALID"),
        // Another's license is none.
        ("License NODE-LOCKED", 404, "NOT_FOUND"),
    ] {
        let headers = [("authorization", authorization)];
        let told = asked.ask("GET", &format!("licenses/{LICENSE}"), &headers, &Value::Null).await;
        told.fails(status, code, "");
        assert_eq!(told.headers.contains_key("www-authenticate"), status == 401);
    }
    // What an app may not do with its key, and what a program may not that only reads.
    for (authorization, path, status) in [
        (format!("License {KEY}"), format!("licenses/{LICENSE}/actions/decrement-usage"), 403),
        (format!("License {KEY}"), format!("machines/{MACHINE}/actions/reset"), 403),
        (format!("Bearer {reader}"), format!("machines/{MACHINE}/actions/ping"), 403),
        (format!("Bearer {manager}"), format!("machines/{MACHINE}/actions/reset-heartbeat"), 200),
    ] {
        let headers = [("authorization", authorization.as_str())];
        asked.ask("POST", &path, &headers, &Value::Null).await.is(status, &[]);
    }
    for (method, path, headers, status, code) in [
        ("GET", "nothing", &[][..], 404, "NOT_FOUND"),
        ("PUT", "me", &[], 404, "NOT_FOUND"),
        ("GET", "me", &[("keygen-version", "2.0")], 400, "INVALID_API_VERSION"),
    ] {
        asked.ask(method, path, headers, &Value::Null).await.fails(status, code, "");
    }
    let body = json!({ "meta": { "key": KEY } });
    let old = asked.ask("POST", "licenses/actions/validate-key", &[("keygen-version", "1.1")], &body).await;
    old.is(200, &[("/meta/constant", json!("VALID"))]);
    let wanted = [("keygen-accept-signature", "algorithm=\"rsa-sha256\"")];
    asked.ask("GET", "me", &wanted, &Value::Null).await.is(400, &[]);
    let plain = asked.ask("POST", "licenses/actions/validate-key", &[("accept", "application/json")], &body).await;
    assert_eq!(plain.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_group_that_is_full_is_told_in_keygens_words() {
    let asked = Asked::new().await;
    let (app, shop) = (&asked.world.app, asked.world.shop.id);
    let key = app.key_made_elsewhere(shop, KEY).await.unwrap().unwrap();
    let license = app.store.seat(shop, &key, None, app.clock.now()).await.unwrap().unwrap().license.id;
    let id = domain::GroupId::mint(app.clock.now(), &mut app.entropy.rng());
    let new = app::NewGroup { id, name: "ACME".to_owned(), max_licenses: None, max_seats: Some(1) };
    app.create_group(shop, &new, domain::Actor::Api).await.unwrap();
    app.regroup_license(shop, license, Some(id), "one company", domain::Actor::Api).await.unwrap();
    let full = asked.with_key(KEY, "POST", "machines", &machine(LICENSE, "CC:DD")).await;
    full.fails(422, "GROUP_MACHINE_LIMIT_EXCEEDED", "/data/relationships/group");
    full.is(422, &[("/errors/0/detail", json!("machine count has exceeded maximum allowed by current group (1)"))]);
}

#[tokio::test]
async fn keygen_machines_take_seats_and_give_them_back() {
    let asked = Asked::new().await;
    let path = |rest: &str| format!("machines{rest}");
    let told = asked.with_key(KEY, "POST", "machines", &machine(LICENSE, "CC:DD")).await;
    told.is(
        201,
        &[
            ("/data/type", json!("machines")),
            ("/data/attributes/fingerprint", json!("CC:DD")),
            ("/data/attributes/name", json!("New Mac")),
            ("/data/attributes/platform", json!("macos")),
            ("/data/attributes/cores", json!(4)),
            ("/data/attributes/metadata", json!({ "build": 7, "channel": "beta" })),
            ("/data/attributes/requireHeartbeat", json!(false)),
            ("/data/attributes/heartbeatStatus", json!("NOT_STARTED")),
            ("/data/relationships/license/data/id", json!(LICENSE)),
        ],
    );
    let id = told.body["data"]["id"].as_str().unwrap().to_owned();
    assert!(told.headers["location"].to_str().unwrap().ends_with(&format!("/machines/{id}")));
    let again = asked.with_key(KEY, "POST", "machines", &machine(LICENSE, "CC:DD")).await;
    again.fails(422, "FINGERPRINT_TAKEN", "/data/attributes/fingerprint");
    let full = asked.with_key(KEY, "POST", "machines", &machine(LICENSE, "EE")).await;
    full.fails(422, "MACHINE_LIMIT_EXCEEDED", "/data");
    full.is(422, &[("/errors/0/detail", json!("machine count has exceeded maximum allowed for license (2)"))]);
    asked.with_key("NODE-LOCKED", "POST", "machines", &machine(LICENSE, "EE")).await.is(403, &[]);
    asked.with_key("EXPIRED", "POST", "machines", &machine("10000000-0000-4000-8000-000000000003", "EE")).await.fails(
        403,
        "LICENSE_EXPIRED",
        "",
    );
    asked.with_key(KEY, "POST", "machines", &json!({ "data": {} })).await.is(400, &[]);

    let list = asked.with_key(KEY, "GET", &format!("licenses/{LICENSE}/machines?limit=100"), &Value::Null).await;
    list.is(200, &[("/data/0/id", json!(MACHINE)), ("/data/1/id", json!(id)), ("/links/meta/count", json!(2))]);
    let list = asked.with_key(KEY, "GET", "machines?page[size]=1&page[number]=2", &Value::Null).await;
    list.is(200, &[("/data/0/id", json!(id)), ("/links/next", json!(null))]);
    let old = [
        ("/data/attributes/hostname", json!("ada")),
        ("/data/attributes/cores", json!(8)),
        ("/data/attributes/metadata", json!({ "seen": "yes" })),
        ("/data/attributes/created", json!("2024-02-24T14:15:07.000Z")),
    ];
    asked.with_key(KEY, "GET", &path(&format!("/{MACHINE}")), &Value::Null).await.is(200, &old);
    for name in [id.as_str(), "CC:DD"] {
        asked.with_key(KEY, "GET", &path(&format!("/{name}")), &Value::Null).await.is(200, &[("/data/id", json!(id))]);
        let components = asked.with_key(KEY, "GET", &path(&format!("/{name}/components")), &Value::Null).await;
        components
            .is(200, &[("/data/0/attributes/name", json!("DISK")), ("/data/0/attributes/fingerprint", json!("d"))]);
        let processes = asked.with_key(KEY, "GET", &path(&format!("/{name}/processes")), &Value::Null).await;
        processes.is(200, &[("/data", json!([]))]);
    }
    let change = json!({ "data": { "type": "machines", "attributes": { "name": "Mac", "hostname": "b" } } });
    let changed = asked.with_key(KEY, "PATCH", &path(&format!("/{id}")), &change).await;
    changed.is(200, &[("/data/attributes/name", json!("Mac")), ("/data/attributes/platform", json!("macos"))]);
    asked.world.app.clock.advance(Duration::seconds(60));
    let pinged = asked.with_key(KEY, "POST", &path("/CC:DD/actions/ping-heartbeat"), &Value::Null).await;
    pinged.is(200, &[("/data/attributes/heartbeatStatus", json!("ALIVE"))]);

    assert_eq!(asked.with_key("NODE-LOCKED", "DELETE", &path(&format!("/{id}")), &Value::Null).await.status, 404);
    let freed = asked.with_key(KEY, "DELETE", &path(&format!("/{id}")), &Value::Null).await;
    assert_eq!((freed.status, freed.bytes.len()), (204, 0));
    for method in ["GET", "DELETE"] {
        asked.with_key(KEY, method, &path(&format!("/{id}")), &Value::Null).await.fails(404, "NOT_FOUND", "");
    }
    // A program of the seller finds the machines of every license.
    let manager = format!("Bearer {}", asked.api_key(Scope::Manage).await);
    let headers = [("authorization", manager.as_str())];
    for name in [MACHINE, "AA:BB"] {
        asked.ask("GET", &path(&format!("/{name}")), &headers, &Value::Null).await.is(200, &old);
    }
    asked.ask("DELETE", &path("/AA:BB"), &headers, &Value::Null).await.is(204, &[]);
    asked.ask("GET", &path(&format!("/{MACHINE}")), &headers, &Value::Null).await.is(404, &[]);
}

#[tokio::test]
async fn a_keygen_heartbeat_keeps_the_lease_of_a_floating_seat() {
    let asked = Asked::new().await;
    let seating = Seating { lease_seconds: Some(600), matching: Some(Matching::Any), ..Seating::default() };
    let policy = Policy { seats: Some(1), seating, ..Policy::default() };
    let key = asked.sold("floating", policy).await;
    let me = asked.with_key(&key, "GET", "me", &Value::Null).await;
    me.is(200, &[("/data/attributes/requireHeartbeat", json!(true))]);
    let license = me.body["data"]["id"].as_str().unwrap().to_owned();
    let taken = asked.with_key(&key, "POST", "machines", &machine(&license, "one")).await;
    taken.is(
        201,
        &[("/data/attributes/heartbeatStatus", json!("ALIVE")), ("/data/attributes/heartbeatDuration", json!(600))],
    );
    let id = taken.body["data"]["id"].as_str().unwrap().to_owned();
    // Made of the same, it is the same device, under another fingerprint.
    let moved = asked.with_key(&key, "POST", "machines", &machine(&license, "two")).await;
    moved.is(201, &[("/data/id", json!(id)), ("/data/attributes/fingerprint", json!("two"))]);
    let scope = json!({ "meta": { "key": key, "scope": { "fingerprint": "two" } } });
    for _ in 0..2 {
        asked.world.app.clock.advance(Duration::seconds(500));
        asked.with_key(&key, "POST", &format!("machines/{id}/actions/ping"), &Value::Null).await.is(200, &[]);
        let told = asked.ask("POST", "licenses/actions/validate-key", &[], &scope).await;
        told.is(200, &[("/meta/code", json!("VALID")), ("/data/relationships/machines/meta/count", json!(1))]);
    }
    asked.world.app.clock.advance(Duration::seconds(601));
    let told = asked.ask("POST", "licenses/actions/validate-key", &[], &scope).await;
    told.is(200, &[("/meta/code", json!("NO_MACHINE")), ("/data/relationships/machines/meta/count", json!(0))]);
    asked.with_key(&key, "POST", &format!("machines/{id}/actions/ping"), &Value::Null).await.fails(
        404,
        "NOT_FOUND",
        "",
    );
    let mut other = machine(&license, "three");
    other["data"]["relationships"]["components"] = Value::Null;
    asked.with_key(&key, "POST", "machines", &other).await.is(201, &[]);
}

#[tokio::test]
async fn keygen_usage_is_counted_within_its_limit() {
    let asked = Asked::new().await;
    let policy = Policy { usage: Some(Metering { limit: Some(5), reset_days: None }), ..Policy::default() };
    let key = asked.sold("metered", policy).await;
    let manager = format!("Bearer {}", asked.api_key(Scope::Manage).await);
    let path = |license: &str, call: &str| format!("licenses/{license}/actions/{call}-usage");
    let uses = |count: u64| [("/data/attributes/uses", json!(count))];
    asked.with_key(&key, "POST", &path(&key, "increment"), &Value::Null).await.is(200, &uses(1));
    let three = json!({ "meta": { "increment": 3 } });
    let told = asked.with_key(&key, "POST", &path(&key, "increment"), &three).await;
    told.is(200, &uses(4)).is(200, &[("/data/attributes/maxUses", json!(5))]);
    let over = asked.with_key(&key, "POST", &path(&key, "increment"), &three).await;
    over.fails(422, "USES_LIMIT_EXCEEDED", "/data/attributes/uses");
    asked.with_key(&key, "POST", &path(&key, "increment"), &json!({ "meta": { "increment": 0 } })).await.is(400, &[]);
    let headers = [("authorization", manager.as_str())];
    let two = json!({ "meta": { "decrement": 2 } });
    asked.ask("POST", &path(&key, "decrement"), &headers, &two).await.is(200, &uses(2));
    asked.ask("POST", &path(&key, "reset"), &headers, &Value::Null).await.is(200, &uses(0));
    // Where the plan sells nothing by the piece it is counted all the same, on from where it stood there.
    asked.with_key(KEY, "POST", &path(LICENSE, "increment"), &three).await.is(200, &uses(6));
}

#[tokio::test]
async fn keygen_apps_go_on_under_the_host_name_that_they_know() {
    let asked = Asked::new().await;
    let app = &asked.world.app;
    let hosts = [("licensing.example".to_owned(), ForeignSystem::Keygen)].into();
    let shop = app.shop(asked.world.shop.id).await.unwrap();
    let shop = domain::Shop { compat: domain::Compat { hosts, ..Default::default() }, ..shop.as_ref().clone() };
    app.write(&domain::Changes { shops: vec![shop], ..Default::default() }).await.unwrap();
    app.refresh_shops().await.unwrap();
    let headers = [("authorization", &*format!("License {KEY}"))];
    for target in ["/v1/me", "/v1/accounts/demo/me?a=b"] {
        let told = asked.ask_at("licensing.example", "GET", target, &headers, &Value::Null).await;
        told.is(200, &[("/data/id", json!(LICENSE))]);
    }
}

#[tokio::test]
async fn pages_of_other_sites_read_what_keygen_signs() {
    let asked = Asked::new().await;
    let site = web::site(web::Web { app: Arc::clone(&asked.world.app), mailbox: None });
    let request =
        Request::builder().method("OPTIONS").uri(format!("{BASE}machines")).header(header::HOST, "shop.example");
    let before = site.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(before.status(), 204);
    assert_eq!(before.headers()["access-control-allow-methods"], "GET, POST, PATCH, DELETE");
    for (path, status) in [("me", 401), ("nowhere", 404), (&*format!("licenses/{KEY}"), 401)] {
        let told = asked.ask("GET", path, &[], &Value::Null).await;
        told.is(status, &[]);
        assert_eq!(told.headers["access-control-allow-origin"], "*");
        assert!(told.headers["access-control-expose-headers"].to_str().unwrap().contains("keygen-signature"));
    }
}

/// What a file says: its signed text opened, after the signature was found good.
fn open(asked: &Asked, file: &str, word: &str, secret: Option<&str>) -> Value {
    let (begin, end) = (format!("-----BEGIN {word} FILE-----\n"), format!("\n-----END {word} FILE-----\n"));
    let lines = file.strip_prefix(&begin).unwrap().strip_suffix(&end).unwrap();
    assert!(lines.lines().all(|line| line.len() <= 60));
    let whole: Value = serde_json::from_slice(&BASE64.decode(lines.replace('\n', "").as_bytes()).unwrap()).unwrap();
    let enc = whole["enc"].as_str().unwrap();
    let sig = BASE64.decode(whole["sig"].as_str().unwrap().as_bytes()).unwrap();
    let key = UnparsedPublicKey::new(&ED25519, &asked.public);
    key.verify(format!("{}/{enc}", word.to_lowercase()).as_bytes(), &sig).unwrap();
    let Some(secret) = secret else {
        assert_eq!(whole["alg"], "base64+ed25519");
        return serde_json::from_slice(&BASE64.decode(enc.as_bytes()).unwrap()).unwrap();
    };
    assert_eq!(whole["alg"], "aes-256-gcm+ed25519");
    let parts: Vec<Vec<u8>> = enc.split('.').map(|part| BASE64.decode(part.as_bytes()).unwrap()).collect();
    let key = UnboundKey::new(&AES_256_GCM, digest(&SHA256, secret.as_bytes()).as_ref()).unwrap();
    let mut sealed = [&parts[0][..], &parts[2]].concat();
    let nonce = Nonce::try_assume_unique_for_key(&parts[1]).unwrap();
    let text = LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut sealed).unwrap();
    serde_json::from_slice(text).unwrap()
}

#[tokio::test]
async fn keygen_files_are_signed_and_sealed_for_who_holds_the_key() {
    let asked = Asked::new().await;
    let path = format!("licenses/{LICENSE}/actions/check-out");
    let file = |told: &Told| told.body["data"]["attributes"]["certificate"].as_str().unwrap().to_owned();
    let told = asked.with_key(KEY, "POST", &path, &Value::Null).await;
    told.is(
        200,
        &[
            ("/data/type", json!("license-files")),
            ("/data/attributes/ttl", json!(2_629_746)),
            ("/data/attributes/algorithm", json!("base64+ed25519")),
            ("/data/relationships/license/data/id", json!(LICENSE)),
        ],
    );
    let plain = open(&asked, &file(&told), "LICENSE", None);
    assert_eq!(plain["data"]["attributes"]["key"], KEY);
    assert_eq!(plain["meta"]["ttl"], 2_629_746);
    // In the query, as clients send it, and in the body.
    let query = format!("{path}?encrypt=true&include=entitlements,product&ttl=3600");
    let body = json!({ "meta": { "encrypt": true, "include": ["entitlements", "product"], "ttl": 3600 } });
    for (path, body) in [(&query, Value::Null), (&path, body)] {
        let told = asked.with_key(KEY, "POST", path, &body).await;
        told.is(200, &[("/data/attributes/includes", json!(["entitlements", "product"]))]);
        let opened = open(&asked, &file(&told), "LICENSE", Some(KEY));
        assert_eq!(opened["data"]["id"], LICENSE);
        let codes: Vec<&Value> =
            opened["included"].as_array().unwrap().iter().map(|one| &one["attributes"]["code"]).collect();
        assert_eq!(codes, [&json!("edit"), &json!("EXPORT"), &Value::Null]);
    }
    let raw = asked.with_key(KEY, "GET", &format!("{path}?ttl="), &Value::Null).await;
    assert_eq!(raw.headers["content-type"], "application/octet-stream");
    assert_eq!(raw.headers["content-disposition"], format!("attachment; filename=\"{LICENSE}.lic\"").as_str());
    assert_eq!(open(&asked, str::from_utf8(&raw.bytes).unwrap(), "LICENSE", None)["meta"]["expiry"], Value::Null);

    let path = format!("machines/{MACHINE}/actions/check-out");
    let query = format!("{path}?encrypt=1&include=license.entitlements,components");
    let told = asked.with_key(KEY, "POST", &query, &Value::Null).await;
    told.is(200, &[("/data/type", json!("machine-files")), ("/data/relationships/machine/data/id", json!(MACHINE))]);
    let opened = open(&asked, &file(&told), "MACHINE", Some(&format!("{KEY}AA:BB")));
    assert_eq!(opened["data"]["attributes"]["fingerprint"], "AA:BB");
    let kinds: Vec<&Value> = opened["included"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["licenses", "entitlements", "entitlements", "components"]);

    for (query, code, parameter) in [
        ("ttl=60", "CHECKOUT_TTL_INVALID", "ttl"),
        ("algorithm=base64%2Brsa-sha256", "CHECKOUT_ALGORITHM_INVALID", "algorithm"),
        ("include=secrets", "CHECKOUT_INCLUDE_INVALID", "include"),
    ] {
        asked.with_key(KEY, "POST", &format!("{path}?{query}"), &Value::Null).await.fails(400, code, parameter);
    }
}
