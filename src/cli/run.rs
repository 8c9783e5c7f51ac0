//! Runs the daemon until a signal ends it.

use std::path::Path;

use anyhow::Context;
use cw_status::{live, log};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Exit;
use crate::clock::Clock;
use crate::config::{Config, ListByUrl, load, log_settings};
use crate::fetch::{Connections, Proxy, SharedProxy};
use crate::ledger::CommitError;
use crate::pipeline::{Daemon, Drained, RunError, fetch_missing};
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
    let runtime = super::runtime().context("could not start the runtime")?;
    let config = with_lists(config?, path, &runtime)?;
    if !log::writes_json() {
        live::begin();
    }
    info!(service.version = env!("CARGO_PKG_VERSION"), "conflictwire starts");
    if let Some(path) = &config.path {
        info!(config.path = %path.display(), "configuration read");
    }
    for warning in &config.warnings {
        warn!(config.problem = %warning, "the configuration is perhaps not what was meant");
    }
    say_what_is_asked_through(&config);
    let ended = runtime.block_on(Box::pin(serve(config)));
    // Dropping it would wait for work that nobody can stop, a file or a disk that does not answer,
    // past the deadline of the drain.
    runtime.shutdown_background();
    live::end();
    ended
}

/// The configuration once its lists of feeds by URL are there: those that were never fetched are fetched now.
fn with_lists(config: Config, path: Option<&Path>, runtime: &Runtime) -> anyhow::Result<Config> {
    let missing: Vec<String> = config.unfetched().map(ListByUrl::shown).collect();
    if missing.is_empty() {
        return Ok(config);
    }
    info!(url.full = missing.join(", "), "fetching the list of feeds for the first time");
    let connections = Connections::within_limits();
    runtime.block_on(fetch_missing(&config, connections, Clock::System))?;
    Ok(load(path)?.with_feeds()?)
}

/// Says which proxies requests go through whose feed does not say.
fn say_what_is_asked_through(config: &Config) {
    let places = match &config.fetch.proxies.shared {
        SharedProxy::Direct => return,
        SharedProxy::One(proxy) => proxy.place(),
        SharedProxy::Environment(variables) => {
            let of = |scheme: &str, proxy: &Option<Proxy>| {
                proxy.as_ref().map(|proxy| format!("{scheme}: {}", proxy.place()))
            };
            let both = [of("http", &variables.http), of("https", &variables.https)];
            both.into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
    };
    info!(proxy.address = places, "requests go through a proxy");
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
