//! A taxonomy or lexicon as written, and what is wrong with one.

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

impl Source {
    pub(super) fn problem(&self, detail: &str) -> LexiconProblem {
        LexiconProblem { file: self.name.clone(), detail: detail.trim_end().to_owned() }
    }
}
