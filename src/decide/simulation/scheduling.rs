//! Drives the schedulers as `pipeline::scheduler` does: polls, looks into lanes, reloads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_model::state::FeedState;
use cw_model::{Feed, FeedId, Outcome};
use url::Url;

use super::publisher::Request;
use super::replica::{Operation, Ticket};
use super::world::{QUEUE, What, Where, World, url_at};
use crate::lane::wire::Target;
use crate::lane::{Answer, Submitted};
use crate::schedule::conduct::{self, Heard};
use crate::schedule::queue::Politeness;
use crate::scheduler::{
    Configuration, CrashLabel, Effect, Event, Look, LookError, Notice, Poll, PollEnd, Sightings,
};
use crate::{Lease, Moment, schedule};

/// How gently hosts are treated.
const POLITENESS: Politeness =
    Politeness { host_concurrency: 1, host_gap: Duration::from_millis(100) };

/// How many polls of a replica may be under way.
const CONCURRENCY: usize = 3;

/// A look that is under way: lanes to be read, what was found so far.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    look: Arc<Look>,
    left: Vec<u32>,
    found: Sightings,
    /// Where the lane ended when it was asked.
    end: Option<i64>,
}

impl World {
    /// The configuration with the feeds at these URLs, but for those that are left out of it.
    pub(super) fn configuration(&self, urls: &[Url]) -> Configuration {
        let feeds = self.publishers.iter().zip(urls).enumerate();
        let feeds = feeds.filter(|(at, _)| !self.left_out.contains(at));
        Configuration {
            feeds: feeds.map(|(_, (publisher, url))| Arc::new(publisher.feed(url))).collect(),
            politeness: POLITENESS,
            concurrency: CONCURRENCY,
            crash_label: CrashLabel::new(|_| String::new()),
            callback: None,
        }
    }

    /// Something for the scheduler. What comes from one replica arrives in the order it was sent.
    pub(super) fn inform(&mut self, place: usize, instance: u64, event: Event) {
        let wait = self.dice.millis(0, 60);
        if let Some(replica) = self.replica(place, instance) {
            replica.inbox.push_back(event);
            self.after(wait, What::Scheduler(place, instance));
        }
    }

    /// The scheduler takes in what has come.
    pub(super) fn scheduler_turns(&mut self, place: usize, instance: u64) {
        let Some(replica) = self.replica(place, instance) else { return };
        let event = replica.inbox.pop_front().unwrap_or(Event::Elapsed);
        self.schedule(place, instance, event);
    }

    pub(super) fn schedule(&mut self, place: usize, instance: u64, event: Event) {
        let Some(replica) = self.replica(place, instance) else { return };
        let skew = replica.skew;
        let now = self.clock(skew);
        let Some(replica) = self.replica(place, instance) else { return };
        let effects = replica.scheduler.handle(event, now);
        let wake_at = replica.scheduler.wake_at(now);
        for effect in effects {
            self.do_scheduled(place, instance, effect);
        }
        let Some(replica) = self.replica(place, instance) else { return };
        replica.wake_number += 1;
        let number = replica.wake_number;
        if let Some(at) = wake_at {
            self.at(at.since(Moment::default()), What::SchedulerWakes(place, instance, number));
        }
    }

    pub(super) fn scheduler_wakes(&mut self, place: usize, instance: u64, number: u64) {
        if self.replica(place, instance).is_some_and(|replica| replica.wake_number == number) {
            self.schedule(place, instance, Event::Elapsed);
        }
    }

    fn do_scheduled(&mut self, place: usize, instance: u64, effect: Effect) {
        match effect {
            Effect::Poll(poll) => {
                self.check_poll(place, instance, &poll);
                self.tally.polls += 1;
                let wait = if self.dice.once_in(20) {
                    self.dice.millis(500, 8_000)
                } else {
                    self.dice.millis(1, 300)
                };
                self.after(wait, What::Fetched(place, instance, poll));
            }
            Effect::PutOff(feed) => {
                self.tally.put_off += 1;
                if let Some(replica) = self.replica(place, instance) {
                    replica.put_off.insert(feed);
                }
            }
            Effect::Look(look) => {
                self.tally.looks += 1;
                let left = look.lanes.iter().copied().collect();
                let reading = Reading { look, left, found: Sightings::new(), end: None };
                let wait = self.dice.millis(1, 200);
                self.after(wait, What::LookOn(place, instance, Box::new(reading)));
            }
            Effect::NetworkLost { .. } => {
                self.wrong.push("the network is taken for away".to_owned())
            }
            // Its feeds name no hub.
            Effect::NetworkBack { .. } | Effect::AskHub(..) => {}
            Effect::Hurry => {
                let Some(replica) = self.replica(place, instance) else { return };
                let lanes = replica.drivers.keys().copied();
                for (lane, assignment) in lanes.collect::<Vec<_>>() {
                    self.hurry(Where { place, instance, lane, assignment });
                }
            }
            Effect::ReadConfiguration => {
                let wait = self.dice.millis(1, 2_000);
                self.after(wait, What::ConfigurationRead(place, instance));
            }
            Effect::Reloaded(changes) => {
                self.say(|| format!("scheduler of {instance}: {changes:?}"))
            }
            Effect::Log(notice) => {
                if matches!(notice, Notice::KeepsItsLane { .. }) {
                    self.tally.kept += 1;
                }
                self.say(|| format!("scheduler of {instance}: {notice:?}"));
            }
        }
    }

    /// What must hold whenever a poll begins.
    fn check_poll(&mut self, place: usize, instance: u64, poll: &Poll) {
        let Poll { feed, state, .. } = poll;
        let (now, at) = (self.now, self.publisher_of(&feed.id));
        let Some(replica) = self.replica(place, instance) else { return };
        let skew = replica.skew;
        let is_polled = !replica.polls.insert(feed.id.clone());
        let polls = replica.polls.len();
        let host = feed.url.host_str().unwrap_or_default().to_owned();
        // The gap is held by the wall clock, here one of whole milliseconds: nothing is known of it over
        // a step of the clock.
        let before = replica.asked.insert(host, (now, skew));
        let is_too_soon = before.is_some_and(|(before, clock)| {
            let waited = now.saturating_sub(before) + Duration::from_millis(1);
            clock == skew && waited < POLITENESS.host_gap
        });
        let is_ending = replica.is_ending;
        let wall = self.clock(skew).wall;
        let due_at = schedule::due(state, feed, String::new, wall).at;
        // By a clock that was set, or a state of a replica whose clock was, a feed is due when it was
        // planned, and not by what the clock says now.
        let is_early = due_at > wall && !self.has_clock_stepped;
        for (is_wrong, what) in [
            (is_polled, "while it is being polled"),
            (polls > CONCURRENCY, "although all places are taken"),
            (is_too_soon, "although its host was asked a moment ago"),
            (is_early, "before it is due"),
            (is_ending, "by a replica that ends"),
        ] {
            if is_wrong {
                self.wrong.push(format!("{} is polled {what}", feed.id));
            }
        }
        if let Some(at) = at {
            self.polled.insert(at, (now, instance));
        }
        self.say(|| format!("{instance} polls {} in lane {}", feed.id, poll.lease.lane));
    }

    fn publisher_of(&self, id: &FeedId) -> Option<usize> {
        self.publishers.iter().position(|publisher| publisher.id == *id)
    }

    /// The publisher has answered: the outcome is to be committed.
    pub(super) fn fetched(&mut self, place: usize, instance: u64, poll: &Poll) {
        let at = self.publisher_of(&poll.feed.id);
        let Some(replica) = self.replica(place, instance) else { return };
        if replica.is_ending {
            self.poll_ends(place, instance, &poll.feed, PollEnd::Abandoned);
            return;
        }
        if replica.put_off.remove(&poll.feed.id) {
            self.poll_ends(place, instance, &poll.feed, PollEnd::PutOff);
            return;
        }
        let skew = replica.skew;
        let began = at.and_then(|at| self.polled.get(&at)).map_or(self.now, |(began, _)| *began);
        let heard = conduct::Request { took: self.now.saturating_sub(began), heard: Heard::Answer };
        self.schedule(place, instance, Event::Fetched(poll.feed.id.clone(), heard));
        let request = Request {
            url: poll.feed.url.clone(),
            stamp: self.next,
            now: self.clock(skew).wall,
            wait: if self.dice.once_in(10) {
                self.dice.millis(1_500, 4_500)
            } else {
                self.dice.millis(200, 1_500)
            },
        };
        let publisher = at.and_then(|at| self.publishers.get(at));
        let Some(outcome) = publisher.map(|it| it.poll(&poll.state, request)) else { return };
        self.submit(place, instance, &poll.feed, poll.lease, &Arc::new(outcome));
    }

    pub(super) fn submit(
        &mut self,
        place: usize,
        instance: u64,
        feed: &Arc<Feed>,
        lease: Lease,
        outcome: &Arc<Outcome>,
    ) {
        let Some(replica) = self.replica(place, instance) else { return };
        let driver = replica.drivers.iter_mut().find(|(_, driver)| driver.lease == Some(lease));
        let Some((&(lane, assignment), driver)) = driver else {
            self.poll_ends(place, instance, feed, PollEnd::Taken);
            return;
        };
        if driver.queue.len() >= QUEUE {
            let (feed, outcome) = (Arc::clone(feed), Arc::clone(outcome));
            let again = What::Submit(place, instance, feed, lease, outcome);
            self.after(Duration::from_millis(100), again);
            return;
        }
        let state = Arc::clone(&outcome.state);
        let ticket = Ticket { lease, feed: Arc::clone(feed), state };
        driver.queue.push_back(Submitted { outcome: Arc::clone(outcome), ticket });
        if matches!(driver.operation, Some(Operation::Receive)) {
            driver.operation = None;
            self.drive(Where { place, instance, lane, assignment });
        }
    }

    /// A lane has answered.
    pub(super) fn answer(&mut self, whose: Where, ticket: Ticket, answer: Answer) {
        let Ticket { lease, feed, state } = ticket;
        let end = match answer {
            Answer::Committed(written) => PollEnd::Committed(lease, written.unwrap_or(state)),
            Answer::Taken => PollEnd::Taken,
            Answer::Refused(why) => {
                self.wrong.push(format!("an outcome is refused: {why}"));
                PollEnd::Failed
            }
        };
        self.poll_ends(whose.place, whose.instance, &feed, end);
    }

    fn poll_ends(&mut self, place: usize, instance: u64, feed: &Feed, end: PollEnd) {
        if let Some(replica) = self.replica(place, instance) {
            replica.polls.remove(&feed.id);
        }
        self.schedule(place, instance, Event::PollEnded(feed.id.clone(), end));
    }

    /// Reads the next lane of a look.
    pub(super) fn look_on(&mut self, place: usize, instance: u64, mut reading: Reading) {
        let Some(lane) = reading.left.last().copied() else {
            self.schedule(place, instance, Event::Looked(reading.look, Ok(reading.found)));
            return;
        };
        let Some(wait) = self.travel(place) else {
            let away = Err(LookError::new(&"no answer"));
            self.schedule(place, instance, Event::Looked(reading.look, away));
            return;
        };
        let partition = (Target::State, i32::try_from(lane).unwrap_or(0));
        let end = *reading.end.get_or_insert_with(|| self.brokers.high_watermark(partition));
        // Read on, until a transaction that is open there is over.
        if self.brokers.stable_offset(partition) >= end {
            let mut states: BTreeMap<FeedId, u64> = BTreeMap::new();
            for (_, record) in self.brokers.committed(partition, end) {
                let id = FeedId::parse(&record.key).ok();
                let Some(id) = id.filter(|id| reading.look.feeds.contains(id)) else { continue };
                match record.value.as_deref().and_then(|value| FeedState::parse(value).ok()) {
                    Some(state) => drop(states.insert(id, state.plan.sequence)),
                    None => drop(states.remove(&id)),
                }
            }
            for (id, sequence) in states {
                reading.found.entry(id).or_default().insert(lane, sequence);
            }
            reading.left.pop();
            reading.end = None;
        }
        self.after(wait, What::LookOn(place, instance, Box::new(reading)));
    }

    /// A publisher moves to another host, and the configuration follows, in one replica after another.
    pub(super) fn move_feed(&mut self) {
        let count = u64::try_from(self.publishers.len()).unwrap_or(1);
        let at = usize::try_from(self.dice.below(count)).unwrap_or(0);
        let host = self.dice.pick(&(0..self.hosts.len()).collect::<Vec<_>>()).unwrap_or(0);
        // Until a lane has its state, replicas must agree where a feed is.
        let id = self.publishers.get(at).map(|publisher| publisher.id.clone());
        let is_known = (0..self.lanes).any(|lane| {
            let partition = (Target::State, i32::try_from(lane).unwrap_or(0));
            let mut records = self.brokers.committed(partition, i64::MAX);
            records.any(|(_, record)| id.as_ref().is_some_and(|id| record.key == id.as_str()))
        });
        let (Some(host), true) = (self.hosts.get(host).cloned(), is_known) else { return };
        self.tally.moves += 1;
        self.urls_before = self.urls.clone();
        if let Some(url) = self.urls.get_mut(at) {
            *url = url_at(&host, at);
        }
        self.say(|| format!("feed {at} moves to {host}"));
        self.reload_all();
    }

    /// A feed is taken out of the configuration, or put into it again.
    pub(super) fn leave_out(&mut self) {
        let count = u64::try_from(self.publishers.len()).unwrap_or(1);
        let at = usize::try_from(self.dice.below(count)).unwrap_or(0);
        if !self.left_out.remove(&at) {
            self.left_out.insert(at);
            self.tally.left_out += 1;
        }
        let left_out = &self.left_out;
        let line = format!("left out of the configuration: {left_out:?}");
        self.say(|| line);
        self.reload_all();
    }

    /// One replica after another reads the configuration again.
    fn reload_all(&mut self) {
        for place in 0..self.replicas.len() {
            let wait = self.dice.millis(1, 9_000);
            self.after(wait, What::Reload(place));
        }
    }

    pub(super) fn reload(&mut self, place: usize) {
        let Some(Some(replica)) = self.replicas.get(place) else { return };
        let instance = replica.instance;
        self.inform(place, instance, Event::ReloadRequested);
    }

    pub(super) fn configuration_read(&mut self, place: usize, instance: u64) {
        let read = self.configuration(&self.urls);
        self.schedule(place, instance, Event::ConfigurationRead(Some(Box::new(read))));
    }
}
