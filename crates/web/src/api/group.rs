//! Groups of licenses, which share limits.

use app::NewGroup;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, GroupChange, GroupId, GroupUse, LicenseId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

use super::adjust::said;
use super::license::{shown, text};
use super::{Id, Json, Manager, Names, Once, Query, answer, list as listing};
use crate::Web;
use crate::problem::Problem;

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

#[derive(Serialize)]
struct GroupView {
    id: GroupId,
    name: String,
    licenses: u32,
    max_licenses: Option<u32>,
    seats_used: u32,
    max_seats: Option<u32>,
    created_at: Timestamp,
}

fn view(used: &GroupUse) -> GroupView {
    let group = &used.group;
    GroupView {
        id: group.id,
        name: group.name.clone(),
        licenses: used.licenses,
        max_licenses: group.max_licenses,
        seats_used: used.seats(),
        max_seats: group.max_seats,
        created_at: group.created_at,
    }
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let asked = query.page()?;
    query.done()?;
    let now = web.app.clock.now();
    Ok(listing(web.app.store.groups(manager.shop.id, asked, now).await.map_err(app::Error::from)?, view))
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Id(id): Id<GroupId>) -> Result<Response, Problem> {
    manager.may_read()?;
    Ok(answer(StatusCode::OK, &view(&web.app.group(manager.shop.id, id).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    name: String,
    max_licenses: Option<u32>,
    max_seats: Option<u32>,
}

pub(crate) async fn create(
    State(web): State<Web>,
    manager: Manager,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: Input = sent.read()?;
    let name = text("name", &input.name, LONGEST_NAME)?;
    let Input { name: _, max_licenses, max_seats } = input;
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |mut names: Names| {
        let new = NewGroup { id: names.mint(GroupId::mint), name, max_licenses, max_seats };
        let made = task.app.create_group(shop, &new, Actor::Api).await?;
        Ok(answer(StatusCode::CREATED, &view(&made)))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeInput {
    reason: String,
    name: Option<String>,
    #[serde(default, deserialize_with = "said")]
    max_licenses: Option<Option<u32>>,
    #[serde(default, deserialize_with = "said")]
    max_seats: Option<Option<u32>>,
}

pub(crate) async fn change(
    State(web): State<Web>,
    manager: Manager,
    Id(id): Id<GroupId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: ChangeInput = sent.read()?;
    let reason = text("reason", &input.reason, 500)?;
    let name = input.name.as_deref().map(|name| text("name", name, LONGEST_NAME)).transpose()?;
    let wanted = GroupChange { name, max_licenses: input.max_licenses, max_seats: input.max_seats };
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |_: Names| {
        let changed = task.app.change_group(shop, id, &wanted, &reason, Actor::Api).await?;
        Ok(answer(StatusCode::OK, &view(&changed)))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

#[derive(Serialize)]
struct DeletedView {
    id: GroupId,
    deleted: bool,
}

/// Ends a group that no license is in. Asked again there is none to be found.
pub(crate) async fn delete(State(web): State<Web>, manager: Manager, Id(id): Id<GroupId>) -> Result<Response, Problem> {
    manager.may_manage()?;
    web.app.delete_group(manager.shop.id, id, Actor::Api).await?;
    Ok(answer(StatusCode::OK, &DeletedView { id, deleted: true }))
}

/// A field that must be there, and may be null.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::<T>::deserialize(deserializer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegroupInput {
    reason: String,
    #[serde(deserialize_with = "nullable")]
    group: Option<GroupId>,
}

/// Puts a license into a group, or takes it out of the one that it is in.
pub(crate) async fn regroup(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: RegroupInput = sent.read()?;
    let reason = text("reason", &input.reason, 500)?;
    let (task, shop) = (web.clone(), manager.shop.id);
    let work =
        async move |_: Names| match task.app.regroup_license(shop, license, input.group, &reason, Actor::Api).await {
            Ok(()) => shown(&task, shop, license, true).await,
            Err(app::Error::NotFound { what: "group" }) => {
                Err(Problem::invalid("group", "group_unknown", "There is no such group."))
            }
            Err(error) => Err(error.into()),
        };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}
