//! The wire form of a feed's habits: whose it seems to be, when it publishes, how it was asked lately.

use serde::{Deserialize, Serialize};

use super::{Character, FollowedBy, LocalTime, Request, Requests, Rhythm};

/// Whose a feed is, by what it shows.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CharacterRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
}

impl From<Character> for CharacterRecord {
    fn from(Character { title, domain }: Character) -> Self {
        Self { title, domain }
    }
}

impl From<CharacterRecord> for Character {
    fn from(CharacterRecord { title, domain }: CharacterRecord) -> Self {
        Self { title, domain }
    }
}

/// By what its articles are told apart.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct FollowedByRecord {
    guid: u32,
    link: u32,
    content: u32,
}

impl From<FollowedBy> for FollowedByRecord {
    fn from(FollowedBy { guid, link, content }: FollowedBy) -> Self {
        Self { guid, link, content }
    }
}

impl From<FollowedByRecord> for FollowedBy {
    fn from(FollowedByRecord { guid, link, content }: FollowedByRecord) -> Self {
        Self { guid, link, content }
    }
}

/// The offset of a feed that writes its local time as UTC.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LocalTimeRecord {
    minutes: u16,
    votes: u8,
}

impl From<LocalTime> for LocalTimeRecord {
    fn from(LocalTime { minutes, votes }: LocalTime) -> Self {
        Self { minutes, votes }
    }
}

impl From<LocalTimeRecord> for LocalTime {
    fn from(LocalTimeRecord { minutes, votes }: LocalTimeRecord) -> Self {
        Self { minutes, votes }
    }
}

/// How a feed was asked lately. A request that cannot be read is left out.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RequestsRecord {
    /// The newest first.
    last: Vec<String>,
    made: u32,
    unconditional: u32,
    early: u32,
    closest: Option<u32>,
}

impl From<Requests> for RequestsRecord {
    fn from(requests: Requests) -> Self {
        Self {
            last: requests.last().map(|request| request.written()).collect(),
            made: requests.made,
            unconditional: requests.unconditional,
            early: requests.early,
            closest: requests.closest,
        }
    }
}

impl From<RequestsRecord> for Requests {
    fn from(record: RequestsRecord) -> Self {
        let RequestsRecord { last, made, unconditional, early, closest } = record;
        let last = last.iter().filter_map(|text| Request::read(text));
        Self::restored(last, [made, unconditional, early], closest)
    }
}

/// A rhythm. One that cannot be read is learned anew from the interval.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RhythmRecord {
    rates: String,
    since: i32,
    turnover: u32,
}

impl From<Rhythm> for RhythmRecord {
    fn from(rhythm: Rhythm) -> Self {
        Self { rates: rhythm.written(), since: rhythm.since, turnover: rhythm.turnover }
    }
}

impl RhythmRecord {
    /// The rhythm, if it can be read.
    pub(super) fn read(self) -> Option<Rhythm> {
        Rhythm::read(&self.rates, self.since, self.turnover)
    }
}
