//! Keeps a second daemon away from the database, and lets readers in.
//!
//! SQLite's own locks would keep nobody out between two commits. The lock is on a file of its own
//! beside the database, held as long as this process lives, so a killed daemon leaves none behind.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::private::{self, NotOpened};
use super::{not_opened, open_error};
use crate::ledger::CommitError;

/// A process id has at most this many digits; the rest of the file is not ours.
const PID_BYTES_MAX: u64 = 20;

/// How often the lock is tried before somebody counts as having it. Whoever only looks who has it
/// ([`holder`]) shares it for some microseconds.
const TRIES: u32 = 5;

/// Between two tries.
const TRY_WAIT: Duration = Duration::from_millis(20);

/// The lock; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the database at `path`.
    ///
    /// # Errors
    /// [`CommitError::InUse`] if another process holds it, [`CommitError::Open`] if its file
    /// cannot be made or locked.
    pub(super) fn take(path: &Path) -> Result<Self, CommitError> {
        let name = lock_path(path);
        let refused = |err: &NotOpened| {
            let why =
                format!("its lock \"{}\" cannot be taken: {}", name.display(), not_opened(err));
            open_error(path, why)
        };
        let mut file = private::open(&name).map_err(|err| refused(&err))?;
        match try_often(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.display().to_string();
                return Err(CommitError::InUse { path, pid: written_pid(&mut file) });
            }
            Err(TryLockError::Error(err)) => return Err(refused(&err.into())),
        }
        private::tighten(&name);
        // Only a help to whoever is refused; a full disk must not keep a reader of states out.
        let _unwritten = write_pid(&mut file);
        Ok(Self { _file: file })
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[expect(clippy::disallowed_methods, reason = "a ledger is opened off the runtime's workers")]
fn try_often(file: &File) -> Result<(), TryLockError> {
    for _ in 1..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(TRY_WAIT),
            tried => return tried,
        }
    }
    file.try_lock()
}

/// A daemon that has a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process, if it could write that.
    pub pid: Option<u32>,
}

/// The daemon that has the database at `path` now, if one has.
///
/// # Errors
/// What the system says if that cannot be seen.
pub fn holder(path: &Path) -> io::Result<Option<Holder>> {
    let mut file = match File::open(lock_path(path)) {
        Ok(file) => file,
        // Made before a daemon does anything else.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(Holder { pid: written_pid(&mut file) })),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn written_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_looks_sees_who_has_the_database_and_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conflictwire.sqlite");
        assert_eq!(holder(&path).unwrap(), None, "no lock was ever made");
        let lock = Lock::take(&path).unwrap();
        assert_eq!(holder(&path).unwrap(), Some(Holder { pid: Some(std::process::id()) }));
        assert!(matches!(Lock::take(&path), Err(CommitError::InUse { .. })));
        drop(lock);
        assert_eq!(holder(&path).unwrap(), None, "the file that is left says nothing");
    }
}
