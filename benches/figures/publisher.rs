//! Ten thousand feeds on loopback, under five hundred host names, written when asked for.

use std::collections::HashSet;
use std::net::SocketAddr;

use anyhow::Context;
use conflictwire::publisher::{Log, Reply, Request, Server};
use tokio_util::sync::DropGuard;

use super::corpus;

/// Feeds of one publisher; the daemon is polite by host.
pub(crate) const FEEDS_PER_HOST: u64 = 20;

/// The server of them. Stops when dropped.
pub(crate) struct Publisher {
    pub(crate) address: SocketAddr,
    log: Log,
    _serving: DropGuard,
}

impl Publisher {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let server = Server::bind(answer).context("no port on loopback")?;
        let (address, log) = (server.address(), server.log());
        Ok(Self { address, log, _serving: server.start()? })
    }

    /// How many different feeds have been asked for.
    pub(crate) fn served(&self) -> u64 {
        let complete = self.log.exchanges().into_iter().filter(|exchange| exchange.is_complete);
        complete.map(|exchange| exchange.request.path).collect::<HashSet<_>>().len() as u64
    }

    pub(crate) fn host(feed: u64) -> String {
        format!("paper{}.example", feed / FEEDS_PER_HOST)
    }
}

fn answer(request: &Request) -> Reply {
    let number = request.path.strip_prefix("/feed/").and_then(|number| number.parse().ok());
    let Some(feed) = number else { return Reply::status(404) };
    Reply::feed(corpus::feed(feed).bytes).header("ETag", &format!("\"{feed}\""))
}
