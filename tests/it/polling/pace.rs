//! When a feed is asked again: what servers say, what failures do, how hosts are spared.
//!
//! The plan in the feed state says when the next poll is due and what made it so; a test reads it
//! there and does not wait for it, but for one test of each kind that shows the plan is kept.

use std::time::Duration;

use conflictwire::clock::Clock;
use cw_decide::schedule::{BUSY_WAIT_MIN, GONE_INTERVAL};
use cw_model::FailureClass;
use cw_model::state::{FeedState, Reason, Standing};
use tokio::time::Instant;

use crate::support::daemon::Setup;
use crate::support::ledger::Ledger;
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{FEED, PATH, Run, headlines};
use crate::support::wait_until;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// From the poll to the next, as planned.
fn wait(state: &FeedState) -> Duration {
    let due_at = state.plan.next.due_at.unwrap();
    due_at.duration_since(state.plan.polled_at.unwrap()).try_into().unwrap()
}

/// A wait as planned is at least what was asked for, and at most a tenth longer.
#[track_caller]
fn assert_wait(state: &FeedState, reason: Reason, asked: Duration) {
    assert_eq!(state.plan.next.reason, reason, "{:?}", state.plan);
    let planned = wait(state);
    assert!(asked <= planned && planned <= asked.mul_f64(1.11), "{:?}", state.plan);
}

fn hourly(setup: &mut Setup, _: &Publisher) {
    setup.set("schedule.interval_min", "10s").set("schedule.interval_max", "1h");
    setup.remove_feed(FEED);
}

/// A feed with an interval of its own, so that what else has a say shows.
fn with_interval(interval: &'static str) -> impl Fn(&mut Setup, &Publisher) {
    move |setup, publisher| {
        hourly(setup, publisher);
        setup.feed_with(FEED, &publisher.url(PATH), &[("interval", interval)]);
    }
}

fn document() -> Reply {
    Reply::feed(headlines(&["A"])).header("ETag", "\"a\"")
}

/// 17, 19
#[test]
fn freshness_puts_off_the_next_poll_less_the_answers_age_and_within_bounds() {
    #[track_caller]
    fn check(headers: &[(&str, &str)], reason: Reason, wait: Duration) {
        let reply =
            headers.iter().fold(document(), |reply, (name, value)| reply.header(name, value));
        let run = Run::configured([reply], with_interval("20s"));
        assert_wait(&run.state_after(1), reason, wait);
    }
    check(&[("Cache-Control", "public, max-age=600")], Reason::Freshness, 600 * SECOND);
    check(&[("Cache-Control", "max-age=600"), ("Age", "100")], Reason::Freshness, 500 * SECOND);
    check(&[("Cache-Control", "max-age=2592000")], Reason::Freshness, HOUR);
    check(&[("Cache-Control", "max-age=5")], Reason::Interval, 20 * SECOND);
    // 20
    check(&[("Cache-Control", "max-age=0")], Reason::Interval, 20 * SECOND);
    check(&[("Cache-Control", "no-cache")], Reason::Interval, 20 * SECOND);
    check(&[("Cache-Control", "no-store, max-age=600")], Reason::Interval, 20 * SECOND);
}

/// 18
#[test]
fn freshness_on_a_304_puts_off_the_next_poll_too() {
    let fresh = Reply::status(304).header("Cache-Control", "max-age=900");
    let run = Run::configured([document(), fresh], |setup, publisher| {
        setup.set("schedule.interval_max", "1h").remove_feed(FEED);
        setup.feed_with(FEED, &publisher.url(PATH), &[("interval", "1s")]);
    });
    assert_wait(&run.state_after(2), Reason::Freshness, 900 * SECOND);
}

/// 23: this hour and the two after it.
#[test]
fn a_feed_is_not_asked_in_the_hours_that_it_skips() {
    let hour = |at: i64| at.div_euclid(3600).rem_euclid(24);
    let now = hour(Clock::System.now().as_second());
    let hours: Vec<i64> = (now..now + 3).map(|hour| hour % 24).collect();
    let listed: String = hours.iter().map(|hour| format!("<hour>{hour}</hour>")).collect();
    let description = "<description>News</description>";
    let skips = format!("{description}<skipHours>{listed}</skipHours>");
    let text = headlines(&["A"]).replace(description, &skips);
    let run = Run::configured([Reply::feed(text)], with_interval("20s"));
    let state = run.state_after(1);
    assert_eq!(state.plan.next.reason, Reason::Skips, "{:?}", state.plan);
    let due_at = state.plan.next.due_at.unwrap();
    assert!(!hours.contains(&hour(due_at.as_second())), "{due_at} of {hours:?}");
    // The state is read again as it was written.
    let run = run.restart();
    assert_eq!(run.state_after(1).plan, state.plan);
}

/// 17, 28: a plan is kept on the wire.
#[test]
fn nothing_is_asked_before_the_server_said() {
    let busy = Reply::status(429).header("Retry-After", "3");
    let fresh = document().header("Cache-Control", "max-age=3");
    for reply in [busy, fresh] {
        let run = Run::configured([reply, document()], |setup, publisher| {
            setup.set("schedule.interval_max", "4s").remove_feed(FEED);
            // A busy server is spared for a minute or `interval_max`, whichever is shorter.
            setup.feed_with(FEED, &publisher.url(PATH), &[("interval", "1s")]);
        });
        let requests = run.requests(2);
        assert!(requests[1].at - requests[0].at >= 3 * SECOND, "{requests:?}");
    }
}

/// The state after a first answer of this kind.
#[track_caller]
fn state_after_failure(reply: Reply) -> FeedState {
    let run = Run::configured([reply], with_interval("20s"));
    let state = run.state_after(1);
    assert_eq!(state.plan.failures, 1);
    state
}

/// 28
#[test]
fn retry_after_in_seconds_is_kept() {
    for status in [429, 503] {
        let state = state_after_failure(Reply::status(status).header("Retry-After", "300"));
        assert_eq!(state.plan.last_failure.as_ref().unwrap().class, FailureClass::Busy);
        assert_wait(&state, Reason::RetryAfter, 300 * SECOND);
    }
}

/// 29
#[test]
fn retry_after_as_a_date_is_kept() {
    let date = Clock::System.now() + 600 * SECOND;
    let text = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let state = state_after_failure(Reply::status(503).header("Retry-After", &text));
    assert_eq!(state.plan.next.reason, Reason::RetryAfter);
    // The header has no fractions of a second.
    assert!(state.plan.next.due_at.unwrap() + SECOND >= date, "{:?} for {date}", state.plan);
}

/// 30
#[test]
fn an_absurd_retry_after_is_cut_or_not_believed() {
    let state = state_after_failure(Reply::status(429).header("Retry-After", "999999"));
    assert_wait(&state, Reason::RetryAfter, HOUR);
    for text in ["-1", "soon", "", "0"] {
        let state = state_after_failure(Reply::status(429).header("Retry-After", text));
        assert_wait(&state, Reason::Backoff, BUSY_WAIT_MIN);
    }
}

/// 31
#[test]
fn a_busy_server_that_names_no_time_is_spared_a_minute_at_least() {
    let state = state_after_failure(Reply::status(429));
    assert_wait(&state, Reason::Backoff, BUSY_WAIT_MIN);
}

/// 26: twelve came and only the last two are still listed.
#[test]
fn what_a_feed_listed_only_between_two_polls_is_said_to_be_missed() {
    let document = |titles: &[&str]| Reply::feed(headlines(titles));
    let replies = [document(&["B", "A"]), document(&["C", "B"]), document(&["O", "N"])];
    let run = Run::serving(replies);
    let state = run.state_after(3);
    assert_eq!(run.ledger.rows().len(), 5);
    let rejects = run.ledger.rejects();
    let [reject] = rejects.as_slice() else { panic!("{rejects:?}") };
    assert_eq!((reject.feed_id.as_str(), reject.reason.as_str()), (FEED, "gap"));
    assert!(reject.record.contains("none of the entries of the document before"), "{reject:?}");
    assert_eq!(run.daemon.metric("conflictwire_feed_gaps_total", ""), 1.0);
    let line = run.daemon.wait_for_line(
        "the feed lists nothing of what it listed at the last poll: what it listed only in between was not \
         read; it is asked sooner now",
    );
    assert_eq!(line["feed.id"], FEED);
    assert_eq!(state.plan.standing, Standing::Fine);
}

/// 33
#[test]
fn failures_slow_a_feed_down_to_a_bound_and_one_answer_ends_it() {
    let failures = || std::iter::repeat_n(Reply::status(500), 3);
    let run = Run::configured(failures().chain([document()]), |setup, publisher| {
        setup.set("schedule.interval_max", "4s").remove_feed(FEED);
        setup.feed_with(FEED, &publisher.url(PATH), &[("interval", "1s")]);
    });
    for (failed, backoff) in [(1, 2), (2, 4), (3, 4)] {
        let state = run.state_after(failed);
        assert_eq!(
            (u64::from(state.plan.failures), state.plan.standing),
            (failed, Standing::Failing)
        );
        assert_wait(&state, Reason::Backoff, backoff * SECOND);
    }
    let state = run.state_after(4);
    assert_eq!((state.plan.failures, state.plan.standing), (0, Standing::Fine));
    assert_eq!(state.plan.last_failure, None);
    assert_eq!(run.ledger.rows().len(), 1);
    run.daemon.wait_for_metric("conflictwire_poll_failures_total", "class=\"server\"", 3.0);
}

/// 34
#[test]
fn a_feed_that_was_not_found_for_long_comes_back() {
    let lost = std::iter::repeat_n(Reply::status(404), 6);
    let run = Run::serving(lost.chain([document()]));
    assert_eq!(run.state_after(6).plan.last_failure.unwrap().class, FailureClass::NotFound);
    assert_eq!(run.rows_after(7).len(), 1);
}

/// 35
#[test]
fn a_withdrawn_feed_is_asked_weekly_once_that_was_said_on_two_days() {
    let run = Run::configured([Reply::status(410)], with_interval("20s"));
    let state = run.state_after(1);
    assert_eq!(state.plan.standing, Standing::Failing);
    assert_wait(&state, Reason::Backoff, 40 * SECOND);
    let Run { publisher, setup, ledger, daemon } = run;
    daemon.stop();
    ledger.change(
        "UPDATE feed_state SET state = json_set(state, '$.gone_at', '2026-01-01T00:00:00Z',
             '$.plan.due_at', '2026-01-01T00:00:01Z')",
    );
    let daemon = setup.start();
    let run = Run { publisher, setup, ledger, daemon };
    let state = run.state_after(2);
    assert_eq!(state.plan.standing, Standing::Gone);
    assert_eq!(state.plan.last_failure.as_ref().unwrap().class, FailureClass::Gone);
    assert_wait(&state, Reason::Gone, GONE_INTERVAL);
    wait_until("the gauge of withdrawn feeds", || {
        run.daemon.metric("conflictwire_feeds", "state=\"gone\"") > 0.0
    });
}

/// 59
#[test]
fn a_host_of_many_feeds_is_asked_by_few_at_once_and_with_a_gap() {
    const FEEDS: u32 = 12;
    const GAP: Duration = Duration::from_millis(250);
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
    setup.set("fetch.host_concurrency", 2).set("fetch.host_gap", "250ms").resolve("many.test");
    for number in 0..FEEDS {
        let path = format!("/{number}.xml");
        // Slow enough that answers would pile up if nobody counted them.
        let slow = Reply::feed("<rss/>").delivered(crate::support::publisher::Delivery::Drip);
        publisher.serve(&path, [slow]);
        setup.feed(&format!("feed{number}"), &publisher.url_at("many.test", &path));
    }
    let began_at = Instant::now();
    let _daemon = setup.start();
    wait_until("a request for each feed", || publisher.log().len() >= FEEDS as usize);
    let requests: Vec<_> = publisher.log().into_iter().map(|exchange| exchange.request).collect();
    let crowd = requests.iter().map(|request| request.in_flight).max();
    assert!(crowd <= Some(2), "{crowd:?} at once");
    // Any request may be held up on its way, the first too: but none comes before it was sent, and
    // the last was sent this long after the start at least.
    let took = requests.last().unwrap().at - began_at;
    assert!(took >= (FEEDS - 1) * GAP, "{FEEDS} requests in {took:?}");
}

/// Their time is ten minutes each: without bounds on the places that they hold, nobody else would be asked.
#[test]
fn hosts_that_take_connections_and_say_nothing_do_not_keep_others_waiting() {
    const EACH: usize = 16;
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
    setup.set("fetch.timeout", "10m").set("fetch.concurrency", 8);
    for number in 0..EACH {
        // Of hosts that are due at the same moment the first by name comes first.
        for (kind, reply) in [("a-silent", Reply::never()), ("b-prompt", document())] {
            let (host, path) = (format!("{kind}{number}.test"), format!("/{kind}/{number}"));
            publisher.serve(&path, [reply]);
            setup.resolve(&host).feed(&format!("{kind}{number}"), &publisher.url_at(&host, &path));
        }
    }
    let daemon = setup.start();
    let prompt = || {
        let log = publisher.log();
        log.iter().filter(|it| it.request.path.starts_with("/b-prompt/")).count()
    };
    wait_until("a request for each feed that answers", || prompt() >= EACH);
    daemon.wait_for_metric("conflictwire_polls_put_off_total", "", 1.0);
    // Nothing is held against anybody for that.
    assert!(daemon.metric("conflictwire_polls_total", "outcome=\"failed\"") < 1.0);
}

/// Lets every host be at this address from now on.
fn move_hosts(setup: &mut Setup, hosts: &[String], address: &str) {
    let addresses = hosts.iter().map(|host| (host.clone(), address.into()));
    setup.set("fetch.resolve", addresses.collect::<toml::Table>());
    setup.write();
}

#[test]
fn a_network_that_is_away_is_told_once_and_held_against_nobody() {
    const LOST: &str = "no host answers any more: the network is away; no feed is blamed, and a few are asked \
                        now and then until one answers";
    const BACK: &str = "the network is back; feeds that are due are asked within minutes";
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.set("fetch.allow_private_networks", vec!["127.0.0.0/8"]);
    let hosts: Vec<String> = (0..8).map(|number| format!("away{number}.test")).collect();
    for host in &hosts {
        publisher.serve(&format!("/{host}"), [document()]);
        setup.feed(host, &publisher.url_at(host, &format!("/{host}")));
    }
    move_hosts(&mut setup, &hosts, "127.0.0.1");
    let daemon = setup.start();
    let asked = |least: usize| {
        wait_until("a request for each feed", || {
            hosts.iter().all(|host| publisher.requests(&format!("/{host}")).len() >= least)
        });
    };
    asked(1);
    // Nobody listens there.
    move_hosts(&mut setup, &hosts, "127.0.0.2");
    daemon.signal("HUP");
    daemon.wait_for_line(LOST);
    daemon.wait_for_metric("conflictwire_network_away", "", 1.0);
    daemon.wait_for_metric("conflictwire_poll_failures_total", "class=\"local\"", 3.0);
    let (status, text) = daemon.ask("/readyz").unwrap();
    assert_eq!((status, text.contains("the network is away")), (503, true), "{text}");
    let before = publisher.log().len();
    move_hosts(&mut setup, &hosts, "127.0.0.1");
    daemon.signal("HUP");
    daemon.wait_for_line(BACK);
    wait_until("readiness", || daemon.ask("/readyz").is_some_and(|(status, _)| status == 200));
    asked(before / hosts.len() + 2);
    let ledger = Ledger::at(&setup.database());
    for host in &hosts {
        let state = ledger.state(host).unwrap();
        assert!(state.plan.failures <= 1, "{host}: {:?}", state.plan);
    }
    let told = |message: &str| {
        let lines = daemon.lines();
        lines.iter().filter(|line| line["message"] == message).count()
    };
    assert_eq!((told(LOST), told(BACK)), (1, 1));
}

/// Requests of hosts that share a server are at least a quarter of the gap apart that one host has to itself.
#[track_caller]
fn assert_apart(publisher: &Publisher, path: &str, count: usize, gap: Duration, began_at: Instant) {
    let requests = || -> Vec<_> {
        let log = publisher.log().into_iter().map(|exchange| exchange.request);
        log.filter(|request| request.path.starts_with(path)).collect()
    };
    wait_until(format!("{count} requests for {path}"), || requests().len() >= count);
    // As above: the last of them was not sent before.
    let took = requests()[count - 1].at - began_at;
    let least = gap / 4 * u32::try_from(count - 1).unwrap();
    assert!(took >= least, "{count} requests for {path} in {took:?}");
}

#[test]
fn hosts_behind_one_address_or_one_redirect_are_asked_one_after_another() {
    const HOSTS: usize = 20;
    const GAP: Duration = Duration::from_secs(1);
    for is_redirected in [false, true] {
        let publisher = Publisher::start();
        let mut setup = Setup::new();
        setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
        setup.set("fetch.host_gap", "1s").resolve("target.test");
        for number in 0..HOSTS {
            let (host, path) = (format!("shared{number}.test"), format!("/feed/{number}"));
            let target = publisher.url_at("target.test", &format!("/target/{number}"));
            let reply = if is_redirected { Reply::redirect(302, &target) } else { document() };
            publisher.serve(&path, [reply]);
            publisher.serve(&format!("/target/{number}"), [document()]);
            setup.resolve(&host).feed(&host, &publisher.url_at(&host, &path));
        }
        let began_at = Instant::now();
        let daemon = setup.start();
        let path = if is_redirected { "/target/" } else { "/feed/" };
        assert_apart(&publisher, path, HOSTS, GAP, began_at);
        daemon.wait_for_metric("conflictwire_polls_total", "outcome=\"modified\"", 20.0);
        assert!(daemon.metric("conflictwire_polls_total", "outcome=\"failed\"") < 1.0);
    }
}

#[test]
fn a_host_that_refuses_one_of_its_feeds_is_asked_for_none_before_it_said() {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.set("fetch.host_concurrency", 1).resolve("busy.test");
    let busy = Reply::status(429).header("Retry-After", "4");
    for number in 0..6 {
        let path = format!("/{number}.xml");
        publisher.serve(&path, [busy.clone(), document()]);
        setup.feed(&format!("feed{number}"), &publisher.url_at("busy.test", &path));
    }
    let _daemon = setup.start();
    wait_until("a second request", || publisher.log().len() >= 2);
    let requests: Vec<_> = publisher.log().into_iter().map(|exchange| exchange.request).collect();
    assert!(requests[1].at - requests[0].at >= 4 * SECOND, "{requests:?}");
}

/// 32: a host that refuses one feed and answers its sibling is not asked more seldom for the sibling, once that has shown.
#[test]
fn a_sibling_of_a_feed_that_is_always_refused_keeps_its_schedule() {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.resolve("busy.test");
    setup.set("schedule.interval_min", "1s").set("schedule.interval_max", "1s");
    publisher.serve("/a.xml", [Reply::status(429).header("Retry-After", "5")]);
    publisher.serve("/b.xml", [document()]);
    setup.feed("a", &publisher.url_at("busy.test", "/a.xml"));
    setup.feed("b", &publisher.url_at("busy.test", "/b.xml"));
    let _daemon = setup.start();
    let refused = publisher.wait_for_requests("/a.xml", 5);
    let sibling = publisher.requests("/b.xml");
    let between = |from: usize, to: usize| {
        let within = refused[from].at..refused[to].at;
        sibling.iter().filter(|request| within.contains(&request.at)).count()
    };
    // One may be under way, and one be asked when the time is over.
    assert!(between(0, 1) <= 2, "at first the whole host is spared: {sibling:?}");
    assert!(between(3, 4) >= 3, "{refused:?} {sibling:?}");
}
