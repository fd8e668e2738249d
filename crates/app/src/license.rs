//! What apps ask: does it work, may I have a seat, I am alive, goodbye.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{
    Activation, ActivationRequest, Actor, AttemptKind, AttemptVerdict, Changes, EventId, Fingerprint, GroupSeats,
    License, LicenseId, Refusal, RetiredKey, Rng, ShopId, Timestamp, UsageRequest, ValidationRequest, Verdict,
    VerdictCode, Warning, activate, begin, change_usage, count_verification, deactivate, heartbeat, release_by_hand,
};
use latchkey_license::KeyCode;
use store::{CommitError, SeatView};

use crate::attempt::{Told, Whose};
use crate::{App, CertificateTerms, Error};

/// How often a seat is reached for again when other devices reach for the same license.
pub(crate) const TRIES: u32 = 600;

/// The answer to "does it work?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidateAnswer {
    /// The verdict.
    pub verdict: Verdict,
    /// The license and the seat of the device that asked, when there is such a license.
    pub seat: Option<Arc<SeatView>>,
    /// A certificate for the device, when it is valid.
    pub certificate: Option<String>,
    /// What became of the key, when it was replaced.
    pub retired: Option<RetiredKey>,
    /// When this was true.
    pub at: Timestamp,
}

impl ValidateAnswer {
    /// The license, when there is one.
    #[must_use]
    pub fn license(&self) -> Option<&License> {
        self.seat.as_ref().map(|seat| &seat.license)
    }

    /// The seat of the device that asked, when it has one.
    #[must_use]
    pub fn activation(&self) -> Option<&Activation> {
        self.seat.as_ref().and_then(|seat| seat.activation.as_ref())
    }
}

/// The answer to "may I have a seat?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivateAnswer {
    /// The seat.
    pub activation: Activation,
    /// The license, as it stands now.
    pub license: License,
    /// A certificate for the device; `None` after a seat was freed.
    pub certificate: Option<String>,
    /// What comes with it.
    pub warnings: Vec<Warning>,
    /// Whether the seat is new.
    pub is_new: bool,
    /// When this was true.
    pub at: Timestamp,
}

impl App {
    /// Whether a license works for an app. One read of one row and its seat; a write only when this "yes" begins the
    /// clock of the license.
    ///
    /// # Errors
    /// `Unavailable` when nobody can tell: that is never "no".
    // What is seldom waited for is put in boxes: this is asked all day, and its future is moved on the way.
    pub async fn validate_license(
        &self,
        shop: ShopId,
        key: &KeyCode,
        request: &ValidationRequest,
    ) -> Result<ValidateAnswer, Error> {
        let count = |verdict: &Verdict| self.metrics.validations.at([verdict.code.as_str()], metrics::Counter::count);
        let device = request.fingerprint.as_ref();
        for attempt in 0..TRIES {
            let at = self.clock.now();
            let found = match attempt {
                0 => self.store.remembered_seat(shop, key, device, at).await?,
                _ => Box::pin(self.store.seat(shop, key, device, at)).await?.map(Arc::new),
            };
            let Some(mut view) = found else {
                let retired = Box::pin(self.store.retired_key(shop, key)).await?;
                let verdict = if retired.is_some() { Verdict::key_retired() } else { Verdict::unknown() };
                count(&verdict);
                let of = retired.as_ref().map_or(Whose::Nobody(key), |retired| Whose::Replaced(retired.license));
                let told = told(shop, AttemptKind::Validate, verdict.code.into(), of, device, at);
                self.note(Told { product: named(request), ..told });
                return Ok(ValidateAnswer { verdict, seat: None, certificate: None, retired, at });
            };
            if device.is_some()
                && may_be_recognized(&view, &request.components, at)
                && let Some(seat) = Box::pin(self.recognized(&view, &request.components, at)).await?
            {
                Arc::make_mut(&mut view).activation = Some(seat);
            }
            // What is stored is what a change is decided from; what is told counts the seats that are held by now.
            let stored = Arc::clone(&view);
            if view.lapsed > 0 {
                Arc::make_mut(&mut view).license = as_counted(&stored);
            }
            let verdict = view.license.validate(view.activation.as_ref(), request, at);
            if verdict.is_valid() && view.license.started_at.is_none() {
                // What a change is decided from is read, and not remembered.
                if attempt == 0 {
                    continue;
                }
                match Box::pin(self.begin_license(&stored.license, at)).await {
                    Ok(Some(begun)) => {
                        let seats_used = view.license.seats_used;
                        Arc::make_mut(&mut view).license = License { seats_used, ..begun };
                    }
                    Ok(None) => {}
                    Err(CommitError::Conflict { .. }) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            count(&verdict);
            if verdict.is_valid() {
                self.attempts.yes(shop, view.license.id, AttemptKind::Validate, at);
            } else {
                let of = Whose::License(&view.license, view.activation.as_ref());
                let asked = looked_at(&verdict, request);
                let told = told(shop, AttemptKind::Validate, verdict.code.into(), of, device, at);
                self.note(Told { product: named(request), asked, ..told });
            }
            let certificate = match (device, verdict.is_valid()) {
                (Some(device), true) => Some(self.certificate(&view.license, view.activation.as_ref(), device, at)),
                (Some(_), false) | (None, _) => None,
            };
            return Ok(ValidateAnswer { verdict, seat: Some(view), certificate, retired: None, at });
        }
        Err(busy())
    }

    /// Finds the seat of a device whose fingerprint has none by what it is made of, where the plan allows it.
    async fn recognized(
        &self,
        view: &SeatView,
        shown: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Option<Activation>, Error> {
        if !may_be_recognized(view, shown, now) {
            return Ok(None);
        }
        let seats = self.store.activations(view.license.shop, view.license.id).await?;
        Ok(view.license.seat_of_components(&seats, shown, now).cloned())
    }

    /// Begins the clock of a license that was told "yes" for the first time, where its policy says so.
    pub(crate) async fn begin_license(&self, license: &License, at: Timestamp) -> Result<Option<License>, CommitError> {
        let Some((changes, begun)) = begin(license, at, &mut self.entropy.rng()) else { return Ok(None) };
        self.commit(&changes, None).await?;
        Ok(Some(begun))
    }

    /// Gives a device a seat.
    ///
    /// # Errors
    /// When there is no such key, the license does not work, or no seat is free.
    pub async fn activate_license(
        &self,
        shop: ShopId,
        key: &KeyCode,
        request: &ActivationRequest,
    ) -> Result<ActivateAnswer, Error> {
        let fingerprint = &request.fingerprint;
        let asking = Asking { shop, key, kind: AttemptKind::Activate, fingerprint };
        self.change_seat(asking, &request.components, |view, group, now, rng| {
            let had = view.activation.as_ref().map(|seat| seat.id);
            let (changes, activation) =
                activate(&view.license, view.activation.as_ref(), view.lapsed, group, request, now, rng)?;
            let license = changes.licenses.first().cloned().unwrap_or_else(|| as_counted(view));
            let certificate = Some(self.certificate(&license, Some(&activation), fingerprint, now));
            let is_new = had != Some(activation.id);
            let warnings = license.warnings(now);
            Ok((changes, ActivateAnswer { activation, license, certificate, warnings, is_new, at: now }))
        })
        .await
    }

    /// Frees the seat of a device.
    ///
    /// # Errors
    /// When there is no such key, or the device holds no seat.
    pub async fn deactivate_license(
        &self,
        shop: ShopId,
        key: &KeyCode,
        fingerprint: &Fingerprint,
        actor: Actor,
    ) -> Result<ActivateAnswer, Error> {
        let asking = Asking { shop, key, kind: AttemptKind::Deactivate, fingerprint };
        self.change_seat(asking, &BTreeMap::new(), |view, _, now, rng| {
            let seat = view.activation.as_ref().ok_or(Refusal::NotActivated)?;
            let was_held = view.license.is_seated(seat, now);
            let (changes, activation) = deactivate(&view.license, seat, actor, now, rng)?;
            let mut license = changes.licenses.first().unwrap_or(&view.license).clone();
            // A seat whose lease was over was not counted before and is not counted now.
            let lapsed = view.lapsed.saturating_sub(u32::from(!was_held));
            license.seats_used = license.seats_used.saturating_sub(lapsed);
            let answer =
                ActivateAnswer { activation, license, certificate: None, warnings: vec![], is_new: false, at: now };
            Ok((changes, answer))
        })
        .await
    }

    /// Notes that the app on a seat is alive, and renews its lease.
    ///
    /// # Errors
    /// When there is no such key, or the device holds no seat.
    pub async fn heartbeat_license(
        &self,
        shop: ShopId,
        key: &KeyCode,
        fingerprint: &Fingerprint,
    ) -> Result<ActivateAnswer, Error> {
        let asking = Asking { shop, key, kind: AttemptKind::Heartbeat, fingerprint };
        self.change_seat(asking, &BTreeMap::new(), |view, _, now, _| {
            let seat = view.activation.as_ref().ok_or(Refusal::NotActivated)?;
            let (changes, activation) = heartbeat(&view.license, seat, now)?;
            let license = as_counted(view);
            let request = ValidationRequest { fingerprint: Some(fingerprint.clone()), ..ValidationRequest::default() };
            let verdict = license.validate(Some(&activation), &request, now);
            let certificate =
                verdict.is_valid().then(|| self.certificate(&license, Some(&activation), fingerprint, now));
            let answer =
                ActivateAnswer { activation, license, certificate, warnings: verdict.warnings, is_new: false, at: now };
            Ok((changes, answer))
        })
        .await
    }

    /// Counts use of a license, told by an app. Asked again under the same name it counts once. Gives the license as
    /// it stands then.
    ///
    /// # Errors
    /// When there is no such key, the license does not work or is not metered, or too little is left.
    pub async fn use_license(
        &self,
        shop: ShopId,
        key: &KeyCode,
        device: Option<&Fingerprint>,
        amount: u64,
        name: EventId,
    ) -> Result<(License, Timestamp), Error> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            let Some(view) = self.store.seat(shop, key, device, now).await? else {
                return Err(self.no_license(shop, key, AttemptKind::Usage, device, now).await);
            };
            let seat = device.map(|_| view.activation.as_ref());
            let asked = UsageRequest::Add(amount);
            match self.count_use(&view.license, seat, asked, Actor::App, name, now).await {
                Ok(Some(told)) => {
                    self.attempts.yes(shop, told.id, AttemptKind::Usage, now);
                    return Ok((as_counted(&SeatView { license: told, ..view }), now));
                }
                Ok(None) => {}
                Err(error) => {
                    let of = Whose::License(&view.license, view.activation.as_ref());
                    let told = told(shop, AttemptKind::Usage, AttemptVerdict::Valid, of, device, now);
                    self.note_refusal(&error, Told { asked: Some(amount.to_string()), ..told });
                    return Err(error);
                }
            }
        }
        Err(busy())
    }

    /// Counts that an app asked about a license, or takes it back, where its system tells how often that was. Gives
    /// the license as it stands then.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn count_verification(
        &self,
        license: &License,
        difference: i64,
        actor: Actor,
        name: EventId,
    ) -> Result<License, Error> {
        for _ in 0..TRIES {
            let row = self.store.license(license.shop, license.id).await?.ok_or(Error::NotFound { what: "license" })?;
            let changes = count_verification(&row, difference, actor, name, self.clock.now());
            match self.commit(&changes, None).await {
                Ok(()) | Err(CommitError::Conflict { what: "event" }) => {
                    let counted = self.store.license(row.shop, row.id).await?;
                    return counted.ok_or(Error::NotFound { what: "license" });
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// Corrects the count of a license, told by the seller. Asked again under the same name it is done once.
    ///
    /// # Errors
    /// When there is no such license, it is not metered, or too little is left.
    pub async fn correct_usage(
        &self,
        shop: ShopId,
        license: LicenseId,
        request: UsageRequest,
        actor: Actor,
        name: EventId,
    ) -> Result<(License, Timestamp), Error> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            if let Some(told) = self.count_use(&row, None, request, actor, name, now).await? {
                return Ok((told, now));
            }
        }
        Err(busy())
    }

    /// Counts once, and gives the license as it is stored then; `None` when it has moved on.
    async fn count_use(
        &self,
        license: &License,
        seat: Option<Option<&Activation>>,
        request: UsageRequest,
        actor: Actor,
        name: EventId,
        now: Timestamp,
    ) -> Result<Option<License>, Error> {
        let refusal = match change_usage(license, seat, request, actor, name, now) {
            Ok((changes, _)) => match self.commit(&changes, None).await {
                Ok(()) | Err(CommitError::Conflict { what: "event" }) => None,
                Err(CommitError::Conflict { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            },
            Err(refusal) => Some(refusal),
        };
        match refusal {
            // The last piece may be the one that this very call took before its answer was lost.
            Some(refusal) if self.store.event(license.shop, name).await?.is_none() => Err(refusal.into()),
            Some(_) | None => Ok(self.store.license(license.shop, license.id).await?),
        }
    }

    /// Frees a seat from the console, where the license is known and not the key.
    ///
    /// # Errors
    /// When there is no such license, or the seat is free already.
    pub async fn release_seat(
        &self,
        shop: ShopId,
        license: domain::LicenseId,
        seat: domain::ActivationId,
        reason: &str,
        actor: Actor,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            let seats = self.store.activations(shop, license).await?;
            let seat = seats.iter().find(|known| known.id == seat).ok_or(Error::NotFound { what: "activation" })?;
            let changes = release_by_hand(&row, seat, reason, actor, self.clock.now(), &mut self.entropy.rng())?;
            if self.commits(&changes, None).await? {
                return Ok(());
            }
        }
        Err(busy())
    }

    async fn change_seat(
        &self,
        asking: Asking<'_>,
        components: &BTreeMap<String, String>,
        mut decision: impl FnMut(
            &SeatView,
            Option<&GroupSeats>,
            Timestamp,
            &mut Rng,
        ) -> Result<(Changes, ActivateAnswer), Refusal>,
    ) -> Result<ActivateAnswer, Error> {
        let Asking { shop, key, kind, fingerprint } = asking;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let Some(mut view) = self.store.seat(shop, key, Some(fingerprint), now).await? else {
                return Err(self.no_license(shop, key, kind, Some(fingerprint), now).await);
            };
            if let Some(seat) = self.recognized(&view, components, now).await? {
                view.activation = Some(seat);
            }
            let group = self.group_of_newcomer(&view, kind, now).await?;
            let (changes, answer) = match decision(&view, group.as_ref(), now, &mut self.entropy.rng()) {
                Ok(decided) => decided,
                Err(refusal) => {
                    let error = refusal.into();
                    let of = Whose::License(&view.license, view.activation.as_ref());
                    self.note_refusal(&error, told(shop, kind, AttemptVerdict::Valid, of, Some(fingerprint), now));
                    return Err(error);
                }
            };
            match self.commit(&changes, None).await {
                Ok(()) => {
                    let of = Whose::License(&answer.license, Some(&answer.activation));
                    if answer.is_new || kind == AttemptKind::Deactivate {
                        self.note(told(shop, kind, AttemptVerdict::Valid, of, Some(fingerprint), now));
                    } else {
                        self.attempts.yes(shop, answer.license.id, kind, now);
                    }
                    return Ok(answer);
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// What the license shares seats with, where a device wants a new one. A license that is in no group costs nothing.
    async fn group_of_newcomer(
        &self,
        view: &SeatView,
        kind: AttemptKind,
        now: Timestamp,
    ) -> Result<Option<GroupSeats>, Error> {
        let is_seated = view.activation.as_ref().is_some_and(|seat| view.license.is_seated(seat, now));
        match view.license.group.filter(|_| kind == AttemptKind::Activate && !is_seated) {
            Some(group) => Ok(self.store.group_seats(view.license.shop, group, now).await?),
            None => Ok(None),
        }
    }

    /// Keeps why an app was refused, where it was: what nobody could tell is no answer.
    fn note_refusal(&self, error: &Error, told: Told<'_>) {
        let verdict = match error {
            Error::Refused(refusal) => AttemptVerdict::of(refusal),
            Error::NotFound { .. } => Some(AttemptVerdict::Unknown),
            Error::Unavailable(_) | Error::Conflict { .. } | Error::Configuration(_) => None,
        };
        if let Some(verdict) = verdict {
            self.note(Told { verdict, ..told });
        }
    }

    /// Why a key opens nothing: nobody ever had it, or it was replaced.
    pub(crate) async fn no_license(
        &self,
        shop: ShopId,
        key: &KeyCode,
        kind: AttemptKind,
        device: Option<&Fingerprint>,
        at: Timestamp,
    ) -> Error {
        let (error, of) = match self.store.retired_key(shop, key).await {
            Ok(Some(retired)) => {
                (Refusal::KeyRetired { new_tail: retired.new_tail }.into(), Whose::Replaced(retired.license))
            }
            Ok(None) => (Error::NotFound { what: "license" }, Whose::Nobody(key)),
            Err(error) => return error.into(),
        };
        self.note_refusal(&error, told(shop, kind, AttemptVerdict::Valid, of, device, at));
        error
    }

    fn certificate(
        &self,
        license: &License,
        seat: Option<&Activation>,
        fingerprint: &Fingerprint,
        now: Timestamp,
    ) -> String {
        let terms = CertificateTerms {
            fingerprint: Some(fingerprint.as_str()),
            activation: seat.map(|seat| seat.id),
            nonce: None,
            expires_at: license.certificate_expires_at(seat, now),
        };
        self.signer().certificate(license, &terms, &self.settings.public_url, now)
    }
}

/// A device that asks for something about its seat.
struct Asking<'a> {
    shop: ShopId,
    key: &'a KeyCode,
    kind: AttemptKind,
    fingerprint: &'a Fingerprint,
}

/// Whether a device has no seat by its fingerprint, and may have one by what it is made of.
fn may_be_recognized(view: &SeatView, shown: &BTreeMap<String, String>, now: Timestamp) -> bool {
    let is_seated = view.activation.as_ref().is_some_and(|seat| view.license.is_seated(seat, now));
    !is_seated && view.license.matches_components(shown)
}

fn told<'a>(
    shop: ShopId,
    kind: AttemptKind,
    verdict: AttemptVerdict,
    of: Whose<'a>,
    device: Option<&'a Fingerprint>,
    at: Timestamp,
) -> Told<'a> {
    Told { shop, kind, verdict, of, device, product: None, asked: None, at }
}

/// The product that an app takes a license of, as it is kept.
fn named(request: &ValidationRequest) -> Option<String> {
    let products = request.product.as_ref()?;
    Some(products.first().map_or_else(|| "-".to_owned(), ToString::to_string))
}

/// What else the rule looked at.
fn looked_at(verdict: &Verdict, request: &ValidationRequest) -> Option<String> {
    match verdict.code {
        VerdictCode::MissingFeature => verdict.missing_feature.clone(),
        VerdictCode::UpdateNotCovered => request.version_released_at.map(|at| at.to_string()),
        VerdictCode::Valid
        | VerdictCode::Unknown
        | VerdictCode::KeyNotGenuine
        | VerdictCode::KeyRetired
        | VerdictCode::Expired
        | VerdictCode::Suspended
        | VerdictCode::Revoked
        | VerdictCode::NotActivated
        | VerdictCode::CheckInOverdue
        | VerdictCode::WrongProduct
        | VerdictCode::UsageExhausted => None,
    }
}

pub(crate) fn busy() -> Error {
    Error::Conflict { what: "license" }
}

/// The license with the seats that are held at this moment, to be told and not to be written.
pub(crate) fn as_counted(view: &SeatView) -> License {
    License { seats_used: view.license.seats_used.saturating_sub(view.lapsed), ..view.license.clone() }
}
