//! Writes a configuration to begin with: the file with every key at its default, and a list of feeds.
//!
//! Both are the files of `config/` as they are shipped, so what is written is what the tests hold
//! against the code.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cw_status::shown::Shown;

use super::Exit;
use super::check::counted;
use crate::config::{CONFIG_FILE, is_found_without_being_named};

/// Every key at its default, with what it means.
const CONFIGURATION: &str = include_str!("../../config/conflictwire.toml");

/// Public feeds, after the lines that say how a feed is written.
const FEEDS: &str = include_str!("../../config/feeds.toml");

/// What the configuration calls the list of feeds.
const FEEDS_FILE: &str = "feeds.toml";

/// What stands in the list of feeds after what is written above a list without any.
const FIRST_HEADING: &str = "\n# ---- ";

/// Where it begins to say how a feed is written.
const HOW_WRITTEN: &str = "# A feed is a [[feed]] table";

/// What stands above that in a list without feeds.
const ABOVE_NO_FEEDS: &str = "\
# Your feeds. `conflictwire feeds add URL` tries one and writes it at the end of this file.
#
# The terms of each publisher apply to what you do with its texts; read them before you pass anything on.
#
";

/// Writes a configuration and a list of feeds to begin with.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The folder they are written to, made if it is not there; `run` finds ./config by itself
    #[arg(default_value = "config", value_name = "DIR")]
    directory: PathBuf,
    /// Write a list without feeds, instead of the public ones in many languages
    #[arg(long)]
    empty: bool,
}

/// Runs the command.
///
/// # Errors
/// A file is there already, or cannot be written. Then nothing was.
pub fn run(args: &InitArgs) -> anyhow::Result<Exit> {
    let main = args.directory.join(CONFIG_FILE);
    let list = args.directory.join(FEEDS_FILE);
    let feeds = if args.empty { without_feeds() } else { FEEDS.to_owned() };
    for path in [&main, &list] {
        if path.symlink_metadata().is_ok() {
            bail!(
                "\"{}\" is there already and stays as it is; name another folder, or move it away",
                path.display()
            );
        }
    }
    std::fs::create_dir_all(&args.directory)
        .with_context(|| format!("could not make the folder \"{}\"", args.directory.display()))?;
    // The list first: a configuration without it would be one with a mistake.
    write_new(&list, &feeds)?;
    if let Err(error) = write_new(&main, CONFIGURATION) {
        // Ours, and of no use alone. If it cannot go either, the next `init` says so.
        let _stays = std::fs::remove_file(&list);
        return Err(error);
    }
    let count = feeds.lines().filter(|line| *line == "[[feed]]").count();
    let mut out = anstream::stdout();
    out.write_all(written_text(&main, &list, count).as_bytes())?;
    Ok(Exit::Fine)
}

/// Writes a file that is not there.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.with_context(|| format!("could not write \"{}\"", path.display()))?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("could not write \"{}\"", path.display()))
}

/// A list without feeds: how one is written, and not what stands above it of the feeds that are left out.
fn without_feeds() -> String {
    let above = FEEDS.split(FIRST_HEADING).next().unwrap_or(FEEDS);
    let written = above.find(HOW_WRITTEN).and_then(|at| above.get(at..)).unwrap_or(above);
    format!("{ABOVE_NO_FEEDS}{written}")
}

/// What was written, and what to do with it.
fn written_text(main: &Path, list: &Path, feeds: usize) -> String {
    // What `run` finds by itself need not be named.
    let named = match is_found_without_being_named(main) {
        true => String::new(),
        false => format!(" --config {}", quoted(&main.display().to_string())),
    };
    let list_holds = match feeds {
        0 => "no feed yet, and how one is written".to_owned(),
        count => {
            format!("{}, public ones in many languages; keep what you need", counted(count, "feed"))
        }
    };
    let add = format!("conflictwire feeds add https://example.org/{named}");
    let steps = [
        (add, "adds a feed, or the feed that a page names"),
        (format!("conflictwire check --connect{named}"), "tries each feed once"),
        (format!("conflictwire run{named}"), "the daemon; Ctrl-C ends it"),
    ];
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    let steps = steps.map(|(command, does)| format!("  {command:<width$}  # {does}\n"));
    let (main, list) = (Shown(main.display()), Shown(list.display()));
    format!(
        "wrote {main}: every key at its default, with what it means\nwrote {list}: {list_holds}\n\n\
         next:\n{}",
        steps.concat()
    )
}

/// An argument as a shell reads it.
fn quoted(argument: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+".contains(letter);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_feeds_says_how_one_is_written() {
        let text = without_feeds();
        assert!(text.contains("A feed is a [[feed]] table"), "{text}");
        assert!(!text.contains("\n[[feed]]"), "{text}");
        assert!(!text.contains("collected by hand"), "of feeds that are left out: {text}");
    }

    #[test]
    fn an_argument_is_quoted_where_a_shell_would_change_it() {
        for (argument, expected) in [
            ("/etc/cw/conflictwire.toml", "/etc/cw/conflictwire.toml"),
            ("my news/a.toml", "'my news/a.toml'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(argument), expected);
        }
    }
}
