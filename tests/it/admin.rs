//! The admin server answers whatever goes on: floods on the port, floods from publishers, no files
//! left. What is our own machine's trouble is not counted against publishers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use cw_model::state::Standing;

use crate::support::daemon::{Daemon, Setup};
use crate::support::publisher::{Delivery, Reply};
use crate::support::run::{FEED, Run, headlines};
use crate::support::wait_until;

/// Several times what the server takes at once.
const CROWD: usize = 300;

fn one_feed() -> Run {
    Run::serving([Reply::feed(headlines(&["A"]))])
}

/// Says something to the admin server, and returns all that it answers before it hangs up.
fn say(daemon: &Daemon, words: &[u8]) -> String {
    let mut stream = TcpStream::connect(daemon.admin()).unwrap();
    // Fails when the server has heard enough, and then it says so.
    drop(stream.write_all(words));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_crowd_that_never_ends_its_questions_keeps_nobody_waiting() {
    let run = one_feed();
    let crowd: Vec<TcpStream> = (0..CROWD)
        .map(|_| {
            let mut stream = TcpStream::connect(run.daemon.admin()).unwrap();
            drop(stream.write_all(b"GET /livez HTTP/1.1\r\nX-Slow: "));
            stream
        })
        .collect();
    for path in ["/livez", "/readyz", "/metrics"].iter().cycle().take(30) {
        assert_eq!(run.daemon.ask(path).unwrap().0, 200, "{path}");
    }
    drop(crowd);
    run.daemon.stop();
}

#[test]
fn a_crowd_that_only_connects_keeps_nobody_waiting() {
    let run = one_feed();
    let crowd: Vec<TcpStream> =
        (0..CROWD).map(|_| TcpStream::connect(run.daemon.admin()).unwrap()).collect();
    for _ in 0..10 {
        assert_eq!(run.daemon.ask("/livez").unwrap().0, 200);
    }
    drop(crowd);
}

#[test]
fn what_is_no_short_get_is_refused() {
    let run = one_feed();
    let long = format!("GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET /livez HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(500));
    for (words, status) in [
        ("POST /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405"),
        ("DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405"),
        ("GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"),
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n", "400"),
        (&many, "431"),
    ] {
        let answer = say(&run.daemon, words.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{words:.40}: {answer}");
    }
    // What is left unread when it hangs up may take the answer with it.
    let answer = say(&run.daemon, long.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let head = say(&run.daemon, b"HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn informational_answers_without_end_stop_nobody() {
    let run = Run::configured([Reply::feed(headlines(&["A"]))], |setup, publisher| {
        setup.set("fetch.timeout", "10m");
        for number in 0..4 {
            let path = format!("/{number}");
            publisher.script(&path, |_| Reply::status(200).delivered(Delivery::Hints));
            setup.feed(&format!("flood-{number}"), &publisher.url(&path));
        }
    });
    // Each of them is polled again and again meanwhile, and so is the one that is no flood.
    run.daemon.wait_for_metric("conflictwire_poll_failures_total", "class=\"too_large\"", 8.0);
    run.state_after(2);
    assert_eq!(run.daemon.ask("/livez").unwrap().0, 200);
    assert_eq!(run.ledger.state("flood-0").unwrap().plan.standing, Standing::Failing);
    run.daemon.stop();
}

/// What a running daemon has open, by number.
fn open_files(daemon: &Daemon) -> BTreeMap<usize, PathBuf> {
    let folder = format!("/proc/{}/fd", daemon.id());
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let number = |path: &Path| path.file_name().unwrap().to_str().unwrap().parse().unwrap();
    // One that was closed meanwhile leads nowhere.
    files.filter_map(|path| Some((number(&path), std::fs::read_link(&path).ok()?))).collect()
}

/// Lets a running daemon open nothing at `floor` or above. What a poll under way has open may be opened again, so this is
/// done until none is. The limit is a number that no file has, and not how many there are: some may have been inherited
/// with high ones.
fn close_the_door(daemon: &Daemon, floor: usize) {
    let open = open_files(daemon);
    limit_files(daemon, (floor..).find(|number| !open.contains_key(number)).unwrap());
}

fn limit_files(daemon: &Daemon, files: usize) {
    let limit = format!("--nofile={files}:");
    let process = format!("--pid={}", daemon.id());
    assert!(Command::new("prlimit").args([process, limit]).status().unwrap().success());
}

#[test]
fn without_a_file_left_the_daemon_says_so_and_blames_no_feed() {
    let reply = Reply::feed(headlines(&["A"])).delivered(Delivery::UntilClose);
    let run = Run::serving([reply]);
    run.state_after(1);
    // Below are those that the admin server keeps for connections.
    let is_spare = |path: &PathBuf| path == Path::new("/dev/null");
    let spares = open_files(&run.daemon).into_iter().filter(|(_, path)| is_spare(path));
    let floor = spares.map(|(number, _)| number + 1).max().unwrap();
    wait_until("three polls without a file", || {
        close_the_door(&run.daemon, floor);
        run.daemon.metric("conflictwire_poll_failures_total", "class=\"local\"") >= 3.0
    });
    for _ in 0..5 {
        assert_eq!(run.daemon.ask("/livez"), Some((200, "alive\n".to_owned())));
    }
    let (status, why) = run.daemon.ask("/readyz").unwrap();
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("this machine could not ask a publisher"), "{why}");
    for class in ["dns", "connect", "tls", "timeout", "cut"] {
        let labels = format!("class=\"{class}\"");
        assert!(run.daemon.metric("conflictwire_poll_failures_total", &labels) < 0.5, "{class}");
    }
    let state = run.ledger.state(FEED).unwrap();
    assert_eq!((state.plan.failures, state.plan.standing), (0, Standing::Fine));

    limit_files(&run.daemon, 1000);
    wait_until("to be ready again", || run.daemon.ask("/readyz").unwrap().0 == 200);
    let said = |message: &str| {
        let of = |line: &serde_json::Value| {
            line["fields"]["message"].as_str() == Some(message)
                || line["message"].as_str() == Some(message)
        };
        run.daemon.lines().iter().filter(|line| of(line)).count()
    };
    // Once for each spell of trouble: a slow machine may see the end of one and another begin.
    let begun = || said("this machine cannot ask publishers; no feed is blamed, trying again");
    assert!(begun() > 0);
    let ended = || said("this machine can ask publishers again");
    wait_until("each spell to be said to be over", || ended() == begun());
    run.daemon.stop();
}

#[test]
fn a_daemon_with_few_files_polls_many_hosts() {
    let publisher = crate::support::publisher::Publisher::start();
    publisher.script("/feed.xml", |_| Reply::feed(headlines(&["A"])));
    let mut setup = Setup::new();
    for number in 0..60 {
        let host = format!("host-{number}.example");
        setup.resolve(&host).feed(&host, &publisher.url_at(&host, "/feed.xml"));
    }
    let mut command = setup.command("prlimit");
    command.args(["--nofile=80:80", crate::support::daemon::BINARY, "run", "--config"]);
    let daemon = Daemon::watch({
        command.arg(setup.config());
        command
    });
    daemon.wait_until_listening();
    daemon.wait_for_metric("conflictwire_feeds", "state=\"fine\"", 60.0);
    let failed = daemon.metric("conflictwire_polls_total", "outcome=\"failed\"");
    assert!(failed < 0.5, "{failed} polls failed:\n{}", daemon.text());
    daemon.stop();
}
