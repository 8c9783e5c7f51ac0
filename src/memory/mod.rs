//! The memory that documents may take, whatever publishers send: `run.memory`.
//!
//! A poll holds part of it from the first large piece of a body until its outcome is committed, and
//! waits where there is none left. What each step takes at most is worked out in [`shares`].

mod body;
pub mod shares;
mod workers;

use std::sync::Arc;

use cw_decide::process::outcome_bytes_max;
use cw_model::Feed;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::body::{BodyHold, Waits};
use self::shares::{Shares, commit_bytes, reading_bytes};
pub use self::workers::READING_STACK_BYTES;
use self::workers::Workers;

/// What semaphores count in: bytes would not fit their numbers.
const UNIT: u64 = 1024;

/// The memory of all polls together. A clone is a handle.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Rooms>);

#[derive(Debug)]
struct Rooms {
    shares: Shares,
    /// Pieces of bodies as they arrive: half of their share.
    wire: Arc<Semaphore>,
    /// The other half, for whoever goes on when the first is full.
    reserve: Arc<Semaphore>,
    decoded: Room,
    /// Decodes what is large, one at a time.
    decoder: Workers,
    small: Desk,
    large: Desk,
    outcomes: Room,
}

/// Where bodies are read: so many at once, in so many bytes.
#[derive(Debug)]
struct Desk {
    places: Arc<Semaphore>,
    workers: Workers,
    room: Room,
}

/// A number of bytes that are held and given back. Whoever waits is served in turn, so that much is
/// never overtaken by little for ever.
#[derive(Debug)]
struct Room {
    units: Arc<Semaphore>,
    bytes: u64,
}

/// Bytes that are held until this is dropped.
#[derive(Debug)]
pub struct Held {
    units: Option<OwnedSemaphorePermit>,
}

impl Rooms {
    /// The largest body that can arrive.
    fn reserve_bytes(&self) -> u64 {
        self.shares.wire / 2
    }
}

impl Held {
    /// Gives back all but so many bytes.
    fn shrink(&mut self, bytes: u64) {
        let Some(units) = &mut self.units else { return };
        let kept = usize::try_from(bytes.div_ceil(UNIT)).unwrap_or(usize::MAX);
        let surplus = units.num_permits().saturating_sub(kept);
        drop(units.split(surplus));
    }

    /// No bytes.
    pub fn nothing() -> Self {
        Self { units: None }
    }
}

/// The right to read a body now.
#[derive(Debug)]
pub struct Place {
    workers: Workers,
    _place: OwnedSemaphorePermit,
    _bytes: Held,
}

impl Place {
    /// Does the reading, on a thread for it; `None` if that panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.workers.run(work).await
    }
}

/// More than there will ever be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "reading a document of {body} bytes may take {needs} bytes of memory, more than the {has} that \
     run.memory gives it"
)]
pub struct NeverFits {
    body: u64,
    needs: u64,
    has: u64,
}

impl Memory {
    /// For so many processors and polls in flight.
    ///
    /// Small bodies and large ones each have places of their own: a large document takes seconds.
    pub fn new(memory: u64, concurrency: usize, processors: usize) -> Self {
        let shares = Shares::of(memory, concurrency);
        let places = processors.max(1);
        Self(Arc::new(Rooms {
            shares,
            wire: Room::new(shares.wire / 2).units,
            reserve: Arc::new(Semaphore::new(1)),
            decoded: Room::new(shares.decoded),
            decoder: Workers::start("decoder", 1),
            small: Desk::new("reader-small", places, shares.small_reading),
            // One less, where there are several: the runtime and small feeds have work too.
            large: Desk::new("reader-large", (places - 1).max(1), shares.large_reading),
            outcomes: Room::new(shares.outcomes),
        }))
    }

    /// What the body of a poll is to hold.
    pub fn body(&self) -> BodyHold {
        BodyHold::new(Some(Arc::clone(&self.0)))
    }

    /// Waits for the right to read a body.
    ///
    /// Cancel safety: dropping it gives up its turn.
    ///
    /// # Errors
    /// [`NeverFits`] if no waiting would help.
    pub async fn place(&self, feed: &Feed, body_bytes: usize) -> Result<Place, NeverFits> {
        let body = u64::try_from(body_bytes).unwrap_or(u64::MAX);
        let rooms = &self.0;
        let needs = reading_bytes(body, outcome_bytes_max(feed, body_bytes));
        let is_small = body <= rooms.shares.small_body && needs <= rooms.small.room.bytes;
        let desk = if is_small { &rooms.small } else { &rooms.large };
        if needs > desk.room.bytes {
            return Err(NeverFits { body, needs, has: desk.room.bytes });
        }
        let place = hold(&desk.places, 1).await;
        let workers = desk.workers.clone();
        Ok(Place { workers, _place: place, _bytes: desk.room.hold(needs).await })
    }

    /// Waits until there is room for an outcome, which is held until its commit. One that is larger
    /// than all of the room waits until it is alone.
    pub async fn outcome(&self, outcome_bytes: u64) -> Held {
        let outcomes = &self.0.outcomes;
        outcomes.hold(commit_bytes(outcome_bytes).min(outcomes.bytes)).await
    }
}

impl Desk {
    fn new(name: &str, places: usize, bytes: u64) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            workers: Workers::start(name, places),
            room: Room::new(bytes),
        }
    }
}

impl Room {
    fn new(bytes: u64) -> Self {
        let units = usize::try_from(bytes / UNIT).unwrap_or(usize::MAX);
        let units = units.min(Semaphore::MAX_PERMITS);
        Self { units: Arc::new(Semaphore::new(units)), bytes }
    }

    /// Waits for so many bytes, which must not be more than there are.
    async fn hold(&self, bytes: u64) -> Held {
        let units = bytes.min(self.bytes) / UNIT;
        match u32::try_from(units) {
            Ok(0) => Held::nothing(),
            Ok(units) => Held { units: Some(hold(&self.units, units).await) },
            // Four tebibytes: nobody has them.
            Err(_too_many) => Held { units: Some(hold(&self.units, u32::MAX).await) },
        }
    }
}

/// Permits of a semaphore that nobody closes.
async fn hold(semaphore: &Arc<Semaphore>, permits: u32) -> OwnedSemaphorePermit {
    match Arc::clone(semaphore).acquire_many_owned(permits).await {
        Ok(permit) => permit,
        Err(_closed) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use cw_model::{Backlog, FeedId, Quota, UrlQuery};
    use futures_util::FutureExt;

    use super::*;

    const MIB: usize = 1 << 20;

    fn feed() -> Feed {
        let hour = std::time::Duration::from_secs(3600);
        Feed {
            id: FeedId::parse("wire").unwrap(),
            url: "https://wire.example/rss".parse().unwrap(),
            publisher: None,
            country: None,
            language: None,
            private_networks: None,
            interval: None,
            interval_min: hour,
            interval_max: hour,
            retry_after_max: hour,
            backlog: Backlog::All,
            entries_max: 2000,
            text_chars_max: 10_000,
            body_limit: 16 << 20,
            quota: Quota { articles: 1, bytes: 1 },
            query: UrlQuery::Hidden,
            proxy: cw_model::FeedProxy::AsConfigured,
            request: None,
            labels: Vec::new(),
            full_text: cw_model::FullText::Feed,
        }
    }

    fn memory() -> Memory {
        Memory::new(1 << 30, 32, 4)
    }

    #[track_caller]
    fn place(memory: &Memory, body_bytes: usize) -> Place {
        memory.place(&feed(), body_bytes).now_or_never().expect("it waits").unwrap()
    }

    fn waits(memory: &Memory, body_bytes: usize) -> bool {
        memory.place(&feed(), body_bytes).now_or_never().is_none()
    }

    #[test]
    fn small_bodies_do_not_wait_for_large_ones() {
        let memory = memory();
        let held = place(&memory, 16 * MIB);
        assert!(waits(&memory, 16 * MIB));
        let small: Vec<Place> = (0..4).map(|_| place(&memory, 100_000)).collect();
        assert!(waits(&memory, 100_000));
        drop(held);
        place(&memory, 16 * MIB);
        drop(small);
        place(&memory, 100_000);
    }

    #[test]
    fn a_large_body_is_not_overtaken_by_those_behind_it() {
        let memory = memory();
        let held = place(&memory, 8 * MIB);
        let feed = feed();
        let mut large = Box::pin(memory.place(&feed, 16 * MIB));
        assert!((&mut large).now_or_never().is_none());
        assert!(waits(&memory, 2 * MIB));
        drop(held);
        assert!(large.now_or_never().is_some());
    }

    #[test]
    fn what_gives_up_its_turn_holds_nothing() {
        let memory = memory();
        let held = place(&memory, 16 * MIB);
        assert!(waits(&memory, 16 * MIB));
        drop(held);
        place(&memory, 16 * MIB);
    }

    #[test]
    fn a_body_that_never_fits_is_refused_at_once() {
        let memory = Memory::new(64 << 20, 1, 1);
        let refused = memory.place(&feed(), 16 * MIB).now_or_never().unwrap().unwrap_err();
        assert!(refused.to_string().contains("run.memory"), "{refused}");
    }

    #[test]
    fn outcomes_that_wait_for_their_commit_fill_only_their_share() {
        let memory = memory();
        let outcome = |bytes| memory.outcome(bytes).now_or_never();
        let held: Vec<Held> = std::iter::from_fn(|| outcome(8 << 20)).collect();
        assert_eq!(held.len(), 8);
        place(&memory, 16 * MIB);
        drop(held);
        // More than the whole share waits until it is alone, not for ever.
        let alone = outcome(u64::MAX).expect("it is alone");
        assert!(outcome(1024).is_none());
        drop(alone);
        assert!(outcome(1024).is_some());
    }
}
