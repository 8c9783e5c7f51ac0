//! Entry to article: identity, links, plain text, dates, language.

mod cost;
pub mod dates;
mod html;
pub mod identity;
pub mod language;
pub mod link;
pub mod text;
mod withdrawn;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};
use url::Url;

use self::language::Hints;
use self::text::Layout;
pub use self::withdrawn::withdrawn;
use crate::dedupe::digest::digest;
use crate::dedupe::fingerprint::fingerprint;
use crate::model::{Article, Entry, EntryText, Feed, Media, Steps, TextKind, Timestamp, TooCostly};
use crate::parse::reference;

/// The most characters of a headline, of a name, and of a category: what is longer is none.
const LINE_CHARS_MAX: usize = 1000;

/// The most characters of a guid on a record; its identity is made of all of them.
const GUID_CHARS_MAX: usize = 4096;

/// The longest guid or link that is remembered as it is, bytes: nearly all are shorter, and a feed's
/// state remembers hundreds.
const MARK_BYTES_MAX: usize = 256;

/// The most names, categories and files on one article.
const LIST_MAX: usize = 100;

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
    /// When the poll was answered.
    pub now: Timestamp,
    /// Guids and links that identify nothing, from [`repeated_marks`].
    pub repeated_guids: &'a HashSet<String>,
}

/// Turns an entry into an article.
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
    let own_guid = guid.filter(|guid| !is_repeated(context, guid));
    // It may be read twice.
    steps.spend(2 * entry.link.as_deref().map_or(0, |link| cost::of_link(base, link)))?;
    let url = entry.link.as_deref().and_then(|link| {
        let url = link::canonical(base, link)?;
        // On a page of many articles the fragment is all that tells them apart.
        let shares_page = own_guid.is_none() && is_repeated(context, url.as_str());
        if shares_page { link::canonical_with_fragment(base, link) } else { Some(url) }
    });
    for text in [&entry.title, &entry.content, &entry.summary].into_iter().flatten() {
        steps.spend(cost::of_text(&text.value))?;
    }
    let title = entry.title.as_ref().and_then(title);
    let (body, body_cut) = paragraphs(entry.content.as_ref(), context.feed.text_chars_max);
    let (summary, summary_cut) = paragraphs(entry.summary.as_ref(), context.feed.text_chars_max);
    let summary =
        summary.filter(|summary| !body.as_deref().is_some_and(|body| repeats(summary, body)));
    let (id, identity) = identity::article_id(
        &context.feed.id,
        &identity::Marks {
            guid: own_guid,
            link: url.as_ref().filter(|url| !is_repeated(context, url.as_str())),
            title: title.as_deref(),
            text: body.as_deref().or(summary.as_deref()),
        },
    );
    let dates = dates::believe(entry.published.as_deref(), entry.updated.as_deref(), context.now);
    let text = body.as_deref().or(summary.as_deref()).unwrap_or_default();
    let hints = Hints {
        declared: [entry.language.as_deref(), context.feed.language.as_deref(), context.language],
        shown: context.shown_language,
    };
    let all_text = format!("{}\n{text}", title.as_deref().unwrap_or_default());
    let language = language::language(&hints, &all_text);
    steps.spend(cost::LANGUAGE + all_text.len().saturating_mul(cost::DIGEST_BYTE))?;
    Ok(Article {
        id,
        identity,
        digest: digest([
            title.as_deref(),
            summary.as_deref(),
            body.as_deref(),
            url.as_ref().map(link::without_scheme),
        ]),
        fingerprint: fingerprint(title.as_deref().unwrap_or_default(), text, steps)?,
        guid: guid.map(|guid| guid.chars().take(GUID_CHARS_MAX).collect()),
        authors: lines(&entry.authors, steps)?,
        categories: lines(&entry.categories, steps)?,
        language,
        media: media(base, &entry.media, steps)?,
        published_at: dates.published_at,
        updated_at: dates.updated_at,
        published_raw: entry
            .published
            .as_deref()
            .map(|raw| raw.chars().take(LINE_CHARS_MAX).collect()),
        date_quality: dates.quality,
        truncated: body_cut || (summary.is_some() && summary_cut) || entry.cut,
        url,
        title,
        summary,
        body,
    })
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
    for entry in entries {
        if let Some(guid) = guid(entry) {
            steps.spend(cost::of_mark(guid, entry))?;
            let link = entry.link.as_deref().filter(|link| !link.is_empty());
            let mark = (link, entry.title.as_ref().filter(|_| link.is_none()));
            if *links_of.entry(guid).or_insert(mark) != mark {
                repeated.insert(mark_key(guid).into_owned());
            }
        }
    }
    let mut found_at: HashMap<Url, (Option<&EntryText>, Url)> = HashMap::new();
    for entry in entries {
        if guid(entry).is_some_and(|guid| !repeated.contains(mark_key(guid).as_ref())) {
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

/// The publisher's identifier, if it says anything at all.
fn guid(entry: &Entry) -> Option<&str> {
    entry.guid.as_deref().map(str::trim).filter(|guid| !guid.is_empty())
}

/// A headline is one line. Where it claims to be plain text and holds references nevertheless, it
/// was escaped once too often: nobody prints `&#8217;`.
fn title(text: &EntryText) -> Option<String> {
    let decoded = match text.kind {
        TextKind::Plain if text.value.contains('&') => {
            Some(EntryText { kind: TextKind::Plain, value: reference::decode(&text.value) })
        }
        TextKind::Plain | TextKind::Html => None,
    };
    let line = text::plain_text(decoded.as_ref().unwrap_or(text), Layout::Line)?;
    Some(text::cut(&line, LINE_CHARS_MAX).unwrap_or(line))
}

/// One line of plain text, whatever markup and references the text holds, as a headline is read. `None`
/// if there is nothing to read.
pub fn line(text: &str, kind: TextKind) -> Option<String> {
    title(&EntryText { kind, value: text.to_owned() })
}

/// Plain text, and whether it was cut.
fn paragraphs(text: Option<&EntryText>, chars_max: usize) -> (Option<String>, bool) {
    let Some(text) = text.and_then(|text| text::plain_text(text, Layout::Paragraphs)) else {
        return (None, false);
    };
    match text::cut(&text, chars_max) {
        Some(cut) => (Some(cut), true),
        None => (Some(text), false),
    }
}

/// Whether a teaser is only the beginning of the body.
fn repeats(summary: &str, body: &str) -> bool {
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

fn lines(texts: &[String], steps: &Steps) -> Result<Vec<String>, TooCostly> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        if lines.len() >= LIST_MAX {
            break;
        }
        steps.spend(cost::of_text(text) + cost::among(&lines))?;
        let value = reference::decode(text);
        let line = text::plain_text(&EntryText { kind: TextKind::Plain, value }, Layout::Line);
        if let Some(line) = line
            && line.chars().count() <= LINE_CHARS_MAX
            && !lines.contains(&line)
        {
            lines.push(line);
        }
    }
    Ok(lines)
}

fn media(base: &Url, sent: &[Media], steps: &Steps) -> Result<Vec<Media>, TooCostly> {
    let mut media: Vec<Media> = Vec::new();
    for one in sent {
        if media.len() >= LIST_MAX {
            break;
        }
        steps.spend(cost::of_link(base, &one.url) + cost::among(&media))?;
        if let Some(url) = link::absolute(base, &one.url)
            && !media.iter().any(|seen| seen.url == url.as_str())
        {
            let title = lines(one.title.as_slice(), steps)?.pop();
            let media_type = one.media_type.as_deref().and_then(media_type);
            media.push(Media { url: url.into(), media_type, title, ..one.clone() });
        }
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
