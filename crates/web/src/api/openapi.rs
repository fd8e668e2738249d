//! The API described for programs, as OpenAPI 3.1.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// The description, written by hand; a test holds it against the router.
const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")], DOCUMENT)
        .into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

    /// What is described and what the router has, as `get /v1/orders`.
    fn described() -> BTreeSet<String> {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let calls = |(path, item): (&String, &Value)| {
            let methods: Vec<String> =
                item.as_object().unwrap().keys().filter(|key| METHODS.contains(&key.as_str())).cloned().collect();
            methods.into_iter().map(|method| format!("{method} {path}")).collect::<Vec<_>>()
        };
        paths.iter().flat_map(calls).collect()
    }

    fn routed() -> BTreeSet<String> {
        let for_programs = |path: &str| {
            ["/v1/", "/hooks/", "/.well-known/", "/downloads/"].iter().any(|root| path.starts_with(root))
                || ["/openapi.json", "/livez", "/readyz"].contains(&path)
        };
        include_str!("../router.rs")
            .split(".route(\"")
            .skip(1)
            .map(|rest| rest.split_once('"').unwrap())
            .filter(|(path, _)| for_programs(path))
            .flat_map(|(path, rest)| {
                let handlers = rest.split('\n').next().unwrap();
                METHODS
                    .iter()
                    .filter(move |method| handlers.contains(&format!("{method}(")))
                    .map(move |method| format!("{method} {path}"))
            })
            .collect()
    }

    #[test]
    fn every_route_for_programs_is_described_and_nothing_else() {
        assert!(routed().len() > 25);
        assert_eq!(described(), routed());
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_body_is_closed() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut open = vec![&document];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(target)) = fields.get("$ref") {
                        assert!(document.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target}");
                    }
                    open.extend(fields.values());
                }
                Value::Array(items) => open.extend(items),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for (name, schema) in schemas.iter().filter(|(name, _)| name.ends_with("Input")) {
            assert_eq!(schema["additionalProperties"], false, "{name}");
        }
    }

    #[test]
    fn every_event_that_can_happen_is_described() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let kinds: Vec<&str> = domain::EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(document["components"]["schemas"]["Event"]["properties"]["type"]["enum"], serde_json::json!(kinds));
    }
}
