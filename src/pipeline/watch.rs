//! Looks at the files of the configuration now and then, and asks for a reload when one has changed.
//!
//! By looking and not by events of the file system: those are not sent on network drives and overlays, and
//! not for what lies behind a symbolic link, as in a ConfigMap of Kubernetes. It has a thread of its own, so
//! that a mount that does not answer holds up nothing else; SIGHUP and the admin server ask all the same.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::info;

use crate::config::FilesRead;
use crate::reload::Reloader;

#[derive(Debug)]
struct Watching {
    files: FilesRead,
    /// `None`: nobody looks.
    every: Option<Duration>,
    /// Whether a reload was asked for because of these files.
    is_asked: bool,
    is_over: bool,
}

/// What is looked at. Looking ends when this goes.
#[derive(Debug)]
pub(super) struct Watch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    watching: Mutex<Watching>,
    changed: Condvar,
}

impl Watch {
    /// Begins to look at these files, each time so much has passed.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn begin(
        files: FilesRead,
        every: Option<Duration>,
        reloader: Reloader,
    ) -> io::Result<Self> {
        let watching = Watching { files, every, is_asked: false, is_over: false };
        let shared = Arc::new(Shared { watching: Mutex::new(watching), changed: Condvar::new() });
        let looking = Arc::clone(&shared);
        let look = move || looking.look_until_over(&reloader);
        std::thread::Builder::new().name("watch".to_owned()).spawn(look)?;
        Ok(Self(shared))
    }

    /// Looks at these from now on: what was read last, whatever came of it.
    pub(super) fn set(&self, files: FilesRead) {
        let mut watching = self.0.watching();
        (watching.files, watching.is_asked) = (files, false);
    }

    /// Looks so often from now on.
    pub(super) fn set_every(&self, every: Option<Duration>) {
        self.0.watching().every = every;
        self.0.changed.notify_all();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.watching().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    /// A change that is there at two looks in a row is over: nobody is writing any more.
    fn look_until_over(&self, reloader: &Reloader) {
        let mut before = Vec::new();
        while let Some(files) = self.next_look() {
            let now = files.changed();
            if let Some((path, _)) = now.first()
                && now == before
                && self.begins_to_ask()
            {
                info!(config.path = %path.display(), "the file has changed; reload asked for");
                reloader.ask();
            }
            before = now;
        }
    }

    /// What to look at, once it is time; `None` when it is over.
    fn next_look(&self) -> Option<FilesRead> {
        let mut watching = self.watching();
        loop {
            if watching.is_over {
                return None;
            }
            let Some(every) = watching.every else {
                watching = self.changed.wait(watching).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.changed.wait_timeout(watching, every);
            let (woken, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            watching = woken;
            if waited.timed_out() && !watching.is_over {
                return Some(watching.files.clone());
            }
        }
    }

    /// Whether these files have not been asked for yet; from now on they have.
    fn begins_to_ask(&self) -> bool {
        !std::mem::replace(&mut self.watching().is_asked, true)
    }

    fn watching(&self) -> MutexGuard<'_, Watching> {
        // A thread that panicked here left nothing half done.
        self.watching.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
