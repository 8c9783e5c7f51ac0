//! Which rows of many an answer has: the first so many behind a cursor. Looks at each row once and puts
//! only those in order that are shown.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use cw_decide::scheduler::FeedView;
use cw_model::Timestamp;

use super::feeds::Views;
use super::hosts::Host;
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

/// A row and its place in the order.
struct Placed<'a, T> {
    place: (i64, &'a str),
    row: &'a T,
}

impl<T> PartialEq for Placed<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Placed<'_, T> {}

impl<T> PartialOrd for Placed<'_, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Placed<'_, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place)
    }
}

/// The first rows behind the cursor, in order. No more are kept than are shown, so most of many rows are
/// compared once.
fn page<'a, T>(
    rows: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> (i64, &'a str),
    after: Option<&Cursor>,
    limit: usize,
) -> Page<'a, T> {
    let after = after.map(|after| (after.number, after.name.as_str()));
    let mut total = 0;
    // One more than is shown: then there is a next page.
    let mut first: BinaryHeap<Placed<'_, T>> = BinaryHeap::with_capacity(limit + 2);
    for row in rows {
        total += 1;
        let place = key(row);
        let is_behind = after.is_none_or(|after| place > after);
        let is_full = first.len() > limit;
        if is_behind && !(is_full && first.peek().is_some_and(|last| last.place < place)) {
            first.push(Placed { place, row });
            if is_full {
                first.pop();
            }
        }
    }
    let mut first = first.into_sorted_vec();
    let has_more = first.len() > limit;
    first.truncate(limit);
    let last = first.last().filter(|_| has_more);
    let next = last.map(|Placed { place: (number, name), .. }| Cursor::text(*number, name));
    Page { total, rows: first.into_iter().map(|placed| placed.row).collect(), next }
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
        Some(FeedState::Stand(stand)) => view.stand == stand,
        Some(FeedState::Polling) => view.is_polling,
        Some(FeedState::Due) => {
            !view.is_polling && view.next_poll_at(now).is_some_and(|at| at <= now)
        }
    };
    let host = || view.feed.url.host_str().unwrap_or_default();
    let is_host = || query.host.as_deref().is_none_or(|wanted| wanted == host());
    let has = |wanted: &String| view.feed.labels.contains(wanted);
    let holds = |wanted: &str| {
        view.feed.id.as_str().contains(wanted)
            || host().contains(wanted)
            || view.feed.publisher.as_deref().is_some_and(|name| holds_folded(name, wanted))
    };
    is_state
        && is_host()
        && query.label.as_ref().is_none_or(has)
        && query.q.as_deref().is_none_or(holds)
}

/// Whether a text holds this one, which is in lower case, in any case. Most texts are ASCII, and are not
/// copied.
fn holds_folded(text: &str, wanted: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(wanted);
    }
    let mut places = text.as_bytes().windows(wanted.len().max(1));
    wanted.is_empty() || places.any(|place| place.eq_ignore_ascii_case(wanted.as_bytes()))
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

/// The hosts that were asked for.
pub(super) fn hosts<'a>(hosts: &'a [Host], query: &HostQuery) -> Page<'a, Host> {
    let fits = |host: &&Host| query.q.as_deref().is_none_or(|wanted| host.name.contains(wanted));
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let key = |host: &'a Host| {
        let number = match query.sort {
            HostSort::Feeds => -count(host.feeds),
            HostSort::Trouble => -count(host.troubled()),
            HostSort::Host => 0,
        };
        (number, host.name.as_str())
    };
    page(hosts.iter().filter(fits), key, query.after.as_ref(), query.limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_is_found_in_any_case() {
        for (text, wanted, expected) in [
            ("Harbour Post", "our p", true),
            ("Harbour Post", "posts", false),
            ("Київський вісник", "київ", true),
            ("x", "", true),
            ("", "x", false),
        ] {
            assert_eq!(holds_folded(text, wanted), expected, "{wanted:?} in {text:?}");
        }
    }

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
