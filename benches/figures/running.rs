//! The real binary as it runs: started, watched and stopped.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::now;

/// How long an idle daemon is watched.
const IDLE: Duration = Duration::from_secs(20);

/// How long the daemon may be silent at start, and when stopping.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);

/// Memory of a process, and the processor time it takes when nothing is due.
pub(crate) struct Held {
    pub(crate) resident_kib: u64,
    pub(crate) peak_kib: u64,
    pub(crate) cpu_percent: f64,
}

/// Where the feeds of a configuration are, each under the name of its host, on loopback; then the feeds. `text` ends with
/// other tables.
pub(crate) fn write_feeds(
    text: &mut String,
    feeds: impl Iterator<Item = u64> + Clone,
    host: impl Fn(u64) -> String,
    port: u16,
) -> std::fmt::Result {
    let mut hosts: Vec<String> = feeds.clone().map(&host).collect();
    hosts.dedup();
    text.push_str("[fetch.resolve]\n");
    for host in hosts {
        writeln!(text, "\"{host}\" = \"127.0.0.1\"")?;
    }
    for feed in feeds {
        let host = host(feed);
        writeln!(
            text,
            "[[feed]]\nid = \"feed-{feed}\"\nurl = \"http://{host}:{port}/feed/{feed}\""
        )?;
    }
    Ok(())
}

/// A running `conflictwire run`.
pub(crate) struct Daemon {
    process: Child,
    admin: String,
    log: Receiver<serde_json::Value>,
}

impl Daemon {
    /// Starts it and waits until it polls: how long that took, from before exec.
    pub(crate) fn start(configuration: &Path) -> anyhow::Result<(Self, Duration)> {
        let started = now();
        let mut process = Command::new(binary())
            .args(["run", "--config"])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", binary()))?;
        let stderr = process.stderr.take().context("the daemon has no standard error")?;
        let (send, log) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let text = || serde_json::Value::String(line.clone());
                // Nobody listens any more once the daemon polls.
                let _gone = send.send(serde_json::from_str(&line).unwrap_or_else(|_| text()));
            }
        });
        let mut daemon = Self { process, admin: String::new(), log };
        loop {
            let line =
                daemon.log.recv_timeout(ANSWER_TIMEOUT).context("the daemon does not poll")?;
            if let Some(address) = line.get("admin.address").and_then(|it| it.as_str()) {
                address.clone_into(&mut daemon.admin);
            }
            match line.get("message").and_then(|message| message.as_str()) {
                Some("polling") => return Ok((daemon, Instant::elapsed(&started))),
                Some(_) => {}
                None => bail!("the daemon says {line}"),
            }
        }
    }

    /// Polls that ended and were committed, by its own count.
    pub(crate) fn polled(&mut self) -> anyhow::Result<u64> {
        let metrics = self.metrics()?;
        let count = |line: &str| line.split(' ').nth(1)?.parse::<u64>().ok();
        let polls = metrics.lines().filter(|line| line.starts_with("conflictwire_polls_total{"));
        Ok(polls.filter_map(count).sum())
    }

    /// What `/metrics` says.
    pub(crate) fn metrics(&mut self) -> anyhow::Result<String> {
        if let Some(status) = self.process.try_wait()? {
            let said: Vec<String> = self.log.try_iter().map(|line| line.to_string()).collect();
            bail!("the daemon ended with {status}: {}", said.join("\n"));
        }
        let mut stream = TcpStream::connect(&self.admin).context("the admin server is away")?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Resident memory now, and the most it ever was.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<[u64; 2]> {
        let status = self.proc("status")?;
        let kib = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        Ok([kib("VmRSS:").context("no VmRSS")?, kib("VmHWM:").context("no VmHWM")?])
    }

    /// Processor time used, user's and system's.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        // A clock tick is 10 ms on every Linux that Rust runs on.
        Ok(Duration::from_millis(self.ticks()? * 10))
    }

    /// Open descriptors.
    pub(crate) fn descriptors(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.process.id()))?.count())
    }

    /// Bytes handed to the system to be written to disk (proc(5), io).
    pub(crate) fn written(&self) -> anyhow::Result<u64> {
        let io = self.proc("io")?;
        let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        Ok(line.context("no write_bytes")?.parse()?)
    }

    /// What it holds after being idle for a while.
    pub(crate) fn hold(&mut self) -> anyhow::Result<Held> {
        // The last commit's memory is given back before the watch begins.
        pause(Duration::from_secs(2));
        let before = self.processor_time()?;
        pause(IDLE);
        let took = self.processor_time()? - before;
        let [resident_kib, peak_kib] = self.resident_kib()?;
        let cpu_percent = took.as_secs_f64() / IDLE.as_secs_f64() * 100.0;
        Ok(Held { resident_kib, peak_kib, cpu_percent })
    }

    /// Processor time used, in clock ticks (proc(5): fields 14 and 15 of stat).
    fn ticks(&self) -> anyhow::Result<u64> {
        let stat = self.proc("stat")?;
        let after_name = stat.rsplit(')').next().context("an odd stat")?;
        let fields = after_name.split_whitespace().skip(11).take(2);
        Ok(fields.filter_map(|field| field.parse::<u64>().ok()).sum())
    }

    fn proc(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.process.id());
        std::fs::read_to_string(&path).with_context(|| format!("could not read {path}"))
    }

    /// SIGTERM, and how long it took to end well.
    pub(crate) fn stop(mut self) -> anyhow::Result<Duration> {
        let started = now();
        let kill = format!("kill -TERM {}", self.process.id());
        ensure!(Command::new("sh").args(["-c", &kill]).status()?.success(), "could not {kill}");
        let status = self.process.wait()?;
        if !status.success() {
            let said: Vec<String> = self.log.try_iter().map(|line| line.to_string()).collect();
            bail!("the daemon ended with {status}: {}", said.join("\n"));
        }
        Ok(Instant::elapsed(&started))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Only after an error; a daemon that was stopped has been waited for.
        let _ended = self.process.kill();
        let _waited = self.process.wait();
    }
}

/// The binary that cargo built for this benchmark, with the release profile.
pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_conflictwire")
}

/// Waits for a process that is not ours to wake us.
#[expect(clippy::disallowed_methods, reason = "a benchmark has no runtime to block")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
