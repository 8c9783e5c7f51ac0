//! From the bytes of a document to articles.
//!
//! `parse` makes entries of bytes, in the publisher's words, whatever the format; `normalise` makes articles
//! of entries: identity, links, plain text, believed dates, language. Both are pure and take steps for what
//! they do, so that what a document may cost is counted.
//!
//! What an article says is for `cw-code`, whether it was seen before for `cw-decide`. Read `parse` first.

pub mod normalise;
pub mod parse;

#[cfg(test)]
mod tests;
