//! What systemd is told: ready, status, reloading, stopping, and that we are alive.
//!
//! Without `NOTIFY_SOCKET` all of it is nothing. The watchdog is fed by the scheduler's own loop,
//! so a loop that hangs is noticed.

use std::time::Duration;

use cw_status::Unready;
use cw_status::metrics::FeedCounts;
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

/// What became of the configuration that was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastRead {
    /// It is in use.
    InUse,
    /// It has mistakes, and an older one is in use.
    Refused,
}

/// How many feeds stand how, why the daemon is not ready, and that it runs with an older configuration
/// than was read last.
pub(super) fn status_text(
    counts: FeedCounts,
    unready: Option<&Unready>,
    last_read: LastRead,
) -> String {
    let standing = [
        (counts.fine, "fine"),
        (counts.failing, "failing"),
        (counts.crashed, "put off"),
        (counts.gone, "withdrawn"),
        (counts.new, "not polled yet"),
    ];
    let feeds: usize = standing.iter().map(|(count, _)| count).sum();
    let parts: Vec<String> = standing
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, how)| format!("{count} {how}"))
        .collect();
    let mut text = match feeds {
        0 => "no feed is in a lane of this process".to_owned(),
        1 => format!("1 feed: {}", parts.join(", ")),
        feeds => format!("{feeds} feeds: {}", parts.join(", ")),
    };
    if let Some(why) = unready {
        text.push_str(&format!("; {}", why.text()));
    }
    if last_read == LastRead::Refused {
        text.push_str("; the configuration that was read last is refused, an older one is in use");
    }
    text
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        debug!(error = %error, "could not tell the service manager");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_leaves_no_feed_out_and_claims_nothing_of_those_not_polled() {
        let new = FeedCounts { new: 3, due: 3, ..FeedCounts::default() };
        assert_eq!(status_text(new, None, LastRead::InUse), "3 feeds: 3 not polled yet");
        let counts = FeedCounts { due: 1, fine: 9, failing: 2, crashed: 1, gone: 1, new: 0 };
        let starting = Some(&Unready::Starting);
        assert_eq!(
            status_text(counts, starting, LastRead::Refused),
            "13 feeds: 9 fine, 2 failing, 1 put off, 1 withdrawn; starting; the configuration that was \
             read last is refused, an older one is in use"
        );
        let none = status_text(FeedCounts::default(), None, LastRead::InUse);
        assert_eq!(none, "no feed is in a lane of this process");
    }
}
