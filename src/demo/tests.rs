//! The documents are what their README says, and the server does what the script says.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::script::{DemoPage, FEEDS, PAGES, Serving};
use super::server;
use crate::publisher::Exchange;

/// Enough of the names of real outlets and agencies that copied prose would show one.
const REAL_OUTLETS: &[&str] = &[
    "reuters",
    "associated press",
    "agence france",
    "bbc",
    "cnn",
    "guardian",
    "new york times",
    "washington post",
    "al jazeera",
    "al arabiya",
    "deutsche welle",
    "interfax",
    "tass",
    "ria novosti",
    "sputnik",
    "russia today",
    "ukrinform",
    "unian",
    "le monde",
    "figaro",
    "el pais",
    "el país",
    "efe",
    "ansa",
    "dpa",
    "xinhua",
    "kyodo",
    "anadolu",
    "haaretz",
    "der spiegel",
    "bloomberg",
    "sky news",
    "euronews",
    "france 24",
    "voice of america",
    "ap news",
    "yahoo news",
    "abc news",
];

/// The document as text, in the encoding it declares.
fn text(page: &DemoPage) -> String {
    let start = String::from_utf8_lossy(page.document.get(..60).unwrap_or(page.document));
    let encoding = if start.contains("windows-1251") {
        encoding_rs::WINDOWS_1251
    } else if start.contains("ISO-8859-1") {
        encoding_rs::WINDOWS_1252
    } else {
        encoding_rs::UTF_8
    };
    let (text, _, had_errors) = encoding.decode(page.document);
    assert!(!had_errors, "{}{} is not in its own encoding", page.host, page.path);
    text.into_owned()
}

#[test]
fn every_document_is_well_formed() {
    for page in PAGES.iter().filter(|page| !page.content_type.starts_with("text/html")) {
        let text = text(page);
        if page.content_type.ends_with("json") {
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
            continue;
        }
        let mut reader = quick_xml::Reader::from_str(&text);
        reader.config_mut().check_end_names = true;
        let mut elements = 0;
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(quick_xml::events::Event::Start(_)) => elements += 1,
                Ok(_) => {}
                Err(err) => panic!("{}{}: {err}", page.host, page.path),
            }
        }
        assert!(elements > 3, "{}{} has {elements} elements", page.host, page.path);
    }
}

#[test]
fn no_document_names_a_real_outlet() {
    for page in PAGES {
        let text = text(page).to_lowercase();
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let text = format!(" {} ", words.join(" "));
        for outlet in REAL_OUTLETS {
            assert!(!text.contains(&format!(" {outlet} ")), "{} names {outlet}", page.host);
        }
    }
}

#[test]
fn every_host_is_invented() {
    for page in PAGES {
        assert!(page.host.ends_with(".example"), "{}", page.host);
    }
}

#[test]
fn every_feed_has_a_page_unless_it_is_there_to_be_missing() {
    let addresses: BTreeSet<_> = PAGES.iter().map(|page| (page.host, page.path)).collect();
    assert_eq!(addresses.len(), PAGES.len());
    let ids: BTreeSet<_> = FEEDS.iter().map(|feed| feed.id).collect();
    assert_eq!(ids.len(), FEEDS.len());
    for feed in FEEDS.iter().filter(|feed| feed.id != "harbourpost-archive") {
        assert!(addresses.contains(&(feed.host, feed.path)), "{}", feed.id);
    }
}

#[test]
fn every_feed_can_be_configured() {
    let config = super::settings::config(std::path::Path::new("/tmp"), 8080);
    assert_eq!(config.feeds.len(), FEEDS.len());
    for feed in &config.feeds {
        assert!(config.fetch.resolve.contains_key(feed.url.host_str().unwrap()), "{}", feed.id);
    }
}

#[test]
fn an_edit_changes_one_place() {
    for page in PAGES {
        if let Serving::Edited { from, .. } = page.serving {
            assert_eq!(text(page).matches(from).count(), 1);
        }
    }
}

const fn page(path: &'static str, serving: Serving) -> DemoPage {
    DemoPage { host: "h.example", path, content_type: "text/plain", document: b"one two", serving }
}

const PLAYGROUND: &[DemoPage] = &[
    page("/plain", Serving::Plain),
    page("/conditional", Serving::Conditional),
    page("/edited", Serving::Edited { from: "two", to: "three" }),
    page("/cut", Serving::CutOnce),
    page("/slow", Serving::Slow { pieces: 3, pause: Duration::ZERO }),
    page("/gzip", Serving::Gzip),
    page("/moved", Serving::Moved { host: "h.example", path: "/plain" }),
];

/// Sends each request on its own connection and gives back the whole answers.
async fn ask(requests: &[(&str, &str)]) -> (Vec<Vec<u8>>, Vec<Exchange>) {
    let server = server::bind(PLAYGROUND).unwrap();
    let (port, log, stop) = (server.address().port(), server.log(), CancellationToken::new());
    let client = async {
        let mut answers = Vec::new();
        for (path, headers) in requests {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: h.example:{port}\r\n{headers}\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            answers.push(answer);
        }
        stop.cancel();
        answers
    };
    let (served, answers) = tokio::join!(server.serve(stop.clone()), client);
    served.unwrap();
    (answers, log.exchanges())
}

async fn ask_for_text(requests: &[(&str, &str)]) -> Vec<String> {
    let (answers, _log) = ask(requests).await;
    answers.into_iter().map(|answer| String::from_utf8(answer).unwrap()).collect()
}

/// The value of a header of an answer.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn a_plain_page_is_sent_whole() {
    let answers = ask_for_text(&[("/plain", "")]).await;
    assert!(answers[0].starts_with("HTTP/1.1 200 OK\r\n"), "{answers:?}");
    assert!(answers[0].ends_with("Content-Length: 7\r\n\r\none two"), "{answers:?}");
}

#[tokio::test]
async fn a_validator_brought_back_is_answered_304() {
    let etag = ask_for_text(&[("/conditional", "")]).await;
    let etag = header(&etag[0], "ETag").unwrap();
    let same = format!("If-None-Match: {etag}\r\n");
    let cases = [
        (same.as_str(), "304"),
        ("If-None-Match: \"other\"\r\n", "200"),
        ("If-Modified-Since: Thu, 11 Feb 2016 22:10:00 GMT\r\n", "304"),
        ("If-Modified-Since: Thu, 11 Feb 2016 22:09:59 GMT\r\n", "200"),
        // The date does not count beside an entity tag.
        ("If-None-Match: \"other\"\r\nIf-Modified-Since: Thu, 11 Feb 2016 22:10:00 GMT\r\n", "200"),
    ];
    for (headers, status) in cases {
        let answers = ask_for_text(&[("/conditional", headers)]).await;
        assert!(answers[0].starts_with(&format!("HTTP/1.1 {status} ")), "{headers}{answers:?}");
    }
}

#[tokio::test]
async fn an_edited_page_changes_once_and_its_validator_with_it() {
    let answers = ask_for_text(&[("/edited", ""), ("/edited", "")]).await;
    assert!(answers[0].ends_with("\r\n\r\none two"), "{answers:?}");
    assert!(answers[1].ends_with("\r\n\r\none three"), "{answers:?}");
    assert_ne!(header(&answers[0], "ETag"), header(&answers[1], "ETag"));
}

#[tokio::test]
async fn a_cut_answer_promises_more_than_it_sends_and_is_whole_the_next_time() {
    let answers = ask_for_text(&[("/cut", ""), ("/cut", "")]).await;
    assert!(answers[0].ends_with("Content-Length: 7\r\n\r\none"), "{answers:?}");
    assert!(answers[1].ends_with("Content-Length: 7\r\n\r\none two"), "{answers:?}");
}

#[tokio::test]
async fn a_slow_page_comes_in_pieces() {
    let answers = ask_for_text(&[("/slow", "")]).await;
    assert!(
        answers[0].ends_with("\r\n\r\n3\r\none\r\n3\r\n tw\r\n1\r\no\r\n0\r\n\r\n"),
        "{answers:?}"
    );
}

#[tokio::test]
async fn gzip_is_sent_to_whoever_accepts_it() {
    let (answers, _log) = ask(&[("/gzip", ""), ("/gzip", "Accept-Encoding: br, gzip\r\n")]).await;
    assert!(answers[0].ends_with(b"\r\n\r\none two"));
    let at = answers[1].windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let mut body = String::new();
    flate2::read::GzDecoder::new(&answers[1][at + 4..]).read_to_string(&mut body).unwrap();
    assert_eq!(body, "one two");
}

#[tokio::test]
async fn a_moved_page_names_its_new_address_with_the_port() {
    let (answers, log) = ask(&[("/moved", "")]).await;
    let answer = String::from_utf8(answers[0].clone()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 301 "), "{answer}");
    let location = header(&answer, "Location").unwrap();
    assert!(
        location.starts_with("http://h.example:") && location.ends_with("/plain"),
        "{location}"
    );
    assert_eq!(log.len(), 1);
}

#[tokio::test]
async fn the_log_tells_what_was_asked_and_answered() {
    let (_answers, log) = ask(&[("/plain", ""), ("/nothing", "If-None-Match: \"x\"\r\n")]).await;
    let seen: Vec<_> = log
        .iter()
        .map(|Exchange { request, status, .. }| {
            (request.host(), request.path.as_str(), request.is_conditional(), *status)
        })
        .collect();
    let host = "h.example";
    assert_eq!(seen, [(host, "/plain", false, 200), (host, "/nothing", true, 404)]);
}

#[tokio::test]
async fn one_connection_serves_several_requests() {
    let server = server::bind(PLAYGROUND).unwrap();
    let (port, stop) = (server.address().port(), CancellationToken::new());
    let client = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = "GET /plain HTTP/1.1\r\nHost: h.example\r\n\r\n".repeat(2);
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        stop.cancel();
        answers
    };
    let (served, answers) = tokio::join!(server.serve(stop.clone()), client);
    served.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
}
