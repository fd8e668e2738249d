//! The real binary as processes that end with the test, however that ends.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running `latchkey`. It is killed when this is dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

/// A `latchkey` that has ended.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.args(arguments).current_dir(folder);
    // What the person who runs the tests has set is not for the shop of the test.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LATCHKEY_")) {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub fn run(folder: &Path, arguments: &[&str], input: &str) -> Finished {
    run_with(folder, arguments, input, &[])
}

/// Runs a command to its end, with these variables set.
pub fn run_with(folder: &Path, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Finished {
    let mut child = command(folder, arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that asks nothing may have closed its ears already.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs a command and kills it, as `kill -9` does, as soon as a line on its stderr holds this text. Whether it was
/// killed: one that says nothing of the kind ends by itself.
pub fn kill_when_told(folder: &Path, arguments: &[&str], told: &str) -> bool {
    let mut child = command(folder, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let stderr = BufReader::new(child.stderr.take().expect("its stderr"));
    let is_told = stderr.lines().map_while(Result::ok).any(|line| line.contains(told));
    if is_told {
        let _ = child.kill();
    }
    let ended = child.wait().expect("it ends");
    is_told && ended.code().is_none()
}

impl Finished {
    /// Its one JSON object; it must have ended well.
    pub fn result(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.only_object()
    }

    /// Its one JSON object, and nothing else on stdout.
    pub fn only_object(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.stdout, self.stderr));
        assert!(value.is_object(), "{}", self.stdout);
        value
    }
}

impl Process {
    /// Starts a command that keeps running, and waits for the first line that it
    /// says on stdout: it is said when the address is taken.
    ///
    /// # Errors
    /// With what it said on stderr, when it ended instead.
    pub fn try_start(folder: &Path, arguments: &[&str]) -> Result<(Self, Value), String> {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = folder.join(format!("stderr-{number}.log"));
        let child = command(folder, arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log file"))
            .spawn()
            .expect("the binary starts");
        let mut process = Self { child, log };
        let mut line = String::new();
        BufReader::new(process.child.stdout.take().expect("its output")).read_line(&mut line).expect("a line of it");
        match serde_json::from_str(&line) {
            Ok(said) => Ok((process, said)),
            Err(_) => {
                let _ = process.child.wait();
                Err(format!("{line}{}", process.told()))
            }
        }
    }

    pub fn start(folder: &Path, arguments: &[&str]) -> (Self, Value) {
        Self::try_start(folder, arguments).unwrap_or_else(|told| panic!("latchkey {arguments:?} did not start: {told}"))
    }

    /// `kill -9`: nothing in it runs after this.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits for its end; the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.tell_to_stop();
        self.child.wait().expect("it ends").code()
    }

    /// SIGTERM, and waits for nothing.
    pub fn tell_to_stop(&self) {
        self.signal("-TERM");
    }

    /// SIGSTOP: nothing in it moves until [`Process::go_on`].
    pub fn stand_still(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.id().to_string()]).status().expect("kill");
        assert!(told.success(), "it could not be told {signal}");
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The numbers of its threads of this name.
    pub fn threads(&self, name: &str) -> Vec<u32> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).expect("its threads");
        let named = tasks.filter_map(|task| {
            let path = task.ok()?.path();
            let known = fs::read_to_string(path.join("comm")).ok()?;
            if known.trim() == name { path.file_name()?.to_str()?.parse().ok() } else { None }
        });
        named.collect()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_some()
    }

    /// What it said on stderr.
    pub fn told(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The most memory it ever had, in KiB: `VmHWM` of the kernel.
    pub fn most_memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its memory");
        line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number of KiB")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let told = self.told();
            let lines: Vec<&str> = told.lines().collect();
            for line in &lines[lines.len().saturating_sub(40)..] {
                eprintln!("  process {}: {line}", self.child.id());
            }
        }
    }
}
