#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod convergence;
mod random;
mod story;

use self::story::{Story, kind_of};
use crate::fixture::{Reporter, rng};
use crate::{
    Actor, Changes, DisputeState, Fact, LicenseState, MethodSummary, Occurrence, OrderId, OrderState, PaymentId,
    PaymentLocator, PaymentState, PaymentStatus, RefundId, RefundReason, Sale, ShopId,
};

/// Checks every row `before | occurrence | payments | order | licenses | mails and jobs | why`: what happened
/// before, in the words of [`Story`], then one more occurrence, and what it makes of the sale. The last four columns
/// of a refusal are empty, and `=` says that nothing changed. Gives the cells that were looked at: the first
/// payment's state, the order's state and the kind of the occurrence.
fn check(table: &str) -> Vec<(PaymentState, OrderState, String)> {
    let mut cells = Vec::new();
    let mut found = String::new();
    let mut expected = String::new();
    for line in table.trim().lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let row: Vec<&str> = line.split('|').map(str::trim).collect();
        let [before, occurrence, payments, order, licenses, effects, why] = row[..] else {
            panic!("not a row: {line}")
        };
        let mut story = Story::new();
        for part in before.split(", ").filter(|part| *part != "-") {
            story.tell(part).unwrap_or_else(|refusal| panic!("{before}: {part} was refused: {refusal}"));
        }
        let state = story.world.sale.payments[0].state;
        cells.push((state, story.world.sale.order.state, kind_of(occurrence)));
        let outcome = story.outcome(occurrence);
        let aligned = |cells: [&str; 4]| {
            let [payments, order, licenses, effects] = cells;
            format!(
                "{before:32} | {occurrence:34} | {payments:30} | {order:18} | {licenses:20} | {effects:32} | {why}\n"
            )
        };
        expected.push_str(&aligned([payments, order, licenses, effects]));
        found.push_str(&aligned(outcome.each_ref().map(String::as_str)));
    }
    let differ = found.lines().zip(expected.lines()).filter(|(found, expected)| found != expected);
    let differ: Vec<String> =
        differ.map(|(found, expected)| format!("expected {expected}\nfound    {found}")).collect();
    assert!(differ.is_empty(), "{}\n\nThe whole table as it is:\n{found}", differ.join("\n"));
    cells
}

#[test]
fn every_payment_state_meets_every_occurrence() {
    let cells = check(
        "
before                          | occurrence             | payments                  | order              | licenses             | mails and jobs      | why
-                               | page                   | sent                      | pending            |                      |                     |
-                               | unanswered             | unknown                   | pending            |                      |                     |
-                               | call refused           | failed                    | pending            |                      |                     |
-                               | still open             | created                   | pending            |                      |                     | only the next moment to ask moves
-                               | open                   | sent                      | pending            |                      |                     |
-                               | declined card_declined | sent                      | pending            |                      |                     |
-                               | challenge              | requires_action           | pending            |                      |                     |
-                               | processing             | processing                | pending            |                      |                     |
-                               | captured 98.00         | succeeded                 | paid               | active               | order_paid mail     | the webhook overtook the answer to our own call
-                               | captured 97.00         | refused amount_mismatch   |                    |                      |                     | parked, never fulfilled
-                               | captured 98.00 USD     | refused currency_mismatch |                    |                      |                     | parked, never fulfilled
-                               | failed account_closed  | failed                    | pending            |                      |                     | no mail: who is declined on the page sees it there
-                               | canceled               | canceled                  | pending            |                      |                     |
-                               | refund pending 98.00   | created                   | pending            |                      | ask_payment         |
-                               | refund succeeded 98.00 | created                   | pending            |                      | ask_payment         | it overtook the payment: the gateway is asked
-                               | refund succeeded 20.00 | created                   | pending            |                      | ask_payment         |
-                               | refund failed 98.00    | created                   | pending            |                      |                     |
-                               | refund canceled 98.00  | created                   | pending            |                      |                     |
-                               | refund request all     | refused order_not_paid    |                    |                      |                     |
-                               | refund call refused    | refused payment_unknown   |                    |                      |                     |
-                               | dispute warning 98.00  | created                   | pending            |                      | ask_payment         |
-                               | dispute opened 98.00   | created                   | pending            |                      | ask_payment         | it overtook the payment: the gateway is asked
unanswered                      | page                   | sent                      | pending            |                      |                     | the call had worked after all
unanswered                      | unanswered             | =                         |                    |                      |                     |
unanswered                      | call refused           | failed                    | pending            |                      |                     |
unanswered                      | still open             | unknown                   | pending            |                      |                     |
unanswered                      | open                   | sent                      | pending            |                      |                     |
unanswered                      | declined card_declined | sent                      | pending            |                      |                     |
unanswered                      | challenge              | requires_action           | pending            |                      |                     |
unanswered                      | processing             | processing                | pending            |                      |                     |
unanswered                      | captured 98.00         | succeeded                 | paid               | active               | order_paid mail     |
unanswered                      | captured 97.00         | refused amount_mismatch   |                    |                      |                     |
unanswered                      | captured 98.00 USD     | refused currency_mismatch |                    |                      |                     |
unanswered                      | failed account_closed  | failed                    | pending            |                      |                     |
unanswered                      | canceled               | canceled                  | pending            |                      |                     |
unanswered                      | refund pending 98.00   | unknown                   | pending            |                      | ask_payment         |
unanswered                      | refund succeeded 98.00 | unknown                   | pending            |                      | ask_payment         |
unanswered                      | refund succeeded 20.00 | unknown                   | pending            |                      | ask_payment         |
unanswered                      | refund failed 98.00    | unknown                   | pending            |                      |                     |
unanswered                      | refund canceled 98.00  | unknown                   | pending            |                      |                     |
unanswered                      | refund request all     | refused order_not_paid    |                    |                      |                     |
unanswered                      | refund call refused    | refused payment_unknown   |                    |                      |                     |
unanswered                      | dispute warning 98.00  | unknown                   | pending            |                      | ask_payment         |
unanswered                      | dispute opened 98.00   | unknown                   | pending            |                      | ask_payment         |
page                            | page                   | =                         |                    |                      |                     |
page                            | unanswered             | =                         |                    |                      |                     |
page                            | call refused           | =                         |                    |                      |                     | the page is open: only a repeated call was refused
page                            | still open             | sent                      | pending            |                      |                     |
page                            | open                   | sent                      | pending            |                      |                     |
page                            | declined card_declined | sent                      | pending            |                      |                     | the page stays open for another card
page                            | challenge              | requires_action           | pending            |                      |                     |
page                            | processing             | processing                | pending            |                      |                     |
page                            | captured 98.00         | succeeded                 | paid               | active               | order_paid mail     |
page                            | captured 97.00         | refused amount_mismatch   |                    |                      |                     |
page                            | captured 98.00 USD     | refused currency_mismatch |                    |                      |                     |
page                            | failed account_closed  | failed                    | pending            |                      |                     |
page                            | canceled               | canceled                  | pending            |                      |                     |
page                            | refund pending 98.00   | sent                      | pending            |                      | ask_payment         |
page                            | refund succeeded 98.00 | sent                      | pending            |                      | ask_payment         |
page                            | refund succeeded 20.00 | sent                      | pending            |                      | ask_payment         |
page                            | refund failed 98.00    | sent                      | pending            |                      |                     |
page                            | refund canceled 98.00  | sent                      | pending            |                      |                     |
page                            | refund request all     | refused order_not_paid    |                    |                      |                     |
page                            | refund call refused    | refused payment_unknown   |                    |                      |                     |
page                            | dispute warning 98.00  | sent                      | pending            |                      | ask_payment         |
page                            | dispute opened 98.00   | sent                      | pending            |                      | ask_payment         |
page, challenge                 | page                   | =                         |                    |                      |                     |
page, challenge                 | unanswered             | =                         |                    |                      |                     |
page, challenge                 | call refused           | =                         |                    |                      |                     |
page, challenge                 | still open             | requires_action           | pending            |                      |                     |
page, challenge                 | open                   | =                         |                    |                      |                     | an older report
page, challenge                 | declined card_declined | sent                      | pending            |                      |                     | back on the page
page, challenge                 | challenge              | =                         |                    |                      |                     |
page, challenge                 | processing             | processing                | pending            |                      |                     |
page, challenge                 | captured 98.00         | succeeded                 | paid               | active               | order_paid mail     |
page, challenge                 | captured 97.00         | refused amount_mismatch   |                    |                      |                     |
page, challenge                 | captured 98.00 USD     | refused currency_mismatch |                    |                      |                     |
page, challenge                 | failed account_closed  | failed                    | pending            |                      |                     |
page, challenge                 | canceled               | canceled                  | pending            |                      |                     |
page, challenge                 | refund pending 98.00   | requires_action           | pending            |                      | ask_payment         |
page, challenge                 | refund succeeded 98.00 | requires_action           | pending            |                      | ask_payment         |
page, challenge                 | refund succeeded 20.00 | requires_action           | pending            |                      | ask_payment         |
page, challenge                 | refund failed 98.00    | requires_action           | pending            |                      |                     |
page, challenge                 | refund canceled 98.00  | requires_action           | pending            |                      |                     |
page, challenge                 | refund request all     | refused order_not_paid    |                    |                      |                     |
page, challenge                 | refund call refused    | refused payment_unknown   |                    |                      |                     |
page, challenge                 | dispute warning 98.00  | requires_action           | pending            |                      | ask_payment         |
page, challenge                 | dispute opened 98.00   | requires_action           | pending            |                      | ask_payment         |
page, processing                | page                   | =                         |                    |                      |                     |
page, processing                | unanswered             | =                         |                    |                      |                     |
page, processing                | call refused           | =                         |                    |                      |                     |
page, processing                | still open             | processing                | pending            |                      |                     |
page, processing                | open                   | =                         |                    |                      |                     |
page, processing                | declined card_declined | processing                | pending            |                      |                     | a late report of the try before; noted, nothing else
page, processing                | challenge              | =                         |                    |                      |                     |
page, processing                | processing             | =                         |                    |                      |                     |
page, processing                | captured 98.00         | succeeded                 | paid               | active               | order_paid mail     |
page, processing                | captured 97.00         | refused amount_mismatch   |                    |                      |                     |
page, processing                | captured 98.00 USD     | refused currency_mismatch |                    |                      |                     |
page, processing                | failed account_closed  | failed                    | pending            |                      | payment_failed mail | who left with a debit under way learns it by mail
page, processing                | canceled               | canceled                  | pending            |                      |                     |
page, processing                | refund pending 98.00   | processing                | pending            |                      | ask_payment         |
page, processing                | refund succeeded 98.00 | processing                | pending            |                      | ask_payment         |
page, processing                | refund succeeded 20.00 | processing                | pending            |                      | ask_payment         |
page, processing                | refund failed 98.00    | processing                | pending            |                      |                     |
page, processing                | refund canceled 98.00  | processing                | pending            |                      |                     |
page, processing                | refund request all     | refused order_not_paid    |                    |                      |                     |
page, processing                | refund call refused    | refused payment_unknown   |                    |                      |                     |
page, processing                | dispute warning 98.00  | processing                | pending            |                      | ask_payment         |
page, processing                | dispute opened 98.00   | processing                | pending            |                      | ask_payment         |
page, canceled                  | page                   | =                         |                    |                      |                     |
page, canceled                  | unanswered             | =                         |                    |                      |                     |
page, canceled                  | call refused           | =                         |                    |                      |                     |
page, canceled                  | still open             | =                         |                    |                      |                     |
page, canceled                  | open                   | =                         |                    |                      |                     |
page, canceled                  | declined card_declined | canceled                  | pending            |                      |                     | a late report; the journal learns why
page, canceled                  | challenge              | =                         |                    |                      |                     |
page, canceled                  | processing             | =                         |                    |                      |                     |
page, canceled                  | captured 98.00         | succeeded                 | paid               | active               | order_paid mail     | a surprise capture for an order that is not paid
page, canceled                  | captured 97.00         | refused amount_mismatch   |                    |                      |                     |
page, canceled                  | captured 98.00 USD     | refused currency_mismatch |                    |                      |                     |
page, canceled                  | failed account_closed  | failed                    | pending            |                      |                     |
page, canceled                  | canceled               | =                         |                    |                      |                     |
page, canceled                  | refund pending 98.00   | canceled                  | pending            |                      | ask_payment         |
page, canceled                  | refund succeeded 98.00 | canceled                  | pending            |                      | ask_payment         |
page, canceled                  | refund succeeded 20.00 | canceled                  | pending            |                      | ask_payment         |
page, canceled                  | refund failed 98.00    | canceled                  | pending            |                      |                     |
page, canceled                  | refund canceled 98.00  | canceled                  | pending            |                      |                     |
page, canceled                  | refund request all     | refused order_not_paid    |                    |                      |                     |
page, canceled                  | refund call refused    | refused payment_unknown   |                    |                      |                     |
page, canceled                  | dispute warning 98.00  | canceled                  | pending            |                      | ask_payment         |
page, canceled                  | dispute opened 98.00   | canceled                  | pending            |                      | ask_payment         |
page, failed insufficient_funds | page                   | =                         |                    |                      |                     |
page, failed insufficient_funds | unanswered             | =                         |                    |                      |                     |
page, failed insufficient_funds | call refused           | =                         |                    |                      |                     |
page, failed insufficient_funds | still open             | =                         |                    |                      |                     |
page, failed insufficient_funds | open                   | =                         |                    |                      |                     |
page, failed insufficient_funds | declined card_declined | =                         |                    |                      |                     |
page, failed insufficient_funds | challenge              | =                         |                    |                      |                     |
page, failed insufficient_funds | processing             | =                         |                    |                      |                     |
page, failed insufficient_funds | captured 98.00         | succeeded                 | paid               | active               | order_paid mail     | a surprise capture for an order that is not paid
page, failed insufficient_funds | captured 97.00         | refused amount_mismatch   |                    |                      |                     |
page, failed insufficient_funds | captured 98.00 USD     | refused currency_mismatch |                    |                      |                     |
page, failed insufficient_funds | failed account_closed  | failed                    | pending            |                      |                     |
page, failed insufficient_funds | canceled               | =                         |                    |                      |                     | nothing reopens what has ended
page, failed insufficient_funds | refund pending 98.00   | failed                    | pending            |                      | ask_payment         |
page, failed insufficient_funds | refund succeeded 98.00 | failed                    | pending            |                      | ask_payment         |
page, failed insufficient_funds | refund succeeded 20.00 | failed                    | pending            |                      | ask_payment         |
page, failed insufficient_funds | refund failed 98.00    | failed                    | pending            |                      |                     |
page, failed insufficient_funds | refund canceled 98.00  | failed                    | pending            |                      |                     |
page, failed insufficient_funds | refund request all     | refused order_not_paid    |                    |                      |                     |
page, failed insufficient_funds | refund call refused    | refused payment_unknown   |                    |                      |                     |
page, failed insufficient_funds | dispute warning 98.00  | failed                    | pending            |                      | ask_payment         |
page, failed insufficient_funds | dispute opened 98.00   | failed                    | pending            |                      | ask_payment         |
page, captured 98.00            | page                   | =                         |                    |                      |                     |
page, captured 98.00            | unanswered             | =                         |                    |                      |                     |
page, captured 98.00            | call refused           | =                         |                    |                      |                     |
page, captured 98.00            | still open             | =                         |                    |                      |                     |
page, captured 98.00            | open                   | =                         |                    |                      |                     |
page, captured 98.00            | declined card_declined | =                         |                    |                      |                     |
page, captured 98.00            | challenge              | =                         |                    |                      |                     |
page, captured 98.00            | processing             | =                         |                    |                      |                     |
page, captured 98.00            | captured 98.00         | =                         |                    |                      |                     | gateways repeat themselves
page, captured 98.00            | captured 97.00         | refused amount_mismatch   |                    |                      |                     | not even when it is paid already
page, captured 98.00            | captured 98.00 USD     | refused currency_mismatch |                    |                      |                     |
page, captured 98.00            | failed account_closed  | =                         |                    |                      |                     | money that came has come
page, captured 98.00            | canceled               | =                         |                    |                      |                     |
page, captured 98.00            | refund pending 98.00   | succeeded                 | refunded           | revoked_by_refund    | order_refunded mail |
page, captured 98.00            | refund succeeded 98.00 | succeeded                 | refunded           | revoked_by_refund    | order_refunded mail |
page, captured 98.00            | refund succeeded 20.00 | succeeded                 | partially_refunded | active               | order_refunded mail |
page, captured 98.00            | refund failed 98.00    | succeeded                 | paid               | active               |                     |
page, captured 98.00            | refund canceled 98.00  | succeeded                 | paid               | active               |                     |
page, captured 98.00            | refund request all     | succeeded                 | paid               | active               | send_refund         |
page, captured 98.00            | refund call refused    | refused payment_unknown   |                    |                      |                     |
page, captured 98.00            | dispute warning 98.00  | succeeded                 | paid               | active               |                     | a question takes nothing
page, captured 98.00            | dispute opened 98.00   | succeeded                 | disputed           | suspended_by_dispute |                     |
",
    );
    let kinds = [
        "page",
        "unanswered",
        "call",
        "still",
        "open",
        "declined",
        "challenge",
        "processing",
        "captured",
        "failed",
        "canceled",
        "refund pending",
        "refund succeeded",
        "refund failed",
        "refund canceled",
        "refund request",
        "refund call",
        "dispute",
    ];
    let missing: Vec<_> = PaymentState::ALL
        .into_iter()
        .flat_map(|state| kinds.map(|kind| (state, kind)))
        .filter(|(state, kind)| !cells.iter().any(|(met, _, told)| met == state && told.starts_with(kind)))
        .collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}

#[test]
fn every_order_state_meets_every_movement_of_money() {
    let cells = check(
        "
before                                   | occurrence                  | payments                       | order              | licenses             | mails and jobs      | why
page                                     | captured 98.00              | succeeded                      | paid               | active               | order_paid mail     |
page                                     | refund pending 78.00        | sent                           | pending            |                      | ask_payment         |
page                                     | refund succeeded 78.00      | sent                           | pending            |                      | ask_payment         |
page                                     | refund failed 78.00         | sent                           | pending            |                      |                     |
page                                     | refund request all          | refused order_not_paid         |                    |                      |                     |
page                                     | refund request 20.00        | refused order_not_paid         |                    |                      |                     |
page                                     | dispute warning 98.00       | sent                           | pending            |                      | ask_payment         |
page                                     | dispute closed 98.00        | sent                           | pending            |                      | ask_payment         |
page                                     | dispute opened 98.00        | sent                           | pending            |                      | ask_payment         |
page                                     | dispute evidence_sent 98.00 | sent                           | pending            |                      | ask_payment         |
page                                     | dispute won 98.00           | sent                           | pending            |                      | ask_payment         |
page                                     | dispute accepted 98.00      | sent                           | pending            |                      | ask_payment         |
page                                     | dispute lost 98.00          | sent                           | pending            |                      | ask_payment         |
captured 98.00                           | captured 98.00              | =                              |                    |                      |                     |
captured 98.00                           | refund pending 78.00        | succeeded                      | partially_refunded | active               | order_refunded mail |
captured 98.00                           | refund succeeded 78.00      | succeeded                      | partially_refunded | active               | order_refunded mail |
captured 98.00                           | refund failed 78.00         | succeeded                      | paid               | active               |                     |
captured 98.00                           | refund request all          | succeeded                      | paid               | active               | send_refund         |
captured 98.00                           | refund request 20.00        | succeeded                      | paid               | active               | send_refund         |
captured 98.00                           | dispute warning 98.00       | succeeded                      | paid               | active               |                     |
captured 98.00                           | dispute closed 98.00        | succeeded                      | paid               | active               |                     |
captured 98.00                           | dispute opened 98.00        | succeeded                      | disputed           | suspended_by_dispute |                     |
captured 98.00                           | dispute evidence_sent 98.00 | succeeded                      | disputed           | suspended_by_dispute |                     |
captured 98.00                           | dispute won 98.00           | succeeded                      | paid               | active               |                     |
captured 98.00                           | dispute accepted 98.00      | succeeded                      | lost               | revoked_by_dispute   |                     |
captured 98.00                           | dispute lost 98.00          | succeeded                      | lost               | revoked_by_dispute   |                     |
captured 98.00, refund succeeded 20.00 a | captured 98.00              | =                              |                    |                      |                     |
captured 98.00, refund succeeded 20.00 a | refund pending 78.00        | succeeded                      | refunded           | revoked_by_refund    | order_refunded mail |
captured 98.00, refund succeeded 20.00 a | refund succeeded 78.00      | succeeded                      | refunded           | revoked_by_refund    | order_refunded mail |
captured 98.00, refund succeeded 20.00 a | refund failed 78.00         | succeeded                      | partially_refunded | active               |                     |
captured 98.00, refund succeeded 20.00 a | refund request all          | succeeded                      | partially_refunded | active               | send_refund         |
captured 98.00, refund succeeded 20.00 a | refund request 20.00        | succeeded                      | partially_refunded | active               | send_refund         |
captured 98.00, refund succeeded 20.00 a | dispute warning 98.00       | succeeded                      | partially_refunded | active               |                     |
captured 98.00, refund succeeded 20.00 a | dispute closed 98.00        | succeeded                      | partially_refunded | active               |                     |
captured 98.00, refund succeeded 20.00 a | dispute opened 98.00        | succeeded                      | disputed           | suspended_by_dispute |                     |
captured 98.00, refund succeeded 20.00 a | dispute evidence_sent 98.00 | succeeded                      | disputed           | suspended_by_dispute |                     |
captured 98.00, refund succeeded 20.00 a | dispute won 98.00           | succeeded                      | partially_refunded | active               |                     |
captured 98.00, refund succeeded 20.00 a | dispute accepted 98.00      | succeeded                      | lost               | revoked_by_dispute   |                     |
captured 98.00, refund succeeded 20.00 a | dispute lost 98.00          | succeeded                      | lost               | revoked_by_dispute   |                     |
captured 98.00, refund succeeded 98.00 a | captured 98.00              | =                              |                    |                      |                     |
captured 98.00, refund succeeded 98.00 a | refund pending 78.00        | refused refund_exceeds_payment |                    |                      |                     |
captured 98.00, refund succeeded 98.00 a | refund succeeded 78.00      | refused refund_exceeds_payment |                    |                      |                     |
captured 98.00, refund succeeded 98.00 a | refund failed 78.00         | succeeded                      | refunded           | revoked_by_refund    |                     |
captured 98.00, refund succeeded 98.00 a | refund failed 98.00 a       | succeeded                      | paid               | active               |                     | the refund bounced: the same licenses work again
captured 98.00, refund succeeded 98.00 a | refund request all          | refused refund_exceeds_payment |                    |                      |                     |
captured 98.00, refund succeeded 98.00 a | refund request 20.00        | refused refund_exceeds_payment |                    |                      |                     |
captured 98.00, refund succeeded 98.00 a | dispute warning 98.00       | succeeded                      | refunded           | revoked_by_refund    |                     |
captured 98.00, refund succeeded 98.00 a | dispute closed 98.00        | succeeded                      | refunded           | revoked_by_refund    |                     |
captured 98.00, refund succeeded 98.00 a | dispute opened 98.00        | succeeded                      | disputed           | revoked_by_refund    |                     |
captured 98.00, refund succeeded 98.00 a | dispute evidence_sent 98.00 | succeeded                      | disputed           | revoked_by_refund    |                     |
captured 98.00, refund succeeded 98.00 a | dispute won 98.00           | succeeded                      | refunded           | revoked_by_refund    |                     |
captured 98.00, refund succeeded 98.00 a | dispute accepted 98.00      | succeeded                      | lost               | revoked_by_dispute   |                     |
captured 98.00, refund succeeded 98.00 a | dispute lost 98.00          | succeeded                      | lost               | revoked_by_dispute   |                     |
captured 98.00, dispute opened 98.00     | captured 98.00              | =                              |                    |                      |                     |
captured 98.00, dispute opened 98.00     | refund pending 78.00        | succeeded                      | disputed           | suspended_by_dispute | order_refunded mail |
captured 98.00, dispute opened 98.00     | refund succeeded 78.00      | succeeded                      | disputed           | suspended_by_dispute | order_refunded mail |
captured 98.00, dispute opened 98.00     | refund failed 78.00         | succeeded                      | disputed           | suspended_by_dispute |                     |
captured 98.00, dispute opened 98.00     | refund request all          | refused refund_exceeds_payment |                    |                      |                     | the bank has the money: a refund would pay twice
captured 98.00, dispute opened 98.00     | refund request 20.00        | refused refund_exceeds_payment |                    |                      |                     |
captured 98.00, dispute opened 98.00     | dispute warning 98.00       | =                              |                    |                      |                     | an older report
captured 98.00, dispute opened 98.00     | dispute closed 98.00        | =                              |                    |                      |                     |
captured 98.00, dispute opened 98.00     | dispute opened 98.00        | =                              |                    |                      |                     |
captured 98.00, dispute opened 98.00     | dispute evidence_sent 98.00 | succeeded                      | disputed           | suspended_by_dispute |                     |
captured 98.00, dispute opened 98.00     | dispute won 98.00           | succeeded                      | paid               | active               |                     | the same licenses work again
captured 98.00, dispute opened 98.00     | dispute accepted 98.00      | succeeded                      | lost               | revoked_by_dispute   |                     |
captured 98.00, dispute opened 98.00     | dispute lost 98.00          | succeeded                      | lost               | revoked_by_dispute   |                     |
captured 98.00, dispute lost 98.00       | captured 98.00              | =                              |                    |                      |                     |
captured 98.00, dispute lost 98.00       | refund pending 78.00        | succeeded                      | lost               | revoked_by_dispute   | order_refunded mail |
captured 98.00, dispute lost 98.00       | refund succeeded 78.00      | succeeded                      | lost               | revoked_by_dispute   | order_refunded mail |
captured 98.00, dispute lost 98.00       | refund failed 78.00         | succeeded                      | lost               | revoked_by_dispute   |                     |
captured 98.00, dispute lost 98.00       | refund request all          | refused refund_exceeds_payment |                    |                      |                     |
captured 98.00, dispute lost 98.00       | refund request 20.00        | refused refund_exceeds_payment |                    |                      |                     |
captured 98.00, dispute lost 98.00       | dispute warning 98.00       | =                              |                    |                      |                     |
captured 98.00, dispute lost 98.00       | dispute closed 98.00        | =                              |                    |                      |                     |
captured 98.00, dispute lost 98.00       | dispute opened 98.00        | =                              |                    |                      |                     |
captured 98.00, dispute lost 98.00       | dispute evidence_sent 98.00 | =                              |                    |                      |                     |
captured 98.00, dispute lost 98.00       | dispute won 98.00           | =                              |                    |                      |                     | the older report; what is later counts
captured 98.00, dispute lost 98.00       | dispute accepted 98.00      | =                              |                    |                      |                     |
captured 98.00, dispute lost 98.00       | dispute lost 98.00          | =                              |                    |                      |                     |
page, canceled, expire                   | captured 98.00              | succeeded                      | paid               | active               | order_paid mail     | a late capture pays an expired order
page, canceled, expire                   | refund pending 78.00        | canceled                       | expired            |                      | ask_payment         |
page, canceled, expire                   | refund succeeded 78.00      | canceled                       | expired            |                      | ask_payment         |
page, canceled, expire                   | refund failed 78.00         | canceled                       | expired            |                      |                     |
page, canceled, expire                   | refund request all          | refused order_not_paid         |                    |                      |                     |
page, canceled, expire                   | refund request 20.00        | refused order_not_paid         |                    |                      |                     |
page, canceled, expire                   | dispute warning 98.00       | canceled                       | expired            |                      | ask_payment         |
page, canceled, expire                   | dispute closed 98.00        | canceled                       | expired            |                      | ask_payment         |
page, canceled, expire                   | dispute opened 98.00        | canceled                       | expired            |                      | ask_payment         |
page, canceled, expire                   | dispute evidence_sent 98.00 | canceled                       | expired            |                      | ask_payment         |
page, canceled, expire                   | dispute won 98.00           | canceled                       | expired            |                      | ask_payment         |
page, canceled, expire                   | dispute accepted 98.00      | canceled                       | expired            |                      | ask_payment         |
page, canceled, expire                   | dispute lost 98.00          | canceled                       | expired            |                      | ask_payment         |
",
    );
    let kinds = [
        "captured",
        "refund pending",
        "refund succeeded",
        "refund failed",
        "refund request",
        "dispute warning",
        "dispute closed",
        "dispute opened",
        "dispute evidence_sent",
        "dispute won",
        "dispute accepted",
        "dispute lost",
    ];
    let missing: Vec<_> = OrderState::ALL
        .into_iter()
        .flat_map(|state| kinds.map(|kind| (state, kind)))
        .filter(|(state, kind)| !cells.iter().any(|(_, met, told)| met == state && told.starts_with(kind)))
        .collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}

#[test]
fn the_hard_cases_come_out_right() {
    check(
        "
before                                   | occurrence                       | payments                       | order              | licenses             | mails and jobs                       | why
-                                        | refund succeeded 98.00           | created                        | pending            |                      | ask_payment                          | the refund overtook the payment: the gateway is asked
refund succeeded 98.00 | refund succeeded 98.00 | = | | | | ... once: its answer repeats the refund
dispute opened 98.00 | dispute opened 98.00 | = | | | | as with a dispute
refund succeeded 98.00                   | captured 98.00                   | succeeded                      | refunded           | revoked_by_refund    | order_refunded mail                  | ... and the payment arrives: no license works, no keys are mailed
refund succeeded 98.00, captured 98.00   | refund failed 98.00              | succeeded                      | paid               | active               | order_paid mail                      | the refund bounces: the keys go out now, for the first time
refund succeeded 20.00                   | captured 98.00                   | succeeded                      | partially_refunded | active               | order_paid mail, order_refunded mail | a part went back first: keys and both mails
dispute opened 98.00                     | captured 98.00                   | succeeded                      | disputed           | suspended_by_dispute |                                      | the dispute overtook the payment: no keys for whoever disputes at once
dispute opened 98.00, captured 98.00     | dispute won 98.00                | succeeded                      | paid               | active               | order_paid mail                      | ... and after the dispute is won they go out
captured 98.00, dispute opened 98.00     | dispute won 98.00                | succeeded                      | paid               | active               |                                      | the same licenses work again; nobody gets a second key mail
captured 98.00, refund succeeded 98.00, mail empty | refund failed 98.00              | succeeded                      | paid               | active               | order_paid mail                      | the mail left when no key worked: they go out now
dispute opened 98.00, captured 98.00, refund succeeded 98.00, dispute won 98.00 | refund failed 98.00              | succeeded                      | paid               | active               | order_paid mail                      | neither suspended nor revoked by then, and never mailed
captured 98.00, dispute opened 98.00, dispute won 98.00 | dispute lost 98.00               | succeeded                      | lost               | revoked_by_dispute   |                                      | a case that was taken up again
captured 98.00, dispute lost 98.00       | dispute opened 98.00             | =                              |                    |                      |                                      | a late report changes nothing
captured 98.00, dispute lost 98.00       | dispute won 98.00 appeal         | succeeded                      | paid               | active               |                                      | won on appeal: the same licenses work again
captured 98.00, dispute lost 98.00       | dispute opened 98.00 appeal      | succeeded                      | disputed           | suspended_by_dispute |                                      | the appeal is open: nothing is decided any more
captured 98.00, dispute lost 98.00, dispute won 98.00 appeal | dispute lost 98.00               | =                              |                    |                      |                                      | the first word comes late, and the last one counts
captured 98.00, dispute lost 98.00, dispute opened 98.00 appeal | dispute lost 98.00 again         | succeeded                      | lost               | revoked_by_dispute   |                                      | the appeal is lost as well
captured 98.00, dispute opened 98.00, dispute won 98.00, dispute lost 98.00 appeal | dispute won 98.00 again          | succeeded                      | paid               | active               |                                      | back and forth, and the books with it
captured 98.00, dispute lost 98.00       | dispute won 98.00 answer         | succeeded                      | paid               | active               |                                      | the gateway was asked: so it stands now
captured 98.00, dispute lost 98.00       | dispute opened 98.00 answer      | =                              |                    |                      |                                      | the answer was under way when the end was told
captured 98.00, dispute lost 98.00       | dispute won 40.00 appeal         | refused amount_mismatch        |                    |                      |                                      | another amount than was lost is for a person
captured 98.00, dispute opened 98.00 appeal, dispute opened 98.00 again | dispute won 98.00 appeal | = | | | | it has stood as opened since: what is older does not count
captured 98.00, dispute opened 98.00, expire, dispute opened 98.00 answer | dispute won 98.00 | succeeded | paid | active | | an answer that says nothing new makes no report older
captured 98.00, dispute opened 98.00, expire, dispute lost 98.00 answer | dispute won 98.00 | = | | | | one that does is later than what was said a day before
captured 98.00, dispute won 98.00 answer | dispute opened 98.00             | =                              |                    |                      |                                      | the news of a case that is over already
captured 98.00, dispute opened 98.00     | dispute warning 98.00 appeal     | =                              |                    |                      |                                      | a question does not bring back what the bank has taken
captured 98.00, dispute opened 30.00     | refund request all               | succeeded                      | disputed           | suspended_by_dispute | send_refund                          | only what the bank has not taken can go back
captured 98.00, dispute opened 30.00     | refund request 68.01             | refused refund_exceeds_payment |                    |                      |                                      | a cent more is refused
captured 98.00, dispute opened 98.00     | refund request all               | refused refund_exceeds_payment |                    |                      |                                      | a refund beside a dispute would pay twice
captured 98.00, dispute opened 98.00, dispute won 98.00 | refund request all               | succeeded                      | paid               | active               | send_refund                          | a dispute that was won keeps nothing back
captured 98.00, dispute warning 98.00    | dispute opened 40.00             | succeeded                      | disputed           | suspended_by_dispute |                                      | a question becomes a chargeback over a part
captured 98.00, dispute opened 98.00     | dispute won 40.00                | refused amount_mismatch        |                    |                      |                                      | an amount that moved stands; this one is for a person
captured 98.00, dispute opened 98.00     | dispute warning 40.00            | =                              |                    |                      |                                      | an older report of another amount is merely old
captured 98.00                           | dispute opened 0.00              | succeeded                      | disputed           | suspended_by_dispute |                                      | a case over nothing moves no money, but suspends
captured 98.00                           | dispute opened -1.00             | refused amount_mismatch        |                    |                      |                                      | below nothing there is nothing
captured 98.00                           | refund succeeded 0.00            | refused refund_not_positive    |                    |                      |                                      | a refund of nothing
captured 98.00                           | refund succeeded 98.01           | refused refund_exceeds_payment |                    |                      |                                      | more than was paid
captured 98.00, refund request all       | refund request all               | refused refund_exceeds_payment |                    |                      |                                      | a second request finds nothing left
captured 98.00, refund request 60.00     | refund request 60.00             | refused refund_exceeds_payment |                    |                      |                                      | together they are more than was paid
captured 98.00, refund request 60.00     | refund request 38.00             | succeeded                      | paid               | active               | send_refund                          | together they are all
captured 98.00                           | refund request 0.00              | refused refund_not_positive    |                    |                      |                                      | a refund of nothing
captured 98.00                           | refund request -5.00             | refused refund_not_positive    |                    |                      |                                      | no way to charge more
captured 98.00                           | refund request 5.00 USD          | refused currency_mismatch      |                    |                      |                                      | in the currency that was paid
captured 98.00, refund request all       | refund succeeded 98.00 a         | succeeded                      | refunded           | revoked_by_refund    | order_refunded mail                  | what the gateway did comes before what was only asked for
captured 98.00, refund request all, refund succeeded 98.00 a | refund call refused              | succeeded                      | refunded           | revoked_by_refund    |                                      | ... and the call finds nothing left there either
captured 98.00, refund request all, refund call refused | refund succeeded 98.00 ours      | succeeded                      | refunded           | revoked_by_refund    | order_refunded mail                  | refused, and made all the same: the gateway's word counts
captured 98.00, refund request all, refund succeeded 98.00 ours | refund call refused              | =                              |                    |                      |                                      | made, and a repeated call refused: it stays made
captured 98.00, refund request all       | refund succeeded 97.00 ours      | refused amount_mismatch        |                    |                      |                                      | another amount than was asked for
captured 98.00, refund request all, refund call refused | refund request all               | succeeded                      | paid               | active               | send_refund                          | what failed can be asked for again
captured 98.00, refund request 20.00 and_revoke | refund pending 20.00 ours        | succeeded                      | partially_refunded | revoked_by_refund    | order_refunded mail                  | a part goes back and the licenses end, as was asked
captured 98.00, refund request 20.00 and_revoke, refund pending 20.00 ours | refund failed 20.00 ours         | succeeded                      | paid               | active               |                                      | ... and come back when it bounces
captured 98.00, refund request all and_keep | refund succeeded 98.00 ours      | succeeded                      | refunded           | active               | order_refunded mail                  | everything goes back and the licenses stay, as was asked
captured 98.00, refund request 20.00, refund pending 20.00 ours | refund succeeded 20.00 ours      | succeeded                      | partially_refunded | active               |                                      | one refund, one mail
captured 98.00, person suspended_by_person | refund succeeded 98.00           | succeeded                      | refunded           | suspended_by_person  | order_refunded mail                  | a person's suspension is kept through the refund
captured 98.00, person suspended_by_person, refund succeeded 98.00 | refund failed 98.00              | succeeded                      | paid               | suspended_by_person  |                                      | ... and after it bounced
captured 98.00, person suspended_by_person, dispute opened 98.00 | dispute won 98.00                | succeeded                      | paid               | suspended_by_person  |                                      | ... and through a dispute
captured 98.00, person revoked_by_person, dispute opened 98.00 | dispute won 98.00                | succeeded                      | paid               | revoked_by_person    |                                      | as is what a person took back
captured 98.00, refund pending 98.00, person active | refund succeeded 98.00           | succeeded                      | refunded           | active               |                                      | what a person gave back stays when the same refund moves on
captured 98.00, refund pending 98.00, person active | dispute lost 98.00               | succeeded                      | lost               | revoked_by_dispute   |                                      | ... but not when the bank takes the money
page, canceled                           | captured 98.00                   | succeeded                      | paid               | active               | order_paid mail                      | a surprise capture pays an order that is not paid
page, failed card_declined               | captured 98.00                   | succeeded                      | paid               | active               | order_paid mail                      | also after a failure
page, canceled, expire                   | captured 98.00                   | succeeded                      | paid               | active               | order_paid mail                      | also after the checkout has expired
page, processing, expire                 | captured 98.00                   | succeeded                      | paid               | active               | order_paid mail                      | a debit may take longer than the checkout
page, second, captured 98.00             | 2nd: captured 98.00              | succeeded succeeded            | paid               | active               | send_refund                          | paid twice: the second goes back at once, whole
page, second, 2nd: captured 98.00        | captured 98.00                   | succeeded succeeded            | paid               | active               | send_refund                          | whichever came first is kept
page, second, captured 98.00, 2nd: captured 98.00 | 2nd: refund succeeded 98.00 ours | succeeded succeeded            | paid               | active               |                                      | the surplus is back; the order is still paid
page, second, captured 98.00, 2nd: captured 98.00 | refund request all               | succeeded succeeded            | paid               | active               | send_refund                          | the payment that is kept can still be refunded
page, second, captured 98.00, 2nd: captured 98.00, refund call refused | refund request all surplus       | succeeded succeeded            | paid               | active               | send_refund                          | a surplus that could not be sent back is tried again
page, second, captured 98.00, 2nd: captured 98.00 | refund request all surplus       | refused no_surplus             |                    |                      |                                      | it is under way already
captured 98.00                           | refund request all surplus       | refused no_surplus             |                    |                      |                                      | there is no surplus
page, second, captured 98.00, 2nd: refund succeeded 98.00 | 2nd: captured 98.00              | succeeded succeeded            | paid               | active               |                                      | the seller was faster at the gateway: nothing more goes back
page, second, captured 98.00, 2nd: refund succeeded 30.00 | 2nd: captured 98.00              | succeeded succeeded            | paid               | active               | send_refund                          | ... or sent a part back: the rest goes now
page, second, captured 98.00, refund succeeded 20.00 a, 2nd: refund succeeded 98.00 | 2nd: captured 98.00 | succeeded succeeded | partially_refunded | active | | what went back of the payment that is kept is a refund as before
page, second, captured 98.00, refund succeeded 98.00 | 2nd: captured 98.00              | succeeded succeeded            | refunded           | revoked_by_refund    | send_refund                          | money for an order that was refunded goes back as well
page, second                             | 2nd: failed card_declined        | sent failed                    | pending            |                      |                                      | nothing to mail: the page said it
page, processing, second, 2nd: captured 98.00 | failed insufficient_funds        | failed succeeded               | paid               | active               |                                      | the other one paid: nobody wants to hear of this one
page, declined card_declined             | captured 98.00                   | succeeded                      | paid               | active               | order_paid mail                      | declined first, then paid
page, challenge                          | declined authentication_failed   | sent                           | pending            |                      |                                      | back on the page
page, challenge                          | captured 98.00                   | succeeded                      | paid               | active               | order_paid mail                      | the challenge was passed
page, captured 98.00                     | declined card_declined           | =                              |                    |                      |                                      | a late report of the first try
captured 98.00                           | page                             | succeeded                      | paid               | active               |                                      | the webhook overtook the answer to our own call
page                                     | call refused                     | =                              |                    |                      |                                      | the page is open: the refusal is about a repeated call
unanswered                               | page                             | sent                           | pending            |                      |                                      | it had worked
unanswered                               | call refused                     | failed                         | pending            |                      |                                      | it had not
",
    );
}

/// The kinds of events that the last of these occurrences writes.
fn events(story: &str) -> Vec<&'static str> {
    let mut told = Story::new();
    for words in story.split(", ") {
        told.world.events.clear();
        told.tell(words).unwrap();
    }
    told.world.events.iter().map(|event| event.as_str()).collect()
}

#[test]
fn the_journal_says_what_happened_and_says_it_once() {
    #[rustfmt::skip]
    let table: &[(&str, &[&str])] = &[
        ("page",                                          &["payment.sent"]),
        ("page, page",                                    &[]),
        ("unanswered",                                    &["payment.unknown"]),
        ("page, declined card_declined",                  &["payment.declined"]),
        ("page, declined card_declined, declined card_declined", &[]),
        ("page, declined card_declined, declined expired_card",  &["payment.declined"]),
        ("declined card_declined",                        &["payment.declined", "payment.sent"]),
        ("page, challenge",                               &["payment.requires_action"]),
        ("page, challenge, declined card_declined",       &["payment.declined"]),
        ("page, processing",                              &["payment.processing"]),
        ("page, failed card_declined",                    &["payment.failed"]),
        ("page, canceled",                                &["payment.canceled"]),
        ("page, canceled, expire",                        &["checkout.expired"]),
        ("page, captured 98.00",                          &["payment.succeeded", "order.paid", "license.issued", "license.issued"]),
        ("page, captured 98.00, captured 98.00",          &[]),
        ("page, canceled, captured 98.00",                &["payment.surprise_capture", "order.paid", "license.issued", "license.issued"]),
        ("page, second, captured 98.00, 2nd: captured 98.00", &["payment.surprise_capture", "refund.requested"]),
        ("captured 98.00, refund request all",            &["refund.requested"]),
        ("captured 98.00, refund request all, refund call refused", &["refund.failed"]),
        ("captured 98.00, refund pending 20.00",          &["refund.pending", "order.refund_changed"]),
        ("captured 98.00, refund pending 20.00, refund succeeded 20.00", &["refund.succeeded"]),
        ("captured 98.00, refund succeeded 98.00",        &["refund.succeeded", "order.refund_changed", "license.revoked", "license.revoked"]),
        ("captured 98.00, refund succeeded 98.00, refund failed 98.00",
            &["refund.failed", "order.refund_changed", "license.reinstated", "license.reinstated"]),
        ("captured 98.00, dispute warning 98.00",         &["dispute.changed"]),
        ("captured 98.00, dispute opened 98.00",
            &["dispute.changed", "order.disputed", "license.suspended", "license.suspended"]),
        ("captured 98.00, dispute opened 98.00, dispute won 98.00",
            &["dispute.changed", "order.dispute_won", "license.reinstated", "license.reinstated"]),
        ("captured 98.00, dispute opened 98.00, dispute lost 98.00",
            &["dispute.changed", "order.lost", "license.revoked", "license.revoked"]),
        ("captured 98.00, dispute lost 98.00, dispute won 98.00 appeal",
            &["dispute.changed", "order.dispute_won", "license.reinstated", "license.reinstated"]),
        ("captured 98.00, dispute lost 98.00, dispute opened 98.00 appeal",
            &["dispute.changed", "order.disputed", "license.suspended", "license.suspended"]),
        ("dispute opened 98.00, captured 98.00",
            &["payment.succeeded", "order.paid", "order.disputed", "license.issued", "license.issued", "license.suspended", "license.suspended"]),
    ];
    for (story, expected) in table {
        assert_eq!(events(story), *expected, "{story}");
    }
}

#[test]
fn the_journal_says_of_a_payment_how_much_it_is_and_why_it_was_declined() {
    let mut story = Story::new();
    story.tell("page").unwrap();
    let changes = story.tell("declined card_declined").unwrap();
    let payment = story.world.sale.payments[0].id;
    let expected = serde_json::json!({
        "payment": payment,
        "amount": { "amount": 9_800, "currency": "EUR" },
        "method": null,
        "decline_code": "card_declined",
        "decline_class": "soft",
    });
    assert_eq!(changes.events[0].data, expected);
}

#[test]
fn each_license_is_compared_with_itself() {
    let mut story = Story::new();
    story.tell("captured 98.00").unwrap();
    let sale = &mut story.world.sale;
    // A person has switched one of the two off, and no mail has carried the keys.
    sale.licenses[1].state = LicenseState::SuspendedByPerson;
    sale.keys_mailed = false;
    let other = sale.licenses[0].id;
    let told = |changes: &Changes| {
        let events = changes.events.iter();
        events.filter_map(|event| Some((event.kind.as_str(), event.license?))).collect::<Vec<_>>()
    };
    let changes = story.tell("refund succeeded 20.00").unwrap();
    assert_eq!(told(&changes), [], "neither of them moved");
    assert_eq!(story.world.count("order_paid"), 1, "the one that works has worked before: no second mail");
    let changes = story.tell("dispute opened 78.00").unwrap();
    assert_eq!(told(&changes), [("license.suspended", other)], "only what worked is suspended");
}

#[test]
fn the_card_that_paid_is_shown_and_not_the_one_that_was_declined_before() {
    let mut story = Story::new();
    let reported = |story: &Story, words: &str, last4: &str| {
        let mut told = story.occurrence(words);
        if let Occurrence::Reported { fact: Fact::Payment(report), .. } = &mut told {
            let (kind, last4) = ("card".to_owned(), Some(last4.to_owned()));
            report.method = Some(MethodSummary { kind, brand: None, last4 });
        }
        told
    };
    let shown = |story: &Story| story.world.sale.payments[0].method.clone().and_then(|method| method.last4);
    for (words, last4, then) in [
        ("declined card_declined", "0002", "0002"),
        ("declined card_declined", "0069", "0069"),
        ("captured 98.00", "4242", "4242"),
        ("declined card_declined", "0002", "4242"),
    ] {
        let told = reported(&story, words, last4);
        story.world.meet(&told).unwrap();
        assert_eq!(shown(&story).as_deref(), Some(then), "{words} {last4}");
    }
}

#[test]
fn a_report_must_agree_with_everything_that_is_stored() {
    type Bend = fn(&mut PaymentLocator, &Sale);
    let table: &[(&str, Bend, &str)] = &[
        (
            "another shop",
            |told, sale| told.shop = Some(ShopId::mint(sale.order.created_at, &mut rng(9))),
            "payment_unknown",
        ),
        (
            "another order",
            |told, sale| told.order = Some(OrderId::mint(sale.order.created_at, &mut rng(9))),
            "payment_unknown",
        ),
        (
            "another payment",
            |told, sale| told.payment = Some(PaymentId::mint(sale.order.created_at, &mut rng(9))),
            "payment_unknown",
        ),
        ("another page", |told, _| told.page_reference = Some("page_x".to_owned()), "reference_mismatch"),
        ("another object", |told, _| told.reference = Some("money_x".to_owned()), "reference_mismatch"),
        ("the other payment's page", |told, _| told.page_reference = Some("page_1".to_owned()), "reference_mismatch"),
        ("the other payment's object", |told, _| told.reference = Some("money_1".to_owned()), "reference_mismatch"),
        ("no name of ours and none of theirs", |told, _| *told = PaymentLocator::default(), "payment_unknown"),
        (
            "only their name of the page",
            |told, _| {
                told.payment = None;
                told.order = None;
                told.reference = None;
            },
            "-",
        ),
        (
            "only their name of the object",
            |told, _| {
                told.payment = None;
                told.order = None;
                told.page_reference = None;
            },
            "-",
        ),
    ];
    for (why, bend, outcome) in table {
        let mut story = Story::new();
        // Both payments at one account, each known by both of its names.
        let account = story.world.sale.payments[0].gateway_account;
        story.tell("open").unwrap();
        story.tell("second").unwrap();
        story.world.sale.payments[1].gateway_account = account;
        story.tell("2nd: open").unwrap();
        let mut told = story.occurrence("captured 98.00");
        if let Occurrence::Reported { fact: Fact::Payment(report), .. } = &mut told {
            bend(&mut report.locator, &story.world.sale);
        }
        let found = story.world.meet(&told).map_or_else(|refusal| refusal.code(), |_| "-");
        assert_eq!(found, *outcome, "{why}");
    }
}

#[test]
fn of_two_captures_the_one_that_came_first_is_kept() {
    for (first, second, kept) in
        [("captured 98.00", "2nd: captured 98.00", 0), ("2nd: captured 98.00", "captured 98.00", 1)]
    {
        let mut story = Story::new();
        for words in ["page", "second", first, second] {
            story.tell(words).unwrap();
        }
        let sale = &story.world.sale;
        assert_eq!(sale.captured().map(|payment| payment.id), Some(sale.payments[kept].id));
        assert!(sale.is_surprise(sale.payments[1 - kept].id));
        assert_eq!(sale.refunds[0].requested_by, Actor::System);
    }
}

#[test]
fn what_the_gateway_is_asked_for_a_page_is_kept_until_there_is_one() {
    for (told, is_kept) in [
        ("unanswered", true),
        ("still", true),
        ("page", false),
        ("open", false),
        ("call refused", false),
        ("captured 98.00", false),
    ] {
        let mut story = Story::new();
        story.world.sale.payments[0].opening = Some("{}".to_owned());
        story.tell(told).unwrap();
        assert_eq!(story.world.sale.payments[0].opening.is_some(), is_kept, "{told}");
    }
}

#[test]
fn a_refund_that_is_asked_for_again_under_its_name_is_the_same_refund() {
    let mut story = Story::new();
    for words in ["page", "captured 98.00"] {
        story.tell(words).unwrap();
    }
    let mut rng = rng(9);
    let [id, other] = [1, 2].map(|_| RefundId::mint(story.world.now, &mut rng));
    let asked = |refund| Occurrence::RefundRequested {
        refund: Some(refund),
        amount: Some(crate::fixture::euro(6_000)),
        reason: RefundReason::RequestedByCustomer,
        revoke: None,
    };
    assert!(!story.world.meet(&asked(id)).unwrap().is_empty());
    assert!(story.world.meet(&asked(id)).unwrap().is_empty(), "under its name again");
    assert_eq!(story.world.sale.refunds.iter().map(|refund| refund.id).collect::<Vec<_>>(), [id]);
    let refused = story.world.meet(&asked(other)).map_err(|refusal| refusal.code());
    assert_eq!(refused.err(), Some("refund_exceeds_payment"), "under another name");
}

#[test]
fn one_collection_at_the_gateway_pays_one_payment() {
    let mut story = Story::new();
    let account = story.world.sale.payments[0].gateway_account;
    story.tell("page").unwrap();
    story.tell("second").unwrap();
    story.world.sale.payments[1].gateway_account = account;
    story.tell("2nd: captured 98.00").unwrap();
    let mut told = story.occurrence("captured 98.00");
    if let Occurrence::Reported { fact, .. } = &mut told
        && let Fact::Payment(report) = fact
    {
        report.locator.reference = Some("money_1".to_owned());
    }
    let refused = story.world.meet(&told).map_err(|refusal| refusal.code());
    assert_eq!(refused, Err("reference_mismatch"), "the first payment never had an object; this one is the second's");
}

#[test]
fn an_occurrence_says_what_happened_and_to_which_payment() {
    let mut story = Story::new();
    for words in ["page", "second", "2nd: page", "captured 98.00", "2nd: captured 98.00", "refund request 20.00"] {
        story.tell(words).unwrap();
    }
    let sale = &story.world.sale;
    let place = |told: &Occurrence| {
        told.payment(sale).map(|found| sale.payments.iter().position(|payment| payment.id == found.id).unwrap())
    };
    for (words, word, payment) in [
        ("page", "page_opened", 0),
        ("2nd: page", "page_opened", 1),
        ("2nd: unanswered", "call_unanswered", 1),
        ("2nd: call refused", "call_refused", 1),
        ("2nd: still open", "still_open", 1),
        ("2nd: processing", "payment_processing", 1),
        ("open", "payment_open", 0),
        ("2nd: refund request all", "refund_requested", 0),
        ("2nd: refund call refused", "refund_refused", 0),
    ] {
        let told = story.occurrence(words);
        assert_eq!((told.as_str(), place(&told)), (word, Some(payment)), "{words}");
    }
    let refused = |refund| Occurrence::RefundRefused { refund, message: String::new() };
    assert_eq!(place(&refused(sale.refunds[0].id)), Some(1), "what goes back first is the surplus");
    assert_eq!(place(&refused(RefundId::mint(story.world.now, &mut rng(9)))), None, "a refund that nobody made");

    let named = |page: Option<&str>, money: Option<&str>| {
        let locator = PaymentLocator {
            page_reference: page.map(str::to_owned),
            reference: money.map(str::to_owned),
            ..PaymentLocator::default()
        };
        place(&Reporter { locator, ..Reporter::of(sale, 0) }.payment(PaymentStatus::Processing))
    };
    assert_eq!(named(Some("page_1"), None), Some(1), "only their name of the page");
    assert_eq!(named(None, Some("money_1")), Some(1), "only their name of the object");
    assert_eq!(named(None, Some("money_x")), None);
    assert_eq!(named(None, None), None, "what has no name is nobody's");
}

#[test]
fn what_the_gateway_calls_the_money_when_the_page_opens_is_its_name_from_then_on() {
    let mut story = Story::new();
    let mut told = story.occurrence("page");
    if let Occurrence::PageOpened { reference, .. } = &mut told {
        *reference = Some("money_x".to_owned());
    }
    story.world.meet(&told).unwrap();
    let payment = &story.world.sale.payments[0];
    assert_eq!((payment.page_reference.as_deref(), payment.reference.as_deref()), (Some("page_0"), Some("money_x")));
    let refused = story.tell("captured 98.00").map_err(|refusal| refusal.code());
    assert_eq!(refused.err(), Some("reference_mismatch"), "money under another name is other money");
}

#[test]
fn a_case_is_known_by_its_payment_and_its_name() {
    let mut story = Story::new();
    for words in ["page", "second", "captured 98.00", "2nd: captured 98.00", "dispute opened 98.00"] {
        story.tell(words).unwrap();
    }
    let cases = |story: &Story| {
        let sale = &story.world.sale;
        let place = |id| sale.payments.iter().position(|payment| payment.id == id).unwrap();
        let told = sale.disputes.iter().map(|case| (place(case.payment), case.reference.clone(), case.state.as_str()));
        told.map(|(place, name, state)| format!("{place} {name} {state}")).collect::<Vec<_>>()
    };
    story.tell("2nd: dispute warning 98.00").unwrap();
    assert_eq!(cases(&story), ["0 case_1 opened", "1 case_1 warning"], "gateways name their cases each for itself");
    let other = Reporter::of(&story.world.sale, 0).dispute("case_2", 4_000, DisputeState::Warning);
    story.world.meet(&other).unwrap();
    assert_eq!(cases(&story), ["0 case_1 opened", "1 case_1 warning", "0 case_2 warning"], "one payment, two cases");
    story.tell("dispute lost 98.00").unwrap();
    assert_eq!(cases(&story), ["0 case_1 lost", "1 case_1 warning", "0 case_2 warning"], "only the one that was meant");
}
