//! Redirects, encodings, slow and odd servers.

use std::io::Write;

use conflictwire::publisher::Next;
use cw_model::state::Standing;
use cw_model::{FailureClass, MovedBy};
use flate2::Compression;

use crate::support::daemon::BINARY;
use crate::support::publisher::{Delivery, Reply};
use crate::support::run::{FEED, PATH, Run, headlines};

fn document() -> Reply {
    Reply::feed(headlines(&["A"]))
}

/// Where the feed lives after a chain of redirects with these statuses, hop by hop.
#[track_caller]
fn check_moved_to(statuses: &[u16], hop: Option<usize>) {
    let run = Run::configured([Reply::redirect(statuses[0], "/1.xml")], |_, publisher| {
        for (at, status) in statuses.iter().enumerate().skip(1) {
            let next = format!("/{}.xml", at + 1);
            publisher.serve(&format!("/{at}.xml"), [Reply::redirect(*status, &next)]);
        }
        publisher.serve(&format!("/{}.xml", statuses.len()), [document()]);
    });
    let expected = hop.map(|hop| run.publisher.url(&format!("/{hop}.xml")));
    assert_eq!(run.state_after(1).plan.moved_to, expected, "after {statuses:?}");
}

/// 43, 44
#[test]
fn only_the_leading_permanent_redirects_say_where_a_feed_lives() {
    check_moved_to(&[301], Some(1));
    check_moved_to(&[308], Some(1));
    check_moved_to(&[301, 308], Some(2));
    check_moved_to(&[301, 302], Some(1));
    check_moved_to(&[302, 301], None);
    for status in [302, 303, 307] {
        check_moved_to(&[status], None);
    }
}

/// 43: moving changes no identity, and is remembered over a restart.
#[test]
fn a_feed_that_moves_publishes_nothing_again() {
    let run = Run::configured([document(), Reply::redirect(301, "/new.xml")], |_, publisher| {
        publisher.serve("/new.xml", [Reply::feed(headlines(&["B", "A"]))]);
    });
    let new = run.publisher.url("/new.xml");
    run.state_after(2);
    let run = run.restart();
    let state = run.state_after(3);
    assert_eq!(state.plan.moved_to, Some(new));
    let titles: Vec<String> =
        run.ledger.rows().iter().map(|row| row.text("title").to_owned()).collect();
    assert_eq!(titles, ["A", "B"]);
}

/// 43, 45: what redirects said on enough days is asked first, also after a restart, and the old URL when the
/// new one fails.
#[test]
fn where_a_feed_moved_is_asked_first_and_its_own_url_when_that_fails() {
    let run = Run::configured([Reply::redirect(301, "/new.xml")], |_, publisher| {
        publisher.serve("/new.xml", [document()]);
    });
    let new = run.publisher.url("/new.xml");
    assert_eq!(run.state_after(2).plan.moves.days, 1, "one day is not enough, however often");
    let Run { publisher, setup, ledger, daemon } = run;
    daemon.stop();
    // As if it had been said on two days before.
    ledger.change(
        "UPDATE feed_state SET state = json_set(state, '$.moves.days', 2, '$.moves.day', 20000)",
    );
    let daemon = setup.start();
    let run = Run { publisher, setup, ledger, daemon };
    let moved = |state: &cw_model::state::FeedState| state.plan.moves.days == 3;
    let polls = run.ledger.wait_for_state(FEED, moved).plan.sequence;
    let old = run.publisher.requests(PATH).len();
    run.state_after(polls + 3);
    assert!(run.publisher.requests(PATH).len() <= old + 1, "it is asked where it moved");
    let run = run.restart();
    let old = run.publisher.requests(PATH).len();
    let new_asked = run.publisher.requests("/new.xml").len();
    run.publisher.wait_for_requests("/new.xml", new_asked + 2);
    assert_eq!(run.publisher.requests(PATH).len(), old);
    let mut command = run.setup.command(BINARY);
    command.args(["feeds", "explain", FEED]).arg("--config").arg(run.setup.config());
    let explained = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(explained.contains("asked first"), "{explained}");
    assert_eq!(run.ledger.rows().len(), 1);
    // And when it is there no more, the old one is asked.
    run.publisher.serve(PATH, [document()]);
    run.publisher.serve("/new.xml", [Reply::status(404)]);
    let back = run.ledger.wait_for_state(FEED, |state| state.plan.moved_to.is_none());
    assert_eq!(back.plan.failures, 0);
    assert!(new.ends_with("/new.xml"));
}

/// 43: what a document says of where it lives is looked at on another day, and never leads into a private network.
#[test]
fn where_a_document_says_that_its_feed_lives_is_looked_at_and_followed_if_it_is_the_same_feed() {
    for (articles, is_followed) in [(["B", "A"], true), (["Y", "Z"], false)] {
        let run = Run::configured([], |setup, publisher| {
            setup.resolve("new.example");
            let new = publisher.url_at("new.example", "/new.xml");
            let space = "http://www.itunes.com/dtds/podcast-1.0.dtd";
            let word = format!("<i:new-feed-url xmlns:i='{space}'>{new}</i:new-feed-url>");
            let here = headlines(&["B", "A"]).replacen("<item>", &format!("{word}<item>"), 1);
            assert!(here.contains(&word), "{here}");
            publisher.serve(PATH, [Reply::feed(here)]);
            publisher.serve("/new.xml", [Reply::feed(headlines(&articles))]);
        });
        assert_eq!(run.state_after(2).plan.moves.days, 1);
        assert_eq!(run.publisher.requests("/new.xml").len(), 0, "one day is not enough");
        let Run { publisher, setup, ledger, daemon } = run;
        daemon.stop();
        ledger.change(
            "UPDATE feed_state SET state = json_set(state, '$.moves.days', 2, '$.moves.day', 20000)",
        );
        let daemon = setup.start();
        publisher.wait_for_requests("/new.xml", 1);
        let by = if is_followed { MovedBy::DocumentConfirmed } else { MovedBy::DocumentRefused };
        let state = ledger.wait_for_state(FEED, |state| state.plan.moves.by == by);
        let polls = state.plan.sequence;
        let old = publisher.requests(PATH).len();
        ledger.wait_for_state(FEED, |state| state.plan.sequence >= polls + 3);
        if is_followed {
            assert!(publisher.requests(PATH).len() <= old + 1, "it is asked where it lives");
        } else {
            assert_eq!(publisher.requests("/new.xml").len(), 1, "it is not asked there again");
        }
        let mut command = setup.command(BINARY);
        command.args(["feeds", "explain", FEED]).arg("--config").arg(setup.config());
        let explained = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let said = if is_followed { "and the same articles are there" } else { "not there" };
        assert!(explained.contains(said), "{explained}");
        assert_eq!(ledger.rows().len(), 2);
        daemon.stop();
    }
}

/// 42: what was announced and not sent was not needed, where the document is whole; where it is not, the poll
/// has failed.
#[test]
fn a_body_that_ends_with_its_connection_counts_if_the_document_is_whole() {
    let text = headlines(&["A"]);
    let longer = format!("{text}{}", " ".repeat(100));
    let cut =
        |at| Reply::feed(longer.clone()).header("ETag", "\"a\"").delivered(Delivery::CutAfter(at));
    let run = Run::serving([cut(text.len())]);
    let state = run.state_after(1);
    assert_eq!((state.plan.failures, run.ledger.rows().len()), (0, 1));
    let run = Run::serving([cut(text.len() - 3)]);
    let state = run.state_after(1);
    assert_eq!(state.plan.last_failure.unwrap().class, FailureClass::Cut);
    assert!(state.memory.validators().is_empty());
}

/// Of several choices the one that the server prefers, and a page that sends browsers on, once.
#[test]
fn choices_and_pages_that_lead_to_a_feed_are_followed() {
    let page = |to: &str| {
        let page = format!(
            "<html><head><meta http-equiv=\"refresh\" content=\"0; url={to}\"></head></html>"
        );
        Reply::status(200).header("Content-Type", "text/html").body(page)
    };
    for (first, failures) in [
        (Reply::redirect(300, "/feed"), 0),
        (page("/feed"), 0),
        (page("/page"), 1),
        (page("file:///etc/passwd"), 1),
    ] {
        let run = Run::configured([first], |_, publisher| {
            publisher.serve("/feed", [document()]);
            publisher.serve("/page", [page("/feed")]);
        });
        let state = run.state_after(1);
        assert_eq!(state.plan.failures, failures);
        assert_eq!(state.plan.moved_to, None);
    }
}

/// 61: connections that a server closed while nobody used them are no failure.
#[test]
fn kept_connections_that_died_are_replaced_without_a_failure() {
    let run = Run::configured([document()], |_, publisher| {
        let mut last = None;
        publisher.script(PATH, move |request| {
            // Every connection serves one request, and ends at the second.
            let is_kept = last.replace(request.connection) == Some(request.connection);
            if is_kept { Reply::raw("", Next::HangUp) } else { document() }
        });
    });
    let state = run.state_after(4);
    assert_eq!((state.plan.failures, state.plan.standing), (0, Standing::Fine));
}

/// 46
#[test]
fn redirects_in_a_ring_or_without_end_are_cut_off() {
    let run = Run::configured([Reply::redirect(302, "/b.xml")], |setup, publisher| {
        setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
        publisher.serve("/b.xml", [Reply::redirect(302, PATH)]);
    });
    assert_eq!(run.state_after(1).plan.last_failure.unwrap().class, FailureClass::RedirectLoop);
    assert!(run.publisher.log().len() <= 2, "a URL seen before is not asked again");

    let run = Run::configured([Reply::redirect(302, "/0.xml")], |setup, publisher| {
        setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
        setup.set("fetch.redirects_max", 5);
        for hop in 0..30 {
            let next = format!("/{}.xml", hop + 1);
            publisher.serve(&format!("/{hop}.xml"), [Reply::redirect(302, &next)]);
        }
    });
    assert_eq!(run.state_after(1).plan.last_failure.unwrap().class, FailureClass::RedirectLoop);
    assert_eq!(run.publisher.log().len(), 6, "the feed and five redirects");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    brotli::BrotliCompress(
        &mut &bytes[..],
        &mut packed,
        &brotli::enc::BrotliEncoderParams::default(),
    )
    .unwrap();
    packed
}

#[track_caller]
fn check_is_read(reply: Reply) {
    let run = Run::serving([reply]);
    let rows = run.rows_after(1);
    assert_eq!(rows.len(), 1, "{:?}", run.state_after(1).plan.last_failure);
    assert_eq!(rows[0].text("title"), "A");
}

/// 53: whatever the request asked for.
#[test]
fn every_encoding_of_a_body_is_undone() {
    let plain = headlines(&["A"]).into_bytes();
    let encoded = |name, body| Reply::feed(body).header("Content-Encoding", name);
    check_is_read(encoded("gzip", gzip(&plain)));
    check_is_read(encoded("x-gzip", gzip(&plain)));
    check_is_read(encoded("deflate", zlib(&plain)));
    check_is_read(encoded("deflate", deflate(&plain)));
    check_is_read(encoded("br", brotli(&plain)));
    check_is_read(encoded("zstd", zstd::encode_all(&plain[..], 3).unwrap()));
    check_is_read(encoded("gzip, br", brotli(&gzip(&plain))));
    check_is_read(encoded("identity", plain.clone()));
    // No header at all: the first bytes say it.
    check_is_read(Reply::feed(gzip(&plain)));
}

/// 58
#[test]
fn chunks_and_bodies_without_length_are_read() {
    check_is_read(document().delivered(Delivery::Chunked));
    check_is_read(document().delivered(Delivery::UntilClose));
    let many = (0..150).fold(document(), |reply, at| reply.header(&format!("X-{at}"), "y"));
    check_is_read(many);
    check_is_read(document().header("X-Long", &"y".repeat(20_000)));
}

/// 56
#[test]
fn a_slow_answer_is_cut_at_the_deadline_of_the_whole() {
    for reply in [document().delivered(Delivery::Drip), Reply::never()] {
        let run = Run::configured([reply], |setup, _| {
            setup.set("fetch.timeout", "1s").set("fetch.connect_timeout", "1s");
        });
        assert_eq!(run.state_after(1).plan.last_failure.unwrap().class, FailureClass::Timeout);
    }
}

/// 61
#[test]
fn one_connection_serves_many_polls() {
    let run = Run::serving([document()]);
    let requests = run.requests(3);
    assert_eq!(requests[0].connection, requests[2].connection);
}

/// 75
#[test]
fn a_wrong_content_type_does_not_hide_a_feed() {
    for kind in ["text/html", "text/plain", "application/octet-stream", "nonsense"] {
        let reply = Reply::status(200).header("Content-Type", kind).body(headlines(&["A"]));
        check_is_read(reply);
    }
    check_is_read(Reply::status(200).body(headlines(&["A"])));
}
