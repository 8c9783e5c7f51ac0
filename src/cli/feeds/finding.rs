//! Tries an address before it is added: it is a feed, or a page that names some, or neither.
//!
//! Everything is asked through the daemon's own fetcher: what may not be dialled then may not be now.

use std::time::Duration;

use cw_model::{Answer, Body, Conditions, FailureClass, Feed, Steps};
use cw_read::parse;
use cw_text::alternates::alternates;
use cw_text::charset;
use cw_text::plain::{Layout, plain_text};
use cw_text::web::is_web;
use url::Url;

use super::super::check::format_name;
use crate::fetch::Fetcher;
use crate::memory::BodyHold;
use crate::pipeline::Errands;

/// The most addresses that are asked because a page names them.
const NAMED_MAX: usize = 8;

/// Where feeds are on sites that name none, most common first.
const COMMON_PATHS: [&str; 7] =
    ["/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json"];

/// A feed that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundFeed {
    /// Where it is: where it has moved to for good, if it has.
    pub(super) url: Url,
    /// What it calls itself, if it does.
    pub(super) title: Option<String>,
    /// "RSS".
    pub(super) format: &'static str,
    /// How many articles it lists.
    pub(super) entries: usize,
    /// Its newest headline, if one has any.
    pub(super) headline: Option<String>,
}

/// What an address turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A feed.
    Feed(FoundFeed),
    /// A page; these of the feeds that it names, or that lie where feeds are, answer.
    Page(Vec<FoundFeed>),
    /// It may not be asked, and why.
    Blocked(String),
    /// Neither, and why.
    Nothing(String),
}

/// Asks an address, and where it is a page those that it names, with a gap between requests.
pub(super) async fn find(feed: &Feed, fetcher: &Fetcher, gap: Duration) -> Found {
    let answer = fetcher.fetch(feed, &Conditions::default()).await;
    let mut hold = BodyHold::unlimited();
    let body = match Errands::default().sitemaps(fetcher, feed, answer, &mut hold).await {
        Answer::Body(body) => body,
        Answer::NotModified(_) => {
            return Found::Nothing("the server answered 304, though nothing was held".to_owned());
        }
        Answer::Failed(failure) if failure.class == FailureClass::AddressBlocked => {
            return Found::Blocked(format!("{}: {}", failure.class.name(), failure.detail));
        }
        Answer::Failed(failure) => {
            return Found::Nothing(format!("{}: {}", failure.class.name(), failure.detail));
        }
    };
    let why = match read(&body, feed) {
        Ok(found) => return Found::Feed(found),
        Err(why) => why,
    };
    let page = charset::decode(&body.bytes, body.content_type.as_deref());
    let named = alternates(&page);
    let base = body.final_url.clone();
    drop(body);
    let is_named = !named.is_empty();
    let mut addresses: Vec<Url> = if is_named {
        named.iter().filter_map(|one| base.join(&one.href).ok()).collect()
    } else if looks_like_page(&page) {
        COMMON_PATHS.iter().filter_map(|path| base.join(path).ok()).collect()
    } else {
        return Found::Nothing(why);
    };
    addresses.retain(is_web);
    addresses.truncate(NAMED_MAX);
    let mut found: Vec<FoundFeed> = Vec::new();
    for url in addresses {
        tokio::time::sleep(gap).await;
        let asked = Feed { url, ..feed.clone() };
        let Answer::Body(body) = fetcher.fetch(&asked, &Conditions::default()).await else {
            continue;
        };
        let Ok(feed) = read(&body, &asked) else { continue };
        if !found.iter().any(|known| known.url == feed.url) {
            found.push(feed);
        }
        // Where none is named, the other common paths lead to the same.
        if !is_named {
            break;
        }
    }
    Found::Page(found)
}

fn looks_like_page(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(1000).collect();
    let start = start.to_ascii_lowercase();
    start.contains("<html") || start.contains("<!doctype html")
}

/// Reads an answer as a feed, or says why it is none.
fn read(body: &Body, feed: &Feed) -> Result<FoundFeed, String> {
    let steps = Steps::for_bytes(body.bytes.len());
    let (kind, from) = (body.content_type.as_deref(), &body.final_url);
    let parsed = parse::parse(&body.bytes, kind, from, feed.entries_max, &steps)
        .map_err(|failure| format!("{}: {}", failure.class.name(), failure.detail))?;
    Ok(FoundFeed {
        url: body.moved_to.clone().unwrap_or_else(|| feed.url.clone()),
        format: format_name(parsed.format),
        entries: parsed.entries.len(),
        headline: parsed
            .entries
            .iter()
            .find_map(|entry| plain_text(entry.title.as_ref()?, Layout::Line)),
        title: parsed.title.map(|title| title.trim().to_owned()).filter(|title| !title.is_empty()),
    })
}
