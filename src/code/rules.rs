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
use std::sync::Arc;

use cw_model::{Actor, Claim, ClaimStatus, Evidence, Field, Steps, Tag, TagId, TooCostly};

use super::claims::{NoSpeaker, add_roles, named_roles, speaker, stronger, voice};
use super::clauses::add_clause_roles;
use super::combinations::combined;
use super::cues::{near, nearest};
use super::lexicon::{Cue, Effect, Kept, Lexicon, Negation};
use super::names::Mention;
use super::segment::{Document, Prominence};
use super::sets::{Sentences, first_in};
use super::spans::{Hit, Sorted, Taken, sentence_of};
use super::taxonomy::is_or_is_under;

/// Spans of evidence kept for one tag, actor or place: enough to convince a reader, few enough for a record.
pub(super) const EVIDENCE_MAX: usize = 20;

/// What a match counts when its term comes for the first, second and third time.
const REPEATED: [f64; 3] = [1.0, 0.5, 0.25];

/// Steps for one reason, which is weighed, sorted and held against those it overlaps.
const HIT_STEPS: usize = 60;

/// Sentences of headline and lead that are read for roles besides those of the reasons.
const LEADING_MAX: usize = 4;

/// Steps for looking for one cue by one reason.
const CUE_STEPS: usize = 4;

/// What the rules find in a document.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// At or over the threshold, best first, ties by id.
    pub(super) tags: Vec<Tag>,
    /// Why it may only look like conflict.
    pub(super) flags: BTreeSet<String>,
    /// Every tag that any reason speaks for, before vetoes.
    pub(super) scores: Vec<Scored>,
    /// The score of every subject that borrows the words of war, by its flag.
    pub(super) domains: Vec<(String, f64)>,
    /// The words that the tags rest on.
    pub(super) words: Vec<Range<usize>>,
    /// Whether casualties are worth reading.
    pub(super) casualties: Kept,
    /// By index into `Lexicon::tags`, what counts for each, best first.
    pub(super) hits: Vec<Vec<Hit>>,
    /// What does not count, and why.
    pub(super) lost: Vec<Lost>,
    /// The domains that take tags away: indexes into `Lexicon::domains`.
    pub(super) vetoes: Vec<usize>,
}

/// A reason that does not count.
#[derive(Debug)]
pub(super) struct Lost {
    /// As far as it is weighed.
    pub(super) hit: Hit,
    /// What stands against it.
    pub(super) why: Why,
}

/// Why a reason does not count.
#[derive(Clone, Debug)]
pub(super) enum Why {
    /// Nothing that its tag needs is in the text.
    Needs,
    /// Something stands in its sentence that its tag must not stand with.
    Without(Range<usize>),
    /// A cue says the opposite: which, and where.
    Negated(usize, Range<usize>),
    /// A better reason of the same tag has its words.
    Covered,
}

/// A tag and what speaks for it.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub(super) id: TagId,
    pub(super) score: f64,
    /// Where the most prominent reason stands: what only an aside speaks of is seldom the news.
    pub(super) place: Prominence,
}

/// Applies a lexicon to a document.
///
/// # Errors
/// [`TooCostly`] if there are no steps left.
pub(super) fn apply(
    lexicon: &Lexicon,
    document: &Document<'_>,
    sorted: &Sorted,
    threshold: f64,
    steps: &Steps,
) -> Result<Findings, TooCostly> {
    let mut flags = sorted.mask_flags.clone();
    let mut hits = sorted.hits.clone();
    let mut parts = Vec::new();
    for open in sorted.sets.open(lexicon) {
        combined(open, sorted, document, steps, &mut parts, &mut hits)?;
    }
    steps.spend(hits.len().saturating_mul(HIT_STEPS + lexicon.cues.len() * CUE_STEPS))?;
    let (mut counting, mut lost) = (Vec::with_capacity(hits.len()), Vec::new());
    for hit in hits {
        match may_not_count(&hit, lexicon, sorted, document) {
            Some(why) => lost.push(Lost { hit, why }),
            None => counting.push(hit),
        }
    }
    let mut hits = counting;
    let negated = weigh(&mut hits, &mut lost, lexicon, sorted, document);
    for hit in &mut hits {
        add_clause_roles(hit, lexicon, sorted, document);
        add_roles(hit, lexicon, sorted, document);
    }

    let total = distinct_points(&hits, document);
    let hits = best_of_overlapping(hits, &mut lost, lexicon.tags.len(), document);
    let vetoes = vetoes(lexicon, sorted, total);
    let vetoed = flag_vetoes(lexicon, &vetoes, &mut flags);
    flag_cues(lexicon, &hits, &mut flags);

    let mut tags = Vec::new();
    let mut scores = Vec::new();
    let mut words = Vec::new();
    for (index, (rules, hits)) in lexicon.tags.iter().zip(&hits).enumerate() {
        let score = score(hits.iter().map(|hit| hit.points).sum());
        let place = hits.iter().map(|hit| prominence(document, hit.tokens.start)).min();
        if let Some(place) = place.filter(|_| score > 0.0) {
            scores.push(Scored { id: rules.kind.id.clone(), score, place });
        }
        let stands = match vetoed {
            Vetoed::No => true,
            Vetoed::Yes(_) => lexicon.veto.resists(rules.kind.id.as_str(), score),
        };
        let speaks = score >= threshold && stands;
        let evidence = if speaks { evidence(hits, document) } else { Vec::new() };
        if !evidence.is_empty() {
            words.extend(hits.iter().take(EVIDENCE_MAX).map(|hit| hit.tokens.clone()));
            tags.push(Tag {
                id: rules.kind.id.clone(),
                label: Arc::clone(&rules.kind.label),
                score,
                related: Arc::clone(&rules.kind.related),
                claim: claim(hits, lexicon),
                roles: named_roles(hits, lexicon),
                evidence,
            });
        } else {
            // What is said elsewhere without a "no" was not taken back by one.
            let of_tag = negated.iter().filter(|negated| negated.tag == index);
            flags.extend(of_tag.map(|negated| negated.flag.to_owned()));
        }
    }
    keep_the_most_specific(&mut tags);
    tags.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    // An attack on a stadium is real, and so are its victims.
    let casualties = match vetoed {
        Vetoed::Yes(casualties) if tags.is_empty() => casualties,
        Vetoed::Yes(_) | Vetoed::No => Kept::Kept,
    };
    let domains = lexicon.domains.iter().zip(&sorted.domains);
    let domains = domains.map(|(domain, seen)| (domain.flag.clone(), score(own_points(seen))));
    let domains = domains.filter(|(_flag, score)| *score > 0.0).collect();
    Ok(Findings { tags, flags, scores, domains, words, casualties, hits, lost, vetoes })
}

/// Why a reason does not count whatever its weight; `None` if it may.
fn may_not_count(
    hit: &Hit,
    lexicon: &Lexicon,
    sorted: &Sorted,
    document: &Document<'_>,
) -> Option<Why> {
    let Some(rules) = lexicon.tags.get(hit.tag) else { return Some(Why::Needs) };
    let needed = |set: &usize| !sorted.sets.sentences(*set).is_empty();
    if !rules.needs.is_empty() && !rules.needs.iter().any(needed) {
        return Some(Why::Needs);
    }
    let sentence = sentence_of(document, &hit.tokens).unwrap_or_default();
    let number = document.tokens.get(hit.tokens.start).map_or(0, |token| token.sentence);
    let forbidden = |set: &usize| {
        // A list is looked at only if it has something there.
        let may_be = sorted.sets.sentences(*set).may_hold(number);
        may_be.then(|| first_in(sorted.set(*set), &sentence)).flatten()
    };
    rules.without.iter().find_map(forbidden).map(|words| Why::Without(words.clone()))
}

/// Adds the roles that other sentences of headline and lead make plain: the headline may name the attacker,
/// and the lead say with what.
pub(super) fn complete_roles(
    tags: &mut [Tag],
    lexicon: &Lexicon,
    sorted: &Sorted,
    document: &Document<'_>,
) {
    let leading =
        document.sentences.iter().filter(|sentence| sentence.prominence != Prominence::Rest);
    for tag in tags {
        let Some(known) = &mut tag.roles else { continue };
        let index = lexicon.tags.iter().position(|rules| rules.kind.id == tag.id);
        let Some(index) = index else { continue };
        for sentence in leading.clone().take(LEADING_MAX) {
            let mut hit = Hit::new(index, 0, 0.0, sentence.tokens.clone());
            add_clause_roles(&mut hit, lexicon, sorted, document);
            if hit.roles.is_empty() {
                continue;
            }
            let mut more = named_roles(&[hit], lexicon).unwrap_or_default();
            more.retain(|role| {
                !known.iter().any(|one| one.role == role.role || one.actor == role.actor)
            });
            known.extend(more);
            known.sort();
        }
    }
}

/// A tag that would have had one reason more, but for a negation.
struct Negated<'a> {
    tag: usize,
    flag: &'a str,
}

/// A cue that a text has.
struct CueThere<'a> {
    /// Index into `Lexicon::cues`.
    index: usize,
    cue: &'a Cue,
    places: &'a [Range<usize>],
    sentences: Sentences,
    /// By place, who speaks there, once that is asked: many reasons stand near one cue.
    speakers: Vec<Option<Result<Option<usize>, NoSpeaker>>>,
}

impl CueThere<'_> {
    fn speaker(
        &mut self,
        place: usize,
        lexicon: &Lexicon,
        sorted: &Sorted,
        document: &Document<'_>,
    ) -> Result<Option<usize>, NoSpeaker> {
        self.speakers.resize(self.places.len(), None);
        let (Some(known), Some(at)) = (self.speakers.get_mut(place), self.places.get(place)) else {
            return Err(NoSpeaker);
        };
        *known.get_or_insert_with(|| speaker(self.cue, at, lexicon, sorted, document))
    }
}

/// Gives every hit its points, and takes away those that are negated.
fn weigh<'a>(
    hits: &mut Vec<Hit>,
    lost: &mut Vec<Lost>,
    lexicon: &'a Lexicon,
    sorted: &'a Sorted,
    document: &Document<'_>,
) -> Vec<Negated<'a>> {
    let mut negated = Vec::new();
    let cues = lexicon.cues.iter().zip(&sorted.cues).enumerate();
    let there = cues.filter(|(_index, (_cue, places))| !places.is_empty());
    let mut there: Vec<_> = there
        .map(|(index, (cue, places))| {
            let sentences = Sentences::with(places, document);
            CueThere { index, cue, places, sentences, speakers: Vec::new() }
        })
        .collect();
    let voice = if lexicon.knows_claims() { voice(sorted, lexicon, document) } else { None };
    hits.retain_mut(|hit| {
        let negation = lexicon.tags.get(hit.tag).map(|tag| tag.negation).unwrap_or_default();
        hit.points = points(hit.weight) * boost(document, hit.tokens.start);
        let sentence = document.tokens.get(hit.tokens.start).map_or(0, |token| token.sentence);
        for there in &mut there {
            // A cue changes nothing in another sentence.
            if !there.sentences.may_hold(sentence) {
                continue;
            }
            let CueThere { index, cue, places, .. } = *there;
            let Some(place) = nearest(cue, places, &hit.tokens, document) else { continue };
            match (cue.effect, negation) {
                (Effect::Negates, Negation::Counts) => {
                    let flag = cue.flag.as_deref();
                    negated.extend(flag.map(|flag| Negated { tag: hit.tag, flag }));
                    let at = places.get(place).cloned().unwrap_or_default();
                    lost.push(Lost { hit: hit.clone(), why: Why::Negated(index, at) });
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
                (Effect::Claims(status), Negation::Counts | Negation::Ignored) => {
                    if let Ok(by) = there.speaker(place, lexicon, sorted, document) {
                        hit.claim = Some(stronger(hit.claim, (status, by)));
                        hit.cues.push(index);
                    }
                }
            }
        }
        if voice.is_some() && document.field_of(hit.tokens.start) == Some(Field::Title) {
            hit.claim = Some(stronger(hit.claim, (ClaimStatus::Claimed, voice)));
        }
        true
    });
    negated
}

/// How words are said, and by whom, as the cues near them tell. `None` if the lexicon knows no cues of claims.
pub(super) fn said(
    tokens: &Range<usize>,
    lexicon: &Lexicon,
    sorted: &Sorted,
    document: &Document<'_>,
) -> Option<Claim> {
    let told = lexicon.cues.iter().zip(&sorted.cues).filter_map(|(cue, places)| {
        let Effect::Claims(status) = cue.effect else { return None };
        let at = near(cue, places, tokens, document)?;
        speaker(cue, &at, lexicon, sorted, document).ok().map(|by| (status, by))
    });
    let strongest = told.fold(None, |known, other| Some(stronger(known, other)));
    lexicon.knows_claims().then(|| published(strongest, lexicon))
}

fn halves(lexicon: &Lexicon, cue: usize) -> bool {
    lexicon.cues.get(cue).is_some_and(|cue| cue.effect == Effect::Halves)
}

fn points(weight: f64) -> f64 {
    -(1.0 - weight).ln()
}

fn score(points: f64) -> f64 {
    round(1.0 - (-points).exp())
}

/// Three decimals: more would be noise, and the last digits of a logarithm differ by machine.
pub(super) fn round(probability: f64) -> f64 {
    (probability * 1000.0).round() / 1000.0
}

/// A headline says what an article is about; after the lead come asides and background.
fn boost(document: &Document<'_>, token: usize) -> f64 {
    match prominence(document, token) {
        Prominence::Title => 1.25,
        Prominence::Lead => 1.0,
        Prominence::Rest => 0.6,
    }
}

/// Where a token stands.
fn prominence(document: &Document<'_>, token: usize) -> Prominence {
    let sentence = document.tokens.get(token).map(|token| token.sentence);
    let sentence = sentence.and_then(|sentence| document.sentences.get(sentence));
    sentence.map_or(Prominence::Lead, |sentence| sentence.prominence)
}

fn by_points(a: &Hit, b: &Hit) -> std::cmp::Ordering {
    b.points.total_cmp(&a.points).then_with(|| a.tokens.start.cmp(&b.tokens.start))
}

/// For each tag, the hits that count: none overlaps another, and repetition is damped.
fn best_of_overlapping(
    hits: Vec<Hit>,
    lost: &mut Vec<Lost>,
    tags: usize,
    document: &Document<'_>,
) -> Vec<Vec<Hit>> {
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
            if of_tag.is_empty() {
                return of_tag;
            }
            of_tag.sort_by(by_points);
            taken.clear();
            let mut times: BTreeMap<usize, usize> = BTreeMap::new();
            let covered = of_tag.extract_if(.., |hit| {
                let free = taken.take(&hit.tokens);
                if free {
                    let seen = times.entry(hit.written).or_default();
                    hit.points *= REPEATED.get(*seen).copied().unwrap_or_default();
                    *seen += 1;
                }
                !free
            });
            lost.extend(covered.map(|hit| Lost { hit, why: Why::Covered }));
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

#[derive(Clone, Copy)]
enum Vetoed {
    No,
    Yes(Kept),
}

/// The domains that veto.
fn vetoes(lexicon: &Lexicon, sorted: &Sorted, total: f64) -> Vec<usize> {
    let domains = lexicon.domains.iter().zip(&sorted.domains).enumerate();
    let vetoes = domains.filter(|(_index, (domain, seen))| {
        let own = own_points(seen);
        score(own) >= domain.threshold && own >= domain.ratio * total
    });
    vetoes.map(|(index, _domain)| index).collect()
}

/// Raises the flags of the domains that veto.
fn flag_vetoes(lexicon: &Lexicon, vetoes: &[usize], flags: &mut BTreeSet<String>) -> Vetoed {
    let mut vetoed = Vetoed::No;
    for domain in vetoes.iter().filter_map(|index| lexicon.domains.get(*index)) {
        flags.insert(domain.flag.clone());
        let drops = matches!(vetoed, Vetoed::Yes(Kept::Dropped));
        vetoed = Vetoed::Yes(if drops { Kept::Dropped } else { domain.casualties });
    }
    vetoed
}

/// The points of a domain's own terms.
fn own_points(seen: &BTreeMap<usize, (usize, f64)>) -> f64 {
    let of = |(times, weight): &(usize, f64)| {
        points(*weight) * REPEATED.iter().take(*times).sum::<f64>()
    };
    seen.values().map(of).sum()
}

/// Raises the flags of cues that stand by at least half of what counts.
fn flag_cues(lexicon: &Lexicon, hits: &[Vec<Hit>], flags: &mut BTreeSet<String>) {
    let mut total = 0.0;
    let mut by_flag: BTreeMap<&str, f64> = BTreeMap::new();
    for hit in hits.iter().flatten() {
        total += hit.points;
        let cues = hit.cues.iter().filter_map(|cue| lexicon.cues.get(*cue));
        let names: BTreeSet<&str> = cues.filter_map(|cue| cue.flag.as_deref()).collect();
        for name in names {
            *by_flag.entry(name).or_default() += hit.points;
        }
    }
    let heavy = by_flag.into_iter().filter(|(_flag, points)| *points * 2.0 >= total);
    flags.extend(heavy.map(|(flag, _points)| flag.to_owned()));
}

/// Drops "strike" where there is "strike.air": it says less of the same. What is known of actors goes over.
fn keep_the_most_specific(tags: &mut Vec<Tag>) {
    let is_under = |tag: &Tag, above: &TagId| {
        tag.id != *above && is_or_is_under(tag.id.as_str(), above.as_str())
    };
    let is_above = |tag: &Tag| tags.iter().any(|other| is_under(other, &tag.id));
    let above: Vec<TagId> =
        tags.iter().filter(|tag| is_above(tag)).map(|tag| tag.id.clone()).collect();
    for id in above {
        let Some(at) = tags.iter().position(|tag| tag.id == id) else { continue };
        let general = tags.remove(at);
        for tag in tags.iter_mut().filter(|tag| is_under(tag, &id)) {
            // Without a dictionary nobody has looked for roles, and that stays so.
            let (Some(known), Some(more)) = (&mut tag.roles, &general.roles) else { continue };
            let new: Vec<_> = more
                .iter()
                .filter(|role| {
                    !known.iter().any(|one| one.role == role.role || one.actor == role.actor)
                })
                .cloned()
                .collect();
            known.extend(new);
            known.sort();
        }
    }
}

fn evidence(hits: &[Hit], document: &Document<'_>) -> Vec<Evidence> {
    // `hits` is best first, so what is cut is the weakest.
    let best = hits.iter().take(EVIDENCE_MAX);
    let mut spans: Vec<Evidence> = best.filter_map(|hit| document.evidence(&hit.tokens)).collect();
    spans.sort();
    spans.dedup();
    spans
}

/// How a tag is said: as its best reason is, by whoever says so there or in another. A headline may leave out who says
/// what the lead then says of them. `None` if the lexicon knows no cues of claims.
fn claim(hits: &[Hit], lexicon: &Lexicon) -> Option<Claim> {
    let is_told = |(status, by): &(ClaimStatus, Option<usize>)| {
        *status == ClaimStatus::Claimed && by.is_some()
    };
    let best = hits.first().and_then(|hit| hit.claim);
    let best = best.or_else(|| hits.iter().filter_map(|hit| hit.claim).find(is_told));
    let said = best.map(|(status, by)| {
        let mut others = hits.iter().filter_map(|hit| hit.claim);
        (status, by.or_else(|| others.find_map(|(other, by)| by.filter(|_by| other == status))))
    });
    lexicon.knows_claims().then(|| published(said, lexicon))
}

fn published(said: Option<(ClaimStatus, Option<usize>)>, lexicon: &Lexicon) -> Claim {
    let (status, by) = said.unwrap_or((ClaimStatus::Reported, None));
    let entries = lexicon.dictionary.as_ref().map_or(&[][..], |known| known.entries.as_slice());
    let by = by.and_then(|entry| entries.get(entry)).map(|entry| entry.id.clone());
    Claim { status, by }
}

/// Who is named, most often first; of those without a name the ones that the headline is about, or that say what `tags`
/// tell. `None` if the lexicon has no dictionary.
pub(super) fn actors(
    tags: &[Tag],
    lexicon: &Lexicon,
    sorted: &Sorted,
    document: &Document<'_>,
) -> Option<Vec<Actor>> {
    let dictionary = lexicon.dictionary.as_ref()?;
    let speaks = |id: &str| {
        tags.iter().filter_map(|tag| tag.claim.as_ref()?.by.as_deref()).any(|by| by == id)
    };
    let mut by_entry: BTreeMap<usize, Vec<&Mention>> = BTreeMap::new();
    for mention in &sorted.speakers {
        by_entry.entry(mention.entry).or_default().push(mention);
    }
    let mut actors = Vec::new();
    for (entry, mentions) in by_entry {
        let Some(entry) = dictionary.entries.get(entry) else { continue };
        let is_in_title =
            |mention: &&Mention| document.field_of(mention.tokens.start) == Some(Field::Title);
        if entry.is_unnamed && !speaks(&entry.id) && !mentions.iter().any(is_in_title) {
            continue;
        }
        let spans = mentions.iter().take(EVIDENCE_MAX);
        actors.push(Actor {
            id: entry.id.clone(),
            name: entry.name.clone(),
            kind: entry.kind,
            country: entry.country.clone(),
            mentions: mentions.len(),
            evidence: spans.filter_map(|mention| document.evidence(&mention.tokens)).collect(),
        });
    }
    actors.sort_by(|a, b| b.mentions.cmp(&a.mentions).then_with(|| a.id.cmp(&b.id)));
    Some(actors)
}
