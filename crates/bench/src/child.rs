//! Measured servers as processes: started, watched, ended.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// A running server. It ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    /// From the start of the process to the first answer.
    pub(crate) started_in: Duration,
    share: Option<Share>,
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
        let mut server = Self { child, port, started_in: Duration::ZERO, share: None };
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

    /// Gives it no more than so many hundredths of one core from now on, as if it stood on a smaller machine.
    ///
    /// # Errors
    /// When no control group can be made: that takes root, and the `cpu` controller.
    pub(crate) fn confine(&mut self, hundredths: u32) -> std::io::Result<()> {
        self.share = Some(Share::of(self.child.id(), hundredths)?);
        Ok(())
    }

    /// How long it has kept a core busy so far, in seconds.
    pub(crate) fn busy_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name of the program, which may hold anything, ends with the last bracket; user and system time are the
        // twelfth and thirteenth field after it, in hundredths of a second (proc_pid_stat(5)).
        let fields = stat.rsplit_once(')').context("/proc/PID/stat")?.1;
        let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
        Ok(ticks.iter().sum::<f64>() / 100.0)
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

/// A control group of a process, with a bound for its time on the cores. To be dropped after the process has ended: a
/// group that is in use cannot be removed.
struct Share(PathBuf);

impl Share {
    fn of(process: u32, hundredths: u32) -> std::io::Result<Self> {
        let mounted = Path::new("/sys/fs/cgroup");
        let is_unified = mounted.join("cgroup.controllers").exists();
        let parent = if is_unified { mounted.to_owned() } else { mounted.join("cpu") };
        let group = Self(parent.join(format!("latchkey-bench-{process}")));
        // One that was left behind by a run that was killed, of a process with the same number.
        let _ = std::fs::remove_dir(&group.0);
        std::fs::create_dir(&group.0)?;
        // In microseconds: so much time of each period.
        let (quota, period) = (hundredths * 1_000, 100_000);
        let write = |file: &str, text: String| std::fs::write(group.0.join(file), text);
        if is_unified {
            write("cpu.max", format!("{quota} {period}"))?;
        } else {
            write("cpu.cfs_period_us", period.to_string())?;
            write("cpu.cfs_quota_us", quota.to_string())?;
        }
        write("cgroup.procs", process.to_string())?;
        Ok(group)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
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
