//! A power cut: of everything that was written, only what was synced is sure to be there, and of the rest any part.
//!
//! The writer's calls are recorded with their bytes while sales are made and a checkpoint falls among them, and played
//! again on a copy: at every cut each file is what it was at its last sync, and of the writes since then some have reached the disk, some have not,
//! and one may be torn. On what is left every promise must hold that was made before the cut.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::chance::{Chance, seed};
use common::drive::Drive;
use common::gateway::SECRET_KEY;
use common::sale::{Customer, Kept, Promise};
use common::shop::{Engine, SHOP_FILE, Shop, not_sold, text};
use common::trace::{Trace, WRITES};
use common::{Effort, alone, figure, until};
use serde_json::json;
use store::testing::{Directory, PostgresServer, ask_on, postgres_store_at, run_on};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_anywhere_loses_no_acknowledged_sale() {
    let _alone = alone();
    let effort = Effort::asked();
    let mut shop = Shop::open(Engine::Sqlite).await;
    let customer = Customer::of(&shop).await;
    let mut batches = 0;
    let recorded = loop {
        let recorded = Recorded::sales(&shop, &customer, effort.of(2, 6), &[]).await;
        if recorded.calls.iter().any(Call::is_of_a_checkpoint) {
            break recorded;
        }
        batches += 1;
        assert!(batches < 100, "no checkpoint in all those sales");
    };
    let mut chance = Chance::new(seed("LATCHKEY_POWER_SEED"), 0);
    let step = effort.of(recorded.calls.len().div_ceil(100), 1);
    let (mut cuts, mut kept_in_all) = (0, 0);
    for cut in (0..=recorded.calls.len()).step_by(step) {
        for fate in [Fate::AllLost, Fate::Any] {
            let (kept, promised) = recorded.after_cut(cut, fate, &mut chance);
            let broken: Vec<_> = promised.iter().filter(|promise| !kept.keeps(&promise.what)).collect();
            assert_eq!(broken, Vec::<&Promise>::new(), "a cut before call {cut}, {fate:?}");
            cuts += 1;
            kept_in_all += promised.len();
        }
    }
    // The program itself starts on what the last cut left, and sells on.
    let last = recorded.calls.len();
    shop.server.kill();
    let files = replay(&recorded.before, &recorded.calls[..last], Fate::Any, &mut chance);
    write(&shop.folder.path().join("data"), &files);
    shop.start().expect("the server starts after a power cut");
    let (code, found) = shop.doctor();
    assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "{found:#}");
    Customer::of(&shop).await.buy().await;
    figure(
        "power.cuts",
        &format!(
            "{cuts} power cuts in {} calls, {} of them of a checkpoint: {kept_in_all} promises looked for, 0 broken",
            recorded.calls.len(),
            recorded.calls.iter().filter(|call| call.is_of_a_checkpoint()).count()
        ),
    );
}

/// The control: the same with syncs that do nothing. Sales are lost, and it is seen.
/// A shop on a PostgreSQL whose drive can lose its power.
struct OnDrive {
    drive: Drive,
    server: PostgresServer,
    shop: Shop,
    database: String,
}

impl OnDrive {
    /// `None` where nobody may make a drive.
    async fn open() -> Option<Self> {
        let Some(drive) = Drive::attach(512) else {
            eprintln!("not tried: no drive can be made here");
            return None;
        };
        let server = PostgresServer::start_in(drive.folder());
        let url = server.database().await;
        let database = url.rsplit_once('/').expect("a database").1.to_owned();
        let shop = Shop::open_on(Some(url), SHOP_FILE, SECRET_KEY).await;
        // The database was made in a hurry, without a sync; from here on it sees to that itself.
        drive.sync();
        Some(Self { drive, server, shop, database })
    }

    /// Which of these orders are not there, or not paid, when the power is cut now.
    async fn lost_by_a_cut(&self, acknowledged: &BTreeSet<String>) -> Vec<String> {
        self.server.stand_still();
        let found = self.drive.cut();
        self.server.go_on();
        let Some(server) = PostgresServer::start_again_in(found.folder()) else {
            return acknowledged.iter().cloned().collect();
        };
        let url = format!("{}/{}", server.url(), self.database);
        let laws = store::report::broken_laws(&postgres_store_at(&url).await).await.expect("an answer");
        assert_eq!(laws, vec![], "what is left is lawful");
        not_sold(&url, acknowledged).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_under_postgres_loses_no_acknowledged_sale() {
    let _alone = alone();
    let Some(on_drive) = OnDrive::open().await else { return };
    let (acknowledged, is_over) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicBool::new(false)));
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let (door, gateway) = (on_drive.shop.door(), Arc::clone(&on_drive.shop.gateway));
        let (acknowledged, is_over) = (Arc::clone(&acknowledged), Arc::clone(&is_over));
        crowd.spawn(async move {
            while !is_over.load(Ordering::SeqCst) {
                let order = door.buy(&gateway, "license", 1).await;
                if order["state"] == "paid" {
                    acknowledged.lock().unwrap().insert(text(&order["id"]));
                }
            }
        });
    }
    let cuts = Effort::asked().of(2, 25);
    let (mut promised, mut before) = (0, 0);
    for cut in 0..cuts {
        let more = || {
            let count = acknowledged.lock().unwrap().len();
            async move { if count > before + 2 { Ok(count) } else { Err(format!("{count} sales")) } }
        };
        before = until("there is more to lose", Duration::from_secs(60), more).await;
        let acknowledged = acknowledged.lock().unwrap().clone();
        promised += acknowledged.len();
        assert_eq!(on_drive.lost_by_a_cut(&acknowledged).await, Vec::<String>::new(), "cut {cut}");
    }
    is_over.store(true, Ordering::SeqCst);
    crowd.join_all().await;
    let sales = acknowledged.lock().unwrap().len();
    figure(
        "power.postgres",
        &format!("{cuts} cuts in {sales} sales on PostgreSQL: {promised} promises looked for, 0 broken"),
    );
}

/// The control: a server that does not sync loses what it said was there, and that is seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_under_a_postgres_without_syncs_is_seen_to_lose_sales() {
    let _alone = alone();
    let Some(on_drive) = OnDrive::open().await else { return };
    // Behind the shop's back, which does not start on such a server.
    let url = format!("{}/postgres", on_drive.server.url());
    run_on(&url, &["alter system set fsync = off", "select pg_reload_conf()"]).await;
    until("it does not sync", Duration::from_secs(10), || async {
        match ask_on(&url, "select current_setting('fsync')").await.as_str() {
            "off" => Ok(()),
            other => Err(other.to_owned()),
        }
    })
    .await;
    let mut acknowledged = BTreeSet::new();
    for _ in 0..6 {
        let order = on_drive.shop.door().buy(&on_drive.shop.gateway, "license", 1).await;
        assert_eq!(order["state"], "paid");
        acknowledged.insert(text(&order["id"]));
    }
    let lost = on_drive.lost_by_a_cut(&acknowledged).await.len();
    assert!(lost > 0, "the loss of acknowledged sales is not seen");
    figure(
        "power.postgres.control",
        &format!("a PostgreSQL without fsync: {lost} of 6 acknowledged sales lost, and seen to be"),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_without_syncs_is_seen_to_lose_sales() {
    let _alone = alone();
    let no_sync = ["-e", "inject=fsync,fdatasync:retval=0"];
    let shop = Shop::open(Engine::Sqlite).await;
    let recorded = Recorded::sales(&shop, &Customer::of(&shop).await, 2, &no_sync).await;
    let last = recorded.calls.len();
    let (kept, promised) = recorded.after_cut(last, Fate::AllLost, &mut Chance::new(0, 0));
    let broken = promised.iter().filter(|promise| !kept.keeps(&promise.what)).count();
    assert_eq!(broken, promised.len(), "the loss of acknowledged sales is not seen");
    assert!(broken > 0);
    figure(
        "power.control",
        &format!("syncs that do nothing: {broken} of {} promises lost, and seen to be", promised.len()),
    );
}

/// What becomes of writes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    AllLost,
    /// Each reaches the disk or not, in no order, and one may reach it in part.
    Any,
}

/// One call of the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    /// When it began, since 1970.
    at: Duration,
    file: String,
    what: Doing,
}

impl Call {
    /// What is committed goes into the WAL; into the file itself only a checkpoint writes.
    fn is_of_a_checkpoint(&self) -> bool {
        self.file == "latchkey.sqlite"
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Doing {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { length: usize },
    Sync,
}

type Files = BTreeMap<String, Vec<u8>>;

/// Sales with everything that was written for them.
struct Recorded {
    before: Files,
    calls: Vec<Call>,
    promises: Vec<Promise>,
}

impl Recorded {
    async fn sales(shop: &Shop, customer: &Customer, number: usize, more: &[&str]) -> Self {
        let calls = format!("trace={WRITES},lseek");
        // Every byte, and when the call began; a page is 4 KiB.
        let arguments = ["-ttt", "-y", "-xx", "-s", "1000000", "-e", &calls];
        // What the server tidies up when it starts may still be on its way.
        let mut looks = 0;
        let (trace, before) = loop {
            let trace = Trace::attach(&shop.server, &shop.folder, &[&arguments, more].concat());
            let before = read(&shop.folder.path().join("data"));
            if !trace.seen().contains("write") {
                break (trace, before);
            }
            looks += 1;
            assert!(looks < 20, "something is written though nothing is sold: {}", trace.end());
        };
        for _ in 0..number {
            customer.buy().await;
        }
        let calls = calls_of(&trace.end());
        assert!(calls.len() > 20 * number, "{} calls for {number} sales", calls.len());
        Self { before, calls, promises: customer.promises() }
    }

    /// What is stored after a cut just before this call, and what had been promised by then.
    fn after_cut(&self, cut: usize, fate: Fate, chance: &mut Chance) -> (Kept, Vec<Promise>) {
        let began = self.calls.get(cut).map_or(Duration::MAX, |call| call.at);
        let promised = self.promises.iter().filter(|promise| promise.at < began).cloned().collect();
        let files = replay(&self.before, &self.calls[..cut], fate, chance);
        let folder = Directory::new();
        write(folder.path(), &files);
        let file = folder.path().join("latchkey.sqlite");
        // What recovers the file may write.
        let whole: String = rusqlite::Connection::open(&file)
            .and_then(|rows| rows.query_row("pragma integrity_check", [], |row| row.get(0)))
            .unwrap_or_else(|error| panic!("a cut before call {cut}, {fate:?}: {error}"));
        assert_eq!(whole, "ok", "a cut before call {cut}, {fate:?}");
        (Kept::read(&file).unwrap(), promised)
    }
}

/// What is on the disk after these calls and a power cut.
fn replay(before: &Files, calls: &[Call], fate: Fate, chance: &mut Chance) -> Files {
    let mut disk = before.clone();
    let mut unsynced: BTreeMap<&str, Vec<&Doing>> = BTreeMap::new();
    for call in calls {
        let waiting = unsynced.entry(&call.file).or_default();
        match &call.what {
            Doing::Sync => {
                let file = disk.entry(call.file.clone()).or_default();
                waiting.drain(..).for_each(|doing| apply(file, doing, usize::MAX));
            }
            Doing::Write { .. } | Doing::Truncate { .. } => waiting.push(&call.what),
        }
    }
    if fate == Fate::Any {
        for (file, waiting) in unsynced {
            let file = disk.entry(file.to_owned()).or_default();
            for doing in waiting {
                match chance.below(5) {
                    0 | 1 => {}
                    2 | 3 => apply(file, doing, usize::MAX),
                    // Disks write sectors of 512 bytes.
                    _ => apply(file, doing, 512 * usize::try_from(chance.below(8)).unwrap()),
                }
            }
        }
    }
    disk
}

fn apply(file: &mut Vec<u8>, doing: &Doing, most: usize) {
    match doing {
        Doing::Write { offset, bytes } => {
            let bytes = &bytes[..bytes.len().min(most)];
            if file.len() < offset + bytes.len() {
                file.resize(offset + bytes.len(), 0);
            }
            file[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        Doing::Truncate { length } => file.resize(*length, 0),
        Doing::Sync => {}
    }
}

/// Reads a trace: `1700000000.123456 pwrite64(12</…/latchkey.sqlite-wal>, "\x37…", 4096, 32) = 4096`. What strace
/// answered itself did not happen, which matters for a sync.
fn calls_of(trace: &str) -> Vec<Call> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    trace.lines().filter_map(|line| call_of(line, &mut places)).collect()
}

fn call_of(line: &str, places: &mut BTreeMap<String, usize>) -> Option<Call> {
    let (time, rest) = line.split_once(' ')?;
    let (name, rest) = rest.trim_start().split_once('(')?;
    let path = rest.split_once('<')?.1.split_once('>')?.0;
    // A path is told in the same figures as every other text.
    let path = String::from_utf8(figures(path)).expect("a path in UTF-8");
    let file = Path::new(&path).file_name()?.to_str()?.to_owned();
    if !file.starts_with("latchkey.sqlite") || file.ends_with("-shm") {
        return None;
    }
    let (seconds, fraction) = time.split_once('.')?;
    let at = Duration::from_secs(seconds.parse().ok()?) + Duration::from_micros(fraction.parse().ok()?);
    let (arguments, answer) = rest.rsplit_once(") = ")?;
    let answered: usize =
        answer.split_whitespace().next()?.parse().unwrap_or_else(|_| panic!("a call failed: {answer}"));
    let number = |back: usize| arguments.rsplit(", ").nth(back).and_then(|text| text.parse::<usize>().ok());
    let what = match name {
        "pwrite64" | "write" => {
            let bytes = figures(arguments.split('"').nth(1)?);
            assert_eq!(bytes.len(), answered, "all bytes are in the trace");
            let place = places.entry(file.clone()).or_default();
            let offset = if name == "write" { *place } else { number(0).expect("an offset") };
            *place = offset + bytes.len();
            Doing::Write { offset, bytes }
        }
        "lseek" => {
            places.insert(file, answered);
            return None;
        }
        "ftruncate" => Doing::Truncate { length: number(0).expect("a length") },
        "fsync" | "fdatasync" if answer.contains("INJECTED") => return None,
        "fsync" | "fdatasync" => Doing::Sync,
        other => panic!("{other} is not played again"),
    };
    Some(Call { at, file, what })
}

/// The bytes of `\x00\x1f`; a text that is written plainly is taken as it is.
fn figures(text: &str) -> Vec<u8> {
    if !text.starts_with("\\x") {
        return text.as_bytes().to_vec();
    }
    text.split("\\x").skip(1).map(|pair| u8::from_str_radix(&pair[..2], 16).expect("two figures")).collect()
}

fn read(folder: &Path) -> Files {
    let names = ["latchkey.sqlite", "latchkey.sqlite-wal"];
    names.iter().filter_map(|name| Some(((*name).to_owned(), std::fs::read(folder.join(name)).ok()?))).collect()
}

fn write(folder: &Path, files: &Files) {
    // What only the memory of a machine holds is gone with its power.
    let _ = std::fs::remove_file(folder.join("latchkey.sqlite-shm"));
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
