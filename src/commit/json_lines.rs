//! Standard output, one record a line, for pipes and dry runs. Remembers nothing.
//!
//! Rejects and feed state go nowhere: standard output is for records alone, and a reader of it
//! that starts again wants them all again.

use std::io::Write;

use super::CommitError;
use crate::model::Outcome;

/// Writes records to standard output.
#[derive(Debug, Default)]
pub struct JsonLines {}

impl JsonLines {
    /// The ledger.
    pub fn new() -> Self {
        Self {}
    }

    /// Writes an outcome's records, and waits until the reader has them or the pipe holds them.
    ///
    /// # Errors
    /// [`CommitError::Write`] if standard output is closed.
    pub fn commit(&self, outcome: &Outcome) -> Result<(), CommitError> {
        // The lock is held over the whole outcome: its lines stay together.
        write_records(&mut std::io::stdout().lock(), outcome).map_err(|err| CommitError::Write {
            path: "standard output".to_owned(),
            why: err.to_string(),
        })
    }
}

fn write_records(out: &mut impl Write, outcome: &Outcome) -> std::io::Result<()> {
    if outcome.records.is_empty() {
        return Ok(());
    }
    // Made whole before any of it is written: a record that cannot be leaves no half line.
    let mut lines = Vec::new();
    for record in &outcome.records {
        serde_json::to_writer(&mut lines, record)?;
        lines.push(b'\n');
    }
    out.write_all(&lines)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::samples::{outcome, record, reject};
    use crate::model::Record;

    #[test]
    fn a_record_is_one_line_and_reads_back() {
        let records = vec![record(1, "one\nline"), record(2, "two")];
        let mut outcome = outcome("a", 1, records.clone());
        outcome.rejects.push(reject(1));
        let mut out = Vec::new();
        write_records(&mut out, &outcome).unwrap();
        let text = String::from_utf8(out).unwrap();
        let read: Vec<Record> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, records);
    }

    #[test]
    fn a_closed_pipe_is_an_error() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        drop(reader);
        let err = write_records(&mut writer, &outcome("a", 1, vec![record(1, "one")])).unwrap_err();
        assert_eq!(err.kind(), std::io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn nothing_is_written_for_an_outcome_without_records() {
        let mut out = Vec::new();
        write_records(&mut out, &outcome("a", 1, Vec::new())).unwrap();
        assert!(out.is_empty());
    }
}
