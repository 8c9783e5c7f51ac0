//! Looks at brokers and topics, at the start and now and then: whether there is anything to write to, and
//! whether what is committed there stays.
//!
//! What a topic must look like, and what a difference means, is `topics`'s. Here the daemon draws the
//! conclusion: nothing is polled while something is wrong, a risk is warned of once, and where it may
//! not look it says that nobody did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::cluster::{Undescribed, describe, in_sync};
use super::topics::{Choice, PARTITIONS, REPLICATION, Role, TopicNow, judge, plan};
use super::{Shared, lock};
use crate::commit::{CommitError, LaneChange};
use crate::decide::lane::Topics;

/// How often topics are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// The same while something is wrong with them: somebody waits.
const TROUBLE_INTERVAL: Duration = Duration::from_secs(1);

/// How often it is asked how they are set, which somebody may have changed: four small questions.
const DESCRIBE_INTERVAL: Duration = Duration::from_secs(15);

/// How long a look may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// What a broker takes, less than which is left for its own framing of a batch.
const BATCH_FRAMING_BYTES: usize = 1024;

/// What the last look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Topics are as they must be.
    Fine,
    /// Brokers are away, or topics, or rights.
    Troubled,
    /// What is committed would be lost.
    Refused,
}

/// The settings of a topic, or why they are not known.
type Described = Result<BTreeMap<String, String>, Undescribed>;

/// Looks, and remembers what it has told.
pub(super) struct Inspection {
    shared: Arc<Shared>,
    admin: AdminClient<DefaultClientContext>,
    looked_at: Option<Instant>,
    described_at: Option<Instant>,
    described: Vec<Described>,
    seen: Seen,
    told: Option<String>,
    /// What was warned of, by topic.
    warned: BTreeMap<String, String>,
}

impl Inspection {
    pub(super) fn new(shared: Arc<Shared>) -> KafkaResult<Self> {
        let admin = shared.settings.client().create()?;
        Ok(Self {
            shared,
            admin,
            looked_at: None,
            described_at: None,
            described: Vec::new(),
            seen: Seen::Troubled,
            told: None,
            warned: BTreeMap::new(),
        })
    }

    /// Looks at the topics if it is time to; says what the last look came to.
    pub(super) fn look(&mut self) -> Seen {
        let interval = if self.told.is_some() { TROUBLE_INTERVAL } else { LOOK_INTERVAL };
        if self.looked_at.is_some_and(|at| at.elapsed() < interval) {
            return self.seen;
        }
        let found = self.find_topics();
        self.looked_at = Some(Instant::now());
        let (seen, trouble, detail) = match found {
            Ok(topics) => {
                *lock(&self.shared.topics) = topics;
                (Seen::Fine, None, String::new())
            }
            Err(Trouble::Away { what, detail }) => {
                self.shared.board.metrics().topics_unseen();
                (Seen::Troubled, Some(what), format!(": {detail}"))
            }
            Err(Trouble::Wrong(why)) => (Seen::Troubled, Some(why), String::new()),
            Err(Trouble::Refused(why)) => (Seen::Refused, Some(why), String::new()),
            Err(Trouble::Lasting(why)) => {
                self.shared.tell(LaneChange::Over(CommitError::Misconfigured(why.clone())));
                (Seen::Troubled, Some(why), String::new())
            }
        };
        self.tell(seen, trouble.as_deref(), &detail);
        self.shared.board.set_topics(trouble.as_ref().map(|why| format!("{why}{detail}")));
        self.told = trouble;
        // Brokers that go away do not mend what was refused.
        if !(seen == Seen::Troubled && self.seen == Seen::Refused) {
            self.seen = seen;
        }
        self.seen
    }

    /// Says each thing that is wrong once; why brokers do not answer changes by the second.
    fn tell(&self, seen: Seen, trouble: Option<&str>, detail: &str) {
        match (self.told.as_deref(), trouble) {
            (told, Some(why)) if told != Some(why) && seen == Seen::Refused => {
                error!(error = why, "nothing is polled: what is committed to Kafka would be lost");
            }
            (told, Some(why)) if told != Some(why) => {
                warn!(
                    error = format!("{why}{detail}"),
                    "Kafka is not as it must be; waiting for it"
                );
            }
            (Some(_), None) => info!("Kafka is as it must be"),
            (_, _) => {}
        }
    }

    fn find_topics(&mut self) -> Result<Topics, Trouble> {
        let settings = self.shared.settings.clone();
        let plans = plan(&settings, Choice { partitions: PARTITIONS, replication: REPLICATION });
        // The state topic first: without it there is no lane, and its name tells most.
        let mut shapes: BTreeMap<&str, Shape> = BTreeMap::new();
        for plan in plans.iter().rev() {
            let shape = self.shape(&plan.name)?;
            if plan.role == Role::State && shape.partitions != settings.lanes {
                let (name, state) = (&plan.name, shape.partitions);
                return Err(Trouble::Lasting(format!(
                    "topic \"{name}\" has {state} partitions and kafka.lanes is {}; lanes are fixed \
                     for a deployment: set kafka.lanes = {state}, or use another deployment with \
                     topics of its own",
                    settings.lanes
                )));
            }
            shapes.insert(plan.name.as_str(), shape);
        }
        self.describe();
        let mut refused = Vec::new();
        for (plan, described) in plans.iter().zip(&self.described) {
            let Some(shape) = shapes.get(plan.name.as_str()) else { continue };
            let now = TopicNow::There {
                partitions: shape.partitions,
                replication: shape.replication,
                in_sync: shape.in_sync,
                settings: described.clone().map_err(|why| why.to_string()),
            };
            let judged = judge(plan, &now);
            let unseen = usize::from(judged.unseen.is_some());
            let counts = [judged.wrong.len(), judged.risks.len(), unseen];
            self.shared.board.metrics().topic_judged(judged.role.name(), counts);
            warn_once(&mut self.warned, &judged.topic, &judged.risks, judged.unseen.as_deref());
            let wrong = judged.wrong.iter().map(|why| format!("topic \"{}\": {why}", judged.topic));
            refused.extend(wrong);
        }
        if !refused.is_empty() {
            return Err(Trouble::Refused(format!(
                "{}; nothing is polled until that is mended",
                refused.join("; ")
            )));
        }
        let names = &settings.topics;
        let partitions = [&names.articles, &names.conflict, &names.rejects]
            .map(|name| shapes.get(name.as_str()).map_or(0, |shape| shape.partitions));
        Ok(Topics { partitions, record_bytes_max: self.record_bytes_max() })
    }

    /// Asks how the topics are set, if it is time to. What was known stays where nobody answers.
    fn describe(&mut self) {
        let interval = if self.seen == Seen::Refused { LOOK_INTERVAL } else { DESCRIBE_INTERVAL };
        if self.described_at.is_some_and(|at| at.elapsed() < interval) {
            return;
        }
        self.described_at = Some(Instant::now());
        let names = &self.shared.settings.topics;
        let names = [&names.articles, &names.conflict, &names.rejects, &names.state];
        let asked = join_all(names.map(|name| describe(&self.admin, name, LOOK_TIMEOUT)));
        let mut known = std::mem::take(&mut self.described).into_iter();
        let described = self.shared.runtime.block_on(asked).into_iter();
        self.described = described
            .map(|now| match (known.next(), now) {
                (Some(Ok(before)), Err(Undescribed::Unanswered(_))) => Ok(before),
                (_, now) => now,
            })
            .collect();
    }

    fn shape(&self, topic: &str) -> Result<Shape, Trouble> {
        let watcher = &self.shared.watcher;
        let metadata = watcher.fetch_metadata(topic, LOOK_TIMEOUT).map_err(|error| {
            let brokers = self.shared.settings.shown_brokers();
            Trouble::Away {
                what: format!("Kafka at {brokers} does not answer"),
                detail: watcher.heard().unwrap_or_else(|| error.to_string()),
            }
        })?;
        watcher.forget();
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let error = found.and_then(|found| found.error()).map(RDKafkaErrorCode::from);
        match (found, error) {
            (Some(found), None) if !found.partitions().is_empty() => {
                let all = || found.partitions().iter();
                let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
                let replicas = all().map(|partition| partition.replicas().len()).min();
                Ok(Shape {
                    partitions: number(found.partitions().len()),
                    replication: number(replicas.unwrap_or(0)),
                    in_sync: in_sync(found, metadata.brokers()),
                })
            }
            (_, Some(RDKafkaErrorCode::TopicAuthorizationFailed)) => {
                Err(Trouble::Wrong(format!("not allowed to Describe topic \"{topic}\"")))
            }
            (
                _,
                None
                | Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic),
            ) => Err(Trouble::Wrong(format!(
                "topic \"{topic}\" is missing; make it with `conflictwire topics apply`"
            ))),
            (_, Some(code)) => Err(Trouble::Wrong(format!("topic \"{topic}\": {code}"))),
        }
    }

    /// What every topic takes, if we may know: a record, or a batch of them, that is larger is
    /// refused whole.
    fn record_bytes_max(&self) -> Option<usize> {
        let mut least = None;
        for described in &self.described {
            let bytes = described.as_ref().ok()?.get("max.message.bytes")?.parse::<usize>().ok()?;
            least = Some(least.map_or(bytes, |least: usize| least.min(bytes)));
        }
        least.map(|bytes| bytes.saturating_sub(BATCH_FRAMING_BYTES))
    }
}

/// Warns of what is risky about a topic, and of what nobody looked at, once for each change of it.
fn warn_once(
    warned: &mut BTreeMap<String, String>,
    topic: &str,
    risks: &[String],
    unseen: Option<&str>,
) {
    let unseen = unseen.map(|why| format!("nobody has looked at its settings: {why}"));
    let text = risks.iter().cloned().chain(unseen).collect::<Vec<_>>().join("; ");
    let before = warned.get(topic).map(String::as_str).unwrap_or_default();
    if before == text {
        return;
    }
    if text.is_empty() {
        info!(kafka.topic = topic, "the topic is as it must be");
    } else {
        warn!(kafka.topic = topic, error = text, "the topic is not as planned");
    }
    warned.insert(topic.to_owned(), text);
}

/// What metadata say of a topic.
struct Shape {
    partitions: u32,
    /// The fewest copies that a partition has.
    replication: u32,
    /// The fewest of them that are up to date, on brokers that are there.
    in_sync: u32,
}

/// Why the topics are not as they must be.
enum Trouble {
    /// Brokers may come back.
    Away {
        /// That they do not answer.
        what: String,
        /// Why, as of now.
        detail: String,
    },
    /// Topics may be made, rights given.
    Wrong(String),
    /// What is committed would be lost; may be mended.
    Refused(String),
    /// It will not mend itself.
    Lasting(String),
}
