//! Follows what is being committed, to the SQLite ledger or to Kafka.
//!
//! The database is asked twice a second, a topic is read as it grows: the daemon need not know who
//! listens, and may start, stop and start again meanwhile.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use cw_status::shown::json_line;

use super::search::FilterArgs;
use super::{Exit, show};
use crate::ledger::filter::Filter;
use crate::ledger::kafka::read::{Absence, Followed, Follower, TopicReader};
use crate::ledger::sqlite::read::Reader;
use crate::ledger::{KafkaSettings, LedgerSettings};

/// How long to wait before asking again. A person sees no delay, and asking costs one lookup.
const ASK_INTERVAL: Duration = Duration::from_millis(500);

/// Prints the articles committed last, then each new one as it is committed, until interrupted.
#[derive(Debug, clap::Args)]
pub struct TailArgs {
    /// Which articles
    #[command(flatten)]
    pub only: FilterArgs,
    /// How many of those committed before to print first
    #[arg(long, short = 'n', default_value_t = 10, value_name = "COUNT")]
    pub last: u32,
    /// Print those and end
    #[arg(long)]
    pub once: bool,
}

/// How a record is printed.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// For a person.
    Readable,
    /// One JSON object a line.
    Json,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &TailArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    if let Some(path) = &args.only.database {
        return tail_database(args, path, config);
    }
    match crate::config::load(config)?.ledger {
        LedgerSettings::Sqlite(settings) => tail_database(args, &settings.path, config),
        LedgerSettings::Kafka(settings) => tail_topic(args, &settings, config),
        LedgerSettings::JsonLines => anyhow::bail!(
            "the configured ledger (ledger.kind = \"json_lines\") keeps nothing to read; name a \
             database with --database"
        ),
    }
}

impl TailArgs {
    fn form(&self) -> Form {
        if self.only.json { Form::Json } else { Form::Readable }
    }
}

fn tail_database(args: &TailArgs, path: &Path, config: Option<&Path>) -> anyhow::Result<Exit> {
    let reader = Reader::open(path)?;
    let filter = args.only.filter(None, config);
    let (last, seq) = reader.last(&filter, args.last)?;
    print(last.iter().map(|row| row.text.as_str()), args.form())?;
    if last.is_empty() && args.last > 0 {
        args.only.say_doubts(config);
    }
    if !args.once {
        let runtime = super::runtime().context("could not start the runtime")?;
        runtime.block_on(follow_database(&reader, &filter, seq, args.form()))?;
    } else if last.is_empty() {
        say!("nothing that fits is in the database");
    }
    Ok(Exit::Fine)
}

fn tail_topic(
    args: &TailArgs,
    settings: &KafkaSettings,
    config: Option<&Path>,
) -> anyhow::Result<Exit> {
    let reader = TopicReader::open(settings, &settings.topics.articles)?;
    let filter = args.only.filter(None, config);
    let last = reader.last(&filter, args.last)?;
    print(last.iter().map(|published| published.text.as_str()), args.form())?;
    if last.is_empty() && args.last > 0 {
        args.only.say_doubts(config);
    }
    if !args.once {
        let runtime = super::runtime().context("could not start the runtime")?;
        runtime.block_on(follow_topic(&mut reader.follow()?, &filter, args.form()))?;
    } else if last.is_empty() && args.last > 0 {
        match reader.absence() {
            Absence::NeverCommitted => say!("nothing that fits has been committed yet"),
            Absence::Removed => say!(
                "nothing that fits is there; what was committed first has been removed \
                 (retention.ms, retention.bytes)"
            ),
            Absence::NotFound { looked_at } => say!(
                "nothing that fits among the last {looked_at} offsets of each partition; older \
                 records were not looked at"
            ),
        }
    }
    Ok(Exit::Fine)
}

// Both run on the main thread, so that reading and printing may block: nothing else waits for them.

/// Prints what is committed after `seq`, until interrupted.
async fn follow_database(
    reader: &Reader,
    filter: &Filter,
    mut seq: i64,
    form: Form,
) -> anyhow::Result<()> {
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        if reader.is_removed_after(seq)? {
            say!(
                "some articles may have been removed (sqlite.keep_age, sqlite.keep_size) before they were shown"
            );
        }
        let (rows, reached) = reader.after(seq, filter)?;
        print(rows.iter().map(|row| row.text.as_str()), form)?;
        // Where something came, more may wait: one answer holds only so many.
        let wait = if rows.is_empty() { ASK_INTERVAL } else { Duration::ZERO };
        seq = reached;
        if rows.is_empty() && reader.is_replaced() {
            anyhow::bail!(
                "the database is not there any more, or another has its name; start again"
            );
        }
        tokio::select! {
            heard = &mut interrupted => return heard.context("could not listen for signals"),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Prints what comes, until interrupted; says so when brokers go and come back.
async fn follow_topic(follower: &mut Follower, filter: &Filter, form: Form) -> anyhow::Result<()> {
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        for followed in follower.next(filter, ASK_INTERVAL)? {
            match followed {
                Followed::Published(published) => print([published.text.as_str()], form)?,
                Followed::Away(why) => {
                    say!("Kafka does not answer ({why}); trying until it does");
                }
                Followed::Back => say!("Kafka answers again"),
            }
        }
        tokio::select! {
            heard = &mut interrupted => return heard.context("could not listen for signals"),
            () = tokio::time::sleep(Duration::ZERO) => {}
        }
    }
}

fn print<'a>(texts: impl IntoIterator<Item = &'a str>, form: Form) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    for text in texts {
        match form {
            Form::Json => writeln!(out, "{}", json_line(text))?,
            Form::Readable => {
                if let Some(record) = show::readable(text) {
                    show::write_record(&mut out, &record, show::Style::terminal())?;
                }
            }
        }
    }
    // At once: a pipe would hold back what somebody waits for.
    out.flush()?;
    Ok(())
}
