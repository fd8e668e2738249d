//! What apps ask: does it work, may I have a seat, I am alive, goodbye.

use domain::{
    Activation, ActivationRequest, Actor, Changes, Fingerprint, License, Refusal, Rng, ShopId, Timestamp,
    ValidationRequest, Verdict, activate, deactivate, heartbeat,
};
use latchkey_license::KeyCode;
use store::{CommitError, SeatView};

use crate::{App, Error};

/// How often a seat is reached for again when other devices reach for the same license.
const TRIES: u32 = 600;

/// The answer to "does it work?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidateAnswer {
    /// The verdict.
    pub verdict: Verdict,
    /// The license, when there is one.
    pub license: Option<License>,
    /// The seat of the device that asked.
    pub activation: Option<Activation>,
    /// A certificate for the device, when it is valid.
    pub certificate: Option<String>,
    /// When this was true.
    pub at: Timestamp,
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
    /// Whether the seat is new.
    pub is_new: bool,
    /// When this was true.
    pub at: Timestamp,
}

impl App {
    /// Whether a license works for an app. One read of one row and its seat.
    ///
    /// # Errors
    /// `Unavailable` when nobody can tell: that is never "no".
    pub async fn validate_license(
        &self,
        shop: ShopId,
        key: &KeyCode,
        request: &ValidationRequest,
    ) -> Result<ValidateAnswer, Error> {
        let at = self.clock.now();
        let count = |verdict: &Verdict| self.metrics.validations.with([verdict.code.as_str()]).count();
        let Some(SeatView { license, activation }) = self.store.seat(shop, key, request.fingerprint.as_ref()).await?
        else {
            let verdict = Verdict::unknown();
            count(&verdict);
            return Ok(ValidateAnswer { verdict, license: None, activation: None, certificate: None, at });
        };
        let verdict = license.validate(activation.as_ref(), request, at);
        count(&verdict);
        let certificate = match (&request.fingerprint, verdict.is_valid()) {
            (Some(fingerprint), true) => Some(self.certificate(&license, fingerprint, at)),
            (Some(_), false) | (None, _) => None,
        };
        Ok(ValidateAnswer { verdict, license: Some(license), activation, certificate, at })
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
        self.change_seat(shop, key, fingerprint, |view, now, rng| {
            let had = view.activation.as_ref().map(|seat| seat.id);
            let (changes, activation) = activate(&view.license, view.activation.as_ref(), request, now, rng)?;
            let license = changes.licenses.first().unwrap_or(&view.license).clone();
            let certificate = Some(self.certificate(&license, fingerprint, now));
            let is_new = had != Some(activation.id);
            Ok((changes, ActivateAnswer { activation, license, certificate, is_new, at: now }))
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
        self.change_seat(shop, key, fingerprint, |view, now, rng| {
            let seat = view.activation.as_ref().ok_or(Refusal::NotActivated)?;
            let (changes, activation) = deactivate(&view.license, seat, actor, now, rng)?;
            let license = changes.licenses.first().unwrap_or(&view.license).clone();
            Ok((changes, ActivateAnswer { activation, license, certificate: None, is_new: false, at: now }))
        })
        .await
    }

    /// Notes that the app on a seat is alive.
    ///
    /// # Errors
    /// When there is no such key, or the device holds no seat.
    pub async fn heartbeat_license(
        &self,
        shop: ShopId,
        key: &KeyCode,
        fingerprint: &Fingerprint,
    ) -> Result<ActivateAnswer, Error> {
        self.change_seat(shop, key, fingerprint, |view, now, _| {
            let seat = view.activation.as_ref().ok_or(Refusal::NotActivated)?;
            let (changes, activation) = heartbeat(seat, now)?;
            let usable = view.license.validate(
                Some(&activation),
                &ValidationRequest { fingerprint: Some(fingerprint.clone()), ..ValidationRequest::default() },
                now,
            );
            let certificate = usable.is_valid().then(|| self.certificate(&view.license, fingerprint, now));
            Ok((
                changes,
                ActivateAnswer { activation, license: view.license.clone(), certificate, is_new: false, at: now },
            ))
        })
        .await
    }

    /// Frees a seat from the portal or the console, where the license is known and not the key.
    ///
    /// # Errors
    /// When there is no such license, or the seat is free already.
    pub async fn release_seat(
        &self,
        shop: ShopId,
        license: domain::LicenseId,
        seat: domain::ActivationId,
        actor: Actor,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            let seats = self.store.activations(shop, license).await?;
            let seat = seats.iter().find(|known| known.id == seat).ok_or(Error::NotFound { what: "activation" })?;
            let (changes, _) = deactivate(&row, seat, actor, self.clock.now(), &mut self.entropy.rng())?;
            match self.commit(&changes, None).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable("too many changes at once".to_owned()))
    }

    async fn change_seat(
        &self,
        shop: ShopId,
        key: &KeyCode,
        fingerprint: &Fingerprint,
        mut decision: impl FnMut(&SeatView, Timestamp, &mut Rng) -> Result<(Changes, ActivateAnswer), Refusal>,
    ) -> Result<ActivateAnswer, Error> {
        for _ in 0..TRIES {
            let view =
                self.store.seat(shop, key, Some(fingerprint)).await?.ok_or(Error::NotFound { what: "license" })?;
            let (changes, answer) = decision(&view, self.clock.now(), &mut self.entropy.rng())?;
            match self.commit(&changes, None).await {
                Ok(()) => return Ok(answer),
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable("too many changes at once".to_owned()))
    }

    fn certificate(&self, license: &License, fingerprint: &Fingerprint, now: Timestamp) -> String {
        self.signer.certificate(license, Some(fingerprint.as_str()), &self.settings.public_url, now)
    }
}
