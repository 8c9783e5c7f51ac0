//! What is left without the feature `otlp`: nothing that takes memory or time.

use cw_decide::Lease;
use cw_model::{Answer, Feed, Outcome};

use super::PollEnded;
use crate::clock::Clock;

/// No traces.
#[derive(Clone, Debug, Default)]
pub struct Traces;

/// No trace of a poll.
#[derive(Debug)]
pub struct PollTrace;

impl Traces {
    /// A poll begins.
    pub fn begin(&self, _clock: Clock) -> PollTrace {
        PollTrace
    }

    /// It has ended.
    pub fn end(&self, _trace: PollTrace, _feed: &Feed, _lease: Lease, _ended: PollEnded) {}
}

impl PollTrace {
    /// Its request has ended.
    pub fn fetched(&mut self, _answer: &Answer) {}

    /// Its document is about to be read, and what goes with it is there.
    pub fn reads(&mut self) {}

    /// Its document is read.
    pub fn read(&mut self, _outcome: &Outcome) {}
}
