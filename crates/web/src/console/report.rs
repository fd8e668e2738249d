//! The exactly-once report as a file: what was paid since the last one, signed.

use app::Made;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Staff;
use crate::Web;
use crate::problem::Problem;

/// Makes the next report, which goes on where the last one ended. A button and not a link: each is one of a chain.
pub(crate) async fn download(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let shop = web.app.shop(staff.shop()).await.ok_or_else(|| Problem::not_found("shop"))?;
    let span = web.app.next_report(&shop).await?;
    let mut report = String::new();
    let Made { span, .. } = web
        .app
        .exactly_once_report(&shop, span, &mut |line| {
            report.push_str(line);
            Ok(())
        })
        .await?;
    let name = format!("attachment; filename=\"exactly-once-{}.jsonl\"", span.until.as_seconds());
    let mut response = (StatusCode::OK, report).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
