//! Which people stand where a happening can take them: after it, before it, and those joined to them.

use std::ops::Range;

use super::people::{Form, Head, People, ends_noun, last_name, name_at, name_before, people_of};
use super::role::{Counted, Cue, Happening, Kinds, List, Role, Victims, What};
use super::text::Text;

/// Words between people and what happened to them ("43 people in the northern district were killed"),
/// auxiliaries and insertions between commas left out.
pub(super) const BETWEEN_MAX: usize = 9;

/// Words of an insertion between a name and what happened.
const INSERTION_MAX: usize = 20;

/// Words between one person who is no news and what happened to them.
const NEAR_MAX: usize = 4;

/// Words between what may be people and what happened to them.
const UNKNOWN_NEAR_MAX: usize = 4;

/// People tried before a happening.
pub(super) const TRIED_MAX: usize = 6;

/// Words between a number and another that goes on with it ("two people in Nyala and four at a camp").
const GOES_ON_MAX: usize = 6;

/// Fewest who count as a crowd: below it, those who "fled" are rather suspects than the displaced.
const CROWD_MIN: u64 = 100;

/// People joined by "and", or one of them alone.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Indexes of people, in order.
    pub(super) members: Range<usize>,
    /// Taken by name, and no member.
    pub(super) name: Option<People>,
}

/// One of them.
pub(super) fn alone(index: usize) -> Group {
    Group { members: index..index + 1, name: None }
}

/// The people of one sentence, and who has been taken.
pub(super) struct Cast<'t, 'd, 'a> {
    pub(super) text: &'t Text<'d, 'a>,
    pub(super) sentence: Range<usize>,
    /// In order.
    pub(super) people: Vec<People>,
    /// For each, the count that has taken them.
    pub(super) taken: Vec<Option<usize>>,
}

impl<'t, 'd, 'a> Cast<'t, 'd, 'a> {
    pub(super) fn new(text: &'t Text<'d, 'a>, sentence: &Range<usize>) -> Self {
        let people = people_of(text, sentence);
        Self { text, sentence: sentence.clone(), taken: vec![None; people.len()], people }
    }
}

impl Cast<'_, '_, '_> {
    /// What happens at a word, and where the words for it end.
    pub(super) fn happening_at(&self, at: usize) -> Option<(Happening, usize)> {
        if at >= self.sentence.end || !self.text.is_one_of(at, Kinds::HAPPENING) {
            return None;
        }
        self.text.role(at, |role| {
            let Role::Happening(happening) = role else { return None };
            Some(happening)
        })
    }

    /// "killing 43 people", "killed a soldier and two policemen".
    pub(super) fn after(&self, happening: &Happening, words: &Range<usize>) -> Option<Group> {
        let first = self.people.partition_point(|people| people.tokens.start < words.end);
        let object = self.people.get(first).filter(|object| {
            let gap = words.end..object.tokens.start;
            let skipped = match object.form {
                Form::Number | Form::Article | Form::Determined => {
                    // "Killed were two nurses …"
                    let turned = words.start == self.sentence.start
                        && gap.clone().all(|at| self.text.is(at, List::Passive));
                    gap.len() <= 2 && (turned || gap.clone().all(|at| self.is_skipped(at)))
                }
                Form::Unlisted => false,
                Form::Noun | Form::Name => {
                    gap.len() <= 3 && gap.clone().all(|at| !ends_noun(self.text, at))
                }
            };
            skipped
                && self.text.clause(words.end.saturating_sub(1))
                    == self.text.clause(object.tokens.start)
        });
        let Some(object) = object else { return self.name_after(happening, words) };
        if !self.is_counted(happening, object, object.tokens.start - words.end)
            || !self.is_free(first)
            || object.is_part
        {
            return None;
        }
        let mut end = first + 1;
        let mut next = first + 1;
        while let (Some(last), Some(people)) = (self.people.get(next - 1), self.people.get(next)) {
            let link = self.link(last, people);
            let joins = link.is_some()
                && self.is_counted(happening, people, 0)
                && !people.is_part
                && self.is_free(next)
                && people.form != Form::Name;
            if !joins || self.is_followed(happening, people) {
                break;
            }
            next += 1;
            if link == Some(Link::And) {
                end = next;
            }
        }
        Some(Group { members: first..end, name: None })
    }

    fn name_after(&self, happening: &Happening, words: &Range<usize>) -> Option<Group> {
        let named = matches!(happening.counts, Counted::Anything | Counted::Persons)
            && happening.victims != Victims::Before
            && words.end < self.sentence.end
            && self.text.clause(words.end) == self.text.clause(words.start)
            && !self.is_title_case();
        let name = named.then(|| name_at(self.text, words.end, self.sentence.end)).flatten()?;
        Some(Group { members: 0..0, name: Some(name) })
    }

    /// Whether nearly every word of the sentence has a capital letter: then it says nothing of names.
    fn is_title_case(&self) -> bool {
        let words = self.sentence.clone();
        self.text.compared(words.len());
        let capitals = words.clone().filter(|at| self.text.is_capitalised(*at)).count();
        capitals * 2 > words.len()
    }

    /// "43 people were killed", "43 dead", "a soldier was killed".
    pub(super) fn before(&self, happening: &Happening, words: &Range<usize>) -> Option<Group> {
        let end = self.auxiliaries_start(words.start);
        let is_one = (end..words.start).any(|at| self.text.is(at, List::OneSubject));
        let last = self.people.partition_point(|people| people.tokens.end <= end);
        if self.is_uncounted(end) {
            return None;
        }
        let mut weak = None;
        for index in (0..last).rev().take(TRIED_MAX) {
            let Some(people) = self.people.get(index) else { break };
            let between = self.words_between(people.tokens.end, end);
            let is_far =
                happening.victims == Victims::RightBefore && people.tokens.end < words.start;
            if is_far || between > BETWEEN_MAX || self.is_cut_off(people, end) {
                break;
            }
            if !self.is_subject(happening, index, between) {
                continue;
            }
            // "three friends of a man were killed"
            let previous = people.tokens.start.checked_sub(1);
            let inside = previous.filter(|at| *at >= self.sentence.start);
            // "the mother of two of those killed"
            let is_own = people.tokens.end == words.start
                && people.tokens.clone().any(|at| self.text.is(at, List::Of));
            let inside = inside.filter(|_at| !is_own);
            if inside.is_some_and(|at| self.text.is(at, List::Preposition)) {
                weak = weak.or(Some(index));
                continue;
            }
            let is_open = self.text.clause(people.tokens.end.saturating_sub(1))
                == self.text.clause(words.start);
            return Some(match (is_one, is_open) {
                (true, _) => alone(index),
                (false, true) => self.list_back(happening, index, Link::Comma),
                (false, false) => self.list_back(happening, index, Link::And),
            });
        }
        if let Some(index) = weak {
            return Some(alone(index));
        }
        // "Abel Torn died": only one is named by two words.
        let dies = happening.victims == Victims::Before && end == words.start;
        let name = match (is_one, dies) {
            (true, _) => self.name_before(happening, end),
            (false, true) if !self.is_title_case() => {
                name_before(self.text, self.sentence.start, end)
            }
            (false, _) => None,
        };
        Some(Group { members: 0..0, name: Some(name?) })
    }

    /// "Abel Torn was killed", "Abel Torn, the mayor of Adel, was killed", "Torn was killed".
    fn name_before(&self, happening: &Happening, end: usize) -> Option<People> {
        let start = self.sentence.start;
        if !matches!(happening.counts, Counted::Anything | Counted::Persons) {
            return None;
        }
        if let Some(name) = name_before(self.text, start, end) {
            return Some(name);
        }
        let insertion = self.text.clause(end) != self.text.clause(end.saturating_sub(1));
        let first = name_at(self.text, start, self.sentence.end).filter(|name| {
            insertion
                && name.tokens.end <= end
                && self.text.clause(name.tokens.end) != self.text.clause(start)
                && end - name.tokens.end <= INSERTION_MAX
        });
        // Cities are hurt too, but not killed or held.
        let is_sure = matches!(happening.what, What::Killed | What::Detained);
        first.or_else(|| last_name(self.text, start, end).filter(|_name| is_sure))
    }

    /// Whether people without a number stand before `end` as a subject of their own: "denied that
    /// civilians had been killed".
    fn is_uncounted(&self, end: usize) -> bool {
        let Some(at) = end.checked_sub(2).filter(|at| *at >= self.sentence.start) else {
            return false;
        };
        let many = |role: Role| match role {
            Role::Noun(noun) if !noun.is_one => Some(()),
            _ => None,
        };
        let is_many = self.text.role(at + 1, many).is_some_and(|((), after)| after == end);
        let is_alone = self.people.iter().all(|people| people.tokens.end != end);
        let opens = self.text.is(at, List::Relative) || self.text.cue(at, Cue::Asserted).is_some();
        is_many && is_alone && opens
    }

    fn is_subject(&self, happening: &Happening, index: usize, between: usize) -> bool {
        let Some(people) = self.people.get(index) else { return false };
        let is_near = match people.form {
            Form::Number => match people.head {
                Head::People => true,
                Head::Bare => between <= NEAR_MAX,
                Head::Unknown | Head::Thing => between <= UNKNOWN_NEAR_MAX,
            },
            Form::Article => true,
            // "two teachers and a beekeeper"
            Form::Unlisted => {
                let before = index.checked_sub(1).and_then(|before| self.people.get(before));
                between == 0
                    && before.is_some_and(|before| {
                        before.head == Head::People
                            && self.link(before, people) == Some(Link::And)
                            && self.is_free(index - 1)
                    })
            }
            Form::Determined => {
                between <= NEAR_MAX || self.text.is(people.tokens.end, List::Relative)
            }
            Form::Noun | Form::Name => {
                let starts = people.tokens.start < self.sentence.start + NEAR_MAX
                    || self.text.clause(people.tokens.start)
                        != self.text.clause(people.tokens.start.saturating_sub(1));
                between == 0 || (starts && between <= NEAR_MAX)
            }
        };
        is_near
            && self.is_free(index)
            && !people.is_part
            && !people.is_agent
            && self.is_counted(happening, people, between)
    }

    /// Those before `last` that are joined to it. With commas alone ("7 soldiers, 22 militants killed")
    /// if `least` is one: else they say who the first are.
    fn list_back(&self, happening: &Happening, last: usize, least: Link) -> Group {
        let mut start = last;
        let mut has_and = false;
        while let Some(index) = start.checked_sub(1) {
            let (Some(people), Some(next)) = (self.people.get(index), self.people.get(start))
            else {
                break;
            };
            let link = self.link(people, next);
            has_and |= link == Some(Link::And);
            let numbers = [people, next]
                .iter()
                .all(|one| one.form == Form::Number && one.head == Head::People);
            let joins = link.is_some()
                && (has_and || (numbers && least == Link::Comma))
                && self.is_counted(happening, people, 0)
                && !people.is_part
                && !people.is_agent
                && self.is_free(index);
            if !joins {
                break;
            }
            start = index;
        }
        // "during a rescue and its crew of five"
        let inside = |people: &People| {
            let before = people.tokens.start.checked_sub(1);
            people.form == Form::Unlisted
                && before.is_some_and(|at| self.text.is(at, List::NounEnd))
        };
        if start < last && self.people.get(start).is_some_and(inside) {
            start += 1;
        }
        Group { members: start..last + 1, name: None }
    }

    /// How two that follow each other are joined.
    pub(super) fn link(&self, first: &People, second: &People) -> Option<Link> {
        let gap = first.tokens.end..second.tokens.start;
        let bare = |at: usize| self.text.is(at, List::Determiner);
        let comma = |at: usize| {
            let gap = self.text.gap_before(at);
            gap.contains([',', '،']) && !gap.contains(['.', ';', ':', '(', ')'])
        };
        if gap.clone().all(bare) {
            return comma(first.tokens.end).then_some(Link::Comma);
        }
        if gap.clone().all(|at| bare(at) || self.text.is(at, List::And)) {
            return Some(Link::And);
        }
        // "the mayor of a border town and two guards"
        let of = self.text.is(gap.start, List::Of) && gap.len() <= GOES_ON_MAX;
        let mut end = gap.clone().rev().skip_while(|at| bare(*at));
        let joined = end.next().is_some_and(|at| self.text.is(at, List::And));
        let open = gap.clone().all(|at| self.happening_at(at).is_none());
        let one_clause = self.text.clause(gap.start) == self.text.clause(second.tokens.start);
        if of && joined && open && one_clause && first.head == Head::People {
            return Some(Link::And);
        }
        None
    }

    /// "… and two more in hospital": a number that goes on with what happened.
    pub(super) fn goes_on(&self, group: &Group, words: &Range<usize>) -> Option<usize> {
        let last = group.members.end.checked_sub(1)?;
        let end = self.people.get(last)?.tokens.end.max(words.end);
        let index = (last + 1..self.people.len())
            .find(|index| self.people.get(*index).is_some_and(|next| next.tokens.start >= end))?;
        let next = self.people.get(index)?;
        let start = next.tokens.start;
        // "and", "together with"
        let and = (1..=2)
            .filter_map(|back| start.checked_sub(back))
            .find(|at| self.text.listed(*at, List::And) == Some(start))?;
        let near = and >= end && and - end <= GOES_ON_MAX;
        let is_short = match next.form {
            Form::Number => next.head == Head::Bare || next.tokens.len() == 2,
            Form::Article | Form::Determined => true,
            Form::Noun | Form::Unlisted | Form::Name => false,
        };
        let alone = is_short
            && matches!(next.head, Head::Bare | Head::People)
            && (next.tokens.end >= self.sentence.end
                || (self.text.is(next.tokens.end, List::Preposition)
                    && !self.text.is(next.tokens.end, List::Of)));
        let rest = next.tokens.end..(next.tokens.end + BETWEEN_MAX).min(self.sentence.end);
        let fate = |at: usize| {
            self.text.clause(at) == self.text.clause(and)
                && self.happening_at(at).is_some_and(|(own, _end)| {
                    own.victims == Victims::Before || self.is_passive(at)
                })
        };
        let open = (end..and).all(|at| self.happening_at(at).is_none())
            && (and > end || words.end == end)
            && !rest.clone().any(fate);
        (near && alone && open && self.is_free(index) && !next.is_part).then_some(index)
    }

    /// Whether something else happened to people who stand right before it.
    fn is_followed(&self, own: &Happening, people: &People) -> bool {
        let mut at = people.tokens.end;
        while at < self.sentence.end && self.is_auxiliary(at) {
            at += 1;
        }
        let Some((happening, end)) = self.happening_at(at) else { return false };
        if self.text.clause(at) != self.text.clause(people.tokens.end.saturating_sub(1)) {
            return false;
        }
        // "shot the owner and a worker dead"
        let is_worse = (own.what, happening.what) == (What::Wounded, What::Killed);
        if is_worse && at == people.tokens.end {
            return false;
        }
        let next = self.people.partition_point(|people| people.tokens.start < end);
        match happening.victims {
            Victims::Before | Victims::RightBefore | Victims::AfterUnlessPassive => true,
            Victims::Either => self.people.get(next).is_none_or(|next| next.tokens.start > end),
            Victims::After => false,
        }
    }

    /// Whether nobody has taken these people.
    pub(super) fn is_free(&self, index: usize) -> bool {
        self.taken.get(index).is_some_and(Option::is_none)
    }

    /// Whether people are what a happening counts, so many words from it.
    pub(super) fn is_counted(
        &self,
        happening: &Happening,
        people: &People,
        between: usize,
    ) -> bool {
        let head = match people.head {
            Head::Thing => return false,
            Head::People => true,
            Head::Bare => between == 0 || happening.counts == Counted::Anything,
            Head::Unknown => match happening.counts {
                Counted::Anything => true,
                // "arrested a Syrian"
                Counted::Persons => people.form == Form::Article || between == 0,
                Counted::People | Counted::Nouns | Counted::Lives | Counted::Crowd => false,
            },
        };
        match happening.counts {
            Counted::Anything | Counted::Persons | Counted::People => head,
            Counted::Nouns => people.head == Head::People && people.form == Form::Number,
            Counted::Lives => people.tokens.clone().any(|at| self.text.is(at, List::Life)),
            Counted::Crowd => people.low.max(people.high).is_some_and(|low| low >= CROWD_MIN),
        }
    }

    /// Whether something between people and a happening has taken them already, or would have.
    fn is_cut_off(&self, people: &People, until: usize) -> bool {
        // "The man who killed two officers was himself shot."
        let relative = self.text.is(people.tokens.end, List::Relative);
        let cut = |at: usize| {
            self.happening_at(at).is_some_and(|(_happening, end)| end < until) && !relative
        };
        (people.tokens.end..until).any(cut)
    }

    /// Whether a word may stand between people and what happened to them.
    pub(super) fn is_auxiliary(&self, at: usize) -> bool {
        self.text.is(at, List::Auxiliary)
            || self.text.is(at, List::Passive)
            || self.text.is(at, List::OneSubject)
            || self.text.is_adverb(at)
    }

    /// Where the auxiliaries right before `at` begin.
    fn auxiliaries_start(&self, at: usize) -> usize {
        let mut first = at;
        while first > self.sentence.start && self.is_auxiliary(first - 1) {
            first -= 1;
        }
        first
    }

    /// Whether the auxiliaries before a happening make it passive.
    pub(super) fn is_passive(&self, at: usize) -> bool {
        (self.auxiliaries_start(at)..at).any(|at| self.text.is(at, List::Passive))
    }

    /// Words that may stand between a happening and its number: "the", "another", "up to".
    fn is_skipped(&self, at: usize) -> bool {
        self.text.is(at, List::Determiner)
            || self.text.is(at, List::OneArticle)
            || self.text.is_adverb(at)
    }

    /// The words from `start` to `end`, those of insertions between commas left out.
    fn words_between(&self, start: usize, end: usize) -> usize {
        let clause = |at: usize| self.text.clause(at);
        let (first, last) = (clause(start.saturating_sub(1)), clause(end));
        let mut inside = false;
        let mut words = 0;
        for at in start..end {
            inside |= self.text.is(at, List::PartBegin);
            let own = clause(at);
            inside &= at == start || own == clause(at - 1) || self.text.is(at, List::PartBegin);
            words += usize::from(!inside && (own == first || own == last));
            // Nobody is sought so far, and a sentence may be long.
            if words > BETWEEN_MAX || at - start > BETWEEN_MAX * TRIED_MAX {
                return BETWEEN_MAX + 1;
            }
        }
        words
    }
}

/// How one is joined to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// By a comma: a list, if it ends with an "and".
    Comma,
    /// By "and".
    And,
}
