//! The matches of a document by what they are for: reasons for tags, sets, cues, domains, actors named;
//! what a mask covers left out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cw_model::{ClaimStatus, RoleKind, Steps, TooCostly};
use cw_places::Found;

use super::bits::Bits;
use super::lexicon::Lexicon;
use super::matcher::{Match, Use};
use super::names::{Mention, Mentions, mentions};
use super::segment::Document;
use super::sets::{Member, Sets};

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

/// What stands in a document, by what it is for; what a mask covers is left out.
#[derive(Debug)]
pub(super) struct Sorted {
    /// Terms, in order.
    pub(super) hits: Vec<Hit>,
    /// Actors named, in order.
    pub(super) mentions: Vec<Mention>,
    /// Who may speak, in order: actors named, and those called by what they are ("police").
    pub(super) speakers: Vec<Mention>,
    /// Places named, in order.
    pub(super) places: Vec<Range<usize>>,
    /// Where each of them is named, and its country, if it lies in one.
    pub(super) countries: Vec<(usize, &'static str)>,
    /// For each cue its matches, in order.
    pub(super) cues: Vec<Vec<Range<usize>>>,
    /// For each domain and written term: how often, and its weight.
    pub(super) domains: Vec<BTreeMap<usize, (usize, f64)>>,
    /// Flags that masks raise.
    pub(super) mask_flags: BTreeSet<String>,
    /// The matches of every set.
    pub(super) sets: Sets,
}

impl Sorted {
    /// The matches of a set, in order.
    pub(super) fn set(&self, set: usize) -> &[Range<usize>] {
        self.sets.of(set)
    }
}

/// The same before the places are known, which are looked for with what it knows of actors.
pub(super) struct Matched<'l> {
    lexicon: &'l Lexicon,
    sorted: Sorted,
    members: Vec<Member<'l>>,
}

impl<'l> Matched<'l> {
    /// Finds everything that a lexicon knows in a document.
    ///
    /// # Errors
    /// [`TooCostly`] if there are no steps left.
    pub(super) fn new(
        lexicon: &'l Lexicon,
        document: &Document<'_>,
        steps: &Steps,
    ) -> Result<Self, TooCostly> {
        let matches = lexicon.matcher.find(document, steps)?;
        let sorted = Sorted {
            hits: Vec::new(),
            mentions: Vec::new(),
            speakers: Vec::new(),
            places: Vec::new(),
            countries: Vec::new(),
            cues: vec![Vec::new(); lexicon.cues.len()],
            domains: vec![BTreeMap::new(); lexicon.domains.len()],
            mask_flags: BTreeSet::new(),
            sets: Sets::default(),
        };
        let mut matched = Self { lexicon, sorted, members: Vec::with_capacity(matches.len()) };
        let masked = matched.read_masks(document, &matches);
        let mut aliases = Vec::new();
        for found in matches {
            let is_masked =
                masked.get(found.tokens.start).is_some_and(|end| *end >= found.tokens.end);
            steps.spend(found.uses.len().saturating_mul(USE_STEPS) + found.sets.len())?;
            for purpose in found.uses {
                if let (Use::Alias(alias), false) = (purpose, is_masked) {
                    aliases.push((*alias, found.tokens.clone()));
                }
                matched.add(*purpose, &found.tokens, is_masked.into());
            }
            if !is_masked && !found.sets.is_empty() {
                matched.members.push(Member { tokens: found.tokens, sets: found.sets });
            }
        }
        let nouns = matched.force_nouns(&aliases, document);
        let Mentions { named, unnamed } = mentions(lexicon, document, aliases, &nouns);
        matched.sorted.mentions = named;
        matched.sorted.speakers = unnamed;
        Ok(matched)
    }

    /// The nouns that make a force of the people named right before them, in order.
    fn force_nouns(
        &self,
        aliases: &[(usize, Range<usize>)],
        document: &Document<'_>,
    ) -> Vec<Range<usize>> {
        let Some(force) = &self.lexicon.force_nouns else { return Vec::new() };
        // Most words stand after no name, and nothing is asked of their sets.
        let mut after_a_name = Bits::none(document.tokens.len());
        for (_alias, tokens) in aliases {
            after_a_name.insert(tokens.end);
        }
        let members = self.members.iter().filter(|member| after_a_name.has(member.tokens.start));
        let nouns = members.filter(|member| member.sets.binary_search(&force.nouns).is_ok());
        nouns.map(|member| member.tokens.clone()).collect()
    }

    /// Actors named, in order.
    pub(super) fn mentions(&self) -> &[Mention] {
        &self.sorted.mentions
    }

    /// With the places that are named. An actor whose name is a part of a place's is not meant: nobody in Tokyo
    /// does what happens in the Sea of Japan.
    pub(super) fn with_places(mut self, found: &Found, document: &Document<'_>) -> Sorted {
        let spans = found.places.iter().flat_map(|place| place.spans.iter().cloned());
        self.sorted.places = spans.collect();
        self.sorted.places.sort_by_key(|span| (span.start, span.end));
        let countries = found.places.iter().filter_map(|place| Some((place, place.country?)));
        let starts = countries
            .flat_map(|(place, code)| place.spans.iter().map(move |span| (span.start, code)));
        self.sorted.countries = starts.collect();
        let places = &self.sorted.places;
        for mentions in [&mut self.sorted.mentions, &mut self.sorted.speakers] {
            mentions.retain(|mention| !is_part_of_one(&mention.tokens, places));
        }
        self.sorted.speakers.extend(self.sorted.mentions.iter().cloned());
        self.sorted.speakers.sort_by_key(|mention| mention.tokens.start);
        self.add_mentions();
        for tokens in self.sorted.places.iter().cloned() {
            self.members.push(Member { tokens, sets: &self.lexicon.place_sets });
        }
        let is_of_zone = |place: &&cw_places::Place| {
            place.country.is_some_and(|code| self.lexicon.zones.contains(code))
        };
        let of_zones = found.places.iter().filter(is_of_zone);
        for tokens in of_zones.flat_map(|place| place.spans.iter().cloned()) {
            self.members.push(Member { tokens, sets: &self.lexicon.zone_sets });
        }
        self.sorted.sets = Sets::new(self.lexicon, self.members, document);
        self.sorted
    }

    /// Puts the actors named into the sets that they belong to.
    fn add_mentions(&mut self) {
        for mention in &self.sorted.mentions {
            let of_name = self.lexicon.sets_of_aliases.get(mention.alias);
            let force = self.lexicon.force_nouns.as_ref().filter(|_force| mention.is_force);
            let of_force = force.map(|force| &force.belongs_to);
            for sets in of_name.into_iter().chain(of_force) {
                self.members.push(Member { tokens: mention.tokens.clone(), sets });
            }
        }
    }

    /// For each word, where the last mask that begins at or before it ends.
    fn read_masks(&mut self, document: &Document<'_>, matches: &[Match<'_>]) -> Vec<usize> {
        let mut ends = vec![0; document.tokens.len()];
        for found in matches {
            for purpose in found.uses {
                let Use::Mask(mask) = purpose else { continue };
                let flag = self.lexicon.masks.get(*mask).and_then(|mask| mask.flag.clone());
                self.sorted.mask_flags.extend(flag);
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
                if let Some(seen) = self.sorted.domains.get_mut(domain) {
                    seen.entry(written).or_insert((0, weight)).0 += 1;
                }
            }
            (Use::Term { tag, written, weight }, Mask::Open) => {
                self.sorted.hits.push(Hit::new(tag, written, weight, tokens.clone()));
            }
            (Use::Cue(cue), Mask::Open) => {
                if let Some(seen) = self.sorted.cues.get_mut(cue) {
                    seen.push(tokens.clone());
                }
            }
            (Use::Mask(_) | Use::Alias(_), Mask::Open | Mask::Hidden)
            | (Use::Term { .. } | Use::Cue(_), Mask::Hidden) => {}
        }
    }
}

/// Whether some words are a part of one of `longer`, which are in order and overlap nowhere.
fn is_part_of_one(words: &Range<usize>, longer: &[Range<usize>]) -> bool {
    let at = longer.partition_point(|one| one.end < words.end);
    let one = longer.get(at).filter(|one| one.len() > words.len());
    one.is_some_and(|one| one.start <= words.start && words.end <= one.end)
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

/// Which words have spoken.
pub(super) struct Taken {
    round: usize,
    words: Vec<usize>,
}

impl Taken {
    /// None yet.
    pub(super) fn new(document: &Document<'_>) -> Self {
        Self { round: 1, words: vec![0; document.tokens.len()] }
    }

    /// Frees all.
    pub(super) fn clear(&mut self) {
        self.round += 1;
    }

    /// Takes the words if all are free, and says whether they were.
    pub(super) fn take(&mut self, tokens: &Range<usize>) -> bool {
        let Some(words) = self.words.get_mut(tokens.clone()) else { return false };
        let free = words.iter().all(|word| *word != self.round);
        if free {
            words.fill(self.round);
        }
        free
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
