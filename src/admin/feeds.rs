//! How the feeds stand, as the scheduler says when it is asked.
//!
//! The scheduler owns the states and copies nothing for nobody: it is asked when somebody looks, at
//! most once a second, and gives pointers to what it has. Whoever looks waits for it only shortly, so
//! that a loop that hangs is seen as one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cw_decide::scheduler::FeedView;
use cw_model::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

/// For so long one look does for all who ask.
const FRESH: Duration = Duration::from_secs(1);

/// How long is waited for a new look while there is an old one.
const WAIT_WITH_LAST: Duration = Duration::from_millis(100);

/// How long is waited for the first.
const WAIT_FOR_FIRST: Duration = Duration::from_secs(2);

/// Questions that may wait for the scheduler.
const QUESTIONS_MAX: usize = 4;

/// How all feeds stood at one moment.
#[derive(Debug)]
pub struct Views {
    /// When.
    pub at: Timestamp,
    /// Each configured feed once, in no order.
    pub feeds: Vec<FeedView>,
}

/// Where an answer is sent.
pub type Question = oneshot::Sender<Views>;

/// What the scheduler said last, and when it was asked.
type Last = (Instant, Arc<Views>);

/// Asks the scheduler how the feeds stand. Clones share what it said last.
#[derive(Clone, Debug)]
pub struct Feeds {
    ask: mpsc::Sender<Question>,
    last: Arc<Mutex<Option<Last>>>,
}

impl Feeds {
    /// Somebody who asks, and where the questions come out.
    pub fn new() -> (Self, mpsc::Receiver<Question>) {
        let (ask, questions) = mpsc::channel(QUESTIONS_MAX);
        (Self { ask, last: Arc::default() }, questions)
    }

    /// How the feeds stand now, or stood when the scheduler last said so; `None` if it never did.
    pub(super) async fn views(&self) -> Option<Arc<Views>> {
        let last = self.last();
        if let Some((asked_at, views)) = &last
            && asked_at.elapsed() < FRESH
        {
            return Some(Arc::clone(views));
        }
        let asked_at = Instant::now();
        let (answer, answered) = oneshot::channel();
        let patience = if last.is_some() { WAIT_WITH_LAST } else { WAIT_FOR_FIRST };
        if self.ask.try_send(answer).is_ok()
            && let Ok(Ok(views)) = timeout(patience, answered).await
        {
            let views = Arc::new(views);
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((asked_at, Arc::clone(&views)));
            return Some(views);
        }
        last.map(|(_, views)| views)
    }

    fn last(&self) -> Option<Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
