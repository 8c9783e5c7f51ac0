//! `conflictwire feeds`: what it finds, what it writes, and that the running daemon knows at once.

use std::path::Path;

use crate::support::daemon::{BINARY, Setup};
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{FEED, PATH, Run, headlines};

/// A list with comments of its own, beside the configuration.
const LIST: &str = "# Ours.\n\n# ---- Agencies\n\n# the first\n[[feed]]\nid = \"listed\"\n";

fn page(head: &str) -> Reply {
    Reply::feed(format!("<!doctype html><html><head>{head}</head><body>News</body></html>"))
        .header("Content-Type", "text/html")
}

/// Exit code and everything it wrote.
fn feeds(setup: &Setup, args: &[&str]) -> (Option<i32>, String) {
    let mut command = setup.command(BINARY);
    command.arg("feeds").args(args).arg("--config").arg(setup.config());
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), text.concat())
}

/// A daemon with a list of feeds beside its configuration, and where that is.
fn with_list() -> (Run, std::path::PathBuf) {
    let mut run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, publisher| {
        setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
        setup.set("feeds_from", vec!["feeds.toml"]).set("run.watch", "off");
        let url = publisher.url("/listed.xml");
        std::fs::write(setup.path("feeds.toml"), format!("{LIST}url = \"{url}\"\n")).unwrap();
        publisher.serve("/listed.xml", [Reply::feed(headlines(&["L"]))]);
    });
    run.ledger.wait_for_rows("listed", 1);
    // From here on the commands find it.
    let address = run.daemon.admin().to_string();
    run.setup.set("admin.listen", address).write();
    let list = run.setup.path("feeds.toml");
    (run, list)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_feed_that_a_page_names_is_added_and_polled_at_once() {
    let (run, list) = with_list();
    let link = "<link rel=alternate type=application/rss+xml href=/news.xml title=News>";
    run.publisher.serve("/", [page(link)]);
    run.publisher.serve("/news.xml", [Reply::feed(headlines(&["B", "C"]))]);
    let before = read(&list);
    let (code, text) = feeds(&run.setup, &["add", &run.publisher.url("/"), "--id", "news"]);
    assert_eq!(code, Some(0), "{text}");
    for words in [
        "/news.xml: RSS \"Wire\", 2 articles, \"B\"",
        "added \"news\"",
        "the daemon has read the configuration: 3 feeds, 1 added, 0 removed",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    run.ledger.wait_for_rows("news", 2);
    assert!(read(&list).starts_with(&before), "what was there stays");
    run.daemon.stop();
}

#[test]
fn what_is_no_feed_or_several_is_not_added() {
    let (run, list) = with_list();
    let before = read(&list);
    let link = |path| format!("<link rel=alternate type=application/rss+xml href={path}>");
    run.publisher.serve("/two", [page(&(link("/one.xml") + &link("/two.xml")))]);
    for path in ["/one.xml", "/two.xml"] {
        run.publisher.serve(path, [Reply::feed(headlines(&["B"]))]);
    }
    run.publisher.serve("/bare", [page("")]);
    run.publisher.serve("/gone.xml", [Reply::status(410)]);
    for (path, words) in [
        ("/two", "is a page with 2 feeds; add the one you want"),
        // It names none; one lies where feeds usually do.
        ("/bare", "is listed already, as \"feed\""),
        ("/gone.xml", "gives no feed: gone"),
        ("/listed.xml", "is listed already, as \"listed\""),
    ] {
        let (code, text) = feeds(&run.setup, &["add", &run.publisher.url(path)]);
        assert_eq!(code, Some(1), "{path}: {text}");
        assert!(text.contains(words), "{path}: {text}");
        assert_eq!(read(&list), before, "{path}");
    }
    // The guard is the daemon's: what it may not dial is not tried either.
    run.setup.write();
    let (code, text) = feeds(&run.setup, &["add", "http://127.0.0.2:1/rss"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("address_blocked"), "{text}");
    let (code, text) = feeds(&run.setup, &["add", &run.publisher.url("/gone.xml"), "--untried"]);
    assert_eq!(code, Some(0), "{text}");
    run.daemon.stop();
}

/// Renamed, moved, disabled, enabled, removed and added again: nothing comes a second time.
#[test]
fn a_feed_keeps_what_is_remembered_whatever_is_changed() {
    let (run, list) = with_list();
    let feeds = |args: &[&str]| {
        let (code, text) = feeds(&run.setup, args);
        assert_eq!(code, Some(0), "{args:?}: {text}");
        text
    };
    feeds(&["rename", "listed", "Listed & Co"]);
    run.publisher.serve("/moved.xml", [Reply::feed(headlines(&["L", "M"]))]);
    feeds(&["move", "listed", &run.publisher.url("/moved.xml")]);
    // Another address is asked at once; the article that was known is not published anew.
    run.ledger.wait_for_rows("listed", 2);
    let text = read(&list);
    assert!(text.starts_with(LIST) && text.contains("publisher = \"Listed & Co\""), "{text}");

    let told = feeds(&["disable", "listed"]);
    assert!(told.contains("1 feed, 0 added, 1 removed"), "{told}");
    assert!(feeds(&["list"]).contains("disabled"));
    let told = feeds(&["enable", "listed"]);
    assert!(told.contains("2 feeds, 1 added, 0 removed"), "{told}");
    assert!(!read(&list).contains("enabled"));
    feeds(&["remove", "listed"]);
    assert_eq!(read(&list), "# Ours.\n\n# ---- Agencies\n");
    feeds(&["add", &run.publisher.url("/moved.xml"), "--id", "listed"]);
    run.daemon.stop();
    let rows = run.ledger.rows_of("listed");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(run.publisher.requests(PATH).len(), 1, "the other feed was left alone");
    assert_eq!(run.ledger.rows_of(FEED).len(), 1);
}

/// From the binary alone to a running daemon: each step says the next.
#[test]
fn from_an_empty_folder_to_a_running_daemon() {
    let publisher = Publisher::start();
    publisher.serve("/rss", [Reply::feed(headlines(&["A"]))]);
    let mut setup = Setup::new();
    setup.environment("CONFLICTWIRE__FETCH__ALLOW_PRIVATE_NETWORKS", "[\"127.0.0.1/32\"]");
    setup.environment("CONFLICTWIRE__ADMIN__LISTEN", "127.0.0.1:0");
    setup.environment("XDG_STATE_HOME", setup.path("state").to_str().unwrap());
    let run = |args: &[&str]| {
        let output = setup.command(BINARY).args(args).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    };
    let (code, text) = run(&["run"]);
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("conflictwire init"), "{text}");
    let (code, text) = run(&["init", "--empty"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("conflictwire feeds add"), "{text}");
    let (code, text) = run(&["check"]);
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("conflictwire feeds add"), "{text}");
    let (code, text) = run(&["feeds", "add", &publisher.url("/"), "--id", "first"]);
    assert_eq!(code, Some(1), "a page that is not there: {text}");
    let (code, text) = run(&["feeds", "add", &publisher.url("/rss"), "--id", "first"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("conflictwire run"), "{text}");
    let mut command = setup.command(BINARY);
    command.arg("run");
    let daemon = crate::support::daemon::Daemon::watch(command);
    publisher.wait_for_requests("/rss", 2);
    daemon.stop();
}

#[test]
fn a_label_picks_feeds_wherever_it_may_be_given() {
    let mut setup = Setup::new();
    let labelled = |labels: &'static [&'static str]| {
        move |feed: &mut toml::Table| {
            let labels: Vec<toml::Value> = labels.iter().map(|label| (*label).into()).collect();
            feed.insert("labels".to_owned(), labels.into());
        }
    };
    setup.feed_that("both", "https://a.example/rss", labelled(&["agencies", "east"]));
    setup.feed_that("one", "https://b.example/rss", labelled(&["agencies"]));
    setup.feed("none", "https://c.example/rss");
    let run = |args: &[&str]| {
        let mut command = setup.command(BINARY);
        command.arg("feeds").args(args).arg("--config").arg(setup.config());
        let output = command.output().unwrap();
        (
            output.status.code(),
            [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap()),
        )
    };
    let ids = |args: &[&str]| -> Vec<String> {
        let (code, [out, err]) = run(args);
        assert_eq!(code, Some(0), "{err}");
        let id =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].clone();
        out.lines().map(|line| id(line).as_str().unwrap().to_owned()).collect()
    };
    for command in ["list", "politeness"] {
        assert_eq!(ids(&[command, "--json"]).len(), 3, "{command}");
        assert_eq!(ids(&[command, "--json", "--label", "agencies"]), ["both", "one"], "{command}");
        let both = [command, "--json", "--label", "agencies", "--label", "east"];
        assert_eq!(ids(&both), ["both"], "{command}");
        let (code, [_, err]) = run(&[command, "--label", "agences"]);
        assert!(code == Some(1) && err.contains("did you mean \"agencies\"?"), "{command}: {err}");
    }
}

#[test]
fn what_refuses_a_private_address_also_says_what_to_write() {
    let (mut run, list) = with_list();
    run.publisher.serve("/own.xml", [Reply::feed(headlines(&["Own"]))]);
    run.setup.set("fetch.allow_private_networks", false).write();
    let url = run.publisher.url("/own.xml");
    let before = read(&list);
    let (code, text) = feeds(&run.setup, &["add", &url, "--id", "own"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("is a loopback address, outside the public internet"), "{text}");
    assert_eq!((read(&list), run.publisher.requests("/own.xml").len()), (before.clone(), 0));
    // Written as shown, it is polled.
    let (_, lines) = text.split_once("write it to a file of feeds by hand:\n").unwrap();
    assert!(lines.contains("allow_private_networks = [\"127.0.0.1/32\"]"), "{lines}");
    std::fs::write(&list, before + lines).unwrap();
    run.daemon.signal("HUP");
    run.ledger.wait_for_rows("own", 1);
    run.daemon.stop();
}
