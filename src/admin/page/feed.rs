//! The page of one feed: how it stands, when it is asked next and why, how it was asked lately, and what came of it.

use std::time::Duration;

use cw_decide::scheduler::FeedView;
use cw_decide::subscription::stage;
use cw_model::state::{Claim, DAYS, FeedPlan, FeedState, HOURS, Plan, Reason, Request, Requests};
use cw_model::{Feed, Timestamp, without_query};
use cw_status::recent::{RecentSnapshot, TITLE_CHARS_MAX};
use cw_status::shown::shown;
use hyper::{Response, StatusCode};
use url::{Url, form_urlencoded};

use super::super::api::feed::because;
use super::super::api::{LedgerName, moment};
use super::super::reply::Reply;
use super::super::{past, words};
use super::html::{Html, grouped};
use super::{
    NO_HEADLINE, answer, article, began, charts, head, headline, since_start, tables, tags,
};
use crate::config::{duration_text, size_text};
use crate::ledger::sqlite::history::{OfFeed, PastArticle, REJECTS_LOOKED_AT};

/// URLs of a feed whose validators are shown; redirects may have given more.
const URLS_SHOWN: usize = 5;

/// What the page tells.
pub(in super::super) struct FeedShown<'a> {
    pub(in super::super) view: &'a FeedView,
    pub(in super::super) recent: &'a RecentSnapshot,
    pub(in super::super) ledger: &'a LedgerName,
    pub(in super::super) past: &'a past::PastFound,
    pub(in super::super) uptime: Duration,
    pub(in super::super) now: Timestamp,
}

/// The page.
pub(in super::super) fn page(told: &FeedShown<'_>) -> Response<Reply> {
    answer(StatusCode::OK, text(told))
}

/// A page that says why there is none of a feed.
pub(in super::super) fn without(status: StatusCode, why: &str) -> Response<Reply> {
    let mut html = Html::default();
    head(&mut html);
    html.raw("No such page – conflictwire</title></head><body><header id=\"top\"><h1>conflictwire</h1></header>");
    trail(&mut html, None);
    html.raw("<main><p class=\"alert warn\">").text(why).raw("</p></main></body></html>\n");
    answer(status, html.into_text())
}

fn text(told: &FeedShown<'_>) -> String {
    let (feed, now) = (&told.view.feed, told.now);
    let mut html = Html::default();
    head(&mut html);
    html.text(feed.id.as_str()).raw(" – conflictwire</title></head><body>");
    html.raw("<a class=\"skip\" href=\"#next\">Skip to the next poll</a>");
    html.raw("<header id=\"top\"><h1>").text(feed.id.as_str()).raw("</h1><p id=\"ready\">");
    tables::stand(&mut html, told.view.stand);
    html.raw("</p><p id=\"live\"></p></header>");
    trail(&mut html, Some(feed));
    html.raw("<main>");
    let state = told.view.state.as_deref();
    trouble(&mut html, feed, state, now);
    html.raw("<div class=\"columns\"><div>");
    next(&mut html, told.view, now);
    if let Some(state) = state {
        requests(&mut html, &state.plan.requests, now);
    }
    articles(&mut html, told);
    rejects(&mut html, told);
    html.raw("</div><div>");
    facts(&mut html, told.view, now);
    if let Some(state) = state {
        rhythm(&mut html, &state.plan);
        politeness(&mut html, &state.plan.requests);
        validators(&mut html, feed, state, now);
        hub(&mut html, &state.plan, now);
        today(&mut html, feed, &state.plan, now);
    }
    html.raw("</div></div></main><footer id=\"bottom\"><p>As of ").text(&moment(now));
    html.raw(". All times are UTC.</p></footer></body></html>\n");
    html.into_text()
}

/// Where else to go from here.
fn trail(html: &mut Html, feed: Option<&Feed>) {
    html.raw("<nav class=\"trail\" aria-label=\"Elsewhere\"><a href=\"/#feeds\">All feeds</a>");
    if let Some(feed) = feed {
        if let Some(host) = feed.url.host_str() {
            let query: String = form_urlencoded::byte_serialize(host.as_bytes()).collect();
            html.raw(" <a href=\"/?host=").text(&query).raw("#feeds\">").text(host).raw("</a>");
        }
        html.raw(" <a href=\"/api/feeds/").text(feed.id.as_str()).raw("\">JSON</a>");
    }
    html.raw("</nav>");
}

/// What somebody should know first.
fn trouble(html: &mut Html, feed: &Feed, state: Option<&FeedState>, now: Timestamp) {
    html.raw("<div id=\"trouble\">");
    if let Some(plan) = state.map(|state| &state.plan) {
        if let Some(failure) = &plan.last_failure {
            html.raw("<p class=\"alert bad\"><strong>")
                .text(failure.class.name())
                .raw("</strong> ");
            html.time(failure.at, now).raw(": ").text(&shown(&failure.detail));
            if plan.failures > 1 {
                html.text(&format!(" ({} failures in a row)", grouped(plan.failures.into())));
            }
            html.raw("</p>");
        }
        if let Some(crash) = plan.put_off_for() {
            html.raw("<p class=\"alert bad\">Put off since ").time(crash.at, now).raw(
                ": asked at once if its configuration, the taxonomy, a lexicon or the version is another.</p>",
            );
        }
        if let Some(at) = plan.gone_at {
            html.raw("<p class=\"alert warn\">Its publisher says since ").time(at, now);
            html.raw(" that it is withdrawn.</p>");
        }
        if let Some(url) = plan.moved_to.as_deref().and_then(|url| seen(feed, url)) {
            let is_known = plan.lives_at().is_some();
            html.raw("<p class=\"alert warn\">");
            html.raw(if is_known { "Moved to <code>" } else { "Says that it lives at <code>" });
            html.text(&url).raw("</code>, as ").raw(words::moved_by(plan.moves.by));
            html.raw(if is_known { "; change its <code>url</code>.</p>" } else { ".</p>" });
        }
        let before = plan.url.as_deref().filter(|_| plan.is_of_another_url(feed));
        if let Some(url) = before.and_then(|url| seen(feed, url)) {
            html.raw("<p class=\"alert warn\">What follows is of the URL before: <code>");
            html.text(&url).raw("</code></p>");
        }
    }
    html.raw("</div>");
}

/// A URL of a feed as people may see it.
fn seen(feed: &Feed, url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| shown(&feed.shown(&url)).into_owned())
}

/// What it is.
fn facts(html: &mut Html, view: &FeedView, now: Timestamp) {
    let feed = &view.feed;
    section(html, "facts", "Feed");
    html.raw("<dl class=\"facts\"><dt>URL</dt><dd><code>").text(&shown(&feed.shown(&feed.url)));
    html.raw("</code></dd>");
    for (name, value) in [
        ("Publisher", feed.publisher.as_deref()),
        ("Language", feed.language.as_deref()),
        ("Country", feed.country.as_deref()),
    ] {
        if let Some(value) = value {
            html.raw("<dt>").raw(name).raw("</dt><dd><bdi>").text(value).raw("</bdi></dd>");
        }
    }
    if !feed.labels.is_empty() {
        html.raw("<dt>Labels</dt><dd>");
        for (index, label) in feed.labels.iter().enumerate() {
            html.raw(if index > 0 { " · <a href=\"/?" } else { "<a href=\"/?" });
            let mut query = form_urlencoded::Serializer::new(String::new());
            html.text(&query.append_pair("label", label).finish());
            html.raw("#feeds\">").text(label).raw("</a>");
        }
        html.raw("</dd>");
    }
    html.raw("<dt>Lane</dt><dd>");
    match view.lane {
        Some(lane) => html.number(lane),
        None => html.raw("none of this process"),
    };
    html.raw("</dd>");
    if let Some(plan) = view.state.as_ref().map(|state| &state.plan) {
        html.raw("<dt>Polls</dt><dd>").number(plan.sequence).raw("</dd>");
        for (name, at) in [("Last poll", plan.polled_at), ("Last answer", plan.succeeded_at)] {
            html.raw("<dt>").raw(name).raw("</dt><dd>");
            match at {
                Some(at) => html.time(at, now),
                None => html.raw("none yet"),
            };
            html.raw("</dd>");
        }
    }
    html.raw("</dl></section>");
}

/// Begins a part of the page.
fn section(html: &mut Html, id: &'static str, title: &'static str) {
    html.raw("<section id=\"").raw(id).raw("\" aria-labelledby=\"").raw(id).raw("-title\">");
    html.raw("<h2 id=\"").raw(id).raw("-title\">").raw(title).raw("</h2>");
}

/// When it is asked next, which rule says so, and what the others say.
fn next(html: &mut Html, view: &FeedView, now: Timestamp) {
    section(html, "next", "Next poll");
    html.raw("<p><strong>");
    match view.next_poll_at(now) {
        _ if view.is_polling => html.raw("Under way"),
        Some(at) if at <= now => html.raw("Due"),
        Some(at) => html.time(at, now).raw("</strong>, at ").text(&moment(at)).raw("<strong>"),
        None => html.raw("Not known"),
    };
    html.raw("</strong>");
    match because(view) {
        Some(why) => html.raw(", because ").text(why),
        None => html.raw(": it is not polled by this process"),
    };
    html.raw(".</p>");
    let plan = view.state.as_ref().map(|state| &state.plan).filter(|plan| plan.sequence > 0);
    if let Some(plan) = plan {
        rules(html, &view.feed, &plan.next);
    }
    html.raw("</section>");
}

fn rules(html: &mut Html, feed: &Feed, plan: &Plan) {
    let interval = match feed.interval {
        Some(_) => "as configured",
        None => "learned from how often it changes",
    };
    let limits = format!(
        "{interval}; within {} to {}",
        duration_text(feed.interval_min),
        duration_text(feed.interval_max)
    );
    html.raw("<table class=\"rows\"><caption>What had a say at the last poll</caption><thead><tr>");
    html.raw("<th scope=\"col\">Rule</th><th scope=\"col\">Wait</th><th scope=\"col\">Won</th>");
    html.raw("<th scope=\"col\">About</th></tr></thead><tbody>");
    for (of, wait, about) in [
        (Reason::Interval, Some(plan.interval), limits.as_str()),
        (Reason::SafetyNet, plan.safety_net, "its hub pushes, so its interval may be longer"),
        (Reason::Freshness, plan.fresh_for, "its last answer stays current"),
        (Reason::Ttl, plan.ttl, "the feed's own word"),
        (Reason::Backoff, plan.backoff, "grows with failures in a row"),
        (Reason::RetryAfter, plan.retry_after, "what the server asked for"),
        (Reason::Quota, plan.quota, "it has added as much as it may in a day"),
    ] {
        let Some(wait) = wait else { continue };
        html.raw("<tr><th scope=\"row\">")
            .raw(words::rule(of))
            .raw("</th><td data-label=\"Wait\">");
        html.text(&rounded(wait)).raw("</td><td data-label=\"Won\">");
        html.raw(if of == plan.reason { "<span class=\"badge good\">won</span>" } else { "–" });
        html.raw("</td><td data-label=\"About\" class=\"why\">").text(about).raw("</td></tr>");
    }
    html.raw("</tbody></table><p class=\"why\">");
    html.text(&format!(
        "{} of jitter were added, so that feeds do not move in step.",
        rounded(plan.jitter)
    ));
    if let Some(skips) = words::skips(plan.skips) {
        html.text(&format!(" It asks not to be asked at: {skips}."));
    }
    html.raw("</p>");
}

fn rounded(wait: Duration) -> String {
    duration_text(Duration::from_secs(wait.as_secs()))
}

/// A wait of seconds.
fn seconds(count: u32) -> String {
    duration_text(Duration::from_secs(count.into()))
}

/// How it was asked lately, and what was answered.
fn requests(html: &mut Html, requests: &Requests, now: Timestamp) {
    section(html, "requests", "Last requests");
    if requests.newest().is_none() {
        html.raw("<p class=\"empty\">None under its URL yet.</p></section>");
        return;
    }
    html.raw("<table class=\"rows\"><caption>The newest first</caption><thead><tr>");
    for name in ["When", "Won", "Over", "Sent", "Answered", "Quiet asked for"] {
        html.raw("<th scope=\"col\">").raw(name).raw("</th>");
    }
    html.raw("</tr></thead><tbody>");
    requests.last().for_each(|one| request(html, &one, now));
    html.raw("</tbody></table></section>");
}

fn request(html: &mut Html, request: &Request, now: Timestamp) {
    html.raw("<tr><th scope=\"row\">");
    html.time(Timestamp::from_second(request.at.into()).unwrap_or_default(), now);
    html.raw("</th><td data-label=\"Won\">");
    claim(html, Some(request.won));
    html.raw("</td><td data-label=\"Over\" class=\"why\">");
    claim(html, request.lost);
    html.raw("</td><td data-label=\"Sent\">").raw(request.carried.text());
    html.raw("</td><td data-label=\"Answered\">").text(&request.answered.name().replace('_', " "));
    html.raw("</td><td data-label=\"Quiet\">");
    match request.quiet {
        0 => html.raw("–"),
        quiet => html.text(&seconds(quiet)),
    };
    html.raw("</td></tr>");
}

fn claim(html: &mut Html, claim: Option<Claim>) {
    match claim {
        Some(Claim { of: Reason::FirstPoll, .. }) => html.raw("first poll"),
        Some(claim) => html.raw(words::rule(claim.of)).raw(" ").text(&seconds(claim.wait)),
        None => html.raw("–"),
    };
}

/// What its interval is learned from.
fn rhythm(html: &mut Html, plan: &FeedPlan) {
    let Some(rhythm) = &plan.rhythm else { return };
    section(html, "rhythm", "Rhythm");
    if plan.sequence < words::RHYTHM_POLLS_MIN {
        html.raw("<p class=\"empty\">Not known yet: polls so far ").number(plan.sequence);
        html.raw(", of ").number(words::RHYTHM_POLLS_MIN);
        html.raw(" that say something.</p></section>");
        return;
    }
    let hours: Vec<f64> = (0..HOURS).map(|hour| rhythm.rate(hour)).collect();
    let days: Vec<f64> = (0..DAYS).map(|day| rhythm.day(day)).collect();
    let rate = rhythm.rate_of_a_day();
    html.raw("<p class=\"why\">");
    html.text(&format!("Some {rate:.1} entries a day, by hour (UTC) and by weekday.")).raw("</p>");
    let busiest = |numbers: &[f64]| {
        let of = (0_usize..).zip(numbers).max_by(|(_, one), (_, other)| one.total_cmp(other));
        of.map_or(0, |(index, _)| index)
    };
    charts::bars(html, &hours, &format!("Entries by hour, most at {} h UTC", busiest(&hours)));
    html.raw("<p class=\"axis\" aria-hidden=\"true\"><span>00:00</span><span>06:00</span><span>12:00</span>");
    html.raw("<span>18:00</span><span>23:00</span></p>");
    let most = words::WEEKDAYS.get(busiest(&days)).copied().unwrap_or_default();
    charts::bars(html, &days, &format!("Entries by weekday, most on {most}"));
    html.raw("<p class=\"axis days\" aria-hidden=\"true\">");
    for day in words::WEEKDAYS {
        html.raw("<span>").raw(day).raw("</span>");
    }
    html.raw("</p></section>");
}

/// How courteously it is asked.
fn politeness(html: &mut Html, requests: &Requests) {
    section(html, "polite", "Politeness");
    html.raw("<dl class=\"facts\"><dt>Requests</dt><dd>").number(requests.made);
    html.raw("</dd><dt>A day now</dt><dd>");
    html.text(&requests.a_day().map_or_else(|| "–".to_owned(), |count| format!("{count:.0}")));
    html.raw("</dd><dt>Without validator</dt><dd>").number(requests.unconditional);
    html.raw("</dd><dt>Too early</dt><dd>").number(requests.early);
    html.raw("</dd><dt>Closest two</dt><dd>");
    html.text(&requests.closest.map_or_else(|| "–".to_owned(), seconds))
        .raw("</dd></dl></section>");
}

/// Which validators its URLs gave, and which are sent. Their values are between publisher and us.
fn validators(html: &mut Html, feed: &Feed, state: &FeedState, now: Timestamp) {
    section(html, "validators", "Validators");
    let given = state.unpacked_memory().validators;
    if given.is_empty() {
        html.raw(
            "<p class=\"empty\">It gave none, so each answer is the whole document.</p></section>",
        );
        return;
    }
    html.raw("<ul class=\"plain\">");
    for (url, validators) in given.iter().take(URLS_SHOWN) {
        let gave = match (validators.etag.is_some(), validators.last_modified.is_some()) {
            (true, true) => "ETag and Last-Modified",
            (true, false) => "ETag",
            (false, true) => "Last-Modified",
            (false, false) => "none",
        };
        html.raw("<li><code>").text(&seen(feed, url).unwrap_or_default()).raw("</code>: ");
        html.raw(gave).raw("</li>");
    }
    html.raw("</ul>");
    if given.len() > URLS_SHOWN {
        html.raw("<p class=\"why\">and ").number(given.len() - URLS_SHOWN).raw(" more URLs</p>");
    }
    let trust = &state.plan.trust;
    html.raw("<p>Of these ").raw(words::sends(trust.sends));
    if let Some((why, since)) = trust.distrust {
        html.raw(", since ").time(since, now).raw(": ").raw(words::distrust(why));
    }
    html.raw(".</p></section>");
}

/// What is agreed with its hub, if it names one.
fn hub(html: &mut Html, plan: &FeedPlan, now: Timestamp) {
    let Some(subscription) = plan.subscription.as_deref() else { return };
    let Some(offer) = &subscription.offer else { return };
    section(html, "hub", "Hub");
    let url = Url::parse(&offer.hub).ok().map(|url| shown(&without_query(&url)).into_owned());
    html.raw("<p><code>").text(&url.unwrap_or_default()).raw("</code>: ");
    html.text(&words::hub(stage(subscription, now), moment)).raw(".");
    if let Some(at) = subscription.pushed_at {
        html.raw(" It pushed last ").time(at, now).raw(".");
    }
    if subscription.missed > 0 {
        html.raw(" It did not push what the last ")
            .number(subscription.missed)
            .raw(" polls found.");
    }
    html.raw("</p></section>");
}

/// What it may add in a day.
fn today(html: &mut Html, feed: &Feed, plan: &FeedPlan, now: Timestamp) {
    let today = plan.today.on_day_of(now);
    section(html, "today", "Added today");
    html.raw("<dl class=\"facts\"><dt>Articles</dt><dd>");
    html.number(today.articles).raw(" of at most ").number(feed.quota.articles);
    html.raw("</dd><dt>Bytes</dt><dd>");
    html.text(&format!("{} of at most {}", size_text(today.bytes), size_text(feed.quota.bytes)));
    html.raw("</dd>");
    if today.left > 0 {
        html.raw("<dt>Left unread</dt><dd>").number(today.left).raw("</dd>");
    }
    html.raw("</dl></section>");
}

/// Its newest articles.
fn articles(html: &mut Html, told: &FeedShown<'_>) {
    html.raw(
        "<section id=\"articles\" aria-labelledby=\"articles-title\"><h2 id=\"articles-title\">",
    );
    if let past::PastFound::Newest(newest) = told.past {
        html.raw("Newest articles</h2>");
        committed(html, newest, told.now);
        html.raw("</section>");
        return;
    }
    html.raw("Newest articles about conflict");
    since_start(html, began(told.uptime, told.now));
    html.raw("</h2>");
    if let past::PastFound::Silent(why) = told.past {
        html.raw("<p class=\"why\">The ledger does not say more: ").text(&shown(why)).raw(".</p>");
    }
    let of_feed = told.recent.articles.iter().filter(|one| one.feed == told.view.feed.id);
    let of_feed: Vec<_> = of_feed.collect();
    if of_feed.is_empty() {
        html.raw("<p class=\"empty\">None among the newest of all feeds.");
        if matches!(told.past, past::PastFound::Unasked) && told.ledger.kind == "kafka" {
            html.raw(" <code>conflictwire tail --feed ").text(told.view.feed.id.as_str());
            html.raw("</code> reads the topic.");
        }
        html.raw("</p></section>");
        return;
    }
    html.raw("<ol class=\"articles\">");
    of_feed.iter().for_each(|one| article(html, one, told.now));
    html.raw("</ol></section>");
}

/// What the ledger has of it.
fn committed(html: &mut Html, newest: &OfFeed, now: Timestamp) {
    if newest.articles.is_empty() {
        html.raw("<p class=\"empty\">The ledger has none.</p>");
        return;
    }
    html.raw("<ol class=\"articles\">");
    newest.articles.iter().for_each(|one| past_article(html, one, now));
    html.raw("</ol>");
}

fn past_article(html: &mut Html, article: &PastArticle, now: Timestamp) {
    html.raw("<li>");
    headline(html, article.language.as_deref(), article.url.as_deref(), |html| {
        let title = article.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
        let title = title.unwrap_or(NO_HEADLINE);
        let cut: String = title.chars().take(TITLE_CHARS_MAX).collect();
        html.text(&cut).raw(if cut.len() < title.len() { "…" } else { "" });
    });
    html.raw("<p class=\"about\">");
    html.text(&article.change);
    if article.revision > 1 {
        html.raw(", revision ").number(article.revision);
    }
    if let Some(at) = article.at {
        html.raw(" · ").time(at, now);
    }
    html.raw("</p>");
    if !article.tags.is_empty() {
        tags(html, article.tags.iter().map(String::as_str));
    }
    html.raw("</li>");
}

/// What of it was refused.
fn rejects(html: &mut Html, told: &FeedShown<'_>) {
    section(html, "rejects", "Rejects");
    match told.past {
        past::PastFound::Newest(newest) if newest.rejects.is_empty() => {
            html.raw("<p class=\"empty\">None among the newest ");
            html.number(REJECTS_LOOKED_AT).raw(" of all feeds.</p>");
        }
        past::PastFound::Newest(newest) => {
            html.raw("<table class=\"rows\"><caption>The newest first</caption><thead><tr>");
            html.raw("<th scope=\"col\">When</th><th scope=\"col\">Class</th>");
            html.raw("<th scope=\"col\">Why</th></tr></thead><tbody>");
            for reject in &newest.rejects {
                html.raw("<tr><th scope=\"row\">");
                match reject.at {
                    Some(at) => html.time(at, told.now),
                    None => html.raw("–"),
                };
                html.raw("</th><td data-label=\"Class\">").text(&reject.reason);
                html.raw("</td><td data-label=\"Why\" class=\"why\">");
                html.text(&shown(&reject.detail)).raw("</td></tr>");
            }
            html.raw("</tbody></table>");
        }
        past::PastFound::Silent(_) => {
            html.raw("<p class=\"empty\">The ledger does not say.</p>");
        }
        past::PastFound::Unasked => {
            html.raw("<p class=\"empty\">They are in the ledger (").raw(told.ledger.kind);
            html.raw("), which this process does not read.</p>");
        }
    }
    html.raw("</section>");
}
