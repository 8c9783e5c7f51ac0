//! Quantities in English, in digits and in words: "at least 43", "two dozen", "10 to 15", "a quarter
//! of a million".
//!
//! A quantity is a lower and an upper bound. What is vague gets the bound that is safe: "dozens" is
//! at least 24, "hundreds" at least 200, "several" at least 2, each without an upper bound. "About
//! 40" and "nearly 40" are taken as 40. Whether a number counts people is for `casualties` to say.

use std::ops::Range;

use super::role::{Bound, Role};
use super::text::Text;

/// No count of people is larger; digits beyond are a mistake or an attack on our arithmetic.
const COUNT_MAX: u64 = 10_000_000_000;

/// How many, and the words that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    /// At least.
    pub(super) low: Option<u64>,
    /// At most.
    pub(super) high: Option<u64>,
    /// The words.
    pub(super) tokens: Range<usize>,
}

/// Longest first where one begins another.
const QUALIFIERS: [(&str, Bound); 30] = [
    ("no fewer than", Bound::AtLeast),
    ("no less than", Bound::AtLeast),
    ("not less than", Bound::AtLeast),
    ("a minimum of", Bound::AtLeast),
    ("a total of", Bound::Exact),
    ("in excess of", Bound::AtLeast),
    ("no more than", Bound::AtMost),
    ("a maximum of", Bound::AtMost),
    ("as many as", Bound::AtMost),
    ("as few as", Bound::AtLeast),
    ("at least", Bound::AtLeast),
    ("more than", Bound::AtLeast),
    ("upwards of", Bound::AtLeast),
    ("well over", Bound::AtLeast),
    ("up to", Bound::AtMost),
    ("at most", Bound::AtMost),
    ("fewer than", Bound::AtMost),
    ("less than", Bound::AtMost),
    ("an estimated", Bound::Exact),
    ("close to", Bound::Exact),
    ("over", Bound::AtLeast),
    ("above", Bound::AtLeast),
    ("about", Bound::Exact),
    ("around", Bound::Exact),
    ("nearly", Bound::Exact),
    ("almost", Bound::Exact),
    ("approximately", Bound::Exact),
    ("roughly", Bound::Exact),
    ("some", Bound::Exact),
    ("estimated", Bound::Exact),
];

/// Vague words, with the least they can mean. Longest first.
const VAGUE: [(&str, u64); 22] = [
    ("hundreds of thousands", 200_000),
    ("tens of thousands", 20_000),
    ("dozens of thousands", 24_000),
    ("several hundred thousand", 200_000),
    ("several thousand", 2_000),
    ("several hundred", 200),
    ("several dozen", 24),
    ("a few thousand", 2_000),
    ("a few hundred", 200),
    ("a few dozen", 24),
    ("a handful of", 2),
    ("a number of", 2),
    ("a few", 2),
    ("thousands", 2_000),
    ("hundreds", 200),
    ("millions", 2_000_000),
    ("dozens", 24),
    ("scores", 40),
    ("several", 2),
    ("multiple", 2),
    ("tens", 20),
    ("numerous", 2),
];

const UNITS: [(&str, u64); 28] = [
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("both", 2),
];

const MULTIPLIERS: [(&str, u64); 7] = [
    ("dozen", 12),
    ("hundred", 100),
    ("thousand", 1_000),
    ("lakh", 100_000),
    ("million", 1_000_000),
    ("crore", 10_000_000),
    ("billion", 1_000_000_000),
];

/// Numbers of several words. Longest first.
const NUMBERS: [(&str, u64); 10] = [
    ("three quarters of a million", 750_000),
    ("a quarter of a million", 250_000),
    ("quarter of a million", 250_000),
    ("half a million", 500_000),
    ("half a dozen", 6),
    ("a couple of", 2),
    ("a dozen", 12),
    ("a hundred", 100),
    ("a thousand", 1_000),
    ("a million", 1_000_000),
];

/// Every word and phrase of this file.
pub(super) fn roles() -> impl Iterator<Item = (&'static str, Role)> {
    let qualifiers = QUALIFIERS.map(|(phrase, bound)| (phrase, Role::Qualifier(bound)));
    let of = |role: fn(u64) -> Role| move |(phrase, number)| (phrase, role(number));
    qualifiers
        .into_iter()
        .chain(VAGUE.map(of(Role::Vague)))
        .chain(NUMBERS.map(of(Role::Number)))
        .chain(UNITS.map(of(Role::Unit)))
        .chain(MULTIPLIERS.map(of(Role::Multiplier)))
}

/// The quantity that begins at `start` and ends before `end`, qualifier included.
pub(super) fn quantity_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<Quantity> {
    let qualifier = text.phrase(start, end, |role| {
        let Role::Qualifier(bound) = role else { return None };
        Some(bound)
    });
    let (bound, number_at) = qualifier.unwrap_or((Bound::Exact, start));
    if let Some(between) = between_at(text, number_at, end) {
        return Some(Quantity { tokens: start..between.tokens.end, ..between });
    }
    let vague = text.phrase(number_at, end, |role| {
        let Role::Vague(least) = role else { return None };
        Some(least)
    });
    if let Some((least, after)) = vague {
        return Some(Quantity { low: Some(least), high: None, tokens: start..after });
    }
    let (number, after) = number_at_word(text, number_at, end)?;
    let range = upper_end(text, after, end).filter(|(upper, _after)| *upper > number);
    if let Some((upper, after)) = range {
        return Some(Quantity { low: Some(number), high: Some(upper), tokens: start..after });
    }
    let (low, high) = match bound {
        Bound::Exact => (Some(number), Some(number)),
        Bound::AtLeast => (Some(number), None),
        Bound::AtMost => (None, Some(number)),
    };
    Some(Quantity { low, high, tokens: start..after })
}

/// "between 10 and 15".
fn between_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<Quantity> {
    let first = text.phrase_end("between", start, end)?;
    let (low, after) = number_at_word(text, first, end)?;
    let second = text.phrase_end("and", after, end)?;
    let (high, after) = number_at_word(text, second, end)?;
    (low < high).then_some(Quantity { low: Some(low), high: Some(high), tokens: start..after })
}

/// The "to 15" of "10 to 15", or the "15" of "10-15".
fn upper_end(text: &Text<'_, '_>, at: usize, end: usize) -> Option<(u64, usize)> {
    if let Some(number) = text.phrase_end("to", at, end) {
        return number_at_word(text, number, end);
    }
    let hyphen = matches!(text.document.gap_before(at), "-" | "–" | "—");
    if hyphen && at < end { number_at_word(text, at, end) } else { None }
}

/// A plain number and where it ends.
fn number_at_word(text: &Text<'_, '_>, start: usize, end: usize) -> Option<(u64, usize)> {
    let phrase = text.phrase(start, end, |role| {
        let Role::Number(number) = role else { return None };
        Some(number)
    });
    phrase.or_else(|| digits_at(text, start, end)).or_else(|| words_at(text, start, end))
}

/// "250,000", "1.5 million".
fn digits_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<(u64, usize)> {
    if start >= end {
        return None;
    }
    let written = text.word(start);
    if !written.starts_with(|sign: char| sign.is_ascii_digit()) {
        return None;
    }
    let multiplier = (start + 1 < end).then(|| multiplier_at(text, start + 1));
    let multiplier = multiplier.flatten();
    let (whole, fraction) = match written.split_once('.') {
        // "1.5" alone counts nobody; "1.500" in a text that means 1500 cannot be told from it.
        Some((whole, fraction)) => (whole, multiplier.map(|_times| fraction)?),
        None => (written, ""),
    };
    let number: u64 = whole.replace(',', "").parse().ok()?;
    let Some(times) = multiplier else {
        return (number <= COUNT_MAX).then_some((number, start + 1));
    };
    let mut total = number.checked_mul(times)?;
    let mut place = times;
    for digit in fraction.chars() {
        place /= 10;
        total = total.checked_add(place * u64::from(digit.to_digit(10)?))?;
    }
    (total <= COUNT_MAX).then_some((total, start + 2))
}

/// "forty-three", "two hundred and six", "three thousand".
fn words_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<(u64, usize)> {
    let (mut total, mut current) = (0_u64, unit_at(text, start)?);
    let mut at = start + 1;
    while at < end {
        let word = text.word(at);
        if let Some(times) = multiplier_at(text, at) {
            current = current.checked_mul(times)?;
            if times >= 1_000 {
                total = total.checked_add(current)?;
                current = 0;
            }
            at += 1;
            continue;
        }
        let joined = word == "and" && current >= 100 && current % 100 == 0;
        let (number_at, unit) = if joined {
            (at + 1, (at + 1 < end).then(|| unit_at(text, at + 1)).flatten())
        } else {
            (at, unit_at(text, at))
        };
        // "twenty three" is one number, "six eight" and "one hundred and two hundred" are two.
        let fits = unit.is_some_and(|unit| {
            let tens = current % 100;
            (tens == 0 && (current > 0 || total > 0)) || (tens >= 20 && tens % 10 == 0 && unit < 10)
        });
        let Some(unit) = unit.filter(|_unit| fits) else { break };
        current = current.checked_add(unit)?;
        at = number_at + 1;
    }
    let number = total.checked_add(current)?;
    (number <= COUNT_MAX).then_some((number, at))
}

/// "forty" is 40.
fn unit_at(text: &Text<'_, '_>, at: usize) -> Option<u64> {
    text.role(at, |_word, role| {
        let Role::Unit(unit) = role else { return None };
        Some(unit)
    })
}

/// "million" is 1,000,000.
fn multiplier_at(text: &Text<'_, '_>, at: usize) -> Option<u64> {
    text.role(at, |_word, role| {
        let Role::Multiplier(times) = role else { return None };
        Some(times)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cw_model::Steps;

    use super::super::vocabulary::VOCABULARY;
    use super::*;
    use crate::Texts;
    use crate::segment::Document;

    /// The quantity at the start of a text, and how many words it has.
    fn read(text: &str) -> (Option<Quantity>, usize) {
        let steps = Steps::new(u64::MAX);
        let texts = Texts { body: text, ..Texts::default() };
        let document = Document::new(texts, &HashSet::new(), &steps).unwrap();
        let words = document.tokens.len();
        (quantity_at(&Text::new(&document, &VOCABULARY, &steps).unwrap(), 0, words), words)
    }

    #[track_caller]
    fn check(text: &str, low: impl Into<Option<u64>>, high: impl Into<Option<u64>>) {
        let (found, words) = read(text);
        let found = found.unwrap();
        assert_eq!((found.low, found.high), (low.into(), high.into()), "{text}");
        assert_eq!(found.tokens, 0..words, "{text}");
    }

    #[test]
    fn numbers_are_read_in_digits_and_words() {
        check("43", 43, 43);
        check("250,000", 250_000, 250_000);
        check("1.5 million", 1_500_000, 1_500_000);
        check("two", 2, 2);
        check("forty-three", 43, 43);
        check("two hundred and six", 206, 206);
        check("three thousand", 3_000, 3_000);
        check("two dozen", 24, 24);
        check("half a million", 500_000, 500_000);
        check("a quarter of a million", 250_000, 250_000);
    }

    #[test]
    fn qualifiers_make_bounds() {
        check("at least 43", 43, None);
        check("more than 250,000", 250_000, None);
        check("more than a quarter of a million", 250_000, None);
        check("up to 30", None, 30);
        check("as many as thirty", None, 30);
        check("between 10 and 15", 10, 15);
        check("10 to 15", 10, 15);
        check("10-15", 10, 15);
        check("some 200", 200, 200);
    }

    #[test]
    fn vague_words_have_a_least_meaning() {
        check("dozens", 24, None);
        check("hundreds", 200, None);
        check("tens of thousands", 20_000, None);
        check("several", 2, None);
    }

    #[test]
    fn absurd_numbers_are_refused() {
        for text in ["99999999999999999999999", "99999999999", "nobody", "1.5"] {
            assert_eq!(read(text).0, None, "{text}");
        }
    }
}
