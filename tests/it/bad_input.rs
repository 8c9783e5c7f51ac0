//! Whatever a publisher sends, the failure has a class, a counter, a next attempt and, where a body
//! was refused, one reject; and the feed beside it goes on.

use std::io::Write;

use cw_model::FailureClass;
use cw_model::state::Standing;
use flate2::Compression;

use crate::constructions::documents::rss_at;
use crate::support::daemon::Setup;
use crate::support::growing::{Growing, Pace};
use crate::support::ledger::Ledger;
use crate::support::publisher::{Delivery, Publisher, Reply, Tripwire};
use crate::support::run::{FEED, Run, headlines, rss};
use crate::support::wait_until;

/// The most bytes of a body in these tests.
const BODY_LIMIT: &str = "1MiB";

/// How much a refused body may add to the daemon's memory: a few times [`BODY_LIMIT`], far from
/// the size of what was sent.
const MEMORY_GROWTH_MAX: u64 = 24 * 1024 * 1024;

/// Polls of the bad feed that are waited for: a second refusal must not write a second reject.
const FAILURES: u32 = 3;

/// What must come of a bad answer.
#[derive(Clone, Copy)]
enum Rejected {
    /// Nothing was read, so nothing is kept.
    Nothing,
    /// The body is kept as a reject, once.
    Body,
}

/// A good feed, a bad one, and what came of it.
#[track_caller]
fn check(bad: Reply, class: FailureClass, rejected: Rejected) -> Run {
    check_configured(bad, class, rejected, |_, _| {})
}

#[track_caller]
fn check_configured(
    bad: Reply,
    class: FailureClass,
    rejected: Rejected,
    configure: impl FnOnce(&mut Setup, &Publisher),
) -> Run {
    let mut good = None;
    // The first answer is fine, so that there is something to be lost.
    let fine = Reply::feed(headlines(&["Before"])).header("ETag", "\"fine\"");
    let mut run = Run::configured([fine, bad], |setup, publisher| {
        setup.set("fetch.body_limit", BODY_LIMIT).resolve("good.test");
        let growing = Growing::publish(publisher, "good", "good.test", Pace::Patient);
        setup.feed(&growing.name, &growing.url);
        good = Some(growing);
        configure(setup, publisher);
    });
    let good = good.unwrap();
    run.state_after(1);
    // The first article compiles the lexicon of its language, which is no growth by what is refused.
    wait_until("the other feed to be read", || !run.ledger.rows_of(&good.name).is_empty());
    let memory_before = run.daemon.memory_peak_bytes();

    let state = run.ledger.wait_for_state(FEED, |state| state.plan.failures >= FAILURES);
    let failure = state.plan.last_failure.clone().unwrap();
    assert_eq!(failure.class, class, "{failure:?}");
    assert!(!failure.detail.is_empty() && !failure.detail.ends_with('.'), "{failure:?}");
    assert_eq!(state.plan.standing, Standing::Failing);
    assert!(state.plan.next.due_at > state.plan.polled_at, "no next attempt: {:?}", state.plan);
    let validators = state.memory.validators();
    let etags: Vec<_> = validators.values().map(|found| found.etag.as_deref()).collect();
    assert_eq!(etags, [Some("\"fine\"")], "a failure changes no validators");
    let label = format!("class=\"{}\"", class.name());
    run.daemon.wait_for_metric("conflictwire_poll_failures_total", &label, f64::from(FAILURES));

    let rejects = run.ledger.rejects();
    let reasons: Vec<&str> = rejects.iter().map(|reject| reject.reason.as_str()).collect();
    match rejected {
        Rejected::Nothing => assert!(rejects.is_empty(), "{rejects:?}"),
        Rejected::Body => assert_eq!(reasons, [class.name()], "{rejects:?}"),
    }
    assert!(rejects.iter().all(|reject| reject.feed_id == FEED), "{rejects:?}");

    let versions = good.served().len();
    wait_until("the other feed to go on", || good.served().len() >= versions + 2);
    good.settle();
    wait_until("the other feed to be committed", || good.is_caught_up());
    run.ledger.audit(&[good], &[]).assert_clean();
    let rows = run.ledger.rows_of(FEED);
    assert_eq!(rows.len(), 1, "nothing is withdrawn and nothing invented: {rows:?}");

    // The kernel adds its counters up only roughly, so a peak may come out lower than one before.
    let growth = run.daemon.memory_peak_bytes().saturating_sub(memory_before);
    assert!(growth < MEMORY_GROWTH_MAX, "memory grew by {growth} bytes");
    assert!(run.daemon.is_running());
    run
}

#[test]
fn a_malformed_feed_is_named_and_kept() {
    let broken = "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Wire";
    check(Reply::feed(broken), FailureClass::Malformed, Rejected::Body);
}

/// 37
#[test]
fn an_html_page_where_a_feed_was_is_named_and_kept() {
    let page = "<!DOCTYPE html><html><head><title>Parked</title></head><body><p>Buy this \
                domain</p></body></html>";
    let reply = Reply::status(200).header("Content-Type", "text/html").header("ETag", "\"page\"");
    check(reply.body(page), FailureClass::Html, Rejected::Body);
}

#[test]
fn what_is_neither_xml_nor_json_nor_html_is_named_and_kept() {
    check(Reply::feed("Fatal error: out of memory"), FailureClass::NotAFeed, Rejected::Body);
}

/// 38
#[test]
fn an_empty_body_is_named() {
    check(Reply::feed(""), FailureClass::Empty, Rejected::Nothing);
}

/// A hundred short links an entry, each of them joined with a long base: no honest document takes so many
/// steps for its length. More of these than there are places for reading, and a feed that is honest.
#[test]
fn documents_that_take_too_many_steps_are_named_and_kept_and_give_their_places_back() {
    const COSTLY: usize = 6;
    let files = "<enclosure url='1'/>".repeat(100);
    let item = |item| format!("<item><guid>{item}</guid><title>A</title>{files}</item>");
    let base = format!("https://wire.test/{}/", "a".repeat(1900));
    let document = rss_at(&base, &(0..120).map(item).collect::<String>());
    let mut names: Vec<String> = (0..COSTLY).map(|number| format!("costly-{number}")).collect();
    let run = Run::configured([Reply::feed(headlines(&["Before"]))], |setup, publisher| {
        for name in &names {
            let (host, path) = (format!("{name}.test"), format!("/{name}.xml"));
            setup.resolve(&host).feed(name, &publisher.url_at(&host, &path));
            publisher.serve(&path, [Reply::feed(document.clone())]);
        }
    });
    for name in &names {
        let state = run.ledger.wait_for_state(name, |state| state.plan.failures > 0);
        assert_eq!(state.plan.last_failure.unwrap().class, FailureClass::TooCostly);
    }
    // And those that were read while others were refused are read again.
    let polls = run.ledger.state(FEED).map_or(0, |state| state.plan.sequence);
    run.state_after(polls + 1);
    let mut rejects: Vec<_> =
        run.ledger.rejects().into_iter().map(|reject| (reject.feed_id, reject.reason)).collect();
    rejects.sort();
    names.sort();
    let expected: Vec<_> = names.into_iter().map(|name| (name, "too_costly".to_owned())).collect();
    assert_eq!(rejects, expected);
}

/// 50 MB, announced and not.
#[test]
fn an_endless_body_is_cut_at_the_limit() {
    let megabyte = vec![b' '; 1 << 20];
    let announced = Reply::feed(megabyte.clone()).delivered(Delivery::Repeated(50));
    check(announced, FailureClass::TooLarge, Rejected::Nothing);
    let unannounced = Reply::feed(megabyte.repeat(50)).delivered(Delivery::Chunked);
    check(unannounced, FailureClass::TooLarge, Rejected::Nothing);
}

fn bomb(megabytes: usize) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    (0..megabytes).for_each(|_| writer.write_all(&zeros).unwrap());
    writer.finish().unwrap()
}

/// 54
#[test]
fn a_decompression_bomb_is_cut_at_the_limit() {
    let bomb = bomb(200);
    assert!(bomb.len() < 1 << 20, "small on the wire");
    let reply = Reply::feed(bomb).header("Content-Encoding", "gzip");
    check(reply, FailureClass::Bomb, Rejected::Nothing);
}

#[test]
fn a_body_that_does_not_decompress_is_named() {
    let mut body = bomb(1);
    body[40..].fill(0xff);
    let reply = Reply::feed(body).header("Content-Encoding", "gzip");
    check(reply, FailureClass::Encoding, Rejected::Nothing);
}

/// 46
#[test]
fn a_redirect_loop_is_named() {
    let bad = Reply::redirect(302, "/b.xml");
    check_configured(bad, FailureClass::RedirectLoop, Rejected::Nothing, |_, publisher| {
        publisher.serve("/b.xml", [Reply::redirect(302, "/b.xml")]);
    });
}

/// One feed for each redirect, all of one daemon; what came of each.
#[track_caller]
fn check_redirects(locations: &[&str], class: FailureClass) {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    for (number, location) in locations.iter().enumerate() {
        let path = format!("/{number}.xml");
        publisher.serve(&path, [Reply::redirect(302, location)]);
        setup.feed(&format!("feed{number}"), &publisher.url(&path));
    }
    let daemon = setup.start();
    let ledger = Ledger::at(&setup.database());
    for (number, location) in locations.iter().enumerate() {
        let feed = format!("feed{number}");
        let state = ledger.wait_for_state(&feed, |state| state.plan.failures >= 2);
        let failure = state.plan.last_failure.as_ref().unwrap();
        assert_eq!(failure.class, class, "{location}: {}", failure.detail);
        assert!(state.plan.next.due_at > state.plan.polled_at, "{location}: {:?}", state.plan);
    }
    daemon.stop();
}

/// 49
#[test]
fn a_redirect_to_another_scheme_is_refused() {
    check_redirects(
        &["file:///etc/passwd", "ftp://127.0.0.1/feed", "gopher://127.0.0.1/", "//", "mailto:x"],
        FailureClass::RedirectRefused,
    );
}

/// 50: only 127.0.0.1 is allowed here, so 127.0.0.2 stands for any private neighbour.
#[test]
fn a_private_address_is_never_dialled_on_any_hop() {
    let tripwire = Tripwire::start("127.0.0.2");
    let url = tripwire.url("/feed");
    let at = |host: &str| url.replace("127.0.0.2", host);
    let locations = [
        url.clone(),
        at("[::ffff:127.0.0.2]"),
        at("0x7f000002"),
        at("2130706434"),
        at("0177.0.0.2"),
        at("[::1]"),
        at("0.0.0.0"),
        "http://10.0.0.1/feed".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ];
    let locations: Vec<&str> = locations.iter().map(String::as_str).collect();
    check_redirects(&locations, FailureClass::AddressBlocked);
    check(Reply::redirect(302, &url), FailureClass::AddressBlocked, Rejected::Nothing);

    // And not as a feed's own URL, by name or number.
    let mut setup = Setup::new();
    setup.feed("number", &url).feed("name", &at("inside.test"));
    setup.set("fetch.resolve", toml::toml! { "inside.test" = "127.0.0.2" });
    let daemon = setup.start();
    let ledger = Ledger::at(&setup.database());
    for feed in ["number", "name"] {
        let state = ledger.wait_for_state(feed, |state| state.plan.failures >= 1);
        assert_eq!(state.plan.last_failure.unwrap().class, FailureClass::AddressBlocked);
    }
    daemon.stop();
    assert_eq!(tripwire.connections(), 0);
}

/// 42
#[test]
fn a_connection_cut_half_way_is_named() {
    let document = headlines(&["A", "B", "C"]);
    let bad = Reply::feed(document.clone()).header("ETag", "\"half\"");
    let bad = bad.delivered(Delivery::CutAfter(document.len() / 2));
    check(bad, FailureClass::Cut, Rejected::Nothing);
}

/// 56, 57
#[test]
fn a_server_that_never_answers_is_named() {
    // Short only here: elsewhere a slow machine must not make a timeout of another failure.
    check_configured(Reply::never(), FailureClass::Timeout, Rejected::Nothing, |setup, _| {
        setup.set("fetch.timeout", "4s").set("fetch.connect_timeout", "4s");
    });
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bad = Reply::redirect(302, &format!("http://127.0.0.1:{port}/"));
    check(bad, FailureClass::Connect, Rejected::Nothing);
}

/// 40
#[test]
fn a_host_without_an_address_is_named() {
    let bad = Reply::redirect(302, "http://nowhere.invalid/");
    check(bad, FailureClass::Dns, Rejected::Nothing);
}

/// 36
#[test]
fn a_challenge_is_told_from_a_refusal() {
    let challenge = Reply::status(403).header("cf-mitigated", "challenge").body("<html>");
    check(challenge, FailureClass::BotChallenge, Rejected::Nothing);
    check(Reply::status(403), FailureClass::Forbidden, Rejected::Nothing);
}

/// 70
#[test]
fn deep_nesting_is_refused_before_any_parser_sees_it() {
    for depth in [2_000, 100_000] {
        let open = "<media:content>".repeat(depth);
        let close = "</media:content>".repeat(depth);
        let body = format!(
            "<rss version=\"2.0\" xmlns:media=\"http://search.yahoo.com/mrss/\"><channel>\
             <item><guid>x</guid><title>Deep</title>{open}{close}</item></channel></rss>"
        );
        // 100,000 levels are 3 MB, and it is the depth that is to be refused here.
        check_configured(Reply::feed(body), FailureClass::TooDeep, Rejected::Body, |setup, _| {
            setup.set("fetch.body_limit", "4MiB");
        });
    }
}

/// 70
#[test]
fn an_entity_bomb_is_refused_unexpanded() {
    let mut entities = "<!ENTITY e0 \"ha\">".to_owned();
    for level in 1..12 {
        let previous = format!("&e{};", level - 1).repeat(10);
        entities.push_str(&format!("<!ENTITY e{level} \"{previous}\">"));
    }
    let feed = rss(&["<item><guid>x</guid><title>&e11;</title></item>"]);
    let (prolog, root) = feed.split_once('\n').unwrap();
    let body = format!("{prolog}<!DOCTYPE rss [{entities}]>{root}");
    check(Reply::feed(body), FailureClass::Entities, Rejected::Body);
}

/// 70: an external entity is refused, and nobody is asked for it.
#[test]
fn an_external_entity_is_refused_and_not_asked_for() {
    let feed = rss(&["<item><guid>x</guid><title>&e;</title></item>"]);
    let (prolog, root) = feed.split_once('\n').unwrap();
    let tripwire = Tripwire::start("127.0.0.1");
    let entity = format!("<!ENTITY e SYSTEM \"{}\">", tripwire.url("/secret"));
    let body = format!("{prolog}<!DOCTYPE rss [{entity}]>{root}");
    check(Reply::feed(body), FailureClass::Entities, Rejected::Body);
    assert_eq!(tripwire.connections(), 0);
}

/// 55
#[test]
fn a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    let document = headlines(&["Before"]);
    let padded = |length: usize| format!("{document}{}", " ".repeat(length - document.len()));
    let run = Run::configured([Reply::feed(padded(1 << 20))], |setup, _| {
        setup.set("fetch.body_limit", BODY_LIMIT);
    });
    assert_eq!(run.rows_after(1).len(), 1);
    check(Reply::feed(padded((1 << 20) + 1)), FailureClass::TooLarge, Rejected::Nothing);
}
