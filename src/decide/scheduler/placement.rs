//! Which lane a feed is polled in, where its host alone does not say.
//!
//! A feed's **home** is the lane of its URL's host. Its state stays in the lane in which it was first
//! committed, also when the URL gets another host and the feed another home. So the rule is:
//!
//! 1. A feed is polled in its home, if the home has its state.
//! 2. Otherwise it is polled in the lane that has its state; if several have one, in that with the
//!    highest sequence, and of equals in the lowest lane.
//! 3. A feed of which no lane has a state is new, and is polled in its home.
//!
//! States only ever appear in lanes and never leave them, and only the owner of a lane writes there.
//! So it does not matter in which order lanes are read, nor that replicas read them at different times
//! or run with configurations of which one is older: the owner of the one lane that has the state
//! polls the feed, and nobody else does. The one exception is a feed that no lane has a state of: while
//! replicas disagree about its host, each may take it for new.
//!
//! Feeds with a state in their home, nearly all, are placed at once. Of the others every lane but the home
//! must be read, also those of this process: it may have lost one without having noticed, and what
//! another owner has committed there since stands in the log alone.
//! If it has, it polls the feed there all the same: the commit is refused, and the lane is taken up anew.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::messages::{Look, Sequences};

/// Where a feed is polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Placement {
    /// Here, in this lane.
    Here(u32),
    /// Not by this process.
    #[default]
    Elsewhere,
    /// Not known before other lanes have been read.
    Unknown,
}

/// What was found of a feed in lanes that were read.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    /// What was read.
    pub(super) look: Arc<Look>,
    /// The lanes of those that have a state.
    pub(super) found: Sequences,
}

/// Decides where a feed is polled. `held` says of each lane of this process which sequence the feed's
/// state has there, if it has one.
pub(super) fn place(
    home: u32,
    lanes: u32,
    held: &BTreeMap<u32, Option<u64>>,
    sighting: Option<&Sighting>,
) -> Placement {
    if let Some(Some(_)) = held.get(&home) {
        return Placement::Here(home);
    }
    let here: Sequences = held.iter().filter_map(|(lane, it)| Some((*lane, (*it)?))).collect();
    if !held.contains_key(&home) && here.is_empty() {
        // Whoever owns the home, or a lane that has a state, decides.
        return Placement::Elsewhere;
    }
    let has_state = |lane: &u32| here.contains_key(lane);
    let is_read = |lane: &u32| sighting.is_some_and(|it| it.look.lanes.contains(lane));
    let is_home_held = held.contains_key(&home);
    if !(0..lanes).all(|it| (it == home && is_home_held) || has_state(&it) || is_read(&it)) {
        return Placement::Unknown;
    }
    // A state that this process has is as new as any that was read of its lane.
    let found = sighting.iter().flat_map(|sighting| &sighting.found);
    let found = found.filter(|(lane, _)| !has_state(lane));
    let states: Sequences = here.iter().chain(found).map(|(lane, it)| (*lane, *it)).collect();
    let newest =
        states.iter().max_by_key(|(lane, it)| (**it, Reverse(**lane))).map(|(lane, _)| *lane);
    let lane = if states.contains_key(&home) { home } else { newest.unwrap_or(home) };
    // Where it is a lane of this process that has no state here, somebody else has fenced it and written
    // there. The poll's commit is refused then, and that tells the lane to be taken up anew.
    if held.contains_key(&lane) { Placement::Here(lane) } else { Placement::Elsewhere }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn sighting(lanes: &[u32], found: &[(u32, u64)]) -> Sighting {
        let look = Look { feeds: BTreeSet::new(), lanes: lanes.iter().copied().collect() };
        Sighting { look: Arc::new(look), found: found.iter().copied().collect() }
    }

    /// A feed at home in lane 0 of four, in a process that holds some of them.
    #[track_caller]
    fn check(held: &[(u32, Option<u64>)], seen: Option<&Sighting>, wanted: Placement) {
        let held: BTreeMap<_, _> = held.iter().copied().collect();
        assert_eq!(place(0, 4, &held, seen), wanted, "{held:?} {seen:?}");
    }

    #[test]
    fn a_feed_with_a_state_at_home_is_polled_there_whatever_else_there_is() {
        check(&[(0, Some(1))], None, Placement::Here(0));
        check(&[(0, Some(1)), (1, Some(9))], None, Placement::Here(0));
        check(&[(0, Some(1))], Some(&sighting(&[1, 2, 3], &[(2, 9)])), Placement::Here(0));
    }

    #[test]
    fn a_feed_that_no_lane_knows_is_new_once_all_have_been_read() {
        check(&[(0, None)], None, Placement::Unknown);
        check(&[(0, None), (1, None)], Some(&sighting(&[2, 3], &[])), Placement::Unknown);
        check(&[(0, None), (1, None)], Some(&sighting(&[1, 2, 3], &[])), Placement::Here(0));
    }

    #[test]
    fn a_feed_stays_in_the_lane_that_has_its_state() {
        check(&[(0, None)], Some(&sighting(&[1, 2, 3], &[(2, 5)])), Placement::Elsewhere);
        check(&[(2, Some(5))], None, Placement::Unknown);
        check(&[(2, Some(5))], Some(&sighting(&[0, 1, 3], &[])), Placement::Here(2));
        check(&[(2, Some(5))], Some(&sighting(&[0, 1, 3], &[(0, 1)])), Placement::Elsewhere);
        check(&[(1, None)], None, Placement::Elsewhere);
    }

    #[test]
    fn of_several_states_away_from_home_the_newest_counts() {
        check(&[(2, Some(5))], Some(&sighting(&[0, 1, 3], &[(1, 6)])), Placement::Elsewhere);
        check(&[(2, Some(5))], Some(&sighting(&[0, 1, 3], &[(1, 4)])), Placement::Here(2));
        check(&[(2, Some(5))], Some(&sighting(&[0, 1, 3], &[(1, 5)])), Placement::Elsewhere);
        check(&[(2, Some(5))], Some(&sighting(&[0, 1, 3], &[(3, 5)])), Placement::Here(2));
    }

    /// Another owner has committed in a lane that this process believes to have. It must find out, and does
    /// by a commit there, which is refused.
    #[test]
    fn a_lane_that_was_lost_unnoticed_is_found_out() {
        let found = sighting(&[0, 1, 2, 3], &[(2, 5)]);
        check(&[(0, None), (2, None)], Some(&found), Placement::Here(2));
        let found = sighting(&[0, 1, 2, 3], &[(0, 5)]);
        check(&[(0, None), (2, None)], Some(&found), Placement::Here(0));
    }

    proptest! {
        /// Lanes shared out among replicas in any way, each of which has read the others': one and only
        /// one polls the feed, if any has its home or a state.
        #[test]
        fn exactly_one_replica_polls_a_feed(
            owners in proptest::collection::vec(0_u8..3, 4),
            states in proptest::collection::vec(proptest::option::of(1_u64..4), 4),
            home in 0_u32..4,
        ) {
            let all: Vec<(u32, u8, Option<u64>)> =
                (0..4).zip(&owners).zip(&states).map(|((lane, it), state)| (lane, *it, *state)).collect();
            let mut polled = Vec::new();
            for replica in 0..3 {
                let held = all.iter().filter(|(_, owner, _)| *owner == replica);
                let held: BTreeMap<u32, Option<u64>> = held.map(|(lane, _, it)| (*lane, *it)).collect();
                let lanes: Vec<u32> = all.iter().map(|(lane, ..)| *lane).collect();
                let found: Vec<(u32, u64)> =
                    all.iter().filter_map(|(lane, _, state)| Some((*lane, (*state)?))).collect();
                if let Placement::Here(lane) = place(home, 4, &held, Some(&sighting(&lanes, &found))) {
                    polled.push(lane);
                }
            }
            prop_assert_eq!(polled.len(), 1);
        }
    }
}
