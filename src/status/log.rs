//! The log: how its lines look, and where they go.
//!
//! Log text is constant and values are fields, so that lines can be counted and searched; field
//! names are listed in [`super::fields`].

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::panic::AssertUnwindSafe;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use super::{live, shown, text};

/// The `[log]` table, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Least level written.
    pub level: LevelFilter,
    /// How lines look.
    pub format: LogFormat,
}

impl LogSettings {
    /// The levels by name.
    pub const LEVELS: [(&str, LevelFilter); 5] = [
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", Self::LEVEL),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    /// The level if nobody says.
    pub const LEVEL: LevelFilter = LevelFilter::INFO;
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Where our own lines come from: the crate of the shell, which alone writes any but those of panics.
const PROGRAM: &str = "conflictwire";

/// Sends log lines to standard error from here on. A second call changes nothing.
pub fn install(settings: &LogSettings) {
    let as_text = match settings.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => io::stderr().is_terminal(),
    };
    let lines = if as_text {
        let colour = io::stderr().is_terminal();
        fmt::layer()
            .fmt_fields(text::TextFields)
            .with_writer(|| live::Above)
            .with_ansi(colour)
            .with_target(false)
            .boxed()
    } else {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(|| JsonLines(io::stderr()))
            .boxed()
    };
    // What the libraries do inside is theirs to debug; their warnings may be ours to act on.
    let libraries = settings.level.min(LevelFilter::WARN);
    let filter = Targets::new()
        .with_target(PROGRAM, settings.level)
        // A certificate it refuses is a failed poll, which is logged once, by us.
        .with_target("rustls_platform_verifier", LevelFilter::OFF)
        .with_default(libraries);
    // A filter over all, not one of the layer: librdkafka's wrapper asks whether a level is enabled
    // and then writes nothing, and a layer's filter would take that answer for the next line's.
    let subscriber = tracing_subscriber::registry().with(lines).with(filter);
    // Fails only if a subscriber is there already: the demo and tests build more than one daemon.
    if subscriber.try_init().is_ok() && !as_text {
        WRITES_JSON.store(true, Ordering::Relaxed);
    }
}

/// Log lines that are JSON: the same JSON, but what would steer a terminal that shows them (as
/// `kubectl logs` does) is written as an escape. JSON itself asks for that of few characters.
struct JsonLines<W>(W);

impl<W: io::Write> io::Write for JsonLines<W> {
    /// Takes whole lines only, which is how they come.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let lines: String = text.lines().map(|line| shown::json_line(line) + "\n").collect();
        self.0.write_all(lines.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether log lines are JSON, so that whoever reads standard error expects nothing else there.
static WRITES_JSON: AtomicBool = AtomicBool::new(false);

/// Whether log lines are sent, and are JSON.
pub fn writes_json() -> bool {
    WRITES_JSON.load(Ordering::Relaxed)
}

/// Makes each panic a log line from here on, instead of lines of text in between.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no text");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        // Taken only where RUST_BACKTRACE asks for it.
        let backtrace = Backtrace::capture();
        let backtrace = match backtrace.status() {
            BacktraceStatus::Captured => Some(backtrace.to_string()),
            _ => None,
        };
        tracing::error!(
            target: PROGRAM,
            error = text,
            code.location = place,
            thread.name = thread.name().unwrap_or_default(),
            exception.stacktrace = backtrace,
            "a panic: this is a defect of conflictwire"
        );
    }));
}

thread_local! {
    /// Whether a panic of this thread is part of the work, and nobody's defect.
    static IS_EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Puts the hook in front of the one that there is, once.
static EXPECTING: Once = Once::new();

/// What a library that panics at what others send comes to; `None` if it does. Nothing is written of it.
pub fn catching<T>(work: impl FnOnce() -> T) -> Option<T> {
    EXPECTING.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_EXPECTED.get() {
                before(panic);
            }
        }));
    });
    let is_expected = IS_EXPECTED.replace(true);
    let done = std::panic::catch_unwind(AssertUnwindSafe(work));
    IS_EXPECTED.set(is_expected);
    done.ok()
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
