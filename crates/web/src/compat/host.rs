//! Host names that a shop has taken over: what is asked there is asked of the system that it was, at its own paths.

use std::mem;

use app::App;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{Method, Uri};
use domain::ForeignSystem;

use crate::visit::host;

/// The address that was asked, where it was moved: what is signed is what was asked.
#[derive(Clone)]
pub(crate) struct Unmoved(pub(crate) Uri);

/// The request as it would be under `/compat/<system>`, where its host name is one that was taken over. For EDD only
/// what names an `edd_action` or is posted to a page: the rest of a site that sold by it is a shop like any other.
pub(crate) fn rewritten(app: &App, request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    if let Some(system) = app.system_at_hand(host(&parts))
        && let Some(uri) = moved(system, &parts.method, &parts.uri)
    {
        parts.extensions.insert(Unmoved(mem::replace(&mut parts.uri, uri)));
    }
    Request::from_parts(parts, body)
}

fn moved(system: ForeignSystem, method: &Method, uri: &Uri) -> Option<Uri> {
    if OURS.iter().any(|path| uri.path().starts_with(path)) || !system.is_answered() {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = match system {
        ForeignSystem::LemonSqueezy
        | ForeignSystem::Gumroad
        | ForeignSystem::Polar
        | ForeignSystem::Dodo
        | ForeignSystem::Keygen => uri.path(),
        ForeignSystem::Edd | ForeignSystem::Csv => {
            let names_action = query.trim_start_matches('?').split('&').any(|pair| pair.starts_with("edd_action="));
            let is_posted_home = method == Method::POST && uri.path() == "/";
            if !names_action && !is_posted_home {
                return None;
            }
            "/"
        }
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("/compat/{}{path}{query}", system.as_str())).ok()?);
    Uri::from_parts(parts).ok()
}

/// What is ours under every name.
const OURS: [&str; 5] = ["/compat/", "/.well-known/", "/livez", "/readyz", "/assets/"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_of_a_system_are_found_where_it_is_answered() {
        use ForeignSystem::{Csv, Edd, Keygen, LemonSqueezy};
        #[rustfmt::skip]
        let table = [
            (LemonSqueezy, "POST", "/v1/licenses/activate", Some("/compat/lemon_squeezy/v1/licenses/activate")),
            (LemonSqueezy, "POST", "/v1/licenses/validate?license_key=a%20b", Some("/compat/lemon_squeezy/v1/licenses/validate?license_key=a%20b")),
            (LemonSqueezy, "GET", "/livez", None),
            (LemonSqueezy, "GET", "/.well-known/acme-challenge/x", None),
            (LemonSqueezy, "POST", "/compat/gumroad/v2/licenses/verify", None),
            (Edd, "GET", "/?edd_action=check_license&license=a", Some("/compat/edd/?edd_action=check_license&license=a")),
            (Edd, "GET", "/blog/?x=1&edd_action=get_version", Some("/compat/edd/?x=1&edd_action=get_version")),
            (Edd, "POST", "/", Some("/compat/edd/")),
            (Edd, "GET", "/", None),
            (Edd, "POST", "/buy/pro", None),
            (Keygen, "GET", "/v1/accounts/demo/me?a=b", Some("/compat/keygen/v1/accounts/demo/me?a=b")),
            (Csv, "POST", "/", None),
        ];
        for (system, method, from, to) in table {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let found = moved(system, &method, &from.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), to, "{method} {from}");
        }
        let absolute: Uri = "https://old.example:443/v1/licenses/activate".parse().unwrap();
        let found = moved(LemonSqueezy, &Method::POST, &absolute).map(|uri| uri.to_string());
        assert_eq!(found.as_deref(), Some("https://old.example:443/compat/lemon_squeezy/v1/licenses/activate"));
    }
}
