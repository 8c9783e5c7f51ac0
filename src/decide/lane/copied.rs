//! What a lane says of a ledger that is being copied into it, and the lines of that copy. Pure.
//!
//! The copy is many transactions. Each has the next records, or states, and the key `__copied`, which says
//! how far the copy is: so what was committed and what is still to come can never be told apart wrongly,
//! wherever the copying dies. A lane whose copy is not whole is not polled: feeds without their states
//! would be told anew.

use cw_model::{Record, Reject, Timestamp};
use serde::{Deserialize, Serialize};

use super::header;
use super::wire::{Layout, Line, Target, Unwritable};

/// The version of [`Copied`].
pub const COPIED_VERSION: u32 = 1;

/// The value of `__copied`: how far the copy of another ledger into the lane is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Of this form, [`COPIED_VERSION`].
    pub version: u32,
    /// The first version that reads it, if that is not `version`: of later versions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_from: Option<u32>,
    /// Tells what is copied, as it stood, from everything else.
    pub from: String,
    /// The place of the last article in the other ledger that is copied; 0 before the first.
    pub articles: i64,
    /// The same of rejects.
    pub rejects: i64,
    /// The last feed whose state is copied, in the order of their ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    /// Whether nothing is missing.
    pub whole: bool,
    /// When; RFC 3339.
    pub at: String,
}

impl Copied {
    /// The key of it in the state topic.
    pub const KEY: &'static str = "__copied";

    /// A copy of `from` of which nothing is there yet.
    pub fn begun(from: &str, at: Timestamp) -> Self {
        Self {
            version: COPIED_VERSION,
            readable_from: None,
            from: from.to_owned(),
            articles: 0,
            rejects: 0,
            feed: None,
            whole: false,
            at: format!("{at:.3}"),
        }
    }

    /// Why a lane with it is not to be polled, if it is not.
    pub(super) fn problem(&self) -> Option<&'static str> {
        (!self.whole).then_some(
            "a ledger is being copied into it and is not all there; stop the daemons and run \
             `conflictwire ledger copy` again, which goes on where it ended",
        )
    }
}

/// What becomes of an article of another ledger.
#[derive(Debug)]
pub enum CopiedArticle {
    /// These lines.
    Lines(Vec<Line>),
    /// Nothing: no topic takes so many bytes.
    TooLarge(usize),
}

/// Whether a record stands in the conflict topic too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InConflict {
    /// It is relevant, or its article stops being so with it.
    Yes,
    /// It is neither.
    No,
}

impl Layout {
    /// An article of another ledger: the bytes that were committed there, with the key and headers that
    /// they would have had here.
    pub fn copied_article(
        &self,
        record: &Record,
        text: String,
        in_conflict: InConflict,
    ) -> CopiedArticle {
        let line = self.line(Target::Articles, &record.id, text.into_bytes());
        let article = Line { headers: header::of_article(record), ..line };
        if !self.takes(&article) {
            return CopiedArticle::TooLarge(article.bytes());
        }
        let mut lines = Vec::new();
        if in_conflict == InConflict::Yes {
            let partition = self.partition(Target::Conflict);
            lines.push(Line { target: Target::Conflict, partition, ..article.clone() });
        }
        lines.push(article);
        CopiedArticle::Lines(lines)
    }

    /// A reject of another ledger, with as many of the refused bytes as the topic takes.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn copied_reject(&self, reject: Reject) -> Result<Line, Unwritable> {
        self.reject(reject)
    }

    /// How far the copy is with the transaction that this line is in.
    pub fn copied(&self, copied: &Copied) -> Line {
        // Texts and numbers under names that are texts: there is nothing that JSON cannot hold.
        let value = serde_json::to_vec(copied).unwrap_or_default();
        self.line(Target::State, Copied::KEY, value)
    }
}

#[cfg(test)]
mod tests {
    use cw_model::FeedId;
    use cw_model::samples::{now, record, reject, tagged};

    use super::super::wire::PartitionBy;
    use super::*;

    fn layout(record_bytes_max: usize) -> Layout {
        Layout {
            lane: 5,
            partition_by: PartitionBy::Lane,
            partitions: [12, 4, 1],
            record_bytes_max,
            known_bytes_max: Some(record_bytes_max),
        }
    }

    fn lines(record: &Record, in_conflict: InConflict) -> Vec<Line> {
        let text = serde_json::to_string(record).unwrap();
        match layout(1 << 20).copied_article(record, text, in_conflict) {
            CopiedArticle::Lines(lines) => lines,
            CopiedArticle::TooLarge(bytes) => panic!("{bytes} bytes"),
        }
    }

    #[test]
    fn a_copied_article_has_the_place_key_headers_and_bytes_of_one_that_was_polled() {
        let told = tagged(2, "two", "strike.air");
        let lines = lines(&told, InConflict::Yes);
        let places: Vec<_> = lines.iter().map(|line| (line.target, line.partition)).collect();
        assert_eq!(places, [(Target::Conflict, Some(1)), (Target::Articles, Some(5))]);
        for line in &lines {
            assert_eq!((line.key.as_str(), &line.headers), (&*told.id, &header::of_article(&told)));
            let read: Record = serde_json::from_slice(line.value.as_deref().unwrap()).unwrap();
            assert_eq!(read.id, told.id);
        }
    }

    #[test]
    fn an_article_that_no_topic_takes_is_counted_and_what_a_reject_holds_is_cut() {
        let long = record(1, &"x".repeat(8000));
        let text = serde_json::to_string(&long).unwrap();
        let copied = layout(6000).copied_article(&long, text, InConflict::No);
        assert!(matches!(copied, CopiedArticle::TooLarge(bytes) if bytes > 8000), "{copied:?}");
        let refusal = Reject { bytes: "QUJD".repeat(5000), length: 15_000, ..reject(9) };
        assert!(layout(6000).copied_reject(refusal).unwrap().bytes() <= 6000);
    }

    #[test]
    fn only_a_whole_copy_leaves_a_lane_to_be_polled() {
        let begun = Copied::begun("x", now());
        assert!(begun.problem().unwrap().contains("ledger copy"));
        assert_eq!(Copied { whole: true, ..begun.clone() }.problem(), None);

        let line = layout(1 << 20).copied(&begun);
        assert_eq!((line.key.as_str(), line.partition), ("__copied", Some(5)));
        assert!(line.key.starts_with(FeedId::RESERVED_PREFIX), "no feed has it");
        let read: Copied = serde_json::from_slice(line.value.as_deref().unwrap()).unwrap();
        assert_eq!(read, begun);
    }
}
