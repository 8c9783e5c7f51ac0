//! What a feed says of its own requests: who hears it, who does not, and where it is shown.

use crate::support::daemon::{BINARY, Setup};
use crate::support::ledger::Ledger;
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{FEED, PATH, headlines};

const SECRET: &str = "Bearer hunter2";

/// A feed under the name of a host, with a header in the configuration, two in a file, and keys of its own.
fn with_headers(publisher: &Publisher, keys: &[(&str, &str)]) -> Setup {
    let mut setup = Setup::new();
    setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
    setup.resolve("news.example").resolve("cdn.example");
    let text = format!("# of our subscription\nAuthorization: {SECRET}\nCookie: sub=1\n");
    std::fs::write(setup.path("news.headers"), text).unwrap();
    let url = publisher.url_at("news.example", PATH);
    setup.feed_that(FEED, &url, |feed| {
        let headers = toml::Table::from_iter([("X-Client".to_owned(), "7".into())]);
        feed.insert("headers".to_owned(), headers.into());
        feed.insert("headers_file".to_owned(), "news.headers".into());
        for (key, value) in keys {
            feed.insert((*key).to_owned(), (*value).into());
        }
    });
    setup
}

fn explained(setup: &Setup) -> String {
    let mut command = setup.command(BINARY);
    let output = command.args(["feeds", "explain", FEED, "--config"]).arg(setup.config()).output();
    let output = output.unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// 48
#[test]
fn headers_of_a_feed_go_to_its_own_origin_alone_and_are_shown_nowhere() {
    let publisher = Publisher::start();
    let elsewhere = publisher.url_at("cdn.example", "/cdn.xml");
    let here = publisher.url_at("news.example", "/b.xml");
    publisher.serve(PATH, [Reply::redirect(302, &here).header("Set-Cookie", "seen=1")]);
    publisher.serve("/b.xml", [Reply::redirect(302, &elsewhere)]);
    publisher.serve("/cdn.xml", [Reply::feed(headlines(&["A"]))]);
    let setup = with_headers(&publisher, &[("user_agent", "Example/2 (+https://example.org)")]);
    let daemon = setup.start();
    Ledger::at(&setup.database()).wait_for_rows(FEED, 1);
    for (path, cookie) in [(PATH, "sub=1"), ("/b.xml", "sub=1; seen=1")] {
        let request = &publisher.requests(path)[0];
        assert_eq!(request.header("authorization"), Some(SECRET), "{path}");
        assert_eq!(request.header("x-client"), Some("7"), "{path}");
        assert_eq!(request.header("cookie"), Some(cookie), "{path}");
    }
    let request = &publisher.requests("/cdn.xml")[0];
    for name in ["authorization", "x-client", "cookie"] {
        assert_eq!(request.header(name), None, "{}", request.head);
    }
    for request in publisher.log().iter().map(|exchange| &exchange.request) {
        assert_eq!(request.header("user-agent"), Some("Example/2 (+https://example.org)"));
    }
    let text = explained(&setup);
    assert!(text.contains("with the headers x-client, authorization, cookie"), "{text}");
    assert!(text.contains("as \"Example/2 (+https://example.org)\""), "{text}");
    let (_, page) = daemon.ask(&format!("/feeds/{FEED}")).unwrap();
    let (_, api) = daemon.ask(&format!("/api/feeds/{FEED}")).unwrap();
    for shown in [text, daemon.text(), page, api] {
        assert!(!shown.contains("hunter2") && !shown.contains("sub=1"), "{shown}");
    }
    daemon.stop();
}

#[test]
fn a_feed_is_looked_for_no_further_than_its_redirects_may_lead() {
    for (policy, is_followed) in [("follow", true), ("same_host", false), ("refuse", false)] {
        let publisher = Publisher::start();
        let elsewhere = publisher.url_at("cdn.example", "/cdn.xml");
        publisher.serve(PATH, [Reply::redirect(301, &elsewhere)]);
        publisher.serve("/cdn.xml", [Reply::feed(headlines(&["A"]))]);
        let setup = with_headers(&publisher, &[("redirects", policy)]);
        let daemon = setup.start();
        let ledger = Ledger::at(&setup.database());
        let state = ledger.wait_for_state(FEED, |state| state.plan.sequence >= 1);
        assert_eq!(publisher.requests("/cdn.xml").len(), usize::from(is_followed), "{policy}");
        let failure = state.plan.last_failure.map(|failure| failure.detail).unwrap_or_default();
        let said = format!("the feed's redirects = \"{policy}\" refuses it");
        assert_eq!(failure.contains(&said), !is_followed, "{failure}");
        daemon.stop();
    }
}

#[test]
fn a_reload_takes_what_a_file_of_headers_says_now() {
    let publisher = Publisher::start();
    publisher.serve(PATH, [Reply::feed(headlines(&["A"]))]);
    let mut setup = with_headers(&publisher, &[]);
    setup.set("schedule.interval_min", "1s").set("schedule.interval_max", "1s");
    let daemon = setup.start();
    publisher.wait_for_requests(PATH, 1);
    std::fs::write(setup.path("news.headers"), "Authorization: Bearer two\n").unwrap();
    daemon.signal("HUP");
    daemon.wait_for_line("configuration reloaded");
    let before = publisher.requests(PATH).len();
    let requests = publisher.wait_for_requests(PATH, before + 2);
    assert_eq!(requests[before + 1].header("authorization"), Some("Bearer two"));
    daemon.stop();
}

#[test]
fn check_says_where_a_feed_says_something_wrong_of_its_requests_and_repeats_no_value() {
    let publisher = Publisher::start();
    let wrong = [("redirects", "never"), ("http", "9"), ("roots_file", "news.headers")];
    let setup = with_headers(&publisher, &wrong);
    std::fs::write(setup.path("news.headers"), "X-Key: a\nAuthorization hunter2\n").unwrap();
    let output =
        setup.command(BINARY).args(["check", "--config"]).arg(setup.config()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{text}");
    for (key, why) in [
        ("headers_file", "\"news.headers\" line 2 is no header"),
        ("roots_file", "\"news.headers\" has no certificate"),
        ("redirects", "\"never\" is not known; use \"follow\", \"same_host\" or \"refuse\""),
        ("http", "\"9\" is not known; use \"best\" or \"1.1\""),
    ] {
        let line = text.lines().find(|line| line.contains(&format!("feed[0].{key}")));
        let line = line.unwrap_or_else(|| panic!("nothing of {key} in {text}"));
        assert!(line.contains(why), "{line}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}
