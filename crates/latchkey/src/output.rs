//! Data to stdout, talk to stderr.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

/// How a command speaks.
pub(crate) struct Output {
    /// One JSON object on stdout instead of lines for people.
    pub(crate) json: bool,
}

impl Output {
    /// Says something to the person at the terminal. A closed terminal is no reason to stop.
    pub(crate) fn talk(&self, line: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// Tells how far a long command has come, on stderr: a line for people where stdout is a terminal, a JSON object a
    /// line where a program listens.
    pub(crate) fn progress<T: Serialize>(&self, data: &T, line: &str) {
        if self.json || !std::io::stdout().is_terminal() {
            if let Ok(line) = serde_json::to_string(data) {
                self.talk(&line);
            }
        } else {
            self.talk(line);
        }
    }

    /// Gives the result: the JSON object, or the lines for people.
    pub(crate) fn result<T: Serialize>(&self, data: &T, lines: &str) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut stdout, data)?;
            writeln!(stdout)?;
        } else {
            writeln!(stdout, "{lines}")?;
        }
        stdout.flush()?;
        Ok(())
    }
}
