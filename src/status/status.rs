//! How the program stands: one [`Snapshot`] of feeds, lanes, ledger and readiness. The pipeline and the
//! ledger write the [`Status`]; metrics, `/readyz`, the service manager and the log read it.
//!
//! Ready means: state restored, the ledger takes commits, no drain has begun, and whoever looks after
//! all that (the scheduler's loop) has done so lately. A replica that no lane was given to is ready too:
//! it stands by. Failing feeds do not make it unready: a publisher's trouble is not ours. A machine that
//! has no file or port left to ask with does, as long as somebody tries. Alive means: the scheduler's
//! loop has turned lately, or a drain goes on, which has a deadline of its own; a ledger that is away
//! does not make it dead.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cw_model::FeedCounts;

use super::ledger::{LedgerSnapshot, LedgerStatus};
use super::lists::ListStatus;
use super::recent::Recent;
use super::shown::shown;

/// How long the scheduler's loop may take to turn before the daemon counts as hung. It turns at
/// least once a second, so this is many missed turns, not a slow one.
pub const HEARTBEAT_MAX: Duration = Duration::from_secs(30);

/// How long this machine must have been able to ask publishers before it counts as well: files that
/// come and go one by one are no end of the trouble.
const CALM: Duration = Duration::from_secs(10);

/// Of a tenth of the hosts being late nobody can say that it is those hosts'.
const LATE_SHARE: usize = 10;

/// How long this machine's trouble counts if nobody has tried since. A feed that could not be asked is
/// tried again within a minute, unless it was removed or its lane taken.
const UNASKED_MAX: Duration = Duration::from_secs(3 * 60);

/// Why the daemon is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unready {
    /// The scheduler has not begun.
    Starting,
    /// The ledger does not take commits; its own words.
    Ledger(String),
    /// This machine could not ask a publisher.
    Machine {
        /// In words.
        why: String,
        /// How long ago that was last.
        ago: Duration,
    },
    /// No host answers.
    NetworkAway,
    /// Hosts that answer wait for places.
    Late {
        /// So many.
        late: usize,
        /// Of so many.
        hosts: usize,
    },
    /// The scheduler's loop has not turned for so long: nobody has looked.
    Hung(Duration),
    /// A drain has begun.
    Stopping,
}

impl Unready {
    /// For a person, on one line.
    pub fn text(&self) -> String {
        match self {
            Self::Starting => "starting".to_owned(),
            Self::Machine { why, ago } => {
                let ago = ago.as_secs();
                format!("this machine could not ask a publisher {ago}s ago: {}", shown(why))
            }
            Self::NetworkAway => "no host answers: the network is away".to_owned(),
            Self::Late { late, hosts } => {
                format!(
                    "{late} of {hosts} hosts have waited for a place for minutes and are not slow"
                )
            }
            Self::Hung(since) => hung_text(*since),
            Self::Ledger(why) => format!("the ledger does not take commits: {}", shown(why)),
            Self::Stopping => "stopping".to_owned(),
        }
    }
}

/// That the scheduler's loop has not turned for so long.
pub fn hung_text(since: Duration) -> String {
    format!("the scheduler's loop has not turned for {}s", since.as_secs())
}

/// Now, for how long ago something was.
#[expect(clippy::disallowed_methods, reason = "no task waits here, so no runtime's clock is asked")]
fn moment() -> Instant {
    Instant::now()
}

/// Where the daemon's life stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Serving,
    Stopping,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// What the last commit that did not work said, until one does, or nobody waits for one.
    unwritten: Option<String>,
    /// Whether that was said and its end was not.
    is_unwritten_told: bool,
    /// How many wait to try such a commit again.
    waiting: usize,
    /// Why this machine could not ask a publisher, and when that was last.
    unasked: Option<(String, Instant)>,
    beat_at: Instant,
    feeds: FeedCounts,
    ledger_bytes: u64,
    last_read: LastRead,
    lists: Vec<ListStatus>,
}

/// What became of the configuration that was read last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LastRead {
    /// It is in use.
    #[default]
    InUse,
    /// It has mistakes, and an older one is in use.
    Refused {
        /// The first mistake, and how many more there are.
        why: String,
    },
}

/// That the configuration that was read last is not in use.
pub const REFUSED_TEXT: &str =
    "the configuration that was read last is refused, an older one is in use";

/// How the program stood at one moment. The default: no feed, no lane, and ready.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// How many feeds stand where, as of the last count; the scheduler counts every second.
    pub feeds: FeedCounts,
    /// Group, topics and lanes, if the ledger has them.
    pub ledger: LedgerSnapshot,
    /// What the files of the ledger hold, in bytes; 0 for a ledger without files.
    pub ledger_bytes: u64,
    /// What became of the configuration that was read last.
    pub last_read: LastRead,
    /// How the lists of feeds stand that are asked for by URL.
    pub lists: Vec<ListStatus>,
    /// How long the program has run.
    pub uptime: Duration,
    /// Why the program is not ready, if so.
    pub unready: Option<Unready>,
}

impl Snapshot {
    /// On one line: how many feeds stand how, why the program is not ready, and that it runs with an older
    /// configuration than was read last.
    pub fn text(&self) -> String {
        let feeds = &self.feeds;
        let standing = [
            (feeds.fine, "fine"),
            (feeds.failing, "failing"),
            (feeds.crashed, "put off"),
            (feeds.gone, "withdrawn"),
            (feeds.new, "not polled yet"),
        ];
        let count: usize = standing.iter().map(|(count, _)| count).sum();
        let parts: Vec<String> = standing
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, how)| format!("{count} {how}"))
            .collect();
        let mut text = match count {
            0 => "no feed is in a lane of this process".to_owned(),
            1 => format!("1 feed: {}", parts.join(", ")),
            count => format!("{count} feeds: {}", parts.join(", ")),
        };
        if let Some(why) = &self.unready {
            text.push_str(&format!("; {}", why.text()));
        }
        if let LastRead::Refused { .. } = self.last_read {
            text.push_str("; ");
            text.push_str(REFUSED_TEXT);
        }
        text
    }
}

/// What the snapshots are taken of. Shared between those who know and those who are asked.
#[derive(Debug)]
pub struct Status {
    started_at: Instant,
    state: Mutex<State>,
    /// What the ledger says of itself.
    ledger: LedgerStatus,
    recent: Recent,
}

impl Status {
    /// Of a daemon that starts, with a ledger that writes its status there.
    pub fn new(ledger: LedgerStatus) -> Self {
        let state = State {
            phase: Phase::Starting,
            unwritten: None,
            is_unwritten_told: false,
            waiting: 0,
            unasked: None,
            beat_at: moment(),
            feeds: FeedCounts::default(),
            ledger_bytes: 0,
            last_read: LastRead::InUse,
            lists: Vec::new(),
        };
        Self { started_at: moment(), state: Mutex::new(state), ledger, recent: Recent::default() }
    }

    /// What was committed lately.
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// The scheduler's loop has turned.
    pub fn beat(&self) {
        self.change(|state| state.beat_at = moment());
    }

    /// The scheduler has counted.
    pub fn set_counts(&self, feeds: FeedCounts, ledger_bytes: u64) {
        self.change(|state| (state.feeds, state.ledger_bytes) = (feeds, ledger_bytes));
    }

    /// A configuration was read.
    pub fn set_last_read(&self, last_read: LastRead) {
        self.change(|state| state.last_read = last_read);
    }

    /// How the lists of feeds by URL stand.
    pub fn set_lists(&self, lists: Vec<ListStatus>) {
        self.change(|state| state.lists = lists);
    }

    /// How everything stands now.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot {
            feeds: state.feeds,
            ledger: self.ledger.snapshot(),
            ledger_bytes: state.ledger_bytes,
            last_read: state.last_read.clone(),
            lists: state.lists.clone(),
            uptime: moment().duration_since(self.started_at),
            unready: self.unready_of(&state, moment()),
        }
    }

    /// The scheduler has begun.
    pub fn set_serving(&self) {
        self.change(|state| {
            if state.phase == Phase::Starting {
                state.phase = Phase::Serving;
            }
        });
    }

    /// A drain has begun; there is no way back.
    pub fn set_stopping(&self) {
        self.change(|state| state.phase = Phase::Stopping);
    }

    /// A commit did not work. Says whether the one before did.
    pub fn set_unwritten(&self, why: String) -> bool {
        let mut was_fine = false;
        self.change(|state| {
            state.unwritten = Some(why);
            was_fine = !std::mem::replace(&mut state.is_unwritten_told, true);
        });
        was_fine
    }

    /// Somebody waits to try such a commit again, until what is returned goes.
    pub fn waits(self: &Arc<Self>) -> Waits {
        self.change(|state| state.waiting += 1);
        Waits(Arc::clone(self))
    }

    /// A commit worked. Says whether the one before did not.
    pub fn set_written(&self) -> bool {
        let mut was_told = false;
        self.change(|state| {
            state.unwritten = None;
            was_told = std::mem::take(&mut state.is_unwritten_told);
        });
        was_told
    }

    /// This machine could not ask a publisher. Says whether it could before.
    pub fn set_unasked(&self, why: &str) -> bool {
        let mut was_fine = false;
        let now = moment();
        self.change(|state| was_fine = state.unasked.replace((why.to_owned(), now)).is_none());
        was_fine
    }

    /// A publisher was asked. Says whether that ends a trouble, as it does a while after the last one
    /// that could not be.
    pub fn set_asked(&self) -> bool {
        self.set_asked_at(moment())
    }

    fn set_asked_at(&self, now: Instant) -> bool {
        let mut is_over = false;
        self.change(|state| {
            is_over = state.unasked.take_if(|(_, at)| now.duration_since(*at) >= CALM).is_some();
        });
        is_over
    }

    /// Why it is not ready, if so.
    pub fn unready(&self) -> Option<Unready> {
        self.unready_at(moment())
    }

    fn unready_at(&self, now: Instant) -> Option<Unready> {
        let state = self.state.lock().ok()?;
        self.unready_of(&state, now)
    }

    fn unready_of(&self, state: &State, now: Instant) -> Option<Unready> {
        match state.phase {
            Phase::Starting => Some(Unready::Starting),
            Phase::Stopping => Some(Unready::Stopping),
            Phase::Serving => {
                let ledger = || state.unwritten.clone().or_else(|| self.ledger.trouble());
                let machine = || {
                    let (why, at) = state.unasked.as_ref()?;
                    let ago = now.duration_since(*at);
                    (ago < UNASKED_MAX).then(|| Unready::Machine { why: why.clone(), ago })
                };
                // What it has said before is as old.
                let hung = state.hung_at(now).map(Unready::Hung);
                let away = || state.feeds.is_network_away.then_some(Unready::NetworkAway);
                let FeedCounts { late_hosts: late, hosts, .. } = state.feeds;
                let is_late = late * LATE_SHARE > hosts;
                let late = || is_late.then_some(Unready::Late { late, hosts });
                hung.or_else(|| ledger().map(Unready::Ledger))
                    .or_else(away)
                    .or_else(machine)
                    .or_else(late)
            }
        }
    }

    /// How long the scheduler's loop has not turned, if it should have; nothing if nobody knows.
    ///
    /// # Errors
    /// How long, [`HEARTBEAT_MAX`] or more.
    pub fn alive(&self) -> Result<(), Duration> {
        self.alive_at(moment())
    }

    fn alive_at(&self, now: Instant) -> Result<(), Duration> {
        // A lock that is poisoned by a panic: nobody can tell any more.
        let Ok(state) = self.state.lock() else { return Err(HEARTBEAT_MAX) };
        state.hung_at(now).map_or(Ok(()), Err)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        // A poisoned lock means a panic while holding it; `alive` then says no.
        if let Ok(mut state) = self.state.lock() {
            change(&mut state);
        }
    }
}

impl State {
    /// How long the scheduler's loop has not turned, if that is too long.
    fn hung_at(&self, now: Instant) -> Option<Duration> {
        let since = now.duration_since(self.beat_at);
        (self.phase != Phase::Stopping && since >= HEARTBEAT_MAX).then_some(since)
    }
}

/// Somebody who waits to try a commit again.
#[derive(Debug)]
pub struct Waits(Arc<Status>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.change(|state| {
            state.waiting = state.waiting.saturating_sub(1);
            if state.waiting == 0 {
                // Nobody will try: what the last one was told is of then, and not of now.
                state.unwritten = None;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    fn status() -> Status {
        Status::new(Metrics::new().ledger().clone())
    }

    #[test]
    fn a_loop_that_does_not_turn_is_not_alive() {
        let status = status();
        status.beat();
        let now = moment();
        assert_eq!(status.alive_at(now), Ok(()));
        let since = status.alive_at(now + HEARTBEAT_MAX).unwrap_err();
        assert!(since >= HEARTBEAT_MAX);
        // Whoever would see that something is wrong has not looked either.
        status.set_serving();
        assert_eq!(status.unready_at(now), None);
        let hung = status.unready_at(now + HEARTBEAT_MAX).unwrap();
        assert!(hung.text().starts_with("the scheduler's loop has not turned for 3"), "{hung:?}");
        status.set_stopping();
        assert_eq!(status.alive_at(now + HEARTBEAT_MAX), Ok(()), "a drain has its own deadline");
    }

    #[test]
    fn a_commit_that_nobody_tries_again_is_no_trouble_any_more() {
        let status = Arc::new(status());
        status.set_serving();
        assert!(status.set_unwritten("no space".to_owned()));
        let (one, other) = (status.waits(), status.waits());
        drop(one);
        assert_eq!(status.unready(), Some(Unready::Ledger("no space".to_owned())));
        drop(other);
        assert_eq!(status.unready(), None);
        assert!(status.set_written(), "its end was not said");
        assert!(!status.set_written());
    }

    #[test]
    fn hosts_that_answer_and_wait_make_it_unready_once_they_are_more_than_a_tenth() {
        let status = status();
        status.set_serving();
        let counted = |late_hosts| FeedCounts { hosts: 50, late_hosts, ..FeedCounts::default() };
        status.set_counts(counted(5), 0);
        assert_eq!(status.unready(), None);
        status.set_counts(counted(6), 0);
        let told = status.unready().unwrap().text();
        assert_eq!(told, "6 of 50 hosts have waited for a place for minutes and are not slow");
        // Whatever says why goes first.
        assert!(status.set_unasked("no file left"));
        assert!(status.unready().unwrap().text().contains("no file left"));
    }

    #[test]
    fn stopping_is_for_good() {
        let status = status();
        status.set_serving();
        assert_eq!(status.unready(), None);
        status.set_stopping();
        status.set_serving();
        assert_eq!(status.unready(), Some(Unready::Stopping));
    }

    #[test]
    fn a_machine_that_could_not_ask_is_well_again_after_a_while() {
        let status = status();
        status.set_serving();
        assert!(status.set_unasked("no file left"), "the first");
        assert!(!status.set_unasked("no file left"), "said already");
        let now = moment();
        assert!(!status.set_asked_at(now), "too soon to tell");
        let told = status.unready_at(now + Duration::from_secs(7)).unwrap().text();
        assert_eq!(told, "this machine could not ask a publisher 7s ago: no file left");
        status.change(|state| state.beat_at = now + UNASKED_MAX);
        assert_eq!(status.unready_at(now + UNASKED_MAX), None, "nobody has tried since");
        assert!(status.set_asked_at(now + CALM));
        assert!(!status.set_asked_at(now + CALM), "said already");
        assert_eq!(status.unready(), None);
    }

    #[test]
    fn a_commit_that_works_does_not_end_a_trouble_of_the_ledger() {
        let status = status();
        status.set_serving();
        status.ledger.set_topics(Some("lane 3 is being restored".to_owned()));
        assert!(status.set_unwritten("no space".to_owned()), "the first that did not work");
        assert!(!status.set_unwritten("no space".to_owned()));
        assert!(status.set_written());
        let why = Unready::Ledger("lane 3 is being restored".to_owned());
        assert_eq!(status.unready(), Some(why));
        status.ledger.set_topics(None);
        assert_eq!(status.unready(), None);
    }

    #[test]
    fn a_text_leaves_no_feed_out_and_claims_nothing_of_those_not_polled() {
        let of = |feeds| Snapshot { feeds, ..Snapshot::default() };
        let new = of(FeedCounts { new: 3, due: 3, ..FeedCounts::default() });
        assert_eq!(new.text(), "3 feeds: 3 not polled yet");
        let feeds = FeedCounts {
            due: 1,
            fine: 9,
            failing: 2,
            crashed: 1,
            gone: 1,
            ..FeedCounts::default()
        };
        let (unready, last_read) =
            (Some(Unready::Starting), LastRead::Refused { why: "a.toml".to_owned() });
        assert_eq!(
            Snapshot { unready, last_read, ..of(feeds) }.text(),
            "13 feeds: 9 fine, 2 failing, 1 put off, 1 withdrawn; starting; the configuration that was \
             read last is refused, an older one is in use"
        );
        assert_eq!(Snapshot::default().text(), "no feed is in a lane of this process");
    }
}
