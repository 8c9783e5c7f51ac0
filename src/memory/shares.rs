//! How `run.memory` is shared out, and what a document needs of it. Pure.
//!
//! | share | of 16 | holds | until |
//! |---|---|---|---|
//! | small bodies | 2 | for every poll in flight, a body up to `small_body`, as sent and decoded | read |
//! | wire | 2 | larger bodies as they arrive | decoded, or read |
//! | decoded | 2 | larger bodies after decompression, and their decoders | read |
//! | small reading | 2 | what is made of small bodies, one at a time for each place | read |
//! | large reading | 5 | what is made of larger ones | read |
//! | outcomes | 3 | what waits for its commit, with the ledger's copies | committed |
//!
//! A share has bytes of its own, so what fills one never holds up what needs only others: small feeds
//! do not wait for large ones. A poll asks for them in this order, each in one go, and never for one
//! above while it holds one below, so no two polls wait for each other.

use cw_decide::process::outcome_bytes_limit;

/// What reading takes at most for each byte of a body, besides the body and what the outcome holds.
/// The worst document that was measured, a body of `&`, takes 13.0; most take 4 (`benches/README.md`).
pub const READING_PER_BODY_BYTE: u64 = 14;

/// What reading takes besides: the next state, the tables of a text.
const READING_FLOOR: u64 = 2 << 20;

/// Copies of an outcome until it is committed: itself, its rows or lines, and what librdkafka has of
/// them, which its queue bounds besides.
const COMMIT_COPIES: u64 = 3;

/// What a decoder takes besides its window, of which it touches no more than it has decoded: tables.
const DECODER_FLOOR: u64 = 1 << 20;

/// The largest body that counts as small, where there is room for it: few feeds are larger.
const SMALL_BODY_MAX: u64 = 1 << 20;

/// `run.memory`, shared out; bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// The largest body that counts as small.
    pub small_body: u64,
    /// Larger bodies as they arrive.
    pub wire: u64,
    /// Larger bodies after decompression.
    pub decoded: u64,
    /// Reading small bodies.
    pub small_reading: u64,
    /// Reading larger ones.
    pub large_reading: u64,
    /// What waits for its commit.
    pub outcomes: u64,
}

impl Shares {
    /// Shares out so much memory among so many polls in flight.
    pub fn of(memory: u64, concurrency: usize) -> Self {
        let sixteenth = memory / 16;
        let polls = u64::try_from(concurrency).unwrap_or(u64::MAX).max(1);
        Self {
            small_body: (sixteenth / polls).min(SMALL_BODY_MAX),
            wire: 2 * sixteenth,
            decoded: 2 * sixteenth,
            small_reading: 2 * sixteenth,
            large_reading: 5 * sixteenth,
            outcomes: 3 * sixteenth,
        }
    }

    /// The least memory in which a document of `body_limit` bytes can be read.
    pub fn memory_min(body_limit: u64) -> u64 {
        let outcome = outcome_bytes_limit(body_limit);
        let reading = reading_bytes(body_limit, outcome);
        let needs = [
            (2, wire_bytes(body_limit)),
            (2, decoding_bytes(body_limit)),
            (5, reading),
            (3, commit_bytes(outcome)),
        ];
        let sixteenth = needs.iter().map(|(share, need)| need.div_ceil(*share)).max();
        sixteenth.unwrap_or_default().saturating_mul(16)
    }
}

/// What reading a body takes at most, that of the body itself not counted.
pub fn reading_bytes(body_bytes: u64, outcome_bytes_max: u64) -> u64 {
    body_bytes
        .saturating_mul(READING_PER_BODY_BYTE)
        .saturating_add(outcome_bytes_max)
        .saturating_add(READING_FLOOR)
}

/// What an outcome of so many bytes takes until it is committed.
pub fn commit_bytes(outcome_bytes: u64) -> u64 {
    outcome_bytes.saturating_mul(COMMIT_COPIES)
}

/// What decoding a body takes at most: two codings may lie one in the other, and a decoder has a window.
pub fn decoding_bytes(body_limit: u64) -> u64 {
    body_limit.saturating_mul(3).saturating_add(DECODER_FLOOR)
}

/// What the share of arriving bodies must have: one body for whoever goes on when it is full, and as
/// much for the others.
fn wire_bytes(body_limit: u64) -> u64 {
    body_limit.saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_shares_are_no_more_than_the_whole() {
        for memory in [64 * MIB, 300 * MIB, 1024 * MIB, 1 << 40] {
            for concurrency in [1, 32, 1000] {
                let shares = Shares::of(memory, concurrency);
                let small_bodies = 2 * shares.small_body * concurrency as u64;
                let all = small_bodies
                    + shares.wire
                    + shares.decoded
                    + shares.small_reading
                    + shares.large_reading
                    + shares.outcomes;
                assert!(all <= memory, "{all} of {memory} for {concurrency}");
            }
        }
    }

    #[test]
    fn the_least_memory_for_a_limit_has_room_for_a_body_of_it_in_every_share() {
        for body_limit in [1024, 100_000, MIB, 4 * MIB, 16 * MIB, 1 << 30] {
            let shares = Shares::of(Shares::memory_min(body_limit), 1);
            let outcome = outcome_bytes_limit(body_limit);
            assert!(shares.wire >= wire_bytes(body_limit), "{body_limit}");
            assert!(shares.decoded >= decoding_bytes(body_limit), "{body_limit}");
            assert!(shares.large_reading >= reading_bytes(body_limit, outcome), "{body_limit}");
            assert!(shares.outcomes >= commit_bytes(outcome), "{body_limit}");
            // And none to spare in the tightest.
            let less = Shares::of(Shares::memory_min(body_limit) - 16, 1);
            let fits = less.wire >= wire_bytes(body_limit)
                && less.decoded >= decoding_bytes(body_limit)
                && less.large_reading >= reading_bytes(body_limit, outcome)
                && less.outcomes >= commit_bytes(outcome);
            assert!(!fits, "{body_limit}");
        }
    }
}
