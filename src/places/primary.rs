//! Where it happened: the one place of an article that its event is pinned to.

use std::collections::BTreeMap;

use cw_model::Field;

use crate::cues::Cues;
use crate::gazetteer::{PlaceId, PlaceKind};
use crate::mentions::Mention;
use crate::place::Place;
use crate::roles::{Bearing, Role, Setting};
use crate::text::{Text, Token};

/// How much each thing speaks for a place.
mod weight {
    pub(super) const LOCATIVE: f64 = 3.0;
    pub(super) const PREPOSITION: f64 = 0.5;
    pub(super) const TITLE: f64 = 1.5;
    pub(super) const LEAD: f64 = 1.5;
    pub(super) const SAME_SENTENCE: f64 = 3.0;
    pub(super) const NEAR_EVIDENCE: f64 = 1.5;
    /// A city says more than its country.
    pub(super) const EXACT: f64 = 1.8;
    pub(super) const AGAIN: f64 = 0.4;
    /// A continent or a sea: where it happened is seldom told so.
    pub(super) const IN_NO_COUNTRY: f64 = -0.5;
    /// Who acts, not where: "US troops", "Israel attacks".
    pub(super) const ACTOR: f64 = -2.5;
    /// Somebody spoke or met there; of two events, the violent one is what the article is about.
    pub(super) const TALK: f64 = -4.5;
    pub(super) const VIOLENCE: f64 = 2.0;
    /// More than all else together.
    pub(super) const DATELINE: f64 = -30.0;
    /// What is below was only a dateline.
    pub(super) const LEAST: f64 = -12.0;
}

/// Words between evidence and a place that count as near.
const NEAR_WORDS: usize = 8;

/// Words before and after a place that are looked over for what happened there.
const CLAUSE_WORDS: usize = 9;

/// Sentences of summary and body that tell what happened.
const LEAD_SENTENCES: usize = 2;

/// Mentions that count.
const AGAIN_MAX: usize = 5;

/// Which of the places is where it happened, by its place in the list.
pub(crate) fn primary(
    cues: &Cues,
    text: &Text<'_>,
    mentions: &[Mention],
    settings: &[Setting],
    ids: &[Option<PlaceId>],
    places: &[Place],
) -> Option<usize> {
    // The list has the places in the order of their first mentions.
    let mut order: Vec<PlaceId> = Vec::new();
    let mut weights: BTreeMap<PlaceId, (f64, usize)> = BTreeMap::new();
    let happenings: Vec<Happening> =
        mentions.iter().map(|mention| happening(cues, text, mention)).collect();
    let is_violent = happenings.contains(&Happening::Violence)
        || happenings.contains(&Happening::Talk)
            && text
                .tokens
                .iter()
                .any(|token| cues.violence.contains(token.plain) && may_tell(text, token.sentence));
    let all = mentions.iter().zip(settings).zip(ids).zip(&happenings);
    for (((mention, setting), id), happening) in all {
        let Some(id) = id.filter(|_| setting.role != Role::Government) else { continue };
        let told = match happening {
            Happening::Violence => weight::VIOLENCE,
            Happening::Talk if is_violent => weight::TALK,
            Happening::Talk | Happening::Untold => 0.0,
        };
        if !order.contains(&id) {
            order.push(id);
        }
        let weight = told + of_mention(cues, text, mention, setting);
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
        let sea = if places.get(at)?.country.is_none() { weight::IN_NO_COUNTRY } else { 0.0 };
        Some((at, best + again + exact + sea))
    };
    let weighed =
        order.iter().enumerate().filter_map(of_place).filter(|(_, weight)| *weight > weight::LEAST);
    weighed.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(at, _)| at)
}

fn of_mention(cues: &Cues, text: &Text<'_>, mention: &Mention, setting: &Setting) -> f64 {
    let Some(token) = text.token(mention.tokens.start) else { return 0.0 };
    let mut weight = 0.0;
    if setting.role == Role::Dateline {
        weight += weight::DATELINE;
    } else if setting.bearing == Bearing::Locative {
        weight += weight::LOCATIVE;
    } else if setting.bearing == Bearing::Preposition {
        weight += weight::PREPOSITION;
    } else if setting.role == Role::Place && is_actor(cues, text, mention) {
        weight += weight::ACTOR;
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

/// Whether a country stands for those who act in its name.
fn is_actor(cues: &Cues, text: &Text<'_>, mention: &Mention) -> bool {
    let is_country = mention.candidates.iter().any(|of| of.row.kind == PlaceKind::Country);
    let next = text.next(mention.tokens.end).filter(|next| next.follows_directly());
    is_country
        && next.is_some_and(|next| {
            cues.acting_after.contains(next.plain)
                || cues.government_after.contains(next.plain)
                || cues.attack_after.contains(next.plain)
        })
}

/// Whether a sentence may tell of the event: it has evidence, or nobody looked for any.
fn may_tell(text: &Text<'_>, sentence: usize) -> bool {
    let is_in = |evidence: &std::ops::Range<usize>| {
        text.token(evidence.start).is_some_and(|token| token.sentence == sentence)
    };
    text.evidence.is_empty() || text.evidence.iter().any(is_in)
}

/// What the words of its clause say of a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Happening {
    /// Something violent happened there.
    Violence,
    /// Somebody spoke there, which is an event where nothing else is.
    Talk,
    /// Nothing.
    Untold,
}

fn happening(cues: &Cues, text: &Text<'_>, mention: &Mention) -> Happening {
    let (start, end) = (mention.tokens.start, mention.tokens.end);
    let splits = |token: &Token<'_>| {
        cues.clause.contains(token.plain) || token.gap.contains([',', ';', ':', '—', '–'])
    };
    let mut talk = text
        .next(end)
        .is_some_and(|next| next.follows_directly() && cues.government_after.contains(next.plain));
    let mut violence = false;
    let mut note = |token: &Token<'_>| {
        talk |= cues.talk.contains(token.plain);
        violence |= cues.violence.contains(token.plain);
    };
    let mut at = start;
    while let Some(before) = text.before(at).filter(|_| start - at < CLAUSE_WORDS) {
        if text.token(at).is_some_and(splits) {
            break;
        }
        note(before);
        at -= 1;
    }
    let after = (end..end + CLAUSE_WORDS).map_while(|at| text.next(at));
    after.take_while(|token| !splits(token)).for_each(note);
    violence &= text.token(start).is_some_and(|token| may_tell(text, token.sentence));
    match (violence, talk) {
        (true, _) => Happening::Violence,
        (false, true) => Happening::Talk,
        (false, false) => Happening::Untold,
    }
}
