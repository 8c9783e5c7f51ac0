//! What a body takes while it arrives, is decoded, and waits to be read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::shares::decoding_bytes;
use super::{Held, NeverFits, Rooms, UNIT};

/// A body arrives in pieces; what it takes is asked for in larger ones.
const STEP_BYTES: u64 = 1 << 20;

/// The bytes of memory that the body of one poll holds, given back when this is dropped.
///
/// Shape: up to `small_body` is every poll's own. What is more is held as it arrives; when the share
/// for that is full, one poll at a time may go on in a reserve, to the end of its body, so that there
/// is always one that ends.
#[derive(Debug)]
pub struct BodyHold {
    /// `None`: without limit.
    rooms: Option<Arc<Rooms>>,
    wire: Vec<Held>,
    wire_bytes: u64,
    /// The reserve is ours.
    reserve: Option<Held>,
    decoded: Held,
    waits: Waits,
}

/// How long a poll has waited for memory: not the publisher's fault. A clone is a handle.
#[derive(Clone, Debug, Default)]
pub struct Waits(Arc<Mutex<Waited>>);

#[derive(Debug, Default)]
struct Waited {
    before: Duration,
    since: Option<Instant>,
}

impl Waits {
    /// In all, the wait under way included.
    pub fn total(&self) -> Duration {
        let waited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waited.before + waited.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    async fn during<T>(&self, wait: impl Future<Output = T>) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).since = Some(Instant::now());
        let done = wait.await;
        let mut waited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let this = waited.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        waited.before += this;
        done
    }
}

impl BodyHold {
    /// One that never waits: for a command that polls one feed.
    pub fn unlimited() -> Self {
        Self::new(None)
    }

    /// Another of the same memory, that holds nothing yet.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::new(self.rooms.clone())
    }

    pub(super) fn new(rooms: Option<Arc<Rooms>>) -> Self {
        Self {
            rooms,
            wire: Vec::new(),
            wire_bytes: 0,
            reserve: None,
            decoded: Held::nothing(),
            waits: Waits::default(),
        }
    }

    /// How long it has waited.
    pub fn waits(&self) -> Waits {
        self.waits.clone()
    }

    /// The largest body that takes nothing from anybody.
    pub fn small_body(&self) -> u64 {
        self.rooms.as_ref().map_or(u64::MAX, |rooms| rooms.shares.small_body)
    }

    /// Waits until a body that has so many bytes by now may have them.
    ///
    /// # Errors
    /// [`NeverFits`] if there will never be so many.
    pub async fn arrive(&mut self, bytes: u64) -> Result<(), NeverFits> {
        let Some(rooms) = self.rooms.clone() else { return Ok(()) };
        if bytes <= rooms.shares.small_body || self.reserve.is_some() {
            return Ok(());
        }
        let has = rooms.reserve_bytes();
        if bytes > has {
            return Err(NeverFits { body: bytes, needs: bytes, has });
        }
        while self.wire_bytes < bytes {
            let step = u32::try_from(STEP_BYTES / UNIT).unwrap_or(u32::MAX);
            if let Ok(permit) = Arc::clone(&rooms.wire).try_acquire_many_owned(step) {
                self.wire.push(Held { units: Some(permit) });
                self.wire_bytes += STEP_BYTES;
                continue;
            }
            let wait = async {
                tokio::select! {
                    held = permits(&rooms.wire, step) => Room::Step(held),
                    held = permits(&rooms.reserve, 1) => Room::Reserve(held),
                }
            };
            match self.waits.during(wait).await {
                Room::Step(held) => {
                    self.wire.push(held);
                    self.wire_bytes += STEP_BYTES;
                }
                Room::Reserve(held) => {
                    self.reserve = Some(held);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Decodes what is small, on a thread for it; `None` if that panicked.
    pub async fn run_small<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        match &self.rooms {
            Some(rooms) => rooms.small.workers.run(work).await,
            None => spawn_blocking(work).await.ok(),
        }
    }

    /// The same for what is large.
    pub async fn run_large<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        match &self.rooms {
            Some(rooms) => rooms.decoder.run(work).await,
            None => spawn_blocking(work).await.ok(),
        }
    }

    /// Waits until a body may be decoded that may become as large as the limit.
    ///
    /// # Errors
    /// [`NeverFits`] if it never may.
    pub async fn decode(&mut self, body_limit: u64) -> Result<(), NeverFits> {
        let Some(rooms) = self.rooms.clone() else { return Ok(()) };
        let (needs, has) = (decoding_bytes(body_limit), rooms.decoded.bytes);
        if needs > has {
            return Err(NeverFits { body: body_limit, needs, has });
        }
        self.decoded = self.waits.during(rooms.decoded.hold(needs)).await;
        Ok(())
    }

    /// The body is decoded and has so many bytes: the rest is given back, and all that it took as it
    /// arrived.
    pub fn decoded(&mut self, bytes: u64) {
        self.wire.clear();
        self.wire_bytes = 0;
        self.reserve = None;
        self.decoded.shrink(bytes);
    }
}

/// Where a piece of a body went.
enum Room {
    Step(Held),
    Reserve(Held),
}

async fn permits(semaphore: &Arc<Semaphore>, permits: u32) -> Held {
    Held { units: Some(super::hold(semaphore, permits).await) }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::Memory;
    use super::*;

    const MIB: u64 = 1 << 20;

    fn memory() -> Memory {
        // Wire: 128 MiB, half of it the reserve; decoded: 128 MiB.
        Memory::new(1 << 30, 32, 2)
    }

    fn arrives(hold: &mut BodyHold, bytes: u64) -> bool {
        hold.arrive(bytes).now_or_never().is_some_and(|arrived| arrived.is_ok())
    }

    #[test]
    fn small_bodies_never_wait() {
        let memory = memory();
        let mut large: Vec<BodyHold> = (0..10).map(|_| memory.body()).collect();
        for hold in &mut large {
            arrives(hold, 16 * MIB);
        }
        assert!(!arrives(&mut memory.body(), 16 * MIB));
        assert!(arrives(&mut memory.body(), MIB));
    }

    #[tokio::test]
    async fn bodies_that_all_grow_at_once_all_arrive() {
        let memory = memory();
        let polls = (0..32).map(|_| async {
            let mut hold = memory.body();
            for bytes in 1..=16 {
                hold.arrive(bytes * MIB).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        futures_util::future::join_all(polls).await;
    }

    #[test]
    fn what_a_body_held_is_given_back_when_it_is_decoded() {
        let memory = memory();
        let mut hold = memory.body();
        assert!(arrives(&mut hold, 16 * MIB));
        assert!(hold.decode(16 * MIB).now_or_never().is_some());
        hold.decoded(2 * MIB);
        let mut others: Vec<BodyHold> = (0..4).map(|_| memory.body()).collect();
        assert!(others.iter_mut().all(|hold| arrives(hold, 16 * MIB)));
        // Two of 49 MiB at a time, besides what was decoded.
        let mut decoding: Vec<BodyHold> = (0..2).map(|_| memory.body()).collect();
        for hold in &mut decoding {
            assert!(hold.decode(16 * MIB).now_or_never().is_some());
        }
        assert!(memory.body().decode(16 * MIB).now_or_never().is_none());
        drop(decoding);
        assert!(memory.body().decode(16 * MIB).now_or_never().is_some());
    }

    #[test]
    fn a_body_that_never_fits_is_refused_and_does_not_wait() {
        let memory = Memory::new(64 << 20, 1, 1);
        assert!(memory.body().arrive(16 * MIB).now_or_never().unwrap().is_err());
        assert!(memory.body().decode(16 * MIB).now_or_never().unwrap().is_err());
        assert!(arrives(&mut BodyHold::unlimited(), u64::MAX));
    }

    #[tokio::test]
    async fn waits_are_told_while_they_last_and_after() {
        let memory = memory();
        let mut held: Vec<BodyHold> = (0..2).map(|_| memory.body()).collect();
        for hold in &mut held {
            hold.decode(16 * MIB).await.unwrap();
            assert!(hold.waits().total() < Duration::from_secs(1));
        }
        let mut waiting = memory.body();
        let waits = waiting.waits();
        {
            let mut decoding = Box::pin(waiting.decode(16 * MIB));
            assert!((&mut decoding).now_or_never().is_none());
            while waits.total().is_zero() {
                std::hint::spin_loop();
            }
            held.clear();
            decoding.await.unwrap();
        }
        let total = waits.total();
        assert!(!total.is_zero());
        assert_eq!(waits.total(), total);
    }
}
