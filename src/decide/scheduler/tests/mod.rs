//! The scheduler, event by event; whole histories are lived through in `simulation`.

mod hosts;
mod hubs;
mod lanes;

use std::time::Duration;

use cw_model::samples;
use cw_model::state::{Crash, DayUse, FeedState, HubLease, Offer, Plan, Subscription};

use super::*;
use crate::lane::hash;
use crate::schedule::conduct::{Heard, Patience, Request, SLOW_AFTER};
use crate::schedule::queue::Politeness;
use crate::subscription::{HubReply, Mode};
use crate::{OwnerEnd, Past};

const LANES: u32 = 4;

/// Hosts of lanes 0 to 3.
fn host(lane: u32) -> String {
    (0..)
        .map(|number| format!("host{number}.org"))
        .find(|host| hash::lane(&format!("http://{host}/").parse().unwrap(), LANES) == lane)
        .unwrap()
}

fn feed(id: &str, lane: u32) -> Arc<Feed> {
    Arc::new(samples::feed(id, format!("http://{}/{id}", host(lane)).parse().unwrap()))
}

fn configured(feeds: &[(&str, u32)]) -> Configuration {
    Configuration {
        feeds: feeds.iter().map(|(id, lane)| feed(id, *lane)).collect(),
        politeness: Politeness { host_concurrency: 1, host_gap: Duration::from_secs(1) },
        concurrency: 3,
        crash_label: CrashLabel::new(|_| "this version".to_owned()),
        callback: None,
    }
}

fn state(sequence: u64, due_in: i64) -> Arc<FeedState> {
    let due_at = samples::now() + SignedDuration::from_secs(due_in);
    let next = Plan { due_at: Some(due_at), reason: Reason::Interval, ..Plan::default() };
    // No later than the longest interval allows.
    let planned_at = due_at - SignedDuration::from_secs(5);
    let polled_at = Some(if due_in < 0 { planned_at } else { planned_at.max(samples::now()) });
    let standing = Standing::Fine;
    let plan = FeedPlan { sequence, standing, next, polled_at, ..FeedPlan::default() };
    FeedState { plan, ..FeedState::default() }.into()
}

fn lease(lane: u32, epoch: u64) -> Lease {
    Lease { lane, epoch }
}

/// A scheduler, and what it has wanted done.
struct Played {
    scheduler: Scheduler,
    elapsed: Duration,
    effects: Vec<Effect>,
}

impl Played {
    fn new(feeds: &[(&str, u32)], lanes: u32) -> Self {
        let scheduler = Scheduler::new(configured(feeds), lanes);
        Self { scheduler, elapsed: Duration::ZERO, effects: Vec::new() }
    }

    fn now(&self) -> Now {
        let wall = samples::now() + SignedDuration::try_from(self.elapsed).unwrap();
        Now { at: Moment::after_start(self.elapsed), wall }
    }

    fn happens(&mut self, event: Event) {
        let effects = self.scheduler.handle(event, self.now());
        self.effects.extend(effects);
    }

    fn passes(&mut self, seconds: u64) {
        self.elapsed += Duration::from_secs(seconds);
        self.happens(Event::Elapsed);
    }

    fn given(&mut self, lease: Lease, states: &[(&str, Arc<FeedState>)]) {
        let states = states.iter().map(|(id, state)| (samples::id(id), Arc::clone(state)));
        let (states, past) = (states.collect(), Past::default());
        self.happens(Event::LaneGiven { lease, states, past });
    }

    /// The whole of a ledger that nobody shares.
    fn alone(feeds: &[(&str, u32)], states: &[(&str, Arc<FeedState>)]) -> Self {
        let mut played = Self::new(feeds, 1);
        played.given(lease(0, 1), states);
        played
    }

    fn ends(&mut self, id: &str, end: PollEnd) {
        self.happens(Event::PollEnded(samples::id(id), end));
    }

    /// Polls begun since the last time this was asked, in order.
    fn polls(&mut self) -> Vec<Poll> {
        let (polls, others) = std::mem::take(&mut self.effects)
            .into_iter()
            .partition(|effect| matches!(effect, Effect::Poll(_)));
        self.effects = others;
        let polls: Vec<Effect> = polls;
        polls
            .into_iter()
            .map(|it| match it {
                Effect::Poll(poll) => *poll,
                _ => unreachable!(),
            })
            .collect()
    }

    fn polled(&mut self) -> Vec<String> {
        let mut ids: Vec<String> =
            self.polls().iter().map(|poll| poll.feed.id.to_string()).collect();
        ids.sort_unstable();
        ids
    }

    /// The look that was asked for last.
    #[track_caller]
    fn look(&mut self) -> Arc<Look> {
        let looks = self.effects.iter().rev();
        let look = looks.clone().find_map(|effect| match effect {
            Effect::Look(look) => Some(Arc::clone(look)),
            _ => None,
        });
        let look = look.expect("a look");
        self.effects.retain(|effect| !matches!(effect, Effect::Look(_)));
        look
    }

    /// Ends a look that has found these states.
    fn found(&mut self, look: Arc<Look>, found: &[(&str, u32, u64)]) {
        let mut sequences: BTreeMap<FeedId, Sequences> = BTreeMap::new();
        for (id, lane, sequence) in found {
            sequences.entry(samples::id(id)).or_default().insert(*lane, *sequence);
        }
        self.happens(Event::Looked(look, Ok(sequences)));
    }

    fn has(&self, is_meant: impl Fn(&Effect) -> bool) -> bool {
        self.effects.iter().any(is_meant)
    }

    fn looks(&self) -> bool {
        self.has(|effect| matches!(effect, Effect::Look(_)))
    }
}

fn reloaded(played: &mut Played, feeds: &[(&str, u32)]) {
    played.happens(Event::ConfigurationRead(Some(Box::new(configured(feeds)))));
}

/// The same, after its last poll failed.
fn failed(state: Arc<FeedState>) -> Arc<FeedState> {
    let mut state = Arc::unwrap_or_clone(state);
    state.plan.standing = Standing::Failing;
    state.into()
}

#[test]
fn a_feed_is_polled_when_it_is_due_and_once_at_a_time() {
    let mut played = Played::alone(&[("a", 0), ("b", 1)], &[("b", state(3, 4))]);
    assert_eq!(played.polled(), ["a"], "a new feed is due at once");
    assert_eq!(played.scheduler.wake_at(played.now()).unwrap().since(played.now().at).as_secs(), 4);
    played.passes(3);
    assert_eq!(played.polled(), [""; 0]);
    played.passes(1);
    assert_eq!(played.polled(), ["b"]);
    played.passes(100);
    assert_eq!(played.polled(), [""; 0], "both are under way");
    played.ends("a", PollEnd::Committed(lease(0, 1), state(1, 106)));
    assert_eq!(played.polled(), [""; 0]);
    played.passes(6);
    assert_eq!(played.polled(), ["a"]);
}

#[test]
fn a_poll_takes_the_state_that_was_committed_last() {
    let mut played = Played::alone(&[("a", 0)], &[("a", state(7, -9))]);
    let poll = played.polls().remove(0);
    assert_eq!((poll.state.plan.sequence, poll.lease, poll.is_tried), (7, lease(0, 1), false));
    assert_eq!(poll.waited, Duration::from_secs(9));
    played.ends("a", PollEnd::Committed(lease(0, 1), state(8, 1)));
    played.passes(2);
    assert_eq!(played.polls().remove(0).state.plan.sequence, 8);
}

#[test]
fn hosts_are_asked_politely_and_no_more_polls_run_than_there_are_places() {
    let feeds = [("a", 0), ("b", 0), ("c", 1), ("d", 2), ("e", 3)];
    let mut played = Played::alone(&feeds, &[]);
    let first = played.polls();
    let ended = first[0].feed.id.to_string();
    let hosts: BTreeSet<&str> = first.iter().filter_map(|poll| poll.feed.url.host_str()).collect();
    assert_eq!((first.len(), hosts.len()), (3, 3), "three places, one poll a host");
    assert!(played.has(|effect| matches!(effect, Effect::Hurry)), "one more waits for a place");
    played.ends(&ended, PollEnd::Committed(lease(0, 1), state(1, 60)));
    assert_eq!(played.polls().len(), 1);
}

#[test]
fn a_defect_is_not_met_in_a_loop() {
    let mut played = Played::alone(&[("a", 0)], &[]);
    assert_eq!(played.polled(), ["a"]);
    played.ends("a", PollEnd::Failed);
    played.passes(4);
    assert_eq!(played.polled(), [""; 0], "its longest interval is five seconds");
    // Neither by a reload, nor by a lane that is given again.
    played.happens(Event::ConfigurationRead(Some(Box::new(configured(&[("a", 0)])))));
    played.happens(Event::LaneTaken(lease(0, 1)));
    played.given(lease(0, 2), &[]);
    assert_eq!(played.polled(), [""; 0]);
    played.passes(1);
    assert_eq!(played.polled(), ["a"]);
    // A feed that somebody has changed is asked at once.
    played.ends("a", PollEnd::Failed);
    played.happens(Event::ConfigurationRead(Some(Box::new(configured(&[("a", 1)])))));
    assert_eq!(played.polled(), ["a"]);
}

#[test]
fn no_poll_begins_once_a_stop_was_requested() {
    let mut played = Played::alone(&[("a", 0), ("b", 1)], &[("b", state(1, 1))]);
    assert_eq!(played.polled(), ["a"]);
    played.happens(Event::StopRequested);
    played.passes(10);
    assert_eq!(played.polled(), [""; 0]);
    assert!(!played.scheduler.is_idle());
    played.ends("a", PollEnd::Abandoned);
    assert!(played.scheduler.is_idle());
    assert_eq!(played.scheduler.wake_at(played.now()), None);
}

#[test]
fn a_reload_polls_new_feeds_at_once_and_no_removed_ones() {
    let mut played = Played::alone(&[("a", 0), ("b", 1)], &[("b", state(1, 3))]);
    assert_eq!(played.polled(), ["a"]);
    played.happens(Event::ReloadRequested);
    assert!(played.has(|effect| matches!(effect, Effect::ReadConfiguration)));
    let read = configured(&[("c", 2), ("b", 1)]);
    played.happens(Event::ConfigurationRead(Some(Box::new(read))));
    assert_eq!(played.polled(), ["c"]);
    let expected = FeedChanges { feeds: 2, added: 1, removed: 1 };
    assert!(played.has(|effect| matches!(effect, Effect::Reloaded(found) if *found == expected)));
    played.ends("a", PollEnd::Committed(lease(0, 1), state(1, 1)));
    played.passes(3);
    assert_eq!(played.polled(), ["b"], "it is due when it was");
    // Added again, it goes on where it was.
    let read = configured(&[("a", 0)]);
    played.happens(Event::ConfigurationRead(Some(Box::new(read))));
    assert_eq!(played.polls().remove(0).state.plan.sequence, 1);
}

#[test]
fn a_feed_that_is_added_again_during_its_poll_has_no_second_one() {
    let mut played = Played::alone(&[("a", 0)], &[]);
    assert_eq!(played.polled(), ["a"]);
    for feeds in [&[][..], &[("a", 0)]] {
        played.happens(Event::ConfigurationRead(Some(Box::new(configured(feeds)))));
    }
    played.passes(9);
    assert_eq!(played.polled(), [""; 0]);
    played.ends("a", PollEnd::Committed(lease(0, 1), state(1, 9)));
    assert_eq!(played.polled(), ["a"]);
}

#[test]
fn a_reload_requested_during_another_is_read_after_it() {
    let mut played = Played::alone(&[], &[]);
    let reads = |played: &Played| {
        let is_read = |effect: &&Effect| matches!(effect, Effect::ReadConfiguration);
        played.effects.iter().filter(is_read).count()
    };
    for _ in 0..3 {
        played.happens(Event::ReloadRequested);
    }
    assert_eq!(reads(&played), 1);
    played.happens(Event::ConfigurationRead(None));
    assert_eq!(reads(&played), 2, "the file may have changed after it was read");
    played.happens(Event::ConfigurationRead(None));
    assert_eq!(reads(&played), 2);
}

#[test]
fn a_clock_that_is_put_back_makes_no_feed_wait_for_the_time_that_was() {
    let mut played = Played::alone(&[("a", 0)], &[("a", state(1, 4))]);
    let before = Now {
        at: Moment::after_start(Duration::from_secs(1)),
        wall: samples::now() - SignedDuration::from_hours(1),
    };
    let effects = played.scheduler.handle(Event::Elapsed, before);
    assert!(matches!(effects.as_slice(), [Effect::Log(Notice::ClockPutBack)]), "{effects:?}");
    let wait = played.scheduler.wake_at(before).unwrap().since(before.at);
    assert!(wait <= Duration::from_millis(4001), "{wait:?}");
}

/// The wall clock goes on while the machine sleeps, and the other does not.
#[test]
fn a_machine_that_slept_asks_what_is_due_once_and_is_late_until_then() {
    let feeds: Vec<(String, Arc<FeedState>)> =
        (0..6).map(|number| (format!("feed{number}"), state(1, 600 * (number + 1)))).collect();
    let named: Vec<(&str, u32)> = feeds.iter().map(|(id, _)| (id.as_str(), 0)).collect();
    let known: Vec<(&str, Arc<FeedState>)> =
        feeds.iter().map(|(id, state)| (id.as_str(), Arc::clone(state))).collect();
    let mut configuration = configured(&named);
    for feed in &mut configuration.feeds {
        Arc::make_mut(feed).interval_max = Duration::from_secs(7200);
    }
    let scheduler = Scheduler::new(configuration, 1);
    let mut played = Played { scheduler, elapsed: Duration::ZERO, effects: Vec::new() };
    played.given(lease(0, 1), &known);
    assert!(played.polled().is_empty());
    let woken = Now {
        at: Moment::after_start(Duration::from_secs(1)),
        wall: samples::now() + SignedDuration::from_hours(8),
    };
    assert_eq!(played.scheduler.counts(woken.wall).late_hosts, 1);
    let mut asked = Vec::new();
    for second in 0..600 {
        let wall = woken.wall + SignedDuration::from_secs(second);
        let at = woken.at + Duration::from_secs(second.unsigned_abs());
        let effects = played.scheduler.handle(Event::Elapsed, Now { at, wall });
        for effect in effects {
            let Effect::Poll(poll) = effect else { continue };
            asked.push(poll.feed.id.to_string());
            let mut after = FeedState::clone(&state(2, 0));
            after.plan.next.due_at = Some(wall + SignedDuration::from_hours(1));
            after.plan.polled_at = Some(wall);
            // One answers at once, and its host may be asked again a second later.
            let end = PollEnd::Committed(poll.lease, after.into());
            let more = played
                .scheduler
                .handle(Event::PollEnded(poll.feed.id.clone(), end), Now { at, wall });
            assert!(
                !more.iter().any(|effect| matches!(effect, Effect::Poll(_))),
                "against the gap of its host"
            );
        }
    }
    asked.sort();
    assert_eq!(asked, named.iter().map(|(id, _)| (*id).to_owned()).collect::<Vec<_>>());
    assert_eq!(played.scheduler.counts(woken.wall + SignedDuration::from_secs(600)).late_hosts, 0);
}

#[test]
fn every_feed_of_our_lanes_counts_once() {
    let mut played = Played::new(&[("a", 0), ("b", 0), ("c", 1), ("d", 2)], LANES);
    played.given(lease(0, 1), &[("a", state(1, 9)), ("c", state(1, 9))]);
    let counts = played.scheduler.counts(played.now().wall);
    assert_eq!((counts.fine, counts.new, counts.due), (2, 1, 0), "b and c wait for a look");
    let look = played.look();
    played.found(look, &[("b", 2, 1)]);
    let counts = played.scheduler.counts(played.now().wall);
    assert_eq!((counts.fine, counts.new), (2, 0), "b is another's");
}

#[test]
fn whoever_asks_is_told_how_each_feed_stands() {
    let mut played = Played::new(&[("a", 0), ("b", 0), ("c", 1), ("d", 2)], LANES);
    played.given(lease(0, 1), &[("a", state(3, 4))]);
    played.given(lease(1, 1), &[("c", failed(state(1, 3)))]);
    let now = played.now().wall;
    let views = played.scheduler.views(now);
    let of = |id: &str| views.iter().find(|view| view.feed.id.as_str() == id).unwrap();
    let stands = ["a", "b", "c", "d"].map(|id| (of(id).stand, of(id).lane));
    let (zero, one) = (Some(0), Some(1));
    assert_eq!(
        stands,
        [(Stand::Fine, zero), (Stand::New, zero), (Stand::Failing, one), (Stand::Elsewhere, None)]
    );
    let wait = |id: &str| of(id).next_poll_at(now).map(|at| at.duration_since(now).as_secs());
    assert_eq!(["a", "c", "d"].map(wait), [Some(4), Some(3), None]);
    assert_eq!(wait("b"), Some(0), "never polled, so due");
    assert_eq!(of("a").due.unwrap().why, Why::Planned);
}
