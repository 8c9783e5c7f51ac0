//! The articles of a document, each once.

use std::collections::{HashMap, HashSet};

use cw_model::state::{FeedMemory, FollowedBy, SeenArticle, UnpackedState};
use cw_model::{Article, ArticleId, Digest, Entry, IdentityRule, Steps, TooCostly};
use cw_read::normalise::{Context, date_again, normalise, repeated_marks};
use cw_read::parse::date::Conventions;
use cw_read::parse::{Problem, passed_over};

use super::Source;
use super::local_time::{self, Arrivals, with_local_time};
use super::moved_articles::moved;
use super::shown::shown_language;
use super::withdrawn::taken_back;

/// How many guids and links that identify nothing a feed's state remembers. A publisher with more
/// repeats them in every document anyway.
pub(super) const REPEATED_MARKS_MAX: usize = 200;

/// What is said of an entry that gives way to another with the same id.
const GIVES_WAY: &str = "another entry of this document has the same identifier, or the same link, and \
    another text; it was changed later or is listed first, and is published in place of this one";

/// What a document says of articles.
pub(super) struct Articles {
    /// Those it shows, oldest first.
    pub(super) shown: Vec<Article>,
    /// Those it takes back.
    pub(super) gone: Vec<Article>,
    /// Entries that gave way to others with the same id.
    pub(super) passed_over: Vec<Problem>,
    /// What those were read from that are told by nothing else in this document.
    pub(super) sources: HashMap<ArticleId, Digest>,
}

/// The most later marks that a feed's state remembers of articles that it does not show: as many as articles that have
/// left the feed.
const ALIASES_MAX: usize = 500;

/// An entry that gave way to another with the same id.
struct Loser<'a> {
    entry: &'a Entry,
    id: ArticleId,
    digest: Digest,
}

/// Gives articles whose publisher changed their marks the ids that they have: those of which all else is as it was
/// when they were last seen, and those that moved. From then on the new mark is an alias of the old id.
fn recognise(
    shown: &mut [Article],
    memory: &mut FeedMemory,
    steps: &Steps,
) -> Result<(), TooCostly> {
    let FeedMemory { seen, aliases, unpublished, .. } = memory;
    aliases.retain(|_, id| seen.find(*id).is_some());
    if seen.is_empty() || shown.iter().all(|article| seen.find(article.id).is_some()) {
        return Ok(());
    }
    let marks: HashSet<ArticleId> = shown.iter().map(|article| article.id).collect();
    let is_free = |id: &ArticleId| !marks.contains(id);
    let mut by_digest: HashMap<Digest, Option<ArticleId>> = HashMap::new();
    for (id, article) in seen.iter().filter(|(id, _)| is_free(id)) {
        // Of two with one text nobody can tell which it is.
        by_digest.entry(article.digest).and_modify(|both| *both = None).or_insert(Some(*id));
    }
    let mut given = HashSet::new();
    let mut unknown = Vec::new();
    for (place, article) in shown.iter_mut().enumerate() {
        if seen.find(article.id).is_some() {
            continue;
        }
        let by_alias = aliases.get(&article.id).copied().filter(is_free);
        let by_digest = || by_digest.get(&article.digest).copied().flatten();
        let has_marks = article.url.is_some() && article.title.is_some();
        let known = by_alias.or_else(|| by_digest().filter(|_| has_marks));
        if let Some(known) = known.filter(|known| given.insert(*known)) {
            aliases.insert(article.id, known);
            article.id = known;
        } else {
            unknown.push(place);
        }
    }
    let is_left = |id: &ArticleId| is_free(id) && !given.contains(id);
    for same in moved(shown, &unknown, seen, is_left, steps)? {
        let Some(article) = shown.get_mut(same.place) else { continue };
        aliases.insert(article.id, same.id);
        article.id = same.id;
        let known = seen.find(same.id).filter(|_| same.says_the_same);
        let waits = unpublished.contains_key(&same.id);
        if let Some(known) = known.filter(|known| !waits && known.digest != Digest::WITHDRAWN) {
            // That it stands elsewhere is no news.
            let content = Some(same.content);
            seen.remember(
                same.id,
                SeenArticle { digest: article.digest, content, source: None, ..known },
            );
        }
    }
    if aliases.len() > ALIASES_MAX {
        aliases.retain(|mark, _| marks.contains(mark));
    }
    Ok(())
}

/// By which mark articles are told apart, counted.
fn followed_by(articles: &[Article]) -> FollowedBy {
    let by = |rule| {
        let count = articles.iter().filter(|article| article.identity == rule).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    FollowedBy {
        guid: by(IdentityRule::Guid),
        link: by(IdentityRule::Link),
        content: by(IdentityRule::Content),
    }
}

impl Source<'_> {
    /// The articles; `None` if an entry whose text was left out is not the article that it was, so that it must be read.
    pub(super) fn articles(&self, next: &mut UnpackedState) -> Result<Option<Articles>, TooCostly> {
        let repeated_marks = self.repeated_marks(next)?;
        if let Some(shown) = shown_language(&self.parsed.entries, self.steps)? {
            next.memory.language = Some(shown);
        }
        let before = next.plan.local_time;
        let dates = with_local_time(&self.dates_of_the_feed(), before);
        let context = Context {
            feed: self.feed,
            dates: &dates,
            seen: Some(&next.memory.seen),
            base: &self.body.final_url,
            language: self.parsed.language.as_deref(),
            shown_language: next.memory.language.as_deref(),
            repeated_guids: &repeated_marks,
            now: self.now,
        };
        let mut shown: Vec<(&Entry, Article)> = Vec::new();
        let mut losers = Vec::new();
        let mut sources = HashMap::new();
        let mut places: HashMap<ArticleId, usize> = HashMap::new();
        for entry in self.parsed.entries.iter().rev() {
            let article = normalise(&context, entry, self.steps)?;
            let id = article.id;
            let is_as_seen = next.memory.seen.find_unchanged(id, entry.source).is_some();
            if entry.is_unread && !is_as_seen {
                return Ok(None);
            }
            let Some(earlier) = places.get(&id).and_then(|place| shown.get_mut(*place)) else {
                places.insert(id, shown.len());
                sources.extend(entry.source.map(|source| (id, source)));
                shown.push((entry, article));
                continue;
            };
            // Which of the two is published depends on their texts.
            if is_as_seen || next.memory.seen.find_unchanged(id, earlier.0.source).is_some() {
                return Ok(None);
            }
            sources.remove(&id);
            // One id twice in a document: one with a text wins over one without, then the later update, else
            // the one listed first.
            let rank = |article: &Article| {
                (article.body.is_some() || article.summary.is_some(), article.updated_at)
            };
            let (entry, article) = if rank(&article) >= rank(&earlier.1) {
                std::mem::replace(earlier, (entry, article))
            } else {
                (entry, article)
            };
            losers.push(Loser { entry, id, digest: article.digest });
        }
        let is_new = |article: &Article| next.memory.seen.find(article.id).is_none();
        let new = shown.iter().filter(|(_, article)| is_new(article)).map(|(entry, _)| *entry);
        let after = self.answered_before();
        let arrivals = Arrivals::of(new, &dates, after, self.now, self.steps)?;
        let local_time = local_time::learned(before, &arrivals);
        next.plan.local_time = local_time;
        let dates = with_local_time(&dates, local_time);
        let context = Context { dates: &dates, ..context };
        if local_time.learned() != before.learned() {
            shown.iter_mut().for_each(|(entry, article)| date_again(&context, entry, article));
        }
        let mut shown: Vec<Article> = shown.into_iter().map(|(_, article)| article).collect();
        next.plan.followed_by = followed_by(&shown);
        let aliases = &next.memory.aliases;
        let gone = taken_back(&context, &self.parsed.deletions, aliases, &mut shown, self.steps)?;
        let passed_over = self.passed_over(losers, &shown)?;
        recognise(&mut shown, &mut next.memory, self.steps)?;
        Ok(Some(Articles { shown, gone, passed_over, sources }))
    }

    /// The problem of the entries whose text is lost: what is shown has another. What comes twice with one
    /// text loses nothing, nor does what the publisher took back.
    fn passed_over(
        &self,
        losers: Vec<Loser<'_>>,
        shown: &[Article],
    ) -> Result<Vec<Problem>, TooCostly> {
        if losers.is_empty() {
            return Ok(Vec::new());
        }
        let digests: HashMap<ArticleId, Digest> =
            shown.iter().map(|article| (article.id, article.digest)).collect();
        let mut met = HashSet::new();
        let is_lost = |loser: &Loser<'_>| {
            digests.get(&loser.id).is_some_and(|digest| *digest != loser.digest)
                && met.insert((loser.id, loser.digest))
        };
        let lost = losers.into_iter().filter(is_lost).map(|loser| loser.entry);
        let mut lost: Vec<&Entry> = lost.collect();
        // In document order, as all problems are.
        lost.sort_by_key(|entry| entry.span.as_ref().map(|span| span.start));
        let content_type = self.body.content_type.as_deref();
        passed_over(&self.body.bytes, content_type, &lost, GIVES_WAY, self.steps)
    }

    /// How the feed writes its dates, by all of them together.
    fn dates_of_the_feed(&self) -> Conventions {
        let language = self.parsed.language.as_deref();
        let entries = self.parsed.entries.iter();
        let dates =
            entries.flat_map(|entry| [entry.published.as_deref(), entry.updated.as_deref()]);
        Conventions::learn(language, dates.flatten())
    }

    /// The guids and links that identify nothing: in this document, or in an earlier one, for what
    /// was told apart by other means once must be told apart by the same means ever after.
    fn repeated_marks(&self, next: &mut UnpackedState) -> Result<HashSet<String>, TooCostly> {
        let found = repeated_marks(&self.body.final_url, &self.parsed.entries, self.steps)?;
        for mark in &found {
            if next.memory.repeated_marks.len() < REPEATED_MARKS_MAX {
                next.memory.repeated_marks.insert(mark.clone());
            }
        }
        Ok(found.into_iter().chain(next.memory.repeated_marks.iter().cloned()).collect())
    }
}
