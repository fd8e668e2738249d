//! What holds for every answer, whatever was asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use app::App;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, Version, header};
use axum::response::Response;
use domain::EventId;
use serde_json::Value;
use tower::ServiceExt as _;
use web::Web;

use crate::support::World;

async fn ask(app: &Arc<App>, method: Method, version: Version) -> Response {
    let request = Request::builder().method(method).version(version).uri("/livez").header(header::HOST, "shop.test");
    let site = web::site(Web { app: Arc::clone(app), mailbox: None });
    site.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_server_that_goes_down_ends_the_connections_that_carry_one_request_at_a_time() {
    let world = World::new().await;
    #[rustfmt::skip]
    let table = [
        // is going down, version, is told to close
        (false, Version::HTTP_10, false),
        (false, Version::HTTP_11, false),
        (false, Version::HTTP_2,  false),
        (true,  Version::HTTP_10, true),
        (true,  Version::HTTP_11, true),
        // Where many share a connection, its end is told otherwise.
        (true,  Version::HTTP_2,  false),
    ];
    for (goes_down, version, closes) in table {
        if goes_down {
            world.app.begin_drain();
        }
        let answer = ask(&world.app, Method::GET, version).await;
        let told = answer.headers().get(header::CONNECTION).map(|value| value.to_str().unwrap());
        assert_eq!(told, closes.then_some("close"), "{version:?}, going down: {goes_down}");
    }
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let world = World::new().await;
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let answer = ask(&world.app, Method::GET, Version::HTTP_11).await;
        let id = answer.headers()["request-id"].to_str().unwrap().to_owned();
        let minted = id.strip_prefix("req_").and_then(|name| EventId::parse(&format!("evt_{name}")).ok());
        assert!(minted.is_some(), "{id}");
        ids.insert(id);
    }
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[tokio::test]
async fn answers_are_counted_by_route_and_method_and_a_made_up_method_makes_no_series() {
    let world = World::new().await;
    let made_up = |name: &[u8]| Method::from_bytes(name).unwrap();
    for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS, made_up(b"PROPFIND"), made_up(b"XYZZY")] {
        ask(&world.app, method, Version::HTTP_11).await;
    }
    let told = world.app.exposition().await;
    let counted: Vec<&str> =
        told.lines().filter(|line| line.starts_with("latchkey_http_requests_total{route=\"/livez\"")).collect();
    let series = |method: &str, status: u16, count: u8| {
        format!(r#"latchkey_http_requests_total{{route="/livez",method="{method}",status="{status}"}} {count}"#)
    };
    let expected = [
        series("GET", 200, 1),
        series("HEAD", 200, 1),
        series("OPTIONS", 405, 1),
        series("POST", 405, 1),
        series("other", 405, 2),
    ];
    assert_eq!(counted, expected);
}

/// A validation is answered before the routes, and everything else by them.
#[tokio::test]
async fn a_validation_is_refused_as_every_other_question_is() {
    let world = World::new().await;
    let site = web::site(Web { app: Arc::clone(&world.app), mailbox: None });
    let large = format!(r#"{{"key":"{}"}}"#, "A".repeat(70 << 10));
    #[rustfmt::skip]
    let table = [
        // header, body, expected
        (("content-type", "application/json"), "{}",           StatusCode::UNPROCESSABLE_ENTITY),
        (("content-type", "application/json"), "[]",           StatusCode::UNPROCESSABLE_ENTITY),
        (("content-type", "application/json"), "{\"key\":",    StatusCode::BAD_REQUEST),
        (("content-type", "text/plain"),       "{}",           StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (("content-encoding", "gzip"),         "{}",           StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (("content-type", "application/json"), large.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
    ];
    for ((name, value), body, expected) in table {
        let ask = async |path: &str| {
            let request = Request::post(path).header(header::HOST, "shop.test").header(name, value);
            let answer = site.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
            let (parts, body) = answer.into_parts();
            // The server writes the length of a body where nobody has.
            let names = parts.headers.keys().filter(|name| *name != header::CONTENT_LENGTH);
            let names: BTreeSet<String> = names.map(ToString::to_string).collect();
            let told: Value = serde_json::from_slice(&to_bytes(body, 1 << 20).await.unwrap()).unwrap();
            (parts.status, told["code"].clone(), names)
        };
        let validation = ask("/v1/licenses/validate").await;
        assert_eq!(validation.0, expected, "{name}: {value}, {}", &body[..body.len().min(20)]);
        assert_eq!(validation, ask("/v1/licenses/activate").await, "{name}: {value}");
        assert!(validation.2.contains("access-control-allow-origin"), "{:?}", validation.2);
    }
}
