//! Whole deployments, lived through from a seed: brokers, a consumer group, replicas and publishers,
//! with everything that goes wrong. Lanes and schedulers are real: the very machines of `decide`.
//!
//! A seed makes a whole history; the same seed makes the same one again. What must hold afterwards is
//! in `checks`. That the simulated brokers (`crate::brokers`) do what real ones do is held by scenarios
//! that run on both (`tests/it/scenarios`).
//!
//! `make sim SEEDS=100000` runs many; `CONFLICTWIRE_SIM_SEED=n` tells the story of one.

mod checks;
mod dice;
mod driving;
mod group;
mod membership;
mod network;
mod publisher;
mod replica;
mod scheduling;
mod tally;
mod world;

use std::fmt;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tally::Tally;
use world::{Pen, World};

/// What a history did wrong, and how it came to that.
#[derive(Debug)]
struct Story {
    seed: u64,
    wrong: Vec<String>,
    /// The last events, oldest first.
    told: Vec<String>,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}:", self.seed)?;
        self.wrong.iter().try_for_each(|wrong| writeln!(f, "  WRONG {wrong}"))?;
        self.told.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Lives through a history.
fn live(seed: u64) -> Result<Tally, Box<Story>> {
    let mut world = World::new(seed, Pen::Down);
    world.run();
    if world.wrong().is_empty() {
        return Ok(world.tally().clone());
    }
    // Once more, with a pen.
    let mut world = World::new(seed, Pen::Writing);
    world.run();
    Err(Box::new(Story { seed, wrong: world.wrong().to_vec(), told: world.told() }))
}

/// Lives through the histories of so many seeds, on all processors, to the first that goes wrong.
fn live_all(first: u64, count: u64) -> Result<Tally, Box<Story>> {
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let result = Mutex::new(Ok(Tally::of(0)));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || result.lock().unwrap().is_err() {
                        return;
                    }
                    match (live(seed), &mut *result.lock().unwrap()) {
                        (Ok(one), Ok(all)) => all.add(&one),
                        (Err(story), result @ Ok(_)) => *result = Err(story),
                        (_, Err(_)) => {}
                    }
                }
            });
        }
    });
    result.into_inner().unwrap()
}

/// A number from the environment.
fn asked(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "asks for the tests, not for the program")]
    let value = std::env::var(name);
    value.ok().map(|value| value.parse().unwrap())
}

/// How many histories a test run lives through, unless the environment asks for more.
const SEEDS: u64 = 2000;

#[test]
fn nothing_is_lost_or_told_twice_in_any_history() {
    if let Some(seed) = asked("CONFLICTWIRE_SIM_SEED") {
        if let Err(story) = live(seed) {
            panic!("{story}");
        }
        return;
    }
    let first = asked("CONFLICTWIRE_SIM_FIRST").unwrap_or(0);
    let count = asked("CONFLICTWIRE_SIM_SEEDS").unwrap_or(SEEDS);
    let tally = live_all(first, count).unwrap_or_else(|story| panic!("{story}"));
    // Past the capture of the test harness: the figures are the point.
    writeln!(std::io::stderr(), "simulation | {tally}").unwrap();
    if count >= SEEDS {
        assert_eq!(tally.missing(), Vec::<&str>::new(), "a simulation in which that never happens");
    }
}
