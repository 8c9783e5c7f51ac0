//! The page of one feed, as the real binary serves it, and what pages show of the time before a restart.

use cw_model::state::REQUESTS_KEPT;

use crate::api::{Answer, ask, hostile};
use crate::support::eventually;
use crate::support::publisher::Reply;
use crate::support::run::{Run, headlines};

/// A page once it is as wanted.
#[track_caller]
fn page(run: &Run, path: &str, wanted: impl Fn(&str) -> bool) -> Answer {
    eventually(format!("{path} to be as wanted"), || {
        let page = ask(&run.daemon, path);
        (page.status == 200 && wanted(&page.body)).then_some(page)
    })
}

/// What stands in the part of a page that has this id.
#[track_caller]
fn part<'a>(body: &'a str, id: &str) -> &'a str {
    let (_, rest) = body.split_once(&format!("<section id=\"{id}\"")).unwrap_or_else(|| {
        panic!("no {id} in {body}");
    });
    rest.split_once("</section>").unwrap().0
}

#[test]
fn the_page_of_a_feed_says_when_it_is_asked_why_and_how_it_was() {
    let replies = [
        Reply::feed(headlines(&["Airstrike kills three soldiers in Kharkiv"]))
            .header("ETag", "\"one\"")
            .header("Cache-Control", "max-age=1"),
        Reply::status(304),
    ];
    let run = Run::serving(replies);
    let page = page(&run, "/feeds/feed", |body| {
        body.matches("not modified</td>").count() >= 2 && body.contains("Newest articles</h2>")
    });
    let body = &page.body;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(body.contains("badge good\">fine</span>"), "{body}");
    assert!(body.contains("<a href=\"/api/feeds/feed\">JSON</a>"), "{body}");
    let next = part(body, "next");
    assert!(next.contains("because "), "{next}");
    assert_eq!(next.matches(">won</span>").count(), 1, "one rule won: {next}");
    assert!(next.contains(">interval</th>") && next.contains("jitter"), "{next}");
    let requests = part(body, "requests");
    let rows = requests.matches("<tr><th scope=\"row\">").count();
    assert!((2..=REQUESTS_KEPT).contains(&rows), "{requests}");
    assert!(requests.contains(">If-None-Match</td>"), "what was sent: {requests}");
    assert!(part(body, "validators").contains("</code>: ETag"), "{body}");
    assert!(part(body, "rhythm").contains("Not known yet"), "{body}");
    assert!(part(body, "polite").contains("<dt>Too early</dt><dd>0</dd>"), "{body}");
    assert!(part(body, "today").contains("1 of at most"), "{body}");
    let articles = part(body, "articles");
    assert!(
        articles.contains("Airstrike kills three") && articles.contains("created · "),
        "{articles}"
    );
    assert!(articles.contains("<li>strike.air</li>"), "{articles}");
    // The status page leads here.
    let status = ask(&run.daemon, "/").body;
    assert!(status.contains("<a href=\"/feeds/feed\">feed</a>"), "{status}");
    let none = ask(&run.daemon, "/feeds/%3Cscript%3E");
    assert_eq!((none.status, none.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert!(none.body.contains("No feed has this id") && !none.body.contains("<script>"));
    run.daemon.stop();
}

#[test]
fn a_feed_whose_host_has_asked_to_wait_is_not_called_due() {
    let run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, publisher| {
        publisher.script("/busy", |_| Reply::status(429).header("Retry-After", "600"));
        setup.feed("busy", &publisher.url("/busy"));
    });
    let why = "its server asked to wait when it was asked for another feed";
    let waits = page(&run, "/feeds/feed", |body| part(body, "next").contains(why));
    assert!(!part(&waits.body, "next").contains("Due"), "{}", waits.body);
    let row = ask(&run.daemon, "/api/feeds/feed").json();
    assert_eq!(row["because"], why);
    let at = |name: &str| row[name].as_str().unwrap().parse::<cw_model::Timestamp>().unwrap();
    let wait = at("next_poll_at").duration_since(at("polled_at")).as_secs();
    // A poll that was under way may have begun before the other feed was refused, and a tenth is jitter.
    assert!((590..=700).contains(&wait), "{wait} s");
    assert_eq!(ask(&run.daemon, "/api/feeds?state=due").json()["total"], 0);
    let status = ask(&run.daemon, "/?state=fine").body;
    assert!(status.contains(why) && !status.contains("\"Next poll\">due<"), "{status}");
    run.daemon.stop();
}

#[test]
fn the_page_of_a_hostile_feed_shows_texts_as_texts() {
    let run = Run::configured([Reply::feed(hostile())], |setup, publisher| {
        publisher.script("/broken", |_| Reply::feed("<rss><script>alert(1)</script>"));
        let url = publisher.url("/broken");
        setup.feed_that("broken", &url, |feed| {
            feed.insert("publisher".to_owned(), "\u{202e}<b>Wire</b>".into());
            feed.insert("labels".to_owned(), vec!["\" onclick=\"x"].into());
        });
    });
    let fine = page(&run, "/feeds/feed", |body| body.contains("news.example/0")).body;
    assert!(fine.contains("&lt;script&gt;alert(1)"), "{fine}");
    let broken = page(&run, "/feeds/broken", |body| {
        body.contains("class=\"alert bad\"") && !part(body, "rejects").contains("None among")
    });
    let broken = broken.body;
    assert!(part(&broken, "rejects").contains("data-label=\"Class\""), "{broken}");
    for body in [&fine, &broken] {
        assert_eq!(body.matches("<script").count(), 1, "the page's own: {body}");
        for markup in ["<img", "<b>", "\" onmouseover", "\" onclick", "\u{202e}", "style="] {
            assert!(!body.contains(markup), "{markup:?} in {body}");
        }
        assert!(body.len() < 40_000, "{} bytes", body.len());
    }
    run.daemon.stop();
}

#[test]
fn after_a_restart_the_page_has_the_articles_that_the_ledger_has() {
    let replies = [Reply::feed(hostile()), Reply::status(304)];
    let run = Run::serving(replies);
    let has_all = |body: &str| {
        body.contains("news.example/0") && part(body, "tags").contains("<th scope=\"row\">strike")
    };
    let before = page(&run, "/", has_all).body;
    let run = run.restart();
    let after = page(&run, "/", has_all).body;
    let titles = |body: &str| part(body, "articles").matches("<h3").count();
    assert_eq!(titles(&after), titles(&before), "each once");
    let counts = |body: &str| {
        let counts = part(body, "tags").split("class=\"count\">").skip(1);
        counts.map(|rest| rest.split_once('<').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(counts(&after), counts(&before));
    assert!(!part(&after, "articles").contains("since the start"), "{after}");
    assert!(part(&after, "polls").contains("since the start at 20"), "{after}");
    run.daemon.stop();
}

#[test]
fn a_ledger_that_cannot_be_asked_is_said_to_show_what_came_since_the_start() {
    let run = Run::configured([Reply::feed(hostile())], |setup, _| {
        setup.set("ledger.kind", "json_lines");
    });
    let body = page(&run, "/", |body| body.contains("news.example/0")).body;
    for id in ["articles", "tags"] {
        assert!(part(&body, id).contains("since the start at 20"), "{body}");
    }
    let feed = page(&run, "/feeds/feed", |body| body.contains("news.example/0")).body;
    assert!(part(&feed, "articles").contains("since the start at 20"), "{feed}");
    assert!(part(&feed, "rejects").contains("(json_lines)"), "{feed}");
    run.daemon.stop();
}
