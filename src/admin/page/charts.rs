//! What came in by the hour: small pictures, each with a text for whoever does not see them.

use std::collections::BTreeMap;

use cw_model::Timestamp;
use cw_status::recent::{HOURS, Hour, RecentSnapshot};
use jiff::SignedDuration;

use super::html::{Html, grouped};
use super::since_start;

/// How far back pictures go.
const SHOWN_BACK: SignedDuration = SignedDuration::from_hours(HOURS as i64);

/// Tags that have a line of their own.
const TAGS_SHOWN: usize = 10;

/// Units of a picture that an hour is wide, and those of it that are a bar.
const STEP: u64 = 10;
const BAR: u64 = 8;

/// How high a picture is, in units.
const POLLS_HEIGHT: u64 = 64;
const TAG_HEIGHT: u64 = 20;

/// Numbers as bars from left to right, the largest as high as the picture.
pub(super) fn bars(html: &mut Html, numbers: &[f64], about: &str) {
    let largest = numbers.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    html.raw("<svg class=\"chart\" viewBox=\"0 0 ").length(STEP * numbers.len() as u64);
    html.raw(" 64\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"")
        .text(about)
        .raw("\">");
    for (index, number) in (0..).zip(numbers) {
        let reaches = |height: &u32| number / largest * 64.0 >= f64::from(*height) - 0.5;
        let height = (1..=64_u32).take_while(reaches).last().unwrap_or_default();
        bar(html, "bar new", index * STEP, POLLS_HEIGHT - u64::from(height), height.into());
    }
    html.raw("</svg>");
}

/// The last hours, the oldest first, those without a poll among them.
fn by_hour(recent: &RecentSnapshot, now: Timestamp) -> Vec<(i64, Option<&Hour>)> {
    let last = now.as_second().div_euclid(3600);
    let first = last - (HOURS as i64 - 1);
    let find = |number| recent.hours.iter().find(|hour| hour.number == number);
    (first..=last).map(|number| (number, find(number))).collect()
}

/// "14:00".
fn clock(number: i64) -> String {
    format!("{:02}:00", number.rem_euclid(24))
}

/// Units for a count: at least one, if there is anything.
fn units(count: u64, most: u64, height: u64) -> u64 {
    if count == 0 { 0 } else { (count.saturating_mul(height) / most.max(1)).clamp(1, height) }
}

/// What polls came to, by the hour.
pub(super) fn polls(
    html: &mut Html,
    recent: &RecentSnapshot,
    began: Option<Timestamp>,
    now: Timestamp,
) {
    let hours = by_hour(recent, now);
    let tally = |hour: Option<&Hour>| hour.map(|hour| hour.tally).unwrap_or_default();
    let most = hours.iter().map(|(_, hour)| tally(*hour).polls()).max().unwrap_or_default();
    let all: u64 = hours.iter().map(|(_, hour)| tally(*hour).polls()).sum();
    let failed: u64 = hours.iter().map(|(_, hour)| tally(*hour).failed).sum();
    html.raw("<section id=\"polls\" aria-labelledby=\"polls-title\"><h2 id=\"polls-title\">Polls by hour");
    // They are counted by this process alone, and forgotten with it.
    since_start(html, began.filter(|began| now.duration_since(*began) < SHOWN_BACK));
    html.raw("</h2>");
    html.raw("<p class=\"legend\"><span class=\"key new\">new document</span> ");
    html.raw(
        "<span class=\"key same\">not modified</span> <span class=\"key failed\">failed</span></p>",
    );
    html.raw("<svg class=\"chart\" viewBox=\"0 0 240 64\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
    html.text(&format!(
        "{} polls in the last 24 hours, {} failed; at most {} in an hour",
        grouped(all),
        grouped(failed),
        grouped(most)
    ));
    html.raw("\">");
    for (index, (number, hour)) in (0..).zip(&hours) {
        let tally = tally(*hour);
        html.raw("<g><title>").text(&format!(
            "{} UTC: {} polls, {} failed",
            clock(*number),
            grouped(tally.polls()),
            grouped(tally.failed)
        ));
        html.raw("</title>");
        let mut top = POLLS_HEIGHT;
        for (class, count) in [
            ("bar new", tally.modified),
            ("bar same", tally.not_modified),
            ("bar failed", tally.failed),
        ] {
            let height = units(count, most, POLLS_HEIGHT).min(top);
            top -= height;
            bar(html, class, index * STEP, top, height);
        }
        html.raw("</g>");
    }
    html.raw("</svg>");
    axis(html, &hours);
    html.raw("</section>");
}

fn bar(html: &mut Html, class: &'static str, left: u64, top: u64, height: u64) {
    if height == 0 {
        return;
    }
    html.raw("<rect class=\"").raw(class).raw("\" x=\"").length(left + (STEP - BAR) / 2);
    html.raw("\" y=\"").length(top).raw("\" width=\"8\" height=\"").length(height).raw("\"/>");
}

fn axis(html: &mut Html, hours: &[(i64, Option<&Hour>)]) {
    html.raw("<p class=\"axis\" aria-hidden=\"true\">");
    for (number, _) in hours.iter().step_by(6).chain(hours.last()) {
        html.raw("<span>").text(&clock(*number)).raw("</span>");
    }
    html.raw("</p>");
}

/// The tags that articles had most, by the hour.
pub(super) fn tags(
    html: &mut Html,
    recent: &RecentSnapshot,
    began: Option<Timestamp>,
    now: Timestamp,
) {
    let hours = by_hour(recent, now);
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (tag, count) in recent.hours.iter().flat_map(|hour| &hour.tags) {
        *totals.entry(tag).or_default() += count;
    }
    let mut totals: Vec<(&str, u64)> = totals.into_iter().collect();
    totals.sort_by_key(|(tag, count)| (std::cmp::Reverse(*count), *tag));
    html.raw(
        "<section id=\"tags\" aria-labelledby=\"tags-title\"><h2 id=\"tags-title\">Tags by hour",
    );
    since_start(html, began.filter(|began| now.duration_since(*began) < SHOWN_BACK));
    html.raw("</h2>");
    if totals.is_empty() {
        html.raw("<p class=\"empty\">No article about conflict.</p></section>");
        return;
    }
    let of_hour = |hour: Option<&Hour>, tag: &str| {
        hour.and_then(|hour| hour.tags.get(tag)).copied().unwrap_or_default()
    };
    let shown = totals.get(..TAGS_SHOWN).unwrap_or(&totals);
    let most = shown.iter().flat_map(|(tag, _)| hours.iter().map(|(_, hour)| of_hour(*hour, tag)));
    let most = most.max().unwrap_or_default();
    html.raw("<table class=\"tags\"><caption class=\"unseen\">Articles by tag in the last 24 hours</caption>");
    html.raw("<thead class=\"unseen\"><tr><th scope=\"col\">Tag</th><th scope=\"col\">By hour</th><th scope=\"col\">Articles</th></tr></thead><tbody>");
    for (tag, count) in shown {
        html.raw("<tr><th scope=\"row\">").text(tag).raw("</th><td class=\"spark\">");
        html.raw("<svg viewBox=\"0 0 240 20\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
        for (index, (_, hour)) in (0..).zip(&hours) {
            let height = units(of_hour(*hour, tag), most, TAG_HEIGHT);
            bar(html, "bar tag", index * STEP, TAG_HEIGHT - height, height);
        }
        html.raw("</svg></td><td class=\"count\">").number(*count).raw("</td></tr>");
    }
    html.raw("</tbody></table></section>");
}
