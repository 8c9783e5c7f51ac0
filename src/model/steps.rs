//! What reading one document may cost, counted in steps and not in time, so that the same document
//! costs the same everywhere and a busy machine refuses nothing.
//!
//! A step is one byte, one comparison or one match looked at: two to three nanoseconds, where those of
//! `benches/README.md` were taken. Whoever runs over what came from outside spends before or while it
//! does so, in bulk where it can (a pass over a text spends the text's length at once).

use std::cell::Cell;

/// Steps that even the smallest document may take.
const BASE: u64 = 20_000_000;

/// Steps for each byte of a document: more than the sum of what the passes over one byte spend.
const PER_BYTE: u64 = 250;

/// The steps that one document may take, and those it has taken.
#[derive(Debug)]
pub struct Steps {
    allowed: u64,
    spent: Cell<u64>,
}

/// More steps were needed than a document of this size is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "reading it takes more than the {allowed} steps allowed for its size; no honest feed comes near"
)]
pub struct TooCostly {
    allowed: u64,
}

impl Steps {
    /// For a document or text of so many bytes.
    pub fn for_bytes(bytes: usize) -> Self {
        Self::new(BASE.saturating_add((bytes as u64).saturating_mul(PER_BYTE)))
    }

    /// A number of steps.
    pub fn new(allowed: u64) -> Self {
        Self { allowed, spent: Cell::new(0) }
    }

    /// Takes steps, and leaves it to others to ask whether there are any left: for loops that have a
    /// bound, in which an error would have no way out.
    pub fn count(&self, steps: usize) {
        self.spent.set(self.spent.get().saturating_add(steps as u64));
    }

    /// Takes steps.
    ///
    /// # Errors
    /// [`TooCostly`] if these, or some before them, were too many.
    pub fn spend(&self, steps: usize) -> Result<(), TooCostly> {
        self.count(steps);
        self.check()
    }

    /// Takes steps for each of so many bytes.
    ///
    /// # Errors
    /// [`TooCostly`] if these, or some before them, were too many.
    pub fn spend_for(&self, bytes: u64, steps: usize) -> Result<(), TooCostly> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.spend(bytes.saturating_mul(steps))
    }

    /// Whether there are steps left.
    ///
    /// # Errors
    /// [`TooCostly`] if there are none.
    pub fn check(&self) -> Result<(), TooCostly> {
        if self.spent.get() > self.allowed {
            return Err(TooCostly { allowed: self.allowed });
        }
        Ok(())
    }

    /// What was taken since `spent` had been taken counts no more. For a document that is read again from its beginning: it
    /// is not to be refused for having been read twice.
    pub fn return_to(&self, spent: u64) {
        self.spent.set(spent);
    }

    /// The steps taken so far.
    pub fn spent(&self) -> u64 {
        self.spent.get()
    }

    /// The steps that may be taken in all.
    pub fn allowed(&self) -> u64 {
        self.allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_out_once_and_stay_so() {
        let steps = Steps::new(10);
        assert_eq!(steps.spend(10), Ok(()));
        assert_eq!(steps.spend(1), Err(TooCostly { allowed: 10 }));
        assert_eq!(steps.spend(0), Err(TooCostly { allowed: 10 }));
        assert_eq!(steps.check(), Err(TooCostly { allowed: 10 }));
        assert_eq!(steps.spent(), 11);
    }

    #[test]
    fn what_is_read_again_has_the_steps_that_it_had() {
        let steps = Steps::new(10);
        steps.count(3);
        assert!(steps.spend(9).is_err());
        steps.return_to(3);
        assert_eq!((steps.spend(7), steps.spent()), (Ok(()), 10));
        assert!(steps.spend(1).is_err());
    }

    #[test]
    fn no_number_of_steps_starts_anew() {
        let steps = Steps::new(u64::MAX - 1);
        assert_eq!(steps.spend(usize::MAX), Err(TooCostly { allowed: u64::MAX - 1 }));
        assert_eq!(steps.spend(usize::MAX), Err(TooCostly { allowed: u64::MAX - 1 }));
    }
}
