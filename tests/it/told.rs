//! What commands, pages and lines of the log say of feeds is what somebody saw, and says when. What
//! nobody looked at is said to be not known, and what is no longer so is not said.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Output, Stdio};

use crate::support::daemon::{BINARY, Setup};
use crate::support::eventually;
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{FEED, PATH, Run, headlines};

/// Runs a command beside the daemon.
fn command(setup: &Setup, args: &[&str]) -> Output {
    let mut command = setup.command(BINARY);
    command.args(args).arg("--config").arg(setup.config()).stdin(Stdio::null());
    command.output().unwrap()
}

/// Both outputs of a command.
fn told(setup: &Setup, args: &[&str]) -> String {
    let output = command(setup, args);
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for words in words {
        assert!(text.contains(words), "{words:?} in\n{text}");
    }
}

/// One feed that is polled once an hour, and was polled.
fn polled() -> Run {
    let run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, _| {
        setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
    });
    run.state_after(1);
    run
}

#[test]
fn without_a_database_nothing_is_said_of_a_feed() {
    let mut setup = Setup::new();
    setup.feed(FEED, "http://127.0.0.1:9/feed.xml");
    let list = told(&setup, &["feeds", "list"]);
    assert_says(&list, &["not known", "1 feed: 1 not known", "there is no database"]);
    assert!(!list.contains("not polled yet"), "{list}");
    assert_says(&told(&setup, &["feeds", "explain", FEED]), &["next poll: not known; there is no"]);
}

#[test]
fn whether_anybody_polls_is_seen_at_the_database() {
    let run = polled();
    let pid = format!("a daemon has it open (process {})", run.daemon.id());
    let list = told(&run.setup, &["feeds", "list"]);
    assert_says(&list, &["  fine", "in 1h", "1 feed: 1 fine", &pid, "conflictwire.sqlite"]);
    let explained = told(&run.setup, &["feeds", "explain", FEED]);
    assert_says(&explained, &[&pid, "because its interval is over then", "last answer: 20"]);
    run.daemon.stop();

    let list = told(&run.setup, &["feeds", "list"]);
    assert_says(&list, &["nobody polls", "no daemon has it open: nobody polls", "1 feed: 1 fine"]);
    let explained = told(&run.setup, &["feeds", "explain", FEED]);
    assert_says(&explained, &["(if somebody polled)", "no daemon has it open"]);
}

#[test]
fn what_a_feed_came_to_under_another_url_is_not_said_of_this_one() {
    let mut run = polled();
    let elsewhere = run.publisher.url("/elsewhere.xml");
    run.setup.remove_feed(FEED).feed(FEED, &elsewhere);
    assert_says(
        &told(&run.setup, &["feeds", "list"]),
        &["due", "not polled yet under its URL; under the one before: fine", "1 not polled yet"],
    );
    // That URL answers 404: one failure, and no answer yet.
    run.setup.write();
    run.daemon.signal("HUP");
    run.state_after(2);
    let explained = told(&run.setup, &["feeds", "explain", FEED]);
    assert_says(&explained, &["failing: not_found, 1 time,", "last answer: none yet"]);
    run.daemon.stop();
}

#[test]
fn a_feed_that_was_taken_out_is_remembered_and_not_polled() {
    let mut run = polled();
    let url = run.publisher.url(PATH);
    run.setup.remove_feed(FEED).feed("other", &url);
    let output = command(&run.setup, &["feeds", "explain", FEED]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_says(&text, &["in the configuration, so it is not polled", "polled last at 20"]);
    run.daemon.stop();
}

#[test]
fn a_poll_by_hand_says_what_it_leaves_out() {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.set("parse.entries_max", 2);
    setup.feed_with("a", &publisher.url("/a"), &[("backlog", "none")]);
    setup.feed("b", &publisher.url("/b"));
    for (name, reply) in [
        ("/a", Reply::feed(headlines(&["A", "B", "C"]))),
        ("/b", Reply::feed(headlines(&["A", "B", "C"]))),
        ("/empty", Reply::feed(headlines(&[]))),
        ("/304", Reply::status(304)),
    ] {
        publisher.serve(name, [reply]);
    }
    let poll = |what: &str| {
        let output = command(&setup, &["poll", what]);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = poll("a");
    assert_eq!(code, Some(0));
    assert_says(
        &text,
        &["0 records", "2 left out as backlog", "1 left out, past parse.entries_max"],
    );
    let (code, text) = poll("b");
    assert_eq!(code, Some(0));
    assert_says(&text, &["2 records; of the other entries 1 left out, past parse.entries_max"]);
    let (code, text) = poll(&publisher.url("/empty"));
    assert_eq!(code, Some(0));
    assert_says(&text, &["no entries"]);
    let (code, text) = poll(&publisher.url("/304"));
    assert_eq!(code, Some(1));
    assert_says(&text, &["answered 304"]);
    let checked = told(&setup, &["check", "--connect"]);
    assert_says(&checked, &["RSS, 1 more past parse.entries_max", "2 feeds answered, 0 did not"]);
}

#[test]
fn an_import_counts_problems_as_problems() {
    let setup = Setup::new();
    let outline = "<outline xmlUrl=\"htp://a.example\" cw:interval=\"soon\"/>";
    std::fs::write(setup.path("a.opml"), format!("<opml><body>{outline}</body></opml>")).unwrap();
    let args = ["feeds", "import", "a.opml", "--into", "feeds.toml"];
    assert_says(&told(&setup, &args), &["2 problems in a.opml", "nothing was written"]);
    let partly = [&args[..], &["--partly"]].concat();
    assert_says(&told(&setup, &partly), &["added 0 feeds", "listed already; 2 problems"]);
}

#[test]
fn whoever_reads_that_a_feed_fails_reads_that_it_answers_again() {
    let run = Run::serving([Reply::status(500), Reply::feed(headlines(&["A"]))]);
    let failed = run.daemon.wait_for_line("poll came to nothing; will poll again");
    assert_eq!(failed["level"], "WARN");
    let again = run.daemon.wait_for_line("the feed answers again");
    assert_eq!((&again["level"], &again["poll.failures"]), (&"INFO".into(), &1.into()), "{again}");
    run.daemon.stop();
}

#[test]
fn a_tail_ends_when_its_database_is_another() {
    let run = polled();
    let mut tail = run.setup.command(BINARY);
    tail.args(["tail", "--config"]).arg(run.setup.config()).stdin(Stdio::null());
    let mut tail = tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It has opened the database, and follows it.
    let mut lines = BufReader::new(tail.stdout.take().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    run.daemon.stop();
    std::fs::remove_file(run.setup.database()).unwrap();
    let ended = eventually("tail to end", || tail.try_wait().unwrap());
    assert_eq!(ended.code(), Some(1));
    let mut text = String::new();
    tail.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_says(&text, &["the database is not there any more, or another has its name"]);
}

/// Whoever has just started it waits for these two, and nobody wants them again.
#[test]
fn the_first_answer_and_the_first_commit_are_said_once() {
    let run = Run::serving([Reply::status(500), Reply::feed(headlines(&["A"]))]);
    run.ledger.wait_for_rows(FEED, 1);
    run.state_after(3);
    let answered = run.daemon.wait_for_line("the first feed since the start has answered");
    let message =
        "the first poll since the start is committed; further ones are told at level debug";
    let committed = run.daemon.wait_for_line(message);
    for line in [&answered, &committed] {
        assert_eq!((&line["level"], &line["feed.id"]), (&"INFO".into(), &FEED.into()), "{line}");
    }
    let lines = run.daemon.lines();
    let said = |text: &str| lines.iter().filter(|line| line["message"] == text).count();
    assert_eq!((said("the first feed since the start has answered"), said(message)), (1, 1));
    // A failure is committed too, and is no answer.
    let order: Vec<usize> = [message, "the first feed since the start has answered"]
        .map(|text| lines.iter().position(|line| line["message"] == text).unwrap())
        .to_vec();
    assert!(order[0] < order[1], "{order:?}");
    run.daemon.stop();
}

#[test]
fn an_article_is_found_by_any_name_of_whom_and_where_it_is_about() {
    let title = "Rapid Support Forces shell a market in El Fasher, killing 12";
    let run = Run::configured([Reply::feed(headlines(&[title]))], |setup, publisher| {
        let claimed = [("language", "en"), ("country", "GB")];
        setup.remove_feed(FEED).feed_with(FEED, &publisher.url(PATH), &claimed);
    });
    run.state_after(1);
    run.daemon.stop();
    for wish in [
        ["--actor", "group.rapid_support_forces"],
        ["--actor", "rapid_support_forces"],
        ["--actor", "rsf"],
        ["--actor", "rapid support forces"],
        ["--place", "al fashir"],
        ["--place", "sudan"],
        ["--place", "sd"],
        ["--country", "gb"],
        ["--country", "united kingdom"],
        ["--claim", "Reported"],
    ] {
        for command in [&["search"][..], &["tail", "--once"]] {
            let said = told(&run.setup, &[command, &wish].concat());
            assert!(said.contains(title), "{command:?} {wish:?}: {said}");
        }
    }
    for (wish, doubt) in [
        (["--actor", "hezbollah"], None),
        (["--place", "Kyiv"], None),
        (["--actor", "Rapid Suport Forces"], Some("did you mean \"rapid support forces\"?")),
        (["--place", "Khartuom"], Some("did you mean \"Khartoum\"?")),
        (["--country", "Sudna"], Some("did you mean \"Sudan\"?")),
    ] {
        for (command, nothing) in [
            (&["search"][..], "nothing found"),
            (&["tail", "--once"], "nothing that fits is in the database"),
        ] {
            let said = told(&run.setup, &[command, &wish].concat());
            assert_says(&said, &[nothing, doubt.unwrap_or_default()]);
            assert_eq!(said.lines().count(), 1 + usize::from(doubt.is_some()), "{said}");
        }
    }
}
