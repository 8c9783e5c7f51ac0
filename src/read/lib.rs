//! From the bytes of a document to articles.
//!
//! `parse` makes entries of bytes, in the publisher's words, whatever the format; `normalise` makes articles
//! of entries: identity, links, plain text, believed dates, language. Both are pure and take steps for what
//! they do, so that what a document may cost is counted.
//!
//! `page` has the text of an article from its page, where the feed has a teaser alone.
//!
//! What an article says is for `cw-code`, whether it was seen before for `cw-decide`. Read `parse` first.

/// The version of reading: raised whenever the text or link of an article may come out otherwise than before. A feed
/// that was last read by another one takes the new texts of its articles over and publishes no revision of them.
pub const READING: u32 = 3;

mod beginnings;
pub mod normalise;
pub mod page;
pub mod parse;

#[cfg(test)]
mod tests;
