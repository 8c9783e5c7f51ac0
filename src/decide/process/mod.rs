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

use cw_code::{Tagger, Texts};
use cw_model::digest::bytes_digest;
use cw_model::record::RecordFeed;
use cw_model::state::{
    FeedPlan, FeedState, Reason, SEEN_BYTES, Seen, SeenArticle, UnpackedState, until_next_day,
};
use cw_model::{
    Answer, Article, ArticleId, Backlog, Body, Change, Changed, Digest, EntryCounts, Failure,
    FailureClass, Feed, Instance, Outcome, PollResult, Reject, Route, Routed, Steps, Timestamp,
    TooCostly, Urgency,
};
use cw_read::READING;
use cw_read::parse::{KnownSources, ParseFailure, ParsedFeed, parse_unknown};

use self::answered::answered;
use self::articles::Articles;
use self::asked::with_request;
use self::budget::{Budget, Spent, record_bytes, reject_bytes, state_bytes};
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
use crate::dedupe::{Verdict, classify};
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
    let outcome = with_request(outcome, feed, state, now);
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
        if state.plan.is_of_another_url(feed) { state.without_its_url() } else { state.clone() };
    let is_same_url = plan.url.as_deref() == Some(feed.url.as_str());
    let plan = FeedPlan {
        sequence: plan.sequence.saturating_add(1),
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
        answered(&mut next.plan, body, state, now);
        let heard = nothing_new(feed, state, now);
        schedule(feed, &mut next.plan, &Hints { ttl, skips, ..hints }, &heard);
        return outcome(feed, PollResult::Modified(counts), Vec::new(), Vec::new(), next);
    }
    let read = |unpacked: &mut UnpackedState| {
        let mut parsed = parse_new(feed, body, &unpacked.memory.seen, steps)?;
        let (record_feed, title_problem) = wire::feed(feed, &parsed);
        parsed.feed_problems.extend(title_problem);
        let (record_feed, pages) = (Arc::new(record_feed), reader.pages);
        let source = Source { feed, body, parsed: &parsed, pages, record_feed, state, steps, now };
        let made = source.make(unpacked, reader.tagger)?;
        Ok::<_, ParseFailure>(made.map(|made| (parsed, made)))
    };
    let mut unpacked = unpacked_for(feed, body, state, now);
    let result = read(&mut unpacked).and_then(|read_once| match read_once {
        Some(whole) => Ok(Some(whole)),
        None => {
            unpacked = unpacked_for(feed, body, state, now);
            unpacked.memory.seen.forget_sources();
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
    answered(plan, body, state, now);
    plan.today.left = counts.over_quota;
    let quota = (counts.over_quota > 0).then(|| until_next_day(now));
    if quota.is_some() {
        // The same document must be read again, and no poll is known that did not show what is left.
        memory.validators.remove(body.final_url.as_str());
        plan.succeeded_at = answered_before(feed, state);
    } else {
        memory.body_digest = Some(digest);
    }
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
    parse_unknown(&body.bytes, content_type, url, feed.entries_max, &known, steps)
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
        let language = next.memory.language.clone();
        let Some(articles) = self.articles(next)? else { return Ok(None) };
        let Articles { shown, gone, passed_over, sources } = articles;
        let gap = self.gap(&shown, &gone, &next.memory.seen);
        let is_new = |article: &&Article| next.memory.seen.find(article.id).is_none();
        let came: Vec<_> =
            shown.iter().filter(is_new).map(|article| article.published_at).collect();
        let before = Before { language: language.as_deref(), came: &came };
        if let Some(drift) = self.drift(gap, &shown, &before, next) {
            return Err(drift);
        }
        next.memory.character = Some(self.character(&shown, next.memory.character.take()));
        budget.spend(state_bytes(&next.plan, next.memory.size()))?;
        let shown = Shown { articles: &shown, sources: &sources };
        let (mut records, mut counts) = self.publish(&shown, next, tagger, &mut budget)?;
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
        next.memory.seen.forget_departed(next.plan.sequence);
        let seen = &next.memory.seen;
        next.memory.revisions.retain(|id, _| seen.find(*id).is_some());
        Ok(Some(Made { records, rejects, counts, came, bytes: budget.bytes() }))
    }

    fn publish(
        &self,
        shown: &Shown<'_>,
        next: &mut UnpackedState,
        tagger: &Tagger,
        budget: &mut Budget,
    ) -> Result<(Vec<Routed>, EntryCounts), ParseFailure> {
        let mut counts = EntryCounts::default();
        let mut records = Vec::new();
        for article in shown.articles {
            let source = shown.sources.get(&article.id).copied();
            let seen = next.memory.seen.find(article.id);
            let verdict = classify(article, seen);
            if let Some(seen) = seen.filter(|seen| is_read_anew(article, *seen, next)) {
                let content = self.content(article, None)?;
                let seen = SeenArticle { digest: article.digest, content, source, ..seen };
                self.pass_over(seen, article.id, next, &mut counts);
                continue;
            }
            if let Some(seen) = seen.filter(|seen| self.is_told(article, *seen, next)) {
                self.pass_over(seen, article.id, next, &mut counts);
                continue;
            }
            if self.is_over_quota(article, verdict, next) {
                counts.over_quota += 1;
                // A new one is new again tomorrow; a revision is remembered as it was.
                if let Some(seen) = seen {
                    let last_seen = next.plan.sequence;
                    next.memory.seen.remember(article.id, SeenArticle { last_seen, ..seen });
                }
                continue;
            }
            let revision = match verdict {
                Verdict::New if self.is_backlog(article) => 0,
                Verdict::New => 1,
                Verdict::Revised { revision } => revision,
                Verdict::Unchanged => seen.map_or(0, |seen| seen.revision),
            };
            let mut relevant = seen.and_then(|seen| seen.relevant);
            if revision > 0 && verdict != Verdict::Unchanged {
                let filled = self.with_page(article)?;
                let routed =
                    self.routed(filled.as_ref().unwrap_or(article), revision, seen, tagger)?;
                if let Some(seen) = seen.filter(|_| revision > 1) {
                    if self.is_masked(article, &routed, next)? {
                        self.pass_over(seen, article.id, next, &mut counts);
                        continue;
                    }
                    self.remember_revision(article, &routed, seen, next)?;
                }
                relevant = Some(routed.route == Route::Relevant);
                let bytes = record_bytes(&routed.record);
                self.steps.spend_for(bytes, RECORD_BYTE_STEPS)?;
                budget.spend(bytes)?;
                next.plan.today.add(1, bytes);
                records.push(routed);
            }
            *match verdict {
                Verdict::New if revision == 0 => &mut counts.skipped,
                Verdict::New => &mut counts.new,
                Verdict::Revised { .. } => &mut counts.revised,
                Verdict::Unchanged => &mut counts.unchanged,
            } += 1;
            if seen.is_none() {
                budget.spend(SEEN_BYTES)?;
            }
            let last_seen = next.plan.sequence;
            let (digest, updated) = (article.digest, self.updated(article));
            let content = self.content(article, seen.filter(|_| verdict == Verdict::Unchanged))?;
            let seen =
                SeenArticle { digest, revision, last_seen, relevant, updated, content, source };
            next.memory.seen.remember(article.id, seen);
        }
        Ok((records, counts))
    }

    /// Another text of an article is no news: it is remembered as it was.
    fn pass_over(
        &self,
        seen: SeenArticle,
        id: ArticleId,
        next: &mut UnpackedState,
        counts: &mut EntryCounts,
    ) {
        counts.unchanged += 1;
        let last_seen = next.plan.sequence;
        next.memory.seen.remember(id, SeenArticle { last_seen, ..seen });
    }

    /// Whether this article would be published, and the feed has added as much as it may today.
    fn is_over_quota(&self, article: &Article, verdict: Verdict, next: &UnpackedState) -> bool {
        let publishes = match verdict {
            Verdict::New => !self.is_backlog(article),
            Verdict::Revised { .. } => true,
            Verdict::Unchanged => false,
        };
        publishes && next.plan.today.is_spent(self.feed.quota)
    }

    /// The last poll of this URL that was answered.
    fn answered_before(&self) -> Option<Timestamp> {
        answered_before(self.feed, self.state)
    }

    /// Whether the backlog setting leaves this article of a feed's first poll unpublished.
    fn is_backlog(&self, article: &Article) -> bool {
        // What the quota left unread of the first poll is no backlog any more, nor what another URL
        // shows.
        let is_known = self.state.plan.succeeded_at.is_some() || self.state.memory.articles() > 0;
        if is_known || self.state.plan.today.left > 0 {
            return false;
        }
        match self.feed.backlog {
            Backlog::All => false,
            Backlog::None => true,
            Backlog::Within(age) => article
                .published_at
                .is_some_and(|at| self.now.checked_sub(age).is_ok_and(|oldest| at < oldest)),
        }
    }

    fn routed(
        &self,
        article: &Article,
        revision: u32,
        seen: Option<SeenArticle>,
        tagger: &Tagger,
    ) -> Result<Routed, TooCostly> {
        let texts = Texts {
            title: article.title.as_deref().unwrap_or_default(),
            summary: article.summary.as_deref().unwrap_or_default(),
            body: article.body.as_deref().unwrap_or_default(),
            feed_country: self.feed.country.as_deref(),
        };
        let is_empty = [texts.title, texts.summary, texts.body].iter().all(|text| text.is_empty());
        let language = article.language.as_deref().filter(|_| !is_empty);
        let coding = tagger.code(texts, language, self.steps)?;
        let change = if revision == 1 { Change::Created } else { Change::Updated };
        let feed = Arc::clone(&self.record_feed);
        let observed = wire::observed(self.answered_before(), self.now);
        let record = wire::record(article, revision, change, feed, observed, coding.as_ref());
        let route = wire::route(coding.as_ref(), seen.filter(|seen| seen.revision > 0));
        Ok(Routed { record, route })
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
