//! Standard output, one record a line, for pipes and dry runs. Remembers nothing.

use super::CommitError;
use crate::model::Outcome;

/// Writes records to standard output.
#[derive(Debug, Default)]
pub struct JsonLines {}

impl JsonLines {
    /// The ledger.
    pub fn new() -> Self {
        Self {}
    }

    /// Writes an outcome's records.
    ///
    /// # Errors
    /// [`CommitError::Write`] if standard output is closed.
    pub fn commit(&self, _outcome: &Outcome) -> Result<(), CommitError> {
        unimplemented!()
    }
}
