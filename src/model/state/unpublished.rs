//! Article revisions that no topic took: larger than what a record may be.
//!
//! Such a revision is not published, and its article is not met again at every poll. It is published
//! as what it should have been once there is room for it: the ledger says when, and from then on the
//! article looks changed to whoever reads the next document that shows it.

use super::UnpackedState;
use crate::{ArticleId, Digest, Route, Timestamp};

/// How many articles of a feed may wait for room. They are some 200 bytes each in the state; what is
/// beyond them is a reject like the others, and is not tried again.
const WAITING_MAX: usize = 100;

/// What no article has: one that is to be tried again differs from it, whatever it says.
const NO_DIGEST: Digest = Digest([0; 8]);

/// The room that a record needs, and the room that there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What the record takes, bytes.
    pub bytes: u64,
    /// What a record might take when it was refused, bytes; 0 if nobody knew.
    pub limit: u64,
}

/// A revision that waits for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpublished {
    /// What it needs.
    pub room: Room,
    /// Of the revision.
    pub digest: Digest,
    /// When it was refused.
    pub at: Timestamp,
}

impl UnpackedState {
    /// A revision that this state takes for published was not. Says whether it is to be tried again.
    pub fn leave_unpublished(&mut self, id: ArticleId, route: Route, room: Room) -> bool {
        let (Some(mut seen), Some(at)) = (self.memory.seen.find(id), self.plan.polled_at) else {
            return false;
        };
        if self.memory.unpublished.len() >= WAITING_MAX
            && !self.memory.unpublished.contains_key(&id)
        {
            return false;
        }
        self.memory.unpublished.insert(id, Unpublished { room, digest: seen.digest, at });
        // The last one published: the next gets the number that this one would have had, and is told
        // to whom this one would have been told.
        seen.revision = seen.revision.saturating_sub(1);
        seen.relevant = match route {
            _ if seen.revision == 0 => None,
            Route::Correction => Some(true),
            Route::Relevant | Route::Articles => seen.relevant,
        };
        self.memory.seen.remember(id, seen);
        true
    }

    /// Lets those that have room now look changed, and the next request bring a document whatever the
    /// publisher knows of the last one. Says whether there was one.
    pub fn try_again(&mut self, has_room: impl Fn(&Unpublished) -> bool) -> bool {
        // What the feed has forgotten it will not show as the same article.
        self.memory.unpublished.retain(|id, _| self.memory.seen.find(*id).is_some());
        let mut is_tried = false;
        for id in self.memory.unpublished.iter().filter(|(_, one)| has_room(one)).map(|(id, _)| *id)
        {
            if let Some(seen) = self.memory.seen.find(id) {
                self.memory
                    .seen
                    .remember(id, super::SeenArticle { digest: NO_DIGEST, source: None, ..seen });
                is_tried = true;
            }
        }
        if is_tried {
            self.memory.validators.clear();
            self.memory.body_digest = None;
        }
        is_tried
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Validators;
    use crate::state::{FeedMemory, FeedPlan, FeedState, Seen, SeenArticle};

    const DIGEST: Digest = Digest([7; 8]);

    fn id(number: u8) -> ArticleId {
        ArticleId([number; 16])
    }

    /// A state that takes these articles for published, as revision 3.
    fn state(articles: u8) -> UnpackedState {
        let polled_at = Some("2026-01-02T03:04:05Z".parse().unwrap());
        let mut state = UnpackedState {
            plan: FeedPlan { polled_at, ..FeedPlan::default() },
            memory: FeedMemory { body_digest: Some(DIGEST), ..FeedMemory::default() },
        };
        state.memory.validators.insert("https://a.example/".to_owned(), Validators::default());
        for number in 0..articles {
            let seen = SeenArticle {
                digest: DIGEST,
                revision: 3,
                last_seen: 1,
                relevant: Some(true),
                updated: None,
                content: None,
                source: Some(DIGEST),
            };
            state.memory.seen.remember(id(number), seen);
        }
        state
    }

    #[test]
    fn what_is_left_out_is_the_same_revision_when_it_is_tried_again() {
        let mut state = state(2);
        assert!(state.leave_unpublished(id(1), Route::Articles, Room { bytes: 900, limit: 500 }));
        let seen = state.memory.seen.find(id(1)).unwrap();
        assert_eq!((seen.revision, seen.digest), (2, DIGEST), "unchanged, and 3 comes next");
        assert!(!state.try_again(|one| one.room.bytes < 600));
        assert_eq!(state.memory.seen.find(id(1)).unwrap().digest, DIGEST);
        assert_eq!(state.memory.validators.len(), 1, "nothing to ask for");

        assert!(state.try_again(|one| one.room.bytes < 1000));
        assert_ne!(state.memory.seen.find(id(1)).unwrap().digest, DIGEST);
        assert_eq!(state.memory.seen.find(id(0)).unwrap().digest, DIGEST);
        assert!(state.memory.validators.is_empty() && state.memory.body_digest.is_none());
        let text = state.clone().pack().written().unwrap();
        assert_eq!(FeedState::parse(text.as_bytes()).unwrap().unpack(), state);
    }

    #[test]
    fn who_was_told_of_an_article_is_told_that_it_is_no_longer_relevant() {
        let mut state = state(1);
        let room = Room { bytes: 900, limit: 500 };
        let seen = state.memory.seen.find(id(0)).unwrap();
        state.memory.seen.remember(id(0), SeenArticle { relevant: Some(false), ..seen });
        assert!(state.leave_unpublished(id(0), Route::Correction, room));
        assert_eq!(state.memory.seen.find(id(0)).unwrap().relevant, Some(true), "told again");
        state.memory.seen.remember(id(0), SeenArticle { revision: 1, ..seen });
        assert!(state.leave_unpublished(id(0), Route::Relevant, room));
        assert_eq!(state.memory.seen.find(id(0)).unwrap().relevant, None, "nobody was told");
    }

    #[test]
    fn what_the_feed_forgot_and_what_is_too_much_does_not_wait() {
        let mut state = state(200);
        let waiting = (0..200)
            .filter(|number| {
                state.leave_unpublished(id(*number), Route::Articles, Room { bytes: 9, limit: 5 })
            })
            .count();
        assert_eq!((waiting, state.memory.unpublished.len()), (WAITING_MAX, WAITING_MAX));
        assert!(
            state.leave_unpublished(id(0), Route::Articles, Room { bytes: 8, limit: 5 }),
            "known to wait"
        );
        state.memory.seen = Seen::default();
        assert!(!state.try_again(|_| true));
        assert!(state.memory.unpublished.is_empty());
    }

    #[test]
    fn a_state_without_any_is_written_as_before() {
        let text = state(1).pack().written().unwrap();
        assert!(!text.contains("unpublished"), "{text}");
    }
}
