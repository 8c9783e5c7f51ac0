//! The status page, and that of one feed: what the API says, for people. Made on the server; its script only asks for it anew.
//!
//! Nothing is asked of another machine, and the policy that goes with the page allows nothing that is
//! not a file of this server, so that a text which should break out of its place still does nothing.

mod charts;
pub(super) mod feed;
mod html;
mod map;
mod tables;

use std::time::Duration;

use cw_model::Timestamp;
use cw_status::recent::{RATE_MINUTES, Reach, RecentArticle, RecentSnapshot};
use cw_status::shown::shown;
use cw_status::spans::span_text;
use cw_status::{LastRead, Snapshot};
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use hyper::{Response, StatusCode};
use jiff::SignedDuration;

use self::html::Html;
use super::api::{LedgerName, lanes_of};
use super::feeds::Views;
use super::query::FeedQuery;
use super::reply::{Reply, private, written_in};

/// What the page may do: show what this server has, and ask it again.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Articles that are shown; more are a click away.
const ARTICLES_SHOWN: usize = 8;

/// A file that the page is made of.
pub(super) fn file(path: &str) -> Option<Response<Reply>> {
    let (format, text) = match path {
        "/page.css" => ("text/css; charset=utf-8", include_str!("page.css")),
        "/page.js" => ("text/javascript; charset=utf-8", include_str!("page.js")),
        "/page.world.svg" => ("image/svg+xml", include_str!("../../../config/map/world.svg")),
        "/page.svg" => ("image/svg+xml", include_str!("page.svg")),
        _ => return None,
    };
    Some(private(written_in(format, StatusCode::OK, text)))
}

/// What the page tells.
pub(super) struct Told<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) recent: &'a RecentSnapshot,
    pub(super) ledger: &'a LedgerName,
    /// `None` if the scheduler has not said yet.
    pub(super) views: Option<&'a Views>,
    pub(super) now: Timestamp,
}

/// The page.
pub(super) fn page(told: &Told<'_>, query: &FeedQuery) -> Response<Reply> {
    answer(StatusCode::OK, text(told, query))
}

/// A page with the policy that goes with it.
fn answer(status: StatusCode, html: String) -> Response<Reply> {
    let mut response = private(written_in("text/html; charset=utf-8", status, html));
    let policy = HeaderValue::from_static(POLICY);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// How every page begins, up to its title.
fn head(html: &mut Html) {
    html.raw(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"/page.svg\"><link rel=\"stylesheet\" href=\"/page.css\">\
         <script src=\"/page.js\" defer></script><title>",
    );
}

fn text(told: &Told<'_>, query: &FeedQuery) -> String {
    let mut html = Html::default();
    head(&mut html);
    html.raw(
        "conflictwire</title></head><body><a class=\"skip\" href=\"#feeds\">Skip to feeds</a>",
    );
    header(&mut html, told);
    html.raw("<main>");
    trouble(&mut html, told);
    numbers(&mut html, told);
    html.raw("<div class=\"columns\"><div>");
    articles(&mut html, told);
    html.raw("</div><div>");
    charts::polls(&mut html, told.recent, began(told.snapshot.uptime, told.now), told.now);
    let began_tags = began_of(told.recent, told.snapshot.uptime, told.now);
    charts::tags(&mut html, told.recent, began_tags, told.now);
    map::places(&mut html, told.recent);
    tables::lanes(&mut html, &lanes_of(told.snapshot, told.views));
    tables::replicas(&mut html, &told.snapshot.ledger);
    html.raw("</div></div>");
    if let Some(views) = told.views {
        tables::feeds(&mut html, views, query);
        tables::hosts(&mut html, views);
    } else {
        html.raw("<section id=\"feeds\"><h2>Feeds</h2><p class=\"empty\">The scheduler has not said yet how \
                  the feeds stand.</p></section>");
    }
    html.raw("</main>");
    footer(&mut html, told);
    html.raw("</body></html>\n");
    html.into_text()
}

fn header(html: &mut Html, told: &Told<'_>) {
    html.raw("<header id=\"top\"><h1>conflictwire <small>").text(env!("CARGO_PKG_VERSION"));
    html.raw("</small></h1><p id=\"ready\" role=\"status\">");
    html.raw(match told.snapshot.unready {
        None => "<span class=\"badge good\">ready</span>",
        Some(_) => "<span class=\"badge bad\">not ready</span>",
    });
    html.raw("</p><p id=\"live\"></p></header>");
}

/// What somebody should do something about.
fn trouble(html: &mut Html, told: &Told<'_>) {
    html.raw("<div id=\"trouble\">");
    if let Some(why) = &told.snapshot.unready {
        html.raw("<p class=\"alert bad\"><strong>Not ready:</strong> ")
            .text(&why.text())
            .raw("</p>");
    }
    if let LastRead::Refused { why } = &told.snapshot.last_read {
        html.raw("<p class=\"alert warn\">The configuration that was read last is refused; an older one is \
                  in use: ")
            .text(why)
            .raw(". <code>conflictwire check</code> says all.</p>");
    }
    for list in told.snapshot.lists.iter().filter(|list| list.is_in_trouble()) {
        html.raw("<p class=\"alert warn\">The list of feeds at ").text(&list.url);
        html.raw(" is not taken, the one before stays in use: ");
        html.text(list.why.as_deref().unwrap_or_default()).raw("</p>");
    }
    if told.snapshot.feeds.careful_lanes > 0 {
        html.raw("<p class=\"alert warn\">A lane was left uncleanly less than a day ago: its new documents \
                  are read in a process of their own first.</p>");
    }
    html.raw("</div>");
}

/// The numbers at the top.
fn numbers(html: &mut Html, told: &Told<'_>) {
    let (feeds, lately) = (&told.snapshot.feeds, &told.recent.last_minutes);
    let total = feeds.new + feeds.fine + feeds.failing + feeds.crashed + feeds.gone;
    html.raw("<section id=\"numbers\" aria-label=\"Numbers\"><dl class=\"numbers\">");
    for (name, count, address, class) in [
        ("Feeds", total, "/#feeds", "number"),
        ("Fine", feeds.fine, "/?state=fine#feeds", "number"),
        ("Failing", feeds.failing, "/?state=failing#feeds", "number bad"),
        ("Put off", feeds.crashed, "/?state=crashed#feeds", "number bad"),
        ("Withdrawn", feeds.gone, "/?state=gone#feeds", "number warn"),
        ("Not polled yet", feeds.new, "/?state=new#feeds", "number"),
        ("Due", feeds.due, "/?state=due#feeds", "number"),
    ] {
        let class = if count == 0 { "number" } else { class };
        html.raw("<div class=\"").raw(class).raw("\"><dt>").raw(name).raw("</dt><dd><a href=\"");
        html.raw(address).raw("\">").number(count).raw("</a></dd></div>");
    }
    for (name, count) in
        [("Polls", lately.polls()), ("Records", lately.records), ("Conflict", lately.relevant)]
    {
        html.raw("<div class=\"number\"><dt>").raw(name).raw(" <small>").number(RATE_MINUTES);
        html.raw(" min</small></dt><dd>").number(count).raw("</dd></div>");
    }
    html.raw("</dl></section>");
}

/// When this process began.
fn began(uptime: Duration, now: Timestamp) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::try_from(uptime).ok()?).ok()
}

/// When this process began, if nothing from before is shown.
fn began_of(recent: &RecentSnapshot, uptime: Duration, now: Timestamp) -> Option<Timestamp> {
    match recent.reach {
        Reach::Start => began(uptime, now),
        Reach::Ledger => None,
    }
}

/// Since when something is shown, if not all of it is.
fn since_start(html: &mut Html, began: Option<Timestamp>) {
    if let Some(began) = began {
        html.raw(" <small>since the start at ").text(&super::api::moment(began)).raw("</small>");
    }
}

/// The newest articles about conflict.
fn articles(html: &mut Html, told: &Told<'_>) {
    html.raw("<section id=\"articles\" aria-labelledby=\"articles-title\"><h2 id=\"articles-title\">Newest \
              articles about conflict");
    since_start(html, began_of(told.recent, told.snapshot.uptime, told.now));
    html.raw("</h2>");
    let articles = &told.recent.articles;
    if articles.is_empty() {
        html.raw("<p class=\"empty\">None was committed.</p></section>");
        return;
    }
    let (first, rest) = articles.split_at(articles.len().min(ARTICLES_SHOWN));
    html.raw("<ol class=\"articles\">");
    first.iter().for_each(|one| article(html, one, told.now));
    html.raw("</ol>");
    if !rest.is_empty() {
        html.raw("<details id=\"more\"><summary>")
            .number(rest.len())
            .raw(" more</summary><ol class=\"articles\">");
        rest.iter().for_each(|one| article(html, one, told.now));
        html.raw("</ol></details>");
    }
    html.raw("</section>");
}

fn article(html: &mut Html, article: &RecentArticle, now: Timestamp) {
    let of_article = article.language.as_deref();
    html.raw("<li>");
    headline(html, of_article, article.url.as_deref(), |html| {
        match article.title.text.trim() {
            "" => html.raw(NO_HEADLINE),
            _ => html.passage(&article.title),
        };
    });
    if let Some(passage) = &article.passage {
        html.raw("<p class=\"passage\" dir=\"auto\"");
        language(html, of_article);
        html.raw(">").passage(passage).raw("</p>");
    }
    html.raw("<p class=\"about\"><bdi>");
    html.text(article.publisher.as_deref().unwrap_or(article.feed.as_str()));
    html.raw("</bdi> · ").time(article.at, now);
    let places = article.places.iter().filter(|place| place.is_primary);
    for place in places {
        html.raw(" · <bdi>").text(&place.name).raw("</bdi>");
        if let Some(country) = &place.country {
            html.raw(" (").text(country).raw(")");
        }
    }
    html.raw("</p>");
    tags(html, article.tags.iter().map(AsRef::as_ref));
    html.raw("</li>");
}

/// What stands where an article has no headline.
const NO_HEADLINE: &str = "(no headline)";

/// The headline of an article, which leads to it if its link is one of the web.
fn headline(
    html: &mut Html,
    of_article: Option<&str>,
    url: Option<&str>,
    title: impl FnOnce(&mut Html),
) {
    html.raw("<h3 dir=\"auto\"");
    language(html, of_article);
    html.raw(">");
    let link = Html::web(url);
    if let Some(url) = &link {
        html.raw("<a rel=\"noreferrer noopener\" href=\"").text(url.as_str()).raw("\">");
    }
    title(html);
    html.raw(if link.is_some() { "</a></h3>" } else { "</h3>" });
}

/// The tags of an article.
fn tags<'a>(html: &mut Html, tags: impl Iterator<Item = &'a str>) {
    html.raw("<ul class=\"labels\" aria-label=\"Tags\">");
    for tag in tags {
        html.raw("<li>").text(tag).raw("</li>");
    }
    html.raw("</ul>");
}

fn language(html: &mut Html, of_article: Option<&str>) {
    if let Some(language) = of_article {
        html.raw(" lang=\"").text(language).raw("\"");
    }
}

fn footer(html: &mut Html, told: &Told<'_>) {
    html.raw("<footer id=\"bottom\"><p>Ledger: ").text(told.ledger.kind).raw(" at <code>");
    html.text(&shown(&told.ledger.place)).raw("</code>");
    if told.snapshot.ledger_bytes > 0 {
        html.text(&format!(" ({})", crate::config::size_text(told.snapshot.ledger_bytes)));
    }
    html.raw(". Up for ").text(&span_text(told.snapshot.uptime)).raw(". As of ");
    html.text(&super::api::moment(told.now)).raw(".</p>");
    html.raw("<nav aria-label=\"For programs\"><a href=\"/api/status\">status</a> <a href=\"/api/feeds\">feeds</a> \
              <a href=\"/api/hosts\">hosts</a> <a href=\"/api/lanes\">lanes</a> \
              <a href=\"/metrics\">metrics</a> <a href=\"/readyz\">readyz</a></nav></footer>");
}
