//! The commands: a file each. Parses arguments and maps errors to exit codes; decides nothing.
//!
//! Data goes to standard output, everything else to standard error.

/// Writes a line to standard error, for a person. Whatever stands in it cannot steer the terminal.
macro_rules! say {
    ($($part:tt)*) => {
        anstream::eprintln!("{}", cw_status::shown::Shown(format_args!($($part)*)))
    };
}

pub mod cases;
pub mod check;
pub mod demo;
mod explain;
mod export;
pub mod feeds;
pub mod healthcheck;
pub mod init;
pub mod ledger;
mod meant;
pub mod poll;
pub mod reload;
mod requests;
pub mod run;
mod running;
pub mod schema;
pub mod search;
pub mod show;
mod standing;
mod table;
pub mod tag;
pub mod tail;
pub mod top;
pub mod topics;
pub mod trial;
mod versions;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use cw_status::log;
use cw_status::shown::shown;
use tracing::error;

use crate::config::ConfigError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: it did what was asked.
    Fine,
    /// 1: it did not.
    Failed,
    /// 2: the command line makes no sense.
    Usage,
    /// 78: the configuration is wrong; restarting will not help (sysexits `EX_CONFIG`).
    Config,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Config => 78,
        })
    }
}

/// Watches news feeds and turns them into an exactly-once stream of conflict-coded articles.
#[derive(Debug, Parser)]
#[command(
    name = "conflictwire",
    version,
    long_version = versions::long_version(),
    max_term_width = 100,
    after_help = "Exit codes: 0 fine, 1 failed, 2 wrong command line, 78 wrong configuration."
)]
pub struct Cli {
    /// The configuration file [default: ./config/conflictwire.toml, else
    /// /etc/conflictwire/conflictwire.toml]
    #[arg(long, short, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a configuration and a list of feeds to begin with
    ///
    /// Writes conflictwire.toml, with every key at its default and what it means, and feeds.toml, and says
    /// what to do next. Nothing that is there is written over.
    Init(init::InitArgs),
    /// Run the daemon
    ///
    /// Polls the configured feeds and commits what they say, until SIGTERM or SIGINT, which drain and
    /// end with 0. A second signal ends at once (143 or 130). SIGHUP reads the configuration anew.
    Run(run::RunArgs),
    /// Show the whole pipeline on bundled feeds, over real HTTP on loopback
    ///
    /// Needs no network and no configuration. Exits 1 unless every feed came to what it should.
    Demo(demo::DemoArgs),
    /// Check the configuration: every problem at once
    ///
    /// Offline unless --connect is given. Exits 78 if something is wrong with the configuration, 1 if
    /// --connect found a feed that does not answer, or something of Kafka that is missing.
    Check(check::CheckArgs),
    /// Poll feeds once and print their records; nothing is stored
    ///
    /// For people on a terminal, one JSON object a line otherwise. Exits 1 if a feed could not be read.
    Poll(poll::PollArgs),
    /// Say what a text on standard input says about conflict
    ///
    /// One JSON object a line, in the same order. Input that begins with "{" is JSON lines with the
    /// keys "id", "title", "summary", "body" and "language", of which one text is enough; other keys
    /// are ignored, so records can be piped in. Any other input is one document, however many lines
    /// it has. The answer's "language" is the one that the text shows, or the claimed one of a text too
    /// short to tell; null where it is not known. "conflict" is null where nobody looked: in a language
    /// without a lexicon, or not known. Exits 1 if a line could not be read; the others are answered.
    Tag(tag::TagArgs),
    /// Try the coder on your own cases: texts, and what should be said of them
    ///
    /// With the configured taxonomy, lexicons and actors. One line for each case that comes out otherwise,
    /// with what was expected and what was found, and a summary. Exits 0 if all came out as expected, 1
    /// if not, 78 if the file has a mistake.
    Test(cases::TestArgs),
    /// Follow what is being committed
    ///
    /// Reads the SQLite ledger or the Kafka topic of articles beside a running daemon, and ends with
    /// Ctrl-C. On Kafka it needs Read on that topic, joins no group, and looks for the last articles
    /// among the last 100000 records of each partition.
    Tail(tail::TailArgs),
    /// Show the running daemon on the terminal
    ///
    /// Feeds by state, when each is polled next and why, hosts, lanes, and commits as they happen. Asks
    /// the admin server at the configured address every two seconds; q ends it.
    Top(top::TopArgs),
    /// Search the articles in the SQLite ledger
    ///
    /// Full text, in any script, the last revision of each article, best match first; case, accents
    /// and the forms of Arabic letters do not matter. Every word must be there. An argument with
    /// spaces is a phrase ("air strike"), a star at the end leaves a word open (dron*).
    Search(search::SearchArgs),
    /// Back up the SQLite ledger, or move it to Kafka
    Ledger(ledger::LedgerArgs),
    /// List, add, explain and exchange feeds
    Feeds(feeds::FeedsArgs),
    /// Say how the Kafka topics must look, and create those that are missing
    ///
    /// The daemon creates none: a topic that is missing may be a name that is misspelt, and a new
    /// state topic is a new history.
    Topics(topics::TopicsArgs),
    /// Ask the running daemon whether it is ready
    ///
    /// Asks the admin server at the configured address and prints its answer. Exits 0 if the daemon is
    /// ready (with --live: alive), 1 if it is not or nobody answers.
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Ask the running daemon to read its configuration anew
    ///
    /// Checks it, asks the admin server at the configured address, and prints what came of it. Exits 1 if the
    /// daemon refuses it or nobody answers, 78 if the configuration has a mistake; then the daemon is not
    /// asked.
    Reload(reload::ReloadArgs),
    /// Print the schema of what is published or configured
    Schema(schema::SchemaArgs),
    /// Print shell completions or the manual page
    Generate(schema::GenerateArgs),
    /// Read documents that a daemon gives, so that they can do it no harm
    #[command(hide = true)]
    TryDocuments,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    show_panics();
    let cli = Cli::try_parse().unwrap_or_else(|error| shown_refusal(&error).exit());
    let config = cli.config.as_deref();
    match run_command(&cli.command, config) {
        Ok(exit) => exit.into(),
        Err(error) => report(&error).into(),
    }
}

/// Makes each panic one line of text, whatever it is about, unless log lines are sent: then it is one
/// of those.
fn show_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no text");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        say!("error: a panic at {place}, which is a defect of conflictwire: {text}");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            anstream::eprintln!("{backtrace}");
        }
    }));
}

/// Why a command line makes no sense, or the help that it asks for.
///
/// The text repeats arguments, which a script may have from anywhere. So it is made once more of
/// arguments that may be shown.
fn shown_refusal(error: &clap::Error) -> clap::Error {
    let args = std::env::args_os().map(|arg| shown(&arg.to_string_lossy()).into_owned());
    match Cli::try_parse_from(args) {
        Err(shown) => shown,
        Ok(_) => Cli::command().error(error.kind(), "an argument is no text; write it as UTF-8"),
    }
}

fn run_command(command: &Command, config: Option<&Path>) -> anyhow::Result<Exit> {
    match command {
        Command::Init(args) => init::run(args),
        Command::Run(args) => run::run(args, config),
        Command::Demo(args) => demo::run(args),
        Command::Check(args) => check::run(args, config),
        Command::Poll(args) => poll::run(args, config),
        Command::Tag(args) => tag::run(args, config),
        Command::Test(args) => cases::run(args, config),
        Command::Tail(args) => tail::run(args, config),
        Command::Search(args) => search::run(args, config),
        Command::Feeds(args) => feeds::run(args, config),
        Command::Ledger(args) => ledger::run(args, config),
        Command::Top(args) => top::run(args, config),
        Command::Topics(args) => topics::run(args, config),
        Command::Healthcheck(args) => healthcheck::run(args, config),
        Command::Reload(args) => reload::run(args, config),
        Command::Schema(args) => schema::run(args, config),
        Command::Generate(args) => schema::generate(args),
        Command::TryDocuments => trial::run(),
    }
}

/// Writes an error to standard error, as a log line if those are JSON, and says how to exit.
fn report(error: &anyhow::Error) -> Exit {
    let broken_pipe = error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|err| err.kind() == std::io::ErrorKind::BrokenPipe)
    });
    if broken_pipe {
        // `conflictwire search … | head` is not an error.
        return Exit::Fine;
    }
    if let Some(ConfigError(problems)) = error.downcast_ref() {
        if log::writes_json() {
            for problem in problems {
                error!(config.problem = %problem, "the configuration cannot be used");
            }
        } else {
            check::print_problems(problems);
        }
        return Exit::Config;
    }
    if log::writes_json() {
        error!(error = format!("{error:#}"), "conflictwire ends");
    } else {
        say!("error: {error:#}");
    }
    Exit::Failed
}

/// The runtime of the commands that need one.
///
/// # Errors
/// What the system says if it gives no threads.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
