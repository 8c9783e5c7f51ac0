//! Topics, keys, headers and `__lane` as version 1 promises them: held by `tests/golden`, whose README
//! says how to accept a change.

use std::collections::BTreeSet;

use cw_decide::lane::wire::{HEAD_VERSION, Head, Layout, Line, PartitionBy};
use cw_model::samples::outcome;
use cw_model::{Record, Reject, Route, Routed, Timestamp};
use serde_json::{Value, json};

use self::kept::{check_kept, golden_values};

#[path = "../../../tests/golden/kept.rs"]
mod kept;

fn route(name: &str) -> Route {
    let all = [Route::Articles, Route::Relevant, Route::Correction];
    all.into_iter().find(|route| format!("{route:?}") == name).unwrap()
}

fn message(line: &Line) -> Value {
    let headers: Value = line.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    json!({ "topic": format!("{:?}", line.target), "key": line.key, "headers": headers })
}

#[test]
fn each_record_goes_where_version_1_says_with_its_key_and_headers() {
    let records = golden_values("article-1.jsonl").into_iter().zip(golden_values("route-1.jsonl"));
    let mut outcome = outcome("harbour", 3, Vec::new());
    for (record, told) in records {
        let record: Record = serde_json::from_value(record).unwrap();
        let route = route(told["route"].as_str().unwrap());
        outcome.records.push(Routed { record, route });
    }
    for reject in golden_values("reject-1.jsonl") {
        outcome.rejects.push(serde_json::from_value::<Reject>(reject).unwrap());
    }
    let layout = Layout {
        lane: 5,
        partition_by: PartitionBy::Lane,
        partitions: [12, 4, 1],
        record_bytes_max: 1 << 20,
        known_bytes_max: None,
    };
    let lines = layout.draft(&outcome, &BTreeSet::new()).unwrap().lines;
    let messages: Vec<Value> = lines.iter().map(message).collect();
    check_kept("message-1.jsonl", &messages);
}

#[test]
fn the_lane_record_of_version_1_is_written_and_read() {
    let at: Timestamp = "2026-03-02T12:30:00Z".parse().unwrap();
    let head = Head::after(6, ("one", 2), 3, at);
    let left = Head { ended: true, left_uncleanly_at: Some(at), ..head.clone() };
    let heads = [head, left];
    check_kept("lane-1.jsonl", &heads.clone().map(|head| serde_json::to_value(head).unwrap()));
    for (golden, head) in golden_values("lane-1.jsonl").into_iter().zip(heads) {
        assert_eq!(serde_json::from_value::<Head>(golden).unwrap(), head);
    }
    assert_eq!(HEAD_VERSION, 1);
}
