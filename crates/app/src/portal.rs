//! Three ways into the portal: a code by mail, key plus order number, the receipt link.
//!
//! What opens a door is never stored. Codes and receipt links are derived
//! from an id and a secret outside the database; sessions are kept as hashes.

use domain::{
    Activation, ActivationId, Actor, Changes, Customer, Delivery, Duration, Email, Event, EventId, EventKind, License,
    LicenseId, Locale, LoginLink, LoginLinkId, MailKind, OrderId, OrderNumber, Refusal, Rng, Session, SessionHolder,
    SessionId, Shop, ShopId, Timestamp, release, rename, rotate,
};
use latchkey_license::KeyCode;
use serde_json::json;
use store::{CommitError, DeliveryFilter, Page, Purpose};

use crate::signer::url_text;
use crate::{App, Error};

/// How long a code by mail works.
const CODE_LIFETIME: Duration = Duration::minutes(10);

/// How many codes that still work are mailed to one customer.
const CODES_AT_ONCE: usize = 5;

/// How many mails with keys go to one customer within the time that a code works.
const KEYS_AT_ONCE: usize = 2;

/// How often it is decided again when devices take seats of the license at the same time.
const TRIES: u32 = 100;

/// How many wrong codes one link takes before it is dead.
const CODE_TRIES: u32 = 5;

/// How long a browser stays signed in to the portal.
const PORTAL_SESSION: Duration = Duration::days(30);

/// How long a browser stays signed in to the console.
const CONSOLE_SESSION: Duration = Duration::hours(12);

/// What the page needs after a code was asked for. It is the same whether or
/// not anybody buys with the address, so that nobody learns who does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortalCodeSent {
    /// Goes into the form that takes the code.
    pub link: LoginLinkId,
}

impl App {
    /// Mails a code to a customer. An address that never bought gets nothing, and the page looks the same.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn send_portal_code(&self, shop: &Shop, email: &Email, locale: &Locale) -> Result<PortalCodeSent, Error> {
        let now = self.clock.now();
        let mut rng = self.entropy.rng();
        let id = LoginLinkId::mint(now, &mut rng);
        let Some(customer) = self.store.customer_by_email(shop.id, email).await? else {
            return Ok(PortalCodeSent { link: id });
        };
        // Whoever asks again and again must not fill somebody's mailbox; the page looks the same.
        let is_code = |mail| matches!(mail, MailKind::PortalCode { .. });
        if self.mailed_lately(&customer, is_code).await? >= CODES_AT_ONCE {
            return Ok(PortalCodeSent { link: id });
        }
        let link = LoginLink {
            id,
            shop: shop.id,
            version: 0,
            holder: SessionHolder::Customer { customer: customer.id },
            expires_at: now.after(CODE_LIFETIME),
            used_at: None,
            failures: 0,
            created_at: now,
        };
        let mut changes = self.mail(shop.id, MailKind::PortalCode { link: id }, &customer, locale);
        changes.login_links = vec![link];
        self.write(&changes).await?;
        Ok(PortalCodeSent { link: id })
    }

    /// Mails a customer the keys of everything bought with the address. An address that never bought gets nothing, and
    /// the page looks the same.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn send_keys(&self, shop: &Shop, email: &Email, locale: &Locale) -> Result<(), Error> {
        let Some(customer) = self.store.customer_by_email(shop.id, email).await? else { return Ok(()) };
        let is_keys = |mail| matches!(mail, MailKind::KeysRequested { .. });
        if self.mailed_lately(&customer, is_keys).await? >= KEYS_AT_ONCE {
            return Ok(());
        }
        self.write(&self.mail(shop.id, MailKind::KeysRequested { customer: customer.id }, &customer, locale)).await
    }

    /// How many mails of a kind a customer was sent as long as a code works.
    async fn mailed_lately(&self, customer: &Customer, is_kind: impl Fn(MailKind) -> bool) -> Result<usize, Error> {
        let filter = DeliveryFilter { customer: Some(customer.id), ..DeliveryFilter::default() };
        let page = Page { starting_after: None, ending_before: None, limit: 50 };
        let sent = self.store.deliveries(customer.shop, &filter, page).await?.data;
        let now = self.clock.now();
        let is_recent = |delivery: &&Delivery| is_kind(delivery.mail) && now.since(delivery.created_at) < CODE_LIFETIME;
        Ok(sent.iter().filter(is_recent).count())
    }

    /// Frees a seat for the owner of a license, as often as its policy lets owners do so.
    ///
    /// # Errors
    /// When there is no such seat, it is free already, or the quota is used up.
    pub async fn release_own_seat(&self, shop: ShopId, license: LicenseId, seat: ActivationId) -> Result<(), Error> {
        self.change_own_seat(shop, license, seat, release).await
    }

    /// Gives the device on a seat the name that its owner knows it by.
    ///
    /// # Errors
    /// When there is no such seat, or it is free.
    pub async fn rename_own_device(
        &self,
        shop: ShopId,
        license: LicenseId,
        seat: ActivationId,
        label: Option<&str>,
    ) -> Result<(), Error> {
        self.change_own_seat(shop, license, seat, |row, seat, now, rng| {
            rename(row, seat, label.map(str::to_owned), Actor::Buyer, now, rng)
        })
        .await
    }

    async fn change_own_seat(
        &self,
        shop: ShopId,
        license: LicenseId,
        seat: ActivationId,
        decision: impl Fn(&License, &Activation, Timestamp, &mut Rng) -> Result<Changes, Refusal>,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            let found = self.store.activation(shop, seat).await?;
            let found = found.filter(|found| found.license == license).ok_or(Error::NotFound { what: "device" })?;
            let changes = decision(&row, &found, self.clock.now(), &mut self.entropy.rng())?;
            if self.commits(&changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict { what: "license" })
    }

    /// Gives the owner of a license a new key and mails it; the old one is retired at once.
    ///
    /// # Errors
    /// When there is no such license, its code was made elsewhere, it does not work, or the quota is used up.
    pub async fn rotate_own_key(&self, shop: ShopId, license: LicenseId, frees_seats: bool) -> Result<(), Error> {
        let key = KeyCode::from_random_bytes(self.entropy.rng().bytes());
        for _ in 0..TRIES {
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            if self.store.claim_of_license(shop, license).await?.is_some() {
                return Err(Refusal::CodeMadeElsewhere.into());
            }
            let owner = self.owner_of(&row).await?.ok_or(Error::NotFound { what: "customer" })?;
            let (now, mut rng) = (self.clock.now(), self.entropy.rng());
            let (changes, _) = rotate(&row, &owner, key.clone(), frees_seats, now, &mut rng)?;
            if self.commits(&changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict { what: "license" })
    }

    /// Whose a license is; `None` where it was issued to nobody.
    pub(crate) async fn owner_of(&self, license: &License) -> Result<Option<Customer>, Error> {
        match license.customer {
            Some(customer) => Ok(self.store.customer(license.shop, customer).await?),
            None => Ok(None),
        }
    }

    /// The code that belongs to a link: eight digits, derived, never stored.
    pub(crate) fn portal_code(&self, link: LoginLinkId) -> String {
        let hash = self.store.vault().hash(Purpose::LoginLink, format!("portal:{link}").as_bytes());
        let number = hash.iter().take(8).fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
        format!("{:08}", number % 100_000_000)
    }

    /// Signs in with the code from the mail. Returns what the cookie holds.
    ///
    /// # Errors
    /// `NotFound` when the code is wrong, used, or too old: which of them is not told.
    pub async fn enter_with_code(&self, shop: ShopId, link: LoginLinkId, code: &str) -> Result<String, Error> {
        let wrong = Error::NotFound { what: "code" };
        let typed = domain::search_key(code).replace([' ', '-'], "");
        let Some(mut stored) = self.store.login_link(shop, link).await? else { return Err(wrong) };
        let now = self.clock.now();
        if stored.used_at.is_some() || stored.expires_at <= now || stored.failures >= CODE_TRIES {
            return Err(wrong);
        }
        let matches =
            aws_lc_rs::constant_time::verify_slices_are_equal(self.portal_code(link).as_bytes(), typed.as_bytes())
                .is_ok();
        if !matches {
            stored.failures += 1;
            self.write(&Changes { login_links: vec![stored], ..Changes::default() }).await?;
            return Err(wrong);
        }
        self.use_link(stored, PORTAL_SESSION).await
    }

    /// Signs in with a key and the number of the order that it came with.
    /// The session sees that order alone.
    ///
    /// # Errors
    /// `NotFound` when the two do not belong together; which of them is wrong is not told.
    pub async fn enter_with_key(
        &self,
        shop: ShopId,
        key: &KeyCode,
        number: &OrderNumber,
    ) -> Result<(String, OrderId), Error> {
        let wrong = Error::NotFound { what: "order" };
        let Some(view) = self.store.seat(shop, key, None, self.clock.now()).await? else { return Err(wrong) };
        let order = self
            .store
            .order_by_number(shop, number)
            .await?
            .filter(|order| order.id == view.license.order && order.customer == view.license.customer)
            .ok_or(wrong)?;
        let (session, token) = self.new_session(shop, SessionHolder::Order { order: order.id }, Duration::days(1));
        self.write(&Changes { sessions: vec![session], ..Changes::default() }).await?;
        Ok((token, order.id))
    }

    /// What opens an order's page without signing in: the end of the receipt link.
    #[must_use]
    pub fn receipt_token(&self, order: OrderId) -> String {
        self.store.vault().token(Purpose::ReceiptLink, &order.to_string())
    }

    /// Whether a token is the order's.
    #[must_use]
    pub fn opens_order(&self, order: OrderId, token: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.receipt_token(order).as_bytes(), token.as_bytes())
            .is_ok()
    }

    /// The link that a receipt carries.
    #[must_use]
    pub fn receipt_url(&self, order: OrderId) -> String {
        format!("{}/orders/{order}?receipt={}", self.settings.public_url, self.receipt_token(order))
    }

    /// Who holds the session of this cookie.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn session(&self, shop: ShopId, token: &str) -> Result<Option<Session>, Error> {
        let hash = self.store.vault().hash(Purpose::Session, token.as_bytes());
        let session = self.store.session(&hash).await?;
        let now = self.clock.now();
        Ok(session.filter(|session| session.shop == shop && session.expires_at > now))
    }

    /// Ends the session of this cookie.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn end_session(&self, token: &str) -> Result<(), Error> {
        let hash = self.store.vault().hash(Purpose::Session, token.as_bytes());
        Ok(self.store.end_session(&hash).await?)
    }

    /// Sends the mail with receipt and keys once more.
    ///
    /// # Errors
    /// When there is no such order, or it was never paid.
    pub async fn resend_order_mail(&self, shop: ShopId, order: OrderId, actor: Actor) -> Result<(), Error> {
        let sale = self.sale(shop, order).await?;
        if !sale.order.state.was_paid() {
            return Err(domain::Refusal::OrderNotPaid.into());
        }
        let customer = match sale.order.customer {
            Some(id) => self.store.customer(shop, id).await?,
            None => None,
        }
        .ok_or(Error::NotFound { what: "customer" })?;
        let mut changes = self.mail(shop, MailKind::OrderPaid { order }, &customer, &sale.order.locale);
        for delivery in &mut changes.deliveries {
            delivery.order = Some(order);
            tracing::info!(%order, delivery = %delivery.id, ?actor, "the receipt is sent again");
        }
        self.write(&changes).await
    }

    fn mail(&self, shop: ShopId, mail: MailKind, to: &Customer, locale: &Locale) -> Changes {
        let (mut delivery, job) =
            Delivery::queued(shop, mail, &to.email, locale, self.clock.now(), &mut self.entropy.rng());
        delivery.customer = Some(to.id);
        Changes { deliveries: vec![delivery], jobs: vec![job], ..Changes::default() }
    }

    /// Uses a link up and starts the session it stands for, in one commit:
    /// of two browsers that press at once, one signs in.
    pub(crate) async fn use_link(&self, mut link: LoginLink, lifetime: Duration) -> Result<String, Error> {
        let now = self.clock.now();
        link.used_at = Some(now);
        let (session, token) = self.new_session(link.shop, link.holder, lifetime);
        let (customer, actor) = match link.holder {
            SessionHolder::Customer { customer } => (Some(customer), Actor::Buyer),
            SessionHolder::User { user } => (None, Actor::User(user)),
            SessionHolder::Order { .. } => (None, Actor::Buyer),
        };
        let event = Event {
            id: EventId::mint(now, &mut self.entropy.rng()),
            shop: link.shop,
            kind: EventKind::SessionStarted,
            actor,
            order: None,
            license: None,
            customer,
            data: json!({ "session": session.id }),
            at: now,
        };
        let changes =
            Changes { login_links: vec![link], sessions: vec![session], events: vec![event], ..Changes::default() };
        match self.commit(&changes, None).await {
            Ok(()) => Ok(token),
            Err(CommitError::Conflict { .. }) => Err(Error::NotFound { what: "code" }),
            Err(error) => Err(error.into()),
        }
    }

    fn new_session(&self, shop: ShopId, holder: SessionHolder, lifetime: Duration) -> (Session, String) {
        let now = self.clock.now();
        let mut rng = self.entropy.rng();
        let token = url_text(&rng.bytes::<32>());
        let session = Session {
            id: SessionId::mint(now, &mut rng),
            shop,
            token_hash: self.store.vault().hash(Purpose::Session, token.as_bytes()).to_vec(),
            holder,
            expires_at: now.after(lifetime),
            created_at: now,
        };
        (session, token)
    }

    pub(crate) const fn console_session() -> Duration {
        CONSOLE_SESSION
    }
}
