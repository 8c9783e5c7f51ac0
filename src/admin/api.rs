//! `/api`: how the program stands, for programs. Read only; fields are only added.

use std::collections::BTreeMap;

use cw_model::Timestamp;
use cw_status::ledger::{Group, LedgerSnapshot};
use cw_status::shown::shown;
use cw_status::{LastRead, Snapshot};
use serde_json::{Value, json};

/// The ledger, for people: its kind, and where it writes.
#[derive(Clone, Debug)]
pub struct LedgerName {
    /// `sqlite`, `kafka`, `json_lines`.
    pub kind: &'static str,
    /// Where it writes.
    pub place: String,
}

/// A moment as the API writes it: RFC 3339, to the second, in UTC.
pub(super) fn moment(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// `/api/status`.
pub(super) fn status(snapshot: &Snapshot, ledger: &LedgerName, now: Timestamp) -> Value {
    let feeds = &snapshot.feeds;
    let total = feeds.new + feeds.fine + feeds.failing + feeds.crashed + feeds.gone;
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "at": moment(now),
        "uptime_seconds": snapshot.uptime.as_secs(),
        "ready": snapshot.unready.is_none(),
        "why_not_ready": snapshot.unready.as_ref().map(cw_status::Unready::text),
        "configuration": match snapshot.last_read {
            LastRead::InUse => "in_use",
            LastRead::Refused => "refused",
        },
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
