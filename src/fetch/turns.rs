//! Turns at servers that several host names share: one address, or the target of their redirects.
//!
//! The queue of the scheduler knows host names alone, and keeps a gap for each. Thirty names behind one
//! address would be thirty requests in a second there. Here each of them takes a turn, with a small gap.
//! Whoever's turn is not soon gives up its place for others and comes back for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Of the gap that one host name has to itself, this part is kept between names at one server.
const GAP_PART: u32 = 4;

/// All names of one server have had a turn after this time: large networks serve thousands.
const ROUND_MAX: Duration = Duration::from_secs(30);

/// A turn that is so near is waited for.
const NEAR: Duration = Duration::from_millis(500);

/// After this time a name is not counted among those of a server any more, nor its turn kept.
const KEPT: Duration = Duration::from_secs(3600);

/// A server that several names may share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shared {
    /// Where names resolve to.
    Address(IpAddr),
    /// Where they redirect to.
    Target(String),
}

/// When a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// After this time at most: it is taken.
    In(Duration),
    /// After this time: it is kept for whoever asked.
    Later(Duration),
}

#[derive(Debug)]
struct Server {
    free_at: Instant,
    names: HashMap<String, Name>,
}

#[derive(Debug)]
struct Name {
    seen_at: Instant,
    /// A turn that is kept for it.
    turn_at: Option<Instant>,
}

/// Turns at every server. Shared by all clients of a process.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<Shared, Server>>);

impl Turns {
    /// A turn for a name; `host_gap` is what it has to itself.
    pub(super) fn take(&self, at: Shared, name: &str, host_gap: Duration) -> Turn {
        self.take_at(at, name, host_gap, Instant::now())
    }

    fn take_at(&self, at: Shared, name: &str, host_gap: Duration, now: Instant) -> Turn {
        // Politeness is switched off, as benchmarks and some private networks do.
        if host_gap.is_zero() {
            return Turn::In(Duration::ZERO);
        }
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody asks any more go when the map would grow.
        if servers.len() == servers.capacity() {
            servers.retain(|_, server| now.saturating_duration_since(server.free_at) < KEPT);
        }
        let new = || Server { free_at: now, names: HashMap::new() };
        servers.entry(at).or_insert_with(new).take(name, host_gap / GAP_PART, now)
    }
}

impl Server {
    fn take(&mut self, name: &str, gap: Duration, now: Instant) -> Turn {
        let is_kept = |it: &Name| now.saturating_duration_since(it.seen_at) < KEPT;
        if self.names.len() == self.names.capacity() {
            self.names.retain(|_, it| is_kept(it));
        }
        let known = self.names.get(name).filter(|it| is_kept(it));
        // Whoever was sent away comes back to the turn that was kept, and not to the end of the
        // row.
        let turn_at = known.and_then(|it| it.turn_at).unwrap_or_else(|| {
            let names = u32::try_from(self.names.len() + 1).unwrap_or(u32::MAX);
            let turn_at = self.free_at.max(now);
            // A network with thousands of names is large: it can bear that they share one round.
            self.free_at = turn_at + gap.min(ROUND_MAX / names);
            turn_at
        });
        let wait = turn_at.saturating_duration_since(now);
        let is_near = wait <= NEAR;
        let kept = Name { seen_at: now, turn_at: (!is_near).then_some(turn_at) };
        self.names.insert(name.to_owned(), kept);
        if is_near { Turn::In(wait) } else { Turn::Later(wait) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_secs(1);

    fn target() -> Shared {
        Shared::Target("shared.example".to_owned())
    }

    #[test]
    fn names_at_one_server_have_their_turns_one_after_another_and_keep_them() {
        let (turns, start) = (Turns::default(), Instant::now());
        let take = |name: u32, after: Duration| {
            turns.take_at(target(), &format!("name{name}"), GAP, start + after)
        };
        let quarter = GAP / 4;
        for name in 0..30 {
            let wait = quarter * name;
            let turn = if name <= 2 { Turn::In(wait) } else { Turn::Later(wait) };
            assert_eq!(take(name, Duration::ZERO), turn);
        }
        // Whoever comes back for its turn has it, whenever that is.
        assert_eq!(take(29, quarter * 29), Turn::In(Duration::ZERO));
        assert_eq!(take(20, quarter * 19), Turn::In(quarter));
        assert_eq!(take(28, quarter * 20), Turn::Later(quarter * 8));
        // And the next one is behind all of them.
        assert_eq!(take(20, quarter * 20), Turn::Later(quarter * 10));
    }

    #[test]
    fn a_server_of_thousands_of_names_holds_nobody_up_for_long() {
        let (turns, start) = (Turns::default(), Instant::now());
        let mut last = Duration::ZERO;
        for name in 0..5000 {
            last = match turns.take_at(target(), &format!("name{name}"), GAP, start) {
                Turn::In(wait) | Turn::Later(wait) => wait,
            };
        }
        assert!(last < Duration::from_secs(3 * 60), "{last:?}");
        // Once they are known, a round takes half a minute.
        let later = start + last + GAP;
        let wait = |name: u32| match turns.take_at(target(), &format!("name{name}"), GAP, later) {
            Turn::In(wait) | Turn::Later(wait) => wait,
        };
        let waits: Vec<Duration> = (0..5000).map(wait).collect();
        assert!(waits.iter().all(|wait| *wait <= ROUND_MAX + GAP), "{:?}", waits.iter().max());
    }

    #[test]
    fn without_a_gap_between_requests_of_one_host_there_is_none_between_hosts() {
        let turns = Turns::default();
        for name in 0..30 {
            let turn = turns.take(target(), &format!("name{name}"), Duration::ZERO);
            assert_eq!(turn, Turn::In(Duration::ZERO));
        }
    }
}
