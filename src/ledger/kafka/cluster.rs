//! Asks a Kafka what is there, and creates the topics that are missing: for commands.
//!
//! Nothing here waits for longer than it is told to. Topics are asked for by name, by a client that
//! never makes the brokers create what they are asked for.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::time::Instant;

use super::client::{Brokers, Client, LastErrors};
use super::error::{self, AccessError};
use super::settings::KafkaSettings;
use super::topics::{Described, TopicNow, TopicPlan};

/// For one question to brokers that have answered before.
pub(super) const QUESTION: Duration = Duration::from_secs(5);

/// For the brokers to create topics.
const CREATION: Duration = Duration::from_secs(15);

/// How long a new topic may take until every broker knows of it.
const ARRIVAL: Duration = Duration::from_secs(10);

/// What creating a topic came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It is there now.
    Created,
    /// It was there already.
    Existed,
    /// This user is not allowed to; another may be.
    NotAllowed(String),
    /// The brokers refuse it of anybody, and why.
    Refused(String),
}

/// A Kafka that answers.
pub struct Cluster {
    settings: KafkaSettings,
    client: Client,
    admin: AdminClient<LastErrors>,
    brokers: Brokers,
}

impl Cluster {
    /// Finds the brokers. Blocks for `wait` at most, and a little.
    ///
    /// # Errors
    /// [`AccessError::Client`] or [`AccessError::Away`].
    pub fn connect(settings: &KafkaSettings, wait: Duration) -> Result<Self, AccessError> {
        let client = Client::of_command(settings.watcher())?;
        let brokers = client.brokers(wait).map_err(|why| why.at(settings))?;
        let admin = AdminClient::from_config_and_context(&settings.client(), LastErrors::default())
            .map_err(|error| AccessError::Client(error::shown(&error)))?;
        Ok(Self { settings: settings.clone(), client, admin, brokers })
    }

    /// Its brokers.
    pub fn brokers(&self) -> &Brokers {
        &self.brokers
    }

    /// How each of these topics is now.
    pub async fn topics(&self, plans: &[TopicPlan]) -> Vec<Result<TopicNow, AccessError>> {
        let mut topics = Vec::new();
        for plan in plans {
            topics.push(match self.client.topic(&plan.name, QUESTION) {
                Ok(shape) => {
                    let settings = describe(&self.admin, &plan.name, QUESTION).await;
                    Ok(TopicNow { shape, settings })
                }
                Err(error) => Err(error),
            });
        }
        topics
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
            Err(error) => return Creation::Refused(self.client.why(&error)),
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
            other => Creation::Refused(error::shown_code(other)),
        }
    }

    /// Waits until every broker knows the topics and their leaders: a question that comes too early is
    /// answered with "unknown topic". Each broker is asked by a client of its own.
    async fn wait_for(&self, topics: &[&str]) {
        let until = Instant::now() + ARRIVAL;
        for broker in &self.brokers.there {
            let is_known = |topic: &&str| {
                let mut config = self.settings.watcher();
                config.set("bootstrap.servers", &broker.address);
                Client::of_command(config).is_ok_and(|client| client.knows(topic))
            };
            while Instant::now() < until && !topics.iter().all(is_known) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// The settings of a topic.
///
/// # Errors
/// [`AccessError::Undescribed`]; [`AccessError::Unanswered`], which may be over next time.
pub(super) async fn describe<C: ClientContext>(
    admin: &AdminClient<C>,
    topic: &str,
    wait: Duration,
) -> Described {
    let unanswered = |error: &KafkaError| AccessError::Unanswered(error::shown(error));
    let options = AdminOptions::new().request_timeout(Some(wait));
    let topics = [ResourceSpecifier::Topic(topic)];
    let described = admin.describe_configs(topics.iter(), &options).await;
    match described.map_err(|error| unanswered(&error))?.into_iter().next() {
        // Where it is not allowed, this client gets no error and no setting.
        Some(Ok(described)) if !described.entries.is_empty() => Ok(described
            .entries
            .into_iter()
            .filter_map(|entry| Some((entry.name, entry.value?)))
            .collect()),
        Some(Ok(_) | Err(RDKafkaErrorCode::TopicAuthorizationFailed)) => {
            Err(AccessError::Undescribed(topic.to_owned()))
        }
        Some(Err(code)) => Err(unanswered(&KafkaError::AdminOp(code))),
        None => Err(AccessError::Unanswered("the brokers said nothing of them".to_owned())),
    }
}
