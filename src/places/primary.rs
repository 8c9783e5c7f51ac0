//! Where it happened: the one place of an article that its event is pinned to.

use std::collections::BTreeMap;

use cw_model::Field;

use crate::gazetteer::{PlaceId, PlaceKind};
use crate::mentions::Mention;
use crate::place::Place;
use crate::roles::{Bearing, Role, Setting};
use crate::text::Text;

/// How much each thing speaks for a place.
mod weight {
    pub(super) const LOCATIVE: f64 = 3.0;
    pub(super) const PREPOSITION: f64 = 0.5;
    pub(super) const TITLE: f64 = 1.5;
    pub(super) const LEAD: f64 = 1.5;
    pub(super) const SAME_SENTENCE: f64 = 3.0;
    pub(super) const NEAR_EVIDENCE: f64 = 1.5;
    /// A city says more than its country.
    pub(super) const EXACT: f64 = 1.0;
    pub(super) const AGAIN: f64 = 0.4;
    /// More than all else together.
    pub(super) const DATELINE: f64 = -20.0;
}

/// Words between evidence and a place that count as near.
const NEAR_WORDS: usize = 8;

/// Sentences of summary and body that tell what happened.
const LEAD_SENTENCES: usize = 2;

/// Mentions that count.
const AGAIN_MAX: usize = 5;

/// Which of the places is where it happened, by its place in the list.
pub(crate) fn primary(
    text: &Text<'_>,
    mentions: &[Mention],
    settings: &[Setting],
    ids: &[Option<PlaceId>],
    places: &[Place],
) -> Option<usize> {
    // The list has the places in the order of their first mentions.
    let mut order: Vec<PlaceId> = Vec::new();
    let mut weights: BTreeMap<PlaceId, (f64, usize)> = BTreeMap::new();
    for ((mention, setting), id) in mentions.iter().zip(settings).zip(ids) {
        let Some(id) = id.filter(|_| setting.role != Role::Government) else { continue };
        if !order.contains(&id) {
            order.push(id);
        }
        let weight = of_mention(text, mention, setting);
        let (best, times) = weights.entry(id).or_insert((f64::MIN, 0));
        *best = best.max(weight);
        *times += 1;
    }
    let of_place = |(at, id): (usize, &PlaceId)| {
        let (best, times) = weights.get(id)?;
        let again =
            f64::from(u8::try_from((*times).min(AGAIN_MAX)).unwrap_or_default()) * weight::AGAIN;
        let exact = match places.get(at)?.kind {
            PlaceKind::Country => 0.0,
            PlaceKind::Region => weight::EXACT * 0.6,
            PlaceKind::City | PlaceKind::Other => weight::EXACT,
        };
        Some((at, best + again + exact))
    };
    let weighed = order.iter().enumerate().filter_map(of_place).filter(|(_, weight)| *weight > 0.0);
    weighed.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(at, _)| at)
}

fn of_mention(text: &Text<'_>, mention: &Mention, setting: &Setting) -> f64 {
    let Some(token) = text.token(mention.tokens.start) else { return 0.0 };
    let mut weight = 0.0;
    if setting.role == Role::Dateline {
        weight += weight::DATELINE;
    } else if setting.bearing == Bearing::Locative {
        weight += weight::LOCATIVE;
    } else if setting.bearing == Bearing::Preposition {
        weight += weight::PREPOSITION;
    }
    let first = text.first_of(token.field).and_then(|first| text.token(first));
    let first = first.map_or(0, |first| first.sentence);
    if token.field == Field::Title {
        weight += weight::TITLE;
    } else if token.sentence < first + LEAD_SENTENCES {
        weight += weight::LEAD;
    }
    let same = |evidence: &&std::ops::Range<usize>| {
        text.token(evidence.start).is_some_and(|other| other.sentence == token.sentence)
    };
    let distance = |evidence: &std::ops::Range<usize>| {
        mention
            .tokens
            .start
            .saturating_sub(evidence.end)
            .max(evidence.start.saturating_sub(mention.tokens.end))
    };
    if let Some(words) = text.evidence.iter().filter(same).map(distance).min() {
        weight += weight::SAME_SENTENCE;
        if words <= NEAR_WORDS {
            weight += weight::NEAR_EVIDENCE;
        }
    }
    weight
}
