//! How often the group's consumer has been polled, and whether the process slept in between.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::lock;

/// Between two turns of the group's consumer lies this long only if the process slept.
const SLEPT: Duration = Duration::from_secs(4);

/// How long after a sleep the group is given to say that it has gone on without us: a heartbeat and
/// its answer.
const WAKING: Duration = Duration::from_secs(3);

/// The turns of the group's consumer.
#[derive(Debug, Default)]
pub(super) struct GroupTurns {
    count: watch::Sender<u64>,
    sleep: Mutex<Sleep>,
}

/// When the process was last awake, and until when it has only just woken.
#[derive(Debug, Default)]
struct Sleep {
    turned_at: Option<Instant>,
    waking_until: Option<Instant>,
}

impl GroupTurns {
    /// The group's consumer has been polled.
    pub(super) fn turn(&self) {
        let now = Instant::now();
        let mut sleep = lock(&self.sleep);
        // The monotonic clock of Linux stands still while a machine is suspended, but not while its
        // process or its virtual machine is paused.
        if sleep.turned_at.replace(now).is_some_and(|at| now.duration_since(at) >= SLEPT) {
            sleep.waking_until = Some(now + WAKING);
        }
        drop(sleep);
        self.count.send_modify(|turns| *turns += 1);
    }

    /// Until when our lanes may be somebody else's without our having been told.
    pub(super) fn waking_until(&self) -> Option<Instant> {
        lock(&self.sleep).waking_until
    }

    /// The count, to wait for.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }
}
