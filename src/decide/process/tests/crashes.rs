//! What a document that ended its reader leaves behind.

use super::*;

fn crash_under(under: &str) -> Crash {
    Crash { under: under.to_owned(), at: now() }
}

#[test]
fn a_document_that_ended_its_reader_puts_the_feed_off_for_a_week_and_is_a_reject() {
    let feed = feed();
    let before = polls(&feed, &[body(&[("1", "One")])]).state;
    let Answer::Body(document) = body(&[("2", "Two")]) else { panic!("a body") };
    let outcome = crashed(&feed, &document, &before, crash_under("here"), "signal: 6");
    let after = &outcome.state;
    assert_eq!(after.plan.put_off_for(), Some(&crash_under("here")));
    let week = Duration::from_secs(7 * 24 * 3600);
    let (due_at, polled_at) = (after.plan.next.due_at.unwrap(), after.plan.polled_at);
    assert!(due_at >= now().checked_add(week).unwrap());
    // The configuration's longest interval does not shorten it.
    assert_eq!(crate::schedule::due_at(&feed, &after.plan.next, polled_at, now()), due_at);
    assert_eq!(
        (after.plan.failures, after.unpacked_memory().seen),
        (
            1,
            polls(&feed, &[body(&[("1", "One")]), failed(FailureClass::Dns)])
                .state
                .unpacked_memory()
                .seen
        )
    );
    assert_eq!(
        (outcome.records.len(), outcome.rejects.len(), outcome.urgency),
        (0, 1, Urgency::Prompt)
    );
    assert_eq!(
        (outcome.rejects[0].reason.as_str(), outcome.rejects[0].length),
        ("crash", document.bytes.len() as u64)
    );
    assert_eq!(after.memory.body_digest(), before.memory.body_digest(), "it counts as not seen");

    let again = crashed(&feed, &document, after, crash_under("there"), "signal: 6");
    assert!(again.rejects.is_empty(), "the same document is a reject once");
    assert_eq!(again.state.plan.put_off_for(), Some(&crash_under("there")));
}

#[test]
fn a_crash_is_remembered_through_other_answers_until_a_document_is_forgiven() {
    let (feed, tagger) = (feed(), tagger());
    let Answer::Body(document) = body(&[("2", "Two")]) else { panic!("a body") };
    let crashed = crashed(&feed, &document, &FeedState::default(), crash_under("here"), "");
    for answer in [not_modified(None), failed(FailureClass::Timeout), body(&[("3", "Three")])] {
        let outcome = process(&feed, &answer, &crashed.state, &tagger, now());
        assert_eq!(outcome.state.plan.crash.as_deref(), Some(&crash_under("here")));
        assert_eq!(outcome.state.plan.put_off_for(), None, "it is asked as usual");
        let is_read = matches!(outcome.result, PollResult::Modified(_));
        assert_eq!(forgiven(outcome).state.plan.crash.is_none(), is_read);
    }
}

/// The first programs refuse a ledger with one word in it that they do not know.
#[test]
fn a_state_with_a_crash_has_no_word_that_the_first_programs_do_not_know() {
    let Answer::Body(document) = body(&[("2", "Two")]) else { panic!("a body") };
    let state = crashed(&feed(), &document, &FeedState::default(), crash_under("here"), "").state;
    let text = state.written().unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    let words = ["/standing", "/plan/reason", "/last_failure/class"];
    let words = words.map(|word| written.pointer(word).and_then(|word| word.as_str()).unwrap());
    assert_eq!(words, ["failing", "backoff", "panic"]);
    assert_eq!(FeedState::parse(text.as_bytes()).unwrap(), *state);
}
