//! Finds every term of a lexicon in a document, all of them in one pass over its words.
//!
//! A phrase is known by the hashes of its words, and so is each of its beginnings. From every word of a text
//! on, one word more is taken as long as some phrase begins so; clauses and sentences end it. A phrase has a few
//! words, so the pass takes time in proportion to the text, whatever it looks like.

use std::collections::BTreeMap;
use std::ops::Range;

use cw_model::{Steps, TooCostly};

use super::hash::{ByHash, Table, and_word, hash};
use super::segment::Document;

/// Steps for each word that is looked up.
const LOOK_UP_STEPS: usize = 10;

/// Steps for each phrase found: it is sorted.
const MATCH_STEPS: usize = 40;

/// What a phrase is in the lexicon for, besides being in sets. One phrase may have several uses.
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
            | (Self::Domain { domain: a, .. }, Self::Domain { domain: b, .. })
            | (Self::Mask(a), Self::Mask(b))
            | (Self::Cue(a), Self::Cue(b))
            | (Self::Alias(a), Self::Alias(b)) => a == b,
            (
                Self::Term { .. }
                | Self::Domain { .. }
                | Self::Mask(_)
                | Self::Cue(_)
                | Self::Alias(_),
                _,
            ) => false,
        }
    }
}

/// What a phrase is in the lexicon for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Purpose {
    /// It belongs to a set that combinations name.
    Set(usize),
    /// Anything else.
    Use(Use),
}

impl Purpose {
    /// Whether a phrase that has both would count twice.
    pub(super) fn is_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Set(a), Self::Set(b)) => a == b,
            (Self::Use(a), Self::Use(b)) => a.serves_the_same_as(b),
            (Self::Set(_) | Self::Use(_), _) => false,
        }
    }
}

/// What is known of a run of words.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Where its sets stand in `Matcher::sets`, and how many they are.
    sets: (u32, u32),
    /// Where its uses stand in `Matcher::uses`, and how many they are.
    uses: (u32, u32),
    /// Whether a longer phrase begins so.
    goes_on: bool,
}

/// A phrase found.
#[derive(Clone, Debug)]
pub(super) struct Match<'l> {
    /// The sets it belongs to, sorted.
    pub(super) sets: &'l [usize],
    /// What it is for besides.
    pub(super) uses: &'l [Use],
    /// The words it covers.
    pub(super) tokens: Range<usize>,
}

/// Every phrase of a lexicon, ready.
pub(super) struct Matcher {
    known: Table<Known>,
    sets: Vec<usize>,
    uses: Vec<Use>,
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matcher").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Matcher {
    /// Compiles phrases in plain form.
    pub(super) fn new(phrases: &BTreeMap<String, Vec<Purpose>>) -> Self {
        let mut known: ByHash<Known> = ByHash::default();
        let (mut all_sets, mut all_uses) = (Vec::new(), Vec::new());
        for (phrase, purposes) in phrases {
            let mut words = phrase.split(' ').map(hash);
            let mut key = words.next().unwrap_or_default();
            for word in words {
                known.entry(key).or_default().goes_on = true;
                key = and_word(key, word);
            }
            let (sets, uses) = (all_sets.len(), all_uses.len());
            for purpose in purposes {
                match purpose {
                    Purpose::Set(set) => all_sets.push(*set),
                    Purpose::Use(purpose) => all_uses.push(*purpose),
                }
            }
            all_sets.get_mut(sets..).unwrap_or_default().sort_unstable();
            let part = |from: usize, to: usize| (narrow(from), narrow(to - from));
            let known = known.entry(key).or_default();
            known.sets = part(sets, all_sets.len());
            known.uses = part(uses, all_uses.len());
        }
        Self { known: Table::new(known), sets: all_sets, uses: all_uses }
    }

    /// Every occurrence, overlapping ones too, ordered by first word and by length.
    ///
    /// # Errors
    /// [`TooCostly`] if there are no steps left.
    pub(super) fn find(
        &self,
        document: &Document<'_>,
        steps: &Steps,
    ) -> Result<Vec<Match<'_>>, TooCostly> {
        // Many a word is in several phrases, and a few in none.
        let words = document.tokens.len();
        let mut matches = Vec::with_capacity(words + words / 2);
        for (start, first) in document.tokens.iter().enumerate() {
            let mut spent = LOOK_UP_STEPS;
            let mut key = first.hash;
            let mut end = start + 1;
            // Most words, and nearly all pairs of words, begin nothing.
            while let Some(known) = self.known.get(key) {
                let (sets, uses) = (part(&self.sets, known.sets), part(&self.uses, known.uses));
                if !sets.is_empty() || !uses.is_empty() {
                    spent += MATCH_STEPS;
                    matches.push(Match { sets, uses, tokens: start..end });
                }
                if !known.goes_on {
                    break;
                }
                let next = document.tokens.get(end);
                let Some(next) = next.filter(|next| next.clause == first.clause) else { break };
                spent += LOOK_UP_STEPS;
                key = and_word(key, next.hash);
                end += 1;
            }
            steps.spend(spent)?;
        }
        Ok(matches)
    }
}

/// No lexicon comes near four billion.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn part<T>(all: &[T], (start, count): (u32, u32)) -> &[T] {
    let wide = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    all.get(wide(start)..wide(start).saturating_add(wide(count))).unwrap_or_default()
}
