//! What passes with the hubs of feeds: requests at the end of polls, and what hubs say at any time.
//!
//! A state in memory learns at once what a hub said; in the ledger it stands with the next poll. A process that dies in
//! between asks the hub again, which changes nothing there.

use std::sync::Arc;

use cw_model::counts::SubscriptionCounts;
use cw_model::state::{FeedState, Subscription};
use cw_model::{FeedId, Timestamp};

use super::messages::Effect;
use super::placement::Placement;
use super::{Scheduler, after};
use crate::States;
use crate::schedule::wait_without_hub;
use crate::subscription::{
    HubReply, Mode, Said, Stage, forget, hear, last_request, next_request, stage,
};

/// Requests to hubs at once. Who finds no place asks after its next poll.
const ASKS_MAX: usize = 8;

/// Counts a feed with this subscription.
pub(super) fn count(counts: &mut SubscriptionCounts, hub: &Subscription, now: Timestamp) {
    if hub.offer.is_none() {
        return;
    }
    match stage(hub, now) {
        Stage::None(_) => counts.none += 1,
        Stage::Asked => counts.asked += 1,
        Stage::Verified(_) => counts.verified += 1,
        Stage::Refused(_) => counts.refused += 1,
        Stage::Unreliable(_) => counts.unreliable += 1,
    }
}

/// The state after a poll, with what its hub said meanwhile. A push may have come too late for the answer, so it counts
/// as one after the poll.
pub(super) fn with_said(
    mut state: Arc<FeedState>,
    said: Vec<(u32, Said)>,
    now: Timestamp,
) -> Arc<FeedState> {
    if !said.is_empty()
        && let Some(hub) = Arc::make_mut(&mut state).plan.subscription.as_deref_mut()
    {
        for (generation, said) in said {
            hear(hub, generation, &said, now);
        }
    }
    state
}

impl Scheduler {
    /// Takes in what the hub of a feed said in a subscription of this generation. `None` if the feed is not polled here.
    ///
    /// A feed that is not configured is pushed no more; whoever asks whether that is so is right.
    pub fn hear(
        &mut self,
        id: &FeedId,
        generation: u32,
        said: &Said,
        now: Timestamp,
    ) -> Option<HubReply> {
        let Some(placed) = self.feeds.get(id) else {
            // The hub asks whether the end of the subscription is meant (WebSub, 5.3). For a feed
            // that is not configured it always is.
            let is_end = matches!(said, Said::Verify { mode: Mode::Unsubscribe, .. });
            return Some(if is_end { HubReply::Yes } else { HubReply::Over });
        };
        let Placement::Here(lane) = placed.placement else { return None };
        let state = self.held.get_mut(&lane)?.states.get_mut(id);
        let hub = state.and_then(|state| Arc::make_mut(state).plan.subscription.as_deref_mut());
        let Some(hub) = hub else { return Some(HubReply::Over) };
        let heard = hear(hub, generation, said, now);
        // What is not believed changes nothing and is not remembered for the poll under way.
        if heard != HubReply::Yes {
            return Some(heard);
        }
        self.polls.hear(id, generation, said);
        if *said == Said::Pushed {
            self.enqueue(id, now);
        }
        Some(heard)
    }

    /// A poll has ended: its hub is asked for what is wanted of it now.
    pub(super) fn ask_hub(&mut self, id: &FeedId, now: Timestamp) {
        let Some(callback) = self.callback.clone() else { return };
        // Not queued: the next poll comes back here, and hubs wait for days.
        if self.is_stopping || self.asks >= ASKS_MAX {
            return;
        }
        let Some(placed) = self.feeds.get(id) else { return };
        let Placement::Here(lane) = placed.placement else { return };
        let state = self.held.get_mut(&lane).and_then(|held| held.states.get_mut(id));
        let Some(state) = state.filter(|state| state.plan.failures == 0) else { return };
        let Some(mut hub) = state.plan.subscription.clone() else { return };
        let request = next_request(&mut hub, &callback, now);
        if state.plan.subscription.as_ref() != Some(&hub) {
            Arc::make_mut(state).plan.subscription = Some(hub);
        }
        if let Some(request) = request {
            self.asks += 1;
            self.effects.push(Effect::AskHub(Arc::clone(&placed.feed), request));
        }
    }

    /// A request to a hub has ended.
    pub(super) fn end_ask(
        &mut self,
        id: &FeedId,
        generation: u32,
        came: Result<(), Option<std::time::Duration>>,
        now: Timestamp,
    ) {
        self.asks = self.asks.saturating_sub(1);
        if let Err(retry_after) = came {
            self.hear(id, generation, &Said::Failed { retry_after }, now);
        }
    }

    /// A feed is configured no more.
    pub(super) fn leave_hub(&mut self, id: &FeedId) {
        let Some(placed) = self.feeds.get(id) else { return };
        let request = self.state(placed).and_then(|state| {
            let hub = state.plan.subscription.as_deref()?;
            let is_ours = hub.callback.as_deref() == self.callback.as_deref();
            last_request(hub).filter(|_| is_ours && self.callback.is_some())
        });
        // Those for which there is no place are answered that it is over when they push.
        if let Some(request) = request.filter(|_| self.asks < ASKS_MAX) {
            self.asks += 1;
            self.effects.push(Effect::AskHub(Arc::clone(&placed.feed), request));
        }
    }

    /// Nobody listened to the hubs of these feeds for a while: each is asked as if its hub had not pushed. What was agreed
    /// under another callback is over.
    pub(super) fn begin_to_listen(&mut self, states: &mut States) {
        for (id, state) in states {
            let Some(hub) = state.plan.subscription.as_deref() else { continue };
            if let (Some(wait), Some(polled_at)) =
                (wait_without_hub(&state.plan), state.plan.polled_at)
                && let Some(placed) = self.feeds.get_mut(id)
            {
                placed.pardoned_at = Some(after(polled_at, wait));
            }
            if hub.callback.is_some() && hub.callback.as_deref() != self.callback.as_deref() {
                let hub = Arc::make_mut(state).plan.subscription.as_deref_mut();
                hub.into_iter().for_each(forget);
            }
        }
    }
}
