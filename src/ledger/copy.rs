//! Moves a SQLite ledger into Kafka's topics, once: ids, revisions and states as they are, so that a daemon on
//! Kafka goes on where the one on SQLite ended and tells nothing twice.
//!
//! Every lane gets a mark that a copy has begun before any lane gets more, and is not polled until its copy is
//! whole. How far a copy is stands in the same transactions as what is copied, so whoever runs it again goes on
//! from there and doubles nothing.

use std::collections::{BTreeMap, BTreeSet};

use cw_decide::lane::copied::{Copied, CopiedArticle, InConflict};
use cw_decide::lane::hash;
use cw_decide::lane::log::Restored;
use cw_decide::lane::wire::{Line, Unwritable};
use cw_decide::{Past, States};
use cw_model::digest::bytes_digest;
use cw_model::{Digest, FeedId};
use url::Url;

use super::CommitError;
use super::kafka::target::{CopyTarget, TargetError, TargetLane};
use super::sqlite::read::ReadError;
use super::sqlite::source::{Amounts, Source, SourceError};
use crate::clock::Clock;

/// A transaction takes no more after so many bytes: what a broker is asked to take in one go.
const TRANSACTION_BYTES_MAX: usize = 4 << 20;

/// The same, lines.
const TRANSACTION_LINES_MAX: usize = 1000;

/// The most articles without room that are named; the rest are counted.
const NAMED_MAX: usize = 5;

/// What is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Articles, rejects and the states of feeds.
    All,
    /// The states of feeds.
    StatesOnly,
}

/// Why nothing is copied, or no more.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database cannot be copied.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Nothing can be copied to the topics.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Something of it fits into no topic.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    /// These feeds are polled on Kafka already.
    #[error(
        "lane {lane} holds a state of feed \"{feed}\"{} already, so this ledger was copied before or the feed \
         is polled there; nothing was copied. Use another deployment with topics of its own", and_more(*.more)
    )]
    HasStates {
        /// Which lane.
        lane: u32,
        /// One of the feeds.
        feed: FeedId,
        /// How many more there are.
        more: usize,
    },
    /// The copy that was begun is another.
    #[error(
        "a copy that was begun in lane {lane} at {at} is of another ledger, or of this one as it stood before a \
         daemon wrote to it, or the addresses of feeds or --states-only were other; go on with that one, or \
         delete the topics and begin anew"
    )]
    OtherCopy {
        /// Which lane.
        lane: u32,
        /// When.
        at: String,
    },
    /// Records of somebody are in the topics.
    #[error(
        "{} records already; copy to topics of its own, or copy the states alone with --states-only", have(.0)
    )]
    HasRecords(Vec<String>),
}

impl From<ReadError> for CopyError {
    fn from(err: ReadError) -> Self {
        Self::Source(err.into())
    }
}

impl From<CommitError> for CopyError {
    fn from(err: CommitError) -> Self {
        Self::Source(err.into())
    }
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" and of {more} more") }
}

fn have(topics: &[String]) -> String {
    let named: Vec<String> = topics.iter().map(|topic| format!("\"{topic}\"")).collect();
    let (topics, have) = if topics.len() == 1 { ("topic", "has") } else { ("topics", "have") };
    format!("{topics} {} {have}", named.join(", "))
}

/// What was copied, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Revisions of articles.
    pub articles: u64,
    /// Rejects.
    pub rejects: u64,
    /// States of feeds.
    pub states: u64,
    /// Articles that no topic takes.
    pub too_large: u64,
    /// Some of them.
    pub too_large_named: Vec<String>,
}

/// How far a lane is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    /// Nothing was begun.
    NotBegun,
    /// A part of it is there, or the mark alone.
    Begun,
    /// All of it is there.
    Whole,
}

/// A copy that may be made.
pub struct Copying<'a> {
    source: &'a Source,
    target: &'a CopyTarget,
    what: What,
    from: String,
    states: States,
    past: Past,
    amounts: Amounts,
    /// The feeds of each lane, by id.
    feeds: Vec<Vec<String>>,
    progress: Vec<Progress>,
}

impl<'a> Copying<'a> {
    /// Looks at both, and writes nothing. `urls` are those of the configuration, by feed: which lane a feed is
    /// polled in goes by its host there.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn prepare(
        source: &'a Source,
        target: &'a CopyTarget,
        urls: &BTreeMap<String, Url>,
        what: What,
    ) -> Result<Self, CopyError> {
        let states = source.states()?;
        let amounts = match what {
            What::All => source.amounts()?,
            What::StatesOnly => Amounts::default(),
        };
        let feeds = lanes_of(source, urls, target.lanes())?;
        let from = fingerprint(&feeds, &states, &amounts);
        let past = source.past(Clock::System.now())?;
        let progress = Vec::new();
        let mut copying =
            Self { source, target, what, from, states, past, amounts, feeds, progress };
        copying.check_states()?;
        copying.progress = copying.look()?;
        let is_new = copying.progress.iter().all(|lane| *lane == Progress::NotBegun);
        if is_new && what == What::All {
            let topics = target.topics_with_records()?;
            if !topics.is_empty() {
                return Err(CopyError::HasRecords(topics));
            }
        }
        Ok(copying)
    }

    /// How much there is to copy, with what an earlier run has copied.
    pub fn amount(&self) -> Tally {
        Tally {
            articles: self.amounts.articles,
            rejects: self.amounts.rejects,
            states: self.states.len() as u64,
            ..Tally::default()
        }
    }

    /// How many lanes are whole already.
    pub fn lanes_done(&self) -> usize {
        self.progress.iter().filter(|lane| **lane == Progress::Whole).count()
    }

    /// Whether an earlier run ended before its end.
    pub fn is_begun(&self) -> bool {
        self.progress.iter().any(|lane| *lane != Progress::NotBegun)
    }

    /// Every state, before anything is written: one that no topic takes would stop the copy in its middle.
    fn check_states(&self) -> Result<(), CopyError> {
        for (lane, feeds) in (0..).zip(&self.feeds) {
            let layout = self.target.layout(lane);
            for (id, state) in self.states_of(feeds) {
                layout.state(&id, state)?;
            }
        }
        Ok(())
    }

    fn states_of<'b>(
        &'b self,
        feeds: &'b [String],
    ) -> impl Iterator<Item = (FeedId, &'b cw_model::state::FeedState)> {
        feeds.iter().filter_map(|feed| {
            let id = FeedId::parse(feed).ok()?;
            let state = self.states.get(&id)?;
            Some((id, &**state))
        })
    }

    fn look(&self) -> Result<Vec<Progress>, CopyError> {
        let mut progress = Vec::new();
        let mut taken = None;
        for lane in 0..self.target.lanes() {
            match self.judge(lane, &self.target.look(lane)?) {
                Ok(found) => progress.push(found),
                // What is said of one that is not whole explains the others.
                Err(other @ CopyError::OtherCopy { .. }) => return Err(other),
                Err(error) => {
                    taken.get_or_insert(error);
                }
            }
        }
        taken.map_or(Ok(progress), Err)
    }

    /// How far a lane is.
    fn judge(&self, lane: u32, restored: &Restored) -> Result<Progress, CopyError> {
        match &restored.copied {
            Some(copied) if copied.from == self.from => {
                return Ok(if copied.whole { Progress::Whole } else { Progress::Begun });
            }
            Some(copied) if !copied.whole => {
                return Err(CopyError::OtherCopy { lane, at: copied.at.clone() });
            }
            Some(_) | None => {}
        }
        let ours = restored.states.keys().filter(|id| self.states.contains_key(*id));
        let ours: BTreeSet<&FeedId> = ours.collect();
        match ours.first() {
            None => Ok(Progress::NotBegun),
            Some(feed) => {
                let (feed, more) = ((*feed).clone(), ours.len() - 1);
                Err(CopyError::HasStates { lane, feed, more })
            }
        }
    }

    /// Copies all that is not copied yet. `told` hears how much this run has copied.
    ///
    /// # Errors
    /// [`CopyError`]. What was copied until then stays, and is gone on from by the next run.
    pub fn run(&self, mut told: impl FnMut(&Tally)) -> Result<Tally, CopyError> {
        for (lane, progress) in (0..).zip(&self.progress) {
            if *progress == Progress::NotBegun {
                self.begin(lane)?;
            }
        }
        let mut tally = Tally::default();
        for ((lane, progress), feeds) in (0..).zip(&self.progress).zip(&self.feeds) {
            if *progress != Progress::Whole {
                self.copy_lane(lane, feeds, &mut tally, &mut told)?;
            }
        }
        Ok(tally)
    }

    fn begin(&self, lane: u32) -> Result<(), CopyError> {
        let (mut taken, restored) = self.target.take(lane, self.past)?;
        if self.judge(lane, &restored)? == Progress::NotBegun {
            let now = Clock::System.now();
            taken.commit(Vec::new(), &Copied::begun(&self.from, now), now)?;
        }
        Ok(())
    }

    fn copy_lane(
        &self,
        lane: u32,
        feeds: &[String],
        tally: &mut Tally,
        told: &mut impl FnMut(&Tally),
    ) -> Result<(), CopyError> {
        let (taken, restored) = self.target.take(lane, self.past)?;
        if self.judge(lane, &restored)? == Progress::Whole {
            return Ok(());
        }
        let now = Clock::System.now();
        let begun = || Copied::begun(&self.from, now);
        let copied = restored.copied.map_or_else(begun, |copied| *copied);
        let mut writing = Writing { taken, copied, lines: Vec::new(), bytes: 0 };
        if self.what == What::All {
            self.copy_articles(lane, feeds, &mut writing, tally, told)?;
            self.copy_rejects(lane, feeds, &mut writing, tally, told)?;
        }
        let layout = self.target.layout(lane);
        for (id, state) in self.states_of(feeds) {
            if writing.copied.feed.as_deref() >= Some(id.as_str()) {
                continue;
            }
            writing.push(layout.state(&id, state)?);
            writing.copied.feed = Some(id.to_string());
            tally.states += 1;
            writing.commit_if_full(tally, told)?;
        }
        writing.copied.whole = true;
        writing.commit()?;
        told(tally);
        Ok(())
    }

    fn copy_articles(
        &self,
        lane: u32,
        feeds: &[String],
        writing: &mut Writing<'_>,
        tally: &mut Tally,
        told: &mut impl FnMut(&Tally),
    ) -> Result<(), CopyError> {
        let layout = self.target.layout(lane);
        loop {
            let articles = self.source.articles(writing.copied.articles, feeds)?;
            if articles.is_empty() {
                return Ok(());
            }
            for article in articles {
                let in_conflict =
                    if article.is_in_conflict { InConflict::Yes } else { InConflict::No };
                let record = &article.record;
                match layout.copied_article(record, article.text, in_conflict) {
                    CopiedArticle::Lines(lines) => {
                        lines.into_iter().for_each(|line| writing.push(line));
                        tally.articles += 1;
                    }
                    CopiedArticle::TooLarge(bytes) => {
                        tally.too_large += 1;
                        if tally.too_large_named.len() < NAMED_MAX {
                            let (id, revision) = (&record.id, record.revision);
                            let named = format!("{id} revision {revision}, {bytes} bytes");
                            tally.too_large_named.push(named);
                        }
                    }
                }
                writing.copied.articles = article.seq;
                writing.commit_if_full(tally, told)?;
            }
        }
    }

    fn copy_rejects(
        &self,
        lane: u32,
        feeds: &[String],
        writing: &mut Writing<'_>,
        tally: &mut Tally,
        told: &mut impl FnMut(&Tally),
    ) -> Result<(), CopyError> {
        let layout = self.target.layout(lane);
        loop {
            let rejects = self.source.rejects(writing.copied.rejects, feeds)?;
            if rejects.is_empty() {
                return Ok(());
            }
            for (place, reject) in rejects {
                writing.push(layout.copied_reject(reject)?);
                writing.copied.rejects = place;
                tally.rejects += 1;
                writing.commit_if_full(tally, told)?;
            }
        }
    }
}

/// A lane that is being written to, and the transaction that is being gathered.
struct Writing<'a> {
    taken: TargetLane<'a>,
    copied: Copied,
    lines: Vec<Line>,
    bytes: usize,
}

impl Writing<'_> {
    fn push(&mut self, line: Line) {
        self.bytes += line.bytes();
        self.lines.push(line);
    }

    fn is_full(&self) -> bool {
        self.bytes >= TRANSACTION_BYTES_MAX || self.lines.len() >= TRANSACTION_LINES_MAX
    }

    /// Says how far the copy is with what was committed, if anything was.
    fn commit_if_full(
        &mut self,
        tally: &Tally,
        told: &mut impl FnMut(&Tally),
    ) -> Result<(), TargetError> {
        if self.is_full() {
            self.commit()?;
            told(tally);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), TargetError> {
        let now = Clock::System.now();
        self.copied.at = format!("{now:.3}");
        self.bytes = 0;
        self.taken.commit(std::mem::take(&mut self.lines), &self.copied, now)
    }
}

/// The feeds of each lane, sorted: by the host in the configuration, else by that of the last record. One of
/// which neither is known is left to the first lane; wherever a feed's state is, it is found there.
fn lanes_of(
    source: &Source,
    urls: &BTreeMap<String, Url>,
    lanes: u32,
) -> Result<Vec<Vec<String>>, CopyError> {
    let mut feeds = vec![Vec::new(); usize::try_from(lanes).unwrap_or_default()];
    for (id, published) in source.feeds()? {
        let published = published.and_then(|url| Url::parse(&url).ok());
        let url = urls.get(&id).or(published.as_ref());
        let lane = url.map_or(0, |url| hash::lane(url, lanes));
        if let Some(feeds) = usize::try_from(lane).ok().and_then(|lane| feeds.get_mut(lane)) {
            feeds.push(id);
        }
    }
    Ok(feeds)
}

/// Tells what is copied, as it stands, from everything else.
fn fingerprint(feeds: &[Vec<String>], states: &States, amounts: &Amounts) -> String {
    let mut text = String::new();
    for (lane, feeds) in feeds.iter().enumerate() {
        for feed in feeds {
            let state = FeedId::parse(feed).ok().and_then(|id| states.get(&id));
            let sequence = state.map_or(0, |state| state.plan.sequence);
            text.push_str(&format!("{lane} {feed} {sequence}\n"));
        }
    }
    let Amounts { articles, rejects, last_article, last_reject } = amounts;
    text.push_str(&format!("{articles} {last_article} {rejects} {last_reject}\n"));
    let Digest(digest) = bytes_digest(text.as_bytes());
    format!("{:016x}", u64::from_be_bytes(digest))
}
