//! Requests to read the configuration anew, and what came of each.
//!
//! Signals, the admin server and whoever watches the files ask; the scheduler answers. Requests that come
//! while one is being worked on are answered together, by what was read after they came.

use tokio::sync::{mpsc, oneshot};

/// How many requests may wait to be taken note of. One reading answers all that wait.
const REQUESTS_MAX: usize = 16;

/// What a reload came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// The new configuration is in use.
    Accepted {
        /// How many feeds there are now.
        feeds: usize,
        /// Of them, those that were not there before.
        added: usize,
        /// Those that are no longer there.
        removed: usize,
    },
    /// It has these mistakes, and the old one stays in use.
    Refused(Vec<String>),
}

/// Somebody wants the configuration to be read anew.
#[derive(Debug)]
pub struct ReloadRequest {
    /// Who is told what came of it; `None` if nobody waits.
    pub answer: Option<oneshot::Sender<Reloaded>>,
}

/// Asks for reloads.
#[derive(Clone, Debug)]
pub struct Reloader(mpsc::Sender<ReloadRequest>);

impl Reloader {
    /// Asks for reloads that go to this receiver.
    pub fn new() -> (Self, mpsc::Receiver<ReloadRequest>) {
        let (sender, receiver) = mpsc::channel(REQUESTS_MAX);
        (Self(sender), receiver)
    }

    /// Asks for a reload and waits for nothing.
    pub fn ask(&self) {
        // If so many wait, one of them will read the newest files.
        let _waiting = self.0.try_send(ReloadRequest { answer: None });
    }

    /// Asks for a reload and waits for what comes of it; `None` if the daemon ends first.
    pub async fn ask_and_wait(&self) -> Option<Reloaded> {
        let (answer, answered) = oneshot::channel();
        self.0.send(ReloadRequest { answer: Some(answer) }).await.ok()?;
        answered.await.ok()
    }
}
