//! Polls feeds once.

use std::path::Path;

use super::Exit;

/// Polls feeds once.
#[derive(Debug, clap::Args)]
pub struct PollArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &PollArgs, _config: Option<&Path>) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}
