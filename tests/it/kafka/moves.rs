//! A feed under a given id gets a URL with another host, and so another lane: its state goes along.

use super::world::{HOSTS, use_kafka};
use crate::support::broker::Cluster;
use crate::support::daemon::Setup;
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{item, rss};
use crate::support::topic_ledger::TopicLedger;

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

#[test]
#[ignore = "needs Kafka: make test"]
fn a_feed_that_moves_to_another_host_takes_its_state_along() {
    let cluster = Cluster::quiet();
    let name = cluster.name("moves");
    let ledger = TopicLedger::create(&cluster, &name, 4, 4);
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    use_kafka(&mut setup, cluster.bootstrap(), &name);
    for host in HOSTS {
        setup.resolve(host);
    }
    let titles = || -> Vec<String> {
        ledger.rows_of("feed").iter().map(|row| row.text("title").to_owned()).collect()
    };

    serve(&publisher, &["One"]);
    at(&mut setup, &publisher, HOSTS[0]);
    let daemon = setup.start();
    ledger.wait_for_rows("feed", 1);
    daemon.stop();
    assert_eq!(lanes_with_state(&ledger), [0]);

    // While nobody runs, as a rolling restart does it.
    serve(&publisher, &["Two", "One"]);
    at(&mut setup, &publisher, HOSTS[1]);
    let daemon = setup.start();
    ledger.wait_for_rows("feed", 2);
    assert_eq!(lanes_with_state(&ledger), [1], "its state is in one lane only");

    // While it runs, by a reload; and back to where it was, where nothing old is found.
    at(&mut setup, &publisher, HOSTS[0]);
    setup.write();
    daemon.signal("HUP");
    daemon.wait_for_line("configuration reloaded");
    serve(&publisher, &["Three", "Two", "One"]);
    ledger.wait_for_rows("feed", 3);
    daemon.stop();
    assert_eq!(lanes_with_state(&ledger), [0]);
    let mut told = titles();
    told.sort();
    assert_eq!(told, ["One", "Three", "Two"], "each once");
}
