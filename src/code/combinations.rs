//! Combinations: words of several sets near each other in one sentence, in any order or as written; and
//! who has which role in them.

use std::ops::Range;

use cw_model::{RoleKind, Steps, TooCostly};

use super::lexicon::{Combination, Need, Order, Part};
use super::names::Mention;
use super::segment::Document;
use super::sets::{Sentences, contains_any};
use super::spans::{Hit, Sorted, overlap, sentence_of};

/// Matches of one set tried on each side of an anchor. They may overlap the anchor or each other, so
/// the first is not always the one; more than a few would let a strange text take quadratic time.
const NEIGHBOURS_TRIED: usize = 4;

/// Steps for looking for one part of a combination by one anchor.
const PART_STEPS: usize = 20;

/// Adds to `hits` the places where all parts of a combination, which may be in these sentences, stand close enough.
/// `found` is room for the parts, which all combinations share.
///
/// # Errors
/// [`TooCostly`] if there are no steps left.
pub(super) fn combined<'l>(
    (combination, shared): (&'l Combination, Sentences),
    sorted: &Sorted,
    document: &Document<'_>,
    steps: &Steps,
    found: &mut Vec<(&'l Part, Range<usize>)>,
    hits: &mut Vec<Hit>,
) -> Result<(), TooCostly> {
    let Some((anchor, others)) = combination.required.split_first() else { return Ok(()) };
    let anchor_steps = combination.all.len().saturating_mul(PART_STEPS);
    for place in sorted.set(*anchor) {
        steps.spend(anchor_steps)?;
        let Some(number) = document.tokens.get(place.start).map(|token| token.sentence) else {
            continue;
        };
        if !shared.may_hold(number) {
            continue;
        }
        let Some(sentence) = sentence_of(document, place) else { continue };
        // Bits do not tell the last sentences apart.
        if !Sentences::of(number).are_told_apart()
            && others.iter().any(|set| !contains_any(sorted.set(*set), &sentence))
        {
            continue;
        }
        found.clear();
        let is_whole = match combination.order {
            Order::Any | Order::AnchorFirst => around(combination, place, sorted, &sentence, found),
            Order::AsWritten => in_order(combination, place, sorted, &sentence, document, found),
        };
        if is_whole.is_none() {
            continue;
        }
        let start = found.iter().map(|(_part, words)| words.start).min().unwrap_or_default();
        let end = found.iter().map(|(_part, words)| words.end).max().unwrap_or_default();
        let is_in = |set: &usize, words: &Range<usize>| sorted.sets.is_in(*set, words, number);
        if combination.without.iter().any(|set| is_in(set, &sentence))
            || combination.not_between.iter().any(|set| is_in(set, &(start..end)))
        {
            continue;
        }
        let mut hit =
            Hit::new(combination.tag, combination.written, combination.weight, start..end);
        hit.roles = found.iter().filter_map(|(part, words)| role(part, words, sorted)).collect();
        hits.push(hit);
    }
    Ok(())
}

/// Adds to `parts` those around the first, in any order; `None` if one is missing.
fn around<'a>(
    combination: &'a Combination,
    anchor: &Range<usize>,
    sorted: &Sorted,
    sentence: &Range<usize>,
    parts: &mut Vec<(&'a Part, Range<usize>)>,
) -> Option<()> {
    let (first, others) = combination.all.split_first()?;
    parts.push((first, anchor.clone()));
    for other in others {
        let near = nearest(sorted.set(other.set), parts, combination, sentence)?;
        parts.push((other, near));
    }
    Some(())
}

/// The match of a set nearest to the anchor (the first of `parts`) that overlaps none of `parts`.
fn nearest(
    candidates: &[Range<usize>],
    parts: &[(&Part, Range<usize>)],
    combination: &Combination,
    sentence: &Range<usize>,
) -> Option<Range<usize>> {
    let (_part, anchor) = parts.first()?;
    let at = candidates.partition_point(|candidate| candidate.start < anchor.start);
    let (before, after) = candidates.split_at(at);
    let earlier = before.iter().rev().take(match combination.order {
        Order::Any => NEIGHBOURS_TRIED,
        Order::AnchorFirst | Order::AsWritten => 0,
    });
    let later = after.iter().take(NEIGHBOURS_TRIED);
    let gap = |candidate: &Range<usize>| {
        candidate.start.saturating_sub(anchor.end).max(anchor.start.saturating_sub(candidate.end))
    };
    let fits = |candidate: &&Range<usize>| {
        candidate.start >= sentence.start
            && candidate.end <= sentence.end
            && gap(candidate) <= combination.within
            && parts.iter().all(|(_part, words)| !overlap(words, candidate))
    };
    earlier.chain(later).filter(fits).min_by_key(|candidate| gap(candidate)).cloned()
}

/// Adds to `parts` those that stand one after the other, from the first that must be there; `None` if one is missing.
fn in_order<'a>(
    combination: &'a Combination,
    anchor: &Range<usize>,
    sorted: &Sorted,
    sentence: &Range<usize>,
    document: &Document<'_>,
    parts: &mut Vec<(&'a Part, Range<usize>)>,
) -> Option<()> {
    let clause = |at: usize| document.tokens.get(at).map(|token| token.clause);
    let is_one =
        |end: usize, start: usize| end == start || clause(end.saturating_sub(1)) == clause(start);
    let at = combination.all.iter().position(|part| part.need == Need::Required)?;
    let (before, rest) = combination.all.split_at(at);
    let (first, after) = rest.split_first()?;
    parts.push((first, anchor.clone()));
    let mut start = anchor.start;
    for part in before.iter().rev() {
        let matches = sorted.set(part.set);
        let at = matches.partition_point(|found| found.start < start);
        let earlier = matches.get(..at)?.iter().rev().take(NEIGHBOURS_TRIED);
        let fits = |found: &&Range<usize>| {
            found.start >= sentence.start
                && found.end <= start
                && start - found.end <= combination.within
                && is_one(found.end, start)
        };
        if let Some(found) = earlier.clone().find(fits) {
            parts.push((part, found.clone()));
            start = found.start;
        }
    }
    let mut end = anchor.end;
    for part in after {
        let matches = sorted.set(part.set);
        let at = matches.partition_point(|found| found.start < end);
        let found = matches
            .get(at)
            .filter(|found| found.end <= sentence.end && found.start - end <= combination.within)
            .filter(|found| is_one(end, found.start));
        match (found, part.need) {
            (Some(found), Need::Required | Need::Optional) => {
                // Of matches that begin together the longest.
                let longest =
                    matches.get(at..)?.iter().take_while(|other| other.start == found.start);
                let found =
                    longest.filter(|one| one.end <= sentence.end).max_by_key(|one| one.end)?;
                parts.push((part, found.clone()));
                end = found.end;
            }
            (None, Need::Optional) => {}
            (None, Need::Required) => return None,
        }
    }
    Some(())
}

fn role(part: &Part, words: &Range<usize>, sorted: &Sorted) -> Option<(RoleKind, usize)> {
    let role = part.role?;
    mention_in(&sorted.mentions, words).map(|mention| (role, mention.entry))
}

/// The first actor named within some words.
pub(super) fn mention_in<'a>(mentions: &'a [Mention], words: &Range<usize>) -> Option<&'a Mention> {
    let at = mentions.partition_point(|mention| mention.tokens.end <= words.start);
    mentions.get(at).filter(|mention| overlap(&mention.tokens, words))
}
