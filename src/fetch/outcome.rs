//! Says what an answer's status and headers mean.
//!
//! Following a redirect is `redirect`'s, reading a body `body`'s. Status codes are RFC 9110's,
//! freshness RFC 9111's. Header values are outside data: they are believed within bounds, and
//! validators are kept byte for byte or not at all.

use std::time::Duration;

use cw_model::{Failure, FailureClass, Freshness, HubLinks, Instance, Timestamp, Validators};
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// The longest `ETag` kept. Real ones reach some 600 bytes; a longer one is a way to make us
/// store and repeat what somebody else chose.
const ETAG_BYTES_MAX: usize = 1024;

/// The longest `Last-Modified` kept: several times any date.
const LAST_MODIFIED_BYTES_MAX: usize = 128;

/// What a number of seconds too large to count is taken for (RFC 9111, 1.2.2).
const SECONDS_MAX: u64 = 1 << 31;

/// An answer without its body.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    /// The status code.
    pub status: u16,
    /// Names in lower case, values as sent, in the order received.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// Every value of a header.
    pub(super) fn values(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_slice())
    }

    /// The first value of a header, if it is text.
    pub(super) fn text(&self, name: &'static str) -> Option<&str> {
        self.values(name).next().and_then(|value| std::str::from_utf8(value).ok()).map(str::trim)
    }

    /// Every value of a header that is a list, as one list.
    pub(super) fn list(&self, name: &'static str) -> String {
        let values: Vec<_> = self.values(name).map(String::from_utf8_lossy).collect();
        values.join(",")
    }
}

/// Whether a request carried validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// "Only if it changed."
    Conditionally,
    /// "Whatever it is."
    Plainly,
}

/// How long a redirect is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// 301, 308.
    Permanent,
    /// 302, 303, 307.
    Temporary,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// There is a body worth reading.
    Body,
    /// What we hold is current.
    NotModified,
    /// Ask there.
    Redirect(Move),
    /// Nothing to be had now.
    Failed(Failure),
}

/// Says what an answer from `host` means.
pub(super) fn meaning(head: &Head, asked: Asked, host: &str, now: Timestamp) -> Meaning {
    let class = match head.status {
        // Some that allow no more requests say 403 and mean 429.
        403 if rate_limit(head, now).is_some() => FailureClass::Busy,
        _ if is_challenge(head) => FailureClass::BotChallenge,
        // 203 is a 200 that a proxy touched, 226 what is new of a feed (RFC 3229).
        200 | 203 | 226 => return Meaning::Body,
        304 if asked == Asked::Conditionally => return Meaning::NotModified,
        301 | 308 => return Meaning::Redirect(Move::Permanent),
        302 | 303 | 307 => return Meaning::Redirect(Move::Temporary),
        // Of several choices, the one that the server prefers (RFC 9110, 15.4.1).
        300 if head.text("location").is_some() => return Meaning::Redirect(Move::Temporary),
        204 | 205 => FailureClass::Empty,
        401 | 403 | 407 | 451 => FailureClass::Forbidden,
        404 => FailureClass::NotFound,
        410 => FailureClass::Gone,
        429 | 503 => FailureClass::Busy,
        500..=599 => FailureClass::Server,
        _ => FailureClass::Status,
    };
    let retry_after = retry_after(head, class, now);
    let detail = detail(head.status, class, host, retry_after);
    Meaning::Failed(Failure { class, detail, retry_after })
}

/// Whether the answer is a page that asks whether we are human: Cloudflare's header, and that of
/// Amazon's firewall, which answers 202 and so looks like success.
fn is_challenge(head: &Head) -> bool {
    let says = |name: &'static str, words: &[&str]| {
        head.text(name)
            .is_some_and(|value| words.iter().any(|word| value.eq_ignore_ascii_case(word)))
    };
    says("cf-mitigated", &["challenge"]) || says("x-amzn-waf-action", &["challenge", "captcha"])
}

fn detail(status: u16, class: FailureClass, host: &str, retry_after: Option<Duration>) -> String {
    let meaning = match (class, status) {
        (FailureClass::BotChallenge, _) => {
            "with a page that asks whether we are human; ask the publisher to let feed readers in"
        }
        (FailureClass::Empty, _) => "without a body",
        (FailureClass::NotFound, _) => "(not found); the feed may have moved",
        (FailureClass::Gone, _) => "(gone); the publisher has withdrawn the feed",
        (FailureClass::Busy, 403 | 429) => "(too many requests)",
        (FailureClass::Busy, _) => "(service unavailable)",
        (_, 401) => "(unauthorized)",
        (_, 403) => "(forbidden)",
        (_, 407) => "(proxy authentication required)",
        (_, 451) => "(unavailable for legal reasons)",
        (_, 304) => "(not modified) to a request without validators",
        (_, 500) => "(internal server error)",
        (_, 502) => "(bad gateway)",
        (_, 504) => "(gateway timeout)",
        (_, 206) => "(partial content) to a request for the whole",
        _ => "where a feed was expected",
    };
    let wait = retry_after.map(|wait| format!("; it asks to wait {}s", wait.as_secs()));
    format!("{host} answered {status} {meaning}{}", wait.unwrap_or_default())
}

/// What the server asks to wait. Without `Retry-After`, an answer that says "too many requests"
/// and stays fresh for a while says the same.
fn retry_after(head: &Head, class: FailureClass, now: Timestamp) -> Option<Duration> {
    let asked = head.text("retry-after").and_then(|value| {
        seconds(value).or_else(|| {
            // Relative to the server's own clock, if it tells: ours may differ.
            let sent_at = head.text("date").and_then(http_date).unwrap_or(now);
            http_date(value).map(|until| until_from(until, sent_at))
        })
    });
    let busy = class == FailureClass::Busy;
    let reset = || quota_reset(head, now).filter(|_| busy);
    asked.or_else(reset).or_else(|| freshness(head, now).0.filter(|fresh| busy && !fresh.is_zero()))
}

/// How long no more requests are allowed, if none is left now: by `RateLimit` (draft-ietf-httpapi-ratelimit-headers,
/// in the forms of its seventh and its later drafts), or by the headers of each own that came before it.
pub(super) fn rate_limit(head: &Head, now: Timestamp) -> Option<Duration> {
    let remaining = own_header(head, REMAINING).or_else(|| quota(head, &["remaining", "r"]))?;
    (remaining < 1.0).then(|| quota_reset(head, now)).flatten()
}

/// The names that a number of requests left has gone by.
const REMAINING: [&str; 3] =
    ["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"];

/// The names that its end has gone by.
const RESET: [&str; 3] = ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"];

/// A number larger than this is no count of seconds but a time, in seconds since 1970: 2001.
const EPOCH_MIN: f64 = 1e9;

/// And one larger than this is one in milliseconds.
const EPOCH_MILLIS_MIN: f64 = 1e12;

/// When requests are allowed again.
fn quota_reset(head: &Head, now: Timestamp) -> Option<Duration> {
    let reset = own_header(head, RESET).or_else(|| quota(head, &["reset", "t"]))?;
    let from = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    let since_1970 = match reset {
        reset if reset >= EPOCH_MILLIS_MIN => reset / 1000.0,
        reset if reset >= EPOCH_MIN => reset,
        reset => return from(reset.clamp(0.0, EPOCH_MIN)),
    };
    let until = from(since_1970).and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok())?;
    Some(until_from(until, now))
}

fn own_header(head: &Head, names: [&'static str; 3]) -> Option<f64> {
    names.into_iter().find_map(|name| number(head.text(name)?.split([',', ';']).next()?))
}

/// A parameter of `RateLimit`, of the quota of which the least is left.
fn quota(head: &Head, names: &[&str]) -> Option<f64> {
    let text = head.list("ratelimit");
    let values = text.split([',', ';']).filter_map(|part| part.split_once('='));
    let named = values.filter(|(name, _)| names.contains(&name.trim()));
    named.filter_map(|(_, value)| number(value)).reduce(f64::min)
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
}

/// How long an answer stays current (RFC 9111, 4.2): `max-age`, else `Expires` less `Date`,
/// `Age` taken off. `s-maxage` speaks to shared caches, which we are not. Zero if the answer says
/// it is never current; `None` if it says nothing.
pub(super) fn freshness(head: &Head, now: Timestamp) -> Freshness {
    let age = head.text("age").and_then(seconds).unwrap_or_default();
    let control = head.list("cache-control");
    let directives = || control.split(',').map(|directive| directive.trim());
    let forbids = |directive: &str| {
        let name = directive.split('=').next().unwrap_or_default();
        ["no-cache", "no-store"].iter().any(|word| name.trim().eq_ignore_ascii_case(word))
    };
    if directives().any(forbids) {
        return Freshness(Some(Duration::ZERO));
    }
    let max_age = directives().find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("max-age");
        named.then(|| seconds(value.trim().trim_matches('"')).unwrap_or_default())
    });
    let lifetime = max_age.or_else(|| {
        let expires = head.text("expires")?;
        let sent_at = head.text("date").and_then(http_date).unwrap_or(now);
        // "0" and other text that is no date mean: already expired (RFC 9111, 5.3).
        Some(http_date(expires).map_or(Duration::ZERO, |until| until_from(until, sent_at)))
    });
    Freshness(lifetime.map(|lifetime| lifetime.saturating_sub(age)))
}

/// The validators of an answer, byte for byte; one that is too long, empty or not plain ASCII is
/// left out rather than changed.
pub(super) fn validators(head: &Head) -> Validators {
    let plain = |name: &'static str, bytes_max: usize| {
        let value = head.values(name).next()?;
        let printable = value.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let kept = !value.is_empty() && value.len() <= bytes_max && printable;
        kept.then(|| String::from_utf8_lossy(value).into_owned())
    };
    Validators {
        etag: plain("etag", ETAG_BYTES_MAX),
        last_modified: plain("last-modified", LAST_MODIFIED_BYTES_MAX),
    }
}

/// Whole seconds, not negative; a number beyond counting is the largest we count.
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = digits.then(|| text.parse().unwrap_or(SECONDS_MAX).min(SECONDS_MAX))?;
    Some(Duration::from_secs(value))
}

fn until_from(until: Timestamp, from: Timestamp) -> Duration {
    // Negative if it has passed already, which is no wait.
    let wait = Duration::try_from(until.duration_since(from)).unwrap_or(Duration::ZERO);
    wait.min(Duration::from_secs(SECONDS_MAX))
}

/// Reads an HTTP date in any of its three forms (RFC 9110, 5.6.7). A wrong weekday is overlooked.
fn http_date(text: &str) -> Option<Timestamp> {
    const READER: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    // RFC 850, asctime, and the usual form once more for the end of the year 9999, a common
    // "never" that lies past the last instant we can count.
    const FORMS: [&str; 3] =
        ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S GMT"];
    let other = || {
        let civil = FORMS.iter().find_map(|form| DateTime::strptime(form, text).ok())?;
        let zoned = civil.to_zoned(TimeZone::UTC);
        Some(zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp()))
    };
    READER.parse_timestamp(text).ok().or_else(other)
}

/// Whether a body is a page and no feed, as far as its first bytes tell.
pub(super) fn is_page(bytes: &[u8]) -> bool {
    const STARTS: [&[u8]; 2] = [b"<!doctype html", b"<html"];
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |start: &&[u8]| {
        text.get(..start.len()).is_some_and(|first| first.eq_ignore_ascii_case(start))
    };
    STARTS.iter().any(begins)
}

/// The redirect that a page makes of itself (`<meta http-equiv="refresh" content="0; url=…">`), as one of
/// HTTP; `None` if it makes none.
pub(super) fn refresh(head: &Head, bytes: &[u8]) -> Option<Head> {
    if !is_page(bytes) {
        return None;
    }
    let start = bytes.get(..bytes.len().min(PAGE_HEAD_BYTES)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let lower = text.to_ascii_lowercase();
    let tags = lower.match_indices("<meta").filter_map(|(at, _)| {
        let end = lower.get(at..)?.find('>')?;
        text.get(at..at + end)
    });
    let location = tags.filter_map(refresh_of_tag).next()?;
    let others = head.headers.iter().filter(|(name, _)| name != "location").cloned();
    let headers = others.chain([("location".to_owned(), location.into_bytes())]).collect();
    Some(Head { status: head.status, headers })
}

/// So much of a page is looked into: its head comes first.
const PAGE_HEAD_BYTES: usize = 16 * 1024;

/// Where a `meta` tag sends browsers.
fn refresh_of_tag(tag: &str) -> Option<String> {
    if !attribute(tag, "http-equiv")?.eq_ignore_ascii_case("refresh") {
        return None;
    }
    let content = attribute(tag, "content")?;
    let (_seconds, target) = content.split_once([';', ','])?;
    let (name, url) = target.split_once('=')?;
    let url = url.trim().trim_matches(['"', '\'']).replace("&amp;", "&");
    (name.trim().eq_ignore_ascii_case("url") && !url.is_empty()).then_some(url)
}

/// The value of an attribute of a tag, with or without quotes.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let at = tag.to_ascii_lowercase().find(name)?;
    let value = tag.get(at + name.len()..)?.trim_start().strip_prefix('=')?.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next(),
        _ => value.split([' ', '\t', '\n', '/']).next(),
    }
}

/// How much of a document an answer is (RFC 3229).
pub(super) fn instance(head: &Head) -> Instance {
    let lists = |name: &'static str, word: &str| {
        head.list(name).split([',', ';']).any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    match head.status {
        226 => Instance::Delta,
        _ if lists("vary", "a-im") || lists("im", "feed") => Instance::DeltasOffered,
        _ => Instance::Whole,
    }
}

/// The most of `Link` headers that is read, bytes. Pages name dozens of files in them, feeds two or three URLs.
const LINK_BYTES_MAX: usize = 16 * 1024;

/// What an answer says of a hub (RFC 8288): `Link: <https://hub.example/>; rel="hub"`.
pub(super) fn hub_links(head: &Head) -> HubLinks {
    let text = head.list("link");
    let mut rest = text.get(..text.floor_char_boundary(LINK_BYTES_MAX)).unwrap_or_default();
    let mut links = HubLinks::default();
    while let Some((target, after)) =
        rest.split_once('<').and_then(|(_, from)| from.split_once('>'))
    {
        // The parameters of a link end where the next begins; no relation has an angle bracket in it.
        let parameters = after.split('<').next().unwrap_or_default();
        let rel = parameters.split([';', ',']).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"'))
        });
        for relation in rel.unwrap_or_default().split_ascii_whitespace() {
            links.add(relation, target);
        }
        rest = after;
    }
    links
}

/// `Content-Type`, as sent, if it is text at all.
pub(super) fn content_type(head: &Head) -> Option<String> {
    head.text("content-type").filter(|value| !value.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2025-03-04T12:00:00Z";

    fn head(status: u16, headers: &[(&str, &str)]) -> Head {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Head { status, headers: headers.iter().map(owned).collect() }
    }

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn failure(head: &Head) -> Failure {
        match meaning(head, Asked::Plainly, "example.org", now()) {
            Meaning::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_status_has_one_meaning() {
        let cases = [
            (202, FailureClass::Status),
            (204, FailureClass::Empty),
            (205, FailureClass::Empty),
            (206, FailureClass::Status),
            (300, FailureClass::Status),
            (304, FailureClass::Status),
            (400, FailureClass::Status),
            (401, FailureClass::Forbidden),
            (403, FailureClass::Forbidden),
            (404, FailureClass::NotFound),
            (407, FailureClass::Forbidden),
            (410, FailureClass::Gone),
            (418, FailureClass::Status),
            (429, FailureClass::Busy),
            (451, FailureClass::Forbidden),
            (500, FailureClass::Server),
            (502, FailureClass::Server),
            (503, FailureClass::Busy),
            (522, FailureClass::Server),
            (999, FailureClass::Status),
        ];
        for (status, class) in cases {
            assert_eq!(failure(&head(status, &[])).class, class, "{status}");
        }
        for status in [200, 203, 226] {
            let meaning = meaning(&head(status, &[]), Asked::Plainly, "example.org", now());
            assert_eq!(meaning, Meaning::Body, "{status}");
        }
        for (status, kind) in [
            (301, Move::Permanent),
            (302, Move::Temporary),
            (303, Move::Temporary),
            (307, Move::Temporary),
            (308, Move::Permanent),
        ] {
            let meaning = meaning(&head(status, &[]), Asked::Plainly, "example.org", now());
            assert_eq!(meaning, Meaning::Redirect(kind), "{status}");
        }
    }

    #[test]
    fn links_of_the_answer_name_the_hub() {
        let check = |values: &[&str], hub: Option<&str>, topic: Option<&str>| {
            let headers: Vec<_> = values.iter().map(|value| ("link", *value)).collect();
            let expected =
                HubLinks { hub: hub.map(str::to_owned), topic: topic.map(str::to_owned) };
            assert_eq!(hub_links(&head(200, &headers)), expected, "{values:?}");
        };
        let (hub, topic) = (Some("https://h.example/?a,b"), Some("https://a.example/f"));
        check(&[], None, None);
        check(
            &["<https://h.example/?a,b>; rel=\"hub\", <https://a.example/f>; rel=self"],
            hub,
            topic,
        );
        check(
            &["<https://a.example/f>;rel=\"self\"", "<https://h.example/?a,b>; title=x ; REL=HUB"],
            hub,
            topic,
        );
        check(&["<https://a.example/f>; rel=\"alternate self\"; type=\"a/b\""], None, topic);
        check(&["</next>; rel=next, <>; rel=hub, nonsense, <unclosed; rel=hub"], None, None);
        let padding = "x".repeat(LINK_BYTES_MAX);
        check(&[&format!("<{padding}>; rel=next"), "<https://h.example/>; rel=hub"], None, None);
    }

    #[test]
    fn not_modified_answers_only_a_conditional_request() {
        let head = head(304, &[]);
        let conditional = meaning(&head, Asked::Conditionally, "example.org", now());
        assert_eq!(conditional, Meaning::NotModified);
        assert_eq!(
            failure(&head).detail,
            "example.org answered 304 (not modified) to a request without validators"
        );
    }

    #[test]
    fn a_challenge_is_not_a_refusal() {
        for head in [
            head(403, &[("cf-mitigated", "challenge")]),
            head(503, &[("cf-mitigated", "challenge")]),
            head(200, &[("cf-mitigated", "challenge")]),
            head(202, &[("x-amzn-waf-action", "challenge")]),
            head(405, &[("x-amzn-waf-action", "captcha")]),
        ] {
            assert_eq!(failure(&head).class, FailureClass::BotChallenge, "{head:?}");
        }
        assert_eq!(
            failure(&head(403, &[("cf-mitigated", "block")])).class,
            FailureClass::Forbidden
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        #[track_caller]
        fn check(headers: &[(&str, &str)], seconds: Option<u64>) {
            let waited = failure(&head(429, headers)).retry_after;
            assert_eq!(waited, seconds.map(Duration::from_secs), "{headers:?}");
        }
        check(&[("retry-after", "5")], Some(5));
        check(&[("retry-after", " 5 ")], Some(5));
        check(&[("retry-after", "0")], Some(0));
        check(&[("retry-after", "999999")], Some(999_999));
        check(&[("retry-after", "99999999999999999999999")], Some(SECONDS_MAX));
        check(&[("retry-after", "-1")], None);
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "")], None);
        check(&[], None);
        check(&[("retry-after", "Tue, 04 Mar 2025 12:00:30 GMT")], Some(30));
        check(&[("retry-after", "Mon, 04 Mar 2025 12:00:30 GMT")], Some(30));
        check(&[("retry-after", "Tuesday, 04-Mar-25 12:00:30 GMT")], Some(30));
        check(&[("retry-after", "Tue Mar  4 12:00:30 2025")], Some(30));
        check(&[("retry-after", "Tue, 04 Mar 2025 11:00:00 GMT")], Some(0));
        check(&[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")], Some(SECONDS_MAX));
        let fast_clock = ("date", "Tue, 04 Mar 2025 15:00:00 GMT");
        check(&[fast_clock, ("retry-after", "Tue, 04 Mar 2025 15:00:07 GMT")], Some(7));
        check(&[("cache-control", "max-age=300")], Some(300));
        check(&[("cache-control", "max-age=300"), ("retry-after", "5")], Some(5));
        check(&[("cache-control", "no-store")], None);
    }

    #[test]
    fn a_rate_limit_that_is_used_up_is_a_wish_to_wait() {
        #[track_caller]
        fn check(headers: &[(&str, &str)], seconds: Option<u64>) {
            let waited = rate_limit(&head(200, headers), now());
            assert_eq!(waited, seconds.map(Duration::from_secs), "{headers:?}");
        }
        check(&[], None);
        check(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "40")], Some(40));
        check(&[("x-ratelimit-remaining", "0.0"), ("x-ratelimit-reset", "40")], Some(40));
        check(&[("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "1741089900")], Some(300));
        check(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "1741089900000")], Some(300));
        check(&[("ratelimit", "limit=100, remaining=0, reset=50")], Some(50));
        check(&[("ratelimit", "\"default\";r=0;t=30")], Some(30));
        check(&[("ratelimit", "\"hour\";r=9;t=3000, \"minute\";r=0;t=30")], Some(30));
        check(&[("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "40")], None);
        check(&[("x-ratelimit-remaining", "0")], None);
        check(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "soon")], None);
        check(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "-4")], None);
        check(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1741080000")], Some(0));
    }

    #[test]
    fn a_refusal_for_too_many_requests_is_busy_whatever_its_status() {
        let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "40")];
        let failed = failure(&head(403, &used_up));
        assert_eq!(
            (failed.class, failed.retry_after),
            (FailureClass::Busy, Some(Duration::from_secs(40)))
        );
        let failed = failure(&head(429, &[("x-ratelimit-reset", "40")]));
        assert_eq!(failed.retry_after, Some(Duration::from_secs(40)));
        let failed = failure(&head(429, &[("x-ratelimit-reset", "40"), ("retry-after", "9")]));
        assert_eq!(failed.retry_after, Some(Duration::from_secs(9)));
    }

    #[test]
    fn a_page_that_sends_browsers_on_is_a_redirect() {
        #[track_caller]
        fn check(page: &str, expected: Option<&str>) {
            let next = refresh(&head(200, &[("location", "/ignored")]), page.as_bytes());
            let location = next.as_ref().and_then(|head| head.text("location"));
            assert_eq!(location, expected, "{page}");
        }
        let page = |tag: &str| format!("<!DOCTYPE html><html><head>{tag}</head></html>");
        check(
            &page("<META HTTP-EQUIV=\"Refresh\" CONTENT=\"0; URL=/feed.xml\">"),
            Some("/feed.xml"),
        );
        check(
            &page("<meta content='5;url=http://a.org/?a=1&amp;b=2' http-equiv=refresh>"),
            Some("http://a.org/?a=1&b=2"),
        );
        check(&page("<meta http-equiv=\"refresh\" content=\"0;url='/feed'\"/>"), Some("/feed"));
        check(&page("<meta http-equiv=refresh content=30>"), None);
        check(&page("<meta name=description content='0;url=/x'>"), None);
        check(&page(""), None);
        check("<rss><meta http-equiv=refresh content='0;url=/x'></rss>", None);
    }

    #[test]
    fn only_busy_takes_freshness_for_a_wish_to_wait() {
        let head = head(404, &[("cache-control", "max-age=300")]);
        assert_eq!(failure(&head).retry_after, None);
    }

    #[test]
    fn a_wait_is_told() {
        assert_eq!(
            failure(&head(503, &[("retry-after", "120")])).detail,
            "example.org answered 503 (service unavailable); it asks to wait 120s"
        );
    }

    #[test]
    fn freshness_is_max_age_or_expires_less_age() {
        #[track_caller]
        fn check(headers: &[(&str, &str)], seconds: Option<u64>) {
            let fresh = freshness(&head(200, headers), now()).0;
            assert_eq!(fresh, seconds.map(Duration::from_secs), "{headers:?}");
        }
        check(&[], None);
        check(&[("cache-control", "public")], None);
        check(&[("cache-control", "public, max-age=600")], Some(600));
        check(&[("cache-control", "Max-Age = \"600\"")], Some(600));
        check(&[("cache-control", "public"), ("cache-control", "max-age=600")], Some(600));
        check(&[("cache-control", "max-age=600"), ("age", "100")], Some(500));
        check(&[("cache-control", "max-age=600"), ("age", "700")], Some(0));
        check(&[("cache-control", "max-age=600"), ("age", "old")], Some(600));
        check(&[("cache-control", "s-maxage=600")], None);
        check(&[("cache-control", "max-age=600, s-maxage=9")], Some(600));
        check(&[("cache-control", "max-age=0")], Some(0));
        check(&[("cache-control", "max-age=-5")], Some(0));
        check(&[("cache-control", "max-age=99999999999999999999")], Some(SECONDS_MAX));
        check(&[("cache-control", "no-cache, max-age=600")], Some(0));
        check(&[("cache-control", "no-store")], Some(0));
        check(&[("cache-control", "no-cache=\"set-cookie\"")], Some(0));
        let sent = ("date", "Tue, 04 Mar 2025 10:00:00 GMT");
        let expires = ("expires", "Tue, 04 Mar 2025 10:10:00 GMT");
        check(&[sent, expires], Some(600));
        check(&[sent, expires, ("age", "60")], Some(540));
        check(&[sent, expires, ("cache-control", "max-age=5")], Some(5));
        check(&[expires], Some(0));
        check(&[("expires", "Tue, 04 Mar 2025 12:01:00 GMT")], Some(60));
        check(&[("expires", "0")], Some(0));
        check(&[("expires", "-1")], Some(0));
    }

    #[test]
    fn validators_are_kept_byte_for_byte_or_not_at_all() {
        const PAST_ETAG: usize = ETAG_BYTES_MAX + 1;
        const PAST_DATE: usize = LAST_MODIFIED_BYTES_MAX + 1;
        #[track_caller]
        fn found(name: &str, value: &[u8]) -> Option<Vec<u8>> {
            let head = Head { status: 200, headers: vec![(name.to_owned(), value.to_vec())] };
            let Validators { etag, last_modified } = validators(&head);
            etag.or(last_modified).map(String::into_bytes)
        }
        for (name, value) in [
            ("etag", b"\"a\"".as_slice()),
            ("etag", b"W/\"a-gzip\""),
            ("etag", b"no quotes"),
            ("etag", &[b'x'; 600]),
            ("etag", &[b'x'; ETAG_BYTES_MAX]),
            ("last-modified", b"Tue, 4 Mar 2041 1:02:03 +0100 (odd)"),
            ("last-modified", &[b'x'; LAST_MODIFIED_BYTES_MAX]),
        ] {
            assert_eq!(found(name, value).as_deref(), Some(value), "{name}");
        }
        for (name, value) in [
            ("etag", [b'x'; PAST_ETAG].as_slice()),
            ("etag", b""),
            ("etag", "\"\u{e9}\"".as_bytes()),
            ("etag", b"\"\t\""),
            ("etag", b"\"\xff\""),
            ("last-modified", &[b'x'; PAST_DATE]),
        ] {
            assert_eq!(found(name, value), None, "{name} of {} bytes", value.len());
        }
    }
}
