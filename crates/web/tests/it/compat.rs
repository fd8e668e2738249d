//! Apps of other systems against our endpoints: what they send, and what they are told.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use domain::ForeignSystem;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::World;

const LEMON_SQUEEZY: &str = r#"
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

struct Asked {
    world: World,
}

impl Asked {
    async fn new(system: ForeignSystem, export: &str) -> Self {
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

    async fn post(&self, path: &str, kind: &str, body: &str) -> (u16, Value) {
        let request = Request::post(path)
            .header(header::HOST, "shop.example")
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let router = web::router(web::Web { app: std::sync::Arc::clone(&self.world.app), mailbox: None });
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// Sends a form, and holds the answer against the fields that are expected in it.
    async fn check(&self, path: &str, form: &str, status: u16, expected: &[(&str, Value)]) -> Value {
        let (told, body) = self.post(path, "application/x-www-form-urlencoded", form).await;
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
