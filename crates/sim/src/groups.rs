//! Groups of licenses: the people who make them and change what they may hold, and what must hold of them whoever reaches
//! for a place at the same moment.
//!
//! What a group holds is counted here once more, from the rows of its licenses and of their seats.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use app::NewGroup;
use domain::{
    Activation, ActivationState, Actor, Group, GroupChange, GroupId, GroupUse, License, LicenseId, LicenseState,
    Refusal, Rng, Timestamp,
};
use store::LicenseFilter;

use crate::seller::first_page;
use crate::sim::{DAY, Down, HOUR, MINUTE, SECOND, Sim};
use crate::universe::at_once;
use crate::{chance, device, hands};

/// How often somebody asks again when nobody answers.
const PATIENCE: u32 = 40;

/// A group with everything in it, as the rows say.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Scene {
    pub(crate) group: Group,
    members: Vec<(License, Vec<Activation>)>,
}

impl Scene {
    /// The group as it stands now; `None` when there is none, or it cannot be read.
    pub(crate) fn of(sim: &Sim, id: GroupId) -> Option<Self> {
        let (shop, rows) = (sim.shop.id, &sim.rows);
        let group = at_once(rows.group(shop, id, sim.universe.timestamp())).ok()??.group;
        let filter = LicenseFilter { group: Some(id), ..LicenseFilter::default() };
        let licenses = at_once(rows.licenses(shop, &filter, first_page())).ok()?.data;
        let with_seats = |license: License| {
            let seats = at_once(rows.activations(shop, license.id)).ok()?;
            Some((license, seats))
        };
        let members = licenses.into_iter().map(with_seats).collect::<Option<Vec<_>>>()?;
        Some(Self { group, members })
    }

    /// The seats of the licenses that count.
    fn seats(&self) -> impl Iterator<Item = (&License, &Activation)> {
        let counted = self.members.iter().filter(|(license, _)| counts(license.state));
        counted.flat_map(|(license, seats)| seats.iter().map(move |seat| (license, seat)))
    }

    fn licenses(&self) -> u32 {
        number(self.members.iter().filter(|(license, _)| counts(license.state)).count())
    }

    /// The seats that nobody has given back, leases that are over among them.
    fn taken(&self) -> u32 {
        number(self.seats().filter(|(_, seat)| seat.state == ActivationState::Active).count())
    }

    /// The seats that are held at a moment.
    pub(crate) fn held(&self, at: Timestamp) -> u32 {
        number(self.seats().filter(|(license, seat)| license.is_seated(seat, at)).count())
    }

    /// The seats that are held at a moment by devices that were not heard of since.
    fn held_by_the_silent(&self, at: Timestamp, since: Timestamp) -> u32 {
        let is_silent = |seat: &Activation| seat.last_seen_at < since;
        number(self.seats().filter(|(license, seat)| license.is_seated(seat, at) && is_silent(seat)).count())
    }

    /// What a device meets that wants one of its seats.
    pub(crate) fn state(&self, now: Timestamp) -> &'static str {
        match self.group.max_seats {
            None => "group:no_limit",
            Some(most) if self.held(now) > most => "group:exceeded",
            Some(most) if self.held(now) == most => "group:full",
            Some(most) if self.taken() >= most => "group:others_lapsed",
            Some(_) => "group:room",
        }
    }
}

/// Whether a license in this state counts in its group: what was taken back does not.
fn counts(state: LicenseState) -> bool {
    match state {
        LicenseState::Active | LicenseState::SuspendedByDispute | LicenseState::SuspendedByPerson => true,
        LicenseState::RevokedByRefund | LicenseState::RevokedByDispute | LicenseState::RevokedByPerson => false,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What a step did to a license that its group must bear.
pub(crate) enum News {
    /// A device took a seat.
    Seated(License, Activation),
    /// It was put into the group that it is in.
    Joined(License),
    /// It counts again, after it was taken back.
    Returned(GroupId),
}

impl News {
    /// What became of a license that its group must bear, apart from its devices.
    pub(crate) fn of(before: Option<&License>, license: &License) -> Option<Self> {
        let (before, group) = (before?, license.group?);
        if before.group != Some(group) {
            return Some(Self::Joined(license.clone()));
        }
        (!counts(before.state) && counts(license.state)).then_some(Self::Returned(group))
    }
}

/// Somebody who reaches for places: what for, and since when.
struct Reaching {
    number: u64,
    subject: String,
    tick: u64,
    at: Timestamp,
}

/// What has been seen of groups.
#[derive(Default)]
pub(crate) struct Groupbook {
    /// How many steps have written something.
    tick: u64,
    /// How many have ever reached.
    reached: u64,
    reaching: Vec<Reaching>,
    /// When a license of each group counted again for the last time.
    returned: BTreeMap<GroupId, u64>,
    /// Each group as it was written last.
    known: BTreeMap<GroupId, Group>,
    /// Licenses that somebody is putting somewhere.
    in_hand: BTreeSet<LicenseId>,
}

impl Groupbook {
    /// Somebody begins to reach for places, for a device or a license, or to bound them.
    pub(crate) fn begins(&mut self, subject: String, at: Timestamp) -> u64 {
        self.reached += 1;
        self.reaching.push(Reaching { number: self.reached, subject, tick: self.tick, at });
        self.reached
    }

    /// They were answered.
    pub(crate) fn ends(&mut self, number: u64) {
        self.reaching.retain(|reaching| reaching.number != number);
    }

    /// Since when somebody has reached for this.
    fn since(&self, subject: &str) -> Option<(u64, Timestamp)> {
        let reaching = self.reaching.iter().filter(|reaching| reaching.subject == subject);
        reaching.map(|reaching| (reaching.tick, reaching.at)).min()
    }
}

/// After a step: whoever came in newly has not taken a group above its limit.
///
/// What they were let in by was read before it was written. In between no place can be taken and no limit be set, but a
/// license may work again, whose devices are not asked; and a lease that was over may be renewed, where nobody was given
/// its place.
pub(crate) fn after_step(sim: &Sim, news: &[News], written: &BTreeSet<GroupId>) {
    sim.groups.borrow_mut().tick += 1;
    for piece in news {
        if let News::Returned(group) = piece {
            let tick = sim.groups.borrow().tick;
            sim.groups.borrow_mut().returned.insert(*group, tick);
        }
    }
    for piece in news {
        match piece {
            News::Returned(_) => {}
            News::Seated(license, seat) => {
                if let Some(group) = license.group {
                    holds(sim, group, &format!("{}/{}", license.id, seat.fingerprint.as_str()), What::Seat);
                }
            }
            News::Joined(license) => {
                if let Some(group) = license.group.filter(|_| counts(license.state)) {
                    holds(sim, group, &license.id.to_string(), What::License);
                }
            }
        }
    }
    for id in written {
        let now = at_once(sim.rows.group(sim.shop.id, *id, sim.universe.timestamp())).ok().flatten();
        let known = sim.groups.borrow().known.get(id).cloned();
        let Some(GroupUse { group, .. }) = now else {
            sim.groups.borrow_mut().known.remove(id);
            continue;
        };
        if let Some(before) = known {
            let (licenses, seats) = (before.max_licenses != group.max_licenses, before.max_seats != group.max_seats);
            if licenses || seats {
                holds(sim, *id, &id.to_string(), What::Limit { licenses, seats });
            }
        }
        sim.groups.borrow_mut().known.insert(*id, group);
    }
}

/// What came in, or was bounded.
#[derive(Clone, Copy)]
enum What {
    Seat,
    License,
    Limit { licenses: bool, seats: bool },
}

fn holds(sim: &Sim, id: GroupId, subject: &str, what: What) {
    let Some(scene) = Scene::of(sim, id) else {
        return sim.universe.fail(format!("{id} has let {subject} in, and is not there"));
    };
    let (since, works_again) = {
        let book = sim.groups.borrow();
        let Some((tick, since)) = book.since(subject) else {
            return sim.universe.fail(format!("{id} has let {subject} in, who had not asked"));
        };
        (since, book.returned.get(&id).is_some_and(|returned| *returned > tick))
    };
    let latest = sim.universe.timestamp().after(sim.skew);
    let (licenses, seats) = match what {
        // Whoever takes a seat gives back what is over, as far as there is no room otherwise.
        What::Seat => (None, Some(scene.taken())),
        What::License => (Some(scene.licenses()), Some(scene.held_by_the_silent(latest, since.before(sim.skew)))),
        What::Limit { licenses, seats } => (
            licenses.then(|| scene.licenses()),
            seats.then(|| scene.held_by_the_silent(latest, since.before(sim.skew))),
        ),
    };
    let exceeds = |held: Option<u32>, most: Option<u32>| held.zip(most).is_some_and(|(held, most)| held > most);
    let (most_licenses, most_seats) = (scene.group.max_licenses, scene.group.max_seats);
    if !works_again && (exceeds(licenses, most_licenses) || exceeds(seats, most_seats)) {
        sim.universe.fail(format!(
            "{id} may hold {most_licenses:?} licenses and {most_seats:?} seats, and holds {licenses:?} and {seats:?} \
             since {subject} came"
        ));
    }
}

/// When everything has come to rest, every node counts of each group what is counted here.
pub(crate) fn are_counted_right(sim: &Sim) {
    let ids: Vec<GroupId> = sim.groups.borrow().known.keys().copied().collect();
    for id in ids {
        let Some(scene) = Scene::of(sim, id) else {
            sim.universe.fail(format!("{id} cannot be read"));
            continue;
        };
        let (now, members) = (sim.universe.timestamp(), number(scene.members.len()));
        let ours = (members, scene.licenses(), scene.taken(), scene.held(now));
        for (node, app) in sim.up() {
            match at_once(app.group(sim.shop.id, id)) {
                Ok(told) if (told.members, told.licenses, told.taken, told.seats()) == ours => {}
                other => sim.universe.fail(format!("node {node} counts of {id} {other:?}, and it holds {ours:?}")),
            }
        }
    }
}

/// Does something with groups.
pub(crate) async fn act(sim: &Rc<Sim>) {
    match sim.universe.below(5) {
        0..=2 => found(sim).await,
        3 => change_some(sim).await,
        _ => move_some(sim).await,
    }
}

/// A company: some licenses get a group, their devices reach for its places, and it is changed meanwhile.
async fn found(sim: &Rc<Sim>) {
    let universe = &sim.universe;
    let mut licenses: Vec<LicenseId> = Vec::new();
    for _ in 0..universe.between(2, 4) {
        licenses.extend(hands::some_license(sim).map(|license| license.id).filter(|id| !licenses.contains(id)));
    }
    if licenses.is_empty() {
        return;
    }
    let max_licenses = universe.pick(&[None, None, Some(1), Some(2), Some(3)]);
    let max_seats = universe.pick(&[None, Some(1), Some(1), Some(2), Some(2), Some(3)]);
    let Some(group) = create(sim, max_licenses, max_seats).await else { return };
    for license in &licenses {
        put(sim, *license, Some(group)).await;
    }
    for _ in 0..universe.between(1, 3) {
        rush(sim, group);
        universe.sleep(universe.pick(&[SECOND, MINUTE, HOUR, DAY])).await;
        match universe.below(5) {
            0 | 1 => change(sim, group).await,
            2 => put(sim, licenses[0], None).await,
            3 => {
                hands::take_back_and_return(sim, licenses[0], || rush(sim, group)).await;
                rush(sim, group);
            }
            _ => {}
        }
    }
    if universe.one_in(4) {
        for license in licenses {
            put(sim, license, None).await;
        }
        delete(sim, group).await;
    }
}

/// Many devices reach for the places of a group at once, by way of all of its licenses.
fn rush(sim: &Rc<Sim>, group: GroupId) {
    let Some(scene) = Scene::of(sim, group) else { return };
    for (license, _) in scene.members {
        for _ in 0..sim.universe.between(1, 3) {
            let number = sim.universe.between(1, 999);
            sim.spawn_wanting(device::reach(Rc::clone(sim), license.id, number));
        }
    }
}

fn some_group(sim: &Sim) -> Option<GroupId> {
    let groups = sim.groups.borrow();
    let count = u64::try_from(groups.known.len()).ok().filter(|count| *count > 0)?;
    groups.known.keys().nth(usize::try_from(sim.universe.below(count)).ok()?).copied()
}

async fn change_some(sim: &Rc<Sim>) {
    let Some(group) = some_group(sim) else { return };
    rush(sim, group);
    change(sim, group).await;
}

async fn move_some(sim: &Rc<Sim>) {
    let (Some(group), Some(license)) = (some_group(sim), hands::some_license(sim)) else { return };
    rush(sim, group);
    let group = (!sim.universe.one_in(4)).then_some(group);
    put(sim, license.id, group).await;
}

async fn create(sim: &Rc<Sim>, max_licenses: Option<u32>, max_seats: Option<u32>) -> Option<GroupId> {
    let universe = &sim.universe;
    let mut rng = Rng::from_seed(chance::bytes(universe.below(u64::MAX), 5));
    let id = GroupId::mint(universe.timestamp(), &mut rng);
    let new = NewGroup { id, name: "Studio".to_owned(), max_licenses, max_seats };
    for _ in 0..PATIENCE {
        let (shop, asked) = (sim.shop.id, new.clone());
        let answer =
            sim.call("make a group", move |app| async move { app.create_group(shop, &asked, Actor::Api).await });
        match answer.await {
            Ok(Ok(told)) => {
                let is_so = (told.group.max_licenses, told.group.max_seats) == (max_licenses, max_seats);
                // Somebody may have found it already, and changed it.
                if told.group.id != id || (told.group.version == 1 && !is_so) {
                    universe.fail(format!("{id} was made, and told as {told:?}"));
                }
                return Some(id);
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(error)) => {
                universe.fail(format!("no group is made: {error}"));
                return None;
            }
        }
    }
    None
}

/// Puts a license into a group, or out of the one that it is in.
async fn put(sim: &Rc<Sim>, license: LicenseId, into: Option<GroupId>) {
    if !sim.groups.borrow_mut().in_hand.insert(license) {
        return;
    }
    let reaching = sim.groups.borrow_mut().begins(license.to_string(), sim.universe.timestamp());
    ask_to_put(sim, license, into).await;
    let mut book = sim.groups.borrow_mut();
    book.ends(reaching);
    book.in_hand.remove(&license);
}

async fn ask_to_put(sim: &Rc<Sim>, license: LicenseId, into: Option<GroupId>) {
    let universe = &sim.universe;
    let row = || at_once(sim.rows.license(sim.shop.id, license)).ok().flatten();
    let scene = || into.and_then(|group| Scene::of(sim, group));
    for _ in 0..PATIENCE {
        let (shop, asked_at) = (sim.shop.id, universe.timestamp());
        let before = (row(), scene());
        let answer = sim.call("put a license into a group", move |app| async move {
            app.regroup_license(shop, license, into, "one company", Actor::Api).await
        });
        let answer = answer.await;
        let after = (row(), scene());
        match answer {
            Ok(Ok(())) => {
                let is_in = after.0.as_ref().map(|license| license.group);
                if is_in != Some(into) {
                    universe.fail(format!("{license} was put into {into:?}, and is in {is_in:?}"));
                }
                let state = match (into, &before.1) {
                    (None, _) => "group:left",
                    (Some(_), Some(scene)) => scene.state(asked_at),
                    (Some(_), None) => return,
                };
                return universe.meet("license_put_in", state);
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            // It was ended meanwhile.
            Ok(Err(app::Error::NotFound { what: "group" })) if after.1.is_none() => return,
            Ok(Err(app::Error::Refused(refusal))) => {
                let earliest = asked_at.before(sim.skew);
                let (Some(was), Some(is)) = (&before.1, &after.1) else { return };
                if was != is || before.0 != after.0 {
                    return;
                }
                let own = after.0.map_or(0, |license| license.seats_used);
                let fits = if let Refusal::GroupLicensesReached { licenses } = refusal {
                    universe.meet("license_put_in", "group:licenses_reached");
                    is.group.max_licenses == Some(licenses) && is.licenses() >= licenses
                } else if let Refusal::GroupFull { seats } = refusal {
                    universe.meet("license_put_in", "group:too_full");
                    is.group.max_seats == Some(seats) && is.held(earliest).saturating_add(own) > seats
                } else {
                    false
                };
                if !fits {
                    universe.fail(format!("{license} is not put into {into:?} ({refusal}), and there is room"));
                }
                return;
            }
            Ok(Err(error)) => return universe.fail(format!("{license} is not put into {into:?}: {error}")),
        }
    }
}

/// Gives a group other limits, around what it holds.
async fn change(sim: &Rc<Sim>, group: GroupId) {
    let reaching = sim.groups.borrow_mut().begins(group.to_string(), sim.universe.timestamp());
    ask_to_change(sim, group).await;
    sim.groups.borrow_mut().ends(reaching);
}

async fn ask_to_change(sim: &Rc<Sim>, group: GroupId) {
    let universe = &sim.universe;
    let Some(scene) = Scene::of(sim, group) else { return };
    let around = |held: u32| match universe.below(6) {
        0 => Some(None),
        1 => Some(Some(held.saturating_sub(1))),
        2 | 3 => Some(Some(held)),
        4 => Some(Some(held + 1)),
        _ => None,
    };
    let max_seats = around(scene.held(universe.timestamp()));
    let max_licenses = if universe.one_in(2) { around(scene.licenses()) } else { None };
    let wanted = GroupChange { name: None, max_licenses, max_seats };
    for _ in 0..PATIENCE {
        let (shop, asked, asked_at) = (sim.shop.id, wanted.clone(), universe.timestamp());
        let before = Scene::of(sim, group);
        let answer = sim.call("change a group", move |app| async move {
            app.change_group(shop, group, &asked, "renegotiated", Actor::Api).await
        });
        let answer = answer.await;
        let after = Scene::of(sim, group);
        match answer {
            Ok(Ok(told)) => {
                let is_set = wanted.max_seats.is_none_or(|most| told.group.max_seats == most);
                // Somebody else may have changed it again before it was read for the answer.
                let is_alone = before.is_some_and(|scene| scene.group.version + 1 >= told.group.version);
                if !is_set && is_alone && after.is_some_and(|scene| scene.group == told.group) {
                    universe.fail(format!("{group} was to be {wanted:?}, and is {:?}", told.group));
                }
                return universe.meet("group_changed", "group:done");
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(app::Error::NotFound { what: "group" })) if after.is_none() => return,
            Ok(Err(app::Error::Refused(Refusal::GroupBelowUsed { .. }))) => {
                universe.meet("group_changed", "group:below_used");
                let (Some(was), Some(is)) = (before, after) else { return };
                let earliest = asked_at.before(sim.skew);
                let is_below = |most: Option<Option<u32>>, held: u32| most.flatten().is_some_and(|most| most < held);
                let fits =
                    is_below(wanted.max_seats, is.held(earliest)) || is_below(wanted.max_licenses, is.licenses());
                if was == is && !fits {
                    universe.fail(format!("{group} is not made {wanted:?}, and holds no more"));
                }
                return;
            }
            Ok(Err(error)) => return universe.fail(format!("{group} is not changed: {error}")),
        }
    }
}

async fn delete(sim: &Rc<Sim>, group: GroupId) {
    let universe = &sim.universe;
    for _ in 0..PATIENCE {
        let (shop, before) = (sim.shop.id, Scene::of(sim, group));
        let answer = sim.call("end a group", move |app| async move { app.delete_group(shop, group, Actor::Api).await });
        let answer = answer.await;
        let after = Scene::of(sim, group);
        match answer {
            Ok(Ok(()) | Err(app::Error::NotFound { what: "group" })) => {
                if after.is_some() {
                    universe.fail(format!("{group} was ended, and is there"));
                }
                return universe.meet("group_ended", "group:empty");
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(app::Error::Refused(Refusal::GroupNotEmpty))) => {
                universe.meet("group_ended", "group:not_empty");
                if before == after && after.is_some_and(|scene| scene.members.is_empty()) {
                    universe.fail(format!("{group} is not ended, and nothing is in it"));
                }
                return;
            }
            Ok(Err(error)) => return universe.fail(format!("{group} is not ended: {error}")),
        }
    }
}
