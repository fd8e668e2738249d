//! The language selector that stands below every page.

use axum::Form;
use axum::extract::State;
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use domain::Locale;

use crate::public::fields::Fields;
use crate::visit::{LOCALE_COOKIE, Visit};
use crate::{Web, cookie};

const A_YEAR_IN_SECONDS: i64 = 365 * 24 * 3_600;

pub(crate) async fn choose(State(web): State<Web>, Form(fields): Form<Fields>) -> Response {
    let back = Redirect::to(&own_address(fields.get("return_to")));
    let known = Locale::parse(fields.get("locale"))
        .filter(|locale| web.app.catalog.languages().iter().any(|(known, _)| known == locale));
    let chosen = known
        .and_then(|locale| cookie::set(LOCALE_COOKIE, locale.as_str(), "/", A_YEAR_IN_SECONDS, Visit::is_secure(&web)));
    match chosen {
        Some(value) => (AppendHeaders([(header::SET_COOKIE, value)]), back).into_response(),
        None => back.into_response(),
    }
}

/// The address where the visitor was, if it is one of ours, without the
/// language that it may name: the choice that was just made counts.
fn own_address(address: &str) -> String {
    let is_own = address.starts_with('/')
        && !address.starts_with("//")
        && address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if !is_own {
        return "/".to_owned();
    }
    let Some((path, query)) = address.split_once('?') else { return address.to_owned() };
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("locale=")).collect();
    if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::own_address;

    #[test]
    fn the_language_selector_returns_to_our_own_pages_only() {
        #[rustfmt::skip]
        let table = [
            ("/p/lumen",                     "/p/lumen"),
            ("/p/lumen?locale=de",           "/p/lumen"),
            ("/buy/pro?a=1&locale=de&b=2",   "/buy/pro?a=1&b=2"),
            ("//evil.example",               "/"),
            ("/\\evil.example",              "/"),
            ("https://evil.example/",        "/"),
            ("",                             "/"),
            ("/a\r\nset-cookie: x=y",        "/"),
        ];
        for (given, expected) in table {
            assert_eq!(own_address(given), expected, "{given}");
        }
    }
}
