//! What a queued mail says, read from the rows at the moment it is sent: a
//! key is opened only here, on its way out.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Delivery, Fulfilment, License, LicenseId, LoginLink, LoginLinkId, MailKind, Order, Plan, PlanId, Product,
    ProductId, Sale, Shop, SignedText, Standing, TransferId,
};
use latchkey_license::KeyCode;
use store::{LicenseFilter, OpenedClaim, Page};

use crate::mail::{
    ConsoleLink, Envelope, Given, IssuedLicense, LicenseLetter, LicenseMatter, Mail, MailContent, MessageFromBuyer,
    MessageFromShop, OrderFulfilled, OrderPaid, OrderRefunded, PaymentFailed, PoolLow, PortalCode, SenderIdentity,
    SetupGuide, compose,
};
use crate::{App, Error, Held};

/// How many keys one mail carries.
const MOST_KEYS: u32 = 50;

/// A mail on its way out.
pub(crate) struct Letter {
    pub(crate) mail: Mail,
    /// The order whose keys it was to carry, as it was read, where none of them works.
    pub(crate) without_keys_of: Option<Box<Order>>,
}

impl App {
    /// The mail of a delivery; `None` when what it was about is over, as a code that has run out.
    pub(crate) async fn compose_mail(&self, shop: &Shop, delivery: &Delivery) -> Result<Option<Letter>, Error> {
        let mut sender = SenderIdentity {
            shop_name: shop.name.clone(),
            address: self.settings.mail_from.clone(),
            seller: shop.seller.clone(),
            mode: shop.mode,
        };
        let mut without_keys_of = None;
        let content = match delivery.mail {
            MailKind::OrderPaid { order } => {
                let sale = self.sale(shop.id, order).await?;
                sender.seller = sale.order.seller.clone();
                let content = self.order_paid(shop, &sale, delivery).await?;
                without_keys_of = content.licenses.is_empty().then(|| Box::new(sale.order));
                MailContent::OrderPaid(content)
            }
            MailKind::OrderFulfilled { order } => {
                let sale = self.sale(shop.id, order).await?;
                sender.seller = sale.order.seller.clone();
                let licenses = self.working_licenses(&sale).await?;
                if licenses.is_empty() {
                    return Ok(None);
                }
                MailContent::OrderFulfilled(OrderFulfilled {
                    number: sale.order.number.clone(),
                    licenses,
                    receipt_url: self.receipt_url(order),
                })
            }
            MailKind::PoolLow { pool } => {
                let Some(pool) = self.store.pool(shop.id, pool).await? else { return Ok(None) };
                let stock = self.store.stock(shop.id, pool.id, self.clock.now()).await?;
                MailContent::PoolLow(PoolLow {
                    free: stock.free,
                    waiting: stock.waiting,
                    url: format!("{}/console/pools/{}", self.settings.public_url, pool.id),
                    name: pool.name,
                })
            }
            MailKind::MessageFromShop { message } => {
                let Some(message) = self.store.message(shop.id, message).await? else { return Ok(None) };
                let Some(order) = self.store.order(shop.id, message.order).await? else { return Ok(None) };
                sender.seller = order.seller;
                MailContent::MessageFromShop(MessageFromShop {
                    number: order.number,
                    body: message.body.as_str().to_owned(),
                    url: self.receipt_url(order.id),
                })
            }
            MailKind::MessageFromBuyer { order } => {
                // It goes out though somebody has answered meanwhile: that a buyer wrote stays true.
                let Some(order) = self.store.order(shop.id, order).await? else { return Ok(None) };
                MailContent::MessageFromBuyer(MessageFromBuyer {
                    number: order.number,
                    url: format!("{}/console/orders/{}#messages", self.settings.public_url, order.id),
                })
            }
            MailKind::PaymentFailed { order } => {
                let sale = self.sale(shop.id, order).await?;
                sender.seller = sale.order.seller.clone();
                if sale.order.state.was_paid() {
                    return Ok(None);
                }
                MailContent::PaymentFailed(self.payment_failed(&sale))
            }
            MailKind::OrderRefunded { order } => {
                let sale = self.sale(shop.id, order).await?;
                sender.seller = sale.order.seller.clone();
                MailContent::OrderRefunded(self.order_refunded(&sale)?)
            }
            MailKind::PortalCode { link } => match self.open_link(shop, link).await? {
                Some(stored) => MailContent::PortalCode(PortalCode {
                    code: self.portal_code(link),
                    valid_minutes: self.minutes_left(&stored),
                }),
                None => return Ok(None),
            },
            MailKind::ConsoleLink { link } => match self.open_link(shop, link).await? {
                Some(stored) => MailContent::ConsoleLink(ConsoleLink {
                    url: self.console_url(link),
                    valid_minutes: self.minutes_left(&stored),
                }),
                None => return Ok(None),
            },
            MailKind::KeysRequested { .. }
            | MailKind::KeyReplaced { .. }
            | MailKind::KeySignedAgain { .. }
            | MailKind::TransferOffered { .. }
            | MailKind::TransferStarted { .. }
            | MailKind::TransferDone { .. }
            | MailKind::LicenseReceived { .. } => match self.license_letter(shop, delivery).await? {
                Some(letter) => MailContent::License(letter),
                None => return Ok(None),
            },
        };
        let envelope = Envelope {
            delivery: delivery.id,
            to: delivery.to.clone(),
            locale: delivery.locale.clone(),
            at: delivery.created_at,
        };
        compose(&self.catalog, &sender, &envelope, &content)
            .map(|mail| Some(Letter { mail, without_keys_of }))
            .map_err(|error| Error::Configuration(error.to_string()))
    }

    /// The order, as it is now, where still none of its keys works.
    pub(crate) async fn still_without_keys(&self, order: &Order) -> Result<Option<Box<Order>>, Error> {
        let sale = self.sale(order.shop, order.id).await?;
        let now = self.clock.now();
        let own = sale.licenses.iter().filter(|license| license.customer == sale.order.customer);
        let all_revoked = own.into_iter().all(|license| license.standing(now) == Standing::Revoked);
        Ok(all_revoked.then(|| Box::new(sale.order)))
    }

    /// What is told about licenses outside of their orders; `None` when it is over, or there is nothing to tell.
    async fn license_letter(&self, shop: &Shop, delivery: &Delivery) -> Result<Option<LicenseLetter>, Error> {
        let portal = format!("{}/portal", self.settings.public_url);
        let (matter, licenses, url) = match delivery.mail {
            MailKind::KeysRequested { customer } => {
                let page = Page { starting_after: None, ending_before: None, limit: MOST_KEYS };
                let filter = LicenseFilter { customer: Some(customer), ..LicenseFilter::default() };
                let licenses = self.store.licenses(shop.id, &filter, page).await?.data;
                let keys = self.store.license_keys_of_customer(shop.id, customer, MOST_KEYS).await?;
                let claims = self.store.claims_of_customer(shop.id, customer, MOST_KEYS).await?;
                let signed = self.store.signed_keys_of_customer(shop.id, customer, MOST_KEYS).await?;
                let held = content(keys, signed, claims);
                (LicenseMatter::KeysRequested, self.with_keys(&licenses, &held).await?, portal)
            }
            MailKind::KeyReplaced { license } => {
                (LicenseMatter::KeyReplaced, self.license_with_key(shop, license, delivery).await?, portal)
            }
            MailKind::KeySignedAgain { license } => {
                (LicenseMatter::KeySignedAgain, self.license_with_key(shop, license, delivery).await?, portal)
            }
            MailKind::LicenseReceived { license } => {
                (LicenseMatter::Received, self.license_with_key(shop, license, delivery).await?, portal)
            }
            MailKind::TransferOffered { transfer }
            | MailKind::TransferStarted { transfer }
            | MailKind::TransferDone { transfer } => return self.transfer_letter(shop, transfer, delivery.mail).await,
            MailKind::OrderPaid { .. }
            | MailKind::OrderFulfilled { .. }
            | MailKind::PaymentFailed { .. }
            | MailKind::OrderRefunded { .. }
            | MailKind::PortalCode { .. }
            | MailKind::ConsoleLink { .. }
            | MailKind::PoolLow { .. }
            | MailKind::MessageFromShop { .. }
            | MailKind::MessageFromBuyer { .. } => return Ok(None),
        };
        if licenses.is_empty() {
            return Ok(None);
        }
        Ok(Some(LicenseLetter { matter, licenses, name: String::new(), other: String::new(), until: None, url }))
    }

    async fn transfer_letter(
        &self,
        shop: &Shop,
        transfer: TransferId,
        mail: MailKind,
    ) -> Result<Option<LicenseLetter>, Error> {
        let Some(transfer) = self.store.transfer(shop.id, transfer).await? else { return Ok(None) };
        let Some(license) = self.store.license(shop.id, transfer.license).await? else { return Ok(None) };
        let is_open = transfer.is_open(self.clock.now());
        let owner = self.store.customer(shop.id, transfer.from).await?;
        let owner = owner.map(|owner| owner.email.to_string()).unwrap_or_default();
        let portal = format!("{}/portal/licenses/{}", self.settings.public_url, license.id);
        let (matter, other, url) = match mail {
            MailKind::TransferOffered { .. } if is_open => {
                (LicenseMatter::Offered, owner, self.transfer_url(transfer.id))
            }
            MailKind::TransferStarted { .. } if is_open => {
                (LicenseMatter::OfferStarted, transfer.to.to_string(), portal)
            }
            MailKind::TransferDone { .. } => {
                let url = format!("{}/portal", self.settings.public_url);
                (LicenseMatter::Transferred, transfer.to.to_string(), url)
            }
            MailKind::OrderPaid { .. }
            | MailKind::OrderFulfilled { .. }
            | MailKind::PaymentFailed { .. }
            | MailKind::OrderRefunded { .. }
            | MailKind::PortalCode { .. }
            | MailKind::ConsoleLink { .. }
            | MailKind::PoolLow { .. }
            | MailKind::MessageFromShop { .. }
            | MailKind::MessageFromBuyer { .. }
            | MailKind::KeysRequested { .. }
            | MailKind::KeyReplaced { .. }
            | MailKind::KeySignedAgain { .. }
            | MailKind::LicenseReceived { .. }
            | MailKind::TransferOffered { .. }
            | MailKind::TransferStarted { .. } => return Ok(None),
        };
        let name = self.name_of(&license).await?.join(" ");
        Ok(Some(LicenseLetter { matter, licenses: Vec::new(), name, other, until: Some(transfer.expires_at), url }))
    }

    /// A license with its key, while it belongs to whoever the mail goes to.
    async fn license_with_key(
        &self,
        shop: &Shop,
        license: LicenseId,
        delivery: &Delivery,
    ) -> Result<Vec<IssuedLicense>, Error> {
        let Some(row) = self.store.license(shop.id, license).await? else { return Ok(Vec::new()) };
        if row.customer.is_none() || row.customer != delivery.customer {
            return Ok(Vec::new());
        }
        let held = self.held_of_license(&row).await?.map(|held| (license, held));
        self.with_keys(std::slice::from_ref(&row), held.as_slice()).await
    }

    /// Those of the licenses that were not taken back, with their keys.
    async fn with_keys(&self, licenses: &[License], held: &[(LicenseId, Held)]) -> Result<Vec<IssuedLicense>, Error> {
        let now = self.clock.now();
        let mut issued = Vec::new();
        let mut names: Vec<(PlanId, [String; 2], bool)> = Vec::new();
        for license in licenses.iter().filter(|license| license.standing(now) != Standing::Revoked) {
            let Some((_, held)) = held.iter().find(|(id, _)| *id == license.id) else { continue };
            let known = names.iter().find(|(plan, ..)| *plan == license.plan);
            let ([product_name, plan_name], is_download) = match known {
                Some((_, names, is_download)) => (names.clone(), *is_download),
                None => {
                    let (product, plan) = self.product_and_plan(license).await?;
                    let is_download = plan.as_ref().is_some_and(|plan| plan.fulfilment == Fulfilment::Download);
                    let found = called(product, plan);
                    names.push((license.plan, found.clone(), is_download));
                    (found, is_download)
                }
            };
            let given = Given::of(held, is_download);
            issued.push(IssuedLicense { product_name, plan_name, given, expires_at: license.expires_at });
        }
        Ok(issued)
    }

    /// What product and tier of a license are called.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn name_of(&self, license: &License) -> Result<[String; 2], Error> {
        let (product, plan) = self.product_and_plan(license).await?;
        Ok(called(product, plan))
    }

    async fn product_and_plan(&self, license: &License) -> Result<(Option<Product>, Option<Plan>), Error> {
        let product = self.store.product(license.shop, license.product).await?;
        let plan = self.store.plan(license.shop, license.plan).await?;
        Ok((product, plan))
    }

    async fn order_paid(&self, shop: &Shop, sale: &Sale, delivery: &Delivery) -> Result<OrderPaid, Error> {
        let order = &sale.order;
        let licenses = self.working_licenses(sale).await?;
        let mut setup_guides = Vec::new();
        let products: BTreeSet<ProductId> = order.lines.iter().map(|line| line.product).collect();
        let has_files = !licenses.is_empty() && self.has_releases(shop.id, &products).await?;
        let mut guided = BTreeSet::new();
        for line in order.lines.iter().filter(|line| guided.insert(line.product)) {
            let product = self.store.product(shop.id, line.product).await?;
            let guide = product.as_ref().and_then(|product| product.setup_guide(delivery.locale.language()));
            if let Some(markdown) = guide.filter(|markdown| !markdown.trim().is_empty()) {
                setup_guides
                    .push(SetupGuide { product_name: line.product_name.clone(), markdown: markdown.to_owned() });
            }
        }
        Ok(OrderPaid {
            number: order.number.clone(),
            paid_at: order.paid_at.unwrap_or(order.created_at),
            lines: order.lines.clone(),
            total: order.total,
            method: sale.captured().and_then(|payment| payment.method.clone()),
            licenses,
            setup_guides,
            has_files,
            receipt_url: self.receipt_url(order.id),
            portal_url: format!("{}/portal", self.settings.public_url),
            terms_version: order.consent.terms_version.clone(),
            immediate_supply_at: order.consent.immediate_supply_at,
            refund_policy: shop.refund_policy.clone(),
        })
    }

    /// What the buyer holds of the licenses that are neither taken back nor handed on: what was handed on has another
    /// owner, who alone is told its key.
    async fn working_licenses(&self, sale: &Sale) -> Result<Vec<IssuedLicense>, Error> {
        let order = &sale.order;
        let now = self.clock.now();
        let held = self.held(order).await?;
        let works = |license: &&License| match license.standing(now) {
            Standing::Active | Standing::Suspended | Standing::Expired => true,
            Standing::Revoked => false,
        };
        let own = sale.licenses.iter().filter(|license| license.customer == order.customer);
        let issued = own.filter(works).filter_map(|license| {
            let line = order.line(license.line)?;
            let (_, held) = held.iter().find(|(id, _)| *id == license.id)?;
            Some(IssuedLicense {
                product_name: line.product_name.clone(),
                plan_name: line.plan_name.clone(),
                given: Given::of(held, line.fulfilment == Fulfilment::Download),
                expires_at: license.expires_at,
            })
        });
        Ok(issued.collect())
    }

    fn payment_failed(&self, sale: &Sale) -> PaymentFailed {
        let last = sale.payments.last();
        PaymentFailed {
            number: sale.order.number.clone(),
            amount: sale.order.total,
            method: last.and_then(|payment| payment.method.clone()),
            reason: last.and_then(|payment| payment.decline.as_ref()).map(|decline| decline.class),
            retry_url: self.receipt_url(sale.order.id),
        }
    }

    fn order_refunded(&self, sale: &Sale) -> Result<OrderRefunded, Error> {
        let order = &sale.order;
        let now = self.clock.now();
        Ok(OrderRefunded {
            number: order.number.clone(),
            refunded_at: now,
            lines: order.lines.clone(),
            total: order.total,
            refunded: order.refunded,
            remaining: order.total.checked_sub(order.refunded).map_err(domain::Refusal::from)?,
            method: sale.captured().and_then(|payment| payment.method.clone()),
            is_license_ended: sale.licenses.iter().all(|license| license.standing(now) == Standing::Revoked),
            receipt_url: self.receipt_url(order.id),
        })
    }

    /// The link, while it still opens something.
    async fn open_link(&self, shop: &Shop, link: LoginLinkId) -> Result<Option<LoginLink>, Error> {
        let now = self.clock.now();
        let stored = self.store.login_link(shop.id, link).await?;
        Ok(stored.filter(|stored| stored.used_at.is_none() && stored.expires_at > now))
    }

    fn minutes_left(&self, link: &LoginLink) -> u32 {
        let left = link.expires_at.since(self.clock.now()).as_seconds().div_euclid(60).saturating_add(1);
        u32::try_from(left).unwrap_or(1)
    }

    /// Every license of an order with what its buyer holds, for a program that may see it.
    ///
    /// # Errors
    /// When the store does not answer, or a key cannot be opened.
    pub async fn licenses_with_keys(&self, sale: &Sale) -> Result<Vec<(License, Held)>, Error> {
        let held = self.held(&sale.order).await?;
        let with_key = |license: &License| {
            let (_, held) = held.iter().find(|(id, _)| *id == license.id)?;
            Some((license.clone(), held.clone()))
        };
        Ok(sale.licenses.iter().filter_map(with_key).collect())
    }

    /// What the buyer of an order holds of each license: the key that was made here, or the code that was made
    /// elsewhere.
    ///
    /// # Errors
    /// When the store does not answer, or a key cannot be opened.
    pub async fn held(&self, order: &Order) -> Result<Vec<(LicenseId, Held)>, Error> {
        let keys = self.store.license_keys(order.shop, order.id).await?;
        let claims = match order.claimed_units() {
            0 => Vec::new(),
            _ => self.store.claims(order.shop, order.id).await?,
        };
        let is_signed = order.lines.iter().any(|line| line.fulfilment == Fulfilment::SignedKey);
        let signed = if is_signed { self.store.signed_keys(order.shop, order.id).await? } else { Vec::new() };
        Ok(content(keys, signed, claims))
    }

    /// What the buyer of a license holds; `None`: there is no such license.
    ///
    /// # Errors
    /// As [`App::held`].
    pub async fn held_of_license(&self, license: &License) -> Result<Option<Held>, Error> {
        let claim = self.store.claim_of_license(license.shop, license.id).await?;
        if let Some(opened) = claim {
            return Ok(Some(opened.into()));
        }
        if let Some(signed) = self.store.signed_key(license.shop, license.id).await? {
            return Ok(Some(Held::Signed(signed)));
        }
        Ok(self.store.license_key(license.shop, license.id).await?.map(Held::Key))
    }
}

fn called(product: Option<Product>, plan: Option<Plan>) -> [String; 2] {
    [product.map(|product| product.name), plan.map(|plan| plan.name)].map(Option::unwrap_or_default)
}

/// What buyers hold of licenses: their keys, but for those whose text is signed, or whose content is made elsewhere.
fn content(
    keys: Vec<(LicenseId, KeyCode)>,
    signed: Vec<(LicenseId, SignedText)>,
    claims: Vec<OpenedClaim>,
) -> Vec<(LicenseId, Held)> {
    let mut others: BTreeMap<LicenseId, Held> =
        signed.into_iter().map(|(license, signed)| (license, Held::Signed(signed))).collect();
    others.extend(claims.into_iter().map(|opened| (opened.claim.license, opened.into())));
    keys.into_iter().map(|(license, key)| (license, others.remove(&license).unwrap_or(Held::Key(key)))).collect()
}
