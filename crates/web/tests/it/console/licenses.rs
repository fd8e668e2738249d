//! Licenses and customers: what stands there, and the button that frees a seat.

use axum::http::StatusCode;
use domain::{ActivationState, AtExpiry, Duration, LicenseState, Metering, Policy, Seating, Term};

use super::desk;
use crate::support::World;

#[tokio::test]
async fn a_seat_is_freed_once_and_pressing_again_says_so() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let sale = world.sale(&order).await;
    let key = world.keys(&order).await.remove(0);
    world.activate(&key, "device-1", "Ada's Laptop").await;
    world.activate(&key, "device-2", "Studio").await;
    let license = sale.licenses[0].id;
    let path = format!("/console/licenses/{license}");
    let page = staff.get(&path).await.is(StatusCode::OK);
    for text in [
        "Ada&#39;s Laptop",
        "Studio",
        "device-1",
        "2 / 5",
        "edit, batch, color",
        "Never",
        sale.order.number.as_str(),
        "Device activated",
    ] {
        assert!(page.has(text), "{text} is not on {}", page.text);
    }
    assert!(!page.has(&key), "a whole key stands on the page");

    let seats = world.app.store.activations(world.shop.id, license).await.unwrap();
    let seat = seats.iter().find(|seat| seat.fingerprint.as_str() == "device-1").unwrap();
    let release = format!("{path}/activations/{}/release", seat.id);
    assert_eq!(staff.post(&release, &[]).await.location(), format!("{path}?told=reason-missing"));
    for told in ["released", "was-free"] {
        assert_eq!(
            staff.post(&release, &[("reason", "laptop lost")]).await.is(StatusCode::SEE_OTHER).location(),
            format!("{path}?told={told}")
        );
    }
    let page = staff.get(&format!("{path}?told=was-free")).await.is(StatusCode::OK);
    assert!(
        page.has("1 / 5")
            && page.has("Freed")
            && page.has("Seat freed")
            && page.has("laptop lost")
            && page.has("That seat was free already."),
        "{}",
        page.text
    );
    let seat = world.app.store.activation(world.shop.id, seat.id).await.unwrap().unwrap();
    assert_eq!(seat.state, ActivationState::Released);
    staff.post(&format!("{path}/activations/act_1/release"), &[("reason", "x")]).await.is(StatusCode::NOT_FOUND);
    // The seat of another license is not freed by this one's page.
    let (_, other) = world.bought("lumen-pro", "1").await;
    let other = world.sale(&other).await.licenses[0].id;
    staff
        .post(&format!("/console/licenses/{other}/activations/{}/release", seats[1].id), &[("reason", "x")])
        .await
        .is(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn lists_of_licenses_and_customers_lead_to_their_pages() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "2").await;
    world.settle().await;
    let sale = world.sale(&order).await;
    let active = staff.get("/console/licenses?state=active").await.is(StatusCode::OK);
    for license in &sale.licenses {
        assert!(active.has(&format!("<a href=\"/console/licenses/{}\">", license.id)), "{}", active.text);
    }
    for state in LicenseState::ALL.into_iter().filter(|state| *state != LicenseState::Active) {
        let page = staff.get(&format!("/console/licenses?state={}", state.as_str())).await.is(StatusCode::OK);
        assert!(page.has("No licenses here yet."), "{state:?}: {}", page.text);
    }
    let customer = format!("/console/customers/{}", sale.order.customer.unwrap());
    let customers = staff.get("/console/customers").await.is(StatusCode::OK);
    assert!(customers.has(&format!("<a href=\"{customer}\">")) && customers.has("ada@example.com"));
    let page = staff.get(&customer).await.is(StatusCode::OK);
    for text in [
        desk(&sale),
        format!("/console/licenses/{}", sale.licenses[1].id),
        "Receipt and keys".to_owned(),
        "Germany".to_owned(),
    ] {
        assert!(page.has(&text), "{text} is not on {}", page.text);
    }
}

#[tokio::test]
async fn what_a_license_allows_and_which_leases_are_over_stand_on_its_pages() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let policy = Policy {
        seats: Some(2),
        valid_days: Some(30),
        features: vec![],
        certificate_seconds: 86_400,
        term: Term { at_expiry: AtExpiry::Keep, grace_days: 7, is_trial: true, ..Term::default() },
        seating: Seating { lease_seconds: Some(600), ..Seating::default() },
        usage: Some(Metering { limit: Some(1_000), reset_days: Some(30) }),
        ..Policy::default()
    };
    world.sells("floating", policy).await;
    let (mut buyer, order) = world.bought("floating", "1").await;
    let sale = world.sale(&order).await;
    let key = world.keys(&order).await.remove(0);
    world.activate(&key, "device-1", "Desk").await;
    let path = format!("/console/licenses/{}", sale.licenses[0].id);
    let page = staff.get(&path).await.is(StatusCode::OK);
    for text in
        ["works on for devices and versions of that day", "7 days", "Trial", "600 seconds", "0 of 1,000", "Active</td>"]
    {
        assert!(page.has(text), "{text} is not on {}", page.text);
    }
    let page = buyer.get(&order).await.is(StatusCode::OK);
    assert!(page.has("1 of 2 devices activated") && page.has("A trial license") && page.has("Desk"), "{}", page.text);

    world.app.clock.advance(Duration::seconds(600));
    let page = staff.get(&path).await.is(StatusCode::OK);
    assert!(page.has("Lease over"), "{}", page.text);
    let page = buyer.get(&order).await.is(StatusCode::OK);
    assert!(page.has("0 of 2 devices activated") && !page.has("Desk"), "{}", page.text);
    world.app.clock.advance(Duration::days(31));
    assert!(buyer.get(&order).await.has(", works until "), "grace is told");
    world.app.clock.advance(Duration::days(7));
    assert!(buyer.get(&order).await.has("works on for activated devices"), "and what comes after");
}

#[tokio::test]
async fn a_license_is_changed_by_hand_and_a_plan_is_looked_at_before_it_is_taken_on() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let policy = Policy { seats: Some(2), certificate_seconds: 86_400, ..Policy::default() };
    world.sells("frozen", policy).await;
    let (_, order) = world.bought("frozen", "2").await;
    let sale = world.sale(&order).await;
    let [by_hand, other] = [sale.licenses[0].id, sale.licenses[1].id];
    let path = format!("/console/licenses/{by_hand}");
    let adjust = format!("{path}/adjust");
    for (fields, told) in [
        (vec![("seats", "7"), ("reason", "paid by invoice"), ("expires_on", "2040-12-31")], "adjusted"),
        (vec![("seats", "7"), ("reason", "again")], "adjust-same"),
        (vec![("seats", "8"), ("reason", " ")], "adjust-unread"),
        (vec![("seats", "many"), ("reason", "x")], "adjust-unread"),
        (vec![("usage_limit", "8"), ("reason", "x")], "adjust-usage"),
    ] {
        let location = staff.post(&adjust, &fields).await.is(StatusCode::SEE_OTHER).location();
        assert_eq!(location, format!("{path}?told={told}"), "{fields:?}");
    }
    let page = staff.get(&path).await.is(StatusCode::OK);
    assert!(page.has("0 / 7") && page.has("paid by invoice") && page.has("2040"), "{}", page.text);

    let plan = world.app.store.plan_by_slug(world.shop.id, "frozen").await.unwrap().unwrap();
    let changed = domain::Plan {
        policy: Policy { seats: Some(3), features: vec!["edit".to_owned()], ..plan.policy.clone() },
        ..plan.clone()
    };
    world.app.write(&domain::Changes { plans: vec![changed], ..domain::Changes::default() }).await.unwrap();
    let path = format!("/console/plans/{}", plan.id);
    let page = staff.get(&path).await.is(StatusCode::OK);
    assert!(page.has("seats: 2 → 3") && page.has("Change 2 licenses"), "{}", page.text);
    let adopt = format!("{path}/adopt");
    staff.post(&adopt, &[("reason", "")]).await.is(StatusCode::SEE_OTHER);
    assert_eq!(world.sale(&order).await.licenses[1].policy.seats, Some(2), "not without a reason");
    let told = staff.post(&adopt, &[("reason", "terms of 2027")]).await.is(StatusCode::SEE_OTHER).location();
    let page = staff.get(&told).await.is(StatusCode::OK);
    assert!(page.has("The licenses say what the plan says.") && page.has(">nothing<"), "{}", page.text);
    let after = world.sale(&order).await.licenses;
    assert_eq!((after[0].policy.seats, after[1].policy.seats), (Some(7), Some(3)));
    let page = staff.get(&format!("/console/licenses/{other}")).await.is(StatusCode::OK);
    assert!(page.has("What the license allows was changed") && page.has("terms of 2027"), "{}", page.text);
}

#[tokio::test]
async fn what_a_person_does_has_a_reason_and_can_be_undone() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let license = world.sale(&order).await.licenses[0].clone();
    let path = format!("/console/licenses/{}", license.id);
    let mut told = async |what: &str, fields: &[(&str, &str)]| {
        let location = staff.post(&format!("{path}/{what}"), fields).await.is(StatusCode::SEE_OTHER).location();
        location.rsplit('=').next().unwrap().to_owned()
    };
    let state = async || world.sale(&order).await.licenses[0].state;
    assert_eq!(told("state", &[("act", "suspend"), ("reason", " ")]).await, "reason-missing");
    assert_eq!(state().await, LicenseState::Active, "not without a reason");
    for (act, word, then) in [
        ("suspend", "suspended", LicenseState::SuspendedByPerson),
        ("suspend", "unfit", LicenseState::SuspendedByPerson),
        ("reinstate", "reinstated", LicenseState::Active),
        ("reinstate", "unfit", LicenseState::Active),
        ("revoke", "taken-back", LicenseState::RevokedByPerson),
    ] {
        assert_eq!(told("state", &[("act", act), ("reason", "shared on a forum")]).await, word);
        assert_eq!(state().await, then, "{act}");
    }
    let events = world.app.store.order_events(world.shop.id, license.order).await.unwrap();
    let taken_back = events.iter().find(|event| event.kind.as_str() == "license.revoked").unwrap();
    assert_eq!(taken_back.data["reason"], "shared on a forum");
    let undo = format!("events/{}/undo", taken_back.id);
    assert_eq!(told(&undo, &[]).await, "reason-missing");
    assert_eq!(told(&undo, &[("reason", "the wrong one")]).await, "undone");
    assert_eq!(state().await, LicenseState::Active);
    assert_eq!(told(&undo, &[("reason", "again")]).await, "changed-since");
    let issued = events.iter().find(|event| event.kind.as_str() == "license.issued").unwrap();
    assert_eq!(told(&format!("events/{}/undo", issued.id), &[("reason", "x")]).await, "not-undoable");

    assert_eq!(told("move", &[("email", "x"), ("reason", "x")]).await, "email-unread");
    assert_eq!(told("move", &[("email", "bob@example.com"), ("reason", "x")]).await, "move-unknown");
    let mut other = world.browser();
    let gateway_page = other.press_pay("lumen-pro", &[("email", "bob@example.com")]).await.location();
    world.pay(&gateway_page, crate::support::GOOD_CARD).await;
    world.settle().await;
    assert_eq!(told("move", &[("email", "Bob@example.com"), ("reason", "bought for Bob")]).await, "moved");
    assert_eq!(told("move", &[("email", "bob@example.com"), ("reason", "again")]).await, "unfit");
    let page = staff.get(&path).await.is(StatusCode::OK);
    for text in ["bob@example.com", "bought for Bob", "Moved to another customer", "Owner", "/undo\"", "the wrong one"]
    {
        assert!(page.has(text), "{text} is not on {}", page.text);
    }
    staff.post(&format!("{path}/state"), &[("act", "sell"), ("reason", "x")]).await.is(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_new_key_from_support_is_confirmed_and_mailed() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let (license, old) = (world.sale(&order).await.licenses[0].clone(), world.keys(&order).await.remove(0));
    world.settle().await;
    let path = format!("/console/licenses/{}/reissue", license.id);
    let page = staff.get(&path).await.is(StatusCode::OK);
    assert!(page.has("Mail the new key to ada@example.com") && page.has("This cannot be undone"), "{}", page.text);
    assert_eq!(world.keys(&order).await, std::slice::from_ref(&old), "looking does nothing");
    staff.post(&path, &[("reason", "leaked"), ("mail", "yes")]).await.is(StatusCode::SEE_OTHER);
    let new = world.keys(&order).await.remove(0);
    assert_ne!(new, old);
    world.settle().await;
    let mails = world.mailbox.newest(10).await.unwrap();
    let told = |key: &str| mails.iter().filter(|mail| mail.text.contains(key)).count();
    assert_eq!(told(&new), 1);
    staff.post(&path, &[("reason", "again")]).await.is(StatusCode::SEE_OTHER);
    world.settle().await;
    let newest = world.keys(&order).await.remove(0);
    let mails = world.mailbox.newest(10).await.unwrap();
    assert!(mails.iter().all(|mail| !mail.text.contains(&newest)), "not where nobody asked for it");
}

#[tokio::test]
async fn licenses_are_issued_without_a_payment_once_for_each_form() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let page = staff.get("/console/batches").await.is(StatusCode::OK);
    let batch = page.hidden("batch");
    let path = format!("/console/batches/{batch}");
    let form = |changes: &[(&'static str, &'static str)]| {
        let mut form = vec![("batch", batch.as_str()), ("plan", "lumen-pro"), ("licenses", "3"), ("reason", "a class")];
        for (name, value) in changes {
            form.retain(|(known, _)| known != name);
            form.push((name, value));
        }
        form
    };
    for (changes, message) in [
        (vec![("reason", " ")], "give a reason"),
        (vec![("licenses", "0")], "from 1 to 1,000"),
        (vec![("licenses", "many")], "from 1 to 1,000"),
        (vec![("emails", "ada@example.com, bob")], "bob is no email address"),
    ] {
        let page = staff.post("/console/batches", &form(&changes)).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has(message) && page.hidden("batch") == batch, "{changes:?}: {}", page.text);
    }
    staff.get(&path).await.is(StatusCode::NOT_FOUND);
    for told in ["batch-issued", "batch-issued"] {
        let location = staff.post("/console/batches", &form(&[])).await.is(StatusCode::SEE_OTHER).location();
        assert_eq!(location, format!("{path}?told={told}"), "pressed twice it is issued once");
    }
    let location = staff.post("/console/batches", &form(&[("licenses", "4")])).await.location();
    assert_eq!(location, format!("{path}?told=batch-differs"));
    let page = staff.get(&path).await.is(StatusCode::OK);
    assert!(page.has("3 of 3 issued") && page.has("a class"), "{}", page.text);
    let keys = staff.get(&format!("{path}/keys.csv")).await.is(StatusCode::OK);
    assert_eq!((keys.text.lines().count(), keys.header("cache-control")), (4, "no-store"));
    assert!(staff.get("/console/batches").await.has("a class"));
    assert_eq!(staff.get("/console/exports/licenses.csv").await.is(StatusCode::OK).text.lines().count(), 4);
    staff.get("/console/exports/activations.csv").await.is(StatusCode::OK);
    for closed in [path.clone(), format!("{path}/keys.csv"), "/console/exports/licenses.csv".to_owned()] {
        assert_eq!(world.browser().get(&closed).await.is(StatusCode::SEE_OTHER).location(), "/console/sign-in");
    }
    // A license of nobody has its page, too, and its key goes to whoever reads the file.
    let (any, page) =
        (store::LicenseFilter::default(), store::Page { starting_after: None, ending_before: None, limit: 1 });
    let license = world.app.store.licenses(world.shop.id, &any, page).await.unwrap().data.remove(0).id;
    assert!(staff.get(&format!("/console/licenses/{license}")).await.is(StatusCode::OK).has("License issued"));
    let page = staff.get(&format!("/console/licenses/{license}/reissue")).await.is(StatusCode::OK);
    assert!(page.has("belongs to nobody who could be mailed"), "{}", page.text);
}
