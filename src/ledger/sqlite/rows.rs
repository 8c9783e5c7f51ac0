//! An outcome as rows: every text made before the database is touched.

use std::sync::Arc;

use cw_model::state::FeedState;
use cw_model::{FeedId, Outcome, Record, Reject, Timestamp};
use cw_text::search::search_text;
use serde_json::Error;

/// The rows of one outcome.
#[derive(Debug)]
pub(super) struct Rows {
    /// Whose records are rows too, each made when it is written: all at once would be as much again.
    pub(super) outcome: Arc<Outcome>,
    /// What could not be read.
    pub(super) rejects: Vec<RejectRow>,
    /// What the next poll must know.
    pub(super) state: StateRow,
}

/// A row of `articles`, and what is searched of it.
#[derive(Debug)]
pub(super) struct ArticleRow {
    pub(super) article_id: String,
    pub(super) revision: u32,
    pub(super) change: &'static str,
    pub(super) feed_id: String,
    pub(super) url: Option<String>,
    pub(super) title: Option<String>,
    pub(super) language: Option<String>,
    pub(super) country: Option<String>,
    pub(super) published_at: Option<String>,
    pub(super) observed_at: String,
    /// `None`: nobody looked.
    pub(super) relevant: Option<bool>,
    /// JSON array of ids; `None`: nobody looked.
    pub(super) tags: Option<String>,
    /// JSON.
    pub(super) record: String,
    /// `search_text` of title, summary and body.
    pub(super) searched: [String; 3],
}

/// A row of `rejects`.
#[derive(Debug)]
pub(super) struct RejectRow {
    pub(super) id: String,
    pub(super) feed_id: String,
    pub(super) url: String,
    pub(super) reason: String,
    pub(super) detail: String,
    pub(super) at: String,
    /// JSON.
    pub(super) record: String,
}

/// A row of `feed_state`.
#[derive(Debug)]
pub(super) struct StateRow {
    pub(super) feed_id: String,
    pub(super) sequence: i64,
    pub(super) due_at: Option<String>,
    pub(super) standing: &'static str,
    /// JSON.
    pub(super) state: String,
}

impl Rows {
    /// Turns an outcome into rows.
    pub(super) fn new(outcome: Arc<Outcome>) -> Result<Self, Error> {
        Ok(Self {
            rejects: outcome.rejects.iter().map(RejectRow::new).collect::<Result<_, _>>()?,
            state: StateRow::new(&outcome.feed_id, &outcome.state)?,
            outcome,
        })
    }

    /// About how much is written, bytes.
    pub(super) fn bytes(&self) -> usize {
        usize::try_from(self.outcome.bytes).unwrap_or(usize::MAX)
    }
}

/// Makes every row of an outcome, one at a time, and drops it.
pub(super) fn rehearse(outcome: &Outcome) {
    outcome.records.iter().for_each(|routed| drop(ArticleRow::new(&routed.record)));
    outcome.rejects.iter().for_each(|reject| drop(RejectRow::new(reject)));
    drop(outcome.state.written());
}

impl StateRow {
    /// Turns a state into a row.
    pub(super) fn new(feed: &FeedId, state: &FeedState) -> Result<Self, Error> {
        Ok(Self {
            feed_id: feed.to_string(),
            sequence: i64::try_from(state.plan.sequence).unwrap_or(i64::MAX),
            due_at: state.plan.next.due_at.map(column_time),
            standing: state.plan.standing.name(),
            state: state.written()?,
        })
    }
}

impl ArticleRow {
    /// Turns a record into a row.
    pub(super) fn new(record: &Record) -> Result<Self, Error> {
        let conflict = record.conflict.as_ref();
        let ids = |tags: &[cw_model::record::RecordTag]| {
            serde_json::to_string(&tags.iter().map(|tag| &tag.id).collect::<Vec<_>>())
        };
        let folded = |text: &Option<String>| search_text(text.as_deref().unwrap_or_default());
        Ok(Self {
            article_id: record.id.clone(),
            revision: record.revision,
            change: record.change.name(),
            feed_id: record.feed.id.clone(),
            url: record.url.clone(),
            title: record.title.clone(),
            language: record.language.clone(),
            country: record.feed.country.clone(),
            published_at: record.published_at.as_deref().map(column_text),
            observed_at: column_text(&record.observed.at),
            relevant: conflict.map(|conflict| conflict.relevant),
            tags: conflict.map(|conflict| ids(&conflict.tags)).transpose()?,
            record: serde_json::to_string(record)?,
            searched: [folded(&record.title), folded(&record.summary), folded(&record.body)],
        })
    }
}

impl RejectRow {
    fn new(reject: &Reject) -> Result<Self, Error> {
        Ok(Self {
            id: reject.id.clone(),
            feed_id: reject.feed_id.clone(),
            url: reject.url.clone(),
            reason: reject.reason.clone(),
            detail: reject.detail.clone(),
            at: column_text(&reject.at),
            record: serde_json::to_string(reject)?,
        })
    }
}

/// An instant as every column has it: RFC 3339, UTC, always with milliseconds, so that texts sort
/// as instants do.
pub(super) fn column_time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The same for one that was written already.
fn column_text(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), column_time)
}
