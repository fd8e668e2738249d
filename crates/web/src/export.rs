//! Tables for other programs: CSV (RFC 4180), written page by page while it is sent, however many rows there are.
//!
//! What begins as a formula would be run by a spreadsheet, so such a cell gets an apostrophe in front, which
//! spreadsheets show as text.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use domain::{ActivationId, BatchId, LicenseId, ShopId};
use futures::stream::{self, Stream, StreamExt as _};
use store::ReadError;

use crate::Web;

/// One line, ended as the format asks.
fn line(cells: &[&str]) -> String {
    let mut line = cells.iter().map(|cell| written(cell)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn written(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guarded = if is_formula { format!("'{cell}") } else { cell.to_owned() };
    if guarded.contains([',', '"', '\n', '\r', ';']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

fn shown(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A file whose parts are read while it is sent. Where one cannot be read, the file breaks off, and is seen to.
fn download(
    name: &str,
    titles: &[&str],
    parts: impl Stream<Item = Result<String, ReadError>> + Send + 'static,
) -> Response {
    let titles = line(titles);
    let body = Body::from_stream(stream::once(async move { Ok(titles) }).chain(parts));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// Every license of a shop, without its key.
pub(crate) fn licenses(web: &Web, shop: ShopId) -> Response {
    let (web, now) = (web.clone(), web.app.clock.now());
    let parts = stream::try_unfold((web, None::<LicenseId>), move |(web, after)| async move {
        let rows = web.app.store.exported_licenses(shop, after).await?;
        let Some(last) = rows.last().map(|row| row.license.id) else { return Ok(None) };
        let lines: String = rows
            .iter()
            .map(|row| {
                let license = &row.license;
                line(&[
                    &license.id.to_string(),
                    &shown(row.number.as_ref()),
                    &shown(row.email.as_ref()),
                    &license.product.to_string(),
                    &license.plan.to_string(),
                    &license.key_tail,
                    license.standing(now).as_str(),
                    &shown(license.policy.seats),
                    &license.seats_used.to_string(),
                    &shown(license.started_at),
                    &shown(license.expires_at),
                    &shown(license.updates_until),
                    &shown(license.batch),
                    &license.created_at.to_string(),
                    &shown(license.group),
                    row.group_name.as_deref().unwrap_or_default(),
                ])
            })
            .collect();
        Ok(Some((lines, (web, Some(last)))))
    });
    let titles = [
        "license",
        "order_number",
        "email",
        "product",
        "plan",
        "key_tail",
        "state",
        "seats",
        "seats_used",
        "started_at",
        "expires_at",
        "updates_until",
        "batch",
        "created_at",
        "group",
        "group_name",
    ];
    download("licenses", &titles, parts)
}

/// Every device that ever held a seat in a shop.
pub(crate) fn activations(web: &Web, shop: ShopId) -> Response {
    let parts = stream::try_unfold((web.clone(), None::<ActivationId>), move |(web, after)| async move {
        let rows = web.app.store.exported_activations(shop, after).await?;
        let Some(last) = rows.last().map(|row| row.id) else { return Ok(None) };
        let lines: String = rows
            .iter()
            .map(|row| {
                line(&[
                    &row.id.to_string(),
                    &row.license.to_string(),
                    row.fingerprint.as_str(),
                    row.shown_name().unwrap_or_default(),
                    row.state.as_str(),
                    &row.created_at.to_string(),
                    &row.last_seen_at.to_string(),
                ])
            })
            .collect();
        Ok(Some((lines, (web, Some(last)))))
    });
    let titles = ["activation", "license", "fingerprint", "name", "state", "created_at", "last_seen_at"];
    download("activations", &titles, parts)
}

/// The keys of a batch, for whoever hands them out.
pub(crate) fn batch_keys(web: &Web, shop: ShopId, batch: BatchId) -> Response {
    let parts = stream::try_unfold((web.clone(), None::<LicenseId>), move |(web, after)| async move {
        let rows = web.app.store.batch_keys(shop, batch, after).await?;
        let Some(last) = rows.last().map(|row| row.license) else { return Ok(None) };
        let lines: String = rows
            .iter()
            .map(|row| {
                line(&[
                    &row.text(),
                    &shown(row.email.as_ref()),
                    &row.license.to_string(),
                    row.number.as_str(),
                    &shown(row.expires_at),
                ])
            })
            .collect();
        Ok(Some((lines, (web, Some(last)))))
    });
    download(&batch.to_string(), &["key", "email", "license", "order_number", "expires_at"], parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_stands_in_it() {
        let rows = [
            ("plain", "plain"),
            ("", ""),
            ("a, b", "\"a, b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-2", "'-2"),
            ("@here", "'@here"),
            ("\t=1", "'\t=1"),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("a=1", "a=1"),
        ];
        for (cell, expected) in rows {
            assert_eq!(written(cell), expected, "{cell:?}");
        }
        assert_eq!(line(&["a", "b"]), "a,b\r\n");
    }
}
