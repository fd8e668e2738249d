//! Style sheet, script and pictures: compiled in, named by their content, kept by browsers for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use data_encoding::HEXLOWER;

use crate::problem::Problem;

struct Asset {
    /// The name as templates know it.
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// The name in URLs: it changes with the content.
    public_name: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    [
        ("shop.css", "text/css; charset=utf-8", include_bytes!("../assets/shop.css").as_slice()),
        ("shop.js", "text/javascript; charset=utf-8", include_bytes!("../assets/shop.js")),
        ("console.css", "text/css; charset=utf-8", include_bytes!("../assets/console.css")),
        ("icon.svg", "image/svg+xml", include_bytes!("../assets/icon.svg")),
    ]
    .into_iter()
    .map(|(name, kind, bytes)| Asset { name, kind, bytes, public_name: public_name(name, bytes) })
    .collect()
});

fn public_name(name: &str, bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let hash = HEXLOWER.encode(&digest.as_ref()[..8]);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}-{hash}.{extension}")
}

/// Where a browser finds an asset.
pub(crate) fn url(name: &str) -> String {
    let known = ASSETS.iter().find(|asset| asset.name == name);
    format!("/assets/{}", known.map_or(name, |asset| asset.public_name.as_str()))
}

/// An asset under its public name.
pub(crate) async fn show(Path(name): Path<String>) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.public_name == name).ok_or_else(|| Problem::not_found("asset"))?;
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.bytes).into_response())
}
