//! What apps asked and were told: of one license, with keys that nobody has, or of one device.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Activation, ActivationState, Attempt, AttemptId, AttemptVerdict, Fingerprint, Rule};
use store::AttemptFilter;

use super::{Chrome, Staff, list_page, page, query};
use crate::Web;
use crate::problem::Problem;
use crate::public::fields::address;

/// One attempt in a list.
pub(crate) struct AttemptRow {
    pub(crate) at: String,
    /// How many they are, where they are several.
    pub(crate) times: Option<String>,
    pub(crate) kind: String,
    pub(crate) asked: Option<String>,
    /// The code, for whoever looks it up.
    pub(crate) verdict: &'static str,
    pub(crate) is_refused: bool,
    pub(crate) rule: String,
    /// The end of a key that nobody has.
    pub(crate) tail: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) app: Option<String>,
    pub(crate) cause: String,
    pub(crate) fix: String,
}

impl AttemptRow {
    /// `seats` are those whose names are known.
    pub(crate) fn new(chrome: &Chrome<'_>, attempt: &Attempt, seats: &[Activation]) -> Self {
        let catalog = &chrome.web.app.catalog;
        let diagnosis = catalog.diagnosis(chrome.locale(), attempt.verdict.as_str());
        let device = attempt.fingerprint.as_ref().map(|fingerprint| {
            let seat = seats.iter().find(|seat| seat.fingerprint == *fingerprint);
            seat.and_then(|seat| seat.name.clone()).unwrap_or_else(|| fingerprint.as_str().to_owned())
        });
        Self {
            at: chrome.date(&attempt.last_at),
            times: (attempt.count > 1).then(|| chrome.count("console-attempts-times", u64::from(attempt.count))),
            kind: chrome.t(&format!("console-attempt-{}", attempt.kind.as_str())),
            asked: attempt
                .asked
                .clone()
                .or_else(|| attempt.product.clone().filter(|_| attempt.verdict == AttemptVerdict::WrongProduct)),
            verdict: attempt.verdict.as_str(),
            is_refused: attempt.verdict != AttemptVerdict::Valid,
            rule: catalog.rule(chrome.locale(), rule(attempt, seats)),
            tail: attempt.key_tail.clone(),
            license: attempt.license.map(|id| id.to_string()),
            device,
            app: attempt.app.clone(),
            cause: diagnosis.cause,
            fix: diagnosis.support,
        }
    }
}

/// The rule, finer where the seats are at hand: the answer to an app does not look for one that was given back.
fn rule(attempt: &Attempt, seats: &[Activation]) -> Rule {
    let is_its_own = |seat: &&Activation| Some(&seat.fingerprint) == attempt.fingerprint.as_ref();
    let held_before = |seat: &&Activation| seat.state == ActivationState::Released && seat.created_at < attempt.last_at;
    let is_released = attempt.rule == Rule::Seat && seats.iter().filter(is_its_own).any(|seat| held_before(&seat));
    if is_released { Rule::SeatReleased } else { attempt.rule }
}

#[derive(Template)]
#[template(path = "console/attempts.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    /// Of which device, or with which end of a key.
    of: Option<String>,
    attempts: Vec<AttemptRow>,
    shows_key: bool,
    next: Option<String>,
}

/// Attempts whose key opened nothing; with `tail`, those whose key ended so; with `device`, whatever a device asked.
pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "licenses");
    let (tail, device) = (query(&staff.visit.path, "tail"), query(&staff.visit.path, "device"));
    let device = device.and_then(|text| Fingerprint::parse(&text).ok());
    let tail = tail.filter(|text| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let (filter, of) = match (device, tail) {
        (Some(device), _) => {
            let name = device.as_str().to_owned();
            (AttemptFilter::Device(device), Some(("device", name)))
        }
        (None, Some(tail)) => (AttemptFilter::Tail(tail.to_ascii_uppercase()), Some(("tail", tail))),
        (None, None) => (AttemptFilter::Strangers, None),
    };
    let asked = list_page(&staff.visit.path, |text| AttemptId::parse(text).ok());
    let listing = web.app.store.attempts(staff.shop(), &filter, asked).await.map_err(app::Error::from)?;
    let next = listing.data.last().filter(|_| listing.has_more).map(|last| {
        let after = last.id.to_string();
        let after = ("after", after.as_str());
        match &of {
            Some((name, value)) => address("/console/attempts", &[(name, value.as_str()), after]),
            None => address("/console/attempts", &[after]),
        }
    });
    let view = List {
        of: of.map(|(name, value)| match name {
            "device" => value,
            _ => format!("…{}", value.to_ascii_uppercase()),
        }),
        attempts: listing.data.iter().map(|attempt| AttemptRow::new(&chrome, attempt, &[])).collect(),
        shows_key: true,
        next,
        chrome,
    };
    Ok(page(StatusCode::OK, &view))
}
