//! What the topics must look like, why, and how those that are there differ.
//!
//! Pure: a plan is made of settings, and compared with what Kafka says. Asking Kafka and creating
//! topics is `cluster`'s.

use std::collections::BTreeMap;

use cw_decide::lane::wire::Target;
use strum::IntoEnumIterator as _;

use super::error::AccessError;
use super::settings::KafkaSettings;

/// Partitions of the data topics by default: more than most will ever have readers at once, and few
/// enough that a transaction touches few of them.
pub const PARTITIONS: u32 = 12;

/// Replicas of every partition, if there are as many brokers: one may be gone for good and one
/// away for an upgrade, and nothing is lost.
pub const REPLICATION: u32 = 3;

const HOUR_MS: u64 = 60 * 60 * 1000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Records that go sooner than this are gone before a reader that restarts has read them.
const RETENTION_LEAST_MS: u64 = 10 * 60 * 1000;

/// The largest record that the topics take: an article of 1 MiB with its evidence is far below it.
const RECORD_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How long the records of a topic are kept, in milliseconds; `None` if the newest of each key is kept.
fn retention_ms(target: Target) -> Option<u64> {
    match target {
        Target::Articles => Some(30 * DAY_MS),
        Target::Conflict => Some(90 * DAY_MS),
        Target::Rejects => Some(14 * DAY_MS),
        Target::State => None,
    }
}

/// A setting of a topic, and why it is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Kafka's name for it.
    pub key: &'static str,
    /// As Kafka writes it.
    pub value: String,
    /// In a few words.
    pub why: &'static str,
}

/// How one topic must look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPlan {
    /// Which of the topics it is.
    pub target: Target,
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: u32,
    /// How many copies of each.
    pub replication: u32,
    /// Everything else.
    pub settings: Vec<Setting>,
}

/// What the operator chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Partitions of the data topics.
    pub partitions: u32,
    /// Copies of each partition.
    pub replication: u32,
}

/// How the four topics must look.
pub fn plan(settings: &KafkaSettings, choice: Choice) -> Vec<TopicPlan> {
    let planned = |target| TopicPlan {
        target,
        name: settings.topics.of(target).to_owned(),
        partitions: match target {
            // A lane is a partition: never more, never less.
            Target::State => settings.lanes,
            Target::Articles | Target::Conflict | Target::Rejects => choice.partitions,
        },
        replication: choice.replication,
        settings: settings_of(target, choice.replication),
    };
    Target::iter().map(planned).collect()
}

fn settings_of(target: Target, replication: u32) -> Vec<Setting> {
    let setting = |key, value: &str, why| Setting { key, value: value.to_owned(), why };
    let number = |key, value: u64, why| Setting { key, value: value.to_string(), why };
    let mut settings = match retention_ms(target) {
        Some(retention) => vec![
            setting("cleanup.policy", "delete", "compaction would drop earlier revisions"),
            number("retention.ms", retention, "how far back a new reader can begin"),
        ],
        None => vec![
            setting("cleanup.policy", "compact", "the newest state of each feed stays for good"),
            number("delete.retention.ms", 7 * DAY_MS, "a replica that was away misses no marker"),
            number("segment.ms", 6 * HOUR_MS, "only closed segments are compacted"),
            setting("min.cleanable.dirty.ratio", "0.1", "short to read: a lane starts sooner"),
            number("max.compaction.lag.ms", DAY_MS, "compacted daily, however little comes"),
        ],
    };
    let (in_sync, in_sync_why) = if replication < 2 {
        (1, "there is no second copy to wait for")
    } else {
        (2, "a commit is on two brokers before it counts")
    };
    settings.extend([
        number("min.insync.replicas", in_sync, in_sync_why),
        setting("unclean.leader.election.enable", "false", "no commit is lost to a stale replica"),
        number("max.message.bytes", RECORD_BYTES_MAX, "the longest article fits, evidence and all"),
        setting("compression.type", "producer", "kept as it was sent (zstd)"),
        setting("message.timestamp.type", "CreateTime", "the time of the commit"),
    ]);
    settings
}

/// What metadata say of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many partitions.
    pub partitions: u32,
    /// The fewest copies that a partition has.
    pub replication: u32,
    /// The fewest of them that are up to date, on brokers that are there.
    pub in_sync: u32,
}

/// The settings of a topic, or why they are not known.
pub type Described = Result<BTreeMap<String, String>, AccessError>;

/// A topic that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicNow {
    /// As metadata have it.
    pub shape: Shape,
    /// As it is set.
    pub settings: Described,
}

/// How much a difference matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A matter of taste.
    Note,
    /// Works, and loses something when something else fails: the daemon warns of it.
    Risk,
    /// Does not work, or loses what was committed by itself: the daemon refuses to poll.
    Wrong,
}

/// How a topic differs from its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How much it matters.
    pub weight: Weight,
    /// What differs, how it is and was planned, and what that means.
    pub text: String,
}

/// Everything in which a topic differs from its plan, the gravest first.
pub fn differences(plan: &TopicPlan, now: &TopicNow) -> Vec<Difference> {
    let TopicNow { shape: Shape { partitions, replication, in_sync }, settings } = now;
    let mut found = Vec::new();
    found.extend(partitions_differ(plan, *partitions));
    if *replication != plan.replication {
        // Somebody who asked for one copy has one broker, and knows.
        let (weight, meaning) = if *replication < REPLICATION.min(plan.replication) {
            (Weight::Risk, "fewer brokers may fail before commits stop or are lost")
        } else {
            (Weight::Note, "a choice made when it was created")
        };
        let text = format!("replication is {replication}, planned {}: {meaning}", plan.replication);
        found.push(Difference { weight, text });
    }
    match settings {
        Ok(settings) => found.extend(
            plan.settings
                .iter()
                .filter_map(|setting| setting_differs(plan.target, setting, settings)),
        ),
        // The daemon says it by itself: nobody looked.
        Err(why) => found.push(Difference {
            weight: Weight::Note,
            text: format!("its settings are not known: {why}"),
        }),
    }
    let least = settings.as_ref().ok().and_then(|all| all.get("min.insync.replicas"));
    let least = least.and_then(|least| least.parse::<u32>().ok());
    if let Some(least) = least.filter(|least| replication < least) {
        let text = format!(
            "min.insync.replicas is {least} and replication {replication}: every commit is refused"
        );
        found.push(Difference { weight: Weight::Wrong, text });
    } else {
        found.extend(copies_behind(*replication, *in_sync, least));
    }
    // Stable: of one weight they stay in the order in which an operator would mend them.
    found.sort_by_key(|difference| std::cmp::Reverse(difference.weight));
    found
}

/// What it means that copies are behind, for the partition with the fewest up to date. `least`
/// are needed for a commit, if that is known.
fn copies_behind(replication: u32, in_sync: u32, least: Option<u32>) -> Option<Difference> {
    if in_sync >= replication {
        return None;
    }
    let (weight, meaning) = match least {
        _ if in_sync == 0 => (
            Weight::Risk,
            "a partition is neither read nor written until a broker is back".to_owned(),
        ),
        Some(least) if in_sync < least => (
            Weight::Risk,
            format!("min.insync.replicas is {least}: commits wait until more brokers are back"),
        ),
        Some(_) | None => (Weight::Note, "a broker is away, or has only just come back".to_owned()),
    };
    let text = format!("only {in_sync} of {replication} copies are up to date, and {meaning}");
    Some(Difference { weight, text })
}

fn partitions_differ(plan: &TopicPlan, now: u32) -> Option<Difference> {
    if now == plan.partitions {
        return None;
    }
    let planned = plan.partitions;
    Some(match plan.target {
        Target::State => Difference {
            weight: Weight::Wrong,
            text: format!(
                "partitions is {now}, and kafka.lanes {planned}: lanes are fixed for a deployment, \
                 because each has its feeds' state in a partition of its own; set kafka.lanes = \
                 {now}, or begin anew with another kafka.topics.state"
            ),
        },
        Target::Articles | Target::Conflict | Target::Rejects => Difference {
            weight: Weight::Note,
            text: format!("partitions is {now}, planned {planned}: works with any number"),
        },
    })
}

fn setting_differs(
    target: Target,
    planned: &Setting,
    settings: &BTreeMap<String, String>,
) -> Option<Difference> {
    let now = settings.get(planned.key)?;
    if is_same(now, &planned.value) {
        return None;
    }
    let (weight, meaning) = match planned.key {
        "cleanup.policy" => cleanup_meaning(target, now, settings)?,
        "retention.ms" => retention_meaning(target, planned, now),
        _ => meaning(planned, now),
    };
    let (key, now) = (planned.key, shown(planned.key, now));
    let text = format!("{key} is {now}, planned {}: {meaning}", shown(key, &planned.value));
    Some(Difference { weight, text })
}

/// What another way of cleaning up means; `None` if it comes to the same.
fn cleanup_meaning(
    target: Target,
    now: &str,
    settings: &BTreeMap<String, String>,
) -> Option<(Weight, &'static str)> {
    let has = |policy: &str| now.split(',').any(|one| one.trim() == policy);
    // It is unlimited only if it is set so: the default of Kafka is a week.
    let is_limited = |key: &str| settings.get(key).is_some_and(|limit| limit != "-1");
    let forgets = has("delete") && (is_limited("retention.ms") || is_limited("retention.bytes"));
    let forgets = forgets || (has("delete") && !settings.contains_key("retention.ms"));
    Some(match target {
        Target::State if forgets => {
            (Weight::Wrong, "feeds are forgotten in time, and all they show is published again")
        }
        // `compact,delete` without a limit deletes nothing.
        Target::State if has("compact") => return None,
        Target::State => {
            (Weight::Risk, "it grows without end, and a lane takes ever longer to start")
        }
        Target::Articles | Target::Conflict if has("compact") => {
            (Weight::Wrong, "compaction drops earlier revisions of an article")
        }
        Target::Rejects if has("compact") => (Weight::Note, "what was refused again is kept once"),
        Target::Articles | Target::Conflict | Target::Rejects => {
            (Weight::Note, "records stay for good, and take ever more room")
        }
    })
}

/// What it means that records are kept for another time.
fn retention_meaning(target: Target, planned: &Setting, now: &str) -> (Weight, &'static str) {
    let (Ok(now), Ok(planned)) = (now.parse::<u64>(), planned.value.parse::<u64>()) else {
        // -1: for ever.
        return (Weight::Note, "records stay longer, and take more room");
    };
    match target {
        Target::Articles | Target::Conflict if now < RETENTION_LEAST_MS => {
            (Weight::Wrong, "records are gone before a reader that restarts has read them")
        }
        _ if now < DAY_MS => (Weight::Risk, "a reader that is away for a day misses records"),
        _ if now < planned => (Weight::Note, "records go sooner"),
        _ => (Weight::Note, "records stay longer, and take more room"),
    }
}

/// What it means that another setting is not as planned.
fn meaning(planned: &Setting, now: &str) -> (Weight, &'static str) {
    let is_less = match (now.parse::<f64>(), planned.value.parse::<f64>()) {
        // -1 is "for ever" or "any".
        (Ok(now), Ok(planned)) => (0.0..planned).contains(&now),
        (Ok(_) | Err(_), _) => false,
    };
    match planned.key {
        "min.insync.replicas" if is_less => {
            (Weight::Risk, "a commit can be lost with a single broker")
        }
        "unclean.leader.election.enable" => {
            (Weight::Risk, "a broker that was away may become leader, and lose commits")
        }
        "max.message.bytes" if is_less => {
            (Weight::Risk, "longer articles do not fit, and are refused")
        }
        "delete.retention.ms" if is_less => {
            (Weight::Risk, "a broker that is away for longer may bring back what was replaced")
        }
        "segment.ms" | "min.cleanable.dirty.ratio" | "max.compaction.lag.ms" if !is_less => {
            (Weight::Note, "compacted less often; a lane takes longer to start")
        }
        "compression.type" => (Weight::Note, "brokers compress again what came compressed"),
        "message.timestamp.type" => {
            (Weight::Note, "the timestamp is the broker's, not that of the commit")
        }
        _ => (Weight::Note, "a matter of taste"),
    }
}

fn is_same(now: &str, planned: &str) -> bool {
    match (now.parse::<f64>(), planned.parse::<f64>()) {
        // "0.1" and "0.10".
        (Ok(now), Ok(planned)) => now.total_cmp(&planned).is_eq(),
        (_, _) => now == planned,
    }
}

/// A value as Kafka writes it, with the unit in words: "2592000000 (30d)".
pub fn shown(key: &str, value: &str) -> String {
    let Ok(number) = value.parse::<u64>() else { return value.to_owned() };
    if key.ends_with(".ms") {
        let (unit, length) = [("d", DAY_MS), ("h", HOUR_MS), ("s", 1000)]
            .into_iter()
            .find(|(_, length)| number >= *length && number % length == 0)
            .unwrap_or(("ms", 1));
        format!("{value} ({}{unit})", number / length)
    } else if key.ends_with(".bytes") && number >= 1024 * 1024 && number % (1024 * 1024) == 0 {
        format!("{value} ({}MiB)", number / (1024 * 1024))
    } else {
        value.to_owned()
    }
}

/// What is risky about a plan itself: for a laptop it is fine.
pub fn risks(replication: u32) -> Vec<String> {
    let mut risks = Vec::new();
    if replication < REPLICATION {
        risks.push(format!(
            "replication {replication} is below {REPLICATION}: {}",
            if replication < 2 {
                "what is committed is gone with one disk"
            } else {
                "commits stop while one broker is away"
            }
        ));
    }
    if replication < 2 {
        risks.push(
            "min.insync.replicas 1 is below 2: a commit counts while it is on one broker only"
                .to_owned(),
        );
    }
    risks
}

/// The command of Kafka's own tools that creates a topic, for somebody who has the right but not this
/// program.
pub fn command(plan: &TopicPlan, brokers: &str) -> String {
    let mut command = format!(
        "kafka-topics.sh --bootstrap-server {brokers} --create --topic {} --partitions {} \
         --replication-factor {}",
        plan.name, plan.partitions, plan.replication
    );
    for setting in &plan.settings {
        command += &format!(" --config {}={}", setting.key, setting.value);
    }
    command
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use cw_decide::lane::wire::PartitionBy;

    use super::*;
    use crate::ledger::kafka::settings::TopicNames;

    /// Settings as the configuration has them by default.
    pub(crate) fn settings() -> KafkaSettings {
        KafkaSettings {
            brokers: vec!["127.0.0.1:9092".to_owned()],
            deployment: "conflictwire".to_owned(),
            lanes: 16,
            commit_interval: Duration::from_secs(1),
            leave_patience: Duration::from_secs(5),
            partition_by: PartitionBy::Lane,
            topics: TopicNames {
                articles: "news.articles.v1".to_owned(),
                conflict: "news.conflict.v1".to_owned(),
                rejects: "news.rejects.v1".to_owned(),
                state: "news.feed-state.v1".to_owned(),
            },
            properties: BTreeMap::new(),
            secrets: BTreeMap::new(),
            advertise: None,
        }
    }

    fn planned(target: Target, replication: u32) -> TopicPlan {
        let choice = Choice { partitions: PARTITIONS, replication };
        plan(&settings(), choice).into_iter().find(|plan| plan.target == target).unwrap()
    }

    fn as_planned(plan: &TopicPlan) -> TopicNow {
        let settings = plan.settings.iter().map(|one| (one.key.to_owned(), one.value.clone()));
        let TopicPlan { partitions, replication, .. } = *plan;
        let shape = Shape { partitions, replication, in_sync: replication };
        TopicNow { shape, settings: Ok(settings.collect()) }
    }

    #[track_caller]
    fn check(target: Target, change: impl Fn(&mut TopicNow), expected: &str) {
        let plan = planned(target, 3);
        let mut now = as_planned(&plan);
        change(&mut now);
        let found = differences(&plan, &now);
        let found = found.iter().map(|one| format!("{:?}: {}", one.weight, one.text));
        assert_eq!(found.collect::<Vec<_>>().join("\n"), expected);
    }

    fn set(key: &str, value: &str) -> impl Fn(&mut TopicNow) {
        move |now| {
            now.settings.as_mut().unwrap().insert(key.to_owned(), value.to_owned());
        }
    }

    #[test]
    fn a_topic_as_planned_differs_in_nothing() {
        check(Target::State, |_| {}, "");
        check(Target::Articles, set("something.new", "1"), "");
        check(Target::State, set("min.cleanable.dirty.ratio", "0.10"), "");
    }

    #[test]
    fn lanes_are_the_partitions_of_the_state_topic() {
        assert_eq!(planned(Target::State, 3).partitions, 16);
        check(
            Target::State,
            |now| now.shape.partitions = 8,
            "Wrong: partitions is 8, and kafka.lanes 16: lanes are fixed for a deployment, because \
             each has its feeds' state in a partition of its own; set kafka.lanes = 8, or begin \
             anew with another kafka.topics.state",
        );
        check(
            Target::Articles,
            |now| now.shape.partitions = 8,
            "Note: partitions is 8, planned 12: works with any number",
        );
    }

    #[test]
    fn a_difference_says_what_it_means() {
        check(
            Target::Articles,
            set("retention.ms", "604800000"),
            "Note: retention.ms is 604800000 (7d), planned 2592000000 (30d): records go sooner",
        );
        check(
            Target::Articles,
            set("retention.ms", "-1"),
            "Note: retention.ms is -1, planned 2592000000 (30d): records stay longer, and take more \
             room",
        );
        check(
            Target::State,
            set("cleanup.policy", "delete"),
            "Wrong: cleanup.policy is delete, planned compact: feeds are forgotten in time, and all \
             they show is published again",
        );
        check(
            Target::Conflict,
            set("max.message.bytes", "1048588"),
            "Risk: max.message.bytes is 1048588, planned 4194304 (4MiB): longer articles do not \
             fit, and are refused",
        );
    }

    /// What a daemon makes of topics with these settings.
    #[track_caller]
    fn check_judged(target: Target, settings: &[(&str, &str)], expected: Option<Weight>) {
        let plan = planned(target, 3);
        let mut now = as_planned(&plan);
        settings.iter().for_each(|(key, value)| set(key, value)(&mut now));
        let found = differences(&plan, &now);
        let gravest = found.first().map(|gravest| gravest.weight);
        let gravest = gravest.filter(|weight| *weight >= Weight::Risk);
        assert_eq!(gravest, expected, "{target:?} {settings:?}: {found:?}");
    }

    #[test]
    fn what_loses_history_is_wrong_and_what_may_lose_it_is_a_risk() {
        use Target::{Articles, Conflict, Rejects, State};
        use Weight::{Risk, Wrong};
        let week = ("retention.ms", "604800000");
        check_judged(State, &[("cleanup.policy", "delete"), week], Some(Wrong));
        check_judged(State, &[("cleanup.policy", "compact,delete"), week], Some(Wrong));
        check_judged(State, &[("cleanup.policy", "delete")], Some(Wrong));
        let for_ever = ("retention.ms", "-1");
        check_judged(State, &[("cleanup.policy", "compact,delete"), for_ever], None);
        let bytes = ("retention.bytes", "1048576");
        check_judged(State, &[("cleanup.policy", "compact,delete"), for_ever, bytes], Some(Wrong));
        check_judged(State, &[("cleanup.policy", "delete"), for_ever], Some(Risk));
        for topic in [Articles, Conflict] {
            check_judged(topic, &[("cleanup.policy", "compact")], Some(Wrong));
            check_judged(topic, &[("cleanup.policy", "delete,compact")], Some(Wrong));
            check_judged(topic, &[("retention.ms", "1000")], Some(Wrong));
            check_judged(topic, &[("retention.ms", "3600000")], Some(Risk));
            check_judged(topic, &[week], None);
            check_judged(topic, &[for_ever], None);
        }
        check_judged(Rejects, &[("cleanup.policy", "compact")], None);
        check_judged(Rejects, &[("retention.ms", "1000")], Some(Risk));
        for topic in [Articles, Conflict, Rejects, State] {
            check_judged(topic, &[], None);
            check_judged(topic, &[("min.insync.replicas", "1")], Some(Risk));
            check_judged(topic, &[("min.insync.replicas", "4")], Some(Wrong));
            check_judged(topic, &[("unclean.leader.election.enable", "true")], Some(Risk));
            check_judged(topic, &[("max.message.bytes", "1048588")], Some(Risk));
            check_judged(topic, &[("message.timestamp.type", "LogAppendTime")], None);
        }
    }

    #[test]
    fn settings_that_nobody_looked_at_are_said_to_be() {
        let plan = planned(Target::State, 3);
        let shape = Shape { partitions: 16, replication: 1, in_sync: 1 };
        let settings = Err(AccessError::Undescribed("state".to_owned()));
        let found = differences(&plan, &TopicNow { shape, settings });
        let weights: Vec<_> = found.iter().map(|one| one.weight).collect();
        assert_eq!(weights, [Weight::Risk, Weight::Note], "replication was seen");
        assert!(found[1].text.starts_with("its settings are not known: "), "{found:?}");
    }

    #[test]
    fn the_gravest_difference_stands_first() {
        check(
            Target::Rejects,
            |now| now.shape = Shape { partitions: 1, replication: 1, in_sync: 1 },
            "Wrong: min.insync.replicas is 2 and replication 1: every commit is refused\n\
             Risk: replication is 1, planned 3: fewer brokers may fail before commits stop or are \
             lost\n\
             Note: partitions is 1, planned 12: works with any number",
        );
    }

    #[test]
    fn copies_that_are_not_up_to_date_are_said_to_be() {
        let plan = planned(Target::Articles, 3);
        let said = |in_sync: u32, is_allowed: bool| {
            let mut now = as_planned(&plan);
            now.shape.in_sync = in_sync;
            if !is_allowed {
                now.settings = Err(AccessError::Undescribed(plan.name.clone()));
            }
            let found = differences(&plan, &now);
            let found = found.into_iter().find(|one| one.text.contains("up to date"));
            found.map(|found| (found.weight, found.text))
        };
        let check = |in_sync, is_allowed, weight, expected: &str| {
            let (found, text) = said(in_sync, is_allowed).unwrap();
            assert_eq!(found, weight);
            assert!(text.contains(expected), "{text}");
        };
        assert_eq!(said(3, true), None);
        check(2, true, Weight::Note, "only 2 of 3 copies are up to date, and a broker is away");
        check(
            1,
            true,
            Weight::Risk,
            "only 1 of 3 copies are up to date, and min.insync.replicas is 2",
        );
        check(1, false, Weight::Note, "only 1 of 3");
        check(
            0,
            true,
            Weight::Risk,
            "only 0 of 3 copies are up to date, and a partition is neither",
        );
        check(0, false, Weight::Risk, "only 0 of 3");
    }

    #[test]
    fn what_a_laptop_gets_works_and_is_called_risky() {
        let one = planned(Target::Articles, 1);
        let in_sync = one.settings.iter().find(|one| one.key == "min.insync.replicas").unwrap();
        assert_eq!(in_sync.value, "1");
        assert_eq!(risks(1).len(), 2);
        assert_eq!(risks(2).len(), 1);
        assert!(risks(3).is_empty());
    }

    #[test]
    fn the_command_for_an_administrator_has_every_setting() {
        let plan = planned(Target::State, 3);
        let command = command(&plan, "kafka:9092");
        assert!(command.starts_with(
            "kafka-topics.sh --bootstrap-server kafka:9092 --create --topic news.feed-state.v1 \
             --partitions 16 --replication-factor 3 --config cleanup.policy=compact"
        ));
        for setting in &plan.settings {
            assert!(command.contains(&format!("{}={}", setting.key, setting.value)));
        }
    }
}
