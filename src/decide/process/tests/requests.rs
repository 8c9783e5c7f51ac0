//! What is kept of the requests of a feed, and what of its own wishes holds until it says something else.

use cw_model::state::{Answered, Claim};

use super::*;

fn skipping() -> Answer {
    let skips = "<ttl>20</ttl><skipHours><hour>12</hour><hour>13</hour></skipHours><item>";
    body_with(&rss(&[("1", "One")]).replacen("<item>", skips, 1), Some("\"a\""))
}

/// 21, 23: what a document says holds as long as no other comes.
#[test]
fn what_a_feed_asks_for_holds_on_a_304_on_the_same_bytes_and_after_a_failure() {
    for later in [
        vec![],
        vec![not_modified(None)],
        vec![skipping()],
        vec![not_modified(None), skipping(), not_modified(None)],
    ] {
        let answers: Vec<Answer> = [skipping()].into_iter().chain(later).collect();
        let plan = polls(&feed(), &answers).state.plan.next;
        assert_eq!(plan.reason, Reason::Skips, "{plan:?}");
        assert_eq!(plan.ttl, Some(Duration::from_secs(1200)), "{plan:?}");
        assert!(plan.due_at.unwrap() >= "2026-03-01T14:00:00Z".parse().unwrap(), "{plan:?}");
    }
    let failing = polls(&feed(), &[skipping(), failed(FailureClass::Server)]).state.plan.next;
    assert_eq!(failing.reason, Reason::Skips);
    let over = polls(&feed(), &[skipping(), body(&[("2", "Two")])]).state.plan.next;
    assert_eq!((over.reason, over.ttl), (Reason::Interval, None));
}

#[test]
fn each_request_is_kept_with_what_decided_it_and_what_was_sent_and_answered() {
    let answers = [
        skipping(),
        not_modified(None),
        failed(FailureClass::Local),
        failed(FailureClass::Server),
        body(&[("2", "Two"), ("1", "One")]),
    ];
    let state = polls(&feed(), &answers).state;
    let requests = &state.plan.requests;
    let told: Vec<(Reason, Answered, bool)> = requests
        .last()
        .map(|request| (request.won.of, request.answered, request.carried.etag))
        .collect();
    assert_eq!(
        told,
        [
            (Reason::Skips, Answered::Document, true),
            (Reason::Skips, Answered::Failed(FailureClass::Server), true),
            (Reason::Skips, Answered::NotModified, true),
            (Reason::FirstPoll, Answered::Document, false),
        ],
        "what this machine could not ask is no request"
    );
    assert_eq!((requests.made, requests.unconditional), (4, 1));
    // All at one moment, within the twenty minutes of the feed's own word.
    assert_eq!((requests.early, requests.closest), (3, Some(0)));
    let second = requests.last().nth(2).unwrap();
    assert_eq!(second.lost, Some(Claim { of: Reason::Ttl, wait: 1200 }));
}

#[test]
fn another_url_begins_its_requests_anew() {
    let before = polls(&feed(), &[skipping(), not_modified(None)]);
    let elsewhere = Feed { url: "https://new.example/rss".parse().unwrap(), ..feed() };
    let next = process(&elsewhere, &body(&[("2", "Two")]), &before.state, &tagger(), now());
    assert_eq!(next.state.plan.requests.made, 1);
    assert_eq!(next.state.plan.requests.newest().unwrap().won.of, Reason::FirstPoll);
}
