//! The only HTTP client: how it connects, whom it trusts, and what its errors mean.
//!
//! Redirects and decompression are off: `mod` follows the first hop by hop, `decode` undoes the
//! second within limits. Every address is judged by `address` before it is dialled: those of
//! names by our own resolver, literals here (the client asks no resolver for them), and the one
//! that answered once more.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, Response};
use url::{Host, Url};

use super::address::{AddressRefused, may_dial};
use super::decode::printable;
use super::{FetchSettings, FetchSetupError, PrivateNetworks};
use crate::model::{Failure, FailureClass, Validators};

/// Feed types first; some servers answer 406 unless anything will do.
const ACCEPT: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
                      application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, \
                      application/json;q=0.8, */*;q=0.1";

/// What `decode` undoes, best first.
const ACCEPT_ENCODING: &str = "gzip, br, zstd, deflate";

/// The most header lines of an answer. Some newsrooms send hundreds; the library's own limit,
/// 100, loses them.
const HEADERS_MAX: usize = 1000;

/// The most bytes of an answer's headers over HTTP/2, where the library's limit is 16 KiB and a
/// single content security policy may be longer. Over HTTP/1 it is some 400 KiB already.
const HEADERS_BYTES_MAX: u32 = 256 * 1024;

/// How long a connection is kept for the next feed of the same host: longer than the gap between
/// two polls of one host, shorter than most servers keep theirs.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Idle connections kept per host: politeness allows hardly more at once.
const POOL_IDLE_PER_HOST_MAX: usize = 2;

/// Whose word on certificates is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// That of the authorities this machine trusts.
    Platform,
    /// Nobody's: there are none on this machine, and `https` cannot be checked.
    Missing,
}

/// The client, with the policy it obeys.
#[derive(Debug)]
pub(super) struct HttpClient {
    client: Client,
    roots: Roots,
    allowed: Arc<PrivateNetworks>,
    connect_timeout: Duration,
}

impl HttpClient {
    /// Builds the client. Without any certificate authority on the machine it is built all the
    /// same, for plain `http`.
    ///
    /// # Errors
    /// [`FetchSetupError`] if the library does not start, or `user_agent` cannot be a header.
    pub(super) fn build(settings: &FetchSettings) -> Result<Self, FetchSetupError> {
        match Self::build_with(settings, Roots::Platform) {
            Err(FetchSetupError(err)) if is_about_roots(&err) => {
                Self::build_with(settings, Roots::Missing)
            }
            result => result,
        }
    }

    /// Builds the client with these roots.
    ///
    /// # Errors
    /// As [`HttpClient::build`], and if the platform has no roots.
    pub(super) fn build_with(
        settings: &FetchSettings,
        roots: Roots,
    ) -> Result<Self, FetchSetupError> {
        // The library takes the process's provider and panics if there is none. A second call
        // finds one in place, which is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let allowed = Arc::new(settings.private_networks.clone());
        let resolver = Resolver {
            given: settings
                .resolve
                .iter()
                .map(|(host, address)| (plain_host(host), *address))
                .collect(),
            allowed: Arc::clone(&allowed),
        };
        let builder = ClientBuilder::new()
            .default_headers(HeaderMap::from_iter([
                (header::ACCEPT, HeaderValue::from_static(ACCEPT)),
                (header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPT_ENCODING)),
            ]))
            .user_agent(settings.user_agent.as_str())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(POOL_IDLE_PER_HOST_MAX)
            .http1_max_headers(HEADERS_MAX)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            .http2_max_header_list_size(HEADERS_BYTES_MAX)
            .dns_resolver(resolver);
        let builder = match roots {
            Roots::Platform => builder,
            Roots::Missing => builder.tls_backend_preconfigured(
                rustls::ClientConfig::builder()
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth(),
            ),
        };
        let client = builder.build().map_err(FetchSetupError)?;
        Ok(Self { client, roots, allowed, connect_timeout: settings.connect_timeout })
    }

    /// Asks for a URL and waits for the headers of the answer.
    ///
    /// # Errors
    /// A [`Failure`] of the connection or the protocol; any status is an answer.
    ///
    /// Cancel safety: dropping it drops the connection.
    pub(super) async fn get(
        &self,
        url: &Url,
        validators: Option<&Validators>,
        cookie: Option<String>,
    ) -> Result<Response, Failure> {
        let host = url.host_str().unwrap_or_default();
        let literal = match url.host() {
            Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
            Some(Host::Domain(_)) | None => None,
        };
        if let Some(address) = literal {
            self.admit(address, host)?;
        }
        if self.roots == Roots::Missing && url.scheme() == "https" {
            return Err(failure(FailureClass::Tls, no_roots(host)));
        }
        let validator = |value: fn(&Validators) -> Option<&String>| validators.and_then(value);
        let headers = [
            (header::IF_NONE_MATCH, validator(|validators| validators.etag.as_ref())),
            (header::IF_MODIFIED_SINCE, validator(|validators| validators.last_modified.as_ref())),
            (header::COOKIE, cookie.as_ref()),
        ];
        let request = || {
            let request = self.client.get(url.clone());
            headers.iter().fold(request, |request, (name, value)| {
                // What cannot be a header came from a state file nobody here wrote.
                match value.and_then(|text| HeaderValue::from_str(text).ok()) {
                    Some(value) => request.header(name, value),
                    None => request,
                }
            })
        };
        let sent = request().send().await.map_err(|err| self.send_failure(&err, url, host));
        let response = match sent {
            // A server may close a connection it had kept in the very moment we use it again, and
            // the error does not tell that from a server that never answers. A GET may be
            // repeated (RFC 9110, 9.2.2): once, on what is then a new connection.
            Err(Failure { class: FailureClass::Cut, .. }) => {
                request().send().await.map_err(|err| self.send_failure(&err, url, host))?
            }
            sent => sent?,
        };
        if let Some(peer) = response.remote_addr() {
            self.admit(peer.ip(), host)?;
        }
        Ok(response)
    }

    fn admit(&self, address: IpAddr, host: &str) -> Result<(), Failure> {
        may_dial(address, &self.allowed).map_err(|err| blocked(&err, host))
    }

    fn send_failure(&self, err: &reqwest::Error, url: &Url, host: &str) -> Failure {
        let links = links(err);
        if let Some(refused) = find::<AddressRefused>(&links) {
            return blocked(refused, host);
        }
        let cause = cause(&links);
        if err.is_dns() {
            let detail = format!("the name {host} could not be resolved: {cause}");
            return failure(FailureClass::Dns, detail);
        }
        if let Some(tls) = find::<rustls::Error>(&links) {
            return failure(FailureClass::Tls, tls_detail(tls, host));
        }
        if err.is_connect() {
            let port = url.port_or_known_default().unwrap_or_default();
            if err.is_timeout() {
                let seconds = self.connect_timeout.as_secs_f32();
                let detail = format!(
                    "{host} port {port} took no connection within {seconds}s (fetch.connect_timeout)"
                );
                return failure(FailureClass::Connect, detail);
            }
            if url.scheme() == "https" && io_kind(&links).is_some_and(is_cut) {
                let detail = format!("{host} ended the connection before TLS was set up");
                return failure(FailureClass::Tls, detail);
            }
            return failure(FailureClass::Connect, format!("{host} port {port}: {cause}"));
        }
        if io_kind(&links).is_some_and(is_cut) || cause == HYPER_INCOMPLETE {
            let detail = format!("{host} ended the connection before it answered");
            return failure(FailureClass::Cut, detail);
        }
        if links.iter().any(|link| link.to_string() == HYPER_HTTP2) {
            let detail = format!("{host} broke off the exchange before it answered: {cause}");
            return failure(FailureClass::Cut, detail);
        }
        failure(FailureClass::Protocol, format!("what {host} sent is not HTTP: {cause}"))
    }
}

/// What hyper says of a connection that ended inside an answer's headers. Its error type cannot
/// be named without depending on it; the tests of this folder notice if the words change.
const HYPER_INCOMPLETE: &str = "connection closed before message completed";

/// What hyper says above an error of the h2 library, whose type cannot be named either: a stream
/// or connection that the server reset.
const HYPER_HTTP2: &str = "http2 error";

/// What an error while reading a body means: after `read` bytes of as many as were `declared`.
pub(super) fn body_failure(
    err: &reqwest::Error,
    host: &str,
    read: usize,
    declared: Option<u64>,
) -> Failure {
    let links = links(err);
    if matches!(io_kind(&links), Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)) {
        let cause = cause(&links);
        return failure(FailureClass::Protocol, format!("body of {host} is not HTTP: {cause}"));
    }
    let of = declared.map(|declared| format!(" of {declared}")).unwrap_or_default();
    let detail = format!("{host} ended the connection after {read}{of} bytes of the body");
    failure(FailureClass::Cut, detail)
}

/// An error and everything it came from, outermost first.
///
/// An I/O error's `source` skips the error it was made from; that one is where TLS speaks.
fn links<'a>(err: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut links = Vec::new();
    let mut next = Some(err);
    while let Some(link) = next {
        links.push(link);
        let inner = link.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => link.source(),
        };
    }
    links
}

fn find<'a, E: StdError + 'static>(links: &[&'a (dyn StdError + 'static)]) -> Option<&'a E> {
    links.iter().find_map(|link| link.downcast_ref())
}

/// The kind of the innermost I/O error.
fn io_kind(links: &[&(dyn StdError + 'static)]) -> Option<io::ErrorKind> {
    links.iter().rev().find_map(|link| link.downcast_ref::<io::Error>()).map(io::Error::kind)
}

/// The innermost error, in words: those above it only say that something went wrong below.
fn cause(links: &[&(dyn StdError + 'static)]) -> String {
    let Some(last) = links.last() else { return String::new() };
    match last.downcast_ref::<io::Error>().map(io::Error::kind) {
        // "connection refused" rather than "Connection refused (os error 111)".
        Some(kind) if last.to_string().contains("os error") => kind.to_string(),
        _ => printable(&last.to_string()),
    }
}

fn is_cut(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
    };
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

/// Whether a client could not be built because the platform gave no roots: the only thing that
/// speaks TLS while it is built.
fn is_about_roots(err: &reqwest::Error) -> bool {
    find::<rustls::Error>(&links(err)).is_some()
}

fn no_roots(host: &str) -> String {
    format!(
        "the certificate of {host} cannot be checked: no certificate authorities were found; \
         install the package \"ca-certificates\", or let SSL_CERT_FILE name a PEM file that holds \
         some, and restart"
    )
}

fn tls_detail(err: &rustls::Error, host: &str) -> String {
    use rustls::{CertificateError, Error};
    match err {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => format!(
            "the certificate of {host} is from no authority this machine trusts; if it should be, \
             update the package \"ca-certificates\" or let SSL_CERT_FILE name a PEM file"
        ),
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => format!("the certificate of {host} is for other names"),
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => format!("the certificate of {host} has expired, or this machine's clock is wrong"),
        Error::InvalidMessage(_) => format!("what {host} sent is not TLS; is its URL http?"),
        _ => format!("no TLS session with {host}: {}", printable(&err.to_string())),
    }
}

fn blocked(err: &AddressRefused, host: &str) -> Failure {
    failure(FailureClass::AddressBlocked, format!("{host} was not dialled: {err}"))
}

fn failure(class: FailureClass, detail: String) -> Failure {
    Failure { class, detail, retry_after: None }
}

/// Answers host names, and only with addresses that may be dialled.
struct Resolver {
    given: BTreeMap<String, IpAddr>,
    allowed: Arc<PrivateNetworks>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let given = self.given.get(&plain_host(name.as_str())).copied();
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            let found = match given {
                Some(address) => vec![address],
                // Port 0: the client puts in that of the URL.
                None => tokio::net::lookup_host((name.as_str(), 0))
                    .await?
                    .map(|address| address.ip())
                    .collect(),
            };
            let mut refused = None;
            let mut admitted = Vec::new();
            for address in found {
                match may_dial(address, &allowed) {
                    Ok(()) => admitted.push(SocketAddr::new(address, 0)),
                    Err(err) => refused = refused.or(Some(err)),
                }
            }
            // A name with one public address among private ones is dialled there and only there.
            match refused.filter(|_| admitted.is_empty()) {
                Some(err) => Err(err.into()),
                None if admitted.is_empty() => Err("the resolver answered with none".into()),
                None => Ok(Box::new(admitted.into_iter()) as Addrs),
            }
        })
    }
}

/// A host name as it is looked up in `fetch.resolve`: lower-case, without the root's dot.
fn plain_host(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}
