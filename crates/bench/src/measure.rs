//! The measurements, one size after the other.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use aws_lc_rs::signature::Ed25519KeyPair;
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
    /// Webhooks of the storm beside which validations are measured.
    storm: usize,
    /// Sales that the ceiling writes in a round.
    raw: usize,
    /// The same for PostgreSQL.
    postgres: (usize, usize),
    sizes: &'static [u64],
}

const WHOLE: Effort = Effort {
    turns: 7,
    turn_seconds: 1,
    rounds: 3,
    seconds: 2,
    webhooks: 14_000,
    storm: 10_000,
    raw: 4_000,
    postgres: (5_000, 2_000),
    sizes: &[1_000, 100_000, 1_000_000],
};
const QUICK: Effort = Effort { turns: 5, sizes: &[1_000], ..WHOLE };

const VALIDATE: &str = "/v1/licenses/validate";

/// How many keys are asked about again and again; each is one of those that are spread over the whole database.
const USUAL_KEYS: usize = 10_000;

/// Connections over which devices are activated at once, and how many over each.
const ACTIVATING: usize = 8;
const ACTIVATIONS: usize = 500;

/// Connections that ask at once.
const CONNECTIONS: u32 = 64;

/// How much of one core a small node has, in hundredths, up to how many of them sell at once, and over how many
/// connections each.
const SMALL_NODE: u32 = 15;
const SMALL_NODES: usize = 5;
const CONNECTIONS_OF_A_SMALL_NODE: u32 = 16;

/// Webhooks that are brought to each small node again and again before it is made small, so that its connections to the
/// database are open: to open one costs a node more than many sales.
const WARMING: usize = 100;

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
        let storm = 2 * effort.storm * effort.rounds;
        let waiting = storm + (effort.webhooks + effort.raw) * effort.rounds;
        let filled = runtime.block_on(fill::sqlite(&place, *size, u64::try_from(waiting)?))?;
        validations(&mut report, &effort, *size, folder.path(), &place, &filled)?;
        activations(&mut report, *size, "activate, SQLite", text(&place)?, &filled)?;
        beside(&mut report, &effort, *size, folder.path(), &place, &filled)?;
        let on_sqlite = Till {
            name: "webhook to license, SQLite",
            place: text(&place)?,
            nodes: 1,
            confined: None,
            waiting: &filled.waiting[storm..],
        };
        sales(&mut report, &effort, *size, folder.path(), &filled, &on_sqlite, &runtime)?;
        println!("filling PostgreSQL with {size} licenses …");
        let database = runtime.block_on(postgres.database());
        let a_node = (effort.postgres.0 + effort.postgres.1) * effort.rounds;
        let filled = runtime.block_on(fill::postgres(&database, *size, u64::try_from(2 * a_node)?))?;
        postgres_validations(&mut report, &effort, *size, folder.path(), &database, &filled)?;
        activations(&mut report, *size, "activate, PostgreSQL", &database, &filled)?;
        let (first, second) = filled.waiting.split_at(a_node);
        for (name, nodes, waiting) in
            [("webhook to license, PostgreSQL", 1, first), ("webhook to license, PostgreSQL, 2 nodes", 2, second)]
        {
            let till = Till { name, place: &database, nodes, confined: None, waiting };
            sales(&mut report, &effort, *size, folder.path(), &filled, &till, &runtime)?;
        }
    }
    small_nodes(&mut report, &effort, &postgres, &runtime)?;
    if !quick {
        write(&report, &effort)?;
    }
    report.judge()
}

/// Draws the chart of docs/bench.md anew.
pub(crate) fn draw() -> anyhow::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let page = std::fs::read_to_string(docs.join("bench.md"))?;
    std::fs::write(docs.join("images/bench.svg"), Report::of_table(&page).chart())?;
    println!("drawn: docs/images/bench.svg");
    Ok(())
}

/// Fills a SQLite file and says some of its keys, for whoever would look closer at a server over it.
pub(crate) fn fill(place: &str, size: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let filled = runtime.block_on(fill::sqlite(Path::new(place), size.parse()?, 0))?;
    for key in usual(&filled.keys) {
        println!("{key}");
    }
    Ok(())
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
    validate(report, effort, size, folder, &server, "validate, SQLite", Some(0.6), &asked(usual(&filled.keys)))?;
    if filled.keys.len() > 2 * USUAL_KEYS {
        let asked = asked(&filled.keys);
        validate(report, effort, size, folder, &server, "validate, seldom asked keys, SQLite", None, &asked)?;
    }
    let seated: Vec<String> =
        filled.keys.iter().take(1_000).map(|key| format!(r#"{{"key":"{key}","fingerprint":"bench"}}"#)).collect();
    let mut connection = Connection::open(server.port)?;
    for body in &seated {
        connection.post("/v1/licenses/activate", body)?;
    }
    validate(report, effort, size, folder, &server, "validate with a fresh certificate, SQLite", Some(0.4), &seated)?;

    let page = format!("/buy/{}", filled.plan);
    let seen = Load { port: server.port, path: &page, connections: CONNECTIONS, seconds: effort.seconds, script: None }
        .run()?;
    let detail =
        format!("p99 {:.1} ms at {:.0} pages a second, {} failed", seen.p99_ms, seen.good_per_second, seen.bad);
    report.add(Figure { name: "checkout page", stored: size, ratio: None, goal: None, holds: false, detail });
    let detail = format!("{at_rest} MiB at rest, {} MiB at most under load", server.most_memory_mib()?);
    report.add(Figure { name: "memory, SQLite", stored: size, ratio: None, goal: None, holds: false, detail });
    let detail = format!("{} ms from start to first answer", server.started_in.as_millis());
    report.add(Figure { name: "start-up, SQLite", stored: size, ratio: None, goal: None, holds: false, detail });
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
    validate(report, effort, size, folder, &server, "validate, PostgreSQL", None, &asked(usual(&filled.keys)))
}

/// How long activations take: each is of a device that was not there before, on a license of its own where there are as
/// many, and is on the disk when its answer goes out.
fn activations(report: &mut Report, size: u64, name: &'static str, place: &str, filled: &Filled) -> anyhow::Result<()> {
    let server = Server::start(&["serve", place])?;
    let keys: Vec<&String> = filled.keys.iter().rev().cycle().take(ACTIVATING * ACTIVATIONS).collect();
    let began = Instant::now();
    let took: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let server = &server;
        let activating: Vec<_> = keys
            .chunks(ACTIVATIONS)
            .enumerate()
            .map(|(at, keys)| scope.spawn(move || activate(server, at, keys)))
            .collect();
        let ended = |one: std::thread::ScopedJoinHandle<'_, anyhow::Result<Vec<f64>>>| {
            one.join().unwrap_or_else(|_| Err(anyhow::anyhow!("activations broke off")))
        };
        activating.into_iter().map(ended).collect::<anyhow::Result<_>>()
    })?;
    let rate = keys.len() as f64 / began.elapsed().as_secs_f64();
    let took = sorted(took.into_iter().flatten());
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    let detail = format!("p99 {p99:.1} ms, median {:.1} ms, {rate:.0} a second, 0 failed", median(&took));
    report.add(Figure { name, stored: size, ratio: None, goal: None, holds: false, detail });
    Ok(())
}

/// One after the other over one connection; what each took, in milliseconds.
fn activate(server: &Server, at: usize, keys: &[&String]) -> anyhow::Result<Vec<f64>> {
    let mut connection = Connection::open(server.port)?;
    let mut took = Vec::with_capacity(keys.len());
    for (number, key) in keys.iter().enumerate() {
        let body = format!(r#"{{"key":"{key}","fingerprint":"bench-{at}-{number}"}}"#);
        let began = Instant::now();
        connection.post("/v1/licenses/activate", &body)?;
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(took)
}

/// The keys that are asked about all day.
fn usual(keys: &[String]) -> &[String] {
    keys.get(..USUAL_KEYS).unwrap_or(keys)
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
    std::fs::write(&constant, &answer)?;
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
    let mut detail = format!("{} of {} a second, p99 {p99:.1} ms, {bad} failed", spread(&own), spread(&top));
    if let Some(signed) = signed_bytes(&answer) {
        write!(detail, "; a signature takes {:.1} µs at best", signature_microseconds(signed)?)?;
    }
    report.add(Figure { name, stored: size, ratio: Some(median(&sorted(ratios))), goal, holds: true, detail });
    Ok(())
}

/// How many bytes of an answer's certificate are signed; `None`: it has none.
fn signed_bytes(answer: &[u8]) -> Option<usize> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    Some(answer.get("certificate")?.as_str()?.rsplit_once('.')?.0.len())
}

/// How long one core takes for the signature of so many bytes, made by the library that the product signs with. In turns
/// that are short, so that the quickest of them met nothing else.
fn signature_microseconds(bytes: usize) -> anyhow::Result<f64> {
    const SIGNATURES: u32 = 500;
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32])?;
    let message = vec![b'a'; bytes];
    let turns = (0..21).map(|_| {
        let began = Instant::now();
        for _ in 0..SIGNATURES {
            std::hint::black_box(pair.sign(std::hint::black_box(&message)));
        }
        began.elapsed().as_secs_f64() * 1_000_000.0 / f64::from(SIGNATURES)
    });
    sorted(turns).first().copied().context("a turn")
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

/// How long a validation takes beside a storm of webhooks, against how long a constant answer of another process takes
/// beside the same storm: what the machine itself makes them wait is in both. The load is a small one: what is asked is
/// whether one waits for the other, not how much the machine can do.
fn beside(
    report: &mut Report,
    effort: &Effort,
    size: u64,
    folder: &Path,
    place: &Path,
    filled: &Filled,
) -> anyhow::Result<()> {
    let server = Server::start(&["serve", text(place)?])?;
    let asked = asked(usual(&filled.keys));
    let constant = folder.join("beside.json");
    std::fs::write(&constant, answered(server.port, &asked)?)?;
    let ceiling = Server::start(&["constant", text(&constant)?])?;
    let script = bodies(folder, "beside", &asked)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let now = Timestamp::from_seconds(i64::try_from(now)?);
    let hooks = format!("/hooks/{}", filled.account);
    let ask =
        |port| Load { port, path: VALIDATE, connections: 2, seconds: effort.turn_seconds, script: Some(&script) }.run();
    let beside_a_storm = |port, orders: &[Waiting]| {
        let storm = signed(folder, "storm", &webhooks(orders, now)?)?;
        let seconds = effort.turn_seconds + 1;
        let told = Load { port: server.port, path: &hooks, connections: 8, seconds, script: Some(&storm) };
        let (seen, told) = std::thread::scope(|scope| {
            let storm = scope.spawn(|| told.run());
            let seen = ask(port);
            (seen, storm.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the storm broke off"))))
        });
        let (seen, told) = (seen?, told?);
        let bad = seen.bad + told.bad;
        anyhow::ensure!(bad == 0, "{bad} were refused, of validations and of webhooks beside them");
        let is_used_up = told.good >= orders.len() as u64;
        anyhow::ensure!(!is_used_up, "every webhook of the storm was used up; more must be prepared");
        Ok((seen.p99_ms, told.good_per_second))
    };
    ask(server.port)?;
    ask(ceiling.port)?;
    let (mut ratios, mut alone, mut own, mut top, mut sold) = (vec![], vec![], vec![], vec![], vec![]);
    for orders in filled.waiting.chunks(2 * effort.storm).take(effort.rounds) {
        let (first, second) = orders.split_at(effort.storm);
        alone.push(ask(server.port)?.p99_ms);
        let (constant, _) = beside_a_storm(ceiling.port, first)?;
        let (validation, rate) = beside_a_storm(server.port, second)?;
        ratios.push(constant / validation);
        own.push(validation);
        top.push(constant);
        sold.push(rate);
    }
    let middle = |values: Vec<f64>| median(&sorted(values.into_iter()));
    let detail = format!(
        "p99 {:.2} ms beside {:.0} webhooks a second that sell; a constant of another process {:.2} ms; alone {:.2} ms",
        middle(own),
        middle(sold),
        middle(top),
        middle(alone)
    );
    report.add(Figure {
        name: "validate beside webhooks, SQLite",
        stored: size,
        ratio: Some(middle(ratios)),
        goal: Some(0.5),
        holds: false,
        detail,
    });
    Ok(())
}

/// Where sales are made: at how many nodes over which database, and the orders that wait there.
struct Till<'a> {
    name: &'static str,
    place: &'a str,
    nodes: usize,
    /// How much of one core each node has, in hundredths; `None`: what there is.
    confined: Option<u32>,
    waiting: &'a [Waiting],
}

/// Whether a database is a file, whose writes the measured process makes itself.
fn is_file(place: &str) -> bool {
    !place.starts_with("postgres://") && !place.contains("host=")
}

/// Webhook in to license issued, against the same rows written raw to the same database.
fn sales(
    report: &mut Report,
    effort: &Effort,
    size: u64,
    folder: &Path,
    filled: &Filled,
    till: &Till<'_>,
    runtime: &Runtime,
) -> anyhow::Result<()> {
    let mut own = Vec::new();
    let mut top = Vec::new();
    let mut spent = Spent::default();
    let mut rows = 0;
    let raw = if is_file(till.place) { effort.raw } else { effort.postgres.1 };
    for orders in till.waiting.chunks(till.waiting.len() / effort.rounds) {
        let (spare, orders) = orders.split_at(raw);
        let statements = runtime.block_on(raw::record(till.place, &filled.account, spare))?;
        rows = statements.first().map_or(0, Vec::len);
        top.push(match is_file(till.place) {
            true => raw::write_to_sqlite(till.place, &statements)?,
            false => runtime.block_on(raw::write_to_postgres(till.place, &statements))?,
        });
        let before = runtime.block_on(licenses(till.place))?;
        let (sold, rate) = sell(effort, folder, till, &filled.account, orders, &mut spent)?;
        own.push(rate);
        let issued = runtime.block_on(licenses(till.place))? - before;
        anyhow::ensure!(
            issued >= i64::try_from(sold)?,
            "{sold} webhooks were answered, and {issued} licenses are there"
        );
    }
    let ratio = median(&sorted(own.iter().zip(&top).map(|(own, top): (&f64, &f64)| own / top)));
    let (own, top) = (sorted(own.into_iter()), sorted(top.into_iter()));
    let mut detail = format!("{} sales a second of {} written raw; a sale: {rows} rows", spread(&own), spread(&top));
    if is_file(till.place) {
        let synced = match spent.syncs.is_empty() {
            true => "not counted".to_owned(),
            false => format!("{:.3}", median(&sorted(spent.syncs.into_iter()))),
        };
        write!(detail, ", {:.0} bytes to disk, fsyncs {synced}", median(&sorted(spent.bytes.into_iter())))?;
    }
    let goal = Some(if is_file(till.place) { 0.5 } else { 0.4 });
    report.add(Figure { name: till.name, stored: size, ratio: Some(ratio), goal, holds: true, detail });
    Ok(())
}

/// Whether more nodes sell more. Each is so small that it is a limit itself, as a machine of its own would be; where
/// adding one sells no more, the server and the load have used up the rest of the cores, and the nodes do not come to
/// use all of their share.
fn small_nodes(
    report: &mut Report,
    effort: &Effort,
    postgres: &PostgresServer,
    runtime: &Runtime,
) -> anyhow::Result<()> {
    const NAME: &str = "webhook to license, PostgreSQL, small nodes";
    let size = effort.sizes.first().copied().unwrap_or_default();
    let folder = Directory::new();
    let database = runtime.block_on(postgres.database());
    let waiting = u64::try_from(effort.rounds * SMALL_NODES * effort.postgres.0)?;
    let filled = runtime.block_on(fill::postgres(&database, size, waiting))?;
    match Server::start(&["serve", &database])?.confine(SMALL_NODE) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::NotFound) => {
            let detail = format!("not measured: no control group can be made for a node ({error})");
            report.add(Figure { name: NAME, stored: size, ratio: None, goal: None, holds: false, detail });
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    }
    let mut waiting = filled.waiting.chunks(effort.postgres.0);
    let mut rates = vec![Vec::new(); SMALL_NODES];
    let mut shares = vec![Vec::new(); SMALL_NODES];
    for _ in 0..effort.rounds {
        for at in 0..SMALL_NODES {
            let orders = waiting.next().context("orders that wait")?;
            let till =
                Till { name: NAME, place: &database, nodes: at + 1, confined: Some(SMALL_NODE), waiting: orders };
            let before = runtime.block_on(licenses(&database))?;
            let mut spent = Spent::default();
            let (sold, rate) = sell(effort, folder.path(), &till, &filled.account, orders, &mut spent)?;
            let issued = runtime.block_on(licenses(&database))? - before;
            anyhow::ensure!(issued >= i64::try_from(sold)?, "{sold} webhooks, and {issued} licenses");
            rates[at].push(rate);
            shares[at].extend(spent.shares);
        }
    }
    let middle = |of: &[Vec<f64>]| of.iter().map(|values| median(&sorted(values.iter().copied()))).collect::<Vec<_>>();
    let (rates, shares) = (middle(&rates), middle(&shares));
    let [one, two, ..] = rates[..] else { anyhow::bail!("at least two nodes are compared") };
    let told = |of: &[f64]| of.iter().map(|value| format!("{value:.0}")).collect::<Vec<_>>().join(", ");
    let detail = format!(
        "{} sales a second with 1 to {SMALL_NODES} nodes, each with {} hundredths of a core of its {SMALL_NODE}",
        told(&rates),
        told(&shares)
    );
    let ratio = Some(two / (2.0 * one));
    report.add(Figure { name: NAME, stored: size, ratio, goal: Some(0.8), holds: false, detail });
    Ok(())
}

/// What a sale cost the disk and a node the cores, round by round.
#[derive(Default)]
struct Spent {
    bytes: Vec<f64>,
    syncs: Vec<f64>,
    /// Of one core, a node, in hundredths.
    shares: Vec<f64>,
}

/// One round of webhooks, shared among the nodes. How many were sold, and how many a second.
fn sell(
    effort: &Effort,
    folder: &Path,
    till: &Till<'_>,
    account: &str,
    orders: &[Waiting],
    spent: &mut Spent,
) -> anyhow::Result<(u64, f64)> {
    let mut servers: Vec<Server> =
        (0..till.nodes).map(|_| Server::start(&["serve", till.place])).collect::<anyhow::Result<_>>()?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let now = Timestamp::from_seconds(i64::try_from(now)?);
    let path = format!("/hooks/{account}");
    let connections = match till.confined {
        Some(_) => CONNECTIONS_OF_A_SMALL_NODE,
        None => CONNECTIONS / u32::try_from(till.nodes)?,
    };
    let mut orders = orders;
    if let Some(hundredths) = till.confined {
        for server in &mut servers {
            let (first, rest) = orders.split_at(WARMING);
            orders = rest;
            let script = signed(folder, "warming", &webhooks(first, now)?)?;
            let seen = Load { port: server.port, path: &path, connections, seconds: 1, script: Some(&script) }.run()?;
            anyhow::ensure!(seen.bad == 0, "{} webhooks were refused", seen.bad);
        }
        servers.iter_mut().try_for_each(|server| server.confine(hundredths))?;
    }
    let share = orders.len() / till.nodes;
    let scripts: Vec<PathBuf> = orders
        .chunks_exact(share)
        .enumerate()
        .map(|(node, orders)| signed(folder, &format!("webhooks-{node}"), &webhooks(orders, now)?))
        .collect::<anyhow::Result<_>>()?;
    let before: u64 = servers.iter().map(Server::written_bytes).sum::<anyhow::Result<_>>()?;
    let busy_seconds = || servers.iter().map(Server::busy_seconds).sum::<anyhow::Result<f64>>();
    let (busy, began) = (busy_seconds()?, Instant::now());
    let syncs: Vec<_> = servers.iter().filter_map(|server| Syncs::count(server.id())).collect();
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let loads: Vec<_> = servers
            .iter()
            .zip(&scripts)
            .map(|(server, script)| {
                let load =
                    Load { port: server.port, path: &path, connections, seconds: effort.seconds, script: Some(script) };
                scope.spawn(move || load.run())
            })
            .collect();
        let ended = |load: std::thread::ScopedJoinHandle<'_, anyhow::Result<Seen>>| {
            load.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a load broke off")))
        };
        loads.into_iter().map(ended).collect::<anyhow::Result<_>>()
    })?;
    spent.shares.push(100.0 * (busy_seconds()? - busy) / began.elapsed().as_secs_f64() / till.nodes as f64);
    let (good, bad): (u64, u64) = (seen.iter().map(|seen| seen.good).sum(), seen.iter().map(|seen| seen.bad).sum());
    anyhow::ensure!(
        seen.iter().all(|seen| seen.good + seen.bad < share as u64),
        "every prepared webhook was used up; more must be prepared"
    );
    anyhow::ensure!(bad == 0, "{bad} webhooks were refused");
    let synced: Vec<f64> = syncs.into_iter().filter_map(Syncs::end).collect();
    if !synced.is_empty() {
        spent.syncs.push(synced.iter().sum::<f64>() / good as f64);
    }
    let after: u64 = servers.iter().map(Server::written_bytes).sum::<anyhow::Result<_>>()?;
    spent.bytes.push((after - before) as f64 / good as f64);
    Ok((good, seen.iter().map(|seen| seen.good_per_second).sum()))
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
         Ratios against a ceiling measured in the same run: they tell more of another machine than the figures beside them, though not everything, \
         since processors differ in what they are quick at. \
         Written by `cargo xtask bench` on {}, on {cores} cores ({processor}) with {} GiB of memory; \
         the load comes from the same machine.\n\n{}\n\n{}\n\
         ![How each ratio goes with what is stored](images/bench.svg)\n\n\
         - *Stored*: orders, each with its payment, its license and all else that a sale writes, in the database while it is measured; \
         for PostgreSQL the licenses alone.\n\
         - *Ratio*: subject and ceiling are measured by turns, and the ratio is the median of those of the turns: {} of {} seconds for validations, \
         {} of {} seconds for webhooks, over {CONNECTIONS} connections. *Figures*: the median, and in brackets the least and the most.\n\
         - *Validate*: `POST /v1/licenses/validate`, each key one of {USUAL_KEYS} spread over all, against the same HTTP stack answering the same POST \
         with the same bytes from memory. With a certificate, the device has a seat and a certificate is signed for every answer; Ed25519 alone \
         takes one core as long as *a signature takes*, and the constant signs nothing. \
         On SQLite what was read of a key is kept in memory until its row is written; *seldom asked keys* are up to 100,000 by turns, \
         more than are kept.\n\
         - *Activate*: `POST /v1/licenses/activate` of {} devices that were not there before, over {ACTIVATING} connections; each is on the disk \
         when its answer goes out.\n\
         - *Validate beside webhooks*: the p99 of validations over 2 connections while 8 others bring webhooks without a pause, each once; against \
         a constant answer of another process beside the same storm, since server and load share the cores and wait for them in both.\n\
         - *Webhook to license*: a signed webhook, each sent once, is proven, stored and applied, and the answer goes out when order, payment, \
         license, journal, books and mail job are on the disk; against the same rows written by prepared statements in transactions of {} rows, \
         as durable, to the same database, which on PostgreSQL takes each transaction in one go. After each round as many licenses are counted \
         in the database as webhooks were answered.\n\
         - *2 nodes*: over one database, sharing the cores with one another, with the server and with the load.\n\
         - *Small nodes*: each may use {SMALL_NODE} hundredths of one core, as if on a small machine of its own, over {CONNECTIONS_OF_A_SMALL_NODE} \
         connections, so that nodes are the limit until the server and the load have used up the rest of the cores; the ratio is what two of them sell \
         against twice what one sells, each the median of {} rounds.\n\
         - The program fails when a ratio is below its goal, or falls by more than a tenth from the first size to the last.\n",
        date.get(..10).unwrap_or(&date),
        (memory + 524_288) / 1_048_576,
        match report.faults().as_slice() {
            [] => "Every goal was reached.".to_owned(),
            faults => format!("**Not reached**: {}.", faults.join("; ")),
        },
        report.table(),
        effort.turns,
        effort.turn_seconds,
        effort.rounds,
        effort.seconds,
        ACTIVATING * ACTIVATIONS,
        raw::GROUP,
        effort.rounds
    );
    std::fs::write(&path, page)?;
    std::fs::write(path.with_file_name("images").join("bench.svg"), report.chart())?;
    println!("\nwritten to docs/bench.md");
    Ok(())
}
