//! What was learned of how a feed writes its entries: by which mark each is known, and in which zone its dates are.
//!
//! Learning it is `decide::process`'s.

use std::time::Duration;

/// So many entries must have shown the same offset before dates are mended by it.
const VOTES_NEEDED: u8 = 3;

/// By what the articles of the last document are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowedBy {
    /// By the publisher's identifier.
    pub guid: u32,
    /// By their links.
    pub link: u32,
    /// By title and text.
    pub content: u32,
}

/// The offset of a feed that writes its local time as UTC, as far as its entries have shown it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalTime {
    /// How far its dates are ahead of UTC, minutes.
    pub minutes: u16,
    /// How many entries have shown that.
    pub votes: u8,
}

impl LocalTime {
    /// How far dates are ahead, once enough entries have shown it.
    pub fn learned(self) -> Option<Duration> {
        (self.votes >= VOTES_NEEDED && self.minutes > 0)
            .then(|| Duration::from_secs(u64::from(self.minutes) * 60))
    }

    /// The same after so many entries that show another: no date is mended by it until more show it again.
    #[must_use]
    pub fn doubted(self, against: u8) -> Self {
        match self.votes.saturating_sub(against).min(VOTES_NEEDED - 1) {
            0 => Self::default(),
            votes => Self { votes, ..self },
        }
    }
}
