//! What is to be done: the queue, the page where one unit is handed over, and what buyer and shop write to each other.

use axum::http::StatusCode;
use domain::{Changes, Duration, Endpoint, EndpointId, Fulfilment, Plan, PlanId};

use super::desk;
use crate::support::{Browser, GOOD_CARD, World};

impl World {
    /// Puts a tier on sale that is as Lumen Pro but for how it is fulfilled.
    pub(crate) async fn fulfils(&self, slug: &str, fulfilment: Fulfilment) {
        let pro = self.app.store.plan_by_slug(self.shop.id, "lumen-pro").await.unwrap().unwrap();
        let id = PlanId::mint(self.app.clock.now(), &mut self.app.entropy.rng());
        let plan = Plan { id, version: 0, slug: slug.to_owned(), fulfilment, ..pro };
        self.app.write(&Changes { plans: vec![plan], ..Changes::default() }).await.unwrap();
    }

    /// A plan whose endpoint is a port where nobody listens.
    async fn asks_nobody(&self, slug: &str) {
        let id = EndpointId::mint(self.app.clock.now(), &mut self.app.entropy.rng());
        let endpoint = Endpoint {
            id,
            shop: self.shop.id,
            version: 0,
            slug: "mine".to_owned(),
            url: "http://127.0.0.1:9/fulfil".to_owned(),
            secrets: 1,
            created_at: self.app.clock.now(),
        };
        self.app.write(&Changes { endpoints: vec![endpoint], ..Changes::default() }).await.unwrap();
        self.fulfils(slug, Fulfilment::Webhook { endpoint: id }).await;
    }

    /// What is bought of a plan that a person fulfils: the browser, the order's page, and the claim's in the console.
    async fn promised(&self, slug: &str, within_hours: u32) -> (Browser, String, String) {
        self.fulfils(slug, Fulfilment::Manual { within_hours }).await;
        let (browser, order) = self.bought(slug, "1").await;
        self.settle().await;
        let license = self.sale(&order).await.licenses[0].id;
        (browser, order, format!("/console/claims/{license}"))
    }

    async fn mails_with(&self, text: &str) -> usize {
        let mails = self.mailbox.newest(100).await.unwrap();
        mails.iter().filter(|mail| mail.text.contains(text)).count()
    }
}

#[tokio::test]
async fn what_waits_stands_by_when_it_is_due_and_then_by_whom_it_waits_for() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let empty = staff.get("/console/claims").await.is(StatusCode::OK);
    assert!(empty.has("Nothing waits here."));
    let (_, _, later) = world.promised("by-hand-slow", 72).await;
    let (_, _, sooner) = world.promised("by-hand", 24).await;
    world.asks_nobody("by-program").await;
    let (_, order) = world.bought("by-program", "1").await;
    world.settle().await;
    let program = format!("/console/claims/{}", world.sale(&order).await.licenses[0].id);

    let page = staff.get("/console/claims").await.is(StatusCode::OK);
    let places: Vec<usize> =
        [&sooner, &later, &program].map(|url| page.text.find(&format!("href=\"{url}\"")).unwrap()).into();
    assert!(places.is_sorted(), "{places:?}");
    assert!(page.has("By a person") && page.has("By your program") && page.has("in 24 hours"), "{}", page.text);
    assert!(!page.has("overdue") && page.has(">3</span>"), "{}", page.text);
    for (kind, shown, hidden) in [("manual", &sooner, &program), ("webhook", &program, &sooner)] {
        let page = staff.get(&format!("/console/claims?kind={kind}")).await.is(StatusCode::OK);
        assert!(page.has(shown.as_str()) && !page.has(&format!("href=\"{hidden}\"")), "{kind}: {}", page.text);
    }
    world.app.clock.advance(Duration::hours(26));
    // Who works here is asked to sign in again.
    let mut staff = world.staff().await;
    let page = staff.get("/console/claims").await.is(StatusCode::OK);
    assert!(page.has("One unit is overdue.") && page.has("overdue, by 2 hours"), "{}", page.text);
    let home = staff.get("/console").await.is(StatusCode::OK);
    assert!(home.has("1 paid unit is overdue") && home.has("3 paid units wait"), "{}", home.text);
    assert_eq!(home.text.matches(">To do<").count(), 1, "one heading of that name");
}

#[tokio::test]
async fn what_the_buyer_answered_stands_where_the_work_is_done() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    world.asks("lumen-hosted").await;
    let asked = world.app.store.plan_by_slug(world.shop.id, "lumen-hosted").await.unwrap().unwrap();
    let by_hand = Plan { fulfilment: Fulfilment::Manual { within_hours: 24 }, ..asked };
    world.app.write(&Changes { plans: vec![by_hand], ..Changes::default() }).await.unwrap();
    let mut browser = world.browser();
    let answers = [("answer-host", "ada.example"), ("answer-region", "us-east")];
    let pressed = browser.press_pay("lumen-hosted", &answers).await.is(StatusCode::SEE_OTHER).location();
    let paid = world.pay(&pressed, GOOD_CARD).await;
    let order = browser.get(&world.own(&paid.location())).await.location();
    let sale = world.sale(&order).await;
    let claim = format!("/console/claims/{}", sale.licenses[0].id);
    let page = staff.get(&claim).await.is(StatusCode::OK);
    for (label, value) in [("Host name", "ada.example"), ("Region", "us-east")] {
        assert!(page.has(&format!("<dt><bdi>{label}</bdi></dt><dd><bdi>{value}</bdi></dd>")), "{}", page.text);
        let list = staff.get("/console/claims").await.is(StatusCode::OK);
        let quiet = format!("<span class=\"quiet\"><bdi>{label}</bdi>: <bdi>{value}</bdi></span>");
        assert!(list.has(&quiet), "{}", list.text);
    }

    // As after a restore: the sale was made again, and nobody was there to ask.
    let mut order = sale.order;
    for line in &mut order.lines {
        line.questions = vec![domain::Question {
            name: "host".to_owned(),
            label: domain::Wording([("en".to_owned(), "Host name".to_owned())].into()),
            is_required: true,
            choices: Vec::new(),
            help: None,
        }];
        line.answers.clear();
    }
    world.app.write(&Changes { orders: vec![order.clone()], ..Changes::default() }).await.unwrap();
    for path in ["/console/claims", &format!("/console/orders/{}", order.id)] {
        let page = staff.get(path).await.is(StatusCode::OK);
        assert!(page.has("Not answered: <bdi>Host name</bdi>"), "{path}: {}", page.text);
    }
    let page = staff.get(&claim).await.is(StatusCode::OK);
    assert!(page.has("<dt><bdi>Host name</bdi></dt><dd class=\"quiet\">Not answered</dd>"), "{}", page.text);
}

#[tokio::test]
async fn a_person_hands_over_once_and_the_proof_says_what_who_and_when() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (mut buyer, order, claim) = world.promised("by-hand", 24).await;
    let sale = world.sale(&order).await;
    let waits = buyer.get(&order).await.is(StatusCode::OK);
    assert!(waits.has("Our people do this by") && !waits.has("class=\"key\""), "{}", waits.text);
    assert!(waits.has("See it in your licenses") && !waits.has("take a new key"), "{}", waits.text);
    assert_eq!(world.mails_with("Our people do this by").await, 1);

    let page = staff.get(&claim).await.is(StatusCode::OK);
    assert!(page.has("What the buyer gets") && page.has("ada@example.com"), "{}", page.text);
    for (typed, told) in [
        (String::new(), "Enter what the buyer gets."),
        ("4242 4242 4242 4242".to_owned(), "looks like a card number"),
        ("a".repeat(256), "longer than 255 characters"),
    ] {
        let refused = staff.post(&claim, &[("content", &typed)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.has(told), "{}", refused.text);
        let field = refused.between("<textarea id=\"content\"", ">");
        assert!(field.contains("aria-describedby=\"content-hint content-error\""), "{field}");
        assert!(refused.between("id=\"content-error\">", "</p>").contains(told), "{}", refused.text);
    }
    let said = "Activated on your account <b>ada</b>";
    for _ in 0..2 {
        let told = staff.post(&claim, &[("content", said)]).await.is(StatusCode::SEE_OTHER).location();
        assert!(staff.get(&told).await.has("It is with the buyer."));
    }
    let refused = staff.post(&claim, &[("content", "Something else")]).await.is(StatusCode::CONFLICT);
    assert!(refused.has("Something else was handed over already"), "{}", refused.text);
    world.settle().await;
    assert_eq!(world.mails_with("Activated on your account").await, 1);

    let shown = buyer.get(&order).await.is(StatusCode::OK);
    assert!(shown.has("Activated on your account &#60;b&#62;ada"), "{}", shown.text);
    assert!(!shown.has("Our people do this by") && !shown.has("class=\"key\""));
    let license = format!("/console/licenses/{}", sale.licenses[0].id);
    for path in [&claim, &license, &desk(&sale)] {
        let page = staff.get(path).await.is(StatusCode::OK);
        assert!(page.has("by: Owner") && !page.has("ends in …"), "{path}: {}", page.text);
        let said = page.has("Activated on your account &#60;b&#62;ada");
        assert_eq!(said, *path != license, "it was typed here, and opens nothing: {path}: {}", page.text);
    }
    assert!(!staff.get("/console/claims").await.has(&claim), "it is done");
}

#[tokio::test]
async fn nothing_is_handed_over_for_money_that_went_back() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, given_back, dead) = world.promised("by-hand", 24).await;
    let (_, disputed, asleep) = world.promised("by-hand-2", 24).await;
    let path = format!("{}/refund", desk(&world.sale(&given_back).await));
    let form = [("amount", "99.00"), ("reason", "requested_by_customer"), ("revoke", "")];
    let asked = staff.post(&path, &form).await.is(StatusCode::OK);
    let fields: Vec<_> = ["refund", "amount", "reason", "revoke"].map(|name| (name, asked.hidden(name))).into();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    staff.post(&path, &fields).await.is(StatusCode::SEE_OTHER);
    let intent = world.sale(&disputed).await.payments[0].reference.clone().unwrap();
    let opened = world.control("disputes", &format!("{{\"payment_intent\":\"{intent}\"}}")).await;
    world.settle().await;
    let queue = staff.get("/console/claims").await.is(StatusCode::OK);
    assert!(!queue.has(&dead) && !queue.has(&asleep) && queue.has("Nothing waits here."), "{}", queue.text);
    for claim in [&dead, &asleep] {
        let page = staff.get(claim).await.is(StatusCode::OK);
        assert!(page.has("while the license does not work") && !page.has("name=\"content\""), "{}", page.text);
        let refused = staff.post(claim, &[("content", "Done")]).await.is(StatusCode::CONFLICT);
        assert!(refused.has("while the license does not work"));
    }
    // The bank gives the money back: the buyer has waited long enough.
    let case: serde_json::Value = serde_json::from_str(&opened).unwrap();
    let case = format!("disputes/{}", case["id"].as_str().unwrap());
    world.control(&case, r#"{"outcome":"won"}"#).await;
    world.settle().await;
    let queue = staff.get("/console/claims").await.is(StatusCode::OK);
    assert!(queue.has(&asleep) && !queue.has(&dead), "{}", queue.text);
    staff.post(&asleep, &[("content", "Done")]).await.is(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_program_that_says_nothing_is_asked_now_or_done_by_hand() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    world.asks_nobody("by-program").await;
    let (mut buyer, order) = world.bought("by-program", "1").await;
    world.settle().await;
    let claim = format!("/console/claims/{}", world.sale(&order).await.licenses[0].id);
    world.app.clock.advance(Duration::minutes(1));
    let told = staff.post(&format!("{claim}/ask"), &[]).await.is(StatusCode::SEE_OTHER).location();
    let page = staff.get(&told).await.is(StatusCode::OK);
    assert!(page.has("Your program was asked.") && page.has("When it was asked last"), "{}", page.text);
    staff.post(&claim, &[("content", "BY-HAND-0001")]).await.is(StatusCode::SEE_OTHER);
    let shown = buyer.get(&order).await;
    assert!(shown.has("BY-HAND-0001") && shown.has("See it in your licenses"), "{}", shown.text);
    assert!(!shown.has("take a new key") && !shown.has("hand it on"), "nobody hands a code on: {}", shown.text);
    let (_, _, by_hand) = world.promised("by-hand", 24).await;
    let told = staff.post(&format!("{by_hand}/ask"), &[]).await.is(StatusCode::SEE_OTHER).location();
    assert!(told.ends_with("claim-not-asked"), "{told}");
}

#[tokio::test]
async fn buyer_and_shop_write_to_each_other_and_nobody_else_reads_it() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (mut buyer, order, claim) = world.promised("by-hand", 24).await;
    let write = format!("{order}/messages");
    let question = "Which account?\n\n<i>Mine</i> is ada@example.com";
    let told = buyer.post(&write, &[("message", question)]).await.is(StatusCode::SEE_OTHER).location();
    let page = buyer.get(&told).await.is(StatusCode::OK);
    assert!(page.has("Your message is with the shop") && page.has("&#60;i&#62;Mine"), "{}", page.text);
    buyer.post(&write, &[("message", "And when?")]).await.is(StatusCode::SEE_OTHER);
    world.settle().await;
    assert_eq!(world.mails_with("A buyer wrote about order").await, 1, "one mail to the seller for both");
    for (typed, told) in [("", "Enter your message."), ("it is 4242424242424242", "looks like a card number")] {
        let refused = buyer.post(&write, &[("message", typed)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.has(told) && refused.has("aria-invalid"), "{}", refused.text);
        assert!(refused.title().starts_with("Error: "), "{}", refused.title());
        assert!(refused.has(&format!("data-poll=\"{order}\"")), "the page looks at its own address again");
    }
    let home = staff.get("/console").await.is(StatusCode::OK);
    assert!(home.has("/console/orders?waiting=answer") && home.has("1 buyer waits for an answer"), "{}", home.text);
    let waiting = staff.get("/console/orders?waiting=answer").await.is(StatusCode::OK);
    assert!(waiting.has(&desk(&world.sale(&order).await)) && waiting.has("Waits for an answer since"));

    let sale = world.sale(&order).await;
    let answer = format!("{}/messages", desk(&sale));
    for (from, text) in [("", "From the order"), (claim.rsplit('/').next().unwrap(), "From the claim")] {
        let told = staff.post(&answer, &[("message", text), ("claim", from)]).await.is(StatusCode::SEE_OTHER);
        let page = staff.get(&told.location()).await.is(StatusCode::OK);
        assert!(page.has(text) && page.has("Which account?") && page.has("on its way by mail"), "{}", page.text);
    }
    let empty = staff.post(&answer, &[("message", " ")]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    let field = empty.between("<textarea id=\"message\"", ">");
    assert!(field.contains("aria-describedby=\"message-hint message-error\""), "{field}");
    assert!(empty.between("id=\"message-error\">", "</p>").contains("Enter a message."), "{}", empty.text);
    let again = staff.post(&answer, &[("message", "From the claim")]).await.is(StatusCode::SEE_OTHER);
    assert!(staff.get(&again.location()).await.has("not sent a second time"));
    assert!(!staff.get("/console").await.has("waits for an answer"));
    assert!(staff.get("/console/orders?waiting=answer").await.has("Nobody waits for an answer."));
    world.settle().await;
    assert_eq!((world.mails_with("From the order").await, world.mails_with("From the claim").await), (1, 1));
    let page = buyer.get(&order).await.is(StatusCode::OK);
    let places: Vec<usize> = ["Which account?", "And when?", "From the order", "From the claim"]
        .map(|text| page.text.find(text).unwrap_or_else(|| panic!("{text}: {}", page.text)))
        .into();
    assert!(places.is_sorted());

    let (mut other, _) = world.bought("lumen-pro", "1").await;
    for stranger in [&mut other, &mut world.browser()] {
        let page = stranger.get(&order).await.is(StatusCode::FORBIDDEN);
        assert!(!page.has("Which account?"));
        stranger.post(&write, &[("message", "Let me in")]).await.is(StatusCode::FORBIDDEN);
        let sent = stranger.post(&answer, &[("message", "Let me in")]).await.is(StatusCode::SEE_OTHER);
        assert_eq!(sent.location(), "/console/sign-in");
    }
    let messages = world.app.store.messages(world.shop.id, sale.order.id).await.unwrap();
    assert_eq!(messages.len(), 4);
}

#[tokio::test]
async fn nobody_writes_where_the_buyer_cannot_read() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, sale) = world.unpaid("lumen-pro", "1").await;
    let page = staff.get(&desk(&sale)).await.is(StatusCode::OK);
    assert!(page.has("The buyer can read no message") && !page.has("name=\"message\""), "{}", page.text);
    let write = format!("{}/messages", desk(&sale));
    let refused = staff.post(&write, &[("message", "Pay, please")]).await.is(StatusCode::CONFLICT);
    assert!(refused.has("The buyer can read no message"), "{}", refused.text);
    assert!(world.app.store.messages(world.shop.id, sale.order.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_writes_much_waits_for_an_answer() {
    let world = World::new().await;
    let (mut buyer, order, _) = world.promised("by-hand", 24).await;
    let write = format!("{order}/messages");
    for place in 0..domain::MOST_UNANSWERED {
        buyer.post(&write, &[("message", &format!("Number {place}"))]).await.is(StatusCode::SEE_OTHER);
    }
    let refused = buyer.post(&write, &[("message", "One more")]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.has("not answered yet") && refused.has("One more"), "{}", refused.text);
}

#[tokio::test]
async fn who_came_with_a_key_alone_sees_no_messages_and_writes_none() {
    let world = World::new().await;
    let (mut buyer, order) = world.bought("lumen-pro", "1").await;
    world.settle().await;
    buyer.post(&format!("{order}/messages"), &[("message", "My secret")]).await.is(StatusCode::SEE_OTHER);
    let (key, number) = (world.keys(&order).await.remove(0), world.sale(&order).await.order.number.to_string());
    let mut holder = world.browser();
    holder.post("/portal/key", &[("key", &key), ("number", &number)]).await.is(StatusCode::SEE_OTHER);
    let page = holder.get(&order).await.is(StatusCode::OK);
    assert!(!page.has("My secret") && !page.has("name=\"message\""), "{}", page.text);
    holder.post(&format!("{order}/messages"), &[("message", "Hm")]).await.is(StatusCode::FORBIDDEN);
}
