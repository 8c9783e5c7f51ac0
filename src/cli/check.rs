//! Checks the configuration.

use std::path::Path;

use super::Exit;

/// Checks the configuration.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &CheckArgs, _config: Option<&Path>) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}

/// Prints every problem to standard error.
pub(super) fn print_problems(_problems: &[crate::config::Problem]) {}
