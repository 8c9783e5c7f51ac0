//! Follows what is being committed to the SQLite ledger.
//!
//! Asks the database twice a second: the daemon need not know who listens, and may start, stop and
//! start again meanwhile.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::search::FilterArgs;
use super::{Exit, show};
use crate::commit::sqlite::read::{Committed, Filter, Reader};

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
    let reader = args.only.open(config)?;
    let filter = args.only.filter(None);
    let form = if args.only.json { Form::Json } else { Form::Readable };
    let (last, seq) = reader.last(&filter, args.last)?;
    print(&last, form)?;
    if !args.once {
        let runtime = super::runtime().context("could not start the runtime")?;
        runtime.block_on(follow(&reader, &filter, seq, form))?;
    } else if last.is_empty() {
        anstream::eprintln!("nothing that fits has been committed yet");
    }
    Ok(Exit::Fine)
}

/// Prints what is committed after `seq`, until interrupted.
///
/// Runs on the main thread, so that reading and printing may block: nothing else waits for it.
async fn follow(reader: &Reader, filter: &Filter, mut seq: i64, form: Form) -> anyhow::Result<()> {
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let (rows, reached) = reader.after(seq, filter)?;
        print(&rows, form)?;
        // Where something came, more may wait: one answer holds only so many.
        let wait = if rows.is_empty() { ASK_INTERVAL } else { Duration::ZERO };
        seq = reached;
        tokio::select! {
            heard = &mut interrupted => return heard.context("could not listen for signals"),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn print(rows: &[Committed], form: Form) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    for row in rows {
        match form {
            Form::Json => writeln!(out, "{}", row.text)?,
            Form::Readable => {
                let record = row.record().context(
                    "cannot show a record that another version wrote; --json prints it as it is",
                )?;
                show::write_record(&mut out, &record, show::Style::terminal())?;
            }
        }
    }
    // At once: a pipe would hold back what somebody waits for.
    out.flush()?;
    Ok(())
}
