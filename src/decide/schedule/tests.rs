//! What `schedule` promises: bounds, claims in order, and polite hosts.

use cw_model::state::LastFailure;
use cw_model::{Backlog, UrlQuery};
use proptest::prelude::*;

use super::queue::{Next, Politeness, Room};
use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn feed() -> Feed {
    Feed {
        id: FeedId::parse("a").unwrap(),
        url: "https://example.org/rss".parse().unwrap(),
        publisher: None,
        country: None,
        language: None,
        private_networks: None,
        interval: None,
        interval_min: 5 * MINUTE,
        interval_max: 4 * HOUR,
        retry_after_max: 24 * HOUR,
        backlog: Backlog::All,
        entries_max: 100,
        text_chars_max: 100,
        body_limit: 16 << 20,
        quota: cw_model::Quota { articles: 20_000, bytes: 256 << 20 },
        query: UrlQuery::Hidden,
        proxy: cw_model::FeedProxy::AsConfigured,
        request: None,
        labels: Vec::new(),
        full_text: cw_model::FullText::Feed,
    }
}

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

#[track_caller]
fn check(hints: Hints, reason: Reason, wait: Duration) {
    let plan = plan(&feed(), &hints, now(), 0.0);
    assert_eq!(plan.reason, reason);
    assert_eq!(plan.due_at.unwrap(), now().checked_add(wait).unwrap());
}

fn hints() -> Hints {
    Hints { interval: 10 * MINUTE, ..Hints::default() }
}

#[test]
fn the_interval_decides_when_nobody_else_speaks() {
    check(hints(), Reason::Interval, 10 * MINUTE);
}

#[test]
fn freshness_delays_the_next_poll_but_not_past_the_longest_interval() {
    check(Hints { fresh_for: Some(HOUR), ..hints() }, Reason::Freshness, HOUR);
    check(Hints { fresh_for: Some(720 * HOUR), ..hints() }, Reason::Freshness, 4 * HOUR);
}

#[test]
fn zero_freshness_does_not_hammer() {
    check(Hints { fresh_for: Some(Duration::ZERO), ..hints() }, Reason::Interval, 10 * MINUTE);
}

#[test]
fn the_ttl_of_a_feed_is_kept() {
    check(Hints { ttl: Some(HOUR), ..hints() }, Reason::Ttl, HOUR);
}

/// 23
#[test]
fn a_feed_is_not_asked_in_the_hours_and_on_the_days_that_it_skips() {
    let mut skips = Skips::default();
    // It is 03:04:05 on a Friday.
    [3, 4, 5].into_iter().for_each(|hour| skips.skip_hour(hour));
    let until_six = 2 * HOUR + 55 * MINUTE + Duration::from_secs(55);
    check(Hints { skips, ..hints() }, Reason::Skips, until_six);
    check(Hints { skips, fresh_for: Some(3 * HOUR), ..hints() }, Reason::Freshness, 3 * HOUR);
    [4, 5].into_iter().for_each(|day| skips.skip_day(day));
    check(Hints { skips, ..hints() }, Reason::Skips, until_six + 42 * HOUR);
    // Neither a restart nor another clock asks sooner.
    check_due(Hints { skips, ..hints() }, &feed(), 0, 161_755);
    // Feeds that skip the same night do not all come in its last moment.
    let late = plan(&feed(), &Hints { skips, ..hints() }, now(), 1.0).due_at.unwrap();
    assert!(late > plan(&feed(), &Hints { skips, ..hints() }, now(), 0.0).due_at.unwrap());
}

#[test]
fn failures_lengthen_the_wait_up_to_the_longest_interval() {
    check(Hints { failures: 1, ..hints() }, Reason::Backoff, 20 * MINUTE);
    check(Hints { failures: 3, ..hints() }, Reason::Backoff, 80 * MINUTE);
    check(Hints { failures: 50, ..hints() }, Reason::Backoff, 4 * HOUR);
}

#[test]
fn retry_after_may_pass_the_longest_interval_but_not_its_own() {
    let asked = Hints { failures: 1, retry_after: Some(10 * HOUR), ..hints() };
    check(asked, Reason::RetryAfter, 10 * HOUR);
    let absurd = Hints { failures: 1, retry_after: Some(9999 * HOUR), ..hints() };
    check(absurd, Reason::RetryAfter, 24 * HOUR);
}

#[test]
fn a_withdrawn_feed_is_asked_weekly() {
    let crash = Hints { failures: 1, failed_by: Some(FailureClass::Crash), ..hints() };
    check(crash, Reason::Crash, CRASH_INTERVAL);
    check(
        Hints { failures: 1, failed_by: Some(FailureClass::Gone), ..hints() },
        Reason::Gone,
        GONE_INTERVAL,
    );
}

/// A plan made by [`hints`] at `now`, under a configuration and a clock that may have changed.
#[track_caller]
fn check_due(hints: Hints, feed: &Feed, clock: i64, expected: i64) {
    let plan = plan(&self::feed(), &hints, now(), 0.0);
    assert_eq!(due_at(feed, &plan, Some(now()), after(clock)), after(expected), "{plan:?}");
}

#[test]
fn a_plan_stands_while_nothing_changes() {
    let hour = Duration::from_secs(3600);
    let planned = plan(&feed(), &Hints { interval: hour, ..hints() }, now(), 1.0);
    assert_eq!(due_at(&feed(), &planned, Some(now()), after(60)), planned.due_at.unwrap());
    assert_eq!(due_at(&feed(), &Plan::default(), None, now()), now(), "never polled");
}

#[test]
fn a_shorter_interval_shortens_a_plan_and_a_longer_one_leaves_it() {
    let hints = Hints { interval: Duration::from_secs(3600), ..hints() };
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let shorter = Feed { interval_min: minutes(1), interval_max: minutes(10), ..feed() };
    check_due(hints, &shorter, 0, 660);
    let fixed = Feed { interval: Some(minutes(20)), ..feed() };
    check_due(hints, &fixed, 0, 1320);
    let longer = Feed { interval: Some(feed().interval_max), ..feed() };
    check_due(hints, &longer, 0, 3600);
}

#[test]
fn a_server_that_asked_to_wait_is_heard_after_a_reload_too() {
    let wait = Duration::from_secs(20 * 3600);
    let hints = Hints { retry_after: Some(wait), failures: 1, ..hints() };
    let shorter = Feed { interval_max: Duration::from_secs(600), ..feed() };
    check_due(hints, &shorter, 0, 20 * 3600);
}

#[test]
fn a_clock_put_back_delays_no_feed_by_more_than_its_wait() {
    let hints = Hints { interval: Duration::from_secs(3600), ..hints() };
    check_due(hints, &feed(), -1_000_000, 3600 - 1_000_000);
    let mut queue = Queue::new(GENTLE);
    queue.insert(id("a"), "host", now());
    queue.insert(id("b"), "host", now());
    assert_eq!(polled(queue.next(now(), Room::Any)), Some(id("a")));
    queue.insert(id("b"), "host", after(-5000));
    queue.finish(&id("a"), after(900));
    queue.set_politeness(GENTLE, after(-5000));
    assert_eq!(queue.next(after(-5000), Room::Any), Next::At(after(-4998)));
}

proptest! {
    #[test]
    fn no_plan_is_earlier_than_any_claim(
        interval in 0_u64..1_000_000, failures in 0_u32..100, retry in 0_u64..80_000, dice in 0.0..1.0_f64,
    ) {
        let hints = Hints {
            interval: Duration::from_secs(interval),
            failures,
            retry_after: Some(Duration::from_secs(retry)),
            ..Hints::default()
        };
        let plan = plan(&feed(), &hints, now(), dice);
        let wait = Duration::try_from(plan.due_at.unwrap().duration_since(now())).unwrap();
        prop_assert!(wait >= feed().interval_min);
        prop_assert!(wait >= Duration::from_secs(retry));
        prop_assert!(wait <= feed().retry_after_max.max(feed().interval_max).mul_f64(1.1));
    }
}

const GENTLE: Politeness = Politeness { host_concurrency: 1, host_gap: Duration::from_secs(2) };

fn id(text: &str) -> FeedId {
    FeedId::parse(text).unwrap()
}

fn polled(next: Next) -> Option<FeedId> {
    match next {
        Next::Poll(turn) => Some(turn.id),
        Next::At(_) | Next::Idle => None,
    }
}

fn after(seconds: i64) -> Timestamp {
    now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap()
}

#[test]
fn the_earliest_feed_comes_first_and_none_before_it_is_due() {
    let mut queue = Queue::new(GENTLE);
    queue.insert(id("late"), "a", after(9));
    queue.insert(id("early"), "b", after(3));
    assert_eq!(queue.next(now(), Room::Any), Next::At(after(3)));
    assert_eq!(polled(queue.next(after(3), Room::Any)), Some(id("early")));
    assert_eq!(queue.next(after(3), Room::Any), Next::At(after(9)));
}

#[test]
fn a_feed_in_flight_is_not_offered_again() {
    let mut queue = Queue::new(GENTLE);
    queue.insert(id("a"), "a", now());
    assert_eq!(polled(queue.next(now(), Room::Any)), Some(id("a")));
    queue.insert(id("a"), "a", now());
    assert_eq!(queue.next(after(100), Room::Any), Next::Idle);
    queue.finish(&id("a"), after(50));
    assert_eq!(queue.next(after(10), Room::Any), Next::At(after(50)));
}

#[test]
fn a_host_gets_its_gap_and_its_places() {
    let mut queue = Queue::new(GENTLE);
    queue.insert(id("a"), "host", now());
    queue.insert(id("b"), "host", now());
    assert_eq!(polled(queue.next(now(), Room::Any)), Some(id("a")));
    assert_eq!(queue.next(now(), Room::Any), Next::Idle);
    queue.finish(&id("a"), after(900));
    assert_eq!(queue.next(after(1), Room::Any), Next::At(after(2)));
    assert_eq!(polled(queue.next(after(2), Room::Any)), Some(id("b")));
}

#[test]
fn a_host_of_many_feeds_does_not_keep_another_waiting() {
    let mut queue = Queue::new(GENTLE);
    (0..500).for_each(|number| queue.insert(id(&format!("big-{number}")), "big", now()));
    queue.insert(id("small"), "small", after(1));
    assert!(matches!(queue.next(now(), Room::Any), Next::Poll(_)));
    assert_eq!(polled(queue.next(after(1), Room::Any)), Some(id("small")));
}

#[test]
fn a_removed_feed_frees_its_host() {
    let mut queue = Queue::new(GENTLE);
    queue.insert(id("a"), "host", now());
    queue.insert(id("b"), "host", now());
    assert_eq!(polled(queue.next(now(), Room::Any)), Some(id("a")));
    queue.remove(&id("a"));
    queue.finish(&id("a"), after(1));
    assert_eq!(polled(queue.next(after(5), Room::Any)), Some(id("b")));
    assert_eq!(queue.len(), 1);
}

#[test]
fn a_feed_that_is_added_again_while_in_flight_is_not_offered_twice() {
    let mut queue = Queue::new(GENTLE);
    queue.insert(id("a"), "host", now());
    assert_eq!(polled(queue.next(now(), Room::Any)), Some(id("a")));
    queue.remove(&id("a"));
    assert!(queue.is_empty());
    queue.insert(id("a"), "host", now());
    assert_eq!(queue.next(after(100), Room::Any), Next::Idle);
    queue.finish(&id("a"), after(200));
    assert_eq!(queue.next(after(100), Room::Any), Next::At(after(200)));
    assert_eq!(polled(queue.next(after(200), Room::Any)), Some(id("a")));
}

#[test]
fn a_feed_that_moves_while_in_flight_waits_at_its_new_host() {
    let mut queue = Queue::new(GENTLE);
    queue.insert(id("a"), "old", now());
    queue.insert(id("b"), "new", after(10));
    assert_eq!(polled(queue.next(now(), Room::Any)), Some(id("a")));
    queue.insert(id("a"), "new", now());
    queue.finish(&id("a"), after(10));
    assert_eq!(polled(queue.next(after(10), Room::Any)), Some(id("a")));
    assert_eq!(queue.next(after(10), Room::Any), Next::Idle, "the new host has one place");
}

#[test]
fn a_host_that_loses_its_only_feed_and_gets_it_back_waits_for_its_gap_all_the_same() {
    let gap = Duration::from_secs(5);
    let mut queue = Queue::new(Politeness { host_concurrency: 1, host_gap: gap });
    queue.insert(id("a"), "example.org", now());
    assert_eq!(polled(queue.next(now(), Room::Any)), Some(id("a")));
    queue.finish(&id("a"), after(1));
    queue.remove(&id("a"));
    queue.insert(id("a"), "example.org", after(1));
    assert_eq!(queue.next(after(2), Room::Any), Next::At(after(5)));
    assert_eq!(polled(queue.next(after(5), Room::Any)), Some(id("a")));
}

#[test]
fn a_host_has_refused_for_as_long_as_it_said_whatever_else_puts_the_feed_off() {
    let seconds = Duration::from_secs;
    let wait = |reason, retry_after, busy: bool| {
        let mut plan = FeedPlan { polled_at: Some(now()), ..FeedPlan::default() };
        plan.next.reason = reason;
        plan.next.retry_after = retry_after;
        plan.next.due_at = Some(now() + seconds(700));
        plan.failures = u32::from(busy);
        plan.last_failure = busy.then(|| {
            Box::new(LastFailure { class: FailureClass::Busy, detail: String::new(), at: now() })
        });
        refused_until(&plan).map(|until| until.duration_since(now()).unsigned_abs())
    };
    assert_eq!(
        wait(Reason::RetryAfter, Some(seconds(650)), true),
        Some(seconds(700)),
        "with jitter"
    );
    assert_eq!(wait(Reason::Backoff, Some(seconds(600)), true), Some(seconds(600)));
    assert_eq!(wait(Reason::Backoff, Some(seconds(1)), true), Some(BUSY_WAIT_MIN));
    assert_eq!(wait(Reason::Backoff, Some(seconds(86_400)), true), Some(HOLD_MAX));
    assert_eq!(wait(Reason::Backoff, None, true), Some(BUSY_WAIT_MIN));
    assert_eq!(wait(Reason::Local, Some(seconds(600)), false), None, "nobody was asked");
    assert_eq!(
        wait(Reason::Backoff, None, false),
        None,
        "another failure says nothing of the host"
    );
}
