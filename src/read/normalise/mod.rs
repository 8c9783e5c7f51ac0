//! Entry to article: identity, links, plain text, dates, language.

pub(crate) mod boilerplate;
mod cost;
pub mod dates;
pub mod identity;
pub mod link;
mod people;
mod withdrawn;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use cw_model::digest::digest;
use cw_model::state::{Seen, SeenArticle};
use cw_model::{
    Article, ArticleId, BodySource, Entry, EntryText, Feed, IdentityRule, Media, Steps, TextKind,
    Timestamp, TooCostly,
};
use cw_text::fingerprint::fingerprint;
use cw_text::html::looks_like_html;
use cw_text::language::{self, Hints, beginning};
use cw_text::plain::{self, Layout, Picture};
use cw_text::reference;
use sha2::{Digest as _, Sha256};
use url::Url;

pub use self::withdrawn::withdrawn;
use crate::parse::date::Conventions;

/// The most characters of a headline, a caption, a name, a category and a date as written. The beginning
/// of a longer headline or date is kept; the others are left out.
const LINE_CHARS_MAX: usize = 1000;

/// The longest guid or link that is remembered as it is, bytes: nearly all are shorter, and a feed's
/// state remembers hundreds.
const MARK_BYTES_MAX: usize = 256;

/// The most names, categories and files on one article.
const LIST_MAX: usize = 100;

/// So many headlines in one document are not versions of one article, whatever else they share.
const HEADLINES_MAX: usize = 4;

/// What an entry cannot know of itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The feed it came in.
    pub feed: &'a Feed,
    /// The URL that served the document; relative references resolve against it.
    pub base: &'a Url,
    /// The language the document declares.
    pub language: Option<&'a str>,
    /// The language that the texts of the feed together show.
    pub shown_language: Option<&'a str>,
    /// Articles that were seen before, if any is known.
    pub seen: Option<&'a Seen>,
    /// How the feed writes its dates.
    pub dates: &'a Conventions,
    /// When the poll was answered.
    pub now: Timestamp,
    /// Guids and links that identify nothing, from [`repeated_marks`].
    pub repeated_guids: &'a HashSet<String>,
}

/// Turns an entry into an article. One whose entry is as it was has no texts ([`Seen::find_unchanged`]); an entry whose text
/// was left out, and that is another article than when it was read, comes to one that must not be used.
///
/// # Errors
/// [`TooCostly`] if that takes more steps than are left.
pub fn normalise(
    context: &Context<'_>,
    entry: &Entry,
    steps: &Steps,
) -> Result<Article, TooCostly> {
    let base = entry.base.as_deref().unwrap_or(context.base);
    let guid = guid(entry);
    let own_guid = guid.as_deref().filter(|guid| !is_repeated(context, guid));
    let mut cut = entry.cut;
    let link = page(context, entry, own_guid, steps, &mut cut)?;
    let url = shown_page(base, entry, link.as_ref(), steps)?;
    let own_link = link.as_ref().filter(|url| !is_repeated(context, url.as_str()));
    let mut marks = identity::Marks { guid: own_guid, link: own_link, title: None, text: None };
    let known_by = if marks.guid.or(own_link.map(Url::as_str)).is_some() {
        KnownBy::Marks
    } else {
        KnownBy::Text
    };
    if known_by == KnownBy::Marks && entry.source.is_some() {
        let (id, identity) = identity::article_id(&context.feed.id, &marks);
        let id = seen_by(context, id, &marks, sent_guid(entry), steps)?;
        if let Some(seen) = context.seen.and_then(|seen| seen.find_unchanged(id, entry.source)) {
            return Ok(as_seen(context, entry, Known { id, identity, seen, url }));
        }
    }
    for text in [&entry.title, &entry.content, &entry.summary].into_iter().flatten() {
        steps.spend(cost::of_text(&text.value))?;
    }
    let texts = texts(entry, context.feed.text_chars_max, known_by, &mut cut);
    (marks.title, marks.text) = (texts.title.as_deref(), texts.whole.as_deref());
    let (id, identity) = identity::article_id(&context.feed.id, &marks);
    let id = seen_by(context, id, &marks, sent_guid(entry), steps)?;
    let Texts { title, summary, body, pictures, is_repaired, .. } = texts;
    let dates = believed_dates(context, entry);
    let text = body.as_deref().or(summary.as_deref()).unwrap_or_default();
    let headline = title.as_deref().unwrap_or_default();
    steps.spend((headline.len() + text.len()).saturating_mul(cost::DIGEST_BYTE))?;
    let digest = digest([
        title.as_deref(),
        summary.as_deref(),
        body.as_deref(),
        url.as_ref().map(link::place),
    ]);
    // Most entries of a document are as they were, and nothing is told of those.
    let seen = context.seen.and_then(|seen| seen.find(id));
    let (language, fingerprint) = if seen.is_some_and(|seen| seen.digest == digest) {
        (None, None)
    } else {
        (language(context, entry, headline, text, steps)?, fingerprint(headline, text, steps)?)
    };
    let authors = people::apart(lines(&entry.authors, steps, &mut cut)?);
    let categories = lines(&entry.categories, steps, &mut cut)?;
    let media = media(base, &sent_media(entry, pictures), steps, &mut cut)?;
    let published_raw = entry.published.as_deref().map(|raw| beginning_of(raw, &mut cut));
    Ok(Article {
        id,
        identity,
        digest,
        fingerprint,
        guid: sent_guid(entry).map(str::to_owned),
        authors,
        categories,
        language,
        media,
        published_at: dates.published_at,
        updated_at: dates.updated_at,
        published_raw,
        date_quality: dates.quality,
        truncated: cut,
        repaired: is_repaired,
        url,
        title,
        summary,
        body,
        body_source: BodySource::Feed,
    })
}

/// An article that is as it was seen, by its entry.
struct Known {
    id: ArticleId,
    identity: IdentityRule,
    seen: SeenArticle,
    url: Option<Url>,
}

/// Such an article without its texts, which nobody asks for.
fn as_seen(context: &Context<'_>, entry: &Entry, known: Known) -> Article {
    let Known { id, identity, seen, url } = known;
    let dates = believed_dates(context, entry);
    Article {
        id,
        identity,
        digest: seen.digest,
        fingerprint: None,
        guid: sent_guid(entry).map(str::to_owned),
        authors: Vec::new(),
        categories: Vec::new(),
        language: None,
        media: Vec::new(),
        published_at: dates.published_at,
        updated_at: dates.updated_at,
        published_raw: None,
        date_quality: dates.quality,
        truncated: false,
        repaired: false,
        url,
        title: None,
        summary: None,
        body: None,
        body_source: BodySource::Feed,
    }
}

/// The page that readers are sent to: the one an aggregator names, else the link without its redirectors.
fn shown_page(
    base: &Url,
    entry: &Entry,
    link: Option<&Url>,
    steps: &Steps,
) -> Result<Option<Url>, TooCostly> {
    let named = match entry.page.as_deref() {
        Some(page) => {
            steps.spend(cost::of_link(base, page))?;
            link::canonical(base, page)
        }
        None => link.and_then(link::unwrapped),
    };
    Ok(named.or_else(|| link.cloned()))
}

/// A date as it is written, or the beginning of it; then `cut` is set.
fn beginning_of(raw: &str, cut: &mut bool) -> String {
    let end = raw.char_indices().nth(LINE_CHARS_MAX).map(|(at, _)| at);
    *cut |= end.is_some();
    end.and_then(|end| raw.get(..end)).unwrap_or(raw).to_owned()
}

fn language(
    context: &Context<'_>,
    entry: &Entry,
    headline: &str,
    text: &str,
    steps: &Steps,
) -> Result<Option<String>, TooCostly> {
    steps.spend(cost::LANGUAGE)?;
    let hints = Hints {
        declared: [entry.language.as_deref(), context.feed.language.as_deref(), context.language],
        shown: context.shown_language,
    };
    Ok(language::language(&hints, &format!("{headline}\n{}", beginning(text))))
}

/// The id by which an article was seen before, if it was by another of its marks.
fn seen_by(
    context: &Context<'_>,
    id: ArticleId,
    marks: &identity::Marks<'_>,
    guid_as_sent: Option<&str>,
    steps: &Steps,
) -> Result<ArticleId, TooCostly> {
    let Some(seen) = context.seen.filter(|seen| seen.find(id).is_none()) else { return Ok(id) };
    if seen.is_empty() {
        return Ok(id);
    }
    let aliases = identity::aliases(&context.feed.id, marks, guid_as_sent);
    steps.spend(aliases.len() * cost::ALIAS)?;
    Ok(aliases.into_iter().find(|alias| seen.find(*alias).is_some()).unwrap_or(id))
}

/// What an article is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KnownBy {
    /// Its guid or link.
    Marks,
    /// What it says, for want of those.
    Text,
}

/// The texts of an entry as plain text.
struct Texts {
    title: Option<String>,
    summary: Option<String>,
    body: Option<String>,
    /// Of an article without marks, which is known by it: the body, else the summary, with the lines that are left out.
    whole: Option<String>,
    /// In the body, else in the summary.
    pictures: Vec<Picture>,
    /// Whether one of them came in the wrong encoding and was read again.
    is_repaired: bool,
}

/// Reads them; sets `cut` if only the beginning of one is kept.
fn texts(entry: &Entry, chars_max: usize, known_by: KnownBy, cut: &mut bool) -> Texts {
    let mut is_repaired = false;
    let title = entry.title.as_ref().and_then(|text| title(text, cut, &mut is_repaired));
    let title = title.filter(|title| !boilerplate::is_nothing(title));
    let mut paragraphs = |text: &Option<EntryText>, cut: &mut bool| {
        let read = text.as_ref().map(|text| plain::read(text, Layout::Paragraphs));
        let read = read.unwrap_or_default();
        is_repaired |= read.is_repaired;
        (read.text.map(|text| shortened(text, chars_max, cut)), read.pictures)
    };
    let (body, of_body) = paragraphs(&entry.content, cut);
    let mut summary_cut = false;
    let (summary, of_summary) = paragraphs(&entry.summary, &mut summary_cut);
    let pictures = if of_body.is_empty() { of_summary } else { of_body };
    let summary =
        summary.filter(|summary| !body.as_deref().is_some_and(|body| repeats(summary, body)));
    *cut |= summary.is_some() && summary_cut;
    let whole = body.as_ref().or(summary.as_ref()).filter(|_| known_by == KnownBy::Text).cloned();
    let body = body.and_then(boilerplate::without);
    let summary = summary.and_then(boilerplate::without);
    // A teaser that only repeats the headline says nothing.
    let summary =
        summary.filter(|summary| !title.as_deref().is_some_and(|title| says_same(title, summary)));
    Texts { title, summary, body, whole, pictures, is_repaired }
}

/// Whether two texts differ in no more than capitals and the signs at their ends.
fn says_same(title: &str, summary: &str) -> bool {
    let words = |text: &str| text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    title == summary || (title.len().abs_diff(summary.len()) <= 8 && words(title) == words(summary))
}

/// Reads the dates of an article again, from the entry that it was made of, with what has been learned since.
pub fn date_again(context: &Context<'_>, entry: &Entry, article: &mut Article) {
    let dates = believed_dates(context, entry);
    article.published_at = dates.published_at;
    article.updated_at = dates.updated_at;
    article.date_quality = dates.quality;
}

fn believed_dates(context: &Context<'_>, entry: &Entry) -> dates::BelievedDates {
    let (published, updated) = (entry.published.as_deref(), entry.updated.as_deref());
    dates::believe(published, updated, context.dates, context.now)
}

/// The canonical link of an entry; `cut` is set if it is none because it is too long.
fn page(
    context: &Context<'_>,
    entry: &Entry,
    own_guid: Option<&str>,
    steps: &Steps,
    cut: &mut bool,
) -> Result<Option<Url>, TooCostly> {
    let Some(link) = entry.link.as_deref() else { return Ok(None) };
    let base = entry.base.as_deref().unwrap_or(context.base);
    // It may be read twice.
    steps.spend(2 * cost::of_link(base, link))?;
    let Some(url) = link::canonical(base, link) else {
        *cut |= is_too_long(base, link, steps)?;
        return Ok(None);
    };
    // On a page of many articles the fragment is all that tells them apart.
    let shares_page = own_guid.is_none() && is_repeated(context, url.as_str());
    Ok(if shares_page { link::canonical_with_fragment(base, link) } else { Some(url) })
}

/// The guids and links of a document that identify nothing: other entries bear them too.
///
/// Two entries with one guid and one link are two versions of one article. With another link, the
/// guid says nothing. Where there is no useful guid, one link under two headlines or with two
/// fragments says nothing either: a page of many articles, such as a live report.
///
/// # Errors
/// [`TooCostly`] if that takes more steps than are left.
pub fn repeated_marks(
    base: &Url,
    entries: &[Entry],
    steps: &Steps,
) -> Result<HashSet<String>, TooCostly> {
    let mut repeated = HashSet::new();
    let mut links_of = HashMap::new();
    let mut headlines_of: HashMap<Cow<'_, str>, Vec<Option<&EntryText>>> = HashMap::new();
    for entry in entries {
        if let Some(guid) = guid(entry) {
            steps.spend(cost::of_mark(&guid, entry))?;
            let link = entry.link.as_deref().filter(|link| !link.is_empty());
            let key = mark_key(&guid).into_owned();
            let headlines = headlines_of.entry(guid.clone()).or_default();
            if headlines.len() < HEADLINES_MAX && !headlines.contains(&entry.title.as_ref()) {
                headlines.push(entry.title.as_ref());
            }
            let are_many = headlines.len() >= HEADLINES_MAX;
            let first = links_of.entry(guid).or_insert((link, entry));
            if are_many || is_another(*first, (link, entry)) {
                repeated.insert(key);
            }
        }
    }
    let mut found_at: HashMap<Url, (Option<&EntryText>, Url)> = HashMap::new();
    for entry in entries {
        if guid(entry).is_some_and(|guid| !repeated.contains(mark_key(&guid).as_ref())) {
            continue;
        }
        let Some(link) = entry.link.as_deref() else { continue };
        let base = entry.base.as_deref().unwrap_or(base);
        steps.spend(cost::of_link(base, link) + cost::of_mark(link, entry))?;
        let Some(place) = link::canonical_with_fragment(base, link) else { continue };
        let page = link::without_fragment(place.clone());
        let found = (entry.title.as_ref(), place.clone());
        for url in [page, place] {
            if *found_at.entry(url.clone()).or_insert_with(|| found.clone()) != found {
                repeated.insert(mark_key(url.as_str()).into_owned());
            }
        }
    }
    Ok(repeated)
}

/// Whether two entries with one guid are two articles: by their links; where they have none, by their headlines; and by
/// headline and date of publication together, which no two versions of one article differ in.
fn is_another(
    (first_link, first): (Option<&str>, &Entry),
    (link, entry): (Option<&str>, &Entry),
) -> bool {
    let is_titled_otherwise = first.title != entry.title;
    let is_published_otherwise = first.published.is_some()
        && entry.published.is_some()
        && first.published != entry.published;
    first_link != link || (is_titled_otherwise && (link.is_none() || is_published_otherwise))
}

fn is_repeated(context: &Context<'_>, mark: &str) -> bool {
    context.repeated_guids.contains(mark_key(mark).as_ref())
}

/// What a guid or link is remembered as: itself, or of a long one what identifies it.
fn mark_key(mark: &str) -> Cow<'_, str> {
    if mark.len() <= MARK_BYTES_MAX {
        return Cow::Borrowed(mark);
    }
    let hash: [u8; 16] = Sha256::digest(mark).first_chunk().copied().unwrap_or_default();
    Cow::Owned(format!("sha256:{:032x}", u128::from_be_bytes(hash)))
}

/// What stays of the publisher's identifier, if it says anything at all.
fn guid(entry: &Entry) -> Option<Cow<'_, str>> {
    sent_guid(entry).map(|guid| identity::stable_guid(guid, entry.link.as_deref()))
}

/// The publisher's identifier as sent.
fn sent_guid(entry: &Entry) -> Option<&str> {
    entry.guid.as_deref().map(str::trim).filter(|guid| !guid.is_empty())
}

/// Whether a link that leads nowhere does so only because it is too long.
fn is_too_long(base: &Url, link: &str, steps: &Steps) -> Result<bool, TooCostly> {
    steps.spend(cost::of_link(base, link))?;
    Ok(link::is_too_long(base, link))
}

/// A headline is one line. Where it claims to be plain text and holds references nevertheless, it
/// was escaped once too often: nobody prints `&#8217;`.
fn title(text: &EntryText, cut: &mut bool, is_repaired: &mut bool) -> Option<String> {
    let decoded = match text.kind {
        TextKind::Plain if text.value.contains('&') => {
            Some(EntryText { kind: TextKind::Plain, value: reference::decode(&text.value) })
        }
        TextKind::Plain | TextKind::Html => None,
    };
    let read = plain::read(decoded.as_ref().unwrap_or(text), Layout::Line);
    *is_repaired |= read.is_repaired;
    let mut line = read.text?;
    if line.contains("&amp;") {
        let value = reference::decode(&line);
        line = plain::plain_text(&EntryText { kind: TextKind::Plain, value }, Layout::Line)?;
    }
    Some(shortened(line, LINE_CHARS_MAX, cut))
}

/// One line of plain text, whatever markup and references the text holds, as a headline is read; sets
/// `cut` if only its beginning is kept. `None` if there is nothing to read.
pub fn line(text: &str, kind: TextKind, cut: &mut bool) -> Option<String> {
    title(&EntryText { kind, value: text.to_owned() }, cut, &mut false)
}

/// A text, or its beginning; then `cut` is set.
fn shortened(text: String, chars_max: usize, cut: &mut bool) -> String {
    match plain::cut(&text, chars_max) {
        Some(beginning) => {
            *cut = true;
            beginning
        }
        None => text,
    }
}

/// Whether a teaser is only the beginning of the body.
pub fn repeats(summary: &str, body: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || matches!(c, '.' | '…' | '[' | ']');
    let summary = summary.trim_end_matches(ends);
    let mut words = body.split_whitespace();
    let mut summary_words = summary.split_whitespace().peekable();
    while let Some(word) = summary_words.next() {
        let is_last = summary_words.peek().is_none();
        let matches =
            words.next().is_some_and(|own| own == word || (is_last && own.starts_with(word)));
        if !matches {
            return false;
        }
    }
    true
}

/// Names or categories, each once; `cut` is set if one of them is left out.
fn lines(texts: &[String], steps: &Steps, cut: &mut bool) -> Result<Vec<String>, TooCostly> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        steps.spend(cost::of_text(text) + cost::among(&lines))?;
        let value = reference::decode(text);
        let kind = if looks_like_html(&value) { TextKind::Html } else { TextKind::Plain };
        let line = plain::plain_text(&EntryText { kind, value }, Layout::Line);
        let is_new = |line: &String| !lines.contains(line) && !boilerplate::is_nothing(line);
        let Some(line) = line.filter(is_new) else { continue };
        if lines.len() >= LIST_MAX {
            *cut = true;
            break;
        }
        if line.chars().count() > LINE_CHARS_MAX {
            *cut = true;
        } else {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// The files that an entry names, then the pictures in its text.
fn sent_media(entry: &Entry, pictures: Vec<Picture>) -> Vec<Media> {
    let inline = |Picture { url, title }| Media { title, ..Media::at(url) };
    entry.media.iter().cloned().chain(pictures.into_iter().map(inline)).collect()
}

/// Files, each once; `cut` is set if one of them, or something of one, is left out.
fn media(
    base: &Url,
    sent: &[Media],
    steps: &Steps,
    cut: &mut bool,
) -> Result<Vec<Media>, TooCostly> {
    let mut media: Vec<Media> = Vec::new();
    for one in sent {
        steps.spend(cost::of_link(base, &one.url) + cost::among(&media))?;
        let Some(url) = link::absolute(base, &one.url) else {
            *cut |= is_too_long(base, &one.url, steps)?;
            continue;
        };
        if media.iter().any(|seen| seen.url == url.as_str()) {
            continue;
        }
        if media.len() >= LIST_MAX {
            *cut = true;
            break;
        }
        let title = lines(one.title.as_slice(), steps, cut)?.pop();
        let media_type = one.media_type.as_deref().and_then(media_type);
        media.push(Media { url: url.into(), media_type, title, ..one.clone() });
    }
    Ok(media)
}

/// Type and subtype, without parameters (RFC 6838, 4.2). `None` if it is none.
fn media_type(text: &str) -> Option<String> {
    let (essence, _) = text.split_once(';').unwrap_or((text, ""));
    let is_name = |name: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        (1..=127).contains(&name.len()) && name.bytes().all(is_allowed)
    };
    let (kind, subtype) = essence.trim().split_once('/')?;
    (is_name(kind) && is_name(subtype)).then(|| format!("{kind}/{subtype}"))
}

#[cfg(test)]
mod tests;
