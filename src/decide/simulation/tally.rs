//! What histories came to: a simulation in which nothing happens proves nothing.

use std::fmt;

use crate::lane::{Count, Found};

/// How often each thing happened.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    histories: u64,
    pub(super) kills: u64,
    pub(super) polls: u64,
    pub(super) put_off: u64,
    pub(super) looks: u64,
    pub(super) kept: u64,
    pub(super) left_out: u64,
    pub(super) moves: u64,
    pub(super) foreign: u64,
    pub(super) widened: u64,
    pub(super) refused: u64,
    committed: u64,
    failed: u64,
    fenced: u64,
    restored: u64,
    found_committed: u64,
    found_aborted: u64,
    found_taken: u64,
}

impl Tally {
    /// Of so many histories that have not begun.
    pub(super) fn of(histories: u64) -> Self {
        Self {
            histories,
            kills: 0,
            polls: 0,
            put_off: 0,
            looks: 0,
            kept: 0,
            left_out: 0,
            moves: 0,
            foreign: 0,
            widened: 0,
            refused: 0,
            committed: 0,
            failed: 0,
            fenced: 0,
            restored: 0,
            found_committed: 0,
            found_aborted: 0,
            found_taken: 0,
        }
    }

    pub(super) fn count(&mut self, count: &Count) {
        match count {
            Count::Committed { .. } => self.committed += 1,
            Count::Failed => self.failed += 1,
            Count::Fenced => self.fenced += 1,
            Count::Restored { .. } => self.restored += 1,
            Count::Resolved(Found::Committed) => self.found_committed += 1,
            Count::Resolved(Found::Aborted) => self.found_aborted += 1,
            Count::Resolved(Found::Taken) => self.found_taken += 1,
        }
    }

    /// Takes in those of another.
    pub(super) fn add(&mut self, other: &Self) {
        let Self {
            histories,
            kills,
            polls,
            put_off,
            looks,
            kept,
            left_out,
            moves,
            foreign,
            widened,
            refused,
            committed,
            failed,
            fenced,
            restored,
            found_committed,
            found_aborted,
            found_taken,
        } = other;
        self.histories += histories;
        self.kills += kills;
        self.polls += polls;
        self.put_off += put_off;
        self.looks += looks;
        self.kept += kept;
        self.left_out += left_out;
        self.moves += moves;
        self.foreign += foreign;
        self.widened += widened;
        self.refused += refused;
        self.committed += committed;
        self.failed += failed;
        self.fenced += fenced;
        self.restored += restored;
        self.found_committed += found_committed;
        self.found_aborted += found_aborted;
        self.found_taken += found_taken;
    }

    /// What never happened.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("a kill", self.kills),
            ("a poll", self.polls),
            ("a poll that is put off", self.put_off),
            ("a look into lanes of others", self.looks),
            ("a feed that moves to another host", self.moves),
            ("a feed polled away from the lane of its host", self.kept),
            ("a feed left out of the configuration", self.left_out),
            ("a transaction of somebody else", self.foreign),
            ("topics that get more partitions", self.widened),
            ("a record that a broker refuses", self.refused),
            ("a commit", self.committed),
            ("a failed transaction", self.failed),
            ("a fenced lane", self.fenced),
            ("a restore", self.restored),
            ("a commit that took effect although it looked failed", self.found_committed),
            ("an abort that was looked up", self.found_aborted),
            ("a lane found taken", self.found_taken),
        ];
        all.into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} histories: {} polls, {} moves of feeds, {} looks into lanes, {} commits, {} failed transactions (looked up: {} committed, {} aborted, \
             {} taken), {} restores, {} times fenced, {} kills",
            self.histories,
            self.polls,
            self.moves,
            self.looks,
            self.committed,
            self.failed,
            self.found_committed,
            self.found_aborted,
            self.found_taken,
            self.restored,
            self.fenced,
            self.kills
        )
    }
}
