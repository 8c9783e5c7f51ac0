//! Killed at every named point, a replica on Kafka loses nothing and says nothing twice.
//!
//! As `exactly_once` does it for SQLite: feeds grow on four lanes, the daemon is killed by SIGKILL at
//! a point, the next one takes up its lanes, every feed catches up, and the topics are held against
//! what was served. Where the point lies inside a transaction, aborted records must be there for a
//! `read_uncommitted` reader: the fault was real.
//!
//! `CONFLICTWIRE_TEST_ROUNDS` kills more often, at a later passing of the point each time.

use conflictwire::fault::Point;

use super::world::{LANES, World, use_long_sessions};
use crate::support::broker::Cluster;
use crate::support::{rounds, wait_until};

/// What a kill at a point must leave behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    /// Records that no `read_committed` reader ever sees.
    Aborted,
    /// It depends on the moment.
    Whatever,
}

/// Kills at the n-th passing of a point that every poll, or every transaction, passes.
#[track_caller]
fn check_a_point_of_every_poll(point: Point, leaves: Leaves) {
    let cluster = Cluster::quiet();
    let world = World::new(&cluster);
    let rounds = rounds();
    for round in 0..rounds {
        // The first rounds die early in the feeds' lives, later ones anywhere.
        let passing = 2 + round * 5 % 23;
        world.setup.spawn_armed(&format!("{}:{passing}", point.name())).wait_for_death();
    }
    world.recover().stop();
    let row = world.audit(point.name(), rounds);
    if leaves == Leaves::Aborted {
        assert!(row.aborted > 0, "no transaction was aborted: the fault was none");
    }
}

/// Kills at a point that only a start passes, once there is something to take up.
#[track_caller]
fn check_a_point_of_a_start(point: Point, passing: impl Fn(u64) -> u64) {
    let cluster = Cluster::quiet();
    let world = World::new(&cluster);
    let rounds = rounds();
    for round in 0..rounds {
        let daemon = world.setup.start();
        world.wait_until_committed(4 + usize::try_from(round).unwrap());
        drop(daemon);
        let passing = passing(round);
        world.setup.spawn_armed(&format!("{}:{passing}", point.name())).wait_for_death();
    }
    world.recover().stop();
    // The one that ran before was killed too, wherever it was.
    world.audit(point.name(), 2 * rounds);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_after_a_fetch_loses_nothing() {
    check_a_point_of_every_poll(Point::AfterFetch, Leaves::Whatever);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_after_processing_loses_nothing() {
    check_a_point_of_every_poll(Point::AfterProcess, Leaves::Whatever);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_after_a_begin_loses_nothing() {
    check_a_point_of_every_poll(Point::AfterBegin, Leaves::Whatever);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_after_the_first_delivery_report_loses_nothing() {
    check_a_point_of_every_poll(Point::AfterFirstReport, Leaves::Aborted);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_after_the_states_were_sent_loses_nothing() {
    check_a_point_of_every_poll(Point::AfterStateSent, Leaves::Aborted);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_after_the_lane_record_was_sent_loses_nothing() {
    check_a_point_of_every_poll(Point::AfterLaneSent, Leaves::Aborted);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_before_a_commit_loses_nothing() {
    check_a_point_of_every_poll(Point::BeforeCommit, Leaves::Aborted);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_after_a_commit_says_nothing_twice() {
    check_a_point_of_every_poll(Point::AfterCommit, Leaves::Whatever);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_while_a_lane_is_fenced_loses_nothing() {
    check_a_point_of_a_start(Point::InFence, |round| 1 + round % 4);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_while_a_lane_is_restored_loses_nothing() {
    check_a_point_of_a_start(Point::InRestore, |round| 1 + round * 7 % 40);
}

/// The brokers have committed and the answer is lost on the way: the commit stands in the log, and is
/// neither done again nor forgotten.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_commit_whose_answer_is_lost_is_found_in_the_log() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    use_long_sessions(&mut world.setup);
    let rounds = rounds();
    for round in 0..rounds {
        let passing = 2 + round * 5 % 23;
        let armed = format!("forget {}:{passing}", Point::AfterCommit.name());
        let daemon = world.setup.spawn_armed(&armed);
        daemon.wait_until_listening();
        wait_until("the commit to be looked up", || {
            (0..LANES).any(|lane| {
                let labels = format!("lane=\"{lane}\",found=\"committed\"");
                daemon.metric("conflictwire_lane_in_doubt_total", &labels) >= 1.0
            })
        });
        world.wait_for_versions(1);
        daemon.stop();
    }
    world.recover().stop();
    let row = world.audit("answer of a commit lost", rounds);
    assert_eq!(row.aborted, 0, "what is committed was sent again");
}

#[test]
#[ignore = "needs Kafka: make test"]
fn dying_in_a_drain_loses_nothing() {
    let cluster = Cluster::quiet();
    let world = World::new(&cluster);
    let rounds = rounds();
    for round in 0..rounds {
        let mut daemon = world.setup.spawn_armed(Point::InDrain.name());
        // Rows there may be enough of already; a signal before it listens is no drain.
        daemon.wait_for_line("polling");
        world.wait_until_committed(4 + usize::try_from(round).unwrap());
        daemon.signal("TERM");
        daemon.wait_for_death();
    }
    world.recover().stop();
    world.audit(Point::InDrain.name(), rounds);
}

/// Without any fault at all, so that a failure above is a failure of recovery; and nothing of a
/// quiet life is ever aborted.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_quiet_life_is_exactly_once_too() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    use_long_sessions(&mut world.setup);
    let daemon = world.setup.start();
    world.wait_until_committed(6);
    daemon.stop();
    world.recover().stop();
    let row = world.audit("none", 0);
    assert_eq!(row.aborted, 0);
}
