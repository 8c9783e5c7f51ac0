//! How hosts share the places for polls, by how they behave.

use std::collections::BTreeMap;

use super::*;

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
    // Whoever looks is told what those wait for that nothing else puts off.
    let now = played.now().wall;
    let views = played.scheduler.views(now);
    let waits = |id: &str| {
        let view = views.iter().find(|view| view.feed.id.as_str() == id).unwrap();
        (view.next_poll_at(now).unwrap().duration_since(now).as_secs(), view.due.unwrap().why)
    };
    assert_eq!(waits("b"), (300, Why::HostRefused));
    assert_eq!(waits("a"), (300, Why::Planned));
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
    let now = played.now().wall;
    let views = played.scheduler.views(now);
    let is_held = |view: &FeedView| view.due.is_some_and(|due| due.why == Why::HostRefused);
    assert!(!views.iter().any(is_held), "it is over");
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

impl Played {
    /// The poll of a feed ends now: the server has refused it for so long, or answered.
    fn ends_now(&mut self, id: &str, sequence: u64, refused_for: Option<i64>) {
        let now = self.now().wall;
        let mut ended = Arc::unwrap_or_clone(state(sequence, 0));
        let wait = SignedDuration::from_secs(refused_for.unwrap_or(60));
        ended.plan.next.due_at = Some(now + wait);
        ended.plan.polled_at = Some(now);
        if refused_for.is_some() {
            ended.plan.failures = 1;
            ended.plan.next.reason = Reason::RetryAfter;
        } else {
            ended.plan.succeeded_at = Some(now);
        }
        self.ends(id, PollEnd::Committed(lease(0, 1), ended.into()));
    }

    /// Lets feeds of one host be polled for so many seconds; says how often each was. Those of `refused` are refused for
    /// five minutes each time.
    fn lives(&mut self, seconds: u64, refused: &[&str]) -> BTreeMap<String, usize> {
        let mut polls = BTreeMap::new();
        let mut sequence = 1000 * (self.elapsed.as_secs() + 1);
        for _ in 0..seconds / 5 {
            for id in self.polled() {
                sequence += 1;
                let wait = refused.contains(&id.as_str()).then_some(300);
                self.ends_now(&id, sequence, wait);
                *polls.entry(id).or_default() += 1;
            }
            self.passes(5);
        }
        polls
    }
}

/// 32
#[test]
fn a_host_that_refuses_one_feed_alone_again_and_again_is_asked_for_the_others() {
    let feeds = [("a", 0), ("b", 0)];
    let mut played = Played::alone(&feeds, &[]);
    // At first all are spared.
    let first = played.lives(590, &["a"]);
    assert!(first["b"] <= 2, "{first:?}");
    let later = played.lives(3600, &["a"]);
    assert!(later["a"] <= 13 && later["b"] >= 45, "{later:?}");
    // A reload brings the same states and is no news.
    played.happens(Event::ConfigurationRead(Some(Box::new(configured(&feeds)))));
    let later = played.lives(3600, &["a"]);
    assert!(later["a"] <= 13 && later["b"] >= 45, "{later:?}");
    // As soon as the other is refused too, it is the host's word again.
    let both = played.lives(3600, &["a", "b"]);
    assert!(both["a"] + both["b"] <= 16, "{both:?}");
}
