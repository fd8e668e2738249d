//! A standby that does not answer: what is written here, and perhaps nowhere else, is acknowledged to nobody.

use futures::future::{Either, select};
use store::testing::{PostgresServer, ask_on, run_on};

use crate::exactly_once::told_of_payment;
use crate::house::{CARD, House};

const GIVE_UP: &str = "select count(pg_cancel_backend(pid))::text from pg_stat_activity where wait_event = 'SyncRep'";

/// What comes of this while every wait for a standby is given up, and whether anybody has waited.
async fn giving_up<T>(url: &str, work: impl Future<Output = T>) -> (T, bool) {
    let mut has_waited = false;
    let give_up = async {
        loop {
            has_waited |= ask_on(url, GIVE_UP).await != "0";
        }
    };
    let done = match select(Box::pin(work), Box::pin(give_up)).await {
        Either::Left((done, _)) => done,
        Either::Right((never, _)) => never,
    };
    (done, has_waited)
}

/// Every commit waits for this standby from now on, or for none. The server's processes hear of it one after another.
async fn wait_for_standby(url: &str, name: &str) {
    run_on(url, &[&format!("alter system set synchronous_standby_names = '{name}'"), "select pg_reload_conf()"]).await;
    let probe = ["create table if not exists probe (n bigint)", "insert into probe values (1)"];
    while giving_up(url, run_on(url, &probe)).await.1 == name.is_empty() {}
}

#[tokio::test]
async fn a_webhook_whose_commit_no_standby_has_is_not_acknowledged_however_often_it_comes_on_postgres() {
    let server = PostgresServer::start("");
    let url = server.database().await;
    let house = House::on_database(&url).await;
    let bought = house.buy(1).await;
    house.gateway.pay(&bought.session, CARD);
    let event = told_of_payment(&house.gateway.webhooks());
    wait_for_standby(&url, "nobody").await;
    for delivery in 1..=3 {
        let (received, _) = giving_up(&url, house.try_to_receive(&event)).await;
        assert!(received.is_err(), "delivery {delivery}: {received:?}");
    }
    assert_eq!(house.standing(bought.order).await, "paid 0 | succeeded | - | - | active", "here it can be read");
    wait_for_standby(&url, "").await;
    house.receive(&event).await;
    house.assert_lawful(&[bought.order]).await;
}
