//! What is known of how feeds stand, and how good that knowledge is.
//!
//! A command reads what a ledger has, beside a daemon or without one. What it shows may be old: on
//! Kafka a poll that changes nothing is written within the hour, and nowhere does anybody write while
//! nobody runs. So each line that says how a feed stands says as of when, and a feed that is not heard
//! of when it should be counts as that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::check::counted;
use crate::commit::kafka::owners::Owners;
use crate::commit::kafka::read::{self, read_states};
use crate::commit::kafka::settings::KafkaSettings;
use crate::commit::kafka::{STATES_WRITTEN_WITHIN, lane_of};
use crate::commit::sqlite::read::{ReadError, Reader};
use crate::commit::{LedgerSettings, States};
use crate::config::{Config, duration_text};
use crate::model::{Feed, FeedId, Timestamp};
use crate::schedule::Reason;
use crate::state::{FeedState, Standing};

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
    written: Written,
    lanes: Option<Lanes>,
}

/// Who polls, on a ledger whose lanes replicas share.
#[derive(Debug)]
struct Lanes {
    settings: KafkaSettings,
    owners: Result<Owners, String>,
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
    /// Nobody has its lane.
    Unowned,
}

/// How a feed stands, for whoever counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Real {
    Fine,
    Failing,
    PutOff,
    Gone,
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
        match &config.ledger {
            LedgerSettings::Sqlite(settings) => match Reader::open(&settings.path) {
                Ok(reader) => Ok(Self::of_polls(reader.states()?)),
                // Nothing has been polled yet.
                Err(ReadError::Missing { .. }) => Ok(Self::of_polls(States::new())),
                Err(error) => Err(error.into()),
            },
            LedgerSettings::Kafka(settings) => Self::of_topic(settings),
            LedgerSettings::JsonLines => {
                Ok(Self { states: BTreeMap::new(), written: Written::Never, lanes: None })
            }
        }
    }

    /// Of a ledger that has every poll.
    pub(super) fn of_polls(states: States) -> Self {
        let known = |(id, state): (FeedId, Arc<FeedState>)| {
            let as_of = state.polled_at;
            (id, Known { state, as_of })
        };
        let states = states.into_iter().map(known).collect();
        Self { states, written: Written::AtOnce, lanes: None }
    }

    fn of_topic(settings: &KafkaSettings) -> anyhow::Result<Self> {
        let (states, owners) = match read_states(settings) {
            Ok(stored) => (stored.states, stored.owners),
            Err(read::ReadError::Missing { .. }) => (BTreeMap::new(), Ok(Owners::default())),
            Err(error) => return Err(error.into()),
        };
        let known = |stored: read::StoredState| Known {
            state: stored.state,
            as_of: Some(stored.written_at),
        };
        Ok(Self {
            states: states.into_iter().map(|(id, stored)| (id, known(stored))).collect(),
            written: Written::Within(STATES_WRITTEN_WITHIN),
            lanes: Some(Lanes { settings: settings.clone(), owners }),
        })
    }

    /// A feed's state, if it was ever polled.
    pub(super) fn of(&self, feed: &Feed) -> Option<&Known> {
        self.states.get(&feed.id)
    }

    /// Whether the ledger keeps states at all.
    pub(super) fn is_kept(&self) -> bool {
        self.written != Written::Never
    }

    /// When a feed is polled next, as far as is known.
    pub(super) fn next_poll(&self, feed: &Feed, now: Timestamp) -> NextPoll {
        if self.is_unowned(feed) {
            return NextPoll::Unowned;
        }
        let Some(known) = self.of(feed) else { return NextPoll::Due };
        let Some(due_at) = known.state.plan.due_at else { return NextPoll::Due };
        let since = |at: Timestamp| Duration::try_from(now.duration_since(at)).unwrap_or_default();
        if due_at > now {
            return NextPoll::In(due_at.duration_since(now).unsigned_abs());
        }
        let unwritten = match self.written {
            Written::AtOnce | Written::Never => Duration::ZERO,
            Written::Within(limit) => limit,
        };
        match since(due_at) {
            late if late >= unwritten.saturating_add(LATE_MAX) => NextPoll::Overdue(late),
            late if unwritten > Duration::ZERO => NextPoll::Unwritten(late),
            _ => NextPoll::Due,
        }
    }

    /// Whether nobody has the feed's lane, as far as is known.
    fn is_unowned(&self, feed: &Feed) -> bool {
        let Some(Lanes { settings, owners: Ok(owners) }) = &self.lanes else { return false };
        !owners.of_lanes.contains_key(&lane_of(settings, &feed.url))
    }

    fn real(&self, feed: &Feed, now: Timestamp) -> Real {
        if !self.is_kept() {
            return Real::NotKept;
        }
        match self.next_poll(feed, now) {
            NextPoll::Unowned => return Real::Unowned,
            NextPoll::Overdue(_) => return Real::Unheard,
            NextPoll::In(_) | NextPoll::Due | NextPoll::Unwritten(_) => {}
        }
        let state = self.of(feed).map(|known| known.state.as_ref());
        if state.is_some_and(|state| state.put_off_for().is_some()) {
            return Real::PutOff;
        }
        match state.map(|state| state.standing).unwrap_or_default() {
            Standing::New => Real::New,
            Standing::Fine => Real::Fine,
            Standing::Failing => Real::Failing,
            Standing::Gone => Real::Gone,
        }
    }

    /// How a feed stands, as the ledger has it.
    pub(super) fn standing_text(&self, feed: &Feed) -> String {
        match self.of(feed) {
            None if !self.is_kept() => "not kept by this ledger".to_owned(),
            known => state_text(known.map(|known| known.state.as_ref())),
        }
    }

    /// The colour of a feed's line: of how it really stands.
    pub(super) fn style(&self, feed: &Feed, now: Timestamp) -> Style {
        match self.real(feed, now) {
            Real::New | Real::NotKept => Style::new(),
            Real::Fine => AnsiColor::Green.on_default(),
            Real::Failing | Real::PutOff => AnsiColor::Red.on_default(),
            Real::Gone | Real::Unheard | Real::Unowned => AnsiColor::Yellow.on_default(),
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
        match self.written {
            Written::AtOnce => {}
            Written::Never => lines.push(
                "the json_lines ledger keeps nothing: how feeds stand is in the daemon's log and \
                 metrics"
                    .to_owned(),
            ),
            Written::Within(limit) => lines.push(format!(
                "what changes how a feed stands is written at once, all else within {}",
                duration_text(limit)
            )),
        }
        lines.extend(self.lanes.as_ref().map(Lanes::text));
        lines
    }

    /// As of when that is known, and who polls the feed; for `feeds explain`.
    pub(super) fn as_of_text(&self, feed: &Feed, now: Timestamp) -> Option<String> {
        let Lanes { settings, owners } = self.lanes.as_ref()?;
        let lane = lane_of(settings, &feed.url);
        let owner = match owners {
            Ok(owners) => match owners.of_lanes.get(&lane) {
                Some(owner) => format!("owned by {owner}"),
                None => "which nobody owns: the feed is not polled".to_owned(),
            },
            Err(why) => format!("its owner is not known: {why}"),
        };
        let as_of = self.of(feed).and_then(|known| known.as_of);
        Some(match as_of {
            Some(at) => format!(
                "as of: {} ({}); lane {lane}, {owner}",
                at.strftime("%Y-%m-%d %H:%M:%S UTC"),
                age_text(as_of, now)
            ),
            None => format!("as of: now; lane {lane}, {owner}"),
        })
    }
}

impl Lanes {
    fn text(&self) -> String {
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

/// How long ago, in a few words.
pub(super) fn age_text(at: Option<Timestamp>, now: Timestamp) -> String {
    match at.map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default()) {
        Some(age) => format!("{} ago", duration_text(Duration::from_secs(age.as_secs()))),
        None => String::new(),
    }
}

fn state_text(state: Option<&FeedState>) -> String {
    let Some(state) = state else { return "not polled yet".to_owned() };
    if state.put_off_for().is_some() {
        return "put off: its document ends the process that reads it".to_owned();
    }
    match state.standing {
        Standing::New => "not polled yet".to_owned(),
        Standing::Fine if state.plan.reason == Reason::Quota => {
            let left = usize::try_from(state.today.left).unwrap_or(usize::MAX);
            format!("fine, over its quota, {} left unread", counted(left, "article"))
        }
        Standing::Fine => "fine".to_owned(),
        Standing::Gone => "withdrawn by its publisher".to_owned(),
        Standing::Failing => {
            let class = state.last_failure.as_ref().map(|failure| failure.class.name());
            let times = counted(usize::try_from(state.failures).unwrap_or(usize::MAX), "time");
            format!("failing: {}, {times}", class.unwrap_or("unknown"))
        }
    }
}

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
        let mut state = FeedState { sequence: 3, standing, ..FeedState::default() };
        state.plan.due_at = Some(now() - jiff::SignedDuration::from_secs(due_ago));
        Known { state: Arc::new(state), as_of: Some(now() - Duration::from_secs(180)) }
    }

    fn knowledge(known: Vec<Known>, written: Written, lanes: Option<Lanes>) -> Knowledge {
        let ids = ('a'..).map(|letter| FeedId::parse(&letter.to_string()).unwrap());
        Knowledge { states: ids.zip(known).collect(), written, lanes }
    }

    fn on_kafka(known: Vec<Known>, owners: Result<Owners, String>) -> Knowledge {
        let settings = crate::commit::kafka::topics::tests::settings();
        let within = Written::Within(STATES_WRITTEN_WITHIN);
        knowledge(known, within, Some(Lanes { settings, owners }))
    }

    fn all_owned() -> Result<Owners, String> {
        let of_lanes = (0..16).map(|lane| (lane, "conflictwire at /10.0.0.3".to_owned())).collect();
        Ok(Owners { replicas: 1, of_lanes })
    }

    #[test]
    fn when_a_feed_is_polled_next_is_said_only_where_it_is_known() {
        let feed = &feeds(1)[0];
        let at_once = |ago| knowledge(vec![known(Standing::Fine, ago)], Written::AtOnce, None);
        let kafka = |ago| on_kafka(vec![known(Standing::Fine, ago)], all_owned());
        let seconds = Duration::from_secs;
        for (knowledge, expected) in [
            (at_once(-60), NextPoll::In(seconds(60))),
            (at_once(30), NextPoll::Due),
            (at_once(660), NextPoll::Overdue(seconds(660))),
            (kafka(-60), NextPoll::In(seconds(60))),
            (kafka(660), NextPoll::Unwritten(seconds(660))),
            (kafka(2 * HOUR.cast_signed()), NextPoll::Overdue(seconds(2 * HOUR))),
            (on_kafka(vec![known(Standing::Fine, -60)], Ok(Owners::default())), NextPoll::Unowned),
            (
                on_kafka(vec![known(Standing::Fine, -60)], Err("x".to_owned())),
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
            shown(knowledge(states(), Written::AtOnce, None)),
            "4 feeds: 1 fine, 1 failing, 1 not polled yet, 1 not heard of when due"
        );
        let text = shown(on_kafka(states(), all_owned()));
        assert!(
            text.contains("within 1h\n1 replica in the group, every one of 16 lanes"),
            "{text}"
        );
        let text = shown(on_kafka(states(), Ok(Owners::default())));
        assert!(text.starts_with("4 feeds: 4 in a lane that nobody owns\n"), "{text}");
        assert!(text.ends_with("no replica is in the group: nobody polls"), "{text}");
        let text = shown(on_kafka(states(), Err("ask again".to_owned())));
        assert!(text.ends_with("who owns the lanes is not known: ask again"), "{text}");
        let text = shown(knowledge(Vec::new(), Written::Never, None));
        assert!(text.starts_with("4 feeds: 4 not known\n"), "{text}");
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
        let lane = lane_of(&crate::commit::kafka::topics::tests::settings(), &feed.url);
        let text = on_kafka(vec![known(Standing::Fine, -60)], all_owned()).as_of_text(feed, now());
        let expected = format!(
            "as of: 2026-03-01 11:57:00 UTC (3m ago); lane {lane}, owned by conflictwire at /10.0.0.3"
        );
        assert_eq!(text.as_deref(), Some(expected.as_str()));
        let nobody = on_kafka(vec![known(Standing::Fine, -60)], Ok(Owners::default()));
        assert!(
            nobody
                .as_of_text(feed, now())
                .unwrap()
                .ends_with("which nobody owns: the feed is not polled")
        );
        assert_eq!(knowledge(Vec::new(), Written::AtOnce, None).as_of_text(feed, now()), None);
    }
}
