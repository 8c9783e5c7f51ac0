//! One poll: a due feed is fetched, the answer processed, the outcome committed.
//!
//! A poll that is told to stop before its commit is abandoned, also while its document is read:
//! nothing was changed, so the next run asks again with the validators it had. A commit that has begun is never abandoned; one that
//! does not work is tried again until it does, and meanwhile holds its place, so that a ledger
//! that is away stops polls before memory grows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cw_code::Tagger;
use cw_decide::process::{
    Pages, Reader, conditions, crashed, forgiven, is_new, panicked, process_with, too_large,
    wanted_pages,
};
use cw_decide::schedule::conduct::{Heard, Patience, Request};
use cw_decide::{Backoff, Lease, backoff};
use cw_model::state::{Crash, FeedState};
use cw_model::{
    Answer, Body, EntryCounts, Failure, FailureClass, Feed, FeedId, Outcome, PollResult, Timestamp,
};
use cw_status::{Metrics, Status};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::errands::{Errand, Errands, PagesCame};
use super::trial::{TrialDocument, Trials, Verdict};
use crate::admin::Events;
use crate::clock::Clock;
use crate::fault::{Point, point, strike};
use crate::fetch::{Fetcher, waits_for_turn};
use crate::ledger::{CommitError, Ledger};
use crate::memory::{BodyHold, Held, Memory, Place};
use crate::traces::{PollEnded, PollTrace, Traces};

/// The first wait after a commit that did not work; it doubles.
const COMMIT_WAIT_FIRST: Duration = Duration::from_millis(500);

/// The longest such wait: a ledger that is back is noticed this soon.
const COMMIT_WAIT_LONGEST: Duration = Duration::from_secs(15);

/// What every poll needs.
#[derive(Clone, Debug)]
pub(super) struct Poller {
    pub(super) clock: Clock,
    pub(super) ledger: Arc<Ledger>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) status: Arc<Status>,
    pub(super) memory: Memory,
    pub(super) errands: Arc<Errands>,
    pub(super) events: Events,
    pub(super) firsts: Arc<Firsts>,
    pub(super) traces: Traces,
    pub(super) observer: Option<mpsc::Sender<Arc<Outcome>>>,
    /// Where it is told that a request has ended.
    pub(super) fetched: mpsc::Sender<(FeedId, Request)>,
    /// No host answers: what fails in silence is no fault of its host.
    pub(super) is_network_away: Arc<AtomicBool>,
    pub(super) stop: CancellationToken,
}

/// What a person who has just started the daemon waits for; each is said once.
#[derive(Debug, Default)]
pub(super) struct Firsts {
    is_answered: AtomicBool,
    is_committed: AtomicBool,
}

impl Firsts {
    fn answered(&self, feed: &Feed, answer: &Answer) {
        let is_answer = !matches!(answer, Answer::Failed(_));
        if is_answer && !self.is_answered.swap(true, Ordering::Relaxed) {
            info!(feed.id = %feed.id, "the first feed since the start has answered");
        }
    }

    fn committed(&self, feed: &Feed, records: usize) {
        if !self.is_committed.swap(true, Ordering::Relaxed) {
            info!(
                feed.id = %feed.id,
                record.count = records,
                "the first poll since the start is committed; further ones are told at level debug"
            );
        }
    }
}

/// What this poll needs. Feed and tools are those of its start: a reload meets the next one.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) feed: Arc<Feed>,
    pub(super) lease: Lease,
    pub(super) state: Arc<FeedState>,
    pub(super) fetcher: Arc<Fetcher>,
    pub(super) tagger: Arc<Tagger>,
    /// Where a new document is tried first, if it is.
    pub(super) trials: Option<Arc<Trials>>,
    /// How long its request may take.
    pub(super) patience: Patience,
    /// Ends its request.
    pub(super) put_off: CancellationToken,
}

/// How a poll ended.
#[derive(Debug)]
pub(super) enum Polled {
    /// Its outcome is durable, or as good as.
    Committed(Lease, Arc<FeedState>),
    /// Nothing was changed, because the daemon stops.
    Abandoned,
    /// Nothing was changed, because others that share its server have their turns first, which takes so long.
    NotItsTurn(Duration),
    /// Nothing was changed, because others waited for its place.
    PutOff,
    /// Nothing was changed, because the lane was taken meanwhile.
    Taken,
    /// The ledger has something that contradicts this outcome: a defect, of this feed alone.
    Refused(CommitError),
    /// The ledger is gone.
    Fatal(CommitError),
}

impl Polled {
    /// How it ended, for its trace.
    fn ended(&self) -> PollEnded {
        match self {
            Self::Committed(..) => PollEnded::Committed,
            Self::Abandoned => PollEnded::Abandoned,
            Self::NotItsTurn(_) => PollEnded::NotItsTurn,
            Self::PutOff => PollEnded::PutOff,
            Self::Taken => PollEnded::Taken,
            Self::Refused(_) | Self::Fatal(_) => PollEnded::Refused,
        }
    }
}

impl Poller {
    /// Polls a feed once.
    pub(super) async fn poll(self, job: Job) -> Polled {
        let mut trace = self.traces.begin(self.clock);
        let polled = self.poll_traced(&job, &mut trace).await;
        self.traces.end(trace, &job.feed, job.lease, polled.ended());
        polled
    }

    async fn poll_traced(&self, job: &Job, trace: &mut PollTrace) -> Polled {
        if let Some(wait) = self.errands.busy(&job.feed.url) {
            debug!(feed.id = %job.feed.id, "not its turn: its host is asked for pages");
            return Polled::NotItsTurn(wait);
        }
        let started = Instant::now();
        // Asked for before the request and filled as bytes come: a thousand large bodies at once
        // must wait for each other and not fail.
        let mut body = self.memory.body();
        let conditions = conditions(&job.feed, &job.state);
        let answer = tokio::select! {
            answer = job.fetcher.fetch_holding(&job.feed, &conditions, job.patience, &mut body) => answer,
            () = job.put_off.cancelled() => {
                self.metrics.poll_put_off();
                debug!(feed.id = %job.feed.id, "put off: it takes long, and others wait");
                return Polled::PutOff;
            }
            () = self.stop.cancelled() => {
                self.metrics.poll_abandoned();
                return Polled::Abandoned;
            }
        };
        let wire_bytes = match &answer {
            Answer::Body(body) => Some(body.wire_bytes),
            Answer::NotModified(_) | Answer::Failed(_) => None,
        };
        if let Some(wait) = waits_for_turn(&answer) {
            debug!(feed.id = %job.feed.id, "not its turn at a server that it shares");
            return Polled::NotItsTurn(wait);
        }
        // What it waited for memory is no fault of the host.
        let took = started.elapsed().saturating_sub(body.waits().total());
        self.metrics.fetched(started.elapsed(), wire_bytes);
        let request = Request { took, heard: Heard::of(&answer) };
        // The scheduler may have ended; then the daemon stops.
        // Now and not with the outcome: whether a host is slow is known here, and committing may
        // take long.
        let _told = self.unless_stopped(self.fetched.send((job.feed.id.clone(), request))).await;
        // After the scheduler was told: it may have found out by this very request that the network
        // is away.
        let answer = self.excused(answer, request);
        self.firsts.answered(&job.feed, &answer);
        trace.fetched(&answer);
        point(Point::AfterFetch);
        let (fetcher, feed) = (&job.fetcher, &job.feed);
        let answer = self.errands.sitemaps(fetcher, feed, answer, &mut body);
        let Some(answer) = self.unless_stopped(answer).await else {
            self.metrics.poll_abandoned();
            return Polled::Abandoned;
        };
        trace.reads();
        let Some((outcome, _held)) = self.read_with_pages(job, answer, &body).await else {
            self.metrics.poll_abandoned();
            return Polled::Abandoned;
        };
        trace.read(&outcome);
        // The bytes are not needed any more; the outcome has a hold of its own.
        drop(body);
        point(Point::AfterProcess);
        self.commit(job, outcome).await
    }

    /// Makes an outcome of an answer, with the texts of the pages that a first outcome of it wants. None of it is durable before
    /// the one commit: whoever dies in between asks for all of it again.
    async fn read_with_pages(
        &self,
        job: &Job,
        answer: Answer,
        hold: &BodyHold,
    ) -> Option<(Outcome, Held)> {
        // One time for both readings: the second must come to the same but for the texts of pages.
        let now = self.clock.now();
        let (outcome, held, answer) = self.read(job, answer, Arc::default(), now).await?;
        let wanted = wanted_pages(&job.feed, &outcome);
        let Some(answer) = answer.filter(|_| !wanted.is_empty()) else {
            return Some((outcome, held));
        };
        let Answer::Body(body) = &answer else { return Some((outcome, held)) };
        // Others may read and commit meanwhile.
        drop((outcome, held));
        let errand = Errand { fetcher: &job.fetcher, feed: &job.feed, body, hold };
        let came = self.errands.pages(&errand, wanted, job.put_off.cancelled());
        let PagesCame { texts, refusals } = self.unless_stopped(came).await?;
        self.metrics.pages(texts.len(), refusals.values().copied());
        point(Point::AfterPages);
        let (outcome, held, _) = self.read(job, answer, Arc::new(texts), now).await?;
        Some((outcome, held))
    }

    /// Makes an outcome of an answer, in its turn; `None` if the daemon stops before it is made. What
    /// the outcome takes is held until it is committed. The answer is given back, unless reading it failed.
    async fn read(
        &self,
        job: &Job,
        answer: Answer,
        pages: Arc<Pages>,
        now: Timestamp,
    ) -> Option<(Outcome, Held, Option<Answer>)> {
        let place = match &answer {
            Answer::Body(body) => {
                let place = self.memory.place(&job.feed, body.bytes.len());
                match self.unless_stopped(place).await? {
                    Ok(place) => Some(place),
                    Err(error) => {
                        let (feed, detail) = (&job.feed, error.to_string());
                        let outcome = too_large(feed, body, &job.state, detail, now);
                        return Some((outcome, Held::nothing(), None));
                    }
                }
            }
            Answer::NotModified(_) | Answer::Failed(_) => None,
        };
        let reading = Reading { pages, now, place: place.as_ref() };
        let (outcome, answer) = match (answer, &job.trials) {
            // The same bytes as last time were read before, and nobody died of them.
            (Answer::Body(body), Some(trials)) if is_new(&body, &job.state) => {
                // Whatever is on trial when the daemon stops ends with it.
                self.unless_stopped(self.try_first(job, body, trials, reading)).await?
            }
            (answer, _) => self.unless_stopped(process_apart(job, answer, reading)).await?,
        };
        // The place is given back after this: what is read and not committed fills only its share.
        let held = self.memory.outcome(outcome.bytes);
        let held = self.unless_stopped(held).await?;
        drop(place);
        Some((outcome, held, answer))
    }

    /// Makes an outcome of a document that is tried first.
    async fn try_first(
        &self,
        job: &Job,
        body: Body,
        trials: &Arc<Trials>,
        reading: Reading<'_>,
    ) -> (Outcome, Option<Answer>) {
        let (feed, state, now) = (&job.feed, &job.state, reading.now);
        let body = Arc::new(body);
        let document = TrialDocument {
            feed: Arc::clone(feed),
            body: Arc::clone(&body),
            state: Arc::clone(state),
            now,
            pages: Arc::clone(&reading.pages),
        };
        let verdict = trials.read(document, &self.metrics).await;
        let under = trials.under(feed);
        // Not read here at all: this process would be the third to die.
        if let Verdict::Crashed(how) = verdict {
            return (crashed(feed, &body, state, Crash { under, at: now }, &how), None);
        }
        // Nobody else has it any more, so nothing is copied.
        let answer = Answer::Body(Arc::unwrap_or_clone(body));
        let (outcome, answer) = process_apart(job, answer, reading).await;
        // Under the same version it stays on trial, however many other documents of it are fine.
        let is_other = state.plan.crash.as_ref().is_some_and(|crash| crash.under != under);
        let is_forgiven = is_other && verdict == Verdict::Read;
        (if is_forgiven { forgiven(outcome) } else { outcome }, answer)
    }

    /// What comes of a wait; `None` if the daemon stops first. What need not wait comes all the same.
    async fn unless_stopped<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = wait => Some(done),
            () = self.stop.cancelled() => None,
        }
    }

    /// The answer, but that silence is this machine's own trouble while the network is away.
    fn excused(&self, answer: Answer, request: Request) -> Answer {
        match answer {
            Answer::Failed(failure)
                if request.heard == Heard::Silence
                    && self.is_network_away.load(Ordering::SeqCst) =>
            {
                let detail = format!("the network is away: {}", failure.detail);
                let (class, retry_after) = (FailureClass::Local, None);
                Answer::Failed(Failure { class, detail, retry_after })
            }
            answer => {
                self.watch_machine(&answer);
                answer
            }
        }
    }

    /// Says once that this machine cannot ask publishers, and once that it can again.
    fn watch_machine(&self, answer: &Answer) {
        match answer {
            Answer::Failed(failure) if failure.class == FailureClass::Local => {
                if self.status.set_unasked(&failure.detail) {
                    error!(
                        error.type = failure.class.name(),
                        error = %failure.detail,
                        "this machine cannot ask publishers; no feed is blamed, trying again"
                    );
                }
            }
            Answer::Body(_) | Answer::NotModified(_) | Answer::Failed(_) => {
                if self.status.set_asked() {
                    info!("this machine can ask publishers again");
                }
            }
        }
    }

    async fn commit(&self, job: &Job, outcome: Outcome) -> Polled {
        let (feed, lease) = (&job.feed, job.lease);
        let outcome = Arc::new(outcome);
        // Gone when this poll ends, however it does.
        let mut waits = None;
        // Polls that find a ledger away at the same moment must not all ask it again at the same moment.
        let seed = backoff::seed(feed.id.as_str(), job.state.plan.sequence);
        let mut backoff = Backoff::new(COMMIT_WAIT_FIRST, COMMIT_WAIT_LONGEST, seed);
        let committed = loop {
            let started = Instant::now();
            // Tried again for as long as it takes, with the same outcome: the document may be gone
            // from the feed by now.
            match self.ledger.commit(lease, Arc::clone(&outcome)).await {
                Ok(state) => {
                    let now = self.clock.now();
                    self.metrics.committed(&outcome, started.elapsed(), now);
                    self.status.recent().committed(&outcome, now);
                    self.events.committed(&outcome, now);
                    self.firsts.committed(feed, outcome.records.len());
                    break state;
                }
                Err(error @ CommitError::Write { .. }) => {
                    self.report_unwritten(&error);
                    waits.get_or_insert_with(|| self.status.waits());
                }
                Err(error @ CommitError::Refused { .. }) => {
                    self.metrics.commit_failed();
                    return Polled::Refused(error);
                }
                Err(CommitError::Taken) => {
                    self.metrics.outcome_discarded();
                    debug!(feed.id = %feed.id, "the lane was taken before the outcome was committed");
                    return Polled::Taken;
                }
                Err(
                    error @ (CommitError::Open { .. }
                    | CommitError::InUse { .. }
                    | CommitError::Misconfigured(_)
                    | CommitError::Unread
                    | CommitError::Closed),
                ) => {
                    return Polled::Fatal(error);
                }
            }
            tokio::select! {
                () = sleep(backoff.next_wait()) => {}
                () = self.stop.cancelled() => {
                    warn!(feed.id = %feed.id, "stopped before the ledger took the outcome; the feed will be polled again");
                    self.metrics.poll_abandoned();
                    return Polled::Abandoned;
                }
            }
        };
        if self.status.set_written() {
            info!("the ledger takes commits again");
        }
        report(feed, job.state.plan.failures, &outcome);
        // After the commit: whoever follows is never told of something that is not there.
        if let Some(observer) = &self.observer {
            // The observer may have gone; the outcome is durable all the same.
            let _gone = observer.send(Arc::clone(&outcome)).await;
        }
        let state = committed.unwrap_or_else(|| Arc::clone(&outcome.state));
        Polled::Committed(lease, state)
    }

    /// Says once that the ledger does not take commits, however many polls find out.
    fn report_unwritten(&self, error: &CommitError) {
        self.metrics.commit_failed();
        if self.status.set_unwritten(error.to_string()) {
            error!(
                error = %error,
                "the ledger does not take commits; polls wait, nothing is lost, trying again"
            );
        }
    }
}

/// With what an answer is read.
#[derive(Clone, Debug)]
struct Reading<'a> {
    pages: Arc<Pages>,
    now: Timestamp,
    place: Option<&'a Place>,
}

/// Runs `process` off the runtime's workers: a large document takes longer than they may be held.
/// A body is read on a thread of its `place`. The answer is given back, unless the thread was lost.
async fn process_apart(
    job: &Job,
    answer: Answer,
    Reading { pages, now, place }: Reading<'_>,
) -> (Outcome, Option<Answer>) {
    let work = job.clone();
    let processing = move || {
        // A panic is a defect of ours in one document. It must not end the daemon, nor leave the
        // feed without a next attempt.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if let Answer::Body(body) = &answer {
                strike(&body.bytes);
            }
            let reader = Reader { tagger: &work.tagger, pages: &pages };
            process_with(&work.feed, &answer, &work.state, reader, now)
        }));
        (outcome, answer)
    };
    let processed = match place {
        Some(place) => place.run(processing).await,
        None => spawn_blocking(processing).await.ok(),
    };
    match processed {
        Some((Ok(outcome), answer)) => (outcome, Some(answer)),
        Some((Err(_), _)) | None => (panicked(&job.feed, &job.state, now), None),
    }
}

/// Says what a poll came to, of a feed with so many failures in a row before.
fn report(feed: &Feed, failures: u32, outcome: &Outcome) {
    let next_at = outcome.state.plan.next.due_at.map(|at| format!("{at:.0}")).unwrap_or_default();
    let is_answered = !matches!(outcome.result, PollResult::Failed(_));
    if failures > 0 && is_answered {
        // Whoever was told that it fails is told that it does not any more.
        info!(feed.id = %feed.id, poll.failures = failures, "the feed answers again");
    }
    match &outcome.result {
        PollResult::Modified(counts) => report_read(feed, *counts, &next_at),
        PollResult::NotModified => {
            debug!(feed.id = %feed.id, poll.next_at = next_at, "polled: not modified");
        }
        PollResult::Failed(failure) if failure.class == FailureClass::Crash => {
            error!(
                feed.id = %feed.id,
                error.type = failure.class.name(),
                error = %failure.detail,
                poll.next_at = next_at,
                "a document of this feed ends the process that reads it; the feed is put off, until \
                 then or until its configuration or this program is another"
            );
        }
        // Told once for all feeds, where it was met.
        PollResult::Failed(failure) if failure.class == FailureClass::Local => {
            debug!(feed.id = %feed.id, poll.next_at = next_at, "not polled: this machine's trouble");
        }
        PollResult::Failed(failure) => {
            // The first failure is worth a look; the hundredth of a dead feed is not.
            let failures = outcome.state.plan.failures;
            if failures.is_power_of_two() {
                warn!(
                    feed.id = %feed.id,
                    error.type = failure.class.name(),
                    error = %failure.detail,
                    poll.failures = failures,
                    poll.next_at = next_at,
                    "poll came to nothing; will poll again"
                );
            } else {
                debug!(
                    feed.id = %feed.id,
                    error.type = failure.class.name(),
                    poll.failures = failures,
                    poll.next_at = next_at,
                    "poll came to nothing; will poll again"
                );
            }
        }
    }
}

/// Says what a document came to.
fn report_read(feed: &Feed, counts: EntryCounts, next_at: &str) {
    debug!(
        feed.id = %feed.id,
        entry.new = counts.new,
        entry.revised = counts.revised,
        entry.rejected = counts.rejected,
        poll.next_at = next_at,
        "polled"
    );
    if counts.over_limit > 0 {
        warn!(
            feed.id = %feed.id,
            entry.over_limit = counts.over_limit,
            "the feed has more entries than parse.entries_max; the last were left out"
        );
    }
    if counts.gaps > 0 {
        warn!(
            feed.id = %feed.id,
            poll.next_at = next_at,
            "the feed lists nothing of what it listed at the last poll: what it listed only in \
             between was not read; it is asked sooner now"
        );
    }
    if counts.over_quota > 0 {
        warn!(
            feed.id = %feed.id,
            entry.over_quota = counts.over_quota,
            poll.next_at = next_at,
            "the feed has added as much as it may in a day (schedule.articles_per_day, \
             schedule.bytes_per_day); it is put off, and what it still lists then is read then"
        );
    }
}
