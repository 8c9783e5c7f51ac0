//! Asks the daemon whether it is well, where there is no other client: in a container, from a timer.

use std::io::Write as _;
use std::path::Path;

use cw_status::shown::shown;

use super::Exit;
use super::running::Running;
use crate::config;

/// Asks the running daemon whether it is ready.
#[derive(Debug, clap::Args)]
pub struct HealthcheckArgs {
    /// Ask whether it is alive instead: that is what a restart mends
    #[arg(long)]
    live: bool,
}

/// Runs the command.
///
/// # Errors
/// Nobody answers at the configured address, or none is configured.
pub fn run(args: &HealthcheckArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let config = config::load(config)?;
    let answer = Running::of(&config)?.get(if args.live { "/livez" } else { "/readyz" })?;
    writeln!(anstream::stdout(), "{}", shown(answer.text.trim()))?;
    Ok(if answer.status == 200 { Exit::Fine } else { Exit::Failed })
}
