//! Publishers that do odd things to conditional requests, polled for days.

use cw_model::state::{Distrust, NextRequest, Sends, Trust};
use cw_model::{Conditions, Deltas, IfRefused, Instance};

use super::*;

const QUARTER: Duration = Duration::from_secs(15 * 60);

/// What a publisher has at a time: articles, by the number of the poll before which each was published, and
/// its validators.
struct Holds {
    articles: Vec<usize>,
    etag: String,
    date: String,
}

/// What becomes of a request.
enum Answers {
    Document,
    NotModified,
    /// What is answered wrongly.
    Wrong(FailureClass),
    /// It is away, whatever it is sent.
    Away,
}

fn document(articles: &[usize]) -> String {
    let items = articles.iter().rev().map(|poll| {
        let at = now() + QUARTER * u32::try_from(*poll).unwrap();
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        format!("<item><title>T{poll}</title><guid>{poll}</guid><pubDate>{date}</pubDate></item>")
    });
    let items: String = items.collect();
    format!("<rss version=\"2.0\"><channel><title>Wire</title>{items}</channel></rss>")
}

/// A publisher, and what it was asked.
struct Polled {
    feed: Feed,
    state: Arc<FeedState>,
    now: Timestamp,
    /// Requests that carried no validator, by number of the poll.
    plain: Vec<usize>,
    requests: usize,
    records: usize,
    failures: usize,
    polls: usize,
}

impl Polled {
    fn new() -> Self {
        let feed = Feed { interval: Some(QUARTER), ..feed() };
        let (plain, state) = (Vec::new(), Arc::default());
        Self { feed, state, now: now(), plain, requests: 0, records: 0, failures: 0, polls: 0 }
    }

    /// What one request is answered; `None` of a document.
    fn ask(
        &mut self,
        holds: &Holds,
        sent: &Validators,
        answers: &impl Fn(&Validators, &Holds) -> Answers,
    ) -> Result<Answer, FailureClass> {
        self.requests += 1;
        if sent.is_empty() {
            self.plain.push(self.polls);
        }
        match answers(sent, holds) {
            Answers::Wrong(class) => Err(class),
            Answers::Away => Err(FailureClass::Server),
            Answers::NotModified => Ok(not_modified(None)),
            Answers::Document => {
                let Answer::Body(body) = body_with(&document(&holds.articles), None) else {
                    unreachable!()
                };
                let (etag, last_modified) = (Some(holds.etag.clone()), Some(holds.date.clone()));
                Ok(Answer::Body(Body { validators: Validators { etag, last_modified }, ..body }))
            }
        }
    }

    /// Polls so many times, as planned, a publisher that has what `holds` says at each.
    fn poll(
        &mut self,
        times: usize,
        holds: impl Fn(usize) -> Holds,
        answers: impl Fn(&Validators, &Holds) -> Answers,
    ) {
        let tagger = tagger();
        for _ in 0..times {
            let has = holds(self.polls);
            let Conditions { validators, if_refused, .. } = conditions(&self.feed, &self.state);
            let sent = validators.get(URL).cloned().unwrap_or_default();
            let mut answer = self.ask(&has, &sent, &answers);
            if let Err(class) = answer
                && if_refused == IfRefused::AskWithout
                && !sent.is_empty()
                && class.may_be_of_validators()
            {
                answer = match self.ask(&has, &Validators::default(), &answers) {
                    Ok(Answer::Body(body)) => {
                        Ok(Answer::Body(Body { refusal: Some(class), ..body }))
                    }
                    _ => Err(class),
                };
            }
            let answer = answer.unwrap_or_else(failed);
            let outcome = process(&self.feed, &answer, &self.state, &tagger, self.now);
            self.records += outcome.records.len();
            self.failures += usize::from(matches!(outcome.result, PollResult::Failed(_)));
            // What is written is what the next poll knows.
            let written = outcome.state.written().unwrap();
            self.state = Arc::new(FeedState::parse(written.as_bytes()).unwrap());
            self.now = self.state.plan.next.due_at.unwrap();
            self.polls += 1;
        }
    }

    fn trust(&self) -> Trust {
        self.state.plan.trust
    }
}

/// An article more at each of these polls.
fn growing(at: &'static [usize]) -> impl Fn(usize) -> Holds {
    move |poll| {
        let articles: Vec<usize> = [0].iter().chain(at).copied().filter(|at| *at <= poll).collect();
        let count = articles.len();
        let (etag, date) =
            (format!("\"{count}\""), format!("Sun, 01 Mar 2026 10:00:{count:02} GMT"));
        Holds { articles, etag, date }
    }
}

/// As standards say: `If-None-Match` first.
fn honest(sent: &Validators, holds: &Holds) -> Answers {
    let is_current = match (&sent.etag, &sent.last_modified) {
        (Some(etag), _) => *etag == holds.etag,
        (None, Some(date)) => *date == holds.date,
        (None, None) => false,
    };
    if is_current { Answers::NotModified } else { Answers::Document }
}

#[test]
fn validators_that_a_server_answers_wrongly_are_given_up_and_no_article_is_late() {
    use FailureClass::{Cut, Empty, Forbidden, Html, Server, Status};
    for class in [Status, Forbidden, Server, Empty, Html, Cut] {
        let mut any = Polled::new();
        let poisoned = |sent: &Validators, _: &Holds| match sent.is_empty() {
            true => Answers::Document,
            false => Answers::Wrong(class),
        };
        any.poll(10, growing(&[1, 3, 5, 7, 9]), poisoned);
        assert_eq!((any.records, any.failures), (6, 0), "{class:?}");
        // Both, the date alone, and then neither.
        assert_eq!((any.requests, any.trust().sends), (12, Sends::Nothing), "{class:?}");
        let mut etag = Polled::new();
        let poisoned = |sent: &Validators, holds: &Holds| match sent.etag {
            None => honest(sent, holds),
            Some(_) => Answers::Wrong(class),
        };
        etag.poll(10, growing(&[1, 3, 5, 7, 9]), poisoned);
        assert_eq!((etag.records, etag.failures, etag.requests), (6, 0, 11), "{class:?}");
        assert_eq!(etag.trust().sends, Sends::Date, "{class:?}");
        assert_eq!(etag.trust().distrust.map(|(why, _)| why), Some(Distrust::Refused));
    }
}

#[test]
fn a_server_that_is_away_is_not_asked_twice_at_each_poll_and_its_validators_stay_trusted() {
    let mut polled = Polled::new();
    polled.poll(3, growing(&[]), honest);
    polled.poll(20, growing(&[]), |_, _| Answers::Away);
    polled.poll(3, growing(&[]), honest);
    // At the first failure in a row, and at 1, 3, 7 and 15 before it.
    assert_eq!(polled.requests, 26 + 5);
    assert_eq!(polled.trust().sends, Sends::All);
    assert_eq!(polled.trust().distrust, None);
}

#[test]
fn what_is_distrusted_is_tried_again_after_a_month() {
    let mut polled = Polled::new();
    let poisoned = |sent: &Validators, _: &Holds| match sent.is_empty() {
        true => Answers::Document,
        false => Answers::Wrong(FailureClass::Status),
    };
    polled.poll(4, growing(&[]), poisoned);
    assert_eq!(polled.trust().sends, Sends::Nothing);
    let before = polled.plain.len();
    polled.poll(31 * 96, growing(&[]), honest);
    assert_eq!(polled.trust().sends, Sends::All);
    assert!(polled.plain.len() - before <= 30 * 96 + 2, "{}", polled.plain.len());
}

/// 13
#[test]
fn a_server_that_answers_304_whatever_there_is_is_found_out() {
    let lies = |sent: &Validators, _: &Holds| match sent.is_empty() {
        true => Answers::Document,
        false => Answers::NotModified,
    };
    // Under validators that change with the document, and under those that do not.
    let mut polled = Polled::new();
    polled.poll(96, growing(&[5, 20, 40, 60, 80]), lies);
    assert_eq!(polled.records, 6);
    assert_eq!(polled.trust().sends, Sends::Nothing);
    let mut polled = Polled::new();
    let stuck = |poll| Holds { etag: "\"1\"".to_owned(), ..growing(&[5, 20, 40, 60, 80])(poll) };
    polled.poll(96, stuck, lies);
    assert_eq!(polled.records, 6);
}

/// 13
#[test]
fn honest_304s_are_audited_ever_more_seldom() {
    let mut polled = Polled::new();
    polled.poll(30 * 96, growing(&[]), honest);
    // The first request, and after 48, 96, 192, 384, 768 and 768 more 304s.
    assert!((5..=7).contains(&polled.plain.len()), "{:?}", polled.plain);
    assert_eq!(polled.trust().sends, Sends::All);
    // Audits that meet news convict nobody whose validators bring some.
    let mut polled = Polled::new();
    polled.poll(96, growing(&[49, 60, 70, 80, 90]), honest);
    assert_eq!((polled.records, polled.trust().sends), (6, Sends::All));
    assert_eq!(polled.plain, [0, 49, 58]);
}

#[test]
fn a_feed_that_is_asked_seldom_is_audited_within_days() {
    let mut polled = Polled::new();
    polled.feed.interval = Some(Duration::from_secs(4 * 3600));
    polled.feed.interval_max = Duration::from_secs(4 * 3600);
    let lies = |sent: &Validators, _: &Holds| match sent.is_empty() {
        true => Answers::Document,
        false => Answers::NotModified,
    };
    polled.poll(9, growing(&[2]), lies);
    assert_eq!(polled.records, 2);
}

#[test]
fn an_audit_that_fails_is_made_at_the_next_poll() {
    let mut polled = Polled::new();
    polled.poll(49, growing(&[]), honest);
    assert_eq!(polled.trust().next, NextRequest::Audit);
    polled.poll(1, growing(&[]), |_, _| Answers::Away);
    polled.poll(1, growing(&[]), honest);
    assert_eq!(polled.plain, [0, 49, 50]);
    assert_eq!(polled.trust().next, NextRequest::Conditional);
}

#[test]
fn the_date_alone_is_sent_where_an_etag_that_changes_is_in_its_way() {
    let edges =
        |poll: usize| Holds { etag: format!("\"edge-{}\"", poll % 2), ..growing(&[])(poll) };
    let mut polled = Polled::new();
    polled.poll(40, edges, honest);
    assert_eq!((polled.trust().sends, polled.records), (Sends::Date, 1));
    assert_eq!(polled.trust().unmodified, 37);
    // Where dates are ignored as well, nothing is gained, and nothing tried for ever.
    let mut polled = Polled::new();
    polled.poll(40, edges, |_, _| Answers::Document);
    assert_eq!((polled.trust().sends, polled.records), (Sends::All, 1));
    assert_eq!(polled.trust().distrust.map(|(why, _)| why), Some(Distrust::Useless));
}

/// 14
#[test]
fn what_is_new_is_asked_for_where_that_is_offered_and_what_is_missing_is_not_gone() {
    let instance = |answer: Answer, instance| match answer {
        Answer::Body(body) => Answer::Body(Body { instance, ..body }),
        other => other,
    };
    let whole = instance(body(&[("2", "Two"), ("1", "One")]), Instance::DeltasOffered);
    let delta = instance(body(&[("3", "Three")]), Instance::Delta);
    let first = polls(&feed(), std::slice::from_ref(&whole));
    assert_eq!(conditions(&feed(), &first.state).deltas, Deltas::Asked);
    let second = polls(&feed(), &[whole.clone(), delta.clone()]);
    assert_eq!(titles(&second), [("Three".to_owned(), 1)]);
    assert_eq!(second.state.memory.window(), 3);
    // A whole document that offers nothing more ends it.
    let third =
        polls(&feed(), &[whole, delta, body(&[("3", "Three"), ("2", "Two"), ("1", "One")])]);
    assert!(third.records.is_empty());
    assert_eq!(conditions(&feed(), &third.state).deltas, Deltas::Unasked);
}

/// 5
#[test]
fn an_etag_that_changed_once_under_the_same_date_is_sent() {
    let mut polled = Polled::new();
    let touched =
        |poll: usize| Holds { etag: format!("\"{}\"", poll.min(1)), ..growing(&[])(poll) };
    polled.poll(5, touched, honest);
    assert_eq!(polled.trust().sends, Sends::All);
    assert_eq!(polled.trust().unmodified, 3);
}
