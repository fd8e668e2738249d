//! Handing a license on: the owner offers it, and whoever reads the mails of the address takes it.
//!
//! What takes it is a link in a mail, derived and never stored. Looking at it
//! does nothing, so that a mail scanner cannot take a license.

use domain::{
    Changes, Customer, Email, License, LicenseId, Locale, Shop, ShopId, Transfer, TransferId, TransferRequest,
    TransferSides, accept_transfer, offer_transfer, withdraw_transfer,
};
use latchkey_license::KeyCode;
use store::Purpose;

use crate::{App, Error};

/// How often it is decided again when devices take seats of the license at the same time.
const TRIES: u32 = 100;

/// What is to be handed on, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferInput {
    /// Who is to have it.
    pub to: Email,
    /// Whether the devices are freed and the key is replaced.
    pub frees_seats: bool,
    /// The language of the page that it was asked on.
    pub locale: Locale,
}

/// An offer with what it is about, for whoever has its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTransfer {
    /// The offer.
    pub transfer: Transfer,
    /// What is offered.
    pub license: License,
    /// Product and tier.
    pub name: String,
    /// Who offers it.
    pub owner: Customer,
}

impl App {
    /// Offers a license to an address and mails both sides.
    ///
    /// # Errors
    /// When there is no such license, its code was made elsewhere and would stay known, it does not work, the address is its owner's, or it was offered too often.
    pub async fn offer_transfer(&self, shop: ShopId, license: LicenseId, input: &TransferInput) -> Result<(), Error> {
        if self.store.claim_of_license(shop, license).await?.is_some() {
            return Err(domain::Refusal::CodeMadeElsewhere.into());
        }
        self.change_transfers(shop, license, |row, owner, earlier, app| {
            let request = TransferRequest { to: &input.to, frees_seats: input.frees_seats, locale: &input.locale };
            Ok(offer_transfer(row, owner, earlier, request, app.clock.now(), &mut app.entropy.rng())?)
        })
        .await
    }

    /// Calls the open offer of a license off.
    ///
    /// # Errors
    /// When there is no such license, or none of its offers is open.
    pub async fn withdraw_transfer(&self, shop: ShopId, license: LicenseId) -> Result<(), Error> {
        self.change_transfers(shop, license, |row, _, earlier, app| {
            let now = app.clock.now();
            let open = earlier.iter().find(|transfer| transfer.is_open(now)).ok_or(domain::Refusal::TransferOver)?;
            Ok(withdraw_transfer(row, open, now, &mut app.entropy.rng())?)
        })
        .await
    }

    async fn change_transfers(
        &self,
        shop: ShopId,
        license: LicenseId,
        decision: impl Fn(&License, &Customer, &[Transfer], &Self) -> Result<Changes, Error>,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            let owner = self.owner_of(&row).await?.ok_or(Error::NotFound { what: "customer" })?;
            let earlier = self.store.transfers(shop, license).await?;
            let changes = decision(&row, &owner, &earlier, self)?;
            if self.commits(&changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict { what: "license" })
    }

    /// The offer that a link from a mail opens; `None` when the link is wrong, or the offer is over.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_transfer(
        &self,
        shop: ShopId,
        transfer: TransferId,
        token: &str,
    ) -> Result<Option<OpenTransfer>, Error> {
        let genuine = self.transfer_token(transfer);
        if aws_lc_rs::constant_time::verify_slices_are_equal(genuine.as_bytes(), token.as_bytes()).is_err() {
            return Ok(None);
        }
        let Some(transfer) = self.store.transfer(shop, transfer).await? else { return Ok(None) };
        let Some(license) = self.store.license(shop, transfer.license).await? else { return Ok(None) };
        let Some(owner) = self.store.customer(shop, transfer.from).await? else { return Ok(None) };
        if !transfer.is_open(self.clock.now()) || license.customer != Some(transfer.from) {
            return Ok(None);
        }
        let name = self.name_of(&license).await?.join(" ");
        Ok(Some(OpenTransfer { transfer, license, name, owner }))
    }

    /// Takes the license that a link offers, and mails both sides.
    ///
    /// # Errors
    /// When the link is wrong, the offer is over, or the license does not work any more.
    pub async fn accept_transfer(
        &self,
        shop: &Shop,
        transfer: TransferId,
        token: &str,
        locale: &Locale,
    ) -> Result<(), Error> {
        let key = KeyCode::from_random_bytes(self.entropy.rng().bytes());
        for _ in 0..TRIES {
            let open = self.open_transfer(shop.id, transfer, token).await?.ok_or(domain::Refusal::TransferOver)?;
            let receiver = self.store.customer_by_email(shop.id, &open.transfer.to).await?;
            let sides = TransferSides {
                owner: &open.owner,
                receiver: receiver.as_ref(),
                country: shop.default_country,
                locale,
            };
            let (now, mut rng) = (self.clock.now(), self.entropy.rng());
            let (changes, _) = accept_transfer(&open.license, &open.transfer, sides, key.clone(), now, &mut rng)?;
            if self.commits(&changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict { what: "license" })
    }

    pub(crate) fn transfer_url(&self, transfer: TransferId) -> String {
        format!("{}/transfer?offer={transfer}&token={}", self.settings.public_url, self.transfer_token(transfer))
    }

    fn transfer_token(&self, transfer: TransferId) -> String {
        self.store.vault().token(Purpose::LoginLink, &format!("transfer:{transfer}"))
    }
}
