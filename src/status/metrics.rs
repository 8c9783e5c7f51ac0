//! Every metric, with help text that lists its label values.
//!
//! Labels are small closed sets: no feed, URL, host or article. What one feed does is in the logs
//! and in `conflictwire feeds explain`. Counters are registered without `_total`, which the
//! encoder adds.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use cw_model::record::RecordChange;
use cw_model::{EntryCounts, FailureClass, Outcome, PageRefusal, PollResult, Timestamp};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};

use super::lanes::LaneMetrics;
use super::ledger::LedgerStatus;
use super::lists::ListMetrics;
use super::process::{Process, ProcessFigures};
use super::status::{LastRead, Snapshot};
use super::traces::TraceMetrics;
use super::trial::TrialOutcome;

/// What a hub called for, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Pushed {
    /// There is news.
    Pushed,
    /// A push without a good signature, which is ignored.
    Unsigned,
    /// A subscription, or its end, was verified.
    Verified,
    /// The hub does not want a subscription.
    Denied,
    /// It asked for what nobody wants.
    Unasked,
    /// A subscription that is over.
    Over,
    /// Of a feed that is not polled here now.
    Elsewhere,
    /// A path that was never a callback of this deployment.
    Unknown,
}

/// From a minute, which is as fast as feeds are asked, to a day, seconds.
const DELAYS: [f64; 9] = [60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0];

type Labelled = Family<[(&'static str, String); 1], Counter>;

/// Everything counted, and the registry it is read through.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Without our prefix.
    process: Registry,
    polls: Labelled,
    poll_failures: Labelled,
    polls_abandoned: Counter,
    polls_put_off: Counter,
    outcomes_discarded: Counter,
    entries: Labelled,
    feed_gaps: Counter,
    tags: Labelled,
    records_committed: Counter,
    rejects_committed: Counter,
    commit_failures: Counter,
    config_reloads: Labelled,
    trials: Labelled,
    pages: Labelled,
    hub_calls: Labelled,
    hub_requests: Labelled,
    fetch_duration: Histogram,
    fetch_body_bytes: Histogram,
    commit_duration: Histogram,
    poll_wait: Histogram,
    publication_delay: Histogram,
    last_commit: Gauge<f64, AtomicU64>,
    feeds: Family<[(&'static str, String); 1], Gauge>,
    subscriptions: Family<[(&'static str, String); 1], Gauge>,
    feed_overdue: Gauge<f64, AtomicU64>,
    polls_in_flight: Gauge,
    ready: Gauge,
    careful: Gauge,
    network_away: Gauge,
    hosts_late: Gauge,
    feeds_over_quota: Gauge,
    ledger_size: Gauge,
    turned: Gauge<f64, AtomicU64>,
    last_reload_successful: Gauge,
    last_reload_at: Gauge<f64, AtomicU64>,
    ledger: LedgerStatus,
    lists: ListMetrics,
    /// What is counted of traces.
    pub traces: TraceMetrics,
    showing: Mutex<()>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers everything, each label value at zero where the set is known, so that a rate over
    /// it is never missing its start.
    pub fn new() -> Self {
        Self::of(ProcessFigures::default, "unknown")
    }

    /// The same, of a process that `read` has the figures of, and of a build from this revision.
    pub fn of(read: fn() -> ProcessFigures, revision: &'static str) -> Self {
        // 1 ms to about 33 s, the default `fetch.timeout`.
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let mut registry = Registry::with_prefix("conflictwire");
        let ledger = LedgerStatus::new(LaneMetrics::new(&mut registry));
        let lists = ListMetrics::new(&mut registry);
        let traces = TraceMetrics::new(&mut registry);
        let mut metrics = Self {
            registry,
            process: of_process(read),
            polls: Family::default(),
            poll_failures: Family::default(),
            polls_abandoned: Counter::default(),
            polls_put_off: Counter::default(),
            outcomes_discarded: Counter::default(),
            entries: Family::default(),
            feed_gaps: Counter::default(),
            tags: Family::default(),
            records_committed: Counter::default(),
            rejects_committed: Counter::default(),
            commit_failures: Counter::default(),
            config_reloads: Family::default(),
            trials: Family::default(),
            pages: Family::default(),
            hub_calls: Family::default(),
            hub_requests: Family::default(),
            fetch_duration: seconds(),
            // 1 KiB to 16 MiB, the default `fetch.body_limit`.
            fetch_body_bytes: Histogram::new(exponential_buckets(1024.0, 2.0, 15)),
            commit_duration: seconds(),
            poll_wait: seconds(),
            publication_delay: Histogram::new(DELAYS),
            last_commit: Gauge::default(),
            feeds: Family::default(),
            subscriptions: Family::default(),
            feed_overdue: Gauge::default(),
            polls_in_flight: Gauge::default(),
            ready: Gauge::default(),
            careful: Gauge::default(),
            network_away: Gauge::default(),
            hosts_late: Gauge::default(),
            feeds_over_quota: Gauge::default(),
            ledger_size: Gauge::default(),
            turned: Gauge::default(),
            last_reload_successful: Gauge::default(),
            last_reload_at: Gauge::default(),
            ledger,
            lists,
            traces,
            showing: Mutex::default(),
        };
        metrics.register_counters();
        metrics.register_hubs();
        metrics.register_measures();
        metrics.register_gauges();
        metrics.begin_at_zero();
        let build = Info::new([("version", env!("CARGO_PKG_VERSION")), ("revision", revision)]);
        metrics.registry.register("build", "The running build: version, revision", build);
        metrics
    }

    fn register_counters(&mut self) {
        let registry = &mut self.registry;
        let mut counters = |name: &str, help: &str, family: &Labelled| {
            registry.register(name, help, family.clone());
        };
        counters("polls", "Polls: outcome = modified, not_modified, failed", &self.polls);
        counters(
            "poll_failures",
            "Polls that came to nothing: class = the failure classes of deploy/README.md",
            &self.poll_failures,
        );
        counters(
            "entries",
            "Entries read: outcome = new, revised, unchanged, skipped, withdrawn, \
             withdrawal_ignored, rejected, over_limit, over_quota",
            &self.entries,
        );
        counters("article_tags", "Tags on committed articles: tag = a taxonomy id", &self.tags);
        counters(
            "config_reloads",
            "Configuration reloads: outcome = accepted, refused",
            &self.config_reloads,
        );
        counters(
            "trials",
            "Documents read in a process of their own first: outcome = read, crashed, untried",
            &self.trials,
        );
        counters(
            "pages",
            "Pages wanted for full texts: result = used, disallowed, failed, left_out, not_a_page, no_text, \
             not_longer, wall, another_article, another_date, another_language, another_author, too_costly",
            &self.pages,
        );
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter(
            "polls_abandoned",
            "Polls given up at shutdown before anything was committed",
            &self.polls_abandoned,
        );
        counter(
            "polls_put_off",
            "Requests ended because they took long and others waited; their feeds are asked anew",
            &self.polls_put_off,
        );
        counter(
            "outcomes_discarded",
            "Outcomes that came too late: their lane had been taken; whoever has it polls again",
            &self.outcomes_discarded,
        );
        counter(
            "feed_gaps",
            "Documents that listed nothing of the one before: what the feed listed only in between was not read",
            &self.feed_gaps,
        );
        counter("records_committed", "Article revisions committed", &self.records_committed);
        counter("rejects_committed", "Rejects committed", &self.rejects_committed);
        counter(
            "commit_failures",
            "Commits that did not work and are tried again",
            &self.commit_failures,
        );
    }

    fn register_hubs(&mut self) {
        self.registry.register(
            "websub_calls",
            "Requests of hubs: outcome = pushed, unsigned, verified, denied, unasked, over, elsewhere, unknown",
            self.hub_calls.clone(),
        );
        self.registry.register(
            "websub_requests",
            "Requests to hubs: outcome = accepted, failed",
            self.hub_requests.clone(),
        );
    }

    fn register_measures(&mut self) {
        let registry = &mut self.registry;
        let mut histogram = |name: &str, help: &str, unit: Unit, histogram: &Histogram| {
            registry.register_with_unit(name, help, unit, histogram.clone());
        };
        histogram("fetch_duration", "One fetch", Unit::Seconds, &self.fetch_duration);
        histogram("fetch_body", "A body on the wire", Unit::Bytes, &self.fetch_body_bytes);
        histogram(
            "commit_duration",
            "Until the ledger took an outcome",
            Unit::Seconds,
            &self.commit_duration,
        );
        histogram(
            "publication_to_commit",
            "From the publication of a new article to its commit, where its date is beyond doubt; not of first \
             polls",
            Unit::Seconds,
            &self.publication_delay,
        );
        histogram(
            "poll_wait",
            "From when a feed was due to when its poll started",
            Unit::Seconds,
            &self.poll_wait,
        );
    }

    fn register_gauges(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "last_commit_timestamp_seconds",
            "When the ledger last took an outcome of this process, Unix time; 0: none yet. On Kafka one \
             that changes nothing is taken before it is written",
            self.last_commit.clone(),
        );
        registry.register(
            "feeds",
            "Feeds: state = due, fine, failing, crashed, gone, new",
            self.feeds.clone(),
        );
        registry.register(
            "websub_subscriptions",
            "Feeds whose publishers name a hub: state = none, asked, verified, refused, unreliable",
            self.subscriptions.clone(),
        );
        registry.register(
            "feed_overdue_seconds",
            "How long the feed that has waited longest has been due",
            self.feed_overdue.clone(),
        );
        registry.register("polls_in_flight", "Polls under way", self.polls_in_flight.clone());
        self.register_standing();
    }

    /// What is read off the status.
    fn register_standing(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "careful_lanes",
            "Lanes that were left uncleanly less than a day ago: new documents are tried first",
            self.careful.clone(),
        );
        registry.register(
            "network_away",
            "1 while no host answers and polls wait for the network",
            self.network_away.clone(),
        );
        registry.register(
            "hosts_late",
            "Hosts that are not slow and have waited for a place for minutes",
            self.hosts_late.clone(),
        );
        registry.register(
            "feeds_over_quota",
            "Feeds put off until the next day, because they have added as much as they may in one",
            self.feeds_over_quota.clone(),
        );
        registry.register_with_unit(
            "ledger_size",
            "The database file and its write-ahead log; 0 for a ledger that has none",
            Unit::Bytes,
            self.ledger_size.clone(),
        );
        registry.register("ready", "1 while /readyz says 200, else 0", self.ready.clone());
        registry.register(
            "scheduler_turned_timestamp_seconds",
            "When the scheduler's loop last told how things stand, Unix time: every second if it turns",
            self.turned.clone(),
        );
        registry.register(
            "config_last_reload_successful",
            "0 if the last configuration read was refused, and an older one is in use; else 1",
            self.last_reload_successful.clone(),
        );
        registry.register(
            "config_last_reload_success_timestamp_seconds",
            "When a new configuration was last taken into use, Unix time; 0 before the first reload",
            self.last_reload_at.clone(),
        );
    }

    fn begin_at_zero(&self) {
        for outcome in ["modified", "not_modified", "failed"] {
            self.polls.get_or_create(&[("outcome", outcome.to_owned())]).inc_by(0);
        }
        for class in FailureClass::iter() {
            self.poll_failures.get_or_create(&[("class", class.name().to_owned())]).inc_by(0);
        }
        self.count_entries(&EntryCounts::default());
        for outcome in TrialOutcome::iter() {
            self.trials.get_or_create(&[("outcome", outcome.name().to_owned())]).inc_by(0);
        }
        self.pages(0, std::iter::empty());
        for refusal in PageRefusal::iter() {
            self.pages.get_or_create(&[("result", refusal.name().to_owned())]).inc_by(0);
        }
        for call in Pushed::iter() {
            let name: &'static str = call.into();
            self.hub_calls.get_or_create(&[("outcome", name.to_owned())]).inc_by(0);
        }
        for outcome in ["accepted", "failed"] {
            self.hub_requests.get_or_create(&[("outcome", outcome.to_owned())]).inc_by(0);
        }
        for outcome in ["accepted", "refused"] {
            self.config_reloads.get_or_create(&[("outcome", outcome.to_owned())]).inc_by(0);
        }
    }

    /// Everything, as OpenMetrics text: what was counted, and how the program stands.
    pub fn text(&self, snapshot: &Snapshot) -> String {
        // Each text shows one snapshot, whoever else asks meanwhile.
        let _one_at_a_time = self.showing.lock();
        self.show(snapshot);
        let mut text = String::new();
        // Writing to a string does not fail; a label that does not encode leaves the text short.
        let registries = [&self.registry, &self.process].into_iter();
        let encoded = registries.map(|registry| encode_registry(&mut text, registry));
        match encoded.collect::<Result<(), _>>().and_then(|()| encode_eof(&mut text)) {
            Ok(()) | Err(std::fmt::Error) => text,
        }
    }

    /// Sets what is read off the status when somebody asks, and is counted nowhere.
    fn show(&self, snapshot: &Snapshot) {
        let feeds = &snapshot.feeds;
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        for (state, count) in [
            ("due", feeds.due),
            ("fine", feeds.fine),
            ("failing", feeds.failing),
            ("crashed", feeds.crashed),
            ("gone", feeds.gone),
            ("new", feeds.new),
        ] {
            self.feeds.get_or_create(&[("state", state.to_owned())]).set(number(count));
        }
        let hubs = &feeds.subscriptions;
        for (state, count) in [
            ("none", hubs.none),
            ("asked", hubs.asked),
            ("verified", hubs.verified),
            ("refused", hubs.refused),
            ("unreliable", hubs.unreliable),
        ] {
            self.subscriptions.get_or_create(&[("state", state.to_owned())]).set(number(count));
        }
        self.feed_overdue.set(feeds.overdue.as_secs_f64());
        self.polls_in_flight.set(number(feeds.polls));
        self.careful.set(number(feeds.careful_lanes));
        self.network_away.set(i64::from(feeds.is_network_away));
        self.hosts_late.set(number(feeds.late_hosts));
        self.feeds_over_quota.set(number(feeds.over_quota));
        self.turned.set(feeds.at.as_duration().as_secs_f64());
        self.ledger_size.set(i64::try_from(snapshot.ledger_bytes).unwrap_or(i64::MAX));
        self.last_reload_successful.set(i64::from(snapshot.last_read == LastRead::InUse));
        self.ready.set(i64::from(snapshot.unready.is_none()));
        self.lists.show(&snapshot.lists);
        let lanes = snapshot.ledger.lanes.iter();
        self.lanes().show(lanes.map(|(lane, status)| (*lane, status.state)));
    }

    /// Counts a committed outcome.
    pub fn committed(&self, outcome: &Outcome, took: Duration, at: Timestamp) {
        let name = match &outcome.result {
            PollResult::Modified(counts) => {
                self.count_entries(counts);
                "modified"
            }
            PollResult::NotModified => "not_modified",
            PollResult::Failed(failure) => {
                let class = failure.class.name().to_owned();
                self.poll_failures.get_or_create(&[("class", class)]).inc();
                "failed"
            }
        };
        self.polls.get_or_create(&[("outcome", name.to_owned())]).inc();
        self.records_committed.inc_by(outcome.records.len() as u64);
        self.rejects_committed.inc_by(outcome.rejects.len() as u64);
        let conflicts = outcome.records.iter().filter_map(|routed| routed.record.conflict.as_ref());
        for tag in conflicts.flat_map(|conflict| &conflict.tags) {
            self.tags.get_or_create(&[("tag", tag.id.clone())]).inc();
        }
        self.observe_delays(outcome, at);
        self.commit_duration.observe(took.as_secs_f64());
        self.last_commit.set(at.as_duration().as_secs_f64());
    }

    /// How long after they were published new articles are committed, where nothing is odd about their dates.
    /// What a feed lists when it is first asked is older than anybody could have known.
    fn observe_delays(&self, outcome: &Outcome, at: Timestamp) {
        if outcome.state.plan.sequence <= 1 {
            return;
        }
        for record in outcome.records.iter().map(|routed| &routed.record) {
            let published =
                record.published_at.as_ref().and_then(|text| text.parse::<Timestamp>().ok());
            if record.change == RecordChange::Created
                && record.dates.quality.is_empty()
                && let Some(published) = published
            {
                self.publication_delay.observe(at.duration_since(published).as_secs_f64().max(0.0));
            }
        }
    }

    /// Counts the pages that a poll wanted: those whose texts are used, and why the others are not.
    pub fn pages(&self, used: usize, refusals: impl Iterator<Item = PageRefusal>) {
        self.pages.get_or_create(&[("result", "used".to_owned())]).inc_by(used as u64);
        for refusal in refusals {
            self.pages.get_or_create(&[("result", refusal.name().to_owned())]).inc();
        }
    }

    /// Counts what a hub called for.
    pub fn hub_called(&self, call: Pushed) {
        let name: &'static str = call.into();
        self.hub_calls.get_or_create(&[("outcome", name.to_owned())]).inc();
    }

    /// Counts a request to a hub.
    pub fn hub_asked<E>(&self, came: &Result<(), E>) {
        let outcome = if came.is_ok() { "accepted" } else { "failed" };
        self.hub_requests.get_or_create(&[("outcome", outcome.to_owned())]).inc();
    }

    fn count_entries(&self, counts: &EntryCounts) {
        for (outcome, count) in [
            ("new", counts.new),
            ("revised", counts.revised),
            ("unchanged", counts.unchanged),
            ("skipped", counts.skipped),
            ("withdrawn", counts.withdrawn),
            ("withdrawal_ignored", counts.withdrawal_ignored),
            ("rejected", counts.rejected),
            ("over_limit", counts.over_limit),
            ("over_quota", counts.over_quota),
        ] {
            self.entries.get_or_create(&[("outcome", outcome.to_owned())]).inc_by(count);
        }
        self.feed_gaps.inc_by(counts.gaps);
    }

    /// A commit did not work and will be tried again.
    pub fn commit_failed(&self) {
        self.commit_failures.inc();
    }

    /// What is counted of lists of feeds.
    pub fn lists(&self) -> &ListMetrics {
        &self.lists
    }

    /// What is counted of lanes.
    pub fn lanes(&self) -> &LaneMetrics {
        self.ledger.metrics()
    }

    /// The status of a ledger whose lanes replicas share.
    pub fn ledger(&self) -> &LedgerStatus {
        &self.ledger
    }

    /// A poll was given up at shutdown.
    pub fn poll_abandoned(&self) {
        self.polls_abandoned.inc();
    }

    /// A request was ended because others waited for its place.
    pub fn poll_put_off(&self) {
        self.polls_put_off.inc();
    }

    /// A lane was taken before the outcome of a poll in it was committed.
    pub fn outcome_discarded(&self) {
        self.outcomes_discarded.inc();
    }

    /// A poll began, so long after it was due.
    pub fn poll_started(&self, waited: Duration) {
        self.poll_wait.observe(waited.as_secs_f64());
    }

    /// A fetch ended.
    pub fn fetched(&self, took: Duration, wire_bytes: Option<u64>) {
        self.fetch_duration.observe(took.as_secs_f64());
        if let Some(bytes) = wire_bytes {
            #[expect(clippy::cast_precision_loss, reason = "a histogram is not exact anyway")]
            self.fetch_body_bytes.observe(bytes as f64);
        }
    }

    /// How many article revisions this process has committed.
    pub fn records_committed(&self) -> u64 {
        self.records_committed.get()
    }

    /// A new configuration was taken into use.
    pub fn reload_accepted(&self, at: Timestamp) {
        self.config_reloads.get_or_create(&[("outcome", "accepted".to_owned())]).inc();
        self.last_reload_at.set(at.as_duration().as_secs_f64());
    }

    /// A new configuration was refused.
    pub fn reload_refused(&self) {
        self.config_reloads.get_or_create(&[("outcome", "refused".to_owned())]).inc();
    }

    /// A document was read in a process of its own first, or was to be.
    pub fn tried(&self, outcome: TrialOutcome) {
        self.trials.get_or_create(&[("outcome", outcome.name().to_owned())]).inc();
    }
}

/// What the system says of the process.
fn of_process(read: fn() -> ProcessFigures) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Process(read)));
    registry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_class_is_there_from_the_start() {
        let text = Metrics::new().text(&Snapshot::default());
        for class in FailureClass::iter() {
            let line = format!("conflictwire_poll_failures_total{{class=\"{}\"}} 0", class.name());
            assert!(text.contains(&line), "{line} is missing in\n{text}");
        }
    }
}
