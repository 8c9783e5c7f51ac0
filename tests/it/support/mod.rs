//! What the tests stand on: a scripted publisher, the real daemon, real Kafka, readers of both
//! ledgers.
//!
//! Nothing here sleeps. A test waits for a condition with [`eventually`], which looks again
//! whenever a request was served or a log line written, and at the latest after [`TICK`], for
//! what announces itself by neither (rows, metrics).

pub(crate) mod audit;
pub(crate) mod broker;
pub(crate) mod cage;
#[cfg(feature = "otlp")]
pub(crate) mod collector;
pub(crate) mod daemon;
pub(crate) mod faithful;
pub(crate) mod growing;
pub(crate) mod hub;
pub(crate) mod later;
pub(crate) mod ledger;
pub(crate) mod lying_broker;
pub(crate) mod node;
pub(crate) mod proxy;
pub(crate) mod publisher;
pub(crate) mod run;
pub(crate) mod secured;
pub(crate) mod topic_ledger;
pub(crate) mod topics;
mod tests;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use tokio::time::Instant;

/// How long a test waits for any one condition before it fails. Only a failure ever takes it, so it
/// is long: a machine that does ten other things at once is slow, not wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// How often a condition is looked at that announces no change.
const TICK: Duration = Duration::from_millis(25);

/// Rung whenever something happened that a test may be waiting for.
static BELL: (Mutex<u64>, Condvar) = (Mutex::new(0), Condvar::new());

/// Says that something happened.
pub(crate) fn ring() {
    *BELL.0.lock().unwrap() += 1;
    BELL.1.notify_all();
}

/// Waits until `condition` has a value, and returns it.
///
/// # Panics
/// After [`PATIENCE`], with `what`.
#[track_caller]
pub(crate) fn eventually<T>(what: impl Debug, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rung = *BELL.0.lock().unwrap();
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for {what:?}");
        let guard = BELL.0.lock().unwrap();
        drop(BELL.1.wait_timeout_while(guard, TICK, |now| *now == rung).unwrap());
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// After [`PATIENCE`], with `what`.
#[track_caller]
pub(crate) fn wait_until(what: impl Debug, mut condition: impl FnMut() -> bool) {
    eventually(what, || condition().then_some(()));
}

/// How often a test that kills something kills it: once, unless the environment asks for more.
pub(crate) fn rounds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "asks for the tests, not for the program")]
    let rounds = std::env::var("CONFLICTWIRE_TEST_ROUNDS");
    rounds.map_or(1, |rounds| rounds.parse().unwrap())
}

/// How long a test that looks on for a while does: a minute, unless the environment asks for more.
pub(crate) fn minutes() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "asks for the tests, not for the program")]
    let minutes = std::env::var("CONFLICTWIRE_TEST_MINUTES");
    minutes.map_or(1, |minutes| minutes.parse().unwrap())
}

/// The daemon that is measured: the one under test, unless the environment names one that is built as
/// it is released.
pub(crate) fn measured_binary() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "asks for the tests, not for the program")]
    let named = std::env::var("CONFLICTWIRE_TEST_BINARY");
    named.map_or(daemon::BINARY.into(), |named| project().join(named))
}

/// The project's own folder.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder of the project with this extension, sorted.
pub(crate) fn files_below(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![project().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Settings of every snapshot: in `tests/snapshots`, named for the test alone.
pub(crate) fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(project().join("tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}
