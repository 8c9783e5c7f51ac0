//! What is agreed with hubs, in single steps and in histories of months with hubs of every kind.

use cw_model::Timestamp;
use cw_model::state::{Offer, PauseReason, Subscription};

use super::*;

const CALLBACK: &str = "https://c.example/websub";
const TOPIC: &str = "https://a.example/rss";
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn at(wait: Duration) -> Timestamp {
    start() + wait
}

fn offer(hub: &str) -> Option<Offer> {
    Some(Offer { hub: format!("https://{hub}.example/"), topic: TOPIC.to_owned() })
}

fn fresh() -> Subscription {
    Subscription { offer: offer("hub"), ..Subscription::default() }
}

fn verify(lease: Duration) -> Said {
    Said::Verify { mode: Mode::Subscribe, topic: TOPIC.to_owned(), lease: Some(lease) }
}

/// Asked at the start and verified at once.
fn verified(lease: Duration) -> Subscription {
    let mut hub = fresh();
    assert!(next_request(&mut hub, CALLBACK, start()).is_some());
    assert_eq!(hear(&mut hub, 0, &verify(lease), start()), HubReply::Yes);
    hub
}

#[test]
fn a_hub_is_asked_once_and_verified_and_asked_again_after_two_thirds_of_the_lease() {
    let mut hub = fresh();
    let request = next_request(&mut hub, CALLBACK, start()).unwrap();
    assert_eq!((request.mode, request.generation), (Mode::Subscribe, 0));
    assert_eq!(stage(&hub, start()), Stage::Asked);
    assert_eq!(next_request(&mut hub, CALLBACK, start()), None);
    assert_eq!(hear(&mut hub, 0, &verify(9 * DAY), start()), HubReply::Yes);
    assert_eq!(stage(&hub, start()), Stage::Verified(at(9 * DAY)));
    assert_eq!(next_request(&mut hub, CALLBACK, at(6 * DAY - HOUR)), None);
    assert!(next_request(&mut hub, CALLBACK, at(6 * DAY)).is_some());
    assert_eq!(hear(&mut hub, 0, &verify(9 * DAY), at(6 * DAY)), HubReply::Yes);
    assert_eq!(stage(&hub, at(6 * DAY)), Stage::Verified(at(15 * DAY)));
    assert_eq!(hub.lease.unwrap().since, start());
}

#[test]
fn a_lease_is_bounded_whatever_a_hub_says() {
    for (said, bounded) in
        [(Duration::ZERO, LEASE_MIN), (3 * HOUR, 3 * HOUR), (365 * DAY, LEASE_MAX)]
    {
        assert_eq!(stage(&verified(said), start()), Stage::Verified(at(bounded)), "{said:?}");
    }
    let mut hub = verified(DAY);
    let unnamed = Said::Verify { mode: Mode::Subscribe, topic: TOPIC.to_owned(), lease: None };
    assert_eq!(hear(&mut hub, 0, &unnamed, start()), HubReply::Yes);
    assert_eq!(stage(&hub, start()), Stage::Verified(at(LEASE_UNNAMED)));
}

#[test]
fn what_nobody_asked_for_is_not_confirmed() {
    let mut hub = fresh();
    assert_eq!(hear(&mut hub, 0, &verify(DAY), start()), HubReply::Unasked);
    assert!(next_request(&mut hub, CALLBACK, start()).is_some());
    let other =
        Said::Verify { mode: Mode::Subscribe, topic: "https://b.example/".to_owned(), lease: None };
    assert_eq!(hear(&mut hub, 0, &other, start()), HubReply::Unasked);
    let end = Said::Verify { mode: Mode::Unsubscribe, topic: TOPIC.to_owned(), lease: None };
    assert_eq!(hear(&mut hub, 0, &end, start()), HubReply::Unasked);
    assert_eq!(hear(&mut hub, 1, &verify(DAY), start()), HubReply::Over);
    assert_eq!(stage(&hub, start()), Stage::Asked);
}

#[test]
fn requests_that_fail_or_are_never_verified_come_ever_more_seldom() {
    let mut hub = fresh();
    let mut now = start();
    let mut asked = Vec::new();
    while now < at(10 * DAY) {
        if next_request(&mut hub, CALLBACK, now).is_some() {
            asked.push(now);
            // Every other request is refused at once, the others are never verified.
            if asked.len().is_multiple_of(2) {
                hear(&mut hub, 0, &Said::Failed { retry_after: None }, now);
            }
        }
        now += HOUR / 4;
    }
    assert!((6..=11).contains(&asked.len()), "{asked:?}");
    let waits: Vec<_> = asked.windows(2).map(|two| two[1].duration_since(two[0])).collect();
    assert!(waits.is_sorted_by(|one, other| *one <= *other + jiff::SignedDuration::from_mins(30)));
    // A hub that names a wait is left alone for so long.
    let mut hub = fresh();
    assert!(next_request(&mut hub, CALLBACK, start()).is_some());
    hear(&mut hub, 0, &Said::Failed { retry_after: Some(3 * DAY) }, start());
    assert_eq!(stage(&hub, start()), Stage::None(Some(at(3 * DAY))));
}

#[test]
fn a_hub_that_refuses_is_left_alone_for_a_week() {
    let mut hub = verified(9 * DAY);
    let denied = Said::Denied { topic: TOPIC.to_owned() };
    assert_eq!(hear(&mut hub, 0, &denied, start()), HubReply::Yes);
    assert_eq!(stage(&hub, start()), Stage::Refused(at(REFUSED_FOR)));
    assert_eq!(next_request(&mut hub, CALLBACK, at(6 * DAY)), None);
    assert!(next_request(&mut hub, CALLBACK, at(7 * DAY)).is_some());
}

#[test]
fn a_hub_that_never_pushes_is_found_out_by_polls_that_find_news_and_tried_again_after_days() {
    let mut hub = verified(10 * DAY);
    let poll = |hub: &mut Subscription, hour: u32, has_news| {
        if has_news {
            found_news(hub, Some(at(HOUR * (hour - 1))), at(HOUR * hour));
        }
    };
    // Older than the promise, or no news.
    found_news(&mut hub, Some(start() - HOUR), start());
    found_news(&mut hub, None, start());
    poll(&mut hub, 1, false);
    assert_eq!(hub.missed, 0);
    poll(&mut hub, 2, true);
    poll(&mut hub, 3, true);
    // One that pushes after all is believed again.
    assert_eq!(hear(&mut hub, 0, &Said::Pushed, at(HOUR * 3)), HubReply::Yes);
    for hour in 4..=6 {
        poll(&mut hub, hour + 1, true);
    }
    assert_eq!(stage(&hub, at(HOUR * 7)), Stage::Unreliable(at(HOUR * 7 + UNRELIABLE_FOR)));
    assert_eq!(next_request(&mut hub, CALLBACK, at(HOUR * 8)), None);
    let pushed = Subscription { ..hub.clone() };
    assert!(next_request(&mut hub, CALLBACK, at(HOUR * 7 + UNRELIABLE_FOR)).is_some());
    assert_eq!(hub.missed, 0);
    let mut hub = pushed;
    hear(&mut hub, 0, &Said::Pushed, at(HOUR * 9));
    assert_eq!(stage(&hub, at(HOUR * 9)), Stage::Verified(at(10 * DAY)));
}

#[test]
fn a_feed_is_asked_less_often_only_while_its_hub_has_shown_that_it_pushes() {
    let waits = (HOUR / 2, || 4 * HOUR);
    let mut hub = verified(10 * DAY);
    let heard = |news| (news, Some(start()));
    assert_eq!(safety_net(&hub, waits, heard(true), at(HOUR)), None, "it has not pushed yet");
    hear(&mut hub, 0, &Said::Pushed, at(HOUR));
    assert_eq!(safety_net(&hub, waits, heard(true), at(HOUR)), Some(2 * HOUR));
    assert_eq!(safety_net(&hub, waits, heard(false), at(HOUR)), None, "the push led to nothing");
    let seldom = (3 * HOUR, || DAY);
    assert_eq!(safety_net(&hub, seldom, heard(true), at(HOUR)), Some(SAFETY_NET_MAX));
    let small_window = (HOUR / 2, || HOUR / 2);
    assert_eq!(safety_net(&hub, small_window, heard(true), at(HOUR)), None);
    // It is asked in time for the renewal, and as ever when the lease is over.
    let renewal = hub.lease.unwrap().renew_at();
    let before = renewal - HOUR;
    assert_eq!(safety_net(&hub, waits, (true, Some(before)), before), Some(HOUR));
    assert_eq!(safety_net(&hub, waits, (true, Some(start())), at(10 * DAY)), None);
    found_news(&mut hub, Some(at(2 * HOUR)), at(3 * HOUR));
    assert_eq!(safety_net(&hub, waits, heard(true), at(3 * HOUR)), None, "it missed something");
}

#[test]
fn another_hub_is_another_generation_and_the_old_subscription_is_ended() {
    let mut known = Some(Box::new(verified(10 * DAY)));
    offered(&mut known, offer("hub"), at(HOUR));
    assert_eq!(known.as_ref().unwrap().generation, 0);
    offered(&mut known, offer("other"), at(HOUR));
    let hub = known.as_mut().unwrap();
    let end = next_request(hub, CALLBACK, at(HOUR)).unwrap();
    assert_eq!((end.mode, end.generation, Some(end.offer)), (Mode::Unsubscribe, 0, offer("hub")));
    let confirm = Said::Verify { mode: Mode::Unsubscribe, topic: TOPIC.to_owned(), lease: None };
    assert_eq!(hear(hub, 1, &confirm, at(HOUR)), HubReply::Unasked);
    assert_eq!(hear(hub, 0, &confirm, at(HOUR)), HubReply::Yes);
    assert_eq!(hear(hub, 0, &Said::Pushed, at(HOUR)), HubReply::Over);
    let request = next_request(hub, CALLBACK, at(2 * HOUR)).unwrap();
    assert_eq!((request.mode, request.generation), (Mode::Subscribe, 1));
    assert_eq!(request.offer, offer("other").unwrap());
    // No hub any more: the same, and nothing is asked after three tries.
    assert_eq!(hear(hub, 1, &verify(DAY), at(2 * HOUR)), HubReply::Yes);
    offered(&mut known, None, at(3 * HOUR));
    let hub = known.as_mut().unwrap();
    let tries = (3..24 * 30).filter(|hour| next_request(hub, CALLBACK, at(HOUR * *hour)).is_some());
    assert_eq!((tries.count(), &hub.leaving), (3, &None));
    assert_eq!(hub.generation, 2);
}

#[test]
fn another_callback_is_another_generation() {
    let mut hub = verified(10 * DAY);
    let request = next_request(&mut hub, "https://d.example/", at(HOUR)).unwrap();
    assert_eq!((request.mode, request.generation), (Mode::Subscribe, 1));
    assert_eq!(hear(&mut hub, 0, &Said::Pushed, at(HOUR)), HubReply::Over);
}

/// A hub of a simulated history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Good,
    NeverPushes,
    NeverVerifies,
    Fails,
    DiesAfterAWeek,
}

/// A month of a feed that is polled every half an hour, or less often while its hub pushes, and has news every six hours.
/// How often the hub was asked, how often the feed, and the longest that news waited.
fn month(kind: Kind, lease: Duration) -> (u32, u32, Duration) {
    let mut hub = fresh();
    let (mut asked, mut polls, mut longest) = (0, 0, Duration::ZERO);
    let mut before = None;
    let mut next_poll = start();
    let mut news: Option<Timestamp> = None;
    for minute in 0..30 * 24 * 60_u32 {
        let now = at(Duration::from_secs(60) * minute);
        let is_alive = kind == Kind::Good || kind == Kind::DiesAfterAWeek && minute < 7 * 24 * 60;
        if minute % 360 == 100 {
            news.get_or_insert(now);
            if is_alive && stage(&hub, now) != Stage::None(None) {
                hear(&mut hub, 0, &Said::Pushed, now);
                next_poll = now;
            }
        }
        if now < next_poll {
            continue;
        }
        let found = news.take();
        longest =
            longest.max(found.map_or(Duration::ZERO, |came| {
                Duration::try_from(now.duration_since(came)).unwrap()
            }));
        if found.is_some() {
            found_news(&mut hub, before, now);
        }
        let waits = (HOUR / 2, || 4 * HOUR);
        let wait = safety_net(&hub, waits, (found.is_some(), before), now).unwrap_or(HOUR / 2);
        if next_request(&mut hub, CALLBACK, now).is_some() {
            asked += 1;
            match kind {
                Kind::Fails => {
                    hear(&mut hub, 0, &Said::Failed { retry_after: None }, now);
                }
                Kind::NeverVerifies => {}
                Kind::DiesAfterAWeek if !is_alive => {}
                Kind::Good | Kind::NeverPushes | Kind::DiesAfterAWeek => {
                    assert_eq!(hear(&mut hub, 0, &verify(lease), now), HubReply::Yes);
                }
            }
        }
        polls += 1;
        (before, next_poll) = (Some(now), now + wait);
    }
    (asked, polls, longest)
}

/// Whatever a hub does, it is asked a few times a month beside its renewals, and news waits no longer than one wait of the
/// safety net; only one that pushes saves requests.
#[test]
fn months_with_hubs_of_every_kind() {
    let always = 30 * 24 * 2;
    for lease in [DAY, 5 * DAY, 10 * DAY] {
        let (asked, polls, longest) = month(Kind::Good, lease);
        assert!(
            asked <= 50 && polls < always / 2 && longest.is_zero(),
            "{asked} {polls} {longest:?}"
        );
        for kind in [Kind::NeverPushes, Kind::NeverVerifies, Kind::Fails] {
            let (asked, polls, longest) = month(kind, lease);
            assert!(asked <= 40, "{kind:?}: {asked}");
            assert!(polls >= always && longest <= HOUR / 2, "{kind:?}: {polls}, {longest:?}");
        }
        let (asked, _, longest) = month(Kind::DiesAfterAWeek, lease);
        assert!(asked <= 40 && longest <= 2 * HOUR, "{asked} {longest:?}");
    }
}

#[test]
fn the_last_word_to_a_hub_is_said_only_where_something_was_agreed() {
    assert_eq!(last_request(&fresh()), None);
    let request = last_request(&verified(DAY)).unwrap();
    assert_eq!((request.mode, request.generation), (Mode::Unsubscribe, 0));
    let mut hub = verified(DAY);
    hub.lease = None;
    assert_eq!(last_request(&hub), None);
    assert_eq!(hub.pause.map(|pause| pause.why), None::<PauseReason>);
}
