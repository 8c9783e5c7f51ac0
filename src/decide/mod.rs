//! What decides: state machines without clock, thread, channel or log.
//!
//! Each machine is one function, `handle(event, now) -> effects`, and `next`, which says what to wait
//! for. A driver in the shell does what the effects say, waits, and comes back with the next event; it
//! decides nothing. The simulation (`decide::simulation`, tests only) drives the same machines through
//! thousands of histories that no real broker could be made to live through.

pub mod backoff;
pub mod lane;
pub mod lease;
pub mod scheduler;
#[cfg(test)]
mod simulation;
pub mod time;

pub use backoff::Backoff;
pub use lease::{Lease, OwnerEnd, Past, States};
pub use time::{Moment, Now};
