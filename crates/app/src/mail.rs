//! What mails say: from what happened to subject, plain text and HTML.
//!
//! Composing is a pure function of its arguments, so a mail that is sent again
//! is the same mail. What goes into a header cannot hold a line break, by its
//! type. Templates lie in `mails/`, a folder a mail; words in `messages/`.

use std::fmt;

use askama::Template;
use domain::{DeclineClass, DeliveryId, Email, Locale, MethodSummary, Mode, OrderLine, OrderNumber, Seller, Timestamp};
use money::Money;
use serde::{Deserialize, Deserializer, Serialize};

use crate::messages::{Arg, Catalog};
use crate::{Held, LONGEST_TYPED_KEY};

pub mod markdown;

/// A mail, ready to be handed to a mail server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The delivery that it is: a mail sent twice is known as one by it.
    pub delivery: DeliveryId,
    /// What its Date header says.
    pub at: Timestamp,
    /// The name of the sender.
    pub from_name: HeaderText,
    /// The address of the sender.
    pub from: Email,
    /// Where an answer goes, when not to the sender.
    pub reply_to: Option<Email>,
    /// To whom.
    pub to: Email,
    /// In which language it is.
    pub locale: Locale,
    /// The subject.
    pub subject: HeaderText,
    /// The whole of it as plain text.
    pub text: String,
    /// The whole of it as an HTML document that loads nothing.
    pub html: String,
}

impl Mail {
    /// What stands between the angle brackets of its Message-ID: the delivery at the sender's domain.
    #[must_use]
    pub fn message_id(&self) -> String {
        let domain = self.from.as_str().rsplit('@').next().unwrap_or_default();
        format!("{}@{}", self.delivery, ascii_domain(domain))
    }
}

/// Without the body, which holds keys and codes, and with the receiver masked.
impl fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mail")
            .field("delivery", &self.delivery)
            .field("to", &self.to)
            .field("locale", &self.locale)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// A text that can stand in a header: one line, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeaderText(String);

impl HeaderText {
    /// How long it may be, in characters; the rest is cut off.
    const LONGEST: usize = 200;

    /// The text as one line: line breaks and other control characters become spaces.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let breaks = |character: char| {
            character.is_control() || character.is_whitespace() || matches!(character, '\u{2028}' | '\u{2029}')
        };
        let line = text.split(breaks).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        Self(line.chars().take(Self::LONGEST).collect::<String>().trim_end().to_owned())
    }

    /// The line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HeaderText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

/// In whose name a mail is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderIdentity {
    /// The name over the door: the name of the sender.
    pub shop_name: String,
    /// The address that mails come from.
    pub address: Email,
    /// Who sells; for a mail about an order, as named on the order. Answers go to its address.
    pub seller: Seller,
    /// A mail about simulated money says so.
    pub mode: Mode,
}

/// Which delivery a mail is, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The delivery.
    pub delivery: DeliveryId,
    /// To whom.
    pub to: Email,
    /// In which language it is wanted; for a mail about an order, the order's.
    pub locale: Locale,
    /// What the Date header says: when the mail was asked for, so that a repeated mail is the same.
    pub at: Timestamp,
}

/// What a mail is about, a variant for each `MailKind` of the domain. It
/// cannot be printed for debugging, because it holds keys, codes and links that open doors.
#[derive(Clone, PartialEq, Eq)]
pub enum MailContent {
    /// Receipt, keys, setup guide.
    OrderPaid(OrderPaid),
    /// What was still owed is there.
    OrderFulfilled(OrderFulfilled),
    /// The debit failed after all.
    PaymentFailed(PaymentFailed),
    /// Money goes back.
    OrderRefunded(OrderRefunded),
    /// The code that opens the portal.
    PortalCode(PortalCode),
    /// The link that opens the console.
    ConsoleLink(ConsoleLink),
    /// Something about licenses outside of their orders.
    License(LicenseLetter),
    /// To the seller: few codes are left.
    PoolLow(PoolLow),
    /// To the buyer: what the shop wrote.
    MessageFromShop(MessageFromShop),
    /// To the seller: a buyer wrote.
    MessageFromBuyer(MessageFromBuyer),
}

/// An order that was paid.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderPaid {
    /// The number that people use.
    pub number: OrderNumber,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What it cost in all.
    pub total: Money,
    /// What paid.
    pub method: Option<MethodSummary>,
    /// The licenses with their keys; empty where they come later.
    pub licenses: Vec<IssuedLicense>,
    /// How to start, one guide a product, in the mail's language.
    pub setup_guides: Vec<SetupGuide>,
    /// Whether there are files to download, which the order's page has.
    pub has_files: bool,
    /// Opens the order without signing in.
    pub receipt_url: String,
    /// Where all orders of the buyer are.
    pub portal_url: String,
    /// Which version of the terms was accepted.
    pub terms_version: String,
    /// When the buyer asked for immediate supply and gave up withdrawal; the
    /// mail confirms it on a durable medium (Directive 2011/83/EU art. 8(7)(b)).
    pub immediate_supply_at: Option<Timestamp>,
    /// What may be expected of refunds, in Markdown.
    pub refund_policy: String,
}

/// A license with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedLicense {
    /// The product.
    pub product_name: String,
    /// The tier.
    pub plan_name: String,
    /// What its buyer gets.
    pub given: Given,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// What the buyer of a license gets.
#[derive(Clone, PartialEq, Eq)]
pub enum Given {
    /// A key, as it is typed.
    Key(String),
    /// The key of a license of files: it says which license it is, and is typed nowhere.
    Number(String),
    /// What a person says of work that is done.
    Said(String),
    /// A key that is on its way.
    Later,
    /// Work that a person has done by then.
    By(Timestamp),
}

impl Given {
    /// What the buyer gets of what is held; of a license of files, the files are what was bought.
    pub(crate) fn of(held: &Held, is_download: bool) -> Self {
        match held {
            Held::Key(key) if is_download => Self::Number(key.to_string()),
            Held::Key(key) => Self::Key(key.to_string()),
            Held::Signed(signed) => Self::Key(signed.text.to_string()),
            Held::Code(code) => Self::Key(code.as_str().to_owned()),
            Held::Said(text) => Self::Said(text.as_str().to_owned()),
            Held::OnItsWay => Self::Later,
            Held::Promised(at) => Self::By(*at),
        }
    }
}

/// An order whose keys were still on their way.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderFulfilled {
    /// The number that people use.
    pub number: OrderNumber,
    /// The licenses with their keys.
    pub licenses: Vec<IssuedLicense>,
    /// Opens the order without signing in.
    pub receipt_url: String,
}

/// A stock of codes that gets low.
#[derive(Clone, PartialEq, Eq)]
pub struct PoolLow {
    /// Its name.
    pub name: String,
    /// How many codes are left.
    pub free: u64,
    /// How many paid units wait for one.
    pub waiting: u64,
    /// Where codes are added.
    pub url: String,
}

/// What the shop wrote about an order.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageFromShop {
    /// The number that people use.
    pub number: OrderNumber,
    /// What it wrote, in lines.
    pub body: String,
    /// Opens the order without signing in.
    pub url: String,
}

/// A buyer wrote about an order, and waits for an answer.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageFromBuyer {
    /// The number that people use.
    pub number: OrderNumber,
    /// Where it is read and answered.
    pub url: String,
}

/// How to get from key to working product.
#[derive(Clone, PartialEq, Eq)]
pub struct SetupGuide {
    /// The product.
    pub product_name: String,
    /// The guide in Markdown.
    pub markdown: String,
}

/// A payment that failed after it had been under way.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentFailed {
    /// The number that people use.
    pub number: OrderNumber,
    /// What was to be paid.
    pub amount: Money,
    /// What was to pay.
    pub method: Option<MethodSummary>,
    /// Why it failed, where it is known.
    pub reason: Option<DeclineClass>,
    /// Where to try again.
    pub retry_url: String,
}

/// An order that money was given back for.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderRefunded {
    /// The number that people use.
    pub number: OrderNumber,
    /// When it was given back.
    pub refunded_at: Timestamp,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What it cost in all.
    pub total: Money,
    /// What was given back in all so far.
    pub refunded: Money,
    /// What remains paid.
    pub remaining: Money,
    /// Where the money goes back to.
    pub method: Option<MethodSummary>,
    /// Whether the license ended with it.
    pub is_license_ended: bool,
    /// Opens the order without signing in.
    pub receipt_url: String,
}

/// A code that opens the portal.
#[derive(Clone, PartialEq, Eq)]
pub struct PortalCode {
    /// The code.
    pub code: String,
    /// How many minutes it works.
    pub valid_minutes: u32,
}

/// A link that opens the console.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsoleLink {
    /// The link.
    pub url: String,
    /// How many minutes it works.
    pub valid_minutes: u32,
}

/// What is told about licenses outside of their orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenseMatter {
    /// Somebody asked for the keys of the address.
    KeysRequested,
    /// There is a new key.
    KeyReplaced,
    /// The key was signed again, because the key that had signed it was revoked.
    KeySignedAgain,
    /// The receiver may take a license.
    Offered,
    /// A license of the receiver's is offered to somebody.
    OfferStarted,
    /// A license of the receiver's went to somebody.
    Transferred,
    /// The receiver has a license from now on.
    Received,
}

/// A mail about licenses.
#[derive(Clone, PartialEq, Eq)]
pub struct LicenseLetter {
    /// What it is about.
    pub matter: LicenseMatter,
    /// The licenses with their keys; empty where none is told.
    pub licenses: Vec<IssuedLicense>,
    /// Product and tier, where no key is told.
    pub name: String,
    /// The address of the other side of a transfer.
    pub other: String,
    /// Until when an offer stands.
    pub until: Option<Timestamp>,
    /// Where the button leads.
    pub url: String,
}

/// A mail could not be written down.
#[derive(Debug, thiserror::Error)]
#[error("the mail cannot be composed: {0}")]
pub struct ComposeError(#[from] askama::Error);

/// The mail that tells it, in the language of the envelope; in English, marked
/// as English, when that language is not spoken here.
///
/// # Errors
/// When a template cannot be filled in: a defect, not a matter of the content.
pub fn compose(
    catalog: &Catalog,
    sender: &SenderIdentity,
    envelope: &Envelope,
    content: &MailContent,
) -> Result<Mail, ComposeError> {
    let locale = catalog.choose([envelope.locale.clone()]);
    let at = envelope.at;
    let mut page = Page { catalog, sender, at, locale: &locale, arguments: Vec::new(), subject: String::new() };
    let parts = match content {
        MailContent::OrderPaid(paid) => OrderPaidView::new(paid, &mut page).render(&page),
        MailContent::OrderFulfilled(order) => OrderFulfilledView::new(order, &mut page).render(&page),
        MailContent::PaymentFailed(failed) => PaymentFailedView::new(failed, &mut page).render(&page),
        MailContent::OrderRefunded(refunded) => OrderRefundedView::new(refunded, &mut page).render(&page),
        MailContent::PortalCode(code) => PortalCodeView::new(code, &mut page).render(&page),
        MailContent::ConsoleLink(link) => ConsoleLinkView::new(link, &mut page).render(&page),
        MailContent::License(letter) => LicenseLetterView::new(letter, &mut page).render(&page),
        MailContent::MessageFromShop(message) => MessageFromShopView::new(message, &mut page).render(&page),
        MailContent::MessageFromBuyer(message) => MessageFromBuyerView::new(message, &mut page).render(&page),
        MailContent::PoolLow(pool) => PoolLowView::new(pool, &mut page).render(&page),
    }?;
    Ok(Mail {
        delivery: envelope.delivery,
        at: envelope.at,
        from_name: HeaderText::new(&sender.shop_name),
        from: sender.address.clone(),
        reply_to: Email::parse(&sender.seller.email).ok().filter(|address| *address != sender.address),
        to: envelope.to.clone(),
        subject: HeaderText::new(&parts.subject),
        text: tidy(&parts.text),
        html: parts.html.replace(is_unprintable, ""),
        locale,
    })
}

/// A domain as it goes over the wire: labels that are not ASCII as `xn--…` (RFC 5890).
pub(crate) fn ascii_domain(domain: &str) -> String {
    if domain.is_ascii() {
        return domain.to_owned();
    }
    let url = reqwest::Url::parse(&format!("http://{domain}/")).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| domain.to_owned())
}

fn is_unprintable(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
}

/// Plain text without trailing spaces and without the runs of empty lines that templates leave.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let printable = text.replace(is_unprintable, "");
    for line in printable.lines().map(str::trim_end) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    format!("{}\n", lines.join("\n").trim_end())
}

struct Parts {
    subject: String,
    text: String,
    html: String,
}

/// What every template knows.
struct Page<'a> {
    catalog: &'a Catalog,
    sender: &'a SenderIdentity,
    /// What the Date header says.
    at: Timestamp,
    locale: &'a Locale,
    /// What the messages of this mail may name.
    arguments: Vec<(&'static str, Value)>,
    /// The subject, where it depends on more than the kind of mail.
    subject: String,
}

enum Value {
    Text(String),
    Number(i64),
}

impl Page<'_> {
    /// The message, with the arguments of this mail.
    fn say(&self, id: &str) -> String {
        let mut arguments =
            vec![("shop", Arg::Text(&self.sender.shop_name)), ("email", Arg::Text(&self.sender.seller.email))];
        arguments.extend(self.arguments.iter().map(|(name, value)| match value {
            Value::Text(text) => (*name, Arg::Text(text)),
            Value::Number(number) => (*name, Arg::Number(*number)),
        }));
        self.catalog.text(self.locale, id, &arguments)
    }

    fn say_with(&self, id: &str, arguments: &[(&str, Arg<'_>)]) -> String {
        self.catalog.text(self.locale, id, arguments)
    }

    fn language(&self) -> &str {
        self.locale.as_str()
    }

    fn direction(&self) -> &'static str {
        if self.locale.is_right_to_left() { "rtl" } else { "ltr" }
    }

    fn shop(&self) -> &str {
        &self.sender.shop_name
    }

    fn seller(&self) -> &Seller {
        &self.sender.seller
    }

    fn tax_id(&self) -> Option<String> {
        let tax_id = self.sender.seller.tax_id.as_deref()?;
        Some(self.say_with("mail-tax-id", &[("tax_id", tax_id.into())]))
    }

    fn is_test(&self) -> bool {
        match self.sender.mode {
            Mode::Live => false,
            Mode::Sandbox => true,
        }
    }

    fn amount(&self, amount: Money) -> String {
        amount.display(self.locale.as_str())
    }

    fn date(&self, at: Timestamp) -> String {
        self.catalog.date(self.locale, at)
    }

    fn method(&self, method: &MethodSummary) -> String {
        let name = match &method.brand {
            Some(brand) => brand_name(brand).to_owned(),
            None => self.say_with("mail-method", &[("kind", method.kind.as_str().into())]),
        };
        match &method.last4 {
            Some(last4) => format!("{name} •••• {last4}"),
            None => name,
        }
    }

    fn lines(&self, lines: &[OrderLine]) -> Vec<LineView> {
        let view = |line: &OrderLine| LineView {
            name: line.name(),
            quantity: self.say_with(
                "mail-quantity",
                &[("quantity", line.quantity.into()), ("unit_amount", Arg::Text(&self.amount(line.unit_amount)))],
            ),
            amount: self.amount(line.amount),
        };
        lines.iter().map(view).collect()
    }
}

/// The name that a card brand has for people.
fn brand_name(brand: &str) -> &str {
    match brand {
        "visa" => "Visa",
        "mastercard" => "Mastercard",
        "amex" | "american_express" => "American Express",
        "discover" => "Discover",
        "diners" | "diners_club" => "Diners Club",
        "jcb" => "JCB",
        "unionpay" => "UnionPay",
        "maestro" => "Maestro",
        "cartes_bancaires" => "Cartes Bancaires",
        "eftpos_au" => "eftpos",
        other => other,
    }
}

/// The three templates of a mail, over what they show.
macro_rules! templates {
    ($module:ident, $view:ident, $subject:tt, $text:tt, $html:tt) => {
        mod $module {
            use super::{Page, Template, $view};

            #[derive(Template)]
            #[template(path = $subject)]
            pub(super) struct Subject<'a> {
                pub(super) page: &'a Page<'a>,
            }

            #[derive(Template)]
            #[template(path = $text)]
            pub(super) struct Text<'a> {
                pub(super) page: &'a Page<'a>,
                pub(super) mail: &'a $view,
            }

            #[derive(Template)]
            #[template(path = $html)]
            pub(super) struct Html<'a> {
                pub(super) page: &'a Page<'a>,
                pub(super) mail: &'a $view,
            }
        }

        impl $view {
            fn render(&self, page: &Page<'_>) -> Result<Parts, askama::Error> {
                Ok(Parts {
                    subject: $module::Subject { page }.render()?,
                    text: $module::Text { page, mail: self }.render()?,
                    html: $module::Html { page, mail: self }.render()?,
                })
            }
        }
    };
}

templates!(order_paid, OrderPaidView, "order_paid/subject.txt", "order_paid/body.txt", "order_paid/body.html");
templates!(
    order_fulfilled,
    OrderFulfilledView,
    "order_fulfilled/subject.txt",
    "order_fulfilled/body.txt",
    "order_fulfilled/body.html"
);
templates!(pool_low, PoolLowView, "pool_low/subject.txt", "pool_low/body.txt", "pool_low/body.html");
templates!(
    message_from_shop,
    MessageFromShopView,
    "message_from_shop/subject.txt",
    "message_from_shop/body.txt",
    "message_from_shop/body.html"
);
templates!(
    message_from_buyer,
    MessageFromBuyerView,
    "message_from_buyer/subject.txt",
    "message_from_buyer/body.txt",
    "message_from_buyer/body.html"
);
templates!(
    payment_failed,
    PaymentFailedView,
    "payment_failed/subject.txt",
    "payment_failed/body.txt",
    "payment_failed/body.html"
);
templates!(
    order_refunded,
    OrderRefundedView,
    "order_refunded/subject.txt",
    "order_refunded/body.txt",
    "order_refunded/body.html"
);
templates!(portal_code, PortalCodeView, "portal_code/subject.txt", "portal_code/body.txt", "portal_code/body.html");
templates!(
    console_link,
    ConsoleLinkView,
    "console_link/subject.txt",
    "console_link/body.txt",
    "console_link/body.html"
);

templates!(license_letter, LicenseLetterView, "license/subject.txt", "license/body.txt", "license/body.html");

struct LineView {
    name: String,
    quantity: String,
    amount: String,
}

struct LicenseView {
    name: String,
    /// The key, or what there is to say instead.
    text: String,
    is_key: bool,
    /// Whether nobody types it.
    is_long: bool,
    validity: String,
}

impl LicenseView {
    fn new(license: &IssuedLicense, page: &Page<'_>) -> Self {
        Self {
            name: format!("{} {}", license.product_name, license.plan_name),
            text: match &license.given {
                Given::Key(text) | Given::Said(text) => text.clone(),
                Given::Number(key) => page.say_with("mail-license-number", &[("key", Arg::Text(key))]),
                Given::Later => page.say("order-paid-key-later"),
                Given::By(at) => {
                    let id = if *at <= page.at { "order-paid-by-hand-late" } else { "order-paid-by-hand" };
                    page.say_with(id, &[("date", Arg::Text(&page.date(*at)))])
                }
            },
            is_key: matches!(license.given, Given::Key(_)),
            is_long: matches!(&license.given, Given::Key(text) if text.len() > LONGEST_TYPED_KEY),
            validity: match license.expires_at {
                None => page.say("order-paid-valid-forever"),
                Some(at) => page.say_with("order-paid-valid-until", &[("date", Arg::Text(&page.date(at)))]),
            },
        }
    }
}

/// How many of the licenses have their keys.
fn with_keys(licenses: &[IssuedLicense]) -> Value {
    let count = licenses.iter().filter(|license| matches!(license.given, Given::Key(_))).count();
    Value::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

struct MarkdownView {
    title: String,
    text: String,
    html: String,
}

impl MarkdownView {
    fn new(title: String, source: &str) -> Self {
        Self { title, text: markdown::to_text(source), html: markdown::to_html(source) }
    }
}

struct OrderPaidView {
    number: String,
    date: String,
    lines: Vec<LineView>,
    total: String,
    method: Option<String>,
    licenses: Vec<LicenseView>,
    guides: Vec<MarkdownView>,
    has_files: bool,
    refunds: MarkdownView,
    consent: Option<String>,
    receipt_url: String,
    portal_url: String,
}

impl OrderPaidView {
    fn new(paid: &OrderPaid, page: &mut Page<'_>) -> Self {
        page.arguments = vec![
            ("number", Value::Text(paid.number.to_string())),
            ("count", with_keys(&paid.licenses)),
            ("version", Value::Text(paid.terms_version.clone())),
        ];
        let guide = |guide: &SetupGuide| {
            MarkdownView::new(
                page.say_with("order-paid-setup", &[("product", Arg::Text(&guide.product_name))]),
                &guide.markdown,
            )
        };
        Self {
            number: paid.number.to_string(),
            date: page.date(paid.paid_at),
            lines: page.lines(&paid.lines),
            total: page.amount(paid.total),
            method: paid.method.as_ref().map(|method| page.method(method)),
            licenses: paid.licenses.iter().map(|license| LicenseView::new(license, page)).collect(),
            guides: paid.setup_guides.iter().map(guide).collect(),
            has_files: paid.has_files,
            refunds: MarkdownView::new(page.say("order-paid-refunds"), &paid.refund_policy),
            consent: paid
                .immediate_supply_at
                .map(|at| page.say_with("order-paid-consent", &[("date", Arg::Text(&page.date(at)))])),
            receipt_url: paid.receipt_url.clone(),
            portal_url: paid.portal_url.clone(),
        }
    }
}

struct OrderFulfilledView {
    number: String,
    licenses: Vec<LicenseView>,
    receipt_url: String,
}

impl OrderFulfilledView {
    fn new(order: &OrderFulfilled, page: &mut Page<'_>) -> Self {
        page.arguments = vec![("number", Value::Text(order.number.to_string())), ("count", with_keys(&order.licenses))];
        Self {
            number: order.number.to_string(),
            licenses: order.licenses.iter().map(|license| LicenseView::new(license, page)).collect(),
            receipt_url: order.receipt_url.clone(),
        }
    }
}

struct PoolLowView {
    url: String,
}

impl PoolLowView {
    fn new(pool: &PoolLow, page: &mut Page<'_>) -> Self {
        let number = |count: u64| Value::Number(i64::try_from(count).unwrap_or(i64::MAX));
        page.arguments = vec![
            ("pool", Value::Text(pool.name.clone())),
            ("free", number(pool.free)),
            ("waiting", number(pool.waiting)),
        ];
        Self { url: pool.url.clone() }
    }
}

struct MessageFromShopView {
    body: String,
    url: String,
}

impl MessageFromShopView {
    fn new(message: &MessageFromShop, page: &mut Page<'_>) -> Self {
        page.arguments = vec![("number", Value::Text(message.number.to_string()))];
        Self { body: message.body.clone(), url: message.url.clone() }
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.body.lines()
    }
}

struct MessageFromBuyerView {
    url: String,
}

impl MessageFromBuyerView {
    fn new(message: &MessageFromBuyer, page: &mut Page<'_>) -> Self {
        page.arguments = vec![("number", Value::Text(message.number.to_string()))];
        Self { url: message.url.clone() }
    }
}

struct PaymentFailedView {
    number: String,
    amount: String,
    method: Option<String>,
    reason: String,
    retry_url: String,
}

impl PaymentFailedView {
    fn new(failed: &PaymentFailed, page: &mut Page<'_>) -> Self {
        let amount = page.amount(failed.amount);
        page.arguments =
            vec![("number", Value::Text(failed.number.to_string())), ("amount", Value::Text(amount.clone()))];
        let reason = match failed.reason {
            None => "payment-failed-reason-none",
            Some(DeclineClass::Soft) => "payment-failed-reason-soft",
            Some(DeclineClass::UpdateMethod) => "payment-failed-reason-update-method",
            Some(DeclineClass::Authenticate) => "payment-failed-reason-authenticate",
            // A suspicion is never told: it would teach the thief, and insult everybody else.
            Some(DeclineClass::Hard | DeclineClass::Fraud) => "payment-failed-reason-hard",
            Some(DeclineClass::Revoked) => "payment-failed-reason-revoked",
            Some(DeclineClass::GatewayError) => "payment-failed-reason-gateway-error",
        };
        Self {
            number: failed.number.to_string(),
            amount,
            method: failed.method.as_ref().map(|method| page.method(method)),
            reason: page.say(reason),
            retry_url: failed.retry_url.clone(),
        }
    }
}

struct OrderRefundedView {
    number: String,
    date: String,
    lines: Vec<LineView>,
    total: String,
    refunded: String,
    remaining: String,
    method: Option<String>,
    license: String,
    receipt_url: String,
}

impl OrderRefundedView {
    fn new(order: &OrderRefunded, page: &mut Page<'_>) -> Self {
        let refunded = page.amount(order.refunded);
        page.arguments =
            vec![("number", Value::Text(order.number.to_string())), ("refunded", Value::Text(refunded.clone()))];
        let has_keys = order.lines.iter().any(|line| line.fulfilment.is_key());
        let license = match (order.is_license_ended, has_keys) {
            (true, true) => "order-refunded-license-ended",
            (true, false) => "order-refunded-license-ended-no-key",
            (false, _) => "order-refunded-license-works",
        };
        Self {
            number: order.number.to_string(),
            date: page.date(order.refunded_at),
            lines: page.lines(&order.lines),
            total: page.amount(order.total),
            refunded,
            remaining: page.amount(order.remaining),
            method: order.method.as_ref().map(|method| page.method(method)),
            license: page.say(license),
            receipt_url: order.receipt_url.clone(),
        }
    }
}

struct PortalCodeView {
    code: String,
}

impl PortalCodeView {
    fn new(code: &PortalCode, page: &mut Page<'_>) -> Self {
        page.arguments = vec![("minutes", Value::Number(code.valid_minutes.into()))];
        Self { code: code.code.clone() }
    }
}

struct ConsoleLinkView {
    url: String,
}

impl ConsoleLinkView {
    fn new(link: &ConsoleLink, page: &mut Page<'_>) -> Self {
        page.arguments = vec![("minutes", Value::Number(link.valid_minutes.into()))];
        Self { url: link.url.clone() }
    }
}

/// The words of a mail about licenses: subject, title, what it is about, what the button says, and what to know besides.
struct LicenseLetterView {
    title: String,
    intro: String,
    licenses: Vec<LicenseView>,
    button: String,
    url: String,
    closing: String,
}

impl LicenseLetterView {
    fn new(letter: &LicenseLetter, page: &mut Page<'_>) -> Self {
        let [subject, title, intro, button, closing] = match letter.matter {
            LicenseMatter::KeysRequested => {
                ["mail-keys-subject", "mail-keys-title", "mail-keys-intro", "mail-open-portal", "mail-keys-closing"]
            }
            LicenseMatter::KeyReplaced => [
                "mail-replaced-subject",
                "mail-replaced-title",
                "mail-replaced-intro",
                "mail-open-portal",
                "mail-replaced-closing",
            ],
            LicenseMatter::KeySignedAgain => [
                "mail-signed-subject",
                "mail-signed-title",
                "mail-signed-intro",
                "mail-open-portal",
                "mail-signed-closing",
            ],
            LicenseMatter::Offered => [
                "mail-offered-subject",
                "mail-offered-title",
                "mail-offered-intro",
                "mail-offered-button",
                "mail-offered-closing",
            ],
            LicenseMatter::OfferStarted => [
                "mail-offering-subject",
                "mail-offering-title",
                "mail-offering-intro",
                "mail-offering-button",
                "mail-offering-closing",
            ],
            LicenseMatter::Transferred => [
                "mail-transferred-subject",
                "mail-transferred-title",
                "mail-transferred-intro",
                "mail-open-portal",
                "mail-transferred-closing",
            ],
            LicenseMatter::Received => [
                "mail-received-subject",
                "mail-received-title",
                "mail-received-intro",
                "mail-open-portal",
                "mail-received-closing",
            ],
        };
        let until = letter.until.map(|at| page.date(at)).unwrap_or_default();
        page.arguments = vec![
            ("name", Value::Text(letter.name.clone())),
            ("other", Value::Text(letter.other.clone())),
            ("until", Value::Text(until)),
            ("count", Value::Number(i64::try_from(letter.licenses.len()).unwrap_or(i64::MAX))),
        ];
        page.subject = page.say(subject);
        Self {
            title: page.say(title),
            intro: page.say(intro),
            licenses: letter.licenses.iter().map(|license| LicenseView::new(license, page)).collect(),
            button: page.say(button),
            url: letter.url.clone(),
            closing: page.say(closing),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
