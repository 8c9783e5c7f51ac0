//! From matches to tags: combinations, masks, cues, scores and vetoes.
//!
//! How a tag comes by its score:
//! 1. Each term or combination of weight w found for it gives -ln(1 - w) points, more in the
//!    headline and less after the lead, nothing if it is masked or negated, half if it speaks of an
//!    exercise or of the past. Of matches that overlap only the best counts; the second and third
//!    time a term comes it counts half and a quarter, and then no more.
//! 2. The score is 1 - exp(-points): one term of weight w scores w, more can only add.
//! 3. A domain that borrows the words of war (sport, labour, …) gathers points in the same way. When
//!    it has enough of them, and enough against those of conflict, its veto takes every tag but the
//!    few that resist.
//!
//! Each step takes time in proportion to the matches, whatever the text looks like.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cw_model::{Evidence, Steps, Tag, TooCostly};

use super::lexicon::{Combination, Cue, Effect, Kept, Lexicon, Negation, Order, Reach};
use super::matcher::{Match, Use};
use super::segment::{Document, Prominence};

/// Spans of evidence kept for one tag: enough to convince a reader, few enough for a record.
const EVIDENCE_MAX: usize = 20;

/// What a match counts when its term comes for the first, second and third time.
const REPEATED: [f64; 3] = [1.0, 0.5, 0.25];

/// Matches of one set tried on each side of an anchor. They may overlap the anchor or each other, so
/// the first is not always the one; more than a few would let a strange text take quadratic time.
const NEIGHBOURS_TRIED: usize = 4;

/// Steps for each purpose of a phrase found.
const USE_STEPS: usize = 10;

/// Steps for looking for one part of a combination by one anchor.
const PART_STEPS: usize = 20;

/// Steps for one reason, which is weighed, sorted and held against those it overlaps.
const HIT_STEPS: usize = 60;

/// Steps for looking for one cue by one reason.
const CUE_STEPS: usize = 4;

/// What the rules find in a document.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// At or over the threshold, best first, ties by id.
    pub(super) tags: Vec<Tag>,
    /// Why it may only look like conflict.
    pub(super) flags: BTreeSet<String>,
    /// Whether casualties are worth reading.
    pub(super) casualties: Kept,
}

/// Applies a lexicon to a document.
///
/// # Errors
/// [`TooCostly`] if there are no steps left.
pub(super) fn apply(
    lexicon: &Lexicon,
    document: &Document<'_>,
    threshold: f64,
    steps: &Steps,
) -> Result<Findings, TooCostly> {
    let sorted = Sorted::new(lexicon, document, steps)?;
    let mut flags = sorted.mask_flags.clone();
    let mut hits = sorted.hits.clone();
    for combination in &lexicon.combinations {
        hits.extend(combined(combination, &sorted, document, steps)?);
    }
    steps.spend(hits.len().saturating_mul(HIT_STEPS + lexicon.cues.len() * CUE_STEPS))?;
    hits.retain(|hit| {
        let needs = lexicon.tags.get(hit.tag).map_or(&[][..], |tag| tag.needs.as_slice());
        needs.is_empty() || needs.iter().any(|set| !sorted.set(*set).is_empty())
    });
    let negated = weigh(&mut hits, lexicon, &sorted, document);

    let total = distinct_points(&hits, document);
    let hits = best_of_overlapping(hits, lexicon.tags.len(), document);
    let vetoed = flag_vetoes(lexicon, &sorted, total, &mut flags);
    flag_cues(lexicon, &hits, &mut flags);

    let mut tags = Vec::new();
    for (index, (rules, hits)) in lexicon.tags.iter().zip(&hits).enumerate() {
        let score = score(hits.iter().map(|hit| hit.points).sum());
        let stands = match vetoed {
            Vetoed::No => true,
            Vetoed::Yes(_) => lexicon.veto.resists(rules.kind.id.as_str(), score),
        };
        let evidence = evidence(hits, document);
        if score >= threshold && stands && !evidence.is_empty() {
            tags.push(Tag {
                id: rules.kind.id.clone(),
                label: rules.kind.label.clone(),
                score,
                related: rules.kind.related.clone(),
                evidence,
            });
        } else {
            // What is said elsewhere without a "no" was not taken back by one.
            let of_tag = negated.iter().filter(|negated| negated.tag == index);
            flags.extend(of_tag.map(|negated| negated.flag.to_owned()));
        }
    }
    tags.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    // An attack on a stadium is real, and so are its victims.
    let casualties = match vetoed {
        Vetoed::Yes(casualties) if tags.is_empty() => casualties,
        Vetoed::Yes(_) | Vetoed::No => Kept::Kept,
    };
    Ok(Findings { tags, flags, casualties })
}

/// One reason for a tag.
#[derive(Clone, Debug)]
struct Hit {
    tag: usize,
    written: usize,
    weight: f64,
    points: f64,
    tokens: Range<usize>,
    cues: Vec<usize>,
}

/// The matches of a document, by what they are for, masked ones left out.
struct Sorted {
    hits: Vec<Hit>,
    sets: Vec<Vec<Range<usize>>>,
    cues: Vec<Vec<Range<usize>>>,
    domains: Vec<BTreeMap<usize, (usize, f64)>>,
    mask_flags: BTreeSet<String>,
}

impl Sorted {
    fn new(lexicon: &Lexicon, document: &Document<'_>, steps: &Steps) -> Result<Self, TooCostly> {
        let mut matches = lexicon.matcher.find(document, steps)?;
        matches.sort_by_key(|found| (found.tokens.start, found.tokens.end));
        let mut sorted = Self {
            hits: Vec::new(),
            sets: vec![Vec::new(); lexicon.sets],
            cues: vec![Vec::new(); lexicon.cues.len()],
            domains: vec![BTreeMap::new(); lexicon.domains.len()],
            mask_flags: BTreeSet::new(),
        };
        let masked = sorted.read_masks(lexicon, document, &matches);
        for found in matches {
            let is_masked =
                masked.get(found.tokens.start).is_some_and(|end| *end >= found.tokens.end);
            let uses = lexicon.matcher.uses(found.phrase);
            steps.spend(uses.len().saturating_mul(USE_STEPS))?;
            for purpose in uses {
                sorted.add(*purpose, &found.tokens, is_masked.into());
            }
        }
        Ok(sorted)
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
                let tokens = tokens.clone();
                self.hits.push(Hit { tag, written, weight, points: 0.0, tokens, cues: Vec::new() });
            }
            (Use::Set(set), Mask::Open) => {
                if let Some(seen) = self.sets.get_mut(set) {
                    seen.push(tokens.clone());
                }
            }
            (Use::Cue(cue), Mask::Open) => {
                if let Some(seen) = self.cues.get_mut(cue) {
                    seen.push(tokens.clone());
                }
            }
            (Use::Mask(_), Mask::Open | Mask::Hidden)
            | (Use::Term { .. } | Use::Set(_) | Use::Cue(_), Mask::Hidden) => {}
        }
    }

    fn set(&self, set: usize) -> &[Range<usize>] {
        self.sets.get(set).map_or(&[], Vec::as_slice)
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

/// The places where all parts of a combination stand close enough.
fn combined(
    combination: &Combination,
    sorted: &Sorted,
    document: &Document<'_>,
    steps: &Steps,
) -> Result<Vec<Hit>, TooCostly> {
    let mut hits = Vec::new();
    let Some((anchor_set, others)) = combination.all.split_first() else { return Ok(hits) };
    let anchor_steps = combination.all.len().saturating_mul(PART_STEPS);
    // A text that repeats one word is full of anchors, and of nothing for them to stand by.
    if others.iter().any(|other| sorted.set(*other).is_empty()) {
        return Ok(hits);
    }
    for anchor in sorted.set(*anchor_set) {
        steps.spend(anchor_steps)?;
        let Some(sentence) = sentence_of(document, anchor) else { continue };
        let mut parts = vec![anchor.clone()];
        for other in others {
            let near = nearest(sorted.set(*other), &parts, combination, &sentence);
            parts.extend(near);
        }
        let forbidden = |set: &usize| contains_any(sorted.set(*set), &sentence);
        if parts.len() < combination.all.len() || combination.without.iter().any(forbidden) {
            continue;
        }
        let start = parts.iter().map(|part| part.start).min().unwrap_or_default();
        let end = parts.iter().map(|part| part.end).max().unwrap_or_default();
        hits.push(Hit {
            tag: combination.tag,
            written: combination.written,
            weight: combination.weight,
            points: 0.0,
            tokens: start..end,
            cues: Vec::new(),
        });
    }
    Ok(hits)
}

/// The match of a set nearest to the anchor (the first of `parts`) that overlaps none of `parts`.
fn nearest(
    candidates: &[Range<usize>],
    parts: &[Range<usize>],
    combination: &Combination,
    sentence: &Range<usize>,
) -> Option<Range<usize>> {
    let anchor = parts.first()?;
    let at = candidates.partition_point(|candidate| candidate.start < anchor.start);
    let (before, after) = candidates.split_at(at);
    let earlier = before.iter().rev().take(match combination.order {
        Order::Any => NEIGHBOURS_TRIED,
        Order::AnchorFirst => 0,
    });
    let later = after.iter().take(NEIGHBOURS_TRIED);
    let gap = |candidate: &Range<usize>| {
        candidate.start.saturating_sub(anchor.end).max(anchor.start.saturating_sub(candidate.end))
    };
    let fits = |candidate: &&Range<usize>| {
        candidate.start >= sentence.start
            && candidate.end <= sentence.end
            && gap(candidate) <= combination.within
            && parts.iter().all(|part| !overlap(part, candidate))
    };
    earlier.chain(later).filter(fits).min_by_key(|candidate| gap(candidate)).cloned()
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

fn sentence_of(document: &Document<'_>, tokens: &Range<usize>) -> Option<Range<usize>> {
    let token = document.tokens.get(tokens.start)?;
    document.sentences.get(token.sentence).map(|sentence| sentence.tokens.clone())
}

fn contains_any(matches: &[Range<usize>], sentence: &Range<usize>) -> bool {
    let at = matches.partition_point(|found| found.start < sentence.start);
    matches.get(at).is_some_and(|found| found.start < sentence.end)
}

/// A tag that would have had one reason more, but for a negation.
struct Negated<'a> {
    tag: usize,
    flag: &'a str,
}

/// Gives every hit its points, and takes away those that are negated.
fn weigh<'a>(
    hits: &mut Vec<Hit>,
    lexicon: &'a Lexicon,
    sorted: &Sorted,
    document: &Document<'_>,
) -> Vec<Negated<'a>> {
    let mut negated = Vec::new();
    hits.retain_mut(|hit| {
        let negation = lexicon.tags.get(hit.tag).map(|tag| tag.negation).unwrap_or_default();
        hit.points = points(hit.weight) * boost(document, hit.tokens.start);
        for (index, cue) in lexicon.cues.iter().enumerate() {
            let places = sorted.cues.get(index).map_or(&[][..], Vec::as_slice);
            if !is_near(cue, places, &hit.tokens, document) {
                continue;
            }
            match (cue.effect, negation) {
                (Effect::Negates, Negation::Counts) => {
                    negated.push(Negated { tag: hit.tag, flag: &cue.flag });
                    return false;
                }
                (Effect::Negates, Negation::Ignored) => {}
                (Effect::Halves, Negation::Counts | Negation::Ignored) => {
                    // Two cues of one kind are one reason.
                    if !hit.cues.iter().any(|known| halves(lexicon, *known)) {
                        hit.points /= 2.0;
                    }
                    hit.cues.push(index);
                }
                (Effect::Flags, Negation::Counts | Negation::Ignored) => hit.cues.push(index),
            }
        }
        true
    });
    negated
}

fn halves(lexicon: &Lexicon, cue: usize) -> bool {
    lexicon.cues.get(cue).is_some_and(|cue| cue.effect == Effect::Halves)
}

/// Whether a cue stands close enough to a hit. `places` is in order and never overlaps itself by
/// more than a word or two, so the nearest on each side decides.
fn is_near(
    cue: &Cue,
    places: &[Range<usize>],
    hit: &Range<usize>,
    document: &Document<'_>,
) -> bool {
    let at = places.partition_point(|place| place.start < hit.start);
    let (earlier, later) = places.split_at(at);
    let before = cue.before.is_some_and(|limit| {
        let place = earlier.iter().rev().find(|place| place.end <= hit.start);
        place.is_some_and(|place| {
            hit.start - place.end <= limit
                && is_within(cue.reach, document, place.end - 1, hit.start)
        })
    });
    let after = cue.after.is_some_and(|limit| {
        let place = later.iter().find(|place| place.start >= hit.end);
        place.is_some_and(|place| {
            place.start - hit.end <= limit
                && is_within(cue.reach, document, hit.end - 1, place.start)
        })
    });
    before || after
}

fn is_within(reach: Reach, document: &Document<'_>, first: usize, second: usize) -> bool {
    let place = |index: usize| {
        document.tokens.get(index).map(|token| match reach {
            Reach::Clause => token.clause,
            Reach::Sentence => token.sentence,
        })
    };
    place(first) == place(second)
}

fn points(weight: f64) -> f64 {
    -(1.0 - weight).ln()
}

/// Three decimals: more would be noise, and the last digits of a logarithm differ by machine.
fn score(points: f64) -> f64 {
    ((1.0 - (-points).exp()) * 1000.0).round() / 1000.0
}

/// A headline says what an article is about; after the lead come asides and background.
fn boost(document: &Document<'_>, token: usize) -> f64 {
    let sentence = document.tokens.get(token).map(|token| token.sentence);
    let sentence = sentence.and_then(|sentence| document.sentences.get(sentence));
    match sentence.map(|sentence| sentence.prominence) {
        Some(Prominence::Title) => 1.25,
        Some(Prominence::Lead) | None => 1.0,
        Some(Prominence::Rest) => 0.6,
    }
}

fn by_points(a: &Hit, b: &Hit) -> std::cmp::Ordering {
    b.points.total_cmp(&a.points).then_with(|| a.tokens.start.cmp(&b.tokens.start))
}

/// For each tag, the hits that count: none overlaps another, and repetition is damped.
fn best_of_overlapping(hits: Vec<Hit>, tags: usize, document: &Document<'_>) -> Vec<Vec<Hit>> {
    let mut by_tag: Vec<Vec<Hit>> = vec![Vec::new(); tags];
    for hit in hits {
        if let Some(of_tag) = by_tag.get_mut(hit.tag) {
            of_tag.push(hit);
        }
    }
    let mut taken = Taken::new(document);
    by_tag
        .into_iter()
        .map(|mut of_tag| {
            of_tag.sort_by(by_points);
            taken.clear();
            let mut times: BTreeMap<usize, usize> = BTreeMap::new();
            of_tag.retain_mut(|hit| {
                let free = taken.take(&hit.tokens);
                if free {
                    let seen = times.entry(hit.written).or_default();
                    hit.points *= REPEATED.get(*seen).copied().unwrap_or_default();
                    *seen += 1;
                }
                free
            });
            of_tag
        })
        .collect()
}

/// The points of conflict as a whole: each word speaks once, for whatever tag it says most.
fn distinct_points(hits: &[Hit], document: &Document<'_>) -> f64 {
    let mut sorted: Vec<&Hit> = hits.iter().collect();
    sorted.sort_by(|a, b| by_points(a, b));
    let mut taken = Taken::new(document);
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    let mut total = 0.0;
    for hit in sorted {
        if taken.take(&hit.tokens) {
            let seen = times.entry(hit.written).or_default();
            total += hit.points * REPEATED.get(*seen).copied().unwrap_or_default();
            *seen += 1;
        }
    }
    total
}

/// Which words have spoken.
struct Taken {
    round: usize,
    words: Vec<usize>,
}

impl Taken {
    fn new(document: &Document<'_>) -> Self {
        Self { round: 1, words: vec![0; document.tokens.len()] }
    }

    fn clear(&mut self) {
        self.round += 1;
    }

    /// Takes the words if all are free, and says whether they were.
    fn take(&mut self, tokens: &Range<usize>) -> bool {
        let Some(words) = self.words.get_mut(tokens.clone()) else { return false };
        let free = words.iter().all(|word| *word != self.round);
        if free {
            words.fill(self.round);
        }
        free
    }
}

#[derive(Clone, Copy)]
enum Vetoed {
    No,
    Yes(Kept),
}

/// Raises the flags of the domains that veto.
fn flag_vetoes(
    lexicon: &Lexicon,
    sorted: &Sorted,
    total: f64,
    flags: &mut BTreeSet<String>,
) -> Vetoed {
    let mut vetoed = Vetoed::No;
    for (domain, seen) in lexicon.domains.iter().zip(&sorted.domains) {
        let own: f64 = seen
            .values()
            .map(|(times, weight)| points(*weight) * REPEATED.iter().take(*times).sum::<f64>())
            .sum();
        if score(own) >= domain.threshold && own >= domain.ratio * total {
            flags.insert(domain.flag.clone());
            let drops = matches!(vetoed, Vetoed::Yes(Kept::Dropped));
            vetoed = Vetoed::Yes(if drops { Kept::Dropped } else { domain.casualties });
        }
    }
    vetoed
}

/// Raises the flags of cues that stand by at least half of what counts.
fn flag_cues(lexicon: &Lexicon, hits: &[Vec<Hit>], flags: &mut BTreeSet<String>) {
    let mut total = 0.0;
    let mut by_flag: BTreeMap<&str, f64> = BTreeMap::new();
    for hit in hits.iter().flatten() {
        total += hit.points;
        let cues = hit.cues.iter().filter_map(|cue| lexicon.cues.get(*cue));
        let names: BTreeSet<&str> = cues.map(|cue| cue.flag.as_str()).collect();
        for name in names {
            *by_flag.entry(name).or_default() += hit.points;
        }
    }
    let heavy = by_flag.into_iter().filter(|(_flag, points)| *points * 2.0 >= total);
    flags.extend(heavy.map(|(flag, _points)| flag.to_owned()));
}

fn evidence(hits: &[Hit], document: &Document<'_>) -> Vec<Evidence> {
    // `hits` is best first, so what is cut is the weakest.
    let best = hits.iter().take(EVIDENCE_MAX);
    let mut spans: Vec<Evidence> = best.filter_map(|hit| document.evidence(&hit.tokens)).collect();
    spans.sort();
    spans.dedup();
    spans
}
