//! What the daemon and the process that tries documents say to each other. Private to this program:
//! both ends are the same file on disk, so there is no version.
//!
//! A frame is a head (JSON) and bytes, each with its length before it (64 bits, big-endian).

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use cw_code::{LexiconProblem, Source, Sources, Tagger};
use cw_model::feed::NotAFeedId;
use cw_model::state::StateRecord;
use cw_model::{
    ArticleId, Backlog, Body, Feed, FeedId, FeedProxy, Freshness, FullText, Quota, Timestamp,
    UrlQuery, Validators,
};
use cw_read::page::PageText;
use serde::{Deserialize, Serialize};
use url::Url;

use super::TrialDocument;
use crate::config::TagSettings;

/// The answer to a frame, one byte: done, and ready for the next.
pub(super) const DONE: u8 = b'd';

/// Or: it was not read, and that is not the document's fault.
pub(super) const NOT_DONE: u8 = b'n';

/// The first frame: what the tagger is made of, and what there is for documents.
#[derive(Serialize, Deserialize)]
pub(super) struct SetUp {
    /// Bytes that reading a document may take.
    pub(super) memory: u64,
    threshold: f64,
    taxonomy: WireSource,
    lexicons: Vec<WireSource>,
    actors: Vec<WireSource>,
}

#[derive(Serialize, Deserialize)]
struct WireSource {
    name: String,
    text: String,
}

impl SetUp {
    pub(super) fn new(tag: &TagSettings, memory: u64) -> Self {
        let TagSettings { threshold, sources: Sources { taxonomy, lexicons, actors } } = tag;
        Self {
            memory,
            threshold: *threshold,
            taxonomy: WireSource::from(taxonomy),
            lexicons: lexicons.iter().map(WireSource::from).collect(),
            actors: actors.iter().map(WireSource::from).collect(),
        }
    }

    pub(super) fn tagger(self) -> Result<Tagger, Vec<LexiconProblem>> {
        let all = |sources: Vec<WireSource>| sources.into_iter().map(Source::from).collect();
        let sources = Sources {
            taxonomy: self.taxonomy.into(),
            lexicons: all(self.lexicons),
            actors: all(self.actors),
        };
        Tagger::new(&sources, self.threshold)
    }
}

impl From<&Source> for WireSource {
    fn from(Source { name, text }: &Source) -> Self {
        Self { name: name.clone(), text: text.clone() }
    }
}

impl From<WireSource> for Source {
    fn from(WireSource { name, text }: WireSource) -> Self {
        Self { name, text }
    }
}

/// Every later frame: a document, its bytes apart.
#[derive(Serialize, Deserialize)]
struct WireDocument {
    feed: WireFeed,
    body: WireBody,
    state: StateRecord,
    now: Timestamp,
    pages: Vec<WirePage>,
}

/// The text of a page.
#[derive(Serialize, Deserialize)]
struct WirePage {
    article: ArticleId,
    body: String,
    is_cut: bool,
}

/// A feed. A field more in [`Feed`] does not compile until it is here too.
#[derive(Serialize, Deserialize)]
pub(super) struct WireFeed {
    id: String,
    url: Url,
    publisher: Option<String>,
    country: Option<String>,
    language: Option<String>,
    interval: Option<Duration>,
    interval_min: Duration,
    interval_max: Duration,
    retry_after_max: Duration,
    backlog: WireBacklog,
    entries_max: usize,
    text_chars_max: usize,
    body_limit: u64,
    quota_articles: u64,
    quota_bytes: u64,
    publishes_query: bool,
    wants_pages: bool,
}

#[derive(Serialize, Deserialize)]
enum WireBacklog {
    All,
    Within(Duration),
    None,
}

#[derive(Serialize, Deserialize)]
struct WireBody {
    wire_bytes: u64,
    final_url: Url,
    moved_to: Option<Url>,
    content_type: Option<String>,
    validators: Validators,
    fresh_for: Option<Duration>,
}

impl WireFeed {
    /// As it is written.
    pub(super) fn text(&self) -> Vec<u8> {
        json(self)
    }

    fn feed(self) -> Result<Feed, NotAFeedId> {
        Ok(Feed {
            id: FeedId::parse(&self.id)?,
            url: self.url,
            publisher: self.publisher,
            country: self.country,
            language: self.language,
            // It reads a document, and dials nothing.
            private_networks: None,
            proxy: FeedProxy::Direct,
            request: None,
            // Nothing that is read depends on it.
            labels: Vec::new(),
            interval: self.interval,
            interval_min: self.interval_min,
            interval_max: self.interval_max,
            retry_after_max: self.retry_after_max,
            backlog: match self.backlog {
                WireBacklog::All => Backlog::All,
                WireBacklog::Within(age) => Backlog::Within(age),
                WireBacklog::None => Backlog::None,
            },
            entries_max: self.entries_max,
            text_chars_max: self.text_chars_max,
            body_limit: self.body_limit,
            quota: Quota { articles: self.quota_articles, bytes: self.quota_bytes },
            query: if self.publishes_query { UrlQuery::Published } else { UrlQuery::Hidden },
            full_text: if self.wants_pages { FullText::Page } else { FullText::Feed },
        })
    }
}

impl From<&Feed> for WireFeed {
    fn from(feed: &Feed) -> Self {
        let Feed {
            id,
            url,
            publisher,
            country,
            language,
            private_networks: _,
            proxy: _,
            request: _,
            labels: _,
            interval,
            interval_min,
            interval_max,
            retry_after_max,
            backlog,
            entries_max,
            text_chars_max,
            body_limit,
            quota: Quota { articles: quota_articles, bytes: quota_bytes },
            query,
            full_text,
        } = feed.clone();
        Self {
            id: id.to_string(),
            url,
            publisher,
            country,
            language,
            interval,
            interval_min,
            interval_max,
            retry_after_max,
            backlog: match backlog {
                Backlog::All => WireBacklog::All,
                Backlog::Within(age) => WireBacklog::Within(age),
                Backlog::None => WireBacklog::None,
            },
            entries_max,
            text_chars_max,
            body_limit,
            quota_articles,
            quota_bytes,
            publishes_query: query == UrlQuery::Published,
            wants_pages: full_text == FullText::Page,
        }
    }
}

impl From<&Body> for WireBody {
    fn from(body: &Body) -> Self {
        let Body {
            bytes: _,
            wire_bytes,
            final_url,
            moved_to,
            content_type,
            validators,
            freshness: Freshness(fresh_for),
            // These decide what is asked next, and nothing about the document.
            refusal: _,
            network: _,
            wait: _,
            links: _,
            // What is left out of a delta changes what is remembered, and not how it is read.
            instance: _,
        } = body;
        Self {
            wire_bytes: *wire_bytes,
            final_url: final_url.clone(),
            moved_to: moved_to.clone(),
            content_type: content_type.clone(),
            validators: validators.clone(),
            fresh_for: *fresh_for,
        }
    }
}

/// The head of the first frame.
pub(super) fn set_up_head(set_up: &SetUp) -> Vec<u8> {
    json(set_up)
}

/// The head of a document's frame.
pub(super) fn head_of(document: &TrialDocument) -> Vec<u8> {
    json(&WireDocument {
        feed: WireFeed::from(document.feed.as_ref()),
        body: WireBody::from(document.body.as_ref()),
        state: document.state.as_ref().into(),
        now: document.now,
        pages: document
            .pages
            .iter()
            .map(|(article, page)| WirePage {
                article: *article,
                body: page.body.clone(),
                is_cut: page.is_cut,
            })
            .collect(),
    })
}

/// Reads the head of the first frame.
///
/// # Errors
/// What is wrong with it.
pub(super) fn set_up_of(head: &[u8]) -> io::Result<SetUp> {
    serde_json::from_slice(head).map_err(io::Error::other)
}

/// Reads a document's frame.
///
/// # Errors
/// What is wrong with it.
pub(super) fn document_of(head: &[u8], bytes: Vec<u8>) -> io::Result<TrialDocument> {
    let WireDocument { feed, body, state, now, pages } = serde_json::from_slice(head)?;
    let body = Body {
        bytes,
        wire_bytes: body.wire_bytes,
        final_url: body.final_url,
        moved_to: body.moved_to,
        content_type: body.content_type,
        validators: body.validators,
        freshness: Freshness(body.fresh_for),
        refusal: None,
        instance: cw_model::Instance::Whole,
        network: cw_model::Network::Public,
        wait: None,
        links: cw_model::HubLinks::default(),
    };
    Ok(TrialDocument {
        feed: feed.feed().map_err(io::Error::other)?.into(),
        body: body.into(),
        state: Arc::new(state.into()),
        now,
        pages: Arc::new(
            pages
                .into_iter()
                .map(|WirePage { article, body, is_cut }| (article, PageText { body, is_cut }))
                .collect(),
        ),
    })
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers and lists always make JSON")
}

/// Writes a frame.
///
/// # Errors
/// The other end is gone.
pub(super) fn write_frame(to: &mut impl Write, head: &[u8], bytes: &[u8]) -> io::Result<()> {
    for part in [head, bytes] {
        to.write_all(&(part.len() as u64).to_be_bytes())?;
        to.write_all(part)?;
    }
    to.flush()
}

/// Reads a frame; `None` if the other end has no more.
///
/// # Errors
/// It ended inside a frame.
pub(super) fn read_frame(from: &mut impl Read) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let Some(head) = read_part(from)? else { return Ok(None) };
    let bytes = read_part(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Some((head, bytes)))
}

fn read_part(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u64::from_be_bytes(length);
    let mut part = Vec::with_capacity(usize::try_from(length).map_err(io::Error::other)?);
    from.take(length).read_to_end(&mut part)?;
    if (part.len() as u64) < length {
        Err(io::ErrorKind::UnexpectedEof.into())
    } else {
        Ok(Some(part))
    }
}

#[cfg(test)]
mod tests {
    use cw_code::Texts;
    use cw_model::Steps;
    use cw_model::state::UnpackedState;

    use super::*;

    fn feed() -> Feed {
        Feed {
            id: FeedId::parse("a").unwrap(),
            url: "https://a.example/rss".parse().unwrap(),
            publisher: Some("A".to_owned()),
            country: None,
            language: Some("uk".to_owned()),
            private_networks: None,
            interval: Some(Duration::from_millis(1500)),
            interval_min: Duration::from_secs(1),
            interval_max: Duration::from_secs(2),
            retry_after_max: Duration::from_secs(3),
            backlog: Backlog::Within(Duration::from_secs(4)),
            entries_max: 5,
            text_chars_max: 6,
            body_limit: 7,
            quota: Quota { articles: 8, bytes: 9 },
            query: UrlQuery::Published,
            proxy: FeedProxy::Direct,
            request: None,
            labels: Vec::new(),
            full_text: FullText::Page,
        }
    }

    #[test]
    fn a_document_arrives_as_it_was_sent() {
        let mut state = UnpackedState::default();
        state.plan.sequence = 3;
        state.plan.interval = Some(Duration::from_secs(7));
        state.memory.repeated_marks.insert("x".to_owned());
        let state = state.pack();
        let body = Body {
            bytes: vec![0, 255, 10],
            wire_bytes: 9,
            final_url: "https://b.example/".parse().unwrap(),
            moved_to: Some("https://c.example/".parse().unwrap()),
            content_type: Some("text/xml".to_owned()),
            validators: Validators { etag: Some("\"e\"".to_owned()), last_modified: None },
            freshness: Freshness(Some(Duration::from_secs(8))),
            refusal: None,
            instance: cw_model::Instance::Whole,
            network: cw_model::Network::Public,
            wait: None,
            links: cw_model::HubLinks::default(),
        };
        let now = "2026-03-01T12:00:00.123456789Z".parse().unwrap();
        let text = PageText { body: "Shells hit the market.".to_owned(), is_cut: true };
        let sent = TrialDocument {
            feed: feed().into(),
            body: body.into(),
            state: state.into(),
            now,
            pages: Arc::new([(ArticleId([7; 16]), text)].into()),
        };
        let mut wire = Vec::new();
        write_frame(&mut wire, &head_of(&sent), &sent.body.bytes).unwrap();
        write_frame(&mut wire, b"next", b"").unwrap();
        let mut wire = wire.as_slice();
        let (head, bytes) = read_frame(&mut wire).unwrap().unwrap();
        let received = document_of(&head, bytes).unwrap();
        assert_eq!(format!("{received:?}"), format!("{sent:?}"));
        assert_eq!(read_frame(&mut wire).unwrap(), Some((b"next".to_vec(), Vec::new())));
        assert_eq!(read_frame(&mut wire).unwrap(), None);
    }

    #[test]
    fn a_frame_that_ends_early_is_an_error() {
        let mut wire = Vec::new();
        write_frame(&mut wire, b"head", b"bytes").unwrap();
        for length in [9, 12, 19, wire.len() - 1] {
            assert!(read_frame(&mut &wire[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn the_tagger_is_the_one_configured() {
        let sources = Sources::built_in();
        let title = "Rebels and the government agree to a ceasefire";
        let relevant = |tagger: &Tagger| {
            let texts = Texts { title, ..Texts::default() };
            tagger.code(texts, Some("en"), &Steps::new(u64::MAX)).unwrap().unwrap().relevant
        };
        // The threshold goes along, and so do the sources, or there would be no coding.
        for (threshold, expected) in [(0.5, true), (1.0, false)] {
            let tag = TagSettings { threshold, sources: sources.clone() };
            let set_up = set_up_of(&set_up_head(&SetUp::new(&tag, 1))).unwrap();
            assert_eq!(relevant(&set_up.tagger().unwrap()), expected, "{threshold}");
        }
    }
}
