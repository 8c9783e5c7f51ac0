//! Replicas in the consumer group: what they are told, and when they hear it.

use std::sync::Arc;
use std::time::Duration;

use super::group::Word;
use super::replica::{Driver, Operation};
use super::world::{What, Where, World};
use crate::Moment;
use crate::lane::wire::PartitionBy;
use crate::lane::{Event, Lane, Settings, Undone};

impl World {
    pub(super) fn heartbeat(&mut self, instance: u64) {
        let word = self.group.heartbeat(instance, self.now);
        let place = self
            .replicas
            .iter()
            .position(|replica| replica.as_ref().is_some_and(|it| it.instance == instance));
        if let Some(place) = place
            && let Some(wait) = self.travel(place)
        {
            self.after(wait, What::Heard(place, instance, word));
        }
    }

    /// The group's consumer is polled: what it was told meanwhile is called back.
    pub(super) fn turn(&mut self, place: usize, instance: u64) {
        let now = self.now;
        let at = Moment::after_start(now);
        let Some(replica) = self.replica(place, instance) else { return };
        replica.turns += 1;
        if now.saturating_sub(replica.turned_at) >= Duration::from_secs(4) {
            replica.awake_since = now;
        }
        replica.turned_at = now;
        match replica.word.take() {
            Some(Word::Unknown) => {
                replica.stop_all(|stop| stop.lose(at));
                replica.assigned.clear();
                if !replica.is_ending {
                    // Joins again; the request may take its time.
                    self.group.join(instance, now);
                }
            }
            Some(Word::Member { lanes, revoked }) => {
                let gone: Vec<u32> =
                    replica.assigned.keys().filter(|lane| !lanes.contains(lane)).copied().collect();
                for lane in gone {
                    let number = replica.assigned.remove(&lane);
                    let driver = number.and_then(|number| replica.drivers.get_mut(&(lane, number)));
                    driver.into_iter().for_each(|driver| driver.stop.lose(at));
                }
                let mut idle = Vec::new();
                for lane in &revoked {
                    let number = replica.assigned.get(lane).copied();
                    match number.and_then(|number| replica.drivers.get_mut(&(*lane, number))) {
                        Some(driver) => driver.stop.request(at),
                        None => idle.push(*lane),
                    }
                }
                for lane in idle {
                    let wait = self.travel(place);
                    self.after_some(wait, What::Released(instance, lane, self.now));
                }
                let wanted = lanes.difference(&revoked).copied();
                self.assign(place, instance, wanted.collect());
            }
            None => {}
        }
        self.look_around(place, instance);
    }

    pub(super) fn after_some(&mut self, wait: Option<Duration>, what: What) {
        if let Some(wait) = wait {
            self.after(wait, what);
        }
    }

    pub(super) fn assign(&mut self, place: usize, instance: u64, lanes: Vec<u32>) {
        for lane in lanes {
            let Some(replica) = self.replica(place, instance) else { return };
            if replica.is_ending || replica.assigned.contains_key(&lane) {
                continue;
            }
            let (assignment, skew, topics) = (replica.number(), replica.skew, replica.topics);
            let settings = Settings {
                lane,
                instance: Arc::from(format!("{instance}")),
                commit_interval: Duration::from_millis(200),
                partition_by: PartitionBy::Lane,
                record_bytes_max: None,
            };
            let now = self.clock(skew);
            let (machine, effects) = Lane::new(settings, topics, now);
            let whose = Where { place, instance, lane, assignment };
            if let Some(replica) = self.replica(place, instance) {
                replica.assigned.insert(lane, assignment);
                replica.drivers.insert((lane, assignment), Driver::new(machine, topics));
            }
            self.say(|| format!("replica {place} is assigned lane {lane}"));
            self.apply(whose, effects);
            self.drive(whose);
        }
    }

    /// After each poll of the consumer: stop requests are told, patience ends, a heartbeat is sent.
    pub(super) fn look_around(&mut self, place: usize, instance: u64) {
        let now = self.now;
        let Some(replica) = self.replica(place, instance) else { return };
        let (turns, awake_since, topics) = (replica.turns, replica.awake_since, replica.topics);
        let keys: Vec<(u32, u64)> = replica.drivers.keys().copied().collect();
        let is_over = replica.is_ending && keys.is_empty();
        for (lane, assignment) in keys {
            let whose = Where { place, instance, lane, assignment };
            let Some(driver) = self.driver(whose) else { continue };
            let is_given_up = driver.give_up.is_due(driver.stop, Moment::after_start(now));
            let is_late = driver.deadline <= now;
            let has_news = driver.stop != driver.told || driver.topics != topics;
            match driver.operation {
                Some(Operation::Receive | Operation::Rest) if has_news => {
                    driver.operation = None;
                    self.drive(whose);
                }
                Some(Operation::AwaitGroup { .. }) if is_given_up => {
                    self.finish(whose, Event::GroupHeard(Err(Undone::GivenUp)));
                }
                Some(Operation::AwaitGroup { enough }) if turns >= enough => {
                    if now >= awake_since + Duration::from_secs(3) || awake_since.is_zero() {
                        self.finish(whose, Event::GroupHeard(Ok(())));
                    }
                }
                Some(_) if is_given_up || is_late => self.give_up(whose),
                Some(_) | None => {}
            }
        }
        if is_over {
            self.group.leave(instance);
            if let Some(replica) = self.replicas.get_mut(place) {
                *replica = None;
            }
            self.say(|| format!("replica {place} has ended"));
            let wait = self.dice.millis(50, 3_000);
            self.after(wait, What::Restart(place));
            return;
        }
        if turns.is_multiple_of(5) {
            let wait = self.travel(place);
            self.after_some(wait, What::Heartbeat(instance));
        }
        self.after(Duration::from_millis(100), What::Turn(place, instance));
    }
}
