//! What hubs say, and what they are asked.

use super::*;
use crate::subscription::Said;

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

    fn hears(&mut self, generation: u32, said: &Said) -> Option<HubReply> {
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
        assert_eq!(played.hears(0, &Said::Pushed), Some(HubReply::Yes));
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
    assert_eq!(again.hears(0, &Said::Pushed), Some(HubReply::Yes));
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
    assert_eq!(played.hears(1, &Said::Pushed), Some(HubReply::Over));
    played.happens(Event::LaneTaken(lease(0, 1)));
    assert_eq!(played.hears(0, &Said::Pushed), None);
    let now = played.now().wall;
    let mut hears = |said: &Said| played.scheduler.hear(&samples::id("b"), 0, said, now);
    assert_eq!(hears(&Said::Pushed), Some(HubReply::Over));
    let topic = "https://a.example/".to_owned();
    let end = Said::Verify { mode: Mode::Unsubscribe, topic, lease: None };
    assert_eq!(hears(&end), Some(HubReply::Yes));
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
        assert_eq!(played.hears(0, &Said::Pushed), Some(HubReply::Yes));
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
    assert_eq!(played.hears(0, &Said::Pushed), Some(HubReply::Over));
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
