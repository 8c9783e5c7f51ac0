//! What a fetch came to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, FromRepr, IntoStaticStr};
use url::Url;

/// What a server gives so that the next request may be answered with 304. Byte for byte as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// `ETag`, with its quotes and `W/`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub etag: Option<String>,
    /// `Last-Modified`, as written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_modified: Option<String>,
}

impl Validators {
    /// Whether there is neither.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// With what a feed is asked for.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// What is sent to each URL of its chain of redirects, if that is asked.
    pub validators: BTreeMap<String, Validators>,
    /// What follows when they are answered wrongly.
    pub if_refused: IfRefused,
    /// Where the feed is asked for, if that is not its own URL.
    pub moved: Option<Moved>,
    /// Whether only what is new is asked for, where an `ETag` is sent.
    pub deltas: Deltas,
    /// What is asked for.
    pub kind: DocumentKind,
}

/// What is asked for. Servers are told, and it decides how much may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentKind {
    /// The document of a feed.
    #[default]
    Feed,
    /// A sitemap that the feed's document names.
    Sitemap,
    /// The page of an article.
    Page,
    /// A host's robots.txt.
    Robots,
    /// A list of feeds.
    FeedList,
}

impl DocumentKind {
    /// The most bytes of one, where `fetch.body_limit` does not say less. That alone decides for feeds and lists of them.
    ///
    /// News sitemaps list a thousand pages in some 600 kB, pages have up to a megabyte of scripts around their text, and of
    /// a robots.txt 500 KiB must be read (RFC 9309, 2.5). What is more is no document of its kind.
    pub fn bytes_max(self) -> u64 {
        match self {
            Self::Feed | Self::FeedList => u64::MAX,
            Self::Sitemap => 4 << 20,
            Self::Page => 3 << 20,
            Self::Robots => 512 << 10,
        }
    }
}

/// Whether a server may send what is new instead of a whole document (RFC 3229, with the `feed`
/// manipulation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Deltas {
    /// It has not said that it can.
    #[default]
    Unasked,
    /// It has, so it is asked to.
    Asked,
}

/// How much of a document came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Instance {
    /// All of it.
    #[default]
    Whole,
    /// All of it, and the server says that it can send less.
    DeltasOffered,
    /// What is new in it (226): what is missing is there all the same.
    Delta,
}

/// Where a feed is asked first, since it was said for long enough that it moved there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The URL.
    pub to: Url,
    /// Where those are who said so; nothing else may be dialled there now.
    pub network: Network,
    /// Who said so.
    pub by: MovedBy,
}

/// Who says that a feed moved, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MovedBy {
    /// Its server, by permanent redirects.
    #[default]
    Redirect,
    /// Its document (`itunes:new-feed-url`), and nobody has looked there yet.
    Document,
    /// The same, and the same articles were found there.
    DocumentConfirmed,
    /// The same, and something else was found there. Not asked there.
    DocumentRefused,
}

impl MovedBy {
    /// Its document says so, and it may be asked there.
    #[must_use]
    pub fn is_own_word(self) -> bool {
        matches!(self, Self::Document | Self::DocumentConfirmed)
    }
}

/// Where a server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Network {
    /// In the public internet, or somebody of the chain that led there was.
    #[default]
    Public,
    /// In a private network, like everybody before it in the chain.
    Private,
}

/// What follows when a request with validators is answered wrongly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfRefused {
    /// The poll has failed.
    #[default]
    Fail,
    /// The feed is asked for once more, without any: if that brings it, they are to blame.
    AskWithout,
}

/// What a document or the headers before it say of a hub (WebSub, 4), as written: URLs, perhaps relative ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubLinks {
    /// The hub.
    pub hub: Option<String>,
    /// What the feed is called there (`self`).
    pub topic: Option<String>,
}

impl HubLinks {
    /// What one of two relations leads to; the first of each counts.
    pub fn add(&mut self, relation: &str, target: &str) {
        let slot = match relation.to_ascii_lowercase().as_str() {
            "hub" => &mut self.hub,
            "self" => &mut self.topic,
            _ => return,
        };
        let target = target.trim();
        if slot.is_none() && !target.is_empty() && target.len() <= HUB_URL_BYTES_MAX {
            *slot = Some(target.to_owned());
        }
    }

    /// The same, with the other's where it says nothing: headers go before the document.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { hub: self.hub.or(other.hub), topic: self.topic.or(other.topic) }
    }
}

/// The longest URL of a hub or a topic, bytes. Longer ones are none: every state keeps them.
pub const HUB_URL_BYTES_MAX: usize = 2048;

/// How long an answer says it stays current (RFC 9111, 4.2), its `Age` already taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness(pub Option<Duration>);

/// A whole body: 200, decoded, within the limits.
#[derive(Clone, Debug)]
pub struct Body {
    /// After decompression.
    pub bytes: Vec<u8>,
    /// Bytes on the wire.
    pub wire_bytes: u64,
    /// The URL that answered, after redirects.
    pub final_url: Url,
    /// The end of the leading run of 301 and 308, if there was one: where the feed lives now.
    pub moved_to: Option<Url>,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// Belong to `final_url`, never to the feed.
    pub validators: Validators,
    /// How long it stays current.
    pub freshness: Freshness,
    /// What the same request with validators was answered just before, if that was wrong.
    pub refusal: Option<FailureClass>,
    /// Who answered.
    pub network: Network,
    /// How much of the document it is.
    pub instance: Instance,
    /// What the server asked to wait, not yet capped: no more requests are allowed for so long.
    pub wait: Option<Duration>,
    /// What its headers say of a hub.
    pub links: HubLinks,
}

impl Body {
    /// A whole document of which nothing else was said, at this address: as of a file, or of a server that sends no
    /// header that matters.
    pub fn of(bytes: Vec<u8>, final_url: Url) -> Self {
        Self {
            wire_bytes: bytes.len() as u64,
            bytes,
            final_url,
            moved_to: None,
            content_type: None,
            validators: Validators::default(),
            freshness: Freshness(None),
            refusal: None,
            network: Network::Public,
            instance: Instance::Whole,
            wait: None,
            links: HubLinks::default(),
        }
    }
}

/// 304: what we hold is current.
#[derive(Clone, Debug)]
pub struct NotModified {
    /// The URL that answered.
    pub final_url: Url,
    /// See [`Body::moved_to`].
    pub moved_to: Option<Url>,
    /// Those the 304 carried; each one present replaces the stored one (RFC 9111, 4.3.4).
    pub validators: Validators,
    /// How long it stays current.
    pub freshness: Freshness,
    /// Who answered.
    pub network: Network,
    /// See [`Body::wait`].
    pub wait: Option<Duration>,
}

/// Why a poll came to nothing. Every class has a counter under its `name` and a next attempt.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    EnumString,
    FromRepr,
    IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
#[repr(u8)]
pub enum FailureClass {
    /// The host name has no address, or the resolver did not say.
    Dns,
    /// No connection was made.
    Connect,
    /// No TLS session was made.
    Tls,
    /// The whole exchange took longer than `fetch.timeout`.
    Timeout,
    /// The connection ended before the body did.
    Cut,
    /// What came was not HTTP.
    Protocol,
    /// The body passed `fetch.body_limit` on the wire or as declared, or what came beside it, headers
    /// above all, passed what an exchange may have.
    TooLarge,
    /// The body passed `fetch.body_limit`, or the ratio, when decompressed.
    Bomb,
    /// The body did not decompress.
    Encoding,
    /// More redirects than `fetch.redirects_max`, or one seen before.
    RedirectLoop,
    /// A redirect without a readable `http` or `https` location.
    RedirectRefused,
    /// An address outside the public internet, on any hop.
    AddressBlocked,
    /// 404.
    NotFound,
    /// 410: the publisher withdrew the feed. Asked weekly.
    Gone,
    /// 429, or 503: later, please.
    Busy,
    /// 401, 403, 407, 451.
    Forbidden,
    /// A page that asks whether we are human.
    BotChallenge,
    /// 5xx.
    Server,
    /// Any other status.
    Status,
    /// No body, or only white space.
    Empty,
    /// An HTML page where a feed was.
    Html,
    /// Neither XML, JSON nor HTML.
    NotAFeed,
    /// XML or JSON that does not parse.
    Malformed,
    /// Nested deeper than any feed is.
    TooDeep,
    /// A document type that defines entities.
    Entities,
    /// Reading it would take more steps than a document of its size is allowed.
    TooCostly,
    /// The feed shows what seems to be another publisher's. Nothing of it is published.
    Drift,
    /// Nobody was asked: others that share the server have their turns first.
    NotItsTurn,
    /// Our own machine could not ask: no files, memory or ports left, or the network switched off.
    Local,
    /// Our own mistake: the poll panicked.
    Panic,
    /// Reading the document ended the process that read it. Not asked for a week.
    Crash,
}

impl FailureClass {
    /// Classes that feed states did not know at first, and the one that is written beside each for
    /// a program that would refuse the whole state otherwise.
    const ADDED_LATER: [(FailureClass, FailureClass); 5] = [
        (Self::Crash, Self::Panic),
        (Self::Local, Self::Connect),
        (Self::TooCostly, Self::TooDeep),
        (Self::Drift, Self::NotAFeed),
        (Self::NotItsTurn, Self::Connect),
    ];

    /// Its name in metrics, logs, feed state and rejects.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether validators may be to blame for it. Servers that do not know what to do with them answer 400,
    /// 403, 412 or 500, an empty body, a page, or nothing at all; one that is away, busy or has no such
    /// document says so whatever it is sent.
    pub fn may_be_of_validators(self) -> bool {
        match self {
            Self::Cut
            | Self::Protocol
            | Self::Forbidden
            | Self::Server
            | Self::Status
            | Self::Empty
            | Self::Html => true,
            Self::Dns
            | Self::Connect
            | Self::Tls
            | Self::Timeout
            | Self::TooLarge
            | Self::Bomb
            | Self::Encoding
            | Self::RedirectLoop
            | Self::RedirectRefused
            | Self::AddressBlocked
            | Self::NotFound
            | Self::Gone
            | Self::Busy
            | Self::BotChallenge
            | Self::NotAFeed
            | Self::Malformed
            | Self::TooDeep
            | Self::Entities
            | Self::TooCostly
            | Self::Drift
            | Self::NotItsTurn
            | Self::Local
            | Self::Panic
            | Self::Crash => false,
        }
    }

    /// Whether nobody was asked, so that it says nothing of any publisher.
    pub fn is_of_nobody(self) -> bool {
        matches!(self, Self::Local | Self::NotItsTurn)
    }

    /// The class of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The nearest class that every program knows that reads feed states of this version.
    pub fn known_from_the_start(self) -> Self {
        let later = Self::ADDED_LATER.into_iter().find(|(class, _)| *class == self);
        later.map_or(self, |(_, nearest)| nearest)
    }
}

/// A fetch, or the reading of what it brought, that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind.
    pub class: FailureClass,
    /// What happened, for a person: lower-case, no full stop.
    pub detail: String,
    /// What the server asked for, not yet capped.
    pub retry_after: Option<Duration>,
}

/// What a fetch came to.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with a whole body.
    Body(Body),
    /// 304.
    NotModified(NotModified),
    /// Anything else.
    Failed(Failure),
}
