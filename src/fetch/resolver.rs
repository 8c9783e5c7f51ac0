//! Looks up names by the system's resolver, which blocks a thread for as long as it likes.
//!
//! A name whose servers say nothing keeps its thread for half a minute and more, long after the poll that
//! wanted it has ended. So there is a bound on look-ups, far below that on the runtime's threads, and
//! a name that keeps a thread is not asked for again meanwhile.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

/// How many look-ups may be under way: a quarter of the threads that the runtime has for what blocks.
const LOOK_UPS_MAX: usize = 128;

/// How long a name may take. The C library asks a second server after five seconds.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(8);

/// Why a name has no address.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookUpError {
    /// It took too long.
    #[error("the resolver has not answered within {seconds}s")]
    Late {
        /// How long it had.
        seconds: u64,
    },
    /// So many names are being looked up that it was not this one's turn.
    #[error("the resolver of this machine keeps {most} look-ups waiting")]
    Full {
        /// How many there may be.
        most: usize,
    },
    /// What the system said.
    #[error(transparent)]
    System(io::Error),
}

/// What asks for a name's addresses, and blocks.
type Ask = fn(&str) -> io::Result<Vec<IpAddr>>;

/// Looks up names. Shared by all clients of a process.
#[derive(Debug)]
pub(super) struct Resolver {
    ask: Ask,
    timeout: Duration,
    places: Arc<Semaphore>,
    asked: Arc<Mutex<Asked>>,
}

/// Names with look-ups under way.
#[derive(Debug, Default)]
struct Asked(HashMap<String, LookUps>);

/// Those of one name.
#[derive(Debug)]
struct LookUps {
    /// When the first of them began.
    since: Instant,
    count: usize,
}

impl Asked {
    fn begin(&mut self, host: &str) {
        let new = || LookUps { since: Instant::now(), count: 0 };
        self.0.entry(host.to_owned()).or_insert_with(new).count += 1;
    }

    fn end(&mut self, host: &str) {
        if let Some(look_ups) = self.0.get_mut(host) {
            look_ups.count -= 1;
            if look_ups.count == 0 {
                self.0.remove(host);
            }
        }
    }

    /// Whether a look-up is under way that should have ended.
    fn is_late(&self, host: &str, timeout: Duration) -> bool {
        self.0.get(host).is_some_and(|look_ups| look_ups.since.elapsed() >= timeout)
    }
}

impl Resolver {
    /// Asks the system.
    pub(super) fn of_system() -> Self {
        Self::asking(LOOK_UP_TIMEOUT, |host| {
            // Port 0: it is put in when dialled.
            Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
        })
    }

    fn asking(timeout: Duration, ask: Ask) -> Self {
        let places = Arc::new(Semaphore::new(LOOK_UPS_MAX));
        Self { ask, timeout, places, asked: Arc::default() }
    }

    /// The addresses of a name.
    ///
    /// Cancel safety: dropping it leaves the look-up to its thread.
    pub(super) async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, LookUpError> {
        let late = || LookUpError::Late { seconds: self.timeout.as_secs() };
        // Each further look-up of such a name would hold one thread more, for as long.
        if self.asked().is_late(host, self.timeout) {
            return Err(late());
        }
        let places = Arc::clone(&self.places).acquire_owned();
        let Ok(place) = timeout(self.timeout, places).await else {
            return Err(LookUpError::Full { most: LOOK_UPS_MAX });
        };
        self.asked().begin(host);
        let (ask, asked, name) = (self.ask, Arc::clone(&self.asked), host.to_owned());
        // The place goes with the thread and not with the poll: `getaddrinfo` cannot be
        // interrupted, and it is threads that are few.
        let asking = spawn_blocking(move || {
            let found = ask(&name);
            lock(&asked).end(&name);
            drop(place);
            found
        });
        let found = timeout(self.timeout, asking).await.map_err(|_elapsed| late())?;
        found.unwrap_or_else(|panic| Err(io::Error::other(panic))).map_err(LookUpError::System)
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        lock(&self.asked)
    }
}

/// Nobody who holds it can leave it half changed.
fn lock(asked: &Mutex<Asked>) -> MutexGuard<'_, Asked> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Condvar;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Names that are asked for, and whether those that hang may end.
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    static MAY_END: Mutex<bool> = Mutex::new(false);
    static ENDS: Condvar = Condvar::new();

    /// "hangs" answers when it may.
    #[expect(clippy::unnecessary_wraps, reason = "asks as the system does")]
    fn ask(host: &str) -> io::Result<Vec<IpAddr>> {
        if host.starts_with("hangs") {
            ASKED.fetch_add(1, Ordering::SeqCst);
            let may_end = MAY_END.lock().unwrap();
            drop(ENDS.wait_while(may_end, |may_end| !*may_end).unwrap());
        }
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }

    #[tokio::test]
    async fn a_name_that_never_resolves_keeps_one_thread_and_nobody_else() {
        let resolver = Resolver::asking(Duration::from_millis(50), ask);
        for _ in 0..20 {
            let error = resolver.look_up("hangs.example").await.unwrap_err();
            assert!(error.to_string().contains("has not answered"), "{error}");
        }
        assert_eq!(ASKED.load(Ordering::SeqCst), 1);
        assert_eq!(resolver.places.available_permits(), LOOK_UPS_MAX - 1);
        assert_eq!(resolver.look_up("answers.example").await.unwrap().len(), 1);
        *MAY_END.lock().unwrap() = true;
        ENDS.notify_all();
        while !resolver.asked().0.is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(resolver.look_up("hangs.example").await.is_ok());
    }
}
