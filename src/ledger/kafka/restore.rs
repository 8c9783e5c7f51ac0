//! Reads a lane's partition of the state topic: feed states and `__lane`, to the end of the log.
//!
//! The end is the high watermark as a `read_uncommitted` client sees it, asked for after the lane was
//! fenced; the reading is `read_committed` and done when its *position* is there. A count of records
//! would prove nothing: aborted records and the markers of transactions have offsets too. The end of
//! a partition as the broker tells it would prove little: after a change of leaders it may lag.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cw_decide::lane::Undone;
use cw_decide::lane::log::{Contradiction, Reading, Restored, read_head};
use cw_decide::lane::wire::Head;
use cw_model::FeedId;
use cw_model::state::FeedState;
use rdkafka::Message as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::Offset;
use tokio::time::Instant;

use super::client::{Client, Step};
use super::settings::KafkaSettings;
use crate::fault::{self, Point};

/// How long one request, or one look for records, may take.
const SLICE: Duration = Duration::from_millis(500);

/// How long a lane may take to be read while nothing of it arrives.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// One lane's partition.
pub(super) struct Partition<'a> {
    pub(super) settings: &'a KafkaSettings,
    pub(super) watcher: &'a Client,
    pub(super) lane: u32,
}

impl Partition<'_> {
    /// Reads the whole partition. `is_given_up` says whether to give up.
    ///
    /// # Errors
    /// [`Undone`].
    pub(super) fn restore(&self, is_given_up: impl Fn() -> bool) -> Result<Restored, Undone> {
        let mut reading = Reading::default();
        self.read(Offset::Beginning, &is_given_up, |key, value, offset| {
            fault::point(Point::InRestore);
            reading.take(key, value, offset)
        })?;
        reading.finish().map_err(|why| self.contradiction(&why).into())
    }

    /// Every `__lane` after the one at `offset`, oldest first, with its offset.
    ///
    /// # Errors
    /// [`Undone`].
    pub(super) fn heads_after(
        &self,
        offset: i64,
        is_given_up: impl Fn() -> bool,
    ) -> Result<Vec<(Head, i64)>, Undone> {
        let mut heads = Vec::new();
        // From the last head and not from behind it: if that offset is gone, the log is another
        // one, and the broker says so.
        self.read(Offset::Offset(offset.max(0)), &is_given_up, |key, value, at| {
            if key == FeedId::RESERVED && at > offset {
                heads.push((read_head(value, at)?, at));
            }
            Ok(())
        })?;
        Ok(heads)
    }

    /// Which of these feeds have a state in the lane, and its sequence.
    ///
    /// # Errors
    /// [`Undone`].
    pub(super) fn sequences(
        &self,
        feeds: &BTreeSet<FeedId>,
        is_given_up: impl Fn() -> bool,
    ) -> Result<BTreeMap<FeedId, u64>, Undone> {
        let mut sequences = BTreeMap::new();
        self.read(Offset::Beginning, &is_given_up, |key, value, offset| {
            let Some(id) = FeedId::parse(key).ok().filter(|id| feeds.contains(id)) else {
                return Ok(());
            };
            match value {
                Some(value) => {
                    let state = FeedState::parse(value).map_err(|why| {
                        Contradiction(format!("offset {offset}, feed \"{id}\": {why}"))
                    })?;
                    sequences.insert(id, state.plan.sequence);
                }
                None => {
                    sequences.remove(&id);
                }
            }
            Ok(())
        })?;
        Ok(sequences)
    }

    /// Reads from an offset to the high watermark.
    fn read(
        &self,
        from: Offset,
        is_given_up: &impl Fn() -> bool,
        mut take: impl FnMut(&str, Option<&[u8]>, i64) -> Result<(), Contradiction>,
    ) -> Result<(), Undone> {
        let topic = &self.settings.topics.state;
        let partition = i32::try_from(self.lane).unwrap_or_default();
        // Asked for again at each reading: the fence of before may have added an abort marker.
        let (start, end) = self.watermarks(partition, is_given_up)?;
        if start >= end || matches!(from, Offset::Offset(from) if from >= end) {
            return Ok(());
        }
        let away = |error: KafkaError| Undone::Away(format!("topic \"{topic}\": {error}"));
        // A client of its own: one that is assigned elsewhere would carry its position along.
        let client = Client::of(&self.settings.reader()).map_err(away)?;
        let part = (partition, from, end);
        let mut reading = client.read(topic, &[part], SILENCE_MAX).map_err(away)?;
        loop {
            if is_given_up() {
                return Err(Undone::GivenUp);
            }
            match reading.next() {
                Step::End => return Ok(()),
                Step::Record(message) => {
                    let offset = message.offset();
                    let key = std::str::from_utf8(message.key().unwrap_or_default());
                    let taken = key
                        .map_err(|_not_utf8| {
                            Contradiction(format!("offset {offset} has a key that is no text"))
                        })
                        .and_then(|key| take(key, message.payload(), offset));
                    taken.map_err(|why| self.contradiction(&why))?;
                }
                Step::Failed(error) if is_out_of_range(&error) => {
                    let why = "the log does not reach back to where it was read before; was the \
                               topic deleted and made anew?";
                    let why = Contradiction(why.to_owned());
                    return Err(self.contradiction(&why).into());
                }
                Step::Failed(error) if is_lasting(&error) => return Err(away(error)),
                // It goes on by itself: another leader, a broker that is back.
                Step::Failed(_) | Step::Waiting | Step::PartitionEnd => {}
                Step::Silent => {
                    return Err(Undone::Away(format!(
                        "partition {partition} of topic \"{topic}\" could not be read to its end \
                         ({end}) in {SILENCE_MAX:?}; if brokers are well, a transaction that is not \
                         ours may be open in it"
                    )));
                }
            }
        }
    }

    /// Low and high watermark.
    fn watermarks(
        &self,
        partition: i32,
        is_given_up: &impl Fn() -> bool,
    ) -> Result<(i64, i64), Undone> {
        let topic = &self.settings.topics.state;
        let deadline = Instant::now() + SILENCE_MAX;
        loop {
            match self.watcher.watermarks(topic, partition, 4 * SLICE) {
                Ok(watermarks) => return Ok(watermarks),
                Err(error) if is_lasting(&error) || Instant::now() >= deadline => {
                    return Err(Undone::Away(format!("topic \"{topic}\": {error}")));
                }
                Err(_) if is_given_up() => return Err(Undone::GivenUp),
                // A new leader does not know its end yet; a request was lost.
                Err(_) => self.watcher.rest(),
            }
        }
    }

    /// What the log says, with where it stands.
    fn contradiction(&self, why: &Contradiction) -> Contradiction {
        let topic = &self.settings.topics.state;
        Contradiction(format!("partition {} of topic \"{topic}\": {why}", self.lane))
    }
}

/// Whether waiting would not help: somebody has to change something.
fn is_lasting(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::Authentication
        )
    )
}

fn is_out_of_range(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
    )
}
