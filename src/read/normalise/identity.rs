//! The id of an article: the same on every poll, after every restart, in every ledger.

use std::borrow::Cow;

use cw_model::{ArticleId, FeedId, IdentityRule};
use cw_text::web::is_web;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::link::{self, without_scheme};

/// The highest number behind `#` of an identifier that a publisher counts up when the article changes.
const COUNTED_MAX: u32 = 9;

/// What an entry has to be known by.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    /// The publisher's identifier, unless it is no use.
    pub guid: Option<&'a str>,
    /// The canonical link.
    pub link: Option<&'a Url>,
    /// Headline.
    pub title: Option<&'a str>,
    /// Summary or body.
    pub text: Option<&'a str>,
}

/// The id, and what it was made from: the guid, else the link, else the content.
pub fn article_id(feed: &FeedId, marks: &Marks<'_>) -> (ArticleId, IdentityRule) {
    let (rule, name, parts) = match (marks.guid, marks.link) {
        (Some(guid), _) => (IdentityRule::Guid, "guid", [guid, ""]),
        (None, Some(link)) => (IdentityRule::Link, "link", [without_scheme(link), ""]),
        (None, None) => {
            let parts = [marks.title.unwrap_or_default(), marks.text.unwrap_or_default()];
            (IdentityRule::Content, "content", parts)
        }
    };
    (hashed(feed, name, parts), rule)
}

fn hashed(feed: &FeedId, name: &str, parts: [&str; 2]) -> ArticleId {
    let mut hash = Sha256::new();
    // Lengths first, so that no two lists of parts read alike.
    for part in [feed.as_str(), name].into_iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    ArticleId(hash.finalize().first_chunk().copied().unwrap_or_default())
}

/// The part of a publisher's identifier that stays: without what only counts readers, and without a number that
/// rises with each change (`…/article#3`), if the article's link is the identifier before it.
pub(super) fn stable_guid<'g>(guid: &'g str, link: Option<&str>) -> Cow<'g, str> {
    // Neither is in it, whatever it is.
    if !guid.contains(['#', '?']) {
        return Cow::Borrowed(guid);
    }
    let Ok(url) = Url::parse(guid) else { return Cow::Borrowed(guid) };
    if !is_web(&url) {
        return Cow::Borrowed(guid);
    }
    let counted = guid.split_once('#').filter(|(page, number)| {
        number.parse::<u32>().is_ok_and(|number| number <= COUNTED_MAX)
            && link.is_some_and(|link| is_same_page(page, link))
    });
    let (guid, url) = match counted {
        Some((page, _)) => (page, link::without_fragment(url)),
        None => (guid, url),
    };
    match url.query().is_some_and(|query| query.split('&').any(link::is_tracking)) {
        true => Cow::Owned(link::without_tracking(url).into()),
        false => Cow::Borrowed(guid),
    }
}

/// Whether a link leads to a page, whatever scheme, query and fragment it has.
fn is_same_page(page: &str, link: &str) -> bool {
    let place = |url: &str| {
        let url = url.trim();
        let url = url.split_once("://").map_or(url, |(_, rest)| rest);
        let end = url.find(['?', '#']).unwrap_or(url.len());
        url.split_at(end).0.trim_end_matches('/').to_owned()
    };
    place(page) == place(link)
}

/// Ids by which an article may have been seen before: its marks with another scheme or with and without `www.`, as
/// they were sent, and with each number that is counted up.
pub(super) fn aliases(
    feed: &FeedId,
    marks: &Marks<'_>,
    guid_as_sent: Option<&str>,
) -> Vec<ArticleId> {
    let id = |name, mark: &str| hashed(feed, name, [mark, ""]);
    match (marks.guid, marks.link) {
        (Some(guid), _) => {
            let mut known: Vec<String> = variants(guid);
            known.extend(guid_as_sent.map(variants).unwrap_or_default());
            if Url::parse(guid).is_ok() && !guid.contains('#') {
                known.extend((0..=COUNTED_MAX).map(|number| format!("{guid}#{number}")));
            }
            known.iter().map(|guid| id("guid", guid)).collect()
        }
        (None, Some(link)) => variants(link.as_str())
            .iter()
            .filter_map(|link| {
                let link = Url::parse(link).ok()?;
                Some(id("link", without_scheme(&link)))
            })
            .collect(),
        (None, None) => Vec::new(),
    }
}

/// A URL with either scheme, with and without `www.`; anything else as it is.
fn variants(mark: &str) -> Vec<String> {
    let rest = mark.strip_prefix("https://").or_else(|| mark.strip_prefix("http://"));
    let Some(rest) = rest else { return vec![mark.to_owned()] };
    let bare = rest.strip_prefix("www.").unwrap_or(rest);
    ["https://", "http://", "https://www.", "http://www."]
        .iter()
        .map(|begin| format!("{begin}{bare}"))
        .collect()
}
