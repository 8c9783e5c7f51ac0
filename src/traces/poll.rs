//! What is noted of a poll while it runs, and the queue it goes to when it has ended.

use std::sync::Arc;
use std::time::Duration;

use cw_decide::Lease;
use cw_model::{Answer, FailureClass, Feed, Instance, Outcome, Timestamp};
use cw_status::Metrics;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::PollEnded;
use super::traced::{Fetch, ReadSpan, Traced};
use crate::clock::Clock;

/// The most polls that wait to be exported, some 300 bytes each: eight batches.
const QUEUE_MAX: usize = 2048;

/// Where polls are noted; empty if no collector is configured.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Queue>);

#[derive(Clone, Debug)]
struct Queue {
    polls: mpsc::Sender<Traced>,
    metrics: Arc<Metrics>,
}

/// Polls that are to be exported.
#[derive(Debug)]
pub struct Received {
    pub(super) polls: mpsc::Receiver<Traced>,
    pub(super) metrics: Arc<Metrics>,
}

/// What is noted of one poll; empty if nothing is.
#[derive(Debug)]
pub struct PollTrace(Option<Box<Notes>>);

#[derive(Debug)]
struct Notes {
    began_at: Timestamp,
    began: Instant,
    fetch: Option<Fetch>,
    reads_from: Option<Duration>,
    read: Option<ReadSpan>,
}

impl Traces {
    /// A queue, and its other end.
    pub fn new(metrics: Arc<Metrics>) -> (Self, Received) {
        let (polls, received) = mpsc::channel(QUEUE_MAX);
        let queue = Queue { polls, metrics: Arc::clone(&metrics) };
        (Self(Some(queue)), Received { polls: received, metrics })
    }

    /// A poll begins.
    pub fn begin(&self, clock: Clock) -> PollTrace {
        PollTrace(self.0.as_ref().map(|_queue| {
            Box::new(Notes {
                began_at: clock.now(),
                began: Instant::now(),
                fetch: None,
                reads_from: None,
                read: None,
            })
        }))
    }

    /// It has ended. One that waits for its turn asked nobody, and is no poll to look at.
    pub fn end(&self, trace: PollTrace, feed: &Feed, lease: Lease, ended: PollEnded) {
        let (Some(queue), PollTrace(Some(notes))) = (&self.0, trace) else { return };
        if ended == PollEnded::NotItsTurn {
            return;
        }
        let traced = Traced {
            began_at: notes.began_at,
            took: notes.began.elapsed(),
            feed: feed.id.to_string(),
            scheme: if feed.url.scheme() == "https" { "https" } else { "http" },
            host: feed.url.host_str().unwrap_or_default().to_owned(),
            port: feed.url.port_or_known_default(),
            lane: lease.lane,
            ended,
            fetch: notes.fetch,
            read: notes.read,
        };
        // A collector that is away, or slower than the polls.
        if let Err(full) = queue.polls.try_send(traced) {
            queue.metrics.traces.dropped(full.into_inner().spans());
        }
    }
}

impl PollTrace {
    /// Its request has ended.
    pub fn fetched(&mut self, answer: &Answer) {
        let Some(notes) = &mut self.0 else { return };
        let until = notes.began.elapsed();
        let (status, bytes, failure) = match answer {
            Answer::Body(body) => {
                let status = if body.instance == Instance::Delta { 226 } else { 200 };
                (Some(status), Some((body.wire_bytes, body.bytes.len() as u64)), None)
            }
            Answer::NotModified(_) => (Some(304), None, None),
            Answer::Failed(failure) => (status_of(failure.class), None, Some(failure.clone())),
        };
        notes.fetch = Some(Fetch { until, status, bytes, failure });
    }

    /// Its document is about to be read, and what goes with it is there.
    pub fn reads(&mut self) {
        let Some(notes) = &mut self.0 else { return };
        notes.reads_from = Some(notes.began.elapsed());
    }

    /// Its document is read.
    pub fn read(&mut self, outcome: &Outcome) {
        let Some(notes) = &mut self.0 else { return };
        let until = notes.began.elapsed();
        notes.read = Some(ReadSpan {
            from: notes.reads_from.unwrap_or(until),
            until,
            result: outcome.result.clone(),
            records: outcome.records.len(),
        });
    }
}

/// The status of an answer that failed in this way, where only one status does.
fn status_of(class: FailureClass) -> Option<u16> {
    [(FailureClass::NotFound, 404), (FailureClass::Gone, 410)]
        .into_iter()
        .find(|(of, _)| *of == class)
        .map(|(_, status)| status)
}

#[cfg(test)]
mod tests {
    use cw_model::{Failure, samples};

    use super::*;

    #[test]
    fn what_the_queue_cannot_hold_is_dropped_and_counted() {
        let metrics = Arc::new(Metrics::new());
        let (traces, _received) = Traces::new(Arc::clone(&metrics));
        let clock = Clock::Fixed(samples::now());
        let feed = samples::feed("a", "https://a.example/rss".parse().unwrap());
        let lease = Lease { lane: 0, epoch: 1 };
        let failure =
            Failure { class: FailureClass::Gone, detail: "why".to_owned(), retry_after: None };
        for _ in 0..QUEUE_MAX + 3 {
            let mut trace = traces.begin(clock);
            trace.fetched(&Answer::Failed(failure.clone()));
            traces.end(trace, &feed, lease, PollEnded::Abandoned);
        }
        traces.end(traces.begin(clock), &feed, lease, PollEnded::NotItsTurn);
        let status = cw_status::Status::new(metrics.ledger().clone());
        let text = metrics.text(&status.snapshot());
        assert!(text.contains("trace_spans_total{outcome=\"dropped\"} 6\n"), "{text}");
    }

    #[test]
    fn nothing_is_noted_without_a_collector() {
        let traces = Traces::default();
        assert!(traces.begin(Clock::Fixed(samples::now())).0.is_none());
    }
}
