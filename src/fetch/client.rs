//! The only HTTP client: what it asks, and its pools of connections.
//!
//! Redirects and decompression are not its affair: `mod` follows the first hop by hop, `decode`
//! undoes the second within limits. Connections are made by `connect`, and counted by `wire`:
//! reqwest's own client shows neither what lies under HTTP nor informational answers, so of reqwest
//! there are request, response and body here, on hyper's pool, which reqwest uses too.
//!
//! Feeds that may dial different addresses, or trust others, share no connections: each permission has its pool.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cw_model::{Conditions, Deltas, DocumentKind, Failure, FailureClass, HttpChoice, Validators};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request, Response};
use url::{Host, Url};

use super::address::may_dial;
use super::connect::{Connector, Dialling, Terms, Tls, Versions, no_file_left, plain_host};
use super::connections::Connections;
use super::exchange::ExchangeMeter;
use super::meter::{HEADERS_BYTES_MAX, HEADERS_MAX, Meter, WINDOW_BYTES};
use super::proxy::{Proxy, ProxyKind};
use super::roots::tls_trusting;
use super::{FetchSettings, FetchSetupError, PrivateNetworks, Way, failure};

/// Feed types first; some servers answer 406 unless anything will do.
const ACCEPT: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
                      application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, \
                      application/json;q=0.8, */*;q=0.1";

/// What is accepted of documents that are no feeds.
const ACCEPT_SITEMAP: &str = "application/xml, text/xml;q=0.9, */*;q=0.1";
const ACCEPT_PAGE: &str = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1";
const ACCEPT_ROBOTS: &str = "text/plain, */*;q=0.1";
const ACCEPT_FEED_LIST: &str =
    "application/toml, text/x-opml, application/json, text/plain;q=0.9, */*;q=0.5";

/// What is posted.
const FORM: &str = "application/x-www-form-urlencoded";

/// What `decode` undoes, best first.
const ACCEPT_ENCODING: &str = "gzip, br, zstd, deflate";

/// `HEADERS_BYTES_MAX` over HTTP/1, where it is also the most that is read ahead.
const READ_BYTES_MAX: usize = 256 * 1024;

/// How long a connection is kept for the next feed of the same host: longer than the gap between
/// two polls of one host, shorter than most servers keep theirs.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Idle connections kept per host: politeness allows hardly more at once.
const POOL_IDLE_PER_HOST_MAX: usize = 2;

/// Hosts of which it is remembered that they need HTTP/1.1. Others find out at each new connection.
const OF_HTTP1_MAX: usize = 1000;

/// The client.
#[derive(Debug)]
pub(super) struct HttpClient {
    dialling: Arc<Dialling>,
    headers: HeaderMap,
    pools: Mutex<Vec<(PoolKey, Pool<Connector, Body>)>>,
    /// Hosts that have said that they need HTTP/1.1.
    of_http1: Mutex<BTreeSet<String>>,
}

/// What may be dialled, through what, what is spoken there, and who is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PoolKey {
    allowed: PrivateNetworks,
    proxy: Option<Arc<Proxy>>,
    versions: Versions,
    /// Certificate authorities; none: this machine's.
    roots: Arc<Vec<Vec<u8>>>,
}

/// An answer, and the connection it comes on.
#[derive(Debug)]
pub(super) struct Answered {
    /// Status, headers, and the body to be read.
    pub response: Response,
    /// What is counted of the connection while this answer is read.
    pub exchange: ExchangeMeter,
}

/// What a request carries besides what all do.
#[derive(Debug)]
pub(super) struct Carries<'a> {
    /// Validators of its URL.
    pub(super) known: Option<&'a Validators>,
    /// From earlier in its chain of redirects.
    pub(super) cookie: Option<String>,
    /// What is asked for, and whether the answer may be what is new of it.
    pub(super) conditions: &'a Conditions,
    /// What is posted, if that is what the request is for.
    pub(super) form: Option<&'a str>,
}

fn accept(kind: DocumentKind) -> HeaderValue {
    HeaderValue::from_static(match kind {
        DocumentKind::Feed => ACCEPT,
        DocumentKind::Sitemap => ACCEPT_SITEMAP,
        DocumentKind::Page => ACCEPT_PAGE,
        DocumentKind::Robots => ACCEPT_ROBOTS,
        DocumentKind::FeedList => ACCEPT_FEED_LIST,
    })
}

/// A request that got no answer.
struct Unanswered {
    failure: Failure,
    /// The connection had served another request before.
    is_of_pool: bool,
    /// The server says what must be spoken with it.
    needs: Option<Versions>,
}

impl Unanswered {
    fn at_once(failure: Failure) -> Self {
        Self { failure, is_of_pool: false, needs: None }
    }

    /// How often such a request may be sent again in all.
    ///
    /// A server may close connections it had kept at any time, and we learn it when we use them again. A GET
    /// may be repeated (RFC 9110, 9.2.2): on as many connections as the pool keeps, and then on a new
    /// one. A new connection that is cut is tried once more: the error does not tell a server that does so
    /// on purpose from one that restarts.
    fn repeats(&self) -> usize {
        match (self.failure.class, self.is_of_pool) {
            (FailureClass::Cut, true) => POOL_IDLE_PER_HOST_MAX + 1,
            (FailureClass::Cut, false) => 1,
            _ => 0,
        }
    }
}

impl HttpClient {
    /// Builds the client. Without any certificate authority on the machine it is built all the
    /// same, for plain `http`.
    ///
    /// # Errors
    /// [`FetchSetupError`] if TLS does not start, or `user_agent` cannot be a header.
    pub(super) fn build(
        settings: &FetchSettings,
        connections: Connections,
    ) -> Result<Self, FetchSetupError> {
        Self::build_with(settings, connections, tls_config()?.as_ref())
    }

    /// Builds the client with this TLS; without any it speaks plain `http` only.
    ///
    /// # Errors
    /// As [`HttpClient::build`].
    pub(super) fn build_with(
        settings: &FetchSettings,
        connections: Connections,
        tls: Option<&rustls::ClientConfig>,
    ) -> Result<Self, FetchSetupError> {
        let user_agent = HeaderValue::from_str(&settings.user_agent)
            .map_err(|_not_a_header| FetchSetupError::UserAgent)?;
        let headers = HeaderMap::from_iter([
            (header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPT_ENCODING)),
            (header::USER_AGENT, user_agent),
        ]);
        let given = settings.resolve.iter();
        let dialling = Dialling {
            given: given.map(|(host, address)| (plain_host(host), *address)).collect(),
            timeout: settings.connect_timeout,
            host_gap: settings.host_gap,
            tls: tls.map(|tls| Arc::new(Tls::new(tls))),
            connections,
            proxies: settings.proxies.clone(),
        };
        let dialling = Arc::new(dialling);
        Ok(Self { dialling, headers, pools: Mutex::default(), of_http1: Mutex::default() })
    }

    /// The bound on connections, to be shared with whatever replaces this client.
    pub(super) fn connections(&self) -> &Connections {
        &self.dialling.connections
    }

    /// Asks for a URL, or posts a form there, and waits for the headers of the answer. Dials what is public or `allowed`, in
    /// the way that the feed says.
    ///
    /// # Errors
    /// A [`Failure`] of the connection or the protocol; any status is an answer.
    ///
    /// Cancel safety: dropping it drops the connection.
    pub(super) async fn ask(
        &self,
        url: &Url,
        allowed: &PrivateNetworks,
        way: Way<'_>,
        carries: Carries<'_>,
    ) -> Result<Answered, Failure> {
        let host = url.host_str().unwrap_or_default();
        // Before the certificate: what may not be dialled is the more useful answer.
        if let Some(address) = literal(url) {
            may_dial(address, allowed).map_err(|error| failure::blocked(&error, host))?;
        }
        let own = way.of_host(url);
        let roots = own.map(|own| Arc::clone(&own.roots)).unwrap_or_default();
        if self.dialling.tls.is_none() && roots.is_empty() && url.scheme() == "https" {
            return Err(failure::no_roots(host));
        }
        let proxy = self.dialling.proxies.of(way.proxy, url);
        let mut versions = match own.map(|own| own.http).unwrap_or_default() {
            HttpChoice::Best => self.versions(host),
            HttpChoice::Http1 => Versions::Http1,
        };
        let mut died = 0;
        let answered = loop {
            let (allowed, proxy, roots) = (allowed.clone(), proxy.clone(), Arc::clone(&roots));
            let pool = self.pool(PoolKey { allowed, proxy: proxy.clone(), versions, roots });
            match self.send(&pool, proxy.as_deref(), (url, way), &carries).await {
                Ok(answered) => break answered,
                Err(Unanswered { needs: Some(needs), .. }) if needs != versions => {
                    self.note_versions(host);
                    versions = needs;
                }
                Err(unanswered) if died < unanswered.repeats() => died += 1,
                Err(unanswered) => return Err(unanswered.failure),
            }
        };
        if let Some(peer) = answered.exchange.peer() {
            may_dial(peer, allowed).map_err(|error| failure::blocked(&error, host))?;
        }
        Ok(answered)
    }

    async fn send(
        &self,
        pool: &Pool<Connector, Body>,
        proxy: Option<&Proxy>,
        (url, way): (&Url, Way<'_>),
        carries: &Carries<'_>,
    ) -> Result<Answered, Unanswered> {
        let validator = |value: fn(&Validators) -> Option<&String>| {
            carries.known.and_then(value).map(String::as_str)
        };
        let method = if carries.form.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::new(method, url.clone());
        request.headers_mut().clone_from(&self.headers);
        own_headers(request.headers_mut(), url, way);
        if let Some(form) = carries.form {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
            *request.body_mut() = Some(Body::from(form.to_owned()));
        }
        request.headers_mut().insert(header::ACCEPT, accept(carries.conditions.kind));
        for (name, value) in [
            (header::IF_NONE_MATCH, validator(|validators| validators.etag.as_ref())),
            (header::IF_MODIFIED_SINCE, validator(|validators| validators.last_modified.as_ref())),
        ] {
            // What cannot be a header came from a state file nobody here wrote.
            if let Some(value) = value.and_then(|text| HeaderValue::from_str(text).ok()) {
                request.headers_mut().insert(name, value);
            }
        }
        if let Some(value) = joined_cookie(request.headers(), carries.cookie.as_deref()) {
            request.headers_mut().insert(header::COOKIE, value);
        }
        // Through a tunnel, whoever opened it has told.
        let forwards =
            proxy.filter(|proxy| proxy.kind == ProxyKind::Http && url.scheme() == "http");
        let login = forwards.and_then(Proxy::authorization);
        if let Some(value) = login.and_then(|text| HeaderValue::from_str(&text).ok()) {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, value);
        }
        if carries.conditions.deltas == Deltas::Asked
            && request.headers().contains_key(header::IF_NONE_MATCH)
        {
            request.headers_mut().insert("a-im", HeaderValue::from_static("feed"));
        }
        let request = request
            .try_into()
            .map_err(|error| Unanswered::at_once(failure::unaskable(&error, url)))?;
        let asked = &self.dialling;
        let response = pool.request(request).await;
        let response = response.map_err(|error| Unanswered {
            is_of_pool: failure::meter(&error).is_some_and(|meter| meter.has_served()),
            failure: failure::unanswered(&error, url, asked),
            needs: failure::needs_http1(&error).then_some(Versions::Http1),
        })?;
        Ok(self.answered(response))
    }

    /// An answer with what is counted of its connection.
    fn answered(&self, response: hyper::Response<hyper::body::Incoming>) -> Answered {
        let meter = response.extensions().get::<Arc<Meter>>().cloned();
        let exchange = ExchangeMeter { meter, connections: self.dialling.connections.clone() };
        Answered { response: Response::from(response.map(Body::wrap)), exchange }
    }

    /// Posts bytes to where the operator says, wherever that is, and waits for the headers of the answer.
    ///
    /// # Errors
    /// As [`HttpClient::ask`].
    #[cfg(feature = "otlp")]
    pub(super) async fn post(
        &self,
        url: &Url,
        content_type: HeaderValue,
        body: Vec<u8>,
    ) -> Result<Answered, Failure> {
        if self.dialling.tls.is_none() && url.scheme() == "https" {
            return Err(failure::no_roots(url.host_str().unwrap_or_default()));
        }
        let mut request = Request::new(Method::POST, url.clone());
        request.headers_mut().clone_from(&self.headers);
        request.headers_mut().insert(header::CONTENT_TYPE, content_type);
        // The answer is a few bytes, and nothing here undoes a compression of it.
        request.headers_mut().remove(header::ACCEPT_ENCODING);
        *request.body_mut() = Some(Body::from(body));
        let request = request.try_into().map_err(|error| failure::unaskable(&error, url))?;
        let (allowed, versions) = (PrivateNetworks::Allowed, Versions::Best);
        let roots = Arc::default();
        let pool = self.pool(PoolKey { allowed, proxy: None, versions, roots });
        let asked = &self.dialling;
        let answered = pool.request(request).await;
        let answered = answered.map_err(|error| failure::unanswered(&error, url, asked))?;
        Ok(self.answered(answered))
    }

    /// The pool of those that may dial the same through the same.
    fn pool(&self, key: PoolKey) -> Pool<Connector, Body> {
        let make = |PoolKey { allowed, proxy, versions, roots }: PoolKey| {
            let tls = if roots.is_empty() {
                self.dialling.tls.clone()
            } else {
                tls_trusting(&roots).map(|tls| Arc::new(Tls::new(&tls)))
            };
            let terms = Terms { allowed, proxy, versions, tls };
            let connector = Connector::new(Arc::clone(&self.dialling), terms);
            Pool::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_idle_timeout(POOL_IDLE_TIMEOUT)
                .pool_max_idle_per_host(POOL_IDLE_PER_HOST_MAX)
                .http1_max_headers(HEADERS_MAX)
                .http1_max_buf_size(READ_BYTES_MAX)
                .http1_allow_obsolete_multiline_headers_in_responses(true)
                .http1_allow_spaces_after_header_name_in_responses(true)
                .http1_ignore_invalid_headers_in_responses(true)
                .http2_max_header_list_size(HEADERS_BYTES_MAX)
                .http2_initial_stream_window_size(WINDOW_BYTES)
                .http2_initial_connection_window_size(WINDOW_BYTES)
                .build(connector)
        };
        // A thread that panicked here left nothing half done.
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = pools.iter().find(|(known, _)| *known == key) {
            return pool.clone();
        }
        let pool = make(key.clone());
        pools.push((key, pool.clone()));
        pool
    }

    fn versions(&self, host: &str) -> Versions {
        let hosts = self.of_http1.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.contains(host) { Versions::Http1 } else { Versions::Best }
    }

    /// Remembers that a host needs HTTP/1.1, so that the next request does not find out again.
    fn note_versions(&self, host: &str) {
        let mut hosts = self.of_http1.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() < OF_HTTP1_MAX {
            hosts.insert(host.to_owned());
        }
    }
}

/// Puts what a feed says of its requests among the headers. Whatever else a request carries comes later, and counts.
fn own_headers(headers: &mut HeaderMap, url: &Url, way: Way<'_>) {
    let user_agent = way.request.and_then(|request| request.user_agent.as_deref());
    if let Some(value) = user_agent.and_then(|text| HeaderValue::from_str(text).ok()) {
        headers.insert(header::USER_AGENT, value);
    }
    for own in way.headers(url) {
        let name = HeaderName::from_bytes(own.name.as_bytes()).ok();
        // Both were checked when they were read.
        let value = HeaderValue::from_str(&own.value).ok();
        if let Some((name, mut value)) = name.zip(value) {
            // HTTP/2 is not to keep it in its tables.
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
}

/// The cookies of a request: those that the feed says, then those of its chain of redirects.
fn joined_cookie(headers: &HeaderMap, of_chain: Option<&str>) -> Option<HeaderValue> {
    let of_chain = of_chain?;
    let joined = match headers.get(header::COOKIE).and_then(|value| value.to_str().ok()) {
        Some(own) => format!("{own}; {of_chain}"),
        None => of_chain.to_owned(),
    };
    let mut value = HeaderValue::from_str(&joined).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn literal(url: &Url) -> Option<std::net::IpAddr> {
    match url.host()? {
        Host::Ipv4(v4) => Some(v4.into()),
        Host::Ipv6(v6) => Some(v6.into()),
        Host::Domain(_) => None,
    }
}

/// TLS as this machine's authorities allow it; `None` if it has none.
fn tls_config() -> Result<Option<rustls::ClientConfig>, FetchSetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = match rustls_platform_verifier::Verifier::new(Arc::clone(&provider)) {
        Ok(verifier) => verifier,
        // It finds no authorities either where it may open no file.
        Err(_none) => {
            return no_file_left().map_or(Ok(None), |err| Err(FetchSetupError::Roots(err)));
        }
    };
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(FetchSetupError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Some(config))
}
