//! Law 3: the same reports in any order, any number of times, with any of them missing and the gateway asked
//! afterwards, end in the same state. Every permutation is run, with every report doubled at every place and with
//! every report left out; jobs that ask or refund are done against the gateway's truth as they come.

use super::story::Story;
use crate::fixture::Reporter;
use crate::{
    Duration, JobKind, LicenseState, Occurrence, PaymentId, PaymentState, RefundStatus, Refusal, expire_checkout,
};

/// One way a purchase can go, in the words of [`Story`].
struct Lifecycle {
    /// What is settled before.
    before: &'static str,
    /// What is said, in any order.
    told: &'static [&'static str],
    /// What the gateway answers when it is asked.
    truth: &'static [&'static str],
    /// Where it all ends.
    end: &'static str,
}

/// What the gateway knows, and the order in which it tells it.
struct Gateway {
    truth: Vec<Occurrence>,
    newest_first: bool,
}

impl Gateway {
    fn answer(&self, story: &Story, payment: PaymentId) -> Vec<Occurrence> {
        let mut facts: Vec<Occurrence> =
            self.truth.iter().filter(|told| subject(story, told) == Some(payment)).cloned().collect();
        if self.newest_first {
            facts.reverse();
        }
        facts
    }
}

fn subject(story: &Story, told: &Occurrence) -> Option<PaymentId> {
    match told {
        Occurrence::Reported { fact, .. } => fact.locator().payment,
        Occurrence::PageOpened { payment, .. }
        | Occurrence::CallUnanswered { payment }
        | Occurrence::CallRefused { payment, .. }
        | Occurrence::StillOpen { payment } => Some(*payment),
        Occurrence::RefundRefused { refund, .. } => {
            story.world.sale.refunds.iter().find(|known| known.id == *refund).map(|known| known.payment)
        }
        Occurrence::RefundRequested { .. } => None,
    }
}

/// A report that says more went back than there was is one that came before the news of a refund that failed.
fn meet(story: &mut Story, told: &Occurrence) -> bool {
    match story.world.meet(told) {
        Ok(_) => true,
        Err(Refusal::RefundExceedsPayment { .. }) => false,
        Err(refusal) => panic!("{told:?} was refused: {refusal}"),
    }
}

/// Applies an answer; what was refused is applied again after the rest of it.
fn take(story: &mut Story, answer: &[Occurrence]) {
    let refused: Vec<&Occurrence> = answer.iter().filter(|told| !meet(story, told)).collect();
    for told in refused {
        assert!(meet(story, told), "{told:?} contradicts the rest of the gateway's own answer");
    }
}

/// Does every job that asks or refunds, until none is left.
fn work(story: &mut Story, gateway: &mut Gateway) {
    for _ in 0..10 {
        let jobs = std::mem::take(&mut story.world.jobs);
        if jobs.is_empty() {
            return;
        }
        for job in jobs {
            match job {
                JobKind::AskPayment { payment } => take(story, &gateway.answer(story, payment)),
                JobKind::SendRefund { refund } => {
                    let sale = &story.world.sale;
                    let refund = sale.refunds.iter().find(|known| known.id == refund).unwrap().clone();
                    let index = sale.payments.iter().position(|payment| payment.id == refund.payment).unwrap();
                    let name = refund.id.to_string();
                    let made = Reporter::of(sale, index).refund(
                        Some(refund.id),
                        &name,
                        refund.amount.minor(),
                        RefundStatus::Succeeded,
                    );
                    gateway.truth.push(made.clone());
                    take(story, &[made]);
                }
                JobKind::OpenPayment { .. } | JobKind::SendMail { .. } | JobKind::AskEndpoint { .. } => {}
            }
        }
    }
    panic!("jobs make jobs for ever");
}

fn sweep(story: &mut Story, gateway: &mut Gateway) {
    let payments: Vec<PaymentId> = story.world.sale.payments.iter().map(|payment| payment.id).collect();
    for payment in payments {
        let answer = gateway.answer(story, payment);
        take(story, &answer);
        work(story, gateway);
    }
}

/// Everything about a sale that must not depend on how it was told. Which of two captured payments is kept does
/// depend on which came first; that one is kept and one goes back does not.
fn end_of(story: &Story) -> String {
    let sale = &story.world.sale;
    let mut payments: Vec<String> = sale
        .payments
        .iter()
        .map(|payment| {
            let mut parts = vec![payment.state.as_str().to_owned()];
            parts.extend(payment.decline.as_ref().map(|decline| decline.code.clone()));
            let refunds = sale.refunds.iter().filter(|refund| refund.payment == payment.id);
            let mut refunds: Vec<String> = refunds
                .map(|refund| format!("{} {} {}", refund.reason.as_str(), refund.amount.minor(), refund.state.as_str()))
                .collect();
            refunds.sort();
            parts.extend(refunds);
            let disputes = sale.disputes.iter().filter(|dispute| dispute.payment == payment.id);
            parts.extend(
                disputes.map(|dispute| format!("dispute {} {}", dispute.amount.minor(), dispute.state.as_str())),
            );
            parts.join(", ")
        })
        .collect();
    payments.sort();
    let mut licenses: Vec<&str> = sale.licenses.iter().map(|license| license.state.as_str()).collect();
    licenses.dedup();
    let money = sale.order.refunded.minor();
    format!(
        "{} {money}; checkout {}; licenses {}; {}",
        sale.order.state.as_str(),
        sale.checkout.state.as_str(),
        if licenses.is_empty() { "none".to_owned() } else { licenses.join(" ") },
        payments.join("; "),
    )
}

fn run(lifecycle: &Lifecycle, sequence: &[usize], newest_first: bool) -> String {
    let mut story = Story::new();
    for words in lifecycle.before.split(", ").filter(|words| *words != "-") {
        story.tell(words).unwrap();
    }
    story.world.jobs.clear();
    let resolve = |words: &&str| (!words.starts_with("expire")).then(|| story.occurrence(words));
    let told: Vec<Option<Occurrence>> = lifecycle.told.iter().map(resolve).collect();
    let truth = lifecycle.truth.iter().filter_map(resolve).collect();
    let mut gateway = Gateway { truth, newest_first };
    for index in sequence {
        match &told[*index] {
            Some(occurrence) => {
                meet(&mut story, occurrence);
            }
            None => {
                story.tell("expire").unwrap();
            }
        }
        work(&mut story, &mut gateway);
    }
    sweep(&mut story, &mut gateway);
    story.world.now = story.world.now.after(Duration::days(30));
    let over = expire_checkout(&story.world.sale, story.world.now, &mut story.world.rng);
    story.world.write(&over);

    let settled = story.world.sale.clone();
    sweep(&mut story, &mut gateway);
    assert_eq!(story.world.sale, settled, "asking once more changes nothing");
    let mailed = story.world.count("order_paid");
    let works = settled.licenses.iter().any(|license| license.state == LicenseState::Active);
    assert!(mailed <= 1 && (mailed == 1 || !works), "the keys were mailed {mailed} times");
    assert_eq!(story.world.count("payment_failed").max(1), 1, "one failed payment, one mail at most");
    end_of(&story)
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let mut found = Vec::new();
    for shorter in permutations(count - 1) {
        for place in 0..count {
            let mut longer = shorter.clone();
            longer.insert(place, count - 1);
            found.push(longer);
        }
    }
    found
}

/// The sequence as it is, with each of its reports left out, and with each of them doubled at each place.
fn disturbed(sequence: &[usize]) -> Vec<Vec<usize>> {
    let mut found = vec![sequence.to_vec()];
    for index in 0..sequence.len() {
        let mut shorter = sequence.to_vec();
        let left_out = shorter.remove(index);
        found.push(shorter);
        for place in 0..=sequence.len() {
            let mut longer = sequence.to_vec();
            longer.insert(place, left_out);
            found.push(longer);
        }
    }
    found
}

fn check(lifecycle: &Lifecycle) {
    let mut sequences: Vec<Vec<usize>> =
        permutations(lifecycle.told.len()).iter().flat_map(|sequence| disturbed(sequence)).collect();
    sequences.push(vec![]);
    sequences.sort();
    sequences.dedup();
    for sequence in &sequences {
        for newest_first in [false, true] {
            let words: Vec<&str> = sequence.iter().map(|index| lifecycle.told[*index]).collect();
            let end = run(lifecycle, sequence, newest_first);
            assert_eq!(end, lifecycle.end, "told {words:?}, newest answers first: {newest_first}");
        }
    }
}

#[test]
fn a_card_payment_ends_paid_however_it_is_told() {
    check(&Lifecycle {
        before: "-",
        told: &["page", "open", "captured 98.00"],
        truth: &["captured 98.00"],
        end: "paid 0; checkout completed; licenses active; succeeded",
    });
}

#[test]
fn a_decline_before_the_success_leaves_no_trace_in_the_end() {
    check(&Lifecycle {
        before: "-",
        told: &["page", "declined card_declined", "challenge", "captured 98.00"],
        truth: &["captured 98.00"],
        end: "paid 0; checkout completed; licenses active; succeeded",
    });
}

#[test]
fn a_call_without_an_answer_ends_as_the_gateway_says() {
    check(&Lifecycle {
        before: "unanswered",
        told: &["page", "unanswered", "captured 98.00", "expire"],
        truth: &["captured 98.00"],
        end: "paid 0; checkout completed; licenses active; succeeded",
    });
}

#[test]
fn a_debit_that_succeeds_days_later_ends_paid() {
    check(&Lifecycle {
        before: "page",
        told: &["open", "processing", "expire", "captured 98.00"],
        truth: &["captured 98.00"],
        end: "paid 0; checkout completed; licenses active; succeeded",
    });
}

#[test]
fn a_debit_that_fails_days_later_ends_expired() {
    check(&Lifecycle {
        before: "page",
        told: &["processing", "declined insufficient_funds", "failed insufficient_funds", "expire"],
        truth: &["failed insufficient_funds"],
        end: "expired 0; checkout expired; licenses none; failed, insufficient_funds",
    });
}

#[test]
fn a_page_that_nobody_paid_ends_expired() {
    check(&Lifecycle {
        before: "-",
        told: &["page", "declined card_declined", "canceled", "expire"],
        truth: &["declined card_declined", "canceled"],
        end: "expired 0; checkout expired; licenses none; canceled, card_declined",
    });
}

#[test]
fn a_capture_after_the_end_pays_all_the_same() {
    check(&Lifecycle {
        before: "page",
        told: &["canceled", "expire", "captured 98.00"],
        truth: &["captured 98.00"],
        end: "paid 0; checkout completed; licenses active; succeeded",
    });
}

#[test]
fn a_refund_made_at_the_gateway_ends_refunded() {
    check(&Lifecycle {
        before: "page",
        told: &["captured 98.00", "refund pending 98.00 a", "refund succeeded 98.00 a"],
        truth: &["captured 98.00", "refund succeeded 98.00 a"],
        end: "refunded 9800; checkout completed; licenses revoked_by_refund; \
              succeeded, made_at_gateway 9800 succeeded",
    });
}

#[test]
fn refunds_in_parts_end_as_their_sum() {
    check(&Lifecycle {
        before: "page",
        told: &["captured 98.00", "refund succeeded 20.00 a", "refund pending 30.00 b", "refund succeeded 30.00 b"],
        truth: &["captured 98.00", "refund succeeded 20.00 a", "refund succeeded 30.00 b"],
        end: "partially_refunded 5000; checkout completed; licenses active; \
              succeeded, made_at_gateway 2000 succeeded, made_at_gateway 3000 succeeded",
    });
}

#[test]
fn a_refund_that_bounces_ends_paid() {
    check(&Lifecycle {
        before: "page",
        told: &["captured 98.00", "refund pending 98.00 a", "refund succeeded 98.00 a", "refund failed 98.00 a"],
        truth: &["captured 98.00", "refund failed 98.00 a"],
        end: "paid 0; checkout completed; licenses active; succeeded, made_at_gateway 9800 failed",
    });
}

#[test]
fn a_second_refund_after_one_that_bounced_ends_refunded() {
    check(&Lifecycle {
        before: "page",
        told: &["captured 98.00", "refund succeeded 98.00 a", "refund failed 98.00 a", "refund succeeded 98.00 b"],
        truth: &["captured 98.00", "refund failed 98.00 a", "refund succeeded 98.00 b"],
        end: "refunded 9800; checkout completed; licenses revoked_by_refund; \
              succeeded, made_at_gateway 9800 failed, made_at_gateway 9800 succeeded",
    });
}

#[test]
fn a_refund_asked_for_here_ends_as_the_gateway_says_even_when_a_call_was_refused() {
    check(&Lifecycle {
        before: "page, captured 98.00, refund request all",
        told: &["refund pending 98.00 ours", "refund succeeded 98.00 ours", "refund call refused"],
        truth: &["captured 98.00", "refund succeeded 98.00 ours"],
        end: "refunded 9800; checkout completed; licenses revoked_by_refund; \
              succeeded, requested_by_customer 9800 succeeded",
    });
}

#[test]
fn a_part_that_was_to_end_the_licenses_and_bounced_leaves_them_working() {
    check(&Lifecycle {
        before: "page, captured 98.00, refund request 20.00 and_revoke",
        told: &["refund pending 20.00 ours", "refund succeeded 20.00 ours", "refund failed 20.00 ours"],
        truth: &["captured 98.00", "refund failed 20.00 ours"],
        end: "paid 0; checkout completed; licenses active; succeeded, requested_by_customer 2000 failed",
    });
}

#[test]
fn a_dispute_that_is_won_ends_paid_with_the_same_licenses() {
    check(&Lifecycle {
        before: "page",
        told: &[
            "captured 98.00",
            "dispute warning 98.00",
            "dispute opened 98.00",
            "dispute evidence_sent 98.00",
            "dispute won 98.00",
        ],
        truth: &["captured 98.00", "dispute won 98.00"],
        end: "paid 0; checkout completed; licenses active; succeeded, dispute 9800 won",
    });
}

#[test]
fn a_dispute_that_is_lost_ends_lost() {
    check(&Lifecycle {
        before: "page",
        told: &["captured 98.00", "dispute opened 98.00", "dispute won 98.00", "dispute lost 98.00"],
        truth: &["captured 98.00", "dispute lost 98.00"],
        end: "lost 0; checkout completed; licenses revoked_by_dispute; succeeded, dispute 9800 lost",
    });
}

#[test]
fn a_dispute_that_is_lost_and_won_on_appeal_ends_paid() {
    const BY_EVENT: &[&str] = &["captured 98.00", "dispute won 98.00 appeal"];
    const BY_ANSWER: &[&str] = &["captured 98.00", "dispute won 98.00 answer"];
    for truth in [BY_EVENT, BY_ANSWER] {
        check(&Lifecycle {
            before: "page",
            told: &["captured 98.00", "dispute opened 98.00", "dispute lost 98.00", "dispute won 98.00 appeal"],
            truth,
            end: "paid 0; checkout completed; licenses active; succeeded, dispute 9800 won",
        });
    }
}

#[test]
fn a_question_that_becomes_a_chargeback_over_a_part_ends_with_that_part() {
    check(&Lifecycle {
        before: "page",
        told: &["captured 98.00", "dispute warning 98.00", "dispute opened 40.00", "dispute accepted 40.00"],
        truth: &["captured 98.00", "dispute accepted 40.00"],
        end: "lost 0; checkout completed; licenses revoked_by_dispute; succeeded, dispute 4000 accepted",
    });
}

#[test]
fn a_refund_in_part_and_a_dispute_about_the_rest_end_partially_refunded_when_it_is_won() {
    check(&Lifecycle {
        before: "page",
        told: &["captured 98.00", "refund succeeded 20.00 a", "dispute opened 78.00", "dispute won 78.00"],
        truth: &["captured 98.00", "refund succeeded 20.00 a", "dispute won 78.00"],
        end: "partially_refunded 2000; checkout completed; licenses active; \
              succeeded, made_at_gateway 2000 succeeded, dispute 7800 won",
    });
}

#[test]
fn two_captured_payments_end_with_one_kept_and_one_given_back() {
    check(&Lifecycle {
        before: "page, second",
        told: &["declined card_declined", "captured 98.00", "2nd: page", "2nd: captured 98.00"],
        truth: &["captured 98.00", "2nd: captured 98.00"],
        end: "paid 0; checkout completed; licenses active; \
              succeeded; succeeded, surprise_capture 9800 succeeded",
    });
}

#[test]
fn a_capture_of_the_attempt_that_was_given_up_goes_back() {
    check(&Lifecycle {
        before: "page, canceled, second",
        told: &["2nd: processing", "2nd: captured 98.00", "captured 98.00", "expire"],
        truth: &["captured 98.00", "2nd: captured 98.00"],
        end: "paid 0; checkout completed; licenses active; \
              succeeded; succeeded, surprise_capture 9800 succeeded",
    });
}

#[test]
fn a_debit_that_fails_beside_a_card_that_paid_ends_paid() {
    check(&Lifecycle {
        before: "page, second",
        told: &["processing", "failed insufficient_funds", "2nd: page", "2nd: captured 98.00"],
        truth: &["failed insufficient_funds", "2nd: captured 98.00"],
        end: "paid 0; checkout completed; licenses active; failed, insufficient_funds; succeeded",
    });
}

#[test]
fn every_open_payment_is_asked_about_again_and_ever_more_seldom() {
    let mut story = Story::new();
    let mut waits = Vec::new();
    for _ in 0..9 {
        let asked_at = story.world.sale.payments[0].check_at.unwrap();
        waits.push(asked_at.since(story.world.now).as_seconds() / 60);
        story.world.now = asked_at;
        story.tell("still open").unwrap();
        // Another node has asked at the same moment.
        let payment = story.world.sale.payments[0].id;
        story.world.meet(&Occurrence::StillOpen { payment }).unwrap();
    }
    assert_eq!(waits, [5, 60, 1440, 1440, 1440, 1440, 1440, 10_080, 10_080]);
    story.tell("captured 98.00").unwrap();
    assert_eq!(story.world.sale.payments[0].state, PaymentState::Succeeded);
    assert_eq!(story.world.sale.payments[0].check_at, None);
}
