//! How well places are found and resolved, and how long it takes: on a file in the form of the Local Global
//! Lexicon (Lieberman and others, 2010), which is not part of this repository.
//!
//! `cargo bench -p cw-places --bench lgl -- FILE [--wrong]`; `--wrong` lists what was resolved wrongly or not.
//!
//! - found: gold names with coordinates that some place of ours overlaps
//! - acc@161: those within 161 km (100 miles), of all gold names with coordinates
//! - tolerant: the same, but a country or first-level region may be 1,500 km off, because its middle is a
//!   matter of taste

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement for people, on a file at hand"
)]

mod cut;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use cw_places::{Place, PlaceKind, Places, Text};
use quick_xml::Reader;
use quick_xml::events::Event;

const NEAR_KM: f64 = 161.0;
const TOLERANT_KM: f64 = 1500.0;
/// Passes over the file that are timed.
const PASSES: u32 = 5;

#[derive(Default)]
struct Article {
    feed: String,
    text: String,
    gold: Vec<Gold>,
}

#[derive(Clone, Default)]
struct Gold {
    start: usize,
    end: usize,
    phrase: String,
    code: String,
    country: String,
    point: Option<(f64, f64)>,
}

impl Article {
    fn context(&self, start: usize, end: usize) -> String {
        let context = self.text.chars().skip(start.saturating_sub(40)).take(end - start + 80);
        context.map(|sign| if sign == '\n' { ' ' } else { sign }).collect()
    }
}

impl Gold {
    fn overlaps(&self, span: &Range<usize>) -> bool {
        span.start < self.end && self.start < span.end
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let Some(file) = arguments.iter().find(|it| !it.starts_with("--")) else {
        println!("usage: cargo bench -p cw-places --bench lgl -- FILE [--wrong]");
        return;
    };
    let is_wrong_told = arguments.iter().any(|it| it == "--wrong");
    let articles = read(&std::fs::read_to_string(file).unwrap());
    let begun = now();
    let places = Places::built_in();
    println!("opened in {:?}", begun.elapsed());
    println!("\nwithout the country of the feed");
    let score = Score::of(&places, &articles, &BTreeMap::new());
    for line in score.wrong.iter().filter(|_| is_wrong_told) {
        println!("{line}");
    }
    score.print();
    println!("\nwith the country of the feed: the one that most gold names of it lie in");
    Score::of(&places, &articles, &feed_countries(&places, &articles)).print();
    println!();
    time(&places, &articles);
}

/// Where the feeds are from, as whoever configures one knows.
fn feed_countries(places: &Places, articles: &[Article]) -> BTreeMap<String, &'static str> {
    let mut counted: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for article in articles {
        for of in article.gold.iter().filter(|of| !of.country.is_empty()) {
            *counted.entry(&article.feed).or_default().entry(&of.country).or_default() += 1;
        }
    }
    let most = |(feed, countries): (&&str, &BTreeMap<&str, usize>)| {
        let (name, _) = countries.iter().max_by_key(|(_, times)| **times)?;
        let cuttings = cut::cut("", "", name);
        let tokens = cut::tokens(&cuttings);
        let found = places.find(&Text { language: "en", tokens: &tokens, ..Text::default() });
        Some(((*feed).to_owned(), found.places.first()?.country?))
    };
    counted.iter().filter_map(most).collect()
}

/// Whether the gold name of a country is a word for its people or language, by its not being a name of ours.
fn is_demonym(places: &Places, of: &Gold) -> bool {
    let cuttings = cut::cut("", "", &of.phrase);
    let tokens = cut::tokens(&cuttings);
    let found = places.find(&Text { language: "en", tokens: &tokens, ..Text::default() });
    of.code.starts_with("PCL") && !found.places.iter().any(|place| place.kind == PlaceKind::Country)
}

/// What became of the gold names.
#[derive(Default)]
struct Score {
    gold: usize,
    demonyms: usize,
    found: usize,
    near: usize,
    tolerant: usize,
    ours: usize,
    ours_alone: usize,
    /// A line for each that went wrong.
    wrong: Vec<String>,
}

impl Score {
    fn of(places: &Places, articles: &[Article], feeds: &BTreeMap<String, &'static str>) -> Self {
        let mut score = Self::default();
        for article in articles {
            let cuttings = cut::cut("", "", &article.text);
            let tokens = cut::tokens(&cuttings);
            let feed_country = feeds.get(&article.feed).copied();
            let text = Text { language: "en", tokens: &tokens, feed_country, ..Text::default() };
            let found = places.find(&text);
            let chars = |span: &Range<usize>| {
                let (first, last) = (cuttings.get(span.start), cuttings.get(span.end - 1));
                first.unwrap().chars.start..last.unwrap().chars.end
            };
            let of_place = |place| -> Vec<(Range<usize>, &Place)> {
                let place: &Place = place;
                place.spans.iter().map(|span| (chars(span), place)).collect()
            };
            let spans: Vec<_> = found.places.iter().flat_map(of_place).collect();
            for of in &article.gold {
                score.add_gold(places, article, of, &spans);
            }
            score.add_ours(article, &spans);
        }
        score
    }

    fn add_gold(
        &mut self,
        places: &Places,
        article: &Article,
        of: &Gold,
        spans: &[(Range<usize>, &Place)],
    ) {
        let Some(point) = of.point else { return };
        self.gold += 1;
        self.demonyms += usize::from(is_demonym(places, of));
        let ours = spans.iter().find(|(span, _)| of.overlaps(span)).map(|(_, place)| *place);
        let off = ours.map(|place| kilometres(point, (place.lat, place.lon)));
        let is_wide = of.code.starts_with("PCL") || of.code == "ADM1";
        let limit = if is_wide { TOLERANT_KM } else { NEAR_KM };
        self.found += usize::from(off.is_some());
        self.near += usize::from(off.is_some_and(|off| off <= NEAR_KM));
        self.tolerant += usize::from(off.is_some_and(|off| off <= limit));
        if off.is_none_or(|off| off > limit) {
            let ours = ours.map(|place| (place.name, place.country, place.lat, place.lon));
            let context = article.context(of.start, of.end);
            self.wrong.push(format!("{}\t{}\t{point:?}\t{ours:?}\t{context}", of.phrase, of.code));
        }
    }

    fn add_ours(&mut self, article: &Article, spans: &[(Range<usize>, &Place)]) {
        self.ours += spans.len();
        for (span, place) in spans {
            if !article.gold.iter().any(|of| of.overlaps(span)) {
                self.ours_alone += 1;
                let context = article.context(span.start, span.end);
                let (country, kind) = (place.country, place.kind.as_str());
                self.wrong.push(format!("NOT GOLD\t{} {country:?} {kind}\t{context}", place.name));
            }
        }
    }

    fn print(&self) {
        let share = |part: usize, whole: usize| {
            let of = |count: usize| f64::from(u32::try_from(count).unwrap());
            format!("{part} of {whole}, {:.3}", of(part) / of(whole))
        };
        println!("found      {}", share(self.found, self.gold));
        println!("acc@161    {}", share(self.near, self.gold));
        let named = share(self.near, self.gold - self.demonyms);
        println!(
            "acc@161    {named} without demonyms (Russian, Sri Lankan), which are no places of ours"
        );
        println!("tolerant   {}", share(self.tolerant, self.gold));
        println!("tolerant   {} without demonyms", share(self.tolerant, self.gold - self.demonyms));
        let (near, tolerant) = (share(self.near, self.found), share(self.tolerant, self.found));
        println!("resolved rightly of those found {near} (tolerant {tolerant})");
        println!("ours that are no gold name      {}", share(self.ours_alone, self.ours));
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
fn now() -> Instant {
    Instant::now()
}

fn time(places: &Places, articles: &[Article]) {
    let cuttings: Vec<_> = articles.iter().map(|article| cut::cut("", "", &article.text)).collect();
    let tokens: Vec<_> = cuttings.iter().map(|cuttings| cut::tokens(cuttings)).collect();
    let begun = now();
    for _ in 0..PASSES {
        for tokens in &tokens {
            std::hint::black_box(places.find(&Text { language: "en", tokens, ..Text::default() }));
        }
    }
    let texts = PASSES * u32::try_from(articles.len()).unwrap();
    let bytes: usize = articles.iter().map(|article| article.text.len()).sum();
    println!("{:?} a text of {} bytes", begun.elapsed() / texts, bytes / articles.len());
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = memory.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("Rss"));
    println!("{}", lines.collect::<Vec<_>>().join(", ").replace('\t', " "));
}

fn read(xml: &str) -> Vec<Article> {
    let mut reader = Reader::from_str(xml);
    let (mut articles, mut path, mut open, mut gold) =
        (Vec::new(), Vec::new(), Article::default(), Gold::default());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => path.push(start.name().as_ref().to_owned()),
            Event::End(_) => match path.pop().as_deref() {
                Some("article") => articles.push(std::mem::take(&mut open)),
                Some("toponym") => open.gold.push(std::mem::take(&mut gold)),
                _ => {}
            },
            Event::CData(text) => open.text.push_str(&text),
            Event::Text(text) => {
                let text = text.to_string();
                let (within, own) =
                    (path.iter().nth_back(1).map(String::as_str), path.last().map(String::as_str));
                let number = || text.parse::<f64>().unwrap();
                match (within, own) {
                    (Some("article"), Some("text")) => open.text.push_str(&text),
                    (_, Some("start")) => gold.start = text.parse().unwrap(),
                    (_, Some("end")) => gold.end = text.parse().unwrap(),
                    (_, Some("phrase")) => gold.phrase = text,
                    (_, Some("feedid")) => open.feed = text,
                    (_, Some("country")) => gold.country = text,
                    (_, Some("fcode")) => gold.code = text,
                    (_, Some("lat")) => gold.point = Some((number(), 0.0)),
                    (_, Some("lon")) => gold.point = gold.point.map(|(lat, _)| (lat, number())),
                    _ => {}
                }
            }
            Event::Eof => return articles,
            _ => {}
        }
    }
}

/// On a globe.
fn kilometres((lat, lon): (f64, f64), (to_lat, to_lon): (f64, f64)) -> f64 {
    let (lat, lon, to_lat, to_lon) =
        (lat.to_radians(), lon.to_radians(), to_lat.to_radians(), to_lon.to_radians());
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let arc = half(to_lat - lat) + lat.cos() * to_lat.cos() * half(to_lon - lon);
    2.0 * 6371.0 * arc.sqrt().asin()
}
