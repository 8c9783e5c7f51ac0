//! Kafka for the tests: real brokers on loopback, started when the first test asks for them.
//!
//! One cluster of three serves all tests of this binary, and ends with it, however it ends. A test that only uses it holds
//! [`Cluster::quiet`], any number at a time; a test that kills brokers holds [`Cluster::alone`],
//! which lets nobody else in and leaves the cluster whole. Tests do not see each other's data:
//! each has topics, transactional ids and groups of its own name.
//!
//! `CONFLICTWIRE_TEST_KAFKA` names brokers that already run, and may not be disturbed.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::node::{Doing, Node, Plan, guard};
use super::topics::Topics;
use super::{PATIENCE, eventually, wait_until};

/// Nodes of the shared cluster: the fewest that have a majority without one of them.
const NODES: i32 = 3;

/// Whose data a folder holds: 22 characters, any.
const CLUSTER_ID: &str = "conflictwire-in-testsA";

/// How long one request may take before it is asked again.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Keys and values of a topic's configuration.
pub(crate) type Settings<'a> = &'a [(&'a str, &'a str)];

/// Brokers, and a client that asks them about themselves.
pub(crate) struct Cluster {
    bootstrap: String,
    /// None of them if they are somebody else's.
    nodes: Vec<Node>,
    /// Asks what there is. A paused broker looks to it like one that thinks: it soon gives up and
    /// asks another.
    observer: Observer,
}

/// Asks brokers. After a question without an answer it makes a new client, which knows nothing of the
/// brokers that were there before: whatever an old one waits for, a test does not wait with it.
pub(crate) struct Observer {
    config: ClientConfig,
    client: Mutex<Option<BaseConsumer>>,
}

impl Observer {
    /// Asks through clients so configured.
    pub(crate) fn through(config: ClientConfig) -> Self {
        Self { config, client: Mutex::default() }
    }

    /// The answer to a question, if there is one.
    pub(crate) fn ask<T>(
        &self,
        question: impl FnOnce(&BaseConsumer) -> KafkaResult<T>,
    ) -> Option<T> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = question(client.get_or_insert_with(|| self.config.create().unwrap())).ok();
        if answer.is_none() {
            *client = None;
        }
        answer
    }
}

/// The shared cluster as ordinary tests hold it: whole, for as long as they hold it.
pub(crate) struct Quiet(RwLockReadGuard<'static, Cluster>);

impl Deref for Quiet {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.0
    }
}

/// The shared cluster as a test holds it that disturbs brokers. Dropped, it is whole again.
pub(crate) struct Alone(RwLockWriteGuard<'static, Cluster>);

impl Deref for Alone {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.0
    }
}

impl DerefMut for Alone {
    fn deref_mut(&mut self) -> &mut Cluster {
        &mut self.0
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.heal();
    }
}

impl Cluster {
    /// The shared cluster, together with others that leave it alone. To be held once: a second
    /// time would wait for whoever waits for the first to end.
    #[track_caller]
    pub(crate) fn quiet() -> Quiet {
        // Poisoned, if a test failed while it disturbed brokers: it has brought them back.
        let guard = Self::shared().read().unwrap_or_else(PoisonError::into_inner);
        guard.wait_until_whole();
        Quiet(guard)
    }

    /// The shared cluster, with nobody else on it, to be disturbed.
    ///
    /// # Panics
    /// If the brokers are not ours.
    #[track_caller]
    pub(crate) fn alone() -> Alone {
        let guard = Self::shared().write().unwrap_or_else(PoisonError::into_inner);
        assert!(
            !guard.nodes.is_empty(),
            "this test kills brokers, and those of CONFLICTWIRE_TEST_KAFKA are not its own: unset \
             it, and `make test` starts some"
        );
        guard.wait_until_whole();
        Alone(guard)
    }

    fn shared() -> &'static RwLock<Self> {
        static SHARED: OnceLock<RwLock<Cluster>> = OnceLock::new();
        SHARED.get_or_init(|| {
            #[expect(clippy::disallowed_methods, reason = "asks for the tests, not the program")]
            let theirs = std::env::var("CONFLICTWIRE_TEST_KAFKA");
            RwLock::new(match theirs {
                Ok(bootstrap) if !bootstrap.is_empty() => Self::at(bootstrap),
                _ => Self::start(NODES),
            })
        })
    }

    /// Brokers that run already.
    fn at(bootstrap: String) -> Self {
        let cluster = Self::unseen(bootstrap);
        cluster.metadata();
        cluster
    }

    /// Brokers that may run some day.
    fn unseen(bootstrap: String) -> Self {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &bootstrap).set("reconnect.backoff.max.ms", "1000");
        client.set("socket.timeout.ms", "1500").set("socket.connection.setup.timeout.ms", "1500");
        Self { bootstrap, nodes: Vec::new(), observer: Observer::through(client) }
    }

    /// Starts so many brokers, which live until this process ends, and waits until each is seen.
    pub(crate) fn start(nodes: i32) -> Self {
        Self::run(&Plan::new(&own_folder(), nodes))
    }

    /// Starts what is planned, and waits until each broker is seen.
    pub(crate) fn run(plan: &Plan) -> Self {
        guard(&plan.folder);
        std::thread::scope(|scope| {
            for ports in &plan.ports {
                scope.spawn(|| Node::format(plan, *ports, CLUSTER_ID));
            }
        });
        let mut nodes: Vec<Node> =
            plan.ports.iter().map(|ports| Node::start(plan, ports.id)).collect();
        let bootstrap: Vec<String> =
            plan.ports.iter().map(|ports| format!("127.0.0.1:{}", ports.broker)).collect();
        let mut cluster = Self::unseen(bootstrap.join(","));
        wait_until("all brokers to be seen", || {
            for node in &mut nodes {
                assert!(!node.has_failed(), "node {} ended:\n{}", node.id, node.last_words());
            }
            cluster.broker_ids().len() == nodes.len()
        });
        cluster.nodes = nodes;
        cluster
    }
}

/// What a test asks of a cluster.
impl Cluster {
    /// Where it answers: the value of `bootstrap.servers`.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The start of a client's configuration.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.bootstrap).set("reconnect.backoff.max.ms", "1000");
        client
    }

    /// A name that no other test has, of this run or another: for topics, ids and groups.
    pub(crate) fn name(&self, test: &str) -> String {
        static NAMES: AtomicU32 = AtomicU32::new(0);
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        format!("{test}-{}-{number}", std::process::id())
    }

    /// A reader of its topics.
    pub(crate) fn topics(&self) -> Topics {
        Topics::through(self.client())
    }

    /// Asks for one request: a client that has lived through the end of all brokers may wait for the
    /// answer of one that is gone until the request times out.
    fn admin(&self) -> AdminClient<DefaultClientContext> {
        AdminClient::from_config(&self.client()).unwrap()
    }

    /// Makes a topic, with a copy on each node, and waits until every partition has a leader.
    #[track_caller]
    pub(crate) fn create_topic(&self, name: &str, partitions: i32, settings: Settings<'_>) {
        self.create_topics(&[(name, partitions, settings)]);
    }

    /// Makes several topics at once: name, partitions and settings of each.
    #[track_caller]
    pub(crate) fn create_topics(&self, topics: &[(&str, i32, Settings<'_>)]) {
        let copies = self.broker_ids().len().clamp(1, 3);
        let copies = i32::try_from(copies).unwrap();
        let new: Vec<NewTopic<'_>> = topics
            .iter()
            .map(|(name, partitions, settings)| {
                let topic = NewTopic::new(name, *partitions, TopicReplication::Fixed(copies));
                settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
            })
            .collect();
        let made = complete(self.admin().create_topics(&new, &admin_options())).unwrap();
        made.into_iter().for_each(|result| drop(result.unwrap()));
        wait_until("leaders of the new topics", || {
            let metadata = self.metadata();
            topics.iter().all(|(name, partitions, _)| {
                let found = metadata.topics().iter().find(|found| found.name() == *name);
                found.is_some_and(|found| {
                    found.partitions().len() == usize::try_from(*partitions).unwrap()
                        && found.partitions().iter().all(|partition| partition.leader() > 0)
                })
            })
        });
    }

    /// Sets what a topic is configured with; all else goes back to its default.
    #[track_caller]
    pub(crate) fn configure_topic(&self, name: &str, settings: Settings<'_>) {
        let resource = AlterConfig::new(ResourceSpecifier::Topic(name));
        let resource = settings.iter().fold(resource, |all, (key, value)| all.set(key, value));
        let done = complete(self.admin().alter_configs([&resource], &admin_options())).unwrap();
        done.into_iter().for_each(|result| drop(result.unwrap()));
    }

    /// Removes all records of a topic, as its retention would in time.
    #[track_caller]
    pub(crate) fn remove_records(&self, name: &str) {
        let mut ends = TopicPartitionList::new();
        for partition in 0..self.partitions(name).unwrap() {
            ends.add_partition_offset(name, partition, Offset::End).unwrap();
        }
        let removed = complete(self.admin().delete_records(&ends, &admin_options())).unwrap();
        removed.elements().iter().for_each(|partition| partition.error().unwrap());
    }

    /// Deletes a topic.
    #[track_caller]
    pub(crate) fn delete_topic(&self, name: &str) {
        let gone = complete(self.admin().delete_topics(&[name], &admin_options())).unwrap();
        gone.into_iter().for_each(|result| drop(result.unwrap()));
    }

    /// The node that leads a partition, as far as the cluster knows: a dead one still does for the
    /// seconds it takes to be missed.
    #[track_caller]
    pub(crate) fn leader(&self, topic: &str, partition: i32) -> i32 {
        eventually(format!("a leader of {topic}/{partition}"), || {
            let metadata = self.metadata();
            let topic = metadata.topics().iter().find(|found| found.name() == topic)?;
            let found = topic.partitions().iter().find(|found| found.id() == partition)?;
            (found.leader() > 0).then(|| found.leader())
        })
    }

    /// The node that coordinates a transactional id.
    #[track_caller]
    pub(crate) fn transaction_coordinator(&self, transactional_id: &str) -> i32 {
        let topic = "__transaction_state";
        if self.partitions(topic).is_none() {
            // Kafka makes the topic when the first transactional id asks.
            let mut client = self.client();
            client.set("transactional.id", self.name("first"));
            let producer: BaseProducer = client.create().unwrap();
            producer.init_transactions(PATIENCE).unwrap();
        }
        self.leader(topic, self.home(transactional_id, topic))
    }

    /// The node that coordinates a consumer group.
    #[track_caller]
    pub(crate) fn group_coordinator(&self, group: &str) -> i32 {
        let topic = "__consumer_offsets";
        if self.partitions(topic).is_none() {
            // Kafka makes the topic when the first group asks.
            let consumer: BaseConsumer =
                self.client().set("group.id", self.name("first")).create().unwrap();
            let mut asked = TopicPartitionList::new();
            asked.add_partition("nothing", 0);
            // There is no such offset; to be asked is what counts.
            drop(consumer.committed_offsets(asked, PATIENCE));
        }
        self.leader(topic, self.home(group, topic))
    }

    /// The partition of a coordinator's topic in which an id lives, as Kafka computes it.
    #[track_caller]
    fn home(&self, id: &str, topic: &str) -> i32 {
        let partitions = eventually(topic, || self.partitions(topic));
        java_hash(id).checked_abs().unwrap_or(0) % partitions
    }

    /// How many partitions a topic has. `None` if it is not there.
    #[track_caller]
    pub(crate) fn partitions(&self, topic: &str) -> Option<i32> {
        let metadata = self.metadata();
        let topic = metadata.topics().iter().find(|found| found.name() == topic)?;
        i32::try_from(topic.partitions().len()).ok().filter(|count| *count > 0)
    }

    /// What some broker knows of all topics.
    #[track_caller]
    fn metadata(&self) -> Metadata {
        eventually("metadata of the cluster", || self.metadata_now())
    }

    /// The same, if a broker answers.
    fn metadata_now(&self) -> Option<Metadata> {
        self.observer.ask(|client| client.fetch_metadata(None, ANSWER_TIMEOUT))
    }

    /// The brokers that are seen now.
    fn broker_ids(&self) -> BTreeSet<i32> {
        let metadata = self.metadata_now();
        let brokers = metadata.iter().flat_map(|metadata| metadata.brokers());
        brokers.map(|broker| broker.id()).collect()
    }
}

/// What a test does to a cluster that it has to itself.
impl Cluster {
    /// The ids of its nodes.
    pub(crate) fn node_ids(&self) -> Vec<i32> {
        self.nodes.iter().map(|node| node.id).collect()
    }

    /// Kills a node by SIGKILL, and returns once it is dead; the others miss it later.
    pub(crate) fn kill(&mut self, node: i32) {
        self.node(node).kill();
    }

    /// Starts a killed node. It serves later: [`Cluster::wait_until_whole`].
    pub(crate) fn restart(&mut self, node: i32) {
        self.node(node).restart();
    }

    /// Stops a node where it is, by SIGSTOP: its connections stay open and nothing answers.
    pub(crate) fn pause(&mut self, node: i32) {
        self.node(node).pause();
    }

    /// Lets a paused node go on.
    pub(crate) fn resume(&mut self, node: i32) {
        self.node(node).resume();
    }

    fn node(&mut self, id: i32) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.id == id).unwrap()
    }

    /// Waits until every node is seen and has every copy.
    #[track_caller]
    pub(crate) fn wait_until_whole(&self) {
        wait_until("the cluster to be whole", || self.is_whole());
    }

    /// Whether every node is seen and has every copy.
    fn is_whole(&self) -> bool {
        if self.nodes.is_empty() {
            // Somebody else's, and theirs to keep whole.
            return true;
        }
        let Some(metadata) = self.metadata_now() else { return false };
        let mut partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        metadata.brokers().len() == self.nodes.len()
            && partitions.all(|partition| {
                partition.leader() > 0 && partition.isr().len() == partition.replicas().len()
            })
    }

    /// Brings every node back and waits until the cluster is whole.
    fn heal(&mut self) {
        for node in &mut self.nodes {
            match node.doing {
                Doing::Running => {}
                Doing::Paused => node.resume(),
                Doing::Dead => node.restart(),
            }
        }
        if std::thread::panicking() {
            // A second panic would end all tests. The next one that asks for the cluster waits.
            return;
        }
        self.wait_until_whole();
    }
}

/// A new folder for a cluster. Its guard removes it.
pub(crate) fn own_folder() -> PathBuf {
    tempfile::Builder::new().prefix("conflictwire-kafka-").tempdir().unwrap().keep()
}

/// Drives a request to its end.
pub(crate) fn complete<T>(request: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(request)
}

/// Long enough for a cluster that shares two processors with the tests.
fn admin_options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

/// `String.hashCode` of Java, by which Kafka places ids.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}
