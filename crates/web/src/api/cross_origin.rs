//! Lets apps that are pages of other sites ask about licenses and read the answers (CORS). Only where no cookie
//! and no API key counts, so that a foreign page gains nothing by its visitor.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// The answer to a browser that asks beforehand.
pub(crate) fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, accept-language, idempotency-key"),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The answer, readable for pages of other sites.
pub(crate) fn open(mut response: Response) -> Response {
    for (name, value) in
        [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::ACCESS_CONTROL_EXPOSE_HEADERS, "request-id, retry-after")]
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
