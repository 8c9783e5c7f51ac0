//! What the running program says of itself to programs and people: `/api` and the page, as the real
//! binary serves them.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::support::daemon::{BINARY, Daemon, Setup};
use crate::support::publisher::Reply;
use crate::support::run::{Run, headlines};
use crate::support::{PATIENCE, eventually};

/// What the admin server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header of it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Asks with these header lines besides `Host`.
#[track_caller]
fn ask_with(daemon: &Daemon, path: &str, headers: &str) -> Answer {
    say(daemon, "GET", path, headers)
}

#[track_caller]
fn say(daemon: &Daemon, method: &str, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(daemon.admin()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
    let question = format!("{method} {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

#[track_caller]
pub(crate) fn ask(daemon: &Daemon, path: &str) -> Answer {
    ask_with(daemon, path, "")
}

#[test]
fn the_status_says_how_the_program_stands() {
    let run = Run::serving([Reply::feed(headlines(&["A"]))]);
    run.daemon.wait_for_metric("conflictwire_feeds", "state=\"fine\"", 1.0);
    let answer = ask(&run.daemon, "/api/status");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let status = answer.json();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&status["ready"], &status["why_not_ready"]), (&true.into(), &Value::Null));
    assert_eq!((&status["feeds"]["total"], &status["feeds"]["fine"]), (&1.into(), &1.into()));
    assert_eq!(status["ledger"]["kind"], "sqlite");
    assert!(status["ledger"]["bytes"].as_u64().unwrap() > 0, "{status}");
    run.daemon.stop();
}

#[test]
fn metrics_are_told_in_the_format_that_is_asked_for() {
    let run = Run::serving([Reply::feed(headlines(&["A"]))]);
    let open = ask(&run.daemon, "/metrics");
    assert!(open.header("content-type").unwrap().starts_with("application/openmetrics-text;"));
    assert!(open.body.contains("# TYPE conflictwire_polls counter\n"), "{}", open.body);
    assert!(open.body.ends_with("# EOF\n"), "{}", open.body);
    let older = ask_with(&run.daemon, "/metrics", "Accept: text/plain;version=0.0.4\r\n");
    assert_eq!(older.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(older.body.contains("# TYPE conflictwire_polls_total counter\n"), "{}", older.body);
    assert!(!older.body.contains("# EOF") && !older.body.contains("# UNIT"), "{}", older.body);
    let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(series(&open.body), series(&older.body), "the same is told");
    run.daemon.stop();
}

#[test]
fn what_is_asked_wrongly_is_answered_in_json() {
    let run = Run::serving([Reply::feed(headlines(&["A"]))]);
    let answer = ask(&run.daemon, "/api/nowhere");
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &"not_found".into()));
    let post = say(&run.daemon, "POST", "/api/feeds", "");
    assert_eq!((post.status, &post.json()["error"]["code"]), (405, &"only_get".into()));
    assert_eq!(post.header("allow"), Some("GET, HEAD"));
    // A page of another site that lets its name be 127.0.0.1.
    let rebound = ask_with(&run.daemon, "/api/status", "Host: rebound.example\r\n");
    assert_eq!((rebound.status, &rebound.json()["error"]["code"]), (421, &"foreign_host".into()));
    run.daemon.stop();
}

/// A daemon that polls one feed that is fine, and some that are not there, on hosts of their own.
fn many_feeds() -> Run {
    Run::configured([Reply::feed(headlines(&["A"]))], |setup, publisher| {
        for number in 0..7 {
            let host = format!("host-{}.example", number % 3);
            setup.resolve(&host);
            let url = publisher.url_at(&host, &format!("/none-{number}?token=hunter2"));
            setup.feed_that(&format!("missing-{number}"), &url, |feed| {
                feed.insert("publisher".to_owned(), "Nobody".into());
                if number % 2 == 1 {
                    feed.insert("labels".to_owned(), vec!["odd & ends"].into());
                }
            });
            publisher.script(&format!("/none-{number}"), |_| Reply::status(404));
        }
    })
}

/// What is answered once it is as wanted: states are told at most a second late.
#[track_caller]
fn eventually_json(daemon: &Daemon, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(format!("{path} to be as wanted"), || {
        let answer = ask(daemon, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        Some(answer.json()).filter(|value| wanted(value))
    })
}

fn ids(feeds: &Value) -> Vec<String> {
    let ids = feeds["feeds"].as_array().unwrap().iter();
    ids.map(|feed| feed["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn feeds_are_found_sorted_and_shown_page_by_page() {
    let run = many_feeds();
    let daemon = &run.daemon;
    eventually_json(daemon, "/api/feeds?state=failing", |feeds| feeds["total"] == 7);
    let all = eventually_json(daemon, "/api/feeds", |feeds| feeds["total"] == 8);
    assert_eq!(all["next"], Value::Null);
    let sorted = ids(&all);
    assert!(sorted.is_sorted() && sorted.len() == 8, "{sorted:?}");
    let feed = &all["feeds"][0];
    assert_eq!((&feed["state"], &feed["lane"]), (&"fine".into(), &0.into()));
    assert!(feed["next_poll_at"].is_string() && feed["because"].is_string(), "{feed}");

    let mut seen = Vec::new();
    let mut path = "/api/feeds?limit=3&q=missing".to_owned();
    loop {
        let page = eventually_json(daemon, &path, |_| true);
        assert_eq!(page["total"], 7);
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/feeds?limit=3&q=missing&after={next}");
    }
    assert_eq!(seen, sorted[1..], "each once, whatever the page");
    let of_host = eventually_json(daemon, "/api/feeds?host=host-1.example", |_| true);
    assert_eq!(ids(&of_host), ["missing-1", "missing-4"]);
    let of_label = eventually_json(daemon, "/api/feeds?label=odd%20%26%20ends", |_| true);
    assert_eq!(ids(&of_label), ["missing-1", "missing-3", "missing-5"]);
    assert_eq!(of_label["feeds"][0]["labels"][0], "odd & ends");
    let page = ask(daemon, "/?label=odd%20%26%20ends").body;
    assert!(page.contains("missing-5") && !page.contains("missing-2"), "{page}");
    assert!(page.contains("<a href=\"/?label=odd+%26+ends#feeds\">odd &amp; ends</a>"), "{page}");
    let worst = eventually_json(daemon, "/api/feeds?sort=failures&limit=1", |_| true);
    assert_eq!(worst["feeds"][0]["state"], "failing");
    for query in ["sort=age", "limit=1000", "colour=red", "after=x", "q=a&q=b"] {
        let answer = ask(daemon, &format!("/api/feeds?{query}"));
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (400, &"bad_parameter".into())
        );
    }
    run.daemon.stop();
}

#[test]
fn one_feed_is_explained_and_its_secrets_are_kept() {
    let run = many_feeds();
    let failed = |feed: &Value| feed["failures"].as_u64().is_some_and(|failures| failures > 1);
    let feed = eventually_json(&run.daemon, "/api/feeds/missing-2", failed);
    assert_eq!(feed["last_failure"]["class"], "not_found");
    assert_eq!(feed["failure"], "not_found");
    assert!(feed["schedule"]["backoff_seconds"].is_number(), "{feed}");
    assert!(feed["url"].as_str().unwrap().ends_with("/none-2?…"), "{feed}");
    let fine = eventually_json(&run.daemon, "/api/feeds/feed", |feed| feed["state"] == "fine");
    assert!(fine["succeeded_at"].is_string() && fine["today"]["articles"] == 1, "{fine}");
    let asked = &fine["requests"];
    assert!(asked["made"].as_u64() > Some(0) && asked["early"] == 0, "{fine}");
    let newest = &asked["last"][0];
    assert!(newest["won"]["because"].is_string() && newest["answered"] == "document", "{fine}");
    let none = ask(&run.daemon, "/api/feeds/nobody");
    assert_eq!((none.status, &none.json()["error"]["code"]), (404, &"not_found".into()));
    for path in ["/api/feeds", "/api/feeds/missing-2", "/api/hosts", "/api/status", "/api/lanes"] {
        let answer = ask(&run.daemon, path);
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("hunter2"), "{path}: {}", answer.body);
    }
    run.daemon.stop();
}

#[test]
fn hosts_and_lanes_are_counted() {
    let run = many_feeds();
    let hosts = eventually_json(&run.daemon, "/api/hosts?q=example&sort=host", |hosts| {
        hosts["hosts"].as_array().unwrap().iter().all(|host| host["feeds"] == host["failing"])
    });
    let counts = |name: &str| {
        let of = hosts["hosts"].as_array().unwrap().iter().map(|host| host[name].clone());
        of.collect::<Vec<Value>>()
    };
    assert_eq!(counts("host"), ["host-0.example", "host-1.example", "host-2.example"]);
    assert_eq!(counts("feeds"), [3, 2, 2]);
    let first = eventually_json(&run.daemon, "/api/hosts?limit=1", |_| true);
    assert_eq!(
        (&first["total"], &first["hosts"][0]["host"]),
        (&4.into(), &"host-0.example".into())
    );
    let lanes = eventually_json(&run.daemon, "/api/lanes", |_| true);
    assert_eq!(lanes["lanes"][0]["state"], "owned");
    assert_eq!(lanes["lanes"][0]["feeds"], 8);
    run.daemon.stop();
}

#[test]
fn commits_are_told_as_they_happen_to_a_few_who_listen() {
    let run = Run::serving([Reply::feed(headlines(&["A"]))]);
    let listen = || {
        let mut stream = TcpStream::connect(run.daemon.admin()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        stream
    };
    let read_until = |stream: &mut TcpStream, wanted: &str| {
        let (mut text, mut piece) = (String::new(), [0; 1024]);
        while !text.contains(wanted) {
            let length = stream.read(&mut piece).unwrap();
            assert!(length > 0, "ended: {text}");
            text.push_str(std::str::from_utf8(&piece[..length]).unwrap());
        }
        text
    };
    let mut crowd: Vec<TcpStream> = (0..8).map(|_| listen()).collect();
    for stream in &mut crowd {
        let text = read_until(stream, "event: commit\ndata: {");
        assert!(text.contains("content-type: text/event-stream"), "{text}");
    }
    let text = read_until(&mut crowd[0], "\"feed\":\"feed\"");
    assert!(text.contains("\"result\":\"modified\""), "{text}");
    let ninth = ask(&run.daemon, "/api/events");
    let code = &ninth.json()["error"]["code"];
    assert_eq!((ninth.status, code), (503, &"too_many_listeners".into()));
    drop(crowd);
    eventually("a place for another", || {
        let text = read_until(&mut listen(), "\r\n");
        text.starts_with("HTTP/1.1 200 ").then_some(())
    });
    run.daemon.stop();
}

const TOKEN: &str = "a-token-of-some-length";

/// A daemon whose admin server other machines reach.
fn reached_by_all(token: Option<&str>) -> Run {
    Run::configured([Reply::feed(headlines(&["A"]))], |setup, _| {
        setup.set("admin.listen", "0.0.0.0:0");
        if let Some(token) = token {
            std::fs::write(setup.path("token"), format!("{token}\n")).unwrap();
            setup.set("admin.token_file", "token");
        }
    })
}

#[test]
fn other_machines_need_the_token_but_for_probes_and_metrics() {
    let closed = reached_by_all(None);
    let run = reached_by_all(Some(TOKEN));
    for path in ["/livez", "/readyz", "/metrics"] {
        // Open to all; whether it is ready yet is another question.
        for daemon in [&closed.daemon, &run.daemon] {
            let status = ask(daemon, path).status;
            assert!(status == 200 || (path == "/readyz" && status == 503), "{path}: {status}");
        }
    }
    for path in [
        "/",
        "/feeds/feed",
        "/page.css",
        "/api/status",
        "/api/feeds",
        "/api/feeds/feed",
        "/api/events",
    ] {
        let answer = ask(&closed.daemon, path);
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (403, &"no_token_file".into())
        );
        for headers in ["", "Authorization: Bearer a-token-of-some-lengtH\r\n"] {
            let answer = ask_with(&run.daemon, path, headers);
            assert_eq!(answer.status, 401, "{path}: {}", answer.body);
            assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "));
        }
    }
    // "ada:" and the token, as a browser sends it.
    let basic = "Authorization: Basic YWRhOmEtdG9rZW4tb2Ytc29tZS1sZW5ndGg=\r\n".to_owned();
    for headers in [format!("Authorization: Bearer {TOKEN}\r\n"), basic] {
        for path in ["/", "/api/status", "/api/feeds"] {
            let answer = ask_with(&run.daemon, path, &headers);
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        }
    }
    let written = run.daemon.text();
    assert!(!written.contains(TOKEN), "{written}");
    closed.daemon.stop();
    run.daemon.stop();
}

#[test]
fn check_says_what_the_admin_server_keeps_closed() {
    let check = |setup: &Setup| {
        let mut command = setup.command(BINARY);
        let output = command.arg("check").arg("--config").arg(setup.config()).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), text.concat())
    };
    let mut setup = Setup::new();
    setup.feed("a", "https://news.example/rss");
    let (code, text) = check(&setup);
    assert!(code == Some(0) && !text.contains("closed"), "{text}");
    setup.set("admin.listen", "0.0.0.0:9273");
    let (code, text) = check(&setup);
    let note = "the status page and /api are closed until admin.token_file is set";
    assert!(code == Some(0) && text.contains(note), "{text}");
    setup.set("admin.token_file", "token");
    let (code, text) = check(&setup);
    assert!(code == Some(78) && text.contains("admin.token_file"), "{text}");
    std::fs::write(setup.path("token"), "short").unwrap();
    let (code, text) = check(&setup);
    assert!(code == Some(78) && text.contains("holds no token"), "{text}");
    assert!(!text.contains("\"short\""), "{text}");
    std::fs::write(setup.path("token"), TOKEN).unwrap();
    let (code, text) = check(&setup);
    assert!(code == Some(0) && !text.contains("closed"), "{text}");
}

const SUMMARY: &str =
    "Shelling killed civilians &amp;lt;img src=x onerror=alert(1)&amp;gt; on Monday.";

/// A document whose articles are about conflict, and whose texts are hostile.
pub(crate) fn hostile() -> Vec<u8> {
    let long = format!("Airstrike {} kills soldiers", "x".repeat(10_000));
    let titles = [
        "Airstrike &amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt; kills three soldiers in Kharkiv",
        "Airstrike \u{202e}kills\u{202c} five soldiers near Kharkiv",
        "Missile strike kills \" onmouseover=\"alert(1) two soldiers",
        "حلب: airstrike kills seven civilians in Aleppo",
        &long,
    ];
    let items: String = (0..)
        .zip(titles)
        .map(|(number, title)| {
            format!(
                "<item><guid>{number}</guid><link>https://news.example/{number}</link>\
                 <title>{title}</title><description>{}</description></item>",
                if number == 3 { title } else { SUMMARY }
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>&lt;b&gt;News&lt;/b&gt;</title>\
         {items}</channel></rss>"
    )
    .into_bytes()
}

#[test]
fn the_page_shows_hostile_texts_as_texts() {
    let run = Run::serving([Reply::feed(hostile())]);
    let page = eventually("the articles on the page", || {
        let page = ask(&run.daemon, "/");
        assert_eq!(page.status, 200, "{}", page.body);
        (page.body.contains("news.example/0") && page.body.contains("badge good\">fine"))
            .then_some(page)
    });
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let body = &page.body;
    assert!(body.contains("&lt;script&gt;alert(1)"), "{body}");
    assert_eq!(body.matches("<script").count(), 1, "the page's own");
    for markup in ["<img", "<b>", "\" onmouseover", "\u{202e}", "style=", "<iframe"] {
        assert!(!body.contains(markup), "{markup:?} in {body}");
    }
    assert!(body.contains("<mark>") && body.contains("dir=\"auto\""), "{body}");
    assert!(body.contains("lang=\"en\"") && body.contains("حلب: <mark>"), "{body}");
    assert!(body.contains("<title>Kharkiv: 2</title>"), "where it happened: {body}");
    assert!(body.len() < 60_000, "{} bytes", body.len());
    for (path, format) in [
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/page.svg", "image/svg+xml"),
        ("/page.world.svg", "image/svg+xml"),
    ] {
        let file = ask(&run.daemon, path);
        assert_eq!((file.status, file.header("content-type")), (200, Some(format)), "{path}");
        assert!(body.contains(&format!("\"{path}\"")), "{path}");
    }
    run.daemon.stop();
}

#[test]
fn the_page_of_many_feeds_stays_small_and_leads_to_the_others() {
    let run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, publisher| {
        publisher.script("/none", |_| Reply::status(404));
        for number in 0..1000 {
            setup.feed(&format!("feed-{number:04}"), &publisher.url(&format!("/none?{number}")));
        }
    });
    let page = ask(&run.daemon, "/");
    assert_eq!(page.status, 200);
    assert!(page.body.len() < 100_000, "{} bytes", page.body.len());
    assert!(page.body.contains("50 of 1,001 feeds"), "{}", page.body);
    let (_, rest) = page.body.split_once("<a href=\"/?after=").unwrap();
    let (next, _) = rest.split_once("#feeds\">Next page").unwrap();
    let second = ask(&run.daemon, &format!("/?after={next}"));
    assert!(second.body.contains("feed-0075") && !second.body.contains("feed-0010"), "{next}");
    assert!(second.body.contains("First page"), "{}", second.body);
    let none = ask(&run.daemon, "/?state=fine&q=%3Cscript%3E");
    assert!(none.body.contains("No feed is like that"), "{}", none.body);
    assert!(none.body.contains("value=\"&lt;script&gt;\""), "{}", none.body);
    assert_eq!(ask(&run.daemon, "/?sort=age").status, 400);
    run.daemon.stop();
}

#[test]
fn healthcheck_asks_the_daemon_that_is_configured() {
    let run = Run::serving([Reply::feed(headlines(&["A"]))]);
    let mut setup = Setup::new();
    setup.feed("a", "https://news.example/rss");
    let check = |setup: &Setup, live: &[&str]| {
        let mut command = setup.command(BINARY);
        command.arg("healthcheck").args(live).arg("--config").arg(setup.config());
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), text.concat())
    };
    setup.set("admin.listen", run.daemon.admin().to_string());
    eventually("to be ready", || {
        (check(&setup, &[]) == (Some(0), "ready\n".to_owned())).then_some(())
    });
    assert_eq!(check(&setup, &["--live"]), (Some(0), "alive\n".to_owned()));
    run.daemon.stop();
    let (code, text) = check(&setup, &[]);
    assert!(
        code == Some(1) && text.contains("no daemon answers at admin.listen 127.0.0.1:"),
        "{text}"
    );
    setup.set("admin.listen", "off");
    let (code, text) = check(&setup, &[]);
    assert!(code == Some(1) && text.contains("admin.listen is \"off\""), "{text}");
}

#[test]
fn feeds_are_listed_for_programs_too() {
    let run = many_feeds();
    run.state_after(1);
    let mut command = run.setup.command(BINARY);
    command.args(["feeds", "list", "--json", "--config"]).arg(run.setup.config());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let feeds: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(feeds.len(), 8);
    let feed = feeds.iter().find(|feed| feed["id"] == "feed").unwrap();
    assert_eq!((&feed["standing"], &feed["failures"]), (&"fine".into(), &0.into()));
    assert!(feed["next_poll_at"].is_string() && feed["as_of"].is_string(), "{feed}");
    assert!(!text.contains("hunter2"), "{text}");
    run.daemon.stop();
}

#[test]
fn top_shows_the_daemon_that_is_configured_and_opens_it_with_its_token() {
    let run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, publisher| {
        std::fs::write(setup.path("token"), format!("{TOKEN}\n")).unwrap();
        setup.set("admin.token_file", "token");
        publisher.script("/none", |_| Reply::status(404));
        setup.feed("missing", &publisher.url("/none"));
    });
    run.state_after(1);
    let top = |setup: &Setup, args: &[&str]| {
        let mut command = setup.command(BINARY);
        command.arg("top").args(args).arg("--config").arg(setup.config());
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), text.concat())
    };
    // The same configuration, with the address that the daemon was given.
    let mut setup = Setup::new();
    std::fs::write(setup.path("token"), format!("{TOKEN}\n")).unwrap();
    setup.set("admin.listen", run.daemon.admin().to_string());
    let (code, text) = top(&setup, &["--once"]);
    assert!(code == Some(1) && text.contains("wants the token"), "{text}");
    setup.set("admin.token_file", "token");
    let text = eventually("both feeds to be polled", || {
        let (code, text) = top(&setup, &["--once"]);
        assert_eq!(code, Some(0), "{text}");
        text.contains("1 fine  1 failing").then_some(text)
    });
    let feed = text.lines().find(|line| line.starts_with("missing ")).unwrap();
    assert!(feed.contains("failing: not_found, ") && feed.contains("its "), "{text}");
    assert!(text.contains("; sqlite ") && !text.contains("q quit"), "{text}");
    let (code, text) = top(&setup, &[]);
    assert!(code == Some(1) && text.contains("no terminal; `conflictwire top --once`"), "{text}");
    run.daemon.stop();
}
