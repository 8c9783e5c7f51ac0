//! Which files a configuration was read from, and how they were then: to see when one has changed, and to
//! say which one never ends.
//!
//! A file is told from another by what the system says of it (device, inode, size, times), following
//! symbolic links: that costs nothing, works on every mount, and sees the swapped link of a Kubernetes
//! `ConfigMap`, of which events of the file system tell little.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What tells a file from another and from itself before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file at a path now; `None` if there is none that can be asked about.
    fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}

#[derive(Debug)]
struct FileRead {
    path: PathBuf,
    /// From before it was opened, so that no change is missed.
    stamp: Option<Stamp>,
    is_over: bool,
}

/// Every file and folder that was read, or was to be. Shared with whoever looks on.
#[derive(Clone, Debug, Default)]
pub struct FilesRead(Arc<Mutex<Vec<FileRead>>>);

impl FilesRead {
    /// Reads a file or folder by `read`, and remembers how it was.
    pub(super) fn note<T>(&self, path: &Path, read: impl FnOnce() -> T) -> T {
        let index = {
            let mut files = self.files();
            files.push(FileRead { path: path.to_owned(), stamp: None, is_over: false });
            files.len() - 1
        };
        let stamp = Stamp::of(path);
        self.change(index, |file| file.stamp = stamp);
        let answer = read();
        self.change(index, |file| file.is_over = true);
        answer
    }

    /// As `note`, for what is no file: only whether it has ended is of interest.
    pub fn note_other<T>(&self, name: &str, read: impl FnOnce() -> T) -> T {
        self.note(Path::new(name), read)
    }

    /// Forgets everything: it is all read once more.
    pub fn clear(&self) {
        self.files().clear();
    }

    /// The file that is being read, or whose reading never ended.
    pub fn unfinished(&self) -> Option<PathBuf> {
        self.files().iter().find(|file| !file.is_over).map(|file| file.path.clone())
    }

    /// Those that are no longer what they were, with what they are now. Blocks as long as a mount does that
    /// does not answer.
    pub fn changed(&self) -> Vec<(PathBuf, Option<Stamp>)> {
        let known: Vec<(PathBuf, Option<Stamp>)> =
            self.files().iter().map(|file| (file.path.clone(), file.stamp)).collect();
        let now = known.into_iter().map(|(path, then)| {
            let now = Stamp::of(&path);
            (now != then).then_some((path, now))
        });
        now.flatten().collect()
    }

    fn change(&self, index: usize, change: impl FnOnce(&mut FileRead)) {
        if let Some(file) = self.files().get_mut(index) {
            change(file);
        }
    }

    fn files(&self) -> MutexGuard<'_, Vec<FileRead>> {
        // A thread that panicked here left nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn changed(files: &FilesRead) -> Vec<PathBuf> {
        files.changed().into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn a_file_that_is_written_anew_replaced_made_or_removed_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["same", "written", "replaced", "removed"] {
            fs::write(path(name), "a").unwrap();
        }
        let files = FilesRead::default();
        for name in ["same", "written", "replaced", "removed", "made"] {
            files.note(&path(name), || ());
        }
        assert_eq!(files.changed(), []);
        fs::write(path("written"), "bb").unwrap();
        fs::write(path("new"), "a").unwrap();
        fs::rename(path("new"), path("replaced")).unwrap();
        fs::remove_file(path("removed")).unwrap();
        fs::write(path("made"), "a").unwrap();
        let expected = ["written", "replaced", "removed", "made"].map(path);
        assert_eq!(changed(&files), expected);
    }

    /// As Kubernetes mounts one: the file is a link into `..data`, itself a link to a folder with a date.
    #[test]
    fn the_swapped_link_of_a_configmap_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for version in ["..1", "..2"] {
            fs::create_dir(path(version)).unwrap();
            fs::write(path(version).join("conflictwire.toml"), "a").unwrap();
        }
        symlink("..1", path("..data")).unwrap();
        symlink("..data/conflictwire.toml", path("conflictwire.toml")).unwrap();
        let files = FilesRead::default();
        files.note(&path("conflictwire.toml"), || ());
        assert_eq!(files.changed(), []);
        symlink("..2", path("..data_tmp")).unwrap();
        fs::rename(path("..data_tmp"), path("..data")).unwrap();
        assert_eq!(changed(&files), [path("conflictwire.toml")]);
    }

    #[test]
    fn a_folder_changes_when_a_file_comes_into_it() {
        let folder = tempfile::tempdir().unwrap();
        let files = FilesRead::default();
        files.note(folder.path(), || ());
        fs::write(folder.path().join("a.toml"), "").unwrap();
        assert_eq!(changed(&files), [folder.path()]);
    }

    #[test]
    fn the_file_whose_reading_has_not_ended_is_named() {
        let files = FilesRead::default();
        files.note(Path::new("/a"), || ());
        assert_eq!(files.unfinished(), None);
        let named = files.note(Path::new("/b"), || files.unfinished());
        assert_eq!(named, Some(PathBuf::from("/b")));
    }
}
