//! Access tokens: given to apps for a license key, and looked into by the services that are shown them.

use std::borrow::Cow;

use app::AccessClaims;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{AttemptKind, ValidationRequest, VerdictCode};
use serde::{Deserialize, Serialize};

use super::license::{Asker, PublicLicense, fingerprint, products, public};
use super::{Json, Manager, Raw, answer};
use crate::Web;
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenInput<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    fingerprint: Option<Cow<'a, str>>,
    #[serde(borrow)]
    product: Option<Cow<'a, str>>,
    features: Option<Vec<String>>,
}

/// As RFC 6749 §5.1, with the license beside it.
#[derive(Serialize)]
struct TokenView<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    scope: &'a str,
    license: PublicLicense<'a>,
}

/// A token for an app, or why there is none.
pub(crate) async fn create(State(web): State<Web>, asker: Asker, sent: Json) -> Result<Response, Problem> {
    let input: TokenInput<'_> = sent.read()?;
    let fingerprint = input.fingerprint.as_deref().map(fingerprint).transpose()?;
    let key = asker.key(&web, AttemptKind::Validate, &input.key, fingerprint.as_ref()).await?;
    let request = ValidationRequest {
        fingerprint,
        product: match input.product.as_deref() {
            Some(name) => Some(products(&web, &asker.shop, name).await?),
            None => None,
        },
        features: input.features.unwrap_or_default(),
        ..ValidationRequest::default()
    };
    let (told, token) = web.app.access_token(asker.shop.id, &key, &request).await?;
    let (Some(license), Some(token)) = (told.license(), token) else {
        return Err(refusal(told.verdict.code, asker.verdict(&web, &told.verdict, told.retired.as_ref())));
    };
    let view = TokenView {
        access_token: &token.token,
        token_type: "Bearer",
        expires_in: token.lifetime.as_seconds(),
        scope: &token.scope,
        license: public(license, told.at),
    };
    Ok(unkept(answer(StatusCode::OK, &view)))
}

/// The verdict as an answer that says no.
fn refusal(code: VerdictCode, detail: String) -> Problem {
    match code {
        VerdictCode::Unknown => Problem::new(StatusCode::NOT_FOUND, "license_unknown", detail),
        VerdictCode::KeyNotGenuine => Problem::new(StatusCode::FORBIDDEN, "license_key_not_genuine", detail),
        VerdictCode::KeyRetired => Problem::new(StatusCode::FORBIDDEN, "license_key_retired", detail),
        VerdictCode::Expired => Problem::new(StatusCode::FORBIDDEN, "license_expired", detail),
        VerdictCode::Suspended => Problem::new(StatusCode::FORBIDDEN, "license_suspended", detail),
        VerdictCode::Revoked => Problem::new(StatusCode::FORBIDDEN, "license_revoked", detail),
        VerdictCode::UpdateNotCovered => Problem::new(StatusCode::FORBIDDEN, "license_update_not_covered", detail),
        VerdictCode::NotActivated => Problem::new(StatusCode::CONFLICT, "not_activated", detail),
        VerdictCode::CheckInOverdue => Problem::new(StatusCode::CONFLICT, "check_in_overdue", detail),
        VerdictCode::WrongProduct => Problem::new(StatusCode::FORBIDDEN, "license_wrong_product", detail),
        VerdictCode::MissingFeature => Problem::new(StatusCode::FORBIDDEN, "missing_feature", detail),
        VerdictCode::UsageExhausted => Problem::new(StatusCode::CONFLICT, "usage_exhausted", detail),
        // A yes comes with a token.
        VerdictCode::Valid => Problem::unavailable(detail),
    }
}

/// As RFC 7662 §2.2; of a token that does not count, nothing but that.
#[derive(Serialize)]
struct IntrospectionView {
    active: bool,
    #[serde(flatten)]
    claims: Option<AccessClaims>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
}

/// Whether a token counts at this moment.
pub(crate) async fn introspect(State(web): State<Web>, manager: Manager, Raw(body): Raw) -> Result<Response, Problem> {
    manager.may_read()?;
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "form_malformed", "The form cannot be read."))?;
    let token = fields.into_iter().find_map(|(name, value)| (name == "token").then_some(value));
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err(Problem::invalid("token", "parameter_missing", "Send the token as `token`, in a form."));
    };
    let claims = web.app.introspect(manager.shop.id, &token).await?;
    let token_type = claims.is_some().then_some("Bearer");
    Ok(unkept(answer(StatusCode::OK, &IntrospectionView { active: claims.is_some(), claims, token_type })))
}

/// Nobody between us and the one who asked keeps it (RFC 6749 §5.1).
fn unkept(response: Response) -> Response {
    let mut response = response.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
