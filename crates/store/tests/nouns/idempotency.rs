//! Calls that may be repeated, and what was answered to them.

use domain::{Duration, Timestamp};
use store::{Claim, Claimed, CommitError, Expect, Statement, Store, Value};

use crate::world::World;

const LEASE: Duration = Duration::seconds(90);

struct Caller {
    store: Store,
    now: Timestamp,
    world: World,
}

impl Caller {
    async fn new(store: Store) -> Self {
        let mut world = World::new();
        world.stock(&store).await;
        Self { store, now: world.now, world }
    }

    /// An attempt at the call `key` with this body.
    fn attempt(&self, key: u8, body: u8, holder: u8) -> Claim {
        Claim { shop: self.world.shop.id, id: vec![key; 32], request_digest: vec![body; 32], holder: vec![holder; 16] }
    }

    async fn claim(&self, claim: &Claim) -> Claimed {
        let forget_before = self.now.before(Duration::days(30));
        self.store.claim(claim, self.now, self.now.after(LEASE), forget_before).await.unwrap()
    }
}

pub(crate) async fn a_call_is_done_once_and_answered_again(store: Store) {
    let caller = Caller::new(store).await;
    let first = caller.attempt(1, 1, 1);
    let again = caller.attempt(1, 1, 2);
    assert_eq!(caller.claim(&first).await, Claimed::Ours { began_at: caller.now });
    assert_eq!(caller.claim(&again).await, Claimed::InFlight);
    assert_eq!(caller.claim(&caller.attempt(1, 2, 3)).await, Claimed::OtherRequest, "while it is worked on");
    caller.store.answer_claim(&first, 201, r#"{"id":"chk"}"#).await.unwrap();
    let answered = Claimed::Answered { status: 201, body: r#"{"id":"chk"}"#.to_owned() };
    assert_eq!(caller.claim(&again).await, answered);
    assert_eq!(caller.claim(&caller.attempt(1, 2, 3)).await, Claimed::OtherRequest, "and after");
    assert_eq!(caller.claim(&caller.attempt(2, 2, 3)).await, Claimed::Ours { began_at: caller.now }, "another call");
}

pub(crate) async fn an_answer_is_kept_sealed_and_is_that_of_no_other_call(store: Store) {
    let caller = Caller::new(store).await;
    let first = caller.attempt(1, 1, 1);
    let body = r#"{"key":"SECRET-KEY"}"#;
    caller.claim(&first).await;
    caller.store.answer_claim(&first, 200, body).await.unwrap();
    let run = async |sql, values| {
        let statement = Statement { sql, values, expect: Expect::Any, what: "test" };
        caller.store.engine().commit_returning(vec![statement]).await.unwrap().remove(0)
    };
    let kept = run("select body from idempotency_keys", vec![]).await;
    assert!(!kept[0].text(0).unwrap().contains("SECRET"), "{kept:?}");
    let answered = Claimed::Answered { status: 200, body: body.to_owned() };
    assert_eq!(caller.claim(&caller.attempt(1, 1, 2)).await, answered);
    let second = caller.attempt(2, 1, 1);
    caller.claim(&second).await;
    caller.store.answer_claim(&second, 200, body).await.unwrap();
    run(
        "update idempotency_keys set body = (select body from idempotency_keys where id = $1)",
        vec![Value::Bytes(vec![2; 32])],
    )
    .await;
    let forget_before = caller.now.before(Duration::days(30));
    let claim = caller.attempt(1, 1, 2);
    let again = async || caller.store.claim(&claim, caller.now, caller.now.after(LEASE), forget_before).await;
    let told = again().await;
    assert!(matches!(told, Err(CommitError::Unavailable(_))), "the answer of one call is none of another's: {told:?}");
    run("update idempotency_keys set body = $1", vec![Value::Text(body.to_owned())]).await;
    let told = again().await;
    assert!(matches!(told, Err(CommitError::Unavailable(_))), "what is not sealed is nobody's answer: {told:?}");
}

pub(crate) async fn a_call_that_was_let_go_can_be_made_again(store: Store) {
    let mut caller = Caller::new(store).await;
    let began_at = caller.now;
    let first = caller.attempt(1, 1, 1);
    caller.claim(&first).await;
    caller.store.release_claim(&caller.attempt(1, 1, 2)).await.unwrap();
    assert_eq!(caller.claim(&caller.attempt(1, 1, 3)).await, Claimed::InFlight, "only its holder lets go of it");
    caller.store.release_claim(&first).await.unwrap();
    caller.now = began_at.after(Duration::seconds(1));
    assert_eq!(
        caller.claim(&caller.attempt(1, 2, 4)).await,
        Claimed::OtherRequest,
        "the key stands for the first request"
    );
    assert_eq!(caller.claim(&caller.attempt(1, 1, 5)).await, Claimed::Ours { began_at }, "with the same derived ids");
}

pub(crate) async fn a_call_whose_node_died_is_taken_over_from_where_it_began(store: Store) {
    let mut caller = Caller::new(store).await;
    let began_at = caller.now;
    let dead = caller.attempt(1, 1, 1);
    caller.claim(&dead).await;
    caller.now = began_at.after(LEASE);
    assert_eq!(caller.claim(&caller.attempt(1, 2, 2)).await, Claimed::OtherRequest);
    let next = caller.attempt(1, 1, 3);
    assert_eq!(caller.claim(&next).await, Claimed::Ours { began_at });
    let late = caller.store.answer_claim(&dead, 500, "{}").await;
    assert_eq!(late, Err(CommitError::Conflict { what: "idempotency_key" }), "one that comes back is too late");
    caller.store.answer_claim(&next, 200, "{}").await.unwrap();
    assert_eq!(caller.claim(&dead).await, Claimed::Answered { status: 200, body: "{}".to_owned() });
}

pub(crate) async fn an_answer_is_forgotten_after_thirty_days(store: Store) {
    let mut caller = Caller::new(store).await;
    for key in 1..=3 {
        let claim = caller.attempt(key, 1, 1);
        caller.claim(&claim).await;
        caller.store.answer_claim(&claim, 200, "{}").await.unwrap();
    }
    let began_at = caller.now;
    caller.now = began_at.after(Duration::days(30)).before(Duration::seconds(1));
    assert!(matches!(caller.claim(&caller.attempt(1, 1, 2)).await, Claimed::Answered { .. }));
    caller.now = began_at.after(Duration::days(30));
    assert_eq!(caller.claim(&caller.attempt(1, 9, 2)).await, Claimed::Ours { began_at: caller.now });
}

pub(crate) async fn of_many_that_claim_a_call_at_once_one_gets_it(store: Store) {
    let caller = std::sync::Arc::new(Caller::new(store).await);
    let attempts: Vec<_> = (0..50)
        .map(|holder| {
            let caller = std::sync::Arc::clone(&caller);
            tokio::spawn(async move { caller.claim(&caller.attempt(1, 1, holder)).await })
        })
        .collect();
    let mut got = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Claimed::Ours { .. } => got += 1,
            other @ (Claimed::InFlight | Claimed::OtherRequest | Claimed::Answered { .. }) => {
                assert_eq!(other, Claimed::InFlight);
            }
        }
    }
    assert_eq!(got, 1);
}
