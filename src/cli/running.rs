//! The running daemon, as commands ask it: over its admin server, at the configured address.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

use crate::admin::RELOAD_PATH;
use crate::config::Config;
use crate::pipeline::READING_MAX;

/// How long the daemon may take to answer: its admin server has a thread of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than its longest answer: 500 feeds of some hundred bytes each.
const ANSWER_BYTES_MAX: u64 = 1 << 22;

/// How long a stream of events may be silent before it counts as broken: the server ends each within a minute.
const STREAM_PATIENCE: Duration = Duration::from_secs(90);

/// More than its longest event.
const EVENT_BYTES_MAX: u64 = 64 * 1024;

/// Where the daemon is asked.
#[derive(Clone, Debug)]
pub(super) struct Running {
    address: SocketAddr,
    /// Holds the token, if one is asked for.
    token_file: Option<PathBuf>,
}

/// What it answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// Of HTTP.
    pub(super) status: u16,
    /// The body.
    pub(super) text: String,
}

impl Running {
    /// The daemon of this configuration.
    ///
    /// # Errors
    /// The configuration says that nobody answers, or not where.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let Some(listen) = config.admin_listen else {
            bail!("admin.listen is \"off\", so nobody answers; give it an address");
        };
        if listen.port() == 0 {
            bail!("admin.listen has port 0, which is any free one; give it a number");
        }
        let token_file = config.admin_token_file.clone();
        Ok(Self { address: reached_at(listen), token_file })
    }

    /// Where it is asked.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks for a path that is open to all.
    ///
    /// # Errors
    /// Nobody answers.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask("GET", path, "", PATIENCE)
    }

    /// Asks for a path of the API.
    ///
    /// # Errors
    /// Nobody answers, it lets nobody in, or it answers with something else; the token cannot be read.
    pub(super) fn api<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let Answer { status, text } = self.ask("GET", path, &self.authorization()?, PATIENCE)?;
        match status {
            200 => serde_json::from_str(&text)
                .with_context(|| format!("{path} of {} is another version's", self.address)),
            401 | 403 => bail!(
                "the daemon at {} wants the token that its admin.token_file holds; this \
                 configuration names another, or none",
                self.address
            ),
            status => bail!("the daemon at {} answers {path} with {status}", self.address),
        }
    }

    /// Hands over the data of each server-sent event of a path, until the connection ends or nobody takes them any
    /// more.
    ///
    /// # Errors
    /// Nobody answers, the connection breaks, or the token cannot be read.
    pub(super) fn follow(
        &self,
        path: &str,
        mut take: impl FnMut(&str) -> ControlFlow<()>,
    ) -> anyhow::Result<()> {
        // In HTTP/1.0 a stream comes as it is, and not in chunks.
        let first = format!("GET {path} HTTP/1.0");
        let stream = self.asked(&first, &self.authorization()?, STREAM_PATIENCE)?;
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        while lines.by_ref().take(EVENT_BYTES_MAX).read_line(&mut line)? > 0 {
            if let Some(data) = line.strip_prefix("data: ")
                && take(data.trim_end()).is_break()
            {
                break;
            }
            line.clear();
        }
        Ok(())
    }

    /// Asks the daemon to read its configuration anew, and waits for what comes of it.
    ///
    /// # Errors
    /// Nobody answers, or the token cannot be read.
    pub(super) fn reload(&self) -> anyhow::Result<Answer> {
        // It gives up reading before we give up waiting.
        self.ask("POST", RELOAD_PATH, &self.authorization()?, PATIENCE + READING_MAX * 2)
    }

    /// The header line that opens the API. The configuration keeps a digest only, so the file is read again.
    fn authorization(&self) -> anyhow::Result<String> {
        let Some(path) = &self.token_file else { return Ok(String::new()) };
        let token = std::fs::read_to_string(path);
        let token = token.with_context(|| format!("could not read \"{}\"", path.display()))?;
        Ok(format!("Authorization: Bearer {}\r\n", token.trim()))
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        patience: Duration,
    ) -> anyhow::Result<Answer> {
        let address = self.address;
        self.exchange(method, path, headers, patience)
            .with_context(|| {
                format!(
                    "no daemon answers at admin.listen {address}; start one with `conflictwire run`, or name \
                     the configuration of the one that runs with --config"
                )
            })
    }

    /// A connection on which something was asked, which answers within `patience`.
    fn asked(&self, first: &str, headers: &str, patience: Duration) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let question = format!(
            "{first}\r\nHost: localhost\r\nContent-Length: 0\r\n{headers}Connection: close\r\n\r\n"
        );
        stream.write_all(question.as_bytes())?;
        Ok(stream)
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        patience: Duration,
    ) -> std::io::Result<Answer> {
        let stream = self.asked(&format!("{method} {path} HTTP/1.1"), headers, patience)?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let text = answer.split_once("\r\n\r\n").map(|(_, text)| text.to_owned());
        let read = status.zip(text).map(|(status, text)| Answer { status, text });
        read.ok_or_else(|| std::io::Error::other("what answers is no HTTP server"))
    }
}

/// Where a listener is reached from its own machine.
fn reached_at(listen: SocketAddr) -> SocketAddr {
    let address = match listen.ip() {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(address, listen.port())
}
