//! What a feed's state keeps of the hub that its publisher names (W3C WebSub): where it is, what was asked of it, and how
//! far it is believed.
//!
//! What follows from it is `cw_decide::subscription`'s.

use std::time::Duration;

use strum::{EnumIter, EnumString, IntoStaticStr};

use crate::Timestamp;

/// Where a publisher says that it tells of news (WebSub, 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The URL of the hub.
    pub hub: String,
    /// What the feed is called there: its own URL, by its own word.
    pub topic: String,
}

/// For how long a hub has promised to push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubLease {
    /// Since when it has been so without a gap.
    pub since: Timestamp,
    /// When it was last said.
    pub granted_at: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl HubLease {
    /// When it is to be renewed: after two thirds, so that a hub that is away for a while is no loss.
    pub fn renew_at(&self) -> Timestamp {
        let length = Duration::try_from(self.until.duration_since(self.granted_at));
        self.granted_at.checked_add(length.unwrap_or_default() * 2 / 3).unwrap_or(self.until)
    }
}

/// Why a hub is not asked for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PauseReason {
    /// A request failed, or was never verified.
    Failed,
    /// It does not want this subscription.
    Refused,
    /// It has said that it pushes, and does not.
    Unreliable,
}

/// A time in which a hub is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Its end.
    pub until: Timestamp,
    /// Its reason.
    pub why: PauseReason,
}

/// A subscription that is not wanted any more, and has to be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// What it was to.
    pub offer: Offer,
    /// Which of the feed's it was.
    pub generation: u32,
    /// How often the hub was asked to end it.
    pub tries: u32,
    /// It is not asked again before.
    pub not_before: Timestamp,
}

/// What is known of the hub of a feed, and what was agreed with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// What its last document named; `None` if it named no hub.
    pub offer: Option<Offer>,
    /// Counts the hubs, topics and callbacks that it has had: each has another callback URL and another secret.
    pub generation: u32,
    /// Under which callback the hub was asked; `None` before that.
    pub callback: Option<String>,
    /// When the hub was asked for what it has neither verified nor refused yet.
    pub asked_at: Option<Timestamp>,
    /// What it has promised.
    pub lease: Option<HubLease>,
    /// It is not asked now.
    pub pause: Option<Pause>,
    /// Requests in a row that came to nothing.
    pub failures: u32,
    /// When it last pushed.
    pub pushed_at: Option<Timestamp>,
    /// Polls in a row that found news of which the hub had told nothing.
    pub missed: u32,
    /// The one before, while the hub may still push for it.
    pub leaving: Option<Leaving>,
}

impl Subscription {
    /// Bytes of its texts.
    pub fn size(&self) -> usize {
        let of = |offer: &Offer| offer.hub.len() + offer.topic.len();
        self.offer.as_ref().map_or(0, of)
            + self.leaving.as_ref().map_or(0, |leaving| of(&leaving.offer))
            + self.callback.as_ref().map_or(0, String::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_renewed_after_two_thirds_whatever_it_says() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let lease =
            |granted, until| HubLease { since: at(0), granted_at: at(granted), until: at(until) };
        assert_eq!(lease(1000, 1900).renew_at(), at(1600));
        // Of a state that nobody here wrote.
        assert_eq!(lease(1000, 900).renew_at(), at(1000));
    }
}
