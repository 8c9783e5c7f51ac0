//! Quantities, in digits and in words: "at least 43", "two dozen", "10 to 15", "half a million".
//!
//! A quantity is a lower and an upper bound. What is vague gets the bound that is safe: the least that
//! the grammar says it can mean, without an upper bound; "several" gets neither. Whether a number counts people is for `people`.

use std::ops::Range;

use super::grammar::COUNT_MAX;
use super::role::{Bound, Kinds, List, Role};
use super::text::Text;

/// Digits of a group of thousands.
const GROUP_DIGITS: usize = 3;

/// How many, and the words that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    /// At least; with `high` none too, the words give no number.
    pub(super) low: Option<u64>,
    /// At most.
    pub(super) high: Option<u64>,
    /// The words.
    pub(super) tokens: Range<usize>,
    /// Written in digits alone, without a bound.
    pub(super) is_plain: bool,
}

impl Quantity {
    fn new(low: Option<u64>, high: Option<u64>, tokens: Range<usize>) -> Self {
        Self { low, high, tokens, is_plain: false }
    }
}

/// The quantity that begins at `start` and ends before `end`, bounds included.
pub(super) fn quantity_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<Quantity> {
    const BEGIN: Kinds = Kinds::BOUND
        .or(Kinds::VAGUE)
        .or(Kinds::WHOLE)
        .or(Kinds::UNIT)
        .or_lists([List::NumberBetween]);
    // Nearly every word begins none.
    if !text.is_one_of(start, BEGIN) && !is_digits(text.word(start)) {
        return None;
    }
    let qualifier = text.role(start, |role| {
        let Role::Bound(bound) = role else { return None };
        Some(bound)
    });
    let (bound, at) = qualifier.unwrap_or((Bound::Exact, start));
    if let Some((low, high, after)) = between_at(text, at, end) {
        return Some(Quantity::new(Some(low), Some(high), start..after));
    }
    let vague = text.role(at, |role| {
        let Role::Vague(least) = role else { return None };
        Some(least)
    });
    if let Some((least, after)) = vague.filter(|(_least, after)| *after <= end) {
        return Some(Quantity::new(least, None, start..after));
    }
    let (number, after) = number_at(text, at, end)?;
    let range = upper_end(text, after, end).filter(|(upper, _after)| *upper > number);
    if let Some((upper, after)) = range {
        return Some(Quantity::new(Some(number), Some(upper), start..after));
    }
    if let Some(after) = text.listed(after, List::NumberOrMore).filter(|after| *after <= end) {
        return Some(Quantity::new(Some(number), None, start..after));
    }
    let (low, high) = match bound {
        Bound::Exact => (Some(number), Some(number)),
        Bound::AtLeast => (Some(number), None),
        Bound::AtMost => (None, Some(number)),
    };
    let is_plain = qualifier.is_none() && is_digits(text.word(start));
    Some(Quantity { low, high, tokens: start..after, is_plain })
}

/// "between 10 and 15".
fn between_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<(u64, u64, usize)> {
    let first = text.listed(start, List::NumberBetween)?;
    let (low, after) = number_at(text, first, end)?;
    let second = text.listed(after, List::And)?;
    let (high, after) = number_at(text, second, end)?;
    (low < high).then_some((low, high, after))
}

/// The "to 15" of "10 to 15", or the "15" of "10-15".
fn upper_end(text: &Text<'_, '_>, at: usize, end: usize) -> Option<(u64, usize)> {
    if let Some(number) = text.listed(at, List::NumberTo) {
        return number_at(text, number, end);
    }
    let hyphen = at < end && matches!(text.gap_before(at), "-" | "–" | "—");
    if hyphen { number_at(text, at, end) } else { None }
}

/// A plain number and where it ends.
fn number_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<(u64, usize)> {
    if start >= end {
        return None;
    }
    let whole = text.role(start, |role| {
        let Role::Whole(number) = role else { return None };
        Some(number)
    });
    whole
        .filter(|(_number, after)| *after <= end)
        .or_else(|| digits_at(text, start, end))
        .or_else(|| words_at(text, start, end))
}

fn is_digits(word: &str) -> bool {
    word.starts_with(|sign: char| digit(sign).is_some())
}

/// The value of a digit, also of an Arabic or a Persian one.
fn digit(sign: char) -> Option<u64> {
    let zero = match sign {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        _ => return None,
    };
    Some(u64::from(u32::from(sign) - u32::from(zero)))
}

/// A number of digits and nothing else.
fn plain_digits(word: &str) -> Option<u64> {
    let mut number = 0_u64;
    for sign in word.chars() {
        number = number.checked_mul(10)?.checked_add(digit(sign)?)?;
    }
    (!word.is_empty()).then_some(number)
}

/// "250,000", "250 000", "1.5 million".
fn digits_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<(u64, usize)> {
    let written = text.word(start);
    if !is_digits(written) {
        return None;
    }
    let spelling = &text.grammar.spelling;
    let mut after = start + 1;
    let (whole, fraction) = match written.split_once(spelling.decimal) {
        Some((whole, fraction)) => (whole, fraction),
        None => (written, ""),
    };
    let joined: String = whole.chars().filter(|sign| !spelling.thousands.contains(sign)).collect();
    let mut number = plain_digits(&joined)?;
    let is_group = |at: usize| {
        let gap = text.gap_before(at);
        let mut signs = gap.chars();
        let one = signs.next().map(|sign| if sign.is_whitespace() { ' ' } else { sign });
        let word = text.word(at);
        signs.next().is_none()
            && one.is_some_and(|sign| spelling.thousands.contains(&sign))
            && word.chars().count() == GROUP_DIGITS
            && plain_digits(word).is_some()
    };
    // A year is no group: "in 2014 300 people".
    let has_groups = fraction.is_empty() && number > 0 && written.chars().count() <= GROUP_DIGITS;
    while has_groups && after < end && is_group(after) {
        number = number.checked_mul(1_000)?.checked_add(plain_digits(text.word(after))?)?;
        after += 1;
    }
    let Some((times, after)) = multiplier_at(text, after, end) else {
        // "1.5" alone counts nobody; "1.500" in a text that means 1500 cannot be told from it.
        return (fraction.is_empty() && number <= COUNT_MAX).then_some((number, after));
    };
    let mut total = number.checked_mul(times)?;
    let mut place = times;
    for sign in fraction.chars() {
        place /= 10;
        total = total.checked_add(place.checked_mul(digit(sign)?)?)?;
    }
    (total <= COUNT_MAX).then_some((total, after))
}

/// "forty-three", "two hundred and six", "three thousand".
fn words_at(text: &Text<'_, '_>, start: usize, end: usize) -> Option<(u64, usize)> {
    let (mut current, mut at) = unit_at(text, start, end)?;
    let mut total = 0_u64;
    while at < end {
        if let Some((times, after)) = multiplier_at(text, at, end) {
            current = current.checked_mul(times)?;
            if times >= 1_000 {
                total = total.checked_add(current)?;
                current = 0;
            }
            at = after;
            continue;
        }
        let and = text.listed(at, List::NumberAnd);
        let joined = and.filter(|_and| current >= 100 && current.is_multiple_of(100));
        let Some((unit, after)) = unit_at(text, joined.unwrap_or(at), end) else { break };
        // "twenty three" is one number, "six eight" and "one hundred and two hundred" are two.
        let (tens, hundreds) = (current % 100, current % 1_000);
        let fits = if tens == 0 && (current > 0 || total > 0) {
            unit < 100 || (hundreds == 0 && unit < 1_000)
        } else {
            tens >= 20 && tens.is_multiple_of(10) && unit < 10
        };
        if !fits {
            break;
        }
        current = current.checked_add(unit)?;
        at = after;
    }
    let number = total.checked_add(current)?;
    (number <= COUNT_MAX).then_some((number, at))
}

/// "forty" is 40.
fn unit_at(text: &Text<'_, '_>, at: usize, end: usize) -> Option<(u64, usize)> {
    let unit = text.role(at, |role| {
        let Role::Unit(unit) = role else { return None };
        Some(unit)
    });
    unit.filter(|(_unit, after)| *after <= end)
}

/// "million" is 1,000,000.
fn multiplier_at(text: &Text<'_, '_>, at: usize, end: usize) -> Option<(u64, usize)> {
    if at >= end {
        return None;
    }
    let times = text.role(at, |role| {
        let Role::Multiplier(times) = role else { return None };
        Some(times)
    });
    times.filter(|(_times, after)| *after <= end)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cw_model::Steps;

    use super::*;
    use crate::Texts;
    use crate::casualties::Grammar;
    use crate::segment::Document;
    use crate::source::casualties as built_in;

    /// The quantity at the start of a text, and how many words it has; what happened stands after it.
    fn read(language: &str, text: &str) -> (Option<Quantity>, usize) {
        let steps = Steps::new(u64::MAX);
        let happened = if language == "ru" { "погибли" } else { "killed" };
        let body = &format!("{text}, {happened}");
        let texts = Texts { body, ..Texts::default() };
        let document = Document::new(texts, &HashSet::new(), &steps).unwrap();
        let words = document.tokens.len() - 1;
        let grammar = Grammar::read(&built_in(language).unwrap()).unwrap();
        let quantity = quantity_at(&Text::new(&document, &grammar, &steps).unwrap(), 0, words);
        (quantity, words)
    }

    #[track_caller]
    fn check_in(
        language: &str,
        text: &str,
        low: impl Into<Option<u64>>,
        high: impl Into<Option<u64>>,
    ) {
        let (found, words) = read(language, text);
        let found = found.unwrap();
        assert_eq!((found.low, found.high), (low.into(), high.into()), "{text}");
        assert_eq!(found.tokens, 0..words, "{text}");
    }

    #[track_caller]
    fn check(text: &str, low: impl Into<Option<u64>>, high: impl Into<Option<u64>>) {
        check_in("en", text, low, high);
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
        check("several", None, None);
    }

    #[test]
    fn absurd_numbers_are_refused() {
        for text in ["99999999999999999999999", "99999999999", "nobody", "1.5"] {
            assert_eq!(read("en", text).0, None, "{text}");
        }
    }

    #[test]
    fn another_language_has_other_numerals_and_signs() {
        check_in("ru", "двадцать три", 23, 23);
        check_in("ru", "сто двадцать", 120, 120);
        check_in("ru", "не менее двух", 2, None);
        check_in("ru", "12 000", 12_000, 12_000);
        check_in("ru", "1,5 миллиона", 1_500_000, 1_500_000);
        check_in("ru", "более 3 тысяч", 3_000, None);
        check_in("ru", "десятки", 20, None);
        check_in("en", "\u{661}\u{662}", 12, 12);
    }
}
