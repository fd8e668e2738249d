//! What only PostgreSQL can promise or break: connections that end, locks, standbys.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use store::postgres::{Postgres, PostgresOptions};
use store::testing::{PostgresServer, postgres_database};
use store::{CommitError, Engine, OpenError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::{Client, NoTls};

use super::{SCHEMA, counter, moved, thing, things, version_and_value};

async fn open(url: &str) -> Postgres {
    let engine = Postgres::open(url, PostgresOptions::default()).await.unwrap();
    engine.migrate(SCHEMA).await.unwrap();
    engine
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// When the proxy cuts the line.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// The server never hears COMMIT.
    BeforeTheServer,
    /// The server commits, and its answer is lost.
    BeforeTheClient,
}

/// A line to the server that breaks at COMMIT. Gives the address to use instead.
async fn proxied(url: &str, cut: Cut) -> String {
    let server = url.split(['@', '/']).nth(3).unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let proxied = url.replace(&server, &address);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, TcpStream::connect(server.clone()).await.unwrap(), cut));
        }
    });
    proxied
}

async fn carry(mut client: TcpStream, mut server: TcpStream, cut: Cut) {
    let (mut sent, mut answered) = ([0; 65_536], [0; 65_536]);
    let mut heard_commit = false;
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let Ok(length @ 1..) = read else { return };
                heard_commit = sent[..length].windows(7).any(|window| window == b"commit\0");
                if heard_commit && matches!(cut, Cut::BeforeTheServer) { return }
                if server.write_all(&sent[..length]).await.is_err() { return }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if heard_commit { return }
                if client.write_all(&answered[..length]).await.is_err() { return }
            }
        }
    }
}

#[tokio::test]
async fn a_connection_lost_at_commit_is_unknown_and_never_success() {
    for (cut, is_written) in [(Cut::BeforeTheServer, false), (Cut::BeforeTheClient, true)] {
        let url = postgres_database().await;
        let direct = open(&url).await;
        let through = Postgres::open(&proxied(&url, cut).await, PostgresOptions::default()).await.unwrap();
        let outcome = through.commit(vec![thing("a"), thing("b")]).await;
        assert!(matches!(outcome, Err(CommitError::Unknown(_))), "{cut:?}: {outcome:?}");
        assert_eq!(things(&direct).await.len(), if is_written { 2 } else { 0 }, "{cut:?}");
        // The line is bad for commits only; the engine itself goes on.
        assert_eq!(things(&through).await.len(), if is_written { 2 } else { 0 }, "{cut:?}");
    }
}

#[tokio::test]
async fn a_commit_whose_replication_was_given_up_is_unknown() {
    let server = PostgresServer::start("");
    let url = server.database().await;
    let engine = Arc::new(open(&url).await);
    let admin = client(&url).await;
    // From now on a commit waits for a standby that does not exist.
    admin.batch_execute("alter system set synchronous_standby_names = 'nobody'").await.unwrap();
    admin.batch_execute("select pg_reload_conf()").await.unwrap();
    let setting = "select current_setting('synchronous_standby_names') = 'nobody'";
    while !admin.query_one(setting, &[]).await.unwrap().get::<_, bool>(0) {}

    let cancel = "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";
    let mut acknowledged = Vec::new();
    // The server's processes hear of the setting one after another: what is committed before is acknowledged.
    let (name, outcome) = loop {
        let name = format!("a{}", acknowledged.len());
        assert!(acknowledged.len() < 10_000, "no commit ever waits for the standby");
        let committing = {
            let (engine, name) = (Arc::clone(&engine), name.clone());
            tokio::spawn(async move { engine.commit(vec![thing(&name)]).await })
        };
        while !committing.is_finished() {
            admin.query(cancel, &[]).await.unwrap();
        }
        match committing.await.unwrap() {
            Ok(()) => acknowledged.push(name),
            outcome => break (name, outcome),
        }
    };
    assert!(matches!(outcome, Err(CommitError::Unknown(_))), "{outcome:?}");
    // Here it is; on a standby it may not be.
    assert!(things(&*engine).await.contains(&name));

    admin.batch_execute("alter system reset synchronous_standby_names").await.unwrap();
    admin.batch_execute("select pg_reload_conf()").await.unwrap();
    while admin.query_one(setting, &[]).await.unwrap().get::<_, bool>(0) {}
    engine.commit(vec![thing("b")]).await.unwrap();
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let url = postgres_database().await;
    let engine = open(&url).await;
    let admin = client(&url).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity \
        where datname = current_database() and pid <> pg_backend_pid()";
    for round in 0..5 {
        engine.commit(vec![thing(&format!("t{round}"))]).await.unwrap();
        admin.batch_execute(end).await.unwrap();
        assert_eq!(things(&engine).await.len(), round + 1);
        admin.batch_execute(end).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_lock_each_other_out_end_in_a_conflict_or_in_order() {
    let engine = Arc::new(open(&postgres_database().await).await);
    engine.commit(vec![counter("a", 0), counter("b", 0)]).await.unwrap();
    let movers = (0..4).map(|mover| {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            let mut moves = 0;
            while moves < 10 {
                let (version_a, _) = version_and_value(&*engine, "a").await;
                let (version_b, _) = version_and_value(&*engine, "b").await;
                let (a, b) = (moved("a", version_a, 1), moved("b", version_b, 1));
                match engine.commit(if mover % 2 == 0 { vec![a, b] } else { vec![b, a] }).await {
                    Ok(()) => moves += 1,
                    Err(CommitError::Conflict { what }) => assert_eq!(what, "counter"),
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    join_all(movers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(version_and_value(&*engine, "a").await, (41, 40));
    assert_eq!(version_and_value(&*engine, "b").await, (41, 40));
}

#[tokio::test]
async fn when_every_connection_is_busy_the_next_caller_hears_it() {
    let url = postgres_database().await;
    open(&url).await.commit(vec![counter("n", 0)]).await.unwrap();
    let options = PostgresOptions { connections: 1, patience: Duration::from_millis(50), ..PostgresOptions::default() };
    let engine = Arc::new(Postgres::open(&url, options).await.unwrap());
    let elsewhere = client(&url).await;
    elsewhere.batch_execute("begin; update counters set value = 5 where id = 'n'").await.unwrap();
    let waiting = {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { engine.commit(vec![moved("n", 1, 1)]).await })
    };
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let admin = client(&url).await;
    while admin.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {}

    let refused = engine.commit(vec![thing("a")]).await;
    assert!(matches!(&refused, Err(CommitError::Unavailable(why)) if why.contains("busy")), "{refused:?}");
    elsewhere.batch_execute("commit").await.unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(()));
    engine.commit(vec![thing("a")]).await.unwrap();
}

#[tokio::test]
async fn a_server_that_would_lose_commits_is_refused() {
    let url = postgres_database().await;
    let admin = client(&url).await;
    let database = url.rsplit('/').next().unwrap();
    admin.batch_execute(&format!("alter database {database} set synchronous_commit = off")).await.unwrap();
    let opened = Postgres::open(&url, PostgresOptions::default()).await.err();
    assert!(matches!(opened, Some(OpenError::Unsafe { setting: "synchronous_commit", .. })), "{opened:?}");
    let careless = PostgresServer::start("fsync = off");
    let opened = Postgres::open(&careless.database().await, PostgresOptions::default()).await.err();
    assert!(matches!(opened, Some(OpenError::Unsafe { setting: "fsync", .. })), "{opened:?}");
}

#[tokio::test]
async fn a_server_on_another_machine_is_reached_by_tls_or_not_at_all() {
    let with_tls = PostgresServer::start_with_tls(include_str!("tls/server.pem"), include_str!("tls/server.key"));
    let without = PostgresServer::start("");
    let (encrypted, plain) = (with_tls.database().await, without.database().await);
    let authority = Some(include_bytes!("tls/authority.pem").to_vec());
    // The name decides whether it is another machine; the address is where the test has its server.
    let named = |url: &str, name: &str, more: &str| {
        format!("{}?hostaddr=127.0.0.1{more}", url.replace("@127.0.0.1:", &format!("@{name}:")))
    };
    for (url, authority, is_reached) in [
        (named(&encrypted, "db.latchkey.test", ""), &authority, true),
        (named(&encrypted, "db.latchkey.test", "&sslmode=prefer"), &authority, true),
        (named(&encrypted, "other.latchkey.test", ""), &authority, false),
        (named(&encrypted, "db.latchkey.test", ""), &None, false),
        (named(&plain, "db.latchkey.test", ""), &authority, false),
        (named(&plain, "db.latchkey.test", "&sslmode=disable"), &None, true),
        (encrypted.clone(), &None, true),
    ] {
        let options = PostgresOptions { authority: authority.clone(), ..PostgresOptions::default() };
        match Postgres::open(&url, options).await {
            Ok(engine) => {
                assert!(is_reached, "{url}");
                let ssl = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
                let rows = engine.query(vec![super::statement(ssl, vec![])]).await.unwrap();
                assert_eq!(rows[0][0].flag(0), Ok(authority.is_some()), "{url}");
            }
            Err(error) => assert!(!is_reached && matches!(error, OpenError::Unavailable(_)), "{url}: {error}"),
        }
    }
}

#[tokio::test]
async fn an_address_where_nobody_answers_is_unavailable() {
    for url in
        ["postgres://127.0.0.1:1/shop", "not an address", "postgres://latchkey@127.0.0.1:1/shop?connect_timeout=1"]
    {
        let opened = Postgres::open(url, PostgresOptions::default()).await.err();
        assert!(matches!(opened, Some(OpenError::Unavailable(_))), "{url}: {opened:?}");
    }
}
