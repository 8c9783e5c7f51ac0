//! Have we said this before?
//!
//! An article whose id is new is new; one whose digest moved is a revision; any other is unchanged.
//! Nothing here looks at dates: a back-dated entry is as new as any.

use cw_model::Article;
use cw_model::state::SeenArticle;

/// What an article is to what was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not seen before.
    New,
    /// Seen with another digest; this is the number of the new revision.
    Revised {
        /// From 1: an article that the backlog setting left unpublished starts at 1 when it changes.
        revision: u32,
    },
    /// Seen with this digest.
    Unchanged,
}

/// Compares an article with what was last seen of it.
pub fn classify(article: &Article, seen: Option<SeenArticle>) -> Verdict {
    match seen {
        None => Verdict::New,
        Some(seen) if seen.digest == article.digest => Verdict::Unchanged,
        Some(seen) => Verdict::Revised { revision: seen.revision.saturating_add(1) },
    }
}
