//! What a publisher would find in its log: no request before it said, none without need, all of it told by
//! `feeds politeness` and `feeds explain`.

use std::process::Output;

use serde_json::Value;

use crate::support::daemon::{BINARY, Setup};
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{FEED, Run, headlines};
use crate::support::wait_until;

fn command(setup: &Setup, arguments: &[&str]) -> Output {
    setup.command(BINARY).args(arguments).arg("--config").arg(setup.config()).output().unwrap()
}

fn text(setup: &Setup, arguments: &[&str]) -> String {
    let output = command(setup, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// 17, 18, 28: whatever the publisher asks for, in whatever form.
#[test]
fn no_request_comes_before_the_publisher_said_and_none_but_the_first_is_unconditional() {
    const POLLS: usize = 4;
    let document = || Reply::feed(headlines(&["A"])).header("ETag", "\"a\"");
    let unchanged = || Reply::status(304);
    let feeds: [(&str, Vec<Reply>); 5] = [
        (
            "fresh",
            vec![
                document().header("Cache-Control", "max-age=2"),
                unchanged().header("Cache-Control", "max-age=2"),
            ],
        ),
        ("aged", vec![document().header("Cache-Control", "max-age=12").header("Age", "10")]),
        ("busy", vec![document(), Reply::status(429).header("Retry-After", "2"), unchanged()]),
        ("away", vec![document(), Reply::status(500), unchanged()]),
        ("unchanged", vec![document(), unchanged()]),
    ];
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.set("schedule.interval_max", "3s");
    for (name, replies) in feeds.clone() {
        let path = format!("/{name}");
        publisher.serve(&path, replies);
        setup.feed(name, &publisher.url(&path));
    }
    let daemon = setup.start();
    let asked = |name: &str| publisher.requests(&format!("/{name}")).len();
    wait_until("requests", || feeds.iter().all(|(name, _)| asked(name) >= POLLS));
    daemon.stop();
    let report = text(&setup, &["feeds", "politeness", "--json"]);
    let lines: Vec<Value> =
        report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), feeds.len());
    for line in &lines {
        assert_eq!(line["early"], 0, "{report}");
        assert!(line["requests"].as_u64() >= Some(POLLS as u64 - 1), "{report}");
        assert!(line["closest_seconds"].as_u64() >= Some(1), "{report}");
        assert!(line["requests_a_day"].as_f64() > Some(0.0), "{report}");
        assert_eq!(line["unconditional"], 1, "{report}");
    }
    let table = text(&setup, &["feeds", "politeness"]);
    assert!(table.contains("too early") && table.contains("fresh"), "{table}");
}

#[test]
fn each_of_the_last_requests_is_told_with_what_decided_it() {
    let fresh = |reply: Reply| reply.header("Cache-Control", "max-age=2");
    let first = fresh(Reply::feed(headlines(&["A"])).header("ETag", "\"a\""));
    let run = Run::configured([first, Reply::status(304)], |setup, _| {
        setup.set("schedule.interval_max", "5s");
    });
    run.state_after(2);
    let Run { setup, daemon, .. } = run;
    daemon.stop();
    let text = text(&setup, &["feeds", "explain", FEED]);
    let words = [
        "its last requests, the newest first:",
        "the first under its URL; sent no validator; answered document; asked for 2s of quiet",
        "; sent If-None-Match; answered not_modified",
    ];
    for words in words {
        assert!(text.contains(words), "{words} in {text}");
    }
}
