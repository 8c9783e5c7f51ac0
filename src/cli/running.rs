//! The running daemon, as commands ask it: over its admin server, at the configured address.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::admin::RELOAD_PATH;
use crate::config::Config;
use crate::pipeline::READING_MAX;

/// How long the daemon may take to answer: its admin server has a thread of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than its longest answer to a command.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Where the daemon is asked.
#[derive(Debug)]
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

    /// Asks for a path.
    ///
    /// # Errors
    /// Nobody answers.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask("GET", path, "", PATIENCE)
    }

    /// Asks the daemon to read its configuration anew, and waits for what comes of it.
    ///
    /// # Errors
    /// Nobody answers, or the token cannot be read.
    pub(super) fn reload(&self) -> anyhow::Result<Answer> {
        let authorization = match &self.token_file {
            Some(path) => {
                let token = std::fs::read_to_string(path);
                let token =
                    token.with_context(|| format!("could not read \"{}\"", path.display()))?;
                format!("Authorization: Bearer {}\r\n", token.trim())
            }
            None => String::new(),
        };
        // It gives up reading before we give up waiting.
        self.ask("POST", RELOAD_PATH, &authorization, PATIENCE + READING_MAX * 2)
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
            .with_context(|| format!("no daemon answers at admin.listen {address}"))
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        patience: Duration,
    ) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let question = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n{headers}\
             Connection: close\r\n\r\n"
        );
        stream.write_all(question.as_bytes())?;
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
