//! What a lane's partition of the state topic says: feed states and `__lane`, record by record.

use std::fmt;

use cw_model::state::{FeedState, is_readable};
use cw_model::{FeedId, Timestamp};
use serde::de::DeserializeOwned;

use super::copied::{COPIED_VERSION, Copied};
use super::hash::HASH_VERSION;
use super::wire::{HEAD_VERSION, Head};
use crate::{Past, States};

/// The log says what it cannot say if nothing was lost: somebody must look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Contradiction(pub String);

/// Where a lane's log ends: its last `__lane`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEnd {
    /// `None`: nothing was ever committed.
    pub head: Option<Head>,
    /// Its offset in the partition; -1 if there is none.
    pub offset: i64,
}

impl Default for LogEnd {
    fn default() -> Self {
        Self { head: None, offset: -1 }
    }
}

impl LogEnd {
    /// Transactions ever committed.
    pub fn sequence(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.sequence)
    }

    /// How the lane stands for `instance`, which takes it up now. One without a log was never polled.
    pub fn past(&self, instance: &str, now: Timestamp) -> Past {
        self.head.as_ref().map_or_else(Past::default, |head| head.past(instance, now))
    }
}

/// What a lane's partition says, read to its end.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Of every feed ever committed in the lane.
    pub states: States,
    /// The end of the last transaction.
    pub end: LogEnd,
    /// The copy of another ledger into the lane, if there was one.
    pub copied: Option<Box<Copied>>,
}

/// Committed records of the partition as they come by, in the order of their offsets.
///
/// Sequences grow along the log. One that goes back says that the log lost something, or was written
/// to by somebody else; a later one above all before it says that somebody has looked and decided to
/// go on.
#[derive(Debug, Default)]
pub struct Reading {
    states: States,
    end: LogEnd,
    copied: Option<Copied>,
    highest: u64,
    problem: Option<String>,
}

impl Reading {
    /// Takes the next record; no value takes the key back.
    ///
    /// # Errors
    /// [`Contradiction`] if it is neither a feed's state nor `__lane`.
    pub fn take(
        &mut self,
        key: &str,
        value: Option<&[u8]>,
        offset: i64,
    ) -> Result<(), Contradiction> {
        if key == FeedId::RESERVED {
            return self.take_head(value, offset);
        }
        if key == Copied::KEY {
            // Not folded into the end: the copy has its own transactions, and its sequences are not
            // those of polls.
            self.copied = read_copied(value, offset)?;
            return Ok(());
        }
        if key.starts_with(FeedId::RESERVED_PREFIX) {
            // What a later version keeps there is no feed's.
            return Ok(());
        }
        let wrong = |why: &dyn fmt::Display| Contradiction(format!("offset {offset}: {why}"));
        let id = FeedId::parse(key).map_err(|error| wrong(&error))?;
        let Some(value) = value else {
            // A tombstone. We write none; an operator may, to have a feed forgotten.
            self.states.remove(&id);
            return Ok(());
        };
        let state = FeedState::parse(value)
            .map_err(|why| Contradiction(format!("offset {offset}, feed \"{id}\": {why}")))?;
        // Within one partition offsets are the order of writing. So a sequence that does not grow
        // was written by somebody who did not know of the one before: a second writer, or a log
        // that lost its middle and was filled again.
        if let Some(earlier) = self.states.get(&id)
            && earlier.plan.sequence >= state.plan.sequence
        {
            self.went_back(format!(
                "the state of feed \"{id}\" goes from {} to {} at offset {offset}",
                earlier.plan.sequence, state.plan.sequence
            ));
        }
        self.states.insert(id, state.into());
        Ok(())
    }

    fn take_head(&mut self, value: Option<&[u8]>, offset: i64) -> Result<(), Contradiction> {
        let head = read_head(value, offset)?;
        // Greater, not greater by one: compaction removes heads between the first and the last.
        if head.sequence > self.highest {
            self.highest = head.sequence;
            // A sequence above all before it is how an operator says "I have looked, go on from
            // here".
            self.problem = None;
        } else {
            self.went_back(format!(
                "its sequence goes from {} to {} at offset {offset}",
                self.highest, head.sequence
            ));
        }
        self.end = LogEnd { head: Some(head), offset };
        Ok(())
    }

    fn went_back(&mut self, problem: String) {
        // The first is the cause; the others follow from it.
        self.problem.get_or_insert(problem);
    }

    /// What the whole of it says.
    ///
    /// # Errors
    /// [`Contradiction`] if a sequence went back.
    pub fn finish(self) -> Result<Restored, Contradiction> {
        match self.problem {
            None => Ok(Restored {
                states: self.states,
                end: self.end,
                copied: self.copied.map(Box::new),
            }),
            Some(problem) => Err(Contradiction(format!(
                "{problem}: records were lost, or written by something else; nothing of this lane \
                 is polled until a `__lane` with a sequence above {} stands in the log",
                self.highest
            ))),
        }
    }
}

/// What a key holds at an offset; `form` says of which version it is and readable from which, `ours` is this program's.
fn read_form<T: DeserializeOwned>(
    key: &str,
    value: &[u8],
    offset: i64,
    form: impl Fn(&T) -> (u32, Option<u32>),
    ours: u32,
) -> Result<T, Contradiction> {
    let read: T = serde_json::from_slice(value)
        .map_err(|error| Contradiction(format!("`{key}` at offset {offset}: {error}")))?;
    let (version, readable_from) = form(&read);
    if is_readable(version, readable_from, ours) {
        return Ok(read);
    }
    Err(Contradiction(format!("a newer conflictwire wrote `{key}` (version {version})")))
}

/// A `__copied` record at an offset; no value takes it back.
///
/// # Errors
/// [`Contradiction`] if it is none that this program reads.
fn read_copied(value: Option<&[u8]>, offset: i64) -> Result<Option<Copied>, Contradiction> {
    let Some(value) = value else { return Ok(None) };
    let form = |copied: &Copied| (copied.version, copied.readable_from);
    read_form(Copied::KEY, value, offset, form, COPIED_VERSION).map(Some)
}

/// A `__lane` record at an offset.
///
/// # Errors
/// [`Contradiction`] if it is none that this program reads.
pub fn read_head(value: Option<&[u8]>, offset: i64) -> Result<Head, Contradiction> {
    let value =
        value.ok_or_else(|| Contradiction(format!("offset {offset} takes `__lane` back")))?;
    let form = |head: &Head| (head.version, head.readable_from);
    let head = read_form("__lane", value, offset, form, HEAD_VERSION)?;
    // With another hash a feed's home is another lane: it would be taken for new there and
    // published anew.
    if head.hash != HASH_VERSION {
        return Err(Contradiction(format!(
            "hosts were dealt out by hash {}, this conflictwire uses {HASH_VERSION}",
            head.hash
        )));
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use cw_model::samples::now;

    use super::*;

    fn head(sequence: u64) -> Vec<u8> {
        let head = Head::after(sequence - 1, ("here", 1), 3, now());
        serde_json::to_vec(&head).unwrap()
    }

    fn read(sequences: &[u64]) -> Result<u64, Contradiction> {
        let mut reading = Reading::default();
        for (offset, sequence) in (0_i64..).zip(sequences) {
            reading.take(FeedId::RESERVED, Some(&head(*sequence)), offset)?;
        }
        reading.finish().map(|restored| restored.end.sequence())
    }

    #[test]
    fn sequences_grow_also_where_compaction_took_some() {
        assert_eq!(read(&[]), Ok(0));
        assert_eq!(read(&[1, 2, 3]), Ok(3));
        assert_eq!(read(&[7, 9]), Ok(9));
    }

    #[test]
    fn a_sequence_that_goes_back_is_a_contradiction_until_somebody_has_looked() {
        let why = read(&[1, 2, 42, 17]).unwrap_err().to_string();
        assert!(why.starts_with("its sequence goes from 42 to 17 at offset 3"), "{why}");
        assert!(read(&[1, 2, 2]).is_err(), "twice the same");
        assert!(read(&[42, 17, 18]).is_err(), "still below");
        assert_eq!(read(&[42, 17, 43]), Ok(43));
    }

    #[test]
    fn a_lane_is_left_cleanly_only_by_the_word_of_its_last_owner() {
        let now = now();
        let left = |text: &str| {
            read_head(Some(text.as_bytes()), 0).unwrap().past("b", now).left_uncleanly_at
        };
        let of = |more: &str| {
            format!(
                r#"{{"version":1,"sequence":7,"instance":"a","term":1,"records":2,"hash":1,"at":""{more}}}"#
            )
        };
        assert_eq!(left(&of(r#","ended":true"#)), None);
        assert_eq!(left(&of(r#","ended":false"#)), Some(now));
        // As the first programs wrote it.
        assert_eq!(left(&of("")), Some(now));
        let since = r#","ended":true,"left_uncleanly_at":"2026-01-02T00:00:00Z""#;
        assert_eq!(left(&of(since)), "2026-01-02T00:00:00Z".parse().ok());
        assert_eq!(LogEnd::default().past("b", now), Past::default());
        // Lost and taken up again by the same process, which lives.
        let ours = read_head(Some(of(r#","ended":false"#).as_bytes()), 0).unwrap();
        assert_eq!(ours.past("a", now), Past::default());
    }

    #[test]
    fn a_head_of_another_hash_or_a_newer_version_is_refused() {
        let mut other = Head::after(0, ("here", 1), 3, now());
        other.hash = HASH_VERSION + 1;
        let text = serde_json::to_vec(&other).unwrap();
        assert!(read_head(Some(&text), 0).unwrap_err().to_string().contains("hash 2"));
        other = Head { version: HEAD_VERSION + 1, hash: HASH_VERSION, ..other };
        let text = serde_json::to_vec(&other).unwrap();
        assert!(read_head(Some(&text), 0).unwrap_err().to_string().contains("newer"));
        let mut later = serde_json::to_value(&other).unwrap();
        later["readable_from"] = HEAD_VERSION.into();
        later["zone"] = "x".into();
        assert_eq!(read_head(Some(later.to_string().as_bytes()), 0).unwrap().sequence, 1);
        assert!(read_head(None, 5).unwrap_err().to_string().contains("offset 5"));
    }

    #[test]
    fn what_is_copied_into_a_lane_is_read_with_it_and_a_newer_form_refused() {
        let read = |value: Option<&serde_json::Value>| {
            let mut reading = Reading::default();
            let text = value.map(ToString::to_string);
            reading.take(Copied::KEY, text.as_deref().map(str::as_bytes), 7)?;
            reading.finish().map(|restored| restored.copied.map(|copied| *copied))
        };
        let begun = Copied::begun("x", now());
        let mut later = serde_json::to_value(&begun).unwrap();
        assert_eq!(read(Some(&later)), Ok(Some(begun)));
        assert_eq!(read(None), Ok(None));
        // As the first programs that copied wrote it.
        let first =
            r#"{"version":1,"from":"x","articles":7,"rejects":0,"feed":"a","whole":true,"at":""}"#;
        let first = read(Some(&serde_json::from_str(first).unwrap())).unwrap().unwrap();
        assert_eq!((first.articles, first.feed.as_deref(), first.whole), (7, Some("a"), true));
        later["version"] = 2.into();
        later["added"] = true.into();
        assert!(read(Some(&later)).unwrap_err().to_string().contains("newer conflictwire"));
        later["readable_from"] = 1.into();
        assert_eq!(read(Some(&later)).unwrap().unwrap().from, "x");
        assert!(read(Some(&7.into())).unwrap_err().to_string().contains("offset 7"));
    }
}
