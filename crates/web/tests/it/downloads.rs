//! Files of releases: who finds them, on which page, and how they come over the line.

use std::collections::HashMap;
use std::time::Duration as Span;

use app::{Entropy, ReleaseInput};
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::StatusCode;
use data_encoding::{BASE64, HEXLOWER};
use domain::{
    Actor, Changes, Duration, Fulfilment, License, LicenseId, LicenseState, Plan, PlanId, Policy, Product, ProductId,
    Term, Timestamp,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use web::{Budget, Class, Limits, Web};

use crate::support::{Browser, Page, World};

/// Bytes that are no text, and more than one piece of them.
fn content() -> Vec<u8> {
    (0..200_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).take(300_001).collect()
}

/// The addresses of the files on a page.
fn links(page: &Page) -> Vec<String> {
    page.text
        .split("href=\"/downloads/")
        .skip(1)
        .map(|rest| format!("/downloads/{}", rest.split_once('"').unwrap().0))
        .collect()
}

struct Reply {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    #[track_caller]
    fn refused(&self, status: u16, code: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!((self.status, self.header("content-type")), (status, "application/problem+json"), "{text}");
        assert!(text.contains(&format!("\"code\":\"{code}\"")), "{text}");
    }
}

/// Asks a real server as a program does, over a line of its own.
async fn fetch(address: &str, method: &str, path: &str, headers: &str) -> Reply {
    let mut line = TcpStream::connect(address).await.unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n{headers}\r\n");
    line.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    line.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    };
    Reply { status, headers: lines.map(header).collect(), body: bytes[end + 4..].to_vec() }
}

fn address(world: &World) -> String {
    world.app.settings.public_url.trim_start_matches("http://").to_owned()
}

/// A shop with a version of one file, and somebody who has bought.
async fn sold(content: &[u8]) -> (World, Browser, String) {
    let world = World::new().await;
    world.publishes("3.2.0", &[("Lumen 3.bin", content)]).await;
    let (browser, order) = world.bought("lumen-pro", "1").await;
    (world, browser, order)
}

#[tokio::test]
async fn a_file_comes_whole_or_in_the_part_that_is_asked_for() {
    let content = content();
    let (world, mut browser, order) = sold(&content).await;
    let page = browser.get(&order).await.is(StatusCode::OK);
    let [link] = <[String; 1]>::try_from(links(&page)).unwrap();
    let address = address(&world);
    let sha256 = digest(&SHA256, &content);
    let tag = format!("\"{}\"", HEXLOWER.encode(sha256.as_ref()));
    assert!(page.has(&HEXLOWER.encode(sha256.as_ref())), "the page says what to compare with");

    let whole = fetch(&address, "GET", &link, "").await;
    assert_eq!(whole.status, 200);
    assert!(whole.body == content, "{} bytes", whole.body.len());
    let described = [
        ("content-length", "300001"),
        ("content-type", "application/octet-stream"),
        ("content-disposition", "attachment; filename=\"Lumen 3.bin\"; filename*=UTF-8''Lumen%203.bin"),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-range", ""),
        ("content-encoding", ""),
        ("transfer-encoding", ""),
        ("etag", tag.as_str()),
        ("repr-digest", &format!("sha-256=:{}:", BASE64.encode(sha256.as_ref()))),
    ];
    for (name, value) in described {
        assert_eq!(whole.header(name), value, "{name}");
    }
    assert!(whole.header("content-security-policy").contains("default-src 'none'"));
    let head = fetch(&address, "HEAD", &link, "range: bytes=0-9\r\n").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for (name, value) in described {
        assert_eq!(head.header(name), value, "HEAD {name}");
    }

    // Cut off in the middle, and gone on with.
    let first = fetch(&address, "GET", &link, "range: bytes=0-149999\r\n").await;
    let if_range = format!("range: bytes=150000-\r\nif-range: {tag}\r\n");
    let rest = fetch(&address, "GET", &link, &if_range).await;
    assert_eq!((first.status, rest.status), (206, 206));
    assert_eq!(first.header("content-range"), "bytes 0-149999/300001");
    assert_eq!((rest.header("content-range"), rest.header("content-length")), ("bytes 150000-300000/300001", "150001"));
    let joined = [first.body.as_slice(), &rest.body].concat();
    assert_eq!(digest(&SHA256, &joined).as_ref(), sha256.as_ref());
    assert_eq!(rest.header("repr-digest"), whole.header("repr-digest"), "of the whole, not of the part");

    #[rustfmt::skip]
    let table: [(&str, u16, &str, &[u8]); 8] = [
        ("range: bytes=-1\r\n",                              206, "bytes 300000-300000/300001", &content[300_000..]),
        ("range: bytes=65535-65536\r\n",                     206, "bytes 65535-65536/300001",   &content[65_535..=65_536]),
        ("range: bytes=299999-999999\r\n",                   206, "bytes 299999-300000/300001", &content[299_999..]),
        ("range: bytes=0-1,5-9\r\n",                         200, "",                           &content),
        ("range: bytes=5-1\r\n",                             200, "",                           &content),
        ("range: bytes=5-\r\nif-range: \"other\"\r\n",       200, "",                           &content),
        (&format!("if-none-match: {tag}\r\n"),               304, "",                           &[]),
        ("accept-encoding: gzip\r\n",                        200, "",                           &content),
    ];
    for (headers, status, range, expected) in table {
        let reply = fetch(&address, "GET", &link, headers).await;
        assert_eq!((reply.status, reply.header("content-range")), (status, range), "{headers}");
        assert!(reply.body == expected, "{headers}: {} bytes", reply.body.len());
        assert_eq!(reply.header("etag"), tag, "{headers}");
    }
    let beyond = fetch(&address, "GET", &link, "range: bytes=300001-\r\n").await;
    beyond.refused(416, "range_not_satisfiable");
    assert_eq!(beyond.header("content-range"), "bytes */300001");
    assert_eq!((beyond.header("repr-digest"), beyond.header("etag")), ("", tag.as_str()), "of the problem it is not");
    let people = fetch(&address, "GET", &link, "range: bytes=300001-\r\naccept: text/html\r\n").await;
    assert_eq!((people.status, people.header("content-range")), (416, "bytes */300001"));
    let differs = fetch(&address, "GET", &link, "if-match: \"other\"\r\n").await;
    differs.refused(412, "content_differs");
    assert_eq!(differs.header("repr-digest"), "");
    let known = fetch(&address, "GET", &link, &format!("if-none-match: {tag}\r\n")).await;
    let lengths = [known.header("content-length"), known.header("transfer-encoding")];
    assert_eq!((known.status, lengths), (304, ["", ""]), "the file is not empty");
    assert_eq!(known.header("repr-digest"), whole.header("repr-digest"));
    fetch(&address, "POST", &link, "content-length: 0\r\n").await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn a_link_opens_one_file_for_one_license_for_a_day() {
    let (world, mut browser, order) = sold(b"three").await;
    let (mut other_browser, other_order) = world.bought("lumen-pro", "1").await;
    let page = browser.get(&order).await;
    let link = links(&page).remove(0);
    let other = links(&other_browser.get(&other_order).await).remove(0);
    let address = address(&world);
    assert_eq!(fetch(&address, "GET", &link, "").await.body, b"three");

    // What somebody changed opens nothing, whatever it is that they changed.
    let parts = |link: &str| link.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (mine, theirs) = (parts(&link), parts(&other));
    let later = (mine[2].parse::<i64>().unwrap() + 1).to_string();
    let swapped = |place: usize, with: &str| {
        let mut parts = mine.clone();
        with.clone_into(&mut parts[place]);
        parts.join(".")
    };
    let nobody = LicenseId::mint(world.app.clock.now(), &mut Entropy::System.rng());
    let changed = [
        swapped(0, &theirs[0]),
        swapped(0, &format!("/downloads/{nobody}")),
        swapped(1, &mine[1].replace("file_0", "file_1")),
        swapped(2, &later),
        swapped(2, "x"),
        swapped(3, &theirs[3]),
        swapped(3, ""),
        format!("{link}.x"),
        link[..link.len() - 1].to_owned(),
        "/downloads/x".to_owned(),
    ];
    for link in &changed {
        fetch(&address, "GET", link, "").await.refused(403, "download_link_invalid");
    }
    // People are told in their words, with the code for whoever helps them.
    let told = fetch(&address, "GET", &changed[0], "accept: text/html\r\naccept-language: de\r\n").await;
    let text = String::from_utf8(told.body).unwrap();
    assert!(told.status == 403 && text.contains("Diese Datei lässt sich nicht herunterladen"), "{text}");
    assert!(text.contains("download_link_invalid"), "{text}");

    // A minute before its end, and at its end.
    world.app.clock.advance(Duration::hours(24));
    world.app.clock.advance(Duration::minutes(-1));
    assert_eq!(fetch(&address, "GET", &link, "").await.status, 200);
    world.app.clock.advance(Duration::minutes(1));
    fetch(&address, "GET", &link, "").await.refused(410, "download_link_ended");
    let fresh = links(&browser.get(&order).await).remove(0);
    assert_ne!(fresh, link);
    assert_eq!(fetch(&address, "GET", &fresh, "").await.body, b"three", "the page makes new ones");
}

async fn write(world: &World, license: License) {
    world.app.write(&Changes { licenses: vec![license], ..Changes::default() }).await.unwrap();
}

#[tokio::test]
async fn a_link_is_as_good_as_its_license_at_this_moment() {
    let (world, mut browser, order) = sold(b"three").await;
    let link = links(&browser.get(&order).await).remove(0);
    let address = address(&world);
    let now = world.app.clock.now();
    type Bend = fn(License, Timestamp) -> License;
    #[rustfmt::skip]
    let table: [(Bend, u16, &str, &str); 5] = [
        (|license, _| License { state: LicenseState::SuspendedByDispute, ..license },  403, "license_suspended", "This license is paused"),
        (|license, _| License { state: LicenseState::RevokedByRefund, ..license },     403, "license_revoked",   "This license has ended"),
        (|license, now| License { expires_at: Some(now), ..license },                  403, "license_expired",   "This license has expired"),
        (|license, now| License { updates_until: Some(now), ..license },               403, "license_update_not_covered", "came out after the updates"),
        (|license, _| License { customer: None, ..license },                           403, "download_link_invalid", ""),
    ];
    for (bend, status, code, told) in table {
        let license = world.license_of(&order).await;
        write(&world, bend(license.clone(), now)).await;
        fetch(&address, "GET", &link, "").await.refused(status, code);
        if !told.is_empty() {
            let page = browser.get(&order).await;
            assert!(page.has(told) && links(&page).is_empty(), "{code}: {}", page.text);
        }
        let bent = world.license_of(&order).await;
        write(&world, License { version: bent.version, ..license }).await;
        assert_eq!(fetch(&address, "GET", &link, "").await.status, 200, "it works again after {code}");
    }

    // A new key, as its owner takes one, ends the links that were made before.
    let license = world.license_of(&order).await;
    let mut owner = world.signed_in("ada@example.com").await;
    owner.post(&format!("/portal/licenses/{}/key", license.id), &[]).await.is(StatusCode::SEE_OTHER);
    fetch(&address, "GET", &link, "").await.refused(403, "download_link_invalid");
    let link = links(&browser.get(&order).await).remove(0);

    // Content that is gone is told of, and is not sent as if it were there.
    let folder = world.app.files().unwrap().folder().to_owned();
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, b"three and more").unwrap();
    fetch(&address, "GET", &link, "").await.refused(503, "release_file_missing");
    std::fs::remove_file(&file).unwrap();
    let missing = fetch(&address, "GET", &link, "").await;
    missing.refused(503, "release_file_missing");
    assert_eq!(missing.header("retry-after"), "300");
    assert!(String::from_utf8_lossy(&missing.body).contains("\"retryable\":true"), "it comes back as it was");
    let finding = |findings: Vec<app::Finding>| findings.into_iter().find(|finding| finding.check == "files").unwrap();
    let found = finding(world.app.examine().await.unwrap());
    assert_eq!(
        (found.severity, found.found.as_str()),
        (app::Severity::Broken, "Lumen 3.bin of lumen 3.2.0 is missing")
    );
    // Publishing the same again puts it back, and changes no row.
    let again = world.publishes("3.2.0", &[("Lumen 3.bin", b"three")]).await;
    assert!(again.changes.is_empty() && !again.is_new);
    assert_eq!(fetch(&address, "GET", &link, "").await.body, b"three");
    assert_eq!(finding(world.app.examine().await.unwrap()).severity, app::Severity::Good);

    // The day of a version can be moved: until then it is not taken back, but not out either.
    let product = world.app.store.product(world.shop.id, license.product).await.unwrap().unwrap();
    for (day, expected) in [(1, None), (0, Some(b"three"))] {
        let published_at = Some(world.app.clock.now().after(Duration::days(day)));
        let input = ReleaseInput { number: "3.2.0".to_owned(), notes: None, published_at, platform: None };
        world.app.publish(&product, &input, &[], Actor::System).await.unwrap();
        let reply = fetch(&address, "GET", &link, "").await;
        match expected {
            Some(content) => assert_eq!(reply.body, content),
            None => reply.refused(403, "release_not_out"),
        }
    }
    assert_eq!(world.app.withdraw(&product, "3.2.0", Actor::System).await, Ok(true));
    assert_eq!(world.app.withdraw(&product, "3.2.0", Actor::System).await, Ok(false));
    fetch(&address, "GET", &link, "").await.refused(410, "release_withdrawn");
}

#[tokio::test]
async fn the_pages_of_a_buyer_show_the_versions_that_their_license_covers() {
    let world = World::new().await;
    let updates = Policy { term: Term { update_days: Some(30), ..Term::default() }, ..Policy::default() };
    world.sells("lumen-window", updates).await;
    world.publishes("1.0", &[("lumen-1.zip", b"one")]).await;
    let (mut browser, order) = world.bought("lumen-window", "1").await;
    let page = browser.get(&order).await.is(StatusCode::OK);
    assert_eq!((links(&page).len(), page.has("<details><summary>One earlier version")), (1, false));
    world.settle().await;
    let mail = world.mailbox.newest(1).await.unwrap().remove(0);
    assert!(mail.text.contains("The files are on your order’s page"), "{}", mail.text);

    world.app.clock.advance(Duration::days(20));
    world.publishes("2.0", &[("lumen-2.zip", b"two"), ("lumen-2.tar", b"too")]).await;
    world.app.clock.advance(Duration::days(20));
    world.publishes("3.0", &[("lumen-3.zip", b"three")]).await;
    let license = world.license_of(&order).await;
    let mut owner = world.signed_in("ada@example.com").await;
    for (browser, path) in [(&mut browser, &order), (&mut owner, &format!("/portal/licenses/{}", license.id))] {
        let page = browser.get(path).await.is(StatusCode::OK);
        let shown = links(&page);
        assert_eq!(shown.len(), 3, "{path}");
        let address = address(&world);
        let mut contents = Vec::new();
        for link in &shown {
            contents.push(fetch(&address, "GET", link, "").await.body);
        }
        assert_eq!(contents, [&b"too"[..], b"two", b"one"], "{path}: the newest version first, its files by name");
        assert!(page.has("Version 2.0") && page.has("Version 1.0") && !page.has("Version 3.0"), "{path}");
        assert!(page.has("<details><summary>One earlier version</summary>"), "{path}");
        assert!(page.has("Opens <strong>faster</strong>") && page.has("Any &#60;system&#62; · 3 bytes"), "{path}");
    }
    // A shop without versions says nothing of files, and neither does an order that is not paid.
    let bare = World::new().await;
    let (mut browser, order) = bare.bought("lumen-pro", "1").await;
    assert!(!browser.get(&order).await.has("Downloads"));
    bare.settle().await;
    assert!(!bare.mailbox.newest(1).await.unwrap()[0].text.contains("files are on"));
    let mut visitor = world.browser();
    visitor.press_pay("lumen-pro", &[]).await.is(StatusCode::SEE_OTHER);
    let unpaid = world.orders().await.remove(0).id;
    let page = visitor.get(&format!("/orders/{unpaid}")).await.is(StatusCode::OK);
    assert!(!page.has("/downloads/"), "{}", page.text);
}

#[tokio::test]
async fn where_files_are_what_is_sold_they_stand_in_the_place_of_the_key() {
    let world = World::new().await;
    let pro = world.app.store.plan_by_slug(world.shop.id, "lumen-pro").await.unwrap().unwrap();
    let id = PlanId::mint(world.app.clock.now(), &mut Entropy::System.rng());
    let fulfilment = Fulfilment::Download;
    let plan = Plan { id, version: 0, slug: "lumen-files".to_owned(), fulfilment, ..pro };
    world.app.write(&Changes { plans: vec![plan], ..Changes::default() }).await.unwrap();
    let (mut browser, order) = world.bought("lumen-files", "1").await;
    let page = browser.get(&order).await.is(StatusCode::OK);
    assert!(page.has("The files are not here yet") && !page.has("data-copy"), "{}", page.text);

    world.publishes("1.0", &[("looks.zip", b"looks")]).await;
    let page = browser.get(&order).await.is(StatusCode::OK);
    let key = world.keys(&order).await.remove(0);
    let place = |text: &str| page.text.find(text).unwrap_or_else(|| panic!("no {text}: {}", page.text));
    assert!(place("Downloads</h2>") < place("Your license</h2>") && place("looks.zip") < place(&key));
    assert!(page.has(&format!("License number <bdi dir=\"ltr\"><code translate=\"no\">{key}")));
    // The license number is no key, and no device waits for it.
    let about_devices = ["first device", "devices</p>", "/activate", "license key", "License key", "Receipt and key"];
    for text in about_devices {
        assert!(!page.has(text), "{text}: {}", page.text);
    }
    assert!(page.has("Your receipt is also on its way to") && page.has("Hand the license on</a>"), "{}", page.text);
    world.settle().await;
    let mail = world.mailbox.newest(1).await.unwrap().remove(0);
    assert!(
        mail.text.contains(&format!("License number {key}")) && !mail.text.contains("license key"),
        "{}",
        mail.text
    );
    assert!(
        mail.html.contains(&format!("License number {key}")) && !mail.html.contains("class=\"key\""),
        "{}",
        mail.html
    );
    let license = world.license_of(&order).await;
    let mut owner = world.signed_in("ada@example.com").await;
    let own = owner.get(&format!("/portal/licenses/{}", license.id)).await.is(StatusCode::OK);
    assert!(own.has("looks.zip") && own.has("License number") && !own.has("data-copy"), "{}", own.text);
    for text in ["Take a new key", "Devices", "License key", "first device"] {
        assert!(!own.has(text), "{text}: {}", own.text);
    }
    assert!(own.has("<h2 id=\"own-key\">License</h2>") && own.has("/transfer"), "{}", own.text);
    owner.post("/portal/keys", &[("email", "ada@example.com")]).await.is(StatusCode::SEE_OTHER);
    let mail = world.mail_to("ada@example.com", "Your license keys").await;
    assert!(mail.contains(&format!("License number {key}")), "{mail}");
}

/// A second product, of which a plan sells the files.
async fn sells_fonts(world: &World) -> Plan {
    let pro = world.app.store.plan_by_slug(world.shop.id, "lumen-pro").await.unwrap().unwrap();
    let lumen = world.app.store.product(world.shop.id, pro.product).await.unwrap().unwrap();
    let (now, mut rng) = (world.app.clock.now(), Entropy::System.rng());
    let fonts = Product {
        id: ProductId::mint(now, &mut rng),
        version: 0,
        slug: "fonts".to_owned(),
        name: "Fonts".to_owned(),
        ..lumen
    };
    let files = Plan {
        id: PlanId::mint(now, &mut rng),
        version: 0,
        product: fonts.id,
        slug: "fonts-files".to_owned(),
        fulfilment: Fulfilment::Download,
        ..pro.clone()
    };
    let bundle = vec![pro.id, files.id];
    let set = Plan { id: PlanId::mint(now, &mut rng), version: 0, slug: "set".to_owned(), bundle, ..pro };
    let changes = Changes { products: vec![fonts], plans: vec![files.clone(), set], ..Changes::default() };
    world.app.write(&changes).await.unwrap();
    files
}

#[tokio::test]
async fn only_where_files_are_what_is_sold_it_is_said_that_there_are_none_yet() {
    let world = World::new().await;
    sells_fonts(&world).await;
    let (mut browser, order) = world.bought("set", "1").await;
    let page = browser.get(&order).await.is(StatusCode::OK);
    assert_eq!(page.text.matches("The files are not here yet").count(), 1, "{}", page.text);
    assert!(page.has("Downloads</h2>") && page.has("data-copy") && page.has("License number"), "{}", page.text);
    world.publishes("1.0", &[("lumen.zip", b"one")]).await;
    let page = browser.get(&order).await.is(StatusCode::OK);
    assert_eq!((links(&page).len(), page.text.matches("The files are not here yet").count()), (1, 1));
    assert!(page.has("Downloads: <bdi>Lumen</bdi>") && page.has("Downloads: <bdi>Fonts</bdi>"), "{}", page.text);
}

#[tokio::test]
async fn who_knows_one_key_of_several_gets_no_links_of_the_others() {
    let world = World::new().await;
    world.publishes("1.0", &[("lumen.zip", b"one")]).await;
    for (quantity, expected) in [("1", 1), ("2", 0)] {
        let (mut buyer, order) = world.bought("lumen-pro", quantity).await;
        let page = buyer.get(&order).await.is(StatusCode::OK);
        assert_eq!(links(&page).len(), 1, "the buyer sees all");
        let id = domain::OrderId::parse(order.rsplit('/').next().unwrap()).unwrap();
        let number = world.app.sale(world.shop.id, id).await.unwrap().order.number.to_string();
        let key = world.keys(&order).await.remove(0);
        let mut holder = world.browser();
        holder.post("/portal/key", &[("key", &key), ("number", &number)]).await.is(StatusCode::SEE_OTHER);
        let page = holder.get(&order).await.is(StatusCode::OK);
        assert_eq!(links(&page).len(), expected, "{quantity}: {}", page.text);
    }
}

#[tokio::test]
async fn the_newest_ten_versions_are_shown_and_the_rest_when_it_is_asked_for() {
    let world = World::new().await;
    let (mut browser, order) = world.bought("lumen-pro", "1").await;
    for number in 1..=13 {
        world.publishes(&format!("1.{number}"), &[("lumen.zip", b"one")]).await;
        world.app.clock.advance(Duration::days(1));
    }
    let license = world.license_of(&order).await;
    let mut owner = world.signed_in("ada@example.com").await;
    for (browser, path) in [(&mut browser, &order), (&mut owner, &format!("/portal/licenses/{}", license.id))] {
        let page = browser.get(path).await.is(StatusCode::OK);
        assert_eq!(links(&page).len(), 10, "{path}");
        assert!(
            page.has("9 earlier versions") && page.has("Version 1.4<") && !page.has("Version 1.3<"),
            "{}",
            page.text
        );
        let all = page.between("<p><a href=\"", "\">Show all versions").rsplit('"').next().unwrap().to_owned();
        assert_eq!(all, format!("{path}?versions=all"));
        let page = browser.get(&all).await.is(StatusCode::OK);
        assert_eq!(links(&page).len(), 13, "{path}");
        assert!(page.has("Version 1.1<") && !page.has("Show all versions"), "{}", page.text);
    }
}

#[tokio::test]
async fn a_license_has_so_many_downloads_at_once_and_takes_none_of_anothers() {
    const SIZE: usize = 24 << 20;
    let (world, mut browser, order) = sold(&vec![7; SIZE]).await;
    let (mut other_browser, other_order) = world.bought("lumen-pro", "1").await;
    let link = links(&browser.get(&order).await).remove(0);
    let other = links(&other_browser.get(&other_order).await).remove(0);
    let address = address(&world);
    let mut still = Vec::new();
    for _ in 0..32 {
        let mut line = TcpStream::connect(&address).await.unwrap();
        line.write_all(format!("GET {link} HTTP/1.1\r\nhost: shop.test\r\n\r\n").as_bytes()).await.unwrap();
        let mut begun = [0; 12];
        line.read_exact(&mut begun).await.unwrap();
        assert_eq!(&begun, b"HTTP/1.1 200");
        still.push(line);
    }
    let many = fetch(&address, "GET", &link, "range: bytes=0-1\r\n").await;
    many.refused(429, "too_many_downloads");
    assert_eq!(many.header("retry-after"), "10");
    let page = fetch(&address, "GET", &link, "accept: text/html\r\n").await;
    assert!(page.status == 429 && String::from_utf8_lossy(&page.body).contains("Let one of them end"));
    // A link that we did not make counts for nobody.
    fetch(&address, "GET", &link[..link.len() - 1], "").await.refused(403, "download_link_invalid");
    assert_eq!(fetch(&address, "GET", &other, "range: bytes=0-1\r\n").await.status, 206);
    drop(still);
    for _ in 0..100 {
        if fetch(&address, "GET", &link, "range: bytes=0-1\r\n").await.status == 206 {
            return;
        }
        tokio::time::sleep(Span::from_millis(50)).await;
    }
    panic!("who has gone still counts");
}

#[tokio::test]
async fn who_takes_nothing_gives_up_the_place_and_holds_up_nobody_but_downloads() {
    const SIZE: usize = 48 << 20;
    let content = vec![7; SIZE];
    let (world, mut browser, order) = sold(&content).await;
    let link = links(&browser.get(&order).await).remove(0);
    let mut limits =
        Limits { idle_deadline: Span::from_secs(1), place_deadline: Span::from_secs(30), ..Limits::default() };
    limits.budgets.set(Class::Downloads, Budget { places: 1, waiting: 1 });
    let site = web::site_within(Web { app: world.app.clone(), mailbox: None }, &limits, None);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(web::serve(listener, site, limits, stopped));

    // Takes the beginning, and then nothing: far more is left than any buffer on the way holds.
    let mut still = TcpStream::connect(&address).await.unwrap();
    still.write_all(format!("GET {link} HTTP/1.1\r\nhost: shop.test\r\n\r\n").as_bytes()).await.unwrap();
    let mut begun = [0; 12];
    still.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    assert_eq!(fetch(&address, "GET", "/terms", "").await.status, 200, "pages have places of their own");
    let other = fetch(&address, "GET", &link, "").await;
    assert!(other.status == 200 && other.body == content, "{} {}", other.status, other.body.len());

    // What had been sent can still be read; then it breaks off, and is not taken for whole.
    let mut rest = Vec::new();
    let _ = still.read_to_end(&mut rest).await;
    assert!(rest.len() < SIZE, "{} bytes came although nothing was taken", rest.len());
}
