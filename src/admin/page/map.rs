//! Where the newest articles say that it happened, on an outline of the land.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cw_status::recent::RecentSnapshot;

use super::html::Html;

/// What `config/map/world.svg` shows: degrees, and units of a degree.
const WEST: f64 = -180.0;
const NORTH: f64 = 80.0;
const SOUTH: f64 = -57.0;
const UNITS: f64 = 2.0;

/// Places that are named for whoever does not see the map.
const NAMED: usize = 10;

/// The most places that are drawn.
const DRAWN_MAX: usize = 60;

/// The smallest circle, and the largest, in units.
const RADIUS_MIN: u64 = 4;
const RADIUS_MAX: u64 = 10;

/// The map; nothing, if no place is known.
pub(super) fn places(html: &mut Html, recent: &RecentSnapshot) {
    // Articles by where on the map it is, and what that is called.
    let mut counts: BTreeMap<(String, String), (&str, u64)> = BTreeMap::new();
    let places = recent.articles.iter().flat_map(|article| &article.places);
    for place in places.filter(|place| place.is_primary) {
        if (SOUTH..=NORTH).contains(&place.lat) && (WEST..=-WEST).contains(&place.lon) {
            let x = format!("{:.1}", (place.lon - WEST) * UNITS);
            let y = format!("{:.1}", (NORTH - place.lat) * UNITS);
            counts.entry((x, y)).or_insert((&place.name, 0)).1 += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, (name, count))| (Reverse(*count), *name));
    counts.truncate(DRAWN_MAX);
    html.raw("<section id=\"places\" aria-labelledby=\"places-title\"><h2 id=\"places-title\">Where it happened</h2>");
    if counts.is_empty() {
        html.raw("<p class=\"empty\">No place is known.</p></section>");
        return;
    }
    let names = counts.iter().take(NAMED).map(|(_, (name, count))| format!("{name} ({count})"));
    let names = names.collect::<Vec<_>>().join(", ");
    html.raw("<svg class=\"map\" viewBox=\"0 0 720 274\" role=\"img\" aria-label=\"Places of the newest articles: ");
    html.text(&names).raw("\"><image href=\"/page.world.svg\" width=\"720\" height=\"274\"/>");
    // The large ones first, so that they hide no small one.
    for ((x, y), (name, count)) in &counts {
        let radius = (RADIUS_MIN + count - 1).min(RADIUS_MAX);
        html.raw("<circle cx=\"").text(x).raw("\" cy=\"").text(y).raw("\" r=\"").length(radius);
        html.raw("\"><title>").text(&format!("{name}: {count}")).raw("</title></circle>");
    }
    html.raw("</svg><p class=\"about\">").text(&names).raw("</p></section>");
}
