//! One conditional GET, from a URL to an `Answer`.
//!
//! Deciding when to ask is `schedule`'s, reading the document `parse`'s. Here: hop by hop along
//! redirects (`redirect`), never to an address outside the public internet (`address`, held by
//! `client`), the body within limits (`body`, `decode`), and what the answer means (`outcome`).
//! Validators belong to the URL that gave them and are sent to no other, byte for byte.

mod address;
mod body;
mod client;
mod decode;
mod outcome;
mod redirect;
#[cfg(test)]
mod tests;

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use url::Url;

use self::client::HttpClient;
use self::outcome::{Asked, Head, Meaning};
use self::redirect::Chain;
use crate::clock::Clock;
use crate::memory::{BodyHold, Waits};
use crate::model::{Answer, Body, Failure, FailureClass, NotModified, Validators};

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
    /// Host names answered from here and not by the resolver, as curl's `--resolve` does. The
    /// addresses are judged like any other.
    pub resolve: BTreeMap<String, IpAddr>,
}

/// Why no fetcher could be built.
#[derive(Debug, thiserror::Error)]
#[error("could not set up the HTTP client")]
pub struct FetchSetupError(#[source] pub reqwest::Error);

/// Fetches feeds: one HTTP client, its pool and its policy.
#[derive(Debug)]
pub struct Fetcher {
    client: HttpClient,
    timeout: Duration,
    body_limit: u64,
    redirects_max: usize,
    clock: Clock,
}

impl Fetcher {
    /// Builds the client. `clock` is asked where an answer gives a date and no time of its own.
    ///
    /// # Errors
    /// [`FetchSetupError`] if the HTTP client does not start.
    pub fn new(settings: &FetchSettings, clock: Clock) -> Result<Self, FetchSetupError> {
        Ok(Self::with_client(HttpClient::build(settings)?, settings, clock))
    }

    fn with_client(client: HttpClient, settings: &FetchSettings, clock: Clock) -> Self {
        Self {
            client,
            timeout: settings.timeout,
            body_limit: settings.body_limit,
            redirects_max: settings.redirects_max,
            clock,
        }
    }

    /// Fetches a URL conditionally.
    ///
    /// Shape: `validators` has a key for each URL of an earlier chain of redirects that gave some,
    /// as `final_url` of that answer is written.
    ///
    /// Cancel safety: dropping it drops the connection, nothing else.
    pub async fn fetch(&self, url: &Url, validators: &BTreeMap<String, Validators>) -> Answer {
        self.fetch_holding(url, validators, &mut BodyHold::unlimited()).await
    }

    /// The same, with a body in `hold`'s memory.
    pub async fn fetch_holding(
        &self,
        url: &Url,
        validators: &BTreeMap<String, Validators>,
        hold: &mut BodyHold,
    ) -> Answer {
        let waits = hold.waits();
        // On the heap: the state of a whole exchange is some kilobytes.
        let exchange = Box::pin(self.exchange(url, validators, hold));
        match within(self.timeout, &waits, exchange).await {
            Some(Ok(answer)) => answer,
            Some(Err(failure)) => Answer::Failed(failure),
            None => {
                let host = url.host_str().unwrap_or_default();
                let seconds = self.timeout.as_secs_f32();
                Answer::Failed(Failure {
                    class: FailureClass::Timeout,
                    detail: format!(
                        "no whole answer from {host} within {seconds}s (fetch.timeout)"
                    ),
                    retry_after: None,
                })
            }
        }
    }

    async fn exchange(
        &self,
        url: &Url,
        validators: &BTreeMap<String, Validators>,
        hold: &mut BodyHold,
    ) -> Result<Answer, Failure> {
        let mut chain = Chain::begin(url)?;
        loop {
            let here = chain.here();
            let host = here.host_str().unwrap_or_default();
            let known = validators.get(here.as_str()).filter(|known| !known.is_empty());
            let asked = if known.is_some() { Asked::Conditionally } else { Asked::Plainly };
            let response = self.client.get(here, known, chain.cookie()).await?;
            let head = head(&response);
            let now = self.clock.now();
            match outcome::meaning(&head, asked, host, now) {
                Meaning::Redirect(kind) => chain.follow(&head, kind, self.redirects_max)?,
                Meaning::Failed(failure) => return Err(failure),
                Meaning::NotModified => {
                    return Ok(Answer::NotModified(NotModified {
                        final_url: here.clone(),
                        moved_to: chain.moved_to(),
                        validators: outcome::validators(&head),
                        freshness: outcome::freshness(&head, now),
                    }));
                }
                Meaning::Body => {
                    let read = body::read(response, &head, host, self.body_limit, hold).await?;
                    return Ok(Answer::Body(Body {
                        bytes: read.bytes,
                        wire_bytes: read.wire_bytes,
                        final_url: here.clone(),
                        moved_to: chain.moved_to(),
                        content_type: outcome::content_type(&head),
                        validators: outcome::validators(&head),
                        freshness: outcome::freshness(&head, now),
                    }));
                }
            }
        }
    }
}

/// What comes of an exchange within `timeout`, what it waited for memory not counted.
async fn within<T>(
    timeout: Duration,
    waits: &Waits,
    exchange: impl Future<Output = T>,
) -> Option<T> {
    let started = Instant::now();
    tokio::pin!(exchange);
    loop {
        let deadline = started + timeout + waits.total();
        if let Ok(done) = timeout_at(deadline, &mut exchange).await {
            return Some(done);
        }
        if started + timeout + waits.total() <= Instant::now() {
            return None;
        }
    }
}

fn head(response: &reqwest::Response) -> Head {
    let owned = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    Head {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(owned).collect(),
    }
}
