//! What does an article say about conflict?

use crate::model::Coding;

/// The texts of an article that are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Texts<'a> {
    /// Headline.
    pub title: &'a str,
    /// Teaser.
    pub summary: &'a str,
    /// Full text.
    pub body: &'a str,
}

/// A mistake in a taxonomy or lexicon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {detail}")]
pub struct LexiconProblem {
    /// Which file, as the caller named it.
    pub file: String,
    /// What is wrong, what is allowed.
    pub detail: String,
}

/// A file's name, for problems, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name or path.
    pub name: String,
    /// TOML.
    pub text: String,
}

/// Puts tags on articles, by the rules of one lexicon a language.
#[derive(Debug)]
pub struct Tagger {}

impl Tagger {
    /// Compiles a taxonomy and lexicons. `threshold` is 0 to 1.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn new(
        _taxonomy: &Source,
        _lexicons: &[Source],
        _threshold: f64,
    ) -> Result<Self, Vec<LexiconProblem>> {
        Ok(Self {})
    }

    /// The taxonomy and lexicons that come with the program.
    pub fn built_in_sources() -> (Source, Vec<Source>) {
        (Source { name: String::new(), text: String::new() }, Vec::new())
    }

    /// Says what a text says about conflict; `None` if there is no lexicon for its language.
    pub fn code(&self, _texts: Texts<'_>, _language: Option<&str>) -> Option<Coding> {
        None
    }
}
