//! A standby that does not answer: what is written here, and perhaps nowhere else, is acknowledged to nobody.

use futures::future::{Either, select};
use store::testing::{PostgresServer, ask_on, run_on};

use crate::exactly_once::told_of_payment;
use crate::house::{CARD, House};

const WAITING: &str = "select count(*)::text from pg_stat_activity where wait_event = 'SyncRep'";
const GIVE_UP: &str = "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";

/// Every commit waits for this standby from now on, or for none. The server's processes hear of it one after another.
async fn wait_for_standby(url: &str, name: &str) {
    run_on(url, &[&format!("alter system set synchronous_standby_names = '{name}'"), "select pg_reload_conf()"]).await;
    loop {
        let probe = ["create table if not exists probe (n bigint)", "insert into probe values (1)"];
        let probing = run_on(url, &probe);
        let looking = async {
            while ask_on(url, WAITING).await == "0" {}
            run_on(url, &[GIVE_UP]).await;
        };
        let waits = match select(Box::pin(probing), Box::pin(looking)).await {
            Either::Left(_) => false,
            Either::Right(((), probing)) => {
                let giving_up = async {
                    loop {
                        run_on(url, &[GIVE_UP]).await;
                    }
                };
                matches!(select(probing, Box::pin(giving_up)).await, Either::Left(_))
            }
        };
        if waits != name.is_empty() {
            return;
        }
    }
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
        let giving_up = async {
            loop {
                run_on(&url, &[GIVE_UP]).await;
            }
        };
        match select(Box::pin(house.try_to_receive(&event)), Box::pin(giving_up)).await {
            Either::Left((received, _)) => assert!(received.is_err(), "delivery {delivery}: {received:?}"),
            Either::Right((never, _)) => never,
        }
    }
    assert_eq!(house.standing(bought.order).await, "paid 0 | succeeded | - | - | active", "here it can be read");
    wait_for_standby(&url, "").await;
    house.receive(&event).await;
    house.assert_lawful(&[bought.order]).await;
}
