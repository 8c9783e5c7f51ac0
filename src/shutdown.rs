//! Signals: the first SIGTERM or SIGINT asks for a drain, the second ends at once; SIGHUP asks for
//! a reload.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::reload::Reloader;

/// The exit code of a process that a signal ended: 128 and the signal's number.
const ENDED_BY_SIGNAL: i32 = 128;

/// The signals this process listens for, from the moment this is built.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Starts listening.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Turns signals into requests, for as long as the process lives.
    pub async fn pass_on(mut self, stop: CancellationToken, reloader: Reloader) {
        loop {
            let (name, number) = tokio::select! {
                _ = self.terminate.recv() => ("SIGTERM", 15),
                _ = self.interrupt.recv() => ("SIGINT", 2),
                _ = self.hang_up.recv() => {
                    info!(process.signal = "SIGHUP", "reload asked for");
                    reloader.ask();
                    continue;
                }
            };
            if stop.is_cancelled() {
                warn!(process.signal = name, "second signal, ending at once");
                end_at_once(ENDED_BY_SIGNAL + number);
            }
            info!(process.signal = name, "stopping");
            stop.cancel();
        }
    }
}

/// Ends the process without draining; whatever was not committed is polled again.
#[expect(clippy::exit, reason = "a second signal asks for exactly this")]
fn end_at_once(code: i32) -> ! {
    std::process::exit(code)
}
