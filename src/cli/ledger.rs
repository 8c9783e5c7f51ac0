//! What an operator does with the SQLite ledger as a whole.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytesize::ByteSize;
use clap::Subcommand;
use cw_status::shown::Shown;

use super::Exit;
use super::check::{counted, progress, spinner};
use super::search::open_database;
use crate::config;
use crate::ledger::LedgerSettings;
use crate::ledger::copy::{Copying, Tally, What};
use crate::ledger::kafka::target::CopyTarget;
use crate::ledger::sqlite::source::Source;

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
    /// Copy the SQLite ledger into the topics of the Kafka ledger, once
    ///
    /// For moving a deployment from SQLite to Kafka. Articles, rejects and the states of feeds keep their ids and
    /// revisions, so a daemon on Kafka goes on where the one on SQLite ended and tells nothing twice. The configuration
    /// names both, sqlite and kafka; which of them ledger.kind is does not matter. Stop every daemon first, of both,
    /// and make the topics (conflictwire topics apply). The SQLite ledger is not changed.
    ///
    /// It refuses if a feed has a state on Kafka already, if a daemon has the database or a lane, or if the topics have
    /// records. If it ends before its end, run it again: it goes on where it ended and doubles nothing. Until it is
    /// whole, no daemon polls the lanes.
    Copy(CopyArgs),
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

/// What is copied.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 0 once all is copied, also by an earlier run; 1 if something keeps it from that."
)]
pub struct CopyArgs {
    /// The database [default: the one the configuration names]
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,
    /// Only the states of feeds: what daemons need. Articles and rejects stay in the database
    #[arg(long)]
    pub states_only: bool,
    /// Look at both and say what would be copied; write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// There is no database, or no copy of it.
pub fn run(args: &LedgerArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    match &args.command {
        LedgerCommand::Backup(args) => back_up(args, config),
        LedgerCommand::Copy(args) => copy(args, config),
    }
}

fn copy(args: &CopyArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let settings = config::load_with_ledger(config, "kafka")?;
    let all = settings.feeds.iter().chain(&settings.disabled);
    let urls: BTreeMap<_, _> = all.map(|feed| (feed.id.to_string(), feed.url.clone())).collect();
    let kafka = settings.ledger.into_kafka()?;
    let database = match &args.database {
        Some(database) => database.clone(),
        None => match config::load_with_ledger(config, "sqlite")?.ledger {
            LedgerSettings::Sqlite(settings) => settings.path,
            LedgerSettings::Kafka(_) | LedgerSettings::JsonLines => {
                anyhow::bail!("name the database with --database")
            }
        },
    };
    let source = Source::open(&database)?;
    let runtime = super::runtime().context("could not start the runtime")?;
    let asking = spinner("asking Kafka");
    // On the main thread, so that asking may block: nothing else waits for it.
    let target = runtime.block_on(CopyTarget::open(&kafka));
    let what = if args.states_only { What::StatesOnly } else { What::All };
    let copying = target.map_err(anyhow::Error::from);
    let copying = copying.as_ref().map(|target| Copying::prepare(&source, target, &urls, what));
    asking.finish_and_clear();
    let copying = match copying {
        Ok(copying) => copying?,
        Err(why) => anyhow::bail!("nothing was copied: {why:#}"),
    };
    let mut out = anstream::stdout().lock();
    let (from, to) = (
        database.display(),
        format!("Kafka at {}, deployment {}", kafka.shown_brokers(), kafka.deployment),
    );
    let lanes = usize::try_from(kafka.lanes)?;
    if args.dry_run {
        let amount = shown(&copying.amount(), what)?;
        let done = copying.lanes_done();
        writeln!(out, "{}", Shown(format_args!("would copy {amount} from {from} to {to}")))?;
        if copying.is_begun() {
            writeln!(out, "an earlier run has begun; {done} of {} whole", counted(lanes, "lane"))?;
        }
        return Ok(Exit::Fine);
    }
    if copying.lanes_done() == lanes {
        writeln!(out, "{}", Shown(format_args!("all of {from} has been copied to {to} before")))?;
        return Ok(Exit::Fine);
    }
    let total = copying.amount();
    let total = total.articles + total.rejects + total.states;
    let bar = progress(usize::try_from(total)?, "copying");
    let copied =
        copying.run(|tally| bar.set_position(tally.articles + tally.rejects + tally.states));
    bar.finish_and_clear();
    let copied = copied?;
    let amount = shown(&copied, what)?;
    let before = if copying.is_begun() { ", the rest by an earlier run" } else { "" };
    writeln!(out, "{}", Shown(format_args!("copied {amount}{before}, from {from} to {to}")))?;
    if copied.too_large > 0 {
        let named = copied.too_large_named.join("; ");
        let count = counted(usize::try_from(copied.too_large)?, "revision");
        say!("{count} not copied, larger than the topics take (max.message.bytes): {named}");
    }
    Ok(Exit::Fine)
}

/// How much it is, for people.
fn shown(tally: &Tally, what: What) -> anyhow::Result<String> {
    let states = counted(usize::try_from(tally.states)?, "feed");
    let states = format!("the state of {states}");
    if what == What::StatesOnly {
        return Ok(states);
    }
    let articles = counted(usize::try_from(tally.articles)?, "revision");
    let rejects = counted(usize::try_from(tally.rejects)?, "reject");
    Ok(format!("{articles} of articles, {rejects} and {states}"))
}

fn back_up(args: &BackupArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let BackupArgs { file, database } = args;
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
