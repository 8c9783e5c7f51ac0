//! A feed under a given id gets a URL with another host: it stays in the lane that has its state, and is
//! polled there, at its new URL.

use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::world::{HOSTS, use_kafka};
use crate::support::broker::Cluster;
use crate::support::daemon::{Daemon, Setup};
use crate::support::publisher::{Delivery, Gate, Publisher, Reply};
use crate::support::run::{item, rss};
use crate::support::topic_ledger::TopicLedger;
use crate::support::{PATIENCE, wait_until};

/// Serves these headlines, whatever was served before.
fn serve(publisher: &Publisher, titles: &[&str]) {
    let items: Vec<String> = titles.iter().map(|title| item(title, title)).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    publisher.serve("/feed.xml", [Reply::feed(rss(&items))]);
}

/// Which lane has the feed's state, by the log.
fn lanes_with_state(ledger: &TopicLedger) -> Vec<i32> {
    let mut lanes = std::collections::BTreeMap::new();
    for record in ledger.records("state").iter().filter(|record| record.key == "feed") {
        lanes.insert(record.partition, record.value.is_some());
    }
    lanes.into_iter().filter(|(_, is_there)| *is_there).map(|(lane, _)| lane).collect()
}

/// Puts the feed at a host.
fn at(setup: &mut Setup, publisher: &Publisher, host: &str) {
    setup.remove_feed("feed").feed("feed", &publisher.url_at(host, "/feed.xml"));
}

/// One feed, "feed", and topics with four lanes.
struct World {
    name: String,
    ledger: TopicLedger,
    publisher: Publisher,
    setup: Setup,
}

impl World {
    fn new(cluster: &Cluster) -> Self {
        let name = cluster.name("moves");
        let ledger = TopicLedger::create(cluster, &name, 4, 4);
        let publisher = Publisher::start();
        let mut setup = Setup::new();
        use_kafka(&mut setup, cluster.bootstrap(), &name);
        for host in HOSTS {
            setup.resolve(host);
        }
        Self { name, ledger, publisher, setup }
    }

    /// Puts the feed at the host of a lane.
    fn at(&mut self, lane: usize) {
        at(&mut self.setup, &self.publisher, HOSTS[lane]);
    }

    /// The same, while a daemon runs.
    #[track_caller]
    fn move_to(&mut self, lane: usize, daemon: &Daemon) {
        let reloads = |daemon: &Daemon| {
            daemon.metric("conflictwire_config_reloads_total", "outcome=\"accepted\"")
        };
        let before = reloads(daemon);
        self.at(lane);
        self.setup.write();
        daemon.signal("HUP");
        wait_until("the reload", || reloads(daemon) > before);
    }

    /// Starts with an article in the first lane, polls it until what is remembered is ahead of what is
    /// written, and moves to the second, where another article comes.
    #[track_caller]
    fn start_and_move(&mut self) -> Daemon {
        serve(&self.publisher, &["One"]);
        self.at(0);
        let daemon = self.setup.start();
        self.ledger.wait_for_rows("feed", 1);
        self.wait_for_polls(6);
        self.move_to(1, &daemon);
        serve(&self.publisher, &["Two", "One"]);
        self.ledger.wait_for_rows("feed", 2);
        daemon
    }

    /// Waits until the feed has been asked so many times more, and each poll but the last has ended.
    #[track_caller]
    fn wait_for_polls(&self, more: usize) {
        let now = self.publisher.requests("/feed.xml").len();
        self.publisher.wait_for_requests("/feed.xml", now + more);
    }

    /// Every headline committed, sorted.
    #[track_caller]
    fn titles(&self) -> Vec<String> {
        let rows = self.ledger.rows_of("feed");
        let mut titles: Vec<String> = rows.iter().map(|row| row.text("title").to_owned()).collect();
        titles.sort();
        titles
    }
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_feed_that_moves_to_another_host_goes_on_in_its_lane() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    serve(&world.publisher, &["One"]);
    world.at(0);
    let daemon = world.setup.start();
    world.ledger.wait_for_rows("feed", 1);
    daemon.stop();
    assert_eq!(lanes_with_state(&world.ledger), [0]);

    // While nobody runs.
    serve(&world.publisher, &["Two", "One"]);
    world.at(1);
    let daemon = world.setup.start();
    world.ledger.wait_for_rows("feed", 2);
    assert_eq!(lanes_with_state(&world.ledger), [0], "its state is in one lane only");

    // While it runs, by a reload; and back to where it was.
    world.move_to(0, &daemon);
    serve(&world.publisher, &["Three", "Two", "One"]);
    world.ledger.wait_for_rows("feed", 3);
    daemon.stop();
    assert_eq!(lanes_with_state(&world.ledger), [0]);
    assert_eq!(world.titles(), ["One", "Three", "Two"], "each once");
}

/// Most polls only change what is remembered in memory: what a lane remembers of a feed that left it
/// is ahead of what the log says, and older.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_feed_that_comes_back_is_not_known_by_what_was_before() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    let daemon = world.start_and_move();
    world.move_to(0, &daemon);
    world.wait_for_polls(4);
    daemon.stop();
    assert_eq!(world.titles(), ["One", "Two"]);
}

/// The same with a clean stop, which writes what was put off, before the feed comes back.
#[test]
#[ignore = "needs Kafka: make test"]
fn what_was_put_off_is_written_where_the_feed_is() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    let daemon = world.start_and_move();
    daemon.stop();
    assert_eq!(lanes_with_state(&world.ledger), [0]);
    world.at(0);
    let daemon = world.setup.start();
    world.wait_for_polls(4);
    daemon.stop();
    assert_eq!(world.titles(), ["One", "Two"]);
}

/// A reload moves the feed while a poll of it is under way, which commits where the feed was.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_feed_that_moves_while_it_is_polled_is_told_once() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    let gate = Gate::closed();
    let held = gate.clone();
    let first = rss(&[&item("One", "One")]);
    let later = rss(&[&item("Two", "Two"), &item("One", "One")]);
    let mut asked = 0;
    world.publisher.script("/feed.xml", move |_| {
        asked += 1;
        match asked {
            1 => Reply::feed(first.clone()),
            2 => Reply::feed(later.clone()).delivered(Delivery::Held(held.clone())),
            _ => Reply::feed(later.clone()),
        }
    });
    world.at(0);
    let daemon = world.setup.start();
    world.ledger.wait_for_rows("feed", 1);
    world.publisher.wait_for_requests("/feed.xml", 2);
    world.move_to(1, &daemon);
    gate.open();
    world.wait_for_polls(3);
    daemon.stop();
    assert_eq!(world.titles(), ["One", "Two"]);
}

/// The first commit in the new lane comes to nothing, because the lane was lost meanwhile and came
/// back.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_feed_whose_new_lane_is_lost_before_its_first_commit_is_found_again() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    serve(&world.publisher, &["Two", "One"]);
    world.at(0);
    let daemon = world.setup.start();
    world.ledger.wait_for_rows("feed", 2);
    daemon.stop();
    serve(&world.publisher, &["Three", "Two", "One"]);
    world.at(1);
    let daemon = world.setup.spawn_armed("stop after_begin:1");
    daemon.wait_until_stopped();
    // Past its session: the group has nobody any more.
    let observer: BaseConsumer = cluster.client().create().unwrap();
    wait_until("the group to be empty", || {
        let groups = observer.fetch_group_list(Some(&world.name), PATIENCE);
        groups.is_ok_and(|list| list.groups().iter().all(|group| group.members().is_empty()))
    });
    daemon.signal("CONT");
    world.ledger.wait_for_rows("feed", 3);
    world.wait_for_polls(3);
    daemon.stop();
    assert_eq!(world.titles(), ["One", "Three", "Two"]);
}

/// During a rolling update one replica has the new URL and one the old: whoever has the lane with the
/// feed's state polls it, by whichever URL it knows.
#[test]
#[ignore = "needs Kafka: make test"]
fn replicas_that_disagree_about_the_host_of_a_feed_tell_it_once() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    serve(&world.publisher, &["1"]);
    world.at(0);
    let old = world.setup.start();
    world.ledger.wait_for_rows("feed", 1);

    let mut setup = Setup::new();
    use_kafka(&mut setup, cluster.bootstrap(), &world.name);
    for host in HOSTS {
        setup.resolve(host);
    }
    at(&mut setup, &world.publisher, HOSTS[1]);
    let new = setup.start();
    let mut titles = vec!["1"];
    for title in ["2", "3"] {
        titles.insert(0, title);
        serve(&world.publisher, &titles);
        world.ledger.wait_for_rows("feed", titles.len());
        world.wait_for_polls(3);
    }
    old.stop();
    titles.insert(0, "4");
    serve(&world.publisher, &titles);
    world.ledger.wait_for_rows("feed", 4);
    world.wait_for_polls(3);
    new.stop();
    assert_eq!(world.titles(), ["1", "2", "3", "4"], "each once");
    assert_eq!(lanes_with_state(&world.ledger), [0]);
}
