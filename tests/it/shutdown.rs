//! Signals to the real binary, and what it tells systemd.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};

use crate::support::daemon::{BINARY, Daemon, Setup};
use crate::support::ledger::Ledger;
use crate::support::publisher::{Delivery, Gate, Publisher, Reply};
use crate::support::run::{FEED, PATH, Run, headlines, item, rss};
use crate::support::{eventually, ring, wait_until};

/// A daemon with one poll under way that does not end.
fn with_a_poll_in_flight() -> Run {
    let run = Run::configured([Reply::never()], |setup, _| {
        setup.set("fetch.timeout", "10m");
    });
    run.requests(1);
    run
}

/// 92
#[test]
fn a_signal_drains_and_exits_with_0_though_a_poll_is_under_way() {
    for signal in ["TERM", "INT"] {
        let mut run = with_a_poll_in_flight();
        run.daemon.signal(signal);
        let status = run.daemon.wait_for_end();
        assert_eq!(status.code(), Some(0), "{}", run.daemon.text());
        assert!(run.daemon.line("drained").is_some(), "{}", run.daemon.text());
        // The poll came to nothing that anybody need know.
        assert_eq!(run.ledger.state(FEED), None);
    }
}

/// A second signal does not wait for anything. The drain is held up by a ledger that somebody else
/// has locked.
#[test]
fn a_second_signal_ends_at_once() {
    let gate = Gate::closed();
    let held = Reply::feed(headlines(&["A"])).delivered(Delivery::Held(gate.clone()));
    let mut run = Run::configured([held], |setup, _| {
        setup.set("run.drain_timeout", "10m");
    });
    run.requests(1);
    let lock = run.ledger.lock();
    gate.open();
    wait_until("the commit to wait for the lock", || {
        run.daemon.metric("conflictwire_fetch_duration_seconds_count", "") >= 1.0
    });
    run.daemon.signal("TERM");
    run.daemon.wait_for_line("stopping");
    run.daemon.signal("TERM");
    let status = run.daemon.wait_for_end();
    assert_eq!(status.code(), Some(128 + 15), "{}", run.daemon.text());
    drop(lock);
    assert!(run.ledger.rows().is_empty());
}

/// A client of the admin server that never ends its question uses up no drain.
#[test]
fn a_question_half_asked_does_not_hold_up_the_end() {
    use std::io::Write;
    let run = Run::serving([Reply::feed(headlines(&["A"]))]);
    let mut client = std::net::TcpStream::connect(run.daemon.admin()).unwrap();
    client.write_all(b"GET /met").unwrap();
    // Answered after the other was accepted.
    assert_eq!(run.daemon.ask("/livez").unwrap().0, 200);
    run.daemon.stop();
}

/// A ledger that hangs: whoever reads standard output has stopped reading, and the pipe is full.
#[test]
fn a_write_that_hangs_is_given_up_at_the_deadline() {
    let items: Vec<String> = (0..1000).map(|number| format!("Headline {number}")).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let publisher = Publisher::start();
    publisher.serve(PATH, [Reply::feed(headlines(&items))]);
    let mut setup = Setup::new();
    setup.set("ledger.kind", "json_lines").set("run.drain_timeout", "1s");
    setup.feed(FEED, &publisher.url(PATH));
    let mut command = setup.command("sh");
    let script = "mkfifo out; exec \"$@\" 1<>out";
    command.args(["-c", script, "sh", BINARY, "run", "--config"]).arg(setup.config());
    let mut daemon = Daemon::watch(command);
    daemon.wait_until_listening();
    // A first byte is there once it is being written: the pipe then fills up.
    File::open(setup.path("out")).unwrap().read_exact(&mut [0]).unwrap();
    assert_eq!(daemon.ask("/livez").unwrap().0, 200);
    daemon.signal("TERM");
    let status = daemon.wait_for_end();
    assert_eq!(status.code(), Some(1), "{}", daemon.text());
}

/// 92: what a poll in flight at the end did not commit is polled again, and told once.
#[test]
fn what_a_drain_gives_up_is_polled_again() {
    let gate = Gate::closed();
    let held = Reply::feed(headlines(&["A"])).delivered(Delivery::Held(gate.clone()));
    let mut run = Run::serving([held]);
    run.requests(1);
    run.daemon.signal("TERM");
    assert!(run.daemon.wait_for_end().success());
    gate.open();
    let daemon = run.setup.start();
    assert_eq!(run.ledger.wait_for_rows(FEED, 1).len(), 1);
    daemon.stop();
    assert_eq!(run.ledger.rows().len(), 1);
}

/// Documents that take for ever to be read, and others that wait for their turn, hold up no drain: nobody
/// waits for what was not committed, and it is read by the next run.
#[test]
fn documents_that_are_read_or_wait_for_it_hold_up_no_drain() {
    const FEEDS: u8 = 32;
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.set("fetch.concurrency", i64::from(FEEDS)).set("run.drain_timeout", "10m");
    let gate = setup.path("gate");
    let document = rss(&[&item("a", &format!("conflictwire-fault:held:{}", gate.display()))]);
    for number in 0..FEEDS {
        let (id, host, path) =
            (format!("feed-{number}"), format!("{number}.test"), format!("/{number}.xml"));
        setup.resolve(&host);
        setup.feed(&id, &publisher.url_at(&host, &path));
        publisher.serve(&path, [Reply::feed(document.clone())]);
    }
    let ledger = Ledger::at(&setup.database());
    let mut daemon = setup.start();
    daemon.wait_for_metric("conflictwire_fetch_duration_seconds_count", "", FEEDS.into());
    daemon.signal("TERM");
    let status = daemon.wait_for_end();
    assert_eq!(status.code(), Some(0), "{}", daemon.text());
    assert!(daemon.line("drained").is_some(), "{}", daemon.text());
    assert!(ledger.states().is_empty());

    std::fs::write(gate, "").unwrap();
    let daemon = setup.start();
    ledger.wait_for_rows("feed-0", 1);
    daemon.stop();
}

/// 93
#[test]
fn restarts_ask_nothing_before_its_time() {
    let publisher = Publisher::start();
    publisher.serve(PATH, [Reply::feed(headlines(&["A"]))]);
    let mut setup = Setup::new();
    setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
    setup.feed(FEED, &publisher.url(PATH));
    let daemon = setup.start();
    publisher.wait_for_requests(PATH, 1);
    wait_until("the first commit", || {
        daemon.metric("conflictwire_polls_total", "outcome=\"modified\"") >= 1.0
    });
    daemon.stop();
    for _ in 0..5 {
        let daemon = setup.start();
        daemon.wait_for_line("polling");
        daemon.stop();
    }
    assert_eq!(publisher.requests(PATH).len(), 1);
}

/// A clock that was wrong for one poll must not keep a feed waiting until its time has come.
#[test]
fn a_plan_for_a_far_future_is_not_waited_for() {
    let run = Run::serving([Reply::feed(headlines(&["A"]))]);
    run.state_after(1);
    let Run { publisher, setup, ledger, daemon } = run;
    daemon.stop();
    let moved = ledger.change(
        "UPDATE feed_state SET state = json_set(state, '$.plan.due_at', '2140-01-01T00:00:01Z',
             '$.polled_at', '2140-01-01T00:00:00Z')",
    );
    assert_eq!(moved, 1);
    let asked = publisher.requests(PATH).len();
    let daemon = setup.start();
    publisher.wait_for_requests(PATH, asked + 2);
    daemon.stop();
}

/// What systemd would hear.
struct Manager {
    path: std::path::PathBuf,
    heard: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Manager {
    fn listen() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&heard);
        // Ends with the test process: it holds nothing but its socket.
        std::thread::spawn(move || {
            let mut datagram = [0; 4096];
            while let Ok(length) = socket.recv(&mut datagram) {
                let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
                hearing.lock().unwrap().push(text);
                ring();
            }
        });
        Self { path, heard, _folder: folder }
    }

    /// Waits for a datagram with a line that begins so, at `from` or later, and returns its place
    /// and text.
    #[track_caller]
    fn wait_for(&self, line: &str, from: usize) -> (usize, String) {
        eventually(line, || {
            let heard = self.heard.lock().unwrap();
            let mut datagrams = heard.iter().enumerate().skip(from);
            let found = datagrams.find(|(_, text)| text.lines().any(|it| it.starts_with(line)));
            found.map(|(at, text)| (at, text.clone()))
        })
    }
}

#[test]
fn systemd_hears_of_every_step() {
    let manager = Manager::listen();
    let run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, _| {
        setup.environment("NOTIFY_SOCKET", manager.path.to_str().unwrap());
        setup.environment("WATCHDOG_USEC", "2000000");
    });
    let (ready, _) = manager.wait_for("READY=1", 0);
    // Not polled yet, and then polled: of neither is more said than was seen.
    manager.wait_for("STATUS=1 feed: 1 fine", 0);
    let (_, _) = manager.wait_for("WATCHDOG=1", 0);

    run.daemon.signal("HUP");
    let (reloading, text) = manager.wait_for("RELOADING=1", ready);
    // systemd wants both in one datagram.
    assert!(text.lines().any(|line| line.starts_with("MONOTONIC_USEC=")), "{text}");
    let (ready_again, _) = manager.wait_for("READY=1", reloading);
    run.daemon.stop();
    let (stopping, _) = manager.wait_for("STOPPING=1", ready_again);
    manager.wait_for("STATUS=stopping; nothing is polled", stopping);
}

#[test]
fn readiness_and_liveness_are_asked_for_by_http() {
    let run = Run::serving([Reply::status(500)]);
    run.state_after(1);
    // A publisher's trouble is not ours.
    assert_eq!(run.daemon.ask("/readyz"), Some((200, "ready\n".to_owned())));
    assert_eq!(run.daemon.ask("/livez"), Some((200, "alive\n".to_owned())));
    assert_eq!(run.daemon.ask("/nothing").unwrap().0, 404);
}
