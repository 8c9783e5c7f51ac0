//! What a publisher takes back (RFC 6721), as revisions.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use cw_model::state::{SeenArticle, UnpackedState};
use cw_model::{
    Article, ArticleId, Change, Digest, EntryCounts, Routed, Steps, Timestamp, TooCostly,
};
use cw_read::normalise::{Context, withdrawn};
use cw_read::parse::{Deletions, FeedFormat, ParseFailure};

use super::budget::{Budget, record_bytes};
use super::{RECORD_BYTE_STEPS, Source, wire};

/// The articles that are taken back, each once, in the order of the document. Nothing is left of them
/// but what they are known by.
///
/// A document may show an entry and say that it was deleted. Whichever came later counts (RFC 6721,
/// section 3); where that cannot be told, what is shown is there. An entry that was deleted later is
/// taken out of `articles`.
pub(super) fn taken_back(
    context: &Context<'_>,
    deletions: &Deletions,
    aliases: &BTreeMap<ArticleId, ArticleId>,
    articles: &mut Vec<Article>,
    steps: &Steps,
) -> Result<Vec<Article>, TooCostly> {
    if deletions.named.is_empty() {
        return Ok(Vec::new());
    }
    let shown: HashMap<ArticleId, Option<Timestamp>> =
        articles.iter().map(|article| (article.id, article.updated_at)).collect();
    let mut met = HashSet::new();
    let mut gone = Vec::new();
    for deletion in &deletions.named {
        let Some(mut article) = withdrawn(context, deletion, steps)? else { continue };
        // A later mark of an article finds it too.
        // The deletion may name a mark that the article got later.
        if context.seen.is_none_or(|seen| seen.find(article.id).is_none())
            && let Some(known) = aliases.get(&article.id)
        {
            article.id = *known;
        }
        let is_over = match shown.get(&article.id) {
            Some(shown_at) => shown_at.is_none() || article.updated_at <= *shown_at,
            None => false,
        };
        if !is_over && met.insert(article.id) {
            gone.push(article);
        }
    }
    // Or it would be published and withdrawn by one document.
    articles.retain(|article| !met.contains(&article.id));
    Ok(gone)
}

impl Source<'_> {
    /// The records that take articles back: of those that were published, are not taken back yet, and
    /// were not changed later, by what was known of them.
    pub(super) fn withdraw(
        &self,
        gone: &[Article],
        next: &mut UnpackedState,
        counts: &mut EntryCounts,
        budget: &mut Budget,
    ) -> Result<Vec<Routed>, ParseFailure> {
        let mut records = Vec::new();
        let deletions = &self.parsed.deletions;
        let met = deletions.named.len() as u64 + deletions.left_out;
        counts.withdrawal_ignored += met.saturating_sub(gone.len() as u64);
        for article in gone {
            let Some(seen) =
                next.memory.seen.find(article.id).filter(|seen| !is_over(article, *seen))
            else {
                counts.withdrawal_ignored += 1;
                continue;
            };
            let last_seen = next.plan.sequence;
            if seen.revision == 0 {
                // It waits for room in vain.
                next.memory.unpublished.remove(&article.id);
            }
            // What was never published need not be taken back.
            let is_told = seen.digest == Digest::WITHDRAWN || seen.revision == 0;
            if is_told || next.plan.today.is_spent(self.feed.quota) {
                *if is_told { &mut counts.unchanged } else { &mut counts.over_quota } += 1;
                next.memory.seen.remember(article.id, SeenArticle { last_seen, ..seen });
                continue;
            }
            counts.withdrawn += 1;
            let revision = seen.revision.saturating_add(1);
            let feed = Arc::clone(&self.record_feed);
            let observed = wire::observed(self.answered_before(), self.now);
            let record = wire::record(article, revision, Change::Withdrawn, feed, observed, None);
            let bytes = record_bytes(&record);
            self.steps.spend_for(bytes, RECORD_BYTE_STEPS)?;
            budget.spend(bytes)?;
            next.plan.today.add(1, bytes);
            records.push(Routed { record, route: wire::route(None, Some(seen)) });
            // `WITHDRAWN` is a digest that no text has: whatever is shown again under this id is a
            // revision.
            let (digest, relevant) = (article.digest, Some(false));
            let source = None;
            let seen = SeenArticle { digest, revision, last_seen, relevant, source, ..seen };
            next.memory.seen.remember(article.id, seen);
        }
        Ok(records)
    }

    /// When the publisher last changed an article, for what may be said of it later; only Atom says
    /// that entries were deleted.
    pub(super) fn updated(&self, article: &Article) -> Option<u32> {
        let at = article.updated_at.filter(|_| self.parsed.format == FeedFormat::Atom)?;
        u32::try_from(at.as_second()).ok()
    }
}

/// Whether the article was changed after it was deleted.
fn is_over(deletion: &Article, seen: SeenArticle) -> bool {
    let (Some(updated), Some(deleted)) = (seen.updated, deletion.updated_at) else { return false };
    deleted.as_second() <= i64::from(updated)
}
