//! How a feed stands after an answer: that it answered, where it moved, whether it was withdrawn.

use cw_model::state::{FeedPlan, FeedState, Moves, Standing, day_of};
use cw_model::{Body, FailureClass, Feed, MovedBy, Network, RedirectPolicy, Timestamp};
use cw_read::parse::ParsedFeed;
use cw_text::web::{has_login, is_web};
use url::Url;

/// The longest URL that a feed's state remembers, bytes: the longest that the configuration takes. One
/// that is longer is asked without validators.
const URL_BYTES_MAX: usize = 4096;

/// Whether the publisher has said on another day before that it has withdrawn the feed: one 410 is often a
/// deployment gone wrong.
pub(super) fn is_gone_for_good(next: &mut FeedPlan, now: Timestamp) -> bool {
    // Another day and not a number of polls: a feed that is asked each minute would be gone within
    // minutes.
    let said_at = *next.gone_at.get_or_insert(now);
    day_of(said_at) < day_of(now)
}

/// Where an answer came from, and what it says of where its feed lives.
pub(super) struct Whereabouts<'a> {
    /// Where permanent redirects led, if they did.
    pub(super) redirected: Option<&'a Url>,
    /// What its document says.
    pub(super) said: OwnWord,
    /// Where those are who answered.
    pub(super) network: Network,
}

/// What a document says of where its feed lives.
pub(super) enum OwnWord {
    /// What it said before: it is the same document.
    AsBefore,
    /// There, or nowhere else.
    Elsewhere(Option<Url>),
}

/// A document was answered.
pub(super) fn answered(
    next: &mut FeedPlan,
    feed: &Feed,
    body: &Body,
    said: OwnWord,
    before: &FeedState,
    now: Timestamp,
) {
    let redirected = body.moved_to.as_ref();
    let is_there = redirected.is_none() && asked_at(feed, &before.plan).is_some();
    moved(next, feed, before, Whereabouts { redirected, said, network: body.network }, now);
    // A document alone shows that it is the same feed: anybody can answer 304.
    if is_there && next.moves.by == MovedBy::Document {
        next.moves.by = MovedBy::DocumentConfirmed;
    }
    recovered(next, now);
}

/// An answer came, perhaps from where permanent redirects led, perhaps saying where the feed lives.
///
/// Both count in the same way: what is said on several days is asked first. What a document says alone is looked at
/// there once, and forgotten if that is another feed (`not_there`).
pub(super) fn moved(
    next: &mut FeedPlan,
    feed: &Feed,
    before: &FeedState,
    Whereabouts { redirected, said, network }: Whereabouts<'_>,
    now: Timestamp,
) {
    // `next` is of another URL where the feed has another one, and then its own was asked.
    let is_asked_there = next.moved_to.is_some() && asked_at(feed, &before.plan).is_some();
    let (to, by) = match (redirected.and_then(remembered), said) {
        (Some(to), _) => (Some(to), MovedBy::Redirect),
        // Nobody asked whether its own URL still leads there, or says so. Whatever is there says of itself is not
        // followed further.
        (None, _) if is_asked_there => return,
        (None, OwnWord::AsBefore) if next.moves.by != MovedBy::Redirect => {
            (next.moved_to.clone(), next.moves.by)
        }
        (None, OwnWord::AsBefore) => (None, MovedBy::Redirect),
        (None, OwnWord::Elsewhere(url)) => (url.as_ref().and_then(remembered), MovedBy::Document),
    };
    match to {
        // The same place as before, on this day once more or on another day: only another day
        // counts.
        Some(to) if next.moved_to.as_ref() == Some(&to) => {
            next.moves = next.moves.confirmed(network, now);
            // What was found there is known of documents alone.
            if by == MovedBy::Redirect || next.moves.by == MovedBy::Redirect {
                next.moves.by = by;
            }
        }
        to => {
            let first =
                to.as_ref().map(|_| Moves { by, ..Moves::default() }.confirmed(network, now));
            next.moves = first.unwrap_or_default();
            next.moved_to = to;
        }
    }
}

/// Where a feed is asked in place of its own URL.
pub(super) fn asked_at(feed: &Feed, plan: &FeedPlan) -> Option<Url> {
    if plan.is_of_another_url(feed) {
        return None;
    }
    let to = Url::parse(plan.asks_at()?).ok()?;
    // It was learned under what the configuration said then.
    redirects(feed).admits(&feed.url, &to).then_some(to)
}

fn redirects(feed: &Feed) -> RedirectPolicy {
    feed.request.as_ref().map(|request| request.redirects).unwrap_or_default()
}

/// Where a document says that its feed lives (`itunes:new-feed-url`), if that is elsewhere and may be looked at. Its link
/// `self` says less: templates write that of another feed, or of all.
pub(super) fn announced(feed: &Feed, body: &Body, parsed: &ParsedFeed) -> Option<Url> {
    let mut url = body.final_url.join(parsed.new_url.as_deref()?).ok()?;
    url.set_fragment(None);
    let is_elsewhere = url != body.final_url && url != feed.url;
    let is_downgraded = body.final_url.scheme() == "https" && url.scheme() == "http";
    let may_be_asked = is_web(&url) && !has_login(&url) && redirects(feed).admits(&feed.url, &url);
    (is_elsewhere && !is_downgraded && may_be_asked).then_some(url)
}

/// A feed failed where its document says that it lives. What is not there stays
/// unasked as long as the document says no other place; what was only away is tried again after so many days.
pub(super) fn not_there(next: &mut FeedPlan, class: FailureClass) {
    let was_away = matches!(
        class,
        FailureClass::Dns
            | FailureClass::Connect
            | FailureClass::Timeout
            | FailureClass::Cut
            | FailureClass::Busy
            | FailureClass::Server
    );
    next.moves.days = 0;
    next.moves.by = if was_away { MovedBy::Document } else { MovedBy::DocumentRefused };
}

/// A URL, unless it is longer than a state remembers.
pub(super) fn remembered(url: &Url) -> Option<String> {
    (url.as_str().len() <= URL_BYTES_MAX).then(|| url.to_string())
}

pub(super) fn recovered(next: &mut FeedPlan, now: Timestamp) {
    next.succeeded_at = Some(now);
    next.standing = Standing::Fine;
    next.failures = 0;
    next.last_failure = None;
    next.gone_at = None;
}
