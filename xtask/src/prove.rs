//! All evidence in one run, and docs/PROOF.md: each promise, how it was tried, how often, what came of it, the control
//! that failed as it must, and what is not shown.
//!
//! A promise without a figure of this very run is written down as not shown. Nothing is copied from an earlier page.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::run::{cargo, command, root};
use crate::{install, sabotage};

/// What tests say about themselves begins with this; see `figure` in crates/latchkey/tests/common.
const FIGURE: &str = "FIGURE ";

/// Something that we promise.
struct Promise {
    promise: &'static str,
    tried: &'static str,
    /// The figures that show it; all of them must be there.
    shown_by: &'static [&'static str],
    /// What fails where the promise does not hold: a figure of this run, or a bug of the sabotage.
    control: Control,
}

enum Control {
    Figure(&'static str),
    Sabotage(&'static str),
}

const PROMISES: &[Promise] = &[
    Promise {
        promise: "What was acknowledged survives `kill -9` at any moment, and is sold once.",
        tried: "The real server on SQLite is killed as its writer enters a call, for call after call of a sale; \
                buyer and gateway try again, and every answer that was given is looked for in the file.",
        shown_by: &["crash.sweep"],
        control: Control::Sabotage("A webhook is answered and then stored"),
    },
    Promise {
        promise: "The gateway's books and ours agree after a storm of kills, losses, repetitions and forgeries.",
        tried: "24 buyers and 2 forgers against the real server, which is killed at random moments, on SQLite and on PostgreSQL.",
        shown_by: &["storm.sqlite", "storm.postgres"],
        control: Control::Figure("storm.control"),
    },
    Promise {
        promise: "A power cut loses no acknowledged sale (SQLite).",
        tried: "Every byte that sales and a checkpoint write is recorded, and played again up to every call: unsynced writes are lost, \
                kept, or torn at 512 bytes, by chance. Each file that is left must be whole and keep every promise \
                that was made before the cut.",
        shown_by: &["power.cuts"],
        control: Control::Figure("power.control"),
    },
    Promise {
        promise: "A power cut loses no acknowledged sale (PostgreSQL).",
        tried: "The server's files are on a drive of their own. While buyers buy, what the drive holds at a moment is copied, \
                without what the kernel still had in memory, and another server starts over the copy.",
        shown_by: &["power.postgres"],
        control: Control::Figure("power.postgres.control"),
    },
    Promise {
        promise: "A disk that fails or is full is never acknowledged upon, and the shop sells again by itself.",
        tried: "EIO and ENOSPC in place of writes and syncs of a sale, and of a checkpoint; a small disk that is filled and \
                emptied again.",
        shown_by: &["disk.errors", "disk.checkpoint", "disk.full"],
        control: Control::Sabotage("A commit that the disk refused is taken for done"),
    },
    Promise {
        promise: "One event is one license, however often and at however many nodes it arrives.",
        tried: "1,000 deliveries of one event at once over 4 servers on one PostgreSQL.",
        shown_by: &["nodes.thousand"],
        control: Control::Sabotage("Check, then insert"),
    },
    Promise {
        promise: "A code of a stock is handed to one buyer, however many ask for the last ones, and wherever.",
        tried: "Twice as many paid orders as there are codes, all told at once over 4 servers on one PostgreSQL.",
        shown_by: &["nodes.pool"],
        control: Control::Sabotage("A code that somebody has is given to the next"),
    },
    Promise {
        promise: "Nodes can be restarted one after another without one failed request.",
        tried: "Rolling restarts behind a balancer that tries nothing again, with buyers, webhooks and license checks going on.",
        shown_by: &["nodes.rolling"],
        control: Control::Sabotage("A server that is told to stop stops at once"),
    },
    Promise {
        promise: "The job of a node that stands still is taken over, and not done twice when the node goes on.",
        tried: "SIGSTOP between the claim of a refund and the gateway's hearing of it; SIGCONT after another node has made it.",
        shown_by: &["nodes.still"],
        control: Control::Sabotage("A job that another node has taken over is ended by the first"),
    },
    Promise {
        promise: "A node that stands still in a transaction does not keep a sale waiting for long.",
        tried: "SIGSTOP before COMMIT, with the rows of the sale held; another node is told of the same sale.",
        shown_by: &["nodes.held"],
        control: Control::Sabotage("A stopped node may hold its rows for a minute"),
    },
    Promise {
        promise: "A COMMIT whose answer is lost is never taken for success and never done twice.",
        tried: "The line to PostgreSQL is cut at every COMMIT of a sale, before and after the database hears it.",
        shown_by: &["nodes.commit"],
        control: Control::Sabotage("A lost COMMIT is taken for success"),
    },
    Promise {
        promise: "A failover to a synchronous standby loses no acknowledged sale.",
        tried: "`kill -9` of the whole primary under load, promotion of the standby; the nodes find it by an address with two hosts.",
        shown_by: &["nodes.failover"],
        control: Control::Figure("nodes.failover.control"),
    },
    Promise {
        promise: "A shop that comes back from its backup knows what was sold since, and mails nobody twice.",
        tried: "A backup beside the running server, sales and refunds after it, the loss of everything, a restore.",
        shown_by: &["restore.sqlite", "restore.postgres"],
        control: Control::Sabotage("After a restore old mails leave again"),
    },
    Promise {
        promise: "A shop moves to the other engine, and nothing of it is lost on the way.",
        tried: "`latchkey move`, killed at one table after another and taken up again; what arrived is counted and digested.",
        shown_by: &["move.sqlite", "move.postgres"],
        control: Control::Sabotage("A move leaves a row of each page behind"),
    },
    Promise {
        promise: "A server that goes down answers what it has accepted.",
        tried: "SIGTERM while a request is half sent.",
        shown_by: &["drain"],
        control: Control::Sabotage("A server that is told to stop stops at once"),
    },
    Promise {
        promise: "The laws of a sale hold in every order of events, with every door failing.",
        tried: "The unchanged shell on simulated doors, from seeds (docs/sim.md).",
        shown_by: &["sim"],
        control: Control::Sabotage("A mail is marked as sent before it is sent"),
    },
    Promise {
        promise: "No input from outside makes a parser panic, hang or take what is not so.",
        tried: "Mutated inputs for every parser that meets the outside, and whole requests through the router (docs/decisions/0009).",
        shown_by: &["fuzz", "fuzz.shop_file"],
        control: Control::Figure("fuzz.control"),
    },
    Promise {
        promise: "The tests would see it if one of this was not so.",
        tried: "Bugs that somebody might write, planted one at a time (docs/sabotage.md).",
        shown_by: &["sabotage"],
        control: Control::Figure("sabotage.control"),
    },
];

const NOT_SHOWN: &str = "\
- Hardware that lies: a disk that says that it has synced and has not, or returns other bytes than were written. SQLite's \
and PostgreSQL's own checks are relied on; `doctor` sees rows that contradict each other, not rotten pages.
- A drive that keeps in a cache of its own what it was told to write down, under PostgreSQL: there, what has reached the \
drive counts as written.
- The power model replays what our writer wrote. It does not model a file system that loses the name or the length of a file.
- A failover that nobody orders: promotion is a command here. Who decides it, and that the old primary stays down, is the \
operator's (Patroni and the like).
- Networks between machines: all nodes ran on one. Lines were cut and held, packets were not lost.
- Load for days, and rows by the million under failure. Figures for speed are in docs/bench.md.
- What a real gateway does. Ours is a model of Stripe, compared with Stripe's libraries and its OpenAPI.
- Mails and outgoing calls are made at least once, under the same id; a receiver that forgets ids may see one twice.
- Fuzzing was guided by what a target says, not by the branches that it takes.
";

/// How much is run.
struct Effort {
    name: &'static str,
    seeds: &'static str,
    executions: &'static str,
    kills: &'static str,
    /// Every how manieth bug is planted.
    bugs: usize,
}

const QUICK: Effort = Effort { name: "quick", seeds: "60", executions: "100000", kills: "10", bugs: 6 };
const WHOLE: Effort = Effort { name: "whole", seeds: "1000", executions: "1000000", kills: "50", bugs: 1 };

/// The bugs that promises rely on.
pub(crate) fn planted() -> impl Iterator<Item = &'static str> {
    PROMISES.iter().filter_map(|promise| match promise.control {
        Control::Sabotage(bug) => Some(bug),
        Control::Figure(_) => None,
    })
}

/// The parts that try the real server, each with the tests that do so.
const REAL_SERVER: &[(&str, &str)] = &[
    ("the real server, killed", "crash"),
    ("the real server on a disk that fails", "disk"),
    ("the real server without power", "power"),
    ("many real servers", "nodes"),
    ("the real server in a storm", "storm"),
    ("the real server, restored and moved", "moving"),
    ("the real server under load", "overload"),
];

/// Where the figures of a run are kept, part by part, for a run that goes on with it.
const KEPT: &str = "target/prove.json";

/// Runs all of it, goes on when a part fails, and writes the page. With `resumes`, the parts that ended well in the run
/// before are not run again, and the page says so.
///
/// # Errors
/// When a promise is not shown.
pub(crate) fn run(quick: bool, resumes: bool) -> anyhow::Result<()> {
    let effort = if quick { QUICK } else { WHOLE };
    let began = Instant::now();
    let commit = said(command("git", &["rev-parse", "--short=12", "HEAD"]))?;
    install::debian(install::TESTED_WITH)?;
    install::nextest()?;
    let mut figures = Figures::default();
    if resumes {
        let kept =
            std::fs::read(root().join(KEPT)).with_context(|| format!("{KEPT}: there is no run to go on with"))?;
        figures.kept = serde_json::from_slice(&kept).context(KEPT)?;
        anyhow::ensure!(figures.kept.effort == effort.name, "the run before was of effort {}", figures.kept.effort);
    } else {
        effort.name.clone_into(&mut figures.kept.effort);
    }
    figures.kept.commit.clone_from(&commit);
    for (part, binary) in REAL_SERVER {
        let mut real = nextest("latchkey", &format!("binary({binary})"));
        real.env("LATCHKEY_STORM_KILLS", effort.kills);
        if !quick {
            real.env("LATCHKEY_PROOF", "whole");
        }
        figures.listen(part, &mut real, |_| None)?;
    }
    let mut simulated = cargo(&["run", "--profile", "ci", "--quiet", "-p", "sim", "--", "--seeds", effort.seeds]);
    if !quick {
        simulated.arg("--covered");
    }
    figures.listen("the simulated world", &mut simulated, |line| {
        let told = line.contains(" seeds (").then(|| line.to_owned())?;
        Some(("sim".to_owned(), told))
    })?;
    let mut fuzz = cargo(&["run", "--profile", "ci", "--quiet", "-p", "fuzz", "--", "--executions", effort.executions]);
    figures.listen("fuzz", &mut fuzz, |line| {
        let told = line.strip_suffix(" in all")?;
        Some(("fuzz".to_owned(), format!("{told}, none of which broke anything")))
    })?;
    let mut slices = nextest("fuzz", "all()");
    figures.listen("fuzz: the control", &mut slices, |_| None)?;
    let mut shop_file = nextest("latchkey", "test(breaks_the_shop_file)");
    shop_file.env("LATCHKEY_FUZZ_EXECUTIONS", effort.executions);
    figures.listen("fuzz: the shop file", &mut shop_file, |_| None)?;
    figures.sabotage(effort.bugs)?;
    let day = said(command("date", &["-u", "+%F"]))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut parts_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (part, tried) in figures.kept.ended_well.iter().filter(|(_, tried)| **tried != commit) {
        parts_of.entry(tried).or_default().push(part);
    }
    let earlier: Vec<String> =
        parts_of.iter().map(|(tried, parts)| format!("{} (commit {tried})", parts.join("; "))).collect();
    let taken_up = if earlier.is_empty() {
        String::new()
    } else {
        format!(
            " It was broken off and taken up again. What had ended well before was not run again: {}.",
            earlier.join(". ")
        )
    };
    let head = format!(
        "# What is promised, and what shows it\n\n\
         Written by `cargo xtask prove{}` on {day}, from commit {commit}, on {cores} cores under Linux, in {} minutes. \
         Effort: {}. Every figure is of this run; a promise without one is written down as not shown.{taken_up}\n",
        if quick { " --quick" } else { "" },
        figures.kept.seconds.div_ceil(60),
        effort.name,
    );
    let (page, missing) = page(&head, &figures);
    // A quick run is to see whether it still runs: what is told to others is of a whole one.
    let written = if quick { "target/PROOF.md" } else { "docs/PROOF.md" };
    std::fs::write(root().join(written), page).context(written)?;
    println!("\nWritten: {written}, in {} s.", began.elapsed().as_secs());
    if missing.is_empty() && figures.failed.is_empty() {
        return Ok(());
    }
    bail!("not shown: {}; failed: {}", missing.join("; "), figures.failed.join(", "))
}

fn nextest(package: &str, filter: &str) -> Command {
    let whole = ["nextest", "run", "--profile", "proof", "--no-fail-fast", "--success-output", "immediate"];
    cargo(&[&whole, &["-p", package, "-E", filter][..]].concat())
}

fn said(mut command: Command) -> anyhow::Result<String> {
    Ok(String::from_utf8_lossy(&command.output()?.stdout).trim().to_owned())
}

/// What the parts have said.
#[derive(Default)]
struct Figures {
    kept: Kept,
    failed: Vec<&'static str>,
}

/// What is kept of a run.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    commit: String,
    effort: String,
    /// What the parts took.
    seconds: u64,
    /// The parts that ended well, each with the commit that it tried.
    ended_well: BTreeMap<String, String>,
    told: BTreeMap<String, String>,
    /// The bugs that were caught.
    #[serde(default)]
    caught: BTreeMap<String, sabotage::Caught>,
}

impl Figures {
    /// Runs a part, passes on what it says and keeps its figures. A test tells its own once it has passed; what a
    /// program sums up is believed only when it ends well.
    fn listen(
        &mut self,
        name: &'static str,
        part: &mut Command,
        figure: impl Fn(&str) -> Option<(String, String)>,
    ) -> anyhow::Result<()> {
        println!("\n── {name}");
        if let Some(commit) = self.kept.ended_well.get(name) {
            println!("── {name}: ended well at {commit}");
            return Ok(());
        }
        let began = Instant::now();
        // Both streams on one: tests speak on the one, programs on the other.
        let (reader, writer) = std::io::pipe()?;
        part.stdout(writer.try_clone()?).stderr(writer).stdin(Stdio::null());
        let mut child = part.spawn().with_context(|| name.to_owned())?;
        // The writing ends that the command holds would keep the pipe open.
        part.stdout(Stdio::null()).stderr(Stdio::null());
        let mut summed_up = BTreeMap::new();
        for line in BufReader::new(reader).lines() {
            let line = line.unwrap_or_default();
            println!("{line}");
            let by_tests = line.trim_start().strip_prefix(FIGURE).and_then(|figure| figure.split_once(": "));
            self.kept.told.extend(by_tests.map(|(name, text)| (name.to_owned(), text.to_owned())));
            summed_up.extend(figure(&line));
        }
        let status = child.wait()?;
        println!("── {name}: {} s", began.elapsed().as_secs());
        self.kept.seconds += began.elapsed().as_secs();
        if status.success() {
            self.kept.told.extend(summed_up);
            self.kept.ended_well.insert(name.to_owned(), self.kept.commit.clone());
            std::fs::write(root().join(KEPT), serde_json::to_vec(&self.kept)?).context(KEPT)?;
        } else {
            self.failed.push(name);
        }
        Ok(())
    }

    /// Plants bugs, and keeps those that were caught.
    fn sabotage(&mut self, every: usize) -> anyhow::Result<()> {
        let began = Instant::now();
        let commit = self.kept.commit.clone();
        let planted = sabotage::every(every, &commit, &mut self.kept.caught);
        self.kept.seconds += began.elapsed().as_secs();
        std::fs::write(root().join(KEPT), serde_json::to_vec(&self.kept)?).context(KEPT)?;
        match planted {
            Ok(()) => {
                let count = self.kept.caught.len();
                let earlier = self.kept.caught.values().filter(|caught| caught.commit != commit).count();
                let earlier =
                    if earlier == 0 { String::new() } else { format!(", {earlier} of them at an earlier commit") };
                let told = format!("{count} bugs were planted, {count} were caught{earlier}");
                self.kept.told.insert("sabotage".to_owned(), told);
                let control = "with no bug planted, every one of their tests passed";
                self.kept.told.insert("sabotage.control".to_owned(), control.to_owned());
            }
            Err(error) => {
                println!("{error:#}");
                self.failed.push("sabotage");
            }
        }
        Ok(())
    }
}

fn page(head: &str, figures: &Figures) -> (String, Vec<&'static str>) {
    let mut text = format!(
        "{head}\n| promise | how it was tried | figure | the control that failed as it must |\n| --- | --- | --- | --- |\n"
    );
    let mut missing = Vec::new();
    for promise in PROMISES {
        let shown: Vec<Option<&String>> = promise.shown_by.iter().map(|name| figures.kept.told.get(*name)).collect();
        let is_shown = shown.iter().all(Option::is_some);
        if !is_shown {
            missing.push(promise.promise);
        }
        let figure = if is_shown {
            shown.into_iter().flatten().cloned().collect::<Vec<_>>().join("; ")
        } else {
            "**not shown by this run**".to_owned()
        };
        let control = match promise.control {
            Control::Figure(name) => figures.kept.told.get(name).cloned(),
            Control::Sabotage(bug) => {
                figures.kept.caught.contains_key(bug).then(|| format!("planted and caught: {bug}"))
            }
        };
        // Without its control a promise is not shown: perhaps nothing would have been seen.
        if control.is_none() && is_shown {
            missing.push(promise.promise);
        }
        let control = control.unwrap_or_else(|| "**not run this time**".to_owned());
        let _ = writeln!(text, "| {} | {} | {figure} | {control} |", promise.promise, promise.tried);
    }
    let _ = write!(text, "\n## What is not shown\n\n{NOT_SHOWN}");
    if !figures.failed.is_empty() {
        let _ = writeln!(text, "\n**Parts that failed in this run:** {}.", figures.failed.join(", "));
    }
    (text, missing)
}
