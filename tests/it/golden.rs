//! What version 1 promises, held by files that do not change with the program: records and rejects,
//! which topic hears of them, feed states, the AsyncAPI document, metrics, columns of the SQLite file
//! and what `tag` prints. Kafka's keys, headers and `__lane` are held by a unit test of theirs.
//!
//! What is added breaks no promise; what goes, or comes to mean something else, does. See
//! `tests/golden/README.md`, also for how to accept a change.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use conflictwire::ledger::sqlite::{SqliteLedger, SqliteSettings};
use cw_code::{Source, Sources, Tagger};
use cw_decide::process::process;
use cw_model::state::{FeedState, StateRecord};
use cw_model::{Record, Reject};
use serde_json::{Map, Value, json};

use self::kept::{all_missing, check_kept, golden, golden_values};
use crate::records::{answer, feed, now};
use crate::samples::exposition;
use crate::support::daemon::BINARY;
use crate::support::project;

#[path = "../golden/kept.rs"]
mod kept;

/// Each published form, and what its schema is called on the command line.
const FORMS: [&str; 2] = ["article", "reject"];

/// Whether the files are to be written as things are now: a change is meant.
fn accepts() -> bool {
    #[expect(clippy::disallowed_methods, reason = "asks for the tests, not for the program")]
    let asked = std::env::var_os("CONFLICTWIRE_TEST_ACCEPT_GOLDEN");
    asked.is_some()
}

fn accept(name: &str, text: &str) {
    std::fs::write(project().join("tests/golden").join(name), text).unwrap();
}

fn golden_schema(form: &str) -> Value {
    serde_json::from_str(&golden(&format!("{form}-1.schema.json"))).unwrap()
}

fn golden_records(form: &str) -> Vec<Value> {
    golden_values(&format!("{form}-1.jsonl"))
}

/// Holds values, one a line of a file, to what the file says of them.
#[track_caller]
fn check(name: &str, produced: &[Value]) {
    if accepts() {
        let lines: Vec<String> = produced.iter().map(|one| format!("{one}\n")).collect();
        accept(name, &lines.concat());
    }
    check_kept(name, produced);
}

fn run(args: &[&str], input: &str) -> String {
    let mut child = Command::new(BINARY)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn schema(form: &str) -> Value {
    serde_json::from_str(&run(&["schema", form], "")).unwrap()
}

/// Rules that no better lexicon changes.
fn tagger() -> Tagger {
    let source = |name: &str| Source { name: name.to_owned(), text: golden(name) };
    let (taxonomy, rules) = (source("tags.toml"), source("rules.toml"));
    let sources = Sources { taxonomy, lexicons: vec![rules], actors: Vec::new() };
    Tagger::new(&sources, 0.5).unwrap()
}

/// Without what better data change: the digest of a lexicon, which covers the built-in grammar and actors, and
/// what a gazetteer finds.
fn without_data(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(conflict) = value.get_mut("conflict").and_then(Value::as_object_mut) {
        conflict.remove("places");
        conflict.insert("lexicon".to_owned(), "en/3 [digest]".into());
    }
    value
}

/// What polling the golden feed comes to.
#[derive(Default)]
struct Produced {
    records: Vec<Value>,
    /// Who is told of each record.
    routes: Vec<Value>,
    /// Of a third document, which is cut short.
    rejects: Vec<Value>,
    /// After each poll.
    states: Vec<Value>,
}

fn produced() -> Produced {
    let (feed, tagger) = (feed("harbour"), tagger());
    let (first, second) = (golden("poll-1.atom"), golden("poll-2.atom"));
    let (broken, _) = first.split_at(first.len() / 2);
    let mut state = FeedState::default();
    let mut produced = Produced::default();
    for text in [first.as_str(), &second, broken] {
        let outcome =
            process(&feed, &answer(&feed, text.as_bytes().to_vec()), &state, &tagger, now());
        for one in &outcome.records {
            let record = serde_json::to_value(&one.record).unwrap();
            let route = format!("{:?}", one.route);
            produced.routes.push(
                json!({ "id": record["id"], "revision": record["revision"], "route": route }),
            );
            produced.records.push(record);
        }
        let rejects = outcome.rejects.iter().map(|one| serde_json::to_value(one).unwrap());
        produced.rejects.extend(rejects);
        produced
            .states
            .push(serde_json::to_value(StateRecord::from(outcome.state.as_ref())).unwrap());
        state = FeedState::clone(&outcome.state);
    }
    produced
}

/// The constants of a list of names, each with all that is said of it.
fn names(list: &[Value]) -> Option<Map<String, Value>> {
    let name = |one: &Value| Some((one.get("const")?.as_str()?.to_owned(), one.clone()));
    list.iter().map(name).collect()
}

/// Every promise of a schema that another one breaks.
///
/// Fields, definitions and names may be added; what a field must be may not, but what must be there
/// may become more. All else is to be the same, descriptions included.
fn broken(old: &Value, new: &Value, path: &str, faults: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, promise) in old {
                let path = format!("{path}/{key}");
                match new.get(key) {
                    Some(kept) => broken(promise, kept, &path, faults),
                    None => faults.push(format!("{path} is gone")),
                }
            }
            let is_open = path.ends_with("/properties") || path.ends_with("/$defs");
            let added = new.keys().filter(|key| !is_open && !old.contains_key(*key));
            faults.extend(added.map(|key| format!("{path}/{key} is asked for now")));
        }
        (Value::Array(old), Value::Array(new)) => broken_list(old, new, path, faults),
        (old, new) if old == new => {}
        (old, new) => faults.push(format!("{path} was\n    {old}\nand is\n    {new}")),
    }
}

fn broken_list(old: &[Value], new: &[Value], path: &str, faults: &mut Vec<String>) {
    if path.ends_with("/required") {
        let gone = old.iter().filter(|name| !new.contains(name));
        faults.extend(gone.map(|name| format!("{path}: {name} need not be there any more")));
    } else if let (Some(old), Some(new)) = (names(old), names(new)) {
        // Names may be added, so the objects of two lists are compared by name.
        for (name, promise) in &old {
            match new.get(name) {
                Some(kept) => broken(promise, kept, &format!("{path}/{name}"), faults),
                None => faults.push(format!("{path}/{name} is gone")),
            }
        }
    } else if old.len() == new.len() {
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            broken(old, new, &format!("{path}/{index}"), faults);
        }
    } else {
        faults.push(format!("{path} was\n    {old:?}\nand is\n    {new:?}"));
    }
}

fn all_broken(old: &Value, new: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    broken(old, new, "", &mut faults);
    faults
}

#[test]
fn the_schemas_keep_what_version_1_promises() {
    for form in FORMS {
        if accepts() {
            accept(&format!("{form}-1.schema.json"), &run(&["schema", form], ""));
        }
        let faults = all_broken(&golden_schema(form), &schema(form));
        assert!(faults.is_empty(), "{form}:\n{}", faults.join("\n"));
    }
}

/// A copy of a schema for each thing that could go from it or change in it.
fn spoilt(schema: &Value) -> Vec<(String, Value)> {
    let mut pointers = Vec::new();
    fn walk(value: &Value, pointer: &str, pointers: &mut Vec<String>) {
        let key = |key: &str| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    pointers.push(key(name));
                    walk(member, &key(name), pointers);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointers.push(key(&index.to_string()));
                    walk(item, &key(&index.to_string()), pointers);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    walk(schema, "", &mut pointers);
    let mut spoilt = Vec::new();
    for pointer in pointers {
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        let mut without = schema.clone();
        match without.pointer_mut(parent).unwrap() {
            Value::Object(members) => {
                drop(members.remove(&last.replace("~1", "/").replace("~0", "~")))
            }
            Value::Array(items) => drop(items.remove(last.parse().unwrap())),
            other => unreachable!("{other}"),
        }
        spoilt.push((format!("without {pointer}"), without));
        let mut changed = schema.clone();
        let value = changed.pointer_mut(&pointer).unwrap();
        if value.is_string() || value.is_number() {
            *value = json!(format!("{value} or not"));
            spoilt.push((format!("another {pointer}"), changed));
        }
    }
    spoilt
}

#[test]
fn whatever_goes_from_a_schema_or_changes_in_it_is_a_broken_promise() {
    for form in FORMS {
        let golden = golden_schema(form);
        let spoilt = spoilt(&golden);
        assert!(spoilt.len() > 50, "{} are too few to mean anything", spoilt.len());
        for (what, spoilt) in spoilt {
            assert!(!all_broken(&golden, &spoilt).is_empty(), "{form}: {what} is not noticed");
        }
    }
    // What may be null now, and what is closed.
    let golden = golden_schema("article");
    for (pointer, value) in [
        ("/properties/revision/type", json!(["integer", "null"])),
        ("/properties/title/type", json!("string")),
        ("/properties/authors/items", json!({ "type": "integer" })),
    ] {
        let mut changed = golden.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert!(!all_broken(&golden, &changed).is_empty(), "{pointer}");
    }
    let mut closed = golden.clone();
    closed["additionalProperties"] = false.into();
    assert!(!all_broken(&golden, &closed).is_empty());
}

/// Adds a field to every object and a name to every list of names.
fn grow_schema(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(grow_schema);
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                properties.insert("added".to_owned(), json!({ "type": "boolean" }));
                if let Some(Value::Array(required)) = members.get_mut("required") {
                    required.push("added".into());
                }
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(grow_schema);
            if !items.is_empty() && names(items).is_some() {
                items.push(json!({ "const": "added", "type": "string" }));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn whatever_is_added_to_a_schema_breaks_no_promise() {
    for form in FORMS {
        let golden = golden_schema(form);
        let mut grown = golden.clone();
        grow_schema(&mut grown);
        assert_ne!(grown, golden);
        assert_eq!(all_broken(&golden, &grown), Vec::<String>::new(), "{form}");
    }
}

/// Adds a field to every object, and puts an unknown name where a name stands.
fn grow_record(record: &mut Value, known: &[&str]) {
    match record {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if known.contains(&name.as_str()) && member.is_string() {
                    *member = "added".into();
                }
                grow_record(member, known);
            }
            members.insert("added".to_owned(), json!({ "deep": [1, null] }));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| grow_record(item, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A consumer who holds records against the schema of version 1 takes those of later versions too, and
/// our own readers do.
#[test]
fn records_that_have_grown_obey_the_first_schema_and_are_read() {
    let names = ["change", "kind", "scope", "field", "reason"];
    for form in FORMS {
        let validator = jsonschema::validator_for(&golden_schema(form)).unwrap();
        for mut record in golden_records(form) {
            assert!(validator.is_valid(&record), "{record:#}");
            grow_record(&mut record, &names);
            if let Some(quality) = record.pointer_mut("/dates/quality") {
                quality.as_array_mut().unwrap().push("added".into());
            }
            let errors: Vec<String> =
                validator.iter_errors(&record).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{form}: {errors:#?} in {record:#}");
            match form {
                "article" => drop(serde_json::from_value::<Record>(record).unwrap()),
                _ => drop(serde_json::from_value::<Reject>(record).unwrap()),
            }
        }
    }
}

#[test]
fn the_same_documents_come_to_the_records_of_version_1() {
    let produced = produced();
    check("route-1.jsonl", &produced.routes);
    for (form, values) in [("article", &produced.records), ("reject", &produced.rejects)] {
        check(&format!("{form}-1.jsonl"), &values.iter().map(without_data).collect::<Vec<_>>());
        let validator = jsonschema::validator_for(&golden_schema(form)).unwrap();
        for value in values {
            assert!(validator.is_valid(value), "{value:#}");
        }
    }
}

/// A state without the values that are no promise: when to ask next, and how much was added today, which
/// grows with each field that is added.
fn without_chances(mut state: Value) -> Value {
    fn blank(value: &mut Value) {
        match value {
            Value::Object(members) => members.values_mut().for_each(blank),
            Value::Array(items) => items.iter_mut().for_each(blank),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                *value = Value::Null
            }
        }
    }
    ["plan", "interval", "today"].into_iter().for_each(|key| blank(&mut state[key]));
    state
}

/// What was remembered of each poll, and what the next poll would be told by it.
#[test]
fn the_states_of_version_1_are_written_and_read() {
    let states = produced().states;
    if accepts() {
        check("state-1.jsonl", &states);
    }
    let golden = golden_values("state-1.jsonl");
    assert_eq!(golden.len(), states.len());
    for (golden, now) in golden.into_iter().zip(states) {
        let read = |state: &Value| FeedState::parse(state.to_string().as_bytes()).unwrap();
        let (then, today) = (read(&golden), read(&now));
        assert!(
            then.memory.articles() == 3
                && then.unpacked_memory().seen.tells_like(&today.unpacked_memory().seen)
                && then.reads_like(&today)
        );
        let faults = all_missing(&without_chances(golden), &without_chances(now));
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

/// A document as a consumer depends on it: lists of words by word, lists of constants by constant, and
/// nothing that is only there for people.
fn by_word(value: &Value) -> Value {
    let word = |one: &Value| one.as_str().or(one.get("const")?.as_str()).map(str::to_owned);
    match value {
        Value::Object(members) => {
            let kept =
                members.iter().filter(|(key, member)| *key != "description" || !member.is_string());
            Value::Object(kept.map(|(key, member)| (key.clone(), by_word(member))).collect())
        }
        Value::Array(items) => match items.iter().map(word).collect::<Option<Vec<_>>>() {
            Some(words) => words.into_iter().map(|word| (word, Value::Bool(true))).collect(),
            None => items.iter().map(by_word).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn asyncapi() -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    let config =
        "feed = []\n[ledger]\nkind = \"kafka\"\n[kafka]\nbrokers = [\"kafka.example:9092\"]\n";
    std::fs::write(file.path(), config).unwrap();
    let text = run(&["schema", "asyncapi", "--config", file.path().to_str().unwrap()], "");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_asyncapi_document_keeps_what_version_1_promises() {
    check("asyncapi-1.jsonl", &[by_word(&asyncapi())]);
}

#[test]
fn what_tag_prints_keeps_what_version_1_promises() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = project().join("tests/golden");
    let config = format!(
        "feed = []\n[tag]\nthreshold = 0.5\ntaxonomy = {:?}\nlexicons = [{:?}]\n",
        folder.join("tags.toml"),
        folder.join("rules.toml")
    );
    std::fs::write(file.path(), config).unwrap();
    let has_text =
        |record: &&Value| ["title", "summary", "body"].iter().any(|of| record[of].is_string());
    let records = golden_records("article");
    let input: Vec<String> =
        records.iter().filter(has_text).map(|record| format!("{record}\n")).collect();
    let text = run(&["tag", "--config", file.path().to_str().unwrap()], &input.concat());
    let told = text.lines().map(|line| without_data(&serde_json::from_str(line).unwrap()));
    check("tag-1.jsonl", &told.collect::<Vec<_>>());
}

/// Name, kind and labels: what alerts and dashboards are made of.
#[test]
fn the_metrics_of_version_1_are_exposed() {
    let text = exposition();
    let mut metrics: BTreeMap<String, Value> = BTreeMap::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            metrics.insert(kind.to_owned(), true.into());
        } else if !line.starts_with('#') {
            let (series, _) = line.rsplit_once(' ').unwrap();
            // Which buckets there are is no promise.
            let is_plain = !series.contains("le=\"") && !series.contains("version=\"");
            metrics.extend(is_plain.then(|| (series.to_owned(), true.into())));
        }
    }
    check("metrics-1.jsonl", &[serde_json::to_value(metrics).unwrap()]);
}

/// README.md shows how to query them.
#[tokio::test]
async fn the_columns_of_the_sqlite_file_are_those_of_version_1() {
    let folder = tempfile::tempdir().unwrap();
    let settings = SqliteSettings {
        path: folder.path().join("golden.sqlite"),
        keep_age: None,
        keep_bytes: None,
    };
    let (ledger, _, _) = SqliteLedger::open(&settings).unwrap();
    ledger.close().await.unwrap();
    let connection = rusqlite::Connection::open(&settings.path).unwrap();
    let mut columns: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut statement = connection
        .prepare(
            "SELECT of.name, has.name, has.type FROM sqlite_schema AS of, pragma_table_info(of.name) AS has \
             WHERE of.type IN ('table', 'view') AND of.name NOT LIKE 'articles_fts_%'",
        )
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    for row in rows {
        let (table, column, kind) = row.unwrap();
        columns.entry(table).or_default().insert(column, kind);
    }
    check("sqlite-1.jsonl", &[serde_json::to_value(columns).unwrap()]);
}

/// Every value of a golden file counts, and what is added beside it does not.
#[test]
fn whatever_goes_from_a_value_or_changes_in_it_is_noticed_and_what_is_added_is_not() {
    for name in
        ["article-1.jsonl", "reject-1.jsonl", "state-1.jsonl", "tag-1.jsonl", "asyncapi-1.jsonl"]
    {
        for value in golden_values(name) {
            for (what, spoilt) in spoilt(&value) {
                assert!(!all_missing(&value, &spoilt).is_empty(), "{name}: {what} is not noticed");
            }
            let mut grown = value.clone();
            grow_record(&mut grown, &[]);
            assert_eq!(all_missing(&value, &grown), Vec::<String>::new(), "{name}");
        }
    }
}

/// What the golden records must show for the promise to be held: each kind of revision, what is null
/// because nobody looked, and a span behind a character of two UTF-16 units.
#[test]
fn the_golden_records_show_what_is_promised() {
    let records = golden_records("article");
    let changes: Vec<&str> = records.iter().map(|one| one["change"].as_str().unwrap()).collect();
    for change in ["created", "updated", "withdrawn"] {
        assert!(changes.contains(&change), "{changes:?}");
    }
    let casualties = records.iter().map(|one| &one["conflict"]["casualties"]);
    assert!(casualties.clone().any(|one| one.as_array().is_some_and(|all| all.len() > 1)));
    let coded = records.iter().filter(|one| one["conflict"].is_object());
    assert!(coded.clone().any(|one| one["conflict"]["casualties"].is_null()));
    assert!(coded.clone().any(|one| one["conflict"]["relevant"] == true));
    assert!(coded.clone().any(|one| one["conflict"]["relevant"] == false));
    assert!(records.iter().any(|one| one["change"] == "created" && one["conflict"].is_null()));
    assert!(!golden_records("reject").is_empty());
}

/// Whether a list of names stands beside any other text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Open,
    Closed,
}

/// Wherever a schema refuses what it does not know.
fn closed(schema: &Value, around: Names, path: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (key, member) in members {
                let path = format!("{path}/{key}");
                let is_closing = match key.as_str() {
                    "additionalProperties" | "unevaluatedProperties" => *member != json!(true),
                    "enum" => around == Names::Closed,
                    _ => false,
                };
                if is_closing {
                    found.push(path.clone());
                }
                let around = if key == "oneOf" { around } else { Names::Closed };
                closed(member, around, &path, found);
            }
        }
        Value::Array(items) => {
            let is_names = !items.is_empty() && names(items).is_some();
            if is_names && around == Names::Closed {
                found.push(path.to_owned());
            }
            let takes_any = items.contains(&json!({ "type": "string" }));
            let around = if takes_any { Names::Open } else { Names::Closed };
            items.iter().for_each(|item| closed(item, around, path, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whoever is strict must not refuse what is added.
#[test]
fn nothing_that_is_published_is_closed() {
    for schema in FORMS.map(schema).into_iter().chain([asyncapi()]) {
        let mut found = Vec::new();
        closed(&schema, Names::Closed, "", &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
    let shut = json!({ "a": { "enum": ["x"] }, "b": [{ "const": "x" }], "c": { "additionalProperties": false } });
    let mut found = Vec::new();
    closed(&shut, Names::Closed, "", &mut found);
    assert_eq!(found.len(), 3, "{found:?}");
}
