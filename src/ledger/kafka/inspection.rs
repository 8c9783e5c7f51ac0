//! Looks at brokers and topics, at the start and then regularly: whether the topics are there, and whether
//! committed records stay in them.
//!
//! What a topic must look like, and what a difference means, is `topics`'s. Here the daemon draws the
//! conclusion: nothing is polled while something is wrong, a risk is warned of once, and where it may
//! not look it says that nobody did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_decide::lane::Topics;
use cw_decide::lane::wire::Target;
use futures_util::future::join_all;
use rdkafka::admin::AdminClient;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::KafkaResult;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::client::LastErrors;
use super::cluster::describe;
use super::error::AccessError;
use super::topics::{
    Choice, Described, PARTITIONS, REPLICATION, TopicNow, TopicPlan, Weight, differences, plan,
};
use super::{Shared, lock};
use crate::ledger::{CommitError, LaneChange};

/// How often topics are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// The same while something is wrong with them: somebody waits.
const TROUBLE_INTERVAL: Duration = Duration::from_secs(1);

/// How often the settings of the topics are asked for: somebody may have changed them.
const DESCRIBE_INTERVAL: Duration = Duration::from_secs(15);

/// How long a look may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// How much of `max.message.bytes` is left for the framing of a batch.
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

/// Why the topics are not as they must be.
enum Trouble {
    /// Brokers may come back.
    Away(AccessError),
    /// Topics may be made, rights given.
    Wrong(String),
    /// What is committed would be lost; may be mended.
    Refused(String),
    /// It will not mend itself.
    Lasting(String),
}

/// Looks, and remembers what was logged of it.
pub(super) struct Inspection {
    shared: Arc<Shared>,
    admin: AdminClient<LastErrors>,
    plans: Vec<TopicPlan>,
    looked_at: Option<Instant>,
    described_at: Option<Instant>,
    described: BTreeMap<Target, Described>,
    seen: Seen,
    /// What was wrong at the last look.
    problem: Option<String>,
    /// What was warned of.
    warned: BTreeMap<Target, String>,
}

impl Inspection {
    pub(super) fn new(shared: Arc<Shared>) -> KafkaResult<Self> {
        let settings = &shared.settings;
        let context = LastErrors::default();
        let admin = AdminClient::from_config_and_context(&settings.client(), context)?;
        let plans = plan(settings, Choice { partitions: PARTITIONS, replication: REPLICATION });
        Ok(Self {
            shared,
            admin,
            plans,
            looked_at: None,
            described_at: None,
            described: BTreeMap::new(),
            seen: Seen::Troubled,
            problem: None,
            warned: BTreeMap::new(),
        })
    }

    /// Looks at the topics if it is time to; says what the last look came to.
    pub(super) fn look(&mut self) -> Seen {
        let interval = if self.problem.is_some() { TROUBLE_INTERVAL } else { LOOK_INTERVAL };
        if self.looked_at.is_some_and(|at| at.elapsed() < interval) {
            return self.seen;
        }
        let found = self.find_topics();
        self.looked_at = Some(Instant::now());
        let (seen, problem, detail) = match found {
            Ok(topics) => {
                *lock(&self.shared.topics) = topics;
                (Seen::Fine, None, String::new())
            }
            Err(Trouble::Away(why)) => {
                self.shared.status.metrics().topics_unseen();
                let brokers = self.shared.settings.shown_brokers();
                let problem = format!("Kafka at {brokers} does not answer");
                (Seen::Troubled, Some(problem), format!(": {why}"))
            }
            Err(Trouble::Wrong(why)) => (Seen::Troubled, Some(why), String::new()),
            Err(Trouble::Refused(why)) => (Seen::Refused, Some(why), String::new()),
            Err(Trouble::Lasting(why)) => {
                self.shared.tell(LaneChange::Over(CommitError::Misconfigured(why.clone())));
                (Seen::Troubled, Some(why), String::new())
            }
        };
        self.log(seen, problem.as_deref(), &detail);
        self.shared.status.set_topics(problem.as_ref().map(|why| format!("{why}{detail}")));
        self.problem = problem;
        // Brokers that go away do not mend what was refused.
        if !(seen == Seen::Troubled && self.seen == Seen::Refused) {
            self.seen = seen;
        }
        self.seen
    }

    /// Logs each problem once. The detail is not compared, because it changes every second.
    fn log(&self, seen: Seen, problem: Option<&str>, detail: &str) {
        match problem {
            _ if self.problem.as_deref() == problem => {}
            None => info!("Kafka is as it must be"),
            Some(why) if seen == Seen::Refused => {
                error!(error = why, "nothing is polled: what is committed to Kafka would be lost");
            }
            Some(why) => {
                let error = format!("{why}{detail}");
                warn!(error, "Kafka is not as it must be; waiting for it");
            }
        }
    }

    fn find_topics(&mut self) -> Result<Topics, Trouble> {
        let lanes = self.shared.settings.lanes;
        let mut shapes = BTreeMap::new();
        // The state topic first: without it there is no lane.
        for plan in self.plans.iter().rev() {
            let name = &plan.name;
            let shape = self.shared.watcher.topic(name, LOOK_TIMEOUT).map_err(|why| match why {
                AccessError::NotAllowed(_) => {
                    Trouble::Wrong(format!("not allowed to Describe topic \"{name}\""))
                }
                AccessError::Missing(_) => Trouble::Wrong(format!(
                    "topic \"{name}\" is missing; make it with `conflictwire topics apply`"
                )),
                AccessError::Unanswered(_) => Trouble::Away(why),
                why => Trouble::Wrong(why.to_string()),
            })?;
            if plan.target == Target::State && shape.partitions != lanes {
                let state = shape.partitions;
                return Err(Trouble::Lasting(format!(
                    "topic \"{name}\" has {state} partitions and kafka.lanes is {lanes}; lanes are \
                     fixed for a deployment: set kafka.lanes = {state}, or use another deployment \
                     with topics of its own",
                )));
            }
            shapes.insert(plan.target, shape);
        }
        self.describe();
        let mut refused = Vec::new();
        for plan in &self.plans {
            let (shape, described) = (shapes.get(&plan.target), self.described.get(&plan.target));
            if let (Some(shape), Some(described)) = (shape, described) {
                let now = TopicNow { shape: *shape, settings: described.clone() };
                refused.extend(judge(plan, &now, &self.shared, &mut self.warned));
            }
        }
        if !refused.is_empty() {
            return Err(Trouble::Refused(format!(
                "{}; nothing is polled until that is mended",
                refused.join("; ")
            )));
        }
        // Zero counts as one where it is used: `Layout::partition` divides by it.
        let partitions = [Target::Articles, Target::Conflict, Target::Rejects]
            .map(|target| shapes.get(&target).map_or(0, |shape| shape.partitions));
        Ok(Topics { partitions, record_bytes_max: record_bytes_max(self.described.values()) })
    }

    /// Asks for the settings of the topics, if it is time to. Without an answer the last ones stay.
    fn describe(&mut self) {
        // Whoever mends a topic waits for the daemon to see it.
        let interval = if self.seen == Seen::Refused { LOOK_INTERVAL } else { DESCRIBE_INTERVAL };
        if self.described_at.is_some_and(|at| at.elapsed() < interval) {
            return;
        }
        self.described_at = Some(Instant::now());
        let admin = &self.admin;
        let ask =
            async |plan: &TopicPlan| (plan.target, describe(admin, &plan.name, LOOK_TIMEOUT).await);
        let answers = self.shared.runtime.block_on(join_all(self.plans.iter().map(ask)));
        for (target, now) in answers {
            let is_known = matches!(self.described.get(&target), Some(Ok(_)));
            // A topic that was right a moment ago is not wrong because a broker is slow.
            if !(is_known && matches!(now, Err(AccessError::Unanswered(_)))) {
                self.described.insert(target, now);
            }
        }
    }
}

/// The largest batch that every topic accepts, if all settings are known. Brokers refuse a larger
/// batch as a whole.
pub(super) fn record_bytes_max<'a>(
    described: impl Iterator<Item = &'a Described>,
) -> Option<usize> {
    let bytes = |described: &Described| {
        described.as_ref().ok()?.get("max.message.bytes")?.parse::<usize>().ok()
    };
    let all: Option<Vec<usize>> = described.map(bytes).collect();
    // The least of all four: one transaction has records of each, and no lane knows before which
    // will be large.
    all?.into_iter().min().map(|bytes| bytes.saturating_sub(BATCH_FRAMING_BYTES))
}

/// Counts in what a topic differs from its plan, warns of what is risky, and returns what is wrong.
fn judge(
    plan: &TopicPlan,
    now: &TopicNow,
    shared: &Shared,
    warned: &mut BTreeMap<Target, String>,
) -> Vec<String> {
    let found = differences(plan, now);
    let of = |weight| found.iter().filter(move |difference| difference.weight == weight);
    let wrong = of(Weight::Wrong).map(|one| format!("topic \"{}\": {}", plan.name, one.text));
    let wrong: Vec<String> = wrong.collect();
    let mut risks: Vec<String> = of(Weight::Risk).map(|one| one.text.clone()).collect();
    let unseen = usize::from(now.settings.is_err());
    shared.status.metrics().topic_judged(plan.target.name(), [wrong.len(), risks.len(), unseen]);
    if let Err(why) = &now.settings {
        risks.push(format!("nobody has looked at its settings: {why}"));
    }
    warn_once(warned, plan, risks.join("; "));
    wrong
}

/// Warns of what is risky about a topic, and of what nobody looked at, once for each change of it.
fn warn_once(warned: &mut BTreeMap<Target, String>, plan: &TopicPlan, text: String) {
    let before = warned.entry(plan.target).or_default();
    if *before == text {
        return;
    }
    if text.is_empty() {
        info!(kafka.topic = plan.name, "the topic is as it must be");
    } else {
        warn!(kafka.topic = plan.name, error = text, "the topic is not as planned");
    }
    *before = text;
}
