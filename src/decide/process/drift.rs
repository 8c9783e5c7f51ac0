//! Whether a feed shows another publisher's content: its domain expired and was sold, or its host serves somebody else.
//!
//! Publishers rename themselves, move, change their software or their language, and what they publish is news as before.
//! But whoever has a domain after somebody else does all of that at once, and shows nothing of what was there. So a
//! document is held back that lists nothing of the one before, under a title without a word of the old one, if besides
//! two of three are other ones: where its links lead, which language it is in, how much comes when.
//!
//! What is held back is a failed poll of class `drift`. Nothing of it is published or remembered, so the feed goes on by
//! itself when its publisher is back. Nobody but an operator can say that a new publisher is welcome: a feed under
//! another `id` or `url` begins without a character.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cw_model::state::{Character, UnpackedState};
use cw_model::{Article, FailureClass, MovedBy, Timestamp};
use cw_read::parse::ParseFailure;
use cw_text::search::tokens;

use super::Source;
use super::answered::asked_at;
use super::gap::Gap;
use crate::schedule::rhythm::{Heard, learned};

/// A feed that was not answered for so long may have changed hands meanwhile.
const AWAY: Duration = Duration::from_secs(24 * 3600);

/// So many times more or fewer entries in a day are another pace.
const PACE_FACTOR: f64 = 5.0;

/// A pace is not told by fewer dates.
const DATED_MIN: usize = 5;

/// The longest title that is remembered, bytes.
const TITLE_BYTES_MAX: usize = 256;

/// Words that any feed may have in its title.
const NOBODYS_WORDS: [&str; 20] = [
    "news",
    "the",
    "and",
    "feed",
    "feeds",
    "rss",
    "atom",
    "latest",
    "all",
    "home",
    "page",
    "blog",
    "posts",
    "articles",
    "online",
    "www",
    "com",
    "noticias",
    "actualites",
    "новости",
];

/// What a feed was before, by its state, and what came since.
pub(super) struct Before<'a> {
    /// Its last document's language, as its texts showed it.
    pub(super) language: Option<&'a str>,
    /// What the document shows that was not known.
    pub(super) came: &'a [Option<Timestamp>],
}

impl Source<'_> {
    /// Title and links of a document that is believed; what it does not say is as it was.
    pub(super) fn character(&self, shown: &[Article], before: Option<Character>) -> Character {
        let before = before.unwrap_or_default();
        let title = self.record_feed.title.as_deref().map(cut_title);
        Character { title: title.or(before.title), domain: domain_of(shown).or(before.domain) }
    }

    /// Why a document is held back that came from where the one before said that the feed lives: there must be the same
    /// articles, half of what either lists. A document alone is no proof of who has that other place.
    pub(super) fn other_articles(
        &self,
        shown: &[Article],
        next: &UnpackedState,
    ) -> Option<ParseFailure> {
        let place = asked_at(self.feed, &self.state.plan);
        let place = place.filter(|_| self.state.plan.moves.by == MovedBy::Document)?;
        let is_known = |article: &&Article| next.memory.seen.find(article.id).is_some();
        let known = shown.iter().filter(is_known).count();
        let listed =
            shown.len().min(usize::try_from(self.state.memory.window()).unwrap_or(usize::MAX));
        if known > 0 && known * 2 >= listed {
            return None;
        }
        let detail = format!(
            "the feed says that it lives at {}, and there are {known} of the {listed} articles that it lists here",
            self.feed.shown(&place)
        );
        Some(ParseFailure { class: FailureClass::Drift, detail, offset: None })
    }

    /// Why a document is held back, if it is.
    pub(super) fn drift(
        &self,
        gap: Option<Gap>,
        shown: &[Article],
        before: &Before<'_>,
        next: &UnpackedState,
    ) -> Option<ParseFailure> {
        // Any article in common with the document before is proof enough that it is the same
        // publisher.
        let known = next.memory.character.as_ref().filter(|_| gap.is_some())?;
        let (old, new) = (known.title.as_deref()?, self.record_feed.title.as_deref()?);
        if !are_strangers(old, new) {
            return None;
        }
        let evidence: Vec<String> = [
            self.other_links(known, shown),
            other_language(before.language, next.memory.language.as_deref()),
            self.other_pace(before.came),
        ]
        .into_iter()
        .flatten()
        .collect();
        // Two of three: each alone happens to honest feeds. They move to another domain, are
        // translated, or publish a year's archive in a day.
        if evidence.len() < 2 {
            return None;
        }
        let detail = format!(
            "it seems to be another publisher's: nothing that it listed before is there, the title was \"{old}\" and is \
             \"{new}\", {}; nothing of it is published. If that is meant, give the feed another id",
            evidence.join(", ")
        );
        Some(ParseFailure { class: FailureClass::Drift, detail, offset: None })
    }

    fn other_links(&self, known: &Character, shown: &[Article]) -> Option<String> {
        let (old, new) = (known.domain.as_deref()?, domain_of(shown)?);
        (old != new).then(|| format!("links lead to {new} and led to {old}"))
    }

    /// Whether it comes back from a long silence, or publishes much more or less than it did.
    fn other_pace(&self, came: &[Option<Timestamp>]) -> Option<String> {
        let plan = &self.state.plan;
        let silent_since = plan.succeeded_at.filter(|_| plan.failures > 0);
        let silence =
            silent_since.and_then(|at| Duration::try_from(self.now.duration_since(at)).ok());
        // A domain that expires answers nobody for days before somebody else has it.
        if let Some(silence) = silence.filter(|silence| *silence >= AWAY) {
            return Some(format!("it was away for {} hours", silence.as_secs() / 3600));
        }
        let window = came.len() as u64;
        let is_dated = came.iter().flatten().count() >= DATED_MIN;
        let heard = Heard { after: None, at: self.now, came, window };
        let old = plan.rhythm.filter(|_| is_dated)?.rate_of_a_day();
        // The rhythm as this document alone would teach it, compared with the one of months.
        let new = learned(None, None, &heard).rate_of_a_day();
        let is_other = new > old * PACE_FACTOR || new * PACE_FACTOR < old;
        is_other.then(|| format!("some {new:.0} entries come in a day, and {old:.0} did"))
    }
}

/// Whether two titles share no word that says whose they are. Where one has none, nobody can tell.
fn are_strangers(old: &str, new: &str) -> bool {
    let (old, new) = (own_words(old), own_words(new));
    // "Latest news" is anybody's: a title without a word of its own proves nothing.
    !old.is_empty() && !new.is_empty() && old.is_disjoint(&new)
}

/// The words of a title that say whose it is.
fn own_words(title: &str) -> BTreeSet<String> {
    let words = tokens(title).into_iter().map(|token| token.text);
    words
        .filter(|word| word.chars().count() > 1 && !NOBODYS_WORDS.contains(&word.as_str()))
        .collect()
}

fn other_language(old: Option<&str>, new: Option<&str>) -> Option<String> {
    let (old, new) = (old?, new?);
    (old != new).then(|| format!("it is in \"{new}\" and was in \"{old}\""))
}

/// Where most links of these articles lead: a registrable domain. `None` if there is none that most lead to.
fn domain_of(shown: &[Article]) -> Option<String> {
    let hosts = shown.iter().filter_map(|article| article.url.as_ref()?.host_str());
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for host in hosts {
        // The registrable domain, so that `www`, `m` and `amp` are the same place.
        *count.entry(psl::domain_str(host).unwrap_or(host)).or_default() += 1;
    }
    let (domain, most) = count.into_iter().max_by_key(|(_, count)| *count)?;
    (most * 2 > shown.len()).then(|| domain.to_owned())
}

fn cut_title(title: &str) -> String {
    let end = title.floor_char_boundary(TITLE_BYTES_MAX.min(title.len()));
    title.get(..end).unwrap_or_default().to_owned()
}
