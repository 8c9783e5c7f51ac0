//! Reads the dates publishers really write. Whether to believe one is `normalise::dates`' business.
//!
//! Sources: RFC 2822 with what it calls obsolete, ISO 8601 with weeks and days of the year, seconds and
//! milliseconds since 1970, and numbers with names of months in the languages of `words`; Solar Hijri,
//! Hijri, Ethiopian and Buddhist years where no Gregorian one is meant. A date that can be read in two ways
//! (`03/04/2024`) is read only as its neighbours in the same feed are; an hour behind which stands a word that
//! nobody knows may be of either half of the day, and is left out unless the neighbours count to 24.

mod clock;
mod words;

use std::time::Duration;

use clock::Time;
use cw_model::{DateQuality, Timestamp};
use icu_calendar::cal::{EthiopianEraStyle, Hijri};
use icu_calendar::{Date, Iso};
use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use unicode_normalization::char::is_combining_mark;
use words::{Calendar, Month, Needs, Zone};

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
    /// Which number is the day in `03/04/24`. `None` if nothing tells.
    pub order: Option<Order>,
    /// Whether its hours are counted to 24.
    pub has_24_hours: bool,
    /// How far its local time, which it calls UTC, is ahead of UTC. `None` if it writes what is so.
    pub ahead: Option<Duration>,
}

/// In which order a date of three numbers has its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `25/02/2026`
    DayFirst,
    /// `02/25/2026`
    MonthFirst,
    /// `26/02/25`
    YearFirst,
}

impl Conventions {
    /// Learns from all dates of a feed: what can be read in one way only tells how the others are meant.
    pub fn learn<'a>(language: Option<&str>, dates: impl Iterator<Item = &'a str>) -> Self {
        let language = language.map(|tag| tag.split('-').next().unwrap_or_default().to_lowercase());
        let mut learned = Self { language, ..Self::default() };
        // A year that comes first leaves no question, and a date of the standards none either.
        let is_question = |text: &str| {
            let year = text.trim_start().bytes().take_while(u8::is_ascii_digit).count();
            (text.contains(['/', '-', '.']) || !text.is_ascii()) && year < 4
        };
        let mut orders = vec![Order::DayFirst, Order::MonthFirst, Order::YearFirst];
        let mut is_open = false;
        let mut has_24_hours = false;
        for text in dates {
            has_24_hours |= clock::shows_24_hours(text);
            if !is_question(text) {
                continue;
            }
            let Some(fields) = Fields::of(text, &learned) else { continue };
            has_24_hours |= fields.time.is_some_and(|time| time.hour == 0 || time.hour > 12);
            let possible = fields.orders();
            if !possible.is_empty() {
                is_open = true;
                orders.retain(|order| possible.contains(order));
            }
        }
        learned.has_24_hours = has_24_hours;
        let is_year_first = || learned.language.as_deref().is_some_and(words::is_year_first);
        learned.order = match orders.as_slice() {
            [only] if is_open => Some(*only),
            several if is_open && several.contains(&Order::YearFirst) && is_year_first() => {
                Some(Order::YearFirst)
            }
            // A feed that writes two orders writes none.
            _ => None,
        };
        learned
    }
}

/// Reads a date. `None` if nobody can, or in more ways than one.
pub fn read(text: &str, conventions: &Conventions) -> Option<ReadDate> {
    if let Some(at) = since_1970(text.trim()) {
        return Some(ReadDate { at, assumed: None, is_utc: false });
    }
    Fields::of(text, conventions)?.resolve(conventions)
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
    /// Behind the time stands a word that nobody knows: it may be a half of the day.
    is_half_unknown: bool,
    half: Option<words::Half>,
    zone: Option<Zone>,
    short_years: ShortYears,
    /// By how many years the era of the next number is behind.
    era: Option<i32>,
    /// Week and day of it (ISO 8601), after the year.
    week: Option<(i8, i8)>,
    /// The next number is the month, as in Vietnamese.
    is_month_next: bool,
}

/// What the language says of years of two digits.
#[derive(Debug, Default)]
struct ShortYears {
    /// They may be those of the Buddhist era.
    is_thai: bool,
    /// Whether they come first, if that is known.
    is_first: Option<bool>,
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
        let is_first = conventions.language.as_deref().map(words::is_year_first);
        let language = conventions.language.as_deref().or_else(marked);
        let is_thai =
            language == Some("th") || text.contains(|c| matches!(c, '\u{E00}'..='\u{E7F}'));
        let text = words::plain(text);
        // Go prints how long the process has run.
        let text = text.split_once(" m=").map_or(text.as_str(), |(date, _)| date);
        let (zone, text) = match words::take_long_zone(text) {
            Some((zone, rest)) => (Some(zone), rest),
            None => (None, text.to_owned()),
        };
        let mut fields = Self::read(&tokens(&text)?, language);
        if text.contains('(') && (fields.zone.is_none() || fields.time.is_none()) {
            // "17:00 (GMT+7)", "2026 (17:00)": here the comment is all there is.
            let text = text.replace(['(', ')'], " ");
            let with_comment = Self::read(&tokens(&text)?, language);
            if with_comment.numbers == fields.numbers {
                fields.zone = fields.zone.or(with_comment.zone);
                fields.time = fields.time.or(with_comment.time);
            }
        }
        fields.zone = zone.or(fields.zone);
        let short_years = ShortYears { is_thai, is_first };
        Some(Self { short_years, ..fields })
    }

    fn read(tokens: &[Token<'_>], language: Option<&str>) -> Self {
        let mut fields = Self::default();
        let mut rest = tokens;
        let mut mark = None;
        while let Some(token) = rest.first() {
            let time = if fields.has_date() { clock::time_behind_date } else { clock::time };
            if fields.time.is_none()
                && let Some((time, after)) = time(rest)
            {
                fields.time = Some(time);
                fields.is_half_unknown = clock::has_unknown_word(after, language);
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

    /// Whether day, month and year have been said.
    fn has_date(&self) -> bool {
        self.numbers.len() >= if self.month.is_some() { 2 } else { 3 }
    }

    fn number(&mut self, mark: Option<char>, digits: &str) {
        if std::mem::take(&mut self.is_month_next) && self.month.is_none() {
            self.month = digits.parse().ok().map(Month::gregorian);
            return;
        }
        if let Some(behind) = self.era.take() {
            let year = digits.parse().ok().and_then(|year: i32| year.checked_add(behind));
            self.numbers.extend(year.map(|year| (mark, year.to_string())));
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
            self.time = clock::compact(rest);
        } else if self.has_date() && self.time.is_none() && matches!(digits.len(), 4 | 6) {
            self.time = clock::compact(digits);
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
        } else if let Some(behind) = words::era(word) {
            self.era = Some(behind);
        } else if let Some((half, needs)) = words::half(word)
            && match needs {
                Needs::Nothing => true,
                Needs::Time => self.time.is_some(),
                Needs::DateAndTime => self.time.is_some() && self.has_date(),
            }
        {
            // "3:05 WB Sa’aatii": words behind the half name the zone.
            self.half.get_or_insert(half);
        } else if let Some(zone) = words::zone(word, language) {
            self.zone.get_or_insert(zone);
        }
    }

    fn resolve(self, conventions: &Conventions) -> Option<ReadDate> {
        let date = self.date(conventions.order)?;
        let Some(time) = self.time.filter(|time| self.is_hour_sure(*time, conventions)) else {
            let at = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
            return Some(ReadDate { at, assumed: Some(DateQuality::DateOnly), is_utc: false });
        };
        let (date, hour) = match (time.hour, self.half) {
            (24, None) if time.minute == 0 && time.second == 0 => (date.tomorrow().ok()?, 0),
            (12, Some(words::Half::Morning | words::Half::Night)) => (date, 0),
            (hour @ 1..=11, Some(words::Half::Afternoon))
            | (hour @ 1..=6, Some(words::Half::Noon))
            | (hour @ 6..=11, Some(words::Half::Night)) => (date, hour + 12),
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

    /// Whether it is known in which half of the day an hour is.
    fn is_hour_sure(&self, time: Time, conventions: &Conventions) -> bool {
        !self.is_half_unknown
            || self.half.is_some()
            || conventions.has_24_hours
            || !(1..=12).contains(&time.hour)
    }

    fn date(&self, order: Option<Order>) -> Option<civil::Date> {
        if let Some(month) = self.month {
            let [(_, first), (_, second)] = self.numbers.as_slice() else { return None };
            let (day, year) = if first.len() == 4 { (second, first) } else { (first, second) };
            return self.date_in(month.calendar, year, month.number, day.parse().ok()?);
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
                let order = Some(order?);
                several.iter().find(|(own, _)| *own == order).map(|(_, date)| *date)
            }
        }
    }

    /// All dates that three numbers can be, each with the order in which it is one, if that is a question.
    fn readings(&self) -> Option<Vec<(Option<Order>, civil::Date)>> {
        let [(_, first), (mark, second), (other, third)] = self.numbers.as_slice() else {
            return None;
        };
        if mark != other {
            return None;
        }
        let number = |digits: &str| digits.parse::<i8>().ok();
        let gregorian = Calendar::Gregorian;
        if first.len() == 4 {
            let date = self.date_in(gregorian, first, number(second)?, number(third)?)?;
            return Some(vec![(None, date)]);
        }
        let day_first = self.date_in(gregorian, third, number(second)?, number(first)?);
        // With dots a year stands first in few languages.
        let is_allowed = match mark {
            Some('.') => self.short_years.is_first == Some(true),
            _ => self.short_years.is_first != Some(false),
        };
        let may_be_first = third.len() <= 2 && first.len() == 2 && is_allowed;
        let year_first =
            if may_be_first { civil_date(first, number(second)?, number(third)?) } else { None };
        // Nobody writes the month first with dots.
        let month_first = match mark {
            Some('.') => None,
            _ => self.date_in(gregorian, third, number(first)?, number(second)?),
        };
        let readings = [
            (Order::DayFirst, day_first),
            (Order::MonthFirst, month_first),
            (Order::YearFirst, year_first),
        ];
        Some(readings.into_iter().filter_map(|(order, date)| Some((Some(order), date?))).collect())
    }

    /// The orders in which three numbers are a date.
    fn orders(&self) -> Vec<Order> {
        if self.month.is_some() || self.week.is_some() {
            return Vec::new();
        }
        let readings = self.readings().unwrap_or_default();
        readings.into_iter().filter_map(|(order, _)| order).collect()
    }

    /// A date in a calendar. A year that is centuries off in the Gregorian one names its own calendar.
    fn date_in(&self, calendar: Calendar, year: &str, month: i8, day: i8) -> Option<civil::Date> {
        let written: i32 = year.parse().ok()?;
        let is_short_thai =
            self.short_years.is_thai && year.len() == 2 && written >= THAI_SHORT_YEARS_MIN;
        let number = if is_short_thai { written + BUDDHIST_CENTURY } else { written };
        let calendar = match calendar {
            Calendar::Gregorian if PERSIAN_YEARS.contains(&number) => Calendar::Persian,
            Calendar::Gregorian if HIJRI_YEARS.contains(&number) => Calendar::Hijri,
            Calendar::Gregorian if BUDDHIST_YEARS.contains(&number) => Calendar::Buddhist,
            // Ethiopia has not come so far.
            Calendar::Tigrinya if number >= ETHIOPIAN_YEARS_MAX => Calendar::Gregorian,
            Calendar::Tigrinya => return None,
            other => other,
        };
        let (nth, day_of_it) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
        let date: Date<Iso> = match calendar {
            Calendar::Gregorian | Calendar::Tigrinya => return civil_date(year, month, day),
            Calendar::Persian => {
                Date::try_new_persian(number, nth, day_of_it).ok()?.to_calendar(Iso)
            }
            Calendar::Hijri => {
                let calendar = Hijri::new_umm_al_qura();
                let date = Date::try_new_hijri_with_calendar(number, nth, day_of_it, calendar);
                date.ok()?.to_calendar(Iso)
            }
            Calendar::Ethiopian => {
                let era = EthiopianEraStyle::AmeteMihret;
                Date::try_new_ethiopian(era, number, nth, day_of_it).ok()?.to_calendar(Iso)
            }
            Calendar::Buddhist => {
                Date::try_new_buddhist(number, nth, day_of_it).ok()?.to_calendar(Iso)
            }
        };
        let (month, day) = (date.month().ordinal, date.day_of_month().0);
        let year = i16::try_from(date.year().extended_year()).ok()?;
        civil::Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
    }
}

/// The Solar Hijri years of 2001 to 2045. The Hijri years of 2004 to 2058 follow.
const PERSIAN_YEARS: std::ops::RangeInclusive<i32> = 1380..=1424;
const HIJRI_YEARS: std::ops::RangeInclusive<i32> = 1425..=1480;
/// The Buddhist years of 1997 to 2057.
const BUDDHIST_YEARS: std::ops::RangeInclusive<i32> = 2540..=2600;

/// The Buddhist century that two digits stand in, and the first of its years that are written so: 2017.
const BUDDHIST_CENTURY: i32 = 2500;
const THAI_SHORT_YEARS_MIN: i32 = 60;

/// In Ethiopia it begins in September 2028.
const ETHIOPIAN_YEARS_MAX: i32 = 2021;

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

/// `+0300`, `+03:00`, `-3`, `+ 03:00`.
fn offset<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(i32, &'t [Token<'a>])> {
    let (sign, digits, rest) = match tokens {
        [Token::Mark(sign @ ('+' | '-' | '−' | '±')), Token::Number(digits), rest @ ..] => {
            (sign, digits, rest)
        }
        [Token::Mark(sign @ '+'), Token::Space, Token::Number(digits), rest @ ..] => {
            (sign, digits, rest)
        }
        _ => return None,
    };
    let (hours, minutes, rest) = match (digits.len(), rest) {
        // Seconds of an offset are nothing.
        (
            1 | 2,
            [
                Token::Mark(':'),
                Token::Number(minutes),
                Token::Mark(':'),
                Token::Number(_),
                rest @ ..,
            ],
        ) => (*digits, *minutes, rest),
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
    Some((if matches!(sign, '+' | '±') { seconds } else { -seconds }, rest))
}

#[cfg(test)]
mod tests;
