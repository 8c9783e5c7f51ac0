//! Reads a file of the coder's data: TOML to its raw form. Every mistake at once, each with its line.
//!
//! The library that reads TOML stops at the first value that does not fit. So what does not fit is reported
//! and taken out, and the rest is read again, until it fits. What is left is checked like a whole file: a
//! misspelt key hides no other mistake.

use std::collections::BTreeSet;

use cw_text::likeness::hint;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::source::{LexiconProblem, Source};

/// Mistakes of one file that are looked for: whoever made more made one of them many times.
const MISTAKES_MAX: usize = 50;

/// What could be read of a file, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Read<T> {
    /// Without what does not fit; `None` if it is no TOML, or lacks what it cannot do without.
    pub(super) raw: Option<T>,
    /// In the order in which they were found.
    pub(super) problems: Vec<LexiconProblem>,
}

/// Reads a file.
pub(super) fn read<T: DeserializeOwned>(source: &Source) -> Read<T> {
    // Nearly always nothing is wrong, and then nothing is taken apart.
    if let Ok(raw) = toml::from_str(&source.text) {
        return Read { raw: Some(raw), problems: Vec::new() };
    }
    let (mut whole, slips) = DeTable::parse_recoverable(&source.text);
    if !slips.is_empty() {
        return Read { raw: None, problems: syntax_problems(source, &slips) };
    }
    let mut problems = Vec::new();
    let mut torn = BTreeSet::new();
    while problems.len() < MISTAKES_MAX {
        let error = match T::deserialize(Deserializer::from(whole.clone())) {
            Ok(raw) => return Read { raw: Some(raw), problems },
            Err(error) => error,
        };
        let at = error.span().unwrap_or_default().start;
        let lacks_a_key = error.message().starts_with(MISSING);
        // What is missing because it was misspelt, and taken out, is no mistake of its own.
        if !(lacks_a_key && torn.contains(&at)) {
            problems.push(source.problem_at(at, &in_plain_words(error.message())));
        }
        let start = whole.span().start;
        if lacks_a_key && at == start || !remove(whole.get_mut(), start, at, &mut torn) {
            break;
        }
    }
    Read { raw: None, problems }
}

/// Where the syntax is wrong. What follows from a slip mostly lies in its line, and is left out.
fn syntax_problems(source: &Source, slips: &[Error]) -> Vec<LexiconProblem> {
    let end = source.text.len();
    let problem = |slip: &Error| {
        let at = slip.span().map_or(end, |span| span.start);
        source.problem_at(at, &format!("is not TOML: {}", slip.message()))
    };
    let mut problems: Vec<LexiconProblem> = slips.iter().take(MISTAKES_MAX).map(problem).collect();
    problems.sort_by_key(|problem| problem.line);
    problems.dedup_by_key(|problem| problem.line);
    problems
}

/// Takes the innermost entry that stands at a place out of a table which begins at `start`; whether there is
/// one. `torn` learns where the table begins that has lost it.
fn remove(table: &mut DeTable<'_>, start: usize, at: usize, torn: &mut BTreeSet<usize>) -> bool {
    for (key, value) in table.iter_mut() {
        let found = if key.span().contains(&at) { Found::Itself } else { within(value, at, torn) };
        match found {
            Found::Nowhere => {}
            Found::Inside => return true,
            Found::Itself => {
                let key = key.clone();
                table.remove(key.get_ref().as_ref());
                torn.insert(start);
                return true;
            }
        }
    }
    false
}

/// What stands at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A part of the value, which was taken out of it.
    Inside,
    /// The value.
    Itself,
    /// Something else.
    Nowhere,
}

fn within(value: &mut Spanned<DeValue<'_>>, at: usize, torn: &mut BTreeSet<usize>) -> Found {
    let span = value.span();
    let is_inside = match value.get_mut() {
        DeValue::Table(table) => remove(table, span.start, at, torn),
        DeValue::Array(items) => {
            let looked = items.iter_mut().enumerate();
            let mut found = looked
                .map(|(index, item)| (index, within(item, at, torn)))
                .skip_while(|(_, found)| *found == Found::Nowhere);
            match found.next() {
                Some((gone, Found::Itself)) => {
                    let kept = items.iter().enumerate().filter(|(index, _item)| *index != gone);
                    *items = kept.map(|(_index, item)| item.clone()).collect();
                    true
                }
                Some(_) => true,
                None => false,
            }
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => false,
    };
    match (is_inside, span.contains(&at)) {
        (true, _) => Found::Inside,
        (false, true) => Found::Itself,
        (false, false) => Found::Nowhere,
    }
}

/// How messages begin of the library about a key that must be there.
const MISSING: &str = "missing field ";

/// A message of the library for somebody who does not know Rust: with the name that may have been meant.
fn in_plain_words(message: &str) -> String {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let Some((name, known)) = names.split_first() else { return plain(message) };
    let instead = || {
        let near = hint(name, known.iter().copied());
        if near.is_empty() { format!("; known here: {}", known.join(", ")) } else { near }
    };
    if message.starts_with("unknown field ") {
        format!("\"{name}\" is not a known key{}", instead())
    } else if message.starts_with("unknown variant ") {
        format!("\"{name}\" is not known{}", instead())
    } else if message.starts_with(MISSING) {
        format!("\"{name}\" is missing")
    } else {
        plain(message)
    }
}

/// Without signs and types of Rust.
fn plain(message: &str) -> String {
    let message = message.replace('`', "\"");
    let (what, wanted) = message.rsplit_once("expected ").unwrap_or((&message, ""));
    match wanted {
        "f64" => format!("{what}expected a number"),
        "u32" | "u64" | "usize" => format!("{what}expected a whole number"),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        format: u32,
        #[serde(default)]
        sets: BTreeMap<String, Vec<String>>,
        #[serde(default)]
        tag: Vec<Tag>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tag {
        id: String,
        #[serde(default)]
        terms: Vec<Terms>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Terms {
        weight: f64,
        any: Vec<String>,
    }

    fn read_text(text: &str) -> Read<File> {
        read(&Source { name: "mine.toml".to_owned(), text: text.to_owned() })
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) -> Option<File> {
        let read = read_text(text);
        let shown: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
        read.raw
    }

    #[test]
    fn every_key_that_does_not_fit_is_named_with_its_line_and_what_may_be_meant() {
        let text = r#"
format = 1
colour = 1

[sets]
armed = ["rebel(s)", 3]

[[tag]]
id = "strike.air"
terms = [
  { wieght = 0.7, any = ["air strike(s)"] },
  { weight = "0.7", any = ["bombed"] },
  { weight = 0.8, any = ["shelled"] },
]

[[tag]]
idd = "battle"

[[tag]]
id = "peace"
"#;
        let raw = check(
            text,
            &[
                "mine.toml:3: \"colour\" is not a known key; known here: format, sets, tag",
                "mine.toml:6: invalid type: integer \"3\", expected a string",
                "mine.toml:11: \"wieght\" is not a known key; did you mean \"weight\"?",
                "mine.toml:12: invalid type: string \"0.7\", expected a number",
                "mine.toml:17: \"idd\" is not a known key; did you mean \"id\"?",
            ],
        );
        let raw = raw.unwrap();
        assert_eq!(raw.sets["armed"], ["rebel(s)"], "what fits is there");
        let ids: Vec<&str> = raw.tag.iter().map(|tag| tag.id.as_str()).collect();
        assert_eq!((raw.format, ids), (1, vec!["strike.air", "peace"]));
        let terms: Vec<_> = raw.tag[0].terms.iter().map(|one| (one.weight, &one.any)).collect();
        assert_eq!(terms, [(0.8, &vec!["shelled".to_owned()])]);
    }

    #[test]
    fn what_is_missing_is_named_where_it_should_stand() {
        let raw = check(
            "format = 1\n[[tag]]\nid = \"a\"\nterms = [\n  { weight = 0.5 },\n]\n[[tag]]\n",
            &["mine.toml:5: \"any\" is missing", "mine.toml:7: \"id\" is missing"],
        );
        assert_eq!(raw.unwrap().tag.len(), 1);
        assert!(check("[sets]\n", &["mine.toml:1: \"format\" is missing"]).is_none());
        assert!(
            check(
                "fromat = 1\n",
                &["mine.toml:1: \"fromat\" is not a known key; did you mean \"format\"?"]
            )
            .is_none()
        );
    }

    #[test]
    fn what_is_no_toml_is_named_with_its_line() {
        let read = read_text("format = 1\n[sets]\na = [\"x\n\n[[tag]]\nid = a\n");
        assert!(read.raw.is_none());
        let lines: Vec<_> = read.problems.iter().filter_map(|problem| problem.line).collect();
        assert!(lines.starts_with(&[3]), "{lines:?}");
        assert!(read.problems.iter().all(|problem| problem.detail.starts_with("is not TOML: ")));
    }
}
