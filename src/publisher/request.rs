//! What was asked.

use tokio::time::Instant;

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// "GET".
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The whole head, as sent.
    pub head: String,
    /// What was posted.
    pub body: Vec<u8>,
    /// When its head had been read.
    pub at: Instant,
    /// Requests being answered at that moment under the same `Host`, this one included.
    pub in_flight: usize,
    /// The connection it came on, numbered from 0.
    pub connection: usize,
}

impl Request {
    pub(super) fn parse(head: &str, connection: usize) -> Option<Self> {
        let mut words = head.lines().next()?.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let head = head.to_owned();
        let (body, at) = (Vec::new(), Instant::now());
        Some(Self { method, path, head, body, at, in_flight: 0, connection })
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers
            .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// Of the `Host` header, without the port.
    pub fn host(&self) -> &str {
        let host = self.header("host").unwrap_or_default();
        host.split_once(':').map_or(host, |(host, _port)| host)
    }

    /// Whether it may be answered with 304.
    pub fn is_conditional(&self) -> bool {
        self.header("if-none-match").is_some() || self.header("if-modified-since").is_some()
    }
}
