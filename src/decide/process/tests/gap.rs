//! Windows that no longer overlap. Behaviour 26.

use super::*;

/// How many gaps the last of these documents shows, and the rejects that say so.
#[track_caller]
fn gaps(feed: &Feed, answers: &[Answer]) -> (u64, Vec<Reject>) {
    let outcome = polls(feed, answers);
    let PollResult::Modified(counts) = outcome.result else { panic!("{:?}", outcome.result) };
    let rejects: Vec<Reject> =
        outcome.rejects.into_iter().filter(|reject| reject.reason == "gap").collect();
    assert_eq!(counts.gaps, rejects.len() as u64);
    (counts.gaps, rejects)
}

/// A window of entries with these numbers.
fn window(numbers: std::ops::Range<u32>) -> Answer {
    let items: Vec<(String, String)> =
        numbers.rev().map(|it| (it.to_string(), format!("Headline {it}"))).collect();
    let items: Vec<(&str, &str)> =
        items.iter().map(|(guid, title)| (guid.as_str(), title.as_str())).collect();
    body(&items)
}

#[test]
fn a_document_that_shows_nothing_of_the_one_before_says_between_when_entries_were_missed() {
    let tagger = tagger();
    let first = process(&feed(), &window(0..10), &FeedState::default(), &tagger, now());
    let later = now() + Duration::from_secs(1800);
    let outcome = process(&feed(), &window(25..35), &first.state, &tagger, later);
    assert_eq!(outcome.records.len(), 10);
    let [reject] = outcome.rejects.as_slice() else { panic!("{:?}", outcome.rejects) };
    assert_eq!(reject.reason, "gap");
    for words in ["the 10 of this one", "2026-03-01T12:00:00Z and 2026-03-01T12:30:00Z"] {
        assert!(reject.detail.contains(words), "{}", reject.detail);
    }
    use base64::Engine as _;
    let times = base64::engine::general_purpose::STANDARD.decode(&reject.bytes).unwrap();
    assert_eq!(times, b"2026-03-01T12:00:00Z/2026-03-01T12:30:00Z");
    assert_eq!(outcome.urgency, Urgency::Prompt);
    // It is asked twice at least in as much time.
    assert!(outcome.state.plan.interval.unwrap() <= Duration::from_secs(900));
}

#[test]
fn each_gap_is_said_and_nothing_else_is_one() {
    let (first, second, third) = (|| window(0..5), || window(20..25), || window(40..45));
    assert_eq!(gaps(&feed(), &[first(), second()]).0, 1);
    let (_, one) = gaps(&feed(), &[first(), second()]);
    let (_, two) = gaps(&feed(), &[first(), second(), third()]);
    assert_eq!((one.len(), two.len()), (1, 1));
    // One entry of the last document is enough, also where it was edited or has other marks.
    for (name, answers) in [
        ("a first document", vec![first()]),
        ("an overlap of one", vec![first(), window(4..9)]),
        ("the same document", vec![first(), first()]),
        ("no entries", vec![first(), body(&[])]),
        ("the same after none", vec![first(), body(&[]), first()]),
        ("a 304 between", vec![first(), not_modified(None), window(4..9)]),
        ("a failure between", vec![first(), failed(FailureClass::Timeout), window(4..9)]),
        ("an edit", vec![body(&[("1", "One")]), body(&[("2", "Two"), ("1", "One, edited")])]),
        ("another guid", vec![body(&[("1", "One")]), body(&[("2", "Two"), ("9", "One")])]),
    ] {
        assert_eq!(gaps(&feed(), &answers).0, 0, "{name}");
    }
    // What stood between does not hide one.
    for (name, answers) in [
        ("no entries between", vec![first(), body(&[]), second()]),
        ("a failure between", vec![first(), failed(FailureClass::Timeout), second()]),
        (
            "an old one comes back",
            vec![first(), window(4..9), body(&[("50", "New"), ("0", "Headline 0")])],
        ),
    ] {
        assert_eq!(gaps(&feed(), &answers).0, 1, "{name}");
    }
}

#[test]
fn a_delta_and_another_url_are_no_gap() {
    let Answer::Body(document) = window(20..25) else { panic!("a body") };
    let delta = Answer::Body(Body { instance: Instance::Delta, ..document });
    assert_eq!(gaps(&feed(), &[window(0..5), delta]).0, 0);
    let before = polls(&feed(), &[window(0..5)]);
    let elsewhere = Feed { url: "https://new.example/rss".parse().unwrap(), ..feed() };
    let outcome = process(&elsewhere, &window(20..25), &before.state, &tagger(), now());
    assert!(outcome.rejects.is_empty(), "{:?}", outcome.rejects);
}
