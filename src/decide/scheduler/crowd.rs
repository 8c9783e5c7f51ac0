//! Thousands of feeds and one scheduler, by simulated time: who is polled how late, when part of the hosts
//! keep their places, and when the network is away.
//!
//! Scheduler and `process` are the real ones. A host is what it answers and how long that takes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;

use cw_code::{Sources, Tagger};
use cw_model::{
    Answer, Failure, FailureClass, Freshness, Network, NotModified, Validators, samples,
};

use super::*;
use crate::process::process;
use crate::schedule::conduct::{Heard, Request, is_silent_failure};
use crate::schedule::dice;
use crate::schedule::queue::Politeness;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// `fetch.timeout` and `fetch.connect_timeout` of the defaults.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How a host treats a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    /// Nothing has changed, after so long.
    Answers(Duration),
    /// Takes the connection and says nothing.
    Tarpit,
    /// Nobody takes the connection.
    Dead,
    /// Redirects that come round, each after so long.
    Loops(Duration),
}

impl Host {
    /// What a request with so much time comes to, and when.
    fn answer(self, time: Duration) -> (Duration, Option<FailureClass>) {
        let (took, class) = match self {
            Self::Answers(took) => (took, None),
            Self::Tarpit => (TIMEOUT, Some(FailureClass::Timeout)),
            Self::Dead => (CONNECT_TIMEOUT, Some(FailureClass::Connect)),
            Self::Loops(hop) => (hop * 10, Some(FailureClass::RedirectLoop)),
        };
        if took < time { (took, class) } else { (time, Some(FailureClass::Timeout)) }
    }
}

/// A poll that began.
#[derive(Clone, Debug)]
struct Began {
    at: Duration,
    /// How late it was.
    waited: Duration,
}

/// A scheduler, the hosts of its feeds, and what came of them.
struct Crowd {
    scheduler: Scheduler,
    tagger: Tagger,
    hosts: HashMap<FeedId, Host>,
    /// The network is away.
    away: Range<Duration>,
    elapsed: Duration,
    /// Requests by when they end.
    requests: BinaryHeap<Reverse<(Duration, u64)>>,
    polls: HashMap<u64, (Poll, Duration, Option<FailureClass>)>,
    /// The number of a feed's poll under way.
    numbers: HashMap<FeedId, u64>,
    began: BTreeMap<FeedId, Vec<Began>>,
    /// When the network was taken for away, and for back.
    lost: Vec<Duration>,
    back: Vec<Duration>,
    next: u64,
}

impl Crowd {
    /// Each feed on a host of its own, asked at its interval.
    fn new(hosts: Vec<(Host, Duration)>) -> Self {
        let mut crowd = Self::without_lane(hosts);
        crowd.given(States::default());
        crowd
    }

    fn without_lane(hosts: Vec<(Host, Duration)>) -> Self {
        let feed = |number: usize, interval: Duration| {
            let url = format!("http://crowd{number}.org/").parse().unwrap();
            let feed = samples::feed(&format!("feed{number:05}"), url);
            let (interval_min, interval_max) = (interval.min(5 * MINUTE), 4 * HOUR);
            Arc::new(Feed { interval: Some(interval), interval_min, interval_max, ..feed })
        };
        let feeds: Vec<Arc<Feed>> =
            hosts.iter().enumerate().map(|(number, it)| feed(number, it.1)).collect();
        let of_feeds = feeds.iter().map(|feed| feed.id.clone());
        let hosts = of_feeds.zip(hosts.into_iter().map(|(host, _)| host)).collect();
        let configuration = Configuration {
            feeds,
            politeness: Politeness { host_concurrency: 2, host_gap: SECOND },
            concurrency: 32,
            crash_label: CrashLabel::new(|_| String::new()),
            callback: None,
        };
        let mut sources = Sources::built_in();
        sources.lexicons.clear();
        Self {
            scheduler: Scheduler::new(configuration, 1),
            tagger: Tagger::new(&sources, 0.5).unwrap(),
            hosts,
            away: Duration::MAX..Duration::MAX,
            elapsed: Duration::ZERO,
            requests: BinaryHeap::new(),
            polls: HashMap::new(),
            numbers: HashMap::new(),
            began: BTreeMap::new(),
            lost: Vec::new(),
            back: Vec::new(),
            next: 0,
        }
    }

    fn given(&mut self, states: States) {
        let lease = Lease { lane: 0, epoch: 1 };
        self.happens(Event::LaneGiven { lease, states, past: Past::default() });
    }

    fn now(&self) -> Now {
        let wall = after(samples::now(), self.elapsed);
        Now { at: Moment::after_start(self.elapsed), wall }
    }

    fn happens(&mut self, event: Event) {
        for effect in self.scheduler.handle(event, self.now()) {
            match effect {
                Effect::Poll(poll) => self.begins(*poll),
                Effect::PutOff(id) => self.is_put_off(&id),
                Effect::NetworkLost { .. } => self.lost.push(self.elapsed),
                Effect::NetworkBack { .. } => self.back.push(self.elapsed),
                Effect::AskHub(..)
                | Effect::Hurry
                | Effect::Log(_)
                | Effect::Look(_)
                | Effect::ReadConfiguration
                | Effect::Reloaded(_) => {}
            }
        }
    }

    fn begins(&mut self, poll: Poll) {
        let host = self.hosts[&poll.feed.id];
        let (took, class) = if self.away.contains(&self.elapsed) {
            (5 * SECOND, Some(FailureClass::Dns))
        } else {
            host.answer(poll.patience.of(TIMEOUT))
        };
        self.next += 1;
        let began = Began { at: self.elapsed, waited: poll.waited };
        self.began.entry(poll.feed.id.clone()).or_default().push(began);
        self.requests.push(Reverse((self.elapsed + took, self.next)));
        self.numbers.insert(poll.feed.id.clone(), self.next);
        self.polls.insert(self.next, (poll, took, class));
    }

    /// The feed is asked anew: only that counts.
    fn is_put_off(&mut self, id: &FeedId) {
        let number = self.numbers.remove(id).unwrap();
        self.polls.remove(&number);
        self.began.get_mut(id).unwrap().pop();
        // In its own turn, as the driver does.
        self.requests.push(Reverse((self.elapsed, 0)));
        self.happens(Event::PollEnded(id.clone(), PollEnd::PutOff));
    }

    fn request_ends(&mut self, number: u64) {
        let Some((poll, took, class)) = self.polls.remove(&number) else { return };
        let Poll { feed, state, lease, .. } = poll;
        self.numbers.remove(&feed.id);
        let answer = match class {
            None => Answer::NotModified(NotModified {
                final_url: feed.url.clone(),
                moved_to: None,
                validators: Validators::default(),
                freshness: Freshness::default(),
                network: Network::Public,
                wait: None,
            }),
            // As the driver has it: it is no fault of the host.
            Some(class) => {
                let is_away = self.lost.len() > self.back.len();
                let is_ours = is_away && is_silent_failure(class);
                let class = if is_ours { FailureClass::Local } else { class };
                Answer::Failed(Failure { class, detail: String::new(), retry_after: None })
            }
        };
        let heard =
            if class.is_some_and(is_silent_failure) { Heard::Silence } else { Heard::Answer };
        let request = Request { took, heard };
        self.happens(Event::Fetched(feed.id.clone(), request));
        let outcome = process(&feed, &answer, &state, &self.tagger, self.now().wall);
        self.happens(Event::PollEnded(feed.id.clone(), PollEnd::Committed(lease, outcome.state)));
    }

    fn runs_until(&mut self, end: Duration) {
        while self.elapsed < end {
            let wake_at = self.scheduler.wake_at(self.now());
            let wake_at = wake_at.map_or(end, |at| at.since(Moment::default())).min(end);
            match self.requests.peek() {
                Some(Reverse((at, number))) if *at <= wake_at => {
                    let number = *number;
                    self.elapsed = self.elapsed.max(*at);
                    self.requests.pop();
                    self.request_ends(number);
                }
                _ => {
                    self.elapsed = wake_at.max(self.elapsed);
                    self.happens(Event::Elapsed);
                }
            }
        }
    }

    /// How late polls of these hosts were from then on, as parts of a thousand of their intervals, in order.
    fn lateness(&self, is_meant: impl Fn(Host) -> bool, from: Duration) -> Vec<u64> {
        let mut late = Vec::new();
        for (id, began) in self.began.iter().filter(|(id, _)| is_meant(self.hosts[*id])) {
            let interval = self.scheduler.feeds[id].feed.interval.unwrap();
            let began = began.iter().filter(|began| began.at >= from);
            late.extend(began.map(|it| parts(it.waited, interval)));
        }
        late.sort_unstable();
        late
    }
}

/// How much of `whole` it is, in thousandths.
fn parts(part: Duration, whole: Duration) -> u64 {
    u64::try_from(part.as_millis() * 1000 / whole.as_millis()).unwrap()
}

/// The value that so many percent do not pass.
#[track_caller]
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn is_healthy(host: Host) -> bool {
    matches!(host, Host::Answers(_))
}

/// The kind of a host by its number: three of ten cost much and bring nothing.
fn mixed(number: u64) -> Host {
    let chance = dice(&samples::id("mixed"), number);
    match number % 10 {
        0 => Host::Tarpit,
        1 => Host::Dead,
        2 => Host::Loops(Duration::from_millis(300)),
        3 => Host::Answers(SECOND + SECOND.mul_f64(4.0 * chance)),
        _ => Host::Answers(Duration::from_millis(100) + SECOND.mul_f64(chance / 2.0)),
    }
}

#[test]
fn healthy_feeds_are_polled_in_time_beside_hosts_that_keep_their_places() {
    let hosts = (0..10_000).map(|number| (mixed(number), 15 * MINUTE)).collect();
    let mut crowd = Crowd::new(hosts);
    crowd.runs_until(2 * HOUR);
    let late = crowd.lateness(is_healthy, Duration::ZERO);
    let worst = percentile(&late, 99);
    assert!(worst < 200, "{} polls, the 99th of 100 {worst} thousandths late", late.len());
}

/// 98
#[test]
fn ten_thousand_feeds_of_a_minute_are_asked_each_minute() {
    let hosts = vec![(Host::Answers(SECOND / 10), MINUTE); 10_000];
    let mut crowd = Crowd::new(hosts);
    crowd.runs_until(6 * MINUTE);
    let begun = crowd.began.values();
    let mut waits: Vec<u64> = begun
        .flat_map(|began| began.windows(2).map(|pair| parts(pair[1].at - pair[0].at, MINUTE)))
        .collect();
    waits.sort_unstable();
    assert!(waits.len() >= 40_000, "{} polls", waits.len());
    let longest = percentile(&waits, 99);
    assert!(longest <= 1200, "99 of 100 polls within {longest} thousandths of the interval");
}

/// How many polls began in each second.
fn by_second<'a>(polls: impl Iterator<Item = &'a Began>) -> BTreeMap<u64, usize> {
    let mut seconds = BTreeMap::new();
    polls.for_each(|began| *seconds.entry(began.at.as_secs()).or_default() += 1);
    seconds
}

#[test]
fn first_polls_are_spread_over_no_more_than_the_interval() {
    let interval = 15 * MINUTE;
    for (count, last) in [(50, SECOND), (400, 40 * SECOND), (20_000, interval + 30 * SECOND)] {
        let host = Host::Answers(SECOND / 5);
        let mut crowd = Crowd::new(vec![(host, interval); count]);
        crowd.runs_until(2 * interval);
        let first = || crowd.began.values().map(|began| &began[0]);
        assert_eq!(first().count(), count);
        assert!(first().all(|began| began.at <= last), "{count} feeds");
        let at_once = by_second(first());
        let fastest = at_once.values().skip(1).max().copied().unwrap_or_default();
        assert!(fastest <= 15.max(count * 2 / 900), "{count} feeds: {fastest} in a second");
    }
}

#[test]
fn feeds_of_one_interval_do_not_stay_in_step() {
    let interval = 5 * MINUTE;
    let host = Host::Answers(SECOND / 5);
    let mut crowd = Crowd::new(vec![(host, interval); 100]);
    crowd.runs_until(13 * interval);
    let eleventh: Vec<&Began> = crowd.began.values().map(|began| &began[10]).collect();
    let most = by_second(eleventh.into_iter()).into_values().max();
    assert!(most <= Some(5), "{most:?} of 100 in one second");
}

#[test]
fn feeds_that_became_due_while_we_were_away_are_asked_within_minutes() {
    let interval = |number: u64| [5, 15, 60, 240][usize::try_from(number % 4).unwrap()] * MINUTE;
    let host = Host::Answers(SECOND / 5);
    let hosts: Vec<_> = (0..2000).map(|number| (host, interval(number))).collect();
    let mut crowd = Crowd::new(hosts.clone());
    crowd.runs_until(HOUR);
    let lane = crowd.scheduler.held.remove(&0).unwrap();
    let mut crowd = Crowd::without_lane(hosts);
    crowd.elapsed = 6 * HOUR;
    crowd.given(lane.states);
    crowd.runs_until(6 * HOUR + 4 * MINUTE);
    assert_eq!(crowd.began.len(), 2000);
    let most = by_second(crowd.began.values().map(|began| &began[0])).into_values().max();
    assert!(most <= Some(60), "{most:?} in one second");
}

/// A thousand feeds of 5 minutes to 4 hours, three of a hundred dead, and a network that is away for three
/// hours.
fn after_an_outage() -> Crowd {
    let interval = |number: u64| [5, 15, 60, 240][usize::try_from(number % 4).unwrap()] * MINUTE;
    let host = |number: u64| match number % 33 {
        0 => Host::Dead,
        _ => Host::Answers(SECOND / 5),
    };
    let mut crowd = Crowd::new((0..1000).map(|number| (host(number), interval(number))).collect());
    crowd.runs_until(5 * HOUR);
    crowd.away = 5 * HOUR..8 * HOUR;
    crowd.runs_until(8 * HOUR - SECOND);
    crowd
}

#[test]
fn our_own_outage_is_held_against_nobody() {
    let mut crowd = after_an_outage();
    assert_eq!((crowd.lost.len(), crowd.back.len()), (1, 0), "{:?}", crowd.lost);
    let took = crowd.lost[0] - crowd.away.start;
    assert!(took < MINUTE, "known after {took:?}");
    let states = &crowd.scheduler.held[&0].states;
    let healthy = crowd.hosts.iter().filter(|(_, host)| is_healthy(**host));
    let failures: Vec<u32> = healthy.map(|(id, _)| states[id].plan.failures).collect();
    assert!(failures.iter().all(|failures| *failures <= 1), "no wait doubles");
    let blamed = failures.iter().filter(|failures| **failures > 0).count();
    assert!(blamed <= 40, "{blamed} failed before it was clear why");
    // A few feeds are asked every ten seconds.
    let during = crowd.began.values().flatten().filter(|it| it.at > crowd.lost[0]).count();
    let rounds = 3 * 3600 / 10;
    assert!((rounds / 2..=rounds * 3).contains(&during), "{during} probes");
    crowd.runs_until(9 * HOUR);
    assert_eq!(crowd.back.len(), 1);
}

#[test]
fn after_our_own_outage_everything_that_was_due_is_asked_within_minutes_and_spread() {
    let mut crowd = after_an_outage();
    let end = crowd.away.end;
    let now = crowd.now().wall;
    let held = &crowd.scheduler.held[&0];
    let is_due = |id: &FeedId| {
        let plan = &held.states[id].plan;
        plan.next.due_at <= Some(now) || plan.next.reason == Reason::Local || plan.failures > 0
    };
    let healthy = crowd.hosts.iter().filter(|(id, host)| is_healthy(**host) && is_due(id));
    let due: Vec<FeedId> = healthy.map(|(id, _)| id.clone()).collect();
    assert!(due.len() > 700, "{}", due.len());
    crowd.runs_until(8 * HOUR + 20 * MINUTE);
    let first = |id: &FeedId| crowd.began[id].iter().find(|began| began.at >= end).unwrap();
    let mut waits: Vec<u64> = due.iter().map(|id| (first(id).at - end).as_secs()).collect();
    waits.sort_unstable();
    assert!(percentile(&waits, 50) < 120, "p50 {} s", percentile(&waits, 50));
    assert!(waits.last() < Some(&300), "{:?} s", waits.last());
    let most = by_second(due.iter().map(first)).into_values().max();
    assert!(most <= Some(60), "{most:?} in one second");
}

#[test]
fn hosts_that_fail_beside_others_that_answer_are_no_outage() {
    let hosts = (0..2000).map(|number| (mixed(number), 15 * MINUTE)).collect();
    let mut crowd = Crowd::new(hosts);
    crowd.runs_until(6 * HOUR);
    assert_eq!(crowd.lost, []);
}
