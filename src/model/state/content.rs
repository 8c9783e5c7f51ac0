//! What an article says, whatever it is known by.
//!
//! Enough to tell an article again whose publisher gave it another identifier and another link at once, as a move to
//! other software does. The digest does not tell it: the link is part of that.

use crate::digest::bytes_digest;
use crate::{Digest, Timestamp};

/// Bytes of the hash of a headline, and of a text. Alone it is no evidence; two parts together are 40 bits or more.
const HASH_BYTES: usize = 3;

/// Headline, text and date of publication of an article, in 8 bytes, written as hex digits. What it does not have is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Content(pub [u8; 8]);

impl From<Content> for Digest {
    fn from(Content(bytes): Content) -> Self {
        Self(bytes)
    }
}

impl From<Digest> for Content {
    fn from(Digest(bytes): Digest) -> Self {
        Self(bytes)
    }
}

impl Content {
    /// Minutes before they begin again: 45 days and a half. What is dated each day, week or month at the same time has
    /// other minutes.
    pub const MINUTES: u16 = u16::MAX;

    /// Of an article with this headline, this text and this date.
    pub fn of(title: Option<&str>, text: Option<&str>, published_at: Option<Timestamp>) -> Self {
        let [a, b, c] = hash(title);
        let [d, e, f] = hash(text);
        let minute = published_at.map(|at| at.as_second().div_euclid(60));
        let minute = minute.map_or(0, |minute| round(minute).saturating_add(1));
        let [g, h] = minute.to_be_bytes();
        Self([a, b, c, d, e, f, g, h])
    }

    /// The headline.
    pub fn title(self) -> Option<[u8; HASH_BYTES]> {
        let [a, b, c, ..] = self.0;
        Some([a, b, c]).filter(|hash| *hash != [0; HASH_BYTES])
    }

    /// The text.
    pub fn text(self) -> Option<[u8; HASH_BYTES]> {
        let [_, _, _, a, b, c, ..] = self.0;
        Some([a, b, c]).filter(|hash| *hash != [0; HASH_BYTES])
    }

    /// The minute of publication, counted from no particular one.
    pub fn minute(self) -> Option<u16> {
        let [.., a, b] = self.0;
        u16::from_be_bytes([a, b]).checked_sub(1)
    }

    /// How many minutes later the other is dated, if both are dated; what is dated earlier comes round again.
    pub fn minutes_to(self, other: Self) -> Option<u16> {
        let (from, to) = (i64::from(self.minute()?), i64::from(other.minute()?));
        Some(round(to - from))
    }
}

/// What is left of a number of minutes after all whole rounds.
fn round(minutes: i64) -> u16 {
    u16::try_from(minutes.rem_euclid(Content::MINUTES.into())).unwrap_or_default()
}

/// Never zero for a text that is there.
fn hash(text: Option<&str>) -> [u8; HASH_BYTES] {
    let Some(text) = text else { return [0; HASH_BYTES] };
    let [a, b, c, ..] = bytes_digest(text.as_bytes()).0;
    if [a, b, c] == [0; HASH_BYTES] { [0, 0, 1] } else { [a, b, c] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }

    #[test]
    fn each_part_is_told_by_itself() {
        let all = Content::of(Some("A"), Some("B"), at("2026-03-01T12:00:30Z"));
        let edited = Content::of(Some("A"), Some("C"), at("2026-03-01T12:00:59Z"));
        assert_eq!((all.title(), all.minute()), (edited.title(), edited.minute()));
        assert_ne!(all.text(), edited.text());
        let nothing = Content::of(None, None, None);
        assert_eq!((nothing.title(), nothing.text(), nothing.minute()), (None, None, None));
        assert!(Content::of(Some(""), None, None).title().is_some());
    }

    #[test]
    fn dates_differ_by_minutes_and_those_of_each_day_differ() {
        let dated = |text| Content::of(None, None, at(text));
        let first = dated("2026-03-01T12:00:00Z");
        assert_eq!(first.minutes_to(dated("2026-03-01T12:00:59Z")), Some(0));
        assert_eq!(first.minutes_to(dated("2026-03-02T12:00:00Z")), Some(1440));
        assert_eq!(dated("2026-03-02T12:00:00Z").minutes_to(first), Some(65_535 - 1440));
        assert_eq!(first.minutes_to(Content::of(None, None, None)), None);
        for day in 1..400 {
            assert_ne!(round(1440 * day), 0, "{day}");
        }
        // Before 1970 too.
        assert!(dated("1969-12-31T23:59:00Z").minute().is_some());
    }
}
