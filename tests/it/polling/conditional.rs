//! Conditional GET: what a server gave is given back, byte for byte, to the URL that gave it.

use crate::support::publisher::Reply;
use crate::support::run::{FEED, PATH, Run, headlines};

const DATE: &str = "Mon, 02 Mar 2026 10:00:00 GMT";

fn with_validators(reply: Reply, etag: Option<&str>, last_modified: Option<&str>) -> Reply {
    let reply = etag.into_iter().fold(reply, |reply, etag| reply.header("ETag", etag));
    last_modified.into_iter().fold(reply, |reply, date| reply.header("Last-Modified", date))
}

fn document(titles: &[&str], etag: Option<&str>, last_modified: Option<&str>) -> Reply {
    with_validators(Reply::feed(headlines(titles)), etag, last_modified)
}

/// The conditions of the request after these answers.
#[track_caller]
fn check(replies: Vec<Reply>, etag: Option<&str>, last_modified: Option<&str>) -> Run {
    let asked = replies.len();
    let run = Run::serving(replies);
    let requests = run.requests(asked + 1);
    assert!(!requests[0].is_conditional(), "the first request is unconditional");
    assert_eq!(requests[asked].header("if-none-match"), etag);
    assert_eq!(requests[asked].header("if-modified-since"), last_modified);
    run
}

/// 1
#[test]
fn validators_come_back_byte_for_byte() {
    check(vec![document(&["A"], Some("\"a\""), Some(DATE))], Some("\"a\""), Some(DATE));
}

/// 1: a date that no standard knows is the server's own affair.
#[test]
fn a_date_in_another_form_is_not_rewritten() {
    let odd = "2026-03-02 10:00 +0300";
    check(vec![document(&["A"], None, Some(odd))], None, Some(odd));
}

/// 9
#[test]
fn a_weak_or_long_or_unquoted_etag_stays_as_it_is() {
    let long = format!("\"{}\"", "0123456789".repeat(60));
    for etag in ["W/\"x\"", "abc", "\"a-gzip\"", &long] {
        check(vec![document(&["A"], Some(etag), None)], Some(etag), None);
    }
}

/// 2
#[test]
fn not_modified_keeps_the_validators_and_is_no_failure() {
    let replies =
        vec![document(&["A"], Some("\"a\""), Some(DATE)), Reply::status(304), Reply::status(304)];
    let run = check(replies, Some("\"a\""), Some(DATE));
    let state = run.state_after(3);
    assert_eq!((state.plan.failures, state.plan.last_failure), (0, None));
    assert_eq!(run.ledger.rows().len(), 1);
    run.daemon.wait_for_metric("conflictwire_polls_total", "outcome=\"not_modified\"", 2.0);
}

/// 3
#[test]
fn validators_on_a_304_replace_the_stored_ones() {
    let later = "Tue, 03 Mar 2026 10:00:00 GMT";
    let moved = with_validators(Reply::status(304), Some("\"b\""), Some(later));
    let first = || document(&["A"], Some("\"a\""), Some(DATE));
    check(vec![first(), moved], Some("\"b\""), Some(later));
    let moved = with_validators(Reply::status(304), Some("\"b\""), None);
    check(vec![first(), moved], Some("\"b\""), Some(DATE));
}

/// 4, 5
#[test]
fn new_validators_on_the_same_body_are_kept() {
    let later = "Tue, 03 Mar 2026 10:00:00 GMT";
    let first = || document(&["A"], Some("\"a\""), Some(DATE));
    let touched = document(&["A"], Some("\"b\""), Some(later));
    let run = check(vec![first(), touched], Some("\"b\""), Some(later));
    assert_eq!(run.rows_after(2).len(), 1);
    let touched = document(&["A"], Some("\"b\""), Some(DATE));
    check(vec![first(), touched], Some("\"b\""), Some(DATE));
}

/// 6, 7: a 200 is read, whatever its validators say.
#[test]
fn a_new_entry_under_old_validators_is_published() {
    for (etag, date) in [(Some("\"a\""), Some(DATE)), (None, Some(DATE))] {
        let replies = vec![document(&["A"], etag, date), document(&["B", "A"], etag, date)];
        let rows = check(replies, etag, date).rows_after(2);
        let titles: Vec<&str> = rows.iter().map(|row| row.text("title")).collect();
        assert_eq!(titles, ["A", "B"]);
    }
}

/// 8
#[test]
fn a_200_without_validators_takes_the_old_ones_away() {
    let replies =
        vec![document(&["A"], Some("\"a\""), Some(DATE)), document(&["B", "A"], None, None)];
    check(replies, None, None);
}

/// 10: a date is replayed, never judged or made.
#[test]
fn a_last_modified_in_the_future_does_not_hide_later_changes() {
    let future = "Wed, 02 Jan 2041 10:00:00 GMT";
    let replies =
        vec![document(&["A"], None, Some(future)), document(&["B", "A"], None, Some(future))];
    assert_eq!(check(replies, None, Some(future)).rows_after(2).len(), 2);
}

/// 11
#[test]
fn the_first_request_after_a_restart_is_conditional() {
    let run = Run::configured([document(&["A"], Some("\"a\""), Some(DATE))], |setup, _| {
        setup.set("schedule.interval_max", "2s");
    });
    run.state_after(1);
    let run = run.restart();
    let requests = run.requests(2);
    assert_eq!(requests[1].header("if-none-match"), Some("\"a\""));
    assert_eq!(requests[1].header("if-modified-since"), Some(DATE));
}

/// A state is as long as the articles in it, and stays as it is where nothing is new.
#[test]
fn polls_that_find_nothing_write_no_state_and_a_kill_forgets_no_validator() {
    let run = check(
        vec![document(&["A"], Some("\"a\""), Some(DATE)), Reply::status(304)],
        Some("\"a\""),
        Some(DATE),
    );
    let state = run.state_after(4);
    let written = run.ledger.written_state(FEED);
    assert_eq!((written.plan.sequence, written.memory), (1, state.memory));
    let Run { publisher, setup, ledger, mut daemon } = run;
    daemon.signal("KILL");
    daemon.wait_for_death();
    let before = publisher.requests(PATH).len();
    let daemon = setup.start();
    let requests = publisher.wait_for_requests(PATH, before + 1);
    assert_eq!(requests[before].header("if-none-match"), Some("\"a\""));
    assert_eq!(ledger.rows().len(), 1);
    drop(daemon);
}

/// 12
#[test]
fn the_first_poll_is_exactly_one_get() {
    let run = Run::configured([document(&["A"], None, None)], |setup, _| {
        setup.set("schedule.interval_max", "1h").set("schedule.interval_min", "1h");
    });
    run.state_after(1);
    let asked: Vec<String> = run
        .publisher
        .log()
        .iter()
        .map(|exchange| format!("{} {}", exchange.request.method, exchange.request.path))
        .collect();
    assert_eq!(asked, [format!("GET {PATH}")]);
}

/// 15
#[test]
fn validators_belong_to_the_url_that_gave_them() {
    let run = Run::configured(
        [Reply::redirect(302, "/b.xml").header("ETag", "\"a\"")],
        |_, publisher| {
            publisher.serve("/b.xml", [document(&["A"], Some("\"b\""), None)]);
        },
    );
    let requests = run.requests(2);
    assert!(requests.iter().all(|request| !request.is_conditional()), "{requests:?}");
    let requests = run.publisher.wait_for_requests("/b.xml", 2);
    assert_eq!(requests[1].header("if-none-match"), Some("\"b\""));
}

/// 60
#[test]
fn a_request_says_who_asks_and_nothing_it_need_not() {
    let run = Run::configured([document(&["A"], None, None)], |setup, _| {
        setup.set("fetch.contact", "https://wire.example/bot");
    });
    let requests = run.requests(2);
    for request in &requests {
        let agent = request.header("user-agent").unwrap();
        assert!(agent.starts_with("conflictwire/"), "{agent}");
        assert!(agent.contains("https://wire.example/bot"), "{agent}");
        let accept = request.header("accept").unwrap();
        for kind in ["application/rss+xml", "application/atom+xml", "application/feed+json"] {
            assert!(accept.contains(kind), "{accept}");
        }
        assert!(request.header("accept-encoding").unwrap().contains("gzip"));
        for unwanted in ["referer", "cookie", "authorization"] {
            assert_eq!(request.header(unwanted), None, "{unwanted}");
        }
    }
    assert_eq!(requests[0].header("user-agent"), requests[1].header("user-agent"));
}
