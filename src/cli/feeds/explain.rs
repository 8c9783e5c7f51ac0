//! Explains why a feed is polled when it is.

use std::io::Write as _;

use anyhow::bail;
use cw_decide::process::{PAGES_MAX, TEASER_CHARS_MAX};
use cw_decide::schedule::rhythm::INTERVAL_START;
use cw_decide::subscription::stage;
use cw_model::state::{DAYS, FeedState, FollowedBy, HOURS, MOVE_DAYS, Reason, Rhythm, Trust};
use cw_model::{Feed, FullText, HttpChoice, MovedBy, RedirectPolicy, Skips, Timestamp};
use cw_status::shown::shown;
use url::Url;

use super::super::Exit;
use super::super::check::counted;
use super::super::requests::request_lines;
use super::super::standing::{Knowledge, NextPoll, moment_text};
use super::{hint, next_text, rounded};
use crate::admin::words;
use crate::clock::Clock;
use crate::config::{Config, duration_text, size_text};

/// The same in a sentence's worth of words.
fn next_explained(next: NextPoll) -> String {
    match next {
        NextPoll::In(_) | NextPoll::Due => next_text(next),
        NextPoll::Unwritten(late) => format!(
            "{} ago; it may have been polled since: a poll that changes nothing is written within \
             the hour",
            rounded(late)
        ),
        NextPoll::Overdue(late) => {
            format!("{} ago, and no poll is known since", rounded(late))
        }
        NextPoll::Unowned => "if somebody polled".to_owned(),
        NextPoll::Unknown => "not known".to_owned(),
    }
}

pub(super) fn explain(id: &str, config: &Config) -> anyhow::Result<Exit> {
    let Some(feed) = config.feeds.iter().find(|feed| feed.id.as_str() == id) else {
        if config.disabled.iter().any(|feed| feed.id.as_str() == id) {
            bail!(
                "\"{id}\" is disabled, so it is not polled; `conflictwire feeds enable {id}` changes that"
            );
        }
        let now = Clock::System.now();
        if let Some(state) = Knowledge::read(config)?.of_unconfigured(id) {
            let at = state.plan.polled_at.map_or_else(String::new, |at| moment_text(at, now));
            bail!(
                "no feed has the id \"{id}\" in the configuration, so it is not polled; the ledger \
                 remembers one, polled last at {at}, which goes on from there if it is added again"
            );
        }
        bail!("no feed has the id \"{id}\"; {}", hint(id, &config.feeds));
    };
    let text = explanation(feed, &Knowledge::read(config)?, Clock::System.now());
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Fine)
}

/// Why a feed is polled when it is: what decided, and everything else that had a say.
pub(super) fn explanation(feed: &Feed, knowledge: &Knowledge, now: Timestamp) -> String {
    let mut lines = vec![format!("{}  {}", feed.id, feed.shown(&feed.url))];
    let as_of = knowledge.as_of_text(feed, now);
    let state = knowledge.of(feed).map(|known| known.state.as_ref());
    let Some(state) = state.filter(|state| state.plan.sequence > 0) else {
        lines.push(match knowledge.ignorance() {
            None if knowledge.may_be_forgotten(feed) => {
                "next poll: not known; its lane has lost what was written first, its state perhaps \
                     among it"
                    .to_owned()
            }
            None => {
                "next poll: when a daemon runs that has read its configuration; it has not been \
                     polled before"
                    .to_owned()
            }
            Some(why) => format!("next poll: not known; {why}"),
        });
        lines.extend(as_of);
        return one_line_each(&lines);
    };
    lines.extend(schedule_lines(feed, state, knowledge, now));
    lines.extend(as_of);
    lines.extend(past_lines(feed, state, now));
    lines.extend(hub_lines(state, now));
    lines.extend(trust_text(&state.plan.trust, now));
    lines.extend(identity_text(state));
    lines.extend(local_time_text(state));
    lines.extend(unpublished_text(state));
    lines.extend(share_lines(feed, state));
    lines.extend(request_lines(&state.plan.requests));
    lines.extend(request_line(feed));
    lines.extend(full_text_line(feed));
    one_line_each(&lines)
}

/// How it is asked, if not as all are. Of headers the names alone: their values may be secrets.
fn request_line(feed: &Feed) -> Option<String> {
    let request = feed.request.as_deref()?;
    let mut parts = Vec::new();
    if let Some(user_agent) = &request.user_agent {
        parts.push(format!("as \"{}\" (user_agent)", shown(user_agent)));
    }
    let names: Vec<&str> = request.header_names().collect();
    if !names.is_empty() {
        parts.push(format!("with the headers {}, to its own origin alone", names.join(", ")));
    }
    if !request.roots.is_empty() {
        let roots = counted(request.roots.len(), "certificate");
        parts.push(format!("trusting the {roots} of roots_file alone on its host"));
    }
    match request.redirects {
        RedirectPolicy::Followed => {}
        RedirectPolicy::SameHost => parts.push("following redirects within its host".to_owned()),
        RedirectPolicy::Refused => parts.push("following no redirects".to_owned()),
    }
    match request.http {
        HttpChoice::Best => {}
        HttpChoice::Http1 => parts.push("over HTTP/1.1".to_owned()),
    }
    Some(format!("asked {}", parts.join("; ")))
}

/// Where the full texts are from, if not from the feed.
fn full_text_line(feed: &Feed) -> Option<String> {
    let (chars, pages) = (TEASER_CHARS_MAX, PAGES_MAX);
    (feed.full_text == FullText::Page).then(|| {
        format!(
            "full text: from pages (fulltext), of articles of which the feed gives less than {chars} characters; at \
             most {pages} a poll. `conflictwire poll {}` shows what comes of them",
            feed.id
        )
    })
}

/// When the feed is polled next and how it stands.
fn schedule_lines(
    feed: &Feed,
    state: &FeedState,
    knowledge: &Knowledge,
    now: Timestamp,
) -> [String; 2] {
    let due = knowledge.due(feed, now);
    let at = due.map(|due| due.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let next = format!(
        "next poll: {} ({}), because {}",
        at.unwrap_or_default(),
        next_explained(knowledge.next_poll(feed, now)),
        words::because(due.map(|due| due.why), state.plan.next.reason)
    );
    let polled_at = state.plan.polled_at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let standing = format!(
        "standing: {}, after {}, the last at {}",
        knowledge.standing_text(feed, now),
        counted(usize::try_from(state.plan.sequence).unwrap_or(usize::MAX), "poll"),
        polled_at.unwrap_or_default()
    );
    [next, standing]
}

/// What its polls came to, as far as a person has to know it.
fn past_lines(feed: &Feed, state: &FeedState, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let before = state.plan.url.as_ref().filter(|_| state.plan.is_of_another_url(feed));
    if let Some(url) = before.and_then(|url| Url::parse(url).ok()) {
        lines.push(format!("what follows is of the URL before: {}", feed.shown(&url)));
    }
    lines.push(match state.plan.succeeded_at {
        Some(at) => format!("last answer: {}", moment_text(at, now)),
        None => "last answer: none yet".to_owned(),
    });
    if let Some(failure) = &state.plan.last_failure {
        let (class, at) = (failure.class.name(), moment_text(failure.at, now));
        lines.push(format!("last failure: {at}: {class}: {}", failure.detail));
    }
    if let Some(crash) = state.plan.put_off_for() {
        lines.push(format!(
            "put off since {}, under version {}: asked at once if its configuration, the taxonomy, a \
             lexicon or the version is another",
            crash.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
            crash.under.split(' ').next().unwrap_or_default(),
        ));
    }
    let today = state.plan.today.on_day_of(now);
    if today.left > 0 {
        lines.push(format!(
            "left unread: {} of the last document that was read, for the feed had added as much as it \
             might in a day (now {} or {}); what it still lists is read the next day, or when its quota \
             is raised",
            counted(usize::try_from(today.left).unwrap_or(usize::MAX), "article"),
            counted(usize::try_from(feed.quota.articles).unwrap_or(usize::MAX), "article"),
            size_text(feed.quota.bytes),
        ));
    }
    if let Some(url) = state.plan.moved_to.as_ref().and_then(|url| Url::parse(url).ok()) {
        let url = feed.shown(&url);
        let moves = state.plan.moves;
        lines.push(match moves.days {
            _ if moves.by == MovedBy::DocumentRefused => format!(
                "says that it lives at: {url}, as {}; it is not looked for there again",
                words::moved_by(moves.by)
            ),
            _ if state.plan.lives_at().is_none() => format!(
                "says that it lives at: {url}, as {}; it is looked for there once that was said on {MOVE_DAYS} days, \
                 and followed if the same articles are there",
                words::moved_by(moves.by)
            ),
            MOVE_DAYS.. if moves.by == MovedBy::DocumentConfirmed => format!(
                "moved to: {url}, which is asked first, as {}; change its `url`, with an `id` its state stays",
                words::moved_by(moves.by)
            ),
            MOVE_DAYS.. => format!(
                "moved to: {url}, which is asked first, for permanent redirects led there on {MOVE_DAYS} \
                 days; change its `url`, with an `id` its state stays"
            ),
            _ => format!(
                "moved to: {url}, as its last answer said; change its `url`, with an `id` its state stays"
            ),
        });
    }
    lines
}

/// What is agreed with its hub, if it names one.
fn hub_lines(state: &FeedState, now: Timestamp) -> Vec<String> {
    let Some(hub) = state.plan.subscription.as_deref() else { return Vec::new() };
    let Some(offer) = &hub.offer else { return Vec::new() };
    let standing =
        words::hub(stage(hub, now), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let mut lines = vec![format!("hub: {}; {standing}", offer.hub)];
    if let Some(pushed_at) = hub.pushed_at {
        lines.push(format!("last push: {}", moment_text(pushed_at, now)));
    }
    if hub.missed > 0 {
        let polls = counted(usize::try_from(hub.missed).unwrap_or(usize::MAX), "poll");
        lines.push(format!("not pushed: what {polls} in a row found"));
    }
    lines
}

/// Which validators its requests carry, if not all that it gave, and why.
fn trust_text(trust: &Trust, now: Timestamp) -> Option<String> {
    let (why, since) = trust.distrust?;
    let (sent, why) = (words::sends(trust.sends), words::distrust(why));
    let since = moment_text(since, now);
    Some(format!("validators: {sent}, since {since}: {why}; tried again after 30 days"))
}

/// By what its articles are told apart, and why not by its identifiers alone.
fn identity_text(state: &FeedState) -> Option<String> {
    let FollowedBy { guid, link, content } = state.plan.followed_by;
    let by = [(guid, "identifier (guid)"), (link, "link"), (content, "title and text")];
    let by: Vec<String> = by
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} by {what}"))
        .collect();
    if by.is_empty() {
        return None;
    }
    let memory = state.unpacked_memory();
    let mut why = Vec::new();
    if !memory.repeated_marks.is_empty() {
        why.push(format!(
            "not by {} that stood on several articles",
            counted(memory.repeated_marks.len(), "mark")
        ));
    }
    if !memory.aliases.is_empty() {
        let articles = counted(memory.aliases.len(), "article");
        why.push(format!("{articles} kept the id when the publisher changed the mark"));
    }
    let why: String = why.iter().map(|why| format!("; {why}")).collect();
    Some(format!("identity: of the last document that was read, {}{why}", by.join(", ")))
}

/// In which zone its dates are, if not in the one that they name.
fn local_time_text(state: &FeedState) -> Option<String> {
    let ahead = state.plan.local_time.learned()?;
    let minutes = ahead.as_secs() / 60;
    Some(format!(
        "dates: local time that the feed calls UTC, {}:{:02} ahead by what its new entries showed; taken off, and \
         said of each record (future, zone_learned)",
        minutes / 60,
        minutes % 60
    ))
}

/// Everything that had a say in when it is polled next.
fn share_lines(feed: &Feed, state: &FeedState) -> Vec<String> {
    let plan = &state.plan.next;
    let mut lines = vec![match plan.reason {
        // The plan of the poll before, but for its end.
        Reason::Local => "what had a say when it was asked last:".to_owned(),
        _ => "what had a say at the last poll:".to_owned(),
    }];
    let or_none = |wait: Option<_>| wait.map_or_else(|| "none".to_owned(), rounded);
    for (name, wait, about) in [
        ("interval", rounded(plan.interval), interval_about(feed, state)),
        (
            "freshness",
            or_none(plan.fresh_for),
            "its last answer stays current; cut to interval_max".to_owned(),
        ),
        ("ttl", or_none(plan.ttl), "the feed's own word; cut to interval_max".to_owned()),
        ("backoff", or_none(plan.backoff), "grows with failures in a row".to_owned()),
        (
            "retry after",
            or_none(plan.retry_after),
            "what the server asked for; cut to retry_after_max".to_owned(),
        ),
        ("jitter", rounded(plan.jitter), "added so that feeds do not move in step".to_owned()),
    ] {
        lines.push(format!("  {name:<12}{wait:<14}{about}"));
    }
    lines.extend(plan.safety_net.map(|wait| {
        let about = "its hub pushes, so its interval may be longer";
        format!("  {:<12}{:<14}{about}", "safety net", rounded(wait))
    }));
    lines.extend(skips_text(plan.skips));
    lines.extend(state.plan.rhythm.as_ref().map(|rhythm| rhythm_text(rhythm, state.plan.sequence)));
    lines
}

/// When a feed says that it is not to be asked.
fn skips_text(skips: Skips) -> Option<String> {
    let all = words::skips(skips)?;
    Some(format!("  {:<12}{all} (UTC): the feed's own word", "skips"))
}

/// What its interval is learned from, once so many polls have said enough of it.
fn rhythm_text(rhythm: &Rhythm, polls: u64) -> String {
    if polls < words::RHYTHM_POLLS_MIN {
        let polls = counted(usize::try_from(polls).unwrap_or(usize::MAX), "poll");
        return format!("  {:<12}not known yet ({polls})", "rhythm");
    }
    let hours: Vec<f64> = (0..HOURS).map(|hour| rhythm.rate(hour)).collect();
    let days: Vec<f64> = (0..DAYS).map(|day| rhythm.day(day)).collect();
    let burst = match rhythm.turnover {
        0 => String::new(),
        turnover => {
            let turnover = rounded(std::time::Duration::from_secs(turnover.into()));
            format!("; lately all that it lists was new within some {turnover}")
        }
    };
    format!(
        "  {:<12}some {:.1} entries a day; by hour from 0 (UTC) {}, by day from Monday {}{burst}",
        "rhythm",
        rhythm.rate_of_a_day(),
        bars(&hours),
        bars(&days)
    )
}

/// Numbers as bars, the largest as the highest.
fn bars(numbers: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = numbers.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let bar = |number: &f64| {
        let above = BARS.iter().skip(1).zip(1_u32..);
        let reached =
            above.take_while(|(_, step)| number / largest * 7.0 + 0.5 >= f64::from(*step));
        reached.last().map_or(BARS[0], |(bar, _)| *bar)
    };
    numbers.iter().map(bar).collect()
}

/// Where the interval of a state's plan comes from, and what it would be now if that is another.
fn interval_about(feed: &Feed, state: &FeedState) -> String {
    let (min, max) = (duration_text(feed.interval_min), duration_text(feed.interval_max));
    let (source, now) = match (feed.interval, state.plan.interval) {
        (Some(interval), _) => ("as configured", interval),
        (None, Some(learned)) => ("learned", learned),
        (None, None) => ("to begin with", INTERVAL_START),
    };
    let now = now.clamp(feed.interval_min, feed.interval_max);
    if now == state.plan.next.interval {
        format!("{source}, within {min} to {max}")
    } else {
        format!("now {} {source}, within {min} to {max}", rounded(now))
    }
}

/// Lines as they may be shown: a publisher's answer or a file of feeds can begin none of its own.
fn one_line_each(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{}\n", shown(line))).collect()
}

/// What waits for room in the topics.
fn unpublished_text(state: &FeedState) -> Option<String> {
    let unpublished = state.unpacked_memory().unpublished;
    let largest = unpublished.values().map(|one| one.room.bytes).max()?;
    Some(format!(
        "not published: {} too large for the topics, the largest takes {largest} bytes; published once \
         max.message.bytes leaves room",
        counted(unpublished.len(), "article")
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cw_decide::States;
    use cw_model::state::{
        Crash, Distrust, FeedMemory, FeedPlan, HubLease, LastFailure, LocalTime, Offer, Pause,
        PauseReason, Plan, Sends, Standing, Subscription, UnpackedState,
    };
    use cw_model::{ArticleId, FailureClass};

    use super::super::super::standing::{in_database_of as in_database, trials};
    use super::super::tests::configured;
    use super::*;

    /// Most comes at eight, and less on Sundays.
    fn uneven() -> Rhythm {
        let mut rhythm = Rhythm::steady(1.0, 20_000);
        rhythm.set_rate(8, 8.0);
        rhythm.set_day(6, 0.5);
        rhythm.turnover = 900;
        rhythm
    }

    #[test]
    fn an_explanation_has_everything_that_had_a_say() {
        let (_directory, config) = configured();
        let feed = config.feeds.first().unwrap();
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let seconds = |count| Some(Duration::from_secs(count));
        let plan = FeedPlan {
            rhythm: Some(uneven()),
            sequence: 12,
            standing: Standing::Failing,
            failures: 2,
            polled_at: Some(now),
            last_failure: Some(Box::new(LastFailure {
                class: FailureClass::Busy,
                detail: "the server answered 429".to_owned(),
                at: now,
            })),
            next: Plan {
                due_at: Some("2026-03-01T13:00:00Z".parse().unwrap()),
                reason: Reason::RetryAfter,
                interval: Duration::from_secs(900),
                fresh_for: seconds(600),
                ttl: None,
                skips: Skips { hours: 0b11, days: 1 << 6 },
                backoff: seconds(1800),
                retry_after: seconds(3600),
                jitter: Duration::from_millis(1500),
                ..Plan::default()
            },
            ..FeedPlan::default()
        };
        let state = FeedState { plan, ..FeedState::default() };
        let expected = "\
a  https://a.example/rss
next poll: 2026-03-01 13:00:00 UTC (in 1h), because the server asked to wait
standing: failing: busy, 2 times, after 12 polls, the last at 2026-03-01 12:00:00 UTC
as of: 2026-03-01 12:00:00 UTC (0s ago); read from \"/var/a.sqlite\"; a daemon has it open (process 42)
last answer: none yet
last failure: 2026-03-01 12:00:00 UTC (0s ago): busy: the server answered 429
what had a say at the last poll:
  interval    15m           to begin with, within 5m to 4h
  freshness   10m           its last answer stays current; cut to interval_max
  ttl         none          the feed's own word; cut to interval_max
  backoff     30m           grows with failures in a row
  retry after 1h            what the server asked for; cut to retry_after_max
  jitter      1s            added so that feeds do not move in step
  skips       0h 1h Sun (UTC): the feed's own word
  rhythm      some 31.0 entries a day; by hour from 0 (UTC) ▂▂▂▂▂▂▂▂█▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂, by day from Monday ██████▅; \
lately all that it lists was new within some 15m
";
        let known = |state: FeedState| in_database([(feed.id.clone(), state.into())].into());
        assert_eq!(explanation(feed, &known(state.clone()), now), expected);
        let nothing = in_database(States::new());
        assert!(explanation(feed, &nothing, now).contains("it has not been polled before"));
        let wanting = Feed { full_text: FullText::Page, ..feed.clone() };
        let text = explanation(&wanting, &known(state.clone()), now);
        assert!(text.contains("full text: from pages"), "{text}");

        // The configuration has changed since: what was so then is not said to be so now.
        let faster = Feed { interval: Some(Duration::from_secs(600)), ..feed.clone() };
        let text = explanation(&faster, &known(state.clone()), now);
        assert!(text.contains("interval    15m           now 10m as configured, within"), "{text}");
        let elsewhere = Feed { url: "https://b.example/rss".parse().unwrap(), ..feed.clone() };
        let mut old = state;
        old.plan.url = Some("https://a.example/rss?key=1".into());
        let text = explanation(&elsewhere, &known(old), now);
        for words in [
            "next poll: 2026-03-01 12:00:00 UTC (due), because its URL is another since its last poll",
            "standing: not polled yet under its URL; under the one before: failing: busy, 2 times",
            "what follows is of the URL before: https://a.example/rss",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(!text.contains("key=1"), "{text}");
    }

    #[test]
    fn two_polls_are_no_rhythm_yet() {
        let (_directory, config) = configured();
        let feed = config.feeds.first().unwrap();
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let plan = FeedPlan {
            rhythm: Some(uneven()),
            sequence: 2,
            polled_at: Some(now),
            ..FeedPlan::default()
        };
        let state = FeedState { plan, ..FeedState::default() };
        let text = explanation(feed, &in_database([(feed.id.clone(), state.into())].into()), now);
        assert!(text.contains("  rhythm      not known yet (2 polls)\n"), "{text}");
    }

    #[test]
    fn by_what_articles_are_known_and_what_is_wrong_with_dates_is_said() {
        assert_eq!(identity_text(&FeedState::default()), None);
        assert_eq!(local_time_text(&FeedState::default()), None);
        let plan = FeedPlan {
            followed_by: FollowedBy { guid: 20, link: 3, content: 0 },
            local_time: LocalTime { minutes: 330, votes: 3 },
            ..FeedPlan::default()
        };
        let memory = FeedMemory {
            repeated_marks: ["/live".to_owned()].into(),
            aliases: [(ArticleId([1; 16]), ArticleId([2; 16]))].into(),
            ..FeedMemory::default()
        };
        let state = UnpackedState { plan, memory }.pack();
        assert_eq!(
            identity_text(&state).unwrap(),
            "identity: of the last document that was read, 20 by identifier (guid), 3 by link; not by 1 mark \
             that stood on several articles; 1 article kept the id when the publisher changed the mark"
        );
        assert_eq!(
            local_time_text(&state).unwrap(),
            "dates: local time that the feed calls UTC, 5:30 ahead by what its new entries showed; taken off, \
             and said of each record (future, zone_learned)"
        );
    }

    #[test]
    fn what_is_agreed_with_a_hub_is_said() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert!(hub_lines(&FeedState::default(), now).is_empty());
        let told = |hub: Subscription| {
            let plan = FeedPlan { subscription: Some(Box::new(hub)), ..FeedPlan::default() };
            hub_lines(&FeedState { plan, ..FeedState::default() }, now)
        };
        let (hub, topic) = ("https://h.example/".to_owned(), "https://a.example/rss".to_owned());
        let offer = Some(Offer { hub, topic });
        let fresh = Subscription { offer: offer.clone(), ..Subscription::default() };
        let expected = "hub: https://h.example/; not subscribed; [websub] in the configuration says whether it \
                        is asked";
        assert_eq!(told(fresh.clone()), [expected]);
        assert!(told(Subscription { generation: 2, ..Subscription::default() }).is_empty());
        let until = now + Duration::from_secs(86_400);
        let lease = Some(HubLease { since: now, granted_at: now, until });
        let pushing = Subscription { lease, pushed_at: Some(now), missed: 2, ..fresh.clone() };
        let expected = [
            "hub: https://h.example/; it pushes until 2026-03-02 12:00:00 UTC",
            "last push: 2026-03-01 12:00:00 UTC (0s ago)",
            "not pushed: what 2 polls in a row found",
        ];
        assert_eq!(told(pushing), expected);
        for (why, words) in [
            (PauseReason::Failed, "not subscribed; asked again after 2026-03-02"),
            (PauseReason::Refused, "it refused; asked again after 2026-03-02"),
            (PauseReason::Unreliable, "unreliable: it did not push what polls found"),
        ] {
            let told = told(Subscription { pause: Some(Pause { until, why }), ..fresh.clone() });
            assert!(told.concat().contains(words), "{told:?}");
        }
        assert!(
            told(Subscription { asked_at: Some(now), ..fresh }).concat().contains("not verified")
        );
    }

    #[test]
    fn which_validators_are_not_sent_is_said_with_the_reason() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(trust_text(&Trust::default(), now), None);
        let distrust = Some((Distrust::Refused, now));
        let trust = Trust { sends: Sends::Nothing, distrust, ..Trust::default() };
        assert_eq!(
            trust_text(&trust, now).unwrap(),
            "validators: none is sent, so that it always answers with the whole document, since \
             2026-03-01 12:00:00 UTC (0s ago): its server answers a request with more wrongly, and one \
             without rightly; tried again after 30 days"
        );
    }

    #[test]
    fn a_feed_that_is_put_off_says_what_for_and_how_to_lift_it() {
        let (_directory, config) = configured();
        let feed = config.feeds.first().unwrap();
        let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let under = trials().under(feed);
        let plan = FeedPlan {
            sequence: 3,
            standing: Standing::Failing,
            failures: 1,
            polled_at: Some(at),
            last_failure: Some(Box::new(LastFailure {
                class: FailureClass::Crash,
                detail: "the document ended the process that read it: signal: 6".to_owned(),
                at,
            })),
            next: Plan {
                due_at: Some("2026-03-08T12:00:00Z".parse().unwrap()),
                reason: Reason::Crash,
                ..Plan::default()
            },
            crash: Some(Box::new(Crash { under: under.clone(), at })),
            ..FeedPlan::default()
        };
        let state = FeedState { plan, ..FeedState::default() };
        let known = in_database([(feed.id.clone(), state.into())].into());
        let text = explanation(feed, &known, at);
        let expected = "\
next poll: 2026-03-08 12:00:00 UTC (in 7d), because its document ended the process that read it; such \
a feed is asked weekly
standing: put off: its document ends the process that reads it, after 3 polls, the last at 2026-03-01 \
12:00:00 UTC
as of: 2026-03-01 12:00:00 UTC (0s ago); read from \"/var/a.sqlite\"; a daemon has it open (process 42)
last answer: none yet
last failure: 2026-03-01 12:00:00 UTC (0s ago): crash: the document ended the process that read it: \
signal: 6
put off since 2026-03-01 12:00:00 UTC, under version 0.1.0: asked at once if its configuration, the \
taxonomy, a lexicon or the version is another
";
        assert!(text.contains(expected), "{text}");
    }
}
