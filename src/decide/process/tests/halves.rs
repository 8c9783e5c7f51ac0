//! Which half of a state a poll changes.

use cw_model::state::unpackings;

use super::*;

/// What a poll may do to the memory of its feed.
#[derive(Debug, PartialEq)]
enum Memory {
    /// The next state has the same allocation, and nothing was unpacked.
    Shared,
    /// The next state has one of its own.
    Another,
}

/// Polls a feed whose last document was this one.
#[track_caller]
fn check(document: &Answer, answer: &Answer, expected: &Memory) -> Outcome {
    let before = polls(&feed(), std::slice::from_ref(document)).state;
    let mut outcome = None;
    let tagger = tagger();
    let unpacked = unpackings::during(|| {
        outcome = Some(process(&feed(), answer, &before, &tagger, now()));
    });
    let outcome = outcome.unwrap();
    let is_shared = outcome.state.memory.is_shared_with(&before.memory);
    let memory = if is_shared { Memory::Shared } else { Memory::Another };
    assert_eq!(memory, *expected, "{answer:?}");
    assert_eq!(unpacked == 0, is_shared, "{answer:?} unpacks {unpacked} times");
    assert_eq!(outcome.state.plan.sequence, before.plan.sequence + 1);
    assert_ne!(outcome.state.plan, before.plan);
    outcome
}

#[test]
fn a_poll_that_changed_nothing_touches_only_the_plan() {
    let document = || body(&[("1", "One"), ("2", "Two")]);
    for answer in [
        not_modified(None),
        not_modified(Some("\"a\"")),
        document(),
        failed(FailureClass::Dns),
        failed(FailureClass::Gone),
        failed(FailureClass::Local),
    ] {
        check(&document(), &answer, &Memory::Shared);
    }
    let moved = Some("https://new.example/rss".parse().unwrap());
    let Answer::NotModified(answer) = not_modified(None) else { unreachable!() };
    let answer = Answer::NotModified(NotModified { moved_to: moved, ..answer });
    assert!(check(&document(), &answer, &Memory::Shared).state.plan.moved_to.is_some());
}

#[test]
fn a_poll_that_says_something_new_makes_another_memory() {
    let document = body(&[("1", "One")]);
    check(&document, &body(&[("1", "One"), ("2", "Two")]), &Memory::Another);
    check(&document, &body_with("no feed", None), &Memory::Another);
    let outcome = check(&document, &not_modified(Some("\"b\"")), &Memory::Another);
    assert_eq!(etag(&outcome).as_deref(), Some("\"b\""));
    let outcome =
        check(&document, &body_with(&rss(&[("1", "One")]), Some("\"c\"")), &Memory::Another);
    assert_eq!(etag(&outcome).as_deref(), Some("\"c\""));
}

/// What is written says of every article of the window that the last poll saw it, as if the memory had
/// been changed.
#[test]
fn the_window_of_a_memory_that_was_not_touched_moves_with_the_poll() {
    let (both, one) = (body(&[("1", "One"), ("2", "Two")]), body(&[("2", "Two")]));
    let answers = [both, one, not_modified(None), failed(FailureClass::Dns), not_modified(None)];
    let state = polls(&feed(), &answers).state;
    let written = serde_json::to_value(StateRecord::from(state.as_ref())).unwrap();
    let mut seen: Vec<u64> = written["seen"]
        .as_object()
        .unwrap()
        .values()
        .map(|seen| seen["last_seen"].as_u64().unwrap())
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, [1, 5]);
    assert_eq!(FeedState::parse(written.to_string().as_bytes()).unwrap(), *state);
}
