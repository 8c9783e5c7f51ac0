//! What the writer is told, and how long it waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use cw_model::Outcome;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use crate::ledger::CommitError;

/// An outcome to be committed, and who waits for it.
#[derive(Debug)]
pub(super) struct WriterJob {
    /// What to commit.
    pub(super) outcome: Arc<Outcome>,
    /// Told once it is durable, or why it is not.
    pub(super) reply: oneshot::Sender<Result<(), CommitError>>,
    /// Its place in the queue, given back when it is taken.
    pub(super) place: OwnedSemaphorePermit,
}

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Message {
    /// An outcome is to be committed.
    Commit(WriterJob),
    /// Somebody waits for a place that outcomes hold: nothing is gathered now.
    Hurry,
}

/// What the writer gets to do.
pub(super) enum Heard {
    /// To commit this, sooner or later.
    Job(WriterJob),
    /// To commit what it has gathered.
    Hurry,
    /// The time is over, and nobody has said anything.
    Nothing,
    /// Nobody can say anything any more, and nothing waits.
    End,
}

/// The writer's end.
#[derive(Debug)]
pub(super) struct Queue {
    messages: Receiver<Message>,
    is_hurried: Arc<AtomicBool>,
    is_draining: Arc<AtomicBool>,
}

impl Queue {
    pub(super) fn new(
        messages: Receiver<Message>,
        is_hurried: Arc<AtomicBool>,
        is_draining: Arc<AtomicBool>,
    ) -> Self {
        Self { messages, is_hurried, is_draining }
    }

    /// Whether what has been gathered waits for more.
    pub(super) fn gathers(&self) -> bool {
        !self.is_draining.load(Ordering::SeqCst)
    }

    /// What is there, or comes until then; without a time, whatever comes next.
    pub(super) fn next(&self, until: Option<Instant>) -> Heard {
        let message = match until {
            Some(at) => self.messages.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => self.messages.recv().map_err(|_ended| RecvTimeoutError::Disconnected),
        };
        match message {
            Ok(Message::Commit(job)) => Heard::Job(job),
            Ok(Message::Hurry) => {
                self.is_hurried.store(false, Ordering::SeqCst);
                Heard::Hurry
            }
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
            Err(RecvTimeoutError::Disconnected) => Heard::End,
        }
    }
}
