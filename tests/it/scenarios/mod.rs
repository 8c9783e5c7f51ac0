//! Scenarios of lanes, replicas and brokers: lists of steps with what each must come to. The same list
//! runs on simulated brokers (here) and on real ones (`kafka::scenarios`). So they show that simulated
//! brokers do what real ones do, in what exactly-once rests on.
//!
//! The lanes are the machines of `cw_decide::lane`. On real brokers they work with the clients that the
//! ledger works with.

pub(crate) mod log;
mod real;
mod replica;
mod run;
mod simulated;
mod table;

use cw_decide::lane::Found;
pub(crate) use real::Real;
pub(crate) use run::{Difference, run};
use simulated::Simulated;
pub(crate) use table::scenarios;

use crate::support::project;

/// A process that works with the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    A,
    B,
}

/// What becomes of the request to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// It is answered, and the answer arrives.
    Answered,
    /// It takes effect, and the answer is lost.
    AnswerLost,
    /// It is lost.
    Lost,
}

/// A record in the lane's partition that no replica writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Foreign {
    /// With a key that means nothing to a lane.
    Other,
    /// `__lane`, with this sequence.
    Lane(u64),
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Takes the lane up, or tries again.
    TakeUp(Name),
    /// A poll found articles with these titles: its transaction is begun and every record is with the
    /// brokers. Nothing is decided.
    Send(Name, &'static [&'static str]),
    /// That transaction is to be committed. Whatever comes of it, the lane goes on until it is at rest.
    End(Name, Request),
    /// Dies as it is.
    Kill(Name),
    /// Gives the lane back.
    GiveBack(Name),
    /// A producer with an id of its own leaves a transaction open in the lane's partition.
    StrangerOpens(Foreign),
    /// The same, and it commits.
    StrangerCommits(Foreign),
    /// The time of every open transaction is over, and the coordinator has ended it.
    TimeOut,
    /// The lane's partition is compacted, all but the last transaction.
    Compact,
    /// Somebody reads what is committed.
    Read,
    /// Somebody asks where the lane's partition ends.
    AskOffsets,
}

/// Why a transaction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Another producer has the transactional id.
    Fenced,
    /// A record is too large.
    TooLarge,
    /// There was no answer.
    NoAnswer,
    /// Anything else: no scenario expects it.
    Other,
}

/// What a step comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// The replica has the lane.
    Given { sequence: u64, feeds: usize, is_clean: bool },
    /// The log contradicts itself.
    Quarantined,
    /// Brokers have acknowledged every record.
    Sent,
    /// The transaction failed. A failure in doubt may be a commit all the same.
    Failed { why: Why, is_doubtful: bool },
    /// What the log said of it.
    LookedUp(Found),
    /// The poll was told that its outcome is committed.
    Committed,
    /// The poll was told that the lane was taken.
    Taken,
    /// The poll was told that its outcome cannot be committed.
    Refused,
    /// So many records went into no topic.
    LeftOut(usize),
    /// Somebody else has committed in the lane.
    LaneLost,
    /// The lane has ended here.
    Ended,
    /// Keys in the lane's partition, and titles of articles.
    Seen { state: Vec<String>, articles: Vec<String> },
    /// How far a reader of what is not committed can read, and one of what is.
    Offsets { high_watermark: i64, stable: i64 },
}

/// Steps from an empty log on, and what each must come to.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What the articles topic takes, bytes. Replicas do not know.
    record_bytes_max: Option<usize>,
    steps: Vec<(Step, Vec<Verdict>)>,
}

#[test]
fn every_scenario_ends_as_it_must_on_simulated_brokers() {
    for scenario in scenarios() {
        let log = log::Log::Simulated(Simulated::new(scenario.record_bytes_max));
        run(&scenario, log).unwrap();
    }
}

#[test]
fn the_document_of_the_tests_lists_every_scenario() {
    let text = std::fs::read_to_string(project().join("tests/README.md")).unwrap();
    for Scenario { name, .. } in scenarios() {
        assert!(text.contains(&format!("| {name} |")), "\"{name}\" is not in tests/README.md");
    }
}
