//! Searches the SQLite ledger.

use std::path::Path;

use super::Exit;

/// Searches the SQLite ledger.
#[derive(Debug, clap::Args)]
pub struct SearchArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &SearchArgs, _config: Option<&Path>) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}
