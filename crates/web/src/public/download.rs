//! Files that a visitor saves.

use app::LicenseFile;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

/// A license file, to be saved under its name.
pub(crate) fn license_file(file: &LicenseFile) -> Response {
    let mut response = file.text.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", file.name())) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
