//! The files that keep the last good list of a URL, and with what validators it came.
//!
//! A file is replaced as a whole or not at all. The validators stand beside it with the digest of the list
//! that they belong to: whatever became of the list since, they are sent for no other.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use cw_model::digest::bytes_digest;
use cw_model::{Digest, Validators};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

/// Of a folder that is made: it may be that of the ledger, which keeps everybody else out.
const FOLDER_MODE: u32 = 0o700;

/// A list as it is kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Of its bytes; `None`: there is none.
    pub(super) digest: Option<Digest>,
    /// With what to ask whether it has changed, by URL.
    pub(super) validators: BTreeMap<String, Validators>,
}

impl Kept {
    /// What is kept there. Blocks. What cannot be read is as if there were none: it is fetched whole.
    pub(super) fn read(path: &Path) -> Self {
        let Ok(bytes) = std::fs::read(path) else { return Self::default() };
        let digest = bytes_digest(&bytes);
        let validators = || {
            let beside: Value = serde_json::from_slice(&std::fs::read(beside(path)).ok()?).ok()?;
            let is_of_it = beside.get("digest")?.as_str()? == digest.to_string();
            let validators = beside.get("validators").filter(|_| is_of_it)?;
            serde_json::from_value(validators.clone()).ok()
        };
        Self { digest: Some(digest), validators: validators().unwrap_or_default() }
    }

    /// Keeps a list. Blocks.
    ///
    /// # Errors
    /// What the system says; then what was kept before still is.
    pub(super) fn write(
        path: &Path,
        bytes: &[u8],
        validators: &BTreeMap<String, Validators>,
    ) -> io::Result<()> {
        replace(path, bytes)?;
        let digest = bytes_digest(bytes).to_string();
        let text = json!({ "digest": digest, "validators": validators }).to_string();
        replace(&beside(path), text.as_bytes())
    }
}

/// Where the validators of a list stand.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("validators.json")
}

/// Puts a file in the place of another. Only its owner may read it: URLs hold tokens.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn validators(etag: &str) -> BTreeMap<String, Validators> {
        let validators = Validators { etag: Some(etag.to_owned()), last_modified: None };
        BTreeMap::from([("https://a.b/".to_owned(), validators)])
    }

    #[test]
    fn validators_are_of_the_list_they_came_with_and_of_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made").join("a.list");
        assert_eq!(Kept::read(&path).digest, None);
        Kept::write(&path, b"one", &validators("\"1\"")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        let kept = Kept::read(&path);
        assert_eq!(kept.digest, Some(bytes_digest(b"one")));
        assert_eq!(kept.validators, validators("\"1\""));
        // As after an end between the two files, or an editor.
        std::fs::write(&path, b"two").unwrap();
        let kept = Kept::read(&path);
        assert_eq!((kept.digest, kept.validators), (Some(bytes_digest(b"two")), BTreeMap::new()));
    }
}
