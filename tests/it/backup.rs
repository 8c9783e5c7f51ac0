//! A copy of a ledger that is being written goes on where it was made.

use std::process::Output;

use crate::support::daemon::{BINARY, Setup};
use crate::support::growing::{Growing, Pace};
use crate::support::ledger::Ledger;
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{FEED, Run, headlines};
use crate::support::wait_until;

fn back_up(setup: &Setup, name: &str) -> Output {
    let mut command = setup.command(BINARY);
    command.args(["ledger", "backup", name, "--config"]).arg(setup.config());
    command.output().unwrap()
}

#[test]
fn a_copy_made_under_commits_is_of_one_moment_and_goes_on_from_it() {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    let feed = Growing::publish(&publisher, "growing", "127.0.0.1", Pace::Restless);
    setup.feed(&feed.name, &feed.url);
    let ledger = Ledger::at(&setup.database());
    let daemon = setup.start();
    ledger.wait_for_rows(&feed.name, 5);
    let output = back_up(&setup, "copy.sqlite");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("the state of 1 feed"), "{said}");
    let rows = ledger.rows_of(&feed.name).len();
    wait_until("commits after the copy", || ledger.rows_of(&feed.name).len() > rows);
    daemon.stop();

    // As if the machine were lost: the copy is all there is, and what came after it is told again from it, once.
    setup.set("sqlite.path", setup.path("copy.sqlite").to_str().unwrap());
    let copy = Ledger::at(&setup.path("copy.sqlite"));
    let of_copy = copy.rows_of(&feed.name);
    assert!(of_copy.len() >= 5 && of_copy.len() <= rows, "{} of {rows}", of_copy.len());
    let daemon = setup.start();
    wait_until("commits to the copy", || copy.rows_of(&feed.name).len() > rows);
    daemon.stop();
    let after = copy.rows_of(&feed.name);
    assert_eq!(after[..of_copy.len()], of_copy);
    let audit = copy.audit(&[feed], &[]);
    // What publishers replaced between the copy and the restart is gone with the machine.
    assert_eq!(audit.twice, 0, "{audit:?}");
}

#[test]
fn nothing_is_written_over_and_no_half_of_a_copy_is_left() {
    let run = Run::serving([Reply::feed(headlines(&["A"]))]);
    run.ledger.wait_for_rows(FEED, 1);
    let taken = run.setup.path("taken");
    std::fs::write(&taken, "somebody's").unwrap();
    let output = back_up(&run.setup, "taken");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is there already; nothing was written over it"), "{said}");
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "somebody's");

    let output = back_up(&run.setup, "no/such/folder");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("could not be written"), "{said}");

    assert!(back_up(&run.setup, "copy").status.success());
    assert!(!run.setup.path("copy.part").exists());
    use std::os::unix::fs::PermissionsExt as _;
    let mode = run.setup.path("copy").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "a ledger is its owner's");
}
