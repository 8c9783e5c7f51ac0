//! How the feeds stand, as the scheduler says when it is asked.
//!
//! The scheduler owns the states and copies nothing for nobody: it is asked when somebody looks, at
//! most once a second, and gives pointers to what it has. Whoever looks waits for it only shortly, so
//! that a loop that hangs is seen as one, and so that those who look again and again are answered at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cw_decide::scheduler::FeedView;
use cw_model::Timestamp;
use jiff::SignedDuration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::hosts::Hosts;

/// For so long one look does for all who ask.
const FRESH: Duration = Duration::from_secs(1);

/// For so long an old look does where a new one is not there at once.
const RECENT: Duration = Duration::from_secs(10);

/// For so long hosts are not counted anew: of many feeds that takes longer than all the rest.
const HOSTS_KEPT: SignedDuration = SignedDuration::from_secs(10);

/// How long is waited for a new look while there is a recent one.
const WAIT_WITH_RECENT: Duration = Duration::from_millis(20);

/// How long is waited where there is none.
const WAIT_WITHOUT: Duration = Duration::from_secs(2);

/// Questions that may wait for the scheduler.
const QUESTIONS_MAX: usize = 4;

/// How all feeds stood at one moment.
#[derive(Debug)]
pub(super) struct Views {
    /// When.
    pub(super) at: Timestamp,
    /// Each configured feed once, in no order.
    pub(super) feeds: Vec<FeedView>,
    /// Worked out for the first who wants to know, unless they are known of a moment ago.
    hosts: OnceLock<Arc<Hosts>>,
    /// Worked out for the first who wants to know.
    lanes: OnceLock<BTreeMap<u32, usize>>,
}

impl Views {
    fn new(feeds: Vec<FeedView>, at: Timestamp, before: Option<&Self>) -> Self {
        let known = before.and_then(|before| before.hosts.get());
        let known = known.filter(|hosts| at.duration_since(hosts.at).abs() < HOSTS_KEPT);
        let hosts = known.map_or_else(OnceLock::new, |hosts| Arc::clone(hosts).into());
        Self { at, feeds, hosts, lanes: OnceLock::new() }
    }

    /// Their hosts.
    pub(super) fn hosts(&self) -> &Hosts {
        self.hosts.get_or_init(|| Arc::new(Hosts::count(&self.feeds, self.at)))
    }

    /// How many of them count in which lane.
    pub(super) fn lanes(&self) -> &BTreeMap<u32, usize> {
        self.lanes.get_or_init(|| {
            let mut lanes = BTreeMap::new();
            let numbers = self.feeds.iter().filter_map(|view| view.lane);
            numbers.for_each(|lane| *lanes.entry(lane).or_default() += 1);
            lanes
        })
    }
}

/// What was said last, and when.
type Last = (Instant, Arc<Views>);

/// Somebody wants to know how the feeds stand.
#[derive(Debug)]
pub struct Question {
    last: Arc<Mutex<Option<Last>>>,
    answered: oneshot::Sender<Arc<Views>>,
}

impl Question {
    /// The question, unless another was answered meanwhile; then that answer does.
    pub fn if_open(self) -> Option<Self> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match last.filter(|(at, _)| at.elapsed() < FRESH) {
            Some((_, views)) => {
                let _gone = self.answered.send(views);
                None
            }
            None => Some(self),
        }
    }

    /// Answers it, for those who ask later too.
    pub fn answer(self, feeds: Vec<FeedView>, at: Timestamp) {
        let before = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let views = Arc::new(Views::new(feeds, at, before.as_ref().map(|(_, views)| &**views)));
        let said = (Instant::now(), Arc::clone(&views));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        // Whoever asked may not have waited.
        let _gone = self.answered.send(views);
        drop(before);
    }
}

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
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let age = last.as_ref().map(|(at, _)| at.elapsed());
        let patience = match age {
            Some(age) if age < FRESH => Duration::ZERO,
            Some(age) if age < RECENT => WAIT_WITH_RECENT,
            Some(_) | None => WAIT_WITHOUT,
        };
        let last = last.map(|(_, views)| views);
        if patience.is_zero() {
            return last;
        }
        let (answered, answer) = oneshot::channel();
        let question = Question { last: Arc::clone(&self.last), answered };
        if self.ask.try_send(question).is_err() {
            return last;
        }
        timeout(patience, answer).await.ok().and_then(Result::ok).or(last)
    }
}
