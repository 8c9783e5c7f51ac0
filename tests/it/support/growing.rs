//! A feed that grows and edits its headlines by a fixed script, so that every text it ever served
//! is known, and with it what a ledger must hold.
//!
//! Version v of a feed has entries 1 to v + 2, the newest [`WINDOW`] of them. Entry k gets
//! another headline in each version v after the one that brought it for which v + k divides by
//! [`EDITED_EVERY`]. A version's `ETag` names it, so a request that carries it proves that the
//! version was committed: such versions are *acknowledged*, and a ledger must have all of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::publisher::{Publisher, Reply, Request};

/// Entries shown at once.
const WINDOW: u64 = 40;

/// About one entry in so many is edited from one version to the next.
const EDITED_EVERY: u64 = 5;

/// When the next version comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Once the version before is acknowledged: every version must reach the ledger.
    Patient,
    /// With every request, as real publishers do: versions nobody committed are superseded.
    Restless,
}

/// One entry as one version shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shown {
    /// Its identifier.
    pub(crate) guid: String,
    /// Its headline.
    pub(crate) title: String,
    /// How many headlines it has had, this one included.
    pub(crate) headline: u32,
}

#[derive(Debug)]
struct Progress {
    version: u64,
    is_settled: bool,
    polls: u64,
    acknowledged: BTreeSet<u64>,
    served: BTreeSet<u64>,
}

/// One growing feed of a publisher.
#[derive(Clone, Debug)]
pub(crate) struct Growing {
    /// The feed's id, and what its guids begin with.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) url: String,
    /// The path of it.
    pub(crate) path: String,
    /// When its next version comes out.
    pub(crate) pace: Pace,
    progress: Arc<Mutex<Progress>>,
}

impl Growing {
    /// Lets a publisher serve one, under a host of its own.
    pub(crate) fn publish(publisher: &Publisher, name: &str, host: &str, pace: Pace) -> Self {
        let path = format!("/{name}.xml");
        let progress = Progress {
            version: 1,
            is_settled: false,
            polls: 0,
            acknowledged: BTreeSet::new(),
            served: BTreeSet::new(),
        };
        let feed = Self {
            name: name.to_owned(),
            url: publisher.url_at(host, &path),
            path: path.clone(),
            pace,
            progress: Arc::new(Mutex::new(progress)),
        };
        let serving = feed.clone();
        publisher.script(&path, move |request| serving.answer(request));
        feed
    }

    fn answer(&self, request: &Request) -> Reply {
        let mut progress = self.progress.lock().unwrap();
        let known = request.header("if-none-match").and_then(|etag| self.version_of(etag));
        progress.acknowledged.extend(known);
        progress.polls += 1;
        let moves_on = match self.pace {
            // Every other time, so that there are 304s too.
            Pace::Patient => known == Some(progress.version) && progress.polls.is_multiple_of(2),
            Pace::Restless => progress.polls > 1,
        };
        if moves_on && !progress.is_settled {
            progress.version += 1;
        }
        let version = progress.version;
        let reply = if known == Some(version) {
            Reply::status(304)
        } else {
            progress.served.insert(version);
            Reply::feed(self.document(version))
        };
        reply.header("ETag", &self.etag(version)).header("Last-Modified", &last_modified(version))
    }

    /// Stops growing. The last version is final.
    pub(crate) fn settle(&self) {
        self.progress.lock().unwrap().is_settled = true;
    }

    /// Whether it has settled and its last version is acknowledged.
    pub(crate) fn is_caught_up(&self) -> bool {
        let progress = self.progress.lock().unwrap();
        progress.is_settled && progress.acknowledged.contains(&progress.version)
    }

    /// Versions served in a 200 so far.
    pub(crate) fn served(&self) -> BTreeSet<u64> {
        self.progress.lock().unwrap().served.clone()
    }

    /// Versions known to be committed.
    pub(crate) fn acknowledged(&self) -> BTreeSet<u64> {
        self.progress.lock().unwrap().acknowledged.clone()
    }

    /// The version that an `ETag` of this feed names.
    pub(crate) fn version_of(&self, etag: &str) -> Option<u64> {
        let version = etag.strip_prefix(&format!("\"{}-v", self.name))?.strip_suffix('"')?;
        version.parse().ok()
    }

    /// The `ETag` of a version.
    pub(crate) fn etag(&self, version: u64) -> String {
        format!("\"{}-v{version}\"", self.name)
    }

    /// What a version shows, oldest entry first.
    pub(crate) fn shown(&self, version: u64) -> Vec<Shown> {
        let newest = version + 2;
        let oldest = newest.saturating_sub(WINDOW) + 1;
        (oldest..=newest).map(|number| self.entry(number, version)).collect()
    }

    fn entry(&self, number: u64, version: u64) -> Shown {
        let first = number.saturating_sub(2).max(1);
        let edits =
            (first + 1..=version).filter(|v| (v + number).is_multiple_of(EDITED_EVERY)).count();
        let headline = 1 + u32::try_from(edits).unwrap();
        Shown {
            guid: format!("{}-{number}", self.name),
            title: format!("Shelling hits market {number} of {}, report {headline}", self.name),
            headline,
        }
    }

    fn document(&self, version: u64) -> String {
        let items: String = self.shown(version).iter().rev().map(item).collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel>\
             <title>{0}</title><link>https://{0}.example/</link><description>News</description>\
             <language>en</language>{items}</channel></rss>",
            self.name,
        )
    }
}

fn item(shown: &Shown) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">{0}</guid><title>{1}</title>\
         <link>https://news.example/{0}</link><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate>\
         <description>Artillery shells hit a market on Monday and killed three people, the \
         governor of the region said.</description></item>",
        shown.guid, shown.title,
    )
}

fn last_modified(version: u64) -> String {
    format!("Mon, 02 Mar 2026 10:{:02}:{:02} GMT", version / 60 % 60, version % 60)
}
