//! Asks the running daemon, at its admin address: for commands that show how it stands.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

use crate::config::{self, Config};

/// How long the daemon may take to answer: its admin server has a thread of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a stream of events may be silent before it counts as broken.
const STREAM_PATIENCE: Duration = Duration::from_secs(90);

/// More than its longest event.
const EVENT_BYTES_MAX: u64 = 64 * 1024;

/// More than its longest answer: 500 feeds of some hundred bytes each.
const ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Where a daemon answers, and what opens its page and API.
#[derive(Clone, Debug)]
pub(super) struct Daemon {
    address: SocketAddr,
    /// The value of the header `Authorization`, if there is a token.
    authorization: Option<String>,
}

/// What it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Daemon {
    /// The daemon that runs with a configuration.
    ///
    /// # Errors
    /// The configuration is wrong, or says that nobody answers.
    pub(super) fn configured(config: Option<&Path>) -> anyhow::Result<Self> {
        let config = config::load(config)?;
        let Some(listen) = config.admin_listen else {
            bail!("admin.listen is \"off\", so nobody answers; give it an address");
        };
        if listen.port() == 0 {
            bail!("admin.listen has port 0, which is any free one; give it a number");
        }
        Ok(Self { address: reached_at(listen), authorization: authorization(&config)? })
    }

    /// Where it is asked.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a path is answered with.
    ///
    /// # Errors
    /// Nobody answers there, or it is no HTTP server.
    pub(super) fn ask(&self, path: &str) -> anyhow::Result<Answer> {
        let answer = self.exchange(path);
        answer.with_context(|| format!("no daemon answers at admin.listen {}", self.address))
    }

    /// What a path of the API is answered with.
    ///
    /// # Errors
    /// Nobody answers, it lets nobody in, or it answers with something else.
    pub(super) fn ask_api<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let Answer { status, text } = self.ask(path)?;
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

    /// Hands over the data of each server-sent event of a path, until the connection ends or nobody
    /// takes them any more.
    ///
    /// # Errors
    /// Nobody answers, or the connection breaks.
    pub(super) fn follow(
        &self,
        path: &str,
        mut take: impl FnMut(&str) -> ControlFlow<()>,
    ) -> std::io::Result<()> {
        // In HTTP/1.0 a stream comes as it is, and not in chunks.
        let mut stream = self.asked(path, "HTTP/1.0")?;
        // The server ends a stream within a minute, silent or not.
        stream.set_read_timeout(Some(STREAM_PATIENCE))?;
        let mut lines = BufReader::new(&mut stream);
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

    /// A connection on which a path was asked for.
    fn asked(&self, path: &str, version: &str) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let authorization = self.authorization.as_ref();
        let authorization =
            authorization.map_or_else(String::new, |value| format!("Authorization: {value}\r\n"));
        let question = format!(
            "GET {path} {version}\r\nHost: localhost\r\n{authorization}Connection: close\r\n\r\n"
        );
        stream.write_all(question.as_bytes())?;
        Ok(stream)
    }

    fn exchange(&self, path: &str) -> std::io::Result<Answer> {
        let stream = self.asked(path, "HTTP/1.1")?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let text = answer.split_once("\r\n\r\n").map(|(_, text)| text.to_owned());
        let (status, text) = status
            .zip(text)
            .ok_or_else(|| std::io::Error::other("what answers is no HTTP server"))?;
        Ok(Answer { status, text })
    }
}

/// The header that opens the API. The configuration keeps a digest only, so the file is read again.
fn authorization(config: &Config) -> anyhow::Result<Option<String>> {
    let Some(path) = &config.admin_token_file else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("admin.token_file {} cannot be read", path.display()))?;
    Ok(Some(format!("Bearer {}", text.trim())))
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
