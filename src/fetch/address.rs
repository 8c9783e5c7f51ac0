//! Decides which addresses may be dialled.
//!
//! Finding and dialling addresses is `client`'s; this file only judges one. A feed's URL, a
//! redirect and a resolver's answer are all outside data: whoever writes them must not be able to
//! make the daemon talk to its own host, its network or a cloud's metadata service. Refused is
//! what IANA's special-purpose registries (RFC 6890) list as not globally reachable, and a few
//! ranges that only lead there.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cw_model::PrivateNetworks;
use url::Host;

/// IPv4 ranges outside the public internet: network, prefix length, what it is.
const REFUSED_V4: [(Ipv4Addr, u32, &str); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "an address of this host"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private address"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "an address behind a carrier's NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "a loopback address"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "a link-local address"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private address"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "an address kept for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "an address kept for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "an address of 6to4 relays"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private address"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "an address kept for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "an address kept for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "an address kept for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "a multicast address"),
    (Ipv4Addr::new(255, 255, 255, 255), 32, "the broadcast address"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "a reserved address"),
];

/// IPv6 ranges outside the public internet. The first that holds the address names it; the last
/// is everything that IANA has not given out as global unicast (`2000::/3` is judged
/// before it).
const REFUSED_V6: [(Ipv6Addr, u32, &str); 12] = [
    (Ipv6Addr::UNSPECIFIED, 128, "an address of this host"),
    (Ipv6Addr::LOCALHOST, 128, "a loopback address"),
    (Ipv6Addr::UNSPECIFIED, 96, "an IPv4-compatible address"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "a private address"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "a link-local address"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "a site-local address"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "a multicast address"),
    // Teredo (2001::/32), benchmarks, ORCHID and anycast helpers; feeds live on none of them.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "an address kept for protocols"),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32, "an address kept for documentation"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "an address kept for documentation"),
    // Carries an IPv4 address that a relay would dial for us.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "a 6to4 address"),
    // Out of order on purpose: see `refused_v6`, which lets global unicast pass before this one.
    (Ipv6Addr::UNSPECIFIED, 0, "a reserved address"),
];

/// An address that may not be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address} is {what}, outside the public internet; allow_private_networks can admit it, for \
     this feed or, where the feed itself is there, under [fetch]"
)]
pub(super) struct AddressRefused {
    /// The address.
    pub address: IpAddr,
    /// What it is: "a loopback address".
    pub what: &'static str,
}

/// Whether an address may be dialled.
///
/// # Errors
/// [`AddressRefused`] if it lies outside the public internet and `allowed` does not hold it.
pub(super) fn may_dial(address: IpAddr, allowed: &PrivateNetworks) -> Result<(), AddressRefused> {
    let refused = match address {
        IpAddr::V4(v4) => refused_v4(v4),
        IpAddr::V6(v6) => refused_v6(v6),
    };
    let Some(what) = refused else { return Ok(()) };
    let admitted = match allowed {
        PrivateNetworks::Refused => false,
        PrivateNetworks::Allowed => true,
        PrivateNetworks::Ranges(ranges) => {
            let inner = match address {
                IpAddr::V4(_) => address,
                // `::ffff:10.0.0.1` is reached as 10.0.0.1, and so may be admitted as it.
                IpAddr::V6(v6) => embedded_v4(v6).map_or(address, IpAddr::V4),
            };
            ranges.iter().any(|range| range.contains(&address) || range.contains(&inner))
        }
    };
    if admitted { Ok(()) } else { Err(AddressRefused { address, what }) }
}

/// Whether an address is one of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    may_dial(address, &PrivateNetworks::Refused).is_ok()
}

/// Whether a URL's host is this machine by what it is called: a loopback address, or a name that stands for one
/// (RFC 6761, 6.3).
pub(crate) fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
    }
}

fn refused_v4(address: Ipv4Addr) -> Option<&'static str> {
    let holds = |network: Ipv4Addr, prefix: u32| {
        let mask = u32::MAX.checked_shl(u32::BITS - prefix).unwrap_or(0);
        address.to_bits() & mask == network.to_bits()
    };
    REFUSED_V4.iter().find(|(network, prefix, _)| holds(*network, *prefix)).map(|range| range.2)
}

fn refused_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(v4) = embedded_v4(address) {
        return refused_v4(v4);
    }
    let holds = |network: Ipv6Addr, prefix: u32| {
        let mask = u128::MAX.checked_shl(u128::BITS - prefix).unwrap_or(0);
        address.to_bits() & mask == network.to_bits()
    };
    let global = holds(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    REFUSED_V6
        .iter()
        .find(|(network, prefix, _)| holds(*network, *prefix) && !(global && *prefix == 0))
        .map(|range| range.2)
}

/// The IPv4 address that dialling this IPv6 address reaches: IPv4-mapped (`::ffff:0:0/96`) on
/// this host, NAT64 (`64:ff9b::/96`, RFC 6052) on networks without IPv4, where every public
/// IPv4 site resolves to one and so must stay reachable.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0).to_bits();
    let [.., a, b, c, d] = address.octets();
    let upper = address.to_bits() >> 32;
    (upper == nat64 >> 32 || upper == 0xffff).then(|| Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(allowed: &PrivateNetworks, literals: &[&str], expected: Result<(), ()>) {
        for literal in literals {
            let address = literal.parse().unwrap();
            let dialled = may_dial(address, allowed).map_err(drop);
            assert_eq!(dialled, expected, "{literal} under {allowed:?}");
        }
    }

    const OUTSIDE: [&str; 64] = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.254",
        "255.255.255.255",
        "::",
        "::1",
        "::2",
        "::7f00:1",
        "::10.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db8::1",
        "2001:db8:ffff::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ];

    const PUBLIC: [&str; 29] = [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
        "3ffe::1",
    ];

    #[test]
    fn nothing_outside_the_public_internet_is_dialled() {
        check(&PrivateNetworks::Refused, &OUTSIDE, Err(()));
    }

    #[test]
    fn public_addresses_up_to_the_edge_of_each_range_are_dialled() {
        check(&PrivateNetworks::Refused, &PUBLIC, Ok(()));
    }

    #[test]
    fn allowed_private_networks_admit_everything() {
        check(&PrivateNetworks::Allowed, &OUTSIDE, Ok(()));
        check(&PrivateNetworks::Allowed, &PUBLIC, Ok(()));
    }

    #[test]
    fn a_range_admits_what_lies_in_it_and_nothing_else() {
        let ranges = ["10.1.0.0/16", "fd00:1::/32"].map(|range| range.parse().unwrap());
        let ranges = PrivateNetworks::Ranges(ranges.to_vec());
        check(&ranges, &["10.1.2.3", "::ffff:10.1.2.3", "fd00:1::1", "8.8.8.8"], Ok(()));
        check(&ranges, &["10.2.0.0", "10.0.255.255", "127.0.0.1", "::1", "fd00:2::1"], Err(()));
        check(&PrivateNetworks::Ranges(Vec::new()), &OUTSIDE, Err(()));
    }

    #[test]
    fn every_way_to_write_a_loopback_address_in_a_url_is_refused() {
        let urls = [
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://0177.0.0.1/",
            "http://0177.0x0.0.1/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://１２７.０.０.１/",
            "http://127。0。0。1/",
            "http://0/",
            "http://[::1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://[::ffff:7f00:1]/",
        ];
        for text in urls {
            let url = url::Url::parse(text).unwrap();
            let address = match url.host().unwrap() {
                Host::Ipv4(v4) => IpAddr::V4(v4),
                Host::Ipv6(v6) => IpAddr::V6(v6),
                Host::Domain(name) => panic!("{text} is taken for the name {name}"),
            };
            assert!(may_dial(address, &PrivateNetworks::Refused).is_err(), "{text}");
        }
    }

    #[test]
    fn a_refusal_says_what_the_address_is() {
        let address = "169.254.169.254".parse().unwrap();
        let refused = may_dial(address, &PrivateNetworks::Refused).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "169.254.169.254 is a link-local address, outside the public internet; \
             allow_private_networks can admit it, for this feed or, where the feed itself is \
             there, under [fetch]"
        );
    }
}
