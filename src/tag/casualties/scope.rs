//! What a number of casualties counts: the event, a new total, a cumulative toll, the past, a fear,
//! or nothing.
//!
//! In this order: a denial near the number; a possibility near what happened; a new total; the toll
//! of a whole conflict; the past; else the event the article reports. The publication date is not
//! known here, so "in 2014" is taken for the past: news rarely names the current year.

use std::ops::Range;

use super::Count;
use super::numbers::phrase_end;
use crate::model::{CasualtyKind, CasualtyScope};
use crate::tag::segment::Document;

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

/// The cues of one sentence, in order.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    denials: Vec<Range<usize>>,
    possibilities: Vec<Range<usize>>,
    rises: Vec<Range<usize>>,
    totals: Vec<Range<usize>>,
    backgrounds: Vec<Range<usize>>,
    pasts: Vec<Range<usize>>,
}

impl Scopes {
    /// Looks at every word of a sentence once.
    pub(super) fn of(document: &Document<'_>, sentence: &Range<usize>) -> Self {
        let mut scopes = Self::default();
        for at in sentence.clone() {
            let cue = |phrases: &[&str]| {
                phrases
                    .iter()
                    .find_map(|phrase| phrase_end(document, phrase, at, sentence.end))
                    .map(|end| at..end)
            };
            scopes.denials.extend(cue(&DENIALS));
            scopes.possibilities.extend(cue(&POSSIBILITIES));
            scopes.rises.extend(cue(&RISES));
            scopes.totals.extend(cue(&TOTALS));
            scopes.pasts.extend(cue(&PASTS).or_else(|| past_year(document, at, sentence.end)));
            let background = cue(&BACKGROUNDS);
            scopes
                .backgrounds
                .extend(background.or_else(|| conflict_at(document, at, sentence.end)));
        }
        scopes
    }
}

/// What a number counts.
pub(super) fn scope_of(document: &Document<'_>, scopes: &Scopes, count: &Count) -> CasualtyScope {
    let starts = |cue: &&Range<usize>, reach: usize, place: usize| {
        cue.end <= place && place - cue.end <= reach && is_one_clause(document, cue.start, place)
    };
    let denied = scopes.denials.iter().any(|cue| {
        let reach = if document.word(cue.start) == "not" { 1 } else { DENIAL_REACH };
        let near = if reach == 1 { count.predicate.start } else { count.tokens.start };
        starts(&cue, reach, near)
    });
    if denied {
        return CasualtyScope::Denied;
    }
    let infinitive = count.predicate.start.checked_sub(1).map(|at| document.word(at)) == Some("to")
        && document.word(count.predicate.start) == "kill";
    let possible = |cue: &Range<usize>| starts(&cue, POSSIBILITY_REACH, count.predicate.start);
    if infinitive || scopes.possibilities.iter().any(possible) {
        return CasualtyScope::Hypothetical;
    }
    let is_total =
        scopes.totals.iter().any(|total| total.start.abs_diff(count.tokens.start) <= PAST_REACH);
    let past = scopes.pasts.iter().any(|cue| distance(cue, &count.tokens) <= PAST_REACH);
    if !scopes.backgrounds.is_empty() {
        return CasualtyScope::Background;
    }
    if is_total && !scopes.rises.is_empty() && count.kind == CasualtyKind::Killed {
        return CasualtyScope::Update;
    }
    if past { CasualtyScope::Historical } else { CasualtyScope::Event }
}

fn is_one_clause(document: &Document<'_>, first: usize, second: usize) -> bool {
    let clause = |at: usize| document.tokens.get(at).map(|token| token.clause);
    clause(first) == clause(second)
}

fn distance(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.start.saturating_sub(b.end).max(b.start.saturating_sub(a.end))
}

/// "in 1994", "of 2014".
fn past_year(document: &Document<'_>, at: usize, end: usize) -> Option<Range<usize>> {
    let before = matches!(document.word(at), "in" | "of" | "during");
    let year = at + 1 < end && is_year(document.word(at + 1));
    (before && year).then_some(at..at + 2)
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.parse::<u32>().is_ok_and(|year| (1800..2100).contains(&year))
}

/// "since 2011", "since the war began", "five years of war", "the war has", "in the conflict".
fn conflict_at(document: &Document<'_>, at: usize, end: usize) -> Option<Range<usize>> {
    let word = |ahead: usize| {
        if at + ahead < end { document.word(at + ahead) } else { "" }
    };
    let is_conflict = |word: &str| CONFLICTS.contains(&word);
    let since = word(0) == "since"
        && (is_year(word(1))
            || is_year(word(2))
            || (2..5).any(|ahead| is_conflict(word(ahead)))
            || super::words::is_month(word(1)));
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
        ) || document.gap_before(at + noun + 1).contains(',')
            && end > at + noun + 1
            && matches!(word(noun + 1), "which" | "now"));
    let inside = matches!(word(0), "in" | "during")
        && matches!(word(1), "the" | "a" | "this")
        && (2..4).any(|ahead| {
            matches!(word(ahead), "war" | "conflict" | "insurgency" | "uprising" | "militancy")
        })
        && (3..5).all(|ahead| !matches!(word(ahead), "torn" | "zone" | "zones" | "ravaged"));
    let any = since || years_of || kills || inside;
    any.then_some(at..at + 1)
}
