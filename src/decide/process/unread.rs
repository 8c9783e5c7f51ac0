//! Outcomes of polls whose document nobody could read to its end: our own trouble, told as the feed's next attempt.

use cw_model::state::{Crash, FeedState};
use cw_model::{Body, Failure, FailureClass, Feed, Outcome, Timestamp};
use cw_read::parse::ParseFailure;

use super::asked::with_request;
use super::{failed, next_state, refuse, urgency};

/// The outcome of a poll that panicked: our own mistake, and the feed's next attempt.
pub fn panicked(feed: &Feed, state: &FeedState, now: Timestamp) -> Outcome {
    let failure = Failure {
        class: FailureClass::Panic,
        detail: "the poll panicked; this is a defect of conflictwire".to_owned(),
        retry_after: None,
    };
    let outcome = failed(feed, failure, Vec::new(), next_state(feed, state, now), now);
    with_request(outcome, feed, state, now)
}

/// The outcome of a poll whose document ended the process that tried it: how, for a person, and under
/// which version and configuration. Pure too, and it does not look inside the document.
pub fn crashed(feed: &Feed, body: &Body, state: &FeedState, crash: Crash, how: &str) -> Outcome {
    let now = crash.at;
    let mut next = next_state(feed, state, now);
    // Stays when the poll after it succeeds: only a document that was read under the same version
    // forgives it.
    next.plan.crash = Some(Box::new(crash));
    let detail = format!("the document ended the process that read it: {how}");
    let problem = ParseFailure { class: FailureClass::Crash, detail, offset: None };
    with_request(refuse(feed, body, next, problem, now), feed, state, now)
}

/// The outcome of a poll whose body there is no memory to read, however long it waits.
pub fn too_large(
    feed: &Feed,
    body: &Body,
    state: &FeedState,
    detail: String,
    now: Timestamp,
) -> Outcome {
    let problem = ParseFailure { class: FailureClass::TooLarge, detail, offset: None };
    let outcome = refuse(feed, body, next_state(feed, state, now), problem, now);
    let outcome = with_request(outcome, feed, state, now);
    Outcome { urgency: urgency(state, &outcome), ..outcome }
}
