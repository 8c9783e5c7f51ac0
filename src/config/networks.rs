//! Reads and writes `allow_private_networks`, of `[fetch]` and of feeds.
//!
//! OPML has no such attribute, on purpose: lists of feeds come from others, and a permission must
//! not come with them.

use core::net::IpAddr;

use cw_model::PrivateNetworks;

use super::raw::RawPrivateNetworks;
use super::units::quoted;

/// What may be dialled, and the texts of what is no range, each with its place in the list.
pub(super) fn read_networks(raw: &RawPrivateNetworks) -> (PrivateNetworks, Vec<(usize, String)>) {
    let ranges = match raw {
        RawPrivateNetworks::AllOrNone(true) => return (PrivateNetworks::Allowed, Vec::new()),
        RawPrivateNetworks::AllOrNone(false) => return (PrivateNetworks::Refused, Vec::new()),
        RawPrivateNetworks::Ranges(ranges) => ranges,
    };
    let mut read = Vec::new();
    let mut problems = Vec::new();
    for (index, range) in ranges.iter().enumerate() {
        match range.parse() {
            Ok(range) => read.push(range),
            Err(_not_a_range) => {
                let wanted = match range.parse::<IpAddr>() {
                    Ok(IpAddr::V4(address)) => format!("\"{address}/32\""),
                    Ok(IpAddr::V6(address)) => format!("\"{address}/128\""),
                    Err(_not_an_address) => "for example \"10.1.0.0/16\"".to_owned(),
                };
                problems.push((index, format!("{} is no range; use {wanted}", quoted(range))));
            }
        }
    }
    (PrivateNetworks::Ranges(read), problems)
}

/// As it would be written down.
pub(super) fn written_networks(networks: &PrivateNetworks) -> RawPrivateNetworks {
    match networks {
        PrivateNetworks::Refused => RawPrivateNetworks::AllOrNone(false),
        PrivateNetworks::Allowed => RawPrivateNetworks::AllOrNone(true),
        PrivateNetworks::Ranges(ranges) => {
            RawPrivateNetworks::Ranges(ranges.iter().map(ToString::to_string).collect())
        }
    }
}
