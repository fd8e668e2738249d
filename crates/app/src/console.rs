//! Signing in to the console by a link that works once.

use domain::{
    Changes, Delivery, Duration, Email, Locale, LoginLink, LoginLinkId, MailKind, SessionHolder, Shop, ShopId, User,
    UserId,
};
use store::Purpose;

use crate::{App, Error};

/// What the first owner is called until they say otherwise.
pub const FIRST_OWNER: &str = "Owner";

/// How long a link works.
const LINK_LIFETIME: Duration = Duration::minutes(30);

/// How many links are mailed to one person within [`LINKS_WITHIN`]: as many as codes to a customer.
const LINKS_AT_ONCE: u64 = 5;

/// See [`LINKS_AT_ONCE`].
const LINKS_WITHIN: Duration = Duration::minutes(10);

/// A way into the console that works once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleEntry {
    /// The link, for a terminal or a mail.
    pub url: String,
}

impl App {
    /// A one-time link for the first user of the shop; makes that user when there is none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn console_entry(&self, shop: &Shop) -> Result<ConsoleEntry, Error> {
        let now = self.clock.now();
        let mut rng = self.entropy.rng();
        let mut changes = Changes::default();
        let user = match self.store.users(shop.id).await?.into_iter().next() {
            Some(user) => user.id,
            None => {
                let owner = User {
                    id: UserId::mint(now, &mut rng),
                    shop: shop.id,
                    version: 0,
                    email: Email::parse(&shop.seller.email).ok(),
                    name: FIRST_OWNER.to_owned(),
                    created_at: now,
                };
                let id = owner.id;
                changes.users = vec![owner];
                id
            }
        };
        let link = self.new_link(shop.id, user);
        let entry = ConsoleEntry { url: self.console_url(link.id) };
        changes.login_links = vec![link];
        self.write(&changes).await?;
        Ok(entry)
    }

    /// Forgets links and sessions that ended a day ago or earlier; younger ones still tell their holder why.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn forget_expired_logins(&self) -> Result<(), Error> {
        let ended_before = self.clock.now().before(Duration::days(1));
        Ok(self.store.forget_expired_logins(ended_before).await?)
    }

    /// Mails a one-time link to a user with this address. A stranger gets nothing, nor does whoever was sent several a
    /// moment ago, and the page looks the same.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn send_console_link(&self, shop: &Shop, email: &Email, locale: &Locale) -> Result<(), Error> {
        let mut users = Vec::new();
        let user = match self.store.user_by_email(shop.id, email).await? {
            Some(user) => user,
            None => match self.owner_at_last(shop, email).await? {
                Some(owner) => {
                    users.push(owner.clone());
                    owner
                }
                None => return Ok(()),
            },
        };
        let now = self.clock.now();
        let holder = SessionHolder::User { user: user.id };
        let sent = self.store.count_login_links(shop.id, holder, now.before(LINKS_WITHIN)).await?;
        if sent >= LINKS_AT_ONCE {
            return Ok(());
        }
        let mut rng = self.entropy.rng();
        let link = self.new_link(shop.id, user.id);
        let mail = MailKind::ConsoleLink { link: link.id };
        let (delivery, job) = Delivery::queued(shop.id, mail, email, locale, now, &mut rng);
        self.write(&Changes {
            users,
            login_links: vec![link],
            deliveries: vec![delivery],
            jobs: vec![job],
            ..Changes::default()
        })
        .await
    }

    /// The first owner, who came to be before the shop had an address, once it has this one: with it, they can sign in
    /// without the command line.
    async fn owner_at_last(&self, shop: &Shop, email: &Email) -> Result<Option<User>, Error> {
        let is_the_shops = Email::parse(&shop.seller.email).is_ok_and(|address| address.key() == email.key());
        if !is_the_shops {
            return Ok(None);
        }
        let first = self.store.users(shop.id).await?.into_iter().next();
        Ok(first.filter(|user| user.email.is_none()).map(|user| User { email: Some(email.clone()), ..user }))
    }

    /// Uses a console link up. Looking at the link does nothing, so that a
    /// mail scanner cannot use it; only the button on its page comes here.
    ///
    /// # Errors
    /// `NotFound` when the link is wrong, used, or too old.
    pub async fn enter_console(&self, shop: ShopId, link: LoginLinkId, token: &str) -> Result<String, Error> {
        let wrong = Error::NotFound { what: "link" };
        let genuine =
            aws_lc_rs::constant_time::verify_slices_are_equal(self.link_token(link).as_bytes(), token.as_bytes())
                .is_ok();
        if !genuine {
            return Err(wrong);
        }
        let stored = self.store.login_link(shop, link).await?.ok_or(Error::NotFound { what: "link" })?;
        let now = self.clock.now();
        match stored.holder {
            SessionHolder::User { .. } if stored.used_at.is_none() && stored.expires_at > now => {
                self.use_link(stored, Self::console_session()).await
            }
            SessionHolder::User { .. } | SessionHolder::Customer { .. } | SessionHolder::Order { .. } => Err(wrong),
        }
    }

    pub(crate) fn console_url(&self, link: LoginLinkId) -> String {
        format!("{}/console/enter?link={link}&token={}", self.settings.public_url, self.link_token(link))
    }

    fn link_token(&self, link: LoginLinkId) -> String {
        self.store.vault().token(Purpose::LoginLink, &format!("console:{link}"))
    }

    fn new_link(&self, shop: ShopId, user: UserId) -> LoginLink {
        let now = self.clock.now();
        LoginLink {
            id: LoginLinkId::mint(now, &mut self.entropy.rng()),
            shop,
            version: 0,
            holder: SessionHolder::User { user },
            expires_at: now.after(LINK_LIFETIME),
            used_at: None,
            failures: 0,
            created_at: now,
        }
    }
}
