//! Whether a cue stands close enough to a match to speak of it.

use std::ops::Range;

use cw_model::ClaimStatus;

use super::lexicon::{Cue, Effect, Reach};
use super::segment::Document;

/// Where a cue stands close enough to a hit.
pub(super) fn near(
    cue: &Cue,
    places: &[Range<usize>],
    hit: &Range<usize>,
    document: &Document<'_>,
) -> Option<Range<usize>> {
    places.get(nearest(cue, places, hit, document)?).cloned()
}

/// Which of the places of a cue is close enough to a hit. They are in order and never overlap each other by
/// more than a word or two, so the nearest on each side decides.
pub(super) fn nearest(
    cue: &Cue,
    places: &[Range<usize>],
    hit: &Range<usize>,
    document: &Document<'_>,
) -> Option<usize> {
    let at = places.partition_point(|place| place.start < hit.start);
    let (earlier, later) = places.split_at(at);
    let before = cue.before.and_then(|limit| {
        let index = earlier.iter().rposition(|place| place.end <= hit.start)?;
        let place = earlier.get(index)?;
        let close = hit.start - place.end <= limit
            && is_within(cue.reach, document, place.end - 1, hit.start);
        close.then_some(index)
    });
    let before = before.or_else(|| {
        // "The air force denied that its planes had bombed": the pattern spans the cue.
        matches!(cue.effect, Effect::Claims(_))
            .then(|| {
                // "Enemy losses came to": whose word it is may stand first.
                let is_claimed = matches!(cue.effect, Effect::Claims(ClaimStatus::Claimed));
                let is_inside = |place: &Range<usize>| {
                    place.end <= hit.end
                        && (place.start > hit.start || is_claimed && place.start == hit.start)
                };
                later.iter().position(is_inside).map(|further| at + further)
            })
            .flatten()
    });
    before.or_else(|| {
        let limit = cue.after?;
        let further = later.iter().position(|place| place.start >= hit.end)?;
        let place = later.get(further)?;
        let close = place.start - hit.end <= limit
            && is_within(cue.reach, document, hit.end - 1, place.start);
        close.then_some(at + further)
    })
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
