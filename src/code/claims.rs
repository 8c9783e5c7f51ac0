//! Who has which role in what a reason says, and how it is said and by whom.

use std::ops::Range;

use cw_model::{ActorKind, ClaimStatus, RoleKind};

use super::actors::Form;
use super::combinations::mention_in;
use super::lexicon::{Cue, Effect, Lexicon, Need, Place, RoleRule, Speaker};
use super::names::Mention;
use super::segment::{Document, Prominence};
use super::sets::contains_any;
use super::spans::{Hit, Sorted, overlap, sentence_of};

/// Adds the roles that actors near a reason have in it.
pub(super) fn add_roles(
    hit: &mut Hit,
    lexicon: &Lexicon,
    sorted: &Sorted,
    document: &Document<'_>,
) {
    let Some(sentence) = sentence_of(document, &hit.tokens) else { return };
    for rule in lexicon.roles.iter().filter(|rule| rule.tags.contains(&hit.tag)) {
        // What a pattern says of an actor, it knows better.
        if hit.roles.iter().any(|(role, _entry)| *role == rule.role) {
            continue;
        }
        if let Some(mention) = actor_of(rule, hit, sorted, &sentence)
            && !hit.roles.iter().any(|(_role, entry)| *entry == mention.entry)
        {
            hit.roles.push((rule.role, mention.entry));
        }
    }
}

fn actor_of<'a>(
    rule: &RoleRule,
    hit: &Hit,
    sorted: &'a Sorted,
    sentence: &Range<usize>,
) -> Option<&'a Mention> {
    let actors = sorted.set(rule.actors);
    let found = match rule.place {
        Place::Inside => {
            let at = actors.partition_point(|actor| actor.end <= hit.tokens.start);
            let begins = |actor: &&Range<usize>| actor.start <= hit.tokens.start;
            actors.get(at).filter(begins)?
        }
        Place::Before => {
            let at = actors.partition_point(|actor| actor.end <= hit.tokens.start);
            let actor = actors.get(at.checked_sub(1)?)?;
            (hit.tokens.start - actor.end <= rule.within).then_some(actor)?
        }
        Place::After => {
            let at = actors.partition_point(|actor| actor.start < hit.tokens.end);
            let actor = actors.get(at)?;
            (actor.start - hit.tokens.end <= rule.within).then_some(actor)?
        }
    };
    let between = match rule.place {
        Place::Inside => found.clone(),
        Place::Before => found.end..hit.tokens.start,
        Place::After => hit.tokens.end..found.start,
    };
    let led_in = rule.after.is_none_or(|set| {
        let before = sorted.set(set);
        before.iter().any(|words| words.end == found.start)
    });
    let apart = rule.not_between.iter().any(|set| contains_any(sorted.set(*set), &between));
    let inside = found.start >= sentence.start && found.end <= sentence.end;
    (led_in && !apart && inside).then(|| mention_in(&sorted.mentions, found)).flatten()
}

/// Actors in a row that a preposition binds to each other: "a spokesman for the ministry in Kyiv".
const BOUND_MAX: usize = 3;

/// Words between an actor and the one that a preposition binds to it.
const BOUND_WITHIN: usize = 3;

/// Words between a verb and who says so after it: "said the Syrian army".
const INVERTED_WITHIN: usize = 2;

/// Words after an actor that may still be its name: "said the mayor of Kharkiv, ", "said army spokesman Peter Kony".
const TITLE_WORDS: usize = 4;

/// Who says something, by a cue at some words.
///
/// `Err`: the cue says nothing there, for want of a speaker.
pub(super) fn speaker(
    cue: &Cue,
    at: &Range<usize>,
    lexicon: &Lexicon,
    sorted: &Sorted,
    document: &Document<'_>,
) -> Result<Option<usize>, NoSpeaker> {
    let Some(Speaker { within, place, need }) = cue.speaker else { return Ok(None) };
    let Some(sentence) = sentence_of(document, at) else { return Ok(None) };
    let is_claim = matches!(cue.effect, Effect::Claims(ClaimStatus::Claimed));
    let heard = Heard { lexicon, sorted, document, sentence, is_claim };
    let found = match place {
        Place::Before | Place::Inside => heard.after_quote(at).or_else(|| heard.before(at, within)),
        Place::After => heard.after(at.end, within),
    };
    match (found, need) {
        (Some(mention), _) => Ok(Some(mention.entry)),
        (None, Need::Optional) => Ok(None),
        (None, Need::Required) => Err(NoSpeaker),
    }
}

/// Whether one of the matches, which are in order, begins at a word.
fn begins(matches: &[Range<usize>], at: usize) -> bool {
    let first = matches.partition_point(|found| found.start < at);
    matches.get(first).is_some_and(|found| found.start == at)
}

/// Whether one of the matches, which are in order and of few words, ends right before a word.
fn ends(matches: &[Range<usize>], at: usize) -> bool {
    let first = matches.partition_point(|found| found.start < at);
    let near = matches.get(..first).unwrap_or_default().iter().rev().take(2);
    near.into_iter().any(|found| found.end == at)
}

/// A sentence in which somebody says something.
struct Heard<'a, 'd> {
    lexicon: &'a Lexicon,
    sorted: &'a Sorted,
    document: &'a Document<'d>,
    sentence: Range<usize>,
    /// Whether the cue is of a plain claim.
    is_claim: bool,
}

impl<'a> Heard<'a, '_> {
    /// The subject of a verb: "the army, as so often, said", "the governor of Kharkiv, Oleh Syniehubov, said".
    fn before(&self, at: &Range<usize>, within: usize) -> Option<&'a Mention> {
        if self.is_passive(at) {
            return None;
        }
        let speakers = &self.sorted.speakers;
        let end = speakers.partition_point(|mention| mention.tokens.end <= at.start);
        let mut index = end.checked_sub(1)?;
        let mut found = self.inside(speakers.get(index)?)?;
        if at.start - found.tokens.end > within || !is_subject(&found.tokens, at, self.document) {
            return None;
        }
        // Whoever a preposition leads to says where or whose the one before it is.
        for _actor in 0..BOUND_MAX {
            let earlier = index.checked_sub(1).and_then(|index| speakers.get(index));
            let Some(earlier) = earlier.and_then(|mention| self.inside(mention)) else { break };
            let between = earlier.tokens.end..found.tokens.start;
            let is_bound = !between.is_empty()
                && between.len() <= BOUND_WITHIN
                && self.is_led_at(between.start)
                && self.clause(earlier.tokens.end) == self.clause(found.tokens.start)
                && self.clause(earlier.tokens.end - 1) == self.clause(found.tokens.start);
            if !is_bound {
                break;
            }
            (found, index) = (earlier, index - 1);
        }
        Some(found)
    }

    /// Who stands after a verb that follows what was said: "…", said the Syrian army.
    fn after_quote(&self, at: &Range<usize>) -> Option<&'a Mention> {
        let gap = self.document.gap_before(at.start).trim_end();
        let is_told = at.start > self.sentence.start
            && gap.ends_with([',', '"', '”', '’', '\'', '»', '–', '—']);
        let found = self.after(at.end, INVERTED_WITHIN).filter(|_found| is_told)?;
        // "The governor, as often, said Russian guns had": what follows says something of who is named.
        let end = found.tokens.end;
        let clause = self.clause(end - 1);
        let rest = (end..self.sentence.end).take_while(|at| self.clause(*at) == clause);
        let is_last = rest.take(TITLE_WORDS + 1).count() <= TITLE_WORDS || self.is_led_at(end);
        (is_last && self.clause(at.end - 1) == self.clause(found.tokens.start)).then_some(found)
    }

    /// The first actor after some words.
    fn after(&self, end: usize, within: usize) -> Option<&'a Mention> {
        let speakers = &self.sorted.speakers;
        let first = speakers.partition_point(|mention| mention.tokens.start < end);
        let found = self.inside(speakers.get(first)?)?;
        (found.tokens.start - end <= within).then_some(found)
    }

    fn inside<'m>(&self, mention: &'m Mention) -> Option<&'m Mention> {
        let Range { start, end } = mention.tokens;
        (start >= self.sentence.start && end <= self.sentence.end).then_some(mention)
    }

    /// Whether a preposition begins at a word.
    fn is_led_at(&self, at: usize) -> bool {
        let led = self.lexicon.particles.as_ref().map(|particles| particles.led);
        led.is_some_and(|led| begins(self.sorted.set(led), at))
    }

    /// Whether it is told of whoever stands before: "Hamas is accused of", "residents were told". Who "claims responsibility
    /// for" says so, though it is as good as an accusation.
    fn is_passive(&self, at: &Range<usize>) -> bool {
        self.lexicon.particles.as_ref().is_some_and(|particles| {
            let is_accused = !self.is_claim && begins(self.sorted.set(particles.accused), at.start);
            is_accused || ends(self.sorted.set(particles.be), at.start)
        })
    }

    fn clause(&self, at: usize) -> Option<usize> {
        self.document.tokens.get(at).map(|token| token.clause)
    }
}

/// Whose words a headline is, by its form alone: "Pentagon: no plan to strike", "Three killed in raid: police". A state
/// there says where, and not who.
pub(super) fn voice(sorted: &Sorted, lexicon: &Lexicon, document: &Document<'_>) -> Option<usize> {
    let mut title =
        document.sentences.iter().filter(|sentence| sentence.prominence == Prominence::Title);
    let first = &title.next()?.tokens;
    let end = title.next_back().map_or(first.end, |last| last.tokens.end);
    let dictionary = lexicon.dictionary.as_ref()?;
    let speaks = |mention: &&Mention| {
        let kind = dictionary.entries.get(mention.entry).map(|entry| entry.kind);
        // A seat that is no town says who: "Kremlin", but "Kyiv" where.
        let is_seat = mention.form == Form::Metonym
            && !sorted.places.iter().any(|place| overlap(place, &mention.tokens));
        kind.is_some_and(|kind| match kind {
            ActorKind::State => is_seat,
            ActorKind::Region | ActorKind::People | ActorKind::Gang => false,
            ActorKind::Force
            | ActorKind::Service
            | ActorKind::Ministry
            | ActorKind::Group
            | ActorKind::Alliance
            | ActorKind::Agency
            | ActorKind::Organisation
            | ActorKind::Office => true,
        })
    };
    let mut mentions = sorted.speakers.iter().filter(speaks);
    let found = mentions.find(|Mention { tokens, .. }| {
        let leads = tokens.start == first.start
            && tokens.end < end
            && document.gap_before(tokens.end).trim_start().starts_with(':');
        let ends = tokens.end == end
            && matches!(document.gap_before(tokens.start).trim(), ":" | "–" | "—" | "-");
        leads || ends
    });
    found.map(|mention| mention.entry)
}

/// Whether what stands before a cue can be its subject: "the army said", "the army, as so often, said", but not
/// "the army shelled the town, doctors say".
fn is_subject(actor: &Range<usize>, cue: &Range<usize>, document: &Document<'_>) -> bool {
    let clause = |at: usize| document.tokens.get(at).map_or(0, |token| token.clause);
    let between = clause(cue.start).saturating_sub(clause(actor.end.saturating_sub(1)));
    between != 1 || actor.end == cue.start
}

/// A cue that needs a speaker has none.
#[derive(Clone, Copy)]
pub(super) struct NoSpeaker;

/// Of two ways in which one thing is said, the one that says more about it; who says it is whoever is known.
pub(super) fn stronger(
    one: Option<(ClaimStatus, Option<usize>)>,
    other: (ClaimStatus, Option<usize>),
) -> (ClaimStatus, Option<usize>) {
    match one {
        Some(one) if rank(one.0) >= rank(other.0) => (one.0, one.1.or(other.1)),
        Some(one) => (other.0, other.1.or(one.1)),
        None => other,
    }
}

/// A denial changes more than a claim, and a claim more than a plain report.
fn rank(status: ClaimStatus) -> usize {
    match status {
        ClaimStatus::Reported => 0,
        ClaimStatus::Claimed => 1,
        ClaimStatus::Alleged => 2,
        ClaimStatus::Hypothetical => 3,
        ClaimStatus::Planned => 4,
        ClaimStatus::CalledFor => 5,
        ClaimStatus::Threatened => 6,
        ClaimStatus::Foiled => 7,
        ClaimStatus::Denied => 8,
    }
}

/// Roles by actor's id, for publishing: sorted, each once.
pub(super) fn named_roles(hits: &[Hit], lexicon: &Lexicon) -> Option<Vec<cw_model::Role>> {
    let dictionary = lexicon.dictionary.as_ref()?;
    let of = |(role, entry): &(RoleKind, usize)| {
        let entry = dictionary.entries.get(*entry)?;
        Some(cw_model::Role { role: *role, actor: entry.id.clone() })
    };
    let mut roles: Vec<_> = hits.iter().flat_map(|hit| hit.roles.iter().filter_map(of)).collect();
    roles.sort();
    roles.dedup();
    Some(roles)
}
