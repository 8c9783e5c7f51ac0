//! Lists of feeds that `feeds_from` names by URL. What is read is the last good list, which is kept in a file:
//! a start needs no server. Asking for a newer one is `pipeline::lists`'.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cw_model::digest::bytes_digest;
use cw_model::{FeedId, without_query};
use url::Url;

use super::environment::Environment;
use super::feed_url::read_url;
use super::feeds::FeedList;
use super::{
    Config, ConfigError, FileError, Files, FilesRead, Problem, Sources, load_with, read_file,
};

/// A list of feeds that is asked for by its URL.
#[derive(Clone, Debug)]
pub struct ListByUrl {
    /// Where it is asked for.
    pub url: Url,
    /// The file that keeps the last good one.
    pub kept: PathBuf,
    /// The feeds of the kept one that are polled; `None`: none was fetched yet.
    pub feeds: Option<HashSet<FeedId>>,
}

impl ListByUrl {
    /// Its URL, as far as it may be shown: a query may hold a token.
    pub fn shown(&self) -> String {
        without_query(&self.url)
    }

    /// How many feeds of it are polled.
    pub fn count(&self) -> usize {
        self.feeds.as_ref().map_or(0, HashSet::len)
    }
}

/// Bytes that are read in the place of a kept list: a newer one, to see what would come of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instead<'a> {
    kept: &'a Path,
    bytes: &'a [u8],
}

/// What a configuration would be with this list in the place of the kept one.
///
/// # Errors
/// Every problem: of the list, and of the whole.
pub fn load_trying(
    path: Option<&Path>,
    list: &ListByUrl,
    bytes: &[u8],
) -> Result<Config, ConfigError> {
    let environment = Environment::of_process();
    let instead = Instead { kept: &list.kept, bytes };
    let read = FilesRead::default();
    load_with(path, &environment, Sources::built_in(), &read, Some(instead))
}

impl Files<'_> {
    /// The list at a URL as it is kept, and the feeds of it; `None`, and a problem, if that is not possible.
    pub(super) fn list_by_url(
        &self,
        key: &str,
        name: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(ListByUrl, Option<FeedList>)> {
        let mut report = |text: String| problems.push(self.origins.problem(key, text));
        let url = match read_url(name) {
            Ok(url) => url,
            Err(unfit) => {
                report(unfit.to_string());
                return None;
            }
        };
        let Some(folder) = self.kept_lists else {
            let text = "there is no folder to keep the list in: sqlite.path is empty, and none of \
                        $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME is set";
            report(text.to_owned());
            return None;
        };
        let kept =
            folder.join(format!("feeds-from-{}.list", bytes_digest(url.as_str().as_bytes())));
        let list = ListByUrl { url, kept, feeds: None };
        let read = match self.instead {
            Some(instead) if instead.kept == list.kept => Ok(instead.bytes.to_vec()),
            Some(_) | None => read_file(&list.kept, self.read),
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(FileError::Unreadable(error)) if error.kind() == ErrorKind::NotFound => {
                return Some((list, None));
            }
            Err(error) => {
                report(format!("\"{}\" {error}", list.kept.display()));
                return None;
            }
        };
        let (feeds, mut found) = FeedList::read_from_url(&list.shown(), &bytes);
        problems.append(&mut found);
        let polled = feeds.polled();
        Some((ListByUrl { feeds: Some(polled), ..list }, Some(feeds)))
    }
}
