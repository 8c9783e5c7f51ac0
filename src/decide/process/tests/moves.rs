//! Feeds that move, and feeds that are withdrawn, over days.

use cw_model::state::MOVE_DAYS;

use super::*;

const NEW: &str = "https://new.example/rss.xml";

/// Hours between two polls.
const HOURS: i64 = 6;

/// A feed that is asked four times a day.
struct Asked {
    state: Arc<FeedState>,
    now: Timestamp,
    records: usize,
}

impl Asked {
    fn new() -> Self {
        let mut asked = Self { state: Arc::default(), now: now(), records: 0 };
        asked.answer(&body(&[("1", "One")]));
        asked.now = "2026-03-02T00:00:00Z".parse().unwrap();
        asked
    }

    /// Where the next request goes.
    fn place(&self) -> String {
        let moved = conditions(&feed(), &self.state).moved;
        moved.map_or_else(|| URL.to_owned(), |moved| moved.to.to_string())
    }

    fn answer(&mut self, answer: &Answer) -> Outcome {
        let outcome = process(&feed(), answer, &self.state, &tagger(), self.now);
        let written = outcome.state.written().unwrap();
        self.state = Arc::new(FeedState::parse(written.as_bytes()).unwrap());
        self.records += outcome.records.len();
        self.now += jiff::SignedDuration::from_hours(HOURS);
        outcome
    }

    /// Answers of so many days at the old URL that say where the feed is now.
    fn move_for(&mut self, days: usize) {
        (0..days * 4).for_each(|_| {
            self.answer(&at(body(&[("1", "One")]), Some(NEW)));
        });
    }
}

/// An answer behind permanent redirects.
fn at(answer: Answer, to: Option<&str>) -> Answer {
    let Answer::Body(body) = answer else { unreachable!() };
    let to: Option<Url> = to.map(|to| to.parse().unwrap());
    let final_url = to.clone().unwrap_or(body.final_url);
    Answer::Body(Body { moved_to: to, final_url, ..body })
}

/// 43
#[test]
fn where_a_feed_moved_is_asked_first_after_so_many_days_and_no_sooner() {
    let mut asked = Asked::new();
    for day in 1..MOVE_DAYS {
        asked.move_for(1);
        assert_eq!(asked.place(), URL, "day {day}");
    }
    asked.move_for(2);
    assert_eq!(asked.place(), NEW);
    // There it answers without a redirect, and stays.
    asked.answer(&body(&[("2", "Two"), ("1", "One")]));
    assert_eq!(asked.place(), NEW);
    assert_eq!(asked.state.plan.moved_to.as_deref(), Some(NEW));
    assert_eq!(asked.records, 2, "no identity is another");
}

/// 44
#[test]
fn a_redirect_that_goes_away_or_elsewhere_begins_anew() {
    let mut asked = Asked::new();
    asked.move_for(2);
    asked.answer(&body(&[("1", "One")]));
    asked.move_for(1);
    assert_eq!(asked.place(), URL);
    let elsewhere = at(body(&[("1", "One")]), Some("https://other.example/"));
    asked.answer(&elsewhere);
    assert_eq!(asked.state.plan.moves.days, 1);
}

/// 45
#[test]
fn a_new_url_that_fails_falls_back_to_the_old_one() {
    let mut asked = Asked::new();
    asked.move_for(5);
    asked.answer(&failed(FailureClass::NotFound));
    assert_eq!(asked.place(), URL);
    // Both in turn, as long as both fail.
    asked.answer(&failed(FailureClass::NotFound));
    assert_eq!(asked.place(), NEW);
    asked.answer(&failed(FailureClass::Server));
    assert_eq!(asked.place(), URL);
    // The old one is right again.
    asked.answer(&body(&[("1", "One")]));
    assert_eq!((asked.place().as_str(), asked.state.plan.moved_to.as_deref()), (URL, None));
}

#[test]
fn a_new_url_that_was_away_for_a_while_is_asked_first_again() {
    let mut asked = Asked::new();
    asked.move_for(5);
    asked.answer(&failed(FailureClass::Server));
    asked.answer(&at(body(&[("1", "One")]), Some(NEW)));
    assert_eq!(asked.place(), NEW);
}

#[test]
fn another_url_in_the_configuration_is_asked_and_not_where_the_one_before_moved() {
    let mut asked = Asked::new();
    asked.move_for(5);
    let other = Feed { url: "https://wire.example/other".parse().unwrap(), ..feed() };
    assert_eq!(conditions(&other, &asked.state).moved, None);
    let after = process(&other, &body(&[("1", "One")]), &asked.state, &tagger(), asked.now).state;
    assert_eq!((after.plan.moved_to.as_deref(), after.plan.moves.days), (None, 0));
}

/// 35
#[test]
fn a_feed_is_withdrawn_when_that_is_said_on_another_day_as_well() {
    let mut asked = Asked::new();
    let first = asked.answer(&failed(FailureClass::Gone));
    assert_eq!(first.state.plan.standing, Standing::Failing);
    assert_eq!(first.state.plan.next.reason, Reason::Backoff);
    asked.now += jiff::SignedDuration::from_hours(24);
    let second = asked.answer(&failed(FailureClass::Gone));
    assert_eq!(second.state.plan.standing, Standing::Gone);
    assert_eq!(second.state.plan.next.reason, Reason::Gone);
    let (due_at, polled_at) = (second.state.plan.next.due_at, second.state.plan.polled_at);
    let wait = due_at.unwrap().duration_since(polled_at.unwrap());
    assert!(wait >= jiff::SignedDuration::from_hours(7 * 24), "{wait:?}");
    // What is back is not withdrawn by the next 410 alone.
    asked.answer(&body(&[("1", "One")]));
    let again = asked.answer(&failed(FailureClass::Gone));
    assert_eq!(again.state.plan.standing, Standing::Failing);
}

/// No more requests are allowed for a while, says an answer that is fine otherwise.
#[test]
fn a_server_that_allows_no_more_requests_is_given_the_pause() {
    let Answer::Body(document) = body(&[("1", "One")]) else { unreachable!() };
    let wait = Some(Duration::from_secs(7000));
    let outcome = polls(&feed(), &[Answer::Body(Body { wait, ..document })]);
    assert_eq!(outcome.state.plan.next.reason, Reason::RetryAfter);
    assert_eq!(outcome.state.plan.next.retry_after, wait);
    assert_eq!(outcome.state.plan.standing, Standing::Fine);
}

/// What the feed answers at its own URL, with a word on where it lives.
fn saying(word: &str, items: &[(&str, &str)]) -> Answer {
    let text = rss(items).replace("<title>Wire</title>", &format!("<title>Wire</title>{word}"));
    body_with(&text, None)
}

/// The same, at another place.
fn found_at(place: &str, items: &[(&str, &str)]) -> Answer {
    let Answer::Body(body) = body(items) else { unreachable!() };
    Answer::Body(Body { final_url: place.parse().unwrap(), ..body })
}

fn new_feed_url(url: &str) -> String {
    let space = "xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'";
    format!("<itunes:new-feed-url {space}>{url}</itunes:new-feed-url>")
}

fn link_self(url: &str) -> String {
    format!("<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='{url}'/>")
}

impl Asked {
    /// A feed that has said on so many days that it lives elsewhere: once as a document a day, then by 304s.
    fn told_for(word: &str, days: usize) -> Self {
        let mut asked = Self::new();
        // No longer than until it counts as said for so many days.
        for number in 0..=(days - 1) * 4 {
            let answer = if number % 4 == 0 {
                saying(word, &[("2", "Two"), ("1", "One")])
            } else {
                not_modified(None)
            };
            asked.answer(&answer);
        }
        asked
    }
}

const TWO: [(&str, &str); 2] = [("2", "Two"), ("1", "One")];

/// 43: a document's own word counts as a redirect does, once the same articles were found there.
#[test]
fn where_a_document_says_that_its_feed_lives_is_asked_after_so_many_days() {
    let word = new_feed_url(NEW);
    for days in 1..usize::from(MOVE_DAYS) {
        let asked = Asked::told_for(&word, days);
        assert_eq!((asked.place().as_str(), asked.state.plan.lives_at()), (URL, None), "{days}");
    }
    let mut asked = Asked::told_for(&word, usize::from(MOVE_DAYS));
    assert_eq!(asked.place(), NEW);
    asked.answer(&found_at(NEW, &[("3", "Three"), ("2", "Two"), ("1", "One")]));
    assert_eq!((asked.place().as_str(), asked.state.plan.lives_at()), (NEW, Some(NEW)));
    assert_eq!(asked.records, 3, "no identity is another");
    // When it is there no more it is looked for again after as many days, and not at every second poll.
    asked.answer(&failed(FailureClass::Server));
    for _ in 0..4 {
        assert_eq!(asked.place(), URL);
        asked.answer(&saying(&word, &TWO));
    }
}

#[test]
fn a_304_at_the_other_place_shows_no_articles() {
    let mut asked = Asked::told_for(&new_feed_url(NEW), usize::from(MOVE_DAYS));
    asked.answer(&not_modified(None));
    assert_eq!((asked.place().as_str(), asked.state.plan.lives_at()), (NEW, None));
    let outcome = asked.answer(&found_at(NEW, &[("7", "Seven"), ("8", "Eight")]));
    assert_eq!(outcome.rejects[0].reason, "drift");
}

#[test]
fn the_same_document_at_the_other_place_is_the_same_articles() {
    let mut asked = Asked::told_for(&new_feed_url(NEW), usize::from(MOVE_DAYS));
    let Answer::Body(body) = saying(&new_feed_url(NEW), &TWO) else { unreachable!() };
    asked.answer(&Answer::Body(Body { final_url: NEW.parse().unwrap(), ..body }));
    assert_eq!(asked.state.plan.lives_at(), Some(NEW));
}

/// Anybody can write anybody's address into a document.
#[test]
fn other_articles_where_a_document_says_that_its_feed_lives_are_refused_and_not_asked_for_again() {
    let word = new_feed_url(NEW);
    let mut asked = Asked::told_for(&word, usize::from(MOVE_DAYS));
    let told = asked.records;
    let outcome = asked.answer(&found_at(NEW, &[("7", "Seven"), ("8", "Eight"), ("2", "Two")]));
    assert_eq!(outcome.rejects.len(), 0, "one of two listed articles is half: {outcome:?}");
    let mut asked = Asked { records: told, ..Asked::told_for(&word, usize::from(MOVE_DAYS)) };
    let outcome = asked.answer(&found_at(NEW, &[("7", "Seven"), ("8", "Eight")]));
    assert_eq!(outcome.rejects[0].reason, "drift");
    assert!(outcome.rejects[0].detail.contains(NEW), "{}", outcome.rejects[0].detail);
    assert_eq!(asked.records, told);
    for _ in 0..usize::from(MOVE_DAYS) * 8 {
        assert_eq!(asked.place(), URL);
        asked.answer(&saying(&word, &TWO));
    }
    // Another place is another matter.
    let other = "https://other.example/rss";
    for _ in 0..usize::from(MOVE_DAYS) * 4 {
        asked.answer(&saying(&new_feed_url(other), &TWO));
    }
    assert_eq!(asked.place(), other);
}

#[test]
fn a_place_that_was_away_is_looked_at_again_after_as_many_days() {
    let word = new_feed_url(NEW);
    let mut asked = Asked::told_for(&word, usize::from(MOVE_DAYS));
    asked.answer(&failed(FailureClass::Timeout));
    for _ in 0..4 {
        assert_eq!(asked.place(), URL);
        asked.answer(&saying(&word, &TWO));
    }
    for _ in 0..usize::from(MOVE_DAYS) * 4 {
        asked.answer(&saying(&word, &TWO));
    }
    assert_eq!(asked.place(), NEW);
}

#[track_caller]
fn check_not_followed(word: &str) {
    let feed = feed();
    let Answer::Body(body) = saying(word, &TWO) else { unreachable!() };
    let answer = Answer::Body(Body { final_url: feed.url.clone(), ..body });
    let outcome = process(&feed, &answer, &FeedState::default(), &tagger(), now());
    assert_eq!(outcome.state.plan.moved_to, None, "{word}");
}

#[test]
fn what_may_not_be_asked_or_is_no_other_place_is_no_move() {
    for word in [
        new_feed_url(URL),
        new_feed_url(&format!("{URL}#top")),
        new_feed_url("http://wire.example/rss"),
        new_feed_url("ftp://new.example/rss"),
        new_feed_url("https://ada:secret@new.example/rss"),
        new_feed_url(&format!("https://new.example/{}", "x".repeat(5000))),
        new_feed_url("https://"),
        // Templates write that of another feed, or of all.
        link_self(NEW),
    ] {
        check_not_followed(&word);
    }
    let refused = cw_model::RequestSettings {
        redirects: cw_model::RedirectPolicy::SameHost,
        ..cw_model::RequestSettings::default()
    };
    let feed = Feed { request: Some(refused.into()), ..feed() };
    let answer = saying(&new_feed_url(NEW), &TWO);
    let outcome = process(&feed, &answer, &FeedState::default(), &tagger(), now());
    assert_eq!(outcome.state.plan.moved_to, None);
}
