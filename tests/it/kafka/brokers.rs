//! Brokers die, sleep and come back; the daemon lives, says so, and goes on by itself.

use super::world::{
    LANES, World, check_that_nobody_is_asked, wait_for_lanes, wait_until_all_lanes_are_taken,
    wait_until_ready, wait_until_unready,
};
use crate::support::broker::{Alone, Cluster};
use crate::support::rounds;

/// Kills a node, lets feeds go on without it, and brings it back.
#[track_caller]
fn kill_and_restart(cluster: &mut Alone, world: &World, node: i32) {
    cluster.kill(node);
    world.wait_for_versions(3);
    cluster.restart(node);
    cluster.wait_until_whole();
    world.wait_for_versions(1);
}

/// Kills a broker that something hangs on, again and again, and audits.
#[track_caller]
fn check_without(fault: &str, pick: impl Fn(&Cluster, &World) -> i32) {
    let mut cluster = Cluster::alone();
    let world = World::new(&cluster);
    let daemon = world.setup.start();
    wait_for_lanes(&daemon, LANES);
    world.wait_for_versions(2);
    for _ in 0..rounds() {
        let node = pick(&cluster, &world);
        kill_and_restart(&mut cluster, &world, node);
    }
    world.catch_up();
    daemon.stop();
    world.audit(fault, rounds());
}

#[test]
#[ignore = "needs Kafka: make test"]
fn the_broker_that_leads_a_lane_is_killed() {
    check_without("leader of a state partition killed", |cluster, world| {
        cluster.leader(&world.ledger.topic("state"), 0)
    });
}

#[test]
#[ignore = "needs Kafka: make test"]
fn the_coordinator_of_a_lanes_transactions_is_killed() {
    check_without("transaction coordinator killed", |cluster, world| {
        cluster.transaction_coordinator(&world.transactional_id(1))
    });
}

#[test]
#[ignore = "needs Kafka: make test"]
fn the_coordinator_of_the_group_is_killed() {
    check_without("group coordinator killed", |cluster, world| {
        cluster.group_coordinator(&world.name)
    });
}

#[test]
#[ignore = "needs Kafka: make test"]
fn all_brokers_go_away_and_come_back() {
    let mut cluster = Cluster::alone();
    let world = World::new(&cluster);
    let mut daemon = world.setup.start();
    wait_for_lanes(&daemon, LANES);
    world.wait_for_versions(2);
    for _ in 0..rounds() {
        for node in cluster.node_ids() {
            cluster.kill(node);
        }
        wait_until_unready(&daemon, &["does not answer"]);
        // The lanes are lost with the session; from then on nobody is asked anything.
        wait_until_all_lanes_are_taken(&daemon);
        check_that_nobody_is_asked(&daemon, &world.publisher);
        wait_until_unready(&daemon, &["does not answer"]);
        assert!(daemon.is_running());
        for node in cluster.node_ids() {
            cluster.restart(node);
        }
        cluster.wait_until_whole();
        wait_until_ready(&daemon);
        world.wait_for_versions(2);
    }
    world.catch_up();
    daemon.stop();
    world.audit("all brokers away and back", rounds());
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_kafka_that_is_down_at_start_is_waited_for() {
    let mut cluster = Cluster::alone();
    let world = World::new(&cluster);
    for node in cluster.node_ids() {
        cluster.kill(node);
    }
    let mut daemon = world.setup.start();
    wait_until_unready(&daemon, &["does not answer"]);
    assert!(daemon.is_running());
    check_that_nobody_is_asked(&daemon, &world.publisher);
    assert!(world.publisher.log().is_empty(), "polled without a lane");
    for node in cluster.node_ids() {
        cluster.restart(node);
    }
    cluster.wait_until_whole();
    wait_until_ready(&daemon);
    world.catch_up();
    daemon.stop();
    world.audit("down at start", 1);
}

/// A stop while Kafka is away ends in time, and what was not committed is polled again.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_stop_without_brokers_ends_all_the_same() {
    let mut cluster = Cluster::alone();
    let world = World::new(&cluster);
    let mut daemon = world.setup.start();
    wait_for_lanes(&daemon, LANES);
    world.wait_for_versions(2);
    for node in cluster.node_ids() {
        cluster.kill(node);
    }
    daemon.signal("TERM");
    // With 0 if everything ended by itself, with 1 if the deadline of the drain was needed.
    let status = daemon.wait_for_end();
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
    for node in cluster.node_ids() {
        cluster.restart(node);
    }
    cluster.wait_until_whole();
    world.recover().stop();
    world.audit("stopped without brokers", 1);
}

/// The coordinator sleeps with a commit in hand: the commit is in doubt, and the log says what
/// became of it.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_coordinator_that_sleeps_leaves_nothing_in_doubt() {
    let mut cluster = Cluster::alone();
    let world = World::new(&cluster);
    let daemon = world.setup.start();
    wait_for_lanes(&daemon, LANES);
    world.wait_for_versions(2);
    for lane in 0..rounds() {
        let lane = usize::try_from(lane).unwrap() % LANES;
        let node = cluster.transaction_coordinator(&world.transactional_id(lane));
        cluster.pause(node);
        daemon.wait_for_metric("conflictwire_lane_transactions_total", &failed(lane), 1.0);
        cluster.resume(node);
        cluster.wait_until_whole();
        wait_for_lanes(&daemon, LANES);
        world.wait_for_versions(2);
    }
    world.catch_up();
    daemon.stop();
    world.audit("transaction coordinator asleep", rounds());
}

fn failed(lane: usize) -> String {
    format!("lane=\"{lane}\",outcome=\"failed\"")
}
