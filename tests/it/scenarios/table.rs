//! The scenarios. Offsets are counted by hand: each record takes one, and so does the marker that ends a
//! transaction in a partition.

use cw_decide::lane::Found;

use super::Name::{A, B};
use super::Request::{AnswerLost, Answered, Lost};
use super::Verdict::{
    Committed, Ended, Failed, Given, LaneLost, LeftOut, LookedUp, Offsets, Quarantined, Seen, Sent,
    Taken,
};
use super::{Foreign, Scenario, Step, Verdict, Why};

/// What the articles topic takes in the scenario of the refused record, bytes.
const SMALL: usize = 20_000;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        answer_lost(),
        request_lost(),
        overtaken(),
        taken_back(),
        killed(),
        stranger_open(),
        timed_out(),
        sequence_back(),
        compacted(),
        refused(),
    ]
}

fn scenario(name: &'static str, steps: Vec<(Step, Vec<Verdict>)>) -> Scenario {
    Scenario { name, record_bytes_max: None, steps }
}

/// Takes up a lane that nobody had: the first transaction is its `__lane`, at offset 0.
fn first(name: super::Name) -> (Step, Vec<Verdict>) {
    (Step::TakeUp(name), vec![Given { sequence: 1, feeds: 0, is_clean: true }])
}

fn given(sequence: u64, feeds: usize) -> Vec<Verdict> {
    vec![Given { sequence, feeds, is_clean: false }]
}

fn failed(why: Why) -> Verdict {
    Failed { why, is_doubtful: false }
}

fn in_doubt(why: Why) -> Verdict {
    Failed { why, is_doubtful: true }
}

/// What a reader sees: keys in the lane's partition, titles of articles.
fn seen(state: &[&str], articles: &[&str]) -> (Step, Vec<Verdict>) {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    (Step::Read, vec![Seen { state: own(state), articles: own(articles) }])
}

fn offsets(stable: i64, high_watermark: i64) -> (Step, Vec<Verdict>) {
    (Step::AskOffsets, vec![Offsets { high_watermark, stable }])
}

fn answer_lost() -> Scenario {
    scenario(
        "a commit whose answer is lost",
        vec![
            first(A),
            (Step::Send(A, &["one"]), vec![Sent]),
            offsets(2, 4),
            seen(&["__lane"], &[]),
            (
                Step::End(A, AnswerLost),
                vec![in_doubt(Why::NoAnswer), LookedUp(Found::Committed), Committed],
            ),
            offsets(5, 5),
            seen(&["__lane", "a", "__lane"], &["one"]),
            // The lane goes on after what it found.
            (Step::Send(A, &["two"]), vec![Sent]),
            (Step::End(A, Answered), vec![Committed]),
            offsets(8, 8),
            seen(&["__lane", "a", "__lane", "a", "__lane"], &["one", "two"]),
        ],
    )
}

fn request_lost() -> Scenario {
    scenario(
        "a commit whose request is lost",
        vec![
            first(A),
            (Step::Send(A, &["one"]), vec![Sent]),
            (
                Step::End(A, Lost),
                vec![in_doubt(Why::NoAnswer), LookedUp(Found::Aborted), Committed],
            ),
            // The aborted records and their marker, then the same again.
            offsets(8, 8),
            seen(&["__lane", "a", "__lane"], &["one"]),
        ],
    )
}

fn overtaken() -> Scenario {
    scenario(
        "a stale replica commits after another has",
        vec![
            first(A),
            (Step::Send(A, &["one"]), vec![Sent]),
            // Fencing A aborts what it has open.
            (Step::TakeUp(B), given(1, 0)),
            offsets(5, 5),
            (Step::Send(B, &["two"]), vec![Sent]),
            (Step::End(B, Answered), vec![Committed]),
            (
                Step::End(A, Answered),
                vec![in_doubt(Why::Fenced), LookedUp(Found::Taken), Taken, LaneLost],
            ),
            offsets(8, 8),
            seen(&["__lane", "a", "__lane"], &["two"]),
        ],
    )
}

fn taken_back() -> Scenario {
    scenario(
        "the last initialiser wins",
        vec![
            first(A),
            (Step::TakeUp(B), given(1, 0)),
            // A does not know yet. It finds that nobody has committed since, and has the id again.
            (
                Step::Send(A, &["one"]),
                vec![failed(Why::Fenced), LookedUp(Found::Aborted), Committed],
            ),
            (
                Step::Send(B, &["one"]),
                vec![failed(Why::Fenced), LookedUp(Found::Taken), Taken, LaneLost],
            ),
            // Nothing of what was refused is in the log.
            offsets(5, 5),
            seen(&["__lane", "a", "__lane"], &["one"]),
        ],
    )
}

fn killed() -> Scenario {
    scenario(
        "a replica is killed in a transaction",
        vec![
            first(A),
            (Step::Send(A, &["one"]), vec![Sent]),
            (Step::End(A, Answered), vec![Committed]),
            (Step::Send(A, &["two"]), vec![Sent]),
            (Step::Kill(A), Vec::new()),
            offsets(5, 7),
            (Step::TakeUp(B), given(2, 1)),
            offsets(8, 8),
            (Step::Send(B, &["three"]), vec![Sent]),
            (Step::End(B, Answered), vec![Committed]),
            offsets(11, 11),
            // In the order of both, without what was aborted in between.
            seen(&["__lane", "a", "__lane", "a", "__lane"], &["one", "three"]),
        ],
    )
}

fn stranger_open() -> Scenario {
    scenario(
        "a transaction of somebody else stands open",
        vec![
            first(A),
            (Step::StrangerOpens(Foreign::Other), Vec::new()),
            (Step::Send(A, &["one"]), vec![Sent]),
            (Step::End(A, Answered), vec![Committed]),
            // Committed, and behind what is open.
            offsets(2, 6),
            seen(&["__lane"], &["one"]),
            (Step::Kill(A), Vec::new()),
            // Reads to the high watermark, so it waits until the coordinator has ended the stranger's.
            (Step::TakeUp(B), given(2, 1)),
            offsets(7, 7),
            seen(&["__lane", "a", "__lane"], &["one"]),
        ],
    )
}

fn timed_out() -> Scenario {
    scenario(
        "the coordinator ends a transaction",
        vec![
            first(A),
            (Step::Send(A, &["one"]), vec![Sent]),
            (Step::TimeOut, Vec::new()),
            offsets(5, 5),
            (
                Step::End(A, Answered),
                vec![in_doubt(Why::Fenced), LookedUp(Found::Aborted), Committed],
            ),
            offsets(8, 8),
            seen(&["__lane", "a", "__lane"], &["one"]),
        ],
    )
}

fn sequence_back() -> Scenario {
    scenario(
        "the sequence of a lane goes back",
        vec![
            first(A),
            (Step::Send(A, &["one"]), vec![Sent]),
            (Step::End(A, Answered), vec![Committed]),
            (Step::GiveBack(A), vec![Ended]),
            (Step::StrangerCommits(Foreign::Lane(2)), Vec::new()),
            (Step::TakeUp(B), vec![Quarantined]),
            offsets(9, 9),
            // Somebody has looked.
            (Step::StrangerCommits(Foreign::Lane(9)), Vec::new()),
            (Step::TakeUp(B), given(9, 1)),
            offsets(11, 11),
        ],
    )
}

fn compacted() -> Scenario {
    scenario(
        "the log of a lane is compacted",
        vec![
            first(A),
            (Step::Send(A, &["one"]), vec![Sent]),
            (Step::End(A, Answered), vec![Committed]),
            (Step::Send(A, &["two"]), vec![Sent]),
            (
                Step::End(A, Lost),
                vec![in_doubt(Why::NoAnswer), LookedUp(Found::Aborted), Committed],
            ),
            (Step::GiveBack(A), vec![Ended]),
            (Step::Compact, Vec::new()),
            seen(&["a", "__lane", super::run::OTHER], &["one", "two"]),
            offsets(15, 15),
            // Its own `__lane` says that it has the lane: the last sequence was 4.
            (Step::TakeUp(B), vec![Given { sequence: 5, feeds: 1, is_clean: true }]),
            offsets(17, 17),
        ],
    )
}

fn refused() -> Scenario {
    let steps = vec![
        first(A),
        (
            Step::Send(A, &["one", "large", "two"]),
            vec![failed(Why::TooLarge), LookedUp(Found::Aborted), LeftOut(1), Committed],
        ),
        seen(&["__lane", "a", "__lane"], &["one", "two"]),
        (Step::Send(A, &["three"]), vec![Sent]),
        (Step::End(A, Answered), vec![Committed]),
        seen(&["__lane", "a", "__lane", "a", "__lane"], &["one", "two", "three"]),
    ];
    Scenario {
        record_bytes_max: Some(SMALL),
        ..scenario("a broker refuses one record of several", steps)
    }
}
