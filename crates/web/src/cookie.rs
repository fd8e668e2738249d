//! Cookies, in and out.

use axum::http::{HeaderMap, HeaderValue, header};

/// The value of a cookie.
pub(crate) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// A cookie that scripts cannot read and that other sites cannot send along
/// with a form. `secure` where the server is reached by https.
pub(crate) fn set(name: &str, value: &str, path: &str, max_age_seconds: i64, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={value}; Path={path}; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax{secure}"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_wherever_it_stands() {
        let mut headers = HeaderMap::new();
        for value in ["portal_old=1; xportal=2;portal=three", "receipt=a=b; other", "portal=late"] {
            headers.append(header::COOKIE, HeaderValue::from_static(value));
        }
        for (name, value) in [
            ("portal", Some("three")),
            ("receipt", Some("a=b")),
            ("portal_old", Some("1")),
            ("other", None),
            ("Portal", None),
            ("", None),
        ] {
            assert_eq!(get(&headers, name), value, "{name:?}");
        }
        assert_eq!(get(&HeaderMap::new(), "portal"), None);
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_sites() {
        let plain = "receipt=token; Path=/orders/ord_1; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(set("receipt", "token", "/orders/ord_1", 60, false).unwrap(), plain);
        assert_eq!(set("receipt", "token", "/orders/ord_1", 60, true).unwrap(), format!("{plain}; Secure").as_str());
        assert_eq!(set("receipt", "a\nb", "/", 60, true), None, "what would begin a header of its own");
    }
}
