//! Who came, to which shop, speaking what.

use std::sync::Arc;

use app::App;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use domain::{Locale, Shop};

use crate::problem::Problem;
use crate::{Web, cookie};

/// What every page knows of a visit.
#[derive(Clone)]
pub(crate) struct Visit {
    /// The shop that the host name belongs to.
    pub(crate) shop: Arc<Shop>,
    /// The language to answer in: `?locale=`, then the cookie, then Accept-Language, then the shop's.
    pub(crate) locale: Locale,
    /// The path and query as they were asked for.
    pub(crate) path: String,
    /// The headers, for cookies.
    pub(crate) headers: HeaderMap,
}

/// The cookie that keeps the chosen language.
pub(crate) const LOCALE_COOKIE: &str = "locale";

impl FromRequestParts<Web> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let shop = shop_of(&web.app, parts).await?;
        let asked = parts
            .uri
            .query()
            .and_then(|query| serde_urlencoded::from_str::<Vec<(String, String)>>(query).ok())
            .and_then(|pairs| pairs.into_iter().find(|(name, _)| name == "locale"))
            .and_then(|(_, value)| Locale::parse(&value));
        let kept = cookie::get(&parts.headers, LOCALE_COOKIE).and_then(Locale::parse);
        let accepted =
            parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wanted = asked
            .into_iter()
            .chain(kept)
            .chain(app::messages::accept_language(accepted))
            .chain([shop.default_locale.clone()]);
        let locale = web.app.catalog.choose(wanted);
        let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        Ok(Self { shop, locale, path, headers: parts.headers.clone() })
    }
}

/// The shop that a request is for, by its host name.
pub(crate) async fn shop_of(app: &App, parts: &Parts) -> Result<Arc<Shop>, Problem> {
    app.shop_for_host(host(parts)).await.ok_or_else(|| Problem::not_found("shop"))
}

/// The host name that a request is for, without a port.
pub(crate) fn host(parts: &Parts) -> &str {
    let authority = parts.uri.authority().map(Authority::host);
    let host =
        authority.or_else(|| parts.headers.get(header::HOST).and_then(|value| value.to_str().ok())).unwrap_or_default();
    host.rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name)
}

impl Visit {
    /// The visit in the language of an order, unless the visitor chose another by address or cookie.
    pub(crate) fn speaking(self, web: &Web, locale: &Locale) -> Self {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let is_chosen = query.split('&').any(|pair| pair.starts_with("locale="))
            || cookie::get(&self.headers, LOCALE_COOKIE).is_some();
        if is_chosen { self } else { Self { locale: web.app.catalog.choose([locale.clone()]), ..self } }
    }

    /// Whether cookies may be marked `Secure`.
    pub(crate) fn is_secure(web: &Web) -> bool {
        web.app.settings.public_url.starts_with("https://")
    }
}
