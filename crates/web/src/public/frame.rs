//! What stands around every page: head, header, footer, language selector.

use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use domain::{Mode, Shop};

use crate::problem::Problem;
use crate::public::words::Words;
use crate::visit::Visit;
use crate::{Web, asset};

/// What every template is given.
pub(crate) struct Frame {
    pub(crate) words: Words,
    pub(crate) shop: Arc<Shop>,
    /// What the page is, without the shop's name.
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) is_erroneous: bool,
    /// Whether the page is one buyer's own: neither kept nor indexed by anybody.
    pub(crate) is_private: bool,
    /// Whether the page changes by itself, and in how many seconds a browser without JavaScript looks again.
    pub(crate) refresh_seconds: Option<u32>,
    /// Where the language selector comes back to.
    pub(crate) return_to: String,
}

pub(crate) struct Language {
    pub(crate) tag: String,
    pub(crate) name: String,
    pub(crate) is_chosen: bool,
}

impl Frame {
    pub(crate) fn new(web: &Web, visit: &Visit, title: String) -> Self {
        Self {
            words: Words::new(web, &visit.locale),
            shop: Arc::clone(&visit.shop),
            title,
            description: None,
            is_erroneous: false,
            is_private: false,
            refresh_seconds: None,
            return_to: visit.path.clone(),
        }
    }

    pub(crate) fn described(self, description: &str) -> Self {
        Self { description: Some(description.to_owned()), ..self }
    }

    pub(crate) fn private(self) -> Self {
        Self { is_private: true, ..self }
    }

    pub(crate) fn refreshing(self, refresh_seconds: u32) -> Self {
        Self { refresh_seconds: Some(refresh_seconds), ..self }
    }

    /// For the answer to a form, whose own address shows nothing when it is asked for.
    pub(crate) fn returning_to(self, return_to: impl Into<String>) -> Self {
        Self { return_to: return_to.into(), ..self }
    }

    /// For a form that came back with errors.
    pub(crate) fn erroneous(self) -> Self {
        Self { is_erroneous: true, ..self }
    }

    /// What the browser shows on the tab: says first that there are errors.
    pub(crate) fn tab_title(&self) -> String {
        let title = if self.title == self.shop.name {
            self.title.clone()
        } else {
            format!("{} – {}", self.title, self.shop.name)
        };
        if self.is_erroneous { self.words.fill("error-title", &[("title", (&title).into())]) } else { title }
    }

    pub(crate) fn say(&self, id: &str) -> String {
        self.words.say(id)
    }

    pub(crate) fn lang(&self) -> &str {
        self.words.locale().as_str()
    }

    pub(crate) fn direction(&self) -> &'static str {
        if self.words.locale().is_right_to_left() { "rtl" } else { "ltr" }
    }

    pub(crate) fn is_test_mode(&self) -> bool {
        match self.shop.mode {
            Mode::Live => false,
            Mode::Sandbox => true,
        }
    }

    pub(crate) fn languages(&self) -> Vec<Language> {
        let chosen = self.words.locale();
        let languages = self.words.languages();
        // `de-AT` is German where no Austrian was written.
        let exact = languages.iter().any(|(locale, _)| locale == chosen);
        languages
            .into_iter()
            .map(|(locale, name)| Language {
                is_chosen: if exact { locale == *chosen } else { locale.as_str() == chosen.language() },
                tag: locale.to_string(),
                name,
            })
            .collect()
    }

    pub(crate) fn style_sheet(&self) -> String {
        asset::url("shop.css")
    }

    pub(crate) fn script(&self) -> String {
        asset::url("shop.js")
    }

    pub(crate) fn icon(&self) -> String {
        asset::url("icon.svg")
    }
}

/// A page as an answer.
///
/// # Errors
/// When the template cannot be written, which no input brings about.
pub(crate) fn page(status: StatusCode, frame: &Frame, template: &impl Template) -> Result<Response, Problem> {
    let html =
        template.render().map_err(|error| Problem::unavailable(format!("a template cannot be written: {error}")))?;
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    if let Ok(language) = HeaderValue::from_str(frame.lang()) {
        headers.insert(header::CONTENT_LANGUAGE, language);
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if frame.is_private { "no-store" } else { "private, no-cache" }),
    );
    if frame.is_private {
        headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    }
    Ok(response)
}
