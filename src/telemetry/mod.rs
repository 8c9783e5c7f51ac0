//! Logs and metrics: how the program tells what it is doing.
//!
//! Log text is constant and values are fields, so that lines can be counted and searched; field
//! names are listed in [`fields`], metrics in [`metrics`].

pub mod fields;
pub mod metrics;

use std::io::IsTerminal;

pub use metrics::Metrics;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::{LogFormat, LogSettings};

/// Sends log lines to standard error from here on. A second call changes nothing.
pub fn install(settings: &LogSettings) {
    let as_text = match settings.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let lines = if as_text {
        let colour = std::io::stderr().is_terminal();
        fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false).boxed()
    } else {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(std::io::stderr)
            .boxed()
    };
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(settings.level));
    // Fails only if a subscriber is there already: the demo and tests build more than one daemon.
    let _already = subscriber.try_init();
}

/// An error with its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
