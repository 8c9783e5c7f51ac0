//! A WebSub hub that others wrote: `make test-websub` installs one and runs these.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use cw_model::state::Reason;
use url::form_urlencoded::Serializer;
use url::{Position, Url};

use crate::support::publisher::Reply;
use crate::support::run::{FEED, PATH, Run, headlines};

/// The hub of `tests/websub/hub.py`, until it is dropped.
struct ForeignHub {
    process: Child,
    url: String,
}

impl ForeignHub {
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "says where the hub was installed")]
    fn start(folder: &std::path::Path) -> Self {
        let python = std::env::var("CONFLICTWIRE_TEST_HUB").expect("run `make test-websub`");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/websub/hub.py");
        let mut process = Command::new(python)
            .arg(script)
            .arg(folder.join("hub.sqlite"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "the hub says {url:?}");
        Self { process, url: url.trim().to_owned() }
    }

    /// Tells it that a topic has news; it fetches the topic and pushes that.
    #[track_caller]
    fn publish(&self, topic: &str) {
        let form = [("hub.mode", "publish"), ("hub.topic", topic)];
        let form = Serializer::new(String::new()).extend_pairs(form).finish();
        let url = Url::parse(&self.url).unwrap();
        let (host, path) = (&url[Position::BeforeHost..Position::AfterPort], url.path());
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len(),
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.split(' ').nth(1), Some("202"), "{answer}");
    }
}

impl Drop for ForeignHub {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _waited = self.process.wait();
    }
}

/// 99
#[test]
#[ignore = "needs a hub that others wrote: `make test-websub`"]
fn a_hub_that_others_wrote_subscribes_pushes_and_ends() {
    let folder = tempfile::TempDir::new().unwrap();
    let hub = ForeignHub::start(folder.path());
    // Free a moment ago; the hub must be told of it before the daemon listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let links = |topic: &str| format!("<{}>; rel=\"hub\", <{topic}>; rel=\"self\"", hub.url);
    let mut run = Run::configured([], |setup, publisher| {
        std::fs::write(setup.path("websub.key"), "0123456789abcdef0123456789abcdef\n").unwrap();
        setup
            .set("schedule.interval_max", "1h")
            .set("websub.listen", format!("127.0.0.1:{port}"))
            .set("websub.callback", format!("http://127.0.0.1:{port}/hubs/"))
            .set("websub.key_file", "websub.key");
        let reply = Reply::feed(headlines(&["A"])).header("Link", &links(&publisher.url(PATH)));
        publisher.serve(PATH, [reply.header("Cache-Control", "max-age=3000")]);
    });
    let topic = run.publisher.url(PATH);
    let verified = "conflictwire_websub_subscriptions";
    run.daemon.wait_for_metric(verified, "state=\"verified\"", 1.0);
    assert_eq!(run.publisher.requests(PATH).len(), 1);

    let reply = Reply::feed(headlines(&["A", "B"])).header("Link", &links(&topic));
    run.publisher.serve(PATH, [reply.header("Cache-Control", "max-age=3000")]);
    hub.publish(&topic);
    assert_eq!(run.ledger.wait_for_rows(FEED, 2).len(), 2);
    let state = run.state_after(2);
    assert_eq!(state.plan.requests.newest().unwrap().won.of, Reason::Push);
    run.daemon.wait_for_metric("conflictwire_websub_calls_total", "outcome=\"pushed\"", 1.0);

    // It asks whether the end is meant, and is told so.
    run.setup.feed("other", &run.publisher.url("/other"));
    run.setup.remove_feed(FEED).write();
    run.daemon.signal("HUP");
    run.daemon.wait_for_metric("conflictwire_websub_calls_total", "outcome=\"verified\"", 2.0);
}
