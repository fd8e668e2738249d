//! What a page says: messages, amounts and dates in the language of the visit.

use std::sync::Arc;

use app::messages::Arg;
use app::{App, Diagnosis, KeySlip};
use domain::{Decline, DeclineClass, Locale, Timestamp};
use money::Money;

use crate::Web;
use crate::api::license::slip_text;

/// A language to speak. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Words {
    app: Arc<App>,
    locale: Locale,
}

impl Words {
    pub(crate) fn new(web: &Web, locale: &Locale) -> Self {
        Self { app: Arc::clone(&web.app), locale: locale.clone() }
    }

    /// The message with this id.
    pub(crate) fn say(&self, id: &str) -> String {
        self.app.catalog.text(&self.locale, id, &[])
    }

    /// The message with this id, filled.
    pub(crate) fn fill(&self, id: &str, arguments: &[(&str, Arg<'_>)]) -> String {
        self.app.catalog.text(&self.locale, id, arguments)
    }

    /// Where the slip is in a text that is no key.
    pub(crate) fn slip(&self, slip: KeySlip) -> String {
        slip_text(&self.app.catalog, &self.locale, slip)
    }

    /// What a code means, and what to do about it.
    pub(crate) fn diagnosis(&self, word: &str) -> Diagnosis {
        self.app.catalog.diagnosis(&self.locale, word)
    }

    pub(crate) fn amount(&self, amount: Money) -> String {
        amount.display(self.locale.as_str())
    }

    /// Day and time of day, with the zone.
    pub(crate) fn date(&self, at: Timestamp) -> String {
        self.app.catalog.date(&self.locale, at)
    }

    pub(crate) fn day(&self, at: Timestamp) -> String {
        self.app.catalog.day(&self.locale, at)
    }

    pub(crate) fn locale(&self) -> &Locale {
        &self.locale
    }

    pub(crate) fn languages(&self) -> Vec<(Locale, String)> {
        self.app.catalog.languages()
    }

    /// Why money was not collected, and what to do about it. A card that is
    /// reported lost or suspected of fraud is declined without a reason: the
    /// one who tries it may be the thief.
    pub(crate) fn decline(&self, decline: &Decline) -> String {
        let id = match (decline.code.as_str(), decline.class) {
            ("insufficient_funds", _) => "error-decline-insufficient_funds",
            ("expired_card", _) => "error-decline-expired_card",
            ("incorrect_cvc" | "invalid_cvc", _) => "error-decline-incorrect_cvc",
            ("incorrect_number" | "invalid_number", _) => "error-decline-incorrect_number",
            (_, DeclineClass::UpdateMethod) => "error-decline-update_method",
            (_, DeclineClass::Authenticate) => "error-decline-authenticate",
            (_, DeclineClass::GatewayError) => "error-decline-gateway_error",
            (_, DeclineClass::Revoked) => "error-decline-revoked",
            (_, DeclineClass::Soft) => "error-decline-soft",
            (_, DeclineClass::Hard | DeclineClass::Fraud) => "error-decline-hard",
        };
        self.say(id)
    }
}
