//! A document as casualties are read from it: each word with everything that the vocabulary has for it.
//!
//! Every word is asked for many times, and nearly every word begins no phrase and is on no list. So it
//! is looked up once, and what is asked then looks at the few phrases that begin with it. Each look at
//! a word is a step.

use std::collections::HashMap;

use cw_model::{Steps, TooCostly};

use super::role::{List, Role};
use crate::segment::Document;

/// Steps for looking a word up.
const LOOK_UP_STEPS: usize = 8;

/// Everything the vocabulary has that begins with a word, phrases of one role in the order in which they
/// are tried.
pub(super) type Known = Vec<(&'static str, Role)>;

/// The vocabulary, by first words.
pub(super) type Vocabulary = HashMap<&'static str, Known>;

/// A document, its words looked up.
#[derive(Debug)]
pub(super) struct Text<'d, 'a> {
    pub(super) document: &'d Document<'a>,
    known: Vec<&'static [(&'static str, Role)]>,
    vocabulary: &'static Vocabulary,
    steps: &'d Steps,
}

impl<'d, 'a> Text<'d, 'a> {
    pub(super) fn new(
        document: &'d Document<'a>,
        vocabulary: &'static Vocabulary,
        steps: &'d Steps,
    ) -> Result<Self, TooCostly> {
        steps.spend(document.tokens.len().saturating_mul(LOOK_UP_STEPS))?;
        let known = (0..document.tokens.len()).map(|at| {
            let known = vocabulary.get(document.word(at));
            known.map_or(&[][..], Vec::as_slice)
        });
        let known = known.collect();
        Ok(Self { document, known, vocabulary, steps })
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

    /// Takes the steps of so many comparisons of other things than words.
    pub(super) fn compared(&self, count: usize) {
        self.steps.count(count);
    }

    /// Of what begins with the word at `at`, the first that `choose` takes.
    pub(super) fn role<T>(
        &self,
        at: usize,
        choose: impl Fn(&'static str, Role) -> Option<T>,
    ) -> Option<T> {
        let known = self.known.get(at).copied().unwrap_or_default();
        self.steps.count(1 + known.len());
        known.iter().find_map(|(phrase, role)| choose(phrase, *role))
    }

    /// Of the phrases that begin at `at`, end before `end` and have a role that `choose` takes, the first:
    /// what `choose` made of it, and where it ends.
    pub(super) fn phrase<T>(
        &self,
        at: usize,
        end: usize,
        choose: impl Fn(Role) -> Option<T>,
    ) -> Option<(T, usize)> {
        self.role(at, |phrase, role| {
            let chosen = choose(role)?;
            self.phrase_end(phrase, at, end).map(|after| (chosen, after))
        })
    }

    /// Whether the word at `at` is on a list.
    pub(super) fn is_listed(&self, at: usize, list: List) -> bool {
        self.role(at, |_word, role| role.is_listed(list).then_some(())).is_some()
    }

    /// Whether the word at `at` is one of a list with an "s" added.
    pub(super) fn is_plural_of(&self, at: usize, list: List) -> bool {
        self.steps.count(LOOK_UP_STEPS);
        let one = self.word(at).strip_suffix('s').and_then(|one| self.vocabulary.get(one));
        one.is_some_and(|known| known.iter().any(|(_word, role)| role.is_listed(list)))
    }

    /// Where the words of a phrase that begins at `start` end.
    pub(super) fn phrase_end(&self, phrase: &str, start: usize, end: usize) -> Option<usize> {
        let mut at = start;
        for word in phrase.split(' ') {
            if at >= end || self.word(at) != word {
                return None;
            }
            at += 1;
        }
        Some(at)
    }
}
