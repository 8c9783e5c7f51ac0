//! Asks the daemon whether it is well, where there is no other client: in a container, from a timer.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use cw_status::shown::shown;

use super::Exit;
use crate::config;

/// How long the daemon may take to answer: its admin server has a thread of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than its longest answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Asks the running daemon whether it is ready.
#[derive(Debug, clap::Args)]
pub struct HealthcheckArgs {
    /// Ask whether it is alive instead: that is what a restart mends
    #[arg(long)]
    live: bool,
}

/// Runs the command.
///
/// # Errors
/// Nobody answers at the configured address, or none is configured.
pub fn run(args: &HealthcheckArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let config = config::load(config)?;
    let Some(listen) = config.admin_listen else {
        bail!("admin.listen is \"off\", so nobody answers; give it an address");
    };
    if listen.port() == 0 {
        bail!("admin.listen has port 0, which is any free one; give it a number");
    }
    let (status, text) = ask(reached_at(listen), if args.live { "/livez" } else { "/readyz" })
        .with_context(|| format!("no daemon answers at admin.listen {listen}"))?;
    writeln!(anstream::stdout(), "{}", shown(text.trim()))?;
    Ok(if status == 200 { Exit::Fine } else { Exit::Failed })
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

/// The status and text that a path is answered with.
fn ask(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let question = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let text = answer.split_once("\r\n\r\n").map(|(_, text)| text.to_owned());
    status.zip(text).ok_or_else(|| std::io::Error::other("what answers is no HTTP server"))
}
