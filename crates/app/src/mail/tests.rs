#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domain::{PlanId, Policy, ProductId, Rng};
use expect_test::expect;
use money::Currency;

use super::*;

fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn sender() -> SenderIdentity {
    SenderIdentity {
        shop_name: "Lumen".to_owned(),
        address: Email::parse("shop@lumen.example").unwrap(),
        seller: Seller {
            legal_name: "Lumen Software GmbH".to_owned(),
            address: vec!["Lindenstraße 4".to_owned(), "10969 Berlin".to_owned()],
            email: "help@lumen.example".to_owned(),
            tax_id: Some("DE123456789".to_owned()),
        },
        mode: Mode::Live,
    }
}

pub(crate) fn envelope(locale: &str) -> Envelope {
    let at = moment("2026-11-24T03:50:00Z");
    Envelope {
        delivery: DeliveryId::mint(at, &mut Rng::from_seed([7; 32])),
        to: Email::parse("ada@buyer.example").unwrap(),
        locale: Locale::parse(locale).unwrap(),
        at,
    }
}

fn lines() -> Vec<OrderLine> {
    let mut rng = Rng::from_seed([8; 32]);
    let at = moment("2026-11-24T03:50:00Z");
    let euros = |minor| Money::new(minor, Currency::EUR);
    vec![OrderLine {
        product: ProductId::mint(at, &mut rng),
        plan: PlanId::mint(at, &mut rng),
        product_name: "Lumen 3".to_owned(),
        plan_name: "Studio".to_owned(),
        quantity: 2,
        unit_amount: euros(4_900),
        amount: euros(9_800),
        policy: Policy::default(),
        fulfilment: domain::Fulfilment::GeneratedKey,
        bundle: None,
        questions: Vec::new(),
        answers: Vec::new(),
    }]
}

fn card() -> Option<MethodSummary> {
    Some(MethodSummary { kind: "card".to_owned(), brand: Some("visa".to_owned()), last4: Some("4242".to_owned()) })
}

fn number() -> OrderNumber {
    OrderNumber::parse("K7QM-2X9P").unwrap()
}

fn paid() -> OrderPaid {
    let license = |key: &str, expires_at| IssuedLicense {
        product_name: "Lumen 3".to_owned(),
        plan_name: "Studio".to_owned(),
        given: Given::Key(key.to_owned()),
        expires_at,
    };
    OrderPaid {
        number: number(),
        paid_at: moment("2026-11-24T03:49:58Z"),
        lines: lines(),
        total: Money::new(9_800, Currency::EUR),
        method: card(),
        licenses: vec![
            license("7ZK3-QM2X-9PAB-CDEF-GHJK-MNPQ-RSTV", None),
            license("0123-4567-89AB-CDEF-GHJK-MNPQ-RSTW", Some(moment("2027-11-24T03:50:00Z"))),
        ],
        setup_guides: vec![SetupGuide {
            product_name: "Lumen 3".to_owned(),
            markdown: include_str!("../../samples/lumen-setup.en.md").to_owned(),
        }],
        has_files: true,
        receipt_url: "https://lumen.example/orders/ord_1?receipt=a&b=c".to_owned(),
        portal_url: "https://lumen.example/portal".to_owned(),
        terms_version: "2026-10".to_owned(),
        immediate_supply_at: Some(moment("2026-11-24T03:48:00Z")),
        refund_policy: "Within **30 days** you get your money back.".to_owned(),
    }
}

fn failed() -> PaymentFailed {
    PaymentFailed {
        number: number(),
        amount: Money::new(9_800, Currency::EUR),
        method: Some(MethodSummary { kind: "sepa_debit".to_owned(), brand: None, last4: Some("3000".to_owned()) }),
        reason: Some(DeclineClass::Soft),
        retry_url: "https://lumen.example/orders/ord_1?receipt=a&b=c".to_owned(),
    }
}

fn license_letter(matter: LicenseMatter, has_key: bool) -> MailContent {
    MailContent::License(LicenseLetter {
        matter,
        licenses: if has_key { paid().licenses } else { vec![] },
        name: "Lumen 3 Studio".to_owned(),
        other: "bob@buyer.example".to_owned(),
        until: Some(moment("2026-12-01T03:50:00Z")),
        url: "https://lumen.example/transfer?offer=trf_1&token=t".to_owned(),
    })
}

/// One of each mail, with every optional part in it.
fn every_content() -> Vec<MailContent> {
    vec![
        MailContent::OrderPaid(paid()),
        MailContent::OrderFulfilled(OrderFulfilled {
            number: number(),
            licenses: paid().licenses,
            receipt_url: "https://lumen.example/orders/ord_1?receipt=a&b=c".to_owned(),
        }),
        MailContent::PoolLow(PoolLow {
            name: "Lumen keys".to_owned(),
            free: 3,
            waiting: 2,
            url: "https://lumen.example/console/pools/pool_1".to_owned(),
        }),
        MailContent::OrderFulfilled(OrderFulfilled {
            number: number(),
            licenses: [Given::Said("ada@buyer.example".to_owned()), Given::Later]
                .into_iter()
                .chain([Given::By(moment("2026-11-26T03:50:00Z")), Given::By(moment("2026-11-23T03:50:00Z"))])
                .map(|given| IssuedLicense { given, ..paid().licenses.remove(0) })
                .collect(),
            receipt_url: "https://lumen.example/orders/ord_1?receipt=a&b=c".to_owned(),
        }),
        MailContent::MessageFromShop(MessageFromShop {
            number: number(),
            body: "Nameserver?\n\nGrace Hopper".to_owned(),
            url: "https://lumen.example/orders/ord_1?receipt=a&b=c".to_owned(),
        }),
        MailContent::MessageFromBuyer(MessageFromBuyer {
            number: number(),
            url: "https://lumen.example/console/orders/ord_1#messages".to_owned(),
        }),
        MailContent::PaymentFailed(failed()),
        MailContent::OrderRefunded(OrderRefunded {
            number: number(),
            refunded_at: moment("2026-11-30T12:00:00Z"),
            lines: lines(),
            total: Money::new(9_800, Currency::EUR),
            refunded: Money::new(4_900, Currency::EUR),
            remaining: Money::new(4_900, Currency::EUR),
            method: card(),
            is_license_ended: false,
            receipt_url: "https://lumen.example/orders/ord_1?receipt=a&b=c".to_owned(),
        }),
        MailContent::PortalCode(PortalCode { code: "04711815".to_owned(), valid_minutes: 10 }),
        MailContent::ConsoleLink(ConsoleLink {
            url: "https://lumen.example/console/enter?link=lnk_1&token=t".to_owned(),
            valid_minutes: 30,
        }),
        license_letter(LicenseMatter::KeysRequested, true),
        license_letter(LicenseMatter::KeyReplaced, true),
        license_letter(LicenseMatter::KeySignedAgain, true),
        license_letter(LicenseMatter::Received, true),
        license_letter(LicenseMatter::Offered, false),
        license_letter(LicenseMatter::OfferStarted, false),
        license_letter(LicenseMatter::Transferred, false),
    ]
}

fn mail(content: &MailContent, locale: &str) -> Mail {
    compose(&Catalog::new(None).unwrap(), &sender(), &envelope(locale), content).unwrap()
}

fn templates() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("mails");
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn every_message_that_a_mail_names_exists() {
    let english = include_str!("../../messages/en/mail.ftl");
    let known: BTreeSet<&str> = english.lines().filter_map(|line| line.split_once(" =")).map(|(id, _)| id).collect();
    let mut sources: Vec<String> = templates().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    sources.push(include_str!("../mail.rs").to_owned());
    let mut named = BTreeSet::new();
    for source in &sources {
        for text in source.split('"').skip(1).step_by(2) {
            let is_id =
                ["mail-", "order-", "payment-failed-", "portal-code-", "console-link-", "pool-low-", "message-"]
                    .iter()
                    .any(|start| text.starts_with(start));
            if is_id && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
                named.insert(text);
            }
        }
    }
    assert!(named.len() > 40, "{} ids found", named.len());
    let missing: Vec<&&str> = named.iter().filter(|id| !known.contains(**id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let unused: Vec<&&str> = known.iter().filter(|id| !id.starts_with(' ') && !named.contains(**id)).collect();
    assert!(unused.is_empty(), "messages that no mail names: {unused:?}");
}

#[test]
fn a_receipt_names_everything_that_a_receipt_must() {
    let mail = mail(&MailContent::OrderPaid(paid()), "en");
    assert_eq!(mail.subject.as_str(), "Your order K7QM-2X9P at Lumen");
    #[rustfmt::skip]
    let fields = [
        "Lumen", "Lumen Software GmbH", "Lindenstraße 4", "10969 Berlin", "help@lumen.example", "DE123456789",
        "K7QM-2X9P", "24 November 2026, 03:49 UTC", "Receipt for a sale", "Lumen 3 Studio", "2 × €49.00", "€98.00",
        "Visa •••• 4242", "7ZK3-QM2X-9PAB-CDEF-GHJK-MNPQ-RSTV", "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTW",
        "Does not expire", "Valid until 24 November 2027, 03:50 UTC", "https://lumen.example/download",
        "https://lumen.example/portal", "version 2026-10",
        "On 24 November 2026, 03:48 UTC you asked us to supply at once", "you lose your right of withdrawal",
    ];
    for field in fields {
        assert!(mail.text.contains(field), "text lacks {field:?}:\n{}", mail.text);
        assert!(mail.html.contains(field), "HTML lacks {field:?}:\n{}", mail.html);
    }
    assert!(mail.text.contains("https://lumen.example/orders/ord_1?receipt=a&b=c\n"));
    assert!(mail.html.contains("href=\"https://lumen.example/orders/ord_1?receipt=a&#38;b=c\""));
    assert!(mail.text.contains("Within 30 days you") && mail.html.contains("Within <strong>30 days</strong> you"));
}

#[test]
fn whoever_has_a_key_that_was_signed_again_reads_why_and_what_to_do() {
    let content = license_letter(LicenseMatter::KeySignedAgain, true);
    let told = |locale| {
        let mail = mail(&content, locale);
        let (text, _) = mail.text.split_once("\n--\n").unwrap();
        format!("{}\n\n{text}", mail.subject.as_str())
    };
    expect![[r#"
        Your license key at Lumen, signed anew

        Lumen

        Your license key, signed anew

        The key that we sign license keys with was withdrawn, so we have signed yours anew. Your license and its devices are as they were; only the text of the key is another. Enter the new one when an app asks for a key, and keep it in place of the old one, which apps no longer take:

        Lumen 3 Studio
        7ZK3-QM2X-9PAB-CDEF-GHJK-MNPQ-RSTV
        Does not expire

        Lumen 3 Studio
        0123-4567-89AB-CDEF-GHJK-MNPQ-RSTW
        Valid until 24 November 2027, 03:50 UTC

        All your licenses and devices:
        https://lumen.example/transfer?offer=trf_1&token=t

        You did nothing wrong, and nothing is to be paid. The new key stands at the address above, too.
    "#]].assert_eq(&told("en"));
    expect![[r#"
        Ihr Lizenzschlüssel bei Lumen, neu signiert

        Lumen

        Ihr neu signierter Lizenzschlüssel

        Der Schlüssel, mit dem wir Lizenzschlüssel signieren, wurde zurückgezogen; darum haben wir Ihren neu signiert. Ihre Lizenz und ihre Geräte sind wie zuvor, nur der Text des Schlüssels ist ein anderer. Geben Sie den neuen ein, wenn eine App nach einem Schlüssel fragt, und heben Sie ihn anstelle des alten auf, den Apps nicht mehr annehmen:

        Lumen 3 Studio
        7ZK3-QM2X-9PAB-CDEF-GHJK-MNPQ-RSTV
        Läuft nicht ab

        Lumen 3 Studio
        0123-4567-89AB-CDEF-GHJK-MNPQ-RSTW
        Gültig bis 24. November 2027, 03:50 UTC

        Alle Ihre Lizenzen und Geräte:
        https://lumen.example/transfer?offer=trf_1&token=t

        Sie haben nichts falsch gemacht, und es ist nichts zu bezahlen. Der neue Schlüssel steht auch unter der Adresse oben.
    "#]].assert_eq(&told("de"));
}

#[test]
fn the_plain_text_reads_from_top_to_bottom() {
    let mail = mail(&MailContent::OrderPaid(paid()), "en");
    let order = [
        "Thank you for your order",
        "Your license keys\n\nLumen 3 Studio\n7ZK3-QM2X-9PAB-CDEF-GHJK-MNPQ-RSTV\nDoes not expire\n\n",
        "The files are on your order’s page",
        "How to start with Lumen 3\n\n1. Download Lumen for your system (https://lumen.example/download)",
        "Open your order:\nhttps://",
        "Receipt\n\nDocument: Receipt for a sale\nOrder: K7QM-2X9P\nDate: ",
        "Lumen 3 Studio\n2 × €49.00 = €98.00\n\nTotal: €98.00\nPaid with: Visa •••• 4242\n",
        "Refunds\n\nWithin",
        "--\nSold by Lumen Software GmbH\nLindenstraße 4\n10969 Berlin\nTax ID: DE123456789\n\nQuestions?",
    ];
    let mut rest = mail.text.as_str();
    for part in order {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is not where it should be:\n{}", mail.text));
        rest = &rest[at + part.len()..];
    }
    assert!(!mail.text.contains("\n\n\n"), "{}", mail.text);
}

#[test]
fn every_mail_is_whole_in_every_language() {
    let catalog = Catalog::new(None).unwrap();
    for (locale, _) in catalog.languages() {
        for content in every_content() {
            let mail = mail(&content, locale.as_str());
            for part in [mail.subject.as_str(), &mail.text, &mail.html] {
                assert!(!part.trim().is_empty());
                assert!(!part.contains("{$") && !part.contains("{ $"), "{locale}: an argument is missing:\n{part}");
            }
            assert!(
                mail.html.starts_with(&format!("<!DOCTYPE html>\n<html lang=\"{locale}\" dir=\"ltr\">")),
                "{}",
                mail.html
            );
        }
    }
}

#[test]
fn a_german_mail_has_no_english_sentence() {
    let english = [" the ", " your ", " and ", " with ", "Receipt", "Total", "Order "];
    for content in every_content() {
        let content = match content {
            MailContent::OrderPaid(paid) => {
                let markdown = include_str!("../../samples/lumen-setup.de.md").to_owned();
                let guide = SetupGuide { product_name: "Lumen 3".to_owned(), markdown };
                MailContent::OrderPaid(OrderPaid { setup_guides: vec![guide], refund_policy: String::new(), ..paid })
            }
            other @ (MailContent::OrderFulfilled(_)
            | MailContent::PoolLow(_)
            | MailContent::PaymentFailed(_)
            | MailContent::OrderRefunded(_)
            | MailContent::PortalCode(_)
            | MailContent::ConsoleLink(_)
            | MailContent::MessageFromShop(_)
            | MailContent::MessageFromBuyer(_)
            | MailContent::License(_)) => other,
        };
        let mail = mail(&content, "de-CH");
        for word in english {
            assert!(!mail.text.contains(word) && !mail.subject.as_str().contains(word), "{word:?}:\n{}", mail.text);
        }
    }
    let receipt = mail(&MailContent::OrderPaid(paid()), "de");
    assert!(receipt.text.contains("Gesamt: 98,00\u{a0}€"), "{}", receipt.text);
}

/// The tags and attributes of a document that no mail of ours is made of.
fn strange_markup(html: &str) -> Vec<String> {
    const TAGS: [&str; 29] = [
        "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "div", "p", "h1", "h2", "h3", "bdi", "br",
        "span", "code", "a", "ol", "ul", "li", "strong", "em", "pre", "table", "thead", "tbody", "tfoot", "tr",
        "footer",
    ];
    const ATTRIBUTES: [&str; 9] = ["html", "lang", "dir", "charset", "name", "content", "class", "href", "scope"];
    let mut strange = Vec::new();
    for markup in html.split('<').skip(1) {
        let markup = markup.split('>').next().unwrap().trim_start_matches('/');
        // Every second piece between quotes is a value, and values are not looked into.
        let bare: String = markup.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let mut words = bare.split([' ', '=', '\n']).filter(|word| !word.is_empty());
        let tag = words.next().unwrap_or_default();
        if !TAGS.contains(&tag) && !["th", "td"].contains(&tag) {
            strange.push(tag.to_owned());
        }
        strange.extend(words.filter(|word| !ATTRIBUTES.contains(word)).map(str::to_owned));
    }
    strange
}

#[test]
fn a_mail_loads_nothing_and_runs_nothing() {
    for content in every_content() {
        let html = mail(&content, "en").html;
        for forbidden in ["src=", "url(", "@import"] {
            assert!(!html.contains(forbidden), "{forbidden:?} in\n{html}");
        }
        assert_eq!(strange_markup(&html), Vec::<String>::new(), "{html}");
        for (at, _) in html.match_indices("href=\"") {
            assert!(html[at + 6..].starts_with("https://"), "{}", &html[at..at + 60]);
        }
    }
}

/// A catalog that also has the beginnings of Persian.
fn catalog_with_persian(name: &str) -> Catalog {
    let folder = std::env::temp_dir().join(format!("latchkey-mail-{}-{name}", std::process::id()));
    fs::create_dir_all(folder.join("fa")).unwrap();
    let words = "order-paid-title = سپاس از خرید شما\norder-paid-subject = سفارش { $number } از { $shop }\norder-paid-receipt = رسید\nmail-total = جمع\n";
    fs::write(folder.join("fa/mail.ftl"), words).unwrap();
    let catalog = Catalog::new(Some(&folder)).unwrap();
    fs::remove_dir_all(folder).unwrap();
    catalog
}

#[test]
fn right_to_left_mails_turn_around_and_keep_keys_as_they_are() {
    let catalog = catalog_with_persian("rtl");
    let receipt = compose(&catalog, &sender(), &envelope("fa-IR"), &MailContent::OrderPaid(paid())).unwrap();
    assert!(receipt.html.contains("<html lang=\"fa-IR\" dir=\"rtl\">"));
    assert!(receipt.html.contains("<p class=\"key\" dir=\"ltr\"><code>7ZK3-QM2X-9PAB-CDEF-GHJK-MNPQ-RSTV</code></p>"));
    assert!(receipt.text.lines().any(|line| line == "7ZK3-QM2X-9PAB-CDEF-GHJK-MNPQ-RSTV"));
    assert!(receipt.text.contains("جمع: \u{200e}€۹۸٫۰۰"), "{}", receipt.text);
    assert_eq!(receipt.subject.as_str(), "سفارش \u{2068}K7QM-2X9P\u{2069} از \u{2068}Lumen\u{2069}");
    let code = MailContent::PortalCode(PortalCode { code: "04711815".to_owned(), valid_minutes: 10 });
    assert!(compose(&catalog, &sender(), &envelope("fa"), &code).unwrap().text.lines().any(|line| line == "04711815"));
}

#[test]
fn a_mail_in_a_language_that_is_not_spoken_here_is_english_and_says_so() {
    let receipt = mail(&MailContent::OrderPaid(paid()), "he");
    assert!(receipt.html.contains("<html lang=\"en\" dir=\"ltr\">"));
    assert_eq!(receipt.locale, Locale::english());
}

#[test]
fn a_suspicion_of_fraud_is_never_told() {
    let told =
        |reason| mail(&MailContent::PaymentFailed(PaymentFailed { reason: Some(reason), ..failed() }), "en").text;
    assert_eq!(told(DeclineClass::Fraud), told(DeclineClass::Hard));
    assert_ne!(told(DeclineClass::Soft), told(DeclineClass::Hard));
}

#[test]
fn an_order_without_keys_yet_does_not_speak_of_keys() {
    let later =
        mail(&MailContent::OrderPaid(OrderPaid { licenses: Vec::new(), immediate_supply_at: None, ..paid() }), "en");
    assert!(later.text.contains("Your payment has arrived.\n"));
    assert!(!later.text.to_lowercase().contains("license key"), "{}", later.text);
    assert!(!later.text.contains("right of withdrawal"));
}

#[test]
fn a_sandbox_says_that_no_money_was_moved() {
    let catalog = Catalog::new(None).unwrap();
    let test = SenderIdentity { mode: Mode::Sandbox, ..sender() };
    for content in every_content() {
        let mail = compose(&catalog, &test, &envelope("en"), &content).unwrap();
        assert!(
            mail.text.starts_with("[ Test mode: no real money was moved. ]\n")
                && mail.html.contains("Test mode: no real money")
        );
        assert!(!compose(&catalog, &sender(), &envelope("en"), &content).unwrap().text.contains("Test mode"));
    }
}

#[test]
fn composing_twice_gives_the_same_mail() {
    for content in every_content() {
        assert_eq!(mail(&content, "de"), mail(&content, "de"));
    }
}

#[test]
fn a_header_text_is_one_line() {
    #[rustfmt::skip]
    let table = [
        ("Lumen",                              "Lumen"),
        ("Lumen\r\nBcc: all@evil.example",     "Lumen Bcc: all@evil.example"),
        ("a\nb\rc\0d\u{85}e\u{2028}f\u{2029}g", "a b c d e f g"),
        ("  much\t space ",                    "much space"),
        ("\r\n",                               ""),
    ];
    for (text, expected) in table {
        assert_eq!(HeaderText::new(text).as_str(), expected, "{text:?}");
        let read: HeaderText = serde_json::from_str(&serde_json::to_string(text).unwrap()).unwrap();
        assert_eq!(read.as_str(), expected, "{text:?} read back");
    }
    assert_eq!(HeaderText::new(&"ä".repeat(10_000)).as_str().chars().count(), 200);
}

#[test]
fn a_mail_shows_no_key_and_no_receiver_when_it_is_logged() {
    let shown = format!("{:?}", mail(&MailContent::OrderPaid(paid()), "en"));
    assert!(!shown.contains("7ZK3") && !shown.contains("ada@") && shown.contains("dlv_"), "{shown}");
}

/// What strangers and sellers may type into any text of a mail.
pub(crate) const HOSTILE: [&str; 12] = [
    "\r\nBcc: victim@example.com",
    "\nContent-Type: text/html\n\n<script>alert(1)</script>",
    "\rX-Injected: 1",
    "\u{85}X-Injected: 1",
    "\u{2028}X-Injected: 1",
    "a\0b",
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "'><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "=?utf-8?q?=0D=0ABcc:_victim@example.com?=",
    "\r\n--=_boundary\r\n.\r\nMAIL FROM:<x@evil.example>",
];

/// Every mail with the text in every field that holds a text.
pub(crate) fn hostile_mails(text: &str) -> Vec<Mail> {
    let typed = || text.to_owned();
    let sender = SenderIdentity {
        shop_name: typed(),
        seller: Seller { legal_name: typed(), address: vec![typed()], email: typed(), tax_id: Some(typed()) },
        ..sender()
    };
    let bought: Vec<OrderLine> =
        lines().into_iter().map(|line| OrderLine { product_name: typed(), plan_name: typed(), ..line }).collect();
    let method = Some(MethodSummary { kind: typed(), brand: Some(typed()), last4: Some(typed()) });
    let contents = every_content().into_iter().map(|content| match content {
        MailContent::OrderPaid(paid) => MailContent::OrderPaid(OrderPaid {
            lines: bought.clone(),
            method: method.clone(),
            licenses: vec![IssuedLicense {
                product_name: typed(),
                plan_name: typed(),
                given: Given::Key(typed()),
                expires_at: None,
            }],
            setup_guides: vec![SetupGuide { product_name: typed(), markdown: typed() }],
            terms_version: typed(),
            refund_policy: typed(),
            ..paid
        }),
        MailContent::OrderFulfilled(order) => MailContent::OrderFulfilled(OrderFulfilled {
            licenses: [Given::Key(typed()), Given::Said(typed())]
                .map(|given| IssuedLicense { product_name: typed(), plan_name: typed(), given, expires_at: None })
                .into(),
            ..order
        }),
        MailContent::PoolLow(pool) => MailContent::PoolLow(PoolLow { name: typed(), ..pool }),
        MailContent::PaymentFailed(failed) => {
            MailContent::PaymentFailed(PaymentFailed { method: method.clone(), ..failed })
        }
        MailContent::OrderRefunded(refunded) => {
            MailContent::OrderRefunded(OrderRefunded { lines: bought.clone(), method: method.clone(), ..refunded })
        }
        MailContent::PortalCode(code) => MailContent::PortalCode(PortalCode { code: typed(), ..code }),
        MailContent::ConsoleLink(link) => MailContent::ConsoleLink(link),
        MailContent::MessageFromShop(message) => {
            MailContent::MessageFromShop(MessageFromShop { body: typed(), ..message })
        }
        MailContent::MessageFromBuyer(message) => MailContent::MessageFromBuyer(message),
        MailContent::License(letter) => MailContent::License(LicenseLetter {
            licenses: vec![IssuedLicense {
                product_name: typed(),
                plan_name: typed(),
                given: Given::Key(typed()),
                expires_at: None,
            }],
            name: typed(),
            other: typed(),
            ..letter
        }),
    });
    let catalog = Catalog::new(None).unwrap();
    contents.map(|content| compose(&catalog, &sender, &envelope("en"), &content).unwrap()).collect()
}

/// The same mails with nothing hostile in them.
pub(crate) fn plain_mails() -> Vec<Mail> {
    every_content().iter().map(|content| mail(content, "en")).collect()
}

#[test]
fn no_text_becomes_markup() {
    for text in HOSTILE {
        for mail in hostile_mails(text) {
            assert_eq!(strange_markup(&mail.html), Vec::<String>::new(), "{text:?} in\n{}", mail.html);
            assert!(!mail.html.contains(['\0', '\r']) && !mail.text.contains(['\0', '\r']));
        }
    }
}

/// Writes every mail to the folder in `LATCHKEY_MAIL_PREVIEW`, to be looked at in a browser.
#[test]
fn mails_can_be_looked_at() {
    let Some(folder) = std::env::var_os("LATCHKEY_MAIL_PREVIEW").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).unwrap();
    let kinds = ["order_paid", "payment_failed", "order_refunded", "portal_code", "console_link"];
    let catalog = catalog_with_persian("preview");
    for (kind, content) in kinds.iter().zip(every_content()) {
        for locale in ["en", "de", "fa"] {
            let from =
                SenderIdentity { mode: if *kind == "portal_code" { Mode::Sandbox } else { Mode::Live }, ..sender() };
            let mail = compose(&catalog, &from, &envelope(locale), &content).unwrap();
            fs::write(folder.join(format!("{kind}.{locale}.html")), mail.html).unwrap();
            fs::write(folder.join(format!("{kind}.{locale}.txt")), format!("{}\n\n{}", mail.subject, mail.text))
                .unwrap();
        }
    }
}
