//! How far each feed has come towards what it is expected to show, from the committed outcomes.

use std::collections::{BTreeMap, BTreeSet};

use super::script::{DemoFeed, Expected};
use crate::model::{FailureClass, Outcome, PollResult};

/// What has been committed of one feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Polls, however they ended.
    pub polls: u64,
    /// Polls answered with 304.
    pub not_modified: u64,
    /// Records.
    pub records: usize,
    /// Records that are a second or later revision.
    pub revisions: usize,
    /// Records with at least one tag.
    pub tagged: usize,
    /// How often each class of failure was seen.
    pub failures: BTreeMap<FailureClass, u64>,
    /// Records by language; under "" those of unknown language.
    pub languages: BTreeMap<String, usize>,
    /// Records by tag id.
    pub tags: BTreeMap<String, usize>,
    /// Where permanent redirects say the feed lives now.
    pub moved_to: Option<String>,
}

impl Progress {
    /// Takes in one committed outcome.
    pub fn observe(&mut self, outcome: &Outcome) {
        self.polls += 1;
        match &outcome.result {
            PollResult::Modified(_) => {}
            PollResult::NotModified => self.not_modified += 1,
            PollResult::Failed(failure) => *self.failures.entry(failure.class).or_default() += 1,
        }
        self.moved_to.clone_from(&outcome.state.moved_to);
        for record in &outcome.records {
            self.records += 1;
            self.revisions += usize::from(record.revision > 1);
            let language = record.language.clone().unwrap_or_default();
            *self.languages.entry(language).or_default() += 1;
            let tags = record.conflict.iter().flat_map(|conflict| &conflict.tags);
            let ids: BTreeSet<&str> = tags.map(|tag| tag.id.as_str()).collect();
            self.tagged += usize::from(!ids.is_empty());
            for id in ids {
                *self.tags.entry(id.to_owned()).or_default() += 1;
            }
        }
    }

    /// Whether this has been seen.
    pub fn meets(&self, expected: Expected) -> bool {
        match expected {
            Expected::Records(least) => self.records >= least,
            // "en" is met by "en-GB": the region is the publisher's affair.
            Expected::Language(wanted) => self.languages.keys().any(|language| {
                language.split('-').next().is_some_and(|primary| primary == wanted)
            }),
            Expected::Tag(id) => self.tags.contains_key(id),
            Expected::NoTag => self.polls > 0 && self.tagged == 0,
            Expected::NotModified => self.not_modified > 0,
            Expected::Revision => self.revisions > 0,
            Expected::Moved => self.moved_to.is_some(),
            Expected::Fails(class) => self.failures.contains_key(&class),
            Expected::NoRecord => self.polls > 0 && self.records == 0,
        }
    }

    /// What has not been seen, for a person, as "want x; saw y".
    pub fn missing(&self, feed: &DemoFeed) -> Vec<String> {
        feed.expected
            .iter()
            .filter(|expected| !self.meets(**expected))
            .map(|expected| match expected {
                Expected::Records(least) => {
                    format!("wants at least {least} records, has {}", self.records)
                }
                Expected::Language(wanted) => {
                    let found: Vec<&str> = self.languages.keys().map(String::as_str).collect();
                    format!("wants language {wanted}, has {}", or_none(&found))
                }
                Expected::Tag(id) => {
                    let found: Vec<&str> = self.tags.keys().map(String::as_str).collect();
                    format!("wants tag {id}, has {}", or_none(&found))
                }
                Expected::NoTag => {
                    let found: Vec<&str> = self.tags.keys().map(String::as_str).collect();
                    format!("wants no tag, has {}", or_none(&found))
                }
                Expected::NotModified => "wants a 304, has none".to_owned(),
                Expected::Revision => "wants a second revision, has none".to_owned(),
                Expected::Moved => "wants the redirect noticed, it was not".to_owned(),
                Expected::Fails(class) => {
                    let found: Vec<&str> = self.failures.keys().map(|class| class.name()).collect();
                    format!("wants failure {}, has {}", class.name(), or_none(&found))
                }
                Expected::NoRecord => format!("wants no record, has {}", self.records),
            })
            .collect()
    }
}

fn or_none(found: &[&str]) -> String {
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}
