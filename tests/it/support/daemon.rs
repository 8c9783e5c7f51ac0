//! The real binary: configured into a folder of its own, started, watched, signalled, and killed
//! at the latest when a test ends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

use super::{PATIENCE, eventually, ring};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_conflictwire");

/// A configuration, and the folder in which a daemon lives by it.
pub(crate) struct Setup {
    folder: TempDir,
    settings: toml::Table,
    feeds: Vec<toml::Table>,
    environment: BTreeMap<String, String>,
}

impl Setup {
    /// A daemon that polls as often as it may, and may dial nothing but 127.0.0.1.
    pub(crate) fn new() -> Self {
        let settings = toml::toml! {
            [schedule]
            interval_min = "1s"
            interval_max = "1s"
            retry_after_max = "1h"
            [fetch]
            timeout = "20s"
            connect_timeout = "5s"
            host_concurrency = 8
            host_gap = "0s"
            allow_private_networks = ["127.0.0.1/32"]
            [ledger]
            kind = "sqlite"
            [sqlite]
            path = "ledger/conflictwire.sqlite"
            [admin]
            listen = "127.0.0.1:0"
            [log]
            level = "debug"
            format = "json"
            [run]
            drain_timeout = "30s"
        };
        let folder = TempDir::new().unwrap();
        Self { folder, settings, feeds: Vec::new(), environment: BTreeMap::new() }
    }

    /// Sets one key of the configuration, its tables separated by dots.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<toml::Value>) -> &mut Self {
        let (tables, name) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.settings;
        for step in tables.split('.').filter(|step| !step.is_empty()) {
            let entry = table.entry(step).or_insert_with(|| toml::Table::new().into());
            table = entry.as_table_mut().unwrap();
        }
        table.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a feed.
    pub(crate) fn feed(&mut self, id: &str, url: &str) -> &mut Self {
        self.feed_with(id, url, &[])
    }

    /// Adds a feed with keys of its own.
    pub(crate) fn feed_with(&mut self, id: &str, url: &str, keys: &[(&str, &str)]) -> &mut Self {
        let mut feed = toml::Table::new();
        for (key, value) in [("id", id), ("url", url)].iter().chain(keys) {
            feed.insert((*key).to_owned(), (*value).into());
        }
        self.feeds.push(feed);
        self
    }

    /// Adds a feed with keys that are no texts.
    pub(crate) fn feed_that(
        &mut self,
        id: &str,
        url: &str,
        configure: impl FnMut(&mut toml::Table),
    ) -> &mut Self {
        self.feed(id, url);
        self.feeds.last_mut().into_iter().for_each(configure);
        self
    }

    /// Takes a feed out again.
    pub(crate) fn remove_feed(&mut self, id: &str) -> &mut Self {
        self.feeds.retain(|feed| feed["id"].as_str() != Some(id));
        self
    }

    /// Lets an invented host be 127.0.0.1.
    pub(crate) fn resolve(&mut self, host: &str) -> &mut Self {
        let table = self.settings["fetch"].as_table_mut().unwrap();
        let hosts = table.entry("resolve").or_insert_with(|| toml::Table::new().into());
        hosts.as_table_mut().unwrap().insert(host.to_owned(), "127.0.0.1".into());
        self
    }

    /// Sets a variable of the daemon's environment.
    pub(crate) fn environment(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A path in the daemon's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("conflictwire.toml")
    }

    /// The database file, unless a test set another.
    pub(crate) fn database(&self) -> PathBuf {
        self.path("ledger/conflictwire.sqlite")
    }

    /// Writes the configuration file as it now is.
    pub(crate) fn write(&self) {
        let mut text = self.settings.clone();
        text.insert("feed".to_owned(), self.feeds.clone().into());
        std::fs::write(self.config(), toml::to_string(&text).unwrap()).unwrap();
    }

    /// The command that runs the daemon, for tests that wrap it.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.write();
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        // Nothing of the machine's reaches the daemon but what a program needs to run at all.
        let path = option_env!("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin");
        command.env_clear().env("PATH", path).envs(&self.environment);
        command
    }

    /// Starts the daemon and waits until its admin server listens.
    #[track_caller]
    pub(crate) fn start(&self) -> Daemon {
        let daemon = self.spawn();
        daemon.wait_until_listening();
        daemon
    }

    /// Starts the daemon, which may not live long.
    pub(crate) fn spawn(&self) -> Daemon {
        let mut command = self.command(BINARY);
        command.arg("run").arg("--config").arg(self.config());
        Daemon::watch(command)
    }

    /// Starts the daemon with a fault point armed: it dies there.
    pub(crate) fn spawn_armed(&self, fault: &str) -> Daemon {
        let mut command = self.command(BINARY);
        command.arg("run").arg("--config").arg(self.config()).env("CONFLICTWIRE_FAULT", fault);
        Daemon::watch(command)
    }
}

/// Everything the daemon wrote to standard error.
#[derive(Default)]
struct Written {
    lines: Vec<String>,
    is_over: bool,
}

/// A running daemon. Killed when dropped.
pub(crate) struct Daemon {
    child: Child,
    written: Arc<Mutex<Written>>,
    reader: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Starts a command and reads what it writes to standard error.
    pub(crate) fn watch(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let written = Arc::new(Mutex::new(Written::default()));
        let writing = Arc::clone(&written);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                writing.lock().unwrap().lines.push(line);
                ring();
            }
            writing.lock().unwrap().is_over = true;
            ring();
        });
        Self { child, written, reader: Some(reader) }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote so far, for people.
    pub(crate) fn text(&self) -> String {
        self.written.lock().unwrap().lines.join("\n")
    }

    /// Its log lines so far: the JSON objects among what it wrote.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let written = self.written.lock().unwrap();
        written.lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The first log line with this message, if there is one.
    pub(crate) fn line(&self, message: &str) -> Option<Value> {
        self.lines().into_iter().find(|line| message_of(line) == Some(message))
    }

    /// Waits for a log line with this message.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, message: &str) -> Value {
        eventually(format!("the log line \"{message}\""), || {
            let line = self.line(message);
            assert!(line.is_some() || !self.is_over(), "ended instead:\n{}", self.text());
            line
        })
    }

    /// Waits until the admin server listens.
    #[track_caller]
    pub(crate) fn wait_until_listening(&self) {
        self.wait_for_line("admin server listening");
    }

    /// Whether it has closed its standard error, as it does when it ends.
    fn is_over(&self) -> bool {
        self.written.lock().unwrap().is_over
    }

    /// Where its admin server listens.
    pub(crate) fn admin(&self) -> SocketAddr {
        let line = self.line("admin server listening").unwrap();
        field(&line, "admin.address").and_then(Value::as_str).unwrap().parse().unwrap()
    }

    /// Asks its admin server; status and body.
    pub(crate) fn ask(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.admin()).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }

    /// A metric's value now; 0 if it is not there. `labels` as written: `outcome="failed"`.
    pub(crate) fn metric(&self, name: &str, labels: &str) -> f64 {
        let (_, text) = self.ask("/metrics").unwrap_or_default();
        let series =
            if labels.is_empty() { name.to_owned() } else { format!("{name}{{{labels}}}") };
        let value = text.lines().find_map(|line| line.strip_prefix(&format!("{series} ")));
        value.and_then(|value| value.split(' ').next()?.parse().ok()).unwrap_or_default()
    }

    /// Waits until a metric is at least so large.
    #[track_caller]
    pub(crate) fn wait_for_metric(&self, name: &str, labels: &str, least: f64) {
        super::wait_until(format!("{name}{{{labels}}} >= {least}"), || {
            assert!(!self.is_over(), "ended instead:\n{}", self.text());
            self.metric(name, labels) >= least
        });
    }

    /// The most memory it ever had in use, in bytes, as the kernel counts it.
    pub(crate) fn memory_peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Sends it a signal: "TERM", "INT", "HUP".
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// Waits until it ends, however it does, and everything it wrote is here.
    #[track_caller]
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        let status = eventually("the end of the daemon", || self.child.try_wait().unwrap());
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status
    }

    /// Waits until it is stopped by an armed fault point.
    #[track_caller]
    pub(crate) fn wait_until_stopped(&self) {
        let stat = format!("/proc/{}/stat", self.id());
        super::wait_until("the daemon to be stopped", || {
            // "id (name) T …": the state follows the name, which may hold anything.
            let stat = std::fs::read_to_string(&stat).unwrap();
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
        });
    }

    /// Waits until it is killed by an armed fault point.
    #[track_caller]
    pub(crate) fn wait_for_death(&mut self) {
        use std::os::unix::process::ExitStatusExt;
        let status = self.wait_for_end();
        assert_eq!(status.signal(), Some(9), "ended by itself, {status}:\n{}", self.text());
    }

    /// Asks it to stop, and expects it to with exit code 0.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = self.wait_for_end();
        assert!(status.success(), "stopped with {status}:\n{}", self.text());
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Daemon {
    #[expect(clippy::print_stderr, reason = "the harness shows it with the failure, and only then")]
    fn drop(&mut self) {
        // Fails if it has ended, which is as well.
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
        if std::thread::panicking() {
            eprintln!("--- the daemon wrote:\n{}", self.text());
        }
    }
}

/// The message of a log line.
fn message_of(line: &Value) -> Option<&str> {
    field(line, "message").and_then(Value::as_str)
}

/// A field of a log line, wherever the format nests fields.
pub(crate) fn field<'a>(line: &'a Value, name: &str) -> Option<&'a Value> {
    line.get(name).or_else(|| line.get("fields")?.get(name))
}
