//! What an error of the HTTP client means: whose fault it is, of which class, in which words.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use cw_model::{Failure, FailureClass};
use hyper_util::client::legacy::Error as PoolError;
use url::Url;

use super::address::AddressRefused;
use super::connect::{ConnectError, Dialling, is_local};
use super::decode::printable;
use super::exchange::ExchangeMeter;
use super::meter::{HEADERS_BYTES_MAX, HEADERS_MAX, Meter, OVERHEAD_BYTES_MAX};

/// What a request that got no answer means.
pub(super) fn unanswered(error: &PoolError, url: &Url, dialling: &Dialling) -> Failure {
    let host = url.host_str().unwrap_or_default();
    let links = links(error);
    if let Some(connect) = find::<ConnectError>(&links) {
        return unconnected(connect, url, dialling);
    }
    let is_exceeded = meter(error).is_some_and(|meter| meter.is_exceeded());
    let http = find::<hyper::Error>(&links);
    if is_exceeded {
        return overhead(host);
    }
    if http.is_some_and(hyper::Error::is_parse_too_large) {
        let detail = format!(
            "the headers of {host} are more than {HEADERS_MAX} lines or {HEADERS_BYTES_MAX} bytes"
        );
        return failure(FailureClass::TooLarge, detail);
    }
    if let Some(error) = find::<io::Error>(&links).filter(|error| is_local(error)) {
        return local(&format!("this machine could not go on with {host}: {}", error.kind()));
    }
    let cause = cause(&links);
    if io_kind(&links).is_some_and(is_cut) || http.is_some_and(hyper::Error::is_incomplete_message)
    {
        let detail = format!("{host} ended the connection before it answered");
        return failure(FailureClass::Cut, detail);
    }
    // Over HTTP/2 a stream or connection that the server reset, of whatever kind.
    if find::<h2::Error>(&links).is_some() {
        let detail = format!("{host} broke off the exchange before it answered: {cause}");
        return failure(FailureClass::Cut, detail);
    }
    failure(FailureClass::Protocol, format!("what {host} sent is not HTTP: {cause}"))
}

/// Whether the server says that the request must come over HTTP/1.1.
pub(super) fn needs_http1(error: &PoolError) -> bool {
    let links = links(error);
    find::<h2::Error>(&links)
        .is_some_and(|error| error.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED))
}

/// What was counted of the connection that a request failed on.
pub(super) fn meter(error: &PoolError) -> Option<std::sync::Arc<Meter>> {
    let mut extras = hyper::http::Extensions::new();
    error.connect_info()?.get_extras(&mut extras);
    extras.get().cloned()
}

fn unconnected(error: &ConnectError, url: &Url, dialling: &Dialling) -> Failure {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    match error {
        ConnectError::Blocked(refused) => blocked(refused, host),
        ConnectError::Local { doing, source } => {
            local(&format!("this machine could not {doing} for {host}: {}", words(source)))
        }
        ConnectError::NotItsTurn { wait } => not_its_turn(host, *wait),
        ConnectError::NoPlace { .. } | ConnectError::Unasked(_) => local(&error.to_string()),
        ConnectError::Unresolved(cause) => {
            let detail = format!("the name {host} could not be resolved: {}", printable(cause));
            failure(FailureClass::Dns, detail)
        }
        ConnectError::Late => {
            let seconds = dialling.timeout.as_secs_f32();
            let detail = format!(
                "{host} port {port} took no connection within {seconds}s (fetch.connect_timeout)"
            );
            failure(FailureClass::Connect, detail)
        }
        ConnectError::Undialled(source) => {
            failure(FailureClass::Connect, format!("{host} port {port}: {}", words(source)))
        }
        ConnectError::NoRoots => no_roots(host),
        ConnectError::Proxy { place, why } => local(&format!(
            "this machine could not ask {host} through the proxy {place}: {}",
            printable(why)
        )),
        ConnectError::Untunnelled { place, why } => {
            let detail = format!("{host} port {port} behind the proxy {place}: {}", printable(why));
            failure(FailureClass::Connect, detail)
        }
        ConnectError::PrivateName { name } => {
            let detail = format!(
                "{name} is a name of a private network, which the proxy would look up; \
                 allow_private_networks = true of this feed admits it"
            );
            failure(FailureClass::AddressBlocked, detail)
        }
        ConnectError::Tls(source) => {
            let links = links(source);
            if let Some(tls) = find::<rustls::Error>(&links) {
                return failure(FailureClass::Tls, tls_detail(tls, host));
            }
            if is_local(source) {
                return local(&format!(
                    "this machine could not go on with {host}: {}",
                    words(source)
                ));
            }
            let detail = if is_cut(source.kind()) {
                format!("{host} ended the connection before TLS was set up")
            } else {
                format!("no TLS session with {host}: {}", cause(&links))
            };
            failure(FailureClass::Tls, detail)
        }
    }
}

/// A URL that cannot be put into a request.
pub(super) fn unaskable(error: &reqwest::Error, url: &Url) -> Failure {
    let host = url.host_str().unwrap_or_default();
    let cause = cause(&links(error));
    failure(FailureClass::Protocol, format!("the URL at {host} cannot be asked for: {cause}"))
}

/// More came than any feed's headers take.
pub(super) fn overhead(host: &str) -> Failure {
    let detail = format!(
        "{host} sent more headers, informational answers, trailers or framing than the \
         {OVERHEAD_BYTES_MAX} bytes that one exchange may have"
    );
    failure(FailureClass::TooLarge, detail)
}

/// Our own machine could not.
fn local(detail: &str) -> Failure {
    failure(FailureClass::Local, detail.to_owned())
}

/// Others that share its server have their turns first. The only trouble of ours that says when it is over.
pub(super) fn not_its_turn(host: &str, wait: Duration) -> Failure {
    let detail = format!("{host} shares its server with other hosts, and it is not its turn");
    Failure { retry_after: Some(wait), ..failure(FailureClass::NotItsTurn, detail) }
}

/// What an error while reading a body means: after `read` bytes of as many as were `declared`.
pub(super) fn body_cut(
    error: &reqwest::Error,
    exchange: &ExchangeMeter,
    host: &str,
    read: usize,
    declared: Option<u64>,
) -> Failure {
    let links = links(error);
    if exchange.is_exceeded() {
        return overhead(host);
    }
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
    last.downcast_ref::<io::Error>().map_or_else(|| printable(&last.to_string()), words)
}

/// An I/O error in words: "connection refused" rather than "Connection refused (os error 111)".
/// What has no words of its own is told in the system's.
fn words(error: &io::Error) -> String {
    let text = printable(&error.to_string());
    // Of an error of the system that no kind is for, the kind (`Uncategorized`) cannot be named outside the
    // standard library; only its text says that it is that.
    match (error.kind().to_string(), text.split_once(" (os error")) {
        (kind, Some((own, _))) if kind == "uncategorized error" => own.to_owned(),
        (kind, Some(_)) => kind,
        (_, None) => text,
    }
}

fn is_cut(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
    };
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

/// `https` on a machine without certificate authorities.
pub(super) fn no_roots(host: &str) -> Failure {
    let detail = format!(
        "the certificate of {host} cannot be checked: no certificate authorities were found; \
         install the package \"ca-certificates\", or let SSL_CERT_FILE name a PEM file that holds \
         some, and restart"
    );
    failure(FailureClass::Tls, detail)
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

/// Where it leads may not be dialled.
pub(super) fn blocked(err: &AddressRefused, host: &str) -> Failure {
    failure(FailureClass::AddressBlocked, format!("{host} was not dialled: {err}"))
}

fn failure(class: FailureClass, detail: String) -> Failure {
    Failure { class, detail, retry_after: None }
}
