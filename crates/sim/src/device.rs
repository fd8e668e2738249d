//! A computer that wants a seat: many of them reach for the few of one license at once, keep what they were told, and
//! come back after days.
//!
//! Every answer is held against the rows, as far as nothing changed them between
//! the question and the answer, and against what can never be said whatever changed.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use app::{ActivateAnswer, App, KeySlip};
use domain::{
    Activation, ActivationRequest, ActivationState, Actor, Age, Fingerprint, License, LicenseId, LicenseState,
    PoolCode, Refusal, Sale, Standing, Timestamp, ValidationRequest, VerdictCode,
};
use latchkey_license::{CertificateError, KeyCode, KeySet, SignedKeyError, verify, verify_signed_key};
use store::{SeatView, SigningKey, SigningKeyState};

use crate::goods::{last_entry, last_moment};
use crate::groups::Scene;
use crate::signed::{self, published, signing_keys};
use crate::sim::{DAY, HOUR, MINUTE, SECOND, Sim};
use crate::universe::{at_once, hold};

/// How many certificates a device keeps.
const MOST_KEPT: usize = 6;

/// By when every node has read a signing key that was added.
const READ_WITHIN: domain::Duration = domain::Duration::days(1);

/// A device with what its owner was mailed for a license.
struct Device {
    sim: Rc<Sim>,
    license: LicenseId,
    /// The key, or what is behind the text that its owner has typed.
    key: KeyCode,
    typed: Typed,
    fingerprint: Fingerprint,
    certificates: Vec<Certificate>,
}

/// What the owner of a device has typed or pasted.
#[derive(Clone)]
enum Typed {
    /// The key itself.
    Key,
    /// A code that stands for it.
    Code(PoolCode),
    /// A text that holds it, and is signed.
    Text(Box<str>),
}

/// A certificate that a device keeps, with what it said when it came.
struct Certificate {
    text: String,
    expires_at: i64,
}

/// What a device asks: as it is counted, and as the log tells it.
#[derive(Clone, Copy)]
struct Question {
    occurrence: &'static str,
    told: &'static str,
}

const ACTIVATES: Question = Question { occurrence: "app_activates", told: "activate" };
const REPORTS: Question = Question { occurrence: "app_reports", told: "hear a heartbeat" };
const LEAVES: Question = Question { occurrence: "app_leaves", told: "deactivate" };
const VALIDATES: Question = Question { occurrence: "app_validates", told: "validate" };

/// What the rows said of the license, the seat and the key, and of the group that the license is in.
#[derive(Clone, PartialEq, Eq)]
struct Stored {
    seat: Option<SeatView>,
    is_retired: bool,
    group: Option<Scene>,
}

/// A device with the key of a sale's first license, for some days.
pub(crate) async fn run(sim: Rc<Sim>, sale: Rc<Sale>, number: i64) {
    let Ok(fingerprint) = Fingerprint::parse(&format!("device-{number}")) else { return };
    let Some((license, key, typed)) = mailed(&sim, &sale).await else { return };
    let universe = Arc::clone(&sim.universe);
    let mut device = Device { sim, license, key, typed, fingerprint, certificates: Vec::new() };
    if universe.one_in(2) {
        device.validate().await;
    }
    for _ in 0..universe.between(1, 5) {
        if universe.one_in(4) {
            universe.sleep(universe.between(0, 2 * DAY)).await;
        } else {
            universe.sleep(universe.between(0, 3) * SECOND).await;
        }
        device.ask().await;
    }
    let lease = sale.licenses.first().and_then(|license| license.policy.seating.lease_seconds);
    if let Some(lease) = lease {
        device.keep_alive(i64::from(lease) * SECOND).await;
    }
    // Its app starts now and then, while money goes back, disputes are opened and lost, and other devices come and go.
    for _ in 0..universe.between(2, 8) {
        universe.sleep(universe.between(0, 3 * DAY)).await;
        for _ in 0..2 {
            device.validate().await;
        }
        device.check_kept().await;
        device.check_text();
        if universe.one_in(4) {
            device.activate().await;
        }
    }
    universe.sleep(universe.between(0, HOUR)).await;
}

/// A device among many that reach for the places of a group, by way of one of its licenses; it stays for a while or
/// leaves, and may come back.
pub(crate) async fn reach(sim: Rc<Sim>, license: LicenseId, number: i64) {
    let Ok(fingerprint) = Fingerprint::parse(&format!("desk-{number}")) else { return };
    let Some((key, typed)) = typed(&sim, license) else { return };
    let universe = Arc::clone(&sim.universe);
    let mut device = Device { sim, license, key, typed, fingerprint, certificates: Vec::new() };
    universe.sleep(universe.pick(&[0, 0, 1, 3]) * SECOND).await;
    device.activate().await;
    for _ in 0..universe.between(0, 3) {
        universe.sleep(universe.pick(&[0, SECOND, MINUTE, HOUR, DAY])).await;
        match universe.below(4) {
            0 => device.deactivate().await,
            1 => device.heartbeat().await,
            2 => device.activate().await,
            _ => device.validate().await,
        }
    }
    if universe.one_in(2) {
        device.deactivate().await;
    }
}

/// The mail came, and somebody typed the key; or the code, once it was there; or pasted the text that is signed.
async fn mailed(sim: &Rc<Sim>, sale: &Sale) -> Option<(LicenseId, KeyCode, Typed)> {
    let universe = &sim.universe;
    let keys = at_once(sim.rows.license_keys(sim.shop.id, sale.order.id)).unwrap_or_default();
    let (license, _) = keys.into_iter().next()?;
    for _ in 0..10 {
        match typed(sim, license) {
            Some((key, typed)) => return Some((license, key, typed)),
            None => universe.sleep(universe.between(MINUTE, DAY)).await,
        }
    }
    None
}

/// What opens a license, and what it is typed as; `None` while there is nothing to be typed.
fn typed(sim: &Sim, license: LicenseId) -> Option<(KeyCode, Typed)> {
    let key = at_once(sim.rows.license_key(sim.shop.id, license)).ok()??;
    if let Some(claim) = at_once(sim.rows.claim_of_license(sim.shop.id, license)).ok()? {
        return Some((key, Typed::Code(claim.content?)));
    }
    Some(match at_once(sim.rows.signed_key(sim.shop.id, license)).ok()? {
        Some(signed) => (key, Typed::Text(signed.text)),
        None => (key, Typed::Key),
    })
}

impl Device {
    async fn ask(&mut self) {
        match self.sim.universe.below(8) {
            0..=3 => self.activate().await,
            4 | 5 => self.deactivate().await,
            6 => self.heartbeat().await,
            _ => self.validate().await,
        }
    }

    /// Tells that it is alive, in time or too late, and comes back when its seat is lost.
    async fn keep_alive(&mut self, lease: i64) {
        let sim = Rc::clone(&self.sim);
        let universe = &sim.universe;
        self.activate().await;
        for _ in 0..universe.between(2, 6) {
            let pause = match universe.below(4) {
                0 => lease + universe.between(0, lease),
                _ => lease / 2,
            };
            universe.sleep(pause.max(SECOND)).await;
            self.heartbeat().await;
            if universe.one_in(3) {
                self.activate().await;
            }
        }
    }

    /// What the rows say now. `None` when they cannot be read.
    fn stored(&self, now: Timestamp) -> Option<Stored> {
        let (shop, rows) = (self.sim.shop.id, &self.sim.rows);
        let seat = at_once(rows.seat(shop, &self.key, Some(&self.fingerprint), now)).ok()?;
        let is_retired = at_once(rows.retired_key(shop, &self.key)).ok()?.is_some();
        let group = seat.as_ref().and_then(|seat| seat.license.group);
        let group = group.and_then(|group| Scene::of(&self.sim, group));
        Some(Stored { seat, is_retired, group })
    }

    /// Asks some node, by what the owner has typed. `None` when nobody answered, or nobody could tell.
    async fn put<T: 'static, F: Future<Output = Result<T, app::Error>> + 'static>(
        &mut self,
        question: Question,
        stored: &Stored,
        work: impl FnOnce(Arc<App>, KeyCode) -> F + 'static,
    ) -> Option<Result<T, app::Error>> {
        let (shop, key, typed) = (self.sim.shop.id, self.key.clone(), self.typed.clone());
        let asked_at = self.sim.universe.timestamp();
        // The inner error is where a text slips, before any license is looked for.
        let asked = self.sim.call(question.told, move |app| async move {
            let read = match typed {
                Typed::Key => Ok(key),
                Typed::Code(code) => match app.key_made_elsewhere(shop, code.as_str()).await? {
                    Some(behind) => Ok(behind),
                    None => return Err(app::Error::NotFound { what: "license" }),
                },
                Typed::Text(text) => app.read_key(shop, &text).await?,
            };
            match read {
                Ok(key) => work(app, key).await.map(Ok),
                Err(slip) => Ok(Err(slip)),
            }
        });
        let answer = match asked.await.ok()? {
            Ok(Ok(told)) => Ok(told),
            Ok(Err(slip)) => {
                self.was_called_forged(question, slip);
                return None;
            }
            Err(error) => Err(error),
        };
        if matches!(answer, Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) {
            return None;
        }
        self.note(question.occurrence, stored, asked_at);
        Some(answer)
    }

    /// The text that it has is said to be none of the shop's.
    fn was_called_forged(&mut self, question: Question, slip: KeySlip) {
        let Typed::Text(text) = &self.typed else { return self.wrong("what was typed slips, and is no text") };
        self.check_text();
        if !signed::may_be_called_forged(&self.sim, text, slip) {
            return self.wrong(&format!("its text was told to be {}", slip.code()));
        }
        self.sim.universe.meet(question.occurrence, "key:revoked");
        self.reads_mail();
    }

    /// What a question met.
    fn note(&self, occurrence: &str, stored: &Stored, now: Timestamp) {
        let meet = |state: &str| self.sim.universe.meet(occurrence, state);
        meet(match (stored.is_retired, &self.typed) {
            (true, Typed::Text(_)) => "key:retired_text",
            (true, Typed::Key | Typed::Code(_)) => "key:retired",
            (false, Typed::Code(_)) => "key:code",
            (false, Typed::Text(_)) => "key:text",
            (false, Typed::Key) => "key:current",
        });
        let Some(view) = &stored.seat else { return };
        let license = &view.license;
        meet(match (license.standing(now), license.started_at, license.age(now)) {
            (Standing::Revoked, _, Age::Over) | (Standing::Expired, _, _) => "license:over",
            (Standing::Revoked, _, Age::Running | Age::InGrace) => "license:revoked",
            (Standing::Suspended, _, _) => "license:suspended",
            (Standing::Active, None, _) => "license:not_begun",
            (Standing::Active, Some(_), Age::Running) => "license:running",
            (Standing::Active, Some(_), Age::InGrace) => "license:in_grace",
            (Standing::Active, Some(_), Age::Over) => "license:kept",
        });
        let is_full = |taken: u32| license.policy.seat_cap().is_some_and(|cap| taken >= cap);
        meet(match &view.activation {
            Some(seat) if license.is_seated(seat, now) => "seat:held",
            Some(_) => "seat:lapsed",
            None if is_full(license.seats_used.saturating_sub(view.lapsed)) => "seat:none_free",
            None if is_full(license.seats_used) => "seat:others_lapsed",
            None => "seat:some_free",
        });
        match license.state {
            LicenseState::SuspendedByPerson => meet("hand:suspended"),
            LicenseState::RevokedByPerson => meet("hand:revoked"),
            LicenseState::Active
            | LicenseState::SuspendedByDispute
            | LicenseState::RevokedByRefund
            | LicenseState::RevokedByDispute => {}
        }
        // Whoever is in, or finds no seat of the license, is not told of its group.
        let is_seated = view.activation.as_ref().is_some_and(|seat| license.is_seated(seat, now));
        if let Some(group) = &stored.group
            && occurrence == ACTIVATES.occurrence
            && !is_seated
            && license.standing(now) == Standing::Active
            && !is_full(license.seats_used.saturating_sub(view.lapsed))
        {
            meet(group.state(now));
        }
    }

    fn wrong(&self, what: &str) {
        self.sim.universe.fail(format!("{} of {}: {what}", self.fingerprint.as_str(), self.license));
    }

    async fn activate(&mut self) {
        let (asked_at, request) = (self.sim.universe.timestamp(), self.activation_request());
        let Some(before) = self.stored(asked_at) else { return };
        let (sim, shop) = (Rc::clone(&self.sim), self.sim.shop.id);
        let reaching =
            sim.groups.borrow_mut().begins(format!("{}/{}", self.license, self.fingerprint.as_str()), asked_at);
        let asked = self
            .put(ACTIVATES, &before, move |app, key| async move { app.activate_license(shop, &key, &request).await });
        let answer = asked.await;
        sim.groups.borrow_mut().ends(reaching);
        let Some(answer) = answer else { return };
        match answer {
            Ok(answer) => {
                self.was_seated(&answer, &before, asked_at);
                if answer.is_new && self.ended_before(&answer.license, asked_at, last_entry) {
                    self.wrong("a new device was let in after the end");
                }
            }
            Err(error) => self.was_refused(&error, &before, asked_at),
        }
    }

    async fn heartbeat(&mut self) {
        let asked_at = self.sim.universe.timestamp();
        let Some(before) = self.stored(asked_at) else { return };
        let (shop, fingerprint) = (self.sim.shop.id, self.fingerprint.clone());
        let asked =
            self.put(
                REPORTS,
                &before,
                move |app, key| async move { app.heartbeat_license(shop, &key, &fingerprint).await },
            );
        let Some(answer) = asked.await else { return };
        match answer {
            Ok(answer) => self.was_seated(&answer, &before, asked_at),
            Err(error) => {
                self.was_refused(&error, &before, asked_at);
                // Whoever has lost the seat asks for one.
                self.activate().await;
            }
        }
    }

    async fn deactivate(&mut self) {
        let asked_at = self.sim.universe.timestamp();
        let Some(before) = self.stored(asked_at) else { return };
        let (shop, fingerprint) = (self.sim.shop.id, self.fingerprint.clone());
        let asked = self.put(LEAVES, &before, move |app, key| async move {
            app.deactivate_license(shop, &key, &fingerprint, Actor::App).await
        });
        let Some(answer) = asked.await else { return };
        match answer {
            Ok(answer) => match at_once(self.sim.rows.activation(shop, answer.activation.id)) {
                Ok(Some(seat)) if seat.state == ActivationState::Released => {}
                other => self.wrong(&format!("the seat was said to be given back, and is {other:?}")),
            },
            Err(error) => self.was_refused(&error, &before, asked_at),
        }
    }

    fn activation_request(&self) -> ActivationRequest {
        ActivationRequest::of(self.fingerprint.clone())
    }

    /// What was promised to a device is on the disk, and the key that it has promises nothing any more once it is
    /// replaced.
    fn was_seated(&mut self, answer: &ActivateAnswer, before: &Stored, asked_at: Timestamp) {
        if before.is_retired {
            self.wrong("a key that was replaced took a seat");
        }
        let promised = &answer.activation;
        match at_once(self.sim.rows.activation(self.sim.shop.id, promised.id)) {
            // It may have been given back since.
            Ok(Some(seat)) if seat.state == ActivationState::Released || seat.last_seen_at >= promised.last_seen_at => {
            }
            Ok(Some(seat)) => self.wrong(&format!(
                "it was heard of at {} and its seat says {}",
                promised.last_seen_at, seat.last_seen_at
            )),
            Ok(None) => self.wrong(&format!("{} was promised and is not stored", promised.id)),
            Err(error) => self.wrong(&format!("{} cannot be read: {error}", promised.id)),
        }
        self.seats_are_within(&answer.license);
        if let Some(text) = &answer.certificate {
            if self.ended_before(&answer.license, asked_at, last_moment) {
                self.wrong("a certificate was signed after the end");
            }
            self.keep(text, &answer.license, Some(promised), answer.at);
        }
    }

    fn seats_are_within(&self, told: &License) {
        if told.policy.seat_cap().is_some_and(|cap| told.seats_used > cap) {
            self.wrong(&format!("{} seats were told to be taken", told.seats_used));
        }
    }

    /// Whether the end of a license was past when something was asked, whatever a clock said.
    fn ended_before(
        &self,
        license: &License,
        asked_at: Timestamp,
        end: impl FnOnce(&License) -> Option<Timestamp>,
    ) -> bool {
        end(license).is_some_and(|end| end <= asked_at.before(self.sim.skew))
    }

    /// Who is refused is refused for what the rows say, by some clock between the question and the answer.
    fn was_refused(&mut self, error: &app::Error, before: &Stored, asked_at: Timestamp) {
        let (earliest, latest) = (asked_at.before(self.sim.skew), self.sim.universe.timestamp().after(self.sim.skew));
        let Some(after) = self.stored(latest) else { return };
        let app::Error::Refused(refusal) = error else { return self.wrong(&format!("it was told: {error}")) };
        if let Refusal::KeyRetired { .. } = refusal {
            if !after.is_retired {
                self.wrong("its key was told to be replaced, and is not");
            }
            return self.reads_mail();
        }
        let (Some(was), Some(is)) = (&before.seat, &after.seat) else { return };
        if (&was.license, &was.activation) != (&is.license, &is.activation) {
            return;
        }
        let license = &is.license;
        // The end comes and leases end: what is so late was not so before, and the other way round.
        let fits = if let Refusal::LicenseNotUsable(standing) = refusal {
            let is_closed = *standing == Standing::Expired && license.is_closed(latest);
            is_closed || license.standing(earliest) == *standing || license.standing(latest) == *standing
        } else if let Refusal::SeatLimitReached { .. } = refusal {
            let seats = at_once(self.sim.rows.activations(license.shop, license.id)).unwrap_or_default();
            let held = seats.iter().filter(|seat| license.is_seated(seat, earliest)).count();
            license.policy.seat_cap().is_some_and(|cap| u32::try_from(held).unwrap_or(u32::MAX) >= cap)
        } else if let Refusal::GroupFull { seats } = refusal {
            let (Some(was), Some(is)) = (&before.group, &after.group) else { return };
            if was != is {
                return;
            }
            self.sim.universe.meet("app_was_refused", "group:full");
            is.group.max_seats == Some(*seats) && is.held(earliest) >= *seats
        } else {
            let is_seated = |seat: &Activation| license.is_seated(seat, latest);
            *refusal == Refusal::NotActivated && !is.activation.as_ref().is_some_and(is_seated)
        };
        if !fits {
            self.wrong(&format!("it was refused ({refusal}), and its rows say otherwise"));
        }
    }

    /// The owner was told of another key, and types it in; or has not seen the mail.
    fn reads_mail(&mut self) {
        if self.sim.universe.one_in(2)
            && let Some((key, typed)) = typed(&self.sim, self.license)
        {
            (self.key, self.typed) = (key, typed);
        }
    }

    /// Asks whether the key works here, and holds the answer against the rows: what nothing changed between the
    /// question and the answer must be told as it is stored, whether it was read or remembered.
    async fn validate(&mut self) {
        let sim = Rc::clone(&self.sim);
        let universe = &sim.universe;
        let reads = || hold(&universe.counts).reads;
        let request = ValidationRequest { fingerprint: Some(self.fingerprint.clone()), ..ValidationRequest::default() };
        let (shop, asked, asked_at) = (sim.shop.id, request.clone(), universe.timestamp());
        let Some(before) = self.stored(asked_at) else { return };
        let read_before = reads();
        let answer =
            self.put(VALIDATES, &before, move |app, key| async move { app.validate_license(shop, &key, &asked).await });
        let Some(answer) = answer.await else { return };
        let is_remembered = reads() == read_before;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.wrong(&format!("it was told: {error}")),
        };
        let Some(after) = self.stored(answer.at) else { return };
        let code = answer.verdict.code;
        if code == VerdictCode::Unknown {
            return self.wrong("its key was told to be nobody's");
        }
        if code == VerdictCode::KeyRetired {
            if !after.is_retired {
                self.wrong("its key was told to be replaced, and is not");
            }
            return self.reads_mail();
        }
        if before.is_retired {
            return self.wrong("a key that was replaced was told as if it was not");
        }
        if answer.verdict.is_valid()
            && answer.license().is_some_and(|told| self.ended_before(told, asked_at, last_moment))
        {
            self.wrong("it was told that the license works, after its end");
        }
        if let Some(license) = answer.license() {
            self.seats_are_within(license);
        }
        if let (Some(text), Some(license)) = (&answer.certificate, answer.license()) {
            self.keep(text, license, answer.activation(), answer.at);
        }
        let (Some(before), Some(after)) = (before.seat, after.seat) else { return };
        if (&before.license, &before.activation) != (&after.license, &after.activation) {
            return;
        }
        // What is told counts the seats that are held by now.
        let seats_used = after.license.seats_used.saturating_sub(after.lapsed);
        let license = License { seats_used, ..after.license.clone() };
        let expected = license.validate(after.activation.as_ref(), &request, answer.at);
        let told = answer.license().map(|license| license.version);
        if answer.verdict != expected || told != Some(after.license.version) {
            let verdict = code.as_str();
            let remembered = if is_remembered { "remembered" } else { "read" };
            let expected = expected.code.as_str();
            self.wrong(&format!("it was told {verdict} ({remembered}), and its rows say {expected}"));
        }
        universe.count(|counts| {
            counts.compared += 1;
            counts.remembered += u64::from(is_remembered);
            counts.remembered_no += u64::from(is_remembered && !answer.verdict.is_valid());
        });
    }

    /// Keeps a certificate that says what its answer says, and no more.
    fn keep(&mut self, text: &str, license: &License, seat: Option<&Activation>, at: Timestamp) {
        let expires_at = license.certificate_expires_at(seat, at).as_seconds();
        let certificate = Certificate { text: text.to_owned(), expires_at };
        let keys = signing_keys(&self.sim);
        let is_revoked = |key: &SigningKey| key.state == SigningKeyState::Revoked;
        // Long before anything was signed it has not ended yet.
        match verify(text, &published(&keys), 0, 0) {
            Ok(claims) => {
                let is_ours = claims.require_device(self.fingerprint.as_str()).is_ok();
                if !is_ours || claims.sub != license.id.to_string() || claims.exp != expires_at {
                    self.wrong("a certificate says what the answer does not");
                }
            }
            // The node has not heard yet that its key must not sign any more.
            Err(CertificateError::UnknownKey) if signer_of(&certificate, &keys).is_some_and(is_revoked) => {}
            Err(error) => self.wrong(&format!("a new certificate is not believed: {error:?}")),
        }
        if self.certificates.len() == MOST_KEPT {
            self.certificates.remove(0);
        }
        self.certificates.push(certificate);
    }

    /// Without a network, what it keeps counts until its end and no longer, whoever signs by now.
    async fn check_kept(&self) {
        let sim = &self.sim;
        let keys = signing_keys(sim);
        let now = sim.universe.timestamp();
        for certificate in &self.certificates {
            let Some(key) = signer_of(certificate, &keys) else {
                return self.wrong("a certificate is signed by a key that nobody has");
            };
            let is_over = certificate.expires_at <= now.as_seconds();
            let believed = verify(&certificate.text, &published(&keys), now.as_seconds(), 0);
            sim.universe.meet("checked_offline", state_of(key, is_over));
            if !fits(key, is_over, believed.as_ref().map(drop)) {
                self.wrong(&format!("a certificate of the {} key is told as {believed:?}", key.state.as_str()));
            }
        }
        self.check_with_keys_of_a_node(&keys).await;
    }

    /// Without a network, a signed text is believed for as long as it says, whatever became of its license and its key;
    /// but for one whose signing key was revoked.
    fn check_text(&self) {
        let Typed::Text(text) = &self.typed else { return };
        let sim = &self.sim;
        let Some(known) = sim.texts.borrow().find(text).cloned() else {
            return self.wrong("its text never stood in the rows");
        };
        let keys = signing_keys(sim);
        let Some(state) = keys.iter().find(|key| key.kid == known.kid).map(|key| key.state) else {
            return self.wrong("its text is signed by a key that nobody has");
        };
        let now = sim.universe.timestamp().as_seconds();
        let is_over = known.says.expires_at.is_some_and(|end| end <= now);
        sim.universe.meet(
            "checked_offline",
            match (is_over, state) {
                (_, SigningKeyState::Revoked) => "text:revoked",
                (true, SigningKeyState::Active | SigningKeyState::Retired) => "text:over",
                (false, SigningKeyState::Active) => "text:signing",
                (false, SigningKeyState::Retired) => "text:retired",
            },
        );
        let fits = match verify_signed_key(text, &published(&keys), now) {
            Ok(says) => state != SigningKeyState::Revoked && !is_over && says == known.says,
            Err(SignedKeyError::UnknownKey) => state == SigningKeyState::Revoked,
            Err(SignedKeyError::Expired { at }) => {
                state != SigningKeyState::Revoked && is_over && Some(at) == known.says.expires_at
            }
            Err(_) => false,
        };
        if !fits {
            self.wrong(&format!("its text of the {} key is not believed as it should be", state.as_str()));
        }
    }

    /// As well with the keys that some node publishes, as soon as it can have read them.
    async fn check_with_keys_of_a_node(&self, keys: &[SigningKey]) {
        let sim = &self.sim;
        let Some(certificate) = self.certificates.last() else { return };
        let Some(key) = signer_of(certificate, keys) else { return };
        let asked_at = sim.universe.timestamp();
        if asked_at.since(key.created_at) < READ_WITHIN || key.state == SigningKeyState::Revoked {
            return;
        }
        let asked = sim.call("publish its keys", |app| async move { app.signer().jwks() });
        let Ok(jwks) = asked.await else { return };
        let Ok(keys) = KeySet::parse(&jwks) else { return self.wrong("what a node publishes is no key set") };
        let now = sim.universe.timestamp().as_seconds();
        let believed = verify(&certificate.text, &keys, now, 0);
        if !fits(key, certificate.expires_at <= now, believed.as_ref().map(drop)) {
            self.wrong(&format!("by the keys of a node a certificate is told as {believed:?}"));
        }
    }
}

fn signer_of<'a>(certificate: &Certificate, keys: &'a [SigningKey]) -> Option<&'a SigningKey> {
    let kid = latchkey_license::key_id(&certificate.text).ok()?;
    keys.iter().find(|key| key.kid == kid)
}

fn state_of(key: &SigningKey, is_over: bool) -> &'static str {
    match (is_over, key.state) {
        (true, _) => "certificate:over",
        (false, SigningKeyState::Active) => "certificate:signing",
        (false, SigningKeyState::Retired) => "certificate:retired",
        (false, SigningKeyState::Revoked) => "certificate:revoked",
    }
}

/// Whether that is what must be said of a certificate of this key.
fn fits(key: &SigningKey, is_over: bool, told: Result<(), &CertificateError>) -> bool {
    match (key.state, told) {
        (SigningKeyState::Active | SigningKeyState::Retired, Ok(())) => !is_over,
        (SigningKeyState::Active | SigningKeyState::Retired, Err(CertificateError::Expired { .. })) => is_over,
        (SigningKeyState::Revoked, Err(CertificateError::UnknownKey)) => true,
        (SigningKeyState::Active | SigningKeyState::Retired | SigningKeyState::Revoked, Ok(()) | Err(_)) => false,
    }
}
