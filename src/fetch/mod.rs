//! One conditional GET, from a URL to an `Answer`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use crate::model::{Answer, Validators};

/// The addresses that may be dialled beyond the public internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateNetworks {
    /// None: the default.
    Refused,
    /// Any.
    Allowed,
    /// These ranges only.
    Ranges(Vec<ipnet::IpNet>),
}

/// The `[fetch]` table, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchSettings {
    /// For the whole exchange, redirects and body included.
    pub timeout: Duration,
    /// For one connection, name look-up and TLS included.
    pub connect_timeout: Duration,
    /// Most bytes of a body, on the wire and decompressed.
    pub body_limit: u64,
    /// Most redirects followed.
    pub redirects_max: usize,
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// What may be dialled.
    pub private_networks: PrivateNetworks,
    /// Host names answered from here and not by the resolver, as curl's `--resolve` does.
    pub resolve: BTreeMap<String, IpAddr>,
}

/// Why no fetcher could be built.
#[derive(Debug, thiserror::Error)]
#[error("could not set up the HTTP client")]
pub struct FetchSetupError(#[source] pub reqwest::Error);

/// Fetches feeds: one HTTP client, its pool and its policy.
#[derive(Debug)]
pub struct Fetcher {}

impl Fetcher {
    /// Builds the client.
    ///
    /// # Errors
    /// [`FetchSetupError`] if the HTTP client does not start.
    pub fn new(
        _settings: &FetchSettings,
        _clock: crate::clock::Clock,
    ) -> Result<Self, FetchSetupError> {
        Ok(Self {})
    }

    /// Fetches a URL conditionally. Cancel safety: dropping it drops the connection, nothing else.
    pub async fn fetch(&self, _url: &Url, _validators: &BTreeMap<String, Validators>) -> Answer {
        unimplemented!()
    }
}
