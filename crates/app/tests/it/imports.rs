//! Licenses of another system that come over with the group that they are in.

use app::{Imported, read_export};
use domain::{ActivationRequest, Actor, Fingerprint, ForeignKey, ForeignSystem, GroupUse, Refusal};
use serde_json::{Value, json};

use crate::house::{House, On, first_page};

fn license(number: u32, group: &str, machines: u32) -> Value {
    json!({
        "type": "licenses", "id": format!("l{number}"),
        "attributes": { "key": format!("KEY-{number}"), "maxMachines": 5, "created": "2024-01-24T14:15:07.000Z" },
        "relationships": {
            "machines": { "meta": { "count": machines } }, "group": { "data": { "type": "groups", "id": group } },
        },
    })
}

fn group(id: &str, name: &str, most: Option<u32>) -> Value {
    json!({
        "type": "groups", "id": id,
        "attributes": { "name": name, "maxLicenses": 2, "maxMachines": most, "created": "2024-01-01T00:00:00.000Z" },
    })
}

/// Thirty licenses in one group that may hold two and one device, the first two with a device; one in another of the same
/// name.
fn export() -> String {
    let seated = |number: u32| {
        json!({
            "type": "machines", "id": format!("m{number}"),
            "attributes": { "fingerprint": format!("device-{number}"), "created": "2024-01-24T14:15:07.000Z" },
            "relationships": { "license": { "data": { "type": "licenses", "id": format!("l{number}") } } },
        })
    };
    let crowd = (1..=30).map(|number| license(number, "NORTH", u32::from(number <= 2)));
    let licenses: Vec<Value> = crowd.chain([license(31, "south", 0)]).collect();
    let groups = [group("north", "Studio", Some(1)), group("south", "Studio", None)];
    [json!({ "data": licenses }), json!({ "data": groups }), json!({ "data": [seated(1), seated(2)] })]
        .map(|document| document.to_string())
        .join("\n")
}

async fn import(house: &House, is_dry_run: bool) -> (usize, usize) {
    let target = house.app.import_target(&house.shop, &house.plan.to_string()).await.unwrap();
    let lines = read_export(ForeignSystem::Keygen, export().as_bytes()).unwrap();
    let (mut new, mut known) = (0, 0);
    let count = |line: &app::ImportLine, outcome: &Imported| match outcome {
        Imported::New => new += 1,
        Imported::Known => known += 1,
        Imported::Refused(reason) => panic!("{}: {reason}", line.place),
    };
    house.app.import(&target, &lines, is_dry_run, count).await.unwrap();
    (new, known)
}

async fn groups(house: &House) -> Vec<GroupUse> {
    house.app.store.groups(house.shop.id, first_page(), house.app.clock.now()).await.unwrap().data
}

async fn a_group_comes_over_once_with_its_limits_and_shuts_nobody_out(on: On) {
    let house = House::open(on).await;
    assert_eq!(import(&house, true).await, (31, 0));
    assert_eq!(groups(&house).await, [], "a dry run makes none");
    assert_eq!(import(&house, false).await, (31, 0));
    let there = groups(&house).await;
    let mut held: Vec<_> = there
        .iter()
        .map(|used| {
            let group = &used.group;
            (used.licenses, used.seats(), group.max_licenses, group.max_seats, group.name.as_str())
        })
        .collect();
    held.sort_unstable();
    assert_eq!(held, [(1, 0, Some(2), None, "Studio"), (30, 2, Some(2), Some(1), "Studio")]);

    // It holds more than it may: who sits goes on to sit, and nobody new comes in.
    let (app, shop) = (&house.app, house.shop.id);
    let take = async |number: u32, device: &str| {
        let foreign = ForeignKey::parse(&format!("KEY-{number}")).unwrap();
        let key = app.store.key_behind(shop, &foreign).await.unwrap().unwrap();
        let request = ActivationRequest::of(Fingerprint::parse(device).unwrap());
        app.activate_license(shop, &key, &request).await.map(|told| told.is_new)
    };
    assert!(!take(1, "device-1").await.unwrap());
    let refused = take(3, "device-3").await;
    assert!(matches!(refused, Err(app::Error::Refused(Refusal::GroupFull { seats: 1 }))), "{refused:?}");
    assert!(take(31, "device-3").await.unwrap());

    // What the seller makes of it here stays, and the same file brings nothing again.
    let crowded = there.into_iter().find(|used| used.licenses == 30).unwrap().group.id;
    let wanted = domain::GroupChange { max_seats: Some(Some(9)), ..domain::GroupChange::default() };
    app.change_group(shop, crowded, &wanted, "renegotiated", Actor::Api).await.unwrap();
    assert_eq!(import(&house, false).await, (0, 31));
    assert_eq!((groups(&house).await.len(), app.group(shop, crowded).await.unwrap().group.max_seats), (2, Some(9)));
    house.assert_lawful(&[]).await;
}

on_both_engines![a_group_comes_over_once_with_its_limits_and_shuts_nobody_out];
