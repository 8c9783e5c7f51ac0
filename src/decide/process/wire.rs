//! Article to record: from our nouns to the published wire form.

use std::sync::Arc;

use cw_model::digest::refused_id;
use cw_model::record::{
    REJECT_SCHEMA_VERSION, RecordBodySource, RecordChange, RecordConflict, RecordDateQuality,
    RecordDates, RecordFeed, RecordMedia, RecordObserved, SCHEMA_VERSION,
};
use cw_model::state::SeenArticle;
use cw_model::{
    Article, BodySource, Change, Coding, DateQuality, EntryText, Feed, Media, Record, Reject,
    Route, TextKind, Timestamp,
};
use cw_read::normalise::line;
use cw_read::parse::{FeedFormat, ParsedFeed, Problem};
use cw_text::language;
use cw_text::plain::{Layout, plain_text};
use url::Url;

use super::Refused;

pub(super) fn record(
    article: &Article,
    revision: u32,
    change: Change,
    feed: Arc<RecordFeed>,
    observed: RecordObserved,
    coding: Option<&Coding>,
) -> Record {
    Record {
        schema: SCHEMA_VERSION.to_owned(),
        id: article.id.to_string(),
        revision,
        change: match change {
            Change::Created => RecordChange::Created,
            Change::Updated => RecordChange::Updated,
            Change::Withdrawn => RecordChange::Withdrawn,
        },
        feed,
        url: article.url.as_ref().map(ToString::to_string),
        guid: article.guid.clone(),
        title: article.title.clone(),
        summary: article.summary.clone(),
        body: article.body.clone(),
        body_source: match article.body_source {
            BodySource::Feed => None,
            BodySource::Page => Some(RecordBodySource::Page),
        },
        truncated: article.truncated,
        repaired: article.repaired,
        authors: article.authors.clone(),
        categories: article.categories.clone(),
        language: article.language.clone(),
        media: article.media.iter().map(media).collect(),
        published_at: article.published_at.map(rfc3339),
        updated_at: article.updated_at.map(rfc3339),
        dates: RecordDates {
            published_raw: article.published_raw.clone(),
            quality: article.date_quality.iter().copied().map(date_quality).collect(),
        },
        observed,
        fingerprint: article.fingerprint.map(|fingerprint| fingerprint.to_string()),
        conflict: coding.map(RecordConflict::from),
    }
}

/// Who is told of a revision, `before` being the one published before it, if one was.
///
/// Whoever reads only what is relevant must learn that something is not any more. Whether the one
/// before was is not known of what an earlier version of the program published: then they are told
/// once too often rather than never.
pub(super) fn route(coding: Option<&Coding>, before: Option<SeenArticle>) -> Route {
    if coding.is_some_and(|coding| coding.relevant) {
        Route::Relevant
    // `None` counts as relevant here: see above.
    } else if before.is_some_and(|before| before.relevant != Some(false)) {
        Route::Correction
    } else {
        Route::Articles
    }
}

/// What each record says of its feed; and the problem of a title of which only the beginning is published.
pub(super) fn feed(feed: &Feed, parsed: &ParsedFeed) -> (RecordFeed, Option<Problem>) {
    let mut is_cut = false;
    let sent = parsed.title.as_deref();
    let title = sent.and_then(|title| line(title, title_kind(parsed.format), &mut is_cut));
    // Whoever read the document may have said so already, with all of the title.
    let is_said = |title: &str| {
        let shows = |problem: &Problem| problem.bytes.starts_with(title.as_bytes());
        parsed.feed_problems.iter().any(shows)
    };
    let problem = sent.filter(|title| is_cut && !is_said(title)).map(|title| Problem {
        detail: "the title of the feed is longer than what is published of one".to_owned(),
        offset: None,
        bytes: title.as_bytes().to_vec(),
        entries: 0,
    });
    let feed = RecordFeed {
        id: feed.id.to_string(),
        url: feed.published(&feed.url),
        title,
        publisher: feed.publisher.clone(),
        country: feed.country.clone(),
        language: feed.language.clone().or_else(|| language::tag(parsed.language.as_deref()?)),
    };
    (feed, problem)
}

/// What a document's own title is written in.
fn title_kind(format: FeedFormat) -> TextKind {
    match format {
        FeedFormat::Rss | FeedFormat::Atom => TextKind::Html,
        FeedFormat::Json | FeedFormat::Sitemap => TextKind::Plain,
    }
}

pub(super) fn observed(after: Option<Timestamp>, at: Timestamp) -> RecordObserved {
    RecordObserved { after: after.map(rfc3339), at: rfc3339(at) }
}

pub(super) fn reject(feed: &Feed, refused: &Refused<'_>, url: &Url, now: Timestamp) -> Reject {
    let id = refused_id(feed.id.as_str(), refused.bytes);
    let reject = Reject {
        schema: REJECT_SCHEMA_VERSION.to_owned(),
        id: id.to_string(),
        feed_id: feed.id.to_string(),
        url: feed.published(url),
        reason: refused.reason.to_owned(),
        detail: detail(refused.detail),
        offset: refused.offset,
        length: 0,
        bytes: String::new(),
        at: rfc3339(now),
    };
    reject.holding(refused.bytes)
}

/// It quotes what the publisher wrote.
fn detail(text: &str) -> String {
    let text = EntryText { kind: TextKind::Plain, value: text.to_owned() };
    plain_text(&text, Layout::Line).unwrap_or_default()
}

/// RFC 3339, UTC, to the second: no publisher means more, and equal instants read equal.
fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn media(media: &Media) -> RecordMedia {
    RecordMedia {
        url: media.url.clone(),
        media_type: media.media_type.clone(),
        width: media.width,
        height: media.height,
        title: media.title.clone(),
    }
}

fn date_quality(quality: DateQuality) -> RecordDateQuality {
    match quality {
        DateQuality::Missing => RecordDateQuality::Missing,
        DateQuality::Future => RecordDateQuality::Future,
        DateQuality::ZoneAssumed => RecordDateQuality::ZoneAssumed,
        DateQuality::ZoneLearned => RecordDateQuality::ZoneLearned,
        DateQuality::DateOnly => RecordDateQuality::DateOnly,
        DateQuality::Unparsed => RecordDateQuality::Unparsed,
    }
}
