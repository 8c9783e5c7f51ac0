//! What becomes of traces of polls.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// What is counted of traces. All zero in a program without the feature `otlp` of the shell.
#[derive(Debug)]
pub struct TraceMetrics {
    spans: Family<[(&'static str, String); 1], Counter>,
}

impl TraceMetrics {
    /// Registers it.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self { spans: Family::default() };
        registry.register(
            "trace_spans",
            "Spans of polls for the OTLP collector: outcome = sent, dropped",
            metrics.spans.clone(),
        );
        metrics.sent(0);
        metrics.dropped(0);
        metrics
    }

    /// The collector has taken so many spans.
    pub fn sent(&self, spans: u64) {
        self.spans.get_or_create(&[("outcome", "sent".to_owned())]).inc_by(spans);
    }

    /// No collector will have so many: the queue was full, or it did not take them.
    pub fn dropped(&self, spans: u64) {
        self.spans.get_or_create(&[("outcome", "dropped".to_owned())]).inc_by(spans);
    }
}
