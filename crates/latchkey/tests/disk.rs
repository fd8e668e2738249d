//! A disk that fails: every write and sync of a sale is refused once, and the disk is full for a while. Nothing is
//! acknowledged that is not kept, and the shop sells again by itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::drive::{path, told};
use common::gateway::{body_of, deliver, list};
use common::sale::Customer;
use common::shop::{Engine, Shop};
use common::trace::{Trace, points};
use common::{Effort, alone, figure, until};
use serde_json::json;

/// The calls that a disk can refuse.
const REFUSABLE: &str = "pwrite64,fsync,fdatasync,ftruncate";

/// At how many calls, the first ones, each kind of failure is tried.
const MOST: usize = 500;

/// How soon the shop must sell again.
const BACK_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_or_sync_that_fails_is_never_acknowledged_and_the_shop_goes_on() {
    let _alone = alone();
    let effort = Effort::asked();
    // Each error has a shop of its own, and neither waits for the other.
    let sweeps = ["EIO", "ENOSPC"].map(|error| tokio::spawn(Sweep::of(error, effort)));
    let mut swept = Sweep::default();
    for sweep in sweeps {
        swept.add(&sweep.await.expect("a sweep to its end"));
    }
    let Sweep { injected, points, first, sales, promises, slowest } = swept;
    assert!(injected * 10 >= 2 * points * 8, "only {injected} of {} calls failed", 2 * points);
    assert!(slowest < BACK_WITHIN, "a sale took {slowest:?} because one call failed");
    figure(
        "disk.errors",
        &format!(
            "{injected} calls failed with EIO or ENOSPC, at {points} of the first {first} calls of {sales} sales: \
             {promises} promises, 0 broken; the slowest sale took {} ms",
            slowest.as_millis()
        ),
    );
}

/// What came of one kind of error at call after call.
#[derive(Default)]
struct Sweep {
    injected: usize,
    /// Calls that were made to fail, of how many first ones, and in how many sales those are.
    points: usize,
    first: usize,
    sales: usize,
    promises: usize,
    slowest: Duration,
}

impl Sweep {
    async fn of(error: &'static str, effort: Effort) -> Self {
        let mut shop = Shop::open(Engine::Sqlite).await;
        let customer = Customer::of(&shop).await;
        customer.buy().await;
        let calls = format!("trace={REFUSABLE}");
        let trace = Trace::attach(&shop.server, &shop.folder, &["-e", &calls]);
        // Five hundred calls are some sales; how many calls there are after each of them.
        let mut after = Vec::new();
        while after.last().is_none_or(|calls| *calls < effort.of(1, MOST)) {
            customer.buy().await;
            after.push(points(&trace.seen()).len());
        }
        let all: Vec<_> = points(&trace.end()).into_iter().take(MOST).enumerate().collect();
        let tried: Vec<_> = all.iter().step_by(effort.of(all.len().div_ceil(6), 1)).collect();
        let mut sold = 1 + after.len();
        let mut swept = Self { points: tried.len(), first: all.len(), sales: after.len(), ..Self::default() };
        for (at, point) in tried {
            let failure = point.inject(&format!("error={error}"));
            let trace = Trace::attach(&shop.server, &shop.folder, &["-e", &calls, "-e", &failure]);
            for _ in 0..=after.iter().filter(|calls| *calls <= at).count() {
                let began = Instant::now();
                customer.buy().await;
                swept.slowest = swept.slowest.max(began.elapsed());
                sold += 1;
            }
            swept.injected += trace.end().matches("(INJECTED)").count();
            assert!(!shop.server.has_ended(), "a failing disk ended the server: {error} at {point:?}");
            // What was acknowledged must not live in the memory of the server alone.
            shop.server.kill();
            shop.start().expect("the server starts on what a killed one left");
            assert_eq!(customer.broken(&customer.rows().unwrap()), [], "after {error} at {point:?}");
            let (code, found) = shop.doctor();
            assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "after {error} at {point:?}: {found:#}");
        }
        assert_eq!(customer.rows().unwrap().paid.len(), sold);
        swept.promises = customer.promises().len();
        swept
    }

    /// The two kinds of error are tried at as many calls each.
    fn add(&mut self, other: &Self) {
        self.injected += other.injected;
        self.points = self.points.max(other.points);
        self.first = self.first.max(other.first);
        self.sales = self.sales.max(other.sales);
        self.promises += other.promises;
        self.slowest = self.slowest.max(other.slowest);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_fails_loses_nothing_and_is_made_again() {
    let _alone = alone();
    let mut shop = Shop::open(Engine::Sqlite).await;
    let customer = Customer::of(&shop).await;
    // What is committed goes into the WAL; into the file itself only a checkpoint writes.
    let (file, calls) = (shop.folder.path().join("data/latchkey.sqlite"), format!("trace={REFUSABLE}"));
    let checkpoints = ["-P", path(&file), "-e", &calls];
    let failing = format!("inject={REFUSABLE}:error=EIO");
    let fails = Trace::attach(&shop.server, &shop.folder, &[&checkpoints[..], &["-e", &failing]].concat());
    let mut sold = 0;
    while !fails.seen().contains("(INJECTED)") {
        customer.buy().await;
        sold += 1;
        assert!(sold < 500, "no checkpoint in all those sales");
    }
    let refused = fails.end().matches("(INJECTED)").count();
    let works = Trace::attach(&shop.server, &shop.folder, &checkpoints);
    while !works.seen().contains("pwrite64(") {
        customer.buy().await;
        sold += 1;
        assert!(sold < 1_000, "no checkpoint is made any more");
    }
    drop(works);
    shop.server.kill();
    shop.start().expect("the server starts on what a killed one left");
    let kept = customer.rows().unwrap();
    assert_eq!((kept.paid.len(), customer.broken(&kept)), (sold, vec![]));
    let (code, found) = shop.doctor();
    assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "{found:#}");
    figure("disk.checkpoint", &format!("{refused} calls of a checkpoint failed: {sold} sales, none lost"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_is_forgotten_when_there_is_space_again() {
    let _alone = alone();
    let mut shop = Shop::open(Engine::Sqlite).await;
    // Where a small disk may be mounted it is filled; elsewhere every write is refused in its place.
    let disk = SmallDisk::under(&mut shop);
    let customer = Customer::of(&shop).await;
    customer.buy().await;
    let door = shop.door();
    let (opened, _) = door.pay(&shop.gateway, "license", 1).await;
    let body = body_of(&shop.gateway.event("checkout.session.completed", &opened.order).await);
    let refused_writes = match &disk {
        Some(disk) => {
            disk.fill();
            None
        }
        None => {
            let every = ["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC:when=1+"];
            Some(Trace::attach(&shop.server, &shop.folder, &every))
        }
    };
    let mut refused = 0;
    for _ in 0..Effort::asked().of(20, 200) {
        let reply = deliver(&shop.http, &shop.hook_url(), &shop.hook_secret, 0, &body).await.expect("an answer");
        assert!(reply.status >= 500, "{} on a full disk: {}", reply.status, reply.body);
        refused += 1;
    }
    let ready = shop.http.get(&format!("{}/readyz", shop.url), &[]).await.expect("an answer");
    assert_eq!(ready.status, 503, "{}", ready.body);
    let order = door.order(&opened.order).await.expect("reading goes on");
    assert_eq!(order["state"], "pending");
    drop(refused_writes);
    if let Some(disk) = &disk {
        disk.empty();
    }
    let began = Instant::now();
    until("the shop sells again", BACK_WITHIN, || async {
        let reply = deliver(&shop.http, &shop.hook_url(), &shop.hook_secret, 0, &body).await?;
        if reply.status == 200 { Ok(()) } else { Err(format!("{} {}", reply.status, reply.body)) }
    })
    .await;
    let back = began.elapsed();
    let order = door.order(&opened.order).await.expect("the order");
    assert_eq!((order["state"].as_str(), list(&order["licenses"]).len()), (Some("paid"), 1), "{order:#}");
    shop.server.kill();
    shop.start().expect("the server starts");
    assert_eq!(customer.broken(&customer.rows().unwrap()), []);
    let (code, found) = shop.doctor();
    assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "{found:#}");
    figure(
        "disk.full",
        &format!(
            "{} full: {refused} of {refused} webhooks refused, back by itself {} ms after there was space",
            if disk.is_some() { "a small disk" } else { "every write answered as if the disk were" },
            back.as_millis()
        ),
    );
    shop.server.kill();
}

/// A disk of a few megabytes in memory, with the shop's data on it.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Moves the shop's data to a disk of its own, if we may mount one.
    fn under(shop: &mut Shop) -> Option<Self> {
        let folder = shop.folder.path().join("data");
        let moved = shop.folder.path().join("data-before");
        assert_eq!(shop.server.terminate(), Some(0), "{}", shop.server.told());
        std::fs::rename(&folder, &moved).unwrap();
        std::fs::create_dir(&folder).unwrap();
        let mounted = told("mount", &["-t", "tmpfs", "-o", "size=6m", "latchkey-test", path(&folder)]).is_some();
        let copied = told("cp", &["-a", &format!("{}/.", path(&moved)), path(&folder)]).is_some();
        assert!(copied, "the data cannot be copied");
        let disk = mounted.then_some(Self { folder });
        shop.start().expect("the server starts");
        disk
    }

    /// Takes all space there is.
    fn fill(&self) {
        let ballast = self.folder.join("ballast");
        let error = std::fs::write(ballast, vec![0; 16 << 20]).expect_err("a disk of six megabytes");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }

    fn empty(&self) {
        std::fs::remove_file(self.folder.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may have it open still when the test has failed.
        told("umount", &["-l", path(&self.folder)]);
    }
}
