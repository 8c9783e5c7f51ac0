//! A feed's state in wire form: JSON with a version, in the ledger's own transaction.
//!
//! Programs of several versions may read and write one ledger in turn, so the form is open:
//!
//! - A version that adds a field leaves `version` as it is, and reads a state without that field as one that does not
//!   know. What it adds at the top is kept by versions that do not know it ([`FeedMemory::unknown`]); below that, in
//!   `plan`, `seen` and so on, it is lost when they write it. What holds for one poll only says for which `sequence`.
//! - A name that this version does not know (of a standing, a reason, a class) is read as the nearest that it does.
//! - A version whose states earlier ones would misread raises `version`. Those then refuse the ledger, for without a
//!   state they would publish every article anew. If they may read it, `readable_from` says from which version on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::habits::{
    CharacterRecord, FollowedByRecord, LocalTimeRecord, RequestsRecord, RhythmRecord,
};
use super::moves_record::MovesRecord;
use super::subscription_record::SubscriptionRecord;
use super::{
    Content, Crash, DayUse, Distrust, FeedMemory, FeedPlan, FeedState, LastFailure, Moves,
    NextRequest, Plan, Reason, Revisions, Room, Seen, SeenArticle, Sends, Standing, Trust,
    UnpackedState, Unpublished,
};
use crate::{ArticleId, Deltas, Digest, FailureClass, Skips, Timestamp, Validators};

/// The version of the wire form.
pub const STATE_VERSION: u32 = 1;

/// Whether a program of version `ours` may read what was written with `version`, readable from
/// `readable_from` on if that is said.
pub fn is_readable(version: u32, readable_from: Option<u32>, ours: u32) -> bool {
    readable_from.unwrap_or(version) <= ours
}

/// Why a state that a ledger has cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableState {
    /// A later version wrote it, and says that this one would misread it.
    #[error("a newer conflictwire wrote it (version {version})")]
    Newer {
        /// The version of its form.
        version: u32,
    },
    /// It is no state.
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
}

/// A state in wire form. Its fields are those of [`FeedPlan`] and [`FeedMemory`].
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StateRecord {
    version: u32,
    /// The first version that reads it, if that is not `version`: of later versions only.
    #[serde(skip_serializing_if = "Option::is_none")]
    readable_from: Option<u32>,
    sequence: u64,
    standing: StandingRecord,
    plan: PlanRecord,
    url: Option<String>,
    polled_at: Option<Timestamp>,
    succeeded_at: Option<Timestamp>,
    failures: u32,
    last_failure: Option<FailureRecord>,
    validators: BTreeMap<String, Validators>,
    seen: BTreeMap<ArticleId, SeenRecord>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unpublished: BTreeMap<ArticleId, UnpublishedRecord>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    revisions: BTreeMap<ArticleId, RevisionsRecord>,
    /// Whether `seen` says of every article whether it was relevant. States of the first version do
    /// not, and then it is known of none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    knows_relevance: bool,
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    character: Option<CharacterRecord>,
    body_digest: Option<Digest>,
    moved_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moves: Option<MovesRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone_at: Option<Timestamp>,
    refused: Vec<Digest>,
    repeated_marks: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    aliases: BTreeMap<ArticleId, ArticleId>,
    #[serde(skip_serializing_if = "is_zero")]
    reading: u32,
    interval: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rhythm: Option<RhythmRecord>,
    #[serde(skip_serializing_if = "is_zero")]
    requests: RequestsRecord,
    today: DayUseRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    crash: Option<CrashRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<TrustRecord>,
    #[serde(skip_serializing_if = "is_zero")]
    followed_by: FollowedByRecord,
    #[serde(skip_serializing_if = "is_zero")]
    local_time: LocalTimeRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<SubscriptionRecord>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// As much of a state as every version has.
#[derive(Deserialize)]
struct Form {
    version: u32,
    readable_from: Option<u32>,
}

impl Form {
    /// Whether this program may read it.
    fn check(&self) -> Result<(), UnreadableState> {
        let version = self.version;
        if is_readable(version, self.readable_from, STATE_VERSION) {
            Ok(())
        } else {
            Err(UnreadableState::Newer { version })
        }
    }
}

impl FeedState {
    /// Reads a state as a ledger has it.
    ///
    /// # Errors
    /// [`UnreadableState`].
    pub fn parse(text: &[u8]) -> Result<Self, UnreadableState> {
        let record: StateRecord = match serde_json::from_slice(text) {
            Ok(record) => record,
            Err(error) => {
                // A form that is not ours may be one that we do not know.
                if let Ok(form) = serde_json::from_slice::<Form>(text) {
                    form.check()?;
                }
                return Err(error.into());
            }
        };
        let form = Form { version: record.version, readable_from: record.readable_from };
        form.check()?;
        Ok(record.into())
    }

    /// The state as a ledger keeps it: JSON.
    ///
    /// # Errors
    /// None that is known: there is nothing in a state that JSON cannot hold.
    pub fn written(&self) -> serde_json::Result<String> {
        serde_json::to_string(&StateRecord::from(self))
    }
}

impl From<&FeedState> for StateRecord {
    fn from(state: &FeedState) -> Self {
        let UnpackedState { plan, memory } = state.unpack();
        Self {
            version: STATE_VERSION,
            readable_from: None,
            sequence: plan.sequence,
            standing: StandingRecord(plan.standing.name().to_owned()),
            plan: plan.next.into(),
            url: plan.url.as_deref().map(str::to_owned),
            polled_at: plan.polled_at,
            succeeded_at: plan.succeeded_at,
            failures: plan.failures,
            last_failure: plan.last_failure.map(|failure| (*failure).into()),
            validators: memory.validators,
            seen: memory.seen.iter().map(|(id, seen)| (*id, SeenRecord::from(*seen))).collect(),
            unpublished: records(memory.unpublished),
            revisions: records(memory.revisions),
            knows_relevance: true,
            language: memory.language,
            character: memory.character.map(CharacterRecord::from),
            body_digest: memory.body_digest,
            moved_to: plan.moved_to,
            moves: (plan.moves != Moves::default()).then(|| plan.moves.into()),
            gone_at: plan.gone_at,
            refused: memory.refused,
            repeated_marks: memory.repeated_marks,
            aliases: memory.aliases,
            reading: memory.reading,
            interval: plan.interval,
            rhythm: plan.rhythm.map(RhythmRecord::from),
            requests: plan.requests.into(),
            today: plan.today.into(),
            crash: plan.crash.map(|crash| (*crash).into()),
            trust: (plan.trust != Trust::default()).then(|| plan.trust.into()),
            followed_by: plan.followed_by.into(),
            local_time: plan.local_time.into(),
            subscription: plan.subscription.map(|subscription| (*subscription).into()),
            unknown: memory.unknown,
        }
    }
}

impl From<StateRecord> for FeedState {
    fn from(record: StateRecord) -> Self {
        let mut seen: Seen =
            record.seen.into_iter().map(|(id, seen)| (id, SeenArticle::from(seen))).collect();
        if !record.knows_relevance {
            seen.forget_relevance();
        }
        let plan = FeedPlan {
            sequence: record.sequence,
            standing: record.standing.nearest(),
            next: record.plan.into(),
            url: record.url.map(Into::into),
            polled_at: record.polled_at,
            succeeded_at: record.succeeded_at,
            failures: record.failures,
            last_failure: record.last_failure.map(|failure| Box::new(failure.into())),
            moved_to: record.moved_to,
            moves: record.moves.map(Moves::from).unwrap_or_default(),
            gone_at: record.gone_at,
            interval: record.interval,
            rhythm: record.rhythm.and_then(RhythmRecord::read),
            requests: record.requests.into(),
            today: record.today.into(),
            trust: record.trust.map(Trust::from).unwrap_or_default(),
            crash: record.crash.map(|crash| Box::new(crash.into())),
            followed_by: record.followed_by.into(),
            local_time: record.local_time.into(),
            subscription: record.subscription.map(|subscription| Box::new(subscription.into())),
        };
        let memory = FeedMemory {
            body_digest: record.body_digest,
            validators: record.validators,
            language: record.language,
            character: record.character.map(Into::into),
            seen,
            unpublished: records(record.unpublished),
            revisions: records(record.revisions),
            refused: record.refused,
            repeated_marks: record.repeated_marks,
            aliases: record.aliases,
            reading: record.reading,
            unknown: record.unknown,
        };
        UnpackedState { plan, memory }.pack()
    }
}

/// The same articles, each value in its other form.
fn records<T, U: From<T>>(values: BTreeMap<ArticleId, T>) -> BTreeMap<ArticleId, U> {
    values.into_iter().map(|(id, value)| (id, value.into())).collect()
}

/// A standing by its name.
#[derive(Debug, Serialize, Deserialize)]
struct StandingRecord(String);

impl Default for StandingRecord {
    fn default() -> Self {
        Self(Standing::default().name().to_owned())
    }
}

impl StandingRecord {
    /// One that a later version knows reads as failing, until the next poll says.
    fn nearest(&self) -> Standing {
        let all = [Standing::New, Standing::Fine, Standing::Failing, Standing::Gone];
        let known = all.into_iter().find(|standing| standing.name() == self.0);
        known.unwrap_or(Standing::Failing)
    }
}

/// A plan. The first programs that read states refuse one with a reason that they do not know, and
/// with it every state beside it: `reason` is one that they know, `exact_reason` the reason itself
/// where that is another.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct PlanRecord {
    due_at: Option<Timestamp>,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exact_reason: Option<String>,
    interval: Duration,
    fresh_for: Option<Duration>,
    ttl: Option<Duration>,
    #[serde(skip_serializing_if = "is_zero")]
    skip_hours: u32,
    #[serde(skip_serializing_if = "is_zero")]
    skip_days: u8,
    backoff: Option<Duration>,
    retry_after: Option<Duration>,
    quota: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_net: Option<Duration>,
    jitter: Duration,
}

impl From<Plan> for PlanRecord {
    fn from(plan: Plan) -> Self {
        let known = plan.reason.known_from_the_start();
        Self {
            due_at: plan.due_at,
            reason: known.name().to_owned(),
            exact_reason: (known != plan.reason).then(|| plan.reason.name().to_owned()),
            interval: plan.interval,
            fresh_for: plan.fresh_for,
            ttl: plan.ttl,
            skip_hours: plan.skips.hours,
            skip_days: plan.skips.days,
            backoff: plan.backoff,
            retry_after: plan.retry_after,
            quota: plan.quota,
            safety_net: plan.safety_net,
            jitter: plan.jitter,
        }
    }
}

impl From<PlanRecord> for Plan {
    fn from(record: PlanRecord) -> Self {
        let exact = record.exact_reason.and_then(|exact| Reason::of_name(&exact));
        // One that a later version gave is no reason to ask sooner than it would.
        let nearest = if record.reason.is_empty() { Reason::FirstPoll } else { Reason::Backoff };
        Self {
            due_at: record.due_at,
            reason: exact.or_else(|| Reason::of_name(&record.reason)).unwrap_or(nearest),
            interval: record.interval,
            fresh_for: record.fresh_for,
            ttl: record.ttl,
            skips: Skips { hours: record.skip_hours, days: record.skip_days },
            backoff: record.backoff,
            retry_after: record.retry_after,
            quota: record.quota,
            safety_net: record.safety_net,
            jitter: record.jitter,
        }
    }
}

/// A failure. The first programs that read states refuse one with a class that they do not know, and
/// with it every state beside it: `class` has one that they know, `exact` the class itself where that
/// is another. A class of a later program reads as the nearest here.
#[derive(Debug, Serialize, Deserialize)]
struct FailureRecord {
    class: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exact: Option<String>,
    detail: String,
    at: Timestamp,
}

impl From<LastFailure> for FailureRecord {
    fn from(LastFailure { class, detail, at }: LastFailure) -> Self {
        let known = class.known_from_the_start();
        let exact = (known != class).then(|| class.name().to_owned());
        Self { class: known.name().to_owned(), exact, detail, at }
    }
}

impl From<FailureRecord> for LastFailure {
    fn from(FailureRecord { class, exact, detail, at }: FailureRecord) -> Self {
        let exact = exact.and_then(|exact| FailureClass::of_name(&exact));
        let class = exact.or_else(|| FailureClass::of_name(&class)).unwrap_or(FailureClass::Panic);
        Self { class, detail, at }
    }
}

/// A document that ended the process that read it.
#[derive(Debug, Serialize, Deserialize)]
struct CrashRecord {
    under: String,
    at: Timestamp,
}

impl From<Crash> for CrashRecord {
    fn from(Crash { under, at }: Crash) -> Self {
        Self { under, at }
    }
}

impl From<CrashRecord> for Crash {
    fn from(CrashRecord { under, at }: CrashRecord) -> Self {
        Self { under, at }
    }
}

/// How far validators are trusted. A word of a later version reads as the most cautious that is sure to
/// be answered: without validators, until they are tried again.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct TrustRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    sends: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distrust: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    unmodified: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_zero")]
    upheld: u8,
    #[serde(skip_serializing_if = "is_zero")]
    doubts: u8,
    #[serde(skip_serializing_if = "is_zero")]
    wasted: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    deltas: Option<String>,
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

impl From<Trust> for TrustRecord {
    fn from(trust: Trust) -> Self {
        let Trust { sends, distrust, next, unmodified, read_at, upheld, doubts, wasted, deltas } =
            trust;
        let name = |name: &'static str| name.to_owned();
        Self {
            sends: (sends != Sends::default()).then(|| name(sends.into())),
            distrust: distrust.map(|(why, _)| name(why.into())),
            since: distrust.map(|(_, since)| since),
            next: (next != NextRequest::default()).then(|| name(next.into())),
            unmodified,
            read_at,
            upheld,
            doubts,
            wasted,
            deltas: (deltas != Deltas::default()).then(|| name(deltas.into())),
        }
    }
}

impl From<TrustRecord> for Trust {
    fn from(record: TrustRecord) -> Self {
        let sends = record.sends.map_or(Sends::All, |name| name.parse().unwrap_or(Sends::Nothing));
        let distrust = record.distrust.map(|name| name.parse().unwrap_or(Distrust::Refused));
        let next = record.next.map(|name| name.parse().unwrap_or_default());
        Self {
            sends,
            distrust: distrust.map(|why| (why, record.since.unwrap_or_default())),
            next: next.unwrap_or_default(),
            unmodified: record.unmodified,
            read_at: record.read_at,
            upheld: record.upheld,
            doubts: record.doubts,
            wasted: record.wasted,
            deltas: record.deltas.and_then(|name| name.parse().ok()).unwrap_or_default(),
        }
    }
}

/// What a feed has added to the ledger on one day.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct DayUseRecord {
    day: i64,
    articles: u64,
    bytes: u64,
    left: u64,
}

impl From<DayUse> for DayUseRecord {
    fn from(DayUse { day, articles, bytes, left }: DayUse) -> Self {
        Self { day, articles, bytes, left }
    }
}

impl From<DayUseRecord> for DayUse {
    fn from(DayUseRecord { day, articles, bytes, left }: DayUseRecord) -> Self {
        Self { day, articles, bytes, left }
    }
}

/// One article as last seen.
#[derive(Debug, Serialize, Deserialize)]
struct SeenRecord {
    digest: Digest,
    revision: u32,
    last_seen: u64,
    /// Written only if it is not what most are.
    #[serde(default = "not_relevant", skip_serializing_if = "is_not_relevant")]
    relevant: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Digest>,
}

#[expect(clippy::unnecessary_wraps, reason = "the value of a field, as serde asks for it")]
fn not_relevant() -> Option<bool> {
    Some(false)
}

#[expect(clippy::ref_option, reason = "as serde asks")]
fn is_not_relevant(relevant: &Option<bool>) -> bool {
    *relevant == not_relevant()
}

impl From<SeenArticle> for SeenRecord {
    fn from(seen: SeenArticle) -> Self {
        let SeenArticle { digest, revision, last_seen, relevant, updated, content, source } = seen;
        let content = content.map(Digest::from);
        Self { digest, revision, last_seen, relevant, updated, content, source }
    }
}

impl From<SeenRecord> for SeenArticle {
    fn from(record: SeenRecord) -> Self {
        let SeenRecord { digest, revision, last_seen, relevant, updated, content, source } = record;
        let content = content.map(Content::from);
        Self { digest, revision, last_seen, relevant, updated, content, source }
    }
}

/// A revision that waits for room.
#[derive(Debug, Serialize, Deserialize)]
struct UnpublishedRecord {
    /// What its record takes, bytes.
    bytes: u64,
    /// What a record might take when it was refused, bytes.
    limit: u64,
    digest: Digest,
    at: Timestamp,
}

impl From<Unpublished> for UnpublishedRecord {
    fn from(Unpublished { room, digest, at }: Unpublished) -> Self {
        Self { bytes: room.bytes, limit: room.limit, digest, at }
    }
}

impl From<UnpublishedRecord> for Unpublished {
    fn from(UnpublishedRecord { bytes, limit, digest, at }: UnpublishedRecord) -> Self {
        Self { room: Room { bytes, limit }, digest, at }
    }
}

/// What was published of an article that has been revised.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct RevisionsRecord {
    earlier: Vec<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    back: Option<(Digest, u32)>,
    at: Timestamp,
    published_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<Digest>,
    /// Eight hex digits for each word.
    #[serde(skip_serializing_if = "String::is_empty")]
    words: String,
    #[serde(skip_serializing_if = "is_zero")]
    changing: u32,
}

impl From<Revisions> for RevisionsRecord {
    fn from(revisions: Revisions) -> Self {
        let Revisions { earlier, back, at, published_in, said, words, changing } = revisions;
        let words = words.iter().map(|word| format!("{word:08x}")).collect();
        Self { earlier, back, at, published_in, said, words, changing }
    }
}

impl From<RevisionsRecord> for Revisions {
    fn from(record: RevisionsRecord) -> Self {
        let RevisionsRecord { earlier, back, at, published_in, said, words, changing } = record;
        let word = |digits: &[u8]| {
            std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok())
        };
        let words: Option<Vec<u32>> = words.as_bytes().chunks(8).map(word).collect();
        // Without words nothing is known to change.
        let changing = if words.is_some() { changing } else { 0 };
        Self { earlier, back, at, published_in, said, words: words.unwrap_or_default(), changing }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::option;
    use proptest::prelude::*;
    use strum::IntoEnumIterator as _;

    use super::super::{
        Answered, Carried, Character, Claim, DAYS, FollowedBy, HOURS, HubLease, Leaving, LocalTime,
        Offer, Pause, PauseReason, Request, Requests, Rhythm, Subscription,
    };
    use super::*;
    use crate::{MovedBy, Network};

    fn timestamp() -> impl Strategy<Value = Timestamp> {
        (-377_705_023_201..=253_402_207_200_i64, 0..1_000_000_000_i32)
            .prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap_or_default())
    }

    fn duration() -> impl Strategy<Value = Duration> {
        any::<(u64, u32)>().prop_map(|(seconds, nanos)| Duration::new(seconds >> 1, nanos))
    }

    fn standing() -> impl Strategy<Value = Standing> {
        prop_oneof![
            Just(Standing::New),
            Just(Standing::Fine),
            Just(Standing::Failing),
            Just(Standing::Gone)
        ]
    }

    prop_compose! {
        fn next()(
            due_at in option::of(timestamp()),
            reason in proptest::sample::select(Reason::iter().collect::<Vec<_>>()),
            waits in vec(option::of(duration()), 6),
            (interval, jitter) in (duration(), duration()),
            (hours, days) in any::<(u32, u8)>(),
        ) -> Plan {
            let [fresh_for, ttl, backoff, retry_after, quota, safety_net] = waits.try_into().unwrap();
            let skips = Skips { hours, days };
            Plan {
                due_at, reason, interval, fresh_for, ttl, skips, backoff, retry_after, quota, safety_net,
                jitter,
            }
        }
    }

    prop_compose! {
        fn last_failure()(
            class in proptest::sample::select(FailureClass::iter().collect::<Vec<_>>()),
            detail in ".*",
            at in timestamp(),
        ) -> LastFailure {
            LastFailure { class, detail, at }
        }
    }

    prop_compose! {
        fn trust()(
            sends in proptest::sample::select(Sends::iter().collect::<Vec<_>>()),
            distrust in option::of((
                proptest::sample::select(Distrust::iter().collect::<Vec<_>>()), timestamp(),
            )),
            next in proptest::sample::select(NextRequest::iter().collect::<Vec<_>>()),
            read_at in option::of(timestamp()),
            (unmodified, upheld, doubts, wasted) in any::<(u32, u8, u8, u8)>(),
            deltas in proptest::sample::select(Deltas::iter().collect::<Vec<_>>()),
        ) -> Trust {
            Trust { sends, distrust, next, unmodified, read_at, upheld, doubts, wasted, deltas }
        }
    }

    prop_compose! {
        fn request()(
            (at, quiet, won, lost) in any::<(u32, u32, u32, Option<u32>)>(),
            reasons in vec(proptest::sample::select(Reason::iter().collect::<Vec<_>>()), 2),
            (etag, date) in any::<(bool, bool)>(),
            class in proptest::sample::select(FailureClass::iter().collect::<Vec<_>>()),
            answered in 0..3,
        ) -> Request {
            let answered = match answered {
                0 => Answered::Document,
                1 => Answered::NotModified,
                _ => Answered::Failed(class),
            };
            Request {
                at,
                won: Claim { of: reasons[0], wait: won },
                lost: lost.map(|wait| Claim { of: reasons[1], wait }),
                carried: Carried { etag, date },
                answered,
                quiet,
            }
        }
    }

    prop_compose! {
        fn requests()(all in vec(request(), 0..14)) -> Requests {
            let mut requests = Requests::default();
            all.into_iter().for_each(|one| requests.push(one));
            requests
        }
    }

    prop_compose! {
        fn rhythm()(
            rate in 0.0..200.0_f64, (hour, weekday) in (0..HOURS, 0..DAYS), times in 0.0..4.0_f64,
            since: i32, turnover: u32,
        ) -> Rhythm {
            let mut rhythm = Rhythm::steady(rate, since);
            rhythm.set_rate(hour, rate / 7.0);
            rhythm.set_day(weekday, times);
            rhythm.turnover = turnover;
            rhythm
        }
    }

    prop_compose! {
        fn subscription()(
            [hub, topic, old_hub, old_topic] in proptest::array::uniform4(".*"),
            callback in option::of(".*"),
            (is_offered, is_leased, is_leaving) in any::<(bool, bool, bool)>(),
            [since, granted_at, until, not_before] in proptest::array::uniform4(timestamp()),
            times in vec(option::of(timestamp()), 3),
            why in proptest::sample::select(PauseReason::iter().collect::<Vec<_>>()),
            [generation, failures, missed, tries]: [u32; 4],
        ) -> Subscription {
            let [asked_at, paused_until, pushed_at] = times.try_into().unwrap();
            Subscription {
                offer: is_offered.then_some(Offer { hub, topic }),
                generation,
                callback,
                asked_at,
                lease: is_leased.then_some(HubLease { since, granted_at, until }),
                pause: paused_until.map(|until| Pause { until, why }),
                failures,
                pushed_at,
                missed,
                leaving: is_leaving.then_some(Leaving {
                    offer: Offer { hub: old_hub, topic: old_topic },
                    generation,
                    tries,
                    not_before,
                }),
            }
        }
    }

    prop_compose! {
        fn plan()(
            (sequence, failures) in (any::<u64>(), any::<u32>()),
            standing in standing(),
            next in next(),
            texts in vec(option::of(".*"), 3),
            times in vec(option::of(timestamp()), 3),
            last_failure in option::of(last_failure().prop_map(Box::new)),
            interval in option::of(duration()),
            rhythm in option::of(rhythm()),
            requests in requests(),
            (day, articles, bytes, left) in any::<(i64, u64, u64, u64)>(),
            trust in trust(),
            (days, move_day) in any::<(u8, i64)>(),
            (network, by) in (
                proptest::sample::select(Network::iter().collect::<Vec<_>>()),
                proptest::sample::select(MovedBy::iter().collect::<Vec<_>>()),
            ),
            gone_at in option::of(timestamp()),
            [guid, link, content]: [u32; 3],
            (minutes, votes) in any::<(u16, u8)>(),
            subscription in option::of(subscription()),
        ) -> FeedPlan {
            let [url, moved_to, under] = texts.try_into().unwrap();
            let [polled_at, succeeded_at, at] = times.try_into().unwrap();
            FeedPlan {
                sequence,
                standing,
                next,
                url: url.map(Into::into),
                polled_at,
                succeeded_at,
                failures,
                last_failure,
                moved_to,
                interval,
                rhythm,
                requests,
                today: DayUse { day, articles, bytes, left },
                trust,
                moves: Moves { days, day: move_day, network, by },
                gone_at,
                crash: under.map(|under| Box::new(Crash { under, at: at.unwrap_or_default() })),
                followed_by: FollowedBy { guid, link, content },
                local_time: LocalTime { minutes, votes },
                subscription: subscription.map(Box::new),
            }
        }
    }

    prop_compose! {
        fn seen_article()(
            digest: [u8; 8],
            revision in prop_oneof![Just(1), any::<u32>()],
            last_seen in prop_oneof![0..4_u64, any::<u64>()],
            relevant: Option<bool>,
            updated: Option<u32>,
            content: Option<[u8; 8]>,
            source: Option<[u8; 8]>,
        ) -> SeenArticle {
            let (content, source) = (content.map(Content), source.map(Digest));
            let digest = Digest(digest);
            SeenArticle { digest, revision, last_seen, relevant, updated, content, source }
        }
    }

    fn article_id() -> impl Strategy<Value = ArticleId> {
        any::<[u8; 16]>().prop_map(ArticleId)
    }

    prop_compose! {
        fn unpublished()(
            (bytes, limit) in any::<(u64, u64)>(), digest: [u8; 8], at in timestamp(),
        ) -> Unpublished {
            Unpublished { room: Room { bytes, limit }, digest: Digest(digest), at }
        }
    }

    prop_compose! {
        fn revisions()(
            earlier in vec(any::<[u8; 8]>(), 0..4),
            back: Option<([u8; 8], u32)>,
            at in timestamp(),
            said: Option<[u8; 8]>,
            words in vec(any::<u32>(), 0..9),
            (published_in, changing) in any::<(u64, u32)>(),
        ) -> Revisions {
            let earlier = earlier.into_iter().map(Digest).collect();
            let back = back.map(|(digest, times)| (Digest(digest), times));
            Revisions { earlier, back, at, published_in, said: said.map(Digest), words, changing }
        }
    }

    /// What a later version may add: under names that this one does not know.
    fn unknown() -> impl Strategy<Value = Map<String, Value>> {
        let value = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            vec(any::<u32>(), 0..3).prop_map(Value::from),
        ];
        btree_map("later_[a-z]{1,8}", value, 0..3).prop_map(Map::from_iter)
    }

    prop_compose! {
        fn memory()(
            body_digest: Option<[u8; 8]>,
            validators in btree_map(".*", (option::of(".*"), option::of(".*")), 0..4),
            language in option::of("[a-z]{2}"),
            character in option::of((option::of(".*"), option::of(".*"))),
            seen in btree_map(article_id(), seen_article(), 0..40),
            unpublished in btree_map(article_id(), unpublished(), 0..4),
            revisions in btree_map(article_id(), revisions(), 0..4),
            refused in vec(any::<[u8; 8]>(), 0..6),
            repeated_marks in btree_set(".*", 0..6),
            aliases in btree_map(article_id(), article_id(), 0..4),
            reading in 0..3_u32,
            unknown in unknown(),
        ) -> FeedMemory {
            let with = |(etag, last_modified)| Validators { etag, last_modified };
            FeedMemory {
                body_digest: body_digest.map(Digest),
                validators: validators.into_iter().map(|(url, two)| (url, with(two))).collect(),
                language,
                character: character.map(|(title, domain)| Character { title, domain }),
                seen: seen.into_iter().collect(),
                unpublished,
                revisions,
                refused: refused.into_iter().map(Digest).collect(),
                repeated_marks,
                aliases,
                reading,
                unknown,
            }
        }
    }

    proptest! {
        #[test]
        fn every_state_packs_and_unpacks_to_itself(plan in plan(), memory in memory()) {
            // Articles whose number is that of the poll are in its window.
            for sequence in [plan.sequence, 0, 3] {
                let plan = FeedPlan { sequence, ..plan.clone() };
                let state = UnpackedState { plan, memory: memory.clone() };
                let packed = state.clone().pack();
                prop_assert_eq!(packed.memory.validators(), memory.validators.clone());
                prop_assert_eq!(packed.memory.body_digest(), memory.body_digest);
                prop_assert_eq!(packed.memory.articles(), memory.seen.len() as u64);
                prop_assert_eq!(packed.memory.window(), memory.seen.window(sequence));
                prop_assert_eq!(packed.memory.has_unpublished(), !memory.unpublished.is_empty());
                prop_assert_eq!(packed.memory.size(), memory.size());
                prop_assert_eq!(packed.unpack(), state);
            }
        }

        #[test]
        fn every_state_reads_back_as_written(plan in plan(), memory in memory()) {
            let state = UnpackedState { plan, memory }.pack();
            let written = state.written().unwrap();
            let read = FeedState::parse(written.as_bytes()).unwrap();
            prop_assert_eq!(&read, &state);
            prop_assert_eq!(read.written().unwrap(), written);
        }
    }

    /// A state as a later version may write it: with what it has added, at the top and below.
    const LATER: &str = r#"{
        "version": 2, "readable_from": 1, "sequence": 9, "standing": "resting", "failures": 2,
        "plan": {"due_at": "2026-03-01T12:00:00Z", "reason": "moon", "phase": 0.5, "interval": {"secs": 60, "nanos": 0}},
        "last_failure": {"class": "unheard_of", "detail": "x", "at": "2026-03-01T12:00:00Z", "hop": 3},
        "validators": {"https://example.org/rss": {"etag": "\"a\"", "digest": "b"}},
        "seen": {"00000000000000000000000000000001":
            {"digest": "0101010101010101", "revision": 3, "last_seen": 9, "aliases": ["x"]}},
        "knows_relevance": true, "today": {"articles": 1, "seconds": 4},
        "learned": {"rule": "link"}
    }"#;

    #[test]
    fn a_state_of_a_later_version_that_may_be_read_is_read_and_no_article_forgotten() {
        let state = FeedState::parse(LATER.as_bytes()).unwrap();
        let seen = state
            .unpacked_memory()
            .seen
            .find(ArticleId::parse(&format!("{:032x}", 1)).unwrap())
            .unwrap();
        assert_eq!((seen.revision, seen.relevant, seen.updated), (3, Some(false), None));
        assert_eq!((state.plan.sequence, state.plan.standing), (9, Standing::Failing));
        assert_eq!(state.plan.next.reason, Reason::Backoff);
        assert_eq!(state.plan.last_failure.as_ref().unwrap().class, FailureClass::Panic);
        assert_eq!(state.memory.validators().len(), 1);
    }

    #[test]
    fn what_a_later_version_has_added_is_written_again() {
        let state = FeedState::parse(LATER.as_bytes()).unwrap();
        let written = state.written().unwrap();
        let value: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(value["learned"], serde_json::json!({"rule": "link"}));
        assert_eq!(FeedState::parse(written.as_bytes()).unwrap(), state);
    }

    #[test]
    fn a_state_of_a_later_version_that_may_not_be_read_is_refused_whatever_it_looks_like() {
        for text in [
            r#"{"version":2,"sequence":9}"#,
            r#"{"version":2,"sequence":"nine","seen":[]}"#,
            r#"{"version":3,"readable_from":2}"#,
        ] {
            let why = FeedState::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(why.starts_with("a newer conflictwire wrote it"), "{text}: {why}");
        }
        assert!(FeedState::parse(br#"{"version":1,"sequence":"nine"}"#).is_err());
    }

    #[test]
    fn whether_an_article_was_relevant_reads_back_as_written_and_is_unknown_of_older_states() {
        let digest = Digest([1; 8]);
        let mut state = UnpackedState::default();
        for (number, relevant) in [(1, None), (2, Some(false)), (3, Some(true))] {
            let updated = (number == 2).then_some(1_772_359_200);
            let (revision, last_seen, content) = (1, 1, None);
            let source = (number == 3).then_some(Digest([9; 8]));
            let seen =
                SeenArticle { digest, revision, last_seen, relevant, updated, content, source };
            state.memory.seen.remember(ArticleId([number; 16]), seen);
        }
        let state = state.pack();
        assert_eq!(FeedState::parse(state.written().unwrap().as_bytes()).unwrap(), state);
        let older = r#"{"version":1,"seen":{"00000000000000000000000000000001":
            {"digest":"0101010101010101","revision":1,"last_seen":1}}}"#;
        let seen = FeedState::parse(older.as_bytes()).unwrap().unpacked_memory().seen;
        let id = ArticleId::parse(&format!("{:032x}", 1)).unwrap();
        let seen = seen.find(id).unwrap();
        assert_eq!((seen.relevant, seen.source), (None, None));
    }

    /// The classes that the first programs know: one more in a state, and they refuse the ledger.
    const FIRST_CLASSES: &str = "dns connect tls timeout cut protocol too_large bomb encoding \
        redirect_loop redirect_refused address_blocked not_found gone busy forbidden \
        bot_challenge server status empty html not_a_feed malformed too_deep entities panic";

    #[test]
    fn every_failure_reads_back_and_is_readable_to_the_first_programs() {
        for class in FailureClass::iter() {
            let at = "2026-03-01T12:00:00Z".parse().unwrap();
            let failure = LastFailure { class, detail: "why".to_owned(), at };
            let written = serde_json::to_value(FailureRecord::from(failure.clone())).unwrap();
            let name = written["class"].as_str().unwrap();
            assert!(FIRST_CLASSES.split(' ').any(|known| known == name), "{written}");
            let read: FailureRecord = serde_json::from_value(written).unwrap();
            assert_eq!(LastFailure::from(read), failure);
        }
    }

    #[test]
    fn a_failure_of_a_class_that_came_later_is_no_reason_to_refuse_a_state() {
        let class =
            |text| LastFailure::from(serde_json::from_str::<FailureRecord>(text).unwrap()).class;
        let text =
            r#"{"class":"busy","exact":"unheard_of","detail":"","at":"2026-03-01T12:00:00Z"}"#;
        assert_eq!(class(text), FailureClass::Busy);
        let text = r#"{"class":"unheard_of","detail":"","at":"2026-03-01T12:00:00Z"}"#;
        assert_eq!(class(text), FailureClass::Panic);
    }

    /// One word more in a state, and the first programs refuse the ledger.
    #[test]
    fn every_plan_reads_back_and_is_readable_to_the_first_programs() {
        for reason in Reason::iter() {
            let plan = Plan { reason, quota: Some(Duration::from_secs(1)), ..Plan::default() };
            let written = serde_json::to_value(PlanRecord::from(plan)).unwrap();
            let known =
                ["first_poll", "interval", "freshness", "ttl", "backoff", "retry_after", "gone"];
            assert!(known.iter().any(|known| written["reason"] == *known), "{written}");
            assert_eq!(Plan::from(serde_json::from_value::<PlanRecord>(written).unwrap()), plan);
        }
        let read = |text| Plan::from(serde_json::from_str::<PlanRecord>(text).unwrap());
        let unheard_of = r#"{"reason":"gone","exact_reason":"unheard_of"}"#;
        assert_eq!(read(unheard_of).reason, Reason::Gone);
        let unheard_of = r#"{"reason":"unheard_of"}"#;
        assert_eq!(read(unheard_of).reason, Reason::Backoff);
        assert_eq!(read("{}"), Plan::default());
    }
}
