//! A TOML file with feeds, changed where a person asked for it: comments, order and everything else in it
//! stay as they are.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cw_model::FeedId;
use toml_edit::{ArrayOfTables, DocumentMut, Table, Value, value};
use url::Url;

/// A file and its text.
#[derive(Debug)]
pub(super) struct FeedFile {
    /// As it is called.
    pub(super) path: PathBuf,
    /// What stands on the disk; `None` if there is no file.
    before: Option<String>,
    document: DocumentMut,
}

impl FeedFile {
    /// Reads a file; one that is not there is empty.
    ///
    /// # Errors
    /// It cannot be read, or is not TOML.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let before = match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("could not read \"{shown}\"")),
        };
        let text = before.as_deref().unwrap_or_default();
        let document = text.parse::<DocumentMut>();
        let document = document.with_context(|| format!("\"{shown}\" is not TOML"))?;
        Ok(Self { path: path.to_owned(), before, document })
    }

    /// Its text as it is on the disk; `None` if there is no file.
    pub(super) fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// Its text as it is to be.
    pub(super) fn text(&self) -> String {
        self.document.to_string()
    }

    /// Which of its feeds has this id.
    pub(super) fn find(&self, id: &FeedId) -> Option<usize> {
        let feeds = self.document.get("feed")?.as_array_of_tables()?;
        feeds.iter().position(|feed| id_of(feed).as_ref() == Some(id))
    }

    /// Adds tables of feeds at the end.
    ///
    /// # Errors
    /// There is no place for them: the feeds of the file are one list, `feed = [...]`.
    pub(super) fn append(&mut self, tables: &str) -> anyhow::Result<()> {
        let mut text = self.text();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(if text.is_empty() { tables.trim_start() } else { tables });
        let shown = self.path.display();
        self.document = text.parse::<DocumentMut>().map_err(|error| {
            let why = error.message();
            anyhow::anyhow!("cannot append to \"{shown}\", it would not be TOML any more: {why}")
        })?;
        Ok(())
    }

    /// Takes a feed out, with the comment right above it. A heading over several, which an empty line
    /// separates from the feed, stays.
    pub(super) fn remove(&mut self, index: usize) {
        let Some(feeds) = self.feeds() else { return };
        let Some(feed) = feeds.get(index) else { return };
        let above = feed.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
        let stays = above.rfind("\n\n").and_then(|at| above.get(..=at)).unwrap_or_default();
        let stays = stays.to_owned();
        feeds.remove(index);
        if let Some(next) = feeds.get_mut(index) {
            let own = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
            let both = format!("{stays}{own}");
            next.decor_mut().set_prefix(both);
        } else {
            let rest = self.document.trailing().as_str().unwrap_or_default();
            let both = format!("{stays}{rest}");
            self.document.set_trailing(both);
        }
    }

    /// Sets a key of a feed; `None` takes it out.
    pub(super) fn set(&mut self, index: usize, key: &str, to: Option<Value>) {
        let Some(feed) = self.feeds().and_then(|feeds| feeds.get_mut(index)) else { return };
        match to {
            None => {
                feed.remove(key);
            }
            Some(to) => match feed.get_mut(key).and_then(|item| item.as_value_mut()) {
                // The comment behind the old value is about the key.
                Some(old) => {
                    let decor = old.decor().clone();
                    *old = to;
                    *old.decor_mut() = decor;
                }
                None => {
                    feed.insert(key, value(to));
                }
            },
        }
    }

    /// Whether a feed has a key.
    pub(super) fn has(&self, index: usize, key: &str) -> bool {
        let feeds = self.document.get("feed").and_then(|feeds| feeds.as_array_of_tables());
        feeds.and_then(|feeds| feeds.get(index)).is_some_and(|feed| feed.contains_key(key))
    }

    /// Writes it to the disk, whole or not at all where the folder lets us.
    ///
    /// # Errors
    /// It cannot be written, or somebody else has changed it since it was read.
    pub(super) fn write(&self) -> anyhow::Result<()> {
        let shown = self.path.display();
        let now = std::fs::read_to_string(&self.path).ok();
        if now != self.before {
            bail!(
                "\"{shown}\" was changed by somebody else meanwhile; nothing was written, try again"
            );
        }
        let text = self.text();
        if self.replace(&text).is_err() {
            // A single file that is mounted, or a folder of another user: then in place.
            let written = std::fs::write(&self.path, &text);
            written.with_context(|| format!("could not write \"{shown}\""))?;
        }
        Ok(())
    }

    /// Puts a new file in the place of the old one, or of the one that a link leads to.
    fn replace(&self, text: &str) -> std::io::Result<()> {
        let real = match &self.before {
            Some(_) => self.path.canonicalize()?,
            None => std::path::absolute(&self.path)?,
        };
        let folder = real.parent().unwrap_or(Path::new("/"));
        let mut file = tempfile::Builder::new().prefix(".feeds.").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        if let Some(permissions) = std::fs::metadata(&real).ok().map(|old| old.permissions()) {
            file.as_file().set_permissions(permissions)?;
        } else {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.as_file().sync_all()?;
        file.persist(&real)?;
        Ok(())
    }

    fn feeds(&mut self) -> Option<&mut ArrayOfTables> {
        self.document.get_mut("feed")?.as_array_of_tables_mut()
    }
}

/// The id of a feed as written: its own, or that of its URL.
fn id_of(feed: &Table) -> Option<FeedId> {
    let text = |key: &str| feed.get(key).and_then(|item| item.as_str());
    if let Some(id) = text("id") {
        return FeedId::parse(id).ok();
    }
    let mut url = Url::parse(text("url")?).ok()?;
    url.set_fragment(None);
    Some(FeedId::from_url(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
# Ours.

# ---- Agencies

# the first
[[feed]]
id = \"a\" # short
url = \"https://a.example/rss\"

# the second
[[feed]]
url = \"https://b.example/rss\" # for now
publisher = \"B\"

# ---- Others

[[feed]]
id = \"c\"
url = \"https://c.example/rss\"
# the end
";

    fn with(text: &str, change: impl FnOnce(&mut FeedFile)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.toml");
        std::fs::write(&path, text).unwrap();
        let mut file = FeedFile::read(&path).unwrap();
        change(&mut file);
        file.write().unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    fn id(text: &str) -> FeedId {
        FeedId::parse(text).unwrap()
    }

    #[test]
    fn what_is_not_changed_stays_to_the_byte() {
        assert_eq!(with(LIST, |_| ()), LIST);
    }

    #[test]
    fn a_feed_goes_with_its_comment_and_a_heading_stays() {
        let removed = |name: &str| {
            with(LIST, |file| {
                let index = file.find(&id(name)).unwrap();
                file.remove(index);
            })
        };
        let first = "# the first\n[[feed]]\nid = \"a\" # short\nurl = \"https://a.example/rss\"\n";
        assert_eq!(removed("a"), LIST.replace(&format!("{first}\n"), ""));
        let text = removed("b.example-rss");
        assert!(!text.contains("second") && text.contains("# ---- Others"), "{text}");
        let text = removed("c");
        assert!(text.contains("# ---- Others") && text.contains("# the end"), "{text}");
        assert!(!text.contains("c.example"), "{text}");
    }

    #[test]
    fn a_key_is_set_in_its_place_and_keeps_its_comment() {
        let text = with(LIST, |file| {
            let index = file.find(&id("b.example-rss")).unwrap();
            file.set(index, "url", Some("https://b.example/new".into()));
            file.set(index, "enabled", Some(false.into()));
            file.set(index, "publisher", None);
        });
        let changed = "url = \"https://b.example/new\" # for now\nenabled = false\n";
        let before = "url = \"https://b.example/rss\" # for now\npublisher = \"B\"\n";
        assert_eq!(text, LIST.replace(before, changed));
    }

    #[test]
    fn a_file_that_somebody_else_changed_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.toml");
        std::fs::write(&path, LIST).unwrap();
        let mut file = FeedFile::read(&path).unwrap();
        file.remove(0);
        std::fs::write(&path, "# mine\n").unwrap();
        let error = file.write().unwrap_err().to_string();
        assert!(error.contains("changed by somebody else"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# mine\n");
    }

    #[test]
    fn a_link_stays_a_link_and_a_mode_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.toml"), folder.path().join("feeds.toml"));
        std::fs::write(&real, LIST).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real.toml", &link).unwrap();
        let mut file = FeedFile::read(&link).unwrap();
        file.remove(0);
        file.write().unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(!std::fs::read_to_string(&real).unwrap().contains("a.example"));
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
