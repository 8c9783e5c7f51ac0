//! The demo's configuration: as the daemon's own, but for its feeds, its haste and loopback.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use cw_code::Sources;
use cw_decide::schedule::queue::Politeness;
use cw_model::{Backlog, Feed, FeedId, Quota};
use cw_status::{LogFormat, LogSettings};
use ipnet::{IpNet, Ipv4Net};
use tracing::level_filters::LevelFilter;
use url::Url;

use super::script::{DemoFeed, FEEDS, PAGES};
use crate::config::{Config, FeedDefaults, FilesRead, TagSettings};
use crate::fetch::{FetchSettings, PrivateNetworks, Proxies};
use crate::ledger::LedgerSettings;
use crate::ledger::sqlite::SqliteSettings;

/// Between two polls of a feed: second polls must come while somebody watches.
const INTERVAL: Duration = Duration::from_secs(2);

/// The longest wait after failures, for the same reason.
const INTERVAL_MAX: Duration = Duration::from_secs(4);

/// Between the starts of two polls of one host.
pub const HOST_GAP: Duration = Duration::from_millis(300);

/// Far above any document here: what passes it is a mistake of ours.
const BODY_LIMIT: u64 = 1024 * 1024;

/// Far more than the demo's documents take.
const MEMORY: u64 = 256 * 1024 * 1024;

/// The name of the ledger in the demo's folder.
pub const LEDGER: &str = "conflictwire.db";

/// The configuration of a demo that keeps its ledger in `folder` and is served from `port`.
pub fn config(folder: &Path, port: u16) -> Config {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let hosts: BTreeMap<String, IpAddr> =
        PAGES.iter().map(|page| (page.host.to_owned(), loopback)).collect();
    let feed_defaults = FeedDefaults {
        interval_min: INTERVAL,
        interval_max: INTERVAL_MAX,
        retry_after_max: INTERVAL_MAX,
        backlog: Backlog::All,
        entries_max: 100,
        text_chars_max: 20_000,
        body_limit: BODY_LIMIT,
        quota: Quota { articles: 10_000, bytes: 64 << 20 },
    };
    Config {
        path: None,
        feeds_from: Vec::new(),
        lists: Vec::new(),
        list_interval: INTERVAL_MAX,
        disabled: Vec::new(),
        feeds: FEEDS.iter().map(|one| feed(one, port, &feed_defaults)).collect(),
        feed_defaults,
        fetch: FetchSettings {
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            // All of its hosts are one server, and it is ours.
            host_gap: Duration::ZERO,
            body_limit: BODY_LIMIT,
            redirects_max: 5,
            user_agent: concat!("conflictwire/", env!("CARGO_PKG_VERSION"), " (demo)").to_owned(),
            // This one address, and only because the names above lead to it: any other is refused
            // here as anywhere.
            private_networks: PrivateNetworks::Ranges(vec![IpNet::V4(Ipv4Net::from(
                Ipv4Addr::LOCALHOST,
            ))]),
            resolve: hosts,
            proxies: Proxies::default(),
        },
        concurrency: 8,
        memory: MEMORY,
        politeness: Politeness { host_concurrency: 1, host_gap: HOST_GAP },
        tag: TagSettings { threshold: 0.5, sources: Sources::built_in() },
        ledger: LedgerSettings::Sqlite(SqliteSettings {
            path: folder.join(LEDGER),
            keep_age: None,
            keep_bytes: None,
        }),
        admin_listen: None,
        admin_token: None,
        admin_token_file: None,
        websub: None,
        traces: None,
        log: LogSettings { level: LevelFilter::OFF, format: LogFormat::Auto },
        drain_timeout: Duration::from_secs(5),
        watch: None,
        warnings: Vec::new(),
        files: FilesRead::default(),
    }
}

fn feed(feed: &DemoFeed, port: u16, defaults: &FeedDefaults) -> Feed {
    let url = format!("http://{}:{port}{}", feed.host, feed.path);
    let id =
        FeedId::parse(feed.id).expect("ids of the script are ids: `every_feed_can_be_configured`");
    let url = Url::parse(&url).expect("hosts and paths of the script are those of URLs: see there");
    Feed {
        publisher: Some(feed.publisher.to_owned()),
        interval: Some(INTERVAL),
        ..defaults.feed(id, url)
    }
}
