//! Runs a scenario step by step.

use std::fmt;
use std::time::Duration;

use cw_decide::lane::wire::{Head, Line, Target};
use cw_model::{FeedId, Outcome, samples};

use super::log::Log;
use super::replica::Replica;
use super::{Foreign, Name, Scenario, Step, Verdict};

/// The key of a record that means nothing to a lane.
pub(super) const OTHER: &str = "__other";

/// What a title begins with whose article is large.
pub(super) const LARGE: &str = "large";

/// How long a large article is, bytes.
const LARGE_BYTES: usize = 60_000;

/// A step that came to something else than it must.
pub(crate) struct Difference {
    scenario: &'static str,
    number: usize,
    step: Step,
    expected: Vec<Verdict>,
    found: Vec<Verdict>,
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, number, step, expected, found } = self;
        write!(
            f,
            "\"{scenario}\", step {number}, {step:?}:\n  must be {expected:?}\n  and is  {found:?}"
        )
    }
}

/// The processes that are alive.
#[derive(Default)]
struct Replicas {
    a: Option<Replica>,
    b: Option<Replica>,
    /// Polls of the feed so far.
    polls: u64,
    now: Duration,
}

/// Takes the steps one after the other.
///
/// # Errors
/// The first step that comes to something else than it must.
pub(crate) fn run(scenario: &Scenario, mut log: Log<'_>) -> Result<(), Difference> {
    let mut replicas = Replicas::default();
    for (number, (step, expected)) in (1..).zip(&scenario.steps) {
        let found = replicas.take(*step, &mut log, expected);
        if found != *expected {
            let (scenario, step, expected) = (scenario.name, *step, expected.clone());
            return Err(Difference { scenario, number, step, expected, found });
        }
    }
    Ok(())
}

impl Replicas {
    fn take(&mut self, step: Step, log: &mut Log<'_>, expected: &[Verdict]) -> Vec<Verdict> {
        match step {
            Step::TakeUp(name) => {
                let now = self.now;
                self.place(name).get_or_insert_with(|| Replica::new(name, now));
                self.with(name, |replica| replica.take_up(log))
            }
            Step::Send(name, titles) => {
                self.polls += 1;
                let outcome = outcome(self.polls, titles);
                self.with(name, |replica| replica.send(outcome, log))
            }
            Step::End(name, request) => self.with(name, |replica| replica.end(request, log)),
            Step::GiveBack(name) => self.with(name, |replica| replica.give_back(log)),
            Step::Kill(name) => {
                *self.place(name) = None;
                Vec::new()
            }
            Step::StrangerOpens(record) => {
                log.stranger_opens(record);
                Vec::new()
            }
            Step::StrangerCommits(record) => {
                log.stranger_opens(record);
                log.stranger_commits();
                Vec::new()
            }
            Step::TimeOut => {
                log.time_out();
                Vec::new()
            }
            Step::Compact => {
                log.compact();
                Vec::new()
            }
            Step::Read => vec![log.read(expected)],
            Step::AskOffsets => vec![log.offsets(expected)],
        }
    }

    fn place(&mut self, name: Name) -> &mut Option<Replica> {
        match name {
            Name::A => &mut self.a,
            Name::B => &mut self.b,
        }
    }

    fn with(&mut self, name: Name, act: impl FnOnce(&mut Replica)) -> Vec<Verdict> {
        let replica = self.place(name).as_mut().unwrap();
        act(replica);
        let (verdicts, now) = (replica.verdicts(), replica.now());
        self.now = self.now.max(now);
        verdicts
    }
}

/// A poll of the one feed that found articles with these titles.
fn outcome(poll: u64, titles: &[&str]) -> Outcome {
    let records = (0..).zip(titles).map(|(number, title)| {
        let number = u32::try_from(poll).unwrap() * 100 + number;
        let mut record = samples::record(number, title);
        record.body = title.starts_with(LARGE).then(|| "x".repeat(LARGE_BYTES));
        record
    });
    samples::outcome("a", poll, records.collect())
}

/// A record of the stranger, in the lane's partition.
pub(super) fn foreign(record: Foreign) -> Line {
    let (key, value) = match record {
        Foreign::Other => (OTHER, b"{}".to_vec()),
        Foreign::Lane(sequence) => {
            let head = Head::after(sequence - 1, ("stranger", 1), 0, samples::now());
            (FeedId::RESERVED, serde_json::to_vec(&head).unwrap())
        }
    };
    Line {
        target: Target::State,
        partition: Some(0),
        key: key.to_owned(),
        headers: Vec::new(),
        value: Some(value.into()),
        record: None,
    }
}
