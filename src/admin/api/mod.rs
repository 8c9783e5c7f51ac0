//! `/api`: how the program stands, for programs. Read only; fields are only added.

pub(super) mod feed;

use std::collections::BTreeMap;

use cw_decide::scheduler::FeedView;
use cw_model::{LaneState, Timestamp};
use cw_status::ledger::{Group, LedgerSnapshot, Replica};
use cw_status::recent::{RATE_MINUTES, RecentSnapshot};
use cw_status::shown::shown;
use cw_status::{LastRead, ListStatus, Snapshot};
use serde_json::{Value, json};

use super::feeds::Views;
use super::query::{FeedQuery, HostQuery};
use super::select::{self, Page};

/// The ledger, for people: its kind, and where it writes.
#[derive(Clone, Debug)]
pub struct LedgerName {
    /// `sqlite`, `kafka`, `json_lines`.
    pub kind: &'static str,
    /// Where it writes.
    pub place: String,
    /// How many lanes all replicas share.
    pub lanes: u32,
}

/// A moment as the API writes it: RFC 3339, to the second, in UTC.
pub(super) fn moment(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// `/api/status`.
pub(super) fn status(
    snapshot: &Snapshot,
    recent: &RecentSnapshot,
    ledger: &LedgerName,
    now: Timestamp,
) -> Value {
    let feeds = &snapshot.feeds;
    let total = feeds.new + feeds.fine + feeds.failing + feeds.crashed + feeds.gone;
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "at": moment(now),
        "uptime_seconds": snapshot.uptime.as_secs(),
        "ready": snapshot.unready.is_none(),
        "why_not_ready": snapshot.unready.as_ref().map(cw_status::Unready::text),
        "configuration": match &snapshot.last_read {
            LastRead::InUse => "in_use",
            LastRead::Refused { .. } => "refused",
        },
        "why_refused": match &snapshot.last_read {
            LastRead::InUse => None,
            LastRead::Refused { why } => Some(why),
        },
        "lists": lists(&snapshot.lists),
        "feeds": {
            "total": total,
            "new": feeds.new,
            "fine": feeds.fine,
            "failing": feeds.failing,
            "crashed": feeds.crashed,
            "gone": feeds.gone,
            "due": feeds.due,
            "over_quota": feeds.over_quota,
            "overdue_seconds": feeds.overdue.as_secs(),
            "polls_in_flight": feeds.polls,
        },
        "ledger": ledger_of(snapshot, ledger),
        "last_minutes": last_minutes(recent),
    })
}

/// The lists of feeds that are asked for by URL.
fn lists(lists: &[ListStatus]) -> Vec<Value> {
    let one = |list: &ListStatus| {
        json!({
            "url": list.url,
            "feeds": list.feeds,
            "last_answer": list.last.map(|(answer, _)| answer.name()),
            "asked_at": list.last.map(|(_, at)| moment(at)),
            "why": list.why.as_deref().map(shown),
        })
    };
    lists.iter().map(one).collect()
}

/// What was done lately.
fn last_minutes(recent: &RecentSnapshot) -> Value {
    let tally = &recent.last_minutes;
    json!({
        "minutes": RATE_MINUTES,
        "polls": tally.polls(),
        "failed": tally.failed,
        "records": tally.records,
        "relevant": tally.relevant,
    })
}

/// `/api/feeds`.
pub(super) fn feeds(views: &Views, query: &FeedQuery) -> Value {
    list("feeds", views.at, select::feeds(views, query), |view: &FeedView| {
        feed::row(view, views.at)
    })
}

/// `/api/hosts`.
pub(super) fn hosts_list(views: &Views, query: &HostQuery) -> Value {
    let hosts = views.hosts();
    list("hosts", hosts.at, select::hosts(&hosts.all, query), feed::host)
}

fn list<T>(name: &str, at: Timestamp, page: Page<'_, T>, row: impl Fn(&T) -> Value) -> Value {
    let rows: Vec<Value> = page.rows.into_iter().map(row).collect();
    json!({ "at": moment(at), "total": page.total, "next": page.next, name: rows })
}

/// A lane of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) number: u32,
    pub(super) state: LaneState,
    /// Why, for a person; empty if the state says it all.
    pub(super) why: String,
    /// How many feeds are polled in it.
    pub(super) feeds: usize,
}

/// The lanes of this process: as the ledger tells of them, and those in which feeds are polled on a
/// ledger that has nothing to tell.
pub(super) fn lanes_of(snapshot: &Snapshot, views: Option<&Views>) -> Vec<Lane> {
    let mut lanes: BTreeMap<u32, Lane> = BTreeMap::new();
    for (number, lane) in &snapshot.ledger.lanes {
        let (state, why) = (lane.state, shown(&lane.why).into_owned());
        lanes.insert(*number, Lane { number: *number, state, why, feeds: 0 });
    }
    for (number, feeds) in views.into_iter().flat_map(|views| views.lanes()) {
        let (number, state, why) = (*number, LaneState::Owned, String::new());
        lanes.entry(number).or_insert(Lane { number, state, why, feeds: 0 }).feeds = *feeds;
    }
    lanes.into_values().collect()
}

/// `/api/lanes`.
pub(super) fn lanes(snapshot: &Snapshot, views: Option<&Views>, now: Timestamp) -> Value {
    let lanes: Vec<Value> = lanes_of(snapshot, views)
        .into_iter()
        .map(|lane| {
            let why = Some(lane.why).filter(|why| !why.is_empty());
            let (number, state, feeds) = (lane.number, lane.state.name(), lane.feeds);
            json!({ "lane": number, "state": state, "why": why, "feeds": feeds })
        })
        .collect();
    json!({
        "at": moment(now),
        "group": group_name(&snapshot.ledger),
        "trouble": snapshot.ledger.trouble().map(|why| shown(&why).into_owned()),
        "total": lanes.len(),
        "lanes": lanes,
        "replicas": replicas(&snapshot.ledger),
        "unseen": snapshot.ledger.unseen().map(|why| shown(&why).into_owned()),
    })
}

fn ledger_of(snapshot: &Snapshot, ledger: &LedgerName) -> Value {
    let mut lanes: BTreeMap<&str, usize> = BTreeMap::new();
    for lane in snapshot.ledger.lanes.values() {
        *lanes.entry(lane.state.name()).or_default() += 1;
    }
    json!({
        "kind": ledger.kind,
        "place": shown(&ledger.place),
        "bytes": snapshot.ledger_bytes,
        "group": group_name(&snapshot.ledger),
        "trouble": snapshot.ledger.trouble().map(|why| shown(&why).into_owned()),
        "lanes_by_state": lanes,
        "replicas": replicas(&snapshot.ledger),
        "unseen": snapshot.ledger.unseen().map(|why| shown(&why).into_owned()),
    })
}

/// The replicas that share the lanes; null where there is no group, or it is not known.
fn replicas(ledger: &LedgerSnapshot) -> Value {
    let replicas = ledger.replicas.as_ref().and_then(|known| known.as_ref().ok());
    json!(replicas.map(|all| all.iter().map(replica).collect::<Vec<_>>()))
}

fn replica(replica: &Replica) -> Value {
    json!({
        "name": shown(&replica.name),
        "address": replica.address,
        "self": replica.is_self,
        "lanes": replica.lanes,
    })
}

/// Who answers for a feed of another replica's lane.
pub(super) fn served_by(lane: u32, owner: &Replica, why: &str) -> Value {
    json!({
        "error": { "code": "elsewhere", "text": why },
        "lane": lane,
        "served_by": replica(owner),
    })
}

/// Where the group of replicas stands, on a ledger that has one.
fn group_name(ledger: &LedgerSnapshot) -> Option<&'static str> {
    match ledger.group {
        Group::Unused => None,
        Group::Joining => Some("joining"),
        Group::Away(_) => Some("away"),
        Group::Joined => Some("joined"),
    }
}
