//! Outcomes and records for the tests of the ledgers.

use std::sync::Arc;

use crate::model::record::{
    RecordChange, RecordConflict, RecordDates, RecordFeed, RecordObserved, RecordRelated,
    RecordTag, SCHEMA_VERSION,
};
use crate::model::{EntryCounts, FeedId, Outcome, PollResult, Record, Reject, Timestamp, Urgency};
use crate::state::{FeedState, STATE_VERSION, Standing};

pub(crate) fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

pub(crate) fn id(text: &str) -> FeedId {
    FeedId::parse(text).unwrap()
}

/// The first revision of an article of feed "a".
pub(crate) fn record(number: u32, title: &str) -> Record {
    Record {
        schema: SCHEMA_VERSION.to_owned(),
        id: format!("{number:032x}"),
        revision: 1,
        change: RecordChange::Created,
        feed: Arc::new(RecordFeed {
            id: "a".to_owned(),
            url: "https://example.org/rss".to_owned(),
            title: None,
            publisher: None,
            country: Some("SY".to_owned()),
            language: None,
        }),
        url: Some(format!("https://example.org/{number}")),
        guid: None,
        title: Some(title.to_owned()),
        summary: None,
        body: None,
        truncated: false,
        authors: Vec::new(),
        categories: Vec::new(),
        language: Some("en".to_owned()),
        media: Vec::new(),
        published_at: Some("2026-01-02T03:00:00Z".to_owned()),
        updated_at: None,
        dates: RecordDates { published_raw: None, quality: Vec::new() },
        observed: RecordObserved { after: None, at: now().to_string() },
        fingerprint: "0".repeat(16),
        story: None,
        conflict: None,
    }
}

pub(crate) fn tagged(number: u32, title: &str, tag: &str) -> Record {
    let tag = RecordTag {
        id: tag.to_owned(),
        label: tag.to_owned(),
        score: 0.9,
        related: RecordRelated {
            acled: Vec::new(),
            plover: Vec::new(),
            cameo: Vec::new(),
            iptc: Vec::new(),
            gdelt: Vec::new(),
        },
        evidence: Vec::new(),
    };
    let conflict = RecordConflict {
        relevant: true,
        score: None,
        tags: vec![tag],
        actors: None,
        places: None,
        casualties: Vec::new(),
        flags: Vec::new(),
        lexicon: "en/1".to_owned(),
        model: None,
    };
    Record { conflict: Some(conflict), ..record(number, title) }
}

pub(crate) fn reject(number: u32) -> Reject {
    Reject {
        schema: "conflictwire.reject/1".to_owned(),
        id: format!("{number:032x}"),
        feed_id: "a".to_owned(),
        url: "https://example.org/rss".to_owned(),
        reason: "malformed".to_owned(),
        detail: "no end".to_owned(),
        offset: None,
        length: 1,
        bytes: String::new(),
        at: now().to_string(),
    }
}

pub(crate) fn outcome(feed: &str, sequence: u64, records: Vec<Record>) -> Outcome {
    Outcome {
        feed_id: id(feed),
        result: PollResult::Modified(EntryCounts::default()),
        records,
        rejects: Vec::new(),
        state: Arc::new(FeedState {
            version: STATE_VERSION,
            sequence,
            standing: Standing::Fine,
            ..FeedState::default()
        }),
        urgency: Urgency::Prompt,
        bytes: 0,
    }
}
