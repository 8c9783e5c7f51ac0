//! What of a configuration works and is perhaps not what was meant: said by `check` and at the start, and
//! no reason not to run.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use cw_model::PrivateNetworks;

use super::environment::Environment;
use super::origin::Origins;
use super::{Config, Problem};
use crate::fetch::SharedProxy;
use crate::ledger::LedgerSettings;

/// Of a mode: others than owner and group may read.
const READABLE_BY_OTHERS: u32 = 0o004;

/// The warnings of a configuration. `secret_files` are the files with secrets, each with its key.
pub(super) fn warnings(
    config: &Config,
    contact: &str,
    secret_files: &[(String, PathBuf)],
    environment: &Environment,
    origins: &Origins,
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
        let mode = std::fs::metadata(path).map_or(0, |file| file.mode());
        if mode & READABLE_BY_OTHERS != 0 {
            let text = format!(
                "\"{}\" can be read by every user of this machine; `chmod o-r` keeps it secret",
                path.display()
            );
            warn(key, text);
        }
    }
    let plain = config.feeds.iter().filter(|feed| feed.url.scheme() == "http");
    let (mut count, mut first) = (0_usize, None);
    for feed in plain {
        count += 1;
        first = first.or(Some(feed.id.as_str()));
    }
    if let Some(first) = first {
        let which = match count {
            1 => format!("\"{first}\" is"),
            count => format!("\"{first}\" and {} more are", count - 1),
        };
        let text = format!(
            "{which} asked over http, where anybody on the way can change what is published; use https \
             where the publisher has it"
        );
        warn("feed", text);
    }
    found.into_iter().map(|(key, text)| origins.problem(&key, text)).collect()
}
