//! Text to raw configuration: syntax, unknown keys and types, every problem at once.
//!
//! The document is parsed with recovery, so one slip of syntax does not hide the next mistake, and
//! walked along the schema of its raw type (`walk`). What is left always deserialises, so `check`
//! sees all the rest in the same run.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;
use super::environment::{ENVIRONMENT, Environment, PREFIX};
use super::origin::Origins;
use super::raw::schema_of;
use super::units::quoted;
use super::walk::{Walk, fitting, suggested_variable};

/// A document in reading.
#[derive(Debug)]
pub(super) struct TomlReader {
    schema: Json,
    table: toml::Table,
    origins: Origins,
    problems: Vec<Problem>,
}

impl TomlReader {
    /// Begins with nothing set; `T` is what the document must be.
    pub(super) fn new<T: JsonSchema>(file: &str) -> Self {
        Self {
            schema: schema_of::<T>(),
            table: toml::Table::new(),
            origins: Origins::new(file),
            problems: Vec::new(),
        }
    }

    /// Reads the document, which must be UTF-8.
    pub(super) fn read_bytes(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.read(text),
            Err(error) => {
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let file = self.origins.file().to_owned();
                let text = "is not UTF-8; save the file in that encoding".to_owned();
                self.problems.push(Problem { file, line: Some(line), key: String::new(), text });
            }
        }
    }

    /// Reads the document.
    fn read(&mut self, text: &str) {
        // Some editors begin a file with one; TOML does not know it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let line_starts: Vec<usize> =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let (table, errors) = DeTable::parse_recoverable(text);
        let offset = |error: &toml::de::Error| error.span().map_or(text.len(), |span| span.start);
        let mut slips: Vec<usize> = errors.iter().map(offset).collect();
        slips.sort_unstable();
        slips.dedup();
        let mut walk = Walk {
            root: &self.schema,
            text,
            line_starts: &line_starts,
            origins: &mut self.origins,
            problems: &mut self.problems,
            slips: &slips,
            guessed: Vec::new(),
        };
        self.table = walk.table(&self.schema, table.into_inner(), "");
        let guessed = walk.guessed;
        let mut told = BTreeSet::new();
        for error in errors {
            // Of those in one value, its end included, only the first: the rest follow from it.
            let at = offset(&error);
            let value = guessed.iter().find(|value| value.start <= at && at <= value.end);
            let first = value.map_or(at, |value| {
                slips.get(slips.partition_point(|slip| *slip < value.start)).copied().unwrap_or(at)
            });
            if first == at && told.insert(at) {
                let file = self.origins.file();
                self.problems.push(syntax_problem(file, text, &line_starts, &error));
            }
        }
    }

    /// Sets what the environment says, over what the document says.
    pub(super) fn read_environment(&mut self, environment: &Environment) {
        for (name, value) in environment.overrides() {
            let path = name.strip_prefix(PREFIX).unwrap_or_default().to_ascii_lowercase();
            let path: Vec<&str> = path.split("__").collect();
            let schema = path.iter().try_fold(&self.schema, |schema, key| {
                schema.get("properties").and_then(|known| known.get(key))
            });
            let problem = match (schema, value.to_str()) {
                (_, None) => "is not UTF-8".to_owned(),
                (None, _) => {
                    let hint = suggested_variable(&self.schema, PREFIX, name);
                    format!("is not a known key; {hint}")
                }
                (Some(schema), _) if schema.get("properties").is_some() => {
                    format!("is a table; set its keys one by one, as {name}__KEY")
                }
                (Some(schema), Some(text)) => {
                    let schema = schema.clone();
                    self.read_variable(&schema, &path, name, text);
                    continue;
                }
            };
            let (file, key) = (ENVIRONMENT.to_owned(), name.to_owned());
            self.problems.push(Problem { file, line: None, key, text: problem });
        }
    }

    fn read_variable(&mut self, schema: &Json, path: &[&str], name: &str, text: &str) {
        let key = path.join(".");
        self.origins.set_variable(&key, name);
        // `20s` is no TOML, so it is text; `123` is, and may be meant as text all the same.
        let parsed = DeValue::parse(text).ok();
        let as_text = || Spanned::new(0..text.len(), DeValue::String(text.into()));
        let takes_text = fitting(schema, &DeValue::String("".into())).is_some();
        let value = match parsed {
            Some(value) if fitting(schema, value.get_ref()).is_some() || !takes_text => value,
            _ => as_text(),
        };
        let mut walk = Walk {
            root: &self.schema,
            text,
            line_starts: &[],
            origins: &mut self.origins,
            problems: &mut self.problems,
            slips: &[],
            guessed: Vec::new(),
        };
        let Some(value) = walk.value(schema, value, &key) else { return };
        let Some((last, tables)) = path.split_last() else { return };
        let mut table = &mut self.table;
        for part in tables {
            let next = table.entry(*part).or_insert_with(|| toml::Table::new().into());
            let Some(next) = next.as_table_mut() else { return };
            table = next;
        }
        table.insert((*last).to_owned(), value);
    }

    /// What was read, where each key was set, and what was wrong.
    pub(super) fn finish<T: DeserializeOwned + Default>(mut self) -> (T, Origins, Vec<Problem>) {
        let raw = self.table.try_into().unwrap_or_else(|error: toml::de::Error| {
            // The walk leaves only what fits the schema of `T`, so this would be our own mistake;
            // to go on with defaults and say nothing would be a worse one.
            self.problems.push(self.origins.problem("", error.message().to_owned()));
            T::default()
        });
        (raw, self.origins, self.problems)
    }
}

fn syntax_problem(
    file: &str,
    text: &str,
    line_starts: &[usize],
    error: &toml::de::Error,
) -> Problem {
    let offset = error.span().map_or(text.len(), |span| span.start);
    let line = line_starts.partition_point(|start| *start <= offset);
    let start = line_starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
    let column = text.get(start..offset).map_or(1, |before| before.chars().count() + 1);
    let message = error.message().trim().replace('\n', "; ");
    let near = error.span().and_then(|span| text.get(span)).filter(|near| !near.is_empty());
    let near = near.map(|near| format!(" at {}", quoted(near))).unwrap_or_default();
    Problem {
        file: file.to_owned(),
        line: Some(line),
        key: String::new(),
        text: format!("column {column} is not TOML: {message}{near}"),
    }
}
