//! Finds every term of a lexicon in a document, all of them in one pass.
//!
//! An Aho-Corasick automaton over the plain text (see `segment`). Because phrases begin and end
//! with the space that stands around every word, a phrase can only match whole words, and because
//! clauses and sentences end in a sign of their own, it never runs across one.

use std::collections::BTreeMap;
use std::ops::Range;

use cw_model::{Steps, TooCostly};
use daachorse::DoubleArrayAhoCorasick;

use super::segment::Document;

/// Steps for each byte that the automaton reads.
const BYTE_STEPS: usize = 1;

/// Steps for each phrase found: its words are looked for, and it is sorted.
const MATCH_STEPS: usize = 40;

/// What a phrase is in the lexicon for. One phrase may serve several purposes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Use {
    /// Speaks for a tag.
    Term {
        /// Index into `Lexicon::tags`.
        tag: usize,
        /// The written term it is a form of; forms of one term repeat each other.
        written: usize,
        /// Between 0 and 1.
        weight: f64,
    },
    /// Belongs to a set that combinations name.
    Set(usize),
    /// Speaks for a domain.
    Domain {
        /// Index into `Lexicon::domains`.
        domain: usize,
        /// As for a tag.
        written: usize,
        /// Between 0 and 1.
        weight: f64,
    },
    /// Hides what it covers.
    Mask(usize),
    /// Changes what stands near it.
    Cue(usize),
    /// Names an actor: index into the dictionary's aliases.
    Alias(usize),
}

impl Use {
    /// Whether a phrase that has both would count twice.
    pub(super) fn serves_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Term { tag: a, .. }, Self::Term { tag: b, .. })
            | (Self::Set(a), Self::Set(b))
            | (Self::Domain { domain: a, .. }, Self::Domain { domain: b, .. })
            | (Self::Mask(a), Self::Mask(b))
            | (Self::Cue(a), Self::Cue(b))
            | (Self::Alias(a), Self::Alias(b)) => a == b,
            (
                Self::Term { .. }
                | Self::Set(_)
                | Self::Domain { .. }
                | Self::Mask(_)
                | Self::Cue(_)
                | Self::Alias(_),
                _,
            ) => false,
        }
    }
}

/// A phrase found.
#[derive(Clone, Debug)]
pub(super) struct Match {
    /// Which, for [`Matcher::uses`].
    pub(super) phrase: u32,
    /// The words it covers.
    pub(super) tokens: Range<usize>,
}

/// Every phrase of a lexicon, ready.
pub(super) struct Matcher {
    automaton: DoubleArrayAhoCorasick<u32>,
    uses: Vec<Vec<Use>>,
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matcher").field("phrases", &self.uses.len()).finish_non_exhaustive()
    }
}

/// An automaton cannot be built: there are more phrases than it has room for.
#[derive(Debug, thiserror::Error)]
#[error("the terms cannot be compiled: {0}")]
pub(super) struct TooManyPhrases(String);

impl Matcher {
    /// Compiles phrases in plain form.
    ///
    /// # Errors
    /// [`TooManyPhrases`] for the automaton.
    pub(super) fn new(phrases: BTreeMap<String, Vec<Use>>) -> Result<Self, TooManyPhrases> {
        let (phrases, uses): (Vec<String>, Vec<Vec<Use>>) = phrases.into_iter().unzip();
        let numbered = phrases.iter().zip(0_u32..);
        let automaton = DoubleArrayAhoCorasick::with_values(numbered)
            .map_err(|err| TooManyPhrases(err.to_string()))?;
        Ok(Self { automaton, uses })
    }

    /// Every occurrence, overlapping ones too, ordered by their last word.
    ///
    /// # Errors
    /// [`TooCostly`] if there are no steps left.
    pub(super) fn find(
        &self,
        document: &Document<'_>,
        steps: &Steps,
    ) -> Result<Vec<Match>, TooCostly> {
        let tokens = &document.tokens;
        steps.spend(document.plain.len().saturating_mul(BYTE_STEPS))?;
        let mut matches = Vec::new();
        for found in self.automaton.find_overlapping_iter(&document.plain) {
            steps.spend(MATCH_STEPS)?;
            // A phrase spans from a space to a space, so whole words lie between.
            let first = tokens.partition_point(|token| token.plain.start <= found.start());
            let end = tokens.partition_point(|token| token.plain.end < found.end());
            let found = Match { phrase: found.value(), tokens: first..end };
            matches.extend(Some(found).filter(|found| !found.tokens.is_empty()));
        }
        Ok(matches)
    }

    /// What a phrase is for.
    pub(super) fn uses(&self, phrase: u32) -> &[Use] {
        usize::try_from(phrase)
            .ok()
            .and_then(|index| self.uses.get(index))
            .map_or(&[], Vec::as_slice)
    }
}
