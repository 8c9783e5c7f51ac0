//! A trace of each poll, sent by OTLP: how long it fetched, read and committed, and what it came to.
//!
//! With the feature `otlp` alone, and then only where `telemetry.otlp_endpoint` names a collector. Without the
//! feature [`Traces`] and [`PollTrace`] are empty and do nothing, so that the compiler leaves no trace of them.
//!
//! ```text
//!  poll ──► PollTrace ──try_send──► queue ──► export ──► spans ──► collector
//! ```
//!
//! A poll never waits for any of it: what the queue cannot take is dropped and counted. Publishers are not told of
//! traces: no request to them has a `traceparent`.
//!
//! Sources: OTLP 1.9 over HTTP, OpenTelemetry's semantic conventions 1.45.

#[cfg(feature = "otlp")]
mod export;
#[cfg(not(feature = "otlp"))]
mod off;
#[cfg(feature = "otlp")]
mod poll;
#[cfg(feature = "otlp")]
mod spans;
#[cfg(feature = "otlp")]
mod traced;

use strum::IntoStaticStr;
use url::Url;

#[cfg(feature = "otlp")]
pub use self::export::export;
#[cfg(not(feature = "otlp"))]
pub use self::off::{PollTrace, Traces};
#[cfg(feature = "otlp")]
pub use self::poll::{PollTrace, Received, Traces};

/// The feature without which there are no traces.
pub const FEATURE: &str = "otlp";

/// Whether this program was built with it.
pub const IS_BUILT_IN: bool = cfg!(feature = "otlp");

/// The `[telemetry]` table, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSettings {
    /// Where traces are posted, "/v1/traces" included.
    pub endpoint: Url,
}

/// How a poll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PollEnded {
    /// Its outcome is durable.
    Committed,
    /// Nothing was changed, because the daemon stops.
    Abandoned,
    /// Nothing was changed, because others have their turns first. It has no trace.
    NotItsTurn,
    /// Nothing was changed, because others waited for its place.
    PutOff,
    /// Nothing was changed, because the lane was taken meanwhile.
    Taken,
    /// The ledger would not take it.
    Refused,
}
