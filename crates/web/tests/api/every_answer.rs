//! What holds for every answer, whatever was asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use app::App;
use axum::body::Body;
use axum::http::{Method, Request, Version, header};
use axum::response::Response;
use domain::EventId;
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
