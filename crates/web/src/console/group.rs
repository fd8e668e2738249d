//! Groups of licenses: the list, one group with its licenses, and the forms that change them.

use app::NewGroup;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{GroupChange, GroupId, GroupUse, LicenseId, Refusal, plain_text};
use serde::Deserialize;
use store::LicenseFilter;

use super::order::LicenseRow;
use super::{Chrome, Staff, done, list_page, page};
use crate::Web;
use crate::problem::Problem;

/// How many groups the page of a license offers, the newest first. Into an older one it is put on the group's page.
const OFFERED: u32 = 100;

struct GroupRow {
    id: String,
    name: String,
    /// How many of how many.
    licenses: String,
    seats: String,
    /// As they are typed: empty where there is no limit.
    max_licenses: String,
    max_seats: String,
    is_empty: bool,
}

impl GroupRow {
    fn new(used: &GroupUse) -> Self {
        let of = |held: u32, most: Option<u32>| match most {
            Some(most) => format!("{held} / {most}"),
            None => format!("{held} / ∞"),
        };
        let typed = |most: Option<u32>| most.map(|most| most.to_string()).unwrap_or_default();
        let group = &used.group;
        Self {
            id: group.id.to_string(),
            name: group.name.clone(),
            licenses: of(used.licenses, group.max_licenses),
            seats: of(used.seats(), group.max_seats),
            max_licenses: typed(group.max_licenses),
            max_seats: typed(group.max_seats),
            is_empty: used.members == 0,
        }
    }
}

#[derive(Template)]
#[template(path = "console/groups.html")]
struct List<'a> {
    chrome: Chrome<'a>,
    groups: Vec<GroupRow>,
    next: Option<String>,
}

pub(crate) async fn list(State(web): State<Web>, staff: Staff) -> Result<Response, Problem> {
    let chrome = staff.chrome(&web, "licenses");
    let asked = list_page(&staff.visit.path, |text| GroupId::parse(text).ok());
    let now = web.app.clock.now();
    let listing = web.app.store.groups(staff.shop(), asked, now).await.map_err(app::Error::from)?;
    let last = listing.data.last().filter(|_| listing.has_more);
    let next = last.map(|last| format!("/console/groups?after={}", last.group.id));
    let groups = listing.data.iter().map(GroupRow::new).collect();
    Ok(page(StatusCode::OK, &List { chrome, groups, next }))
}

#[derive(Template)]
#[template(path = "console/group.html")]
struct Show<'a> {
    chrome: Chrome<'a>,
    group: GroupRow,
    licenses: Vec<LicenseRow>,
    next: Option<String>,
}

fn parse(group: &str) -> Result<GroupId, Problem> {
    GroupId::parse(group).map_err(|_| Problem::not_found("group"))
}

pub(crate) async fn show(State(web): State<Web>, staff: Staff, Path(group): Path<String>) -> Result<Response, Problem> {
    let id = parse(&group)?;
    let chrome = staff.chrome(&web, "licenses");
    let used = web.app.group(staff.shop(), id).await?;
    let filter = LicenseFilter { group: Some(id), ..LicenseFilter::default() };
    let asked = list_page(&staff.visit.path, |text| LicenseId::parse(text).ok());
    let listing = web.app.store.licenses(staff.shop(), &filter, asked).await.map_err(app::Error::from)?;
    let last = listing.data.last().filter(|_| listing.has_more);
    let next = last.map(|last| format!("/console/groups/{id}?after={}", last.id));
    let now = web.app.clock.now();
    let licenses = listing.data.iter().map(|license| LicenseRow::new(&chrome, license, now)).collect();
    Ok(page(StatusCode::OK, &Show { chrome, group: GroupRow::new(&used), licenses, next }))
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    max_licenses: String,
    #[serde(default)]
    max_seats: String,
    #[serde(default)]
    reason: String,
    /// What stood in the fields when the page was made.
    shown_name: Option<String>,
    shown_max_licenses: Option<String>,
    shown_max_seats: Option<String>,
}

impl Typed {
    /// The name and the limits; `None` when one of them cannot be read.
    fn read(&self) -> Option<(String, Option<u32>, Option<u32>)> {
        let limit = |text: &str| match text.trim() {
            "" => Some(None),
            text => text.parse::<u32>().ok().map(Some),
        };
        Some((plain_text(&self.name, 100).ok()?, limit(&self.max_licenses)?, limit(&self.max_seats)?))
    }
}

pub(crate) async fn create(
    State(web): State<Web>,
    staff: Staff,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let Some((name, max_licenses, max_seats)) = typed.read() else {
        return Ok(done("/console/groups", "group-unread"));
    };
    let id = GroupId::mint(web.app.clock.now(), &mut web.app.entropy.rng());
    let new = NewGroup { id, name, max_licenses, max_seats };
    web.app.create_group(staff.shop(), &new, staff.actor()).await?;
    Ok(done(&format!("/console/groups/{id}"), "group-made"))
}

/// Takes the name and the limits as they are typed; an empty limit is none. A field that is as the page showed it is
/// left as it is by now: somebody else may have changed it since.
pub(crate) async fn change(
    State(web): State<Web>,
    staff: Staff,
    Path(group): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let id = parse(&group)?;
    let back = format!("/console/groups/{id}");
    let (Some((name, max_licenses, max_seats)), Ok(reason)) = (typed.read(), plain_text(&typed.reason, 500)) else {
        return Ok(done(&back, "group-unread"));
    };
    let is_typed = |typed: &str, shown: Option<&str>| shown.is_none_or(|shown| shown != typed.trim());
    let wanted = GroupChange {
        name: is_typed(&typed.name, typed.shown_name.as_deref()).then_some(name),
        max_licenses: is_typed(&typed.max_licenses, typed.shown_max_licenses.as_deref()).then_some(max_licenses),
        max_seats: is_typed(&typed.max_seats, typed.shown_max_seats.as_deref()).then_some(max_seats),
    };
    match web.app.change_group(staff.shop(), id, &wanted, &reason, staff.actor()).await {
        Ok(_) => Ok(done(&back, "group-changed")),
        Err(app::Error::Refused(Refusal::GroupBelowUsed { .. })) => Ok(done(&back, "group-below-used")),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn delete(
    State(web): State<Web>,
    staff: Staff,
    Path(group): Path<String>,
) -> Result<Response, Problem> {
    let id = parse(&group)?;
    match web.app.delete_group(staff.shop(), id, staff.actor()).await {
        Ok(()) => Ok(done("/console/groups", "group-deleted")),
        Err(app::Error::Refused(Refusal::GroupNotEmpty)) => {
            Ok(done(&format!("/console/groups/{id}"), "group-not-empty"))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
pub(crate) struct Put {
    #[serde(default)]
    license: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    reason: String,
}

/// Puts a license into the group whose page this is.
pub(crate) async fn put(
    State(web): State<Web>,
    staff: Staff,
    Path(group): Path<String>,
    Form(typed): Form<Put>,
) -> Result<Response, Problem> {
    let id = parse(&group)?;
    let back = format!("/console/groups/{id}");
    match LicenseId::parse(typed.license.trim()) {
        Ok(license) => moved(&web, &staff, license, Some(id), &typed.reason, &back).await,
        Err(_) => Ok(done(&back, "group-license-unknown")),
    }
}

/// Puts the license whose page this is into the chosen group; into none, where none is chosen.
pub(crate) async fn regroup(
    State(web): State<Web>,
    staff: Staff,
    Path(license): Path<String>,
    Form(typed): Form<Put>,
) -> Result<Response, Problem> {
    let license = LicenseId::parse(&license).map_err(|_| Problem::not_found("license"))?;
    let group = match typed.group.as_str() {
        "" => None,
        group => Some(parse(group)?),
    };
    moved(&web, &staff, license, group, &typed.reason, &format!("/console/licenses/{license}")).await
}

async fn moved(
    web: &Web,
    staff: &Staff,
    license: LicenseId,
    group: Option<GroupId>,
    reason: &str,
    back: &str,
) -> Result<Response, Problem> {
    let Ok(reason) = plain_text(reason, 500) else { return Ok(done(back, "reason-missing")) };
    let word = match web.app.regroup_license(staff.shop(), license, group, &reason, staff.actor()).await {
        Ok(()) if group.is_some() => "grouped",
        Ok(()) => "ungrouped",
        Err(app::Error::NotFound { what: "license" }) => "group-license-unknown",
        Err(app::Error::Refused(Refusal::GroupLicensesReached { .. })) => "group-licenses-reached",
        Err(app::Error::Refused(Refusal::GroupFull { .. })) => "group-full",
        Err(error) => return Err(error.into()),
    };
    Ok(done(back, word))
}

/// A group that the page of a license offers.
pub(super) struct GroupChoice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// The group of a license, and those that it can be put into.
pub(super) async fn choices(
    web: &Web,
    staff: &Staff,
    chosen: Option<GroupId>,
) -> Result<(Option<(String, String)>, Vec<GroupChoice>), Problem> {
    let store = &web.app.store;
    let mut names = store.group_names(staff.shop(), OFFERED).await.map_err(app::Error::from)?;
    if let Some(group) = chosen.filter(|group| names.iter().all(|(id, _)| id != group)) {
        names.push((group, web.app.group(staff.shop(), group).await?.group.name));
    }
    let own = names.iter().find(|(id, _)| Some(*id) == chosen).map(|(id, name)| (id.to_string(), name.clone()));
    let choice =
        |(id, name): (GroupId, String)| GroupChoice { id: id.to_string(), name, is_chosen: Some(id) == chosen };
    Ok((own, names.into_iter().map(choice).collect()))
}
