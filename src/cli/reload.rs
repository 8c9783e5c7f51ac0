//! Asks the running daemon to read its configuration anew, and says what came of it.

use std::io::Write as _;
use std::path::Path;

use anyhow::bail;
use cw_status::shown::Shown;
use serde_json::Value;

use super::Exit;
use super::check::counted;
use super::running::{Answer, Running};
use crate::config;

/// Asks the running daemon to read its configuration anew.
#[derive(Debug, clap::Args)]
pub struct ReloadArgs {}

/// Runs the command.
///
/// # Errors
/// Nobody answers at the configured address, or does not let us in.
pub fn run(_args: &ReloadArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    // What the daemon would refuse is said here with its lines, and asked of nobody.
    let config = config::load(config)?.with_feeds()?;
    let answer = Running::of(&config)?.reload()?;
    match came_of(&answer) {
        Some(Ok(text)) => {
            writeln!(anstream::stdout(), "{}", Shown(text))?;
            Ok(Exit::Fine)
        }
        Some(Err(problems)) => {
            say!("error: the daemon refuses the configuration; the old one stays in use");
            for problem in problems {
                say!("  {problem}");
            }
            Ok(Exit::Failed)
        }
        None => bail!("the daemon answered {}: {}", answer.status, answer.text.trim()),
    }
}

/// What the daemon says of a reload: how many feeds it has, or why the configuration is refused; `None` if it
/// says neither.
pub(super) fn came_of(answer: &Answer) -> Option<Result<String, Vec<String>>> {
    let told: Value = serde_json::from_str(&answer.text).ok()?;
    let count = |key: &str| told.get(key)?.as_u64().and_then(|count| usize::try_from(count).ok());
    match told.get("outcome")?.as_str()? {
        "accepted" => Some(Ok(format!(
            "the daemon has read the configuration: {}, {} added, {} removed",
            counted(count("feeds")?, "feed"),
            count("added")?,
            count("removed")?,
        ))),
        "refused" => {
            let problems = told.get("problems")?.as_array()?.iter();
            Some(Err(problems.filter_map(|one| one.as_str().map(str::to_owned)).collect()))
        }
        _ => None,
    }
}
