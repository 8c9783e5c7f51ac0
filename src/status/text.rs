//! Log lines for people: every value on one line, nothing in it that steers a terminal.
//!
//! The one place where values become text, so that no call site has to think of it. JSON lines have
//! escapes of their own.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use super::shown::shown;

/// The field that `info!("…")` puts its text into.
const MESSAGE: &str = "message";

/// Writes `text name=value name=value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextFields;

impl<'writer> FormatFields<'writer> for TextFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut values = Values { writer, is_first: true, result: Ok(()) };
        fields.record(&mut values);
        values.result
    }
}

struct Values<'writer> {
    writer: Writer<'writer>,
    is_first: bool,
    result: fmt::Result,
}

impl Values<'_> {
    fn write(&mut self, name: &str, value: &str) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(' ')?;
        }
        let value = shown(value);
        if name == MESSAGE {
            self.writer.write_str(&value)
        } else if self.writer.has_ansi_escapes() {
            let name_style = anstyle::Style::new().italic();
            write!(self.writer, "{name_style}{name}{name_style:#}={value}")
        } else {
            write!(self.writer, "{name}={value}")
        }
    }
}

impl Visit for Values<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == MESSAGE {
            self.record_debug(field, &format_args!("{value}"));
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // What the `log` crate says of a line's origin, which is in its target already.
        if self.result.is_ok() && !field.name().starts_with("log.") {
            self.result = self.write(field.name(), &format!("{value:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::super::shown::is_hidden;
    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let written = lines.clone();
        let layer = fmt::layer()
            .fmt_fields(TextFields)
            .with_ansi(false)
            .with_writer(move || written.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_value_from_outside_begins_no_line_and_steers_nothing() {
        let hostile = "no\n2026-01-01T00:00:00Z ERROR forged\u{1b}[2J\u{202e}\u{9b}";
        let text = lines(|| {
            tracing::warn!(error = hostile, feed.id = %hostile, "message: {hostile}");
            let lanes = [hostile];
            tracing::warn!(lane.numbers = ?lanes, "another");
        });
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.chars().any(|char| is_hidden(char) && char != '\n'), "{text:?}");
        assert!(
            text.contains("feed.id=no\\n2026-01-01T00:00:00Z ERROR forged\\u{1b}[2J"),
            "{text}"
        );
    }

    #[test]
    fn a_line_reads_as_it_always_did() {
        let text = lines(|| tracing::info!(feed.count = 3, ledger.kind = "sqlite", "polling"));
        assert!(text.ends_with("polling feed.count=3 ledger.kind=\"sqlite\"\n"), "{text}");
    }
}
