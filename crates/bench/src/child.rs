//! Measured servers as processes: started, watched, ended.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// A running server. It ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    /// From the start of the process to the first answer.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts this program again as a server, and waits for its first answer.
    pub(crate) fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let port = free_port()?;
        let began = Instant::now();
        let child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .arg(port.to_string())
            .stdout(Stdio::null())
            .spawn()
            .context("a measured server cannot be started")?;
        let mut server = Self { child, port, started_in: Duration::ZERO };
        while !answers(port) {
            if let Some(status) = server.child.try_wait()? {
                bail!("a measured server ended at its start ({status})");
            }
            if began.elapsed() > Duration::from_secs(60) {
                bail!("a measured server does not answer");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        server.started_in = began.elapsed();
        Ok(server)
    }

    /// Resident memory in MiB.
    pub(crate) fn memory_mib(&self) -> anyhow::Result<u64> {
        Ok(self.status_line("VmRSS:")? / 1_024)
    }

    /// The most resident memory so far, in MiB.
    pub(crate) fn most_memory_mib(&self) -> anyhow::Result<u64> {
        Ok(self.status_line("VmHWM:")? / 1_024)
    }

    /// How many bytes the process wrote to disk.
    pub(crate) fn written_bytes(&self) -> anyhow::Result<u64> {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.child.id()))?;
        let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).context("/proc/PID/io")?;
        Ok(line.trim().parse()?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn status_line(&self, name: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("/proc/PID/status")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let asked = stream.write_all(b"GET /livez HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
    let mut answer = [0; 12];
    asked.is_ok() && stream.read_exact(&mut answer).is_ok() && answer.ends_with(b"200")
}
