//! How each feed stands, for whoever asks. Nothing here decides anything.

use std::sync::Arc;

use cw_model::state::{FeedState, Standing};
use cw_model::{Feed, Timestamp};
use strum::{EnumCount, IntoStaticStr};

use crate::schedule::Due;

/// How a configured feed stood at one moment.
#[derive(Clone, Debug)]
pub struct FeedView {
    /// As configured.
    pub feed: Arc<Feed>,
    /// The lane of this process that it counts in; `None` if it has no part in any.
    pub lane: Option<u32>,
    /// What its last poll left; `None` if it was never polled, or is no feed of this process.
    pub state: Option<Arc<FeedState>>,
    /// How it stands.
    pub stand: Stand,
    /// When it is polled next, if it is polled here and has been before.
    pub due: Option<Due>,
    /// Whether a poll of it is under way.
    pub is_polling: bool,
}

/// How a feed stands, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumCount, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Stand {
    /// Put off, because its document ended the process that read it.
    Crashed,
    /// The last poll failed.
    Failing,
    /// Withdrawn by its publisher.
    Gone,
    /// Never polled.
    New,
    /// The last poll was answered.
    Fine,
    /// It is no feed of this process: another replica polls it, or nobody knows yet who does.
    Elsewhere,
}

impl Stand {
    /// All of them, those first that somebody should look at.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Crashed, Self::Failing, Self::Gone, Self::New, Self::Fine, Self::Elsewhere];

    /// Its name in the API; that of the metric, where there is one.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Stand {
    /// How a feed with this state stands that has a part in a lane of this process.
    pub(super) fn of(state: Option<&FeedState>) -> Self {
        let Some(state) = state else { return Self::New };
        match state.plan.standing {
            _ if state.plan.put_off_for().is_some() => Self::Crashed,
            Standing::New => Self::New,
            Standing::Fine => Self::Fine,
            Standing::Failing => Self::Failing,
            Standing::Gone => Self::Gone,
        }
    }
}

impl FeedView {
    /// When it is polled next: `now` if it never was; `None` if that is not this process's affair.
    pub fn next_poll_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.lane?;
        Some(self.due.map_or(now, |due| due.at))
    }
}
