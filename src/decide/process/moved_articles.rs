//! Articles whose publisher changed identifiers and links at once, as a move to other software does.
//!
//! Nothing that such an article was known by is left, so it is told by what it says: headline, text and date of publication,
//! two of which must agree. One article proves nothing, for publishers give the same headline to a briefing each day, and the
//! same text to an alarm each night. A move is proved by the document: it shows hardly an article under the marks that were
//! known, and at least half of those that it showed before under others.
//!
//! A move may take days. Articles that agree in all three with those that the document has just stopped to show are these,
//! if there are several: no briefing has the text, and the minute, of the one before.

use std::collections::btree_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, HashSet};

use cw_model::state::{Content, Seen, SeenArticle};
use cw_model::{Article, ArticleId, Steps, TooCostly};

use super::Source;

/// Fewer articles prove no move, unless the date of each of them is as it was.
const PROOF_MIN: usize = 3;

/// The shortest headline that with its date tells an article, bytes: "Daily briefing" does not. As long are headline and text
/// together at least that prove anything with their date.
const TITLE_BYTES_MIN: usize = 24;

/// The shortest text that with its headline or its date tells an article, bytes, the headline counted.
const TEXT_BYTES_MIN: usize = 60;

/// A text that no two articles have in common, whenever they are dated, bytes.
const LONG_TEXT_BYTES_MIN: usize = 300;

/// No two zones that a publisher may confuse are further apart, and all are apart by a multiple of this, minutes.
const ZONES_MAX: u16 = 14 * 60;
const ZONE_STEP: u16 = 15;

/// Steps for each byte that is hashed.
const HASH_STEPS: usize = 4;

/// Steps for an article that is looked for among those remembered.
const FIND_STEPS: usize = 400;

/// A shown article and the remembered one that it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Same {
    /// Its place among those shown.
    pub(super) place: usize,
    pub(super) id: ArticleId,
    /// What it says now.
    pub(super) content: Content,
    /// Whether headline and text are as they were; otherwise it was edited as well.
    pub(super) says_the_same: bool,
}

/// In what an article agrees with a remembered one, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Agreement {
    /// Headline, text and date.
    All,
    /// Headline and text.
    Texts,
    /// Headline and date: the text was edited.
    Title,
    /// Text and date: the headline was edited.
    Text,
}

/// An article that the document shows under marks that nobody knows.
struct Unknown {
    place: usize,
    content: Content,
    title_bytes: usize,
    text_bytes: usize,
}

/// The parts that agree.
type Parts = [Option<[u8; 3]>; 3];

impl Agreement {
    const EACH: [Self; 4] = [Self::All, Self::Texts, Self::Title, Self::Text];

    /// What must be equal; `None` if a part of it is missing.
    fn parts(self, content: Content) -> Option<Parts> {
        let (title, text) = (content.title(), content.text());
        let date = content.minute().map(|minute| {
            let [high, low] = minute.to_be_bytes();
            // The 1 tells a date from a hash of a text: both are three bytes, in the same list.
            [1, high, low]
        });
        let parts = match self {
            Self::All => [Some(title?), Some(text?), Some(date?)],
            Self::Texts => [Some(title?), Some(text?), None],
            Self::Title => [Some(title?), None, Some(date?)],
            Self::Text => [None, Some(text?), Some(date?)],
        };
        Some(parts)
    }
}

/// An article and the remembered one with which it agrees, and with which no other does.
struct Pair<'a> {
    article: &'a Unknown,
    id: ArticleId,
    before: Content,
    by: Agreement,
}

impl Pair<'_> {
    /// How many minutes later it is dated than it was; `None` if nobody can tell.
    fn shift(&self) -> Option<u16> {
        self.before.minutes_to(self.article.content)
    }

    /// Whether it is the same article if the publisher moved, and the dates by `shift`, as those of one do that writes
    /// another zone.
    fn is_same(&self, shift: u16) -> bool {
        let Unknown { title_bytes, text_bytes, .. } = self.article;
        match self.by {
            // Sixty-four bits, or forty, agree by chance in no feed; the lengths below matter where less agrees.
            Agreement::All => true,
            Agreement::Texts => {
                let is_dated_so = self.shift().is_none_or(|own| own == shift);
                title_bytes + text_bytes >= TEXT_BYTES_MIN
                    && (is_dated_so || *text_bytes >= LONG_TEXT_BYTES_MIN)
            }
            Agreement::Title => *title_bytes >= TITLE_BYTES_MIN,
            Agreement::Text => *text_bytes >= TEXT_BYTES_MIN,
        }
    }

    /// Whether it is the same article, if others moved too.
    fn is_beyond_doubt(&self) -> bool {
        let Unknown { title_bytes, text_bytes, .. } = self.article;
        self.by == Agreement::All
            && *title_bytes >= TITLE_BYTES_MIN
            && title_bytes + text_bytes >= TEXT_BYTES_MIN
    }

    /// Whether it is evidence of a move.
    fn is_proof(&self) -> bool {
        let Unknown { title_bytes, text_bytes, .. } = self.article;
        match self.by {
            Agreement::All => title_bytes + text_bytes >= TITLE_BYTES_MIN,
            Agreement::Texts | Agreement::Title => true,
            Agreement::Text => false,
        }
    }
}

impl Source<'_> {
    /// What an article says, which is what it said if it is as it was seen.
    pub(super) fn content(
        &self,
        article: &Article,
        as_seen: Option<SeenArticle>,
    ) -> Result<Option<Content>, TooCostly> {
        match as_seen.and_then(|seen| seen.content) {
            Some(known) => Ok(Some(known)),
            None => content(article, self.steps).map(Some),
        }
    }
}

fn content(article: &Article, steps: &Steps) -> Result<Content, TooCostly> {
    let (title, text) = texts(article);
    let bytes = [title, text].into_iter().flatten().map(str::len).sum::<usize>();
    steps.spend(bytes.saturating_mul(HASH_STEPS))?;
    Ok(Content::of(title, text, article.published_at))
}

fn texts(article: &Article) -> (Option<&str>, Option<&str>) {
    (article.title.as_deref(), article.body.as_deref().or(article.summary.as_deref()))
}

/// The articles among `shown` that moved. `unknown` are the places of those whose marks nobody knows; `is_free` says
/// of a remembered one that the document does not show it under its own marks.
pub(super) fn moved(
    shown: &[Article],
    unknown: &[usize],
    seen: &Seen,
    is_free: impl Fn(&ArticleId) -> bool,
    steps: &Steps,
) -> Result<Vec<Same>, TooCostly> {
    let may_be_move = unknown.len() * 2 > shown.len();
    // The cheap question first: nearly every document shows mostly what is known, and fewer new ones prove nothing.
    if unknown.is_empty() || !may_be_move && unknown.len() < PROOF_MIN {
        return Ok(Vec::new());
    }
    let window = seen.last_window();
    let is_gone = |article: &SeenArticle| Some(article.last_seen) == window;
    let free = || seen.iter().filter(|(id, _)| is_free(id));
    let gone: HashSet<ArticleId> =
        free().filter(|(_, article)| is_gone(article)).map(|(id, _)| *id).collect();
    // What left the window before comes back by a move alone.
    let remembered: Vec<(ArticleId, Content)> = free()
        .filter(|(id, _)| may_be_move || gone.contains(*id))
        .filter_map(|(id, article)| Some((*id, article.content?)))
        .collect();
    if gone.is_empty() || remembered.is_empty() {
        return Ok(Vec::new());
    }
    let mut articles = Vec::new();
    for place in unknown {
        let Some(article) = shown.get(*place) else { continue };
        steps.spend(FIND_STEPS)?;
        let (title, text) = texts(article);
        articles.push(Unknown {
            place: *place,
            content: content(article, steps)?,
            title_bytes: title.map_or(0, str::len),
            text_bytes: text.map_or(0, str::len),
        });
    }
    let pairs = pairs(&articles, &remembered);
    let same = |pair: &Pair<'_>| {
        let (before, content) = (pair.before, pair.article.content);
        let says_the_same = before.title() == content.title() && before.text() == content.text();
        Same { place: pair.article.place, id: pair.id, content, says_the_same }
    };
    // By the smaller side: the new software may list twenty of the hundred that the old one did.
    let is_of_move = may_be_move && is_move(&pairs, gone.len().min(unknown.len()));
    if is_of_move {
        return Ok(pairs.iter().map(same).collect());
    }
    let is_same = |pair: &&Pair<'_>| pair.is_beyond_doubt() && gone.contains(&pair.id);
    let of_part: Vec<Same> = pairs.iter().filter(is_same).map(same).collect();
    Ok(if of_part.len() >= PROOF_MIN { of_part } else { Vec::new() })
}

/// Whether these pairs prove a move, `all` being how many there could be.
fn is_move(pairs: &[Pair<'_>], all: usize) -> bool {
    let proofs = pairs.iter().filter(|pair| pair.is_proof()).count();
    let are_dated_alike = || pairs.iter().all(|pair| pair.by != Agreement::Texts);
    proofs * 2 >= all && proofs > 0 && (proofs >= PROOF_MIN || are_dated_alike())
}

/// By how many minutes most of those are dated later whose headline and text are as they were, and whose date is not; 0
/// unless a change of zones explains it. What is said again a day later is said again.
fn common_shift(pairs: &[Pair<'_>]) -> u16 {
    let mut shifts: BTreeMap<u16, usize> = BTreeMap::new();
    let of_texts = pairs.iter().filter(|pair| pair.by == Agreement::Texts);
    for shift in of_texts.filter_map(Pair::shift) {
        *shifts.entry(shift).or_default() += 1;
    }
    let is_of_zones = |shift: u16| {
        let back = Content::MINUTES - shift;
        shift.min(back) <= ZONES_MAX && shift.min(back).is_multiple_of(ZONE_STEP)
    };
    // Half an hour is the step of zones, a quarter that of Nepal and the Chathams. A shift of a
    // whole day is a daily item that was said again.
    shifts.retain(|shift, times| *times >= PROOF_MIN && is_of_zones(*shift));
    shifts.into_iter().max_by_key(|(_, times)| *times).map_or(0, |(shift, _)| shift)
}

/// The pairs that are the same articles, if the publisher moved: each agrees in something that no other article says, on
/// either side.
fn pairs<'a>(articles: &'a [Unknown], remembered: &[(ArticleId, Content)]) -> Vec<Pair<'a>> {
    let mut all = Vec::new();
    let (mut placed, mut given) = (HashSet::new(), HashSet::new());
    // The surest kind first, and whoever found its like is out of the next rounds.
    for by in Agreement::EACH {
        let with_parts =
            |(id, content): &(ArticleId, Content)| Some((by.parts(*content)?, (*id, *content)));
        let known = once(remembered.iter().filter_map(with_parts));
        let parts = |article: &'a Unknown| Some((by.parts(article.content)?, article));
        let here = once(articles.iter().filter_map(parts));
        let mut of_this: Vec<Pair<'_>> = Vec::new();
        for (parts, article) in here {
            let known = known.get(&parts).copied().flatten();
            let Some((article, (id, before))) = article.zip(known) else { continue };
            if !placed.contains(&article.place) && !given.contains(&id) {
                of_this.push(Pair { article, id, before, by });
            }
        }
        let shift = common_shift(&of_this);
        // The shift is learned from all pairs of the kind before any is judged: one alone cannot
        // say which zone the feed is in now.
        of_this.retain(|pair| pair.is_same(shift));
        placed.extend(of_this.iter().map(|pair| pair.article.place));
        given.extend(of_this.iter().map(|pair| pair.id));
        all.extend(of_this);
    }
    all
}

/// The value of each key; `None` of one that several have.
fn once<K: Ord, V>(all: impl Iterator<Item = (K, V)>) -> BTreeMap<K, Option<V>> {
    let mut found = BTreeMap::new();
    for (key, value) in all {
        match found.entry(key) {
            Vacant(place) => drop(place.insert(Some(value))),
            // Two that say the same cannot be told apart, and a guess would give one the history of
            // the other.
            Occupied(mut place) => drop(place.insert(None)),
        }
    }
    found
}
