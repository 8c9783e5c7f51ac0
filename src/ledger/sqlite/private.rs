//! Files that only their owner may read, opened where they stand: no link leads elsewhere.
//!
//! Articles may be embargoed and feed URLs hold tokens, so neither depends on a umask. Whoever may
//! write into the directory could put a link in the place of the database or its lock, to make the
//! daemon write to a file of its own that was never meant for it.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

/// The owner reads and writes, nobody else does anything.
const MODE: u32 = 0o600;

/// What of a mode is for others than the owner.
const OTHERS: u32 = 0o077;

/// What SQLite puts beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotOpened {
    /// A link stands in its place.
    #[error("\"{path}\" is a symbolic link; name the file itself, or move the link away")]
    Link {
        /// The place.
        path: String,
    },
    /// Something else stands in its place.
    #[error("\"{path}\" is no file; name another place, or move it away")]
    NoFile {
        /// The place.
        path: String,
    },
    /// The system said no.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Opens a file for reading and writing, making it if it is not there: the owner's alone then,
/// whatever the umask.
///
/// Closing it gives up the locks that this process has on it, SQLite's too: no database that is
/// open may be opened again by this.
///
/// # Errors
/// [`NotOpened`].
pub(super) fn open(path: &Path) -> Result<File, NotOpened> {
    // Makes nothing through a link, not even through one that leads nowhere.
    let made = OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(path);
    match made {
        Ok(file) => {
            file.set_permissions(Permissions::from_mode(MODE))?;
            return Ok(file);
        }
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {}
        Err(err) => return Err(err.into()),
    }
    let place = path.symlink_metadata()?;
    refuse_what_is_no_file(path, &place)?;
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let opened = file.metadata()?;
    // A link that was put there between the two calls leads to another file.
    if (opened.dev(), opened.ino()) != (place.dev(), place.ino()) {
        return Err(NotOpened::Link { path: path.display().to_string() });
    }
    Ok(file)
}

/// Fails if a link or something else that is no file stands where SQLite keeps what belongs to a
/// database: SQLite would refuse it with less of a reason.
///
/// # Errors
/// [`NotOpened`].
pub(super) fn look_beside(database: &Path) -> Result<(), NotOpened> {
    for path in beside(database) {
        if let Ok(place) = path.symlink_metadata() {
            refuse_what_is_no_file(&path, &place)?;
        }
    }
    Ok(())
}

/// Makes a file of ours the owner's alone. What was open to others is told.
pub(super) fn tighten(path: &Path) {
    // What SQLite leaves behind in a crash keeps the mode that it had.
    for path in std::iter::once(path.to_owned()).chain(beside(path)) {
        let Ok(place) = path.symlink_metadata() else { continue };
        if place.is_file() && place.mode() & OTHERS != 0 {
            tell(&path, std::fs::set_permissions(&path, Permissions::from_mode(MODE)));
        }
    }
}

fn beside(database: &Path) -> impl Iterator<Item = PathBuf> {
    BESIDE.iter().map(|ending| {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

fn refuse_what_is_no_file(path: &Path, place: &Metadata) -> Result<(), NotOpened> {
    let shown = || path.display().to_string();
    if place.is_symlink() {
        return Err(NotOpened::Link { path: shown() });
    }
    if !place.is_file() {
        return Err(NotOpened::NoFile { path: shown() });
    }
    Ok(())
}

/// Says what was open to others, and whether it is no more.
fn tell(path: &Path, tightened: io::Result<()>) {
    let path = path.display();
    match tightened {
        Ok(()) => warn!(
            ledger.path = %path,
            "other users could open this file of the ledger; now its mode is 0600"
        ),
        Err(error) => warn!(
            ledger.path = %path,
            error = %error,
            "other users can open this file of the ledger, and its mode cannot be changed"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o777
    }

    #[test]
    fn a_new_file_is_its_owners_alone() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("new");
        drop(open(&path).unwrap());
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_file_that_others_could_open_is_closed_to_them_and_keeps_its_bytes() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("old");
        std::fs::write(&path, "kept").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        std::fs::write(folder.path().join("old-wal"), "").unwrap();
        std::fs::set_permissions(folder.path().join("old-wal"), Permissions::from_mode(0o644))
            .unwrap();
        drop(open(&path).unwrap());
        assert_eq!(mode(&path), 0o666, "it may be somebody else's");
        tighten(&path);
        assert_eq!((mode(&path), mode(&folder.path().join("old-wal"))), (0o600, 0o600));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
    }

    #[test]
    fn no_link_is_followed_wherever_it_leads() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("target");
        let link = folder.path().join("link");
        symlink(&target, &link).unwrap();
        assert!(matches!(open(&link), Err(NotOpened::Link { .. })), "leads nowhere");
        assert!(!target.exists(), "nothing is made behind a link");
        std::fs::write(&target, "theirs").unwrap();
        assert!(matches!(open(&link), Err(NotOpened::Link { .. })));
        symlink(&target, folder.path().join("data-shm")).unwrap();
        let beside = look_beside(&folder.path().join("data"));
        assert!(matches!(beside, Err(NotOpened::Link { .. })), "{beside:?}");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "theirs");
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = TempDir::new().unwrap();
        assert!(matches!(open(folder.path()), Err(NotOpened::NoFile { .. })));
        assert!(matches!(open(Path::new("/dev/null")), Err(NotOpened::NoFile { .. })));
    }
}
