//! What a poll of a feed that is known takes of the processor, by what it is answered: from the answer to the outcome,
//! without the network and the ledger.
//!
//! `cargo bench --bench figures -- polls`.

use std::time::Duration;

use anyhow::ensure;
use cw_decide::process::process;
use cw_model::state::FeedState;
use cw_model::{Answer, Freshness, Network, NotModified, PollResult, Validators};

use super::corpus::{Document, known_feed};
use super::parsing::{Poll, poll_time, processor_time, tagger};

/// Feeds, each polled once in a round.
const FEEDS: u64 = 100;

/// How often each is polled with one answer.
const ROUNDS: u32 = 20;

/// Entries of a document, and how many of them are new where some are.
const ENTRIES: u64 = 30;
const NEW: u64 = 3;

/// A feed, its state after the first document, and the polls that follow.
struct Known {
    first: Poll,
    next: Poll,
    state: FeedState,
}

pub(crate) fn measure() -> anyhow::Result<()> {
    let (tagger, now) = (tagger()?, poll_time());
    let mut feeds = Vec::new();
    for number in 0..FEEDS {
        let [first, next]: [Document; 2] = known_feed(number, ENTRIES, NEW);
        let (first, next) = (Poll::new(&first)?, Poll::new(&next)?);
        let state = (*first.outcome(&tagger, now).state).clone();
        feeds.push(Known { first, next, state });
    }
    println!("| answer | s of a core per 1,000 polls | bytes of the document |\n|---|---:|---:|");
    let line = |what: &str, bytes: usize, poll: &dyn Fn(&Known) -> u64| -> anyhow::Result<()> {
        let before = processor_time()?;
        let mut records = 0;
        for _ in 0..ROUNDS {
            records += feeds.iter().map(poll).sum::<u64>();
        }
        let took: Duration = (processor_time()? - before) / ROUNDS;
        let thousands = f64::from(u32::try_from(feeds.len())?) / 1000.0;
        ensure!(records.is_multiple_of(u64::from(ROUNDS)), "rounds differ");
        println!("| {what} | {:.3} | {} |", took.as_secs_f64() / thousands, bytes / feeds.len());
        Ok(())
    };
    let bytes = |poll: &dyn Fn(&Known) -> usize| feeds.iter().map(poll).sum::<usize>();
    let polled = |known: &Known, answer: &Answer| {
        let outcome = process(&known.first.feed, answer, &known.state, &tagger, now);
        assert!(!matches!(outcome.result, PollResult::Failed(_)), "{:?}", outcome.result);
        outcome.records.len() as u64
    };
    line("304", 0, &|known| polled(known, &not_modified(&known.first)))?;
    line("the same document", bytes(&|known| known.first.bytes), &|known| {
        polled(known, &known.first.answer)
    })?;
    let another = format!("{ENTRIES} entries, {NEW} of them new");
    line(&another, bytes(&|known| known.next.bytes), &|known| polled(known, &known.next.answer))?;
    let all_new = format!("{ENTRIES} entries, all of them new");
    line(&all_new, bytes(&|known| known.first.bytes), &|known| {
        let state = FeedState::default();
        let outcome = process(&known.first.feed, &known.first.answer, &state, &tagger, now);
        outcome.records.len() as u64
    })
}

fn not_modified(poll: &Poll) -> Answer {
    Answer::NotModified(NotModified {
        final_url: poll.feed.url.clone(),
        moved_to: None,
        validators: Validators::default(),
        freshness: Freshness(None),
        network: Network::Public,
        wait: None,
    })
}
