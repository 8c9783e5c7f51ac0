//! The scheduler, event by event; whole histories are lived through in `simulation`.

use std::time::Duration;

use cw_model::samples;
use cw_model::state::{Crash, DayUse, FeedState, HubLease, Offer, Plan, Subscription};

use super::*;
use crate::lane::hash;
use crate::schedule::conduct::{Heard, Patience, Request, SLOW_AFTER};
use crate::schedule::queue::Politeness;
use crate::subscription::{Heard as Told, Mode};
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
fn what_began_under_an_old_lease_changes_no_state() {
    let mut played = Played::new(&[("a", 0)], 1);
    played.given(lease(0, 1), &[("a", state(1, 0))]);
    assert_eq!(played.polled(), ["a"]);
    played.happens(Event::LaneTaken(lease(0, 1)));
    played.given(lease(0, 2), &[("a", state(5, 2))]);
    played.ends("a", PollEnd::Committed(lease(0, 1), state(2, 0)));
    played.passes(2);
    let poll = played.polls().remove(0);
    assert_eq!((poll.state.plan.sequence, poll.lease), (5, lease(0, 2)));
}

#[test]
fn feeds_of_a_lane_that_was_taken_are_not_polled() {
    let mut played = Played::new(&[("a", 0), ("b", 1)], 2);
    played.given(lease(0, 1), &[("a", state(1, 5)), ("b", state(1, 5))]);
    played.given(lease(1, 2), &[]);
    played.happens(Event::LaneTaken(lease(0, 9)));
    played.happens(Event::LaneTaken(lease(0, 1)));
    played.passes(5);
    assert_eq!(played.polled().iter().filter(|id| *id == "a").count(), 0);
    assert_eq!(played.scheduler.counts(played.now().wall).fine, 0);
}

#[test]
fn a_new_feed_waits_until_no_other_lane_is_known_to_have_it() {
    let mut played = Played::new(&[("a", 0), ("b", 0)], LANES);
    played.given(lease(0, 1), &[("b", state(1, 9))]);
    assert_eq!(played.polled(), [""; 0]);
    let look = played.look();
    assert_eq!(look.feeds, [samples::id("a")].into());
    assert_eq!(look.lanes, [0, 1, 2, 3].into());
    played.passes(1);
    assert!(!played.looks(), "one look at a time");
    played.found(look, &[]);
    assert_eq!(played.polled(), ["a"]);
}

#[test]
fn a_process_that_has_every_lane_reads_them_all_the_same() {
    let mut played = Played::new(&[("a", 0), ("b", 1)], 2);
    played.given(lease(1, 1), &[("a", state(4, 0))]);
    let look = played.look();
    played.given(lease(0, 2), &[]);
    assert_eq!(played.polls().remove(0).lease.lane, 1, "a feed stays where its state is");
    assert_eq!(look.lanes, [0, 1].into(), "another may have had one of them meanwhile");
    played.found(look, &[("a", 1, 4)]);
    assert_eq!(played.polled(), ["b"]);
    assert!(!played.looks());
}

#[test]
fn a_look_that_fails_is_tried_again_and_told_once() {
    let mut played = Played::new(&[("a", 0)], LANES);
    played.given(lease(0, 1), &[]);
    for _ in 0..3 {
        let look = played.look();
        played.happens(Event::Looked(look, Err("away".to_owned())));
        assert!(!played.looks(), "not at once");
        assert_eq!(played.scheduler.wake_at(played.now()), Some(played.now().at + LOOK_WAIT));
        played.passes(5);
        assert!(played.looks());
    }
    let told = |effect: &&Effect| matches!(effect, Effect::Log(Notice::NotLooked { .. }));
    assert_eq!(played.effects.iter().filter(told).count(), 1);
}

#[test]
fn a_look_is_void_once_the_lane_it_was_for_was_taken() {
    let mut played = Played::new(&[("a", 0)], LANES);
    played.given(lease(0, 1), &[]);
    let look = played.look();
    played.happens(Event::LaneTaken(lease(0, 1)));
    // Its new owner takes it for new and polls it; then the lane comes back.
    played.found(look, &[]);
    assert_eq!(played.polled(), [""; 0]);
    played.given(lease(0, 2), &[("a", state(1, 3))]);
    played.passes(3);
    assert_eq!(played.polls().remove(0).state.plan.sequence, 1);
}

/// Meanwhile a look is under way, and what it has read is older than what changed.
#[track_caller]
fn check_look_is_void_after(events: impl FnOnce(&mut Played)) {
    let mut played = Played::new(&[("a", 0)], LANES);
    played.given(lease(1, 1), &[]);
    played.given(lease(0, 2), &[]);
    let look = played.look();
    events(&mut played);
    assert!(!played.looks(), "one look at a time");
    played.found(look, &[]);
    assert_eq!(played.polled(), [""; 0], "somebody may have committed it since it was read");
    let look = played.look();
    played.found(look, &[("a", 2, 6)]);
    assert_eq!(played.polled(), [""; 0], "another has it");
}

fn reloaded(played: &mut Played, feeds: &[(&str, u32)]) {
    played.happens(Event::ConfigurationRead(Some(Box::new(configured(feeds)))));
}

#[test]
fn a_look_is_void_for_a_feed_that_got_another_home_since() {
    check_look_is_void_after(|played| reloaded(played, &[("a", 1)]));
    check_look_is_void_after(|played| {
        reloaded(played, &[("a", 1)]);
        reloaded(played, &[("a", 0)]);
    });
}

#[test]
fn a_look_is_void_for_a_feed_whose_home_was_away_since() {
    check_look_is_void_after(|played| {
        played.happens(Event::LaneTaken(lease(0, 2)));
        played.given(lease(0, 3), &[]);
    });
}

#[test]
fn a_look_is_void_for_a_feed_that_was_taken_out_and_added_since() {
    check_look_is_void_after(|played| {
        reloaded(played, &[]);
        reloaded(played, &[("a", 0)]);
    });
}

#[test]
fn a_lane_that_was_lost_unnoticed_is_found_out_by_a_commit() {
    let mut played = Played::new(&[("a", 0)], LANES);
    played.given(lease(1, 1), &[]);
    played.given(lease(0, 2), &[]);
    let look = played.look();
    // Another replica has had lane 1 for a while, and this one has not noticed.
    played.found(look, &[("a", 1, 6)]);
    assert_eq!(played.polls().remove(0).lease, lease(1, 1), "its commit will be refused");
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
    let told = Notice::Reloaded { feeds: 2, added: 1, removed: 1 };
    assert!(played.has(|effect| matches!(effect, Effect::Log(notice) if *notice == told)));
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
fn a_feed_whose_host_changes_stays_in_its_lane_and_its_poll_under_way_counts() {
    let mut played = Played::new(&[("a", 0)], 2);
    played.given(lease(0, 1), &[]);
    played.given(lease(1, 2), &[]);
    let look = played.look();
    played.found(look, &[]);
    assert_eq!(played.polled(), ["a"]);
    played.happens(Event::ConfigurationRead(Some(Box::new(configured(&[("a", 1)])))));
    played.passes(3);
    assert_eq!(played.polled(), [""; 0], "its first poll may yet be committed in lane 0");
    played.ends("a", PollEnd::Committed(lease(0, 1), state(1, 4)));
    played.passes(2);
    let poll = played.polls().remove(0);
    assert_eq!((poll.lease.lane, poll.state.plan.sequence), (0, 1));
    assert_eq!(poll.feed.url.host_str(), Some(&*host(1)), "at its new URL");
}

#[test]
fn a_first_poll_that_came_to_nothing_leaves_the_feed_to_its_new_lane() {
    let mut played = Played::new(&[("a", 0)], 2);
    played.given(lease(0, 1), &[]);
    played.given(lease(1, 2), &[]);
    let look = played.look();
    played.found(look, &[]);
    assert_eq!(played.polled(), ["a"]);
    played.happens(Event::ConfigurationRead(Some(Box::new(configured(&[("a", 1)])))));
    played.ends("a", PollEnd::Taken);
    let look = played.look();
    played.found(look, &[]);
    assert_eq!(played.polls().remove(0).lease.lane, 1);
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
fn feeds_of_a_lane_that_was_left_uncleanly_are_tried_and_so_is_one_that_crashed() {
    let crash = Crash { under: "another".to_owned(), at: samples::now() };
    let mut crashed = FeedState::clone(&state(1, 0));
    crashed.plan.crash = Some(crash);
    let mut played = Played::alone(&[("a", 0), ("b", 1)], &[("b", crashed.into())]);
    let tried: BTreeMap<String, bool> =
        played.polls().iter().map(|poll| (poll.feed.id.to_string(), poll.is_tried)).collect();
    assert_eq!(tried, [("a".to_owned(), false), ("b".to_owned(), true)].into());
    let mut played = Played::new(&[("a", 0)], 1);
    let past = Past::default().after(OwnerEnd::Unclean, samples::now());
    played.happens(Event::LaneGiven { lease: lease(0, 1), states: States::new(), past });
    assert!(played.polls().remove(0).is_tried);
    assert_eq!(played.scheduler.counts(played.now().wall).careful_lanes, 1);
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

/// Each feed on a host of its own.
fn apart(count: usize, concurrency: usize) -> Played {
    let feed = |number: usize| {
        let url = format!("http://apart{number}.org/").parse().unwrap();
        Arc::new(samples::feed(&format!("feed{number}"), url))
    };
    let feeds = (0..count).map(feed).collect();
    let configuration = Configuration { feeds, concurrency, ..configured(&[]) };
    let scheduler = Scheduler::new(configuration, 1);
    let mut played = Played { scheduler, elapsed: Duration::ZERO, effects: Vec::new() };
    played.given(lease(0, 1), &[]);
    played
}

impl Played {
    /// The request of a feed ends after so many seconds, and its poll with it.
    fn ends_after(&mut self, id: &FeedId, took: u64, heard: Heard) {
        let request = Request { took: Duration::from_secs(took), heard };
        self.happens(Event::Fetched(id.clone(), request));
        let in_seconds = i64::try_from(self.elapsed.as_secs()).unwrap() + 3;
        let end = PollEnd::Committed(lease(0, 1), state(1, in_seconds));
        self.happens(Event::PollEnded(id.clone(), end));
    }

    fn put_off(&mut self) -> Vec<FeedId> {
        let put_off = self.effects.iter().filter_map(|effect| match effect {
            Effect::PutOff(id) => Some(id.clone()),
            _ => None,
        });
        let put_off = put_off.collect();
        self.effects.retain(|effect| !matches!(effect, Effect::PutOff(_)));
        put_off
    }
}

#[test]
fn hosts_that_were_slow_hold_a_quarter_of_the_places_together() {
    let mut played = apart(8, 8);
    for poll in played.polls() {
        played.ends_after(&poll.feed.id, 10, Heard::Answer);
    }
    played.passes(5);
    let polls = played.polls();
    assert_eq!(polls.len(), 2);
    // One that answers soon is no slow one any more.
    played.ends_after(&polls[0].feed.id, 1, Heard::Answer);
    assert_eq!(played.polls().len(), 1);
    played.passes(5);
    assert_eq!(played.polled(), [polls[0].feed.id.to_string()]);
}

#[test]
fn a_host_that_was_late_is_given_less_time_and_all_of_it_after_an_answer() {
    let mut played = apart(1, 8);
    for (patience, took, heard) in [
        (Patience::Whole, 30, Heard::Silence),
        (Patience::Half, 15, Heard::Silence),
        (Patience::Third, 9, Heard::Answer),
        (Patience::Whole, 30, Heard::Silence),
    ] {
        let polls = played.polls();
        assert_eq!(polls.iter().map(|poll| poll.patience).collect::<Vec<_>>(), [patience]);
        played.ends_after(&polls[0].feed.id, took, heard);
        played.passes(4);
    }
}

#[test]
fn requests_that_take_long_hold_half_of_the_places_while_others_wait() {
    let mut played = apart(10, 8);
    let first: Vec<FeedId> = played.polls().iter().map(|poll| poll.feed.id.clone()).collect();
    assert_eq!(first.len(), 8);
    assert!(played.put_off().is_empty());
    // The scheduler asks to be woken when they have turned out slow.
    let wake_at = played.scheduler.wake_at(played.now()).unwrap();
    assert_eq!(wake_at.since(played.now().at), SLOW_AFTER);
    played.passes(4);
    let put_off = played.put_off();
    assert_eq!(put_off.len(), 4);
    for id in &put_off {
        played.happens(Event::PollEnded(id.clone(), PollEnd::PutOff));
    }
    // Those that waited have their turn, then those that were put off, two at a time.
    let polls = played.polls();
    assert_eq!(polls.len(), 4);
    assert_eq!(polls.iter().filter(|poll| put_off.contains(&poll.feed.id)).count(), 2);
    // They are slow now, and have the time that they were given.
    played.passes(20);
    let again = played.put_off();
    assert!(again.iter().all(|id| !put_off.contains(id)), "{again:?} {put_off:?}");
}

#[test]
fn requests_that_take_long_are_left_alone_while_nobody_waits_and_after_they_have_ended() {
    let mut played = apart(8, 8);
    assert_eq!(played.polls().len(), 8);
    played.passes(20);
    assert!(played.put_off().is_empty());

    let mut played = apart(9, 8);
    for poll in played.polls() {
        let request = Request { took: Duration::from_secs(1), heard: Heard::Answer };
        played.happens(Event::Fetched(poll.feed.id.clone(), request));
    }
    // A ledger that is away holds them all; nobody's request is to blame.
    played.passes(20);
    assert!(played.put_off().is_empty());
}

/// A state whose server has asked to wait so long.
fn refused(sequence: u64, seconds: i64) -> Arc<FeedState> {
    let mut refused = Arc::unwrap_or_clone(state(sequence, seconds));
    refused.plan.next.reason = Reason::RetryAfter;
    refused.plan.polled_at = Some(samples::now());
    refused.into()
}

#[test]
fn a_host_that_refuses_one_of_its_feeds_is_asked_for_none_until_it_said() {
    let feeds = [("a", 0), ("b", 0), ("c", 0), ("d", 1)];
    let mut played = Played::alone(&feeds, &[]);
    assert_eq!(played.polled(), ["a", "d"]);
    played.ends("a", PollEnd::Committed(lease(0, 1), refused(1, 300)));
    played.passes(298);
    assert_eq!(played.polled(), [""; 0]);
    assert_eq!(
        played.scheduler.counts(played.now().wall).overdue,
        Duration::ZERO,
        "nobody is late"
    );
    // Nor by a reload, or after a restart.
    let configuration = Box::new(configured(&feeds));
    played.happens(Event::ConfigurationRead(Some(configuration)));
    assert_eq!(played.polled(), [""; 0]);
    let mut again = Played::alone(&feeds, &[("a", refused(1, 300))]);
    assert_eq!(again.polled(), ["d"]);
    played.passes(2);
    assert_eq!(played.polls().len(), 1, "one at a time, as always");
}

#[test]
fn what_one_feed_is_told_holds_for_its_host_for_an_hour_at_most() {
    let mut played = Played::alone(&[("a", 0), ("b", 0)], &[]);
    assert_eq!(played.polled(), ["a"]);
    played.ends("a", PollEnd::Committed(lease(0, 1), refused(1, 3600)));
    played.ends("a", PollEnd::Committed(lease(0, 1), refused(2, 86_400)));
    played.passes(3600);
    assert!(played.polled().contains(&"b".to_owned()));
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

/// The same, after its last poll failed.
fn failed(state: Arc<FeedState>) -> Arc<FeedState> {
    let mut state = Arc::unwrap_or_clone(state);
    state.plan.standing = Standing::Failing;
    state.into()
}

/// The shortest interval of a feed that has a hub.
const SHORTEST: Duration = Duration::from_secs(60);

/// The state of a feed whose hub has verified its first subscription, due in an hour.
fn with_hub(sequence: u64) -> Arc<FeedState> {
    let now = samples::now();
    let mut hub = Subscription {
        offer: Some(Offer {
            hub: "https://hub.example/".to_owned(),
            topic: "https://a.example/".to_owned(),
        }),
        callback: Some("callback".to_owned()),
        ..Subscription::default()
    };
    let until = now + SignedDuration::from_hours(240);
    hub.lease = Some(HubLease { since: now, granted_at: now, until });
    let mut state = FeedState::clone(&state(sequence, 3600));
    state.plan.polled_at = Some(now);
    state.plan.subscription = Some(Box::new(hub));
    state.into()
}

impl Played {
    /// One feed, whose hub is asked under this callback.
    fn with_hubs(callback: Option<&str>, states: &[(&str, Arc<FeedState>)]) -> Self {
        let mut feeds = configured(&[("a", 0)]);
        for feed in &mut feeds.feeds {
            let feed = Arc::make_mut(feed);
            (feed.interval_min, feed.interval_max) = (SHORTEST, Duration::from_secs(3600));
        }
        let configuration = Configuration { callback: callback.map(Into::into), ..feeds };
        let scheduler = Scheduler::new(configuration, 1);
        let mut played = Self { scheduler, elapsed: Duration::ZERO, effects: Vec::new() };
        played.given(lease(0, 1), states);
        played
    }

    fn hears(&mut self, generation: u32, said: &Said) -> Option<Told> {
        let now = self.now().wall;
        let heard = self.scheduler.hear(&samples::id("a"), generation, said, now);
        self.happens(Event::Elapsed);
        heard
    }

    /// Requests to hubs since the last time this was asked.
    fn asks(&mut self) -> Vec<(Mode, u32)> {
        let (asks, others) = std::mem::take(&mut self.effects)
            .into_iter()
            .partition(|effect| matches!(effect, Effect::AskHub(..)));
        self.effects = others;
        let asks: Vec<Effect> = asks;
        let ask = |effect: Effect| match effect {
            Effect::AskHub(_, request) => Some((request.mode, request.generation)),
            _ => None,
        };
        asks.into_iter().filter_map(ask).collect()
    }
}

#[test]
fn a_push_makes_a_feed_due_once_and_no_sooner_than_its_shortest_interval() {
    let mut played = Played::with_hubs(Some("callback"), &[("a", with_hub(3))]);
    played.passes(1);
    let shortest = SHORTEST.as_secs();
    for _ in 0..3 {
        assert_eq!(played.hears(0, &Said::Pushed), Some(Told::Yes));
    }
    played.passes(shortest.saturating_sub(2));
    assert_eq!(played.polled(), [""; 0]);
    played.passes(1);
    assert_eq!(played.polled(), ["a"]);
    let mut after = FeedState::clone(&with_hub(4));
    after.plan.polled_at = Some(played.now().wall);
    after.plan.next.due_at = Some(played.now().wall + SignedDuration::from_hours(1));
    // One that came during the poll may be of news that the answer did not have yet.
    let mut again = Played::with_hubs(Some("callback"), &[("a", with_hub(3))]);
    again.passes(shortest);
    again.hears(0, &Said::Pushed);
    assert_eq!(again.polled(), ["a"]);
    assert_eq!(again.hears(0, &Said::Pushed), Some(Told::Yes));
    again.passes(1);
    let mut during = after.clone();
    during.plan.polled_at = Some(again.now().wall - SignedDuration::from_secs(1));
    again.ends("a", PollEnd::Committed(lease(0, 1), during.into()));
    again.passes(shortest);
    assert_eq!(again.polled(), ["a"]);
    // Without another, nothing.
    played.ends("a", PollEnd::Committed(lease(0, 1), after.into()));
    played.passes(600);
    assert_eq!(played.polled(), [""; 0]);
}

#[test]
fn a_push_is_not_taken_for_a_feed_of_another_replica_nor_for_what_is_over() {
    let mut played = Played::with_hubs(Some("callback"), &[("a", with_hub(3))]);
    assert_eq!(played.hears(1, &Said::Pushed), Some(Told::Over));
    played.happens(Event::LaneTaken(lease(0, 1)));
    assert_eq!(played.hears(0, &Said::Pushed), None);
    let now = played.now().wall;
    let mut hears = |said: &Said| played.scheduler.hear(&samples::id("b"), 0, said, now);
    assert_eq!(hears(&Said::Pushed), Some(Told::Over));
    let topic = "https://a.example/".to_owned();
    let end = Said::Verify { mode: Mode::Unsubscribe, topic, lease: None };
    assert_eq!(hears(&end), Some(Told::Yes));
}

#[test]
fn a_push_shortens_no_wait_that_a_server_or_a_failure_asked_for() {
    for (reason, failures) in [
        (Reason::RetryAfter, 0),
        (Reason::Backoff, 1),
        (Reason::Quota, 0),
        (Reason::Gone, 1),
        (Reason::Interval, 1),
    ] {
        let mut state = FeedState::clone(&with_hub(3));
        (state.plan.next.reason, state.plan.failures) = (reason, failures);
        // A quota is spent: see `schedule::due`.
        state.plan.today.articles = u64::MAX;
        state.plan.today =
            DayUse { day: cw_model::state::day_of(samples::now()), ..state.plan.today };
        let mut played = Played::with_hubs(Some("callback"), &[("a", state.into())]);
        played.passes(30);
        assert_eq!(played.hears(0, &Said::Pushed), Some(Told::Yes));
        played.passes(1800);
        assert_eq!(played.polled(), [""; 0], "{reason:?}");
    }
}

#[test]
fn a_hub_is_asked_when_a_poll_has_ended_and_only_where_somebody_listens() {
    let fresh = || {
        let mut state = FeedState::clone(&with_hub(4));
        let hub = state.plan.subscription.as_mut().unwrap();
        (hub.lease, hub.callback) = (None, None);
        Arc::new(state)
    };
    for (callback, asked) in [(Some("callback"), vec![(Mode::Subscribe, 0)]), (None, vec![])] {
        let mut played = Played::with_hubs(callback, &[("a", state(3, -1))]);
        assert_eq!(played.polled(), ["a"]);
        played.ends("a", PollEnd::Committed(lease(0, 1), fresh()));
        assert_eq!(played.asks(), asked);
        assert_eq!(played.scheduler.counts(played.now().wall).subscriptions.asked, asked.len());
    }
    // What was agreed under another callback is over at once, and so is its generation.
    let mut played = Played::with_hubs(Some("another"), &[("a", with_hub(3))]);
    assert_eq!(played.hears(0, &Said::Pushed), Some(Told::Over));
    assert_eq!(played.scheduler.counts(played.now().wall).subscriptions.none, 1);
    // A feed that is configured no more ends what it has.
    let mut played = Played::with_hubs(Some("callback"), &[("a", with_hub(3))]);
    reloaded(&mut played, &[("b", 0)]);
    assert_eq!(played.asks(), [(Mode::Unsubscribe, 0)]);
    played.happens(Event::HubAsked(samples::id("a"), 0, Err(None)));
}

#[test]
fn after_a_start_a_feed_is_asked_as_if_its_hub_had_not_pushed() {
    let mut state = FeedState::clone(&with_hub(3));
    let next = &mut state.plan.next;
    next.reason = Reason::SafetyNet;
    (next.interval, next.safety_net) = (Duration::from_secs(900), Some(Duration::from_secs(3600)));
    let mut played = Played::with_hubs(Some("callback"), &[("a", state.into())]);
    played.passes(899);
    assert_eq!(played.polled(), [""; 0]);
    played.passes(2);
    assert_eq!(played.polled(), ["a"]);
}
