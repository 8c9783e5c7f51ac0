//! Durations and sizes with their units, as people write them, and back.

use std::ops::RangeInclusive;
use std::time::Duration;

use bytesize::ByteSize;
use cw_model::Backlog;
use jiff::fmt::friendly::SpanParser;
use jiff::{SignedDuration, SpanRelativeTo};

use super::walk::shown;

const DAY: u64 = 24 * 3600;

/// What is wrong with a value, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(String);

impl From<String> for Unfit {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// How old what a first poll publishes may be: less than a minute publishes nothing, and news feeds
/// do not reach back ten years.
const BACKLOG_AGE: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(3650 * DAY);

/// Reads "20s", "5m", "1h 30m", "2d". A day is 24 hours; months and years have no fixed length and
/// are refused.
///
/// # Errors
/// What is wrong and what to write instead.
pub fn read_duration(text: &str) -> Result<Duration, Unfit> {
    let span = SpanParser::new().parse_span(text).ok();
    let exact = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let duration = exact.and_then(|exact| Duration::try_from(exact).ok());
    duration.ok_or_else(|| {
        let given = quoted(text);
        let hint = "use for example \"20s\", \"5m\", \"1h 30m\" or \"2d\"";
        Unfit(format!("{given} is not a duration; {hint}"))
    })
}

/// Reads a duration within a range.
///
/// # Errors
/// What is wrong and what to write instead.
pub(super) fn read_duration_in(
    text: &str,
    range: &RangeInclusive<Duration>,
) -> Result<Duration, Unfit> {
    let duration = read_duration(text)?;
    let (min, max) = (duration_text(*range.start()), duration_text(*range.end()));
    if duration < *range.start() {
        return Err(Unfit(format!("{text} is too short; use {min} to {max}")));
    }
    if duration > *range.end() {
        return Err(Unfit(format!("{text} is too long; use {min} to {max}")));
    }
    Ok(duration)
}

/// Reads "16MiB", "1GB" within a range, in bytes.
///
/// # Errors
/// What is wrong and what to write instead.
pub(super) fn read_size_in(text: &str, range: &RangeInclusive<u64>) -> Result<u64, Unfit> {
    let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    let size = text.parse::<ByteSize>().ok().filter(|_| has_unit);
    let Some(ByteSize(bytes)) = size else {
        let given = quoted(text);
        return Err(Unfit(format!("{given} is not a size with a unit; use for example \"16MiB\"")));
    };
    if range.contains(&bytes) {
        return Ok(bytes);
    }
    let wrong = if bytes < *range.start() { "small" } else { "large" };
    let (min, max) = (size_text(*range.start()), size_text(*range.end()));
    Err(Unfit(format!("{text} is too {wrong}; use {min} to {max}")))
}

/// Reads "all", "none" or how old entries may be.
///
/// # Errors
/// What is wrong and what to write instead.
pub(super) fn read_backlog(text: &str) -> Result<Backlog, Unfit> {
    match text {
        "all" => Ok(Backlog::All),
        "none" => Ok(Backlog::None),
        _ if read_duration(text).is_ok() => {
            read_duration_in(text, &BACKLOG_AGE).map(Backlog::Within)
        }
        _ => {
            let given = quoted(text);
            Err(Unfit(format!(
                "{given} is no backlog; use \"all\", \"none\" or an age such as \"48h\""
            )))
        }
    }
}

/// A backlog as it is written.
pub(super) fn backlog_text(backlog: Backlog) -> String {
    match backlog {
        Backlog::All => "all".to_owned(),
        Backlog::None => "none".to_owned(),
        Backlog::Within(age) => duration_text(age),
    }
}

/// A duration as it is written: "1h 30m", "7d".
pub fn duration_text(duration: Duration) -> String {
    let (days, rest) = (duration.as_secs() / DAY, duration.as_secs() % DAY);
    if days > 1 && rest == 0 && duration.subsec_nanos() == 0 {
        return format!("{days}d");
    }
    let exact = SignedDuration::try_from(duration);
    exact.map_or_else(|_| format!("{duration:?}"), |exact| format!("{exact:#}"))
}

/// A size as it is written: "16MiB".
pub fn size_text(bytes: u64) -> String {
    ByteSize(bytes).to_string().replace(".0 ", "").replace(' ', "")
}

/// A value in quotes, one line, not too long.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_duration(text: &str, seconds: Option<u64>) {
        assert_eq!(read_duration(text).ok(), seconds.map(Duration::from_secs), "{text:?}");
    }

    #[test]
    fn a_duration_has_a_unit_and_a_fixed_length() {
        check_duration("20s", Some(20));
        check_duration("5m", Some(300));
        check_duration("1h 30m", Some(5400));
        check_duration("1h30m", Some(5400));
        check_duration("400d", Some(400 * 86400));
        check_duration("2w", Some(14 * 86400));
        for text in ["", "20", "5mo", "1y", "-5s", "20s ago", "PT20S", "soon", "5 parsecs"] {
            check_duration(text, None);
        }
    }

    #[test]
    fn a_duration_reads_back_as_written() {
        for text in ["0s", "1s", "1h 30m", "24h", "100ms", "7d", "25h"] {
            assert_eq!(duration_text(read_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn a_size_has_a_unit() {
        let any = 0..=u64::MAX;
        assert_eq!(read_size_in("16MiB", &any), Ok(16 << 20));
        assert_eq!(read_size_in("1 GB", &any), Ok(1_000_000_000));
        assert_eq!(size_text(16 << 20), "16MiB");
        for text in ["", "16", "-1MiB", "MiB", "16 MiC"] {
            assert!(read_size_in(text, &any).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_backlog_is_a_word_or_an_age() {
        assert_eq!(read_backlog("all"), Ok(Backlog::All));
        assert_eq!(read_backlog("none"), Ok(Backlog::None));
        assert_eq!(read_backlog("48h"), Ok(Backlog::Within(Duration::from_secs(48 * 3600))));
        assert_eq!(read_backlog("1m"), Ok(Backlog::Within(Duration::from_secs(60))));
        for text in ["", "some", "59s", "3651d"] {
            assert!(read_backlog(text).is_err(), "{text:?}");
        }
        assert_eq!(backlog_text(Backlog::Within(Duration::from_secs(48 * 3600))), "2d");
    }
}
