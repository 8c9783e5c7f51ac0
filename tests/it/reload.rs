//! Another configuration without another start: by SIGHUP, a file that changes, or the admin server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::daemon::{BINARY, Daemon, Setup};
use crate::support::publisher::{Publisher, Reply};
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
    // It is given up in the end, by name, and the next one does not wait for it.
    let line = run.daemon.wait_for_line("the new configuration is refused; the old one stays");
    let problem = line["config.problem"].as_str().unwrap();
    assert!(problem.contains("feeds.toml\" does not end or does not answer"), "{problem}");
    run.setup.set("feeds_from", toml::Value::Array(Vec::new())).write();
    run.daemon.signal("HUP");
    run.daemon.wait_for_line("configuration reloaded");
    run.daemon.stop();
}

/// What a `POST` comes to: status and body.
fn post(daemon: &Daemon, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(daemon.admin()).unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n{headers}Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn whoever_posts_for_a_reload_is_told_what_came_of_it() {
    let mut run = hourly();
    let added = run.publisher.url("/added.xml");
    run.setup.feed("added", &added).write();
    let (status, body) = post(&run.daemon, "/-/reload", "");
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, told),
        (200, serde_json::json!({"outcome": "accepted", "feeds": 3, "added": 1, "removed": 0}))
    );
    run.ledger.wait_for_rows("added", 1);
    assert!(
        run.daemon.metric("conflictwire_config_last_reload_success_timestamp_seconds", "") > 1e9
    );

    let text = std::fs::read_to_string(run.setup.config()).unwrap();
    std::fs::write(run.setup.config(), text.replace("interval_max", "interval_mx")).unwrap();
    let (status, body) = post(&run.daemon, "/-/reload", "");
    assert_eq!(status, 422, "{body}");
    assert!(body.contains("interval_mx"), "{body}");
    // The old one is in use, and whoever looks is told.
    let (status, ready) = run.daemon.ask("/readyz").unwrap();
    assert_eq!(
        (status, ready.as_str()),
        (200, "ready; the configuration that was read last is refused, an older one is in use\n")
    );
    // No page of another site may ask, and nobody by following a link.
    assert_eq!(post(&run.daemon, "/-/reload", "Origin: http://a.example\r\n").0, 403);
    let by_link = run.daemon.ask("/-/reload").unwrap();
    assert_eq!(by_link.0, 421, "asked as another host: {}", by_link.1);
    run.daemon.stop();
}

#[test]
fn the_command_asks_for_a_reload_with_the_token_and_says_what_came_of_it() {
    let token = "correct-horse-battery-staple";
    let mut run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, _| {
        std::fs::write(setup.path("token"), token).unwrap();
        setup.set("admin.token_file", "token");
    });
    assert_eq!(post(&run.daemon, "/-/reload", "").0, 401, "a token is asked for");
    let address = run.daemon.admin().to_string();
    let reload = |run: &Run| {
        let mut command = run.setup.command(BINARY);
        command.args(["reload", "--config"]).arg(run.setup.config());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    run.setup.set("admin.listen", address);
    let (code, text) = reload(&run);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("the daemon has read the configuration: 1 feed, 0 added"), "{text}");

    // The token is read anew with the rest: the old one opens nothing any more.
    std::fs::write(run.setup.path("token"), "another-horse-battery-staple").unwrap();
    run.daemon.signal("HUP");
    wait_until("the other token", || {
        let header = "Authorization: Bearer another-horse-battery-staple\r\n";
        post(&run.daemon, "/-/reload", header).0 == 200
    });
    let old = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(post(&run.daemon, "/-/reload", &old).0, 401);
    run.daemon.stop();
}

#[test]
fn a_file_that_changes_is_read_without_being_asked_for() {
    let mut run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, publisher| {
        publisher.serve("/added.xml", [Reply::feed(headlines(&["B"]))]);
        std::fs::create_dir(setup.path("feeds.d")).unwrap();
        setup.set("run.watch", "1s").set("feeds_from", vec!["feeds.d"]);
    });
    let added = run.publisher.url("/added.xml");
    let list = format!("[[feed]]\nid = \"added\"\nurl = \"{added}\"\n");
    std::fs::write(run.setup.path("feeds.d/team.toml"), list).unwrap();
    run.daemon.wait_for_line("the file has changed; reload asked for");
    run.ledger.wait_for_rows("added", 1);

    // One with a mistake is refused once, however long it stays, and is read when it is mended.
    run.setup.set("run.watch", "1x").write();
    run.daemon.wait_for_metric("conflictwire_config_reloads_total", "outcome=\"refused\"", 1.0);
    run.setup.set("run.watch", "2s").write();
    run.daemon.wait_for_metric("conflictwire_config_reloads_total", "outcome=\"accepted\"", 2.0);
    assert!(run.daemon.metric("conflictwire_config_reloads_total", "outcome=\"refused\"") <= 1.0);
    run.daemon.stop();
}

/// As Kubernetes mounts one, and replaces it: by another link, in one step.
#[test]
fn the_swapped_link_of_a_configmap_is_read() {
    let publisher = Publisher::start();
    publisher.serve(PATH, [Reply::feed(headlines(&["A"]))]);
    publisher.serve("/added.xml", [Reply::feed(headlines(&["B"]))]);
    let mut setup = Setup::new();
    let database = setup.database().to_str().unwrap().to_owned();
    setup.set("run.watch", "1s").set("sqlite.path", database);
    setup.feed(FEED, &publisher.url(PATH));
    let mount = |setup: &Setup, version: &str| {
        setup.write();
        std::fs::create_dir_all(setup.path("mount").join(version)).unwrap();
        let real = setup.path("mount").join(version).join("conflictwire.toml");
        std::fs::copy(setup.config(), real).unwrap();
        let new = setup.path("mount/..data_tmp");
        std::os::unix::fs::symlink(version, &new).unwrap();
        std::fs::rename(new, setup.path("mount/..data")).unwrap();
    };
    mount(&setup, "..2026_01");
    let link = setup.path("mount/conflictwire.toml");
    std::os::unix::fs::symlink("..data/conflictwire.toml", &link).unwrap();
    let mut command = setup.command(BINARY);
    command.arg("run").arg("--config").arg(&link);
    let daemon = Daemon::watch(command);
    daemon.wait_until_listening();
    setup.feed("added", &publisher.url("/added.xml"));
    mount(&setup, "..2026_02");
    daemon.wait_for_line("configuration reloaded");
    publisher.wait_for_requests("/added.xml", 1);
    daemon.stop();
}
