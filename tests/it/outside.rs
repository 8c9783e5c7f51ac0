//! What comes from outside can neither steer what people read nor leave by another door: headlines
//! and addresses on terminals and in logs, tokens in addresses, panics, a broker that lies.

use std::process::Output;

use cw_status::shown::is_hidden;
use serde_json::json;

use crate::support::daemon::{BINARY, Setup, field};
use crate::support::eventually;
use crate::support::ledger::Ledger;
use crate::support::lying_broker::LyingBroker;
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{FEED, PATH, Run, headlines, item, rss};

/// Clears the screen, forges a line of the log, turns the order of what follows, makes a link.
const HOSTILE: &str = "calm\u{1b}[2J\u{9b}2J\n1999-01-01T00:00:00Z ERROR forged\u{202e}\u{2066}\u{200b}\
    \u{1b}]8;;http:evil\u{7}link\u{1b}]8;;\u{7}\r\u{2028}";

/// What a command beside the daemon writes.
fn command(setup: &Setup, args: &[&str]) -> Output {
    let mut command = setup.command(BINARY);
    command.args(args).arg("--config").arg(setup.config());
    command.output().unwrap()
}

#[track_caller]
fn text_of(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap()
}

#[test]
fn a_headline_steers_no_terminal_and_begins_no_line() {
    let feed = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": HOSTILE,
        "items": [{
            "id": format!("id {HOSTILE}"),
            "url": "https://wire.example/a",
            "title": format!("A truce holds {HOSTILE}"),
            "content_text": format!("A ceasefire holds. {HOSTILE}"),
            "authors": [{ "name": HOSTILE }],
            "tags": [HOSTILE],
        }],
    });
    let reply = Reply::feed(feed.to_string()).header("Content-Type", "application/feed+json");
    let run = Run::serving([reply]);
    run.ledger.wait_for_rows(FEED, 1);
    for args in [
        ["tail", "--once"].as_slice(),
        &["tail", "--once", "--json"],
        &["search", "truce"],
        &["search", "truce", "--json"],
        &["feeds", "list"],
        &["feeds", "explain", FEED],
        &["poll", FEED],
    ] {
        let output = command(&run.setup, args);
        let text = text_of(&output);
        assert!(output.status.success(), "{args:?}: {text}");
        check_shown(&format!("{args:?}"), &text);
    }
}

/// Fails unless a text may be shown: nothing in it steers a terminal, no line of it is forged.
#[track_caller]
fn check_shown(what: &str, text: &str) {
    let hidden: Vec<char> = text.chars().filter(|char| is_hidden(*char) && *char != '\n').collect();
    assert!(hidden.is_empty(), "{what} shows {hidden:?}:\n{text}");
    let is_forged = text.lines().any(|line| line.starts_with("1999-01-01"));
    assert!(!is_forged, "{what} begins a line:\n{text}");
}

/// A whole configuration, and what each command says to it.
#[track_caller]
fn check_configuration(what: &str, text: &str, commands: &[&[&str]]) {
    let setup = Setup::new();
    for args in commands {
        let mut command = setup.command(BINARY);
        let config = setup.config();
        std::fs::write(&config, text).unwrap();
        let output = command.args(*args).arg("--config").arg(&config).output().unwrap();
        assert!(!output.status.success(), "{what}: {args:?} takes it");
        check_shown(&format!("{what}: {args:?}"), &text_of(&output));
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[test]
fn what_is_wrong_with_a_command_line_steers_no_terminal() {
    let setup = Setup::new();
    let file_name = HOSTILE.replace('/', "_");
    let in_file_name = format!("--{HOSTILE}");
    for args in [
        [HOSTILE].as_slice(),
        &["run", &in_file_name],
        &["tail", "--last", HOSTILE],
        &["schema", HOSTILE],
        &["generate", "completions", HOSTILE],
        &["check", "--config", &file_name],
        &["run", "--config", &file_name],
        &["poll", &file_name],
        &["poll", HOSTILE],
        &["feeds", "explain", HOSTILE],
        &["feeds", "add", HOSTILE],
        &["feeds", "import", &file_name],
    ] {
        let output = setup.command(BINARY).args(args).output().unwrap();
        assert!(!output.status.success(), "{args:?}");
        check_shown(&format!("{args:?}"), &text_of(&output));
    }
}

#[test]
fn what_is_wrong_with_a_configuration_steers_no_terminal() {
    const FEED: &str = "[[feed]]\nid = \"a\"\nurl = \"http://127.0.0.1:1/\"\n";
    let hostile = quoted(HOSTILE);
    let commands = [["check"].as_slice(), &["run"], &["feeds", "list"]];
    for key in [
        "ledger.kind",
        "admin.listen",
        "log.level",
        "schedule.interval_min",
        "fetch.body_limit",
        "tag.taxonomy",
        "run.memory",
    ] {
        check_configuration(key, &format!("{key} = {hostile}\n{FEED}"), &commands);
    }
    for key in ["feeds_from", "kafka.brokers", "fetch.allow_private_networks"] {
        let text = format!("ledger.kind = \"kafka\"\n{key} = [{hostile}]\n{FEED}");
        check_configuration(key, &text, &[&["check"], &["topics", "apply"]]);
    }
    for key in ["id", "url", "language", "country", "query", HOSTILE] {
        let text = format!("[[feed]]\n{} = {hostile}\n", quoted(key));
        check_configuration(key, &text, &commands);
    }
    for text in [
        format!("{hostile} = 1\n{FEED}"),
        format!("[{hostile}]\nx = 1\n{FEED}"),
        format!("[log]\nformat = \"text\"\n[{hostile}]\nx = 1\n{FEED}"),
        format!("x = \"{HOSTILE}\n{FEED}"),
        format!("{HOSTILE} = [\n{FEED}"),
        format!(
            "ledger.kind = \"kafka\"\nkafka.brokers = [\"127.0.0.1:1\"]\n[kafka.properties]\n\
             {hostile} = {hostile}\n\"security.protocol\" = {hostile}\n\
             [kafka.secret_files]\n\"sasl.password\" = {hostile}\n{FEED}"
        ),
    ] {
        check_configuration(&text, &text, &commands);
    }
}

#[test]
fn what_is_wrong_with_the_environment_steers_no_terminal() {
    for name in [
        "CONFLICTWIRE__LOG__LEVEL",
        "CONFLICTWIRE__LEDGER__KIND",
        "CONFLICTWIRE__FETCH__TIMEOUT",
        "CONFLICTWIRE__\u{202e}\u{9b}2J",
    ] {
        let mut setup = Setup::new();
        setup.environment(name, HOSTILE);
        for args in [["check"].as_slice(), &["run"], &["search", "truce"]] {
            let output = command(&setup, args);
            assert!(!output.status.success(), "{name} {args:?}");
            check_shown(&format!("{name} {args:?}"), &text_of(&output));
        }
    }
}

#[test]
fn what_is_wrong_with_a_file_steers_no_terminal() {
    let setup = Setup::new();
    let name = format!("{HOSTILE}.xml");
    for text in [
        HOSTILE.to_owned(),
        format!(
            "<opml version=\"2.0\"><body><outline text=\"{HOSTILE}\" xmlUrl=\"{HOSTILE}\"/></body></opml>"
        ),
        format!(
            "<opml version=\"2.0\"><body><outline category=\"{HOSTILE}\" xmlUrl=\"http://a.example/{HOSTILE}\"/></x></opml>"
        ),
        "<\u{202e}\u{2066}></\u{202e}>".to_owned(),
        format!("<rss><channel><\u{202e}></{HOSTILE}>"),
        format!("<?xml version=\"1.0\" encoding=\"{HOSTILE}\"?><rss><channel></channel>"),
        format!("<!DOCTYPE rss [<!ENTITY \u{202e} \"{HOSTILE}\">]><rss/>"),
        format!("{{\"version\": \"https://jsonfeed.org/version/1.1\", \"{HOSTILE}"),
    ] {
        std::fs::write(setup.path(&name), &text).unwrap();
        for args in [["feeds", "import", &name].as_slice(), &["poll", &name]] {
            check_shown(&format!("{args:?} of {text:?}"), &text_of(&command(&setup, args)));
        }
    }
}

/// Answers that come to nothing, and texts in them that some error may repeat.
fn answers_that_fail() -> Vec<(&'static str, Reply)> {
    const STEERING: &str = "\u{202e}evil\u{9b}2J\u{2066}";
    let broken = |text: String| Reply::feed(text).header("Content-Type", STEERING);
    vec![
        ("reason", Reply::status(500).reason(STEERING)),
        ("later", Reply::status(503).header("Retry-After", STEERING)),
        ("scheme", Reply::redirect(301, &format!("gopher://{STEERING}/"))),
        ("host", Reply::redirect(302, &format!("http://{STEERING}.example/"))),
        ("private", Reply::redirect(302, &format!("http://10.0.0.1/{STEERING}"))),
        ("path", Reply::redirect(302, &format!("/{STEERING}"))),
        ("user", Reply::redirect(302, &format!("http://{STEERING}@127.0.0.1:1/"))),
        ("encoding", broken(STEERING.to_owned()).header("Content-Encoding", STEERING)),
        ("charset", broken(STEERING.to_owned()).header("Content-Type", "text/xml; charset=\u{9b}")),
        ("header", Reply::status(200).header(&format!("X{STEERING}"), STEERING)),
        ("element", broken(format!("<rss><channel><{STEERING}></x>"))),
        ("page", broken(format!("<!DOCTYPE html><title>{STEERING}</title><p>{HOSTILE}"))),
        ("entity", broken(format!("<!DOCTYPE rss [<!ENTITY {STEERING} \"{HOSTILE}\">]><rss/>"))),
        ("json", broken(format!("{{\"version\": \"https://jsonfeed.org/version/1\", \"{HOSTILE}"))),
    ]
}

#[test]
fn an_answer_that_fails_steers_no_terminal() {
    for format in ["text", "json"] {
        let publisher = Publisher::start();
        let mut setup = Setup::new();
        setup.set("log.format", format).set("log.level", "trace");
        let answers = answers_that_fail();
        for (name, reply) in answers.clone() {
            let path = format!("/{name}");
            publisher.serve(&path, [reply]);
            setup.feed(name, &publisher.url(&path));
        }
        let ledger = Ledger::at(&setup.database());
        let mut daemon = setup.spawn();
        for (name, _) in &answers {
            ledger.wait_for_state(name, |state| state.plan.sequence >= 1);
            let explained = text_of(&command(&setup, &["feeds", "explain", name]));
            assert!(explained.contains("last failure"), "{name} did not fail: {explained}");
            check_shown(name, &explained);
            check_shown(name, &text_of(&command(&setup, &["poll", name])));
        }
        check_shown("feeds list", &text_of(&command(&setup, &["feeds", "list"])));
        daemon.signal("TERM");
        daemon.wait_for_end();
        check_shown(format, &daemon.text());
    }
}

/// A token in a feed's address reaches the publisher and nobody else: no record, no reject, no log,
/// no metric, no page, no command.
#[test]
fn the_query_of_a_feeds_address_is_told_to_its_publisher_only() {
    const TOKEN: &str = "hunter2";
    let publisher = Publisher::start();
    let broken = "<rss><channel><item>".to_owned() + &"x".repeat(100);
    let mut setup = Setup::new();
    let documents = [
        ("fine", Reply::feed(headlines(&["One"]))),
        ("broken", Reply::feed(broken)),
        ("moved", Reply::redirect(301, &format!("/fine.xml?key={TOKEN}"))),
        ("lost", Reply::status(404)),
        ("refused", Reply::redirect(302, &format!("ftp://a.example/?key={TOKEN}"))),
        (
            "private",
            Reply::redirect(302, &format!("http://u:{TOKEN}@10.0.0.1/?key={TOKEN}#{TOKEN}")),
        ),
        ("nowhere", Reply::redirect(302, &format!("http://u:{TOKEN}@127.0.0.1:1/?key={TOKEN}"))),
        ("misspelt", Reply::redirect(302, &format!("http://[{TOKEN}/?key={TOKEN}"))),
    ];
    let names = documents.each_ref().map(|(name, _)| *name);
    for (name, reply) in documents {
        let path = format!("/{name}.xml?key={TOKEN}");
        publisher.serve(&path, [reply]);
        setup.feed(name, &publisher.url(&path));
    }
    setup.set("log.level", "trace");
    let ledger = Ledger::at(&setup.database());
    let daemon = setup.start();
    for name in names {
        ledger.wait_for_state(name, |state| state.plan.sequence >= 2);
        assert!(!publisher.requests(&format!("/{name}.xml?key={TOKEN}")).is_empty(), "{name}");
    }
    let rows = ledger.wait_for_rows("moved", 1);
    let shown = rows[0].record["feed"]["url"].as_str().unwrap();
    assert_eq!(shown, publisher.url("/moved.xml"));
    assert!(!ledger.rejects().is_empty());
    let mut told = vec![daemon.text()];
    told.extend(["/readyz", "/metrics"].map(|path| daemon.ask(path).unwrap().1));
    told.extend(ledger.rows().iter().map(|row| row.record.to_string()));
    told.extend(ledger.rejects().iter().map(|reject| reject.record.clone()));
    for args in [
        ["feeds", "list"].as_slice(),
        &["tail", "--once", "--json"],
        &["tail", "--once"],
        &["search", "one", "--json"],
        &["check", "--connect"],
        &["poll", "broken"],
        &["poll", "private"],
        &["feeds", "add", &publisher.url(&format!("/fine.xml?key={TOKEN}"))],
    ] {
        told.push(text_of(&command(&setup, args)));
    }
    for name in names {
        told.push(text_of(&command(&setup, &["feeds", "explain", name])));
    }
    for text in told {
        assert!(!text.contains(TOKEN), "{text}");
    }
}

#[test]
fn the_query_is_published_where_the_feed_says_so() {
    let publisher = Publisher::start();
    publisher.serve("/feed?format=rss", [Reply::feed(headlines(&["One"]))]);
    let mut setup = Setup::new();
    let url = publisher.url("/feed?format=rss");
    setup.feed_with(FEED, &url, &[("query", "publish")]);
    let ledger = Ledger::at(&setup.database());
    let _daemon = setup.start();
    let rows = ledger.wait_for_rows(FEED, 1);
    assert_eq!(rows[0].record["feed"]["url"], url.as_str());
}

#[test]
fn a_panic_is_a_line_of_the_log_like_any_other() {
    let document = rss(&[&item("a", "conflictwire-fault:panic")]);
    let run = Run::serving([Reply::feed(document)]);
    let line = run.daemon.wait_for_line("a panic: this is a defect of conflictwire");
    assert!(line["error"].as_str().unwrap().contains("as the document said"), "{line}");
    let place = field(&line, "code.location").and_then(|place| place.as_str()).unwrap();
    assert!(place.starts_with("src/"), "{line}");
    run.state_after(1);
    for line in run.daemon.text().lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "no JSON: {line}");
    }
    assert!(!run.publisher.requests(PATH).is_empty());
}

/// A broker that offers to take metrics, and answers a client that sends some with a list of no
/// length: librdkafka 2.12.1 asks for that much memory and ends the process. No password was asked
/// for until then.
#[test]
fn no_broker_is_offered_metrics() {
    let broker = LyingBroker::start();
    let mut setup = Setup::new();
    setup.set("ledger.kind", "kafka");
    setup.set("kafka.brokers", vec![broker.address.to_string()]);
    setup.feed(FEED, "https://wire.example/feed.xml");
    setup.write();
    let output = command(&setup, &["topics", "plan"]);
    let asked = broker.asked.lock().unwrap().clone();
    let metadata = asked.iter().filter(|key| **key == LyingBroker::METADATA).count();
    // The second is asked for over a connection to the broker that the first one named, and only
    // such a broker is offered metrics.
    assert!(metadata >= 2, "{asked:?}: {}", text_of(&output));
    assert!(!asked.contains(&LyingBroker::TELEMETRY), "{asked:?}");
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
}

#[test]
fn a_broker_steers_no_terminal() {
    let broker = LyingBroker::naming(HOSTILE);
    let mut setup = Setup::new();
    setup.set("ledger.kind", "kafka");
    setup.set("kafka.brokers", vec![broker.address.to_string()]);
    setup.set("log.format", "text").set("log.level", "trace");
    setup.feed(FEED, "https://wire.example/feed.xml");
    let mut daemon = setup.spawn();
    eventually("the name of the broker in the log", || {
        daemon.text().contains("ERROR forged").then_some(())
    });
    daemon.signal("TERM");
    daemon.wait_for_end();
    check_shown("run", &daemon.text());
}
