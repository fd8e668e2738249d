//! A browser without a face and a program's client: requests, answers, forms.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;

/// Sends requests. Follows no redirect: a test wants to see each.
#[derive(Clone)]
pub struct Http(Client);

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Nothing came back, and why: what a killed server looks like from outside.
pub type Sent = Result<Reply, String>;

impl Http {
    pub fn new() -> Self {
        let client =
            Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(60));
        Self(client.build().expect("a client"))
    }

    pub async fn send(&self, method: Method, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Sent {
        let mut request = self.0.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.map_err(|error| told(&error))?;
        let status = response.status().as_u16();
        let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let body = response.bytes().await.map_err(|error| told(&error))?;
        Ok(Reply { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    pub async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Sent {
        self.send(Method::GET, url, headers, Vec::new()).await
    }

    pub async fn post_json(&self, url: &str, headers: &[(&str, &str)], body: &Value) -> Sent {
        let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
        self.send(Method::POST, url, &headers, body.to_string().into_bytes()).await
    }

    pub async fn post_form(&self, url: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Sent {
        let headers: Vec<_> =
            headers.iter().copied().chain([("content-type", "application/x-www-form-urlencoded")]).collect();
        self.send(Method::POST, url, &headers, form(fields).into_bytes()).await
    }
}

/// The whole chain of causes: reqwest's first words name only the address.
fn told(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}

pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{} is not JSON ({error}): {}", self.status, self.body))
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What the browser sends back from now on, as one `Cookie` header.
    pub fn cookies(&self) -> String {
        let set = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        set.filter_map(|(_, value)| value.split(';').next()).collect::<Vec<_>>().join("; ")
    }

    /// Where a redirect leads.
    pub fn location(&self) -> Option<&str> {
        self.header("location").filter(|_| matches!(self.status, 302 | 303 | 307))
    }

    /// The first form that goes to an address with one of these beginnings, and what it says as it stands.
    pub fn form_to(&self, beginnings: &[&str]) -> Option<PageForm> {
        let forms = self.body.split("<form").skip(1).map(|rest| rest.split("</form").next().unwrap_or(rest));
        forms.filter_map(read_form).find(|form| beginnings.iter().any(|beginning| form.action.starts_with(beginning)))
    }
}

fn read_form(form: &str) -> Option<PageForm> {
    let tag = form.split('>').next()?;
    let inputs = form.split("<input").skip(1).filter_map(|rest| {
        let tag = rest.split('>').next()?;
        let counts =
            attribute(tag, "type").is_none_or(|kind| kind != "checkbox" && kind != "radio") || tag.contains(" checked");
        counts.then_some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
    });
    Some(PageForm { action: attribute(tag, "action").unwrap_or_default(), fields: inputs.collect() })
}

/// A form as it stands on a page.
#[derive(Debug, Clone)]
pub struct PageForm {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl PageForm {
    /// The fields with these filled in.
    pub fn filled<'a>(&'a self, with: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let kept = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let kept = kept.filter(|(name, _)| with.iter().all(|(filled, _)| filled != name));
        kept.chain(with.iter().copied()).collect()
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
    let value = rest.split('"').next()?;
    Some(
        value
            .replace("&#38;", "&")
            .replace("&amp;", "&")
            .replace("&#34;", "\"")
            .replace("&quot;", "\"")
            .replace("&#39;", "'"),
    )
}
