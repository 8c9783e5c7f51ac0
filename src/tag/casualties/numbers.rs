//! Quantities in English, in digits and in words: "at least 43", "two dozen", "10 to 15", "a quarter
//! of a million".
//!
//! A quantity is a lower and an upper bound. What is vague gets the bound that is safe: "dozens" is
//! at least 24, "hundreds" at least 200, "several" at least 2, each without an upper bound. "About
//! 40" and "nearly 40" are taken as 40. Whether a number counts people is for `casualties` to say.

use std::ops::Range;

use crate::tag::segment::Document;

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

/// What a qualifier makes of the number after it.
#[derive(Clone, Copy)]
enum Bound {
    Exact,
    AtLeast,
    AtMost,
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

/// The quantity that begins at `start` and ends before `end`, qualifier included.
pub(super) fn quantity_at(document: &Document<'_>, start: usize, end: usize) -> Option<Quantity> {
    let (bound, number_at) = QUALIFIERS
        .iter()
        .find_map(|(phrase, bound)| {
            phrase_end(document, phrase, start, end).map(|after| (*bound, after))
        })
        .unwrap_or((Bound::Exact, start));
    if let Some(between) = between_at(document, number_at, end) {
        return Some(Quantity { tokens: start..between.tokens.end, ..between });
    }
    let vague = VAGUE.iter().find_map(|(phrase, least)| {
        phrase_end(document, phrase, number_at, end).map(|after| (*least, after))
    });
    if let Some((least, after)) = vague {
        return Some(Quantity { low: Some(least), high: None, tokens: start..after });
    }
    let (number, after) = number_at_word(document, number_at, end)?;
    let range = upper_end(document, after, end).filter(|(upper, _after)| *upper > number);
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

/// Where the words of a phrase that begins at `start` end.
pub(super) fn phrase_end(
    document: &Document<'_>,
    phrase: &str,
    start: usize,
    end: usize,
) -> Option<usize> {
    // Nearly every phrase is tried at nearly every word, and most fail on the first letter.
    if start >= end || phrase.bytes().next() != document.word(start).bytes().next() {
        return None;
    }
    let mut at = start;
    for word in phrase.split(' ') {
        if at >= end || document.word(at) != word {
            return None;
        }
        at += 1;
    }
    Some(at)
}

/// "between 10 and 15".
fn between_at(document: &Document<'_>, start: usize, end: usize) -> Option<Quantity> {
    let first = phrase_end(document, "between", start, end)?;
    let (low, after) = number_at_word(document, first, end)?;
    let second = phrase_end(document, "and", after, end)?;
    let (high, after) = number_at_word(document, second, end)?;
    (low < high).then_some(Quantity { low: Some(low), high: Some(high), tokens: start..after })
}

/// The "to 15" of "10 to 15", or the "15" of "10-15".
fn upper_end(document: &Document<'_>, at: usize, end: usize) -> Option<(u64, usize)> {
    if let Some(number) = phrase_end(document, "to", at, end) {
        return number_at_word(document, number, end);
    }
    let hyphen = matches!(document.gap_before(at), "-" | "–" | "—");
    if hyphen && at < end { number_at_word(document, at, end) } else { None }
}

/// A plain number and where it ends.
fn number_at_word(document: &Document<'_>, start: usize, end: usize) -> Option<(u64, usize)> {
    for (phrase, number) in [
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
    ] {
        if let Some(after) = phrase_end(document, phrase, start, end) {
            return Some((number, after));
        }
    }
    digits_at(document, start, end).or_else(|| words_at(document, start, end))
}

/// "250,000", "1.5 million".
fn digits_at(document: &Document<'_>, start: usize, end: usize) -> Option<(u64, usize)> {
    if start >= end {
        return None;
    }
    let written = document.word(start);
    if !written.starts_with(|sign: char| sign.is_ascii_digit()) {
        return None;
    }
    let multiplier = (start + 1 < end).then(|| lookup(&MULTIPLIERS, document.word(start + 1)));
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
fn words_at(document: &Document<'_>, start: usize, end: usize) -> Option<(u64, usize)> {
    let (mut total, mut current) = (0_u64, lookup(&UNITS, document.word(start))?);
    let mut at = start + 1;
    while at < end {
        let word = document.word(at);
        if let Some(times) = lookup(&MULTIPLIERS, word) {
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
            (at + 1, (at + 1 < end).then(|| lookup(&UNITS, document.word(at + 1))).flatten())
        } else {
            (at, lookup(&UNITS, word))
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

fn lookup(table: &[(&str, u64)], word: &str) -> Option<u64> {
    table.iter().find(|(name, _number)| *name == word).map(|(_name, number)| *number)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tag::Texts;

    #[track_caller]
    fn check(text: &str, low: impl Into<Option<u64>>, high: impl Into<Option<u64>>) {
        let document = Document::new(Texts { body: text, ..Texts::default() }, &HashSet::new());
        let found = quantity_at(&document, 0, document.tokens.len()).unwrap();
        assert_eq!((found.low, found.high), (low.into(), high.into()), "{text}");
        assert_eq!(found.tokens, 0..document.tokens.len(), "{text}");
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
            let document = Document::new(Texts { body: text, ..Texts::default() }, &HashSet::new());
            assert_eq!(quantity_at(&document, 0, document.tokens.len()), None, "{text}");
        }
    }
}
