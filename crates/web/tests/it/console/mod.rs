//! The console: who comes in, what each button does, and that nothing typed by a stranger becomes markup.

mod access;
mod attempts;
mod claims;
mod customers;
mod groups;
mod held;
mod hostile;
mod licenses;
mod notices;
mod orders;
mod refunds;
mod search;

use axum::http::StatusCode;
use domain::{ActivationRequest, Duration, Fingerprint, GatewayAccountId, OrderId, Sale};
use gateways::{Headers, HttpRequest, Method};
use latchkey_license::KeyCode;
use sandbox::model::delivery::sign;
use sandbox::model::moment::Moment;
use serde_json::Value;

use crate::support::{Browser, Page, World};

impl World {
    /// A way in, as it stands in a mail.
    async fn console_link(&self) -> String {
        let link = self.app.console_entry(&self.shop).await.unwrap().url;
        self.own(&link)
    }

    /// Somebody who works here, signed in.
    pub(crate) async fn staff(&self) -> Browser {
        let mut browser = self.browser();
        let link = self.console_link().await;
        let page = browser.get(&link).await.is(StatusCode::OK);
        enter(&mut browser, &page).await.is(StatusCode::SEE_OTHER);
        browser
    }

    pub(crate) async fn sale(&self, order_path: &str) -> Sale {
        let id = order_path.split('?').next().unwrap().rsplit('/').next().unwrap();
        self.app.sale(self.shop.id, OrderId::parse(id).unwrap()).await.unwrap()
    }

    /// From now on no webhook arrives by itself.
    async fn lose_webhooks(&self) {
        self.control("faults", r#"{"drop": 100}"#).await;
    }

    /// Presses pay and goes no further: the gateway's page, and the sale behind it.
    async fn unpaid(&self, plan: &str, quantity: &str) -> (String, Sale) {
        // Later than every order before, so that it is the newest.
        self.app.clock.advance(Duration::seconds(1));
        let gateway_page = self.browser().press_pay(plan, &[("quantity", quantity)]).await.location();
        let page = store::Page { starting_after: None, ending_before: None, limit: 1 };
        let orders = self.app.store.orders(self.shop.id, &store::OrderFilter::default(), page).await.unwrap();
        (gateway_page, self.app.sale(self.shop.id, orders.data[0].id).await.unwrap())
    }

    /// The shop's account at the gateway, and one of its credentials.
    async fn credential(&self, name: &str) -> (GatewayAccountId, String) {
        let account =
            self.app.gateway_accounts().await.into_iter().find(|account| account.shop == self.shop.id).unwrap();
        let credentials: Value = serde_json::from_str(&account.credentials).unwrap();
        (account.id, credentials[name].as_str().unwrap().to_owned())
    }

    /// The newest event of this kind at the gateway.
    async fn gateway_event(&self, kind: &str) -> Value {
        let (_, secret_key) = self.credential("secret_key").await;
        let request = HttpRequest {
            method: Method::Get,
            url: format!("{}/v1/events?type={kind}&limit=1", self.gateway),
            headers: vec![("authorization", format!("Bearer {secret_key}"))],
            body: Vec::new(),
        };
        let response = self.app.http.send(request).await.unwrap();
        let list: Value = serde_json::from_slice(&response.body).unwrap();
        list["data"][0].clone()
    }

    /// Takes an event as the gateway would have sent it; its page in the console.
    async fn tell(&self, event: &Value) -> String {
        let body = event.to_string();
        let now = self.app.clock.now().as_microseconds() / 1_000_000;
        let (account, webhook_secret) = self.credential("webhook_secret").await;
        let signature = sign(&[&webhook_secret], Moment::from_seconds(now), &body);
        let headers = Headers::new([("stripe-signature".to_owned(), signature)]);
        self.app.receive(account, &headers, body.as_bytes()).await.unwrap();
        let page = store::Page { starting_after: None, ending_before: None, limit: 100 };
        let notices = self.app.store.notices(self.shop.id, &store::NoticeFilter::default(), page).await.unwrap().data;
        let notice = notices.iter().find(|notice| notice.event_id == event["id"]).expect("the notice");
        format!("/console/notices/{}", notice.id)
    }

    /// Puts a device on a seat.
    pub(crate) async fn activate(&self, key: &str, fingerprint: &str, name: &str) {
        let request = ActivationRequest {
            name: Some(name.to_owned()),
            metadata: [("note".to_owned(), name.to_owned())].into(),
            ..ActivationRequest::of(Fingerprint::parse(fingerprint).unwrap())
        };
        self.app.activate_license(self.shop.id, &KeyCode::parse(key).unwrap(), &request).await.unwrap();
    }
}

/// Presses the button on the page that a link leads to.
async fn enter(browser: &mut Browser, page: &Page) -> Page {
    let (link, token) = (page.hidden("link"), page.hidden("token"));
    browser.post("/console/enter", &[("link", &link), ("token", &token)]).await
}

/// The page of an order in the console.
fn desk(sale: &Sale) -> String {
    format!("/console/orders/{}", sale.order.id)
}
