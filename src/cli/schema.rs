//! Prints schemas, completions and the manual page: whatever others generate their own from.

use std::io::Write as _;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use cw_model::{Record, Reject};
use serde::Serialize;

use super::{Cli, Exit};
use crate::config;
use crate::ledger::kafka::asyncapi::document;

/// Prints a JSON Schema (2020-12), or an AsyncAPI document.
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    of: Of,
}

/// What there is a schema of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Of {
    /// Published articles
    Article,
    /// What could not be read
    Reject,
    /// The configuration file, for editors
    Config,
    /// The Kafka topics, as an AsyncAPI 3.0 document: names and settings as configured, keys,
    /// headers, and what a reader must know
    Asyncapi,
}

/// Prints completions or the manual page.
#[derive(Debug, clap::Args)]
pub struct GenerateArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// What makes a shell complete our commands
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// The manual page, in roff
    Man,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &SchemaArgs, path: Option<&Path>) -> anyhow::Result<Exit> {
    match args.of {
        Of::Article => print(&schemars::schema_for!(Record))?,
        Of::Reject => print(&schemars::schema_for!(Reject))?,
        Of::Config => print(&config::schema())?,
        Of::Asyncapi => print(&document(&config::load(path)?.ledger.into_kafka()?))?,
    }
    Ok(Exit::Fine)
}

fn print(schema: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(schema)?;
    writeln!(anstream::stdout(), "{text}")?;
    Ok(())
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn generate(args: &GenerateArgs) -> anyhow::Result<Exit> {
    let mut command = Cli::command();
    // Into memory first: the generator would panic if the reader of a pipe went away.
    let mut text = Vec::new();
    match args.what {
        What::Completions { shell } => {
            clap_complete::generate(shell, &mut command, "conflictwire", &mut text);
        }
        What::Man => write_manual(command, &mut text)?,
    }
    anstream::stdout().write_all(&text)?;
    Ok(Exit::Fine)
}

/// One page for the program and each of its commands.
fn write_manual(mut command: clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    command.build();
    let subcommands: Vec<_> =
        command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned().collect();
    clap_mangen::Man::new(command).render(text)?;
    for subcommand in subcommands {
        if subcommand.get_name() == "help" {
            continue;
        }
        let name = subcommand.get_bin_name().unwrap_or_default().to_uppercase();
        let manual = clap_mangen::Man::new(subcommand);
        writeln!(text, ".SH {name}")?;
        manual.render_description_section(text)?;
        manual.render_synopsis_section(text)?;
        manual.render_options_section(text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_every_command() {
        let mut text = Vec::new();
        write_manual(Cli::command(), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        for name in ["RUN", "CHECK", "FEEDS", "SEARCH"] {
            assert!(text.contains(&format!(".SH CONFLICTWIRE {name}")), "{name}");
        }
    }

    #[test]
    fn every_shell_gets_completions() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "conflictwire", &mut text);
            assert!(String::from_utf8(text).unwrap().contains("feeds"), "{shell}");
        }
    }
}
