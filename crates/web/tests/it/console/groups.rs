//! Groups of licenses: the list, one group, and the forms that fill and limit it.

use axum::http::StatusCode;
use domain::GroupId;

use crate::support::{Browser, World};

#[tokio::test]
async fn a_group_is_made_filled_limited_and_ended_in_the_console() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "2").await;
    let licenses = world.sale(&order).await.licenses;
    let keys = world.keys(&order).await;
    let license = format!("/console/licenses/{}", licenses[0].id);
    let page = staff.get(&license).await.is(StatusCode::OK);
    assert!(!page.has("Change the group"), "where there is no group nothing is said of them: {}", page.text);
    assert!(staff.get("/console/licenses").await.is(StatusCode::OK).has("href=\"/console/groups\""));
    assert!(staff.get("/console/groups").await.is(StatusCode::OK).has("No group yet."));

    let refused = [("name", "Studio North"), ("max_licenses", "two"), ("max_seats", "")];
    assert_eq!(staff.post("/console/groups", &refused).await.location(), "/console/groups?told=group-unread");
    let typed = [("name", "Studio <b>North</b>"), ("max_licenses", ""), ("max_seats", "2")];
    let made = staff.post("/console/groups", &typed).await.is(StatusCode::SEE_OTHER).location();
    let group = made.strip_suffix("?told=group-made").unwrap().to_owned();
    let id = group.rsplit('/').next().unwrap().to_owned();
    let page = staff.get(&made).await.is(StatusCode::OK);
    for text in ["The group is there.", "Studio &#60;b&#62;North", "0 / ∞", "0 / 2", "No license is in it."] {
        assert!(page.has(text), "{text} is not on {}", page.text);
    }
    assert!(staff.get("/console/groups").await.is(StatusCode::OK).has(&format!("href=\"{group}\"")));

    // From the page of the license, and from the page of the group.
    let put = [("group", id.as_str()), ("reason", "one company")];
    assert_eq!(
        staff.post(&format!("{license}/group"), &[("group", id.as_str())]).await.location(),
        format!("{license}?told=reason-missing")
    );
    assert_eq!(staff.post(&format!("{license}/group"), &put).await.location(), format!("{license}?told=grouped"));
    let page = staff.get(&license).await.is(StatusCode::OK);
    assert!(page.has(&format!("href=\"{group}\"")) && page.has("one company"), "{}", page.text);
    let other = licenses[1].id.to_string();
    for (typed, word) in [("lic_1", "group-license-unknown"), (other.as_str(), "grouped")] {
        let put = [("license", typed), ("reason", "one company")];
        assert_eq!(staff.post(&format!("{group}/licenses"), &put).await.location(), format!("{group}?told={word}"));
    }
    for key in &keys {
        world.activate(key, "desk", "Desk").await;
    }
    let page = staff.get(&group).await.is(StatusCode::OK);
    assert!(page.has("2 / ∞") && page.has("2 / 2") && page.has(&format!("href=\"{license}\"")), "{}", page.text);
    let table = staff.get("/console/exports/licenses.csv").await.is(StatusCode::OK).text;
    let grouped = table.lines().filter(|line| line.ends_with(&format!(",{id},Studio <b>North</b>"))).count();
    assert_eq!((grouped, table.lines().count()), (2, 3), "{table}");

    // Its owner reads why there is no room.
    let mut owner = world.signed_in("ada@example.com").await;
    let own = format!("/portal/licenses/{}", licenses[0].id);
    let page = owner.get(&own).await.is(StatusCode::OK);
    for text in ["1 of 5 devices activated", "other licenses of a group: 2 of 2 seats taken"] {
        assert!(page.has(text), "{text} is not on {}", page.text);
    }
    assert!(!page.has("Studio"), "what the seller calls it: {}", page.text);
    owner.languages = "de";
    assert!(owner.get(&own).await.has("Zusammen mit anderen Lizenzen einer Gruppe"));

    let change = |most: &'static str| [("name", "Studio"), ("max_licenses", "2"), ("max_seats", most), ("reason", "x")];
    assert_eq!(staff.post(&group, &change("1")).await.location(), format!("{group}?told=group-below-used"));
    assert_eq!(staff.post(&group, &change("9")).await.location(), format!("{group}?told=group-changed"));
    assert!(staff.get(&group).await.is(StatusCode::OK).has("2 / 9"));
    let unlimited = [("name", "Studio"), ("max_licenses", "2"), ("max_seats", ""), ("reason", "x")];
    staff.post(&group, &unlimited).await.is(StatusCode::SEE_OTHER);
    owner.languages = "en";
    let page = owner.get(&own).await.is(StatusCode::OK);
    assert!(page.has("of a group: 2 seats taken"), "{}", page.text);
    let (_, third) = world.bought("lumen-pro", "1").await;
    let third = world.sale(&third).await.licenses[0].id.to_string();
    let put = [("license", third.as_str()), ("reason", "x")];
    assert_eq!(
        staff.post(&format!("{group}/licenses"), &put).await.location(),
        format!("{group}?told=group-licenses-reached")
    );

    let delete = format!("{group}/delete");
    assert_eq!(staff.post(&delete, &[]).await.location(), format!("{group}?told=group-not-empty"));
    for row in &licenses {
        let path = format!("/console/licenses/{}", row.id);
        let out = [("group", ""), ("reason", "sold off")];
        assert_eq!(staff.post(&format!("{path}/group"), &out).await.location(), format!("{path}?told=ungrouped"));
    }
    assert_eq!(staff.post(&delete, &[]).await.location(), "/console/groups?told=group-deleted");
    staff.get(&group).await.is(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_that_is_old_takes_back_nothing_that_others_have_changed_since() {
    let world = World::new().await;
    let (mut early, mut late) = (world.staff().await, world.staff().await);
    let typed = [("name", "Studio North"), ("max_licenses", "3"), ("max_seats", "20")];
    let made = early.post("/console/groups", &typed).await.location();
    let group = made.strip_suffix("?told=group-made").unwrap().to_owned();
    let page = early.get(&group).await.is(StatusCode::OK);
    let shown = [("shown_name", "Studio North"), ("shown_max_licenses", "3"), ("shown_max_seats", "20")];
    for (name, value) in shown {
        let field = format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
        assert!(page.has(&field), "{field} is not on {}", page.text);
    }
    let typed = async |browser: &mut Browser, fields: [&str; 3]| {
        let [name, max_licenses, max_seats] = fields;
        let typed = [("name", name), ("max_licenses", max_licenses), ("max_seats", max_seats), ("reason", "x")];
        let told = browser.post(&group, &[typed.as_slice(), shown.as_slice()].concat()).await.location();
        assert_eq!(told, format!("{group}?told=group-changed"));
        let id = GroupId::parse(group.rsplit('/').next().unwrap()).unwrap();
        let group = world.app.group(world.shop.id, id).await.unwrap().group;
        (group.name, group.max_licenses, group.max_seats)
    };
    let name = || "Studio".to_owned();
    #[rustfmt::skip]
    let table = [
        // All of them typed over the same page, in turn; and what the group is then.
        (["Studio North", "3",  "60"], ("Studio North".to_owned(), Some(3), Some(60))),
        (["Studio",       "3",  "20"], (name(),                    Some(3), Some(60))),
        (["Studio North", "",   "20"], (name(),                    None,    Some(60))),
        (["Studio North", " 3", "55"], (name(),                    None,    Some(55))),
    ];
    for (number, (fields, expected)) in table.into_iter().enumerate() {
        let browser = if number % 2 == 0 { &mut late } else { &mut early };
        assert_eq!(typed(browser, fields).await, expected, "{fields:?}");
    }
}
