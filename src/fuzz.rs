//! What is fuzzed: everything that reads what somebody else wrote, one target each.
//!
//! A target takes any bytes. It panics if the program does, or if a promise about what comes out is
//! broken. The tests run each over seeds that are changed at random; `make fuzz` lets libFuzzer look for
//! inputs that reach more of the code (`tests/fuzz/run.sh`). Not in the program that is released.

use std::sync::OnceLock;
use std::time::Duration;

use cw_code::{Sources, Tagger, Texts};
use cw_decide::process::process;
use cw_decide::robots::Robots;
use cw_model::state::FeedState;
use cw_model::{
    Answer, Article, Backlog, Body, Evidence, Feed, FeedId, FeedProxy, Field, Outcome, PollResult,
    Quota, Steps, Timestamp,
};
use cw_read::normalise::{Context, dates, normalise, repeated_marks};
use cw_read::page::{Expected, read_page};
use cw_read::parse::date::{self, Conventions};
use cw_read::parse::{SITEMAPS_MAX, cut, guard, joined, parse, sitemap_index, sitemap_part};
use cw_text::charset;
use url::Url;

use crate::config::{FeedDefaults, ImportedFeeds, export_opml, import_opml, read_list};
use crate::fetch::decode;

/// A name, and what it does with any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("decode", decoding),
    ("charset", reading_characters),
    ("guard", guarding),
    ("parse", parsing),
    ("normalise", normalising),
    ("dates", dating),
    ("tag", tagging),
    ("opml", importing),
    ("lists", following),
    ("process", processing),
    ("page", reading_page),
    ("sitemaps", joining),
    ("robots", obeying),
];

/// The most that a decoded body may have here, bytes.
const LIMIT_BYTES: u64 = 1 << 20;

/// The most entries of a document.
const ENTRIES_MAX: usize = 1000;

/// The first byte says what is announced, the others are the body.
fn decoding(bytes: &[u8]) {
    const ANNOUNCED: [&str; 8] =
        ["", "gzip", "deflate", "br", "zstd", "gzip, br", "x-gzip,deflate", "zstd, zstd"];
    let Some((first, wire)) = bytes.split_first() else { return };
    let announced = ANNOUNCED.get(usize::from(*first) % ANNOUNCED.len()).copied();
    let Ok(codings) = decode::codings(announced.unwrap_or_default()) else { return };
    if let Ok(body) = decode::decode(wire.to_vec(), &codings, LIMIT_BYTES) {
        let length = body.len() as u64;
        assert!(length <= LIMIT_BYTES.max(wire.len() as u64), "{length} bytes decoded");
    }
}

/// The first byte says what the header says, the others are the document.
fn reading_characters(bytes: &[u8]) {
    const TYPES: [Option<&str>; 6] = [
        None,
        Some("text/xml"),
        Some("application/rss+xml; charset=windows-1251"),
        Some("text/xml; charset=\"utf-16\""),
        Some("application/json; charset=shift_jis"),
        Some("text/xml; charset=\u{0}"),
    ];
    let Some((first, document)) = bytes.split_first() else { return };
    let content_type = TYPES.get(usize::from(*first) % TYPES.len()).copied().flatten();
    let text = charset::decode(document, content_type);
    // What no XML may hold.
    let control = text.chars().find(|char| *char < ' ' && !char.is_ascii_whitespace());
    assert_eq!(control, None, "a control character is left");
    // A byte that stands for nothing becomes U+FFFD, three bytes.
    assert!(text.len() <= 3 * document.len() + 3, "{} bytes of {}", text.len(), document.len());
}

/// What is handed to the XML reader is what the guard lets through, and lets through again.
fn guarding(bytes: &[u8]) {
    let text = charset::decode(bytes, None);
    let steps = Steps::for_bytes(bytes.len());
    let Ok(guard::Shape::Xml { start }) = guard::recognise(&text, &steps) else { return };
    let Ok(cut) = cut::cut(&text, start, &feed().url, ENTRIES_MAX, &steps) else { return };
    let again = cut::cut(&cut.xml(), 0, &feed().url, ENTRIES_MAX, &Steps::new(u64::MAX));
    assert!(again.is_ok(), "what was let through is not whole: {again:?}");
}

/// The first line is the headline and teaser that the feed has, all of it the page.
fn reading_page(bytes: &[u8]) {
    let text = charset::decode(bytes, None);
    let expected = Expected {
        title: text.lines().next().map(str::to_owned),
        teaser: text.lines().next().map(str::to_owned),
        text_chars_max: ENTRIES_MAX,
        ..Expected::default()
    };
    let steps = Steps::for_bytes(bytes.len());
    if let Ok(page) = read_page(bytes, None, &expected, &steps) {
        assert!(page.body.chars().count() <= ENTRIES_MAX, "a text is longer than its limit");
        assert!(!page.body.trim().is_empty(), "a text without a word");
    }
    assert!(steps.spent() <= steps.allowed().saturating_mul(2), "steps are not looked at");
}

/// What is joined is read, if each part is.
fn joining(bytes: &[u8]) {
    let steps = Steps::for_bytes(bytes.len());
    if let Ok(Some(index)) = sitemap_index(bytes, None, &feed().url, &steps) {
        assert!((1..=SITEMAPS_MAX).contains(&index.sitemaps.len()), "{index:?}");
    }
    let Ok(part) = sitemap_part(bytes, None, &steps) else { return };
    let document = joined(&[part.clone(), part]);
    // However it is read, it is a sitemap.
    let _read = parse(&document, None, &feed().url, ENTRIES_MAX, &Steps::for_bytes(document.len()));
}

/// The first line is the path, the others the rules.
fn obeying(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (path, rules) = text.split_once('\n').unwrap_or_default();
    let robots = Robots::read(rules, "conflictwire");
    let _allowed = robots.allow(path);
    assert!(
        robots.delay.is_none_or(|delay| delay <= Duration::from_secs(10)),
        "{:?}",
        robots.delay
    );
}

fn parsing(bytes: &[u8]) {
    let steps = Steps::for_bytes(bytes.len());
    if let Ok(parsed) = parse(bytes, None, &feed().url, ENTRIES_MAX, &steps) {
        // An entry is some bytes of the document: "{}," at least.
        let entries = parsed.entries.len() + parsed.problems.len();
        assert!(entries <= bytes.len() / 2 + 1, "{entries} entries in {} bytes", bytes.len());
    }
    assert!(steps.spent() <= steps.allowed().saturating_mul(2), "steps are not looked at");
}

fn normalising(bytes: &[u8]) {
    let steps = Steps::for_bytes(bytes.len());
    let feed = feed();
    let Ok(parsed) = parse(bytes, None, &feed.url, ENTRIES_MAX, &steps) else { return };
    let Ok(marks) = repeated_marks(&feed.url, &parsed.entries, &steps) else { return };
    let context = Context {
        feed: &feed,
        base: &feed.url,
        language: parsed.language.as_deref(),
        shown_language: None,
        dates: &Conventions::default(),
        seen: None,
        repeated_guids: &marks,
        now: now(),
    };
    for entry in &parsed.entries {
        if let Ok(article) = normalise(&context, entry, &steps) {
            assert_clean(&article);
        }
    }
}

/// Fails unless a person may be shown what is text: no control character, no line but in a body.
fn assert_clean(article: &Article) {
    let is_control = |char: char| char.is_control() && char != '\n';
    let is_unseen = |char: char| matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    for (name, text) in
        [("title", &article.title), ("summary", &article.summary), ("body", &article.body)]
    {
        let Some(text) = text else { continue };
        assert!(!text.is_empty(), "{name} is empty, and not none");
        assert!(!text.contains(is_control), "{name} has a control character: {text:?}");
        assert!(!text.contains(is_unseen), "{name} turns the text around it: {text:?}");
    }
    let title = article.title.as_deref().unwrap_or_default();
    assert!(!title.contains('\n'), "a title of more than one line: {title:?}");
}

fn dating(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _any = date::read(&text, &Conventions::default());
    let believed = dates::believe(Some(&text), Some(&text), &Conventions::default(), now());
    let latest = now().saturating_add(Duration::from_hours(1));
    for at in believed.published_at.into_iter().chain(believed.updated_at) {
        assert!(latest.as_ref().is_ok_and(|latest| at <= *latest), "{at} is not yet");
    }
}

/// Each word of evidence is the text at the place it names.
fn tagging(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (title, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let (summary, body) = rest.split_once('\n').unwrap_or((rest, ""));
    let texts = Texts { title, summary, body, feed_country: None };
    let Ok(Some(coding)) = tagger().code(texts, Some("en"), &Steps::for_bytes(bytes.len())) else {
        return;
    };
    assert_eq!(coding.relevant, !coding.tags.is_empty());
    for evidence in coding.tags.iter().flat_map(|tag| &tag.evidence) {
        assert_quoted(evidence, title, summary, body);
    }
    let casualties = coding.casualties.iter().flatten();
    for evidence in casualties.flat_map(|casualties| &casualties.evidence) {
        assert_quoted(evidence, title, summary, body);
    }
}

fn assert_quoted(evidence: &Evidence, title: &str, summary: &str, body: &str) {
    let field = match evidence.field {
        Field::Title => title,
        Field::Summary => summary,
        Field::Body => body,
    };
    let length = evidence.end.saturating_sub(evidence.start);
    let there: String = field.chars().skip(evidence.start).take(length).collect();
    assert_eq!(evidence.text, there, "evidence that is not in the text");
}

/// What is imported can be exported, and imported again it is the same.
fn importing(bytes: &[u8]) {
    let defaults = defaults();
    let ImportedFeeds { feeds, disabled, .. } = import_opml("feeds.opml", bytes, &defaults);
    let each = feeds.iter().map(|feed| (feed, !disabled.contains(feed.url.as_str())));
    let written = export_opml(each, &defaults);
    let again = import_opml("feeds.opml", written.as_bytes(), &defaults);
    assert!(again.problems.is_empty(), "{:?} in what was written: {written}", again.problems);
    assert_eq!((feeds, disabled), (again.feeds, again.disabled), "not the same feeds: {written}");
}

/// A list at a URL opens no private network and names no proxy, and is read once as it is twice.
fn following(bytes: &[u8]) {
    let read = || read_list("https://lists.example/feeds", bytes, &defaults());
    let feeds = read();
    assert_eq!(feeds, read(), "not the same feeds");
    for feed in feeds.into_iter().flatten() {
        assert_eq!(
            (feed.private_networks, feed.proxy),
            (None, FeedProxy::AsConfigured),
            "{}",
            feed.id
        );
    }
}

/// A whole poll, and a second that brings the same document: nothing is told twice.
fn processing(bytes: &[u8]) {
    let first = poll(bytes, &FeedState::default());
    let second = poll(bytes, &first.state);
    assert!(second.records.is_empty(), "told twice");
    if let (PollResult::Modified(counts), true) = (&first.result, first.rejects.is_empty()) {
        let told = counts.new + counts.revised;
        assert_eq!(told, first.records.len() as u64, "counted otherwise than told");
    }
}

fn poll(bytes: &[u8], state: &FeedState) -> Outcome {
    let answer = Answer::Body(Body::of(bytes.to_vec(), feed().url));
    process(&feed(), &answer, state, tagger(), now())
}

fn now() -> Timestamp {
    Timestamp::from_second(1_772_366_400).unwrap_or_default()
}

fn defaults() -> FeedDefaults {
    FeedDefaults {
        interval_min: Duration::from_secs(60),
        interval_max: Duration::from_secs(3600),
        retry_after_max: Duration::from_secs(3600),
        backlog: Backlog::All,
        entries_max: ENTRIES_MAX,
        text_chars_max: 100_000,
        body_limit: LIMIT_BYTES,
        quota: Quota { articles: u64::MAX, bytes: u64::MAX },
    }
}

fn feed() -> Feed {
    static FEED: OnceLock<Option<Feed>> = OnceLock::new();
    let make = || {
        let url = Url::parse("https://wire.example/rss?a=b").ok()?;
        Some(defaults().feed(FeedId::parse("wire").ok()?, url))
    };
    FEED.get_or_init(make).clone().expect("a feed as in the tests")
}

fn tagger() -> &'static Tagger {
    static TAGGER: OnceLock<Option<Tagger>> = OnceLock::new();
    let make = || Tagger::new(&Sources::built_in(), 0.5).ok();
    TAGGER.get_or_init(make).as_ref().expect("the lexicons that are built in")
}
