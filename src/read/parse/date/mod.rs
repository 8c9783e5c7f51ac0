//! Reads the dates publishers really write. Whether to believe one is `normalise::dates`' business.
//!
//! Sources: RFC 2822 with what it calls obsolete, ISO 8601, seconds and milliseconds since 1970,
//! and numbers with names of months in the languages of `words`. A date that can be read in two
//! ways (`03/04/2024`) is not read.

mod words;

use cw_model::{DateQuality, Timestamp};
use jiff::civil;
use jiff::tz::Offset;

/// The longest text that is looked at: the longest real ones have fifty characters.
const DATE_CHARS_MAX: usize = 100;

/// The most tokens looked at.
const TOKENS_MAX: usize = 60;

/// A date that was read, and what had to be assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadDate {
    /// The instant.
    pub at: Timestamp,
    /// `ZoneAssumed` or `DateOnly`, if there is no zone or no time of day.
    pub assumed: Option<DateQuality>,
}

/// Reads a date. `None` if nobody can, or in more ways than one.
pub fn read(text: &str) -> Option<ReadDate> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > DATE_CHARS_MAX {
        return None;
    }
    let text = words::plain(text);
    if let Some(at) = since_1970(&text) {
        return Some(ReadDate { at, assumed: None });
    }
    let tokens = tokens(&text)?;
    Fields::read(&tokens)?.resolve()
}

/// Ten digits are seconds, thirteen are milliseconds: 2001 to 2286.
fn since_1970(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match whole.len() {
        10 => Timestamp::from_second(whole.parse().ok()?).ok(),
        13 => Timestamp::from_millisecond(whole.parse().ok()?).ok(),
        _ => None,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Number(&'a str),
    Word(&'a str),
    Mark(char),
    Space,
}

/// Runs of digits, runs of letters, single marks. Parentheses are comments (RFC 2822, 3.2.3).
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if tokens.len() >= TOKENS_MAX {
            return None;
        }
        let run = |belongs: fn(char) -> bool| {
            rest.split_at(rest.find(|c| !belongs(c)).unwrap_or(rest.len()))
        };
        let (token, after) = if first.is_ascii_digit() {
            let (digits, after) = run(|c| c.is_ascii_digit());
            (Token::Number(digits), after)
        } else if first.is_alphabetic() {
            let (word, after) = run(char::is_alphabetic);
            (Token::Word(word), after)
        } else if first.is_whitespace() {
            (Token::Space, rest.trim_start())
        } else if first == '(' {
            (Token::Space, rest.split_once(')').map_or("", |(_, after)| after))
        } else {
            let (_, after) = rest.split_at(first.len_utf8());
            (Token::Mark(first), after)
        };
        tokens.push(token);
        rest = after;
    }
    Some(tokens)
}

/// What a date says, before it is known to be one.
#[derive(Debug, Default)]
struct Fields<'a> {
    /// Numbers that are no time, each with the mark before it.
    numbers: Vec<(Option<char>, &'a str)>,
    month: Option<i8>,
    time: Option<Time>,
    half: Option<words::Half>,
    offset_seconds: Option<i32>,
}

#[derive(Clone, Copy, Debug)]
struct Time {
    hour: i8,
    minute: i8,
    second: i8,
}

impl<'a> Fields<'a> {
    fn read(tokens: &[Token<'a>]) -> Option<Self> {
        let mut fields = Self::default();
        let mut rest = tokens;
        let mut mark = None;
        while let Some(token) = rest.first() {
            if let Some((time, after)) = time(rest)
                && fields.time.is_none()
            {
                fields.time = Some(time);
                rest = after;
                continue;
            }
            let has_date = fields.time.is_some() || fields.numbers.len() >= 3;
            if has_date && let Some((seconds, after)) = offset(rest) {
                fields.offset_seconds = Some(seconds);
                rest = after;
                continue;
            }
            match token {
                Token::Number(digits) => {
                    fields.number(mark.take(), digits);
                }
                Token::Word(word) => {
                    let next = rest.iter().skip(1).find_map(|token| match token {
                        Token::Word(word) => Some(*word),
                        _ => None,
                    });
                    fields.word(word, next);
                    mark = None;
                }
                Token::Mark(other) => mark = Some(*other),
                Token::Space => {}
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        Some(fields)
    }

    fn number(&mut self, mark: Option<char>, digits: &'a str) {
        let split = |at: usize| digits.split_at_checked(at);
        // The basic format of ISO 8601: 20240305, then 1030 or 103000.
        if self.numbers.is_empty()
            && matches!(digits.len(), 8 | 12 | 14)
            && let Some((year, rest)) = split(4)
            && let Some((month, rest)) = rest.split_at_checked(2)
            && let Some((day, rest)) = rest.split_at_checked(2)
        {
            self.numbers.extend([(None, year), (Some('-'), month), (Some('-'), day)]);
            self.time = compact_time(rest);
        } else if self.numbers.len() == 3 && self.time.is_none() && matches!(digits.len(), 4 | 6) {
            self.time = compact_time(digits);
        } else {
            self.numbers.push((mark, digits));
        }
    }

    fn word(&mut self, word: &str, next: Option<&str>) {
        if let Some(month) = words::month(word, next) {
            // A later one wins: "mar., 05 févr." begins with Tuesday.
            self.month = Some(month);
        } else if let Some(half) = words::half(word) {
            self.half = self.time.and(Some(half));
        } else if let Some(seconds) = words::zone_seconds(word) {
            // "+0300 MSK" says it twice.
            self.offset_seconds.get_or_insert(seconds);
        }
    }

    fn resolve(self) -> Option<ReadDate> {
        let date = self.date()?;
        let Some(time) = self.time else {
            let at = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
            return Some(ReadDate { at, assumed: Some(DateQuality::DateOnly) });
        };
        let (date, hour) = match (time.hour, self.half) {
            (24, None) if time.minute == 0 && time.second == 0 => (date.tomorrow().ok()?, 0),
            (12, Some(words::Half::Morning)) => (date, 0),
            (hour @ 1..=11, Some(words::Half::Afternoon)) => (date, hour + 12),
            (hour, _) => (date, hour),
        };
        // A leap second is the last of its minute.
        let time = civil::Time::new(hour, time.minute, time.second.min(59), 0).ok()?;
        let offset = Offset::from_seconds(self.offset_seconds.unwrap_or(0)).ok()?;
        let at = offset.to_timestamp(date.to_datetime(time)).ok()?;
        let assumed = self.offset_seconds.is_none().then_some(DateQuality::ZoneAssumed);
        Some(ReadDate { at, assumed })
    }

    fn date(&self) -> Option<civil::Date> {
        if let Some(month) = self.month {
            let [(_, first), (_, second)] = self.numbers.as_slice() else { return None };
            let (day, year) = if first.len() == 4 { (second, first) } else { (first, second) };
            return civil_date(year, month, day.parse().ok()?);
        }
        let [(_, first), (mark, second), (other, third)] = self.numbers.as_slice() else {
            return None;
        };
        if mark != other {
            return None;
        }
        let number = |digits: &str| digits.parse::<i8>().ok();
        if first.len() == 4 {
            return civil_date(first, number(second)?, number(third)?);
        }
        let day_first = civil_date(third, number(second)?, number(first)?);
        // Nobody writes the month first with dots.
        if *mark == Some('.') {
            return day_first;
        }
        let month_first = civil_date(third, number(first)?, number(second)?);
        let year_first =
            (third.len() == 2).then(|| civil_date(first, number(second)?, number(third)?));
        let mut readings: Vec<civil::Date> =
            [day_first, month_first, year_first.flatten()].into_iter().flatten().collect();
        readings.dedup();
        match readings.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// Two digits are the year from 1950 to 2049 (RFC 2822, 4.3).
fn civil_date(year: &str, month: i8, day: i8) -> Option<civil::Date> {
    let year = match (year.len(), year.parse::<i16>().ok()?) {
        (4, year) => year,
        (2, year @ 0..=49) => year + 2000,
        (2, year) => year + 1900,
        _ => return None,
    };
    civil::Date::new(year, month, day).ok()
}

/// `10:30`, `10:30:15`, `10:30:15.123`, `10h30`.
fn time<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Time, &'t [Token<'a>])> {
    let (hour, minute, rest) = match tokens {
        [
            Token::Number(hour),
            Token::Mark(':') | Token::Word("h"),
            Token::Number(minute),
            rest @ ..,
        ] if hour.len() <= 2 && minute.len() <= 2 => (hour, minute, rest),
        _ => return None,
    };
    let (second, rest) = match rest {
        [Token::Mark(':'), Token::Number(second), rest @ ..] if second.len() <= 2 => {
            (*second, rest)
        }
        _ => ("0", rest),
    };
    let rest = match rest {
        [Token::Mark('.' | ','), Token::Number(_), rest @ ..] => rest,
        _ => rest,
    };
    let time = Time {
        hour: hour.parse().ok()?,
        minute: minute.parse().ok()?,
        second: second.parse().ok()?,
    };
    Some((time, rest))
}

fn compact_time(digits: &str) -> Option<Time> {
    let (hour, rest) = digits.split_at_checked(2)?;
    let (minute, second) = rest.split_at_checked(2)?;
    let second = if second.is_empty() { "0" } else { second };
    Some(Time {
        hour: hour.parse().ok()?,
        minute: minute.parse().ok()?,
        second: second.parse().ok()?,
    })
}

/// `+0300`, `+03:00`, `-3`.
fn offset<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(i32, &'t [Token<'a>])> {
    let [Token::Mark(sign @ ('+' | '-' | '−')), Token::Number(digits), rest @ ..] = tokens else {
        return None;
    };
    let (hours, minutes, rest) = match (digits.len(), rest) {
        (1 | 2, [Token::Mark(':'), Token::Number(minutes), rest @ ..]) => (*digits, *minutes, rest),
        (1 | 2, rest) => (*digits, "0", rest),
        (3 | 4, rest) => {
            let (hours, minutes) = digits.split_at_checked(digits.len() - 2)?;
            (hours, minutes, rest)
        }
        _ => return None,
    };
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    // No place on Earth is further from Greenwich.
    if hours > 14 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some((if *sign == '+' { seconds } else { -seconds }, rest))
}

#[cfg(test)]
mod tests;
