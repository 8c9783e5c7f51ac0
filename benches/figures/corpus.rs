//! Writes the feeds that are measured: the same bytes on every machine and in every run.
//!
//! All of it is made up here. Sizes and shapes follow what publishers serve: ten to eighty entries
//! a document, half a kilobyte to four of body text, markup escaped, in CDATA or in JSON, dates in
//! the format's own form.

use jiff::Timestamp;

use super::words::{LANGUAGES, Language};

/// One document and what a reader should find in it.
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: u64,
}

/// What a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Rss,
    Atom,
    Json,
}

/// How much text an entry carries.
#[derive(Clone, Copy, Debug)]
enum Text {
    /// A teaser and a whole article of half a kilobyte to four.
    Whole,
    /// A teaser, as most news feeds have it.
    Teaser,
}

/// The newest entry of every document; the others go back from it.
const NEWEST: &str = "2026-03-01T12:00:00Z";

/// Between two entries of a document.
const STEP_SECONDS: i64 = 1_740;

/// Documents of every format and language, `bytes_wanted` in all or a little more.
pub(crate) fn documents(bytes_wanted: usize) -> Vec<Document> {
    let mut documents = Vec::new();
    let mut bytes = 0;
    while bytes < bytes_wanted {
        let number = documents.len() as u64;
        let mut dice = fastrand::Rng::with_seed(number);
        let entries = dice.u64(10..=80);
        let format = match dice.u8(0..20) {
            0..12 => Format::Rss,
            12..17 => Format::Atom,
            _ => Format::Json,
        };
        let document = write(number, format, entries, Text::Whole, &mut dice);
        bytes += document.bytes.len();
        documents.push(document);
    }
    documents
}

/// The feed of this number among ten thousand: RSS, twenty teasers, unlike every other.
pub(crate) fn feed(number: u64) -> Document {
    // Away from the seeds of `documents`.
    let mut dice = fastrand::Rng::with_seed(number + 1_000_000);
    write(number, Format::Rss, FEED_ENTRIES, Text::Teaser, &mut dice)
}

/// Two documents of one feed, the second with `new` entries that the first has not; whole articles in English.
pub(crate) fn known_feed(number: u64, entries: u64, new: u64) -> [Document; 2] {
    let mut dice = fastrand::Rng::with_seed(number + 2_000_000);
    let (site, language) = (format!("https://paper{number}.example"), &LANGUAGES[0]);
    let written = 0..entries + new;
    let articles: Vec<Article> = written
        .map(|place| Article::write(&site, language, place, Text::Whole, &mut dice))
        .collect();
    let all = usize::try_from(entries).expect("some entries");
    let (of_next, of_first) = (articles.iter().take(all), articles.iter().rev().take(all).rev());
    let document = |articles: Vec<&Article>| {
        let bytes = rss(&site, language, articles).into_bytes();
        Document { name: format!("{number:04}.rss"), format: Format::Rss, bytes, entries }
    };
    [document(of_first.collect()), document(of_next.collect())]
}

/// Documents of one feed of teasers, each with `new` entries that those before it have not. They say nothing of when to ask
/// again.
pub(crate) fn windows(number: u64, new: u64, documents: u64) -> Vec<Vec<u8>> {
    let mut dice = fastrand::Rng::with_seed(number + 3_000_000);
    let (site, language) = (format!("https://paper{number}.example"), language(&mut dice));
    let written = FEED_ENTRIES + new * (documents - 1);
    let articles: Vec<Article> = (0..written)
        .map(|place| Article::write(&site, language, place, Text::Teaser, &mut dice))
        .collect();
    let listed = usize::try_from(FEED_ENTRIES).expect("some entries");
    // The newest come first.
    let windows = articles.windows(listed).rev().step_by(usize::try_from(new).expect("few"));
    windows
        .map(|window| rss(&site, language, window).replace("<ttl>30</ttl>\n", "").into_bytes())
        .collect()
}

/// The entries of each [`feed`].
pub(crate) const FEED_ENTRIES: u64 = 20;

fn write(
    number: u64,
    format: Format,
    entries: u64,
    text: Text,
    dice: &mut fastrand::Rng,
) -> Document {
    let language = language(dice);
    let site = format!("https://paper{number}.example");
    let articles: Vec<Article> =
        (0..entries).map(|place| Article::write(&site, language, place, text, dice)).collect();
    let (ending, bytes) = match format {
        Format::Rss => ("rss", rss(&site, language, &articles)),
        Format::Atom => ("atom", atom(&site, language, &articles)),
        Format::Json => ("json", json(&site, language, &articles)),
    };
    Document { name: format!("{number:04}.{ending}"), format, bytes: bytes.into_bytes(), entries }
}

fn language(dice: &mut fastrand::Rng) -> &'static Language {
    let all: u32 = LANGUAGES.iter().map(|language| language.weight).sum();
    let mut throw = dice.u32(0..all);
    for language in &LANGUAGES {
        if throw < language.weight {
            return language;
        }
        throw -= language.weight;
    }
    unreachable!("a throw is less than the sum of all weights")
}

struct Article {
    link: String,
    title: String,
    teaser: String,
    body: String,
    author: String,
    category: &'static str,
    at: Timestamp,
}

impl Article {
    fn write(
        site: &str,
        language: &Language,
        place: u64,
        text: Text,
        dice: &mut fastrand::Rng,
    ) -> Self {
        // Three articles in ten are about conflict: more than a newspaper has, fewer than the feeds
        // that someone who wants this program would choose.
        let is_conflict = dice.u8(0..10) < 3;
        let sentences = if is_conflict { language.conflict } else { language.other };
        let newest: Timestamp = NEWEST.parse().expect("a literal that is RFC 3339");
        let body = match text {
            Text::Whole => body(site, language, sentences, dice),
            Text::Teaser => String::new(),
        };
        let seconds = STEP_SECONDS * i64::try_from(place).expect("there are at most 80 entries");
        Self {
            link: format!("{site}/{}/{place}-{:08x}", language.code, dice.u32(..)),
            title: sentence(language, sentences, dice),
            teaser: format!(
                "{} {}",
                sentence(language, sentences, dice),
                sentence(language, language.other, dice)
            ),
            body,
            author: pick(language.names, dice).to_owned(),
            category: pick(language.categories, dice),
            at: newest - jiff::SignedDuration::from_secs(seconds),
        }
    }
}

/// Paragraphs with a picture, links and character references, as content systems write them.
fn body(site: &str, language: &Language, sentences: &[&str], dice: &mut fastrand::Rng) -> String {
    let wanted = 500_usize << dice.u32(0..3);
    let wanted = wanted + dice.usize(0..wanted);
    let mut html = format!(
        "<figure><img src=\"{site}/media/{:06}.jpg\" width=\"1024\" height=\"683\" alt=\"\"/></figure>",
        dice.u32(0..1_000_000)
    );
    let mut text_bytes = 0;
    while text_bytes < wanted {
        html.push_str("<p>");
        for _ in 0..dice.u8(2..6) {
            // A conflict story has background too.
            let from = if dice.u8(0..3) == 0 { language.other } else { sentences };
            let sentence = sentence(language, from, dice);
            text_bytes += sentence.len();
            match dice.u8(0..12) {
                0 => html
                    .push_str(&format!("<a href=\"{site}/tag/{}\">{sentence}</a> ", dice.u16(..))),
                1 => html.push_str(&format!("&ldquo;{sentence}&rdquo;&nbsp;&#8211; ")),
                2 => html.push_str(&format!("<strong>{sentence}</strong> ")),
                _ => html.push_str(&format!("{sentence} ")),
            }
        }
        html.push_str("</p>\n");
    }
    html
}

fn sentence(language: &Language, sentences: &[&str], dice: &mut fastrand::Rng) -> String {
    pick(sentences, dice)
        .replace("{place}", pick(language.places, dice))
        .replace("{name}", pick(language.names, dice))
        .replace("{n}", &dice.u32(2..90).to_string())
}

fn pick<'a>(from: &[&'a str], dice: &mut fastrand::Rng) -> &'a str {
    dice.choice(from).expect("no list of words is empty")
}

fn rss<'a>(
    site: &str,
    language: &Language,
    articles: impl IntoIterator<Item = &'a Article>,
) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:media=\"http://search.yahoo.com/mrss/\">\n<channel>\n<title>{}</title>\n\
         <link>{site}/</link>\n<description>{}</description>\n<language>{}</language>\n\
         <ttl>30</ttl>\n",
        language.paper, language.paper, language.code
    );
    for article in articles {
        let Article { link, title, teaser, body, author, category, at } = article;
        xml.push_str(&format!(
            "<item>\n<title>{}</title>\n<link>{link}?utm_source=rss&amp;utm_medium=feed</link>\n\
             <guid isPermaLink=\"false\">{link}</guid>\n<pubDate>{}</pubDate>\n\
             <dc:creator>{author}</dc:creator>\n<category>{category}</category>\n\
             <description>{}</description>\n\
             <media:content url=\"{link}/lead.jpg\" type=\"image/jpeg\" width=\"640\" height=\"360\"/>\n",
            escaped(title),
            at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            escaped(&format!("<p>{teaser}</p>")),
        ));
        if !body.is_empty() {
            xml.push_str(&format!("<content:encoded><![CDATA[{body}]]></content:encoded>\n"));
        }
        xml.push_str("</item>\n");
    }
    xml.push_str("</channel>\n</rss>\n");
    xml
}

fn atom(site: &str, language: &Language, articles: &[Article]) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n<title>{}</title>\n\
         <id>{site}/</id>\n<link href=\"{site}/\"/>\n<updated>{NEWEST}</updated>\n",
        language.code, language.paper
    );
    for article in articles {
        let Article { link, title, teaser, body, author, category, at } = article;
        xml.push_str(&format!(
            "<entry>\n<id>{link}</id>\n<title type=\"html\">{}</title>\n\
             <link rel=\"alternate\" type=\"text/html\" href=\"{link}\"/>\n\
             <published>{at}</published>\n<updated>{at}</updated>\n\
             <author><name>{author}</name></author>\n<category term=\"{category}\"/>\n\
             <summary type=\"text\">{}</summary>\n<content type=\"html\">{}</content>\n</entry>\n",
            escaped(&escaped(title)),
            escaped(teaser),
            escaped(body),
        ));
    }
    xml.push_str("</feed>\n");
    xml
}

fn json(site: &str, language: &Language, articles: &[Article]) -> String {
    let items: Vec<serde_json::Value> = articles
        .iter()
        .map(|article| {
            serde_json::json!({
                "id": article.link,
                "url": article.link,
                "title": article.title,
                "summary": article.teaser,
                "content_html": article.body,
                "date_published": article.at.to_string(),
                "authors": [{"name": article.author}],
                "tags": [article.category],
            })
        })
        .collect();
    let feed = serde_json::json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": language.paper,
        "home_page_url": format!("{site}/"),
        "language": language.code,
        "items": items,
    });
    feed.to_string()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
