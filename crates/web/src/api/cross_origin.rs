//! Lets apps that are pages of other sites ask about licenses and read the answers (CORS). Only where no cookie
//! and no API key counts, so that a foreign page gains nothing by its visitor.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// What such a page may send, and read.
pub(crate) struct Opening {
    methods: &'static str,
    sent: &'static str,
    read: &'static str,
}

/// Where a key stands in the body.
pub(crate) const ORDINARY: Opening = Opening {
    methods: "GET, POST",
    sent: "content-type, accept-language, idempotency-key",
    read: "request-id, retry-after",
};

/// Where apps show their key in a header, and say which version of the API they speak.
pub(crate) const KEYGEN: Opening = Opening {
    methods: "GET, POST, PATCH, DELETE",
    sent: "authorization, content-type, keygen-version, keygen-environment, keygen-accept-signature",
    read: "request-id, retry-after, digest, keygen-digest, keygen-date, keygen-signature",
};

impl Opening {
    /// The answer to a browser that asks beforehand.
    pub(crate) fn preflight(&self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, self.methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, self.sent),
            (header::ACCESS_CONTROL_MAX_AGE, "7200"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// The answer, readable for pages of other sites.
    pub(crate) fn open(&self, mut response: Response) -> Response {
        for (name, value) in
            [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::ACCESS_CONTROL_EXPOSE_HEADERS, self.read)]
        {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
