//! What one poll promises, from answer to outcome. Numbers are those of the polling behaviours the
//! project holds itself to.

mod bounds;
mod crashes;
mod drift;
mod gap;
mod halves;
mod hub;
mod identity;
mod identity_history;
mod languages;
mod left_out;
mod local_time;
mod moves;
mod pages;
mod requests;
mod revisions;
mod unread;
mod validators;
mod withdrawn;

use std::time::Duration;

use cw_code::Sources;
use cw_model::state::{Crash, Standing, StateRecord};
use cw_model::{Backlog, Freshness, Network, NotModified, Route, Validators, samples};
use url::Url;

use super::*;

const URL: &str = "https://wire.example/rss.xml";

fn feed() -> Feed {
    Feed {
        publisher: Some("Wire".to_owned()),
        language: Some("en".to_owned()),
        interval_min: Duration::from_secs(60),
        interval_max: Duration::from_secs(3600),
        retry_after_max: Duration::from_secs(86400),
        entries_max: 100,
        text_chars_max: 10_000,
        quota: cw_model::Quota { articles: 20_000, bytes: 256 << 20 },
        ..samples::feed("wire", URL.parse().unwrap())
    }
}

/// Codes English and no other language, whatever else is built in.
fn tagger() -> Tagger {
    let mut sources = Sources::built_in();
    sources.lexicons.retain(|lexicon| lexicon.language().as_deref() == Some("en"));
    Tagger::new(&sources, 0.5).unwrap()
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// Items of (guid, title); an empty guid is left out.
fn rss(items: &[(&str, &str)]) -> String {
    let mut text = "<rss version=\"2.0\"><channel><title>Wire</title>".to_owned();
    for (guid, title) in items {
        let link = format!("https://wire.example/{}", title.to_lowercase().replace(' ', "-"));
        text.push_str(&format!("<item><title>{title}</title><link>{link}</link>"));
        if !guid.is_empty() {
            text.push_str(&format!("<guid isPermaLink=\"false\">{guid}</guid>"));
        }
        text.push_str("<pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate></item>");
    }
    text + "</channel></rss>"
}

fn body_with(text: &str, etag: Option<&str>) -> Answer {
    Answer::Body(Body {
        content_type: Some("application/rss+xml".to_owned()),
        validators: Validators { etag: etag.map(str::to_owned), last_modified: None },
        ..Body::of(text.as_bytes().to_vec(), URL.parse().unwrap())
    })
}

fn body(items: &[(&str, &str)]) -> Answer {
    body_with(&rss(items), Some("\"a\""))
}

/// Polls once for each answer, each on the state the one before left; the last outcome.
#[track_caller]
fn polls(feed: &Feed, answers: &[Answer]) -> Outcome {
    let tagger = tagger();
    let mut state = Arc::new(FeedState::default());
    let mut last = None;
    for answer in answers {
        let outcome = process(feed, answer, &state, &tagger, now());
        state = outcome.state.clone();
        last = Some(outcome);
    }
    last.unwrap()
}

fn titles(outcome: &Outcome) -> Vec<(String, u32)> {
    let of = |Routed { record, .. }: &Routed| {
        (record.title.clone().unwrap_or_default(), record.revision)
    };
    outcome.records.iter().map(of).collect()
}

fn etag(outcome: &Outcome) -> Option<String> {
    outcome.state.memory.validators().get(URL).and_then(|validators| validators.etag.clone())
}

fn failed(class: FailureClass) -> Answer {
    Answer::Failed(Failure { class, detail: "as scripted".to_owned(), retry_after: None })
}

fn not_modified(etag: Option<&str>) -> Answer {
    Answer::NotModified(NotModified {
        final_url: URL.parse().unwrap(),
        moved_to: None,
        validators: Validators { etag: etag.map(str::to_owned), last_modified: None },
        freshness: Freshness(None),
        network: Network::Public,
        wait: None,
    })
}

/// Which polls are written promptly, of one after the other: those whose number is given, from 0.
#[track_caller]
fn check_prompt(answers: &[Answer], expected: &[usize]) {
    let tagger = tagger();
    let mut state = Arc::new(FeedState::default());
    let mut prompt = Vec::new();
    for (number, answer) in answers.iter().enumerate() {
        let outcome = process(&feed(), answer, &state, &tagger, now());
        state = outcome.state.clone();
        prompt.extend((outcome.urgency == Urgency::Prompt).then_some(number));
    }
    assert_eq!(prompt, expected);
}

#[test]
fn what_a_person_reads_of_a_feed_is_written_promptly_and_nothing_else_is() {
    use FailureClass::{Dns, Gone, Server};
    let fine = || not_modified(None);
    // Nothing new is nothing to write.
    check_prompt(&[body(&[("1", "One")]), fine(), body(&[("1", "One")]), fine()], &[0]);
    // The first failure, powers of two after it, and that it works again.
    let failures = (0..42).map(|_| failed(Server));
    let answers: Vec<Answer> =
        [body(&[("1", "One")])].into_iter().chain(failures).chain([fine(), fine()]).collect();
    check_prompt(&answers, &[0, 1, 2, 4, 8, 16, 32, 43]);
    // Another reason; and what was withdrawn and is back.
    let first = || body(&[("1", "One")]);
    check_prompt(
        &[first(), failed(Server), failed(Server), failed(Server), failed(Server), failed(Dns)],
        &[0, 1, 2, 4, 5],
    );
    check_prompt(&[first(), failed(Gone), fine(), fine()], &[0, 1, 2]);
    // A feed that was never well.
    check_prompt(&[failed(Dns), failed(Dns), failed(Dns), failed(Dns)], &[0, 1, 3]);
}

#[test]
fn where_a_feed_has_moved_to_is_written_promptly_and_once() {
    let moved = |to: Option<&str>| {
        let Answer::NotModified(answer) = not_modified(None) else { unreachable!() };
        Answer::NotModified(NotModified { moved_to: to.map(|to| to.parse().unwrap()), ..answer })
    };
    let there = Some("https://new.example/rss");
    check_prompt(
        &[body(&[("1", "One")]), moved(there), moved(there), moved(None), moved(None)],
        &[0, 1, 3],
    );
}

#[test]
fn a_first_document_is_published_whole_and_oldest_first() {
    let outcome = polls(&feed(), &[body(&[("2", "Newer"), ("1", "Older")])]);
    assert_eq!(titles(&outcome), [("Older".to_owned(), 1), ("Newer".to_owned(), 1)]);
    assert_eq!(etag(&outcome).as_deref(), Some("\"a\""));
}

/// 4: touched, not changed.
#[test]
fn the_same_bytes_publish_nothing_and_keep_the_new_validators() {
    let text = rss(&[("1", "One")]);
    let answers = [body_with(&text, Some("\"a\"")), body_with(&text, Some("\"b\""))];
    let outcome = polls(&feed(), &answers);
    assert!(outcome.records.is_empty());
    assert_eq!(etag(&outcome).as_deref(), Some("\"b\""));
    let counts = EntryCounts { unchanged: 1, ..EntryCounts::default() };
    assert_eq!(outcome.result, PollResult::Modified(counts));
}

/// 6: validators that lie.
#[test]
fn a_new_entry_under_the_same_etag_is_published() {
    let outcome = polls(&feed(), &[body(&[("1", "One")]), body(&[("2", "Two"), ("1", "One")])]);
    assert_eq!(titles(&outcome), [("Two".to_owned(), 1)]);
}

/// 8.
#[test]
fn validators_that_are_no_longer_sent_are_forgotten() {
    let outcome = polls(&feed(), &[body(&[("1", "One")]), body_with(&rss(&[("2", "Two")]), None)]);
    assert_eq!(etag(&outcome), None);
}

/// 2 and 3.
#[test]
fn a_304_publishes_nothing_and_may_move_the_validators() {
    let outcome = polls(&feed(), &[body(&[("1", "One")]), not_modified(None)]);
    assert!(outcome.records.is_empty());
    assert_eq!(etag(&outcome).as_deref(), Some("\"a\""));
    let outcome = polls(&feed(), &[body(&[("1", "One")]), not_modified(Some("\"c\""))]);
    assert_eq!(etag(&outcome).as_deref(), Some("\"c\""));
}

/// 82.
#[test]
fn an_edited_headline_is_the_next_revision_of_the_same_article() {
    let first = polls(&feed(), &[body(&[("1", "One")])]);
    let answers = [body(&[("1", "One")]), body(&[("1", "One more")])];
    let outcome = polls(&feed(), &answers);
    assert_eq!(titles(&outcome), [("One more".to_owned(), 2)]);
    assert_eq!(outcome.records[0].record.id, first.records[0].record.id);
    assert_eq!(outcome.records[0].record.change, cw_model::record::RecordChange::Updated);
}

/// 80.
#[test]
fn a_guid_that_every_entry_bears_identifies_none() {
    let items = [("same", "One"), ("same", "Two"), ("same", "Three")];
    assert_eq!(polls(&feed(), &[body(&items)]).records.len(), 3);
    let grown = [("same", "Four"), ("same", "One"), ("same", "Two"), ("same", "Three")];
    let outcome = polls(&feed(), &[body(&items), body(&grown)]);
    assert_eq!(titles(&outcome), [("Four".to_owned(), 1)]);
}

#[test]
fn a_guid_that_identified_none_once_never_does() {
    let items = [("same", "One"), ("same", "Two")];
    let outcome = polls(&feed(), &[body(&items), body(&[("same", "Two")])]);
    assert!(outcome.records.is_empty());
}

/// 79: neither guid nor link.
#[test]
fn an_entry_without_guid_and_link_has_the_same_key_on_every_poll() {
    let text = |extra: &str| {
        format!(
            "<rss version=\"2.0\"><channel><title>W</title>{extra}<item><title>Bare</title>\
             <description>Only words.</description></item></channel></rss>"
        )
    };
    let answers = [body_with(&text(""), None), body_with(&text("<ttl>5</ttl>"), None)];
    assert!(polls(&feed(), &answers).records.is_empty());
}

/// 84.
#[test]
fn an_article_that_left_and_came_back_is_not_published_again() {
    let answers =
        [body(&[("1", "One")]), body(&[("2", "Two")]), body(&[("1", "One"), ("2", "Two")])];
    assert!(polls(&feed(), &answers).records.is_empty());
}

/// 39 and 37: nothing is taken back because a poll went wrong.
#[test]
fn a_failed_poll_keeps_validators_and_window() {
    let answers = [body(&[("1", "One")]), failed(FailureClass::Timeout), body(&[("1", "One")])];
    let outcome = polls(&feed(), &answers[..2]);
    assert_eq!(etag(&outcome).as_deref(), Some("\"a\""));
    assert_eq!((outcome.state.plan.failures, outcome.state.plan.standing), (1, Standing::Failing));
    let outcome = polls(&feed(), &answers);
    assert!(outcome.records.is_empty());
    assert_eq!((outcome.state.plan.failures, outcome.state.plan.standing), (0, Standing::Fine));
}

/// 35.
#[test]
fn what_our_own_machine_could_not_ask_counts_against_nobody() {
    let local = failed(FailureClass::Local);
    let outcome = polls(&feed(), &[local.clone(), local.clone()]);
    assert_eq!((outcome.state.plan.failures, outcome.state.plan.standing), (0, Standing::New));
    let outcome =
        polls(&feed(), &[body(&[("1", "A")]), local.clone(), local.clone(), local.clone()]);
    assert_eq!((outcome.state.plan.failures, outcome.state.plan.standing), (0, Standing::Fine));
    assert_eq!(outcome.state.plan.last_failure, None);
    assert_eq!(outcome.state.plan.next.reason, Reason::Local);
    let soon = now() + crate::schedule::LOCAL_WAIT.mul_f64(1.1);
    assert!(
        outcome.state.plan.next.due_at.is_some_and(|at| at <= soon),
        "{:?}",
        outcome.state.plan
    );
    // Between failures of the publisher's it neither adds to them nor ends them.
    let server = failed(FailureClass::Server);
    let outcome = polls(&feed(), &[server.clone(), local, server]);
    assert_eq!((outcome.state.plan.failures, outcome.state.plan.standing), (2, Standing::Failing));
}

#[test]
fn what_is_refused_is_written_once_while_it_stays_the_same() {
    let broken = body_with("<rss version=\"2.0\"><channel><title>", None);
    let outcome = polls(&feed(), std::slice::from_ref(&broken));
    assert_eq!(outcome.rejects.len(), 1);
    assert!(matches!(outcome.result, PollResult::Failed(_)), "{:?}", outcome.result);
    let outcome = polls(&feed(), &[broken.clone(), broken]);
    assert!(outcome.rejects.is_empty());
    assert_eq!(outcome.state.plan.failures, 2);
}

#[test]
fn a_page_that_is_broken_anew_at_every_poll_is_not_rejected_for_ever() {
    let broken = |number: usize| body_with(&format!("<html><body>{number}</body></html>"), None);
    let answers: Vec<Answer> = (0..=FAILURES_REJECTED_MAX as usize).map(broken).collect();
    let (last, earlier) = answers.split_last().unwrap();
    assert_eq!(polls(&feed(), earlier).rejects.len(), 1);
    assert!(polls(&feed(), &answers).rejects.is_empty(), "{last:?}");
}

#[test]
fn the_backlog_setting_decides_what_a_first_poll_publishes() {
    let count = |backlog| {
        let feed = Feed { backlog, ..feed() };
        polls(&feed, &[body(&[("1", "One")])]).records.len()
    };
    // The entry is two hours old.
    assert_eq!(count(Backlog::All), 1);
    assert_eq!(count(Backlog::None), 0);
    assert_eq!(count(Backlog::Within(Duration::from_secs(3 * 3600))), 1);
    assert_eq!(count(Backlog::Within(Duration::from_secs(3600))), 0);
}

#[test]
fn an_article_the_backlog_left_out_is_created_when_it_changes() {
    let feed = Feed { backlog: Backlog::None, ..feed() };
    let outcome = polls(&feed, &[body(&[("1", "One")]), body(&[("1", "One more")])]);
    assert_eq!(titles(&outcome), [("One more".to_owned(), 1)]);
    assert_eq!(outcome.records[0].record.change, cw_model::record::RecordChange::Created);
}

#[test]
fn entries_beyond_the_limit_are_counted() {
    let feed = Feed { entries_max: 2, ..feed() };
    let outcome = polls(&feed, &[body(&[("3", "C"), ("2", "B"), ("1", "A")])]);
    assert_eq!(titles(&outcome), [("B".to_owned(), 1), ("C".to_owned(), 1)]);
    let PollResult::Modified(counts) = outcome.result else { panic!("not modified") };
    assert_eq!(counts.over_limit, 1);
    let [reject] = <[_; 1]>::try_from(outcome.rejects).unwrap();
    assert_eq!(reject.reason, "over_limit");
    assert!(reject.detail.contains("more than 2 entries"), "{}", reject.detail);
    assert!(reject.length > 0);
}

#[test]
fn what_was_observed_lies_between_two_successful_polls() {
    let first = polls(&feed(), &[body(&[("1", "One")])]);
    assert_eq!(first.records[0].record.observed.after, None);
    let answers =
        [body(&[("1", "One")]), failed(FailureClass::Dns), body(&[("2", "Two"), ("1", "One")])];
    let outcome = polls(&feed(), &answers);
    assert_eq!(outcome.records[0].record.observed.after.as_deref(), Some("2026-03-01T12:00:00Z"));
}

/// Who is told of each headline that one article had, in turn.
fn routes(headlines: &[&str]) -> Vec<Route> {
    let answers: Vec<Answer> = headlines.iter().map(|headline| body(&[("1", headline)])).collect();
    let last = |count| {
        let outcome = polls(&feed(), answers.get(..count).unwrap());
        outcome.records.first().unwrap().route
    };
    (1..=answers.len()).map(last).collect()
}

#[test]
fn whoever_reads_what_is_relevant_learns_once_that_it_is_not_any_more() {
    let relevant = "Air strikes kill five civilians in Aleppo, army says";
    let again = "Air strikes kill six civilians in Aleppo, army says";
    let (other, another) =
        ("The market in the old town opens", "The market in the town opens late");
    assert_eq!(
        routes(&[relevant, other, another, again]),
        [Route::Relevant, Route::Correction, Route::Articles, Route::Relevant]
    );
    assert_eq!(routes(&[other, another]), [Route::Articles, Route::Articles]);
}

#[test]
fn a_revision_of_what_an_earlier_version_published_is_told_once_too_often_rather_than_never() {
    let tagger = tagger();
    let poll = |state: &FeedState, headline| {
        process(&feed(), &body(&[("1", headline)]), state, &tagger, now())
    };
    let first = poll(&FeedState::default(), "The market in the old town opens");
    let mut before = serde_json::to_value(StateRecord::from(first.state.as_ref())).unwrap();
    assert!(before.as_object_mut().unwrap().remove("knows_relevance").is_some());
    let before = FeedState::parse(before.to_string().as_bytes()).unwrap();
    let next = poll(&before, "The market in the town opens late");
    assert_eq!(next.records[0].route, Route::Correction);
}

/// A board without a battery starts in 2016 and learns the time later.
#[test]
fn a_clock_that_is_set_right_costs_no_date_no_article_and_no_wait() {
    let tagger = tagger();
    let lost: Timestamp = "2016-01-01T00:00:10Z".parse().unwrap();
    let document = body(&[("1", "One")]);
    let first = process(&feed(), &document, &FeedState::default(), &tagger, lost);
    let dated = |outcome: &Outcome| outcome.records[0].record.published_at.clone();
    assert_eq!(dated(&first).as_deref(), Some("2026-03-01T10:00:00Z"));
    let due = crate::schedule::due(&first.state, &feed(), String::new, now());
    assert!(due.at <= now(), "{due:?}");
    let next = process(&feed(), &body(&[("2", "Two"), ("1", "One")]), &first.state, &tagger, now());
    assert_eq!(titles(&next), [("Two".to_owned(), 1)]);
    let wait = next.state.plan.next.due_at.unwrap().duration_since(now());
    assert!(wait <= jiff::SignedDuration::from_secs(4000), "{:?}", next.state.plan);
}

/// What is known of a URL is not said of the next one under the same id; its articles stay known.
#[test]
fn another_url_begins_with_nothing_but_the_articles() {
    let moved = |answer: Answer| match answer {
        Answer::Body(body) => {
            Answer::Body(Body { moved_to: "https://new.example/".parse().ok(), ..body })
        }
        other => other,
    };
    let before = polls(&feed(), &[moved(body(&[("1", "One")])), failed(FailureClass::Server)]);
    assert_eq!((before.state.plan.failures, before.state.plan.moved_to.is_some()), (1, true));
    let elsewhere = Feed { url: "https://new.example/rss".parse().unwrap(), ..feed() };
    let poll = |state: &FeedState, answer: &Answer| {
        process(&elsewhere, answer, state, &tagger(), now() + Duration::from_secs(3600))
    };
    let refused = poll(&before.state, &failed(FailureClass::Dns));
    let state = &refused.state;
    assert_eq!((state.plan.failures, state.plan.standing), (1, Standing::Failing));
    assert_eq!((&state.plan.moved_to, state.plan.succeeded_at), (&None, None));

    for state in [&before.state, &refused.state] {
        let outcome = poll(state, &body(&[("1", "One"), ("2", "Two")]));
        assert_eq!(titles(&outcome), [("Two".to_owned(), 1)], "the first is known");
        assert_eq!(outcome.records[0].record.observed.after, None, "nobody had looked there");
    }
    // Nor does a backlog begin anew.
    let strict = Feed { backlog: Backlog::None, ..elsewhere.clone() };
    let at = now() + Duration::from_secs(3600);
    let outcome = process(&strict, &body(&[("2", "Two")]), &refused.state, &tagger(), at);
    assert_eq!(titles(&outcome), [("Two".to_owned(), 1)]);
}

/// A document over its quota, and then one that was read before it.
#[test]
fn what_one_document_left_unread_is_not_said_of_another() {
    let (first, second) = (body(&[("1", "One")]), body(&[("2", "Two"), ("3", "Three")]));
    let small = Feed { quota: cw_model::Quota { articles: 1, bytes: 1 << 20 }, ..feed() };
    assert_eq!(polls(&small, &[first.clone(), second.clone()]).state.plan.today.left, 2);
    assert_eq!(polls(&small, &[first.clone(), second, first]).state.plan.today.left, 0);
}
