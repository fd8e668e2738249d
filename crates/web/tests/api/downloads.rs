//! Files of releases, as an app finds and fetches them with its key.

use axum::http::Method;
use domain::{Changes, License, LicenseState};
use serde_json::json;

use crate::caller::{Caller, key_of_nobody};
use crate::support::World;

#[tokio::test]
async fn an_app_is_told_what_there_is_and_fetches_it_with_the_key_alone() {
    let world = World::new().await;
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("lumen-pro", "1").await;
    let key = world.keys(&order).await.remove(0);
    let ask = json!({ "key": key });
    let none = app.post("/v1/licenses/downloads", &ask).await.is(200).json();
    assert_eq!(none["releases"], json!([]));

    let published = world.publishes("3.2.0", &[("lumen.txt", b"light"), ("lumen-2.txt", b"more light")]).await;
    let found = app.post("/v1/licenses/downloads", &ask).await.is(200).json();
    let now = world.app.clock.now();
    assert_eq!(found["links_end_at"], json!(domain::Timestamp::from_seconds(now.as_seconds() + 86_400)));
    let release = &found["releases"][0];
    assert_eq!(
        [&release["id"], &release["version"], &release["notes"], &release["published_at"]],
        [&json!(published.release.id), &json!("3.2.0"), &json!("Opens **faster**"), &json!(now)]
    );
    let file = &release["files"][1];
    assert_eq!(
        [&file["name"], &file["platform"], &file["size"], &file["sha256"]],
        [
            &json!("lumen.txt"),
            &json!("Any <system>"),
            &json!(5),
            // sha256sum of the same five bytes
            &json!("99a7026172d42714d0293e5598ec1c8e8260d7d0c4b8582ad002c1883494e216"),
        ]
    );
    let url = world.own(file["url"].as_str().unwrap());
    let got = app.get(&url).await.is(200);
    assert_eq!((got.text.as_str(), got.header("accept-ranges")), ("light", "bytes"));
    let part = app.send(Method::GET, &url, &[("range", "bytes=2-")], vec![]).await.is(206);
    assert_eq!((part.text.as_str(), part.header("content-range")), ("ght", "bytes 2-4/5"));
    let end = url.len() - 1;
    app.get(&url[..end]).await.refused(403, "download_link_invalid");

    app.post("/v1/licenses/downloads", &json!({ "key": key_of_nobody() })).await.refused(404, "license_unknown");
    app.post("/v1/licenses/downloads", &json!({ "key": key, "product": "lumen" }))
        .await
        .refused(422, "parameter_unknown");
    let page = store::Page { starting_after: None, ending_before: None, limit: 1 };
    let licenses = world.app.store.licenses(world.shop.id, &store::LicenseFilter::default(), page).await.unwrap();
    let license = licenses.data[0].clone();
    let revoked = License { state: LicenseState::RevokedByPerson, ..license };
    world.app.write(&Changes { licenses: vec![revoked], ..Changes::default() }).await.unwrap();
    app.post("/v1/licenses/downloads", &ask).await.refused(403, "license_revoked");
    app.get(&url).await.refused(403, "license_revoked");
}
