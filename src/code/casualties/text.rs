//! A document as casualties are read from it: each word with every role that a grammar has for it.
//!
//! Every word is asked for many times, and nearly every word has no role. So all of them are looked up
//! once, phrases in full length, and what is asked then looks at the few roles found. Each look is a step.

use std::ops::Range;

use cw_model::{Steps, TooCostly};

use super::grammar::{Grammar, Known, Phrase};
use super::role::{Cue, Kinds, List, Role};
use crate::segment::Document;

/// Steps for looking a word up.
const LOOK_UP_STEPS: usize = 8;

/// A role that a word has, alone or with those after it.
#[derive(Clone, Copy, Debug)]
struct Found {
    role: Role,
    /// One past the last word of the phrase.
    end: usize,
}

/// The roles of a word.
#[derive(Clone, Debug, Default)]
struct Word<'d> {
    /// Where those of longer phrases stand in `Text::found`, longest first.
    found: Range<usize>,
    /// Those that it has alone, and always: they are not copied.
    alone: &'d [Phrase],
    /// Of what kinds all of them are.
    kinds: Kinds,
}

/// A document, its words looked up.
#[derive(Debug)]
pub(super) struct Text<'d, 'a> {
    pub(super) document: &'d Document<'a>,
    pub(super) grammar: &'d Grammar,
    found: Vec<Found>,
    words: Vec<Word<'d>>,
    steps: &'d Steps,
}

impl<'d, 'a> Text<'d, 'a> {
    pub(super) fn new(
        document: &'d Document<'a>,
        grammar: &'d Grammar,
        steps: &'d Steps,
    ) -> Result<Self, TooCostly> {
        let count = document.tokens.len();
        let (found, words) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut text = Self { document, grammar, found, words, steps };
        for sentence in &document.sentences {
            let words = document.tokens.get(sentence.tokens.clone()).unwrap_or_default();
            steps.spend(words.len().saturating_mul(LOOK_UP_STEPS))?;
            // Most sentences tell of nobody's fate, and nothing more is asked of their words.
            if words.iter().any(|word| grammar.begins_a_count(word.hash)) {
                text.look_up(&sentence.tokens)?;
            } else {
                text.words.extend(std::iter::repeat_n(Word::default(), words.len()));
            }
        }
        Ok(text)
    }

    /// Looks up every word of a sentence.
    fn look_up(&mut self, sentence: &Range<usize>) -> Result<(), TooCostly> {
        let mut nothing_until = sentence.start;
        for at in sentence.clone() {
            let rest = self.document.tokens.get(at..sentence.end).unwrap_or_default();
            let Some((word, after)) = rest.split_first() else { break };
            let next = after.first().map(|next| next.hash);
            let Known { longer, mut alone, mut kinds } = self.grammar.phrases_from(word.hash, next);
            self.steps.spend(LOOK_UP_STEPS + longer.len() + alone.len())?;
            let first = self.found.len();
            for phrase in longer {
                let words = after.get(..phrase.rest.len()).unwrap_or_default();
                if phrase.rest.iter().copied().eq(words.iter().map(|word| word.hash)) {
                    self.add(phrase, at, &mut nothing_until);
                }
            }
            // Longer phrases come first, so what hides a word has been seen before the word.
            if at < nothing_until || kinds.meet(Kinds::list(List::Nothing)) {
                for phrase in std::mem::take(&mut alone) {
                    self.add(phrase, at, &mut nothing_until);
                }
                let kept: Vec<Found> = self.found.drain(first..).filter(is_no_happening).collect();
                self.found.extend(kept);
                kinds = Kinds::default();
            }
            let found = self.found.get(first..).unwrap_or_default().iter();
            let kinds = found.map(|found| Kinds::of(found.role)).fold(kinds, Kinds::or);
            self.words.push(Word { found: first..self.found.len(), alone, kinds });
        }
        Ok(())
    }

    /// Adds a phrase that begins at a word, unless what looks like it and is nothing covers it.
    fn add(&mut self, phrase: &Phrase, at: usize, nothing_until: &mut usize) {
        let end = at + 1 + phrase.rest.len();
        let is_hidden = at < *nothing_until
            && matches!(phrase.role, Role::Happening(_) | Role::Toll(_) | Role::Noun(_));
        if phrase.role == Role::Listed(List::Nothing) {
            *nothing_until = end.max(*nothing_until);
        }
        if !is_hidden {
            self.found.push(Found { role: phrase.role, end });
        }
    }

    /// Whether any words there may begin a count: few sentences have some.
    pub(super) fn tells_of_casualties(&self, tokens: &Range<usize>) -> bool {
        let words = self.words.get(tokens.clone()).unwrap_or_default();
        self.steps.count(words.len());
        words.iter().any(|word| word.kinds.meet(Kinds::BEGIN_A_COUNT))
    }

    /// Whether a word has a role, or is a number in digits: all others say nothing by themselves.
    pub(super) fn says_something(&self, at: usize) -> bool {
        self.steps.count(1);
        self.words.get(at).is_some_and(|word| !word.found.is_empty() || !word.alone.is_empty())
            || self.document.word(at).starts_with(char::is_numeric)
    }

    /// Whether a word has a role of one of these kinds.
    pub(super) fn is_one_of(&self, at: usize, kinds: Kinds) -> bool {
        self.steps.count(1);
        self.words.get(at).is_some_and(|word| word.kinds.meet(kinds))
    }

    /// A word in its plain form; empty if there is none at `at`.
    pub(super) fn word(&self, at: usize) -> &str {
        self.steps.count(1);
        self.document.word(at)
    }

    /// The clause of a word.
    pub(super) fn clause(&self, at: usize) -> Option<usize> {
        self.steps.count(1);
        self.document.tokens.get(at).map(|token| token.clause)
    }

    /// What stands in the original before a word.
    pub(super) fn gap_before(&self, at: usize) -> &'a str {
        self.steps.count(1);
        self.document.gap_before(at)
    }

    /// Takes the steps of so many comparisons of other things than words.
    pub(super) fn compared(&self, count: usize) {
        self.steps.count(count);
    }

    /// Of the roles that a word has, longest phrase first, the first that `choose` takes: what it made of
    /// it, and where the phrase ends.
    pub(super) fn role<T>(
        &self,
        at: usize,
        choose: impl Fn(Role) -> Option<T>,
    ) -> Option<(T, usize)> {
        self.roles(at).find_map(|(role, end)| choose(role).map(|chosen| (chosen, end)))
    }

    /// The roles of a word, and where the phrase of each ends.
    fn roles(&self, at: usize) -> impl Iterator<Item = (Role, usize)> {
        let word = self.words.get(at);
        let found = word.and_then(|word| self.found.get(word.found.clone())).unwrap_or_default();
        let alone = word.map(|word| word.alone).unwrap_or_default();
        self.steps.count(1 + found.len() + alone.len());
        let longer = found.iter().map(|found| (found.role, found.end));
        longer.chain(alone.iter().map(move |phrase| (phrase.role, at + 1)))
    }

    /// Where a phrase of a list that begins at `at` ends.
    pub(super) fn listed(&self, at: usize, list: List) -> Option<usize> {
        if !self.is_one_of(at, Kinds::list(list)) {
            return None;
        }
        self.role(at, |role| (role == Role::Listed(list)).then_some(())).map(|((), end)| end)
    }

    /// Whether a phrase of a list begins at `at`.
    pub(super) fn is(&self, at: usize, list: List) -> bool {
        self.is_one_of(at, Kinds::list(list))
    }

    /// Where a cue that begins at `at` ends.
    pub(super) fn cue(&self, at: usize, cue: Cue) -> Option<usize> {
        if !self.is_one_of(at, Kinds::cue(cue)) {
            return None;
        }
        self.role(at, |role| (role == Role::Cue(cue)).then_some(())).map(|((), end)| end)
    }

    /// Every cue that begins at `at`, with its words.
    pub(super) fn cues(&self, at: usize) -> impl Iterator<Item = (Cue, Range<usize>)> {
        self.roles(at).filter_map(move |(role, end)| {
            let Role::Cue(cue) = role else { return None };
            Some((cue, at..end))
        })
    }

    /// Whether a word is written with a capital letter first.
    pub(super) fn is_capitalised(&self, at: usize) -> bool {
        self.steps.count(1);
        self.document.written(at).starts_with(char::is_uppercase)
    }

    /// Whether a word is written as an owner ("army's").
    pub(super) fn is_owner(&self, at: usize) -> bool {
        self.steps.count(1);
        let written = self.document.written(at);
        self.grammar.spelling.owner_endings.iter().any(|ending| written.ends_with(ending.as_str()))
    }

    /// Whether a word has an ending that only adverbs have.
    pub(super) fn is_adverb(&self, at: usize) -> bool {
        /// A shorter word with such an ending is seldom one.
        const ADVERB_BYTES_MIN: usize = 6;
        let word = self.word(at);
        let endings = &self.grammar.spelling.adverb_endings;
        word.len() >= ADVERB_BYTES_MIN && endings.iter().any(|end| word.ends_with(end.as_str()))
    }
}

fn is_no_happening(found: &Found) -> bool {
    !matches!(found.role, Role::Happening(_) | Role::Toll(_))
}
