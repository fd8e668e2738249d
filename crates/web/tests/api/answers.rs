//! What buyers are asked at the till, for programs.

use serde_json::json;

use crate::caller::{Caller, order_of};
use crate::support::{GOOD_CARD, World};

#[tokio::test]
async fn a_program_says_what_it_knows_and_reads_what_was_answered() {
    let world = World::new().await;
    world.asks("lumen-hosted").await;
    let manager = Caller::manager(&world).await;
    let mut body = order_of("lumen-hosted");
    #[rustfmt::skip]
    let refused = [
        (json!({ "host": "4242424242424242" }), "answers.host",   "looks like a card number"),
        (json!({ "host": "h".repeat(201) }),    "answers.host",   "more than 200 characters"),
        (json!({ "region": "the moon" }),       "answers.region", "not one of the choices"),
        (json!({ "colour": "red" }),            "answers.colour", "no question of the plan"),
    ];
    for (answers, param, told) in refused {
        body["answers"] = answers;
        let problem = manager.post("/v1/checkouts", &body).await.refused(422, "answer_invalid").json();
        assert_eq!(problem["param"], param);
        assert!(problem["detail"].as_str().unwrap().contains(told), "{problem}");
    }

    body["answers"] = json!({ "host": "ada.example" });
    let opened = manager.post("/v1/checkouts", &body).await.is(201).json();
    let order = format!("/v1/orders/{}", opened["order"].as_str().unwrap());
    assert_eq!(manager.get(&order).await.is(200).json()["lines"][0]["answers"], json!({ "host": "ada.example" }));
    let page = world.own(opened["url"].as_str().unwrap());
    let form = [("country", "DE"), ("consent", "yes"), ("press", "pay"), ("answer-region", "us-east")];
    let pressed = world.browser().post(&page, &form).await.location();
    world.pay(&pressed, GOOD_CARD).await;
    let answers = json!({ "host": "ada.example", "region": "us-east" });
    let read = manager.get(&order).await.is(200).json();
    assert_eq!(read["lines"][0]["answers"], answers);
    let listed = manager.get("/v1/orders").await.is(200).json();
    assert_eq!(listed["data"][0]["lines"][0]["answers"], answers);

    let plan = format!("/v1/plans/{}", opened["plan"].as_str().unwrap());
    let questions = manager.get(&plan).await.is(200).json()["questions"].clone();
    assert_eq!(
        questions[0],
        json!({
            "name": "host", "label": { "en": "Host name", "de": "Name des Hosts" }, "required": true,
            "help": { "en": "As ada.example" },
        })
    );
    assert_eq!(questions[1]["choices"], json!(["eu-west", "us-east"]));
}
