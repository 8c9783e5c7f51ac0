//! A feed as configured, every default already filled in.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use url::{Position, Url};

use super::{Quota, RequestSettings};

/// The id of a feed: given in the configuration, or a slug of host and path.
///
/// Shape: 1 to 128 characters of `a-z 0-9 . _ -`. Feed state is kept under it, so it outlives a
/// change of URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId(Arc<str>);

impl FeedId {
    /// The longest id, in bytes: it is a key in every ledger and a label in logs.
    pub const LENGTH_MAX: usize = 128;

    /// How no feed's id begins: where states are kept by feed id, such keys are our own.
    pub const RESERVED_PREFIX: &str = "__";

    /// The key of a lane's own record.
    pub const RESERVED: &str = "__lane";

    /// Reads an id as given.
    ///
    /// # Errors
    /// [`NotAFeedId`] if it is empty, too long, reserved, or has another character.
    pub fn parse(text: &str) -> Result<Self, NotAFeedId> {
        let plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
        };
        let fits = !text.is_empty() && text.len() <= Self::LENGTH_MAX;
        let is_reserved = text.starts_with(Self::RESERVED_PREFIX);
        if fits && !is_reserved && text.bytes().all(plain) {
            Ok(Self(text.into()))
        } else {
            Err(NotAFeedId(text.to_owned()))
        }
    }

    /// The id of a feed that was given none: host (without `www.`), path and query, every run of
    /// other characters one `-`. A query that may hold a secret is hashed: ids are logged.
    pub fn from_url(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_prefix("www.").unwrap_or(host);
        let port = url.port().map(|port| format!("-{port}")).unwrap_or_default();
        let query = url.query().map(|query| format!("-{}", shown_query(query))).unwrap_or_default();
        let mut slug = String::new();
        for byte in format!("{host}{port}{}{query}", url.path()).to_lowercase().bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'.' {
                slug.push(char::from(byte));
            } else if !slug.ends_with('-') {
                slug.push('-');
            }
        }
        let slug = slug.trim_matches(|c| c == '-' || c == '.');
        let cut: String = slug.chars().take(Self::LENGTH_MAX).collect();
        if cut.is_empty() { Self("feed".into()) } else { Self(cut.into()) }
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn shown_query(query: &str) -> String {
    const SECRETS: [&str; 7] = ["token", "key", "auth", "secret", "pass", "sig", "session"];
    let lower = query.to_lowercase();
    if !SECRETS.iter().any(|word| lower.contains(word)) {
        return query.to_owned();
    }
    let hash: [u8; 4] = Sha256::digest(query).first_chunk().copied().unwrap_or_default();
    format!("{:08x}", u32::from_be_bytes(hash))
}

impl std::fmt::Display for FeedId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that was read as a [`FeedId`] and is not one.
#[derive(Debug, thiserror::Error)]
#[error(
    "feed id \"{0}\" is not 1 to 128 characters of a-z, 0-9, \".\", \"_\" and \"-\", or begins with \"__\""
)]
pub struct NotAFeedId(String);

/// What the first poll of a feed publishes of what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    /// Everything.
    All,
    /// What was published no longer ago than this; entries without a believed date too.
    Within(Duration),
    /// Nothing: the entries are remembered, and only later ones published.
    None,
}

/// The addresses that may be dialled beyond the public internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateNetworks {
    /// None: the default.
    Refused,
    /// Any.
    Allowed,
    /// These ranges only.
    Ranges(Vec<ipnet::IpNet>),
}

/// Where the full text of a feed's articles is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FullText {
    /// The feed.
    #[default]
    Feed,
    /// Their pages, where the feed gives a teaser alone.
    Page,
}

/// Whether others see the query of a feed's URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UrlQuery {
    /// They do not: it may hold a token.
    #[default]
    Hidden,
    /// They do.
    Published,
}

/// Through which proxy a feed is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FeedProxy {
    /// As `fetch.proxy` says.
    #[default]
    AsConfigured,
    /// None.
    Direct,
    /// This one: scheme `http`, `socks5` or `socks5h`, host and port, nothing else.
    Through(Url),
}

/// A URL for people: `?…` stands for its query, which may hold a token.
pub fn without_query(url: &Url) -> String {
    match url.query() {
        Some(_) => {
            let (before, after) = (&url[..Position::AfterPath], &url[Position::AfterQuery..]);
            format!("{before}?…{after}")
        }
        None => url.to_string(),
    }
}

fn bare(url: &Url) -> Url {
    let mut bare = url.clone();
    bare.set_query(None);
    bare
}

/// A document we poll, with all that its poll needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// What its state is kept under.
    pub id: FeedId,
    /// Where it is; `http` or `https`, no user-info, no fragment.
    pub url: Url,
    /// Who publishes it, as the configuration says; null on the record if it does not.
    pub publisher: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<String>,
    /// BCP 47; believed before the feed's own word, after an entry's own.
    pub language: Option<String>,
    /// What may be dialled for this feed, wherever its redirects lead; `None`: what `[fetch]` says,
    /// and only while no public address has had a say in where to go.
    pub private_networks: Option<PrivateNetworks>,
    /// A fixed interval between polls, instead of the learned one.
    pub interval: Option<Duration>,
    /// Shortest and longest wait between polls.
    pub interval_min: Duration,
    /// See `interval_min`.
    pub interval_max: Duration,
    /// The longest `Retry-After` that is believed.
    pub retry_after_max: Duration,
    /// What the first poll publishes.
    pub backlog: Backlog,
    /// The most entries taken from one document; the newest are kept.
    pub entries_max: usize,
    /// The most characters of body text on a record.
    pub text_chars_max: usize,
    /// The most bytes of its document.
    pub body_limit: u64,
    /// What it may add to the ledger in a day.
    pub quota: Quota,
    /// Whether records show the query of its URL.
    pub query: UrlQuery,
    /// Through which proxy it is asked.
    pub proxy: FeedProxy,
    /// How it is asked beside that; `None`: as all are.
    pub request: Option<Arc<RequestSettings>>,
    /// What the operator calls the groups that it is in: for lists of feeds, and on no record. Sorted.
    pub labels: Vec<String>,
    /// Where the full text of its articles is from.
    pub full_text: FullText,
}

impl Feed {
    /// A URL of this feed, its own or one that it redirects to, as records show it.
    pub fn published(&self, url: &Url) -> String {
        match self.query {
            UrlQuery::Published => url.to_string(),
            UrlQuery::Hidden => bare(url).to_string(),
        }
    }

    /// The same, for people.
    pub fn shown(&self, url: &Url) -> String {
        match self.query {
            UrlQuery::Published => url.to_string(),
            UrlQuery::Hidden => without_query(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_no_part_of_what_people_see() {
        let url = |text: &str| Url::parse(text).unwrap();
        let shown = without_query(&url("https://example.org:8443/rss?token=hunter2#x"));
        assert_eq!(shown, "https://example.org:8443/rss?…#x");
        assert_eq!(without_query(&url("https://example.org/rss")), "https://example.org/rss");
    }

    #[track_caller]
    fn check(url: &str, slug: &str) {
        assert_eq!(FeedId::from_url(&Url::parse(url).unwrap()).as_str(), slug, "from {url}");
    }

    #[test]
    fn a_slug_is_host_and_path() {
        check("https://www.example.org/world/rss.xml", "example.org-world-rss.xml");
        check("http://example.org:8080/?feed=rss2", "example.org-8080-feed-rss2");
        check("https://example.org/", "example.org");
    }

    #[test]
    fn a_slug_holds_no_secret() {
        let url = Url::parse("https://example.org/rss?token=hunter2").unwrap();
        let id = FeedId::from_url(&url);
        assert!(id.as_str().starts_with("example.org-rss-"), "{id}");
        assert!(!id.as_str().contains("hunter2"), "{id}");
    }

    #[test]
    fn every_slug_is_an_id() {
        for url in ["https://пример.рф/лента", "http://[::1]/", "https://e.org/////"] {
            let id = FeedId::from_url(&Url::parse(url).unwrap());
            assert!(FeedId::parse(id.as_str()).is_ok(), "{id}");
        }
    }
}
