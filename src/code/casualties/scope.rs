//! What a number of casualties counts: the event, a new total, a cumulative toll, the past, a fear,
//! or nothing.
//!
//! In this order: a denial near the number; a possibility near what happened; a new total; the toll
//! of a whole conflict; the past; else the event the article reports. The publication date is not
//! known here, so "in 2014" is taken for the past: news rarely names the current year.

use std::ops::Range;

use cw_model::{CasualtyKind, CasualtyScope};

use super::Count;
use super::role::{Cue, Role};
use super::text::Text;
use super::words::is_month;

/// Words a denial reaches: "denied reports that its forces had killed 12".
const DENIAL_REACH: usize = 9;
/// Words a possibility reaches: "could have killed", "a plot to".
const POSSIBILITY_REACH: usize = 4;
/// Words a year or "two years ago" reaches.
const PAST_REACH: usize = 12;

const DENIALS: [&str; 9] = [
    "denied",
    "denies",
    "denying",
    "rejected claims",
    "dismissed claims",
    "dismissed reports",
    "rejected reports",
    "false reports",
    "not",
];

const POSSIBILITIES: [&str; 21] = [
    "could",
    "would",
    "might",
    "may",
    "should",
    "if",
    "risk of",
    "threatened to",
    "threatening to",
    "plot to",
    "plotting to",
    "planned to",
    "planning to",
    "plans to",
    "intended to",
    "trying to",
    "tried to",
    "attempted to",
    "feared",
    "vowed to",
    "failed to",
];

/// With a toll or total, these say that it is new.
const RISES: [&str; 24] = [
    "rose",
    "risen",
    "rises",
    "rising",
    "climbed",
    "climbs",
    "climbing",
    "increased",
    "increases",
    "jumped",
    "grew",
    "grown",
    "revised",
    "raising",
    "raises",
    "raised",
    "bringing",
    "brings",
    "brought",
    "taking",
    "takes",
    "soared",
    "updated",
    "now stands",
];

const TOTALS: [&str; 6] = ["toll", "total", "number", "tally", "figure", "count"];

/// Nouns for a conflict as a whole.
const CONFLICTS: [&str; 17] = [
    "war",
    "conflict",
    "insurgency",
    "uprising",
    "rebellion",
    "revolution",
    "militancy",
    "fighting",
    "violence",
    "crisis",
    "offensive",
    "invasion",
    "occupation",
    "unrest",
    "bloodshed",
    "hostilities",
    "genocide",
];

const BACKGROUNDS: [&str; 29] = [
    "over the past",
    "over the last",
    "in the past year",
    "in the past decade",
    "in the last decade",
    "in recent years",
    "so far this year",
    "this year alone",
    "since the start of",
    "since the beginning of",
    "since the outbreak of",
    "since it began",
    "since last year",
    "over the years",
    "the past two years",
    "for decades",
    "since independence",
    "year old",
    "years long",
    "decade long",
    "decades long",
    "year long",
    "since early",
    "since late",
    "since mid",
    "to date",
    "since then",
    "in total since",
    "each year",
];

const PASTS: [&str; 15] = [
    "years ago",
    "decades ago",
    "year ago",
    "a century ago",
    "anniversary",
    "commemorate",
    "commemorated",
    "commemorating",
    "commemoration",
    "last year",
    "first world war",
    "second world war",
    "world war",
    "in memory of",
    "years earlier",
];

/// Words of the longest cue.
const CUE_WORDS_MAX: usize = 5;

/// Every phrase of this file.
pub(super) fn roles() -> impl Iterator<Item = (&'static str, Role)> {
    let of = |cue| move |phrase| (phrase, Role::Scope(cue));
    DENIALS
        .map(of(Cue::Denial))
        .into_iter()
        .chain(POSSIBILITIES.map(of(Cue::Possibility)))
        .chain(RISES.map(of(Cue::Rise)))
        .chain(TOTALS.map(of(Cue::Total)))
        .chain(BACKGROUNDS.map(of(Cue::Background)))
        .chain(PASTS.map(of(Cue::Past)))
}

/// The cues of one sentence, in order.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    denials: Vec<Range<usize>>,
    possibilities: Vec<Range<usize>>,
    totals: Vec<Range<usize>>,
    pasts: Vec<Range<usize>>,
    has_rise: bool,
    has_background: bool,
}

impl Scopes {
    /// Looks at every word of a sentence once.
    pub(super) fn of(text: &Text<'_, '_>, sentence: &Range<usize>) -> Self {
        let mut scopes = Self::default();
        for at in sentence.clone() {
            let cue = |cue: Cue| {
                let is_cue = |role| matches!(role, Role::Scope(own) if own == cue).then_some(());
                text.phrase(at, sentence.end, is_cue).map(|((), end)| at..end)
            };
            scopes.denials.extend(cue(Cue::Denial));
            scopes.possibilities.extend(cue(Cue::Possibility));
            scopes.totals.extend(cue(Cue::Total));
            scopes.pasts.extend(cue(Cue::Past).or_else(|| past_year(text, at, sentence.end)));
            scopes.has_rise |= cue(Cue::Rise).is_some();
            scopes.has_background |=
                cue(Cue::Background).is_some() || is_conflict_at(text, at, sentence.end);
        }
        scopes
    }
}

/// What a number counts.
pub(super) fn scope_of(text: &Text<'_, '_>, scopes: &Scopes, count: &Count) -> CasualtyScope {
    let starts = |cue: &Range<usize>, reach: usize, place: usize| {
        cue.end <= place && place - cue.end <= reach && is_one_clause(text, cue.start, place)
    };
    let (number, predicate) = (count.tokens.start, count.predicate.start);
    let denied = near(&scopes.denials, &(number..predicate), DENIAL_REACH).iter().any(|cue| {
        let reach = if text.word(cue.start) == "not" { 1 } else { DENIAL_REACH };
        starts(cue, reach, if reach == 1 { predicate } else { number })
    });
    if denied {
        return CasualtyScope::Denied;
    }
    let infinitive = predicate.checked_sub(1).map(|at| text.word(at)) == Some("to")
        && text.word(predicate) == "kill";
    let possible = |cue: &Range<usize>| starts(cue, POSSIBILITY_REACH, predicate);
    let possibilities = near(&scopes.possibilities, &(predicate..predicate), POSSIBILITY_REACH);
    if infinitive || possibilities.iter().any(possible) {
        return CasualtyScope::Hypothetical;
    }
    if scopes.has_background {
        return CasualtyScope::Background;
    }
    let totals = near(&scopes.totals, &(number..number), PAST_REACH);
    let is_total = totals.iter().any(|total| total.start.abs_diff(number) <= PAST_REACH);
    if is_total && scopes.has_rise && count.kind == CasualtyKind::Killed {
        return CasualtyScope::Update;
    }
    let pasts = near(&scopes.pasts, &count.tokens, PAST_REACH);
    let past = pasts.iter().any(|cue| distance(cue, &count.tokens) <= PAST_REACH);
    if past { CasualtyScope::Historical } else { CasualtyScope::Event }
}

/// Those cues of a sentence that can be within `reach` words of a place: a sentence may be full of them,
/// and of numbers.
fn near<'c>(cues: &'c [Range<usize>], place: &Range<usize>, reach: usize) -> &'c [Range<usize>] {
    let first = place.start.min(place.end).saturating_sub(reach + CUE_WORDS_MAX);
    let last = place.start.max(place.end).saturating_add(reach);
    let from = cues.partition_point(|cue| cue.start < first);
    let to = cues.partition_point(|cue| cue.start <= last);
    cues.get(from..to).unwrap_or_default()
}

fn is_one_clause(text: &Text<'_, '_>, first: usize, second: usize) -> bool {
    text.clause(first) == text.clause(second)
}

fn distance(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.start.saturating_sub(b.end).max(b.start.saturating_sub(a.end))
}

/// "in 1994", "of 2014".
fn past_year(text: &Text<'_, '_>, at: usize, end: usize) -> Option<Range<usize>> {
    let before = matches!(text.word(at), "in" | "of" | "during");
    let year = at + 1 < end && is_year(text.word(at + 1));
    (before && year).then_some(at..at + 2)
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.parse::<u32>().is_ok_and(|year| (1800..2100).contains(&year))
}

/// "since 2011", "since the war began", "five years of war", "the war has", "in the conflict".
fn is_conflict_at(text: &Text<'_, '_>, at: usize, end: usize) -> bool {
    let word = |ahead: usize| {
        if at + ahead < end { text.word(at + ahead) } else { "" }
    };
    let is_conflict = |word: &str| CONFLICTS.contains(&word);
    let since = word(0) == "since"
        && (is_year(word(1))
            || is_year(word(2))
            || (2..5).any(|ahead| is_conflict(word(ahead)))
            || (at + 1 < end && is_month(text, at + 1)));
    let years_of = matches!(word(0), "year" | "years" | "decades" | "months")
        && (is_conflict(word(1))
            || (word(1) == "of" && (2..5).any(|ahead| is_conflict(word(ahead)))));
    let whole = matches!(word(0), "the" | "a" | "s" | "bloody" | "brutal" | "civil") || at == 0;
    let noun = if matches!(word(1), "civil" | "armed" | "bloody" | "brutal") { 2 } else { 1 };
    let kills = whole
        && matches!(
            word(noun),
            "war" | "conflict" | "insurgency" | "uprising" | "rebellion" | "militancy"
        )
        && (matches!(
            word(noun + 1),
            "has" | "have" | "had" | "that" | "which" | "claimed" | "killed" | "began"
        ) || text.document.gap_before(at + noun + 1).contains(',')
            && end > at + noun + 1
            && matches!(word(noun + 1), "which" | "now"));
    let inside = matches!(word(0), "in" | "during")
        && matches!(word(1), "the" | "a" | "this")
        && (2..4).any(|ahead| {
            matches!(word(ahead), "war" | "conflict" | "insurgency" | "uprising" | "militancy")
        })
        && (3..5).all(|ahead| !matches!(word(ahead), "torn" | "zone" | "zones" | "ravaged"));
    since || years_of || kills || inside
}
