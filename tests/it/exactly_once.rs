//! Killed at every named point, the daemon loses nothing and says nothing twice.
//!
//! Each test lets several feeds on several hosts grow, kills the daemon by SIGKILL at a fault
//! point, looks at what the ledger holds, starts the daemon again, lets every feed catch up, stops
//! it, and holds the ledger against what was served. Half the publishers wait until their last
//! version is known to be committed before they bring out the next; the other half never wait.
//!
//! `CONFLICTWIRE_TEST_ROUNDS` kills more often, at a later passing of the point each time.

use std::collections::BTreeMap;
use std::io::Write;

use conflictwire::fault::Point;
use cw_model::state::FeedState;

use crate::support::audit::{Audit, Row};
use crate::support::daemon::{Daemon, Setup};
use crate::support::growing::{Growing, Pace};
use crate::support::ledger::Ledger;
use crate::support::publisher::Publisher;
use crate::support::{rounds, wait_until};

/// Feeds, two to a host.
const FEEDS: usize = 6;

/// Publishers, feeds and a daemon's folder.
struct World {
    publisher: Publisher,
    feeds: Vec<Growing>,
    setup: Setup,
    ledger: Ledger,
}

impl World {
    fn new() -> Self {
        let publisher = Publisher::start();
        let mut setup = Setup::new();
        let feeds: Vec<Growing> = (0..FEEDS)
            .map(|number| {
                let host = format!("press{}.test", number / 2);
                let pace = if number % 2 == 0 { Pace::Patient } else { Pace::Restless };
                setup.resolve(&host);
                Growing::publish(&publisher, &format!("feed{number}"), &host, pace)
            })
            .collect();
        for feed in &feeds {
            setup.feed(&feed.name, &feed.url);
        }
        let ledger = Ledger::at(&setup.database());
        Self { publisher, feeds, setup, ledger }
    }

    /// Waits until every feed has been committed with so many entries.
    #[track_caller]
    fn wait_until_committed(&self, entries: usize) {
        wait_until(format!("{entries} entries of each feed"), || {
            self.feeds.iter().all(|feed| self.ledger.rows_of(&feed.name).len() >= entries)
        });
    }

    /// Starts the daemon again, and lets every feed catch up. The first request of a feed must be
    /// as its last commit left it: conditional, with those validators.
    #[track_caller]
    fn recover(&self) -> Daemon {
        let states = self.ledger.states();
        let asked: BTreeMap<&str, usize> = self
            .feeds
            .iter()
            .map(|feed| (feed.path.as_str(), self.publisher.requests(&feed.path).len()))
            .collect();
        let daemon = self.setup.start();
        for feed in &self.feeds {
            let first = asked[feed.path.as_str()];
            let requests = self.publisher.wait_for_requests(&feed.path, first + 1);
            let expected = states.get(&feed.name).and_then(|state| etag_of(state, &feed.url));
            assert_eq!(
                requests[first].header("if-none-match"),
                expected.as_deref(),
                "the first request of {} after the restart",
                feed.name
            );
        }
        self.catch_up();
        daemon
    }

    #[track_caller]
    fn catch_up(&self) {
        self.feeds.iter().for_each(Growing::settle);
        wait_until("every feed to catch up", || self.feeds.iter().all(Growing::is_caught_up));
    }

    #[track_caller]
    fn audit(&self, point: Point, kills: u64, retired: &[Row]) {
        let audit = self.ledger.audit(&self.feeds, retired);
        report(point, kills, &audit);
        audit.assert_clean();
    }
}

fn etag_of(state: &FeedState, url: &str) -> Option<String> {
    state.memory.validators().get(url).and_then(|validators| validators.etag.clone())
}

/// Writes the row of a table. Past the capture of the test harness: the figures are the point.
fn report(point: Point, kills: u64, audit: &Audit) {
    let row = format!(
        "exactly once | {:<13} | {kills:>3} killed | {:>5} served | {:>5} committed | {} lost | \
         {} twice\n",
        point.name(),
        audit.served,
        audit.committed,
        audit.lost,
        audit.twice,
    );
    std::io::stderr().write_all(row.as_bytes()).unwrap();
}

/// Kills at the n-th passing of a point that every poll passes, round after round on one ledger.
#[track_caller]
fn check_a_point_of_every_poll(point: Point) {
    let world = World::new();
    let rounds = rounds();
    for round in 0..rounds {
        // The first rounds die early in the feeds' lives, later ones anywhere.
        let passing = 2 + round * 5 % 31;
        let mut daemon = world.setup.spawn_armed(&format!("{}:{passing}", point.name()));
        daemon.wait_for_death();
        let audit = world.ledger.audit(&world.feeds, &[]);
        assert_eq!(audit.twice, 0, "{:#?}", audit.faults);
    }
    world.recover().stop();
    world.audit(point, rounds, &[]);
}

#[test]
fn dying_after_a_fetch_loses_nothing() {
    check_a_point_of_every_poll(Point::AfterFetch);
}

#[test]
fn dying_after_processing_loses_nothing() {
    check_a_point_of_every_poll(Point::AfterProcess);
}

#[test]
fn dying_before_a_commit_loses_nothing() {
    check_a_point_of_every_poll(Point::BeforeCommit);
}

#[test]
fn dying_inside_a_commit_loses_nothing() {
    check_a_point_of_every_poll(Point::InsideCommit);
}

#[test]
fn dying_after_a_commit_says_nothing_twice() {
    check_a_point_of_every_poll(Point::AfterCommit);
}

/// Dies at a point that only something special passes, after the feeds have grown for a while.
#[track_caller]
fn check_a_point_in_its_moment(point: Point, moment: impl Fn(&World)) {
    let world = World::new();
    let rounds = rounds();
    for round in 0..rounds {
        let daemon = world.setup.start();
        let entries = 5 + usize::try_from(round).unwrap();
        world.wait_until_committed(entries);
        drop(daemon);
        moment(&world);
    }
    world.recover().stop();
    world.audit(point, rounds, &[]);
}

#[test]
fn dying_in_start_up_loses_nothing() {
    check_a_point_in_its_moment(Point::InStartUp, |world| {
        world.setup.spawn_armed(Point::InStartUp.name()).wait_for_death();
    });
}

#[test]
fn dying_in_a_reload_loses_nothing() {
    check_a_point_in_its_moment(Point::InReload, |world| {
        let mut daemon = world.setup.spawn_armed(Point::InReload.name());
        daemon.wait_for_line("polling");
        daemon.signal("HUP");
        daemon.wait_for_death();
    });
}

#[test]
fn dying_in_a_drain_loses_nothing() {
    check_a_point_in_its_moment(Point::InDrain, |world| {
        let mut daemon = world.setup.spawn_armed(Point::InDrain.name());
        daemon.wait_for_line("polling");
        daemon.signal("TERM");
        daemon.wait_for_death();
    });
}

#[test]
fn dying_in_the_first_migration_leaves_a_file_that_the_next_start_can_use() {
    let world = World::new();
    for _ in 0..rounds() {
        world.setup.spawn_armed(Point::InMigration.name()).wait_for_death();
        assert!(world.ledger.states().is_empty());
    }
    world.recover().stop();
    world.audit(Point::InMigration, rounds(), &[]);
}

/// Retention takes what is old and nothing else, however often it is interrupted. The test makes
/// rows old by writing so, as no test can wait for a year.
#[test]
fn dying_in_retention_takes_nothing_that_is_young() {
    let mut world = World::new();
    world.setup.set("sqlite.keep_age", "30d");
    let mut retired = Vec::new();
    for round in 0..rounds() {
        let daemon = world.setup.start();
        world.wait_until_committed(5 + usize::try_from(round).unwrap());
        daemon.stop();
        let rows = world.ledger.rows();
        let last = rows[rows.len() / 2].seq;
        world.ledger.change(&format!(
            "UPDATE articles SET committed_at = '2020-01-01T00:00:00.000Z' WHERE seq <= {last}"
        ));
        retired.extend(rows.into_iter().filter(|row| row.seq <= last));
        world.setup.spawn_armed(Point::InRetention.name()).wait_for_death();
    }
    let daemon = world.recover();
    let last = retired.iter().map(|row| row.seq).max().unwrap();
    wait_until("retention to end", || world.ledger.rows().iter().all(|row| row.seq > last));
    daemon.stop();
    // What an interrupted run had not taken was read again in the next round.
    retired.sort_by_key(|row| row.seq);
    retired.dedup_by_key(|row| row.seq);
    world.audit(Point::InRetention, rounds(), &retired);
}

/// Without any fault at all, so that a failure above is a failure of recovery.
#[test]
fn a_quiet_life_is_exactly_once_too() {
    let world = World::new();
    let daemon = world.setup.start();
    world.wait_until_committed(6);
    world.catch_up();
    daemon.stop();
    world.ledger.audit(&world.feeds, &[]).assert_clean();
}
