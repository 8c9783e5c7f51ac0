//! Where a text has the name of a place, and which places of that name there are.

use std::ops::Range;

use crate::cues::Cues;
use crate::gazetteer::{
    Gazetteer, NAME_WORDS_MAX, NameHash, NameOf, PlaceId, PlaceKind, Row, WordClass,
};
use crate::text::Text;

/// Places of one name that are looked at, the largest ones.
const CANDIDATES_MAX: usize = 24;

/// Mentions of one text. Each is compared with the others, and no report names so many; a list of all cities of
/// a country does, or a hostile text.
pub(crate) const MENTIONS_MAX: usize = 300;

/// A place that a mention may mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: PlaceId,
    pub(crate) row: Row,
    /// How the name stands for it.
    pub(crate) name: NameOf,
}

/// The name of a place in the text, whatever it means there.
#[derive(Clone, Debug)]
pub(crate) struct Mention {
    pub(crate) tokens: Range<usize>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) class: WordClass,
}

/// Every mention, in the order of the text.
pub(crate) fn mentions(gazetteer: &Gazetteer, cues: &Cues, text: &Text<'_>) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    let mut at = 0;
    while let Some(token) = text.token(at).filter(|_| mentions.len() < MENTIONS_MAX) {
        // Most words begin with a small letter, and no hyphen is before the next.
        let may_begin = token.may_begin_a_name();
        let joins = || text.token(at + 1).is_some_and(|next| matches!(next.gap, "-" | "‐"));
        if !may_begin && !joins() {
            at += 1;
            continue;
        }
        if let Some(taken) = text.taken.iter().find(|taken| taken.contains(&at)) {
            at = taken.end.max(at + 1);
            continue;
        }
        // "al-Bab"
        let is_joined = || {
            text.next(at + 1).is_some_and(|next| {
                matches!(next.gap, "-" | "‐") && next.has_capital() && token.plain.len() <= 3
            })
        };
        let found = (may_begin || is_joined()).then(|| longest(gazetteer, cues, text, at));
        let Some(mention) = found.flatten() else {
            at += 1;
            continue;
        };
        at = mention.tokens.end;
        if !is_never(&mention, cues, text) {
            mentions.push(mention);
        }
    }
    keep_what_follows(&mut mentions, text);
    for mention in &mut mentions {
        prefer_regions(mention, cues, text);
    }
    mentions
}

/// Whether the language means something else by the name.
fn is_never(mention: &Mention, cues: &Cues, text: &Text<'_>) -> bool {
    let words = text.tokens.get(mention.tokens.clone()).unwrap_or_default();
    match words {
        [word] => cues.never.contains(word.plain),
        [first, rest @ ..] => {
            let name =
                || rest.iter().fold(first.plain.to_owned(), |name, word| name + " " + word.plain);
            cues.never_begins.contains(first.plain) && cues.never.contains(&name())
        }
        [] => false,
    }
}

/// The longest name that begins with a word.
fn longest(gazetteer: &Gazetteer, cues: &Cues, text: &Text<'_>, at: usize) -> Option<Mention> {
    let first = text.token(at)?;
    let mut hash = NameHash::of(first.plain);
    let ends = if gazetteer.begins_a_name(hash) { NAME_WORDS_MAX } else { 1 };
    let mut hashes = [hash; NAME_WORDS_MAX];
    let mut words = 1;
    for (next, slot) in (at + 1..at + ends).zip(hashes.iter_mut().skip(1)) {
        let Some(token) = text.next(next).filter(|token| token.continues_a_name()) else { break };
        if text.taken.iter().any(|taken| taken.contains(&next)) {
            break;
        }
        hash = hash.and(token.plain);
        *slot = hash;
        words += 1;
    }
    let mut names = Vec::new();
    for (further, hash) in hashes.iter().enumerate().take(words).rev() {
        let words = further + 1;
        let last = text.token(at + further)?;
        let is_written_as_name =
            last.may_begin_a_name() || last.plain.starts_with(char::is_numeric);
        if !is_written_as_name && words == 1 {
            continue;
        }
        names.clear();
        let class = gazetteer.look_up(*hash, &mut names);
        let in_capitals = words == 1 && first.is_in_capitals();
        names.retain(|name| in_capitals || !name.needs_capitals());
        if names.is_empty() {
            continue;
        }
        if is_written_as_name {
            keep_largest(&mut names);
        }
        let candidate = |name: &NameOf| {
            Some(Candidate { id: name.place, row: gazetteer.row(name.place)?, name: *name })
        };
        let mut candidates: Vec<Candidate> = names.iter().filter_map(candidate).collect();
        // "the Rafah crossing", but no city called "San in".
        candidates.retain(|of| is_written_as_name || of.row.kind != PlaceKind::City);
        if candidates.is_empty() {
            continue;
        }
        return Some(Mention { tokens: at..at + words, candidates, class: cues.class(class) });
    }
    None
}

/// Leaves out those that no later step can keep: there are hundreds of a name like San Juan.
fn keep_largest(names: &mut Vec<NameOf>) {
    let mut left = CANDIDATES_MAX;
    names.retain(|name| {
        let is_kept = left > 0;
        if !name.needs_place_before() {
            left = left.saturating_sub(1);
        }
        is_kept
    });
}

/// What counts only after a place and a comma goes, if it stands elsewhere.
fn keep_what_follows(mentions: &mut Vec<Mention>, text: &Text<'_>) {
    let mut before: Option<usize> = None;
    mentions.retain_mut(|mention| {
        let start = mention.tokens.start;
        let stands_after = text
            .next(start)
            .is_some_and(|token| token.gap.trim_end() == "," || token.gap.ends_with('('));
        // "Camp Lejeune, N.C.", "N.C. police": full stops say enough.
        let is_dotted = || text.token(start).is_some_and(|token| token.written.contains('.'));
        if !(is_dotted() || stands_after && before == Some(start)) {
            mention.candidates.retain(|candidate| !candidate.name.needs_place_before());
        }
        mention.candidates.truncate(CANDIDATES_MAX);
        before = Some(mention.tokens.end);
        !mention.candidates.is_empty()
    });
}

/// "Idlib province" means the region, and its span has both words.
fn prefer_regions(mention: &mut Mention, cues: &Cues, text: &Text<'_>) {
    let is_region = |candidate: &Candidate| {
        candidate.row.kind == PlaceKind::Region || candidate.row.kind == PlaceKind::Other
    };
    if !mention.candidates.iter().any(is_region) {
        return;
    }
    let after = text.next(mention.tokens.end).filter(|token| token.follows_directly());
    let is_after = after.is_some_and(|token| cues.region_after.contains(token.plain));
    let two_before = || {
        let of = text.before(mention.tokens.start)?;
        let noun = text.before(mention.tokens.start - 1)?;
        Some(of.plain == "of" && cues.region_before.contains(noun.plain))
    };
    if is_after {
        mention.tokens.end += 1;
    }
    if is_after || two_before().unwrap_or(false) {
        mention.candidates.retain(is_region);
    }
}
