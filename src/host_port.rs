//! A host and a port, as people and other programs write them: `news-1.example:9273`, `[fd00::7]:9273`.

use core::net::Ipv6Addr;
use std::fmt;

use url::Host;

/// The longest that is read: a name of DNS (253 bytes), a dot at its end, and a port.
const BYTES_MAX: usize = 260;

/// A host and a port, and nothing else: no scheme, no login, no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    /// A name in lower case, or an address.
    pub(crate) host: Host,
    /// Not 0.
    pub(crate) port: u16,
}

impl HostPort {
    /// Reads `host:port`; an IPv6 address stands in brackets. `None` if it is something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = split(text)?;
        Some(Self { host: Host::parse(host).ok()?, port })
    }

    /// The same, and takes an IPv6 address without brackets too, as the downward API of Kubernetes gives that of a
    /// pod: the port is what stands after the last colon.
    pub(crate) fn parse_leniently(text: &str) -> Option<Self> {
        let (host, port) = split(text)?;
        match host.parse::<Ipv6Addr>() {
            Ok(address) => Some(Self { host: Host::Ipv6(address), port }),
            Err(_no_address) => Self::parse(text),
        }
    }

    /// Whether it is an address at which one listens and nobody is reached: `0.0.0.0`, `[::]`.
    pub(crate) fn is_unspecified(&self) -> bool {
        match &self.host {
            Host::Ipv4(address) => address.is_unspecified(),
            Host::Ipv6(address) => address.is_unspecified(),
            Host::Domain(_) => false,
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn split(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':').filter(|_| text.len() <= BYTES_MAX)?;
    Some((host, port.parse().ok().filter(|port| *port > 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_and_a_port_is_one() {
        for text in ["10.0.0.2:9273", "[fd00::2]:9273", "news-1.example:80"] {
            assert_eq!(HostPort::parse(text).unwrap().to_string(), text);
            assert_eq!(HostPort::parse_leniently(text), HostPort::parse(text));
        }
        let long = format!("{}:1", "a".repeat(BYTES_MAX));
        for text in
            ["", "a", "a:0", "a:b", "a:99999", "a/b:1", "a@b:1", "a\r\nb:1", "a b:1", ":1", &long]
        {
            assert_eq!(HostPort::parse(text), None, "{text:?}");
            assert_eq!(HostPort::parse_leniently(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_ipv6_address_without_brackets_is_read_by_whoever_asks_for_it() {
        assert_eq!(HostPort::parse("fd00::2:9273"), None);
        let read = HostPort::parse_leniently("fd00::2:9273").unwrap();
        assert_eq!(read.to_string(), "[fd00::2]:9273");
    }

    #[test]
    fn nobody_is_reached_where_everybody_listens() {
        for (text, is_unspecified) in
            [("0.0.0.0:1", true), ("[::]:1", true), ("10.0.0.2:1", false), ("a:1", false)]
        {
            assert_eq!(HostPort::parse(text).unwrap().is_unspecified(), is_unspecified, "{text}");
        }
    }
}
