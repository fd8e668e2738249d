//! Load by `wrk`, and what it saw.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// What a load saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Answers with a status of 2xx, a second.
    pub(crate) good_per_second: f64,
    /// Answers with a status of 2xx in all.
    pub(crate) good: u64,
    /// Answers with another status, and connections that broke.
    pub(crate) bad: u64,
    /// 99 of 100 answers came within so many milliseconds.
    pub(crate) p99_ms: f64,
}

/// A load: where, how many connections, how long, what is sent.
pub(crate) struct Load<'a> {
    pub(crate) port: u16,
    pub(crate) path: &'a str,
    pub(crate) connections: u32,
    pub(crate) seconds: u32,
    /// A script that sends, or `None` to get.
    pub(crate) script: Option<&'a Path>,
}

impl Load<'_> {
    /// Makes the load and waits for its end.
    pub(crate) fn run(&self) -> anyhow::Result<Seen> {
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", "--latency"]).arg(format!("-c{}", self.connections)).arg(format!("-d{}s", self.seconds));
        if let Some(script) = self.script {
            wrk.arg("-s").arg(script);
        }
        wrk.arg(format!("http://127.0.0.1:{}{}", self.port, self.path));
        let output = wrk.output().context("wrk cannot be run: please install it (Debian: apt-get install wrk)")?;
        let text = String::from_utf8_lossy(&output.stdout);
        read(&text).with_context(|| format!("what wrk said: {text}"))
    }
}

fn read(text: &str) -> anyhow::Result<Seen> {
    let number =
        |words: &str| words.chars().take_while(|sign| sign.is_ascii_digit() || *sign == '.').collect::<String>();
    let line = |start: &str| text.lines().map(str::trim).find(|line| line.starts_with(start));
    let total = text.lines().map(str::trim).find(|line| line.contains(" requests in ")).context("no total")?;
    let all: u64 = number(total).parse()?;
    let rate: f64 =
        number(line("Requests/sec:").context("no rate")?.trim_start_matches("Requests/sec:").trim()).parse()?;
    let refused: u64 = line("Non-2xx or 3xx responses:")
        .map_or(Ok(0), |line| number(line.rsplit(' ').next().unwrap_or_default()).parse())?;
    let broken: u64 = line("Socket errors:").map_or(0, |line| {
        line.split(|sign: char| !sign.is_ascii_digit()).filter_map(|word| word.parse::<u64>().ok()).sum()
    });
    let p99 = line("99%").context("no latency")?.trim_start_matches("99%").trim();
    let value: f64 = number(p99).parse()?;
    let p99_ms = match p99.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '.') {
        "us" => value / 1_000.0,
        "ms" => value,
        "s" => value * 1_000.0,
        unit => bail!("an unknown unit of time: {unit}"),
    };
    if all == 0 {
        bail!("not one answer came");
    }
    let good = all - refused;
    Ok(Seen { good_per_second: rate * good as f64 / all as f64, good, bad: refused + broken, p99_ms })
}

/// A script that posts each body to the same path, over and over.
pub(crate) fn bodies(folder: &Path, name: &str, bodies: &[String]) -> anyhow::Result<PathBuf> {
    let lines: Vec<(String, String)> = bodies.iter().map(|body| (String::new(), body.clone())).collect();
    signed(folder, name, &lines)
}

/// A script that posts each body with its signature, in order; after the last it begins again.
pub(crate) fn signed(folder: &Path, name: &str, lines: &[(String, String)]) -> anyhow::Result<PathBuf> {
    let data = folder.join(format!("{name}.txt"));
    let mut text = String::new();
    for (signature, body) in lines {
        writeln!(text, "{signature}\t{body}")?;
    }
    std::fs::write(&data, text)?;
    let script = folder.join(format!("{name}.lua"));
    std::fs::write(
        &script,
        format!(
            r#"local made = {{}}
local at = 0
function init(args)
  for line in io.lines("{}") do
    local signature, body = line:match("^(.-)\t(.*)$")
    local headers = {{ ["Content-Type"] = "application/json" }}
    if signature ~= "" then headers["Stripe-Signature"] = signature end
    made[#made + 1] = wrk.format("POST", nil, headers, body)
  end
end
function request()
  at = at % #made + 1
  return made[at]
end
"#,
            data.display()
        ),
    )?;
    Ok(script)
}
