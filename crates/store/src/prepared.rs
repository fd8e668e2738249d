//! Every text of every noun, prepared on both engines: what a database would refuse is refused here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use crate::statement::Text;
use crate::testing::{Directory, postgres_database};
use crate::{
    activation, api_key, attempt, batch, checkout, claim, commit, copy, customer, delivery, dispute, endpoint, event,
    foreign_key, gateway_account, group, idempotency, job, ledger, license, login, memory, message, migrate, moving,
    notice, order, payment, plan, pool, product, refund, release, report, restore, revocation, settings, shadow, shop,
    signed_key, transfer, user,
};

const TEXTS: &[(&str, &[Text])] = &[
    ("activation", activation::TEXTS),
    ("api_key", api_key::TEXTS),
    ("attempt", attempt::TEXTS),
    ("batch", batch::TEXTS),
    ("checkout", checkout::TEXTS),
    ("claim", claim::TEXTS),
    ("commit", commit::TEXTS),
    ("copy", copy::TEXTS),
    ("customer", customer::TEXTS),
    ("delivery", delivery::TEXTS),
    ("dispute", dispute::TEXTS),
    ("event", event::TEXTS),
    ("foreign_key", foreign_key::TEXTS),
    ("gateway_account", gateway_account::TEXTS),
    ("group", group::TEXTS),
    ("idempotency", idempotency::TEXTS),
    ("job", job::TEXTS),
    ("ledger", ledger::TEXTS),
    ("license", license::TEXTS),
    ("login", login::TEXTS),
    ("message", message::TEXTS),
    ("moving", moving::TEXTS),
    ("notice", notice::TEXTS),
    ("order", order::TEXTS),
    ("payment", payment::TEXTS),
    ("plan", plan::TEXTS),
    ("endpoint", endpoint::TEXTS),
    ("pool", pool::TEXTS),
    ("product", product::TEXTS),
    ("refund", refund::TEXTS),
    ("release", release::TEXTS),
    ("restore", restore::TEXTS),
    ("revocation", revocation::TEXTS),
    ("settings", settings::TEXTS),
    ("shadow", shadow::TEXTS),
    ("shop", shop::TEXTS),
    ("signed_key", signed_key::TEXTS),
    ("transfer", transfer::TEXTS),
    ("user", user::TEXTS),
];

/// What may read a table from end to end: tables of a handful of rows, and what is asked once in a while.
const MAY_SCAN: &[&str] = &["shop", "settings", "report", "restore", "moving"];

/// What may be read from end to end by anybody: what a statement has put together itself, and the few stocks of codes, and
/// by an index that holds nothing else, the units that wait for a seller's program.
const MAY_BE_SCANNED: &[&str] = &[
    "SCAN CONSTANT ROW",
    "SCAN (subquery",
    "SCAN wanted",
    "SCAN due",
    "SCAN locked",
    "SCAN free",
    "SCAN counted",
    "SCAN pools",
    "SCAN claims USING INDEX claims_asked",
];

/// Counts what waits to be done, for those who watch: what is done is no row any more.
const EVERY_JOB: &str = "select count(*) from jobs";

/// What may sort what it read: the few rows of one order, license or payment, and of what a seller compares.
const MAY_SORT: &[&str] = &["activation", "attempt", "job", "ledger", "pool", "settings", "shadow", "report"];

/// The conditions of what may read a shop from its first row on: its lists as they are, of everything or of what nearly
/// everything is, the few rows of its catalog and its people; and the licenses of a plan, which an act reads once in a
/// while from end to end, and for which no sale writes an index.
const MAY_READ_A_SHOP: &[&str] = &[
    "where shop_id = $1 and id < $2",
    "where shop_id = $1 and id > $2",
    "where shop_id = $1 and state = $4 and id < $2",
    "where shop_id = $1 and state = $4 and id > $2",
    "where shop_id = $1 and plan_id = $4 and id < $2",
    "where shop_id = $1 and plan_id = $4 and id > $2",
    "where shop_id = $1 and state = $2",
    "where shop_id = $1 order by",
];

/// Whether a step of SQLite's plan reads a shop and not what was asked for in it.
fn reads_a_shop(step: &str) -> bool {
    ["(shop_id=?)", "(shop_id=? AND id>?)", "(shop_id=? AND id<?)"].iter().any(|by| step.contains(by))
}

fn texts() -> impl Iterator<Item = (&'static str, Text)> {
    TEXTS
        .iter()
        .flat_map(|(noun, texts)| texts.iter().map(|text| (*noun, *text)))
        .chain(report::texts().map(|text| ("report", text)))
}

/// Whoever writes rows that are remembered must be heard by memory.rs: by the word that its statements carry, or because
/// nobody serves meanwhile.
#[test]
fn what_writes_licenses_and_seats_is_heard_by_whoever_remembers_them() {
    let writes = |text: &Text, table: &str| {
        let sql = text.sqlite.to_lowercase();
        ["insert into ", "update ", "delete from "].iter().any(|verb| sql.contains(&format!("{verb}{table} ")))
    };
    let alone = ["moving", "restore", "copy"];
    let mut heard = 0;
    for (noun, text) in texts() {
        if writes(&text, "licenses") || writes(&text, "activations") {
            assert!(memory::HEARD.contains(&noun) || alone.contains(&noun), "{noun}: {}", text.sqlite);
            heard += 1;
        }
    }
    assert!(heard >= 8, "{heard} texts write what is remembered");
    let mut rng = domain::Rng::from_seed([1; 32]);
    let now = domain::Timestamp::from_microseconds(0);
    let (shop, license) = (domain::ShopId::mint(now, &mut rng), domain::LicenseId::mint(now, &mut rng));
    let seat = domain::ActivationId::mint(now, &mut rng);
    assert_eq!([license::check(shop, license, 1).what, activation::by_id(shop, seat).what], memory::HEARD);
}

#[test]
fn every_text_that_a_noun_names_is_in_its_list() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut listed: BTreeMap<&str, _> = TEXTS.iter().copied().collect();
    for file in std::fs::read_dir(source).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() || path.file_stem().is_some_and(|stem| stem == "statement" || stem == "prepared") {
            continue;
        }
        let code = std::fs::read_to_string(&path).unwrap();
        let Some((_, list)) = code.split_once("\ntexts![") else { continue };
        let noun = path.file_stem().unwrap().to_str().unwrap();
        assert!(listed.remove(noun).is_some(), "the texts of {noun} are not prepared by this test");
        let list = list.split_once("];").unwrap().0;
        for line in code.lines().filter_map(|line| line.strip_prefix("const ")) {
            let (name, rest) = line.split_once(": ").unwrap();
            let value = code.split_once(&format!("const {name}: ")).unwrap().1;
            let value = value.split_once('=').unwrap().1.trim_start();
            let is_sql = rest.starts_with("Text")
                || rest.starts_with("Lists")
                || value.starts_with("concat!(")
                || ["\"select ", "\"insert ", "\"update ", "\"delete "].iter().any(|verb| value.starts_with(verb));
            assert!(!is_sql || list.contains(name), "{noun}: {name} is not in the list of texts");
        }
    }
    assert!(listed.is_empty(), "no file for {:?}", listed.keys());
}

#[tokio::test]
async fn every_text_is_prepared_by_sqlite_and_reads_by_an_index() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    let engine = crate::sqlite::Sqlite::open(&path, crate::sqlite::SqliteOptions::default()).unwrap();
    migrate(&engine).await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    for (noun, text) in texts() {
        let explained = format!("explain query plan {}", text.sqlite);
        let mut plan =
            connection.prepare(&explained).unwrap_or_else(|error| panic!("{noun}: {error}\n{}", text.sqlite));
        let mut rows = plan.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get::<_, String>(3).unwrap());
        }
        let is_small = |step: &&String| MAY_BE_SCANNED.iter().any(|small| step.starts_with(small));
        let scan = steps.iter().find(|step| step.starts_with("SCAN ") && !is_small(step));
        let may = MAY_SCAN.contains(&noun) || text.sqlite == EVERY_JOB;
        assert!(scan.is_none() || may, "{noun}: {scan:?}\n{}", text.sqlite);
        let whole = steps.iter().find(|step| reads_a_shop(step));
        let may = MAY_SCAN.contains(&noun) || MAY_READ_A_SHOP.iter().any(|condition| text.sqlite.contains(condition));
        assert!(whole.is_none() || may, "{noun}: {whole:?}\n{}", text.sqlite);
        let sort = steps.iter().find(|step| step.contains("TEMP B-TREE"));
        assert!(sort.is_none() || MAY_SORT.contains(&noun), "{noun}: {sort:?}\n{}", text.sqlite);
    }
}

/// A line to a PostgreSQL database that has our schema and no row.
async fn postgres_client() -> tokio_postgres::Client {
    let url = postgres_database().await;
    let engine = crate::postgres::Postgres::open(&url, crate::postgres::PostgresOptions::default()).await.unwrap();
    migrate(&engine).await.unwrap();
    drop(engine);
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn every_text_is_prepared_by_postgres_and_gives_types_that_we_read() {
    let client = postgres_client().await;
    for (noun, text) in texts() {
        let sql = text.postgres;
        let prepared =
            client.prepare(sql).await.unwrap_or_else(|error| panic!("{noun}: {:?}\n{sql}", error.as_db_error()));
        for parameter in prepared.params() {
            assert!([Type::INT8, Type::TEXT, Type::BYTEA].contains(parameter), "{noun}: a value is {parameter}\n{sql}");
        }
        for column in prepared.columns() {
            let kinds = [Type::INT8, Type::INT4, Type::BOOL, Type::TEXT, Type::BYTEA];
            assert!(kinds.contains(column.type_()), "{noun}: {} is {}\n{sql}", column.name(), column.type_());
        }
    }
}

/// A table is read from end to end where no index serves, however dear that is made: so the rows that are due are found
/// among a million others that are not.
#[tokio::test]
async fn every_text_reads_by_an_index_on_postgres() {
    let client = postgres_client().await;
    client.batch_execute("set enable_seqscan = off; set plan_cache_mode = force_generic_plan").await.unwrap();
    let mut scans = Vec::new();
    for (noun, text) in texts() {
        let sql = text.postgres;
        client.batch_execute(&format!("prepare planned as {sql}")).await.unwrap();
        let count = client.prepare(sql).await.unwrap().params().len();
        let values = vec!["null"; count].join(", ");
        let arguments = if values.is_empty() { values } else { format!("({values})") };
        let plan = client.query(&format!("explain execute planned{arguments}"), &[]).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        // The few stocks of codes are looked at one by one on either engine.
        let is_of_many = |step: &&String| step.contains("Seq Scan on ") && !step.contains("Seq Scan on pools ");
        let may = MAY_SCAN.contains(&noun) || text.sqlite == EVERY_JOB;
        scans.extend(steps.iter().find(is_of_many).filter(|_| !may).map(|step| format!("{noun}: {step}\n{sql}")));
        client.batch_execute("deallocate planned").await.unwrap();
    }
    assert!(scans.is_empty(), "{}", scans.join("\n\n"));
}
