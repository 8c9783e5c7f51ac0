//! Simulated months of publishers: how late their entries are read, how often they are asked, what is missed.
//!
//! `cargo test -p cw-decide --lib months -- --nocapture` prints the table of `benches/README.md`.

use cw_model::state::Rhythm;

use super::rhythm::{Bounds, Heard, INTERVAL_START, learned, wait};
use super::*;
use crate::backoff::split_mix;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const A_DAY: u64 = 24 * HOUR;

/// So long each publisher is polled; the first week is that of learning, and is not counted.
const DAYS: u64 = 56;
const DAYS_LEARNING: u64 = 7;

/// A Monday, 00:00 UTC.
fn start() -> Timestamp {
    "2026-03-02T00:00:00Z".parse().unwrap()
}

/// A publisher: how many entries it lists, and when they come.
struct Publisher {
    name: &'static str,
    window: usize,
    /// Entries an hour, by seconds since the start.
    rate: fn(u64) -> f64,
    /// The most requests in a day.
    requests_max: f64,
    /// The longest that half of its entries may take, minutes.
    p50_max: u64,
    /// Beside these, bursts or batches: seconds since the start.
    extra: fn(&mut Dice) -> Vec<u64>,
}

/// What is left to chance.
struct Dice(u64);

impl Dice {
    fn part(&mut self) -> f64 {
        f64::from(u32::try_from(split_mix(&mut self.0) >> 32).unwrap()) / f64::from(u32::MAX)
    }

    fn below(&mut self, end: u64) -> u64 {
        split_mix(&mut self.0) % end
    }
}

fn hour(at: u64) -> u64 {
    at / HOUR % 24
}

fn is_weekend(at: u64) -> bool {
    at / A_DAY % 7 >= 5
}

fn diurnal(at: u64) -> f64 {
    let busy = match hour(at) {
        7..=16 => 10.0,
        5..=6 | 17..=20 => 2.0,
        _ => 0.2,
    };
    if is_weekend(at) { busy * 0.3 } else { busy }
}

fn nothing(_: &mut Dice) -> Vec<u64> {
    Vec::new()
}

/// Forty entries in half an hour, every second day at any time.
fn bursts(dice: &mut Dice) -> Vec<u64> {
    let mut times = Vec::new();
    for day in (0..DAYS).step_by(2) {
        let begin = day * A_DAY + dice.below(2 * A_DAY - HOUR);
        times.extend((0..40).map(|_| begin + dice.below(30 * MINUTE)));
    }
    times
}

/// Four entries at each full hour.
fn hourly(dice: &mut Dice) -> Vec<u64> {
    (0..DAYS * 24).flat_map(|hour| [hour * HOUR + dice.below(20); 4]).collect()
}

/// One without bursts.
const fn steady(
    name: &'static str,
    window: usize,
    rate: fn(u64) -> f64,
    most: (f64, u64),
) -> Publisher {
    Publisher { name, window, rate, requests_max: most.0, p50_max: most.1, extra: nothing }
}

fn weekly(at: u64) -> f64 {
    if at / A_DAY % 7 == 1 && hour(at) == 9 { 3.0 } else { 0.0 }
}

const PUBLISHERS: [Publisher; 7] = [
    steady("steady: 1 an hour, lists 20", 20, |_| 1.0, (75.0, 12)),
    steady(
        "hot by day: 10 an hour from 7 to 17, less at weekends, lists 20",
        20,
        diurnal,
        (100.0, 5),
    ),
    Publisher {
        extra: bursts,
        ..steady(
            "bursts of 40 in 30 minutes, else 1 in two hours, lists 20",
            20,
            |_| 0.5,
            (102.0, 6),
        )
    },
    steady("slow: 1 a day, lists 10", 10, |_| 1.0 / 24.0, (20.0, 45)),
    Publisher {
        extra: hourly,
        ..steady("4 at each full hour, lists 30", 30, |_| 0.0, (100.0, 10))
    },
    steady("30 an hour, lists 10", 10, |_| 30.0, (190.0, 5)),
    steady("weekly: 3 on Tuesdays at 9, lists 10", 10, weekly, (10.0, 60)),
];

impl Publisher {
    /// When its entries come, in order.
    fn arrivals(&self, dice: &mut Dice) -> Vec<u64> {
        let minutes = (0..DAYS * 24 * 60).map(|minute| minute * MINUTE);
        let mut times: Vec<u64> = minutes
            .flat_map(|at| {
                let expected = (self.rate)(at) / 60.0;
                (dice.part() < expected).then(|| at + dice.below(MINUTE))
            })
            .collect();
        times.extend((self.extra)(dice));
        times.sort_unstable();
        times
    }
}

/// How a wait is learned.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Before there were rhythms: a quarter more after a poll that found nothing, a quarter less after one that found
    /// something, half after one that found all new.
    Before,
    Now,
}

#[derive(Default)]
struct Tally {
    requests: u64,
    delays: Vec<u64>,
    missed: u64,
    /// Missed besides, while the publisher was away.
    missed_away: u64,
    gaps: u64,
    /// Missed, and no gap says so.
    unsaid: u64,
}

/// The months of one publisher. Once a week it is away for three hours; once a day the process is killed and
/// forgets what it learned in the last hour.
fn live(publisher: &Publisher, way: Way, seed: u64) -> Tally {
    let feed = tests::feed();
    let bounds = Bounds { min: feed.interval_min, max: feed.interval_max };
    let mut dice = Dice(seed);
    let arrivals = publisher.arrivals(&mut dice);
    let time = |at: u64| start() + Duration::from_secs(at);
    let mut tally = Tally::default();
    let mut learnt: (Option<Rhythm>, Option<Duration>) = (None, None);
    let mut written = (0, learnt);
    let (mut at, mut polled, mut read, mut failures) = (0_u64, None, 0_usize, 0_u32);
    while at < DAYS * A_DAY {
        let counts = at >= DAYS_LEARNING * A_DAY;
        tally.requests += u64::from(counts);
        let is_away = at / A_DAY % 7 == 3 && (9..12).contains(&hour(at));
        let mut interval = learnt.1.unwrap_or(INTERVAL_START);
        if is_away {
            failures += 1;
        } else {
            let was_away = std::mem::take(&mut failures) > 0;
            if at.saturating_sub(written.0) > A_DAY {
                learnt = written.1;
            }
            if at.saturating_sub(written.0) > HOUR {
                written = (at, learnt);
            }
            let listed = arrivals.partition_point(|arrival| *arrival <= at);
            let begin = listed.saturating_sub(publisher.window);
            let new: Vec<u64> = arrivals[begin.max(read)..listed].to_vec();
            let lost = begin.saturating_sub(read);
            let has_gap = polled.is_some() && read > 0 && begin >= read && listed > begin;
            if counts {
                tally.delays.extend(new.iter().map(|arrival| at - arrival));
                *if was_away { &mut tally.missed_away } else { &mut tally.missed } += lost as u64;
                tally.gaps += u64::from(has_gap);
                tally.unsaid += if has_gap || polled.is_none() { 0 } else { lost as u64 };
            }
            let came: Vec<Option<Timestamp>> = new.iter().map(|at| Some(time(*at))).collect();
            let heard = Heard {
                after: polled.map(time),
                at: time(at),
                came: &came,
                window: (listed - begin) as u64,
            };
            interval = match way {
                Way::Now => {
                    let rhythm = learned(learnt.0, None, &heard);
                    learnt.0 = Some(rhythm);
                    wait(&rhythm, &heard, bounds)
                }
                Way::Before => match learnt.1 {
                    None => INTERVAL_START,
                    Some(last) if came.is_empty() => last.mul_f64(1.25),
                    Some(last) if came.len() < listed - begin => last.mul_f64(0.75),
                    Some(last) => last.mul_f64(0.5),
                },
            }
            .clamp(bounds.min, bounds.max);
            learnt.1 = Some(interval);
            (polled, read) = (Some(at), listed);
        }
        let hints = Hints { interval, failures, ..Hints::default() };
        let due_at = plan(&feed, &hints, time(at), dice.part()).due_at.unwrap();
        at = u64::try_from(due_at.duration_since(start()).as_secs()).unwrap() + 1;
    }
    tally
}

/// Delays of this part of the entries are no longer, seconds.
fn quantile(delays: &mut [u64], percent: usize) -> u64 {
    delays.sort_unstable();
    delays.get(delays.len() * percent / 100).copied().unwrap_or(0)
}

#[test]
fn months() {
    let minutes = |seconds: u64| format!("{:.1}", seconds as f64 / 60.0);
    println!(
        "| publisher | way | requests a day | p50 min | p90 min | missed % | while it was away | gaps |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for publisher in &PUBLISHERS {
        for (name, way) in [("before", Way::Before), ("now", Way::Now)] {
            let mut tally = live(publisher, way, 7);
            let requests = tally.requests as f64 / (DAYS - DAYS_LEARNING) as f64;
            let read = tally.delays.len() as u64;
            let all = (read + tally.missed + tally.missed_away).max(1) as f64;
            let share = |missed: u64| 100.0 * missed as f64 / all;
            let (missed, away) = (share(tally.missed), share(tally.missed_away));
            let (p50, p90) = (quantile(&mut tally.delays, 50), quantile(&mut tally.delays, 90));
            println!(
                "| {} | {name} | {requests:.0} | {} | {} | {missed:.2} | {away:.2} | {} |",
                publisher.name,
                minutes(p50),
                minutes(p90),
                tally.gaps
            );
            assert_eq!(tally.unsaid, 0, "{}", publisher.name);
            if way == Way::Now {
                // Those that were away are asked more often: each failure is a request.
                assert!(requests <= publisher.requests_max, "{}: {requests}", publisher.name);
                assert!(p50 <= publisher.p50_max * MINUTE, "{}: {p50} s", publisher.name);
                assert!(missed < 1.0, "{}: {missed} %", publisher.name);
            }
        }
    }
}
