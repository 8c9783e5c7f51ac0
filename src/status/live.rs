//! One line at the bottom of a terminal that says how the program stands, below what is logged.
//!
//! Both are written to standard error under one lock, so that neither stands in the middle of the other.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Mutex, PoisonError};

/// Back to the beginning of the line, and clears it.
const CLEAR: &str = "\r\x1b[2K";

/// The line as it stands; `None` if there is none.
static LINE: Mutex<Option<String>> = Mutex::new(None);

/// Begins to keep a line, if standard error is a terminal. Says whether it is.
pub fn begin() -> bool {
    let is_terminal = io::stderr().is_terminal();
    if is_terminal {
        LINE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }
    is_terminal
}

/// Shows another line, if one is kept: it is not made otherwise. It must fit the width of the terminal.
pub fn show(text: impl FnOnce() -> String) {
    let mut line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(line) = line.as_mut() else { return };
    let text = text();
    if *line != text {
        // Whoever has closed the terminal does not read it.
        let _gone = write!(io::stderr(), "{CLEAR}{text}");
        *line = text;
    }
}

/// Clears the line and keeps none.
pub fn end() {
    let mut line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
    if line.take().is_some() {
        let _gone = write!(io::stderr(), "{CLEAR}");
    }
}

/// Standard error above the line, for whole lines of a log.
pub(super) struct Above;

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
        above(&mut io::stderr(), line.as_deref(), bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Writes whole lines above the line that is kept, if one is.
fn above(out: &mut impl Write, line: Option<&str>, bytes: &[u8]) -> io::Result<()> {
    let Some(line) = line else { return out.write_all(bytes) };
    let written = [CLEAR.as_bytes(), bytes, line.as_bytes()].concat();
    out.write_all(&written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_stands_above_the_line_that_is_kept() {
        let mut out = Vec::new();
        above(&mut out, Some("2 feeds"), b"INFO polling\n").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\r\x1b[2KINFO polling\n2 feeds");
        let mut out = Vec::new();
        above(&mut out, None, b"INFO polling\n").unwrap();
        assert_eq!(out, b"INFO polling\n");
    }
}
