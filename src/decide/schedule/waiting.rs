//! The feeds of one host that wait for their turn, by when they are due.
//!
//! Most hosts have one feed. A tree has room for eleven entries as soon as it has one, some 370 bytes, so the first
//! that waits has a place of its own and the tree is for the others.

use std::collections::BTreeSet;

use cw_model::{FeedId, Timestamp};

/// When a feed is due, and which it is.
type Entry = (Timestamp, FeedId);

/// Feeds that wait, earliest first.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Before all of `others`. `None`: nobody waits.
    first: Option<Entry>,
    others: BTreeSet<Entry>,
}

impl Waiting {
    pub(super) fn first(&self) -> Option<&Entry> {
        self.first.as_ref()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Adds a feed. One that waits already, for the same time, is there once.
    pub(super) fn insert(&mut self, entry: Entry) {
        match &mut self.first {
            Some(first) if *first < entry => {
                self.others.insert(entry);
            }
            Some(first) if *first == entry => {}
            Some(first) => {
                self.others.insert(std::mem::replace(first, entry));
            }
            None => self.first = Some(entry),
        }
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        if self.first.as_ref() == Some(entry) {
            self.first = self.others.pop_first();
        } else {
            self.others.remove(entry);
        }
    }

    pub(super) fn pop_first(&mut self) -> Option<Entry> {
        std::mem::replace(&mut self.first, self.others.pop_first())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Insert,
        Remove,
        PopFirst,
    }

    proptest! {
        #[test]
        fn it_is_a_sorted_set(
            steps in proptest::collection::vec(
                (proptest::sample::select(vec![Step::Insert, Step::Remove, Step::PopFirst]), 0..4_i64, 0..3),
                0..60,
            ),
        ) {
            let (mut waiting, mut set) = (Waiting::default(), BTreeSet::new());
            for (step, second, number) in steps {
                let entry = (
                    Timestamp::from_second(second).unwrap(),
                    FeedId::parse(&format!("feed-{number}")).unwrap(),
                );
                match step {
                    Step::Insert => {
                        waiting.insert(entry.clone());
                        set.insert(entry);
                    }
                    Step::Remove => {
                        waiting.remove(&entry);
                        set.remove(&entry);
                    }
                    Step::PopFirst => prop_assert_eq!(waiting.pop_first(), set.pop_first()),
                }
                prop_assert_eq!(waiting.first(), set.first());
                prop_assert_eq!(waiting.is_empty(), set.is_empty());
            }
        }
    }
}
