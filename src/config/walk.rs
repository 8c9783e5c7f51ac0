//! Holds a parsed document against the schema of its raw type: unknown keys and wrong types.
//!
//! What fits is handed on, what does not is reported and left out. Ranges are `check`'s.

use std::ops::Range;

use cw_text::likeness::{did_you_mean, nearest};
use serde::Deserialize;
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::Problem;
use super::origin::Origins;

/// The most characters of a value that are repeated in a problem: enough to find it again.
const SHOWN_CHARS_MAX: usize = 60;

/// One walk over a document or a variable.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    /// The schema of the whole document, for suggestions.
    pub(super) root: &'a Json,
    /// What is walked.
    pub(super) text: &'a str,
    /// Where its lines begin; empty if it is a variable and has none.
    pub(super) line_starts: &'a [usize],
    /// Learns where each key was set.
    pub(super) origins: &'a mut Origins,
    /// Receives what is wrong.
    pub(super) problems: &'a mut Vec<Problem>,
    /// Where the syntax is wrong, in order, each place once.
    pub(super) slips: &'a [usize],
    /// Receives the values that the parser had to guess because of that.
    pub(super) guessed: Vec<Range<usize>>,
}

impl Walk<'_> {
    /// The entries of a table that fit.
    pub(super) fn table(&mut self, schema: &Json, table: DeTable<'_>, path: &str) -> toml::Table {
        let known = schema.get("properties");
        let free = schema.get("additionalProperties").filter(|free| free.is_object());
        let mut fine = toml::Table::new();
        for (key, value) in table {
            let name = key.get_ref();
            let child = child_path(path, name);
            self.set_line(&child, key.span().start);
            let Some(schema_of_key) = known.and_then(|known| known.get(name.as_ref())).or(free)
            else {
                let hint = suggested_key(self.root, schema, path, name);
                self.report(&child, format!("is not a known key; {hint}"));
                continue;
            };
            if let Some(value) = self.value(schema_of_key, value, &child) {
                fine.insert(name.to_string(), value);
            }
        }
        fine
    }

    /// The value, as far as it fits; `None` if it does not at all.
    pub(super) fn value(
        &mut self,
        schema: &Json,
        value: Spanned<DeValue<'_>>,
        path: &str,
    ) -> Option<toml::Value> {
        let span = value.span();
        let slip = self.slips.get(self.slips.partition_point(|slip| *slip < span.start));
        if !value.get_ref().is_table() && slip.is_some_and(|slip| *slip < span.end) {
            // What a bracket that is missing makes of the next lines is nobody's mistake.
            self.origins.set_reported(path);
            self.guessed.push(span);
            return None;
        }
        let Some(fitting) = fitting(schema, value.get_ref()) else {
            let given = self.text.get(span).unwrap_or_default();
            let kind = kind_name(value.get_ref());
            let wanted = wanted_text(schema, path);
            self.report(path, format!("{} is {kind}; {wanted}", shown(given)));
            return None;
        };
        match value.into_inner() {
            DeValue::Table(table) => Some(self.table(fitting, table, path).into()),
            DeValue::Array(items) => {
                let schema_of_items = fitting.get("items").unwrap_or(&Json::Null);
                let mut fine = Vec::new();
                for (index, item) in items.into_iter().enumerate() {
                    let child = format!("{path}[{index}]");
                    self.set_line(&child, item.span().start);
                    // One that does not fit keeps its place, so that the others keep their number.
                    let empty = || empty_value(schema_of_items);
                    fine.push(self.value(schema_of_items, item, &child).unwrap_or_else(empty));
                }
                Some(fine.into())
            }
            leaf => {
                let leaf = ValueDeserializer::from(Spanned::new(span.clone(), leaf));
                let read = toml::Value::deserialize(leaf).ok();
                if read.is_none() {
                    let given = shown(self.text.get(span).unwrap_or_default());
                    self.report(path, format!("{given} is beyond any number here; use less"));
                }
                read
            }
        }
    }

    fn report(&mut self, key: &str, text: String) {
        self.problems.push(self.origins.problem(key, text));
        self.origins.set_reported(key);
    }

    fn set_line(&mut self, key: &str, offset: usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        if line > 0 {
            self.origins.set_line(key, line);
        }
    }
}

/// Which of the forms that a schema allows a value has.
pub(super) fn fitting<'a>(schema: &'a Json, value: &DeValue<'_>) -> Option<&'a Json> {
    forms(schema).find(|form| {
        let has = |name: &str| types(form).any(|given| given == name);
        match value {
            DeValue::String(_) => has("string"),
            DeValue::Integer(_) => has("integer") || has("number"),
            DeValue::Float(_) => has("number"),
            DeValue::Boolean(_) => has("boolean"),
            DeValue::Array(_) => has("array"),
            DeValue::Table(_) => has("object"),
            DeValue::Datetime(_) => false,
        }
    })
}

/// The forms a schema allows.
fn forms(schema: &Json) -> impl Iterator<Item = &Json> {
    let several = schema.get("anyOf").and_then(Json::as_array);
    let one = several.is_none().then_some(schema);
    several.into_iter().flatten().chain(one)
}

/// The types one form allows.
fn types(form: &Json) -> impl Iterator<Item = &str> {
    let named = form.get("type");
    let several = named.and_then(Json::as_array).into_iter().flatten();
    several.filter_map(Json::as_str).chain(named.and_then(Json::as_str))
}

fn kind_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What to write instead: "use text in quotes, for example "30s"".
fn wanted_text(schema: &Json, path: &str) -> String {
    let mut wanted = Vec::new();
    for form in forms(schema) {
        let is_table = form.get("properties").is_some();
        let is_of_tables = form.pointer("/items/properties").is_some();
        wanted.extend(types(form).filter_map(|name| match name {
            "string" => Some("text in quotes".to_owned()),
            "integer" => Some("a whole number without quotes".to_owned()),
            "number" => Some("a number without quotes".to_owned()),
            "boolean" => Some("true or false".to_owned()),
            "array" if is_of_tables => Some(format!("[[{path}]] for each")),
            "array" => Some("a list in brackets".to_owned()),
            "object" if is_table && !path.contains('[') => Some(format!("one table, [{path}]")),
            "object" => Some("a table in braces".to_owned()),
            _ => None,
        }));
    }
    let example = schema.get("default").map(Json::to_string).unwrap_or_default();
    let tells_something = !matches!(example.as_str(), "" | "null" | "\"\"" | "[]" | "{}");
    let is_scalar = !example.starts_with('{');
    let wanted = wanted.join(" or ");
    if tells_something && is_scalar {
        format!("use {wanted}, for example {example}")
    } else {
        format!("use {wanted}")
    }
}

/// What takes the place of a list item that does not fit.
fn empty_value(schema: &Json) -> toml::Value {
    if forms(schema).flat_map(types).any(|name| name == "object") {
        toml::Table::new().into()
    } else {
        String::new().into()
    }
}

/// The path of a key in a table.
pub(super) fn child_path(path: &str, key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let key = if !key.is_empty() && key.chars().all(plain) {
        key.to_owned()
    } else {
        toml::Value::from(key).to_string()
    };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// A value as a problem repeats it: one line, not too long.
pub(super) fn shown(value: &str) -> String {
    let line = value.lines().next().unwrap_or_default();
    let cut: String = line.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect();
    if cut.len() < value.len() { format!("{cut}…") } else { cut }
}

/// Where an unknown key may have been meant to go: the nearest sibling, else the same key in
/// another table, else all the siblings.
fn suggested_key(root: &Json, schema: &Json, path: &str, key: &str) -> String {
    let siblings = key_names(schema);
    if let Some(hint) = did_you_mean(key, siblings.iter().copied()) {
        return hint;
    }
    let tables = key_names(root).into_iter().filter(|table| *table != path);
    for table in tables {
        let keys = root.pointer(&format!("/properties/{table}")).map(key_names);
        if keys.is_some_and(|keys| keys.contains(&key)) {
            return format!("did you mean \"{table}.{key}\"?");
        }
    }
    format!("known here: {}", siblings.join(", "))
}

/// What a variable that names no key may have been meant to be.
pub(super) fn suggested_variable(root: &Json, prefix: &str, name: &str) -> String {
    let mut names = Vec::new();
    for table in key_names(root) {
        let upper = table.to_ascii_uppercase();
        let keys = root.pointer(&format!("/properties/{table}")).map(key_names).unwrap_or_default();
        if keys.is_empty() {
            names.push(format!("{prefix}{upper}"));
        }
        let full = |key: &str| format!("{prefix}{upper}__{}", key.to_ascii_uppercase());
        names.extend(keys.into_iter().map(full));
    }
    // Every name begins alike, so the prefix is left out of the comparison.
    let rest = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
    let wanted = rest(name);
    let rests: Vec<String> = names.iter().map(|name| rest(name)).collect();
    let ending = format!("__{wanted}");
    let without_table = rests.iter().map(String::as_str).find(|rest| rest.ends_with(&ending));
    match without_table.or_else(|| nearest(&wanted, rests.iter().map(String::as_str))) {
        Some(nearest) => format!("did you mean {prefix}{nearest}?"),
        None => format!("the form is {prefix}TABLE__KEY, for example {prefix}FETCH__TIMEOUT"),
    }
}

fn key_names(schema: &Json) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Json::as_object);
    properties.into_iter().flat_map(|keys| keys.keys()).map(String::as_str).collect()
}
