//! What becomes of each article that a document shows: a record, or nothing, and what is remembered of it.

use std::sync::Arc;

use cw_code::{Tagger, Texts};
use cw_model::state::{SEEN_BYTES, SeenArticle, UnpackedState};
use cw_model::{Article, ArticleId, Backlog, Change, EntryCounts, Route, Routed, TooCostly};
use cw_read::parse::ParseFailure;

use super::budget::{Budget, record_bytes};
use super::{RECORD_BYTE_STEPS, Shown, Source, is_read_anew, wire};
use crate::dedupe::{Verdict, classify};

impl Source<'_> {
    /// Each article as a record, or why it is none; and what to remember of it.
    pub(super) fn publish(
        &self,
        shown: &Shown<'_>,
        next: &mut UnpackedState,
        tagger: &Tagger,
        budget: &mut Budget,
    ) -> Result<(Vec<Routed>, EntryCounts), ParseFailure> {
        let mut counts = EntryCounts::default();
        let mut records = Vec::new();
        for article in shown.articles {
            let source = shown.sources.get(&article.id).copied();
            let seen = next.memory.seen.find(article.id);
            let verdict = classify(article, seen);
            // A new version of the program may read another text out of the same bytes. That is no
            // edit of the publisher, and must not be published as one for every article of every
            // feed.
            if let Some(seen) = seen.filter(|seen| is_read_anew(article, *seen, next)) {
                let content = self.content(article, None)?;
                let seen = SeenArticle { digest: article.digest, content, source, ..seen };
                self.pass_over(seen, article.id, next, &mut counts);
                continue;
            }
            // Publishers that edit often go back to a text of before, or alternate between two
            // servers.
            if let Some(seen) = seen.filter(|seen| self.is_told(article, *seen, next)) {
                self.pass_over(seen, article.id, next, &mut counts);
                continue;
            }
            if self.is_over_quota(article, verdict, next) {
                counts.over_quota += 1;
                // A new one is new again tomorrow; a revision is remembered as it was.
                if let Some(seen) = seen {
                    let last_seen = next.plan.sequence;
                    next.memory.seen.remember(article.id, SeenArticle { last_seen, ..seen });
                }
                continue;
            }
            // Zero says that nothing of it was published: its first edit then is revision 1.
            let revision = match verdict {
                Verdict::New if self.is_backlog(article) => 0,
                Verdict::New => 1,
                Verdict::Revised { revision } => revision,
                Verdict::Unchanged => seen.map_or(0, |seen| seen.revision),
            };
            let mut relevant = seen.and_then(|seen| seen.relevant);
            if revision > 0 && verdict != Verdict::Unchanged {
                // The page of an article fills its text in the record, never its digest: else it
                // would be edited whenever the page could not be fetched.
                let filled = self.with_page(article)?;
                let routed =
                    self.routed(filled.as_ref().unwrap_or(article), revision, seen, tagger)?;
                if let Some(seen) = seen.filter(|_| revision > 1) {
                    if self.is_masked(article, &routed, next)? {
                        self.pass_over(seen, article.id, next, &mut counts);
                        continue;
                    }
                    self.remember_revision(article, &routed, seen, next)?;
                }
                // Remembered, so that a revision that is not relevant any more is sent as a
                // correction to those who read only what is.
                relevant = Some(routed.route == Route::Relevant);
                let bytes = record_bytes(&routed.record);
                self.steps.spend_for(bytes, RECORD_BYTE_STEPS)?;
                budget.spend(bytes)?;
                // Counted as it is made and not as it is committed: the state that carries the
                // count is of the same commit.
                next.plan.today.add(1, bytes);
                records.push(routed);
            }
            *match verdict {
                Verdict::New if revision == 0 => &mut counts.skipped,
                Verdict::New => &mut counts.new,
                Verdict::Revised { .. } => &mut counts.revised,
                Verdict::Unchanged => &mut counts.unchanged,
            } += 1;
            if seen.is_none() {
                budget.spend(SEEN_BYTES)?;
            }
            let last_seen = next.plan.sequence;
            let (digest, updated) = (article.digest, self.updated(article));
            // What was hashed before is not hashed again: in most documents most articles are
            // unchanged.
            let content = self.content(article, seen.filter(|_| verdict == Verdict::Unchanged))?;
            let seen =
                SeenArticle { digest, revision, last_seen, relevant, updated, content, source };
            next.memory.seen.remember(article.id, seen);
        }
        Ok((records, counts))
    }

    /// Another text of an article is no news: it is remembered as it was.
    fn pass_over(
        &self,
        seen: SeenArticle,
        id: ArticleId,
        next: &mut UnpackedState,
        counts: &mut EntryCounts,
    ) {
        counts.unchanged += 1;
        let last_seen = next.plan.sequence;
        next.memory.seen.remember(id, SeenArticle { last_seen, ..seen });
    }

    /// Whether this article would be published, and the feed has added as much as it may today.
    fn is_over_quota(&self, article: &Article, verdict: Verdict, next: &UnpackedState) -> bool {
        let publishes = match verdict {
            Verdict::New => !self.is_backlog(article),
            Verdict::Revised { .. } => true,
            Verdict::Unchanged => false,
        };
        publishes && next.plan.today.is_spent(self.feed.quota)
    }

    /// Whether the backlog setting leaves this article of a feed's first poll unpublished.
    fn is_backlog(&self, article: &Article) -> bool {
        // What the quota left unread of the first poll is no backlog any more, nor what another URL
        // shows.
        let is_known = self.state.plan.succeeded_at.is_some() || self.state.memory.articles() > 0;
        if is_known || self.state.plan.today.left > 0 {
            return false;
        }
        match self.feed.backlog {
            Backlog::All => false,
            Backlog::None => true,
            Backlog::Within(age) => article
                .published_at
                .is_some_and(|at| self.now.checked_sub(age).is_ok_and(|oldest| at < oldest)),
        }
    }

    fn routed(
        &self,
        article: &Article,
        revision: u32,
        seen: Option<SeenArticle>,
        tagger: &Tagger,
    ) -> Result<Routed, TooCostly> {
        let texts = Texts {
            title: article.title.as_deref().unwrap_or_default(),
            summary: article.summary.as_deref().unwrap_or_default(),
            body: article.body.as_deref().unwrap_or_default(),
            feed_country: self.feed.country.as_deref(),
        };
        let is_empty = [texts.title, texts.summary, texts.body].iter().all(|text| text.is_empty());
        let language = article.language.as_deref().filter(|_| !is_empty);
        let coding = tagger.code(texts, language, self.steps)?;
        // A first revision is `created` also where the feed is old: the article was in its backlog,
        // or over its quota.
        let change = if revision == 1 { Change::Created } else { Change::Updated };
        let feed = Arc::clone(&self.record_feed);
        let observed = wire::observed(self.answered_before(), self.now);
        let record = wire::record(article, revision, change, feed, observed, coding.as_ref());
        let route = wire::route(coding.as_ref(), seen.filter(|seen| seen.revision > 0));
        Ok(Routed { record, route })
    }
}
