//! What is asked of the shop, and what its answers mean. An answer that is not plainly the shop's own "yes" or "no"
//! means that nobody can tell: a proxy's page, a portal of a hotel's network, a server that stumbles.

use serde_json::Value;

/// The questions to the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Is this key one of the product? Asked before a seat is taken, so that no seat is wasted.
    Inquire,
    /// May this device have a seat?
    Activate,
    /// Does the license work on this device?
    Validate,
    /// This device is alive.
    Heartbeat,
    /// This device gives its seat back.
    Deactivate,
}

/// A POST with a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The whole address.
    pub url: String,
    /// The body; `None` makes it a GET.
    pub body: Option<String>,
    /// The value of `Accept-Language`.
    pub language: &'static str,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer over HTTP, whatever it says.
    Answer {
        /// The status.
        status: u16,
        /// The body, as text.
        body: String,
    },
    /// Nothing in time.
    Timeout,
    /// No connection, or one that broke.
    Network,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Yes, with the proof of it.
    Certificate(String),
    /// Yes, and go on to activate.
    Proceed,
    /// The seat is free.
    Released,
    /// No.
    No { code: String, message: Option<String> },
    /// Nobody can tell.
    Unclear { code: String, message: Option<String> },
}

impl Call {
    /// The path of the question.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Inquire | Self::Validate => "/v1/licenses/validate",
            Self::Activate => "/v1/licenses/activate",
            Self::Heartbeat => "/v1/licenses/heartbeat",
            Self::Deactivate => "/v1/licenses/deactivate",
        }
    }
}

/// Reads an answer.
pub(crate) fn read(call: Call, reply: &Reply) -> Meaning {
    let (status, body) = match reply {
        Reply::Answer { status, body } => (*status, body),
        Reply::Timeout => return unclear("timeout"),
        Reply::Network => return unclear("network"),
    };
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let understood = match status {
        200 | 201 => yes(call, &json),
        403 | 404 | 409 => no(call, &json),
        _ => None,
    };
    understood.unwrap_or_else(|| match (text(&json, "code"), text(&json, "detail")) {
        _ if status >= 500 || status == 408 || status == 429 => unclear("unavailable"),
        (Some(code), Some(detail)) if status >= 400 => Meaning::Unclear { code, message: Some(detail) },
        (Some(_) | None, Some(_) | None) => unclear("answer_unreadable"),
    })
}

fn yes(call: Call, json: &Value) -> Option<Meaning> {
    let certificate = text(json, "certificate").map(Meaning::Certificate);
    match call {
        Call::Inquire | Call::Validate => match (json["valid"].as_bool()?, text(json, "code")?) {
            (false, code) => Some(Meaning::No { code, message: text(json, "detail") }),
            (true, _) if call == Call::Inquire => Some(Meaning::Proceed),
            (true, _) => certificate,
        },
        Call::Activate | Call::Heartbeat => {
            json["activation"].as_object()?;
            // A seat of a license that does not work now is alive, and is told how the license stands instead.
            let standing = json["license"]["state"].as_str()?;
            certificate.or_else(|| (standing != "active").then(|| Meaning::No { code: standing.into(), message: None }))
        }
        Call::Deactivate => json["activation"].is_object().then_some(Meaning::Released),
    }
}

fn no(call: Call, json: &Value) -> Option<Meaning> {
    let code = text(json, "code")?;
    let message = text(json, "detail");
    match (call, code.strip_prefix("license_"), code.as_str()) {
        (Call::Deactivate, _, "not_activated") => Some(Meaning::Released),
        (_, Some(code), _) => Some(Meaning::No { code: code.to_owned(), message }),
        (_, None, "not_activated" | "seat_limit_reached") => Some(Meaning::No { code, message }),
        (_, None, _) => None,
    }
}

pub(crate) fn unclear(code: &str) -> Meaning {
    Meaning::Unclear { code: code.to_owned(), message: None }
}

fn text(json: &Value, name: &str) -> Option<String> {
    json[name].as_str().map(str::to_owned)
}
