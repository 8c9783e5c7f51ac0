//! A configuration that is read anew: which feeds come, go and stay.

use std::collections::BTreeSet;
use std::sync::Arc;

use cw_model::{Feed, FeedId, Timestamp};

use super::messages::{Configuration, Effect, FeedChanges};
use super::placement::Placement;
use super::{Placed, Reload, Scheduler};
use crate::lane::hash;

impl Scheduler {
    pub(super) fn request_reload(&mut self) {
        self.reload = match self.reload {
            Reload::None => {
                self.effects.push(Effect::ReadConfiguration);
                Reload::Reading
            }
            // However often it is requested meanwhile: one reading that begins later sees all of
            // it.
            Reload::Reading | Reload::ReadingThenAgain => Reload::ReadingThenAgain,
        };
    }

    pub(super) fn end_reload(&mut self, read: Option<Box<Configuration>>, now: Timestamp) {
        if let Some(read) = read {
            let Configuration { feeds, politeness, concurrency, crash_label, callback: _ } = *read;
            self.crash_label = crash_label;
            self.polls.set_places(concurrency);
            self.queue.set_politeness(politeness, now);
            let (added, removed) = self.exchange_feeds(feeds, now);
            let feeds = self.feeds.len();
            self.effects.push(Effect::Reloaded(FeedChanges { feeds, added, removed }));
        }
        let is_wanted_again = self.reload == Reload::ReadingThenAgain;
        self.reload = Reload::None;
        if is_wanted_again {
            self.request_reload();
        }
    }

    /// Makes the queue hold exactly the configured feeds that are polled here. A feed that stays is due
    /// when it was, as far as the configuration allows; a new one at once. Says how many came and went.
    pub(super) fn exchange_feeds(
        &mut self,
        feeds: Vec<Arc<Feed>>,
        now: Timestamp,
    ) -> (usize, usize) {
        let wanted: BTreeSet<&FeedId> = feeds.iter().map(|feed| &feed.id).collect();
        let gone = self.feeds.keys().filter(|id| !wanted.contains(id));
        let gone: Vec<FeedId> = gone.cloned().collect();
        for id in &gone {
            // While its state can still be found.
            self.leave_hub(id);
            self.feeds.remove(id);
            self.unknown.remove(id);
            self.looked_for.remove(id);
            self.queue.remove(id);
        }
        let mut added = Vec::new();
        for feed in feeds {
            let (id, home) = (feed.id.clone(), hash::lane(&feed.url, self.lanes));
            match self.feeds.get_mut(&id) {
                Some(placed) => {
                    // Its URL has a host of another lane. What was found before answers another
                    // question.
                    if placed.home != home {
                        placed.sighting = None;
                        self.looked_for.remove(&id);
                    }
                    if placed.feed != feed {
                        // Somebody has changed it, perhaps because of the defect.
                        (placed.put_off_until, placed.turn_at) = (None, None);
                    }
                    (placed.feed, placed.home) = (feed, home);
                }
                None => {
                    let placement = Placement::default();
                    let placed = Placed {
                        feed,
                        home,
                        placement,
                        sighting: None,
                        put_off_until: None,
                        turn_at: None,
                        pardoned_at: None,
                    };
                    self.feeds.insert(id.clone(), placed);
                    added.push(id.clone());
                }
            }
            self.place(&id, now);
        }
        let count = added.len();
        self.spread(&added, now);
        (count, gone.len())
    }
}
