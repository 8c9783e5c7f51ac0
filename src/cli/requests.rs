//! How feeds were asked: what a publisher who looks at its log would want to know.

use std::io::Write as _;
use std::time::Duration;

use anstyle::Style;
use cw_model::state::{Claim, FeedState, Reason, Request, Requests};
use cw_model::{Feed, Timestamp};
use cw_status::shown::json_line;

use super::Exit;
use super::check::{cell, counted};
use super::show::Medium;
use super::standing::Knowledge;
use super::table::Table;
use crate::admin::words;
use crate::clock::Clock;
use crate::config::{Config, duration_text};

/// The last requests of a feed, the newest first, a line each.
pub(super) fn request_lines(requests: &Requests) -> Vec<String> {
    let mut lines: Vec<String> = requests.last().map(|one| request_line(&one)).collect();
    if !lines.is_empty() {
        lines.insert(0, "its last requests, the newest first:".to_owned());
    }
    lines
}

fn request_line(request: &Request) -> String {
    let at = Timestamp::from_second(request.at.into()).unwrap_or_default();
    let at = at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let won = match request.won.of {
        Reason::FirstPoll => "the first under its URL".to_owned(),
        _ => format!("after {}", claim_text(request.won)),
    };
    let lost = request.lost.map(|lost| format!(" (over {})", claim_text(lost))).unwrap_or_default();
    let quiet = match request.quiet {
        0 => String::new(),
        quiet => format!("; asked for {} of quiet", seconds(quiet)),
    };
    let (carried, answered) = (request.carried.text(), request.answered.name());
    format!("  {at}  {won}{lost}; sent {carried}; answered {answered}{quiet}")
}

/// A wait and whose it is.
fn claim_text(claim: Claim) -> String {
    let name = words::rule(claim.of);
    format!("{name} {}", seconds(claim.wait))
}

fn seconds(count: u32) -> String {
    duration_text(Duration::from_secs(count.into()))
}

/// How courteously each feed is asked, by what the ledger has.
pub(super) fn politeness(config: &Config) -> anyhow::Result<Exit> {
    if config.feeds.is_empty() {
        say!("no feed is configured; add one with `conflictwire feeds add URL`");
        return Ok(Exit::Fine);
    }
    let knowledge = Knowledge::read(config)?;
    let header = ["id", "requests", "a day now", "unconditional", "too early", "closest"];
    let mut table = Table::with_header(header);
    let mut sum = Sum::default();
    for feed in &config.feeds {
        let requests = requests_of(&knowledge, feed);
        sum.add(&requests);
        let [id, made, a_day, plain, early, closest] = [
            feed.id.to_string(),
            requests.made.to_string(),
            requests.a_day().map(|count| format!("{count:.0}")).unwrap_or_default(),
            percent(requests.unconditional.into(), requests.made.into()),
            requests.early.to_string(),
            requests.closest.map(seconds).unwrap_or_default(),
        ]
        .map(|text| cell(&text, Style::new()));
        table.row([id, made, a_day, plain, early, closest]);
    }
    table.write(&mut anstream::stdout().lock(), Medium::of_stdout())?;
    anstream::eprintln!("{}", sum.text());
    let now = Clock::System.now();
    for line in knowledge.summary(&config.feeds, now) {
        anstream::eprintln!("{line}");
    }
    Ok(Exit::Fine)
}

/// The same for programs: null where nothing is known.
pub(super) fn politeness_json(config: &Config) -> anyhow::Result<Exit> {
    let knowledge = Knowledge::read(config)?;
    let mut out = anstream::stdout().lock();
    for feed in &config.feeds {
        let requests = requests_of(&knowledge, feed);
        let line = serde_json::json!({
            "id": feed.id.as_str(),
            "requests": requests.made,
            "requests_a_day": requests.a_day(),
            "unconditional": requests.unconditional,
            "early": requests.early,
            "closest_seconds": requests.closest,
        });
        writeln!(out, "{}", json_line(&line.to_string()))?;
    }
    Ok(Exit::Fine)
}

fn requests_of(knowledge: &Knowledge, feed: &Feed) -> Requests {
    let is_of_it = |state: &&FeedState| !state.plan.is_of_another_url(feed);
    let state = knowledge.of(feed).map(|known| known.state.as_ref()).filter(is_of_it);
    state.map(|state| state.plan.requests.clone()).unwrap_or_default()
}

/// All feeds together.
#[derive(Debug, Default)]
struct Sum {
    made: u64,
    unconditional: u64,
    early: u64,
    a_day: f64,
}

impl Sum {
    fn add(&mut self, requests: &Requests) {
        self.made += u64::from(requests.made);
        self.unconditional += u64::from(requests.unconditional);
        self.early += u64::from(requests.early);
        self.a_day += requests.a_day().unwrap_or_default();
    }

    fn text(&self) -> String {
        if self.made == 0 {
            return "no request is known yet".to_owned();
        }
        format!(
            "{}, {} of them without a validator, {} before a publisher had said; some {:.0} a day now",
            counted(usize::try_from(self.made).unwrap_or(usize::MAX), "request"),
            percent(self.unconditional, self.made),
            self.early,
            self.a_day
        )
    }
}

fn percent(part: u64, of: u64) -> String {
    match of {
        0 => String::new(),
        of => format!("{} %", part.saturating_mul(100) / of),
    }
}

#[cfg(test)]
mod tests {
    use cw_model::FailureClass;
    use cw_model::state::{Answered, Carried};

    use super::*;

    #[test]
    fn a_request_is_told_with_what_decided_it_what_lost_what_was_sent_and_what_came() {
        let mut requests = Requests::default();
        assert!(request_lines(&requests).is_empty());
        let first = Request {
            at: 1_772_366_400,
            won: Claim { of: Reason::FirstPoll, wait: 0 },
            lost: None,
            carried: Carried::default(),
            answered: Answered::Document,
            quiet: 600,
        };
        requests.push(first);
        requests.push(Request {
            at: first.at + 900,
            won: Claim { of: Reason::Interval, wait: 900 },
            lost: Some(Claim { of: Reason::Freshness, wait: 600 }),
            carried: Carried { etag: true, date: false },
            answered: Answered::Failed(FailureClass::Busy),
            quiet: 0,
        });
        assert_eq!(
            request_lines(&requests),
            [
                "its last requests, the newest first:",
                "  2026-03-01 12:15:00 UTC  after interval 15m (over freshness 10m); sent If-None-Match; answered busy",
                "  2026-03-01 12:00:00 UTC  the first under its URL; sent no validator; answered document; asked for \
                 10m of quiet",
            ]
        );
        let mut sum = Sum::default();
        assert_eq!(sum.text(), "no request is known yet");
        sum.add(&requests);
        assert_eq!(
            sum.text(),
            "2 requests, 50 % of them without a validator, 0 before a publisher had said; some 96 a day now"
        );
    }
}
