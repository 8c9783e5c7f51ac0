//! Prints schemas, completions and the manual page.

use super::Exit;

/// Prints a JSON Schema.
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {}

/// Prints completions or the manual page.
#[derive(Debug, clap::Args)]
pub struct GenerateArgs {}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(_args: &SchemaArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn generate(_args: &GenerateArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}
