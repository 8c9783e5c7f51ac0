//! Polls feeds or files once, through the same pipeline, and prints the records. Stores nothing.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use cw_code::Tagger;
use cw_decide::process::{Reader, process, process_with, wanted_pages};
use cw_model::state::FeedState;
use cw_model::{
    Answer, Backlog, Body, Conditions, EntryCounts, Feed, FeedId, Freshness, Outcome, PollResult,
    Routed,
};
use cw_status::shown::json_line;
use cw_text::likeness::hint;
use cw_text::web::is_web;
use url::Url;

use super::check::counted;
use super::{Exit, show};
use crate::clock::Clock;
use crate::config::{Config, load};
use crate::fetch::{Connections, Fetcher};
use crate::memory::BodyHold;
use crate::pipeline::{Errand, Errands, PagesCame};

/// Polls each feed once and prints its records: for people on a terminal, one JSON object a line
/// otherwise. Nothing is stored.
#[derive(Debug, clap::Args)]
pub struct PollArgs {
    /// URLs of feeds, ids of configured feeds, or files that hold a feed
    #[arg(required = true, value_name = "URL|ID|FILE")]
    pub feeds: Vec<String>,
    /// One JSON object a line, also on a terminal
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &PollArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let config = load(config)?;
    let tag = &config.tag;
    let tagger =
        Tagger::new(&tag.sources, tag.threshold).map_err(crate::pipeline::BuildError::Tagger)?;
    let fetcher = Fetcher::new(&config.fetch, Connections::within_limits(), Clock::System)?;
    let runtime = super::runtime().context("could not start the runtime")?;
    let as_json = args.json || !std::io::stdout().is_terminal();
    let mut exit = Exit::Fine;
    let errands = Errands::default();
    for what in &args.feeds {
        let feed = find_feed(what, &config)?;
        let answer = if feed.url.scheme() == "file" {
            read_file(what, &feed)?
        } else {
            runtime.block_on(async {
                let answer = fetcher.fetch(&feed, &Conditions::default()).await;
                errands.sitemaps(&fetcher, &feed, answer, &mut BodyHold::unlimited()).await
            })
        };
        let (state, now) = (FeedState::default(), Clock::System.now());
        let mut outcome = process(&feed, &answer, &state, &tagger, now);
        let wanted = wanted_pages(&feed, &outcome);
        if let (Answer::Body(body), false) = (&answer, wanted.is_empty()) {
            let hold = BodyHold::unlimited();
            let errand = Errand { fetcher: &fetcher, feed: &feed, body, hold: &hold };
            let came = runtime.block_on(errands.pages(&errand, wanted, std::future::pending()));
            let reader = Reader { tagger: &tagger, pages: &came.texts };
            outcome = process_with(&feed, &answer, &state, reader, now);
            say!("\"{what}\": {}", pages_note(&came));
        }
        let mut out = anstream::stdout().lock();
        for Routed { record, .. } in &outcome.records {
            if as_json {
                writeln!(out, "{}", json_line(&serde_json::to_string(record)?))?;
            } else {
                show::write_record(&mut out, record, show::Style::terminal())?;
            }
        }
        out.flush()?;
        match &outcome.result {
            PollResult::Modified(counts) => {
                if let Some(note) = note(*counts, &outcome) {
                    say!("\"{what}\": {note}");
                }
            }
            PollResult::NotModified => {
                say!("error: \"{what}\": the server answered 304, though nothing was held");
                exit = Exit::Failed;
            }
            PollResult::Failed(failure) => {
                say!("error: \"{what}\": {}: {}", failure.class.name(), failure.detail);
                exit = Exit::Failed;
            }
        }
        if let Some(url) = outcome.state.plan.lives_at().and_then(|url| Url::parse(url).ok()) {
            say!("\"{what}\": moved for good to {}", feed.shown(&url));
        }
        for reject in &outcome.rejects {
            let offset = reject.offset.map(|at| format!(" at byte {at}")).unwrap_or_default();
            say!("refused{offset}: {}: {}", reject.reason, reject.detail);
        }
    }
    Ok(exit)
}

/// What came of the pages that were wanted.
fn pages_note(came: &PagesCame) -> String {
    let mut results: BTreeMap<&str, usize> = BTreeMap::new();
    came.refusals.values().for_each(|refusal| *results.entry(refusal.name()).or_default() += 1);
    let results = results.iter().map(|(result, count)| format!(", {count} {result}"));
    format!("pages: {} used{}", came.texts.len(), results.collect::<String>())
}

/// What a document has beside the records that are printed, if anything; and that it has none.
fn note(counts: EntryCounts, outcome: &Outcome) -> Option<String> {
    let parts: Vec<String> = [
        (counts.skipped, "left out as backlog (schedule.backlog)"),
        (counts.over_quota, "left out, over the feed's quota of a day"),
        (counts.over_limit, "left out, past parse.entries_max"),
        (counts.rejected, "could not be read"),
        (counts.withdrawal_ignored, "said to be deleted and not known"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    let records = counted(outcome.records.len(), "record");
    match parts.as_slice() {
        [] if outcome.records.is_empty() => Some("no entries".to_owned()),
        [] => None,
        parts => Some(format!("{records}; of the other entries {}", parts.join(", "))),
    }
}

/// A configured feed by id or URL, else one made of a URL or a file's path.
fn find_feed(what: &str, config: &Config) -> anyhow::Result<Feed> {
    if let Some(feed) =
        config.feeds.iter().find(|feed| feed.id.as_str() == what || feed.url.as_str() == what)
    {
        return Ok(feed.clone());
    }
    let url = if Path::new(what).exists() {
        let path = std::path::absolute(what)?;
        Url::from_file_path(&path).ok().with_context(|| format!("\"{what}\" is not a path"))?
    } else {
        Url::parse(what).ok().filter(is_web).with_context(|| {
            let ids = config.feeds.iter().map(|feed| feed.id.as_str());
            let hint = hint(what, ids);
            format!("\"{what}\" is neither an http URL, a configured feed's id, nor a file{hint}")
        })?
    };
    let id = FeedId::from_url(&url);
    Ok(Feed { backlog: Backlog::All, ..config.feed_defaults.feed(id, url) })
}

fn read_file(path: &str, feed: &Feed) -> anyhow::Result<Answer> {
    let bytes = std::fs::read(path).with_context(|| format!("could not read \"{path}\""))?;
    let freshness = Freshness(Some(Duration::ZERO));
    Ok(Answer::Body(Body { freshness, ..Body::of(bytes, feed.url.clone()) }))
}
