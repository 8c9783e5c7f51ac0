//! Publishers: entries that come, change and go; and what a poll makes of them.

use std::time::Duration;

use cw_model::state::{FeedMemory, FeedPlan, FeedState, Plan, Reason, SeenArticle, UnpackedState};
use cw_model::{ArticleId, Digest, Feed, FeedId, Outcome, Record, Timestamp, Urgency, samples};
use url::Url;

use super::dice::Dice;

/// How many entries a feed lists.
const WINDOW: usize = 4;

/// What the topics take at first, bytes.
pub(super) const ROOM: usize = 16 << 10;

/// More than that.
const LARGE: usize = ROOM + 1;

/// A request of a poll, and what the answer says of the next.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) url: Url,
    /// Grows from poll to poll: records carry it, so that their order can be seen.
    pub(super) stamp: u64,
    pub(super) now: Timestamp,
    /// The feed may be asked again after this.
    pub(super) wait: Duration,
}

/// One feed as it is served.
#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) id: FeedId,
    number: u32,
    /// Each entry listed, and which version of it.
    pub(super) entries: Vec<(u32, u8)>,
    next_entry: u32,
}

impl Publisher {
    pub(super) fn new(number: u32) -> Self {
        let mut publisher = Self {
            id: samples::id(&format!("feed-{number}")),
            number,
            entries: Vec::new(),
            next_entry: 0,
        };
        publisher.add();
        publisher
    }

    fn add(&mut self) {
        self.entries.push((self.number * 10_000 + self.next_entry, 1));
        self.next_entry += 1;
        if self.entries.len() > WINDOW {
            self.entries.remove(0);
        }
    }

    /// Something changes.
    pub(super) fn edit(&mut self, dice: &mut Dice) {
        let length = u64::try_from(self.entries.len()).unwrap_or(1).max(1);
        let at = usize::try_from(dice.below(length)).unwrap_or(0);
        match dice.below(4) {
            0 => {
                if let Some((_, version)) = self.entries.get_mut(at) {
                    *version = version.wrapping_add(1);
                }
            }
            1 if self.entries.len() > 1 => drop(self.entries.remove(at)),
            _ => self.add(),
        }
    }

    /// Whether an article is one of its entries, listed or not.
    pub(super) fn has(&self, article: &str) -> bool {
        feed_of(article) == Some(self.number)
    }

    /// The feed as it is configured at this URL.
    pub(super) fn feed(&self, url: &Url) -> Feed {
        samples::feed(self.id.as_str(), url.clone())
    }

    /// What a poll of it comes to.
    pub(super) fn poll(&self, state: &FeedState, request: Request) -> Outcome {
        let Request { url, stamp, now, wait } = request;
        let FeedMemory { mut seen, unpublished, .. } = state.unpacked_memory();
        let sequence = state.plan.sequence + 1;
        let mut records = Vec::new();
        for &(entry, version) in &self.entries {
            let digest = digest(version);
            let record = record(entry, version);
            let Ok(id) = ArticleId::parse(&record.id) else { continue };
            let before = seen.find(id);
            if before.is_some_and(|before| before.digest == digest) {
                continue;
            }
            let revision = before.map_or(1, |before| before.revision + 1);
            let guid = Some(format!("{:09}", stamp * 100 + records.len() as u64));
            records.push(Record { revision, guid, ..record });
            let article = SeenArticle {
                digest,
                revision,
                last_seen: sequence,
                relevant: Some(false),
                updated: None,
                content: None,
                source: None,
            };
            seen.remember(id, article);
        }
        let urgency = if records.is_empty() { Urgency::Lazy } else { Urgency::Prompt };
        let made = samples::outcome(self.id.as_str(), sequence, records);
        let due_at = now.checked_add(wait).ok();
        let next = Plan { due_at, reason: Reason::Interval, ..Plan::default() };
        let (url, polled_at) = (Some(url.as_str().into()), Some(now));
        let plan = FeedPlan { next, url, polled_at, ..made.state.plan.clone() };
        let memory = FeedMemory { seen, unpublished, ..made.state.unpacked_memory() };
        let state = UnpackedState { plan, memory }.pack();
        Outcome { state: state.into(), urgency, ..made }
    }
}

/// An entry as it is published. Every third is about a conflict; some are larger than the topics take
/// at first. Ids are no numbers that grow.
fn record(entry: u32, version: u8) -> Record {
    let title = title(version);
    let record = match entry % 3 {
        0 => samples::tagged(entry, &title, "strike.air"),
        _ => samples::record(entry, &title),
    };
    let is_large = (entry + u32::from(version)).is_multiple_of(7);
    let body = is_large.then(|| "x".repeat(LARGE));
    Record { id: article(entry), body, ..record }
}

/// The id of an entry's article.
pub(super) fn article(entry: u32) -> String {
    format!("{:024x}{entry:08x}", entry.wrapping_mul(0x9E37_79B1))
}

/// Which feed an article is of.
pub(super) fn feed_of(article: &str) -> Option<u32> {
    let entry = article.get(24..).and_then(|entry| u32::from_str_radix(entry, 16).ok());
    entry.map(|entry| entry / 10_000)
}

/// The headline of a version.
pub(super) fn title(version: u8) -> String {
    format!("version {version}")
}

fn digest(version: u8) -> Digest {
    Digest([version; 8])
}
