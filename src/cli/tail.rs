//! Follows what is being committed.

use std::path::Path;

use super::Exit;

/// Follows what is being committed.
#[derive(Debug, clap::Args)]
pub struct TailArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &TailArgs, _config: Option<&Path>) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}
