//! Answer to outcome: the pure middle of the program.
//!
//! [`process`] does no I/O, reads no clock and cannot fail: what goes wrong is a value in the
//! outcome. It is the same function in the daemon, in `conflictwire poll`, in the tests and in the
//! benchmarks. Fetching is `fetch`'s, making the outcome durable is `commit`'s.

mod answered;
mod articles;
mod asked;
mod budget;
mod drift;
mod gap;
mod hub;
mod local_time;
mod moved_articles;
mod no_document;
mod pages;
mod planned;
mod publishing;
mod rejects;
mod revisions;
mod shown;
mod trust;
mod unread;
mod validators;
mod wire;
mod withdrawn;

use std::collections::HashMap;
use std::sync::Arc;

use cw_code::Tagger;
use cw_model::digest::bytes_digest;
use cw_model::record::RecordFeed;
use cw_model::state::{
    FeedPlan, FeedState, Reason, Seen, SeenArticle, UnpackedState, until_next_day,
};
use cw_model::{
    Answer, Article, ArticleId, Body, Changed, Digest, EntryCounts, Failure, FailureClass, Feed,
    Instance, Outcome, PollResult, Reject, Routed, Steps, Timestamp, Urgency,
};
use cw_read::READING;
use cw_read::parse::{KnownSources, ParseFailure, ParsedFeed, parse_with};

use self::answered::{OwnWord, announced, answered};
use self::articles::Articles;
use self::asked::with_request;
use self::budget::{Budget, Spent, reject_bytes, state_bytes};
pub use self::budget::{outcome_bytes_limit, outcome_bytes_max};
use self::drift::Before;
use self::no_document::{failed, not_modified};
pub use self::pages::{PAGES_MAX, Pages, TEASER_CHARS_MAX, WantedPage, wanted_pages};
use self::planned::{answered_before, nothing_new, schedule};
use self::rejects::{Refused, reject};
use self::trust::News;
pub use self::trust::conditions;
pub use self::unread::{crashed, panicked, too_large};
use self::validators::{keep_validators, remember_validators, trust_after};
use crate::schedule::Hints;
use crate::schedule::rhythm::Heard;
use crate::subscription;

/// How many refused documents, entries and titles a feed's state remembers, so that what stays broken is
/// written once: more than one document can have. What is older than these is written again.
const REFUSED_MAX: usize = 256;

/// After so many failures in a row nothing more of a feed is rejected: a broken page that differs at
/// every poll would fill the ledger, and the first few show what is wrong.
const FAILURES_REJECTED_MAX: u32 = 5;

/// Steps for each byte of a record, which is measured as it is written.
const RECORD_BYTE_STEPS: usize = 2;

/// Turns what a fetch came to into everything the poll changes.
pub fn process(
    feed: &Feed,
    answer: &Answer,
    state: &FeedState,
    tagger: &Tagger,
    now: Timestamp,
) -> Outcome {
    process_with(feed, answer, state, Reader { tagger, pages: &Pages::new() }, now)
}

/// What reads a document.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Codes articles.
    pub tagger: &'a Tagger,
    /// Texts of the pages that an earlier outcome of the same answer and state wanted, as far as they came.
    pub pages: &'a Pages,
}

/// The same with the texts of pages.
pub fn process_with(
    feed: &Feed,
    answer: &Answer,
    state: &FeedState,
    reader: Reader<'_>,
    now: Timestamp,
) -> Outcome {
    // Steps, not time: the same document costs the same on every machine, so a refusal can be
    // repeated.
    let bytes = if let Answer::Body(body) = answer { body.bytes.len() } else { 0 };
    let steps = Steps::for_bytes(bytes + pages::bytes(reader.pages));
    process_all(feed, answer, state, reader, now, &steps)
}

/// The same with so many steps as are left: tests and benchmarks count them.
pub fn process_within(
    feed: &Feed,
    answer: &Answer,
    state: &FeedState,
    tagger: &Tagger,
    now: Timestamp,
    steps: &Steps,
) -> Outcome {
    process_all(feed, answer, state, Reader { tagger, pages: &Pages::new() }, now, steps)
}

fn process_all(
    feed: &Feed,
    answer: &Answer,
    state: &FeedState,
    reader: Reader<'_>,
    now: Timestamp,
    steps: &Steps,
) -> Outcome {
    let next = next_state(feed, state, now);
    let outcome = match answer {
        Answer::Body(body) => read_body(feed, body, state, next, reader, now, steps),
        Answer::NotModified(answer) => not_modified(feed, answer, state, next, now),
        Answer::Failed(failure) => failed(feed, failure.clone(), Vec::new(), next, now),
    };
    // After the plan is made: what was asked for is judged by the plan of before, and kept with
    // that of now.
    let outcome = with_request(outcome, feed, state, now);
    // One allocation, so nobody unpacked it to change it. Equal bytes in two would be written once
    // more, which is harmless.
    let changed = if outcome.state.memory.is_shared_with(&state.memory) {
        Changed::Plan
    } else {
        Changed::Memory
    };
    Outcome { urgency: urgency(state, &outcome), changed, ..outcome }
}

/// What publishes nothing and changes nothing that a later poll's records depend on may wait. What
/// may not: what a publisher asked of us (not now, not any more), and what a person would be told
/// wrongly by the state before.
fn urgency(before: &FeedState, outcome: &Outcome) -> Urgency {
    let after = &outcome.state;
    let is_told = matches!(after.plan.next.reason, Reason::RetryAfter | Reason::Gone);
    let publishes = !outcome.records.is_empty() || !outcome.rejects.is_empty();
    // A state whose articles are the same publishes the same after a crash; only then may it stay
    // unwritten.
    if publishes || is_told || !after.publishes_like(before) || !after.reads_like(before) {
        Urgency::Prompt
    } else {
        Urgency::Lazy
    }
}

/// The outcome, if a document was read in it, of a feed that nothing is held against any more.
pub fn forgiven(mut outcome: Outcome) -> Outcome {
    if matches!(outcome.result, PollResult::Modified(_)) {
        Arc::make_mut(&mut outcome.state).plan.crash = None;
    }
    outcome
}

/// Whether this answer is a document that is read in full: another than the last one.
pub fn is_new(body: &Body, state: &FeedState) -> bool {
    state.memory.body_digest() != Some(bytes_digest(&body.bytes))
}

/// The state that every poll begins with. Its memory is that of the state before, and so is the window
/// of the articles in it: nobody saw another yet.
fn next_state(feed: &Feed, state: &FeedState, now: Timestamp) -> FeedState {
    let FeedState { plan, memory } =
        // Everything learned of a URL is void with it: validators of another server earn wrong
        // 304s.
        if state.plan.is_of_another_url(feed) { state.without_its_url() } else { state.clone() };
    let is_same_url = plan.url.as_deref() == Some(feed.url.as_str());
    let plan = FeedPlan {
        // Also for a poll that came to nothing: a ledger tells an old state from a new one by this
        // number alone.
        sequence: plan.sequence.saturating_add(1),
        // The allocation of before, where it is the same text: a hundred thousand states share
        // nothing else.
        url: if is_same_url { plan.url } else { Some(feed.url.as_str().into()) },
        polled_at: Some(now),
        today: plan.today.on_day_of(now),
        ..plan
    };
    FeedState { plan, memory }
}

/// The same for a document that shows another window.
fn next_unpacked(feed: &Feed, state: &FeedState, now: Timestamp) -> UnpackedState {
    let FeedState { plan, memory } = next_state(feed, state, now);
    // Packed under the number of the poll before, so the window in it is of that poll.
    // `last_seen == sequence` is how a memory marks its window, so it must be read under its own
    // number.
    let before = FeedPlan { sequence: state.plan.sequence, ..plan.clone() };
    let memory = FeedState { plan: before, memory }.unpacked_memory();
    UnpackedState { plan, memory }
}

fn read_body(
    feed: &Feed,
    body: &Body,
    state: &FeedState,
    mut next: FeedState,
    reader: Reader<'_>,
    now: Timestamp,
    steps: &Steps,
) -> Outcome {
    let digest = bytes_digest(&body.bytes);
    let hints = Hints { fresh_for: body.freshness.0, retry_after: body.wait, ..Hints::default() };
    if state.memory.body_digest() == Some(digest) {
        // Same bytes, same entries. The validators may still have moved, and losing them would
        // make every later request unconditional.
        let counts = EntryCounts { unchanged: next.memory.window(), ..EntryCounts::default() };
        // What another document left unread is not in this one.
        next.plan.today.left = 0;
        let (ttl, skips) = (next.plan.next.ttl, next.plan.next.skips);
        trust_after(&mut next.plan, body, state, News::Nothing, now);
        keep_validators(&mut next, body);
        answered(&mut next.plan, feed, body, OwnWord::AsBefore, state, now);
        let heard = nothing_new(feed, state, now);
        schedule(feed, &mut next.plan, &Hints { ttl, skips, ..hints }, &heard);
        return outcome(feed, PollResult::Modified(counts), Vec::new(), Vec::new(), next);
    }
    // Called twice at most. The first time entries that are byte for byte as they were are not
    // read; if one of them turns out to be another article, the whole is read again without that
    // shortcut.
    let read = |unpacked: &mut UnpackedState| {
        let mut parsed = parse_new(feed, body, &unpacked.memory.seen, steps)?;
        let (record_feed, title_problem) = wire::feed(feed, &parsed);
        parsed.feed_problems.extend(title_problem);
        let (record_feed, pages) = (Arc::new(record_feed), reader.pages);
        let source = Source { feed, body, parsed: &parsed, pages, record_feed, state, steps, now };
        let made = source.make(unpacked, reader.tagger)?;
        Ok::<_, ParseFailure>(made.map(|made| (parsed, made)))
    };
    let spent = steps.spent();
    let mut unpacked = unpacked_for(feed, body, state, now);
    let result = read(&mut unpacked).and_then(|read_once| match read_once {
        Some(whole) => Ok(Some(whole)),
        None => {
            // From the state of before, not from what the first reading left half done.
            unpacked = unpacked_for(feed, body, state, now);
            unpacked.memory.seen.forget_sources();
            // So a document costs at most twice what it may, and is refused for nothing that another is not.
            steps.return_to(spent);
            read(&mut unpacked)
        }
    });
    let (parsed, made) = match result {
        Ok(Some(read)) => read,
        // Without sources nothing is left unread.
        Ok(None) => {
            let detail = "an entry is not the article that it was".to_owned();
            let problem = ParseFailure { class: FailureClass::Malformed, detail, offset: None };
            return refuse(feed, body, next, problem, now);
        }
        // Nothing of it counts.
        Err(problem) => return refuse(feed, body, next, problem, now),
    };
    let Made { records, rejects, counts, came, bytes } = made;
    let UnpackedState { plan, memory } = &mut unpacked;
    let news = News::of(&counts, &records, state.plan.polled_at);
    trust_after(plan, body, state, news, now);
    remember_validators(&mut memory.validators, body);
    let said = OwnWord::Elsewhere(announced(feed, body, &parsed));
    answered(plan, feed, body, said, state, now);
    plan.today.left = counts.over_quota;
    // A document that was cut off by the quota counts as not read: no digest and no validators, or
    // the rest would be answered with 304 tomorrow.
    let quota = (counts.over_quota > 0).then(|| until_next_day(now));
    if quota.is_some() {
        // The same document must be read again, and no poll is known that did not show what is left.
        memory.validators.remove(body.final_url.as_str());
        plan.succeeded_at = answered_before(feed, state);
    } else {
        memory.body_digest = Some(digest);
    }
    // Learned from what came since the last poll that was answered, not since the last poll: a
    // failed one saw nothing.
    let (after, window) = (answered_before(feed, state), memory.seen.window(plan.sequence));
    let heard = Heard { after, at: now, came: &came, window };
    subscription::offered(&mut plan.subscription, hub::offer(body, &parsed.links), now);
    let (ttl, skips) = (parsed.ttl, parsed.skips);
    schedule(feed, plan, &Hints { ttl, skips, quota, ..hints }, &heard);
    let next = unpacked.pack();
    Outcome { bytes, ..outcome(feed, PollResult::Modified(counts), records, rejects, next) }
}

/// The state that a document is read into.
fn unpacked_for(feed: &Feed, body: &Body, state: &FeedState, now: Timestamp) -> UnpackedState {
    let mut unpacked = next_unpacked(feed, state, now);
    let UnpackedState { plan, memory } = &mut unpacked;
    if body.instance == Instance::Delta {
        // What it does not name is in the feed all the same.
        memory.seen.keep_window(state.plan.sequence, plan.sequence);
    }
    if memory.reading != READING {
        // Each entry comes to another text now.
        memory.seen.forget_sources();
    }
    unpacked
}

/// Reads a document, but not the full texts of entries that are as they were.
fn parse_new(
    feed: &Feed,
    body: &Body,
    seen: &Seen,
    steps: &Steps,
) -> Result<ParsedFeed, ParseFailure> {
    // Of the settings, this one alone changes what an article says.
    let settings = bytes_digest(&feed.text_chars_max.to_be_bytes());
    let known = KnownSources::new(settings, seen.sources());
    let (content_type, url) = (body.content_type.as_deref(), &body.final_url);
    parse_with(&body.bytes, content_type, url, feed.entries_max, &known, steps)
}

/// The outcome of a document that is refused as a whole.
fn refuse(
    feed: &Feed,
    body: &Body,
    next: FeedState,
    problem: ParseFailure,
    now: Timestamp,
) -> Outcome {
    let failure = Failure { class: problem.class, detail: problem.detail, retry_after: None };
    let refused = Refused {
        reason: failure.class.name(),
        detail: &failure.detail,
        offset: problem.offset,
        bytes: &body.bytes,
    };
    let mut unpacked = next.unpack();
    let rejected = reject(feed, &mut unpacked, &refused, body, now);
    // What was refused before changes nothing.
    let next = if rejected.is_some() { unpacked.pack() } else { next };
    failed(feed, failure, rejected.into_iter().collect(), next, now)
}

/// What is made of a document.
struct Made {
    records: Vec<Routed>,
    rejects: Vec<Reject>,
    counts: EntryCounts,
    /// When each article that was not known says that it was published.
    came: Vec<Option<Timestamp>>,
    /// What all of it takes.
    bytes: u64,
}

/// The articles that a document shows.
struct Shown<'a> {
    articles: &'a [Article],
    /// What they were read from.
    sources: &'a HashMap<ArticleId, Digest>,
}

/// A document and everything known when it is read.
struct Source<'a> {
    feed: &'a Feed,
    body: &'a Body,
    parsed: &'a ParsedFeed,
    /// Texts of pages of its articles.
    pages: &'a Pages,
    /// What each of its records says of the feed: one for all of them.
    record_feed: Arc<RecordFeed>,
    state: &'a FeedState,
    /// What reading it may still cost.
    steps: &'a Steps,
    now: Timestamp,
}

/// Whether an article differs from what was last seen of it because another version of this program read it.
/// An edit that comes at the same poll is not told apart from that.
fn is_read_anew(article: &Article, seen: SeenArticle, next: &UnpackedState) -> bool {
    next.memory.reading != READING
        && seen.digest != article.digest
        && seen.digest != Digest::WITHDRAWN
}

impl From<Spent> for ParseFailure {
    fn from(Spent { bytes_max }: Spent) -> Self {
        let detail = format!(
            "what is made of the document takes more than {bytes_max} bytes, which is the most \
             for one of its size"
        );
        Self { class: FailureClass::TooLarge, detail, offset: None }
    }
}

impl Source<'_> {
    /// Records, rejects and what to remember; or nothing, if that is more than an outcome may hold or
    /// takes more steps than are left. `None` if an entry must be read whose text was left out.
    fn make(
        &self,
        next: &mut UnpackedState,
        tagger: &Tagger,
    ) -> Result<Option<Made>, ParseFailure> {
        let bytes = self.body.bytes.len() + pages::bytes(self.pages);
        let mut budget = Budget::new(outcome_bytes_max(self.feed, bytes));
        // Of before: `articles` below learns the language of this document, and the drift is
        // between the two.
        let language = next.memory.language.clone();
        let Some(articles) = self.articles(next)? else { return Ok(None) };
        let Articles { shown, gone, passed_over, sources } = articles;
        // Before anything is remembered: the gap is between what was known and what is shown.
        let gap = self.gap(&shown, &gone, &next.memory.seen);
        let is_new = |article: &&Article| next.memory.seen.find(article.id).is_none();
        let came: Vec<_> =
            shown.iter().filter(is_new).map(|article| article.published_at).collect();
        let before = Before { language: language.as_deref(), came: &came };
        if let Some(other) = self.other_articles(&shown, next) {
            return Err(other);
        }
        // A domain that was sold shows other articles. They are refused before one is published,
        // and the memory stays that of the old publisher.
        if let Some(drift) = self.drift(gap, &shown, &before, next) {
            return Err(drift);
        }
        next.memory.character = Some(self.character(&shown, next.memory.character.take()));
        // The state first. Without it no outcome can be committed at all.
        budget.spend(state_bytes(&next.plan, next.memory.size()))?;
        let shown = Shown { articles: &shown, sources: &sources };
        let (mut records, mut counts) = self.publish(&shown, next, tagger, &mut budget)?;
        // Behind the articles: one that is shown and withdrawn by the same document is withdrawn.
        records.extend(self.withdraw(&gone, next, &mut counts, &mut budget)?);
        let rejected = self.parsed.problems.iter().chain(&passed_over);
        let rejected = rejected.map(|problem| problem.entries).sum();
        let over_limit = self.parsed.over_limit.as_ref().map_or(0, |problem| problem.entries);
        let gaps = gap.iter().len() as u64;
        let counts = EntryCounts { rejected, over_limit, gaps, ..counts };
        let mut rejects = self.rejects(&passed_over, next, &mut budget)?;
        if let Some(gap) = gap {
            rejects.push(self.reject_of_gap(gap, next, &mut budget)?);
        }
        next.memory.reading = READING;
        // Last, when all that is in the window bears this poll's number.
        next.memory.seen.forget_departed(next.plan.sequence);
        let seen = &next.memory.seen;
        next.memory.revisions.retain(|id, _| seen.find(*id).is_some());
        Ok(Some(Made { records, rejects, counts, came, bytes: budget.bytes() }))
    }

    /// The last poll of this URL that was answered.
    fn answered_before(&self) -> Option<Timestamp> {
        answered_before(self.feed, self.state)
    }
}

fn outcome(
    feed: &Feed,
    result: PollResult,
    records: Vec<Routed>,
    rejects: Vec<Reject>,
    state: FeedState,
) -> Outcome {
    let bytes = state_bytes(&state.plan, state.memory.size())
        + rejects.iter().map(reject_bytes).sum::<u64>();
    let (feed_id, state) = (feed.id.clone(), Arc::new(state));
    let (urgency, changed) = (Urgency::Prompt, Changed::Memory);
    Outcome { feed_id, result, records, rejects, state, urgency, changed, bytes }
}

#[cfg(test)]
mod tests;
