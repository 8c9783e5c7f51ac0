//! What is known of how feeds stand, and how good that knowledge is.
//!
//! A command reads what a ledger has, beside a daemon or without one. What it shows may be old: a poll
//! that changes nothing is written within the hour (in a database of few feeds at once), and nowhere does anybody write
//! while nobody runs. So each line that says how a feed stands says as of when, and a feed that is not heard
//! of when it should be counts as that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use cw_decide::States;
use cw_decide::schedule::{self, Due, Why};
use cw_model::state::{FeedState, Reason, Standing};
use cw_model::{Feed, FeedId, Timestamp};
use url::Url;

use super::check::counted;
use crate::config::{Config, duration_text};
use crate::ledger::LedgerSettings;
use crate::ledger::kafka::error::AccessError;
use crate::ledger::kafka::owners::{Owners, OwnersError};
use crate::ledger::kafka::read::{self, read_states};
use crate::ledger::kafka::settings::KafkaSettings;
use crate::ledger::kafka::{STATES_WRITTEN_WITHIN, lane_of};
use crate::ledger::sqlite::plans::plans_written_within;
use crate::ledger::sqlite::read::{ReadError, Reader};
use crate::ledger::sqlite::{Holder, holder};
use crate::pipeline::trial::Trials;

/// How late a poll may be before nobody seems to make it: a busy daemon makes some by minutes.
const LATE_MAX: Duration = Duration::from_secs(10 * 60);

/// The most lanes without an owner that are named.
const LANES_NAMED_MAX: usize = 20;

/// A feed's state, and when that was so.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) state: Arc<FeedState>,
    /// What came of later polls is not written, if there were any.
    pub(super) as_of: Option<Timestamp>,
    /// The lane that has it, where there are lanes.
    pub(super) lane: Option<u32>,
}

/// How soon a ledger has what came of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// With each poll.
    AtOnce,
    /// At once if it changes what somebody reads, else within this.
    Within(Duration),
    /// Never: it keeps no states.
    Never,
}

/// What a ledger knows of feeds.
#[derive(Debug)]
pub(super) struct Knowledge {
    states: BTreeMap<FeedId, Known>,
    /// Hosts that have refused, and until when.
    refused: BTreeMap<String, Timestamp>,
    written: Written,
    source: Source,
    /// Says whether a feed that was put off is put off by the configuration as it is now.
    trials: Trials,
}

/// Where it was read, and who polls as far as can be seen there.
#[derive(Debug)]
enum Source {
    /// A ledger whose lanes replicas share.
    Lanes(Box<Lanes>),
    /// A database, and the daemon that has it open, if one has.
    Database { path: PathBuf, daemon: std::io::Result<Option<Holder>> },
    /// There is no database at this path.
    NoDatabase(PathBuf),
    /// Nothing is kept.
    Nowhere,
}

/// Who polls, on a ledger whose lanes replicas share.
#[derive(Debug)]
struct Lanes {
    settings: KafkaSettings,
    owners: Result<Owners, OwnersError>,
    /// Those whose log has lost what was written first.
    cut: BTreeSet<u32>,
}

/// When a feed is polled next, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextPoll {
    /// After this time.
    In(Duration),
    /// Now, or as soon as somebody runs.
    Due,
    /// It was due so long ago, and may have been polled since: that is not written yet.
    Unwritten(Duration),
    /// It was due so long ago, and nobody has said since that it was polled.
    Overdue(Duration),
    /// Nobody has its lane, or the database.
    Unowned,
    /// Nothing was looked at that would say so.
    Unknown,
}

/// How a feed stands, for whoever counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Real {
    Fine,
    Failing,
    PutOff,
    Gone,
    Unasked,
    New,
    Unheard,
    Unowned,
    NotKept,
}

impl Real {
    fn text(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Failing => "failing",
            Self::PutOff => "put off",
            Self::Gone => "withdrawn",
            Self::Unasked => "that this machine could not ask",
            Self::New => "not polled yet",
            Self::Unheard => "not heard of when due",
            Self::Unowned => "in a lane that nobody owns",
            Self::NotKept => "not known",
        }
    }
}

impl Knowledge {
    /// What the configured ledger has, read beside a daemon that may be running.
    ///
    /// # Errors
    /// The database or the topic is there and is not read, or Kafka does not answer.
    pub(super) fn read(config: &Config) -> anyhow::Result<Self> {
        let trials = Trials::new(&config.tag, config.memory);
        match &config.ledger {
            LedgerSettings::Sqlite(settings) => Self::of_database(&settings.path, trials),
            LedgerSettings::Kafka(settings) => Self::of_topic(settings, trials),
            LedgerSettings::JsonLines => Ok(Self {
                states: BTreeMap::new(),
                refused: BTreeMap::new(),
                written: Written::Never,
                source: Source::Nowhere,
                trials,
            }),
        }
    }

    fn of_database(path: &Path, trials: Trials) -> anyhow::Result<Self> {
        let (states, source) = match Reader::open(path) {
            Ok(reader) => {
                // Before the states: a daemon that ends meanwhile has written them all.
                let daemon = holder(path);
                (reader.states()?, Source::Database { path: path.to_owned(), daemon })
            }
            Err(ReadError::Missing { .. }) => (States::new(), Source::NoDatabase(path.to_owned())),
            Err(error) => return Err(error.into()),
        };
        Ok(Self::of_polls(states, source, trials))
    }

    /// Of a database.
    fn of_polls(states: States, source: Source, trials: Trials) -> Self {
        let known = |(id, state): (FeedId, Arc<FeedState>)| {
            let as_of = looked_at(&state);
            (id, Known { state, as_of, lane: None })
        };
        let states: BTreeMap<_, _> = states.into_iter().map(known).collect();
        // What is less than that, nobody is told of.
        let within = Some(plans_written_within(states.len())).filter(|within| *within >= LATE_MAX);
        let written = within.map_or(Written::AtOnce, Written::Within);
        Self { refused: refused(&states), states, written, source, trials }
    }

    fn of_topic(settings: &KafkaSettings, trials: Trials) -> anyhow::Result<Self> {
        let (states, owners, cut) = match read_states(settings) {
            Ok(stored) => (stored.states, stored.owners, stored.cut_lanes),
            // Without the topic nobody was asked who polls.
            Err(error @ AccessError::Missing(_)) => {
                (BTreeMap::new(), Err(OwnersError::Unanswered(error.to_string())), BTreeSet::new())
            }
            Err(error) => return Err(error.into()),
        };
        let known = |stored: read::StoredState| Known {
            state: stored.state,
            as_of: Some(stored.written_at),
            lane: Some(stored.lane),
        };
        let states = states.into_iter().map(|(id, stored)| (id, known(stored))).collect();
        Ok(Self {
            refused: refused(&states),
            states,
            written: Written::Within(STATES_WRITTEN_WITHIN),
            source: Source::Lanes(Box::new(Lanes { settings: settings.clone(), owners, cut })),
            trials,
        })
    }

    /// A feed's state, if it was ever polled.
    pub(super) fn of(&self, feed: &Feed) -> Option<&Known> {
        self.states.get(&feed.id)
    }

    /// When and under which URL a feed was polled last that is not configured, if it ever was.
    pub(super) fn of_unconfigured(&self, id: &str) -> Option<&FeedState> {
        self.states.get(&FeedId::parse(id).ok()?).map(|known| known.state.as_ref())
    }

    /// Why nothing can be known of any feed, if that is so.
    pub(super) fn ignorance(&self) -> Option<String> {
        match &self.source {
            Source::Nowhere => Some("the json_lines ledger keeps no state".to_owned()),
            Source::NoDatabase(path) => Some(format!(
                "there is no database \"{}\": no daemon has polled into it yet, or the daemon keeps \
                 it elsewhere",
                path.display()
            )),
            Source::Database { .. } | Source::Lanes(_) => None,
        }
    }

    /// When a feed is due by its state, the configuration as it is now, and what its host said of others; `None` if it was
    /// never polled, and nothing puts it off.
    pub(super) fn due(&self, feed: &Feed, now: Timestamp) -> Option<Due> {
        let until = self.refused.get(feed.url.host_str().unwrap_or_default());
        Due::held(self.own_due(feed, now), until.copied(), now)
    }

    /// The same without its host's word.
    fn own_due(&self, feed: &Feed, now: Timestamp) -> Option<Due> {
        let state = &self.of(feed)?.state;
        let due = schedule::due(state, feed, || self.trials.under(feed), now);
        // A daemon that has run since goes by its plan; only one that starts now polls at once.
        let planned = state.plan.next.due_at.filter(|_| due.why == Why::NextDay);
        Some(Due { at: planned.unwrap_or(due.at), ..due })
    }

    /// When a feed is polled next, as far as is known.
    pub(super) fn next_poll(&self, feed: &Feed, now: Timestamp) -> NextPoll {
        if self.ignorance().is_some() {
            return NextPoll::Unknown;
        }
        if self.is_unowned(feed) {
            return NextPoll::Unowned;
        }
        self.if_polled(feed, now)
    }

    /// The same if somebody polls.
    fn if_polled(&self, feed: &Feed, now: Timestamp) -> NextPoll {
        let Some(due) = self.due(feed, now) else { return NextPoll::Due };
        if due.at > now {
            return NextPoll::In(due.at.duration_since(now).unsigned_abs());
        }
        let unwritten = match self.written {
            Written::AtOnce | Written::Never => Duration::ZERO,
            Written::Within(limit) => limit,
        };
        match Duration::try_from(now.duration_since(due.at)).unwrap_or_default() {
            late if late >= unwritten.saturating_add(LATE_MAX) => NextPoll::Overdue(late),
            late if unwritten > Duration::ZERO => NextPoll::Unwritten(late),
            _ => NextPoll::Due,
        }
    }

    /// The lane in which a feed is polled: that which has its state, or the lane of its host.
    fn lane(&self, settings: &KafkaSettings, feed: &Feed) -> u32 {
        let known = self.of(feed).and_then(|known| known.lane);
        known.unwrap_or_else(|| lane_of(settings, &feed.url))
    }

    /// Whether nobody has the feed's lane, or the database, as far as is known.
    fn is_unowned(&self, feed: &Feed) -> bool {
        match &self.source {
            Source::Lanes(lanes) => {
                let lane = self.lane(&lanes.settings, feed);
                lanes.owners.as_ref().is_ok_and(|owners| !owners.of_lanes.contains_key(&lane))
            }
            Source::Database { daemon, .. } => matches!(daemon, Ok(None)),
            Source::NoDatabase(_) | Source::Nowhere => false,
        }
    }

    /// Whether a feed without a state may have had one that was removed.
    pub(super) fn may_be_forgotten(&self, feed: &Feed) -> bool {
        match &self.source {
            Source::Lanes(lanes) => {
                self.of(feed).is_none() && lanes.cut.contains(&lane_of(&lanes.settings, &feed.url))
            }
            Source::Database { .. } | Source::NoDatabase(_) | Source::Nowhere => false,
        }
    }

    fn real(&self, feed: &Feed, now: Timestamp) -> Real {
        match self.next_poll(feed, now) {
            NextPoll::Unknown => return Real::NotKept,
            NextPoll::Unowned if matches!(self.source, Source::Lanes(_)) => return Real::Unowned,
            NextPoll::Overdue(_) => return Real::Unheard,
            NextPoll::Unowned | NextPoll::In(_) | NextPoll::Due | NextPoll::Unwritten(_) => {}
        }
        // With no daemon what the last one saw grows old all the same.
        if matches!(self.if_polled(feed, now), NextPoll::Overdue(_)) {
            return Real::Unheard;
        }
        if self.may_be_forgotten(feed) {
            return Real::NotKept;
        }
        let Some(state) = self.of(feed).map(|known| known.state.as_ref()) else { return Real::New };
        if state.plan.is_of_another_url(feed) {
            return Real::New;
        }
        if state.plan.put_off_for().is_some() {
            return Real::PutOff;
        }
        if state.plan.next.reason == Reason::Local {
            return Real::Unasked;
        }
        match state.plan.standing {
            Standing::New => Real::New,
            Standing::Fine => Real::Fine,
            Standing::Failing => Real::Failing,
            Standing::Gone => Real::Gone,
        }
    }

    /// How a feed stands, as the ledger has it.
    pub(super) fn standing_text(&self, feed: &Feed, now: Timestamp) -> String {
        if self.ignorance().is_some() {
            return "not known".to_owned();
        }
        if self.may_be_forgotten(feed) {
            return "not known: its state may have been removed".to_owned();
        }
        let Some(state) = self.of(feed).map(|known| known.state.as_ref()) else {
            return "not polled yet".to_owned();
        };
        let text = state_text(state, feed, now);
        if state.plan.is_of_another_url(feed) {
            return format!("not polled yet under its URL; under the one before: {text}");
        }
        match self.own_due(feed, now).map(|due| due.why) {
            Some(Why::OtherSetUp) => {
                "was put off, under another version or configuration".to_owned()
            }
            _ => text,
        }
    }

    /// The colour of a feed's line: of how it really stands.
    pub(super) fn style(&self, feed: &Feed, now: Timestamp) -> Style {
        match self.real(feed, now) {
            Real::New | Real::NotKept => Style::new(),
            Real::Fine => AnsiColor::Green.on_default(),
            Real::Failing | Real::PutOff => AnsiColor::Red.on_default(),
            Real::Gone | Real::Unasked | Real::Unheard | Real::Unowned => {
                AnsiColor::Yellow.on_default()
            }
        }
    }

    /// How many feeds really stand how, and what of that is not known: a sentence a line.
    pub(super) fn summary(&self, feeds: &[Feed], now: Timestamp) -> Vec<String> {
        let mut counts: BTreeMap<Real, usize> = BTreeMap::new();
        for feed in feeds {
            *counts.entry(self.real(feed, now)).or_default() += 1;
        }
        let counts: Vec<String> =
            counts.iter().map(|(real, count)| format!("{count} {}", real.text())).collect();
        let mut lines = vec![format!("{}: {}", counted(feeds.len(), "feed"), counts.join(", "))];
        if let Written::Within(limit) = self.written {
            lines.push(format!(
                "what changes how a feed stands is written at once, all else within {}",
                duration_text(limit)
            ));
        }
        lines.push(match &self.source {
            Source::Lanes(lanes) => lanes.text(),
            Source::Database { path, daemon } => {
                format!("read from \"{}\"; {}", path.display(), daemon_text(daemon))
            }
            Source::NoDatabase(_) => self.ignorance().unwrap_or_default(),
            Source::Nowhere => "the json_lines ledger keeps nothing: how feeds stand is in the \
                                daemon's log and metrics"
                .to_owned(),
        });
        lines
    }

    /// As of when that is known, and who polls the feed; for `feeds explain`.
    pub(super) fn as_of_text(&self, feed: &Feed, now: Timestamp) -> Option<String> {
        let as_of = self.of(feed).and_then(|known| known.as_of);
        let Lanes { settings, owners, .. } = match &self.source {
            Source::Lanes(lanes) => lanes.as_ref(),
            Source::Database { path, daemon } => {
                let at = as_of.map_or_else(|| "now".to_owned(), |at| moment_text(at, now));
                let (path, daemon) = (path.display(), daemon_text(daemon));
                return Some(format!("as of: {at}; read from \"{path}\"; {daemon}"));
            }
            Source::NoDatabase(_) | Source::Nowhere => return None,
        };
        let lane = self.lane(settings, feed);
        let owner = match owners {
            Ok(owners) => match owners.of_lanes.get(&lane) {
                Some(owner) => format!("owned by {owner}"),
                None => "which nobody owns: the feed is not polled".to_owned(),
            },
            Err(why) => format!("its owner is not known: {why}"),
        };
        Some(match as_of {
            Some(at) => format!("as of: {}; lane {lane}, {owner}", moment_text(at, now)),
            None => format!("as of: now; lane {lane}, {owner}"),
        })
    }
}

impl Lanes {
    /// Who polls, and what of the lanes is lost.
    fn text(&self) -> String {
        let owners = self.owners_text();
        if self.cut.is_empty() {
            return owners;
        }
        let cut: Vec<String> = self.cut.iter().map(u32::to_string).collect();
        format!(
            "{owners}\nthe topic \"{}\" has lost what was written first, in lanes {}: see \
             `conflictwire topics plan`",
            self.settings.topics.state,
            cut.join(", ")
        )
    }

    fn owners_text(&self) -> String {
        let lanes = self.settings.lanes;
        let owners = match &self.owners {
            Ok(owners) => owners,
            Err(why) => return format!("who owns the lanes is not known: {why}"),
        };
        if owners.replicas == 0 {
            return "no replica is in the group: nobody polls".to_owned();
        }
        let unowned: Vec<String> = (0..lanes)
            .filter(|lane| !owners.of_lanes.contains_key(lane))
            .map(|lane| lane.to_string())
            .collect();
        let replicas = counted(owners.replicas, "replica");
        if unowned.is_empty() {
            return format!("{replicas} in the group, every one of {lanes} lanes is owned");
        }
        let (count, named) = (unowned.len(), unowned.get(..LANES_NAMED_MAX).unwrap_or(&unowned));
        let more = if count > named.len() { ", …" } else { "" };
        format!(
            "{replicas} in the group; {count} of {lanes} lanes have no owner, their feeds are not \
             polled: {}{more}",
            named.join(", ")
        )
    }
}

fn daemon_text(daemon: &std::io::Result<Option<Holder>>) -> String {
    match daemon {
        Ok(Some(Holder { pid: Some(pid) })) => format!("a daemon has it open (process {pid})"),
        Ok(Some(Holder { pid: None })) => "a daemon has it open".to_owned(),
        Ok(None) => "no daemon has it open: nobody polls".to_owned(),
        Err(why) => format!("whether a daemon has it open cannot be seen: {why}"),
    }
}

/// When somebody last looked at what a state says of its publisher: a poll that this machine could not
/// make asked nobody.
fn looked_at(state: &FeedState) -> Option<Timestamp> {
    if state.plan.next.reason == Reason::Local {
        state.plan.succeeded_at.max(state.plan.last_failure.as_ref().map(|failure| failure.at))
    } else {
        state.plan.polled_at
    }
}

/// How long ago, in a few words. The clock of whoever wrote it may be ahead of ours.
pub(super) fn age_text(at: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = at else { return String::new() };
    let age = now.duration_since(at);
    let text = duration_text(Duration::from_secs(age.unsigned_abs().as_secs()));
    if age.as_secs() < 0 { format!("{text} ahead of this clock") } else { format!("{text} ago") }
}

/// A moment and how long ago that is.
pub(super) fn moment_text(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", at.strftime("%Y-%m-%d %H:%M:%S UTC"), age_text(Some(at), now))
}

fn state_text(state: &FeedState, feed: &Feed, now: Timestamp) -> String {
    if state.plan.put_off_for().is_some() {
        return "put off: its document ends the process that reads it".to_owned();
    }
    let text = match state.plan.standing {
        Standing::New if state.plan.sequence > 0 => "never asked".to_owned(),
        Standing::New => "not polled yet".to_owned(),
        Standing::Fine if state.plan.next.reason == Reason::Quota => {
            let left = usize::try_from(state.plan.today.left).unwrap_or(usize::MAX);
            let is_spent = state.plan.today.on_day_of(now).is_spent(feed.quota);
            let over = if is_spent { "over its quota, " } else { "" };
            format!("fine, {over}{} left unread", counted(left, "article"))
        }
        Standing::Fine => "fine".to_owned(),
        Standing::Gone => "withdrawn by its publisher".to_owned(),
        Standing::Failing => {
            let class = state.plan.last_failure.as_ref().map(|failure| failure.class.name());
            let times = counted(usize::try_from(state.plan.failures).unwrap_or(usize::MAX), "time");
            format!("failing: {}, {times}", class.unwrap_or("unknown"))
        }
    };
    match state.plan.next.reason {
        Reason::Local => format!("{text}; this machine could not ask it last time"),
        _ => text,
    }
}

/// Until when hosts have refused that were asked for these.
fn refused(states: &BTreeMap<FeedId, Known>) -> BTreeMap<String, Timestamp> {
    let mut refused = BTreeMap::new();
    for Known { state, .. } in states.values() {
        let Some(until) = schedule::refused_until(&state.plan) else { continue };
        let url = state.plan.url.as_deref().and_then(|url| Url::parse(url).ok());
        if let Some(host) = url.as_ref().and_then(Url::host_str) {
            let known = refused.entry(host.to_owned()).or_insert(until);
            *known = until.max(*known);
        }
    }
    refused
}

#[cfg(test)]
pub(super) use self::tests::{in_database_of, trials};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const HOUR: u64 = 3600;

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    /// Feeds "a", "b", … at hosts of their own.
    fn feeds(count: u8) -> Vec<Feed> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("conflictwire.toml");
        let table = |letter: char| {
            format!("[[feed]]\nid = \"{letter}\"\nurl = \"https://{letter}.example/rss\"\n")
        };
        let text: String = ('a'..).take(usize::from(count)).map(table).collect();
        std::fs::write(&file, text).unwrap();
        let home = [("HOME", "/home/ada")].into_iter().collect();
        config::load_from(Some(&file), &home).unwrap().feeds
    }

    /// A feed that was due so many seconds ago, and stands so.
    fn known(standing: Standing, due_ago: i64) -> Known {
        let mut state = FeedState::default();
        state.plan.sequence = 3;
        state.plan.standing = standing;
        state.plan.polled_at = Some(now() - jiff::SignedDuration::from_secs(due_ago + 600));
        state.plan.next.reason = Reason::Interval;
        state.plan.next.due_at = Some(now() - jiff::SignedDuration::from_secs(due_ago));
        Known { state: Arc::new(state), as_of: Some(now() - Duration::from_secs(180)), lane: None }
    }

    /// These states, in the database of a daemon that runs.
    pub(in crate::cli) fn in_database_of(states: States) -> Knowledge {
        let source = Source::Database { path: "/var/a.sqlite".into(), daemon: Ok(DAEMON) };
        Knowledge::of_polls(states, source, trials())
    }

    pub(in crate::cli) fn trials() -> Trials {
        let home = [("HOME", "/home/ada")].into_iter().collect();
        let config = config::load_from(None, &home).unwrap();
        Trials::new(&config.tag, config.memory)
    }

    fn knowledge(known: Vec<Known>, written: Written, source: Source) -> Knowledge {
        let ids = ('a'..).map(|letter| FeedId::parse(&letter.to_string()).unwrap());
        let states = ids.zip(known).collect();
        Knowledge { refused: refused(&states), states, written, source, trials: trials() }
    }

    fn in_database(known: Vec<Known>, daemon: Option<Holder>) -> Knowledge {
        let source = Source::Database { path: "/var/a.sqlite".into(), daemon: Ok(daemon) };
        knowledge(known, Written::AtOnce, source)
    }

    const DAEMON: Option<Holder> = Some(Holder { pid: Some(42) });

    fn on_kafka(known: Vec<Known>, owners: Result<Owners, OwnersError>) -> Knowledge {
        let settings = crate::ledger::kafka::topics::tests::settings();
        let within = Written::Within(STATES_WRITTEN_WITHIN);
        let lanes = Lanes { settings, owners, cut: BTreeSet::new() };
        knowledge(known, within, Source::Lanes(Box::new(lanes)))
    }

    fn all_owned() -> Result<Owners, OwnersError> {
        let of_lanes = (0..16).map(|lane| (lane, "conflictwire at /10.0.0.3".to_owned())).collect();
        Ok(Owners { replicas: 1, of_lanes, ..Owners::default() })
    }

    #[test]
    fn a_feed_waits_for_what_its_host_said_of_another() {
        let mut feeds = feeds(3);
        feeds[1].url = "https://a.example/other".parse().unwrap();
        let mut refused = known(Standing::Fine, -300);
        let plan = &mut Arc::get_mut(&mut refused.state).unwrap().plan;
        plan.next.reason = Reason::RetryAfter;
        plan.polled_at = Some(now());
        plan.url = Some("https://a.example/rss".into());
        let knowledge = in_database(vec![refused], DAEMON);
        let waits = NextPoll::In(Duration::from_secs(300));
        let next = feeds.iter().map(|feed| knowledge.next_poll(feed, now()));
        assert_eq!(next.collect::<Vec<_>>(), [waits, waits, NextPoll::Due]);
        let why = |feed| knowledge.due(feed, now()).map(|due| due.why);
        assert_eq!(why(&feeds[0]), Some(Why::Planned), "its own plan says so");
        assert_eq!(why(&feeds[1]), Some(Why::HostRefused));
        let later = now() + Duration::from_secs(300);
        assert_eq!(knowledge.next_poll(&feeds[1], later), NextPoll::Due, "it is over");
    }

    #[test]
    fn when_a_feed_is_polled_next_is_said_only_where_it_is_known() {
        let feed = &feeds(1)[0];
        let at_once = |ago| in_database(vec![known(Standing::Fine, ago)], DAEMON);
        let kafka = |ago| on_kafka(vec![known(Standing::Fine, ago)], all_owned());
        let seconds = Duration::from_secs;
        for (knowledge, expected) in [
            (at_once(-60), NextPoll::In(seconds(60))),
            (at_once(30), NextPoll::Due),
            (at_once(660), NextPoll::Overdue(seconds(660))),
            (in_database(vec![known(Standing::Fine, -60)], None), NextPoll::Unowned),
            (
                knowledge(Vec::new(), Written::AtOnce, Source::NoDatabase("/a".into())),
                NextPoll::Unknown,
            ),
            (kafka(-60), NextPoll::In(seconds(60))),
            (kafka(660), NextPoll::Unwritten(seconds(660))),
            (kafka(2 * HOUR.cast_signed()), NextPoll::Overdue(seconds(2 * HOUR))),
            (on_kafka(vec![known(Standing::Fine, -60)], Ok(Owners::default())), NextPoll::Unowned),
            (
                on_kafka(vec![known(Standing::Fine, -60)], Err(OwnersError::Protocol)),
                NextPoll::In(seconds(60)),
            ),
            (on_kafka(Vec::new(), all_owned()), NextPoll::Due),
        ] {
            assert_eq!(knowledge.next_poll(feed, now()), expected, "{knowledge:?}");
        }
    }

    #[test]
    fn feeds_are_counted_by_how_they_really_stand() {
        let feeds = feeds(4);
        let states = || {
            vec![
                known(Standing::Fine, -60),
                known(Standing::Failing, 60),
                // Fine, hours ago.
                known(Standing::Fine, 5 * HOUR.cast_signed()),
            ]
        };
        let shown = |knowledge: Knowledge| knowledge.summary(&feeds, now()).join("\n");
        assert_eq!(
            shown(in_database(states(), DAEMON)),
            "4 feeds: 1 fine, 1 failing, 1 not polled yet, 1 not heard of when due\n\
             read from \"/var/a.sqlite\"; a daemon has it open (process 42)"
        );
        assert_eq!(
            shown(in_database(states(), None)),
            "4 feeds: 1 fine, 1 failing, 1 not polled yet, 1 not heard of when due\n\
             read from \"/var/a.sqlite\"; no daemon has it open: nobody polls"
        );
        let nowhere = knowledge(Vec::new(), Written::AtOnce, Source::NoDatabase("/a".into()));
        let text = shown(nowhere);
        assert!(text.starts_with("4 feeds: 4 not known\nthere is no database \"/a\""), "{text}");
        let text = shown(on_kafka(states(), all_owned()));
        assert!(
            text.contains("within 1h\n1 replica in the group, every one of 16 lanes"),
            "{text}"
        );
        let text = shown(on_kafka(states(), Ok(Owners::default())));
        assert!(text.starts_with("4 feeds: 4 in a lane that nobody owns\n"), "{text}");
        assert!(text.ends_with("no replica is in the group: nobody polls"), "{text}");
        let text = shown(on_kafka(states(), Err(OwnersError::Unanswered("ask again".to_owned()))));
        assert!(text.ends_with("who owns the lanes is not known: ask again"), "{text}");
        let text = shown(knowledge(Vec::new(), Written::Never, Source::Nowhere));
        assert!(text.starts_with("4 feeds: 4 not known\n"), "{text}");
    }

    #[test]
    fn a_feed_whose_state_may_have_been_removed_is_not_said_to_be_new() {
        let feeds = feeds(2);
        let mut knowledge = on_kafka(vec![known(Standing::Fine, -60)], all_owned());
        assert_eq!(knowledge.standing_text(&feeds[1], now()), "not polled yet");
        if let Source::Lanes(lanes) = &mut knowledge.source {
            lanes.cut = (0..16).collect();
        }
        assert_eq!(knowledge.standing_text(&feeds[0], now()), "fine", "its state is there");
        let text = knowledge.standing_text(&feeds[1], now());
        assert_eq!(text, "not known: its state may have been removed");
        let text = knowledge.summary(&feeds, now()).join("\n");
        assert!(text.starts_with("2 feeds: 1 fine, 1 not known\n"), "{text}");
        assert!(text.contains("has lost what was written first, in lanes 0, 1, 2"), "{text}");
    }

    #[test]
    fn lanes_without_an_owner_are_named() {
        let mut owners = all_owned().unwrap();
        owners.of_lanes.retain(|lane, _| !matches!(lane, 3 | 7));
        let knowledge = on_kafka(Vec::new(), Ok(owners));
        let text = knowledge.summary(&[], now()).join("\n");
        assert!(text.ends_with("2 of 16 lanes have no owner, their feeds are not polled: 3, 7"));
    }

    #[test]
    fn an_age_is_said_with_who_polls_the_feed() {
        let feed = &feeds(1)[0];
        let lane = lane_of(&crate::ledger::kafka::topics::tests::settings(), &feed.url);
        let text = on_kafka(vec![known(Standing::Fine, -60)], all_owned()).as_of_text(feed, now());
        let expected = format!(
            "as of: 2026-03-01 11:57:00 UTC (3m ago); lane {lane}, owned by conflictwire at /10.0.0.3"
        );
        assert_eq!(text.as_deref(), Some(expected.as_str()));
        let elsewhere = Known { lane: Some((lane + 1) % 16), ..known(Standing::Fine, -60) };
        let text = on_kafka(vec![elsewhere], all_owned()).as_of_text(feed, now()).unwrap();
        assert!(text.contains(&format!("lane {}, owned by", (lane + 1) % 16)), "{text}");
        let nobody = on_kafka(vec![known(Standing::Fine, -60)], Ok(Owners::default()));
        assert!(
            nobody
                .as_of_text(feed, now())
                .unwrap()
                .ends_with("which nobody owns: the feed is not polled")
        );
        let text = in_database(vec![known(Standing::Fine, -60)], None).as_of_text(feed, now());
        let expected = "as of: 2026-03-01 11:57:00 UTC (3m ago); read from \"/var/a.sqlite\"; no daemon \
                        has it open: nobody polls";
        assert_eq!(text.as_deref(), Some(expected));
    }

    /// What is said of feed "a", whose state is this.
    #[track_caller]
    fn check_standing(change: impl FnOnce(&mut FeedState), expected: &str, next: NextPoll) {
        let feed = &feeds(1)[0];
        let mut known = known(Standing::Fine, -60);
        let state = Arc::make_mut(&mut known.state);
        state.plan.url = Some(feed.url.as_str().into());
        change(state);
        let knowledge = in_database(vec![known], DAEMON);
        assert_eq!(knowledge.standing_text(feed, now()), expected);
        assert_eq!(knowledge.next_poll(feed, now()), next);
    }

    #[test]
    fn what_has_changed_since_the_last_poll_is_reckoned_with() {
        let soon = NextPoll::In(Duration::from_secs(60));
        check_standing(|_| {}, "fine", soon);
        check_standing(
            |state| state.plan.url = Some("https://old.example/".into()),
            "not polled yet under its URL; under the one before: fine",
            NextPoll::Due,
        );
        check_standing(
            |state| (state.plan.next.reason, state.plan.polled_at) = (Reason::Local, Some(now())),
            "fine; this machine could not ask it last time",
            soon,
        );
        check_standing(
            |state| {
                (state.plan.next.reason, state.plan.polled_at) = (Reason::Local, Some(now()));
                state.plan.standing = Standing::New;
            },
            "never asked; this machine could not ask it last time",
            soon,
        );
        let crash = |under: String| {
            move |state: &mut FeedState| {
                state.plan.standing = Standing::Failing;
                state.plan.crash = Some(Box::new(cw_model::state::Crash { under, at: now() }));
                state.plan.last_failure = Some(Box::new(cw_model::state::LastFailure {
                    class: cw_model::FailureClass::Crash,
                    detail: String::new(),
                    at: now(),
                }));
                state.plan.next.reason = Reason::Crash;
            }
        };
        let put_off = "put off: its document ends the process that reads it";
        check_standing(crash(trials().under(&feeds(1)[0])), put_off, soon);
        let was = "was put off, under another version or configuration";
        check_standing(crash("0.0.1 aa".to_owned()), was, NextPoll::Due);
        // Five articles left, when the quota was one article; it is 20,000 now.
        let over = |articles| {
            move |state: &mut FeedState| {
                state.plan.next.reason = Reason::Quota;
                state.plan.today = state.plan.today.on_day_of(now());
                (state.plan.today.articles, state.plan.today.left) = (articles, 5);
            }
        };
        check_standing(over(1), "fine, 5 articles left unread", NextPoll::Due);
        check_standing(over(20_000), "fine, over its quota, 5 articles left unread", soon);
    }

    #[test]
    fn what_a_wrong_clock_wrote_is_not_said_to_be_old() {
        let hour = jiff::SignedDuration::from_hours(3);
        assert_eq!(age_text(Some(now() - hour), now()), "3h ago");
        assert_eq!(age_text(Some(now() + hour), now()), "3h ahead of this clock");
        assert_eq!(age_text(None, now()), "");
    }

    #[test]
    fn a_poll_that_asked_nobody_is_no_look_at_the_feed() {
        let asked = now() - Duration::from_secs(900);
        let mut state = FeedState::default();
        (state.plan.polled_at, state.plan.succeeded_at) = (Some(now()), Some(asked));
        assert_eq!(looked_at(&state), Some(now()));
        state.plan.next.reason = Reason::Local;
        assert_eq!(looked_at(&state), Some(asked));
    }
}
