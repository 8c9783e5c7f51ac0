//! What a feed takes of the memory of the real daemon, by how many articles it remembers: everything that is held of it,
//! from its place in the configuration to its state.
//!
//! `cargo bench --bench figures -- memory`. A ledger is written for few and for many feeds of the same state, and what the
//! daemon holds more of the many, idle after a start, is theirs.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use cw_decide::process::process;
use cw_model::state::{FeedState, Reason};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::corpus::{Document, Format, windows};
use super::parsing::{Poll, poll_time, tagger};
use super::publisher::Publisher;
use super::running::{Daemon, write_feeds};

const FEW: u64 = 1_000;
const MANY: u64 = 21_000;

/// New articles in each document after the first, which has twenty.
const NEW: u64 = 10;

/// Documents, and what of them is remembered: of an article that is not listed any more, 500 at most.
const DOCUMENTS: [u64; 2] = [2, 52];

/// No feed is due while it is looked at.
const INTERVAL: Duration = Duration::from_hours(20);

pub(crate) fn measure(scratch: &Path) -> anyhow::Result<()> {
    let folder = scratch.join("memory");
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).context("could not make the folder of the measurement")?;
    let publisher = Publisher::start()?;
    println!(
        "| articles remembered | bytes of memory a feed | of them the packed state | of the state as written | a plan as written |"
    );
    println!("|---:|---:|---:|---:|---:|");
    for documents in DOCUMENTS {
        let state = remembering(documents)?;
        let resident = |feeds| resident(&folder, feeds, &state, &publisher);
        let (few, many) = (resident(FEW)?, resident(MANY)?);
        ensure!(many > few, "many feeds take no more than few");
        println!(
            "| {} | {} | {} | {} | {} |",
            state.memory.articles(),
            (many - few) * 1024 / (MANY - FEW),
            state.memory.packed_bytes(),
            state.written()?.len(),
            state.written_plan()?.len(),
        );
    }
    std::fs::remove_dir_all(&folder).context("could not remove the ledgers")
}

/// The state of a feed after so many documents, polled now.
#[expect(clippy::disallowed_methods, reason = "the daemon that reads it goes by the real time")]
fn remembering(documents: u64) -> anyhow::Result<FeedState> {
    let tagger = tagger()?;
    let mut state = FeedState::default();
    let mut time = poll_time();
    for bytes in windows(1, NEW, documents) {
        let document =
            Document { name: "1.rss".to_owned(), format: Format::Rss, bytes, entries: 20 };
        let poll = Poll::new(&document)?;
        time += INTERVAL;
        state = (*process(&poll.feed, &poll.answer, &state, &tagger, time).state).clone();
    }
    let now = Timestamp::now();
    state.plan.polled_at = Some(now);
    state.plan.next.due_at = Some(now + INTERVAL);
    state.plan.next.reason = Reason::Interval;
    Ok(state)
}

/// Resident memory of a daemon with so many feeds of this state, KiB.
fn resident(
    folder: &Path,
    feeds: u64,
    state: &FeedState,
    publisher: &Publisher,
) -> anyhow::Result<u64> {
    let name = format!("{feeds}-{}", state.memory.articles());
    let configuration = configuration(folder, &name, 0..feeds, publisher)?;
    // It makes the tables, with a feed of its own.
    let empty = self::configuration(folder, &name, MANY..MANY + 1, publisher)?;
    Daemon::start(&empty)?.0.stop()?;
    let mut ledger = Connection::open(folder.join(format!("{name}.sqlite")))?;
    let transaction = ledger.transaction()?;
    for feed in 0..feeds {
        let mut state = state.clone();
        let url =
            format!("http://{}:{}/feed/{feed}", Publisher::host(feed), publisher.address.port());
        state.plan.url = Some(url.into());
        transaction.execute(
            "INSERT INTO feed_state VALUES (?1, ?2, NULL, 'fine', ?3, '')",
            params![format!("feed-{feed}"), i64::try_from(state.plan.sequence)?, state.written()?],
        )?;
    }
    transaction.commit()?;
    drop(ledger);
    let (mut daemon, _) = Daemon::start(&configuration)?;
    let held = daemon.hold()?;
    ensure!(daemon.polled()? == 0, "feeds were polled");
    daemon.stop()?;
    Ok(held.resident_kib)
}

fn configuration(
    folder: &Path,
    name: &str,
    feeds: Range<u64>,
    publisher: &Publisher,
) -> anyhow::Result<PathBuf> {
    let port = publisher.address.port();
    let mut text = format!(
        "[schedule]\ninterval_min = \"20h\"\ninterval_max = \"20h\"\n\
         [fetch]\nallow_private_networks = [\"127.0.0.1/32\"]\n\
         [sqlite]\npath = \"{name}.sqlite\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [log]\nformat = \"json\"\n"
    );
    let path = folder.join(format!("{name}-from-{}.toml", feeds.start));
    write_feeds(&mut text, feeds, Publisher::host, port)?;
    std::fs::write(&path, text).context("could not write a configuration")?;
    Ok(path)
}
