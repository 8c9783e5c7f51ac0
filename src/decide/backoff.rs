//! The waits between tries of one thing. Pure: chance comes in as a seed.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

/// Waits that double, each shortened by chance to something between its half and its whole.
///
/// Chance keeps apart those that failed at the same moment: without it all replicas and polls that
/// lost a broker would ask it again at the same moment, every time.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    /// The next wait, before chance.
    next: Duration,
    chance: u64,
}

impl Backoff {
    /// Begins with a wait of `first` at most and goes up to `longest`. See [`seed`].
    pub fn new(first: Duration, longest: Duration, seed: u64) -> Self {
        Self { first, longest, next: first, chance: seed }
    }

    /// How long to wait this time.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        let part = u32::try_from(split_mix(&mut self.chance) >> 40).unwrap_or(0);
        wait / 2 + (wait / 2).saturating_mul(part) / (1 << 24)
    }

    /// It worked: the next wait is a first one again. Chance goes on, and does not repeat itself.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// The same for something else that may fail, from its first wait on and with other chances.
    pub fn another(&mut self) -> Self {
        Self { next: self.first, chance: split_mix(&mut self.chance), ..*self }
    }
}

/// A seed for the one who waits, and for which of its waits: two that are not the same get others.
pub fn seed(who: &str, number: u64) -> u64 {
    let hash = Sha256::new().chain_update(number.to_be_bytes()).chain_update(who).finalize();
    u64::from_be_bytes(hash.first_chunk().copied().unwrap_or_default())
}

/// The next number of the generator `SplitMix64` (Steele, Lea and Flood, 2014).
pub fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const FIRST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(5);

    fn waits(seed: u64) -> Vec<Duration> {
        let mut backoff = Backoff::new(FIRST, LONGEST, seed);
        (0..8).map(|_| backoff.next_wait()).collect()
    }

    #[test]
    fn each_wait_is_between_half_and_the_whole_of_one_that_doubles_up_to_the_longest() {
        for who in 0..500 {
            for (wait, whole) in
                waits(seed("lane", who)).iter().zip([250, 500, 1000, 2000, 4000, 5000, 5000, 5000])
            {
                let whole = Duration::from_millis(whole);
                assert!((whole / 2..=whole).contains(wait), "{wait:?} of {whole:?}");
            }
        }
    }

    #[test]
    fn those_that_failed_at_the_same_moment_come_back_spread_over_the_whole_of_the_wait() {
        let firsts: Vec<Duration> = (0..1000).map(|who| waits(seed("feed", who))[0]).collect();
        // Ten parts of what may be waited, with about a hundred in each.
        for part in 0..10 {
            let from = FIRST / 2 + FIRST / 20 * part;
            let in_part = firsts.iter().filter(|wait| (from..from + FIRST / 20).contains(*wait));
            assert!((50..200).contains(&in_part.count()), "part {part}");
        }
        let distinct: BTreeSet<&Duration> = firsts.iter().collect();
        assert!(distinct.len() > 990, "{}", distinct.len());
    }

    #[test]
    fn the_same_seed_waits_the_same_and_no_other_does() {
        assert_eq!(waits(seed("a", 1)), waits(seed("a", 1)));
        assert_ne!(waits(seed("a", 1)), waits(seed("a", 2)));
        assert_ne!(waits(seed("a", 1)), waits(seed("b", 1)));
    }

    #[test]
    fn after_a_success_it_begins_anew_with_other_chances() {
        let mut backoff = Backoff::new(FIRST, LONGEST, 1);
        let before = [backoff.next_wait(), backoff.next_wait()];
        backoff.reset();
        let after = [backoff.next_wait(), backoff.next_wait()];
        assert!(after[0] <= FIRST && before != after, "{before:?} {after:?}");
        let mut another = backoff.another();
        let others = [another.next_wait(), another.next_wait()];
        assert!(others[0] <= FIRST && others != after, "{others:?} {after:?}");
    }
}
