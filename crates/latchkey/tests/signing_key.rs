//! The keys that sign certificates change places under a running server, while apps ask: no certificate that was
//! given is ever one that the published keys do not verify.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::gateway::list;
use common::http::Http;
use common::shop::{Engine, Shop, text};
use common::until;
use latchkey_license::{KeySet, verify};
use serde_json::{Value, json};

/// The key pair that RFC 8410 shows in §10.3, and the public half of it as JWKs hold it.
const SHOWN_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";
const SHOWN_X: &str = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE";

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()).expect("in range")
}

async fn published(http: &Http, url: &str) -> (KeySet, Value) {
    let reply = http.get(&format!("{url}/.well-known/jwks.json"), &[]).await.expect("the keys");
    (KeySet::parse(&reply.body).expect("a key set"), reply.json())
}

/// The name of the key that signed a certificate.
fn kid(certificate: &str) -> String {
    let header = certificate.split('.').next().expect("a header");
    let header = data_encoding::BASE64URL_NOPAD.decode(header.as_bytes()).expect("base64url");
    text(&serde_json::from_slice::<Value>(&header).expect("JSON")["kid"])
}

async fn certificate(http: &Http, url: &str, key: &str) -> String {
    let asked = json!({ "key": key, "fingerprint": "laptop" });
    let reply = http.post_json(&format!("{url}/v1/licenses/validate"), &[], &asked).await.expect("an answer");
    text(&reply.json()["certificate"])
}

async fn keys_change_places_while_apps_ask(engine: Engine) {
    let shop = Shop::open(engine).await;
    let order = shop.door().buy(&shop.gateway, "license", 1).await;
    let key = text(&order["licenses"][0]["key"]);
    let activated = json!({ "key": key, "fingerprint": "laptop" });
    shop.http.post_json(&format!("{}/v1/licenses/activate", shop.url), &[], &activated).await.expect("a seat");
    let first = certificate(&shop.http, &shop.url, &key).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let verified = Arc::new(AtomicUsize::new(0));
    let asking = tokio::spawn({
        let (url, key) = (shop.url.clone(), key.clone());
        let (is_over, verified) = (Arc::clone(&is_over), Arc::clone(&verified));
        async move {
            let http = Http::new();
            while !is_over.load(Ordering::SeqCst) {
                let given = certificate(&http, &url, &key).await;
                let (keys, _) = published(&http, &url).await;
                verify(&given, &keys, now(), 60).expect("what is given can be verified");
                verified.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let signing_keys = |arguments: &[&str]| shop.run(&[&["signing-keys"], arguments].concat(), "");

    // Announced: published within seconds, and not used yet.
    let announced = signing_keys(&["add"]).result();
    assert_eq!(announced["signs"], false);
    let announced = text(&announced["kid"]);
    until("the announced key is published", Duration::from_secs(20), async || {
        let (keys, _) = published(&shop.http, &shop.url).await;
        keys.find(&announced).map(|_| ()).ok_or_else(|| "not there".to_owned())
    })
    .await;
    assert_eq!(kid(&certificate(&shop.http, &shop.url, &key).await), kid(&first));

    let second = text(&signing_keys(&["add", "--at-once"]).result()["kid"]);
    until("the new key signs", Duration::from_secs(20), async || {
        let signed_by = kid(&certificate(&shop.http, &shop.url, &key).await);
        if signed_by == second { Ok(()) } else { Err(signed_by) }
    })
    .await;
    let listed = signing_keys(&["list"]).result();
    let signs: Vec<&Value> = list(&listed["signing_keys"]).iter().filter(|key| key["signs"] == true).collect();
    assert_eq!((signs.len(), &signs[0]["kid"]), (1, &json!(second)));

    // What the old one signed stays good until it is revoked, and the one that signs cannot go.
    signing_keys(&["retire", &kid(&first)]).result();
    verify(&first, &published(&shop.http, &shop.url).await.0, now(), 60).expect("a retired key verifies");
    for refused in ["retire", "revoke"] {
        let told = signing_keys(&[refused, &second]);
        assert_eq!(told.code, Some(1));
        assert!(told.stderr.contains("is the key that signs"), "{}", told.stderr);
    }
    signing_keys(&["revoke", &kid(&first)]).result();
    until("the revoked key leaves the set", Duration::from_secs(20), async || {
        let (keys, _) = published(&shop.http, &shop.url).await;
        verify(&first, &keys, now(), 60).map_or(Ok(()), |_| Err("it still verifies".to_owned()))
    })
    .await;
    is_over.store(true, Ordering::SeqCst);
    asking.await.expect("no certificate that could not be verified");
    assert!(verified.load(Ordering::SeqCst) > 10, "hardly anybody asked");

    // A pair that exists already.
    let pem = shop.folder.path().join("pair.pem");
    std::fs::write(&pem, SHOWN_PEM).expect("a file");
    let pem = pem.to_str().expect("text");
    let imported = text(&signing_keys(&["import", pem, "--verify-only"]).result()["kid"]);
    let (_, set) = until("the imported key is published", Duration::from_secs(20), async || {
        let (keys, set) = published(&shop.http, &shop.url).await;
        if keys.find(&imported).is_some() { Ok((keys, set)) } else { Err("not there".to_owned()) }
    })
    .await;
    assert!(list(&set["keys"]).iter().any(|key| key["x"] == SHOWN_X), "{set:#}");
    for (arguments, said) in [
        (["import", pem], "is here already"),
        (["import", "Cargo.lock.missing"], "cannot be read"),
        (["retire", "nobody"], "there is no signing key nobody"),
        (["retire", "-Kurz"], "there is no signing key -Kurz"),
        (["revoke", "-_Kurz"], "there is no signing key -_Kurz"),
    ] {
        let told = signing_keys(&arguments);
        assert_eq!(told.code, Some(1), "{arguments:?}");
        assert!(told.stderr.contains(said), "{}", told.stderr);
    }
    std::fs::write(pem, "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n").expect("a file");
    assert!(signing_keys(&["import", pem]).stderr.contains("no Ed25519 private key"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keys_change_places_while_apps_ask() {
    keys_change_places_while_apps_ask(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keys_change_places_while_apps_ask() {
    keys_change_places_while_apps_ask(Engine::Postgres).await;
}
