//! Feeds and hosts in the API. URLs stand here as people may see them: without user-info, and without a
//! query, which may hold a token, unless the feed is configured to publish it.

use std::time::Duration;

use cw_decide::scheduler::{FeedView, Stand};
use cw_decide::subscription::stage;
use cw_model::state::{Claim, FeedPlan, FeedState};
use cw_model::{Feed, Timestamp, without_query};
use cw_status::shown::shown;
use serde_json::{Value, json};
use url::Url;

use super::super::hosts::Host;
use super::super::words;
use super::moment;

/// A feed in a list.
pub(in super::super) fn row(view: &FeedView, now: Timestamp) -> Value {
    let feed = &view.feed;
    let plan = view.state.as_ref().map(|state| &state.plan);
    let failure = plan.and_then(|plan| plan.last_failure.as_ref());
    json!({
        "id": feed.id.as_str(),
        "url": shown(&feed.shown(&feed.url)),
        "host": feed.url.host_str(),
        "publisher": feed.publisher.as_deref().map(shown),
        "language": feed.language,
        "country": feed.country,
        "labels": feed.labels.iter().map(|label| shown(label)).collect::<Vec<_>>(),
        "state": view.stand.name(),
        "polling": view.is_polling,
        "lane": view.lane,
        "next_poll_at": view.next_poll_at(now).map(moment),
        "because": because(view),
        "polled_at": plan.and_then(|plan| plan.polled_at).map(moment),
        "succeeded_at": plan.and_then(|plan| plan.succeeded_at).map(moment),
        "failures": plan.map_or(0, |plan| plan.failures),
        "failure": failure.map(|failure| failure.class.name()),
        "interval_seconds": interval(feed, plan).map(|interval| interval.as_secs()),
    })
}

/// Why a feed is polled when it is, for a person; `None` if it is not polled here.
pub(in super::super) fn because(view: &FeedView) -> Option<&'static str> {
    view.lane?;
    let reason = view.state.as_ref().map(|state| state.plan.next.reason).unwrap_or_default();
    Some(words::because(view.due.map(|due| due.why), reason))
}

/// The wait between polls, configured or learned, if it is known.
fn interval(feed: &Feed, plan: Option<&FeedPlan>) -> Option<Duration> {
    let interval = feed.interval.or_else(|| plan?.interval)?;
    Some(interval.clamp(feed.interval_min, feed.interval_max))
}

/// All that is known of a feed.
pub(in super::super) fn whole(view: &FeedView, now: Timestamp) -> Value {
    let mut value = row(view, now);
    let feed = &view.feed;
    let (Value::Object(all), Some(state)) = (&mut value, &view.state) else { return value };
    let plan = &state.plan;
    let trust = &plan.trust;
    let distrust = trust
        .distrust
        .map(|(why, since)| json!({ "because": words::distrust(why), "since": moment(since) }));
    let parts = [
        ("polls", json!(plan.sequence)),
        ("last_failure", last_failure(plan)),
        ("schedule", schedule(feed, plan)),
        ("validators", validators(feed, state)),
        ("validators_sent", json!(words::sends(trust.sends))),
        ("validators_distrusted", json!(distrust)),
        ("moved_to", json!(plan.lives_at().and_then(|url| seen(feed, url)))),
        ("moved_by", json!(plan.moved_to.is_some().then(|| words::moved_by(plan.moves.by)))),
        ("asked_before_at", json!(other_url(feed, plan))),
        ("gone_at", json!(plan.gone_at.map(moment))),
        ("put_off_since", json!(plan.put_off_for().map(|crash| moment(crash.at)))),
        ("hub", hub(plan, now)),
        ("today", today(feed, plan, now)),
        ("requests", requests(plan)),
    ];
    all.extend(parts.map(|(name, value)| (name.to_owned(), value)));
    value
}

/// A URL of a feed as people may see it.
fn seen(feed: &Feed, url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| shown(&feed.shown(&url)).into_owned())
}

/// The URL of the last poll, if another is configured now: what is known is of that one.
fn other_url(feed: &Feed, plan: &FeedPlan) -> Option<String> {
    plan.url.as_deref().filter(|_| plan.is_of_another_url(feed)).and_then(|url| seen(feed, url))
}

fn last_failure(plan: &FeedPlan) -> Value {
    let failure = plan.last_failure.as_ref();
    json!(failure.map(|failure| json!({
        "class": failure.class.name(),
        "text": shown(&failure.detail),
        "at": moment(failure.at),
    })))
}

/// Everything that had a say in when it is polled next.
fn schedule(feed: &Feed, plan: &FeedPlan) -> Value {
    let next = &plan.next;
    let seconds = |wait: Option<Duration>| wait.map(|wait| wait.as_secs());
    json!({
        "configured_seconds": seconds(feed.interval),
        "learned_seconds": seconds(plan.interval),
        "interval_min_seconds": feed.interval_min.as_secs(),
        "interval_max_seconds": feed.interval_max.as_secs(),
        "freshness_seconds": seconds(next.fresh_for),
        "ttl_seconds": seconds(next.ttl),
        "backoff_seconds": seconds(next.backoff),
        "retry_after_seconds": seconds(next.retry_after),
        "jitter_seconds": next.jitter.as_secs(),
    })
}

/// How it was asked lately, the newest request first, and all requests counted.
fn requests(plan: &FeedPlan) -> Value {
    let at = |second: u32| Timestamp::from_second(second.into()).ok().map(moment);
    let claim = |claim: Claim| {
        let because: &str = claim.of.into();
        json!({ "because": because, "wait_seconds": claim.wait })
    };
    let last = plan.requests.last().map(|request| {
        json!({
            "at": at(request.at),
            "won": claim(request.won),
            "lost": request.lost.map(claim),
            "if_none_match": request.carried.etag,
            "if_modified_since": request.carried.date,
            "answered": request.answered.name(),
            "quiet_seconds": request.quiet,
        })
    });
    json!({
        "made": plan.requests.made,
        "unconditional": plan.requests.unconditional,
        "early": plan.requests.early,
        "closest_seconds": plan.requests.closest,
        "last": last.collect::<Value>(),
    })
}

/// Which validators its URLs gave. Their values are between publisher and us.
fn validators(feed: &Feed, state: &FeedState) -> Value {
    let of_urls = state.unpacked_memory().validators;
    let given = of_urls.iter().map(|(url, validators)| {
        json!({
            "url": seen(feed, url),
            "etag": validators.etag.is_some(),
            "last_modified": validators.last_modified.is_some(),
        })
    });
    given.collect()
}

/// What is agreed with its hub; null if it names none.
fn hub(plan: &FeedPlan, now: Timestamp) -> Value {
    let Some(subscription) = plan.subscription.as_deref() else { return Value::Null };
    let Some(offer) = &subscription.offer else { return Value::Null };
    let stage = stage(subscription, now);
    let lease = subscription.lease.filter(|lease| now < lease.until);
    json!({
        "url": Url::parse(&offer.hub).ok().map(|url| shown(&without_query(&url)).into_owned()),
        "state": stage.name(),
        "says": words::hub(stage, moment),
        "lease_until": lease.map(|lease| moment(lease.until)),
        "pushed_at": subscription.pushed_at.map(moment),
        "polls_not_pushed": subscription.missed,
    })
}

fn today(feed: &Feed, plan: &FeedPlan, now: Timestamp) -> Value {
    let today = plan.today.on_day_of(now);
    json!({
        "articles": today.articles,
        "articles_max": feed.quota.articles,
        "bytes": today.bytes,
        "bytes_max": feed.quota.bytes,
        "left_unread": today.left,
    })
}

/// A host in a list.
pub(in super::super) fn host(host: &Host) -> Value {
    let mut value = json!({
        "host": host.name,
        "feeds": host.feeds,
        "polling": host.polling,
        "next_poll_at": host.next_poll_at.map(moment),
    });
    if let Value::Object(all) = &mut value {
        let counts = Stand::ALL.iter().zip(&host.by_stand);
        all.extend(counts.map(|(stand, count)| (stand.name().to_owned(), json!(count))));
    }
    value
}
