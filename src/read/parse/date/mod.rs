//! Reads the dates publishers really write. Whether to believe one is `normalise::dates`' business.
//!
//! Sources: RFC 2822 with what it calls obsolete, ISO 8601 with weeks and days of the year, seconds and
//! milliseconds since 1970, and numbers with names of months in the languages of `words`; Solar Hijri,
//! Hijri and Buddhist years where no Gregorian one is meant. A date that can be read in two ways
//! (`03/04/2024`) is read only as its neighbours in the same feed are.

mod words;

use std::time::Duration;

use cw_model::{DateQuality, Timestamp};
use icu_calendar::cal::Hijri;
use icu_calendar::{Date, Iso};
use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use unicode_normalization::char::is_combining_mark;
use words::{Calendar, Month, Zone};

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
    /// Whether it is a time of day in UTC or in no zone: what may be local time in truth.
    pub is_utc: bool,
}

/// How a feed writes its dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conventions {
    /// The language of its words: `hr`.
    pub language: Option<String>,
    /// Whether the day comes before the month in `03/04/2024`. `None` if nothing tells.
    pub day_first: Option<bool>,
    /// How far its local time, which it calls UTC, is ahead of UTC. `None` if it writes what is so.
    pub ahead: Option<Duration>,
}

impl Conventions {
    /// Learns from all dates of a feed: one that can be read in one way only tells how the others are meant.
    pub fn learn<'a>(language: Option<&str>, dates: impl Iterator<Item = &'a str>) -> Self {
        let language = language.map(|tag| tag.split('-').next().unwrap_or_default().to_lowercase());
        let mut learned = Self { language, day_first: None, ahead: None };
        // A year that comes first leaves no question.
        let is_question = |text: &&str| {
            let year = text.trim_start().bytes().take_while(u8::is_ascii_digit).count();
            text.contains(['/', '-']) && year < 4
        };
        let mut orders = dates.filter(is_question).filter_map(|text| {
            let fields = Fields::of(text, &learned)?;
            fields.order()
        });
        let first = orders.next();
        // A feed that writes both orders writes none.
        let is_one = first.is_some_and(|first| orders.all(|other| other == first));
        learned.day_first = first.filter(|_| is_one);
        learned
    }
}

/// Reads a date. `None` if nobody can, or in more ways than one.
pub fn read(text: &str, conventions: &Conventions) -> Option<ReadDate> {
    if let Some(at) = since_1970(text.trim()) {
        return Some(ReadDate { at, assumed: None, is_utc: false });
    }
    Fields::of(text, conventions)?.resolve(conventions.day_first)
}

/// Ten digits are seconds, thirteen are milliseconds: 2001 to 2286.
fn since_1970(text: &str) -> Option<Timestamp> {
    // "/Date(1769508000000+0300)/", as .NET writes it: the zone changes nothing.
    if let Some(inside) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        let end = inside.find(['+', '-']).unwrap_or(inside.len());
        return since_1970(inside.get(..end)?);
    }
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
            // A mark belongs to the letter before it.
            let (word, after) = run(|c| c.is_alphabetic() || is_combining_mark(c));
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
struct Fields {
    /// Numbers that are no time, each with the mark before it.
    numbers: Vec<(Option<char>, String)>,
    month: Option<Month>,
    time: Option<Time>,
    half: Option<words::Half>,
    zone: Option<Zone>,
    /// Week and day of it (ISO 8601), after the year.
    week: Option<(i8, i8)>,
    /// The next number is the month, as in Vietnamese.
    is_month_next: bool,
}

#[derive(Clone, Copy, Debug)]
struct Time {
    hour: i8,
    minute: i8,
    second: i8,
}

impl Fields {
    /// What a text says. `None` if it is empty or too long.
    fn of(text: &str, conventions: &Conventions) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > DATE_CHARS_MAX {
            return None;
        }
        // Years are marked so in Chinese and Japanese, whose zones have names of their own.
        let marked = || text.contains('年').then_some("zh");
        let language = conventions.language.as_deref().or_else(marked);
        let text = words::plain(text);
        // Go prints how long the process has run.
        let text = text.split_once(" m=").map_or(text.as_str(), |(date, _)| date);
        let (zone, text) = match words::take_long_zone(text) {
            Some((zone, rest)) => (Some(zone), rest),
            None => (None, text.to_owned()),
        };
        let mut fields = Self::read(&tokens(&text)?, language);
        fields.zone = zone.or(fields.zone);
        if fields.zone.is_none() && fields.time.is_some() && text.contains('(') {
            // "17:00 (GMT+7)": here the comment is all there is.
            let text = text.replace(['(', ')'], " ");
            let with_comment = Self::read(&tokens(&text)?, language);
            fields.zone = with_comment.zone.filter(|_| with_comment.numbers == fields.numbers);
        }
        Some(fields)
    }

    fn read(tokens: &[Token<'_>], language: Option<&str>) -> Self {
        let mut fields = Self::default();
        let mut rest = tokens;
        let mut mark = None;
        while let Some(token) = rest.first() {
            if fields.time.is_none()
                && let Some((time, after)) = time(rest).or_else(|| fields.dotted_time(rest))
            {
                fields.time = Some(time);
                rest = after;
                continue;
            }
            if let Some((week, after)) = week(rest)
                && fields.numbers.len() == 1
            {
                fields.week = Some(week);
                rest = after;
                continue;
            }
            let has_date =
                fields.time.is_some() || fields.numbers.len() >= 3 || fields.week.is_some();
            if has_date && let Some((seconds, after)) = offset(rest) {
                fields.zone = Some(Zone::Fixed(seconds));
                rest = after;
                continue;
            }
            match token {
                Token::Number(digits) => fields.number(mark.take(), digits),
                Token::Word(word) => {
                    fields.word(word, language);
                    mark = None;
                }
                Token::Mark(other) => mark = Some(*other),
                Token::Space => {}
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        fields
    }

    /// `15.02` behind a date, as the Finnish, Danish and Germans write a time.
    fn dotted_time<'t, 'a>(&self, tokens: &'t [Token<'a>]) -> Option<(Time, &'t [Token<'a>])> {
        let has_date = match self.month {
            Some(_) => self.numbers.len() >= 2,
            None => self.numbers.len() >= 3,
        };
        let [Token::Number(hour), Token::Mark('.'), Token::Number(minute), rest @ ..] = tokens
        else {
            return None;
        };
        let is_time = has_date && hour.len() <= 2 && minute.len() == 2;
        let (second, rest) = match rest {
            [Token::Mark('.'), Token::Number(second), rest @ ..] if second.len() == 2 => {
                (*second, rest)
            }
            _ => ("0", rest),
        };
        is_time.then(|| Some((Time::read(hour, minute, second)?, rest))).flatten()
    }

    fn number(&mut self, mark: Option<char>, digits: &str) {
        if std::mem::take(&mut self.is_month_next) && self.month.is_none() {
            self.month = digits.parse().ok().map(Month::gregorian);
            return;
        }
        let split = |at: usize| digits.split_at_checked(at);
        // The basic format of ISO 8601: 20240305, then 1030 or 103000.
        if self.numbers.is_empty()
            && matches!(digits.len(), 8 | 12 | 14)
            && let Some((year, rest)) = split(4)
            && let Some((month, rest)) = rest.split_at_checked(2)
            && let Some((day, rest)) = rest.split_at_checked(2)
        {
            let dash = Some('-');
            self.numbers.extend(
                [(None, year), (dash, month), (dash, day)].map(|(mark, n)| (mark, n.to_owned())),
            );
            self.time = compact_time(rest);
        } else if self.numbers.len() == 3 && self.time.is_none() && matches!(digits.len(), 4 | 6) {
            self.time = compact_time(digits);
        } else {
            self.numbers.push((mark, digits.to_owned()));
        }
    }

    fn word(&mut self, word: &str, language: Option<&str>) {
        if words::is_month_next(word) {
            self.is_month_next = true;
        } else if let Some(zone) = words::zone(word, language).filter(|_| self.month.is_some()) {
            // A month is named already: "cot" is one elsewhere. "+0300 MSK" says the zone twice.
            self.zone.get_or_insert(zone);
        } else if let Some(month) = words::month(word, language) {
            // "mar., 05 févr." begins with Tuesday, "5 févr., mar." ends with it.
            if self.month.is_none_or(|before| before.may_be_weekday && !month.may_be_weekday) {
                self.month = Some(month);
            }
        } else if let Some((half, needs_time)) = words::half(word)
            && (self.time.is_some() || !needs_time)
        {
            self.half = Some(half);
        } else if let Some(zone) = words::zone(word, language) {
            self.zone.get_or_insert(zone);
        }
    }

    fn resolve(self, day_first: Option<bool>) -> Option<ReadDate> {
        let date = self.date(day_first)?;
        let Some(time) = self.time else {
            let at = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
            return Some(ReadDate { at, assumed: Some(DateQuality::DateOnly), is_utc: false });
        };
        let (date, hour) = match (time.hour, self.half) {
            (24, None) if time.minute == 0 && time.second == 0 => (date.tomorrow().ok()?, 0),
            (12, Some(words::Half::Morning)) => (date, 0),
            (hour @ 1..=11, Some(words::Half::Afternoon)) => (date, hour + 12),
            (hour, _) => (date, hour),
        };
        // A leap second is the last of its minute.
        let time = civil::Time::new(hour, time.minute, time.second.min(59), 0).ok()?;
        let zone = match &self.zone {
            Some(Zone::Place(zone)) => zone.clone(),
            Some(Zone::Fixed(seconds)) => Offset::from_seconds(*seconds).ok()?.to_time_zone(),
            None => TimeZone::UTC,
        };
        let at = zone.to_timestamp(date.to_datetime(time)).ok()?;
        let assumed = self.zone.is_none().then_some(DateQuality::ZoneAssumed);
        let is_utc = matches!(self.zone, None | Some(Zone::Fixed(0)));
        Some(ReadDate { at, assumed, is_utc })
    }

    fn date(&self, day_first: Option<bool>) -> Option<civil::Date> {
        if let Some(month) = self.month {
            let [(_, first), (_, second)] = self.numbers.as_slice() else { return None };
            let (day, year) = if first.len() == 4 { (second, first) } else { (first, second) };
            return date_in(month.calendar, year, month.number, day.parse().ok()?);
        }
        if let Some((week, day)) = self.week {
            let [(_, year)] = self.numbers.as_slice() else { return None };
            let weekday = civil::Weekday::from_monday_one_offset(day).ok()?;
            return Some(civil::ISOWeekDate::new(year.parse().ok()?, week, weekday).ok()?.date());
        }
        // A day of the year, as ISO 8601 writes it.
        if let [(_, year), (Some('-'), day)] = self.numbers.as_slice()
            && (year.len(), day.len()) == (4, 3)
        {
            let first = civil_date(year, 1, 1)?;
            return first.with().day_of_year(day.parse().ok()?).build().ok();
        }
        let readings = self.readings()?;
        match readings.as_slice() {
            [(_, only)] => Some(*only),
            [(_, one), rest @ ..] if rest.iter().all(|(_, other)| other == one) => Some(*one),
            several => {
                let order = Some(day_first?);
                several.iter().find(|(day_first, _)| *day_first == order).map(|(_, date)| *date)
            }
        }
    }

    /// All dates that three numbers can be, each with whether the day came first, if that is a question.
    fn readings(&self) -> Option<Vec<(Option<bool>, civil::Date)>> {
        let [(_, first), (mark, second), (other, third)] = self.numbers.as_slice() else {
            return None;
        };
        if mark != other {
            return None;
        }
        let number = |digits: &str| digits.parse::<i8>().ok();
        let gregorian = Calendar::Gregorian;
        if first.len() == 4 {
            let date = date_in(gregorian, first, number(second)?, number(third)?)?;
            return Some(vec![(None, date)]);
        }
        let day_first = date_in(gregorian, third, number(second)?, number(first)?);
        // Nobody writes the month first with dots.
        if *mark == Some('.') {
            return Some(vec![(None, day_first?)]);
        }
        let month_first = date_in(gregorian, third, number(first)?, number(second)?);
        let year_first =
            (third.len() == 2).then(|| civil_date(first, number(second)?, number(third)?));
        let readings =
            [(Some(true), day_first), (Some(false), month_first), (None, year_first.flatten())];
        Some(readings.into_iter().filter_map(|(order, date)| Some((order, date?))).collect())
    }

    /// Whether the day comes first in a date of three numbers that can be read in one way.
    fn order(&self) -> Option<bool> {
        if self.month.is_some() || self.week.is_some() {
            return None;
        }
        match self.readings()?.as_slice() {
            [(order, _)] => *order,
            _ => None,
        }
    }
}

/// The Solar Hijri years of 2001 to 2045. The Hijri years of 2004 to 2058 follow.
const PERSIAN_YEARS: std::ops::RangeInclusive<i32> = 1380..=1424;
const HIJRI_YEARS: std::ops::RangeInclusive<i32> = 1425..=1480;
/// The Buddhist years of 1997 to 2057.
const BUDDHIST_YEARS: std::ops::RangeInclusive<i32> = 2540..=2600;

/// A date in a calendar. A year that is centuries off in the Gregorian one names its own calendar.
fn date_in(calendar: Calendar, year: &str, month: i8, day: i8) -> Option<civil::Date> {
    let number: i32 = year.parse().ok()?;
    let calendar = match calendar {
        Calendar::Gregorian if PERSIAN_YEARS.contains(&number) => Calendar::Persian,
        Calendar::Gregorian if HIJRI_YEARS.contains(&number) => Calendar::Hijri,
        Calendar::Gregorian if BUDDHIST_YEARS.contains(&number) => Calendar::Buddhist,
        other => other,
    };
    let (nth, day_of_it) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    let date: Date<Iso> = match calendar {
        Calendar::Gregorian => return civil_date(year, month, day),
        Calendar::Persian => Date::try_new_persian(number, nth, day_of_it).ok()?.to_calendar(Iso),
        Calendar::Hijri => {
            let calendar = Hijri::new_umm_al_qura();
            let date = Date::try_new_hijri_with_calendar(number, nth, day_of_it, calendar);
            date.ok()?.to_calendar(Iso)
        }
        Calendar::Buddhist => Date::try_new_buddhist(number, nth, day_of_it).ok()?.to_calendar(Iso),
    };
    let (month, day) = (date.month().ordinal, date.day_of_month().0);
    let year = i16::try_from(date.year().extended_year()).ok()?;
    civil::Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
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
        ] if hour.len() <= 2 && minute.len() <= 2 => (*hour, *minute, rest),
        // "11 h 00", as the French rules of typography have it.
        [
            Token::Number(hour),
            Token::Space,
            Token::Word("h"),
            Token::Space,
            Token::Number(minute),
            rest @ ..,
        ] if hour.len() <= 2 && minute.len() == 2 => (*hour, *minute, rest),
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
    Some((Time::read(hour, minute, second)?, rest))
}

impl Time {
    fn read(hour: &str, minute: &str, second: &str) -> Option<Self> {
        let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
        Some(Self { hour, minute, second: second.parse().ok()? })
    }
}

/// `W05-2` or `W052`, behind a year.
fn week<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<((i8, i8), &'t [Token<'a>])> {
    let (week, day, rest) = match tokens {
        [
            Token::Word("w"),
            Token::Number(week),
            Token::Mark('-'),
            Token::Number(day),
            rest @ ..,
        ] => (*week, *day, rest),
        [Token::Word("w"), Token::Number(both), rest @ ..] => {
            let (week, day) = both.split_at_checked(2)?;
            (week, day, rest)
        }
        _ => return None,
    };
    Some(((week.parse().ok()?, day.parse().ok()?), rest))
}

fn compact_time(digits: &str) -> Option<Time> {
    let (hour, rest) = digits.split_at_checked(2)?;
    let (minute, second) = rest.split_at_checked(2)?;
    let second = if second.is_empty() { "0" } else { second };
    Time::read(hour, minute, second)
}

/// `+0300`, `+03:00`, `-3`, `+ 03:00`.
fn offset<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(i32, &'t [Token<'a>])> {
    let (sign, digits, rest) = match tokens {
        [Token::Mark(sign @ ('+' | '-' | '−')), Token::Number(digits), rest @ ..] => {
            (sign, digits, rest)
        }
        [Token::Mark(sign @ '+'), Token::Space, Token::Number(digits), rest @ ..] => {
            (sign, digits, rest)
        }
        _ => return None,
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
