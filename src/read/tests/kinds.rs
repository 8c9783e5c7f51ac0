//! What publishers write in place of what the formats say, kind by kind: `kinds.jsonl` has a small document and what
//! must come of it on each line. Whoever finds another way in which a field is written adds a line.

use std::collections::HashSet;

use cw_model::{Article, Feed, Steps, samples};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::normalise::{Context, normalise, repeated_marks};
use crate::parse::date::Conventions;
use crate::parse::parse;

/// One line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    kind: String,
    /// The document; or its items, in the shortest feed that declares the usual namespaces.
    document: Option<String>,
    items: Option<String>,
    /// What it is encoded in; UTF-8 if nothing is said.
    charset: Option<String>,
    content_type: Option<String>,
    /// How many articles there must be.
    articles: Option<usize>,
    /// What the first article must be, by field of the record; `text` is its body, else its summary.
    #[serde(default)]
    first: serde_json::Map<String, Value>,
    /// Headlines that must be among those of all articles.
    #[serde(default)]
    titles: Vec<String>,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let text = match (&self.document, &self.items) {
            (Some(document), None) => document.clone(),
            (None, Some(items)) => format!(
                "<?xml version=\"1.0\"?><rss version=\"2.0\" \
                 xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
                 xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
                 xmlns:media=\"http://search.yahoo.com/mrss/\" \
                 xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\" \
                 xmlns:dcterms=\"http://purl.org/dc/terms/\" \
                 xmlns:a=\"http://www.w3.org/2005/Atom\"><channel><title>Desk</title>\
                 <link>https://desk.example/</link>{items}</channel></rss>"
            ),
            _ => panic!("a document or items"),
        };
        match self.charset.as_deref() {
            None => text.into_bytes(),
            Some("utf-16le") => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Some("utf-16be") => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Some(label) => {
                let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
                encoding.encode(&text).0.into_owned()
            }
        }
    }

    /// What does not hold.
    fn faults(&self) -> Vec<String> {
        let articles = match articles(&self.bytes(), self.content_type.as_deref()) {
            Ok(articles) => articles,
            Err(problem) => return vec![problem],
        };
        let mut faults = Vec::new();
        if self.articles.is_some_and(|count| count != articles.len()) {
            faults.push(format!("{} articles", articles.len()));
        }
        let ids: HashSet<_> = articles.iter().map(|article| article.id).collect();
        if ids.len() != articles.len() {
            faults.push(format!("{} articles with {} ids", articles.len(), ids.len()));
        }
        for title in &self.titles {
            if !articles.iter().any(|article| article.title.as_ref() == Some(title)) {
                let read: Vec<_> = articles.iter().map(|article| &article.title).collect();
                faults.push(format!("no {title:?} among {read:?}"));
            }
        }
        for (field, wanted) in &self.first {
            let read = articles.first().map(|article| value(article, field));
            if read.as_ref() != Some(wanted) {
                faults.push(format!("{field}: {wanted}, read {}", read.unwrap_or_default()));
            }
        }
        faults
    }
}

fn value(article: &Article, field: &str) -> Value {
    match field {
        "title" => json!(article.title),
        "text" => json!(article.body.as_ref().or(article.summary.as_ref())),
        "url" => json!(article.url),
        "authors" => json!(article.authors),
        "categories" => json!(article.categories),
        "language" => json!(article.language),
        "published_at" => json!(article.published_at.map(|at| at.to_string())),
        "media" => json!(article.media.iter().map(|media| &media.url).collect::<Vec<_>>()),
        other => panic!("no field {other}"),
    }
}

fn articles(bytes: &[u8], content_type: Option<&str>) -> Result<Vec<Article>, String> {
    let url = Url::parse("https://desk.example/feed.xml").unwrap();
    let steps = Steps::for_bytes(bytes.len());
    let parsed =
        parse(bytes, content_type, &url, 100, &steps).map_err(|problem| format!("{problem:?}"))?;
    let feed = Feed { text_chars_max: 10_000, ..samples::feed("desk", url.clone()) };
    let feed = Feed { language: None, ..feed };
    let written = |entry: &cw_model::Entry| entry.published.clone();
    let dates: Vec<String> = parsed.entries.iter().filter_map(written).collect();
    let context = Context {
        feed: &feed,
        base: &url,
        language: parsed.language.as_deref(),
        shown_language: None,
        dates: &Conventions::learn(parsed.language.as_deref(), dates.iter().map(String::as_str)),
        seen: None,
        now: "2026-01-28T00:00:00Z".parse().unwrap(),
        repeated_guids: &repeated_marks(&url, &parsed.entries, &steps).unwrap(),
    };
    let article = |entry| normalise(&context, entry, &Steps::new(u64::MAX)).unwrap();
    Ok(parsed.entries.iter().map(article).collect())
}

#[test]
fn every_kind_is_read_as_it_is_meant() {
    let mut faults = Vec::new();
    for (place, line) in include_str!("kinds.jsonl").lines().enumerate() {
        let case: Case = serde_json::from_str(line).unwrap();
        for fault in case.faults() {
            faults.push(format!("{}, line {}: {fault}\n    {line}", case.kind, place + 1));
        }
    }
    assert!(faults.is_empty(), "{}\n{} faults", faults.join("\n"), faults.len());
}
