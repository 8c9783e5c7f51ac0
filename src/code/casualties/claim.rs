//! Which people belong to which happening, in one sentence.
//!
//! Each happening takes the people after it ("killing 43 people"), before it ("43 people were killed",
//! "12 dead") or on either side, as the grammar says; those joined by "and" are added up. Nobody is taken
//! twice, but by two happenings that share a number ("12 killed or wounded"). A part of those before
//! ("including three children") is a count of its own that says of which it is a part.

use std::ops::Range;

use cw_model::CasualtySide;

use super::group::{BETWEEN_MAX, Cast, Group, Link, TRIED_MAX, alone};
use super::people::{Form, Head, People, ends_noun};
use super::role::{Happening, Kinds, List, Role, Toll, Victims, What};
use super::text::Text;

/// Words between a total and a number that no word says to be the new one.
const TOLL_NEAR_MAX: usize = 3;

/// Words between "no" and what happened to nobody.
const NOBODY_MAX: usize = 7;

/// One number of people, before its scope is known.
#[derive(Clone, Debug)]
pub(super) struct Count {
    /// What happened to them.
    pub(super) what: What,
    /// At least.
    pub(super) low: Option<u64>,
    /// At most.
    pub(super) high: Option<u64>,
    /// Their side, where all have one.
    pub(super) side: Option<CasualtySide>,
    /// From the first word of the number or happening to the last of the other.
    pub(super) tokens: Range<usize>,
    /// The words that say what happened.
    pub(super) happening: Range<usize>,
    /// The words of those counted.
    pub(super) people: Range<usize>,
    /// The count of the same sentence that these are a part of.
    pub(super) part_of: Option<usize>,
    /// It is given as a total.
    pub(super) is_toll: bool,
}

/// Every count of a sentence, in order of the happenings; parts last.
pub(super) fn counts_of(text: &Text<'_, '_>, sentence: &Range<usize>) -> Vec<Count> {
    let mut claims = Claims { cast: Cast::new(text, sentence), counts: Vec::new() };
    claims.read();
    claims.add_parts();
    claims.counts
}

struct Claims<'t, 'd, 'a> {
    cast: Cast<'t, 'd, 'a>,
    counts: Vec<Count>,
}

impl Claims<'_, '_, '_> {
    fn read(&mut self) {
        let mut at = self.cast.sentence.start;
        while at < self.cast.sentence.end {
            at = self.read_at(at);
        }
    }

    /// Reads what begins at a word, and says where to go on.
    fn read_at(&mut self, at: usize) -> usize {
        // Nearly every word begins none.
        if !self.cast.text.is_one_of(at, Kinds::BEGIN_A_COUNT) {
            return at + 1;
        }
        let none = self.cast.text.role(at, |role| {
            let Role::NoneOf(what) = role else { return None };
            Some(what)
        });
        if let Some((what, end)) = none {
            self.counts.push(nobody(what, at..end));
            return end;
        }
        if let Some((what, end)) = self.nobody_at(at) {
            self.counts.push(nobody(what, at..end));
            return end;
        }
        let toll = self.cast.text.role(at, |role| {
            let Role::Toll(toll) = role else { return None };
            Some(toll)
        });
        if let Some((toll, end)) = toll {
            self.add_toll(toll, &(at..end));
            return end;
        }
        let Some((happening, end)) = self.joint_at(at) else { return at + 1 };
        self.add_happening(&happening, &(at..end));
        end
    }

    /// What happened to nobody ("no one else was hurt").
    fn nobody_at(&self, at: usize) -> Option<(What, usize)> {
        let mut next = self.cast.text.listed(at, List::Nobody)?;
        // "none of the 30 passengers was"
        let limit = (next + NOBODY_MAX).min(self.cast.sentence.end);
        while next < limit && self.cast.happening_at(next).is_none() {
            let role = |role: Role| match role {
                Role::Noun(_) | Role::Unit(_) | Role::Listed(List::Of | List::Determiner) => {
                    Some(())
                }
                _ => None,
            };
            let is_inside = self.cast.is_auxiliary(next)
                || self.cast.text.role(next, role).is_some()
                || self.cast.text.word(next).starts_with(char::is_numeric);
            if !is_inside {
                return None;
            }
            next += 1;
        }
        let (happening, end) = self.joint_at(next)?;
        Some((happening.what, end))
    }

    /// A happening, or two of the same people: "killed or wounded".
    fn joint_at(&self, at: usize) -> Option<(Happening, usize)> {
        let (first, end) = self.cast.happening_at(at)?;
        let joined =
            self.cast.text.listed(end, List::Or).or_else(|| self.cast.text.listed(end, List::And));
        let second = joined.and_then(|next| self.cast.happening_at(next));
        let Some((second, after)) = second else { return Some((first, end)) };
        let Some(what) = first.what.jointly_with(second.what) else { return Some((first, end)) };
        // "were killed and wounded", "killed and wounded 12", but "two died and wounding three".
        let victims = match (first.victims, second.victims) {
            (first, second) if first == second => first,
            (Victims::Before, Victims::AfterUnlessPassive)
            | (Victims::AfterUnlessPassive, Victims::Before) => Victims::Before,
            (Victims::AfterUnlessPassive, Victims::After)
            | (Victims::After, Victims::AfterUnlessPassive) => Victims::After,
            (Victims::Either, other) | (other, Victims::Either) => other,
            (Victims::Before | Victims::After | Victims::RightBefore, _)
            | (_, Victims::RightBefore) => return Some((first, end)),
            (Victims::AfterUnlessPassive, Victims::AfterUnlessPassive) => first.victims,
        };
        Some((Happening { what, victims, counts: first.counts }, after))
    }

    fn add_happening(&mut self, happening: &Happening, words: &Range<usize>) {
        if self.makes_worse(happening, words) {
            return;
        }
        let is_passive = self.cast.is_passive(words.start);
        let group = match happening.victims {
            Victims::After => self.cast.after(happening, words),
            Victims::Before | Victims::RightBefore => self.cast.before(happening, words),
            Victims::AfterUnlessPassive if is_passive => self.cast.before(happening, words),
            Victims::AfterUnlessPassive => self.cast.after(happening, words).or_else(|| {
                let has_object = words.end < self.cast.sentence.end
                    && self.cast.text.clause(words.end) == self.cast.text.clause(words.start)
                    && (!ends_noun(self.cast.text, words.end)
                        || self.cast.text.is(words.end, List::Determiner));
                if has_object { None } else { self.cast.before(happening, words) }
            }),
            Victims::Either => {
                self.cast.after(happening, words).or_else(|| self.cast.before(happening, words))
            }
        };
        if let Some(group) = group {
            self.take(happening.what, &group, words);
        }
    }

    /// "shot 14 marchers dead": what is said last is what became of them.
    fn makes_worse(&mut self, happening: &Happening, words: &Range<usize>) -> bool {
        if (happening.what, happening.victims) != (What::Killed, Victims::Before) {
            return false;
        }
        let last = self.cast.people.partition_point(|people| people.tokens.end < words.start);
        let taken = self.cast.taken.get(last).copied().flatten();
        let ends_here = self.cast.people.get(last).is_some_and(|one| one.tokens.end == words.start);
        let wounded = taken.and_then(|count| self.counts.get_mut(count));
        let Some(count) = wounded.filter(|count| ends_here && count.what == What::Wounded) else {
            return false;
        };
        count.what = What::Killed;
        count.tokens.end = count.tokens.end.max(words.end);
        true
    }

    /// Makes a count of a group.
    fn take(&mut self, what: What, group: &Group, words: &Range<usize>) {
        let goes_on = self.cast.goes_on(group, words);
        let listed = self.cast.people.get(group.members.clone()).unwrap_or_default();
        let mut all: Vec<&People> = listed.iter().chain(&group.name).collect();
        // "four people, a man and his three sons": the others say who the first are.
        let rest: Option<u64> = all.iter().skip(1).map(|people| people.low).sum();
        if let (Some(first), Some(last), Some(rest)) = (all.first(), all.last(), rest)
            && all.len() > 2
            && first.low == Some(rest)
            && first.side.is_none()
            && self.cast.text.gap_before(last.tokens.end).contains([',', '،'])
        {
            all.truncate(1);
        }
        all.extend(goes_on.and_then(|index| self.cast.people.get(index)));
        let Some(count) = count(what, &all, words) else { return };
        let index = self.counts.len();
        self.counts.push(count);
        for member in group.members.clone().chain(goes_on) {
            if let Some(taken) = self.cast.taken.get_mut(member) {
                *taken = Some(index);
            }
        }
    }

    /// "the death toll rose to 43 from 38", "… raising to 19 the number killed".
    fn add_toll(&mut self, toll: Toll, words: &Range<usize>) {
        let happening = Happening { what: toll.what, victims: Victims::After, counts: toll.counts };
        let limit = (words.end + BETWEEN_MAX + TRIED_MAX).min(self.cast.sentence.end);
        let first = self.cast.people.partition_point(|people| people.tokens.start < words.end);
        let fits = |index: usize, people: &People| {
            people.form == Form::Number
                && self.cast.is_free(index)
                && !people.is_part
                && self.cast.is_counted(&happening, people, 0)
        };
        let is_new = |people: &People| {
            let before = people.tokens.start.checked_sub(1);
            let starts = self.cast.text.is(people.tokens.start, List::TollNew);
            starts || before.is_some_and(|at| self.cast.text.is(at, List::TollNew))
        };
        let is_near = |people: &People| people.tokens.start <= words.end + TOLL_NEAR_MAX;
        // "from 243 to 271" is no range here.
        let is_rise = |people: &People| {
            let before = people.tokens.start.checked_sub(1);
            people.low < people.high
                && before.is_some_and(|at| self.cast.text.is(at, List::TollOld))
        };
        let is_new = |people: &People| is_new(people) || is_rise(people);
        let after = (first..self.cast.people.len()).take(TRIED_MAX).filter_map(|index| {
            let people = self.cast.people.get(index)?;
            (people.tokens.start < limit && fits(index, people)).then_some((index, people))
        });
        let after: Vec<(usize, &People)> = after.collect();
        let before = first.checked_sub(1).and_then(|index| {
            let people = self.cast.people.get(index)?;
            let near = words.start.checked_sub(people.tokens.end)?;
            (near <= 1 && is_new(people) && fits(index, people)).then_some(index)
        });
        let new = after.iter().find(|(_index, people)| is_new(people));
        let index = new.map(|(index, _people)| *index).or(before).or_else(|| {
            after.first().filter(|(_index, people)| is_near(people)).map(|(index, _people)| *index)
        });
        let Some(index) = index else { return };
        let has_risen = self.cast.people.get(index).is_some_and(is_rise);
        self.take(toll.what, &alone(index), words);
        if let Some(count) = self.counts.last_mut() {
            if has_risen {
                count.low = count.high;
            }
            count.is_toll = true;
            // One word may be "up to" and "to": a total is no upper bound.
            count.low = count.low.or(count.high);
        }
    }

    /// Makes counts of those that are a part of others.
    fn add_parts(&mut self) {
        let whole = self.counts.len();
        let mut is_part = false;
        for index in 0..self.cast.people.len() {
            let Some(people) = self.cast.people.get(index) else { break };
            let joined = index
                .checked_sub(1)
                .and_then(|before| self.cast.people.get(before))
                .is_some_and(|before| {
                    is_part
                        && match self.cast.link(before, people) {
                            Some(Link::And) => true,
                            Some(Link::Comma) => people.form == Form::Article,
                            None => false,
                        }
                });
            is_part = people.is_part || joined;
            let of = if is_part { self.whole_before(people, whole) } else { None };
            let Some(of) = of.or_else(|| self.whole_after(index, whole)) else { continue };
            let counted = matches!(people.head, Head::People | Head::Bare);
            if !counted || !self.cast.is_free(index) {
                continue;
            }
            let Some(count) = self.counts.get(of) else { continue };
            let (what, words) = (count.what, count.happening.clone());
            let Some(mut part) = self::count(what, &[people], &people.tokens) else { continue };
            part.happening = words;
            part.part_of = Some(of);
            self.counts.push(part);
        }
    }

    /// The count that people after "including" are a part of.
    fn whole_before(&self, people: &People, whole: usize) -> Option<usize> {
        let counts = self.counts.iter().take(whole).enumerate();
        counts
            .filter(|(_index, count)| {
                count.people.end <= people.tokens.start && count.low.max(count.high) != Some(0)
            })
            .max_by_key(|(_index, count)| count.people.end)
            .map(|(index, _count)| index)
    }

    /// The count that people before "were among" are a part of.
    fn whole_after(&self, index: usize, whole: usize) -> Option<usize> {
        // "a couple and their child were among nine killed"
        let listed = self.cast.people.get(index..)?.iter().take(TRIED_MAX);
        let mut last = listed.clone().next()?;
        for next in listed.skip(1) {
            if self.cast.link(last, next).is_none() {
                break;
            }
            last = next;
        }
        let mut at = last.tokens.end;
        while at < self.cast.sentence.end && self.cast.is_auxiliary(at) {
            at += 1;
        }
        let after = self.cast.text.listed(at, List::PartAmong)?;
        let counts = self.counts.iter().take(whole).enumerate();
        counts
            .filter(|(_index, count)| {
                count.people.start >= after && count.people.start <= after + 2
            })
            .map(|(index, _count)| index)
            .next()
    }
}

/// The sum of people; `None` if there are none.
fn count(what: What, people: &[&People], words: &Range<usize>) -> Option<Count> {
    let first = people.first()?;
    let add = |sum: Option<u64>, more: Option<u64>| Some(sum?.saturating_add(more?));
    // "several soldiers and two policemen" are at least two.
    let add_low = |sum: Option<u64>, more: Option<u64>| match (sum, more) {
        (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
        (one, other) => one.or(other),
    };
    let mut low = first.low;
    let mut high = first.high;
    let mut side = first.side;
    let (mut start, mut end) = (first.tokens.start, first.tokens.end);
    for more in people.iter().skip(1) {
        low = add_low(low, more.low);
        high = add(high, more.high);
        side = side.filter(|side| more.side == Some(*side));
        start = start.min(more.tokens.start);
        end = end.max(more.tokens.end);
    }
    Some(Count {
        what,
        low,
        high,
        side,
        tokens: start.min(words.start)..end.max(words.end),
        happening: words.clone(),
        people: start..end,
        part_of: None,
        is_toll: false,
    })
}

fn nobody(what: What, tokens: Range<usize>) -> Count {
    Count {
        what,
        low: Some(0),
        high: Some(0),
        side: None,
        tokens: tokens.clone(),
        happening: tokens.clone(),
        people: tokens,
        part_of: None,
        is_toll: false,
    }
}
