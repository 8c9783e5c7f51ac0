//! How far a feed's validators are trusted after an answer: which of them the next request carries.
//!
//! Three kinds of servers make a feed late, or fail for ever, if both validators are always sent: those that
//! answer a conditional request wrongly, those that answer 304 whatever has changed, and those whose `ETag`
//! is another one each time, which takes the place of a `Last-Modified` that would earn a 304 (RFC 9110,
//! 13.2.2). None of it is for ever: what is distrusted is tried again after a month.

use std::time::Duration;

use cw_model::record::RecordChange;
use cw_model::state::{Distrust, FeedState, Moves, NextRequest, Sends, Trust};
use cw_model::{
    Body, Conditions, Deltas, DocumentKind, EntryCounts, Feed, IfRefused, Instance, Moved, Routed,
    Timestamp, Validators,
};

use super::answered::asked_at;

/// After so many 304s in a row the whole document is asked for, to see whether they were right; twice as
/// many after each time they were. Half a day of a feed that is asked every quarter of an hour.
pub(super) const AUDIT_AFTER: u32 = 48;

/// After so few, if they were not the last time: news that came since the last 304 looks like a lie.
const AUDIT_SOON_AFTER: u32 = 8;

/// So many audits must find nothing before one that found something counts as chance.
const UPHELD_AFTER_DOUBT: u8 = 3;

/// After so few, if they span `AUDIT_SPAN`: for feeds that are asked seldom. Twice as many each time too.
const AUDIT_AFTER_SPAN: u32 = 4;

/// See `AUDIT_AFTER_SPAN`; twice as long each time too.
const AUDIT_SPAN: Duration = Duration::from_secs(24 * 3600);

/// An article that is dated so long before the poll before it, and was not shown then, is overdue: the time
/// that newsrooms and their caches may take.
const OVERDUE: Duration = Duration::from_secs(3600);

/// How often the distance between audits doubles: to one in 768 polls, or in 64 and 16 days.
const UPHELD_MAX: u8 = 4;

/// Audits in a row that find news under other validators before 304s are taken for lies.
const DOUBTS_MAX: u8 = 2;

/// Documents in a row that a changing `ETag` brought in vain, before `Last-Modified` is sent alone; and as
/// many before that is given up.
const WASTED_MAX: u8 = 2;

/// After so long what is distrusted is tried again.
const DISTRUST: Duration = Duration::from_secs(30 * 24 * 3600);

/// With what a feed is asked for next.
///
/// A feed that fails is asked for without validators at the first failure in a row, and then ever more
/// seldom: they may have become to blame while the server was away, and no server in trouble is asked twice
/// at each poll.
pub fn conditions(feed: &Feed, state: &FeedState) -> Conditions {
    if state.plan.is_of_another_url(feed) {
        let validators = state.memory.validators();
        return Conditions { validators, ..Conditions::default() };
    }
    let Moves { network, by, .. } = state.plan.moves;
    let is_asked_twice = state.plan.failures.saturating_add(1).is_power_of_two();
    Conditions {
        validators: state.plan.trust.all_carried(&state.memory.validators()),
        if_refused: if is_asked_twice { IfRefused::AskWithout } else { IfRefused::Fail },
        deltas: state.plan.trust.deltas,
        moved: asked_at(feed, &state.plan).map(|to| Moved { to, network, by }),
        kind: DocumentKind::Feed,
    }
}

/// What a document says about the validators that its request carried, or did not.
pub(super) struct Came<'a> {
    /// The document.
    pub(super) body: &'a Body,
    /// What was known of its URL.
    pub(super) known: Option<Validators>,
    /// What it said that the documents before it did not.
    pub(super) news: News,
}

/// What a document says that the documents before it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    Nothing,
    /// Something that may have come since the poll before.
    Fresh,
    /// By its date, something that was there at the poll before.
    Overdue,
}

impl News {
    /// Of a poll that counted so much and published this, where the one before was at `polled_at`.
    pub(super) fn of(
        counts: &EntryCounts,
        records: &[Routed],
        polled_at: Option<Timestamp>,
    ) -> Self {
        let before = polled_at.and_then(|at| at.checked_sub(OVERDUE).ok());
        let is_overdue = |routed: &Routed| {
            let published_at = routed.record.published_at.as_deref();
            let published_at = published_at.and_then(|at| at.parse::<Timestamp>().ok()).zip(before);
            routed.record.change == RecordChange::Created
                && published_at.is_some_and(|(at, before)| at < before)
        };
        if records.iter().any(is_overdue) {
            Self::Overdue
        } else if counts.new + counts.revised + counts.withdrawn + counts.over_quota > 0 {
            Self::Fresh
        } else {
            Self::Nothing
        }
    }
}

/// The trust after a document.
pub(super) fn after_document(trust: Trust, came: &Came<'_>, now: Timestamp) -> Trust {
    let after =
        Trust { next: NextRequest::Conditional, unmodified: 0, read_at: Some(now), ..trust };
    let after = match came.body.instance {
        Instance::Whole => Trust { deltas: Deltas::Unasked, ..after },
        Instance::DeltasOffered | Instance::Delta => Trust { deltas: Deltas::Asked, ..after },
    };
    let Some(known) = &came.known else { return Trust { wasted: 0, ..after } };
    if came.body.refusal.is_some() {
        return distrusting(after, Distrust::Refused, came.body, now);
    }
    if trust.next == NextRequest::Audit {
        return audited(after, known, came, now);
    }
    if is_over(trust, now) {
        return Trust { read_at: Some(now), deltas: after.deltas, ..Trust::default() };
    }
    if trust.carried(known).is_empty() {
        return after;
    }
    // A request that carried validators and brought news: they do what they are for.
    let doubts = if has_news(came) { 0 } else { after.doubts };
    wasted(Trust { doubts, ..after }, known, came, now)
}

/// The trust after a 304.
pub(super) fn after_not_modified(trust: Trust, now: Timestamp) -> Trust {
    if is_over(trust, now) {
        return Trust { unmodified: 1, read_at: trust.read_at, ..Trust::default() };
    }
    let after = Trust {
        unmodified: trust.unmodified.saturating_add(1),
        read_at: trust.read_at.or(Some(now)),
        wasted: 0,
        ..trust
    };
    let next = if is_audit_due(after, now) { NextRequest::Audit } else { after.next };
    Trust { next, ..after }
}

/// Whether the 304s in a row are many enough, or have gone on for long enough.
fn is_audit_due(trust: Trust, now: Timestamp) -> bool {
    let doubled = u32::from(trust.upheld.min(UPHELD_MAX));
    let is_doubted = trust.doubts > 0 && trust.upheld < UPHELD_AFTER_DOUBT;
    let many = if is_doubted { AUDIT_SOON_AFTER } else { AUDIT_AFTER << doubled };
    let spans = trust.read_at.is_some_and(|read_at| {
        let span = AUDIT_SPAN.saturating_mul(1 << doubled);
        read_at.checked_add(span).is_ok_and(|until| until <= now)
    });
    trust.unmodified >= many || (spans && trust.unmodified >= AUDIT_AFTER_SPAN << doubled)
}

fn has_news(came: &Came<'_>) -> bool {
    came.news != News::Nothing
}

/// After the whole document came unasked-for by any validator: were the 304s before it right?
fn audited(after: Trust, known: &Validators, came: &Came<'_>, now: Timestamp) -> Trust {
    if !has_news(came) {
        // A doubt stays until validators bring news, but does not make audits frequent for ever.
        let upheld = after.upheld.saturating_add(1).min(UPHELD_MAX);
        return Trust { upheld, ..after };
    }
    // News under the validators that would have been sent: the server would have answered 304 again.
    let sent = Trust { next: NextRequest::Conditional, ..after }.carried(known);
    let stands = |ours: &Option<String>, theirs: &Option<String>| ours.is_none() || ours == theirs;
    let theirs = &came.body.validators;
    let would_lie = stands(&sent.etag, &theirs.etag)
        && stands(&sent.last_modified, &theirs.last_modified)
        && !sent.is_empty();
    let doubts = after.doubts.saturating_add(1);
    if would_lie || came.news == News::Overdue || doubts >= DOUBTS_MAX {
        distrusting(after, Distrust::Lied, came.body, now)
    } else {
        Trust { doubts, upheld: 0, ..after }
    }
}

/// After a document that came although validators were sent.
fn wasted(after: Trust, known: &Validators, came: &Came<'_>, now: Timestamp) -> Trust {
    let theirs = &came.body.validators;
    let same_date = known.last_modified.is_some() && known.last_modified == theirs.last_modified;
    let in_vain = !has_news(came) && same_date;
    let why = after.distrust.map(|(why, _)| why);
    let is_wasted = match (after.sends, why) {
        (Sends::All, None) => in_vain && known.etag.is_some() && known.etag != theirs.etag,
        (Sends::Date, Some(Distrust::Changes)) => in_vain,
        _ => false,
    };
    let wasted = if is_wasted { after.wasted.saturating_add(1) } else { 0 };
    if wasted < WASTED_MAX {
        return Trust { wasted, ..after };
    }
    let (sends, why) = match after.sends {
        Sends::All => (Sends::Date, Distrust::Changes),
        // Nothing is lost by sending both: neither earns a 304.
        Sends::Date | Sends::Nothing => (Sends::All, Distrust::Useless),
    };
    Trust { sends, distrust: Some((why, now)), wasted: 0, ..after }
}

/// One validator less: first `ETag`, which servers look at first, then the date.
fn distrusting(after: Trust, why: Distrust, body: &Body, now: Timestamp) -> Trust {
    let has_both = body.validators.etag.is_some() && body.validators.last_modified.is_some();
    let sends = if after.sends == Sends::All && has_both { Sends::Date } else { Sends::Nothing };
    // The one that is left is under suspicion: it is audited soon.
    let doubts = u8::from(why == Distrust::Lied);
    Trust { sends, distrust: Some((why, now)), upheld: 0, doubts, wasted: 0, ..after }
}

/// Whether what is distrusted has been for long enough.
fn is_over(trust: Trust, now: Timestamp) -> bool {
    let until = trust.distrust.map(|(_, since)| since.checked_add(DISTRUST));
    until.is_some_and(|until| until.is_ok_and(|until| until <= now))
}
