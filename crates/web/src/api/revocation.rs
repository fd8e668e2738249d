//! The revocation list, for apps that are rarely online and for whoever hands it on to them.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::license::Asker;
use crate::Web;
use crate::problem::Problem;

/// How long whoever hands the list on may give it unasked.
const CACHED: &str = "public, max-age=300";

pub(crate) async fn list(State(web): State<Web>, asker: Asker, headers: HeaderMap) -> Result<Response, Problem> {
    let list = web.app.revocations(asker.shop.id).await?;
    let tag = format!("\"{}\"", list.tag);
    let has_it = |known: &str| known == "*" || known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let headers = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, CACHED.to_owned())];
    if known.is_some_and(has_it) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, [(header::CONTENT_TYPE, "application/jwt")], list.text.clone()).into_response())
}
