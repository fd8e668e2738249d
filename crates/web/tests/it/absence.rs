//! Webhooks that do not come: nothing is lost, and somebody is told.

use app::Severity;
use domain::Duration;

use crate::support::{GOOD_CARD, World};

#[tokio::test]
async fn doctor_tells_when_asking_finds_what_no_webhook_has_brought() {
    let world = World::new().await;
    let account = world.app.gateway_accounts().await.remove(0);
    let check = format!("webhooks:{}", account.id);
    let finding = async || {
        let findings = world.app.examine().await.unwrap();
        findings.into_iter().find(|finding| finding.check == check).unwrap()
    };
    assert_eq!(finding().await.severity, Severity::Good, "nothing was sold yet, so nothing is missing");

    let mut browser = world.browser();
    let page = browser.press_pay("lumen-pro", &[]).await.location();
    world.pay(&page, GOOD_CARD).await;
    world.app.clock.advance(Duration::minutes(10));
    world.control("clock", r#"{"advance_seconds":600}"#).await;
    assert!(world.app.catch_up().await.unwrap() > 0, "the event is in the list");
    let absent = finding().await;
    assert_eq!(absent.severity, Severity::Warning, "{}", absent.found);
    assert!(absent.found.contains("no webhook has ever come"), "{}", absent.found);
    assert!(!absent.way_out.is_empty());
}
