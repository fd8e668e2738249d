//! The measurements, one size after the other.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use domain::Timestamp;
use store::testing::{Directory, PostgresServer};
use store::{Expect, Statement};
use tokio::runtime::Runtime;

use crate::child::Server;
use crate::fill::{self, Filled, Waiting, webhooks};
use crate::load::{Load, Seen, bodies, signed};
use crate::raw;
use crate::report::{Figure, Report};
use crate::server;

/// How long each load lasts and how often it is repeated, and how many webhooks are ready for each.
struct Effort {
    /// Of validations: many short turns, so that a slow moment of the machine meets both sides.
    turns: usize,
    turn_seconds: u32,
    /// Of webhooks, and of pages.
    rounds: usize,
    seconds: u32,
    webhooks: usize,
    /// Sales that the ceiling writes in a round.
    raw: usize,
    sizes: &'static [u64],
}

const WHOLE: Effort = Effort {
    turns: 9,
    turn_seconds: 2,
    rounds: 3,
    seconds: 5,
    webhooks: 35_000,
    raw: 8_000,
    sizes: &[1_000, 100_000, 1_000_000],
};
const QUICK: Effort =
    Effort { turns: 5, turn_seconds: 1, rounds: 3, seconds: 2, webhooks: 14_000, raw: 4_000, sizes: &[1_000] };

const VALIDATE: &str = "/v1/licenses/validate";

/// Connections that ask at once.
const CONNECTIONS: u32 = 64;

/// Measures everything and judges it.
pub(crate) fn run(quick: bool) -> anyhow::Result<()> {
    let effort = if quick { QUICK } else { WHOLE };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut report = Report::default();
    let postgres = PostgresServer::start("");
    for size in effort.sizes {
        let folder = Directory::new();
        let place = folder.path().join("shop.sqlite");
        println!("\nfilling SQLite with {size} orders and their licenses …");
        let waiting = (effort.webhooks + effort.raw) * effort.rounds;
        let filled = runtime.block_on(fill::sqlite(&place, *size, u64::try_from(waiting)?))?;
        validations(&mut report, &effort, *size, folder.path(), &place, &filled)?;
        sales(&mut report, &effort, *size, folder.path(), &place, &filled, &runtime)?;
        println!("filling PostgreSQL with {size} licenses …");
        let database = runtime.block_on(postgres.database());
        let filled = runtime.block_on(fill::postgres(&database, *size))?;
        postgres_validations(&mut report, &effort, *size, folder.path(), &database, &filled)?;
    }
    if !quick {
        write(&report, &effort)?;
    }
    report.judge()
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is text")
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Of an odd number of values the one in the middle.
fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Validations with and without a certificate, the checkout page, memory and start-up.
fn validations(
    report: &mut Report,
    effort: &Effort,
    size: u64,
    folder: &Path,
    place: &Path,
    filled: &Filled,
) -> anyhow::Result<()> {
    let server = Server::start(&["serve", text(place)?])?;
    let at_rest = server.memory_mib()?;
    validate(report, effort, size, folder, &server, "validate, SQLite", Some(0.5), &asked(&filled.keys))?;
    let seated: Vec<String> =
        filled.keys.iter().take(1_000).map(|key| format!(r#"{{"key":"{key}","fingerprint":"bench"}}"#)).collect();
    let mut connection = Connection::open(server.port)?;
    for body in &seated {
        connection.post("/v1/licenses/activate", body)?;
    }
    validate(report, effort, size, folder, &server, "validate with a fresh certificate, SQLite", Some(0.3), &seated)?;

    let page = format!("/buy/{}", filled.plan);
    let seen = Load { port: server.port, path: &page, connections: CONNECTIONS, seconds: effort.seconds, script: None }
        .run()?;
    let detail =
        format!("p99 {:.1} ms at {:.0} pages a second, {} failed", seen.p99_ms, seen.good_per_second, seen.bad);
    report.add(Figure { name: "checkout page", stored: size, ratio: None, goal: None, detail });
    let detail = format!("{at_rest} MiB at rest, {} MiB at most under load", server.most_memory_mib()?);
    report.add(Figure { name: "memory, SQLite", stored: size, ratio: None, goal: None, detail });
    let detail = format!("{} ms from start to first answer", server.started_in.as_millis());
    report.add(Figure { name: "start-up, SQLite", stored: size, ratio: None, goal: None, detail });
    Ok(())
}

fn postgres_validations(
    report: &mut Report,
    effort: &Effort,
    size: u64,
    folder: &Path,
    url: &str,
    filled: &Filled,
) -> anyhow::Result<()> {
    let server = Server::start(&["serve", url])?;
    validate(report, effort, size, folder, &server, "validate, PostgreSQL", None, &asked(&filled.keys))
}

fn asked(keys: &[String]) -> Vec<String> {
    keys.iter().map(|key| format!(r#"{{"key":"{key}"}}"#)).collect()
}

/// Ceiling and subject by turns, so that a slow moment of the machine meets both.
#[allow(clippy::too_many_arguments, reason = "one measurement, told whole")]
fn validate(
    report: &mut Report,
    effort: &Effort,
    size: u64,
    folder: &Path,
    server: &Server,
    name: &'static str,
    goal: Option<f64>,
    asked: &[String],
) -> anyhow::Result<()> {
    let answer = answered(server.port, asked)?;
    let constant = folder.join("answer.json");
    std::fs::write(&constant, answer)?;
    let ceiling = Server::start(&["constant", text(&constant)?])?;
    let script = bodies(folder, "validate", asked)?;
    let load =
        |port, seconds| Load { port, path: VALIDATE, connections: CONNECTIONS, seconds, script: Some(&script) }.run();
    load(ceiling.port, 1)?;
    load(server.port, 1)?;
    let mut subjects = Vec::new();
    let mut ceilings = Vec::new();
    for _ in 0..effort.turns {
        ceilings.push(load(ceiling.port, effort.turn_seconds)?);
        subjects.push(load(server.port, effort.turn_seconds)?);
    }
    let ratios =
        subjects.iter().zip(&ceilings).map(|(subject, ceiling)| subject.good_per_second / ceiling.good_per_second);
    let rates = |seen: &[Seen]| sorted(seen.iter().map(|seen| seen.good_per_second));
    let (own, top) = (rates(&subjects), rates(&ceilings));
    let p99 = median(&sorted(subjects.iter().map(|seen| seen.p99_ms)));
    let bad: u64 = subjects.iter().map(|seen| seen.bad).sum();
    let detail = format!("{} of {} a second, p99 {p99:.1} ms, {bad} failed", spread(&own), spread(&top));
    report.add(Figure { name, stored: size, ratio: Some(median(&sorted(ratios))), goal, detail });
    Ok(())
}

/// The median, and how far the rounds were apart.
fn spread(sorted: &[f64]) -> String {
    let (least, most) = (sorted.first().copied().unwrap_or_default(), sorted.last().copied().unwrap_or_default());
    format!("{:.0} ({least:.0}–{most:.0})", median(sorted))
}

/// One answer; all of some must say that the license is valid.
fn answered(port: u16, asked: &[String]) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::open(port)?;
    let mut last = Vec::new();
    for body in asked.iter().take(100) {
        last = connection.post(VALIDATE, body)?;
        let told = String::from_utf8_lossy(&last);
        anyhow::ensure!(told.starts_with(r#"{"valid":true"#), "a license that was filled in is not valid: {told}");
    }
    Ok(last)
}

/// A connection that asks one thing after the other.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    fn post(&mut self, path: &str, body: &str) -> anyhow::Result<Vec<u8>> {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut status = String::new();
        self.0.read_line(&mut status)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? <= 2 {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer)?;
        anyhow::ensure!(
            status.starts_with("HTTP/1.1 2"),
            "{path} answers {status} {}",
            String::from_utf8_lossy(&answer)
        );
        Ok(answer)
    }
}

/// Webhook in to license issued, against the same rows written raw to the same file.
fn sales(
    report: &mut Report,
    effort: &Effort,
    size: u64,
    folder: &Path,
    place: &Path,
    filled: &Filled,
    runtime: &Runtime,
) -> anyhow::Result<()> {
    let mut own = Vec::new();
    let mut top = Vec::new();
    let mut written = Vec::new();
    let mut synced = Vec::new();
    let mut rows = 0;
    for orders in filled.waiting.chunks(effort.webhooks + effort.raw) {
        let (spare, orders) = orders.split_at(effort.raw);
        let statements = runtime.block_on(raw::record(text(place)?, &filled.account, spare))?;
        rows = statements.first().map_or(0, Vec::len);
        top.push(raw::write(place, &statements)?);
        let before = runtime.block_on(licenses(text(place)?))?;
        let seen = sell(effort, folder, place, filled, orders, &mut written, &mut synced)?;
        own.push(seen.good_per_second);
        let issued = runtime.block_on(licenses(text(place)?))? - before;
        anyhow::ensure!(
            issued >= i64::try_from(seen.good)?,
            "{} webhooks were answered, and {issued} licenses are there",
            seen.good
        );
    }
    let ratio = median(&sorted(own.iter().zip(&top).map(|(own, top): (&f64, &f64)| own / top)));
    let (own, top) = (sorted(own.into_iter()), sorted(top.into_iter()));
    let synced = if synced.is_empty() {
        "not counted".to_owned()
    } else {
        format!("{:.3}", median(&sorted(synced.into_iter())))
    };
    let detail = format!(
        "{} sales a second of {} written raw; a sale: {rows} rows, {:.0} bytes to disk, fsyncs {synced}",
        spread(&own),
        spread(&top),
        median(&sorted(written.into_iter()))
    );
    report.add(Figure {
        name: "webhook to license, SQLite",
        stored: size,
        ratio: Some(ratio),
        goal: Some(0.4),
        detail,
    });
    Ok(())
}

/// One round of webhooks; notes the bytes and the fsyncs of a sale.
fn sell(
    effort: &Effort,
    folder: &Path,
    place: &Path,
    filled: &Filled,
    orders: &[Waiting],
    written: &mut Vec<f64>,
    synced: &mut Vec<f64>,
) -> anyhow::Result<Seen> {
    let server = Server::start(&["serve", text(place)?])?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let script = signed(folder, "webhooks", &webhooks(orders, Timestamp::from_seconds(i64::try_from(now)?))?)?;
    let before = server.written_bytes()?;
    let syncs = Syncs::count(server.id());
    let path = format!("/hooks/{}", filled.account);
    let seen = Load {
        port: server.port,
        path: &path,
        connections: CONNECTIONS,
        seconds: effort.seconds,
        script: Some(&script),
    }
    .run()?;
    let sales = seen.good as f64;
    anyhow::ensure!(
        seen.good + seen.bad < orders.len() as u64,
        "every prepared webhook was used up; more must be prepared"
    );
    anyhow::ensure!(seen.bad == 0, "{} webhooks were refused", seen.bad);
    synced.extend(syncs.and_then(Syncs::end).map(|syncs| syncs / sales));
    written.push((server.written_bytes()? - before) as f64 / sales);
    Ok(seen)
}

/// How many licenses there are, read from the file by another process than the one that issued them.
async fn licenses(place: &str) -> anyhow::Result<i64> {
    let store = server::open(place).await?;
    let count =
        Statement { sql: "select count(*) from licenses", values: Vec::new(), expect: Expect::Any, what: "count" };
    let rows = store.engine().query(vec![count]).await?;
    Ok(rows.first().and_then(|rows| rows.first()).context("a count")?.integer(0)?)
}

/// Counts how often a process asks the disk to keep something, where `perf` is there and may.
struct Syncs(Child);

impl Syncs {
    fn count(process: u32) -> Option<Self> {
        let perf = Command::new("perf")
            .args([
                "stat",
                "-x,",
                "-e",
                "syscalls:sys_enter_fsync,syscalls:sys_enter_fdatasync",
                "-p",
                &process.to_string(),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        Some(Self(perf))
    }

    fn end(mut self) -> Option<f64> {
        Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().ok()?;
        let mut table = String::new();
        self.0.stderr.take()?.read_to_string(&mut table).ok()?;
        self.0.wait().ok()?;
        let counts: Vec<f64> = table.lines().filter_map(|line| line.split(',').next()?.parse().ok()).collect();
        (!counts.is_empty()).then(|| counts.iter().sum())
    }
}

fn write(report: &Report, effort: &Effort) -> anyhow::Result<()> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bench.md");
    let cores = std::thread::available_parallelism()?;
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = information
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("", |name| name.trim_start_matches([' ', '\t', ':']));
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory: u64 =
        memory.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let date = Timestamp::from_seconds(i64::try_from(now)?).to_string();
    let page = format!(
        "# How fast\n\n\
         Ratios against a ceiling measured in the same run: they hold on a slower machine, the figures beside them do not. \
         Written by `cargo xtask bench` on {}, on {cores} cores ({processor}) with {} GiB of memory; \
         the load comes from the same machine.\n\n{}\n\
         - *Stored*: orders, each with its payment, its license and all else that a sale writes, in the database while it is measured; \
         for PostgreSQL the licenses alone.\n\
         - *Ratio*: subject and ceiling are measured by turns, and the ratio is the median of those of the turns: {} of {} seconds for validations, \
         {} of {} seconds for webhooks, over {CONNECTIONS} connections. *Figures*: the median, and in brackets the least and the most.\n\
         - *Validate*: `POST /v1/licenses/validate`, each key one of 10,000 spread over all, against the same HTTP stack answering the same POST \
         with the same bytes from memory. With a certificate, the device has a seat and a certificate is signed for every answer.\n\
         - *Webhook to license*: a signed webhook, each sent once, is proven, stored and applied, and the answer goes out when order, payment, \
         license, journal, books and mail job are on the disk; against the same rows written by prepared statements in transactions of {} rows, \
         as durable, to the same file. After each round as many licenses are counted in the file as webhooks were answered.\n\
         - The program fails when a ratio is below its goal, or falls by more than a tenth from the first size to the last.\n",
        date.get(..10).unwrap_or(&date),
        (memory + 524_288) / 1_048_576,
        report.table(),
        effort.turns,
        effort.turn_seconds,
        effort.rounds,
        effort.seconds,
        raw::GROUP
    );
    std::fs::write(&path, page)?;
    println!("\nwritten to docs/bench.md");
    Ok(())
}
