//! One lane's producer: begin, send, await every report, commit.
//!
//! It repairs nothing. Whatever is not plainly committed is a [`Failure`], and the lane
//! then drops the producer, fences anew and reads the log: a failed enqueue left in place would let
//! the transaction commit without that record, a record that a broker refused spoils the transaction
//! after it too, and a commit that timed out may yet happen.
//!
//! Every report is awaited before `commit_transaction` is called: with reports outstanding the
//! wrapper waits a tenth of a second each time.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use cw_decide::lane::wire::{Line, Target};
use cw_decide::lane::{Batching, Failure, Undone};
use cw_model::Timestamp;
use cw_status::lanes::LaneMetrics;
use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use serde::Deserialize;
use tokio::time::Instant;

use super::settings::{KafkaSettings, TRANSACTION_TIMEOUT, TopicNames};
use super::{lock, logged};
use crate::fault::{self, Point};

/// How long one call into librdkafka may block before we check whether to stop.
const SLICE: Duration = Duration::from_secs(1);

/// Between two looks at what has been acknowledged.
const LOOK: Duration = Duration::from_millis(1);

/// What has been reported of the transaction under way.
#[derive(Debug, Default)]
struct Reports {
    /// Whether there is more in the transaction than `__lane`.
    is_more_than_a_mark: bool,
    /// When its time is over.
    deadline: Option<Instant>,
    acknowledged: usize,
    failed: Vec<(usize, RDKafkaErrorCode)>,
    /// The last line acknowledged, by its place in the transaction, and its offset: offsets of
    /// different topics say nothing about each other.
    last: Option<(usize, i64)>,
}

/// What librdkafka calls back into.
#[derive(Debug)]
struct Context {
    lane: u32,
    reports: Mutex<Reports>,
    /// The last error that librdkafka told of.
    last_error: Mutex<Option<String>>,
    metrics: LaneMetrics,
}

/// The one figure of librdkafka's statistics that is passed on.
#[derive(Deserialize)]
struct Statistics {
    msg_size: u64,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        logged(level, fac, message, Some(self.lane));
    }

    fn stats_raw(&self, statistics: &[u8]) {
        if let Ok(Statistics { msg_size }) = serde_json::from_slice(statistics) {
            self.metrics.queued(self.lane, msg_size);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let text = if reason.is_empty() { error.to_string() } else { reason.to_owned() };
        *lock(&self.last_error) = Some(text);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        let mut reports = lock(&self.reports);
        match result {
            Ok(message) => {
                reports.acknowledged += 1;
                // By place first: `__lane` has the highest, and its offset is what the lane goes on
                // from.
                reports.last = reports.last.max(Some((index, message.offset())));
                if reports.acknowledged == 1 && reports.is_more_than_a_mark {
                    fault::point(Point::AfterFirstReport);
                }
            }
            Err((error, _)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
                reports.failed.push((index, code));
            }
        }
    }
}

/// A lane's producer. Dropping it leaves an open transaction to be aborted by the next fence.
pub(super) struct Producer {
    inner: BaseProducer<Context>,
    lane: u32,
    topics: TopicNames,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").field("lane", &self.lane).finish_non_exhaustive()
    }
}

impl Producer {
    /// Makes one; nothing is fenced yet.
    ///
    /// # Errors
    /// What librdkafka says of the configuration.
    pub(super) fn new(
        settings: &KafkaSettings,
        lane: u32,
        batching: Batching,
        metrics: &LaneMetrics,
    ) -> Result<Self, Undone> {
        let mut config =
            settings.producer(&settings.transactional_id(lane), batching.record_bytes_max);
        if batching.is_careful {
            config.set("batch.num.messages", "1");
        }
        let context = Context {
            lane,
            reports: Mutex::default(),
            last_error: Mutex::default(),
            metrics: metrics.clone(),
        };
        let inner = BaseProducer::from_config_and_context(&config, context)
            .map_err(|error| Undone::Away(error.to_string()))?;
        Ok(Self { inner, lane, topics: settings.topics.clone() })
    }

    /// Shuts out whoever had this lane's id before, and aborts what it left open. `is_given_up` says
    /// whether to give up.
    ///
    /// # Errors
    /// What keeps it from being done.
    pub(super) fn fence(&self, is_given_up: impl Fn() -> bool) -> Result<(), Undone> {
        // The coordinator may have to wait for a transaction of ours that is open: it is aborted
        // after its own timeout at the latest.
        let deadline = Instant::now() + 2 * TRANSACTION_TIMEOUT;
        fault::point_after(Point::InFence, || {
            // The request is on its way and unanswered when we die.
            let _unfinished = self.inner.init_transactions(LOOK);
        });
        loop {
            match self.inner.init_transactions(SLICE) {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(error))
                    if error.is_retriable() && !is_given_up() && Instant::now() < deadline =>
                {
                    self.serve();
                }
                Err(error) => return Err(Undone::Away(self.explained(&error.to_string()))),
            }
        }
    }

    /// Commits these lines as one transaction, the last one last in its partition; says the offset
    /// of that one. `is_over` says whether to give up before the time of the transaction is over.
    ///
    /// # Errors
    /// [`Failure`]; the producer is of no further use then.
    pub(super) fn commit(
        &self,
        lines: &[&Line],
        now: Timestamp,
        is_over: impl Fn() -> bool,
    ) -> Result<i64, Failure> {
        self.begin(lines, now, &is_over)?;
        self.end(&is_over)
    }

    /// The first half of it: every line is with the brokers, and nothing is decided.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn begin(
        &self,
        lines: &[&Line],
        now: Timestamp,
        is_over: &impl Fn() -> bool,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + TRANSACTION_TIMEOUT;
        *self.reports() = Reports {
            is_more_than_a_mark: lines.len() > 1,
            deadline: Some(deadline),
            ..Reports::default()
        };
        self.inner.begin_transaction().map_err(|error| self.failure(&error.to_string()))?;
        self.pass(Point::AfterBegin);
        for (index, line) in lines.iter().enumerate() {
            self.send(index, line, now, deadline)?;
            self.pass_points(line, lines.get(index + 1).copied());
        }
        self.await_reports(lines.len(), deadline, is_over)?;
        self.pass(Point::BeforeCommit);
        Ok(())
    }

    /// The second half: commits what was sent.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn end(&self, is_over: &impl Fn() -> bool) -> Result<i64, Failure> {
        let deadline = self.reports().deadline;
        let is_late = || deadline.is_none_or(|deadline| Instant::now() >= deadline);
        loop {
            match self.inner.commit_transaction(SLICE) {
                Ok(()) => break,
                Err(KafkaError::Transaction(error))
                    if error.is_retriable() && !is_late() && !is_over() => {}
                Err(error) => {
                    // The request to commit may be on its way, or done. From here on only the log
                    // knows.
                    return Err(Failure { is_doubtful: true, ..self.failure(&error.to_string()) });
                }
            }
        }
        self.pass(Point::AfterCommit);
        if self.reports().is_more_than_a_mark && fault::forgets(Point::AfterCommit) {
            let text = "the answer was lost".to_owned();
            return Err(Failure { text, is_doubtful: true, refused: Vec::new() });
        }
        // Every line was acknowledged, so there is one.
        Ok(self.reports().last.map_or(0, |(_, offset)| offset))
    }

    fn send(
        &self,
        index: usize,
        line: &Line,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let mut headers = OwnedHeaders::new_with_capacity(line.headers.len());
        for (key, value) in &line.headers {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let mut record =
            BaseRecord::<str, [u8], usize>::with_opaque_to(self.topics.of(line.target), index)
                .key(&line.key)
                .timestamp(now.as_millisecond())
                .headers(headers);
        record.partition = line.partition;
        record.payload = line.value.as_deref();
        loop {
            match self.inner.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent))
                    // The queue of librdkafka is full. That is back-pressure, not a failure: it
                    // empties as brokers acknowledge.
                    if Instant::now() < deadline =>
                {
                    record = unsent;
                    self.look();
                }
                Err((error, _)) => {
                    let refused = match error.rdkafka_error_code() {
                        Some(code) if is_of_the_record(code) => vec![index],
                        Some(_) | None => Vec::new(),
                    };
                    return Err(Failure { refused, ..self.failure(&error.to_string()) });
                }
            }
        }
    }

    /// A point where tests kill the process. A transaction with only `__lane` does not count.
    fn pass(&self, point: Point) {
        if self.reports().is_more_than_a_mark {
            fault::point(point);
        }
    }

    /// Where tests kill us once a state, or `__lane`, has been sent.
    fn pass_points(&self, line: &Line, next: Option<&Line>) {
        if !self.reports().is_more_than_a_mark {
            return;
        }
        let point = match (line.target, next) {
            (Target::State, None) => Point::AfterLaneSent,
            // `__lane` is still to come.
            (Target::State, Some(_)) => Point::AfterStateSent,
            (Target::Articles | Target::Conflict | Target::Rejects, _) => return,
        };
        if fault::is_armed(point) {
            // Sent, and not only put into a queue that dies with us.
            while self.inner.in_flight_count() > 0 {
                self.look();
            }
            // Where brokers did not take it, as after a session that ended, nothing of it is there to
            // be aborted: a later passing counts.
            if !self.reports().failed.is_empty() {
                return;
            }
        }
        fault::point(point);
    }

    fn await_reports(
        &self,
        lines: usize,
        deadline: Instant,
        is_over: &impl Fn() -> bool,
    ) -> Result<(), Failure> {
        // Until nothing is in flight, not until the last report: a report that is being given is
        // still counted, and would cost the commit its tenth of a second. After a failure the rest is
        // not sent at all.
        while self.inner.in_flight_count() > 0 && self.reports().failed.is_empty() {
            self.look();
            if Instant::now() >= deadline || is_over() {
                return Err(self.failure("the brokers did not acknowledge in time"));
            }
        }
        let reports = self.reports();
        if reports.failed.is_empty() && reports.acknowledged == lines {
            return Ok(());
        }
        let (first, refused) = (reports.failed.first().copied(), refused_lines(&reports.failed));
        drop(reports);
        let text = first.map(|(_, code)| code.to_string()).unwrap_or_default();
        // "Purged" means that something else failed, and a transaction that has failed says what to
        // whoever would begin another.
        let text = match (first, self.inner.begin_transaction()) {
            (
                Some((_, RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight)),
                Err(error),
            ) => self.explained(&error.to_string()),
            (_, Ok(()) | Err(_)) => self.explained(&text),
        };
        Err(Failure { refused, text, is_doubtful: false })
    }

    /// Takes what has been reported, and waits a moment if that was nothing.
    ///
    /// Not by polling so long: the wrapper cuts what is left of a wait to whole milliseconds, and
    /// turns in a circle for the rest of it. A wait of one would be nothing but that, in every lane,
    /// at the expense of the brokers beside us.
    #[expect(clippy::disallowed_methods, reason = "the lane's own thread, and nothing else on it")]
    fn look(&self) {
        let unreported = self.inner.in_flight_count();
        self.serve();
        if self.inner.in_flight_count() == unreported {
            std::thread::sleep(LOOK);
        }
    }

    /// Lets librdkafka say what it has to say. Call now and then while nothing is committed.
    pub(super) fn serve(&self) {
        self.inner.poll(Duration::ZERO);
    }

    /// The error after which brokers take nothing of this producer any more, if there was one.
    #[cfg(feature = "fault-points")]
    pub(super) fn fatal_error(&self) -> Option<RDKafkaErrorCode> {
        self.inner.client().fatal_error().map(|(code, _text)| code)
    }

    fn failure(&self, text: &str) -> Failure {
        Failure { text: self.explained(text), is_doubtful: false, refused: Vec::new() }
    }

    /// The text, with what librdkafka said last if that is more.
    fn explained(&self, text: &str) -> String {
        self.serve();
        if let Some((_, fatal)) = self.inner.client().fatal_error() {
            return fatal;
        }
        // The error of a call says what was tried ("timed out"); this one says why.
        let last = lock(&self.inner.context().last_error);
        match last.as_deref() {
            Some(last) if !text.contains(last) => format!("{text}: {last}"),
            Some(_) | None => text.to_owned(),
        }
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        lock(&self.inner.context().reports)
    }
}

/// Lines that were refused for what they are. A broker refuses whole batches, so neighbours may be
/// among them.
fn refused_lines(failed: &[(usize, RDKafkaErrorCode)]) -> Vec<usize> {
    failed.iter().filter(|(_, code)| is_of_the_record(*code)).map(|(index, _)| *index).collect()
}

/// Whether an error is the record's own and not the day's. "Invalid record" and "invalid timestamp" are
/// the day's: ours all have a key, and the time of the commit, so a clock is wrong.
fn is_of_the_record(code: RDKafkaErrorCode) -> bool {
    matches!(code, RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize)
}
