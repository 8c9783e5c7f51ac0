//! What becomes of an article that its feed's state has forgotten.
//!
//! The state remembers the window and the last articles that left it, no more. A feed that shows
//! an older one again (a list of what is read most does) brings it as revision 1 of a new article,
//! while the database still has it. That is no mistake, and must not stop the feed: the same text
//! is there already, and another text is the next revision.

use cw_model::Record;
use cw_model::record::RecordChange;
use serde::Deserialize;

use super::rows::ArticleRow;

/// The latest revision that is committed.
#[derive(Clone, Debug)]
pub(super) struct Latest {
    pub(super) seq: i64,
    pub(super) revision: u32,
    /// JSON.
    pub(super) record: String,
}

/// Where a row goes.
#[derive(Debug)]
pub(super) enum Recognised {
    /// As it is.
    Next,
    /// Nowhere: this text is there.
    There,
    /// With this revision instead of its own.
    Renumbered(Box<ArticleRow>),
}

/// Says where a row goes, beside the latest revision of its article.
pub(super) fn place(row: &ArticleRow, latest: &Latest) -> serde_json::Result<Recognised> {
    if row.revision > latest.revision {
        return Ok(Recognised::Next);
    }
    let mut record: Record = serde_json::from_str(&row.record)?;
    let given: RevisionText = serde_json::from_str(&row.record)?;
    // One that cannot be read any more has another text for all we know.
    let committed: Option<RevisionText> = serde_json::from_str(&latest.record).ok();
    if committed.is_some_and(|committed| given.is_like(&committed)) {
        return Ok(Recognised::There);
    }
    record.revision = latest.revision.saturating_add(1);
    record.change = match record.change {
        RecordChange::Created | RecordChange::Updated => RecordChange::Updated,
        other @ (RecordChange::Withdrawn | RecordChange::Other) => other,
    };
    Ok(Recognised::Renumbered(Box::new(ArticleRow::new(&record)?)))
}

/// What makes a revision. No more is read of a record: whatever a later version has added to it, the
/// same text is no other revision.
#[derive(Debug, Deserialize)]
struct RevisionText {
    change: RecordChange,
    title: Option<String>,
    summary: Option<String>,
    body: Option<String>,
    url: Option<String>,
}

impl RevisionText {
    /// Whether a reader would see no difference.
    fn is_like(&self, other: &Self) -> bool {
        let is_withdrawn = |text: &Self| text.change == RecordChange::Withdrawn;
        is_withdrawn(self) == is_withdrawn(other)
            && self.title == other.title
            && self.summary == other.summary
            && self.body == other.body
            && self.url == other.url
    }
}
