//! Standard output, one record a line, for pipes and dry runs. Remembers nothing.
//!
//! Rejects and feed state go nowhere: standard output is for records alone, and a reader of it
//! that starts again wants them all again.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};

use cw_model::{FeedId, Outcome};
use tokio::task::spawn_blocking;

use super::CommitError;

/// Writes records to standard output.
#[derive(Clone, Debug)]
pub struct JsonLines {
    out: Arc<Mutex<Lines<File>>>,
}

impl JsonLines {
    /// The ledger.
    ///
    /// # Errors
    /// [`CommitError::Open`] if there is no standard output.
    pub fn open() -> Result<Self, CommitError> {
        // The descriptor itself: what a buffer kept back after a failure would come twice.
        let out = std::io::stdout().as_fd().try_clone_to_owned().map_err(|err| {
            let why = format!("{err}; give the process one, or use another `ledger.kind`");
            CommitError::Open { path: STANDARD_OUTPUT.to_owned(), why }
        })?;
        Ok(Self { out: Arc::new(Mutex::new(Lines { out: File::from(out), begun: None })) })
    }

    /// Writes an outcome's records, and waits until the reader has them or the pipe holds them.
    ///
    /// # Errors
    /// [`CommitError::Write`] if standard output takes no more for now, [`CommitError::Unread`] if
    /// nobody reads it any more.
    pub async fn commit(&self, outcome: Arc<Outcome>) -> Result<(), CommitError> {
        if outcome.records.is_empty() {
            return Ok(());
        }
        let out = Arc::clone(&self.out);
        // Apart: a reader may stop for hours, and a worker of the runtime must not stop with it.
        let written = spawn_blocking(move || {
            // A panic in between leaves what was begun, which is what the lock protects.
            out.lock().unwrap_or_else(PoisonError::into_inner).write(&outcome)
        });
        let written = written.await.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
        written.map_err(|err| match err.kind() {
            ErrorKind::BrokenPipe => CommitError::Unread,
            _ => {
                let path = STANDARD_OUTPUT.to_owned();
                CommitError::Write { path, why: err.to_string() }
            }
        })
    }
}

/// What errors call it.
const STANDARD_OUTPUT: &str = "standard output";

/// Lines of whole outcomes, one after the other, also when a write fails half-way.
#[derive(Debug)]
struct Lines<W> {
    out: W,
    begun: Option<Begun>,
}

/// An outcome of which some bytes are written: it goes on where it stopped.
#[derive(Debug)]
struct Begun {
    feed_id: FeedId,
    sequence: u64,
    rest: Vec<u8>,
}

impl<W: Write> Lines<W> {
    fn write(&mut self, outcome: &Outcome) -> std::io::Result<()> {
        let sequence = outcome.state.plan.sequence;
        let begun = match self.begun.take() {
            None => {
                let feed_id = outcome.feed_id.clone();
                Begun { feed_id, sequence, rest: lines(outcome)? }
            }
            Some(begun) => begun,
        };
        if (&begun.feed_id, begun.sequence) != (&outcome.feed_id, sequence) {
            let text = format!("the records of feed \"{}\" are half written", begun.feed_id);
            self.begun = Some(begun);
            return Err(std::io::Error::other(text));
        }
        let mut rest = begun.rest.as_slice();
        while !rest.is_empty() {
            let failed = match self.out.write(rest) {
                Ok(0) => ErrorKind::WriteZero.into(),
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    continue;
                }
                Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                Err(err) => err,
            };
            self.begun = Some(Begun { rest: rest.to_vec(), ..begun });
            return Err(failed);
        }
        self.out.flush()
    }
}

/// Made whole before any of it is written: a record that cannot be leaves no half line.
fn lines(outcome: &Outcome) -> std::io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for routed in &outcome.records {
        serde_json::to_writer(&mut lines, &routed.record)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use cw_model::Record;
    use cw_model::samples::{outcome, record, reject};

    use super::*;

    /// Takes so many bytes, then fails once, then takes the rest.
    struct Full {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let length = bytes.len().min(self.room);
            if length == 0 {
                self.room = usize::MAX;
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= length;
            self.taken.extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written_to(room: usize) -> Lines<Full> {
        Lines { out: Full { taken: Vec::new(), room }, begun: None }
    }

    fn read(taken: &[u8]) -> Vec<Record> {
        let text = std::str::from_utf8(taken).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_record_is_one_line_and_reads_back() {
        let records = vec![record(1, "one\nline"), record(2, "two")];
        let mut outcome = outcome("a", 1, records.clone());
        outcome.rejects.push(reject(1));
        let mut out = written_to(usize::MAX);
        out.write(&outcome).unwrap();
        assert_eq!(read(&out.out.taken), records);
    }

    #[test]
    fn an_outcome_that_was_half_written_goes_on_where_it_stopped() {
        let records = vec![record(1, "one"), record(2, "two")];
        let half = outcome("a", 1, records.clone());
        let other = outcome("b", 1, vec![record(3, "three")]);
        for room in [1, lines(&half).unwrap().len() - 1] {
            let mut out = written_to(room);
            assert_eq!(out.write(&half).unwrap_err().kind(), ErrorKind::StorageFull);
            assert!(out.write(&other).is_err(), "no line inside another");
            out.write(&half).unwrap();
            out.write(&other).unwrap();
            assert_eq!(read(&out.out.taken), [records.as_slice(), &[record(3, "three")]].concat());
        }
    }

    /// On a runtime of one thread: if the commit held it, nobody would read.
    #[tokio::test]
    async fn a_reader_that_waits_holds_up_nothing_else() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let out = File::from(std::os::fd::OwnedFd::from(writer));
        let ledger = JsonLines { out: Arc::new(Mutex::new(Lines { out, begun: None })) };
        // More than any pipe holds.
        let large = Arc::new(outcome("a", 1, vec![record(1, &"x".repeat(4 << 20))]));
        let expected = lines(&large).unwrap();
        let mut commit = tokio::task::JoinSet::new();
        commit.spawn(async move { ledger.commit(large).await });
        tokio::task::yield_now().await;
        let mut taken = vec![0; expected.len()];
        std::io::Read::read_exact(&mut reader, &mut taken).unwrap();
        assert!(taken == expected);
        commit.join_next().await.unwrap().unwrap().unwrap();
    }

    #[test]
    fn a_closed_pipe_is_an_error() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut out = Lines { out: writer, begun: None };
        let err = out.write(&outcome("a", 1, vec![record(1, "one")])).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::BrokenPipe);
    }
}
