//! The id of an article: the same on every poll, after every restart, in every ledger.

use cw_model::{ArticleId, FeedId, IdentityRule};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::link::without_scheme;

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
    let mut hash = Sha256::new();
    // Lengths first, so that no two lists of parts read alike.
    for part in [feed.as_str(), name].into_iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    (ArticleId(hash.finalize().first_chunk().copied().unwrap_or_default()), rule)
}
