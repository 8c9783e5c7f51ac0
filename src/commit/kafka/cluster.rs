//! Asks a Kafka what is there, and creates the topics that are missing: for commands.
//!
//! Nothing here waits for longer than it is told to. Topics are asked for by name, by a client that
//! never makes the brokers create what they are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResourceResult, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataBroker, MetadataTopic};
use tokio::time::Instant;

use super::settings::KafkaSettings;
use super::topics::{TopicNow, TopicPlan};
use super::trouble::{self, Heard};

/// How long one try to get an answer takes, before what was heard meanwhile is looked at: a password
/// that is refused will not be taken at the end of a longer wait either.
const TRY: Duration = Duration::from_secs(1);

/// For one question to brokers that have answered before.
const QUESTION: Duration = Duration::from_secs(5);

/// For the brokers to create topics.
const CREATION: Duration = Duration::from_secs(15);

/// How long a new topic may take until every broker knows of it.
const ARRIVAL: Duration = Duration::from_secs(10);

/// Why a Kafka cannot be worked with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// librdkafka does not take the properties.
    #[error("the Kafka client cannot be made: {why}")]
    Client {
        /// What is wrong with them.
        why: String,
    },
    /// Nothing answered, or nobody let us in.
    #[error("Kafka did not answer at {brokers}: {why}")]
    Away {
        /// As configured.
        brokers: String,
        /// What was heard of each.
        why: String,
    },
}

/// A broker as the others know it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broker {
    /// Its number.
    pub id: i32,
    /// Where it says it can be reached: its `advertised.listeners`.
    pub address: String,
}

/// What creating a topic came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It is there now.
    Created,
    /// It was there already.
    Existed,
    /// This user has no right to, which another may have.
    NotAllowed(String),
    /// The brokers refuse it of anybody, and why.
    Refused(String),
}

/// A Kafka that answers.
pub struct Cluster {
    settings: KafkaSettings,
    watcher: BaseConsumer<Heard>,
    admin: AdminClient<Heard>,
    brokers: Brokers,
}

/// The brokers of a Kafka, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brokers {
    /// Those that are there, by number.
    pub there: Vec<Broker>,
    /// Numbers of others that have copies of topics: they are away. One that has none is not known of.
    pub away: BTreeSet<i32>,
}

impl Brokers {
    fn of(metadata: &Metadata) -> Self {
        let broker = |broker: &MetadataBroker| Broker {
            id: broker.id(),
            address: format!("{}:{}", broker.host(), broker.port()),
        };
        let mut there: Vec<Broker> = metadata.brokers().iter().map(broker).collect();
        there.sort();
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        let copies = partitions.flat_map(|partition| partition.replicas());
        let is_away = |id: &i32| there.iter().all(|broker| broker.id != *id);
        let away = copies.copied().filter(is_away).collect();
        Self { there, away }
    }

    /// How many there are, those that are away too.
    pub fn count(&self) -> usize {
        self.there.len() + self.away.len()
    }
}

/// The fewest copies of a partition that are up to date, on brokers that are there: of a partition
/// without a leader Kafka tells who was the last to be.
pub(super) fn in_sync(topic: &MetadataTopic, brokers: &[MetadataBroker]) -> u32 {
    let is_there = |id: &&i32| brokers.iter().any(|broker| broker.id() == **id);
    let partitions = topic.partitions().iter();
    let least = partitions.map(|partition| partition.isr().iter().filter(is_there).count()).min();
    u32::try_from(least.unwrap_or(0)).unwrap_or(u32::MAX)
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Finds the brokers. Blocks for `wait` at most, and a little.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn connect(settings: &KafkaSettings, wait: Duration) -> Result<Self, ClusterError> {
        let mut config = settings.watcher();
        trouble::ask(&mut config);
        let client = |error: KafkaError| ClusterError::Client { why: trouble::shown(&error) };
        let watcher =
            BaseConsumer::from_config_and_context(&config, Heard::default()).map_err(client)?;
        let brokers = find_brokers(&watcher, wait)
            .map_err(|why| ClusterError::Away { brokers: settings.shown_brokers(), why })?;
        let admin = AdminClient::from_config_and_context(&settings.client(), Heard::default())
            .map_err(client)?;
        Ok(Self { settings: settings.clone(), watcher, admin, brokers })
    }

    /// Its brokers.
    pub fn brokers(&self) -> &Brokers {
        &self.brokers
    }

    /// How a topic is now.
    ///
    /// # Errors
    /// What the brokers say, for a person.
    pub async fn topic(&self, name: &str) -> Result<TopicNow, String> {
        let found = self.watcher.fetch_metadata(Some(name), QUESTION);
        let metadata = found.map_err(|error| self.heard_or(&error))?;
        let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
            return Ok(TopicNow::Missing);
        };
        match topic.error().map(RDKafkaErrorCode::from) {
            None => {}
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                return Ok(TopicNow::Missing);
            }
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => return Ok(TopicNow::Hidden),
            // A leader is missing: the topic is there, and what is known of it too.
            Some(RDKafkaErrorCode::LeaderNotAvailable) if !topic.partitions().is_empty() => {}
            Some(code) => return Err(trouble::shown_code(code)),
        }
        let replicas = topic.partitions().iter().map(|partition| partition.replicas().len());
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(TopicNow::There {
            partitions: count(topic.partitions().len()),
            replication: count(replicas.min().unwrap_or(0)),
            in_sync: in_sync(topic, metadata.brokers()),
            settings: self.topic_settings(name).await,
        })
    }

    async fn topic_settings(&self, name: &str) -> Result<BTreeMap<String, String>, String> {
        describe(&self.admin, name, QUESTION).await.map_err(|why| why.to_string())
    }

    /// Creates topics, and waits until they are known; in the order given.
    pub async fn create(&self, plans: &[&TopicPlan]) -> Vec<Creation> {
        let mut created = Vec::new();
        for plan in plans {
            created.push(self.create_one(plan).await);
        }
        let new = plans.iter().zip(&created).filter(|(_, made)| **made == Creation::Created);
        let new: Vec<&str> = new.map(|(plan, _)| plan.name.as_str()).collect();
        if !new.is_empty() {
            self.wait_for(&new).await;
        }
        created
    }

    async fn create_one(&self, plan: &TopicPlan) -> Creation {
        let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let replication = TopicReplication::Fixed(number(plan.replication));
        let mut topic = NewTopic::new(&plan.name, number(plan.partitions), replication);
        for setting in &plan.settings {
            topic = topic.set(setting.key, &setting.value);
        }
        let options =
            AdminOptions::new().request_timeout(Some(CREATION)).operation_timeout(Some(CREATION));
        let code = match self.admin.create_topics([&topic], &options).await {
            Ok(results) => match results.into_iter().next() {
                Some(Ok(_name)) => return Creation::Created,
                Some(Err((_name, code))) => code,
                None => return Creation::Refused("the brokers said nothing of it".to_owned()),
            },
            Err(error) => return Creation::Refused(self.heard_or(&error)),
        };
        match code {
            RDKafkaErrorCode::TopicAlreadyExists => Creation::Existed,
            RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed => Creation::NotAllowed(format!(
                "Create on topic {} (or on the cluster) is missing",
                plan.name
            )),
            RDKafkaErrorCode::InvalidReplicationFactor => {
                let (there, all) = (self.brokers.there.len(), self.brokers.count());
                Creation::Refused(format!(
                    "replication {}, and {there} of {all} brokers are there; try again when more \
                     are, or use --replication {there} at most",
                    plan.replication
                ))
            }
            RDKafkaErrorCode::PolicyViolation => Creation::Refused(
                "a policy of the brokers (create.topic.policy.class.name) refuses it".to_owned(),
            ),
            other => Creation::Refused(trouble::shown_code(other)),
        }
    }

    /// Until every broker knows topics with their leaders: who asks too early hears that there are none.
    /// Each is asked by clients that know no other.
    async fn wait_for(&self, topics: &[&str]) {
        let until = Instant::now() + ARRIVAL;
        for broker in &self.brokers.there {
            let mut config = self.settings.watcher();
            trouble::ask(&mut config);
            config.set("bootstrap.servers", &broker.address);
            let is_known = |topic: &&str| {
                BaseConsumer::from_config_and_context(&config, Heard::default())
                    .is_ok_and(|watcher| knows(&watcher, topic))
            };
            while Instant::now() < until && !topics.iter().all(is_known) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }

    /// What the client heard meanwhile, else what a call said.
    fn heard_or(&self, error: &KafkaError) -> String {
        listen(&self.watcher);
        self.watcher.context().text().unwrap_or_else(|| trouble::shown(error))
    }
}

/// Whether whoever answers a client knows a topic with its leaders.
fn knows(watcher: &BaseConsumer<Heard>, topic: &str) -> bool {
    watcher.fetch_metadata(Some(topic), TRY).is_ok_and(|found| {
        found.topics().iter().any(|topic| {
            topic.error().is_none()
                && !topic.partitions().is_empty()
                && topic.partitions().iter().all(|partition| partition.leader() >= 0)
        })
    })
}

/// Why the settings of a topic are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Undescribed {
    /// No setting was told, and not why: this client drops the reason. Mostly it is a right.
    #[error(
        "the brokers tell none of them; DescribeConfigs on topic {topic} is missing, or the topic is new"
    )]
    Untold {
        /// The topic.
        topic: String,
    },
    /// May work next time.
    #[error("{0}")]
    Unanswered(String),
}

/// The settings of a topic.
///
/// # Errors
/// [`Undescribed`].
pub(super) async fn describe<C: ClientContext>(
    admin: &AdminClient<C>,
    topic: &str,
    wait: Duration,
) -> Result<BTreeMap<String, String>, Undescribed> {
    let options = AdminOptions::new().request_timeout(Some(wait));
    let topics = [ResourceSpecifier::Topic(topic)];
    let described = admin.describe_configs(topics.iter(), &options).await;
    let described: Option<ConfigResourceResult> = described
        .map_err(|error| Undescribed::Unanswered(trouble::shown(&error)))?
        .into_iter()
        .next();
    match described {
        // Where it is not allowed, this client hears of no error but of no setting either.
        Some(Ok(described)) if !described.entries.is_empty() => Ok(described
            .entries
            .into_iter()
            .filter_map(|entry| Some((entry.name, entry.value?)))
            .collect()),
        Some(Ok(_) | Err(RDKafkaErrorCode::TopicAuthorizationFailed)) => {
            Err(Undescribed::Untold { topic: topic.to_owned() })
        }
        Some(Err(code)) => Err(Undescribed::Unanswered(trouble::shown_code(code))),
        None => Err(Undescribed::Unanswered("the brokers said nothing of them".to_owned())),
    }
}

/// Finds the brokers, and gives up early where waiting does not help.
pub(super) fn find_brokers(
    watcher: &BaseConsumer<Heard>,
    wait: Duration,
) -> Result<Brokers, String> {
    let until = Instant::now() + wait;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let error = match watcher.fetch_metadata(None, left.min(TRY)) {
            Ok(metadata) => {
                watcher.context().forget();
                return Ok(Brokers::of(&metadata));
            }
            Err(error) => error,
        };
        listen(watcher);
        let heard = watcher.context();
        if heard.is_refused() || Instant::now() >= until {
            let texts = heard.texts();
            return Err(if texts.is_empty() {
                format!("{} after {wait:?}, and nothing more is known", trouble::shown(&error))
            } else {
                texts.join("; ")
            });
        }
    }
}

/// Lets the client say what it heard; only whoever polls is told.
pub(super) fn listen(watcher: &BaseConsumer<Heard>) {
    // A poll gives one event, and there are few.
    for _event in 0..100 {
        if watcher.poll(Duration::from_millis(1)).is_none() {
            return;
        }
    }
}
