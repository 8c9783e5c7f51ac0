//! A lane as a machine: what it does next, whatever happens.

use std::sync::Arc;
use std::time::Duration;

use cw_model::{LaneState, Outcome, Urgency, samples};

use super::copied::Copied;
use super::log::{Contradiction, LogEnd, Restored};
use super::wire::{Head, PartitionBy, Target};
use super::*;
use crate::{OwnerEnd, Past};

/// Whoever waits for a commit.
type Ticket = u32;

/// A lane and its clock.
struct Played {
    lane: Lane<Ticket>,
    elapsed: Duration,
    effects: Vec<Effect<Ticket>>,
}

fn topics() -> Topics {
    Topics { partitions: [4; 3], record_bytes_max: Some(1 << 20) }
}

impl Played {
    fn new() -> Self {
        let settings = Settings {
            lane: 3,
            instance: Arc::from("here"),
            commit_interval: Duration::from_secs(1),
            partition_by: PartitionBy::Lane,
            record_bytes_max: None,
        };
        let now = Now { at: Moment::default(), wall: samples::now() };
        let (lane, effects) = Lane::new(settings, topics(), now);
        Self { lane, elapsed: Duration::ZERO, effects }
    }

    /// A lane that is ours, its log as `end` says.
    fn owned(end: LogEnd) -> Self {
        let mut played = Self::new();
        played.hear();
        played.fence();
        played.happens(Event::Restored(Ok(Restored { end, ..Restored::default() }), 7));
        played
    }

    /// One that needs no mark: its last owner was killed.
    fn at_work() -> Self {
        Self::owned(LogEnd { head: Some(head(4, "before")), offset: 40 })
    }

    fn now(&self) -> Now {
        Now { at: Moment::after_start(self.elapsed), wall: samples::now() }
    }

    fn happens(&mut self, event: Event<Ticket>) {
        let effects = self.lane.handle(event, self.now());
        self.effects.extend(effects);
    }

    #[track_caller]
    fn hear(&mut self) {
        assert!(matches!(self.lane.next(), Next::AwaitGroup), "{:?}", self.lane.next());
        self.happens(Event::GroupHeard(Ok(())));
    }

    #[track_caller]
    fn fence(&mut self) {
        assert!(matches!(self.lane.next(), Next::Fence(..)), "{:?}", self.lane.next());
        self.happens(Event::Fenced(Ok(())));
    }

    /// What is read in the log after the last transaction known.
    #[track_caller]
    fn read(&mut self, heads: Vec<(Head, i64)>) {
        assert!(matches!(self.lane.next(), Next::ReadHeads(_)), "{:?}", self.lane.next());
        self.happens(Event::HeadsRead(Ok(heads)));
    }

    #[track_caller]
    fn wait(&mut self) {
        let until = match self.lane.next() {
            Next::Rest(until) | Next::Receive(Some(until)) => until,
            other => panic!("does not wait: {other:?}"),
        };
        self.elapsed = until.since(Moment::default());
        self.happens(Event::Elapsed);
    }

    fn submit(&mut self, ticket: Ticket, outcome: Outcome) {
        let outcome = Arc::new(outcome);
        self.happens(Event::Submitted(Submitted { outcome, ticket }));
    }

    /// The lines that are being committed, and the `__lane` among them.
    #[track_caller]
    fn committing(&self) -> (Vec<Target>, Head) {
        let Next::Commit(lines) = self.lane.next() else {
            panic!("commits nothing: {:?}", self.lane.next())
        };
        let last = lines.last().unwrap().value.as_deref().unwrap();
        (lines.iter().map(|line| line.target).collect(), serde_json::from_slice(last).unwrap())
    }

    #[track_caller]
    fn commits(&mut self, offset: i64) {
        self.committing();
        self.happens(Event::Committed(Ok(offset)));
    }

    #[track_caller]
    fn fails(&mut self, failure: Failure) {
        self.committing();
        self.happens(Event::Committed(Err(failure)));
    }

    fn is_stopped(&mut self) {
        let mut stop = Stop::default();
        stop.request(self.now().at);
        self.happens(Event::Told(stop));
    }

    fn is_lost(&mut self) {
        let mut stop = Stop::default();
        stop.lose(self.now().at);
        self.happens(Event::Told(stop));
    }

    /// What became of outcomes since the last look.
    fn answers(&mut self) -> Vec<(Ticket, Answer)> {
        let effects = std::mem::take(&mut self.effects);
        let answers = effects.into_iter().filter_map(|effect| match effect {
            Effect::Answer(ticket, answer) => Some((ticket, answer)),
            _ => None,
        });
        answers.collect()
    }

    fn has(&self, is_meant: impl Fn(&Effect<Ticket>) -> bool) -> bool {
        self.effects.iter().any(is_meant)
    }

    fn ended(&self) -> bool {
        matches!(self.lane.next(), Next::End)
    }
}

/// It may be committed all the same.
fn in_doubt() -> Failure {
    Failure { text: "timed out".to_owned(), is_doubtful: true, refused: Vec::new() }
}

/// It is not committed, and a broker refused these lines.
fn refused(lines: &[usize]) -> Failure {
    Failure { text: "refused".to_owned(), is_doubtful: false, refused: lines.to_vec() }
}

fn head(sequence: u64, instance: &str) -> Head {
    Head::after(sequence - 1, (instance, 1), 1, samples::now())
}

fn news(feed: &str) -> Outcome {
    samples::outcome(feed, 1, vec![samples::record(1, "one")])
}

fn nothing_new(feed: &str) -> Outcome {
    Outcome { urgency: Urgency::Lazy, ..samples::outcome(feed, 2, Vec::new()) }
}

fn is_given(effect: &Effect<Ticket>) -> bool {
    matches!(effect, Effect::Give { .. })
}

fn is_closed(effect: &Effect<Ticket>) -> bool {
    matches!(effect, Effect::CloseQueue(_))
}

#[test]
fn a_lane_is_given_once_everybody_else_is_shut_out_and_its_log_read() {
    let mut played = Played::new();
    played.hear();
    played.fence();
    assert!(matches!(played.lane.next(), Next::Restore));
    assert!(!played.has(is_given));
    played.happens(Event::Restored(Ok(Restored::default()), 7));
    // A lane that was left cleanly, or never used, is marked first.
    let (lines, head) = played.committing();
    assert_eq!((lines, head.sequence, head.ended), (vec![Target::State], 1, false));
    assert!(!played.has(is_given));
    played.commits(0);
    assert!(played.has(is_given));
    assert!(matches!(played.lane.next(), Next::Receive(None)));
}

#[test]
fn a_lane_whose_last_owner_was_killed_is_read_with_care() {
    let played = Played::at_work();
    let careful = |effect: &Effect<Ticket>| matches!(effect, Effect::Give { past, .. } if past.careful_until(samples::now()).is_some());
    assert!(played.has(careful));
    let clean = Head { ended: true, ..head(4, "before") };
    let mut played = Played::owned(LogEnd { head: Some(clean), offset: 40 });
    played.commits(41);
    assert!(played.has(is_given) && !played.has(careful));
}

#[test]
fn outcomes_are_gathered_and_committed_together() {
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.submit(2, news("b"));
    played.wait();
    let (lines, head) = played.committing();
    assert_eq!(
        lines,
        [Target::Articles, Target::Articles, Target::State, Target::State, Target::State]
    );
    assert_eq!((head.sequence, head.records, head.epoch), (5, 4, 7));
    assert_eq!(played.answers(), []);
    played.commits(45);
    assert_eq!(played.answers(), [(1, Answer::Committed(None)), (2, Answer::Committed(None))]);
}

#[test]
fn whoever_is_in_a_hurry_is_not_kept_waiting() {
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.happens(Event::Hurried);
    played.wait();
    assert_eq!(played.elapsed, Duration::ZERO);
    played.commits(45);
    assert_eq!(played.answers().len(), 1);
}

#[test]
fn a_commit_in_doubt_that_stands_in_the_log_is_not_made_again() {
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.wait();
    let (_, head) = played.committing();
    played.fails(in_doubt());
    played.hear();
    played.fence();
    played.read(vec![(head, 45)]);
    assert_eq!(played.answers(), [(1, Answer::Committed(None))]);
    // The next one follows it.
    played.submit(2, news("b"));
    played.wait();
    assert_eq!(played.committing().1.sequence, 6);
}

#[test]
fn a_commit_that_does_not_stand_in_the_log_is_made_again_under_the_same_number() {
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.wait();
    let (lines, first) = played.committing();
    played.fails(in_doubt());
    played.hear();
    played.fence();
    played.read(Vec::new());
    played.wait();
    let (again, second) = played.committing();
    assert_eq!((again, second.sequence), (lines, first.sequence));
    assert_eq!(played.answers(), []);
}

#[test]
fn a_lane_that_somebody_else_has_written_to_is_given_up_and_asked_for_anew() {
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.wait();
    played.fails(refused(&[]));
    played.hear();
    played.fence();
    played.read(vec![(head(5, "elsewhere"), 45)]);
    assert!(played.has(is_closed));
    assert_eq!(played.answers(), [(1, Answer::Taken)]);
    played.wait();
    played.hear();
    played.fence();
    assert!(matches!(played.lane.next(), Next::Restore));
}

#[test]
fn a_lost_lane_is_not_fenced_again() {
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.wait();
    played.is_lost();
    played.fails(in_doubt());
    assert_eq!(played.answers(), [(1, Answer::Taken)]);
    assert!(played.ended());
    // Nor one that gathers, or waits for brokers.
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.is_lost();
    assert_eq!(played.answers(), [(1, Answer::Taken)]);
    assert!(played.ended());
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.wait();
    played.fails(in_doubt());
    played.hear();
    played.happens(Event::Fenced(Err(Undone::Away("down".to_owned()))));
    played.is_lost();
    assert!(played.ended());
}

#[test]
fn a_lane_that_is_to_end_commits_what_waits_and_says_so_in_the_log() {
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.submit(2, nothing_new("b"));
    played.is_stopped();
    assert!(played.has(is_closed), "nobody polls in vain");
    // What had been submitted is still taken.
    played.submit(3, news("c"));
    played.happens(Event::QueueEmpty);
    assert_eq!(played.committing().0.len(), 5);
    played.commits(45);
    // The state that was put off.
    assert_eq!(played.committing().0, [Target::State, Target::State]);
    played.commits(47);
    let (lines, head) = played.committing();
    assert_eq!((lines.len(), head.ended, head.sequence), (1, true, 7));
    played.commits(48);
    assert!(played.ended());
    let answered: Vec<Ticket> = played.answers().into_iter().map(|(ticket, _)| ticket).collect();
    assert_eq!(answered, [2, 1, 3]);
}

#[test]
fn a_lane_that_is_to_end_gives_up_what_brokers_do_not_take() {
    let mut played = Played::at_work();
    played.submit(1, news("a"));
    played.is_stopped();
    played.happens(Event::QueueEmpty);
    played.fails(in_doubt());
    // The group waits for us, so it is not asked.
    let away = || Err(Undone::Away("down".to_owned()));
    while let Next::Fence(..) = played.lane.next() {
        played.happens(Event::Fenced(away()));
        if played.ended() {
            break;
        }
        played.wait();
    }
    assert!(played.ended());
    assert!(played.elapsed >= LEAVE_PATIENCE, "{:?}", played.elapsed);
    assert_eq!(played.answers(), [(1, Answer::Taken)]);
}

#[test]
fn a_state_that_changes_nothing_else_is_written_within_the_hour() {
    let mut played = Played::at_work();
    played.submit(1, nothing_new("a"));
    assert_eq!(played.answers(), [(1, Answer::Committed(None))]);
    played.wait();
    assert_eq!(played.elapsed, PUT_OFF);
    assert_eq!(played.committing().0, [Target::State, Target::State]);
    // One whose feed has something to tell meanwhile is not.
    let mut played = Played::at_work();
    played.submit(1, nothing_new("a"));
    played.submit(2, news("a"));
    played.wait();
    played.commits(45);
    played.is_stopped();
    played.happens(Event::QueueEmpty);
    assert!(played.committing().1.ended, "nothing is left to write");
}

#[test]
fn a_record_that_a_broker_refuses_is_found_and_left_out() {
    let mut played = Played::at_work();
    let two = vec![samples::record(1, "one"), samples::record(2, "two")];
    played.submit(1, samples::outcome("a", 1, two));
    played.wait();
    // A broker refuses whole batches: each goes alone the next time.
    played.fails(refused(&[0, 1]));
    played.hear();
    played.fence();
    played.read(Vec::new());
    played.hear();
    let careful = matches!(played.lane.next(), Next::Fence(Batching { is_careful: true, .. }, _));
    assert!(careful, "{:?}", played.lane.next());
    played.fence();
    played.read(Vec::new());
    played.fails(refused(&[1]));
    played.hear();
    played.fence();
    played.read(Vec::new());
    let (lines, _) = played.committing();
    assert_eq!(lines, [Target::Articles, Target::Rejects, Target::State, Target::State]);
    played.commits(45);
    let told = |effect: &Effect<Ticket>| matches!(effect, Effect::Log(Notice::TooLarge { records, .. }) if records.len() == 1);
    assert!(played.has(told));
    assert!(matches!(played.answers().as_slice(), [(1, Answer::Committed(_))]));
}

#[test]
fn a_lane_all_of_whose_outcomes_are_refused_is_not_in_doubt() {
    let mut played = Played::at_work();
    played.submit(1, samples::outcome("a", 1, Vec::new()));
    played.wait();
    // A broker refuses the state itself.
    played.fails(refused(&[0]));
    played.hear();
    played.fence();
    played.read(Vec::new());
    let last = played.effects.iter().rev().find_map(|effect| match effect {
        Effect::Status(state, _) => Some(*state),
        _ => None,
    });
    assert_eq!(last, Some(LaneState::Owned));
    assert!(matches!(played.answers().as_slice(), [(1, Answer::Refused(_))]));
}

#[test]
fn a_log_that_contradicts_itself_is_looked_at_now_and_then() {
    let mut played = Played::new();
    played.hear();
    played.fence();
    let wrong = Contradiction("its sequence goes back".to_owned());
    played.happens(Event::Restored(Err(wrong.into()), 7));
    assert!(played.has(|effect| matches!(effect, Effect::Status(LaneState::Quarantined, _))));
    played.wait();
    let first = played.elapsed;
    assert!((QUARANTINE_WAIT / 2..=QUARANTINE_WAIT).contains(&first), "{first:?}");
    played.hear();
    played.fence();
    let wrong = Contradiction("its sequence goes back".to_owned());
    played.happens(Event::Restored(Err(wrong.into()), 7));
    played.wait();
    let second = played.elapsed - first;
    assert!((QUARANTINE_WAIT / 2..=QUARANTINE_WAIT).contains(&second), "{second:?}");
    assert_ne!(first, second, "chance has a say in each wait");
}

#[test]
fn a_log_that_ends_before_what_was_committed_is_one_too() {
    let mut played = Played::at_work();
    played.happens(Event::TopicsSeen(Topics { partitions: [8; 3], ..topics() }));
    let (_, head) = played.committing();
    assert!(head.ended, "given back, to be taken up with the new topics");
    played.commits(41);
    played.hear();
    played.fence();
    played.happens(Event::Restored(Ok(Restored::default()), 8));
    assert!(played.has(|effect| matches!(effect, Effect::Status(LaneState::Quarantined, _))));
}

#[test]
fn brokers_that_are_away_are_asked_again_after_longer_and_longer_waits() {
    let mut played = Played::new();
    let mut waits = Vec::new();
    for _ in 0..7 {
        let before = played.elapsed;
        played.hear();
        played.happens(Event::Fenced(Err(Undone::Away("down".to_owned()))));
        played.wait();
        waits.push((played.elapsed - before).as_millis());
    }
    for (wait, whole) in waits.iter().zip([250, 500, 1000, 2000, 4000, 5000, 5000]) {
        assert!((whole / 2..=whole).contains(wait), "{waits:?}");
    }
    let told = played
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Log(Notice::NotTakenUp { .. })));
    assert_eq!(told.count(), 1, "each thing that is wrong is told once");
}

#[test]
fn an_end_that_was_clean_is_remembered_as_one() {
    let past = head(4, "before").past("here", samples::now());
    assert_eq!(past, Past::default().after(OwnerEnd::Unclean, samples::now()));
}

#[test]
fn a_lane_is_not_polled_until_what_is_copied_into_it_is_whole() {
    let begun = Copied::begun("elsewhere", samples::now());
    let with = |copied: Copied| Restored { copied: Some(Box::new(copied)), ..Restored::default() };
    let mut played = Played::new();
    played.hear();
    played.fence();
    played.happens(Event::Restored(Ok(with(begun.clone())), 7));
    assert!(played.has(|effect| matches!(effect, Effect::Status(LaneState::Quarantined, _))));
    assert!(!played.has(|effect| matches!(effect, Effect::Give { .. })));
    // Somebody has copied the rest meanwhile.
    played.wait();
    played.hear();
    played.fence();
    played.happens(Event::Restored(Ok(with(Copied { whole: true, ..begun })), 8));
    assert!(matches!(played.lane.next(), Next::Commit(_)), "marks it as in use");
}
