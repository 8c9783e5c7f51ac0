//! Sends polls that have ended to the collector, in batches, from a task of its own.
//!
//! A collector that is away for a moment is asked again, and the queue holds what comes meanwhile. One that is away
//! for longer costs what the queue cannot hold, and never a poll's time.

use std::sync::Arc;
use std::time::Duration;

use cw_decide::Backoff;
use cw_model::Failure;
use cw_status::Metrics;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::poll::Received;
use super::spans;
use super::traced::Traced;
use crate::fetch::{Upload, Uploaded};

/// The most polls of one request: with four spans each of some 300 bytes it stays far below what collectors take (20 MiB).
const BATCH_MAX: usize = 512;

/// How long the first poll of a batch waits for more, as long as OpenTelemetry's own exporters.
const BATCH_WAIT: Duration = Duration::from_secs(5);

/// How often a batch is sent before it is dropped.
const TRIES_MAX: u32 = 5;

/// The first wait before it is sent again; it doubles.
const WAIT_FIRST: Duration = Duration::from_secs(1);

/// The longest such wait, also where the collector asks for more.
const WAIT_LONGEST: Duration = Duration::from_secs(30);

/// OTLP over HTTP.
const CONTENT_TYPE: &str = "application/x-protobuf";

/// Exports polls until all have ended, or `stop` says so. Then what is left is sent once, within `flush_within`.
pub async fn export(
    received: Received,
    upload: Upload,
    flush_within: Duration,
    stop: CancellationToken,
) {
    let mut exporter = Exporter::new(received, upload);
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = exporter.run() => {}
    }
    let _late = timeout(flush_within, exporter.flush()).await;
    exporter.give_up();
}

/// What a collector's answer means (OTLP over HTTP, "Response").
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It has them, but for so many spans.
    Taken { rejected: u64 },
    /// It will never take them.
    Refused(String),
    /// It may take them later, or after so long.
    Later(String, Option<Duration>),
}

fn verdict(came: Result<Uploaded, Failure>) -> Verdict {
    let answer = match came {
        Ok(answer) => answer,
        Err(failure) => return Verdict::Later(failure.detail, None),
    };
    match answer.status {
        200..300 => {
            // What is no message says nothing, and the status has said all.
            let response = ExportTraceServiceResponse::decode(answer.body.as_slice());
            let partial = response.ok().and_then(|response| response.partial_success);
            let rejected = partial.map_or(0, |partial| partial.rejected_spans);
            Verdict::Taken { rejected: u64::try_from(rejected).unwrap_or(0) }
        }
        status @ (429 | 502 | 503 | 504) => {
            Verdict::Later(format!("it answered {status}"), answer.retry_after)
        }
        status => Verdict::Refused(format!("it answered {status}")),
    }
}

/// A request as bytes; the same when it is sent again, so that no span is there twice.
#[derive(Debug)]
struct Batch {
    body: Vec<u8>,
    spans: u64,
    tries: u32,
}

#[derive(Debug)]
struct Exporter {
    polls: mpsc::Receiver<Traced>,
    metrics: Arc<Metrics>,
    upload: Upload,
    resource: Resource,
    random: SystemRandom,
    backoff: Backoff,
    /// What the next batch is made of.
    gathered: Vec<Traced>,
    /// What is sent and not yet taken.
    pending: Option<Batch>,
    is_away: bool,
}

impl Exporter {
    fn new(Received { polls, metrics }: Received, upload: Upload) -> Self {
        let random = SystemRandom::new();
        let resource = spans::resource(&mut |bytes| fill(&random, bytes));
        let backoff = Backoff::new(WAIT_FIRST, WAIT_LONGEST, 0);
        let (gathered, pending, is_away) = (Vec::new(), None, false);
        Self { polls, metrics, upload, resource, random, backoff, gathered, pending, is_away }
    }

    /// Sends batches until nobody notes polls any more. Cancel safety: what is not taken stays.
    async fn run(&mut self) {
        while self.gather().await {
            self.encode();
            while self.pending.is_some() {
                if let Some(wait) = self.send().await {
                    sleep(wait).await;
                }
            }
        }
    }

    /// Waits for a batch; `false` once there will be no more. Cancel safety: as [`Self::run`].
    async fn gather(&mut self) -> bool {
        if self.gathered.is_empty()
            && self.polls.recv_many(&mut self.gathered, BATCH_MAX).await == 0
        {
            return false;
        }
        let deadline = Instant::now() + BATCH_WAIT;
        while self.gathered.len() < BATCH_MAX {
            let room = BATCH_MAX - self.gathered.len();
            match timeout_at(deadline, self.polls.recv_many(&mut self.gathered, room)).await {
                Ok(0) => return false,
                Ok(_) => {}
                Err(_in_time) => break,
            }
        }
        true
    }

    /// Makes a request of what was gathered, if anything was.
    fn encode(&mut self) {
        let random = &self.random;
        let fill = &mut |bytes: &mut [u8]| fill(random, bytes);
        let (request, spans) = spans::request(&self.resource, &self.gathered, fill);
        self.gathered.clear();
        let body = request.encode_to_vec();
        self.pending = (spans > 0).then_some(Batch { body, spans, tries: 0 });
    }

    /// Sends what is pending, once; how long to wait until it is sent again, if it is to be.
    async fn send(&mut self) -> Option<Duration> {
        let batch = self.pending.as_ref()?;
        let verdict = verdict(self.upload.post(CONTENT_TYPE, batch.body.clone()).await);
        let batch = self.pending.as_mut()?;
        batch.tries += 1;
        match verdict {
            Verdict::Taken { rejected } => {
                let rejected = rejected.min(batch.spans);
                self.metrics.traces.sent(batch.spans - rejected);
                self.metrics.traces.dropped(rejected);
                self.pending = None;
                self.backoff.reset();
                if std::mem::take(&mut self.is_away) {
                    info!("the collector takes traces again");
                }
                None
            }
            Verdict::Refused(why) => {
                self.drop_pending();
                self.report(&why);
                None
            }
            Verdict::Later(why, asked) => {
                let is_last = batch.tries >= TRIES_MAX;
                self.report(&why);
                if is_last {
                    self.drop_pending();
                    return None;
                }
                let wait = self.backoff.next_wait();
                Some(asked.map_or(wait, |asked| asked.max(wait).min(WAIT_LONGEST)))
            }
        }
    }

    /// Sends all that is left, each batch once, until one is not taken.
    async fn flush(&mut self) {
        loop {
            if self.pending.is_none() {
                let room = BATCH_MAX.saturating_sub(self.gathered.len());
                let more = std::iter::from_fn(|| self.polls.try_recv().ok()).take(room);
                self.gathered.extend(more);
                self.encode();
            }
            if self.pending.is_none() || self.send().await.is_some() {
                return;
            }
        }
    }

    /// Drops what is left.
    fn give_up(&mut self) {
        self.gathered.extend(std::iter::from_fn(|| self.polls.try_recv().ok()));
        let left = self.gathered.drain(..).map(|poll| poll.spans()).sum::<u64>();
        self.metrics.traces.dropped(left);
        let lost = left + self.drop_pending();
        if lost > 0 {
            warn!(
                span.count = lost,
                "traces were dropped at the end: the collector did not take them"
            );
        }
    }

    fn drop_pending(&mut self) -> u64 {
        let spans = self.pending.take().map_or(0, |batch| batch.spans);
        self.metrics.traces.dropped(spans);
        spans
    }

    /// Says once that the collector does not take traces, however many batches find out.
    fn report(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_away, true) {
            warn!(
                error = why,
                "the collector does not take traces; what the queue cannot hold is dropped, polls go on"
            );
        }
    }
}

/// A system without randomness gives ids of zeros, which `spans` mends: traces are not worth ending a daemon for.
fn fill(random: &SystemRandom, bytes: &mut [u8]) {
    let _unfilled = random.fill(bytes);
}

#[cfg(test)]
mod tests {
    use cw_model::FailureClass;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

    use super::*;

    #[track_caller]
    fn check(status: u16, body: Vec<u8>, expected: &Verdict) {
        let retry_after = Some(Duration::from_secs(7));
        assert_eq!(verdict(Ok(Uploaded { status, retry_after, body })), *expected, "{status}");
    }

    #[test]
    fn answers_mean_what_the_protocol_says() {
        let taken = |rejected| Verdict::Taken { rejected };
        check(200, Vec::new(), &taken(0));
        check(202, b"{}".to_vec(), &taken(0));
        let partial = |rejected_spans| {
            let (rejected_spans, error_message) = (rejected_spans, "too old".to_owned());
            let partial = ExportTracePartialSuccess { rejected_spans, error_message };
            ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        };
        check(200, partial(3), &taken(3));
        check(200, partial(-3), &taken(0));
        for status in [429, 502, 503, 504] {
            let wait = Some(Duration::from_secs(7));
            check(status, Vec::new(), &Verdict::Later(format!("it answered {status}"), wait));
        }
        for status in [301, 400, 401, 404, 413, 500, 501] {
            check(status, Vec::new(), &Verdict::Refused(format!("it answered {status}")));
        }
        let failure = Failure {
            class: FailureClass::Connect,
            detail: "nobody there".to_owned(),
            retry_after: None,
        };
        assert_eq!(verdict(Err(failure)), Verdict::Later("nobody there".to_owned(), None));
    }
}
