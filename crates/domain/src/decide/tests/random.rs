//! Whatever happens, in whatever order: no law breaks, nothing panics, a refusal changes nothing, and chance comes
//! from the seed alone.

use proptest::prelude::*;

use super::story::Story;
use crate::fixture::rng;
use crate::{Actor, Fact, GatewayAccountId, Mode, Occurrence, Refusal, decide};

const WORDS: [&str; 48] = [
    "page",
    "unanswered",
    "call refused",
    "still open",
    "open",
    "declined card_declined",
    "declined expired_card",
    "challenge",
    "processing",
    "captured 98.00",
    "captured 98.00",
    "captured 97.99",
    "captured 98.00 USD",
    "captured -98.00",
    "failed insufficient_funds",
    "canceled",
    "refund request all",
    "refund request 20.00",
    "refund request 98.00 and_revoke",
    "refund request 49.00 and_keep",
    "refund request -1.00",
    "refund request 10.00 USD",
    "refund request all surplus",
    "refund call refused",
    "refund pending 20.00 a",
    "refund succeeded 20.00 a",
    "refund failed 20.00 a",
    "refund canceled 20.00 a",
    "refund succeeded 98.00 b",
    "refund failed 98.00 b",
    "refund pending 20.00 ours",
    "refund succeeded 20.00 ours",
    "refund succeeded 98.00 ours",
    "refund failed 98.00 ours",
    "refund succeeded 92233720368547758.07 c",
    "dispute warning 98.00",
    "dispute opened 98.00",
    "dispute opened 40.00",
    "dispute opened 92233720368547758.07",
    "dispute won 98.00",
    "dispute lost 98.00",
    "dispute lost 40.00",
    "person active",
    "person suspended_by_person",
    "person revoked_by_person",
    "second",
    "expire",
    "second",
];

/// A report that comes from somewhere else than the payment was sent to.
fn foreign(mut told: Occurrence) -> Occurrence {
    if let Occurrence::Reported { account, .. } = &mut told {
        *account = GatewayAccountId::mint(crate::fixture::START, &mut rng(200));
    }
    told
}

/// A report about real money, for a payment that is none.
fn about_real_money(mut told: Occurrence) -> Occurrence {
    if let Occurrence::Reported { fact, .. } = &mut told {
        match fact {
            Fact::Payment(report) => report.mode = Mode::Live,
            Fact::Refund(report) => report.mode = Mode::Live,
            Fact::Dispute(report) => report.mode = Mode::Live,
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_breaks_a_law(steps in prop::collection::vec((prop::sample::select(&WORDS[..]), any::<bool>(), any::<u8>()), 1..30)) {
        let mut story = Story::new();
        for (words, second, seed) in steps {
            let of_payment = !["second", "expire", "person"].iter().any(|other| words.starts_with(other));
            if !of_payment {
                // Every law is held against the sale when it is written.
                let _ = story.tell(words);
                continue;
            }
            let words = if second && story.world.sale.payments.len() > 1 { format!("2nd: {words}") } else { words.to_owned() };
            let told = story.occurrence(&words);
            let before = story.world.sale.clone();
            let decided = |told: &Occurrence| decide(&before, told, Actor::Gateway, story.world.now, &mut rng(seed));

            prop_assert_eq!(decided(&told), decided(&told), "the same seed, the same changes");
            if let Occurrence::Reported { .. } = told {
                prop_assert_eq!(decided(&foreign(told.clone())), Err(Refusal::AccountMismatch));
                let expected = Mode::Sandbox;
                prop_assert_eq!(
                    decided(&about_real_money(told.clone())),
                    Err(Refusal::ModeMismatch { expected, reported: Mode::Live })
                );
            }
            match story.world.meet(&told) {
                Ok(changes) => prop_assert!(!changes.is_empty() || story.world.sale == before),
                Err(_) => prop_assert_eq!(&story.world.sale, &before, "a refusal changes nothing"),
            }
            prop_assert!(story.world.count("order_paid") <= 1, "the keys are mailed once");
        }
    }
}
