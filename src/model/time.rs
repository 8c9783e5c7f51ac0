//! What an instant is, and what each of ours means.
//!
//! - `published_at`, `updated_at`: what the publisher says, if `normalise::dates` believes it
//! - `observed.at`: when the poll that found the article was answered
//! - `observed.after`: when the last poll before it succeeded; the article came between the two
//! - `due_at`: when a feed is to be polled next
//!
//! Reading the clock is `clock`'s alone.

/// An instant, UTC, to the nanosecond; written as RFC 3339 on every wire.
pub type Timestamp = jiff::Timestamp;
