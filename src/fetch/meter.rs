//! What is counted of a connection to a publisher, and what is too much.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::task::AtomicWaker;

/// The most header lines of an answer. Some newsrooms send hundreds; the library's own limit,
/// 100, loses them.
pub(super) const HEADERS_MAX: usize = 1000;

/// The most bytes of one block of headers. A single content security policy may be longer than the
/// 16 KiB that HTTP/2 libraries take.
pub(super) const HEADERS_BYTES_MAX: u32 = 256 * 1024;

/// The most bytes of an exchange that are no body: a TLS handshake takes up to some 100 KiB, a
/// block of headers `HEADERS_BYTES_MAX`, and a chain of redirects has several.
pub(super) const OVERHEAD_BYTES_MAX: u64 = 1024 * 1024;

/// The most bytes of bodies that are received on an HTTP/2 connection before we read them: its
/// flow-control window. More than a round trip of 100 ms at 40 Mbit/s.
pub(super) const WINDOW_BYTES: u32 = 512 * 1024;

/// What is counted of a connection. Shared by the connection and whoever reads an answer from it.
#[derive(Debug)]
pub(super) struct Meter {
    /// `None` behind a proxy.
    peer: Option<SocketAddr>,
    /// Bytes that came in since the last exchange ended.
    pub(super) received: AtomicU64,
    /// Bytes of bodies among them that were handed on.
    delivered: AtomicU64,
    pub(super) is_exceeded: AtomicBool,
    pub(super) is_busy: AtomicBool,
    has_served: AtomicBool,
    pub(super) is_evicted: AtomicBool,
    pub(super) reader: AtomicWaker,
}

impl Meter {
    /// Of a new connection, about to be used.
    pub(super) fn new(peer: Option<SocketAddr>) -> Arc<Self> {
        Arc::new(Self {
            peer,
            received: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            is_exceeded: AtomicBool::new(false),
            is_busy: AtomicBool::new(true),
            has_served: AtomicBool::new(false),
            is_evicted: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        })
    }

    /// Who is on the other side; `None` if a proxy stands between.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Bytes of a body were handed on.
    pub(super) fn deliver(&self, bytes: usize) {
        self.delivered.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether the connection was given up because too much came that is no body.
    pub(super) fn is_exceeded(&self) -> bool {
        self.is_exceeded.load(Ordering::Relaxed)
    }

    /// Whether an exchange on this connection has been over.
    pub(super) fn has_served(&self) -> bool {
        self.has_served.load(Ordering::Relaxed)
    }

    /// An exchange on this connection is over: says how much of it was no body, and counts anew.
    pub(super) fn settle(&self) -> u64 {
        let received = self.received.swap(0, Ordering::Relaxed);
        let delivered = self.delivered.swap(0, Ordering::Relaxed);
        self.is_busy.store(false, Ordering::Relaxed);
        self.has_served.store(true, Ordering::Relaxed);
        received.saturating_sub(delivered)
    }

    /// Ends the connection if nobody uses it. Says whether it was idle.
    pub(super) fn evict(&self) -> bool {
        let is_idle = !self.is_busy.load(Ordering::Relaxed);
        if is_idle && !self.is_evicted.swap(true, Ordering::Relaxed) {
            self.reader.wake();
            return true;
        }
        false
    }

    /// Framing that outweighs the body is no transfer: chunks of one byte carry six.
    pub(super) fn is_over(&self) -> bool {
        let delivered = self.delivered.load(Ordering::Relaxed);
        let overhead = self.received.load(Ordering::Relaxed).saturating_sub(delivered);
        overhead > OVERHEAD_BYTES_MAX + u64::from(WINDOW_BYTES) + delivered
    }
}
