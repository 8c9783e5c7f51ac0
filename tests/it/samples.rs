//! The files under `config/` are the manual of the configuration: each of them loads, the full one
//! says what the code does, and the published schema agrees. Those under `deploy/` name keys and
//! metrics that exist.

use std::collections::BTreeSet;
use std::path::Path;

use conflictwire::config::{self, Config, ConfigError, Environment, RawConfig, RawFeeds};
use conflictwire::ledger::LedgerSettings;
use cw_model::LaneState;
use cw_status::ledger::Assignment;
use cw_status::{Metrics, Status};

use crate::support::{files_below, project};

/// Loads a file as it would be where nothing is set but a home.
fn load(path: &Path) -> Result<Config, ConfigError> {
    config::load_from(Some(path), &Environment::from_iter([("HOME", "/home/ada")]))
}

fn sample(name: &str) -> (std::path::PathBuf, String) {
    let path = project().join("config").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// A configuration that uses a file of another kind.
fn using(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    let shown = path.display();
    let folder = path.parent().unwrap();
    if folder.parent().unwrap().ends_with("lexicon") {
        // The files of a language are a lexicon together.
        let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let names = names.filter(|name| !name.ends_with("casualties.toml"));
        let names: Vec<String> = names.map(|name| format!("\"{}\"", name.display())).collect();
        format!("[tag]\nlexicons = [{}]", names.join(", "))
    } else if folder.ends_with("actors") {
        format!("[tag]\nactors = [\"{shown}\"]")
    } else if name == "taxonomy.toml" {
        format!("[tag]\ntaxonomy = \"{shown}\"")
    } else {
        format!("feeds_from = [\"{shown}\"]")
    }
}

#[test]
fn every_file_loads() {
    let directory = tempfile::tempdir().unwrap();
    for path in files_below("config", "toml") {
        // Built in only: the tests of `cw-code` read the grammars of casualties, those of `cw-places` the cues.
        // `conflictwire test` reads the cases (`cli`).
        let is_no_configuration = path.ends_with("casualties.toml") || path.ends_with("cases.toml");
        if is_no_configuration || path.parent().unwrap().ends_with("places") {
            continue;
        }
        let is_whole = path.ends_with("conflictwire.toml") || path.ends_with("minimal.toml");
        let loaded = if is_whole {
            load(&path)
        } else {
            let wrapped = directory.path().join("conflictwire.toml");
            std::fs::write(&wrapped, using(&path)).unwrap();
            load(&wrapped)
        };
        if let Err(error) = loaded {
            panic!("{}: {:#?}", path.display(), error.0);
        }
    }
}

#[test]
fn the_full_file_says_what_the_code_does() {
    let (_, text) = sample("conflictwire.toml");
    let mut written: RawConfig = toml::from_str(&text).unwrap();
    // The one difference, and the file says so: the list of feeds that is shipped beside it.
    assert_eq!(std::mem::take(&mut written.feeds_from), ["feeds.toml"]);
    assert_eq!(written, RawConfig::default());
}

/// The comparison above is also true of a key that the file leaves out.
#[test]
fn the_full_file_has_every_key() {
    let (_, text) = sample("conflictwire.toml");
    let written: toml::Table = text.parse().unwrap();
    let schema = config::schema();
    let mut missing = Vec::new();
    for (name, table) in schema["properties"].as_object().unwrap() {
        let Some(keys) = table.get("properties").and_then(|keys| keys.as_object()) else {
            // Feeds are in the list beside it.
            if name != "feed" && !written.contains_key(name) {
                missing.push(name.clone());
            }
            continue;
        };
        let written = written.get(name).and_then(toml::Value::as_table);
        for key in keys.keys() {
            if !written.is_some_and(|table| table.contains_key(key)) {
                missing.push(format!("{name}.{key}"));
            }
        }
    }
    assert!(missing.is_empty(), "not in config/conflictwire.toml: {missing:?}");
}

#[test]
fn the_least_that_runs_has_a_feed() {
    let (path, text) = sample("minimal.toml");
    assert_eq!(load(&path).unwrap().feeds.len(), 1);
    let keys: toml::Table = text.parse().unwrap();
    assert_eq!(keys.len(), 1, "the least is one [[feed]] and nothing else");
}

#[test]
fn the_shipped_feeds_are_many_and_of_many_languages() {
    let (path, text) = sample("conflictwire.toml");
    let config = load(&path).unwrap();
    let languages: BTreeSet<_> =
        config.feeds.iter().filter_map(|feed| feed.language.clone()).collect();
    assert!(config.feeds.len() >= 40 && languages.len() >= 8, "{languages:?}");
    assert!(text.contains("feeds_from"));
    let (_, text) = sample("feeds.toml");
    let feeds: RawFeeds = toml::from_str(&text).unwrap();
    for feed in feeds.feed {
        assert!(
            feed.id.is_some() && feed.publisher.is_some() && feed.language.is_some(),
            "{feed:?}"
        );
    }
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    let schema = config::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for name in ["conflictwire.toml", "minimal.toml"] {
        let (_, text) = sample(name);
        let value: serde_json::Value = toml::from_str(&text).unwrap();
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    for text in
        ["[fetch]\ntimout = \"1s\"", "[fetch]\ntimeout = 1", "[[feed]]\nid = \"a\"", "x = 1"]
    {
        let value: serde_json::Value = toml::from_str(text).unwrap();
        assert!(!validator.is_valid(&value), "{text}");
    }
}

#[test]
fn the_schema_describes_every_key() {
    fn walk(path: &str, schema: &serde_json::Value, silent: &mut Vec<String>) {
        let inner = schema.get("items").unwrap_or(schema);
        for (key, schema) in inner["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}/{key}");
            if schema["description"].as_str().is_none_or(|text| text.len() < 10) {
                silent.push(path.clone());
            }
            walk(&path, schema, silent);
        }
    }
    let mut silent = Vec::new();
    walk("", &config::schema(), &mut silent);
    assert!(silent.is_empty(), "{silent:?}");
}

/// Keys whose every text is a good one: names of files and topics, and what a map may hold.
const TAKE_ANYTHING: [&str; 1] = ["sqlite.path"];

/// A key that the schema has and the program never looks at would take any value.
#[test]
fn every_key_is_looked_at() {
    fn wrong(value: &toml::Value) -> toml::Value {
        match value {
            toml::Value::String(_) => "\u{1}".into(),
            toml::Value::Integer(_) => i64::MIN.into(),
            toml::Value::Float(_) => f64::NAN.into(),
            toml::Value::Array(_) => toml::Value::Array(vec!["\u{1}".into()]),
            toml::Value::Table(_) => {
                toml::Table::from_iter([("\u{1}".into(), "\u{1}".into())]).into()
            }
            toml::Value::Boolean(_) => "\u{1}".into(),
            toml::Value::Datetime(_) => unreachable!("there is none"),
        }
    }
    let (_, text) = sample("conflictwire.toml");
    let full: toml::Table = text.parse().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("conflictwire.toml");
    let mut unseen = Vec::new();
    for (table, keys) in full.iter().filter_map(|(table, keys)| Some((table, keys.as_table()?))) {
        for (key, value) in keys {
            let mut spoilt = full.clone();
            spoilt.remove("feeds_from");
            spoilt[table].as_table_mut().unwrap().insert(key.clone(), wrong(value));
            std::fs::write(&path, toml::to_string(&spoilt).unwrap()).unwrap();
            let name = format!("{table}.{key}");
            if load(&path).is_ok() && !TAKE_ANYTHING.contains(&name.as_str()) {
                unseen.push(name);
            }
        }
    }
    assert!(unseen.is_empty(), "these take any value: {unseen:?}");
}

/// What is exposed and in no document tells nobody anything.
#[test]
fn every_metric_is_explained() {
    let read = |path: &str| std::fs::read_to_string(project().join(path)).unwrap();
    let documents = read("deploy/README.md") + &read("deploy/kafka/README.md");
    let exposed = exposition();
    let families = exposed.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let unexplained: Vec<&str> = families
        .map(|family| family.split(' ').next().unwrap())
        .filter(|name| {
            let ends = ["`", "_total`", "_info`"];
            !ends.iter().any(|end| documents.contains(&format!("`{name}{end}")))
        })
        .collect();
    assert!(unexplained.is_empty(), "no document explains {unexplained:?}");
}

/// By text, one variable a line (`NAME: value`, with quotes where YAML wants them).
#[test]
fn the_compose_file_sets_keys_that_there_are() {
    let text = std::fs::read_to_string(project().join("deploy/docker/compose.yaml")).unwrap();
    let variables: Vec<(&str, &str)> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("CONFLICTWIRE__"))
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name, value.trim_matches('\'')))
        .collect();
    assert!(!variables.is_empty());
    let environment = variables.into_iter().chain([("HOME", "/home/ada")]);
    let (path, _) = sample("conflictwire.toml");
    let config = match config::load_from(Some(&path), &Environment::from_iter(environment)) {
        Ok(config) => config,
        Err(error) => panic!("{:#?}", error.0),
    };
    let LedgerSettings::Kafka(kafka) = &config.ledger else {
        panic!("the ledger is {:?}", config.ledger);
    };
    for broker in &kafka.brokers {
        assert!(text.contains(&format!("//{broker},")), "{broker} is not where Kafka listens");
    }
}

/// The rules by which Prometheus alerts, as text.
fn alerts(name: &str) -> String {
    std::fs::read_to_string(project().join("deploy/prometheus").join(name)).unwrap()
}

/// Everything that is ever exposed, with a value.
pub(crate) fn exposition() -> String {
    let metrics = Metrics::of(conflictwire::process::figures, "unknown");
    metrics.ledger().set(Assignment { lane: 0, number: 1 }, LaneState::Owned, "");
    let lanes = metrics.lanes();
    lanes.fenced(0);
    lanes.failed(0);
    lanes.unpublished(0, 0);
    metrics.text(&Status::new(metrics.ledger().clone()).snapshot())
}

#[test]
fn the_alerts_name_metrics_that_are_exposed() {
    let (alerts, exposed) = (alerts("alerts.yaml"), exposition());
    let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let metrics: BTreeSet<&str> = alerts
        .split(|letter: char| !is_of_a_name(letter))
        .filter(|word| word.starts_with("conflictwire_"))
        .collect();
    assert!(!metrics.is_empty());
    for metric in metrics {
        let is_one =
            |line: &str| line.strip_prefix(metric).is_some_and(|rest| rest.starts_with(['{', ' ']));
        assert!(exposed.lines().any(is_one), "no metric {metric} in\n{exposed}");
    }
    // Label values too, where a rule names one.
    for (label, value) in alerts
        .split(['{', ',', '}'])
        .filter_map(|part| part.trim().split_once("=\""))
        .filter(|(label, _)| ["state", "class", "outcome"].contains(label))
    {
        let value = value.trim_end_matches('"');
        assert!(exposed.contains(&format!("{label}=\"{value}\"")), "no {label}=\"{value}\"");
    }
}

/// Those of the queries of the dashboard and of the recording rules, but for what the rules record.
#[test]
fn the_dashboard_names_metrics_that_are_explained() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&alerts("../grafana/conflictwire.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter();
    let targets = targets.filter_map(|panel| panel["targets"].as_array()).flatten();
    let mut queries: Vec<String> =
        targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect();
    assert!(!queries.is_empty());
    let recording = alerts("recording.yaml");
    let lines = recording.lines().filter(|line| !line.contains("record: "));
    queries.extend(lines.map(str::to_owned));
    // Not by what is exposed: a tag has no series before an article has it.
    let documents = alerts("../README.md") + &alerts("../kafka/README.md");
    let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || "_:".contains(letter);
    for query in &queries {
        let words = query.split(|letter: char| !is_of_a_name(letter));
        for metric in words.filter(|word| word.starts_with("conflictwire_")) {
            let parts = ["", "_bucket", "_sum", "_count"];
            let mut names = parts.iter().filter_map(|part| metric.strip_suffix(part));
            let is_explained = names.any(|name| documents.contains(&format!("`{name}`")));
            assert!(is_explained, "no document explains {metric}, which {query} asks for");
        }
    }
}

#[test]
fn every_alert_is_explained_and_proved() {
    let (rules, proofs, explained) =
        (alerts("alerts.yaml"), alerts("alerts.test.yaml"), alerts("../README.md"));
    let names: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(!names.is_empty());
    for name in &names {
        assert!(proofs.contains(&format!("alertname=\"{name}\"")), "no test in which {name} fires");
        assert!(explained.contains(&format!("\n### {name}\n")), "no paragraph about {name}");
        let anchor = format!("deploy/README.md#{}\n", name.to_lowercase());
        assert!(rules.contains(&anchor), "{name} does not lead to its paragraph");
    }
    let headings = explained.lines().filter_map(|line| line.strip_prefix("### "));
    for heading in headings.filter(|heading| heading.starts_with("Conflictwire")) {
        assert!(names.contains(&heading), "no alert {heading}");
    }
}
