//! What apps asked about a license and were told, for the seller's programs.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use domain::{Attempt, AttemptId, LicenseId, Locale, Timestamp};
use serde::Serialize;
use store::AttemptFilter;

use super::{Id, Manager, Query, list as listing};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
struct AttemptView {
    id: AttemptId,
    license: Option<LicenseId>,
    kind: &'static str,
    verdict: &'static str,
    rule: &'static str,
    cause: String,
    fix: FixView,
    fingerprint: Option<String>,
    product: Option<String>,
    asked: Option<String>,
    app: Option<String>,
    count: u32,
    first_at: Timestamp,
    last_at: Timestamp,
    doc_url: String,
}

/// What is to be done, by whom.
#[derive(Serialize)]
struct FixView {
    buyer: String,
    support: String,
}

fn view(web: &Web, locale: &Locale, attempt: &Attempt) -> AttemptView {
    let diagnosis = web.app.catalog.diagnosis(locale, attempt.verdict.as_str());
    AttemptView {
        id: attempt.id,
        license: attempt.license,
        kind: attempt.kind.as_str(),
        verdict: attempt.verdict.as_str(),
        rule: attempt.rule.as_str(),
        cause: diagnosis.cause,
        fix: FixView { buyer: diagnosis.buyer, support: diagnosis.support },
        fingerprint: attempt.fingerprint.as_ref().map(|fingerprint| fingerprint.as_str().to_owned()),
        product: attempt.product.clone(),
        asked: attempt.asked.clone(),
        app: attempt.app.clone(),
        count: attempt.count,
        first_at: attempt.first_at,
        last_at: attempt.last_at,
        doc_url: format!("/docs/errors#{}", attempt.verdict.as_str()),
    }
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let asked = query.page()?;
    query.done()?;
    let (store, shop) = (&web.app.store, &manager.shop);
    let known = store.license(shop.id, license).await.map_err(app::Error::from)?;
    known.ok_or_else(|| Problem::not_found("license"))?;
    let filter = AttemptFilter::License(license);
    let rows = store.attempts(shop.id, &filter, asked).await.map_err(app::Error::from)?;
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wanted = app::messages::accept_language(accepted).into_iter().chain([shop.default_locale.clone()]);
    let locale = web.app.catalog.choose(wanted);
    Ok(listing(rows, |attempt| view(&web, &locale, attempt)))
}
