//! Hosts, and how their feeds stand.

use std::collections::HashMap;

use cw_decide::scheduler::{FeedView, Stand};
use cw_model::Timestamp;

/// A host, and how its feeds stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) feeds: usize,
    /// In the order of [`Stand::ALL`].
    pub(super) by_stand: [usize; Stand::ALL.len()],
    pub(super) polling: usize,
    pub(super) next_poll_at: Option<Timestamp>,
}

impl Host {
    /// How many of its feeds somebody should look at.
    pub(super) fn troubled(&self) -> usize {
        let counts = Stand::ALL.iter().zip(&self.by_stand);
        let is_trouble =
            |stand: &Stand| matches!(stand, Stand::Crashed | Stand::Failing | Stand::Gone);
        counts.filter(|(stand, _)| is_trouble(stand)).map(|(_, count)| count).sum()
    }

    fn count(&mut self, view: &FeedView, now: Timestamp) {
        self.feeds += 1;
        self.polling += usize::from(view.is_polling);
        for (stand, count) in Stand::ALL.iter().zip(&mut self.by_stand) {
            *count += usize::from(*stand == view.stand);
        }
        let next = view.next_poll_at(now);
        self.next_poll_at = self.next_poll_at.into_iter().chain(next).min();
    }
}

/// The hosts of feeds, counted at one moment.
#[derive(Debug)]
pub(super) struct Hosts {
    pub(super) at: Timestamp,
    /// In no order.
    pub(super) all: Vec<Host>,
}

impl Hosts {
    /// Of these feeds.
    pub(super) fn count(feeds: &[FeedView], at: Timestamp) -> Self {
        let mut hosts: HashMap<&str, Host> = HashMap::new();
        for view in feeds {
            let name = view.feed.url.host_str().unwrap_or_default();
            let host = hosts.entry(name).or_insert_with(|| Host {
                name: name.to_owned(),
                feeds: 0,
                by_stand: [0; Stand::ALL.len()],
                polling: 0,
                next_poll_at: None,
            });
            host.count(view, at);
        }
        Self { at, all: hosts.into_values().collect() }
    }
}
