//! Requests that a person carried here from a device without a network. A seat is taken and given back by the same
//! functions that apps with a network call, so a request that comes twice is the same seat.

use domain::{
    Activation, ActivationId, ActivationRequest, ActivationState, Actor, AttemptKind, Fingerprint, License, ProductId,
    Refusal, ShopId,
};
use latchkey_license::{KeyCode, SignedRequest};

use crate::{App, Error, LicenseFile};

/// A request whose parts were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfflineErrand {
    /// A seat for a device.
    Activate {
        /// The license key.
        key: KeyCode,
        /// The product that the app is; `None`: none that could be one of ours.
        product: Option<ProductId>,
        /// The device.
        fingerprint: Fingerprint,
        /// What its owner calls it.
        name: Option<String>,
        /// What the answer repeats.
        nonce: String,
    },
    /// A seat that the app has given up.
    Release {
        /// The seat.
        activation: ActivationId,
        /// The request, which proves that its maker has the key.
        request: SignedRequest,
    },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfflineAnswer {
    /// The device holds a seat.
    Activated {
        /// What the app is waiting for.
        file: Box<LicenseFile>,
        /// Whether the seat is new.
        is_new: bool,
    },
    /// The seat is free.
    Released {
        /// The license.
        license: Box<License>,
        /// The seat that it was.
        activation: Box<Activation>,
    },
}

impl App {
    /// Does what a request asks for. Asked again it comes to the same.
    ///
    /// # Errors
    /// When there is no such license or seat, the license is for another product or does not work, no seat is free, or
    /// the request was not made with the key.
    pub async fn answer_offline_request(&self, shop: ShopId, errand: &OfflineErrand) -> Result<OfflineAnswer, Error> {
        match errand {
            OfflineErrand::Activate { key, product, fingerprint, name, nonce } => {
                let (device, now) = (Some(fingerprint), self.clock.now());
                let Some(found) = self.store.seat(shop, key, device, now).await? else {
                    return Err(self.no_license(shop, key, AttemptKind::Activate, device, now).await);
                };
                // Before a seat is taken, so that none is wasted.
                if Some(found.license.product) != *product {
                    return Err(Refusal::WrongProduct.into());
                }
                let request = ActivationRequest { name: name.clone(), ..ActivationRequest::of(fingerprint.clone()) };
                let told = self.activate_license(shop, key, &request).await?;
                let file = self.answering_file(told.license, told.activation, nonce, told.at)?;
                Ok(OfflineAnswer::Activated { file: Box::new(file), is_new: told.is_new })
            }
            OfflineErrand::Release { activation, request } => self.release_offline(shop, *activation, request).await,
        }
    }

    async fn release_offline(
        &self,
        shop: ShopId,
        activation: ActivationId,
        request: &SignedRequest,
    ) -> Result<OfflineAnswer, Error> {
        const NO_SEAT: Error = Error::NotFound { what: "activation" };
        let seat = self.store.activation(shop, activation).await?.ok_or(NO_SEAT)?;
        let license = self.store.license(shop, seat.license).await?.ok_or(NO_SEAT)?;
        let key = self.store.license_key(shop, seat.license).await?.ok_or(NO_SEAT)?;
        // The app was given a key as it was sold, which need not be ours.
        if !self.texts_of_key(&license).await?.iter().any(|text| request.is_of_key(text)) {
            return Err(Refusal::RequestNotGenuine.into());
        }
        match seat.state {
            ActivationState::Active => match self.deactivate_license(shop, &key, &seat.fingerprint, Actor::App).await {
                // Freed meanwhile, which is what was asked for.
                Ok(_) | Err(Error::Refused(Refusal::NotActivated)) => {}
                Err(error) => return Err(error),
            },
            ActivationState::Released => {}
        }
        let license = self.store.license(shop, seat.license).await?.ok_or(NO_SEAT)?;
        Ok(OfflineAnswer::Released { license: Box::new(license), activation: Box::new(seat) })
    }
}
