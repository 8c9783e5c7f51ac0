//! Reads the configuration anew, apart from the scheduler's loop, which turns on meanwhile.

use std::path::Path;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

use super::{BuildError, Tools};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, load};
use crate::fetch::Connections;

/// What reading the configuration anew came to: a configuration and its tools, or problems.
pub(super) type ReadAnew = Result<(Config, Tools), Vec<String>>;

/// Reads the configuration anew, and all that is made of it. Blocks.
pub(super) fn read_anew(path: Option<&Path>, connections: Connections, clock: Clock) -> ReadAnew {
    let config = load(path).and_then(Config::with_feeds).map_err(|ConfigError(problems)| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    })?;
    let tools = Tools::build(&config, connections, clock)
        .map_err(|error: BuildError| vec![cw_status::log::chain(&error)])?;
    Ok((config, tools))
}

/// Whether what changes only at a restart differs.
pub(super) fn needs_restart(old: &Config, new: &Config) -> bool {
    new.ledger != old.ledger
        || new.admin_listen != old.admin_listen
        || new.admin_token != old.admin_token
        || new.log != old.log
        || new.memory != old.memory
}

/// The new configuration, with what changes only at a restart as it was.
pub(super) fn kept(old: &Config, new: Config) -> Config {
    let (ledger, admin_listen, log) = (old.ledger.clone(), old.admin_listen, old.log);
    let (admin_token, memory) = (old.admin_token, old.memory);
    Config { ledger, admin_listen, admin_token, log, memory, ..new }
}

/// What comes of work under way; never, if there is none. Cancel safety: nothing is lost.
pub(super) async fn to_end<T>(work: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

/// The next reload asked for; never, if nobody can ask.
pub(super) async fn next_reload(reloads: &mut Option<mpsc::Receiver<()>>) -> Option<()> {
    match reloads {
        Some(reloads) => reloads.recv().await,
        None => std::future::pending().await,
    }
}
