//! Times of day as they are written: `10:30`, `10h30`, `3 pm`, `15 ч. 05 мин.`

use super::{Token, words};

/// A time of day, before it is known whether the hour is one of twelve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    pub(super) hour: i8,
    pub(super) minute: i8,
    pub(super) second: i8,
}

impl Time {
    fn read(hour: &str, minute: &str, second: &str) -> Option<Self> {
        let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
        Some(Self { hour, minute, second: second.parse().ok()? })
    }
}

/// The time that begins here, and what follows it.
pub(super) fn time<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Time, &'t [Token<'a>])> {
    with_colon(tokens).or_else(|| with_words(tokens))
}

/// The same behind a date: some forms are a time only there.
pub(super) fn time_behind_date<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Time, &'t [Token<'a>])> {
    time(tokens).or_else(|| with_dot(tokens)).or_else(|| with_half(tokens))
}

/// `10:30`, `10:30:15`, `10:30:15.123`.
fn with_colon<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Time, &'t [Token<'a>])> {
    let [Token::Number(hour), Token::Mark(':'), Token::Number(minute), rest @ ..] = tokens else {
        return None;
    };
    if hour.len() > 2 || minute.len() > 2 {
        return None;
    }
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

/// `10h30`, `11 h 00`, `15 giờ 05`, `15 ч. 05 мин.`, `15 นาฬิกา 05 นาที 00 วินาที`.
fn with_words<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Time, &'t [Token<'a>])> {
    let [Token::Number(hour), rest @ ..] = tokens else { return None };
    let [Token::Word(word), rest @ ..] = past_space(rest) else { return None };
    let rest = past_space(past_stop(rest));
    let [Token::Number(minute), rest @ ..] = rest else { return None };
    if hour.len() > 2 || minute.len() > 2 || !words::is_hour(word) {
        return None;
    }
    let (second, rest) = match rest {
        [Token::Mark(':'), Token::Number(second), rest @ ..] => (*second, rest),
        rest => match past_space(rest) {
            [Token::Word(word), after @ ..] if words::is_minute(word) => {
                match past_space(past_stop(after)) {
                    [Token::Number(second), rest @ ..] if second.len() == 2 => {
                        (*second, past_word(past_space(rest)))
                    }
                    _ => ("0", past_stop(after)),
                }
            }
            _ => ("0", rest),
        },
    };
    Some((Time::read(hour, minute, second)?, rest))
}

/// `15.02` behind a date, as the Finnish, Danish and Germans write a time.
fn with_dot<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Time, &'t [Token<'a>])> {
    let [Token::Number(hour), Token::Mark('.'), Token::Number(minute), rest @ ..] = tokens else {
        return None;
    };
    if hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let (second, rest) = match rest {
        [Token::Mark('.'), Token::Number(second), rest @ ..] if second.len() == 2 => {
            (*second, rest)
        }
        _ => ("0", rest),
    };
    Some((Time::read(hour, minute, second)?, rest))
}

/// `3 pm` and `12 noon`, behind a date: the hour alone, and what follows is left to its reader.
fn with_half<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Time, &'t [Token<'a>])> {
    let [Token::Number(hour), rest @ ..] = tokens else { return None };
    let [Token::Word(word), ..] = past_space(rest) else { return None };
    let is_time = hour.len() <= 2 && words::half(word).is_some();
    is_time.then(|| Some((Time::read(hour, "0", "0")?, rest))).flatten()
}

/// `1030` or `103015`.
pub(super) fn compact(digits: &str) -> Option<Time> {
    let (hour, rest) = digits.split_at_checked(2)?;
    let (minute, second) = rest.split_at_checked(2)?;
    let second = if second.is_empty() { "0" } else { second };
    Time::read(hour, minute, second)
}

/// Whether the word behind a time is one that nobody knows, and may be a half of the day: in another script, or of
/// two letters. Longer ones in Latin letters are mostly zones and places.
pub(super) fn has_unknown_word(after: &[Token<'_>], language: Option<&str>) -> bool {
    // Before a date or more words it is a weekday or a source.
    let [Token::Word(word), rest @ ..] = past_space(after) else { return false };
    if !past_space(past_stop(rest)).is_empty() {
        return false;
    }
    (!word.is_ascii() || word.len() == 2)
        && !words::is_hour(word)
        && words::half(word).is_none()
        && words::zone(word, language).is_none()
        && words::month(word, language).is_none()
}

/// Whether an hour of a text is past noon by itself.
pub(super) fn shows_24_hours(text: &str) -> bool {
    let is_hour = |[before, tens, ones, after]: &[u8; 4]| {
        !before.is_ascii_digit()
            && !matches!(before, b':' | b'+' | b'-')
            && *after == b':'
            && (matches!(tens, b'1') && matches!(ones, b'3'..=b'9')
                || matches!(tens, b'2') && matches!(ones, b'0'..=b'3')
                || (*tens, *ones) == (b'0', b'0'))
    };
    text.as_bytes().array_windows().any(is_hour)
}

fn past_space<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    if let [Token::Space, rest @ ..] = tokens { rest } else { tokens }
}

fn past_stop<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    if let [Token::Mark('.'), rest @ ..] = tokens { rest } else { tokens }
}

fn past_word<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    if let [Token::Word(_), rest @ ..] = tokens { rest } else { tokens }
}
