//! What must hold once a history is over.

use std::collections::BTreeMap;

use cw_model::state::FeedState;
use cw_model::{ArticleId, FeedId};

use super::publisher::{Publisher, article, feed_of, title};
use crate::brokers::{Brokers, PartitionId, Stored, TransactionId};
use crate::lane::log::Reading;
use crate::lane::wire::{Head, Target};

/// Everything that is wrong with what stands in the topics. Publishers have stood still and every
/// replica is well, long enough for everything to be told.
pub(super) fn wrong(brokers: &Brokers, publishers: &[Publisher], lanes: u32) -> Vec<String> {
    let mut wrong = Vec::new();
    let revisions = revisions(brokers, &mut wrong);
    let mut states: BTreeMap<FeedId, FeedState> = BTreeMap::new();
    for lane in 0..lanes {
        check_lane(brokers, lane, &mut wrong, &mut states);
    }
    check_copies(brokers, &revisions, &mut wrong);
    check_order(brokers, &mut wrong);
    for publisher in publishers {
        let Some(state) = states.get(&publisher.id) else {
            wrong.push(format!("{} has no state", publisher.id));
            continue;
        };
        for (entry, version) in &publisher.entries {
            let told = revisions.get(article(*entry).as_str()).and_then(|of| of.last_key_value());
            match told {
                Some((_, record)) if has_title(record, &title(*version)) => {}
                Some(_) => wrong.push(format!("lost: version {version} of entry {entry}")),
                None => wrong.push(format!("lost: entry {entry} of {}", publisher.id)),
            }
        }
        check_state(publisher, state, &revisions, &mut wrong);
    }
    wrong
}

/// Committed records of the articles topic: by article, by revision. Those that are there twice, or
/// without the one before, are wrong.
fn revisions<'a>(
    brokers: &'a Brokers,
    wrong: &mut Vec<String>,
) -> BTreeMap<&'a str, BTreeMap<u32, &'a Stored>> {
    let mut revisions: BTreeMap<&str, BTreeMap<u32, &Stored>> = BTreeMap::new();
    for (offset, record) in articles(brokers, wrong) {
        let id = record.header("ce_id").and_then(|id| id.split_once(':'));
        let Some((article, Ok(revision))) = id.map(|(id, number)| (id, number.parse())) else {
            wrong.push(format!("an article without an id at {offset}"));
            continue;
        };
        let known = revisions.entry(article).or_default();
        // From transaction to transaction of a lane the revisions of an article grow one by one.
        let last = known.last_key_value().map_or(0, |(last, _)| *last);
        if known.contains_key(&revision) {
            wrong.push(format!("twice: revision {revision} of {article} at {offset}"));
        } else if revision != last + 1 {
            wrong.push(format!("{article} goes from revision {last} to {revision}"));
        }
        known.insert(revision, record);
    }
    revisions
}

/// Committed records of the articles topic with their offsets, in the order in which their lanes committed
/// them: the partition of a lane is another one when the topic gets more.
fn articles<'a>(brokers: &'a Brokers, wrong: &mut Vec<String>) -> Vec<(i64, &'a Stored)> {
    let mut ends: BTreeMap<TransactionId, (PartitionId, i64)> = BTreeMap::new();
    for lane in brokers.partitions_of(Target::State) {
        let records = brokers.committed(lane, i64::MAX);
        let heads = records.filter(|(_, record)| record.key == FeedId::RESERVED);
        ends.extend(heads.map(|(offset, head)| (head.transaction, (lane, offset))));
    }
    let mut articles = Vec::new();
    for partition in brokers.partitions_of(Target::Articles) {
        let mut last: BTreeMap<PartitionId, i64> = BTreeMap::new();
        for (offset, record) in brokers.committed(partition, i64::MAX) {
            let Some((lane, end)) = ends.get(&record.transaction).copied() else {
                wrong.push(format!("an article without a lane at {offset} of {partition:?}"));
                continue;
            };
            if last.insert(lane, end).is_some_and(|before| before > end) {
                wrong.push(format!("{lane:?} is out of order at {offset} of {partition:?}"));
            }
            articles.push((lane, end, offset, record));
        }
    }
    articles.sort_by_key(|(lane, end, offset, _)| (*lane, *end, *offset));
    articles.into_iter().map(|(_, _, offset, record)| (offset, record)).collect()
}

/// What is about a conflict stands in both topics, in the same transaction.
fn check_copies(
    brokers: &Brokers,
    revisions: &BTreeMap<&str, BTreeMap<u32, &Stored>>,
    wrong: &mut Vec<String>,
) {
    let mut copies = Vec::new();
    for partition in brokers.partitions_of(Target::Conflict) {
        let records = brokers.committed(partition, i64::MAX).map(|(_, record)| record);
        copies.extend(records.map(|record| (record.header("ce_id"), record.transaction)));
    }
    copies.sort_unstable();
    let all = revisions.values().flat_map(BTreeMap::values);
    let relevant = all.filter(|record| record.header("cw_tags").is_some());
    let mut wanted: Vec<_> =
        relevant.map(|record| (record.header("ce_id"), record.transaction)).collect();
    wanted.sort_unstable();
    if copies != wanted {
        wrong
            .push("the conflict topic has others than the articles topic, or elsewhere".to_owned());
    }
}

/// Articles of a feed stand in the order in which they were read.
fn check_order(brokers: &Brokers, wrong: &mut Vec<String>) {
    let mut last: BTreeMap<u32, String> = BTreeMap::new();
    for (offset, record) in articles(brokers, &mut Vec::new()) {
        let Some(feed) = record.header("ce_subject").and_then(feed_of) else { continue };
        let stamp = value(record)["guid"].as_str().unwrap_or_default().to_owned();
        let before = last.insert(feed, stamp.clone());
        if before.is_some_and(|before| before >= stamp) {
            wrong.push(format!("out of order at offset {offset} of the articles"));
        }
    }
}

fn check_lane(
    brokers: &Brokers,
    lane: u32,
    wrong: &mut Vec<String>,
    states: &mut BTreeMap<FeedId, FeedState>,
) {
    let Ok(number) = i32::try_from(lane) else { return };
    let mut reading = Reading::default();
    let mut sequences: BTreeMap<&str, u64> = BTreeMap::new();
    let partition = (Target::State, number);
    for (offset, record) in brokers.committed(partition, i64::MAX) {
        if let Some(sequence) = value(record)["sequence"].as_u64() {
            let before = sequences.insert(&record.key, sequence);
            if before.is_some_and(|before| before >= sequence) {
                wrong.push(format!("{} in lane {lane} goes back at offset {offset}", record.key));
            }
        }
        if let Err(contradiction) = reading.take(&record.key, record.value.as_deref(), offset) {
            wrong.push(format!("lane {lane}: {contradiction}"));
        }
        if record.key == FeedId::RESERVED {
            let head: Option<Head> =
                record.value.as_deref().and_then(|value| serde_json::from_slice(value).ok());
            let lines = brokers.records_of(record.transaction) as u64;
            if head.is_none_or(|head| head.records + 1 != lines) {
                wrong.push(format!("lane {lane}: a torn transaction at {offset}: {lines} records"));
            }
        }
    }
    if brokers.stable_offset(partition) != brokers.high_watermark(partition) {
        wrong.push(format!("lane {lane} is left with an open transaction"));
    }
    match reading.finish() {
        Ok(restored) => {
            for (id, state) in restored.states {
                if states.insert(id.clone(), FeedState::clone(&state)).is_some() {
                    wrong.push(format!("{id} has a state in lane {lane} and in another"));
                }
            }
        }
        Err(contradiction) => wrong.push(format!("lane {lane}: {contradiction}")),
    }
}

/// The state knows of exactly what was published.
fn check_state(
    publisher: &Publisher,
    state: &FeedState,
    revisions: &BTreeMap<&str, BTreeMap<u32, &Stored>>,
    wrong: &mut Vec<String>,
) {
    let mine = revisions.iter().filter(|(_, of)| {
        of.values().any(|record| record.header("ce_subject").is_some_and(|id| publisher.has(id)))
    });
    for (article, of) in mine {
        let last = of.last_key_value().map_or(0, |(last, _)| *last);
        let known =
            ArticleId::parse(article).ok().and_then(|id| state.unpacked_memory().seen.find(id));
        let known = known.map_or(0, |seen| seen.revision);
        if known != last {
            wrong.push(format!("{article}: state knows revision {known}, the topic has {last}"));
        }
    }
}

fn has_title(record: &Stored, title: &str) -> bool {
    value(record)["title"] == title
}

fn value(record: &Stored) -> serde_json::Value {
    serde_json::from_slice(record.value.as_deref().unwrap_or_default()).unwrap_or_default()
}
