//! From a feed's bytes to records: the published contract. A snapshot that changes is a change to
//! what consumers read, and wants a line in the change log.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use cw_code::{Sources, Tagger};
use cw_decide::process::process;
use cw_model::state::FeedState;
use cw_model::{Answer, Body, Feed, Outcome, PollResult, Timestamp, samples};
use serde_json::Value;

use crate::support::daemon::BINARY;
use crate::support::{files_below, project, snapshots};

/// When every fixture was polled.
const NOW: &str = "2026-03-02T12:30:00Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn feed(name: &str) -> Feed {
    Feed {
        publisher: Some("The Publisher".to_owned()),
        country: Some("GB".to_owned()),
        interval_min: Duration::from_secs(300),
        interval_max: Duration::from_secs(4 * 3600),
        retry_after_max: Duration::from_secs(24 * 3600),
        entries_max: 100,
        text_chars_max: 10_000,
        ..samples::feed(name, format!("https://publisher.example/{name}").parse().unwrap())
    }
}

/// With the lexicons that are built in.
pub(crate) fn tagger() -> Tagger {
    Tagger::new(&Sources::built_in(), 0.5).unwrap()
}

/// What the first poll of a fixture comes to.
fn outcome(name: &str, tagger: &Tagger) -> Outcome {
    let feed = feed(name);
    let bytes = std::fs::read(project().join("tests/fixtures/feeds").join(name)).unwrap();
    process(&feed, &answer(&feed, bytes), &FeedState::default(), tagger, now())
}

/// A document, as a feed's server sends it.
pub(crate) fn answer(feed: &Feed, bytes: Vec<u8>) -> Answer {
    Answer::Body(Body::of(bytes, feed.url.clone()))
}

/// Every fixture's name.
fn fixtures() -> BTreeSet<String> {
    ["xml", "json"]
        .into_iter()
        .flat_map(|extension| files_below("tests/fixtures/feeds", extension))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

/// Without the coding, whose rules have tests of their own and change with every lexicon.
fn without_coding(mut record: Value) -> Value {
    let conflict = record.as_object_mut().unwrap().remove("conflict").unwrap();
    assert!(conflict.is_null() || conflict.is_object(), "{conflict}");
    record
}

#[test]
fn each_fixture_comes_to_these_records() {
    let tagger = tagger();
    for name in fixtures() {
        let outcome = outcome(&name, &tagger);
        assert!(matches!(outcome.result, PollResult::Modified(_)), "{name}: {:?}", outcome.result);
        let records: Vec<Value> = outcome
            .records
            .iter()
            .map(|routed| without_coding(serde_json::to_value(&routed.record).unwrap()))
            .collect();
        let text = serde_json::to_string_pretty(&records).unwrap();
        snapshots().bind(|| insta::assert_snapshot!(format!("records_{name}"), text));
    }
}

#[test]
fn every_fixture_is_listed_and_every_listed_one_is_there() {
    let readme = project().join("tests/fixtures/feeds/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let listed: BTreeSet<String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|names| names.split('`'))
        .filter(|name| name.ends_with(".xml") || name.ends_with(".json"))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, fixtures());
}

/// One record as a whole, coding included; only the name of the lexicon and the score are left to change.
#[test]
fn a_record_says_what_it_is_about_and_shows_the_words() {
    let outcome = outcome("rss-2.0.xml", &tagger());
    let about = outcome.records.iter().find(|routed| routed.record.conflict.is_some()).unwrap();
    let mut record = serde_json::to_value(&about.record).unwrap();
    record["conflict"]["lexicon"] = "[lexicon]".into();
    assert!(record["conflict"]["score"].is_number());
    record["conflict"]["score"] = "[score]".into();
    let text = serde_json::to_string_pretty(&record).unwrap();
    snapshots().bind(|| insta::assert_snapshot!("whole_record", text));
}

/// Offsets count code points, so that a reader in any language finds the words.
#[test]
fn every_piece_of_evidence_stands_where_it_says() {
    let tagger = tagger();
    let mut pieces = 0;
    for name in fixtures() {
        for routed in outcome(&name, &tagger).records {
            let record = serde_json::to_value(&routed.record).unwrap();
            for evidence in evidence(&record["conflict"]) {
                let field = record[evidence["field"].as_str().unwrap()].as_str().unwrap();
                let at = |end: &str| usize::try_from(evidence[end].as_u64().unwrap()).unwrap();
                let (start, end) = (at("start"), at("end"));
                let words: String = field.chars().skip(start).take(end - start).collect();
                assert_eq!(evidence["text"], words.as_str(), "{name}: {evidence}");
                pieces += 1;
            }
        }
    }
    assert!(pieces > 0, "nothing was tagged");
}

/// Every piece of evidence anywhere below.
fn evidence(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(object) if object.contains_key("start") => vec![value],
        Value::Object(object) => object.values().flat_map(evidence).collect(),
        Value::Array(values) => values.iter().flat_map(evidence).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// A second poll of the same bytes says nothing.
#[test]
fn no_fixture_is_news_twice() {
    let tagger = tagger();
    for name in fixtures() {
        let first = outcome(&name, &tagger);
        let feed = feed(&name);
        // Not the same bytes, so that they are read and not just recognised.
        let mut bytes = std::fs::read(project().join("tests/fixtures/feeds").join(&name)).unwrap();
        bytes.push(b'\n');
        let answer = answer(&feed, bytes);
        let later = now() + Duration::from_secs(3600);
        let second = process(&feed, &answer, &first.state, &tagger, later);
        assert!(second.records.is_empty(), "{name}: {:#?}", second.records);
        assert!(second.rejects.is_empty(), "{name}: {:#?}", second.rejects);
    }
}

/// The schema of articles, as the program prints it.
fn published_schema() -> Value {
    let output = Command::new(BINARY).args(["schema", "article"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_record_and_reject_obeys_the_published_schema() {
    let schema = published_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let tagger = tagger();
    let mut records = 0;
    for name in fixtures() {
        for routed in outcome(&name, &tagger).records {
            let record = serde_json::to_value(&routed.record).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&record).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:#?} in {record:#}");
            records += 1;
        }
    }
    assert!(records > 20, "{records} records are too few to mean anything");
    for broken in [r#"{}"#, r#"{"schema":"conflictwire.article/1"}"#] {
        let broken: Value = serde_json::from_str(broken).unwrap();
        assert!(!validator.is_valid(&broken), "the schema refuses nothing");
    }
}

#[test]
fn the_schema_describes_every_field() {
    let schema = published_schema();
    let mut silent = Vec::new();
    undescribed(&schema, "", &mut silent);
    assert!(silent.is_empty(), "no description: {silent:#?}");
}

/// The properties below a schema that say nothing of themselves.
fn undescribed(schema: &Value, path: &str, silent: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            for (name, property) in
                object.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                if property.get("description").is_none() {
                    silent.push(format!("{path}.{name}"));
                }
            }
            object
                .iter()
                .for_each(|(key, value)| undescribed(value, &format!("{path}/{key}"), silent));
        }
        Value::Array(values) => values.iter().for_each(|value| undescribed(value, path, silent)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What a publisher may write that nobody should be shown: controls, marks of direction, invisible
/// characters, a line end, a reference, a tag.
const HOSTILE: &str = "A\u{7f}\u{9b}\u{202e}B\u{200b}\u{2066}\n C&#x202e;&#10;D";

/// Strings of a record that are as the publisher wrote them: its schema says so.
const VERBATIM: [&str; 2] = ["/guid", "/dates/published_raw"];

/// Calls for each string of a value, with its path; places in lists are left out.
fn each_string(value: &Value, path: &str, look: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => look(path, text),
        Value::Array(items) => items.iter().for_each(|item| each_string(item, path, look)),
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(name, field)| each_string(field, &format!("{path}/{name}"), look));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_hostile(path: &str, text: &str) -> bool {
    let may_break = path == "/body" || path == "/summary";
    let is_hostile = |char: char| {
        (char.is_control() && !(may_break && char == '\n'))
            || matches!(char, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.contains(is_hostile)
}

/// Documents that are hostile wherever they may hold text, in each format, and one that is refused.
fn hostile_documents() -> [String; 5] {
    let json = serde_json::to_string(HOSTILE).unwrap();
    let attribute = HOSTILE.replace('\n', " ");
    [
        format!(
            "<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
             xmlns:media=\"http://search.yahoo.com/mrss/\"><channel><title>{HOSTILE}</title>\
             <language>{HOSTILE}</language><item><guid isPermaLink=\"false\">{HOSTILE}</guid>\
             <title>{HOSTILE}</title><link>https://a.example/{attribute}</link><dc:creator>{HOSTILE}\
             </dc:creator><category>{HOSTILE}</category><pubDate>{HOSTILE}</pubDate><description>\
             {HOSTILE}</description><media:content url=\"https://a.example/{attribute}\" \
             type=\"{attribute}\"><media:title>{HOSTILE}</media:title></media:content><enclosure \
             url=\"https://a.example/b\" type=\"image/{attribute}\" length=\"1\"/></item></channel></rss>"
        ),
        format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{attribute}\"><title>{HOSTILE}\
             </title><entry><id>{HOSTILE}</id><title>{HOSTILE}</title><author><name>{HOSTILE}</name>\
             </author><category term=\"{attribute}\"/><published>{HOSTILE}</published><summary>\
             {HOSTILE}</summary><content type=\"html\">{HOSTILE}</content><link rel=\"enclosure\" \
             href=\"https://a.example/c\" type=\"{attribute}\" title=\"{attribute}\"/></entry></feed>"
        ),
        format!(
            "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":{json},\"language\":{json},\
             \"items\":[{{\"id\":{json},\"title\":{json},\"content_text\":{json},\"summary\":{json},\
             \"authors\":[{{\"name\":{json}}}],\"tags\":[{json}],\"date_published\":{json},\
             \"attachments\":[{{\"url\":\"https://a.example/d\",\"mime_type\":{json},\
             \"title\":{json}}}]}},{json}]}}"
        ),
        format!(
            "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
             xmlns:news=\"http://www.google.com/schemas/sitemap-news/0.9\"><url><loc>\
             https://a.example/e</loc><news:news><news:publication><news:name>{HOSTILE}</news:name>\
             <news:language>{HOSTILE}</news:language></news:publication><news:title>{HOSTILE}\
             </news:title><news:publication_date>{HOSTILE}</news:publication_date></news:news></url>\
             </urlset>"
        ),
        format!("<{attribute}></{attribute}>"),
    ]
}

#[test]
fn every_published_string_is_clean_or_said_to_be_verbatim() {
    let (feed, tagger) = (feed("wire"), tagger());
    let mut seen = BTreeSet::new();
    for document in hostile_documents() {
        let answer = answer(&feed, document.clone().into_bytes());
        let outcome = process(&feed, &answer, &FeedState::default(), &tagger, now());
        assert!(outcome.records.len() + outcome.rejects.len() > 0, "{document}");
        let records =
            outcome.records.iter().map(|routed| serde_json::to_value(&routed.record).unwrap());
        let rejects = outcome.rejects.iter().map(|reject| serde_json::to_value(reject).unwrap());
        for record in records.chain(rejects) {
            each_string(&record, "", &mut |path, text| {
                seen.insert(path.to_owned());
                let is_verbatim = VERBATIM.contains(&path);
                assert!(is_verbatim || !is_hostile(path, text), "{path}: {text:?} of {document}");
            });
        }
    }
    for path in
        ["/title", "/body", "/authors", "/categories", "/media/title", "/feed/title", "/detail"]
    {
        assert!(seen.contains(path), "nothing hostile reached {path}: {seen:?}");
    }
    let schema = published_schema();
    let guid = schema["properties"]["guid"]["description"].as_str().unwrap();
    let raw = &schema["$defs"]["RecordDates"]["properties"]["published_raw"]["description"];
    assert!(guid.contains("verbatim") && raw.as_str().unwrap().contains("verbatim"));
}
