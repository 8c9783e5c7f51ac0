//! The ledger's file: no space, no permission, somebody else's. A clear text, nothing lost, and
//! when the trouble ends so does ours.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::support::daemon::{BINARY, Daemon, Setup};
use crate::support::growing::{Growing, Pace};
use crate::support::ledger::Ledger;
use crate::support::publisher::Publisher;
use crate::support::wait_until;

/// The most bytes a file may have while the disk is "full": `ulimit -f` counts blocks of 512.
const FILE_BLOCKS: u64 = 400;

fn one_feed() -> (Publisher, Growing, Setup, Ledger) {
    let publisher = Publisher::start();
    let feed = Growing::publish(&publisher, "feed", "press.test", Pace::Patient);
    let mut setup = Setup::new();
    setup.resolve("press.test").feed(&feed.name, &feed.url);
    let ledger = Ledger::at(&setup.database());
    (publisher, feed, setup, ledger)
}

/// What is said, once, when commits stop.
const NO_COMMITS: &str =
    "the ledger does not take commits; polls wait, nothing is lost, trying again";

/// The daemon on a disk that is full as any user can make one: the kernel refuses writes beyond a
/// file size, and the signal that comes with it is ignored, so that the write fails.
fn with_file_limit(setup: &Setup) -> Command {
    let mut command = setup.command("sh");
    let script = format!("trap '' XFSZ; ulimit -S -f {FILE_BLOCKS}; exec \"$@\"");
    command.args(["-c", &script, "sh", BINARY, "run", "--config"]).arg(setup.config());
    command
}

/// Lets the feed catch up, stops the daemon, and finds everything there once.
#[track_caller]
fn check_catches_up(daemon: Daemon, feed: Growing, ledger: &Ledger) {
    feed.settle();
    wait_until("the feed to catch up", || feed.is_caught_up());
    daemon.stop();
    ledger.audit(&[feed], &[]).assert_clean();
}

#[test]
fn a_full_disk_stops_commits_and_loses_nothing() {
    let (_publisher, feed, setup, ledger) = one_feed();
    let mut daemon = Daemon::watch(with_file_limit(&setup));
    let line = daemon.wait_for_line(NO_COMMITS);
    let text = line["error"].as_str().unwrap();
    assert!(text.contains("ledger/conflictwire.sqlite"), "{text}");
    daemon.wait_for_metric("conflictwire_commit_failures_total", "", 1.0);
    // A first refusal may pass: the log before the database is full first, and is emptied.
    wait_until("not to be ready", || daemon.ask("/readyz").unwrap().0 == 503);
    assert_eq!(daemon.ask("/livez").unwrap().0, 200, "alive, though its ledger is away");
    assert!(daemon.is_running());
    daemon.signal("TERM");
    daemon.wait_for_end();
    check_catches_up(setup.start(), feed, &ledger);
}

/// The same while the daemon stays: space comes back, and so do commits.
#[test]
fn commits_go_on_when_space_comes_back() {
    let (_publisher, feed, setup, ledger) = one_feed();
    let daemon = Daemon::watch(with_file_limit(&setup));
    daemon.wait_for_line(NO_COMMITS);
    let lift = format!("--pid={}", daemon.id());
    let lifted = Command::new("prlimit").args([&lift, "--fsize=unlimited:"]).status().unwrap();
    assert!(lifted.success(), "prlimit {lift}");
    daemon.wait_for_line("the ledger takes commits again");
    wait_until("the daemon to be ready", || daemon.ask("/readyz").unwrap().0 == 200);
    check_catches_up(daemon, feed, &ledger);
}

/// A disk that is really full, with the system's own word for it. It is mounted for this test
/// alone, which takes the right to.
#[test]
#[ignore = "needs the right to mount: make test"]
fn a_disk_without_space_is_waited_for() {
    let (_publisher, feed, mut setup, _) = one_feed();
    let disk = SmallDisk::mount(setup.path("disk"));
    setup.set("sqlite.path", "disk/conflictwire.sqlite");
    let ledger = Ledger::at(&setup.path("disk/conflictwire.sqlite"));
    // Leaves what a new database needs to be made, and little more.
    let filler = disk.folder.join("filler");
    std::fs::write(&filler, vec![1; SmallDisk::BYTES - 240 * 1024]).unwrap();
    let daemon = setup.start();
    let line = daemon.wait_for_line(NO_COMMITS);
    assert!(line["error"].as_str().unwrap().contains("full"), "{line}");
    std::fs::remove_file(&filler).unwrap();
    daemon.wait_for_line("the ledger takes commits again");
    check_catches_up(daemon, feed, &ledger);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let (_publisher, _feed, mut setup, _) = one_feed();
    // Not even root may write below a file.
    std::fs::write(setup.path("file"), "").unwrap();
    setup.set("sqlite.path", "file/conflictwire.sqlite");
    check_refused(&setup, &["file/conflictwire.sqlite"]);

    let folder = setup.path("closed");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o500)).unwrap();
    if std::fs::write(folder.join("probe"), "").is_err() {
        setup.set("sqlite.path", "closed/conflictwire.sqlite");
        check_refused(&setup, &["closed/conflictwire.sqlite"]);
    }
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let (_publisher, _feed, mut setup, _) = one_feed();
    let text = "not a database at all, but somebody's letter\n".repeat(100);
    std::fs::write(setup.path("letter.txt"), &text).unwrap();
    setup.set("sqlite.path", "letter.txt");
    check_refused(&setup, &["letter.txt"]);
    assert_eq!(std::fs::read_to_string(setup.path("letter.txt")).unwrap(), text);
}

#[test]
fn a_second_daemon_on_the_same_file_is_refused_and_the_first_goes_on() {
    let (_publisher, feed, setup, ledger) = one_feed();
    let mut first = setup.start();
    ledger.wait_for_rows(&feed.name, 1);
    check_refused(&setup, &["is in use by another conflictwire", "sqlite.path"]);
    assert!(first.is_running());
    check_catches_up(first, feed, &ledger);
}

/// The daemon does not start, exits with 1, and says this.
#[track_caller]
fn check_refused(setup: &Setup, words: &[&str]) {
    let mut daemon = setup.spawn();
    let status = daemon.wait_for_end();
    let text = daemon.text();
    assert_eq!(status.code(), Some(1), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
    assert!(text.contains("\"level\":\"ERROR\""), "{text}");
}

/// A file system of 2 MB in memory.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    const BYTES: usize = 2 * 1024 * 1024;

    fn mount(folder: PathBuf) -> Self {
        std::fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={}", Self::BYTES), "tmpfs"]).arg(&folder);
        assert!(mount.status().unwrap().success(), "{mount:?}");
        Self { folder }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the daemon may still be on its way out.
        drop(Command::new("umount").arg("-l").arg(&self.folder).status());
    }
}
