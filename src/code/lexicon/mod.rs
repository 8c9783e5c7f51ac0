//! The rules of one language, checked and made ready to match.
//!
//! A lexicon is one or more TOML files of one language; the format is described in
//! `config/lexicon/README.md`. `raw` is what a file may hold, `compiler` puts the files together to `parts`. Strict:
//! unknown keys, unknown tags and sets, weights out of range and terms given twice are problems, and all
//! are reported.

mod compiler;
mod parts;
mod raw;

pub(super) use compiler::{Unknown, read};
pub(super) use parts::{
    Combination, Cue, Domain, Effect, Frame, Kept, Lexicon, Need, Negation, Order, Origin, Part,
    Particles, Place, Reach, RoleRule, Speaker,
};
