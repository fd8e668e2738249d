//! A program that calls the API.

use std::sync::Arc;

use app::App;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use domain::Scope;
use latchkey_license::KeyCode;
use serde_json::{Value, json};
use store::{Expect, OrderFilter, Page, Statement};
use tower::ServiceExt as _;
use web::{Site, Web};

use crate::support::World;

#[derive(Clone)]
pub(crate) struct Caller {
    site: Site,
    key: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Caller {
    /// Shows no key.
    pub(crate) fn stranger(app: &Arc<App>) -> Self {
        Self { site: web::site(Web { app: Arc::clone(app), mailbox: None }), key: None }
    }

    /// Shows a key of this scope.
    pub(crate) async fn with(world: &World, scope: Scope) -> Self {
        let key = world.app.create_api_key(&world.shop, "test", scope).await.unwrap().key;
        Self::stranger(&world.app).showing(&key)
    }

    pub(crate) async fn manager(world: &World) -> Self {
        Self::with(world, Scope::Manage).await
    }

    pub(crate) fn showing(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string().into_bytes()).await
    }

    /// A call that may be repeated under this key.
    pub(crate) async fn post_once(&self, path: &str, idempotency_key: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("idempotency-key", idempotency_key)];
        self.send(Method::POST, path, &headers, body.to_string().into_bytes()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "shop.test");
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(Body::from(body)).unwrap()).await
    }

    /// Sends it as it is.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.site.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 4 << 20).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}: {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Insists on a whole problem of this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let told = self.is(status);
        let problem = told.json();
        assert_eq!(problem["code"], code, "{}", told.text);
        assert_eq!(told.header("content-type"), "application/problem+json", "{}", told.text);
        assert_eq!(problem["status"], status);
        assert_eq!(problem["doc_url"], format!("/docs/errors#{code}"));
        assert_eq!(problem["request_id"], told.header("request-id"));
        assert!(problem["detail"].as_str().unwrap().len() > 10, "{}", told.text);
        told
    }
}

/// What a buyer in Germany wants.
pub(crate) fn order_of(plan: &str) -> Value {
    json!({ "plan": plan, "currency": "EUR", "customer": { "email": "ada@example.com", "country": "DE" } })
}

/// A key that nobody has, whose check symbols hold.
pub(crate) fn key_of_nobody() -> String {
    KeyCode::from_random_bytes([7; 16]).to_string()
}

/// How many orders there are.
pub(crate) async fn orders(world: &World) -> usize {
    let page = Page { starting_after: None, ending_before: None, limit: 100 };
    world.app.store.orders(world.shop.id, &OrderFilter::default(), page).await.unwrap().data.len()
}

/// The node died before it could write down what it answered to any call, and its claims are over.
pub(crate) async fn lose_answers(world: &World) {
    let sql = "update idempotency_keys set status = null, body = null, held_until = created_at";
    let statement = Statement { sql, values: Vec::new(), expect: Expect::Any, what: "test" };
    world.app.store.engine().commit(vec![statement]).await.unwrap();
}
