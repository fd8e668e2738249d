//! Licenses as files, for devices without a network: a certificate that counts for longer, in an armour that a person
//! can carry.

use domain::{
    Activation, ActivationId, Actor, AttemptKind, Duration, FileGiver, Fingerprint, License, LicenseId, Refusal,
    ShopId, Timestamp, file_expires_at, file_given,
};
use latchkey_license::{KeyCode, write_file};
use store::{CommitError, SeatView};

use crate::license::{TRIES, as_counted, busy};
use crate::{App, CertificateTerms, Error};

/// A license file that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseFile {
    /// The license that it speaks for.
    pub license: License,
    /// The seat of the device that it is bound to, where there is one.
    pub activation: Option<Activation>,
    /// The certificate in it.
    pub certificate: String,
    /// The file.
    pub text: String,
    /// When it stops counting.
    pub expires_at: Timestamp,
    /// When it was made.
    pub at: Timestamp,
}

impl LicenseFile {
    /// A name to save it under: says which license it is, and gives no key away.
    #[must_use]
    pub fn name(&self) -> String {
        let device = self.activation.as_ref().map(|seat| seat.id.to_string());
        let tail = device.as_deref().map_or("", |id| &id[id.len().saturating_sub(6)..]);
        let joint = if tail.is_empty() { "" } else { "-" };
        format!("license-{}{joint}{tail}.lic", self.license.key_tail.to_lowercase())
    }
}

impl App {
    /// A license file for whoever has the key: for a device that holds a seat, or for any device where no seats are
    /// counted.
    ///
    /// # Errors
    /// When there is no such key, the license does not work, the device holds no seat, or the time is not allowed.
    pub async fn license_file(
        &self,
        shop: ShopId,
        key: &KeyCode,
        device: Option<&Fingerprint>,
        wanted: Option<Duration>,
    ) -> Result<LicenseFile, Error> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            let Some(view) = self.store.seat(shop, key, device, now).await? else {
                return Err(self.no_license(shop, key, AttemptKind::Validate, device, now).await);
            };
            let seat = view.activation.as_ref();
            file_expires_at(&view.license, device, seat, wanted, FileGiver::Holder, now)?;
            match self.begin_license(&view.license, now).await {
                Ok(begun) => {
                    let license = begun.unwrap_or_else(|| as_counted(&view));
                    let view = SeatView { license, ..view };
                    let seat = view.activation.as_ref();
                    let expires_at = file_expires_at(&view.license, device, seat, wanted, FileGiver::Holder, now)?;
                    return Ok(self.file_of(view.license, view.activation, device, None, expires_at, now));
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// A license file from a page or a program, where the license is known and not the key: for the device on a seat,
    /// or without one for any device. Leaves a line in the journal.
    ///
    /// # Errors
    /// When there is no such license or seat, the license does not work, or the time is not allowed.
    pub async fn give_license_file(
        &self,
        shop: ShopId,
        license: LicenseId,
        seat: Option<ActivationId>,
        wanted: Option<Duration>,
        giver: FileGiver,
        actor: Actor,
    ) -> Result<LicenseFile, Error> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            let stored = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            let activation = match seat {
                None => None,
                Some(seat) => {
                    let found = self.store.activation(shop, seat).await?.filter(|found| found.license == license);
                    Some(found.ok_or(Error::NotFound { what: "activation" })?)
                }
            };
            let device = activation.as_ref().map(|seat| seat.fingerprint.clone());
            let expires_at = file_expires_at(&stored, device.as_ref(), activation.as_ref(), wanted, giver, now)?;
            let changes = file_given(&stored, activation.as_ref(), expires_at, actor, now, &mut self.entropy.rng());
            match self.commit(&changes, None).await {
                Ok(()) => {
                    return Ok(self.file_of(stored, activation, device.as_ref(), None, expires_at, now));
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// The file that answers a request: for the seat that it took, with its nonce, for as long as the policy allows.
    pub(crate) fn answering_file(
        &self,
        license: License,
        activation: Activation,
        nonce: &str,
        now: Timestamp,
    ) -> Result<LicenseFile, Refusal> {
        let device = activation.fingerprint.clone();
        let expires_at = file_expires_at(&license, Some(&device), Some(&activation), None, FileGiver::Holder, now)?;
        Ok(self.file_of(license, Some(activation), Some(&device), Some(nonce), expires_at, now))
    }

    fn file_of(
        &self,
        license: License,
        activation: Option<Activation>,
        device: Option<&Fingerprint>,
        nonce: Option<&str>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> LicenseFile {
        let (signer, issuer) = (self.signer(), self.settings.public_url.as_str());
        let terms = CertificateTerms {
            fingerprint: device.map(Fingerprint::as_str),
            activation: activation.as_ref().map(|seat| seat.id),
            nonce,
            expires_at,
        };
        let certificate = signer.certificate(&license, &terms, issuer, now);
        let (id, product) = (license.id.to_string(), license.product.to_string());
        let ends = Timestamp::from_seconds(expires_at.as_seconds()).to_string();
        let notes = [
            ("Issuer", issuer),
            ("Product", &product),
            ("License", &id),
            ("Device", activation.as_ref().and_then(|seat| seat.name.as_deref()).unwrap_or_default()),
            ("Expires", &ends),
            ("Key-Id", signer.kid(now)),
        ];
        let notes: Vec<_> = notes.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        LicenseFile { text: write_file(&certificate, &notes), license, activation, certificate, expires_at, at: now }
    }
}
