//! The consumer group on the state topic: which lanes are ours, given and taken.
//!
//! It reads nothing; its assignment is all we want of it. An assignment is a belief, so nothing is
//! safe because of it: it only says which lanes to fence. A lane that is taken is told to commit
//! what it has and is waited for, so that its next owner finds nothing open; one that is *lost* is
//! fenced already or will be, and only told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cw_decide::lane::Stop;
use cw_status::lanes::Rebalance;
use cw_status::ledger::Assignment;
use futures_util::future::join_all;
use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::BaseProducer;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};
use tracing::{debug, error, info, warn};

use super::inspection::{Inspection, Seen};
use super::settings::TRANSACTION_TIMEOUT;
use super::{Shared, driver, lock, logged};
use crate::ledger::{CommitError, LaneChange};

/// How long one look at the group may take: so often it is seen that it is time to go.
const POLL: Duration = Duration::from_millis(100);

/// After so long without a lane and without an error a member of the newer protocol stands by.
const STANDBY_AFTER: Duration = Duration::from_secs(5);

/// A refusal of the group that is not said again for so long is over.
const REFUSED_FOR: Duration = Duration::from_secs(15);

/// A lane's thread, and how to end it.
#[derive(Debug)]
struct Running {
    stop: watch::Sender<Stop>,
    ended: oneshot::Receiver<()>,
}

/// What librdkafka calls back into.
struct Context {
    shared: Arc<Shared>,
    lanes: Mutex<BTreeMap<u32, Running>>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        logged(level, fac, message, None);
    }

    /// Errors are seen where they matter: at the look at the topics, and at the lanes.
    fn error(&self, error: KafkaError, reason: &str) {
        debug!(error = %error, "the consumer group's client: {reason}");
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        err: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        // With cooperative protocols (KIP-429) the list is what changes, with the others it is all
        // that is ours.
        let is_cooperative =
            matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = if err == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let assigned = if is_cooperative {
                consumer.incremental_assign(partitions)
            } else {
                consumer.assign(partitions)
            };
            // Its assignment is all we want of it.
            let paused = assigned.and_then(|()| consumer.pause(partitions));
            self.shared.status.joined();
            self.give(&numbers(partitions));
            paused
        } else {
            let lanes = numbers(partitions);
            // Lost means that the session is over: somebody may have the lanes already, and waiting
            // for commits would keep them from nobody.
            if consumer.assignment_lost() {
                self.lose(&lanes)
            } else {
                // Waits, inside the callback: the group goes on only after it, so the next owner
                // begins after our last commit.
                self.take(&lanes)
            }
            if is_cooperative {
                consumer.incremental_unassign(partitions)
            } else {
                consumer.unassign()
            }
        };
        if let Err(error) = done {
            warn!(error = %error, "the consumer group's client did not follow");
        }
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<u32> {
    let elements = partitions.elements();
    elements.iter().filter_map(|element| u32::try_from(element.partition()).ok()).collect()
}

impl Context {
    /// Starts to drive lanes.
    fn give(&self, lanes: &[u32]) {
        if lanes.is_empty() {
            return;
        }
        self.shared.status.metrics().rebalanced(Rebalance::Assigned);
        info!(lane.numbers = ?lanes, "lanes assigned by the group");
        // The topic may have more partitions than lanes are configured. Those have no feeds.
        for number in lanes.iter().copied().filter(|lane| *lane < self.shared.settings.lanes) {
            let (stop, told) = watch::channel(Stop::new(self.shared.settings.leave_patience));
            let (tell_end, ended) = oneshot::channel();
            let shared = Arc::clone(&self.shared);
            let assignment = Assignment { lane: number, number: self.shared.next_number() };
            let spawned =
                std::thread::Builder::new().name(format!("lane-{number}")).spawn(move || {
                    shared.or_end(|| driver::drive(&shared, assignment, told));
                    // Nobody waits for a lane that was lost.
                    let _unheard = tell_end.send(());
                });
            match spawned {
                Ok(_joined_by_its_end) => {
                    // One that was lost and has not ended yet is fenced by its successor.
                    lock(&self.lanes).insert(number, Running { stop, ended });
                }
                Err(error) => {
                    error!(lane.number = number, error = %error, "the system gives no thread");
                    self.shared.tell(LaneChange::Over(CommitError::Closed));
                }
            }
        }
    }

    /// Ends lanes that others get next, and waits until they have ended well.
    fn take(&self, lanes: &[u32]) {
        let taken = self.remove(lanes);
        if !taken.is_empty() {
            info!(lane.numbers = ?lanes, "lanes revoked by the group");
            self.shared.status.metrics().rebalanced(Rebalance::Revoked);
            self.leave(taken);
        }
    }

    /// Ends lanes that others have already.
    fn lose(&self, lanes: &[u32]) {
        warn!(lane.numbers = ?lanes, "the group has given our lanes to others, or cannot be reached");
        self.shared.status.metrics().rebalanced(Rebalance::Lost);
        let at = self.shared.now().at;
        self.remove(lanes).iter().for_each(|lane| lane.stop.send_modify(|stop| stop.lose(at)));
        if lock(&self.lanes).is_empty() {
            self.shared.status.joining();
        }
    }

    fn remove(&self, lanes: &[u32]) -> Vec<Running> {
        let mut running = lock(&self.lanes);
        lanes.iter().filter_map(|lane| running.remove(lane)).collect()
    }

    fn leave(&self, lanes: Vec<Running>) {
        let at = self.shared.now().at;
        // All are told before any is waited for.
        lanes.iter().for_each(|lane| lane.stop.send_modify(|stop| stop.request(at)));
        let all = join_all(lanes.into_iter().map(|lane| lane.ended));
        // A transaction under way may need all its time, and what then does not go is given up.
        let limit = TRANSACTION_TIMEOUT.saturating_add(self.shared.settings.leave_patience);
        let ended = self.shared.runtime.block_on(async { timeout(limit, all).await });
        if ended.is_err() {
            warn!("lanes did not end in time; their next owner fences them");
        }
    }
}

/// The group's member.
pub(super) struct Member {
    shared: Arc<Shared>,
    consumer: BaseConsumer<Context>,
    inspection: Inspection,
    subscribed_at: Option<Instant>,
    refused_at: Option<Instant>,
}

impl Member {
    /// Sets the client up; it has not joined yet.
    pub(super) fn new(shared: Arc<Shared>) -> KafkaResult<Self> {
        let context = Context { shared: Arc::clone(&shared), lanes: Mutex::default() };
        let settings = &shared.settings;
        let consumer = BaseConsumer::from_config_and_context(&settings.member(), context)?;
        let inspection = Inspection::new(Arc::clone(&shared))?;
        // What librdkafka would refuse a lane's producer for is better known now. It has no part in
        // anything before it fences.
        let _fits: BaseProducer =
            settings.producer(&settings.transactional_id(0), None).create()?;
        Ok(Self { shared, consumer, inspection, subscribed_at: None, refused_at: None })
    }

    /// Follows the group until told to close; then gives everything up and leaves it.
    pub(super) fn follow(mut self) {
        while !self.shared.closing.is_cancelled() {
            self.join_or_leave();
            if self.subscribed_at.is_some_and(|at| at.elapsed() >= STANDBY_AFTER) {
                self.stand_by();
            }
            if self.refused_at.is_some_and(|at| at.elapsed() >= REFUSED_FOR) {
                // Let in again, if the right came back before our session was over.
                self.refused_at = None;
                self.shared.status.joined();
            }
            // It brings nothing but rebalances, which are called back, and errors.
            if let Some(Err(error)) = self.consumer.poll(POLL) {
                self.tell_of(&error);
            }
            // Also after a poll that failed: what counts is that librdkafka had the chance to tell
            // us of a rebalance.
            self.shared.turns.turn();
        }
        let context = Arc::clone(self.consumer.context());
        let all = std::mem::take(&mut *lock(&context.lanes));
        // Before the group is left: until then nobody else is given our lanes.
        context.leave(all.into_values().collect());
        // Leaves the group, so that others need not wait for our session to end.
        self.consumer.unsubscribe();
    }

    /// Joins the group once the topics are as they must be, and leaves it, lanes and all, when what is
    /// committed would be lost.
    fn join_or_leave(&mut self) {
        let seen = self.inspection.look();
        match (seen, self.subscribed_at) {
            (Seen::Fine, None) => {
                if let Err(error) = self.consumer.subscribe(&[&self.shared.settings.topics.state]) {
                    self.shared.status.away(error.to_string());
                }
                self.subscribed_at = Some(Instant::now());
            }
            (Seen::Refused, Some(_)) => {
                // What this revokes is called back with the next poll: lanes commit what they have.
                self.consumer.unsubscribe();
                self.subscribed_at = None;
                self.shared.status.joining();
            }
            // Brokers that are away are no reason to leave: the group could not be told, and lanes
            // would move for nothing.
            (Seen::Fine | Seen::Troubled, Some(_)) | (Seen::Refused | Seen::Troubled, None) => {}
        }
    }

    /// With the newer protocol nobody is told of an assignment of nothing; a member that has heard of
    /// no error meanwhile has one.
    fn stand_by(&self) {
        let properties = &self.shared.settings.properties;
        if properties.get("group.protocol").is_some_and(|protocol| protocol == "consumer") {
            self.shared.status.stand_by();
        }
    }

    fn tell_of(&mut self, error: &KafkaError) {
        debug!(error = %error, "the consumer group");
        if let KafkaError::MessageConsumptionFatal(code) = error {
            // Such as another member under the same `group.instance.id`: this client is of no use.
            error!(error = %code, "the consumer group has shut this replica out");
            self.shared.tell(LaneChange::Over(CommitError::Closed));
        }
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed) {
            let group = &self.shared.settings.deployment;
            self.shared.status.away(format!("not allowed to Read group \"{group}\""));
            self.refused_at = Some(Instant::now());
        }
    }
}
