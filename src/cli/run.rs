//! Runs the daemon until a signal ends it.

use std::path::Path;

use anyhow::Context;
use cw_status::log;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Exit;
use crate::clock::Clock;
use crate::config::{Config, load, log_settings};
use crate::ledger::CommitError;
use crate::pipeline::{Daemon, Drained, RunError};
use crate::reload::Reloader;
use crate::shutdown::Signals;

/// Polls the configured feeds and commits what they say, until SIGTERM or SIGINT. A second signal
/// ends at once; SIGHUP reads the configuration anew.
#[derive(Debug, clap::Args)]
pub struct RunArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &RunArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let path = config;
    let config = load(path).and_then(Config::with_feeds);
    // A configuration with mistakes says all the same how lines are to look.
    log::install(&config.as_ref().map_or_else(|_| log_settings(path), |config| config.log));
    log::log_panics();
    let config = config?;
    info!(service.version = env!("CARGO_PKG_VERSION"), "conflictwire starts");
    if let Some(path) = &config.path {
        info!(config.path = %path.display(), "configuration read");
    }
    let runtime = super::runtime().context("could not start the runtime")?;
    let ended = runtime.block_on(Box::pin(serve(config)));
    // Dropping it would wait for work that nobody can stop, a file or a disk that does not answer,
    // past the deadline of the drain.
    runtime.shutdown_background();
    ended
}

async fn serve(config: Config) -> anyhow::Result<Exit> {
    let stop = CancellationToken::new();
    let (reloader, reloads) = Reloader::new();
    // Before anything else: a signal during start-up must not kill a migration half-way.
    let signals = Signals::listen().context("could not listen for signals")?;
    let daemon = tokio::task::spawn_blocking(move || Daemon::build(config, Clock::System, None))
        .await
        .context("the daemon could not be built")??;
    let mut passing = tokio::task::JoinSet::new();
    passing.spawn(signals.pass_on(stop.clone(), reloader.clone()));
    let drained = match daemon.reload_on(reloader, reloads).run(stop).await {
        Err(RunError::Ledger(CommitError::Misconfigured(text))) => {
            error!(error = text, "the configuration and Kafka do not fit; no restart will mend it");
            return Ok(Exit::Config);
        }
        ended => ended?,
    };
    match drained {
        Drained::Clean => Ok(Exit::Fine),
        Drained::CutOff { still_running } => {
            warn!(
                drain.unfinished = still_running.join(", "),
                "the drain passed run.drain_timeout; what was not committed is polled again"
            );
            Ok(Exit::Failed)
        }
    }
}
