//! Holds what a ledger has against what publishers served.
//!
//! The rows and states come from whoever can read the ledger; nothing here knows which one it is.

use std::collections::{BTreeMap, BTreeSet};

use cw_model::digest::digest;
use cw_model::state::FeedState;
use cw_model::{ArticleId, Digest};
use cw_read::normalise::link::place;
use serde_json::Value;
use url::Url;

use super::growing::{Growing, Pace};

/// One article revision, whatever ledger it was committed to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The order of commits: over all feeds in a file, in a topic over those of one partition.
    pub(crate) seq: i64,
    /// The article.
    pub(crate) article_id: String,
    /// From 1.
    pub(crate) revision: u32,
    /// The feed.
    pub(crate) feed_id: String,
    /// The whole record.
    pub(crate) record: Value,
}

impl Row {
    /// A text of the record; empty if null.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.record[name].as_str().unwrap_or_default()
    }
}

/// What an audit found.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// Texts that publishers served, each once.
    pub(crate) served: usize,
    /// Rows.
    pub(crate) committed: usize,
    /// Texts known to be committed that no row has.
    pub(crate) lost: usize,
    /// Rows that say what another row has said.
    pub(crate) twice: usize,
    /// Everything wrong, for a person.
    pub(crate) faults: Vec<String>,
}

/// The digest of the text that a record tells, made from the record alone.
fn digest_of(record: &Value) -> Digest {
    let url = record["url"].as_str().map(|url| Url::parse(url).unwrap());
    digest([
        record["title"].as_str(),
        record["summary"].as_str(),
        record["body"].as_str(),
        url.as_ref().map(place),
    ])
}

impl Audit {
    /// Holds rows, in the order of their commits, and states against what growing feeds served.
    pub(crate) fn hold(
        &mut self,
        feeds: &[Growing],
        rows: &[Row],
        states: &BTreeMap<String, FeedState>,
    ) {
        for feed in feeds {
            let of_feed: Vec<&Row> = rows.iter().filter(|row| row.feed_id == feed.name).collect();
            self.compare(feed, &of_feed);
            match states.get(&feed.name) {
                Some(state) => self.compare_state(feed, &of_feed, state),
                None if of_feed.is_empty() => {}
                None => self.faults.push(format!("{}: articles without a state", feed.name)),
            }
        }
    }

    fn compare(&mut self, feed: &Growing, rows: &[&Row]) {
        let texts = |versions: BTreeSet<u64>| -> BTreeSet<(String, String)> {
            let shown = versions.into_iter().flat_map(|version| feed.shown(version));
            shown.map(|shown| (shown.guid, shown.title)).collect()
        };
        let served = texts(feed.served());
        let acknowledged = texts(feed.acknowledged());
        self.served += served.len();
        self.committed += rows.len();

        let mut found = BTreeSet::new();
        let mut last_revision: BTreeMap<&str, u32> = BTreeMap::new();
        for row in rows {
            let text = (row.text("guid").to_owned(), row.text("title").to_owned());
            if !served.contains(&text) {
                self.faults.push(format!("never served: {text:?}"));
            }
            if !found.insert(text.clone()) {
                self.twice += 1;
                self.faults.push(format!("twice: {text:?}"));
            }
            let last = last_revision.entry(&row.article_id).or_default();
            if row.revision != *last + 1 {
                let revision = row.revision;
                self.faults.push(format!("{text:?} is revision {revision} after {last}"));
            }
            *last = row.revision;
            let expected = text.1.rsplit(' ').next().and_then(|headline| headline.parse().ok());
            // A patient publisher shows no headline that is not waited for, so they count alike.
            if feed.pace == Pace::Patient && expected != Some(row.revision) {
                self.faults.push(format!("{text:?} is revision {}", row.revision));
            }
        }
        for text in acknowledged.difference(&found) {
            self.lost += 1;
            self.faults.push(format!("lost: {text:?}"));
        }
    }

    fn compare_state(&mut self, feed: &Growing, rows: &[&Row], state: &FeedState) {
        let last: BTreeMap<&str, &Row> =
            rows.iter().map(|row| (row.article_id.as_str(), *row)).collect();
        for (id, row) in &last {
            let seen = state.unpacked_memory().seen.find(ArticleId::parse(id).unwrap());
            let told = (row.revision, digest_of(&row.record));
            if seen.map(|seen| (seen.revision, seen.digest)) != Some(told) {
                let name = &feed.name;
                self.faults.push(format!("{name}: {id} is {} but seen {seen:?}", row.revision));
            }
        }
        if state.unpacked_memory().seen.len() != last.len() {
            let (seen, rows) = (state.unpacked_memory().seen.len(), last.len());
            self.faults.push(format!("{}: {seen} seen, {rows} in the ledger", feed.name));
        }
    }

    /// Fails unless everything is there exactly once.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert!(
            self.faults.is_empty(),
            "{} faults:\n{}",
            self.faults.len(),
            self.faults.join("\n")
        );
    }
}
