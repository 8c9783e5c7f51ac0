//! Time, messages and trouble: what happens, in which order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cw_model::{Feed, FeedId, Outcome, samples};
use url::Url;

use super::checks;
use super::dice::Dice;
use super::group::{Group, Word};
use super::publisher::{Publisher, ROOM};
use super::replica::{Driver, Replica, Ticket};
use super::scheduling::Reading;
use super::tally::Tally;
use crate::brokers::{Brokers, PartitionId, Refused, TransactionId};
use crate::lane::log::Restored;
use crate::lane::wire::{Head, Line, Target};
use crate::lane::{Answer, Topics, Undone, hash};
use crate::scheduler::{self, Poll, Scheduler};
use crate::{Lease, Moment, Now};

/// For how long something goes wrong now and then.
const TROUBLE: Duration = Duration::from_secs(40);

/// After so long without trouble every lane is served and everything told.
const PEACE: Duration = Duration::from_secs(75);

/// How long a transaction may be open.
pub(super) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15);

/// How long an answer of the brokers is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// How many outcomes may wait for a lane.
pub(super) const QUEUE: usize = 8;

/// How many events are remembered.
const TOLD: usize = 120;

/// Transactional ids from here on are no lane's.
const STRANGER: u32 = 1000;

/// What topics take in the end, bytes: everything.
const LARGE_ROOM: usize = 1 << 20;

/// How long before the end every feed must have been asked by one process, and no other.
const SERVED: Duration = Duration::from_secs(15);

/// The host with this number, among those of a lane.
fn host(lane: u32, number: u32, lanes: u32) -> String {
    let names = (0..).map(|it| format!("p{number}x{it}.org"));
    let is_of_lane = |name: &String| hash::lane(&url_at(name, 0), lanes) == lane;
    names.into_iter().find(is_of_lane).unwrap_or_default()
}

/// Where a publisher is at a host.
pub(super) fn url_at(host: &str, publisher: usize) -> Url {
    Url::parse(&format!("http://{host}/{publisher}")).unwrap()
}

/// A driver, in a process, in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Where {
    pub(super) place: usize,
    pub(super) instance: u64,
    pub(super) lane: u32,
    pub(super) assignment: u64,
}

/// A request to the brokers, and whose operation it is.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Fence,
    Produce(Batch),
    EndTransaction(u64, TransactionId),
    /// The end of the lane's partition, and from there on its records.
    Read {
        after: Option<i64>,
        end: Option<i64>,
    },
}

/// Records of a transaction for one partition.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) epoch: u64,
    pub(super) transaction: TransactionId,
    pub(super) partition: PartitionId,
    /// With their places in the transaction.
    pub(super) lines: Vec<(usize, Line)>,
    /// Each goes alone.
    pub(super) is_careful: bool,
}

/// What comes back.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Fenced(u64),
    Produced(PartitionId, i64),
    Ended,
    Restored(Result<Restored, Undone>),
    Heads(Result<Vec<(Head, i64)>, Undone>),
    /// With the lines that a broker refused for what they are.
    Refused(Refused, Vec<usize>),
}

#[derive(Clone, Debug)]
pub(super) enum What {
    /// The group's consumer is polled.
    Turn(usize, u64),
    Heartbeat(u64),
    Heard(usize, u64, Word),
    Released(u64, u32, Duration),
    GroupTurn,
    /// The scheduler takes in what it was told.
    Scheduler(usize, u64),
    SchedulerWakes(usize, u64, u64),
    Fetched(usize, u64, Box<Poll>),
    Submit(usize, u64, Arc<Feed>, Lease, Arc<Outcome>),
    PollEnded(Where, Ticket, Answer),
    LookOn(usize, u64, Box<Reading>),
    Reload(usize),
    LookAtTopics(usize),
    ConfigurationRead(usize, u64),
    Wake(Where, u64),
    Arrive(Where, u64, Request),
    Answered(Where, u64, Reply),
    Mark(TransactionId, PartitionId),
    TimeOut(u32, TransactionId),
    Edit,
    Trouble,
    Restart(usize),
}

/// Whether a history is written down as it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pen {
    Writing,
    Down,
}

/// A deployment and all around it.
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) now: Duration,
    pub(super) queue: BinaryHeap<Reverse<(Duration, u64)>>,
    pub(super) whats: BTreeMap<u64, What>,
    pub(super) next: u64,
    pub(super) lanes: u32,
    pub(super) brokers: Brokers,
    pub(super) group: Group,
    /// `None`: dead.
    pub(super) replicas: Vec<Option<Replica>>,
    pub(super) publishers: Vec<Publisher>,
    /// One or two hosts of each lane.
    pub(super) hosts: Vec<String>,
    /// Where each publisher is, by the configuration as it is now, and by the one before.
    pub(super) urls: Vec<Url>,
    pub(super) urls_before: Vec<Url>,
    /// Publishers that the configuration leaves out.
    pub(super) left_out: BTreeSet<usize>,
    /// Whether the clock of a replica was ever set.
    pub(super) has_clock_stepped: bool,
    /// When each publisher was asked last, and by which process.
    pub(super) polled: BTreeMap<usize, (Duration, u64)>,
    pub(super) next_instance: u64,
    pub(super) next_transaction: TransactionId,
    pub(super) topics: Topics,
    /// Up to which poll of each feed somebody was told that it is committed, under each lease.
    pub(super) told_committed: BTreeMap<(u64, Lease), BTreeMap<FeedId, u64>>,
    /// Until then messages are lost and late.
    pub(super) storm_until: Duration,
    pub(super) tally: Tally,
    pub(super) is_told: bool,
    pub(super) told: VecDeque<String>,
    pub(super) wrong: Vec<String>,
}

impl World {
    pub(super) fn new(seed: u64, pen: Pen) -> Self {
        let mut dice = Dice::new(seed);
        let lanes = 1 + u32::try_from(dice.below(3)).unwrap_or(0);
        let replicas = 1 + dice.below(3);
        let hosts: Vec<String> =
            (0..2 * lanes).map(|number| host(number % lanes, number, lanes)).collect();
        let urls: Vec<Url> = hosts.iter().enumerate().map(|(at, host)| url_at(host, at)).collect();
        // Who may not ask what topics take assumes that it is enough.
        let record_bytes_max = if dice.once_in(2) { Some(ROOM) } else { None };
        let partitions = 1 + u32::try_from(dice.below(2)).unwrap_or(0);
        let mut brokers = Brokers::default();
        brokers.set_record_bytes_max(Target::Articles, ROOM);
        brokers.set_record_bytes_max(Target::Conflict, ROOM);
        let mut world = Self {
            dice,
            now: Duration::ZERO,
            queue: BinaryHeap::new(),
            whats: BTreeMap::new(),
            next: 0,
            lanes,
            brokers,
            group: Group::new(lanes),
            replicas: Vec::new(),
            publishers: (0..lanes * 2).map(Publisher::new).collect(),
            hosts,
            urls_before: urls.clone(),
            urls,
            left_out: BTreeSet::new(),
            has_clock_stepped: false,
            polled: BTreeMap::new(),
            next_instance: 1,
            next_transaction: 1,
            topics: Topics { partitions: [partitions; 3], record_bytes_max },
            told_committed: BTreeMap::new(),
            storm_until: Duration::ZERO,
            tally: Tally::of(1),
            is_told: pen == Pen::Writing,
            told: VecDeque::new(),
            wrong: Vec::new(),
        };
        for place in 0..usize::try_from(replicas).unwrap_or(1) {
            world.replicas.push(None);
            world.start(place);
        }
        world.at(Duration::from_millis(50), What::GroupTurn);
        world.at(Duration::from_millis(500), What::Edit);
        world.at(Duration::from_secs(1), What::Trouble);
        world
    }

    pub(super) fn wrong(&self) -> &[String] {
        &self.wrong
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) fn told(self) -> Vec<String> {
        self.told.into()
    }

    pub(super) fn run(&mut self) {
        while self.now < TROUBLE + PEACE && self.wrong.is_empty() {
            let Some(Reverse((at, number))) = self.queue.pop() else { break };
            let Some(what) = self.whats.remove(&number) else { continue };
            self.now = at;
            self.happen(what);
        }
        if self.wrong.is_empty() {
            self.wrong = checks::wrong(&self.brokers, &self.publishers, self.lanes);
            for lane in 0..self.lanes {
                let owners = self.replicas.iter().flatten().flat_map(|it| it.drivers.iter());
                let owners = owners.filter(|((of, _), it)| *of == lane && it.lease.is_some());
                if owners.count() != 1 {
                    self.wrong.push(format!("lane {lane} is not served by one replica"));
                }
            }
            for at in 0..self.publishers.len() {
                let asked_at = self.polled.get(&at).map_or(Duration::ZERO, |(at, _)| *at);
                if asked_at + SERVED < self.now {
                    self.wrong.push(format!("feed {at} was asked last at {asked_at:?}"));
                }
            }
        }
    }

    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        if self.is_told {
            let line = format!("{:>9.3} {}", self.now.as_secs_f64(), line());
            self.told.push_back(line);
            if self.told.len() > TOLD {
                self.told.pop_front();
            }
        }
    }

    pub(super) fn at(&mut self, at: Duration, what: What) {
        self.next += 1;
        self.queue.push(Reverse((at.max(self.now), self.next)));
        self.whats.insert(self.next, what);
    }

    pub(super) fn after(&mut self, wait: Duration, what: What) {
        self.at(self.now + wait, what);
    }

    pub(super) fn is_peace(&self) -> bool {
        self.now >= TROUBLE
    }

    pub(super) fn clock(&self, skew: i64) -> Now {
        let elapsed = i64::try_from(self.now.as_millis()).unwrap_or(0);
        let wall = samples::now().as_millisecond() + elapsed + skew * 1000;
        let wall = cw_model::Timestamp::from_millisecond(wall).unwrap_or_default();
        Now { at: Moment::after_start(self.now), wall }
    }

    /// How long a message is under way; `None`: it is lost.
    pub(super) fn travel(&mut self, place: usize) -> Option<Duration> {
        let is_cut = self.replicas.get(place).and_then(Option::as_ref);
        if is_cut.is_some_and(|replica| replica.cut_until > self.now) {
            return None;
        }
        let is_storm = self.now < self.storm_until;
        if self.is_peace() {
            return Some(self.dice.millis(1, 20));
        }
        if self.dice.once_in(if is_storm { 5 } else { 200 }) {
            return None;
        }
        if self.dice.once_in(if is_storm { 4 } else { 60 }) {
            return Some(self.dice.millis(500, 25_000));
        }
        Some(self.dice.millis(1, 40))
    }

    pub(super) fn start(&mut self, place: usize) {
        let instance = self.next_instance;
        self.next_instance += 1;
        // One that starts may have been given the configuration of before.
        let is_old = !self.is_peace() && self.dice.once_in(4);
        let urls = if is_old { &self.urls_before } else { &self.urls };
        let scheduler = Scheduler::new(self.configuration(urls), self.lanes);
        if let Some(replica) = self.replicas.get_mut(place) {
            *replica = Some(Replica::new(instance, self.now, scheduler, self.topics));
        }
        if is_old {
            let wait = self.dice.millis(1, 9_000);
            self.after(wait, What::Reload(place));
        }
        self.group.join(instance, self.now);
        self.say(|| format!("replica {place} starts as {instance}"));
        let wait = self.dice.millis(1, 100);
        self.after(wait, What::Turn(place, instance));
    }

    pub(super) fn replica(&mut self, place: usize, instance: u64) -> Option<&mut Replica> {
        self.replicas.get_mut(place)?.as_mut().filter(|replica| replica.instance == instance)
    }

    pub(super) fn driver(&mut self, whose: Where) -> Option<&mut Driver> {
        let replica = self.replica(whose.place, whose.instance)?;
        replica.drivers.get_mut(&(whose.lane, whose.assignment))
    }

    /// Whether the process sleeps through this; then it happens when it wakes.
    pub(super) fn sleeps(&mut self, place: usize, instance: u64, what: &What) -> bool {
        let now = self.now;
        let Some(replica) = self.replica(place, instance) else { return false };
        let until = replica.asleep_until;
        if until <= now {
            return false;
        }
        self.at(until, what.clone());
        true
    }

    pub(super) fn happen(&mut self, what: What) {
        let of = match &what {
            What::Turn(place, instance)
            | What::Heard(place, instance, _)
            | What::Scheduler(place, instance)
            | What::SchedulerWakes(place, instance, _)
            | What::Fetched(place, instance, _)
            | What::Submit(place, instance, ..)
            | What::LookOn(place, instance, _)
            | What::ConfigurationRead(place, instance) => Some((*place, *instance)),
            What::PollEnded(of, _, _) | What::Wake(of, _) | What::Answered(of, _, _) => {
                Some((of.place, of.instance))
            }
            _ => None,
        };
        if of.is_some_and(|(place, instance)| self.sleeps(place, instance, &what)) {
            return;
        }
        match what {
            What::Turn(place, instance) => self.turn(place, instance),
            What::Heartbeat(instance) => self.heartbeat(instance),
            What::Heard(place, instance, word) => {
                if let Some(replica) = self.replica(place, instance) {
                    replica.word = Some(word);
                }
            }
            What::Released(instance, lane, at) => self.group.release(instance, lane, at),
            What::GroupTurn => {
                self.group.turn(self.now, &mut self.dice);
                self.after(Duration::from_millis(250), What::GroupTurn);
            }
            What::Scheduler(place, instance) => self.scheduler_turns(place, instance),
            What::SchedulerWakes(place, instance, number) => {
                self.scheduler_wakes(place, instance, number);
            }
            What::Fetched(place, instance, poll) => self.fetched(place, instance, &poll),
            What::Submit(place, instance, feed, lease, outcome) => {
                self.submit(place, instance, &feed, lease, &outcome);
            }
            What::LookOn(place, instance, reading) => self.look_on(place, instance, *reading),
            What::Reload(place) => self.reload(place),
            What::LookAtTopics(place) => {
                let topics = self.topics;
                let replica = self.replicas.get_mut(place).and_then(Option::as_mut);
                replica.into_iter().for_each(|replica| replica.topics = topics);
            }
            What::ConfigurationRead(place, instance) => self.configuration_read(place, instance),
            What::PollEnded(whose, ticket, answer) => self.answer(whose, ticket, answer),
            What::Wake(whose, number) => self.wake(whose, number),
            What::Arrive(whose, number, request) => self.arrive(whose, number, request),
            What::Answered(whose, number, reply) => self.answered(whose, number, reply),
            What::Mark(transaction, partition) => self.brokers.mark(transaction, partition),
            What::TimeOut(lane, transaction) => {
                self.brokers.time_out(lane, transaction);
                self.mark(lane);
            }
            What::Edit => self.edit(),
            What::Trouble => self.trouble(),
            What::Restart(place) => {
                if self.replicas.get(place).is_some_and(Option::is_none) {
                    self.start(place);
                }
            }
        }
    }

    pub(super) fn edit(&mut self) {
        if self.is_peace() {
            return;
        }
        let count = u64::try_from(self.publishers.len()).unwrap_or(1);
        let at = usize::try_from(self.dice.below(count)).unwrap_or(0);
        if let Some(publisher) = self.publishers.get_mut(at) {
            publisher.edit(&mut self.dice);
        }
        let wait = self.dice.millis(100, 1500);
        self.after(wait, What::Edit);
    }

    pub(super) fn trouble(&mut self) {
        if self.is_peace() {
            self.end_trouble();
            return;
        }
        let count = u64::try_from(self.replicas.len()).unwrap_or(1);
        let place = usize::try_from(self.dice.below(count)).unwrap_or(0);
        let now = self.now;
        match self.dice.below(15) {
            0 => self.kill(place),
            9 | 10 => self.move_feed(),
            11 => self.stand_open(),
            12 | 13 => self.leave_out(),
            14 => self.widen_topics(),
            1..=3 => {
                let sleep = self.dice.millis(200, 14_000);
                if let Some(Some(replica)) = self.replicas.get_mut(place) {
                    replica.asleep_until = now + sleep;
                    self.say(|| format!("replica {place} sleeps for {sleep:?}"));
                }
            }
            4 => {
                let cut = self.dice.millis(200, 12_000);
                if let Some(Some(replica)) = self.replicas.get_mut(place) {
                    replica.cut_until = now + cut;
                    self.say(|| format!("replica {place} is cut off for {cut:?}"));
                }
            }
            5 => {
                self.storm_until = now + self.dice.millis(500, 6_000);
                let until = self.storm_until;
                self.say(|| format!("messages are lost and late until {until:?}"));
            }
            6 => {
                self.say(|| "a lane is to move".to_owned());
                self.group.revoke_one();
            }
            _ => {
                let skew = i64::try_from(self.dice.below(7200)).unwrap_or(0) - 3600;
                if let Some(Some(replica)) = self.replicas.get_mut(place) {
                    if self.dice.once_in(2) {
                        replica.skew = skew;
                        self.has_clock_stepped = true;
                        self.say(|| format!("the clock of replica {place} is {skew} s off"));
                    } else {
                        replica.is_ending = true;
                        replica.stop_all(|stop| stop.request(Moment::after_start(now)));
                        let instance = replica.instance;
                        self.say(|| format!("replica {place} ends cleanly"));
                        self.schedule(place, instance, scheduler::Event::StopRequested);
                    }
                }
            }
        }
        let wait = self.dice.millis(300, 6_000);
        self.after(wait, What::Trouble);
    }

    /// The topics get more partitions; one replica after another notices.
    fn widen_topics(&mut self) {
        self.topics.partitions = self.topics.partitions.map(|partitions| partitions + 1);
        self.tally.widened += 1;
        let partitions = self.topics.partitions;
        self.say(|| format!("the topics have {partitions:?} partitions"));
        self.look_at_topics(9_000);
    }

    /// Every replica looks at the topics, within so many milliseconds.
    fn look_at_topics(&mut self, within: u64) {
        for place in 0..self.replicas.len() {
            let wait = self.dice.millis(1, within);
            self.after(wait, What::LookAtTopics(place));
        }
    }

    /// A transaction of somebody else, as a program of an earlier version may leave one, stands open in
    /// a lane's partition until its time is over.
    fn stand_open(&mut self) {
        let lane = u32::try_from(self.dice.below(u64::from(self.lanes))).unwrap_or(0);
        let (stranger, transaction) = (STRANGER + lane, self.next_transaction);
        self.next_transaction += 1;
        let partition = i32::try_from(lane).ok();
        let line = Line {
            target: Target::State,
            partition,
            key: "nobody".to_owned(),
            headers: Vec::new(),
            value: None,
            record: None,
        };
        let Ok(epoch) = self.brokers.fence(stranger) else { return self.mark(stranger) };
        let partition = (Target::State, partition.unwrap_or(0));
        if self.brokers.produce(stranger, epoch, transaction, partition, &[&line]).is_ok() {
            self.tally.foreign += 1;
            self.say(|| format!("a transaction of somebody else stands open in lane {lane}"));
            self.after(TRANSACTION_TIMEOUT, What::TimeOut(stranger, transaction));
        }
    }

    pub(super) fn kill(&mut self, place: usize) {
        if let Some(replica) = self.replicas.get_mut(place)
            && let Some(dead) = replica.take()
        {
            self.say(|| format!("replica {place} ({}) is killed", dead.instance));
            self.tally.kills += 1;
            let wait = self.dice.millis(50, 6_000);
            self.after(wait, What::Restart(place));
        }
    }

    /// Everybody wakes, is reached again, and is let be.
    pub(super) fn end_trouble(&mut self) {
        let now = self.now;
        for replica in self.replicas.iter_mut().flatten() {
            replica.asleep_until = replica.asleep_until.min(now);
            replica.cut_until = now;
        }
        self.topics.record_bytes_max = Some(LARGE_ROOM);
        self.brokers.set_record_bytes_max(Target::Articles, LARGE_ROOM);
        self.brokers.set_record_bytes_max(Target::Conflict, LARGE_ROOM);
        self.look_at_topics(1_000);
        self.left_out.clear();
        for place in 0..self.replicas.len() {
            self.reload(place);
        }
        self.say(|| "peace, and room for everything".to_owned());
    }
}
