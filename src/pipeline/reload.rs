//! Reads the configuration anew, apart from the scheduler's loop, which turns on meanwhile.
//!
//! A file may never end, and a mount may not answer. Then the reading is given up after a while and its
//! thread is left behind; the next one has another.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch as latest};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use super::lists::{Wanted, fetch_missing};
use super::watch::Watch;
use super::{BuildError, Tools};
use crate::admin::SharedToken;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, FilesRead, ListByUrl, load_noting};
use crate::fetch::{Connections, Fetcher};
use crate::reload::{ReloadRequest, Reloaded};

/// How long reading may take: 100,000 feeds and every lexicon take a few seconds on a slow machine.
pub const READING_MAX: Duration = Duration::from_secs(30);

/// How many readings there may be, those that were given up and still hang with them.
const READINGS_MAX: usize = 8;

/// What reading the configuration anew came to: a configuration and its tools, or problems.
pub(super) type ReadAnew = Result<(Config, Tools), Vec<String>>;

/// What a scheduler needs to change its configuration while it runs.
#[derive(Debug)]
pub(super) struct Reloading {
    readings: Readings,
    /// The one under way.
    pub(super) reading: Option<Reading>,
    /// Who waits for one that has not begun.
    waiting: Vec<oneshot::Sender<Reloaded>>,
    /// Who waits for the one under way.
    reading_for: Vec<oneshot::Sender<Reloaded>>,
    /// What looks at the files; `None` if nobody does.
    watch: Option<Watch>,
    /// That of the admin server.
    token: SharedToken,
    /// The lists of feeds that are kept current; `None` if nobody does.
    lists: Option<latest::Sender<Wanted>>,
}

impl Reloading {
    pub(super) fn new(
        watch: Option<Watch>,
        token: SharedToken,
        lists: Option<latest::Sender<Wanted>>,
    ) -> Self {
        let (waiting, reading_for) = (Vec::new(), Vec::new());
        let readings = Readings::new();
        Self { readings, reading: None, waiting, reading_for, watch, token, lists }
    }

    /// Somebody has asked.
    pub(super) fn asked(&mut self, request: ReloadRequest) {
        self.waiting.extend(request.answer);
    }

    /// Begins to read, for all that wait.
    pub(super) fn begin(&mut self, path: Option<PathBuf>, connections: Connections, clock: Clock) {
        self.reading_for.append(&mut self.waiting);
        self.reading = Some(self.readings.begin(path, connections, clock));
    }

    /// The reading has ended, and what it came to is looked at from now on.
    pub(super) fn ended(&mut self, files: FilesRead) {
        self.reading = None;
        if let Some(watch) = &self.watch {
            watch.set(files);
        }
    }

    /// Tells those for whom it was read what came of it.
    pub(super) fn answer(&mut self, reloaded: &Reloaded) {
        for asked in self.reading_for.drain(..) {
            // Whoever left does not wait.
            let _left = asked.send(reloaded.clone());
        }
    }

    /// Keeps the lists of feeds current that this configuration names by URL.
    pub(super) fn follow_lists(&self, config: &Config, fetcher: &Arc<Fetcher>) {
        if let Some(lists) = &self.lists {
            lists.send_replace(Wanted::of(config, fetcher));
        }
    }

    /// Takes into use what of a configuration is not the machine's.
    pub(super) fn apply(&self, config: &Config) {
        self.token.set(config.admin_token);
        if let Some(watch) = &self.watch {
            watch.set_every(config.watch);
        }
    }
}

/// Reads configurations anew.
#[derive(Debug)]
pub(super) struct Readings(Arc<Semaphore>);

/// A configuration that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    /// `None`: too many hang already.
    task: Option<JoinHandle<ReadAnew>>,
    deadline: Instant,
    /// What it has come to.
    files: FilesRead,
}

impl Readings {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(READINGS_MAX)))
    }

    /// Begins to read.
    pub(super) fn begin(
        &self,
        path: Option<PathBuf>,
        connections: Connections,
        clock: Clock,
    ) -> Reading {
        let files = FilesRead::default();
        let noting = files.clone();
        let place = Arc::clone(&self.0).try_acquire_owned().ok();
        let task = place.map(|place| {
            spawn_blocking(move || read_anew(path.as_deref(), &noting, connections, clock, &place))
        });
        Reading { task, deadline: Instant::now() + READING_MAX, files }
    }
}

impl Reading {
    /// Waits for the end, or gives up. Cancel safety: nothing is lost.
    async fn end(&mut self) -> ReadAnew {
        let Some(task) = &mut self.task else {
            return Err(vec![format!(
                "{READINGS_MAX} readings of the configuration hang already, each at a file or mount that \
                 does not answer; mend that, or restart"
            )]);
        };
        match timeout_at(self.deadline, task).await {
            Ok(Ok(read)) => read,
            Ok(Err(panic)) => Err(vec![panic.to_string()]),
            Err(_late) => {
                let what = self.files.unfinished().map_or_else(
                    || "it is too large".to_owned(),
                    |path| format!("\"{}\" does not end or does not answer", path.display()),
                );
                let seconds = READING_MAX.as_secs();
                Err(vec![format!("reading took more than {seconds}s and was given up: {what}")])
            }
        }
    }
}

/// Reads the configuration anew, and all that is made of it. Blocks, and keeps its place as long.
fn read_anew(
    path: Option<&Path>,
    files: &FilesRead,
    connections: Connections,
    clock: Clock,
    _place: &OwnedSemaphorePermit,
) -> ReadAnew {
    let texts = |ConfigError(problems): ConfigError| -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    };
    let mut config = load_noting(path, files).map_err(texts)?;
    let missing = config.unfetched().next().map(ListByUrl::shown);
    if let Some(url) = missing {
        // Named, if that is what does not end.
        let fetch = fetch_missing(&config, connections.clone(), clock);
        let fetched = files.note_other(&url, || Handle::current().block_on(fetch));
        fetched.map_err(|error| vec![error.to_string()])?;
        files.clear();
        config = load_noting(path, files).map_err(texts)?;
    }
    let config = config.with_feeds().map_err(texts)?;
    let tools = Tools::build(&config, connections, clock)
        .map_err(|error: BuildError| vec![cw_status::log::chain(&error)])?;
    Ok((config, tools))
}

/// Whether what changes only at a restart differs.
pub(super) fn needs_restart(old: &Config, new: &Config) -> bool {
    new.ledger != old.ledger
        || new.admin_listen != old.admin_listen
        || new.log != old.log
        || label(new) != label(old)
        || new.traces != old.traces
        || new.memory != old.memory
}

/// The new configuration, with what changes only at a restart as it was.
pub(super) fn kept(old: &Config, new: Config) -> Config {
    let (ledger, admin_listen, log) = (old.ledger.clone(), old.admin_listen, old.log);
    let (websub, traces) = (old.websub.clone(), old.traces.clone());
    Config { ledger, admin_listen, log, memory: old.memory, websub, traces, ..new }
}

/// Where hubs are listened to, and under which callback.
fn label(config: &Config) -> Option<(SocketAddr, String)> {
    config.websub.as_ref().map(|websub| (websub.listen, websub.label()))
}

/// What comes of the reading under way, and which files it came to; never, if there is none. Cancel safety:
/// nothing is lost.
pub(super) async fn to_end(reading: &mut Option<Reading>) -> (ReadAnew, FilesRead) {
    match reading {
        Some(reading) => (reading.end().await, reading.files.clone()),
        None => std::future::pending().await,
    }
}

/// The next reload asked for; never, if nobody can ask.
pub(super) async fn next_reload(
    reloads: &mut Option<mpsc::Receiver<ReloadRequest>>,
) -> Option<ReloadRequest> {
    match reloads {
        Some(reloads) => reloads.recv().await,
        None => std::future::pending().await,
    }
}
