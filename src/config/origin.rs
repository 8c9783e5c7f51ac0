//! Where each key was set, so that a problem can say so.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::environment::ENVIRONMENT;

/// Where the keys of one document were set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    file: String,
    lines: BTreeMap<String, usize>,
    variables: BTreeMap<String, String>,
    reported: BTreeSet<String>,
}

impl Origins {
    /// No key was set yet.
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// The file.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// A key was set on this line of the file, counted from 1.
    pub(super) fn set_line(&mut self, key: &str, line: usize) {
        self.lines.insert(key.to_owned(), line);
    }

    /// The lines of keys are not those of the file.
    pub(super) fn forget_lines(&mut self) {
        self.lines.clear();
    }

    /// A key was set by this environment variable, whatever the file says.
    pub(super) fn set_variable(&mut self, key: &str, variable: &str) {
        self.variables.insert(key.to_owned(), variable.to_owned());
        self.reported.remove(key);
    }

    /// A key has a problem already.
    pub(super) fn set_reported(&mut self, key: &str) {
        self.reported.insert(key.to_owned());
    }

    /// Whether the key, or what it belongs to, has a problem already: a second one would only be
    /// the first one's shadow.
    pub(super) fn is_reported(&self, key: &str) -> bool {
        ancestors(key).any(|part| self.reported.contains(part))
    }

    /// The line of a key, or of what it belongs to.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        ancestors(key).find_map(|part| self.lines.get(part)).copied()
    }

    /// A problem of a key, placed where the key was set.
    pub(super) fn problem(&self, key: &str, text: String) -> Problem {
        let variable = ancestors(key).find_map(|part| self.variables.get(part));
        if let Some(variable) = variable {
            let file = ENVIRONMENT.to_owned();
            return Problem { file, line: None, key: variable.clone(), text };
        }
        Problem { file: self.file.clone(), line: self.line(key), key: key.to_owned(), text }
    }
}

/// A key and everything it belongs to: `feed[3].url`, `feed[3]`, `feed`.
fn ancestors(key: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(key), |part| part.rfind(['.', '[']).and_then(|end| part.get(..end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_not_set_is_placed_at_what_it_belongs_to() {
        let mut origins = Origins::new("a.toml");
        origins.set_line("feed[3]", 17);
        assert_eq!(origins.line("feed[3].url"), Some(17));
        assert_eq!(origins.line("feed[2].url"), None);
    }

    #[test]
    fn a_problem_of_a_variable_names_the_variable() {
        let mut origins = Origins::new("a.toml");
        origins.set_line("fetch.timeout", 4);
        origins.set_variable("fetch.timeout", "CONFLICTWIRE__FETCH__TIMEOUT");
        let problem = origins.problem("fetch.timeout", "is odd".to_owned());
        assert_eq!(problem.file, "environment");
        assert_eq!(problem.key, "CONFLICTWIRE__FETCH__TIMEOUT");
    }
}
