//! Fetches over real sockets on loopback, from a publisher that says exactly what it is told to.
//!
//! What pure files decide is tested there; here, that the whole does it on the wire.

mod bodies;
mod floods;
mod reach;

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cw_model::{Timestamp, Validators};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio_util::sync::DropGuard;

use super::*;
use crate::publisher::{Exchange, Log, Next, Reply, Request, Server};

const FEED: &str = "<rss version=\"2.0\"><channel><title>Feed</title></channel></rss>";

/// A publisher whose every byte the test wrote: what is on the wire is the point here.
struct Publisher {
    port: u16,
    log: Log,
    _serving: DropGuard,
}

impl Publisher {
    /// Listens on loopback; `reply` is given the path of each request and its number from 0.
    fn start(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let asked = AtomicUsize::new(0);
        let answer =
            move |request: &Request| reply(&request.path, asked.fetch_add(1, Ordering::SeqCst));
        let server = Server::bind(answer).unwrap();
        let (port, log) = (server.address().port(), server.log());
        Self { port, log, _serving: server.start().unwrap() }
    }

    /// Answers every request with the same bytes.
    fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |_, _| send(answer.clone()))
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    /// The heads of the requests so far.
    fn requests(&self) -> Vec<String> {
        self.log.exchanges().into_iter().map(|exchange| exchange.request.head).collect()
    }

    /// How many connections brought a request so far.
    fn connections(&self) -> usize {
        let of = |exchange: &Exchange| exchange.request.connection;
        self.log.exchanges().iter().map(of).collect::<BTreeSet<_>>().len()
    }
}

/// Sends these bytes and closes.
fn send(bytes: Vec<u8>) -> Reply {
    Reply::raw(bytes, Next::HangUp)
}

/// Sends these bytes and keeps the connection for the next request.
fn keep(bytes: Vec<u8>) -> Reply {
    Reply::raw(bytes, Next::Listen)
}

/// Sends these bytes, then a byte now and then until the client hangs up.
fn drip(bytes: &[u8]) -> Reply {
    Reply::raw(bytes, Next::Drip)
}

/// An answer with a body and its length.
fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn redirect(status: &str, location: &str) -> Vec<u8> {
    answer(status, &[&format!("Location: {location}")], b"")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn settings() -> FetchSettings {
    FetchSettings {
        host_gap: Duration::ZERO,
        timeout: Duration::from_secs(20),
        connect_timeout: Duration::from_secs(10),
        body_limit: 1024 * 1024,
        redirects_max: 10,
        user_agent: "conflictwire/test (+https://example.org/contact)".to_owned(),
        private_networks: PrivateNetworks::Ranges(vec!["127.0.0.1/32".parse().unwrap()]),
        resolve: BTreeMap::new(),
        proxies: Proxies::default(),
    }
}

/// For what must be cut off.
fn hasty() -> FetchSettings {
    FetchSettings { timeout: Duration::from_millis(300), ..settings() }
}

fn clock() -> Clock {
    Clock::Fixed("2025-03-04T12:00:00Z".parse::<Timestamp>().unwrap())
}

fn fetcher(settings: &FetchSettings) -> Fetcher {
    Fetcher::new(settings, Connections::at_most(100), clock()).unwrap()
}

impl Fetcher {
    /// Fetches with as much memory as it takes.
    async fn fetch_plainly(
        &self,
        url: &Url,
        own: Option<&PrivateNetworks>,
        validators: &BTreeMap<String, Validators>,
    ) -> Answer {
        let conditions = Conditions { validators: validators.clone(), ..Conditions::default() };
        let timeout = self.timeout;
        let proxy = &FeedProxy::AsConfigured;
        let way = Way { own, proxy, request: None, home: url };
        self.fetch_url(url, way, &conditions, timeout, &mut BodyHold::unlimited()).await
    }
}

async fn fetch_with(settings: &FetchSettings, url: &Url) -> Answer {
    fetcher(settings).fetch_plainly(url, None, &BTreeMap::new()).await
}

async fn fetch(url: &Url) -> Answer {
    fetch_with(&settings(), url).await
}

#[track_caller]
fn body(answer: Answer) -> Body {
    match answer {
        Answer::Body(body) => body,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn failure(answer: Answer) -> Failure {
    match answer {
        Answer::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

/// Fetches a feed whose publisher says `answer`, and expects the failure.
async fn check_failure(settings: &FetchSettings, answer: Vec<u8>, class: FailureClass) {
    let shown = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
    let publisher = Publisher::saying(answer);
    let failure = failure(fetch_with(settings, &publisher.url("/feed")).await);
    assert_eq!(failure.class, class, "{shown:?}: {}", failure.detail);
}

/// Fetches a feed whose publisher says `answer`, and expects the body.
async fn check_body(answer: Vec<u8>, expected: &[u8]) {
    let shown = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
    let publisher = Publisher::saying(answer);
    let body = body(fetch(&publisher.url("/feed")).await);
    assert!(body.bytes == expected, "{shown:?}: {} bytes", body.bytes.len());
}

fn known(url: &Url, etag: &str, last_modified: &str) -> (String, Validators) {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let validators = Validators { etag: text(etag), last_modified: text(last_modified) };
    (url.as_str().to_owned(), validators)
}

fn header(request: &str, name: &str) -> Option<String> {
    let named = |line: &str| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then(|| value.to_owned())
    };
    request.lines().find_map(named)
}

// --- what is asked, and what an answer says

#[tokio::test]
async fn an_answer_is_told_whole() {
    let publisher = Publisher::saying(answer(
        "200 OK",
        &[
            "Content-Type: application/rss+xml; charset=utf-8",
            "ETag: W/\"a-gzip\"",
            "Last-Modified: Tue, 4 Mar 2025 01:02:03 GMT",
            "Cache-Control: max-age=600",
            "Age: 60",
            "Content-Encoding: gzip",
        ],
        &gzip(FEED.as_bytes()),
    ));
    let url = publisher.url("/feed?format=rss");
    let body = body(fetch(&url).await);
    assert_eq!(body.bytes, FEED.as_bytes());
    assert_eq!(body.wire_bytes, gzip(FEED.as_bytes()).len() as u64);
    assert_eq!(body.final_url, url);
    assert_eq!(body.moved_to, None);
    assert_eq!(body.content_type.as_deref(), Some("application/rss+xml; charset=utf-8"));
    assert_eq!(body.validators.etag.as_deref(), Some("W/\"a-gzip\""));
    assert_eq!(body.validators.last_modified.as_deref(), Some("Tue, 4 Mar 2025 01:02:03 GMT"));
    assert_eq!(body.freshness.0, Some(Duration::from_secs(540)));
}

#[tokio::test]
async fn a_first_fetch_is_one_plain_get() {
    let publisher = Publisher::saying(answer("200 OK", &[], FEED.as_bytes()));
    let mut url = publisher.url("/feed?a=1");
    url.set_username("user").unwrap();
    url.set_password(Some("word")).unwrap();
    url.set_fragment(Some("top"));
    body(fetch(&url).await);
    let requests = publisher.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert!(request.starts_with("GET /feed?a=1 HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(request, "user-agent").unwrap(), settings().user_agent);
    assert_eq!(header(request, "accept-encoding").unwrap(), "gzip, br, zstd, deflate");
    assert!(header(request, "accept").unwrap().contains("application/rss+xml"));
    assert_eq!(header(request, "host").unwrap(), format!("127.0.0.1:{}", publisher.port));
    for name in [
        "referer",
        "cookie",
        "authorization",
        "if-none-match",
        "if-modified-since",
        "a-im",
        "range",
    ] {
        assert_eq!(header(request, name), None, "{name}");
    }
    assert_eq!(request.lines().count(), 6, "{request}");
}

#[tokio::test]
async fn validators_go_back_byte_for_byte() {
    let publisher = Publisher::saying("HTTP/1.1 304 Not Modified\r\n\r\n");
    let url = publisher.url("/feed");
    let long = format!("W/\"{}\"", "x".repeat(600));
    for (etag, last_modified) in [
        ("\"a\"", "Tue, 04 Mar 2025 01:02:03 GMT"),
        ("W/\"x\"", "4.3.2041 odd date"),
        (long.as_str(), ""),
        ("", "Tue, 04 Mar 2025 01:02:03 GMT"),
        ("no quotes", ""),
    ] {
        let validators = BTreeMap::from([known(&url, etag, last_modified)]);
        let fetcher = fetcher(&settings());
        let answer = fetcher.fetch_plainly(&url, None, &validators).await;
        assert!(matches!(answer, Answer::NotModified(_)), "{answer:?}");
        let request = publisher.requests().pop().unwrap();
        assert_eq!(header(&request, "if-none-match").unwrap_or_default(), etag);
        assert_eq!(header(&request, "if-modified-since").unwrap_or_default(), last_modified);
    }
}

#[tokio::test]
async fn not_modified_brings_new_validators_and_freshness() {
    let publisher = Publisher::saying(
        "HTTP/1.1 304 Not Modified\r\nETag: \"b\"\r\nCache-Control: max-age=900\r\n\r\n",
    );
    let url = publisher.url("/feed");
    let validators = BTreeMap::from([known(&url, "\"a\"", "Tue, 04 Mar 2025 01:02:03 GMT")]);
    let fetcher = fetcher(&settings());
    match fetcher.fetch_plainly(&url, None, &validators).await {
        Answer::NotModified(answer) => {
            assert_eq!(answer.final_url, url);
            assert_eq!(answer.validators.etag.as_deref(), Some("\"b\""));
            assert_eq!(answer.validators.last_modified, None);
            assert_eq!(answer.freshness.0, Some(Duration::from_secs(900)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn validators_belong_to_the_url_that_gave_them() {
    let publisher = Publisher::start(|path, _| {
        send(match path {
            "/a" => redirect("302 Found", "/b"),
            _ => b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(),
        })
    });
    let (a, b) = (publisher.url("/a"), publisher.url("/b"));
    let fetcher = fetcher(&settings());
    let validators = BTreeMap::from([known(&a, "\"of a\"", ""), known(&b, "\"of b\"", "")]);
    match fetcher.fetch_plainly(&a, None, &validators).await {
        Answer::NotModified(answer) => assert_eq!(answer.final_url, b),
        other => panic!("{other:?}"),
    }
    let only_a = BTreeMap::from([known(&a, "\"of a\"", "")]);
    assert_eq!(failure(fetcher.fetch_plainly(&a, None, &only_a).await).class, FailureClass::Status);
    let sent: Vec<_> =
        publisher.requests().iter().map(|request| header(request, "if-none-match")).collect();
    let [of_a, of_b] = ["\"of a\"", "\"of b\""].map(|etag| Some(etag.to_owned()));
    assert_eq!(sent, [of_a.clone(), of_b, of_a, None]);
}

#[tokio::test]
async fn a_connection_serves_more_than_one_feed() {
    const FETCHES: usize = 20;
    let publisher = Publisher::start(|_, _| keep(answer("200 OK", &[], FEED.as_bytes())));
    let fetcher = fetcher(&settings());
    for i in 0..FETCHES {
        body(fetcher.fetch_plainly(&publisher.url(&format!("/{i}")), None, &BTreeMap::new()).await);
    }
    let connections = publisher.connections();
    assert!(connections < FETCHES, "{connections} connections");
}

#[tokio::test]
async fn every_status_reaches_its_class() {
    for (status, class) in [
        ("204 No Content", FailureClass::Empty),
        ("206 Partial Content", FailureClass::Status),
        ("304 Not Modified", FailureClass::Status),
        ("401 Unauthorized", FailureClass::Forbidden),
        ("403 Forbidden", FailureClass::Forbidden),
        ("404 Not Found", FailureClass::NotFound),
        ("410 Gone", FailureClass::Gone),
        ("418 Teapot", FailureClass::Status),
        ("429 Too Many Requests", FailureClass::Busy),
        ("451 Unavailable", FailureClass::Forbidden),
        ("500 Oops", FailureClass::Server),
        ("503 Busy", FailureClass::Busy),
        ("403 Forbidden\r\ncf-mitigated: challenge", FailureClass::BotChallenge),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\n\r\n");
        check_failure(&settings(), answer.into_bytes(), class).await;
    }
}

#[tokio::test]
async fn retry_after_is_told_in_both_forms() {
    for (headers, seconds) in [
        (&["Retry-After: 120"][..], 120),
        (&["Retry-After: Tue, 04 Mar 2025 12:00:30 GMT"], 30),
        (&["Date: Tue, 04 Mar 2025 15:00:00 GMT", "Retry-After: Tue, 04 Mar 2025 15:00:07 GMT"], 7),
    ] {
        let publisher = Publisher::saying(answer("503 Busy", headers, b"later"));
        let failure = failure(fetch(&publisher.url("/feed")).await);
        assert_eq!(failure.retry_after, Some(Duration::from_secs(seconds)), "{headers:?}");
    }
}

// --- redirects and addresses

#[tokio::test]
async fn a_chain_is_followed_and_only_its_permanent_beginning_remembered() {
    let publisher = Publisher::start(|path, _| {
        send(match path {
            "/a" => redirect("301 Moved Permanently", "/b"),
            "/b" => redirect("308 Permanent Redirect", "/c"),
            "/c" => redirect("307 Temporary Redirect", "/d"),
            "/d" => redirect("301 Moved Permanently", "/e"),
            "/e" => redirect("303 See Other", "/f"),
            _ => answer("200 OK", &[], FEED.as_bytes()),
        })
    });
    let body = body(fetch(&publisher.url("/a")).await);
    assert_eq!(body.final_url, publisher.url("/f"));
    assert_eq!(body.moved_to, Some(publisher.url("/c")));
    assert!(publisher.requests().iter().all(|request| header(request, "referer").is_none()));
}

#[tokio::test]
async fn ten_redirects_are_followed_and_an_eleventh_is_not() {
    let publisher = Publisher::start(|path, number| {
        send(match (path, number) {
            ("/short", 10) => answer("200 OK", &[], FEED.as_bytes()),
            _ => redirect("302 Found", &format!("?{number}")),
        })
    });
    let endless = publisher.url("/endless");
    let failure = failure(fetch(&endless).await);
    assert_eq!(failure.class, FailureClass::RedirectLoop, "{}", failure.detail);
    assert_eq!(publisher.requests().len(), 11);

    let publisher = Publisher::start(|_, number| {
        send(match number {
            10 => answer("200 OK", &[], FEED.as_bytes()),
            _ => redirect("302 Found", &format!("/{number}")),
        })
    });
    body(fetch(&publisher.url("/short")).await);
}

#[tokio::test]
async fn a_loop_is_left_at_once() {
    let publisher = Publisher::start(|path, _| {
        send(redirect("302 Found", if path == "/a" { "/b" } else { "/a" }))
    });
    let failure = failure(fetch(&publisher.url("/a")).await);
    assert_eq!(failure.class, FailureClass::RedirectLoop, "{}", failure.detail);
    assert_eq!(publisher.requests().len(), 2);
}

#[tokio::test]
async fn a_cookie_wall_lets_us_through_and_is_forgotten() {
    let publisher = Publisher::start(|path, number| {
        send(match (path, number) {
            (_, 0) => answer(
                "302 Found",
                &["Location: /feed", "Set-Cookie: wall=passed; Path=/; Secure"],
                b"",
            ),
            _ => answer("200 OK", &[], FEED.as_bytes()),
        })
    });
    let fetcher = fetcher(&settings());
    let url = publisher.url("/feed");
    body(fetcher.fetch_plainly(&url, None, &BTreeMap::new()).await);
    body(fetcher.fetch_plainly(&url, None, &BTreeMap::new()).await);
    let cookies: Vec<_> =
        publisher.requests().iter().map(|request| header(request, "cookie")).collect();
    assert_eq!(cookies, [None, Some("wall=passed".to_owned()), None]);
}

#[tokio::test]
async fn other_schemes_are_refused() {
    for location in ["file:///etc/passwd", "ftp://127.0.0.1/feed", "gopher://127.0.0.1/", ""] {
        let answer = redirect("302 Found", location);
        check_failure(&settings(), answer, FailureClass::RedirectRefused).await;
    }
    let answer = b"HTTP/1.1 301 Moved\r\n\r\n".to_vec();
    check_failure(&settings(), answer, FailureClass::RedirectRefused).await;
}

#[tokio::test]
async fn no_detail_tells_a_secret() {
    let secret = |publisher: &Publisher| {
        let text = format!("http://user:secret@127.0.0.1:{}/feed?key=secret", publisher.port);
        Url::parse(&text).unwrap()
    };
    for answer in [
        "HTTP/1.1 404 Not Found\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_owned(),
        "not http at all\r\n\r\n".to_owned(),
        String::new(),
        "HTTP/1.1 302 Found\r\nLocation: ftp://user:secret@a.org/?secret\r\n\r\n".to_owned(),
        "HTTP/1.1 302 Found\r\nLocation: http://user:secret@10.0.0.1/?secret\r\n\r\n".to_owned(),
        "HTTP/1.1 302 Found\r\nLocation: ?key=secret\r\n\r\n".to_owned(),
    ] {
        let publisher = Publisher::saying(answer.clone());
        let failure = failure(fetch(&secret(&publisher)).await);
        assert!(!failure.detail.contains("secret"), "{answer:?}: {}", failure.detail);
        assert!(!failure.detail.ends_with('.'), "{}", failure.detail);
    }
    let publisher = Publisher::start(|_, _| Reply::never());
    let failure = failure(fetch_with(&hasty(), &secret(&publisher)).await);
    assert!(!failure.detail.contains("secret"), "{}", failure.detail);
}
