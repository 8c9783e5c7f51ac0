//! The hub that a feed names, in its state; and what a hub that pushes does to the plan.

use cw_model::HubLinks;
use cw_model::state::{HubLease, Offer, Subscription};

use super::*;

const HUB: &str = "https://hub.example/";

fn named(links: HubLinks, text: &str) -> Answer {
    match body_with(text, None) {
        Answer::Body(body) => Answer::Body(Body { links, ..body }),
        other => other,
    }
}

fn links(hub: &str, topic: &str) -> HubLinks {
    HubLinks { hub: Some(hub.to_owned()), topic: Some(topic.to_owned()) }
}

#[test]
fn a_hub_is_kept_as_the_headers_name_it_and_then_the_document() {
    let in_document = rss(&[("1", "One")]).replacen(
        "<item>",
        "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='hub' href='/own-hub'/><item>",
        1,
    );
    let (tagger, state) = (tagger(), FeedState::default());
    let check = |links: HubLinks, expected: Option<(&str, &str)>| {
        let outcome = process(&feed(), &named(links, &in_document), &state, &tagger, now());
        let kept = outcome.state.plan.subscription.clone().and_then(|hub| hub.offer);
        let offer =
            |(hub, topic): (&str, &str)| Offer { hub: hub.to_owned(), topic: topic.to_owned() };
        assert_eq!(kept, expected.map(offer));
    };
    check(links(HUB, URL), Some((HUB, URL)));
    let topic_alone = HubLinks { hub: None, ..links("", "/rss.xml") };
    check(topic_alone, Some(("https://wire.example/own-hub", URL)));
    // Without its own word for the topic, what is asked for stays between us and the publisher.
    check(HubLinks { topic: None, ..links(HUB, "") }, None);
    check(links("ftp://hub.example/", URL), None);
    check(links("https://user:password@hub.example/", URL), None);
}

#[test]
fn a_feed_whose_hub_has_pushed_is_asked_less_often_unless_it_has_an_interval_of_its_own() {
    let tagger = tagger();
    let text = |titles: &[(&str, &str)]| rss(titles);
    let first = named(links(HUB, URL), &text(&[("1", "One")]));
    let first = process(&feed(), &first, &FeedState::default(), &tagger, now());
    let later = now() + Duration::from_secs(900);
    let mut state = FeedState::clone(&first.state);
    let until = now() + Duration::from_secs(10 * 86_400);
    let hub = Subscription {
        lease: Some(HubLease { since: now(), granted_at: now(), until }),
        pushed_at: Some(later),
        ..*state.plan.subscription.clone().unwrap()
    };
    state.plan.subscription = Some(Box::new(hub));
    let later = later + Duration::from_secs(1);
    let second = named(links(HUB, URL), &text(&[("2", "Two"), ("1", "One")]));
    let poll = |feed: &Feed, answer: &Answer, state: &FeedState| {
        process(feed, answer, state, &tagger, later).state.plan.clone()
    };
    let plan = poll(&feed(), &second, &state);
    assert_eq!(plan.next.reason, Reason::SafetyNet, "{:?}", plan.next);
    assert!(plan.next.safety_net.unwrap() > plan.next.interval);
    assert_eq!(plan.requests.newest().unwrap().won.of, Reason::Push);
    let fixed = Feed { interval: Some(Duration::from_secs(300)), ..feed() };
    assert_eq!(poll(&fixed, &second, &state).next.reason, Reason::Interval);
    // A push that led to nothing saves nothing.
    assert_eq!(poll(&feed(), &not_modified(None), &state).next.reason, Reason::Interval);
    // Nor does a hub that has said nothing of what was found.
    if let Some(hub) = state.plan.subscription.as_mut() {
        hub.pushed_at = Some(now());
    }
    let plan = poll(&feed(), &second, &state);
    assert_eq!((plan.next.reason, plan.subscription.unwrap().missed), (Reason::Interval, 1));
}
