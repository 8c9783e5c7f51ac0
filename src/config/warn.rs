//! What of a configuration works and is perhaps not what was meant: said by `check` and at the start, and
//! no reason not to run.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cw_model::{FeedId, PrivateNetworks};
use url::Url;

use super::environment::Environment;
use super::feed_url::read_url;
use super::feeds::FeedList;
use super::origin::Origins;
use super::raw::RawFeed;
use super::requests::FeedFiles;
use super::{Config, Problem};
use crate::fetch::{SharedProxy, is_this_machine};
use crate::ledger::LedgerSettings;

/// Of a mode: others than owner and group may read.
const READABLE_BY_OTHERS: u32 = 0o004;

/// The warnings of a configuration. `secret_files` are the files with secrets, each with its key; `lists` are its feeds
/// as they are written.
pub(super) fn warnings(
    config: &Config,
    contact: &str,
    secret_files: &[(String, PathBuf)],
    environment: &Environment,
    (origins, feeds_from): (&Origins, &[String]),
    lists: &[FeedList],
) -> Vec<Problem> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut warn = |key: &str, text: String| found.push((key.to_owned(), text));
    if contact.is_empty() {
        let text = "empty; some publishers refuse robots that name nobody, and others would rather write \
                    than block: give a web or mail address";
        warn("fetch.contact", text.to_owned());
    }
    if config.fetch.private_networks == PrivateNetworks::Allowed {
        let text = "true lets every feed whose host is in a private network be asked there; name ranges, \
                    or the feeds";
        warn("fetch.allow_private_networks", text.to_owned());
    }
    if config.fetch.proxies.shared == SharedProxy::Direct
        && environment.proxies().map_or(true, |named| named.http.is_some() || named.https.is_some())
    {
        let text = "\"off\", and the environment names proxies, which are not used; \"environment\" uses \
                    them";
        warn("fetch.proxy", text.to_owned());
    }
    if let Some(listen) = config.admin_listen.filter(|listen| !listen.ip().is_loopback())
        && config.admin_token.is_none()
    {
        warn(
            "admin.listen",
            format!(
                "other machines reach {listen}: the status page and /api are closed until \
                 admin.token_file is set; probes and metrics are open"
            ),
        );
    }
    if config.ledger == LedgerSettings::JsonLines {
        let text = "\"json_lines\" remembers nothing: each start publishes everything once more";
        warn("ledger.kind", text.to_owned());
    }
    for (key, path) in secret_files {
        if let Some(text) = open_to_all(path) {
            warn(key, text);
        }
    }
    for (index, name) in feeds_from.iter().enumerate() {
        if read_url(name).is_ok_and(|url| is_open_to_others(&url)) {
            let text = "asked over http, where anybody on the way can change which feeds are polled; use https \
                        where the server has it";
            warn(&format!("feeds_from[{index}]"), text.to_owned());
        }
    }
    let mut warnings: Vec<Problem> =
        found.into_iter().map(|(key, text)| origins.problem(&key, text)).collect();
    warnings.extend(plain_feeds(lists));
    warnings
}

/// Files with headers of feeds that every user of the machine can read, where they are named first.
pub(super) fn open_headers(files: &FeedFiles, lists: &[FeedList]) -> Vec<Problem> {
    let warning = |(name, path): (&str, &Path)| {
        let text = open_to_all(path)?;
        lists.iter().find_map(|list| {
            let is_it = |raw: &RawFeed| raw.headers_file.as_deref() == Some(name);
            let index = list.feeds.iter().position(is_it)?;
            Some(list.origins.problem(&format!("feed[{index}].headers_file"), text.clone()))
        })
    };
    files.with_headers().filter_map(warning).collect()
}

/// What is said of a secret file that every user of the machine can read; `None` of any other.
fn open_to_all(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.mode();
    (mode & READABLE_BY_OTHERS != 0).then(|| {
        format!(
            "\"{}\" can be read by every user of this machine; `chmod o-r` keeps it secret",
            path.display()
        )
    })
}

/// The first feed that is asked over http, where it stands, and how many more there are.
fn plain_feeds(lists: &[FeedList]) -> Option<Problem> {
    let mut plain = lists.iter().flat_map(|list| {
        let feeds = list.feeds.iter().enumerate();
        let polled = feeds.filter(|(_, raw)| raw.enabled != Some(false));
        polled.filter_map(move |(index, raw)| {
            let url = read_url(raw.url.as_deref()?).ok()?;
            let id = || raw.id.clone().unwrap_or_else(|| FeedId::from_url(&url).to_string());
            is_open_to_others(&url).then(|| (list, index, id()))
        })
    });
    let (list, index, id) = plain.next()?;
    let which = match plain.count() {
        0 => format!("\"{id}\" is"),
        more => format!("\"{id}\" and {more} more are"),
    };
    let text = format!(
        "{which} asked over http, where anybody on the way can change what is published; use https \
         where the publisher has it"
    );
    Some(list.origins.problem(&format!("feed[{index}].url"), text))
}

/// Whether others lie on the way: http, and not to this machine itself.
fn is_open_to_others(url: &Url) -> bool {
    url.scheme() == "http" && url.host().is_some_and(|host| !is_this_machine(&host))
}
