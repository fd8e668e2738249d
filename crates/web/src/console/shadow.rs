//! What the shop would answer otherwise than the old system that still answers its apps.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{ForeignSystem, STATUS, ShadowCount, ShadowDifference, ShadowOutcome};

use super::{Chrome, Staff, page};
use crate::Web;
use crate::problem::Problem;

/// How many differences are shown, the most frequent.
const ROWS: u32 = 200;

struct SystemRow {
    system: &'static str,
    told: String,
}

struct DifferenceRow {
    system: &'static str,
    call: String,
    place: String,
    kind: String,
    ours: Option<String>,
    theirs: Option<String>,
    times: u64,
    last: String,
}

#[derive(Template)]
#[template(path = "console/shadow.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    systems: Vec<SystemRow>,
    differences: Vec<DifferenceRow>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "shadow");
    let (store, shop) = (&web.app.store, staff.shop());
    let counts = store.shadow_counts(shop).await.map_err(app::Error::from)?;
    let found = store.shadow_differences(shop, ROWS).await.map_err(app::Error::from)?;
    let is_asked = |system: &ForeignSystem| staff.visit.shop.compat.shadow.contains_key(system);
    let is_known = |system: &ForeignSystem| counts.iter().any(|count| count.system == *system);
    let systems = ForeignSystem::ALL.into_iter().filter(|system| is_asked(system) || is_known(system));
    let systems = systems.map(|system| system_row(&chrome, &counts, system)).collect();
    let differences = found.iter().map(|one| difference_row(&chrome, one)).collect();
    Ok(page(StatusCode::OK, &List { chrome, systems, differences }))
}

fn system_row(chrome: &Chrome<'_>, counts: &[ShadowCount], system: ForeignSystem) -> SystemRow {
    let of = || counts.iter().filter(|count| count.system == system);
    let times = |outcome| of().filter(|count| count.outcome == outcome).map(|count| count.times).sum::<u64>();
    let (equal, different) = (times(ShadowOutcome::Equal), times(ShadowOutcome::Different));
    let numbers = [
        ("compared", equal + different),
        ("equal", equal),
        ("different", different),
        ("unanswered", times(ShadowOutcome::Unanswered)),
    ];
    let told = match of().map(|count| count.first_at).min() {
        Some(since) => {
            let since = chrome.with("console-shadow-since", "date", &chrome.date(&since));
            format!("{} {since}", chrome.counts("console-shadow-counts", &numbers))
        }
        None => chrome.t("console-shadow-unasked"),
    };
    SystemRow { system: system.as_str(), told }
}

fn difference_row(chrome: &Chrome<'_>, one: &ShadowDifference) -> DifferenceRow {
    DifferenceRow {
        system: one.system.as_str(),
        call: one.call.clone(),
        place: match one.pointer.as_str() {
            "" => chrome.t("console-shadow-whole"),
            STATUS => chrome.t("console-shadow-status"),
            pointer => pointer.to_owned(),
        },
        kind: chrome.t(&format!("console-shadow-{}", one.kind.as_str().replace('_', "-"))),
        ours: one.ours.clone(),
        theirs: one.theirs.clone(),
        times: one.times,
        last: chrome.date(&one.last_at),
    }
}
