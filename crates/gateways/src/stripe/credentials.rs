//! What an account at Stripe is reached with, read from the JSON text that
//! the account keeps sealed. Relies on nothing else. No error and no `Debug`
//! output ever holds a secret.

use std::fmt;

use serde::Deserialize;

use crate::CredentialsError;

const STRIPE: &str = "https://api.stripe.com";

/// The settings of one account, complete and of the right shape.
pub(super) struct Credentials {
    /// Goes into the `Authorization` header.
    pub(super) secret_key: String,
    /// Every secret that may sign: two while one is being rotated.
    pub(super) webhook_secrets: Vec<String>,
    /// Where the API is, without a slash at the end.
    pub(super) base_url: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Credentials for {}", self.base_url)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    secret_key: Option<String>,
    webhook_secret: Option<Secrets>,
    base_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Secrets {
    One(String),
    Several(Vec<String>),
}

impl Credentials {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the field that is missing or wrong, never its value.
    pub(super) fn read(text: &str) -> Result<Self, CredentialsError> {
        let settings = serde_json::from_str::<Settings>(text).map_err(|_| Self::unreadable(text))?;
        let secret_key = secret_key(settings.secret_key)?;
        let webhook_secrets = webhook_secrets(settings.webhook_secret)?;
        let base_url = base_url(settings.base_url, &secret_key)?;
        Ok(Self { secret_key, webhook_secrets, base_url })
    }

    /// serde's own words quote values; these name the field and nothing more.
    fn unreadable(text: &str) -> CredentialsError {
        const KNOWN: [&str; 3] = ["secret_key", "webhook_secret", "base_url"];
        let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(text) else {
            return problem("settings", "must be a JSON object with secret_key and webhook_secret");
        };
        if fields.keys().any(|name| !KNOWN.contains(&name.as_str())) {
            return problem("settings", "only secret_key, webhook_secret and base_url are known here");
        }
        let is_text_or_absent = |name: &str| fields.get(name).is_none_or(|value| value.is_string() || value.is_null());
        if !is_text_or_absent("secret_key") {
            return problem("secret_key", "must be a text");
        }
        if !is_text_or_absent("base_url") {
            return problem("base_url", "must be a text");
        }
        if is_text_or_absent("webhook_secret") {
            return problem("settings", "a field stands there twice");
        }
        problem("webhook_secret", "must be a text or a list of texts")
    }
}

fn problem(field: &str, problem: &str) -> CredentialsError {
    CredentialsError { field: field.to_owned(), problem: problem.to_owned() }
}

/// Printable ASCII without spaces: what fits into a header, and what a careless copy breaks.
fn is_token(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn secret_key(value: Option<String>) -> Result<String, CredentialsError> {
    const FIELD: &str = "secret_key";
    let key = value.ok_or_else(|| problem(FIELD, "is missing"))?;
    if key.starts_with("pk_") {
        return Err(problem(FIELD, "is the publishable key; the secret key begins with sk_ or rk_"));
    }
    let known = ["sk_live_", "sk_test_", "rk_live_", "rk_test_"];
    if !known.iter().any(|prefix| key.len() > prefix.len() && key.starts_with(prefix)) {
        return Err(problem(FIELD, "must begin with sk_live_, sk_test_, rk_live_ or rk_test_"));
    }
    if !is_token(&key) {
        return Err(problem(FIELD, "holds a space or another character that no key has"));
    }
    Ok(key)
}

fn webhook_secrets(value: Option<Secrets>) -> Result<Vec<String>, CredentialsError> {
    const FIELD: &str = "webhook_secret";
    /// Stripe signs with the old and the new one while a secret is rotated; room for a second endpoint beside.
    const MOST: usize = 8;
    let secrets = match value.ok_or_else(|| problem(FIELD, "is missing"))? {
        Secrets::One(secret) => vec![secret],
        Secrets::Several(secrets) => secrets,
    };
    if secrets.is_empty() || secrets.iter().any(String::is_empty) {
        return Err(problem(FIELD, "must not be empty: anybody could sign with an empty secret"));
    }
    if secrets.len() > MOST {
        return Err(problem(FIELD, "holds more than eight secrets"));
    }
    let is_api_key = |secret: &String| ["sk_", "rk_", "pk_"].iter().any(|prefix| secret.starts_with(prefix));
    if secrets.iter().any(is_api_key) {
        return Err(problem(FIELD, "is an API key; the signing secret of an endpoint begins with whsec_"));
    }
    if !secrets.iter().all(|secret| is_token(secret)) {
        return Err(problem(FIELD, "holds a space or another character that no secret has"));
    }
    Ok(secrets)
}

fn base_url(value: Option<String>, secret_key: &str) -> Result<String, CredentialsError> {
    const FIELD: &str = "base_url";
    let url = value.unwrap_or_else(|| STRIPE.to_owned());
    let url = url.strip_suffix('/').unwrap_or(&url);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]/".contains(&byte);
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && rest.len() <= 255 && rest.bytes().all(plain) => {}
        Some(_) | None => return Err(problem(FIELD, "must be a web address without user, query and fragment")),
    }
    // Another address is for tests. A live key moves real money and is shown to Stripe alone.
    if url != STRIPE && !secret_key.contains("_test_") {
        return Err(problem(FIELD, "can only be set beside a test key"));
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn settings_are_read_when_they_are_complete() {
        let read = |text| Credentials::read(text).unwrap();
        let one = read(r#"{"secret_key":"sk_test_1","webhook_secret":"whsec_a"}"#);
        assert_eq!((one.secret_key.as_str(), one.base_url.as_str()), ("sk_test_1", "https://api.stripe.com"));
        assert_eq!(one.webhook_secrets, ["whsec_a"]);
        let two = read(
            r#"{"secret_key":"rk_test_1","webhook_secret":["whsec_a","whsec_b"],"base_url":"http://127.0.0.1:4343/"}"#,
        );
        assert_eq!(two.webhook_secrets, ["whsec_a", "whsec_b"]);
        assert_eq!(two.base_url, "http://127.0.0.1:4343");
        read(r#"{"secret_key":"sk_live_1","webhook_secret":"whsec_a","base_url":"https://api.stripe.com/"}"#);
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_the_name_of_the_field() {
        #[rustfmt::skip]
        let table = [
            ("", "settings"),
            ("null", "settings"),
            ("[]", "settings"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":"whsec_SECRET","publishable_key":"x"}"#, "settings"),
            (r#"{"secret_key":"sk_test_SECRET","secret_key":"sk_test_SECRET","webhook_secret":"whsec_SECRET"}"#, "settings"),
            (r#"{"webhook_secret":"whsec_SECRET"}"#, "secret_key"),
            (r#"{"secret_key":null,"webhook_secret":"whsec_SECRET"}"#, "secret_key"),
            (r#"{"secret_key":5,"webhook_secret":"whsec_SECRET"}"#, "secret_key"),
            (r#"{"secret_key":"","webhook_secret":"whsec_SECRET"}"#, "secret_key"),
            (r#"{"secret_key":"sk_test_","webhook_secret":"whsec_SECRET"}"#, "secret_key"),
            (r#"{"secret_key":"pk_test_SECRET","webhook_secret":"whsec_SECRET"}"#, "secret_key"),
            (r#"{"secret_key":"SECRET","webhook_secret":"whsec_SECRET"}"#, "secret_key"),
            (r#"{"secret_key":"sk_test_SECRET\r\nX: y","webhook_secret":"whsec_SECRET"}"#, "secret_key"),
            (r#"{"secret_key":"sk_test_SECRET"}"#, "webhook_secret"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":""}"#, "webhook_secret"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":[]}"#, "webhook_secret"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":["whsec_SECRET",""]}"#, "webhook_secret"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":["whsec_SECRET",7]}"#, "webhook_secret"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":" whsec_SECRET"}"#, "webhook_secret"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":"sk_test_SECRET"}"#, "webhook_secret"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":"whsec_SECRET","base_url":"ftp://SECRET"}"#, "base_url"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":"whsec_SECRET","base_url":"https://"}"#, "base_url"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":"whsec_SECRET","base_url":"https://a:SECRET@b"}"#, "base_url"),
            (r#"{"secret_key":"sk_test_SECRET","webhook_secret":"whsec_SECRET","base_url":"https://b?x=SECRET"}"#, "base_url"),
            (r#"{"secret_key":"sk_live_SECRET","webhook_secret":"whsec_SECRET","base_url":"https://b"}"#, "base_url"),
        ];
        for (text, field) in table {
            let error = Credentials::read(text).err().unwrap_or_else(|| panic!("accepted: {text}"));
            assert_eq!(error.field, field, "{text}");
            assert!(!error.to_string().contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn an_empty_secret_is_refused_for_what_it_is() {
        for secrets in [r#""""#, "[]", r#"["whsec_a",""]"#] {
            let error = Credentials::read(&format!(r#"{{"secret_key":"sk_test_1","webhook_secret":{secrets}}}"#));
            assert!(error.unwrap_err().problem.starts_with("must not be empty"), "{secrets}");
        }
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let read = Credentials::read(r#"{"secret_key":"sk_test_SECRET","webhook_secret":"whsec_SECRET"}"#).unwrap();
        assert!(!format!("{read:?}").contains("SECRET"));
    }
}
