//! Apps of other systems against our endpoints: what they send, and what they are told.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use domain::ForeignSystem;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::World;

pub(crate) const LEMON_SQUEEZY: &str = r#"
{"data":[
 {"type":"license-keys","id":"1","attributes":{"store_id":11,"customer_id":12,"order_id":13,"order_item_id":14,
  "product_id":15,"user_name":"Ada","user_email":"ada@example.com","key":"38b1460a-5104-4067-a91d-77b872934d51",
  "activation_limit":2,"instances_count":1,"disabled":0,"created_at":"2021-01-24T14:15:07.000000Z","expires_at":null}},
 {"type":"license-keys","id":"2","attributes":{"store_id":11,"product_id":15,"user_email":"ada@example.com",
  "key":"80e15db5-c796-436b-850c-8f9c98a48abe","activation_limit":1,"instances_count":0,"disabled":1,
  "created_at":"2021-01-24T14:15:07.000000Z"}},
 {"type":"license-keys","id":"3","attributes":{"store_id":11,"product_id":15,"user_email":"bob@example.com",
  "key":"expired-key","activation_limit":1,"instances_count":0,"disabled":0,
  "created_at":"2021-01-24T14:15:07.000000Z","expires_at":"2022-01-24T14:15:07.000000Z"}}
]}
{"data":[{"type":"license-key-instances","id":"9","attributes":{"license_key_id":1,
  "identifier":"f90ec370-fd83-46a5-8bbd-44a241e78665","name":"Old Mac","created_at":"2021-04-06T14:15:07.000000Z"}}]}
"#;

const GUMROAD: &str = r#"
{"success":true,"sales":[
 {"id":"sale==","email":"cy@example.com","seller_id":"seller==","product_id":"product==","product_name":"Lumen",
  "product_permalink":"https://lumen.gumroad.com/l/max","permalink":"max","price":1000,"order_id":123456789,"license_key":"F44E09B4-01234567-89ABCDEF-01234567",
  "license_uses":3,"created_at":"2023-01-09T21:55:31Z"},
 {"id":"back==","email":"cy@example.com","product_id":"product==","license_key":"REFUNDED","refunded":true,
  "created_at":"2023-01-09T21:55:31Z"},
 {"id":"off==","email":"cy@example.com","product_id":"product==","license_key":"OFF","license_disabled":true,
  "created_at":"2023-01-09T21:55:31Z"}
]}
"#;

pub(crate) const EDD: &str = r#"
{"id":7,"license_key":"cc22c1ec86304b36883440e2e84cddff","status":"active","item_id":8,"item_name":"Lumen Pro",
 "price_id":2,"payment_id":4321,"customer_name":"Ada","email":"ada@example.com","created_at":"2024-01-24 14:15:07",
 "expires":"lifetime","license_limit":2,"sites":["old.example.com/"]}
{"id":8,"license_key":"expired","status":"expired","item_id":8,"item_name":"Lumen Pro","email":"ada@example.com",
 "created_at":"2021-01-24 14:15:07","expires":1642947307,"license_limit":0,"sites":[]}
{"id":9,"license_key":"disabled","status":"disabled","item_id":8,"item_name":"Lumen Pro","email":"bob@example.com",
 "created_at":"2021-01-24 14:15:07","expires":"2099-01-24 14:15:07","license_limit":1,"sites":[]}
"#;

pub(crate) const POLAR: &str = r#"
{"id":"11111111-1111-4111-8111-111111111111","organization_id":"22222222-2222-4222-8222-222222222222",
 "customer_id":"33333333-3333-4333-8333-333333333333","benefit_id":"44444444-4444-4444-8444-444444444444",
 "customer":{"email":"ada@example.com","name":"Ada","external_id":"u1"},"key":"LUMEN-1C285B2D-6CE6-4BC7-B8BE-ADB6A7E304DA",
 "status":"granted","limit_activations":2,"usage":1,"limit_usage":3,"validations":5,"created_at":"2024-01-24T14:15:07Z",
 "expires_at":null,"activations":[{"id":"55555555-5555-4555-8555-555555555555","label":"Old Mac","meta":{"os":"14"},
 "created_at":"2024-02-01T00:00:00Z"}]}
{"id":"11111111-1111-4111-8111-111111111112","organization_id":"22222222-2222-4222-8222-222222222222",
 "customer_id":"33333333-3333-4333-8333-333333333333","benefit_id":"44444444-4444-4444-8444-444444444444",
 "customer":{"email":"ada@example.com"},"key":"REVOKED","status":"revoked","limit_activations":null,"usage":0,
 "created_at":"2024-01-24T14:15:07Z"}
{"id":"11111111-1111-4111-8111-111111111113","organization_id":"22222222-2222-4222-8222-222222222222",
 "customer_id":"33333333-3333-4333-8333-333333333333","benefit_id":"44444444-4444-4444-8444-444444444444",
 "customer":{"email":"ada@example.com"},"key":"NO-DEVICES","status":"granted","limit_activations":null,"usage":0,
 "created_at":"2024-01-24T14:15:07Z"}
"#;

pub(crate) const DODO: &str = r#"
{"items":[{"id":"lic_1","business_id":"bus_1","customer_id":"cus_1","product_id":"pdt_1","key":"DODO-1","status":"active",
  "activations_limit":2,"instances_count":1,"expires_at":null,"created_at":"2024-01-24T14:15:07Z"},
 {"id":"lic_2","business_id":"bus_1","customer_id":"cus_1","product_id":"pdt_1","key":"DODO-2","status":"disabled",
  "activations_limit":null,"instances_count":0,"expires_at":null,"created_at":"2024-01-24T14:15:07Z"},
 {"id":"lic_3","business_id":"bus_1","customer_id":"cus_1","product_id":"pdt_1","key":"DODO-3","status":"expired",
  "instances_count":0,"expires_at":null,"created_at":"2024-01-24T14:15:07Z"}]}
{"items":[{"id":"lki_1","business_id":"bus_1","license_key_id":"lic_1","name":"Old Mac","created_at":"2024-02-01T00:00:00Z"}]}
{"items":[{"customer_id":"cus_1","business_id":"bus_1","email":"ada@example.com","name":"Ada"}]}
"#;

pub(crate) struct Asked {
    pub(crate) world: World,
}

impl Asked {
    pub(crate) async fn new(system: ForeignSystem, export: &str) -> Self {
        let world = World::new().await;
        let asked = Self { world };
        assert_eq!(asked.import(system, export).await, (3, 0));
        // A second run of the same file finds everything where it is.
        assert_eq!(asked.import(system, export).await, (0, 3));
        let findings = asked.world.app.examine().await.unwrap();
        let broken: Vec<_> = findings.iter().filter(|finding| finding.severity == app::Severity::Broken).collect();
        assert!(broken.is_empty(), "{broken:?}");
        asked
    }

    /// How many are new, and how many were known.
    async fn import(&self, system: ForeignSystem, export: &str) -> (usize, usize) {
        let app = &self.world.app;
        let plans = app.store.plans_of_shop(self.world.shop.id).await.unwrap();
        let target = app.import_target(&self.world.shop, &plans[0].slug).await.unwrap();
        let lines = app::read_export(system, export.as_bytes()).unwrap();
        let (mut new, mut known) = (0, 0);
        let count = |line: &app::ImportLine, outcome: &app::Imported| match outcome {
            app::Imported::New => new += 1,
            app::Imported::Known => known += 1,
            app::Imported::Refused(reason) => panic!("{}: {reason}", line.place),
        };
        app.import(&target, &lines, false, count).await.unwrap();
        app.name_plan(&target, system, app::foreign_names(system, &lines)).await.unwrap();
        (new, known)
    }

    pub(crate) async fn post(&self, path: &str, kind: &str, body: &str) -> (u16, Value) {
        self.send("POST", "shop.example", path, kind, body).await
    }

    pub(crate) async fn send(&self, method: &str, host: &str, path: &str, kind: &str, body: &str) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, kind)
            .header("polar-version", "2027-01")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let site = web::site(web::Web { app: std::sync::Arc::clone(&self.world.app), mailbox: None });
        let response = site.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Brings how the shop answers other systems to what is given.
    pub(crate) async fn answers(&self, compat: domain::Compat) {
        let app = &self.world.app;
        let shop = app.shop(self.world.shop.id).await.unwrap();
        let shop = domain::Shop { compat, ..shop.as_ref().clone() };
        app.write(&domain::Changes { shops: vec![shop], ..Default::default() }).await.unwrap();
        app.refresh_shops().await.unwrap();
    }

    /// Sends a form, and holds the answer against the fields that are expected in it.
    async fn check(&self, path: &str, form: &str, status: u16, expected: &[(&str, Value)]) -> Value {
        let kind = if form.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let (told, body) = self.post(path, kind, form).await;
        assert_eq!(told, status, "{path} {form}: {body}");
        for (pointer, value) in expected {
            assert_eq!(body.pointer(pointer), Some(value), "{pointer} of {path} {form}: {body}");
        }
        body
    }
}

#[tokio::test]
async fn lemon_squeezy_apps_go_on_with_their_keys_and_instances() {
    let asked = Asked::new(ForeignSystem::LemonSqueezy, LEMON_SQUEEZY).await;
    let path = |call: &str| format!("/compat/lemon_squeezy/v1/licenses/{call}");
    let key = "license_key=38b1460a-5104-4067-a91d-77b872934d51";
    let old = format!("{key}&instance_id=f90ec370-fd83-46a5-8bbd-44a241e78665");
    asked
        .check(
            &path("validate"),
            &old,
            200,
            &[
                ("/valid", json!(true)),
                ("/error", json!(null)),
                ("/license_key/id", json!(1)),
                ("/license_key/status", json!("active")),
                ("/license_key/key", json!("38b1460a-5104-4067-a91d-77b872934d51")),
                ("/license_key/activation_limit", json!(2)),
                ("/license_key/activation_usage", json!(1)),
                ("/license_key/created_at", json!("2021-01-24T14:15:07.000000Z")),
                ("/license_key/expires_at", json!(null)),
                ("/instance/name", json!("Old Mac")),
                ("/instance/created_at", json!("2021-04-06T14:15:07.000000Z")),
                ("/meta/store_id", json!(11)),
                ("/meta/order_id", json!(13)),
                ("/meta/product_id", json!(15)),
                ("/meta/customer_name", json!("Ada")),
                ("/meta/customer_email", json!("ada@example.com")),
            ],
        )
        .await;
    asked.check(&path("validate"), key, 200, &[("/valid", json!(true)), ("/instance", json!(null))]).await;
    let name = format!("{key}&instance_name=New+Mac");
    let taken = asked
        .check(
            &path("activate"),
            &name,
            200,
            &[
                ("/activated", json!(true)),
                ("/instance/name", json!("New Mac")),
                ("/license_key/activation_usage", json!(2)),
            ],
        )
        .await;
    asked
        .check(
            &path("activate"),
            &name,
            400,
            &[
                ("/activated", json!(false)),
                ("/error", json!("This license key has reached the activation limit.")),
                ("/license_key/activation_usage", json!(2)),
            ],
        )
        .await;
    let new = format!("{key}&instance_id={}", taken["instance"]["id"].as_str().unwrap());
    for (instance, left, status) in [(&new, 1, "active"), (&old, 0, "inactive")] {
        let told = asked
            .check(
                &path("deactivate"),
                instance,
                200,
                &[
                    ("/deactivated", json!(true)),
                    ("/license_key/activation_usage", json!(left)),
                    ("/license_key/status", json!(status)),
                ],
            )
            .await;
        assert!(told.get("instance").is_none());
        asked.check(&path("validate"), instance, 404, &[("/valid", json!(false))]).await;
    }

    let disabled = "license_key=80e15db5-c796-436b-850c-8f9c98a48abe&instance_name=a&instance_id=b";
    for (call, flag) in [("activate", "/activated"), ("validate", "/valid"), ("deactivate", "/deactivated")] {
        let expected =
            [(flag, json!(false)), ("/error", json!("This license key is disabled.")), ("/meta/product_id", json!(15))];
        asked.check(&path(call), disabled, 400, &expected).await;
        let unknown = "license_key=nobody&instance_name=a&instance_id=b";
        let told = asked.check(&path(call), unknown, 404, &[("/error", json!("license_key not found."))]).await;
        assert_eq!(told.as_object().unwrap().len(), 2, "{told}");
        asked
            .check(
                &path(call),
                "",
                422,
                &[
                    ("/message", json!("The license key field is required.")),
                    ("/errors/license_key", json!(["The license key field is required."])),
                ],
            )
            .await;
    }
    let expired = [("/license_key/status", json!("expired")), ("/error", json!("This license key is expired."))];
    asked.check(&path("validate"), "license_key=expired-key", 400, &expired).await;

    // A key that was sold here after the move: the app compares the product, and finds the one that it was built for.
    let plans = asked.world.app.store.plans_of_shop(asked.world.shop.id).await.unwrap();
    let (_, order) = asked.world.bought(&plans[0].slug, "1").await;
    let sold = &asked.world.keys(&order).await[0];
    let expected = [
        ("/license_key/status", json!("inactive")),
        ("/license_key/key", json!(sold)),
        ("/meta/store_id", json!(11)),
        ("/meta/product_id", json!(15)),
    ];
    asked.check(&path("validate"), &format!("license_key={sold}"), 200, &expected).await;

    // What their own client and others send besides forms.
    for kind in ["application/vnd.api+json", "application/json"] {
        let body = r#"{"license_key":"38b1460a-5104-4067-a91d-77b872934d51"}"#;
        assert_eq!(asked.post(&path("validate"), kind, body).await.0, 200, "{kind}");
    }
}

#[tokio::test]
async fn gumroad_apps_are_told_uses_refunds_and_disabled_keys() {
    let asked = Asked::new(ForeignSystem::Gumroad, GUMROAD).await;
    let path = "/compat/gumroad/v2/licenses/verify";
    let key = "license_key=F44E09B4-01234567-89ABCDEF-01234567";
    let unknown = json!("That license does not exist for the provided product.");
    #[rustfmt::skip]
    type Row<'a> = (&'a str, u16, &'a [(&'a str, Value)]);
    let table: &[Row<'_>] = &[
        (
            "product_id=product==",
            200,
            &[
                ("/success", json!(true)),
                ("/uses", json!(4)),
                ("/purchase/sale_id", json!("sale==")),
                ("/purchase/order_number", json!(123_456_789)),
                ("/purchase/price", json!(1000)),
                ("/purchase/refunded", json!(false)),
                ("/purchase/chargebacked", json!(false)),
                ("/purchase/created_at", json!("2023-01-09T21:55:31Z")),
            ],
        ),
        ("product_permalink=max&increment_uses_count=false", 200, &[("/uses", json!(4))]),
        ("product_id=product==", 200, &[("/uses", json!(5))]),
        ("product_id=other==", 404, &[("/success", json!(false)), ("/message", unknown.clone())]),
        ("", 404, &[("/message", unknown.clone())]),
    ];
    for (form, status, expected) in table {
        asked.check(path, &format!("{key}&{form}"), *status, expected).await;
    }
    let refunded = [("/success", json!(true)), ("/purchase/refunded", json!(true))];
    asked.check(path, "license_key=REFUNDED&product_id=product==", 200, &refunded).await;
    let off = [("/message", json!("This license key has been disabled."))];
    asked.check(path, "license_key=OFF&product_id=product==", 404, &off).await;
    asked.check(path, "license_key=nobody&product_id=product==", 404, &[("/message", unknown)]).await;
}

#[tokio::test]
async fn gumroad_sellers_switch_count_back_and_rotate_with_an_api_key() {
    let asked = Asked::new(ForeignSystem::Gumroad, GUMROAD).await;
    let app = &asked.world.app;
    let manage = app.create_api_key(&asked.world.shop, "tools", domain::Scope::Manage).await.unwrap().key;
    let read = app.create_api_key(&asked.world.shop, "reports", domain::Scope::Read).await.unwrap().key;
    let path = |call: &str| format!("/compat/gumroad/v2/licenses/{call}");
    let named = "product_id=product==&license_key=F44E09B4-01234567-89ABCDEF-01234567";
    let put = async |call: &str, form: &str| {
        asked.send("PUT", "shop.example", &path(call), "application/x-www-form-urlencoded", form).await
    };
    for (token, status) in [("", 401), ("nobody", 401), (read.as_str(), 403)] {
        for call in ["enable", "disable", "decrement_uses_count", "rotate"] {
            assert_eq!(put(call, &format!("{named}&access_token={token}")).await.0, status, "{call} {token}");
        }
    }
    let form = format!("{named}&access_token={manage}");
    for uses in [2, 1, 0, 0] {
        let (status, body) = put("decrement_uses_count", &form).await;
        assert_eq!((status, &body["uses"]), (200, &json!(uses)), "{body}");
    }
    assert_eq!(put("disable", &form).await.0, 200);
    let off = [("/message", json!("This license key has been disabled."))];
    asked.check(&path("verify"), named, 404, &off).await;
    assert_eq!(put("enable", &form).await.0, 200);
    asked.check(&path("verify"), named, 200, &[("/uses", json!(1))]).await;
    // Money that went back is not switched on again by hand.
    let refunded = format!("product_id=product==&license_key=REFUNDED&access_token={manage}");
    let (status, body) = put("enable", &refunded).await;
    assert_eq!((status, body.pointer("/purchase/refunded")), (200, Some(&json!(true))), "{body}");

    let (_, rotated) = put("rotate", &form).await;
    let key = rotated["purchase"]["license_key"].as_str().unwrap().to_owned();
    asked.check(&path("verify"), &format!("product_id=product==&license_key={key}"), 200, &[("/uses", json!(2))]).await;
    let unknown = [("/message", json!("That license does not exist for the provided product."))];
    asked.check(&path("verify"), named, 404, &unknown).await;
    assert_eq!(
        asked.import(ForeignSystem::Gumroad, GUMROAD).await,
        (0, 3),
        "a key that was replaced does not come back"
    );
    let findings = app.examine().await.unwrap();
    assert!(findings.iter().all(|finding| finding.severity != app::Severity::Broken), "{findings:?}");
}

#[tokio::test]
async fn edd_sites_go_on_with_their_keys() {
    let asked = Asked::new(ForeignSystem::Edd, EDD).await;
    let key = "license=cc22c1ec86304b36883440e2e84cddff";
    let (old, new, third) =
        ("url=https%3A%2F%2Fwww.old.example.com", "url=http%3A%2F%2Fnew.example.com:8080%2F", "url=third.example.com");
    let (full, left) = (json!("no_activations_left"), |left: i64| json!(left));
    #[rustfmt::skip]
    type Row<'a> = (&'a str, String, &'a [(&'a str, Value)]);
    #[rustfmt::skip]
    let table: &[Row<'_>] = &[
        ("check_license", format!("{key}&item_id=8&{old}"), &[
            ("/success", json!(true)), ("/license", json!("valid")), ("/item_id", json!(8)), ("/item_name", json!("Lumen Pro")),
            ("/expires", json!("lifetime")), ("/payment_id", json!(4321)), ("/customer_name", json!("Ada")),
            ("/customer_email", json!("ada@example.com")), ("/license_limit", json!(2)), ("/site_count", json!(1)),
            ("/activations_left", left(1)), ("/price_id", json!(2))]),
        ("check_license", format!("{key}&item_name=Lumen%2520Pro&{old}"), &[("/license", json!("valid"))]),
        ("check_license", format!("{key}&item_name=Lumen+Pro&{new}"), &[("/license", json!("site_inactive")), ("/success", json!(true))]),
        ("check_license", format!("{key}&item_id=9&{old}"), &[("/license", json!("invalid_item_id")), ("/item_name", json!(""))]),
        ("check_license", format!("{key}&{old}"), &[("/license", json!("item_name_mismatch"))]),
        ("check_license", format!("license=nobody&item_id=8&{old}"), &[("/license", json!("invalid")), ("/success", json!(false)), ("/item_id", json!(8))]),
        ("check_license", format!("license=expired&item_id=8&{old}"), &[
            ("/license", json!("expired")), ("/expires", json!("2022-01-23 14:15:07")), ("/license_limit", json!(0)),
            ("/activations_left", json!("unlimited")), ("/price_id", json!(2))]),
        ("check_license", format!("license=disabled&item_id=8&{old}"), &[("/license", json!("disabled"))]),
        ("activate_license", format!("{key}&item_id=9&{new}"), &[("/error", json!("invalid_item_id")), ("/license", json!("invalid"))]),
        ("activate_license", format!("{key}&item_name=Other&{new}"), &[("/error", json!("item_name_mismatch"))]),
        ("activate_license", format!("{key}&item_id=8"), &[("/error", json!("missing_url"))]),
        ("activate_license", format!("{key}&item_id=8&{new}"), &[
            ("/success", json!(true)), ("/license", json!("valid")), ("/site_count", json!(2)), ("/activations_left", left(0))]),
        ("activate_license", format!("{key}&item_id=8&{new}"), &[("/license", json!("valid")), ("/site_count", json!(2))]),
        ("activate_license", format!("{key}&item_id=8&{third}"), &[
            ("/success", json!(false)), ("/license", json!("invalid")), ("/error", full.clone()), ("/max_sites", json!(2))]),
        ("activate_license", format!("license=nobody&item_id=8&{new}"), &[("/error", json!("missing"))]),
        ("activate_license", format!("license=expired&item_id=8&{new}"), &[("/error", json!("expired"))]),
        ("activate_license", format!("license=disabled&item_id=8&{new}"), &[("/error", json!("disabled"))]),
        ("deactivate_license", format!("{key}&item_id=8&{new}"), &[
            ("/success", json!(true)), ("/license", json!("deactivated")), ("/expires", json!("lifetime"))]),
        ("deactivate_license", format!("{key}&item_id=8&{third}"), &[("/license", json!("deactivated"))]),
        ("deactivate_license", format!("{key}&item_id=8&{old}"), &[("/license", json!("deactivated"))]),
        ("check_license", format!("{key}&item_id=8&{old}"), &[("/license", json!("inactive")), ("/site_count", json!(0))]),
        ("deactivate_license", format!("{key}&item_id=8&{old}"), &[("/license", json!("failed")), ("/success", json!(false))]),
        ("deactivate_license", format!("license=expired&item_id=8&{old}"), &[("/license", json!("failed")), ("/expires", json!(1_642_947_307))]),
        ("deactivate_license", format!("license=nobody&item_id=8&{old}"), &[("/license", json!("failed"))]),
        ("get_version", format!("{key}&item_id=8&slug=lumen"), &[("/new_version", json!("")), ("/name", json!("Lumen Pro")), ("/slug", json!("lumen"))]),
        ("get_version", key.to_owned(), &[("/msg", json!("No item provided"))]),
        ("get_version", "license=nobody&item_name=Lumen+Pro".to_owned(), &[("/msg", json!("License key is not valid for Lumen Pro"))]),
    ];
    for (action, form, expected) in table {
        asked.check("/compat/edd/", &format!("edd_action={action}&{form}"), 200, expected).await;
    }
    let query = format!("/compat/edd?edd_action=check_license&{key}&item_id=8&{new}");
    let (status, body) = asked.send("GET", "shop.example", &query, "text/plain", "").await;
    assert_eq!((status, &body["license"]), (200, &json!("inactive")));

    // A site on a developer's machine takes a seat, unless the shop says that it does not.
    let local = format!("edd_action=activate_license&{key}&item_id=8&url=http%3A%2F%2Flumen.local");
    let counted = asked.check("/compat/edd", &local, 200, &[("/site_count", json!(1))]).await;
    assert!(counted.get("is_local").is_none());
    asked.answers(domain::Compat { local_sites_are_free: true, ..Default::default() }).await;
    for local in ["http%3A%2F%2Fother.local", "staging.example.com", "example.com&environment=staging"] {
        let form = |action: &str| format!("edd_action={action}&{key}&item_id=8&url={local}");
        let free = [("/license", json!("valid")), ("/is_local", json!(true)), ("/site_count", json!(1))];
        asked.check("/compat/edd", &form("activate_license"), 200, &free).await;
        asked.check("/compat/edd", &form("check_license"), 200, &[("/license", json!("valid"))]).await;
        asked.check("/compat/edd", &form("deactivate_license"), 200, &[("/license", json!("deactivated"))]).await;
    }
}

#[tokio::test]
async fn polar_apps_go_on_with_their_activations_and_usage() {
    let asked = Asked::new(ForeignSystem::Polar, POLAR).await;
    let path = |call: &str| format!("/compat/polar/v1/customer-portal/license-keys/{call}");
    let body = |key: &str, more: &str| {
        format!(r#"{{"key":"{key}","organization_id":"22222222-2222-4222-8222-222222222222"{more}}}"#)
    };
    let key = "LUMEN-1C285B2D-6CE6-4BC7-B8BE-ADB6A7E304DA";
    let old = r#","activation_id":"55555555-5555-4555-8555-555555555555""#;
    let gone = |detail: &str| [("/error", json!("ResourceNotFound")), ("/detail", json!(detail))];
    let barred = |detail: &str| [("/error", json!("NotPermitted")), ("/detail", json!(detail))];
    asked
        .check(
            &path("validate"),
            &body(key, old),
            200,
            &[
                ("/id", json!("11111111-1111-4111-8111-111111111111")),
                ("/organization_id", json!("22222222-2222-4222-8222-222222222222")),
                ("/customer_id", json!("33333333-3333-4333-8333-333333333333")),
                ("/benefit_id", json!("44444444-4444-4444-8444-444444444444")),
                ("/customer/email", json!("ada@example.com")),
                ("/customer/external_id", json!("u1")),
                ("/key", json!(key)),
                ("/display_key", json!("****-E304DA")),
                ("/status", json!("granted")),
                ("/limit_activations", json!(2)),
                ("/usage", json!(1)),
                ("/limit_usage", json!(3)),
                ("/created_at", json!("2024-01-24T14:15:07Z")),
                ("/expires_at", json!(null)),
                ("/member_id", json!(null)),
                ("/subscription_id", json!(null)),
                ("/activation/label", json!("Old Mac")),
                ("/activation/meta/os", json!("14")),
                ("/activation/created_at", json!("2024-02-01T00:00:00Z")),
            ],
        )
        .await;
    let other = r#","activation_id":"66666666-6666-4666-8666-666666666666""#;
    let benefit = r#","benefit_id":"66666666-6666-4666-8666-666666666666""#;
    let customer = r#","customer_id":"66666666-6666-4666-8666-666666666666""#;
    #[rustfmt::skip]
    let table = [
        ("validate", body("nobody", ""), 404, gone("Not found")),
        ("validate", body(key, other), 404, gone("Not found")),
        ("validate", body(key, "").replace("222222222222\"", "222222222223\""), 404, gone("Not found")),
        ("validate", body("REVOKED", ""), 404, gone("License key is no longer active.")),
        ("validate", body(key, benefit), 404, gone("License key does not match given benefit.")),
        ("validate", body(key, customer), 404, gone("License key does not match given user.")),
        ("activate", body("nobody", r#","label":"a""#), 404, gone("Not found")),
        ("activate", body("REVOKED", r#","label":"a""#), 403,
            barred("License key is no longer active. This license key can not be activated.")),
        ("activate", body("NO-DEVICES", r#","label":"a""#), 403,
            barred("This license key does not support activations. Use the /validate endpoint instead to check license validity.")),
        ("deactivate", body(key, other), 404, gone("Not found")),
        ("deactivate", body("nobody", other), 404, gone("Not found")),
    ];
    for (call, sent, status, expected) in table {
        asked.check(&path(call), &sent, status, &expected).await;
    }
    asked.check(&path("validate"), &body(key, r#","increment_usage":2"#), 200, &[("/usage", json!(3))]).await;
    let spent = [("/error", json!("BadRequest")), ("/detail", json!("License key only has 0 more usages."))];
    asked.check(&path("validate"), &body(key, r#","increment_usage":1"#), 400, &spent).await;

    let wanted = r#","label":"New Mac","meta":{"os":"15","beta":true},"conditions":{"major":2}"#;
    let taken = asked
        .check(
            &path("activate"),
            &body(key, wanted),
            200,
            &[
                ("/label", json!("New Mac")),
                ("/meta", json!({ "os": "15", "beta": true })),
                ("/license_key/limit_activations", json!(2)),
                ("/license_key/member_id", json!(null)),
            ],
        )
        .await;
    // The client of this edition reads no answer without it.
    assert!(taken["license_key"].get("subscription_id").is_some_and(Value::is_null));
    let full = barred("License key activation limit already reached");
    asked.check(&path("activate"), &body(key, wanted), 403, &full).await;
    let new = format!(r#","activation_id":{}"#, taken["id"]);
    let met = format!(r#"{new},"conditions":{{"major":2}}"#);
    let conditions = gone("License key does not match required conditions");
    asked.check(&path("validate"), &body(key, &new), 404, &conditions).await;
    asked.check(&path("validate"), &body(key, &met), 200, &[("/activation/id", taken["id"].clone())]).await;
    for status in [204, 404] {
        asked.check(&path("deactivate"), &body(key, &new), status, &[]).await;
    }
    let (status, lacking) = asked.post(&path("activate"), "application/json", r#"{"organization_id":"x"}"#).await;
    assert_eq!((status, &lacking["error"]), (422, &json!("RequestValidationError")));
    let told: Vec<_> = lacking["detail"].as_array().unwrap().iter().map(|error| error["loc"][1].clone()).collect();
    assert_eq!(told, [json!("key"), json!("label"), json!("organization_id")], "{lacking}");
    asked.check("/compat/polar/v1/users/license-keys/validate", &body(key, ""), 200, &[]).await;
}

#[tokio::test]
async fn dodo_apps_go_on_with_their_instances() {
    let asked = Asked::new(ForeignSystem::Dodo, DODO).await;
    let path = |call: &str| format!("/compat/dodo/licenses/{call}");
    let body = |key: &str, more: &str| format!(r#"{{"license_key":"{key}"{more}}}"#);
    let at = |id: &str| format!(r#","license_key_instance_id":"{id}""#);
    let name = r#","name":"New Mac""#;
    for (key, instance, is_valid) in [
        ("DODO-1", "", true),
        ("DODO-1", "lki_1", true),
        ("DODO-1", "lki_2", false),
        ("DODO-2", "", false),
        ("DODO-3", "", false),
        ("nobody", "", false),
    ] {
        let sent = body(key, &if instance.is_empty() { String::new() } else { at(instance) });
        asked.check(&path("validate"), &sent, 200, &[("/valid", json!(is_valid))]).await;
    }
    let taken = asked
        .check(
            &path("activate"),
            &body("DODO-1", name),
            201,
            &[
                ("/business_id", json!("bus_1")),
                ("/customer/customer_id", json!("cus_1")),
                ("/customer/email", json!("ada@example.com")),
                ("/license_key_id", json!("lic_1")),
                ("/name", json!("New Mac")),
                ("/product/product_id", json!("pdt_1")),
            ],
        )
        .await;
    #[rustfmt::skip]
    let table = [
        ("activate", body("DODO-1", name), 422, "LICENSE_KEY_LIMIT_REACHED"),
        ("activate", body("DODO-2", name), 403, "INACTIVE_LICENSE_KEY"),
        ("activate", body("DODO-3", name), 403, "INACTIVE_LICENSE_KEY"),
        ("activate", body("nobody", name), 404, "LICENSE_KEY_NOT_FOUND"),
        ("activate", body("DODO-1", ""), 422, "INVALID_REQUEST_BODY"),
        ("deactivate", body("DODO-1", &at("lki_2")), 404, "LICENSE_KEY_NOT_FOUND"),
        ("deactivate", body("nobody", &at("lki_1")), 404, "LICENSE_KEY_NOT_FOUND"),
        ("deactivate", body("DODO-2", &at("lki_1")), 403, "INACTIVE_LICENSE_KEY"),
    ];
    for (call, sent, status, code) in table {
        asked.check(&path(call), &sent, status, &[("/code", json!(code))]).await;
    }
    let new = at(taken["id"].as_str().unwrap());
    asked.check(&path("validate"), &body("DODO-1", &new), 200, &[("/valid", json!(true))]).await;
    asked.check(&path("deactivate"), &body("DODO-1", &new), 200, &[]).await;
    asked.check(&path("validate"), &body("DODO-1", &new), 200, &[("/valid", json!(false))]).await;
}

#[tokio::test]
async fn a_host_name_that_was_taken_over_answers_as_the_system_that_it_was() {
    let asked = Asked::new(ForeignSystem::LemonSqueezy, LEMON_SQUEEZY).await;
    let key = "license_key=38b1460a-5104-4067-a91d-77b872934d51";
    let path = "/v1/licenses/validate";
    let form = "application/x-www-form-urlencoded";
    let ask = async |host: &str, path: &str| asked.send("POST", host, path, form, key).await;
    let (status, ours) = ask("api.old.example", path).await;
    assert_ne!((status, &ours["valid"]), (200, &json!(true)), "under any other name the path is ours");
    let hosts = [
        ("api.old.example".to_owned(), ForeignSystem::LemonSqueezy),
        ("old-shop.example".to_owned(), ForeignSystem::Edd),
    ];
    asked.answers(domain::Compat { hosts: hosts.into(), ..Default::default() }).await;
    let (status, theirs) = ask("api.old.example:8443", path).await;
    assert_eq!((status, theirs.pointer("/meta/product_id")), (200, Some(&json!(15))), "{theirs}");
    assert_eq!(ask("shop.example", path).await.1.get("meta"), None, "the shop's own name answers as ever");
    let (status, told) = asked.send("POST", "old-shop.example", "/", form, "edd_action=check_license&license=x").await;
    assert_eq!((status, &told["license"]), (200, &json!("invalid")), "{told}");
    let (status, _) = asked.send("GET", "old-shop.example", "/", form, "").await;
    assert_eq!(status, 200, "without an action it is the shop");
}

#[tokio::test]
async fn a_key_that_was_taken_over_opens_our_own_api_as_well() {
    let table = "key,email,created_at,seats,devices\nOLD-KEY-1,ada@example.com,2024-01-24,2,mac-1\n\
        OLD-KEY-2,ada@example.com,2024-01-24,2,\nOLD-KEY-3,ada@example.com,2024-01-24,2,\n";
    let asked = Asked::new(ForeignSystem::Csv, table).await;
    let seated = r#"{"key":"OLD-KEY-1","fingerprint":"mac-1"}"#;
    asked.check("/v1/licenses/validate", seated, 200, &[("/valid", json!(true))]).await;
    asked.check("/v1/licenses/activate", r#"{"key":"OLD-KEY-1","fingerprint":"mac-2"}"#, 201, &[]).await;
    asked.check("/v1/licenses/activate", r#"{"key":"OLD-KEY-1","fingerprint":"mac-3"}"#, 409, &[]).await;
    let unknown = [("/valid", json!(false)), ("/code", json!("unknown"))];
    asked.check("/v1/licenses/validate", r#"{"key":"OLD-KEY-9"}"#, 200, &unknown).await;
}
