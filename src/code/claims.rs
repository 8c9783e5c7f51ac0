//! Who has which role in what a reason says, and how it is said and by whom.

use std::ops::Range;

use cw_model::{ActorKind, ClaimStatus, RoleKind};

use super::combinations::mention_in;
use super::lexicon::{Cue, Lexicon, Need, Place, RoleRule, Speaker};
use super::names::Mention;
use super::segment::{Document, Prominence};
use super::spans::{Hit, Sorted, contains_any, sentence_of};

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

/// Who says something, by a cue at some words.
///
/// `Err`: the cue says nothing there, for want of a speaker.
pub(super) fn speaker(
    cue: &Cue,
    at: &Range<usize>,
    sorted: &Sorted,
    document: &Document<'_>,
) -> Result<Option<usize>, NoSpeaker> {
    let Some(Speaker { within, place, need }) = cue.speaker else { return Ok(None) };
    let mentions = &sorted.mentions;
    let found = match place {
        Place::Before | Place::Inside => {
            let end = mentions.partition_point(|mention| mention.tokens.end <= at.start);
            end.checked_sub(1)
                .and_then(|last| mentions.get(last))
                .filter(|mention| at.start - mention.tokens.end <= within)
                .filter(|mention| is_subject(&mention.tokens, at, document))
        }
        Place::After => {
            let first = mentions.partition_point(|mention| mention.tokens.start < at.end);
            mentions.get(first).filter(|mention| mention.tokens.start - at.end <= within)
        }
    };
    let sentence = sentence_of(document, at);
    let found = found.filter(|mention| sentence_of(document, &mention.tokens) == sentence);
    match (found, need) {
        (Some(mention), _) => Ok(Some(mention.entry)),
        (None, Need::Optional) => Ok(None),
        (None, Need::Required) => Err(NoSpeaker),
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
        kind.is_some_and(|kind| match kind {
            ActorKind::State | ActorKind::Region | ActorKind::People | ActorKind::Gang => false,
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
    let mut mentions = sorted.mentions.iter().filter(speaks);
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
