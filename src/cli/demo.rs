//! Shows the whole pipeline on bundled feeds.

use super::Exit;

/// Shows the whole pipeline on bundled feeds.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &DemoArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}
