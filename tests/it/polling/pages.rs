//! Full text from the page: asked for politely, believed if it is the article, and in the one commit or not at all.

use conflictwire::fault::Point;

use crate::support::daemon::{BINARY, Setup};
use crate::support::ledger::Ledger;
use crate::support::publisher::{Delivery, Publisher, Reply, Tripwire};
use crate::support::run::{FEED, PATH, Run, rss};

const TEXT: [&str; 3] = [
    "Shells hit the market of Karsk on Sunday, and nine people were killed, the governor of the province said.",
    "Doctors at the hospital counted thirty-one wounded, among them four children who had been selling bread.",
    "Observers of the mission could not reach the market before the evening, because the bridge was mined.",
];

const TEASER: &str = "Shells hit the market of Karsk on Sunday, and nine people were killed.";

fn text() -> String {
    TEXT.join("\n\n")
}

fn title(name: &str) -> String {
    format!("Shells hit the market of Karsk, report {name}")
}

/// An item with a teaser, whose page is at this URL.
fn item(name: &str, url: &str) -> String {
    let title = title(name);
    format!(
        "<item><title>{title}</title><link>{url}</link><description>{TEASER}</description>\
         <pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>"
    )
}

/// The page of an article.
fn page(name: &str) -> Reply {
    page_of(&title(name), &TEXT.map(|text| format!("<p>{text}</p>")).concat())
}

fn page_of(title: &str, html: &str) -> Reply {
    let html = format!(
        "<!doctype html><html><head><title>{title} | The Desk</title></head><body><nav><a href=/>Home</a>\
         </nav><article><h1>{title}</h1>{html}</article></body></html>"
    );
    Reply::status(200).header("Content-Type", "text/html; charset=utf-8").body(html)
}

fn document(publisher: &Publisher, names: &[&str]) -> Reply {
    let items: Vec<String> = names
        .iter()
        .map(|name| item(name, &publisher.url(&format!("/{}.html", name.to_lowercase()))))
        .collect();
    Reply::feed(rss(&items.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// A feed of one article, "A", whose page and robots.txt answer so.
fn one(robots: Reply, pages: impl IntoIterator<Item = Reply>) -> Run {
    Run::wanting_pages(|publisher| {
        publisher.serve(PATH, [document(publisher, &["A"])]);
        publisher.serve("/robots.txt", [robots]);
        publisher.serve("/a.html", pages);
    })
}

impl Run {
    /// A feed that is to have full texts from pages.
    fn wanting_pages(serve: impl FnOnce(&Publisher)) -> Self {
        Self::configured([], |setup, publisher| {
            setup.remove_feed(FEED);
            setup.feed_that(FEED, &publisher.url(PATH), |feed| {
                feed.insert("fulltext".to_owned(), true.into());
            });
            serve(publisher);
        })
    }
}

#[track_caller]
fn check_kept(run: &Run, result: &str) {
    let rows = run.rows_after(3);
    assert_eq!(rows.len(), 1, "one revision, published in the poll that found it");
    assert_eq!(rows[0].record["body"], serde_json::Value::Null);
    assert_eq!(rows[0].record.get("body_source"), None);
    assert_eq!(rows[0].text("summary"), TEASER);
    run.daemon.wait_for_metric("conflictwire_pages_total", &format!("result=\"{result}\""), 1.0);
}

#[test]
fn an_article_has_the_text_of_its_page() {
    let run = one(Reply::status(404), [page("A")]);
    let rows = run.rows_after(3);
    assert_eq!(rows.len(), 1);
    let record = &rows[0].record;
    assert_eq!(record["body"], text());
    assert_eq!(record["body_source"], "page");
    assert_eq!(record["revision"], 1);
    // It is coded by its whole text, and asked for once.
    assert!(record["conflict"]["relevant"].as_bool().unwrap());
    let asked = run.publisher.requests("/a.html");
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].header("accept"),
        Some("text/html, application/xhtml+xml;q=0.9, */*;q=0.1")
    );
    assert_eq!(run.publisher.requests("/robots.txt").len(), 1);
    run.daemon.wait_for_metric("conflictwire_pages_total", "result=\"used\"", 1.0);
}

/// A page that changes makes no revision; an edit of the feed makes one, with the page as it is then.
#[test]
fn a_page_is_asked_for_once_a_revision() {
    let run = Run::wanting_pages(|publisher| {
        let edited = document(publisher, &["A"]);
        let first = item("B", &publisher.url("/a.html"));
        publisher.serve(PATH, [Reply::feed(rss(&[&first])), Reply::feed(rss(&[&first])), edited]);
        publisher.serve("/robots.txt", [Reply::status(404)]);
        publisher.serve("/a.html", [page("B"), page("A")]);
    });
    let rows = run.rows_after(5);
    let revisions: Vec<_> =
        rows.iter().map(|row| row.record["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, [1, 2]);
    assert!(rows.iter().all(|row| row.record["body_source"] == "page"));
    assert_eq!(rows[0].record["id"], rows[1].record["id"]);
    assert_eq!(run.publisher.requests("/a.html").len(), 2);
    assert_eq!(run.publisher.requests("/robots.txt").len(), 1, "it is kept");
}

/// A host that wants to be left alone is asked for no page, and its feed goes on.
#[test]
fn a_busy_host_is_asked_for_no_other_page() {
    let run = Run::wanting_pages(|publisher| {
        publisher.serve(PATH, [document(publisher, &["A"]), document(publisher, &["B", "A"])]);
        publisher.serve("/robots.txt", [Reply::status(404)]);
        publisher.serve("/a.html", [Reply::status(429).header("Retry-After", "3600")]);
        publisher.serve("/b.html", [page("B")]);
    });
    let rows = run.rows_after(3);
    assert_eq!(rows.len(), 2);
    assert_eq!(run.publisher.requests("/b.html").len(), 0);
    run.daemon.wait_for_metric("conflictwire_pages_total", "result=\"left_out\"", 1.0);
}

#[test]
fn robots_are_obeyed() {
    let robots = "User-agent: *\nDisallow: /a.html\n";
    let run =
        one(Reply::status(200).header("Content-Type", "text/plain").body(robots), [page("A")]);
    check_kept(&run, "disallowed");
    assert_eq!(run.publisher.requests("/a.html").len(), 0);
}

/// Nobody can say what is allowed, so nothing is.
#[test]
fn a_host_whose_robots_fail_is_asked_for_no_page() {
    let run = one(Reply::status(500), [page("A")]);
    check_kept(&run, "disallowed");
    assert_eq!(run.publisher.requests("/a.html").len(), 0);
}

/// Whatever becomes of a page, its article is published in the poll that found it, with the text of the feed.
#[test]
fn a_page_that_cannot_be_had_leaves_the_text_of_the_feed() {
    let huge = page("A").delivered(Delivery::Repeated(10_000));
    let looping = Reply::redirect(302, "/a.html");
    for reply in [Reply::status(403), Reply::status(500), huge, looping] {
        let run = one(Reply::status(404), [reply]);
        check_kept(&run, "failed");
        assert_eq!(run.state_after(3).plan.failures, 0);
    }
}

#[test]
fn a_page_that_is_not_the_article_is_not_believed() {
    let other = "The council of the league met in the capital to speak about the budget of the coming years. ";
    let run =
        one(Reply::status(404), [page_of("Council meets", &format!("<p>{}</p>", other.repeat(5)))]);
    check_kept(&run, "another_article");
    let run =
        one(Reply::status(404), [page_of("Just a moment...", "<p>Checking your browser.</p>")]);
    check_kept(&run, "wall");
    let run = one(Reply::status(404), [page_of(&title("A"), &format!("<p>{TEASER}</p>"))]);
    check_kept(&run, "no_text");
}

/// The permission to dial a private network is for the feed's host: what a feed links to is not asked for there.
#[test]
fn a_link_leads_to_no_private_network() {
    let inside = Tripwire::start("127.0.0.2");
    let run = Run::configured([], |setup, publisher| {
        setup.set("fetch.allow_private_networks", true);
        setup.remove_feed(FEED);
        setup.feed_that(FEED, &publisher.url(PATH), |feed| {
            feed.insert("fulltext".to_owned(), true.into());
            feed.insert("allow_private_networks".to_owned(), true.into());
        });
        publisher.serve(PATH, [Reply::feed(rss(&[&item("A", &inside.url("/a.html"))]))]);
    });
    check_kept(&run, "disallowed");
    assert_eq!(inside.connections(), 0);
}

/// A host that is silent for one page is not asked for the others of the poll.
#[test]
fn a_host_that_is_silent_holds_nothing_up() {
    let run = Run::configured([], |setup, publisher| {
        setup.set("fetch.timeout", "1s");
        setup.remove_feed(FEED);
        setup.feed_that(FEED, &publisher.url(PATH), |feed| {
            feed.insert("fulltext".to_owned(), true.into());
        });
        publisher.serve(PATH, [document(publisher, &["A", "B", "C"])]);
        publisher.serve("/robots.txt", [Reply::status(404)]);
        for path in ["/a.html", "/b.html", "/c.html"] {
            publisher.serve(path, [Reply::never()]);
        }
    });
    assert_eq!(run.rows_after(1).len(), 3);
    let asked = ["/a.html", "/b.html", "/c.html"].map(|path| run.publisher.requests(path).len());
    assert_eq!(asked.iter().sum::<usize>(), 1);
    run.daemon.wait_for_metric("conflictwire_pages_total", "result=\"left_out\"", 2.0);
}

/// Whoever dies with the pages in hand has published nothing, and whoever comes after publishes each once.
#[test]
fn killed_with_the_pages_in_hand_each_article_comes_once() {
    let publisher = Publisher::start();
    publisher.serve(PATH, [document(&publisher, &["A", "B"])]);
    publisher.serve("/robots.txt", [Reply::status(404)]);
    publisher.serve("/a.html", [page("A")]);
    publisher.serve("/b.html", [page("B")]);
    let mut setup = Setup::new();
    setup.feed_that(FEED, &publisher.url(PATH), |feed| {
        feed.insert("fulltext".to_owned(), true.into());
    });
    let ledger = Ledger::at(&setup.database());
    setup.spawn_armed(Point::AfterPages.name()).wait_for_death();
    assert_eq!(ledger.rows().len(), 0);
    let daemon = setup.start();
    ledger.wait_for_state(FEED, |state| state.plan.sequence >= 3);
    let rows = ledger.rows();
    assert_eq!(rows.len(), 2);
    // After an unclean end, what is read is tried first, its pages too.
    assert!(rows.iter().all(|row| row.record["body"] == text()));
    daemon.stop();
}

#[test]
fn commands_say_what_comes_of_pages() {
    let publisher = Publisher::start();
    publisher.serve(PATH, [document(&publisher, &["A", "B"])]);
    publisher.serve("/a.html", [page("A")]);
    let full = item("C", &publisher.url("/c.html")).replace(TEASER, &text().repeat(5));
    publisher.serve("/full.xml", [Reply::feed(rss(&[&full]))]);
    let mut setup = Setup::new();
    for (id, path) in [(FEED, PATH), ("full", "/full.xml")] {
        setup.feed_that(id, &publisher.url(path), |feed| {
            feed.insert("fulltext".to_owned(), true.into());
        });
    }
    let run = |args: &[&str]| {
        let mut command = setup.command(BINARY);
        let output = command.args(args).arg("--config").arg(setup.config()).output().unwrap();
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let [records, notes] = run(&["poll", FEED]);
    assert!(records.contains("\"body_source\":\"page\""), "{records}");
    assert!(notes.contains("pages: 1 used, 1 failed"), "{notes}");
    let [checked, _] = run(&["check", "--connect"]);
    assert!(
        checked.contains("fulltext is set, but 1 of 1 entries has a full text already"),
        "{checked}"
    );
}
