//! What a document may cost: the bounds of an outcome, of a state, of a reject, and of a day.

use cw_model::Quota;
use cw_model::reject::REJECT_BYTES_MAX;

use super::super::articles::REPEATED_MARKS_MAX;
use super::super::budget::state_bytes;
use super::*;
use crate::process::outcome_bytes_max;

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// A feed that may show as much as the configuration takes.
fn wide() -> Feed {
    Feed { entries_max: 2000, text_chars_max: 100_000, ..feed() }
}

fn document(head: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items.collect();
    format!("<rss version=\"2.0\"><channel>{head}{items}</channel></rss>")
}

fn item(number: usize, rest: &str) -> String {
    format!("<item><guid>{number}</guid><title>Number {number}</title>{rest}</item>")
}

/// Every tag that has a word, and all that it says of itself.
const WORDS: &str = "air strike killed troops shelled bomb missile drone ceasefire hostages siege \
     militia artillery ambush assassination coup protest sanctions peace talks refugees";

/// Documents that would make much of little.
fn hostile() -> Vec<(&'static str, String)> {
    let authors: String = (0..100).map(|n| format!("<author>a{n}</author>")).collect();
    let categories: String = (0..100).map(|n| format!("<category>c{n}</category>")).collect();
    let controls = "&#1;".repeat(200);
    vec![
        (
            "a long title of the channel",
            document(&format!("<title>{}</title>", long(500_000)), (0..2000).map(|n| item(n, ""))),
        ),
        (
            "many short names and categories",
            document("", (0..2000).map(|n| item(n, &format!("{authors}{categories}")))),
        ),
        (
            "every tag on every entry",
            document(
                "",
                (0..2000).map(|n| item(n, &format!("<description>{WORDS}</description>"))),
            ),
        ),
        (
            "control characters",
            document(
                "",
                (0..2000).map(|n| item(n, &format!("<description>{controls}</description>"))),
            ),
        ),
    ]
}

#[test]
fn an_outcome_holds_no_more_than_its_budget_whatever_the_document() {
    for (name, text) in hostile() {
        let feed = wide();
        let outcome = polls(&feed, &[body_with(&text, None)]);
        let bytes_max = outcome_bytes_max(&feed, text.len());
        assert!(outcome.bytes <= bytes_max, "{name}: {} of {bytes_max}", outcome.bytes);
        let written: usize = outcome
            .records
            .iter()
            .map(|routed| serde_json::to_vec(&routed.record).unwrap().len())
            .chain([outcome.state.written().unwrap().len()])
            .sum();
        assert!(written as u64 <= outcome.bytes, "{name}: {written} of {}", outcome.bytes);
    }
}

#[test]
fn a_document_of_which_too_much_is_made_is_refused_as_a_whole() {
    // A body limit of which the outcome may take four times as much, and too many entries for it.
    let feed = Feed { body_limit: 350_000, ..wide() };
    let long_summary = format!("<description>{}</description>", "a bomb ".repeat(60));
    let text = |count| document("", (0..count).map(|n| item(n, &long_summary)));
    let fits = polls(&feed, &[body_with(&text(200), None)]);
    assert_eq!(fits.records.len(), 200);
    let outcome = polls(&feed, &[body_with(&text(200), None), body_with(&text(1500), None)]);
    let PollResult::Failed(failure) = &outcome.result else { panic!("{:?}", outcome.result) };
    assert_eq!(failure.class, FailureClass::TooLarge, "{}", failure.detail);
    assert!(outcome.records.is_empty());
    assert_eq!(outcome.rejects.len(), 1);
    // Nothing of it is remembered: what was seen before is what is seen.
    assert_eq!(outcome.state.unpacked_memory().seen.len(), 200);
    assert_eq!(outcome.state.plan.standing, Standing::Failing);
}

#[test]
fn honest_documents_of_few_bytes_an_entry_are_not_refused() {
    for (name, rest) in
        [("headlines alone", String::new()), ("every tag", format!("<category>{WORDS}</category>"))]
    {
        let items = (0..2000).map(|n| {
            format!(
                "<item><title>{n} Air strike kills 5 troops near the siege</title>{rest}</item>"
            )
        });
        let outcome = polls(&wide(), &[body_with(&document("", items), None)]);
        assert_eq!(outcome.records.len(), 2000, "{name}: {:?}", outcome.result);
    }
}

#[test]
fn a_state_is_bounded_whatever_a_publisher_sends() {
    /// What a state takes besides the articles it has seen.
    const BYTES_MAX: u64 = 256 * 1024;
    let url = |n: usize| format!("https://wire.example/{n}/{}", long(100_000));
    let repeated = (0..1000).flat_map(|n| {
        let guid = format!("{n}-{}", long(2000));
        ["a", "b"].map(|link| {
            format!("<item><guid>{guid}</guid><link>https://x.example/{link}</link></item>")
        })
    });
    let text = document(&format!("<language>{}</language>", long(50_000)), repeated);
    let mut answers = vec![body_with(&text, None)];
    for number in 0..20 {
        answers.push(Answer::Body(Body {
            moved_to: Some(url(number).parse().unwrap()),
            content_type: Some(long(100_000)),
            validators: Validators { etag: Some(long(1024)), last_modified: Some(long(128)) },
            ..Body::of(rss(&[("1", "One")]).into_bytes(), url(number).parse().unwrap())
        }));
        answers.push(Answer::NotModified(NotModified {
            final_url: url(number).parse().unwrap(),
            moved_to: Some(url(number).parse().unwrap()),
            validators: Validators { etag: Some(long(1024)), last_modified: None },
            freshness: Freshness(None),
            network: Network::Public,
            wait: None,
        }));
    }
    let detail = "\u{1}".repeat(1 << 20);
    answers.push(Answer::Failed(Failure {
        class: FailureClass::Status,
        detail,
        retry_after: None,
    }));
    let outcome = polls(&Feed { entries_max: 500, ..wide() }, &answers);
    let mut state = outcome.state.unpack();
    assert!(state.memory.seen.len() <= 1000, "{}", state.memory.seen.len());
    state.memory.seen = Seen::default();
    let written = state.clone().pack().written().unwrap().len() as u64;
    assert!(written <= BYTES_MAX, "{written} bytes");
    assert!(state_bytes(&state.plan, state.memory.size()) <= BYTES_MAX);
    // What it was told apart by is remembered all the same.
    assert_eq!(state.memory.repeated_marks.len(), REPEATED_MARKS_MAX);
}

#[test]
fn a_long_guid_that_identified_none_once_never_does() {
    let guid = long(5000);
    let outcome =
        polls(&feed(), &[body(&[(&guid, "One"), (&guid, "Two")]), body(&[(&guid, "Two")])]);
    assert!(outcome.records.is_empty());
}

#[test]
fn a_reject_is_bounded_as_published() {
    let text = format!("<rss><channel><item>{}", long(1 << 20));
    let outcome = polls(&feed(), &[body_with(&text, None)]);
    let written = serde_json::to_vec(&outcome.rejects[0]).unwrap().len();
    assert!(written <= REJECT_BYTES_MAX, "{written}");
    assert_eq!(outcome.rejects[0].length, text.len() as u64);
}

/// Polls at these instants, each on the state the one before left; every outcome.
fn days(feed: &Feed, polls: &[(&str, &Answer)]) -> Vec<Outcome> {
    let tagger = tagger();
    let mut state = Arc::new(FeedState::default());
    let mut outcomes = Vec::new();
    for (at, answer) in polls {
        let outcome = process(feed, answer, &state, &tagger, at.parse().unwrap());
        state = outcome.state.clone();
        outcomes.push(outcome);
    }
    outcomes
}

fn over_quota(outcome: &Outcome) -> u64 {
    match &outcome.result {
        PollResult::Modified(counts) => counts.over_quota,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_quota_leaves_unread_is_read_the_next_day_and_nothing_twice() {
    let feed = Feed { quota: Quota { articles: 2, bytes: 1 << 30 }, ..feed() };
    let items = [("5", "E"), ("4", "D"), ("3", "C"), ("2", "B"), ("1", "A")];
    let shown = body(&items);
    let outcomes = days(
        &feed,
        &[
            ("2026-03-01T12:00:00Z", &shown),
            ("2026-03-02T00:01:00Z", &shown),
            ("2026-03-03T00:01:00Z", &shown),
        ],
    );
    let published: Vec<_> = outcomes.iter().flat_map(titles).map(|(title, _)| title).collect();
    assert_eq!(published, ["A", "B", "C", "D", "E"]);
    assert_eq!(outcomes.iter().map(over_quota).collect::<Vec<_>>(), [3, 1, 0]);
    let first = &outcomes[0].state;
    assert_eq!(first.plan.next.reason, Reason::Quota);
    assert!(first.plan.next.due_at.unwrap() >= "2026-03-02T00:00:00Z".parse().unwrap());
    // The same document is asked for and read again.
    assert!(
        first.unpacked_memory().validators.is_empty()
            && first.unpacked_memory().body_digest.is_none()
    );
    assert_eq!(outcomes[2].state.plan.next.reason, Reason::Interval);
    assert!(outcomes[2].state.unpacked_memory().body_digest.is_some());
    // Nobody looked between the first poll and the third and did not see the last article.
    assert_eq!(outcomes[2].records[0].record.observed.after, None);
}

#[test]
fn a_revision_over_the_quota_waits_and_is_the_next_revision_then() {
    let feed = Feed { quota: Quota { articles: 1, bytes: 1 << 30 }, ..feed() };
    let outcomes = days(
        &feed,
        &[
            ("2026-03-01T12:00:00Z", &body(&[("1", "One")])),
            ("2026-03-01T13:00:00Z", &body(&[("1", "One more")])),
            ("2026-03-02T00:01:00Z", &body(&[("1", "One more")])),
        ],
    );
    assert!(outcomes[1].records.is_empty());
    assert_eq!(over_quota(&outcomes[1]), 1);
    assert_eq!(titles(&outcomes[2]), [("One more".to_owned(), 2)]);
    assert_eq!(
        outcomes[2].records[0].record.observed.after.as_deref(),
        Some("2026-03-01T12:00:00Z")
    );
}

#[test]
fn bytes_are_counted_as_articles_are() {
    let feed = Feed { quota: Quota { articles: 100, bytes: 1000 }, ..feed() };
    let outcome = polls(&feed, &[body(&[("2", "Two"), ("1", "One")])]);
    assert_eq!(titles(&outcome), [("One".to_owned(), 1)]);
    assert_eq!(over_quota(&outcome), 1);
    // A reject of a feed that has used up its bytes is not kept; the failure is.
    let broken = body_with("<rss version=\"2.0\"><channel><title>", None);
    let outcome = polls(&feed, &[body(&[("2", "Two"), ("1", "One")]), broken]);
    assert!(outcome.rejects.is_empty());
    assert!(matches!(outcome.result, PollResult::Failed(_)));
}

#[test]
fn what_the_quota_left_of_a_first_poll_is_no_backlog_the_next_day() {
    let backlog = Backlog::Within(Duration::from_secs(6 * 3600));
    let feed = Feed { backlog, quota: Quota { articles: 1, bytes: 1 << 30 }, ..feed() };
    // Two hours old on the first day, fourteen on the second.
    let shown = body(&[("2", "Two"), ("1", "One")]);
    let outcomes =
        days(&feed, &[("2026-03-01T12:00:00Z", &shown), ("2026-03-02T00:01:00Z", &shown)]);
    assert_eq!(titles(&outcomes[1]), [("Two".to_owned(), 1)]);
}
