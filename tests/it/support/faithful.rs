//! What a ledger holds that a daemon without fault has written, made without a daemon: for tests
//! that then tamper with it, and see whether an audit finds out.

use std::collections::BTreeSet;

use cw_model::ArticleId;
use cw_model::digest::digest;
use cw_model::state::{FeedState, SeenArticle, UnpackedState};
use serde_json::{Value, json};

use super::growing::{Growing, Pace};
use super::publisher::{Publisher, get};

/// A patient feed of which so many versions are acknowledged.
pub(crate) fn grown_feed(publisher: &Publisher, versions: usize) -> Growing {
    let feed = Growing::publish(publisher, "f", "press.test", Pace::Patient);
    get(publisher, &feed.path, "");
    while feed.acknowledged().len() < versions {
        let newest = feed.served().into_iter().next_back().unwrap();
        get(publisher, &feed.path, &format!("If-None-Match: {}\r\n", feed.etag(newest)));
    }
    feed
}

/// One commit after another: the records that were new with a version, and the state after it.
pub(crate) fn commits(feed: &Growing) -> Vec<(Vec<Value>, FeedState)> {
    let mut state = UnpackedState::default();
    let mut told = BTreeSet::new();
    let mut commits = Vec::new();
    for version in feed.served() {
        let mut records = Vec::new();
        for shown in feed.shown(version) {
            if !told.insert(shown.clone()) {
                continue;
            }
            let number: u8 = shown.guid.rsplit('-').next().unwrap().parse().unwrap();
            let id = ArticleId([number; 16]);
            let is_relevant = !number.is_multiple_of(3);
            let tags =
                if is_relevant { json!([{"id": "shelling"}, {"id": "market"}]) } else { json!([]) };
            records.push(json!({
                "id": id.to_string(),
                "revision": shown.headline,
                "change": if shown.headline == 1 { "created" } else { "updated" },
                "feed": {"id": feed.name, "url": feed.url},
                "guid": shown.guid,
                "title": shown.title,
                "language": if number.is_multiple_of(2) { Value::Null } else { "en".into() },
                "conflict": {"relevant": is_relevant, "tags": tags},
            }));
            let digest = digest([Some(&shown.title), None, None, None]);
            let seen = SeenArticle {
                digest,
                revision: shown.headline,
                last_seen: 1,
                relevant: Some(is_relevant),
                updated: None,
                content: None,
                source: None,
            };
            state.memory.seen.remember(id, seen);
        }
        state.plan.sequence += 1;
        commits.push((records, state.clone().pack()));
    }
    commits
}
