//! What lists of feeds are written in, and how JSON and plain lines are read.

use serde_json::Value;

use super::Problem;
use super::origin::Origins;
use super::raw::{RawFeed, RawFeeds};
use super::read::TomlReader;

/// Where the array of feeds stands if the document is an object.
const NAMES: [&str; 2] = ["feed", "feeds"];

/// Whether an entry of `feeds_from` is a URL and no file.
pub(super) fn is_url(name: &str) -> bool {
    let begins =
        |with: &str| name.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with));
    begins("http://") || begins("https://")
}

/// What a list of feeds was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListForm {
    /// `[[feed]]` tables.
    Toml,
    /// Outlines.
    Opml,
    /// An array of URLs and of objects with the keys of a `[[feed]]` table.
    Json,
    /// A URL a line.
    Lines,
}

impl ListForm {
    /// Tells the form from a file's name.
    pub fn of_file(name: &str) -> Self {
        let extension = name.rsplit('.').next().unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "opml" | "xml" => Self::Opml,
            "json" => Self::Json,
            "txt" => Self::Lines,
            _ => Self::Toml,
        }
    }

    /// Tells the form from how a list begins: servers call all of them text.
    pub fn of_content(bytes: &[u8]) -> Self {
        // Only OPML comes in another encoding than UTF-8.
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Self::Opml;
        }
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let said = text.lines().map(str::trim);
        let first = said.into_iter().find(|line| !line.is_empty() && !line.starts_with('#'));
        let first = first.unwrap_or_default();
        let after_bracket = first.strip_prefix('[').map(|rest| rest.trim_start().chars().next());
        match (first.chars().next(), after_bracket) {
            (Some('<'), _) => Self::Opml,
            // "[[feed]]" and "[feed]" are TOML.
            (_, Some(Some(next))) if next == '[' || next.is_ascii_alphabetic() => Self::Toml,
            (Some('{' | '['), _) => Self::Json,
            _ if is_url(first) => Self::Lines,
            _ => Self::Toml,
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Toml => "TOML",
            Self::Opml => "OPML",
            Self::Json => "JSON",
            Self::Lines => "a list of URLs",
        }
    }
}

/// Reads an array of feeds, each its URL or an object with the keys of a `[[feed]]` table; or an object with
/// such an array under "feed" or "feeds".
pub(super) fn read_json(file: &str, bytes: &[u8]) -> (Vec<RawFeed>, Origins, Vec<Problem>) {
    let refused = |line: Option<usize>, text: String| {
        let problem = Problem { file: file.to_owned(), line, key: String::new(), text };
        (Vec::new(), Origins::new(file), vec![problem])
    };
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let document: Value = match serde_json::from_slice(bytes) {
        Ok(document) => document,
        Err(error) => {
            return refused(
                Some(error.line()),
                format!("is not {}: {error}", ListForm::Json.name()),
            );
        }
    };
    let feeds = match document {
        Value::Array(feeds) => Some(feeds),
        Value::Object(mut members) => {
            let found = NAMES.iter().find_map(|name| members.remove(*name));
            // What else there is says nothing of feeds.
            found.and_then(|value| if let Value::Array(feeds) = value { Some(feeds) } else { None })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    let Some(feeds) = feeds else {
        let text = "has no feeds; use an array of URLs or of objects with \"url\", or an object with such an array \
                    under \"feeds\"";
        return refused(None, text.to_owned());
    };
    // As TOML, so that the same words are said of the same mistakes.
    let feeds = feeds.into_iter().filter_map(|feed| match feed {
        Value::String(url) => Some(toml::Table::from_iter([("url".to_owned(), url.into())]).into()),
        feed => toml_of(feed),
    });
    let table = toml::Table::from_iter([("feed".to_owned(), toml::Value::Array(feeds.collect()))]);
    let mut reader = TomlReader::new::<RawFeeds>(file);
    reader.read_bytes(table.to_string().as_bytes());
    let (raw, mut origins, mut problems) = reader.finish::<RawFeeds>();
    // The lines are those of the TOML, which nobody has.
    origins.forget_lines();
    problems.iter_mut().for_each(|problem| problem.line = None);
    (raw.feed, origins, problems)
}

/// The same value; what is null is left out.
fn toml_of(value: Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => value.into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.into(),
        Value::Array(values) => {
            toml::Value::Array(values.into_iter().filter_map(toml_of).collect())
        }
        Value::Object(members) => {
            let members = members.into_iter();
            members
                .filter_map(|(key, value)| Some((key, toml_of(value)?)))
                .collect::<toml::Table>()
                .into()
        }
    })
}

/// Reads a URL a line; lines that are empty or begin with "#" say nothing.
pub(super) fn read_lines(file: &str, bytes: &[u8]) -> (Vec<RawFeed>, Origins, Vec<Problem>) {
    let mut origins = Origins::new(file);
    let Ok(text) = std::str::from_utf8(bytes) else {
        let text = "is not UTF-8; save the file in that encoding".to_owned();
        let problem = Problem { file: file.to_owned(), line: None, key: String::new(), text };
        return (Vec::new(), origins, vec![problem]);
    };
    let mut feeds = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        origins.set_line(&format!("feed[{}]", feeds.len()), index + 1);
        feeds.push(RawFeed { url: Some(line.to_owned()), ..RawFeed::default() });
    }
    (feeds, origins, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(feeds: &[RawFeed]) -> Vec<&str> {
        feeds.iter().filter_map(|feed| feed.url.as_deref()).collect()
    }

    #[test]
    fn json_is_urls_or_objects_bare_or_under_a_name() {
        for text in [
            r#"["https://a.b/1", {"url": "https://a.b/2", "id": "two", "language": null}]"#,
            r#"{"version": 1, "feeds": ["https://a.b/1", {"url": "https://a.b/2", "id": "two"}]}"#,
            "\u{feff}{\"feed\": [\"https://a.b/1\", {\"url\": \"https://a.b/2\", \"id\": \"two\"}]}",
        ] {
            let (feeds, _, problems) = read_json("a.json", text.as_bytes());
            assert_eq!(problems, [], "{text}");
            assert_eq!(urls(&feeds), ["https://a.b/1", "https://a.b/2"]);
            assert_eq!(feeds[1].id.as_deref(), Some("two"));
        }
    }

    #[test]
    fn the_mistakes_of_json_are_said_as_those_of_toml() {
        for (text, expected) in [
            ("[\n{", "a.json:2: is not JSON: EOF while parsing an object at line 2 column 1"),
            (
                "7",
                "a.json: has no feeds; use an array of URLs or of objects with \"url\", or an object with such an \
                 array under \"feeds\"",
            ),
            (
                r#"[{"url": "https://a.b/", "pubisher": "A"}]"#,
                "a.json: feed[0].pubisher: is not a known key; did you mean \"publisher\"?",
            ),
            (r#"[{"url": 7}]"#, "a.json: feed[0].url: 7 is a number; use text in quotes"),
        ] {
            let (_, _, problems) = read_json("a.json", text.as_bytes());
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(problems, [expected], "{text}");
        }
    }

    #[test]
    fn lines_are_urls_and_remarks() {
        let text = "\u{feff}# ours\n\nhttps://a.b/1\r\n  https://a.b/2\n";
        let (feeds, origins, problems) = read_lines("a.txt", text.as_bytes());
        assert_eq!((urls(&feeds), problems), (vec!["https://a.b/1", "https://a.b/2"], vec![]));
        assert_eq!(origins.line("feed[1].url"), Some(4));
    }

    #[test]
    fn what_a_server_sends_is_told_by_how_it_begins() {
        for (text, form) in [
            ("# ours\n[[feed]]\nurl = \"https://a.b/\"", ListForm::Toml),
            ("[ feed ]", ListForm::Toml),
            ("feed = [{url = \"https://a.b/\"}]", ListForm::Toml),
            ("", ListForm::Toml),
            ("\u{feff}\n<opml version=\"2.0\"/>", ListForm::Opml),
            ("<!DOCTYPE html>", ListForm::Opml),
            ("[\"https://a.b/\"]", ListForm::Json),
            ("[\n  {\"url\": \"https://a.b/\"}\n]", ListForm::Json),
            ("[]", ListForm::Json),
            ("{\"feeds\": []}", ListForm::Json),
            ("# ours\nHTTPS://a.b/\n", ListForm::Lines),
        ] {
            assert_eq!(ListForm::of_content(text.as_bytes()), form, "{text}");
        }
        assert_eq!(ListForm::of_content(&[0xff, 0xfe, b'<', 0]), ListForm::Opml);
    }
}
