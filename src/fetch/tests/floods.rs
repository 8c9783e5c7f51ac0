//! Servers that send without end what is no body: over HTTP/1 and HTTP/2, by real sockets.
//!
//! The listeners are raw: a flood is bytes that no server's answer is made of, and they are counted.
//! Each fetch must end by itself, long before its deadline, and what the server got rid of is
//! bounded. The deadline is far away, so that a busy machine is not taken for a flood that passed.

use std::net::TcpStream;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::fetch::client::HttpClient;
use crate::fetch::meter::{OVERHEAD_BYTES_MAX, WINDOW_BYTES};

/// What the sockets of both sides may hold beside what was read.
const BUFFERED_MAX: usize = 16 * 1024 * 1024;

const CA: &[u8] = include_bytes!("../../../tests/fixtures/tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../../tests/fixtures/tls/server.pem");
const KEY: &[u8] = include_bytes!("../../../tests/fixtures/tls/server.key");

fn patient() -> FetchSettings {
    FetchSettings { timeout: Duration::from_secs(600), ..settings() }
}

/// A server that, once asked, sends `before` and then `again` until nobody listens. Says how many
/// bytes it got rid of.
fn flood(before: &str, again: &str) -> (Url, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (before, again) = (before.as_bytes().to_vec(), again.as_bytes().repeat(100));
    let sending = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        let mut sent = 0;
        let mut next = before;
        // Ends when the client hangs up; if it never does, so much later that the test fails.
        while sent < 1 << 30 && stream.write_all(&next).is_ok() {
            sent += next.len();
            next.clone_from(&again);
        }
        sent
    });
    (Url::parse(&format!("http://127.0.0.1:{port}/feed")).unwrap(), sending)
}

/// Reads the head of a request.
fn read_request(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
}

/// Expects a fetch of such a server to fail, and soon.
async fn check_flood(before: &str, again: &str, class: FailureClass) {
    let (url, sending) = flood(before, again);
    let failure = failure(fetch_with(&patient(), &url).await);
    assert_eq!(failure.class, class, "{again:?}: {}", failure.detail);
    let sent = tokio::task::spawn_blocking(|| sending.join().unwrap()).await.unwrap();
    let most = usize::try_from(OVERHEAD_BYTES_MAX).unwrap() + BUFFERED_MAX;
    assert!(sent < most, "{again:?}: {sent} bytes sent");
}

#[tokio::test]
async fn informational_answers_without_end_are_too_much() {
    let link = format!("HTTP/1.1 103 Early Hints\r\nLink: <{}>\r\n\r\n", "x".repeat(2000));
    for again in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100\r\n\r\n",
        "HTTP/1.1 102 Processing\r\nX: y\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
        "HTTP/1.1 199 Whatever\r\n\r\n",
        &link,
    ] {
        check_flood("", again, FailureClass::TooLarge).await;
    }
}

#[tokio::test]
async fn headers_without_end_are_too_much() {
    let begun = "HTTP/1.1 200 OK\r\n";
    check_flood(begun, "X-Header: value\r\n", FailureClass::TooLarge).await;
    check_flood(&format!("{begun}X-Long: "), "xxxxxxxxxx", FailureClass::TooLarge).await;
    check_flood(&format!("{begun}X-Folded: x\r\n"), " folded\r\n", FailureClass::TooLarge).await;
}

#[tokio::test]
async fn framing_without_end_is_cut_off() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (before, again) in [
        (format!("{chunked}5;"), "extension"),
        (format!("{chunked}5\r\n<rss>\r\n0\r\n"), "X-Trailer: value\r\n"),
        (format!("{chunked}5\r\n<rss>\r\n"), "000000000000"),
    ] {
        let (url, sending) = flood(&before, again);
        let failure = failure(fetch_with(&patient(), &url).await);
        let class = failure.class;
        let known = [FailureClass::TooLarge, FailureClass::Protocol, FailureClass::Cut];
        assert!(known.contains(&class), "{again:?}: {class:?} {}", failure.detail);
        let sent = tokio::task::spawn_blocking(|| sending.join().unwrap()).await.unwrap();
        assert!(sent < BUFFERED_MAX, "{again:?}: {sent} bytes sent");
    }
}

#[tokio::test]
async fn the_headers_of_all_redirects_together_have_a_limit() {
    let padding = format!("X-Padding: {}", "x".repeat(200 * 1024));
    let publisher = Publisher::start(move |path, _| {
        let next: usize = path.trim_start_matches('/').parse().unwrap_or_default();
        let location = format!("Location: /{}", next + 1);
        send(answer("302 Found", &[&location, &padding], b""))
    });
    let failure = failure(fetch_with(&patient(), &publisher.url("/0")).await);
    assert_eq!(failure.class, FailureClass::TooLarge, "{}", failure.detail);
    // Five of them are 1 MiB; the library's own limit on redirects is ten.
    assert!(publisher.requests().len() <= 6, "{}", publisher.requests().len());
}

#[tokio::test]
async fn many_informational_answers_before_a_feed_are_skipped() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1000);
    let answer = [hints.into_bytes(), answer("200 OK", &[], FEED.as_bytes())].concat();
    check_body(answer, FEED.as_bytes()).await;
}

#[tokio::test]
async fn a_large_body_in_small_chunks_is_read() {
    let chunks = "10\r\n0123456789abcdef\r\n".repeat(40_000);
    let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    check_body(answer.into_bytes(), "0123456789abcdef".repeat(40_000).as_bytes()).await;
}

// --- HTTP/2

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `:status`, as a literal without index (RFC 7541, 6.2.2).
fn status(status: &str) -> Vec<u8> {
    [&[0x08, 3], status.as_bytes()].concat()
}

/// A header, as a literal without index; both are shorter than 127 bytes.
fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

fn tls_client() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CA).unwrap()).unwrap();
    rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn tls_server(protocol: &[u8]) -> TlsAcceptor {
    tls_server_of(&[protocol])
}

fn tls_server_of(protocols: &[&[u8]]) -> TlsAcceptor {
    let mut config = rustls::ServerConfig::builder_with_provider(
        rustls::crypto::ring::default_provider().into(),
    )
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(
        vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
        PrivateKeyDer::from_pem_slice(KEY).unwrap(),
    )
    .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

fn tls_fetcher(settings: &FetchSettings) -> Fetcher {
    let connections = Connections::at_most(10);
    let client = HttpClient::build_with(settings, connections, Some(&tls_client())).unwrap();
    Fetcher::with_client(client, settings, clock())
}

/// A server that speaks HTTP/2 over TLS, and counts what it got rid of.
struct H2Server {
    url: Url,
    sent: Arc<AtomicUsize>,
    /// Ends with it.
    _serving: tokio::task::JoinSet<()>,
}

impl H2Server {
    /// Once asked, it sends `before` and then `again` until nobody listens, on each connection.
    async fn start(before: Vec<u8>, again: Vec<u8>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&sent);
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stream = tls_server(b"h2").accept(stream).await.unwrap();
                h2_serve(stream, &before, &again, &counter).await;
            }
        });
        let url = Url::parse(&format!("https://127.0.0.1:{port}/feed")).unwrap();
        Self { url, sent, _serving: serving }
    }
}

/// Reads all the while, so that answers to what is sent do not stop it.
async fn h2_serve(
    stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    before: &[u8],
    again: &[u8],
    sent: &AtomicUsize,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    // The preface, and the client's settings: then it has asked, or is about to.
    let mut asked = [0; 24];
    reader.read_exact(&mut asked).await.unwrap();
    writer.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    wait_for_headers(&mut reader).await;
    let reading = async {
        let mut sink = [0; 4096];
        while reader.read(&mut sink).await.is_ok_and(|count| count > 0) {}
    };
    let writing = async {
        let mut next = before;
        while writer.write_all(next).await.is_ok() {
            sent.fetch_add(next.len(), Ordering::Relaxed);
            next = again;
            if again.is_empty() {
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}

/// Reads frames up to the first request.
async fn wait_for_headers(reader: &mut (impl tokio::io::AsyncRead + Unpin)) {
    loop {
        let mut head = [0; 9];
        if reader.read_exact(&mut head).await.is_err() {
            return;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        if reader.read_exact(&mut payload).await.is_err() || head[3] == HEADERS {
            return;
        }
    }
}

async fn check_h2_flood(name: &str, before: Vec<u8>, again: &[u8]) {
    let server = H2Server::start(before, again.repeat(100)).await;
    let fetcher = tls_fetcher(&patient());
    let failure = failure(fetcher.fetch_plainly(&server.url, None, &BTreeMap::new()).await);
    let known = [FailureClass::TooLarge, FailureClass::Protocol, FailureClass::Cut];
    assert!(known.contains(&failure.class), "{name}: {:?} {}", failure.class, failure.detail);
    let sent = server.sent.load(Ordering::Relaxed);
    // What was cut off is asked for once more.
    assert!(sent < 2 * BUFFERED_MAX, "{name}: {sent} bytes sent");
}

#[tokio::test]
async fn a_feed_is_read_over_http_2() {
    let hint = frame(HEADERS, END_HEADERS, 1, &status("103"));
    let head = frame(HEADERS, END_HEADERS, 1, &status("200"));
    let feed = frame(DATA, END_STREAM, 1, FEED.as_bytes());
    let server = H2Server::start([hint, head, feed].concat(), Vec::new()).await;
    let fetcher = tls_fetcher(&patient());
    let read = body(fetcher.fetch_plainly(&server.url, None, &BTreeMap::new()).await);
    assert_eq!(read.bytes, FEED.as_bytes());
}

/// Answers one request over HTTP/1.1.
async fn serve_over_http_1(mut stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>) {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(stream.read_u8().await.unwrap());
    }
    let head =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", FEED.len());
    stream.write_all(format!("{head}{FEED}").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// Some servers speak HTTP/2 and say to a request that it must come over HTTP/1.1 (RFC 9113, 7).
#[tokio::test]
async fn a_server_that_needs_http_1_is_asked_over_it_and_not_over_http_2_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}/feed", listener.local_addr().unwrap().port());
    let over_http_2 = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&over_http_2);
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move {
        let mut others = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let stream = tls_server_of(&[b"h2", b"http/1.1"]).accept(stream).await.unwrap();
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                counter.fetch_add(1, Ordering::Relaxed);
                let required = frame(RESET, 0, 1, &[0, 0, 0, 0xd]);
                others.spawn(async move {
                    h2_serve(stream, &required, &[], &AtomicUsize::new(0)).await;
                });
                continue;
            }
            serve_over_http_1(stream).await;
        }
    });
    let fetcher = tls_fetcher(&patient());
    for _ in 0..2 {
        let url = Url::parse(&url).unwrap();
        let read = body(fetcher.fetch_plainly(&url, None, &BTreeMap::new()).await);
        assert_eq!(read.bytes, FEED.as_bytes());
    }
    assert_eq!(over_http_2.load(Ordering::Relaxed), 1);
}

/// A server of TLS with both versions, that answers over HTTP/1.1 and notes what was agreed on each connection.
async fn both_versions() -> (Url, Arc<std::sync::Mutex<Vec<Vec<u8>>>>, tokio::task::JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}/feed", listener.local_addr().unwrap().port());
    let agreed = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noting = Arc::clone(&agreed);
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let accepted = tls_server_of(&[b"h2", b"http/1.1"]).accept(stream).await;
            let Ok(stream) = accepted else { continue };
            let protocol = stream.get_ref().1.alpn_protocol().unwrap_or_default().to_vec();
            noting.lock().unwrap().push(protocol);
            serve_over_http_1(stream).await;
        }
    });
    (Url::parse(&url).unwrap(), agreed, serving)
}

/// Whoever else is trusted: this fetcher trusts nobody of its own, or only others.
#[tokio::test]
async fn the_authorities_of_a_feed_and_its_http_hold_on_its_host_alone() {
    let (url, agreed, _serving) = both_versions().await;
    let client = HttpClient::build_with(&patient(), Connections::at_most(10), None).unwrap();
    let fetcher = Fetcher::with_client(client, &patient(), clock());
    let roots = Arc::new(read_roots(CA).unwrap());
    let http = cw_model::HttpChoice::Http1;
    let request = RequestSettings { roots, http, ..RequestSettings::default() };
    let feed = |home: &str| Feed {
        request: Some(Arc::new(request.clone())),
        ..cw_model::samples::feed("a", Url::parse(home).unwrap())
    };
    let read = body(fetcher.fetch(&feed(url.as_str()), &Conditions::default()).await);
    assert_eq!(read.bytes, FEED.as_bytes());
    assert_eq!(*agreed.lock().unwrap(), [b"http/1.1".to_vec()]);
    // The same, led there from elsewhere.
    let to = url.clone();
    let publisher = Publisher::start(move |_, _| send(redirect("302 Found", to.as_str())));
    let home = publisher.url("/").as_str().replace("127.0.0.1", "localhost");
    let failed = failure(fetcher.fetch(&feed(&home), &Conditions::default()).await);
    assert!(failed.detail.contains("authorities"), "{}", failed.detail);
}

#[tokio::test]
async fn an_exchange_that_is_broken_off_over_http_2_is_cut() {
    // No stream was taken, because of an internal error.
    let payload = [0, 0, 0, 0, 0, 0, 0, 2];
    let server = H2Server::start(frame(GO_AWAY, 0, 0, &payload), Vec::new()).await;
    let fetcher = tls_fetcher(&settings());
    let failure = failure(fetcher.fetch_plainly(&server.url, None, &BTreeMap::new()).await);
    assert_eq!(failure.class, FailureClass::Cut, "{}", failure.detail);
    let expected = "127.0.0.1 broke off the exchange before it answered: ";
    assert!(failure.detail.starts_with(expected), "{}", failure.detail);
}

#[tokio::test]
async fn informational_answers_over_http_2_are_too_much() {
    let hint = frame(HEADERS, END_HEADERS, 1, &status("103"));
    check_h2_flood("103", Vec::new(), &hint).await;
    let link = [status("103"), field("link", &"x".repeat(100))].concat();
    check_h2_flood("103 with a link", Vec::new(), &frame(HEADERS, END_HEADERS, 1, &link)).await;
}

#[tokio::test]
async fn headers_without_end_over_http_2_are_too_much() {
    let more = field("x-more", &"x".repeat(100)).repeat(10);
    let begun = frame(HEADERS, 0, 1, &status("200"));
    check_h2_flood("continuation", begun.clone(), &frame(CONTINUATION, 0, 1, &more)).await;
    check_h2_flood("empty continuation", begun, &frame(CONTINUATION, 0, 1, &[])).await;
}

#[tokio::test]
async fn control_frames_without_end_are_too_much() {
    let unknown = frame(0x42, 0, 0, &[0; 10]);
    for (name, again) in [
        ("ping", frame(PING, 0, 0, &[0; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[])),
        ("window update", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("priority", frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        ("reset of another stream", frame(RESET, 0, 3, &[0, 0, 0, 8])),
        ("unknown", unknown),
    ] {
        check_h2_flood(name, Vec::new(), &again).await;
    }
    let head = frame(HEADERS, END_HEADERS, 1, &status("200"));
    check_h2_flood("empty data", head.clone(), &frame(DATA, 0, 1, &[])).await;
    let trailers = frame(HEADERS, 0, 1, &field("x-trailer", "x"));
    let more = field("x-more", &"x".repeat(100)).repeat(10);
    let begun = [head, trailers].concat();
    check_h2_flood("trailers", begun, &frame(CONTINUATION, 0, 1, &more)).await;
}

#[tokio::test]
async fn handshakes_without_end_are_cut_off() {
    // A handshake message that announces 16 MB, in records of 16 kB.
    let begun = [22, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff];
    let rest = vec![0; 0x4000 - 4];
    let again = [&[22, 3, 3, 0x40, 0][..], &vec![0; 0x4000]].concat();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sending = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        let mut sent = 0;
        let mut next = [&begun[..], &rest].concat();
        while sent < 1 << 30 && stream.write_all(&next).is_ok() {
            sent += next.len();
            next.clone_from(&again);
        }
        sent
    });
    let url = Url::parse(&format!("https://127.0.0.1:{port}/feed")).unwrap();
    let fetcher = tls_fetcher(&patient());
    let failure = failure(fetcher.fetch_plainly(&url, None, &BTreeMap::new()).await);
    let known = [FailureClass::TooLarge, FailureClass::Tls];
    assert!(known.contains(&failure.class), "{:?} {}", failure.class, failure.detail);
    let sent = tokio::task::spawn_blocking(|| sending.join().unwrap()).await.unwrap();
    assert!(sent < BUFFERED_MAX, "{sent} bytes sent");
}

/// A window that is larger than what may be received beside bodies would make a bound of nothing.
#[test]
fn what_is_received_ahead_is_part_of_the_bound() {
    assert!(u64::from(WINDOW_BYTES) <= OVERHEAD_BYTES_MAX);
}
