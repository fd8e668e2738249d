//! People of the shop who change one license by hand: switch it off and on, take it back, let it last longer, give it to
//! somebody else, and undo what they did; and owners who hand one on. What they decided stands in every row that is
//! written from then on, whatever the money does, until the next of them decides otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use app::{HandAct, TransferInput};
use domain::{
    Actor, Adjustment, CustomerId, Duration, Email, EventId, License, LicenseId, LicenseState, Locale, Order,
    OrderState, Refusal, Rng, Sale, Standing, Timestamp, TransferId, TransferState, ValidationRequest,
};
use latchkey_license::KeyCode;
use store::DeliveryFilter;

use crate::seller::{self, first_page};
use crate::sim::{DAY, Down, HOUR, MINUTE, SECOND, Sim};
use crate::universe::at_once;
use crate::{chance, support};

/// How often somebody asks again when nobody answers.
const PATIENCE: u32 = 40;

/// How often somebody looks for a license to do something with.
const LOOKS: u32 = 5;

/// What people have decided, as far as they were told that it is done.
#[derive(Default)]
pub(crate) struct Handbook {
    /// Licenses that somebody is busy with.
    taken: BTreeSet<LicenseId>,
    /// Those of them that somebody has asked something about, and waits for the answer.
    asked: BTreeSet<LicenseId>,
    decided: BTreeMap<LicenseId, Decided>,
    /// Licenses that were handed on: to whom, and with which key.
    received: Vec<(LicenseId, CustomerId, KeyCode)>,
}

#[derive(Debug, Default, Clone)]
struct Decided {
    /// `None`: nobody knows, because nobody answered. Else what a person decided, or that the money decides.
    state: Option<Option<LicenseState>>,
    /// When it ends, where that was set by hand.
    end: Option<Option<Timestamp>>,
    was_revoked: bool,
    has_moved: bool,
}

impl Handbook {
    fn of(&mut self, license: LicenseId) -> &mut Decided {
        self.decided.entry(license).or_insert_with(|| Decided { state: Some(None), ..Decided::default() })
    }

    /// Whether a mail may have left without telling the buyer what they hold of a license.
    pub(crate) fn may_be_untold(&self, license: LicenseId) -> bool {
        self.decided.get(&license).is_some_and(|decided| decided.was_revoked || decided.has_moved)
    }

    /// Whether something is being done that may change the clock of a license.
    pub(crate) fn is_asked(&self, license: LicenseId) -> bool {
        self.asked.contains(&license)
    }

    /// Whether the money decides of a license, as far as anybody knows.
    pub(crate) fn is_left_to_money(&self, license: LicenseId) -> bool {
        self.decided.get(&license).is_none_or(|decided| decided.state == Some(None))
    }
}

fn by_person(state: LicenseState) -> Option<LicenseState> {
    match state {
        LicenseState::SuspendedByPerson | LicenseState::RevokedByPerson => Some(state),
        LicenseState::Active
        | LicenseState::SuspendedByDispute
        | LicenseState::RevokedByRefund
        | LicenseState::RevokedByDispute => None,
    }
}

/// After a step that wrote to a license: what a person decided stands, and nobody but a person decides it.
pub(crate) fn license_was_written(sim: &Sim, before: Option<&License>, license: &License) {
    let book = sim.hands.borrow();
    if book.asked.contains(&license.id) {
        return;
    }
    let decided = book.decided.get(&license.id);
    let state = decided.map_or(Some(None), |decided| decided.state);
    if state.is_some_and(|state| state != by_person(license.state)) {
        let is = license.state.as_str();
        sim.universe.fail(format!("{} became {is}, and a person had decided {state:?}", license.id));
    }
    if let Some(end) = decided.and_then(|decided| decided.end)
        && license.expires_at != end
    {
        let is = license.expires_at;
        sim.universe.fail(format!("{} ends at {is:?}, and a person had decided {end:?}", license.id));
    }
    if let Some(before) = before
        && before.customer != license.customer
    {
        sim.universe.fail(format!("{} became another's, and nobody had given it away", license.id));
    }
}

/// What nobody decided by hand is as the money says, or works again because a person gave it back.
pub(crate) fn states_have_a_reason(sim: &Sim, sale: &Sale) {
    let money = sale.license_state().ok().flatten();
    for license in &sale.licenses {
        let is_given_back =
            license.state == LicenseState::Active && sim.hands.borrow().decided.contains_key(&license.id);
        if by_person(license.state).is_none() && Some(license.state) != money && !is_given_back {
            let (is, money) = (license.state.as_str(), money.map(LicenseState::as_str));
            sim.universe.fail(format!("{} is {is} for ever, and the money says {money:?}", license.id));
        }
    }
}

/// Whoever was handed a license on was told by mail what opens it, unless a mail to them was refused.
pub(crate) fn receivers_were_told(sim: &Sim) {
    for (id, customer, key) in &sim.hands.borrow().received {
        let (Ok(Some(license)), Ok(is)) =
            (at_once(sim.rows.license(sim.shop.id, *id)), at_once(sim.rows.license_key(sim.shop.id, *id)))
        else {
            sim.universe.fail(format!("{id} was handed on, and cannot be read"));
            continue;
        };
        let is_as_received = license.customer == Some(*customer) && is.as_ref() == Some(key);
        if !is_as_received || sim.hands.borrow().decided.get(id).is_some_and(|decided| decided.was_revoked) {
            continue;
        }
        let filter = DeliveryFilter { customer: Some(*customer), ..DeliveryFilter::default() };
        let mails = at_once(sim.rows.deliveries(sim.shop.id, &filter, first_page())).map(|found| found.data);
        let mails = mails.unwrap_or_default();
        if mails.iter().any(|mail| mail.state != domain::DeliveryState::Sent) || license.state != LicenseState::Active {
            continue;
        }
        let Some(held) = support::what_the_buyer_should_hold(sim, &license) else { continue };
        if !mails.iter().any(|mail| sim.office.text_of(mail.id).is_some_and(|text| text.contains(&held))) {
            sim.universe.fail(format!("{id} was handed on, and no mail tells its receiver what they hold"));
        }
    }
}

/// A license of a sale, most likely one that devices use.
pub(crate) fn some_license(sim: &Sim) -> Option<License> {
    (0..LOOKS).find_map(|_| {
        let sale = seller::some_sale(sim)?;
        let count = u64::try_from(sale.licenses.len()).ok().filter(|count| *count > 0)?;
        let place = (0..3).map(|_| sim.universe.below(count)).min()?;
        sale.licenses.into_iter().nth(usize::try_from(place).ok()?)
    })
}

/// Does something by hand to some license that nobody else is busy with.
pub(crate) async fn act(sim: &Rc<Sim>) {
    let what = sim.universe.below(12);
    // A code that was made elsewhere is not handed on, and neither is what does not work: that is tried now and then.
    let is_fit = |license: &License| {
        license.state == LicenseState::Active
            && matches!(at_once(sim.rows.claim_of_license(sim.shop.id, license.id)), Ok(None))
    };
    let looks = if what >= 10 { LOOKS } else { 1 };
    let found = (0..looks).filter_map(|_| some_license(sim)).reduce(|one, next| if is_fit(&one) { one } else { next });
    let Some(license) = found.map(|license| license.id) else { return };
    if !sim.hands.borrow_mut().taken.insert(license) {
        return;
    }
    match what {
        0..=3 => switch_off(sim, license, HandAct::Suspend).await,
        4 | 5 => switch_off(sim, license, HandAct::Revoke).await,
        6..=8 => adjust(sim, license).await,
        9 => give_away(sim, license).await,
        _ => hand_on(sim, license).await,
    }
    sim.hands.borrow_mut().taken.remove(&license);
}

/// Takes a license back, and lets it work again: its devices come back into a group that may be full by then.
pub(crate) async fn take_back_and_return(sim: &Rc<Sim>, license: LicenseId, meanwhile: impl FnOnce()) {
    if !sim.hands.borrow_mut().taken.insert(license) {
        return;
    }
    if decide(sim, license, HandAct::Revoke).await.is_some() {
        meanwhile();
        sim.universe.sleep(sim.universe.pick(&[0, 4 * SECOND, MINUTE, HOUR])).await;
        decide(sim, license, HandAct::Reinstate).await;
    }
    sim.hands.borrow_mut().taken.remove(&license);
}

/// Suspends or revokes; after a while the license works again, or what was done is undone, or it is left at that.
async fn switch_off(sim: &Rc<Sim>, license: LicenseId, how: HandAct) {
    let done = decide(sim, license, how).await;
    pause(sim).await;
    let then = match sim.universe.below(6) {
        0..=2 => Some(HandAct::Reinstate),
        3 | 4 => done.map(HandAct::Undo),
        _ => None,
    };
    if let Some(then) = then {
        let undone = decide(sim, license, then.clone()).await;
        if let (HandAct::Undo(_), Some(undone)) = (then, undone)
            && sim.universe.one_in(3)
        {
            pause(sim).await;
            decide(sim, license, HandAct::Undo(undone)).await;
        }
    }
}

async fn pause(sim: &Sim) {
    sim.universe.sleep(sim.universe.pick(&[0, SECOND, MINUTE, HOUR, HOUR, DAY])).await;
}

async fn give_away(sim: &Rc<Sim>, license: LicenseId) {
    let customers = at_once(sim.rows.customers(sim.shop.id, first_page())).map(|found| found.data).unwrap_or_default();
    let Some(count) = u64::try_from(customers.len()).ok().filter(|count| *count > 0) else { return };
    let Some(to) = customers.into_iter().nth(usize::try_from(sim.universe.below(count)).unwrap_or(0)) else { return };
    if let Some(done) = decide(sim, license, HandAct::Move(to.email)).await
        && sim.universe.one_in(3)
    {
        pause(sim).await;
        decide(sim, license, HandAct::Undo(done)).await;
    }
}

fn row(sim: &Sim, license: LicenseId) -> Option<License> {
    at_once(sim.rows.license(sim.shop.id, license)).ok().flatten()
}

fn sale_of(sim: &Sim, license: &License) -> Option<Sale> {
    at_once(sim.rows.sale(sim.shop.id, license.order)).ok().flatten()
}

fn mint(sim: &Sim) -> EventId {
    let mut rng = Rng::from_seed(chance::bytes(sim.universe.below(u64::MAX), 6));
    EventId::mint(sim.universe.timestamp(), &mut rng)
}

/// What happens when this is done, as it is counted.
fn occurrence(act: &HandAct) -> &'static str {
    match act {
        HandAct::Suspend => "person_suspends",
        HandAct::Reinstate => "person_reinstates",
        HandAct::Revoke => "person_revokes",
        HandAct::Move(_) => "person_moves",
        HandAct::Undo(_) => "person_undoes",
    }
}

fn met(state: LicenseState) -> &'static str {
    match state {
        LicenseState::Active => "hand:active",
        LicenseState::SuspendedByDispute => "hand:disputed",
        LicenseState::SuspendedByPerson => "hand:suspended",
        LicenseState::RevokedByRefund | LicenseState::RevokedByDispute => "hand:paid_back",
        LicenseState::RevokedByPerson => "hand:revoked",
    }
}

/// Asks for an act under one name until somebody answers. `Some`: it is done.
async fn decide(sim: &Rc<Sim>, license: LicenseId, act: HandAct) -> Option<EventId> {
    sim.hands.borrow_mut().asked.insert(license);
    let name = mint(sim);
    let done = ask(sim, license, &act, name).await;
    if done.is_none() {
        // Nobody answered: it may be done or not, but what stands in the row is what was decided.
        let state = row(sim, license).map(|row| by_person(row.state));
        sim.hands.borrow_mut().of(license).state = state;
    }
    sim.hands.borrow_mut().asked.remove(&license);
    if done.is_some() {
        every_node_tells(sim, license).await;
    }
    done
}

async fn ask(sim: &Rc<Sim>, license: LicenseId, act: &HandAct, name: EventId) -> Option<EventId> {
    let universe = &sim.universe;
    let first = row(sim, license)?;
    for _ in 0..PATIENCE {
        let before = row(sim, license)?;
        let (shop, asked) = (sim.shop.id, act.clone());
        let answer = sim.call("do something by hand", move |app| async move {
            app.act_by_hand(shop, license, &asked, "a person said so", Actor::Api, name).await
        });
        match answer.await {
            Ok(Ok(())) => {
                let was = was_decided(sim, license, act, name).unwrap_or(first.state);
                universe.log(|| format!("{license} was {}, and is done: {act:?} as {name}", was.as_str()));
                universe.meet(occurrence(act), met(was));
                return Some(name);
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(app::Error::Refused(refusal))) => {
                universe.meet(occurrence(act), "hand:unfit");
                let after = row(sim, license)?;
                if at_once(sim.rows.event(sim.shop.id, name)).ok().flatten().is_some() {
                    universe.fail(format!("{license}: {act:?} is done, and told as refused ({refusal})"));
                }
                if before == after && !fits(sim, &after, act, &refusal) {
                    universe.fail(format!("{license} is {}: {act:?} is refused ({refusal})", after.state.as_str()));
                }
                return None;
            }
            Ok(Err(error)) => {
                universe.fail(format!("{license}: {act:?} is not done: {error}"));
                return None;
            }
        }
    }
    None
}

/// Whether an act must be refused for this, as the license is.
fn fits(sim: &Sim, license: &License, act: &HandAct, refusal: &Refusal) -> bool {
    let unfit = *refusal == Refusal::LicenseStateUnfit { state: license.state };
    match act {
        HandAct::Suspend => unfit && !matches!(license.state, LicenseState::Active | LicenseState::SuspendedByDispute),
        HandAct::Reinstate => unfit && matches!(license.state, LicenseState::Active | LicenseState::SuspendedByDispute),
        HandAct::Revoke => unfit && license.state == LicenseState::RevokedByPerson,
        HandAct::Move(to) => {
            let owner = license.customer.and_then(|id| at_once(sim.rows.customer(sim.shop.id, id)).ok().flatten());
            *refusal == Refusal::TransferToOwner && owner.is_some_and(|owner| owner.email.key() == to.key())
        }
        // Nobody else did anything with it by hand: the money moved, or there would be too few seats.
        HandAct::Undo(_) => {
            let is_moved = sale_of(sim, license).is_some_and(|sale| has_moved(&sale));
            *refusal == Refusal::SeatsBelowUsed { used: license.seats_used }
                || (*refusal == Refusal::ChangedSince && is_moved)
        }
    }
}

/// Whether anything went back, or a bank has asked for it.
fn has_moved(sale: &Sale) -> bool {
    let Sale { order: Order { state, .. }, refunds, disputes, .. } = sale;
    *state != OrderState::Paid || !refunds.is_empty() || !disputes.is_empty()
}

/// What was said to be done stands in the row and in the journal, which knows the state that was changed by it.
fn was_decided(sim: &Sim, license: LicenseId, act: &HandAct, name: EventId) -> Option<LicenseState> {
    let Some(is) = row(sim, license) else {
        sim.universe.fail(format!("{license} cannot be read"));
        return None;
    };
    let event = |id: EventId| at_once(sim.rows.event(sim.shop.id, id)).ok().flatten();
    let told = event(name);
    if told.as_ref().is_none_or(|told| told.license != Some(license)) {
        sim.universe.fail(format!("{license}: {act:?} is done, and the journal does not say so"));
    }
    let is_so = match act {
        HandAct::Suspend => is.state == LicenseState::SuspendedByPerson,
        HandAct::Revoke => is.state == LicenseState::RevokedByPerson,
        HandAct::Reinstate => by_person(is.state).is_none(),
        HandAct::Move(to) => {
            let owner = is.customer.and_then(|id| at_once(sim.rows.customer(sim.shop.id, id)).ok().flatten());
            owner.is_some_and(|owner| owner.email.key() == to.key())
        }
        HandAct::Undo(undone) => {
            let undone = event(*undone).map(|event| event.data["undo"]["was"].clone());
            undone == told.as_ref().map(|told| told.data["undo"]["is"].clone())
        }
    };
    if !is_so {
        sim.universe.fail(format!("{license}: {act:?} is done, and it is {}", is.state.as_str()));
    }
    let mut book = sim.hands.borrow_mut();
    let decided = book.of(license);
    decided.state = Some(by_person(is.state));
    decided.end = is.policy.by_hand.expires_at.then_some(is.expires_at);
    decided.was_revoked |= matches!(act, HandAct::Revoke) || is.state == LicenseState::RevokedByPerson;
    decided.has_moved |= matches!(act, HandAct::Move(_));
    LicenseState::parse(told?.data["undo"]["was"]["state"].as_str()?)
}

/// Whichever node is asked tells the license as it stands, whatever it remembers.
async fn every_node_tells(sim: &Rc<Sim>, license: LicenseId) {
    let Ok(Some(key)) = at_once(sim.rows.license_key(sim.shop.id, license)) else { return };
    for (node, app) in sim.up() {
        let (shop, key, before) = (sim.shop.id, key.clone(), row(sim, license));
        let asked = sim.ask_node(node, &app, "validate what was changed by hand", move |app| async move {
            app.validate_license(shop, &key, &ValidationRequest::default()).await
        });
        let Ok(Ok(answer)) = asked.await else { continue };
        let after = row(sim, license);
        // Its clock may begin by this, or its key be replaced.
        let (true, Some(is)) = (before == after && answer.retired.is_none(), after) else { continue };
        let expected = is.validate(None, &ValidationRequest::default(), answer.at).code;
        if answer.verdict.code != expected {
            let (told, expected) = (answer.verdict.code.as_str(), expected.as_str());
            sim.universe.fail(format!("node {node} tells {license} as {told}, which is {expected} by hand"));
        }
        sim.universe.meet(
            "app_validates",
            match is.standing(answer.at) {
                Standing::Active => "hand:told_active",
                Standing::Suspended => "hand:told_suspended",
                Standing::Revoked => "hand:told_revoked",
                Standing::Expired => "hand:told_expired",
            },
        );
    }
}

/// What is to be different about one license, as it is counted.
fn some_adjustment(sim: &Sim) -> (&'static str, Adjustment) {
    let universe = &sim.universe;
    let now = universe.timestamp();
    let end = |days| Some(Some(now.after(Duration::days(days))));
    let one = Adjustment::default();
    match universe.below(6) {
        0 | 1 => ("hand:longer", Adjustment { expires_at: end(universe.between(5, 30)), ..one }),
        2 => ("hand:for_ever", Adjustment { expires_at: Some(None), ..one }),
        3 => ("hand:shorter", Adjustment { expires_at: end(universe.between(0, 1)), ..one }),
        _ => {
            let seats = u32::try_from(universe.between(0, 4)).unwrap_or(1);
            ("hand:seats", Adjustment { seats: Some(Some(seats)), ..one })
        }
    }
}

/// Changes what a license allows, sometimes another part of it as well, and undoes the first of it.
async fn adjust(sim: &Rc<Sim>, license: LicenseId) {
    let (what, wanted) = some_adjustment(sim);
    let first = ask_to_adjust(sim, license, what, &wanted).await;
    pause(sim).await;
    let (mut of_another_part, mut of_the_same) = (false, false);
    if sim.universe.one_in(2) {
        let (other, again) = some_adjustment(sim);
        let is_done = ask_to_adjust(sim, license, other, &again).await.is_some();
        of_the_same = is_done && again.seats.is_some() == wanted.seats.is_some();
        of_another_part = is_done && !of_the_same;
    }
    let Some(first) = first.filter(|_| !of_the_same && sim.universe.one_in(2)) else { return };
    if decide(sim, license, HandAct::Undo(first)).await.is_some() && of_another_part {
        sim.universe.meet("person_undoes", "hand:changed_elsewhere");
    }
}

/// The event that tells of it, where something is different by it.
async fn ask_to_adjust(sim: &Rc<Sim>, license: LicenseId, what: &'static str, wanted: &Adjustment) -> Option<EventId> {
    sim.hands.borrow_mut().asked.insert(license);
    let is_answered = until_adjusted(sim, license, what, wanted).await;
    let is = row(sim, license);
    {
        let mut book = sim.hands.borrow_mut();
        let end = is.as_ref().filter(|is| is.policy.by_hand.expires_at).map(|is| is.expires_at);
        book.of(license).end = end;
        book.asked.remove(&license);
    }
    let event = is_answered?;
    every_node_tells(sim, license).await;
    let is = is?;
    let events = at_once(sim.rows.order_events(sim.shop.id, is.order)).unwrap_or_default();
    events.into_iter().find(|told| told.license == Some(license) && told.data["reason"] == event).map(|told| told.id)
}

/// The reason that was given, once somebody says that it is done.
async fn until_adjusted(sim: &Rc<Sim>, license: LicenseId, what: &'static str, wanted: &Adjustment) -> Option<String> {
    let universe = &sim.universe;
    let reason = mint(sim).to_string();
    for _ in 0..PATIENCE {
        let (shop, asked, why) = (sim.shop.id, wanted.clone(), reason.clone());
        let before = row(sim, license);
        let answer = sim.call("change what a license allows", move |app| async move {
            app.adjust_license(shop, license, &asked, &why, Actor::Api).await
        });
        match answer.await {
            Ok(Ok(_)) => {
                universe.meet("person_adjusts", what);
                let is = row(sim, license)?;
                let is_so = wanted.expires_at.is_none_or(|end| is.expires_at == end)
                    && wanted.seats.is_none_or(|seats| is.policy.seats == seats);
                if !is_so {
                    universe.fail(format!("{license} was changed to {wanted:?}, and is not so"));
                }
                return Some(reason);
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(app::Error::Refused(Refusal::SeatsBelowUsed { used }))) => {
                universe.meet("person_adjusts", "hand:unfit");
                let after = row(sim, license);
                let is_below = after.as_ref().is_some_and(|is| {
                    is.seats_used == used && wanted.seats.flatten().is_some_and(|seats| seats < used)
                });
                if before == after && !is_below {
                    universe.fail(format!("{license} is not changed to {wanted:?}, and no more seats are taken"));
                }
                return None;
            }
            Ok(Err(error)) => {
                universe.fail(format!("{license} is not changed to {wanted:?}: {error}"));
                return None;
            }
        }
    }
    None
}

/// The owner hands a license on; whoever reads the mail takes it, now or too late, or the owner thinks better of it.
async fn hand_on(sim: &Rc<Sim>, license: LicenseId) {
    let universe = &sim.universe;
    let Some(before) = row(sim, license) else { return };
    let known = at_once(sim.rows.customers(sim.shop.id, first_page())).map(|found| found.data).unwrap_or_default();
    let to = match known.into_iter().next().filter(|_| universe.one_in(2)) {
        Some(customer) => customer.email,
        None => match Email::parse(&format!("friend{}@shop.test", universe.between(1, 9))) {
            Ok(email) => email,
            Err(error) => return universe.fail(error.to_string()),
        },
    };
    let input = TransferInput { to, frees_seats: universe.one_in(2), locale: Locale::english() };
    if !offered(sim, &before, &input).await {
        return;
    }
    let Some(transfer) = open_offer(sim, license) else { return };
    pause(sim).await;
    if universe.one_in(4) {
        return withdraw(sim, license, transfer).await;
    }
    let Some(token) = read_link(sim, transfer).await else { return };
    sim.hands.borrow_mut().asked.insert(license);
    accept(sim, license, transfer, &token, &input).await;
    sim.hands.borrow_mut().asked.remove(&license);
}

fn open_offer(sim: &Sim, license: LicenseId) -> Option<TransferId> {
    let offers = at_once(sim.rows.transfers(sim.shop.id, license)).unwrap_or_default();
    offers.into_iter().find(|offer| offer.state == TransferState::Offered).map(|offer| offer.id)
}

async fn offered(sim: &Rc<Sim>, license: &License, input: &TransferInput) -> bool {
    let universe = &sim.universe;
    let id = license.id;
    for _ in 0..PATIENCE {
        let (shop, asked, asked_at) = (sim.shop.id, input.clone(), universe.timestamp());
        let before = row(sim, id);
        let answer =
            sim.call("hand a license on", move |app| async move { app.offer_transfer(shop, id, &asked).await });
        match answer.await {
            Ok(Ok(())) => {
                universe.meet("owner_hands_on", "hand:offered");
                return true;
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(app::Error::Refused(refusal))) => {
                universe.meet("owner_hands_on", "hand:unfit");
                let after = row(sim, id);
                let latest = universe.timestamp().after(sim.skew);
                let fits = if let Refusal::LicenseNotUsable(standing) = refusal {
                    // What works in this moment may have ended in the next.
                    after.as_ref().is_some_and(|is| {
                        is.standing(asked_at.before(sim.skew)) == standing || is.standing(latest) == standing
                    })
                } else if let Refusal::TransferQuotaReached { .. } = refusal {
                    at_once(sim.rows.transfers(sim.shop.id, id)).is_ok_and(|offers| offers.len() >= 3)
                } else if refusal == Refusal::CodeMadeElsewhere {
                    matches!(at_once(sim.rows.claim_of_license(sim.shop.id, id)), Ok(Some(_)))
                } else {
                    refusal == Refusal::TransferToOwner
                };
                if before == after && !fits {
                    universe.fail(format!("{id} is not handed on ({refusal}), and may be"));
                }
                return false;
            }
            Ok(Err(error)) => {
                universe.fail(format!("{id} is not handed on: {error}"));
                return false;
            }
        }
    }
    false
}

async fn withdraw(sim: &Rc<Sim>, license: LicenseId, transfer: TransferId) {
    let universe = &sim.universe;
    for _ in 0..PATIENCE {
        let shop = sim.shop.id;
        let answer =
            sim.call("withdraw an offer", move |app| async move { app.withdraw_transfer(shop, license).await });
        match answer.await {
            // Asked again, it is withdrawn already.
            Ok(Ok(()) | Err(app::Error::Refused(Refusal::TransferOver))) => {
                universe.meet("owner_hands_on", "hand:withdrawn");
                let offer = at_once(sim.rows.transfer(sim.shop.id, transfer)).ok().flatten();
                if offer.is_none_or(|offer| offer.is_open(universe.timestamp().before(sim.skew))) {
                    universe.fail(format!("the offer {transfer} was withdrawn, and is open"));
                }
                return;
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(error)) => return universe.fail(format!("the offer {transfer} is not withdrawn: {error}")),
        }
    }
}

/// The token of the link in the mail, once that has come.
async fn read_link(sim: &Rc<Sim>, transfer: TransferId) -> Option<String> {
    let marker = format!("offer={transfer}&token=");
    for _ in 0..6 {
        if let Some(text) = sim.office.find(&marker) {
            let (_, rest) = text.split_once(&marker)?;
            let token: String = rest.chars().take_while(|letter| !letter.is_whitespace()).collect();
            return Some(token);
        }
        sim.universe.sleep(sim.universe.between(MINUTE, HOUR * 6)).await;
    }
    None
}

async fn accept(sim: &Rc<Sim>, license: LicenseId, transfer: TransferId, token: &str, input: &TransferInput) {
    let universe = &sim.universe;
    let Ok(Some(old)) = at_once(sim.rows.license_key(sim.shop.id, license)) else { return };
    let offer = || at_once(sim.rows.transfer(sim.shop.id, transfer)).ok().flatten();
    for _ in 0..PATIENCE {
        let (shop, token, asked_at) = (sim.shop.clone(), token.to_owned(), universe.timestamp());
        let before = row(sim, license);
        let answer = sim.call("take a license that was handed on", move |app| async move {
            app.accept_transfer(&shop, transfer, &token, &Locale::english()).await
        });
        match answer.await {
            Ok(Ok(())) => return was_received(sim, license, transfer, &old, input).await,
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 4)).await;
            }
            Ok(Err(app::Error::Refused(Refusal::TransferOver))) => {
                let Some(offer) = offer() else { return universe.fail(format!("{transfer} is gone")) };
                match offer.state {
                    // Asked again, it was taken the first time.
                    TransferState::Accepted => return was_received(sim, license, transfer, &old, input).await,
                    TransferState::Withdrawn => return,
                    TransferState::Offered if offer.is_open(universe.timestamp().after(sim.skew)) => {
                        return universe.fail(format!("{transfer} is open, and told to be over"));
                    }
                    TransferState::Offered => return universe.meet("owner_hands_on", "hand:too_late"),
                }
            }
            Ok(Err(app::Error::Refused(Refusal::LicenseNotUsable(standing)))) => {
                let (after, latest) = (row(sim, license), universe.timestamp().after(sim.skew));
                let earliest = asked_at.before(sim.skew);
                let is_so = |is: &License| is.standing(earliest) == standing || is.standing(latest) == standing;
                if before == after && !after.as_ref().is_some_and(is_so) {
                    universe.fail(format!("{license} works, and is not handed on"));
                }
                return universe.meet("owner_hands_on", "hand:unfit");
            }
            Ok(Err(error)) => return universe.fail(format!("{transfer} is not taken: {error}")),
        }
    }
}

/// It is the receiver's, who has a key that nobody else knows, where that was wanted.
async fn was_received(sim: &Rc<Sim>, license: LicenseId, transfer: TransferId, old: &KeyCode, input: &TransferInput) {
    sim.universe.meet("owner_hands_on", if input.frees_seats { "hand:with_new_key" } else { "hand:with_its_key" });
    let (Some(is), Ok(Some(key))) = (row(sim, license), at_once(sim.rows.license_key(sim.shop.id, license))) else {
        return sim.universe.fail(format!("{license} was handed on, and cannot be read"));
    };
    let owner = is.customer.and_then(|id| at_once(sim.rows.customer(sim.shop.id, id)).ok().flatten());
    let Some(owner) = owner.filter(|owner| owner.email.key() == input.to.key()) else {
        return sim.universe.fail(format!("{transfer} was taken, and {license} is not the receiver's"));
    };
    {
        let mut book = sim.hands.borrow_mut();
        book.of(license).has_moved = true;
        book.received.push((license, owner.id, key.clone()));
    }
    if input.frees_seats {
        if key == *old {
            sim.universe.fail(format!("{license} was handed on with a new key, and has the old one"));
        }
        support::every_node_refuses(sim, old).await;
    }
}
