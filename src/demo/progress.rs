//! How far each feed has come towards what it is expected to show, from the committed outcomes.

use std::collections::{BTreeMap, BTreeSet};

use cw_model::record::RecordChange;
use cw_model::{FailureClass, Outcome, PollResult, Routed};

use super::script::{DemoFeed, Expected, FEEDS};

/// How far every feed has come, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllProgress {
    feeds: BTreeMap<String, FeedProgress>,
}

impl AllProgress {
    /// Takes in one committed outcome, and gives back how far its feed has come.
    pub fn observe(&mut self, outcome: &Outcome) -> &FeedProgress {
        let progress = self.feeds.entry(outcome.feed_id.as_str().to_owned()).or_default();
        progress.observe(outcome);
        progress
    }

    /// How far a feed has come.
    pub fn of(&self, feed: &DemoFeed) -> FeedProgress {
        self.feeds.get(feed.id).cloned().unwrap_or_default()
    }

    /// How many feeds have been polled.
    pub fn polled(&self) -> usize {
        self.feeds.len()
    }

    /// Whether every feed has shown what it is there to show.
    pub fn is_complete(&self) -> bool {
        FEEDS.iter().all(|feed| self.of(feed).missing(feed).is_empty())
    }

    /// All feeds as if they were one.
    pub fn total(&self) -> FeedProgress {
        let mut total = FeedProgress::default();
        for one in self.feeds.values() {
            total.polls += one.polls;
            total.not_modified += one.not_modified;
            total.records += one.records;
            total.revisions += one.revisions;
            total.tagged += one.tagged;
            total.uncoded += one.uncoded;
            for (class, count) in &one.failures {
                *total.failures.entry(*class).or_default() += count;
            }
            for (language, count) in &one.languages {
                *total.languages.entry(language.clone()).or_default() += count;
            }
            for (tag, count) in &one.tags {
                *total.tags.entry(tag.clone()).or_default() += count;
            }
        }
        total
    }
}

/// Whether the script says that this feed fails so.
pub fn is_expected(feed_id: &str, class: FailureClass) -> bool {
    FEEDS.iter().any(|feed| feed.id == feed_id && feed.expected.contains(&Expected::Fails(class)))
}

/// What has been committed of one feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedProgress {
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
    /// Records in a language that is known and has no lexicon.
    pub uncoded: usize,
    /// How often each class of failure was seen.
    pub failures: BTreeMap<FailureClass, u64>,
    /// Records by language; under "" those of unknown language.
    pub languages: BTreeMap<String, usize>,
    /// Records by tag id.
    pub tags: BTreeMap<String, usize>,
    /// Where permanent redirects say the feed lives now.
    pub moved_to: Option<String>,
}

impl FeedProgress {
    /// Takes in one committed outcome.
    pub fn observe(&mut self, outcome: &Outcome) {
        self.polls += 1;
        match &outcome.result {
            PollResult::Modified(_) => {}
            PollResult::NotModified => self.not_modified += 1,
            PollResult::Failed(failure) => *self.failures.entry(failure.class).or_default() += 1,
        }
        self.moved_to = outcome.state.plan.lives_at().map(str::to_owned);
        for Routed { record, .. } in &outcome.records {
            self.records += 1;
            self.revisions += usize::from(record.revision > 1);
            let language = record.language.clone().unwrap_or_default();
            *self.languages.entry(language).or_default() += 1;
            let tags = record.conflict.iter().flat_map(|conflict| &conflict.tags);
            let ids: BTreeSet<&str> = tags.map(|tag| tag.id.as_str()).collect();
            self.tagged += usize::from(!ids.is_empty());
            let is_in_one = record.language.is_some() && record.change != RecordChange::Withdrawn;
            self.uncoded += usize::from(record.conflict.is_none() && is_in_one);
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

    /// What has been seen, for a person.
    pub fn seen(&self) -> String {
        let mut parts = match self.records {
            0 => vec!["no record".to_owned()],
            1 => vec!["1 record".to_owned()],
            records => vec![format!("{records} records")],
        };
        parts.extend(self.failures.keys().map(|class| class.name().to_owned()));
        parts.extend((self.revisions > 0).then(|| "revision 2".to_owned()));
        parts.extend((self.not_modified > 0).then(|| "304".to_owned()));
        parts.extend(self.moved_to.as_ref().map(|_| "moved".to_owned()));
        parts.join(", ")
    }

    /// What has not been seen, for a person.
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

#[cfg(test)]
mod tests {
    use cw_model::{Failure, samples};

    use super::*;

    fn outcome(id: &str, result: PollResult) -> Outcome {
        Outcome { result, ..samples::outcome(id, 1, Vec::new()) }
    }

    fn failed(class: FailureClass) -> PollResult {
        PollResult::Failed(Failure { class, detail: "no".to_owned(), retry_after: None })
    }

    fn feed(id: &str) -> &'static DemoFeed {
        FEEDS.iter().find(|feed| feed.id == id).unwrap()
    }

    #[test]
    fn a_feed_that_should_fail_is_done_when_it_has_failed_as_it_should() {
        let mut all = AllProgress::default();
        let quillford = feed("quillford");
        assert!(!all.of(quillford).missing(quillford).is_empty());
        all.observe(&outcome("quillford", failed(FailureClass::Server)));
        assert_eq!(all.of(quillford).missing(quillford), ["wants failure html, has server"]);
        all.observe(&outcome("quillford", failed(FailureClass::Html)));
        assert!(all.of(quillford).missing(quillford).is_empty());
        assert!(!all.is_complete());
    }

    #[test]
    fn a_feed_never_polled_has_shown_nothing() {
        for feed in FEEDS {
            assert_eq!(
                FeedProgress::default().missing(feed).len(),
                feed.expected.len(),
                "{}",
                feed.id
            );
        }
    }

    #[test]
    fn totals_add_up() {
        let mut all = AllProgress::default();
        all.observe(&outcome("kestrel", PollResult::NotModified));
        all.observe(&outcome("quillford", PollResult::NotModified));
        all.observe(&outcome("quillford", failed(FailureClass::Html)));
        let total = all.total();
        assert_eq!((total.polls, total.not_modified, total.failures.len()), (3, 2, 1));
    }
}
