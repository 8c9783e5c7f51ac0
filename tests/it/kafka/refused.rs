//! What Kafka will not have, or does not have as it must be: one lane, one record, one right or one
//! topic is wrong; it is named, everything else goes on, and when it is mended so is the daemon.

use serde_json::{Value, json};

use super::world::{
    HOSTS, LANES, World, check_that_nobody_is_asked, lanes_owned, use_kafka, wait_for_lanes,
    wait_until_all_lanes_are_taken, wait_until_ready, wait_until_unready,
};
use crate::support::broker::Cluster;
use crate::support::daemon::{Setup, field};
use crate::support::growing::Growing;
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{item, rss};
use crate::support::secured::{Resource, password};
use crate::support::topic_ledger::{LANE_KEY, TopicLedger};
use crate::support::wait_until;

/// What `__lane` said last in a lane.
fn head(world: &World, lane: i32) -> Value {
    let records = world.ledger.records("state");
    let of_lane = |record: &&_| -> bool {
        let record: &crate::support::topics::TopicRecord = record;
        record.partition == lane && record.key == LANE_KEY
    };
    records.iter().rfind(of_lane).unwrap().value.clone().unwrap()
}

/// The log of one lane ends with a sequence that was passed long ago: it lost something, or somebody
/// wrote to it. That lane is quarantined, the others go on; once somebody has written that it may go
/// on, it does, by itself.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_lane_whose_sequence_goes_back_is_quarantined_alone() {
    let cluster = Cluster::quiet();
    let world = World::new(&cluster);
    let daemon = world.setup.start();
    world.wait_until_committed(5);
    daemon.stop();
    let last = head(&world, 2);
    let sequence = last["sequence"].as_u64().unwrap();
    let mut back = last.clone();
    back["sequence"] = json!(sequence - 1);
    let state = world.ledger.topic("state");
    world.ledger.topics().produce(&state, 2, LANE_KEY, Some(&back));

    let daemon = world.setup.start();
    wait_for_lanes(&daemon, LANES - 1);
    wait_until_unready(&daemon, &["lane 2 is quarantined", "its sequence goes from"]);
    let line = daemon.wait_for_line("the lane is quarantined: nothing of it is polled");
    assert_eq!(field(&line, "lane.number"), Some(&json!(2)));
    assert!(daemon.metric("conflictwire_lane_state", "lane=\"2\",state=\"quarantined\"") >= 1.0);
    let (quarantined, others): (Vec<Growing>, Vec<Growing>) =
        world.feeds.iter().cloned().partition(|feed| feed.url.contains(HOSTS[2]));
    let before: usize = requests(&world.publisher, &quarantined);
    let served: Vec<usize> = others.iter().map(|feed| feed.served().len()).collect();
    wait_until("the others to go on", || {
        others.iter().zip(&served).all(|(feed, served)| feed.served().len() >= served + 2)
    });
    assert_eq!(requests(&world.publisher, &quarantined), before, "polled in quarantine");

    let mut mended = last;
    mended["sequence"] = json!(sequence + 1);
    world.ledger.topics().produce(&state, 2, LANE_KEY, Some(&mended));
    wait_for_lanes(&daemon, LANES);
    wait_until_ready(&daemon);
    world.catch_up();
    daemon.stop();
    // Ours are the only faults: what was written by hand above.
    let audit = world.ledger.audit(&world.feeds);
    assert_eq!((audit.lost, audit.twice), (0, 0), "{:#?}", audit.faults);
}

fn requests(publisher: &Publisher, feeds: &[Growing]) -> usize {
    feeds.iter().map(|feed| publisher.requests(&feed.path).len()).sum()
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_state_topic_with_another_number_of_partitions_ends_the_start() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    world.setup.set("kafka.lanes", 3);
    let mut daemon = world.setup.spawn();
    let status = daemon.wait_for_end();
    assert_eq!(status.code(), Some(78), "{}", daemon.text());
    let text = daemon.text();
    assert!(text.contains("has 4 partitions and kafka.lanes is 3"), "{text}");
    assert!(world.publisher.log().is_empty(), "polled all the same");
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_missing_topic_is_named_and_waited_for() {
    let cluster = Cluster::quiet();
    let name = cluster.name("missing");
    let (publisher, mut setup) = one_feed(&rss(&[&item("a", "Shelling kills three")]));
    use_kafka(&mut setup, cluster.bootstrap(), &name);
    let mut daemon = setup.start();
    wait_until_unready(&daemon, &[&format!("topic \"{name}.state\" is missing"), "topics apply"]);
    assert_eq!(daemon.ask("/livez").unwrap().0, 200);
    assert!(daemon.is_running() && publisher.log().is_empty());
    let ledger = TopicLedger::create(&cluster, &name, 4, 2);
    wait_until_ready(&daemon);
    assert_eq!(ledger.wait_for_rows("feed", 1).len(), 1);
    daemon.stop();
}

/// A topic whose settings lose what is committed is refused, at the start and later, and nothing is
/// polled until it is mended; then everything goes on by itself.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_topic_that_would_lose_history_is_not_written_to() {
    let cluster = Cluster::quiet();
    let name = cluster.name("history");
    let (publisher, mut setup) = one_feed(&rss(&[&item("a", "Shelling kills three")]));
    use_kafka(&mut setup, cluster.bootstrap(), &name);
    let ledger = TopicLedger::create(&cluster, &name, 4, 2);
    let [articles, state] = ["articles", "state"].map(|topic| ledger.topic(topic));
    cluster.configure_topic(&articles, &[("cleanup.policy", "compact")]);
    let daemon = setup.start();
    wait_until_unready(&daemon, &[&articles, "compaction drops earlier revisions"]);
    daemon.wait_for_line("nothing is polled: what is committed to Kafka would be lost");
    let wrong = "topic=\"articles\",kind=\"wrong\"";
    daemon.wait_for_metric("conflictwire_kafka_topic_faults", wrong, 1.0);
    assert!(publisher.log().is_empty(), "polled all the same");
    cluster.configure_topic(&articles, &[("cleanup.policy", "delete")]);
    ledger.wait_for_rows("feed", 1);
    wait_until_ready(&daemon);

    // While it runs.
    cluster.configure_topic(&state, &[("cleanup.policy", "delete")]);
    wait_until_unready(&daemon, &[&state, "feeds are forgotten in time"]);
    wait_until_all_lanes_are_taken(&daemon);
    check_that_nobody_is_asked(&daemon, &publisher);
    cluster.configure_topic(&state, &[("cleanup.policy", "compact")]);
    wait_for_lanes(&daemon, LANES);
    wait_until_ready(&daemon);
    daemon.stop();
}

/// A publisher of one document, and a daemon that polls it as "feed".
fn one_feed(document: &str) -> (Publisher, Setup) {
    let publisher = Publisher::start();
    publisher.serve("/feed.xml", [Reply::feed(document.to_owned()).header("ETag", "\"1\"")]);
    let mut setup = Setup::new();
    setup.resolve(HOSTS[0]).feed("feed", &publisher.url_at(HOSTS[0], "/feed.xml"));
    (publisher, setup)
}

/// An item that makes a record of more than 12,000 bytes.
fn long_item() -> String {
    let text = "The shelling went on all night. ".repeat(400);
    item("long", "Long").replace("</item>", &format!("<description>{text}</description></item>"))
}

/// Whether a record that is too large comes as far as a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    ByBrokers,
    ByUs,
}

/// Transactions of the one lane with a feed that came to nothing.
const FAILED: &str = "lane=\"0\",outcome=\"failed\"";

/// Three articles, of which one makes a record that is too large.
fn with_a_long_one() -> String {
    rss(&[&item("a", "Shelling kills three"), &long_item(), &item("b", "Talks begin")])
}

/// Topics take less than one of three records.
#[track_caller]
fn check_too_large(
    cluster: &Cluster,
    name: &str,
    (publisher, setup): (Publisher, Setup),
    seen: Seen,
) {
    let ledger = TopicLedger::at(cluster, name);
    let names = ["articles", "conflict", "rejects", "state"].map(|topic| ledger.topic(topic));
    let [articles, conflict, rejects, state] = names.each_ref().map(String::as_str);
    let small = [("max.message.bytes", "12000")];
    cluster.create_topics(&[
        (articles, 2, &small),
        (conflict, 2, &small),
        (rejects, 2, &[]),
        (state, 4, &[("cleanup.policy", "compact")]),
    ]);
    let daemon = setup.start();
    let rows = ledger.wait_for_rows("feed", 2);
    let titles: Vec<&str> = rows.iter().map(|row| row.text("title")).collect();
    assert_eq!(titles, ["Talks begin", "Shelling kills three"]);
    // A transaction is marked as committed in one topic after the other.
    ledger.wait_until_settled();
    let rejects = ledger.records("rejects");
    let reject = rejects[0].value.clone().unwrap();
    assert_eq!((rejects.len(), &reject["reason"]), (1, &json!("record")));
    assert!(reject["detail"].as_str().unwrap().contains("the topics take"), "{reject}");
    daemon.wait_for_line("an article is too large for its topics");
    let state = ledger.wait_for_state("feed", |state| state.memory.has_unpublished());
    let memory = state.unpacked_memory();
    let (id, waiting) = memory.unpublished.iter().next().unwrap();
    assert!(waiting.room.bytes > 12_000, "{waiting:?}");
    assert_eq!(memory.seen.find(*id).unwrap().revision, 0, "none is published");
    // It is not met again: the state remembers the article.
    let asked = publisher.requests("/feed.xml").len();
    publisher.serve("/feed.xml", [Reply::feed(rss(&[&item("c", "More"), &long_item()]))]);
    assert_eq!(ledger.wait_for_rows("feed", 3).len(), 3);
    assert!(publisher.requests("/feed.xml").len() > asked);
    let failed = daemon.metric("conflictwire_lane_transactions_total", FAILED);
    assert_eq!(failed > 0.0, seen == Seen::ByBrokers, "{failed} transactions failed");
    let unpublished = daemon.metric("conflictwire_lane_unpublished_total", "lane=\"0\"");
    assert!((unpublished - 1.0).abs() < f64::EPSILON, "{unpublished} records counted as too large");
    if seen == Seen::ByUs {
        // Room for it: what the document still shows is published as what it should have been.
        for topic in [articles, conflict] {
            cluster.configure_topic(topic, &[("max.message.bytes", "1000000")]);
        }
        let rows = ledger.wait_for_rows("feed", 4);
        assert_eq!((rows[3].text("title"), rows[3].revision), ("Long", 1));
        assert_eq!(rows[3].record["change"], "created");
        ledger.wait_for_state("feed", |state| !state.memory.has_unpublished());
    }
    daemon.stop();
    ledger.wait_until_settled();
    assert_eq!(ledger.records("rejects").len(), 1);
}

/// What topics take is known from their configuration, so the record is left out before a broker
/// sees it.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_record_that_topics_do_not_take_is_rejected_and_its_neighbours_are_not() {
    let cluster = Cluster::quiet();
    let name = cluster.name("large");
    let (publisher, mut setup) = one_feed(&with_a_long_one());
    use_kafka(&mut setup, cluster.bootstrap(), &name);
    check_too_large(&cluster, &name, (publisher, setup), Seen::ByUs);
}

/// The configuration of the topics is not ours to see: the broker refuses the batch, and the record
/// in it is found.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_record_that_a_broker_refuses_is_found_and_rejected() {
    let cluster = Cluster::secured().cluster();
    let name = cluster.name("refused");
    allow_all(&name);
    let world = secured_setup(&name, &with_a_long_one(), &[("compression.type", "none")]);
    check_too_large(cluster, &name, world, Seen::ByBrokers);
}

/// A broker refuses the state of a feed, so all of its outcome is refused. The feed is put off; the lane
/// is not in doubt, and the replica is ready, although nothing is committed after that.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_lane_whose_only_outcome_is_refused_is_not_said_to_be_in_doubt() {
    let cluster = Cluster::secured().cluster();
    let name = cluster.name("doubt");
    allow_all(&name);
    let ledger = TopicLedger::at(cluster, &name);
    let names = ["articles", "conflict", "rejects", "state"].map(|topic| ledger.topic(topic));
    let [articles, conflict, rejects, state] = names.each_ref().map(String::as_str);
    // Room for what a lane says of itself, and not for a feed with articles.
    let small = [("cleanup.policy", "compact"), ("max.message.bytes", "1000")];
    cluster.create_topics(&[
        (articles, 2, &[]),
        (conflict, 2, &[]),
        (rejects, 2, &[]),
        (state, 4, &small),
    ]);
    let items: Vec<String> =
        (0..40).map(|number| item(&number.to_string(), "Talks begin")).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let (_publisher, setup) = secured_setup(&name, &rss(&items), &[("compression.type", "none")]);
    let daemon = setup.start();
    daemon.wait_for_line("the ledger refused an outcome");
    assert!(daemon.metric("conflictwire_lane_transactions_total", FAILED) >= 1.0);
    wait_until_ready(&daemon);
    daemon.stop();
    ledger.wait_until_settled();
    assert!(ledger.rows().is_empty(), "no article without the state of its feed");
}

/// What the daemon needs, for topics, ids and group that begin with a name.
#[track_caller]
fn allow_all(name: &str) {
    let secured = Cluster::secured();
    secured.allow("daemon", &["Write", "Describe", "Read"], Resource::Topic(name));
    secured.allow("daemon", &["Write", "Describe"], Resource::TransactionalId(name));
    secured.allow("daemon", &["Read"], Resource::Group(name));
}

/// A daemon that comes in over TLS with SCRAM, its password in a file.
fn secured_setup(name: &str, document: &str, more: &[(&str, &str)]) -> (Publisher, Setup) {
    let secured = Cluster::secured();
    let (publisher, mut setup) = one_feed(document);
    use_kafka(&mut setup, &secured.bootstrap(), name);
    let mut properties: toml::Table =
        more.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    for (key, value) in secured.client_properties("daemon") {
        if !matches!(key, "bootstrap.servers" | "sasl.password") {
            properties.insert(key.to_owned(), value.into());
        }
    }
    setup.set("kafka.properties", properties);
    std::fs::write(setup.path("password"), format!("{}\n", password("daemon"))).unwrap();
    let files: toml::Table =
        [("sasl.password".to_owned(), "password".into())].into_iter().collect();
    setup.set("kafka.secret_files", files);
    (publisher, setup)
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_daemon_comes_in_over_tls_with_a_password_from_a_file() {
    let cluster = Cluster::secured().cluster();
    let name = cluster.name("tls");
    allow_all(&name);
    let ledger = TopicLedger::create(cluster, &name, 4, 2);
    let (_publisher, setup) =
        secured_setup(&name, &rss(&[&item("a", "Shelling kills three")]), &[]);
    let daemon = setup.start();
    assert_eq!(ledger.wait_for_rows("feed", 1).len(), 1);
    wait_until_ready(&daemon);
    assert!(!daemon.text().contains(&password("daemon")), "the password is in the log");
    daemon.stop();
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_wrong_password_is_named_and_not_shown() {
    let cluster = Cluster::secured().cluster();
    let name = cluster.name("password");
    TopicLedger::create(cluster, &name, 4, 2);
    let (_publisher, setup) = secured_setup(&name, &rss(&[]), &[]);
    std::fs::write(setup.path("password"), "hunter2").unwrap();
    let mut daemon = setup.start();
    wait_until_unready(&daemon, &["does not answer", "uthentication"]);
    assert!(daemon.is_running() && !daemon.text().contains("hunter2"));
}

/// The right to write articles is taken in the middle: commits wait, nothing is lost, the text says
/// which right; given back, the same outcomes are committed.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_right_that_is_taken_midway_is_waited_for() {
    let secured = Cluster::secured();
    let cluster = secured.cluster();
    let name = cluster.name("rights");
    allow_all(&name);
    let ledger = TopicLedger::create(cluster, &name, 4, 2);
    let (publisher, setup) = secured_setup(&name, &rss(&[&item("a", "Shelling kills three")]), &[]);
    let daemon = setup.start();
    ledger.wait_for_rows("feed", 1);

    let articles = ledger.topic("articles");
    // A prefix covers the others too, so each of them gets it back by its own name.
    secured.take_back("daemon", &["Write"], Resource::Topic(&name));
    for topic in ["conflict", "rejects", "state"] {
        secured.allow("daemon", &["Write"], Resource::Topic(&ledger.topic(topic)));
    }
    publisher.serve("/feed.xml", [Reply::feed(rss(&[&item("b", "Talks begin")]))]);
    wait_until_unready(&daemon, &["lane 0", "uthorization"]);
    assert_eq!(ledger.rows_of("feed").len(), 1);
    assert_eq!(lanes_owned(&daemon), Some(LANES - 1));

    secured.allow("daemon", &["Write"], Resource::Topic(&articles));
    let rows = ledger.wait_for_rows("feed", 2);
    assert_eq!(rows[1].text("title"), "Talks begin");
    wait_until_ready(&daemon);
    daemon.stop();
    ledger.wait_until_settled();
    assert_eq!(ledger.rows_of("feed").len(), 2, "once each");
}
