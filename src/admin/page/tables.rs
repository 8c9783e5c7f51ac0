//! Feeds, hosts and lanes, as tables that a narrow screen shows row by row.

use cw_decide::scheduler::{FeedView, Stand};
use cw_model::{LaneState, Timestamp};
use cw_status::ledger::LedgerSnapshot;
use url::form_urlencoded;

use super::super::api::Lane;
use super::super::api::feed::because;
use super::super::feeds::Views;
use super::super::hosts::Host;
use super::super::query::{Cursor, FEED_SORTS, FeedQuery, FeedSort, FeedState, LIMIT};
use super::super::select;
use super::html::{Html, grouped};

/// Hosts and lanes that are shown; the API has the others.
const HOSTS_SHOWN: usize = 12;
const LANES_SHOWN: usize = 32;

/// What a stand is called.
fn stand_text(stand: Stand) -> &'static str {
    match stand {
        Stand::Crashed => "put off",
        Stand::Failing => "failing",
        Stand::Gone => "withdrawn",
        Stand::New => "not polled yet",
        Stand::Fine => "fine",
        Stand::Elsewhere => "elsewhere",
    }
}

/// How a stand looks.
fn stand_class(stand: Stand) -> &'static str {
    match stand {
        Stand::Crashed | Stand::Failing => "badge bad",
        Stand::Gone => "badge warn",
        Stand::Fine => "badge good",
        Stand::New | Stand::Elsewhere => "badge",
    }
}

/// A stand as it is shown.
pub(super) fn stand(html: &mut Html, stand: Stand) {
    html.raw("<span class=\"")
        .raw(stand_class(stand))
        .raw("\">")
        .raw(stand_text(stand))
        .raw("</span>");
}

/// The states that can be asked for, by name.
fn states() -> impl Iterator<Item = (&'static str, &'static str, FeedState)> {
    let stands = Stand::ALL.map(|stand| (stand.name(), stand_text(stand), FeedState::Stand(stand)));
    let others = [("due", "due", FeedState::Due), ("polling", "being polled", FeedState::Polling)];
    stands.into_iter().chain(others)
}

/// The feeds that were asked for.
pub(super) fn feeds(html: &mut Html, views: &Views, query: &FeedQuery) {
    let page = select::feeds(views, query);
    html.raw(
        "<section id=\"feeds\" aria-labelledby=\"feeds-title\"><h2 id=\"feeds-title\">Feeds</h2>",
    );
    form(html, query);
    html.raw("<div id=\"feeds-table\"><table class=\"rows\"><caption>");
    html.text(&match (page.total, page.rows.len()) {
        (0, _) => "No feed is like that".to_owned(),
        (1, _) => "1 feed".to_owned(),
        (total, shown) if total == shown => format!("{} feeds", grouped(total as u64)),
        (total, shown) => format!("{} of {} feeds", grouped(shown as u64), grouped(total as u64)),
    });
    html.raw("</caption><thead><tr><th scope=\"col\">Feed</th><th scope=\"col\">State</th>");
    html.raw("<th scope=\"col\">Last poll</th><th scope=\"col\">Next poll</th>");
    html.raw("<th scope=\"col\">Because</th></tr></thead><tbody>");
    page.rows.iter().for_each(|view| feed(html, view, views.at));
    html.raw("</tbody></table>");
    if query.after.is_some() || page.next.is_some() {
        html.raw("<nav class=\"pages\" aria-label=\"Pages of feeds\">");
        if query.after.is_some() {
            link(html, query, None, "First page");
        }
        if let Some(next) = &page.next {
            link(html, query, Some(next), "Next page");
        }
        html.raw("</nav>");
    }
    html.raw("</div></section>");
}

/// The names of what is asked for: state and order.
fn names(query: &FeedQuery) -> (Option<&'static str>, Option<&'static str>) {
    let state = states().find(|(_, _, state)| query.state == Some(*state)).map(|(name, ..)| name);
    let sort = FEED_SORTS.iter().find(|(_, sort)| query.sort == *sort).map(|(name, _)| *name);
    (state, sort)
}

fn form(html: &mut Html, query: &FeedQuery) {
    let (state, sort) = names(query);
    html.raw("<form method=\"get\" action=\"/#feeds\" role=\"search\" aria-label=\"Feeds\">");
    html.raw("<label>Search <input type=\"search\" name=\"q\" maxlength=\"200\" value=\"");
    html.text(query.q.as_deref().unwrap_or_default()).raw("\"></label>");
    html.raw("<label>State <select name=\"state\"><option value=\"\">all</option>");
    for (name, text, _) in states() {
        option(html, name, text, state);
    }
    html.raw("</select></label><label>Order <select name=\"sort\">");
    for (name, _) in FEED_SORTS {
        let text = match name {
            "next_poll" => "next poll first",
            "failures" => "most failures first",
            "polled" => "last polled first",
            _ => "by id",
        };
        option(html, name, text, sort);
    }
    html.raw("</select></label>");
    if let Some(host) = &query.host {
        html.raw("<label>Host <input name=\"host\" value=\"").text(host).raw("\"></label>");
    }
    if let Some(label) = &query.label {
        html.raw("<label>Label <input name=\"label\" value=\"").text(label).raw("\"></label>");
    }
    html.raw("<button>Show</button></form>");
}

fn option(html: &mut Html, value: &'static str, text: &'static str, chosen: Option<&str>) {
    let end = if chosen == Some(value) { "\" selected>" } else { "\">" };
    html.raw("<option value=\"").raw(value).raw(end).raw(text).raw("</option>");
}

/// A link to another page of the same question.
fn link(html: &mut Html, query: &FeedQuery, after: Option<&str>, text: &'static str) {
    html.raw("<a href=\"/?").text(&question(query, after)).raw("#feeds\">").raw(text).raw("</a>");
}

/// A question as it stands in an address, without what is so anyway.
fn question(query: &FeedQuery, after: Option<&str>) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    let (state, sort) = names(query);
    let sort = sort.filter(|_| query.sort != FeedSort::Id);
    let limit = (query.limit != LIMIT).then(|| query.limit.to_string());
    for (name, value) in [
        ("state", state),
        ("host", query.host.as_deref()),
        ("label", query.label.as_deref()),
        ("q", query.q.as_deref()),
        ("sort", sort),
        ("limit", limit.as_deref()),
        ("after", after),
    ] {
        if let Some(value) = value {
            text.append_pair(name, value);
        }
    }
    text.finish()
}

fn feed(html: &mut Html, view: &FeedView, now: Timestamp) {
    let feed = &view.feed;
    let plan = view.state.as_ref().map(|state| &state.plan);
    html.raw("<tr><th scope=\"row\"><a href=\"/feeds/").text(feed.id.as_str()).raw("\">");
    html.text(feed.id.as_str()).raw("</a><small>");
    html.text(feed.url.host_str().unwrap_or_default());
    for label in &feed.labels {
        html.raw(" · ");
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("label", label).finish();
        html.raw("<a href=\"/?").text(&query).raw("#feeds\">").text(label).raw("</a>");
    }
    html.raw("</small></th><td data-label=\"State\">");
    stand(html, view.stand);
    if let Some(failure) = plan.and_then(|plan| plan.last_failure.as_ref()) {
        let failures = plan.map_or(0, |plan| plan.failures);
        html.raw("<small>").text(failure.class.name());
        if failures > 1 {
            html.text(&format!(" × {}", grouped(u64::from(failures))));
        }
        html.raw("</small>");
    }
    html.raw("</td><td data-label=\"Last poll\">");
    match plan.and_then(|plan| plan.polled_at) {
        Some(at) => html.time(at, now),
        None => html.raw("–"),
    };
    html.raw("</td><td data-label=\"Next poll\">");
    match view.next_poll_at(now) {
        _ if view.is_polling => html.raw("under way"),
        Some(at) if at <= now => html.raw("due"),
        Some(at) => html.time(at, now),
        None => html.raw("–"),
    };
    html.raw("</td><td data-label=\"Because\" class=\"why\">");
    html.text(because(view).unwrap_or("it is not polled by this process")).raw("</td></tr>");
}

/// The hosts that somebody should look at first.
pub(super) fn hosts(html: &mut Html, views: &Views) {
    let hosts = &views.hosts().all;
    let mut first: Vec<&Host> = hosts.iter().collect();
    let order = |host: &&Host| Cursor {
        number: -i64::try_from(host.troubled().saturating_mul(1_000_000) + host.feeds)
            .unwrap_or(i64::MAX),
        name: host.name.clone(),
    };
    if first.len() > HOSTS_SHOWN {
        first.select_nth_unstable_by_key(HOSTS_SHOWN, order);
        first.truncate(HOSTS_SHOWN);
    }
    first.sort_by_key(order);
    html.raw(
        "<section id=\"hosts\" aria-labelledby=\"hosts-title\"><h2 id=\"hosts-title\">Hosts</h2>",
    );
    html.raw("<table class=\"rows\"><caption>");
    html.text(&match (hosts.len(), first.len()) {
        (1, _) => "1 host".to_owned(),
        (all, shown) if all == shown => format!("{} hosts", grouped(all as u64)),
        (all, shown) => format!(
            "{} of {} hosts, those first that have trouble",
            grouped(shown as u64),
            grouped(all as u64)
        ),
    });
    html.raw("</caption><thead><tr><th scope=\"col\">Host</th><th scope=\"col\">Feeds</th>");
    html.raw(
        "<th scope=\"col\">In trouble</th><th scope=\"col\">Next poll</th></tr></thead><tbody>",
    );
    for host in first {
        let name: String = form_urlencoded::byte_serialize(host.name.as_bytes()).collect();
        html.raw("<tr><th scope=\"row\"><a href=\"/?host=").text(&name).raw("#feeds\">");
        html.text(&host.name).raw("</a></th><td data-label=\"Feeds\">").number(host.feeds);
        html.raw("</td><td data-label=\"In trouble\">");
        match host.troubled() {
            0 => html.raw("0"),
            count => html.raw("<span class=\"badge bad\">").number(count).raw("</span>"),
        };
        html.raw("</td><td data-label=\"Next poll\">");
        match host.next_poll_at {
            Some(at) if at <= views.at => html.raw("due"),
            Some(at) => html.time(at, views.at),
            None => html.raw("–"),
        };
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table></section>");
}

/// The replicas that share the lanes, where there are others.
pub(super) fn replicas(html: &mut Html, ledger: &LedgerSnapshot) {
    let known = ledger.replicas.as_ref().and_then(|known| known.as_ref().ok());
    let replicas = known.map_or(&[][..], Vec::as_slice);
    if replicas.len() > 1 {
        html.raw("<section id=\"replicas\" aria-labelledby=\"replicas-title\"><h2 id=\"replicas-title\">");
        html.raw("Replicas</h2><ul>");
        for replica in replicas {
            html.raw("<li>");
            match &replica.address {
                _ if replica.is_self => html.raw("this one"),
                Some(address) => html
                    .raw("<a href=\"http://")
                    .text(address)
                    .raw("/\">")
                    .text(address)
                    .raw("</a>"),
                None => html.text(&replica.name),
            };
            let lanes: Vec<String> = replica.lanes.iter().map(u32::to_string).collect();
            let lanes = if lanes.is_empty() { "none".to_owned() } else { lanes.join(", ") };
            html.raw(": lanes ").text(&lanes).raw("</li>");
        }
        html.raw("</ul>");
        if let Some(why) = ledger.unseen() {
            html.raw("<p class=\"why\">").text(&why).raw("</p>");
        }
        html.raw("</section>");
    }
}

/// The lanes of this process.
pub(super) fn lanes(html: &mut Html, lanes: &[Lane]) {
    html.raw(
        "<section id=\"lanes\" aria-labelledby=\"lanes-title\"><h2 id=\"lanes-title\">Lanes</h2>",
    );
    html.raw("<table class=\"rows\"><caption>");
    html.text(&match lanes.len() {
        0 => "No lane is this process's".to_owned(),
        1 => "1 lane of this process".to_owned(),
        count => format!("{count} lanes of this process"),
    });
    html.raw("</caption><thead><tr><th scope=\"col\">Lane</th><th scope=\"col\">State</th>");
    html.raw("<th scope=\"col\">Feeds</th><th scope=\"col\">Why</th></tr></thead><tbody>");
    for lane in lanes.iter().take(LANES_SHOWN) {
        let class = match lane.state {
            LaneState::Owned => "badge good",
            LaneState::Fencing | LaneState::Restoring | LaneState::InDoubt => "badge warn",
            LaneState::Fenced | LaneState::Quarantined => "badge bad",
        };
        html.raw("<tr><th scope=\"row\">")
            .number(lane.number)
            .raw("</th><td data-label=\"State\">");
        html.raw("<span class=\"").raw(class).raw("\">").text(&lane.state.name().replace('_', " "));
        html.raw("</span></td><td data-label=\"Feeds\">").number(lane.feeds);
        html.raw("</td><td data-label=\"Why\" class=\"why\">");
        html.text(if lane.why.is_empty() { "–" } else { &lane.why }).raw("</td></tr>");
    }
    html.raw("</tbody></table></section>");
}
