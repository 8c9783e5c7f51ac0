//! The places of articles: JSON lines `{"language", "title", "summary", "body", "feed_country"}` on standard
//! input, all optional, to one JSON array of places a line.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for people who change the rules"
)]

mod cut;

use cw_places::{Places, Text};
use serde_json::{Value, json};

fn main() {
    let places = Places::built_in();
    for line in std::io::stdin().lines() {
        let article: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = |key: &str| article[key].as_str().unwrap_or_default();
        let cuttings = cut::cut(text("title"), text("summary"), text("body"));
        let tokens = cut::tokens(&cuttings);
        let language = article["language"].as_str().unwrap_or("en");
        let feed_country = article["feed_country"].as_str();
        let found =
            places.find(&Text { language, tokens: &tokens, feed_country, ..Text::default() });
        let words = |span: &std::ops::Range<usize>| {
            let words = &cuttings[span.clone()];
            let written = words.iter().map(|word| word.written).collect::<Vec<_>>().join(" ");
            json!({ "text": written, "start": words[0].chars.start, "end": words[words.len() - 1].chars.end })
        };
        let place = |of: &cw_places::Place| {
            json!({
                "name": of.name, "geonames_id": of.geonames_id, "country": of.country, "lat": of.lat, "lon": of.lon,
                "kind": of.kind.as_str(), "mentions": of.mentions, "primary": of.primary,
                "spans": of.spans.iter().map(words).collect::<Vec<_>>(),
            })
        };
        let governments: Vec<&str> = found.governments.iter().map(|of| of.country).collect();
        println!(
            "{}",
            json!({ "places": found.places.iter().map(place).collect::<Vec<_>>(), "governments": governments })
        );
    }
}
