//! The matches of every set of a lexicon in a document, and the combinations that may stand in it.
//!
//! A text has thousands of pairs of a match and a set that it belongs to, and few are ever asked for. So what is
//! made of all of them is the sentences in which each set has a match, a bit each. That rules out nearly all
//! combinations; lists of matches are made of the sets that the others name, and of those that roles, frames and
//! tags may ask for.

use std::ops::Range;

use super::bits::Bits;
use super::lexicon::{Combination, Lexicon};
use super::segment::{Document, Prominence};

/// Words, and the sets that they belong to.
pub(super) struct Member<'l> {
    pub(super) tokens: Range<usize>,
    pub(super) sets: &'l [usize],
}

/// What is known of one set.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// The sentences in which it has a match.
    sentences: Sentences,
    /// Where its matches stand in `Sets::spans`. There are thousands of sets, so this is kept small.
    start: u32,
    end: u32,
}

/// The matches of sets: one list, and where those of each set stand in it, for a list each would be a
/// thousand allocations a text.
#[derive(Debug, Default)]
pub(super) struct Sets {
    spans: Vec<Range<usize>>,
    /// By set.
    seen: Vec<Seen>,
    /// The sets whose matches are in `spans`.
    listed: Bits,
    /// The combinations whose sets have matches in one sentence, and in which.
    open: Vec<(usize, Sentences)>,
}

impl Sets {
    /// Of the sets of a lexicon.
    pub(super) fn new(
        lexicon: &Lexicon,
        mut members: Vec<Member<'_>>,
        document: &Document<'_>,
    ) -> Self {
        members.sort_by_key(|member| (member.tokens.start, member.tokens.end));
        let mut sets = Self {
            spans: Vec::new(),
            seen: vec![Seen::default(); lexicon.sets],
            listed: lexicon.asked.clone(),
            open: Vec::new(),
        };
        sets.mark_sentences(&members, document);
        sets.open_combinations(lexicon);
        if !Sentences::of_head(document).are_told_apart() {
            // Which sets stand there cannot be told by bits.
            sets.listed = Bits::all(lexicon.sets);
        }
        sets.list(&members);
        sets
    }

    /// Marks the sentences of each set, and counts its matches.
    fn mark_sentences(&mut self, members: &[Member<'_>], document: &Document<'_>) {
        for member in members {
            let sentence = document.tokens.get(member.tokens.start).map(|token| token.sentence);
            let sentence = sentence.map_or(Sentences::ALL, Sentences::of);
            for set in member.sets {
                if let Some(seen) = self.seen.get_mut(*set) {
                    seen.sentences = seen.sentences.or(sentence);
                    seen.end += 1;
                }
            }
        }
    }

    fn open_combinations(&mut self, lexicon: &Lexicon) {
        let combinations = lexicon.combinations.iter().zip(&lexicon.pairs).enumerate();
        for (number, (combination, pair)) in combinations {
            let [one, other] = pair.map(|set| self.sentences(set));
            if one.and(other).is_empty() {
                continue;
            }
            // A text that repeats one word is full of anchors, and of nothing for them to stand by.
            let required = combination.required.iter();
            let shared =
                required.fold(Sentences::ALL, |shared, set| shared.and(self.sentences(*set)));
            if !shared.is_empty() {
                self.open.push((number, shared));
                for set in combination.sets() {
                    self.listed.insert(set);
                }
            }
        }
    }

    /// Makes the lists of the sets that are listed.
    fn list(&mut self, members: &[Member<'_>]) {
        let mut start = 0;
        for set in self.listed.iter() {
            let Some(seen) = self.seen.get_mut(set) else { break };
            let count = seen.end;
            (seen.start, seen.end) = (start, start);
            start += count;
        }
        self.spans = vec![0..0; wide(start)];
        let mut before: Option<&Member<'_>> = None;
        for member in members {
            // What is an actor and a place may be given twice.
            let twin = before.filter(|before| before.tokens == member.tokens);
            before = Some(member);
            for set in member.sets.iter().filter(|set| self.listed.has(**set)) {
                let Some(seen) = self.seen.get_mut(*set) else { continue };
                let end = wide(seen.end);
                if twin.is_some()
                    && self.spans.get(wide(seen.start)..end).and_then(<[_]>::last)
                        == Some(&member.tokens)
                {
                    continue;
                }
                if let Some(span) = self.spans.get_mut(end) {
                    span.clone_from(&member.tokens);
                    seen.end += 1;
                }
            }
        }
    }

    /// The sentences in which a set has a match.
    pub(super) fn sentences(&self, set: usize) -> Sentences {
        self.seen.get(set).map(|seen| seen.sentences).unwrap_or_default()
    }

    /// Whether a set has a match that begins in these words of a sentence; most are ruled out by one look.
    pub(super) fn is_in(&self, set: usize, words: &Range<usize>, sentence: usize) -> bool {
        self.sentences(set).may_hold(sentence) && contains_any(self.of(set), words)
    }

    /// The matches of a set, in order.
    pub(super) fn of(&self, set: usize) -> &[Range<usize>] {
        debug_assert!(self.listed.has(set) || self.sentences(set).is_empty(), "set {set}");
        let matches = self.seen.get(set).map(|seen| wide(seen.start)..wide(seen.end));
        // Where a set is not listed, the numbers count its matches and say no place.
        let matches = matches.filter(|_matches| self.listed.has(set));
        matches.and_then(|matches| self.spans.get(matches)).unwrap_or_default()
    }

    /// The combinations whose sets all have a match in one sentence, and the sentences that may be it.
    pub(super) fn open<'l>(
        &self,
        lexicon: &'l Lexicon,
    ) -> impl Iterator<Item = (&'l Combination, Sentences)> {
        let open = self.open.iter();
        open.filter_map(|(number, shared)| Some((lexicon.combinations.get(*number)?, *shared)))
    }
}

/// Whether one of the matches, which are in order, begins in a run of words.
pub(super) fn contains_any(matches: &[Range<usize>], words: &Range<usize>) -> bool {
    first_in(matches, words).is_some()
}

/// The first of the matches, which are in order, that begins in a run of words.
pub(super) fn first_in<'a>(
    matches: &'a [Range<usize>],
    words: &Range<usize>,
) -> Option<&'a Range<usize>> {
    let at = matches.partition_point(|found| found.start < words.start);
    matches.get(at).filter(|found| found.start < words.end)
}

fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Some sentences of a text, a bit each: whether several sets have a match in one sentence is asked of a thousand
/// patterns. The last bit is that of all sentences further on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sentences(u64);

impl Sentences {
    /// Every sentence.
    pub(super) const ALL: Self = Self(u64::MAX);

    /// One.
    pub(super) fn of(sentence: usize) -> Self {
        Self(1 << sentence.min(63))
    }

    /// Those in which some matches begin.
    pub(super) fn with(matches: &[Range<usize>], document: &Document<'_>) -> Self {
        let sentence = |found: &Range<usize>| Some(document.tokens.get(found.start)?.sentence);
        let all = matches.iter().filter_map(sentence).map(Self::of);
        all.fold(Self::default(), Self::or)
    }

    /// Those of headline and lead.
    pub(super) fn of_head(document: &Document<'_>) -> Self {
        let all = document.sentences.iter().enumerate();
        let head = all.filter(|(_number, one)| one.prominence != Prominence::Rest);
        head.map(|(number, _one)| Self::of(number)).fold(Self::default(), Self::or)
    }

    /// Whether each of them has a bit of its own.
    pub(super) fn are_told_apart(self) -> bool {
        !self.may_hold(63)
    }

    /// These and others.
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are in both.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there are none.
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a sentence may be one of them.
    pub(super) fn may_hold(self, sentence: usize) -> bool {
        !self.and(Self::of(sentence)).is_empty()
    }
}
