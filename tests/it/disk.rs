//! The ledger's file: no space, no permission, somebody else's. A clear text, nothing lost, and
//! when the trouble ends so does ours.

use std::os::unix::fs::PermissionsExt;
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

/// A full disk, as any user can make one: the kernel refuses writes beyond a file size, and the
/// signal that comes with it is ignored, so that the write fails as it does without space.
#[test]
fn a_full_disk_stops_commits_and_loses_nothing() {
    let (_publisher, feed, setup, ledger) = one_feed();
    let mut command = setup.command("sh");
    let script = format!("trap '' XFSZ; ulimit -f {FILE_BLOCKS}; exec \"$@\"");
    command.args(["-c", &script, "sh", BINARY, "run", "--config"]).arg(setup.config());
    let mut daemon = Daemon::watch(command);
    daemon.wait_until_listening();
    let line = daemon.wait_for_line(
        "the ledger does not take commits; polls wait, nothing is lost, trying again",
    );
    let text = line["error"].as_str().unwrap();
    let database = setup.database();
    assert!(text.contains(database.file_name().unwrap().to_str().unwrap()), "{text}");
    daemon.wait_for_metric("conflictwire_commit_failures_total", "", 1.0);
    let (status, why) = daemon.ask("/readyz").unwrap();
    assert_eq!(status, 503, "{why}");
    assert_eq!(daemon.ask("/livez").unwrap().0, 200, "alive, though its ledger is away");
    assert!(daemon.is_running());
    daemon.signal("TERM");
    daemon.wait_for_end();

    let daemon = setup.start();
    feed.settle();
    wait_until("the feed to catch up", || feed.is_caught_up());
    daemon.stop();
    ledger.audit(&[feed], &[]).assert_clean();
}

/// The same while the daemon stays: space comes back, and so do commits. Needs a file system of
/// its own, and so the right to mount one.
#[test]
fn commits_go_on_when_space_comes_back() {
    let (_publisher, feed, mut setup, _) = one_feed();
    let disk = setup.path("disk");
    std::fs::create_dir(&disk).unwrap();
    let Some(disk) = SmallDisk::mount(&disk) else { return };
    setup.set("sqlite.path", "disk/conflictwire.sqlite");
    let ledger = Ledger::at(&setup.path("disk/conflictwire.sqlite"));
    disk.fill();
    let daemon = setup.start();
    daemon.wait_for_line(
        "the ledger does not take commits; polls wait, nothing is lost, trying again",
    );
    disk.empty();
    daemon.wait_for_line("the ledger takes commits again");
    assert_eq!(daemon.ask("/readyz").unwrap().0, 200);
    feed.settle();
    wait_until("the feed to catch up", || feed.is_caught_up());
    daemon.stop();
    ledger.audit(&[feed], &[]).assert_clean();
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
    feed.settle();
    wait_until("the feed to catch up", || feed.is_caught_up());
    first.stop();
    ledger.audit(&[feed], &[]).assert_clean();
}

/// The daemon does not start, exits with 1, and says this.
#[track_caller]
fn check_refused(setup: &Setup, words: &[&str]) {
    let mut daemon = setup.spawn();
    let status = daemon.wait_for_end();
    let text = daemon.ended_text();
    assert_eq!(status.code(), Some(1), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
    assert!(text.contains("error: "), "{text}");
}

/// A file system of 2 MB in memory.
struct SmallDisk {
    folder: std::path::PathBuf,
}

impl SmallDisk {
    /// Mounts one, if this user may. `None`, and a line on standard error, if not.
    fn mount(folder: &std::path::Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "conflictwire-test"]).arg(folder);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("not run: mounting a small disk needs root");
        }
        mounted.then(|| Self { folder: folder.to_owned() })
    }

    /// Takes all but what a new database needs to be made.
    fn fill(&self) {
        std::fs::write(self.folder.join("filler"), vec![1; 2 * 1024 * 1024 - 200 * 1024]).unwrap();
    }

    /// Gives it back.
    fn empty(&self) {
        std::fs::remove_file(self.folder.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the daemon may be still on its way out.
        drop(Command::new("umount").arg("-l").arg(&self.folder).status());
    }
}
