//! What an operator does with the SQLite ledger as a whole.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use clap::Subcommand;
use cw_status::shown::Shown;

use super::Exit;
use super::check::{counted, progress};
use super::search::open_database;

/// What to do with it.
#[derive(Debug, clap::Args)]
pub struct LedgerArgs {
    /// What to do
    #[command(subcommand)]
    pub command: LedgerCommand,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Copy the SQLite ledger to a file, also while the daemon runs
    ///
    /// The copy is the ledger as it stands at one moment: articles and the state of every feed together. It is read again
    /// before it gets its name, and nothing is written over. To restore it, stop the daemon, put the file
    /// in the place of the ledger (sqlite.path), remove what is beside that (-wal, -shm), and start.
    Backup(BackupArgs),
}

/// Where to.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to write, which must not be there
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The database [default: the one the configuration names]
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// There is no database, or no copy of it.
pub fn run(args: &LedgerArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let LedgerCommand::Backup(BackupArgs { file, database }) = &args.command;
    let reader = open_database(database.as_deref(), config)?;
    let bar = progress(0, "copying");
    let copied = reader.back_up(file, |pages, of| {
        bar.set_length(of);
        bar.set_position(pages);
    });
    bar.finish_and_clear();
    let copied = copied?;
    let revisions = counted(usize::try_from(copied.revisions)?, "revision");
    let feeds = counted(usize::try_from(copied.feeds)?, "feed");
    let size = ByteSize::b(copied.bytes);
    let file = file.display();
    writeln!(
        anstream::stdout(),
        "{}",
        Shown(format_args!("{revisions} of articles and the state of {feeds}, {size}, in {file}"))
    )?;
    Ok(Exit::Fine)
}
