//! A customer's address, corrected with a reason.

use axum::http::StatusCode;

use super::desk;
use crate::support::World;

#[tokio::test]
async fn an_address_is_corrected_with_a_reason_and_the_receipt_sent_again() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    world.settle().await;
    let sale = world.sale(&order).await;
    let page = format!("/console/customers/{}", sale.order.customer.unwrap());
    let path = format!("{page}/email");
    assert!(staff.get(&page).await.is(StatusCode::OK).has("Correct the address"));
    #[rustfmt::skip]
    let rows = [
        // typed                reason    resend  told
        ("ada@",                "a typo", "yes",  "email-unread"),
        ("grace@example.com",   " ",      "yes",  "email-unread"),
        ("grace@example.com",   "a typo", "",     "email-corrected"),
        ("grace2@example.com",  "a typo", "yes",  "email-resent"),
    ];
    for (email, reason, resend, told) in rows {
        let form = [("email", email), ("reason", reason), ("resend", resend)];
        let done = staff.post(&path, &form).await.is(StatusCode::SEE_OTHER).location();
        assert_eq!(done, format!("{page}?told={told}"), "{email} {reason}");
        assert!(staff.get(&done).await.is(StatusCode::OK).has("role=\"status\""), "{told} is said");
    }
    world.settle().await;
    assert_eq!(world.sale(&order).await.order.email.unwrap().as_str(), "grace2@example.com");
    let timeline = staff.get(&desk(&sale)).await;
    let timeline = timeline.between("<ol class=\"timeline\">", "</ol>");
    assert_eq!(timeline.matches("The address of the customer was corrected").count(), 2, "{timeline}");
    assert!(timeline.contains("a typo"), "{timeline}");

    let (_, other) = world.unpaid("lumen-pro", "1").await;
    let form = [("email", "GRACE2@example.com"), ("reason", "a typo")];
    let path = format!("/console/customers/{}/email", other.order.customer.unwrap());
    assert!(staff.post(&path, &form).await.location().ends_with("told=email-taken"));
    staff.post("/console/customers/cus_1/email", &form).await.is(StatusCode::NOT_FOUND);
}
