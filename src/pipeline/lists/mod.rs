//! Keeps lists of feeds current that `feeds_from` names by URL.
//!
//! A list is asked for as a feed is: by the same rules for addresses, conditionally, at an interval with
//! jitter, and not before the server says. What comes is tried as part of the whole configuration. Only if that
//! is right does it take the place of the kept list, and a reload is asked for. `cw_decide::feed_list` decides
//! when to ask and whether to believe; `asking` is one request, `kept` the files.

mod asking;
mod kept;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cw_decide::backoff::{seed, split_mix};
use cw_decide::feed_list::{Guard, next_wait};
use cw_status::{ListAnswer, ListStatus, Metrics, Status};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

pub use self::asking::{AskedList, Asker, Came, ListMissing, fetch_missing};
use crate::clock::Clock;
use crate::config::{Config, ListByUrl};
use crate::fetch::Fetcher;
use crate::reload::Reloader;

/// What is to be kept current; a reload may change it.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    lists: Vec<ListByUrl>,
    interval: Duration,
    retry_after_max: Duration,
    asker: Asker,
}

impl Wanted {
    pub(super) fn of(config: &Config, fetcher: &Arc<Fetcher>) -> Self {
        Self {
            lists: config.lists.clone(),
            interval: config.list_interval,
            retry_after_max: config.feed_defaults.retry_after_max,
            asker: Asker::new(Arc::clone(fetcher), config),
        }
    }
}

/// Where it is said what came of asking.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    pub(super) status: Arc<Status>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
    pub(super) reloader: Reloader,
}

/// A list that is kept current.
#[derive(Debug)]
struct FollowedList {
    list: ListByUrl,
    guard: Guard,
    due: Instant,
    /// What chance is made from.
    chance: u64,
    status: ListStatus,
}

impl FollowedList {
    /// `chance` is another in each process.
    fn new(list: ListByUrl, chance: u64) -> Self {
        let (url, feeds) = (list.shown(), list.count());
        let status = ListStatus { url, feeds, last: None, why: None };
        let chance = seed(list.url.as_str(), chance);
        Self { list, guard: Guard::default(), due: Instant::now(), chance, status }
    }

    /// Between 0 and 1.
    fn dice(&mut self) -> f64 {
        f64::from(u32::try_from(split_mix(&mut self.chance) >> 32).unwrap_or(0))
            / f64::from(u32::MAX)
    }
}

/// Keeps lists current until told to stop, or until nobody wants them any more.
pub(super) async fn follow(
    mut wanted: watch::Receiver<Wanted>,
    reports: Reports,
    stop: CancellationToken,
) {
    let mut followed = Vec::new();
    let chance = reports.clock.now().as_nanosecond().unsigned_abs();
    let chance = u64::try_from(chance & u128::from(u64::MAX)).unwrap_or_default();
    take_up(&mut followed, &wanted.borrow_and_update(), chance);
    reports.status.set_lists(statuses(&followed));
    loop {
        let next = followed.iter_mut().min_by_key(|one| one.due);
        let due = next.as_ref().map(|one| one.due);
        tokio::select! {
            () = stop.cancelled() => return,
            changed = wanted.changed() => {
                if changed.is_err() {
                    return;
                }
                take_up(&mut followed, &wanted.borrow_and_update(), chance);
            }
            () = until(due) => {
                let Some(one) = next else { continue };
                let now = wanted.borrow().clone();
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = ask(one, &now, &reports) => {}
                }
            }
        }
        reports.status.set_lists(statuses(&followed));
    }
}

fn statuses(followed: &[FollowedList]) -> Vec<ListStatus> {
    followed.iter().map(|one| one.status.clone()).collect()
}

/// Never, if nothing is due.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Follows what is wanted now. What was followed before goes on from where it was.
fn take_up(followed: &mut Vec<FollowedList>, wanted: &Wanted, chance: u64) {
    let before = followed.drain(..).map(|one| (one.list.kept.clone(), one));
    let mut before: HashMap<PathBuf, FollowedList> = before.collect();
    let latest = Instant::now() + wanted.interval;
    followed.extend(wanted.lists.iter().map(|list| match before.remove(&list.kept) {
        Some(mut one) => {
            one.list = list.clone();
            one.status.feeds = list.count();
            // A shorter interval shortens a wait that has begun, but not one that a server asked for.
            if one.status.last.is_some_and(|(answer, _)| answer != ListAnswer::Failed) {
                one.due = one.due.min(latest);
            }
            one
        }
        None => FollowedList::new(list.clone(), chance),
    }));
}

/// Asks for a list, and tells what came of it.
async fn ask(one: &mut FollowedList, wanted: &Wanted, reports: &Reports) {
    let AskedList { came, wait } = wanted.asker.ask(&one.list, &mut one.guard).await;
    let dice = one.dice();
    one.due = Instant::now() + next_wait(wanted.interval, wait, wanted.retry_after_max, dice);
    let answer = came.answer();
    reports.metrics.lists().asked(answer);
    let trouble = came.trouble();
    let url = &one.status.url;
    match (&came, &trouble, &one.status.why) {
        (Came::New(new), ..) => {
            let count = new.feeds.len();
            info!(url.full = %url, feed.count = count, "a list of feeds has changed; reload asked for");
        }
        // Said once, however often it is asked for meanwhile.
        (_, Some(why), before) if before.as_ref() != Some(why) => {
            warn!(url.full = %url, error = %why, "a list of feeds is not taken; the one before stays in use");
        }
        (_, None, Some(_)) => info!(url.full = %url, "the list of feeds is current again"),
        _ => debug!(url.full = %url, "a list of feeds was asked for: {}", answer.name()),
    }
    one.status.last = Some((answer, reports.clock.now()));
    one.status.why = trouble;
    if let Came::New(new) = came {
        one.status.feeds = new.feeds.len();
        one.list.feeds = Some(new.feeds);
        reports.reloader.ask();
    }
}
