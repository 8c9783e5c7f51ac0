//! What the running program says of itself to programs and people: `/api` and the page, as the real
//! binary serves them.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::daemon::Daemon;
use crate::support::publisher::Reply;
use crate::support::run::{Run, headlines};

/// What the admin server answered.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// A header of it.
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Asks with these header lines besides `Host`.
#[track_caller]
fn ask_with(daemon: &Daemon, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(daemon.admin()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
    let question = format!("GET {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

#[track_caller]
fn ask(daemon: &Daemon, path: &str) -> Answer {
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
fn what_is_asked_wrongly_is_answered_in_json() {
    let run = Run::serving([Reply::feed(headlines(&["A"]))]);
    let answer = ask(&run.daemon, "/api/nowhere");
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &"not_found".into()));
    // A page of another site that lets its name be 127.0.0.1.
    let rebound = ask_with(&run.daemon, "/api/status", "Host: rebound.example\r\n");
    assert_eq!((rebound.status, &rebound.json()["error"]["code"]), (421, &"foreign_host".into()));
    run.daemon.stop();
}
