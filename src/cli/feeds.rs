//! Lists, adds, explains and imports feeds.

use std::path::Path;

use super::Exit;

/// Lists, adds, explains and imports feeds.
#[derive(Debug, clap::Args)]
pub struct FeedsArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &FeedsArgs, _config: Option<&Path>) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}
