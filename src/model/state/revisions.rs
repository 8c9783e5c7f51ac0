//! What was published of an article that has been revised, so that it is not published again.
//!
//! Most articles are never revised, and of those nothing is kept here. Deciding by it is
//! `decide::process`'s.

use crate::{ArticleId, Digest, Timestamp};

/// Earlier revisions of one article that are remembered: as many as a publisher may have copies of a
/// document that are not of one time.
pub const EARLIER_MAX: usize = 6;

/// The revisions of one article, from the second on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revisions {
    /// Digests of those before the last, oldest first.
    pub earlier: Vec<Digest>,
    /// The text of an earlier one that the last documents showed, and how many did in a row.
    pub back: Option<(Digest, u32)>,
    /// When the last was published.
    pub at: Timestamp,
    /// The poll that published it.
    pub published_in: u64,
    /// Digest of what the last was found to say.
    pub said: Option<Digest>,
    /// Hashes of its words, sorted: of those that never changed, if `changing` is more than 0. Empty: too
    /// many, or nothing to compare.
    pub words: Vec<u32>,
    /// So many other words change by themselves; 0 if that is not known.
    pub changing: u32,
}

impl Revisions {
    /// A revision was published in place of this one.
    pub fn replace(&mut self, digest: Digest) {
        self.earlier.retain(|earlier| *earlier != digest);
        self.earlier.push(digest);
        let surplus = self.earlier.len().saturating_sub(EARLIER_MAX);
        self.earlier.drain(..surplus);
    }

    /// What it takes as written, bytes.
    pub(super) fn size(&self) -> u64 {
        const FIXED: u64 = 250;
        FIXED + 20 * self.earlier.len() as u64 + 8 * self.words.len() as u64
    }
}

/// The revisions of articles.
pub type RevisionsById = std::collections::BTreeMap<ArticleId, Revisions>;
