//! What a feed says of the requests that are made for it, beside what holds for all.

use std::fmt;
use std::sync::Arc;

use url::Url;

/// How a feed is asked, where that is not as `[fetch]` says.
///
/// Shape: headers go to the origin of the feed's URL alone; authorities and the version of HTTP hold on its host
/// alone; whoever is named by a redirect, or by an entry, is asked with its user agent and else as everybody is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestSettings {
    /// Sent as `User-Agent` instead of the common one.
    pub user_agent: Option<String>,
    /// Sent beside the usual ones; each name once.
    pub headers: Vec<RequestHeader>,
    /// The certificate authorities that are trusted, in DER; none: those of this machine.
    pub roots: Arc<Vec<Vec<u8>>>,
    /// Which redirects of its document are followed.
    pub redirects: RedirectPolicy,
    /// What may be spoken.
    pub http: HttpChoice,
}

impl RequestSettings {
    /// The names of the headers, which is all that is ever shown of them.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|header| header.name.as_str())
    }
}

/// A header of the requests for one feed.
///
/// Its value may be a secret, so it is not part of the debug form.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// Lower-case.
    pub name: String,
    /// Visible ASCII, spaces and tabs.
    pub value: String,
}

impl fmt::Debug for RequestHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestHeader({}: …)", self.name)
    }
}

/// Which redirects of a feed's document are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedirectPolicy {
    /// All that lead to where requests may go.
    #[default]
    Followed,
    /// Those within the host of the feed's URL.
    SameHost,
    /// None.
    Refused,
}

impl RedirectPolicy {
    /// Whether the document of the feed at `home` may be looked for at `to`.
    pub fn admits(self, home: &Url, to: &Url) -> bool {
        match self {
            Self::Followed => true,
            Self::SameHost => home.host() == to.host(),
            Self::Refused => home == to,
        }
    }

    /// As it is configured.
    pub fn name(self) -> &'static str {
        match self {
            Self::Followed => "follow",
            Self::SameHost => "same_host",
            Self::Refused => "refuse",
        }
    }
}

/// What HTTP is spoken with a feed's host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpChoice {
    /// What its server prefers.
    #[default]
    Best,
    /// HTTP/1.1.
    Http1,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_not_part_of_the_debug_form() {
        let header = RequestHeader { name: "x-key".to_owned(), value: "hunter2".to_owned() };
        let settings = RequestSettings { headers: vec![header], ..RequestSettings::default() };
        let shown = format!("{settings:?}");
        assert!(shown.contains("x-key") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_policy_says_where_the_document_may_be_looked_for() {
        use RedirectPolicy::{Followed, Refused, SameHost};
        let admits = |policy: RedirectPolicy, to: &str| {
            let url = |text: &str| Url::parse(text).unwrap();
            policy.admits(&url("https://a.example/rss"), &url(to))
        };
        assert!(admits(Followed, "https://b.example/"));
        assert!(admits(SameHost, "https://a.example/feed/"));
        assert!(!admits(SameHost, "https://www.a.example/rss"));
        assert!(!admits(Refused, "https://a.example/feed/"));
        assert!(admits(Refused, "https://a.example/rss"));
    }
}
