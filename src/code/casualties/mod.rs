//! How many people, of what, in which scope.
//!
//! Reads English. For each word that says what happened to people ("killed", "wounded", "fled", …) it
//! looks for the quantity that belongs to it: before it ("43 people were killed", "12 dead"), after it
//! ("killing 43 people", "claimed 43 lives"), or at a toll ("the death toll rose to 43 from 38").
//! A part of a number ("including three children") is not counted again, and a number of something
//! else (a date, a distance, an age) is not counted at all.
//!
//! The scope says what the number counts; see `scope`. A vague number keeps its safe bound (see
//! `numbers`): "dozens" is at least 24. What was said not to have happened is a count of 0.

mod numbers;
mod role;
mod scope;
mod text;
mod vocabulary;
mod words;

use std::ops::Range;

use cw_model::{Casualties, CasualtyKind, CasualtyScope, Steps, TooCostly};

use self::numbers::{Quantity, quantity_at};
use self::role::{Counted, Happening, Voice};
use self::scope::{Scopes, scope_of};
use self::text::Text;
use self::vocabulary::VOCABULARY;
use super::segment::Document;

/// Counts kept for one article; a list of hundreds of incidents is not an article.
const COUNTS_MAX: usize = 50;

/// Spans of evidence kept for one count.
const EVIDENCE_MAX: usize = 10;

/// Fewest who count as a crowd: below it, those who "fled" are rather suspects than the displaced.
const CROWD_MIN: u64 = 100;

/// Words between a number and what happened to those counted ("43 people in the northern district
/// were killed").
const NOUN_WORDS_MAX: usize = 7;

/// The language that is read, as a primary subtag: the only one with a grammar.
const LANGUAGE: &str = "en";

/// Every number of casualties in a document, in order of appearance; `None` if they cannot be read
/// in its language.
///
/// # Errors
/// [`TooCostly`] if there are no steps left.
pub(super) fn read(
    language: &str,
    document: &Document<'_>,
    steps: &Steps,
) -> Result<Option<Vec<Casualties>>, TooCostly> {
    if language == LANGUAGE { read_english(document, steps).map(Some) } else { Ok(None) }
}

fn read_english(document: &Document<'_>, steps: &Steps) -> Result<Vec<Casualties>, TooCostly> {
    let mut found: Vec<Casualties> = Vec::new();
    let text = Text::new(document, &VOCABULARY, steps)?;
    for sentence in &document.sentences {
        // A sentence has a bound, so it is enough to ask between two.
        steps.check()?;
        let mut counts = Reader::new(&text, sentence.tokens.clone()).read();
        if counts.is_empty() {
            continue;
        }
        counts.sort_by_key(|count| (count.tokens.start, count.kind));
        let scopes = Scopes::of(&text, &sentence.tokens);
        for count in counts {
            let scope = match count.low.max(count.high) {
                Some(0) => CasualtyScope::Denied,
                _ => scope_of(&text, &scopes, &count),
            };
            add(&mut found, &text, &count, scope);
        }
    }
    Ok(found)
}

/// One number of people, before its scope is known.
#[derive(Clone, Debug)]
pub(super) struct Count {
    /// What happened to them.
    pub(super) kind: CasualtyKind,
    /// At least.
    pub(super) low: Option<u64>,
    /// At most.
    pub(super) high: Option<u64>,
    /// From the first word of the number or predicate to the last of the other.
    pub(super) tokens: Range<usize>,
    /// The words that say what happened.
    pub(super) predicate: Range<usize>,
}

fn add(found: &mut Vec<Casualties>, text: &Text<'_, '_>, count: &Count, scope: CasualtyScope) {
    let same = found.iter_mut().find(|known| {
        (known.kind, known.low, known.high, known.scope)
            == (count.kind, count.low, count.high, scope)
    });
    if let Some(known) = same {
        if known.evidence.len() < EVIDENCE_MAX {
            known.evidence.extend(text.document.evidence(&count.tokens));
        }
    } else if found.len() < COUNTS_MAX
        && let Some(evidence) = text.document.evidence(&count.tokens)
    {
        found.push(Casualties {
            kind: count.kind,
            low: count.low,
            high: count.high,
            scope,
            evidence: vec![evidence],
        });
    }
}

/// Reads one sentence.
struct Reader<'t, 'd, 'a> {
    text: &'t Text<'d, 'a>,
    sentence: Range<usize>,
    /// Numbers of this sentence that may count people, in order; none overlaps another.
    quantities: Vec<Quantity>,
}

impl<'t, 'd, 'a> Reader<'t, 'd, 'a> {
    fn new(text: &'t Text<'d, 'a>, sentence: Range<usize>) -> Self {
        let mut quantities = Vec::new();
        let mut at = sentence.start;
        while at < sentence.end {
            match quantity_at(text, at, sentence.end) {
                Some(quantity) => {
                    at = quantity.tokens.end;
                    if counts_people(text, &quantity, sentence.end) {
                        quantities.push(quantity);
                    }
                }
                None => at += 1,
            }
        }
        Self { text, sentence, quantities }
    }

    fn read(&self) -> Vec<Count> {
        let mut counts = Vec::new();
        let mut at = self.sentence.start;
        while at < self.sentence.end {
            if let Some((kinds, denied)) = words::denial_at(self.text, at, self.sentence.end) {
                counts.extend(kinds.iter().map(|kind| none_of(*kind, at..denied)));
                at = denied;
                continue;
            }
            if let Some(toll) = words::toll_at(self.text, at, self.sentence.end) {
                counts.extend(self.toll(at..toll));
                at = toll;
                continue;
            }
            match words::happening_at(self.text, at, self.sentence.end) {
                Some((happening, end)) => {
                    counts.extend(self.happened(&happening, &(at..end)));
                    at = end;
                }
                None => at += 1,
            }
        }
        self.without_repeats(counts)
    }

    /// A number belongs to one happening of a kind: the nearest.
    fn without_repeats(&self, mut counts: Vec<Count>) -> Vec<Count> {
        counts.sort_by_key(|count| count.tokens.len());
        let mut kept: Vec<Count> = Vec::new();
        for count in counts {
            let overlaps = |known: &Count| {
                known.kind == count.kind
                    && known.tokens.start < count.tokens.end
                    && count.tokens.start < known.tokens.end
            };
            self.text.compared(kept.len());
            if !kept.iter().any(overlaps) {
                kept.push(count);
            }
        }
        kept
    }

    fn happened(&self, happening: &Happening, words: &Range<usize>) -> Option<Count> {
        let passive = || words::is_passive(self.text, words.start, self.sentence.start);
        match happening.voice {
            Voice::After => self.after(happening, words),
            Voice::Before => self.before(happening, words),
            Voice::Either if passive() => self.before(happening, words),
            Voice::Either => self.after(happening, words).or_else(|| self.before(happening, words)),
        }
    }

    /// "killing 43 people", "killed a soldier and two policemen".
    fn after(&self, happening: &Happening, words: &Range<usize>) -> Option<Count> {
        let start = words::object_start(self.text, words.end, self.sentence.end);
        let object = self.object_at(words.end, start)?;
        let same_clause =
            self.clause(words.end.saturating_sub(1)) == self.clause(object.tokens.start);
        let after = (object.tokens.end, (object.tokens.end + 5).min(self.sentence.end));
        if !same_clause || !self.is_counted(happening, &object, after) {
            return None;
        }
        Some(self.count(happening.kind, &self.with_the_next(object), words))
    }

    /// The number or the one person that begins between `start` and `last`.
    fn object_at(&self, start: usize, last: usize) -> Option<Quantity> {
        let number = self.quantities.iter().find(|quantity| quantity.tokens.start >= start);
        match number.filter(|quantity| quantity.tokens.start <= last) {
            Some(quantity) => Some(quantity.clone()),
            None => self.one_person(last),
        }
    }

    /// "43 people were killed", "43 dead", "a soldier was killed".
    fn before(&self, happening: &Happening, words: &Range<usize>) -> Option<Count> {
        let end = words::auxiliaries_start(self.text, words.start, self.sentence.start);
        let mut earlier = self.quantities.iter().rev();
        let number = earlier.find(|quantity| quantity.tokens.end <= end && !self.is_part(quantity));
        let number = number.filter(|quantity| {
            self.noun_words(quantity.tokens.end, end) <= NOUN_WORDS_MAX
                && !self.is_taken(&quantity.tokens, words.start)
        });
        let subject = match (number, self.one_person_before(end)) {
            // "three friends of a man were killed", but "three soldiers and a civilian".
            (Some(number), Some(one)) => {
                let joined = self.text.word(one.tokens.start.saturating_sub(1)) == "and";
                let far = one.tokens.start > number.tokens.start + 4;
                if one.tokens.start > number.tokens.start && (joined || far) {
                    one
                } else {
                    number.clone()
                }
            }
            // "two teachers and a beekeeper": no list has everybody, so two are the least.
            (Some(number), None) if self.is_joined_to_another(number.tokens.end, end) => {
                Quantity { high: None, ..number.clone() }
            }
            (Some(number), None) => number.clone(),
            (None, one) => one?,
        };
        if !self.is_counted(happening, &subject, (subject.tokens.end, end)) {
            return None;
        }
        Some(self.count(happening.kind, &self.with_the_previous(subject), words))
    }

    /// Whether "and a", "and an" or "and another" stands between `start` and `end`.
    fn is_joined_to_another(&self, start: usize, end: usize) -> bool {
        (start..end.saturating_sub(1)).any(|at| {
            self.text.word(at) == "and" && matches!(self.text.word(at + 1), "a" | "an" | "another")
        })
    }

    /// Adds "and two policemen" to what came before it.
    fn with_the_next(&self, object: Quantity) -> Quantity {
        let end = (object.tokens.end + 5).min(self.sentence.end);
        let and = (object.tokens.end..end).find(|at| self.text.word(*at) == "and");
        let next = and.and_then(|and| self.object_at(and + 1, and + 1));
        let Some(next) = next else { return object };
        let people = self.names_people(next.tokens.end) || next.tokens.len() > 1;
        let own_fate = (next.tokens.end..(next.tokens.end + 5).min(self.sentence.end))
            .any(|at| words::happening_at(self.text, at, self.sentence.end).is_some());
        let broken = (object.tokens.end..next.tokens.start).any(|at| {
            words::begins_part(self.text.word(at))
                || words::happening_at(self.text, at, self.sentence.end).is_some()
        });
        let more = matches!(self.text.word(next.tokens.end), "" | "others" | "more");
        if !people || own_fate || broken || more { object } else { sum(&object, &next) }
    }

    /// Adds what came before it to "and a civilian".
    fn with_the_previous(&self, subject: Quantity) -> Quantity {
        let Some(and) = subject.tokens.start.checked_sub(1).filter(|at| *at > self.sentence.start)
        else {
            return subject;
        };
        if self.text.word(and) != "and" {
            return subject;
        }
        let mut earlier = self.quantities.iter().rev();
        let number = earlier.find(|quantity| quantity.tokens.end <= and).cloned();
        let previous = number.or_else(|| self.one_person_before(and));
        let Some(previous) = previous else { return subject };
        let noun = previous.tokens.end..and;
        let people = noun.clone().any(|at| words::is_people(self.text, at))
            || (noun.is_empty() && previous.low == Some(1));
        let near = noun.len() <= 4 && self.clause(previous.tokens.start) == self.clause(and);
        let free = !self.is_taken(&previous.tokens, and) && !self.is_part(&previous);
        if people && near && free { sum(&previous, &subject) } else { subject }
    }

    /// "the death toll rose to 43 from 38".
    fn toll(&self, words: Range<usize>) -> Option<Count> {
        let limit = (words.end + NOUN_WORDS_MAX + 1).min(self.sentence.end);
        let mut after = self
            .quantities
            .iter()
            .filter(|quantity| quantity.tokens.start >= words.end && quantity.tokens.start < limit);
        let first = after.clone().next()?;
        let is_new = |quantity: &&Quantity| {
            let before = quantity.tokens.start.checked_sub(1).map(|at| self.text.word(at));
            matches!(
                before,
                Some("to" | "at" | "of" | "reached" | "passed" | "topped" | "exceeded")
            )
        };
        let quantity = after.find(is_new).unwrap_or(first);
        Some(self.count(CasualtyKind::Killed, quantity, &words))
    }

    fn count(&self, kind: CasualtyKind, quantity: &Quantity, words: &Range<usize>) -> Count {
        Count {
            kind,
            low: quantity.low,
            high: quantity.high,
            tokens: quantity.tokens.start.min(words.start)..quantity.tokens.end.max(words.end),
            predicate: words.clone(),
        }
    }

    /// Whether a quantity is a part of another: "including three children".
    fn is_part(&self, quantity: &Quantity) -> bool {
        let mut at = quantity.tokens.start;
        // "including a tourist and at least four officers"
        for _word in 0..NOUN_WORDS_MAX {
            let Some(before) = at.checked_sub(1).filter(|before| *before >= self.sentence.start)
            else {
                return false;
            };
            let word = self.text.word(before);
            if words::begins_part(word) {
                return true;
            }
            let joined = word == "and"
                || words::is_person(self.text, before)
                || word == "a"
                || at != quantity.tokens.start;
            if !joined || words::ends_part(word) {
                return false;
            }
            at = before;
        }
        false
    }

    /// Whether another happening stands between a number and this one, and has taken it.
    fn is_taken(&self, number: &Range<usize>, until: usize) -> bool {
        (number.end..until).any(|at| {
            words::happening_at(self.text, at, until).is_some_and(|(_happening, end)| {
                // "43 killed or wounded": both have it.
                !(end + 1 == until && matches!(self.text.word(end), "or" | "and"))
            })
        })
    }

    fn clause(&self, at: usize) -> Option<usize> {
        self.text.clause(at)
    }

    /// The words from `start` to `end`, those of insertions between commas and of parts left out.
    fn noun_words(&self, start: usize, end: usize) -> usize {
        let (first, last) = (self.clause(start), self.clause(end));
        let mut words = 0;
        let mut inside = None;
        for at in start..end {
            let clause = self.clause(at);
            if words::begins_part(self.text.word(at)) && self.text.word(at) != "of" {
                inside = Some(clause);
            }
            let counts = (clause == first || clause == last) && inside != Some(clause);
            words += usize::from(counts);
        }
        words
    }

    /// "a soldier", "one policeman" at `start`.
    fn one_person(&self, start: usize) -> Option<Quantity> {
        // Asked before the lists of persons are, for nearly every word is no article.
        if !matches!(self.text.word(start), "a" | "an" | "another") {
            return None;
        }
        let person = (start + 1..(start + 5).min(self.sentence.end))
            .find(|at| words::is_person(self.text, *at))?;
        let broken = (start + 1..person).any(|at| words::ends_noun(self.text, at));
        (!broken).then(|| one(start..person + 1))
    }

    /// "a civilian" close before `end`.
    fn one_person_before(&self, end: usize) -> Option<Quantity> {
        let first = end.saturating_sub(NOUN_WORDS_MAX + 3).max(self.sentence.start);
        (first..end).rev().find_map(|at| {
            let person = self.one_person(at).filter(|person| person.tokens.end <= end)?;
            let near = self.noun_words(person.tokens.end, end) <= NOUN_WORDS_MAX;
            (near && !self.is_taken(&person.tokens, end) && !self.is_part(&person))
                .then_some(person)
        })
    }

    /// Whether a number counts what a happening needs; `noun` is where what is counted is named.
    fn is_counted(&self, happening: &Happening, number: &Quantity, noun: (usize, usize)) -> bool {
        let (start, end) = noun;
        match happening.counted {
            Counted::Anything => true,
            Counted::Lives => (start..end).any(|at| self.text.word(at) == "lives"),
            Counted::People => number.tokens.len() > 1 || self.names_people_between(start, end),
            Counted::Crowd => number.low.max(number.high).is_some_and(|people| people >= CROWD_MIN),
        }
    }

    fn names_people(&self, start: usize) -> bool {
        self.names_people_between(start, (start + 5).min(self.sentence.end))
    }

    /// Whether the words say people, or nothing at all ("12 were arrested").
    fn names_people_between(&self, start: usize, end: usize) -> bool {
        start >= end
            || words::ends_noun(self.text, start)
            || (start..end).any(|at| words::is_people(self.text, at))
    }
}

fn sum(first: &Quantity, second: &Quantity) -> Quantity {
    let add = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a.saturating_add(b));
    Quantity {
        low: add(first.low, second.low),
        high: add(first.high, second.high),
        tokens: first.tokens.start..second.tokens.end,
    }
}

fn one(tokens: Range<usize>) -> Quantity {
    Quantity { low: Some(1), high: Some(1), tokens }
}

fn none_of(kind: CasualtyKind, tokens: Range<usize>) -> Count {
    Count { kind, low: Some(0), high: Some(0), tokens: tokens.clone(), predicate: tokens }
}

/// Whether a number can count people, by what stands next to it.
fn counts_people(text: &Text<'_, '_>, quantity: &Quantity, end: usize) -> bool {
    let document = text.document;
    let next = Some(quantity.tokens.end).filter(|next| *next < end);
    let previous = quantity.tokens.start.checked_sub(1);
    let after = next.map_or("", |at| text.word(at));
    let before = previous.map_or("", |at| text.word(at));
    let last = quantity.tokens.end.saturating_sub(1);
    let money = document.gap_before(quantity.tokens.start).contains(['$', '£', '€', '₹', '#']);
    let share = document.text_after(last).starts_with(['%', '°', ':', '/']);
    let date = [previous, next].into_iter().flatten().any(|at| words::is_month(text, at));
    let is_year = document.written(last).len() == 4
        && quantity.tokens.len() == 1
        && quantity.low.is_some_and(|low| (1900..2100).contains(&low));
    let year = is_year && !next.is_some_and(|at| words::is_people(text, at));
    // "the 17th", "No. 4", "Highway 1" are ranks and names.
    let name =
        matches!(before, "no" | "number" | "highway" | "route" | "article" | "chapter" | "section");
    let old = matches!((after, before), ("year" | "years", _) | (_, "aged" | "age"));
    // "Abel, 25, was killed", "Abel (25) was killed".
    let bounds = (document.gap_before(quantity.tokens.start).trim(), document.text_after(last));
    let alone = bounds.0.ends_with(['(', ',']) && bounds.1.starts_with([')', ',']);
    let age = alone && quantity.tokens.len() == 1 && quantity.high.is_some();
    let ordinal = text.phrase_end("per cent", quantity.tokens.end, end).is_some();
    let measure = next.is_some_and(|at| words::is_measure(text, at));
    !(money || share || date || year || name || old || age || ordinal || measure)
}

#[cfg(test)]
mod tests;
