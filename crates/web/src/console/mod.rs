//! The console: where the people of a shop work.
//!
//! Every page but the sign-in asks for a session of a user of the shop. Every
//! form is a POST that ends in a redirect, with a word in the address for what
//! was done; a page that is read again does nothing again.

pub(crate) mod adjust;
pub(crate) mod attempt;
pub(crate) mod batch;
pub(crate) mod claim;
pub(crate) mod customer;
pub(crate) mod delivery;
pub(crate) mod group;
pub(crate) mod home;
pub(crate) mod license;
pub(crate) mod message;
pub(crate) mod notice;
pub(crate) mod order;
pub(crate) mod pool;
pub(crate) mod refund;
pub(crate) mod report;
pub(crate) mod search;
pub(crate) mod shadow;
pub(crate) mod sign_in;
#[cfg(test)]
mod tests;

use app::messages::Arg;
use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::{Actor, ClaimKind, Locale, Mode, SessionHolder, ShopId, Timestamp, User, UserId};
use money::Money;
use store::{Owed, Page};

use crate::problem::Problem;
use crate::visit::Visit;
use crate::{Web, cookie};

/// What a page can be told to say about the form that led to it; each has a message `console-told-…`.
const TOLD: &[&str] = &[
    "claim-done",
    "claim-asked",
    "claim-underway",
    "claim-not-asked",
    "message-written",
    "message-held",
    "message-before",
    "batch-issued",
    "batch-differs",
    "reason-missing",
    "suspended",
    "reinstated",
    "taken-back",
    "moved",
    "move-unknown",
    "undone",
    "changed-since",
    "not-undoable",
    "unfit",
    "group-made",
    "group-changed",
    "group-unread",
    "group-below-used",
    "group-deleted",
    "group-not-empty",
    "group-license-unknown",
    "group-licenses-reached",
    "group-full",
    "grouped",
    "ungrouped",
    "pool-released",
    "email-corrected",
    "email-resent",
    "email-taken",
    "email-unread",
    "reissued",
    "adjusted",
    "adjust-same",
    "adjust-seats",
    "adjust-usage",
    "adjust-unread",
    "adopted",
    "file-time",
    "file-unusable",
    "file-seat",
    "refunded",
    "refund-waits",
    "refund-refused",
    "resent",
    "let-go",
    "checked",
    "still-open",
    "contradiction",
    "gateway-silent",
    "released",
    "was-free",
    "applied",
    "duplicate",
    "ignored",
    "parked-again",
    "stored",
];

/// The cookie of a signed-in user.
pub(crate) const COOKIE: &str = "console";

/// A signed-in user of the shop.
pub(crate) struct Staff {
    pub(crate) visit: Visit,
    pub(crate) user: UserId,
    parked: u64,
    owed: Owed,
}

impl FromRequestParts<Web> for Staff {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, web).await.map_err(IntoResponse::into_response)?;
        let sign_in = || Redirect::to("/console/sign-in").into_response();
        let token = cookie::get(&visit.headers, COOKIE).ok_or_else(sign_in)?;
        let unavailable = |error: app::Error| Problem::from(error).into_response();
        let session = web.app.session(visit.shop.id, token).await.map_err(unavailable)?.ok_or_else(sign_in)?;
        let SessionHolder::User { user } = session.holder else { return Err(sign_in()) };
        let parked = web.app.store.parked_notices(visit.shop.id).await.map_err(|error| unavailable(error.into()))?;
        let now = web.app.clock.now();
        let owed = web.app.store.owed(visit.shop.id, now).await.map_err(|error| unavailable(error.into()))?;
        Ok(Self { visit, user, parked, owed })
    }
}

impl Staff {
    pub(crate) fn shop(&self) -> ShopId {
        self.visit.shop.id
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor::User(self.user)
    }

    /// What every page shows around its own content.
    pub(crate) fn chrome<'a>(&'a self, web: &'a Web, section: &'static str) -> Chrome<'a> {
        let told = query(&self.visit.path, "told").and_then(|word| TOLD.iter().copied().find(|known| *known == word));
        Chrome { web, visit: &self.visit, section, parked: self.parked, owed: self.owed, is_signed_in: true, told }
    }
}

/// One value of the query of a path.
pub(crate) fn query(path: &str, name: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(path.split_once('?')?.1).ok()?;
    pairs.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// A number that is counted no further than [`Owed::COUNTED`].
fn up_to(number: u64) -> String {
    let last = Owed::COUNTED - 1;
    if number > last { format!("{last}+") } else { number.to_string() }
}

/// The frame of a page: shop, language, navigation, what was just done.
pub(crate) struct Chrome<'a> {
    web: &'a Web,
    visit: &'a Visit,
    section: &'static str,
    parked: u64,
    owed: Owed,
    is_signed_in: bool,
    told: Option<&'static str>,
}

impl Chrome<'_> {
    /// A message.
    pub(crate) fn t(&self, id: &str) -> String {
        self.web.app.catalog.text(&self.visit.locale, id, &[])
    }

    /// A message with one text in it.
    pub(crate) fn with(&self, id: &str, name: &str, value: &str) -> String {
        self.web.app.catalog.text(&self.visit.locale, id, &[(name, Arg::Text(value))])
    }

    /// A message with texts in it.
    pub(crate) fn texts(&self, id: &str, values: &[(&str, &str)]) -> String {
        let arguments: Vec<(&str, Arg<'_>)> = values.iter().map(|(name, value)| (*name, Arg::Text(value))).collect();
        self.web.app.catalog.text(&self.visit.locale, id, &arguments)
    }

    /// A message with numbers in it.
    pub(crate) fn counts(&self, id: &str, values: &[(&str, u64)]) -> String {
        let number = |value: u64| Arg::Number(i64::try_from(value).unwrap_or(i64::MAX));
        let arguments: Vec<(&str, Arg<'_>)> = values.iter().map(|(name, value)| (*name, number(*value))).collect();
        self.web.app.catalog.text(&self.visit.locale, id, &arguments)
    }

    /// A message with one number in it.
    pub(crate) fn count(&self, id: &str, value: u64) -> String {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.web.app.catalog.text(&self.visit.locale, id, &[("count", Arg::Number(value))])
    }

    /// A message with one number in it that is counted no further than a thousand.
    pub(crate) fn count_up_to(&self, id: &str, value: u64) -> String {
        let number = i64::try_from(value).unwrap_or(i64::MAX);
        let shown = up_to(value);
        let arguments = [("count", Arg::Number(number)), ("shown", Arg::Text(&shown))];
        self.web.app.catalog.text(&self.visit.locale, id, &arguments)
    }

    /// The reason of a refund, in the words of people.
    pub(crate) fn reason(&self, word: &str) -> String {
        self.t(&format!("console-reason-{}", word.replace('_', "-")))
    }

    pub(crate) fn money(&self, amount: &Money) -> String {
        amount.display(self.visit.locale.as_str())
    }

    pub(crate) fn date(&self, at: &Timestamp) -> String {
        self.web.app.catalog.date(&self.visit.locale, *at)
    }

    fn locale(&self) -> &Locale {
        &self.visit.locale
    }

    fn direction(&self) -> &'static str {
        if self.visit.locale.is_right_to_left() { "rtl" } else { "ltr" }
    }

    fn shop_name(&self) -> &str {
        &self.visit.shop.name
    }

    fn is_test_mode(&self) -> bool {
        self.visit.shop.mode == Mode::Sandbox
    }

    fn current(&self, section: &str) -> &'static str {
        if self.section == section { "page" } else { "false" }
    }

    fn told(&self) -> Option<String> {
        self.told.map(|word| self.t(&format!("console-told-{word}")))
    }

    /// Whether an old system of the shop's is asked beside it.
    fn has_shadow(&self) -> bool {
        !self.visit.shop.compat.shadow.is_empty()
    }

    fn has_parked(&self) -> bool {
        self.parked > 0
    }

    fn parked(&self) -> u64 {
        self.parked
    }

    /// What the number of paid units that wait is called; nothing where none does.
    fn owed(&self) -> Option<String> {
        let (all, overdue) = (self.owed.all(), self.owed.overdue);
        let (shown, late) = (up_to(all), up_to(overdue));
        let overdue = Arg::Number(i64::try_from(overdue).unwrap_or(i64::MAX));
        let arguments = [("overdue", overdue), ("shown", Arg::Text(&shown)), ("late", Arg::Text(&late))];
        (all > 0).then(|| self.web.app.catalog.text(&self.visit.locale, "console-claims-badge", &arguments))
    }

    fn is_signed_in(&self) -> bool {
        self.is_signed_in
    }

    fn icon(&self) -> String {
        crate::asset::url("icon.svg")
    }

    fn style(&self) -> String {
        crate::asset::url("console.css")
    }
}

/// A page that is nobody else's business: not kept, not found by search engines.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let mut response = (status, Html(html)).into_response();
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
            response
        }
        Err(error) => Problem::unavailable(error.to_string()).into_response(),
    }
}

/// Back to a page, with a word for what was done.
pub(crate) fn done(path: &str, word: &str) -> Response {
    Redirect::to(&format!("{path}?told={word}")).into_response()
}

/// How many rows a list shows.
const ROWS: u32 = 50;

/// One page of a list, from the `after` in the address.
pub(crate) fn list_page<Id>(path: &str, parse: impl Fn(&str) -> Option<Id>) -> Page<Id> {
    Page { starting_after: query(path, "after").and_then(|text| parse(&text)), ending_before: None, limit: ROWS }
}

/// A link of a filter bar.
pub(crate) struct Filter {
    pub(crate) label: String,
    pub(crate) url: String,
    pub(crate) current: &'static str,
}

/// The filter bar of a list: everything, then one link a word.
pub(crate) fn filters(chrome: &Chrome<'_>, base: &str, words: &[&str], chosen: Option<&str>) -> Vec<Filter> {
    let mark = |is_chosen: bool| if is_chosen { "true" } else { "false" };
    let all = Filter { label: chrome.t("console-filter-all"), url: base.to_owned(), current: mark(chosen.is_none()) };
    let each = words.iter().map(|word| Filter {
        label: state_text(chrome, word),
        url: format!("{base}?state={word}"),
        current: mark(chosen == Some(word)),
    });
    std::iter::once(all).chain(each).collect()
}

/// A state in the words of people.
pub(crate) fn state_text(chrome: &Chrome<'_>, word: &str) -> String {
    chrome.t(&format!("console-state-{}", word.replace('_', "-")))
}

/// One line of a timeline.
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    pub(crate) what: String,
    pub(crate) who: String,
    pub(crate) detail: String,
    pub(crate) url: Option<String>,
    /// Where the form goes that undoes it.
    pub(crate) undo: Option<String>,
}

/// Who did it, in the words of people.
pub(crate) fn actor_text(chrome: &Chrome<'_>, actor: Actor) -> String {
    chrome.t(match actor {
        Actor::Gateway => "console-actor-gateway",
        Actor::System => "console-actor-system",
        Actor::Buyer => "console-actor-buyer",
        Actor::App => "console-actor-app",
        Actor::Api => "console-actor-api",
        Actor::User(_) => "console-actor-user",
    })
}

/// Who did it, by name where it was a person of the shop.
pub(crate) fn who(chrome: &Chrome<'_>, actor: Actor, people: &[User]) -> String {
    let person = match actor {
        Actor::User(user) => people.iter().find(|known| known.id == user).map(|known| known.name.clone()),
        Actor::Gateway | Actor::System | Actor::Buyer | Actor::App | Actor::Api => None,
    };
    person.filter(|name| !name.is_empty()).unwrap_or_else(|| actor_text(chrome, actor))
}

/// An event as a line of a timeline.
pub(crate) fn event_moment(chrome: &Chrome<'_>, event: &domain::Event) -> Moment {
    let text = |name: &str| event.data.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let amount = |name: &str| {
        let value = event.data.get(name)?.clone();
        serde_json::from_value::<Money>(value).ok().map(|amount| chrome.money(&amount))
    };
    let kind = event.data.pointer("/fulfilment/kind").and_then(|kind| kind.as_str()).and_then(ClaimKind::parse);
    let parts: Vec<String> = [
        kind.map(|kind| claim::kind_text(chrome, kind)),
        amount("amount").or_else(|| amount("refunded")).or_else(|| amount("total")),
        text("decline_code"),
        text("key_tail").map(|tail| format!("…{tail}")),
        text("name"),
        text("reason"),
        text("state"),
        text("to"),
        text("error"),
        text("failure"),
    ]
    .into_iter()
    .flatten()
    .collect();
    Moment {
        at: event.at,
        what: chrome.t(&format!("console-event-{}", event.kind.as_str().replace(['.', '_'], "-"))),
        who: actor_text(chrome, event.actor),
        detail: parts.join(" · "),
        url: None,
        undo: None,
    }
}
