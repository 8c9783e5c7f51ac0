//! SIGHUP: another configuration, without another start.

use std::time::Duration;

use crate::support::daemon::BINARY;
use crate::support::publisher::Reply;
use crate::support::run::{FEED, PATH, Run, headlines};
use crate::support::wait_until;

/// A feed that was polled once and is due in an hour.
fn hourly() -> Run {
    let run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, publisher| {
        setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
        for name in ["other", "added"] {
            publisher.serve(&format!("/{name}.xml"), [Reply::feed(headlines(&["B"]))]);
        }
        setup.feed("other", &publisher.url("/other.xml"));
    });
    run.ledger.wait_for_rows(FEED, 1);
    run.ledger.wait_for_rows("other", 1);
    run
}

/// 92
#[test]
fn a_reload_adds_and_removes_feeds_and_leaves_the_others_alone() {
    let mut run = hourly();
    let due_at = run.ledger.state(FEED).unwrap().plan.next.due_at;
    let added = run.publisher.url("/added.xml");
    run.setup.remove_feed("other").feed("added", &added).write();
    run.daemon.signal("HUP");
    let line = run.daemon.wait_for_line("configuration reloaded");
    assert_eq!((&line["feed.added"], &line["feed.removed"]), (&1.into(), &1.into()), "{line}");
    run.ledger.wait_for_rows("added", 1);
    run.daemon.wait_for_metric("conflictwire_config_reloads_total", "outcome=\"accepted\"", 1.0);
    assert_eq!(run.publisher.requests(PATH).len(), 1, "its schedule stands");
    assert_eq!(run.ledger.state(FEED).unwrap().plan.next.due_at, due_at);
    // A feed that is taken out keeps its state, and goes on with it when it is added again.
    assert!(run.ledger.state("other").is_some());
    let other = run.publisher.url("/other.xml");
    run.setup.feed("other", &other).write();
    run.daemon.signal("HUP");
    wait_until("the second reload", || {
        run.daemon.metric("conflictwire_config_reloads_total", "outcome=\"accepted\"") >= 2.0
    });
    assert_eq!(run.publisher.requests("/other.xml").len(), 1);
}

#[test]
fn a_bad_configuration_is_refused_and_the_old_one_stays() {
    let run = hourly();
    let text = std::fs::read_to_string(run.setup.config()).unwrap();
    std::fs::write(run.setup.config(), text.replace("interval_max", "interval_mx")).unwrap();
    run.daemon.signal("HUP");
    let line = run.daemon.wait_for_line("the new configuration is refused; the old one stays");
    let problem = line["config.problem"].as_str().unwrap();
    assert!(problem.contains("interval_mx") && problem.contains("interval_max"), "{problem}");
    run.daemon.wait_for_metric("conflictwire_config_reloads_total", "outcome=\"refused\"", 1.0);
    assert_eq!(run.publisher.requests(PATH).len(), 1);

    // And the daemon can still be told better.
    run.setup.write();
    run.daemon.signal("HUP");
    run.daemon.wait_for_line("configuration reloaded");
    run.daemon.stop();
}

/// A reload meets the next poll, not the one under way.
#[test]
fn a_reload_while_a_poll_is_under_way_polls_nothing_twice() {
    let gate = crate::support::publisher::Gate::closed();
    let held = crate::support::publisher::Delivery::Held(gate.clone());
    let run = Run::configured([Reply::feed(headlines(&["A"])).delivered(held)], |setup, _| {
        setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
    });
    run.requests(1);
    run.daemon.signal("HUP");
    run.daemon.wait_for_line("configuration reloaded");
    gate.open();
    let state = run.state_after(1);
    let wait: Duration = state
        .plan
        .next
        .due_at
        .unwrap()
        .duration_since(state.plan.polled_at.unwrap())
        .try_into()
        .unwrap();
    assert!(wait >= Duration::from_secs(3600));
    assert_eq!(run.publisher.requests(PATH).len(), 1);
}

/// Two reloads in a row, the first without the feed: the poll under way is still its only one.
#[test]
fn a_feed_added_again_while_its_poll_is_under_way_is_not_polled_beside_it() {
    let gate = crate::support::publisher::Gate::closed();
    let held = crate::support::publisher::Delivery::Held(gate.clone());
    let mut run =
        Run::configured([Reply::feed(headlines(&["A"])).delivered(held)], |setup, publisher| {
            setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
            publisher.serve("/other.xml", [Reply::feed(headlines(&["B"]))]);
            setup.feed("other", &publisher.url("/other.xml"));
        });
    run.requests(1);
    let reloads = |run: &Run, count| {
        run.daemon.signal("HUP");
        let accepted = "outcome=\"accepted\"";
        run.daemon.wait_for_metric("conflictwire_config_reloads_total", accepted, count);
    };
    run.setup.remove_feed(FEED).write();
    reloads(&run, 1.0);
    let url = run.publisher.url(PATH);
    run.setup.feed(FEED, &url).write();
    reloads(&run, 2.0);
    gate.open();
    run.state_after(1);
    run.daemon.stop();
    assert_eq!(run.publisher.requests(PATH).len(), 1);
    assert_eq!(run.ledger.rows_of(FEED).len(), 1);
}

#[test]
fn a_shorter_interval_shortens_a_wait_that_has_begun() {
    let mut run = hourly();
    run.setup.set("schedule.interval_min", "1s").set("schedule.interval_max", "1s").write();
    run.daemon.signal("HUP");
    run.requests(3);
    run.daemon.stop();
}

/// Whatever the day: what midnight gives back is used up by the same document.
#[test]
fn a_feed_over_its_quota_is_named_and_read_on_once_the_quota_is_raised() {
    let titles = ["A", "B", "C", "D", "E"];
    let mut run = Run::configured([Reply::feed(headlines(&titles))], |setup, _| {
        setup.set("schedule.articles_per_day", 2);
    });
    let line = run.daemon.wait_for_line(
        "the feed has added as much as it may in a day (schedule.articles_per_day, \
         schedule.bytes_per_day); it is put off, and what it still lists then is read then",
    );
    assert_eq!((&line["feed.id"], &line["entry.over_quota"]), (&FEED.into(), &3.into()), "{line}");
    run.daemon.wait_for_metric("conflictwire_feeds_over_quota", "", 1.0);
    assert_eq!(run.ledger.wait_for_rows(FEED, 2).len(), 2);
    let config = run.setup.config();
    let mut explain = run.setup.command(BINARY);
    explain.args(["feeds", "explain", FEED, "--config"]).arg(&config);
    let explained = String::from_utf8(explain.output().unwrap().stdout).unwrap();
    assert!(explained.contains("left unread: 3 articles of the last document"), "{explained}");

    run.setup.set("schedule.articles_per_day", 100).write();
    run.daemon.signal("HUP");
    assert_eq!(run.ledger.wait_for_rows(FEED, 5).len(), 5);
    run.daemon.stop();
}

#[test]
fn a_configuration_without_feeds_is_refused_as_at_the_start() {
    let mut run = hourly();
    run.setup.remove_feed(FEED).remove_feed("other").write();
    run.daemon.signal("HUP");
    let line = run.daemon.wait_for_line("the new configuration is refused; the old one stays");
    assert!(line["config.problem"].as_str().unwrap().contains("no feed is configured"), "{line}");
    run.daemon.stop();
}

/// A file that never ends, as on a network drive that is away.
#[test]
fn a_reload_that_hangs_holds_up_neither_polls_nor_the_end() {
    let mut run = Run::serving([Reply::feed(headlines(&["A"]))]);
    let pipe = run.setup.path("feeds.toml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    run.setup.set("feeds_from", vec!["feeds.toml"]).write();
    run.daemon.signal("HUP");
    run.daemon.wait_for_line("reload asked for");
    let polls = run.publisher.requests(PATH).len();
    run.requests(polls + 2);
    run.daemon.stop();
}
