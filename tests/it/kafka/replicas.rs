//! Two replicas share the lanes: one is killed, one sleeps past its session and wakes, one is asked
//! to leave, and all are replaced one by one.

use conflictwire::fault::Point;
use cw_model::FailureClass;

use super::world::{
    HOSTS, LANES, World, lanes_owned, set_properties, use_long_sessions, wait_for_lanes,
    wait_until_ready,
};
use crate::api::ask;
use crate::support::broker::Cluster;
use crate::support::daemon::Daemon;
use crate::support::publisher::Reply;
use crate::support::run::{item, rss};
use crate::support::{eventually, rounds, wait_until};

/// Two replicas, each with some of the lanes, something under way in all of them.
#[track_caller]
fn two_replicas(world: &World) -> (Daemon, Daemon) {
    let first = world.setup.start();
    wait_for_lanes(&first, LANES);
    let second = world.setup.start();
    share(&first, &second);
    world.wait_for_versions(2);
    (first, second)
}

/// Waits until two replicas have half of the lanes each.
#[track_caller]
fn share(first: &Daemon, second: &Daemon) {
    wait_for_lanes(first, LANES / 2);
    wait_for_lanes(second, LANES / 2);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_replica_that_is_killed_leaves_its_lanes_to_the_other() {
    let cluster = Cluster::quiet();
    let world = World::new(&cluster);
    let (mut first, mut second) = two_replicas(&world);
    for _ in 0..rounds() {
        drop(first);
        wait_for_lanes(&second, LANES);
        world.wait_for_versions(2);
        first = second;
        second = world.setup.start();
        share(&first, &second);
        world.wait_for_versions(1);
    }
    world.catch_up();
    first.stop();
    second.stop();
    world.audit("replica killed", rounds());
}

/// The replica stops in the middle of a transaction whose records the brokers have, for longer than
/// its session. Others take its lanes and commit; then it wakes and wants to go on.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_replica_that_wakes_from_a_long_sleep_commits_nothing_late() {
    let cluster = Cluster::quiet();
    let world = World::new(&cluster);
    let rounds = rounds();
    let mut slept = String::new();
    for round in 0..rounds {
        let passing = 3 + round * 5 % 17;
        let armed = format!("stop {}:{passing}", Point::AfterLaneSent.name());
        let sleeper = world.setup.spawn_armed(&armed);
        sleeper.wait_until_stopped();
        let other = world.setup.start();
        wait_for_lanes(&other, LANES);
        world.wait_for_versions(2);
        sleeper.signal("CONT");
        // It finds out, and takes its share again.
        share(&sleeper, &other);
        world.wait_for_versions(2);
        assert!(sleeper.metric("conflictwire_kafka_rebalances_total", "kind=\"lost\"") >= 1.0);
        slept += &sleeper.text();
        sleeper.stop();
        other.stop();
    }
    world.recover().stop();
    let row = world.audit("replica stopped and woken", rounds);
    assert!(row.aborted > 0, "it slept outside a transaction:\n{slept}");
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_replica_that_is_asked_to_leave_hands_its_lanes_over() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    use_long_sessions(&mut world.setup);
    let (mut first, mut second) = two_replicas(&world);
    for _ in 0..rounds() {
        first.stop();
        wait_for_lanes(&second, LANES);
        world.wait_for_versions(2);
        first = second;
        second = world.setup.start();
        share(&first, &second);
    }
    world.catch_up();
    first.stop();
    second.stop();
    let row = world.audit("replica asked to leave", rounds());
    assert_eq!(row.aborted, 0, "a hand-over that leaves something open is none");
}

/// The group protocol of KIP-848, which an operator may ask for: brokers place the lanes.
#[test]
#[ignore = "needs Kafka: make test"]
fn the_newer_group_protocol_gives_lanes_too() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    set_properties(&mut world.setup, &[("group.protocol", "consumer")]);
    let (first, second) = two_replicas(&world);
    // Those that no lane is left for stand by: as ready as the others, and told of nothing.
    let spare: Vec<Daemon> = (0..LANES).map(|_| world.setup.start()).collect();
    for daemon in &spare {
        wait_until_ready(daemon);
    }
    spare.into_iter().for_each(Daemon::stop);
    // Brokers tell nobody who is in such a group, and that is said.
    let unseen = eventually("what cannot be seen", || {
        ask(&first, "/api/lanes").json()["unseen"].as_str().map(str::to_owned)
    });
    assert!(unseen.starts_with("other replicas are not known: "), "{unseen}");
    first.stop();
    wait_for_lanes(&second, LANES);
    world.wait_for_versions(2);
    world.catch_up();
    second.stop();
    let row = world.audit("newer group protocol", 1);
    assert_eq!(row.aborted, 0);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn replicas_are_replaced_one_by_one_under_load() {
    let cluster = Cluster::quiet();
    let world = World::new(&cluster);
    let mut running = vec![world.setup.start(), world.setup.start()];
    let replaced = 2 + rounds();
    for _ in 0..replaced {
        running.push(world.setup.start());
        wait_until("all lanes to be owned", || {
            running.iter().map(lanes_owned).sum::<Option<usize>>() == Some(LANES)
        });
        world.wait_for_versions(1);
        running.remove(0).stop();
    }
    world.catch_up();
    running.into_iter().for_each(Daemon::stop);
    world.audit("rolling restart", replaced);
}

/// A document ends the replica that reads it, and is there for the one that takes the lane over. That one
/// reads it in a process of its own first, and lives.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_document_that_ends_a_replica_does_not_end_the_next() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    let path = "/poison.xml";
    world.publisher.serve(path, [Reply::status(404)]);
    world.setup.feed("poison", &world.publisher.url_at(HOSTS[0], path));
    let (mut first, mut second) = two_replicas(&world);
    let poison = rss(&[&item("poison", "conflictwire-fault:deep")]);
    world.publisher.serve(path, [Reply::feed(poison)]);
    wait_until("a replica to end", || !first.is_running() || !second.is_running());

    let (ended, mut survivor) = if first.is_running() { (second, first) } else { (first, second) };
    assert!(ended.text().contains("overflowed its stack"), "{}", ended.text());
    wait_for_lanes(&survivor, LANES);
    let state = world.ledger.wait_for_state("poison", |state| state.plan.put_off_for().is_some());
    assert_eq!(state.plan.last_failure.unwrap().class, FailureClass::Crash);
    survivor.wait_for_metric("conflictwire_feeds", "state=\"crashed\"", 1.0);
    assert!(survivor.metric("conflictwire_careful_lanes", "") >= 1.0);
    world.wait_for_versions(2);
    world.catch_up();
    assert!(survivor.is_running());
    survivor.stop();
    world.audit("document ends a replica", 1);

    // The lanes were given back, and the next owner still knows that there is need for care.
    let next = world.setup.start();
    wait_for_lanes(&next, LANES);
    next.wait_for_metric("conflictwire_careful_lanes", "", 1.0);
    next.stop();
}

/// Lanes that were given back are taken up without any care.
#[test]
#[ignore = "needs Kafka: make test"]
fn lanes_that_were_given_back_are_not_read_with_care() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    // Time to give them back, however busy this machine is.
    world.setup.set("run.drain_timeout", "4m");
    let (first, second) = two_replicas(&world);
    first.stop();
    wait_for_lanes(&second, LANES);
    world.wait_for_versions(2);
    second.wait_for_metric("conflictwire_feeds", "state=\"fine\"", 8.0);
    assert_eq!(second.metric("conflictwire_careful_lanes", ""), 0.0);
    second.stop();
    let third = world.setup.start();
    wait_for_lanes(&third, LANES);
    third.wait_for_metric("conflictwire_feeds", "state=\"fine\"", 8.0);
    assert_eq!(third.metric("conflictwire_careful_lanes", ""), 0.0);
    assert_eq!(third.metric("conflictwire_trials_total", "outcome=\"read\""), 0.0);
    third.stop();
}
