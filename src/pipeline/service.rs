//! What systemd is told: ready, status, reloading, stopping, and that we are alive.
//!
//! Without `NOTIFY_SOCKET` all of it is nothing. The watchdog is fed by the scheduler's own loop,
//! so a loop that hangs is noticed.

use std::time::Duration;

use cw_status::shown::shown;
use sd_notify::NotifyState;
use tokio::time::Instant;
use tracing::debug;

/// The line to the service manager.
#[derive(Debug)]
pub(super) struct Service {
    watchdog: Option<Duration>,
    fed_at: Instant,
    status: String,
}

impl Service {
    pub(super) fn new() -> Self {
        Self {
            watchdog: sd_notify::watchdog_enabled(),
            fed_at: Instant::now(),
            status: String::new(),
        }
    }

    pub(super) fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    /// A reload has begun; [`Service::ready`] ends it.
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(_) => tell(&[NotifyState::Reloading]),
        }
    }

    /// A stop has begun. What was said of feeds before is not so any more: nobody polls.
    pub(super) fn stopping(&mut self) {
        tell(&[NotifyState::Stopping]);
        self.tell_status("stopping; nothing is polled".to_owned());
    }

    /// Tells the status if it changed.
    pub(super) fn tell_status(&mut self, status: String) {
        if status != self.status {
            // A line of its own would be another message to the service manager.
            tell(&[NotifyState::Status(&shown(&status))]);
            self.status = status;
        }
    }

    /// Feeds the watchdog when half its time is over.
    pub(super) fn feed_watchdog(&mut self) {
        if self.watchdog.is_some_and(|limit| self.fed_at.elapsed() >= limit / 2) {
            tell(&[NotifyState::Watchdog]);
            self.fed_at = Instant::now();
        }
    }

    /// How often [`Service::feed_watchdog`] must be called at least.
    pub(super) fn turn_interval(&self) -> Duration {
        // A quarter: a turn that comes a little late still feeds the watchdog in time.
        let quarter = self.watchdog.map_or(Duration::from_secs(1), |limit| limit / 4);
        quarter.min(Duration::from_secs(1))
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        debug!(error = %error, "could not tell the service manager");
    }
}
