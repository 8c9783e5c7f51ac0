//! A document that ends the process that reads it, in ways that nothing can catch: it ends the daemon
//! once, and after that no more. Nobody else is punished, and nothing is lost.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use cw_model::FailureClass;
use cw_model::state::FeedState;

use crate::support::daemon::{BINARY, Daemon, Setup};
use crate::support::ledger::Ledger;
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{headlines, item, rss};
use crate::support::wait_until;

/// The feed that misbehaves.
const POISON: &str = "poison";

/// Feeds that do not.
const INNOCENTS: [&str; 2] = ["innocent-0", "innocent-1"];

/// A document that does something to whoever reads it.
fn document(fault: &str) -> String {
    rss(&[&item("poison", &format!("conflictwire-fault:{fault}"))])
}

fn path_of(feed: &str) -> String {
    format!("/{feed}.xml")
}

/// One feed that misbehaves, two that do not, on hosts of their own.
struct World {
    publisher: Publisher,
    setup: Setup,
    ledger: Ledger,
}

impl World {
    fn new() -> Self {
        let publisher = Publisher::start();
        let mut setup = Setup::new();
        for feed in INNOCENTS.into_iter().chain([POISON]) {
            let host = format!("{feed}.test");
            setup.resolve(&host);
            setup.feed(feed, &publisher.url_at(&host, &path_of(feed)));
            publisher.serve(&path_of(feed), [Reply::feed(headlines(&[&format!("Of {feed}")]))]);
        }
        let ledger = Ledger::at(&setup.database());
        Self { publisher, setup, ledger }
    }

    fn serve(&self, document: String) {
        self.publisher.serve(&path_of(POISON), [Reply::feed(document)]);
    }

    /// Starts a daemon that reads with care: the one before it was killed, for no fault of a document.
    fn start_with_care(&self) -> Daemon {
        let mut daemon = self.setup.start();
        self.wait_for_innocents(1);
        self.ledger.wait_for_rows(POISON, 1);
        daemon.signal("KILL");
        daemon.wait_for_end();
        self.setup.start()
    }

    #[track_caller]
    fn wait_for_crash(&self) -> FeedState {
        self.ledger.wait_for_state(POISON, |state| state.plan.put_off_for().is_some())
    }

    #[track_caller]
    fn wait_for_innocents(&self, polls: u64) {
        for feed in INNOCENTS {
            self.ledger.wait_for_state(feed, |state| state.plan.sequence >= polls);
        }
    }

    fn asked(&self, feed: &str) -> usize {
        self.publisher.requests(&path_of(feed)).len()
    }

    /// What a command of the same configuration prints.
    fn say(&self, words: &[&str]) -> String {
        let mut command = self.setup.command(BINARY);
        command.args(words).arg("--config").arg(self.setup.config());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    /// Waits until the innocent have been asked again, each more than once, and the poison has not.
    #[track_caller]
    fn assert_it_is_let_alone(&self, daemon: &mut Daemon) {
        let asked = self.asked(POISON);
        for feed in INNOCENTS {
            self.publisher.wait_for_requests(&path_of(feed), self.asked(feed) + 2);
        }
        assert_eq!(self.asked(POISON), asked, "it is asked again");
        assert!(daemon.is_running());
    }
}

/// The processes in which a daemon tries documents.
fn trials_of(daemon: &Daemon) -> Vec<PathBuf> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", daemon.id())).unwrap();
    let children = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children = children.collect::<Vec<_>>().join(" ");
    children.split_whitespace().map(|id| Path::new("/proc").join(id)).collect()
}

#[test]
fn a_document_that_overflows_the_stack_ends_the_daemon_once() {
    let world = World::new();
    world.serve(document("deep"));
    let mut daemon = world.setup.spawn();
    let status = daemon.wait_for_end();
    assert!(status.signal().is_some(), "it ended otherwise, {status}: {}", daemon.text());

    let mut daemon = world.setup.start();
    daemon.wait_for_line(
        "the lane was left uncleanly less than a day ago; new documents are read in a process of \
         their own first",
    );
    let state = world.wait_for_crash();
    let failure = state.plan.last_failure.unwrap();
    assert_eq!(failure.class, FailureClass::Crash);
    assert!(failure.detail.contains("overflowed its stack"), "{}", failure.detail);
    let wait = state.plan.next.due_at.unwrap().duration_since(state.plan.polled_at.unwrap());
    assert!(wait.as_hours() >= 7 * 24, "{wait}");
    let rejects = world.ledger.rejects();
    assert!(rejects.iter().any(|it| it.feed_id == POISON && it.reason == "crash"), "{rejects:?}");
    world.wait_for_innocents(3);
    world.assert_it_is_let_alone(&mut daemon);
    for feed in INNOCENTS {
        assert_eq!(world.ledger.rows_of(feed).len(), 1, "{feed}");
        assert!(world.ledger.state(feed).unwrap().plan.last_failure.is_none(), "{feed}");
    }

    daemon.wait_for_metric("conflictwire_feeds", "state=\"crashed\"", 1.0);
    daemon.wait_for_metric("conflictwire_poll_failures_total", "class=\"crash\"", 1.0);
    daemon.wait_for_metric("conflictwire_trials_total", "outcome=\"crashed\"", 1.0);
    let said = "a document of this feed ends the process that reads it; the feed is put off, until \
                then or until its configuration or this program is another";
    assert_eq!(daemon.wait_for_line(said)["level"], "ERROR");
    assert!(world.say(&["feeds", "list"]).contains("put off: its document ends the process"));
    let explained = world.say(&["feeds", "explain", POISON]);
    for words in ["crash: the document ended", "put off since", "asked weekly", "asked at once if"]
    {
        assert!(explained.contains(words), "{words} in {explained}");
    }

    // It is remembered, and nothing of it is tried again.
    daemon.stop();
    let mut daemon = world.setup.start();
    world.assert_it_is_let_alone(&mut daemon);
    daemon.stop();
}

#[test]
fn a_document_that_takes_all_memory_or_never_ends_ends_its_trial_and_nothing_else() {
    for (fault, why) in [("large", "memory allocation"), ("endless", "processor time")] {
        let world = World::new();
        let mut daemon = world.start_with_care();
        world.serve(document(fault));
        let detail = world.wait_for_crash().plan.last_failure.unwrap().detail;
        assert!(detail.contains(why), "{fault}: {detail}");
        world.assert_it_is_let_alone(&mut daemon);
        daemon.stop();
    }
}

/// Panics are caught in the daemon, so there is nothing to protect it from.
#[test]
fn a_document_that_makes_us_panic_is_no_crash() {
    let world = World::new();
    let daemon = world.start_with_care();
    world.serve(document("panic"));
    let state = world.ledger.wait_for_state(POISON, |state| state.plan.failures > 0);
    assert_eq!(state.plan.last_failure.unwrap().class, FailureClass::Panic);
    assert_eq!(state.plan.crash, None);
    daemon.stop();
}

/// What does no harm is read, in one process after the other.
#[test]
fn an_honest_document_passes_its_trial() {
    let world = World::new();
    let daemon = world.start_with_care();
    let words =
        "Talks on a ceasefire went on in the capital on Monday, officials said. ".repeat(20);
    let items: Vec<String> = (0..100).map(|number| item(&format!("{number}"), &words)).collect();
    let document = rss(&items.iter().map(String::as_str).collect::<Vec<_>>());
    world.serve(document);
    world.ledger.wait_for_rows(POISON, 101);
    assert_eq!(world.ledger.state(POISON).unwrap().plan.last_failure, None);
    assert_eq!(daemon.metric("conflictwire_trials_total", "outcome=\"crashed\""), 0.0);
    daemon.wait_for_metric("conflictwire_trials_total", "outcome=\"read\"", 1.0);
    daemon.stop();
}

/// Killed by an operator while a document is being read, in the daemon the first time and in a trial
/// after that, a daemon holds nothing against the document, and no trial outlives it.
#[test]
fn being_killed_again_and_again_punishes_nobody() {
    let world = World::new();
    let gate = world.setup.path("gate");
    world.serve(document(&format!("held:{}", gate.display())));
    for round in 0..4 {
        let mut daemon = world.setup.start();
        world.publisher.wait_for_requests(&path_of(POISON), round + 1);
        let mut trials = Vec::new();
        if round > 0 {
            wait_until("a trial to be under way", || {
                trials = trials_of(&daemon);
                !trials.is_empty()
            });
        }
        daemon.signal("KILL");
        daemon.wait_for_end();
        wait_until("the trials to be gone", || trials.iter().all(|it| !it.exists()));
    }
    std::fs::write(gate, "").unwrap();
    let daemon = world.setup.start();
    world.ledger.wait_for_rows(POISON, 1);
    let state = world.ledger.state(POISON).unwrap();
    assert_eq!((state.plan.crash, state.plan.failures, state.plan.last_failure), (None, 0, None));
    assert_eq!(daemon.metric("conflictwire_trials_total", "outcome=\"crashed\""), 0.0);
    assert!(world.ledger.rejects().is_empty());
    daemon.stop();
}

/// So is a trial, whoever kills it: the document is tried again, alone.
#[test]
fn a_trial_that_is_killed_once_is_no_crash() {
    let world = World::new();
    let daemon = world.start_with_care();
    let gate = world.setup.path("gate");
    let asked = world.asked(POISON);
    world.serve(document(&format!("held:{}", gate.display())));
    world.publisher.wait_for_requests(&path_of(POISON), asked + 1);
    wait_until("a trial to be under way", || !trials_of(&daemon).is_empty());
    for trial in trials_of(&daemon) {
        let id = trial.file_name().unwrap().to_str().unwrap().to_owned();
        std::process::Command::new("sh").args(["-c", &format!("kill -9 {id}")]).status().unwrap();
    }
    std::fs::write(gate, "").unwrap();
    world.ledger.wait_for_rows(POISON, 2);
    assert_eq!(world.ledger.state(POISON).unwrap().plan.last_failure, None);
    daemon.stop();
}

/// A stop does not wait for what does not end, and is clean all the same.
#[test]
fn a_document_on_trial_does_not_hold_up_a_stop() {
    let world = World::new();
    let daemon = world.start_with_care();
    let asked = world.asked(POISON);
    let gate = world.setup.path("never");
    world.serve(document(&format!("held:{}", gate.display())));
    world.publisher.wait_for_requests(&path_of(POISON), asked + 1);
    wait_until("a trial to be under way", || !trials_of(&daemon).is_empty());
    let trials = trials_of(&daemon);
    daemon.stop();
    wait_until("the trials to be gone", || trials.iter().all(|it| !it.exists()));
}

#[test]
fn a_feed_that_crashed_is_asked_at_once_when_its_configuration_is_another() {
    let mut world = World::new();
    let mut daemon = world.start_with_care();
    world.serve(document("large"));
    let first = world.wait_for_crash().plan.crash.unwrap();

    // Still the same document: it crashes under the new configuration too, in its trial.
    let url = world.publisher.url_at("poison.test", &path_of(POISON));
    world.setup.remove_feed(POISON).feed_with(POISON, &url, &[("publisher", "P")]);
    world.setup.write();
    daemon.signal("HUP");
    world.ledger.wait_for_state(POISON, |state| {
        state.plan.put_off_for().is_some_and(|crash| crash.under != first.under)
    });
    world.assert_it_is_let_alone(&mut daemon);

    // A better one under the same configuration is read in a trial, and nothing is forgotten.
    world.serve(headlines(&["Better"]));
    world.setup.remove_feed(POISON).feed_with(POISON, &url, &[("publisher", "Q")]);
    world.setup.write();
    daemon.signal("HUP");
    world
        .ledger
        .wait_for_state(POISON, |state| state.plan.crash.is_none() && state.plan.failures == 0);
    world.ledger.wait_for_rows(POISON, 2);
    daemon.stop();
}

/// Without an unclean end nothing is tried and no process started.
#[test]
fn in_a_quiet_life_nothing_is_tried() {
    let world = World::new();
    let daemon = world.setup.start();
    world.wait_for_innocents(3);
    world.ledger.wait_for_rows(POISON, 1);
    daemon.stop();
    let daemon = world.setup.start();
    world.publisher.serve(&path_of(POISON), [Reply::feed(headlines(&["New"]))]);
    world.ledger.wait_for_rows(POISON, 2);
    assert_eq!(trials_of(&daemon), Vec::<PathBuf>::new());
    assert_eq!(daemon.metric("conflictwire_trials_total", "outcome=\"read\""), 0.0);
    assert_eq!(daemon.metric("conflictwire_careful_lanes", ""), 0.0);
    daemon.stop();
}
