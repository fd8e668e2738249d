//! Bugs that a program plants: those of cargo-mutants, where a mistake costs money or opens what is closed.
//!
//! Sabotage (sabotage.rs) asks whether the bugs that we can think of are noticed; this asks the same of those that
//! nobody thought of. To build a crate for each of hundreds would take a day. So every function is built with all of
//! its mutants beside it, and each run of the tests is told by its environment which one is to be in force. Only what
//! is computed when it is compiled is built again for each mutant.
//!
//! What became of each is kept, and a run goes on where the last one ended: what was noticed is tried again when its
//! file has changed, what was not noticed always.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::run::{cargo, command, root};
use crate::{install, sabotage};

const PAGE: &str = "docs/mutants.md";
const SAME: &str = "xtask/mutants/same.txt";

/// What became of every mutant so far: what, the state of its file, its name.
const KEPT: &str = "target/mutants/outcomes.txt";

/// Tells the tests which mutant is in force.
const CHOICE: &str = "LATCHKEY_MUTANT";

/// A test that takes this long will not end.
const PATIENCE: Duration = Duration::from_secs(150);

/// What stands at the end of a file with mutants in it.
const CHOOSE: &str = r#"
fn mutant_in_force() -> usize {
    static CHOSEN: ::std::sync::OnceLock<usize> = ::std::sync::OnceLock::new();
    let read = || ::std::env::var("LATCHKEY_MUTANT").ok()?.parse().ok();
    *CHOSEN.get_or_init(|| read().unwrap_or(usize::MAX))
}
"#;

/// What is changed in a crate, and what of its tests must notice.
struct Part {
    package: &'static str,
    files: &'static [&'static str],
    targets: &'static [&'static str],
    /// Tests that take long: asked only about what no other has noticed.
    slow: &'static [&'static str],
}

/// Money, signatures, decisions, licenses, who may see and do what.
const PARTS: &[Part] = &[
    Part { package: "money", files: &["crates/money/src/*.rs"], targets: &["--lib"], slow: &[] },
    Part { package: "latchkey-license", files: &["crates/license/src/*.rs"], targets: &["--lib"], slow: &[] },
    Part {
        package: "domain",
        files: &[
            "crates/domain/src/activate.rs",
            "crates/domain/src/console.rs",
            "crates/domain/src/decide.rs",
            "crates/domain/src/sale.rs",
        ],
        targets: &["--lib"],
        slow: &["decide::tests::random::", "decide::tests::convergence::"],
    },
    Part { package: "gateways", files: &["crates/gateways/src/stripe/signature.rs"], targets: &["--lib"], slow: &[] },
    Part {
        package: "web",
        files: &[
            "crates/web/src/api/mod.rs",
            "crates/web/src/cookie.rs",
            "crates/web/src/guard.rs",
            "crates/web/src/public/access.rs",
        ],
        targets: &["--lib", "--test", "api", "--test", "it"],
        slow: &[],
    },
];

/// As `cargo mutants --list --json` tells it.
#[derive(Clone, Deserialize)]
struct Mutant {
    /// `<file>:<line>:<column>: <what>`
    name: String,
    package: String,
    file: String,
    function: Option<Function>,
    span: Span,
    replacement: String,
}

#[derive(Clone, Deserialize)]
struct Function {
    span: Span,
}

#[derive(Clone, Copy, Deserialize)]
struct Span {
    start: Place,
    end: Place,
}

/// Both counted from one, the column in characters.
#[derive(Clone, Copy, Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// A test failed.
    Noticed,
    /// The tests did not end, which nobody overlooks either.
    Endless,
    /// No test failed.
    Missed,
    /// It is no program.
    Unviable,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Noticed, Self::Endless, Self::Missed, Self::Unviable];

    fn word(self) -> &'static str {
        match self {
            Self::Noticed => "noticed",
            Self::Endless => "endless",
            Self::Missed => "missed",
            Self::Unviable => "unviable",
        }
    }
}

/// Plants the mutants of every part, or of the crate `only`, for as many minutes as there are, and writes
/// docs/mutants.md.
///
/// # Errors
/// When a mutant is missed that nobody has explained, or the tests fail without any.
pub(crate) fn run(only: Option<&str>, minutes: Option<&str>) -> anyhow::Result<()> {
    if let Some(unknown) = only.filter(|only| PARTS.iter().all(|part| part.package != *only)) {
        bail!("no mutants are planted in {unknown}");
    }
    install::mutants()?;
    let minutes: Option<u64> = minutes.map(str::parse).transpose().context("--minutes is a whole number")?;
    let until = minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let all = list()?;
    let mut kept = Kept::read()?;
    for part in PARTS.iter().filter(|part| only.is_none_or(|only| only == part.package)) {
        let mutants: Vec<Mutant> = all.iter().filter(|mutant| mutant.package == part.package).cloned().collect();
        plant(&sabotage::copied()?, part, &mutants, &mut kept, until)?;
    }
    let same = std::fs::read_to_string(root().join(SAME)).unwrap_or_default();
    write(&all, &kept, &same)?;
    let unexplained: Vec<&str> = all
        .iter()
        .filter(|mutant| kept.of(mutant) == Some(Outcome::Missed) && why_same(&same, &mutant.name).is_none())
        .map(|mutant| mutant.name.as_str())
        .collect();
    if !unexplained.is_empty() {
        bail!("not noticed, and nobody has said why that is the same program:\n{}", unexplained.join("\n"));
    }
    Ok(())
}

/// Every mutant of every part.
fn list() -> anyhow::Result<Vec<Mutant>> {
    let mut list = cargo(&["mutants", "--workspace", "--list", "--json"]);
    for file in PARTS.iter().flat_map(|part| part.files) {
        list.args(["--file", file]);
    }
    let output = list.output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let list: Vec<Mutant> = serde_json::from_slice(&output.stdout).context("what cargo-mutants lists")?;
    for named in PARTS.iter().flat_map(|part| part.files) {
        let begin = named.split('*').next().unwrap_or_default();
        if !list.iter().any(|mutant| mutant.file.starts_with(begin)) {
            bail!("cargo-mutants finds nothing to change in {named}");
        }
    }
    Ok(list)
}

/// What became of the mutants so far.
struct Kept {
    outcomes: BTreeMap<String, (Outcome, String)>,
    states: BTreeMap<String, String>,
}

impl Kept {
    fn read() -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(root().join(KEPT)).unwrap_or_default();
        let mut outcomes = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(word), Some(state), Some(name)) = (words.next(), words.next(), words.next()) else {
                bail!("{KEPT}: {line}")
            };
            let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.word() == word).context(KEPT)?;
            outcomes.insert(name.to_owned(), (outcome, state.to_owned()));
        }
        Ok(Self { outcomes, states: BTreeMap::new() })
    }

    /// What became of it, as long as its file is the same.
    fn of(&self, mutant: &Mutant) -> Option<Outcome> {
        let (outcome, state) = self.outcomes.get(&mutant.name)?;
        (*state == state_of(&mutant.file)).then_some(*outcome)
    }

    /// `by`: the test that failed, told so that a test which fails by chance is found out.
    fn keep(&mut self, mutant: &Mutant, outcome: Outcome, by: &str) -> anyhow::Result<()> {
        let state = self.states.entry(mutant.file.clone()).or_insert_with(|| state_of(&mutant.file)).clone();
        self.outcomes.insert(mutant.name.clone(), (outcome, state));
        let by = if by.is_empty() { String::new() } else { format!(" ({by})") };
        println!("{:8} {}{by}", outcome.word(), mutant.name);
        let mut text = String::new();
        for (name, (outcome, state)) in &self.outcomes {
            let _ = writeln!(text, "{} {state} {name}", outcome.word());
        }
        let place = root().join(KEPT);
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder).context(KEPT)?;
        }
        std::fs::write(place, text).context(KEPT)
    }
}

/// The content of a file in a word.
fn state_of(file: &str) -> String {
    let mut hasher = DefaultHasher::new();
    std::fs::read(root().join(file)).unwrap_or_default().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Tries every mutant of a part that is not known to be noticed.
fn plant(copy: &Path, part: &Part, mutants: &[Mutant], kept: &mut Kept, until: Option<Instant>) -> anyhow::Result<()> {
    let open: Vec<usize> =
        (0..mutants.len()).filter(|place| matches!(kept.of(&mutants[*place]), None | Some(Outcome::Missed))).collect();
    println!("\n── {}: {} mutants, {} to be tried", part.package, mutants.len(), open.len());
    let is_over = || until.is_some_and(|until| Instant::now() > until);
    if open.is_empty() || is_over() {
        return Ok(());
    }
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    for mutant in mutants {
        if !sources.contains_key(&mutant.file) {
            sources.insert(mutant.file.clone(), std::fs::read_to_string(root().join(&mutant.file))?);
        }
    }
    let is_program = |mutant: &Mutant| kept.of(mutant) != Some(Outcome::Unviable);
    let mut together: BTreeSet<usize> = (0..mutants.len())
        .filter(|place| is_program(&mutants[*place]))
        .filter(|place| body(&sources[&mutants[*place].file], &mutants[*place]).is_some())
        .collect();
    // A function inside another has no place of its own beside it.
    let body_of = |place: &usize| body(&sources[&mutants[*place].file], &mutants[*place]);
    let bodies: Vec<(&str, Range<usize>)> =
        together.iter().filter_map(|place| Some((mutants[*place].file.as_str(), body_of(place)?))).collect();
    together.retain(|place| {
        let is_around = |(file, other): &(&str, Range<usize>), body: &Range<usize>| {
            *file == mutants[*place].file && other.start < body.start && body.end <= other.end
        };
        body_of(place).is_some_and(|body| !bodies.iter().any(|other| is_around(other, &body)))
    });
    // All of them are built at once, without those that do not compile.
    let programs = loop {
        let mut arms = BTreeMap::new();
        for (file, source) in &sources {
            let (text, lines) = switched(source, file, mutants, &together);
            sabotage::put(&copy.join(file), text.as_bytes())?;
            arms.insert(file.clone(), lines);
        }
        match build(copy, part)? {
            Ok(programs) => break programs,
            Err(errors) => {
                let broken = broken(&errors, &arms);
                if broken.is_empty() {
                    bail!("{} does not compile with its mutants:\n{}", part.package, told(&errors));
                }
                for place in broken {
                    together.remove(&place);
                    kept.keep(&mutants[place], Outcome::Unviable, "")?;
                }
            }
        }
    };
    if let Some(failed) = notice(part, &programs, None)? {
        bail!("the tests of {} fail without a mutant: {failed}", part.package);
    }
    for place in open.iter().filter(|place| together.contains(place)) {
        if is_over() {
            return Ok(());
        }
        let (became, by) = outcome(part, &programs, Some(*place))?;
        kept.keep(&mutants[*place], became, &by)?;
    }
    sabotage::copied()?;
    for place in open {
        let mutant = &mutants[place];
        if together.contains(&place) || kept.of(mutant) == Some(Outcome::Unviable) {
            continue;
        }
        if is_over() {
            break;
        }
        let source = &sources[&mutant.file];
        let mut text = source.clone();
        text.replace_range(range(source, mutant.span), &mutant.replacement);
        sabotage::put(&copy.join(&mutant.file), text.as_bytes())?;
        let (became, by) = match build(copy, part)? {
            Ok(programs) => outcome(part, &programs, None)?,
            Err(_) => (Outcome::Unviable, String::new()),
        };
        sabotage::put(&copy.join(&mutant.file), source.as_bytes())?;
        kept.keep(mutant, became, &by)?;
    }
    Ok(())
}

/// Where in the text this is.
fn range(source: &str, span: Span) -> Range<usize> {
    let place = |place: Place| {
        let line: usize = source.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
        let columns = source[line..].chars().take(place.column - 1).map(char::len_utf8);
        line + columns.sum::<usize>()
    };
    place(span.start)..place(span.end)
}

/// The body of the function that a mutant is in, braces and all; `None` when it is in none that runs: in a constant, in
/// a function that is computed when it is compiled, or in one whose result has no name.
fn body(source: &str, mutant: &Mutant) -> Option<Range<usize>> {
    let whole = range(source, mutant.function.as_ref()?.span);
    let mut begin = whole.start;
    for line in source[whole.clone()].split_inclusive('\n') {
        let text = line.trim_start();
        if !(text.starts_with("//") || text.starts_with("#[")) {
            break;
        }
        begin += line.len();
    }
    let open = begin + source[begin..whole.end].find('{')?;
    let head = &source[begin..open];
    let is_computed = head.split_whitespace().any(|word| word == "const") || head.contains("-> impl");
    let inside = range(source, mutant.span);
    (!is_computed && inside.start > open && inside.end < whole.end).then_some(open..whole.end)
}

/// The file with these mutants beside what they change, and on which lines each of them stands.
fn switched(
    source: &str,
    file: &str,
    mutants: &[Mutant],
    together: &BTreeSet<usize>,
) -> (String, Vec<(Range<usize>, usize)>) {
    let mut bodies: BTreeMap<usize, (Range<usize>, Vec<usize>)> = BTreeMap::new();
    for place in together.iter().copied().filter(|place| mutants[*place].file == file) {
        if let Some(body) = body(source, &mutants[place]) {
            bodies.entry(body.start).or_insert((body, Vec::new())).1.push(place);
        }
    }
    let mut text = String::new();
    let mut lines = Vec::new();
    let mut at = 0;
    for (body, places) in bodies.into_values() {
        text.push_str(&source[at..body.start]);
        text.push_str("{ match mutant_in_force() {\n");
        for place in places {
            let changed = range(source, mutants[place].span);
            let first = text.lines().count() + 1;
            let _ = writeln!(
                text,
                "{place} => {}{}{}",
                &source[body.start..changed.start],
                mutants[place].replacement,
                &source[changed.end..body.end]
            );
            lines.push((first..text.lines().count() + 1, place));
        }
        let _ = write!(text, "_ => {} }} }}", &source[body.clone()]);
        at = body.end;
    }
    text.push_str(&source[at..]);
    text.push_str(CHOOSE);
    (text, lines)
}

/// Builds the tests of a part: where their programs are, or what the compiler says.
fn build(copy: &Path, part: &Part) -> anyhow::Result<Result<Vec<PathBuf>, Vec<Value>>> {
    let mut build = cargo(&["test", "--locked", "--no-run", "--message-format", "json", "-p", part.package]);
    build.args(part.targets).stderr(Stdio::null());
    let output = sabotage::in_copy(copy, build).output()?;
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{"));
    let messages: Vec<Value> = lines.map(serde_json::from_slice).collect::<Result<_, _>>()?;
    if output.status.success() {
        let programs = messages.iter().filter_map(|message| message["executable"].as_str());
        return Ok(Ok(programs.map(PathBuf::from).collect()));
    }
    Ok(Err(messages.into_iter().filter(|message| message["message"]["level"] == "error").collect()))
}

/// Which mutants the compiler complains about.
fn broken(errors: &[Value], arms: &BTreeMap<String, Vec<(Range<usize>, usize)>>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let spans = errors.iter().filter_map(|error| error["message"]["spans"].as_array()).flatten();
    for span in spans.filter(|span| span["is_primary"] == true) {
        let (Some(file), Some(line)) = (span["file_name"].as_str(), span["line_start"].as_u64()) else { continue };
        let is_there = |lines: &Range<usize>| usize::try_from(line).is_ok_and(|line| lines.contains(&line));
        let in_file = arms.get(file).into_iter().flatten();
        found.extend(in_file.filter(|(lines, _)| is_there(lines)).map(|(_, place)| *place));
    }
    found
}

fn told(errors: &[Value]) -> String {
    errors.iter().filter_map(|error| error["message"]["rendered"].as_str()).collect()
}

/// How the tests of a program failed.
enum Failure {
    /// This one did, the first of them.
    Test(String),
    /// They do not end.
    Endless,
    /// The program ended in the middle of them.
    Ended(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Test(test) => test,
            Self::Endless => "they do not end",
            Self::Ended(status) => status,
        })
    }
}

/// What becomes of a mutant, and how the tests failed, if they did.
fn outcome(part: &Part, programs: &[PathBuf], mutant: Option<usize>) -> anyhow::Result<(Outcome, String)> {
    let failed = notice(part, programs, mutant)?;
    let outcome = match &failed {
        Some(Failure::Endless) => Outcome::Endless,
        Some(Failure::Test(_) | Failure::Ended(_)) => Outcome::Noticed,
        None => Outcome::Missed,
    };
    Ok((outcome, failed.map(|failed| failed.to_string()).unwrap_or_default()))
}

/// How the tests fail, if they do.
fn notice(part: &Part, programs: &[PathBuf], mutant: Option<usize>) -> anyhow::Result<Option<Failure>> {
    let skipped: Vec<&str> = part.slow.iter().flat_map(|slow| ["--skip", *slow]).collect();
    for program in programs {
        if let Some(failed) = fails_again(part, program, &skipped, mutant)? {
            return Ok(Some(failed));
        }
    }
    for program in programs.iter().filter(|_| !part.slow.is_empty()) {
        if let Some(failed) = fails_again(part, program, part.slow, mutant)? {
            return Ok(Some(failed));
        }
    }
    Ok(None)
}

/// As [`fails`], but a test that fails must fail alone as well, twice: one that fails by chance would be said to notice
/// what it never looked at. It is told of, and the others are asked without it.
fn fails_again(
    part: &Part,
    program: &Path,
    arguments: &[&str],
    mutant: Option<usize>,
) -> anyhow::Result<Option<Failure>> {
    let mut without: Vec<String> = Vec::new();
    loop {
        let skipped = without.iter().flat_map(|test| ["--skip", test]);
        let asked: Vec<&str> = arguments.iter().copied().chain(skipped).collect();
        let failed = fails(part, program, &asked, mutant)?;
        let Some(Failure::Test(test)) = &failed else { return Ok(failed) };
        let alone = ["--exact", test];
        if fails(part, program, &alone, mutant)?.is_some() && fails(part, program, &alone, mutant)?.is_some() {
            return Ok(failed);
        }
        println!("by chance {test}");
        without.push(test.clone());
    }
}

fn fails(part: &Part, program: &Path, arguments: &[&str], mutant: Option<usize>) -> anyhow::Result<Option<Failure>> {
    let folder = part.files[0].split("/src/").next().unwrap_or_default();
    let folder = sabotage::copy().join(folder);
    let mut tests = Command::new(program);
    tests.args(arguments).current_dir(&folder).env("CARGO_MANIFEST_DIR", &folder).env("PROPTEST_CASES", "64");
    tests.stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(mutant) = mutant {
        tests.env(CHOICE, mutant.to_string());
    }
    let mut child = tests.spawn().with_context(|| program.display().to_string())?;
    let (send, lines) = mpsc::channel();
    let stdout = child.stdout.take().context("the tests say nothing")?;
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    let until = Instant::now() + PATIENCE;
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if let Some(test) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED")) {
                    let test = test.to_owned();
                    child.kill()?;
                    child.wait()?;
                    return Ok(Some(Failure::Test(test)));
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                child.kill()?;
                child.wait()?;
                return Ok(Some(Failure::Endless));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let status = child.wait()?;
                return Ok((!status.success()).then(|| Failure::Ended(status.to_string())));
            }
        }
    }
}

/// What a mutant is called wherever it has moved to: without line and column.
fn name(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_), Some(_), Some(what)) => format!("{file}:{what}"),
        (_, _, _, _) => mutant.to_owned(),
    }
}

/// Why a mutant that no test can notice is the same program: the rest of its line in the list.
fn why_same<'a>(same: &'a str, mutant: &str) -> Option<&'a str> {
    let name = name(mutant);
    same.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix(" | "))
}

fn write(all: &[Mutant], kept: &Kept, same: &str) -> anyhow::Result<()> {
    let today = command("date", &["-u", "+%F"]).output()?;
    let today = String::from_utf8_lossy(&today.stdout).trim().to_owned();
    let mut text = format!(
        "# Mutants\n\n\
         Written by `cargo xtask mutants` on {today}: cargo-mutants names one change of one expression or one body at a \
         time, and the tests of the crate that it stands in must notice. What does not compile is no program and is not \
         counted. A run goes on where the last one ended (xtask/src/mutants.rs tells how).\n\n\
         | file | mutants | noticed | never ends | not noticed | of these the same program | not tried |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let files: BTreeSet<&str> = all.iter().map(|mutant| mutant.file.as_str()).collect();
    let count = |file: Option<&str>| {
        let of_file = || all.iter().filter(move |mutant| file.is_none_or(|file| mutant.file == file));
        let those = |wanted: Option<Outcome>| of_file().filter(|mutant| kept.of(mutant) == wanted).count();
        let is_same =
            |mutant: &&Mutant| kept.of(mutant) == Some(Outcome::Missed) && why_same(same, &mutant.name).is_some();
        let unviable = those(Some(Outcome::Unviable));
        [
            of_file().count() - unviable,
            those(Some(Outcome::Noticed)),
            those(Some(Outcome::Endless)),
            those(Some(Outcome::Missed)),
            of_file().filter(is_same).count(),
            those(None),
        ]
    };
    let mut row = |name: &str, counts: [usize; 6]| {
        let cells: Vec<String> = counts.iter().map(usize::to_string).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    };
    for file in files {
        row(file, count(Some(file)));
    }
    row("all", count(None));
    let missed: Vec<&Mutant> = all.iter().filter(|mutant| kept.of(mutant) == Some(Outcome::Missed)).collect();
    if !missed.is_empty() {
        text.push_str("\n| not noticed | why it is the same program |\n| --- | --- |\n");
    }
    for mutant in missed {
        let why = why_same(same, &mutant.name).unwrap_or("**it is not: a test is missing**");
        let _ = writeln!(text, "| `{}` | {why} |", name(&mutant.name).replace('|', "\\|"));
    }
    std::fs::write(root().join(PAGE), text).context(PAGE)
}
