//! The words in dates, from `words.toml`: months, halves of the day, zones, in the spelling of [`fold`].

use std::collections::HashMap;
use std::sync::LazyLock;

use cw_text::search::{fold_letter, is_silent};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use crate::beginnings::Beginnings;

/// Half of the day, or a part that lies in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// Before noon.
    Morning,
    /// About noon: from eleven to three or so.
    Noon,
    /// After noon.
    Afternoon,
    /// From evening to dawn.
    Night,
}

/// What must stand before a word for it to be a half of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    Time,
    DateAndTime,
}

/// How years, months and days are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calendar {
    /// The one of ISO 8601.
    Gregorian,
    /// Solar Hijri (Jalali), of Iran and Afghanistan.
    Persian,
    /// Lunar Hijri, by the tables of Umm al-Qura.
    Hijri,
    /// Of Ethiopia.
    Ethiopian,
    /// Gregorian in Eritrea, Ethiopian in Tigray: the same names, and years seven or eight apart.
    Tigrinya,
    /// Gregorian with years from the Buddha's death: Thailand, Laos, Cambodia.
    Buddhist,
}

/// What a name of a month stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Month {
    pub(super) number: i8,
    pub(super) calendar: Calendar,
    /// It is a weekday in some language too.
    pub(super) may_be_weekday: bool,
}

impl Month {
    pub(super) fn gregorian(number: i8) -> Self {
        Self { number, calendar: Calendar::Gregorian, may_be_weekday: false }
    }
}

/// What a date says about its zone.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i32),
    /// A place, which may keep summer time.
    Place(TimeZone),
}

/// Zones of the IANA database, as this build knows them: the machine's own may be missing or another.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

static WORDS: LazyLock<Words> =
    LazyLock::new(|| Words::read(include_str!("words.toml")).unwrap_or_default());

/// How many bytes of a phrase are looked at first; none is shorter.
const PHRASE_BYTES: usize = 3;

static PHRASES: LazyLock<Beginnings<PHRASE_BYTES>> =
    LazyLock::new(|| Beginnings::of(WORDS.phrases.iter().map(|(from, _)| from.as_str())));

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    months: Vec<String>,
    weekdays: String,
    month_next: String,
    year_first: String,
    persian: Vec<String>,
    hijri: Vec<String>,
    ethiopian: Vec<String>,
    tigrinya: Vec<String>,
    hours: String,
    minutes: String,
    eras: HashMap<String, i32>,
    phrases: HashMap<String, String>,
    halves: HalvesOfFile,
    zones: HashMap<String, String>,
    places: HashMap<String, String>,
    in_language: HashMap<String, LanguageOfFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HalvesOfFile {
    morning: String,
    noon: String,
    afternoon: String,
    night: String,
    after_morning: String,
    after_afternoon: String,
    end_morning: String,
    end_afternoon: String,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct LanguageOfFile {
    months: HashMap<String, i8>,
    zones: HashMap<String, i32>,
}

#[derive(Debug, Default)]
struct Words {
    months: HashMap<String, Month>,
    month_next: Vec<String>,
    /// Languages.
    year_first: Vec<String>,
    hours: Vec<String>,
    minutes: Vec<String>,
    /// By how many years each is behind.
    eras: HashMap<String, i32>,
    /// Longest first.
    phrases: Vec<(String, String)>,
    halves: HashMap<String, (Half, Needs)>,
    /// Minutes.
    zones: HashMap<String, i32>,
    /// Names of one word.
    places: HashMap<String, String>,
    /// Names of more, longest first.
    long_places: Vec<(String, String)>,
    months_in_language: HashMap<String, HashMap<String, i8>>,
    /// Minutes.
    zones_in_language: HashMap<String, HashMap<String, i32>>,
}

impl Words {
    fn read(text: &str) -> Result<Self, toml::de::Error> {
        let file: File = toml::from_str(text)?;
        let mut words = Self::default();
        let names = |list: &str| -> Vec<String> { list.split_whitespace().map(fold).collect() };
        let weekdays = names(&file.weekdays);
        for (calendar, months) in [
            (Calendar::Gregorian, &file.months),
            (Calendar::Persian, &file.persian),
            (Calendar::Hijri, &file.hijri),
            (Calendar::Ethiopian, &file.ethiopian),
            (Calendar::Tigrinya, &file.tigrinya),
        ] {
            for (number, list) in (1..).zip(months) {
                for name in names(list) {
                    let may_be_weekday = weekdays.contains(&name);
                    let month = Month { number, calendar, may_be_weekday };
                    // A name of both is read as Amharic has it.
                    if calendar == Calendar::Tigrinya && words.months.contains_key(&name) {
                        continue;
                    }
                    words.months.insert(name, month);
                }
            }
        }
        let halves = &file.halves;
        for (list, half, needs) in [
            (&halves.morning, Half::Morning, Needs::Nothing),
            (&halves.noon, Half::Noon, Needs::Nothing),
            (&halves.afternoon, Half::Afternoon, Needs::Nothing),
            (&halves.night, Half::Night, Needs::Nothing),
            (&halves.after_morning, Half::Morning, Needs::Time),
            (&halves.after_afternoon, Half::Afternoon, Needs::Time),
            (&halves.end_morning, Half::Morning, Needs::DateAndTime),
            (&halves.end_afternoon, Half::Afternoon, Needs::DateAndTime),
        ] {
            words.halves.extend(names(list).into_iter().map(|name| (name, (half, needs))));
        }
        words.month_next = names(&file.month_next);
        words.year_first = names(&file.year_first);
        words.hours = names(&file.hours);
        words.minutes = names(&file.minutes);
        words.eras = file.eras.iter().map(|(name, years)| (fold(name), *years)).collect();
        for (minutes, list) in &file.zones {
            let minutes = minutes.parse().unwrap_or_default();
            words.zones.extend(names(list).into_iter().map(|name| (name, minutes)));
        }
        for (name, place) in file.places {
            let is_long = name.contains(' ');
            let name = fold(&name);
            if is_long {
                words.long_places.push((name, place));
            } else {
                words.places.insert(name, place);
            }
        }
        words.phrases = file.phrases.iter().map(|(from, to)| (fold(from), fold(to))).collect();
        let longest_first = |one: &(String, String), other: &(String, String)| {
            other.0.len().cmp(&one.0.len()).then_with(|| one.cmp(other))
        };
        words.phrases.sort_by(longest_first);
        words.long_places.sort_by(longest_first);
        for (language, own) in file.in_language {
            let months = own.months.iter().map(|(name, to)| (fold(name), *to)).collect();
            let zones = own.zones.iter().map(|(name, to)| (fold(name), *to)).collect();
            words.months_in_language.insert(language.clone(), months);
            words.zones_in_language.insert(language, zones);
        }
        Ok(words)
    }
}

/// Folded as for the search, without the joiners that search keeps, and with digits of one kind.
///
/// Signs of vowels that are letters of their own, as in the scripts of India, stay.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkc().filter(|c| !is_silent(*c) && *c != ZERO_WIDTH_NON_JOINER) {
        fold_letter(digit(c).unwrap_or(c), &mut folded);
    }
    folded
}

/// Persian writes it inside words, or leaves it out.
const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';

/// The first digit of each script that writes numbers with ten of its own; search folds the Arabic ones.
const ZEROS: [char; 15] =
    ['߀', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '๐', '໐', '༠', '၀', '០'];

fn digit(c: char) -> Option<char> {
    let value = |zero: char| u32::from(c).checked_sub(u32::from(zero)).filter(|value| *value < 10);
    ZEROS.iter().find_map(|zero| value(*zero)).and_then(|value| char::from_digit(value, 10))
}

/// The folded text with one word for each phrase and plain marks for what stands for them.
pub(super) fn plain(text: &str) -> String {
    let mut folded = fold(text);
    // Hardly a date has one.
    let holds_phrase = PHRASES.places(&folded).any(|at| {
        let here = folded.get(at..).unwrap_or_default();
        WORDS.phrases.iter().any(|(from, _)| here.starts_with(from.as_str()))
    });
    if holds_phrase {
        for (from, to) in &WORDS.phrases {
            if let Some(replaced) = replace_phrase(&folded, from, to) {
                folded = replaced;
            }
        }
    }
    if folded.is_ascii() {
        return folded;
    }
    let mut plain = String::with_capacity(folded.len());
    let mut rest = folded.chars().peekable();
    while let Some(c) = rest.next() {
        let is_behind_number = || plain.trim_end().ends_with(|c: char| c.is_ascii_digit());
        match c {
            '年' | '月' | '년' | '월' => plain.push('-'),
            // "3時 5分" is 3:05, and "3時" is 3:00; "標準時間" is no time of day.
            '時' | '时' | '点' | '點' | '시' if is_behind_number() => {
                while rest.next_if(|next| next.is_whitespace()).is_some() {}
                let has_minute = rest.peek().is_some_and(char::is_ascii_digit);
                plain.push_str(if has_minute { ":" } else { ":00 " });
            }
            '日' | '일' | '،' | '分' | '분' | '秒' | '초' => plain.push(' '),
            other => plain.push(other),
        }
    }
    plain
}

/// Replaces a phrase where it is no part of a longer word. `None` if it does not occur.
fn replace_phrase(text: &str, from: &str, to: &str) -> Option<String> {
    let (before, after) = text.split_once(from)?;
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let ends_open = from.ends_with(char::is_alphabetic) && is_letter(after.chars().next());
    if is_letter(before.chars().next_back()) || ends_open {
        return None;
    }
    Some(format!("{before} {to} {after}"))
}

/// The month of a name, in a language if one is known.
pub(super) fn month(word: &str, language: Option<&str>) -> Option<Month> {
    let own =
        language.and_then(|language| WORDS.months_in_language.get(language)?.get(word).copied());
    own.map(Month::gregorian).or_else(|| WORDS.months.get(word).copied())
}

/// Whether a word says that the number behind it is a month.
pub(super) fn is_month_next(word: &str) -> bool {
    WORDS.month_next.iter().any(|one| one == word)
}

/// The half of the day that a word stands for, and what must stand before it.
pub(super) fn half(word: &str) -> Option<(Half, Needs)> {
    WORDS.halves.get(word).copied()
}

/// Whether the number before a word is an hour.
pub(super) fn is_hour(word: &str) -> bool {
    WORDS.hours.iter().any(|one| one == word)
}

/// Whether the number before a word is a minute.
pub(super) fn is_minute(word: &str) -> bool {
    WORDS.minutes.iter().any(|one| one == word)
}

/// By how many years the era is behind that a word names.
pub(super) fn era(word: &str) -> Option<i32> {
    WORDS.eras.get(word).copied()
}

/// Whether a year of two digits stands first in dates of a language.
pub(super) fn is_year_first(language: &str) -> bool {
    WORDS.year_first.iter().any(|one| one == language)
}

/// The zone of a name of one word, in a language if one is known.
pub(super) fn zone(word: &str, language: Option<&str>) -> Option<Zone> {
    let own =
        language.and_then(|language| WORDS.zones_in_language.get(language)?.get(word).copied());
    if let Some(minutes) = own.or_else(|| WORDS.zones.get(word).copied()) {
        return Some(Zone::Fixed(minutes * 60));
    }
    WORDS.places.get(word).and_then(|place| named(place))
}

/// Takes the name of a zone that is more than a word out of a folded text: `Europe/Kyiv`, `Arab Standard Time`.
pub(super) fn take_long_zone(text: &str) -> Option<(Zone, String)> {
    if text.contains(" time") {
        let found = WORDS
            .long_places
            .iter()
            .find_map(|(name, place)| Some((place, replace_phrase(text, name, "")?)));
        if let Some((place, rest)) = found {
            return Some((named(place)?, rest));
        }
    }
    let is_between = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | ',');
    let name = text
        .split(is_between)
        .find(|part| part.contains('/') && part.starts_with(|c: char| c.is_ascii_alphabetic()))?;
    Some((named(name)?, text.replacen(name, " ", 1)))
}

/// A zone of the IANA database, in any case.
fn named(name: &str) -> Option<Zone> {
    ZONES.get(name).ok().map(Zone::Place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        let words = Words::read(include_str!("words.toml")).unwrap();
        assert!(words.months.len() > 1000 && words.phrases.len() > 50);
        assert!(words.phrases.iter().all(|(from, _)| from.len() >= PHRASE_BYTES));
        for place in words.long_places.iter().map(|(_, place)| place).chain(words.places.values()) {
            assert!(named(place).is_some(), "{place}");
        }
        for zones in words.zones.values() {
            assert!(zones.abs() <= 14 * 60);
        }
    }

    #[test]
    fn a_phrase_is_no_part_of_a_word() {
        assert_eq!(plain("5 de la manana"), "5  forenoon ");
        assert_eq!(plain("la malla"), "la malla");
        assert_eq!(plain("3:05 P. M."), "3:05  pm ");
        assert_eq!(plain("ม.ค. ๒๕๖๙"), " jan  2569");
    }
}
