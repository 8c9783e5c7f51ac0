//! The process that tries documents for a daemon. No command for people.

use super::Exit;
use crate::pipeline::trial::child::serve;

/// Reads documents from standard input, as a daemon gives them, until it ends.
///
/// # Errors
/// Whatever keeps it from going on; the daemon sees that it is gone.
pub fn run() -> anyhow::Result<Exit> {
    serve(std::io::stdin(), &mut std::io::stdout())?;
    Ok(Exit::Fine)
}
