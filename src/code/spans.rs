//! The matches of a document by what they are for: reasons for tags, sets, cues, domains, actors named;
//! what a mask covers left out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cw_model::{ClaimStatus, RoleKind, Steps, TooCostly};
use cw_places::Found;

use super::lexicon::Lexicon;
use super::matcher::{Match, Use};
use super::names::{Mention, mentions};
use super::segment::Document;

/// Steps for each purpose of a phrase found.
const USE_STEPS: usize = 10;

/// One reason for a tag.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    /// Index into `Lexicon::tags`.
    pub(super) tag: usize,
    /// The written term or combination.
    pub(super) written: usize,
    /// Between 0 and 1.
    pub(super) weight: f64,
    /// What it counts, once it is weighed.
    pub(super) points: f64,
    /// The words.
    pub(super) tokens: Range<usize>,
    /// The cues that stand near it.
    pub(super) cues: Vec<usize>,
    /// Which entries of the dictionary have a role in it.
    pub(super) roles: Vec<(RoleKind, usize)>,
    /// How it is said, if a cue tells; and the entry of the dictionary that says so.
    pub(super) claim: Option<(ClaimStatus, Option<usize>)>,
}

impl Hit {
    /// A reason that is not weighed yet.
    pub(super) fn new(tag: usize, written: usize, weight: f64, tokens: Range<usize>) -> Self {
        let (cues, roles) = (Vec::new(), Vec::new());
        Self { tag, written, weight, points: 0.0, tokens, cues, roles, claim: None }
    }
}

/// The matches of a document, by what they are for, masked ones left out.
pub(super) struct Sorted {
    /// Terms, in order.
    pub(super) hits: Vec<Hit>,
    /// Actors named, in order.
    pub(super) mentions: Vec<Mention>,
    /// Places named, in order.
    pub(super) places: Vec<Range<usize>>,
    /// Matches of sets, ordered by set and place.
    matches: Vec<(usize, Range<usize>)>,
    /// The same without the sets, and where those of each set begin: one list is cheaper than a thousand.
    of_sets: Vec<Range<usize>>,
    starts: Vec<usize>,
    /// For each cue its matches, in order.
    pub(super) cues: Vec<Vec<Range<usize>>>,
    /// For each domain and written term: how often, and its weight.
    pub(super) domains: Vec<BTreeMap<usize, (usize, f64)>>,
    /// Flags that masks raise.
    pub(super) mask_flags: BTreeSet<String>,
}

impl Sorted {
    /// Finds everything that a lexicon knows in a document.
    ///
    /// # Errors
    /// [`TooCostly`] if there are no steps left.
    pub(super) fn new(
        lexicon: &Lexicon,
        document: &Document<'_>,
        steps: &Steps,
    ) -> Result<Self, TooCostly> {
        let mut matches = lexicon.matcher.find(document, steps)?;
        matches.sort_by_key(|found| (found.tokens.start, found.tokens.end));
        let mut sorted = Self {
            hits: Vec::new(),
            mentions: Vec::new(),
            places: Vec::new(),
            matches: Vec::new(),
            of_sets: Vec::new(),
            starts: vec![0; lexicon.sets + 1],
            cues: vec![Vec::new(); lexicon.cues.len()],
            domains: vec![BTreeMap::new(); lexicon.domains.len()],
            mask_flags: BTreeSet::new(),
        };
        let masked = sorted.read_masks(lexicon, document, &matches);
        let mut aliases = Vec::new();
        for found in matches {
            let is_masked =
                masked.get(found.tokens.start).is_some_and(|end| *end >= found.tokens.end);
            let uses = lexicon.matcher.uses(found.phrase);
            steps.spend(uses.len().saturating_mul(USE_STEPS))?;
            for purpose in uses {
                if let (Use::Alias(alias), false) = (purpose, is_masked) {
                    aliases.push((*alias, found.tokens.clone()));
                }
                sorted.add(*purpose, &found.tokens, is_masked.into());
            }
        }
        sorted.order();
        let nouns = lexicon.force_nouns.as_ref().map_or(&[][..], |force| sorted.set(force.nouns));
        sorted.mentions = mentions(lexicon, document, aliases, nouns);
        sorted.add_mentions();
        Ok(sorted)
    }

    /// Puts the actors named into the sets that they belong to.
    fn add_mentions(&mut self) {
        for mention in &self.mentions {
            let sets = mention.sets.iter();
            self.matches.extend(sets.map(|set| (*set, mention.tokens.clone())));
        }
        self.order();
    }

    /// Orders the matches of sets.
    fn order(&mut self) {
        self.matches.sort_unstable_by_key(|(set, tokens)| (*set, tokens.start, tokens.end));
        self.matches.dedup();
        self.of_sets = self.matches.iter().map(|(_set, tokens)| tokens.clone()).collect();
        let mut at = 0;
        for (set, start) in self.starts.iter_mut().enumerate() {
            let rest = self.matches.get(at..).unwrap_or_default();
            at += rest.iter().take_while(|(other, _tokens)| *other < set).count();
            *start = at;
        }
    }

    /// Puts the places into the sets that they belong to.
    pub(super) fn add_places(&mut self, found: &Found, lexicon: &Lexicon) {
        let mut spans: Vec<Range<usize>> =
            found.places.iter().flat_map(|place| place.spans.iter().cloned()).collect();
        spans.sort_by_key(|span| (span.start, span.end));
        for set in &lexicon.place_sets {
            self.matches.extend(spans.iter().map(|span| (*set, span.clone())));
        }
        self.places = spans;
        self.order();
    }

    /// For each word, where the last mask that begins at or before it ends.
    fn read_masks(
        &mut self,
        lexicon: &Lexicon,
        document: &Document<'_>,
        matches: &[Match],
    ) -> Vec<usize> {
        let mut ends = vec![0; document.tokens.len()];
        for found in matches {
            for purpose in lexicon.matcher.uses(found.phrase) {
                let Use::Mask(mask) = purpose else { continue };
                self.mask_flags.extend(lexicon.masks.get(*mask).cloned().flatten());
                if let Some(end) = ends.get_mut(found.tokens.start) {
                    *end = found.tokens.end.max(*end);
                }
            }
        }
        let mut furthest = 0;
        for end in &mut ends {
            furthest = furthest.max(*end);
            *end = furthest;
        }
        ends
    }

    fn add(&mut self, purpose: Use, tokens: &Range<usize>, mask: Mask) {
        match (purpose, mask) {
            // What a domain says stays said: a mask is often one of its own words.
            (Use::Domain { domain, written, weight }, Mask::Open | Mask::Hidden) => {
                if let Some(seen) = self.domains.get_mut(domain) {
                    seen.entry(written).or_insert((0, weight)).0 += 1;
                }
            }
            (Use::Term { tag, written, weight }, Mask::Open) => {
                self.hits.push(Hit::new(tag, written, weight, tokens.clone()));
            }
            (Use::Set(set), Mask::Open) => {
                self.matches.push((set, tokens.clone()));
            }
            (Use::Cue(cue), Mask::Open) => {
                if let Some(seen) = self.cues.get_mut(cue) {
                    seen.push(tokens.clone());
                }
            }
            (Use::Mask(_) | Use::Alias(_), Mask::Open | Mask::Hidden)
            | (Use::Term { .. } | Use::Set(_) | Use::Cue(_), Mask::Hidden) => {}
        }
    }

    /// The matches of a set, in order.
    pub(super) fn set(&self, set: usize) -> &[Range<usize>] {
        let start = self.starts.get(set).copied().unwrap_or_default();
        let end = self.starts.get(set + 1).copied().unwrap_or(self.of_sets.len());
        self.of_sets.get(start..end).unwrap_or_default()
    }
}

/// Whether a mask covers a match.
#[derive(Clone, Copy)]
enum Mask {
    Open,
    Hidden,
}

impl From<bool> for Mask {
    fn from(is_masked: bool) -> Self {
        if is_masked { Self::Hidden } else { Self::Open }
    }
}

/// Whether two runs of words share one.
pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The words of the sentence that a match stands in.
pub(super) fn sentence_of(document: &Document<'_>, tokens: &Range<usize>) -> Option<Range<usize>> {
    let token = document.tokens.get(tokens.start)?;
    document.sentences.get(token.sentence).map(|sentence| sentence.tokens.clone())
}

/// Whether one of the matches, which are in order, begins in a run of words.
pub(super) fn contains_any(matches: &[Range<usize>], words: &Range<usize>) -> bool {
    let at = matches.partition_point(|found| found.start < words.start);
    matches.get(at).is_some_and(|found| found.start < words.end)
}
