//! Articles seen in a feed: the current window, and the last that left it.
//!
//! An article that left the window is remembered a while, so that it does not come back as new
//! when a publisher shows it again.

use std::collections::BTreeMap;

use super::Content;
use crate::{ArticleId, Digest};

/// How many articles that left the window are remembered.
///
/// Five windows of a large feed. Packed they take some 15 kB.
const DEPARTED_MAX: usize = 500;

/// Of how many of them it is remembered what they said, 8 bytes each.
///
/// That tells an article again after a move to other software, which shows what the old one showed last, and perhaps a
/// longer list. It does not show what left months ago.
const DEPARTED_CONTENT_MAX: usize = 100;

/// One article as last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenArticle {
    /// Of the last revision.
    pub digest: Digest,
    /// The last revision published, from 1; 0 if none was: the backlog setting left it out, or no
    /// topic took it.
    pub revision: u32,
    /// The state sequence of the last poll whose document held it.
    pub last_seen: u64,
    /// Whether the last revision published was relevant. `None`: not known; an earlier version of the
    /// program published it, which did not remember.
    pub relevant: Option<bool>,
    /// When its publisher last changed it, in seconds since 1970, as far as Atom says: an earlier
    /// deletion does not count any more (RFC 6721).
    pub updated: Option<u32>,
    /// What it said. `None`: not known; an earlier version of the program saw it last.
    pub content: Option<Content>,
    /// Of its entry as sent, and of what else it was read with. While that is the same, so is `digest`. `None`: not known,
    /// or not in the window; then the entry is read.
    pub source: Option<Digest>,
}

impl SeenArticle {
    /// Whether everything is known that would be learnt by reading its entry again: what was taken back is news when it
    /// is shown again.
    fn may_be_unread(&self) -> bool {
        self.content.is_some() && self.digest != Digest::WITHDRAWN
    }
}

/// Articles by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    articles: BTreeMap<ArticleId, SeenArticle>,
}

impl Seen {
    /// The article as last seen.
    pub fn find(&self, id: ArticleId) -> Option<SeenArticle> {
        self.articles.get(&id).copied()
    }

    /// Remembers an article.
    pub fn remember(&mut self, id: ArticleId, article: SeenArticle) {
        self.articles.insert(id, article);
    }

    /// How many articles the window of poll `sequence` held.
    pub fn window(&self, sequence: u64) -> u64 {
        self.articles.values().filter(|article| article.last_seen == sequence).count() as u64
    }

    /// The poll whose window is the last that held any article; `None` if nothing is remembered.
    pub fn last_window(&self) -> Option<u64> {
        self.articles.values().map(|article| article.last_seen).max()
    }

    /// The articles in the window of poll `before` are in that of `sequence` too.
    pub fn keep_window(&mut self, before: u64, sequence: u64) {
        let window = self.articles.values_mut().filter(|article| article.last_seen == before);
        window.for_each(|article| article.last_seen = sequence);
    }

    /// What each article was read from is not known any more: its entry is read again.
    pub fn forget_sources(&mut self) {
        self.articles.values_mut().for_each(|article| article.source = None);
    }

    /// What articles were read from that are as they were while that is.
    pub fn sources(&self) -> impl Iterator<Item = Digest> {
        self.articles
            .values()
            .filter(|article| article.may_be_unread())
            .filter_map(|article| article.source)
    }

    /// The article, if it is as it was seen because its entry is.
    pub fn find_unchanged(&self, id: ArticleId, source: Option<Digest>) -> Option<SeenArticle> {
        let is_same = |article: &SeenArticle| article.source == source && source.is_some();
        self.find(id).filter(SeenArticle::may_be_unread).filter(is_same)
    }

    /// Forgets all but the window of poll `sequence` and the `DEPARTED_MAX` that left it last.
    pub fn forget_departed(&mut self, sequence: u64) {
        // Few come back, and what they were read from need not be remembered of the others.
        let all = self.articles.values_mut();
        all.filter(|article| article.last_seen != sequence)
            .for_each(|article| article.source = None);
        let mut departed: Vec<(u64, ArticleId)> = self
            .articles
            .iter()
            .filter(|(_, article)| article.last_seen != sequence)
            .map(|(id, article)| (article.last_seen, *id))
            .collect();
        if departed.len() <= DEPARTED_CONTENT_MAX {
            return;
        }
        departed.sort_unstable();
        // Those that left in one poll are remembered alike: an empty document lets a whole window leave, and the next may be
        // of the new software.
        let kept_from = departed.iter().rev().nth(DEPARTED_CONTENT_MAX - 1);
        let kept_from = kept_from.map_or(0, |(last_seen, _)| *last_seen);
        self.articles
            .values_mut()
            .filter(|article| article.last_seen < kept_from)
            .for_each(|article| article.content = None);
        if departed.len() <= DEPARTED_MAX {
            return;
        }
        let surplus = departed.len() - DEPARTED_MAX;
        for (_, id) in departed.into_iter().take(surplus) {
            self.articles.remove(&id);
        }
    }

    /// Whether an article was relevant is not known of any that is not said to have been.
    pub fn forget_relevance(&mut self) {
        for article in self.articles.values_mut().filter(|one| one.relevant == Some(false)) {
            article.relevant = None;
        }
    }

    /// Whether both know the same revisions of the same articles, whenever those were last shown.
    pub fn tells_like(&self, other: &Self) -> bool {
        let told =
            |(id, article): (&ArticleId, &SeenArticle)| (*id, article.digest, article.revision);
        self.articles.len() == other.articles.len()
            && self.articles.iter().map(told).eq(other.articles.iter().map(told))
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&ArticleId, &SeenArticle)> {
        self.articles.iter()
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.articles.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.articles.is_empty()
    }
}

impl FromIterator<(ArticleId, SeenArticle)> for Seen {
    fn from_iter<T: IntoIterator<Item = (ArticleId, SeenArticle)>>(articles: T) -> Self {
        Self { articles: articles.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(last_seen: u64) -> SeenArticle {
        SeenArticle {
            digest: Digest([1; 8]),
            revision: 1,
            last_seen,
            relevant: None,
            updated: None,
            content: Some(Content([3; 8])),
            source: Some(Digest([2; 8])),
        }
    }

    fn id(number: usize) -> ArticleId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
        ArticleId(bytes)
    }

    #[test]
    fn the_window_is_never_forgotten_however_large() {
        let mut seen = Seen::default();
        (0..2000).for_each(|number| seen.remember(id(number), article(9)));
        seen.forget_departed(9);
        assert_eq!(seen.len(), 2000);
        assert!(seen.iter().all(|(_, article)| article.source.is_some()));
    }

    #[test]
    fn the_longest_departed_are_forgotten_first() {
        let mut seen = Seen::default();
        (0..=DEPARTED_MAX).for_each(|number| seen.remember(id(number), article(number as u64)));
        seen.forget_departed(u64::MAX);
        assert_eq!(seen.len(), DEPARTED_MAX);
        assert!(seen.find(id(0)).is_none());
        assert!(seen.find(id(1)).is_some_and(|article| article.source.is_none()));
    }

    /// How many of so many articles, of which `last_seen` says which poll saw them last, still say what they said.
    fn with_content(articles: usize, last_seen: impl Fn(usize) -> u64) -> usize {
        let mut seen = Seen::default();
        (0..articles).for_each(|number| seen.remember(id(number), article(last_seen(number))));
        seen.forget_departed(u64::MAX);
        seen.iter().filter(|(_, article)| article.content.is_some()).count()
    }

    #[test]
    fn what_they_said_is_remembered_of_those_that_left_last() {
        assert_eq!(with_content(100, |number| number as u64), 100);
        assert_eq!(with_content(400, |number| number as u64), DEPARTED_CONTENT_MAX);
        // A whole window left at once.
        assert_eq!(with_content(400, |number| number as u64 / 350), 400);
        assert_eq!(with_content(400, |number| number as u64 / 200), 200);
        assert_eq!(with_content(200, |_| u64::MAX), 200, "in the window");
    }
}
