//! Text of strangers on every page of the console: shown, and never markup.

use axum::http::StatusCode;
use domain::{
    Changes, Customer, Delivery, DeliveryId, DeliveryState, Endpoint, EndpointId, Fulfilment, JobKind, Locale,
    MailKind, Plan, Product, Question, Wording,
};
use serde_json::json;

use super::desk;
use crate::support::World;

const CORPUS: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "</code></pre><iframe src=//evil.example>",
    "{{7*7}}<b>${7*7}</b>",
    "\u{202e}<a href=javascript:alert(1)>",
];

/// Tags that only a stranger could have put there.
const NEVER: [&str; 7] = ["<script", "<img", "<svg", "<iframe", "<b>", "<a href=javascript", "href=\"javascript"];

#[tokio::test]
async fn what_a_stranger_typed_is_text_on_every_page() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    for (place, hostile) in CORPUS.into_iter().enumerate() {
        let product = world.app.store.product_by_slug(world.shop.id, "lumen").await.unwrap().unwrap();
        let product = Product { name: format!("Lumen {hostile}"), ..product };
        world.app.write(&Changes { products: vec![product], ..Changes::default() }).await.unwrap();
        let (_, order) = world.bought("lumen-pro", "1").await;
        let sale = world.sale(&order).await;
        let key = world.keys(&order).await.remove(0);
        world.activate(&key, &format!("fp-{place}-{hostile}"), hostile).await;
        let customer = world.app.store.customer(world.shop.id, sale.order.customer.unwrap()).await.unwrap().unwrap();
        let named = Customer { name: Some(hostile.to_owned()), ..customer.clone() };
        let now = world.app.clock.now();
        let delivery = Delivery {
            id: DeliveryId::mint(now, &mut world.app.entropy.rng()),
            shop: world.shop.id,
            version: 0,
            mail: MailKind::OrderPaid { order: sale.order.id },
            to: customer.email.clone(),
            locale: Locale::english(),
            order: Some(sale.order.id),
            customer: Some(customer.id),
            state: DeliveryState::Refused,
            attempts: 1,
            last_error: Some(format!("550 {hostile}")),
            created_at: now,
            sent_at: None,
            without_keys: false,
        };
        world
            .app
            .write(&Changes { customers: vec![named], deliveries: vec![delivery], ..Changes::default() })
            .await
            .unwrap();
        let visible: String = hostile.chars().filter(char::is_ascii_graphic).collect();
        let event = json!({
            "id": format!("evt_{place}{visible}"), "object": "event", "type": format!("custom.{visible}"), "livemode": false,
            "created": 1_800_000_000, "data": { "object": { "id": hostile, hostile: hostile } },
        });
        let notice = world.tell(&event).await;
        // A message that is parked with a detail that names what was sent.
        let unreadable = json!({
            "id": format!("evt_unreadable_{place}"), "object": "event", "type": "payment_intent.succeeded", "livemode": false,
            "created": 1_800_000_000, "data": { "object": { "id": hostile, "object": "payment_intent", "status": hostile } },
        });
        let parked = world.tell(&unreadable).await;

        let typed =
            serde_urlencoded::to_string([("q", hostile), ("told", hostile), ("state", hostile), ("after", hostile)])
                .unwrap();
        let device = format!("fp-{place}-{hostile}");
        let asked = serde_urlencoded::to_string([("device", device.as_str()), ("tail", hostile)]).unwrap();
        world.app.note_unknown_key(world.shop.id, hostile);
        world.app.write_attempts(true).await.unwrap();
        let claim = world.hostile_claim(place, hostile).await;
        let pages = [
            format!("/console/claims?{typed}"),
            format!("/console/claims?kind=webhook&{typed}"),
            format!("/console/claims?{}", serde_urlencoded::to_string([("kind", hostile)]).unwrap()),
            format!("{claim}?{typed}"),
            format!("/console/orders?waiting=answer&{typed}"),
            format!("/console?{typed}"),
            format!("/console/orders?{typed}"),
            format!("{}?{typed}", desk(&sale)),
            format!("/console/licenses?{typed}"),
            format!("/console/licenses/{}?{typed}", sale.licenses[0].id),
            format!("/console/customers?{typed}"),
            format!("/console/customers/{}?{typed}", customer.id),
            format!("/console/mails?{typed}"),
            format!("/console/notices?{typed}"),
            format!("{notice}?{typed}"),
            format!("{parked}?{typed}"),
            format!("/console/attempts?{typed}"),
            format!("/console/attempts?{asked}"),
            format!("/console/search?{typed}"),
            format!("/console/sign-in?{typed}"),
            format!("/console/enter?{}", serde_urlencoded::to_string([("link", hostile), ("token", hostile)]).unwrap()),
        ];
        for path in pages {
            let mut page = staff.get(&path).await;
            if path.starts_with("/console/search") && page.status == StatusCode::SEE_OTHER {
                // The one device of this name leads to its license.
                page = staff.get(&page.location()).await;
            }
            harmless(&path, &page.is(StatusCode::OK).text);
        }
        for path in [
            desk(&sale),
            format!("/console/licenses/{}", sale.licenses[0].id),
            format!("/console/customers/{}", customer.id),
            notice,
            claim.clone(),
            "/console/claims".to_owned(),
        ] {
            let page = staff.get(&path).await;
            assert!(page.has("&#60;") || page.has("&lt;"), "{path} shows nothing of {hostile}: {}", page.text);
        }
        let typed = staff.post("/console/sign-in", &[("email", hostile)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        harmless("the address", &typed.text);
        let long = format!("{hostile}{}", "x".repeat(2_000));
        for (path, field) in [(claim.clone(), "content"), (format!("{}/messages", desk(&sale)), "message")] {
            let typed = staff.post(&path, &[(field, &long)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
            harmless(field, &typed.text);
        }
        let form = [("amount", hostile), ("reason", hostile), ("revoke", hostile)];
        let typed = staff.post(&format!("{}/refund", desk(&sale)), &form).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        harmless("the amount", &typed.text);
        let form = [("amount", "1"), ("reason", hostile), ("revoke", hostile)];
        let asked = staff.post(&format!("{}/refund", desk(&sale)), &form).await.is(StatusCode::OK);
        harmless("the refund", &asked.text);
    }
}

impl World {
    /// A unit that waits for the seller's program, whose buyer answered, wrote and was answered in this text, under a
    /// label that says it too, and whose program failed with it. Gives the address of its page.
    async fn hostile_claim(&self, place: usize, hostile: &str) -> String {
        let slug = format!("hostile-{place}");
        let now = self.app.clock.now();
        let endpoint = Endpoint {
            id: EndpointId::mint(now, &mut self.app.entropy.rng()),
            shop: self.shop.id,
            version: 0,
            slug: slug.clone(),
            url: "http://127.0.0.1:9/fulfil".to_owned(),
            secrets: 1,
            created_at: now,
        };
        let fulfilment = Fulfilment::Webhook { endpoint: endpoint.id };
        self.app.write(&Changes { endpoints: vec![endpoint], ..Changes::default() }).await.unwrap();
        self.fulfils(&slug, fulfilment).await;
        let plan = self.app.store.plan_by_slug(self.shop.id, &slug).await.unwrap().unwrap();
        let text: String = hostile.chars().filter(|letter| *letter != '\u{202e}').collect();
        let question = Question {
            name: "host".to_owned(),
            label: Wording([("en".to_owned(), text.clone())].into()),
            is_required: true,
            choices: Vec::new(),
            help: Some(Wording([("en".to_owned(), text.clone())].into())),
        };
        self.app
            .write(&Changes { plans: vec![Plan { questions: vec![question], ..plan }], ..Changes::default() })
            .await
            .unwrap();
        let mut browser = self.browser();
        let till = browser.get(&format!("/buy/{slug}?country=DE")).await.is(StatusCode::OK);
        let gateway_page = browser.press(&till, &slug, &[("answer-host", &text)]).await.location();
        let paid = self.pay(&gateway_page, crate::support::GOOD_CARD).await;
        let order = browser.get(&self.own(&paid.location())).await.location();
        browser.post(&format!("{order}/messages"), &[("message", &text)]).await.is(StatusCode::SEE_OTHER);
        let sale = self.sale(&order).await;
        let kind = JobKind::AskEndpoint { license: sale.licenses[0].id };
        let lease = self.app.clock.now().after(domain::Duration::minutes(2));
        let job = self.app.store.take_job(self.shop.id, kind, self.app.clock.now(), lease).await.unwrap().unwrap();
        self.app.store.retry_job(&job, lease, &format!("the endpoint answered 500: {hostile}")).await.unwrap();
        let page = browser.get(&order).await.is(StatusCode::OK);
        assert!(page.has("&#60;") || page.has("&lt;") || !text.contains('<'), "{}", page.text);
        format!("/console/claims/{}", sale.licenses[0].id)
    }
}

fn harmless(path: &str, text: &str) {
    for tag in NEVER {
        assert!(!text.contains(tag), "{path} holds {tag}: {text}");
    }
}
