//! Brokers as a scenario needs them: real or simulated.

use cw_decide::lane::log::Restored;
use cw_decide::lane::wire::{Head, Line};
use cw_decide::lane::{Batching, Failure, Undone};
use cw_model::Timestamp;

use super::real::{self, Real};
use super::simulated::{self, Simulated};
use super::{Foreign, Verdict, Why};

/// Brokers with a lane.
pub(crate) enum Log<'a> {
    Simulated(Simulated),
    Real(Box<Real<'a>>),
}

/// A producer with the transactional id of the lane.
pub(super) enum Producer {
    Simulated(simulated::Producer),
    Real(real::Producer),
}

/// A transaction that was not committed, as far as its producer knows.
pub(super) struct Failed {
    pub(super) failure: Failure,
    pub(super) why: Why,
}

impl Log<'_> {
    pub(super) fn fence(&mut self, batching: Batching) -> Result<Producer, Undone> {
        match self {
            Self::Simulated(log) => Ok(Producer::Simulated(log.fence(batching))),
            Self::Real(log) => log.fence(batching).map(Producer::Real),
        }
    }

    pub(super) fn restore(&mut self) -> Result<Restored, Undone> {
        match self {
            Self::Simulated(log) => log.restore(),
            Self::Real(log) => log.restore(),
        }
    }

    pub(super) fn heads_after(&mut self, offset: i64) -> Result<Vec<(Head, i64)>, Undone> {
        match self {
            Self::Simulated(log) => log.heads_after(offset),
            Self::Real(log) => log.heads_after(offset),
        }
    }

    /// Begins a transaction of these lines; they are with the brokers then.
    pub(super) fn send(
        &mut self,
        producer: &mut Producer,
        lines: &[Line],
        now: Timestamp,
    ) -> Result<(), Failed> {
        match (self, producer) {
            (Self::Simulated(log), Producer::Simulated(producer)) => log.send(producer, lines),
            (Self::Real(_), Producer::Real(producer)) => real::send(producer, lines, now),
            (Self::Simulated(_), Producer::Real(_)) | (Self::Real(_), Producer::Simulated(_)) => {
                panic!("a producer of another log")
            }
        }
    }

    /// Commits it: the offset of its last line.
    pub(super) fn commit(&mut self, producer: &mut Producer) -> Result<i64, Failed> {
        match (self, producer) {
            (Self::Simulated(log), Producer::Simulated(producer)) => log.commit(producer),
            (Self::Real(_), Producer::Real(producer)) => real::commit(producer),
            (Self::Simulated(_), Producer::Real(_)) | (Self::Real(_), Producer::Simulated(_)) => {
                panic!("a producer of another log")
            }
        }
    }

    pub(super) fn stranger_opens(&mut self, record: Foreign) {
        match self {
            Self::Simulated(log) => log.stranger_opens(record),
            Self::Real(log) => log.stranger_opens(record),
        }
    }

    /// Commits what the stranger has opened.
    pub(super) fn stranger_commits(&mut self) {
        match self {
            Self::Simulated(log) => log.stranger_commits(),
            Self::Real(log) => log.stranger_commits(),
        }
    }

    pub(super) fn time_out(&mut self) {
        match self {
            Self::Simulated(log) => log.time_out(),
            Self::Real(log) => log.time_out(),
        }
    }

    pub(super) fn compact(&mut self) {
        match self {
            Self::Simulated(log) => log.compact(),
            Self::Real(log) => log.compact(),
        }
    }

    /// What is committed. Real brokers are asked until it is what is expected, or for long enough: a
    /// marker may take a moment.
    pub(super) fn read(&mut self, expected: &[Verdict]) -> Verdict {
        match self {
            Self::Simulated(log) => log.read(),
            Self::Real(log) => real::settled(expected, || log.read()),
        }
    }

    /// Where the lane's partition ends, as [`Self::read`].
    pub(super) fn offsets(&mut self, expected: &[Verdict]) -> Verdict {
        match self {
            Self::Simulated(log) => log.offsets(),
            Self::Real(log) => real::settled(expected, || log.offsets()),
        }
    }
}
