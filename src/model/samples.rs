//! Outcomes and records for the tests of the ledgers.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::record::{
    RecordChange, RecordConflict, RecordDates, RecordFeed, RecordObserved, RecordRelated,
    RecordTag, SCHEMA_VERSION,
};
use crate::state::{FeedPlan, FeedState, Standing};
use crate::{
    Backlog, Changed, EntryCounts, Feed, FeedId, FeedProxy, FullText, Outcome, PollResult, Quota,
    Record, Reject, Route, Routed, Timestamp, Urgency, UrlQuery,
};

/// The time in them.
pub fn now() -> Timestamp {
    Timestamp::constant(1_767_323_045, 0)
}

/// A feed's id.
///
/// # Panics
/// If it is none.
pub fn id(text: &str) -> FeedId {
    FeedId::parse(text).expect("an id of a feed")
}

/// A feed as the defaults configure it, but that it is asked once in one to five seconds.
pub fn feed(text: &str, url: Url) -> Feed {
    Feed {
        id: id(text),
        url,
        publisher: None,
        country: None,
        language: None,
        private_networks: None,
        interval: None,
        interval_min: Duration::from_secs(1),
        interval_max: Duration::from_secs(5),
        retry_after_max: Duration::from_secs(3600),
        backlog: Backlog::All,
        entries_max: 2000,
        text_chars_max: 100_000,
        body_limit: 1 << 24,
        quota: Quota { articles: u64::MAX, bytes: u64::MAX },
        query: UrlQuery::default(),
        proxy: FeedProxy::default(),
        request: None,
        labels: Vec::new(),
        full_text: FullText::default(),
    }
}

/// The first revision of an article of feed "a".
pub fn record(number: u32, title: &str) -> Record {
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
        body_source: None,
        truncated: false,
        repaired: false,
        authors: Vec::new(),
        categories: Vec::new(),
        language: Some("en".to_owned()),
        media: Vec::new(),
        published_at: Some("2026-01-02T03:00:00Z".to_owned()),
        updated_at: None,
        dates: RecordDates { published_raw: None, quality: Vec::new() },
        observed: RecordObserved { after: None, at: now().to_string() },
        fingerprint: Some("0".repeat(16)),
        conflict: None,
    }
}

/// The first revision of an article of feed "a" with one tag.
pub fn tagged(number: u32, title: &str, tag: &str) -> Record {
    let tag = RecordTag {
        id: tag.to_owned(),
        label: tag.to_owned(),
        score: 0.9,
        related: RecordRelated { acled: None, plover: None, cameo: None, iptc: None, gdelt: None },
        claim: None,
        roles: None,
        evidence: Vec::new(),
    };
    let conflict = RecordConflict {
        relevant: true,
        score: None,
        tags: vec![tag],
        actors: None,
        places: None,
        casualties: Some(Vec::new()),
        flags: Some(Vec::new()),
        lexicon: "en/1".to_owned(),
    };
    Record { conflict: Some(conflict), ..record(number, title) }
}

/// A reject of feed "a".
pub fn reject(number: u32) -> Reject {
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

/// A record as it is routed where nothing was known of its article before.
pub fn routed(record: Record) -> Routed {
    let is_relevant = record.conflict.as_ref().is_some_and(|conflict| conflict.relevant);
    let route = if is_relevant { Route::Relevant } else { Route::Articles };
    Routed { record, route }
}

/// A poll that published these records.
pub fn outcome(feed: &str, sequence: u64, records: Vec<Record>) -> Outcome {
    Outcome {
        feed_id: id(feed),
        result: PollResult::Modified(EntryCounts::default()),
        records: records.into_iter().map(routed).collect(),
        rejects: Vec::new(),
        state: Arc::new(FeedState {
            plan: FeedPlan { sequence, standing: Standing::Fine, ..FeedPlan::default() },
            ..FeedState::default()
        }),
        urgency: Urgency::Prompt,
        changed: Changed::Memory,
        bytes: 0,
    }
}
