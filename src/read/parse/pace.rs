//! What a feed says of how often it wants to be asked, and feed-rs passes over: `skipHours` and `skipDays` of RSS 2.0,
//! and the syndication module of RSS 1.0, which other formats use too.

use std::time::Duration;

use cw_model::Skips;

use super::namespace::{Name, Space};

/// The longest text of these elements that is read: that of the longest number and name of a weekday, and space around it.
const TEXT_BYTES_MAX: usize = 64;

const HOUR: Duration = Duration::from_secs(3600);

/// The names of weekdays, from Monday, by their first letters: publishers write them in full, in short, in any case.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What of it the element in hand says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Hour,
    Day,
    Period,
    Frequency,
}

/// Collects it from the elements outside of entries.
#[derive(Debug, Default)]
pub(super) struct PaceReader {
    skips: Skips,
    period: Option<Duration>,
    frequency: Option<f64>,
    capture: Option<(Field, usize, String)>,
}

impl PaceReader {
    /// An element begins, in no entry.
    pub(super) fn open(&mut self, name: &Name<'_>, depth: usize) {
        let is = |local: &str| name.local.eq_ignore_ascii_case(local);
        let field = match name.space {
            Space::Document | Space::Rss if is("hour") => Field::Hour,
            Space::Document | Space::Rss if is("day") => Field::Day,
            Space::Syndication if is("updatePeriod") => Field::Period,
            Space::Syndication if is("updateFrequency") => Field::Frequency,
            _ => return,
        };
        self.capture = Some((field, depth, String::new()));
    }

    /// Text of the element in hand.
    pub(super) fn text(&mut self, part: &str) {
        if let Some((_, _, text)) = &mut self.capture
            && text.len() + part.len() <= TEXT_BYTES_MAX
        {
            text.push_str(part);
        }
    }

    /// An element that began at this depth ends.
    pub(super) fn close(&mut self, depth: usize) {
        let Some((field, _, text)) = self.capture.take_if(|(_, own, _)| *own == depth) else {
            return;
        };
        let text = text.trim().to_ascii_lowercase();
        match field {
            Field::Hour => {
                text.parse().into_iter().for_each(|hour| self.skips.skip_hour(hour));
            }
            Field::Day => {
                let day = WEEKDAYS.iter().position(|day| text.starts_with(day));
                let day = day.and_then(|day| u32::try_from(day).ok());
                day.into_iter().for_each(|day| self.skips.skip_day(day));
            }
            Field::Period => self.period = period(&text),
            Field::Frequency => self.frequency = text.parse().ok(),
        }
    }

    /// When it is not to be asked, and for how long what it says stays as it is.
    pub(super) fn finish(self) -> (Skips, Option<Duration>) {
        (self.skips, self.update_interval())
    }

    /// How long what it says stays as it is. WordPress writes "hourly" and "1" into every feed, whatever it publishes:
    /// that is nobody's wish.
    fn update_interval(&self) -> Option<Duration> {
        let period = self.period?;
        // The module: 1, if it is not there. What is no number of times is passed over too.
        let times = self.frequency.filter(|times| times.is_finite() && *times > 0.0).unwrap_or(1.0);
        let interval = Duration::try_from_secs_f64(period.as_secs_f64() / times).ok()?;
        (interval != HOUR).then_some(interval)
    }
}

/// A period by its name. Some are misspelt.
fn period(name: &str) -> Option<Duration> {
    let hours = match name {
        "hourly" => 1,
        "daily" | "dayly" => 24,
        "weekly" => 7 * 24,
        "monthly" => 30 * 24,
        "yearly" | "annually" => 365 * 24,
        _ => return None,
    };
    Some(HOUR.saturating_mul(hours))
}

#[cfg(test)]
mod tests {
    use cw_model::Steps;

    use super::*;
    use crate::parse::{ParsedFeed, parse};

    fn read(channel: &str) -> ParsedFeed {
        let text = format!(
            "<rss version=\"2.0\" xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\"><channel><title>T\
             </title>{channel}<item><title>A</title><link>https://a.example/1</link><hour>3</hour></item>\
             </channel></rss>"
        );
        let url = "https://a.example/rss".parse().unwrap();
        parse(text.as_bytes(), None, &url, 10, &Steps::new(u64::MAX)).unwrap()
    }

    #[track_caller]
    fn check_skips(channel: &str, hours: &[u32], days: &[u32]) {
        let mut expected = Skips::default();
        hours.iter().for_each(|hour| expected.skip_hour(*hour));
        days.iter().for_each(|day| expected.skip_day(*day));
        assert_eq!(read(channel).skips, expected, "{channel}");
    }

    /// 23
    #[test]
    fn hours_and_days_in_which_it_wants_no_request_are_read() {
        check_skips("<skipHours><hour>0</hour><hour> 7 </hour></skipHours>", &[0, 7], &[]);
        check_skips("<skiphours><HOUR>24</HOUR></skiphours>", &[0], &[]);
        check_skips("<skipDays><day>Saturday</day><day>sun</day></skipDays>", &[], &[5, 6]);
        check_skips(
            "<skipHours><hour>-1</hour><hour>x</hour><hour>25</hour></skipHours>",
            &[],
            &[],
        );
        check_skips("<skipDays><day/><day>Someday</day></skipDays>", &[], &[]);
        // An entry's own element of that name is no wish of the feed.
        check_skips("", &[], &[]);
    }

    #[track_caller]
    fn check_interval(channel: &str, minutes: Option<u64>) {
        let minutes = minutes.map(|minutes| Duration::from_secs(minutes * 60));
        assert_eq!(read(channel).ttl, minutes, "{channel}");
    }

    /// 21, 22
    #[test]
    fn how_long_it_stays_as_it_is_is_read_and_the_longer_word_counts() {
        let sy = |period: &str, frequency: &str| {
            format!(
                "<sy:updatePeriod>{period}</sy:updatePeriod><sy:updateFrequency>{frequency}</sy:updateFrequency>"
            )
        };
        check_interval(&sy("hourly", "2"), Some(30));
        check_interval(&sy("dayly", "1"), Some(24 * 60));
        check_interval(&sy("daily", ""), Some(24 * 60));
        check_interval(&sy("hourly", "0.1"), Some(600));
        check_interval(&sy("hourly", "0"), None);
        check_interval(&sy("\n hourly \n", "\t1\n"), None);
        check_interval(&sy("always", "1"), None);
        check_interval(&sy("daily", "1e-300"), None);
        check_interval(&format!("<ttl>45</ttl>{}", sy("hourly", "2")), Some(45));
        check_interval(&format!("<ttl>15</ttl>{}", sy("hourly", "2")), Some(30));
        for ttl in ["0", "-5", "abc", "99999999999", ""] {
            check_interval(&format!("<ttl>{ttl}</ttl>"), None);
        }
    }
}
