//! Proxies: which one a request goes through, and how a tunnel through one is opened.
//!
//! A proxy is chosen by the operator, so it is dialled wherever it is. What lies behind it this program
//! cannot see: where the proxy looks names up (`http`, `socks5h`), it is the proxy that keeps requests out of
//! private networks. What can be seen is judged as without a proxy: addresses in URLs, hosts that
//! `fetch.resolve` gives, names that are private by themselves, and with `socks5` every address.
//!
//! Sources: RFC 9110, 9.3.6 (CONNECT), RFC 1928 and 1929 (SOCKS 5); which variables there are, and what they
//! mean, is curl's custom.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cw_model::FeedProxy;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use url::{Host, Url};

/// The most bytes of a proxy's answer to CONNECT: a status and a few headers, or a page that says why not.
const CONNECT_ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Endings of names that no public resolver knows, RFC 6761, 6762, 8375, and ICANN's for private use.
const PRIVATE_ENDINGS: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "lan"];

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP: CONNECT for `https`, the whole URL for `http`. The proxy looks names up.
    Http,
    /// SOCKS 5 with addresses: names are looked up here.
    Socks5,
    /// SOCKS 5 with names: the proxy looks them up.
    Socks5Remote,
}

/// User and password for a proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyLogin {
    /// 1 to 255 bytes.
    pub user: String,
    /// At most 255 bytes.
    pub password: String,
}

impl fmt::Debug for ProxyLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyLogin(…)")
    }
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// How it is spoken to.
    pub kind: ProxyKind,
    /// A name or an address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What it asks for, if it does.
    pub login: Option<ProxyLogin>,
}

/// Text that names no proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "names no proxy; use http://host:port, socks5://host:port, or socks5h://host:port, where the proxy \
     looks names up; user and password go into the file of fetch.proxy_logins"
)]
pub struct NotAProxy;

impl Proxy {
    /// Reads the URL of a proxy, which holds no user and no password.
    ///
    /// # Errors
    /// [`NotAProxy`].
    pub fn read(text: &str) -> Result<Self, NotAProxy> {
        let (proxy, login) = Self::read_with_login(text)?;
        if login.is_some() { Err(NotAProxy) } else { Ok(proxy) }
    }

    /// The same, and what stands before the host: variables of the environment carry it there.
    fn read_with_login(text: &str) -> Result<(Self, Option<ProxyLogin>), NotAProxy> {
        let url = Url::parse(text).map_err(|_not_a_url| NotAProxy)?;
        let (kind, usual_port) = match url.scheme() {
            "http" => (ProxyKind::Http, 80),
            "socks5" => (ProxyKind::Socks5, 1080),
            "socks5h" => (ProxyKind::Socks5Remote, 1080),
            _ => return Err(NotAProxy),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(NotAProxy)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(NotAProxy);
        }
        let login = (!url.username().is_empty()).then(|| ProxyLogin {
            user: decoded(url.username()),
            password: decoded(url.password().unwrap_or_default()),
        });
        let port = url.port().unwrap_or(usual_port);
        Ok((Self { kind, host, port, login: None }, login))
    }

    /// Host and port, as logins and errors name it.
    pub fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// `Proxy-Authorization`, if it asks for a login.
    pub(super) fn authorization(&self) -> Option<String> {
        let login = self.login.as_ref()?;
        let both = format!("{}:{}", login.user, login.password);
        Some(format!("Basic {}", STANDARD.encode(both)))
    }

    /// Whether it looks up the names of hosts.
    pub(super) fn looks_up(&self) -> bool {
        match self.kind {
            ProxyKind::Http | ProxyKind::Socks5Remote => true,
            ProxyKind::Socks5 => false,
        }
    }

    /// Opens a tunnel to a host through a connection to the proxy.
    ///
    /// # Errors
    /// [`TunnelError`].
    ///
    /// Cancel safety: dropping it leaves the connection half-way; close it.
    pub(super) async fn open<S>(
        &self,
        stream: &mut S,
        host: &str,
        port: u16,
    ) -> Result<(), TunnelError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self.kind {
            ProxyKind::Http => self.connect(stream, host, port).await,
            ProxyKind::Socks5 | ProxyKind::Socks5Remote => self.socks(stream, host, port).await,
        }
    }

    async fn connect<S>(&self, stream: &mut S, host: &str, port: u16) -> Result<(), TunnelError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let authority = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        let login = self.authorization().map(|value| format!("Proxy-Authorization: {value}\r\n"));
        let login = login.unwrap_or_default();
        let question = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{login}\r\n");
        stream.write_all(question.as_bytes()).await?;
        // Byte by byte: what follows the empty line belongs to the host.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() == CONNECT_ANSWER_BYTES_MAX {
                return Err(TunnelError::Protocol("its answer does not end"));
            }
            answer.push(stream.read_u8().await?);
        }
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
        match status {
            Some(200..=299) => Ok(()),
            Some(407) => Err(TunnelError::Login),
            Some(status) => Err(TunnelError::Status(status)),
            None => Err(TunnelError::Protocol("it does not speak HTTP")),
        }
    }

    async fn socks<S>(&self, stream: &mut S, host: &str, port: u16) -> Result<(), TunnelError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        const VERSION: u8 = 5;
        const NO_LOGIN: u8 = 0;
        const LOGIN: u8 = 2;
        let offers: &[u8] = match &self.login {
            Some(_) => &[VERSION, 2, NO_LOGIN, LOGIN],
            None => &[VERSION, 1, NO_LOGIN],
        };
        stream.write_all(offers).await?;
        let mut chosen = [0; 2];
        stream.read_exact(&mut chosen).await?;
        match (chosen, &self.login) {
            ([VERSION, NO_LOGIN], _) => {}
            ([VERSION, LOGIN], Some(login)) => {
                let mut message = vec![1];
                for part in [&login.user, &login.password] {
                    message.push(u8::try_from(part.len()).map_err(|_long| TunnelError::Login)?);
                    message.extend(part.as_bytes());
                }
                stream.write_all(&message).await?;
                let mut answer = [0; 2];
                stream.read_exact(&mut answer).await?;
                if answer != [1, 0] {
                    return Err(TunnelError::Login);
                }
            }
            ([VERSION, _], _) => return Err(TunnelError::Login),
            _ => return Err(TunnelError::Protocol("it does not speak SOCKS 5")),
        }
        let mut request = vec![VERSION, 1, 0];
        match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(v4)) => {
                request.push(1);
                request.extend(v4.octets());
            }
            Ok(IpAddr::V6(v6)) => {
                request.push(4);
                request.extend(v6.octets());
            }
            Err(_a_name) => {
                let too_long = |_long| TunnelError::Protocol("it takes no name that is so long");
                request.extend([3, u8::try_from(host.len()).map_err(too_long)?]);
                request.extend(host.as_bytes());
            }
        }
        request.extend(port.to_be_bytes());
        stream.write_all(&request).await?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await?;
        let [VERSION, reply, _, kind] = answer else {
            return Err(TunnelError::Protocol("it does not speak SOCKS 5"));
        };
        if reply != 0 {
            return Err(TunnelError::Reply(reply));
        }
        // From where it connected, which nobody needs.
        let length = match kind {
            1 => 4,
            4 => 16,
            3 => usize::from(stream.read_u8().await?),
            _ => return Err(TunnelError::Protocol("it does not speak SOCKS 5")),
        };
        stream.read_exact(&mut vec![0; length + 2]).await?;
        Ok(())
    }
}

/// Text of a URL's user or password with its percents undone.
fn decoded(text: &str) -> String {
    let bytes: Vec<u8> = url::form_urlencoded::parse(
        format!("x={}", text.replace('+', "%2B").replace('&', "%26")).as_bytes(),
    )
    .next()
    .map(|(_, value)| value.into_owned().into_bytes())
    .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Why a proxy opened no tunnel.
#[derive(Debug, thiserror::Error)]
pub(super) enum TunnelError {
    /// The connection to it failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// What it says is not understood.
    #[error("{0}")]
    Protocol(&'static str),
    /// It wants another user or password, or one at all.
    #[error("it wants a user and password (fetch.proxy_logins), or others than it was given")]
    Login,
    /// It refused, as HTTP says it.
    #[error("it answered {0}")]
    Status(u16),
    /// It refused, as SOCKS says it.
    #[error("it answered: {}", reply_text(*.0))]
    Reply(u8),
}

impl TunnelError {
    /// Whether it is about the host behind the proxy, and not about the proxy.
    pub(super) fn is_of_host(&self) -> bool {
        match self {
            // The gateway's words for a host that does not answer, is not there or takes too long.
            Self::Status(status) => matches!(status, 404 | 502..=504),
            // Network or host unreachable, refused, too late; and "general failure", which most say for
            // all of these.
            Self::Reply(reply) => matches!(reply, 1 | 3..=6),
            Self::Io(_) | Self::Protocol(_) | Self::Login => false,
        }
    }
}

/// RFC 1928, 6.
fn reply_text(reply: u8) -> &'static str {
    match reply {
        1 => "general failure",
        2 => "its rules do not allow that",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached",
        5 => "the host refused the connection",
        6 => "the host did not answer in time",
        7 => "it opens no connections",
        8 => "it does not take that kind of address",
        _ => "an unknown failure",
    }
}

/// The proxies of a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proxies {
    /// `fetch.proxy`.
    pub shared: SharedProxy,
    /// By host and port, as [`Proxy::place`] writes them.
    pub logins: BTreeMap<String, ProxyLogin>,
}

/// What requests go through whose feed does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SharedProxy {
    /// Nothing.
    #[default]
    Direct,
    /// This one.
    One(Proxy),
    /// Those of the environment.
    Environment(ProxyVariables),
}

/// The proxies that variables of the environment name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProxyVariables {
    /// For `http`.
    pub http: Option<Proxy>,
    /// For `https`.
    pub https: Option<Proxy>,
    /// Which hosts are asked without.
    pub without: Vec<String>,
}

impl ProxyVariables {
    /// Reads them by their names in lower case; `get` looks both cases up.
    ///
    /// # Errors
    /// The name of the variable that names no proxy.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, &'static str> {
        let proxy = |name: &'static str| -> Result<Option<Proxy>, &'static str> {
            let Some(text) = get(name) else { return Ok(None) };
            // curl takes a host and port alone for HTTP.
            let whole = if text.contains("://") { text } else { format!("http://{text}") };
            let (proxy, login) = Proxy::read_with_login(&whole).map_err(|_no| name)?;
            Ok(Some(Proxy { login, ..proxy }))
        };
        let all = proxy("all_proxy")?;
        let without = get("no_proxy").unwrap_or_default();
        let without = without.split([',', ' ']).map(str::trim).filter(|one| !one.is_empty());
        Ok(Self {
            http: proxy("http_proxy")?.or_else(|| all.clone()),
            https: proxy("https_proxy")?.or(all),
            without: without.map(str::to_ascii_lowercase).collect(),
        })
    }

    fn of(&self, url: &Url) -> Option<Proxy> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        proxy.clone().filter(|_| !self.without.iter().any(|one| is_named(one, url)))
    }
}

/// Whether an entry of `no_proxy` names the host of a URL: itself, what it is under, an address or a range.
fn is_named(entry: &str, url: &Url) -> bool {
    if entry == "*" {
        return true;
    }
    let address = match url.host() {
        Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
        Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
        Some(Host::Domain(_)) | None => None,
    };
    if let Some(address) = address {
        let range = entry.parse::<IpNet>().is_ok_and(|range| range.contains(&address));
        return range || entry.parse::<IpAddr>().is_ok_and(|one| one == address);
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let entry = entry.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
    host == entry || host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.'))
}

impl Proxies {
    /// What a request for a URL of a feed goes through.
    pub(super) fn of(&self, of_feed: &FeedProxy, url: &Url) -> Option<Arc<Proxy>> {
        let proxy = match (of_feed, &self.shared) {
            (FeedProxy::Direct, _) | (FeedProxy::AsConfigured, SharedProxy::Direct) => None,
            // It has been read before, by `config`.
            (FeedProxy::Through(url), _) => Proxy::read(url.as_str()).ok(),
            (FeedProxy::AsConfigured, SharedProxy::One(proxy)) => Some(proxy.clone()),
            (FeedProxy::AsConfigured, SharedProxy::Environment(variables)) => variables.of(url),
        }?;
        let login = proxy.login.clone().or_else(|| self.logins.get(&proxy.place()).cloned());
        Some(Arc::new(Proxy { login, ..proxy }))
    }
}

/// Whether a name is one that only a private network knows: a proxy would look it up there.
pub(super) fn is_private_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let ends = |ending: &&str| {
        host.strip_suffix(*ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !host.contains('.') || PRIVATE_ENDINGS.iter().any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_by_kind_host_and_port() {
        for (text, kind, place) in [
            ("http://proxy.example:3128", ProxyKind::Http, "proxy.example:3128"),
            ("http://proxy.example/", ProxyKind::Http, "proxy.example:80"),
            ("socks5://127.0.0.1", ProxyKind::Socks5, "127.0.0.1:1080"),
            ("socks5h://[::1]:9050", ProxyKind::Socks5Remote, "[::1]:9050"),
        ] {
            let proxy = Proxy::read(text).unwrap();
            assert_eq!((proxy.kind, proxy.place().as_str()), (kind, place), "{text}");
        }
        for text in [
            "",
            "proxy.example:3128",
            "https://proxy.example:3128",
            "http://ada:secret@proxy.example",
            "http://proxy.example/path",
            "socks4://proxy.example",
        ] {
            assert_eq!(Proxy::read(text), Err(NotAProxy), "{text}");
        }
    }

    fn variables(set: &[(&str, &str)]) -> ProxyVariables {
        let get = |name: &str| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        ProxyVariables::read(get).unwrap()
    }

    #[test]
    fn variables_mean_what_they_mean_to_curl() {
        let named = variables(&[
            ("http_proxy", "plain.example:3128"),
            ("all_proxy", "socks5h://ada:s%40crt@tor.example:9050"),
            ("no_proxy", "intra.example, .dot.example,10.0.0.0/8,192.0.2.1"),
        ]);
        let place = |url: &str| named.of(&Url::parse(url).unwrap()).map(|proxy| proxy.place());
        assert_eq!(place("http://news.example/").as_deref(), Some("plain.example:3128"));
        assert_eq!(place("https://news.example/").as_deref(), Some("tor.example:9050"));
        for url in [
            "http://intra.example/",
            "https://a.intra.example/",
            "http://x.dot.example/",
            "http://10.1.2.3/",
            "http://192.0.2.1/",
        ] {
            assert_eq!(place(url), None, "{url}");
        }
        assert!(place("http://notintra.example/").is_some());
        let login = named.https.unwrap().login.unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("ada", "s@crt"));
        assert!(!format!("{login:?}").contains("s@crt"));
        assert_eq!(ProxyVariables::read(|_| Some("ftp://x".to_owned())), Err("all_proxy"));
    }

    #[test]
    fn a_feed_says_more_than_the_configuration() {
        let url = Url::parse("https://news.example/").unwrap();
        let shared = Proxy::read("http://shared.example:1").unwrap();
        let login = ProxyLogin { user: "ada".to_owned(), password: "x".to_owned() };
        let logins = BTreeMap::from([("own.example:2".to_owned(), login.clone())]);
        let proxies = Proxies { shared: SharedProxy::One(shared), logins };
        let place = |of: &FeedProxy| proxies.of(of, &url).map(|proxy| proxy.place());
        assert_eq!(place(&FeedProxy::AsConfigured).as_deref(), Some("shared.example:1"));
        assert_eq!(place(&FeedProxy::Direct), None);
        let own = FeedProxy::Through(Url::parse("socks5h://own.example:2").unwrap());
        assert_eq!(proxies.of(&own, &url).unwrap().login, Some(login));
    }

    #[test]
    fn names_that_only_a_private_network_knows_are_told() {
        for host in ["localhost", "a.localhost.", "printer.local", "db.internal", "wiki", "nas.lan"]
        {
            assert!(is_private_name(host), "{host}");
        }
        for host in ["news.example", "local.example", "internal.example", "xn--e1afmkfd.xn--p1ai"] {
            assert!(!is_private_name(host), "{host}");
        }
    }

    /// What a proxy that answers so makes of a request for a tunnel, and what it was sent.
    async fn open(proxy: &Proxy, answers: &[u8]) -> (Result<(), String>, Vec<u8>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(answers).await.unwrap();
        let opened = proxy.open(&mut ours, "news.example", 443).await;
        drop(ours);
        let mut sent = Vec::new();
        theirs.read_to_end(&mut sent).await.unwrap();
        (opened.map_err(|error| error.to_string()), sent)
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_by_name_and_a_refusal_is_told() {
        let login = ProxyLogin { user: "ada".to_owned(), password: "x".to_owned() };
        let http =
            Proxy { login: Some(login.clone()), ..Proxy::read("http://p.example:1").unwrap() };
        let (opened, sent) = open(&http, b"HTTP/1.1 200 Connection established\r\n\r\n").await;
        assert_eq!(opened, Ok(()));
        assert_eq!(
            String::from_utf8(sent).unwrap(),
            "CONNECT news.example:443 HTTP/1.1\r\nHost: news.example:443\r\n\
             Proxy-Authorization: Basic YWRhOng=\r\n\r\n"
        );
        let (refused, _) = open(&http, b"HTTP/1.0 407 No\r\n\r\n").await;
        assert!(refused.unwrap_err().contains("wants a user and password"));
        let (refused, _) = open(&http, b"HTTP/1.1 502 Bad\r\nX: y\r\n\r\n").await;
        assert_eq!(refused, Err("it answered 502".to_owned()));
        assert!(open(&http, b"SSH-2.0\r\n\r\n").await.0.is_err());

        let socks = Proxy { login: Some(login), ..Proxy::read("socks5h://p.example").unwrap() };
        let (opened, sent) = open(&socks, &[5, 2, 1, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 80]).await;
        assert_eq!(opened, Ok(()));
        let expected =
            [b"\x05\x02\x00\x02\x01\x03ada\x01x\x05\x01\x00\x03\x0cnews.example\x01\xbb"
                .as_slice()];
        assert_eq!(sent, expected.concat());
        let (refused, _) = open(&socks, &[5, 0, 5, 4, 0, 1]).await;
        assert_eq!(refused, Err("it answered: the host cannot be reached".to_owned()));
        assert!(open(&socks, &[5, 0xff]).await.0.is_err());
        assert!(open(&socks, &[4, 0]).await.0.is_err());
    }

    #[tokio::test]
    async fn an_answer_without_end_is_given_up() {
        let http = Proxy::read("http://p.example:1").unwrap();
        let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
        theirs.write_all(&vec![b'x'; CONNECT_ANSWER_BYTES_MAX + 1]).await.unwrap();
        let error = http.open(&mut ours, "news.example", 443).await.unwrap_err();
        assert!(error.to_string().contains("does not end"), "{error}");
    }
}
