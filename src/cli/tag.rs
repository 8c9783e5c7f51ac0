//! Tags texts from standard input.

use std::path::Path;

use super::Exit;

/// Tags texts from standard input.
#[derive(Debug, clap::Args)]
pub struct TagArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &TagArgs, _config: Option<&Path>) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}
