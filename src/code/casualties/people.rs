//! Who is counted: the noun phrases of one sentence that can be people, from left to right.
//!
//! A phrase is a quantity with its noun ("at least 12 suspected rebels"), one person with an article,
//! a determiner or neither ("a nurse", "his 9-year-old son", "police officer"), or a pronoun. Ages, dates,
//! sums of money, shares, ranks of floors and numbers of things are no people.

use std::ops::Range;

use cw_model::CasualtySide;

use super::number::{Quantity, quantity_at};
use super::role::{Cue, Kinds, List, Noun, Role};
use super::text::Text;

/// Words between a number and the noun it counts ("12 suspected members of").
const NOUN_WORDS_MAX: usize = 8;

/// Words between an article and its noun.
const ADJECTIVES_MAX: usize = 5;

/// Words of a noun that no list has.
const UNLISTED_MAX: usize = 3;

/// Words of a name.
const NAME_WORDS_MAX: usize = 6;

/// What a phrase is known to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// A noun for people, or a pronoun.
    People,
    /// No noun stands there.
    Bare,
    /// A noun that no list has.
    Unknown,
    /// A noun for things.
    Thing,
}

/// How one person is named; numbers are told by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By a number.
    Number,
    /// With an article, or by a pronoun: somebody new.
    Article,
    /// With a determiner.
    Determined,
    /// By a noun alone.
    Noun,
    /// With an article and a noun that no list has: a person among others who are known to be.
    Unlisted,
    /// By name.
    Name,
}

/// People, or what may be people.
#[derive(Clone, Debug)]
pub(super) struct People {
    /// At least.
    pub(super) low: Option<u64>,
    /// At most.
    pub(super) high: Option<u64>,
    /// The words, as far as they are people; with an age that follows.
    pub(super) tokens: Range<usize>,
    /// What is counted.
    pub(super) head: Head,
    /// How they are named.
    pub(super) form: Form,
    /// Whose side, if the noun says it.
    pub(super) side: Option<CasualtySide>,
    /// They are a part of those before.
    pub(super) is_part: bool,
    /// They did it.
    pub(super) is_agent: bool,
}

/// Every phrase of a sentence that may be people, in order; none overlaps another.
pub(super) fn people_of(text: &Text<'_, '_>, sentence: &Range<usize>) -> Vec<People> {
    let reader = Reader { text, end: sentence.end };
    let mut all = Vec::new();
    let mut part_end = None;
    let mut agent_end = None;
    let mut at = sentence.start;
    while at < sentence.end {
        if !text.says_something(at) {
            at += 1;
            continue;
        }
        // "the dead included two nurses" begins no part: nobody stands before it.
        let is_inside = at.checked_sub(1).is_some_and(|before| {
            let is_long = |role: Role| matches!(role, Role::Happening(_)).then_some(());
            text.role(before, is_long).is_some_and(|((), end)| end > at)
        });
        if let Some(end) = text.listed(at, List::PartBegin).filter(|_end| !is_inside) {
            part_end = Some(end);
        }
        if let Some(end) = text.listed(at, List::Agent) {
            agent_end = Some(end);
        }
        let Some(mut people) = reader.people_at(at) else {
            at += 1;
            continue;
        };
        // "including the two nurses"
        let near = |end: Option<usize>| {
            end.is_some_and(|end| {
                end <= people.tokens.start
                    && (end..people.tokens.start).all(|at| text.is(at, List::Determiner))
            })
        };
        people.is_part |= near(part_end);
        people.is_agent = near(agent_end);
        at = people.tokens.end.max(at + 1);
        all.push(people);
    }
    all
}

struct Reader<'t, 'd, 'a> {
    text: &'t Text<'d, 'a>,
    end: usize,
}

impl Reader<'_, '_, '_> {
    fn people_at(&self, at: usize) -> Option<People> {
        if let Some(quantity) = quantity_at(self.text, at, self.end) {
            return self.counted(&quantity).or_else(|| self.aged(&quantity));
        }
        if let Some(after) = self.text.listed(at, List::OneArticle)
            && let Some(one) = self.one_with_article(at, after)
        {
            return Some(one);
        }
        if let Some(end) = self.text.listed(at, List::OnePronoun)
            && (end >= self.end || self.breaks_clause(end) || self.ends_noun(end))
        {
            return Some(one(at..end, Form::Article, None));
        }
        if let Some(after) = self.text.listed(at, List::Determiner) {
            let known = self.one_after(at, after, Form::Determined);
            let unlisted = || self.unlisted(at, after, Form::Determined);
            return known.or_else(|| unlisted().filter(|one| one.form == Form::Determined));
        }
        self.noun_alone(at)
    }

    /// Somebody new, named after an article.
    fn one_with_article(&self, start: usize, after: usize) -> Option<People> {
        self.one_after(start, after, Form::Article)
            .or_else(|| self.native(start, after))
            .or_else(|| self.unlisted(start, after, Form::Article))
    }

    /// A number and the noun after it; `None` if it counts no people.
    fn counted(&self, quantity: &Quantity) -> Option<People> {
        if !self.may_count(quantity) || self.is_one_of_all(quantity) {
            return None;
        }
        let noun = self.noun_after(quantity.tokens.end);
        let end = if noun.end < self.end && self.breaks_clause(noun.end) {
            self.bracket_end(noun.end).unwrap_or(noun.end)
        } else {
            noun.end
        };
        // "five rebels, two of them commanders, were killed"
        let is_part = self.breaks_clause(quantity.tokens.start)
            && self.text.is(quantity.tokens.end, List::PartBegin);
        let end = self.end_with_age(end);
        Some(People {
            low: quantity.low,
            high: quantity.high,
            tokens: quantity.tokens.start..end,
            head: noun.head,
            form: Form::Number,
            side: noun.side,
            is_part,
            is_agent: false,
        })
    }

    /// "one of 33 people who died": they are 33.
    fn is_one_of_all(&self, quantity: &Quantity) -> bool {
        if (quantity.low, quantity.high) != (Some(1), Some(1)) {
            return false;
        }
        let all = self.text.listed(quantity.tokens.end, List::Of);
        let all = all.and_then(|of| quantity_at(self.text, of, self.end));
        all.is_some_and(|all| {
            let end = self.noun_after(all.tokens.end).end;
            self.text.is(end, List::Relative) || is_happening(self.text, end)
        })
    }

    /// "13-year-old boy" without an article, in a headline; the words of an age are skipped in any case.
    fn aged(&self, quantity: &Quantity) -> Option<People> {
        let after = self.age_end(quantity.tokens.end)?;
        let start = quantity.tokens.start;
        let alone = || {
            let end = self.name_end(after).unwrap_or(after);
            (end >= self.end || self.breaks_clause(end) || self.ends_noun(end))
                .then(|| one(start..end, Form::Article, None))
        };
        self.one_after(start, after, Form::Article).or_else(alone)
    }

    /// Where the "year-old" that begins at `at` ends.
    fn age_end(&self, at: usize) -> Option<usize> {
        self.text.listed(at, List::AgeAfter).filter(|end| *end <= self.end)
    }

    /// What is counted by a number that ends before `start`.
    fn noun_after(&self, start: usize) -> FoundNoun {
        let mut at = start;
        // "two of his colleagues"
        if let Some(of) = self.text.listed(at, List::Of).filter(|_of| self.noun(at).is_none()) {
            let determined = self.text.listed(of, List::Determiner);
            let known = (of..(of + ADJECTIVES_MAX).min(self.end))
                .take_while(|at| !self.ends_noun(*at))
                .any(|at| self.noun(at).is_some());
            if determined.is_some() || known {
                at = determined.unwrap_or(of);
            }
        }
        let first = at;
        let limit = (first + NOUN_WORDS_MAX).min(self.end);
        let mut found = FoundNoun { head: Head::Bare, end: start, side: None };
        let mut unknown_from = None;
        let mut is_one = false;
        while at < limit {
            if at > start && self.breaks_clause(at) {
                // "12 fighters of the Liberation Army (LA) rebels": a short insertion.
                let Some(after) = self.bracket_end(at) else { break };
                at = after;
                continue;
            }
            if at == start && start > 0 && self.breaks_clause(at) {
                break;
            }
            // "took 14 villagers hostage"
            if found.head == Head::People && is_happening(self.text, at) {
                break;
            }
            let owner = self.text.is_owner(at);
            if let (Some((noun, end)), false) = (self.noun(at), owner) {
                found = FoundNoun { head: Head::People, end, side: noun.side.or(found.side) };
                (unknown_from, is_one) = (None, noun.is_one);
                at = end;
            } else if let Some(end) = self.text.listed(at, List::Thing) {
                found = FoundNoun { head: Head::Thing, end, side: None };
                unknown_from = None;
                at = end;
            } else if self.ends_noun(at) {
                break;
            } else {
                unknown_from = unknown_from.or(Some(at));
                at += 1;
            }
        }
        let Some(unknown) = unknown_from else { return found };
        let ended = at < limit || limit == self.end;
        match found.head {
            Head::Bare if ended => FoundNoun { head: Head::Unknown, end: at, side: None },
            Head::Bare => FoundNoun { head: Head::Unknown, end: unknown, side: None },
            // "12 rebel bases": of nouns for one, only the last is the one that is counted.
            Head::People if is_one && ended => FoundNoun { head: Head::Unknown, ..found },
            Head::People | Head::Unknown | Head::Thing => found,
        }
    }

    /// One person between `after` and the next word that ends a noun phrase which began at `start`.
    fn one_after(&self, start: usize, after: usize, form: Form) -> Option<People> {
        let mut at = after;
        let limit = (after + ADJECTIVES_MAX).min(self.end);
        let mut aged = None;
        while at < limit {
            if at > start && self.breaks_clause(at) {
                break;
            }
            if let Some(quantity) = quantity_at(self.text, at, self.end) {
                let age = self.age_end(quantity.tokens.end)?;
                aged = Some(age);
                at = age;
                continue;
            }
            if self.noun(at).is_some_and(|(noun, _end)| noun.is_one || noun.is_rank) {
                if let Some(person) = self.person(start, at, form) {
                    return Some(person);
                }
                // "the town mayor's dog" is no mayor, but "the mayor's driver" is a driver.
                at += 1;
                continue;
            }
            // "an elderly man" looks like an adverb.
            let is_adjective = at == after && self.text.is_adverb(at) && self.is_noun_soon(at);
            if self.noun(at).is_none()
                && !is_adjective
                && (self.ends_noun(at) || self.text.is(at, List::Thing) && !self.is_noun_soon(at))
            {
                break;
            }
            at += 1;
        }
        // "a two-year-old"
        let aged = aged?;
        let native = (aged..at).all(|at| self.is_name_word(at));
        (aged <= at && native).then(|| one(start..at, form, None))
    }

    /// "a beekeeper", who is on no list.
    fn unlisted(&self, start: usize, after: usize, form: Form) -> Option<People> {
        let limit = (after + UNLISTED_MAX).min(self.end);
        let ends = |at: usize| (at > after && self.breaks_clause(at)) || self.ends_noun(at);
        let end = (after..=limit).find(|at| ends(*at))?;
        let is_thing = (after..end)
            .any(|at| self.text.is(at, List::Thing) || self.text.cue(at, Cue::Conflict).is_some());
        let ends_as_person = end > after && self.has_person_ending(end - 1);
        let form = if ends_as_person { form } else { Form::Unlisted };
        let unlisted = || People { head: Head::Unknown, ..one(start..end, form, None) };
        (end > after && !is_thing).then(unlisted)
    }

    fn has_person_ending(&self, at: usize) -> bool {
        let word = self.text.word(at);
        let endings = &self.text.grammar.spelling.person_endings;
        endings.iter().any(|end| word.len() > end.len() + 1 && word.ends_with(end.as_str()))
    }

    fn is_noun_soon(&self, at: usize) -> bool {
        self.noun(at + 1).is_some()
    }

    /// One person whose noun begins at `at`, in a phrase that began at `start`.
    fn person(&self, start: usize, at: usize, form: Form) -> Option<People> {
        let (mut noun, mut end) = self.noun(at)?;
        let mut last = at;
        let mut side = noun.side;
        // "police officer", "village elder": the last noun is the person.
        while end < self.end && !self.breaks_clause(end) && !self.text.is_owner(last) {
            let Some((next, after)) = self.noun(end) else { break };
            side = next.side.or(side);
            (noun, last, end) = (next, end, after);
        }
        if !noun.is_one || self.text.is_owner(end.saturating_sub(1)) {
            return None;
        }
        let next_is_noun = end < self.end
            && !self.breaks_clause(end)
            && (self.text.is(end, List::Thing)
                || (noun.is_rank && !self.ends_noun(end) && !self.is_name_word(end)));
        if next_is_noun {
            return None;
        }
        let named = self.name_end(end).filter(|_named| !self.breaks_clause(end));
        let end = self.end_with_age(named.unwrap_or(end));
        Some(People { side, ..one(start..end, form, None) })
    }

    /// "a Syrian": somebody named for where they are from.
    fn native(&self, start: usize, after: usize) -> Option<People> {
        let ends = self.name_end(after)?;
        let is_end = ends >= self.end || self.breaks_clause(ends) || self.ends_noun(ends);
        let native = || People { head: Head::Unknown, ..one(start..ends, Form::Article, None) };
        is_end.then(native)
    }

    /// "police officer", "commander Abel Torn", "12-year-old".
    fn noun_alone(&self, at: usize) -> Option<People> {
        let any = at.checked_sub(1).is_some_and(|before| self.text.is(before, List::AnyOne));
        if any { None } else { self.person(at, at, Form::Noun) }
    }

    /// Where a name that begins at `start` ends.
    pub(super) fn name_end(&self, start: usize) -> Option<usize> {
        if !self.text.grammar.spelling.names_are_capitalised {
            return None;
        }
        let limit = (start + NAME_WORDS_MAX).min(self.end);
        let mut end = start;
        while end < limit {
            let is_inside = end == start || !self.breaks_clause(end);
            let particle = self.text.listed(end, List::NameParticle);
            if is_inside && self.is_name_word(end) {
                end += 1;
            } else if let Some(after) = particle
                && is_inside
                && after < limit
                && self.is_name_word(after)
            {
                end = after + 1;
            } else {
                break;
            }
        }
        (end > start).then_some(end)
    }

    /// A capitalised word that is nothing else.
    fn is_name_word(&self, at: usize) -> bool {
        self.text.is_capitalised(at)
            && !self.ends_noun(at)
            && self.noun(at).is_none()
            && !self.text.is(at, List::Month)
    }

    /// The end of a phrase that ends at `end`, with an age that follows: ", 60," or "aged 8, 11 and 15".
    fn end_with_age(&self, end: usize) -> usize {
        let number =
            |at: usize| quantity_at(self.text, at, self.end).filter(|quantity| quantity.is_plain);
        if let Some(first) = self.text.listed(end, List::AgeBefore) {
            let mut last = end;
            let mut at = first;
            while let Some(quantity) = quantity_at(self.text, at, self.end) {
                last = quantity.tokens.end;
                at = self.text.listed(last, List::And).unwrap_or(last);
            }
            return last;
        }
        // ", 24 and 31,"
        let opens =
            end < self.end && self.text.gap_before(end).trim_end().ends_with(['(', ',', '،']);
        let (mut last, mut at) = (end, end);
        while let Some(quantity) = (opens && at < self.end).then(|| number(at)).flatten() {
            last = quantity.tokens.end;
            at = self.text.listed(last, List::And).unwrap_or(last);
            if at == last {
                break;
            }
        }
        let closes = self.text.document.text_after(last.saturating_sub(1));
        if last > end && closes.starts_with([')', ',', '،', '.']) { last } else { end }
    }

    fn noun(&self, at: usize) -> Option<(Noun, usize)> {
        if at >= self.end || !self.text.is_one_of(at, Kinds::NOUN) {
            return None;
        }
        self.text.role(at, |role| {
            let Role::Noun(noun) = role else { return None };
            Some(noun)
        })
    }

    fn breaks_clause(&self, at: usize) -> bool {
        at > 0 && self.text.clause(at) != self.text.clause(at - 1)
    }

    /// Where a bracket of a word or two that begins before `at` ends.
    fn bracket_end(&self, at: usize) -> Option<usize> {
        let opens = self.text.gap_before(at).ends_with('(')
            && quantity_at(self.text, at, self.end).is_none();
        let close = (at + 1..=(at + 3).min(self.end))
            .find(|at| self.text.document.text_after(at - 1).starts_with(')'));
        close.filter(|_close| opens)
    }

    fn ends_noun(&self, at: usize) -> bool {
        at >= self.end || ends_noun(self.text, at)
    }

    /// Whether a number can count people, by what stands next to it.
    fn may_count(&self, quantity: &Quantity) -> bool {
        let text = self.text;
        let document = text.document;
        let Range { start, end: after } = quantity.tokens.clone();
        let next = Some(after).filter(|next| *next < self.end);
        let previous = start.checked_sub(1);
        let gap = text.gap_before(start);
        let rest = document.text_after(after.saturating_sub(1));
        let money = (start..after).any(|at| text.gap_before(at).contains(is_currency))
            || rest.trim_start().starts_with(is_currency);
        let share = rest.starts_with(['%', '°', ':', '/']) || matches!(gap, ":" | "/" | "#");
        let attributive = next.is_some_and(|next| matches!(text.gap_before(next), "-" | "‑"));
        let month = |at: Option<usize>| at.is_some_and(|at| text.is(at, List::Month));
        let date = quantity.is_plain && (month(previous) || month(next));
        let is_year = quantity.is_plain
            && document.written(after.saturating_sub(1)).chars().count() == 4
            && quantity.low.is_some_and(|low| (1800..2100).contains(&low));
        let years = [quantity.low, quantity.high];
        let is_range =
            years.iter().all(|year| year.is_some_and(|year| (1800..2100).contains(&year)))
                && quantity.low < quantity.high;
        let year = (is_year || is_range) && next.is_none_or(|next| self.noun(next).is_none());
        let numbered = previous.is_some_and(|previous| text.is(previous, List::Numbered));
        let old = next.is_some_and(|next| text.is(next, List::AgeAfter))
            || previous.is_some_and(|previous| text.is(previous, List::AgeBefore));
        // "Abel, 25, was killed", "Abel (25) was killed".
        let age = quantity.is_plain && is_set_off(text, &quantity.tokens);
        // "the town of 4,000"
        let size = previous
            .is_some_and(|of| of > 0 && text.is(of, List::Of) && text.is(of - 1, List::Thing));
        !(money || share || attributive || date || year || numbered || old || age || size)
    }
}

/// A noun after a number.
struct FoundNoun {
    head: Head,
    end: usize,
    side: Option<CasualtySide>,
}

fn one(tokens: Range<usize>, form: Form, side: Option<CasualtySide>) -> People {
    People {
        low: Some(1),
        high: Some(1),
        tokens,
        head: Head::People,
        form,
        side,
        is_part: false,
        is_agent: false,
    }
}

/// Two or more words of a name that begin at `start`: nobody else is meant by them.
pub(super) fn name_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<People> {
    let reader = Reader { text, end };
    let after = reader.name_end(start)?;
    let people_follow = reader.noun(after).is_some() || text.is(after, List::Thing);
    (after >= start + 2 && !people_follow)
        .then(|| one(start..reader.end_with_age(after), Form::Name, None))
}

/// A name that ends at `end`, and begins no earlier than `start`.
pub(super) fn name_before(text: &Text<'_, '_>, start: usize, end: usize) -> Option<People> {
    let first = end.saturating_sub(NAME_WORDS_MAX).max(start);
    (first..end.saturating_sub(1)).find_map(|at| {
        let name = name_at(text, at, end)?;
        (name.tokens.end == end).then_some(name)
    })
}

/// One word of a name that ends at `end`, with nothing but the end of a phrase before it.
pub(super) fn last_name(text: &Text<'_, '_>, start: usize, end: usize) -> Option<People> {
    let reader = Reader { text, end };
    let at = end.checked_sub(1).filter(|at| *at >= start)?;
    let alone = at == start || reader.breaks_clause(at) || reader.ends_noun(at - 1);
    let is_name = alone && reader.name_end(at) == Some(end) && !text.is(at, List::Thing);
    is_name.then(|| one(at..end, Form::Name, None))
}

fn is_happening(text: &Text<'_, '_>, at: usize) -> bool {
    text.is_one_of(at, Kinds::HAPPENING)
}

/// Between commas or in brackets, alone.
fn is_set_off(text: &Text<'_, '_>, tokens: &Range<usize>) -> bool {
    let before = text.gap_before(tokens.start).trim_end();
    let after = text.document.text_after(tokens.end.saturating_sub(1));
    let opens = before.ends_with(['(', ',', '،']);
    opens && tokens.len() == 1 && after.starts_with([')', ',', '،', '.'])
}

fn is_currency(sign: char) -> bool {
    matches!(sign, '$' | '£' | '€' | '₹' | '₽' | '₴' | '₪' | '¥' | '₦' | '﷼')
}

/// Whether a noun phrase ends before the word at `at`.
pub(super) fn ends_noun(text: &Text<'_, '_>, at: usize) -> bool {
    const ENDS: Kinds = Kinds::HAPPENING
        .or(Kinds::TOLL)
        .or(Kinds::UNIT)
        .or(Kinds::WHOLE)
        .or(Kinds::VAGUE)
        .or(Kinds::cue(Cue::Fresh))
        .or(Kinds::cue(Cue::Perfect))
        .or_lists([
            List::NounEnd,
            List::Auxiliary,
            List::Passive,
            List::OneSubject,
            List::And,
            List::Or,
            List::Of,
            List::Relative,
            List::Agent,
            List::PartBegin,
            List::OneArticle,
            List::Determiner,
            List::AgeBefore,
        ]);
    text.is_one_of(at, ENDS)
        || text.is_adverb(at)
        || text.word(at).starts_with(|sign: char| sign.is_ascii_digit())
}
