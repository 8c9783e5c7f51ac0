//! The part of a connection's life that belongs to one answer.

use std::sync::Arc;

use super::connections::Connections;
use super::meter::Meter;

/// The part of a connection's life that belongs to one answer.
#[derive(Debug)]
pub(super) struct ExchangeMeter {
    pub(super) meter: Option<Arc<Meter>>,
    pub(super) connections: Connections,
}

impl ExchangeMeter {
    /// Bytes of the body were handed on.
    pub(super) fn deliver(&self, bytes: usize) {
        if let Some(meter) = &self.meter {
            meter.deliver(bytes);
        }
    }

    /// Whether the connection was given up because too much came that is no body.
    pub(super) fn is_exceeded(&self) -> bool {
        self.meter.as_ref().is_some_and(|meter| meter.is_exceeded())
    }

    /// Who answered; `None` if that cannot be seen.
    pub(super) fn peer(&self) -> Option<std::net::IpAddr> {
        self.meter.as_ref().and_then(|meter| meter.peer()).map(|peer| peer.ip())
    }

    /// Ends it, and says how many bytes of it were no body.
    pub(super) fn end(mut self) -> u64 {
        self.settle()
    }

    fn settle(&mut self) -> u64 {
        let Some(meter) = self.meter.take() else { return 0 };
        let overhead = meter.settle();
        self.connections.release(&meter);
        overhead
    }
}

impl Drop for ExchangeMeter {
    fn drop(&mut self) {
        self.settle();
    }
}
