//! Makes connections: a place, a name look-up, the judgement of `address`, a dial, TLS.
//!
//! Here and nowhere else is anything dialled, so nothing is dialled that was not judged. What went
//! wrong is told by kind, so that our own machine's troubles are not taken for the publisher's.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustix::io::Errno;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::PrivateNetworks;
use super::address::{AddressRefused, is_public, may_dial};
use super::connections::{Connections, Slot};
use super::meter::Meter;
use super::proxy::{Proxies, Proxy, ProxyKind, is_private_name};
use super::resolver::LookUpError;
use super::turns::{Shared, Turn};
use super::wire::Wire;

/// How long one address may keep the next from being tried too (RFC 8305, 5).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// The most addresses of a name that are tried: the large sites give eight.
const ADDRESSES_MAX: usize = 8;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// Where it would lead may not be dialled.
    #[error(transparent)]
    Blocked(AddressRefused),
    /// Our own machine has no file, memory, port or right for it.
    #[error("this machine could not {doing}: {source}")]
    Local {
        /// "open a connection".
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// All of our connections are in use.
    #[error("all {most} connections that this machine's limit of open files allows are in use")]
    NoPlace {
        /// How many there may be.
        most: usize,
    },
    /// Our own machine could not look up the name.
    #[error(transparent)]
    Unasked(LookUpError),
    /// Other names of its address have their turns first.
    #[error("not its turn")]
    NotItsTurn {
        /// How long that takes.
        wait: Duration,
    },
    /// The name has no address, or the resolver did not say.
    #[error("{0}")]
    Unresolved(String),
    /// It took too long.
    #[error("no connection in time")]
    Late,
    /// Nobody took the connection.
    #[error(transparent)]
    Undialled(io::Error),
    /// The certificate cannot be checked: this machine has no authorities.
    #[error("no certificate authorities")]
    NoRoots,
    /// No TLS session was made.
    #[error(transparent)]
    Tls(io::Error),
    /// The proxy, which is ours, is not there or does not do what it is for.
    #[error("the proxy {place}: {why}")]
    Proxy {
        /// Its host and port.
        place: String,
        /// In words.
        why: String,
    },
    /// The proxy opened no tunnel to the host.
    #[error("the proxy {place}: {why}")]
    Untunnelled {
        /// Its host and port.
        place: String,
        /// In words.
        why: String,
    },
    /// Only a private network knows the name, and the proxy would look it up.
    #[error("\"{name}\" is a name of a private network, and the proxy would look it up")]
    PrivateName {
        /// The host of the URL.
        name: String,
    },
}

/// What HTTP a connection may speak, where its server has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    /// HTTP/2, or what the server prefers.
    Best,
    /// For servers that answer an HTTP/2 request by saying that this is needed (RFC 9113, 7: `HTTP_1_1_REQUIRED`).
    Http1,
}

/// TLS, by what is to be spoken in it.
#[derive(Debug)]
pub(super) struct Tls {
    best: Arc<rustls::ClientConfig>,
    http1: Arc<rustls::ClientConfig>,
}

impl Tls {
    pub(super) fn new(config: &rustls::ClientConfig) -> Self {
        let offering = |protocols: &[&[u8]]| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            Arc::new(config)
        };
        Self { best: offering(&[b"h2", b"http/1.1"]), http1: offering(&[b"http/1.1"]) }
    }

    fn of(&self, versions: Versions) -> Arc<rustls::ClientConfig> {
        Arc::clone(match versions {
            Versions::Best => &self.best,
            Versions::Http1 => &self.http1,
        })
    }
}

/// What every connection needs.
#[derive(Debug)]
pub(super) struct Dialling {
    /// Host names answered from here: `fetch.resolve`.
    pub given: BTreeMap<String, IpAddr>,
    /// For a place, name look-up, dial and TLS together.
    pub timeout: Duration,
    /// Between requests to one host.
    pub host_gap: Duration,
    /// `None` on a machine without certificate authorities.
    pub tls: Option<Arc<Tls>>,
    /// How many there may be.
    pub connections: Connections,
    /// What requests go through.
    pub proxies: Proxies,
}

/// What holds for the connections of one pool.
#[derive(Debug)]
pub(super) struct Terms {
    /// What is dialled beside the public internet.
    pub allowed: PrivateNetworks,
    /// Through what.
    pub proxy: Option<Arc<Proxy>>,
    /// What is spoken.
    pub versions: Versions,
    /// Who is trusted; `None`: nobody, there is no `https`.
    pub tls: Option<Arc<Tls>>,
}

/// Connects to hosts, on its terms.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    dialling: Arc<Dialling>,
    terms: Arc<Terms>,
}

impl Connector {
    pub(super) fn new(dialling: Arc<Dialling>, terms: Terms) -> Self {
        Self { dialling, terms: Arc::new(terms) }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { dialling, terms } = self.clone();
        let connect = async move { dialling.connect(&uri, &terms).await };
        Box::pin(async move { connect.await.map(TokioIo::new) })
    }
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
struct Target<'a> {
    scheme: Scheme,
    /// A name or an address, without brackets.
    host: &'a str,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl<'a> Target<'a> {
    fn of(uri: &'a Uri) -> Self {
        let (scheme, usual_port) = match uri.scheme_str() {
            Some("https") => (Scheme::Https, 443),
            _ => (Scheme::Http, 80),
        };
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Self { scheme, host, port: uri.port_u16().unwrap_or(usual_port) }
    }
}

impl Dialling {
    async fn connect(&self, uri: &Uri, terms: &Terms) -> Result<Stream, ConnectError> {
        let most = self.connections.most();
        let place = timeout(self.timeout, self.connections.place());
        let slot = place.await.map_err(|_late| ConnectError::NoPlace { most })?;
        let late = |_late| ConnectError::Late;
        let connect = self.connect_in(slot, uri, terms);
        timeout(self.timeout, connect).await.map_err(late)?
    }

    async fn connect_in(
        &self,
        slot: Slot,
        uri: &Uri,
        Terms { allowed, proxy, versions, tls }: &Terms,
    ) -> Result<Stream, ConnectError> {
        let proxy = proxy.as_deref();
        let target = Target::of(uri);
        let host = target.host;
        let (stream, peer) = match proxy {
            Some(proxy) => (self.dial_through(proxy, target, allowed).await?, None),
            None => self.dial_host(target, allowed).await?,
        };
        let meter = Meter::new(peer);
        self.connections.know(&meter);
        let wire = Wire::new(stream, meter, slot);
        if target.scheme == Scheme::Http {
            let is_forwarded = proxy.is_some_and(|proxy| proxy.kind == ProxyKind::Http);
            return Ok(if is_forwarded { Stream::Forwarded(wire) } else { Stream::Plain(wire) });
        }
        let Some(tls) = tls else { return Err(ConnectError::NoRoots) };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| ConnectError::Tls(io::Error::other(error)))?;
        let session = TlsConnector::from(tls.of(*versions)).connect(name, wire).await;
        Ok(Stream::Tls(Box::new(session.map_err(ConnectError::Tls)?)))
    }

    /// Dials a host where it is, once it is its turn.
    async fn dial_host(
        &self,
        target: Target<'_>,
        allowed: &PrivateNetworks,
    ) -> Result<(TcpStream, Option<SocketAddr>), ConnectError> {
        let Target { host, port, .. } = target;
        let addresses = self.addresses(host, allowed).await?;
        if let Some(first) = addresses.first() {
            let address = Shared::Address(*first);
            match self.connections.turns().take(address, host, self.host_gap) {
                Turn::In(wait) => sleep(wait).await,
                Turn::Later(wait) => return Err(ConnectError::NotItsTurn { wait }),
            }
        }
        let addresses: Vec<_> = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        let stream = dial(&addresses).await?;
        // A request is one packet: nothing is gained by waiting for more.
        stream.set_nodelay(true).map_err(ConnectError::Undialled)?;
        let peer = stream.peer_addr().map_err(ConnectError::Undialled)?;
        may_dial(peer.ip(), allowed).map_err(ConnectError::Blocked)?;
        Ok((stream, Some(peer)))
    }

    /// Dials a proxy, and has it open a tunnel to a host, unless it forwards requests as they are.
    async fn dial_through(
        &self,
        proxy: &Proxy,
        target: Target<'_>,
        allowed: &PrivateNetworks,
    ) -> Result<TcpStream, ConnectError> {
        let host = self.behind(proxy, target.host, allowed).await?;
        let of_proxy = |why: String| ConnectError::Proxy { place: proxy.place(), why };
        // Wherever it is: the operator chose it.
        let found = self.addresses(&proxy.host, &PrivateNetworks::Allowed).await;
        let found = found.map_err(|error| of_proxy(error.to_string()))?;
        let addresses: Vec<_> =
            found.into_iter().map(|address| SocketAddr::new(address, proxy.port)).collect();
        let dialled = dial(&addresses).await;
        let mut stream = dialled.map_err(|error| of_proxy(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| of_proxy(error.to_string()))?;
        if proxy.kind == ProxyKind::Http && target.scheme == Scheme::Http {
            return Ok(stream);
        }
        match proxy.open(&mut stream, &host, target.port).await {
            Ok(()) => Ok(stream),
            Err(error) if error.is_of_host() => {
                Err(ConnectError::Untunnelled { place: proxy.place(), why: error.to_string() })
            }
            Err(error) => Err(of_proxy(error.to_string())),
        }
    }

    /// What a proxy is told of a host, if all that can be seen from here lets it be asked: an address where
    /// one is known, else its name.
    async fn behind(
        &self,
        proxy: &Proxy,
        host: &str,
        allowed: &PrivateNetworks,
    ) -> Result<String, ConnectError> {
        let is_known = host.parse::<IpAddr>().is_ok() || self.given.contains_key(&plain_host(host));
        if is_known || !proxy.looks_up() {
            let addresses = self.addresses(host, allowed).await?;
            return Ok(addresses.first().map_or_else(|| host.to_owned(), ToString::to_string));
        }
        if is_private_name(host) && *allowed != PrivateNetworks::Allowed {
            return Err(ConnectError::PrivateName { name: host.to_owned() });
        }
        Ok(host.to_owned())
    }

    /// Where a host is, as far as it may be dialled.
    async fn addresses(
        &self,
        host: &str,
        allowed: &PrivateNetworks,
    ) -> Result<Vec<IpAddr>, ConnectError> {
        let given = host.parse().ok().or_else(|| self.given.get(&plain_host(host)).copied());
        let found = match given {
            Some(address) => vec![address],
            None => self.connections.resolver().look_up(host).await.map_err(unresolved)?,
        };
        admitted(&found, allowed)
    }
}

/// Of a name's addresses those that may be dialled. A name with a public address is a public site:
/// it is dialled there and only there, whatever else its owner writes into the answer.
fn admitted(found: &[IpAddr], allowed: &PrivateNetworks) -> Result<Vec<IpAddr>, ConnectError> {
    let public: Vec<IpAddr> = found.iter().copied().filter(|ip| is_public(*ip)).collect();
    if !public.is_empty() {
        return Ok(public);
    }
    let mut refused = None;
    let mut admitted = Vec::new();
    for address in found {
        match may_dial(*address, allowed) {
            Ok(()) => admitted.push(*address),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused.filter(|_| admitted.is_empty()) {
        Some(error) => Err(ConnectError::Blocked(error)),
        None if admitted.is_empty() => {
            Err(ConnectError::Unresolved("the resolver answered with none".to_owned()))
        }
        None => Ok(admitted),
    }
}

fn unresolved(error: LookUpError) -> ConnectError {
    let doing = "look up a name";
    match error {
        LookUpError::Late { .. } => ConnectError::Unresolved(error.to_string()),
        LookUpError::Full { .. } => ConnectError::Unasked(error),
        LookUpError::System(source) if is_local(&source) => ConnectError::Local { doing, source },
        // The C library says "no such name" also where it could not open its files or a socket.
        LookUpError::System(error) => match no_file_left() {
            Some(source) => ConnectError::Local { doing, source },
            None => ConnectError::Unresolved(error.to_string()),
        },
    }
}

/// What the system says if no file can be opened now.
pub(super) fn no_file_left() -> Option<io::Error> {
    std::fs::File::open("/").err().filter(is_local)
}

/// Whether an error is about our own machine: no files, memory or ports left, the network switched
/// off, or a rule of this host (a firewall, a sandbox) against it. No route to somebody is not: that
/// may be theirs, or anybody's between us.
pub(super) fn is_local(error: &io::Error) -> bool {
    let ours = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::NOBUFS,
        Errno::ADDRNOTAVAIL,
        Errno::NETDOWN,
        Errno::PERM,
        Errno::ACCESS,
    ];
    Errno::from_io_error(error).is_some_and(|errno| ours.contains(&errno))
}

/// Dials the addresses, each when the one before has failed or kept us waiting for a moment; the
/// first that answers is taken.
async fn dial(addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
    let mut next = in_turn(addresses).into_iter().take(ADDRESSES_MAX).peekable();
    let mut dials = FuturesUnordered::new();
    let mut failure = None;
    loop {
        match next.next() {
            Some(address) => dials.push(dial_one(address)),
            None if dials.is_empty() => break,
            None => {}
        }
        tokio::select! {
            Some(dialled) = dials.next() => match dialled {
                Ok(stream) => return Ok(stream),
                // What is wrong with our own machine is what to look at.
                Err(error @ ConnectError::Local { .. }) => failure = Some(error),
                Err(error) => failure = failure.or(Some(error)),
            },
            () = sleep(NEXT_ADDRESS_AFTER), if next.peek().is_some() => {}
        }
    }
    let none = || ConnectError::Unresolved("the resolver answered with none".to_owned());
    Err(failure.unwrap_or_else(none))
}

async fn dial_one(address: SocketAddr) -> Result<TcpStream, ConnectError> {
    TcpStream::connect(address).await.map_err(|source| {
        // A machine without IPv6 has no address to reach one from, which is no trouble of its own.
        let lacks_ipv6 = address.is_ipv6() && source.kind() == io::ErrorKind::AddrNotAvailable;
        if is_local(&source) && !lacks_ipv6 {
            ConnectError::Local { doing: "open a connection", source }
        } else {
            ConnectError::Undialled(source)
        }
    })
}

/// The addresses with IPv6 and IPv4 by turns, beginning with the resolver's choice: where one of
/// them does not work at all, the other is not far down the list.
fn in_turn(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_first = |address: &&SocketAddr| {
        addresses.first().is_some_and(|first| first.is_ipv6() == address.is_ipv6())
    };
    let mut others = addresses.iter().filter(|address| !is_first(address));
    let mut turns = Vec::new();
    for address in addresses.iter().filter(is_first) {
        turns.push(*address);
        turns.extend(others.next());
    }
    turns.extend(others);
    turns
}

/// A host name as it is looked up in `fetch.resolve`: lower-case, without the root's dot.
pub(super) fn plain_host(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// A connection, with TLS or without.
#[derive(Debug)]
pub(super) enum Stream {
    /// `http`.
    Plain(Wire),
    /// `http`, to a proxy that forwards what it is sent.
    Forwarded(Wire),
    /// `https`.
    Tls(Box<TlsStream<Wire>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Plain(wire) => Connected::new().extra(Arc::clone(wire.meter())),
            // It is sent whole URLs.
            Self::Forwarded(wire) => Connected::new().proxy(true).extra(Arc::clone(wire.meter())),
            Self::Tls(stream) => {
                let (wire, session) = stream.get_ref();
                let connected = Connected::new().extra(Arc::clone(wire.meter()));
                if session.alpn_protocol() == Some(b"h2") {
                    connected.negotiated_h2()
                } else {
                    connected
                }
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(wire) | Self::Forwarded(wire) => Pin::new(wire).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(wire) | Self::Forwarded(wire) => Pin::new(wire).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(wire) | Self::Forwarded(wire) => Pin::new(wire).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(wire) | Self::Forwarded(wire) => Pin::new(wire).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
