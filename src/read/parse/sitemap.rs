//! News sitemaps: `<urlset>` whose URLs carry `news:news`. feed-rs has none.

use cw_model::{Entry, EntryText, FailureClass, Media, Steps, TextKind};
use cw_text::html::looks_like_html;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::cut::Cut;
use super::document::{FeedFormat, ParseFailure, ParsedFeed};
use super::limits::{LIST_MAX, READ_STEPS};

/// Reads the pages of a sitemap, each by itself. A page that cannot be read is `Err`, with what is wrong.
///
/// # Errors
/// [`ParseFailure`]: `NotAFeed` if no URL has a news tag; `TooCostly`.
pub(super) fn read(
    cut: &Cut,
    steps: &Steps,
) -> Result<(ParsedFeed, Vec<Result<Entry, String>>), ParseFailure> {
    let mut publication = None;
    let mut has_news = false;
    let mut entries = Vec::with_capacity(cut.entries.len());
    for number in 0..cut.entries.len() {
        let xml = cut.mended.entry(number);
        steps.spend(xml.len().saturating_mul(READ_STEPS))?;
        let page = read_page(xml);
        if let Ok(page) = &page {
            has_news |= page.has_news;
            publication = page.publication.clone().or(publication);
        }
        entries.push(page.map(|page| page.entry));
    }
    if !has_news {
        let detail = "this sitemap lists pages without news tags, so they have no titles or dates";
        return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
    }
    let feed =
        ParsedFeed { title: publication, ..ParsedFeed::without_entries(FeedFormat::Sitemap) };
    Ok((feed, entries))
}

/// Where a page or sitemap is, and when it changed, both as written; `None` if its element cannot be read.
pub(super) fn read_place(xml: &str) -> Option<(Option<String>, Option<String>)> {
    let Entry { link, updated, .. } = read_page(xml).ok()?.entry;
    Some((link, updated))
}

fn read_page(xml: &str) -> Result<Page, String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut page = Page::default();
    loop {
        match reader.read_event().map_err(|err| err.to_string())? {
            Event::Start(tag) => page.open(tag.local_name().as_ref()),
            Event::End(_) => page.close(),
            Event::Text(part) => page.text.push_str(&part),
            Event::CData(part) => page.text.push_str(&part),
            Event::GeneralRef(reference) => {
                let text = quick_xml::escape::unescape(&format!("&{};", &*reference))
                    .map(std::borrow::Cow::into_owned);
                page.text.push_str(&text.unwrap_or_default());
            }
            Event::Eof => return Ok(page),
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

/// What was read of a page, and where in it we are.
#[derive(Default)]
struct Page {
    entry: Entry,
    /// Local names of the open elements.
    path: Vec<String>,
    text: String,
    has_news: bool,
    publication: Option<String>,
}

impl Page {
    fn open(&mut self, name: &str) {
        self.text.clear();
        self.path.push(name.to_ascii_lowercase());
        self.has_news |= place(&self.path) == ["news", "", ""];
    }

    fn close(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let entry = &mut self.entry;
        if let Some(text) = text {
            match place(&self.path) {
                ["loc", "", ""] => entry.link = Some(text),
                ["lastmod", "", ""] => entry.updated = Some(text),
                ["news", "title", ""] => {
                    let kind =
                        if looks_like_html(&text) { TextKind::Html } else { TextKind::Plain };
                    entry.title = Some(EntryText { kind, value: text });
                }
                ["news", "publication_date", ""] => entry.published = Some(text),
                ["news", "publication", "language"] => entry.language = Some(text),
                ["news", "publication", "name"] => self.publication = Some(text),
                ["news", "keywords", ""] => {
                    let words = text
                        .split([',', ';', '،', '、'])
                        .map(str::trim)
                        .filter(|word| !word.is_empty());
                    // One more than is kept, so that the cut is seen.
                    let room = (LIST_MAX + 1).saturating_sub(entry.categories.len());
                    entry.categories.extend(words.take(room).map(str::to_owned));
                }
                ["image", "loc", ""] if entry.media.len() <= LIST_MAX => {
                    entry.media.push(Media::at(text))
                }
                ["image", "title" | "caption", ""] => {
                    if let Some(picture) = entry.media.last_mut() {
                        picture.title.get_or_insert(text);
                    }
                }
                _ => {}
            }
        }
        self.path.pop();
    }
}

/// The names of the elements inside `<url>` that the innermost open one lies in, itself the last;
/// none if it is not inside one, or deeper than anything that is read.
fn place(path: &[String]) -> [&str; 3] {
    let mut place = [""; 3];
    if let [_url, inside @ ..] = path
        && inside.len() <= place.len()
    {
        for (own, name) in place.iter_mut().zip(inside) {
            *own = name;
        }
    }
    place
}
