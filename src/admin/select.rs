//! Which rows of many an answer has: the first so many behind a cursor. Looks at each row once and puts
//! only those in order that are shown.

use std::collections::HashMap;

use cw_decide::scheduler::{FeedView, Stand};
use cw_model::Timestamp;

use super::feeds::Views;
use super::query::{Cursor, FeedQuery, FeedSort, FeedState, HostQuery, HostSort};

/// Some rows of many.
pub(super) struct Page<'a, T> {
    /// How many there are in all.
    pub(super) total: usize,
    /// The rows of this answer.
    pub(super) rows: Vec<&'a T>,
    /// Where the next answer begins, if there are more.
    pub(super) next: Option<String>,
}

/// The first rows behind the cursor, in order.
fn page<'a, T>(
    rows: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> (i64, &'a str),
    after: Option<&Cursor>,
    limit: usize,
) -> Page<'a, T> {
    let mut total = 0;
    let mut found: Vec<(i64, &str, &T)> = Vec::new();
    for row in rows {
        total += 1;
        let (number, name) = key(row);
        if after.is_none_or(|after| (number, name) > (after.number, after.name.as_str())) {
            found.push((number, name, row));
        }
    }
    let order =
        |one: &(i64, &str, &T), other: &(i64, &str, &T)| (one.0, one.1).cmp(&(other.0, other.1));
    let has_more = found.len() > limit;
    if has_more {
        found.select_nth_unstable_by(limit, order);
        found.truncate(limit);
    }
    found.sort_unstable_by(order);
    let last = found.last().filter(|_| has_more);
    let next = last.map(|(number, name, _)| Cursor::text(*number, name));
    Page { total, rows: found.into_iter().map(|(_, _, row)| row).collect(), next }
}

/// The feeds that were asked for.
pub(super) fn feeds<'a>(views: &'a Views, query: &FeedQuery) -> Page<'a, FeedView> {
    let fits = |view: &&FeedView| fits(view, query, views.at);
    let key = |view: &'a FeedView| (number(view, query.sort, views.at), view.feed.id.as_str());
    page(views.feeds.iter().filter(fits), key, query.after.as_ref(), query.limit)
}

fn fits(view: &FeedView, query: &FeedQuery, now: Timestamp) -> bool {
    let is_state = match query.state {
        None => true,
        Some(FeedState::Stand(stand)) => view.stand() == stand,
        Some(FeedState::Polling) => view.is_polling,
        Some(FeedState::Due) => {
            !view.is_polling && view.next_poll_at(now).is_some_and(|at| at <= now)
        }
    };
    let host = || view.feed.url.host_str().unwrap_or_default();
    let is_host = || query.host.as_deref().is_none_or(|wanted| wanted == host());
    let holds = |wanted: &str| {
        let publisher = view.feed.publisher.as_deref().unwrap_or_default();
        view.feed.id.as_str().contains(wanted)
            || host().contains(wanted)
            || publisher.to_lowercase().contains(wanted)
    };
    is_state && is_host() && query.q.as_deref().is_none_or(holds)
}

fn number(view: &FeedView, sort: FeedSort, now: Timestamp) -> i64 {
    let plan = view.state.as_ref().map(|state| &state.plan);
    match sort {
        FeedSort::Id => 0,
        FeedSort::NextPoll => view.next_poll_at(now).map_or(i64::MAX, Timestamp::as_millisecond),
        FeedSort::Failures => plan.map_or(0, |plan| -i64::from(plan.failures)),
        FeedSort::Polled => {
            plan.and_then(|plan| plan.polled_at).map_or(0, |at| -at.as_millisecond())
        }
    }
}

/// A host, and how its feeds stand.
pub(super) struct Host<'a> {
    pub(super) name: &'a str,
    pub(super) feeds: usize,
    /// In the order of [`Stand::ALL`].
    pub(super) by_stand: [usize; Stand::ALL.len()],
    pub(super) polling: usize,
    pub(super) next_poll_at: Option<Timestamp>,
}

impl Host<'_> {
    /// How many of its feeds somebody should look at.
    pub(super) fn troubled(&self) -> usize {
        let counts = Stand::ALL.iter().zip(&self.by_stand);
        let troubled = counts
            .filter(|(stand, _)| matches!(stand, Stand::Crashed | Stand::Failing | Stand::Gone));
        troubled.map(|(_, count)| count).sum()
    }
}

/// Every host, in no order.
pub(super) fn hosts(views: &Views) -> Vec<Host<'_>> {
    let mut hosts: HashMap<&str, Host<'_>> = HashMap::new();
    for view in &views.feeds {
        let name = view.feed.url.host_str().unwrap_or_default();
        let host = hosts.entry(name).or_insert_with(|| Host {
            name,
            feeds: 0,
            by_stand: [0; Stand::ALL.len()],
            polling: 0,
            next_poll_at: None,
        });
        host.feeds += 1;
        host.polling += usize::from(view.is_polling);
        let stand = view.stand();
        for (at, count) in Stand::ALL.iter().zip(&mut host.by_stand) {
            *count += usize::from(*at == stand);
        }
        let next = view.next_poll_at(views.at);
        host.next_poll_at = host.next_poll_at.into_iter().chain(next).min();
    }
    hosts.into_values().collect()
}

/// The hosts that were asked for.
pub(super) fn hosts_page<'a>(hosts: &'a [Host<'a>], query: &HostQuery) -> Page<'a, Host<'a>> {
    let fits =
        |host: &&Host<'_>| query.q.as_deref().is_none_or(|wanted| host.name.contains(wanted));
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let key = |host: &'a Host<'a>| {
        let number = match query.sort {
            HostSort::Feeds => -count(host.feeds),
            HostSort::Trouble => -count(host.troubled()),
            HostSort::Host => 0,
        };
        (number, host.name)
    };
    page(hosts.iter().filter(fits), key, query.after.as_ref(), query.limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_one_after_the_other_have_each_row_once() {
        let names: Vec<String> = (0..25).map(|number| format!("feed-{number:02}")).collect();
        let key = |name: &'static String| (i64::from(name.ends_with('3')), name.as_str());
        let names: &'static [String] = names.leak();
        for limit in [1, 7, 24, 25, 26] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = page(names.iter(), key, after.as_ref(), limit);
                assert_eq!(page.total, 25);
                assert!(page.rows.len() <= limit);
                seen.extend(page.rows);
                let Some(next) = page.next else { break };
                let (number, name) = next.split_once('~').unwrap();
                after = Some(Cursor { number: number.parse().unwrap(), name: name.to_owned() });
            }
            let mut expected: Vec<&String> = names.iter().collect();
            expected.sort_by_key(|name| key(name));
            assert_eq!(seen, expected, "{limit} a page");
        }
    }
}
