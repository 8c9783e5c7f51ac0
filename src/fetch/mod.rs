//! One conditional GET, from a URL to an `Answer`.
//!
//! Deciding when to ask is `schedule`'s, reading the document `parse`'s. Here: hop by hop along
//! redirects (`redirect`), never to an address outside the public internet (`address`, held by
//! `connect`), headers and body within limits (`wire`, `body`, `decode`), and what the answer means
//! (`outcome`), or that there is none (`failure`).
//! Validators belong to the URL that gave them and are sent to no other, byte for byte.

mod address;
mod body;
mod client;
mod connect;
mod connections;
mod exchange;
mod meter;
pub(crate) mod decode;
mod failure;
mod outcome;
mod proxy;
mod redirect;
mod resolver;
mod roots;
#[cfg(test)]
mod tests;
mod turns;
#[cfg(feature = "otlp")]
mod upload;
mod wire;

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::time::Duration;

use cw_decide::schedule::conduct::Patience;
pub use cw_model::PrivateNetworks;
use cw_model::{
    Answer, Body, Conditions, DocumentKind, Failure, FailureClass, Feed, FeedProxy, IfRefused,
    Moved, MovedBy, Network, NotModified, RedirectPolicy, RequestHeader, RequestSettings,
    Validators,
};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

pub(crate) use self::address::is_this_machine;
use self::client::{Carries, HttpClient};
pub use self::connections::Connections;
use self::meter::OVERHEAD_BYTES_MAX;
use self::outcome::{Asked, Head, Meaning, Move};
pub use self::proxy::{
    NotAProxy, Proxies, Proxy, ProxyKind, ProxyLogin, ProxyVariables, SharedProxy,
};
use self::redirect::Chain;
pub use self::roots::{NotRoots, read_roots};
use self::turns::{Shared, Turn};
#[cfg(feature = "otlp")]
pub use self::upload::{Upload, Uploaded};
use crate::clock::Clock;
use crate::memory::{BodyHold, Waits};

/// The `[fetch]` table, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchSettings {
    /// For the whole exchange, redirects and body included.
    pub timeout: Duration,
    /// For one connection, name look-up and TLS included.
    pub connect_timeout: Duration,
    /// Between requests to one host; a part of it is kept between hosts that share a server.
    pub host_gap: Duration,
    /// Most bytes of a body, on the wire and decompressed.
    pub body_limit: u64,
    /// Most redirects followed.
    pub redirects_max: usize,
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// What may be dialled for a feed that has no say of its own, and is itself there.
    pub private_networks: PrivateNetworks,
    /// Host names answered from here and not by the resolver, as curl's `--resolve` does. The
    /// addresses are judged like any other.
    pub resolve: BTreeMap<String, IpAddr>,
    /// What requests go through.
    pub proxies: Proxies,
}

/// Why no fetcher could be built.
#[derive(Debug, thiserror::Error)]
pub enum FetchSetupError {
    /// TLS.
    #[error("could not set up TLS")]
    Tls(#[source] rustls::Error),
    /// The certificate authorities, as no file can be opened now.
    #[error("could not read this machine's certificate authorities")]
    Roots(#[source] std::io::Error),
    /// `fetch.user_agent`, which `config` has checked.
    #[error("fetch.user_agent cannot be a header; use printable ASCII characters")]
    UserAgent,
}

/// How long a feed waits for its turn at a server that others share, if that is why this answer is none.
pub fn waits_for_turn(answer: &Answer) -> Option<Duration> {
    match answer {
        Answer::Failed(failure) if failure.class == FailureClass::NotItsTurn => failure.retry_after,
        Answer::Body(_) | Answer::NotModified(_) | Answer::Failed(_) => None,
    }
}

/// Fetches feeds: one HTTP client, its pools and its policy.
#[derive(Debug)]
pub struct Fetcher {
    client: HttpClient,
    private_networks: PrivateNetworks,
    timeout: Duration,
    host_gap: Duration,
    body_limit: u64,
    redirects_max: usize,
    user_agent: String,
    clock: Clock,
}

impl Fetcher {
    /// Builds the client. `clock` is asked where an answer gives a date and no time of its own.
    ///
    /// # Errors
    /// [`FetchSetupError`].
    pub fn new(
        settings: &FetchSettings,
        connections: Connections,
        clock: Clock,
    ) -> Result<Self, FetchSetupError> {
        Ok(Self::with_client(HttpClient::build(settings, connections)?, settings, clock))
    }

    fn with_client(client: HttpClient, settings: &FetchSettings, clock: Clock) -> Self {
        Self {
            client,
            private_networks: settings.private_networks.clone(),
            timeout: settings.timeout,
            host_gap: settings.host_gap,
            body_limit: settings.body_limit,
            redirects_max: settings.redirects_max,
            user_agent: settings.user_agent.clone(),
            clock,
        }
    }

    /// The bound on connections, to be shared with the fetcher that replaces this one.
    pub fn connections(&self) -> &Connections {
        self.client.connections()
    }

    /// Fetches a feed conditionally.
    ///
    /// Shape: the validators of `conditions` have a key for each URL of an earlier chain of redirects that
    /// gave some, as `final_url` of that answer is written.
    ///
    /// Cancel safety: dropping it drops the connection, nothing else.
    pub async fn fetch(&self, feed: &Feed, conditions: &Conditions) -> Answer {
        self.fetch_holding(feed, conditions, Patience::Whole, &mut BodyHold::unlimited()).await
    }

    /// Fetches a list of feeds from `list.url`. Addresses are judged as for a feed there.
    ///
    /// Cancel safety: dropping it drops the connection, nothing else.
    pub async fn fetch_list(
        &self,
        list: &Feed,
        validators: BTreeMap<String, Validators>,
    ) -> Answer {
        let kind = DocumentKind::FeedList;
        self.fetch(list, &Conditions { validators, kind, ..Conditions::default() }).await
    }

    /// As [`Self::fetch`], with so much of `fetch.timeout` and a body in `hold`'s memory.
    pub async fn fetch_holding(
        &self,
        feed: &Feed,
        conditions: &Conditions,
        patience: Patience,
        hold: &mut BodyHold,
    ) -> Answer {
        let way = Way::of(feed);
        let moved = conditions.moved.as_ref();
        let url = moved.map_or(&feed.url, |moved| &moved.to);
        // What the feed may dial holds along its redirects, and not where its document alone says that it lives.
        let is_led_there =
            |moved: &Moved| moved.by == MovedBy::Redirect || moved.to.host() == feed.url.host();
        let own = way.own.filter(|_| moved.is_none_or(is_led_there));
        let way = Way { own, ..way };
        let timeout = patience.of(self.timeout);
        self.fetch_url(url, way, conditions, timeout, hold).await
    }

    /// Fetches what a poll wants beside its feed: a sitemap that its document names, the page of an article, a
    /// robots.txt.
    ///
    /// What the feed may dial holds on the host that answered for it alone, `from`. Any other host was named by whoever
    /// writes its entries, and must be in the public internet.
    pub async fn fetch_beside(
        &self,
        feed: &Feed,
        from: &Body,
        (kind, url): (DocumentKind, &Url),
        hold: &mut BodyHold,
    ) -> Answer {
        let is_of_its_host = url.host() == from.final_url.host();
        let network = if is_of_its_host { from.network } else { Network::Public };
        let own = feed.private_networks.as_ref().filter(|_| is_of_its_host);
        let moved = Some(Moved { to: url.clone(), network, by: MovedBy::Redirect });
        let conditions = Conditions { moved, kind, ..Conditions::default() };
        let way = Way { own, ..Way::of(feed) };
        self.fetch_url(url, way, &conditions, self.timeout, hold).await
    }

    /// Posts a form to the hub that a feed names. Any status from 200 to 299 is well; what is answered beside it is nobody's
    /// affair.
    ///
    /// What the feed may dial holds on its own host alone. Any other host was named by whoever writes the feed, and must be
    /// in the public internet.
    ///
    /// # Errors
    /// A [`Failure`] as of a poll.
    ///
    /// Cancel safety: dropping it drops the connection, nothing else.
    pub async fn post(&self, feed: &Feed, url: &Url, form: &str) -> Result<(), Failure> {
        let is_of_its_host = url.host() == feed.url.host();
        let network = if is_of_its_host { Network::Private } else { Network::Public };
        let own = feed.private_networks.as_ref().filter(|_| is_of_its_host);
        let way = Way { own, ..Way::of(feed) };
        let moved = Moved { to: url.clone(), network, by: MovedBy::Redirect };
        let reach = Reach::begin(way, &self.private_networks, Some(&moved));
        let posted = Box::pin(self.post_along(url, reach, form));
        timeout_at(Instant::now() + self.timeout, posted).await.unwrap_or_else(|_late| {
            let host = url.host_str().unwrap_or_default();
            let seconds = self.timeout.as_secs_f32();
            let detail = format!("no whole answer from {host} within {seconds}s (fetch.timeout)");
            Err(Failure { class: FailureClass::Timeout, detail, retry_after: None })
        })
    }

    /// The same along redirects that keep the method (307, 308).
    async fn post_along(&self, url: &Url, mut reach: Reach<'_>, form: &str) -> Result<(), Failure> {
        let conditions = Conditions::default();
        let mut chain = Chain::begin(url)?;
        loop {
            let here = chain.here().clone();
            let host = here.host_str().unwrap_or_default();
            let carries =
                Carries { known: None, cookie: None, conditions: &conditions, form: Some(form) };
            let answered = self.client.ask(&here, reach.allowed(), reach.way, carries).await?;
            reach.narrow(answered.exchange.peer());
            let head = head(&answered.response);
            answered.exchange.end();
            if (200..300).contains(&head.status) {
                return Ok(());
            }
            match outcome::meaning(&head, Asked::Plainly, host, self.clock.now()) {
                Meaning::Redirect(kind) if matches!(head.status, 307 | 308) => {
                    chain.follow(&head, kind, self.redirects_max)?;
                    // What is posted has a secret in it.
                    if here.scheme() == "https" && chain.here().scheme() != "https" {
                        let detail = format!("{host} redirects from https to http");
                        let class = FailureClass::RedirectRefused;
                        return Err(Failure { class, detail, retry_after: None });
                    }
                }
                Meaning::Failed(failure) => return Err(failure),
                Meaning::Redirect(_) | Meaning::NotModified | Meaning::Body => {
                    let detail = format!("{host} answered {} to what was posted", head.status);
                    return Err(Failure { class: FailureClass::Status, detail, retry_after: None });
                }
            }
        }
    }

    /// The name by which a robots.txt knows who asks for this feed: the first word of the user agent.
    pub fn user_agent<'a>(&'a self, feed: &'a Feed) -> &'a str {
        let own = feed.request.as_ref().and_then(|request| request.user_agent.as_deref());
        own.unwrap_or(&self.user_agent)
    }

    /// What is kept between requests to one host.
    pub fn host_gap(&self) -> Duration {
        self.host_gap
    }

    /// Fetches a URL conditionally.
    async fn fetch_url(
        &self,
        url: &Url,
        way: Way<'_>,
        conditions: &Conditions,
        timeout: Duration,
        hold: &mut BodyHold,
    ) -> Answer {
        let waits = hold.waits();
        // On the heap: the state of a whole exchange is some kilobytes.
        let exchange = Box::pin(self.exchange_twice(url, way, conditions, hold));
        match within(timeout, &waits, exchange).await {
            Some(Ok(answer)) => answer,
            Some(Err(failure)) => Answer::Failed(failure),
            None => {
                let host = url.host_str().unwrap_or_default();
                let seconds = timeout.as_secs_f32();
                let of = if timeout < self.timeout {
                    "a part of fetch.timeout, as it was late before"
                } else {
                    "fetch.timeout"
                };
                Answer::Failed(Failure {
                    class: FailureClass::Timeout,
                    detail: format!("no whole answer from {host} within {seconds}s ({of})"),
                    retry_after: None,
                })
            }
        }
    }

    /// An exchange, and if what it carried may be to blame for how it was answered, another without.
    async fn exchange_twice(
        &self,
        url: &Url,
        way: Way<'_>,
        conditions: &Conditions,
        hold: &mut BodyHold,
    ) -> Result<Answer, Failure> {
        let mut asked = Asked::Plainly;
        let moved = conditions.moved.as_ref();
        let reach = Reach::begin(way, &self.private_networks, moved);
        let first = self.exchange(url, reach, conditions, &mut asked, hold).await;
        let (class, failure) = match first {
            Ok(Answer::Body(body)) if outcome::is_page(&body.bytes) => {
                if !asks_again(FailureClass::Html, asked, conditions) {
                    return Ok(Answer::Body(body));
                }
                // The page is dropped before another answer is read into the same memory.
                (FailureClass::Html, None)
            }
            Err(failure) if asks_again(failure.class, asked, conditions) => {
                (failure.class, Some(failure))
            }
            answered => return answered,
        };
        let plain = Conditions::default();
        let second = self.exchange(url, reach, &plain, &mut asked, hold).await;
        match (second, failure) {
            (Ok(Answer::Body(body)), _) if !outcome::is_page(&body.bytes) => {
                Ok(Answer::Body(Body { refusal: Some(class), ..body }))
            }
            (_, Some(failure)) => Err(failure),
            (second, None) => second,
        }
    }

    /// Waits for a feed's turn at the target of its redirects.
    async fn take_turn(&self, target: &str, url: &Url) -> Result<(), Failure> {
        let from = url.host_str().unwrap_or_default();
        let target = Shared::Target(target.to_owned());
        match self.connections().turns().take(target, from, self.host_gap) {
            Turn::In(wait) => sleep(wait).await,
            Turn::Later(wait) => return Err(failure::not_its_turn(from, wait)),
        }
        Ok(())
    }

    /// `asked` becomes how the last hop was asked.
    async fn exchange(
        &self,
        url: &Url,
        mut reach: Reach<'_>,
        conditions: &Conditions,
        asked: &mut Asked,
        hold: &mut BodyHold,
    ) -> Result<Answer, Failure> {
        let mut chain = Chain::begin(url)?;
        let mut overhead = 0_u64;
        let mut page = None;
        loop {
            let here = chain.here();
            let host = here.host_str().unwrap_or_default();
            let known = conditions.validators.get(here.as_str()).filter(|known| !known.is_empty());
            *asked = if known.is_some() { Asked::Conditionally } else { Asked::Plainly };
            if here.host_str() != url.host_str() {
                self.take_turn(host, url).await?;
            }
            let carries = Carries { known, cookie: chain.cookie(), conditions, form: None };
            let answered = self.client.ask(here, reach.allowed(), reach.way, carries).await?;
            reach.narrow(answered.exchange.peer());
            let head = head(&answered.response);
            let now = self.clock.now();
            match outcome::meaning(&head, *asked, host, now) {
                Meaning::Redirect(kind) => {
                    overhead = overhead.saturating_add(answered.exchange.end());
                    if overhead > OVERHEAD_BYTES_MAX {
                        return Err(failure::overhead(host));
                    }
                    chain.follow(&head, kind, self.redirects_max)?;
                    reach.way.admits(&chain, conditions.kind)?;
                }
                Meaning::Failed(failure) => return Err(failure),
                Meaning::NotModified => {
                    return Ok(Answer::NotModified(NotModified {
                        final_url: here.clone(),
                        moved_to: chain.moved_to(),
                        validators: outcome::validators(&head),
                        freshness: outcome::freshness(&head, now),
                        network: reach.network(),
                        wait: outcome::rate_limit(&head, now),
                    }));
                }
                Meaning::Body => {
                    let limit = self.body_limit.min(conditions.kind.bytes_max());
                    let read = body::read(answered, &head, host, limit, hold).await?;
                    // A page that sends browsers on is a redirect of somebody who could make no other: once.
                    if page.is_none()
                        && let Some(next) = outcome::refresh(&head, &read.bytes)
                    {
                        page = Some(host.to_owned());
                        chain.follow(&next, Move::Temporary, self.redirects_max)?;
                        reach.way.admits(&chain, conditions.kind)?;
                        continue;
                    }
                    return Ok(Answer::Body(Body {
                        bytes: read.bytes,
                        wire_bytes: read.wire_bytes,
                        final_url: here.clone(),
                        moved_to: chain.moved_to(),
                        content_type: outcome::content_type(&head),
                        validators: outcome::validators(&head),
                        freshness: outcome::freshness(&head, now),
                        refusal: None,
                        instance: outcome::instance(&head),
                        network: reach.network(),
                        wait: outcome::rate_limit(&head, now),
                        links: outcome::hub_links(&head),
                    }));
                }
            }
        }
    }
}

/// Whether the feed is asked for once more, without what the request carried.
fn asks_again(class: FailureClass, asked: Asked, conditions: &Conditions) -> bool {
    asked == Asked::Conditionally
        && conditions.if_refused == IfRefused::AskWithout
        && class.may_be_of_validators()
}

/// What comes of an exchange within `timeout`, what it waited for memory not counted.
async fn within<T>(
    timeout: Duration,
    waits: &Waits,
    exchange: impl Future<Output = T>,
) -> Option<T> {
    let started = Instant::now();
    tokio::pin!(exchange);
    loop {
        let deadline = started + timeout + waits.total();
        if let Ok(done) = timeout_at(deadline, &mut exchange).await {
            return Some(done);
        }
        if started + timeout + waits.total() <= Instant::now() {
            return None;
        }
    }
}

/// What the next hop of a chain may dial.
///
/// What `[fetch]` allows is meant for feeds that live in a private network. It holds for the feed's
/// own host, and for redirects as long as every host of the chain was in a private network: once a
/// public one has answered, the public internet has a say in where to go next, and it may not lead
/// us inside. A feed's own key holds wherever its redirects lead.
#[derive(Clone, Copy, Debug)]
struct Reach<'a> {
    within: Within<'a>,
    way: Way<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Within<'a> {
    Own(&'a PrivateNetworks),
    Inside(&'a PrivateNetworks),
    Public,
}

/// What a feed says of how it is asked.
#[derive(Clone, Copy, Debug)]
struct Way<'a> {
    /// Of private networks.
    own: Option<&'a PrivateNetworks>,
    proxy: &'a FeedProxy,
    request: Option<&'a RequestSettings>,
    /// Its URL: what `request` says holds there.
    home: &'a Url,
}

impl<'a> Way<'a> {
    fn of(feed: &'a Feed) -> Self {
        let (own, request) = (feed.private_networks.as_ref(), feed.request.as_deref());
        Self { own, proxy: &feed.proxy, request, home: &feed.url }
    }

    fn redirects(&self) -> RedirectPolicy {
        self.request.map(|request| request.redirects).unwrap_or_default()
    }

    /// Holds a chain to what the feed says of redirects. What is asked beside its document is not held to it.
    fn admits(&self, chain: &Chain, kind: DocumentKind) -> Result<(), Failure> {
        let policy = self.redirects();
        if kind != DocumentKind::Feed || policy.admits(self.home, chain.here()) {
            return Ok(());
        }
        let (host, to) = (self.home.host_str().unwrap_or_default(), chain.here().host_str());
        let detail = format!(
            "{host} redirects to {}, and the feed's redirects = \"{}\" refuses it",
            to.unwrap_or_default(),
            policy.name()
        );
        Err(Failure { class: FailureClass::RedirectRefused, detail, retry_after: None })
    }

    /// The feed's own headers, where its own origin is asked: whoever it redirects to learns nothing of them.
    fn headers(&self, url: &Url) -> &'a [RequestHeader] {
        let request = self.request.filter(|_| url.origin() == self.home.origin());
        request.map_or(&[], |request| &request.headers)
    }

    /// What is said of TLS and HTTP, where its own host is asked.
    fn of_host(&self, url: &Url) -> Option<&'a RequestSettings> {
        self.request.filter(|_| url.host() == self.home.host())
    }
}

impl<'a> Reach<'a> {
    fn begin(way: Way<'a>, shared: &'a PrivateNetworks, moved: Option<&Moved>) -> Self {
        let within = match (way.own, moved.map(|moved| moved.network)) {
            (Some(own), _) => Within::Own(own),
            (None, None | Some(Network::Private)) => Within::Inside(shared),
            // Where the redirects led is asked without them now: it may lead no further inside.
            (None, Some(Network::Public)) => Within::Public,
        };
        Self { within, way }
    }

    /// Where those are who have answered.
    fn network(&self) -> Network {
        match self.within {
            Within::Inside(_) => Network::Private,
            // A feed's own key holds wherever it leads, and is asked again.
            Within::Own(_) | Within::Public => Network::Public,
        }
    }

    fn allowed(&self) -> &PrivateNetworks {
        match self.within {
            Within::Own(allowed) | Within::Inside(allowed) => allowed,
            Within::Public => &PrivateNetworks::Refused,
        }
    }

    /// Somebody answered; who is not known is taken for public.
    fn narrow(&mut self, peer: Option<IpAddr>) {
        if matches!(self.within, Within::Inside(_)) && peer.is_none_or(address::is_public) {
            self.within = Within::Public;
        }
    }
}

fn head(response: &reqwest::Response) -> Head {
    let owned = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    Head {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(owned).collect(),
    }
}
