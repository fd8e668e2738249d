//! What holds for every page.

use std::collections::BTreeSet;
use std::path::Path;

use app::Catalog;
use axum::http::StatusCode;
use domain::Locale;

use crate::support::World;

/// Message ids that are written in the sources of the public pages.
fn ids(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let roots = [
            "page-",
            "price-",
            "till-",
            "product-",
            "storefront-",
            "checkout-",
            "failure-",
            "error-",
            "mailbox-",
            "terms-",
        ];
        found.extend(
            text.split('"')
                .filter(|part| roots.iter().any(|root| part.starts_with(root)))
                .filter(|part| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'))
                // Style classes are one word with one dash; these are the ones that look like ids.
                .filter(|part| !["error-summary"].contains(part) || text.contains(&format!("say(\"{part}\")")))
                .map(str::to_owned),
        );
    }
    found
}

#[test]
fn every_message_of_a_page_is_there_in_every_language() {
    let catalog = Catalog::new(None).unwrap();
    let german = Locale::parse("de").unwrap();
    assert_eq!(catalog.gaps(&german), Vec::<&str>::new());
    let ids = ids(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/public"));
    assert!(ids.len() > 150, "{}", ids.len());
    let classes = ["product-card", "error-summary"];
    for id in ids.iter().filter(|id| !classes.contains(&id.as_str())) {
        assert_ne!(&catalog.text(&Locale::english(), id, &[]), id, "there is no message {id}");
    }
    for root in ["page-order-state", "page-order-done"] {
        for end in ["pending", "paid", "partially_refunded", "refunded", "disputed", "lost", "expired"] {
            let id = format!("{root}-{end}");
            assert!(root.ends_with("done") || catalog.text(&german, &id, &[]) != id, "{id}");
        }
    }
}

#[tokio::test]
async fn no_page_runs_or_loads_what_is_not_ours() {
    let world = World::new().await;
    let (mut browser, order) = world.bought("lumen-pro", "1").await;
    world.settle().await;
    let mail = world.mailbox.newest(1).await.unwrap().remove(0).delivery;
    let pages = [
        "/",
        "/p/lumen",
        "/buy/lumen-pro",
        "/portal",
        "/terms",
        "/mailbox",
        "/nothing",
        &order,
        &format!("/mailbox/{mail}"),
    ]
    .map(str::to_owned);
    for path in pages {
        let page = browser.get(&path).await;
        assert!(page.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(!page.header("content-security-policy").contains("unsafe"), "{path}");
        for forbidden in ["<style", " style=", " onclick=", "javascript:", "<script>", "type=\"password\""] {
            assert!(!page.has(forbidden), "{path}: {forbidden}");
        }
        for source in page.text.split(" src=\"").skip(1).chain(page.text.split("rel=\"stylesheet\" href=\"").skip(1)) {
            assert!(source.starts_with('/'), "{path}: {}", &source[..40.min(source.len())]);
        }
        assert!(page.has("<html lang=\"en\" dir=\"ltr\">") && page.has("name=\"viewport\""), "{path}");
        let is_private = page.header("cache-control") == "no-store";
        assert_eq!(is_private, page.has("noindex"), "{path}");
    }
    let html = browser.get(&format!("/mailbox/{mail}/html")).await.is(StatusCode::OK);
    assert!(html.header("content-security-policy").starts_with("sandbox") && html.has("<base target=\"_blank\">"));
}

#[tokio::test]
async fn the_language_is_asked_for_kept_or_guessed_in_this_order() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.languages = "de-AT;q=0.9, fr";
    assert!(browser.get("/terms").await.has("<html lang=\"de-AT\""));
    assert!(browser.get("/terms?locale=en").await.has("<html lang=\"en\""));
    let chosen = browser
        .post("/language", &[("locale", "en"), ("return_to", "/terms?locale=de")])
        .await
        .is(StatusCode::SEE_OTHER);
    assert_eq!(chosen.location(), "/terms");
    assert!(browser.get("/terms").await.has("<html lang=\"en\""));
    assert!(browser.get("/terms?locale=de").await.has("<html lang=\"de\""));
    let mut browser = world.browser();
    browser.languages = "";
    assert!(browser.get("/terms").await.has("<html lang=\"en\""));
}

#[tokio::test]
async fn german_buyers_read_german_and_the_button_says_that_it_costs() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.languages = "de-DE";
    let till = browser.get("/buy/lumen-personal").await.is(StatusCode::OK);
    assert!(till.has("Zahlungspflichtig bestellen – 49,00\u{a0}€"), "{}", till.text);
    assert!(till.has("<option value=\"AT\">Österreich</option>") && till.has("inkl. Steuern"));
    assert!(till.text.find("Österreich").unwrap() < till.text.find("Pakistan").unwrap());
    let page = browser.press(&till, "lumen-personal", &[("email", "ada")]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.title().starts_with("Fehler: ") && page.has("fehlt das @"));
}

#[tokio::test]
async fn the_country_comes_from_the_address_the_browser_or_the_shop() {
    let world = World::new().await;
    #[rustfmt::skip]
    let table = [
        ("/p/lumen?country=JP",              "en-GB", "¥15,840"),
        ("/p/lumen?country=JP&currency=USD", "en-GB", "US$105.00"),
        ("/p/lumen",                         "en-GB", "£93.00"),
        ("/p/lumen",                         "en",    "€99.00"),
        ("/p/lumen?country=BR",              "en",    "€99.00"),
        ("/p/lumen?currency=XXX",            "en-US", "$105.00"),
    ];
    for (path, languages, price) in table {
        let mut browser = world.browser();
        browser.languages = languages;
        let page = browser.get(path).await.is(StatusCode::OK);
        assert!(page.has(price), "{path} {languages}: {}", page.between("cards tiers", "</ul>"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_page_for_people_and_a_problem_for_programs() {
    let world = World::new().await;
    let mut browser = world.browser();
    for path in ["/nothing", "/p/nothing", "/buy/nothing", "/checkout/chk_1", "/mailbox/dlv_1"] {
        let page = browser.get(path).await.is(StatusCode::NOT_FOUND);
        assert!(page.has("This page does not exist") && page.header("content-type").starts_with("text/html"), "{path}");
    }
    let page = browser.get("/portal/code").await.is(StatusCode::METHOD_NOT_ALLOWED);
    assert!(page.has("This page does not exist"));
    assert_eq!(
        browser.get("/v1/nothing").await.is(StatusCode::NOT_FOUND).header("content-type"),
        "application/problem+json"
    );
    assert!(
        browser
            .post_from_elsewhere("/portal/leave")
            .await
            .is(StatusCode::FORBIDDEN)
            .has("This form was not sent from our page")
    );
    world.without_mailbox().get("/mailbox").await.is(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn style_sheet_and_script_are_kept_for_ever_and_small() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.get("/").await;
    for (from, kind, most) in
        [("rel=\"stylesheet\" href=\"", "text/css", 24_000), ("<script src=\"", "text/javascript", 10_000)]
    {
        let asset = browser.get(page.between(from, "\"")).await.is(StatusCode::OK);
        assert!(asset.header("content-type").starts_with(kind) && asset.header("cache-control").contains("immutable"));
        assert!(asset.text.len() < most, "{kind} has {} bytes", asset.text.len());
    }
    let till = browser.get_compressed("/buy/lumen-studio?country=DE").await;
    assert!(till < 30 << 10, "the till has {till} bytes on the wire");
    browser.get("/assets/shop.css").await.is(StatusCode::NOT_FOUND);
    let style = include_str!("../../assets/shop.css");
    for physical in [
        "left:",
        "right:",
        "margin-left",
        "margin-right",
        "padding-left",
        "padding-right",
        "text-align: left",
        "text-align: right",
    ] {
        assert!(!style.contains(physical), "{physical} does not turn around with the writing");
    }
}
