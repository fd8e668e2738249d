//! What paid units wait for: the list of what is to be done, and the page where one of them is handed over.

use app::Asked;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{
    Answer, Claim, ClaimKind, ClaimState, Event, EventKind, Fulfilment, JobKind, LicenseId, LicenseState, PoolCode,
    TextError, Timestamp, User,
};
use serde::Deserialize;
use store::{OpenedClaim, OwedClaim};

use super::message::{MessageForm, Thread};
use super::{Chrome, Filter, Staff, done, list_page, order, page, query, state_text, who};
use crate::Web;
use crate::problem::Problem;

const HOUR: i64 = 3_600;

/// Until when a person has promised something, and how long that is from now.
pub(crate) struct Due {
    at: String,
    left: String,
    is_overdue: bool,
}

impl Due {
    fn of(chrome: &Chrome<'_>, claim: &Claim, now: Timestamp) -> Option<Self> {
        let due_at = claim.due_at()?;
        let is_overdue = claim.is_overdue(now);
        let seconds = if is_overdue { now.since(due_at) } else { due_at.since(now) }.as_seconds();
        let hours = u64::try_from(seconds / HOUR).unwrap_or_default();
        let left = match (is_overdue, hours < 48) {
            (false, true) => chrome.count("console-claim-due-hours", hours),
            (false, false) => chrome.count("console-claim-due-days", hours / 24),
            (true, true) => chrome.count("console-claim-overdue-hours", hours),
            (true, false) => chrome.count("console-claim-overdue-days", hours / 24),
        };
        Some(Self { at: chrome.date(&due_at), left, is_overdue })
    }
}

/// Whom a claim waits for, in the words of people.
pub(super) fn kind_text(chrome: &Chrome<'_>, kind: ClaimKind) -> String {
    chrome.t(match kind {
        ClaimKind::Manual => "console-claim-kind-manual",
        ClaimKind::Webhook => "console-claim-kind-webhook",
        ClaimKind::Pool => "console-claim-kind-pool",
    })
}

fn kind_of(chrome: &Chrome<'_>, claim: &Claim) -> String {
    ClaimKind::of(claim.fulfilment).map(|kind| kind_text(chrome, kind)).unwrap_or_default()
}

struct ClaimRow {
    license: String,
    number: String,
    email: String,
    what: String,
    kind: String,
    since: String,
    due: Option<Due>,
    error: Option<String>,
    answers: Vec<Answer>,
    unanswered: Vec<String>,
}

impl ClaimRow {
    fn new(chrome: &Chrome<'_>, owed: &OwedClaim, now: Timestamp) -> Self {
        Self {
            license: owed.claim.license.to_string(),
            number: owed.number.to_string(),
            email: owed.email.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string),
            what: owed.line.as_ref().map(domain::OrderLine::name).unwrap_or_default(),
            kind: kind_of(chrome, &owed.claim),
            since: chrome.date(&owed.claim.created_at),
            due: Due::of(chrome, &owed.claim, now),
            error: owed.last_error.clone(),
            answers: owed.line.as_ref().map(|line| line.answers.clone()).unwrap_or_default(),
            unanswered: owed.line.as_ref().map(|line| order::unanswered(chrome, line)).unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(path = "console/claims.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    filters: Vec<Filter>,
    overdue: Option<String>,
    claims: Vec<ClaimRow>,
    next: Option<String>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "claims");
    let chosen = query(&staff.visit.path, "kind").and_then(|word| ClaimKind::parse(&word));
    let asked = list_page(&staff.visit.path, |text| LicenseId::parse(text).ok());
    let listing = web.app.store.claims_to_do(staff.shop(), chosen, asked.starting_after, asked.limit).await;
    let listing = listing.map_err(app::Error::from)?;
    let now = web.app.clock.now();
    let next = listing.data.last().filter(|_| listing.has_more).map(|last| match chosen {
        Some(kind) => format!("/console/claims?kind={}&after={}", kind.as_str(), last.claim.license),
        None => format!("/console/claims?after={}", last.claim.license),
    });
    let mark = |is_chosen: bool| if is_chosen { "true" } else { "false" };
    let all = Filter {
        label: chrome.t("console-filter-all"),
        url: "/console/claims".to_owned(),
        current: mark(chosen.is_none()),
    };
    let each = ClaimKind::ALL.into_iter().map(|kind| Filter {
        label: kind_text(&chrome, kind),
        url: format!("/console/claims?kind={}", kind.as_str()),
        current: mark(chosen == Some(kind)),
    });
    let filters = std::iter::once(all).chain(each).collect();
    let claims = listing.data.iter().map(|owed| ClaimRow::new(&chrome, owed, now)).collect();
    let overdue = (staff.owed.overdue > 0).then(|| chrome.count_up_to("console-claims-overdue", staff.owed.overdue));
    Ok(page(StatusCode::OK, &List { chrome, filters, overdue, claims, next }))
}

/// What was handed over for a unit, when and by whom; or what it waits for.
pub(crate) struct Proof {
    pub(crate) license: String,
    pub(crate) kind: String,
    pub(crate) text: String,
    /// What a person said, whole: it was typed here, and opens nothing.
    pub(crate) said: Option<String>,
}

impl Proof {
    /// Of a code its end, as of a key: it stands in full on the page of its buyer.
    pub(super) fn of(
        chrome: &Chrome<'_>,
        opened: &OpenedClaim,
        events: &[Event],
        people: &[User],
        now: Timestamp,
    ) -> Self {
        let claim = &opened.claim;
        let handed = |event: &&Event| event.kind == EventKind::ClaimFulfilled && event.license == Some(claim.license);
        let opens = match claim.fulfilment {
            Fulfilment::Manual { .. } => false,
            Fulfilment::GeneratedKey
            | Fulfilment::SignedKey
            | Fulfilment::Download
            | Fulfilment::Webhook { .. }
            | Fulfilment::Pool { .. } => true,
        };
        let text = match (claim.fulfilled_at, &opened.content) {
            (Some(at), Some(content)) => {
                let actor = events.iter().rev().find(handed).map(|event| who(chrome, event.actor, people));
                let (date, actor, tail) = (chrome.date(&at), actor.unwrap_or_default(), tail(content));
                let id = if opens { "console-claim-proof" } else { "console-claim-proof-said" };
                chrome.texts(id, &[("date", &date), ("who", &actor), ("tail", &tail)])
            }
            (_, _) => match Due::of(chrome, claim, now) {
                Some(due) => format!("{} {} ({})", chrome.t("console-claim-waits-until"), due.at, due.left),
                None => chrome.t("console-claim-waits"),
            },
        };
        let said = opened.content.as_ref().filter(|_| !opens).map(|content| content.as_str().to_owned());
        Self { license: claim.license.to_string(), kind: kind_of(chrome, claim), text, said }
    }
}

/// The end of what was handed over, and never much of it.
fn tail(content: &PoolCode) -> String {
    let letters: Vec<char> = content.as_str().chars().collect();
    let shown = (letters.len() / 3).min(4);
    letters[letters.len() - shown..].iter().collect()
}

/// What was typed on the page of a claim and cannot be taken, with the reason.
pub(super) enum Typed {
    Nothing,
    Content { text: String, error: String },
    Message(MessageForm),
}

#[derive(Template)]
#[template(path = "console/claim.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    title: String,
    license: String,
    license_state: &'static str,
    license_state_text: String,
    order: String,
    number: String,
    customer: Option<String>,
    email: String,
    what: String,
    answers: Vec<Answer>,
    unanswered: Vec<String>,
    kind: String,
    since: String,
    due: Option<Due>,
    last_error: Option<String>,
    /// Whether content can be handed over by hand.
    is_owed: bool,
    can_ask: bool,
    pool: Option<String>,
    /// Whether its license works, so that it gets something in its turn.
    works: bool,
    proof: Option<Proof>,
    buyer_page: String,
    content: String,
    /// Which field it is about, and what is wrong.
    error: Option<(&'static str, String)>,
    thread: Thread,
}

impl Show<'_> {
    fn can_hand_over(&self) -> bool {
        self.is_owed
    }

    fn works(&self) -> bool {
        self.works
    }

    fn can_ask_again(&self) -> bool {
        self.can_ask
    }

    /// Whether the field is there to be gone to.
    fn leads_to(&self, field: &str) -> bool {
        self.is_owed || field == "message"
    }

    fn error_of(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(wrong, _)| *wrong == field).map(|(_, text)| text.as_str())
    }

    fn is_wrong(&self, field: &str) -> bool {
        self.error.as_ref().is_some_and(|(wrong, _)| *wrong == field)
    }
}

pub(super) fn parse(license: &str) -> Result<LicenseId, Problem> {
    LicenseId::parse(license).map_err(|_| Problem::not_found("claim"))
}

pub(crate) async fn show(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
) -> Result<Response, Problem> {
    draw(&web, &staff, parse(&license)?, StatusCode::OK, Typed::Nothing).await
}

pub(super) async fn draw(
    web: &Web,
    staff: &Staff,
    id: LicenseId,
    status: StatusCode,
    typed: Typed,
) -> Result<Response, Problem> {
    let (chrome, store, shop) = (staff.chrome(web, "claims"), &web.app.store, staff.shop());
    let read = async || {
        let opened = store.claim_of_license(shop, id).await?;
        let license = store.license(shop, id).await?;
        let people = store.users(shop).await?;
        let error = store.last_error_of_job(shop, JobKind::AskEndpoint { license: id }).await?;
        Ok::<_, store::ReadError>((opened, license, people, error))
    };
    let (opened, license, people, last_error) = read().await.map_err(app::Error::from)?;
    let (Some(opened), Some(license)) = (opened, license) else { return Err(Problem::not_found("claim")) };
    let claim = &opened.claim;
    let order = web.app.sale(shop, claim.order).await?.order;
    let events = store.order_events(shop, order.id).await.map_err(app::Error::from)?;
    let now = web.app.clock.now();
    let is_waiting = claim.state == ClaimState::Waiting;
    let works = license.state == LicenseState::Active;
    let (by_hand, by_program) = match claim.fulfilment {
        Fulfilment::Manual { .. } => (true, false),
        Fulfilment::Webhook { .. } => (true, true),
        Fulfilment::GeneratedKey | Fulfilment::Download | Fulfilment::SignedKey | Fulfilment::Pool { .. } => {
            (false, false)
        }
    };
    let line = order.line(claim.line);
    let (content, error, form) = match typed {
        Typed::Nothing => (String::new(), None, None),
        Typed::Content { text, error } => (text, Some(("content", error)), None),
        Typed::Message(form) => (String::new(), Some(("message", form.error.clone())), Some(form)),
    };
    let thread = Thread::read(web, &chrome, &order, &people, form, Some(id)).await?;
    let title = if is_waiting { "console-claim-title" } else { "console-claim-title-done" };
    let view = Show {
        title: chrome.with(title, "number", order.number.as_str()),
        license: id.to_string(),
        license_state: license.state.as_str(),
        license_state_text: state_text(&chrome, license.state.as_str()),
        order: order.id.to_string(),
        number: order.number.to_string(),
        customer: order.customer.map(|id| id.to_string()),
        email: order.email.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string),
        what: line.map(domain::OrderLine::name).unwrap_or_default(),
        answers: line.map(|line| line.answers.clone()).unwrap_or_default(),
        unanswered: line.map(|line| order::unanswered(&chrome, line)).unwrap_or_default(),
        kind: kind_of(&chrome, claim),
        since: chrome.date(&claim.created_at),
        due: Due::of(&chrome, claim, now).filter(|_| is_waiting),
        last_error: last_error.filter(|_| is_waiting),
        is_owed: is_waiting && works && by_hand,
        can_ask: is_waiting && works && by_program,
        pool: claim.fulfilment.pool().map(|pool| pool.to_string()),
        works,
        proof: (!is_waiting).then(|| Proof::of(&chrome, &opened, &events, &people, now)),
        buyer_page: web.app.receipt_url(order.id),
        content,
        error,
        thread,
        chrome,
    };
    Ok(page(status, &view))
}

#[derive(Deserialize)]
pub(crate) struct Content {
    #[serde(default)]
    content: String,
}

/// Hands over what was typed. The same again is the same, and done once.
pub(crate) async fn fulfil(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
    Form(typed): Form<Content>,
) -> Result<Response, Problem> {
    let id = parse(&license)?;
    let chrome = staff.chrome(&web, "claims");
    let text = typed.content;
    let refused = async |status: StatusCode, text: String, error: String| {
        draw(&web, &staff, id, status, Typed::Content { text, error }).await
    };
    let content = match PoolCode::parse(&text) {
        Ok(content) => content,
        Err(error) => {
            let error = chrome.t(match error {
                TextError::Empty => "console-claim-content-empty",
                TextError::TooLong(_) => "console-claim-content-long",
                TextError::CardNumber => "console-claim-content-card",
            });
            return refused(StatusCode::UNPROCESSABLE_ENTITY, text, error).await;
        }
    };
    match web.app.hand_over(staff.shop(), id, &content, staff.actor()).await {
        Ok(()) => Ok(done(&format!("/console/claims/{id}"), "claim-done")),
        Err(app::Error::Refused(refusal)) => {
            let error = match refusal.code() {
                "fulfilled_otherwise" => "console-claim-refused-fulfilled",
                "content_taken" => "console-claim-refused-taken",
                "code_from_stock" => "console-claim-refused-stock",
                "license_state_unfit" => "console-claim-refused-license",
                "nothing_owed" => "console-claim-refused-nothing",
                _ => return Err(app::Error::Refused(refusal).into()),
            };
            refused(StatusCode::CONFLICT, text, chrome.t(error)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks the seller's program now instead of when its next time comes.
pub(crate) async fn ask(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
) -> Result<Response, Problem> {
    let id = parse(&license)?;
    let word = match web.app.ask_endpoint_now(staff.shop(), id).await {
        Ok(Asked::Now) => "claim-asked",
        Ok(Asked::Underway) => "claim-underway",
        Ok(Asked::Fulfilled) | Err(app::Error::Refused(_)) => "claim-not-asked",
        Err(error) => return Err(error.into()),
    };
    Ok(done(&format!("/console/claims/{id}"), word))
}
