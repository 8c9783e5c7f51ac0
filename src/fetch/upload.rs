//! Posts bytes to one URL that the operator has chosen, apart from all that feeds are asked for.
//!
//! It has connections of its own, so that it waits for no feed and no feed for it, and takes no turn at a server. It
//! goes through no proxy, and follows no redirect. What an answer means is for whoever posts.

use std::time::Duration;

use cw_model::{Failure, FailureClass};
use reqwest::header::{HeaderValue, RETRY_AFTER};
use tokio::time::timeout;
use url::Url;

use super::client::{Answered, HttpClient};
use super::connections::Connections;
use super::proxy::Proxies;
use super::{FetchSettings, FetchSetupError};

/// For one request, answer included.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One at a time, and one that is being closed.
const CONNECTIONS_MAX: usize = 2;

/// The most of an answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Where bytes are posted.
#[derive(Debug)]
pub struct Upload {
    client: HttpClient,
    url: Url,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The status.
    pub status: u16,
    /// `Retry-After` in seconds, if that is how it is written.
    pub retry_after: Option<Duration>,
    /// The body, or its first 64 KiB.
    pub body: Vec<u8>,
}

impl Upload {
    /// Builds a client for it. Of `settings` only names, addresses and the user agent are used.
    ///
    /// # Errors
    /// [`FetchSetupError`].
    pub fn new(settings: &FetchSettings, url: Url) -> Result<Self, FetchSetupError> {
        let settings = FetchSettings {
            timeout: TIMEOUT,
            host_gap: Duration::ZERO,
            proxies: Proxies::default(),
            ..settings.clone()
        };
        let client = HttpClient::build(&settings, Connections::at_most(CONNECTIONS_MAX))?;
        Ok(Self { client, url })
    }

    /// Posts once.
    ///
    /// # Errors
    /// A [`Failure`] if nobody answered in time; any status is an answer.
    ///
    /// Cancel safety: dropping it drops the connection.
    pub async fn post(
        &self,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Uploaded, Failure> {
        let posted = self.exchange(HeaderValue::from_static(content_type), body);
        timeout(TIMEOUT, Box::pin(posted)).await.unwrap_or_else(|_late| {
            let host = self.url.host_str().unwrap_or_default();
            let detail = format!("no whole answer from {host} within {}s", TIMEOUT.as_secs());
            Err(Failure { class: FailureClass::Timeout, detail, retry_after: None })
        })
    }

    async fn exchange(
        &self,
        content_type: HeaderValue,
        body: Vec<u8>,
    ) -> Result<Uploaded, Failure> {
        let Answered { mut response, exchange } =
            self.client.post(&self.url, content_type, body).await?;
        let status = response.status().as_u16();
        let written = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after =
            written.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let mut body = Vec::new();
        // A body that is cut short says no less: the status has come.
        while let Ok(Some(chunk)) = response.chunk().await {
            exchange.deliver(chunk.len());
            let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if chunk.len() > room {
                break;
            }
        }
        Ok(Uploaded { status, retry_after, body })
    }
}
