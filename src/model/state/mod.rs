//! What the next poll of a feed must know.
//!
//! A state is replaced as a whole by each committed outcome, live and at restore alike, so there
//! is no second path that would first run after a crash. It is written as JSON with a version, in
//! the ledger's own transaction. Making the next state is `pipeline::process`'s; this file is what
//! it looks like.
//!
//! Programs of several versions may read and write one ledger in turn, so the form is open:
//!
//! - A version that adds a field leaves `version` as it is, and reads a state without that field as one
//!   that does not know. What it adds at the top is kept by versions that do not know it
//!   ([`FeedState::unknown`]); below that, in `plan`, `seen` and so on, it is lost when such a version
//!   writes the state. What holds for one poll only says for which `sequence`.
//! - A name that this version does not know (of a standing, a reason, a class) is read as the nearest
//!   that it does.
//! - A version whose states earlier ones would misread raises `version`. Those then refuse the ledger,
//!   for without a state they would publish every article anew. If they may read it after all,
//!   `readable_from` says from which version on.

mod day_use;
mod plan;
mod seen;
mod unpublished;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use day_use::{DayUse, until_next_day};
pub use plan::{Plan, Reason};
pub use seen::{Seen, SeenArticle};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
pub use unpublished::{Room, Unpublished};

use crate::{ArticleId, Digest, FailureClass, Feed, Timestamp, Validators};

/// The version of the wire form.
pub const STATE_VERSION: u32 = 1;

/// Where a feed stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", from = "String")]
pub enum Standing {
    /// Never polled.
    #[default]
    New,
    /// The last poll was answered.
    Fine,
    /// The last poll failed.
    Failing,
    /// The publisher withdrew it (410); asked weekly.
    Gone,
}

impl From<String> for Standing {
    /// One that a later version knows reads as failing, until the next poll says.
    fn from(name: String) -> Self {
        match name.as_str() {
            "new" => Self::New,
            "fine" => Self::Fine,
            "gone" => Self::Gone,
            _ => Self::Failing,
        }
    }
}

/// Whether a program of version `ours` may read what was written with `version`, readable from
/// `readable_from` on if that is said.
pub fn is_readable(version: u32, readable_from: Option<u32>, ours: u32) -> bool {
    readable_from.unwrap_or(version) <= ours
}

/// What the last failed poll came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenFailure", into = "WrittenFailure")]
pub struct LastFailure {
    /// Its class.
    pub class: FailureClass,
    /// What happened, for a person.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// A document that ended the process that read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crash {
    /// Under which version and configuration.
    pub under: String,
    /// When.
    pub at: Timestamp,
}

/// A failure as it is written. The first programs that read states refuse one with a class that they
/// do not know, and with it every state beside it: `class` has one that they know, `exact` the
/// class itself where that is another. A class of a later program reads as the nearest here.
#[derive(Serialize, Deserialize)]
struct WrittenFailure {
    class: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exact: Option<String>,
    detail: String,
    at: Timestamp,
}

impl From<LastFailure> for WrittenFailure {
    fn from(LastFailure { class, detail, at }: LastFailure) -> Self {
        let known = class.known_from_the_start();
        let exact = (known != class).then(|| class.name().to_owned());
        Self { class: known.name().to_owned(), exact, detail, at }
    }
}

impl From<WrittenFailure> for LastFailure {
    fn from(WrittenFailure { class, exact, detail, at }: WrittenFailure) -> Self {
        let exact = exact.and_then(|exact| FailureClass::of_name(&exact));
        let class = exact.or_else(|| FailureClass::of_name(&class)).unwrap_or(FailureClass::Panic);
        Self { class, detail, at }
    }
}

/// What the next poll of a feed must know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedState {
    /// Version of this form, [`STATE_VERSION`]; 0 only in memory, before the first poll.
    pub version: u32,
    /// The first version that reads it, if that is not `version`: of later versions only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readable_from: Option<u32>,
    /// Polls committed: grows by one with each outcome.
    pub sequence: u64,
    /// Where the feed stands.
    pub standing: Standing,
    /// When it is to be polled next, and everything that made it so.
    pub plan: Plan,
    /// The URL of the last poll, as configured: another one is tried at once.
    pub url: Option<String>,
    /// The last poll, however it ended.
    pub polled_at: Option<Timestamp>,
    /// The last poll that was answered with a document or 304.
    pub succeeded_at: Option<Timestamp>,
    /// Failed polls since then.
    pub failures: u32,
    /// The last failure since then.
    pub last_failure: Option<LastFailure>,
    /// Validators by URL of the redirect chain; they belong to URLs, not to feeds.
    pub validators: BTreeMap<String, Validators>,
    /// Articles seen.
    pub seen: Seen,
    /// Those of them whose last revision no topic took, and which wait for room.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unpublished: BTreeMap<ArticleId, Unpublished>,
    /// Whether `seen` says of every article whether it was relevant. States of the first version do
    /// not, and then it is known of none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub knows_relevance: bool,
    /// The language that its texts together showed when they last left no doubt.
    pub language: Option<String>,
    /// Digest of the last document read.
    pub body_digest: Option<Digest>,
    /// Where permanent redirects say the feed lives now.
    pub moved_to: Option<String>,
    /// Digests of what was refused lately, so that a feed that stays broken writes one reject.
    pub refused: Vec<Digest>,
    /// Guids and links that more than one article has borne: they identify none.
    pub repeated_marks: BTreeSet<String>,
    /// The learned interval; `None` before the first document.
    pub interval: Option<Duration>,
    /// What it has added to the ledger today.
    pub today: DayUse,
    /// The last document that ended the process that read it. Under the same version and configuration
    /// none of the feed is trusted again; under another this is forgotten once one has been read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash: Option<Crash>,
    /// What a later version has added: written again as it was.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// As much of a state as every version has.
#[derive(Deserialize)]
struct Form {
    version: u32,
    readable_from: Option<u32>,
}

impl FeedState {
    /// Reads a state as a ledger has it.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let newer = |version| format!("a newer conflictwire wrote it (version {version})");
        let is_readable =
            |form: &Form| is_readable(form.version, form.readable_from, STATE_VERSION);
        let mut state: Self = serde_json::from_slice(text).map_err(|err| {
            match serde_json::from_slice::<Form>(text) {
                Ok(form) if !is_readable(&form) => newer(form.version),
                Ok(_) | Err(_) => err.to_string(),
            }
        })?;
        if !is_readable(&Form { version: state.version, readable_from: state.readable_from }) {
            return Err(newer(state.version));
        }
        if !std::mem::replace(&mut state.knows_relevance, true) {
            state.seen.forget_relevance();
        }
        Ok(state)
    }

    /// The crash that the feed is put off for, if that is what its last poll came to.
    pub fn put_off_for(&self) -> Option<&Crash> {
        let is_last =
            self.last_failure.as_ref().is_some_and(|failure| failure.class == FailureClass::Crash);
        self.crash.as_ref().filter(|_| is_last)
    }

    /// Whether the last poll asked another URL than the one that is configured now. What it came to
    /// says nothing of this one.
    pub fn is_of_another_url(&self, feed: &Feed) -> bool {
        self.url.as_ref().is_some_and(|url| *url != feed.url.as_str())
    }

    /// The same without what is known of the URL alone: how it answered, and what it asked for. What it
    /// showed stays.
    #[must_use]
    pub fn without_its_url(&self) -> Self {
        Self {
            standing: Standing::New,
            plan: Plan::default(),
            succeeded_at: None,
            failures: 0,
            last_failure: None,
            moved_to: None,
            body_digest: None,
            ..self.clone()
        }
    }

    /// Whether the next poll would publish the same after either, whatever it is answered: validators,
    /// schedule and failures only decide how it asks.
    ///
    /// A feed polled for the first time is not like one that was not: its backlog is done.
    pub fn publishes_like(&self, other: &Self) -> bool {
        self.succeeded_at.is_some() == other.succeeded_at.is_some()
            && self.seen.tells_like(&other.seen)
            && self.refused == other.refused
            && self.repeated_marks == other.repeated_marks
            && self.language == other.language
            && self.url == other.url
            && self.today == other.today
    }

    /// Whether a person who reads either is told the same: how the feed stands, why it fails, where it
    /// lives now, and about how often it has failed.
    ///
    /// A count of failures is another one at powers of two. A feed that fails for ever then differs
    /// from itself ever more seldom, and a count that somebody reads is at least half the true one.
    pub fn reads_like(&self, other: &Self) -> bool {
        let class = |state: &Self| state.last_failure.as_ref().map(|failure| failure.class);
        self.standing == other.standing
            && class(self) == class(other)
            && self.moved_to == other.moved_to
            && self.failures.checked_ilog2() == other.failures.checked_ilog2()
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;
    use crate::ArticleId;

    #[test]
    fn a_feed_that_fails_for_ever_reads_otherwise_ever_more_seldom() {
        let failed = |failures| FeedState { failures, ..FeedState::default() };
        let told: Vec<u32> =
            (1..=1000).filter(|count| !failed(*count).reads_like(&failed(count - 1))).collect();
        assert_eq!(told, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
    }

    #[test]
    fn a_state_reads_back_as_written() {
        let mut state = FeedState { version: STATE_VERSION, sequence: 7, ..FeedState::default() };
        state.validators.insert(
            "https://example.org/rss".to_owned(),
            Validators { etag: Some("W/\"a\"".to_owned()), last_modified: None },
        );
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<FeedState>(&text).unwrap(), state);
    }

    /// A state as a later version may write it: with what it has added, at the top and below.
    const LATER: &str = r#"{
        "version": 2, "readable_from": 1, "sequence": 9, "standing": "resting", "failures": 2,
        "plan": {"due_at": "2026-03-01T12:00:00Z", "reason": "moon", "phase": 0.5, "interval": {"secs": 60, "nanos": 0}},
        "last_failure": {"class": "unheard_of", "detail": "x", "at": "2026-03-01T12:00:00Z", "hop": 3},
        "validators": {"https://example.org/rss": {"etag": "\"a\"", "digest": "b"}},
        "seen": {"00000000000000000000000000000001":
            {"digest": "0101010101010101", "revision": 3, "last_seen": 9, "aliases": ["x"]}},
        "knows_relevance": true, "today": {"articles": 1, "seconds": 4},
        "learned": {"rule": "link"}
    }"#;

    #[test]
    fn a_state_of_a_later_version_that_may_be_read_is_read_and_no_article_forgotten() {
        let state = FeedState::parse(LATER.as_bytes()).unwrap();
        let seen = state.seen.find(ArticleId::parse(&format!("{:032x}", 1)).unwrap()).unwrap();
        assert_eq!((seen.revision, seen.relevant, seen.updated), (3, Some(false), None));
        assert_eq!((state.sequence, state.standing), (9, Standing::Failing));
        assert_eq!(state.plan.reason, Reason::Backoff);
        assert_eq!(state.last_failure.as_ref().unwrap().class, FailureClass::Panic);
        assert_eq!(state.validators.len(), 1);
    }

    #[test]
    fn what_a_later_version_has_added_is_written_again() {
        let state = FeedState::parse(LATER.as_bytes()).unwrap();
        let written = serde_json::to_value(&state).unwrap();
        assert_eq!(written["learned"], serde_json::json!({"rule": "link"}));
        assert_eq!(FeedState::parse(written.to_string().as_bytes()).unwrap(), state);
    }

    #[test]
    fn a_state_of_a_later_version_that_may_not_be_read_is_refused_whatever_it_looks_like() {
        for text in [
            r#"{"version":2,"sequence":9}"#,
            r#"{"version":2,"sequence":"nine","seen":[]}"#,
            r#"{"version":3,"readable_from":2}"#,
        ] {
            let why = FeedState::parse(text.as_bytes()).unwrap_err();
            assert!(why.starts_with("a newer conflictwire wrote it"), "{text}: {why}");
        }
        assert!(FeedState::parse(br#"{"version":1,"sequence":"nine"}"#).is_err());
    }

    #[test]
    fn whether_an_article_was_relevant_reads_back_as_written_and_is_unknown_of_older_states() {
        let digest = Digest([1; 8]);
        let mut state = FeedState { knows_relevance: true, ..FeedState::default() };
        for (number, relevant) in [(1, None), (2, Some(false)), (3, Some(true))] {
            let updated = (number == 2).then_some(1_772_359_200);
            let seen = SeenArticle { digest, revision: 1, last_seen: 1, relevant, updated };
            state.seen.remember(ArticleId([number; 16]), seen);
        }
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(FeedState::parse(text.as_bytes()).unwrap(), state);
        let older = r#"{"version":1,"seen":{"00000000000000000000000000000001":
            {"digest":"0101010101010101","revision":1,"last_seen":1}}}"#;
        let seen = FeedState::parse(older.as_bytes()).unwrap().seen;
        let id = ArticleId::parse(&format!("{:032x}", 1)).unwrap();
        assert_eq!(seen.find(id).unwrap().relevant, None);
    }

    /// The classes that the first programs know: one more in a state, and they refuse the ledger.
    const FIRST_CLASSES: &str = "dns connect tls timeout cut protocol too_large bomb encoding \
        redirect_loop redirect_refused address_blocked not_found gone busy forbidden \
        bot_challenge server status empty html not_a_feed malformed too_deep entities panic";

    #[test]
    fn every_failure_reads_back_and_is_readable_to_the_first_programs() {
        for class in FailureClass::iter() {
            let at = "2026-03-01T12:00:00Z".parse().unwrap();
            let failure = LastFailure { class, detail: "why".to_owned(), at };
            let written = serde_json::to_value(&failure).unwrap();
            let name = written["class"].as_str().unwrap();
            assert!(FIRST_CLASSES.split(' ').any(|known| known == name), "{written}");
            assert_eq!(serde_json::from_value::<LastFailure>(written).unwrap(), failure);
        }
    }

    #[test]
    fn a_failure_of_a_class_that_came_later_is_no_reason_to_refuse_a_state() {
        let text =
            r#"{"class":"busy","exact":"unheard_of","detail":"","at":"2026-03-01T12:00:00Z"}"#;
        assert_eq!(serde_json::from_str::<LastFailure>(text).unwrap().class, FailureClass::Busy);
        let text = r#"{"class":"unheard_of","detail":"","at":"2026-03-01T12:00:00Z"}"#;
        assert_eq!(serde_json::from_str::<LastFailure>(text).unwrap().class, FailureClass::Panic);
    }
}
