//! Runs the daemon.

use std::path::Path;

use super::Exit;

/// Runs the daemon.
#[derive(Debug, clap::Args)]
pub struct RunArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &RunArgs, _config: Option<&Path>) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}
