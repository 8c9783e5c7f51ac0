//! Shows the whole pipeline on bundled feeds: real HTTP on loopback, the real daemon, a real ledger.
//!
//! Which feeds, and what each must come to, is `demo::script`; how it is printed is `report`'s.

mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use cw_model::Outcome;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::report::{Report, Run};
use super::Exit;
use super::show::{Medium, Style};
use crate::clock::Clock;
use crate::demo::progress::AllProgress;
use crate::demo::script::{FEEDS, PAGES};
use crate::demo::{server, settings};
use crate::pipeline::Daemon;

/// Longer than every feed needs many times over; a demo that takes longer is broken.
const LIMIT_MAX: Duration = Duration::from_secs(60);

/// Outcomes that may wait to be printed; commits wait when it is full.
const WAITING_MAX: usize = 64;

/// How long each record stands before the next on a terminal, so that an eye can follow.
const PACE: Duration = Duration::from_millis(60);

/// Polls bundled feeds, served over real HTTP on loopback by a server that misbehaves as servers
/// do, through the same pipeline as `run` into a SQLite ledger that is kept. Ends when every feed
/// has shown what it is there to show; exit code 1 if one has not.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// The longest it may take, at most 60s
    #[arg(long = "for", value_name = "TIME", default_value = "20s", value_parser = read_limit)]
    pub limit: Duration,
    /// The directory to keep the ledger in, new or empty [default: a new temporary one]
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &DemoArgs) -> anyhow::Result<Exit> {
    let folder = ledger_folder(args.keep.as_deref())?;
    let runtime = super::runtime().context("could not start the runtime")?;
    runtime.block_on(Box::pin(show(&folder, args.limit)))
}

async fn show(folder: &Path, limit: Duration) -> anyhow::Result<Exit> {
    let server = server::bind(PAGES).context("could not listen on 127.0.0.1")?;
    let (port, log) = (server.address().port(), server.log());
    let config = settings::config(folder, port);
    let (observer, mut outcomes) = mpsc::channel(WAITING_MAX);
    let build = move || Daemon::build(config, Clock::System, Some(observer));
    let daemon = tokio::task::spawn_blocking(build).await.context("nothing was built")??;

    let mut report = Report::new(anstream::stdout(), Style::terminal());
    report.begin(FEEDS.len(), port)?;
    let started = Instant::now();
    let (stop, stop_server) = (CancellationToken::new(), CancellationToken::new());
    let mut serving = JoinSet::new();
    serving.spawn(server.serve(stop_server.clone()));
    let mut polling = JoinSet::new();
    polling.spawn(Box::pin(daemon.run(stop.clone())));

    let progress = watch(&mut outcomes, &stop, started + limit, &mut report).await;
    let took = started.elapsed();
    // Also when printing did not work: the ledger is closed in order whatever the reader does.
    stop.cancel();
    drop(outcomes);
    while let Some(ended) = polling.join_next().await {
        ended.context("the daemon ended by a defect of conflictwire")??;
    }
    stop_server.cancel();
    while let Some(ended) = serving.join_next().await {
        ended.context("the server of the demo ended by a defect of conflictwire")??;
    }

    let progress = progress?;
    let ledger = folder.join(settings::LEDGER);
    report.end(&Run { progress: &progress, requests: &log.exchanges(), took, ledger: &ledger })?;
    Ok(if progress.is_complete() { Exit::Fine } else { Exit::Failed })
}

/// Prints what is committed until every feed has shown all, time is up, or somebody presses
/// Ctrl-C; then what the daemon still commits while it drains.
async fn watch<W: std::io::Write>(
    outcomes: &mut mpsc::Receiver<Arc<Outcome>>,
    stop: &CancellationToken,
    deadline: Instant,
    report: &mut Report<W>,
) -> std::io::Result<AllProgress> {
    let mut progress = AllProgress::default();
    let pressed = tokio::signal::ctrl_c();
    tokio::pin!(pressed);
    loop {
        let outcome = tokio::select! {
            outcome = outcomes.recv() => outcome,
            () = sleep_until(deadline), if !stop.is_cancelled() => {
                stop.cancel();
                continue;
            }
            _pressed = &mut pressed, if !stop.is_cancelled() => {
                stop.cancel();
                continue;
            }
        };
        let Some(outcome) = outcome else { return Ok(progress) };
        let polls = progress.observe(&outcome).polls;
        report.outcome(&outcome, polls)?;
        if matches!(report.medium(), Medium::Terminal { .. }) && !stop.is_cancelled() {
            let records = u32::try_from(outcome.records.len()).unwrap_or(u32::MAX);
            sleep(PACE.saturating_mul(records)).await;
        }
        if progress.is_complete() {
            stop.cancel();
        }
    }
}

/// Where the ledger goes. A ledger of an earlier demo would know every article already.
fn ledger_folder(keep: Option<&Path>) -> anyhow::Result<PathBuf> {
    let Some(folder) = keep else {
        let folder = tempfile::Builder::new()
            .prefix("conflictwire-demo-")
            .tempdir()
            .context("could not make a temporary directory; name one with --keep")?;
        return Ok(folder.keep());
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("could not make the directory \"{}\"", folder.display()))?;
    if folder.join(settings::LEDGER).exists() {
        bail!(
            "--keep \"{}\" holds the ledger of an earlier demo, which knows every article already; \
             name another directory",
            folder.display()
        );
    }
    Ok(folder.to_owned())
}

fn read_limit(text: &str) -> Result<Duration, String> {
    let limit = text
        .parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| "not a time such as \"20s\"".to_owned())?;
    let allowed = Duration::from_secs(1)..=LIMIT_MAX;
    if allowed.contains(&limit) { Ok(limit) } else { Err("allowed are 1s to 60s".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_time_of_one_to_sixty_seconds() {
        assert_eq!(read_limit("20s"), Ok(Duration::from_secs(20)));
        assert_eq!(read_limit("1m"), Ok(LIMIT_MAX));
        for text in ["", "20", "0s", "61s", "-5s", "soon"] {
            assert!(read_limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_with_a_ledger_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ledger_folder(Some(folder.path())).is_ok());
        std::fs::write(folder.path().join(settings::LEDGER), "").unwrap();
        assert!(ledger_folder(Some(folder.path())).is_err());
    }
}
