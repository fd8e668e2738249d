//! The measurements, one size after the other.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::Timestamp;
use store::testing::{Directory, PostgresServer};

use crate::child::Server;
use crate::fill::{Filled, Waiting, fill, webhooks};
use crate::load::{Load, Seen, bodies, signed};
use crate::raw;
use crate::report::{Figure, Report};
use crate::server;

/// How long each load lasts, how often it is repeated, and how many webhooks are ready for each.
struct Effort {
    seconds: u32,
    rounds: usize,
    webhooks: u64,
}

const VALIDATE: &str = "/v1/licenses/validate";

/// Measures everything and judges it.
pub(crate) fn run(quick: bool) -> anyhow::Result<()> {
    let effort = if quick { Effort { seconds: 2, rounds: 1, webhooks: 8_000 } } else { Effort { seconds: 5, rounds: 3, webhooks: 20_000 } };
    let sizes: &[u64] = if quick { &[1_000] } else { &[1_000, 100_000, 1_000_000] };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut report = Report::default();
    let postgres = PostgresServer::start("");
    for size in sizes {
        let folder = Directory::new();
        let place = folder.path().join("filled.sqlite");
        println!("\nfilling {size} orders with their licenses …");
        let waiting = effort.webhooks * u64::try_from(effort.rounds)? + 4_000;
        let filled = runtime.block_on(fill(text(&place)?, *size, waiting))?;
        sqlite(&mut report, &effort, *size, folder.path(), &place, &filled)?;
        let rounds: Vec<&[Waiting]> = filled.waiting.chunks(usize::try_from(effort.webhooks)?).collect();
        sales(&mut report, &effort, *size, folder.path(), &place, &filled, &rounds, &runtime)?;
        let database = runtime.block_on(postgres.database());
        let filled = runtime.block_on(fill(&database, *size, 0))?;
        postgres_validate(&mut report, &effort, *size, folder.path(), &database, &filled)?;
    }
    if !quick {
        write(&report)?;
    }
    report.judge()
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is text")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Validations, with and without a certificate, and the checkout page.
fn sqlite(report: &mut Report, effort: &Effort, size: u64, folder: &Path, place: &Path, filled: &Filled) -> anyhow::Result<()> {
    let ask: Vec<String> = filled.keys.iter().map(|key| format!(r#"{{"key":"{key}"}}"#)).collect();
    let plain = bodies(folder, "validate", &ask)?;
    let seated: Vec<String> = filled.keys.iter().take(1_000).map(|key| format!(r#"{{"key":"{key}","fingerprint":"bench"}}"#)).collect();
    let certified = bodies(folder, "certified", &seated)?;

    let server = Server::start(&["serve", text(place)?])?;
    let at_rest = server.memory_mib()?;
    activate(server.port, &seated)?;
    let ceiling = Server::start(&["constant"])?;
    let (with_key, without) = alternate(effort, &ceiling, server.port, &plain)?;
    report.add(against("validate, SQLite", size, Some(0.5), &with_key, &without));
    let (with_certificate, without) = alternate(effort, &ceiling, server.port, &certified)?;
    report.add(against("validate with a fresh certificate, SQLite", size, Some(0.3), &with_certificate, &without));
    drop(ceiling);

    let page = format!("/buy/{}", filled.plan);
    let seen = Load { port: server.port, path: &page, connections: 32, seconds: effort.seconds, script: None }.run()?;
    let detail = format!("p99 {:.1} ms at {:.0} pages a second, {} failed", seen.p99_ms, seen.good_per_second, seen.bad);
    report.add(Figure { name: "checkout page under load", stored: size, ratio: None, goal: None, detail });
    let detail = format!("{at_rest} MiB at rest, {} MiB after the load", server.memory_mib()?);
    report.add(Figure { name: "memory", stored: size, ratio: None, goal: None, detail });
    let detail = format!("{} ms from start to first answer", server.started_in.as_millis());
    report.add(Figure { name: "start-up", stored: size, ratio: None, goal: None, detail });
    Ok(())
}

fn postgres_validate(report: &mut Report, effort: &Effort, size: u64, folder: &Path, url: &str, filled: &Filled) -> anyhow::Result<()> {
    let ask: Vec<String> = filled.keys.iter().map(|key| format!(r#"{{"key":"{key}"}}"#)).collect();
    let plain = bodies(folder, "validate-postgres", &ask)?;
    let server = Server::start(&["serve", url])?;
    let ceiling = Server::start(&["constant"])?;
    let (subject, without) = alternate(effort, &ceiling, server.port, &plain)?;
    report.add(against("validate, PostgreSQL", size, None, &subject, &without));
    Ok(())
}

/// Ceiling and subject by turns, so that a slow moment of the machine meets both.
fn alternate(effort: &Effort, ceiling: &Server, subject: u16, script: &Path) -> anyhow::Result<(Vec<Seen>, Vec<Seen>)> {
    let load = |port| Load { port, path: VALIDATE, connections: 64, seconds: effort.seconds, script: Some(script) }.run();
    let mut subjects = Vec::new();
    let mut ceilings = Vec::new();
    for _ in 0..effort.rounds {
        ceilings.push(load(ceiling.port)?);
        subjects.push(load(subject)?);
    }
    Ok((subjects, ceilings))
}

fn against(name: &'static str, stored: u64, goal: Option<f64>, subject: &[Seen], ceiling: &[Seen]) -> Figure {
    let rate = |seen: &[Seen]| median(seen.iter().map(|seen| seen.good_per_second).collect());
    let p99 = median(subject.iter().map(|seen| seen.p99_ms).collect());
    let bad: u64 = subject.iter().map(|seen| seen.bad).sum();
    let (own, top) = (rate(subject), rate(ceiling));
    let detail = format!("{own:.0} a second of {top:.0}, p99 {p99:.1} ms, {bad} failed");
    Figure { name, stored, ratio: Some(own / top), goal, detail }
}

/// Gives the keys that ask for certificates a seat.
fn activate(port: u16, bodies: &[String]) -> anyhow::Result<()> {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let mut stream = BufReader::new(std::net::TcpStream::connect(("127.0.0.1", port))?);
    for body in bodies {
        let head = format!("POST /v1/licenses/activate HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.get_mut().write_all(format!("{head}{body}").as_bytes())?;
        let mut length = 0;
        let mut line = String::new();
        let mut status = String::new();
        while { line.clear(); stream.read_line(&mut line)? > 2 } {
            if status.is_empty() {
                status.clone_from(&line);
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer)?;
        anyhow::ensure!(status.contains(" 201") || status.contains(" 200"), "a seat was not given: {status} {}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

/// Webhook in to license issued, against the same rows written raw.
#[allow(clippy::too_many_arguments, reason = "one measurement, told whole")]
fn sales(
    report: &mut Report,
    effort: &Effort,
    size: u64,
    folder: &Path,
    place: &Path,
    filled: &Filled,
    rounds: &[&[Waiting]],
    runtime: &tokio::runtime::Runtime,
) -> anyhow::Result<()> {
    let spare = rounds.last().context("orders for the ceiling")?;
    let recorded = copy(place, &folder.join("recorded.sqlite"))?;
    let statements = runtime.block_on(raw::record(text(&recorded)?, &filled.account, spare))?;
    let rows = statements.first().map_or(0, Vec::len);
    let mut own = Vec::new();
    let mut top = Vec::new();
    let mut bytes = 0;
    let mut syncs = String::new();
    for (round, orders) in rounds.iter().take(effort.rounds).enumerate() {
        let fresh = copy(place, &folder.join("raw.sqlite"))?;
        top.push(raw::write(&fresh, &statements)?);
        let file = copy(place, &folder.join("sold.sqlite"))?;
        let server = Server::start(&["serve", text(&file)?])?;
        let now = Timestamp::from_seconds(i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs())?);
        let script = signed(folder, "webhooks", &webhooks(orders, now)?)?;
        let before = server.written_bytes()?;
        let watcher = if round == 0 { Syncs::watch(server.id()) } else { None };
        let path = format!("/hooks/{}", filled.account);
        let seen = Load { port: server.port, path: &path, connections: 64, seconds: effort.seconds, script: Some(&script) }.run()?;
        anyhow::ensure!(seen.good < orders.len() as u64, "every prepared webhook was used up; prepare more");
        anyhow::ensure!(seen.bad == 0, "{} webhooks were refused", seen.bad);
        if let Some(watcher) = watcher {
            syncs = watcher.end(seen.good)?;
        } else {
            own.push(seen.good_per_second);
        }
        if effort.rounds == 1 {
            own.push(seen.good_per_second);
        }
        bytes = (server.written_bytes()? - before) / seen.good.max(1);
        drop(server);
        let issued = runtime.block_on(licenses(text(&file)?, &filled.account, orders))?;
        anyhow::ensure!(issued >= seen.good, "{} webhooks were answered, and {issued} licenses are there", seen.good);
    }
    let (own, top) = (median(own), median(top));
    let detail = format!("{own:.0} sales a second of {top:.0} written raw; {rows} rows, {bytes} bytes written{syncs} a sale");
    report.add(Figure { name: "webhook to license, SQLite", stored: size, ratio: Some(own / top), goal: Some(0.4), detail });
    Ok(())
}

/// How many of the orders have their license after the server is gone.
async fn licenses(place: &str, account: &str, orders: &[Waiting]) -> anyhow::Result<u64> {
    let store = server::open(place).await?;
    let account = store.gateway_account(domain::GatewayAccountId::parse(account)?).await?.context("the account")?;
    let mut issued = 0;
    for order in orders {
        let sale = store.sale(account.shop, domain::OrderId::parse(&order.order)?).await?.context("the order")?;
        issued += sale.licenses.len() as u64;
        if sale.licenses.is_empty() {
            break;
        }
    }
    Ok(issued)
}

/// A copy of a database that nobody has open.
fn copy(from: &Path, to: &Path) -> anyhow::Result<PathBuf> {
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", to.display()));
    }
    std::fs::copy(from, to)?;
    let wal = PathBuf::from(format!("{}-wal", from.display()));
    if wal.exists() {
        std::fs::copy(wal, format!("{}-wal", to.display()))?;
    }
    Ok(to.to_path_buf())
}

/// Counts how often a process asks the disk to keep something, where strace is there.
struct Syncs(std::process::Child, PathBuf);

impl Syncs {
    fn watch(process: u32) -> Option<Self> {
        let notes = std::env::temp_dir().join(format!("latchkey-bench-{process}.strace"));
        let strace = std::process::Command::new("strace")
            .args(["-f", "-qq", "-c", "-e", "trace=fsync,fdatasync", "-o"])
            .arg(&notes)
            .args(["-p", &process.to_string()])
            .stderr(std::process::Stdio::null())
            .spawn()
            .ok()?;
        std::thread::sleep(std::time::Duration::from_millis(500));
        Some(Self(strace, notes))
    }

    fn end(mut self, sales: u64) -> anyhow::Result<String> {
        std::process::Command::new("kill").args(["-INT", &self.0.id().to_string()]).status()?;
        self.0.wait()?;
        let table = std::fs::read_to_string(&self.1).unwrap_or_default();
        let _ = std::fs::remove_file(&self.1);
        let calls: u64 = table
            .lines()
            .filter(|line| line.trim_end().ends_with("sync"))
            .filter_map(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok())
            .sum();
        Ok(format!(", {:.3} fsyncs", calls as f64 / sales.max(1) as f64))
    }
}

fn write(report: &Report) -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bench.md");
    let cores = std::thread::available_parallelism()?;
    let page = format!(
        "# How fast\n\nRatios against a ceiling measured in the same run, on {cores} cores, load generator on the same machine. \
         Written by `cargo xtask bench`.\n\n{}\n\
         *validate*: `POST /v1/licenses/validate` over HTTP against the same HTTP stack answering the same POST with a constant. \
         *webhook to license*: signed webhooks in, licenses durable, workers at rest, against the same rows written by prepared \
         statements in groups of 1,000. *stored*: orders, each with its license, that are in the database while it is measured.\n",
        report.table()
    );
    std::fs::write(&path, page)?;
    println!("\nwritten to docs/bench.md");
    Ok(())
}
