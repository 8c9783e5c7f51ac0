//! Indexes of sitemaps: which of the sitemaps in one are asked for, and the one document that they make.
//!
//! Asking is the shell's. What comes back is joined into one `<urlset>`, so that everything behind this reads a
//! sitemap like any other: one digest, one budget, one list of entries.

use std::cmp::Reverse;

use cw_model::{FailureClass, Steps, Timestamp};
use cw_text::charset;
use cw_text::web::is_web;
use url::Url;

use super::date::{Conventions, read as read_date};
use super::document::ParseFailure;
use super::guard::{self, Shape};
use super::limits::READ_STEPS;
use super::root::Root;
use super::{DECODE_STEPS, cut, sitemap};

/// How many sitemaps of an index are asked for in a poll: large publishers name thousands, nearly all of them
/// archives of years ago.
pub const SITEMAPS_MAX: usize = 4;

/// The most sitemaps of an index that are looked at; the protocol allows as many.
const INDEXED_MAX: usize = 50_000;

/// Where the name of the root element stands, declarations and comments before it.
const ROOT_BYTES: usize = 4096;

/// The root of the joined document. A page's reader looks at local names alone.
const JOINED_ROOT: &str = "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
    xmlns:news=\"http://www.google.com/schemas/sitemap-news/0.9\" \
    xmlns:image=\"http://www.google.com/schemas/sitemap-image/1.1\" \
    xmlns:video=\"http://www.google.com/schemas/sitemap-video/1.1\">";

/// What of an index of sitemaps is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitemapIndex {
    /// The sitemaps: those that are named for news first, then the latest changed, then as listed; at most
    /// [`SITEMAPS_MAX`].
    pub sitemaps: Vec<Url>,
    /// Whether the index says of each of them, to the minute, when it changed. Then an index that did not change has none
    /// that did.
    pub is_dated: bool,
}

/// A sitemap that an index names.
struct Indexed {
    url: Url,
    changed: Option<Timestamp>,
    is_to_the_minute: bool,
}

/// Whether a document may be an index of sitemaps. Nearly every one is none, which is seen without decoding: the name of
/// the root is ASCII in every coding but UTF-16.
pub fn may_be_sitemap_index(bytes: &[u8]) -> bool {
    let mark = b"sitemapindex";
    let beginning = bytes.get(..bytes.len().min(ROOT_BYTES)).unwrap_or_default();
    beginning.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark))
}

/// Reads a document as an index of sitemaps; `None` if it is none. `url` served it.
///
/// # Errors
/// [`ParseFailure`] if it is one and cannot be read, or names no sitemap of its own site.
pub fn sitemap_index(
    bytes: &[u8],
    content_type: Option<&str>,
    url: &Url,
    steps: &Steps,
) -> Result<Option<SitemapIndex>, ParseFailure> {
    if !may_be_sitemap_index(bytes) {
        return Ok(None);
    }
    steps.spend(bytes.len().saturating_mul(DECODE_STEPS))?;
    let text = charset::decode(bytes, content_type);
    let Ok(Shape::Xml { start }) = guard::recognise(&text, steps) else { return Ok(None) };
    let Ok(cut) = cut::cut(&text, start, url, INDEXED_MAX, steps) else { return Ok(None) };
    if cut.root != Root::SitemapIndex {
        return Ok(None);
    }
    let mut found = Vec::new();
    for number in 0..cut.entries.len() {
        let xml = cut.mended.entry(number);
        steps.spend(xml.len().saturating_mul(READ_STEPS))?;
        found.extend(sitemap::read_place(xml).and_then(|(loc, lastmod)| {
            let to = url.join(loc.as_deref()?).ok().filter(|to| is_of_site(url, to))?;
            Some(Indexed {
                url: to,
                changed: lastmod
                    .as_deref()
                    .and_then(|raw| read_date(raw, &Conventions::default()))
                    .map(|date| date.at),
                is_to_the_minute: lastmod.is_some_and(|raw| raw.contains('T')),
            })
        }));
    }
    let is_news = |indexed: &Indexed| indexed.url.path().to_ascii_lowercase().contains("news");
    // Stable: what is alike stays as listed.
    found.sort_by_key(|indexed| (!is_news(indexed), Reverse(indexed.changed)));
    found.dedup_by(|one, other| one.url == other.url);
    found.truncate(SITEMAPS_MAX);
    if found.is_empty() {
        let detail = "this is an index of sitemaps that names none of its own site";
        return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
    }
    let is_dated = found.iter().all(|indexed| indexed.is_to_the_minute);
    let sitemaps = found.into_iter().map(|indexed| indexed.url).collect();
    Ok(Some(SitemapIndex { sitemaps, is_dated }))
}

/// Whether an index may name this sitemap: it is on the same host, one below it or above it (sitemaps.org has the
/// same rule, but for the names below).
fn is_of_site(index: &Url, sitemap: &Url) -> bool {
    let plain = |url: &Url| {
        let host = url.host_str().unwrap_or_default();
        host.strip_prefix("www.").unwrap_or(host).to_owned()
    };
    let (index_host, host) = (plain(index), plain(sitemap));
    let is_below = |host: &str, domain: &str| {
        domain.contains('.')
            && host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    is_web(sitemap)
        && (index_host == host || is_below(&host, &index_host) || is_below(&index_host, &host))
}

/// A sitemap of an index, as text between the tags of its root: a part of the joined document.
///
/// # Errors
/// [`ParseFailure`]: `NotAFeed` if it is no sitemap, or has no news; `Malformed` if its end is missing; `TooCostly`.
pub fn sitemap_part(
    bytes: &[u8],
    content_type: Option<&str>,
    steps: &Steps,
) -> Result<String, ParseFailure> {
    steps.spend(bytes.len().saturating_mul(DECODE_STEPS))?;
    let text = charset::decode(bytes, content_type);
    let none = |detail| Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
    let Shape::Xml { start } = guard::recognise(&text, steps)? else {
        return none("the index names a document that is no sitemap");
    };
    let text = text.get(start..).unwrap_or_default();
    let Some((root, rest)) = root(text) else {
        return none("the index names a document that is no sitemap");
    };
    if !root.contains("sitemap-news") && !rest.contains("sitemap-news") {
        return none("the index names a sitemap whose pages have no news tags");
    }
    let end = rest.trim_end();
    let end = end.rfind("</").filter(|at| {
        let name = end.get(at + 2..).unwrap_or_default().trim_end_matches('>').trim();
        end.ends_with('>') && name.rsplit(':').next() == Some("urlset")
    });
    let Some(end) = end else {
        let detail = "a sitemap of the index ends before its root element does";
        return Err(ParseFailure::whole(FailureClass::Malformed, detail));
    };
    Ok(rest.get(..end).unwrap_or_default().to_owned())
}

/// The tag of a sitemap's root element, and all behind it.
fn root(text: &str) -> Option<(&str, &str)> {
    let name = text.find("urlset")?;
    let begin = text.get(..name)?.rfind('<')?;
    let prefix = text.get(begin + 1..name)?;
    if !(prefix.is_empty() || prefix.ends_with(':')) {
        return None;
    }
    let end = name + text.get(name..)?.find('>')?;
    Some((text.get(begin..end)?, text.get(end + 1..)?))
}

/// The document that the parts make.
pub fn joined(parts: &[String]) -> Vec<u8> {
    let mut document = JOINED_ROOT.to_owned();
    parts.iter().for_each(|part| document.push_str(part));
    document.push_str("</urlset>");
    document.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(inside: &str) -> Result<Option<SitemapIndex>, ParseFailure> {
        let xml = format!(
            "<?xml version='1.0'?><sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\
             {inside}</sitemapindex>"
        );
        let url = Url::parse("https://www.example.org/sitemap.xml").unwrap();
        sitemap_index(xml.as_bytes(), None, &url, &Steps::for_bytes(xml.len()))
    }

    fn urls(inside: &str) -> Vec<String> {
        let index = index(inside).unwrap().unwrap();
        index.sitemaps.into_iter().map(String::from).collect()
    }

    fn one(loc: &str, lastmod: &str) -> String {
        format!("<sitemap><loc>{loc}</loc><lastmod>{lastmod}</lastmod></sitemap>")
    }

    #[test]
    fn what_is_named_for_news_comes_first_then_what_changed_last() {
        let old = one("https://www.example.org/2001.xml", "2001-01-01T00:00:00Z");
        let late = one("https://www.example.org/latest.xml", "2024-03-05T10:00:00Z");
        let news = one("https://www.example.org/news-sitemap.xml", "2023-01-01T00:00:00Z");
        assert_eq!(
            urls(&format!("{old}{late}{news}")),
            [
                "https://www.example.org/news-sitemap.xml",
                "https://www.example.org/latest.xml",
                "https://www.example.org/2001.xml"
            ]
        );
    }

    #[test]
    fn no_more_are_asked_for_than_the_limit() {
        let all: String = (1..=50).map(|day| one(&format!("/{day}.xml"), "2024-01-01")).collect();
        assert_eq!(urls(&all).len(), SITEMAPS_MAX);
    }

    #[test]
    fn only_sitemaps_of_the_same_site_are_asked_for() {
        let own = one("https://news.example.org/n.xml", "2024-01-01T10:00:00Z");
        for other in ["https://example.com/n.xml", "https://notexample.org/n.xml", "file:///etc/n"]
        {
            let indexed = format!("{}{own}", one(other, "2024-01-01T10:00:00Z"));
            assert_eq!(urls(&indexed), ["https://news.example.org/n.xml"], "{other}");
        }
        let failure = index(&one("https://example.com/n.xml", "2024-01-01")).unwrap_err();
        assert_eq!(failure.class, FailureClass::NotAFeed);
        // An address has nothing below it.
        let (address, below) = ("http://127.0.0.1:8080/i.xml", "http://27.0.0.1/n.xml");
        assert!(!is_of_site(&Url::parse(address).unwrap(), &Url::parse(below).unwrap()));
    }

    #[test]
    fn an_index_is_dated_if_every_sitemap_is_to_the_minute() {
        let dated = |lastmods: [&str; 2]| {
            let [first, second] = lastmods;
            index(&format!("{}{}", one("/a.xml", first), one("/b.xml", second)))
                .unwrap()
                .unwrap()
                .is_dated
        };
        assert!(dated(["2024-03-05T10:00:00Z", "2024-03-05T10:00Z"]));
        assert!(!dated(["2024-03-05T10:00:00Z", "2024-03-05"]));
        assert!(!dated(["2024-03-05T10:00:00Z", ""]));
    }

    #[test]
    fn a_feed_that_speaks_of_an_index_is_none() {
        let rss = "<rss version='2.0'><channel><title>sitemapindex</title></channel></rss>";
        let url = Url::parse("https://example.org/").unwrap();
        let steps = Steps::for_bytes(rss.len());
        assert_eq!(sitemap_index(rss.as_bytes(), None, &url, &steps), Ok(None));
    }

    #[test]
    fn sitemaps_join_to_one_that_is_read_as_each_alone_would_be() {
        let sitemap = |number: u32| {
            format!(
                "<?xml version='1.0' encoding='UTF-8'?><s:urlset \
                 xmlns:s='http://www.sitemaps.org/schemas/sitemap/0.9' \
                 xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'><s:url><s:loc>\
                 https://example.org/{number}</s:loc><n:news><n:title>Shelling {number}</n:title>\
                 <n:publication_date>2024-03-05</n:publication_date></n:news></s:url></s:urlset>\n"
            )
        };
        let part = |xml: &str| sitemap_part(xml.as_bytes(), None, &Steps::for_bytes(xml.len()));
        let parts = [part(&sitemap(1)).unwrap(), part(&sitemap(2)).unwrap()];
        let document = joined(&parts);
        let url = Url::parse("https://example.org/index.xml").unwrap();
        let steps = Steps::for_bytes(document.len());
        let feed = super::super::parse(&document, None, &url, 100, &steps).unwrap();
        let titles: Vec<&str> =
            feed.entries.iter().map(|entry| entry.title.as_ref().unwrap().value.as_str()).collect();
        assert_eq!(titles, ["Shelling 1", "Shelling 2"]);
        assert_eq!(feed.problems, []);
    }

    #[test]
    fn what_is_no_whole_news_sitemap_is_no_part() {
        #[track_caller]
        fn check(xml: &str, class: FailureClass) {
            let steps = Steps::for_bytes(xml.len());
            assert_eq!(
                sitemap_part(xml.as_bytes(), None, &steps).unwrap_err().class,
                class,
                "{xml}"
            );
        }
        check("<!doctype html><html><body>Not found</body></html>", FailureClass::Html);
        check(
            "<urlset><url><loc>https://example.org/</loc></url></urlset>",
            FailureClass::NotAFeed,
        );
        check("<sitemapindex><sitemap/></sitemapindex>", FailureClass::NotAFeed);
        let news = "xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'";
        check(&format!("<urlset {news}><url><loc>https://exa"), FailureClass::Malformed);
        check(&format!("<urlset {news}><url></url>"), FailureClass::Malformed);
    }
}
