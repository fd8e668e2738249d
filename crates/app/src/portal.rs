//! Three ways into the portal: a code by mail, key plus order number, the receipt link.
//!
//! What opens a door is never stored. Codes and receipt links are derived
//! from an id and a secret outside the database; sessions are kept as hashes.

use domain::{
    Actor, Changes, Customer, Delivery, DeliveryId, DeliveryState, Duration, Email, Event, EventId, EventKind, Job,
    JobId, JobKind, Locale, LoginLink, LoginLinkId, MailKind, OrderId, OrderNumber, Session, SessionHolder, SessionId,
    Shop, ShopId,
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
        let filter = DeliveryFilter { customer: Some(customer.id), ..DeliveryFilter::default() };
        let page = Page { starting_after: None, ending_before: None, limit: 50 };
        let sent = self.store.deliveries(shop.id, &filter, page).await?.data;
        let is_recent = |delivery: &&Delivery| {
            matches!(delivery.mail, MailKind::PortalCode { .. }) && now.since(delivery.created_at) < CODE_LIFETIME
        };
        if sent.iter().filter(is_recent).count() >= CODES_AT_ONCE {
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
            .filter(|order| order.id == view.license.order)
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
        let now = self.clock.now();
        let mut rng = self.entropy.rng();
        let delivery = Delivery {
            id: DeliveryId::mint(now, &mut rng),
            shop,
            version: 0,
            mail,
            to: to.email.clone(),
            locale: locale.clone(),
            order: None,
            customer: Some(to.id),
            state: DeliveryState::Queued,
            attempts: 0,
            last_error: None,
            created_at: now,
            sent_at: None,
            without_keys: false,
        };
        let job = Job {
            id: JobId::mint(now, &mut rng),
            shop,
            kind: JobKind::SendMail { delivery: delivery.id },
            run_at: now,
            attempts: 0,
            last_error: None,
            created_at: now,
        };
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
