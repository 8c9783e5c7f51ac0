//! Which lane has the state of a feed, and what is looked for where.

use super::*;

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
        played.happens(Event::Looked(look, Err(LookError::new(&"away"))));
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

/// A feed of lane 0 of which no lane of this process has a state, lanes 0 and 1: it is looked for.
fn looking_for_a(lanes: u32) -> (Played, Arc<Look>) {
    let mut played = Played::new(&[("a", 0)], lanes);
    played.given(lease(1, 1), &[]);
    played.given(lease(0, 2), &[]);
    let look = played.look();
    (played, look)
}

/// Nobody has it, so it is polled in lane 0; meanwhile its URL gets a host of lane 1.
fn moved_during_its_first_poll() -> Played {
    let (mut played, look) = looking_for_a(2);
    played.found(look, &[]);
    assert_eq!(played.polled(), ["a"]);
    reloaded(&mut played, &[("a", 1)]);
    played
}

/// Meanwhile a look is under way, and what it has read is older than what changed.
#[track_caller]
fn check_look_is_void_after(events: impl FnOnce(&mut Played)) {
    let (mut played, look) = looking_for_a(LANES);
    events(&mut played);
    assert!(!played.looks(), "one look at a time");
    played.found(look, &[]);
    assert_eq!(played.polled(), [""; 0], "somebody may have committed it since it was read");
    let look = played.look();
    played.found(look, &[("a", 2, 6)]);
    assert_eq!(played.polled(), [""; 0], "another has it");
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
    let (mut played, look) = looking_for_a(LANES);
    // Another replica has had lane 1 for a while, and this one has not noticed.
    played.found(look, &[("a", 1, 6)]);
    assert_eq!(played.polls().remove(0).lease, lease(1, 1), "its commit will be refused");
}

#[test]
fn a_feed_whose_host_changes_stays_in_its_lane_and_its_poll_under_way_counts() {
    let mut played = moved_during_its_first_poll();
    played.passes(3);
    assert_eq!(played.polled(), [""; 0], "its first poll may yet be committed in lane 0");
    played.ends("a", PollEnd::Committed(lease(0, 2), state(1, 4)));
    played.passes(2);
    let poll = played.polls().remove(0);
    assert_eq!((poll.lease.lane, poll.state.plan.sequence), (0, 1));
    assert_eq!(poll.feed.url.host_str(), Some(&*host(1)), "at its new URL");
}

#[test]
fn a_first_poll_that_came_to_nothing_leaves_the_feed_to_its_new_lane() {
    let mut played = moved_during_its_first_poll();
    played.ends("a", PollEnd::Taken);
    let look = played.look();
    played.found(look, &[]);
    assert_eq!(played.polls().remove(0).lease.lane, 1);
}

#[test]
fn feeds_of_a_lane_that_was_left_uncleanly_are_tried_and_so_is_one_that_crashed() {
    let crash = Crash { under: "another".to_owned(), at: samples::now() };
    let mut crashed = FeedState::clone(&state(1, 0));
    crashed.plan.crash = Some(Box::new(crash));
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
