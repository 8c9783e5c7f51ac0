//! JSON Feed 1.0 and 1.1, as publishers write it: numbers for identifiers, one author for many, a
//! `null` among the items. What is wrong in one item costs no other.

use cw_model::{Entry, EntryText, FailureClass, HubLinks, Media, Steps, TextKind};

use super::document::{FeedFormat, ParseFailure, ParsedFeed};
use super::json_text::{Broken, Value};
use super::limits::{LIST_MAX, READ_STEPS, inherited};
use super::problems::{Problem, Problems, over_limit_detail};

/// Steps for each item: what one costs whatever its length.
const ITEM_STEPS: usize = 100;

impl From<Broken> for ParseFailure {
    fn from(broken: Broken) -> Self {
        Self::at(FailureClass::Malformed, broken.to_string(), broken.at as u64)
    }
}

/// Reads a JSON Feed.
///
/// # Errors
/// [`ParseFailure`]: `Malformed` if it is not JSON, `NotAFeed` if it is some other JSON, `TooCostly` if
/// that takes too many steps.
pub(super) fn read(
    text: &str,
    entries_max: usize,
    steps: &Steps,
) -> Result<ParsedFeed, ParseFailure> {
    steps.spend(text.len().saturating_mul(READ_STEPS))?;
    let document = Value::of_document(text);
    if !document.is_object() {
        return Err(ParseFailure::whole(FailureClass::NotAFeed, "this JSON is not an object"));
    }
    let [version, title, language, author, authors, feed_url, hubs, items] = document.members([
        "version", "title", "language", "author", "authors", "feed_url", "hubs", "items",
    ])?;
    let items = items_of(version, items)?;
    let mut cut = false;
    let (authors, is_cut) = inherited(names(authors, author, &mut cut)?);
    let is_cut = cut || is_cut;
    let author_bytes = authors.iter().map(String::len).sum();
    let mut entries = Vec::new();
    let mut problems = Problems::default();
    let mut over_limit: Option<Problem> = None;
    let mut place = 0_usize;
    let mut elements = items.map(Value::elements);
    while let Some(elements) = &mut elements {
        let item = match elements.next_element() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            // What is cut off with the end of the document is a reject alone.
            Err(broken) if place > 0 => {
                let (at, item) = elements.since_last();
                problems.push(Problem::new(format!("item {}: {broken}", place + 1), at, item));
                break;
            }
            Err(broken) => return Err(broken.into()),
        };
        steps.spend(ITEM_STEPS)?;
        place += 1;
        let problem = |detail, is_kept: bool| {
            let bytes = if is_kept { item.text() } else { "" };
            Problem::new(detail, item.span().start, bytes)
        };
        let is_kept = problems.has_room();
        if !item.is_object() {
            problems.push(problem(format!("item {place} is not an object"), is_kept));
        } else if entries.len() >= entries_max {
            let left_out = over_limit.get_or_insert_with(|| Problem {
                entries: 0,
                ..problem(over_limit_detail(entries_max), true)
            });
            left_out.entries += 1;
        } else {
            match adapt(item) {
                Ok(mut entry) => {
                    if entry.authors.is_empty() {
                        steps.spend(author_bytes)?;
                        entry.authors.clone_from(&authors);
                        entry.cut |= is_cut;
                    }
                    entries.push(entry);
                }
                Err(broken) => problems.push(problem(format!("item {place}: {broken}"), is_kept)),
            }
        }
    }
    Ok(ParsedFeed {
        title: scalar(title),
        language: scalar(language),
        links: hub_links(feed_url, hubs)?,
        entries,
        problems: problems.finish(),
        over_limit,
        ..ParsedFeed::without_entries(FeedFormat::Json)
    })
}

/// The items of what calls itself a JSON Feed, or has items.
fn items_of<'t>(
    version: Option<Value<'t>>,
    items: Option<Value<'t>>,
) -> Result<Option<Value<'t>>, ParseFailure> {
    let items = items.filter(|items| items.text() != "null");
    let is_version = scalar(version).is_some_and(|version| version.contains("jsonfeed.org"));
    if !is_version && items.is_none() {
        let detail = "this JSON has neither the version nor the items of a JSON Feed";
        return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
    }
    if items.is_some_and(|items| !items.is_list()) {
        let detail = "the items of this JSON Feed are not a list";
        return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
    }
    Ok(items)
}

fn adapt(item: Value<'_>) -> Result<Entry, Broken> {
    let [
        id,
        url,
        external_url,
        title,
        summary,
        html,
        plain,
        published,
        updated,
        language,
        author,
        authors,
        tags,
        image,
        banner_image,
        attachments,
    ] = item.members([
        "id",
        "url",
        "external_url",
        "title",
        "summary",
        "content_html",
        "content_text",
        "date_published",
        "date_modified",
        "language",
        "author",
        "authors",
        "tags",
        "image",
        "banner_image",
        "attachments",
    ])?;
    let text =
        |kind, value: Option<Value<'_>>| scalar(value).map(|value| EntryText { kind, value });
    let mut cut = false;
    let mut media: Vec<Media> =
        scalar(image).or_else(|| scalar(banner_image)).map(Media::at).into_iter().collect();
    for file in list(attachments, &mut cut)?.into_iter().filter(|file| file.is_object()) {
        let [url, media_type, title] = file.members(["url", "mime_type", "title"])?;
        media.extend(scalar(url).map(|url| Media {
            media_type: scalar(media_type),
            title: scalar(title),
            ..Media::at(url)
        }));
    }
    Ok(Entry {
        guid: scalar(id).map(|id| id.trim().to_owned()),
        link: scalar(url).or_else(|| scalar(external_url)),
        page: None,
        base: None,
        title: text(TextKind::Plain, title),
        summary: text(TextKind::Plain, summary),
        content: text(TextKind::Html, html).or_else(|| text(TextKind::Plain, plain)),
        authors: names(authors, author, &mut cut)?,
        categories: list(tags, &mut cut)?.into_iter().filter_map(|tag| scalar(Some(tag))).collect(),
        language: scalar(language),
        published: scalar(published),
        updated: scalar(updated),
        media,
        span: Some(item.span()),
        cut,
        source: None,
        is_unread: false,
    })
}

/// The first hub that speaks WebSub, by either of its names, and what the feed calls itself.
fn hub_links(feed_url: Option<Value<'_>>, hubs: Option<Value<'_>>) -> Result<HubLinks, Broken> {
    let mut links = HubLinks::default();
    scalar(feed_url).into_iter().for_each(|url| links.add("self", &url));
    for hub in list(hubs, &mut false)?.into_iter().filter(|hub| hub.is_object()) {
        let [kind, url] = hub.members(["type", "url"])?;
        let is_ours = |kind: &String| {
            ["websub", "pubsubhubbub"].contains(&kind.to_ascii_lowercase().as_str())
        };
        if scalar(kind).as_ref().is_some_and(is_ours) {
            scalar(url).into_iter().for_each(|url| links.add("hub", &url));
        }
    }
    Ok(links)
}

/// A string or a number as text; anything else, and an empty string, is nothing.
fn scalar(value: Option<Value<'_>>) -> Option<String> {
    let value = value?;
    let text = value.string().map(|text| text.into_owned()).or_else(|| value.number());
    text.filter(|text| !text.trim().is_empty())
}

/// The elements of a list, as many as are kept; one thing in place of a list is a list of one.
fn list<'t>(value: Option<Value<'t>>, cut: &mut bool) -> Result<Vec<Value<'t>>, Broken> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if !value.is_list() {
        return Ok(vec![value]);
    }
    let mut list = Vec::new();
    let mut elements = value.elements();
    while let Some(element) = elements.next_element()? {
        if list.len() < LIST_MAX {
            list.push(element);
        } else {
            *cut = true;
        }
    }
    Ok(list)
}

fn names(
    many: Option<Value<'_>>,
    one: Option<Value<'_>>,
    cut: &mut bool,
) -> Result<Vec<String>, Broken> {
    let mut names = Vec::new();
    let people = list(many, cut)?.into_iter().chain(one);
    for person in people.filter(|person| person.is_object()) {
        let [name] = person.members(["name"])?;
        names.extend(scalar(name));
    }
    names.dedup();
    Ok(names)
}
