//! Keeps a second daemon away from the database, and lets readers in.
//!
//! SQLite's own locks would keep nobody out between two commits. The lock is on a file of its own
//! beside the database, held as long as this process lives, so a killed daemon leaves none behind.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::private::{self, NotOpened};
use super::{not_opened, open_error};
use crate::commit::CommitError;

/// A process id has at most this many digits; the rest of the file is not ours.
const PID_BYTES_MAX: u64 = 20;

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
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.display().to_string();
                return Err(CommitError::InUse { path, pid: holder(&mut file) });
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

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
