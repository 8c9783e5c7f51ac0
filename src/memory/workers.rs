//! Threads that read and decode documents, and nothing else.
//!
//! Few, and always the same. The allocator of the C library keeps what a thread has freed for that
//! thread: with a pool of changing threads each of them kept what its largest document had taken, and
//! a daemon that may take 1 GiB took 1.7.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// The stack on which documents are read, bytes: as large as those of the runtime's own threads. A
/// trial reads on the same, so that what overflows here overflows there.
pub const READING_STACK_BYTES: usize = 2 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// A few threads and their queue. They end when the last handle is dropped.
#[derive(Clone, Debug)]
pub(super) struct Workers {
    /// `None` if the system gave no thread.
    jobs: Option<Sender<Job>>,
}

impl Workers {
    /// Starts so many threads, or as many as the system gives.
    pub(super) fn start(name: &str, count: usize) -> Self {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let started = (0..count).filter(|_| {
            let queue = Arc::clone(&queue);
            let thread =
                std::thread::Builder::new().name(name.to_owned()).stack_size(READING_STACK_BYTES);
            thread.spawn(move || work_off(&queue)).is_ok()
        });
        let is_started = started.count() > 0;
        Self { jobs: is_started.then_some(jobs) }
    }

    /// Does some work on one of them; `None` if it panicked.
    ///
    /// Cancel safety: what has begun is done, and its result dropped.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let Some(jobs) = &self.jobs else { return spawn_blocking(work).await.ok() };
        let (reply, answer) = oneshot::channel();
        let job = move || {
            if let Ok(done) = catch_unwind(AssertUnwindSafe(work)) {
                // Whoever asked may have been cancelled.
                let _unheard = reply.send(done);
            }
        };
        jobs.send(Box::new(job)).ok()?;
        answer.await.ok()
    }
}

fn work_off(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(),
            Err(_no_sender) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_ends_no_thread() {
        let workers = Workers::start("test", 1);
        assert_eq!(workers.run(|| 1).await, Some(1));
        assert_eq!(workers.run(|| -> u8 { panic!("as meant") }).await, None);
        assert_eq!(workers.run(|| 2).await, Some(2));
    }

    #[tokio::test]
    async fn without_a_thread_of_its_own_work_is_done_all_the_same() {
        assert_eq!(Workers::start("test", 0).run(|| 1).await, Some(1));
    }
}
