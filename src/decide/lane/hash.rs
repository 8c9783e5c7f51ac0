//! Which lane a host is in. Pure.
//!
//! Hosts of one registrable domain share a lane, so that all feeds of a publisher are polled from one
//! place and being gentle to it needs no agreement between replicas. A host without one (an IP
//! address, a name of one label) counts whole.

use sha2::{Digest as _, Sha256};
use url::{Host, Url};

/// The version of the hash. It is on every `__lane` record: another hash would look for states where
/// they are not, and every article would be new.
pub const HASH_VERSION: u32 = 1;

/// The lane of a URL's host, below `lanes`: SHA-256 of the registrable domain, its first eight bytes
/// as a number, modulo the lanes.
pub fn lane(url: &Url, lanes: u32) -> u32 {
    let domain = match url.host() {
        Some(Host::Domain(host)) => psl::domain_str(host).unwrap_or(host).to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => String::new(),
    };
    let first: [u8; 8] = Sha256::digest(domain).first_chunk().copied().unwrap_or_default();
    let lane = u64::from_be_bytes(first) % u64::from(lanes.max(1));
    u32::try_from(lane).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane_of(host: &str) -> u32 {
        lane(&Url::parse(&format!("http://{host}/feed")).unwrap(), 1 << 31)
    }

    #[test]
    fn hosts_of_one_publisher_share_a_lane() {
        assert_eq!(lane_of("www.example.org"), lane_of("feeds.example.org:8080"));
        assert_eq!(lane_of("a.example.co.uk"), lane_of("b.c.example.co.uk"));
        assert_ne!(lane_of("example.org"), lane_of("example.net"));
        assert_ne!(lane_of("a.co.uk"), lane_of("b.co.uk"), "a public suffix is nobody's");
        assert_ne!(lane_of("one.github.io"), lane_of("two.github.io"), "nor is this one");
    }

    #[test]
    fn what_has_no_domain_counts_whole() {
        assert_ne!(lane_of("127.0.0.1"), lane_of("127.0.1.1"));
        assert_ne!(lane_of("[::1]"), lane_of("[::2]"));
        assert_ne!(lane_of("alpha"), lane_of("beta"));
    }

    /// Another number here moves every feed away from its state.
    #[test]
    fn the_hash_stays_as_it_is() {
        let lanes = ["bbc.co.uk", "example.org", "127.0.0.1"]
            .map(|host| lane(&Url::parse(&format!("https://{host}/rss")).unwrap(), 16));
        assert_eq!(lanes, [13, 6, 4]);
    }
}
