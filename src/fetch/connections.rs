//! How many connections there may be, by how many files the system lets us open.
//!
//! Without a bound, the sockets of publishers (kept idle for the next feed of their host) would
//! leave none for the ledger, for the admin server, or for each other. With it, a poll waits for a
//! place, and idle connections make room.

use std::sync::{Arc, Mutex, Weak};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::meter::Meter;
use super::resolver::Resolver;
use super::turns::Turns;

/// The files we want to be able to open. Linux gives 1024 unless asked for more, for the sake of
/// programs that use `select`; this one does not.
const FILES_WANTED: u64 = 8192;

/// More connections than this help nobody: `fetch.concurrency` ends at 1000, and as many again
/// may idle.
const CONNECTIONS_MAX: usize = 2000;

/// Every connection to a publisher, and how many there may be. Clones share one bound.
#[derive(Clone, Debug)]
pub struct Connections {
    places: Arc<Semaphore>,
    most: usize,
    open: Arc<Mutex<Vec<Weak<Meter>>>>,
    /// Name look-ups have a bound too.
    resolver: Arc<Resolver>,
    turns: Arc<Turns>,
}

/// A place among the connections; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _place: Option<OwnedSemaphorePermit>,
}

impl Connections {
    /// As many as fit under the limit of the process, which is raised as far as it may be.
    ///
    /// Half of the files that may be open: the other half is for what a name look-up opens beside
    /// each connection, the ledger, and the admin server.
    pub fn within_limits() -> Self {
        let limit = getrlimit(Resource::Nofile);
        let may_open = limit.current.unwrap_or(FILES_WANTED);
        // Never less than before: an operator may have raised it further than we want.
        let wanted = FILES_WANTED.min(limit.maximum.unwrap_or(FILES_WANTED)).max(may_open);
        let raised = Rlimit { current: Some(wanted), ..limit };
        let files = if setrlimit(Resource::Nofile, raised).is_ok() { wanted } else { may_open };
        Self::at_most(usize::try_from(files / 2).unwrap_or(CONNECTIONS_MAX))
    }

    /// So many, and at least one.
    pub(super) fn at_most(most: usize) -> Self {
        let most = most.clamp(1, CONNECTIONS_MAX);
        let (places, resolver) = (Arc::new(Semaphore::new(most)), Arc::new(Resolver::of_system()));
        Self { places, most, open: Arc::default(), resolver, turns: Arc::default() }
    }

    /// How many there may be at once.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Looks up names for them.
    pub(super) fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    /// Turns at servers that several names share.
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Waits for a place; an idle connection makes room if there is none.
    ///
    /// Cancel safety: dropping it takes no place.
    pub(super) async fn place(&self) -> Slot {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => Ok(place),
            Err(_none) => {
                self.make_room();
                Arc::clone(&self.places).acquire_owned().await
            }
        };
        // The semaphore is never closed.
        Slot { _place: place.ok() }
    }

    /// Knows a connection that holds a place, so that it can make room.
    pub(super) fn know(&self, meter: &Arc<Meter>) {
        if let Ok(mut open) = self.open.lock() {
            // Those that are closed go when the list would grow.
            if open.len() == open.capacity() {
                open.retain(|meter| meter.strong_count() > 0);
            }
            open.push(Arc::downgrade(meter));
        }
    }

    /// An exchange is over. If somebody waits for a place, the connection is not kept.
    pub(super) fn release(&self, meter: &Meter) {
        // Nobody can be asked who waits. With none left somebody probably does, and one more
        // connection to be made is cheap.
        if self.places.available_permits() == 0 {
            meter.evict();
        }
    }

    fn make_room(&self) {
        if let Ok(mut open) = self.open.lock() {
            open.retain(|meter| meter.strong_count() > 0);
            // The oldest first, as they were opened.
            // One that is in use refuses, and the next is asked.
            let _evicted = open.iter().filter_map(Weak::upgrade).any(|meter| meter.evict());
        }
    }
}
