//! Lists of feeds that `feeds_from` names by URL: asked for as feeds are, kept, and taken only when the whole
//! configuration is right with them.

use serde_json::Value;

use crate::api::ask;
use crate::support::daemon::{BINARY, Daemon, Setup};
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{headlines, item, rss};
use crate::support::wait_until;

const LIST: &str = "/feeds.toml";

const NOT_TAKEN: &str = "a list of feeds is not taken; the one before stays in use";

/// A list of the feeds that this publisher serves under these names.
fn list(publisher: &Publisher, names: &[&str]) -> String {
    let table = |name: &&str| {
        let url = publisher.url(&format!("/{name}.xml"));
        format!("[[feed]]\nid = \"{name}\"\nurl = \"{url}\"\n")
    };
    names.iter().map(table).collect()
}

/// As a server answers: 304 to whoever has this one already.
fn serve(publisher: &Publisher, etag: &'static str, text: String) {
    publisher.script(LIST, move |request| {
        if request.header("if-none-match") == Some(etag) {
            return Reply::status(304).header("ETag", etag);
        }
        Reply::status(200).header("ETag", etag).body(text.clone())
    });
}

/// A publisher of four feeds and of a list of the first two, and a daemon that is told of the list.
fn listed() -> (Publisher, Setup) {
    let publisher = Publisher::start();
    for name in ["a", "b", "c", "d"] {
        let news = rss(&[&item(&format!("{name}1"), &format!("News of {name}"))]);
        publisher.serve(&format!("/{name}.xml"), [Reply::feed(news)]);
    }
    serve(&publisher, "\"1\"", list(&publisher, &["a", "b"]));
    let mut setup = Setup::new();
    setup.set("feeds_from", vec![publisher.url(LIST)]).set("schedule.list_interval", "1s");
    // A reload is asked for, and needs nobody who looks at files.
    setup.set("run.watch", "off");
    (publisher, setup)
}

/// The one list of `/api/status`.
fn told(daemon: &Daemon) -> Value {
    ask(daemon, "/api/status").json()["lists"][0].clone()
}

fn asks(daemon: &Daemon, outcome: &str) -> f64 {
    let label = format!("outcome=\"{outcome}\"");
    daemon.metric("conflictwire_feed_list_requests_total", &label)
}

/// What a command beside the daemon says, and how it ends.
fn command(setup: &Setup, args: &[&str]) -> (Option<i32>, String) {
    let mut command = setup.command(BINARY);
    command.args(args).arg("--config").arg(setup.config());
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), text)
}

#[test]
fn a_list_is_fetched_before_the_first_start_and_a_newer_one_is_taken_while_it_runs() {
    let (publisher, setup) = listed();
    let daemon = setup.start();
    publisher.wait_for_requests("/a.xml", 1);
    publisher.wait_for_requests("/b.xml", 1);
    let asked = publisher.wait_for_requests(LIST, 3);
    assert_eq!(asked[0].header("if-none-match"), None, "there was none to compare with");
    let conditional = |at: usize| asked[at].header("if-none-match");
    assert_eq!([conditional(1), conditional(2)], [Some("\"1\""); 2]);
    wait_until("an answer of 304", || asks(&daemon, "unchanged") >= 1.0);
    assert_eq!((&told(&daemon)["feeds"], &told(&daemon)["why"]), (&2.into(), &Value::Null));

    serve(&publisher, "\"2\"", list(&publisher, &["a", "b", "c"]));
    publisher.wait_for_requests("/c.xml", 1);
    let line = daemon.wait_for_line("configuration reloaded");
    assert_eq!((&line["feed.added"], &line["feed.removed"]), (&1.into(), &0.into()), "{line}");
    wait_until("the newer one is known", || told(&daemon)["feeds"] == 3);
    assert_eq!(publisher.requests(LIST).iter().filter(|ask| !ask.is_conditional()).count(), 1);
    daemon.stop();

    // The next start needs no server, and remembers with what to ask.
    publisher.serve(LIST, [Reply::status(500)]);
    let asked_before = publisher.requests("/c.xml").len();
    let daemon = setup.start();
    publisher.wait_for_requests("/c.xml", asked_before + 1);
    let line = daemon.wait_for_line(NOT_TAKEN);
    assert!(line["error"].as_str().unwrap().starts_with("server: "), "{line}");
    assert_eq!(publisher.requests(LIST).last().unwrap().header("if-none-match"), Some("\"2\""));
    daemon.stop();
}

#[test]
fn a_bad_list_changes_nothing_and_is_said_once_on_every_surface() {
    let (publisher, setup) = listed();
    let daemon = setup.start();
    publisher.wait_for_requests("/a.xml", 1);
    let bad = list(&publisher, &["a", "b", "c"]).replace("id = \"c\"", "idd = \"c\"");
    serve(&publisher, "\"bad\"", bad);
    daemon.wait_for_line(NOT_TAKEN);
    wait_until("it is refused again and again", || asks(&daemon, "refused") >= 3.0);
    let lines = daemon.lines();
    let said: Vec<&Value> = lines.iter().filter(|line| line["message"] == NOT_TAKEN).collect();
    assert_eq!(said.len(), 1, "once: {said:#?}");
    let why = said[0]["error"].as_str().unwrap();
    let place = format!("{}:8: feed[2].idd: is not a known key", publisher.url(LIST));
    assert!(why.starts_with(&place), "{why}");
    assert_eq!(daemon.metric("conflictwire_feed_lists_not_current", ""), 1.0);
    let shown = told(&daemon);
    assert_eq!((&shown["last_answer"], &shown["feeds"]), (&"refused".into(), &2.into()));
    assert_eq!(shown["why"], why);
    let page = ask(&daemon, "/").body;
    assert!(page.contains("is not taken, the one before stays in use"), "{page}");
    assert!(publisher.requests("/c.xml").is_empty());
    // The configuration itself was never in question.
    assert_eq!(daemon.metric("conflictwire_config_reloads_total", "outcome=\"refused\""), 0.0);

    serve(&publisher, "\"1\"", list(&publisher, &["a", "b"]));
    daemon.wait_for_line("the list of feeds is current again");
    wait_until("the metric says so", || {
        daemon.metric("conflictwire_feed_lists_not_current", "") == 0.0
    });
    daemon.stop();
}

#[test]
fn an_empty_list_is_never_taken_and_one_that_lost_most_feeds_only_if_it_stays() {
    let (publisher, setup) = listed();
    serve(&publisher, "\"1\"", list(&publisher, &["a", "b", "c", "d"]));
    let daemon = setup.start();
    publisher.wait_for_requests("/d.xml", 1);
    serve(&publisher, "\"empty\"", "# nothing\n".to_owned());
    wait_until("it is held back", || asks(&daemon, "held_back") >= 4.0);
    assert_eq!(told(&daemon)["feeds"], 4);
    assert!(told(&daemon)["why"].as_str().unwrap().starts_with("it has no feed to poll"));

    serve(&publisher, "\"one\"", list(&publisher, &["b"]));
    let line = daemon.wait_for_line("configuration reloaded");
    assert_eq!(line["feed.removed"], 3);
    assert!(asks(&daemon, "held_back") >= 6.0, "twice it was not believed");
    let lines = daemon.lines();
    let shrunk = |line: &&Value| {
        line["error"].as_str().is_some_and(|why| why.starts_with("it would remove 3 of 4 feeds"))
    };
    assert_eq!(lines.iter().filter(shrunk).count(), 2, "each time it counts on");
    daemon.stop();
}

#[test]
fn without_a_kept_list_and_without_its_server_nothing_starts_and_it_is_said_why() {
    let (publisher, setup) = listed();
    publisher.serve(LIST, [Reply::status(500)]);
    let mut daemon = setup.spawn();
    // Not 78: the server may be back at the next try.
    assert_eq!(daemon.wait_for_end().code(), Some(1));
    let text = daemon.text();
    let url = publisher.url(LIST);
    for words in [
        format!("the list of feeds at {url} could not be fetched, and there is no earlier one in"),
        "server: ".to_owned(),
    ] {
        assert!(text.contains(&words), "{words:?} in {text}");
    }
    // What can be read and not used is no better.
    publisher.serve(LIST, [Reply::status(200).body("<html><p>Not found</p></html>")]);
    let mut daemon = setup.spawn();
    assert_eq!(daemon.wait_for_end().code(), Some(1));
    let place = format!("{url}:1: is not OPML: its first element is <html>");
    assert!(daemon.text().contains(&place), "{}", daemon.text());
}

#[test]
fn a_list_may_be_opml_json_or_lines_and_may_not_open_private_networks() {
    let (publisher, setup) = listed();
    let a = publisher.url("/a.xml");
    for text in [
        format!("<opml version=\"2.0\"><body><outline xmlUrl=\"{a}\"/></body></opml>"),
        format!("{{\"feeds\": [\"{a}\"]}}"),
        format!("# ours\n{a}\n"),
    ] {
        publisher.serve(LIST, [Reply::status(200).body(text.clone())]);
        let (code, said) = command(&setup, &["check", "--connect"]);
        assert!(said.contains("can be taken: 1 feed"), "{text}\n{said}");
        assert_eq!(code, Some(0), "{said}");
    }
    let opening =
        format!("[[feed]]\nurl = \"{a}\"\nallow_private_networks = true\nproxy = \"off\"\n");
    publisher.serve(LIST, [Reply::status(200).body(opening)]);
    let (code, said) = command(&setup, &["check", "--connect"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("a list by URL may not say it"), "{said}");
}

/// The addresses are those that feeds may have.
#[test]
fn a_list_at_a_private_address_is_asked_for_only_where_feeds_would_be() {
    let (publisher, mut setup) = listed();
    setup.set("fetch.allow_private_networks", false);
    let mut daemon = setup.spawn();
    assert_eq!(daemon.wait_for_end().code(), Some(1));
    assert!(daemon.text().contains("address_blocked"), "{}", daemon.text());
    assert!(publisher.requests(LIST).is_empty());
}

#[test]
fn check_says_what_is_kept_and_asks_only_if_told_to() {
    let (publisher, setup) = listed();
    let (code, said) = command(&setup, &["check"]);
    let url = publisher.url(LIST);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("list {url}: not fetched yet")), "{said}");
    assert!(publisher.requests(LIST).is_empty(), "nobody was asked");

    let daemon = setup.start();
    publisher.wait_for_requests("/a.xml", 1);
    let (code, said) = command(&setup, &["check"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("list {url}: 2 feeds, as kept in ")), "{said}");
    let (_, said) = command(&setup, &["check", "--connect"]);
    assert!(said.contains("as it is kept: 2 feeds"), "{said}");
    // Every command knows its feeds; they are changed where they stand.
    let (code, said) = command(&setup, &["feeds", "remove", "a"]);
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("\"a\" stands in the list at {url}")), "{said}");
    daemon.stop();
}

/// A URL that a reload adds is fetched before anything is taken out for it.
#[test]
fn a_reload_fetches_a_list_that_it_finds_named_for_the_first_time() {
    let (publisher, mut setup) = listed();
    let named = publisher.url(LIST);
    publisher.serve("/own.xml", [Reply::feed(headlines(&["Own"]))]);
    setup.set("feeds_from", toml::Value::Array(Vec::new()));
    setup.feed("own", &publisher.url("/own.xml"));
    let daemon = setup.start();
    publisher.wait_for_requests("/own.xml", 1);
    publisher.serve(LIST, [Reply::status(500)]);
    setup.remove_feed("own").set("feeds_from", vec![named]).write();
    daemon.signal("HUP");
    let line = daemon.wait_for_line("the new configuration is refused; the old one stays");
    assert!(line["config.problem"].as_str().unwrap().contains("could not be fetched"), "{line}");

    serve(&publisher, "\"1\"", list(&publisher, &["a", "b"]));
    daemon.signal("HUP");
    let line = daemon.wait_for_line("configuration reloaded");
    assert_eq!((&line["feed.added"], &line["feed.removed"]), (&2.into(), &1.into()), "{line}");
    publisher.wait_for_requests("/a.xml", 1);
    daemon.stop();
}
