//! What decides, without clock, thread, channel or log.
//!
//! `process` makes an outcome of an answer and a state, with `dedupe` (was it seen before?) and `schedule`
//! (when to ask again) and `subscription` (what is agreed with a feed's hub). `scheduler` says which feed is polled next, and what becomes of polls; `lane` is one
//! lane of the Kafka ledger. `feed_list` says when a list of feeds is asked for and whether it is taken. `lease`, `backoff` and `time` are what they share. Doing what was decided is the
//! shell's.
//!
//! Read `process` first, for what one poll changes; then `scheduler`, and `lane`, for how that is committed.
//!
//! Scheduler and lane are machines: each is one function, `handle(event, now) -> effects`, and `next`, which says what to wait
//! for. A driver in the shell does what the effects say, waits, and comes back with the next event; it
//! decides nothing. The simulation (`decide::simulation`, tests only) drives the same machines through
//! thousands of histories that no real broker could be made to live through.

pub mod backoff;
#[cfg(any(test, feature = "brokers"))]
pub mod brokers;
pub mod dedupe;
pub mod feed_list;
pub mod lane;
pub mod lease;
pub mod process;
pub mod robots;
pub mod schedule;
pub mod scheduler;
#[cfg(test)]
mod simulation;
pub mod subscription;
pub mod time;

pub use backoff::Backoff;
pub use lease::{Lease, OwnerEnd, Past, States};
pub use time::{Moment, Now};
